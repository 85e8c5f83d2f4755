/* attend compare --offsets: what heads give to the token so many places away, as a table, as CSV and as a picture: a panel for each
 * attention, a line for each head; of a second model dashed ones. */
#include "compare.h"
#include "draw.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

typedef struct curves {
    const comparing *c;
    tl_offsets *of[2];
    long reach, count;
} curves;

static bool add_batch(void *context, const tl_batch *batch, const tl_seen seen[2], tl_error *error) {
    curves *k = context;
    (void)batch;
    for (int m = 0; m < models_of(k->c); m++)
        if (!tl_offsets_add(k->of[m], &seen[m]))
            return tl_error_set(error, "the model's attention has no such shape");
    return true;
}

/* ---- the terminal ---- */

/* Model 0 or 1, or 2: their difference. Offset reach+1 stands for all that is further away. */
static double value_of(const curves *k, int which, long head, long offset) {
    double value[2] = {0, 0};
    for (int m = 0; m < models_of(k->c); m++)
        value[m] =
            offset > k->reach ? tl_offsets_beyond(k->of[m], head) : tl_offsets_mean(k->of[m], head, offset);
    return which == 2 ? value[1] - value[0] : value[which];
}

static bool is_there(const curves *k, long head) {
    bool some = false;
    for (long o = -k->reach; o <= k->reach; o++) some |= tl_offsets_rows(k->of[0], head, o) > 0;
    return some;
}

static char *printed(const char *format, ...) {
    char text[128];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    char *copy = malloc(strlen(text) + 1);
    return copy ? strcpy(copy, text) : NULL;
}

static void free_names(char **names, long count) {
    for (long i = 0; names && i < count; i++) free(names[i]);
    free(names);
}

static bool print_table(const curves *k, int which) {
    static const char *const titles[] = {"A", "B", "B - A"};
    const long wide = 2 * k->reach + 2;
    picture p = {.columns = wide, .share = which < 2};
    p.row = calloc((size_t)k->count + 1, sizeof *p.row);
    p.column = calloc((size_t)wide, sizeof *p.column);
    p.value = calloc((size_t)(k->count * wide) + 1, sizeof *p.value);
    p.blocked = calloc((size_t)(k->count * wide) + 1, sizeof *p.blocked);
    bool ok = p.row && p.column && p.value && p.blocked;
    for (long o = 0; ok && o < wide; o++)
        ok = (p.column[o] = o < wide - 1 ? printed("%+ld", o - k->reach) : printed("beyond")) != NULL;
    for (long h = 0; ok && h < k->count; h++) {
        char name[64];
        if (!is_there(k, h)) continue;
        const int head = tl_offsets_head(k->of[0], h, name);
        ok = (p.row[p.rows] = printed("%s %d", name, head)) != NULL;
        for (long o = 0; o < wide; o++) {
            const double value = value_of(k, which, h, o - k->reach);
            p.blocked[p.rows * wide + o] = isnan(value);
            p.value[p.rows * wide + o] = isnan(value) ? 0 : value;
        }
        p.rows++;
    }
    printf("\n%s: mean weight on the token so many places after the row's own\n", titles[which]);
    if (ok) draw_picture(&p);
    free_names(p.row, p.rows);
    free_names(p.column, wide);
    free(p.value);
    free(p.blocked);
    return ok;
}

/* ---- CSV ---- */

static bool write_csv(const curves *k, tl_error *error) {
    const char *columns[7] = {"attention", "head", "offset", "rows", "a", "b", "difference"};
    const bool two = k->of[1] != NULL;
    if (!k->c->s->compare.csv) return true;
    tl_csv *csv = tl_csv_table(k->c->s->compare.csv, columns, two ? 7 : 5, error);
    for (long h = 0; csv && h < k->count; h++)
        for (long o = -k->reach; o <= k->reach; o++) {
            char name[64];
            const int head = tl_offsets_head(k->of[0], h, name);
            if (!(tl_offsets_rows(k->of[0], h, o) > 0)) continue;
            tl_csv_text(csv, name);
            tl_csv_long(csv, head);
            tl_csv_long(csv, o);
            tl_csv_double(csv, tl_offsets_rows(k->of[0], h, o));
            tl_csv_double(csv, value_of(k, 0, h, o));
            if (two) tl_csv_double(csv, value_of(k, 1, h, o));
            if (two) tl_csv_double(csv, value_of(k, 2, h, o));
            tl_csv_end_row(csv);
        }
    return csv && tl_csv_close(csv, error);
}

/* ---- the picture ---- */

enum { PANEL = 300, HIGH = 170, A_ROW = 3, LEFT = 42, TOP = 30, BETWEEN = 62, LEGEND = 26 };

typedef struct drawing {
    char *bytes;
    size_t size, room;
    bool failed;
} drawing;

TL_PRINTF(2, 3) static void add(drawing *d, const char *format, ...) {
    va_list arguments;
    char line[512];
    va_start(arguments, format);
    const int n = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    const size_t size = n < 0 ? 0 : (size_t)n < sizeof line ? (size_t)n : sizeof line - 1;
    if (!d->failed && d->size + size + 1 > d->room) {
        char *grown = realloc(d->bytes, d->room = 2 * (d->room + sizeof line));
        if (grown)
            d->bytes = grown;
        else
            d->failed = true;
    }
    if (d->failed) return;
    memcpy(d->bytes + d->size, line, size + 1);
    d->size += size;
}

/* Hundredths of a pixel as text: no locale's comma. */
static void add_point(drawing *d, char letter, double x, double y) {
    const long hx = (long)(x * 100 + 0.5), hy = (long)(y * 100 + 0.5);
    add(d, "%c%ld.%02ld %ld.%02ld", letter, hx / 100, hx % 100, hy / 100, hy % 100);
}

static void add_curve(drawing *d, const curves *k, int model, long head, int number, double left,
                      double top) {
    static const char *const colours[] = {"#1f6fb4", "#d9772b", "#3a8f3a", "#8a4fa3",
                                          "#b03a3a", "#3aa0a0", "#8c6d2f", "#c25a9a"};
    char letter = 'M';
    add(d, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"1.6\"%s d=\"", colours[number % 8],
        model ? " stroke-dasharray=\"5 3\"" : "");
    for (long o = -k->reach; o <= k->reach; o++) {
        const double value = value_of(k, model, head, o);
        if (isnan(value)) {
            letter = 'M';
            continue;
        }
        add_point(d, letter, left + PANEL * (double)(o + k->reach) / (double)(2 * k->reach),
                  top + HIGH * (1 - value));
        letter = 'L';
    }
    add(d, "\"/>\n");
}

static void add_frame(drawing *d, const curves *k, const char *name, int left, int top) {
    add(d, "<text x=\"%d\" y=\"%d\" font-weight=\"bold\">%s</text>\n", left, top - 8, name);
    for (int tenth = 0; tenth <= 10; tenth += 5) {
        const int y = top + HIGH - HIGH * tenth / 10;
        add(d, "<path stroke=\"#ccc\" d=\"M%d %dH%d\"/>", left, y, left + PANEL);
        add(d, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n", left - 5, y + 4,
            tenth == 0   ? "0"
            : tenth == 5 ? "0.5"
                         : "1");
    }
    const long each = k->reach > 5 ? (k->reach + 4) / 5 : 1;
    for (long o = -k->reach / each * each; o <= k->reach; o += each) {
        const long x = left + PANEL * (o + k->reach) / (2 * k->reach);
        if (o == 0) add(d, "<path stroke=\"#ccc\" d=\"M%ld %dV%d\"/>", x, top, top + HIGH);
        add(d, "<text x=\"%ld\" y=\"%d\" text-anchor=\"middle\">%+ld</text>\n", x, top + HIGH + 15, o);
    }
}

/* Heads of one attention stand side by side in the table: a panel begins where its name changes. */
static void add_panels(drawing *d, const curves *k) {
    char name[64], last[64] = "";
    int panel = -1, left = 0, top = 0;
    for (long h = 0; h < k->count; h++) {
        if (!is_there(k, h)) continue;
        const int head = tl_offsets_head(k->of[0], h, name);
        if (strcmp(name, last)) {
            panel++;
            left = LEFT + panel % A_ROW * (PANEL + BETWEEN);
            top = TOP + LEGEND + panel / A_ROW * (HIGH + BETWEEN);
            add_frame(d, k, name, left, top);
            strcpy(last, name);
        }
        for (int m = 0; m < models_of(k->c); m++) add_curve(d, k, m, h, head, left, top);
    }
}

static int panels_of(const curves *k) {
    char name[64], last[64] = "";
    int panels = 0;
    for (long h = 0; h < k->count; h++) {
        if (!is_there(k, h)) continue;
        tl_offsets_head(k->of[0], h, name);
        panels += strcmp(name, last) != 0;
        strcpy(last, name);
    }
    return panels;
}

static bool write_svg(const curves *k, tl_error *error) {
    if (!k->c->s->compare.svg) return true;
    drawing d = {0};
    const int panels = panels_of(k), wide = LEFT + (panels < A_ROW ? panels : A_ROW) * (PANEL + BETWEEN),
              high = TOP + LEGEND + (panels + A_ROW - 1) / A_ROW * (HIGH + BETWEEN);
    add(&d,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
        "font-family=\"sans-serif\" font-size=\"12\" fill=\"#222\">\n<rect width=\"%d\" height=\"%d\" "
        "fill=\"#fff\"/>\n",
        wide, high, wide, high, wide, high);
    add(&d,
        "<text x=\"%d\" y=\"20\">Mean weight on the token so many places after the row's own; a line a "
        "head%s</text>\n",
        LEFT, k->of[1] ? "; dashed: B" : "");
    add_panels(&d, k);
    add(&d, "</svg>\n");
    const bool ok = d.failed ? tl_error_set(error, "out of memory for a picture")
                             : tl_file_write(k->c->s->compare.svg, d.bytes, d.size, error);
    free(d.bytes);
    return ok;
}

/* ---- the command ---- */

enum { FURTHEST = 100 };

bool compare_offsets(comparing *c, tl_error *error) {
    curves k = {.c = c, .reach = c->s->compare.offsets};
    if (k.reach > FURTHEST)
        return tl_error_set(error, "--offsets %ld: at most %d are told apart", k.reach, FURTHEST);
    bool ok = true;
    for (int m = 0; ok && m < models_of(c); m++)
        ok = (k.of[m] = tl_offsets_new(tl_run_model(c->run[m]), k.reach)) != NULL;
    if (!ok) tl_error_set(error, "out of memory for a table");
    k.count = tl_offsets_count(k.of[0]);
    ok = ok && look_at_set(c, add_batch, &k, error);
    if (ok) printf("Over %ld sentences: %s\n", tl_set_count(c->set), tl_set_name(c->set));
    for (int which = 0; ok && which < (k.of[1] ? 3 : 1); which++) ok = print_table(&k, which);
    ok = ok && write_csv(&k, error) && write_svg(&k, error);
    tl_offsets_free(k.of[0]);
    tl_offsets_free(k.of[1]);
    return ok;
}
