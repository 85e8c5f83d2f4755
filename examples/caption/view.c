/* A picture and its words' attention on standard output. A terminal shows the picture's pixels, two in a character,
 * in colours (unless NO_COLOR is set); a file gets a sign for each figure and the first letter of its colour. Below
 * are the 6 x 6 patches for each word, darker where it attended more, with [ ] around the patch that it names.
 *
 *      a              green          circle
 *      . . . . . .    . . . . . .    . . . . . .
 * */
#define _POSIX_C_SOURCE 200809L /* isatty */
#include "program.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIDE = TL_PICTURE_SIDE, CELL = TL_PICTURE_CELL, PIXELS = SIDE * CELL };

/* ---- the picture ---- */

/* 0 … 255 for red, green or blue. */
static int brightness(const sight *seen, int row, int column, int colour) {
    const long patch = (row / CELL) * SIDE + column / CELL, pixel = (row % CELL) * CELL + column % CELL;
    const double value = 1 - (double)seen->patches[patch * TL_PICTURE_PATCH + pixel * 3 + colour];
    return value <= 0 ? 0 : value >= 1 ? 255 : (int)(value * 255 + 0.5);
}

static void draw_pixels(const sight *seen) {
    for (int row = 0; row < PIXELS; row += 2) {
        printf("  ");
        for (int column = 0; column < PIXELS; column++)
            printf("\033[38;2;%d;%d;%dm\033[48;2;%d;%d;%dm▀", brightness(seen, row, column, 0),
                   brightness(seen, row, column, 1), brightness(seen, row, column, 2),
                   brightness(seen, row + 1, column, 0), brightness(seen, row + 1, column, 1),
                   brightness(seen, row + 1, column, 2));
        printf("\033[0m\n");
    }
}

/* "r■" for red-square */
static void print_figure(const char *token, size_t size) {
    static const struct {
        const char *shape, *sign;
    } signs[] = {{"square", "■"}, {"circle", "●"},  {"triangle", "▲"},
                 {"cross", "✚"},  {"diamond", "◆"}, {"ring", "○"}};
    const char *dash = memchr(token, '-', size);
    for (size_t i = 0; dash && i < sizeof signs / sizeof *signs; i++)
        if (!strncmp(dash + 1, signs[i].shape, strlen(signs[i].shape)))
            printf(" %c%s", *token, signs[i].sign);
    if (!dash) printf(" . ");
}

static void draw_signs(const sight *seen) {
    const char *rest = seen->scene;
    for (int p = 0; p < TL_PICTURE_PATCHES; p++) {
        size_t size = 0;
        const char *token = tl_text_token(rest, strlen(rest), &size);
        if (!token) return;
        if (p % SIDE == 0) printf(" ");
        print_figure(token, size);
        if (p % SIDE == SIDE - 1) printf("\n");
        rest = token + size;
    }
}

/* ---- the words ---- */

enum { PANEL = 3 * SIDE + 2, A_ROW = 5 };

static void draw_words(const sight *seen, long from, long to) {
    printf("  ");
    for (long w = from; w < to; w++) {
        print_line("", seen->word[w], "");
        for (long used = tl_text_columns(seen->word[w]); w + 1 < to && used < PANEL; used++) printf(" ");
    }
    printf("\n");
    for (int row = 0; row < SIDE; row++) {
        for (long w = from; w < to; w++) {
            printf("  ");
            for (int p = row * SIDE; p < (row + 1) * SIDE; p++) {
                const bool named = seen->true_patch[w] == p;
                const char *s = shade_of(seen->share[w][p], false);
                printf("%s%s%s", named ? "[" : *s ? s : " ", *s ? s : named ? " " : ".", named ? "]" : " ");
            }
        }
        printf("\n");
    }
}

void view(const sight *seen) {
    if (isatty(STDOUT_FILENO) && !getenv("NO_COLOR"))
        draw_pixels(seen);
    else
        draw_signs(seen);
    for (long w = 0; w < seen->words; w += A_ROW) {
        printf("\n");
        draw_words(seen, w, w + A_ROW < seen->words ? w + A_ROW : seen->words);
    }
}
