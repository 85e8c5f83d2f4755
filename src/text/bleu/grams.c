/* N-grams as numbers: a 1-gram has the number of its unit, an n-gram the number of the pair (first n-1 units, last
 * unit). So counting compares no sequences, and takes time in proportion to the length of the sentence. */
#include "grams.h"
#include "base/memory.h"

void tl_grams_free(tl_grams *grams) {
    free(grams->hyp.unit);
    free(grams->hyp.gram);
    free(grams->ref.unit);
    free(grams->ref.gram);
    free(grams->left);
    tl_table_free(&grams->table);
    *grams = (tl_grams){{0}, {0}, {0}, NULL, 0};
}

void tl_grams_clear(tl_grams *grams) {
    tl_table_clear(&grams->table);
    grams->hyp.units = grams->ref.units = 0;
}

/* The number of an n-gram. A new one has left 0. -1 when out of memory. */
static long number_of(tl_grams *grams, tl_span key) {
    if (!TL_RESERVE(grams->left, grams->left_room, (size_t)grams->table.count + 1)) return -1;
    long before = grams->table.count, number = tl_table_add(&grams->table, key);
    if (number == before) grams->left[number] = 0;
    return number;
}

bool tl_grams_add(tl_grams *grams, tl_grams_side *side, tl_span unit) {
    if (!TL_RESERVE(side->unit, side->unit_room, (size_t)side->units + 1) ||
        !TL_RESERVE(side->gram, side->gram_room, (size_t)side->units + 1))
        return false;
    long number = number_of(grams, unit);
    if (number < 0) return false;
    side->unit[side->units] = side->gram[side->units] = number;
    side->units++;
    return true;
}

/* From the numbers of (n-1)-grams to those of n-grams, n ≥ 2. */
static bool extend(tl_grams *grams, tl_grams_side *side, int n) {
    for (long i = 0; i + n <= side->units; i++) {
        long pair[2] = {side->gram[i], side->unit[i + n - 1]};
        if ((side->gram[i] = number_of(grams, (tl_span){(const char *)pair, sizeof pair})) < 0) return false;
    }
    return true;
}

/* Clipped counting: each n-gram of the hypothesis uses up one equal n-gram of the reference, if one is left. */
static tl_grams_count match(tl_grams *grams, int n) {
    tl_grams_count count = {0, 0, 0};
    for (; count.ref + n <= grams->ref.units; count.ref++) grams->left[grams->ref.gram[count.ref]]++;
    for (; count.hyp + n <= grams->hyp.units; count.hyp++) {
        long *left = &grams->left[grams->hyp.gram[count.hyp]];
        if (*left == 0) continue;
        count.matched++;
        --*left;
    }
    return count;
}

bool tl_grams_match(tl_grams *grams, int orders, tl_grams_count *counts) {
    for (int n = 1; n <= orders; n++) {
        if (n > 1) {
            tl_table_clear(&grams->table);
            if (!extend(grams, &grams->hyp, n) || !extend(grams, &grams->ref, n)) return false;
        }
        counts[n - 1] = match(grams, n);
    }
    return true;
}
