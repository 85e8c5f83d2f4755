/* One side of a sentence: its tokens, and for each token the parts of the meaning that it expresses. Tokens of the two
 * sides that share a part are linked. */
#ifndef TL_TEXT_GRAMMAR_SAY_H
#define TL_TEXT_GRAMMAR_SAY_H

#include "meaning.h"

#include <stddef.h>
#include <stdint.h>

#define TL_GR_TOKENS 16 /* the most tokens of a side */

enum { TL_GR_DET, TL_GR_NUM, TL_GR_BEFORE, TL_GR_AFTER, TL_GR_NOUN_PART, TL_GR_OF, TL_GR_PARTS };
#define TL_GR_BIT(slot, part) (1ULL << ((slot)*TL_GR_PARTS + (part)))
#define TL_GR_CLAUSE_BIT(n) (1ULL << (TL_GR_SLOTS * TL_GR_PARTS + (n)))
#define TL_GR_B_VERB TL_GR_CLAUSE_BIT(0)
#define TL_GR_B_AUX TL_GR_CLAUSE_BIT(1)
#define TL_GR_B_NOT TL_GR_CLAUSE_BIT(2)
#define TL_GR_B_ASK TL_GR_CLAUSE_BIT(3)
#define TL_GR_B_TIME TL_GR_CLAUSE_BIT(4)  /* the first word of a time */
#define TL_GR_B_TIME2 TL_GR_CLAUSE_BIT(5) /* the second word of a time */
#define TL_GR_B_OFTEN TL_GR_CLAUSE_BIT(6)
#define TL_GR_B_AT TL_GR_CLAUSE_BIT(7)
#define TL_GR_B_TO TL_GR_CLAUSE_BIT(8)
#define TL_GR_B_END TL_GR_CLAUSE_BIT(9)
#define TL_GR_B_WHO TL_GR_CLAUSE_BIT(10)
#define TL_GR_B_VERB2 TL_GR_CLAUSE_BIT(11) /* the verb of the relative clause, or after "and" */
#define TL_GR_B_AUX2 TL_GR_CLAUSE_BIT(12)
#define TL_GR_B_AND TL_GR_CLAUSE_BIT(13)
#define TL_GR_B_IT TL_GR_CLAUSE_BIT(14)
#define TL_GR_B_THERE TL_GR_CLAUSE_BIT(15)
#define TL_GR_B_VERY TL_GR_CLAUSE_BIT(16)
#define TL_GR_B_BEING TL_GR_CLAUSE_BIT(17) /* the adjective after "is" */

/* One side of a sentence while it grows: tokens with single spaces between. */
typedef struct tl_gr_side {
    char text[512];
    size_t used;
    int tokens; /* if more than TL_GR_TOKENS, the sentence is too long, and the rest was not written */
    uint64_t parts[TL_GR_TOKENS];
    bool elides; /* French: the last token loses its vowel before a vowel */
} tl_gr_side;

void tl_gr_say(tl_gr_side *side, const char *word, uint64_t parts);

#endif
