/* Looks a character up: finds the last run of the table that begins at or before it. The first run begins at 0. */
#include "unicode.h"

static unsigned properties_of(uint32_t code) {
    size_t low = 0, high = tl_unicode_runs; /* the run is among low … high-1 */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (tl_unicode_table[middle] >> 8 <= code)
            low = middle;
        else
            high = middle;
    }
    return tl_unicode_table[low] & 0xFF;
}

tl_char_class tl_unicode_class(uint32_t code) { return (tl_char_class)(properties_of(code) & 0xF); }

int tl_unicode_width(uint32_t code) { return (int)(properties_of(code) >> 4 & 3); }

tl_char_kind tl_unicode_kind(uint32_t code) { return (tl_char_kind)(properties_of(code) >> 6); }
