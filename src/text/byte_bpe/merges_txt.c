/* merges.txt, the pairs by ascending rank, and back:
 *
 *     #version: 0.2
 *     Ġ t                            one merge per line, in order:
 *     Ġt he                          two tokens with a space between, every line ended by LF
 *
 * The first line may be missing. Invariant of what is read: both parts and the result are tokens, and no pair comes
 * twice. */
#include "byte_bpe.h"
#include "base/buffer.h"
#include "base/quote.h"
#include "base/utf8.h"

#include <string.h>

#define HEADER "#version:"
#define VERSION "0.2"

static const char anew[] = "the file was changed, or is another vocabulary's: fetch or write both again";

char *tl_byte_bpe_merges_text(const tl_byte_bpe *bpe, size_t *size) {
    tl_buffer out = {0};
    if (size) *size = 0;
    if (tl_byte_bpe_error(bpe)) return NULL;
    tl_buffer_text(&out, HEADER " " VERSION "\n");
    for (long rank = 0; rank < bpe->pairs.count; rank++) {
        int pair[2];
        tl_byte_pair(bpe, rank, pair);
        for (int k = 0; k < 2; k++) {
            tl_buffer_text(&out, tl_table_key(&bpe->tokens, pair[k]).text);
            tl_buffer_text(&out, k == 0 ? " " : "\n");
        }
    }
    if (out.failed)
        tl_buffer_free(&out);
    else if (size)
        *size = out.size;
    return out.text;
}

typedef struct reading {
    const char *name;
    tl_byte_bpe *bpe;
    long line, first; /* first: the line of the first merge */
} reading;

static bool starts_with(tl_span text, const char *start) {
    return text.size >= strlen(start) && memcmp(text.text, start, strlen(start)) == 0;
}

static bool read_version(const reading *r, tl_span line) {
    char quoted[TL_QUOTED];
    tl_span version = {line.text + strlen(HEADER), line.size - strlen(HEADER)};
    while (version.size > 0 && version.text[0] == ' ') version.text++, version.size--;
    const char *space = version.size > 0 ? memchr(version.text, ' ', version.size) : NULL;
    /* the writer's name may follow */
    const size_t size = space ? (size_t)(space - version.text) : version.size;
    if (size == strlen(VERSION) && starts_with(version, VERSION)) return true;
    return tl_bad_line(&r->bpe->error, r->name, r->line, "this program knows no other; write the file anew",
                       "found the version %s, expected " VERSION,
                       tl_quote(version.text, version.size, quoted));
}

/* The id of a part of a merge; -1, with the error set, if it is not a token. */
static int part(const reading *r, tl_span text) {
    char quoted[TL_QUOTED];
    tl_quote(text.text, text.size, quoted);
    const long id = tl_table_find(&r->bpe->tokens, text);
    if (id < 0)
        tl_bad_line(&r->bpe->error, r->name, r->line, anew, "found %s, which is no token of the vocabulary",
                    quoted);
    else if (tl_table_find(&r->bpe->specials, text) >= 0)
        tl_bad_line(&r->bpe->error, r->name, r->line,
                    "take it from the special tokens, or the line from the file",
                    "found %s, which is special and so part of no merge", quoted);
    else
        return (int)id;
    return -1;
}

static bool add(const reading *r, tl_span line, tl_span first, tl_span second) {
    char joined[TL_QUOTED];
    tl_buffer both = {0};
    const int left = part(r, first), right = left < 0 ? -1 : part(r, second);
    if (right < 0) return false;
    const int32_t rank = tl_byte_rank(r->bpe, left, right);
    if (rank >= 0)
        return tl_bad_line(&r->bpe->error, r->name, r->line, anew,
                           "found %s again, expected it once (it is in line %ld)",
                           tl_quote(line.text, line.size, joined), r->first + rank);
    tl_buffer_add(&both, first.text, first.size);
    if (!tl_buffer_add(&both, second.text, second.size)) {
        tl_buffer_free(&both);
        return tl_byte_no_memory(r->bpe, "with merges");
    }
    const tl_span text = {both.text, both.size};
    const long id = tl_table_find(&r->bpe->tokens, text);
    tl_quote(text.text, text.size, joined);
    const bool special = tl_table_find(&r->bpe->specials, text) >= 0;
    tl_buffer_free(&both);
    if (id < 0)
        return tl_bad_line(&r->bpe->error, r->name, r->line, anew,
                           "found a merge to %s, which is no token of the vocabulary", joined);
    if (special)
        return tl_bad_line(&r->bpe->error, r->name, r->line,
                           "take it from the special tokens, or the line from the file",
                           "found a merge to %s, which is special and so made by no merge", joined);
    return tl_byte_add_pair(r->bpe, left, right, (int)id);
}

static bool read_merge(const reading *r, tl_span line) {
    char quoted[TL_QUOTED];
    if (line.size > 0 && line.text[line.size - 1] == '\r') line.size--;
    const size_t bad = tl_first_bad(line);
    if (bad < line.size)
        return tl_bad_line(&r->bpe->error, r->name, r->line, anew,
                           "found the byte 0x%02X at byte %zu of the line, expected UTF-8 without NUL",
                           (unsigned char)line.text[bad], bad + 1);
    const char *space = line.size > 0 ? memchr(line.text, ' ', line.size) : NULL;
    if (space) {
        const tl_span first = {line.text, (size_t)(space - line.text)},
                      second = {space + 1, line.size - first.size - 1};
        if (first.size > 0 && second.size > 0 && !memchr(second.text, ' ', second.size))
            return add(r, line, first, second);
    }
    return tl_bad_line(&r->bpe->error, r->name, r->line, anew,
                       "found %s, expected two tokens with one space between them",
                       tl_quote(line.text, line.size, quoted));
}

bool tl_byte_merges_read(tl_byte_bpe *bpe, const char *name, tl_span text) {
    reading r = {.name = name, .bpe = bpe, .line = 1, .first = 1};
    const size_t mark = tl_utf8_mark(text.text, text.size);
    tl_span rest = {text.text + mark, text.size - mark}, line;
    const bool whole = rest.size == 0 || rest.text[rest.size - 1] == '\n';
    while (tl_next_line(&rest, &line)) {
        if (r.line == 1 && starts_with(line, HEADER)) {
            while (line.size > 0 && line.text[line.size - 1] == '\r') line.size--;
            if (!read_version(&r, line)) return false;
            r.first = 2;
        } else if (!read_merge(&r, line))
            return false;
        r.line++;
    }
    return whole ||
           tl_bad_line(&bpe->error, name, r.line - 1, "the file was cut off: fetch or write it again",
                       "found the end, expected an LF after the last merge");
}
