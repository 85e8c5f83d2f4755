/* A picture as SVG: first by itself, then a panel for each word, in which every patch has a frame and a tint as strong as the word's
 * attention to it. A dashed frame is around the patch that the word names. Pixels are written once and used in every panel. */
#include "program.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
    SIDE = TL_PICTURE_SIDE,
    CELL = TL_PICTURE_CELL,
    PIXELS = SIDE * CELL,
    SCALE = 3, /* of a pixel */
    PICTURE = PIXELS * SCALE,
    GAP = 16,
    LINE = 24,
    A_ROW = 5 /* panels */
};

/* A text that grows; NULL once memory was short. */
typedef struct text {
    char *bytes;
    size_t size, room;
    bool failed;
} text;

TL_PRINTF(2, 3) static void add(text *t, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char line[256];
    const int n = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    const size_t size = n < 0 ? 0 : (size_t)n < sizeof line ? (size_t)n : sizeof line - 1;
    if (!t->failed && t->size + size + 1 > t->room) {
        const size_t room = 2 * (t->room + sizeof line);
        char *grown = realloc(t->bytes, room);
        t->failed = !grown;
        if (grown) t->bytes = grown, t->room = room;
    }
    if (t->failed) return;
    memcpy(t->bytes + t->size, line, size + 1);
    t->size += size;
}

/* Words come from a file: nothing in them is markup. */
static void add_escaped(text *t, const char *word) {
    char *shown = tl_shown_text(word);
    for (const char *c = shown ? shown : ""; *c; c++)
        if (*c == '&' || *c == '<' || *c == '>' || *c == '"')
            add(t, "&#%d;", *c);
        else
            add(t, "%c", *c);
    free(shown);
}

static int brightness(const sight *seen, long patch, long pixel, int colour) {
    const double value = 1 - (double)seen->patches[patch * TL_PICTURE_PATCH + pixel * 3 + colour];
    return value <= 0 ? 0 : value >= 1 ? 255 : (int)(value * 255 + 0.5);
}

static void add_picture(text *t, const sight *seen) {
    add(t,
        "<defs><g id=\"picture\" shape-rendering=\"crispEdges\">\n<rect width=\"%d\" height=\"%d\" "
        "fill=\"#fff\"/>\n",
        PICTURE, PICTURE);
    for (long p = 0; p < TL_PICTURE_PATCHES; p++)
        for (long i = 0; i < CELL * CELL; i++) {
            const long x = p % SIDE * CELL + i % CELL, y = p / SIDE * CELL + i / CELL;
            add(t, "<path d=\"M%ld %ldh%dv%dh-%dz\" fill=\"#%02x%02x%02x\"/>\n", x * SCALE, y * SCALE, SCALE,
                SCALE, SCALE, brightness(seen, p, i, 0), brightness(seen, p, i, 1),
                brightness(seen, p, i, 2));
        }
    add(t, "</g></defs>\n");
}

static void add_shares(text *t, const sight *seen, long word) {
    const int cell = CELL * SCALE;
    for (int p = 0; p < TL_PICTURE_PATCHES; p++) {
        const double share = seen->share[word][p];
        const int x = p % SIDE * cell, y = p / SIDE * cell;
        if (share >= 0.01)
            add(t,
                "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"#d6007a\" fill-opacity=\"%.3f\" "
                "stroke=\"#d6007a\" stroke-width=\"3\" stroke-opacity=\"%.3f\"/>\n",
                x + 1, y + 1, cell - 2, cell - 2, 0.35 * share, share);
        if (p == seen->true_patch[word])
            add(t,
                "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" stroke=\"#000\" "
                "stroke-dasharray=\"3 2\"/>\n",
                x - 2, y - 2, cell + 4, cell + 4);
    }
}

/* word -1: the picture by itself */
static void add_panel(text *t, const sight *seen, long panel, long word) {
    const long x = GAP + panel % A_ROW * (PICTURE + GAP),
               y = GAP + LINE + panel / A_ROW * (PICTURE + GAP + LINE);
    add(t, "<g transform=\"translate(%ld %ld)\">\n<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">", x,
        y + LINE, PICTURE / 2, -7);
    if (word >= 0) add_escaped(t, seen->word[word]);
    add(t,
        "</text>\n<use href=\"#picture\"/>\n<rect width=\"%d\" height=\"%d\" fill=\"none\" "
        "stroke=\"#888\"/>\n",
        PICTURE, PICTURE);
    if (word >= 0) add_shares(t, seen, word);
    add(t, "</g>\n");
}

char *overlay(const sight *seen, size_t *size) {
    text t = {0};
    const long panels = seen->words + 1, rows = (panels + A_ROW - 1) / A_ROW,
               width = GAP + A_ROW * (PICTURE + GAP), height = GAP + LINE + rows * (PICTURE + GAP + LINE);
    add(&t, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%ld\" height=\"%ld\" viewBox=\"0 0 %ld %ld\" ",
        width, height, width, height);
    add(&t, "font-family=\"sans-serif\" font-size=\"15\">\n<rect width=\"100%%\" height=\"100%%\" "
            "fill=\"#fff\"/>\n");
    add(&t, "<text x=\"%d\" y=\"%d\" font-weight=\"bold\">", GAP, GAP + 8);
    for (long w = 0; w < seen->words; w++) add(&t, w ? " " : ""), add_escaped(&t, seen->word[w]);
    add(&t, "</text>\n");
    if (!seen->right) {
        add(&t, "<text x=\"%ld\" y=\"%d\" text-anchor=\"end\">true: ", width - GAP, GAP + 8);
        add_escaped(&t, seen->truth);
        add(&t, "</text>\n");
    }
    add_picture(&t, seen);
    for (long p = 0; p < panels; p++) add_panel(&t, seen, p, p - 1);
    add(&t, "</svg>\n");
    *size = t.size;
    if (t.failed) free(t.bytes);
    return t.failed ? NULL : t.bytes;
}
