/* The width of a text on a terminal: the sum of its characters' widths. Where terminals differ: emoji joined by U+200D
 * count one by one, a narrow sign before U+FE0F counts as narrow, and characters of ambiguous width count as narrow, as
 * outside of old East Asian settings. */
#include "tapeloom/text.h"
#include "base/utf8.h"
#include "text/scan.h"
#include "unicode.h"

long tl_text_columns(const char *text) {
    tl_span rest = tl_span_of(text);
    long columns = 0;
    while (rest.size > 0) {
        uint32_t code;
        size_t length = tl_utf8_read(rest.text, rest.size, &code);
        columns += length > 0 ? tl_unicode_width(code) : 1;
        if (length == 0) length = 1;
        rest = (tl_span){rest.text + length, rest.size - length};
    }
    return columns;
}
