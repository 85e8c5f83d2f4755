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
#include "op.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- faults: an operation's backward made wrong on purpose, to see whether a check notices ---- */

typedef enum tl_fault_kind {
    TL_FAULT_SIGN,      /* "sign"      what it gives to its inputs has the wrong sign */
    TL_FAULT_FACTOR,    /* "factor"    … half the size: a factor is missing */
    TL_FAULT_ZERO,      /* "zero"      … is 0: the gradient ends here */
    TL_FAULT_OVERWRITE, /* "overwrite" … replaces what others have given: it is not added */
    TL_FAULT_SHIFT,     /* "shift"     … stands one element too far: off by one */
    TL_FAULT_TRANSPOSE  /* "transpose" … has rows and columns confused */
} tl_fault_kind;
enum { TL_FAULT_KINDS = 6 };
const char *tl_fault_kind_name(tl_fault_kind kind);    /* NULL if there is none */
const char *tl_fault_kind_meaning(tl_fault_kind kind); /* a line */

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

typedef struct tl_blame_options {
    double tolerance; /* of |analytic - numeric| / max(|gradient|, |numeric|); 0: 1e-5 */
    uint64_t seed;    /* of the directions */
    bool train;       /* training mode, one fixed step: with dropout */
    bool (*progress)(void *context, long done, long all); /* after each step; false ends it. NULL: nobody */
    void *context;
} tl_blame_options;

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
 * float differences are inexact: much passes there that double finds (tl_gradcheck_options), and nothing is blamed. */

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

typedef struct tl_model_gradcheck {
    bool ok;
    long tensors; /* parameters checked */
    long idle;    /* parameters that the loss does not reach, which are left out, */
    char first_idle[96];
    tl_gradcheck_report elements; /* counts, the worst element, why not ok */
    bool blamed;                  /* blame was asked: */
    tl_blamed blame;
    double loss;
} tl_model_gradcheck;
/* options may be NULL. Uses a tape of its own. True if the gradients agree. */
bool tl_model_gradcheck_of(const tl_model *model, const tl_batch *batch,
                           const tl_model_gradcheck_options *options, tl_model_gradcheck *report);

/* ---- leaks: nobody sees what comes, or padding ----
 *
 * What a decoder says at position i may depend on what it reads at positions up to i alone. For every j another word is put at
 * position j, and every output (logits) at i < j must keep its bits; and for every i the loss of position i alone goes backward, and its
 * gradient at what the decoder reads at j > i, dL_i/dx_j, must be exactly 0 (x_j: the place decoder.embedding). Sentences of a batch
 * are looked at side by side. Then other words, and of pictures other numbers, are put into padding: nothing may change.
 *
 * Encoders and classifiers see their whole sentence: of them padding alone is tried. */

typedef struct tl_leak {
    bool found;
    long sentence, from, to; /* what is read at position `from` reaches the output at position `to` */
    char where
        [64]; /* the first place, as computed, that differs at `to`: "decoder.layers.0.self.out"; of a gradient "" */
    double size; /* of what has changed there, or of the gradient: the largest element */
} tl_leak;

typedef struct tl_leak_report {
    bool ok;
    bool causal; /* there is a decoder: something that must not be seen */
    long pairs;  /* (i, j), j > i, of all sentences */
    long
        felt; /* positions j whose word changed some output at i >= j: where none is felt nothing is proved */
    long felt_gradients;      /* the same of gradients: i with dL_i/dx_j other than 0 for some j <= i */
    long values, gradients;   /* pairs that leak */
    tl_leak value, gradient;  /* the first of each: of the smallest j, then i */
    long padding;             /* tries of padding: of the source, of the target */
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

#ifdef __cplusplus
}
#endif
#endif
