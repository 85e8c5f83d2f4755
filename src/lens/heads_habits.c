/* Where a head looks, as numbers that add up over maps: each is a sum over rows and how many rows there were. Weights of a row may sum
 * to anything (sigmoid): what is told of a distribution is told of the weights divided by their sum. Rows without weight
 * tell nothing. */
#include "tapeloom/heads.h"

#include "base/memory.h"

#include <math.h>

/* Rows by offset, column minus row: -half … half-1 have room. */
typedef struct offsets {
    long half;
    long *at, *seen; /* [2·half] rows whose largest weight is there; rows that see a column there */
} offsets;

struct tl_head_sums {
    long rows, words;        /* with some weight; those of them that are counted without <eos> */
    double largest;          /* over words */
    double entropy, uniform; /* over rows, as what follows */
    double distance, first, end;
    bool has_places, has_ends; /* some map */
    offsets offsets;
};

tl_head_sums *tl_head_sums_new(void) { return calloc(1, sizeof(tl_head_sums)); }

void tl_head_sums_free(tl_head_sums *sums) {
    if (!sums) return;
    free(sums->offsets.at);
    free(sums->offsets.seen);
    free(sums);
}

/* ---- offsets ---- */

/* Room for offsets -most … most. */
static bool make_room(offsets *o, long most) {
    if (most < o->half) return true;
    long half = o->half ? o->half : 16;
    while (half <= most) half *= 2;
    long *at = calloc(2 * (size_t)half, sizeof *at), *seen = calloc(2 * (size_t)half, sizeof *seen);
    if (!at || !seen) {
        free(at);
        free(seen);
        return false;
    }
    for (long i = -o->half; i < o->half; i++)
        at[half + i] = o->at[o->half + i], seen[half + i] = o->seen[o->half + i];
    free(o->at);
    free(o->seen);
    *o = (offsets){.half = half, .at = at, .seen = seen};
    return true;
}

/* The offset that most rows have, of equals the nearest, of these the one to the left. */
static long commonest(const offsets *o) {
    long best = 0;
    for (long d = 1; d < o->half; d++) {
        if (o->at[o->half - d] > o->at[o->half + best]) best = -d;
        if (o->at[o->half + d] > o->at[o->half + best]) best = d;
    }
    return best;
}

/* ---- a row ---- */

static double weight(const tl_head_map *map, long i, long j) {
    return (double)map->weights.data[i * map->weights.stride[0] + j * map->weights.stride[1]];
}

static bool sees(const tl_head_map *map, long i, long j) {
    return !map->sees || map->sees[i * map->weights.dim[1] + j];
}

/* Entropy of the weights divided by their sum s: ln s - (Σ w·ln w) / s. */
static void add_whole_row(tl_head_sums *sums, const tl_head_map *map, long i) {
    double sum = 0, logs = 0, far = 0, end = 0;
    long visible = 0;
    for (long j = 0; j < map->weights.dim[1]; j++) {
        const double w = weight(map, i, j);
        visible += sees(map, i, j);
        if (w <= 0) continue;
        sum += w;
        logs += w * log(w);
        far += w * (double)labs(j - i);
        if (j && map->column_is_end && map->column_is_end[j]) end += w;
    }
    if (!(sum > 0)) return;
    sums->rows++;
    sums->entropy += log(sum) - logs / sum;
    sums->uniform += log((double)visible);
    sums->distance += far / sum;
    sums->first += weight(map, i, 0) / sum;
    sums->end += end / sum;
}

/* What is told of a row of a word, and of columns of words. */
static void add_largest(tl_head_sums *sums, const tl_head_map *map, long i) {
    offsets *o = &sums->offsets;
    double largest = 0;
    long at = -1;
    for (long j = 0; j < map->weights.dim[1]; j++) {
        if ((map->column_is_end && map->column_is_end[j]) || !sees(map, i, j)) continue;
        if (weight(map, i, j) > largest) largest = weight(map, i, j), at = j;
    }
    if (at < 0) return;
    sums->words++;
    sums->largest += largest;
    o->at[o->half + at - i]++;
    for (long j = 0; j < map->weights.dim[1]; j++)
        if (!(map->column_is_end && map->column_is_end[j]) && sees(map, i, j)) o->seen[o->half + j - i]++;
}

bool tl_head_sums_add(tl_head_sums *sums, const tl_head_map *map) {
    if (!sums || !map || !map->weights.data || map->weights.rank != 2) return false;
    const long rows = map->weights.dim[0], columns = map->weights.dim[1];
    if (!make_room(&sums->offsets, rows > columns ? rows : columns)) return false;
    for (long i = 0; i < rows && columns > 0; i++) {
        add_whole_row(sums, map, i);
        if (!(map->row_is_end && map->row_is_end[i])) add_largest(sums, map, i);
    }
    sums->has_places |= !map->no_places;
    sums->has_ends |= map->column_is_end != NULL;
    return true;
}

/* ---- what they come to ---- */

tl_head_habits tl_head_habits_of(const tl_head_sums *sums) {
    tl_head_habits h = {.rows = sums ? sums->words : 0,
                        .confidence = NAN,
                        .share = NAN,
                        .reach = NAN,
                        .entropy = NAN,
                        .against_uniform = NAN,
                        .distance = NAN,
                        .first = NAN,
                        .end = NAN};
    if (!sums) return h;
    if (sums->words) h.confidence = sums->largest / (double)sums->words;
    if (sums->words && sums->has_places) {
        const offsets *o = &sums->offsets;
        h.offset = commonest(o);
        h.share = (double)o->at[o->half + h.offset] / (double)sums->words;
        h.reach = (double)o->at[o->half + h.offset] / (double)o->seen[o->half + h.offset];
        h.positional = h.share >= TL_POSITIONAL_SHARE;
    }
    if (sums->rows) {
        const double rows = (double)sums->rows;
        h.entropy = sums->entropy / rows;
        if (sums->uniform > 0) h.against_uniform = sums->entropy / sums->uniform;
        if (sums->has_places) h.distance = sums->distance / rows;
        h.first = sums->first / rows;
        if (sums->has_ends) h.end = sums->end / rows;
    }
    return h;
}
