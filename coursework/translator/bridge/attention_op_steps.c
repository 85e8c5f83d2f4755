/* Tier 2 with task 5 but without task 6: the backward that attention_forward_op.c calls, made of the library's
 * operations. */
#include "bridge.h"

void attention_backward(tl_back *b);
void attention_backward(tl_back *b) {
    const attention_saved *s = b->saved;
    if (s->kept)
        tl_tape_fail(b->tape, "attention's single steps have no dropout: do task 6, or train without it");
    else
        bridge_attention_gradients(b, s);
}
