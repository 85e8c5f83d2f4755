/* Maps as an SVG, one below the other, in the same units and with the same signs as draw.c. Weights are blue; signed
 * numbers go from blue over white to orange; blocked cells are hatched. */
#include "draw.h"

#include "../program/growing.h"
#include "../program/program.h"

#include <math.h>
#include <stdlib.h>

enum { CELL = 42, HIGH = 28, LETTER = 8, GAP = 10, LINE = 19, HEAD = 26 };

static long widest(char *const *names, long count) {
    long width = 0;
    for (long i = 0; i < count; i++)
        if (tl_text_columns(names[i]) > width) width = tl_text_columns(names[i]);
    return width;
}

static bool has_vertical_labels(const picture *p) {
    return widest(p->column, p->columns) * LETTER > CELL + LETTER;
}
static long left_of(const picture *p) { return 2 * GAP + widest(p->row, p->rows) * LETTER; }
static long head_of(const picture *p) {
    return has_vertical_labels(p) ? GAP + widest(p->column, p->columns) * LETTER : HEAD;
}

static long width_of(const picture *p) {
    const long cells = left_of(p) + p->columns * CELL + GAP,
               title = 2 * GAP + tl_text_columns(p->title) * LETTER,
               about = 2 * GAP + tl_text_columns(p->about) * (LETTER - 1);
    return cells > title && cells > about ? cells : title > about ? title : about;
}

static long height_of(const picture *p) { return 2 * LINE + head_of(p) + p->rows * HIGH + 2 * GAP; }

/* The largest value has a dark colour: blue for shares and below 0, orange above. */
static void add_cell(growing *out, const picture *p, long i, long x, long y) {
    const double share =
                     p->share ? p->value[i] : p->value[i] / (picture_largest(p) > 0 ? picture_largest(p) : 1),
                 s = fmin(1, fabs(share));
    const int full[2][3] = {{31, 95, 168}, {214, 96, 10}}, *c = full[!p->share && share > 0];
    char text[PICTURE_NUMBER];
    picture_number(p, i, text);
    if (p->blocked[i]) {
        grow(
            out,
            "<rect x=\"%ld\" y=\"%ld\" width=\"%d\" height=\"%d\" fill=\"url(#blocked)\" stroke=\"#ccc\"/>\n",
            x, y, CELL, HIGH);
        return;
    }
    grow(out, "<rect x=\"%ld\" y=\"%ld\" width=\"%d\" height=\"%d\" fill=\"#%02x%02x%02x\" stroke=\"#ccc\"/>",
         x, y, CELL, HIGH, (int)(255.5 + (c[0] - 255) * s), (int)(255.5 + (c[1] - 255) * s),
         (int)(255.5 + (c[2] - 255) * s));
    grow(out, "<text x=\"%ld\" y=\"%ld\" text-anchor=\"middle\" fill=\"%s\">%s</text>\n", x + CELL / 2,
         y + HIGH / 2 + 5, s > 0.6 ? "#fff" : "#222", text);
}

static void add_column(growing *out, const picture *p, long c, long x, long y) {
    if (has_vertical_labels(p))
        grow(out, "<text transform=\"translate(%ld %ld) rotate(-90)\">", x + CELL / 2 + 5, y - 6);
    else
        grow(out, "<text x=\"%ld\" y=\"%ld\" text-anchor=\"middle\">", x + CELL / 2, y - 8);
    grow_words(out, p->column[c]);
    grow(out, "</text>\n");
}

static void add_map(growing *out, const picture *p, long top) {
    const long left = left_of(p), cells = top + 2 * LINE + head_of(p);
    grow(out, "<text x=\"%d\" y=\"%ld\" font-weight=\"bold\">", GAP, top + LINE - 4);
    grow_words(out, p->title);
    grow(out, "</text>\n<text x=\"%d\" y=\"%ld\" font-size=\"13\" fill=\"#555\">", GAP, top + 2 * LINE - 4);
    grow_words(out, p->about);
    grow(out, "</text>\n");
    for (long c = 0; c < p->columns; c++) add_column(out, p, c, left + c * CELL, cells);
    for (long r = 0; r < p->rows; r++) {
        grow(out, "<text x=\"%ld\" y=\"%ld\" text-anchor=\"end\">", left - 8,
             cells + r * HIGH + HIGH / 2 + 5);
        grow_words(out, p->row[r]);
        grow(out, "</text>\n");
        for (long c = 0; c < p->columns; c++)
            add_cell(out, p, r * p->columns + c, left + c * CELL, cells + r * HIGH);
    }
}

bool draw_svg(const char *path, const picture *maps, long count, tl_error *error) {
    growing out = {0};
    long width = 0, height = GAP / 2, top = GAP / 2;
    for (long i = 0; i < count; i++) {
        if (width_of(&maps[i]) > width) width = width_of(&maps[i]);
        height += height_of(&maps[i]);
    }
    grow(&out,
         "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%ld\" height=\"%ld\" viewBox=\"0 0 %ld %ld\" "
         "font-family=\"sans-serif\" font-size=\"14\" fill=\"#222\">\n",
         width, height, width, height);
    grow(&out, "<pattern id=\"blocked\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\">"
               "<path d=\"M0 6L6 0\" stroke=\"#bbb\"/></pattern>\n"
               "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n");
    for (long i = 0; i < count; i++) {
        add_map(&out, &maps[i], top);
        top += height_of(&maps[i]);
    }
    grow(&out, "</svg>\n");
    const bool ok = out.failed ? tl_error_set(error, "out of memory for a picture")
                               : all_is_shown(error) && tl_file_write(path, out.bytes, out.size, error);
    free(out.bytes);
    return ok;
}
