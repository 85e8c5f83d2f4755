/* Writing step by step must equal reading at once: the score of a search, or of a text's words given one after the
 * other, against log p of the same words in one forward. */
#include "measure.h"

#include <math.h>
#include <stdlib.h>

/* The model's greedy words and the search's score of them, in a copy of the batch whose targets are as wide as the
 * search's. */
static bool write_greedily(const measuring *k, tl_batch_copy **written, double **score) {
    tl_search_result found;
    tl_tape_reset(k->tape);
    if (!tl_search(k->model, k->tape, k->batch, &(tl_search_options){.beam = 1}, &found)) return false;
    tl_batch words = *k->batch;
    words.tgt_in = words.tgt_out = found.ids;
    words.tgt_len = found.capacity, words.tgt_lengths = NULL, words.pad = TL_PAD;
    tl_batch_copy *c = *written = tl_batch_copy_of(&words, 0);
    *score = malloc((size_t)found.sentences * sizeof **score + 1);
    if (!c || !*score) return tl_measure_fail(k->tape, "checks: out of memory");
    for (long b = 0; b < found.sentences; b++) {
        const long width = found.capacity, length = found.lengths[b];
        const bool ends = length < width && c->tgt_out[b * width + length] == TL_EOS;
        c->tgt_lengths[b] = (int)(length + ends);
        for (long t = 0; t < width; t++) {
            c->tgt_in[b * width + t] = t == 0 ? TL_BOS : t <= length ? c->tgt_out[b * width + t - 1] : TL_PAD;
            if (t >= c->tgt_lengths[b]) c->tgt_out[b * width + t] = TL_PAD;
        }
        (*score)[b] = found.score[b];
    }
    return true;
}

static void compare(const measuring *k, const tl_batch *batch, const double *nll, const double *score) {
    tl_measured *m = k->m;
    for (long b = 0; b < batch->sentences; b++) {
        double at_once = 0;
        for (long i = b * batch->tgt_len; i < (b + 1) * batch->tgt_len; i++)
            if (tl_plain_is_real(batch, i)) at_once -= nll[i], m->written++;
        m->at_once += at_once;
        m->one_at_a_time += score[b];
        m->search_error = fmax(m->search_error, fabs(at_once - score[b]));
    }
}

static bool measure_search(measuring *k) {
    tl_batch_copy *written = NULL;
    double *score = NULL, *nll = NULL;
    bool ok = write_greedily(k, &written, &score);
    if (ok && written->batch.tgt_len > 0) {
        nll = malloc((size_t)tl_plain_count(&written->batch) * sizeof *nll + 1);
        tl_tape_reset(k->tape);
        ok = nll ? tl_plain_nll(k->model, k->tape, &written->batch, NULL, nll, NULL)
                 : tl_measure_fail(k->tape, "checks: out of memory");
        if (ok) compare(k, &written->batch, nll, score);
    }
    tl_batch_copy_free(written);
    free(score);
    free(nll);
    return ok;
}

/* A language model gets the batch's words one after the other. */
static bool measure_steps(measuring *k) {
    const tl_batch *batch = &k->copy->batch;
    double *score = calloc((size_t)batch->sentences + 1, sizeof *score);
    int *words = calloc((size_t)batch->sentences + 1, sizeof *words);
    tl_tape_reset(k->tape);
    const bool was = tl_tape_set_grad(k->tape, false);
    tl_model_state *state = tl_model_begin(k->model, k->tape, batch,
                                           &(tl_model_state_options){.each = 1, .capacity = batch->tgt_len});
    bool ok = score && words && state;
    for (long t = 0; ok && t < batch->tgt_len; t++) {
        const tl_mark mark = tl_tape_mark(k->tape);
        for (long b = 0; b < batch->sentences; b++) words[b] = batch->tgt_in[b * batch->tgt_len + t];
        tl_var logits = tl_model_step(state, words);
        ok = tl_ok(logits);
        for (long b = 0; ok && b < batch->sentences; b++)
            if (tl_plain_is_real(batch, b * batch->tgt_len + t))
                score[b] -= tl_plain_row_nll(tl_at(tl_value(logits), b),
                                             batch->tgt_out[b * batch->tgt_len + t], NULL);
        if (ok) tl_tape_release(k->tape, mark);
    }
    tl_tape_set_grad(k->tape, was);
    if (ok) compare(k, batch, k->nll, score);
    free(score);
    free(words);
    return ok || (tl_tape_error(k->tape) ? false : tl_measure_fail(k->tape, "checks: out of memory"));
}

bool tl_measure_words(measuring *k) {
    if (!k->model->kind->begin) return true;
    return k->m->source ? measure_search(k) : measure_steps(k);
}
