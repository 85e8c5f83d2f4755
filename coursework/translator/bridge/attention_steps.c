/* Attention's gradients without your backward: the library's separate operations on a tape of their own. Keys with a
 * weight of 0 count as masked. */
#include "bridge.h"

#include <math.h>

static tl_var variable(tl_tape *tape, const tl_real *x, long B, long H, long n, long d) {
    return tl_variable(tape, tl_tensor_of((tl_real *)x, TL_SHAPE(B, H, n, d)));
}

void bridge_attention_gradients(tl_back *b, const attention_saved *s) {
    tl_tape *tape = tl_tape_new();
    const long weights = s->B * s->H * s->T * s->S;
    uint8_t *seen = tape ? tl_tape_memory(tape, (size_t)weights + 1) : NULL;
    for (long i = 0; seen && i < weights; i++) seen[i] = s->probs[i] > 0 ? TL_ATTEND : TL_BLOCK;
    const tl_mask mask = {.attend = seen, .attend_dim = {s->B, s->H, s->T, s->S}};
    const double scale = s->scale > 0 ? s->scale : 1 / sqrt((double)s->d);
    const tl_var x[3] = {variable(tape, s->q, s->B, s->H, s->T, s->d),
                         variable(tape, s->k, s->B, s->H, s->S, s->d),
                         variable(tape, s->v, s->B, s->H, s->S, s->e)};
    tl_var scores = tl_scale(tl_matmul(x[0], tl_transpose(x[1], -1, -2)), scale);
    tl_var y = tl_merge_heads(tl_matmul(tl_masked_softmax(scores, &mask), x[2]));
    for (int i = 0; i < 3; i++) tl_keep(x[i]);
    const bool ok = seen && tl_backward_from(y, b->dy);
    for (int i = 0; ok && i < 3; i++)
        if (tl_back_wants(b, i)) tl_give(b, i, tl_grad(x[i]));
    if (!ok)
        tl_tape_fail(b->tape, "attention's single steps: %s", tape ? tl_tape_error(tape) : "out of memory");
    tl_tape_free(tape);
}
