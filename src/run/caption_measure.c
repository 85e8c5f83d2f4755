/* Scenes of a run, their pictures in batches, and how good captions are. */
#include "caption.h"
#include "clock.h"
#include "events.h"
#include "programs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- scenes ---- */

static bool encode(tl_run *run, tl_corpus *scenes) {
    return tl_corpus_encode(scenes, run->vocab[TL_SOURCE], run->vocab[TL_TARGET]) ||
           tl_error_set(&run->error, "%s", tl_corpus_error(scenes));
}

tl_corpus *tl_caption_corpus(tl_run *run, tl_pictures_part part, long first, long count) {
    tl_corpus *scenes = tl_corpus_new();
    const tl_pictures_config config = {
        .part = part, .pictures = count, .first = first, .seed = (uint64_t)run->settings.training.seed};
    if (tl_corpus_pictures(scenes, &config)) return scenes;
    tl_error_set(&run->error, "%s", tl_corpus_error(scenes));
    tl_corpus_free(scenes);
    return NULL;
}

/* Is it one of this program's, with a model? */
static bool can_caption(tl_run *run) {
    if (!tl_run_has_model(run)) return false;
    return tl_run_program_of(run->settings.program, NULL) == &tl_caption_program ||
           tl_error_set(&run->error, "%s is a run of %s: it writes no captions", run->dir,
                        tl_run_program_name(run));
}

/* The corpus, or NULL once it is freed. */
static tl_corpus *encoded(tl_run *run, tl_corpus *scenes) {
    if (scenes && encode(run, scenes)) return scenes;
    tl_corpus_free(scenes);
    return NULL;
}

tl_corpus *tl_caption_scenes(tl_run *run, tl_pictures_part part, long first, long count) {
    return can_caption(run) ? encoded(run, tl_caption_corpus(run, part, first, count)) : NULL;
}

tl_corpus *tl_caption_scene(tl_run *run, const char *scene) {
    if (!can_caption(run)) return NULL;
    char *caption = tl_picture_caption(scene, &run->error);
    if (!caption) return NULL;
    tl_corpus *scenes = tl_corpus_new();
    if (!tl_corpus_add(scenes, scene, caption)) tl_error_set(&run->error, "%s", tl_corpus_error(scenes));
    free(caption);
    return encoded(run, scenes);
}

/* ---- batches ---- */

static bool batches_fail(tl_run *run) {
    const char *why = tl_batches_error(run->batches);
    if (!why) why = tl_pictures_error(run->pictures);
    return why ? tl_error_set(&run->error, "%s", why) : false;
}

/* The run's batches, in their order, and pictures are of these scenes from here on. */
static bool begin_batches(tl_run *run, const tl_corpus *scenes, long each) {
    tl_batches_free(run->batches);
    tl_pictures_free(run->pictures);
    run->batches = tl_batches_new(
        scenes,
        &(tl_batches_config){.tokens = each * TL_CAPTION_LEN, .max_sentences = each, .order = TL_IN_ORDER});
    run->pictures =
        tl_pictures_new(scenes, (uint64_t)run->settings.training.seed, run->settings.caption.noise);
    if (!tl_batches_error(run->batches) && !tl_pictures_error(run->pictures)) return true;
    return batches_fail(run);
}

static bool next_batch(tl_run *run, tl_batch *batch) {
    if (tl_batches_next(run->batches, batch) && tl_pictures_batch(run->pictures, batch)) return true;
    return batches_fail(run);
}

bool tl_caption_batch(tl_run *run, const tl_corpus *scenes, long first, long count, tl_batch *batch) {
    const long size = tl_corpus_size(scenes);
    if (!can_caption(run)) return false;
    if (!scenes || !batch)
        return tl_run_lacks(run, scenes ? "the place for the batch" : "the corpus of scenes");
    if (first < 0 || count < 1 || count > size || first > size - count || first % count)
        return tl_error_set(&run->error,
                            "captions: %ld scenes from number %ld on, of %ld: give a range of them whose "
                            "first is a multiple of its size",
                            count, first, size);
    if (!begin_batches(run, scenes, count)) return false;
    if (first && !tl_batches_seek(run->batches, (tl_batches_position){0, first / count}))
        return batches_fail(run);
    return next_batch(run, batch);
}

bool tl_caption_search(tl_run *run, const tl_batch *batch, bool maps, tl_search_result *found) {
    if (!can_caption(run)) return false;
    if (!batch || !found) return tl_run_lacks(run, batch ? "the place for what is found" : "the batch");
    tl_model_maps room;
    const tl_search_options options = {
        .beam = 1, .max_extra = TL_CAPTION_WORDS, .maps = maps, .intervene = tl_run_acting_maps(run, &room)};
    return tl_search(run->model, run->tape, batch, &options, found) ||
           tl_error_set(&run->error, "%s", tl_tape_error(run->tape));
}

/* ---- how good it is ---- */

/* Captions of a batch, from the one at `first` on. */
static bool write_batch(tl_run *run, const tl_batch *batch, long first, tl_translations *to) {
    tl_search_result found;
    tl_tape_reset(run->tape);
    if (!tl_caption_search(run, batch, false, &found)) return false;
    for (long b = 0; b < batch->sentences; b++) {
        const int *ids = found.ids + b * found.capacity;
        const size_t size = tl_vocab_decode(run->vocab[TL_TARGET], ids, found.lengths[b], NULL, 0) + 1;
        char *text = to->text[first + b] = malloc(size);
        if (!text) return tl_error_set(&run->error, "out of memory for a caption");
        tl_vocab_decode(run->vocab[TL_TARGET], ids, found.lengths[b], text, size);
        to->score[first + b] = found.score[b];
    }
    return true;
}

static bool room_for(tl_run *run, long count, tl_translations *to) {
    *to = (tl_translations){.count = count, .nbest = 1};
    to->text = calloc((size_t)count + 1, sizeof *to->text);
    to->score = calloc((size_t)count + 1, sizeof *to->score);
    return (to->text && to->score) || tl_error_set(&run->error, "out of memory for captions");
}

enum { AT_ONCE = 64 };

static bool measure(tl_run *run, const tl_corpus *scenes, tl_quality *q, tl_translations *to) {
    tl_batch batch;
    tl_loss_report all = {0};
    bool ok = room_for(run, q->sentences, to) && begin_batches(run, scenes, AT_ONCE);
    for (long done = 0; ok && done < q->sentences; done += batch.sentences) {
        if (tl_stopped(run->events)) return false;
        ok = next_batch(run, &batch) && tl_run_add_loss(run, &batch, &all);
        if (ok && isfinite(all.nll)) /* what is no number has no likeliest word */
            ok = write_batch(run, &batch, done, to);
        TL_TELL(run->events, work_done, done + batch.sentences, (double)batch.tgt_tokens);
    }
    if (ok) tl_quality_of_loss(q, &all);
    return ok;
}

bool tl_caption_measure(tl_run *run, const tl_corpus *scenes, tl_quality *quality, tl_translations *written) {
    tl_translations own = {0}, *t = written ? written : &own;
    *t = (tl_translations){0};
    if (!can_caption(run)) return false;
    if (!scenes || !quality)
        return tl_run_lacks(run, scenes ? "the place for the quality" : "the corpus of scenes");
    const double start = tl_seconds_now();
    *quality = (tl_quality){.sentences = tl_corpus_size(scenes)};
    const bool was = tl_tape_set_grad(run->tape, false);
    tl_tape_set_training(run->tape, 0);
    TL_TELL(run->events, work_began, TL_WORK_TRANSLATING, quality->sentences);
    const bool ok = measure(run, scenes, quality, t);
    TL_TELL_THAT(run->events, work_ended);
    tl_tape_set_grad(run->tape, was);
    for (long i = 0; ok && i < t->count; i++)
        quality->exact += t->text[i] && !strcmp(t->text[i], tl_corpus_sentence(scenes, TL_TARGET, i));
    if (quality->sentences) quality->score = 100.0 * (double)quality->exact / (double)quality->sentences;
    quality->seconds = tl_seconds_now() - start;
    if (!ok || t == &own) tl_translations_free(t);
    return ok;
}
