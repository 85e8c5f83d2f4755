/* A gnuplot script (http://www.gnuplot.info, 5.4 or newer) that draws a log: panels one above the other with the same
 * horizontal axis. gnuplot fails on a plot without points, so the script first counts the points of every curve; a
 * panel without points says so. Texts are put in single quotes, where only the quote itself must be escaped. `_` and
 * `^` in titles are ordinary characters ("noenhanced"). */
#include "base/buffer.h"
#include "base/utf8.h"
#include "complain.h"

#include "tapeloom/io.h"

#include <string.h>

/* ---- checks ---- */

static bool ends_with(const char *text, const char *end) {
    size_t size = strlen(text), tail = strlen(end);
    return size > tail && strcmp(text + size - tail, end) == 0;
}

/* A text must be one line of UTF-8; if `needed`, it must not be missing or empty. */
static bool check_text(const char *path, const char *what, const char *text, bool needed, tl_error *error) {
    char file[TL_SHOWN], shown[TL_SHOWN];
    tl_shown_path(path, file);
    if (!text || *text == 0)
        return !needed || tl_error_set(error, "%s: not written: the plot has no %s; give one", file, what);
    bool plain = tl_utf8_valid(text, strlen(text)) == strlen(text);
    for (const char *c = text; *c != 0; c++) plain = plain && (unsigned char)*c >= 0x20 && *c != 0x7F;
    if (plain) return true;
    return tl_error_set(error, "%s: not written: %s \"%s\": expected one line of valid UTF-8; choose another",
                        file, what, tl_shown(text, strlen(text), 80, shown));
}

static bool check_panel(const char *path, const tl_plot_panel *panel, tl_error *error) {
    char file[TL_SHOWN];
    if (!panel->curves || panel->count < 1)
        return tl_error_set(error, "%s: not written: a panel has no curves; give it one, or leave it out",
                            tl_shown_path(path, file));
    if (!check_text(path, "label of a panel", panel->label, false, error)) return false;
    for (int i = 0; i < panel->count; i++)
        if (!check_text(path, "column of a curve", panel->curves[i].column, true, error) ||
            !check_text(path, "title of a curve", panel->curves[i].title, false, error))
            return false;
    return true;
}

static bool check_all(const char *path, const tl_plot_config *c, tl_error *error) {
    char file[TL_SHOWN], shown[TL_SHOWN];
    if (!c || !c->panels || c->count < 1)
        return tl_error_set(error, "%s: not written: the plot has no panels; give one",
                            tl_shown_path(path, file));
    if (!check_text(path, "title", c->title, false, error) || !check_text(path, "log", c->log, true, error) ||
        !check_text(path, "x column", c->x, true, error) ||
        !check_text(path, "x label", c->x_label, false, error) ||
        !check_text(path, "picture", c->picture, true, error))
        return false;
    for (int i = 0; i < c->count; i++)
        if (!check_panel(path, &c->panels[i], error)) return false;
    if (ends_with(c->picture, ".svg") || ends_with(c->picture, ".png")) return true;
    return tl_error_set(error, "%s: not written: picture \"%s\": expected a name that ends in .svg or .png",
                        tl_shown_path(path, file), tl_shown(c->picture, strlen(c->picture), 80, shown));
}

/* ---- the script ---- */

static void add_quoted_after(tl_buffer *b, const char *start, const char *text) {
    tl_buffer_format(b, "'%s", start);
    for (; *text != 0; text++) tl_buffer_add(b, *text == '\'' ? "''" : text, *text == '\'' ? 2 : 1);
    tl_buffer_text(b, "'");
}
static void add_quoted(tl_buffer *b, const char *text) { add_quoted_after(b, "", text); }

/* Writes a file's name. gnuplot takes "<…" and "|…" for commands and "-", "+", "~" for other things, so "./" is put
 * before a name with an unusual first character. */
static void add_name(tl_buffer *b, const char *name) {
    add_quoted_after(b, strchr("<>|+-~$@!\"'` ", *name) ? "./" : "", name);
}

static void add_columns(tl_buffer *b, const char *x, const char *y) {
    tl_buffer_text(b, " using ");
    add_quoted(b, x);
    tl_buffer_text(b, ":");
    add_quoted(b, y);
}

static void add_terminal(tl_buffer *b, const tl_plot_config *c) {
    int height = 120 + 250 * c->count;
    if (ends_with(c->picture, ".svg")) {
        tl_buffer_format(b, "set terminal svg size 900,%d noenhanced font 'sans,14' background '#ffffff'\n",
                         height);
    } else {
        tl_buffer_format(b,
                         "if (strstrt(GPVAL_TERMINALS, 'pngcairo')) {\n"
                         "    set terminal pngcairo size 900,%d noenhanced font 'sans,11'\n"
                         "} else {\n"
                         "    set terminal png size 900,%d noenhanced\n"
                         "}\n",
                         height, height);
    }
    tl_buffer_text(b, "set output ");
    add_name(b, c->picture);
    tl_buffer_text(b, "\nset datafile separator ','\nset datafile missing 'nan'\n");
}

/* Writes the table $n<panel>_<curve> of each curve's points; |$n1_1| is how many it has. */
static void add_counts(tl_buffer *b, const tl_plot_config *c) {
    tl_buffer_text(b, "\n# how many points there are: gnuplot cannot draw none\nset table $n\nplot log");
    add_columns(b, c->x, c->x);
    tl_buffer_text(b, " with table\n");
    for (int i = 0; i < c->count; i++)
        for (int k = 0; k < c->panels[i].count; k++) {
            const char *column = c->panels[i].curves[k].column;
            tl_buffer_format(b, "set table $n%d_%d\nplot log", i + 1, k + 1);
            add_columns(b, c->x, column);
            tl_buffer_text(b, " with table");
            if (c->panels[i].log_scale) {
                tl_buffer_text(b, " if (column(");
                add_quoted(b, column);
                tl_buffer_text(b, ") > 0)");
            }
            tl_buffer_text(b, "\n");
        }
    tl_buffer_text(b, "unset table\n\n# all panels have the same horizontal axis\n"
                      "if (|$n| > 0) {\n    stats log using ");
    add_quoted(b, c->x);
    tl_buffer_text(b, " nooutput\n"
                      "    set xrange [STATS_min : STATS_max > STATS_min ? STATS_max : STATS_min + 1]\n"
                      "} else {\n    set xrange [0 : 1]\n}\n");
}

static void add_style(tl_buffer *b) {
    /* Okabe & Ito's colours, which colour-blind readers can distinguish too */
    static const char *const colours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                          "#e69f00", "#56b4e9", "#000000"};
    tl_buffer_text(b, "\nset border 3 linecolor '#888888'\n"
                      "set tics nomirror textcolor '#333333'\n"
                      "set grid linetype 1 linecolor '#e0e0e0' linewidth 1\n"
                      "set key at graph 1.0, 1.01 right bottom horizontal\n");
    for (int i = 0; i < 7; i++)
        tl_buffer_format(b, "set linetype %d linecolor '%s' linewidth 2 dashtype solid pointtype 7\n", i + 1,
                         colours[i]);
}

static void add_curve(tl_buffer *b, const tl_plot_config *c, int i, int k) {
    const tl_plot_curve *curve = &c->panels[i].curves[k];
    tl_buffer_text(b, k == 0 ? "    plot log" : ", \\\n         log");
    add_columns(b, c->x, curve->column);
    /* Many points would look like a thick line, so no points are drawn, by their type. A size of 0 would do in
     * gnuplot's window, but becomes a scale of 0 in its SVG, which librsvg rejects: it then shows nothing. */
    tl_buffer_format(b,
                     " with linespoints linetype %d pointtype (|$n%d_%d| < 60 ? 7 : -1) pointsize 0.5 title ",
                     k % 7 + 1, i + 1, k + 1);
    add_quoted(b, curve->title ? curve->title : curve->column);
}

/* A log scale has marks at 1, 2, 3, 4, 6, 8, 10, 20 … and ends where the data end, since a loss spans less than a
 * decade. */
static void add_scale(tl_buffer *b, bool log_scale) {
    if (!log_scale) {
        tl_buffer_text(b, "unset logscale y\nset ytics autofreq\nset yrange [*:*] extend\n");
        return;
    }
    tl_buffer_text(b, "set logscale y\nset yrange [*:*] noextend\nset ytics (");
    for (int decade = -9; decade <= 9; decade++)
        for (const char *digit = "123468"; *digit != 0; digit++)
            tl_buffer_format(b, "%s%ce%d", decade == -9 && *digit == '1' ? "" : ",", *digit, decade);
    tl_buffer_text(b, ")\n");
}

static void add_panel(tl_buffer *b, const tl_plot_config *c, int i) {
    const tl_plot_panel *panel = &c->panels[i];
    tl_buffer_text(b, "\nset ylabel ");
    add_quoted(b, panel->label ? panel->label : "");
    tl_buffer_text(b, "\n");
    add_scale(b, panel->log_scale);
    if (i == c->count - 1) {
        tl_buffer_text(b, "set format x '%h'\nset xlabel ");
        add_quoted(b, c->x_label ? c->x_label : c->x);
        tl_buffer_text(b, "\n");
    }
    tl_buffer_text(b, "if (");
    for (int k = 0; k < panel->count; k++)
        tl_buffer_format(b, "%s|$n%d_%d|", k > 0 ? " + " : "", i + 1, k + 1);
    tl_buffer_text(b, " > 0) {\n");
    for (int k = 0; k < panel->count; k++) add_curve(b, c, i, k);
    tl_buffer_text(b, "\n} else {\n"
                      "    set label 1 'no data yet' at graph 0.5, 0.5 center textcolor '#888888'\n"
                      "    plot [][1:10] NaN notitle\n"
                      "    unset label 1\n}\n");
}

static void add_script(tl_buffer *b, const tl_plot_config *c) {
    tl_buffer_text(b, "# Draws a log of training. Run it in its own folder, with gnuplot 5.4 or newer.\n"
                      "set encoding utf8\n");
    add_terminal(b, c);
    tl_buffer_text(b, "log = ");
    add_name(b, c->log);
    tl_buffer_text(b, "\n");
    add_counts(b, c);
    add_style(b);
    double height = 120 + 250 * c->count; /* pixels, with room above for titles and below for the axis */
    char top[TL_NUMBER_TEXT], bottom[TL_NUMBER_TEXT], gap[TL_NUMBER_TEXT];
    tl_float_text((float)(1 - 65 / height), top);
    tl_float_text((float)(60 / height), bottom);
    tl_float_text((float)(40 / height), gap);
    tl_buffer_format(b, "set multiplot layout %d,1 margins 0.13,0.97,%s,%s spacing 0,%s", c->count, bottom,
                     top, gap);
    if (c->title) {
        tl_buffer_text(b, " title ");
        add_quoted(b, c->title);
    }
    tl_buffer_text(b, c->count > 1 ? "\nset format x ''\n" : "\n");
    for (int i = 0; i < c->count; i++) add_panel(b, c, i);
    tl_buffer_text(b, "\nunset multiplot\n");
}

bool tl_plot_write(const char *path, const tl_plot_config *config, tl_error *error) {
    if (!check_all(path, config, error)) return false;
    tl_buffer b = {0};
    add_script(&b, config);
    bool ok = b.failed ? tl_fail_memory(error, "writing", path) : tl_file_write(path, b.text, b.size, error);
    tl_buffer_free(&b);
    return ok;
}
