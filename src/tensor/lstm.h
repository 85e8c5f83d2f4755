/* An LSTM's steps over whole sentences, as src/autograd/ops/lstm_steps.c defines them. Sentences are shared out among
 * the threads. Each thread takes all steps of its own sentences, so threads wait for each other once, not at every
 * step. The bits do not depend on the threads. */
#ifndef TL_LSTM_H
#define TL_LSTM_H

#include "product.h"

/* Rows of x, y, h, gates and c are contiguous. Steps are counted from 0 in the order in which they are taken. */
typedef struct tl_lstm {
    tl_tensor x;         /* [B,T,4·hidden], added to each step's gates */
    tl_tensor weight;    /* [4·hidden,hidden] */
    const tl_real *bias; /* [4·hidden], or NULL */
    tl_tensor c;         /* [B,hidden], before the first step */
    const int *lengths;  /* [B], or NULL: all have T; behind its length a sentence keeps its state */
    bool reverse;        /* steps go from the last position to the first */
    tl_tensor y;         /* [2,B,T,hidden]: h and c after each step */
    tl_tensor h;         /* [N,B,hidden]: h before each step, the last step first */
    tl_tensor gates;     /* [N,B,5·hidden]: see gates.h, the last step first */
} tl_lstm;

/* Fills y, h and gates. N is T; or 1, then only y is of use. The caller has set h's last entry, the state before the
 * first step. `packed` is the weight's transpose, packed; or NULL. False when out of memory. */
bool tl_lstm_forward(const tl_lstm *l, tl_matmul_precision precision, const tl_product_packed *packed,
                     tl_workspace *w);

/* From dy [2,B,T,hidden]: dsum [T,B,4·hidden], the gradient of the gates' arguments, the last step first; dc
 * [B,hidden], what the first step gives to the c before it; and kept [2,B,hidden], the gradient of h and c in sentences
 * that have no first step. All three are overwritten. N is T. False when out of memory. */
bool tl_lstm_backward(const tl_lstm *l, tl_matmul_precision precision, tl_tensor dy, tl_tensor dsum,
                      tl_tensor kept, tl_tensor dc, tl_workspace *w);

#endif
