/* A vocabulary in use: words to ids and back. counts.c makes it from counts; text.c writes and reads it. */
#include "vocab.h"
#include "base/memory.h"

const char *const tl_vocab_specials[TL_SPECIALS] = {"<pad>", "<bos>", "<eos>", "<unk>"};

tl_vocab *tl_vocab_empty(void) {
    tl_vocab *vocab = calloc(1, sizeof *vocab);
    for (int id = 0; vocab && id < TL_SPECIALS; id++)
        if (tl_table_add(&vocab->tokens, tl_span_of(tl_vocab_specials[id])) != id) {
            tl_vocab_free(vocab);
            return NULL;
        }
    return vocab;
}

void tl_vocab_free(tl_vocab *vocab) {
    if (!vocab) return;
    tl_table_free(&vocab->tokens);
    free(vocab);
}

const char *tl_vocab_error(const tl_vocab *vocab) {
    if (!vocab) return "vocabulary: out of memory";
    return tl_failed(&vocab->error) ? vocab->error.message : NULL;
}

long tl_vocab_size(const tl_vocab *vocab) { return vocab ? vocab->tokens.count : 0; }

static tl_span token_of(const tl_vocab *vocab, int id) {
    if (!vocab || id < 0 || id >= vocab->tokens.count) return tl_span_of(tl_vocab_specials[TL_UNK]);
    return tl_table_key(&vocab->tokens, id);
}

const char *tl_vocab_token(const tl_vocab *vocab, int id) { return token_of(vocab, id).text; }

/* A special's name in text is not the special: batches and losses rely on there being no <pad> or <eos> inside a
 * sentence. */
static int id_of(const tl_vocab *vocab, tl_span token) {
    long id = vocab ? tl_table_find(&vocab->tokens, token) : -1;
    return id >= TL_SPECIALS ? (int)id : TL_UNK;
}

int tl_vocab_id(const tl_vocab *vocab, const char *token) { return id_of(vocab, tl_span_of(token)); }

long tl_vocab_encode(const tl_vocab *vocab, const char *line, int *ids, long room) {
    long count = 0;
    tl_span rest = tl_span_of(line);
    for (tl_span token; tl_next_token(&rest, &token); count++)
        if (ids && count < room) ids[count] = id_of(vocab, token);
    return count;
}

size_t tl_vocab_decode(const tl_vocab *vocab, const int *ids, long count, char *text, size_t size) {
    size_t length = 0, written = 0;
    if (!text) size = 0;
    for (long i = 0; ids && i < count && ids[i] != TL_EOS; i++) {
        if (ids[i] == TL_PAD || ids[i] == TL_BOS) continue;
        tl_span token = token_of(vocab, ids[i]);
        size_t space = length > 0;
        /* written == length as long as every token has fitted; after the first that does not fit, none is written */
        if (written == length && space + token.size < size - written) {
            if (space) text[written] = ' ';
            memcpy(text + written + space, token.text, token.size);
            written += space + token.size;
        }
        length += space + token.size;
    }
    if (size > 0) text[written] = '\0';
    return length;
}
