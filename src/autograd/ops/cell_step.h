/* Shared by gru_step and lstm_step: their inputs. */
#ifndef TL_OPS_CELL_STEP_H
#define TL_OPS_CELL_STEP_H

#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "tensor/gates.h"

/* Checks x and recall [B,gates·hidden] and the state [B,hidden], inputs 0, 1 and 2, and makes each row contiguous. The
 * rows may have any stride, as in one step of many. */
static inline bool tl_cell_step_inputs(tl_call *c, int gates, const char *state_name) {
    if (!c->ok) return false;
    const tl_tensor x = c->x[0], recall = c->x[1], state = c->x[2];
    const bool fits = state.rank == 2 && x.rank == 2 && x.dim[0] == state.dim[0] && x.dim[1] % gates == 0 &&
                      x.dim[1] / gates == state.dim[1] && tl_shape_equal(tl_shape_of(x), tl_shape_of(recall));
    if (!fits)
        return tl_call_refuse(c, "x %s, recall %s, %s %s: should be [B,%d*hidden], [B,%d*hidden], [B,hidden]",
                              TL_SHAPE_STRING_OF(x), TL_SHAPE_STRING_OF(recall), state_name,
                              TL_SHAPE_STRING_OF(state), gates, gates);
    for (int i = 0; i < 3; i++)
        if (c->x[i].stride[1] != 1 && !tl_call_dense(c, i)) return false;
    return true;
}

#endif
