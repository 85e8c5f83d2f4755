/* Training: read or make the pairs, build vocabularies and model, take steps, validate after every epoch. */
#include "run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct training {
    run run;
    tl_corpus *train, *valid;
    tl_batches *batches;
    tl_adam *adam;
    tl_csv *log;
    tl_progress progress;
    long step, epoch;
    double begin, resumed; /* seconds: the start, the end of the last validation */
    double loss, tokens;   /* sums since the last validation, and of so many updates: */
    long updates;
    quality best;
} training;

static double seconds(void) {
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- data ---- */

static tl_corpus *toy(const settings *s, long first, long count, tl_error *error) {
    tl_corpus *corpus = tl_corpus_new();
    tl_corpus_toy(corpus, &(tl_toy_config){.task = s->task,
                                           .sentences = count,
                                           .first = first,
                                           .min_length = s->min_symbols,
                                           .max_length = s->max_symbols,
                                           .symbols = s->symbols,
                                           .seed = (uint64_t)s->seed});
    if (tl_corpus_error(corpus)) tl_error_set(error, "%s", tl_corpus_error(corpus));
    return corpus;
}

/* What a command line must say before anything is read. */
static bool check_command_line(settings *s, tl_error *error) {
    if (s->task && (s->train || s->valid))
        return tl_error_set(error, "--task makes its own sentences: leave out --train and --valid");
    if (!s->task && (!s->train || !s->valid))
        return tl_error_set(error, "give --train FILE and --valid FILE, or --task reverse");
    return settings_complete(s, error);
}

static bool get_data(training *t) {
    const settings *s = &t->run.settings;
    tl_error *error = &t->run.error;
    if (s->task) {
        t->train = toy(s, 0, s->sentences, error);
        t->valid = toy(s, s->sentences, 200, error);
    } else {
        t->train = read_pairs(s->train, s, true, error);
        if (t->train) t->valid = read_pairs(s->valid, s, true, error);
    }
    return !tl_failed(error);
}

static bool get_vocabularies(training *t) {
    run *r = &t->run;
    tl_vocab_config config = {.min_count = r->settings.task ? 1 : r->settings.min_count,
                              .max_size = r->settings.max_vocab};
    tl_vocab_counts *counts[2] = {tl_vocab_counts_new(), tl_vocab_counts_new()};
    tl_corpus_count(t->train, TL_SOURCE, counts[0]);
    tl_corpus_count(t->train, TL_TARGET, counts[r->settings.joint ? 0 : 1]);
    r->source = tl_vocab_new(counts[0], &config);
    r->target = r->settings.joint ? r->source : tl_vocab_new(counts[1], &config);
    tl_vocab_counts_free(counts[0]);
    tl_vocab_counts_free(counts[1]);
    if (tl_vocab_error(r->source)) return tl_error_set(&r->error, "%s", tl_vocab_error(r->source));
    if (tl_vocab_error(r->target)) return tl_error_set(&r->error, "%s", tl_vocab_error(r->target));
    if (tl_vocab_size(r->source) == TL_SPECIALS || tl_vocab_size(r->target) == TL_SPECIALS)
        return tl_error_set(&r->error,
                            "%s: no word is seen --min-count %ld times: lower it, or give more sentences",
                            r->settings.train, r->settings.min_count);
    tl_corpus *corpora[2] = {t->train, t->valid};
    for (int i = 0; i < 2; i++)
        if (!tl_corpus_encode(corpora[i], r->source, r->target))
            return tl_error_set(&r->error, "%s", tl_corpus_error(corpora[i]));
    return true;
}

static bool prepare(training *t) {
    run *r = &t->run;
    settings *s = &r->settings;
    if (!get_data(t) || !get_vocabularies(t) || !run_make_model(r) || !run_save_description(r)) return false;
    t->batches = tl_batches_new(
        t->train,
        &(tl_batches_config){.tokens = s->batch_tokens, .order = TL_SHUFFLED, .seed = (uint64_t)s->seed});
    if (tl_batches_error(t->batches)) return tl_error_set(&r->error, "%s", tl_batches_error(t->batches));
    t->adam = tl_adam_new(r->params, &(tl_adam_config){.beta2 = s->beta2});
    char path[4096];
    snprintf(path, sizeof path, "%s/log.csv", s->out);
    static const char *const columns[] = {"step",          "epoch",      "seconds",
                                          "learning_rate", "train_loss", "valid_loss",
                                          "accuracy",      "bleu",       "tokens_per_second"};
    t->log = tl_csv_open(path, columns, (int)(sizeof columns / sizeof *columns), false, &r->error);
    return t->log && (t->adam || tl_error_set(&r->error, "out of memory for the optimiser"));
}

/* ---- how long, and how fast it learns ---- */

static long planned_steps(const training *t) {
    const settings *s = &t->run.settings;
    long by_epochs = s->epochs * tl_batches_per_epoch(t->batches);
    if (s->steps && by_epochs) return s->steps < by_epochs ? s->steps : by_epochs;
    return s->steps ? s->steps : by_epochs;
}

static bool time_is_up(const training *t) {
    double limit = 60 * t->run.settings.minutes;
    return limit > 0 && seconds() - t->begin >= limit;
}

/* Cosine and linear need to know the end: counted in steps, or guessed from the share of the time that has gone. */
static double learning_rate(const training *t) {
    const settings *s = &t->run.settings;
    long total = planned_steps(t);
    double spent = s->minutes > 0 ? (seconds() - t->begin) / (60 * s->minutes) : 0;
    if (spent > 0 && (!total || spent > (double)t->step / (double)total))
        total = (long)((double)t->step / spent);
    if (!strcmp(s->schedule, "cosine")) return tl_cosine(s->lr, 0, s->warmup, total, t->step);
    if (!strcmp(s->schedule, "linear")) return tl_linear_decay(s->lr, 0, s->warmup, total, t->step);
    if (!strcmp(s->schedule, "constant")) return tl_constant_rate(s->lr, s->warmup, t->step);
    return tl_inverse_sqrt(s->lr, s->warmup, s->warmup_from, t->step);
}

/* ---- one update ---- */

static bool stop_at_nonfinite(training *t, const char *what, double value) {
    char where[TL_ERROR_MAX] = "";
    tl_tape_find_nonfinite(t->run.tape, where);
    if (!*where) tl_tape_find_nonfinite_grad(t->run.tape, where);
    return tl_error_set(&t->run.error, "step %ld: the %s is %s; try a smaller --lr or a longer --warmup%s%s",
                        t->step, what, isnan(value) ? "not a number" : "infinite",
                        *where ? "; what went wrong first: " : "", where);
}

static bool update(training *t, const tl_batch *batch) {
    run *r = &t->run;
    t->step++;
    tl_tape_reset(r->tape);
    tl_tape_train(r->tape, t->step);
    tl_var loss = tl_transformer_loss(&r->model, r->tape, batch);
    double value = tl_item(tl_value(loss));
    if (tl_ok(loss) && !isfinite(value)) return stop_at_nonfinite(t, "loss", value);
    tl_zero_grad(r->params);
    if (!tl_backward(loss)) return tl_error_set(&r->error, "%s", tl_tape_error(r->tape));
    double norm = tl_clip_grad_norm(r->params, r->settings.clip);
    if (!isfinite(norm)) return stop_at_nonfinite(t, "norm of the gradients", norm);
    if (!tl_adam_step(t->adam, learning_rate(t)))
        return tl_error_set(&r->error, "%s", tl_adam_error(t->adam));
    t->loss += value;
    t->updates++;
    t->tokens += (double)batch->tgt_tokens;
    tl_progress_update(&t->progress, t->step, value, (double)batch->tgt_tokens);
    return true;
}

/* ---- validation ---- */

static void show_samples(const training *t, char **texts, int count) {
    long size = tl_corpus_size(t->valid);
    for (long i = 0; i < count && i < size; i++) {
        long at = i * size / count; /* spread over the corpus */
        printf("  source    %s\n  reference %s\n  says      %s\n",
               tl_corpus_sentence(t->valid, TL_SOURCE, at), tl_corpus_sentence(t->valid, TL_TARGET, at),
               texts[at]);
        if (i + 1 < count) printf("\n");
    }
}

/* By BLEU; by loss where BLEU cannot tell, as in the beginning, when it is 0. */
static bool is_better(const quality *q, const quality *best) {
    return q->bleu.score > best->bleu.score || (q->bleu.score == best->bleu.score && q->loss < best->loss);
}

static bool write_log(training *t, const quality *q, double elapsed, double train_loss, double rate) {
    tl_csv_long(t->log, t->step);
    tl_csv_long(t->log, t->epoch);
    tl_csv_double(t->log, elapsed);
    tl_csv_double(t->log, learning_rate(t));
    tl_csv_double(t->log, train_loss);
    tl_csv_double(t->log, q->loss);
    tl_csv_double(t->log, q->accuracy);
    tl_csv_double(t->log, q->bleu.score);
    tl_csv_double(t->log, rate);
    return tl_csv_end_row(t->log) || tl_error_set(&t->run.error, "%s", tl_csv_error(t->log));
}

static bool validate(training *t, int samples) {
    run *r = &t->run;
    double before = seconds(), elapsed = before - t->begin;
    quality q;
    char **texts = NULL;
    tl_progress_pause(&t->progress);
    if (!evaluate_corpus(r, t->valid, &q, &texts, NULL)) return false;
    if (!isfinite(q.loss)) {
        free_texts(texts, tl_corpus_size(t->valid));
        return stop_at_nonfinite(t, "loss on the validation sentences", q.loss);
    }
    bool best = t->epoch == 1 || is_better(&q, &t->best);
    if (best) t->best = q;
    double train_loss = t->loss / (double)t->updates;
    printf(
        "epoch %ld, step %ld, %.0f s: train loss %.3f, valid loss %.3f, perplexity %.2f, accuracy %.1f %%, "
        "BLEU %.2f, exact %ld/%ld%s\n",
        t->epoch, t->step, elapsed, train_loss, q.loss, exp(q.loss), 100 * q.accuracy, q.bleu.score, q.exact,
        tl_corpus_size(t->valid), best ? " (best so far)" : "");
    show_samples(t, texts, samples);
    fflush(stdout);
    free_texts(texts, tl_corpus_size(t->valid));
    bool ok = (!best || run_save_weights(r, "model.safetensors")) &&
              write_log(t, &q, elapsed, train_loss, t->tokens / (before - t->resumed));
    t->loss = t->tokens = 0;
    t->updates = 0;
    t->resumed = seconds();
    tl_progress_resume(&t->progress);
    return ok;
}

/* ---- the run ---- */

static bool train(training *t, int samples) {
    tl_batch batch;
    long total = planned_steps(t);
    bool more = true;
    t->begin = t->resumed = seconds();
    t->progress = progress_of(&t->run.settings, NULL);
    t->progress.total = total;
    t->progress.budget = 60 * t->run.settings.minutes;
    tl_progress_start(&t->progress);
    while (more) {
        while (more && tl_batches_next(t->batches, &batch)) {
            if (!update(t, &batch)) return false;
            more = !time_is_up(t) && !(total && t->step >= total);
        }
        if (tl_batches_error(t->batches))
            return tl_error_set(&t->run.error, "%s", tl_batches_error(t->batches));
        t->epoch++;
        if (!validate(t, more ? 0 : samples)) return false;
    }
    tl_progress_finish(&t->progress);
    return run_save_weights(&t->run, "last.safetensors");
}

static int run_training(const char *command, settings *s, int samples) {
    tl_error wrong = {""};
    if (!check_command_line(s, &wrong)) return usage_with(command, wrong.message);
    training t = {.run.settings = *s};
    bool ok = prepare(&t);
    if (ok) {
        printf("%ld pairs to train on, %ld to validate on; vocabularies %ld and %ld; %ld parameters; %s\n",
               tl_corpus_size(t.train), tl_corpus_size(t.valid), tl_vocab_size(t.run.source),
               tl_vocab_size(t.run.target), tl_params_numel(t.run.params), tl_build_text());
        fflush(stdout);
        ok = train(&t, samples);
        tl_progress_pause(&t.progress); /* after a failure: no message behind the bar */
    }
    if (t.log && !tl_csv_close(t.log, &t.run.error)) ok = false;
    if (ok) printf("The run is in %s: model.safetensors has the weights of the best validation.\n", s->out);
    int status = ok ? 0 : fail_with(t.run.error.message);
    tl_adam_free(t.adam);
    tl_batches_free(t.batches);
    tl_corpus_free(t.train);
    tl_corpus_free(t.valid);
    run_free(&t.run);
    return status;
}

int command_train(settings *s) {
    int status = run_training("train", s, 3);
    if (!status) printf("Go on:   %s translate --model %s < sentences.txt\n", s->program, s->out);
    return status;
}

int command_demo(settings *s) {
    printf("A small encoder-decoder Transformer learns to %s sequences that it has never seen.\n", s->task);
    int status = run_training("demo", s, 5);
    if (!status)
        printf("Try it:   echo '7 3 19 4' | %s translate --model %s\n"
               "Your own: %s train --train pairs.tsv --valid valid.tsv --out runs/mine\n",
               s->program, s->out, s->program);
    return status;
}
