/* The laboratory's words and what it writes: names and patterns of places, sets of heads, and sentences of any bytes
 * looked at, whose page and table must hold them as text. */
#define _XOPEN_SOURCE 700
#include "runs.h"

#include "base/utf8.h"

#include <stdio.h>

int tl_fuzz_lens(const uint8_t *bytes, size_t size);

/* ---- places ---- */

/* The second definition of a pattern: * is any text, ? one character. */
static bool matches(const char *name, const char *pattern) {
    if (!*pattern) return !*name;
    if (*pattern == '*') return matches(name, pattern + 1) || (*name && matches(name + 1, pattern));
    return *name && (*pattern == '?' || *pattern == *name) && matches(name + 1, pattern + 1);
}

static void check_places(int which, const char *pattern, unsigned how) {
    const tl_model *model = tl_run_model(fuzz_run_open(which));
    tl_places *places = tl_places_new(model);
    long stars = 0, found = 0;
    for (const char *c = pattern; *c; c++) stars += *c == '*';
    tl_place_name name;
    for (long i = 0; tl_place_at_number(model, i, &name); i++) {
        const bool fits = tl_place_matches(name.text, pattern);
        found += fits;
        if (stars < 4 && strlen(pattern) < 100)
            FUZZ_MUST(fits == matches(name.text, pattern), "%s, %s", name.text, pattern);
    }
    const bool ok = how % 2 ? tl_places_keep(places, pattern)
                            : tl_places_gate(places, pattern, (int)(how / 2 % 5) - 1, 0.5);
    FUZZ_MUST(ok == !tl_places_error(places), "an error and none");
    if (how % 2) FUZZ_MUST(ok == (found > 0), "%ld places match %s", found, pattern);
    if (!ok) fuzz_message(tl_places_error(places));
    tl_places_free(places);
}

/* ---- sets of heads ---- */

static void check_heads(const char *text, unsigned how) {
    const tl_head_shape shape = {.layers = {(int)(how % 3), (int)(how / 3 % 4), 2},
                                 .heads = (int)(how / 12 % 5)};
    const size_t count = (size_t)tl_head_count(&shape);
    bool *flags = fuzz_memory(count * sizeof *flags), *again = fuzz_memory(count * sizeof *again);
    for (int others = 0; others < 2; others++) {
        tl_error error = {""};
        const bool ok = tl_heads_parse(text, &shape, others != 0, flags, &error);
        fuzz_outcome(ok, &error);
        if (!ok) continue;
        char *written = tl_heads_text(flags, &shape, others != 0);
        FUZZ_MUST(written && tl_heads_parse(written, &shape, others != 0, again, &error), "%s",
                  error.message);
        FUZZ_MUST(!memcmp(flags, again, count * sizeof *flags), "\"%s\" is written \"%s\"", text, written);
        free(written);
    }
    free(again), free(flags);
}

/* ---- a sentence, its page and its table ---- */

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
    const unsigned choice = fuzz_byte(&in), how = fuzz_byte(&in);
    const int which = (int)(choice / 3 % FUZZ_RUNS);
    char *first = fuzz_string(&in), *second = fuzz_string(&in);
    if (choice % 3 == 0) check_places(which, first, how);
    if (choice % 3 == 1) check_heads(first, how);
    if (choice % 3 == 2) check_look(which, first, second, how);
    free(second), free(first);
    return 0;
}

static void seeds(tl_fuzz_put *put, void *context) {
    static const char *const texts[] = {"decoder.*.cross.pattern", "*.scores", "encoder.embedding",
                                        "h.0.attn.?", "*"};
    static const char *const heads[] = {"encoder.0:0,1; cross.1:none", "decoder.2:3", "cross.0:all", ""};
    static const char *const lines[] = {
        "the dog sleeps" FUZZ_CUT "le chien dort", "number" FUZZ_CUT "the dogs sleep",
        "#1" FUZZ_CUT "</script><script>x", "\x1B[31m \xE4\xBD\xA0 <!--" FUZZ_CUT "&lt; \"q\" \\"};
    char seed[256];
    for (int run = 0; run < FUZZ_RUNS; run++)
        for (int i = 0; i < 5; i++) {
            put(context, seed, (size_t)snprintf(seed, sizeof seed, "%c1%s", 60 + 3 * run, texts[i]));
            if (i < 4)
                put(context, seed, (size_t)snprintf(seed, sizeof seed, "%c\x4F%s", 61 + 3 * run, heads[i]));
            if (i < 4)
                put(context, seed, (size_t)snprintf(seed, sizeof seed, "%c\x03%s", 62 + 3 * run, lines[i]));
        }
}

TL_FUZZ(lens, "lens, run: names of places, sets of heads, any sentence looked at, its page and table");
