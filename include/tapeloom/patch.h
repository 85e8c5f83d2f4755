/* Patching: a sentence A is run with what another sentence B had at chosen places, and a number is asked how much of the way from A to
 * B that goes (activation patching: Vig et al. 2020; Meng et al. 2022; Wang et al. 2023). Beside it what one gradient would have foretold of
 * it (attribution patching: Nanda 2023; Syed et al. 2023).
 *
 *     tl_patch *patch = tl_patch_new(model, tape, &a.batch, &b.batch, &objective);
 *     tl_patched got;
 *     tl_patch_run(patch, &(tl_patch_place){.places = "decoder.layers.1.cross.context", .where = {.heads = {2, 3}}}, 1, &got);
 *
 * Functions fail on the model's tape. */
#ifndef TAPELOOM_PATCH_H
#define TAPELOOM_PATCH_H

#include "lens.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_patch tl_patch; /* two runs, what stood in every place of both, and the gradients of A's */

/* Runs both, A with its gradients. A batch's sentences are paired in their order. The objective m is A's: its true tokens, its
 * targets and labels, in every run, B's too. Model, tape and batches must outlive the patch; the tape is reset by every function here,
 * and gradients of parameters are overwritten by this one. NULL, and the tape fails, on failure. */
tl_patch *tl_patch_new(const tl_model *model, tl_tape *tape, const tl_batch *a, const tl_batch *b,
                       const tl_objective *objective);
void tl_patch_free(tl_patch *patch);
double tl_patch_value_a(const tl_patch *patch); /* m of A as it is */
double tl_patch_value_b(const tl_patch *patch);

/* Places (a name or a pattern), and where in them; {0}: everywhere. Keys are those of scores, patterns, keys and values, positions
 * those of all other places, and of scores' and patterns' queries. */
typedef struct tl_patch_place {
    const char *places;
    tl_replaced where;
} tl_patch_place;

/* What came of one patch. */
typedef struct tl_patched {
    double value;  /* m of A with what is B's */
    double effect; /* value - m_A */
    double
        estimate; /* of the effect: Σ (a_B - a_A)·dm/da at A, to the first order. Where one chosen place feeds another, what goes
                        through both is counted for both; run, the later one hides it. */
} tl_patched;
/* A with B's values in these places. Sentences must have as many tokens on the sides that the places stand on: otherwise, and where
 * there is no such place, false, and the tape fails. A by A changes no bit; all positions of the stream at one depth by B's, with the
 * encoder's last where there is one, give B's bits. */
bool tl_patch_run(tl_patch *patch, const tl_patch_place *places, int count, tl_patched *patched);

/* Share of the way from A to B that an effect, or its estimate, goes: effect / (m_B - m_A), 0 as A, 1 as B. NaN where B differs from A
 * by less than TL_PATCH_LEAST times the larger of |m_A|, |m_B| and 1: a share of what is mostly rounding would be no number to print. */
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
    const char
        *places; /* rows; NULL: "*.context" by heads; by positions the stream at every depth; by places all */
    tl_replaced where;                                    /* what is patched is within these */
    bool (*progress)(void *context, long done, long all); /* after each run; false ends it. NULL: nobody */
    void *context;
} tl_patch_options;
/* A cell of a table. */
typedef struct tl_patch_cell {
    bool there; /* rows may be of different lengths */
    tl_patched patched;
} tl_patch_cell;
/* What came of all patches. Free it with tl_patch_table_free. */
typedef struct tl_patch_table {
    tl_patch_by by;
    long rows, columns, first; /* columns are heads or positions first, first+1, … */
    tl_place_name *row;        /* [rows] */
    tl_patch_cell *cell;       /* [rows,columns] */
    long cells;                /* that are there */
    double
        correlation; /* Pearson's, of effect and estimate over them; NaN of fewer than two, or where one of them never changes */
} tl_patch_table;
/* A run for every cell; options NULL: by heads. NULL, and the tape fails, on failure. */
tl_patch_table *tl_patch_table_new(tl_patch *patch, const tl_patch_options *options);
void tl_patch_table_free(tl_patch_table *table);

/* Pearson's correlation of n pairs; NaN of fewer than two, or where x or y is the same in all. */
double tl_correlation(const double *x, const double *y, long n);

#ifdef __cplusplus
}
#endif
#endif
