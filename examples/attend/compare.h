/* What the parts of attend compare share: one model or two, and their looks at the same sentences. */
#ifndef ATTEND_COMPARE_H
#define ATTEND_COMPARE_H

#include "program.h"

typedef struct comparing {
    const settings *s;
    tl_run *run[2]; /* the second one NULL: only one model */
    tl_set *set;
} comparing;

static inline int models_of(const comparing *c) { return c->run[1] ? 2 : 1; }

/* compare.c: both models look at a batch. False, and an error, on failure. */
bool look_both(const comparing *c, const tl_batch *batch, tl_seen seen[2], tl_error *error);
/* Goes through all batches of the settings' set, with a progress bar; `each` returns false, and an error, on
 * failure. */
typedef bool each_seen(void *context, const tl_batch *batch, const tl_seen seen[2], tl_error *error);
bool look_at_set(comparing *c, each_seen *each, void *context, tl_error *error);

/* compare_maps.c: one head's maps on the terminal; with --csv every pair of all heads. */
void compare_maps(const tl_seen seen[2], const tl_sentence *sentence, const tl_head_difference *head);
bool write_cells(const comparing *c, const tl_seen seen[2], const tl_sentence *sentence, tl_error *error);

/* Weights by relative position, for one model or two. */
typedef struct curves {
    const comparing *c;
    tl_offsets *of[2];
    long reach, count; /* heads */
} curves;
/* Of model 0 or 1; 2: their difference. Offset reach+1 stands for all keys further away. */
double offset_value(const curves *k, int which, long head, long offset);
bool has_offsets(const curves *k, long head);        /* has the model such a head? */
bool draw_offsets(const curves *k, tl_error *error); /* --svg: compare_picture.c */

/* compare_offsets.c, compare_extreme.c */
bool compare_offsets(comparing *c, tl_error *error);
bool compare_extreme(comparing *c, tl_error *error);

#endif
