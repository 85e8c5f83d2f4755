/* Inside a byte-level encoding: pairs, tokens, and ids back to bytes. */
#include "byte_bpe.h"
#include "base/memory.h"

tl_byte_bpe *tl_byte_bpe_empty(void) { return calloc(1, sizeof(tl_byte_bpe)); }

void tl_byte_bpe_free(tl_byte_bpe *bpe) {
    if (!bpe) return;
    tl_table_free(&bpe->tokens);
    tl_table_free(&bpe->pairs);
    tl_table_free(&bpe->specials);
    tl_table_free(&bpe->words);
    tl_merging_free(&bpe->merging);
    free(bpe->bytes);
    free(bpe->starts);
    free(bpe->joined);
    free(bpe->special_ids);
    free(bpe->results);
    free(bpe->written);
    free(bpe->pieces);
    free(bpe);
}

bool tl_byte_no_memory(tl_byte_bpe *bpe, const char *doing) {
    return tl_error_set(&bpe->error, "byte pairs: out of memory %s; close other programs, or give less",
                        doing);
}

const char *tl_byte_bpe_error(const tl_byte_bpe *bpe) {
    if (!bpe) return "byte pairs: out of memory";
    return tl_failed(&bpe->error) ? bpe->error.message : NULL;
}

/* ---- pairs ---- */

tl_span tl_byte_pair_key(int first, int second, int room[2]) {
    room[0] = first, room[1] = second;
    return (tl_span){(const char *)room, 2 * sizeof *room};
}

int32_t tl_byte_rank(const tl_byte_bpe *bpe, int first, int second) {
    int room[2];
    return (int32_t)tl_table_find(&bpe->pairs, tl_byte_pair_key(first, second, room));
}

void tl_byte_pair(const tl_byte_bpe *bpe, long rank, int pair[2]) {
    memcpy(pair, tl_table_key(&bpe->pairs, rank).text, 2 * sizeof *pair);
}

bool tl_byte_add_pair(tl_byte_bpe *bpe, int first, int second, int joined) {
    int room[2];
    const long rank = bpe->pairs.count;
    if (!TL_RESERVE(bpe->joined, bpe->joined_room, (size_t)rank + 1) ||
        tl_table_add(&bpe->pairs, tl_byte_pair_key(first, second, room)) < 0)
        return tl_byte_no_memory(bpe, "with merges");
    bpe->joined[rank] = joined;
    return true;
}

/* ---- tokens ---- */

static bool is_special(const tl_byte_bpe *bpe, tl_span token) {
    return tl_table_find(&bpe->specials, token) >= 0;
}

bool tl_byte_bpe_finish(tl_byte_bpe *bpe) {
    const tl_table *tokens = &bpe->tokens;
    size_t used = 0, size;
    bpe->bytes = malloc(tokens->bytes_used + 1); /* enough: the letter of a byte has one byte or two */
    bpe->starts = malloc(((size_t)tokens->count + 1) * sizeof *bpe->starts);
    if (!bpe->bytes || !bpe->starts) return tl_byte_no_memory(bpe, "with tokens");
    for (long id = 0; id < tokens->count; id++, used += size) {
        const tl_span token = tl_table_key(tokens, id);
        bpe->starts[id] = used;
        if (!is_special(bpe, token) && tl_letters_read(token, bpe->bytes + used, &size)) continue;
        memcpy(bpe->bytes + used, token.text, size = token.size);
    }
    bpe->starts[tokens->count] = used;
    return true;
}

long tl_byte_bpe_size(const tl_byte_bpe *bpe) { return tl_byte_bpe_error(bpe) ? 0 : bpe->tokens.count; }

long tl_byte_bpe_merges(const tl_byte_bpe *bpe) { return tl_byte_bpe_error(bpe) ? 0 : bpe->pairs.count; }

const char *tl_byte_bpe_token(const tl_byte_bpe *bpe, int id, size_t *size) {
    if (size) *size = 0;
    if (id < 0 || id >= tl_byte_bpe_size(bpe)) return NULL;
    if (size) *size = bpe->starts[id + 1] - bpe->starts[id];
    return bpe->bytes + bpe->starts[id];
}

int tl_byte_bpe_special(const tl_byte_bpe *bpe, const char *token) {
    if (tl_byte_bpe_error(bpe) || !token) return -1;
    const long number = tl_table_find(&bpe->specials, tl_span_of(token));
    return number < 0 ? -1 : bpe->special_ids[number];
}

size_t tl_byte_bpe_decode(const tl_byte_bpe *bpe, const int *ids, long count, char *bytes, size_t size) {
    static const char unknown[] = "\xEF\xBF\xBD";
    size_t whole = 0, written = 0;
    bool fits = bytes && size > 0;
    for (long i = 0; ids && i < count; i++) {
        size_t length;
        const char *token = tl_byte_bpe_token(bpe, ids[i], &length);
        if (!token) token = unknown, length = sizeof unknown - 1;
        fits = fits && length < size - written;
        if (fits) memcpy(bytes + written, token, length), written += length;
        whole += length;
    }
    if (bytes && size > 0) bytes[written] = '\0';
    return whole;
}
