/* Patching: sentence A is run with another sentence B's values at chosen places, and the result says how much of the
 * way from A to B a number goes (activation patching: Vig et al. 2020; Meng et al. 2022; Wang et al. 2023). Beside
 * it stands what one gradient predicts for it (attribution patching: Nanda 2023; Syed et al. 2023).
 *
 *     tl_patch *patch = tl_patch_new(model, tape, &a.batch, &b.batch, &objective);
 *     tl_patched got;
 *     tl_patch_place at = {.places = "decoder.layers.1.cross.context", .where = {.heads = {2, 3}}};
 *     tl_patch_run(patch, &at, 1, &got);
 *
 * Functions report failure on the model's tape. */
#ifndef TAPELOOM_PATCH_H
#define TAPELOOM_PATCH_H

#include "lens.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_patch tl_patch; /* both runs: the values at every place, and A's gradients */

/* Runs both sentences, A with gradients. Sentences of the two batches are paired in order. The objective m is A's in
 * every run, also in B's: A's true tokens, targets and labels. Model, tape and batches must outlive the patch. Every
 * function here resets the tape; this one also overwrites the parameters' gradients. NULL, and the tape fails, on
 * failure. */
tl_patch *tl_patch_new(const tl_model *model, tl_tape *tape, const tl_batch *a, const tl_batch *b,
                       const tl_objective *objective);
void tl_patch_free(tl_patch *patch);
double tl_patch_value_a(const tl_patch *patch); /* m of A unpatched */
double tl_patch_value_b(const tl_patch *patch);

/* Places (a name or a pattern), and where in them; {0}: everywhere. Keys are for scores, patterns, keys and values.
 * Positions are for all other places, and for the queries of scores and patterns. */
typedef struct tl_patch_place {
    const char *places;
    tl_replaced where;
} tl_patch_place;

/* The result of one patch. */
typedef struct tl_patched {
    double value;  /* m of A with B's values */
    double effect; /* value - m_A */
    /* of the effect: Σ (a_B - a_A)·dm/da at A, to first order. If one chosen place feeds another, the estimate
     * counts what goes through both twice; in the run the later place hides it. */
    double estimate;
} tl_patched;
/* Runs A with B's values in these places. The sentences must have equal numbers of tokens on the sides of these
 * places. False, and the tape fails, if they do not or if there is no such place. Patching A by A changes no bit.
 * Patching every position of the stream at one depth, and of the encoder's last depth if there is an encoder, gives
 * B's bits. */
bool tl_patch_run(tl_patch *patch, const tl_patch_place *places, int count, tl_patched *patched);

/* How far an effect, or its estimate, goes from A to B: effect / (m_B - m_A), 0 as A, 1 as B. NaN if m_A and m_B
 * differ by less than TL_PATCH_LEAST times the larger of |m_A|, |m_B| and 1, since the quotient would be mostly
 * rounding. */
#define TL_PATCH_LEAST 1e-4
double tl_patch_score(const tl_patch *patch, double effect);
bool tl_patch_has_score(const tl_patch *patch);

/* ---- tables ---- */

/* What the rows and columns of a table are. */
typedef enum tl_patch_by {
    TL_PATCH_HEADS,     /* rows: places with heads; columns: heads */
    TL_PATCH_POSITIONS, /* rows: places; columns: positions */
    TL_PATCH_PLACES     /* rows: places, the whole of each */
} tl_patch_by;
/* What a table patches; {0} or NULL: every head. */
typedef struct tl_patch_options {
    tl_patch_by by;
    /* the rows; NULL: by heads "*.context", by positions the stream at every depth, by places all */
    const char *places;
    tl_replaced where;                                    /* only within these */
    bool (*progress)(void *context, long done, long all); /* after each run; false ends it; may be NULL */
    void *context;
} tl_patch_options;
/* A cell of a table. */
typedef struct tl_patch_cell {
    bool there; /* false: this row is shorter */
    tl_patched patched;
} tl_patch_cell;
/* The results of all patches. Free it with tl_patch_table_free. */
typedef struct tl_patch_table {
    tl_patch_by by;
    long rows, columns, first; /* columns are heads or positions first, first+1, … */
    tl_place_name *row;        /* [rows] */
    tl_patch_cell *cell;       /* [rows,columns] */
    long cells;                /* cells that are there */
    /* Pearson's correlation of effect and estimate over the cells; NaN for fewer than two, or if one of them is
     * constant */
    double correlation;
} tl_patch_table;
/* One run for each cell. options NULL: by heads. NULL, and the tape fails, on failure. */
tl_patch_table *tl_patch_table_new(tl_patch *patch, const tl_patch_options *options);
void tl_patch_table_free(tl_patch_table *table);

/* Pearson's correlation of n pairs; NaN for fewer than two, or if x or y is constant. */
double tl_correlation(const double *x, const double *y, long n);

#ifdef __cplusplus
}
#endif
#endif
