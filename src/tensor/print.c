/* tl_print: shows a tensor as NumPy does. All elements of a tensor have one format, and columns are aligned. In a
 * tensor of more than SHOW_ALL elements, axes longer than 2·EDGE are shortened in the middle.
 *
 *     [2,3]
 *     [[ 1.0000  0.5000 -2.0000]
 *      [ 0.0000  0.2500     nan]]
 * */
#include "tapeloom/tensor.h"
#include "base/format.h"

#include <math.h>
#include <string.h>

enum { EDGE = 3, SHOW_ALL = 1000, NUMBER_TEXT = 40 };

typedef struct layout {
    bool shorten, whole;      /* whole: all shown numbers are whole numbers */
    double largest, smallest; /* of the finite magnitudes that are not 0 */
    char kind;                /* 'd' whole numbers, 'f' four decimals, 'e' powers of ten */
    int width;
} layout;

static int number_text(char text[NUMBER_TEXT], double v, char kind) {
    if (isnan(v)) v = NAN; /* no "-nan" */
    return tl_format(text, NUMBER_TEXT, kind == 'd' ? "%.0f" : kind == 'f' ? "%.4f" : "%.4e", v);
}

/* The index that is shown at place i along an axis of size n; -1 for the dots. */
static long shown(const layout *l, long n, long i) {
    if (!l->shorten || n <= 2 * EDGE) return i;
    return i < EDGE ? i : i == EDGE ? -1 : n - 2 * EDGE - 1 + i;
}
static long shown_count(const layout *l, long n) { return l->shorten && n > 2 * EDGE ? 2 * EDGE + 1 : n; }

static void compare(double v, layout *l) {
    v = fabs(v);
    if (!isfinite(v)) return;
    if (v != floor(v)) l->whole = false;
    if (v > l->largest) l->largest = v;
    if (v > 0 && (l->smallest == 0 || v < l->smallest)) l->smallest = v;
}

static void measure(double v, layout *l) {
    char text[NUMBER_TEXT];
    int width = number_text(text, v, l->kind);
    if (width > l->width) l->width = width;
}

static void for_each_shown(tl_tensor t, void (*fn)(double v, layout *l), layout *l) {
    if (t.rank == 0) fn((double)*t.data, l);
    for (long i = 0; t.rank > 0 && i < shown_count(l, t.dim[0]); i++) {
        long at = shown(l, t.dim[0], i);
        if (at >= 0) for_each_shown(tl_at(t, at), fn, l);
    }
}

static void print_part(tl_tensor t, const layout *l, int depth, FILE *out) {
    if (t.rank == 0) {
        char text[NUMBER_TEXT];
        number_text(text, (double)*t.data, l->kind);
        fprintf(out, "%*s", l->width, text);
        return;
    }
    fputc('[', out);
    for (long i = 0, count = shown_count(l, t.dim[0]); i < count; i++) {
        long at = shown(l, t.dim[0], i);
        if (i > 0 && t.rank == 1) fputc(' ', out);
        if (i > 0 && t.rank > 1) {
            for (int lines = 1; lines < t.rank; lines++) fputc('\n', out);
            fprintf(out, "%*s", depth + 1, "");
        }
        if (at < 0)
            fputs("...", out);
        else
            print_part(tl_at(t, at), l, depth + 1, out);
    }
    fputc(']', out);
}

void tl_print(tl_tensor t, FILE *out) {
    if (!out) return;
    if (!t.data || tl_shape_numel(tl_shape_of(t)) < 0) {
        fputs("no tensor\n", out);
        return;
    }
    layout l = {.shorten = tl_numel(t) > SHOW_ALL, .whole = true};
    for_each_shown(t, compare, &l);
    l.kind = l.largest >= 1e5 || (l.smallest > 0 && l.smallest < 1e-3 && l.largest < 1e-1) ? 'e' : 'f';
    if (l.whole && l.largest < 1e9) l.kind = 'd';
    for_each_shown(t, measure, &l);
    fprintf(out, "%s\n", TL_SHAPE_STRING_OF(t));
    print_part(t, &l, 0, out);
    fputc('\n', out);
}
