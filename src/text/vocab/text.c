/* A vocabulary to text and back. The format, version 1, is stable:
 *
 *     tapeloom-vocab 1 <entries>
 *     <pad>                          one token a line, id = line number - 2,
 *     <bos>                          every line ended by LF
 *     <eos>
 *     <unk>
 *     the
 *     …
 *
 * The number of entries and the last LF show whether the file is complete. */
#include "vocab.h"
#include "base/quote.h"
#include "base/memory.h"
#include <stdio.h>

#define MAGIC "tapeloom-vocab"
#define VERSION 1

char *tl_vocab_text(const tl_vocab *vocab, size_t *size) {
    if (size) *size = 0;
    if (tl_vocab_error(vocab)) return NULL;
    return tl_table_text(&vocab->tokens, MAGIC, VERSION, size);
}

/* The text that is being parsed, for errors with name and line. */
typedef struct reading {
    const char *name;
    tl_error *error;
    tl_table *tokens;
    long line, entries;
} reading;

static const char anew[] = "the file was changed or cut off; write it anew";

static bool read_header(reading *r, tl_span line) {
    char quoted[TL_QUOTED];
    long version = 0;
    if (!tl_table_header(line, MAGIC, &version, &r->entries))
        return tl_bad_line(r->error, r->name, 1, "this is no vocabulary; give the file that training wrote",
                           "found %s, expected \"" MAGIC " %d <entries>\"",
                           tl_quote(line.text, line.size, quoted), VERSION);
    if (version != VERSION)
        return tl_bad_line(r->error, r->name, 1, "read it with the version of the program that wrote it",
                           "found version %ld, expected %d", version, VERSION);
    if (r->entries < TL_SPECIALS)
        return tl_bad_line(r->error, r->name, 1, anew, "found %ld entries, expected at least the %d specials",
                           r->entries, TL_SPECIALS);
    return true;
}

static bool is_special(tl_span line, long id) {
    tl_span special = tl_span_of(tl_vocab_specials[id]);
    return line.size == special.size && memcmp(line.text, special.text, special.size) == 0;
}

static bool read_token(reading *r, tl_span line) {
    char quoted[TL_QUOTED];
    long id = r->line - 2;
    tl_span rest = line, token = {line.text, 0};
    if (id >= r->entries)
        return tl_bad_line(r->error, r->name, r->line, anew, "found %s, expected the end after %ld entries",
                           tl_quote(line.text, line.size, quoted), r->entries);
    if (id < TL_SPECIALS && !is_special(line, id))
        return tl_bad_line(r->error, r->name, r->line, anew,
                           "found %s, expected \"%s\", one of the %d fixed entries",
                           tl_quote(line.text, line.size, quoted), tl_vocab_specials[id], TL_SPECIALS);
    if (tl_first_bad(line) < line.size)
        return tl_bad_line(r->error, r->name, r->line, anew, "found %s, expected UTF-8",
                           tl_quote(line.text, line.size, quoted));
    tl_next_token(&rest, &token);
    if (token.size == 0 || token.size != line.size)
        return tl_bad_line(r->error, r->name, r->line, anew,
                           "found %s, expected one token without white space and LF alone after it",
                           tl_quote(line.text, line.size, quoted));
    long number = tl_table_add(r->tokens, token);
    if (number < 0) return tl_error_set(r->error, "%s:%ld: out of memory", r->name, r->line);
    if (number != id)
        return tl_bad_line(r->error, r->name, r->line, anew,
                           "found %s again, expected it once (it is in line %ld)",
                           tl_quote(line.text, line.size, quoted), number + 2);
    return true;
}

static bool read_all(reading *r, tl_span rest) {
    bool whole = rest.size > 0 && rest.text[rest.size - 1] == '\n';
    tl_span line = {rest.text, 0};
    tl_next_line(&rest, &line);
    if (!read_header(r, line)) return false;
    if ((size_t)r->entries <= rest.size && !tl_table_reserve(r->tokens, (size_t)r->entries, rest.size))
        return tl_error_set(r->error, "%s: out of memory", r->name);
    for (r->line = 2; tl_next_line(&rest, &line); r->line++)
        if (!read_token(r, line)) return false;
    if (r->tokens->count != r->entries)
        return tl_bad_line(r->error, r->name, r->line, anew, "found the end after %ld entries, expected %ld",
                           r->tokens->count, r->entries);
    if (!whole)
        return tl_bad_line(r->error, r->name, r->line - 1, anew,
                           "found the end, expected an LF after the last entry");
    return true;
}

tl_vocab *tl_vocab_parse(const char *name, const char *bytes, size_t size) {
    tl_vocab *vocab = tl_vocab_empty();
    tl_table tokens = {0};
    if (!vocab) return NULL;
    reading r = {.name = name ? name : "(vocabulary)", .error = &vocab->error, .tokens = &tokens};
    if (read_all(&r, (tl_span){bytes ? bytes : "", bytes ? size : 0})) {
        tl_table_free(&vocab->tokens);
        vocab->tokens = tokens;
    } else {
        tl_table_free(&tokens);
    }
    return vocab;
}
