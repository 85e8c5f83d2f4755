/* Sums of heads, passed from rank to rank. A rank that has failed still receives and hands on the sums, with a flag
 * that all is over. So no rank waits in vain, and none goes on working for long. */
#include "heads_share.h"

#include <stdlib.h>
#include <string.h>

tl_heads_round tl_heads_round_begin(tl_run *run, tl_heads_found *found, long batches) {
    tl_heads_round round = {.pass = tl_pass_begin(run), .found = found, .batches = batches};
    round.weights = round.pass.fingerprint;
    for (long i = 0; found->habits && round.pass.ranks && i < found->count; i++)
        tl_head_sums_hold(found->habits[i]);
    return round;
}

/* ---- sums as one list ---- */

/* Copies between the list and what was found. */
static void move(tl_heads_round *r, bool into_list) {
    const tl_heads_found *f = r->found;
    double *at = r->sums + 1;
    const size_t width = (size_t)f->width * sizeof *at;
    for (long i = 0; i < f->count; i++) {
        double *importance = &f->importance[i];
        memcpy(into_list ? at : importance, into_list ? importance : at, sizeof *at);
        at++;
        if (!f->habits) continue;
        at += TL_HEAD_NUMBERS; /* the habits' numbers are only in the list */
        double *context = f->context + i * f->width;
        if (width) memcpy(into_list ? at : context, into_list ? context : at, width);
        at += f->width;
    }
}

/* The numbers of a head's habits. */
static double *numbers(const tl_heads_round *r, long head) {
    return r->sums + 2 + head * (1 + TL_HEAD_NUMBERS + r->found->width);
}

/* ---- round ---- */

static bool make_room(tl_heads_round *r) {
    tl_heads_found *f = r->found;
    r->size = (size_t)(f->count * (f->habits ? 1 + TL_HEAD_NUMBERS + f->width : 1));
    r->sums = calloc(1 + r->size, sizeof *r->sums);
    if (f->habits && !f->context) f->context = calloc((size_t)(f->count * f->width) + 1, sizeof *f->context);
    return (r->sums && (!f->habits || f->context)) ||
           tl_error_set(&r->pass.run->error, "out of memory for the sums of %ld heads", f->count);
}

/* All ranks call this once, before sums are passed on. Rank 0 has looked at the first batch and knows the width of
 * contexts. If ranks had different sets they would wait for each other's sums forever, so this is checked here. */
static void begin(tl_heads_round *r) {
    struct {
        uint64_t weights;
        long batches, width;
    } lead = {r->weights, r->batches, r->found->width};
    if (r->begun) return;
    r->begun = true;
    if (!tl_pass_broadcast(&r->pass, &lead, sizeof lead)) return;
    r->found->width = lead.width;
    bool ok = make_room(r) && !tl_run_error(r->pass.run);
    if (lead.weights != r->weights || lead.batches != r->batches) ok = tl_pass_differs(&r->pass);
    r->goes = tl_pass_agree(&r->pass, ok);
}

bool tl_heads_round_take_over(tl_heads_round *r, bool ok) {
    if (!r->pass.ranks) return ok;
    begin(r);
    if (!r->goes) return false;
    if (!tl_pass_take_over(&r->pass, r->sums, (1 + r->size) * sizeof *r->sums)) {
        r->goes = false;
        return false;
    }
    if (r->sums[0] != 0) r->over = true;
    ok = ok && !r->over;
    if (ok) move(r, false);
    for (long i = 0; ok && r->found->habits && i < r->found->count; i++)
        tl_head_sums_add_held(r->found->habits[i], numbers(r, i));
    return ok;
}

void tl_heads_round_hand_on(tl_heads_round *r, bool ok) {
    if (!r->goes) return;
    if (ok) move(r, true);
    if (!ok) r->over = true;
    r->sums[0] = r->over;
    if (r->pass.batches < r->batches && !tl_pass_hand_on(&r->pass, r->sums, (1 + r->size) * sizeof *r->sums))
        r->goes = false;
}

/* ---- the end ---- */

static void send_results(tl_heads_round *r) {
    tl_pass *t = &r->pass;
    const tl_heads_found *f = r->found;
    const int last = r->batches ? (int)((r->batches - 1) % tl_ranks_count(t->ranks)) : 0;
    const char has_sums = last == tl_ranks_number(t->ranks), has_rows = f->row && tl_ranks_lead(t->ranks);
    tl_pass_tell_last(t);
    tl_pass_tell(t, &f->sentences, sizeof f->sentences);
    tl_pass_tell(t, &has_sums, 1);
    if (has_sums) tl_pass_tell(t, r->sums, (1 + r->size) * sizeof *r->sums);
    tl_pass_tell(t, &has_rows, 1);
    if (has_rows) tl_pass_tell(t, f->row, (size_t)f->count * sizeof *f->row);
    for (long i = 0; f->habits && i < f->count; i++) {
        tl_pass_tell(t, &f->alignment[i], sizeof f->alignment[i]);
        tl_pass_tell(t, &f->rows[i], sizeof f->rows[i]);
        tl_pass_tell(t, &f->widths[i], sizeof f->widths[i]);
        tl_head_sums_tell(f->habits[i], t);
    }
}

static bool take_counts(const tl_heads_round *r, long i, tl_told *told) {
    const tl_heads_found *f = r->found;
    tl_alignment_errors errors = {0};
    long rows = 0, width = 0;
    tl_told_read(told, &errors, sizeof errors);
    tl_told_read(told, &rows, sizeof rows);
    tl_told_read(told, &width, sizeof width);
    f->alignment[i].found += errors.found;
    f->alignment[i].sure += errors.sure;
    f->alignment[i].both += errors.both;
    f->rows[i] += rows;
    if (width) f->widths[i] = width;
    return tl_head_sums_take(f->habits[i], told) ||
           tl_error_set(&r->pass.run->error, "out of memory for what heads do");
}

static bool take(void *context, const tl_pass *t, tl_told *told) {
    tl_heads_round *r = context;
    tl_heads_found *f = r->found;
    long sentences = 0;
    char has = 0;
    (void)t;
    tl_told_read(told, &sentences, sizeof sentences);
    if (!told->own) f->sentences += sentences;
    if (tl_told_read(told, &has, 1) && has) tl_told_read(told, r->sums, (1 + r->size) * sizeof *r->sums);
    if (tl_told_read(told, &has, 1) && has) tl_told_read(told, f->row, (size_t)f->count * sizeof *f->row);
    for (long i = 0; f->habits && !told->own && i < f->count; i++)
        if (!take_counts(r, i, told)) return false;
    return true;
}

bool tl_heads_round_end(tl_heads_round *r) {
    if (r->pass.ranks) begin(r);
    if (r->goes) send_results(r);
    const bool ok = tl_pass_end(&r->pass, !tl_run_error(r->pass.run), take, r);
    if (ok && r->goes) {
        move(r, false);
        for (long i = 0; r->found->habits && i < r->found->count; i++)
            tl_head_sums_set(r->found->habits[i], numbers(r, i));
    }
    free(r->sums);
    return ok;
}
