/* Communication between ranks, over any transport. NULL stands for one rank: then nothing is sent, and all agree.
 *
 * Functions return false, and an error, on failure. All but send, receive and wait are called by all ranks in the
 * same order. A rank that leaves this order ends with tl_ranks_end and `failed`, which ends the others. After a
 * failure here a rank is out of step: all later calls fail, so that no rank goes on as if it were in step. */
#ifndef TL_RANKS_RANKS_H
#define TL_RANKS_RANKS_H

#include "tapeloom/ranks.h"
#include "transport.h"

enum { TL_RANKS_TEXT = 128 };

struct tl_ranks {
    int count, number, threads;
    const tl_transport *transport;
    void *self;
    bool all_know; /* every rank has learnt of a failure: each ends by itself */
    bool broken;   /* a failure has put this rank out of step: it sends nothing more */
    char text[TL_RANKS_TEXT], host[TL_RANKS_TEXT];
};

/* For an implementation. Takes over self, which the transport's free frees, also on failure. NULL only when out of
 * memory. */
tl_ranks *tl_ranks_over(const tl_transport *transport, void *self, int count, int number);

/* all [count][bytes] receives every rank's bytes. */
bool tl_ranks_gather(tl_ranks *ranks, const void *mine, void *all, size_t bytes, tl_error *error);
/* The same for texts and lists of different lengths: one after the other in *all, which the caller frees, with
 * each[count] bytes. */
bool tl_ranks_gather_bytes(tl_ranks *ranks, const void *mine, size_t bytes, char **all, size_t *each,
                           tl_error *error);
/* All receive rank 0's bytes. */
bool tl_ranks_broadcast(tl_ranks *ranks, void *data, size_t bytes, tl_error *error);

/* See transport.h. */
bool tl_ranks_send(tl_ranks *ranks, int to, int tag, const void *data, size_t bytes, tl_error *error);
bool tl_ranks_receive(tl_ranks *ranks, int from, int tag, void *data, size_t bytes, tl_error *error);
bool tl_ranks_wait(tl_ranks *ranks, tl_error *error);

#endif
