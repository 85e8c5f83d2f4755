/* The table of heads as a picture: a square for each head, layers below one another, heads side by side, a panel for
 * each kind of attention. The first row of panels shows importance, from 0 (white) to 1 (dark). Below it, if
 * measured, is the increase of the loss without the head: orange if the model is worse without it, blue if it is
 * better. */
#include "program.h"

#include "../program/growing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CELL = 52, GAP = 28, LABEL = 58, LINE = 20, LEFT = 20, TOP = 16 };

/* ---- measures ---- */

typedef enum measure { IMPORTANCE, GROWTH_ZERO, GROWTH_MEAN, MEASURES } measure;

static double value_of(const tl_heads_table *t, long i, measure m) {
    return m == IMPORTANCE    ? t->row[i].importance
           : m == GROWTH_ZERO ? t->row[i].loss_zero - t->loss
                              : t->row[i].loss_mean - t->loss;
}

static const char *title_of(measure m) {
    static const char *const titles[] = {
        "Importance through gates (Michel et al. 2019), norm 1 over the heads of a layer",
        "What the loss grows by without the head, in nats",
        "What the loss grows by with the head's mean in its place, in nats"};
    return titles[m];
}

/* The largest |value|, which gets the full colour. */
static double limit_of(const tl_heads_table *t, measure m) {
    double limit = 0;
    if (m == IMPORTANCE) return 1;
    for (long i = 0; i < t->count; i++)
        if (!isnan(value_of(t, i, m))) limit = fmax(limit, fabs(value_of(t, i, m)));
    return limit > 0 ? limit : 1;
}

static bool is_there(const tl_heads_table *t, measure m) {
    for (long i = 0; i < t->count; i++)
        if (!isnan(value_of(t, i, m))) return true;
    return false;
}

/* share: -1 … 1 of the limit, from white to a dark colour */
static void colour(char to[8], measure m, double share) {
    static const int dark[3][3] = {{13, 59, 110}, {200, 82, 0}, {13, 59, 110}};
    const int *c = dark[m == IMPORTANCE ? 0 : share >= 0 ? 1 : 2];
    const double s = fabs(share) > 1 ? 1 : fabs(share);
    snprintf(to, 8, "#%02x%02x%02x", (int)(255 + (c[0] - 255) * s + 0.5), (int)(255 + (c[1] - 255) * s + 0.5),
             (int)(255 + (c[2] - 255) * s + 0.5));
}

static void add_square(growing *t, const tl_heads_table *table, long i, measure m, double limit, long x,
                       long y) {
    const tl_heads_row *row = &table->row[i];
    const double value = value_of(table, i, m);
    char fill[8] = "#eee";
    if (!isnan(value)) colour(fill, m, value / limit);
    const char *ink =
        !isnan(value) && fabs(value) / limit > (m == IMPORTANCE ? 0.55 : 0.75) ? "#fff" : "#222";
    grow(t,
         "<g><title>%s head %d: %.4g</title><rect x=\"%ld\" y=\"%ld\" width=\"%d\" height=\"%d\" fill=\"%s\" "
         "stroke=\"#999\"/>",
         row->attention, row->head, value, x, y, CELL, CELL, fill);
    grow(t, "<text x=\"%ld\" y=\"%ld\" text-anchor=\"middle\" font-size=\"12\" fill=\"%s\">", x + CELL / 2,
         y + CELL / 2 + 4, ink);
    if (isnan(value))
        grow(t, "–");
    else
        grow(t, m == IMPORTANCE ? "%.2f" : "%+.3f", value);
    grow(t, "</text>");
    if (m == IMPORTANCE && row->habits.positional)
        grow(t,
             "<text x=\"%ld\" y=\"%ld\" text-anchor=\"middle\" font-size=\"10\" fill=\"%s\">at %+ld</text>",
             x + CELL / 2, y + CELL - 5, ink, row->habits.offset);
    grow(t, "</g>\n");
}

/* ---- panels ---- */

typedef struct size {
    long layers, heads; /* 0: no attention of this kind */
} size;

static size size_of(const tl_heads_table *t, int kind) {
    size s = {0, 0};
    for (long i = 0; i < t->count; i++)
        if ((int)t->row[i].kind == kind) {
            if (t->row[i].layer >= s.layers) s.layers = t->row[i].layer + 1;
            if (t->row[i].head >= s.heads) s.heads = t->row[i].head + 1;
        }
    return s;
}

/* What attentions of a kind are called. */
static const char *panel_name(const tl_heads_table *t, int kind) {
    static const char *const names[] = {"encoder self", "decoder self", "cross"};
    for (long i = 0; i < t->count; i++)
        if ((int)t->row[i].kind == kind && !strcmp(t->row[i].attention, "pooling")) return "pooling";
    return names[kind];
}

static void add_panel(growing *t, const tl_heads_table *table, int kind, measure m, long x, long y) {
    const size s = size_of(table, kind);
    const double limit = limit_of(table, m);
    grow(t, "<text x=\"%ld\" y=\"%ld\" font-size=\"14\" font-weight=\"bold\">%s</text>\n", x + LABEL, y + 14,
         panel_name(table, kind));
    for (long h = 0; h < s.heads; h++)
        grow(t,
             "<text x=\"%ld\" y=\"%ld\" text-anchor=\"middle\" font-size=\"11\" fill=\"#555\">%s%ld</text>\n",
             x + LABEL + h * CELL + CELL / 2, y + 2 * LINE - 5, h ? "" : "head ", h);
    for (long l = 0; l < s.layers; l++)
        grow(
            t,
            "<text x=\"%ld\" y=\"%ld\" text-anchor=\"end\" font-size=\"11\" fill=\"#555\">layer %ld</text>\n",
            x + LABEL - 6, y + 2 * LINE + l * CELL + CELL / 2 + 4, l);
    for (long i = 0; i < table->count; i++)
        if ((int)table->row[i].kind == kind)
            add_square(t, table, i, m, limit, x + LABEL + table->row[i].head * CELL,
                       y + 2 * LINE + table->row[i].layer * CELL);
}

/* A colour bar with the numbers of its ends. */
static void add_scale(growing *t, const tl_heads_table *table, measure m, long x, long y) {
    enum { STEPS = 40, STEP = 4 };
    const double limit = limit_of(table, m), from = m == IMPORTANCE ? 0 : -limit;
    for (int i = 0; i < STEPS; i++) {
        char fill[8];
        colour(fill, m, (from + (limit - from) * (i + 0.5) / STEPS) / limit);
        grow(t, "<rect x=\"%ld\" y=\"%ld\" width=\"%d\" height=\"10\" fill=\"%s\"/>", x + i * STEP, y, STEP,
             fill);
    }
    grow(t, "<text x=\"%ld\" y=\"%ld\" text-anchor=\"end\" font-size=\"11\">%.3g</text>", x - 4, y + 9, from);
    grow(t, "<text x=\"%ld\" y=\"%ld\" font-size=\"11\">%.3g</text>\n", x + STEPS * STEP + 4, y + 9, limit);
}

static long add_row(growing *t, const tl_heads_table *table, measure m, long y) {
    long x = LEFT, layers = 0;
    grow(t, "<text x=\"%d\" y=\"%ld\" font-size=\"15\">%s</text>\n", LEFT, y + 14, title_of(m));
    add_scale(t, table, m, LEFT + LABEL, y + LINE + 4);
    for (int k = 0; k < TL_ATTENTION_KINDS; k++) {
        const size s = size_of(table, k);
        if (!s.heads) continue;
        add_panel(t, table, k, m, x, y + 2 * LINE + 4);
        x += LABEL + s.heads * CELL + GAP;
        if (s.layers > layers) layers = s.layers;
    }
    return y + 4 * LINE + 4 + layers * CELL + GAP;
}

char *heads_picture(const tl_heads_table *table, const char *title, size_t *size_of_it) {
    growing t = {0}, panels = {0};
    long width = LEFT, y = TOP + LINE;
    for (int k = 0; k < TL_ATTENTION_KINDS; k++)
        if (size_of(table, k).heads) width += LABEL + size_of(table, k).heads * CELL + GAP;
    if (width < 640) width = 640; /* the titles need this width */
    for (int m = 0; m < MEASURES; m++)
        if (is_there(table, (measure)m)) y = add_row(&panels, table, (measure)m, y);
    grow(&t,
         "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%ld\" height=\"%ld\" viewBox=\"0 0 %ld %ld\" "
         "font-family=\"sans-serif\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
         width, y, width, y);
    grow(&t, "<text x=\"%d\" y=\"%d\" font-size=\"12\" fill=\"#555\">", LEFT, TOP);
    grow_words(&t, title);
    grow(&t, "</text>\n");
    const bool ok = !t.failed && !panels.failed && panels.bytes;
    char *all = ok ? malloc(t.size + panels.size + sizeof "</svg>\n") : NULL;
    if (all) *size_of_it = (size_t)sprintf(all, "%s%s</svg>\n", t.bytes, panels.bytes);
    free(t.bytes);
    free(panels.bytes);
    return all;
}
