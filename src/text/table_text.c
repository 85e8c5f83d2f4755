/* A table's keys as text: a line with kind, version and count, then one key per line in the order of their numbers. */
#include "table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *tl_table_text(const tl_table *table, const char *what, long version, size_t *size) {
    char *text = malloc(strlen(what) + 64 + table->bytes_used); /* each key's NUL becomes an LF */
    if (!text) return NULL;
    size_t used = (size_t)sprintf(text, "%s %ld %ld\n", what, version, table->count);
    for (long i = 0; i < table->count; i++) {
        const tl_span key = tl_table_key(table, i);
        memcpy(text + used, key.text, key.size);
        used += key.size;
        text[used++] = '\n';
    }
    text[used] = '\0';
    if (size) *size = used;
    return text;
}

bool tl_table_header(tl_span line, const char *what, long *version, long *count) {
    char text[64] = "", same[64];
    const size_t front = strlen(what);
    if (line.size >= sizeof text || line.size <= front || memcmp(line.text, what, front)) return false;
    memcpy(text, line.text, line.size);
    if (sscanf(text + front, " %9ld %9ld", version, count) != 2) return false;
    const int length = snprintf(same, sizeof same, "%s %ld %ld", what, *version, *count);
    return (size_t)length == line.size && !memcmp(same, text, line.size); /* sscanf is not strict enough */
}
