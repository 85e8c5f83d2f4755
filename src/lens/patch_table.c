/* Tables of patches: one run for each cell; rows are places. */
#include "patch.h"

#include <math.h>
#include <stdlib.h>

double tl_correlation(const double *x, const double *y, long n) {
    double mean_x = 0, mean_y = 0, xx = 0, yy = 0, xy = 0;
    bool x_moves = false, y_moves = false;
    if (!x || !y) return NAN;
    for (long i = 0; i < n; i++) mean_x += x[i] / (double)n, mean_y += y[i] / (double)n;
    for (long i = 0; i < n; i++) {
        xx += (x[i] - mean_x) * (x[i] - mean_x);
        yy += (y[i] - mean_y) * (y[i] - mean_y);
        xy += (x[i] - mean_x) * (y[i] - mean_y);
        x_moves |= x[i] != x[0], y_moves |= y[i] != y[0];
    }
    return x_moves && y_moves ? xy / sqrt(xx * yy) : NAN;
}

/* ---- rows ---- */

static bool has_heads(const tl_patch_record *r) { return r->a.rank == 4; }

static bool is_row(const tl_patch_record *r, const tl_patch_options *o) {
    if (!r->a.data) return false;
    if (o->by == TL_PATCH_HEADS && !has_heads(r)) return false;
    if (o->places) return tl_place_matches(r->name.text, o->places);
    return o->by == TL_PATCH_HEADS       ? r->name.place == TL_PLACE_CONTEXT
           : o->by == TL_PATCH_POSITIONS ? !*r->name.attention && r->name.place == TL_PLACE_STREAM
                                         : true;
}

static bool no_row(const tl_patch *p, const tl_patch_options *o) {
    tl_tape_fail(p->tape, "patch: no place of this model%s is called %s",
                 o->by == TL_PATCH_HEADS ? " that has heads" : "",
                 o->places                 ? o->places
                 : o->by == TL_PATCH_HEADS ? "*.context"
                                           : "*");
    return false;
}

/* ---- columns ---- */

static tl_range clipped(tl_range r, long size) {
    return (tl_range){r.from < 0 ? 0 : r.from, r.to == 0 || r.to > size ? size : r.to};
}

static bool of_keys(tl_place place) { return place == TL_PLACE_K || place == TL_PLACE_V; }

/* The heads or positions of a row that are patched one by one. */
static tl_range columns_of(const tl_patch_record *r, const tl_patch_options *o) {
    if (o->by == TL_PATCH_HEADS) return clipped(o->where.heads, r->a.dim[1]);
    if (o->by == TL_PATCH_POSITIONS)
        return clipped(of_keys(r->name.place) ? o->where.keys : o->where.positions, r->a.dim[r->a.rank - 2]);
    return (tl_range){0, 1};
}

static bool lay_rows(tl_patch_table *t, const tl_patch *p, const tl_patch_options *o) {
    long end = 0;
    t->by = o->by;
    t->first = -1;
    t->row = calloc((size_t)p->count + 1, sizeof *t->row);
    for (long i = 0; t->row && i < p->count; i++) {
        if (!is_row(&p->record[i], o)) continue;
        if (!tl_patch_fits(p, &p->record[i].name)) return false;
        const tl_range columns = columns_of(&p->record[i], o);
        t->row[t->rows++] = p->record[i].name;
        if (t->first < 0 || columns.from < t->first) t->first = columns.from;
        if (columns.to > end) end = columns.to;
    }
    if (t->row && !t->rows) return no_row(p, o);
    t->columns = end > t->first ? end - t->first : 0;
    t->cell = calloc((size_t)(t->rows * t->columns) + 1, sizeof *t->cell);
    if (!t->row || !t->cell) return tl_tape_fail(p->tape, "patch: out of memory for a table"), false;
    return true;
}

static const tl_patch_record *record_of(const tl_patch *p, const char *name) {
    for (long i = 0; i < p->count; i++)
        if (tl_place_matches(p->record[i].name.text, name)) return &p->record[i];
    return NULL;
}

/* Marks the cells that exist, so that their number is known beforehand. */
static void mark_cells(tl_patch_table *t, const tl_patch *p, const tl_patch_options *o) {
    for (long r = 0; r < t->rows; r++) {
        const tl_range columns = columns_of(record_of(p, t->row[r].text), o);
        for (long c = columns.from; c < columns.to; c++, t->cells++)
            t->cell[r * t->columns + c - t->first].there = true;
    }
}

/* ---- cells ---- */

static bool fill(tl_patch_table *t, tl_patch *p, const tl_patch_options *o) {
    long done = 0;
    for (long i = 0; i < t->rows * t->columns; i++) {
        if (!t->cell[i].there) continue;
        tl_patch_place place = {.places = t->row[i / t->columns].text, .where = o->where};
        const long column = t->first + i % t->columns;
        if (o->by == TL_PATCH_HEADS) place.where.heads = (tl_range){column, column + 1};
        if (o->by == TL_PATCH_POSITIONS)
            *(of_keys(t->row[i / t->columns].place) ? &place.where.keys : &place.where.positions) =
                (tl_range){column, column + 1};
        if (!tl_patch_run(p, &place, 1, &t->cell[i].patched)) return false;
        if (o->progress && !o->progress(o->context, ++done, t->cells))
            return tl_tape_fail(p->tape, "patch: stopped after %ld of %ld runs", done, t->cells), false;
    }
    return true;
}

static bool correlate(tl_patch_table *t, tl_tape *tape) {
    double *x = malloc((size_t)(2 * t->cells + 1) * sizeof *x);
    if (!x) return tl_tape_fail(tape, "patch: out of memory for a table"), false;
    long n = 0;
    for (long i = 0; i < t->rows * t->columns; i++)
        if (t->cell[i].there) {
            x[n] = t->cell[i].patched.effect;
            x[t->cells + n++] = t->cell[i].patched.estimate;
        }
    t->correlation = tl_correlation(x, x + t->cells, n);
    free(x);
    return true;
}

tl_patch_table *tl_patch_table_new(tl_patch *patch, const tl_patch_options *options) {
    static const tl_patch_options usual = {.by = TL_PATCH_HEADS};
    if (!patch) return NULL;
    if (!options) options = &usual;
    tl_patch_table *t = calloc(1, sizeof *t);
    if (!t) return tl_tape_fail(patch->tape, "patch: out of memory for a table"), NULL;
    tl_tape_reset(patch->tape);
    bool ok = lay_rows(t, patch, options);
    if (ok) mark_cells(t, patch, options);
    if (ok && !t->cells) {
        tl_tape_fail(patch->tape, "patch: %s holds no head or position that was asked for", t->row[0].text);
        ok = false;
    }
    const bool reused = tl_tape_set_reuse_weights(patch->tape, true);
    ok = ok && fill(t, patch, options) && correlate(t, patch->tape);
    tl_tape_set_reuse_weights(patch->tape, reused);
    if (ok) return t;
    tl_patch_table_free(t);
    return NULL;
}

void tl_patch_table_free(tl_patch_table *t) {
    if (!t) return;
    free(t->row);
    free(t->cell);
    free(t);
}
