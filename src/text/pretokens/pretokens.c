/* Raw text to tokens, and exactly back. Tokens are always valid UTF-8 without white space, with single spaces between
 * them. For all bytes, join(cut(line)) == line.
 *
 * Every token is one of three kinds:
 *   words      runs of letters, numbers and their marks
 *   signs      one character of punctuation or any other symbol, with its marks
 *   touching   one ideograph, kana or piece of their punctuation, with its marks; or one character made visible
 *
 * What the text has between two neighbours is not written if it follows the rule:
 *   next to a touching token: nothing
 *   elsewhere: one space
 * Otherwise it is marked:
 *   nothing, where the rule is a space: a joiner ￭ (U+FFED) on the sign, so that words stay the same tokens (two words
 *       cannot touch: they would be one word)
 *   other white space: each of its characters becomes a visible token; a space becomes ▁ (U+2581)
 *
 *   Hello, world!           Hello ￭, world ￭!
 *   "No" (she said)...      "￭ No ￭" (￭ she said ￭) ￭. ￭. ￭.       of two signs on the second, unless the first opens
 *   don't 3.14              don ￭'￭ t 3 ￭.￭ 14
 *   我用Linux。 对          我 用 Linux 。 ▁ 对
 *   two  spaces             two ▁ ▁ spaces
 *
 * Characters that a line of tokens cannot contain, or that have a meaning in it, are escaped: ￮ (U+FFEE) and upper-case
 * hexadecimal digits. ￮0009 (four to six digits) is the character U+0009, ￮C3 (two digits) is a byte that is not UTF-8.
 * Escaped are all white space except the space, control characters, and ￭ ▁ ￮ themselves.
 *
 * TL_PRETOKENS_CHARACTERS: every character is a token, and every token touches the next: "a b." is a ▁ b .
 *
 * No token has more than one @, so none ends in the @@ of byte pairs. "<unk>" becomes <￭ unk ￭>, three tokens.
 *
 * (The joiner and its use are OpenNMT's Tokenizer's.) */
#include "tapeloom/text.h"
#include "base/utf8.h"
#include "text/scan.h"
#include "text/unicode/unicode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JOINER 0xFFED
#define SPACE 0x2581
#define ESCAPE 0xFFEE
static const char joiner[] = "\xEF\xBF\xAD", visible_space[] = "\xE2\x96\x81", escape[] = "\xEF\xBF\xAE";

/* One character of a text, or one byte that is not UTF-8. */
typedef struct character {
    tl_span bytes;
    uint32_t code;
    bool bad;
    tl_char_class class; /* TL_CHAR_CONTROL for everything that is escaped and is not white space */
} character;

static character front(tl_span text) {
    character c = {.bytes = {text.text, 0}, .class = TL_CHAR_CONTROL};
    c.bytes.size = tl_utf8_read(text.text, text.size, &c.code);
    if (c.bytes.size > 0) {
        if (c.code != JOINER && c.code != SPACE && c.code != ESCAPE) c.class = tl_unicode_class(c.code);
    } else {
        c.bad = true;
        c.bytes.size = 1;
        c.code = (unsigned char)*text.text;
    }
    return c;
}

static tl_span after(tl_span text, size_t bytes) { return (tl_span){text.text + bytes, text.size - bytes}; }

static bool is_odd(tl_char_class class) { return class == TL_CHAR_WHITE || class == TL_CHAR_CONTROL; }
static bool touches(tl_char_class class) { return class == TL_CHAR_IDEOGRAPH || is_odd(class); }
static bool is_sign(tl_char_class class) { return class == TL_CHAR_SYMBOL || class == TL_CHAR_OPENING; }

/* ---- text to tokens ---- */

/* The tokens so far, and the state of the last one. */
typedef struct cutting {
    char *out;
    size_t used;
    bool any;
    bool joined;        /* the last token begins with a joiner */
    tl_char_class last; /* the class of the last token's first character; a mark there counts as a word */
} cutting;

/* The most bytes that one byte becomes is 8: ￮0001 and the space before it, or a sign, two joiners and a space. */
#define CUT_GROWTH 8

static void put(cutting *cut, const char *bytes, size_t size) {
    memcpy(cut->out + cut->used, bytes, size);
    cut->used += size;
}

static void begin_token(cutting *cut, tl_char_class class) {
    if (cut->any) put(cut, " ", 1);
    cut->any = true;
    cut->joined = false;
    cut->last = class;
}

static void put_visible(cutting *cut, character c) {
    char digits[16];
    begin_token(cut, c.class);
    if (c.code == ' ') {
        put(cut, visible_space, strlen(visible_space));
        return;
    }
    put(cut, escape, strlen(escape));
    put(cut, digits, (size_t)sprintf(digits, c.bad ? "%02X" : "%04X", (unsigned)c.code));
}

/* Takes the token at the front of rest: a character with its marks and, for a word, its further characters. */
static tl_span take_token(tl_span *rest, character c) {
    bool word = c.class == TL_CHAR_WORD || c.class == TL_CHAR_MARK;
    tl_span token = {rest->text, 0};
    do {
        token.size += c.bytes.size;
        *rest = after(*rest, c.bytes.size);
        if (rest->size > 0) c = front(*rest);
    } while (rest->size > 0 && (c.class == TL_CHAR_MARK || (word && c.class == TL_CHAR_WORD)));
    return token;
}

/* Is the white space at the front one space between two tokens that do not touch, as the rule is? */
static bool is_plain_space(const cutting *cut, tl_span rest) {
    return rest.size > 1 && *rest.text == ' ' && cut->any && !touches(cut->last) &&
           !touches(front(after(rest, 1)).class);
}

/* Writes a token. spaced: the text has the one space of the rule before it. If not, a joiner marks that two tokens
 * touch: on the second of two signs, unless the first is an opening sign that touches nothing before it („a“. closes
 * with an English “). */
static void put_token(cutting *cut, tl_span token, tl_char_class class, bool spaced) {
    tl_char_class last = cut->last;
    bool join = cut->any && !spaced && !touches(last) && !touches(class);
    bool on_last = !is_sign(class) || (last == TL_CHAR_OPENING && !cut->joined);
    if (join && on_last) put(cut, joiner, strlen(joiner));
    begin_token(cut, class);
    cut->joined = join && !on_last;
    if (cut->joined) put(cut, joiner, strlen(joiner));
    put(cut, token.text, token.size);
}

static void cut_words(cutting *cut, tl_span rest) {
    bool spaced = false;
    while (rest.size > 0) {
        character c = front(rest);
        if (is_plain_space(cut, rest)) {
            spaced = true;
            rest = after(rest, 1);
        } else if (is_odd(c.class)) {
            put_visible(cut, c);
            rest = after(rest, c.bytes.size);
        } else {
            tl_span token = take_token(&rest, c);
            put_token(cut, token, c.class, spaced);
            spaced = false;
        }
    }
}

static void cut_characters(cutting *cut, tl_span rest) {
    while (rest.size > 0) {
        character c = front(rest);
        if (is_odd(c.class)) {
            put_visible(cut, c);
        } else {
            begin_token(cut, c.class);
            put(cut, c.bytes.text, c.bytes.size);
        }
        rest = after(rest, c.bytes.size);
    }
}

static char *copy(tl_span text) {
    char *same = malloc(text.size + 1);
    if (!same) return NULL;
    memcpy(same, text.text, text.size);
    same[text.size] = '\0';
    return same;
}

char *tl_pretokens_cut(tl_pretokens kind, const char *line) {
    tl_span text = tl_span_of(line);
    if (kind != TL_PRETOKENS_WORDS && kind != TL_PRETOKENS_CHARACTERS) return copy(text);
    if (text.size > (SIZE_MAX - 1) / CUT_GROWTH) return NULL;
    cutting cut = {.out = malloc(CUT_GROWTH * text.size + 1)};
    if (!cut.out) return NULL;
    if (kind == TL_PRETOKENS_WORDS)
        cut_words(&cut, text);
    else
        cut_characters(&cut, text);
    cut.out[cut.used] = '\0';
    char *fitting = realloc(cut.out, cut.used + 1);
    return fitting ? fitting : cut.out;
}

/* ---- tokens to text ---- */

/* The text so far; it is never longer than the tokens that were read. */
typedef struct joining {
    char *out;
    size_t used;
    bool spaces; /* is the rule a space between tokens that do not touch? */
    bool glued;  /* no space before the next token's text */
} joining;

/* Takes the digits of an escape off the front, and writes the bytes that they stand for; none if they stand for no byte
 * or character. */
static size_t read_escape(tl_span *rest, char out[4]) {
    uint32_t code = 0;
    int digits = 0;
    for (; digits < 6 && rest->size > 0; digits++, *rest = after(*rest, 1)) {
        char digit = *rest->text;
        if (!((digit >= '0' && digit <= '9') || (digit >= 'A' && digit <= 'F'))) break;
        code = code << 4 | (uint32_t)(digit <= '9' ? digit - '0' : digit - 'A' + 10);
    }
    if (digits == 2 && code >= 0x80) return out[0] = (char)code, 1;
    bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    return digits < 4 || code == 0 || code > 0x10FFFF || surrogate ? 0 : tl_utf8_write(code, out);
}

/* Adds the text of one token. A token from tl_pretokens_cut is a joiner, a text, a joiner. In any other token every
 * part is read by itself: joiners in the middle, and escapes without meaning, are left out. */
static void join_token(joining *join, tl_span token) {
    bool any = false, joiner_last = false, touching = false;
    while (token.size > 0) {
        character c = front(token);
        token = after(token, c.bytes.size);
        if (!c.bad && c.code == JOINER) {
            joiner_last = true;
            if (!any) join->glued = true;
            continue;
        }
        char bytes[4];
        size_t size = c.bytes.size;
        memcpy(bytes, c.bytes.text, size);
        if (!c.bad && c.code == ESCAPE) size = read_escape(&token, bytes);
        if (!c.bad && c.code == SPACE) bytes[0] = ' ', size = 1;
        if (size == 0) continue;
        if (c.class != TL_CHAR_MARK || !any) touching = touches(c.class);
        if (!any && !join->glued && !touching && join->spaces) join->out[join->used++] = ' ';
        memcpy(join->out + join->used, bytes, size);
        join->used += size;
        any = true;
        joiner_last = false;
    }
    if (any) join->glued = touching || joiner_last;
}

char *tl_pretokens_join(tl_pretokens kind, const char *tokens) {
    tl_span rest = tl_span_of(tokens), token;
    if (kind != TL_PRETOKENS_WORDS && kind != TL_PRETOKENS_CHARACTERS) return copy(rest);
    joining join = {.out = malloc(rest.size + 1), .spaces = kind == TL_PRETOKENS_WORDS, .glued = true};
    if (!join.out) return NULL;
    while (tl_next_token(&rest, &token)) join_token(&join, token);
    join.out[join.used] = '\0';
    return join.out;
}
