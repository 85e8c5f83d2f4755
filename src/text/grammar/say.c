/* One side of a sentence while it grows. */
#include "say.h"

#include <string.h>

void tl_gr_say(tl_gr_side *side, const char *word, uint64_t parts) {
    size_t size = strlen(word);
    bool fits = side->tokens < TL_GR_TOKENS && side->used + size + 2 <= sizeof side->text;
    side->tokens = fits ? side->tokens + 1 : TL_GR_TOKENS + 1;
    if (!fits) return;
    if (side->used > 0) side->text[side->used++] = ' ';
    memcpy(side->text + side->used, word, size + 1);
    side->used += size;
    side->parts[side->tokens - 1] = parts;
}
