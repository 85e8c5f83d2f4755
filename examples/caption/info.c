/* caption info: what a run is, its size, its training, and its quality. */
#include "program.h"

int command_info(settings *s) {
    tl_error error = {""};
    tl_training_state now;
    tl_run *run = tl_run_open(s->common.model, &(tl_run_choice){"none", this_program.name}, &error);
    if (!run) return fail_with(error.message);
    const tl_run_settings *made = tl_run_settings_of(run);
    const tl_transformer_config *c = &tl_run_transformer(run)->config;
    print_name("run         ", s->common.model, "\n");
    printf("model       Transformer from patches to words: d_model %ld, %d heads, %d + %d layers, d_ff %ld\n",
           c->d_model, c->heads, c->encoder_layers, c->decoder_layers, c->d_ff);
    printf("            pre-norm, %s positions of patches, output tied to the embedding\n",
           made->model.encoder_positions);
    printf("parameters  %ld\n", tl_params_numel(tl_run_params(run)));
    printf("pictures    %d x %d patches of %d x %d pixels, noise %g; %ld words\n", TL_PICTURE_SIDE,
           TL_PICTURE_SIDE, TL_PICTURE_CELL, TL_PICTURE_CELL, made->caption.noise,
           tl_vocab_size(tl_run_vocab(run, TL_TARGET)));
    printf("trained on  %ld pictures drawn here\n            %ld a batch", made->caption.pictures,
           made->caption.batch);
    print_training(made);
    if (tl_run_state(run, &now)) print_state(&now, tl_run_score_label(run));
    if (!tl_run_error(run)) print_files(s->common.model, &error);
    const int status = status_of(run, &error);
    tl_run_free(run);
    return status;
}
