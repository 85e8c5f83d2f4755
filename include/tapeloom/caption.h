/* Captions for pictures: runs of build/caption. Pictures of coloured shapes are drawn here (tl_corpus_pictures, text.h); a Transformer
 * that reads patches (tl_transformer_config.patch) learns to say what is on them.
 *
 *     tl_run *run = tl_run_open("runs/mine", NULL, &error);
 *     tl_corpus *scenes = tl_caption_scenes(run, TL_PICTURES_HELD_OUT, 0, 1000);
 *     tl_quality quality;
 *     tl_caption_measure(run, scenes, &quality, NULL);
 *
 * A run validates on pictures of the stream that it is trained on, which it has not seen. Its score is the share of captions that are
 * right to the last word, in per cent. */
#ifndef TAPELOOM_CAPTION_H
#define TAPELOOM_CAPTION_H

#include "options.h"
#include "train.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a captioner's settings have besides those that every run has (run.h): of the model sizes and dropouts. */
typedef struct tl_caption_settings {
    long pictures;                       /* to train on; 0: 20000 */
    double noise;                        /* every number of a picture is up to so much off */
    long batch;                          /* pictures in a batch; 0: 32 */
    long encoder_layers, decoder_layers; /* 0: 1, 2 */
} tl_caption_settings;

extern const tl_option tl_caption_data_options[]; /* over a tl_run_settings, as all of these */
extern const tl_option tl_caption_model_options[], tl_caption_training_options[],
    tl_caption_validation_options[], tl_caption_options[];

/* A run validates on the scenes of TL_PICTURES_TRAIN that follow those it is trained on: so many. */
enum { TL_CAPTION_VALIDATED = 500 };

/* Scenes first … first+count-1 of a part's stream with their captions, encoded. To tl_corpus_free. NULL, and the run's error, on
 * failure. */
tl_corpus *tl_caption_scenes(tl_run *run, tl_pictures_part part, long first, long count);
/* One scene, a line as tl_picture_draw reads it, with its caption, encoded. */
tl_corpus *tl_caption_scene(tl_run *run, const char *scene);

/* The pictures of scenes first … first+count-1, with their captions: for tl_run_loss, tl_search. Its arrays belong to the run until
 * the next call, and until the next measuring. False on failure. */
bool tl_caption_batch(tl_run *run, const tl_corpus *scenes, long first, long count, tl_batch *batch);
/* The likeliest captions, word by word, of a batch's pictures; with maps if that is said. The result lives on the run's tape until
 * that is reset. False on failure. */
bool tl_caption_search(tl_run *run, const tl_batch *batch, bool maps, tl_search_result *found);
/* How good captions are: loss and accuracy given the true words before, and how many captions that the model writes by itself are
 * right (exact; score in per cent). written may be NULL; otherwise it is overwritten, and to free. False on failure, and without an
 * error once events->stop says so. */
bool tl_caption_measure(tl_run *run, const tl_corpus *scenes, tl_quality *quality, tl_translations *written);

#ifdef __cplusplus
}
#endif
#endif
