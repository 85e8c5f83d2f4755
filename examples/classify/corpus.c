/* classify corpus: writes the labelled sentences that are made here as files that train can read, and sentences
 * without labels. */
#include "program.h"

static void put(growing *out, const tl_corpus *corpus, long i) {
    const char *label = tl_corpus_sentence(corpus, TL_TARGET, i);
    grow(out, "%s%s", label, *label ? "\t" : "");
    grow_text(out, tl_corpus_sentence(corpus, TL_SOURCE, i));
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
        if (corpus && write_once(path_in(path, s->common.out, files[part]), corpus, put, &error)) {
            print_name("", path, "");
            printf(": %ld sentences\n", tl_corpus_size(corpus));
        }
        tl_corpus_free(corpus);
    }
    return tl_failed(&error) ? fail_with(error.message) : 0;
}
