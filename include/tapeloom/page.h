/* The page of a look: one self-contained HTML file, to be opened from disk, kept and passed on.
 *
 *     tl_look(tl_run_model(run), tl_run_tape(run), &read.batch, &(tl_look_options){.norms = true}, &seen);
 *     char *page = tl_page_text(run, &read, &seen, NULL, &size);
 *     tl_file_write("attention.html", page, size, &error); free(page);
 *
 * It shows one map large, with lines between the tokens, all others small on one scale, and every quantity of any
 * cell. It needs no network and no other code. A, S, raw dL/dA and norms of each map are stored as float32. From
 * them the page computes centred dL/dA, dL/dS and A∘dL/dA by the formulas of tl_quantity. If dL/dS is not A∘(dL/dA -
 * Σ A·dL/dA), as with the sigmoid, it is stored too. */
#ifndef TAPELOOM_PAGE_H
#define TAPELOOM_PAGE_H

#include "lens.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_page_options { /* {0} will do */
    const char *title;           /* NULL: the first sentence's source, or its target where there is none */
    const char *model;           /* the model's description, a line; NULL: the run's program and folder */
    const char *command;         /* the command line that made the page; NULL: not shown */
    const char *fingerprint;     /* of the weights; NULL: tl_page_fingerprint of the run's weights */
    const char *date;            /* NULL: today's, as 2026-11-29, UTC */
    /* bits 1u << tl_quantity: what to store; dA, dS and AdA are computed from dA-raw. 0: everything in the look */
    unsigned quantities;
    size_t most_bytes; /* of the whole page; 0: 10,000,000 */
    /* How important each head is: heads of seen->attention[0], then of [1], …; NULL: the page computes |Σ A∘dL/dA|
     * over its own sentences, Michel et al. 2019 for a few sentences. */
    const double *importance;
    const char *importance_text; /* its description: "|Σ C·dC| over 1000 held-out sentences" */
} tl_page_options;

/* The page: `*size` bytes and a terminating 0; the caller frees it. seen must be of sentences->batch. Tokens, lines
 * and options may hold any bytes: they are shown, never read as part of the page. What does not fit in most_bytes is
 * left out, and the page says so: first norms of heads, then norms, scores, then sentences from the last on;
 * gradients only if one sentence alone does not fit with them. NULL, and the run's error, if A of one sentence does
 * not fit, or when out of memory. Without a run (NULL) the page lacks token losses and the fingerprint. */
char *tl_page_text(tl_run *run, tl_sentences *sentences, const tl_seen *seen, const tl_page_options *options,
                   size_t *size);

/* Sixteen hexadecimal digits that identify weights: FNV-1a, 64 bits, over each parameter's name and its values as
 * float32, so that both precisions agree. Returns `to`. */
char *tl_page_fingerprint(const tl_params *params, char to[17]);

#ifdef __cplusplus
}
#endif
#endif
