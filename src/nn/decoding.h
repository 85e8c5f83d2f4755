/* What greedy and beam search share: rows of words that grow by one a step, and the model's logits for the next.
 *
 * A batch is sentences × `each` rows; row r continues sentence r / each. Without caches the whole prefix is computed
 * anew at every step. With caches a step computes one position only: its key and value are written behind those of
 * earlier positions, and the encoder's keys and values are projected once a sentence; all its rows look at them. The
 * numbers are the same, to the bit, because every element of a product is a chain over k alone and softmax's sums
 * are prefix-stable. Everything lives on the tape. */
#ifndef TL_NN_DECODING_H
#define TL_NN_DECODING_H

#include "tapeloom/nn.h"

typedef struct tl_layer_cache {
    const struct tl_decoding *of;
    tl_tensor k, v;               /* [rows,H,capacity,d_k] over memory laid out [rows,capacity,d_model] */
    tl_tensor memory_k, memory_v; /* the encoder's, [sentences,H,S,d_k] */
} tl_layer_cache;

typedef struct tl_decoding {
    const tl_transformer *model;
    tl_tape *tape;
    long sentences, each, capacity;
    int bos;
    int *limits;           /* of the sentences that it began with: most words a row */
    int *ids;              /* [rows,capacity] the words so far; whoever searches writes them */
    int *lengths;          /* [sentences] of the sources */
    long at;               /* the position that the step computes */
    tl_layer_cache *layer; /* NULL: no caches, but … */
    tl_tensor memory;      /* … the encoder's output, [rows,S,d_model] */
    int *prefix, *prefix_lengths, *row_lengths;
    bool reused; /* weights, before it began: then they stay packed when it ends */
} tl_decoding;

typedef struct tl_decoding_options {
    int bos;
    double max_ratio;
    long max_extra;
    bool no_cache;
} tl_decoding_options;

/* Encodes the sources src [sentences,length]; from here on weights are packed once. d holds model, tape, sentences and
 * each. False, and an error on the tape, on failure. */
bool tl_decoding_begin(tl_decoding *d, const int *src, long length, const int *lengths,
                       const tl_decoding_options *options);
/* After a search, whether or not it began well. */
void tl_decoding_end(tl_decoding *d);
/* Logits [rows,1,V] for word t of every row, from words 0 … t-1 in ids. */
tl_var tl_decoding_step(tl_decoding *d, long t);
/* The first `count` words and cached positions of row `from` become row `to`'s. */
void tl_decoding_copy_row(tl_decoding *d, long to, long from, long count);
/* Drops all sentences but kept[0] < kept[1] < …, which move up with their first `count` words and positions. */
void tl_decoding_keep(tl_decoding *d, const long *kept, long sentences, long count);

void *tl_decoding_zeroed(tl_tape *tape, size_t bytes);

#endif
