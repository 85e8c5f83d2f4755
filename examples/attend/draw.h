/* A map of numbers between named rows and columns, drawn with characters, or as a picture. */
#ifndef ATTEND_DRAW_H
#define ATTEND_DRAW_H

#include <tapeloom.h>

typedef struct picture {
    long rows, columns;
    char **row, **column; /* names, made harmless */
    double *value;        /* [rows,columns] */
    bool *blocked;        /* [rows,columns] */
    char *title, *about;  /* of a picture in a file */
    bool share;           /* 0 … 1, as weights are; otherwise signed, or of any size */
} picture;

void draw_picture(const picture *p);
/* Maps one below the other, each under its title and a line about it. */
bool draw_svg(const char *path, const picture *maps, long count, tl_error *error);

/* draw.c: what both take. A cell's number in units, without a sign where it is rounded to 0. */
enum { PICTURE_NUMBER = 32 };
double picture_largest(const picture *p); /* of those that are seen, without sign */
double picture_unit(const picture *p);
void picture_number(const picture *p, long i, char text[PICTURE_NUMBER]);

#endif
