/* The way of a stream to the logits, in any model: what is added, which norms follow, what reads the result. */
#ifndef TL_LENS_LOGITS_PATH_H
#define TL_LENS_LOGITS_PATH_H

#include "tapeloom/logits.h"

typedef enum tl_station_kind {
    TL_AT_EMBEDDING,
    TL_AT_ATTENTION,
    TL_AT_FEED_FORWARD,
    TL_AT_NORM
} tl_station_kind;
typedef struct tl_station {
    tl_station_kind kind;
    int layer; /* -1: after the last layer */
    tl_attention_kind of;
    const tl_attention_layer *attention;
    const tl_ffn_layer *feed_forward;
    const tl_layer_norm_layer *norm;
    const char *norm_name; /* "norm1" */
} tl_station;

typedef enum tl_read_from { TL_READS_PLACE, TL_READS_CLS, TL_READS_MEAN } tl_read_from;
typedef struct tl_logit_path {
    const tl_model *model;
    tl_stream_side side;
    tl_read_from from; /* read from the position itself, [CLS], or the mean */
    bool normalised;   /* post-norm: each layer's stream is already normalised */
    long d_model;
    int layers, stations;
    tl_station *station;                       /* [stations] */
    const tl_layer_norm_layer *final;          /* NULL: none */
    tl_param *weight, *bias;                   /* the projection, [V,D] and [V] or NULL */
    const tl_embedding_layer *embedding, *cls; /* cls NULL: none */
    double scale;                              /* factor of embeddings */
    const tl_attention_layer *pooling;         /* for means: the pooling */
} tl_logit_path;

/* Lies in the tape's memory. False, and the tape fails with a sentence, for a model without such a way. */
bool tl_logit_path_of(const tl_model *model, tl_tape *tape, tl_logit_path *path);

#endif
