/* A model without some heads of another model, with weights cut out of that one's; and the whole model with gates of 0
 * on those heads. Which weights belong to a head is found from a parameter's shape and name, independently of the
 * library's code. */
#ifndef TL_TESTS_MODELS_KEPT_HEADS_H
#define TL_TESTS_MODELS_KEPT_HEADS_H

#include "model.h"

enum { MOST_LAYERS = 2, MOST_HEADS = 4 };
typedef struct kept {
    bool has[TL_ATTENTION_KINDS][MOST_LAYERS][MOST_HEADS];
    int count[TL_ATTENTION_KINDS][MOST_LAYERS];
} kept;

/* Bit h of bits[kind][layer]: head h is kept. */
static inline kept kept_of(const unsigned bits[TL_ATTENTION_KINDS][MOST_LAYERS], int heads) {
    kept k = {.count = {{0}}};
    for (int i = 0; i < TL_ATTENTION_KINDS * MOST_LAYERS; i++)
        for (int h = 0; h < heads; h++) {
            k.has[i / 2][i % 2][h] = bits[i / 2][i % 2] >> h & 1;
            k.count[i / 2][i % 2] += bits[i / 2][i % 2] >> h & 1;
        }
    return k;
}

static inline bool ends(const char *name, const char *with) {
    const size_t n = strlen(name), m = strlen(with);
    return n >= m && !strcmp(name + n - m, with);
}

/* How many parts of the width of all heads a parameter has one under the other; 0: it has no heads, -1: its columns are
 * heads. */
static inline int parts_of(const char *name) {
    if (ends(name, ".out_proj.weight")) return -1;
    if (ends(name, ".in_proj_weight") || ends(name, ".in_proj_bias")) return 3;
    return strstr(name, "_proj_weight") || strstr(name, "v_proj_bias") || strstr(name, ".score_") ||
           strstr(name, "log_alpha");
}

/* Copies the kept heads of from[parts, heads, ...] (for columns: [out, heads, ...]) to to[...]. */
static inline void cut(tl_tensor to, tl_tensor from, long outer, int heads, const bool *has) {
    const long inner = tl_numel(from) / outer / heads;
    long at = 0;
    for (long i = 0; i < outer * heads; i++)
        for (long j = 0; j < inner && has[i % heads]; j++) to.data[at++] = from.data[i * inner + j];
    ck_assert_int_eq(at, tl_numel(to));
}

static inline void cut_param(tl_param *to, const tl_params *all, int heads, const bool *has) {
    const char *name = to->leaf.name;
    const tl_param *from = tl_params_find(all, name);
    ck_assert_msg(from != NULL, "%s", name);
    const tl_tensor a = tl_param_value(to), b = tl_param_value(from);
    const int parts = has ? parts_of(name) : 0;
    if (parts)
        cut(a, b, parts < 0 ? b.dim[0] : parts, heads, has);
    else
        tl_tensor_copy(a, b);
}

/* The flags of the attention that a parameter belongs to; NULL: it belongs to none. */
static inline const bool *flags_of(const kept *k, const char *name) {
    int layer = 0;
    const char *at = strstr(name, "layers.");
    if (!at || sscanf(at, "layers.%d", &layer) != 1) return NULL;
    if (strstr(name, ".multihead_attn.")) return k->has[TL_CROSS][layer];
    if (!strstr(name, ".self_attn.")) return NULL;
    return k->has[strncmp(name, "encoder", 7) ? TL_DECODER_SELF : TL_ENCODER_SELF][layer];
}

/* The smaller model, with a parameter set of its own; its config is the whole model's except for `kept`. */
static inline bench without(const bench *whole, const kept *k) {
    tl_transformer_config c = whole->model.config;
    for (int kind = 0; kind < TL_ATTENTION_KINDS; kind++) c.kept[kind] = k->count[kind];
    bench small = bench_begin(&c);
    for (int i = 0; i < tl_params_count(small.params); i++) {
        tl_param *p = tl_params_at(small.params, i);
        cut_param(p, whole->params, c.heads, flags_of(k, p->leaf.name));
    }
    tl_params_changed(small.params);
    return small;
}

/* Gates of the whole model, on its tape: 0 for heads that the smaller model does not have. */
static inline void close_gates(const bench *whole, const kept *k, maps_memory *memory) {
    const int heads = whole->model.config.heads;
    for (int i = 0; i < TL_ATTENTION_KINDS * MOST_LAYERS; i++) {
        tl_real gate[MOST_HEADS];
        for (int h = 0; h < heads; h++) gate[h] = k->has[i / 2][i % 2][h];
        memory->kind[i / 2][i % 2].gate = tl_constant_copy(whole->tape, tl_tensor_of(gate, TL_SHAPE(heads)));
    }
}

#endif
