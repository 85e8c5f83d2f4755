/* The training loop: updates, validations, checkpoints, the best weights, their mean, the log, and going on to the same bits.
 * It knows parameters, a tape and a folder; what is trained, on what and how good that is stands in a tl_task, so that
 * a translator, a language model and a classifier are trained by the same loop.
 *
 * The loop never prints, exits or catches signals: what there is to say goes to a table of callbacks. */
#ifndef TAPELOOM_TRAIN_H
#define TAPELOOM_TRAIN_H

#include "io.h"
#include "nn.h"
#include "optim.h"
#include "text.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- settings ----
 *
 * Numbers are whole and at most 2147483647, or finite, and none is negative; others are refused with a sentence. */

/* When training ends, and how the model learns. */
typedef struct tl_training_settings {
    long steps, epochs; /* where it ends; 0: no limit (of a tl_run without any end: 10 epochs) */
    double minutes;     /* of training, validations included, by a steady clock; 0: no limit */
    long patience;      /* validations in a row that are not better; 0: no limit */
    long batch_tokens;  /* of a batch, a side, padding included; 0: 4096 */
    long accumulate;    /* batches whose gradients make one update; 0: 1 */
    long
        shares; /* their gradients are summed in so many shares (optim.h), at most `accumulate`; 0: 1, one chain */
    double lr;              /* the peak; 0: nothing moves */
    double warmup_from;     /* where an inverse-sqrt schedule begins, at most lr */
    const char *schedule;   /* inverse-sqrt|cosine|linear|constant; NULL: inverse-sqrt */
    long warmup;            /* updates; 0: none */
    double beta2;           /* Adam's second decay, less than 1; 0: 0, only the last gradient counts */
    double label_smoothing; /* less than 1; 0: none */
    double weight_decay; /* decoupled, as AdamW's (Loshchilov & Hutter 2019), of every parameter; 0: none */
    double clip;         /* largest norm of the gradients; 0: no limit */
    const char *matmul_precision; /* highest|high|medium; NULL: highest */
    long seed;                    /* 0 is one like any other */
    long
        watch; /* every so many updates a row of watch.csv, and of it a page, watch.html; it changes no bit. 0: none */
} tl_training_settings;

/* When the model is validated, and what is kept of it. */
typedef struct tl_validation_settings {
    long validate_every;  /* updates; 0: after each epoch */
    const char *best_by;  /* "loss", or the name of the task's score; NULL: the score if there is one */
    long average;         /* validations whose weights are averaged, at most 100; 0: none */
    long samples;         /* translations that are shown; 0: none */
    const char *tokenize; /* of BLEU; NULL: what fits the target's text */
    bool lowercase;
} tl_validation_settings;

/* ---- how good a model is ---- */

/* Where a translation's words looked: share [targets,sources], row by row what each of its words gave to each word of the
 * source. Rows sum to 1 or less: what was given to <eos> is no word's. */
typedef struct tl_alignment {
    long targets, sources; /* words */
    double *share;
} tl_alignment;
/* Frees what it holds, and zeroes it. */
void tl_alignment_free(tl_alignment *alignment);
/* The source word that each target word looked at most (of equals the first; no link where it looked at none), sorted by source,
 * then target, into links [targets]; returns how many. */
long tl_alignment_links(const tl_alignment *alignment, tl_link *links);

/* Translations with their scores. Free them with tl_translations_free. */
typedef struct tl_translations {
    long count, nbest;
    char **text;             /* [count,nbest] lines, best first; NULL: there are no more */
    double *score;           /* [count,nbest] */
    long too_long;           /* sentences that no model can read: theirs is empty */
    long maps;               /* alignments of each translation; 0: none were asked for */
    tl_alignment *alignment; /* [count,nbest,maps] those of an empty translation are empty */
} tl_translations;
/* Frees what it holds, and zeroes it. */
void tl_translations_free(tl_translations *translations);

/* How good a model is on some sentences; what was not measured is 0, or NaN as its function says. */
typedef struct tl_quality {
    long sentences;
    long tokens,
        bytes;       /* of running text: what the loss is the mean of, and what they stand for; otherwise 0 */
    double loss;     /* nats per target token, without smoothing */
    double accuracy; /* share of target tokens guessed right, given the true ones before */
    double score;    /* what is best if it is highest; of translations BLEU */
    tl_bleu_score bleu;
    char chrf[TL_CHRF_TEXT]; /* chrF2 with its signature */
    long exact;              /* sentences that are right to the last character */
    double seconds;
} tl_quality;

/* ---- how far training is ---- */

typedef struct tl_training_state { /* where training stands */
    long step, epoch;              /* updates; passes over the data that are through */
    double seconds;                /* of training so far */
    long validations, waited;      /* how many; how many since the best one */
    long best_step;
    double best_score, best_loss;
} tl_training_state;

/* How training has ended: with an error, at one of its ends, or because somebody stopped it. */
typedef enum tl_ending { TL_FAILED, TL_ENDED, TL_INTERRUPTED } tl_ending;
/* Where training stood when it ended. */
typedef struct tl_training_end {
    tl_training_state state;
    const char *why; /* a sentence: "all steps are done"; NULL if something is left to do */
} tl_training_end;

/* ---- who is told ---- */

/* Passes that take a while; all are counted in sentences but merges. */
typedef enum tl_work {
    TL_WORK_MERGES,
    TL_WORK_CUTTING,
    TL_WORK_LOSS,
    TL_WORK_TRANSLATING,
    TL_WORK_CLASSIFYING
} tl_work;

/* What is going to be trained. */
typedef struct tl_training_plan {
    long first, total; /* updates that are done, and that shall be; 0: no limit */
    double seconds;    /* that are left; 0: no limit */
} tl_training_plan;

/* What a validation has found. */
typedef struct tl_validation {
    const tl_training_state *state; /* before this validation counts */
    double seconds;                 /* of training so far */
    double train_loss;              /* mean since the last validation; NaN: no updates since */
    const tl_quality *quality;
    const tl_translations *translations; /* of the validation sentences */
    bool best;                           /* so far */
} tl_validation;

typedef struct tl_run tl_run; /* run.h */

/* What a run is trained and validated on. */
typedef struct tl_prepared {
    const tl_corpus *train, *valid; /* of sentence pairs; otherwise NULL */
    long trained, validated;        /* how much there is of each, */
    const char *unit;               /* in these: "pair" */
} tl_prepared;

/* Every one may be NULL. `context` is handed to each. */
typedef struct tl_events {
    void *context;
    /* Asked between updates, and between batches of a validation: true ends training after what is running. Once true it
     * must stay so. */
    bool (*stop)(void *context);
    void (*warning)(void *context, const char *sentence);
    /* Lines that cannot be used. */
    void (*left_out)(void *context, const tl_corpus_report *report);
    /* A pass: how much there is to do, how much is done (and tokens since the last call), its end. */
    void (*work_began)(void *context, tl_work work, long total);
    void (*work_done)(void *context, long done, double tokens);
    void (*work_ended)(void *context);

    /* Training, in this order. A run has its data and its model: */
    void (*prepared)(void *context, const tl_run *run, const tl_prepared *prepared);
    /* It goes on from here. */
    void (*resumed)(void *context, const tl_training_state *state);
    void (*started)(void *context, const tl_training_plan *plan);
    void (*updated)(void *context, long step, double loss, double tokens);
    /* A validation begins; it is known (not if it was interrupted), and its files are yet to be written; it is over. */
    void (*validating)(void *context);
    void (*validated)(void *context, const tl_validation *validation);
    void (*validation_over)(void *context);
    /* No more updates; the last files are yet to be written. */
    void (*ended)(void *context);
    /* The mean of the weights of so many validations was scored. */
    void (*averaged)(void *context, int validations, const tl_quality *quality);
    /* Where a program trains in two stages: what is trained from here on is the first, on these ("masked words"); NULL: it is over,
     * and the task itself begins. Each is told `started` and what follows. */
    void (*stage)(void *context, const char *on);
} tl_events;

/* ---- what is trained ---- */

/* Functions that fail set the error that the loop was given, and return false (or an inert var). `context` is handed to
 * each. Batches are the task's own; one is current at a time. */
typedef struct tl_task {
    void *context;
    /* Name of what tl_quality.score is, in the log, in checkpoints and for best_by, and of its curve: "bleu", "BLEU". NULL:
     * there is no score, the lowest loss is best. */
    const char *score, *score_label;
    const char *unit;     /* what the loss is a mean over: "text"; NULL: token */
    uint64_t fingerprint; /* of the data: a run goes on with the same alone */
    /* Goes to the next batch. At the end of each epoch false once, without an error. */
    bool (*next)(void *context);
    /* The current batch's loss on the tape: the mean per token, or the sum. */
    tl_var (*loss)(void *context, bool sum);
    long (*tokens)(void *context); /* that the current batch's mean is over */
    double (*read)(
        void *context); /* tokens of the current batch, for the speed that is told; NULL: the same */
    /* "a batch of 3 sentences, lines 4, 9, 11": the current one, for an error's sentence. */
    void (*name)(void *context, char *text, size_t size);
    long (*per_epoch)(void *context);                          /* batches */
    tl_batches_position (*tell)(void *context);                /* where `next` reads on */
    bool (*seek)(void *context, tl_batches_position position); /* false: there is no such place */
    /* Called once training is sure to take a step, before the first one; may be NULL. */
    bool (*begin)(void *context);
    /* How good the model is now. False without an error if events->stop said so. What it wrote (translations, say) is shown
     * to events->validated; may stay empty. */
    bool (*validate)(void *context, tl_quality *quality, tl_translations *written);
    /* The current batch, for `watch`: to be read by the model. It may use the tape. NULL: the model is not looked at. */
    const tl_batch *(*batch)(void *context);
} tl_task;

/* All that the loop is given. Everything in it must live as long as tl_train runs. */
typedef struct tl_train_config {
    const char *dir; /* an existing folder: log, weights and checkpoint go there */
    tl_params *params;
    tl_tape *tape;
    const tl_training_settings *training;
    const tl_validation_settings *validation;
    const tl_task *task;
    const tl_events *events; /* may be NULL */
    const tl_folder
        *folder; /* the folder's lock, if the caller holds it; NULL: it is locked as long as training lasts */
    bool resume; /* go on from the folder's checkpoint */
    bool may_be_over;               /* if nothing is left to do then, that is no error */
    const tl_group_options *groups; /* [group_count] of groups 1, 2, … (tl_set_group); NULL: none */
    int group_count;
    const tl_model *model; /* for `watch`; NULL: only its parameters are watched */
} tl_train_config;

/* Trains until steps, epochs, minutes or the patience are used up. Whatever ends it, the checkpoint is whole, and a run that
 * goes on takes the same steps, bit for bit, as one that never stopped. TL_INTERRUPTED: events->stop said so while
 * something was left to do. `end` may be NULL. */
tl_ending tl_train(const tl_train_config *config, tl_training_end *end, tl_error *error);
/* The state in a folder's checkpoint; `score` is the task's. False, without an error, if it has none. */
bool tl_training_state_read(const char *dir, const char *score, tl_training_state *state, tl_error *error);

#ifdef __cplusplus
}
#endif
#endif
