/* This header is the list of operations, a TL_OP(name, (arguments), "meaning") each. The prototypes, the registry
 * (tl_ops), the table in the docs and the gradient test follow from it. A listed operation without a descriptor
 * (tl_op_<name>) or without gradient cases (tl_cases_<name>) does not link.
 *
 * Shapes are written [B,T,D]. Axes may be negative: -1 is the last. All operations record on their inputs' tape. An
 * operation that fails returns the inert var and leaves the reason on the tape. */
#ifndef TAPELOOM_OPS_H
#define TAPELOOM_OPS_H

#include "autograd.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- types of arguments ---- */

/* Axes to reduce over; count 0 = all of them. TL_AXES(0, -1) */
typedef struct tl_axes {
    int count;
    long axis[TL_MAX_RANK];
} tl_axes;
#define TL_AXES(...) ((tl_axes){TL_COUNT(__VA_ARGS__), {__VA_ARGS__}})
#define TL_ALL_AXES ((tl_axes){0, {0}})

/* Which keys attention may read. The T queries are the last T of S positions: query i is at position i + (S - T). It
 * sees key j if all conditions that are given hold:
 *   key_lengths[b] > j;   causal: j <= i + (S - T);   window: |i + (S - T) - j| <= window;
 *   attend[b][h][i][j] == TL_ATTEND.
 * NULL, false or 0: no such condition. The arrays are copied when the operation is recorded. */
enum { TL_BLOCK = 0, TL_ATTEND = 1 };
typedef struct tl_mask {
    const int *key_lengths; /* [B] number of real keys of each sentence */
    bool causal;
    const uint8_t *attend; /* TL_ATTEND or TL_BLOCK, row-major [attend_dim[0..3]] */
    long attend_dim[4];    /* batch, head, query, key; 1 = the same for all. Read only if attend is given. */
    long window;           /* 0: none */
} tl_mask;
/* Does the mask show key j of `keys` to query i of `queries`, in head h of sentence b? The rule of masked_softmax and
 * attention, for inspection and tests. mask may be NULL. False if an index is outside queries, keys or attend_dim. */
bool tl_mask_shows(const tl_mask *mask, long b, long h, long i, long j, long queries, long keys);

/* The result of a loss: the mean of its elements, their sum, or all of them. The names are PyTorch's. */
typedef enum tl_reduction { TL_REDUCE_MEAN, TL_REDUCE_SUM, TL_REDUCE_NONE } tl_reduction;

/* Options of cross-entropy; {0} or NULL is the mean over all targets. With s = label_smoothing and w[v] =
 * class_weight[v], the loss of a target t is PyTorch's:
 *   (1-s)·w[t]·(-log p[t]) + s/V·(sum over all V classes v of w[v]·(-log p[v])).
 * The mean is the sum of these over the sum of w[t] of the real targets (those not ignored); without weights, over
 * their number. Arrays are copied when the operation is recorded. */
typedef struct tl_loss_options {
    double label_smoothing; /* in [0, 1) */
    bool ignore;            /* targets equal to ignore_id do not count: loss 0, gradient 0 */
    int ignore_id;
    tl_reduction reduction;      /* none: a loss for each target, of the targets' shape */
    double divisor;              /* of the mean: the sum is divided by this number instead; 0: as above */
    const tl_real *class_weight; /* [V] the weight of each class, 0 or more; NULL: 1 each */
} tl_loss_options;

/* Statistics of cross-entropy, written when the loss has been computed. */
typedef struct tl_loss_report {
    long count;   /* real targets */
    long correct; /* real targets with the largest logit; ties go to the first */
    double nll;   /* sum of -log p over the real targets, without smoothing and weights, in nats */
} tl_loss_report;

/* binary_cross_entropy takes logits, not probabilities: leave out the last sigmoid (tl_sigmoid(logits) gives the
 * probabilities). A rounded probability is not enough to compute the loss: in float the sigmoid of 20 is 1, so that
 * its loss against target 0 would be infinite instead of 20. */

/* ---- the list ---- */

/* Define TL_OP(name, arguments, meaning): TL_OPS_LIST expands to it for each operation. */
/* clang-format off */
#define TL_OPS_LIST                                                                                          \
    TL_OP(add, (tl_var a, tl_var b), "a + b, broadcast")                                                     \
    TL_OP(sub, (tl_var a, tl_var b), "a - b, broadcast")                                                     \
    TL_OP(mul, (tl_var a, tl_var b), "a * b element by element, broadcast")                                  \
    TL_OP(div, (tl_var a, tl_var b), "a / b element by element, broadcast")                                  \
    TL_OP(maximum, (tl_var a, tl_var b), "the larger of each two, broadcast; ties share the gradient")       \
    TL_OP(minimum, (tl_var a, tl_var b), "the smaller of each two, broadcast; ties share the gradient")      \
    TL_OP(where, (tl_var cond, tl_var a, tl_var b), "a where cond is not 0, else b; cond gets no gradient")  \
    TL_OP(neg, (tl_var x), "-x")                                                                             \
    TL_OP(scale, (tl_var x, double factor), "factor * x")                                                    \
    TL_OP(power, (tl_var x, double exponent), "x to a constant power")                                       \
    TL_OP(exp, (tl_var x), "e to the x")                                                                     \
    TL_OP(log, (tl_var x), "natural logarithm")                                                              \
    TL_OP(sqrt, (tl_var x), "square root")                                                                   \
    TL_OP(tanh, (tl_var x), "hyperbolic tangent")                                                            \
    TL_OP(sigmoid, (tl_var x), "1 / (1 + e to the -x)")                                                      \
    TL_OP(abs, (tl_var x), "absolute value; gradient 0 at 0")                                                \
    TL_OP(clamp, (tl_var x, double low, double high), "x, no less than low, no more than high")              \
    TL_OP(relu, (tl_var x), "max(x, 0)")                                                                     \
    TL_OP(gelu, (tl_var x), "x * Phi(x), exact (erf)")                                                       \
    TL_OP(gelu_tanh, (tl_var x), "x * Phi(x), tanh approximation")                                           \
    TL_OP(matmul, (tl_var a, tl_var b), "[...,M,K] x [...,K,N] = [...,M,N], batch axes broadcast")           \
    TL_OP(linear, (tl_var x, tl_var w, tl_var bias), "x [...,in], w [out,in], bias [out] or TL_NO_VAR")      \
    TL_OP(reshape, (tl_var x, tl_shape shape), "same elements, other shape; one dim may be -1")              \
    TL_OP(transpose, (tl_var x, int axis1, int axis2), "two axes swapped")                                   \
    TL_OP(permute, (tl_var x, tl_axes order), "axes in a new order")                                         \
    TL_OP(split_heads, (tl_var x, int heads), "[B,T,D] to [B,H,T,D/H]")                                      \
    TL_OP(merge_heads, (tl_var x), "[B,H,T,d] to [B,T,H*d]")                                                 \
    TL_OP(concat, (const tl_var *x, int count, int axis), "several along one axis")                          \
    TL_OP(stack, (const tl_var *x, int count, int axis), "several of one shape along a new axis")            \
    TL_OP(slice, (tl_var x, int axis, long from, long to), "[from, to) of one axis")                         \
    TL_OP(sum, (tl_var x, tl_axes axes, bool keep_dims), "sum over any axes")                                \
    TL_OP(mean, (tl_var x, tl_axes axes, bool keep_dims), "mean over any axes")                              \
    TL_OP(max, (tl_var x, int axis, bool keep_dims), "largest along an axis; ties: the first")               \
    TL_OP(softmax, (tl_var x, int axis), "e to the x over its sum along an axis")                            \
    TL_OP(log_softmax, (tl_var x, int axis), "log of softmax, without its overflow")                         \
    TL_OP(masked_softmax, (tl_var x, const tl_mask *mask), "softmax over the keys that the mask shows")      \
    TL_OP(masked_sigmoid, (tl_var x, const tl_mask *mask), "sigmoid where the mask shows the key, else 0")   \
    TL_OP(scaled_dot_product_attention,                                                                      \
          (tl_var q, tl_var k, tl_var v, tl_var bias, const tl_mask *mask, double dropout, double scale),    \
          "softmax(scale q k^T + bias) v of [B,H,T,d], [B,H,S,d], [B,H,S,e]: [B,T,H*e]; scale 0: "           \
          "1 / sqrt(d); bias: a constant of the scores' shape or 1 along an axis, or TL_NO_VAR")             \
    TL_OP(rotary, (tl_var x, long from, double base),                                                        \
          "pairs of x [B,H,T,d] rotated by their positions from, from+1, …; base 0: 10000")                  \
    TL_OP(gru_step, (tl_var x, tl_var recall, tl_var h),                                                     \
          "a GRU's gates [B,3H], [B,3H] and new state from h [B,H]")                                         \
    TL_OP(lstm_step, (tl_var x, tl_var recall, tl_var c),                                                    \
          "an LSTM's gates [B,4H], [B,4H] and cell [B,H]: [2,B,H], h then c")                                \
    TL_OP(lstm_steps,                                                                                        \
          (tl_var x, tl_var weight, tl_var bias, tl_var h, tl_var c, const int *lengths, bool reverse),      \
          "all steps of an LSTM: x [B,T,4H], weight [4H,H], bias or TL_NO_VAR, h and c [B,H]: [2,B,T,H]")    \
    TL_OP(layer_norm, (tl_var x, tl_var gamma, tl_var beta, double eps), "over the last axis; gamma, beta [D]") \
    TL_OP(rms_norm, (tl_var x, tl_var gamma, double eps), "over the last axis; gamma [D]")                   \
    TL_OP(dropout, (tl_var x, double p), "in training, zero with probability p, the rest / (1-p)")           \
    TL_OP(embedding, (tl_var weight, const int *ids, tl_shape shape), "rows of weight [V,D]: shape + [D]")   \
    TL_OP(gather, (tl_var x, int axis, const int *ids, tl_shape shape),                                      \
          "elements by index along an axis; ids and result of that shape (torch.gather)")                    \
    TL_OP(mse_loss, (tl_var x, tl_var targets, tl_reduction reduction), "squared error, both of one shape")  \
    TL_OP(binary_cross_entropy, (tl_var logits, tl_var targets, tl_var pos_weight, tl_reduction reduction),  \
          "of logits, targets 0 … 1 of one shape; pos_weight (broadcast, or TL_NO_VAR) weights targets 1")   \
    TL_OP(cross_entropy,                                                                                     \
          (tl_var logits, const int *targets, const tl_loss_options *options, tl_loss_report *report),       \
          "logits [...,V], one target each: mean loss, shape []; options and report may be NULL")            \
    TL_OP(linear_cross_entropy,                                                                              \
          (tl_var x, tl_var w, tl_var bias, const int *targets, const tl_loss_options *options,              \
           tl_loss_report *report),                                                                          \
          "cross_entropy(linear(x, w, bias)) without storing the logits")
/* clang-format on */

/* In place of an optional input (a bias, a gamma): there is none. */
#define TL_NO_VAR ((tl_var){NULL, -2, 0})

#define TL_OP(name, arguments, meaning) tl_var tl_##name arguments;
TL_OPS_LIST
#undef TL_OP

#ifdef __cplusplus
}
#endif
#endif
