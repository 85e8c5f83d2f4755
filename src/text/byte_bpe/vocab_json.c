/* vocab.json, one object with tokens and ids, and back:
 *
 *     {"!":0,"\"":1,…,"Ġthe":262,…,"<|endoftext|>":50256}
 *
 * It is written as Hugging Face's tokenizers write it: by ascending id, without unnecessary spaces and escapes. Ids are
 * 0 … n-1, in any order. Invariant of what is read: tokens and ids correspond one to one. */
#include "byte_bpe.h"
#include "base/json.h"
#include "base/format.h"
#include "base/memory.h"
#include "base/quote.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdlib.h>

static const char anew[] = "the file was changed or cut off: fetch or write it again";

char *tl_byte_bpe_vocab_text(const tl_byte_bpe *bpe, size_t *size) {
    tl_buffer out = {0};
    if (size) *size = 0;
    if (tl_byte_bpe_error(bpe)) return NULL;
    for (long id = 0; id < bpe->tokens.count; id++) {
        tl_buffer_text(&out, id == 0 ? "{" : ",");
        tl_json_add_string(&out, tl_table_key(&bpe->tokens, id).text);
        tl_buffer_format(&out, ":%ld", id);
    }
    tl_buffer_text(&out, "}");
    if (out.failed)
        tl_buffer_free(&out);
    else if (size)
        *size = out.size;
    return out.text;
}

/* An entry as the file has it: token i of the table `found`. */
typedef struct entry {
    uint64_t id;
    size_t place;
} entry;

typedef struct reading {
    tl_json json;
    tl_byte_bpe *bpe;
    tl_table found;
    entry *entries; /* [found.count] */
    size_t room;
} reading;

static tl_json reader_of(tl_byte_bpe *bpe, const tl_byte_vocab *vocab) {
    return (tl_json){.text = vocab->text,
                     .size = vocab->size,
                     .path = vocab->name,
                     .document = "the file",
                     .advice = anew,
                     .lines = true,
                     .error = &bpe->error};
}

bool tl_byte_vocab_fail(tl_byte_bpe *bpe, const tl_byte_vocab *vocab, long id, const char *advice,
                        const char *format, ...) {
    char what[320];
    va_list arguments;
    va_start(arguments, format);
    tl_vformat(what, sizeof what, format, arguments);
    va_end(arguments);
    tl_json json = reader_of(bpe, vocab);
    json.advice = advice;
    return tl_json_fail(&json, vocab->places[id], "%s", what);
}

static bool add(reading *r, const char *token, size_t place) {
    char quoted[TL_QUOTED];
    const tl_span text = tl_span_of(token);
    const long before = r->found.count;
    entry e = {.place = place};
    if (text.size == 0)
        return tl_json_fail(&r->json, place, "found a token without characters, expected one or more");
    const long number = tl_table_add(&r->found, text);
    if (number < 0 || !TL_RESERVE(r->entries, r->room, (size_t)number + 1))
        return tl_byte_no_memory(r->bpe, "with tokens");
    if (number < before)
        return tl_json_fail(&r->json, place, "found the token %s again, expected it once",
                            tl_quote(text.text, text.size, quoted));
    if (!tl_json_expect(&r->json, ':', "':' after a token") || !tl_json_whole(&r->json, &e.id)) return false;
    r->entries[number] = e;
    return true;
}

static bool read_entries(reading *r) {
    if (!tl_json_expect(&r->json, '{', "'{' (an object of tokens and their ids)")) return false;
    if (tl_json_next(&r->json, '}')) return tl_json_end(&r->json);
    do {
        char *token;
        tl_json_skip(&r->json);
        const size_t place = r->json.at;
        if (!tl_json_string(&r->json, &token)) return false;
        const bool ok = add(r, token, place);
        free(token);
        if (!ok) return false;
    } while (tl_json_next(&r->json, ','));
    return tl_json_expect(&r->json, '}', "',' or '}' after an id") && tl_json_end(&r->json);
}

/* Orders the tokens by id. */
static bool sort(reading *r, tl_byte_vocab *vocab) {
    char quoted[TL_QUOTED];
    const long count = r->found.count;
    long *token_of = malloc(((size_t)count + 1) * sizeof *token_of);
    vocab->places = malloc(((size_t)count + 1) * sizeof *vocab->places);
    bool ok = token_of && vocab->places &&
              (count == 0 || tl_table_reserve(&r->bpe->tokens, (size_t)count, r->found.bytes_used));
    if (!ok) tl_byte_no_memory(r->bpe, "with tokens");
    for (long i = 0; ok && i < count; i++) token_of[i] = -1;
    for (long i = 0; ok && i < count; i++) {
        const entry *e = &r->entries[i];
        const tl_span token = tl_table_key(&r->found, i);
        tl_quote(token.text, token.size, quoted);
        if (e->id >= (uint64_t)count)
            ok = tl_json_fail(
                &r->json, e->place,
                "found the id %llu of %s, expected ids from 0 to %ld without a gap for %ld tokens",
                (unsigned long long)e->id, quoted, count - 1, count);
        else if (token_of[e->id] >= 0)
            ok = tl_json_fail(&r->json, e->place,
                              "found the id %llu of %s again, expected another id for each token",
                              (unsigned long long)e->id, quoted);
        else
            token_of[e->id] = i;
    }
    for (long id = 0; ok && id < count; id++) {
        vocab->places[id] = r->entries[token_of[id]].place;
        tl_table_add(&r->bpe->tokens, tl_table_key(&r->found, token_of[id])); /* memory is reserved */
    }
    free(token_of);
    return ok;
}

bool tl_byte_vocab_read(tl_byte_bpe *bpe, tl_byte_vocab *vocab) {
    const size_t mark = tl_utf8_mark(vocab->text, vocab->size);
    vocab->text += mark, vocab->size -= mark;
    reading r = {.json = reader_of(bpe, vocab), .bpe = bpe};
    const bool ok = read_entries(&r) && sort(&r, vocab);
    tl_table_free(&r.found);
    free(r.entries);
    return ok;
}
