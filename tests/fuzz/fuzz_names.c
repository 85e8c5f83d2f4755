/* The laboratory's words: names and patterns of places, sets of heads. The input: a byte that chooses the run and what the
 * text is, one of choices, the text. */
#define _XOPEN_SOURCE 700
#include "runs.h"

#include <ctype.h>
#include <stdio.h>

int tl_fuzz_names(const uint8_t *bytes, size_t size);

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

/* A head's number stands after a colon or a comma, and is less than there are heads. */
static void check_numbers(const char *text, long heads) {
    for (const char *c = text; *c; c++) {
        if (*c != ':' && *c != ',') continue;
        const char *number = c + 1 + strspn(c + 1, " ");
        if (isdigit((unsigned char)*number))
            FUZZ_MUST(strtol(number, NULL, 10) < heads, "%s of %ld heads", text, heads);
    }
}

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
        check_numbers(text, shape.heads);
        char *written = tl_heads_text(flags, &shape, others != 0);
        FUZZ_MUST(written && tl_heads_parse(written, &shape, others != 0, again, &error), "%s",
                  error.message);
        FUZZ_MUST(!memcmp(flags, again, count * sizeof *flags), "\"%s\" is written \"%s\"", text, written);
        free(written);
    }
    free(again), free(flags);
}

int tl_fuzz_names(const uint8_t *bytes, size_t size) {
    fuzz_bytes in = fuzz_bytes_of(bytes, size);
    const unsigned choice = fuzz_byte(&in), how = fuzz_byte(&in);
    char *text = fuzz_string(&in);
    if (choice % 2)
        check_heads(text, how);
    else
        check_places((int)(choice / 2 % FUZZ_RUNS), text, how);
    free(text);
    return 0;
}

static void seeds(tl_fuzz_put *put, void *context) {
    static const char *const texts[] = {"decoder.*.cross.pattern", "*.scores", "encoder.embedding",
                                        "h.0.attn.?", "*"};
    static const char *const heads[] = {"encoder.0:0,1; cross.1:none", "decoder.2:3", "cross.0:all",
                                        "cross.1:0,1,2"};
    char seed[256];
    for (int i = 0; i < 5; i++)
        for (int run = 0; run < FUZZ_RUNS; run++)
            put(context, seed, (size_t)snprintf(seed, sizeof seed, "%c1%s", 40 + 2 * run, texts[i]));
    for (int i = 0; i < 4; i++)
        for (int how = 30; how < 126; how += 13)
            put(context, seed, (size_t)snprintf(seed, sizeof seed, "A%c%s", how, heads[i]));
}

TL_FUZZ(names, "lens, run: names and patterns of places, sets of heads");
