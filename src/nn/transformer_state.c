/* Key and value caches, limits, one step of the decoder. decoding.h says why the caches change no bit. */
#include "decoding.h"

#include "attention.h"
#include "decoder_layer.h"
#include "tapeloom/op.h"
#include "transformer.h"

#include <string.h>

void *tl_decoding_zeroed(tl_tape *tape, size_t bytes) {
    void *memory = tl_tape_memory(tape, bytes);
    if (memory) memset(memory, 0, bytes);
    return memory;
}

/* ---- what stays from step to step ---- */

static tl_tensor cache_memory(const tl_decoding *d) {
    const long d_model = d->model->config.d_model, heads = d->model->config.heads,
               rows = d->sentences * d->each;
    return (tl_tensor){.data =
                           tl_tape_memory(d->tape, (size_t)(rows * d->capacity * d_model) * sizeof(tl_real)),
                       .rank = 4,
                       .dim = {rows, heads, d->capacity, d_model / heads},
                       .stride = {d->capacity * d_model, d_model / heads, d_model, 1}};
}

static bool make_caches(tl_decoding *d, tl_var memory) {
    const tl_decoder *decoder = &d->model->decoder;
    d->layer = tl_decoding_zeroed(d->tape, (size_t)decoder->layers * sizeof *d->layer);
    for (int i = 0; i < decoder->layers && d->layer; i++) {
        tl_layer_cache *c = &d->layer[i];
        c->of = d;
        c->k = cache_memory(d);
        c->v = cache_memory(d);
        if (!c->k.data || !c->v.data) return false;
        const tl_attention *cross = &decoder->layer[i].multihead_attn;
        tl_scope_enter(d->tape, cross->name);
        tl_heads h = tl_attention_keys(cross, memory);
        c->memory_k = tl_value(h.k);
        c->memory_v = tl_value(h.v);
        tl_scope_leave(d->tape);
    }
    return d->layer && !tl_tape_error(d->tape);
}

/* Every row gets a copy of its sentence's encoder output. */
static bool make_prefixes(tl_decoding *d, tl_var memory) {
    const long rows = d->sentences * d->each;
    const tl_tensor m = tl_value(memory);
    tl_real *copies = tl_tape_memory(d->tape, (size_t)(d->each * tl_numel(m)) * sizeof *copies);
    d->prefix = tl_tape_memory(d->tape, (size_t)(rows * d->capacity) * sizeof *d->prefix);
    d->prefix_lengths = tl_tape_memory(d->tape, (size_t)rows * sizeof *d->prefix_lengths);
    d->row_lengths = tl_tape_memory(d->tape, (size_t)rows * sizeof *d->row_lengths);
    if (tl_tape_error(d->tape)) return false;
    d->memory = tl_tensor_of(copies, TL_SHAPE(rows, m.dim[1], m.dim[2]));
    for (long r = 0; r < rows; r++) tl_tensor_copy(tl_at(d->memory, r), tl_at(m, r / d->each));
    return true;
}

static bool set_limits(tl_decoding *d, const int *lengths, const tl_decoding_options *o) {
    const bool defaults = o->max_ratio <= 0 && o->max_extra <= 0;
    const double ratio = defaults ? 2 : o->max_ratio;
    const long extra = defaults ? 10 : o->max_extra, n = d->sentences;
    d->limits = tl_tape_memory(d->tape, (size_t)n * sizeof *d->limits);
    d->lengths = tl_tape_memory(d->tape, (size_t)n * sizeof *d->lengths);
    for (long b = 0; b < n && d->limits && d->lengths; b++) {
        double limit = ratio * lengths[b] + (double)extra;
        if (limit > (double)d->model->config.max_len) limit = (double)d->model->config.max_len;
        d->limits[b] = limit < 1 ? 1 : (int)limit;
        if (d->limits[b] > d->capacity) d->capacity = d->limits[b];
        d->lengths[b] = lengths[b];
    }
    return !tl_tape_error(d->tape);
}

bool tl_decoding_begin(tl_decoding *d, const int *src, long length, const int *lengths,
                       const tl_decoding_options *options) {
    d->reused = tl_tape_reuses_weights(d->tape); /* the encoder's weights meet all words at once */
    if (!set_limits(d, lengths, options)) return false;
    d->bos = options->bos;
    d->ids = tl_decoding_zeroed(d->tape, (size_t)(d->sentences * d->each * d->capacity) * sizeof *d->ids);
    tl_var memory = tl_transformer_encode(d->model, d->tape, src, d->sentences, length, lengths, NULL);
    if (!d->ids || !tl_ok(memory)) return false;
    if (!(options->no_cache ? make_prefixes(d, memory) : make_caches(d, memory))) return false;
    tl_tape_set_reuse_weights(d->tape, true);
    return true;
}

void tl_decoding_end(tl_decoding *d) { tl_tape_set_reuse_weights(d->tape, d->reused); }

/* ---- a step ---- */

/* The new position's query against all keys so far, its own included. */
static tl_var attend_cached(const tl_attention *attention, tl_var x, void *context) {
    const tl_layer_cache *c = context;
    const long t = c->of->at, rows = c->of->sentences * c->of->each;
    tl_scope_enter(x.tape, attention->name);
    tl_heads h = tl_attention_project(attention, x, x);
    if (tl_ok(h.k) && tl_ok(h.v)) {
        tl_tensor k = tl_tensor_slice(c->k, 0, 0, rows), v = tl_tensor_slice(c->v, 0, 0, rows);
        tl_tensor_copy(tl_tensor_slice(k, 2, t, t + 1), tl_value(h.k));
        tl_tensor_copy(tl_tensor_slice(v, 2, t, t + 1), tl_value(h.v));
        h.k = tl_constant(x.tape, tl_tensor_slice(k, 2, 0, t + 1));
        h.v = tl_constant(x.tape, tl_tensor_slice(v, 2, 0, t + 1));
    }
    tl_var y = tl_attention_mix(attention, h, NULL, NULL);
    tl_scope_leave(x.tape);
    return y;
}

/* A sentence's rows are queries side by side. */
static tl_var attend_memory(const tl_attention *attention, tl_var x, void *context) {
    const tl_layer_cache *c = context;
    const tl_decoding *d = c->of;
    const long d_model = d->model->config.d_model;
    tl_scope_enter(x.tape, attention->name);
    x = tl_reshape(x, TL_SHAPE(d->sentences, d->each, d_model));
    tl_heads h = {tl_attention_queries(attention, x),
                  tl_constant(x.tape, tl_tensor_slice(c->memory_k, 0, 0, d->sentences)),
                  tl_constant(x.tape, tl_tensor_slice(c->memory_v, 0, 0, d->sentences))};
    tl_var y = tl_attention_mix(attention, h, &(tl_mask){.key_lengths = d->lengths}, NULL);
    y = tl_reshape(y, TL_SHAPE(d->sentences * d->each, 1, d_model));
    tl_scope_leave(x.tape);
    return y;
}

/* The last word of every row, or with `prefix` all of them, <bos> first. */
static void gather_words(const tl_decoding *d, int *to, long t, bool all) {
    for (long r = 0; r < d->sentences * d->each; r++) {
        const int *words = d->ids + r * d->capacity;
        if (!all || t == 0) {
            *to++ = t > 0 ? words[t - 1] : d->bos;
            continue;
        }
        *to++ = d->bos;
        memcpy(to, words, (size_t)t * sizeof *to);
        to += t;
    }
}

static tl_var step_with_caches(tl_decoding *d, long t) {
    const tl_transformer *m = d->model;
    const long rows = d->sentences * d->each;
    int *last = tl_tape_memory(d->tape, (size_t)rows * sizeof *last);
    if (!last) return (tl_var){d->tape, -1, 0};
    d->at = t;
    gather_words(d, last, t, false);
    tl_var x = tl_transformer_embed(m, d->tape, &m->tgt_embedding, &m->tgt_positions, last, rows, t, 1);
    for (int i = 0; i < m->decoder.layers; i++)
        x = tl_decoder_layer_with(&m->decoder.layer[i], x, attend_cached, &d->layer[i], attend_memory,
                                  &d->layer[i]);
    if (m->decoder.has_norm) x = tl_layer_norm_forward(&m->decoder.norm, x);
    return tl_transformer_logits(m, x);
}

static tl_var step_from_scratch(tl_decoding *d, long t) {
    const long rows = d->sentences * d->each;
    gather_words(d, d->prefix, t, true);
    for (long r = 0; r < rows; r++) {
        d->prefix_lengths[r] = (int)t + 1;
        d->row_lengths[r] = d->lengths[r / d->each];
    }
    tl_var memory = tl_constant(d->tape, tl_tensor_slice(d->memory, 0, 0, rows));
    tl_var x =
        tl_transformer_decode(d->model, d->prefix, t + 1, d->prefix_lengths, memory, d->row_lengths, NULL);
    return tl_transformer_logits(d->model, tl_slice(x, 1, t, t + 1));
}

tl_var tl_decoding_step(tl_decoding *d, long t) {
    return d->layer ? step_with_caches(d, t) : step_from_scratch(d, t);
}

/* ---- rows that move ---- */

static void copy_positions(tl_tensor cache, long to, long from, long count) {
    const size_t bytes = (size_t)(count * cache.stride[2]) * sizeof *cache.data;
    memcpy(cache.data + to * cache.stride[0], cache.data + from * cache.stride[0], bytes);
}

void tl_decoding_copy_row(tl_decoding *d, long to, long from, long count) {
    memcpy(d->ids + to * d->capacity, d->ids + from * d->capacity, (size_t)count * sizeof *d->ids);
    for (int i = 0; i < d->model->decoder.layers && d->layer; i++) {
        copy_positions(d->layer[i].k, to, from, count);
        copy_positions(d->layer[i].v, to, from, count);
    }
}

/* The encoder's keys and values are nobody else's: they may be overwritten. */
void tl_decoding_keep(tl_decoding *d, const long *kept, long sentences, long count) {
    for (long s = 0; s < sentences; s++) {
        const long from = kept[s];
        if (from == s) continue;
        for (long j = 0; j < d->each; j++) {
            const long to_row = s * d->each + j, from_row = from * d->each + j;
            tl_decoding_copy_row(d, to_row, from_row, count);
            if (!d->layer) tl_tensor_copy(tl_at(d->memory, to_row), tl_at(d->memory, from_row));
        }
        for (int i = 0; i < d->model->decoder.layers && d->layer; i++) {
            tl_tensor_copy(tl_at(d->layer[i].memory_k, s), tl_at(d->layer[i].memory_k, from));
            tl_tensor_copy(tl_at(d->layer[i].memory_v, s), tl_at(d->layer[i].memory_v, from));
        }
        d->lengths[s] = d->lengths[from];
    }
    d->sentences = sentences;
}
