/* Tasks 5 and 6, tier 2: what the operation's forward saves for its backward. Forward is task 5's file, backward
 * task 6's. In task 9 both are linked instead of the library's operation. */
#ifndef ATTENTION_H
#define ATTENTION_H

#include <tapeloom.h>
#include <tapeloom/op.h>

/* b->saved of attention_backward. All arrays are contiguous and belong to the tape. */
typedef struct attention_saved {
    long B, H, T, S, d, e;
    const tl_real *q, *k, *v; /* [B,H,T,d], [B,H,S,d], [B,H,S,e] */
    const tl_real *probs;     /* [B,H,T,S], before dropout; exactly 0 where a key is masked */
    const tl_real *kept;      /* [B,H,T,S]: 0 where dropped, else 1/(1-dropout); NULL: no dropout */
    double scale;             /* of the scores */
} attention_saved;

/* Input 0 is q, 1 is k, 2 is v; b->dy is [B,T,H·e]. Other inputs are constants. */
void attention_backward(tl_back *b);

#endif
