/* A text that grows. After a failed allocation, later additions do nothing and `failed` stays set: check it once, at
 * the end. */
#ifndef TL_BASE_BUFFER_H
#define TL_BASE_BUFFER_H

#include "tapeloom/base.h"

typedef struct tl_buffer { /* {0} is an empty one */
    char *text;            /* size bytes and a 0 after them; NULL until something was added */
    size_t size, room;
    bool failed;
} tl_buffer;

bool tl_buffer_reserve(tl_buffer *b, size_t more); /* room for `more` bytes and a 0 behind text + size */
bool tl_buffer_add(tl_buffer *b, const char *bytes, size_t size);
bool tl_buffer_text(tl_buffer *b, const char *text);
bool tl_buffer_format(tl_buffer *b, const char *format, ...) TL_PRINTF(2, 3);
void tl_buffer_free(tl_buffer *b); /* frees the text; *b is {0} again */

#endif
