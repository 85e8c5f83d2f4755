/* Counting words to learn from. Only spaces separate words, as in subword-nmt's split(' '): a tab or U+00A0 belongs to
 * a word. Words that are not UTF-8 are left out, so that codes and lists of words are always text. */
#include "bpe.h"
#include "base/memory.h"
#include <stdio.h>

tl_bpe_words *tl_bpe_words_new(void) { return calloc(1, sizeof(tl_bpe_words)); }

void tl_bpe_words_free(tl_bpe_words *words) {
    if (!words) return;
    tl_table_free(&words->words);
    free(words->times);
    free(words);
}

static bool count(tl_bpe_words *words, tl_span word) {
    if (!TL_RESERVE(words->times, words->room, (size_t)words->words.count + 1)) return false;
    long before = words->words.count, number = tl_table_add(&words->words, word);
    if (number < 0) return false;
    if (number == before) words->times[number] = 0;
    words->times[number]++;
    return true;
}

bool tl_bpe_words_add(tl_bpe_words *words, const char *line) {
    if (!words) return false;
    for (tl_span text = tl_span_of(line); text.size > 0 && !words->failed;) {
        tl_span rest = {text.text, strcspn(text.text, "\r\n")}; /* codes cannot contain a CR */
        text = (tl_span){text.text + rest.size, text.size - rest.size};
        if (text.size > 0) text.text++, text.size--;
        for (tl_span word; !words->failed && tl_bpe_next_word(&rest, &word);)
            if (tl_first_bad(word) == word.size) words->failed = !count(words, word);
    }
    return !words->failed;
}

typedef struct ranked {
    long times, number;
} ranked;

static int more_often_first(const void *left, const void *right) {
    const ranked *a = left, *b = right;
    if (a->times != b->times) return a->times > b->times ? -1 : 1;
    return a->number < b->number ? -1 : 1;
}

char *tl_bpe_words_text(const tl_bpe_words *words, size_t *size) {
    if (size) *size = 0;
    if (!words || words->failed) return NULL;
    long count = words->words.count;
    ranked *list = malloc((size_t)(count > 0 ? count : 1) * sizeof *list);
    char *text = malloc(words->words.bytes_used + (size_t)count * 24 + 1); /* a count has at most 20 digits */
    size_t used = 0;
    for (long i = 0; list && i < count; i++) list[i] = (ranked){words->times[i], i};
    if (list) qsort(list, (size_t)count, sizeof *list, more_often_first);
    for (long i = 0; list && text && i < count; i++) {
        tl_span word = tl_table_key(&words->words, list[i].number);
        memcpy(text + used, word.text, word.size);
        used += word.size + (size_t)sprintf(text + used + word.size, " %ld\n", list[i].times);
    }
    if (text) text[used] = '\0';
    if (!list) free(text), text = NULL;
    if (text && size) *size = used;
    free(list);
    return text;
}
