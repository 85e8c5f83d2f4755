/* Sentences that a model can read. Longer ones are blanked, each in its place, so that they do not stop the others. */
#include "run.h"

long tl_tokens_of(const tl_corpus *encoded, tl_side side, long i) {
    long length = 0;
    tl_corpus_ids(encoded, side, i, &length);
    return length;
}

bool tl_is_too_long(const tl_corpus *encoded, long i, bool targets) {
    return tl_tokens_of(encoded, TL_SOURCE, i) > TL_LONGEST_SENTENCE ||
           (targets && tl_tokens_of(encoded, TL_TARGET, i) > TL_LONGEST_SENTENCE);
}

tl_corpus *tl_run_readable(tl_run *run, const tl_corpus *encoded, bool targets) {
    tl_corpus *corpus = tl_corpus_new();
    for (long i = 0; i < tl_corpus_size(encoded); i++) {
        const bool left = !tl_is_too_long(encoded, i, targets);
        tl_corpus_add(corpus, left ? tl_corpus_sentence(encoded, TL_SOURCE, i) : "",
                      left && targets ? tl_corpus_sentence(encoded, TL_TARGET, i) : "");
    }
    if (tl_corpus_encode(corpus, run->vocab[TL_SOURCE], run->vocab[TL_TARGET])) return corpus;
    tl_error_set(&run->error, "%s", tl_corpus_error(corpus) ? tl_corpus_error(corpus) : "out of memory");
    tl_corpus_free(corpus);
    return NULL;
}
