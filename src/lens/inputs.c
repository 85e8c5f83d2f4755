/* A model's input, with and without its positions. Only some kinds of models add positions to embeddings; which of
 * them do, and where their layer is, is known only here. */
#include "inputs.h"

#include "one_sentence.h"

#include <stdlib.h>
#include <string.h>

const char *tl_input_place(tl_stream_side side) {
    return side == TL_ENCODER ? "encoder.embedding" : "decoder.embedding";
}

long tl_inputs_places(const tl_inputs *inputs) { return inputs->sources + inputs->targets; }

void tl_inputs_free(tl_inputs *inputs) {
    free(inputs->x);
    free(inputs->position);
    *inputs = (tl_inputs){0};
}

/* The layer that adds positions to a side's embeddings; NULL: none does. */
static const tl_positions *positions_of(const tl_model *model, tl_stream_side side) {
    const char *kind = model->kind->name;
    const tl_positions *positions = NULL;
    if (!strcmp(kind, "transformer") || !strcmp(kind, "captioner")) {
        const tl_transformer *m = (const tl_transformer *)model;
        positions = side == TL_ENCODER ? &m->src_positions : &m->tgt_positions;
    } else if (!strcmp(kind, "gpt") && side == TL_DECODER) {
        positions = &((const tl_gpt *)model)->wpe;
    } else if (!strcmp(kind, "transformer-classifier") && side == TL_ENCODER) {
        positions = &((const tl_classifier *)model)->positions;
    }
    return positions && (positions->kind == TL_SINUSOIDAL || positions->kind == TL_LEARNED) ? positions
                                                                                            : NULL;
}

static void copy(tl_tensor from, double *to) { /* of two axes */
    for (long i = 0; i < from.dim[0]; i++)
        for (long d = 0; d < from.dim[1]; d++)
            to[i * from.dim[1] + d] = from.data[i * from.stride[0] + d * from.stride[1]];
}

/* The value of a side's embedding, [positions,width]; without data if there is no such side. */
static tl_tensor seen_in(const tl_model *model, const tl_seen *seen, tl_stream_side side) {
    if (!tl_has_place(model, tl_input_place(side))) return (tl_tensor){.data = NULL};
    return tl_at(tl_value(tl_place_var(model, &seen->maps, tl_input_place(side))), 0);
}

static bool take(const tl_model *model, tl_tape *tape, tl_stream_side side, tl_tensor x, double *to,
                 double *position) {
    if (!x.data) return true;
    copy(x, to);
    const tl_positions *layer = positions_of(model, side);
    tl_tensor place =
        layer ? tl_value(tl_positions_forward(layer, tape, 0, x.dim[0])) : (tl_tensor){.data = NULL};
    if (place.data) copy(place, position);
    return !tl_tape_error(tape);
}

bool tl_inputs_of(const tl_model *model, tl_tape *tape, const tl_batch *one, tl_inputs *inputs) {
    *inputs = (tl_inputs){0};
    tl_seen seen;
    if (!tl_look(model, tape, one, &(tl_look_options){.no_grad = true}, &seen)) return false;
    const tl_tensor source = seen_in(model, &seen, TL_ENCODER), target = seen_in(model, &seen, TL_DECODER);
    inputs->sources = source.data ? source.dim[0] : 0;
    inputs->targets = target.data ? target.dim[0] : 0;
    inputs->width = source.data ? source.dim[1] : target.data ? target.dim[1] : 0;
    inputs->cls = source.data ? source.dim[0] - one->src_len : 0;
    if (source.data && target.data && source.dim[1] != target.dim[1]) {
        tl_tape_fail(
            tape,
            "the embeddings of source and target are %ld and %ld wide: inputs of one width were expected",
            source.dim[1], target.dim[1]);
        return false;
    }
    const size_t size = (size_t)(tl_inputs_places(inputs) * inputs->width) + 1;
    inputs->x = calloc(size, sizeof *inputs->x);
    inputs->position = calloc(size, sizeof *inputs->position);
    if (!inputs->x || !inputs->position) {
        tl_tape_fail(tape, "out of memory for the inputs of %ld places", tl_inputs_places(inputs));
        return false;
    }
    const long of_target = inputs->sources * inputs->width;
    const bool ok =
        take(model, tape, TL_ENCODER, source, inputs->x, inputs->position) &&
        take(model, tape, TL_DECODER, target, inputs->x + of_target, inputs->position + of_target);
    memcpy(inputs->position, inputs->x, (size_t)(inputs->cls * inputs->width) * sizeof *inputs->x);
    return ok;
}

bool tl_input_shares_new(const tl_inputs *inputs, tl_tape *tape, tl_input_shares *shares) {
    *shares = (tl_input_shares){.sources = inputs->sources, .targets = inputs->targets};
    shares->source = calloc((size_t)tl_inputs_places(inputs) + 1, sizeof *shares->source);
    if (!shares->source) {
        tl_tape_fail(tape, "out of memory for %ld places", tl_inputs_places(inputs));
        return false;
    }
    shares->target = shares->source + inputs->sources;
    return true;
}

void tl_input_shares_free(tl_input_shares *shares) {
    if (!shares) return;
    free(shares->source);
    *shares = (tl_input_shares){0};
}
