/* Pages of the library, and what every writer of one needs.
 *
 * A page is src/lens/page/NAME.html with the styles and scripts that it names, legible files that a browser opens from there. The
 * build makes one string of them (src/lens/page/embed.sh), tl_page_NAME, so a program writes a single file that asks for nothing
 * else. To add a page: its files there, a line with `extern const char tl_page_NAME[];` where it is written, and a writer that
 * hands its data to tl_page_fill as JSON.
 *
 * What others have written (tokens, lines, names, command lines) goes into a page through tl_page_string alone. */
#ifndef TL_BASE_PAGE_H
#define TL_BASE_PAGE_H

#include "base/buffer.h"

/* Adds the page with its two places filled: @TITLE@ (made harmless here) and @DATA@, the JSON that its script reads. */
bool tl_page_fill(tl_buffer *b, const char *page, const char *title, const tl_buffer *data);

/* Adds foreign text as a JSON string that can stand in a <script>: what tl_shown_character does not show as it is (control
 * characters, separators of lines, what turns the direction of writing, no UTF-8) stands there as \x1b; < and & are escaped, so
 * that no </script> and no <!-- is read. NULL is null. */
bool tl_page_string(tl_buffer *b, const char *text);

/* Adds bytes in base64 (RFC 4648, with padding), without quotes. */
bool tl_page_base64(tl_buffer *b, const unsigned char *bytes, size_t size);
/* Adds numbers as a JSON string: float32, little-endian, in base64. */
bool tl_page_floats(tl_buffer *b, const float *numbers, size_t count);
/* How many bytes that adds. */
size_t tl_page_floats_size(size_t count);

#endif
