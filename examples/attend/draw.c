/* A map on a terminal: a row for each query, a column for each key, numbers in the cells. Weights are shares in
 * hundredths. Other quantities have a unit, printed above the map, in which the largest has two digits. A colour
 * terminal gets backgrounds: blue below 0, orange above. Blocked cells are hatched.
 *
 *                    the  small   cats  <eos>
 *     writes petits    5     81      9      5
 * */
#define _POSIX_C_SOURCE 200809L /* isatty */
#include "draw.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

enum { NARROWEST = 4 };

static bool has_colours(void) { return isatty(STDOUT_FILENO) && !getenv("NO_COLOR"); }

static void put_padded(const char *text, long width, bool right) {
    for (long used = tl_text_columns(text); right && used < width; used++) putchar(' ');
    fputs(text, stdout);
    for (long used = tl_text_columns(text); !right && used < width; used++) putchar(' ');
}

double picture_largest(const picture *p) {
    double most = 0;
    for (long i = 0; i < p->rows * p->columns; i++)
        if (!p->blocked[i] && fabs(p->value[i]) > most) most = fabs(p->value[i]);
    return most;
}

/* The power of ten in which the largest value has two digits; for shares a hundredth. */
double picture_unit(const picture *p) {
    const double most = picture_largest(p);
    if (p->share) return 0.01;
    return most > 0 ? pow(10, floor(log10(most)) - 1) : 1;
}

/* Background colour of a 256-colour terminal, nearer to white for smaller values; -1: too small for a colour. */
static int colour_of(const picture *p, double value, double most) {
    static const int orange[] = {-1, 230, 223, 216, 209, 202}, blue[] = {-1, 195, 153, 111, 69, 27};
    const double part = p->share ? value : most > 0 ? fabs(value) / most : 0;
    const int step = part >= 1 ? 5 : (int)(part * 6);
    return p->share || value < 0 ? blue[step] : orange[step];
}

void picture_number(const picture *p, long i, char text[PICTURE_NUMBER]) {
    const double units = floor(fabs(p->value[i]) / picture_unit(p) + 0.5);
    if (p->blocked[i])
        snprintf(text, PICTURE_NUMBER, "╱╱");
    else if (units == 0) /* 0 has no sign */
        snprintf(text, PICTURE_NUMBER, "%s", p->share ? "·" : "0");
    else
        snprintf(text, PICTURE_NUMBER, "%s%.0f", p->value[i] < 0 ? "-" : "", units);
}

static void put_cell(const picture *p, long i, long width, double most) {
    char text[PICTURE_NUMBER];
    picture_number(p, i, text);
    putchar(' ');
    const int colour = colour_of(p, p->value[i], most);
    if (!has_colours() || p->blocked[i] || colour < 0) {
        put_padded(text, width - 1, true);
        return;
    }
    printf("\033[48;5;%dm\033[38;5;%dm", colour, colour == 27 ? 231 : 16);
    put_padded(text, width - 1, true);
    printf("\033[0m");
}

void draw_picture(const picture *p) {
    const double most = picture_largest(p);
    long left = 0;
    for (long r = 0; r < p->rows; r++)
        if (tl_text_columns(p->row[r]) > left) left = tl_text_columns(p->row[r]);
    if (!p->share) printf("  unit %.0e\n", picture_unit(p));
    printf("  ");
    put_padded("", left, false);
    for (long c = 0; c < p->columns; c++) {
        const long width =
            tl_text_columns(p->column[c]) > NARROWEST ? tl_text_columns(p->column[c]) : NARROWEST;
        putchar(' ');
        put_padded(p->column[c], width, true);
    }
    putchar('\n');
    for (long r = 0; r < p->rows; r++) {
        printf("  ");
        put_padded(p->row[r], left, false);
        for (long c = 0; c < p->columns; c++) {
            const long width =
                tl_text_columns(p->column[c]) > NARROWEST ? tl_text_columns(p->column[c]) : NARROWEST;
            put_cell(p, r * p->columns + c, width + 1, most);
        }
        putchar('\n');
    }
}
