/* Comparing attention: of two models on the same sentences, and of heads over many sentences.
 *
 *     tl_comparison *heads = tl_comparison_new(tl_run_model(a));
 *     while (tl_set_next(set, &batch)) {
 *         tl_look(tl_run_model(a), tl_run_tape(a), &batch, &(tl_look_options){.no_grad = true}, &seen_a);
 *         tl_look(tl_run_model(b), tl_run_tape(b), &batch, &(tl_look_options){.no_grad = true}, &seen_b);
 *         tl_comparison_add(heads, &seen_a, &seen_b);
 *     }
 *     tl_comparison_order(heads, TL_BY_DIVERGENCE, order);
 *     tl_head_difference most = tl_comparison_head(heads, order[0]);
 *
 * Padding rows, masked keys and rows without any weight are left out. Entropies and divergences are in nats, of each
 * row's weights divided by their sum (which softmax makes 1 anyway). */
#ifndef TAPELOOM_COMPARE_H
#define TAPELOOM_COMPARE_H

#include "lens.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- rows ---- */

/* -Σ p·ln p of p[0], p[stride], …; -1 for a row without any weight. */
double tl_row_entropy(const tl_real *p, long n, long stride);
/* Jensen–Shannon divergence (Lin 1991): (KL(p‖m) + KL(q‖m)) / 2 with m = (p + q) / 2; from 0 (equal rows) to ln 2
 * (no key in common). -1 if either row has no weight. */
double tl_row_divergence(const tl_real *p, long p_stride, const tl_real *q, long q_stride, long n);

/* ---- two models ---- */

/* Can heads of two runs be compared by number? Programs, vocabularies, layers, heads and the shapes of all
 * parameters must be the same. False, and a sentence that says what differs. */
bool tl_comparable(const tl_run *a, const tl_run *b, tl_error *error);

typedef struct tl_head_difference {
    char attention[64];
    int head;
    double rows;       /* how many were compared */
    double divergence; /* mean Jensen–Shannon divergence of a row */
    double absolute;   /* mean |B - A| of an unmasked weight */
    double largest;    /* the largest |B - A| of all */
    double entropy[2]; /* mean over the rows: of A, of B */
} tl_head_difference;  /* without rows, numbers are NaN */

/* Sums over the batches of a comparison, head by head. */
typedef struct tl_comparison tl_comparison;
tl_comparison *tl_comparison_new(const tl_model *model); /* NULL only when out of memory */
void tl_comparison_free(tl_comparison *comparison);
/* Adds what two models did with the same batch. False if the two shapes differ, or are not the model's. */
bool tl_comparison_add(tl_comparison *comparison, const tl_seen *a, const tl_seen *b);
/* heads of all attentions, in the order of tl_seen */
long tl_comparison_count(const tl_comparison *comparison);
tl_head_difference tl_comparison_head(const tl_comparison *comparison, long i);
typedef enum tl_comparison_by { TL_BY_DIVERGENCE, TL_BY_ABSOLUTE } tl_comparison_by;
/* Fills order [count] with the heads' numbers, most different first; ties keep their order, heads without rows come
 * last. */
void tl_comparison_order(const tl_comparison *comparison, tl_comparison_by by, long *order);

/* ---- by relative position ---- */

/* Mean weight of every head by offset (key minus query), from -reach to reach. The mean is over the rows that have a
 * visible key at that offset. */
typedef struct tl_offsets tl_offsets;
/* NULL when out of memory, and for a reach below 0 */
tl_offsets *tl_offsets_new(const tl_model *model, long reach);
void tl_offsets_free(tl_offsets *offsets);
bool tl_offsets_add(tl_offsets *offsets, const tl_seen *seen); /* false if the shape differs */
long tl_offsets_count(const tl_offsets *offsets);              /* heads, as in a comparison */
/* The head with number i: returns its number in its attention, and puts the attention's name into `attention`. */
int tl_offsets_head(const tl_offsets *offsets, long i, char attention[64]);
double tl_offsets_mean(const tl_offsets *offsets, long i, long offset); /* NaN: no row has such a key */
double tl_offsets_rows(const tl_offsets *offsets, long i, long offset); /* how many rows have one */
/* mean weight of a row on keys further away than reach */
double tl_offsets_beyond(const tl_offsets *offsets, long i);

/* ---- how a head behaves in one sentence ---- */

/* Means over a sentence's rows. */
typedef enum tl_head_statistic {
    TL_HEAD_ENTROPY,  /* "entropy"  of a row */
    TL_HEAD_LARGEST,  /* "largest"  a row's largest weight */
    TL_HEAD_FIRST,    /* "first"    weight on the first key */
    TL_HEAD_LAST,     /* "last"     on the last visible key: a source's <eos> */
    TL_HEAD_SAME,     /* "same"     on the key at the query's own position */
    TL_HEAD_PREVIOUS, /* "previous" on the key before that */
    TL_HEAD_NEXT,     /* "next"     on the key after it */
    TL_HEAD_DISTANCE  /* "distance" Σ weight·|key - query| */
} tl_head_statistic;
enum { TL_HEAD_STATISTICS = 8 };
const char *tl_head_statistic_name(tl_head_statistic statistic);    /* NULL if there is none */
const char *tl_head_statistic_meaning(tl_head_statistic statistic); /* a line */
bool tl_head_statistic_of(const char *name, tl_head_statistic *statistic);
/* Of head h in sentence b; NaN if no row has any weight. */
double tl_head_value(const tl_seen *seen, const tl_seen_attention *attention, tl_head_statistic statistic,
                     long b, long h);

#ifdef __cplusplus
}
#endif
#endif
