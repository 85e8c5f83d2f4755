/* Pages of the library, and what every writer of one needs.
 *
 * A page is src/lens/page/NAME.html with the styles and scripts that it names: readable files, which a browser opens
 * from that folder. The build makes one string of them (src/lens/page/embed.sh), tl_page_NAME, so that a program writes
 * a single file that loads nothing else. To add a page: add its files there; declare `extern const char
 * tl_page_NAME[];` in the file that writes it; and write a function that gives its data to tl_page_fill as JSON.
 *
 * Text from outside (tokens, lines, names, command lines) goes into a page through tl_page_string only. */
#ifndef TL_RUN_PAGE_H
#define TL_RUN_PAGE_H

#include "base/buffer.h"

/* Adds the page with its two places filled: @TITLE@, made harmless here, and @DATA@, the JSON that its script reads. */
bool tl_page_fill(tl_buffer *b, const char *page, const char *title, const tl_buffer *data);

/* Adds text from outside as a JSON string that may be in a <script>. What tl_shown_character does not show as it is
 * (control characters, line separators, characters that change the direction of writing, bytes that are not UTF-8)
 * becomes \x1b and the like; < and & are escaped, so that neither </script> nor <!-- can appear. NULL becomes null. */
bool tl_page_string(tl_buffer *b, const char *text);

/* Adds bytes in base64 (RFC 4648, with padding), without quotes. */
bool tl_page_base64(tl_buffer *b, const unsigned char *bytes, size_t size);
/* Adds numbers as a JSON string: float32, little-endian, in base64. */
bool tl_page_floats(tl_buffer *b, const float *numbers, size_t count);

#endif
