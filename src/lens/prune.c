/* Which heads a model has, and orders of removal that are fixed in advance. */
#include "tapeloom/prune.h"

#include <math.h>
#include <stdlib.h>

/* ---- which heads exist ---- */

long tl_prune_heads(const tl_model *model) {
    long count = 0;
    for (int kind = 0; model && kind < TL_ATTENTION_KINDS; kind++)
        for (int l = 0; l < model->attentions[kind]; l++)
            count += tl_model_heads(model, (tl_attention_kind)kind, l);
    return count;
}

bool tl_prune_head(const tl_model *model, long i, tl_head_name *name) {
    for (int kind = 0; i >= 0 && model && name && kind < TL_ATTENTION_KINDS; kind++)
        for (int l = 0; l < model->attentions[kind]; l++) {
            const int heads = tl_model_heads(model, (tl_attention_kind)kind, l);
            if (i < heads) {
                *name = (tl_head_name){(tl_attention_kind)kind, l, (int)i};
                return true;
            }
            i -= heads;
        }
    return false;
}

/* ---- orders ---- */

typedef struct ranked {
    double importance;
    long number;
} ranked;

static int by_importance(const void *x, const void *y) {
    const ranked *a = x, *b = y;
    if (a->importance != b->importance) return a->importance < b->importance ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

bool tl_prune_by_importance(const double *importance, long count, long *order) {
    if (count < 0 || (count && (!importance || !order))) return false;
    ranked *all = malloc((size_t)(count > 0 ? count : 1) * sizeof *all);
    if (!all) return false;
    /* NaN goes last */
    for (long i = 0; i < count; i++) all[i] = (ranked){isnan(importance[i]) ? INFINITY : importance[i], i};
    qsort(all, (size_t)count, sizeof *all, by_importance);
    for (long i = 0; i < count; i++) order[i] = all[i].number;
    free(all);
    return true;
}

void tl_prune_by_chance(long count, uint64_t seed, long *order) {
    for (long i = 0; order && i < count; i++) order[i] = i;
    tl_rng_shuffle(tl_rng_key_of(seed, "prune"), count, order);
}

long tl_prune_points(long count, long every, long *removed) {
    long points = 0;
    if (every < 1) every = 1;
    for (long at = 0;; at = count - at > every ? at + every : count) {
        if (removed) removed[points] = at;
        points++;
        if (at >= count) return points;
    }
}

/* ---- over several orders ---- */

tl_spread tl_spread_of(const double *numbers, long count) {
    double sum = 0, squares = 0;
    if (!numbers || count < 1) return (tl_spread){NAN, NAN};
    for (long i = 0; i < count; i++) sum += numbers[i];
    const double mean = sum / (double)count;
    for (long i = 0; i < count; i++) squares += (numbers[i] - mean) * (numbers[i] - mean);
    return (tl_spread){mean, count > 1 ? sqrt(squares / (double)(count - 1)) : 0};
}
