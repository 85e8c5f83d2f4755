/* Validation: how good the model is now, on sentences that it is not trained on. Files are written in an order that a kill
 * at any moment does no harm: weights, log, then the checkpoint, and only then is removed what it no longer needs. What was written
 * after the last checkpoint is written again, the same to the bit, when the run goes on. */
#include "training.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- log and curves ---- */

static const char *const columns[] = {"step",       "epoch",    "seconds", "learning_rate",    "train_loss",
                                      "valid_loss", "accuracy", "bleu",    "tokens_per_second"};
enum { COLUMNS = sizeof columns / sizeof *columns };

/* Keeps the header and the rows up to `step`. */
static bool trim_log(const char *path, long step, tl_error *error) {
    char *text, *line;
    size_t size;
    if (!tl_file_read(path, &text, &size, error)) return false;
    char *to = strchr(text, '\n');
    to = line = to ? to + 1 : text + size;
    while (*line) {
        char *end = strchr(line, '\n');
        if (!end) break; /* a last line that was cut off */
        size_t length = (size_t)(end + 1 - line);
        if (strtol(line, NULL, 10) <= step) {
            memmove(to, line, length);
            to += length;
        }
        line = end + 1;
    }
    bool ok = tl_file_write(path, text, (size_t)(to - text), error);
    free(text);
    return ok;
}

bool log_open(training *t, bool resume) {
    char path[PATH_SIZE];
    run_path(path, t->run.settings.out, "log.csv");
    if (resume && !trim_log(path, t->now.step, &t->run.error)) return false;
    t->log = tl_csv_open(path, columns, COLUMNS, resume, &t->run.error);
    return t->log != NULL;
}

static bool log_row(training *t, const quality *q, double elapsed, double train_loss, double rate) {
    tl_csv_long(t->log, t->now.step);
    tl_csv_long(t->log, t->now.epoch);
    tl_csv_double(t->log, elapsed);
    tl_csv_double(t->log, learning_rate(t));
    tl_csv_double(t->log, train_loss);
    tl_csv_double(t->log, q->loss);
    tl_csv_double(t->log, q->accuracy);
    tl_csv_double(t->log, q->bleu.score);
    tl_csv_double(t->log, rate);
    return tl_csv_end_row(t->log) || tl_error_set(&t->run.error, "%s", tl_csv_error(t->log));
}

void draw_curves(const training *t) {
    static const tl_plot_curve losses[] = {{"train_loss", "training (label-smoothed)"},
                                           {"valid_loss", "validation"}},
                               bleu[] = {{"bleu", "validation"}},
                               rate[] = {{"learning_rate", "learning rate"}};
    static const tl_plot_panel panels[] = {{.label = "loss (nats per token)", .curves = losses, .count = 2},
                                           {.label = "BLEU", .curves = bleu, .count = 1},
                                           {.label = "learning rate", .curves = rate, .count = 1}};
    char path[PATH_SIZE];
    bool drawn;
    tl_plot_config config = {.title = t->run.settings.out,
                             .log = "log.csv",
                             .x = "step",
                             .x_label = "updates",
                             .panels = panels,
                             .count = 3,
                             .picture = "curves.svg"};
    tl_error wrong = {""};
    run_path(path, t->run.settings.out, "curves.gp");
    if (!tl_plot_write(path, &config, &wrong) || !tl_plot_draw(path, &drawn, &wrong))
        fprintf(stderr, "translate: warning: %s\n", wrong.message);
}

/* ---- scoring ---- */

static bool score(training *t, quality *q, translations *texts) {
    tl_progress bar = progress_of(&t->run.settings, "validating");
    bool ok = evaluate_corpus(&t->run, t->valid, t->valid_cut, 1, q, texts, &bar, t->stop);
    if (ok && !isfinite(q->loss)) {
        translations_free(texts);
        return stop_at_nonfinite(t, NULL, "loss on the validation sentences", q->loss);
    }
    return ok;
}

/* By BLEU, and by loss where BLEU cannot tell, as in the beginning, when it is 0; or by loss alone. */
static bool is_better(const training *t, const quality *q) {
    const state *now = &t->now;
    if (!now->validations) return true;
    if (!strcmp(t->run.settings.best_by, "loss")) return q->loss < now->best_loss;
    return q->bleu.score > now->best_bleu || (q->bleu.score == now->best_bleu && q->loss < now->best_loss);
}

static void count(training *t, const quality *q, bool best) {
    state *now = &t->now;
    now->waited = best ? 0 : now->waited + 1;
    now->validations++;
    if (!best) return;
    now->best_step = now->step;
    now->best_bleu = q->bleu.score;
    now->best_loss = q->loss;
}

/* The next word is known when the true ones before it are given, but not when the model's own are: hardly a matter of more
 * training. */
static void warn_of_gap(training *t, const quality *q) {
    bool gap = q->accuracy > 0.7 && q->bleu.score < 1 && q->bleu.total[3] > 0;
    if (gap && !t->warned)
        fprintf(stderr,
                "translate: warning: given the true words before, %.0f %% of the next words are right, but "
                "BLEU of the "
                "translations is %.2f. Targets that foretell themselves, or sides that do not belong "
                "together, look like "
                "this: see whether the lines of source and target match.\n",
                100 * q->accuracy, q->bleu.score);
    t->warned = gap;
}

static void say(const training *t, const quality *q, double elapsed, double train_loss, bool best) {
    printf("epoch %ld, step %ld, %.0f s: train loss %.3f, valid loss %.3f, perplexity %.2f, accuracy %.1f "
           "%%, BLEU %.2f, "
           "exact %ld/%ld%s\n",
           t->now.epoch, t->now.step, elapsed, train_loss, q->loss, exp(q->loss), 100 * q->accuracy,
           q->bleu.score, q->exact, tl_corpus_size(t->valid), best ? " (best so far)" : "");
}

bool validate(training *t) {
    state *now = &t->now;
    run *r = &t->run;
    quality q;
    translations texts = {0};
    double before = seconds_now(), elapsed = before - t->began, busy = now->busy + before - t->resumed;
    tl_progress_pause(&t->progress);
    bool ok = score(t, &q, &texts);
    if (ok) {
        bool best = is_better(t, &q);
        double train_loss = now->updates ? now->loss / (double)now->updates : NAN;
        say(t, &q, elapsed, train_loss, best);
        show_samples(t->valid, &texts, r->settings.samples);
        fflush(stdout);
        warn_of_gap(t, &q);
        count(t, &q, best);
        ok = (!best || run_save_weights(r, "model.safetensors")) && recent_add(now, r) &&
             log_row(t, &q, elapsed, train_loss, busy > 0 ? now->tokens / busy : 0);
        now->loss = now->tokens = now->busy = 0;
        now->updates = 0;
        now->due = false;
        now->position = tl_batches_tell(t->batches);
        now->seconds = seconds_now() - t->began;
        ok = ok && state_save(now, r, t->adam);
        recent_forget(now, r);
    }
    translations_free(&texts);
    t->resumed = seconds_now();
    tl_progress_resume(&t->progress);
    return ok;
}

bool validate_average(training *t) {
    run *r = &t->run;
    char path[PATH_SIZE];
    quality q;
    translations texts = {0};
    if (!t->now.recents) return true;
    if (!tl_params_load(r->params, run_path(path, r->settings.out, "average.safetensors"), &r->error))
        return false;
    if (!score(t, &q, &texts)) return !tl_failed(&r->error);
    printf("average of the last %d: valid loss %.3f, perplexity %.2f, accuracy %.1f %%, BLEU %.2f, exact "
           "%ld/%ld; use it with "
           "--weights average\n",
           t->now.recents, q.loss, exp(q.loss), 100 * q.accuracy, q.bleu.score, q.exact,
           tl_corpus_size(t->valid));
    translations_free(&texts);
    return true;
}
