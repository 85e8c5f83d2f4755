/* lm import, lm export: GPT-2's files, as Hugging Face and nanoGPT have them. */
#include "program.h"

#include <string.h>

/* The folder of a path; "." if it has none. */
static const char *folder_of(const char *path, char folder[PATH_SIZE]) {
    const char *slash = strrchr(path, '/');
    if (!slash) return ".";
    snprintf(folder, PATH_SIZE, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    return folder;
}

int command_import(settings *s) {
    tl_error error = {""};
    char folder[PATH_SIZE];
    if (!s->weights) return usage_with("import", "give the weights: --file FILE");
    tl_run *run = tl_lm_import(
        s->common.out,
        &(tl_lm_import_options){.weights = s->weights,
                                .tokenizer = s->tokenizer ? s->tokenizer : folder_of(s->weights, folder),
                                .heads = s->heads,
                                .gelu_erf = s->gelu_erf,
                                .overwrite = s->common.overwrite},
        &error);
    if (!run) return fail_with(error.message);
    const tl_gpt_config *c = &tl_run_gpt(run)->config;
    printf("%ld parameters: d_model %ld, %d heads, %d layers, context %ld, vocabulary %ld.\n",
           tl_params_numel(tl_run_params(run)), c->d_model, c->heads, c->layers, c->max_len, c->vocab);
    print_name("The run is in ", s->common.out, ".\n");
    tl_run_free(run);
    return 0;
}

int command_export(settings *s) {
    tl_error error = {""};
    if (!s->common.out) return usage_with("export", "give the file to write: --out FILE");
    tl_run *run = open_run(s);
    if (!run) return 1;
    const bool nanogpt = s->layout && !strcmp(s->layout, "nanogpt");
    if (tl_gpt_save(tl_run_gpt(run), s->common.out, nanogpt ? TL_GPT_NANOGPT : TL_GPT_HUGGING_FACE, &error))
        print_name("Written: ", s->common.out, "\n");
    const int status = status_of(run, &error);
    tl_run_free(run);
    return status;
}
