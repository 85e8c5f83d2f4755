/* From counted words to a vocabulary. Ids depend only on the counts, not on the order of counting. */
#include "vocab.h"
#include "base/memory.h"

struct tl_vocab_counts {
    tl_table words;
    long *times; /* [words.count] */
    size_t room;
    bool failed; /* a word is missing, so no vocabulary can be made */
};

tl_vocab_counts *tl_vocab_counts_new(void) { return calloc(1, sizeof(tl_vocab_counts)); }

void tl_vocab_counts_free(tl_vocab_counts *counts) {
    if (!counts) return;
    tl_table_free(&counts->words);
    free(counts->times);
    free(counts);
}

static bool count(tl_vocab_counts *counts, tl_span token) {
    if (!TL_RESERVE(counts->times, counts->room, (size_t)counts->words.count + 1)) return false;
    long before = counts->words.count, word = tl_table_add(&counts->words, token);
    if (word < 0) return false;
    if (word == before) counts->times[word] = 0;
    counts->times[word]++;
    return true;
}

bool tl_vocab_counts_add(tl_vocab_counts *counts, const char *line) {
    if (!counts) return false;
    tl_span rest = tl_span_of(line);
    for (tl_span token; !counts->failed && tl_next_token(&rest, &token);)
        if (tl_first_bad(token) == token.size) counts->failed = !count(counts, token);
    return !counts->failed;
}

typedef struct ranked {
    long times;
    tl_span word;
} ranked;

static int more_often_first(const void *left, const void *right) {
    const ranked *a = left, *b = right;
    if (a->times != b->times) return a->times > b->times ? -1 : 1;
    size_t common = a->word.size < b->word.size ? a->word.size : b->word.size;
    int order = memcmp(a->word.text, b->word.text, common);
    return order != 0 ? order : (a->word.size > b->word.size) - (a->word.size < b->word.size);
}

/* Adds the words in the given order, as many as config allows. */
static bool fill(tl_vocab *vocab, const tl_vocab_counts *counts, const tl_vocab_config *config) {
    long words = counts->words.count;
    ranked *list = malloc((size_t)(words > 0 ? words : 1) * sizeof *list);
    bool ok = list != NULL;
    for (long i = 0; ok && i < words; i++)
        list[i] = (ranked){counts->times[i], tl_table_key(&counts->words, i)};
    if (ok) qsort(list, (size_t)words, sizeof *list, more_often_first);
    for (long i = 0; ok && i < words && list[i].times >= config->min_count; i++) {
        if (config->max_size > 0 && vocab->tokens.count >= config->max_size) break;
        /* a word that is spelled like a special is in the table already, and keeps the special's id */
        ok = tl_table_add(&vocab->tokens, list[i].word) >= 0;
    }
    free(list);
    return ok;
}

tl_vocab *tl_vocab_new(const tl_vocab_counts *counts, const tl_vocab_config *config) {
    static const tl_vocab_config everything = {0};
    tl_vocab *vocab = tl_vocab_empty();
    if (!vocab) return NULL;
    if (!config) config = &everything;
    if (!counts || counts->failed)
        tl_error_set(&vocab->error, "vocabulary: out of memory while counting words: count fewer sentences");
    else if (config->min_count < 0)
        tl_error_set(&vocab->error,
                     "vocabulary: found min_count %ld, expected 0 or more: say 1 for every word",
                     config->min_count);
    else if (config->max_size != 0 && config->max_size <= TL_SPECIALS)
        tl_error_set(&vocab->error,
                     "vocabulary: found max_size %ld, expected more than the %d specials: say 0 for no limit",
                     config->max_size, TL_SPECIALS);
    else if (!fill(vocab, counts, config))
        tl_error_set(&vocab->error,
                     "vocabulary: out of memory with %ld words: raise min_count or set max_size",
                     counts->words.count);
    return vocab;
}
