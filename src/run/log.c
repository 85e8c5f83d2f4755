/* The log, a row for each validation, and its curves. */
#include "events.h"
#include "base/quote.h"
#include "paths.h"
#include "training.h"

#include <stdlib.h>
#include <string.h>

/* A task whose score is its accuracy uses the accuracy column, in per cent. */
static bool is_accuracy(const tl_task *task) { return task->score && !strcmp(task->score, "accuracy"); }

bool tl_log_open(tl_training *t) {
    const tl_train_config *c = t->config;
    const char *columns[9] = {"step", "epoch", "seconds", "learning_rate", "train_loss", "valid_loss"};
    int count = 6;
    if (!is_accuracy(c->task)) columns[count++] = "accuracy";
    if (c->task->score) columns[count++] = c->task->score;
    columns[count++] = "tokens_per_second";
    char path[TL_PATH];
    tl_path_in(path, c->dir, "log.csv");
    if (c->resume && !tl_rows_trim(path, t->now.at.step, t->error)) return false;
    t->log = tl_csv_open(path, columns, count, c->resume, t->error);
    return t->log != NULL;
}

bool tl_log_row(tl_training *t, const tl_quality *q, double elapsed, double train_loss,
                double tokens_per_second) {
    tl_csv_long(t->log, t->now.at.step);
    tl_csv_long(t->log, t->now.at.epoch);
    tl_csv_double(t->log, elapsed);
    tl_csv_double(t->log, tl_learning_rate(t));
    tl_csv_double(t->log, train_loss);
    tl_csv_double(t->log, q->loss);
    if (!is_accuracy(t->config->task)) tl_csv_double(t->log, q->accuracy);
    if (t->config->task->score) tl_csv_double(t->log, q->score);
    tl_csv_double(t->log, tokens_per_second);
    return tl_csv_end_row(t->log) || tl_error_set(t->error, "%s", tl_csv_error(t->log));
}

void tl_draw_curves(const tl_training *t) {
    const tl_task *task = t->config->task;
    static const tl_plot_curve losses[] = {{"train_loss", "training (label-smoothed)"},
                                           {"valid_loss", "validation"}},
                               rate[] = {{"learning_rate", "learning rate"}};
    const tl_plot_curve score[] = {{task->score, "validation"}};
    char per[64];
    snprintf(per, sizeof per, "loss (nats per %s)", task->unit ? task->unit : "token");
    tl_plot_panel panels[3] = {{.label = per, .curves = losses, .count = 2}};
    int count = 1;
    if (task->score)
        panels[count++] = (tl_plot_panel){
            .label = task->score_label ? task->score_label : task->score, .curves = score, .count = 1};
    panels[count++] = (tl_plot_panel){.label = "learning rate", .curves = rate, .count = 1};
    char path[TL_PATH];
    bool drawn;
    char title[TL_SHOWN];
    tl_plot_config config = {.title = tl_shown_path(t->config->dir, title),
                             .log = "log.csv",
                             .x = "step",
                             .x_label = "updates",
                             .panels = panels,
                             .count = count,
                             .picture = "curves.svg"};
    tl_error wrong = {""};
    tl_path_in(path, t->config->dir, "curves.gp");
    if (!tl_plot_write(path, &config, &wrong) || !tl_plot_draw(path, &drawn, &wrong))
        TL_TELL(t->config->events, warning, wrong.message);
}
