/* Do attention's weights and gradients rank positions alike (Jain & Wallace 2019)? One row of weights against sizes
 * of gradients, which are computed with attention as it is, detached, and frozen at uniform. */
#include "one_sentence.h"

#include "tapeloom/flow.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The row's positions: their numbers on the side, and the quantities compared over them. */
typedef struct row {
    long count;
    long *place;
    double *weight, *grad, *grad_raw, *size; /* [count] */
} row;

static bool row_new(row *r, long most) {
    *r = (row){.place = malloc((size_t)(most + 1) * sizeof *r->place),
               .weight = calloc(4 * (size_t)most + 1, sizeof *r->weight)};
    if (!r->place || !r->weight) return false;
    r->grad = r->weight + most;
    r->grad_raw = r->grad + most;
    r->size = r->grad_raw + most;
    return true;
}

static void row_free(row *r) {
    free(r->place);
    free(r->weight);
}

/* One quantity of a head (-1: the mean of all). */
static double value_of(const tl_seen_attention *a, tl_quantity q, int head, long i, long j) {
    if (head >= 0) return tl_seen_value(a, q, 0, head, i, j);
    double sum = 0;
    for (long h = 0; h < a->heads; h++) sum += tl_seen_value(a, q, 0, h, i, j);
    return sum / (double)a->heads;
}

/* Does any of the heads in question see it? */
static bool sees(const tl_seen_attention *a, int head, long i, long j) {
    for (long h = 0; h < a->heads; h++)
        if ((head < 0 || h == head) && tl_mask_shows(&a->mask, 0, h, i, j, a->queries, a->keys)) return true;
    return false;
}

static void fill(row *r, const tl_seen_attention *a, int head, long i, long first) {
    for (long j = first; j < a->keys; j++) {
        if (!sees(a, head, i, j)) continue;
        r->place[r->count] = j;
        r->weight[r->count] = value_of(a, TL_SEE_A, head, i, j);
        r->grad[r->count] = fabs(value_of(a, TL_SEE_DA, head, i, j));
        r->grad_raw[r->count++] = fabs(value_of(a, TL_SEE_DA_RAW, head, i, j));
    }
}

static bool read_row(const tl_model *model, tl_tape *tape, const tl_batch *one, const tl_objective *objective,
                     const char *attention, int head, row *r, tl_attention_kind *kind, double *value) {
    tl_seen seen;
    if (!tl_look(model, tape, one, &(tl_look_options){.objective = *objective}, &seen)) return false;
    const tl_seen_attention *a = tl_seen_of(&seen, attention);
    if (!a)
        return tl_tape_fail(tape,
                            "the model has no attention \"%s\": tl_attention_name says what they are called",
                            attention),
               false;
    if (head >= a->heads)
        return tl_tape_fail(tape, "head %d: %s has %ld: give 0 … %ld, or -1 for the mean of all", head,
                            attention, a->heads, a->heads - 1),
               false;
    const long i = one->tgt_in ? objective->position : 0;
    if (i < 0 || i >= a->queries)
        return tl_tape_fail(tape, "word %ld: the sentence has %ld", i, a->queries), false;
    if (!row_new(r, a->keys)) return tl_tape_fail(tape, "out of memory for a row of %s", attention), false;
    fill(r, a, head, i, a->kind == TL_ENCODER_SELF ? a->keys - one->src_len : 0);
    *kind = a->kind;
    *value = seen.value;
    return true;
}

/* τ of the weights with gradients at the input, while attention is held. */
static bool held(const tl_model *model, tl_tape *tape, const tl_batch *one, const tl_objective *objective,
                 tl_attention_kind kind, tl_attention_held how, const row *r, double *tau, double *value) {
    static const char *const patterns[] = {"encoder.*.self", "decoder.*.self", "*.cross"};
    const char *pattern = kind == TL_CROSS && !one->tgt_in ? "pooling" : patterns[kind];
    tl_input_shares a;
    if (!tl_input_grads(model, tape, one, objective,
                        &(tl_input_options){.part = TL_CONTENT, .held = how, .uniform = pattern}, &a))
        return false;
    const double *side = kind == TL_DECODER_SELF ? a.target : a.source;
    const long places = kind == TL_DECODER_SELF ? a.targets : a.sources;
    for (long j = 0; j < r->count; j++) r->size[j] = r->place[j] < places ? fabs(side[r->place[j]]) : NAN;
    *tau = tl_kendall_tau(r->weight, r->size, r->count);
    if (value) *value = a.value;
    tl_input_shares_free(&a);
    return true;
}

bool tl_grad_taus_of(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                     const tl_objective *objective, const char *attention, int head, tl_grad_taus *taus) {
    if (taus) *taus = (tl_grad_taus){0};
    if (!model || !model->kind || !batch || !objective || !attention || !taus)
        return tl_tape_fail(tape, "weights and gradients: give a model, a batch, a token, the name of an "
                                  "attention, and the place for what comes out"),
               false;
    if (objective->kind != TL_OF_LOG_P && objective->kind != TL_OF_LOGIT)
        return tl_tape_fail(
                   tape,
                   "weights are compared with the gradients of one token: ask for its log p or its logit"),
               false;
    tl_batch one;
    tl_objective of = *objective;
    row r = {0};
    tl_attention_kind kind;
    if (!tl_one_sentence(batch, objective->sentence, tape, &one)) return false;
    of.sentence = 0;
    const bool ok =
        read_row(model, tape, &one, &of, attention, head, &r, &kind, &taus->value) &&
        held(model, tape, &one, &of, kind, TL_ATTENTION_DETACHED, &r, &taus->embedding, NULL) &&
        held(model, tape, &one, &of, kind, TL_ATTENTION_UNIFORM, &r, &taus->uniform, &taus->uniform_value);
    if (ok) {
        taus->positions = r.count;
        taus->weight_grad = tl_kendall_tau(r.weight, r.grad, r.count);
        taus->weight_grad_raw = tl_kendall_tau(r.weight, r.grad_raw, r.count);
    }
    row_free(&r);
    return ok;
}
