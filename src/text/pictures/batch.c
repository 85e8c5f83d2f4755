/* Pictures of a batch's scenes. They are drawn for each batch: all of them would take much memory, and drawing is
 * fast. */
#include "base/memory.h"
#include "scene.h"

struct tl_pictures {
    tl_error error;
    const tl_corpus *scenes;
    uint64_t seed;
    double noise;
    tl_real *patches; /* of the current batch */
    size_t room;
};

tl_pictures *tl_pictures_new(const tl_corpus *scenes, uint64_t seed, double noise) {
    tl_pictures *p = calloc(1, sizeof *p);
    if (!p) return NULL;
    *p = (tl_pictures){.scenes = scenes, .seed = seed, .noise = noise};
    if (!scenes) tl_error_set(&p->error, "pictures: the corpus of scenes is NULL");
    return p;
}

bool tl_pictures_batch(tl_pictures *p, tl_batch *batch) {
    if (!p || tl_failed(&p->error)) return false;
    if (!batch || !batch->index || batch->sentences < 0)
        return tl_error_set(&p->error,
                            "pictures: the batch is NULL, or does not say which sentences it holds");
    const size_t one = (size_t)TL_PICTURE_PATCHES * TL_PICTURE_PATCH, all = (size_t)batch->sentences * one;
    if (!TL_RESERVE(p->patches, p->room, all))
        return tl_error_set(&p->error, "pictures: out of memory for %ld", batch->sentences);
    for (long b = 0; b < batch->sentences; b++)
        if (!tl_picture_draw(tl_corpus_sentence(p->scenes, TL_SOURCE, batch->index[b]), p->seed, p->noise,
                             p->patches + (size_t)b * one, &p->error))
            return false;
    batch->pictures =
        tl_tensor_of(p->patches, TL_SHAPE(batch->sentences, TL_PICTURE_PATCHES, TL_PICTURE_PATCH));
    batch->src = batch->src_lengths = NULL;
    batch->src_len = TL_PICTURE_PATCHES;
    batch->src_tokens = batch->sentences * TL_PICTURE_PATCHES;
    return true;
}

const char *tl_pictures_error(const tl_pictures *p) {
    if (!p) return "pictures: out of memory";
    return tl_failed(&p->error) ? p->error.message : NULL;
}

void tl_pictures_free(tl_pictures *p) {
    if (!p) return;
    free(p->patches);
    free(p);
}
