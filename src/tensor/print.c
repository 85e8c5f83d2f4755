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
    bool shorten;
    char kind; /* 'd' whole numbers, 'f' four decimals, 'e' powers of ten */
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

typedef struct range {
    bool whole;
    double largest, smallest; /* of the finite magnitudes that are not 0 */
} range;

static void look(tl_tensor t, const layout *l, range *r) {
    if (t.rank > 0) {
        for (long i = 0; i < shown_count(l, t.dim[0]); i++) {
            long at = shown(l, t.dim[0], i);
            if (at >= 0) look(tl_at(t, at), l, r);
        }
        return;
    }
    double v = fabs((double)*t.data);
    if (!isfinite(v)) return;
    if (v != floor(v)) r->whole = false;
    if (v > r->largest) r->largest = v;
    if (v > 0 && (r->smallest == 0 || v < r->smallest)) r->smallest = v;
}

static void measure(tl_tensor t, layout *l) {
    if (t.rank > 0) {
        for (long i = 0; i < shown_count(l, t.dim[0]); i++) {
            long at = shown(l, t.dim[0], i);
            if (at >= 0) measure(tl_at(t, at), l);
        }
        return;
    }
    char text[NUMBER_TEXT];
    int width = number_text(text, (double)*t.data, l->kind);
    if (width > l->width) l->width = width;
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
    char shape[TL_SHAPE_TEXT];
    layout l = {.shorten = tl_numel(t) > SHOW_ALL};
    range r = {.whole = true};
    look(t, &l, &r);
    l.kind = r.largest >= 1e5 || (r.smallest > 0 && r.smallest < 1e-3 && r.largest < 1e-1) ? 'e' : 'f';
    if (r.whole && r.largest < 1e9) l.kind = 'd';
    measure(t, &l);
    fprintf(out, "%s\n", tl_shape_text(tl_shape_of(t), shape));
    print_part(t, &l, 0, out);
    fputc('\n', out);
}
