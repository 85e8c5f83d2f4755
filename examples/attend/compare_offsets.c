/* attend compare --offsets: weights on the key at each relative position, as a table and as CSV (compare_picture.c
 * draws them). */
#include "compare.h"
#include "draw.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static bool add_batch(void *context, const tl_batch *batch, const tl_seen seen[2], tl_error *error) {
    curves *k = context;
    (void)batch;
    for (int m = 0; m < models_of(k->c); m++)
        if (!tl_offsets_add(k->of[m], &seen[m]))
            return tl_error_set(error, "the model's attention has no such shape");
    return true;
}

/* ---- the terminal ---- */

double offset_value(const curves *k, int which, long head, long offset) {
    double value[2] = {0, 0};
    for (int m = 0; m < models_of(k->c); m++)
        value[m] =
            offset > k->reach ? tl_offsets_beyond(k->of[m], head) : tl_offsets_mean(k->of[m], head, offset);
    return which == 2 ? value[1] - value[0] : value[which];
}

bool has_offsets(const curves *k, long head) {
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
        if (!has_offsets(k, h)) continue;
        const int head = tl_offsets_head(k->of[0], h, name);
        ok = (p.row[p.rows] = printed("%s %d", name, head)) != NULL;
        for (long o = 0; o < wide; o++) {
            const double value = offset_value(k, which, h, o - k->reach);
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
            tl_csv_double(csv, offset_value(k, 0, h, o));
            if (two) tl_csv_double(csv, offset_value(k, 1, h, o));
            if (two) tl_csv_double(csv, offset_value(k, 2, h, o));
            tl_csv_end_row(csv);
        }
    return csv && tl_csv_close(csv, error);
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
    for (int which = 0; ok && which < (k.of[1] ? 3 : 1); which++)
        ok = print_table(&k, which) || tl_error_set(error, "out of memory for a table");
    ok = ok && write_csv(&k, error) && draw_offsets(&k, error);
    tl_offsets_free(k.of[0]);
    tl_offsets_free(k.of[1]);
    return ok;
}
