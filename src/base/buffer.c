/* A text that grows by doubling. text[size] is 0 whenever text is not NULL. */
#include "buffer.h"
#include "format.h"
#include "memory.h"

#include <stdarg.h>
#include <stdio.h>

bool tl_buffer_reserve(tl_buffer *b, size_t more) {
    if (b->failed || more >= SIZE_MAX - b->size) {
        b->failed = true;
        return false;
    }
    if (!TL_RESERVE(b->text, b->room, b->size + more + 1)) {
        b->failed = true;
        return false;
    }
    b->text[b->size] = 0;
    return true;
}

bool tl_buffer_add(tl_buffer *b, const char *bytes, size_t size) {
    if (!tl_buffer_reserve(b, size)) return false;
    if (size > 0) memcpy(b->text + b->size, bytes, size);
    b->size += size;
    b->text[b->size] = 0;
    return true;
}

bool tl_buffer_text(tl_buffer *b, const char *text) { return tl_buffer_add(b, text, strlen(text)); }

bool tl_buffer_format(tl_buffer *b, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int size = tl_vformat(NULL, 0, format, arguments);
    va_end(arguments);
    if (size < 0 || !tl_buffer_reserve(b, (size_t)size)) {
        b->failed = true;
        return false;
    }
    va_start(arguments, format);
    tl_vformat(b->text + b->size, (size_t)size + 1, format, arguments);
    va_end(arguments);
    b->size += (size_t)size;
    return true;
}

void tl_buffer_free(tl_buffer *b) {
    free(b->text);
    *b = (tl_buffer){0};
}
