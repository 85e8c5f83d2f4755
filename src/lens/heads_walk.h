/* What one pass over a set adds up of every head. */
#ifndef TL_LENS_HEADS_WALK_H
#define TL_LENS_HEADS_WALK_H

#include "tapeloom/heads.h"

typedef struct tl_heads_found {
    long count; /* heads, in the order of tl_seen.attention, heads within */
    long sentences;
    double *importance; /* [count] summed over the sentences */
    /* The rest is NULL where nobody asked for it. */
    tl_heads_row *row;              /* [count] whose head each is */
    tl_head_sums **habits;          /* [count] */
    tl_alignment_errors *alignment; /* [count] */
    long width;                     /* d_k of the widest */
    double *context;                /* [count,width] summed over real rows, */
    long *rows, *widths;            /* [count] so many; d_k of each */
} tl_heads_found;

/* False, and the run's error, on failure; free in any case. all: everything, or importance alone. */
bool tl_heads_found_new(tl_run *run, bool all, tl_heads_found *found);
void tl_heads_found_free(tl_heads_found *found);
/* Goes through the set once. options (per_token, progress) may be NULL. False, and the run's error, on failure; false without one if
 * progress said so. */
bool tl_heads_walk(tl_run *run, tl_set *set, const tl_heads_options *options, tl_heads_found *found);

/* Importance, divided by the norm over each attention's heads: whether sums or means are divided is the same. */
void tl_heads_finish(const tl_run *run, const tl_heads_found *found, double *importance);

/* A classifier's query, which has no place among what it looks at. */
bool tl_seen_is_pooling(const tl_seen *seen, const tl_seen_attention *attention);
/* Head h of sentence b, [T,…], the first `rows` rows. */
tl_tensor tl_seen_rows_of(tl_tensor t, long b, long h, long rows);
/* The run's error, through its tape; returns false. */
bool tl_heads_fail(tl_run *run, const char *why);

#endif
