/* The logit lens: the operations that make the model's logits from its last stream, applied to earlier streams. So
 * the last depth has the model's bits. */
#include "logits_path.h"

#include "tapeloom/op.h"

#include <math.h>
#include <stdio.h>

/* What the projection reads of a stream, as in the model itself: every position, [CLS], or the mean. */
static tl_var read_by(const tl_logit_path *p, tl_var x, const tl_batch *batch) {
    if (!tl_ok(x) || p->from == TL_READS_PLACE) return x;
    const long b = tl_value(x).dim[0], d = tl_value(x).dim[2];
    if (p->from == TL_READS_CLS) return tl_reshape(tl_slice(x, 1, 0, 1), TL_SHAPE(b, d));
    return tl_reshape(tl_attention_forward(p->pooling, tl_zeros(x.tape, TL_SHAPE(b, 1, d)), x,
                                           &(tl_mask){.key_lengths = batch->src_lengths}, NULL),
                      TL_SHAPE(b, d));
}

static bool look(const tl_logit_path *p, tl_tape *tape, const tl_batch *batch, tl_lens *lens) {
    const tl_model *model = p->model;
    tl_model_maps maps = tl_model_maps_new(model, tape, false);
    tl_var hidden = model->kind->hidden(model, tape, batch, &maps);
    lens->logits = tl_tape_memory(tape, (size_t)(p->layers + 1) * sizeof *lens->logits);
    if (!tl_ok(hidden) || !lens->logits) return false;
    for (int depth = 0; depth <= p->layers; depth++) {
        tl_var x = maps.stream[p->side][depth].stream;
        if (p->final) x = tl_layer_norm_forward(p->final, x);
        tl_var logits = model->kind->logits(model, read_by(p, x, batch));
        if (!tl_ok(logits)) return false;
        tl_tensor y = tl_value(logits);
        if (y.rank == 2 && !tl_tensor_reshape(y, TL_SHAPE(y.dim[0], 1, y.dim[1]), &y)) return false;
        lens->logits[depth] = y;
    }
    lens->depths = p->layers + 1;
    return true;
}

static void tell_applied(const tl_logit_path *p, tl_lens *lens) {
    const char *to = p->from == TL_READS_PLACE ? "words" : "classes",
               *of = p->from == TL_READS_CLS    ? " of the stream at [CLS]"
                     : p->from == TL_READS_MEAN ? " of the mean over the places"
                                                : "";
    if (p->normalised)
        snprintf(lens->applied, sizeof lens->applied,
                 "post-norm: each layer has normalised its stream already; %sthe projection to %s%s",
                 p->final ? "then the model's final norm, as behind its last layer, and "
                          : "behind it stands nothing but ",
                 to, of);
    else
        snprintf(lens->applied, sizeof lens->applied,
                 "pre-norm: the stream is a plain sum; %sthe projection to %s%s",
                 p->final ? "then the model's final norm and " : "behind it stands nothing but ", to, of);
}

bool tl_logit_lens(const tl_model *model, tl_tape *tape, const tl_batch *batch, tl_stream_side side,
                   tl_lens *lens) {
    tl_logit_path path;
    if (lens) *lens = (tl_lens){0};
    if (!tape || !batch || !lens)
        return tl_tape_fail(tape, "logit lens: give a tape, a batch, and room for what comes out"), false;
    tl_tape_reset(tape);
    if (!tl_logit_path_of(model, tape, &path)) return false;
    if (side != path.side)
        return tl_tape_fail(
                   tape, path.side == TL_DECODER
                             ? "logit lens: the encoder's stream is read by the decoder's attention, and no "
                               "projection to words was trained on it: look at the decoder's"
                             : "logit lens: a classifier has no decoder: look at its encoder's stream"),
               false;
    const long training = tl_tape_set_training(tape, 0);
    const bool grad = tl_tape_set_grad(tape, false), ok = look(&path, tape, batch, lens);
    tl_tape_set_grad(tape, grad);
    tl_tape_set_training(tape, training);
    tell_applied(&path, lens);
    return ok && !tl_tape_error(tape);
}

tl_lens_said tl_lens_say(tl_tensor logits, int truth) {
    tl_lens_said said = {.token = -1};
    if (!logits.data || logits.rank != 1 || logits.dim[0] < 1) return said;
    const long v = logits.dim[0], stride = logits.stride[0];
    const tl_real *x = logits.data;
    long best = 0;
    for (long i = 1; i < v; i++)
        if (x[i * stride] > x[best * stride]) best = i;
    double sum = 0;
    for (long i = 0; i < v; i++) sum += exp((double)x[i * stride] - (double)x[best * stride]);
    said.token = (int)best;
    said.log_p = -log(sum);
    if (truth < 0 || truth >= v) return said;
    const double own = (double)x[truth * stride];
    said.truth_log_p = own - (double)x[best * stride] - log(sum);
    said.truth_rank = 1;
    for (long i = 0; i < v; i++)
        said.truth_rank += (double)x[i * stride] > own || ((double)x[i * stride] == own && i < truth);
    return said;
}
