/* What every page's writer needs: text from outside made harmless, numbers as text, and filling a page's two places.
 * Text that goes into a page cannot end the script that it is in. */
#include "page.h"

#include "base/quote.h"

#include <stdint.h>
#include <string.h>

/* ---- text ---- */

/* Adds one byte of UTF-8 as it may be in a JSON string in a <script>. */
static void add_json(tl_buffer *b, char byte) {
    if (byte == '<' || byte == '&')
        tl_buffer_format(b, "\\u%04x", (unsigned)byte);
    else if (byte == '"' || byte == '\\')
        tl_buffer_format(b, "\\%c", byte);
    else
        tl_buffer_add(b, &byte, 1);
}

bool tl_page_string(tl_buffer *b, const char *text) {
    if (!text) return tl_buffer_text(b, "null");
    tl_buffer_text(b, "\"");
    for (size_t size = strlen(text), at = 0; at < size;) {
        char shown[TL_SHOWN_CHARACTER];
        size_t written;
        at += tl_shown_character(text + at, size - at, shown, &written);
        for (size_t i = 0; i < written; i++) add_json(b, shown[i]);
    }
    return tl_buffer_text(b, "\"");
}

/* Adds text from outside, to be shown between tags. */
static void add_html(tl_buffer *b, const char *text) {
    for (size_t size = strlen(text), at = 0; at < size;) {
        char shown[TL_SHOWN_CHARACTER];
        size_t written;
        at += tl_shown_character(text + at, size - at, shown, &written);
        if (*shown == '<' || *shown == '&')
            tl_buffer_format(b, "&#%d;", *shown);
        else
            tl_buffer_add(b, shown, written);
    }
}

bool tl_page_fill(tl_buffer *b, const char *page, const char *title, const tl_buffer *data) {
    const char *name = strstr(page, "@TITLE@"), *place = strstr(page, "@DATA@");
    if (!name || !place || place < name || !data->text || data->failed) return b->failed = true, false;
    tl_buffer_add(b, page, (size_t)(name - page));
    add_html(b, title ? title : "");
    name += strlen("@TITLE@");
    tl_buffer_add(b, name, (size_t)(place - name));
    tl_buffer_add(b, data->text, data->size);
    return tl_buffer_text(b, place + strlen("@DATA@"));
}

/* ---- numbers ---- */

bool tl_page_base64(tl_buffer *b, const unsigned char *bytes, size_t size) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (!tl_buffer_reserve(b, (size + 2) / 3 * 4)) return false;
    for (size_t i = 0; i < size; i += 3) { /* three bytes make four digits; = fills the last four */
        const size_t left = size - i;
        const unsigned three =
            bytes[i] * 65536u + (left > 1 ? bytes[i + 1] * 256u : 0) + (left > 2 ? bytes[i + 2] : 0u);
        char *to = b->text + b->size;
        to[0] = digits[three >> 18];
        to[1] = digits[three >> 12 & 63];
        to[2] = left > 1 ? digits[three >> 6 & 63] : '=';
        to[3] = left > 2 ? digits[three & 63] : '=';
        b->size += 4;
    }
    b->text[b->size] = 0;
    return true;
}

bool tl_page_floats(tl_buffer *b, const float *numbers, size_t count) {
    enum { AT_ONCE = 192 }; /* its bytes are a multiple of 3, so that pieces join without padding */
    unsigned char bytes[AT_ONCE * 4];
    tl_buffer_text(b, "\"");
    for (size_t i = 0; i < count;) {
        size_t n = 0;
        for (; n < AT_ONCE && i < count; n++, i++) {
            uint32_t bits;
            memcpy(&bits, &numbers[i], sizeof bits);
            for (int byte = 0; byte < 4; byte++) bytes[n * 4 + byte] = (unsigned char)(bits >> 8 * byte);
        }
        tl_page_base64(b, bytes, n * 4);
    }
    return tl_buffer_text(b, "\"");
}
