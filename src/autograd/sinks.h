/* For the walk back: nodes' gradients, and what a backward function takes beside them. */
#ifndef TL_SINKS_H
#define TL_SINKS_H

#include "tape.h"

size_t tl_node_bytes(const tl_node *n);
bool tl_node_is_view(const tl_tape *tape, int at);
int tl_node_viewed(const tl_tape *tape, int at); /* what a view is a view of: a base, or a view */
/* Is node `at` the view, or a view of it? */
bool tl_node_is_part_of(const tl_tape *tape, int at, int view);
/* Node `at`'s gradient: a part of its base's, or while tape->beside is set of that view's own. */
bool tl_sink_open_node(tl_tape *tape, int at, tl_sink *sink);

/* Scratch is taken from the gradients' memory and goes back when the operation's backward returns: until then it is
 * on a list that starts in the tl_back behind the public part. */
typedef struct tl_scratch {
    struct tl_scratch *next;
    size_t bytes;
} tl_scratch;
typedef struct tl_back_frame {
    tl_back b;
    tl_scratch *first;
} tl_back_frame;

#endif
