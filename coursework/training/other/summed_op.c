/* Tier 2 by sums: every micro-batch's loss is summed, and the gradients are divided at the end. The rate and the clipping are done by
 * hand. */
#include "training.h"

#include <tapeloom.h>

#include <math.h>

static double norm_of(tl_params *params) {
    double sum = 0;
    for (int i = 0; i < tl_params_count(params); i++) {
        const tl_tensor g = tl_param_grad(tl_params_at(params, i));
        for (long k = 0; k < tl_numel(g); k++) sum += (double)g.data[k] * (double)g.data[k];
    }
    return sqrt(sum);
}

training_report training_update(tl_transformer *model, tl_params *params, tl_adam *adam, tl_tape *tape,
                                const tl_batch *micro, int count, long step,
                                const training_settings *settings) {
    double nats = 0, tokens = 0;
    const double s = (double)step, w = (double)settings->warmup;
    tl_tape_set_training(tape, step);
    tl_zero_grad(params);
    for (const tl_batch *b = micro; b < micro + count; b++) {
        tl_tape_set_micro_batch(tape, b - micro);
        tl_var loss =
            tl_model_loss(&model->model, tape, b, &(tl_loss_options){.reduction = TL_REDUCE_SUM}, NULL, NULL);
        if (!tl_backward(loss)) return (training_report){NAN, NAN};
        nats += tl_item(tl_value(loss));
        for (long i = 0; i < b->sentences; i++) tokens += b->tgt_lengths[i];
        tl_tape_reset(tape);
    }
    const double norm = norm_of(params) / tokens;
    tl_scale_grad(params, fmin(1, settings->clip / norm) / tokens);
    const double rate = s < w ? s / w / sqrt(w) : 1 / sqrt(s);
    if (!tl_adam_step(adam, rate / sqrt((double)settings->d_model))) return (training_report){NAN, NAN};
    return (training_report){nats / tokens, norm};
}
