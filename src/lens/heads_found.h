/* The sums of one pass over a set, for every head. */
#ifndef TL_LENS_HEADS_FOUND_H
#define TL_LENS_HEADS_FOUND_H

#include "tapeloom/heads.h"

typedef struct tl_heads_found {
    long count; /* heads, in the order of tl_seen.attention, heads within */
    long sentences;
    double *importance; /* [count] summed over the sentences */
    /* The rest is NULL unless asked for. */
    tl_heads_row *row;              /* [count] names the heads */
    tl_head_sums **habits;          /* [count] */
    tl_alignment_errors *alignment; /* [count] */
    long width;                     /* the largest d_k */
    double *context;                /* [count,width] summed over real rows, */
    long *rows, *widths;            /* [count] how many rows; d_k of each head */
} tl_heads_found;

/* all: everything; otherwise importance only. False, and the run's error, on failure. Free it in any case. */
bool tl_heads_found_new(tl_run *run, bool all, tl_heads_found *found);
void tl_heads_found_free(tl_heads_found *found);
/* One pass over the set. options (per_token, progress) may be NULL. False, and the run's error, on failure; false
 * without an error if progress returned false. */
bool tl_heads_walk(tl_run *run, tl_set *set, const tl_heads_options *options, tl_heads_found *found);

/* Importance, divided by the norm over each attention's heads. Sums need not be divided into means first: the norm
 * cancels the count. */
void tl_heads_finish(const tl_run *run, const tl_heads_found *found, double *importance);

/* Is it a classifier's pooling, whose query has no position among the keys? */
bool tl_seen_is_pooling(const tl_seen *seen, const tl_seen_attention *attention);
/* Head h of sentence b, [T,…], without rows after the first `rows`. */
tl_tensor tl_seen_rows_of(tl_tensor t, long b, long h, long rows);
/* Sets the run's error through its tape; returns false. */
bool tl_heads_fail(tl_run *run, const char *why);

#endif
