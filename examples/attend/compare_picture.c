/* attend compare --offsets --svg: a panel for each attention, a line for each head; a second model's lines are
 * dashed. */
#include "compare.h"

#include "../program/growing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PANEL = 300, HIGH = 170, A_ROW = 3, LEFT = 42, TOP = 76, BETWEEN = 62 };

static const char *const colours[] = {"#1f6fb4", "#d9772b", "#3a8f3a", "#8a4fa3",
                                      "#b03a3a", "#3aa0a0", "#8c6d2f", "#c25a9a"};
enum { COLOURS = sizeof colours / sizeof *colours };

typedef struct drawing {
    growing text;
    double top; /* the largest value of every panel's axis */
} drawing;

/* Writes hundredths of a pixel as text, since a locale may print a decimal comma. */
static void add_point(drawing *d, char letter, double x, double y) {
    const long hx = (long)(x * 100 + 0.5), hy = (long)(y * 100 + 0.5);
    grow(&d->text, "%c%ld.%02ld %ld.%02ld", letter, hx / 100, hx % 100, hy / 100, hy % 100);
}

/* The curve has a gap where no row has a key at that offset. */
static void add_curve(drawing *d, const curves *k, int model, long head, int number, double left,
                      double top) {
    char letter = 'M';
    grow(&d->text, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"1.6\"%s d=\"", colours[number % COLOURS],
         model ? " stroke-dasharray=\"5 3\"" : "");
    for (long o = -k->reach; o <= k->reach; o++) {
        const double value = offset_value(k, model, head, o),
                     x = (double)(o + k->reach) / (double)(2 * k->reach);
        if (!isnan(value)) add_point(d, letter, left + PANEL * x, top + HIGH * (1 - value / d->top));
        letter = isnan(value) ? 'M' : 'L';
    }
    grow(&d->text, "\"/>\n");
}

static void add_frame(drawing *d, const curves *k, const char *name, int left, int top) {
    grow(&d->text, "<text x=\"%d\" y=\"%d\" font-weight=\"bold\">%s</text>\n", left, top - 8, name);
    for (int half = 0; half <= 2; half++) {
        const int y = top + HIGH - HIGH * half / 2, hundredths = (int)(d->top * 50 * half + 0.5);
        grow(&d->text, "<path stroke=\"#ccc\" d=\"M%d %dH%d\"/>", left, y, left + PANEL);
        grow(&d->text, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%d.%02d</text>\n", left - 5, y + 4,
             hundredths / 100, hundredths % 100);
    }
    const long each = k->reach > 5 ? (k->reach + 4) / 5 : 1;
    for (long o = -k->reach / each * each; o <= k->reach; o += each) {
        const long x = left + PANEL * (o + k->reach) / (2 * k->reach);
        if (o == 0) grow(&d->text, "<path stroke=\"#ccc\" d=\"M%ld %dV%d\"/>", x, top, top + HIGH);
        grow(&d->text, "<text x=\"%ld\" y=\"%d\" text-anchor=\"middle\">%s%ld</text>\n", x, top + HIGH + 15,
             o > 0 ? "+" : "", o);
    }
}

/* Heads of one attention are consecutive: a new name begins a new panel. Returns the number of panels; draws nothing
 * for NULL. */
static int add_panels(drawing *d, const curves *k) {
    char name[64], last[64] = "";
    int panels = 0, left = 0, top = 0;
    for (long h = 0; h < k->count; h++) {
        if (!has_offsets(k, h)) continue;
        const int head = tl_offsets_head(k->of[0], h, name);
        if (strcmp(name, last)) {
            left = LEFT + panels % A_ROW * (PANEL + BETWEEN);
            top = TOP + panels++ / A_ROW * (HIGH + BETWEEN);
            if (d) add_frame(d, k, name, left, top);
            strcpy(last, name);
        }
        for (int m = 0; d && m < models_of(k->c); m++) add_curve(d, k, m, h, head, left, top);
    }
    return panels;
}

/* The colour of each head; with more heads than colours they repeat. */
static void add_legend(drawing *d, const curves *k) {
    const int heads = tl_run_model(k->c->run[0])->heads;
    grow(&d->text,
         "<text x=\"%d\" y=\"18\">Mean weight on the token so many places after the row's own, over %ld "
         "sentences%s</text>\n",
         LEFT, tl_set_count(k->c->set), k->of[1] ? "; dashed: B" : "");
    for (int h = 0; h < heads && h < COLOURS; h++) {
        const int x = LEFT + 80 * h;
        grow(&d->text,
             "<path stroke=\"%s\" stroke-width=\"2\" d=\"M%d 36h18\"/><text x=\"%d\" y=\"40\">head "
             "%d</text>\n",
             colours[h], x, x + 23, h);
    }
}

/* The largest mean, rounded up to a tenth. */
static double top_of(const curves *k) {
    double most = 0;
    for (int m = 0; m < models_of(k->c); m++)
        for (long h = 0; h < k->count; h++)
            for (long o = -k->reach; o <= k->reach; o++)
                most = fmax(most, offset_value(k, m, h, o)); /* fmax ignores NaN */
    return most > 0.1 ? ceil(most * 10 - 1e-9) / 10 : 0.1;
}

bool draw_offsets(const curves *k, tl_error *error) {
    if (!k->c->s->compare.svg) return true;
    drawing d = {.top = top_of(k)};
    const int panels = add_panels(NULL, k),
              wide = LEFT + (panels < A_ROW ? panels : A_ROW) * (PANEL + BETWEEN),
              high = TOP + (panels + A_ROW - 1) / A_ROW * (HIGH + BETWEEN) - 20;
    grow(&d.text,
         "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
         "font-family=\"sans-serif\" font-size=\"12\" fill=\"#222\">\n",
         wide, high, wide, high);
    grow(&d.text, "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n", wide, high);
    add_legend(&d, k);
    add_panels(&d, k);
    grow(&d.text, "</svg>\n");
    const bool ok = d.text.failed ? tl_error_set(error, "out of memory for a picture")
                                  : tl_file_write(k->c->s->compare.svg, d.text.bytes, d.text.size, error);
    free(d.text.bytes);
    return ok;
}
