/* lm evaluate: how well a model predicts a text; bits per byte compare models with different units. */
#include "program.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The text's bytes; NULL, and an error, on failure. */
static char *text_of(const settings *s, tl_run *run, size_t *size, tl_error *error) {
    char *bytes = NULL;
    if (!s->text) return tl_lm_valid_text(run, size);
    const bool ok = strcmp(s->text, "-") ? tl_file_read(s->text, &bytes, size, error)
                                         : tl_input_read(&bytes, size, error);
    return ok ? bytes : NULL;
}

static void print_result(const char *what, const tl_lm_text *text, const tl_quality *q) {
    print_name("", what, "");
    printf(": %ld tokens, %ld bytes in %.1f s\n", q->tokens, q->bytes, q->seconds);
    printf("%.4f nats a token, perplexity %.3f, %.4f bits per byte, accuracy %.1f %%\n", q->loss,
           exp(q->loss), tl_bits_per_byte(q), 100 * q->accuracy);
    if (text->unknown && leads())
        fprintf(
            stderr,
            "lm: warning: %ld tokens are not in the vocabulary; each was foretold as <unk>, which is easier "
            "than the token: the numbers are too good\n",
            text->unknown);
}

/* NULL, and an error, if the model cannot predict the text. */
static char *text_to_score(const settings *s, tl_run *run, tl_lm_text *text, tl_error *error) {
    size_t size = 0;
    char *bytes = text_of(s, run, &size, error);
    if (bytes && !size) tl_error_set(error, "the text is empty: there is nothing to foretell");
    const bool ok = bytes && size && tl_lm_encode(run, bytes, size, text);
    if (all_well(run, ok, error)) return bytes;
    free(bytes);
    return NULL;
}

int command_evaluate(settings *s) {
    tl_error error = {""};
    listener l;
    tl_lm_text text = {0};
    tl_quality q;
    if (!no_standard_input("text", s->text, &error)) return usage_with("evaluate", error.message);
    tl_run *run = open_run(s);
    if (!run) return 1;
    listen_to(&l, s, run);
    char *bytes = text_to_score(s, run, &text, &error);
    if (bytes && tl_lm_measure(run, &text, &q))
        print_result(!s->text               ? "what training validates on"
                     : strcmp(s->text, "-") ? s->text
                                            : "standard input",
                     &text, &q);
    const int status = status_of(run, &error);
    tl_lm_text_free(&text);
    free(bytes);
    tl_run_free(run);
    return status;
}
