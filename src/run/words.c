/* A line of tokens and its words. A word is what people call so: with byte pairs all pieces up to the one without
 * @@, with characters everything up to the next space. */
#include "words.h"

#include "base/buffer.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

bool tl_token_is_space(tl_token t) { return t.size == 3 && !memcmp(t.text, "\xE2\x96\x81", 3); } /* ▁ */
bool tl_token_goes_on(tl_token t) { return t.size > 2 && !memcmp(t.text + t.size - 2, "@@", 2); }

bool tl_line_read(tl_run *run, tl_side side, const char *text, tl_line *l) {
    const char *units = tl_units_of(&run->settings, side);
    /* a captioner has no such setting: its captions consist of words */
    const bool chars = units && !strcmp(units, "chars"), pairs = units && !strcmp(units, "bpe");
    tl_token t = {.word = 0};
    *l = (tl_line){.count = 0};
    const char *end = text + strlen(text);
    while ((t.text = tl_text_token(text, (size_t)(end - text), &t.size))) {
        const bool space = chars && tl_token_is_space(t); /* is a word by itself */
        if (!TL_RESERVE(l->tokens, l->room, (size_t)l->count + 1))
            return tl_error_set(&run->error, "out of memory for the words of a sentence");
        t.word += space;
        l->tokens[l->count++] = t;
        t.word += chars ? space : !(pairs && tl_token_goes_on(t));
        text = t.text + t.size;
    }
    return true;
}

char *tl_line_word(tl_run *run, tl_side side, const tl_line *l, long i) {
    const tl_token *t = l->tokens;
    long from = i, to = i;
    while (from > 0 && t[from - 1].word == t[i].word) from--;
    while (to + 1 < l->count && t[to + 1].word == t[i].word) to++;
    tl_buffer pieces = {0};
    tl_buffer_add(&pieces, t[from].text, (size_t)(t[to].text + t[to].size - t[from].text));
    char *text = pieces.failed ? NULL : tl_run_join(run, side, pieces.text);
    if (!text) tl_error_set(&run->error, "out of memory for a word");
    tl_buffer_free(&pieces);
    return text;
}
