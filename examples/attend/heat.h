/* Tables of numbers around 0, as text and as a picture: blue below 0, orange above, white at 0. */
#ifndef ATTEND_HEAT_H
#define ATTEND_HEAT_H

#include <stdbool.h>
#include <stdio.h>

#include <tapeloom.h>

typedef struct heat {
    const char *title;
    long rows, columns;
    const char *const *row, *const *column; /* names; foreign bytes are made harmless here */
    const double *value;                    /* [rows,columns]; NaN: nothing is there */
    const char *const
        *text;    /* [rows,columns] words that a picture has in the numbers' place; NULL: the numbers */
    double limit; /* what has the full colour; 0: the largest of all */
} heat;

/* On standard output; on a terminal with colours, unless NO_COLOR says otherwise. */
void heat_print(const heat *table);
/* One picture of several tables, one below the other; `about` are lines above them. */
bool heat_draw(const char *path, const char *const *about, int lines, const heat *tables, int count,
               tl_error *error);
/* The text's first characters, as many as fit into so many columns, with spaces behind them; right: before. */
void heat_put(const char *text, long columns, bool right, FILE *out);

#endif
