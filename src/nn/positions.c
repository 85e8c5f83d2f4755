/* Positions that are added to embeddings: sinusoids (not learnt), a learnt table, or none. */
#include "positions.h"

#include "check.h"
#include "layer.h"
#include "tapeloom/op.h"

#include "tensor/sizes.h"

#include <limits.h>
#include <math.h>
#include <string.h>

/* PE(pos,2i) = sin(pos / 10000^(2i/d)), PE(pos,2i+1) = cos(pos / 10000^(2i/d)).
 *
 * Only positions 0 … 31 and every 32nd position are computed by sin and cos, and stored in layer->angles. All others
 * follow from sin(x + y) = sin x cos y + cos x sin y, correct to two units in a double's last place. A table of all
 * positions would slow down the start of every program. */
enum { NEAR = 32 };

static long far_count(long max_len) { return max_len / NEAR + (max_len % NEAR != 0); }
static long row_of(long d) { return d + d % 2; } /* row length in angles: whole pairs of sine and cosine */

static void fill_angles(double *to, long places, long step, long d) {
    for (long i = 0; i < d; i += 2) {
        const double frequency = exp(-log(10000.0) * (double)i / (double)d);
        for (long n = 0; n < places; n++) {
            to[n * row_of(d) + i] = sin((double)(n * step) * frequency);
            to[n * row_of(d) + i + 1] = cos((double)(n * step) * frequency);
        }
    }
}

static void fill_place(tl_real *to, const tl_positions *layer, long at) {
    const long d = layer->d_model, row = row_of(d);
    const double *near = layer->angles + at % NEAR * row, *far = layer->angles + (NEAR + at / NEAR) * row;
    for (long i = 0; i < d; i += 2) {
        to[i] = (tl_real)(far[i] * near[i + 1] + far[i + 1] * near[i]);
        if (i + 1 < d) to[i + 1] = (tl_real)(far[i + 1] * near[i + 1] - far[i] * near[i]);
    }
}

static tl_var sinusoids(const tl_positions *layer, tl_tape *tape, long from, long count) {
    const long d = layer->d_model;
    if (!tape || tl_tape_error(tape)) return tl_inert(tape);
    if (!layer->angles)
        return tl_tape_fail(tape, "%s: its set has failed: tl_params_error says why", layer->name);
    tl_real *memory = tl_tape_tensor(tape, TL_SHAPE(count, d)).data;
    if (!memory) return tl_inert(tape);
    for (long n = 0; n < count; n++) fill_place(memory + n * d, layer, from + n);
    return tl_constant(tape, tl_tensor_of(memory, TL_SHAPE(count, d)));
}

tl_positions tl_positions_init(tl_params *params, const char *name, const tl_positions_config *config) {
    if (!tl_check_given(params, "tl_positions_init", name, config)) return (tl_positions){0};
    tl_positions p = {.name = tl_params_text(params, "%s", name),
                      .kind = config->kind,
                      .max_len = config->max_len == 0 ? 1024 : config->max_len,
                      .d_model = config->d_model};
    if (!tl_check_choice(params, name, "kind of positions", (int)p.kind, TL_NO_POSITIONS) ||
        !tl_check_size(params, name, "max_len", p.max_len) ||
        !tl_check_size(params, name, "d_model", p.d_model))
        return p;
    if (p.kind == TL_LEARNED)
        p.weight = tl_add_part(params, name, "weight", TL_SHAPE(p.max_len, p.d_model),
                               config->init.kind ? config->init
                                                 : (tl_init){TL_INIT_NORMAL, 1 / sqrt((double)p.d_model)});
    if (p.kind == TL_SINUSOIDAL && !tl_params_error(params)) { /* after an error d_model may be any number */
        const long row = p.d_model < TL_MAX_NUMEL ? row_of(p.d_model) : TL_MAX_NUMEL;
        long count;
        if (!tl_size_times(NEAR + far_count(p.max_len), row, &count))
            return tl_params_fail(params, "%s: max_len %ld times d_model %ld is more than memory can hold",
                                  name, p.max_len, p.d_model),
                   p;
        double *angles = tl_params_memory(params, (size_t)count * sizeof *angles);
        if (angles) {
            fill_angles(angles, NEAR, 1, p.d_model);
            fill_angles(angles + NEAR * row, far_count(p.max_len), NEAR, p.d_model);
        }
        p.angles = angles;
    }
    return p;
}

tl_var tl_positions_forward(const tl_positions *layer, tl_tape *tape, long from, long count) {
    if (!tl_layer_made(tape, TL_LAYER(layer), "tl_positions_init")) return tl_inert(tape);
    if (layer->kind == TL_NO_POSITIONS)
        return tl_tape_fail(tape, "%s: there are none to add (TL_NO_POSITIONS)", layer->name);
    if (count < 0) return tl_tape_fail(tape, "%s: %ld places are asked for", layer->name, count);
    if (from < 0 || from > layer->max_len || count > layer->max_len - from)
        return tl_tape_fail(
            tape,
            "%s: places %ld to %ld, but max_len is %ld; make the model with a larger max_len or "
            "leave out longer sentences",
            layer->name, from, from > LONG_MAX - count ? LONG_MAX : from + count - 1, layer->max_len);
    tl_scope_enter(tape, layer->name);
    tl_var y = layer->kind == TL_LEARNED ? tl_slice(tl_use(tape, layer->weight), 0, from, from + count)
                                         : sinusoids(layer, tape, from, count);
    tl_scope_leave(tape);
    return y;
}

void tl_positions_at(const tl_positions *layer, tl_real *to, long at) {
    if (layer->kind == TL_LEARNED)
        memcpy(to, layer->weight->leaf.value.data + at * layer->d_model, (size_t)layer->d_model * sizeof *to);
    else
        fill_place(to, layer, at);
}
