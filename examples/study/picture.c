/* A claim's picture for a slide, by gnuplot: means over seeds with their 95 % intervals. The script contains its
 * numbers, so it can be changed and run by itself. */
#define _POSIX_C_SOURCE 200809L /* open_memstream */
#include "parts.h"

#include "../program/program.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ARMS_MOST = 24, COLOURS = 8, SIDE_BY_SIDE = 5 /* the most names under bars that fit side by side */ };

static bool has(const numbers *n, const char *arm, const char *what) {
    for (long i = 0; i < n->count; i++)
        if (!strcmp(n->row[i].arm, arm) && !strcmp(n->row[i].what, what)) return true;
    return false;
}

/* The arms of a panel that have numbers for it, in order. */
static int arms_of(const panel *p, const numbers *n, const char *arms[ARMS_MOST]) {
    int count = 0;
    for (int k = 0; k < PANEL_ARMS && p->arms[k]; k++)
        if (has(n, p->arms[k], p->what)) arms[count++] = p->arms[k];
    if (p->arms[0]) return count;
    for (long i = 0; i < n->count && count < ARMS_MOST; i++) {
        bool known = strcmp(n->row[i].what, p->what) != 0;
        for (int k = 0; k < count && !known; k++) known = !strcmp(arms[k], n->row[i].arm);
        if (!known) arms[count++] = n->row[i].arm;
    }
    return count;
}

static interval interval_at(const numbers *n, const char *arm, const char *what, double at) {
    double values[SEEDS];
    const long seeds = numbers_seeds(n) < SEEDS ? numbers_seeds(n) : SEEDS;
    for (long seed = 0; seed < seeds; seed++) values[seed] = numbers_get(n, arm, seed, what, at);
    return interval_of(values, seeds);
}

static int by_at(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* The different `at` of an arm's numbers, in order; the caller frees them. NULL when out of memory. */
static double *places(const numbers *n, const char *arm, const char *what, long *count) {
    double *at = malloc((size_t)(n->count + 1) * sizeof *at);
    long all = 0, different = 0;
    for (long i = 0; at && i < n->count; i++)
        if (!strcmp(n->row[i].arm, arm) && !strcmp(n->row[i].what, what)) at[all++] = n->row[i].at;
    if (at) qsort(at, (size_t)all, sizeof *at, by_at);
    for (long i = 0; i < all; i++)
        if (!different || at[i] != at[different - 1]) at[different++] = at[i];
    *count = different;
    return at;
}

static void put_value(FILE *out, double x, const interval *i) {
    if (!isfinite(i->mean)) return;
    const bool spread = isfinite(i->low) && isfinite(i->high);
    fprintf(out, "%.17g %.17g %.17g %.17g\n", x, i->mean, spread ? i->low : i->mean,
            spread ? i->high : i->mean);
}

static bool put_data(FILE *out, const panel *p, int number, const numbers *n, const char *arm, int k) {
    long count = 0;
    double *at = places(n, arm, p->what, &count);
    if (!at) return false;
    fprintf(out, "$p%da%d << EOD\n", number, k);
    for (long i = 0; i < count; i++) {
        const interval spread = interval_at(n, arm, p->what, at[i]);
        put_value(out, p->bars ? (double)k : at[i], &spread);
    }
    fprintf(out, "EOD\n");
    free(at);
    return true;
}

/* Names under bars: one word a line, or slanted if there are many. */
static void put_names(FILE *out, const char *const *arms, int count) {
    const bool aslant = count > SIDE_BY_SIDE;
    int lines = aslant ? 6 : 1;
    fprintf(out, "set xtics %s (", aslant ? "rotate by -30" : "norotate");
    for (int k = 0; k < count; k++) {
        int words = 1;
        fprintf(out, "%s\"", k ? ", " : "");
        for (const char *at = arms[k]; *at; at++) {
            const bool breaks = *at == ' ' && !aslant;
            fputs(breaks ? "\\n" : (char[]){*at, 0}, out);
            words += breaks;
        }
        fprintf(out, "\" %d", k);
        if (words > lines) lines = words;
    }
    fprintf(out, ")\nset bmargin %d\n", lines + 2);
}

/* False when out of memory. */
static bool put_panel(FILE *out, const panel *p, int number, const numbers *n) {
    const char *arms[ARMS_MOST];
    const int count = arms_of(p, n, arms);
    if (!count) {
        fprintf(out, "set multiplot next\n"); /* for gnuplot an empty plot is an error */
        return true;
    }
    for (int k = 0; k < count; k++)
        if (!put_data(out, p, number, n, arms[k], k)) return false;
    fprintf(out, "set ylabel \"%s\"\nset xlabel \"%s\"\n", p->label, p->x_label ? p->x_label : "");
    fprintf(out, "%s logscale x\n%s logscale y\n", p->log_x ? "set" : "unset", p->log_y ? "set" : "unset");
    if (p->low != p->high)
        fprintf(out, "set yrange [%.17g:%.17g]\n", p->low, p->high);
    else
        fprintf(out, "set yrange [%s]\n", p->bars && !p->log_y ? "* < 0 : 0 < *" : "*:*");
    if (p->bars) {
        put_names(out, arms, count);
        fprintf(out, "set xrange [-0.7:%g]\nunset key\nplot ", count - 0.3);
        for (int k = 0; k < count; k++)
            fprintf(
                out,
                "%s$p%da%d using 1:2 with boxes lc %d fs solid 0.6, $p%da%d using 1:2:3:4 with yerrorbars "
                "lc rgb \"#333333\" lw 2 pt 7 ps 0.4",
                k ? ", " : "", number, k, k % COLOURS + 1, number, k);
    } else {
        fprintf(out, "set xrange [*:*]\nset xtics norotate autofreq\nset bmargin\nset key tmargin center "
                     "horizontal samplen 2\nplot ");
        for (int k = 0; k < count; k++)
            fprintf(out, "%s$p%da%d using 1:2:3:4 with yerrorlines lc %d lw 2 pt 7 ps 0.5 title \"%s\"",
                    k ? ", " : "", number, k, k % COLOURS + 1, arms[k]);
    }
    fprintf(out, "\n");
    return true;
}

static bool write_script(const claim *c, const numbers *n, const char *path, tl_error *error) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = tl_text_open(&text, TEXT_MOST, error);
    if (!out) return false;
    fprintf(out,
            "# %s: means of %ld seeds, bars are 95 %% intervals\nset terminal svg size 1280,720 font "
            "\"sans-serif,20\" background \"white\" noenhanced\nset output \"%s.svg\"\n"
            "set linetype 1 lc rgb \"#0072b2\"\nset linetype 2 lc rgb \"#d55e00\"\nset linetype 3 lc rgb "
            "\"#009e73\"\nset linetype 4 lc rgb \"#cc79a7\"\nset linetype 5 lc rgb \"#56b4e9\"\nset linetype "
            "6 lc rgb \"#e69f00\"\nset linetype 7 lc rgb \"#444444\"\nset linetype 8 lc rgb \"#b8a800\"\n"
            "set boxwidth 0.7\nset pointintervalbox 0\nset grid ytics lc rgb \"#dddddd\"\nset border 3\nset "
            "tics nomirror\n"
            "set multiplot layout 1,%d title \"%s\\n%s\" font \"sans-serif,24\"\n",
            c->name, numbers_seeds(n), c->name, c->panel_count, c->title.en, c->source);
    for (int i = 0; i < c->panel_count; i++)
        if (!put_panel(out, &c->panels[i], i, n)) tl_error_set(error, "out of memory for %s", path);
    fprintf(out, "unset multiplot\n");
    const bool ok = tl_text_close(out, &text, &size, error) && !tl_failed(error) &&
                    tl_file_write(path, text, size, error);
    free(text);
    return ok;
}

bool picture_draw(const claim *c, const numbers *n, const char *folder, tl_error *error) {
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/study/%s.gp", folder, c->name);
    return write_script(c, n, path, error) && tl_plot_draw(path, NULL, error);
}
