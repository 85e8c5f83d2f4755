/* The logits of a translator's run: a line for each token of the target and for <eos>, given the true tokens before
 * it. */
#include "program.h"

int run_logits(words w) {
    if (w.count != 3) return wrong_words("the folder of a run, a source line and a target line");
    tl_error error = {""};
    tl_run *run = tl_run_open(w.word[0], NULL, &error);
    if (!run) return fail(error.message);
    const char *source = w.word[1], *target = w.word[2];
    const tl_model *model = tl_run_model(run);
    tl_tape *tape = tl_run_tape(run);
    tl_batch batch;
    int status = 1;
    if (tl_run_batch(run, &source, &target, 1, &batch)) {
        tl_var hidden = model->kind->hidden(model, tape, &batch, NULL);
        status = print_logits(tape, model->kind->logits(model, hidden));
    } else
        fail(tl_run_error(run));
    tl_run_free(run);
    return status;
}
