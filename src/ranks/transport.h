/* How bytes get from rank to rank: an implementation of ranks (serial.c, mpi.c; tests have their own).
 *
 * Nothing here computes. A library that adds chooses the order of a sum itself and does not promise it, so a
 * transport only moves numbers and fold.c adds them. Every function but quit and free returns false, and an error,
 * on failure; after that only quit and free are called. Functions marked "all ranks" are called by all ranks in the
 * same order. */
#ifndef TL_RANKS_TRANSPORT_H
#define TL_RANKS_TRANSPORT_H

#include "tapeloom/tensor.h"

typedef struct tl_transport {
    /* All ranks: all [count][bytes] receives every rank's `mine`, which may already be its place in `all`. */
    bool (*gather)(void *self, const void *mine, void *all, size_t bytes, tl_error *error);
    /* All ranks: all receive rank 0's bytes. */
    bool (*broadcast)(void *self, void *data, size_t bytes, tl_error *error);
    /* Start to send and to receive; the memory belongs to the transport until `wait`. A message may be shorter than
     * the receiver's memory (even 0 bytes), never longer. Between two ranks only one message of a tag is under way
     * at a time; tags are less than most_tags. */
    bool (*send)(void *self, int to, int tag, const void *data, size_t bytes, tl_error *error);
    bool (*receive)(void *self, int from, int tag, void *data, size_t bytes, tl_error *error);
    /* Waits for everything that was started. */
    bool (*wait)(void *self, tl_error *error);
    /* Ends the whole job, this process included, with exit status 1. */
    void (*quit)(void *self);
    void (*free)(void *self);
    int most_tags;
} tl_transport;

#endif
