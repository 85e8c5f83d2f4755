/* Inside a vocabulary: a table whose numbers are the ids. Invariant: the first TL_SPECIALS keys are the specials; all
 * keys are UTF-8, not empty, without white space. So every vocabulary can be written and read back. */
#ifndef TL_TEXT_VOCAB_H
#define TL_TEXT_VOCAB_H

#include "tapeloom/text.h"
#include "text/table.h"

struct tl_vocab {
    tl_error error;
    tl_table tokens;
};

extern const char *const tl_vocab_specials[TL_SPECIALS];

/* A vocabulary with only the specials; NULL when out of memory. */
tl_vocab *tl_vocab_empty(void);

#endif
