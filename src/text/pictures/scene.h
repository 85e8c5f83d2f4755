/* What is in a picture: one figure or two, each in a patch of its own, and what is to be said of them. */
#ifndef TL_TEXT_PICTURES_SCENE_H
#define TL_TEXT_PICTURES_SCENE_H

#include "tapeloom/text.h"

enum { TL_PIC_COLOURS = 6, TL_PIC_SHAPES = 6, TL_PIC_RELATIONS = 4, TL_PIC_PLACES = 9, TL_PIC_FIGURES = 2 };
typedef enum tl_pic_shape {
    TL_PIC_SQUARE,
    TL_PIC_CIRCLE,
    TL_PIC_TRIANGLE,
    TL_PIC_CROSS,
    TL_PIC_DIAMOND,
    TL_PIC_RING
} tl_pic_shape;

typedef struct tl_pic_figure {
    int colour, shape, patch; /* colours in the order of the rainbow, which figures are named in */
} tl_pic_figure;
typedef struct tl_pic_scene {
    int figures; /* 1 or 2 */
    tl_pic_figure figure[TL_PIC_FIGURES];
} tl_pic_scene;

extern const char *const tl_pic_colour_names[TL_PIC_COLOURS], *const tl_pic_shape_names[TL_PIC_SHAPES];

/* Puts figures in the order in which they are named. False, and nothing to be said, for two of one colour, or two of
 * which one is neither plainly beside nor plainly above the other. */
bool tl_pic_order(tl_pic_scene *scene);
/* One of 0 … 3, left of, right of, above, below, for two figures; of 0 … 8, top left to bottom right, for one. */
int tl_pic_relation(const tl_pic_scene *scene);
/* Holds it a combination that training never has? */
bool tl_pic_reserved(const tl_pic_scene *scene);

enum { TL_PIC_TEXT = 1024, TL_PIC_LINKS = 2 * TL_PIC_FIGURES };
/* The scene as a line of tokens, one a patch; returns text. */
char *tl_pic_scene_text(const tl_pic_scene *scene, char text[TL_PIC_TEXT]);
/* Reads that back. False, with a sentence in error, for anything else, and for scenes of which there is nothing to be said. */
bool tl_pic_scene_of(const char *text, tl_pic_scene *scene, tl_error *error);
/* What is to be said, returned in text; links get patch and word of each colour and shape, sorted by patch, then word; returns how
 * many. */
long tl_pic_caption(const tl_pic_scene *scene, char text[TL_PIC_TEXT], tl_link links[TL_PIC_LINKS]);

#endif
