/* Runs of build/classify: a classifier (tl_classifier, models.h) is trained on labelled texts and labels any text.
 * They are runs like others (run.h). Their settings are those of a run where these apply (data.train, valid, task,
 * sentences, strict, max_length; text.pretokenize, units, merges, min_count, max_vocab; model.model, score and
 * sizes; training; validation) and the ones below. A folder holds, besides what every run's folder does:
 *
 *     codes.txt, vocab.txt    the merges, if units are byte pairs; the vocabulary
 *     labels.txt              the classes
 *     pretraining/            with `pretrain`: weights, log and checkpoint of that stage
 *
 *     tl_run *run = tl_run_open("runs/classify", NULL, &error);
 *     tl_classes classes;
 *     if (tl_run_classify(run, lines, 0, &classes)) puts(tl_labels_name(tl_run_labels(run), classes.said[0])); */
#ifndef TAPELOOM_CLASSIFY_H
#define TAPELOOM_CLASSIFY_H

#include "options.h"
#include "train.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- settings ---- */

typedef struct tl_run_settings tl_run_settings; /* run.h */

/* A classifier's settings besides those that every run has (run.h). */
typedef struct tl_classify_settings {
    const char *pooling; /* of a Transformer: cls|mean; NULL: cls */
    /* A Transformer can first learn to predict masked words (tl_mask_tokens) in text without labels: the training
     * sentences, those of a file (one a line), and `unlabelled` more made here. Labels are then learnt starting from
     * that stage's best weights. */
    long pretrain;             /* updates; 0: none */
    const char *pretrain_text; /* a file; NULL: none */
    long unlabelled;           /* sentences made here; 0: none */
    double pretrain_lr;        /* the peak learning rate of that stage; 0: lr */
    double mask;               /* the share of words that are masked; 0: 0.15 */
} tl_classify_settings;

/* Rows over a tl_run_settings, for command lines; tl_run_options_of("classify") has all of them, as config.txt does. */
extern const tl_option tl_classify_data_options[], tl_classify_text_options[], tl_classify_model_options[],
    tl_classify_pretraining_options[], tl_classify_training_options[], tl_classify_validation_options[];

/* ---- labelled sentences ---- */

/* Labelled sentences of a file of lines "label, tab, text": sources are texts, targets labels. events->left_out gets
 * the lines that cannot be used. NULL on failure. */
tl_corpus *tl_labelled_read(const char *file, bool strict, const tl_events *events, tl_error *error);
/* The labelled sentences that the settings name. TL_LABELLED_TEST exists only for sentences made here: 1000, as many
 * as for validation. TL_UNLABELLED: the sentences of `pretrain`, without the training sentences. Parts made here
 * share no sentence. NULL on failure. */
typedef enum tl_labelled_part {
    TL_LABELLED_TRAIN,
    TL_LABELLED_VALID,
    TL_LABELLED_TEST,
    TL_UNLABELLED
} tl_labelled_part;
tl_corpus *tl_labelled_of(const tl_run_settings *settings, tl_labelled_part part, const tl_events *events,
                          tl_error *error);

/* ---- a run ---- */

const tl_labels *tl_run_labels(const tl_run *run); /* NULL: not a classifier's run, or not trained yet */
const tl_classifier *tl_run_classifier(const tl_run *run); /* the same */

/* What a run says of each text. Free it with tl_classes_free. */
typedef struct tl_classes {
    long count, classes;
    /* [count] the most likely class (ties go to the first); -1: the text is blank, or longer than the model reads */
    int *said;
    double *p;     /* [count,classes] probabilities; 0 where said is -1 */
    long left_out; /* texts whose said is -1 */
} tl_classes;
/* Frees what it holds, and zeroes it. */
void tl_classes_free(tl_classes *classes);

/* Classifies every source of a corpus of lines, in order. events->warning names those that cannot be classified.
 * batch_tokens (0: 4096) changes no bit of the results. False on failure, and without an error as soon as
 * events->stop says so. *classes is overwritten. */
bool tl_run_classify(tl_run *run, const tl_corpus *lines, long batch_tokens, tl_classes *classes);

/* The confusion matrix. */
typedef struct tl_confusion {
    long classes;
    long *count; /* [classes,classes] texts of the row's class that were given the column's class */
} tl_confusion;
void tl_confusion_free(tl_confusion *confusion);
typedef struct tl_class_score {
    long texts, said, right; /* texts of the class; texts given this class; both */
    /* right / said, right / texts, their harmonic mean; NaN: divided by 0 */
    double precision, recall, f1;
} tl_class_score;
tl_class_score tl_class_score_of(const tl_confusion *confusion, long number);

/* Measures a run on labelled sentences: loss in nats a text, accuracy, score (accuracy in per cent). Sentences that
 * the model cannot read are first removed from the corpus (`name` is what events->left_out calls it). A label that
 * training has not seen is an error. confusion may be NULL; otherwise it is overwritten, and the caller frees it. */
bool tl_run_evaluate_labels(tl_run *run, tl_corpus *labelled, const char *name, long batch_tokens,
                            tl_quality *quality, tl_confusion *confusion);

#ifdef __cplusplus
}
#endif
#endif
