/* The output projection: logits, or the loss directly, without storing the logits. */
#include "output.h"

tl_output tl_output_init(tl_params *params, const char *model, tl_param *tied, tl_shape weight, bool bias) {
    const char *dot = *model ? "." : "";
    tl_output output = {.scope = tl_params_text(params, "%s%soutput", model, dot), .weight = tied};
    if (!tied)
        output.weight = tl_params_add(params, tl_params_text(params, "%s%soutput.weight", model, dot), weight,
                                      (tl_init){TL_INIT_XAVIER, 0});
    if (bias)
        output.bias = tl_params_add(params, tl_params_text(params, "%s%soutput.bias", model, dot),
                                    TL_SHAPE(weight.dim[0]), (tl_init){TL_INIT_ZEROS, 0});
    return output;
}

/* Enters the scope, which the caller leaves. Returns the weight. */
static tl_var enter(tl_output output, tl_tape *tape, tl_var *bias) {
    tl_scope_enter(tape, output.scope);
    *bias = output.bias ? tl_use(tape, output.bias) : TL_NO_VAR;
    return tl_use(tape, output.weight);
}

tl_var tl_output_logits(tl_output output, tl_var hidden) {
    tl_var bias, weight = enter(output, hidden.tape, &bias);
    tl_var y = tl_linear(hidden, weight, bias);
    tl_scope_leave(hidden.tape);
    return y;
}

tl_var tl_output_loss(tl_output output, tl_var hidden, const tl_batch *batch, double label_smoothing,
                      const tl_loss_options *options, tl_loss_report *report) {
    tl_loss_options o = options ? *options : (tl_loss_options){0};
    o.label_smoothing = label_smoothing;
    o.ignore = true;
    o.ignore_id = batch->pad;
    tl_var bias, weight = enter(output, hidden.tape, &bias);
    tl_var loss = tl_linear_cross_entropy(hidden, weight, bias, batch->tgt_out, &o, report);
    tl_scope_leave(hidden.tape);
    return tl_label(loss, "loss");
}
