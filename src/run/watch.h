/* Watching a model while it learns (--watch N): every N updates a row of watch.csv, and from it the page watch.html.
 *
 * Invariant: watching changes no bit of a training. It only reads gradients and weights. Its one computation is a
 * forward of the update's first batch, before the update, in evaluation mode and without gradients, on a tape that
 * the update resets anyway. */
#ifndef TL_RUN_WATCH_H
#define TL_RUN_WATCH_H

#include "tapeloom/models.h"

/* ---- watch_core.c: plain functions ---- */

enum { TL_WATCH_NAME = 96 };

/* The group of a parameter by its name: "decoder.layers.1.self" (or .cross, .feed_forward, .norms),
 * "encoder.embedding", "output", …; outside layers the first part of its name. Returns `to`. */
char *tl_watch_group(const char *parameter, char to[TL_WATCH_NAME]);

/* Positions in bins, half octaves wide: 0, 1, 2, 3, 4-5, 6-7, 8-11, 12-15, 16-23, … */
int tl_watch_bin(long position);
int tl_watch_bins(long positions); /* bins that positions 0 … positions-1 lie in */
char *tl_watch_bin_text(int bin, char to[TL_WATCH_NAME]);

/* the sum of x², in double, in an order that depends on n alone */
double tl_watch_squares(const tl_real *x, long n);
double tl_watch_distance(const tl_real *x, const tl_real *y, long n); /* the sum of (x - y)², the same */
/* -Σ p·ln p of p[n] with stride, after dividing p by its sum. In nats; -1 for a row without any weight. */
double tl_watch_entropy(const tl_real *p, long n, long stride);

/* A running mean. */
typedef struct tl_watch_mean {
    double sum, count;
} tl_watch_mean;

/* ---- watch_look.c: what a forward shows ---- */

/* The model's columns: streams by side and depth, then heads by kind, layer and head, then bins of positions. Kinds
 * of models that write no words have no bins. */
int tl_watch_columns(const tl_model *model);
/* "rms.encoder.layers.0.residual", "entropy.decoder.layers.1.cross.0", "loss.4-5" */
char *tl_watch_column(const tl_model *model, int column, char to[TL_WATCH_NAME]);
/* Adds a batch to the columns, in parts of few sentences to limit the memory for maps. False, and the tape fails, on
 * failure. */
bool tl_watch_batch(const tl_model *model, tl_tape *tape, const tl_batch *batch, tl_watch_mean *columns);

/* ---- watch_page.c ---- */

/* The page for a table of numbers; free it with tl_buffer_free. title is foreign text. False: out of memory, or no
 * such table. */
struct tl_buffer;
bool tl_watch_page(const char *title, const char *csv, struct tl_buffer *page);

#endif
