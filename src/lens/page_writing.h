/* What the two files that write the page of attention share: page.c, which decides what fits, and page_sentence.c. */
#ifndef TL_LENS_PAGE_WRITING_H
#define TL_LENS_PAGE_WRITING_H

#include "lens.h"

#include "run/page.h"

#include "tapeloom/page.h"

typedef struct tl_page_writing {
    tl_run *run; /* NULL: the look belongs to no run */
    tl_sentences *sentences;
    const tl_seen *seen;
    const tl_page_options *options;
    const double *log_p; /* [B,T]; NULL: not known */
    unsigned store;      /* bits of the quantities to store */
    unsigned left_out;   /* bits of those that did not fit */
    long count;          /* how many sentences */
    tl_buffer data;
} tl_page_writing;

#define TL_HAS(set, quantity) (((set) >> (quantity)&1u) != 0)

/* page_sentence.c: writes a sentence, its tokens and its numbers as JSON. */
void tl_page_sentence(tl_page_writing *w, long sentence);
/* The tensor of a stored quantity: [B,H,T,S], for norms [B,T,S]; without data if the look did not have it. */
tl_tensor tl_page_tensor(const tl_seen_attention *a, tl_quantity q);
/* Writes a number; NaN and infinities, which JSON lacks, become null. */
void tl_page_number(tl_buffer *b, double x);

#endif
