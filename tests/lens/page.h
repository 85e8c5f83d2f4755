/* Invented numbers for pages: three attentions of two heads over two sentences of different lengths, consistent as a
 * model's are. The contents of a page can be computed from these arrays. */
#ifndef TL_TESTS_LENS_PAGE_H
#define TL_TESTS_LENS_PAGE_H

#include "check.h"

#include "tapeloom.h"

enum { SENTENCES = 2, HEADS = 2, SOURCE = 5, TARGET = 4, MADE = 3 }; /* the longest sentence on each side */

typedef struct made {
    tl_real weights[SENTENCES * HEADS * 5 * 5], scores[SENTENCES * HEADS * 5 * 5];
    tl_real weight_grads[SENTENCES * HEADS * 5 * 5], score_grads[SENTENCES * HEADS * 5 * 5];
    tl_real head_norms[SENTENCES * HEADS * 5 * 5], norms[SENTENCES * 5 * 5];
} made;

typedef struct invented {
    made numbers[MADE];
    tl_seen_attention attention[MADE];
    tl_seen seen;
    tl_sentence sentence[SENTENCES];
    tl_sentences sentences;
    const char *text[SENTENCES][3][SOURCE];
    long word[SENTENCES][3][SOURCE];
    int id[SOURCE];
} invented;

static const int src_lengths[SENTENCES] = {5, 3}, tgt_lengths[SENTENCES] = {4, 2};

static inline tl_tokens tokens_of(invented *v, long b, int side, long count, const char *const *text) {
    for (long i = 0; i < count; i++) v->text[b][side][i] = text[i], v->word[b][side][i] = i;
    return (tl_tokens){count, v->text[b][side], v->id, v->word[b][side], count};
}

/* Row i of head h: softmax over the visible keys, random gradients, dL/dS by its formula (with `sigmoid`
 * A·(1-A)·dL/dA). */
static inline void make_row(tl_seen_attention *a, long b, long h, long i, bool sigmoid) {
    const tl_rng_key key = tl_rng_key_mix(tl_rng_key_of(7, a->name), (uint64_t)(b * 100 + h * 10 + i));
    const long at = ((b * HEADS + h) * a->queries + i) * a->keys;
    double sum = 0, mean = 0;
    for (long j = 0; j < a->keys; j++) {
        a->scores.data[at + j] = (tl_real)tl_rng_normal(key, (uint64_t)(2 * j));
        a->weight_grads.data[at + j] = (tl_real)tl_rng_normal(key, (uint64_t)(2 * j + 1));
        if (tl_mask_shows(&a->mask, b, h, i, j, a->queries, a->keys)) sum += exp(a->scores.data[at + j]);
    }
    for (long j = 0; j < a->keys; j++) {
        const double e = exp(a->scores.data[at + j]);
        const bool shows = tl_mask_shows(&a->mask, b, h, i, j, a->queries, a->keys);
        a->weights.data[at + j] = (tl_real)(!shows ? 0 : sigmoid ? e / (1 + e) : e / sum);
        mean += (double)a->weights.data[at + j] * a->weight_grads.data[at + j];
        a->head_norms.data[at + j] = a->weights.data[at + j] * (tl_real)(1 + h + i);
        if (h == 0) a->norms.data[(b * a->queries + i) * a->keys + j] = a->weights.data[at + j] * 3;
    }
    for (long j = 0; j < a->keys; j++) {
        const double w = a->weights.data[at + j], g = a->weight_grads.data[at + j];
        a->score_grads.data[at + j] = (tl_real)(sigmoid ? w * (1 - w) * g : w * (g - mean));
    }
}

static inline void make_attention(invented *v, int number, tl_attention_kind kind, const char *name,
                                  bool sigmoid) {
    tl_seen_attention *a = &v->attention[number];
    made *m = &v->numbers[number];
    const long queries = kind == TL_ENCODER_SELF ? SOURCE : TARGET,
               keys = kind == TL_DECODER_SELF ? TARGET : SOURCE;
    const tl_shape shape = TL_SHAPE(SENTENCES, HEADS, queries, keys);
    *a = (tl_seen_attention){.kind = kind, .heads = HEADS, .queries = queries, .keys = keys};
    snprintf(a->name, sizeof a->name, "%s", name);
    a->mask = (tl_mask){.key_lengths = kind == TL_DECODER_SELF ? tgt_lengths : src_lengths,
                        .causal = kind == TL_DECODER_SELF};
    a->weights = tl_tensor_of(m->weights, shape), a->scores = tl_tensor_of(m->scores, shape);
    a->weight_grads = tl_tensor_of(m->weight_grads, shape),
    a->score_grads = tl_tensor_of(m->score_grads, shape);
    a->head_norms = tl_tensor_of(m->head_norms, shape);
    a->norms = tl_tensor_of(m->norms, TL_SHAPE(SENTENCES, queries, keys));
    for (long b = 0; b < SENTENCES; b++)
        for (long h = 0; h < HEADS; h++)
            for (long i = 0; i < queries; i++) make_row(a, b, h, i, sigmoid);
}

/* A translator's look. of: the first sentence's tokens, SOURCE + TARGET of them, or NULL. sigmoid: cross-attention's
 * normaliser is the sigmoid. */
static inline void invent(invented *v, const char *const *of, bool sigmoid) {
    static const char *const plain[] = {"the", "cats",  "do",      "sleep", "<eos>",
                                        "les", "chats", "dorment", "<eos>"};
    static const char *const second[] = {"she", "eats", "<eos>", "mange", "<eos>"};
    const char *const *first = of ? of : plain;
    *v = (invented){.seen = {.count = MADE, .value = 1.5, .attention = v->attention}};
    make_attention(v, 0, TL_ENCODER_SELF, "encoder.layers.0.self", false);
    make_attention(v, 1, TL_DECODER_SELF, "decoder.layers.0.self", false);
    make_attention(v, 2, TL_CROSS, "decoder.layers.0.cross", sigmoid);
    const char *const read[2][4] = {{"<bos>", first[5], first[6], first[7]}, {"<bos>", second[3]}};
    v->sentence[0] = (tl_sentence){.source = "the cats do sleep", .target = "les chats dorment", .own = true};
    v->sentence[1] = (tl_sentence){.source = "she eats", .target = "mange"};
    for (long b = 0; b < SENTENCES; b++) {
        const char *const *text = b ? second : first;
        v->sentence[b].src = tokens_of(v, b, 0, src_lengths[b], text);
        v->sentence[b].read = tokens_of(v, b, 1, tgt_lengths[b], read[b]);
        v->sentence[b].written = tokens_of(v, b, 2, tgt_lengths[b], text + src_lengths[b]);
    }
    v->seen.batch = (tl_batch){.sentences = SENTENCES,
                               .src_len = SOURCE,
                               .tgt_len = TARGET,
                               .src_lengths = src_lengths,
                               .tgt_lengths = tgt_lengths};
    v->sentences = (tl_sentences){.count = SENTENCES, .batch = v->seen.batch, .sentence = v->sentence};
}

#endif
