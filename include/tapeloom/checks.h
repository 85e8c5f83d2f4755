/* Checks: the gradients of a whole model, and which operation is to blame for a wrong one; masks; leaks from later
 * positions and from padding; the gates that a model must pass before its numbers are believed.
 *
 *     tl_model_gradcheck found;
 *     if (!tl_model_gradcheck_of(model, &batch, &(tl_model_gradcheck_options){.sample = 10}, &found)) …
 *
 * Functions never print. They reset the tapes that they are given, zero the parameters' gradients and leave every
 * parameter's value as it was, to the bit. */
#ifndef TAPELOOM_CHECKS_H
#define TAPELOOM_CHECKS_H

#include "lens.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- faults: an operation's backward made wrong on purpose, to see whether a check notices ---- */

/* How a backward is made wrong. */
typedef enum tl_fault_kind {
    TL_FAULT_SIGN,      /* "sign"      the gradient of each input has the wrong sign */
    TL_FAULT_FACTOR,    /* "factor"    … half the size: a factor is missing */
    TL_FAULT_ZERO,      /* "zero"      … is 0 */
    TL_FAULT_OVERWRITE, /* "overwrite" … replaces the sum so far instead of being added */
    TL_FAULT_SHIFT,     /* "shift"     … is off by one element */
    TL_FAULT_TRANSPOSE  /* "transpose" … has rows and columns exchanged */
} tl_fault_kind;
/* How many kinds of faults there are. */
enum { TL_FAULT_KINDS = 6 };
const char *tl_fault_kind_name(tl_fault_kind kind);    /* NULL if there is none */
const char *tl_fault_kind_meaning(tl_fault_kind kind); /* a line */

/* A fault in every backward of one operation. Set operation and kind, the rest to 0. */
typedef struct tl_fault {
    const char *operation; /* as ops.h has it: "softmax" */
    tl_fault_kind kind;
    /* Results: */
    long nodes; /* how many of the operation's nodes had a wrong backward */
    /* the largest |wrong - right| / |right| (norms) over the gradients that were changed; 0: nothing changed */
    double change;
    bool no_memory;
} tl_fault;
/* Reads "OPERATION[:KIND]"; the kind is "sign" if none is given. False, and a sentence, if the operation or the kind
 * does not exist. text must outlive the fault. */
bool tl_fault_of(const char *text, tl_fault *fault, tl_error *error);
typedef struct tl_back tl_back; /* op.h */
/* The backward of a node with this fault, for a tl_probe. Nodes of other operations, and a NULL fault, run their own
 * backward. */
void tl_fault_backward(tl_fault *fault, tl_back *b);

/* ---- blame: which operation's backward is wrong ----
 *
 * f is run many times and must record the same operations each time. A *step* is a node (a recorded operation)
 * together with one of its inputs. Just after the node's backward has added to that input's gradient, the gradient
 * summed so far is compared with finite differences: the input is moved along a random direction, for this node and
 * later ones only, and f is run again. Steps are checked from the result backwards. At the first step that
 * disagrees, the gradient of the node's output is right (every step it was summed from has agreed) and the gradient
 * that the node gave to its input is wrong. So this operation is to blame, and earlier nodes, which received the
 * wrong gradient, say nothing. Views need no steps: they share their base's memory and gradient. */

/* returns a var of one element, as for tl_gradcheck_params */
typedef tl_var tl_checked(tl_tape *tape, const tl_var *unused, void *data);

/* How steps are compared; {0} or NULL will do. */
typedef struct tl_blame_options {
    double tolerance; /* of |analytic - numeric| / max(|gradient|, |numeric|); 0: 1e-5 */
    uint64_t seed;    /* of the directions */
    bool train;       /* training mode, one fixed step: with dropout */
    bool (*progress)(void *context, long done, long all); /* after each step; false ends it. may be NULL */
    void *context;
} tl_blame_options;

/* What was found: whether every step agrees and, if not, the first that does not. */
typedef struct tl_blamed {
    bool ok;         /* every step agrees */
    long steps;      /* compared */
    long operations; /* recorded operations that have a backward of their own */
    /* The first step that disagrees: the node and its input; node -1: there is none. */
    int node, input; /* numbered as by tl_tape_recorded */
    char operation[64], scope[96], shape[TL_SHAPE_TEXT];
    char gives_to[240]; /* the input whose gradient is wrong: "parameter decoder.norm.weight [8]" */
    double analytic, numeric, relative; /* along the direction; relative as tolerance measures it */
    double tolerance;
    int others;     /* nodes of the same operation besides this one */
    tl_error error; /* a sentence if not ok */
} tl_blamed;

/* A recorded f and the finite differences computed so far. */
typedef struct tl_blame tl_blame;
/* Records f once. A difference is computed when it is first needed and then kept, so that testing several faults
 * costs little more than testing one. NULL only when out of memory. data must outlive it. In float precision
 * differences are too inexact: tl_blame_find fails and says so. */
tl_blame *tl_blame_new(tl_params *params, tl_checked *f, void *data, const tl_blame_options *options);
void tl_blame_free(tl_blame *blame);
/* Compares all steps, with a fault or (NULL) with the operations as they are. True if every step agrees. */
bool tl_blame_find(tl_blame *blame, tl_fault *fault, tl_blamed *blamed);

/* ---- the gradient check of a whole model ----
 *
 * The loss of a batch in evaluation mode: tl_gradcheck over every parameter, or over some elements of each; if it
 * fails, blame. In double precision at most 2 % of the elements may stay undecided. In float differences are
 * inexact: any number of elements may stay undecided, and there is no blame. An undecided element is neither right
 * nor wrong. */

/* What is checked, and how exactly; {0} checks every element. */
typedef struct tl_model_gradcheck_options {
    long sample; /* elements of each tensor: the one of largest gradient, others by seed; 0: all */
    uint64_t seed;
    double tolerance; /* 0: tl_gradcheck's */
    bool train;       /* training mode, with dropout, at one fixed step */
    bool by_steps;    /* attention as the textbook's separate operations, not as one */
    tl_fault *fault;  /* applied in every backward; NULL: none */
    bool no_blame;
    /* counts elements, then steps of blame; false ends it */
    bool (*progress)(void *context, long done, long all);
    void *context;
} tl_model_gradcheck_options;

/* What the check of a model has found. */
typedef struct tl_model_gradcheck {
    bool ok;      /* some elements are decided, and all of those agree */
    long decided; /* of elements.checked; the others are at a kink or lost in rounding */
    long tensors; /* parameters checked */
    long idle;    /* parameters that the loss does not reach; they are not checked */
    char first_idle[96];
    tl_gradcheck_report elements; /* counts, the worst element, the error if not ok */
    bool blamed;                  /* blame was run; its result: */
    tl_blamed blame;
    double loss;
} tl_model_gradcheck;
/* options may be NULL. Uses a tape of its own. True if ok. */
bool tl_model_gradcheck_of(const tl_model *model, const tl_batch *batch,
                           const tl_model_gradcheck_options *options, tl_model_gradcheck *report);

/* ---- masks: which keys a query sees ----
 *
 * What an attention's mask says (tl_why_blocked), and whether its weights obey. */

/* How many values tl_why has. */
enum { TL_WHYS = TL_BY_USER + 1 };
/* How many pairs of a query and a key are blocked, and why. */
typedef struct tl_mask_counts {
    long pairs;                 /* rows times columns */
    long by[TL_WHYS];           /* pairs by reason; by[TL_SEES] counts the visible ones */
    long weighs_though_blocked; /* blocked pairs whose weight is not exactly 0 */
    long sees_nothing;          /* rows that see no key */
} tl_mask_counts;
/* Of head h of sentence b; h -1: of all heads. Padding queries and keys count too. */
tl_mask_counts tl_mask_count(const tl_seen_attention *seen, long b, long h);
/* Does the mask say the same, with the same reasons, for every pair of sentence b in two heads of two attentions? */
bool tl_masks_same(const tl_seen_attention *a, long head_a, const tl_seen_attention *b, long head_b,
                   long sentence);

/* ---- leaks: an output must not depend on later positions, or on padding ----
 *
 * A decoder's output at position i may depend only on what it reads at positions up to i. Two tests, for all
 * sentences of a batch at once. Values: for every j the word at position j is replaced, and every output (logits) at
 * i < j must keep its bits. Gradients: for every i the loss of position i alone goes backward, and dL_i/dx_j must be
 * exactly 0 for j > i (x_j: the place decoder.embedding). Then padding is replaced by other words, or in pictures by
 * other numbers: no output may change.
 *
 * Encoders and classifiers see their whole sentence, so only padding is tested. */

/* One leak, and the first place where it shows. */
typedef struct tl_leak {
    bool found;
    long sentence, from, to; /* the word at position `from` reaches the output at position `to` */
    /* the first place, in order of computation, that differs at `to`: "decoder.layers.0.self.out"; "" for a gradient */
    char where[64];
    double size; /* the largest element of the change there, or of the gradient */
} tl_leak;

/* What was tested, and what leaks. */
typedef struct tl_leak_report {
    bool ok;
    bool causal; /* the model has a decoder, so later positions must stay unseen */
    long pairs;  /* pairs (i, j) with j > i, over all sentences */
    /* positions j whose word changed an output at some i >= j; if there are none, the test proves nothing */
    long felt;
    long felt_gradients;     /* positions i with dL_i/dx_j not 0 for some j <= i */
    long values, gradients;  /* pairs that leak */
    tl_leak value, gradient; /* the first leak of each test: smallest j, then smallest i */
    /* how often padding was replaced, on either side; 0: the model reads no padding even in this batch */
    long padding;
    long padding_felt;        /* outputs that changed with the padding */
    const char *padding_side; /* "source", "target"; NULL: neither */
    tl_error error;           /* a sentence: what leaks, or what went wrong */
} tl_leak_report;
/* Resets the tape many times; evaluation mode. progress may be NULL; if it returns false the check ends. True if
 * nothing leaks. */
bool tl_leak_check(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                   bool (*progress)(void *context, long done, long all), void *context,
                   tl_leak_report *report);

/* A writable copy of a batch with extra columns of padding on each side that the batch has. NULL when out of memory.
 * Free it with tl_batch_copy_free. */
typedef struct tl_batch_copy {
    tl_batch batch; /* points to these arrays: */
    int *src, *tgt_in, *tgt_out, *src_lengths, *tgt_lengths, *labels;
    tl_real *pictures;
} tl_batch_copy;
tl_batch_copy *tl_batch_copy_of(const tl_batch *batch, long padding);
void tl_batch_copy_free(tl_batch_copy *copy);

/* ---- the loss, computed a second time ----
 *
 * In plain C and in double, from logits alone: log p = z[t] - max - ln Σ e^(z - max). It shares no code with the
 * operations (blocks, padding, label smoothing, divisors). */

/* Writes -log p of every target into nll, [B,T] or for a classifier [B]; 0 at padding. smooth has the same shape and
 * receives the mean of -log p over all classes; it may be NULL. Does not reset the tape and needs no gradients. maps
 * may be NULL. */
bool tl_plain_nll(const tl_model *model, tl_tape *tape, const tl_batch *batch, const tl_model_maps *maps,
                  double *nll, double *smooth);
/* The size of nll, and whether its number i belongs to a real target. */
long tl_plain_count(const tl_batch *batch);
bool tl_plain_is_real(const tl_batch *batch, long i);

/* ---- gates: what a model must pass before its numbers mean something ----
 *
 * Measured over batches and judged by rules fixed beforehand (src/lens/gates.c has every margin). */

/* Two losses of the same targets, per token: running sums over sentences. */
typedef struct tl_paired {
    long count;
    double tokens, difference, squares, products, token_squares, absolute;
} tl_paired;
/* Adds a sentence: its summed loss as it is, its summed loss under the change, and its number of tokens. */
void tl_paired_add(tl_paired *paired, double as_it_is, double otherwise, double tokens);
double tl_paired_mean(const tl_paired *paired);  /* mean of changed minus unchanged, per token */
double tl_paired_error(const tl_paired *paired); /* its standard error; infinite for fewer than 2 sentences */
double tl_paired_moved(const tl_paired *paired); /* mean |difference| per token */

/* What the gates are judged by. */
typedef struct tl_measured {
    bool trained;                /* false: weights as before training; fewer gates apply */
    bool decoder, source, cross; /* what the model has */
    bool competes;               /* softmax: weights sum to 1 */
    bool bag;                    /* it ignores word order: an average of embeddings */
    long classes;                /* that it chooses among */
    long sentences;
    double tokens, nll; /* summed, nats */
    /* first batch: by the library, by tl_plain_nll; all batches: largest relative difference */
    double loss, own_loss, loss_error;
    /* source words in another order; for a language model its first half in another order, and the loss of the
     * second half */
    tl_paired order;
    tl_paired no_cross, other_source; /* cross-attention's context is 0; another sentence's source */
    /* Σ of cross-attention's entropy / ln(visible keys); rows */
    double entropy, entropy_rows;
    /* largest |row sum of A - 1|; of |row sum of dL/dS| / Σ A·|dL/dA| */
    double row_sum, grad_sum;
    long blocked, blocked_not_zero; /* pairs that the mask blocks; those where A or dL/dS is not 0 */
    long parameters, idle;          /* tensors; those whose gradient is missing or 0 in the first batch */
    char first_idle[96];
    long written;                         /* words written by search, */
    double one_at_a_time, at_once;        /* summed log p: one step a word, and all words read at once; */
    double search_error;                  /* the largest difference between the two in a sentence, nats */
    double fresh_nll, fresh_tokens;       /* the same batches before training; 0 tokens: not measured */
    long steps;                           /* steps of overfitting one batch; 0: not tried */
    double overfit_before, overfit_after; /* nats a token */
} tl_measured;

/* What tl_gates_measure measures beside the losses. */
typedef struct tl_measure_options {
    double label_smoothing; /* that the model is trained with */
    uint64_t seed;          /* for shuffling words */
    const tl_model *fresh;  /* the model before training, and a tape for it; NULL: not measured */
    tl_tape *fresh_tape;
} tl_measure_options;
/* Starts a measurement with what the model is. */
tl_measured tl_measured_of(const tl_model *model, bool trained, bool competes);
/* Adds one batch. Resets the tape many times. False on failure, and the tape keeps the error. */
bool tl_measure_batch(tl_measured *measured, const tl_model *model, tl_tape *tape, const tl_batch *batch,
                      const tl_measure_options *options);
/* Overfits one batch: `steps` steps of Adam in evaluation mode. Changes the model's parameters. */
bool tl_measure_overfit(tl_measured *measured, const tl_model *model, tl_tape *tape, const tl_batch *batch,
                        long steps, bool (*progress)(void *context, long done, long all), void *context);

/* A gate's result. TL_GATE_NOT_ASKED: it does not apply to this model, or was not measured. */
typedef enum tl_verdict { TL_GATE_PASSED, TL_GATE_FAILED, TL_GATE_NOT_ASKED } tl_verdict;
/* A gate, once it has been judged. */
typedef struct tl_gate {
    const char *name;
    tl_verdict verdict;
    char measured[240]; /* a sentence with numbers, or why the gate does not apply */
    const char *means;  /* what a failure usually means, a sentence */
} tl_gate;
/* How many gates there are. */
enum { TL_GATES = 11 };
/* Judges what was measured; computes nothing else. Returns how many gates failed. */
int tl_gates_judge(const tl_measured *measured, tl_gate gates[TL_GATES]);

#ifdef __cplusplus
}
#endif
#endif
