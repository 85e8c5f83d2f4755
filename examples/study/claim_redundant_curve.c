/* How good a translator is while it loses its heads one by one in some order, without further training. */
#include "claim_heads.h"

#include "../program/growing.h"

#include <stdlib.h>

enum { CHANCES = REDUNDANT_CHANCES, QUARTERS = 4 };

/* ---- orders ---- */

long redundant_quarter(long heads, int quarter) { return (heads * quarter + QUARTERS / 2) / QUARTERS; }

long redundant_of_kind(const tl_model *model, const long *order, long count, tl_attention_kind kind,
                       long *kept) {
    long left = 0;
    tl_head_name head;
    for (long i = 0; i < count; i++)
        if (tl_prune_head(model, order[i], &head) && head.kind == kind) kept[left++] = order[i];
    return left;
}

/* Writes validation sentences made here to a file, as human ones are in one: importance is computed on other
 * sentences than those that the pruned model is measured on. */
static bool write_sentences(const char *path, tl_run *run, long most, tl_error *error) {
    tl_corpus *lines = tl_pairs_of(tl_run_settings_of(run), TL_PART_VALID, NULL, error);
    const long count = !lines ? 0 : most && most < tl_corpus_size(lines) ? most : tl_corpus_size(lines);
    growing text = {0};
    for (long i = 0; i < count; i++) {
        grow_text(&text, tl_corpus_sentence(lines, TL_SOURCE, i));
        grow(&text, "\t");
        grow_text(&text, tl_corpus_sentence(lines, TL_TARGET, i));
        grow(&text, "\n");
    }
    if (text.failed) tl_error_set(error, "out of memory for %s", path);
    const bool ok = lines && !tl_failed(error) && tl_file_write(path, text.bytes, text.size, error);
    free(text.bytes);
    tl_corpus_free(lines);
    return ok;
}

static tl_set *set_of_importance(const job *j, tl_run *run, long most, tl_error *error) {
    char file[FOLDER_SIZE + 16];
    const char *folder = on_multi30k(j) ? "" : job_folder(j, error);
    if (!folder) return NULL;
    if (on_multi30k(j))
        multi30k_file(j->study, "valid", file);
    else
        snprintf(file, sizeof file, "%s/valid.tsv", folder);
    if (!on_multi30k(j) && !write_sentences(file, run, most, error)) return NULL;
    tl_set *set = tl_set_new(run, &(tl_set_options){.file = file, .most = most});
    if (!set) tl_error_set(error, "%s", tl_run_error(run));
    return set;
}

static bool by_importance(const job *j, tl_run *run, long count, long *order, tl_error *error) {
    tl_set *set = set_of_importance(j, run, budget_of(j->study, 500, 100, 5), error);
    tl_heads_table table = {.count = 0};
    bool ok = set && tl_heads_measure(run, set, NULL, &table) && table.count == count;
    double *importance = ok ? malloc((size_t)count * sizeof *importance) : NULL;
    for (long i = 0; importance && i < count; i++)
        importance[i] = j->arm.number == REDUNDANT_BY_RAW ? table.row[i].raw : table.row[i].importance;
    ok = importance && tl_prune_by_importance(importance, count, order);
    if (!ok) job_failed(run, "out of memory", error);
    free(importance);
    tl_heads_table_free(&table);
    tl_set_free(set);
    return ok;
}

/* ---- the pruned model ---- */

enum { ROOM = 256 }; /* heads */
typedef struct curve {
    long heads;                /* heads that can be removed */
    long order[ROOM];          /* in order of removal */
    int orders;                /* orders in the sums */
    double loss[ROOM + 1];     /* sums by number of removed heads */
    double bleu[QUARTERS + 1]; /* sums at the quarters */
} curve;

static bool is_end(const curve *c, long gone) { return gone == 0 || gone == c->heads; }

static bool measure_point(tl_run *run, tl_set *set, curve *c, long gone) {
    tl_quality q;
    bool writes = false;
    for (int k = 0; k <= QUARTERS; k++) writes = writes || redundant_quarter(c->heads, k) == gone;
    if (!tl_prune_measure(run, set, c->order, gone, writes, &q)) return false;
    c->loss[gone] += q.loss;
    for (int k = 0; k <= QUARTERS; k++)
        if (redundant_quarter(c->heads, k) == gone) c->bleu[k] += q.score;
    return true;
}

/* With no head or all heads removed every order is the same: these points are measured with the first order only. */
static bool measure_order(const job *j, tl_run *run, tl_set *set, curve *c, tl_error *error) {
    for (long gone = 0; gone <= c->heads; gone++) {
        if (c->orders && is_end(c, gone)) continue;
        if (job_stopped(j)) return tl_error_set(error, "interrupted");
        if (!measure_point(run, set, c, gone)) return job_failed(run, "interrupted", error);
    }
    c->orders++;
    return true;
}

static void put_curve(const job *j, const curve *c, numbers *out) {
    for (long gone = 0; gone <= c->heads; gone++)
        put(out, j, "loss", 100.0 * (double)gone / (double)c->heads,
            c->loss[gone] / (is_end(c, gone) ? 1 : c->orders));
    for (int k = 0; k <= QUARTERS; k++)
        put(out, j, "BLEU", 100.0 * k / QUARTERS,
            c->bleu[k] / (is_end(c, redundant_quarter(c->heads, k)) ? 1 : c->orders));
}

static int kind_of(int order) {
    switch (order) {
    case REDUNDANT_OF_ENCODER:
        return TL_ENCODER_SELF;
    case REDUNDANT_OF_DECODER:
        return TL_DECODER_SELF;
    case REDUNDANT_OF_CROSS:
        return TL_CROSS;
    default:
        return -1;
    }
}

/* Makes order number `number` of this arm. */
static bool make_order(const job *j, tl_run *run, curve *c, int number, tl_error *error) {
    const tl_model *model = tl_run_model(run);
    const long count = tl_prune_heads(model);
    const int kind = kind_of((int)j->arm.number); /* -1: all kinds */
    long all[ROOM];
    if (count > ROOM) return tl_error_set(error, "%ld heads: too many", count);
    c->heads = count;
    if (j->arm.number == REDUNDANT_BY_CHANCE)
        return tl_prune_by_chance(count, j->real_seed * CHANCES + (uint64_t)number, c->order), true;
    if (!by_importance(j, run, count, kind < 0 ? c->order : all, error)) return false;
    if (kind >= 0) c->heads = redundant_of_kind(model, all, count, (tl_attention_kind)kind, c->order);
    return true;
}

bool redundant_measure(const job *j, numbers *out, tl_error *error) {
    long end = 0;
    while (end + 1 < STOPS_MOST && j->arm.stops[end + 1]) end++;
    tl_run *run = job_open(j, j->arm.stops[end], error);
    tl_set *set = run ? held_out(j, run, budget_of(j->study, 500, 100, 5), error) : NULL;
    curve *c = calloc(1, sizeof *c);
    bool ok = set && (c || tl_error_set(error, "out of memory"));
    const int orders = j->arm.number == REDUNDANT_BY_CHANCE ? CHANCES : 1;
    for (int i = 0; ok && i < orders; i++)
        ok = make_order(j, run, c, i, error) && measure_order(j, run, set, c, error);
    if (ok) put_curve(j, c, out);
    free(c);
    tl_set_free(set);
    tl_run_free(run);
    return ok;
}
