/* Two models' heads, head by head: sums over the rows that were seen, and what differs if two models cannot be
 * compared. */
#include "compare_heads.h"

#include "base/quote.h"

#include "tapeloom/compare.h"
#include "tapeloom/heads.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- can two runs be compared? ---- */

static bool same_words(const tl_run *a, const tl_run *b, tl_side side, tl_error *error) {
    static const char *const sides[] = {[TL_SOURCE] = "source", [TL_TARGET] = "target"};
    const tl_vocab *va = tl_run_vocab(a, side), *vb = tl_run_vocab(b, side);
    char shown[2][TL_SHOWN];
    if (tl_vocab_size(va) != tl_vocab_size(vb))
        return tl_error_set(
            error,
            "the %s vocabularies differ, %ld entries and %ld: models can be compared that were "
            "trained on the same text",
            sides[side], tl_vocab_size(va), tl_vocab_size(vb));
    for (int id = 0; id < tl_vocab_size(va); id++) {
        const char *x = tl_vocab_token(va, id), *y = tl_vocab_token(vb, id);
        if (strcmp(x, y))
            return tl_error_set(
                error,
                "the %s vocabularies differ: number %d is %s in one and %s in the other; models can "
                "be compared that were trained on the same text",
                sides[side], id, tl_shown(x, strlen(x), 40, shown[0]), tl_shown(y, strlen(y), 40, shown[1]));
    }
    return true;
}

/* For byte pairs: both runs have the same, or none. */
static bool same_bytes(const tl_byte_bpe *a, const tl_byte_bpe *b, tl_error *error) {
    for (int id = 0; id < tl_byte_bpe_size(a) || id < tl_byte_bpe_size(b); id++) {
        size_t size[2] = {0, 0};
        const char *x = tl_byte_bpe_token(a, id, &size[0]), *y = tl_byte_bpe_token(b, id, &size[1]);
        if (!x || !y || size[0] != size[1] || memcmp(x, y, size[0]))
            return tl_error_set(
                error,
                "the byte pairs differ, first in token %d: models can be compared that were trained on the "
                "same text",
                id);
    }
    return true;
}

static bool same_labels(const tl_run *a, const tl_run *b, tl_error *error) {
    const tl_labels *la = tl_run_labels(a), *lb = tl_run_labels(b);
    if (tl_labels_count(la) != tl_labels_count(lb))
        return tl_error_set(error, "the labels differ: %ld classes and %ld", tl_labels_count(la),
                            tl_labels_count(lb));
    for (long k = 0; k < tl_labels_count(la); k++) {
        char shown[2][TL_SHOWN];
        const char *x = tl_labels_name(la, k), *y = tl_labels_name(lb, k);
        if (strcmp(x, y))
            return tl_error_set(error, "the labels differ: class %ld is %s in one and %s in the other", k,
                                tl_shown(x, strlen(x), 40, shown[0]), tl_shown(y, strlen(y), 40, shown[1]));
    }
    return true;
}

static bool same_attentions(const tl_model *a, const tl_model *b, tl_error *error) {
    static const char *const kinds[] = {[TL_ENCODER_SELF] = "encoder self-attention",
                                        [TL_DECODER_SELF] = "decoder self-attention",
                                        [TL_CROSS] = "cross-attention"};
    if (strcmp(a->kind->name, b->kind->name))
        return tl_error_set(error, "one model is a %s and the other a %s", a->kind->name, b->kind->name);
    for (int k = 0; k < TL_ATTENTION_KINDS; k++)
        if (a->attentions[k] != b->attentions[k])
            return tl_error_set(error, "layers of %s: %d in one model and %d in the other", kinds[k],
                                a->attentions[k], b->attentions[k]);
    for (int k = 0; k < TL_ATTENTION_KINDS; k++)
        for (int l = 0; l < a->attentions[k]; l++) {
            const int x = tl_model_heads(a, (tl_attention_kind)k, l),
                      y = tl_model_heads(b, (tl_attention_kind)k, l);
            if (x != y)
                return tl_error_set(error, "heads of %s, layer %d: %d in one model and %d in the other",
                                    kinds[k], l, x, y);
        }
    return true;
}

static bool same_parameters(const tl_params *a, const tl_params *b, tl_error *error) {
    char shapes[2][TL_SHAPE_TEXT];
    for (int i = 0; i < tl_params_count(a) && i < tl_params_count(b); i++) {
        const tl_leaf *x = &tl_params_at(a, i)->leaf, *y = &tl_params_at(b, i)->leaf;
        if (strcmp(x->name, y->name))
            return tl_error_set(error, "the models are made differently: where one has %s the other has %s",
                                x->name, y->name);
        tl_shape_text(tl_shape_of(x->value), shapes[0]);
        tl_shape_text(tl_shape_of(y->value), shapes[1]);
        if (strcmp(shapes[0], shapes[1]))
            return tl_error_set(error, "%s is %s in one model and %s in the other", x->name, shapes[0],
                                shapes[1]);
    }
    return tl_params_count(a) == tl_params_count(b) ||
           tl_error_set(error, "the models are made differently: %d parameters in one and %d in the other",
                        tl_params_count(a), tl_params_count(b));
}

bool tl_comparable(const tl_run *a, const tl_run *b, tl_error *error) {
    if (!a || !b || !tl_run_model(a) || !tl_run_model(b))
        return tl_error_set(error, "to compare two models give two runs that have one");
    if (strcmp(tl_run_program_name(a), tl_run_program_name(b)))
        return tl_error_set(error, "one run is %s's and the other %s's: they read different text",
                            tl_run_program_name(a), tl_run_program_name(b));
    return same_words(a, b, TL_SOURCE, error) && same_words(a, b, TL_TARGET, error) &&
           same_bytes(a->byte_bpe, b->byte_bpe, error) && same_labels(a, b, error) &&
           same_attentions(tl_run_model(a), tl_run_model(b), error) &&
           same_parameters(tl_run_params(a), tl_run_params(b), error);
}

/* ---- sums ---- */

typedef struct sums {
    double rows, divergence, cells, absolute, largest, entropy[2];
} sums;

struct tl_comparison {
    const tl_model *model;
    long count;
    sums *head;
};

tl_comparison *tl_comparison_new(const tl_model *model) {
    tl_comparison *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    c->model = model;
    c->count = tl_all_heads(model);
    c->head = calloc((size_t)c->count + 1, sizeof *c->head);
    if (c->head) return c;
    free(c);
    return NULL;
}

void tl_comparison_free(tl_comparison *c) {
    if (c) free(c->head);
    free(c);
}

static const tl_real *row_of(const tl_seen_attention *a, long b, long h, long i) {
    const tl_tensor w = a->weights;
    return w.data + b * w.stride[0] + h * w.stride[1] + i * w.stride[2];
}

static void add_row(sums *s, const tl_seen_attention *x, const tl_seen_attention *y, long b, long h, long i) {
    const tl_real *p = row_of(x, b, h, i), *q = row_of(y, b, h, i);
    const long ps = x->weights.stride[3], qs = y->weights.stride[3];
    const double divergence = tl_row_divergence(p, ps, q, qs, x->keys);
    if (divergence < 0) return;
    s->rows++;
    s->divergence += divergence;
    s->entropy[0] += tl_row_entropy(p, x->keys, ps);
    s->entropy[1] += tl_row_entropy(q, x->keys, qs);
    for (long j = 0; j < x->keys; j++) {
        const double difference = fabs((double)q[j * qs] - (double)p[j * ps]);
        if (tl_why_blocked(&x->mask, b, h, i, j, x->queries, x->keys) != TL_SEES) continue;
        s->cells++;
        s->absolute += difference;
        s->largest = fmax(s->largest, difference);
    }
}

static bool same_shape(const tl_seen *a, const tl_seen *b) {
    for (int i = 0; i < a->count; i++)
        for (int d = 0; d < 4; d++)
            if (a->attention[i].weights.dim[d] != b->attention[i].weights.dim[d]) return false;
    return true;
}

bool tl_comparison_add(tl_comparison *c, const tl_seen *a, const tl_seen *b) {
    if (!c || !tl_heads_were_seen(c->model, a) || !tl_heads_were_seen(c->model, b) || !same_shape(a, b))
        return false;
    sums *head = c->head;
    for (int n = 0; n < a->count; n++) {
        const tl_seen_attention *x = &a->attention[n], *y = &b->attention[n];
        for (long h = 0; h < x->heads; h++, head++)
            for (long s = 0; s < x->weights.dim[0]; s++)
                for (long i = 0; i < tl_seen_real_rows(a, x, s); i++) add_row(head, x, y, s, h, i);
    }
    return true;
}

/* ---- results ---- */

long tl_comparison_count(const tl_comparison *c) { return c ? c->count : 0; }

tl_head_difference tl_comparison_head(const tl_comparison *c, long i) {
    tl_head_difference d = {.head = -1};
    if (!c || i < 0 || i >= c->count) return d;
    const sums *s = &c->head[i];
    d.head = tl_head_named(c->model, i, d.attention);
    d.rows = s->rows;
    d.divergence = s->rows > 0 ? s->divergence / s->rows : NAN;
    d.absolute = s->cells > 0 ? s->absolute / s->cells : NAN;
    d.largest = s->cells > 0 ? s->largest : NAN;
    for (int e = 0; e < 2; e++) d.entropy[e] = s->rows > 0 ? s->entropy[e] / s->rows : NAN;
    return d;
}

static double by_what(const tl_comparison *c, tl_comparison_by by, long i) {
    const tl_head_difference d = tl_comparison_head(c, i);
    return d.rows > 0 ? by == TL_BY_ABSOLUTE ? d.absolute : d.divergence : -1;
}

/* Insertion sort: heads are few, and ties keep their order. */
void tl_comparison_order(const tl_comparison *c, tl_comparison_by by, long *order) {
    for (long i = 0; order && i < tl_comparison_count(c); i++) {
        const double value = by_what(c, by, i);
        long at = i;
        for (; at > 0 && by_what(c, by, order[at - 1]) < value; at--) order[at] = order[at - 1];
        order[at] = i;
    }
}
