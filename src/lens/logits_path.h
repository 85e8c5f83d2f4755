/* The way of a stream to the logits, whatever the model is: what is added, which norms it goes through, what reads it. */
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
    int layer; /* -1: behind the last */
    tl_attention_kind of;
    const tl_attention *attention;
    const tl_feed_forward *feed_forward;
    const tl_layer_norm_layer *norm;
    const char *norm_name; /* "norm1" */
} tl_station;

typedef enum tl_read_from { TL_READS_PLACE, TL_READS_CLS, TL_READS_MEAN } tl_read_from;
typedef struct tl_logit_path {
    const tl_model *model;
    tl_stream_side side;
    tl_read_from from; /* the position that writes, [CLS], or the mean of all */
    bool normalised;   /* post-norm: each layer's stream has been through a norm already */
    long d_model;
    int layers, stations;
    tl_station *station;                       /* [stations] */
    const tl_layer_norm_layer *final;          /* NULL: none */
    tl_param *weight, *bias;                   /* of the projection, [V,D] and [V] or NULL */
    const tl_embedding_layer *embedding, *cls; /* cls NULL: none */
    double scale;                              /* of embeddings */
    const tl_attention *pooling;               /* of means */
} tl_logit_path;

/* In the tape's memory. False, and the tape fails with a sentence, for a model without one. */
bool tl_logit_path_of(const tl_model *model, tl_tape *tape, tl_logit_path *path);

#endif
