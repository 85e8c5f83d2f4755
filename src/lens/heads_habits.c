/* Where a head looks, as numbers that can be summed over maps: each is a sum over rows and a count of rows. Weights
 * of a row need not sum to 1 (sigmoid): measures of distributions use the weights divided by their sum. Rows without
 * weight are left out. With several ranks the rows' numbers are held back until their batch's turn, because the
 * order of a sum counts. */
#include "heads_share.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

/* Counts of rows by offset, column minus row; there is room for -half … half-1. */
typedef struct offsets {
    long half;
    long *at, *seen; /* [2·half] rows with their largest weight there; rows with a visible column there */
} offsets;

struct tl_head_sums {
    long rows, words; /* rows with weight; those that are not <eos> */
    double of[TL_HEAD_NUMBERS];
    bool has_places, has_ends; /* in some map */
    offsets offsets;
    bool holds;
    double (*held)[TL_HEAD_NUMBERS]; /* [held_rows] numbers held back */
    size_t held_rows, held_room;
};

tl_head_sums *tl_head_sums_new(void) { return calloc(1, sizeof(tl_head_sums)); }

void tl_head_sums_free(tl_head_sums *sums) {
    if (!sums) return;
    free(sums->offsets.at);
    free(sums->offsets.seen);
    free(sums->held);
    free(sums);
}

/* ---- offsets ---- */

/* Makes room for offsets -most … most. */
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

/* The most frequent offset; ties go to the one nearest to 0, then to the negative one. */
static long most_frequent(const offsets *o) {
    long best = 0;
    for (long d = 1; d < o->half; d++) {
        if (o->at[o->half - d] > o->at[o->half + best]) best = -d;
        if (o->at[o->half + d] > o->at[o->half + best]) best = d;
    }
    return best;
}

/* ---- a row ---- */

/* The numbers that a row adds. */
enum { LARGEST /* a word's */, ENTROPY, UNIFORM, DISTANCE, FIRST, END };

static void add_row(double *sums, const double *row) {
    for (int k = 0; k < TL_HEAD_NUMBERS; k++) sums[k] += row[k];
}

static double weight(const tl_head_map *map, long i, long j) {
    return (double)map->weights.data[i * map->weights.stride[0] + j * map->weights.stride[1]];
}

static bool sees(const tl_head_map *map, long i, long j) {
    return !map->sees || map->sees[i * map->weights.dim[1] + j];
}

/* Entropy of the weights divided by their sum s: ln s - (Σ w·ln w) / s. */
static void read_whole_row(tl_head_sums *sums, const tl_head_map *map, long i, double *row) {
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
    row[ENTROPY] = log(sum) - logs / sum;
    row[UNIFORM] = log((double)visible);
    row[DISTANCE] = far / sum;
    row[FIRST] = weight(map, i, 0) / sum;
    row[END] = end / sum;
}

/* A row that is not <eos>, over the columns that are not <eos>. */
static void read_largest(tl_head_sums *sums, const tl_head_map *map, long i, double *row) {
    offsets *o = &sums->offsets;
    double largest = 0;
    long at = -1;
    for (long j = 0; j < map->weights.dim[1]; j++) {
        if ((map->column_is_end && map->column_is_end[j]) || !sees(map, i, j)) continue;
        if (weight(map, i, j) > largest) largest = weight(map, i, j), at = j;
    }
    if (at < 0) return;
    sums->words++;
    row[LARGEST] = largest;
    o->at[o->half + at - i]++;
    for (long j = 0; j < map->weights.dim[1]; j++)
        if (!(map->column_is_end && map->column_is_end[j]) && sees(map, i, j)) o->seen[o->half + j - i]++;
}

bool tl_head_sums_add(tl_head_sums *sums, const tl_head_map *map) {
    if (!sums || !map || !map->weights.data || map->weights.rank != 2) return false;
    const long rows = map->weights.dim[0], columns = map->weights.dim[1];
    if (!make_room(&sums->offsets, rows > columns ? rows : columns)) return false;
    if (sums->holds && !TL_RESERVE(sums->held, sums->held_room, sums->held_rows + (size_t)rows)) return false;
    for (long i = 0; i < rows && columns > 0; i++) {
        double row[TL_HEAD_NUMBERS] = {0};
        read_whole_row(sums, map, i, row);
        if (!(map->row_is_end && map->row_is_end[i])) read_largest(sums, map, i, row);
        if (sums->holds)
            memcpy(sums->held[sums->held_rows++], row, sizeof row);
        else
            add_row(sums->of, row);
    }
    sums->has_places |= !map->no_places;
    sums->has_ends |= map->column_is_end != NULL;
    return true;
}

/* ---- results ---- */

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
    if (sums->words) h.confidence = sums->of[LARGEST] / (double)sums->words;
    if (sums->words && sums->has_places) {
        const offsets *o = &sums->offsets;
        h.offset = most_frequent(o);
        h.share = (double)o->at[o->half + h.offset] / (double)sums->words;
        h.reach = (double)o->at[o->half + h.offset] / (double)o->seen[o->half + h.offset];
        h.positional = h.share >= TL_POSITIONAL_SHARE;
    }
    if (sums->rows) {
        const double rows = (double)sums->rows;
        h.entropy = sums->of[ENTROPY] / rows;
        if (sums->of[UNIFORM] > 0) h.against_uniform = sums->of[ENTROPY] / sums->of[UNIFORM];
        if (sums->has_places) h.distance = sums->of[DISTANCE] / rows;
        h.first = sums->of[FIRST] / rows;
        if (sums->has_ends) h.end = sums->of[END] / rows;
    }
    return h;
}

/* ---- among ranks ---- */

void tl_head_sums_hold(tl_head_sums *sums) { sums->holds = true; }

void tl_head_sums_add_held(tl_head_sums *sums, double *numbers) {
    for (size_t i = 0; i < sums->held_rows; i++) add_row(numbers, sums->held[i]);
    sums->held_rows = 0;
}

void tl_head_sums_set(tl_head_sums *sums, const double *numbers) {
    memcpy(sums->of, numbers, sizeof sums->of);
}

void tl_head_sums_tell(const tl_head_sums *sums, tl_pass *to) {
    const offsets *o = &sums->offsets;
    const long counts[] = {sums->rows, sums->words, sums->has_places, sums->has_ends, o->half};
    tl_pass_tell(to, counts, sizeof counts);
    tl_pass_tell(to, o->at, 2 * (size_t)o->half * sizeof *o->at);
    tl_pass_tell(to, o->seen, 2 * (size_t)o->half * sizeof *o->seen);
}

static void add_counts(tl_told *told, long *to, long half) {
    long one;
    for (long d = -half; d < half; d++)
        if (tl_told_read(told, &one, sizeof one)) to[d] += one;
}

bool tl_head_sums_take(tl_head_sums *sums, tl_told *told) {
    long counts[5] = {0};
    tl_told_read(told, counts, sizeof counts);
    const long half = counts[4];
    if (half && !make_room(&sums->offsets, half - 1)) return false;
    sums->rows += counts[0];
    sums->words += counts[1];
    sums->has_places |= counts[2] != 0;
    sums->has_ends |= counts[3] != 0;
    if (!half) return true; /* there may be no memory for offsets at all */
    add_counts(told, sums->offsets.at + sums->offsets.half, half);
    add_counts(told, sums->offsets.seen + sums->offsets.half, half);
    return true;
}
