/* Captions for pictures: runs of build/caption. The library draws pictures of coloured shapes (tl_corpus_pictures,
 * text.h), and a Transformer that reads patches (tl_transformer_config.patch) learns to say what is on them.
 *
 *     tl_run *run = tl_run_open("runs/mine", NULL, &error);
 *     tl_corpus *scenes = tl_caption_scenes(run, TL_PICTURES_HELD_OUT, 0, 1000);
 *     tl_quality quality;
 *     tl_caption_measure(run, scenes, &quality, NULL);
 *
 * A run validates on pictures from the stream that it is trained on, which training has not seen. Its score is the
 * percentage of captions in which every word is right. */
#ifndef TAPELOOM_CAPTION_H
#define TAPELOOM_CAPTION_H

#include "options.h"
#include "train.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A captioner's settings besides those that every run has (run.h). Of the model settings it uses sizes and dropouts. */
typedef struct tl_caption_settings {
    long pictures;                       /* training pictures; 0: 20000 */
    double noise;                        /* each pixel value is off by at most this */
    long batch;                          /* pictures in a batch; 0: 32 */
    long encoder_layers, decoder_layers; /* 0: 1, 2 */
} tl_caption_settings;

extern const tl_option tl_caption_data_options[]; /* rows over a tl_run_settings, as in all of these */
extern const tl_option tl_caption_model_options[], tl_caption_training_options[],
    tl_caption_validation_options[], tl_caption_options[];

/* How many scenes a run validates on: those of TL_PICTURES_TRAIN that follow the training scenes. */
enum { TL_CAPTION_VALIDATED = 500 };

/* Scenes first … first+count-1 of a part's stream with their captions, encoded. Free it with tl_corpus_free. NULL,
 * and the run's error, on failure. */
tl_corpus *tl_caption_scenes(tl_run *run, tl_pictures_part part, long first, long count);
/* One scene (a line as tl_picture_draw reads it) with its caption, encoded. */
tl_corpus *tl_caption_scene(tl_run *run, const char *scene);

/* The pictures of scenes first … first+count-1 with their captions, for tl_run_loss and tl_search. The arrays belong
 * to the run; the next call of this function or of tl_caption_measure overwrites them. False on failure. */
bool tl_caption_batch(tl_run *run, const tl_corpus *scenes, long first, long count, tl_batch *batch);
/* Captions of a batch's pictures by greedy search, with maps if `maps` says so. The result lives on the run's tape
 * until the tape is reset. False on failure. */
bool tl_caption_search(tl_run *run, const tl_batch *batch, bool maps, tl_search_result *found);
/* How good captions are: loss and accuracy given the true words before, how many captions that the model writes by
 * itself are right (quality->exact), and their percentage (score). written may be NULL; otherwise it is overwritten,
 * and the caller frees it. False on failure, and without an error once events->stop says so. */
bool tl_caption_measure(tl_run *run, const tl_corpus *scenes, tl_quality *quality, tl_translations *written);

#ifdef __cplusplus
}
#endif
#endif
