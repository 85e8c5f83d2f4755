/* Resuming tables whose rows begin with an update's number: rows later than the checkpoint are removed. */
#include "training.h"

#include <stdlib.h>
#include <string.h>

bool tl_rows_trim(const char *path, long step, tl_error *error) {
    char *text, *line;
    size_t size;
    if (!tl_file_read_regular(path, TL_TEXT_MOST, &text, &size, error)) return false;
    char *to = strchr(text, '\n');
    to = line = to ? to + 1 : text + size;
    while (*line) {
        char *end = strchr(line, '\n');
        if (!end) break; /* the last line is incomplete */
        size_t length = (size_t)(end + 1 - line);
        if (strtol(line, NULL, 10) <= step) {
            memmove(to, line, length);
            to += length;
        }
        line = end + 1;
    }
    bool ok = tl_file_write(path, text, (size_t)(to - text), error);
    free(text);
    return ok;
}
