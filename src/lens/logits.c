/* Direct logit attribution. One forward with maps gives what every station adds at the position that is read. The
 * skip path (logits_skip.c) gives the vector that reads each of these. A head's part of its attention's output is
 * its context times its columns of the output projection. All products are in double. */
#include "lens.h"
#include "logits_path.h"

#include "tapeloom/op.h"

#include <stdarg.h>
#include <stdio.h>

typedef struct attributing {
    tl_logit_path path;
    tl_tape *tape;
    tl_model_maps maps;
    const tl_batch *batch;
    long sentence;
    int token, other;                                  /* other -1: none */
    double *read;                                      /* [D] the projection's row that reads the stream */
    double *added, *at, *stream, *sigma, *gain, *bias; /* for one position, one row a station */
    tl_skip_step *step;
    tl_attribution *to;
    long next; /* the next summand */
} attributing;

/* ---- the objective ---- */

static bool is_word(const tl_model *model, tl_tape *tape, int id) {
    if (id >= 0 && id < model->tgt_vocab) return true;
    tl_tape_fail(tape, "logits: token %d is outside 0 … %ld, what the model says", id, model->tgt_vocab - 1);
    return false;
}

static bool is_linear(tl_tape *tape, const tl_objective *o) {
    if (o->kind == TL_OF_LOGIT || (o->kind == TL_OF_LOG_P && o->other >= 0)) return true;
    tl_tape_fail(tape,
                 "logits: of a %s there is no such sum: ask for a logit, or for the difference of two tokens",
                 o->kind == TL_OF_LOG_P ? "log p" : "loss");
    return false;
}

static bool is_there(const attributing *k, const tl_objective *o) {
    const tl_batch *b = k->batch;
    const bool words = k->path.side == TL_DECODER;
    const long positions = !words ? 1
                           : b->tgt_lengths && o->sentence >= 0 && o->sentence < b->sentences
                               ? b->tgt_lengths[o->sentence]
                               : b->tgt_len;
    if (o->sentence < 0 || o->sentence >= b->sentences)
        return tl_tape_fail(k->tape, "logits: sentence %ld is outside 0 … %ld", o->sentence,
                            b->sentences - 1),
               false;
    if (o->position < 0 || o->position >= positions)
        return tl_tape_fail(k->tape, "logits: word %ld is outside 0 … %ld of the sentence", o->position,
                            positions - 1),
               false;
    return true;
}

static bool take_objective(attributing *k, const tl_objective *o) {
    if (!is_linear(k->tape, o) || !is_there(k, o)) return false;
    k->sentence = o->sentence;
    k->token = o->token < 0 ? tl_true_token(k->path.model, k->batch, o) : o->token;
    k->other = o->other < 0 ? -1 : o->other;
    if (k->token < 0)
        return tl_tape_fail(k->tape,
                            "logits: the batch does not say which token is the true one: give a token"),
               false;
    return is_word(k->path.model, k->tape, k->token) &&
           (k->other < 0 || is_word(k->path.model, k->tape, k->other));
}

/* ---- memory ---- */

static bool make_room(attributing *k) {
    const tl_logit_path *p = &k->path;
    const size_t row = (size_t)p->d_model * sizeof(double), rows = (size_t)p->stations + 1;
    /* at most: two of the embedding, heads and a bias of each attention, two of each feed-forward, one of each norm,
     * one of the output */
    const size_t most = rows * (size_t)(p->model->heads + 2);
    k->read = tl_tape_memory(k->tape, row), k->stream = tl_tape_memory(k->tape, row);
    k->added = tl_tape_memory(k->tape, rows * row), k->at = tl_tape_memory(k->tape, rows * row);
    k->gain = tl_tape_memory(k->tape, rows * row), k->bias = tl_tape_memory(k->tape, rows * row);
    k->sigma = tl_tape_memory(k->tape, rows * sizeof *k->sigma);
    k->step = tl_tape_memory(k->tape, rows * sizeof *k->step);
    k->to->summand = tl_tape_memory(k->tape, most * sizeof *k->to->summand);
    return k->read && k->stream && k->added && k->at && k->gain && k->bias && k->sigma && k->step &&
           k->to->summand;
}

static void read_row(tl_tensor row, double *to) {
    for (long i = 0; i < row.dim[0]; i++) to[i] = (double)row.data[i * row.stride[0]];
}

static double product(const double *a, const double *b, long n) {
    double sum = 0;
    for (long i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

/* ---- the steps of one position ---- */

static tl_var added_by(const attributing *k, const tl_station *s) {
    const tl_stream_maps *stream = k->maps.stream[k->path.side];
    const tl_attention_maps *attention =
        s->kind == TL_AT_ATTENTION ? &tl_model_maps_of(&k->maps, s->of)[s->layer] : NULL;
    return attention                       ? attention->output
           : s->kind == TL_AT_FEED_FORWARD ? stream[s->layer + 1].feed_forward
                                           : stream[0].stream;
}

static void lay_steps(attributing *k, long position) {
    const long d = k->path.d_model;
    for (int i = 0; i < k->path.stations; i++) {
        const tl_station *s = &k->path.station[i];
        k->step[i] = (tl_skip_step){.added = NULL};
        if (s->kind == TL_AT_NORM) {
            read_row(tl_param_value(s->norm->weight), k->gain + i * d);
            if (s->norm->bias) read_row(tl_param_value(s->norm->bias), k->bias + i * d);
            k->step[i].gain = k->gain + i * d, k->step[i].eps = s->norm->eps;
            k->step[i].bias = s->norm->bias ? k->bias + i * d : NULL;
        } else {
            read_row(tl_at(tl_value(added_by(k, s)), k->sentence, position), k->added + i * d);
            k->step[i].added = k->added + i * d;
        }
    }
}

/* ---- summands: made at the first position that is read; further positions add to them ---- */

TL_PRINTF(4, 5)
static void add_summand(attributing *k, const tl_summand *what, double value, const char *format, ...) {
    tl_summand *s = &k->to->summand[k->next++];
    if (k->next > k->to->count) {
        va_list arguments;
        *s = *what;
        va_start(arguments, format);
        vsnprintf(s->name, sizeof s->name, format, arguments);
        va_end(arguments);
        k->to->count = k->next;
    }
    s->value += value;
}

static const char *side_name(const attributing *k) {
    return k->path.side == TL_DECODER ? "decoder" : "encoder";
}

/* The token's row, scaled, is the token's summand; the rest of the embedding is its position's. */
static void add_embedding(attributing *k, const double *at, const double *added, long position) {
    const tl_logit_path *p = &k->path;
    const tl_batch *b = k->batch;
    const bool cls = p->cls && position == 0;
    const int id = cls                     ? 0
                   : p->side == TL_DECODER ? b->tgt_in[k->sentence * b->tgt_len + position]
                                           : b->src[k->sentence * b->src_len + position];
    const tl_tensor row = tl_at(tl_param_value((cls ? p->cls : p->embedding)->weight), id);
    double token = 0;
    for (long i = 0; i < p->d_model; i++) token += at[i] * p->scale * (double)row.data[i];
    add_summand(k, &(tl_summand){.kind = TL_SUMMAND_TOKEN, .layer = -1, .head = -1}, token,
                "%s.embedding token", side_name(k));
    add_summand(k, &(tl_summand){.kind = TL_SUMMAND_PLACE, .layer = -1, .head = -1},
                product(at, added, p->d_model) - token, "%s.embedding position", side_name(k));
}

/* y = W·(contexts side by side) + b: head h has columns h·d_k … of W. */
static void add_heads(attributing *k, const tl_station *s, const double *at, long position) {
    const tl_tensor context = tl_value(tl_model_maps_of(&k->maps, s->of)[s->layer].context),
                    weight = tl_param_value(s->attention->out_proj.weight);
    const long heads = context.dim[1], width = context.dim[3], d = k->path.d_model;
    char name[64];
    tl_attention_name(k->path.model, s->of, s->layer, name);
    for (long h = 0; h < heads; h++) {
        const tl_tensor c = tl_at(context, k->sentence, h, position);
        double value = 0;
        for (long j = 0; j < width; j++) {
            double read = 0;
            for (long i = 0; i < d; i++) read += at[i] * tl_item(tl_at(weight, i, h * width + j));
            value += read * (double)c.data[j * c.stride[0]];
        }
        add_summand(
            k, &(tl_summand){.kind = TL_SUMMAND_HEAD, .attention = s->of, .layer = s->layer, .head = (int)h},
            value, "%s head %ld", name, h);
    }
    if (!s->attention->out_proj.bias) return;
    const tl_tensor bias = tl_param_value(s->attention->out_proj.bias);
    double value = 0;
    for (long i = 0; i < d; i++) value += at[i] * (double)bias.data[i];
    add_summand(
        k,
        &(tl_summand){.kind = TL_SUMMAND_ATTENTION_BIAS, .attention = s->of, .layer = s->layer, .head = -1},
        value, "%s bias", name);
}

static void add_feed_forward(attributing *k, const tl_station *s, const double *at, const double *added) {
    const long d = k->path.d_model;
    double bias = 0;
    if (s->feed_forward->linear2.bias) {
        const tl_tensor b = tl_param_value(s->feed_forward->linear2.bias);
        for (long i = 0; i < d; i++) bias += at[i] * (double)b.data[i];
    }
    add_summand(k, &(tl_summand){.kind = TL_SUMMAND_FEED_FORWARD, .layer = s->layer, .head = -1},
                product(at, added, d) - bias, "%s.layers.%d.feed_forward", side_name(k), s->layer);
    if (s->feed_forward->linear2.bias)
        add_summand(k, &(tl_summand){.kind = TL_SUMMAND_FEED_FORWARD_BIAS, .layer = s->layer, .head = -1},
                    bias, "%s.layers.%d.feed_forward bias", side_name(k), s->layer);
}

static void add_norm(attributing *k, const tl_station *s, const double *at, const double *bias) {
    const tl_summand what = {.kind = TL_SUMMAND_NORM_BIAS, .layer = s->layer, .head = -1};
    if (!bias) return;
    if (s->layer < 0)
        add_summand(k, &what, product(at, bias, k->path.d_model), "%s.%s bias", side_name(k), s->norm_name);
    else
        add_summand(k, &what, product(at, bias, k->path.d_model), "%s.layers.%d.%s bias", side_name(k),
                    s->layer, s->norm_name);
}

static void add_position(attributing *k, long position) {
    const tl_logit_path *p = &k->path;
    const long d = p->d_model;
    lay_steps(k, position);
    tl_skip_path(k->step, p->stations, d, k->read, k->stream, k->sigma, k->at);
    k->next = 0;
    for (int i = 0; i < p->stations; i++) {
        const tl_station *s = &p->station[i];
        const double *at = k->at + i * d, *added = k->step[i].added;
        if (s->kind == TL_AT_EMBEDDING) add_embedding(k, at, added, position);
        if (s->kind == TL_AT_ATTENTION) add_heads(k, s, at, position);
        if (s->kind == TL_AT_FEED_FORWARD) add_feed_forward(k, s, at, added);
        if (s->kind == TL_AT_NORM) add_norm(k, s, at, k->step[i].bias);
    }
}

/* ---- all of it ---- */

/* Sets k->read to the token's row of the projection, or the difference of two rows, divided by the number of
 * positions. */
static void write_reading_row(attributing *k, long positions) {
    const tl_tensor w = tl_param_value(k->path.weight);
    for (long i = 0; i < k->path.d_model; i++)
        k->read[i] = (tl_item(tl_at(w, k->token, i)) - (k->other < 0 ? 0 : tl_item(tl_at(w, k->other, i)))) /
                     (double)positions;
}

static void add_output_bias(attributing *k) {
    if (!k->path.bias) return;
    const tl_tensor b = tl_param_value(k->path.bias);
    const double other = k->other < 0 ? 0 : (double)b.data[k->other];
    add_summand(k, &(tl_summand){.kind = TL_SUMMAND_OUTPUT_BIAS, .layer = -1, .head = -1},
                (double)b.data[k->token] - other, "output bias");
}

/* The model's own logit, from [B,T,V] or in a classifier [B,classes]. */
static double logit_of(const attributing *k, tl_tensor logits, long position) {
    const tl_tensor row =
        logits.rank == 3 ? tl_at(logits, k->sentence, position) : tl_at(logits, k->sentence);
    return tl_item(tl_at(row, k->token)) - (k->other < 0 ? 0 : tl_item(tl_at(row, k->other)));
}

static bool attribute(attributing *k, const tl_objective *o) {
    tl_attribution *to = k->to;
    const tl_model *model = k->path.model;
    tl_var hidden = model->kind->hidden(model, k->tape, k->batch, &k->maps),
           logits = model->kind->logits(model, hidden);
    if (!tl_ok(logits)) return false;
    const bool mean = k->path.from == TL_READS_MEAN;
    const long first = k->path.from == TL_READS_PLACE ? o->position : 0,
               positions = mean ? k->batch->src_lengths[k->sentence] : 1;
    write_reading_row(k, positions);
    for (long t = first; t < first + positions; t++) add_position(k, t);
    add_output_bias(k);
    to->logit = logit_of(k, tl_value(logits), o->position);
    for (long i = 0; i < to->count; i++) to->sum += to->summand[i].value;
    return true;
}

bool tl_attribute_logit(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                        const tl_objective *objective, tl_attribution *attribution) {
    if (attribution) *attribution = (tl_attribution){0};
    if (!tape || !batch || !objective || !attribution)
        return tl_tape_fail(tape, "logits: give a tape, a batch, whose logit, and room for what comes out"),
               false;
    attributing k = {.tape = tape, .batch = batch, .to = attribution};
    tl_tape_reset(tape);
    if (!tl_logit_path_of(model, tape, &k.path) || !take_objective(&k, objective) || !make_room(&k))
        return false;
    k.maps = tl_model_maps_new(model, tape, false);
    const long training = tl_tape_set_training(tape, 0);
    const bool grad = tl_tape_set_grad(tape, false), ok = !tl_tape_error(tape) && attribute(&k, objective);
    tl_tape_set_grad(tape, grad);
    tl_tape_set_training(tape, training);
    return ok && !tl_tape_error(tape);
}
