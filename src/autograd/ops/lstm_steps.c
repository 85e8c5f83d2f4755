/* lstm_steps: an LSTM over whole sentences, in one operation.
 *
 *     for each step, with `reverse` from the last to the first:
 *         recall = h·weightᵀ + bias        h, c = lstm_step(x of the step, recall, c)
 *
 * x [B,T,4·hidden]; weight [4·hidden,hidden]; bias [4·hidden] or none; h and c [B,hidden], the first state. Sentence b
 * has lengths[b] steps, and its state does not change at the positions behind; lengths NULL: every sentence has T
 * steps. The result is [2,B,T,hidden]: h after each step, then c. The same bits as linear, lstm_step and where, one
 * after another.
 *
 * backward, from the step taken last to the first: the gradient of the state after a step is dy there plus the
 * contribution of the next step. lstm_step's backward gives dsum, and dc of the state before; its dh += dsum·weight.
 * After all steps
 *
 *     dx = dsum        dbias += the sum of dsum's rows        dweight += dsumᵀ·h, h before each step: one product */
#include "give_product.h"
#include "tensor/lstm.h"
#include "tensor/map.h"

#include <string.h>

enum { X, WEIGHT, BIAS, FIRST_H, FIRST_C }; /* the inputs */

static bool give_product(tl_back *b, tl_tensor to, bool add, tl_tensor left, tl_tensor right) {
    const tl_product_options options = {.add = add, .precision = tl_tape_matmul_precision(b->tape)};
    return tl_product(to, left, right, &options, tl_tape_workspace(b->tape));
}

/* Adds the gradient that passes through unchanged states: of sentences for which the first step is not taken. */
static void add_kept(const tl_lstm *l, tl_tensor to, tl_tensor kept) {
    const long t = l->reverse ? l->y.dim[2] - 1 : 0;
    for (long b = 0; l->lengths && b < to.dim[0]; b++)
        if (t >= l->lengths[b]) tl_tensor_accumulate(tl_at(to, b), tl_at(kept, b));
}

/* Adds the gradient of the first state, h or c. */
static bool give_first(tl_back *b, int input, tl_tensor kept, tl_tensor dsum, tl_tensor dc) {
    const tl_lstm *l = b->saved;
    bool done = true;
    tl_sink sink;
    if (!tl_sink_open(b, input, &sink)) return true;
    if (!sink.add) tl_tensor_fill(sink.to, 0);
    add_kept(l, sink.to, kept);
    if (input == FIRST_H)
        done = give_product(b, sink.to, true, dsum, l->weight);
    else
        tl_tensor_accumulate(sink.to, dc);
    tl_sink_close(b, &sink);
    return done;
}

/* One product over all steps and sentences has the bits of a product for each step where a sum is one chain. Where sums
 * run in groups, each step gets its own product. */
static bool give_weight(tl_back *b, tl_tensor dsum) {
    const tl_lstm *l = b->saved;
    tl_sink sink;
    if (!tl_sink_open(b, WEIGHT, &sink)) return true;
    bool done = true;
    if (!tl_product_in_groups(tl_tape_matmul_precision(b->tape)))
        done = give_product(b, sink.to, sink.add, tl_transposed(dsum), l->h);
    else
        for (long j = 0; done && j < dsum.dim[0]; j++)
            done = give_product(b, sink.to, sink.add || j > 0, tl_transposed(tl_at(dsum, j)), tl_at(l->h, j));
    tl_sink_close(b, &sink);
    return done;
}

static void give_x(tl_back *b, tl_tensor dsum) {
    const tl_lstm *l = b->saved;
    const long steps = dsum.dim[0];
    tl_sink sink;
    if (!tl_sink_open(b, X, &sink)) return;
    for (long j = 0; j < steps; j++) {
        tl_tensor to = tl_at(tl_tensor_transpose(sink.to, 0, 1), l->reverse ? j : steps - 1 - j);
        tl_tensor_put(to, tl_at(dsum, j), sink.add);
    }
    tl_sink_close(b, &sink);
}

static void backward(tl_back *b) {
    const tl_lstm *l = b->saved;
    const long steps = l->h.dim[0], sentences = l->h.dim[1], hidden = l->h.dim[2];
    tl_tensor dsum = tl_back_scratch(b, TL_SHAPE(steps, sentences, 4 * hidden));
    tl_tensor kept = tl_back_scratch(b, TL_SHAPE(2, sentences, hidden));
    tl_tensor dc = tl_back_scratch(b, TL_SHAPE(sentences, hidden));
    if (!dsum.data || !kept.data || !dc.data) return;
    tl_tensor first = tl_at(dsum, steps - 1);
    if (!tl_lstm_backward(l, tl_tape_matmul_precision(b->tape), b->dy, dsum, kept, dc,
                          tl_tape_workspace(b->tape)) ||
        !give_first(b, FIRST_H, tl_at(kept, 0), first, dc) ||
        !give_first(b, FIRST_C, tl_at(kept, 1), first, dc) || !give_weight(b, dsum))
        return (void)tl_tape_fail(b->tape, "lstm_steps: out of memory in backward");
    for (long j = 0; tl_back_wants(b, BIAS) && j < steps; j++) tl_give(b, BIAS, tl_at(dsum, j));
    give_x(b, dsum);
}

const tl_op tl_op_lstm_steps = {"lstm_steps", backward};

/* ---- forward ---- */

static bool check_shapes(tl_call *call) {
    const tl_tensor x = call->x[X], weight = call->x[WEIGHT], bias = call->x[BIAS], h = call->x[FIRST_H],
                    c = call->x[FIRST_C];
    const bool ranks = x.rank == 3 && weight.rank == 2 && (!bias.data || bias.rank == 1) && c.rank == 2;
    if (ranks && x.dim[0] == c.dim[0] && x.dim[1] > 0 && x.dim[2] % 4 == 0 && x.dim[2] / 4 == c.dim[1] &&
        weight.dim[0] == x.dim[2] && weight.dim[1] == c.dim[1] && (!bias.data || bias.dim[0] == x.dim[2]) &&
        tl_shape_equal(tl_shape_of(h), tl_shape_of(c)))
        return true;
    return tl_call_refuse(call,
                          "x %s, weight %s, bias %s, h %s, c %s: should be [B,T,4*hidden], T at least 1, "
                          "[4*hidden,hidden], [4*hidden], [B,hidden], [B,hidden]",
                          TL_SHAPE_STRING_OF(x), TL_SHAPE_STRING_OF(weight),
                          bias.data ? TL_SHAPE_STRING_OF(bias) : "none", TL_SHAPE_STRING_OF(h),
                          TL_SHAPE_STRING_OF(c));
}

static bool copy_lengths(tl_call *call, const int *lengths, tl_lstm *l) {
    const long sentences = call->x[X].dim[0], steps = call->x[X].dim[1];
    if (!lengths) return true;
    for (long b = 0; b < sentences; b++)
        if (lengths[b] < 0 || lengths[b] > steps)
            return tl_call_refuse(call, "lengths[%ld] is %d, should be in 0 … %ld", b, lengths[b], steps);
    int *copy = tl_call_memory(call, (size_t)sentences * sizeof *copy);
    if (copy) l->lengths = memcpy(copy, lengths, (size_t)sentences * sizeof *copy);
    return copy;
}

/* Makes each row contiguous. */
static bool make_rows_contiguous(tl_call *call) {
    return (call->x[X].stride[2] == 1 || tl_call_dense(call, X)) &&
           (call->x[FIRST_C].stride[1] == 1 || tl_call_dense(call, FIRST_C)) && tl_call_dense(call, BIAS);
}

tl_var tl_lstm_steps(tl_var x, tl_var weight, tl_var bias, tl_var h, tl_var c, const int *lengths,
                     bool reverse) {
    tl_call call =
        tl_call_begin_optional(&tl_op_lstm_steps, TL_OPTIONAL(BIAS), 5, (tl_var[]){x, weight, bias, h, c});
    call.unread = TL_UNREAD_INPUT(X) | TL_UNREAD_INPUT(BIAS) | TL_UNREAD_INPUT(FIRST_H);
    if (!call.ok || !check_shapes(&call) || !make_rows_contiguous(&call)) return tl_call_end(&call);
    const long sentences = call.x[X].dim[0], steps = call.x[X].dim[1], hidden = call.x[FIRST_C].dim[1];
    const long kept = call.wants_grad ? steps : 1;
    tl_tensor y = tl_call_new(&call, TL_SHAPE(2, sentences, steps, hidden));
    tl_lstm *l = tl_call_save(&call, sizeof *l);
    if (!y.data || !l) return tl_call_end(&call);
    *l = (tl_lstm){.x = call.x[X],
                   .weight = call.x[WEIGHT],
                   .bias = call.x[BIAS].data,
                   .c = call.x[FIRST_C],
                   .reverse = reverse,
                   .y = y,
                   .h = tl_call_tensor(&call, TL_SHAPE(kept, sentences, hidden)),
                   .gates = tl_call_tensor(&call, TL_SHAPE(kept, sentences, 5 * hidden))};
    if (!l->h.data || !l->gates.data || !copy_lengths(&call, lengths, l)) return tl_call_end(&call);
    tl_tensor_copy(tl_at(l->h, kept - 1), call.x[FIRST_H]);
    if (!tl_lstm_forward(l, tl_tape_matmul_precision(call.tape), tl_tape_packed(weight),
                         tl_tape_workspace(call.tape)))
        return tl_call_fail(&call, "out of memory");
    return tl_call_end(&call);
}

static tl_var plain(const tl_var *x) { /* the state [2,3,5]: h, c */
    tl_var h = tl_reshape(tl_slice(x[3], 0, 0, 1), TL_SHAPE(3, 5)),
           c = tl_reshape(tl_slice(x[3], 0, 1, 2), TL_SHAPE(3, 5));
    return tl_lstm_steps(x[0], x[1], x[2], h, c, NULL, false);
}
static tl_var of_lengths(const tl_var *x) {
    return tl_lstm_steps(x[0], x[1], TL_NO_VAR, x[2], x[3], (int[]){2, 0, 4}, false);
}
static tl_var backwards(const tl_var *x) { /* of lengths; views, one of them twice */
    tl_var state = tl_transpose(x[2], 0, 1);
    tl_var weight = tl_slice(x[1], 1, 0, 2);
    return tl_lstm_steps(tl_transpose(x[0], 1, 2), weight, TL_NO_VAR, state, state, (int[]){1, 3}, true);
}
TL_GRAD_CASES(lstm_steps,
              {.what = "odd size",
               .f = plain,
               TL_INPUTS(TL_DIMS(3, 2, 20), TL_DIMS(20, 5), TL_DIMS(20), TL_DIMS(2, 3, 5))},
              {.what = "of lengths",
               .f = of_lengths,
               TL_INPUTS(TL_DIMS(3, 4, 8), TL_DIMS(8, 2), TL_DIMS(3, 2), TL_DIMS(3, 2))},
              {.what = "backwards",
               .f = backwards,
               TL_INPUTS(TL_DIMS(2, 8, 3), TL_DIMS(8, 3), TL_DIMS(2, 2))});
