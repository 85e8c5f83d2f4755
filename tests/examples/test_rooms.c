/* The folders of src/ ("rooms") depend on each other in one direction. Every #include in src/, include/ and examples/
 * is resolved to a file and compared with a table of what each folder may include. */
#define _POSIX_C_SOURCE 200809L
#include "house.h"

/* ---- the rule ---- */

/* What a room may include besides its own files and base, which lies below them all. Names of folders of src/ mean the
 * files in them, names of headers those of include/tapeloom. */
typedef struct room {
    const char *folder;
    const char *may[32];
} room;

static const room rooms[] = {
    {"src/base", {NULL}},
    {"src/tensor", {"tensor.h"}},
    {"src/autograd", {"tensor.h", "autograd.h", "ops.h", "op.h", "src/tensor"}},
    {"src/show", {"tensor.h", "autograd.h", "ops.h", "op.h", "src/tensor", "src/autograd"}},
    {"src/nn", {"tensor.h", "autograd.h", "ops.h", "op.h", "nn.h", "src/tensor", "src/autograd"}},
    {"src/models",
     {"tensor.h", "autograd.h", "ops.h", "op.h", "nn.h", "models.h", "src/tensor", "src/autograd", "src/nn"}},
    /* parameters, but no tape */
    {"src/optim", {"tensor.h", "nn.h", "optim.h", "src/tensor", "src/nn"}},
    {"src/text", {"tensor.h", "text.h"}},
    {"src/text/unicode", {"text.h", "src/text/scan.h"}},
    {"src/text/pretokens", {"text.h", "src/text/scan.h", "src/text/unicode"}},
    {"src/text/bpe", {"text.h", "src/text/scan.h", "src/text/table.h", "src/text/merge.h"}},
    {"src/text/byte_bpe",
     {"text.h", "src/text/scan.h", "src/text/table.h", "src/text/merge.h", "src/text/unicode"}},
    {"src/text/vocab", {"text.h", "src/text/scan.h", "src/text/table.h"}},
    {"src/text/corpus", {"tensor.h", "text.h", "src/text/scan.h", "src/text/table.h"}},
    {"src/text/bleu", {"text.h", "src/text/scan.h", "src/text/table.h", "src/text/unicode"}},
    {"src/text/grammar",
     {"tensor.h", "text.h", "src/text/scan.h", "src/text/table.h", "src/text/corpus/corpus.h"}},
    {"src/text/pictures",
     {"tensor.h", "text.h", "src/text/scan.h", "src/text/table.h", "src/text/corpus/corpus.h"}},
    {"src/io", {"tensor.h", "io.h", "text.h"}},
    /* Single files of src/io read and write parameters, GPT-2's weights, and an optimiser's state. */
    {"src/io/params_file.c", {"tensor.h", "io.h", "nn.h", "src/nn/params.h", "src/io"}},
    {"src/io/gpt_file.c", {"tensor.h", "io.h", "models.h", "src/io"}},
    {"src/io/gpt_parts.c", {"tensor.h", "io.h", "models.h", "src/io"}},
    {"src/io/checkpoint.c", {"tensor.h", "io.h", "nn.h", "optim.h", "src/io"}},
    {"src/ranks", {"tensor.h", "ranks.h", "src/tensor"}},
    /* the other rooms by their public headers only */
    {"src/run",
     {"tensor.h", "autograd.h", "ops.h", "nn.h", "models.h", "optim.h", "text.h", "io.h", "options.h",
      "ranks.h", "train.h", "lm.h", "classify.h", "kept.h", "run.h", "src/ranks"}},
    {"src/lens", {"tensor.h", "autograd.h", "ops.h",   "op.h",     "nn.h",   "models.h", "text.h",
                  "io.h",     "run.h",      "src/run", "lens.h",   "page.h", "heads.h",  "prune.h",
                  "kept.h",   "checks.h",   "patch.h", "logits.h", "flow.h", "compare.h"}},
    {"include/tapeloom/base.h", {NULL}},
    {"include/tapeloom/tensor.h", {NULL}},
    {"include/tapeloom/autograd.h", {"tensor.h"}},
    {"include/tapeloom/ops.h", {"tensor.h", "autograd.h"}},
    {"include/tapeloom/op.h", {"tensor.h", "autograd.h"}},
    {"include/tapeloom/nn.h", {"tensor.h", "autograd.h", "ops.h"}},
    {"include/tapeloom/models.h", {"nn.h"}},
    {"include/tapeloom/optim.h", {"tensor.h", "nn.h"}},
    {"include/tapeloom/text.h", {"tensor.h"}},
    {"include/tapeloom/io.h", {"tensor.h"}},
    {"include/tapeloom/options.h", {"io.h"}},
    {"include/tapeloom/ranks.h", {"tensor.h"}},
    {"include/tapeloom/train.h", {"models.h", "optim.h", "text.h", "io.h", "ranks.h"}},
    {"include/tapeloom/caption.h", {"options.h", "train.h"}},
    {"include/tapeloom/lm.h", {"options.h", "train.h"}},
    {"include/tapeloom/classify.h", {"options.h", "train.h"}},
    {"include/tapeloom/run.h",
     {"options.h", "ranks.h", "train.h", "caption.h", "lm.h", "classify.h", "kept.h"}},
    {"include/tapeloom/kept.h", {"models.h", "io.h", "options.h"}},
    {"include/tapeloom/lens.h", {"run.h"}},
    {"include/tapeloom/page.h", {"lens.h"}},
    {"include/tapeloom/heads.h", {"lens.h"}},
    {"include/tapeloom/prune.h", {"lens.h"}},
    {"include/tapeloom/checks.h", {"lens.h"}},
    {"include/tapeloom/patch.h", {"lens.h"}},
    {"include/tapeloom/logits.h", {"lens.h"}},
    {"include/tapeloom/flow.h", {"lens.h"}},
    {"include/tapeloom/compare.h", {"lens.h"}},
    {"include/tapeloom.h",
     {"tensor.h", "autograd.h", "ops.h",   "nn.h",     "models.h",   "optim.h",  "text.h", "io.h",
      "ranks.h",  "options.h",  "train.h", "lm.h",     "classify.h", "run.h",    "lens.h", "page.h",
      "heads.h",  "prune.h",    "kept.h",  "checks.h", "patch.h",    "logits.h", "flow.h", "compare.h"}},
    {"examples", {"tapeloom.h", "tensor.h", "autograd.h", "ops.h",     "op.h",    "nn.h",   "models.h",
                  "optim.h",    "text.h",   "io.h",       "options.h", "train.h", "lm.h",   "classify.h",
                  "run.h",      "lens.h",   "page.h",     "heads.h",   "prune.h", "kept.h", "checks.h",
                  "patch.h",    "logits.h", "flow.h",     "compare.h"}},
};

/* The last line of the table that fits: single files come after their folder. */
static const room *room_of(const char *file) {
    const room *found = NULL;
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++)
        if (is_in(file, rooms[i].folder)) found = &rooms[i];
    return found;
}

static bool may_include(const room *from, const char *file) {
    if (is_in(file, from->folder) || is_in(file, "include/tapeloom/base.h")) return true;
    if (is_in(file, "src/base")) return is_in(from->folder, "src");
    const char *header = starts_with(file, "include/tapeloom/") ? file + strlen("include/tapeloom/")
                         : starts_with(file, "include/")        ? file + strlen("include/")
                                                                : NULL;
    for (int i = 0; from->may[i]; i++)
        if (header ? !strcmp(header, from->may[i]) : is_in(file, from->may[i])) return true;
    return false;
}

/* ---- the sources ---- */

static int includes_seen;

static void check_includes(const char *file, char *text) {
    const room *from = room_of(file);
    ck_assert_msg(from != NULL, "%s is in no room: give its folder a line in this test's table", file);
    char name[256], path[512], open;
    for (const char *rest = text; next_include(&rest, name, &open);) {
        includes_seen++;
        bool ours = resolve(file, name, open == '"', path);
        ck_assert_msg(ours || open == '<', "%s includes \"%s\", which does not exist", file, name);
        ck_assert_msg(!ours || may_include(from, path), "%s includes %s: %s may not include it", file, path,
                      from->folder);
    }
}

START_TEST(arrows_point_one_way) {
    walk("src", check_includes);
    walk("include", check_includes);
    walk("examples", check_includes);
    ck_assert_int_gt(files_seen, 60); /* the sources were found */
    ck_assert_int_gt(includes_seen, 150);
}
END_TEST

/* The rule on given pairs of files, because a table that allows everything would pass the test above. */
START_TEST(rule) {
    static const struct {
        const char *from, *to;
        bool allowed;
    } cases[] = {
        {"src/base/error.c", "include/tapeloom/base.h", true},
        {"src/base/error.c", "include/tapeloom/tensor.h", false},
        {"src/base/error.c", "src/tensor/rng.h", false},
        {"src/text/bleu/bleu.c", "src/base/quote.h", true},
        {"include/tapeloom/base.h", "include/tapeloom/tensor.h", false},
        {"include/tapeloom/text.h", "include/tapeloom/base.h", true},
        {"include/tapeloom/text.h", "src/base/quote.h", false},
        {"examples/copy_task.c", "src/base/quote.h", false},
        {"src/tensor/product.c", "src/tensor/workspace.h", true},
        {"src/tensor/product.c", "include/tapeloom/tensor.h", true},
        {"src/tensor/product.c", "include/tapeloom/autograd.h", false},
        {"src/tensor/product.c", "src/autograd/tape.h", false},
        {"src/autograd/ops/linear.c", "src/tensor/product.h", true},
        {"src/autograd/ops/linear.c", "src/nn/attention.h", false},
        {"src/autograd/ops/linear.c", "include/tapeloom/nn.h", false},
        {"src/models/search.c", "include/tapeloom/op.h", true},
        {"src/models/search.c", "include/tapeloom/text.h", false},
        {"src/models/search.c", "include/tapeloom/optim.h", false},
        {"src/models/search.c", "include/tapeloom.h", false},
        {"src/optim/adam.c", "include/tapeloom/nn.h", true},
        {"src/optim/adam.c", "include/tapeloom/autograd.h", false},
        {"src/optim/adam.c", "src/autograd/tape.h", false},
        {"src/text/bleu/bleu.c", "include/tapeloom/text.h", true},
        {"src/text/bleu/bleu.c", "src/text/bpe/bpe.h", false},
        {"src/text/byte_bpe/vocab_json.c", "src/base/json.h", true},
        {"src/text/byte_bpe/vocab_json.c", "src/io/complain.h", false},
        {"src/text/byte_bpe/merge.c", "src/text/bpe/bpe.h", false},
        {"src/text/corpus/batches.c", "include/tapeloom/tensor.h", true},
        {"src/text/corpus/corpus.c", "src/text/vocab/vocab.h", false},
        {"src/text/grammar/grammar.c", "src/text/corpus/corpus.h", true},
        {"src/text/grammar/grammar.c", "src/text/corpus/rows.h", false},
        {"src/text/bleu/bleu.c", "src/tensor/rng.h", false},
        {"src/text/bleu/bleu.c", "include/tapeloom/io.h", false},
        {"src/io/config.c", "include/tapeloom/nn.h", false},
        {"src/io/params_file.c", "include/tapeloom/nn.h", true},
        {"src/io/params_file.c", "src/io/dtype.h", true},
        {"src/io/params_file.c", "src/nn/params.h", true},
        {"src/io/params_file.c", "src/nn/attention.h", false},
        {"src/io/gpt_file.c", "include/tapeloom/models.h", true},
        {"src/io/gpt_file.c", "src/nn/params.h", false},
        {"src/io/gpt_parts.c", "src/models/gpt.h", false},
        {"src/io/checkpoint.c", "include/tapeloom/optim.h", true},
        {"src/io/checkpoint.c", "src/optim/optimiser.h", false},
        {"src/io/average.c", "include/tapeloom/optim.h", false},
        {"src/io/csv.c", "src/tensor/arena.h", false},
        {"examples/translate/main.c", "examples/translate/program.h", true},
        {"examples/copy_task.c", "include/tapeloom.h", true},
        {"examples/copy_task.c", "src/nn/attention.h", false},
        {"src/run/run.c", "src/run/run.h", true},
        {"src/run/training.c", "include/tapeloom/optim.h", true},
        {"src/run/model.c", "src/models/transformer.h", false},
        {"src/nn/greedy.c", "include/tapeloom/run.h", false},
        {"src/io/csv.c", "src/run/run.h", false},
        {"examples/translate/train.c", "src/run/training.h", false},
        {"include/tapeloom/io.h", "include/tapeloom/options.h", false},
        {"include/tapeloom/train.h", "include/tapeloom/run.h", false},
        {"include/tapeloom/text.h", "include/tapeloom/nn.h", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_msg(may_include(room_of(cases[i].from), cases[i].to) == cases[i].allowed,
                      "%s -> %s should be %s", cases[i].from, cases[i].to,
                      cases[i].allowed ? "allowed" : "refused");
    char path[] = "src/tensor/kernels/../rng.h";
    simplify(path);
    ck_assert_str_eq(path, "src/tensor/rng.h");
}
END_TEST

/* ---- what the library never does ---- */

/* The line in which this name (or call, if it ends in "(") occurs as a whole word; 0 if it does not occur. */
static int uses(const char *code, const char *name) {
    size_t n = strlen(name);
    for (const char *c = code; (c = strstr(c, name)); c++) {
        if ((c > code && is_word(c[-1])) || (is_word(name[n - 1]) && is_word(c[n]))) continue;
        int line = 1;
        for (const char *p = code; p < c; p++) line += *p == '\n';
        return line;
    }
    return 0;
}

static void refuse(const char *file, const char *code, const char *const *names, const char *why) {
    for (; *names; names++) {
        int line = uses(code, *names);
        ck_assert_msg(!line, "%s:%d uses %s: %s", file, line, *names, why);
    }
}

static void check_forbidden_calls(const char *file, char *text) {
    static const char *const never[] = {"exit(",   "_Exit(",   "quick_exit(", "abort(", "assert(", "printf(",
                                        "puts(",   "putchar(", "perror(",     "stdout", "rand(",   "srand(",
                                        "system(", "stderr",   "raise(",      NULL};
    static const char *const signals[] = {"signal(", "sigaction(", NULL};
    static const char *const files[] = {"fopen(",  "freopen(", "open(",    "rename(",  "remove(",
                                        "unlink(", "mkstemp(", "opendir(", "readdir(", "mkdir(",
                                        "rmdir(",  "stat(",    "access(",  NULL};
    static const char *const regions[] = {"omp parallel", "_Pragma(", NULL};
    static const char *const tape[] = {"tl_tape", "tl_var", "tl_use(", "tl_backward(", NULL};
    only_code(text);
    refuse(file, text, never, "the library does not print, exit or draw numbers from hidden state");
    /* tl_streams_open is meant for a program's first line, and its documentation says that it ignores SIGXFSZ. */
    if (!is_in(file, "src/io/streams.c"))
        refuse(file, text, signals, "signals belong to the program; only tl_streams_open changes one");
    if (!is_in(file, "src/io")) refuse(file, text, files, "only src/io touches files");
    if (!is_in(file, "src/tensor/share.h") && !is_in(file, "src/tensor/kernels"))
        refuse(file, text, regions, "parallel regions belong to src/tensor/share.h");
    if (is_in(file, "src/optim")) refuse(file, text, tape, "optimisers use parameters and no tape");
}

START_TEST(forbidden_calls) {
    char text[] = "a /* exit \" */ \"abort\\\"\" 'x' exits; // exit\nexit(1)";
    only_code(text);
    ck_assert_int_eq(uses(text, "abort"), 0);
    ck_assert_int_eq(uses(text, "exit"), 2);
    ck_assert_int_eq(uses(text, "exit("), 2);
    ck_assert_int_eq(uses("x_exit(1), exited(1)", "exit("), 0);
    walk("src", check_forbidden_calls);
    ck_assert_int_gt(files_seen, 50);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, rule);
    tcase_add_test(tc, arrows_point_one_way);
    tcase_add_test(tc, forbidden_calls);
}

TL_TEST_MAIN("examples: rooms")
