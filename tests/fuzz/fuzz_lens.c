/* The laboratory: sentences of any bytes looked at, with every program's model. Their page and their table must hold them as
 * text. The input: a byte that chooses the run, one of choices, two texts ended by FUZZ_CUT. */
#define _XOPEN_SOURCE 700
#include "runs.h"

#include "base/utf8.h"

#include <stdio.h>

int tl_fuzz_lens(const uint8_t *bytes, size_t size);

static size_t count_of(const char *text, const char *word) {
    size_t count = 0;
    for (; (text = strstr(text, word)) != NULL; text += strlen(word)) count++;
    return count;
}

static void check_page(const char *page, size_t size) {
    static size_t scripts; /* as many as in the first page: what is looked at adds none */
    FUZZ_MUST(page && strlen(page) == size && tl_utf8_valid(page, size) == size, "a page that is no text");
    const size_t here = count_of(page, "<script") * 1000 + count_of(page, "</script");
    if (!scripts) scripts = here;
    FUZZ_MUST(here == scripts, "another number of scripts");
    for (const char *c = page; *c; c++)
        FUZZ_MUST((unsigned char)*c >= 0x20 || *c == '\n' || *c == '\t', "a control character in a page");
}

static void check_look(int which, const char *source, const char *target, unsigned how) {
    tl_run *run = fuzz_run_open(which);
    tl_sentences sentences;
    tl_seen seen;
    tl_error error = {""};
    size_t size;
    const bool text_alone = which == FUZZ_LM || which == FUZZ_LM_WORDS;
    const char *const one[] = {source}, *const other[] = {text_alone || how & 1 ? target : NULL};
    if (tl_sentences_of(run, text_alone ? NULL : one, other, 1, &sentences)) {
        if (tl_look(tl_run_model(run), tl_run_tape(run), &sentences.batch,
                    &(tl_look_options){.norms = (how & 2) != 0}, &seen)) {
            char *page = tl_page_text(run, &sentences, &seen,
                                      &(tl_page_options){.title = target,
                                                         .command = source,
                                                         .model = target,
                                                         .date = "today",
                                                         .most_bytes = how & 4 ? 400000 : 0},
                                      &size);
            if (page) check_page(page, size);
            free(page);
            const char *path = fuzz_path("seen.csv");
            fuzz_outcome(tl_seen_csv(path, &seen, &sentences, how & 8 ? target : NULL, (how & 16) != 0,
                                     tl_run_tape(run), &error),
                         &error);
        }
        tl_sentences_free(&sentences);
    }
    if (tl_run_error(run)) fuzz_message(tl_run_error(run));
    tl_run_clear_error(run);
    tl_tape_reset(tl_run_tape(run));
}

int tl_fuzz_lens(const uint8_t *bytes, size_t size) {
    fuzz_bytes in = fuzz_bytes_of(bytes, size);
    const unsigned which = fuzz_byte(&in) % FUZZ_RUNS, how = fuzz_byte(&in);
    char *first = fuzz_string(&in), *second = fuzz_string(&in);
    check_look((int)which, first, second, how);
    free(second), free(first);
    return 0;
}

static void seeds(tl_fuzz_put *put, void *context) {
    static const char *const lines[] = {
        "the dog sleeps" FUZZ_CUT "le chien dort", "number" FUZZ_CUT "the dogs sleep",
        "#1" FUZZ_CUT "</script><script>x", "\x1B[31m \xE4\xBD\xA0 <!--" FUZZ_CUT "&lt; \"q\" \\"};
    char seed[256];
    for (int run = 0; run < FUZZ_RUNS; run++)
        for (int i = 0; i < 4; i++)
            put(context, seed,
                (size_t)snprintf(seed, sizeof seed, "%c\x03%s", 'A' - 'A' % FUZZ_RUNS + run, lines[i]));
}

TL_FUZZ(lens, "lens: any sentence looked at, its page and table");
