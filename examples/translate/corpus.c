/* translate corpus: the grammar's sentences and their true word alignments as files. */
#define _POSIX_C_SOURCE 200809L /* open_memstream */
#include "program.h"

#include <stdlib.h>
#include <string.h>

/* A train.tsv that is there is more likely somebody's own sentences than ours, unless they are the same. */
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

static bool write_lines(const tl_corpus *corpus, bool links, const char *dir, const char *file,
                        tl_error *error) {
    char path[PATH_SIZE], *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out) return tl_error_set(error, "out of memory for %s", file);
    for (long i = 0; i < tl_corpus_size(corpus); i++) {
        long count = 0;
        const tl_link *link = tl_corpus_alignment(corpus, i, &count);
        if (!links)
            fprintf(out, "%s\t%s", tl_corpus_sentence(corpus, TL_SOURCE, i),
                    tl_corpus_sentence(corpus, TL_TARGET, i));
        for (long k = 0; links && k < count; k++)
            fprintf(out, "%s%d-%d", k ? " " : "", link[k].source, link[k].target);
        fputc('\n', out);
    }
    bool ok = !ferror(out);
    if (fclose(out) || !ok) ok = tl_error_set(error, "out of memory for %s", file);
    ok = ok && write_once(path_in(path, dir, file), text, size, error);
    free(text);
    return ok;
}

int command_corpus(settings *s) {
    static const char *const names[] = {"train", "valid", "test"};
    tl_error error = {""};
    tl_make_dirs(s->common.out, &error);
    for (int part = TL_PART_TRAIN; part <= TL_PART_TEST && !tl_failed(&error); part++) {
        char file[32];
        tl_corpus *corpus = tl_pairs_of(&s->common.run, (tl_part)part, NULL, &error);
        snprintf(file, sizeof file, "%s.tsv", names[part]);
        if (corpus && write_lines(corpus, false, s->common.out, file, &error)) {
            snprintf(file, sizeof file, "%s.align", names[part]);
            if (write_lines(corpus, true, s->common.out, file, &error)) {
                print_name("", s->common.out, "");
                printf("/%s.tsv: %ld pairs, word alignments in %s.align\n", names[part],
                       tl_corpus_size(corpus), names[part]);
            }
        }
        tl_corpus_free(corpus);
    }
    return tl_failed(&error) ? fail_with(error.message) : 0;
}
