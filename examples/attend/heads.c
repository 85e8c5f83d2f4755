/* attend heads: what each head does over a test set, as a table, a CSV and a picture. The library (tapeloom/heads.h)
 * measures. */
#include "program.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const tl_option heads_options[] = {
    SUBJECT_ROWS,
    SET_ROWS,
    ROW("per-token", FLAG, heads.per_token, NULL,
        "importance: the absolute value of each token, as Michel et al.'s code has it, not of each sentence"),
    ROW("ablate", TEXT, heads.ablate, "zero|mean|both",
        "the loss without each head: its context replaced by 0, or by its mean over the set (a pass a head)"),
    ROW("score", FLAG, heads.score, NULL,
        "also what the run is scored by (BLEU …): takes a search a sentence and pass"),
    ROW("sort", TEXT, heads.sort, "layer|importance|loss",
        "order of the table; loss: what it grows by without the head"),
    ROW("csv", TEXT, heads.csv, "FILE", "write the table, with all digits"),
    ROW("svg", TEXT, heads.svg, "FILE", "draw it: a square for each head, as dark as the head is important"),
    COMMON_ROWS,
    TL_OPTIONS_END};

/* ---- columns ---- */

typedef struct column {
    const char *csv;          /* the column's name in the file */
    const char *above, *name; /* its heading; NULL: only in the file */
    const char *format;
    double (*value)(const tl_heads_row *row, const tl_heads_table *table);
} column;

#define VALUE(name, expression)                                             \
 static double name(const tl_heads_row *row, const tl_heads_table *table) { \
  (void)row, (void)table;                                                   \
  return expression;                                                        \
 }
VALUE(importance, row->importance)
VALUE(raw, row->raw)
VALUE(confidence, row->habits.confidence)
VALUE(offset, isnan(row->habits.share) ? NAN : (double)row->habits.offset)
VALUE(share, row->habits.share)
VALUE(reach, row->habits.reach)
VALUE(positional, row->habits.positional)
VALUE(entropy, row->habits.entropy)
VALUE(even, row->habits.against_uniform)
VALUE(distance, row->habits.distance)
VALUE(first, row->habits.first)
VALUE(end, row->habits.end)
VALUE(errors, row->alignment_error_rate)
VALUE(loss, table->loss)
VALUE(loss_zero, row->loss_zero)
VALUE(loss_mean, row->loss_mean)
VALUE(growth_zero, row->loss_zero - table->loss)
VALUE(growth_mean, row->loss_mean - table->loss)
VALUE(score, table->score)
VALUE(score_zero, row->score_zero)
VALUE(score_mean, row->score_mean)

static const column columns[] = {{"importance", "impor-", "tance", "%.3f", importance},
                                 {"nats", "nats a", "sent.", "%.3f", raw},
                                 {"confidence", "confi-", "dence", "%.3f", confidence},
                                 {"offset", "most", "at", "%+.0f", offset},
                                 {"share", "of all", "rows", "%.2f", share},
                                 {"reach", "of its", "rows", "%.2f", reach},
                                 {"positional", NULL, NULL, NULL, positional},
                                 {"entropy", "entro-", "py", "%.2f", entropy},
                                 {"against_uniform", "of", "even", "%.2f", even},
                                 {"distance", "dis-", "tance", "%.1f", distance},
                                 {"first", "to the", "first", "%.2f", first},
                                 {"end", "to", "<eos>", "%.2f", end},
                                 {"alignment_error_rate", "align.", "errors", "%.3f", errors},
                                 {"loss", NULL, NULL, NULL, loss},
                                 {"loss_zero", NULL, NULL, NULL, loss_zero},
                                 {"loss_mean", NULL, NULL, NULL, loss_mean},
                                 {NULL, "loss", "zero", "%+.4f", growth_zero},
                                 {NULL, "loss", "mean", "%+.4f", growth_mean},
                                 {"score", NULL, NULL, NULL, score},
                                 {"score_zero", "score", "zero", "%.2f", score_zero},
                                 {"score_mean", "score", "mean", "%.2f", score_mean}};
enum { COLUMNS = sizeof columns / sizeof *columns, NAMED = 2 };

/* ---- sorting ---- */

static double rank_of(const settings *s, const tl_heads_table *t, long i) {
    if (!s->heads.sort || !strcmp(s->heads.sort, "layer")) return (double)-i;
    if (!strcmp(s->heads.sort, "importance")) return t->row[i].importance;
    return isnan(t->row[i].loss_zero) ? t->row[i].loss_mean : t->row[i].loss_zero;
}

/* Largest first; ties keep their order. There are at most a few hundred. */
static void sort(const settings *s, const tl_heads_table *t, long *order) {
    for (long i = 0; i < t->count; i++) {
        long at = i;
        for (; at > 0 && rank_of(s, t, order[at - 1]) < rank_of(s, t, i); at--) order[at] = order[at - 1];
        order[at] = i;
    }
}

/* ---- on the terminal ---- */

static void put_right(const char *text, long width) {
    printf("%*s%s", (int)(width > tl_text_columns(text) ? width - tl_text_columns(text) : 0), "", text);
}

/* Does the column have any number? */
static bool is_shown(const column *c, const tl_heads_table *t) {
    for (long i = 0; c->name && i < t->count; i++)
        if (!isnan(c->value(&t->row[i], t))) return true;
    return false;
}

static const char *cell(const column *c, const tl_heads_row *row, const tl_heads_table *t, char text[32]) {
    const double value = c->value(row, t);
    snprintf(text, 32, isnan(value) ? "–" : value == 0 && c->value == offset ? "%.0f" : c->format, value);
    return text;
}

/* Widths that fit heading and numbers; 0: not shown. */
static void find_widths(const tl_heads_table *t, long widths[COLUMNS]) {
    char text[32];
    for (int c = 0; c < COLUMNS; c++) {
        widths[c] = 0;
        if (!is_shown(&columns[c], t)) continue;
        widths[c] = tl_text_columns(columns[c].above);
        if (tl_text_columns(columns[c].name) > widths[c]) widths[c] = tl_text_columns(columns[c].name);
        for (long i = 0; i < t->count; i++) {
            const long width = tl_text_columns(cell(&columns[c], &t->row[i], t, text));
            if (width > widths[c]) widths[c] = width;
        }
    }
}

static void print_headings(const long widths[COLUMNS], const char *const *names, int width) {
    for (int line = 0; line < 2; line++) {
        printf("%-*s %4s", width, line ? names[0] : "", line ? names[1] : "");
        for (int c = 0; c < COLUMNS; c++)
            if (widths[c]) printf("  "), put_right(line ? columns[c].name : columns[c].above, widths[c]);
        printf("\n");
    }
}

static void print_row(const tl_heads_row *row, const tl_heads_table *t, const long widths[COLUMNS],
                      int width) {
    char text[32];
    printf("%-*s %4d", width, row->attention, row->head);
    for (int c = 0; c < COLUMNS; c++)
        if (widths[c]) printf("  "), put_right(cell(&columns[c], row, t, text), widths[c]);
    printf(row->habits.positional ? "  positional\n" : "\n");
}

static void print_numbers(const settings *s, const tl_heads_table *t, const tl_set *set, const char *score) {
    print_name("", tl_set_name(set), "");
    printf(": %ld %s, loss %.4f nats", t->sentences, t->sentences == 1 ? "sentence" : "sentences", t->loss);
    if (!isnan(t->score)) printf(", %s %.2f", score, t->score);
    printf(
        "\nImportance: %s, mean over the sentences; then divided by the norm of its attention's heads.\n\n",
        s->heads.per_token ? "the size of each token's C·dC, summed"
                           : "the size of a sentence's summed C·dC");
}

static void print_agreement(const char *what, double agreement, double raw) {
    if (!isnan(raw))
        printf(
            "What the loss grows by %s ranks like nats a sentence: %.2f, like importance: %.2f (Spearman).\n",
            what, raw, agreement);
}

static void print_end(const tl_heads_table *t) {
    long positional = 0;
    for (long i = 0; i < t->count; i++) positional += t->row[i].habits.positional;
    printf("\nPositional: %ld of %ld heads, those whose largest weight stands at one offset in %.0f %% of "
           "the rows or more.\n",
           positional, t->count, 100 * TL_POSITIONAL_SHARE);
    print_agreement("without a head", t->agreement_zero, t->raw_agreement_zero);
    print_agreement("with a head's mean instead", t->agreement_mean, t->raw_agreement_mean);
}

static void print_table(const settings *s, const tl_heads_table *t, const long *order) {
    static const char *const names[NAMED] = {"attention", "head"};
    int width = (int)strlen(names[0]);
    for (long i = 0; i < t->count; i++)
        if ((int)strlen(t->row[i].attention) > width) width = (int)strlen(t->row[i].attention);
    long widths[COLUMNS];
    find_widths(t, widths);
    print_headings(widths, names, width);
    for (long i = 0; i < t->count; i++) {
        const bool by_layer = !s->heads.sort || !strcmp(s->heads.sort, "layer");
        if (by_layer && i && t->row[i].kind != t->row[i - 1].kind) printf("\n");
        print_row(&t->row[order[i]], t, widths, width);
    }
}

/* ---- files ---- */

static bool write_csv(const settings *s, const tl_heads_table *t, const long *order, tl_error *error) {
    const char *names[COLUMNS + NAMED] = {"attention", "head"};
    int count = NAMED;
    for (int c = 0; c < COLUMNS; c++)
        if (columns[c].csv) names[count++] = columns[c].csv;
    tl_csv *csv = tl_csv_table(s->heads.csv, names, count, error);
    for (long i = 0; csv && i < t->count; i++) {
        const tl_heads_row *row = &t->row[order[i]];
        tl_csv_text(csv, row->attention);
        tl_csv_long(csv, row->head);
        for (int c = 0; c < COLUMNS; c++)
            if (columns[c].csv) tl_csv_double(csv, columns[c].value(row, t));
        tl_csv_end_row(csv);
    }
    return csv && tl_csv_close(csv, error);
}

static bool write_picture(const settings *s, const tl_heads_table *t, const tl_run *run, const tl_set *set,
                          tl_error *error) {
    size_t size = 0;
    char title[2 * PATH_SIZE];
    const char *dir = tl_run_dir(run);
    snprintf(title, sizeof title, "%s%s%s, %ld sentences, loss %.4f", dir ? dir : "", dir && *dir ? ": " : "",
             tl_set_name(set), t->sentences, t->loss);
    char *svg = heads_picture(t, title, &size);
    const bool ok = svg ? tl_file_write(s->heads.svg, svg, size, error)
                        : tl_error_set(error, "out of memory for a picture");
    free(svg);
    return ok;
}

/* ---- the command ---- */

typedef struct watcher {
    const settings *settings;
    const char *what;
    bar bar;
} watcher;

static bool watch(void *context, const char *what, long done, long total) {
    watcher *w = context;
    if (what != w->what) {
        if (w->what) bar_end(&w->bar);
        w->what = what;
        bar_begin(&w->bar, w->settings, what, strcmp(what, "without a head") ? "sentence" : "pass");
    }
    return bar_step(&w->bar, done, total);
}

static bool show(const settings *s, const tl_heads_table *t, const tl_run *run, const tl_set *set,
                 tl_error *error) {
    long *order = malloc((size_t)t->count * sizeof *order);
    if (!order) return tl_error_set(error, "out of memory for a table");
    sort(s, t, order);
    print_numbers(s, t, set, tl_run_score_label(run));
    print_table(s, t, order);
    print_end(t);
    const bool ok = (!s->heads.csv || write_csv(s, t, order, error)) &&
                    (!s->heads.svg || write_picture(s, t, run, set, error));
    free(order);
    return ok;
}

static bool is_one(const char *text, const char *a, const char *b) {
    return text && (!strcmp(text, a) || !strcmp(text, b));
}

int command_heads(settings *s) {
    tl_error error = {""};
    tl_heads_table table = {0};
    watcher w = {.settings = s};
    if (is_one(s->heads.sort, "loss", "loss") && !s->heads.ablate)
        return usage_with("heads", "--sort loss is by the loss without each head: add --ablate");
    tl_run *run = open_subject(s);
    if (!run) return 1;
    tl_set *set = open_set(s, run);
    const tl_heads_options options = {.per_token = s->heads.per_token,
                                      .zero = is_one(s->heads.ablate, "zero", "both"),
                                      .mean = is_one(s->heads.ablate, "mean", "both"),
                                      .score = s->heads.score,
                                      .progress = watch,
                                      .context = &w};
    const bool ok = all_well(run, set != NULL, &error) && tl_heads_measure(run, set, &options, &table);
    if (w.what) bar_end(&w.bar);
    if (ok) all_well(run, !leads() || show(s, &table, run, set, &error), &error);
    const int status = status_of(run, &error);
    tl_heads_table_free(&table);
    tl_set_free(set);
    tl_run_free(run);
    return status;
}
