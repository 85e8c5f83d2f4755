/* Maps of one sentence and one head, token by token or word by word. */
#include "lens.h"

#include "tapeloom/op.h"

#include <string.h>

/* ---- words ---- */

static long tokens_in(const tl_tokens *tokens, long word) {
    long count = 0;
    for (long i = 0; i < tokens->count; i++) count += tokens->word[i] == word;
    return count;
}

void tl_words_of(tl_tensor from, const tl_tokens *rows, const tl_tokens *columns, tl_tensor to) {
    tl_tensor_fill(to, 0);
    if (!from.data || !rows || !columns || !to.data) return;
    for (long i = 0; i < rows->count; i++) {
        if (rows->word[i] < 0) continue;
        const double tokens = (double)tokens_in(rows, rows->word[i]);
        for (long j = 0; j < columns->count; j++)
            if (columns->word[j] >= 0)
                to.data[rows->word[i] * to.stride[0] + columns->word[j]] +=
                    (tl_real)(tl_element(from, i, j, 0, 0) / tokens);
    }
}

/* ---- maps ---- */

tl_tensor tl_seen_map(const tl_seen_attention *seen, tl_quantity q, long b, long head, const tl_sentence *s,
                      bool words, tl_tape *tape) {
    const tl_tokens *rows = tl_seen_rows(seen, s), *columns = tl_seen_columns(seen, s);
    const tl_tensor none = {.data = NULL};
    if (!rows || !columns) return tl_tape_fail(tape, "a map: what was seen or its sentence is NULL"), none;
    tl_tensor map = tl_tape_tensor(tape, TL_SHAPE(rows->count, columns->count));
    for (long i = 0; map.data && i < rows->count; i++)
        for (long j = 0; j < columns->count; j++) {
            double sum = 0;
            for (long h = 0; h < seen->heads; h++)
                if (head < 0 || h == head) sum += tl_seen_value(seen, q, b, h, i, j);
            map.data[i * columns->count + j] = (tl_real)(head < 0 ? sum / (double)seen->heads : sum);
        }
    if (!words || !map.data) return map;
    tl_tensor merged = tl_tape_tensor(tape, TL_SHAPE(rows->words, columns->words));
    if (!merged.data) return none;
    tl_words_of(map, rows, columns, merged);
    return merged;
}

/* ---- names and reasons ---- */

const char *tl_seen_label(const tl_tokens *tokens, long i, bool words, tl_tape *tape) {
    size_t size = 1;
    if (!tokens) return "";
    if (!words) return i >= 0 && i < tokens->count ? tokens->text[i] : "";
    for (long t = 0; t < tokens->count; t++)
        if (tokens->word[t] == i) size += strlen(tokens->text[t]);
    char *text = tl_tape_memory(tape, size);
    if (!text) return "";
    *text = 0;
    for (long t = 0; t < tokens->count; t++) {
        const size_t length = strlen(tokens->text[t]);
        const bool goes_on = length > 2 && !strcmp(tokens->text[t] + length - 2, "@@");
        if (tokens->word[t] == i) strncat(text, tokens->text[t], goes_on ? length - 2 : length);
    }
    return text;
}

static tl_why why(const tl_seen_attention *s, long b, long head, long i, long j) {
    tl_why found = TL_SEES;
    for (long h = head < 0 ? 0 : head; h <= (head < 0 ? s->heads - 1 : head); h++) {
        found = tl_why_blocked(&s->mask, b, h, i, j, s->queries, s->keys);
        if (found == TL_SEES) return found; /* one of the heads sees it */
    }
    return found;
}

tl_why tl_seen_why(const tl_seen_attention *s, long b, long head, long i, long j, const tl_sentence *sentence,
                   bool words) {
    const tl_tokens *rows = tl_seen_rows(s, sentence), *columns = tl_seen_columns(s, sentence);
    tl_why found = TL_SEES;
    if (!s || (words && !sentence)) return found;
    if (!words) return why(s, b, head, i, j);
    for (long t = 0; t < rows->count; t++)
        for (long k = 0; k < columns->count; k++) {
            if (rows->word[t] != i || columns->word[k] != j) continue;
            found = why(s, b, head, t, k);
            if (found == TL_SEES) return found;
        }
    return found;
}
