/* The rows of watch.csv: gradients and steps by groups of parameters, and columns of the model. A step is measured
 * against a copy of the weights before it, so it does not matter which optimiser made it. */
#include "training.h"
#include "watch.h"
#include "paths.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct tl_watch {
    tl_csv *csv;
    int groups;
    int *group_of; /* [parameters] */
    char (*group)[TL_WATCH_NAME];
    double *grad, *weight; /* [groups] sums of squares */
    tl_real *before;       /* the parameters' values, one after the other */
    int columns;           /* columns of the model; 0 without one */
    tl_watch_mean *seen;   /* [columns] */
};

/* ---- opening ---- */

static const char watch_file[] = "watch.csv";

static int find_group(tl_watch *w, const char *name) {
    int g = 0;
    while (g < w->groups && strcmp(w->group[g], name)) g++;
    if (g == w->groups) snprintf(w->group[w->groups++], TL_WATCH_NAME, "%s", name);
    return g;
}

static bool make_room(tl_watch *w, const tl_train_config *c) {
    const size_t params = (size_t)tl_params_count(c->params);
    w->columns = tl_watch_columns(c->model);
    w->group_of = calloc(params + 1, sizeof *w->group_of);
    w->group = calloc(params + 1, sizeof *w->group);
    w->grad = calloc(params + 1, sizeof *w->grad);
    w->weight = calloc(params + 1, sizeof *w->weight);
    w->before = malloc(((size_t)tl_params_numel(c->params) + 1) * sizeof *w->before);
    w->seen = calloc((size_t)w->columns + 1, sizeof *w->seen);
    return w->group_of && w->group && w->grad && w->weight && w->before && w->seen;
}

static void name_groups(tl_watch *w, const tl_params *params) {
    char name[TL_WATCH_NAME];
    for (int i = 0; i < tl_params_count(params); i++)
        w->group_of[i] = find_group(w, tl_watch_group(tl_params_at(params, i)->leaf.name, name));
}

enum { FIRST_COLUMNS = 4 };
static const char *const first_columns[FIRST_COLUMNS] = {"step", "learning_rate", "loss", "gradient_norm"};

static bool open_table(tl_training *t, tl_watch *w) {
    char path[TL_PATH];
    const int count = FIRST_COLUMNS + 2 * w->groups + w->columns;
    char(*text)[TL_WATCH_NAME + 16] = calloc((size_t)count, sizeof *text);
    const char **name = calloc((size_t)count, sizeof *name);
    for (int i = 0; text && name && i < count; i++) {
        const int g = i - FIRST_COLUMNS, shown = g - 2 * w->groups;
        name[i] = text[i];
        if (g < 0)
            snprintf(text[i], sizeof *text, "%s", first_columns[i]);
        else if (shown < 0)
            snprintf(text[i], sizeof *text, "%s.%s", g < w->groups ? "gradient" : "update",
                     w->group[g % w->groups]);
        else
            tl_watch_column(t->config->model, shown, text[i]);
    }
    if (text && name)
        w->csv = tl_csv_open(tl_path_in(path, t->config->dir, watch_file), name, count, t->config->resume,
                             t->error);
    else
        tl_error_set(t->error, "out of memory for what is watched");
    free(text);
    free(name);
    return w->csv != NULL;
}

/* Done also if nothing is watched any more: later rows belong to a course that training does not repeat. */
static bool drop_later_rows(const tl_training *t) {
    char path[TL_PATH];
    bool there;
    tl_path_in(path, t->config->dir, watch_file);
    return tl_file_look(path, &there, t->error) && (!there || tl_rows_trim(path, t->now.at.step, t->error));
}

bool tl_watch_open(tl_training *t) {
    const tl_train_config *c = t->config;
    if (c->resume && !drop_later_rows(t)) return false;
    if (!c->training->watch) return true;
    tl_watch *w = t->watch = calloc(1, sizeof *w);
    if (!w || !make_room(w, c)) return tl_error_set(t->error, "out of memory for what is watched");
    name_groups(w, c->params);
    return open_table(t, w);
}

bool tl_watch_close(tl_training *t) {
    tl_watch *w = t->watch;
    if (!w) return true;
    const bool ok = !w->csv || tl_csv_close(w->csv, t->error);
    free(w->group_of);
    free(w->group);
    free(w->grad);
    free(w->weight);
    free(w->before);
    free(w->seen);
    free(w);
    t->watch = NULL;
    return ok;
}

/* ---- an update ---- */

bool tl_watch_is_due(const tl_training *t) {
    return t->watch && t->now.at.step % t->config->training->watch == 0;
}

bool tl_watch_look(tl_training *t) {
    tl_watch *w = t->watch;
    const tl_train_config *c = t->config;
    memset(w->seen, 0, (size_t)w->columns * sizeof *w->seen);
    if (!c->model || !c->task->batch) return true;
    tl_tape_reset(c->tape);
    const tl_batch *batch = c->task->batch(c->task->context);
    return !batch || tl_watch_batch(c->model, c->tape, batch, w->seen);
}

void tl_watch_gradients(tl_training *t) {
    tl_watch *w = t->watch;
    tl_real *to = w->before;
    memset(w->grad, 0, (size_t)w->groups * sizeof *w->grad);
    memset(w->weight, 0, (size_t)w->groups * sizeof *w->weight);
    for (int i = 0; i < tl_params_count(t->config->params); i++) {
        const tl_leaf *leaf = &tl_params_at(t->config->params, i)->leaf;
        const long n = tl_numel(leaf->value);
        memcpy(to, leaf->value.data, (size_t)n * sizeof *to);
        w->weight[w->group_of[i]] += tl_watch_squares(to, n);
        /* otherwise the gradient is from an earlier update or stage */
        if (leaf->reached) w->grad[w->group_of[i]] += tl_watch_squares(leaf->grad, n);
        to += n;
    }
}

/* An empty cell if there is no number. */
static void add_cell(tl_csv *csv, double value, bool is_there) {
    if (is_there)
        tl_csv_float(csv, (float)value);
    else
        tl_csv_text(csv, "");
}

static void add_updates(const tl_training *t) {
    const tl_watch *w = t->watch;
    for (int g = 0; g < w->groups; g++) {
        const tl_real *before = w->before;
        double moved = 0;
        for (int i = 0; i < tl_params_count(t->config->params); i++) {
            const tl_tensor now = tl_params_at(t->config->params, i)->leaf.value;
            if (w->group_of[i] == g) moved += tl_watch_distance(now.data, before, tl_numel(now));
            before += tl_numel(now);
        }
        add_cell(w->csv, sqrt(moved / w->weight[g]), w->weight[g] > 0);
    }
}

static void add_seen(const tl_training *t) {
    char name[TL_WATCH_NAME];
    for (int i = 0; i < t->watch->columns; i++) {
        const tl_watch_mean *m = &t->watch->seen[i];
        const bool squares = !strncmp(tl_watch_column(t->config->model, i, name), "rms.", 4);
        const double mean = m->sum / m->count;
        add_cell(t->watch->csv, squares ? sqrt(mean) : mean, m->count > 0);
    }
}

bool tl_watch_row(tl_training *t, double loss, double norm) {
    tl_watch *w = t->watch;
    tl_csv_long(w->csv, t->now.at.step);
    tl_csv_double(w->csv, tl_learning_rate(t));
    tl_csv_float(w->csv, (float)loss);
    tl_csv_float(w->csv, (float)norm);
    for (int g = 0; g < w->groups; g++) tl_csv_float(w->csv, (float)sqrt(w->grad[g]));
    add_updates(t);
    add_seen(t);
    return tl_csv_end_row(w->csv) || tl_error_set(t->error, "%s", tl_csv_error(w->csv));
}
