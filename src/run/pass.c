/* Shared passes. A rank's records are one byte string; each record is a head followed by what the rank reported of
 * that batch. A rank's records are in batch order, so repeatedly taking the record of the lowest batch, among the
 * next ones of all ranks, takes all of them in order. */
#include "pass.h"

#include "events.h"
#include "fingerprint.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

typedef struct head {
    long batch;
    size_t size; /* bytes that follow */
    tl_loss_report loss;
} head;

/* The beginning of a rank's byte string. */
typedef struct opening {
    uint64_t fingerprint;
    bool stopped;
} opening;

tl_pass tl_pass_begin(tl_run *run) {
    static const opening none;
    char build[TL_BUILD_NAME];
    tl_pass t = {.run = run, .ranks = tl_ranks_count(run->ranks) > 1 ? run->ranks : NULL};
    if (!t.ranks) return t;
    const char *name = tl_build_name(build);
    t.fingerprint = tl_fingerprint_add(tl_params_fingerprint(run->params, true), name, strlen(name));
    tl_buffer_add(&t.told, (const char *)&none, sizeof none); /* room for the head */
    return t;
}

void tl_pass_have_alike(tl_pass *t, const void *data, size_t bytes) {
    if (t->ranks) t->fingerprint = tl_fingerprint_add(t->fingerprint, data, bytes);
}

bool tl_pass_goes_on(tl_pass *t) {
    if (tl_failed(&t->run->error)) return false;
    if (tl_ranks_lead(t->ranks) && tl_stopped(t->run->events)) t->stopped = true;
    return !t->stopped;
}

static bool is_mine(const tl_pass *t, long batch) {
    return !tl_pass_reports(t) || batch % tl_ranks_count(t->ranks) == tl_ranks_number(t->ranks);
}

/* ---- reporting ---- */

static void begin_record(tl_pass *t, long batch) {
    const head begun = {.batch = batch};
    t->record = t->told.size;
    tl_buffer_add(&t->told, (const char *)&begun, sizeof begun);
}

static void add_batch(tl_pass *t, const tl_batch *b) {
    const long sizes[] = {b->sentences, b->src_len, b->tgt_len};
    const size_t sources = (size_t)(b->sentences * b->src_len), targets = (size_t)(b->sentences * b->tgt_len);
    tl_pass_have_alike(t, sizes, sizeof sizes);
    if (b->src) tl_pass_have_alike(t, b->src, sources * sizeof *b->src);
    if (b->tgt_out) tl_pass_have_alike(t, b->tgt_out, targets * sizeof *b->tgt_out);
}

bool tl_pass_mine(tl_pass *t, const tl_batch *batch) {
    const long number = t->batches++;
    if (batch) add_batch(t, batch);
    if (!is_mine(t, number)) return false;
    if (tl_pass_reports(t)) begin_record(t, number);
    return true;
}

void tl_pass_tell_last(tl_pass *t) {
    if (tl_pass_reports(t)) begin_record(t, LONG_MAX);
}

/* Changes the head of the current record. */
static void change(tl_pass *t, const tl_loss_report *loss, size_t more) {
    head h;
    if (t->told.failed) return;
    memcpy(&h, t->told.text + t->record, sizeof h);
    h.size += more;
    if (loss) h.loss = *loss;
    memcpy(t->told.text + t->record, &h, sizeof h);
}

void tl_pass_add(tl_pass *t, const tl_loss_report *loss) {
    if (tl_pass_reports(t))
        change(t, loss, 0);
    else
        tl_loss_report_add(&t->loss, loss);
}

bool tl_pass_add_loss(tl_pass *t, const tl_batch *batch) {
    tl_loss_report own = {0};
    if (!tl_run_add_loss(t->run, batch, &own)) return false;
    tl_pass_add(t, &own);
    return true;
}

void tl_pass_tell(tl_pass *t, const void *bytes, size_t size) {
    if (!tl_pass_reports(t)) return;
    tl_buffer_add(&t->told, bytes, size);
    change(t, NULL, size);
}

void tl_pass_tell_text(tl_pass *t, const char *text) {
    const size_t size = strlen(text);
    tl_pass_tell(t, &size, sizeof size);
    tl_pass_tell(t, text, size);
}

bool tl_told_read(tl_told *told, void *to, size_t bytes) {
    if (told->left < bytes) return false;
    if (bytes) memcpy(to, told->at, bytes);
    told->at += bytes;
    told->left -= bytes;
    return true;
}

char *tl_told_text(tl_told *told, tl_run *run) {
    size_t size;
    char *text = tl_told_read(told, &size, sizeof size) && size <= told->left ? malloc(size + 1) : NULL;
    if (!text) return tl_error_set(&run->error, "out of memory for another rank's text"), NULL;
    tl_told_read(told, text, size);
    text[size] = 0;
    return text;
}

/* ---- the exchange ---- */

/* This rank can no longer communicate and sends nothing more. The run has an error that the other ranks do not know
 * of. */
static bool broken(tl_pass *t) {
    t->ranks = NULL;
    tl_buffer_free(&t->told);
    return false;
}

bool tl_pass_agree(tl_pass *t, bool ok) {
    tl_run *run = t->run;
    const char *why = tl_run_error(run);
    if (!ok && !tl_failed(&run->error))
        tl_error_set(&run->error, "%s", why ? why : "a pass over batches failed");
    return tl_ranks_agree(t->ranks, ok, &run->error) || (!t->ranks->all_know && broken(t));
}

/* The rank whose next record has the lowest batch; -1: no record is left. */
static int lowest(const tl_told *of, int count) {
    int rank = -1;
    long least = 0;
    head h;
    for (int r = 0; r < count; r++) {
        if (of[r].left < sizeof h) continue;
        memcpy(&h, of[r].at, sizeof h);
        if (rank < 0 || h.batch < least) rank = r, least = h.batch;
    }
    return rank;
}

static bool take_all(tl_pass *t, tl_told *of, tl_pass_take *take, void *context) {
    const int count = tl_ranks_count(t->ranks);
    head h;
    bool ok = true;
    for (int r; ok && (r = lowest(of, count)) >= 0;) {
        tl_told_read(&of[r], &h, sizeof h);
        tl_told one = {.own = r == tl_ranks_number(t->ranks), .at = of[r].at, .left = h.size};
        of[r].at += h.size;
        of[r].left -= h.size;
        tl_loss_report_add(&t->loss, &h.loss);
        ok = !take || take(context, t, &one);
    }
    return ok;
}

bool tl_pass_differs(tl_pass *t) {
    return tl_error_set(&t->run->error,
                        "it has other sentences, labels, weights or another build than rank 0: "
                        "give all of them the same files and the same program");
}

/* Every rank finds the ranks that differ from rank 0; if there are any, nothing is taken. */
static bool take_if_same(tl_pass *t, const opening *open, tl_told *of, tl_pass_take *take, void *context) {
    bool all = true;
    for (int r = 1; r < tl_ranks_count(t->ranks); r++) all = all && open[r].fingerprint == open->fingerprint;
    if (open[tl_ranks_number(t->ranks)].fingerprint != open->fingerprint) return tl_pass_differs(t);
    return !all || take_all(t, of, take, context);
}

/* Exchanges the records of all ranks. Rank 0 decides whether the pass was stopped. */
static bool exchange(tl_pass *t, tl_pass_take *take, void *context, tl_told *of, opening *open,
                     size_t *each) {
    char *all = NULL, *at;
    bool ok = tl_ranks_gather_bytes(t->ranks, t->told.text, t->told.size, &all, each, &t->run->error);
    at = all;
    for (int r = 0; ok && r < tl_ranks_count(t->ranks); at += each[r++]) {
        of[r] = (tl_told){.at = at, .left = each[r]};
        tl_told_read(&of[r], &open[r], sizeof *open);
    }
    t->stopped = ok && open->stopped;
    /* all ranks call this, also after a stop */
    if (ok && !t->stopped) ok = tl_pass_agree(t, take_if_same(t, open, of, take, context));
    free(all);
    return ok;
}

bool tl_pass_end(tl_pass *t, bool ok, tl_pass_take *take, void *context) {
    if (!t->ranks) return ok && !t->stopped;
    const size_t count = (size_t)tl_ranks_count(t->ranks);
    const opening own = {.fingerprint = t->fingerprint, .stopped = t->stopped};
    tl_told *of = calloc(count, sizeof *of);
    opening *open = calloc(count, sizeof *open);
    size_t *each = calloc(count, sizeof *each);
    if (ok && (t->told.failed || !of || !open || !each))
        ok = tl_error_set(&t->run->error, "out of memory for what came of this rank's batches");
    if (!t->told.failed) memcpy(t->told.text, &own, sizeof own);
    /* wait until the sums handed on have left, before their memory is freed */
    ok = tl_ranks_wait(t->ranks, &t->run->error) && tl_pass_agree(t, ok) &&
         exchange(t, take, context, of, open, each);
    free(of);
    free(open);
    free(each);
    tl_buffer_free(&t->told);
    return ok && !t->stopped;
}

/* ---- sums passed from rank to rank ---- */

bool tl_pass_take_over(tl_pass *t, void *sums, size_t bytes) {
    const int count = tl_ranks_count(t->ranks), from = (tl_ranks_number(t->ranks) + count - 1) % count;
    tl_error *error = &t->run->error;
    if (!tl_pass_reports(t) || t->batches == 1) return true;
    /* the sums that this rank handed on before have left by now; received here are the ones that continue them */
    return (tl_ranks_wait(t->ranks, error) && tl_ranks_receive(t->ranks, from, 0, sums, bytes, error) &&
            tl_ranks_wait(t->ranks, error)) ||
           broken(t);
}

bool tl_pass_hand_on(tl_pass *t, const void *sums, size_t bytes) {
    const int to = (tl_ranks_number(t->ranks) + 1) % tl_ranks_count(t->ranks);
    return !tl_pass_reports(t) || tl_ranks_send(t->ranks, to, 0, sums, bytes, &t->run->error) || broken(t);
}

/* ---- decisions of rank 0 ---- */

bool tl_pass_broadcast(tl_pass *t, void *data, size_t bytes) {
    return tl_ranks_broadcast(t->ranks, data, bytes, &t->run->error) || broken(t);
}

bool tl_pass_lead_says(tl_run *run, bool yes) {
    char said = yes;
    return tl_ranks_broadcast(run->ranks, &said, sizeof said, &run->error) && said;
}
