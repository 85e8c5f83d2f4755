/* Lines cut into tokens as by sacreBLEU's tokenisers. Only for BLEU; a model's tokens are cut elsewhere. */
#ifndef TL_TEXT_BLEU_TOKENS_H
#define TL_TEXT_BLEU_TOKENS_H

#include "text/scan.h"
#include "tapeloom/text.h"

/* Memory for rewriting lines, which grows with the longest line. {0} is empty. */
typedef struct tl_bleu_cutter {
    char *text[2];
    size_t room[2];
} tl_bleu_cutter;

/* The line in lower case if config says so, then cut: tl_next_token finds its tokens in *tokens. These are bytes of the
 * line or of the cutter, valid until the next call. False when out of memory. */
bool tl_bleu_cut(tl_bleu_cutter *cutter, const tl_bleu_config *config, tl_span line, tl_span *tokens);
/* Only lower case, without cutting. */
bool tl_bleu_lower(tl_bleu_cutter *cutter, tl_span line, tl_span *lower);
/* Takes the next character off the front; a byte that is not UTF-8 is a character. False at the end. */
bool tl_bleu_next_character(tl_span *rest, tl_span *character);
void tl_bleu_cutter_free(tl_bleu_cutter *cutter);

#endif
