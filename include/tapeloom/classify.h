/* Runs of build/classify: texts with labels in, a classifier trained on them (tl_classifier, nn.h), a label for any text out. They are
 * runs like others (run.h); settings are those of a run where they mean the same (data.train, valid, task, sentences, strict, max_length;
 * text.pretokenize, units, merges, min_count, max_vocab; model.model, score and sizes; training; validation) and the ones here. Beside what all
 * folders hold there are
 *
 *     codes.txt, vocab.txt    merges, where text consists of byte pairs; the vocabulary
 *     labels.txt              the classes
 *     pretraining/            with `pretrain`: a folder of the loop's own, with weights, log and checkpoint of that stage
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

/* What a classifier's settings have besides those that every run has (run.h). */
typedef struct tl_classify_settings {
    const char *pooling; /* of a Transformer: cls|mean; NULL: cls */
    /* A Transformer can first learn to tell masked words (tl_mask_tokens) of text without labels: of the training sentences, of those in
     * a file, one a line, and, made here, of `unlabelled` more. Then labels are learnt from the weights of the best validation. */
    long pretrain;             /* updates; 0: none */
    const char *pretrain_text; /* a file; NULL: none */
    long unlabelled;           /* made here; 0: none */
    double pretrain_lr;        /* the peak learning rate of that stage; 0: lr */
    double mask;               /* the share of words that are chosen; 0: 0.15 */
} tl_classify_settings;

/* Rows over a tl_run_settings, for command lines; tl_run_options_of("classify") has all of them, as config.txt does. */
extern const tl_option tl_classify_data_options[], tl_classify_text_options[], tl_classify_model_options[],
    tl_classify_pretraining_options[], tl_classify_training_options[], tl_classify_validation_options[];

/* ---- labelled sentences ---- */

/* Those of a file, label, tab, text: texts are sources, labels targets. What was left out goes to events->left_out. NULL on failure. */
tl_corpus *tl_labelled_read(const char *file, bool strict, const tl_events *events, tl_error *error);
/* The labelled sentences that settings name, TL_LABELLED_TEST made here alone: 1000 of them, as to validate on. TL_UNLABELLED: those of
 * `pretrain`, but for the training sentences themselves. Made here, none has a sentence of the others. NULL on failure. */
typedef enum tl_labelled_part {
    TL_LABELLED_TRAIN,
    TL_LABELLED_VALID,
    TL_LABELLED_TEST,
    TL_UNLABELLED
} tl_labelled_part;
tl_corpus *tl_labelled_of(const tl_run_settings *settings, tl_labelled_part part, const tl_events *events,
                          tl_error *error);

/* ---- a run ---- */

const tl_labels *tl_run_labels(const tl_run *run); /* NULL if it is no classifier's, or not trained yet */
const tl_classifier *tl_run_classifier(const tl_run *run); /* the same */

/* What a run says of each text. Free it with tl_classes_free. */
typedef struct tl_classes {
    long count, classes;
    int *
        said; /* [count] the likeliest class (of equals the first); -1: the text is blank, or longer than a model reads */
    double *p;     /* [count,classes] probabilities; 0 where nothing is said */
    long left_out; /* texts of which nothing is said */
} tl_classes;
/* Frees what it holds, and zeroes it. */
void tl_classes_free(tl_classes *classes);

/* Classifies every source of a corpus of lines, in its order. Those that cannot be are named by events->warning. batch_tokens of a batch
 * (0: 4096) change no bit. False on failure, and without an error as soon as events->stop says so. *classes is overwritten. */
bool tl_run_classify(tl_run *run, const tl_corpus *lines, long batch_tokens, tl_classes *classes);

/* Which class was taken for which. */
typedef struct tl_confusion {
    long classes;
    long *count; /* [classes,classes] how often a text of the row's class was said to be of the column's */
} tl_confusion;
void tl_confusion_free(tl_confusion *confusion);
typedef struct tl_class_score {
    long texts, said, right; /* of the class; said to be of it; both */
    double precision, recall,
        f1; /* right / said, right / texts, their harmonic mean; NaN: there is nothing to divide by */
} tl_class_score;
tl_class_score tl_class_score_of(const tl_confusion *confusion, long number);

/* How good a run is on labelled sentences: loss in nats a text, accuracy, score (accuracy in per cent). Sentences that the model cannot
 * read are taken out of the corpus first (`name` is what events->left_out calls them); a label that training has not seen is an error.
 * confusion may be NULL; otherwise it is overwritten, and to free. */
bool tl_run_evaluate_labels(tl_run *run, tl_corpus *labelled, const char *name, long batch_tokens,
                            tl_quality *quality, tl_confusion *confusion);

#ifdef __cplusplus
}
#endif
#endif
