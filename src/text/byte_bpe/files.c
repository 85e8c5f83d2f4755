/* Checks that both files fit together: every byte has a token, and every other token is made by a merge or is special.
 * This detects a file that was cut off between two lines, or that belongs to another vocabulary. */
#include "byte_bpe.h"
#include "base/quote.h"

#include <stdlib.h>

/* Finds the token of each byte. Every byte must have one, or some texts could not be encoded. */
static bool find_letters(tl_byte_bpe *bpe, const tl_byte_vocab *vocab) {
    char shown[TL_SHOWN];
    for (int byte = 0; byte < 256; byte++) {
        char letter[4];
        const size_t size = tl_byte_letter_write((unsigned char)byte, letter);
        const long id = tl_table_find(&bpe->tokens, (tl_span){letter, size});
        if (id < 0)
            return tl_error_set(
                &bpe->error,
                "%s: found no token \"%.*s\", which stands for the byte 0x%02X, expected one for each of "
                "the 256 bytes; fetch the file again, or learn with the whole alphabet",
                tl_shown_path(vocab->name, shown), (int)size, letter, (unsigned)byte);
        bpe->alphabet[byte] = (int)id;
    }
    return true;
}

static bool is_letter(tl_span token) {
    char bytes[4];
    size_t size;
    return token.size <= 2 && tl_letters_read(token, bytes, &size) && size == 1;
}

static bool find_specials(tl_byte_bpe *bpe, const tl_byte_vocab *vocab) {
    char shown[TL_SHOWN], quoted[TL_QUOTED];
    for (long i = 0; i < bpe->specials.count; i++) {
        const tl_span text = tl_table_key(&bpe->specials, i);
        const long id = tl_table_find(&bpe->tokens, text);
        tl_quote(text.text, text.size, quoted);
        if (id < 0)
            return tl_error_set(
                &bpe->error, "%s: found no token %s, which shall be special; add it there, or leave it out",
                tl_shown_path(vocab->name, shown), quoted);
        if (is_letter(text))
            return tl_byte_vocab_fail(bpe, vocab, id, "take it from the special tokens",
                                      "found %s, which stands for a byte and so cannot be special", quoted);
        bpe->special_ids[i] = (int)id;
    }
    return true;
}

/* Is every token the letter of a byte, made by a merge, or special? */
static bool check_origins(tl_byte_bpe *bpe, const tl_byte_vocab *vocab) {
    char quoted[TL_QUOTED];
    bool *made = calloc((size_t)bpe->tokens.count + 1, sizeof *made), ok = true;
    if (!made) return tl_byte_no_memory(bpe, "with tokens");
    for (long rank = 0; rank < bpe->pairs.count; rank++) made[bpe->joined[rank]] = true;
    for (long id = 0; ok && id < bpe->tokens.count; id++) {
        const tl_span token = tl_table_key(&bpe->tokens, id);
        if (made[id] || is_letter(token) || tl_table_find(&bpe->specials, token) >= 0) continue;
        ok = tl_byte_vocab_fail(
            bpe, vocab, id,
            "name it among the special tokens if it is one; else the merges were cut off, or are "
            "another vocabulary's: fetch both again",
            "found the token %s, which no merge makes", tl_quote(token.text, token.size, quoted));
    }
    free(made);
    return ok;
}

tl_byte_bpe *tl_byte_bpe_parse(const tl_byte_bpe_files *files) {
    static const tl_byte_bpe_files nothing = {0};
    tl_byte_bpe *bpe = tl_byte_bpe_empty();
    if (!bpe) return NULL;
    if (!files) files = &nothing;
    tl_byte_vocab vocab = {.name = files->vocab_name ? files->vocab_name : "(vocab.json)",
                           .text = files->vocab ? files->vocab : "",
                           .size = files->vocab ? files->vocab_size : 0};
    const char *name = files->merges_name ? files->merges_name : "(merges.txt)";
    const tl_span merges = {files->merges ? files->merges : "", files->merges ? files->merges_size : 0};
    if (tl_byte_specials_take(bpe, files->specials) && tl_byte_vocab_read(bpe, &vocab) &&
        find_letters(bpe, &vocab) && find_specials(bpe, &vocab) && tl_byte_merges_read(bpe, name, merges) &&
        check_origins(bpe, &vocab))
        tl_byte_bpe_finish(bpe);
    free(vocab.places);
    return bpe;
}
