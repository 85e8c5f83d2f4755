/* Gradients of nodes, and scratch memory, for going backward. */
#ifndef TL_SINKS_H
#define TL_SINKS_H

#include "tape.h"

size_t tl_node_bytes(const tl_node *n);
bool tl_node_is_view(const tl_tape *tape, int at);
/* the node that a view was made from: a base, or a view too */
int tl_node_viewed(const tl_tape *tape, int at);
/* Is node `at` the view, or a view of it? */
bool tl_node_is_part_of(const tl_tape *tape, int at, int view);
/* Opens node `at`'s gradient: a part of its base's, or while tape->beside is set, a part of that view's own. */
bool tl_sink_open_node(tl_tape *tape, int at, tl_sink *sink);

/* Takes memory for node `at`'s gradient, and for the gradients of the kept views that contain it. False if out of
 * memory. */
bool tl_sink_room(tl_tape *tape, int at);

/* Scratch memory comes from the same pool as gradients and goes back to it when the operation's backward returns.
 * Until then it is on a list, whose head is behind the public part of tl_back. */
typedef struct tl_scratch {
    struct tl_scratch *next;
    size_t bytes;
} tl_scratch;
typedef struct tl_back_frame {
    tl_back b;
    tl_scratch *first;
} tl_back_frame;

#endif
