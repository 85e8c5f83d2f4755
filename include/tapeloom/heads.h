/* What each attention head does, over a set of sentences: how important it is, where it looks, how well it aligns
 * words, and the loss without it.
 *
 *     tl_set *set = tl_set_new(run, NULL);
 *     tl_heads_table table;
 *     tl_heads_measure(run, set, &(tl_heads_options){.zero = true}, &table);
 *     for (tl_heads_row *r = table.row; r < table.row + table.count; r++)
 *         printf("%s %d: %.3f\n", r->attention, r->head, r->importance);
 *     tl_heads_table_free(&table);
 *
 * The first half of this header works on plain numbers, the second half on runs and sets. */
#ifndef TAPELOOM_HEADS_H
#define TAPELOOM_HEADS_H

#include "lens.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- importance: what the loss would change if a head counted for more ---- */

/* For one head and one sentence, with context C and its gradient dC [T,d_k] (any strides, no padding): Σ_t Σ_d C·dC.
 * That is the derivative of the loss at g = 1 by a gate g that multiplies the context (Michel et al. 2019, equation
 * 2, without the absolute value). NaN if the shapes differ. */
double tl_head_gate_grad(tl_tensor context, tl_tensor grad);
/* Σ_t |Σ_d C·dC|: with the absolute value at each token, as in the code released by Michel et al. */
double tl_head_gate_grad_per_token(tl_tensor context, tl_tensor grad);
/* Divides the importance of one attention's heads by its ℓ2 norm (Michel et al. 2019, section 4.1, after Molchanov
 * et al. 2017). If all are 0 they stay 0. */
void tl_heads_normalise(double *importance, long heads);

/* ---- habits: where a head looks ---- */

typedef struct tl_head_map {   /* one head in one sentence, without padding */
    tl_tensor weights;         /* [T,S] of any strides */
    const bool *sees;          /* [T,S] does row i see column j? NULL: every row sees all */
    const bool *row_is_end;    /* [T] is it <eos>? NULL: none is */
    const bool *column_is_end; /* [S] the same */
    /* Rows and columns have no common order (patches of a picture, a query without a position): no offsets, no
     * distances. */
    bool no_places;
} tl_head_map;

/* Sums over many maps of one head. NULL only when out of memory. */
typedef struct tl_head_sums tl_head_sums;
tl_head_sums *tl_head_sums_new(void);
void tl_head_sums_free(tl_head_sums *sums);
/* Adds a map. False, with the sums unchanged, when out of memory or if weights does not have two axes. */
bool tl_head_sums_add(tl_head_sums *sums, const tl_head_map *map);

/* Numbers without any row to compute them from are NaN. */
typedef struct tl_head_habits {
    /* Over the rows that are not <eos> and see a column that is not <eos>; columns that are <eos> are left out, as
     * Voita et al. 2019 define it ("the average of its maximum attention weight excluding the end of sentence
     * symbol", section 4; "not a real token"): */
    long rows;         /* how many */
    double confidence; /* mean of the largest weight */
    /* The most frequent offset, column minus row, of the largest weight. Ties go to the one nearest to 0, then to
     * the negative one. */
    long offset;
    double share;    /* share of rows whose largest weight is at this offset */
    double reach;    /* the same among rows that have a visible column there */
    bool positional; /* share is 0.9 or more (Voita et al. 2019, section 5.1) */
    /* Over all rows and all columns: */
    double entropy; /* nats, of a row's weights divided by their sum */
    /* entropy summed over rows, divided by the same sum for equal weights on all visible columns: 0 … 1 */
    double against_uniform;
    double distance; /* |column - row| in tokens, weighted */
    /* share of the weight on the first column; on the other columns that are <eos> */
    double first, end;
} tl_head_habits;
tl_head_habits tl_head_habits_of(const tl_head_sums *sums);
#define TL_POSITIONAL_SHARE 0.9

/* ---- alignment ---- */

/* For each row of words [T,S] (tl_words_of) a link to its largest column (ties go to the first); none for a row of
 * zeros. Writes links [T], sorted by target, and returns how many. */
long tl_head_links(tl_tensor words, tl_link *links);

/* Alignment error rate (Och & Ney 2003) over many sentences, all true links being sure: 1 - (|A∩S| + |A∩P|) / (|A| +
 * |S|) with P = S. */
typedef struct tl_alignment_errors {
    long found, sure, both; /* |A|, |S|, |A∩S| */
} tl_alignment_errors;
/* Adds a sentence. Neither list may hold a link twice. */
void tl_alignment_errors_add(tl_alignment_errors *errors, const tl_link *links, long count,
                             const tl_link *truth, long true_count);
double tl_alignment_error_rate(const tl_alignment_errors *errors); /* 0 … 1; NaN without a link */

/* ---- ranks ---- */

/* Spearman's rank correlation of a and b [count]; ties get the mean of their ranks. Pairs with a NaN are left out.
 * NaN if fewer than two pairs are left, or if a or b is constant. */
double tl_rank_correlation(const double *a, const double *b, long count);

/* ---- over a set ---- */

/* How many heads all attentions of a run's model have together; 0 if it has no attention. */
long tl_heads_count(const tl_run *run);
/* Fills importance [tl_heads_count], attentions in the order of tl_seen.attention, heads within. A head's importance is
 * the mean over the set's sentences of |Σ_t Σ_d C·dC|, with per_token of Σ_t |Σ_d C·dC|, divided by the ℓ2 norm over
 * its attention's heads. The loss is the training loss, summed over a sentence's tokens. Padding is left out. False,
 * and the run's error, on failure. */
bool tl_heads_importance(tl_run *run, tl_set *set, bool per_token, double *importance);

/* For a head in sentence b of a look: Σ_t Σ_d C·dC, which is the derivative of the sentence's part of the objective
 * by the head's gate; with per_token Σ_t |Σ_d C·dC|. NaN if the look had no gradients. */
double tl_seen_gate_grad(const tl_seen *seen, const tl_seen_attention *attention, long b, long h,
                         bool per_token);
/* How many rows, and columns, of sentence b are not padding. */
long tl_seen_real_rows(const tl_seen *seen, const tl_seen_attention *attention, long b);
long tl_seen_real_columns(const tl_seen *seen, const tl_seen_attention *attention, long b);

typedef struct tl_heads_row { /* one head; NaN: not measured, or not known */
    char attention[64];       /* "decoder.layers.1.cross" */
    tl_attention_kind kind;
    int layer, head;   /* from 0 */
    double importance; /* tl_heads_importance */
    double raw;        /* the same, not divided by the norm: nats a sentence */
    tl_head_habits habits;
    double alignment_error_rate;  /* of cross-attention, if true alignments are known */
    double loss_zero, score_zero; /* of the model with the head's context replaced by 0 */
    double loss_mean, score_mean; /* … by its mean */
} tl_heads_row;

/* What tl_heads_measure measures besides importance and habits. */
typedef struct tl_heads_options {
    bool per_token;  /* importance: absolute value at each token */
    bool zero, mean; /* measure the loss without each head: each takes one pass a head */
    bool score;      /* also the run's score, which needs searches */
    /* Called before the first and after each step ("heads", "without a head"); may be NULL. If it returns false, the
     * function stops and returns false without an error. */
    bool (*progress)(void *context, const char *what, long done, long total);
    void *context;
} tl_heads_options;

/* A row for every head. Free it with tl_heads_table_free. */
typedef struct tl_heads_table {
    long count;
    tl_heads_row *row; /* [count] in the order of tl_seen.attention, heads within */
    long sentences;
    /* of the whole model on the set: nats a token, no smoothing; NaN: not measured */
    double loss, score;
    /* Spearman's rank correlation, over all heads, of `importance` and of `raw` with the increase of the loss
     * without the head; NaN: not measured. */
    double agreement_zero, agreement_mean, raw_agreement_zero, raw_agreement_mean;
} tl_heads_table;

/* Measures all of it: one pass over the set to look, and with zero or mean one more for every head. The mean that
 * replaces a head's context is taken over all real rows of this set. What acts on the run (tl_run_act_at) is
 * switched off meanwhile and restored afterwards. options may be NULL. False, and the run's error, on failure; the
 * table is then empty. */
bool tl_heads_measure(tl_run *run, tl_set *set, const tl_heads_options *options, tl_heads_table *table);
void tl_heads_table_free(tl_heads_table *table);

#ifdef __cplusplus
}
#endif
#endif
