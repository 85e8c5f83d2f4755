/* Makes a run from GPT-2's files, as others have trained them. Its settings follow from the shapes. */
#include "lm.h"

#include <string.h>

static bool sizes_of(tl_run_settings *s, const tl_lm_import_options *o, tl_error *error) {
    tl_gpt_config c = {.heads = 0};
    if (!tl_gpt_read_config(o->weights, &c, error)) return false;
    s->model.preset = "gpt2";
    s->model.d_model = c.d_model;
    s->model.d_ff = c.d_ff;
    s->model.layers = c.layers;
    s->model.heads = o->heads ? o->heads : c.d_model % 64 ? 1 : c.d_model / 64;
    s->model.dropout = 0;
    s->text.units = "bpe";
    s->lm = (tl_lm_settings){.tokenizer = o->tokenizer,
                             .context = c.max_len,
                             .vocab = c.vocab,
                             .no_bias = c.no_bias,
                             .untied = c.untied,
                             .gelu_erf = o->gelu_erf};
    return tl_run_settings_complete(s, error);
}

static bool import(tl_run *run, const tl_lm_import_options *o) {
    char path[TL_PATH];
    return tl_lm_learn(run, NULL, 0) && tl_run_make_model(run) &&
           tl_gpt_load(&run->gpt, o->weights, &run->error) && tl_run_save_description(run, o->overwrite) &&
           tl_params_save(run->params, tl_path_in(path, run->dir, "model.safetensors"), NULL, 0, &run->error);
}

tl_run *tl_lm_import(const char *dir, const tl_lm_import_options *options, tl_error *error) {
    tl_run_settings settings = tl_run_settings_of_program("lm");
    if (!options || !options->weights || !options->tokenizer) {
        tl_error_set(error, "GPT-2's files: give the weights, and a folder with vocab.json and merges.txt");
        return NULL;
    }
    if (!sizes_of(&settings, options, error)) return NULL;
    tl_run *run = tl_run_new(dir, &settings);
    const bool ok = tl_run_usable(run) && import(run, options);
    if (!ok) tl_error_set(error, "%s", run ? run->error.message : "out of memory for a run");
    if (run) tl_folder_unlock(run->folder), run->folder = NULL;
    tl_run_free(run);
    /* opened anew, so that its texts belong to the folder */
    return ok ? tl_run_open(dir, NULL, error) : NULL;
}
