/* Masks in effect: counts of pairs by reason, and whether the weights agree. */
#include "tapeloom/checks.h"

static void count_row(tl_mask_counts *c, const tl_seen_attention *a, long b, long h, long i) {
    const tl_tensor row = tl_at(a->weights, b, h, i);
    long seen = 0;
    for (long j = 0; j < a->keys; j++) {
        const tl_why why = tl_why_blocked(&a->mask, b, h, i, j, a->queries, a->keys);
        c->pairs++;
        c->by[why]++;
        seen += why == TL_SEES;
        c->weighs_though_blocked += why != TL_SEES && row.data && row.data[j * row.stride[0]] != 0;
    }
    c->sees_nothing += seen == 0;
}

tl_mask_counts tl_mask_count(const tl_seen_attention *seen, long b, long h) {
    tl_mask_counts c = {0};
    if (!seen || b < 0 || b >= seen->weights.dim[0] || h >= seen->heads) return c;
    for (long head = h < 0 ? 0 : h; head < (h < 0 ? seen->heads : h + 1); head++)
        for (long i = 0; i < seen->queries; i++) count_row(&c, seen, b, head, i);
    return c;
}

bool tl_masks_same(const tl_seen_attention *a, long head_a, const tl_seen_attention *b, long head_b,
                   long sentence) {
    if (!a || !b || a->queries != b->queries || a->keys != b->keys) return false;
    for (long i = 0; i < a->queries; i++)
        for (long j = 0; j < a->keys; j++)
            if (tl_why_blocked(&a->mask, sentence, head_a, i, j, a->queries, a->keys) !=
                tl_why_blocked(&b->mask, sentence, head_b, i, j, b->queries, b->keys))
                return false;
    return true;
}
