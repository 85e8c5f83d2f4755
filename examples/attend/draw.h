/* A map of numbers between named rows and columns, drawn as text or as an SVG. */
#ifndef ATTEND_DRAW_H
#define ATTEND_DRAW_H

#include <tapeloom.h>

typedef struct picture {
    long rows, columns;
    char **row, **column; /* names, made harmless */
    double *value;        /* [rows,columns] */
    bool *blocked;        /* [rows,columns] */
    char *title, *about;  /* for a picture in a file */
    bool share;           /* values are 0 … 1, as weights; otherwise any number */
} picture;

void draw_picture(const picture *p);
/* Draws maps one below the other, each under its title and a line about it. */
bool draw_svg(const char *path, const picture *maps, long count, tl_error *error);

/* draw.c: shared by both. A cell's number in units, without a sign if it is rounded to 0. */
enum { PICTURE_NUMBER = 32 };
double picture_largest(const picture *p); /* largest |value| among cells that are not blocked */
double picture_unit(const picture *p);
void picture_number(const picture *p, long i, char text[PICTURE_NUMBER]);

#endif
