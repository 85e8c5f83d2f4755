/* The list of ops.h as data. Every operation there must have a descriptor and gradient cases, or this file does not
 * link. */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"

#define TL_OP(name, arguments, meaning) \
 extern const tl_op tl_op_##name;       \
 extern const tl_grad_case tl_cases_##name[];
TL_OPS_LIST
#undef TL_OP

static const tl_op_entry entries[] = {
#define TL_OP(name, arguments, meaning) {#name, #arguments, meaning, &tl_op_##name, tl_cases_##name},
    TL_OPS_LIST
#undef TL_OP
};

const tl_op_entry *tl_ops(int *count) {
    if (count) *count = (int)(sizeof entries / sizeof *entries);
    return entries;
}
