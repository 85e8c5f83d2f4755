/* Scenes and their captions.
 *
 *   one figure    a red square at the top left          positions are thirds of the rows by thirds of the columns
 *   two           a red square left of a blue circle    two or more patches apart one way, at most one the other
 *
 * Two figures are named in the order of their colours in the rainbow, so that a picture has exactly one caption.
 * Combinations kept out of training: each colour lacks one shape, every two shapes in their order lack one relation,
 * and each shape lacks one position. Training still has all words, and all other pairs. */
#include "scene.h"

#include "text/scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const tl_pic_colour_names[] = {"red", "orange", "yellow", "green", "blue", "violet"};
const char *const tl_pic_shape_names[] = {"square", "circle", "triangle", "cross", "diamond", "ring"};
static const char *const relations[] = {"left of", "right of", "above", "below"};
static const char *const places[] = {"at the top left",    "at the top",    "at the top right",
                                     "at the left",        "in the middle", "at the right",
                                     "at the bottom left", "at the bottom", "at the bottom right"};

static int row_of(const tl_pic_figure *f) { return f->patch / TL_PICTURE_SIDE; }
static int column_of(const tl_pic_figure *f) { return f->patch % TL_PICTURE_SIDE; }

/* ---- captions ---- */

bool tl_pic_order(tl_pic_scene *scene) {
    tl_pic_figure *a = &scene->figure[0], *b = &scene->figure[1];
    if (scene->figures == 1) return true;
    if (a->colour > b->colour) {
        const tl_pic_figure first = *b;
        *b = *a;
        *a = first;
    }
    const int down = abs(row_of(a) - row_of(b)), across = abs(column_of(a) - column_of(b));
    const int near = down < across ? down : across, far = down < across ? across : down;
    return a->colour < b->colour && far >= 2 && near <= 1;
}

int tl_pic_relation(const tl_pic_scene *scene) {
    const tl_pic_figure *a = &scene->figure[0], *b = &scene->figure[1];
    const int third = TL_PICTURE_SIDE / 3;
    if (scene->figures == 1) return row_of(a) / third * 3 + column_of(a) / third;
    if (abs(row_of(a) - row_of(b)) < abs(column_of(a) - column_of(b))) return column_of(a) > column_of(b);
    return 2 + (row_of(a) > row_of(b));
}

static bool is_reserved(const tl_pic_figure *f) { return (f->colour + f->shape) % TL_PIC_SHAPES == 4; }

bool tl_pic_reserved(const tl_pic_scene *scene) {
    const tl_pic_figure *a = &scene->figure[0], *b = &scene->figure[1];
    const int how = tl_pic_relation(scene);
    if (scene->figures == 1) return is_reserved(a) || (a->shape * 4 + how) % TL_PIC_PLACES == 2;
    return is_reserved(a) || is_reserved(b) || (a->shape + b->shape) % TL_PIC_RELATIONS == how;
}

/* Appends "a red square"; *words, the number of words so far, grows by three. */
static void name(const tl_pic_figure *f, char *text, size_t *used, int *words, tl_link *links) {
    const char *colour = tl_pic_colour_names[f->colour];
    *used += (size_t)snprintf(text + *used, TL_PIC_TEXT - *used, "%s%s %s %s", *used ? " " : "",
                              *colour == 'o' ? "an" : "a", colour, tl_pic_shape_names[f->shape]);
    links[0] = (tl_link){f->patch, *words + 1};
    links[1] = (tl_link){f->patch, *words + 2};
    *words += 3;
}

static int by_patch(const void *a, const void *b) {
    const tl_link *x = a, *y = b;
    return x->source != y->source ? x->source - y->source : x->target - y->target;
}

long tl_pic_caption(const tl_pic_scene *scene, char text[TL_PIC_TEXT], tl_link links[TL_PIC_LINKS]) {
    const int how = tl_pic_relation(scene);
    const char *middle = scene->figures == 1 ? places[how] : relations[how];
    size_t used = 0;
    int words = 0;
    name(&scene->figure[0], text, &used, &words, links);
    used += (size_t)snprintf(text + used, TL_PIC_TEXT - used, " %s", middle);
    words += how < 2 ? 2 : 1;
    if (scene->figures == 2) name(&scene->figure[1], text, &used, &words, links + 2);
    qsort(links, (size_t)scene->figures * 2, sizeof *links, by_patch);
    return 2L * scene->figures;
}

/* ---- scenes as lines ---- */

char *tl_pic_scene_text(const tl_pic_scene *scene, char text[TL_PIC_TEXT]) {
    size_t used = 0;
    for (int p = 0; p < TL_PICTURE_PATCHES; p++) {
        const tl_pic_figure *here = NULL;
        for (int i = 0; i < scene->figures; i++)
            if (scene->figure[i].patch == p) here = &scene->figure[i];
        used += (size_t)snprintf(text + used, TL_PIC_TEXT - used, "%s%s%s%s", p ? " " : "",
                                 here ? tl_pic_colour_names[here->colour] : ".", here ? "-" : "",
                                 here ? tl_pic_shape_names[here->shape] : "");
    }
    return text;
}

static int named(const char *const *names, int count, const char *text, size_t size) {
    for (int i = 0; i < count; i++)
        if (strlen(names[i]) == size && !memcmp(names[i], text, size)) return i;
    return -1;
}

static bool read_figure(tl_span token, tl_pic_figure *figure) {
    const char *dash = memchr(token.text, '-', token.size);
    if (!dash) return false;
    const size_t before = (size_t)(dash - token.text);
    figure->colour = named(tl_pic_colour_names, TL_PIC_COLOURS, token.text, before);
    figure->shape = named(tl_pic_shape_names, TL_PIC_SHAPES, dash + 1, token.size - before - 1);
    return figure->colour >= 0 && figure->shape >= 0;
}

bool tl_pic_scene_of(const char *text, tl_pic_scene *scene, tl_error *error) {
    tl_span rest = tl_span_of(text), token;
    const long patches = tl_count_tokens(rest);
    *scene = (tl_pic_scene){0};
    if (patches != TL_PICTURE_PATCHES)
        return tl_error_set(
            error, "picture: found %ld tokens, expected %d, one a patch: \".\" or, say, \"red-square\"",
            patches, TL_PICTURE_PATCHES);
    for (int p = 0; tl_next_token(&rest, &token); p++) {
        tl_pic_figure figure = {.patch = p};
        if (token.size == 1 && *token.text == '.') continue;
        if (!read_figure(token, &figure))
            return tl_error_set(
                error,
                "picture: found \"%.*s\" in patch %d, expected \".\" or a colour (red, orange, "
                "yellow, green, blue, violet), \"-\" and a shape (square, circle, triangle, cross, "
                "diamond, ring)",
                (int)(token.size < 40 ? token.size : 40), token.text, p);
        if (scene->figures == TL_PIC_FIGURES)
            return tl_error_set(error, "picture: found a third figure in patch %d, expected one or two", p);
        scene->figure[scene->figures++] = figure;
    }
    if (!scene->figures) return tl_error_set(error, "picture: found no figure, expected one or two");
    return tl_pic_order(scene) || tl_error_set(error, "picture: found two figures of one colour, or such "
                                                      "that one is neither plainly beside nor plainly "
                                                      "above the other: expected two colours, and figures "
                                                      "two patches or more apart one way, at most "
                                                      "one the other");
}

char *tl_picture_caption(const char *scene, tl_error *error) {
    tl_pic_scene s;
    tl_link links[TL_PIC_LINKS];
    char text[TL_PIC_TEXT];
    if (!tl_pic_scene_of(scene, &s, error)) return NULL;
    tl_pic_caption(&s, text, links);
    char *caption = malloc(strlen(text) + 1);
    if (!caption) return tl_error_set(error, "picture: out of memory for a caption"), NULL;
    return strcpy(caption, text);
}
