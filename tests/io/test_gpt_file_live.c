/* GPT-2's files against PyTorch (tests/io/gpt2_files.py): for a file written by either side, logits and the words that
 * follow are those of PyTorch, which reads our files in strict mode. */
#define _XOPEN_SOURCE 700
#include "examples/shell.h"
#include "fixtures/fixture.h"
#include "scratch.h"

enum { HEADS = 3, LENGTH = 6, MORE = 8, TEXTS = 3 };

static const struct {
    const char *name;
    tl_gpt_config says; /* what the config must contain besides sizes */
} files[] = {{"hugging-face", {0}},
             {"bare", {0}},
             {"nanogpt", {0}},
             {"compiled", {0}},
             {"parallel", {0}},
             {"save-model", {0}},
             {"no-bias", {.no_bias = true, .gelu_erf = true}},
             {"untied", {.untied = true}},
             {"half", {0}},
             {"brain", {0}},
             {"single", {0}}};
enum { FILES = sizeof files / sizeof *files };
static const char *const written[] = {"hugging-face", "nanogpt", "no-bias", "untied"};

/* Runs the script. If something that it needs is not installed, prints that and returns false. */
static bool python(const char *doing, const char *folder, const char *more) {
    int status;
    char *said =
        shell(&status, "OMP_NUM_THREADS=1 python3 tests/io/gpt2_files.py %s %s %s", doing, folder, more);
    if (status == 3 || status == 127)
        TL_SKIP("GPT-2's files beside PyTorch: %.*s", (int)strcspn(said, "\n"), said);
    else
        ck_assert_msg(status == 0, "gpt2_files.py: %.3000s", said);
    free(said);
    return status == 0;
}

static tl_tensor read_tensor(tl_safetensors *file, const char *name) {
    tl_error error = {""};
    const tl_safetensors_entry *e = tl_safetensors_find(file, name);
    ck_assert_ptr_nonnull(e);
    tl_real *data = malloc((size_t)tl_shape_numel(e->shape) * sizeof *data);
    tl_tensor t = tl_tensor_of(data, e->shape);
    ck_assert_msg(tl_safetensors_read(file, name, t, &error), "%s", error.message);
    return t;
}

static void same_logits(const tl_gpt *model, tl_tape *tape, const int *ids, tl_tensor expected,
                        const char *name) {
    const tl_batch b = {.sentences = TEXTS, .tgt_len = LENGTH, .tgt_in = ids};
    tl_var logits =
        model->model.kind->logits(&model->model, model->model.kind->hidden(&model->model, tape, &b, NULL));
    assert_no_error(tl_tape_error(tape));
    long where;
    const double off = fixture_off(expected, tl_value(logits), &where);
    ck_assert_msg(off <= fixture_tolerance, "%s: off by %.3g of the largest logit, worst at %ld", name, off,
                  where);
}

static void same_words(const tl_gpt *model, tl_tape *tape, const int *ids, tl_tensor expected,
                       const char *name) {
    const tl_search_options greedy = {.beam = 1,
                                      .max_extra = LENGTH + MORE,
                                      .bos = -1,
                                      .eos = -1,
                                      .any_word = true,
                                      .forced = ids,
                                      .forced_length = LENGTH};
    tl_search_result r;
    ck_assert_msg(tl_search(&model->model, tape, &(tl_batch){.sentences = TEXTS}, &greedy, &r), "%s: %s",
                  name, tl_tape_error(tape));
    for (int b = 0; b < TEXTS; b++) {
        ck_assert_int_eq(r.lengths[b], LENGTH + MORE);
        for (int t = 0; t < LENGTH + MORE; t++)
            ck_assert_msg(r.ids[b * r.capacity + t] == (int)expected.data[b * (LENGTH + MORE) + t],
                          "%s: text %d, place %d: %d, PyTorch has %d", name, b, t, r.ids[b * r.capacity + t],
                          (int)expected.data[b * (LENGTH + MORE) + t]);
    }
}

/* A model of the file's sizes with its weights. */
static tl_gpt read_model(tl_params *params, const char *name, const char *path, const tl_gpt_config *says) {
    tl_gpt_config c = {.heads = HEADS, .gelu_erf = says->gelu_erf};
    tl_error error = {""};
    ck_assert_msg(tl_gpt_read_config(path, &c, &error), "%s", error.message);
    ck_assert_msg(c.vocab == 29 && c.max_len == 16 && c.d_model == 12 && c.layers == 2 && c.d_ff == 48,
                  "%s: other sizes", path);
    ck_assert_msg(c.no_bias == says->no_bias && c.untied == says->untied, "%s: no_bias %d, untied %d", path,
                  c.no_bias, c.untied);
    tl_gpt m = tl_gpt_init(params, name, &c);
    ck_assert_msg(tl_gpt_load(&m, path, &error), "%s", error.message);
    return m;
}

static void check_file(scratch *s, int i) {
    char name[64];
    tl_error error = {""};
    snprintf(name, sizeof name, "%s.expected", files[i].name);
    char *path = join(s->folder, files[i].name), *numbers = join(s->folder, name);
    tl_safetensors *expected = tl_safetensors_open(numbers, &error);
    ck_assert_msg(expected != NULL, "%s", error.message);
    tl_tensor texts = read_tensor(expected, "ids"), logits = read_tensor(expected, "logits"),
              greedy = read_tensor(expected, "greedy");
    int ids[TEXTS * LENGTH];
    for (int k = 0; k < TEXTS * LENGTH; k++) ids[k] = (int)texts.data[k];
    /* an empty set is read directly, any other all or nothing */
    tl_params *params = i % 2 ? tl_params_new(1) : tl_params_new_empty();
    tl_gpt m = read_model(params, i % 2 ? "" : "lm", path, &files[i].says);
    tl_tape *tape = tl_tape_new();
    same_logits(&m, tape, ids, logits, files[i].name);
    same_words(&m, tape, ids, greedy, files[i].name);
    tl_tape_free(tape);
    tl_params_free(params);
    tl_safetensors_close(expected);
    free(texts.data), free(logits.data), free(greedy.data);
    free(path), free(numbers);
}

START_TEST(there_and_back) {
    scratch s = scratch_new();
    if (python("write", s.folder, "")) {
        for (int i = 0; i < FILES; i++) check_file(&s, i);
        for (int k = 0; k < 4; k++) {
            char as[64];
            int i = 0;
            tl_error error = {""};
            tl_params *params = tl_params_new(1);
            while (strcmp(files[i].name, written[k]) != 0) i++;
            char *path = join(s.folder, written[k]);
            tl_gpt m = read_model(params, k % 2 ? "lm" : "", path, &files[i].says);
            for (int nano = 0; nano < 2; nano++) {
                snprintf(as, sizeof as, "%s.as-%s", written[k], nano ? "nanogpt" : "hugging-face");
                char *to = join(s.folder, as);
                ck_assert_msg(tl_gpt_save(&m, to, nano ? TL_GPT_NANOGPT : TL_GPT_HUGGING_FACE, &error), "%s",
                              error.message);
                free(to);
            }
            free(path);
            tl_params_free(params);
        }
        ck_assert(python("read", s.folder, sizeof(tl_real) == sizeof(float) ? "float" : "double"));
    }
    scratch_remove(&s);
}
END_TEST

static void add_tests(TCase *tc) { tcase_add_test(tc, there_and_back); }
TL_TEST_MAIN("io: GPT-2's files, PyTorch at the other end")
