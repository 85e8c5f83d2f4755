/* Special tokens: texts that are one token, such as <|endoftext|> between two documents. Text is encoded to them only
 * if the caller asks for it. */
#include "byte_bpe.h"
#include "base/quote.h"

#include <stdlib.h>
#include <string.h>

bool tl_byte_specials_take(tl_byte_bpe *bpe, const char *const *list) {
    char quoted[TL_QUOTED];
    for (; list && *list; list++) {
        const tl_span text = tl_span_of(*list);
        if (text.size == 0 || tl_first_bad(text) < text.size)
            return tl_error_set(
                &bpe->error, "byte pairs: found the special token %s, expected a text in UTF-8; leave it out",
                tl_quote(text.text, text.size, quoted));
        const long before = bpe->specials.count, number = tl_table_add(&bpe->specials, text);
        if (number < 0) return tl_byte_no_memory(bpe, "with special tokens");
        if (number < before)
            return tl_error_set(&bpe->error, "byte pairs: found the special token %s twice; name it once",
                                tl_quote(text.text, text.size, quoted));
        bpe->special_starts[(unsigned char)text.text[0]] = true;
    }
    bpe->special_ids = calloc((size_t)bpe->specials.count + 1, sizeof *bpe->special_ids);
    return bpe->special_ids || tl_byte_no_memory(bpe, "with special tokens");
}

/* The longest special token at the front; -1: none. */
static long at_front(const tl_byte_bpe *bpe, tl_span text) {
    size_t longest = 0;
    long found = -1;
    for (long i = 0; i < bpe->specials.count; i++) {
        const tl_span special = tl_table_key(&bpe->specials, i);
        if (special.size <= longest || special.size > text.size) continue;
        if (memcmp(text.text, special.text, special.size) == 0) longest = special.size, found = i;
    }
    return found;
}

size_t tl_byte_specials_find(const tl_byte_bpe *bpe, tl_span text, long *which) {
    for (size_t at = 0; bpe->specials.count > 0 && at < text.size; at++) {
        if (!bpe->special_starts[(unsigned char)text.text[at]]) continue;
        *which = at_front(bpe, (tl_span){text.text + at, text.size - at});
        if (*which >= 0) return at;
    }
    *which = -1;
    return text.size;
}
