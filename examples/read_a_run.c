/* Opens a run that `translate` has trained (`make demo` leaves one in build/demo), translates a line, and prints for
 * head 0 of the decoder's last layer: P, where each target token attended in the source, and dL/dP, how the loss of
 * that translation changes with P.
 *
 *     build/read_a_run build/demo 'the small cats do not sleep .'
 * */
#include <tapeloom.h>

#include <stdlib.h>

static int fail(const char *message) { return fprintf(stderr, "read_a_run: %s\n", message), 1; }

int main(int argc, char **argv) {
    tl_streams_open();
    if (argc < 3) return fail("give the folder of a run, and a line to translate");
    tl_error error = {""};
    tl_run *run = tl_run_open(argv[1], NULL, &error); /* its best weights */
    if (!run) return fail(error.message);

    const char *source = argv[2], *target = tl_run_translate_line(run, source);
    if (target) tl_put_text(target, stdout), puts("");

    tl_batch batch;
    tl_tape *tape = tl_run_tape(run);
    tl_tape_reset(tape);
    /* for every layer, with gradients */
    tl_model_maps maps = tl_model_maps_new(tl_run_model(run), tape, true);
    tl_run_batch(run, &source, &target, 1, &batch);
    /* the first failure */
    if (!tl_backward(tl_run_loss(run, &batch, &maps))) return fail(tl_run_error(run));

    const int layers = tl_run_model(run)->attentions[TL_CROSS];
    if (!layers) return fail("the model has no attention to look at");
    const tl_attention_maps *last = &maps.cross[layers - 1]; /* probs: [sentence,head,target,source] */
    tl_print(tl_at(tl_value(last->probs), 0, 0), stdout);
    tl_print(tl_at(tl_attention_grad(last, TL_PLACE_PROBS), 0, 0), stdout);
    free((char *)target);
    tl_run_free(run);
    return tl_output_close(stdout, &error) ? 0 : fail(error.message);
}
