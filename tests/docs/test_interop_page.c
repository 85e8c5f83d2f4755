/* docs/interop.md: runs its C code, and, if PyTorch is installed, its scripts and commands in order. Each prints how
 * much the logits of the two sides differ. */
#define _XOPEN_SOURCE 700
#include "translate/program.h"

#include <tapeloom.h>

/* ---- the C code ---- */

/* The page's model goes out of scope with its block. */
static tl_gpt *copy_of(const tl_gpt *model) {
    static tl_gpt copy;
    copy = *model;
    return &copy;
}

START_TEST(the_code_runs) {
    tl_error error = {""};
    tl_params *made = tl_params_new(1), *params = tl_params_new(2), *again = tl_params_new(3);
    const tl_gpt_config sizes = {.vocab = 7, .d_model = 24, .layers = 1, .max_len = 5};
    tl_gpt gpt = tl_gpt_init(made, "", &sizes), *read = NULL;
    ck_assert_int_eq(chdir(here.folder), 0);
    ck_assert_msg(tl_gpt_save(&gpt, "model.safetensors", TL_GPT_HUGGING_FACE, &error), "%s", error.message);
    {
#include "interop.inc"
        read = copy_of(&model);
    }
    assert_no_error(error.message[0] ? error.message : NULL);
    ck_assert(read->config.vocab == 7 && read->config.d_model == 24 && read->config.heads == 12);
    gpt = tl_gpt_init(again, "", &sizes);
    ck_assert_msg(tl_gpt_load(&gpt, "nano.safetensors", &error), "%s", error.message);
    for (int i = 0; i < tl_params_count(made); i++) {
        const tl_tensor a = tl_param_value(tl_params_at(made, i)), b = tl_param_value(tl_params_at(again, i));
        ck_assert(!memcmp(a.data, b.data, (size_t)tl_numel(a) * sizeof *a.data));
    }
    tl_params_free(made), tl_params_free(params), tl_params_free(again);
}
END_TEST

/* ---- the scripts ---- */

static bool python_is_here(void) {
    if (try("python3 -c 'import torch, safetensors.torch'") == 0) return true;
    TL_SKIP("docs/interop.md: no python3 with torch and safetensors here");
    return false;
}

/* Counts the output lines of this model, "NAME: logits are off by 2e-07 of the largest; …", and checks that the
 * difference is small. */
static int said_of(const char *model) {
    char begin[64];
    int times = 0;
    const double most = sizeof(tl_real) == sizeof(float) ? 1e-5 : 1e-12;
    snprintf(begin, sizeof begin, "\n%s", model);
    for (const char *at = out; (at = strstr(at, begin)) != NULL; times++) {
        const char *number = strstr(++at, " are off by ");
        ck_assert_ptr_nonnull(number);
        const double off = atof(number + 12);
        ck_assert_msg(off >= 0 && off <= most, "%.200s", at);
    }
    return times;
}

START_TEST(the_scripts_run) {
#ifdef TL_SANITIZED
    TL_SKIP("docs/interop.md: its trainings take minutes with sanitizers");
    return;
#endif
    if (!python_is_here()) return;
    sh("B=$(cd \"$(dirname \"$T\")\" && pwd) && awk -v folder=$D -f tests/docs/blocks.awk docs/interop.md && "
       "cd $D && "
       "ln -s \"$B\" build && { OMP_NUM_THREADS=1 sh -e page.sh >said 2>&1 || { tail -n 20 said; exit 1; }; "
       "} && "
       "echo && grep ' are off by ' said");
    ck_assert_int_eq(said_of("Translator: "), 3);
    ck_assert_int_eq(said_of("Recurrent: "), 4);
    ck_assert_int_eq(said_of("Classifier: "), 2);
    ck_assert_int_eq(said_of("GPT-2, "), 4);
    assert_contains(out, "PyTorch writes 4 1 3, Tapeloom 4 1 3"); /* they have learnt something */
}
END_TEST

/* ---- the program interop ---- */

START_TEST(what_interop_refuses) {
    static const struct {
        const char *command, *says;
        int status;
    } cases[] = {
        {"", "interop: expected one of: run-logits, gpt-logits,", 2},
        {"sing", "interop: expected one of: run-logits,", 2},
        {"run-logits x", "interop: expected the folder of a run, a source line and a target line", 2},
        {"run-logits tests/golden a b", "interop: cannot read tests/golden/config.txt", 1},
        {"gpt-logits tests/fixtures/gpt.safetensors 2", "interop: expected FILE HEADS id", 2},
        {"gpt-logits tests/fixtures/gpt.safetensors 2 1 x", "interop: expected FILE HEADS id", 2},
        {"gpt-logits tests/fixtures/gpt.safetensors two 1", "interop: HEADS is no number", 1},
        {"gpt-logits tests/fixtures/gpt.safetensors 2 1", "found no tensor \"h.0.attn.c_attn.weight\"", 1},
        {"gpt-write nowhere 2 3 1", "interop: cannot read nowhere", 1},
        {"gpt-convert nowhere 2 sideways x", "interop: expected FILE HEADS, hugging-face or nanogpt", 2},
        {"classifier-train /nowhere/x", "interop: cannot", 1},
        {"classifier-logits tests/fixtures/gpt.safetensors 1", "no tensor \"embedding.weight\"", 1},
        {"classifier-logits tests/fixtures/gpt.safetensors -1", "interop: expected FILE id", 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char command[512];
        snprintf(command, sizeof command, "\"$(dirname \"$T\")\"/interop %s", cases[i].command);
        const int status = try(command);
        ck_assert_msg(status == cases[i].status, "%s: %d, %s", cases[i].command, status, err);
        assert_contains(err, cases[i].says);
    }
    sh("\"$(dirname \"$T\")\"/interop run-logits tests/golden/run 'the dog sleeps' 'le chien'");
    int lines = 0;
    for (const char *c = out; *c; c++) lines += *c == '\n';
    ck_assert_int_ge(lines, 3);
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_test(tc, the_code_runs);
    tcase_add_test(tc, the_scripts_run);
    tcase_add_test(tc, what_interop_refuses);
}
TL_TEST_MAIN("docs: interop.md")
