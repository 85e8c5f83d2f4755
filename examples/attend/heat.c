/* Colours go from white at 0 to blue at -limit and orange at limit, and stay there beyond it. The numbers are shown
 * too, so that a table can be read without colours. */
#define _POSIX_C_SOURCE 200809L /* isatty */
#include "heat.h"

#include "../program/growing.h"
#include "../program/program.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct colour {
    int red, green, blue;
} colour;

static double limit_of(const heat *t) {
    double most = t->limit;
    for (long i = 0; t->limit == 0 && i < t->rows * t->columns; i++)
        if (fabs(t->value[i]) > most) most = fabs(t->value[i]);
    return most > 0 ? most : 1;
}

static int between(int white, int full, double share) { return (int)lround(white + (full - white) * share); }

static colour colour_of(double value, double limit) {
    const double share = fmin(1, fabs(value) / limit);
    const colour full = value < 0 ? (colour){67, 133, 190} : (colour){224, 130, 46};
    return (colour){between(255, full.red, share), between(255, full.green, share),
                    between(255, full.blue, share)};
}

/* ---- text ---- */

/* Bytes of the character that begins at text. */
static size_t character(const char *text) {
    size_t n = 1;
    while (((unsigned char)text[n] & 0xC0) == 0x80) n++;
    return n;
}

void heat_put(const char *text, long columns, bool right, FILE *out) {
    char *shown = shown_text(text), one[8];
    long used = 0;
    size_t end = 0;
    while (shown && shown[end]) {
        const size_t size = character(shown + end);
        if (size >= sizeof one) break;
        memcpy(one, shown + end, size);
        one[size] = 0;
        if (used + tl_text_columns(one) > columns) break;
        used += tl_text_columns(one);
        end += size;
    }
    if (right) fprintf(out, "%*s", (int)(columns - used), "");
    if (shown) fwrite(shown, 1, end, out);
    if (!right) fprintf(out, "%*s", (int)(columns - used), "");
    free(shown);
}

static long widest(const char *const *names, long count, long least, long most) {
    long width = least;
    for (long i = 0; i < count; i++) {
        char *shown = shown_text(names[i]);
        if (shown && tl_text_columns(shown) > width) width = tl_text_columns(shown);
        free(shown);
    }
    return width > most ? most : width;
}

enum { LEAST_COLUMNS = 7, MOST_COLUMNS = 14, NAME_COLUMNS = 44 };

static void number(char text[32], double value) {
    snprintf(text, 32, fabs(value) < 99.995 ? "%.2f" : fabs(value) < 9999 ? "%.0f" : "%.0e", value);
    if (!strcmp(text, "-0.00")) memcpy(text, "0.00", 5);
}

static void print_cell(double value, double limit, long width, bool colours) {
    char text[32];
    if (isnan(value)) {
        printf("%*s", (int)width + 1, "");
        return;
    }
    number(text, value);
    const colour c = colour_of(value, limit);
    printf(" ");
    if (colours) printf("\033[48;2;%d;%d;%dm\033[38;2;0;0;0m", c.red, c.green, c.blue);
    printf("%*s%s", (int)width, text, colours ? "\033[0m" : "");
}

void heat_print(const heat *t) {
    const bool colours = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
    const double limit = limit_of(t);
    const long names = widest(t->row, t->rows, 0, NAME_COLUMNS),
               width = widest(t->column, t->columns, LEAST_COLUMNS, MOST_COLUMNS);
    if (t->title) printf("%s\n\n", t->title);
    printf("  %*s", (int)names, "");
    for (long c = 0; c < t->columns; c++) printf(" "), heat_put(t->column[c], width, true, stdout);
    printf("\n");
    for (long r = 0; r < t->rows; r++) {
        printf("  ");
        heat_put(t->row[r], names, false, stdout);
        for (long c = 0; c < t->columns; c++) print_cell(t->value[r * t->columns + c], limit, width, colours);
        printf("\n");
    }
}

/* ---- a picture ---- */

enum { CELL = 44, WORD_CELL = 84, HIGH = 22, LETTER = 8, GAP = 18, LINE = 20 };

typedef struct layout { /* of one table in the picture */
    long left, head, cell, width, height;
} layout;

static layout layout_of(const heat *t) {
    const long names = widest(t->row, t->rows, 4, NAME_COLUMNS),
               heads = widest(t->column, t->columns, 1, NAME_COLUMNS);
    layout l = {.left = GAP + names * LETTER, .cell = t->text ? WORD_CELL : CELL};
    l.head = heads * LETTER > l.cell ? heads * LETTER : HIGH;
    l.width = l.left + t->columns * l.cell + GAP;
    l.height = LINE + GAP / 2 + l.head + t->rows * HIGH + GAP;
    const long title = t->title ? 2 * GAP + tl_text_columns(t->title) * LETTER : 0;
    if (title > l.width) l.width = title;
    return l;
}

/* Long names are written upright. */
static void draw_heads(const heat *t, const layout *l, long top, growing *out) {
    for (long c = 0; c < t->columns; c++) {
        const long x = l->left + c * l->cell + l->cell / 2, y = top + l->head - 6;
        if (l->head > HIGH)
            grow(out, "<text transform=\"translate(%ld %ld) rotate(-90)\">", x + 4, y);
        else
            grow(out, "<text x=\"%ld\" y=\"%ld\" text-anchor=\"middle\">", x, y);
        grow_words(out, t->column[c]);
        grow(out, "</text>\n");
    }
}

static void draw_row(const heat *t, const layout *l, long r, long y, double limit, growing *out) {
    char text[32];
    grow(out, "<text x=\"%ld\" y=\"%ld\" text-anchor=\"end\">", l->left - 8, y + HIGH - 6);
    grow_words(out, t->row[r]);
    grow(out, "</text>\n");
    for (long c = 0; c < t->columns; c++) {
        const double value = t->value[r * t->columns + c];
        if (isnan(value)) continue;
        const colour k = colour_of(value, limit);
        const long x = l->left + c * l->cell;
        number(text, value);
        grow(out,
             "<rect x=\"%ld\" y=\"%ld\" width=\"%ld\" height=\"%d\" fill=\"#%02x%02x%02x\" stroke=\"#ccc\"/>"
             "<text x=\"%ld\" y=\"%ld\" text-anchor=\"middle\" font-size=\"11\">",
             x, y, l->cell, HIGH, k.red, k.green, k.blue, x + l->cell / 2, y + HIGH - 7);
        grow_words(out, t->text ? t->text[r * t->columns + c] : text);
        grow(out, "</text>\n");
    }
}

static void draw_table(const heat *t, long top, growing *out) {
    const layout l = layout_of(t);
    const double limit = limit_of(t);
    grow(out, "<text x=\"%d\" y=\"%ld\" font-weight=\"bold\">", GAP, top + LINE - 5);
    grow_words(out, t->title ? t->title : "");
    grow(out, "</text>\n");
    top += LINE + GAP / 2;
    draw_heads(t, &l, top, out);
    for (long r = 0; r < t->rows; r++) draw_row(t, &l, r, top + l.head + r * HIGH, limit, out);
}

static void draw(const char *const *about, int lines, const heat *tables, int count, growing *out) {
    long width = 0, height = GAP + lines * LINE;
    for (int i = 0; i < lines; i++)
        if (2 * GAP + tl_text_columns(about[i]) * LETTER > width)
            width = 2 * GAP + tl_text_columns(about[i]) * LETTER;
    for (int i = 0; i < count; i++) {
        const layout l = layout_of(&tables[i]);
        height += l.height;
        if (l.width > width) width = l.width;
    }
    grow(out,
         "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%ld\" height=\"%ld\" viewBox=\"0 0 %ld %ld\" "
         "font-family=\"sans-serif\" font-size=\"13\">\n<rect width=\"100%%\" height=\"100%%\" "
         "fill=\"#fff\"/>\n",
         width, height, width, height);
    for (int i = 0; i < lines; i++) {
        grow(out, "<text x=\"%d\" y=\"%d\">", GAP, GAP + i * LINE + 10);
        grow_words(out, about[i]);
        grow(out, "</text>\n");
    }
    long top = GAP + lines * LINE;
    for (int i = 0; i < count; i++) {
        draw_table(&tables[i], top, out);
        top += layout_of(&tables[i]).height;
    }
    grow(out, "</svg>\n");
}

bool heat_draw(const char *path, const char *const *about, int lines, const heat *tables, int count,
               tl_error *error) {
    growing picture = {0};
    draw(about, lines, tables, count, &picture);
    const bool ok = picture.failed
                        ? tl_error_set(error, "out of memory for a picture")
                        : all_is_shown(error) && tl_file_write(path, picture.bytes, picture.size, error);
    free(picture.bytes);
    return ok;
}
