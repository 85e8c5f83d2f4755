/* Positions: a table that does not learn (sinusoids), one that does, or none. */
#include "tapeloom/nn.h"

#include <math.h>

/* PE(pos,2i) = sin(pos / 10000^(2i/d)), PE(pos,2i+1) = cos(pos / 10000^(2i/d)), one pair of columns. Only a few angles
 * are asked for, sin(x + y) = sin x cos y + cos x sin y gives the others, right to two units of a double's last place:
 * a thousand sines for every pair would be felt whenever a program starts. */
static void fill_pair(tl_tensor table, long pair) {
    enum { NEAR = 32 };
    const long d = table.dim[1];
    const double frequency = exp(-log(10000.0) * (double)(2 * pair) / (double)d);
    double near_sin[NEAR], near_cos[NEAR], far_sin = 0, far_cos = 1;
    for (long n = 0; n < NEAR; n++) {
        near_sin[n] = sin((double)n * frequency);
        near_cos[n] = cos((double)n * frequency);
    }
    for (long pos = 0; pos < table.dim[0]; pos++) {
        const long n = pos % NEAR;
        if (n == 0 && pos > 0) {
            far_sin = sin((double)pos * frequency);
            far_cos = cos((double)pos * frequency);
        }
        tl_real *to = table.data + pos * d + 2 * pair;
        to[0] = (tl_real)(far_sin * near_cos[n] + far_cos * near_sin[n]);
        if (2 * pair + 1 < d) to[1] = (tl_real)(far_cos * near_cos[n] - far_sin * near_sin[n]);
    }
}

tl_positions tl_positions_init(tl_params *params, const char *name, const tl_positions_config *config) {
    tl_positions p = {.name = tl_params_text(params, "%s", name),
                      .kind = config->kind,
                      .max_len = config->max_len > 0 ? config->max_len : 1024,
                      .d_model = config->d_model};
    tl_shape shape = TL_SHAPE(p.max_len, p.d_model);
    if (p.kind == TL_LEARNED)
        p.weight = tl_params_add(params, tl_params_text(params, "%s.weight", name), shape,
                                 (tl_init){TL_INIT_NORMAL, 1 / sqrt((double)p.d_model)});
    if (p.kind == TL_SINUSOIDAL) {
        tl_real *memory = tl_params_memory(params, (size_t)tl_shape_numel(shape) * sizeof *memory);
        if (memory) p.table = tl_tensor_of(memory, shape);
        for (long pair = 0; memory && 2 * pair < p.d_model; pair++) fill_pair(p.table, pair);
    }
    return p;
}

tl_var tl_positions_forward(const tl_positions *layer, tl_tape *tape, long from, long count) {
    if (from < 0 || from + count > layer->max_len)
        return tl_tape_fail(
            tape,
            "%s: places %ld to %ld, but max_len is %ld; make the model with a larger max_len or "
            "leave out longer sentences",
            layer->name, from, from + count - 1, layer->max_len);
    tl_scope_enter(tape, layer->name);
    tl_var y = layer->kind == TL_LEARNED
                   ? tl_slice(tl_use(tape, layer->weight), 0, from, from + count)
                   : tl_constant(tape, tl_tensor_slice(layer->table, 0, from, from + count));
    tl_scope_leave(tape);
    return y;
}
