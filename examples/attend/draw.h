/* A map of numbers between named rows and columns, drawn with characters. */
#ifndef ATTEND_DRAW_H
#define ATTEND_DRAW_H

#include <tapeloom.h>

typedef struct picture {
    long rows, columns;
    char **row, **column; /* names, made harmless */
    double *value;        /* [rows,columns] */
    bool *blocked;        /* [rows,columns] */
    bool share;           /* 0 … 1, as weights are; otherwise signed, or of any size */
} picture;

void draw_picture(const picture *p);

#endif
