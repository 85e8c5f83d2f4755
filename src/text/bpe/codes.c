/* Merges to a codes file and back:
 *
 *     #version: 0.2
 *     i n                            one merge per line, in order:
 *     t h                            two symbols with a space between
 *     th e</w>
 *
 * A file without a version line is version 0.1. */
#include "bpe.h"
#include "base/quote.h"
#include "base/utf8.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER "#version:"

char *tl_bpe_text(const tl_bpe *bpe, size_t *size) {
    if (size) *size = 0;
    if (tl_bpe_error(bpe)) return NULL;
    size_t need = 64, used = 0;
    char *text = NULL;
    for (int writing = 0; writing < 2; writing++) {
        if (writing && !(text = malloc(need))) return NULL;
        if (writing) used = (size_t)sprintf(text, HEADER " 0.%d\n", bpe->version);
        for (long i = 0; i < bpe->merge_count; i++) {
            int32_t pair[2];
            memcpy(pair, tl_table_key(&bpe->pairs, bpe->merges[i]).text, sizeof pair);
            for (int k = 0; k < 2; k++) {
                tl_span symbol = tl_table_key(&bpe->symbols, pair[k]);
                need += symbol.size + 1;
                if (!writing) continue;
                memcpy(text + used, symbol.text, symbol.size);
                used += symbol.size;
                text[used++] = k == 0 ? ' ' : '\n';
            }
        }
    }
    text[used] = '\0';
    if (size) *size = used;
    return text;
}

static const char anew[] = "the file was changed, or holds no codes; give the one that learning wrote";

static bool starts_with(tl_span text, const char *start) {
    return text.size >= strlen(start) && memcmp(text.text, start, strlen(start)) == 0;
}

static bool read_version(tl_bpe *bpe, const char *name, tl_span line) {
    char quoted[TL_QUOTED];
    tl_span version = {line.text + strlen(HEADER), line.size - strlen(HEADER)};
    version = tl_bpe_strip(version);
    for (bpe->version = 1; bpe->version <= 2; bpe->version++)
        if (version.size == 3 && starts_with(version, bpe->version == 1 ? "0.1" : "0.2")) return true;
    return tl_bad_line(&bpe->error, name, 1, "this program knows no other; learn the codes anew",
                       "found the version %s, expected 0.1 or 0.2",
                       tl_quote(version.text, version.size, quoted));
}

static bool read_merge(tl_bpe *bpe, const char *name, long number, tl_span line) {
    char quoted[TL_QUOTED];
    size_t bad = tl_first_bad(line);
    if (bad < line.size)
        return tl_bad_line(&bpe->error, name, number, anew,
                           "found the byte 0x%02X at byte %zu of the line, expected UTF-8 without NUL",
                           (unsigned char)line.text[bad], bad + 1);
    tl_span merge = tl_bpe_strip(line), first = merge, second;
    const char *space = merge.size > 0 ? memchr(merge.text, ' ', merge.size) : NULL;
    if (space) {
        first.size = (size_t)(space - merge.text);
        second = (tl_span){space + 1, merge.size - first.size - 1};
        if (!memchr(second.text, ' ', second.size)) return tl_bpe_add_merge(bpe, first, second);
    }
    return tl_bad_line(&bpe->error, name, number, anew,
                       "found %s, expected two symbols with one space between them",
                       tl_quote(line.text, line.size, quoted));
}

static bool read_all(tl_bpe *bpe, const char *name, tl_span rest) {
    tl_span line;
    long number = 1;
    size_t mark = tl_utf8_mark(rest.text, rest.size);
    rest = (tl_span){rest.text + mark, rest.size - mark};
    while (rest.size > 0 && strchr("\r\n", rest.text[rest.size - 1]) && rest.text[rest.size - 1]) rest.size--;
    if (rest.size == 0)
        return tl_bad_line(&bpe->error, name, 1, "give the codes that learning wrote",
                           "found an empty text, expected \"" HEADER " 0.2\" and a merge a line");
    bpe->version = 1;
    if (starts_with(rest, HEADER)) {
        tl_next_line(&rest, &line);
        if (!read_version(bpe, name, line)) return false;
        number++;
    }
    for (; tl_next_line(&rest, &line); number++)
        if (!read_merge(bpe, name, number, line)) return false;
    return true;
}

tl_bpe *tl_bpe_parse(const char *name, const char *bytes, size_t size) {
    tl_bpe *bpe = tl_bpe_empty();
    if (bpe) read_all(bpe, name ? name : "(codes)", (tl_span){bytes ? bytes : "", bytes ? size : 0});
    return bpe;
}
