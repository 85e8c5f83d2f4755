/* Tables of numbers around 0, as text and as a picture: blue below 0, orange above, white at 0. */
#ifndef ATTEND_HEAT_H
#define ATTEND_HEAT_H

#include <stdbool.h>
#include <stdio.h>

#include <tapeloom.h>

typedef struct heat {
    const char *title;
    long rows, columns;
    const char *const *row, *const *column; /* names; foreign bytes are made harmless when drawn */
    const double *value;                    /* [rows,columns]; NaN: an empty cell */
    /* [rows,columns] words shown in a picture instead of the numbers; NULL: the numbers */
    const char *const *text;
    double limit; /* the value of the full colour; 0: the largest |value| */
} heat;

/* Prints to standard output; with colours on a terminal, unless NO_COLOR is set. */
void heat_print(const heat *table);
/* Draws several tables as one picture, one below the other, under the lines of `about`. */
bool heat_draw(const char *path, const char *const *about, int lines, const heat *tables, int count,
               tl_error *error);
/* Prints as many of the text's first characters as fit into `columns` columns, padded with spaces after it, or
 * (right) before it. */
void heat_put(const char *text, long columns, bool right, FILE *out);

#endif
