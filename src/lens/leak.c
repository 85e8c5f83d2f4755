/* No output may depend on later positions or on padding: bits of outputs, and gradients that must be exactly 0
 * (checks.h).
 *
 * The outputs of the unchanged batch are kept outside the tape (`plain`); all others are compared with them, bit by
 * bit. */
#include "tapeloom/checks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PADDING = 2 }; /* columns of padding to add */

typedef struct leak_check {
    const tl_model *model;
    tl_tape *tape;
    tl_batch_copy *copy; /* the batch that is changed */
    tl_real *plain;      /* logits of the unchanged batch, row-major [B,T,V], or [B,V] */
    long row, rows;      /* numbers in an output; outputs of a sentence */
    tl_leak_report *report;
    bool (*progress)(void *context, long done, long all);
    void *context;
    long done, all;
} leak_check;

static bool fail_tape(leak_check *h) {
    return tl_error_set(&h->report->error, "leak: %s",
                        tl_tape_error(h->tape) ? tl_tape_error(h->tape) : "out of memory");
}

static bool report_progress(leak_check *h) {
    h->done++;
    if (!h->progress || h->progress(h->context, h->done, h->all)) return true;
    return tl_error_set(&h->report->error, "leak: stopped after %ld of %ld passes", h->done, h->all);
}

/* ---- outputs ---- */

static tl_var outputs(leak_check *h, const tl_batch *batch, const tl_model_maps *maps) {
    tl_var hidden = h->model->kind->hidden(h->model, h->tape, batch, maps);
    return h->model->kind->logits(h->model, hidden);
}

static tl_var outputs_anew(leak_check *h, const tl_batch *batch) {
    tl_tape_reset(h->tape);
    const bool was = tl_tape_set_grad(h->tape, false);
    tl_var y = outputs(h, batch, NULL);
    tl_tape_set_grad(h->tape, was);
    return y;
}

/* How many real outputs sentence b has: a decoder's words, or a classifier's single one. */
static long real_rows(const leak_check *h, long b) {
    return h->report->causal ? h->copy->tgt_lengths[b] : h->rows;
}

static bool keep_plain(leak_check *h) {
    tl_var y = outputs_anew(h, &h->copy->batch);
    if (!tl_ok(y)) return fail_tape(h);
    const tl_tensor t = tl_value(y);
    h->row = t.dim[t.rank - 1];
    h->rows = t.rank > 2 ? t.dim[1] : 1;
    h->plain = malloc((size_t)tl_numel(t) * sizeof *h->plain + 1);
    if (!h->plain) return tl_error_set(&h->report->error, "leak: out of memory");
    return tl_tensor_copy(tl_tensor_of(h->plain, tl_shape_of(t)), t);
}

/* Do the bits of output i of sentence b differ from the plain ones? y has as many outputs in a row as the plain
 * ones. */
static bool differs(const leak_check *h, tl_tensor y, long b, long i) {
    const tl_tensor now = y.rank > 2 ? tl_at(y, b, i) : tl_at(y, b);
    const tl_real *was = h->plain + (b * h->rows + i) * h->row;
    for (long v = 0; v < h->row; v++) {
        const tl_real x = now.data[v * now.stride[0]];
        if (memcmp(&x, &was[v], sizeof x)) return true;
    }
    return false;
}

/* ---- the place where a leak begins ---- */

static double largest_difference(tl_tensor a, const tl_real *b) {
    double most = 0;
    for (long v = 0; v < a.dim[0]; v++) {
        const double difference = fabs((double)a.data[v * a.stride[0]] - (double)b[v]);
        if (difference > most) most = difference;
    }
    return most;
}

/* The values at position `to` of the decoder's place number `at`, a stream's or an attention's; false after the last
 * place. */
static bool values_at(const leak_check *h, const tl_model_maps *maps, int at, const tl_leak *leak,
                      tl_tensor *row, char name[64]) {
    const int attentions = h->model->attentions[TL_DECODER_SELF], depths = h->model->depths[TL_DECODER];
    const int layer = at / 2;
    if (layer >= attentions && layer >= depths - 1) return false;
    tl_var x = {0};
    if (at % 2 == 0 && layer < attentions) {
        x = maps->decoder_self[layer].output;
        snprintf(name, 64, "decoder.layers.%d.self.out", layer);
    } else if (at % 2 == 1 && layer < depths - 1) {
        x = maps->stream[TL_DECODER][layer + 1].stream;
        snprintf(name, 64, "decoder.layers.%d.residual", layer);
    }
    *row = x.tape ? tl_at(tl_value(x), leak->sentence, leak->to) : (tl_tensor){0};
    return true;
}

/* The first place that differs at `to` when the word at `from` is replaced. Copies the places of the plain run
 * first. */
static bool find_place(leak_check *h, tl_leak *leak, int other) {
    tl_tensor row;
    tl_real *kept = NULL;
    long width = 0;
    bool ok = true;
    int *word = &h->copy->tgt_in[leak->sentence * h->copy->batch.tgt_len + leak->from];
    const int true_word = *word;
    for (int pass = 0; pass < 2 && ok; pass++) {
        tl_tape_reset(h->tape);
        const tl_model_maps maps = tl_model_maps_new(h->model, h->tape, false);
        *word = pass ? other : true_word;
        tl_var y = outputs(h, &h->copy->batch, &maps);
        ok = tl_ok(y);
        for (int at = 0; ok && !leak->where[0]; at++) {
            char name[64];
            if (!values_at(h, &maps, at, leak, &row, name)) break;
            if (!row.data) continue;
            if (!kept) {
                width = row.dim[0];
                kept = calloc(
                    (size_t)(2 * (h->model->depths[TL_DECODER] + h->model->attentions[TL_DECODER_SELF]) + 2) *
                        (size_t)width,
                    sizeof *kept);
                ok = kept != NULL;
            }
            if (ok && pass == 0)
                tl_tensor_copy(tl_tensor_of(kept + at * width, TL_SHAPE(width)), row);
            else if (ok && (leak->size = largest_difference(row, kept + at * width)) > 0)
                snprintf(leak->where, sizeof leak->where, "%s", name);
        }
    }
    *word = true_word;
    free(kept);
    return ok || fail_tape(h);
}

/* ---- values: another word at j ---- */

static int other_word(const tl_model *model, int word) {
    return word + 1 < model->tgt_vocab ? word + 1 : word - 1;
}

/* In every sentence longer than j. */
static void swap_words(leak_check *h, long j) {
    const long width = h->copy->batch.tgt_len;
    for (long b = 0; b < h->copy->batch.sentences; b++)
        if (j < h->copy->tgt_lengths[b])
            h->copy->tgt_in[b * width + j] = other_word(h->model, h->copy->tgt_in[b * width + j]);
}

static bool try_value(leak_check *h, long j, int *was) {
    tl_leak_report *r = h->report;
    const size_t bytes = (size_t)(h->copy->batch.sentences * h->copy->batch.tgt_len) * sizeof *was;
    memcpy(was, h->copy->tgt_in, bytes);
    swap_words(h, j);
    tl_var y = outputs_anew(h, &h->copy->batch);
    memcpy(h->copy->tgt_in, was, bytes);
    if (!tl_ok(y)) return fail_tape(h);
    bool felt = false;
    for (long b = 0; b < h->copy->batch.sentences; b++) {
        if (j >= real_rows(h, b)) continue;
        for (long i = 0; i < real_rows(h, b); i++) {
            if (!differs(h, tl_value(y), b, i)) continue;
            felt |= i >= j;
            if (i >= j) continue;
            if (!r->value.found) r->value = (tl_leak){.found = true, .sentence = b, .from = j, .to = i};
            r->values++;
        }
    }
    r->felt += felt;
    return true;
}

static bool try_values(leak_check *h) {
    const long width = h->copy->batch.tgt_len;
    int *was = malloc((size_t)(h->copy->batch.sentences * width) * sizeof *was + 1);
    bool ok = was || tl_error_set(&h->report->error, "leak: out of memory");
    for (long j = 0; ok && j < width; j++) ok = try_value(h, j, was) && report_progress(h);
    free(was);
    tl_leak *leak = &h->report->value;
    if (!ok || !leak->found) return ok;
    return find_place(h, leak, other_word(h->model, h->copy->tgt_in[leak->sentence * width + leak->from]));
}

/* ---- gradients: the loss of position i alone ---- */

static double largest_of(tl_tensor row) {
    double most = 0;
    for (long v = 0; v < row.dim[0]; v++) {
        const double x = fabs((double)row.data[v * row.stride[0]]);
        if (!(x <= most)) most = x; /* NaN must not count as 0 */
    }
    return most;
}

static void read_gradient(leak_check *h, tl_tensor grad, long i) {
    tl_leak_report *r = h->report;
    bool felt = false;
    for (long b = 0; b < h->copy->batch.sentences; b++) {
        if (i >= real_rows(h, b)) continue;
        for (long j = 0; j < real_rows(h, b); j++) {
            const double size = largest_of(tl_at(grad, b, j));
            if (size == 0) continue;
            felt |= j <= i;
            if (j <= i) continue;
            r->gradients++;
            if (!r->gradient.found || j < r->gradient.from)
                r->gradient = (tl_leak){.found = true, .sentence = b, .from = j, .to = i, .size = size};
        }
    }
    r->felt_gradients += felt;
}

static bool try_gradient(leak_check *h, long i, int *targets) {
    const tl_batch *batch = &h->copy->batch;
    tl_tape_reset(h->tape);
    tl_zero_grad(h->model->params);
    const tl_model_maps maps = tl_model_maps_new(h->model, h->tape, false);
    if (!maps.stream[TL_DECODER]) return fail_tape(h);
    maps.stream[TL_DECODER][0].keep = 1u << TL_PLACE_STREAM;
    for (long b = 0; b < batch->sentences; b++)
        targets[b] = i < real_rows(h, b) ? h->copy->tgt_out[b * batch->tgt_len + i] : -1;
    const tl_loss_options own = {.ignore = true, .ignore_id = -1, .reduction = TL_REDUCE_SUM};
    tl_var y = tl_slice(outputs(h, batch, &maps), 1, i, i + 1);
    if (!tl_backward(tl_cross_entropy(y, targets, &own, NULL))) return fail_tape(h);
    const tl_tensor grad = tl_grad(maps.stream[TL_DECODER][0].stream);
    if (!grad.data) return tl_error_set(&h->report->error, "leak: no gradient reaches decoder.embedding");
    read_gradient(h, grad, i);
    return true;
}

static bool try_gradients(leak_check *h) {
    int *targets = malloc((size_t)h->copy->batch.sentences * sizeof *targets + 1);
    bool ok = targets || tl_error_set(&h->report->error, "leak: out of memory");
    const bool was = tl_tape_set_grad(h->tape, true);
    for (long i = 0; ok && i < h->copy->batch.tgt_len; i++)
        ok = try_gradient(h, i, targets) && report_progress(h);
    tl_tape_set_grad(h->tape, was);
    tl_zero_grad(h->model->params);
    free(targets);
    return ok;
}

/* ---- padding ---- */

/* Overwrites the padding of one side with other words or other numbers. */
static void fill_padding(tl_batch_copy *c, bool source, long vocab) {
    const long width = source ? c->batch.src_len : c->batch.tgt_len;
    for (long b = 0; b < c->batch.sentences; b++)
        for (long t = source ? c->src_lengths[b] : c->tgt_lengths[b]; t < width; t++) {
            if (source && c->src) c->src[b * width + t] = (int)((5 * t + b) % vocab);
            if (!source) c->tgt_in[b * width + t] = (int)((5 * t + b) % vocab);
            for (long n = 0; source && c->pictures && n < c->batch.pictures.dim[2]; n++)
                c->pictures[(b * width + t) * c->batch.pictures.dim[2] + n] = (tl_real)(n % 7) - 3;
        }
}

/* How many columns of padding can be added within the model's longest input. */
static long padding_room(const leak_check *h) {
    const tl_batch *b = &h->copy->batch;
    const long longest = b->src_len > b->tgt_len ? b->src_len : b->tgt_len;
    if (h->model->max_len <= 0 || longest + PADDING <= h->model->max_len) return PADDING;
    return h->model->max_len > longest ? h->model->max_len - longest : 0;
}

static bool try_padding(leak_check *h, bool source) {
    tl_leak_report *r = h->report;
    if (padding_room(h) == 0) return report_progress(h);
    tl_batch_copy *padded = tl_batch_copy_of(&h->copy->batch, padding_room(h));
    if (!padded) return tl_error_set(&r->error, "leak: out of memory");
    fill_padding(padded, source, source ? h->model->src_vocab : h->model->tgt_vocab);
    tl_var y = outputs_anew(h, &padded->batch);
    const bool ok = tl_ok(y);
    r->padding++;
    for (long b = 0; ok && b < padded->batch.sentences; b++)
        for (long i = 0; i < real_rows(h, b); i++)
            if (differs(h, tl_value(y), b, i)) {
                if (!r->padding_felt) r->padding_side = source ? "source" : "target";
                r->padding_felt++;
            }
    tl_batch_copy_free(padded);
    return ok ? report_progress(h) : fail_tape(h);
}

/* ---- all of it ---- */

/* Sets the report's error to the first thing that is wrong; true if there is none. */
static bool write_error(tl_leak_report *r) {
    if (r->values)
        return tl_error_set(&r->error,
                            "leak: of sentence %ld the word read at position %ld reaches the output at "
                            "position %ld, which comes "
                            "before it; the first place that differs there is %s; %ld of %ld pairs leak",
                            r->value.sentence + 1, r->value.from + 1, r->value.to + 1,
                            r->value.where[0] ? r->value.where : "the output", r->values, r->pairs);
    if (r->gradients)
        return tl_error_set(&r->error,
                            "leak: of sentence %ld the loss of position %ld has a gradient of %.3g at the "
                            "word read at position "
                            "%ld, which comes after it; %ld of %ld pairs leak",
                            r->gradient.sentence + 1, r->gradient.to + 1, r->gradient.size,
                            r->gradient.from + 1, r->gradients, r->pairs);
    if (r->padding_felt)
        return tl_error_set(&r->error, "leak: %ld outputs change with what stands in the %s's padding",
                            r->padding_felt, r->padding_side);
    if (r->causal && (!r->felt || !r->felt_gradients))
        return tl_error_set(
            &r->error, "leak: no output depends on any word that the decoder reads, so that nothing leaks "
                       "proves nothing");
    return true;
}

static void count_pairs(leak_check *h) {
    for (long b = 0; h->report->causal && b < h->copy->batch.sentences; b++)
        h->report->pairs += (long)h->copy->tgt_lengths[b] * (h->copy->tgt_lengths[b] - 1) / 2;
}

static bool check_all(leak_check *h) {
    const bool causal = h->report->causal, source = h->copy->src_lengths != NULL;
    if (causal && (!h->copy->tgt_in || !h->copy->tgt_out))
        return tl_error_set(&h->report->error, "leak: the batch has no targets: give tgt_in and tgt_out");
    count_pairs(h);
    h->all = (causal ? 2 * h->copy->batch.tgt_len + 1 : 0) + source;
    return keep_plain(h) && (!causal || (try_values(h) && try_gradients(h))) &&
           (!source || try_padding(h, true)) && (!causal || try_padding(h, false)) && write_error(h->report);
}

bool tl_leak_check(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                   bool (*progress)(void *context, long done, long all), void *context,
                   tl_leak_report *report) {
    tl_leak_report own, *r = report ? report : &own;
    *r = (tl_leak_report){0};
    if (!model || !model->kind || !tape || !batch)
        return tl_error_set(&r->error, "leak: there is no model, tape or batch");
    r->causal = model->depths[TL_DECODER] > 0;
    leak_check h = {.model = model, .tape = tape, .report = r, .progress = progress, .context = context};
    h.copy = tl_batch_copy_of(batch, 0);
    const long step = tl_tape_set_training(tape, 0);
    r->ok = h.copy ? check_all(&h) : tl_error_set(&r->error, "leak: out of memory");
    tl_tape_set_training(tape, step);
    tl_tape_reset(tape);
    free(h.plain);
    tl_batch_copy_free(h.copy);
    return r->ok;
}
