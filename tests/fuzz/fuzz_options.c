/* Command lines and configurations of every program: any words are settings or refused; what was read is written, and
 * reads back the same. The input: a byte that chooses the program, then words, each ended by FUZZ_CUT. */
#define _XOPEN_SOURCE 700
#include "fuzz.h"

#include <tapeloom/run.h>

#include <stdio.h>

int tl_fuzz_options(const uint8_t *bytes, size_t size);

static const char *const programs[] = {"translate", "lm", "classify", "caption"};
enum { PROGRAMS = 4, MOST_WORDS = 40 };

static const tl_option *rows_of(int program) {
    return program ? tl_run_options_of(programs[program]) : tl_run_options;
}

static char *written(const tl_option *rows, const tl_run_settings *settings, tl_config **config) {
    *config = tl_config_new();
    tl_options_write(rows, settings, *config);
    if (tl_config_error(*config)) return NULL;
    char *text = tl_config_text(*config);
    FUZZ_MUST(text, "out of memory");
    return text;
}

/* Through config.txt and back: the same text. Words that no configuration can hold (a line end) fail it. */
static void check_config(const tl_option *rows, const tl_run_settings *settings, int program) {
    tl_config *first, *second, *read;
    tl_error error = {""};
    char *text = written(rows, settings, &first);
    if (text) {
        tl_run_settings again = tl_run_settings_of_program(programs[program]);
        read = tl_config_parse(text, strlen(text), "config.txt", &error);
        FUZZ_MUST(read, "%s\n%s", error.message, text);
        FUZZ_MUST(tl_options_read(rows, &again, read, "config.txt", programs[program], &error), "%s\n%s",
                  error.message, text);
        char *twice = written(rows, &again, &second);
        FUZZ_MUST(twice && !strcmp(text, twice), "reads back otherwise:\n%s\n%s", text, twice);
        free(twice);
        tl_config_free(second);
        tl_config_free(read);
    } else
        fuzz_message(tl_config_error(first));
    free(text);
    tl_config_free(first);
}

/* The rest as the text of a configuration. */
static void check_foreign(const tl_option *rows, fuzz_part text, int program) {
    tl_run_settings settings = tl_run_settings_of_program(programs[program]);
    tl_error error = {""};
    tl_config *config = tl_config_parse(text.bytes, text.size, "config.txt", &error);
    const bool ok =
        config && tl_options_read(rows, &settings, config, "config.txt", programs[program], &error);
    fuzz_outcome(ok, &error);
    if (ok) {
        FUZZ_MUST(tl_options_check(rows, &settings, &error), "read, and then refused: %s", error.message);
        fuzz_outcome(tl_run_settings_complete(&settings, &error), &error);
    }
    tl_config_free(config);
}

int tl_fuzz_options(const uint8_t *bytes, size_t size) {
    fuzz_bytes in = fuzz_bytes_of(bytes, size);
    const unsigned choice = fuzz_byte(&in);
    const int program = (int)(choice % PROGRAMS);
    const tl_option *rows = rows_of(program);
    FUZZ_MUST(rows, "%s has no rows", programs[program]);
    if (choice & 0x40) {
        fuzz_part text = fuzz_rest(&in);
        check_foreign(rows, text, program);
        free(text.bytes);
        return 0;
    }
    char *words[MOST_WORDS + 1] = {NULL};
    int count = 0;
    while (count < MOST_WORDS && !fuzz_ended(&in)) words[count++] = fuzz_string(&in);
    tl_run_settings settings = tl_run_settings_of_program(programs[program]);
    tl_error error = {""};
    bool help = false;
    const bool ok = tl_options_parse(rows, &settings, count, words, &help, &error);
    fuzz_outcome(ok, &error);
    if (ok) {
        FUZZ_MUST(tl_options_check(rows, &settings, &error), "read, and then refused: %s", error.message);
        check_config(rows, &settings, program);
        fuzz_outcome(tl_run_settings_complete(&settings, &error), &error);
        if (!*error.message) check_config(rows, &settings, program);
    }
    for (int i = 0; i < count; i++) {
        const tl_option *row = tl_options_named(rows, words[i]);
        FUZZ_MUST(!row || row->name, "a row without a name");
        free(words[i]);
    }
    return 0;
}

static void seeds(tl_fuzz_put *put, void *context) {
    static const char *const texts[] = {
        "\x04--train" FUZZ_CUT "pairs.tsv" FUZZ_CUT "--steps" FUZZ_CUT "100" FUZZ_CUT "--dropout=0.1" FUZZ_CUT
        "--preset" FUZZ_CUT "toy" FUZZ_CUT "--units" FUZZ_CUT "bpe" FUZZ_CUT "--joint",
        "\x04--model" FUZZ_CUT "gru" FUZZ_CUT "--attention" FUZZ_CUT "dot" FUZZ_CUT "--embedding=3",
        "\x05--train=a.txt" FUZZ_CUT "--d-model" FUZZ_CUT "64" FUZZ_CUT "--window=32" FUZZ_CUT "--help",
        "\x06--labels" FUZZ_CUT "a" FUZZ_CUT "--minutes" FUZZ_CUT "1e-3" FUZZ_CUT "--lr=nan",
        "\x07--seed" FUZZ_CUT "99999999999999999999" FUZZ_CUT "-h",
        "Dtrain = x.tsv\nsteps = 10\ndropout = 0.5\ntie = all\n",
        "Eprogram = lm\nlayers = 99999\n",
        "Fprogram = classify\nmodel = transformer\nheads = 3\nd-model = 4\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) put(context, texts[i], strlen(texts[i]));
    for (unsigned p = 0; p < PROGRAMS; p++) { /* a whole configuration of each program */
        const tl_run_settings settings = tl_run_settings_of_program(programs[p]);
        tl_config *config;
        char *text = written(rows_of((int)p), &settings, &config), seed[8192];
        const int length = snprintf(seed, sizeof seed, "%c%s", (int)(0x40 + p), text ? text : "");
        put(context, seed, (size_t)length);
        free(text);
        tl_config_free(config);
    }
}

TL_FUZZ(options, "run: command lines and config.txt of every program");
