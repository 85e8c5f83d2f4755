/* UTF-8, and foreign bytes made harmless: for terminals, for shells, for pages and their JSON. Decoding is compared
 * with a second definition. */
#include "fuzz.h"

#include "base/buffer.h"
#include "base/page.h"
#include "base/quote.h"
#include "base/utf8.h"
#include "text/unicode/lowercase.h"

#include <tapeloom/run.h>
#include <tapeloom/text.h>

int tl_fuzz_utf8(const uint8_t *bytes, size_t size);

/* RFC 3629's table: the length of the character at the front, 0 if there is none. */
static size_t length_of(const uint8_t *b, size_t size) {
    static const struct {
        uint8_t first, last, low, high;
        size_t length;
    } rows[] = {{0x00, 0x7F, 0, 0, 1},       {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
                {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
                {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4}};
    for (size_t i = 0; size > 0 && i < sizeof rows / sizeof *rows; i++) {
        if (b[0] < rows[i].first || b[0] > rows[i].last) continue;
        if (size < rows[i].length) return 0;
        for (size_t k = 1; k < rows[i].length; k++)
            if (b[k] < (k == 1 ? rows[i].low : 0x80) || b[k] > (k == 1 ? rows[i].high : 0xBF)) return 0;
        return rows[i].length;
    }
    return 0;
}

static void check_decoding(fuzz_part text) {
    size_t valid = 0;
    bool all = true;
    for (size_t at = 0; at < text.size;) {
        uint32_t code = 0xFFFFFFFF;
        const size_t length = tl_utf8_read(text.bytes + at, text.size - at, &code),
                     expected = length_of((const uint8_t *)text.bytes + at, text.size - at);
        FUZZ_MUST(length == expected, "length %zu, not %zu", length, expected);
        if (length) {
            char back[4];
            FUZZ_MUST(tl_utf8_write(code, back) == length && !memcmp(back, text.bytes + at, length),
                      "U+%04X is not what was read", (unsigned)code);
            FUZZ_MUST(code <= 0x10FFFF && !(code >= 0xD800 && code < 0xE000), "U+%04X", (unsigned)code);
            (void)tl_utf8_mark(text.bytes + at, text.size - at);
        } else {
            FUZZ_MUST(code == 0xFFFFFFFF, "a code without a character");
            if (all) valid = at;
            all = false;
        }
        at += length ? length : 1;
    }
    if (all) valid = text.size;
    FUZZ_MUST(tl_utf8_valid(text.bytes, text.size) == valid, "valid up to another byte than %zu", valid);
}

/* What is shown has no control characters, and is what it was if it had none. */
static void check_shown(const char *text, size_t size) {
    char shown[TL_SHOWN], quoted[TL_QUOTED];
    const size_t most[] = {240, 40, 16, 4};
    for (int i = 0; i < 4; i++) {
        tl_shown(text, size, most[i], shown);
        FUZZ_MUST(strlen(shown) <= most[i] + 3, "%zu bytes of %zu", strlen(shown), most[i]);
        if (*shown) fuzz_message(shown);
    }
    fuzz_message(tl_quote(text, size, quoted));
    FUZZ_MUST(strlen(quoted) < TL_QUOTED, "a quotation of %zu bytes", strlen(quoted));
}

static void check_path(const char *text) {
    char shown[TL_SHOWN];
    tl_shown_path(text, shown);
    FUZZ_MUST(strlen(shown) < TL_SHOWN, "a path of %zu bytes", strlen(shown));
    if (*shown) fuzz_message(shown);
}

/* Reads a word as a shell does, as far as tl_shell_word writes any: plain, '…' with '\'' between, $'…'. */
static bool unshell(const char *word, char *to) {
    if (word[0] == '$' && word[1] == '\'') {
        for (word += 2; *word && *word != '\''; word++)
            if (*word != '\\')
                *to++ = *word;
            else if (word[1] == '\'' || word[1] == '\\')
                *to++ = *++word;
            else {
                unsigned code = 0;
                for (int i = 0; i < 3; i++) {
                    if (*++word < '0' || *word > '7') return false;
                    code = code * 8 + (unsigned)(*word - '0');
                }
                *to++ = (char)code;
            }
        *to = 0;
        return word[0] == '\'' && !word[1];
    }
    for (bool inside = false; *word; word++) {
        if (*word == '\'')
            inside = !inside;
        else if (!inside && *word == '\\')
            *to++ = *++word;
        else if (!inside && strchr(" \t\n\"$&();<>*?[]`{|}~#!^=", *word))
            return false;
        else
            *to++ = *word;
    }
    *to = 0;
    return true;
}

static void check_shell(const char *text) {
    const size_t room = 4 * strlen(text) + 8;
    char *word = fuzz_memory(room), *back = fuzz_memory(room + 1);
    tl_shell_word(text, word, room);
    if (*word) fuzz_message(strlen(word) < TL_ERROR_MAX ? word : "long");
    FUZZ_MUST(unshell(word, back) && !strcmp(back, text), "a shell reads %s otherwise", word);
    for (size_t less = 8; less < 24 && less < room; less++) { /* cut anywhere */
        char *cut = fuzz_memory(less);
        tl_shell_word(text, cut, less);
        FUZZ_MUST(memchr(cut, 0, less), "a word of %zu bytes has no end", less);
        free(cut);
    }
    free(word), free(back);
}

static void check_page(const char *text, size_t size) {
    tl_buffer b = {0};
    FUZZ_MUST(tl_page_string(&b, text), "out of memory");
    FUZZ_MUST(b.size >= 2 && b.text[0] == '"' && b.text[b.size - 1] == '"', "not a string: %s", b.text);
    FUZZ_MUST(!strpbrk(b.text, "<&\n\r"), "a page reads it: %s", b.text);
    FUZZ_MUST(tl_utf8_valid(b.text, b.size) == b.size, "a page that is not UTF-8");
    for (size_t i = 1; i + 1 < b.size; i++) {
        FUZZ_MUST((unsigned char)b.text[i] >= 0x20 && b.text[i] != '"', "the string ends early: %s", b.text);
        if (b.text[i] == '\\') i++;
    }
    tl_buffer_free(&b);
    FUZZ_MUST(tl_page_base64(&b, (const unsigned char *)text, size), "out of memory");
    FUZZ_MUST(b.size == (size + 2) / 3 * 4, "base64 of %zu bytes has %zu", size, b.size);
    tl_buffer_free(&b);
}

static void check_lowercase(const char *text) {
    const size_t size = strlen(text);
    (void)tl_text_columns(text);
    char *lower = fuzz_memory(TL_LOWERCASE_ROOM(size));
    const size_t written = tl_lowercase((tl_span){text, size}, lower);
    FUZZ_MUST(written <= TL_LOWERCASE_ROOM(size), "%zu bytes of %zu", written, size);
    if (tl_utf8_valid(text, size) == size)
        FUZZ_MUST(tl_utf8_valid(lower, written) == written, "lower case that is not UTF-8");
    free(lower);
}

int tl_fuzz_utf8(const uint8_t *bytes, size_t size) {
    fuzz_part text = fuzz_part_of(bytes, size);
    check_decoding(text);
    check_shown(text.bytes, text.size);
    char *string = fuzz_string_of(text.bytes, text.size), *shown = tl_shown_text(string);
    FUZZ_MUST(shown, "out of memory");
    for (const char *c = shown; *c; c++)
        FUZZ_MUST((unsigned char)*c >= 0x20 && *c != 0x7F, "shown with a control character");
    FUZZ_MUST(tl_utf8_valid(shown, strlen(shown)) == strlen(shown), "shown, and not UTF-8");
    free(shown);
    check_path(string);
    check_shell(string);
    check_page(string, strlen(string));
    check_lowercase(string);
    free(string);
    free(text.bytes);
    return 0;
}

static void seeds(tl_fuzz_put *put, void *context) {
    static const char *const texts[] = {"runs/mine",
                                        "it's $HOME \\ \"x\"",
                                        "\xC3\xA4 \xE4\xBD\xA0\xE5\xA5\xBD \xF0\x9F\x98\x80",
                                        "\xEF\xBB\xBF\xED\xA0\x80\xF4\x90\x80\x80\xC0\x80\xE2\x80",
                                        "\x1B[31mred\x1B]0;t\x07 \xE2\x80\xAE \xE2\x80\xA8",
                                        "</script><!--&amp;\x7F\x80\xFF",
                                        "\xC4\xB0\xCE\xA3\xCF\x83 \xE1\xBA\x9E"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) put(context, texts[i], strlen(texts[i]));
}

TL_FUZZ(utf8, "base, run: UTF-8; bytes made harmless for terminal, shell, page; lower case");
