/* The columns of a model from a forward of a batch: how large streams are, how widely heads look, and where in a
 * sentence the loss is. Padding rows are left out. */
#include "watch.h"

#include <stdlib.h>
#include <string.h>

/* ---- columns ---- */

static int streams_of(const tl_model *m) { return m->depths[TL_ENCODER] + m->depths[TL_DECODER]; }

static int heads_of(const tl_model *m) {
    int heads = 0;
    for (int k = 0; k < TL_ATTENTION_KINDS; k++)
        for (int l = 0; l < m->attentions[k]; l++) heads += tl_model_heads(m, (tl_attention_kind)k, l);
    return heads;
}

static int bins_of(const tl_model *m) { return m->kind->begin ? tl_watch_bins(m->max_len) : 0; }

int tl_watch_columns(const tl_model *m) { return m ? streams_of(m) + heads_of(m) + bins_of(m) : 0; }

static char *stream_name(int side, int depth, char to[TL_WATCH_NAME]) {
    static const char *const sides[] = {[TL_ENCODER] = "encoder", [TL_DECODER] = "decoder"};
    if (depth)
        snprintf(to, TL_WATCH_NAME, "rms.%s.layers.%d.residual", sides[side], depth - 1);
    else
        snprintf(to, TL_WATCH_NAME, "rms.%s.embedding", sides[side]);
    return to;
}

static char *head_name(const tl_model *m, int kind, int layer, int head, char to[TL_WATCH_NAME]) {
    static const char *const sides[] = {
        [TL_ENCODER_SELF] = "encoder", [TL_DECODER_SELF] = "decoder", [TL_CROSS] = "decoder"};
    if (kind == TL_CROSS && !m->kind->begin)
        snprintf(to, TL_WATCH_NAME, "entropy.pooling.%d", head);
    else
        snprintf(to, TL_WATCH_NAME, "entropy.%s.layers.%d.%s.%d", sides[kind], layer,
                 kind == TL_CROSS ? "cross" : "self", head);
    return to;
}

char *tl_watch_column(const tl_model *m, int column, char to[TL_WATCH_NAME]) {
    for (int side = 0; side < TL_STREAM_SIDES; column -= m->depths[side++])
        if (column < m->depths[side]) return stream_name(side, column, to);
    for (int k = 0; k < TL_ATTENTION_KINDS; k++)
        for (int l = 0; l < m->attentions[k]; l++) {
            const int heads = tl_model_heads(m, (tl_attention_kind)k, l);
            if (column < heads) return head_name(m, k, l, column, to);
            column -= heads;
        }
    char bin[TL_WATCH_NAME];
    snprintf(to, TL_WATCH_NAME, "loss.%.64s", tl_watch_bin_text(column, bin));
    return to;
}

/* ---- what a forward shows ---- */

static long token_length(const tl_batch *b, bool decoder, long sentence) {
    const int *lengths = decoder ? b->tgt_lengths : b->src_lengths;
    return lengths ? lengths[sentence] : decoder ? b->tgt_len : b->src_len;
}

/* How many of a tensor's `rows` rows are not padding in a sentence. One row more than the batch has means that [CLS]
 * comes first. Sides whose rows are not tokens, such as a classifier's one query, have no padding. */
static long real_rows(const tl_batch *b, bool decoder, long sentence, long rows) {
    const long all = decoder ? b->tgt_len : b->src_len, more = rows - all;
    const bool tokens = all > 0 && (decoder ? b->tgt_lengths : b->src_lengths) && more >= 0 && more <= 1;
    const long real = tokens ? token_length(b, decoder, sentence) + more : rows;
    return real < rows ? real : rows;
}

/* x [B,T,D] */
static void add_stream(tl_tensor x, const tl_batch *b, bool decoder, tl_watch_mean *mean) {
    if (!x.data || x.rank != 3 || x.stride[2] != 1) return;
    for (long s = 0; s < x.dim[0]; s++)
        for (long t = 0, rows = real_rows(b, decoder, s, x.dim[1]); t < rows; t++) {
            mean->sum += tl_watch_squares(x.data + s * x.stride[0] + t * x.stride[1], x.dim[2]);
            mean->count += (double)x.dim[2];
        }
}

/* p [B,H,T,S] to a mean for each head */
static void add_heads(tl_tensor p, const tl_batch *b, bool decoder, int heads, tl_watch_mean *mean) {
    if (!p.data || p.rank != 4) return;
    for (long s = 0; s < p.dim[0]; s++)
        for (long h = 0; h < p.dim[1] && h < heads; h++)
            for (long t = 0, rows = real_rows(b, decoder, s, p.dim[2]); t < rows; t++) {
                const double entropy = tl_watch_entropy(
                    p.data + s * p.stride[0] + h * p.stride[1] + t * p.stride[2], p.dim[3], p.stride[3]);
                if (entropy < 0) continue;
                mean[h].sum += entropy;
                mean[h].count++;
            }
}

/* losses [B,T] */
static void add_losses(tl_tensor losses, const tl_batch *b, int bins, tl_watch_mean *mean) {
    if (!losses.data || losses.rank != 2) return;
    for (long s = 0; s < losses.dim[0]; s++)
        for (long t = 0, rows = real_rows(b, true, s, losses.dim[1]); t < rows; t++) {
            const int bin = tl_watch_bin(t);
            if (bin >= bins || b->tgt_out[s * b->tgt_len + t] == b->pad) continue;
            mean[bin].sum += (double)losses.data[s * losses.stride[0] + t * losses.stride[1]];
            mean[bin].count++;
        }
}

static void add_means(const tl_model *m, const tl_batch *b, const tl_model_maps *maps, tl_var losses,
                      tl_watch_mean *mean) {
    for (int side = 0; side < TL_STREAM_SIDES; mean += m->depths[side++])
        for (int d = 0; maps->stream[side] && d < m->depths[side]; d++)
            add_stream(tl_value(maps->stream[side][d].stream), b, side == TL_DECODER, &mean[d]);
    for (int k = 0; k < TL_ATTENTION_KINDS; k++) {
        const tl_attention_maps *layer = tl_model_maps_of(maps, (tl_attention_kind)k);
        for (int l = 0; l < m->attentions[k]; l++) {
            const int heads = tl_model_heads(m, (tl_attention_kind)k, l);
            if (layer && heads) add_heads(tl_value(layer[l].probs), b, k != TL_ENCODER_SELF, heads, mean);
            mean += heads;
        }
    }
    if (m->kind->begin) add_losses(tl_value(losses), b, bins_of(m), mean);
}

/* ---- parts of a batch ---- */

enum { PART = 1024 }; /* about so many tokens of a side at a time, to limit memory for maps */

static tl_batch part_of(const tl_batch *b, long from, long count) {
    tl_batch part = *b;
    part.sentences = count;
    if (b->src) part.src += from * b->src_len;
    if (b->tgt_in) part.tgt_in += from * b->tgt_len;
    if (b->tgt_out) part.tgt_out += from * b->tgt_len;
    if (b->src_lengths) part.src_lengths += from;
    if (b->tgt_lengths) part.tgt_lengths += from;
    if (b->labels) part.labels += from;
    if (b->index) part.index += from;
    if (b->pictures.data) part.pictures.data += from * b->pictures.stride[0], part.pictures.dim[0] = count;
    part.src_tokens = part.tgt_tokens = 0;
    for (long s = 0; s < count; s++) {
        part.src_tokens += token_length(&part, false, s);
        part.tgt_tokens += token_length(&part, true, s);
    }
    return part;
}

/* A batch that is only read (a stage before the task, whose words are hidden) has neither words to write nor labels. */
static bool look_at(const tl_model *m, tl_tape *tape, const tl_batch *b, tl_watch_mean *columns) {
    const tl_loss_options each = {.reduction = TL_REDUCE_NONE};
    tl_model_maps maps = tl_model_maps_new(m, tape, false);
    const tl_var y =
        m->kind->begin ? tl_model_loss(m, tape, b, &each, NULL, &maps) : m->kind->hidden(m, tape, b, &maps);
    if (!tl_ok(y)) return false;
    add_means(m, b, &maps, y, columns);
    return true;
}

bool tl_watch_batch(const tl_model *m, tl_tape *tape, const tl_batch *b, tl_watch_mean *columns) {
    const long training = tl_tape_set_training(tape, 0);
    const bool grad = tl_tape_set_grad(tape, false);
    const long longest = b->src_len > b->tgt_len ? b->src_len : b->tgt_len,
               each = longest > PART || longest < 1 ? 1 : PART / longest;
    bool ok = true;
    for (long from = 0; ok && from < b->sentences; from += each) {
        const tl_batch part = part_of(b, from, b->sentences - from < each ? b->sentences - from : each);
        const tl_mark mark = tl_tape_mark(tape); /* the batch itself may lie on the tape */
        ok = look_at(m, tape, &part, columns);
        if (ok) tl_tape_release(tape, mark);
    }
    tl_tape_set_grad(tape, grad);
    tl_tape_set_training(tape, training);
    return ok;
}
