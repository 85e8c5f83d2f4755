/* Attention weights as constants: their own values, or uniform over what each row sees. The constants replace the
 * pattern, from which the context is made; so no gradient reaches scores, queries or keys. */
#include "held.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct tl_held_attention {
    long heads, queries, keys;
    bool *sees; /* [heads,queries,keys] */
} tl_held_attention;

static tl_var detached(tl_var x, const tl_place_at *at, void *unused) {
    (void)at;
    (void)unused;
    return tl_constant_copy(x.tape, tl_value(x));
}

/* Spreads one row in place: its sum, in equal parts, over the keys that it sees. */
static void spread(tl_tensor row, const bool *sees) {
    double sum = 0;
    long seen = 0;
    for (long j = 0; j < row.dim[0]; j++) {
        sum += row.data[j * row.stride[0]];
        seen += sees[j];
    }
    for (long j = 0; j < row.dim[0]; j++)
        row.data[j * row.stride[0]] = (tl_real)(sees[j] ? sum / (double)seen : 0);
}

static tl_var uniform(tl_var x, const tl_place_at *at, void *context) {
    const tl_held_attention *a = context;
    const tl_var y = tl_constant_copy(x.tape, tl_value(x));
    const tl_tensor all = tl_value(y);
    if (!all.data) return y;
    if (all.dim[0] != 1 || all.dim[1] != a->heads || at->from + all.dim[2] > a->queries ||
        all.dim[3] != a->keys)
        return tl_tape_fail(x.tape,
                            "a pattern to be made uniform is not that of the sentence it was prepared for");
    for (long h = 0; h < a->heads; h++)
        for (long i = 0; i < all.dim[2]; i++)
            spread(tl_at(all, 0, h, i), a->sees + (h * a->queries + at->from + i) * a->keys);
    return y;
}

static bool remember(const tl_seen_attention *seen, tl_held_attention *to) {
    *to = (tl_held_attention){seen->heads, seen->queries, seen->keys, NULL};
    to->sees = malloc((size_t)(to->heads * to->queries * to->keys) + 1);
    if (!to->sees) return false;
    bool *at = to->sees;
    for (long h = 0; h < to->heads; h++)
        for (long i = 0; i < to->queries; i++)
            for (long j = 0; j < to->keys; j++)
                *at++ = tl_mask_shows(&seen->mask, 0, h, i, j, to->queries, to->keys);
    return true;
}

static bool spread_evenly(tl_places *places, const tl_model *model, tl_tape *tape, const tl_batch *one,
                          const char *pattern, tl_held *held) {
    tl_seen seen;
    if (!tl_look(model, tape, one, &(tl_look_options){.no_grad = true}, &seen)) return false;
    held->attention = calloc((size_t)seen.count + 1, sizeof *held->attention);
    bool ok = held->attention != NULL;
    for (; ok && held->count < seen.count; held->count++) {
        const tl_seen_attention *a = &seen.attention[held->count];
        tl_held_attention *to = &held->attention[held->count];
        char name[80];
        if (!(ok = remember(a, to))) break;
        snprintf(name, sizeof name, "%s.pattern", a->name);
        if (!pattern || tl_place_matches(a->name, pattern)) tl_places_replace(places, name, uniform, to);
    }
    if (!ok) tl_tape_fail(tape, "out of memory for what attention sees");
    return ok;
}

bool tl_hold(tl_places *places, const tl_model *model, tl_tape *tape, const tl_batch *one,
             tl_attention_held how, const char *pattern, tl_held *held) {
    *held = (tl_held){0};
    if (how == TL_ATTENTION_FREE) return true;
    int attentions = 0;
    for (int kind = 0; kind < TL_ATTENTION_KINDS; kind++) attentions += model->attentions[kind];
    if (attentions) tl_places_replace(places, "*.pattern", detached, NULL);
    return how != TL_ATTENTION_UNIFORM || spread_evenly(places, model, tape, one, pattern, held);
}

void tl_held_free(tl_held *held) {
    for (int i = 0; i < held->count; i++) free(held->attention[i].sees);
    free(held->attention);
    *held = (tl_held){0};
}
