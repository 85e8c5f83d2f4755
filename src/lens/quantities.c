/* The quantities of an attention, number by number, and why a pair is blocked. */
#include "lens.h"

#include <string.h>

static const struct {
    const char *name, *meaning;
    bool grad;
} quantities[TL_QUANTITIES] = {
    [TL_SEE_A] = {"A", "weights: the share of each key in what a query gets", false},
    [TL_SEE_S] = {"S", "scores before mask and softmax", false},
    [TL_SEE_DA] = {"dA", "dL/dA, each row centred by its weights: what is above the row's mean", true},
    [TL_SEE_DA_RAW] = {"dA-raw", "dL/dA as it is; a constant in a row has no consequence", true},
    [TL_SEE_DS] = {"dS", "dL/dS: what training feels", true},
    [TL_SEE_ADA] = {"AdA", "A times dL/dA: what a weight contributes, to first order", true},
    [TL_SEE_HEAD_NORM] = {"head-norm", "length of what a head takes from a key (Kobayashi et al. 2020)",
                          false},
    [TL_SEE_NORM] = {"norm", "length of what all heads together take from a key (Kobayashi et al. 2020)",
                     false}};

const char *tl_quantity_name(tl_quantity q) {
    return (int)q >= 0 && (int)q < TL_QUANTITIES ? quantities[q].name : NULL;
}
const char *tl_quantity_meaning(tl_quantity q) {
    return (int)q >= 0 && (int)q < TL_QUANTITIES ? quantities[q].meaning : NULL;
}
bool tl_quantity_is_grad(tl_quantity q) {
    return (int)q >= 0 && (int)q < TL_QUANTITIES && quantities[q].grad;
}

bool tl_quantity_of(const char *name, tl_quantity *q) {
    for (int i = 0; name && q && i < TL_QUANTITIES; i++)
        if (!strcmp(name, quantities[i].name)) return *q = (tl_quantity)i, true;
    return false;
}

static double at(tl_tensor t, long b, long h, long i, long j) {
    return t.data ? tl_element(t, b, h, i, j) : 0;
}

/* Σ_j A_j·dL/dA_j over a row */
static double row_mean(const tl_seen_attention *s, long b, long h, long i) {
    double sum = 0;
    for (long j = 0; j < s->keys; j++) sum += at(s->weights, b, h, i, j) * at(s->weight_grads, b, h, i, j);
    return sum;
}

/* For norms h is ignored: they belong to all heads together. */
static bool is_there(const tl_seen_attention *s, tl_quantity q, long b, long h, long i, long j) {
    if (!s || (int)q < 0 || (int)q >= TL_QUANTITIES) return false;
    return b >= 0 && b < s->weights.dim[0] && (q == TL_SEE_NORM || (h >= 0 && h < s->heads)) && i >= 0 &&
           i < s->queries && j >= 0 && j < s->keys;
}

double tl_seen_value(const tl_seen_attention *s, tl_quantity q, long b, long h, long i, long j) {
    if (!is_there(s, q, b, h, i, j)) return 0;
    switch (q) {
    case TL_SEE_A:
        return at(s->weights, b, h, i, j);
    case TL_SEE_S:
        return at(s->scores, b, h, i, j);
    case TL_SEE_DA:
        return at(s->weight_grads, b, h, i, j) - row_mean(s, b, h, i);
    case TL_SEE_DA_RAW:
        return at(s->weight_grads, b, h, i, j);
    case TL_SEE_DS:
        return at(s->score_grads, b, h, i, j);
    case TL_SEE_ADA:
        return at(s->weights, b, h, i, j) * at(s->weight_grads, b, h, i, j);
    case TL_SEE_HEAD_NORM:
        return at(s->head_norms, b, h, i, j);
    default:
        return s->norms.data ? tl_element(s->norms, b, i, j, 0) : 0;
    }
}

/* ---- blocked pairs ---- */

tl_why tl_why_blocked(const tl_mask *m, long b, long h, long i, long j, long queries, long keys) {
    static const tl_mask none = {0};
    if (!m) m = &none;
    if (tl_mask_shows(m, b, h, i, j, queries, keys)) return TL_SEES;
    const tl_mask padding = {.key_lengths = m->key_lengths}, causal = {.causal = m->causal},
                  window = {.window = m->window};
    if (!tl_mask_shows(&padding, b, h, i, j, queries, keys)) return TL_BY_PADDING;
    if (!tl_mask_shows(&causal, b, h, i, j, queries, keys)) return TL_BY_CAUSAL;
    return tl_mask_shows(&window, b, h, i, j, queries, keys) ? TL_BY_USER : TL_BY_WINDOW;
}

const char *tl_why_text(tl_why why) {
    static const char *const texts[] = {"", "padding", "causal", "window", "user"};
    return (int)why >= 0 && (int)why <= TL_BY_USER ? texts[why] : "";
}
