/* Replacing <unk> by the source's words. (Listing unknown words is public: tl_run_tell_unknown.) */
#ifndef TL_RUN_UNKNOWN_H
#define TL_RUN_UNKNOWN_H

#include "run.h"

/* One hypothesis of a search that had maps. */
typedef struct tl_said {
    const int *ids;
    long length;        /* without <eos> */
    tl_tensor cross;    /* [H,capacity,keys] of the decoder's last layer */
    const char *source; /* the sentence's tokens */
} tl_said;

/* The hypothesis as tokens, with every <unk> replaced by the source word that the decoder attended to most while
 * writing it. Several <unk> in a row that attended to one word become that word once. The caller frees it. NULL, and
 * an error, when out of memory. */
char *tl_run_replace_unknown(tl_run *run, const tl_said *said);

#endif
