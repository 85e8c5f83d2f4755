/* translate corpus: the grammar's sentences and their true word alignments as files. */
#include "program.h"

static void put_pair(growing *out, const tl_corpus *corpus, long i) {
    grow_text(out, tl_corpus_sentence(corpus, TL_SOURCE, i));
    grow(out, "\t");
    grow_text(out, tl_corpus_sentence(corpus, TL_TARGET, i));
}

static void put_links(growing *out, const tl_corpus *corpus, long i) {
    long count = 0;
    const tl_link *link = tl_corpus_alignment(corpus, i, &count);
    for (long k = 0; k < count; k++) grow(out, "%s%d-%d", k ? " " : "", link[k].source, link[k].target);
}

int command_corpus(settings *s) {
    static const char *const names[] = {"train", "valid", "test"};
    tl_error error = {""};
    tl_make_dirs(s->common.out, &error);
    for (int part = TL_PART_TRAIN; part <= TL_PART_TEST && !tl_failed(&error); part++) {
        char file[32], path[PATH_SIZE];
        tl_corpus *corpus = tl_pairs_of(&s->common.run, (tl_part)part, NULL, &error);
        snprintf(file, sizeof file, "%s.tsv", names[part]);
        if (corpus && write_once(path_in(path, s->common.out, file), corpus, put_pair, &error)) {
            snprintf(file, sizeof file, "%s.align", names[part]);
            if (write_once(path_in(path, s->common.out, file), corpus, put_links, &error)) {
                print_name("", s->common.out, "");
                printf("/%s.tsv: %ld pairs, word alignments in %s.align\n", names[part],
                       tl_corpus_size(corpus), names[part]);
            }
        }
        tl_corpus_free(corpus);
    }
    return tl_failed(&error) ? fail_with(error.message) : 0;
}
