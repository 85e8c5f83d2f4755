/* Task 8, tier 2: one update of a Transformer from several micro-batches. */
#include "training.h"

#include <tapeloom.h>

#include <math.h>

/* The report of an update whose tape or optimiser has failed. */
static const training_report failed = {NAN, NAN};

training_report training_update(tl_transformer *model, tl_params *params, tl_adam *adam, tl_tape *tape,
                                const tl_batch *micro, int count, long step,
                                const training_settings *settings) {
    /* zero all gradients
     * for every micro-batch:   forget the last graph; training mode, with this step's and this micro-batch's random numbers;
     *                          its summed loss over the tokens of all micro-batches; backward
     * clip; then Adam with the rate of this step */
    training_report report = {0, 0};
    (void)failed;
    /* >>> */
    double tokens = 0;
    for (int i = 0; i < count; i++) tokens += (double)micro[i].tgt_tokens;
    tl_zero_grad(params);
    for (int i = 0; i < count; i++) {
        tl_tape_reset(tape);
        tl_tape_set_training(tape, step);
        tl_tape_set_micro_batch(tape, i);
        tl_var loss =
            tl_model_loss(&model->model, tape, &micro[i], &(tl_loss_options){.divisor = tokens}, NULL, NULL);
        report.loss += tl_item(tl_value(loss));
        if (!tl_backward(loss)) return failed;
    }
    report.norm = tl_clip_grad_norm(params, settings->clip);
    const double rate = tl_noam(settings->d_model, settings->warmup, step);
    if (!tl_adam_step(adam, rate)) return failed;
    /* <<< */
    return report;
}
