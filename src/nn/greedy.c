/* Greedy decoding: the likeliest next word, until <eos> or the sentence's limit.
 *
 * With caches a step computes one position only: its key and value are written behind those of earlier positions,
 * and the encoder's keys and values are projected once. The numbers are the same, to the bit, as those of recomputing
 * the whole prefix, because every element of a product is a chain over k alone and softmax's sums are prefix-stable. */
#include "attention.h"
#include "decoder_layer.h"
#include "tapeloom/op.h"
#include "transformer.h"

#include <math.h>
#include <string.h>

typedef struct layer_cache {
    tl_tensor k, v;  /* [B,H,capacity,d_k] over memory laid out [B,capacity,d_model] */
    long filled;     /* positions that are there */
    tl_heads memory; /* the encoder's keys and values */
    const tl_mask *memory_mask;
} layer_cache;

typedef struct greedy {
    const tl_transformer *model;
    tl_tape *tape;
    long sentences, capacity;
    const int *src_lengths;
    tl_var memory;
    tl_mask memory_mask;
    layer_cache *layer; /* NULL: no caches */
    int *next;          /* [B] the ids chosen last */
    int *prefix;        /* [B,t+1] what the decoder has read so far; without caches only */
    int *prefix_lengths;
    int *ids, *limits, *lengths;
    double *score;
    bool *done;
} greedy;

static void *zeroed(tl_tape *tape, size_t bytes) {
    void *memory = tl_tape_memory(tape, bytes);
    if (memory) memset(memory, 0, bytes);
    return memory;
}

static tl_tensor cache_memory(const greedy *g) {
    long d = g->model->config.d_model, heads = g->model->config.heads;
    tl_real *memory = zeroed(g->tape, (size_t)(g->sentences * g->capacity * d) * sizeof *memory);
    return (tl_tensor){.data = memory,
                       .rank = 4,
                       .dim = {g->sentences, heads, g->capacity, d / heads},
                       .stride = {g->capacity * d, d / heads, d, 1}};
}

static bool make_caches(greedy *g) {
    const tl_decoder *decoder = &g->model->decoder;
    g->layer = zeroed(g->tape, (size_t)decoder->layers * sizeof *g->layer);
    for (int i = 0; i < decoder->layers && g->layer; i++) {
        layer_cache *c = &g->layer[i];
        c->k = cache_memory(g);
        c->v = cache_memory(g);
        if (!c->k.data || !c->v.data) return false;
        const tl_attention *cross = &decoder->layer[i].multihead_attn;
        tl_scope_enter(g->tape, cross->name);
        c->memory = tl_attention_keys(cross, g->memory);
        tl_scope_leave(g->tape);
        c->memory_mask = &g->memory_mask;
    }
    return g->layer && !tl_tape_error(g->tape);
}

/* The new position's query against all keys so far, its own included. */
static tl_var attend_cached(const tl_attention *attention, tl_var x, void *context) {
    layer_cache *c = context;
    tl_scope_enter(x.tape, attention->name);
    tl_heads h = tl_attention_project(attention, x, x);
    if (tl_ok(h.k) && tl_ok(h.v)) {
        long t = c->filled++;
        tl_tensor_copy(tl_tensor_slice(c->k, 2, t, t + 1), tl_value(h.k));
        tl_tensor_copy(tl_tensor_slice(c->v, 2, t, t + 1), tl_value(h.v));
        h.k = tl_constant(x.tape, tl_tensor_slice(c->k, 2, 0, t + 1));
        h.v = tl_constant(x.tape, tl_tensor_slice(c->v, 2, 0, t + 1));
    }
    tl_var y = tl_attention_mix(attention, h, NULL, NULL);
    tl_scope_leave(x.tape);
    return y;
}

static tl_var attend_memory(const tl_attention *attention, tl_var x, void *context) {
    const layer_cache *c = context;
    tl_scope_enter(x.tape, attention->name);
    tl_heads h = c->memory;
    h.q = tl_attention_queries(attention, x);
    tl_var y = tl_attention_mix(attention, h, c->memory_mask, NULL);
    tl_scope_leave(x.tape);
    return y;
}

/* Logits [B,1,V] for the word after position t, whose id is in g->next. */
static tl_var step_with_caches(greedy *g, long t) {
    const tl_transformer *m = g->model;
    tl_var x =
        tl_transformer_embed(m, g->tape, &m->tgt_embedding, &m->tgt_positions, g->next, g->sentences, t, 1);
    for (int i = 0; i < m->decoder.layers; i++)
        x = tl_decoder_layer_with(&m->decoder.layer[i], x, attend_cached, &g->layer[i], attend_memory,
                                  &g->layer[i]);
    if (m->decoder.has_norm) x = tl_layer_norm_forward(&m->decoder.norm, x);
    return tl_transformer_logits(m, x);
}

static tl_var step_from_scratch(greedy *g, long t) {
    for (long b = g->sentences - 1; b >= 0; b--) { /* rows grow from t to t+1 ids, in place, last row first */
        memmove(g->prefix + b * (t + 1), g->prefix + b * t, (size_t)t * sizeof *g->prefix);
        g->prefix[b * (t + 1) + t] = g->next[b];
        g->prefix_lengths[b] = (int)t + 1;
    }
    tl_var x =
        tl_transformer_decode(g->model, g->prefix, t + 1, g->prefix_lengths, g->memory, g->src_lengths, NULL);
    return tl_transformer_logits(g->model, tl_slice(x, 1, t, t + 1));
}

/* Index of the largest (the first of equals) and its log-probability. */
static int choose(const tl_real *logits, long n, double *log_p) {
    long best = 0;
    for (long i = 1; i < n; i++)
        if (logits[i] > logits[best]) best = i;
    double sum = 0;
    for (long i = 0; i < n; i++) sum += exp((double)logits[i] - (double)logits[best]);
    *log_p = -log(sum);
    return (int)best;
}

/* Writes one more id for every sentence that is not done; returns how many go on. */
static long extend(greedy *g, tl_tensor logits, long t, int eos) {
    long going = 0, vocab = logits.dim[2];
    for (long b = 0; b < g->sentences; b++) {
        if (g->done[b]) continue;
        double log_p;
        int id = choose(logits.data + b * vocab, vocab, &log_p);
        g->ids[b * g->capacity + t] = g->next[b] = id;
        g->score[b] += log_p;
        if (id != eos) g->lengths[b]++;
        g->done[b] = id == eos || t + 1 >= g->limits[b];
        going += !g->done[b];
    }
    return going;
}

static bool prepare(greedy *g, const tl_greedy_options *o) {
    bool defaults = o->max_ratio <= 0 && o->max_extra <= 0;
    double ratio = defaults ? 2 : o->max_ratio;
    long extra = defaults ? 10 : o->max_extra, n = g->sentences;
    g->limits = zeroed(g->tape, (size_t)n * sizeof *g->limits);
    for (long b = 0; b < n && g->limits; b++) {
        double limit = ratio * g->src_lengths[b] + (double)extra;
        if (limit > (double)g->model->config.max_len) limit = (double)g->model->config.max_len;
        g->limits[b] = limit < 1 ? 1 : (int)limit;
        if (g->limits[b] > g->capacity) g->capacity = g->limits[b];
    }
    g->ids = zeroed(g->tape, (size_t)(n * g->capacity) * sizeof *g->ids);
    g->lengths = zeroed(g->tape, (size_t)n * sizeof *g->lengths);
    g->score = zeroed(g->tape, (size_t)n * sizeof *g->score);
    g->done = zeroed(g->tape, (size_t)n * sizeof *g->done);
    g->next = zeroed(g->tape, (size_t)n * sizeof *g->next);
    if (o->no_cache) {
        g->prefix = zeroed(g->tape, (size_t)(n * g->capacity) * sizeof *g->prefix);
        g->prefix_lengths = zeroed(g->tape, (size_t)n * sizeof *g->prefix_lengths);
    }
    for (long b = 0; b < n && g->next; b++) g->next[b] = o->bos;
    return !tl_tape_error(g->tape);
}

static bool run(greedy *g, const tl_greedy_options *o, long length, const int *src) {
    if (!prepare(g, o)) return false;
    g->memory = tl_transformer_encode(g->model, g->tape, src, g->sentences, length, g->src_lengths, NULL);
    g->memory_mask = (tl_mask){.key_lengths = g->src_lengths};
    if (!tl_ok(g->memory) || (!o->no_cache && !make_caches(g))) return false;
    for (long t = 0; t < g->capacity; t++) {
        tl_mark mark = tl_tape_mark(g->tape); /* a step's values go, the caches stay */
        tl_var logits = g->layer ? step_with_caches(g, t) : step_from_scratch(g, t);
        if (!tl_ok(logits)) return false;
        long going = extend(g, tl_value(logits), t, o->eos);
        tl_tape_release(g->tape, mark);
        if (!going) break;
    }
    return true;
}

bool tl_transformer_greedy(const tl_transformer *model, tl_tape *tape, const int *src, long sentences,
                           long length, const int *lengths, const tl_greedy_options *options,
                           tl_greedy_result *result) {
    *result = (tl_greedy_result){0};
    if (!tape || tl_tape_error(tape)) return false;
    greedy g = {.model = model, .tape = tape, .sentences = sentences, .src_lengths = lengths};
    bool grad = tl_tape_set_grad(tape, false), training = tl_tape_set_training(tape, false);
    bool ok = run(&g, options, length, src);
    tl_tape_set_grad(tape, grad);
    tl_tape_set_training(tape, training);
    if (ok)
        *result = (tl_greedy_result){.sentences = sentences,
                                     .capacity = g.capacity,
                                     .ids = g.ids,
                                     .lengths = g.lengths,
                                     .score = g.score};
    return ok;
}
