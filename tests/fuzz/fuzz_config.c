/* key = value text: any text is read or refused with its line; what was read is written, and reads back the same. */
#include "fuzz.h"

#include <tapeloom/io.h>

#include <math.h>

int tl_fuzz_config(const uint8_t *bytes, size_t size);

static const char *const keys[] = {"a", "steps", "d_model", "train", "x.y-z_0"};
enum { KEYS = sizeof keys / sizeof *keys };

/* Each value as every type; a value of another type fails the configuration, so each is asked of a new one. */
static void ask(const char *text, size_t size, const char *key, int type) {
    tl_error error = {""};
    tl_config *c = tl_config_parse(text, size, "config.txt", &error);
    FUZZ_MUST(c, "%s", error.message);
    const bool there = tl_config_has(c, key);
    const char *string = type == 0 ? tl_config_string(c, key, NULL) : "";
    const long whole = type == 1 ? tl_config_long(c, key, 11) : 11;
    const double number = type == 2 ? tl_config_double(c, key, 11) : 11;
    const bool truth = type == 3 ? tl_config_bool(c, key, true) : true;
    if (!there || tl_config_error(c)) {
        FUZZ_MUST(type != 0 || !there == !string, "%s", key);
        if (type != 0)
            FUZZ_MUST(whole == 11 && number == 11 && truth, "%s has another value than the given", key);
    }
    FUZZ_MUST(there || !tl_config_error(c), "%s is not there, and fails", key);
    if (tl_config_error(c)) fuzz_message(tl_config_error(c));
    tl_config_free(c);
}

/* The same keys with the same values? */
static void compare(tl_config *a, tl_config *b) {
    long line;
    const char *key;
    tl_config *fresh = a;
    for (long i = 0; (key = tl_config_unknown(fresh, i, &line)) != NULL; i++) {
        FUZZ_MUST(line > 0 && tl_config_has(b, key), "%s is lost", key);
    }
    for (long i = 0; (key = tl_config_unknown(b, i, NULL)) != NULL; i++)
        FUZZ_MUST(tl_config_has(a, key), "%s is new", key);
    while ((key = tl_config_unknown(a, 0, NULL)) != NULL) { /* what was asked for is no longer unknown */
        char *copy = fuzz_string_of(key, strlen(key));
        const char *x = tl_config_string(a, copy, NULL), *y = tl_config_string(b, copy, NULL);
        FUZZ_MUST(x && y && !strcmp(x, y), "%s reads back otherwise", copy);
        free(copy);
    }
}

static void check_text(tl_config *c, const char *text, size_t size) {
    tl_error error = {""};
    char *written = tl_config_text(c);
    FUZZ_MUST(written, "out of memory");
    tl_config *again = tl_config_parse(written, strlen(written), "again", &error);
    FUZZ_MUST(again, "%s\n%s", error.message, written);
    char *twice = tl_config_text(again);
    FUZZ_MUST(twice && !strcmp(written, twice), "written otherwise the second time:\n%s\n%s", written, twice);
    compare(c, again);
    for (int i = 0; i < KEYS; i++)
        for (int type = 0; type < 4; type++) ask(text, size, keys[i], type);
    tl_config_free(again);
    free(twice), free(written);
}

/* Sets any values, which read back. */
static void check_set(const char *value, double number, long whole) {
    tl_error error = {""};
    tl_config *c = tl_config_new();
    tl_config_set_string(c, "text", value);
    if (tl_config_error(c)) { /* no text of a file */
        fuzz_message(tl_config_error(c));
        tl_config_free(c);
        return;
    }
    tl_config_comment(c, value);
    tl_config_set_double(c, "number", number);
    tl_config_set_long(c, "whole", whole);
    tl_config_set_bool(c, "truth", whole & 1);
    char *text = tl_config_text(c);
    FUZZ_MUST(text || tl_config_error(c), "no text and no error");
    tl_config *again = text ? tl_config_parse(text, strlen(text), "set", &error) : NULL;
    if (text) {
        FUZZ_MUST(again, "%s\n%s", error.message, text);
        FUZZ_MUST(!strcmp(tl_config_string(again, "text", ""), value), "a text reads back otherwise:\n%s",
                  text);
        const double back = tl_config_double(again, "number", 0);
        FUZZ_MUST(!memcmp(&back, &number, sizeof back) || (isnan(back) && isnan(number)), "%s", text);
        FUZZ_MUST(tl_config_long(again, "whole", 0) == whole && !tl_config_error(again), "%s", text);
        FUZZ_MUST(tl_config_bool(again, "truth", !(whole & 1)) == (bool)(whole & 1), "%s", text);
    } else
        fuzz_message(tl_config_error(c));
    tl_config_free(again);
    tl_config_free(c);
    free(text);
}

int tl_fuzz_config(const uint8_t *bytes, size_t size) {
    fuzz_part text = fuzz_part_of(bytes, size);
    tl_error error = {""};
    tl_config *c = tl_config_parse(text.bytes, text.size, "config\x1B.txt", &error);
    fuzz_outcome(c != NULL, &error);
    if (c) check_text(c, text.bytes, text.size);
    tl_config_free(c);
    char *value = fuzz_string_of(text.bytes, text.size);
    fuzz_bytes in = fuzz_bytes_of(bytes, size);
    const uint64_t word = fuzz_word(&in);
    double number;
    memcpy(&number, &word, sizeof number);
    check_set(value, number, (long)fuzz_word(&in));
    free(value);
    free(text.bytes);
    return 0;
}

static void seeds(tl_fuzz_put *put, void *context) {
    static const char *const texts[] = {
        "# How it was made\nprogram = lm\n\nsteps = 100 # a comment\na = \"x \\\" \\\\ \\n\\r\\t y\"\n",
        "d_model = 64\r\ntrain = runs/a b.tsv\r\nx.y-z_0=1e-3",
        "a = yes\nsteps = off\nd_model=true\ntrain =\n",
        "a = nan\nsteps = -inf\nd_model = 0.1\n",
        "\xEF\xBB\xBFsteps = 3\n",
        "a = 1\na = 2\n",
        "a b = 1\n",
        "a = \"open\n",
        "a = b#c # d\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) put(context, texts[i], strlen(texts[i]));
}

TL_FUZZ(config, "io: key = value text");
