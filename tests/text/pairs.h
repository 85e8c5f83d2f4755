/* For tests of corpora, whatever they are read from. */
#ifndef TL_TESTS_TEXT_PAIRS_H
#define TL_TESTS_TEXT_PAIRS_H

#include "check.h"
#include "tapeloom/text.h"

/* A copy in memory of exactly this size, so that a sanitizer detects reading beyond its end. The caller frees it. */
static inline char *exactly(const char *bytes, size_t size) {
    char *exact = malloc(size + (size == 0));
    ck_assert_ptr_nonnull(exact);
    memcpy(exact, bytes, size);
    return exact;
}

#define assert_pair(corpus, i, source, target)                        \
 do {                                                                 \
  ck_assert_str_eq(tl_corpus_sentence(corpus, TL_SOURCE, i), source); \
  ck_assert_str_eq(tl_corpus_sentence(corpus, TL_TARGET, i), target); \
 } while (0)

#endif
