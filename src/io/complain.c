/* Errors in words. The line must stay one line of printable text whatever a damaged file contains, and short
 * enough that the advice at its end survives in TL_ERROR_MAX bytes. */
#include "complain.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

size_t tl_utf8_step(const char *text, size_t size) {
    const unsigned char *c = (const unsigned char *)text;
    if (size == 0) return 0;
    if (c[0] < 0x80) return 1;
    size_t length = c[0] >= 0xF0 ? 4 : c[0] >= 0xE0 ? 3 : 2;
    if (c[0] < 0xC2 || c[0] > 0xF4 || size < length) return 0;
    for (size_t i = 1; i < length; i++)
        if ((c[i] & 0xC0) != 0x80) return 0;
    if ((c[0] == 0xE0 && c[1] < 0xA0) || (c[0] == 0xF0 && c[1] < 0x90)) return 0; /* over-long */
    if ((c[0] == 0xED && c[1] > 0x9F) || (c[0] == 0xF4 && c[1] > 0x8F)) return 0; /* surrogate, too high */
    return length;
}

size_t tl_utf8_valid(const char *text, size_t size) {
    size_t at = 0;
    while (at < size) {
        size_t step = tl_utf8_step(text + at, size - at);
        if (step == 0) break;
        at += step;
    }
    return at;
}

char *tl_shown(const char *text, size_t size, size_t most, char *out) {
    if (most > 240) most = 240;
    size_t used = 0, at = 0;
    while (at < size) {
        size_t step = tl_utf8_step(text + at, size - at);
        unsigned char c = (unsigned char)text[at];
        bool plain = step > 1 || (step == 1 && c >= 0x20 && c != 0x7F);
        size_t need = plain ? step : 4;
        if (used + need > most) break;
        if (plain) {
            memcpy(out + used, text + at, step);
            at += step;
        } else {
            snprintf(out + used, 5, "\\x%02x", c);
            at++;
        }
        used += need;
    }
    strcpy(out + used, at < size ? "…" : "");
    return out;
}

char *tl_shown_path(const char *path, char out[TL_SHOWN]) {
    if (path == NULL) return strcpy(out, "(no path)");
    size_t size = strlen(path), most = 200;
    if (size <= most) return tl_shown(path, size, 240, out);
    size_t from = size - most;
    while (from < size && ((unsigned char)path[from] & 0xC0) == 0x80) from++;
    strcpy(out, "…");
    tl_shown(path + from, size - from, 220, out + strlen(out));
    return out;
}

static const char *advice(int number) {
    switch (number) {
    case ENOENT:
        return "check the path";
    case ENOTDIR:
        return "a part of the path is a file, not a folder: check the path";
    case EISDIR:
        return "this is a folder: give the path of a file";
    case EACCES:
    case EPERM:
        return "check the permissions of the file and its folder";
    case EROFS:
        return "choose a folder on a file system that can be written";
    case ENOSPC:
    case EDQUOT:
        return "free some space or choose another disk";
    case EFBIG:
        return "raise the limit for file sizes (ulimit -f)";
    case EMFILE:
    case ENFILE:
        return "close some files or raise the limit (ulimit -n)";
    case ENAMETOOLONG:
        return "choose a shorter name";
    case ELOOP:
        return "the symbolic links on this path lead in a circle: check the path";
    case EEXIST:
        return "choose another name, or remove what is there";
    default:
        return "try again, or use another disk";
    }
}

bool tl_fail_errno(tl_error *error, const char *doing, const char *path, int number) {
    char shown[TL_SHOWN];
    return tl_error_set(error, "cannot %s %s: %s; %s", doing, tl_shown_path(path, shown), strerror(number),
                        advice(number));
}

bool tl_fail_memory(tl_error *error, const char *what, const char *path) {
    char shown[TL_SHOWN];
    return tl_error_set(error, "out of memory: %s %s; close other programs or use a machine with more memory",
                        what, tl_shown_path(path, shown));
}
