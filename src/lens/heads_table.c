/* The table of heads: one pass to look, then one pass for each head that is replaced. */
#include "heads_found.h"
#include "lens.h"

#include "run/pass.h"

#include <math.h>
#include <stdlib.h>

/* ---- without a head ---- */

/* The value that replaces one head's context, at every position of every sentence. */
typedef struct instead {
    long head, width;
    tl_real *context; /* [width] */
} instead;

static tl_var put(tl_var x, const tl_place_at *at, void *of) {
    const instead *i = of;
    const tl_var there = tl_constant_copy(x.tape, tl_tensor_of(i->context, TL_SHAPE(1, 1, 1, i->width)));
    return tl_replace_where(x, there, at, &(tl_replaced){.heads = {i->head, i->head + 1}});
}

typedef struct ablation {
    tl_run *run;
    tl_set *set;
    const tl_heads_options *options;
    tl_places *places;
    long done, total;
} ablation;

/* Asks rank 0, whose answer holds for all. */
static bool report_progress(const ablation *a) {
    const bool asked = a->options->progress && a->total && tl_ranks_lead(a->run->ranks);
    return tl_pass_lead_says(
        a->run, !asked || a->options->progress(a->options->context, "without a head", a->done, a->total));
}

/* Measures with what the places say; counts as a step. */
static bool measure(ablation *a, double *loss, double *score) {
    tl_quality q;
    if (!tl_set_measure_at(a->set, a->run, a->places, a->options->score, &q)) return false;
    *loss = q.loss;
    if (a->options->score && tl_run_score_label(a->run)) *score = q.score;
    a->done++;
    return report_progress(a);
}

static bool measure_with(ablation *a, const tl_heads_row *row, instead *there, double *loss, double *score) {
    char place[sizeof row->attention + sizeof ".context"];
    snprintf(place, sizeof place, "%s.context", row->attention);
    if (!tl_places_replace(a->places, place, put, there))
        return tl_heads_fail(a->run, tl_places_error(a->places));
    const bool ok = measure(a, loss, score);
    tl_places_forget(a->places);
    return ok;
}

static bool measure_without(ablation *a, const tl_heads_found *found, long i, tl_real *room,
                            tl_heads_row *row) {
    instead there = {row->head, found->widths[i], room};
    for (long d = 0; d < there.width; d++) room[d] = 0;
    if (a->options->zero && !measure_with(a, row, &there, &row->loss_zero, &row->score_zero)) return false;
    for (long d = 0; d < there.width; d++)
        room[d] = (tl_real)(found->context[i * found->width + d] / (double)found->rows[i]);
    return !a->options->mean || measure_with(a, row, &there, &row->loss_mean, &row->score_mean);
}

static bool without_each(tl_run *run, tl_set *set, const tl_heads_options *options,
                         const tl_heads_found *found, tl_heads_table *table) {
    ablation a = {.run = run, .set = set, .options = options};
    a.total = found->count * (options->zero + options->mean);
    a.places = tl_places_new(tl_run_model(run));
    tl_real *room = calloc((size_t)found->width + 1, sizeof *room);
    bool ok = (a.places && room) || tl_heads_fail(run, "out of memory");
    a.done = -1; /* measuring the whole model is not counted */
    ok = ok && measure(&a, &table->loss, &table->score);
    for (long i = 0; ok && i < found->count && a.total; i++)
        ok = measure_without(&a, found, i, room, &table->row[i]);
    tl_places_free(a.places);
    free(room);
    return ok;
}

/* ---- all of it ---- */

static void fill(const tl_run *run, const tl_heads_found *found, double *importance, tl_heads_table *table) {
    tl_heads_finish(run, found, importance);
    for (long i = 0; i < found->count; i++) {
        tl_heads_row *row = &found->row[i];
        row->importance = importance[i];
        row->raw = found->importance[i] / (double)found->sentences;
        row->habits = tl_head_habits_of(found->habits[i]);
        row->alignment_error_rate = tl_alignment_error_rate(&found->alignment[i]);
        row->loss_zero = row->loss_mean = row->score_zero = row->score_mean = NAN;
    }
    *table = (tl_heads_table){
        .count = found->count, .row = found->row, .sentences = found->sentences, .loss = NAN, .score = NAN};
}

/* room [count,2] */
static void compare(const tl_heads_table *t, double *room, bool by_mean, double *agreement,
                    double *raw_agreement) {
    double *importance = room, *growth = room + t->count;
    for (long i = 0; i < t->count; i++) {
        importance[i] = t->row[i].importance;
        growth[i] = (by_mean ? t->row[i].loss_mean : t->row[i].loss_zero) - t->loss;
    }
    *agreement = tl_rank_correlation(importance, growth, t->count);
    for (long i = 0; i < t->count; i++) importance[i] = t->row[i].raw;
    *raw_agreement = tl_rank_correlation(importance, growth, t->count);
}

bool tl_heads_measure(tl_run *run, tl_set *set, const tl_heads_options *options, tl_heads_table *table) {
    const tl_heads_options none = {0}, *o = options ? options : &none;
    tl_heads_found found = {0};
    if (table) *table = (tl_heads_table){0};
    if (!run || !set || !table) return run && tl_heads_fail(run, "give a set and a place for the table");
    bool ok = tl_heads_found_new(run, true, &found) && tl_heads_walk(run, set, o, &found);
    double *room = ok ? malloc(2 * (size_t)found.count * sizeof *room) : NULL;
    if (ok && !room) ok = tl_heads_fail(run, "out of memory");
    if (ok) {
        fill(run, &found, room, table);
        found.row = NULL; /* owned by the table now */
        ok = without_each(run, set, o, &found, table);
        compare(table, room, false, &table->agreement_zero, &table->raw_agreement_zero);
        compare(table, room, true, &table->agreement_mean, &table->raw_agreement_mean);
    }
    if (!ok) tl_heads_table_free(table);
    tl_heads_found_free(&found);
    free(room);
    return ok;
}

void tl_heads_table_free(tl_heads_table *table) {
    if (!table) return;
    free(table->row);
    *table = (tl_heads_table){0};
}
