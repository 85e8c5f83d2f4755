/* All heads of a model, numbered through: what tables over heads have in common. */
#ifndef TL_LENS_COMPARE_HEADS_H
#define TL_LENS_COMPARE_HEADS_H

#include "lens.h"

typedef struct tl_heads_of {
    int attentions; /* of a tl_seen */
    long heads;     /* of each, at most */
    long count;     /* all */
    const tl_model *model;
} tl_heads_of;

static inline tl_heads_of tl_heads_of_model(const tl_model *model) {
    tl_heads_of of = {.model = model};
    for (int k = 0; model && k < TL_ATTENTION_KINDS; k++) of.attentions += model->attentions[k];
    of.heads = model ? model->heads : 0;
    of.count = of.attentions * of.heads;
    return of;
}

/* Which one number i is; puts its attention's name and returns its number there; -1: there is none. */
static inline int tl_heads_of_name(const tl_heads_of *of, long i, char attention[64]) {
    long number = of->heads > 0 ? i / of->heads : 0;
    *attention = 0;
    if (i < 0 || i >= of->count) return -1;
    for (int k = 0; k < TL_ATTENTION_KINDS; number -= of->model->attentions[k++])
        if (number < of->model->attentions[k]) {
            tl_attention_name(of->model, (tl_attention_kind)k, (int)number, attention);
            break;
        }
    return (int)(i % of->heads);
}

/* Has this been seen of such a model? */
static inline bool tl_heads_of_fits(const tl_heads_of *of, const tl_seen *seen) {
    if (!seen || seen->count != of->attentions) return false;
    for (int a = 0; a < seen->count; a++)
        if (!seen->attention[a].weights.data || seen->attention[a].heads > of->heads) return false;
    return true;
}

#endif
