/* The commands' options: the library's rows of a run's settings, and the program's own. */
#include "program.h"

/* clang-format off */
const tl_option train_options[] = {
    TL_OPTION_HEADING("data, which is drawn here"),
    RUN_ROWS(tl_caption_data_options),
    TL_OPTION_HEADING("the run"),
    OUT_ROWS,
    TL_OPTION_HEADING("model"),
    RUN_ROWS(tl_caption_model_options),
    TL_OPTION_HEADING("training"),
    RUN_ROWS(tl_caption_training_options),
    TL_OPTION_HEADING("validation"),
    RUN_ROWS(tl_caption_validation_options),
    CHECK_ROW,
    COMMON_ROWS,
    TL_OPTIONS_END};

const tl_option evaluate_options[] = {
    MODEL_ROWS,
    ROW("count", LONG, count, "N", "pictures of each kind (0: 1000)"),
    ROW("wrong", LONG, wrong, "N", "wrong captions of held-out pictures to show (0: none)"),
    CHECK_ROW,
    COMMON_ROWS,
    TL_OPTIONS_END};

const tl_option show_options[] = {
    MODEL_ROWS,
    ROW("picture", LONG, picture, "N", "number of the first picture, from 0"),
    ROW("count", LONG, count, "N", "so many pictures (0: 1)"),
    ROW("part", TEXT, part, "held-out|train", "of pictures with combinations that training never has, or of training's own"),
    ROW("scene", TEXT, scene, "LINE", "a picture of your own: 36 patches row by row, . or red-square, instead of --picture"),
    ROW("layer", LONG, layer, "N", "look at the decoder's N-th layer (0: the last)"),
    ROW("head", LONG, head, "N", "at its N-th head (0: the mean of all)"),
    ROW("svg", TEXT, svg, "FILE", "also write the picture there, a panel for each word with the patches that it looked at"),
    CHECK_ROW,
    COMMON_ROWS,
    TL_OPTIONS_END};

const tl_option info_options[] = {
    ROW("model", TEXT, common.model, "DIR", "a run that train has written"),
    TL_OPTIONS_END};

const tl_option demo_options[] = {
    ROW("out", TEXT, common.out, "DIR", "where the run goes"),
    ROW("overwrite", FLAG, common.overwrite, NULL, "replace the model that is in --out already, though no demo has made it"),
    ROW("steps", LONG, common.run.training.steps, "N", "updates (0: 10 passes over the pictures)"),
    COMMON_ROWS,
    TL_OPTIONS_END};
/* clang-format on */
