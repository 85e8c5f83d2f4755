/* How flow shows its results: a row for each token that the model reads, a column for each method, shaded by the
 * share of the column's largest; and for each written token the four τ. */
#include "flow.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A row: tokens first … last of a side, as one text. */
typedef struct row {
    bool target;
    long first, last;
    char *label; /* made harmless; freed with the rows */
} row;
typedef struct rows {
    row *row;
    long count;
    long width; /* width of the widest label */
} rows;

static const tl_tokens *tokens_of(const flow *f, bool target) {
    const tl_sentence *sentence = &f->sentences.sentence[0];
    return target ? &sentence->read : &sentence->src;
}

/* ---- labels ---- */

static char *label_of(const flow *f, const row *at) {
    const tl_tokens *tokens = tokens_of(f, at->target);
    if (at->first >= tokens->count) return shown_text("?");
    const long word = f->s->flow.words ? tokens->word[at->first] : -1;
    return shown_text(tl_seen_label(tokens, word < 0 ? at->first : word, word >= 0, tl_run_tape(f->run)));
}

/* Does this token begin a row? */
static bool begins(const flow *f, const tl_tokens *tokens, long i) {
    return i == 0 || i >= tokens->count || !f->s->flow.words || tokens->word[i] < 0 ||
           tokens->word[i] != tokens->word[i - 1];
}

/* Can anything have reached the token? Not if the decoder reads it later. */
static bool reached(const flow *f, long place) {
    if (place <= f->sources + f->objective.position) return true;
    for (int m = 0; m < FLOW_METHODS; m++)
        if (f->value[m] && f->value[m][place] != 0) return true;
    return false;
}

static bool rows_of(const flow *f, rows *all) {
    const long places = f->sources + f->targets;
    *all = (rows){.row = calloc((size_t)places + 1, sizeof *all->row)};
    if (!all->row) return false;
    for (long p = 0; p < places; p++) {
        const bool target = p >= f->sources;
        const long i = target ? p - f->sources : p;
        if (!reached(f, p)) continue;
        if (begins(f, tokens_of(f, target), i) || (target && i == 0))
            all->row[all->count++] = (row){.target = target, .first = i};
        all->row[all->count - 1].last = i;
    }
    for (long r = 0; r < all->count; r++) {
        row *at = &all->row[r];
        if (!(at->label = label_of(f, at))) return false;
        if (tl_text_columns(at->label) > all->width) all->width = tl_text_columns(at->label);
    }
    return true;
}

static void rows_free(rows *all) {
    for (long r = 0; r < all->count; r++) free(all->row[r].label);
    free(all->row);
}

static double value_of(const flow *f, flow_method m, const row *at) {
    double sum = 0;
    for (long i = at->first; i <= at->last; i++) sum += f->value[m][(at->target ? f->sources : 0) + i];
    return sum;
}

/* ---- the table ---- */

enum { COLUMN = 14 };

static void put_padded(const char *text, long width) {
    fputs(text, stdout);
    for (long used = tl_text_columns(text); used < width; used++) putchar(' ');
}

static void put_value(double value, double largest) {
    char number[32];
    const double size = fabs(value);
    snprintf(number, sizeof number, size != 0 && (size < 0.0005 || size >= 1e5) ? "%.1e" : "%.3f", value);
    printf("  %8s ", number);
    put_padded(shade_of(largest > 0 ? size / largest : 0, true), 2);
}

static void put_rows(const flow *f, const rows *all, bool target, const double *largest) {
    for (long r = 0; r < all->count; r++) {
        if (all->row[r].target != target) continue;
        printf("  ");
        put_padded(all->row[r].label, all->width);
        for (int m = 0; m < TAU; m++)
            if (f->value[m]) put_value(value_of(f, m, &all->row[r]), largest[m]);
        putchar('\n');
    }
}

/* Prints the sums of methods whose numbers have a meaningful sum. */
static void put_sums(const flow *f, const rows *all) {
    printf("  ");
    put_padded("sum", all->width);
    for (int m = 0; m < TAU; m++) {
        double sum = 0;
        if (!f->value[m]) continue;
        for (long i = 0; i < f->sources + f->targets; i++) sum += f->value[m][i];
        if (m == MAX_FLOW || m == CHEFER)
            printf("  %8s   ", "");
        else
            put_value(sum, 0);
    }
    putchar('\n');
}

static void put_table(const flow *f, const rows *all) {
    double largest[FLOW_METHODS] = {0};
    bool any = false;
    for (int m = 0; m < TAU; m++)
        for (long r = 0; f->value[m] && r < all->count; r++) {
            largest[m] = fmax(largest[m], fabs(value_of(f, m, &all->row[r])));
            any = true;
        }
    if (!any) return;
    printf("\n  ");
    put_padded("", all->width);
    /* above the number and its shade */
    for (int m = 0; m < TAU; m++)
        if (f->value[m]) printf("  %12s", flow_title(m));
    putchar('\n');
    put_rows(f, all, false, largest);
    if (f->targets && f->sources) puts("  and of what it had written:");
    put_rows(f, all, true, largest);
    put_sums(f, all);
}

/* ---- τ ---- */

static void put_tau(double tau) {
    if (isnan(tau))
        printf("  %12s", "-");
    else
        printf("  %12.2f", tau);
}

static double mean_of(const flow *f, size_t field) {
    double sum = 0;
    long count = 0;
    for (long w = 0; w < f->words; w++) {
        double tau;
        memcpy(&tau, (const char *)&f->taus[w] + field, sizeof tau);
        if (!isnan(tau)) sum += tau, count++;
    }
    return count ? sum / (double)count : NAN;
}

static const struct {
    const char *name, *title;
    size_t field;
} taus[] = {{"tau-embedding", "|grad x emb|", offsetof(tl_grad_taus, embedding)},
            {"tau-uniform", "uniform", offsetof(tl_grad_taus, uniform)},
            {"tau-dA", "|dA|", offsetof(tl_grad_taus, weight_grad)},
            {"tau-dA-raw", "|dA| raw", offsetof(tl_grad_taus, weight_grad_raw)}};
enum { TAUS = sizeof taus / sizeof *taus };

/* The written token, or a classifier's class; the caller frees it. */
static char *written(const flow *f, long word) {
    const tl_tokens *tokens = &f->sentences.sentence[0].written;
    return shown_text(word < tokens->count ? tokens->text[word] : "class");
}

static bool has_unknown_taus(const flow *f) {
    for (long w = 0; w < f->words; w++)
        if (isnan(f->taus[w].embedding) || isnan(f->taus[w].uniform)) return true;
    return false;
}

static void put_taus(const flow *f) {
    long width = 4;
    for (long w = 0; w < f->words; w++) {
        char *text = written(f, w);
        if (text && tl_text_columns(text) > width) width = tl_text_columns(text);
        free(text);
    }
    if (f->head >= 0)
        printf("\nKendall's tau between the weights of %s, head %d, and\n", f->attention, f->head);
    else
        printf("\nKendall's tau between the weights of %s, mean over heads, and\n", f->attention);
    puts("  |grad x emb|  |gradient x embedding| at the input, attention detached (Jain & Wallace 2019)\n"
         "  uniform       the same with this kind of attention frozen at uniform: the control\n"
         "  |dA|          |dL/dA|, its row centred by the weights\n"
         "  |dA| raw      |dL/dA| as it is, to which a constant could be added without any effect");
    if (has_unknown_taus(f)) puts("  -: all weights are the same, or there are fewer than two positions");
    putchar('\n');
    printf("  ");
    put_padded("", width);
    for (int t = 0; t < TAUS; t++) printf("  %12s", taus[t].title);
    puts("  positions");
    for (long w = 0; w <= f->words; w++) {
        if (w == f->words && f->words == 1) break;
        char *text = w < f->words ? written(f, w) : shown_text("mean");
        printf("  ");
        put_padded(text ? text : "?", width);
        free(text);
        for (int t = 0; t < TAUS; t++) {
            double tau = mean_of(f, taus[t].field);
            if (w < f->words) memcpy(&tau, (const char *)&f->taus[w] + taus[t].field, sizeof tau);
            put_tau(tau);
        }
        if (w < f->words) printf("  %9ld", f->taus[w].positions);
        putchar('\n');
    }
}

/* ---- all of it ---- */

static void put_heading(flow *f) {
    const tl_sentence *sentence = &f->sentences.sentence[0];
    char text[512];
    if (sentence->source) print_line("Source:    ", sentence->source, "\n");
    if (sentence->target)
        print_line(f->sentences.batch.tgt_in ? "Written:   " : "Class:     ", sentence->target, "\n");
    print_line("Of:        ", tl_objective_name(&f->objective, &f->sentences, text, sizeof text), "");
    printf(": %.4f\n", f->objective_value);
}

static void put_left_out(const flow *f) {
    for (int m = 0; m < FLOW_METHODS; m++) {
        if (!f->wanted[m] || !f->left_out[m]) continue;
        bool first = true; /* is it the first method with this reason? */
        for (int n = 0; n < m; n++) first &= !f->wanted[n] || f->left_out[n] != f->left_out[m];
        if (!first) continue;
        printf("  left out: %s", flow_name(m));
        for (int n = m + 1; n < FLOW_METHODS; n++)
            if (f->wanted[n] && f->left_out[n] == f->left_out[m]) printf(", %s", flow_name(n));
        printf(": %s\n", f->left_out[m]);
    }
}

static void put_notes(const flow *f) {
    bool any = false;
    for (int m = 0; m < FLOW_METHODS; m++) any |= f->value[m] || (f->wanted[m] && f->left_out[m]);
    if (any) putchar('\n');
    for (int m = 0; m < TAU; m++)
        if (f->value[m]) printf("  %-16s%s\n", flow_name(m), flow_claim(m));
    if (f->value[INTEGRATED])
        printf("  %-16sfrom %.4f, at embeddings of 0 with positions kept: %ld steps, gap %.2e%s\n", "",
               f->path.baseline, f->path.steps, f->path.gap,
               f->path.reached
                   ? ""
                   : "\n                  NOT below 0.01: these shares do not sum to the difference");
    put_left_out(f);
}

bool show_flow(flow *f, tl_error *error) {
    rows all;
    put_heading(f);
    const bool ok = rows_of(f, &all) || tl_error_set(error, "out of memory for a table");
    if (ok) {
        put_table(f, &all);
        put_notes(f);
        if (f->taus) put_taus(f);
    }
    rows_free(&all);
    return ok;
}

/* ---- CSV ---- */

static void write_row(tl_csv *csv, const char *method, const char *side, long position, const char *token,
                      double value) {
    tl_csv_text(csv, method);
    tl_csv_text(csv, side);
    tl_csv_long(csv, position);
    tl_csv_text(csv, token);
    tl_csv_double(csv, value);
    tl_csv_end_row(csv);
}

bool write_flow(const flow *f, tl_error *error) {
    static const char *const columns[] = {"method", "side", "position", "token", "value"};
    rows all;
    char **words = calloc((size_t)f->words + 1, sizeof *words);
    bool ok = rows_of(f, &all) && words;
    for (long w = 0; ok && f->taus && w < f->words; w++) ok = (words[w] = written(f, w)) != NULL;
    tl_csv *csv = ok ? tl_csv_table(f->s->flow.csv, columns, 5, error) : NULL;
    for (int m = 0; csv && m < TAU; m++)
        for (long r = 0; f->value[m] && r < all.count; r++)
            write_row(csv, flow_name(m), all.row[r].target ? "read" : "source", all.row[r].first + 1,
                      all.row[r].label, value_of(f, m, &all.row[r]));
    for (long w = 0; csv && f->taus && w < f->words; w++)
        for (int t = 0; t < TAUS; t++) {
            double tau;
            memcpy(&tau, (const char *)&f->taus[w] + taus[t].field, sizeof tau);
            write_row(csv, taus[t].name, "written", w + 1, words[w], tau);
        }
    for (long w = 0; words && w < f->words; w++) free(words[w]);
    free(words);
    rows_free(&all);
    return ok ? csv && tl_csv_close(csv, error) : tl_error_set(error, "out of memory for %s", f->s->flow.csv);
}
