/* A word as one types it in a shell: as it is, in quotes, or, if displaying it would do harm, in $'…' with numbers
 * for its bytes (in sh since POSIX 2024; bash, ksh and zsh have had it for long). */
#include "base/quote.h"
#include "run.h"

#include <string.h>

enum { SPELT = 4 * 4 + 1 }; /* a character of four bytes, each as \ooo */

/* If the first character is harmful, writes its bytes as numbers and returns how many bytes it has; otherwise 0. */
static size_t spell(const char *text, size_t size, char out[SPELT]) {
    char shown[TL_SHOWN_CHARACTER];
    size_t written, taken = tl_shown_character(text, size, shown, &written);
    if (written == taken) return 0;
    for (size_t i = 0; i < taken; i++) snprintf(out + 4 * i, 5, "\\%03o", (unsigned)(unsigned char)text[i]);
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
    size_t n = 0, taken;
    if (!harmless) to[n++] = '$';
    if (!plain) to[n++] = '\'';
    for (size_t left = strlen(word); left > 0 && n + 6 < size; word += taken, left -= taken) {
        char spelt[SPELT];
        taken = harmless ? 0 : spell(word, left, spelt);
        if (taken > 0 && n + 4 * taken + 2 > size) break;
        memcpy(to + n, spelt, 4 * taken);
        n += 4 * taken;
        if (taken > 0) continue;
        if (!harmless && strchr("'\\", *word)) to[n++] = '\\';
        /* closes the quotes, adds a quote, and opens them again */
        if (harmless && *word == '\'') memcpy(to + n, "'\\'", 3), n += 3;
        to[n++] = *word;
        taken = 1;
    }
    if (!plain) to[n++] = '\'';
    to[n] = 0;
    return to;
}
