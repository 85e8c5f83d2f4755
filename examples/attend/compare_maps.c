/* attend compare, one sentence: two models' maps side by side with their difference, in hundredths; and every pair
 * as CSV. */
#include "compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void print_padded(const char *text, long width) {
    char *shown = shown_text(text);
    fputs(shown ? shown : "", stdout);
    for (long used = shown ? tl_text_columns(shown) : 0; used < width; used++) putchar(' ');
    free(shown);
}

static long longest(const tl_tokens *tokens) {
    long most = 0;
    for (long i = 0; i < tokens->count; i++) {
        char *shown = shown_text(tokens->text[i]);
        const long columns = shown ? tl_text_columns(shown) : 0;
        if (columns > most) most = columns;
        free(shown);
    }
    return most;
}

/* Prints hundredths: a weight without a sign, a difference with its sign. */
static void put_cell(double value, bool blocked, bool sign) {
    const double hundredths = floor(fabs(value) * 100 + 0.5);
    if (blocked)
        printf("  ╱╱");
    else if (hundredths == 0)
        printf("   ·");
    else
        printf(sign ? "%+4.0f" : "%4.0f", value < 0 ? -hundredths : hundredths);
}

enum { CELL = 4, USUAL = 160 }; /* columns of a cell; of a file, where width does not matter */

static long columns_there_are(void) {
    struct winsize size;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : USUAL;
}

static void print_row(const tl_seen_attention *const a[2], int part, long h, long i, long columns) {
    for (long j = 0; j < columns; j++) {
        const double x = tl_seen_value(a[0], TL_SEE_A, 0, h, i, j),
                     y = tl_seen_value(a[1], TL_SEE_A, 0, h, i, j);
        const bool blocked = tl_why_blocked(&a[0]->mask, 0, h, i, j, a[0]->queries, a[0]->keys) != TL_SEES;
        put_cell(part == 0 ? x : part == 1 ? y : y - x, blocked, part == 2);
    }
}

static void print_parts(const tl_seen_attention *const a[2], const tl_tokens *rows, const tl_tokens *columns,
                        long h, int from, int to, long label) {
    static const char *const names[] = {"A", "B", "B - A"};
    printf("  %*s", (int)label, "");
    for (int part = from; part < to; part++)
        printf(" |%-*s", part + 1 < to ? (int)(CELL * columns->count) : 0, names[part]);
    printf("\n  %*s", (int)label, "");
    for (int part = from; part < to; part++) {
        printf(" |");
        for (long j = 0; j < columns->count; j++) printf("%4ld", j);
    }
    puts("");
    for (long i = 0; i < rows->count; i++) {
        printf("  ");
        print_padded(rows->text[i], label);
        for (int part = from; part < to; part++) {
            printf(" |");
            print_row(a, part, h, i, columns->count);
        }
        puts("");
    }
}

void compare_maps(const tl_seen seen[2], const tl_sentence *sentence, const tl_head_difference *d) {
    const tl_seen_attention *const a[2] = {tl_seen_of(&seen[0], d->attention),
                                           tl_seen_of(&seen[1], d->attention)};
    const tl_tokens *rows = tl_seen_rows(a[0], sentence), *columns = tl_seen_columns(a[0], sentence);
    const long label = longest(rows), wide = 2 + label + 3 * (2 + CELL * columns->count);
    printf("\n%s, head %d: weights in hundredths; columns are", d->attention, d->head);
    for (long j = 0; j < columns->count; j++) {
        printf(" %ld ", j);
        print_padded(columns->text[j], 0);
    }
    puts("");
    const int each = wide <= columns_there_are() ? 3 : 1;
    for (int part = 0; part < 3; part += each)
        print_parts(a, rows, columns, d->head, part, part + each, label);
}

static void add_cells(tl_csv *csv, const tl_seen_attention *a, const tl_seen_attention *b,
                      const tl_tokens *rows, const tl_tokens *columns) {
    for (long h = 0; h < a->heads; h++)
        for (long i = 0; i < rows->count; i++)
            for (long j = 0; j < columns->count; j++) {
                const double x = tl_seen_value(a, TL_SEE_A, 0, h, i, j),
                             y = tl_seen_value(b, TL_SEE_A, 0, h, i, j);
                tl_csv_text(csv, a->name);
                tl_csv_long(csv, h);
                tl_csv_long(csv, i);
                tl_csv_long(csv, j);
                tl_csv_text(csv, rows->text[i]);
                tl_csv_text(csv, columns->text[j]);
                tl_csv_text(csv, tl_why_text(tl_why_blocked(&a->mask, 0, h, i, j, a->queries, a->keys)));
                tl_csv_float(csv, (float)x);
                tl_csv_float(csv, (float)y);
                tl_csv_float(csv, (float)(y - x));
                tl_csv_end_row(csv);
            }
}

bool write_cells(const comparing *c, const tl_seen seen[2], const tl_sentence *sentence, tl_error *error) {
    static const char *const columns[] = {"attention", "head",    "query", "key", "query_token",
                                          "key_token", "blocked", "a",     "b",   "difference"};
    if (!c->s->compare.csv) return true;
    tl_csv *csv = tl_csv_table(c->s->compare.csv, columns, sizeof columns / sizeof *columns, error);
    for (int n = 0; csv && n < seen[0].count; n++)
        add_cells(csv, &seen[0].attention[n], &seen[1].attention[n],
                  tl_seen_rows(&seen[0].attention[n], sentence),
                  tl_seen_columns(&seen[0].attention[n], sentence));
    return csv && tl_csv_close(csv, error);
}
