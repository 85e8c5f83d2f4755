/* The content of a picture: one or two figures, each in a patch of its own, and their caption. */
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
    /* colours are numbered in the order of the rainbow, in which figures are named */
    int colour, shape, patch;
} tl_pic_figure;
typedef struct tl_pic_scene {
    int figures; /* 1 or 2 */
    tl_pic_figure figure[TL_PIC_FIGURES];
} tl_pic_scene;

extern const char *const tl_pic_colour_names[TL_PIC_COLOURS], *const tl_pic_shape_names[TL_PIC_SHAPES];

/* Orders the figures as they are named. False if there is no caption: two figures of one colour, or neither clearly
 * beside nor clearly above each other. */
bool tl_pic_order(tl_pic_scene *scene);
/* For two figures 0 … 3: left of, right of, above, below. For one figure 0 … 8: top left to bottom right. */
int tl_pic_relation(const tl_pic_scene *scene);
/* Does the scene have a combination that is kept out of training? */
bool tl_pic_reserved(const tl_pic_scene *scene);

enum { TL_PIC_TEXT = 1024, TL_PIC_LINKS = 2 * TL_PIC_FIGURES };
/* Writes the scene as a line, one token per patch. Returns text. */
char *tl_pic_scene_text(const tl_pic_scene *scene, char text[TL_PIC_TEXT]);
/* Reads such a line. Returns false, with a message in error, for any other text and for scenes without a caption. */
bool tl_pic_scene_of(const char *text, tl_pic_scene *scene, tl_error *error);
/* Writes the caption into text; links get patch and word of each colour and shape, sorted by patch, then word. Returns
 * how many links. */
long tl_pic_caption(const tl_pic_scene *scene, char text[TL_PIC_TEXT], tl_link links[TL_PIC_LINKS]);

#endif
