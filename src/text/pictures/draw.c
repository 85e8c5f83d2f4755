/* From a scene to pixels: patches of 8×8 pixels with three numbers each. A number is 1 - brightness of red, green or
 * blue: white is 0, so that an empty patch holds only noise.
 *
 * Nothing here calls the C library's mathematics, so a picture has the same bits everywhere. Size, position within the
 * patch and noise are drawn from (seed, scene). */
#include "scene.h"

enum { CELL = TL_PICTURE_CELL, FINE = 4 /* points per pixel in each direction, for smooth edges */ };

/* Brightness of red, green, blue. */
static const double colours[TL_PIC_COLOURS][3] = {{0.90, 0.12, 0.12}, {1.00, 0.55, 0.05}, {0.95, 0.85, 0.10},
                                                  {0.10, 0.65, 0.20}, {0.10, 0.30, 0.90}, {0.60, 0.20, 0.75}};

static double size_of(double x) { return x < 0 ? -x : x; }

/* Is the point (x,y) inside the shape? The origin is the figure's centre, the unit half its width, and y points
 * upwards. */
static bool is_inside(tl_pic_shape shape, double x, double y) {
    const double across = size_of(x), along = size_of(y), far = x * x + y * y;
    switch (shape) {
    case TL_PIC_SQUARE:
        return across <= 0.9 && along <= 0.9;
    case TL_PIC_CIRCLE:
        return far <= 1;
    case TL_PIC_TRIANGLE:
        return y >= -0.9 && across <= (1 - y) * 0.55;
    case TL_PIC_CROSS:
        return (across <= 0.3 && along <= 1) || (along <= 0.3 && across <= 1);
    case TL_PIC_DIAMOND:
        return across + along <= 1.05;
    default:
        return far <= 1 && far >= 0.35;
    }
}

/* The part of a pixel that the figure covers, 0 … 1. */
static double coverage(const tl_pic_figure *f, int row, int column, const double middle[2], double half) {
    int inside = 0;
    for (int i = 0; i < FINE * FINE; i++) {
        const double x = column + (i % FINE + 0.5) / FINE - middle[0],
                     y = row + (i / FINE + 0.5) / FINE - middle[1];
        inside += is_inside((tl_pic_shape)f->shape, x / half, -y / half);
    }
    return (double)inside / (FINE * FINE);
}

/* Adds a figure's ink to a patch. */
static void draw_figure(const tl_pic_figure *f, tl_rng_key key, double ink[TL_PICTURE_PATCH]) {
    const double half = 2.8 + 0.8 * tl_rng_uniform(key, 0);
    const double middle[2] = {CELL / 2 - 0.4 + 0.8 * tl_rng_uniform(key, 1),
                              CELL / 2 - 0.4 + 0.8 * tl_rng_uniform(key, 2)};
    for (int i = 0; i < CELL * CELL; i++) {
        const double covered = coverage(f, i / CELL, i % CELL, middle, half);
        for (int c = 0; c < 3; c++) ink[i * 3 + c] += covered * (1 - colours[f->colour][c]);
    }
}

static void draw(const tl_pic_scene *scene, tl_rng_key key, double noise, tl_real *patches) {
    const tl_rng_key grain = tl_rng_key_mix(key, 0);
    double ink[TL_PICTURE_PATCH];
    for (int p = 0; p < TL_PICTURE_PATCHES; p++) {
        const long first = (long)p * TL_PICTURE_PATCH;
        for (int i = 0; i < TL_PICTURE_PATCH; i++)
            ink[i] = noise * (2 * tl_rng_uniform(grain, (uint64_t)(first + i)) - 1);
        for (int i = 0; i < scene->figures; i++)
            if (scene->figure[i].patch == p)
                draw_figure(&scene->figure[i], tl_rng_key_mix(key, (uint64_t)i + 1), ink);
        for (int i = 0; i < TL_PICTURE_PATCH; i++) patches[first + i] = (tl_real)ink[i];
    }
}

bool tl_picture_draw(const char *scene, uint64_t seed, double noise, tl_real *patches, tl_error *error) {
    tl_pic_scene s;
    char text[TL_PIC_TEXT];
    if (!patches) return tl_error_set(error, "picture: there is no room for its patches");
    if (!(noise >= 0 && noise <= 1))
        return tl_error_set(error, "picture: found noise %g, expected 0 … 1", noise);
    if (!tl_pic_scene_of(scene, &s, error)) return false;
    draw(&s, tl_rng_key_of(seed, tl_pic_scene_text(&s, text)), noise, patches);
    return true;
}
