/* How good a model is with fewer and fewer heads: measuring, printing, writing and drawing. */
#include "prune.h"

#include <tapeloom/heads.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- orders ---- */

bool importance_of(const settings *s, tl_run *run, tl_set *set, double *importance) {
    tl_heads_table table;
    if (!s->prune.raw) return tl_heads_importance(run, set, s->prune.per_token, importance);
    const bool ok = tl_heads_measure(run, set, &(tl_heads_options){.per_token = s->prune.per_token}, &table);
    for (long i = 0; ok && i < table.count; i++) importance[i] = table.row[i].raw;
    tl_heads_table_free(&table);
    return ok;
}

static bool allocate(curve *c) {
    const size_t orders = (size_t)c->chances + 1, points = (size_t)c->points, heads = (size_t)c->heads;
    c->removed = calloc(points, sizeof *c->removed);
    c->order = calloc(orders * heads, sizeof *c->order);
    c->loss = calloc(orders * points, sizeof *c->loss);
    c->score = calloc(orders * points, sizeof *c->score);
    c->importance = calloc(heads, sizeof *c->importance);
    return c->removed && c->order && c->loss && c->score && c->importance;
}

bool curve_make(curve *c, const settings *s, tl_error *error) {
    const long every = s->prune.every ? s->prune.every : 1;
    c->heads = tl_prune_heads(tl_run_model(c->run));
    c->chances = s->prune.chances ? s->prune.chances : 3;
    c->points = tl_prune_points(c->heads, every, NULL);
    c->score_label = s->prune.score ? tl_run_score_label(c->run) : NULL;
    if (s->prune.score && !c->score_label)
        return tl_error_set(error, "--score: runs of %s have none but the loss: leave it out",
                            tl_run_program_name(c->run));
    if (!allocate(c)) return tl_error_set(error, "out of memory for a table of %ld heads", c->heads);
    tl_prune_points(c->heads, every, c->removed);
    if (!importance_of(s, c->run, c->set, c->importance)) return false;
    for (long i = 1; i <= c->chances; i++) tl_prune_by_chance(c->heads, (uint64_t)i, c->order + i * c->heads);
    return tl_prune_by_importance(c->importance, c->heads, c->order) ||
           tl_error_set(error, "out of memory for an order of %ld heads", c->heads);
}

void curve_free(curve *c) {
    free(c->removed);
    free(c->order);
    free(c->loss);
    free(c->score);
    free(c->importance);
}

/* ---- measuring ---- */

/* With no head or all heads removed, every order gives the same. */
static bool is_shared(const curve *c, long order, long point) {
    return order > 0 && (c->removed[point] == 0 || c->removed[point] == c->heads);
}

static long count_measurements(const curve *c) {
    long count = 0;
    for (long o = 0; o <= c->chances; o++)
        for (long p = 0; p < c->points; p++) count += !is_shared(c, o, p);
    return count;
}

static bool measure_at(curve *c, long order, long point) {
    tl_quality q = {0};
    const long at = order * c->points + point;
    if (is_shared(c, order, point)) {
        c->loss[at] = c->loss[point], c->score[at] = c->score[point];
        return true;
    }
    const bool ok = tl_prune_measure(c->run, c->set, c->order + order * c->heads, c->removed[point],
                                     c->score_label != NULL, &q);
    c->loss[at] = q.loss, c->score[at] = q.score;
    return ok;
}

bool curve_measure(curve *c, const settings *s) {
    const long all = count_measurements(c);
    long done = 0;
    bar b;
    bool ok = true;
    bar_begin(&b, s, "pruning", "model");
    bar_step(&b, 0, all);
    for (long o = 0; ok && o <= c->chances; o++)
        for (long p = 0; ok && p < c->points; p++) {
            ok = measure_at(c, o, p);
            if (!is_shared(c, o, p)) bar_step(&b, ++done, all);
        }
    bar_end(&b);
    return ok;
}

/* ---- showing ---- */

/* The head that was removed last by importance, "encoder.0:3"; "-" if none was. */
static const char *last_removed(const curve *c, long point, char to[64]) {
    tl_head_name head = {.layer = 0};
    if (!c->removed[point]) return "-";
    tl_prune_head(tl_run_model(c->run), c->order[c->removed[point] - 1], &head);
    snprintf(to, 64, "%s.%d:%d", tl_head_kind_text(head.kind), head.layer, head.head);
    return to;
}

static tl_spread by_chance(const curve *c, const double *measured, long point) {
    double numbers[MOST_CHANCES];
    for (long o = 1; o <= c->chances; o++) numbers[o - 1] = measured[o * c->points + point];
    return tl_spread_of(numbers, c->chances);
}

static double share(const curve *c, long point) { return (double)c->removed[point] / (double)c->heads; }

static void print_heading(const curve *c) {
    const char *score = c->score_label;
    printf("%ld heads, on %s (%ld sentences). By importance: the least important first; by chance: mean and "
           "standard deviation of %ld order%s.\n\n",
           c->heads, tl_set_name(c->set), tl_set_count(c->set), c->chances, c->chances == 1 ? "" : "s");
    if (score) {
        printf("                by importance    by chance\n");
        printf("removed  share    loss  %6s     loss           %-14s   last to go\n", score, score);
    } else {
        printf("                by importance    by chance\n");
        printf("removed  share            loss     loss             last to go\n");
    }
}

void curve_print(const curve *c) {
    char head[64];
    print_heading(c);
    for (long p = 0; p < c->points; p++) {
        const tl_spread loss = by_chance(c, c->loss, p), score = by_chance(c, c->score, p);
        printf("%7ld  %3.0f %%  ", c->removed[p], 100 * share(c, p));
        if (c->score_label)
            printf("%6.3f  %6.2f   %6.3f ± %.3f  %6.2f ± %5.2f   %s\n", c->loss[p], c->score[p], loss.mean,
                   loss.deviation, score.mean, score.deviation, last_removed(c, p, head));
        else
            printf("        %6.3f   %6.3f ± %.3f   %s\n", c->loss[p], loss.mean, loss.deviation,
                   last_removed(c, p, head));
    }
}

/* ---- files ---- */

static void write_measured(tl_csv *csv, const curve *c, const double *measured, long point) {
    const tl_spread spread = by_chance(c, measured, point);
    double least = INFINITY, largest = -INFINITY;
    for (long o = 1; o <= c->chances; o++) {
        least = fmin(least, measured[o * c->points + point]);
        largest = fmax(largest, measured[o * c->points + point]);
    }
    tl_csv_double(csv, measured[point]);
    tl_csv_double(csv, spread.mean);
    tl_csv_double(csv, spread.deviation);
    tl_csv_double(csv, least);
    tl_csv_double(csv, largest);
}

bool curve_write(const curve *c, const char *path, tl_error *error) {
#define COLUMNS(of) of, of "_chance", of "_chance_deviation", of "_chance_least", of "_chance_largest"
    static const char *const columns[] = {"removed", "share", "last", COLUMNS("loss"), COLUMNS("score")};
    char head[64];
    tl_csv *csv = tl_csv_table(path, columns, c->score_label ? 13 : 8, error);
    for (long p = 0; csv && p < c->points && !tl_csv_error(csv); p++) {
        tl_csv_long(csv, c->removed[p]);
        tl_csv_double(csv, share(c, p));
        tl_csv_text(csv, last_removed(c, p, head));
        write_measured(csv, c, c->loss, p);
        if (c->score_label) write_measured(csv, c, c->score, p);
        tl_csv_end_row(csv);
    }
    return csv && tl_csv_close(csv, error);
}

/* The path with another ending: ".csv" instead of ".svg". */
static const char *beside(const char *path, const char *ending, char to[PATH_SIZE]) {
    const char *dot = strrchr(path, '.'), *slash = strrchr(path, '/');
    const size_t stem = dot && (!slash || dot > slash) ? (size_t)(dot - path) : strlen(path);
    snprintf(to, PATH_SIZE, "%.*s%s", (int)stem, path, ending);
    return to;
}

static const char *name_in_folder(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool curve_draw(const curve *c, const char *path, bool *drawn, tl_error *error) {
    char csv[PATH_SIZE], script[PATH_SIZE], label[64];
#define CURVES(of)                                                                           \
 {                                                                                           \
  {of, "by importance"}, {of "_chance", "by chance, mean"}, {of "_chance_least", "least"}, { \
   of "_chance_largest", "largest"                                                           \
  }                                                                                          \
 }
    static const tl_plot_curve loss[] = CURVES("loss"), score[] = CURVES("score");
    snprintf(label, sizeof label, "%s", c->score_label ? c->score_label : "");
    const tl_plot_panel panels[] = {{.label = "loss, nats a token", .curves = loss, .count = 4},
                                    {.label = label, .curves = score, .count = 4}};
    const tl_plot_config config = {.log = name_in_folder(beside(path, ".csv", csv)),
                                   .x = "share",
                                   .x_label = "share of the heads removed",
                                   .panels = panels,
                                   .count = c->score_label ? 2 : 1,
                                   .picture = name_in_folder(path)};
    return curve_write(c, csv, error) && tl_plot_write(beside(path, ".gp", script), &config, error) &&
           tl_plot_draw(script, drawn, error);
}
