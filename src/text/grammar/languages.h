/* The languages, one file each: saying a meaning, token by token. */
#ifndef TL_TEXT_GRAMMAR_LANGUAGES_H
#define TL_TEXT_GRAMMAR_LANGUAGES_H

#include "say.h"

void tl_gr_english(const tl_gr_meaning *meaning, tl_gr_side *side);
void tl_gr_french(const tl_gr_meaning *meaning, tl_gr_side *side);
void tl_gr_chinese(const tl_gr_meaning *meaning, tl_gr_side *side);

#endif
