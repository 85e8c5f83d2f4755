/* A decoder step without the tape (plain_step.c). */
#ifndef TL_MODELS_PLAIN_STEP_H
#define TL_MODELS_PLAIN_STEP_H

#include "output.h"

#include "nn/attention.h"

/* A layer of the decoder. */
typedef struct tl_plain_layer {
    const tl_attention_layer *self, *cross; /* cross NULL: none */
    const tl_ffn_layer *feed_forward;       /* NULL: none */
    const tl_layer_norm_layer *self_norm, *cross_norm, *feed_forward_norm;
    tl_kv_cache *own;         /* of self */
    const tl_kv_cache *other; /* of cross, with keys by columns (tl_kv_cache_transpose) */
} tl_plain_layer;

/* A decoder: everything that a step reads of it. */
typedef struct tl_plain_decoder {
    const tl_model *model;
    const tl_embedding_layer *embedding;
    double embedding_scale; /* 1: none */
    const tl_positions *positions;
    const tl_plain_layer *layer; /* [layers]; must not move */
    long d_model;
    int layers;
    bool pre_norm;
    const tl_layer_norm_layer *norm; /* after the last layer; NULL: none */
    tl_output output;
} tl_plain_decoder;

/* Can this decoder's steps be computed here? If not, they are computed on the tape. */
bool tl_plain_decoder_fits(const tl_plain_decoder *decoder);

/* A decoder's packed weights and plans. */
typedef struct tl_plain_step tl_plain_step;
/* In the tape's memory, for a decoder that fits; NULL when out of memory. */
tl_plain_step *tl_plain_step_new(tl_tape *tape, const tl_plain_decoder *decoder);

/* The rows that read one more word. */
typedef struct tl_plain_rows {
    const int *words;       /* [rows] */
    long rows, each;        /* row r is of sentence r / each */
    long at;                /* words read before */
    const int *src_lengths; /* [rows / each] lengths of cross's sentences; NULL: all of the cache */
} tl_plain_rows;
/* Computes the logits of every row's next word, [rows,V] in the tape's memory, and appends to the caches. Returns
 * false, without any effect, if the step must be computed on the tape: the tape is watched, keeps no packed weights, or
 * an input is not valid. */
bool tl_plain_step_take(tl_plain_step *step, const tl_plain_rows *rows, tl_tensor *logits);

#endif
