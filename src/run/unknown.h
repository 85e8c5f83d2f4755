/* Putting the source's words in the place of <unk>. (Telling of unknown words is public: tl_run_tell_unknown.) */
#ifndef TL_RUN_UNKNOWN_H
#define TL_RUN_UNKNOWN_H

#include "run.h"

/* One hypothesis of a search that was asked for maps. */
typedef struct tl_said {
    const int *ids;
    long length;        /* without <eos> */
    tl_tensor cross;    /* [H,capacity,keys] of the decoder's last layer */
    const char *source; /* the sentence's tokens */
} tl_said;

/* The hypothesis as tokens, every <unk> replaced by the source word that the decoder looked at while it wrote it. Several in a
 * row that looked at one word become that word once. To free(); NULL, and an error, if out of memory. */
char *tl_run_replace_unknown(tl_run *run, const tl_said *said);

#endif
