/* Gates that learn to close: hard concrete (Louizos et al. 2018, equations 10 to 12; for heads Voita et al. 2019, 4.1).
 *
 *     s = σ((ln u - ln(1-u) + log α) / β)      in training, u from (0, 1);  elsewhere s = σ(log α)
 *     g = clip(s·(ζ - γ) + γ, 0, 1)            β 0.33, γ -0.1, ζ 1.1: g can be exactly 0 and exactly 1
 *     P(g ≠ 0) = σ(log α - β·ln(-γ / ζ))       its sum over the heads is the penalty
 *
 * All of it is made of tape operations, so it needs no backward of its own. The noise of a step is drawn once for all
 * sentences of its batch, with the keys of dropout: (seed, step, micro-batch, scope). */
#include "head_gate.h"

#include "check.h"

#include "tapeloom/op.h"

#include <math.h>

static const double beta = 0.33, gamma_ = -0.1, zeta = 1.1;
static const char not_a_vector[] = "%s: log_alpha is %s, should be one number a head, [H]";

/* ---- the formulas ---- */

static bool is_vector(tl_var log_alpha, const char *who) {
    if (!tl_ok(log_alpha)) return false;
    if (tl_value(log_alpha).rank == 1) return true;
    return tl_tape_refuse(log_alpha.tape, not_a_vector, who, TL_SHAPE_STRING(tl_shape_of_var(log_alpha)));
}

/* (ln u - ln(1-u) + log α) / β */
static tl_var noisy(tl_var log_alpha, const double *u) {
    tl_tensor noise = tl_tape_tensor(log_alpha.tape, tl_shape_of_var(log_alpha));
    for (long h = 0; noise.data && h < tl_numel(noise); h++) {
        if (!(u[h] > 0 && u[h] < 1))
            return tl_tape_fail(log_alpha.tape, "tl_hard_concrete: u[%ld] is %g, should lie between 0 and 1",
                                h, u[h]);
        noise.data[h] = (tl_real)(log(u[h]) - log1p(-u[h]));
    }
    if (!noise.data) return tl_inert(log_alpha.tape);
    return tl_scale(tl_add(log_alpha, tl_constant(log_alpha.tape, noise)), 1 / beta);
}

tl_var tl_hard_concrete(tl_var log_alpha, const double *u) {
    if (!is_vector(log_alpha, "tl_hard_concrete")) return tl_inert(log_alpha.tape);
    tl_var s = tl_sigmoid(u ? noisy(log_alpha, u) : log_alpha);
    tl_var begin = tl_scalar(log_alpha.tape, gamma_);
    return tl_clamp(tl_add(tl_scale(s, zeta - gamma_), begin), 0, 1);
}

tl_var tl_hard_concrete_open(tl_var log_alpha) {
    if (!is_vector(log_alpha, "tl_hard_concrete_open")) return tl_inert(log_alpha.tape);
    return tl_sigmoid(tl_add(log_alpha, tl_scalar(log_alpha.tape, -beta * log(-gamma_ / zeta))));
}

/* ---- the gates of an attention ---- */

tl_param *tl_head_gate_add(tl_params *params, const char *name, int heads) {
    tl_param *p =
        tl_add_part(params, name, "head_gate.log_alpha", TL_SHAPE(heads), (tl_init){TL_INIT_ONES, 0});
    if (p && !tl_params_error(params) && !tl_params_empty(params))
        tl_tensor_fill(tl_param_value(p), (tl_real)TL_HEAD_GATE_BEGINS);
    return p;
}

/* The midpoint of interval number `bits` of 2^32 equal parts of (0, 1): never 0, never 1. */
static double middle(uint32_t bits) { return ((double)bits + 0.5) / 4294967296.0; }

tl_var tl_head_gate(tl_tape *tape, tl_param *log_alpha) {
    tl_var x = tl_use(tape, log_alpha);
    if (!tl_ok(x) || !tl_tape_training(tape)) return tl_hard_concrete(x, NULL);
    const long heads = tl_numel(tl_value(x));
    double *u = tl_tape_memory(tape, (size_t)heads * sizeof *u);
    tl_rng_key key;
    if (!u || !tl_tape_next_key(tape, &key)) return tl_inert(tape);
    for (long h = 0; h < heads; h++) u[h] = middle(tl_rng_bits(key, (uint64_t)h));
    return tl_hard_concrete(x, u);
}
