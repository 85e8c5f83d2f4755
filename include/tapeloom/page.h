/* The page of what was looked at: one HTML file with everything in it, to be opened from disk, kept and passed on.
 *
 *     tl_look(tl_run_model(run), tl_run_tape(run), &read.batch, &(tl_look_options){.norms = true}, &seen);
 *     char *page = tl_page_text(run, &read, &seen, NULL, &size);
 *     tl_file_write("attention.html", page, size, &error); free(page);
 *
 * It shows one map large, with lines between the tokens, and all the others small on one scale; and of any cell every quantity. It
 * asks no network for anything and has no code but its own. Each map's A, S, raw dL/dA and norms are stored as float32; the page makes
 * from them, by the formulas of tl_quantity, what dL/dA centred, dL/dS and A∘dL/dA are. Where dL/dS is not A∘(dL/dA - Σ A·dL/dA), as
 * with the sigmoid, it is stored, too. */
#ifndef TAPELOOM_PAGE_H
#define TAPELOOM_PAGE_H

#include "lens.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_page_options { /* {0} will do */
    const char *title;           /* NULL: the first sentence's source, or its target where there is none */
    const char *model;           /* what was looked at, in a line; NULL: the run's program and folder */
    const char *command;         /* the command line that made the page; NULL: it does not say */
    const char *fingerprint;     /* of the weights; NULL: tl_page_fingerprint of the run's */
    const char *date;            /* NULL: today's, as 2026-11-29, UTC */
    unsigned
        quantities; /* bits 1u << tl_quantity of what to store; dA, dS, AdA are made of dA-raw. 0: all that was looked at */
    size_t most_bytes; /* of the whole page; 0: 10,000,000 */
    /* How much each head matters, heads of seen->attention[0], then of [1], …; NULL: the page has |Σ A∘dL/dA| of its own sentences,
     * Michel et al. 2019 for so few. */
    const double *importance;
    const char *importance_text; /* what that is: "|Σ C·dC| over 1000 held-out sentences" */
} tl_page_options;

/* The page, `*size` bytes and a 0 behind them, to free(). seen is of sentences->batch. Tokens, lines and options may hold any bytes:
 * they are shown, and are never read as part of the page. What does not fit in most_bytes is left out, and the page says so: first
 * norms of heads, then norms, scores, then sentences from the last on; gradients only where not even one sentence fits with them.
 * NULL, and the run's error, if not even one sentence's A fits, or when out of memory. run may be NULL: then losses of tokens and the fingerprint are missing. */
char *tl_page_text(tl_run *run, tl_sentences *sentences, const tl_seen *seen, const tl_page_options *options,
                   size_t *size);

/* Sixteen hexadecimal digits by which weights are known again: FNV-1a, 64 bits, over each parameter's name and its values as float32,
 * so that both precisions agree. Returns to. */
char *tl_page_fingerprint(const tl_params *params, char to[17]);

#ifdef __cplusplus
}
#endif
#endif
