/* Can the model overfit one batch? */
#include "measure.h"

#include <stdlib.h>

static double nll_per_token(const tl_batch *batch, const double *nll) {
    double sum = 0, tokens = 0;
    for (long i = 0; i < tl_plain_count(batch); i++)
        if (tl_plain_is_real(batch, i)) sum += nll[i], tokens++;
    return tokens > 0 ? sum / tokens : 0;
}

bool tl_measure_overfit(tl_measured *measured, const tl_model *model, tl_tape *tape, const tl_batch *batch,
                        long steps, bool (*progress)(void *context, long done, long all), void *context) {
    static const double RATE = 3e-3; /* with it small models learn a batch within a hundred steps */
    if (!measured || !model || !model->kind || !batch || steps < 0)
        return tl_measure_fail(tape,
                               "checks: give a model, a batch, steps of 0 or more, and a place for what "
                               "is measured");
    double *nll = malloc(((size_t)tl_plain_count(batch) + 1) * sizeof *nll);
    tl_adam *adam = tl_adam_new(model->params, NULL);
    const long training = tl_tape_set_training(tape, 0);
    tl_tape_reset(tape);
    bool ok = nll && adam && tl_plain_nll(model, tape, batch, NULL, nll, NULL);
    if (ok) measured->overfit_before = nll_per_token(batch, nll);
    for (long step = 1; ok && step <= steps; step++) {
        tl_tape_reset(tape);
        tl_zero_grad(model->params);
        ok = tl_backward(tl_model_loss(model, tape, batch, NULL, NULL, NULL));
        if (ok) tl_clip_grad_norm(model->params, 1);
        if (ok && !tl_adam_step(adam, RATE)) ok = tl_measure_fail(tape, tl_adam_error(adam));
        if (ok && progress && !progress(context, step, steps)) ok = tl_measure_fail(tape, "checks: stopped");
    }
    tl_tape_reset(tape);
    ok = ok && tl_plain_nll(model, tape, batch, NULL, nll, NULL);
    if (ok) measured->overfit_after = nll_per_token(batch, nll), measured->steps = steps;
    if (!ok && !tl_tape_error(tape)) tl_measure_fail(tape, "checks: out of memory");
    tl_tape_set_training(tape, training);
    tl_adam_free(adam);
    free(nll);
    return ok;
}
