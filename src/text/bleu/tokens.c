/* sacreBLEU's tokenisers none, 13a, zh and char (sacrebleu/tokenizers, version 2.6). They insert spaces into a line,
 * which is then split at white space. 13a and zh end in the same four passes over the whole line. The order matters,
 * since each pass sees the spaces of the one before:
 *
 *     1. spaces around ASCII punctuation except ' - . ,
 *     2. a . or , that does not follow a digit is separated, together with its pair     "a.5"  → "a . 5"
 *     3. a . or , that no digit follows is separated                                    "5.a"  → "5 . a"
 *     4. a - after a digit is separated                                                 "5-a"  → "5 - a"
 *
 * As in a regular expression, matches do not overlap: in "a.,b" pass 2 looks for the next pair after "a.". The passes
 * look only for ASCII, so they work on bytes, and accept any bytes.
 *
 * Invariant: a step reads the line or one of the cutter's two texts, and writes to the other text, which has room for
 * the longest result (ROOM). So only the reservation of memory can fail. The line in lower case is in text[1]. */
#include "tokens.h"
#include "text/unicode/lowercase.h"
#include "base/memory.h"
#include "base/utf8.h"

/* Every byte brings at most four spaces: two in pass 1 or around a Chinese character, or two in pass 2 and two in pass
 * 3 (which do not touch pass 1's punctuation; a - gets two). 13a adds two around the line. */
#define ROOM(size) (5 * (size) + 2)

void tl_bleu_cutter_free(tl_bleu_cutter *cutter) {
    free(cutter->text[0]);
    free(cutter->text[1]);
    *cutter = (tl_bleu_cutter){{NULL}, {0}};
}

bool tl_bleu_next_character(tl_span *rest, tl_span *character) {
    if (rest->size == 0) return false;
    uint32_t code;
    size_t length = tl_utf8_read(rest->text, rest->size, &code);
    *character = (tl_span){rest->text, length > 0 ? length : 1};
    *rest = (tl_span){rest->text + character->size, rest->size - character->size};
    return true;
}

/* The line without white space after its last token and, unless `front`, before its first. */
static tl_span strip(tl_span line, bool front) {
    tl_span rest = line, token;
    const char *start = line.text, *end = line.text;
    for (bool first = true; tl_next_token(&rest, &token); first = false) {
        if (first && !front) start = token.text;
        end = token.text + token.size;
    }
    return (tl_span){start, (size_t)(end - start)};
}

/* ---- 13a: replacements ---- */

/* Replaces every `from` by the shorter `to`, in place. A new `from` that a replacement creates is not replaced. Returns
 * the new size. */
static size_t replace(char *text, size_t size, const char *from, const char *to) {
    size_t length = strlen(from), with = strlen(to), used = 0;
    for (size_t i = 0; i < size;) {
        if (size - i >= length && memcmp(text + i, from, length) == 0) {
            memcpy(text + used, to, with);
            used += with;
            i += length;
        } else
            text[used++] = text[i++];
    }
    return used;
}

static size_t unescape(tl_span line, char *out) {
    static const char *const pairs[][2] = {{"<skipped>", ""}, {"-\n", ""},   {"\n", " "},  {"&quot;", "\""},
                                           {"&amp;", "&"},    {"&lt;", "<"}, {"&gt;", ">"}};
    size_t size = line.size;
    out[0] = ' ';
    memcpy(out + 1, line.text, size);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        size = replace(out + 1, size, pairs[i][0], pairs[i][1]);
    out[size + 1] = ' ';
    return size + 2;
}

/* ---- zh: Chinese characters ---- */

/* sacreBLEU's ranges as Python reads them. Its two ranges for planes beyond U+FFFF are written with too few digits, so
 * Python reads U+2001 … U+2A6D and a part of the radicals. So dashes and curly quotes count as Chinese, and the rare
 * characters of Extension B do not. */
static bool is_chinese(uint32_t code) {
    static const uint32_t ranges[][2] = {
        {0x2001, 0x2A6D}, /* meant for Extension B; includes U+2600 … U+27BF, symbols and dingbats */
        {0x2E80, 0x2FDF}, /* radicals */
        {0x2FF0, 0x303F}, /* description of characters, punctuation */
        {0x3100, 0x312F}, /* Bopomofo */
        {0x31A0, 0x31BF}, /* Bopomofo extended */
        {0x31C0, 0x31EF}, /* strokes */
        {0x3200, 0x33FF}, /* enclosed letters, units */
        {0x3400, 0x4DB5}, /* Extension A */
        {0x4E00, 0x9FBB}, /* ideographs */
        {0xF900, 0xFA2D}, /* compatibility ideographs */
        {0xFA30, 0xFA6A}, {0xFA70, 0xFAD9}, {0xFE10, 0xFE1F}, /* vertical forms */
        {0xFE30, 0xFE4F}, {0xFF00, 0xFFEF}};                  /* full and half width forms */
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (code >= ranges[i][0] && code <= ranges[i][1]) return true;
    return false;
}

/* Puts spaces around Chinese characters or, if `all`, around every character. */
static size_t separate(tl_span line, bool all, char *out) {
    size_t used = 0;
    for (tl_span c; tl_bleu_next_character(&line, &c);) {
        uint32_t code = 0;
        bool apart = all || (tl_utf8_read(c.text, c.size, &code) > 0 && is_chinese(code));
        if (apart) out[used++] = ' ';
        memcpy(out + used, c.text, c.size);
        used += c.size;
        if (apart) out[used++] = ' ';
    }
    return used;
}

/* ---- the four passes ---- */

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_no_digit(char c) { return !is_digit(c); }
static bool is_stop(char c) { return c == '.' || c == ','; }
static bool is_dash(char c) { return c == '-'; }
static bool is_punctuation(char c) {
    bool graphic = c > ' ' && c <= '~', letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return graphic && !letter && !is_digit(c) && c != '\'' && !is_dash(c) && !is_stop(c);
}

static size_t split_punctuation(tl_span in, char *out) {
    size_t used = 0;
    for (size_t i = 0; i < in.size; i++) {
        bool apart = is_punctuation(in.text[i]);
        if (apart) out[used++] = ' ';
        out[used++] = in.text[i];
        if (apart) out[used++] = ' ';
    }
    return used;
}

/* Puts a space between the two of every pair of a `first` and a `second`, and another one before or (not at_front)
 * after the pair. */
static size_t split_pairs(tl_span in, bool (*first)(char), bool (*second)(char), bool at_front, char *out) {
    size_t used = 0;
    for (size_t i = 0; i < in.size;) {
        if (i + 1 == in.size || !first(in.text[i]) || !second(in.text[i + 1])) {
            out[used++] = in.text[i++];
            continue;
        }
        if (at_front) out[used++] = ' ';
        out[used++] = in.text[i++];
        out[used++] = ' ';
        out[used++] = in.text[i++];
        if (!at_front) out[used++] = ' ';
    }
    return used;
}

/* The four passes, from text[0] to text[0] by way of text[1]. */
static size_t split(tl_bleu_cutter *cutter, size_t size) {
    char *a = cutter->text[0], *b = cutter->text[1];
    size = split_punctuation((tl_span){a, size}, b);
    size = split_pairs((tl_span){b, size}, is_no_digit, is_stop, false, a);
    size = split_pairs((tl_span){a, size}, is_stop, is_no_digit, true, b);
    return split_pairs((tl_span){b, size}, is_digit, is_dash, false, a);
}

/* ---- a whole line ---- */

bool tl_bleu_lower(tl_bleu_cutter *cutter, tl_span line, tl_span *lower) {
    if (!TL_RESERVE(cutter->text[1], cutter->room[1], TL_LOWERCASE_ROOM(line.size) + 1)) return false;
    *lower = (tl_span){cutter->text[1], tl_lowercase(line, cutter->text[1])};
    return true;
}

bool tl_bleu_cut(tl_bleu_cutter *cutter, const tl_bleu_config *config, tl_span line, tl_span *tokens) {
    if (config->lowercase && !tl_bleu_lower(cutter, line, &line)) return false;
    *tokens = line;
    if (config->tokens == TL_BLEU_NONE) return true;

    size_t size;
    line = strip(line, config->tokens != TL_BLEU_ZH);
    if (!TL_RESERVE(cutter->text[0], cutter->room[0], ROOM(line.size))) return false;
    if (config->tokens == TL_BLEU_13A)
        size = unescape(line, cutter->text[0]);
    else
        size = separate(line, config->tokens == TL_BLEU_CHAR, cutter->text[0]);
    if (config->tokens != TL_BLEU_CHAR) {
        if (!TL_RESERVE(cutter->text[1], cutter->room[1], ROOM(line.size))) return false;
        size = split(cutter, size);
    }
    *tokens = (tl_span){cutter->text[0], size};
    return true;
}

/* ---- names ---- */

static const char *const names[] = {
    [TL_BLEU_NONE] = "none", [TL_BLEU_13A] = "13a", [TL_BLEU_ZH] = "zh", [TL_BLEU_CHAR] = "char"};
enum { NAMES = sizeof names / sizeof *names };

bool tl_bleu_tokens_parse(const char *name, tl_bleu_tokens *tokens) {
    for (int i = 0; i < NAMES && name && tokens; i++) {
        if (strcmp(name, names[i])) continue;
        *tokens = (tl_bleu_tokens)i;
        return true;
    }
    return false;
}

const char *tl_bleu_tokens_name(tl_bleu_tokens tokens) {
    return (unsigned)tokens < NAMES ? names[tokens] : "(none of sacreBLEU's)";
}
