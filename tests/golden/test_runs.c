/* Runs of the translator, new ones and one that an earlier version made: their files, the programs' output and the
 * translations must equal the golden values, and the old run is resumed with the same bits as the earlier version would
 * have. */
#define _XOPEN_SOURCE 700
#include "translate/running.h"
#include "values.h"

#define TRAIN "$T train --quiet --overwrite --threads 1 --out $D/run"
#define TINY " --d-model 16 --heads 2 --layers 1 --d-ff 32 --batch-tokens 256 --warmup 5 --lr 0.01"

static const struct {
    const char *name, *command;
} runs[] = {
    {"pairs", TRAIN TINY
     " --pair en-fr --sentences 300 --units bpe --merges 60 --steps 20 --validate-every 10 --average 2"},
    {"chinese", TRAIN TINY
     " --pair en-zh --sentences 200 --src-units words --tgt-units chars --epochs 2 --schedule cosine "
     "--tie none --pre-norm --activation gelu --attention-dropout 0.1 --activation-dropout 0.1"},
    {"reverse", TRAIN TINY
     " --task reverse --sentences 400 --joint --tie all --accumulate 3 --steps 25 --schedule linear "
     "--positions learned --label-smoothing 0 --clip 0 --no-final-norm --seed 4 --best-by loss"},
    {"files", TRAIN TINY
     " --train tests/golden/pairs.tsv --valid tests/golden/pairs.tsv --steps 12 --merges 30 --max-length 20 "
     "--lowercase --schedule constant --beta2 0.9"},
};

/* ---- values ---- */

static void value_is(golden *g, const char *run, const char *what, uint64_t hash) {
    char name[128];
    snprintf(name, sizeof name, "%s.%s", run, what);
    golden_is(g, name, hash);
}

static void file_is(golden *g, const char *run, const char *folder, const char *file) {
    char path[256];
    size_t size;
    snprintf(path, sizeof path, "%s/%s", folder, file);
    if (access(in_folder(path), F_OK) != 0) return;
    char *bytes = get_file(in_folder(path), &size);
    value_is(g, run, file, hash_of(bytes, size));
    free(bytes);
}

/* What a command prints, without times and the folder's name. */
static void output_is(golden *g, const char *run, const char *what, const char *input, const char *command) {
    char line[1024];
    snprintf(line, sizeof line,
             "%s | sed -e 's/ in [0-9.]* s,//' -e \"s|$D||g\" -e '/OpenMP\\|^so far\\|^files/d'", command);
    sh_input(input, line);
    ck_assert_msg(*out, "%s prints nothing: %s", command, err);
    value_is(g, run, what, hash_text_of(out));
}

/* A checkpoint's names and tensors, and its state without times. */
static void checkpoint_is(golden *g, const char *run, const char *folder) {
    char path[256];
    tl_error error = {""};
    size_t size;
    snprintf(path, sizeof path, "%s/checkpoint.safetensors", folder);
    tl_safetensors *file = tl_safetensors_open(in_folder(path), &error);
    ck_assert_msg(file != NULL, "%s", error.message);
    uint64_t data = 0, hash = hash_of("", 0);
    for (long i = 0; i < tl_safetensors_count(file); i++) {
        const tl_safetensors_entry *e = tl_safetensors_at(file, i);
        hash = hash_bytes(hash, e->name, strlen(e->name));
        if (e->end > data) data = e->end;
    }
    tl_safetensors_close(file);
    char *bytes = get_file(in_folder(path), &size), *state = state_without_time(folder);
    value_is(g, run, "checkpoint.names", hash);
    value_is(g, run, "checkpoint.tensors", hash_of(bytes + size - data, data));
    value_is(g, run, "checkpoint.state", hash_text_of(state));
    free(bytes);
    free(state);
}

static void run_is(golden *g, const char *run, const char *folder) {
    static const char *const files[] = {"config.txt",         "codes.txt",         "vocab.src.txt",
                                        "vocab.tgt.txt",      "model.safetensors", "last.safetensors",
                                        "average.safetensors"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) file_is(g, run, folder, files[i]);
    checkpoint_is(g, run, folder);
    char *log = log_without_time(folder);
    value_is(g, run, "log", hash_text_of(log));
    free(log);
}

/* The output of the commands that use a run. test: what evaluate is given. */
static void uses_are(golden *g, const char *run, const char *folder, const char *test) {
    static const char lines[] = "the small cats do not sleep .\n\na3 a1 a2\nI saw twelve Dogs; they slept\n";
    char command[512];
    snprintf(command, sizeof command, "$T translate --model $D/%s --beam 1 --threads 1 --quiet", folder);
    output_is(g, run, "greedy", lines, command);
    snprintf(command, sizeof command,
             "$T translate --model $D/%s --beam 4 --nbest --length-penalty 0.7 --threads 1 --quiet", folder);
    output_is(g, run, "nbest", lines, command);
    snprintf(command, sizeof command, "$T evaluate --model $D/%s %s --samples 2 --threads 1 --quiet", folder,
             test);
    output_is(g, run, "evaluate", "", command);
    snprintf(command, sizeof command, "$T attention --model $D/%s --layer 1 --head 2 --threads 1 --quiet",
             folder);
    output_is(g, run, "attention", "the small cats do not sleep .\n", command);
    snprintf(command, sizeof command, "$T info --model $D/%s", folder);
    output_is(g, run, "info", "", command);
}

/* ---- the tests ---- */

/* Opens the values and sets the instruction set, here and for the program, whose precision must be this test's (see
 * BUILD). */
static golden open_for(const char *file, bool *holds) {
    golden g = golden_open(file);
    *holds = golden_holds(&g, "avx2");
    setenv("TL_ISA", "avx2", 1);
    sh("$T --help");
    assert_contains(out, "(" GOLDEN_PRECISION ",");
    return g;
}

START_TEST(new_runs) {
    bool holds;
    golden g = open_for("tests/golden/runs." GOLDEN_PRECISION, &holds);
    for (size_t i = 0; holds && i < sizeof runs / sizeof *runs; i++) {
        sh(runs[i].command);
        run_is(&g, runs[i].name, "run");
        uses_are(&g, runs[i].name, "run",
                 strcmp(runs[i].name, "files") ? "" : "--test tests/golden/pairs.tsv");
        sh("rm -r $D/run");
    }
    golden_close(&g);
}
END_TEST

/* The program of November 2026 made tests/golden/run:
 *
 *     cd tests/golden; TL_ISA=avx2 ../../build/translate train --train pairs.tsv --valid pairs.tsv --out run --steps 12 \
 *         --validate-every 4 --average 2 --merges 40 --batch-tokens 64 --d-model 12 --heads 2 --layers 1 --d-ff 16 --lr 0.01 \
 *         --warmup 5 --dropout 0.2 --threads 1 */
#ifndef TL_DOUBLE
START_TEST(old_run) {
    bool holds;
    golden g = open_for("tests/golden/old_run." GOLDEN_PRECISION, &holds);
    if (holds) {
        sh("cp -R tests/golden/run $D/old && chmod -R u+w $D/old");
        uses_are(&g, "old", "old", "--test tests/golden/pairs.tsv");
        sh("cd tests/golden && case $T in /*) ;; *) T=../../$T ;; esac && $T train --resume $D/old --steps "
           "21 --threads 1 --quiet");
        run_is(&g, "resumed", "old");
        uses_are(&g, "resumed", "old", "--test tests/golden/pairs.tsv --weights average");
    }
    golden_close(&g);
}
END_TEST
#endif

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_test(tc, new_runs);
#ifndef TL_DOUBLE
    tcase_add_test(tc, old_run);
#endif
}

TL_TEST_MAIN("golden: runs")
