/* A picture as SVG: the picture itself, then a panel for each word, in which every patch has a frame and a tint as
 * strong as the word's weight on it. A dashed frame surrounds the patch that the word names. Pixels are written once
 * and used in every panel. */
#include "program.h"

#include "../program/growing.h"

#include <stdlib.h>
#include <string.h>

enum {
    SIDE = TL_PICTURE_SIDE,
    CELL = TL_PICTURE_CELL,
    PIXELS = SIDE * CELL,
    SCALE = 3, /* size of a pixel */
    PICTURE = PIXELS * SCALE,
    GAP = 16,
    LINE = 24,
    A_ROW = 5 /* panels in a row */
};

static int brightness(const sight *seen, long patch, long pixel, int colour) {
    const double value = 1 - (double)seen->patches[patch * TL_PICTURE_PATCH + pixel * 3 + colour];
    return value <= 0 ? 0 : value >= 1 ? 255 : (int)(value * 255 + 0.5);
}

static void add_picture(growing *t, const sight *seen) {
    grow(t,
         "<defs><g id=\"picture\" shape-rendering=\"crispEdges\">\n<rect width=\"%d\" height=\"%d\" "
         "fill=\"#fff\"/>\n",
         PICTURE, PICTURE);
    for (long p = 0; p < TL_PICTURE_PATCHES; p++)
        for (long i = 0; i < CELL * CELL; i++) {
            const long x = p % SIDE * CELL + i % CELL, y = p / SIDE * CELL + i / CELL;
            grow(t, "<path d=\"M%ld %ldh%dv%dh-%dz\" fill=\"#%02x%02x%02x\"/>\n", x * SCALE, y * SCALE, SCALE,
                 SCALE, SCALE, brightness(seen, p, i, 0), brightness(seen, p, i, 1),
                 brightness(seen, p, i, 2));
        }
    grow(t, "</g></defs>\n");
}

static void add_shares(growing *t, const sight *seen, long word) {
    const int cell = CELL * SCALE;
    for (int p = 0; p < TL_PICTURE_PATCHES; p++) {
        const double share = seen->share[word][p];
        const int x = p % SIDE * cell, y = p / SIDE * cell;
        if (share >= 0.01)
            grow(t,
                 "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"#d6007a\" fill-opacity=\"%.3f\" "
                 "stroke=\"#d6007a\" stroke-width=\"3\" stroke-opacity=\"%.3f\"/>\n",
                 x + 1, y + 1, cell - 2, cell - 2, 0.35 * share, share);
        if (p == seen->true_patch[word])
            grow(t,
                 "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" stroke=\"#000\" "
                 "stroke-dasharray=\"3 2\"/>\n",
                 x - 2, y - 2, cell + 4, cell + 4);
    }
}

/* word -1: the picture without weights */
static void add_panel(growing *t, const sight *seen, long panel, long word) {
    const long x = GAP + panel % A_ROW * (PICTURE + GAP),
               y = GAP + LINE + panel / A_ROW * (PICTURE + GAP + LINE);
    grow(t, "<g transform=\"translate(%ld %ld)\">\n<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">", x,
         y + LINE, PICTURE / 2, -7);
    if (word >= 0) grow_words(t, seen->word[word]);
    grow(t,
         "</text>\n<use href=\"#picture\"/>\n<rect width=\"%d\" height=\"%d\" fill=\"none\" "
         "stroke=\"#888\"/>\n",
         PICTURE, PICTURE);
    if (word >= 0) add_shares(t, seen, word);
    grow(t, "</g>\n");
}

char *overlay(const sight *seen, size_t *size) {
    growing t = {0};
    const long panels = seen->words + 1, rows = (panels + A_ROW - 1) / A_ROW,
               width = GAP + A_ROW * (PICTURE + GAP), height = GAP + LINE + rows * (PICTURE + GAP + LINE);
    grow(&t,
         "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%ld\" height=\"%ld\" viewBox=\"0 0 %ld %ld\" ",
         width, height, width, height);
    grow(&t, "font-family=\"sans-serif\" font-size=\"15\">\n<rect width=\"100%%\" height=\"100%%\" "
             "fill=\"#fff\"/>\n");
    grow(&t, "<text x=\"%d\" y=\"%d\" font-weight=\"bold\">", GAP, GAP + 8);
    for (long w = 0; w < seen->words; w++) grow(&t, w ? " " : ""), grow_words(&t, seen->word[w]);
    grow(&t, "</text>\n");
    if (!seen->right) {
        grow(&t, "<text x=\"%ld\" y=\"%d\" text-anchor=\"end\">true: ", width - GAP, GAP + 8);
        grow_words(&t, seen->truth);
        grow(&t, "</text>\n");
    }
    add_picture(&t, seen);
    for (long p = 0; p < panels; p++) add_panel(&t, seen, p, p - 1);
    grow(&t, "</svg>\n");
    *size = t.size;
    if (t.failed) free(t.bytes);
    return t.failed ? NULL : t.bytes;
}
