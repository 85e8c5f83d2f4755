/* What the writer of the page of attention is made of: page.c, which decides what there is room for, and page_sentence.c. */
#ifndef TL_LENS_PAGE_WRITING_H
#define TL_LENS_PAGE_WRITING_H

#include "lens.h"

#include "base/page.h"

#include "tapeloom/page.h"

typedef struct tl_page_writing {
    tl_run *run; /* NULL: of no run */
    tl_sentences *sentences;
    const tl_seen *seen;
    const tl_page_options *options;
    const double *log_p; /* [B,T]; NULL: not known */
    unsigned store;      /* bits of quantities */
    unsigned left_out;   /* that would not have fitted */
    long count;          /* sentences */
    tl_buffer data;
} tl_page_writing;

#define TL_HAS(set, quantity) (((set) >> (quantity)&1u) != 0)

/* page_sentence.c: a sentence, its tokens and its numbers, as JSON. */
void tl_page_sentence(tl_page_writing *w, long sentence);
/* The tensor that a stored quantity is: [B,H,T,S], of norms [B,T,S]; without data where it was not looked at. */
tl_tensor tl_page_tensor(const tl_seen_attention *a, tl_quantity q);
/* What JSON has no word for is null. */
void tl_page_number(tl_buffer *b, double x);

#endif
