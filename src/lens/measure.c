/* What the gates need, measured over batches (checks.h). Every change is made in a copy of the batch, or by a gate
 * of its maps. */
#include "measure.h"

#include "run/heads.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

tl_measured tl_measured_of(const tl_model *model, bool trained, bool competes) {
    tl_measured m = {.trained = trained, .competes = competes};
    if (!model) return m;
    m.decoder = model->depths[TL_DECODER] > 0;
    for (int l = 0; m.decoder && l < model->attentions[TL_CROSS]; l++)
        m.cross |= tl_model_heads(model, TL_CROSS, l) > 0;
    m.source = model->depths[TL_ENCODER] > 0;
    m.classes = model->tgt_vocab;
    return m;
}

/* ---- losses ---- */

static bool nll_of(const measuring *k, const tl_batch *batch, double *nll) {
    tl_tape_reset(k->tape);
    return tl_plain_nll(k->model, k->tape, batch, NULL, nll, NULL);
}

/* Targets of sentence b: indices from … to-1. */
static void span_of(const tl_batch *batch, long b, long *from, long *to) {
    const long each = tl_plain_count(batch) / batch->sentences;
    *from = b * each, *to = *from + each;
}

/* Without a source, the first half of sentence b's words is put into another order, and the targets after it are
 * compared. Moving only the last word would not do: in many texts it is always the same. */
static long first_half(const measuring *k, long b) { return (k->copy->tgt_lengths[b] + 1) / 2; }

/* Compares k->other with k->nll, sentence by sentence; second_half: only the targets after the first half. */
static void add_pairs(const measuring *k, tl_paired *paired, bool second_half) {
    for (long b = 0; b < k->batch->sentences; b++) {
        long from, to;
        double was = 0, now = 0, tokens = 0;
        span_of(k->batch, b, &from, &to);
        for (long i = second_half ? from + first_half(k, b) : from; i < to; i++) {
            if (!tl_plain_is_real(k->batch, i)) continue;
            was += k->nll[i], now += k->other[i], tokens++;
        }
        if (tokens > 0) tl_paired_add(paired, was, now, tokens);
    }
}

static bool measure_loss(const measuring *k) {
    tl_measured *m = k->m;
    tl_tape_reset(k->tape);
    const bool was = tl_tape_set_grad(k->tape, false);
    tl_var y = tl_model_loss(k->model, k->tape, k->batch, NULL, NULL, NULL);
    tl_tape_set_grad(k->tape, was);
    if (!tl_ok(y)) return false;
    const double loss = tl_item(tl_value(y)), s = k->options->label_smoothing;
    tl_tape_reset(k->tape);
    if (!tl_plain_nll(k->model, k->tape, k->batch, NULL, k->nll, k->smooth)) return false;
    double own = 0, nll = 0, tokens = 0;
    for (long i = 0; i < tl_plain_count(k->batch); i++) {
        if (!tl_plain_is_real(k->batch, i)) continue;
        own += (1 - s) * k->nll[i] + s * k->smooth[i];
        nll += k->nll[i];
        tokens++;
    }
    own /= fmax(1, tokens);
    if (m->sentences == 0) m->loss = loss, m->own_loss = own;
    m->loss_error = fmax(m->loss_error, fabs(loss - own) / fmax(fabs(own), 1e-3));
    m->nll += nll, m->tokens += tokens;
    return true;
}

static bool measure_fresh(const measuring *k) {
    const tl_measure_options *o = k->options;
    if (!o->fresh || !o->fresh_tape) return true;
    tl_tape_reset(o->fresh_tape);
    if (!tl_plain_nll(o->fresh, o->fresh_tape, k->batch, NULL, k->other, NULL))
        return tl_measure_fail(k->tape, tl_tape_error(o->fresh_tape));
    for (long i = 0; i < tl_plain_count(k->batch); i++)
        if (tl_plain_is_real(k->batch, i)) k->m->fresh_nll += k->other[i], k->m->fresh_tokens++;
    return true;
}

/* ---- another word order ---- */

/* Shuffles the first n items of a row, each of so many bytes. */
static bool shuffle_row(const measuring *k, long b, long n, void *row, size_t bytes) {
    if (n < 2) return true;
    char *items = row, *copy = malloc((size_t)n * bytes);
    long *order = malloc((size_t)n * sizeof *order);
    if (!copy || !order) return free(copy), free(order), tl_measure_fail(k->tape, "checks: out of memory");
    for (long i = 0; i < n; i++) order[i] = i;
    tl_rng_shuffle(tl_rng_key_mix(tl_rng_key_of(k->options->seed, "order"), (uint64_t)(k->m->sentences + b)),
                   n, order);
    memcpy(copy, items, (size_t)n * bytes);
    for (long i = 0; i < n; i++) memcpy(items + (size_t)i * bytes, copy + (size_t)order[i] * bytes, bytes);
    free(copy);
    free(order);
    return true;
}

/* Shuffles the source's words except <eos>, or a picture's patches; without a source, the first half of the words. */
static bool shuffle(const measuring *k, long b) {
    tl_batch_copy *c = k->copy;
    const long width = c->batch.src_len, length = k->m->source ? c->src_lengths[b] : c->tgt_lengths[b];
    if (!k->m->source)
        return shuffle_row(k, b, first_half(k, b), c->tgt_in + b * c->batch.tgt_len, sizeof *c->tgt_in);
    if (c->pictures)
        return shuffle_row(k, b, length, c->pictures + b * width * c->batch.pictures.dim[2],
                           (size_t)c->batch.pictures.dim[2] * sizeof *c->pictures);
    return shuffle_row(k, b, length - (c->src[b * width + length - 1] == TL_EOS), c->src + b * width,
                       sizeof *c->src);
}

static bool measure_order(measuring *k) {
    for (long b = 0; b < k->batch->sentences; b++)
        if (!shuffle(k, b)) return false;
    if (!nll_of(k, &k->copy->batch, k->other)) return false;
    add_pairs(k, &k->m->order, !k->m->source);
    return true;
}

/* ---- another source ---- */

/* Every sentence gets the next sentence's source. */
static bool measure_other_source(measuring *k) {
    tl_batch_copy *c = k->copy;
    const tl_batch *from = k->batch;
    const long rows = from->sentences, width = from->src_len;
    if (!k->m->decoder || !k->m->source || rows < 2) return true;
    for (long b = 0; b < rows; b++) {
        const long next = (b + 1) % rows;
        c->src_lengths[b] = from->src_lengths ? from->src_lengths[next] : (int)width;
        if (c->src) memcpy(c->src + b * width, from->src + next * width, (size_t)width * sizeof *c->src);
        if (c->pictures) tl_tensor_copy(tl_at(c->batch.pictures, b), tl_at(from->pictures, next));
    }
    if (!nll_of(k, &c->batch, k->other)) return false;
    add_pairs(k, &k->m->other_source, false);
    return true;
}

static bool measure_no_cross(measuring *k) {
    if (!k->m->cross) return true;
    tl_tape_reset(k->tape);
    const tl_model_maps maps = tl_model_maps_new(k->model, k->tape, false);
    for (int l = 0; maps.cross && l < k->model->attentions[TL_CROSS]; l++)
        if (tl_model_heads(k->model, TL_CROSS, l) > 0)
            maps.cross[l].gate = tl_zeros(k->tape, TL_SHAPE(tl_model_heads(k->model, TL_CROSS, l)));
    if (!maps.cross || !tl_plain_nll(k->model, k->tape, k->batch, &maps, k->other, NULL)) return false;
    add_pairs(k, &k->m->no_cross, false);
    return true;
}

/* ---- rows, entropy, gradients: one look ---- */

static void measure_row(tl_measured *m, const tl_seen_attention *a, bool is_cross, long b, long h, long i) {
    const tl_tensor w = tl_at(a->weights, b, h, i), g = tl_at(a->score_grads, b, h, i),
                    dw = tl_at(a->weight_grads, b, h, i);
    double sum = 0, grad = 0, size = 0, entropy = 0;
    long seen = 0;
    for (long j = 0; j < a->keys; j++) {
        const double p = (double)w.data[j * w.stride[0]], d = g.data ? (double)g.data[j * g.stride[0]] : 0;
        if (!tl_mask_shows(&a->mask, b, h, i, j, a->queries, a->keys)) {
            m->blocked++;
            m->blocked_not_zero += p != 0 || d != 0;
            continue;
        }
        seen++;
        sum += p, grad += d;
        /* the size that rounding is relative to */
        if (dw.data) size += p * fabs((double)dw.data[j * dw.stride[0]]);
        if (p > 0) entropy -= p * log(p);
    }
    if (seen == 0) return;
    m->row_sum = fmax(m->row_sum, fabs(sum - 1));
    if (size > 0) m->grad_sum = fmax(m->grad_sum, fabs(grad) / size);
    if (is_cross && seen > 1) m->entropy += entropy / log((double)seen), m->entropy_rows++;
}

/* How many rows of an attention are not padding. */
static long rows_of(const tl_batch *batch, const tl_seen_attention *a, long b, bool decoder) {
    if (a->kind == TL_ENCODER_SELF || !decoder) return a->queries;
    return batch->tgt_lengths ? batch->tgt_lengths[b] : batch->tgt_len;
}

/* Must this parameter have a gradient? Not a classifier's projection to words, which only its first stage used, nor
 * gates that are constants in evaluation. */
static bool needs_gradient(const measuring *k, const char *parameter) {
    const size_t length = strlen(k->model->name);
    const char *own =
        length && !strncmp(parameter, k->model->name, length) ? parameter + length + 1 : parameter;
    return !tl_is_head_gate(parameter) && !(k->batch->labels && !strncmp(own, "output.", strlen("output.")));
}

static void measure_parameters(const measuring *k) {
    tl_measured *m = k->m;
    tl_params *params = k->model->params;
    for (int i = 0; i < tl_params_count(params); i++) {
        tl_param *p = tl_params_at(params, i);
        if (!needs_gradient(k, p->leaf.name)) continue;
        m->parameters++;
        if (p->leaf.frozen || (p->leaf.reached && tl_tensor_norm(tl_param_grad(p)) > 0)) continue;
        if (m->idle++ == 0) snprintf(m->first_idle, sizeof m->first_idle, "%s", p->leaf.name);
    }
}

static bool measure_look(measuring *k) {
    tl_seen seen;
    if (!tl_look(k->model, k->tape, k->batch, NULL, &seen)) return false;
    for (int n = 0; n < seen.count; n++) {
        const tl_seen_attention *a = &seen.attention[n];
        if (!a->weights.data) continue;
        for (long b = 0; b < k->batch->sentences; b++)
            for (long h = 0; h < a->heads; h++)
                for (long i = 0; i < rows_of(k->batch, a, b, k->m->decoder); i++)
                    measure_row(k->m, a, k->m->cross && a->kind == TL_CROSS, b, h, i);
    }
    if (k->m->sentences == 0) measure_parameters(k);
    tl_zero_grad(k->model->params);
    return true;
}

/* ---- all of it ---- */

static bool measure_copies(measuring *k) {
    bool (*const things[])(measuring * k) = {measure_order, measure_other_source, measure_no_cross,
                                             measure_look, tl_measure_words};
    for (size_t i = 0; i < sizeof things / sizeof *things; i++) {
        k->copy = tl_batch_copy_of(k->batch, 0);
        const bool ok = k->copy ? things[i](k) : tl_measure_fail(k->tape, "checks: out of memory");
        tl_batch_copy_free(k->copy);
        if (!ok) return false;
    }
    return true;
}

bool tl_measure_batch(tl_measured *measured, const tl_model *model, tl_tape *tape, const tl_batch *batch,
                      const tl_measure_options *options) {
    static const tl_measure_options usual = {0};
    if (!measured || !model || !model->kind || !batch || batch->sentences < 1)
        return tl_tape_fail(
                   tape,
                   "checks: give a model, a batch of one sentence or more, and a place for what is measured"),
               false;
    measuring k = {measured, model, tape, batch, options ? options : &usual, NULL, NULL, NULL, NULL};
    const size_t count = (size_t)tl_plain_count(batch) + 1;
    k.nll = malloc(count * sizeof *k.nll), k.other = malloc(count * sizeof *k.other);
    k.smooth = malloc(count * sizeof *k.smooth);
    const long training = tl_tape_set_training(tape, 0);
    const bool ok = k.nll && k.other && k.smooth ? measure_loss(&k) && measure_fresh(&k) && measure_copies(&k)
                                                 : tl_measure_fail(k.tape, "checks: out of memory");
    tl_tape_set_training(tape, training);
    if (ok) measured->sentences += batch->sentences;
    free(k.nll), free(k.other), free(k.smooth);
    return ok;
}
