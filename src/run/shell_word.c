/* A word as one types it in a shell: as it is, in quotes, or, if displaying it would do harm, in $'…' with numbers
 * for its bytes (in sh since POSIX 2024; bash, ksh and zsh have had it for long). */
#include "base/quote.h"
#include "run.h"

#include <string.h>

enum { SPELT = 4 * 4 + 1 }; /* a character of four bytes, each as \ooo */

/* Writes the next character of a word in $'…' (`spelt`), or of a plain or quoted one, as it stands there. Returns how
 * many bytes of the word it has; *written bytes are in out. */
static size_t write_character(const char *text, size_t size, bool spelt, char out[SPELT], size_t *written) {
    char shown[TL_SHOWN_CHARACTER];
    const size_t taken = tl_shown_character(text, size, shown, written);
    if (*written != taken) { /* harmful: numbers for its bytes */
        for (size_t i = 0; i < taken; i++)
            snprintf(out + 4 * i, 5, "\\%03o", (unsigned)(unsigned char)text[i]);
    } else if (spelt && strchr("'\\", *text)) {
        out[0] = '\\', out[1] = *text, *written = 2;
    } else if (!spelt && *text == '\'') {
        memcpy(out, "'\\''", *written = 4); /* closes the quotes, adds a quote, and opens them again */
    } else {
        memcpy(out, text, taken);
    }
    return taken;
}

static bool is_harmless(const char *word) {
    char shown[TL_SHOWN_CHARACTER];
    for (size_t left = strlen(word), taken, written; left > 0; word += taken, left -= taken) {
        taken = tl_shown_character(word, left, shown, &written);
        if (written != taken) return false;
    }
    return true;
}

char *tl_shell_word(const char *word, char *to, size_t size) {
    static const char special[] = "\t\n !\"#$&'()*;<=>?[\\]^`{|}~";
    if (to && size) *to = 0;
    if (!word || !to || size < 8) return to;
    const bool harmless = is_harmless(word), plain = harmless && *word && !strpbrk(word, special);
    size_t n = 0;
    if (!harmless) to[n++] = '$';
    if (!plain) to[n++] = '\'';
    for (size_t left = strlen(word), taken; left > 0; word += taken, left -= taken) {
        char next[SPELT];
        size_t written;
        taken = write_character(word, left, !harmless, next, &written);
        if (n + written + 2 > size) break;
        memcpy(to + n, next, written);
        n += written;
    }
    if (!plain) to[n++] = '\'';
    to[n] = 0;
    return to;
}
