/* A GPT-2 from a file: the file gives its sizes, the command line its number of heads. */
#include "program.h"

#include <string.h>

enum { LONGEST = 1024 };

typedef struct gpt {
    tl_params *params;
    tl_tape *tape;
    tl_gpt model;
} gpt;

static bool gpt_open(gpt *g, const char *path, const char *heads) {
    tl_error error = {""};
    tl_gpt_config config = {0};
    long count = 0;
    *g = (gpt){tl_params_new_empty(), tl_tape_new(), {.model = {0}}};
    if (!tl_long_parse(heads, &count) || count < 1 || count > 1000) return fail("HEADS is no number"), false;
    if (!tl_gpt_read_config(path, &config, &error)) return fail(error.message), false;
    config.heads = (int)count; /* not known from any shape */
    g->model = tl_gpt_init(g->params, "", &config);
    return tl_gpt_load(&g->model, path, &error) || (fail(error.message), false);
}

static int gpt_close(gpt *g, int status) {
    tl_tape_free(g->tape);
    tl_params_free(g->params);
    return status;
}

int gpt_logits(words w) {
    int ids[LONGEST];
    gpt g;
    if (w.count < 3 || !read_ids(w, 2, ids, LONGEST)) return wrong_words("FILE HEADS id …");
    if (!gpt_open(&g, w.word[0], w.word[1])) return gpt_close(&g, 1);
    const tl_model *model = &g.model.model;
    const tl_batch batch = {.sentences = 1, .tgt_len = w.count - 2, .tgt_in = ids};
    tl_var hidden = model->kind->hidden(model, g.tape, &batch, NULL);
    return gpt_close(&g, print_logits(g.tape, model->kind->logits(model, hidden)));
}

int gpt_write(words w) {
    int ids[LONGEST];
    long count = 0;
    gpt g;
    if (w.count < 4 || !tl_long_parse(w.word[2], &count) || !read_ids(w, 3, ids, LONGEST))
        return wrong_words("FILE HEADS COUNT id …");
    if (!gpt_open(&g, w.word[0], w.word[1])) return gpt_close(&g, 1);
    const tl_search_options greedy = {.beam = 1,
                                      .max_extra = w.count - 3 + count,
                                      .bos = -1,        /* the first id is what is read first, … */
                                      .eos = -1,        /* … and none ends the text, … */
                                      .any_word = true, /* … nor is one forbidden */
                                      .forced = ids,
                                      .forced_length = w.count - 3};
    tl_search_result said;
    if (!tl_search(&g.model.model, g.tape, &(tl_batch){.sentences = 1}, &greedy, &said))
        return gpt_close(&g, fail(tl_tape_error(g.tape)));
    for (int i = 0; i < said.lengths[0]; i++)
        printf("%d%c", said.ids[i], i + 1 < said.lengths[0] ? ' ' : '\n');
    return gpt_close(&g, 0);
}

int gpt_convert(words w) {
    const bool hugging = w.count == 4 && !strcmp(w.word[2], "hugging-face");
    tl_error error = {""};
    gpt g;
    if (!hugging && (w.count != 4 || strcmp(w.word[2], "nanogpt")))
        return wrong_words("FILE HEADS, hugging-face or nanogpt, and the file to write");
    if (!gpt_open(&g, w.word[0], w.word[1])) return gpt_close(&g, 1);
    const tl_gpt_layout layout = hugging ? TL_GPT_HUGGING_FACE : TL_GPT_NANOGPT;
    return gpt_close(&g, tl_gpt_save(&g.model, w.word[3], layout, &error) ? 0 : fail(error.message));
}
