/* Tasks 5 and 6, tier 2: what the operation's forward leaves for its backward. The one is task 5's file, the other task 6's; in task 9
 * both are linked together in the place of the library's operation. */
#ifndef ATTENTION_H
#define ATTENTION_H

#include <tapeloom.h>
#include <tapeloom/op.h>

/* b->saved of attention_backward; all arrays contiguous, and the tape's. */
typedef struct attention_saved {
    long B, H, T, S, d, e;
    const tl_real *q, *k, *v; /* [B,H,T,d], [B,H,S,d], [B,H,S,e] */
    const tl_real *probs;     /* [B,H,T,S], before dropout; exactly 0 where a query does not see a key */
    const tl_real *kept;      /* [B,H,T,S]: 0 where dropout hit, else 1/(1-dropout); NULL: no dropout */
    double scale;             /* of the scores */
} attention_saved;

/* Input 0 is q, 1 is k, 2 is v; b->dy is [B,T,H·e]. What other inputs there are are constants. */
void attention_backward(tl_back *b);

#endif
