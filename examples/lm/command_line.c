/* The commands' options: the library's rows of a run's settings, and the program's own. */
#include "program.h"

/* clang-format off */
const tl_option train_options[] = {
    TL_OPTION_HEADING("data"),
    RUN_ROWS(tl_lm_data_options),
    TL_OPTION_HEADING("the run"),
    OUT_ROWS,
    TL_OPTION_HEADING("text"),
    RUN_ROWS(tl_lm_text_options),
    TL_OPTION_HEADING("model"),
    RUN_ROWS(tl_lm_model_options),
    TL_OPTION_HEADING("training"),
    RUN_ROWS(tl_lm_training_options),
    TL_OPTION_HEADING("validation"),
    RUN_ROWS(tl_lm_validation_options),
    CHECK_ROW,
    COMMON_ROWS,
    TL_OPTIONS_END};

#define WRITING_ROWS \
    ROW("prompt", TEXT, prompt, "TEXT", "what it begins with (the beginning of a text)"), \
    ROW("tokens", LONG, tokens, "N", "write so many at most; lines end by themselves (0: 500)"), \
    ROW("samples", LONG, samples, "N", "so many texts, each by another chance (0: 1)"), \
    ROW("greedy", FLAG, greedy, NULL, "the most likely token every time, nothing is drawn"), \
    ROW("temperature", DOUBLE, temperature, "T", "below 1 likely tokens come more often, above 1 less (0: 1)"), \
    ROW("top-k", LONG, top_k, "K", "draw from the K most likely (0: from all)"), \
    ROW("top-p", DOUBLE, top_p, "P", "draw from the fewest most likely whose probabilities sum to P, at most 1 (0: from all)"), \
    ROW("seed", LONG, seed, "N", "another one gives other texts")

const tl_option sample_options[] = {
    MODEL_ROWS,
    WRITING_ROWS,
    CHECK_ROW,
    COMMON_ROWS,
    TL_OPTIONS_END};

const tl_option evaluate_options[] = {
    MODEL_ROWS,
    ROW("text", TEXT, text, "FILE", "the text; - is standard input (what training validates on)"),
    CHECK_ROW,
    COMMON_ROWS,
    TL_OPTIONS_END};

const tl_option info_options[] = {
    ROW("model", TEXT, common.model, "DIR", "a run that train has written"),
    TL_OPTIONS_END};

const tl_option import_options[] = {
    ROW("file", TEXT, weights, "FILE", "the weights: a safetensors file"),
    ROW("tokenizer", TEXT, tokenizer, "DIR", "a folder with vocab.json and merges.txt (the file's own)"),
    ROW("heads", LONG, heads, "N", "attention heads, which no shape tells (0: d-model / 64)"),
    ROW("gelu-erf", FLAG, gelu_erf, NULL, "the exact gelu, as nanoGPT has it"),
    ROW("out", TEXT, common.out, "DIR", "where the run goes"),
    ROW("overwrite", FLAG, common.overwrite, NULL, "replace the model that is in --out already"),
    TL_OPTIONS_END};

const tl_option export_options[] = {
    MODEL_ROWS,
    ROW("layout", TEXT, layout, "hugging-face|nanogpt", "how matrices lie: [in,out], or [out,in] with the tied output twice"),
    ROW("out", TEXT, common.out, "FILE", "the file to write"),
    TL_OPTIONS_END};

const tl_option demo_options[] = {
    ROW("out", TEXT, common.out, "DIR", "where the run goes"),
    ROW("overwrite", FLAG, common.overwrite, NULL, "replace the model that is in --out already, though no demo has made it"),
    ROW("made", TEXT, common.run.lm.made, "en|fr|zh", "the language"),
    ROW("steps", LONG, common.run.training.steps, "N", "updates (0: 10 passes over the sentences)"),
    COMMON_ROWS,
    TL_OPTIONS_END};
/* clang-format on */
