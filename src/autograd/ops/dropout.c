/* dropout: in training y_i = keep_i·x_i/(1-p), each element kept with probability 1-p (Srivastava et al. 2014, with
 * the scaling at training time); otherwise, and for p = 0, y is x itself.
 *
 *     keep_i = (random word i of the stream >= p·2^32)
 *
 * The stream's key comes from (seed, step, micro-batch, scope, count within the scope), never from the place on the
 * tape; i counts elements in row-major order.
 * backward: given dy,   dx_i += keep_i·dy_i/(1-p). Only the key is stored; keep is drawn again. */
#include "tapeloom/op.h"
#include "tapeloom/ops.h"
#include "tensor/map.h"

typedef struct saved {
    double p;
    tl_rng_key key;
} saved;

static void backward(tl_back *b) {
    const saved *s = b->saved;
    tl_sink dx;
    if (!tl_sink_open(b, 0, &dx)) return;
    tl_map_dropout(dx.to, b->dy, s->p, s->key, dx.add);
    tl_sink_close(b, &dx);
}

const tl_op tl_op_dropout = {"dropout", backward};

tl_var tl_dropout(tl_var x, double p) {
    if (tl_ok(x) && p >= 0 && p < 1 && !tl_tape_training(x.tape)) return x; /* as in every step of decoding */
    tl_call c = tl_call_begin(&tl_op_dropout, 1, &x);
    c.unread = TL_UNREAD_ALL;
    if (!c.ok) return tl_call_end(&c);
    if (!(p >= 0 && p < 1)) return tl_call_fail(&c, "p is %g, should be a probability in [0, 1)", p);
    if (p == 0) return x;
    saved *s = tl_call_save(&c, sizeof *s);
    tl_tensor y = tl_call_new(&c, tl_shape_of(c.x[0]));
    if (!c.ok) return tl_call_end(&c);
    s->p = p;
    if (!tl_tape_next_key(c.tape, &s->key)) return tl_call_fail(&c, "no random stream: out of memory");
    tl_map_dropout(y, c.x[0], p, s->key, false);
    return tl_call_end(&c);
}

static tl_var dropped(const tl_var *x) { return tl_dropout(x[0], 0.4); }
static tl_var of_a_view(const tl_var *x) { return tl_dropout(tl_transpose(x[0], 0, 1), 0.2); }
TL_GRAD_CASES(dropout, {.what = "training", .f = dropped, TL_INPUTS(TL_DIMS(3, 17)), .train = true},
              {.what = "of a view", .f = of_a_view, TL_INPUTS(TL_DIMS(7, 5)), .train = true},
              {.what = "evaluation", .f = dropped, TL_INPUTS(TL_DIMS(3, 5))});
