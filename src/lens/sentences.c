/* Sentences as a batch and as tokens. Each sentence is read by itself (sentence_kinds.c); then all become one batch. */
#include "sentences.h"

#include <stdlib.h>
#include <string.h>

/* ---- one batch ---- */

static long longest(const tl_sentence_ids *ids, long count, bool source) {
    long most = 0;
    for (long i = 0; i < count; i++) {
        const long n = source ? ids[i].src_count : ids[i].count;
        if (n > most) most = n;
    }
    return most;
}

typedef struct side {
    int *rows, *lengths;
    long length, tokens;
} side;

/* Lays out the ids that `which` selects, a row a sentence, with padding. */
static bool lay(tl_run *run, tl_sentences *all, const tl_sentence_ids *ids, long length,
                const int *which(const tl_sentence_ids *), bool source, int fill, side *to) {
    *to = (side){.length = length};
    to->rows = tl_sentences_take(run, all, (size_t)(all->count * length) * sizeof *to->rows);
    to->lengths = tl_sentences_take(run, all, (size_t)all->count * sizeof *to->lengths);
    for (long i = 0; to->rows && to->lengths && i < all->count; i++) {
        const long count = source ? ids[i].src_count : ids[i].count;
        for (long t = 0; t < length; t++) to->rows[i * length + t] = t < count ? which(&ids[i])[t] : fill;
        to->lengths[i] = (int)count;
        to->tokens += count;
    }
    return to->rows && to->lengths;
}

static const int *src_of(const tl_sentence_ids *ids) { return ids->src; }
static const int *in_of(const tl_sentence_ids *ids) { return ids->in; }
static const int *out_of(const tl_sentence_ids *ids) { return ids->out; }

static bool lay_pictures(tl_run *run, tl_sentences *all, const tl_sentence_ids *ids) {
    const tl_tensor one = ids[0].picture;
    const tl_shape shape = TL_SHAPE(all->count, one.dim[0], one.dim[1]);
    tl_real *data = tl_sentences_take(run, all, (size_t)tl_shape_numel(shape) * sizeof *data);
    if (!data) return false;
    all->batch.pictures = tl_tensor_of(data, shape);
    all->batch.src_len = one.dim[0];
    for (long i = 0; i < all->count; i++) tl_tensor_copy(tl_at(all->batch.pictures, i), ids[i].picture);
    return true;
}

static bool lay_source(tl_run *run, tl_sentences *all, const tl_sentence_ids *ids) {
    side src;
    if (ids[0].picture.data) return lay_pictures(run, all, ids);
    if (!ids[0].src) return true;
    if (!lay(run, all, ids, longest(ids, all->count, true), src_of, true, TL_PAD, &src)) return false;
    all->batch.src = src.rows;
    all->batch.src_lengths = src.lengths;
    all->batch.src_len = src.length;
    all->batch.src_tokens = src.tokens;
    return true;
}

static bool lay_target(tl_run *run, tl_sentences *all, const tl_sentence_ids *ids) {
    side in, out;
    const int pad = tl_sentence_pad(run);
    const long length = longest(ids, all->count, false);
    if (!ids[0].out) {
        int *labels = tl_sentences_take(run, all, (size_t)all->count * sizeof *labels);
        for (long i = 0; labels && i < all->count; i++) labels[i] = ids[i].label;
        all->batch.labels = labels;
        return labels != NULL;
    }
    if (!lay(run, all, ids, length, in_of, false, pad < 0 ? 0 : pad, &in) ||
        !lay(run, all, ids, length, out_of, false, pad, &out))
        return false;
    all->batch.tgt_in = in.rows;
    all->batch.tgt_out = out.rows;
    all->batch.tgt_lengths = out.lengths;
    all->batch.tgt_len = length;
    all->batch.tgt_tokens = out.tokens;
    return true;
}

bool tl_sentences_of(tl_run *run, const char *const *sources, const char *const *targets, long count,
                     tl_sentences *all) {
    if (all) *all = (tl_sentences){0};
    if (!tl_run_has_model(run)) return false;
    if (!all || count < 1)
        return tl_error_set(&run->error, "sentences: give one or more, and the place for them");
    tl_sentence_ids *ids = calloc((size_t)count, sizeof *ids);
    all->run = run;
    all->token = tl_sentence_token;
    all->count = count;
    all->sentence = tl_sentences_take(run, all, (size_t)count * sizeof *all->sentence);
    bool ok = ids && all->sentence;
    if (!ids) tl_error_set(&run->error, "out of memory for sentences");
    for (long i = 0; ok && i < count; i++)
        ok = tl_sentence_read(run, all, sources ? sources[i] : NULL, targets ? targets[i] : NULL,
                              &all->sentence[i], &ids[i]);
    all->batch = (tl_batch){.sentences = count, .pad = tl_sentence_pad(run)};
    ok = ok && lay_source(run, all, ids) && lay_target(run, all, ids);
    free(ids);
    if (!ok) tl_sentences_free(all);
    return ok;
}

/* ---- rows and columns ---- */

const tl_tokens *tl_seen_rows(const tl_seen_attention *seen, const tl_sentence *sentence) {
    if (!seen || !sentence) return NULL;
    return seen->kind == TL_ENCODER_SELF ? &sentence->src : &sentence->written;
}

const tl_tokens *tl_seen_columns(const tl_seen_attention *seen, const tl_sentence *sentence) {
    if (!seen || !sentence) return NULL;
    return seen->kind == TL_DECODER_SELF ? &sentence->read : &sentence->src;
}
