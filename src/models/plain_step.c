/* A decoder step without the tape: the equations of the layers, by the kernels of the operations, in the same order, so
 * with the same bits, but on plain memory.
 *
 *     x = scale·embedding + position
 *     each layer    x += self-attention, x += attention to the source, x += feed-forward, each with a norm
 *                   before or after it
 *     logits        x·Wᵀ + b
 *
 * A step by operations (transformer_state.c, gpt_state.c) puts about a hundred nodes on the tape for every word, and
 * all threads wait for each other at each product. Here, many rows are divided among the threads once per step, since
 * no row needs another. With few rows, threads divide the columns of large weights instead.
 *
 * Only the most common model is computed here: scaled-dot attention with softmax over all positions, without distances,
 * windows or gates. All other models are computed on the tape, and so are steps with maps. */
#include "plain_step.h"

#include "autograd/for_kernels.h"
#include "nn/positions.h"
#include "tapeloom/op.h"
#include "tensor/kernels/kernels.h"
#include "tensor/share.h"

#include <math.h>
#include <string.h>

/* When work is divided among threads. Rows are, if each thread gets ROWS_EACH of them and the step has SHARED_WORK
 * multiply-adds. With few rows a product's columns are, if it has SHARED_COLUMNS multiply-adds, and heads, if all of them
 * have SHARED_HEADS. */
enum { ROWS_EACH = 4, SHARED_WORK = 300000, SHARED_COLUMNS = 100000, SHARED_HEADS = 50000 };

/* Rows from … from+out-1 of a weight [·,in], packed, and the plan of its product. */
typedef struct matrix {
    tl_param *weight, *bias;
    long from, out, in;
    const tl_real *values;
    tl_product_packed packed;
    tl_product_job job;
    long rows; /* the number of rows that the plan is for; 0: none yet */
} matrix;

typedef struct layer {
    matrix self_in, self_out, cross_in, cross_out, wide, narrow;
} layer;

struct tl_plain_step {
    tl_plain_decoder of;
    tl_tape *tape;
    layer *layer;
    matrix output;
    long widest;          /* the widest vector that a row needs, except logits */
    double multiply_adds; /* per row, without attention */
};

/* ---- which models can be computed here ---- */

static bool attention_fits(const tl_attention_layer *a) {
    return a->heads > 0 && a->score == TL_SCALED_DOT && a->normaliser == TL_SOFTMAX && !a->window &&
           !a->distances.name && !a->head_gate && !a->unprojected && a->in_proj_weight &&
           a->d_memory == a->d_model && a->d_k % tl_kernels_pick()->product->lanes == 0;
}

bool tl_plain_decoder_fits(const tl_plain_decoder *d) {
    bool fits = d->layers > 0 && d->embedding->name && d->positions->name;
    for (int l = 0; fits && l < d->layers; l++)
        fits = attention_fits(d->layer[l].self) && (!d->layer[l].cross || attention_fits(d->layer[l].cross));
    return fits;
}

/* ---- weights ---- */

static matrix part_of(tl_plain_step *s, tl_param *weight, tl_param *bias, long from, long out, long in) {
    s->multiply_adds += (double)out * (double)in;
    if (out > s->widest && weight != s->of.output.weight) s->widest = out;
    return (matrix){.weight = weight, .bias = bias, .from = from, .out = out, .in = in};
}

static matrix whole(tl_plain_step *s, const tl_linear_layer *l) {
    const tl_tensor w = tl_param_value(l->weight);
    return part_of(s, l->weight, l->bias, 0, w.dim[0], w.dim[1]);
}

static matrix projection(tl_plain_step *s, const tl_attention_layer *a, int parts) {
    return part_of(s, a->in_proj_weight, a->in_proj_bias, 0, parts * a->heads * a->d_k, a->d_model);
}

static void add_layer(tl_plain_step *s, layer *to, const tl_plain_layer *of) {
    to->self_in = projection(s, of->self, 3);
    to->self_out = whole(s, &of->self->out_proj);
    if (of->cross) {
        to->cross_in = projection(s, of->cross, 1);
        to->cross_out = whole(s, &of->cross->out_proj);
    }
    if (of->feed_forward) {
        to->wide = whole(s, &of->feed_forward->linear1);
        to->narrow = whole(s, &of->feed_forward->linear2);
    }
}

tl_plain_step *tl_plain_step_new(tl_tape *tape, const tl_plain_decoder *decoder) {
    tl_plain_step *s = tl_tape_memory(tape, sizeof *s);
    if (!s) return NULL;
    *s = (tl_plain_step){.of = *decoder, .tape = tape, .widest = decoder->d_model};
    s->layer = tl_tape_memory(tape, (size_t)decoder->layers * sizeof *s->layer);
    for (int l = 0; s->layer && l < decoder->layers; l++) {
        s->layer[l] = (layer){.self_in = {.rows = 0}};
        add_layer(s, &s->layer[l], &decoder->layer[l]);
    }
    s->output = part_of(s, decoder->output.weight, decoder->output.bias, 0, decoder->model->tgt_vocab,
                        decoder->d_model);
    return s->layer ? s : NULL;
}

static tl_tensor transposed(const matrix *m) {
    return tl_tensor_transpose(tl_tensor_of((tl_real *)(uintptr_t)m->values, TL_SHAPE(m->out, m->in)), 0, 1);
}

/* A matrix without data, of which only the shape is read. */
static tl_tensor rows_of(long rows, long columns) {
    return (tl_tensor){.rank = 2, .dim = {rows, columns}, .stride = {columns, 1}};
}

/* Packs m's current values and plans its product for this many rows. False if the tape keeps no packed weights. */
static bool prepare(tl_plain_step *s, matrix *m, long rows) {
    if (!m->weight) return true;
    const tl_leaf *leaf = &m->weight->leaf;
    const tl_real *bias = m->bias ? m->bias->leaf.value.data + m->from : NULL;
    const bool same = m->values == leaf->value.data + m->from * m->in && m->job.plan.bias == bias;
    m->values = leaf->value.data + m->from * m->in;
    const tl_tensor b = transposed(m);
    const tl_product_packed *packed = tl_tape_packed_leaf(s->tape, leaf, b);
    if (!packed) return false;
    if (same && m->rows == rows && m->packed.panels == packed->panels && m->packed.kernels == packed->kernels)
        return true;
    m->packed = *packed;
    m->rows = rows;
    m->job = tl_product_job_of(rows_of(rows, m->out), rows_of(rows, m->in), b, false,
                               &(tl_product_options){.bias = bias,
                                                     .packed = &m->packed,
                                                     .precision = tl_tape_matmul_precision(s->tape)});
    return true;
}

static bool prepare_all(tl_plain_step *s, long rows, long *panels) {
    bool ok = true;
    *panels = 0;
    for (int l = 0; ok && l <= s->of.layers; l++) {
        matrix *m = l < s->of.layers ? &s->layer[l].self_in : &s->output;
        for (int i = 0; ok && i < (l < s->of.layers ? (int)(sizeof(layer) / sizeof *m) : 1); i++) {
            ok = prepare(s, &m[i], rows);
            const long needed = ok && m[i].weight ? tl_product_job_panels(&m[i].job) : 0;
            if (needed > *panels) *panels = needed;
        }
    }
    return ok;
}

/* ---- a part of the rows ---- */

/* One step: what all of its parts need. */
typedef struct work {
    tl_plain_step *step;
    const tl_plain_rows *of;
    tl_real *memory, *logits;
    long parts;
    /* of a part: its rows at most, the most keys that a head attends to, memory for packing, all of its memory */
    long most_rows, keys, panels, each;
    bool alone; /* there is one part: large products may use all threads */
} work;

typedef struct rows {
    const work *w;
    long from, count;
    tl_real *x, *in, *out, *wide, *context, *scores, *panels;
} rows;

static void multiply(const rows *r, const matrix *m, tl_real *c, const tl_real *a) {
    const tl_plain_step *s = r->w->step;
    if (r->w->alone && r->count * m->out * m->in > SHARED_COLUMNS) {
        const tl_product_options options = {
            .bias = m->job.plan.bias, .packed = &m->packed, .precision = tl_tape_matmul_precision(s->tape)};
        /* only read */
        const tl_tensor from = tl_tensor_of((tl_real *)(uintptr_t)a, TL_SHAPE(r->count, m->in));
        if (tl_product(tl_tensor_of(c, TL_SHAPE(r->count, m->out)), from, transposed(m), &options,
                       tl_tape_workspace(s->tape)))
            return;
    }
    tl_product_job_run_rows(&m->job, false, c, a, m->values, r->panels, 0, r->count);
}

static void normalise(const rows *r, const tl_layer_norm_layer *norm, tl_real *y, const tl_real *x) {
    const tl_norm_kernels *k = tl_kernels_pick()->norms;
    const long d = r->w->step->of.d_model;
    const tl_real *gamma = norm->weight->leaf.value.data;
    const tl_real *beta = norm->bias ? norm->bias->leaf.value.data : NULL;
    tl_real mean, rstd;
    for (long i = 0; i < r->count; i++)
        k->norm(y + i * d, x + i * d, gamma, beta, d, norm->eps, &mean, &rstd);
}

/* The input of a sub-layer: x or, with pre-norm, norm(x). */
static const tl_real *sublayer_input(const rows *r, const tl_layer_norm_layer *norm) {
    if (!r->w->step->of.pre_norm) return r->x;
    normalise(r, norm, r->in, r->x);
    return r->in;
}

/* After a sub-layer: x += out or, with post-norm, x = norm(x + out). */
static void add_residual(const rows *r, const tl_layer_norm_layer *norm) {
    const bool pre_norm = r->w->step->of.pre_norm;
    tl_real *sum = pre_norm ? r->x : r->in;
    tl_kernels_pick()->map->add(r->count * r->w->step->of.d_model, sum, r->x, 1, r->out, 1);
    if (!pre_norm) normalise(r, norm, r->x, sum);
}

static void embed(const rows *r) {
    const tl_plain_decoder *d = &r->w->step->of;
    const tl_map_kernels *map = tl_kernels_pick()->map;
    const tl_real *table = d->embedding->weight->leaf.value.data;
    const bool placed = d->positions->kind != TL_NO_POSITIONS;
    if (placed) tl_positions_at(d->positions, r->out, r->w->of->at);
    for (long i = 0; i < r->count; i++) {
        tl_real *x = r->x + i * d->d_model;
        memcpy(x, table + r->w->of->words[r->from + i] * d->d_model, (size_t)d->d_model * sizeof *x);
        if (d->embedding_scale != 1) map->scale(d->d_model, x, x, (tl_real)d->embedding_scale);
        if (placed) map->add(d->d_model, x, x, 1, r->out, 1);
    }
}

/* ---- attention: one query per row ---- */

/* y [n] = a [k] · b [k,n], computed in whole vectors. b's rows are `step` apart. */
static void row_times(tl_real *y, const tl_real *a, long k, const tl_real *b, long step, long n) {
    const tl_product_kernels *kernels = tl_kernels_pick()->product;
    const long lanes = kernels->lanes, vectors = (n + lanes - 1) / lanes;
    tl_product_tile t = {.k = k, .a = a, .a_row = 1, .a_col = 1, .b_row = step, .b_panel = kernels->cols};
    for (long j = 0; j < vectors; j += kernels->tile(1, vectors - j, &t)) {
        t.b = b + j * lanes;
        t.c = y + j * lanes;
    }
}

/* One attention, for all heads of a part's rows. */
typedef struct attention_job {
    const rows *r;
    const tl_attention_layer *by;
    const tl_kv_cache *at;
    const tl_real *q;
    long q_row, keys, each;
    const int *lengths;
} attention_job;

static void attend_part(const void *context, long part, long parts) {
    const attention_job *g = context;
    const tl_attention_layer *a = g->by;
    const tl_row_kernels *kernels = tl_kernels_pick()->rows;
    const long heads = a->heads, items = g->r->count * heads, room = tl_whole_lines(g->keys);
    const tl_tensor k = g->at->k, v = g->at->v;
    const tl_real scale = (tl_real)(1 / sqrt((double)a->d_k));
    tl_real *scores = g->r->scores + part * tl_whole_lines(g->r->w->keys);
    for (long i = items * part / parts; i < items * (part + 1) / parts; i++) {
        const long row = i / heads, h = i % heads, at = (g->r->from + row) / g->each;
        const tl_row_mask mask = {g->lengths ? g->lengths[at] : g->keys, NULL};
        row_times(scores, g->q + row * g->q_row + h * a->d_k, a->d_k,
                  k.data + at * k.stride[0] + h * k.stride[1], k.stride[3], g->keys);
        kernels->softmax(scores, scores, scale, room, mask);
        row_times(g->r->context + i * a->d_k, scores, g->keys, v.data + at * v.stride[0] + h * v.stride[1],
                  v.stride[2], a->d_k);
    }
}

static void attend(const attention_job *g) {
    const double work = (double)(g->r->count * g->keys) * (double)(2 * g->by->heads * g->by->d_k);
    if (g->r->w->alone && work > SHARED_HEADS)
        tl_share_parts(tl_threads(), attend_part, g);
    else
        attend_part(g, 0, 1);
}

/* Appends the new position's keys and values to the cache. */
static void append_keys_values(const rows *r, const tl_attention_layer *a, const tl_kv_cache *cache) {
    const long wide = a->heads * a->d_k, at = r->w->of->at;
    for (long i = 0; i < r->count; i++) {
        const tl_real *made = r->wide + i * 3 * wide + wide;
        tl_real *k = cache->k.data + (r->from + i) * cache->k.stride[0] + at;
        for (long c = 0; c < wide; c++) k[c * cache->k.stride[3]] = made[c];
        memcpy(cache->v.data + (r->from + i) * cache->v.stride[0] + at * cache->v.stride[2], made + wide,
               (size_t)wide * sizeof *made);
    }
}

static void attend_self(const rows *r, const layer *l, const tl_plain_layer *of) {
    multiply(r, &l->self_in, r->wide, sublayer_input(r, of->self_norm));
    append_keys_values(r, of->self, of->own);
    attend(&(attention_job){.r = r,
                            .by = of->self,
                            .at = of->own,
                            .q = r->wide,
                            .q_row = l->self_in.out,
                            .keys = r->w->of->at + 1,
                            .each = 1});
    multiply(r, &l->self_out, r->out, r->context);
    add_residual(r, of->self_norm);
}

static void attend_other(const rows *r, const layer *l, const tl_plain_layer *of) {
    if (!of->cross) return;
    multiply(r, &l->cross_in, r->wide, sublayer_input(r, of->cross_norm));
    attend(&(attention_job){.r = r,
                            .by = of->cross,
                            .at = of->other,
                            .q = r->wide,
                            .q_row = l->cross_in.out,
                            .keys = of->other->count,
                            .each = r->w->of->each,
                            .lengths = r->w->of->src_lengths});
    multiply(r, &l->cross_out, r->out, r->context);
    add_residual(r, of->cross_norm);
}

static void feed_forward(const rows *r, const layer *l, const tl_plain_layer *of) {
    const tl_map_kernels *map = tl_kernels_pick()->map;
    if (!of->feed_forward) return;
    const tl_activation kind = of->feed_forward->activation;
    tl_map1_fn *activate = kind == TL_GELU ? map->gelu : kind == TL_GELU_TANH ? map->gelu_tanh : map->relu;
    multiply(r, &l->wide, r->wide, sublayer_input(r, of->feed_forward_norm));
    activate(r->count * l->wide.out, r->wide, r->wide, 0);
    multiply(r, &l->narrow, r->out, r->wide);
    add_residual(r, of->feed_forward_norm);
}

/* ---- the whole step ---- */

static void run_part(const work *w, long part) {
    const tl_plain_decoder *d = &w->step->of;
    const long small = tl_whole_lines(w->most_rows * d->d_model), all = w->of->rows;
    const long wide = tl_whole_lines(w->most_rows * w->step->widest);
    rows r = {.w = w, .from = all * part / w->parts, .x = w->memory + part * w->each};
    r.count = all * (part + 1) / w->parts - r.from;
    r.in = r.x + small, r.out = r.in + small, r.wide = r.out + small, r.context = r.wide + wide;
    r.panels = r.context + wide, r.scores = r.panels + w->panels;
    embed(&r);
    for (int l = 0; l < d->layers; l++) {
        attend_self(&r, &w->step->layer[l], &d->layer[l]);
        attend_other(&r, &w->step->layer[l], &d->layer[l]);
        feed_forward(&r, &w->step->layer[l], &d->layer[l]);
    }
    if (d->norm) normalise(&r, d->norm, r.in, r.x);
    multiply(&r, &w->step->output, w->logits + r.from * d->model->tgt_vocab, d->norm ? r.in : r.x);
}

/* There may be fewer threads than parts: inside another parallel region there is one thread. */
static void run_parts(const void *context, long thread, long threads) {
    const work *w = context;
    for (long part = thread; part < w->parts; part += threads) run_part(w, part);
}

/* Are all words and positions valid? If not, the tape's operations will report them. */
static bool inputs_valid(const tl_plain_step *s, const tl_plain_rows *rows) {
    const tl_positions *p = s->of.positions;
    bool ok = p->kind == TL_NO_POSITIONS || rows->at < p->max_len;
    for (long r = 0; ok && r < rows->rows; r++)
        ok = rows->words[r] >= 0 && rows->words[r] < tl_param_value(s->of.embedding->weight).dim[0];
    return ok;
}

static long longest(const tl_plain_step *s, long at) {
    long keys = at + 1;
    for (int l = 0; l < s->of.layers; l++) {
        const tl_plain_layer *of = &s->of.layer[l];
        if (of->cross && of->other->count > keys) keys = of->other->count;
    }
    return keys;
}

bool tl_plain_step_take(tl_plain_step *s, const tl_plain_rows *rows, tl_tensor *logits) {
    if (rows->rows < 1 || !tl_tape_needs_no_nodes(s->tape) || tl_params_error(s->of.model->params) ||
        !inputs_valid(s, rows))
        return false;
    const long threads = tl_threads();
    const bool shared =
        rows->rows >= ROWS_EACH * threads && (double)rows->rows * s->multiply_adds > SHARED_WORK;
    const long parts = shared ? threads : 1;
    work w = {.step = s,
              .of = rows,
              .parts = parts,
              .most_rows = (rows->rows + parts - 1) / parts,
              .keys = longest(s, rows->at),
              .alone = parts == 1 && threads > 1};
    if (!prepare_all(s, w.most_rows, &w.panels)) return false;
    w.each = 3 * tl_whole_lines(w.most_rows * s->of.d_model) + 2 * tl_whole_lines(w.most_rows * s->widest) +
             w.panels + (w.alone ? threads : 1) * tl_whole_lines(w.keys);
    w.memory = tl_tape_memory(s->tape, (size_t)(parts * w.each) * sizeof *w.memory);
    *logits = tl_tape_tensor(s->tape, TL_SHAPE(rows->rows, s->of.model->tgt_vocab));
    w.logits = logits->data;
    if (!w.memory || !w.logits) return true; /* the tape has failed */
    tl_share_parts(parts, run_parts, &w);
    for (int l = 0; l < s->of.layers; l++) s->of.layer[l].own->count = rows->at + 1;
    return true;
}
