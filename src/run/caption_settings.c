/* A captioner's settings: rows, defaults, and what contradicts. */
#include "caption.h"
#include "program_settings.h"

/* clang-format off */
#define ROW TL_ROW
#define ANEW TL_ROW_ANEW

const tl_option tl_caption_data_options[] = {
    ROW("pictures", LONG, caption.pictures, "N", "how many to train on, at most 80000 (0: 20000)"),
    ROW("noise", SHARE, caption.noise, "R", "every number of a picture is up to so much off"),
    TL_OPTIONS_END};

const tl_option tl_caption_model_options[] = {
    ROW("d-model", LONG, model.d_model, "N", "width (0: 64)"),
    ROW("heads", LONG, model.heads, "N", "attention heads (0: 4)"),
    ROW("encoder-layers", LONG, caption.encoder_layers, "N", "layers that look at the picture's patches (0: 1)"),
    ROW("decoder-layers", LONG, caption.decoder_layers, "N", "layers that write (0: 2)"),
    ROW("encoder-positions", TEXT, model.encoder_positions, "learned|sinusoidal", "how the places of patches are told"),
    ROW("d-ff", LONG, model.d_ff, "N", "width inside feed-forward (0: 2 d-model)"),
    ROW("dropout", SHARE, model.dropout, "P", "on patches, embeddings and sub-layer outputs"),
    ROW("attention-dropout", SHARE, model.attention_dropout, "P", "on attention probabilities"),
    TL_OPTIONS_END};

const tl_option tl_caption_training_options[] = {
    TL_OPTION_ROWS(tl_run_settings, training, tl_ending_options),
    ROW("batch", LONG, caption.batch, "N", "pictures in a batch (0: 32)"),
    TL_OPTION_ROWS(tl_run_settings, training, tl_learning_options),
    TL_OPTIONS_END};

const tl_option tl_caption_validation_options[] = {
    ANEW("validate-every", LONG, validation.validate_every, "N", "every so many updates (0: after each epoch)"),
    ROW("best-by", TEXT, validation.best_by, "exact|loss", "what makes a validation the best so far"),
    ROW("average", LONG, validation.average, "N", "average the weights of the last N validations at the end, at most 100 (0: don't)"),
    ANEW("samples", LONG, validation.samples, "N", "captions to show at each validation (0: none)"),
    TL_OPTIONS_END};

const tl_option tl_caption_options[] = {
    ROW("program", TEXT, program, "caption", "that the run is of"),
    TL_OPTION_MORE(tl_caption_data_options), TL_OPTION_MORE(tl_caption_model_options),
    TL_OPTION_MORE(tl_caption_training_options), TL_OPTION_MORE(tl_caption_validation_options),
    TL_DEMO_ROW,
    TL_OPTIONS_END};
/* clang-format on */

tl_run_settings tl_caption_usual(void) {
    return (tl_run_settings){.program = "caption",
                             .caption = {.pictures = 20000, .noise = 0.1},
                             .model = {.encoder_positions = "learned"},
                             .training = {.steps = 6000,
                                          .lr = 0.002,
                                          .warmup = 200,
                                          .beta2 = 0.98,
                                          .weight_decay = 0.3,
                                          .clip = 1,
                                          .schedule = "cosine",
                                          .matmul_precision = "highest",
                                          .accumulate = 1,
                                          .seed = 1},
                             .validation = {.best_by = "exact", .validate_every = 500, .samples = 2}};
}

/* Replaces 0 and NULL by the defaults. */
static void fill(tl_run_settings *s) {
    const tl_run_settings usual = tl_caption_usual();
    if (!s->caption.pictures) s->caption.pictures = usual.caption.pictures;
    if (!s->caption.batch) s->caption.batch = 32;
    if (!s->caption.encoder_layers) s->caption.encoder_layers = 1;
    if (!s->caption.decoder_layers) s->caption.decoder_layers = 2;
    if (!s->model.d_model) s->model.d_model = 64;
    if (!s->model.heads) s->model.heads = 4;
    if (!s->model.encoder_positions) s->model.encoder_positions = usual.model.encoder_positions;
    if (!s->model.d_ff) s->model.d_ff = 2 * s->model.d_model;
    if (!s->validation.best_by) s->validation.best_by = usual.validation.best_by;
    tl_training_end_fill(&s->training);
}

static bool check_sizes(const tl_run_settings *s, tl_error *error) {
    const tl_size_limit sizes[] = {{"pictures", s->caption.pictures, 80000},
                                   {"batch", s->caption.batch, 65536},
                                   {"encoder-layers", s->caption.encoder_layers, 1000},
                                   {"decoder-layers", s->caption.decoder_layers, 1000},
                                   {"d-model", s->model.d_model, 65536},
                                   {"d-ff", s->model.d_ff, 262144},
                                   {"average", s->validation.average, TL_MOST_RECENT}};
    return TL_SIZES_WITHIN(sizes, error);
}

bool tl_caption_complete(tl_run_settings *s, tl_error *error) {
    if (!tl_options_check(tl_caption_options, s, error) || !tl_training_settings_check(&s->training, error))
        return false;
    fill(s);
    return check_sizes(s, error) && tl_heads_fit(&s->model, s->model.d_model, false, error);
}
