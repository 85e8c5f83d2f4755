/* attend prune: how good a model is without its least important heads, compared with as many heads drawn at random;
 * or the smaller model, saved as a run. */
#include "prune.h"

#include <stdlib.h>
#include <string.h>

/* clang-format off */
const tl_option prune_options[] = {
    SUBJECT_ROWS,
    SET_ROWS,
    ROW("every", LONG, prune.every, "N", "measure each time that N more heads have gone (0: 1)"),
    ROW("chances", LONG, prune.chances, "N", "so many orders by chance, at most 1000 (0: 3)"),
    ROW("per-token", FLAG, prune.per_token, NULL, "importance takes the absolute value of each token, not of a sentence's sum"),
    ROW("raw", FLAG, prune.raw, NULL, "order by nats a sentence, not divided by the norm of an attention's heads"),
    ROW("score", FLAG, prune.score, NULL, "measure what the run is best by, too: BLEU, or the share of right captions"),
    ROW("csv", TEXT, prune.csv, "FILE", "write the table there, too"),
    ROW("svg", TEXT, prune.svg, "FILE", "draw it with gnuplot, from a table and a script beside it (.csv, .gp)"),
    ROW("out", TEXT, common.out, "DIR", "instead of a table: save the run without the heads that one of these three names"),
    ROW("remove", LONG, prune.remove, "N", "the N least important ones"),
    ROW("heads", TEXT, prune.heads, "LIST", "these: encoder.0:1,3; cross.1:0"),
    ROW("closed", FLAG, prune.closed, NULL, "those whose learnt gate is 0 (translate train --head-gates l0)"),
    ROW("overwrite", FLAG, common.overwrite, NULL, "replace the model that is in --out already"),
    COMMON_ROWS,
    TL_OPTIONS_END};
/* clang-format on */

/* ---- saving ---- */

static bool keep_important(const settings *s, tl_run *run, bool *keep, long count, tl_error *error) {
    tl_set *set = open_set(s, run);
    double *importance = calloc((size_t)count + 1, sizeof *importance);
    long *order = calloc((size_t)count + 1, sizeof *order);
    bool ok = set && importance && order && importance_of(s, run, set, importance);
    if (ok && s->prune.remove > count)
        ok = tl_error_set(error, "--remove %ld: the model has %ld heads", s->prune.remove, count);
    ok = ok && tl_prune_by_importance(importance, count, order);
    for (long i = 0; ok && i < s->prune.remove; i++) keep[order[i]] = false;
    if (!ok && !tl_run_error(run)) tl_error_set(error, "out of memory for %ld heads", count);
    free(order);
    free(importance);
    tl_set_free(set);
    return ok;
}

/* In a model that has lost heads before, numbers count the heads that are left. */
static bool keep_others(const settings *s, const tl_model *model, bool *keep, tl_error *error) {
    const tl_head_shape shape = tl_head_shape_of(model);
    bool *flags = calloc((size_t)tl_head_count(&shape) + 1, sizeof *flags);
    bool ok = flags || tl_error_set(error, "out of memory for a list of heads");
    ok = ok && tl_heads_parse(s->prune.heads, &shape, false, flags, error);
    for (int kind = 0, attention = 0; ok && kind < TL_ATTENTION_KINDS; kind++)
        for (int l = 0; ok && l < model->attentions[kind]; l++, attention++)
            for (int h = 0; ok && h < model->heads; h++) {
                const bool there = h < tl_model_heads(model, (tl_attention_kind)kind, l);
                const bool named = flags[attention * model->heads + h];
                if (there) *keep++ = !named;
                if (!there && named)
                    ok = tl_error_set(error, "--heads: %s.%d has %d heads left, and no number %d",
                                      tl_head_kind_text((tl_attention_kind)kind), l,
                                      tl_model_heads(model, (tl_attention_kind)kind, l), h);
            }
    free(flags);
    return ok;
}

static bool keep_open(tl_run *run, bool *keep, long count, tl_error *error) {
    double *gates = calloc((size_t)count + 1, sizeof *gates);
    const tl_transformer *model = tl_run_transformer(run);
    if (!model || !model->config.head_gates) {
        free(gates);
        return tl_error_set(error, "--closed: the heads of this model have no gates: train some with "
                                   "translate train --head-gates l0 --from DIR");
    }
    const bool ok = gates && tl_prune_gates(run, gates);
    for (long i = 0; ok && i < count; i++) keep[i] = gates[i] != 0;
    free(gates);
    return ok || tl_error_set(error, "out of memory for %ld gates", count);
}

static bool say_saved(const settings *s, tl_run *run, const bool *keep, long count, tl_error *error) {
    long left = 0;
    for (long i = 0; i < count; i++) left += keep[i];
    tl_run *smaller = tl_run_open(s->common.out, NULL, error);
    if (!smaller) return false;
    print_name("The run in ", s->common.out, "");
    printf(" has %ld of %ld heads and %ld of %ld parameters.\n", left, count,
           tl_params_numel(tl_run_params(smaller)), tl_params_numel(tl_run_params(run)));
    const char *kept = tl_run_settings_of(smaller)->model.heads_kept;
    if (kept) print_name("Left: ", kept, " (of all other attentions every head)\n");
    tl_run_free(smaller);
    return true;
}

static bool save(const settings *s, tl_run *run, tl_error *error) {
    const long count = tl_prune_heads(tl_run_model(run));
    bool *keep = malloc((size_t)count + 1);
    if (!keep) return tl_error_set(error, "out of memory for %ld heads", count);
    for (long i = 0; i < count; i++) keep[i] = true;
    bool ok = (s->prune.closed  ? keep_open(run, keep, count, error)
               : s->prune.heads ? keep_others(s, tl_run_model(run), keep, error)
                                : keep_important(s, run, keep, count, error)) &&
              tl_prune(run, keep, s->common.out, s->common.overwrite, error);
    ok = ok && say_saved(s, run, keep, count, error);
    free(keep);
    return ok;
}

/* ---- the table ---- */

static bool draw(const curve *c, const char *path, tl_error *error) {
    bool drawn = false;
    if (!curve_draw(c, path, &drawn, error)) return false;
    if (!drawn)
        fputs("attend: gnuplot is not installed: the script and its table are there, not the picture\n",
              stderr);
    return true;
}

static bool show(const settings *s, tl_run *run, tl_error *error) {
    curve c = {.run = run, .set = open_set(s, run)};
    const bool ok = c.set && curve_make(&c, s, error) && curve_measure(&c, s);
    if (ok) curve_print(&c);
    const bool written = ok && (!s->prune.csv || curve_write(&c, s->prune.csv, error)) &&
                         (!s->prune.svg || draw(&c, s->prune.svg, error));
    curve_free(&c);
    tl_set_free(c.set);
    return written;
}

/* ---- the command ---- */

static const char *error_in(const settings *s) {
    const int ways = (s->prune.remove > 0) + (s->prune.heads != NULL) + s->prune.closed;
    if (s->common.out && ways != 1) return "--out: give one of --remove N, --heads LIST and --closed, too";
    if (!s->common.out && ways)
        return "--remove, --heads and --closed say which heads a saved run lacks: give --out DIR, too";
    if (!s->common.out && s->common.overwrite) return "--overwrite is of --out: give --out DIR, too";
    if (s->common.out && (s->prune.csv || s->prune.svg || s->prune.score))
        return "--out saves a run, and no table is made then: leave out --csv, --svg and --score";
    return s->prune.chances > MOST_CHANCES ? "--chances: at most 1000 are possible" : NULL;
}

int command_prune(settings *s) {
    tl_error error = {""};
    const char *wrong = error_in(s);
    if (wrong) return usage_with("prune", wrong);
    tl_run *run = open_subject(s);
    if (!run) return 1;
    if (tl_prune_heads(tl_run_model(run)) < 1)
        tl_error_set(&error, "the model has no heads that could go");
    else if (s->common.out)
        save(s, run, &error);
    else
        show(s, run, &error);
    const int status = status_of(run, &error);
    tl_run_free(run);
    return status;
}
