/* Lines cut into tokens as sacreBLEU's tokenisers do it, for BLEU alone: what a model reads is cut elsewhere. */
#ifndef TL_TEXT_BLEU_TOKENS_H
#define TL_TEXT_BLEU_TOKENS_H

#include "text/scan.h"
#include "tapeloom/text.h"

/* Where lines are written anew. {0} is a fresh one; it grows with the longest line. */
typedef struct tl_bleu_cutter {
    char *text[2];
    size_t room[2];
} tl_bleu_cutter;

/* The line in lower case if asked for, then cut: what tl_next_token finds in *tokens are its tokens. They are the line's
 * own bytes or the cutter's, and hold until the next call. False when out of memory. */
bool tl_bleu_cut(tl_bleu_cutter *cutter, const tl_bleu_config *config, tl_span line, tl_span *tokens);
/* Only the lower case. */
bool tl_bleu_lower(tl_bleu_cutter *cutter, tl_span line, tl_span *lower);
/* Takes the next character off the front, a byte that is no UTF-8 as a character of its own. False at the end. */
bool tl_bleu_next_character(tl_span *rest, tl_span *character);
void tl_bleu_cutter_free(tl_bleu_cutter *cutter);

#endif
