/* All heads of a model under one numbering, for tables over heads. */
#ifndef TL_LENS_COMPARE_HEADS_H
#define TL_LENS_COMPARE_HEADS_H

#include "lens.h"

/* How many heads a model has. */
static inline long tl_all_heads(const tl_model *model) {
    long count = 0;
    for (int k = 0; model && k < TL_ATTENTION_KINDS; k++)
        for (int l = 0; l < model->attentions[k]; l++)
            count += tl_model_heads(model, (tl_attention_kind)k, l);
    return count;
}

/* Head number i: writes its attention's name and returns its number there; -1: there is no such head. */
static inline int tl_head_named(const tl_model *model, long i, char attention[64]) {
    *attention = 0;
    for (int k = 0; model && i >= 0 && k < TL_ATTENTION_KINDS; k++)
        for (int l = 0; l < model->attentions[k]; l++) {
            const long heads = tl_model_heads(model, (tl_attention_kind)k, l);
            if (i < heads) {
                tl_attention_name(model, (tl_attention_kind)k, l, attention);
                return (int)i;
            }
            i -= heads;
        }
    return -1;
}

/* Does the look fit the model? Attentions without heads have nothing to see. */
static inline bool tl_heads_were_seen(const tl_model *model, const tl_seen *seen) {
    int at = 0;
    for (int k = 0; model && seen && k < TL_ATTENTION_KINDS; k++)
        for (int l = 0; l < model->attentions[k]; l++, at++) {
            const int heads = tl_model_heads(model, (tl_attention_kind)k, l);
            if (at >= seen->count || seen->attention[at].heads != heads ||
                (heads && !seen->attention[at].weights.data))
                return false;
        }
    return model && seen && at == seen->count;
}

#endif
