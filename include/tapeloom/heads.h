/* What each head of each attention does, over a set of sentences: how important it is, where it looks, whether it aligns, and what the
 * loss is without it.
 *
 *     tl_set *set = tl_set_new(run, NULL);
 *     tl_heads_table table;
 *     tl_heads_measure(run, set, &(tl_heads_options){.zero = true}, &table);
 *     for (long i = 0; i < table.count; i++) printf("%s %d: %.3f\n", table.row[i].attention, table.row[i].head, table.row[i].importance);
 *     tl_heads_table_free(&table);
 *
 * The upper half of this header are functions over plain numbers, the lower half is over runs and sets. */
#ifndef TAPELOOM_HEADS_H
#define TAPELOOM_HEADS_H

#include "lens.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- importance: what the loss would change if a head counted for more ---- */

/* Of one head of one sentence, context C and its gradient dC [T,d_k], of any strides, without padding: Σ_t Σ_d C·dC. That is the
 * derivative of the loss by a gate g that the context is multiplied by, at g = 1 (Michel et al. 2019, equation 2, without the
 * absolute value). NaN if the shapes differ. */
double tl_head_gate_grad(tl_tensor context, tl_tensor grad);
/* Σ_t |Σ_d C·dC|: the absolute value of each token, as the code that Michel et al. have released takes it. */
double tl_head_gate_grad_per_token(tl_tensor context, tl_tensor grad);
/* Divides the importance of the heads of one attention by its ℓ2 norm (Michel et al. 2019, section 4.1, after Molchanov et al. 2017);
 * where all are 0 they stay 0. */
void tl_heads_normalise(double *importance, long heads);

/* ---- habits: where a head looks ---- */

typedef struct tl_head_map {   /* of one head, one sentence, without padding */
    tl_tensor weights;         /* [T,S] of any strides */
    const bool *sees;          /* [T,S] does row i see column j? NULL: every row sees all */
    const bool *row_is_end;    /* [T] is it <eos>? NULL: none is */
    const bool *column_is_end; /* [S] the same */
    bool
        no_places; /* rows and columns do not stand in one order (patches of a picture, a query without a place): there are no
                       offsets and no distances */
} tl_head_map;

/* What many maps of one head add up to. NULL only when out of memory. */
typedef struct tl_head_sums tl_head_sums;
tl_head_sums *tl_head_sums_new(void);
void tl_head_sums_free(tl_head_sums *sums);
/* Adds a map. False when out of memory, or if weights has not two axes; sums are as they were then. */
bool tl_head_sums_add(tl_head_sums *sums, const tl_head_map *map);

/* What has no row to be told from is NaN. */
typedef struct tl_head_habits {
    /* Over rows that are not <eos>, columns that are <eos> left out, as Voita et al. 2019 define it ("the average of its maximum
     * attention weight excluding the end of sentence symbol", section 4; "not a real token"): */
    long rows;         /* so many, of those that see another column */
    double confidence; /* mean of the largest weight */
    /* Column minus row at which the largest weight stands most often; of equals the one nearest to 0, then the negative one. */
    long offset;
    double share; /* of the rows whose largest weight is there */
    double reach; /* the same of the rows that see a column there at all: the first row has none before it */
    bool positional; /* share is 0.9 or more (Voita et al. 2019, section 5.1) */
    /* Over all rows and columns: */
    double entropy; /* nats, of a row's weights divided by their sum */
    double
        against_uniform; /* summed over rows, divided by the same sum for equal weights on all that is visible: 0 … 1 */
    double distance; /* |column - row| in tokens, weighted */
    double first,
        end; /* share of the weight that goes to the first column, and to the other columns that are <eos> */
} tl_head_habits;
tl_head_habits tl_head_habits_of(const tl_head_sums *sums);
#define TL_POSITIONAL_SHARE 0.9

/* ---- alignment ---- */

/* The column that each row of words [T,S] (tl_words_of) has most of, of equals the first, as links [T] sorted by target; none of a
 * row that is all zero. Returns how many. */
long tl_head_links(tl_tensor words, tl_link *links);

/* Alignment error rate (Och & Ney 2003) over many sentences, where all true links are sure:
 * 1 - (|A∩S| + |A∩P|) / (|A| + |S|) with P = S. */
typedef struct tl_alignment_errors {
    long found, sure, both; /* |A|, |S|, |A∩S| */
} tl_alignment_errors;
/* Adds a sentence's; links of either list are distinct. */
void tl_alignment_errors_add(tl_alignment_errors *errors, const tl_link *links, long count,
                             const tl_link *truth, long true_count);
double tl_alignment_error_rate(const tl_alignment_errors *errors); /* 0 … 1; NaN without a link */

/* ---- ranks ---- */

/* Spearman's rank correlation of a and b [count], equals given the mean of their ranks. Pairs of which one is NaN are left out. NaN where
 * fewer than two are left, or where all of a or of b are equal. */
double tl_rank_correlation(const double *a, const double *b, long count);

/* ---- over a set ---- */

/* How many heads a run's model has in all its attentions, in the order of tl_seen.attention: 0 if it has none. */
long tl_heads_count(const tl_run *run);
/* importance [tl_heads_count], attentions in the order of tl_seen.attention, heads within: the mean over the sentences of the set of
 * |Σ_t Σ_d C·dC|, or with per_token of Σ_t |Σ_d C·dC|, of the loss as it is trained, summed over a sentence's tokens; then divided by
 * the ℓ2 norm over the heads of each attention. Padding counts for nothing. False, and the run's error, on failure. */
bool tl_heads_importance(tl_run *run, tl_set *set, bool per_token, double *importance);

/* How the head of a look's sentence b did: Σ_t Σ_d C·dC of it (the derivative of that sentence's share of the objective by the head's
 * gate), per_token Σ_t |Σ_d C·dC|. The look had gradients; NaN otherwise. */
double tl_seen_gate_grad(const tl_seen *seen, const tl_seen_attention *attention, long b, long h,
                         bool per_token);
/* Rows and columns of sentence b that are not padding. */
long tl_seen_real_rows(const tl_seen *seen, const tl_seen_attention *attention, long b);
long tl_seen_real_columns(const tl_seen *seen, const tl_seen_attention *attention, long b);

typedef struct tl_heads_row { /* a head; what was not measured, or is not known, is NaN */
    char attention[64];       /* "decoder.layers.1.cross" */
    tl_attention_kind kind;
    int layer, head;   /* from 0 */
    double importance; /* tl_heads_importance */
    double raw;        /* the same, not normalised: nats a sentence */
    tl_head_habits habits;
    double alignment_error_rate;  /* of cross attention, where true alignments are known */
    double loss_zero, score_zero; /* of the model without it: its context replaced by 0 */
    double loss_mean, score_mean; /* by its mean */
} tl_heads_row;

/* What tl_heads_measure measures beside importance and habits. */
typedef struct tl_heads_options {
    bool per_token;  /* importance: |·| of each token */
    bool zero, mean; /* measure the loss without each head: a pass over the set a head, each */
    bool score;      /* and the run's score, which takes searches */
    /* Told before the first and after each of so many steps ("heads", "without a head"); NULL: nobody. False ends it: the function
     * returns false, without an error. */
    bool (*progress)(void *context, const char *what, long done, long total);
    void *context;
} tl_heads_options;

/* A row for every head. Free it with tl_heads_table_free. */
typedef struct tl_heads_table {
    long count;
    tl_heads_row *row; /* [count] in the order of tl_seen.attention, heads within */
    long sentences;
    double loss,
        score; /* of the whole model, on the same set: nats a token without smoothing; NaN: not measured */
    /* Spearman's rank correlation, over all heads, of `importance` and of `raw` with what the loss grows by without the head; NaN: not
     * measured. */
    double agreement_zero, agreement_mean, raw_agreement_zero, raw_agreement_mean;
} tl_heads_table;

/* All of it. The set is gone through once for what is seen, and with zero or mean once more for every head. The mean that replaces a
 * head's context is that over all real rows of this same set. What acts on the run (tl_run_act_at) does not act here, and
 * does again afterwards. options may be NULL. False, and the run's error, on failure; the table is empty then. */
bool tl_heads_measure(tl_run *run, tl_set *set, const tl_heads_options *options, tl_heads_table *table);
void tl_heads_table_free(tl_heads_table *table);

#ifdef __cplusplus
}
#endif
#endif
