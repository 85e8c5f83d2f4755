/* classify corpus: the labelled sentences that are made here, as files that train reads, and sentences without labels. */
#define _POSIX_C_SOURCE 200809L /* open_memstream */
#include "program.h"

#include <stdlib.h>
#include <string.h>

/* A train.tsv that is there is more likely somebody's own than ours, unless they are the same. */
static bool write_once(const char *path, const char *text, size_t size, tl_error *error) {
    char *old = NULL;
    size_t old_size = 0;
    if (!tl_file_is_there(path)) return tl_file_write(path, text, size, error);
    if (!tl_file_read_regular(path, TL_TEXT_MOST, &old, &old_size, error)) return false;
    const bool same = size == old_size && !memcmp(text, old, size);
    free(old);
    return same ||
           tl_error_set(error, "%s is there already, and not the same: choose another --out, or remove it",
                        path);
}

static bool write_lines(const tl_corpus *corpus, const char *path, tl_error *error) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out) return tl_error_set(error, "out of memory for %s", path);
    for (long i = 0; i < tl_corpus_size(corpus); i++) {
        const char *label = tl_corpus_sentence(corpus, TL_TARGET, i);
        fprintf(out, "%s%s%s\n", label, *label ? "\t" : "", tl_corpus_sentence(corpus, TL_SOURCE, i));
    }
    bool ok = !ferror(out);
    if (fclose(out) || !ok) ok = tl_error_set(error, "out of memory for %s", path);
    ok = ok && write_once(path, text, size, error);
    free(text);
    return ok;
}

int command_corpus(settings *s) {
    static const char *const files[] = {[TL_LABELLED_TRAIN] = "train.tsv",
                                        [TL_LABELLED_VALID] = "valid.tsv",
                                        [TL_LABELLED_TEST] = "test.tsv",
                                        [TL_UNLABELLED] = "unlabelled.txt"};
    const tl_run_settings *run = &s->common.run;
    tl_error error = {""};
    char path[PATH_SIZE];
    tl_make_dirs(s->common.out, &error);
    const int parts = run->classify.unlabelled ? TL_UNLABELLED + 1 : TL_UNLABELLED;
    for (int part = TL_LABELLED_TRAIN; part < parts && !tl_failed(&error); part++) {
        tl_corpus *corpus = tl_labelled_of(run, (tl_labelled_part)part, NULL, &error);
        if (corpus && write_lines(corpus, path_in(path, s->common.out, files[part]), &error)) {
            print_name("", path, "");
            printf(": %ld sentences\n", tl_corpus_size(corpus));
        }
        tl_corpus_free(corpus);
    }
    return tl_failed(&error) ? fail_with(error.message) : 0;
}
