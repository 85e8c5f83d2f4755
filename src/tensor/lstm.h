/* An LSTM's steps over whole sentences, as src/autograd/ops/lstm_steps.c defines them. Threads share the sentences, and each takes
 * all steps of its own: they wait for each other once, not at every step. Bits depend on neither. */
#ifndef TL_LSTM_H
#define TL_LSTM_H

#include "product.h"

/* Rows of x, y, h, gates and c have their elements side by side. Steps are counted as they are taken, from 0. */
typedef struct tl_lstm {
    tl_tensor x, weight; /* [B,T,4·hidden], what each step adds to its gates; [4·hidden,hidden] */
    const tl_real *bias; /* [4·hidden], or NULL */
    tl_tensor c;         /* [B,hidden], before the first step */
    const int *lengths;  /* [B], or NULL: all have T; behind them a sentence keeps its state */
    bool reverse;        /* the last step first */
    tl_tensor y;         /* [2,B,T,hidden]: h and c after each step */
    tl_tensor h, gates; /* [N,B,hidden], before each step; [N,B,5·hidden], see gates.h; the last step first */
} tl_lstm;

/* Fills y, h and gates. N is T, or 1: then only y is of use. h's last is given: the state before the first step. `packed`: of the
 * weight's transpose, or NULL. False if out of memory. */
bool tl_lstm_forward(const tl_lstm *l, tl_matmul_precision precision, const tl_product_packed *packed,
                     tl_workspace *w);

/* From dy [2,B,T,hidden]: the gradient dsum [T,B,4·hidden] of all gates' sums, the last step first, and what the first step leaves
 * for the state before it: dc [B,hidden], and in kept [2,B,hidden] the part of sentences without that step. All overwritten;
 * N is T. False if out of memory. */
bool tl_lstm_backward(const tl_lstm *l, tl_matmul_precision precision, tl_tensor dy, tl_tensor dsum,
                      tl_tensor kept, tl_tensor dc, tl_workspace *w);

#endif
