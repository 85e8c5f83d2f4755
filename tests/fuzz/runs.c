/* Small runs for harnesses (runs.h). */
#define _XOPEN_SOURCE 700
#include "runs.h"

static const char pairs[] = "the dog sleeps\tle chien dort\nthe cat sleeps\tle chat dort\n"
                            "the dog eats\tle chien mange\nthe black cat eats\tle chat noir mange\n";

static tl_run_settings settings_of(int run) {
    static const char *const programs[FUZZ_RUNS] = {"translate", "lm", "classify", "caption", "lm"};
    tl_run_settings s = tl_run_settings_of_program(programs[run]);
    s.model.preset = run == FUZZ_CAPTION ? NULL : "toy";
    s.model.d_model = 8;
    s.model.heads = 2;
    if (run != FUZZ_CAPTION) s.model.layers = 1, s.model.d_ff = 8;
    s.training.steps = 2;
    s.training.warmup = 1;
    s.validation.validate_every = 1;
    switch (run) {
    case FUZZ_TRANSLATE:
        s.data.train = s.data.valid = fuzz_file("pairs.tsv", pairs, sizeof pairs - 1);
        s.text.units = "bpe";
        s.text.merges = 10;
        s.text.min_count = 1;
        s.training.batch_tokens = 64;
        s.validation.average = 1;
        break;
    case FUZZ_LM:
    case FUZZ_LM_WORDS:
        s.data.train = s.data.valid = fuzz_file("text.txt", pairs, sizeof pairs - 1);
        s.text.units = run == FUZZ_LM ? "bpe" : "words";
        s.text.merges = run == FUZZ_LM ? 10 : 0;
        s.text.min_count = run == FUZZ_LM ? 0 : 1;
        s.lm.lines = run == FUZZ_LM_WORDS;
        s.lm.context = run == FUZZ_LM ? 8 : 0;
        s.lm.batch = 2;
        break;
    case FUZZ_CLASSIFY:
        s.data.task = "number";
        s.data.sentences = 20;
        s.training.batch_tokens = 64;
        break;
    default:
        s.caption.pictures = 4;
        s.caption.batch = 4;
        s.caption.encoder_layers = s.caption.decoder_layers = 1;
    }
    return s;
}

const char *fuzz_run_folder(int run) {
    static char folder[FUZZ_RUNS][1024];
    if (*folder[run]) return folder[run];
    tl_set_threads(1);
    setenv("PATH", "/nowhere", 1); /* no gnuplot */
    const tl_run_settings settings = settings_of(run);
    char name[16];
    snprintf(name, sizeof name, "run-%d", run);
    snprintf(folder[run], sizeof *folder, "%s", fuzz_path(name));
    tl_run *made = tl_run_new(folder[run], &settings);
    FUZZ_MUST(tl_run_train(made, true, NULL) == TL_ENDED, "run %d: %s", run, tl_run_error(made));
    tl_run_free(made);
    return folder[run];
}

tl_run *fuzz_run_open(int run) {
    static tl_run *open[FUZZ_RUNS];
    tl_error error = {""};
    if (!open[run]) open[run] = tl_run_open(fuzz_run_folder(run), NULL, &error);
    FUZZ_MUST(open[run], "%s", error.message);
    return open[run];
}
