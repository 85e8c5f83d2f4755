/* Scenes of a run, their pictures in batches, and how good captions are. */
#include "caption.h"
#include "clock.h"
#include "events.h"
#include "programs.h"
#include "pass.h"

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

/* Is the run a captioner with a model? */
static bool can_caption(tl_run *run) {
    if (!tl_run_has_model(run)) return false;
    return tl_run_program_of(run->settings.program, NULL) == &tl_caption_program ||
           tl_error_set(&run->error, "%s is a run of %s: it writes no captions", run->dir,
                        tl_run_program_name(run));
}

/* Returns the corpus encoded; frees it and returns NULL on failure. */
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

/* Makes the run's batches, in the scenes' order, and pictures of these scenes. */
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

/* Writes captions of a batch; `first` is the index of its first one. */
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

/* ---- among ranks ---- */

static void send_results(tl_pass *pass, const tl_batch *batch, long first, const tl_translations *t) {
    tl_pass_tell(pass, &first, sizeof first);
    tl_pass_tell(pass, &batch->sentences, sizeof batch->sentences);
    for (long i = first; i < first + batch->sentences && tl_pass_reports(pass); i++) {
        tl_pass_tell_text(pass, t->text[i] ? t->text[i] : "");
        tl_pass_tell(pass, &t->score[i], sizeof t->score[i]);
    }
}

/* When the sum of losses is no longer a number one process stops writing captions; another rank may find this out
 * too late. */
static bool take(void *context, const tl_pass *pass, tl_told *told) {
    tl_translations *t = context;
    const bool wanted = isfinite(pass->loss.nll);
    long first = 0, count = 0;
    tl_told_read(told, &first, sizeof first);
    tl_told_read(told, &count, sizeof count);
    for (long i = first; i < first + count; i++) {
        if (!told->own && wanted && !(t->text[i] = tl_told_text(told, pass->run))) return false;
        if (!told->own && wanted) tl_told_read(told, &t->score[i], sizeof t->score[i]);
        if (wanted) continue;
        free(t->text[i]);
        t->text[i] = NULL;
        t->score[i] = 0;
    }
    return true;
}

/* ---- all of it ---- */

enum { AT_ONCE = 64 };

static bool measure_batch(tl_pass *pass, tl_batch *batch, long first, tl_translations *to) {
    tl_loss_report own = {0};
    if (!tl_pictures_batch(pass->run->pictures, batch)) return batches_fail(pass->run);
    if (!tl_run_add_loss(pass->run, batch, &own)) return false;
    tl_pass_add(pass, &own);
    /* a model whose loss is not finite has no most likely word */
    if (isfinite(own.nll) && isfinite(pass->loss.nll) && !write_batch(pass->run, batch, first, to))
        return false;
    send_results(pass, batch, first, to);
    return true;
}

static bool measure(tl_pass *pass, const tl_corpus *scenes, tl_translations *to) {
    tl_run *run = pass->run;
    const long count = tl_corpus_size(scenes);
    tl_batch batch;
    bool ok = room_for(run, count, to) && begin_batches(run, scenes, AT_ONCE);
    for (long done = 0; ok && done < count && tl_pass_goes_on(pass); done += batch.sentences) {
        ok = tl_batches_next(run->batches, &batch) || batches_fail(run);
        if (!ok) break;
        if (tl_pass_mine(pass, &batch)) ok = measure_batch(pass, &batch, done, to);
        TL_TELL(run->events, work_done, done + batch.sentences, (double)batch.tgt_tokens);
    }
    return ok;
}

bool tl_caption_measure(tl_run *run, const tl_corpus *scenes, tl_quality *quality, tl_translations *written) {
    tl_translations own = {0}, *t = written ? written : &own;
    *t = (tl_translations){0};
    if (!can_caption(run)) return false;
    if (!scenes || !quality)
        return tl_run_lacks(run, scenes ? "the place for the quality" : "the corpus of scenes");
    const double start = tl_seconds_now();
    tl_pass pass = tl_pass_begin(run);
    *quality = (tl_quality){.sentences = tl_corpus_size(scenes)};
    const bool was = tl_tape_set_grad(run->tape, false);
    tl_tape_set_training(run->tape, 0);
    TL_TELL(run->events, work_began, TL_WORK_TRANSLATING, quality->sentences);
    bool ok = measure(&pass, scenes, t);
    TL_TELL_THAT(run->events, work_ended);
    tl_tape_set_grad(run->tape, was);
    ok = tl_pass_end(&pass, ok, take, t);
    if (ok) tl_quality_of_loss(quality, &pass.loss);
    for (long i = 0; ok && i < t->count; i++)
        quality->exact += t->text[i] && !strcmp(t->text[i], tl_corpus_sentence(scenes, TL_TARGET, i));
    if (quality->sentences) quality->score = 100.0 * (double)quality->exact / (double)quality->sentences;
    quality->seconds = tl_seconds_now() - start;
    if (!ok || t == &own) tl_translations_free(t);
    return ok;
}
