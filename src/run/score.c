/* log p of the targets of pairs, in batches of similar length; results are in the corpus' order. */
#include "events.h"
#include "pass.h"

#include <math.h>
#include <stdlib.h>

void tl_scores_free(tl_scores *s) {
    if (!s) return;
    free(s->sum);
    free(s->first);
    free(s->token);
    *s = (tl_scores){0};
}

static bool is_long(const tl_corpus *encoded, long i) { return tl_is_too_long(encoded, i, true); }

static bool allocate(tl_run *run, const tl_corpus *encoded, tl_scores *s) {
    const long count = tl_corpus_size(encoded);
    *s = (tl_scores){.count = count};
    s->sum = malloc(((size_t)count + 1) * sizeof *s->sum);
    s->first = calloc((size_t)count + 1, sizeof *s->first);
    for (long i = 0; s->first && i < count; i++)
        s->first[i + 1] = s->first[i] + (is_long(encoded, i) ? 0 : tl_tokens_of(encoded, TL_TARGET, i) + 1);
    if (s->first) s->token = calloc((size_t)s->first[count] + 1, sizeof *s->token);
    return (s->sum && s->first && s->token) ||
           tl_error_set(&run->error, "out of memory for the scores of %ld pairs", count);
}

static bool score_batch(tl_run *run, const tl_batch *batch, tl_scores *s) {
    double *log_p = malloc((size_t)(batch->sentences * batch->tgt_len) * sizeof *log_p);
    tl_model_maps room;
    tl_tape_reset(run->tape);
    const tl_model_maps *acting = tl_run_acting_maps(run, &room);
    bool ok = log_p || tl_error_set(&run->error, "out of memory for scores");
    if (ok && !tl_log_p(run->model, run->tape, batch, acting, log_p))
        ok = tl_error_set(&run->error, "%s", tl_tape_error(run->tape));
    for (long b = 0; ok && b < batch->sentences; b++) {
        const long i = batch->index[b], count = s->first[i + 1] - s->first[i];
        if (count) s->sum[i] = 0;
        for (long t = 0; t < count; t++) {
            s->token[s->first[i] + t] = log_p[b * batch->tgt_len + t];
            s->sum[i] += log_p[b * batch->tgt_len + t];
        }
    }
    free(log_p);
    return ok;
}

/* ---- among ranks ---- */

static void send_results(tl_pass *pass, const tl_batch *batch, const tl_scores *s) {
    for (long b = 0; b < batch->sentences; b++) {
        const long i = batch->index[b];
        tl_pass_tell(pass, &i, sizeof i);
        tl_pass_tell(pass, &s->sum[i], sizeof s->sum[i]);
        tl_pass_tell(pass, &s->token[s->first[i]],
                     (size_t)(s->first[i + 1] - s->first[i]) * sizeof *s->token);
    }
}

static bool take(void *context, const tl_pass *pass, tl_told *told) {
    const tl_scores *s = context;
    long i;
    (void)pass;
    while (tl_told_read(told, &i, sizeof i)) {
        tl_told_read(told, &s->sum[i], sizeof s->sum[i]);
        tl_told_read(told, &s->token[s->first[i]],
                     (size_t)(s->first[i + 1] - s->first[i]) * sizeof *s->token);
    }
    return true;
}

/* ---- all of it ---- */

static bool score_batches(tl_run *run, const tl_corpus *encoded, long batch_tokens, tl_scores *s,
                          tl_pass *pass) {
    tl_batches *batches = tl_run_by_length(run, encoded, batch_tokens);
    tl_batch batch;
    long done = 0;
    const bool reused = tl_tape_set_reuse_weights(run->tape, true);
    TL_TELL(run->events, work_began, TL_WORK_LOSS, s->count);
    while (tl_pass_goes_on(pass) && tl_batches_next(batches, &batch)) {
        if (tl_pass_mine(pass, &batch)) {
            if (!score_batch(run, &batch, s)) break;
            send_results(pass, &batch, s);
        }
        done += batch.sentences;
        TL_TELL(run->events, work_done, done, (double)batch.tgt_tokens);
    }
    TL_TELL_THAT(run->events, work_ended);
    tl_pass_goes_on(pass); /* notes a stop during the last batch */
    tl_tape_set_reuse_weights(run->tape, reused);
    if (tl_batches_error(batches)) tl_error_set(&run->error, "%s", tl_batches_error(batches));
    tl_batches_free(batches);
    return !tl_failed(&run->error);
}

static bool score_all(tl_run *run, const tl_corpus *encoded, long batch_tokens, tl_scores *s, tl_pass *pass) {
    for (long i = 0; i < s->count; i++) {
        s->sum[i] = NAN;
        s->too_long += is_long(encoded, i);
    }
    if (!s->count) return true; /* an empty corpus has no batches */
    tl_corpus *left = s->too_long ? tl_run_readable(run, encoded, true) : NULL;
    const bool ok =
        (left || !s->too_long) && score_batches(run, left ? left : encoded, batch_tokens, s, pass);
    tl_corpus_free(left);
    return ok;
}

bool tl_run_score(tl_run *run, const tl_corpus *encoded, long batch_tokens, tl_scores *scores) {
    if (scores) *scores = (tl_scores){0};
    if (!tl_run_has_model(run)) return false;
    if (!encoded || !scores) return tl_run_lacks(run, encoded ? "the place for scores" : "the corpus");
    tl_pass pass = tl_pass_begin(run);
    bool ok = allocate(run, encoded, scores) && score_all(run, encoded, batch_tokens, scores, &pass);
    ok = tl_pass_end(&pass, ok, take, scores);
    if (!ok) tl_scores_free(scores);
    return ok;
}
