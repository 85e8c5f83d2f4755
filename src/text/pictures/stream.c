/* Streams of pictures. (seed, part) define a stream of distinct scenes: scenes are drawn one after the other; those of
 * the other part and those that came before are left out. A corpus is a range of a stream. */
#include "scene.h"

#include "text/corpus/corpus.h"
#include "text/table.h"

/* Draws without a new scene after which a stream ends. Scenes with one figure run out first, since there are few. */
enum { ATTEMPTS = 100000 };
#define STREAM 100000L /* scenes per stream */

static bool check(tl_error *error, const tl_pictures_config *c) {
    if (c->part != TL_PICTURES_TRAIN && c->part != TL_PICTURES_HELD_OUT)
        return tl_error_set(error,
                            "pictures: found the part %d, expected TL_PICTURES_TRAIN or TL_PICTURES_HELD_OUT",
                            (int)c->part);
    if (c->pictures <= 0 || c->first < 0)
        return tl_error_set(error,
                            "pictures: found %ld from number %ld on, expected at least 1 from 0 or later",
                            c->pictures, c->first);
    if (c->pictures > STREAM || c->first > STREAM - c->pictures)
        return tl_error_set(error, "pictures: found %ld from number %ld on, but there are %ld: ask for fewer",
                            c->pictures, c->first, STREAM);
    return true;
}

/* Draws a scene. False if it has no caption. */
static bool draw_scene(tl_rng_key key, tl_pic_scene *scene) {
    *scene = (tl_pic_scene){.figures = tl_rng_below(key, 0, 100) < 20 ? 1 : 2};
    for (int i = 0; i < scene->figures; i++) {
        const uint64_t at = (uint64_t)(1 + 3 * i);
        scene->figure[i] = (tl_pic_figure){.colour = (int)tl_rng_below(key, at, TL_PIC_COLOURS),
                                           .shape = (int)tl_rng_below(key, at + 1, TL_PIC_SHAPES),
                                           .patch = (int)tl_rng_below(key, at + 2, TL_PICTURE_PATCHES)};
    }
    return tl_pic_order(scene);
}

typedef struct stream {
    tl_rng_key key;
    bool held_out;
    uint64_t attempt;
    tl_table seen;
    tl_pic_scene scene;
    char text[TL_PIC_TEXT]; /* the latest scene */
} stream;

static bool draw(stream *s, tl_error *error) {
    for (int i = 0; i < ATTEMPTS; i++) {
        if (!draw_scene(tl_rng_key_mix(s->key, s->attempt++), &s->scene) ||
            tl_pic_reserved(&s->scene) != s->held_out)
            continue;
        const long before = s->seen.count,
                   number = tl_table_add(&s->seen, tl_span_of(tl_pic_scene_text(&s->scene, s->text)));
        if (number < 0) return tl_error_set(error, "pictures: out of memory after %ld", before);
        if (number == before) return true;
    }
    return tl_error_set(error, "pictures: there are only %ld: ask for fewer", s->seen.count);
}

static bool append_all(tl_corpus *corpus, const tl_pictures_config *c, stream *s) {
    char caption[TL_PIC_TEXT];
    tl_link links[TL_PIC_LINKS];
    for (long i = 0; i < c->first + c->pictures; i++) {
        if (!draw(s, &corpus->error)) return false;
        if (i < c->first) continue;
        const long count = tl_pic_caption(&s->scene, caption, links);
        if (!tl_corpus_append(corpus, tl_span_of(s->text), tl_span_of(caption)) ||
            !tl_corpus_align(corpus, links, count))
            return false;
    }
    return true;
}

bool tl_corpus_pictures(tl_corpus *corpus, const tl_pictures_config *config) {
    if (tl_corpus_error(corpus)) return false;
    const tl_pictures_config c = config ? *config : (tl_pictures_config){0};
    if (!check(&corpus->error, &c)) return false;
    const tl_corpus_mark before = tl_corpus_mark_here(corpus);
    stream s = {.held_out = c.part == TL_PICTURES_HELD_OUT};
    s.key = tl_rng_key_of(c.seed, s.held_out ? "pictures held out" : "pictures train");
    const bool ok = append_all(corpus, &c, &s);
    if (!ok) tl_corpus_back_to(corpus, before);
    tl_table_free(&s.seen);
    return ok;
}
