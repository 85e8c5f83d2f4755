/* Is it right? Gradients of a whole model, and which operation is to blame; who sees what, and that nobody sees what comes; the
 * gates that teachers use.
 *
 *     tl_model_gradcheck found;
 *     if (!tl_model_gradcheck_of(model, &batch, &(tl_model_gradcheck_options){.sample = 10}, &found)) …
 *
 * Functions never print. They reset the tapes that they are given, zero the parameters' gradients and leave every value as it
 * was, to the bit. */
#ifndef TAPELOOM_CHECKS_H
#define TAPELOOM_CHECKS_H

#include "lens.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- faults: an operation's backward made wrong on purpose, to see whether a check notices ---- */

/* In which way a backward is made wrong. */
typedef enum tl_fault_kind {
    TL_FAULT_SIGN,      /* "sign"      what it gives to its inputs has the wrong sign */
    TL_FAULT_FACTOR,    /* "factor"    … half the size: a factor is missing */
    TL_FAULT_ZERO,      /* "zero"      … is 0: the gradient ends here */
    TL_FAULT_OVERWRITE, /* "overwrite" … replaces what others have given: it is not added */
    TL_FAULT_SHIFT,     /* "shift"     … stands one element too far: off by one */
    TL_FAULT_TRANSPOSE  /* "transpose" … has rows and columns confused */
} tl_fault_kind;
/* How many kinds of faults there are. */
enum { TL_FAULT_KINDS = 6 };
const char *tl_fault_kind_name(tl_fault_kind kind);    /* NULL if there is none */
const char *tl_fault_kind_meaning(tl_fault_kind kind); /* a line */

/* A fault in every backward of one operation. Set operation and kind, the rest to 0. */
typedef struct tl_fault {
    const char *operation; /* as ops.h has it: "softmax" */
    tl_fault_kind kind;
    /* out: */
    long nodes; /* backwards of that operation that were made wrong */
    double
        change; /* the largest |wrong - right| / |right| of a gradient that it gave (norms); 0: nothing has changed */
    bool no_memory;
} tl_fault;
/* "OPERATION[:KIND]", without a kind sign. False, and a sentence, for what is neither an operation's name nor a kind's. text must
 * outlive the fault. */
bool tl_fault_of(const char *text, tl_fault *fault, tl_error *error);
typedef struct tl_back tl_back; /* op.h */
/* The backward that a node would have with this fault, for a tl_probe; of other operations, and of NULL, its own. */
void tl_fault_backward(tl_fault *fault, tl_back *b);

/* ---- blame: which operation's backward is wrong ----
 *
 * f is run again and again and must record the same operations each time. A *step* is a node (an operation as it was recorded) and one
 * of the values that it reads: its backward has just added to the value's gradient what flows back through it. That gradient, as far
 * as it has been summed by then, is held against differences: the value is moved, from that node on and not before, along a
 * random direction, and f is run again. All steps are looked at from the result backwards. At the first that does not agree, the
 * node's own gradient is right (all that it was made of has agreed), and what it gave to its input is not: its operation is to blame,
 * and what lies below says nothing. Views need no steps: they share their base's memory and its gradient. */

typedef tl_var tl_checked(tl_tape *tape, const tl_var *unused,
                          void *data); /* one element; what tl_gradcheck_params takes */

/* How steps are compared; {0} or NULL will do. */
typedef struct tl_blame_options {
    double tolerance; /* of |analytic - numeric| / max(|gradient|, |numeric|); 0: 1e-5 */
    uint64_t seed;    /* of the directions */
    bool train;       /* training mode, one fixed step: with dropout */
    bool (*progress)(void *context, long done, long all); /* after each step; false ends it. NULL: nobody */
    void *context;
} tl_blame_options;

/* What was found: whether every step agrees and, if not, the first that does not. */
typedef struct tl_blamed {
    bool ok;         /* every step agrees */
    long steps;      /* looked at */
    long operations; /* recorded that have a backward of their own */
    /* The first step that does not agree; node -1: there is none. */
    int node, input; /* as tl_tape_recorded counts them */
    char operation[64], scope[96], shape[TL_SHAPE_TEXT];
    char gives_to[240]; /* what it gave a wrong gradient to: "parameter decoder.norm.weight [8]" */
    double analytic, numeric, relative; /* along the direction, and the error by the rule above */
    double tolerance;
    int others;     /* nodes of the same operation besides this one */
    tl_error error; /* why not ok, as a sentence */
} tl_blamed;

/* A recorded f, and the differences that have been computed of it. */
typedef struct tl_blame tl_blame;
/* Records f once. Differences are made when they are first needed and kept, so that several faults cost little more than one. NULL
 * only when out of memory; in float nothing can be blamed, and tl_blame_find says so. data must outlive it. */
tl_blame *tl_blame_new(tl_params *params, tl_checked *f, void *data, const tl_blame_options *options);
void tl_blame_free(tl_blame *blame);
/* fault NULL: the operations as they are. True if every step agrees. */
bool tl_blame_find(tl_blame *blame, tl_fault *fault, tl_blamed *blamed);

/* ---- the gradient check of a whole model ----
 *
 * The loss of a batch, in evaluation mode: tl_gradcheck over every parameter, or some elements of each, and if it fails, blame. In
 * float differences are inexact: elements stay undecided there that double decides, as many as there may be (in double at most 2 %),
 * and nothing is blamed. Of what is not decided nothing is known. */

/* What is checked, and how exactly; {0} checks every element. */
typedef struct tl_model_gradcheck_options {
    long sample; /* elements of each tensor: that of the largest gradient, others drawn by the seed; 0: all */
    uint64_t seed;
    double tolerance; /* 0: tl_gradcheck's */
    bool train;       /* training mode, one fixed step */
    bool by_steps;    /* attention as the textbook's steps, as when it is looked at, not as one operation */
    tl_fault *fault;  /* made in every backward; NULL: none */
    bool no_blame;
    bool (*progress)(void *context, long done,
                     long all); /* elements, and then steps of blame; false ends it */
    void *context;
} tl_model_gradcheck_options;

/* What the check of a model has found. */
typedef struct tl_model_gradcheck {
    bool ok;      /* every element that is decided agrees, and some are */
    long decided; /* of elements.checked; the others are at a kink, or lost in rounding */
    long tensors; /* parameters checked */
    long idle;    /* parameters that the loss does not reach, which are left out, */
    char first_idle[96];
    tl_gradcheck_report elements; /* counts, the worst element, why not ok */
    bool blamed;                  /* blame was asked: */
    tl_blamed blame;
    double loss;
} tl_model_gradcheck;
/* options may be NULL. Uses a tape of its own. True if ok. */
bool tl_model_gradcheck_of(const tl_model *model, const tl_batch *batch,
                           const tl_model_gradcheck_options *options, tl_model_gradcheck *report);

/* ---- masks: who does not see whom, and does it hold? ----
 *
 * What a seen attention's mask says (tl_why_blocked), beside what its weights do. */

/* How many reasons tl_why has. */
enum { TL_WHYS = TL_BY_USER + 1 };
/* How many pairs of a query and a key are blocked, and by what. */
typedef struct tl_mask_counts {
    long pairs;                 /* rows times columns */
    long by[TL_WHYS];           /* of each tl_why; by[TL_SEES] are seen */
    long weighs_though_blocked; /* pairs that are blocked and whose weight is not exactly 0 */
    long sees_nothing;          /* rows that see no key */
} tl_mask_counts;
/* Of sentence b and head h, or with h -1 of all heads; queries and keys of padding count, too. */
tl_mask_counts tl_mask_count(const tl_seen_attention *seen, long b, long h);
/* Is every pair of sentence b blocked alike, for the same reason, in two heads of two attentions? */
bool tl_masks_same(const tl_seen_attention *a, long head_a, const tl_seen_attention *b, long head_b,
                   long sentence);

/* ---- leaks: nobody sees what comes, or padding ----
 *
 * What a decoder says at position i may depend on what it reads at positions up to i alone. For every j another word is put at
 * position j, and every output (logits) at i < j must keep its bits; and for every i the loss of position i alone goes backward, and its
 * gradient at what the decoder reads at j > i, dL_i/dx_j, must be exactly 0 (x_j: the place decoder.embedding). Sentences of a batch
 * are looked at side by side. Then other words, and of pictures other numbers, are put into padding: nothing may change.
 *
 * Encoders and classifiers see their whole sentence: of them padding alone is tried. */

/* One leak, with the place where it shows first. */
typedef struct tl_leak {
    bool found;
    long sentence, from, to; /* what is read at position `from` reaches the output at position `to` */
    char where
        [64]; /* the first place, as computed, that differs at `to`: "decoder.layers.0.self.out"; of a gradient "" */
    double size; /* of what has changed there, or of the gradient: the largest element */
} tl_leak;

/* What was tried, and what has leaked. */
typedef struct tl_leak_report {
    bool ok;
    bool causal; /* there is a decoder: something that must not be seen */
    long pairs;  /* (i, j), j > i, of all sentences */
    long
        felt; /* positions j whose word changed some output at i >= j: where none is felt nothing is proved */
    long felt_gradients;     /* the same of gradients: i with dL_i/dx_j other than 0 for some j <= i */
    long values, gradients;  /* pairs that leak */
    tl_leak value, gradient; /* the first of each: of the smallest j, then i */
    long
        padding; /* tries of padding: of the source, of the target; 0: the model reads none, its longest sentences are these */
    long padding_felt;        /* outputs that changed with it */
    const char *padding_side; /* "source", "target"; NULL: neither */
    tl_error error;           /* what leaks, as a sentence; or what went wrong */
} tl_leak_report;
/* On a tape that is reset again and again, in evaluation mode. progress may be NULL; false from it ends the check. True if nothing
 * leaks. */
bool tl_leak_check(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                   bool (*progress)(void *context, long done, long all), void *context,
                   tl_leak_report *report);

/* A copy of a batch that may be written to, with so many columns of padding more on each side that it has. NULL when out of
 * memory; to free with tl_batch_copy_free. */
typedef struct tl_batch_copy {
    tl_batch batch; /* its arrays are these: */
    int *src, *tgt_in, *tgt_out, *src_lengths, *tgt_lengths, *labels;
    tl_real *pictures;
} tl_batch_copy;
tl_batch_copy *tl_batch_copy_of(const tl_batch *batch, long padding);
void tl_batch_copy_free(tl_batch_copy *copy);

/* ---- the loss, computed a second time ----
 *
 * In plain C and in double, from logits alone: log p = z[t] - max - ln Σ e^(z - max). What the operations do (blocks, padding, label
 * smoothing, divisors) is not used. */

/* -log p of every target into nll, [B,T] or of a classifier [B]; 0 where there is none (padding). smooth, of the same shape, may be NULL:
 * the mean of -log p over all classes. Neither resets the tape nor wants gradients; maps may be NULL. */
bool tl_plain_nll(const tl_model *model, tl_tape *tape, const tl_batch *batch, const tl_model_maps *maps,
                  double *nll, double *smooth);
/* How many numbers that are, and which of them are real targets: number i is. */
long tl_plain_count(const tl_batch *batch);
bool tl_plain_is_real(const tl_batch *batch, long i);

/* ---- gates: what a model must pass before its numbers mean something ----
 *
 * Measured over batches, judged by rules that were written down before (src/lens/gates.c has every margin). */

/* Losses of the same targets twice, per token: running sums over sentences. */
typedef struct tl_paired {
    long count;
    double tokens, difference, squares, products, token_squares, absolute;
} tl_paired;
/* A sentence's summed loss as it is and otherwise, of so many tokens. */
void tl_paired_add(tl_paired *paired, double as_it_is, double otherwise, double tokens);
double tl_paired_mean(const tl_paired *paired);  /* otherwise minus as it is, per token */
double tl_paired_error(const tl_paired *paired); /* its standard error; infinite of fewer than 2 sentences */
double tl_paired_moved(const tl_paired *paired); /* mean |difference| per token */

/* What the gates are judged by. */
typedef struct tl_measured {
    bool trained;                /* else its weights are as they were before training: less is asked */
    bool decoder, source, cross; /* what it has */
    bool competes;               /* softmax: weights sum to 1 */
    bool bag;                    /* it cannot know an order: an average of embeddings */
    long classes;                /* it chooses among */
    long sentences;
    double tokens, nll; /* summed, nats */
    double loss, own_loss,
        loss_error; /* of the first batch by the library, by tl_plain_nll; the largest relative difference of all */
    tl_paired
        order; /* source words in another order; of a language model the first half of the words, and the loss of those behind */
    tl_paired no_cross, other_source; /* no context; another sentence's source */
    double entropy,
        entropy_rows; /* summed entropy of cross-attention over ln(keys that are seen); how many rows */
    double row_sum,
        grad_sum; /* farthest from 1 of a row of A; from 0 of a row of dL/dS, relative to its Σ A·|dL/dA| */
    long blocked, blocked_not_zero; /* pairs that the mask blocks; where A or dL/dS is not 0 */
    long parameters, idle; /* tensors; of them without gradient, or 0 everywhere, in the first batch */
    char first_idle[96];
    long written;                         /* words written one at a time, */
    double one_at_a_time, at_once;        /* their summed log p, and that of reading them all at once; */
    double search_error;                  /* the largest difference of a sentence, nats */
    double fresh_nll, fresh_tokens;       /* of the same batches before training; 0 tokens: not measured */
    long steps;                           /* of overfitting one batch; 0: not tried */
    double overfit_before, overfit_after; /* nats a token */
} tl_measured;

/* What tl_gates_measure measures beside the losses. */
typedef struct tl_measure_options {
    double label_smoothing; /* that the model is trained with */
    uint64_t seed;          /* of other orders */
    const tl_model *fresh;  /* the same model as before training, and a tape for it; NULL: not asked */
    tl_tape *fresh_tape;
} tl_measure_options;
/* Begins: what the model is. */
tl_measured tl_measured_of(const tl_model *model, bool trained, bool competes);
/* Adds one batch, on a tape that is reset again and again. False, and the tape has failed, on failure. */
bool tl_measure_batch(tl_measured *measured, const tl_model *model, tl_tape *tape, const tl_batch *batch,
                      const tl_measure_options *options);
/* Adam, `steps` steps over one batch, in evaluation mode. Changes the model's parameters. */
bool tl_measure_overfit(tl_measured *measured, const tl_model *model, tl_tape *tape, const tl_batch *batch,
                        long steps, bool (*progress)(void *context, long done, long all), void *context);

/* What a gate says. Not asked: it does not apply to this model, or was not measured. */
typedef enum tl_verdict { TL_GATE_PASSED, TL_GATE_FAILED, TL_GATE_NOT_ASKED } tl_verdict;
/* A gate, once it has been judged. */
typedef struct tl_gate {
    const char *name;
    tl_verdict verdict;
    char measured[240]; /* a sentence with numbers, or why it is not asked */
    const char *means;  /* what a failure usually means, a sentence */
} tl_gate;
/* How many gates there are. */
enum { TL_GATES = 11 };
/* Pure: from numbers to verdicts. Returns how many failed. */
int tl_gates_judge(const tl_measured *measured, tl_gate gates[TL_GATES]);

#ifdef __cplusplus
}
#endif
#endif
