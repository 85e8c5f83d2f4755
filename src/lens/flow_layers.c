/* A matrix for each attention of a sentence, without padding: the input of rollout, max-flow and relevance. The
 * struct, its arrays of pointers and all matrices are one block of memory. */
#include "tapeloom/flow.h"

#include <stdint.h>
#include <stdlib.h>

/* Points each of `count` matrices to its rows·columns numbers in `at`; returns the address after them. */
static double *set_addresses(double **matrix, int count, long size, double *at) {
    for (int i = 0; i < count; i++, at += size) matrix[i] = at;
    return at;
}

tl_flow_layers *tl_flow_layers_new(long sources, long targets, int encoder_layers, int decoder_layers,
                                   bool decoder_self, bool cross) {
    enum { MOST = 1 << 20 };
    if (sources < 0 || targets < 0 || encoder_layers < 0 || decoder_layers < 0 || sources > MOST ||
        targets > MOST || encoder_layers > MOST || decoder_layers > MOST)
        return NULL;
    const size_t s = (size_t)sources, t = (size_t)targets, e = (size_t)encoder_layers,
                 d = (size_t)decoder_layers;
    const size_t pointers = (e + (decoder_self ? d : 0) + (cross ? d : 0)) * sizeof(double *);
    /* the struct's and the pointers' sizes are aligned well enough for doubles */
    const size_t head =
        (sizeof(tl_flow_layers) + pointers + sizeof(double) - 1) / sizeof(double) * sizeof(double);
    const double numbers = (double)e * (double)s * (double)s +
                           (double)d * (double)t * ((decoder_self ? (double)t : 0) + (cross ? (double)s : 0));
    if (numbers > (double)(SIZE_MAX / 4 / sizeof(double))) return NULL;
    char *memory = calloc(1, head + (size_t)numbers * sizeof(double));
    if (!memory) return NULL;
    tl_flow_layers *layers = (tl_flow_layers *)(void *)memory;
    *layers = (tl_flow_layers){.sources = sources,
                               .targets = targets,
                               .encoder_layers = encoder_layers,
                               .decoder_layers = decoder_layers};
    double **pointer = (double **)(void *)(memory + sizeof *layers), *at = (double *)(void *)(memory + head);
    layers->encoder_self = pointer;
    at = set_addresses(pointer, encoder_layers, sources * sources, at);
    pointer += encoder_layers;
    if (decoder_self) {
        layers->decoder_self = pointer;
        at = set_addresses(pointer, decoder_layers, targets * targets, at);
        pointer += decoder_layers;
    }
    if (cross) {
        layers->cross = pointer;
        set_addresses(pointer, decoder_layers, targets * sources, at);
    }
    return layers;
}

void tl_flow_layers_free(tl_flow_layers *layers) { free(layers); }

long tl_flow_rows(const tl_flow_layers *layers) {
    if (!layers) return 0;
    return layers->decoder_layers ? layers->targets : layers->sources;
}

/* ---- from a look ---- */

/* Fills to [rows,columns] with the mean over heads of A, or of the positive part of dL/dA ∘ A. */
static void mean_of(const tl_seen_attention *a, long b, tl_flow_of what, long rows, long columns,
                    double *to) {
    for (long i = 0; i < rows; i++)
        for (long j = 0; j < columns; j++) {
            double sum = 0;
            for (long h = 0; h < a->heads; h++) {
                const double x =
                    tl_seen_value(a, what == TL_FLOW_WEIGHTS ? TL_SEE_A : TL_SEE_ADA, b, h, i, j);
                if (what == TL_FLOW_WEIGHTS || x > 0) sum += x;
            }
            to[i * columns + j] = a->heads ? sum / (double)a->heads : 0; /* without heads: 0 */
        }
}

static int count_of(const tl_seen *seen, tl_attention_kind kind) {
    int count = 0;
    for (int i = 0; i < seen->count; i++) count += seen->attention[i].kind == kind;
    return count;
}

/* Positions of the sentence on each side. A classifier's [CLS] is one more than its batch has; a pooling's query is
 * one position. */
static void size_up(const tl_seen *seen, long b, long *sources, long *targets) {
    const tl_batch *batch = &seen->batch;
    *targets = batch->tgt_in ? (batch->tgt_lengths ? batch->tgt_lengths[b] : batch->tgt_len) : 0;
    const bool reads = count_of(seen, TL_ENCODER_SELF) + count_of(seen, TL_CROSS) > 0;
    *sources = !reads ? 0 : batch->src_lengths ? batch->src_lengths[b] : batch->src_len;
    for (int i = 0; i < seen->count; i++) {
        const tl_seen_attention *a = &seen->attention[i];
        if (a->kind == TL_ENCODER_SELF && a->keys > batch->src_len) {
            *sources += a->keys - batch->src_len;
            break;
        }
    }
    if (!batch->tgt_in && count_of(seen, TL_CROSS)) *targets = 1;
}

tl_flow_layers *tl_flow_layers_of(const tl_seen *seen, long b, tl_flow_of what) {
    if (!seen || b < 0 || b >= seen->batch.sentences) return NULL;
    const int self = count_of(seen, TL_DECODER_SELF), cross = count_of(seen, TL_CROSS);
    long sources, targets;
    size_up(seen, b, &sources, &targets);
    for (int i = 0; i < seen->count && what == TL_FLOW_RELEVANCE; i++)
        if (!seen->attention[i].weight_grads.data) return NULL;
    tl_flow_layers *layers = tl_flow_layers_new(sources, targets, count_of(seen, TL_ENCODER_SELF),
                                                self > cross ? self : cross, self > 0, cross > 0);
    if (!layers) return NULL;
    layers->replaces = !seen->batch.tgt_in;
    for (int i = 0; i < seen->count; i++) {
        const tl_seen_attention *a = &seen->attention[i];
        double *to = a->kind == TL_ENCODER_SELF   ? layers->encoder_self[a->layer]
                     : a->kind == TL_DECODER_SELF ? layers->decoder_self[a->layer]
                                                  : layers->cross[a->layer];
        mean_of(a, b, what, a->kind == TL_ENCODER_SELF ? sources : targets,
                a->kind == TL_DECODER_SELF ? targets : sources, to);
    }
    return layers;
}
