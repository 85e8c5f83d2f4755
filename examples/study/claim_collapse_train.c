/* Training for the claim "collapse": a translator trained by Adam at one rate from the first update on, without
 * clipping. The library's own training fails when a loss is not finite; here that is a result. */
#include "claim_collapse.h"
#include "rows.h"

#include <math.h>
#include <stdlib.h>

long collapse_stop(const study *s, int k) {
    static const long full[COLLAPSE_STOPS] = {0, 10, 25, 50, 100, 150},
                      quick[COLLAPSE_STOPS] = {0, 4, 10, 20, 40, 60},
                      tiny[COLLAPSE_STOPS] = {0, 1, 2, 3, 4, 5};
    return budget_of(s, full[k], quick[k], tiny[k]);
}

/* What is trained, and on what; training_end frees it. */
typedef struct training {
    tl_run *run;
    tl_corpus *lines, *pairs;
    tl_batches *batches;
    tl_adam *adam;
    tl_set *held_out; /* one batch */
} training;

static void training_end(training *t) {
    tl_set_free(t->held_out);
    tl_adam_free(t->adam);
    tl_batches_free(t->batches);
    tl_corpus_free(t->pairs);
    tl_corpus_free(t->lines);
    tl_run_free(t->run);
}

static bool failed(const training *t, tl_error *error) {
    const char *why = tl_run_error(t->run);
    if (!why) why = tl_batches_error(t->batches);
    return tl_error_set(error, "%s", why ? why : "out of memory");
}

static bool training_begin(training *t, const job *j, const tl_run_settings *settings, tl_error *error) {
    t->run = tl_run_fresh(settings, error);
    if (!t->run) return false;
    t->lines = tl_pairs_of(tl_run_settings_of(t->run), TL_PART_TRAIN, job_events(), error);
    if (!t->lines) return tl_failed(error) ? false : failed(t, error);
    t->pairs = tl_run_encode(t->run, t->lines);
    const tl_batches_config batches = {.tokens = settings->training.batch_tokens, .seed = j->real_seed};
    t->batches = tl_batches_new(t->pairs, &batches);
    t->adam = tl_adam_new(tl_run_params(t->run), &(tl_adam_config){.beta2 = settings->training.beta2});
    t->held_out = tl_set_new(
        t->run, &(tl_set_options){.most = budget_of(j->study, 100, 100, 10), .batch_tokens = 100000});
    if (!t->pairs || !t->batches || tl_batches_error(t->batches) || !t->adam || !t->held_out)
        return failed(t, error);
    return true;
}

/* One update. *alive: loss and gradients were finite; if not, nothing was changed, and no later update would change
 * anything. */
static bool update(training *t, long step, double rate, bool *alive, tl_error *error) {
    tl_tape *tape = tl_run_tape(t->run);
    tl_params *params = tl_run_params(t->run);
    tl_batch batch;
    /* the epoch is over */
    if (!tl_batches_next(t->batches, &batch) && !tl_batches_next(t->batches, &batch)) return failed(t, error);
    tl_tape_reset(tape);
    tl_tape_set_training(tape, step);
    const tl_var loss = tl_run_loss(t->run, &batch, NULL);
    tl_zero_grad(params);
    if (!tl_backward(loss)) return failed(t, error);
    *alive = isfinite(tl_item(tl_value(loss))) && isfinite(tl_clip_grad_norm(params, 0));
    tl_tape_set_training(tape, 0);
    return !*alive || tl_adam_step(t->adam, rate) || tl_error_set(error, "%s", tl_adam_error(t->adam));
}

/* ---- what is measured ---- */

double frequency_loss(const int *token, long count, const double *of, long ids) {
    double all = 0, sum = 0;
    for (long i = 0; i < ids; i++) all += of[i];
    for (long i = 0; i < count; i++) sum -= log(of[token[i]] / all);
    return sum / (double)count;
}

/* The loss on held-out words of a predictor that knows only word frequencies. Each word's count is increased by one,
 * so that an unseen word does not cost infinitely much. */
static bool look_at_words(training *t, const job *j, const tl_batch *held_out, numbers *out,
                          tl_error *error) {
    const long ids = tl_vocab_size(tl_run_vocab(t->run, TL_TARGET));
    double *said = malloc((size_t)ids * sizeof *said);
    int *token = malloc((size_t)held_out->tgt_tokens * sizeof *token);
    const tl_batches_position begin = tl_batches_tell(t->batches);
    tl_batch batch;
    long count = 0;
    for (long i = 0; said && i < ids; i++) said[i] = 1;
    while (said && tl_batches_next(t->batches, &batch))
        for (long b = 0; b < batch.sentences; b++)
            for (long i = 0; i < batch.tgt_lengths[b]; i++) said[batch.tgt_out[b * batch.tgt_len + i]]++;
    for (long b = 0; token && b < held_out->sentences; b++)
        for (long i = 0; i < held_out->tgt_lengths[b]; i++)
            token[count++] = held_out->tgt_out[b * held_out->tgt_len + i];
    const bool ok = said && token && tl_batches_seek(t->batches, begin);
    if (ok) put(out, j, BY_FREQUENCY, 0, frequency_loss(token, count, said, ids));
    free(said);
    free(token);
    return ok || failed(t, error);
}

static bool look(training *t, const job *j, long step, numbers *out, tl_error *error) {
    tl_batch batch;
    tl_seen seen;
    const tl_look_options options = {.objective = {.kind = TL_OF_NLL}, .no_grad = true};
    if (!tl_set_next(t->held_out, &batch) ||
        !tl_look(tl_run_model(t->run), tl_run_tape(t->run), &batch, &options, &seen))
        return failed(t, error);
    double lowest = INFINITY, sum = 0, entropy;
    for (int k = 0; k < seen.count; k++) {
        if (!rows_entropy(&seen, &seen.attention[k], &entropy)) return failed(t, error);
        if (!(entropy >= lowest)) lowest = entropy;
        sum += entropy;
    }
    put(out, j, LOSS, (double)step, seen.value / (double)batch.tgt_tokens);
    put(out, j, LOWEST, (double)step, lowest);
    put(out, j, MEAN, (double)step, sum / seen.count);
    if (!step && !look_at_words(t, j, &batch, out, error)) return false;
    tl_set_next(t->held_out, &batch); /* ends the pass, so that the next call gives the same batch again */
    return true;
}

static bool train(training *t, const job *j, numbers *out, tl_error *error) {
    bool alive = true;
    long step = 0;
    for (int k = 0; k < COLLAPSE_STOPS; k++) {
        const long stop = collapse_stop(j->study, k);
        while (alive && step < stop) {
            if (job_stopped(j)) return tl_error_set(error, "interrupted");
            if (!update(t, ++step, collapse_rate(j->arm.number), &alive, error)) return false;
        }
        if (alive && !look(t, j, stop, out, error)) return false;
        if (!alive) put(out, j, LOSS, (double)stop, INFINITY);
    }
    return true;
}

bool collapse_measure(const job *j, numbers *out, tl_error *error) {
    tl_run_settings settings = toy_translator(j->study);
    settings.training.seed = (long)j->real_seed;
    settings.training.batch_tokens = budget_of(j->study, 1024, 512, 256);
    training t = {.run = NULL};
    const bool ok = training_begin(&t, j, &settings, error) && train(&t, j, out, error);
    training_end(&t);
    return ok;
}
