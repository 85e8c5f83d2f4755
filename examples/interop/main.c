/* The commands, and what they share.
 *
 *     build/interop run-logits RUN SOURCE TARGET                     of a translator that `translate train` has made
 *     build/interop gpt-logits FILE HEADS id …                       of a GPT-2 in a file of any layout
 *     build/interop gpt-write FILE HEADS COUNT id …                  adds COUNT ids, the most likely each time
 *     build/interop gpt-convert FILE HEADS hugging-face|nanogpt OUT  writes it in that layout
 *     build/interop classifier-train FILE                            makes a small one
 *     build/interop classifier-logits FILE id …
 */
#include "program.h"

#include <string.h>

static const struct {
    const char *name;
    int (*run)(words w);
} commands[] = {{"run-logits", run_logits},
                {"gpt-logits", gpt_logits},
                {"gpt-write", gpt_write},
                {"gpt-convert", gpt_convert},
                {"classifier-train", classifier_train},
                {"classifier-logits", classifier_logits}};

int fail(const char *message) { return fprintf(stderr, "interop: %s\n", message), 1; }
int wrong_words(const char *expected) { return fprintf(stderr, "interop: expected %s\n", expected), 2; }

bool read_ids(words w, int first, int *ids, int most) {
    for (int i = first; i < w.count; i++) {
        long id;
        if (i - first >= most || !tl_long_parse(w.word[i], &id) || id < 0 || id > 1 << 30) return false;
        ids[i - first] = (int)id;
    }
    return w.count > first;
}

int print_logits(tl_tape *tape, tl_var logits) {
    if (!tl_ok(logits)) return fail(tl_tape_error(tape));
    const tl_tensor t = tl_value(logits);
    const long columns = t.dim[t.rank - 1];
    for (long i = 0; i < tl_numel(t); i++) {
        char number[TL_NUMBER_TEXT];
        printf("%s%c", tl_double_text((double)t.data[i], number), (i + 1) % columns == 0 ? '\n' : ' ');
    }
    return 0;
}

int main(int argc, char **argv) {
    tl_streams_open();
    tl_error error = {""};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (argc > 1 && !strcmp(argv[1], commands[i].name)) {
            const int status = commands[i].run((words){argc - 2, argv + 2});
            return tl_output_close(stdout, &error) ? status : fail(error.message);
        }
    return wrong_words(
        "one of: run-logits, gpt-logits, gpt-write, gpt-convert, classifier-train, classifier-logits");
}
