/* The training loop: updates, validations, checkpoints, the best weights, averaged weights, the log, and resuming
 * bit for bit. The loop knows parameters, a tape and a folder. The data, the loss and the score come from a tl_task,
 * so one loop trains a translator, a language model and a classifier.
 *
 * The loop never prints, exits or catches signals: it reports through a table of callbacks. */
#ifndef TAPELOOM_TRAIN_H
#define TAPELOOM_TRAIN_H

#include "io.h"
#include "models.h"
#include "optim.h"
#include "ranks.h"
#include "text.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- settings ----
 *
 * Integers are 0 … 2147483647, other numbers finite and not negative. Everything else is refused with a sentence. */

/* When training ends, and how the model learns. */
typedef struct tl_training_settings {
    long steps, epochs; /* the end; 0: no limit (a tl_run without any limit: 10 epochs) */
    double minutes;     /* of training and validations, by a steady clock; 0: no limit */
    long patience;      /* validations in a row without improvement; 0: no limit */
    long batch_tokens;  /* per batch and side, padding included; 0: 4096 */
    long accumulate;    /* batches whose gradients are summed for one update; 0: 1 */
    /* the gradients of an update are summed in this many shares (optim.h), at most `accumulate`; 0: 1 */
    long shares;
    double lr;              /* peak learning rate; 0: parameters do not change */
    double warmup_from;     /* learning rate at which an inverse-sqrt schedule begins, at most lr */
    const char *schedule;   /* inverse-sqrt|cosine|linear|constant; NULL: inverse-sqrt */
    long warmup;            /* updates; 0: none */
    double beta2;           /* Adam's second decay, less than 1; 0 means 0: only the last gradient counts */
    double label_smoothing; /* less than 1; 0: none */
    double weight_decay; /* decoupled, as AdamW's (Loshchilov & Hutter 2019), of every parameter; 0: none */
    double clip;         /* largest norm of the gradients; 0: no limit */
    const char *matmul_precision; /* highest|high|medium; NULL: highest */
    long seed;                    /* 0 is an ordinary seed */
    /* the backward computes a Transformer's layers again (tl_tape_set_recompute); changes no bit */
    bool recompute;
    /* updates between rows of watch.csv, from which the page watch.html is made; changes no bit. 0: none */
    long watch;
} tl_training_settings;

/* When the model is validated, and which weights are kept. */
typedef struct tl_validation_settings {
    long validate_every;  /* updates; 0: after each epoch */
    const char *best_by;  /* "loss", or the name of the task's score; NULL: the score, if any */
    long average;         /* validations whose weights are averaged, at most 100; 0: none */
    long samples;         /* example translations to show; 0: none */
    const char *tokenize; /* BLEU's tokens; NULL: chosen by the target's text */
    bool lowercase;
} tl_validation_settings;

/* ---- how good a model is ---- */

/* A word alignment: share [targets,sources] has in each row how one target word's attention is shared among the
 * source words. Rows sum to 1 or less, since <eos> belongs to no word. */
typedef struct tl_alignment {
    long targets, sources; /* words */
    double *share;
} tl_alignment;
/* Frees what it holds, and zeroes it. */
void tl_alignment_free(tl_alignment *alignment);
/* A link from each target word to the source word with its largest share (ties go to the first; none for a row of
 * zeros), sorted by source, then target, into links [targets]. Returns how many. */
long tl_alignment_links(const tl_alignment *alignment, tl_link *links);

/* Translations with their scores. Free them with tl_translations_free. */
typedef struct tl_translations {
    long count, nbest;
    char **text;             /* [count,nbest] lines, best first; NULL: there are fewer */
    double *score;           /* [count,nbest] */
    long too_long;           /* sentences that are too long; their translations are empty */
    long maps;               /* alignments of each translation; 0: not asked for */
    tl_alignment *alignment; /* [count,nbest,maps]; empty for an empty translation */
} tl_translations;
/* Frees what it holds, and zeroes it. */
void tl_translations_free(tl_translations *translations);

/* How good a model is on some sentences. A number that was not measured is 0, or NaN if its function says so. */
typedef struct tl_quality {
    long sentences;
    /* of running text: tokens of the loss, and their bytes; otherwise 0 */
    long tokens, bytes;
    double loss;     /* nats per target token, without smoothing */
    double accuracy; /* share of target tokens predicted right, given the true ones before */
    double score;    /* higher is better; for translations BLEU */
    tl_bleu_score bleu;
    char chrf[TL_CHRF_TEXT]; /* chrF2 with its signature */
    long exact;              /* sentences that are right in every character */
    double seconds;
} tl_quality;

/* ---- how far training is ---- */

typedef struct tl_training_state { /* where training stands */
    long step, epoch;              /* updates; complete passes over the data */
    double seconds;                /* of training so far */
    long validations, waited;      /* in all; since the best one */
    long best_step;
    double best_score, best_loss;
} tl_training_state;

/* How training ended: by an error, at one of its limits, or because events->stop said so. */
typedef enum tl_ending { TL_FAILED, TL_ENDED, TL_INTERRUPTED } tl_ending;
/* Where training stood when it ended. */
typedef struct tl_training_end {
    tl_training_state state;
    const char *why; /* a sentence: "all steps are done"; NULL if it ended before that */
} tl_training_end;

/* ---- callbacks ---- */

/* Passes that take a while. They are counted in sentences, TL_WORK_MERGES in merges. */
typedef enum tl_work {
    TL_WORK_MERGES,
    TL_WORK_CUTTING,
    TL_WORK_LOSS,
    TL_WORK_TRANSLATING,
    TL_WORK_CLASSIFYING
} tl_work;

/* How much is going to be trained. */
typedef struct tl_training_plan {
    long first, total; /* updates done so far; updates in the end, 0: no limit */
    double seconds;    /* remaining; 0: no limit */
} tl_training_plan;

/* The result of a validation. */
typedef struct tl_validation {
    const tl_training_state *state; /* before this validation is counted */
    double seconds;                 /* of training so far */
    double train_loss;              /* mean since the last validation; NaN: no updates since */
    const tl_quality *quality;
    const tl_translations *translations; /* of the validation sentences */
    bool best;                           /* the best so far */
} tl_validation;

typedef struct tl_run tl_run; /* run.h */

/* What a run is trained and validated on. */
typedef struct tl_prepared {
    const tl_corpus *train, *valid; /* for sentence pairs; otherwise NULL */
    long trained, validated;        /* how much of each */
    const char *unit;               /* counted in this: "pair" */
} tl_prepared;

/* Every callback may be NULL. Each gets `context`. */
typedef struct tl_events {
    void *context;
    /* Called between updates, and between batches of a validation. If it returns true, training ends after the
     * current one; it must then go on returning true. */
    bool (*stop)(void *context);
    void (*warning)(void *context, const char *sentence);
    /* Lines that cannot be used. */
    void (*left_out)(void *context, const tl_corpus_report *report);
    /* A pass begins with `total` units; some are done (and tokens since the last call); it ends. */
    void (*work_began)(void *context, tl_work work, long total);
    void (*work_done)(void *context, long done, double tokens);
    void (*work_ended)(void *context);

    /* Training calls the following in this order. Data and model are ready: */
    void (*prepared)(void *context, const tl_run *run, const tl_prepared *prepared);
    /* Training resumes from here. */
    void (*resumed)(void *context, const tl_training_state *state);
    void (*started)(void *context, const tl_training_plan *plan);
    void (*updated)(void *context, long step, double loss, double tokens);
    /* A validation begins; its result is known (not if interrupted) but its files are not yet written; it is over. */
    void (*validating)(void *context);
    void (*validated)(void *context, const tl_validation *validation);
    void (*validation_over)(void *context);
    /* There are no more updates; the last files are not yet written. */
    void (*ended)(void *context);
    /* The mean of the weights of this many validations was measured. */
    void (*averaged)(void *context, int validations, const tl_quality *quality);
    /* For programs that train in two stages: the first stage begins, trained on this ("masked words"); NULL: it is
     * over and the task itself begins. Each stage then calls `started` and what follows it. */
    void (*stage)(void *context, const char *on);
} tl_events;

/* ---- the task ---- */

/* A function that fails sets the error that the loop was given and returns false (or the inert var). Each gets
 * `context`. The task owns its batches; one of them is current. */
typedef struct tl_task {
    void *context;
    /* Name of tl_quality.score in the log, in checkpoints and for best_by, and the label of its curve: "bleu",
     * "BLEU". NULL: there is no score, and the lowest loss is best. */
    const char *score, *score_label;
    const char *unit;     /* what the loss is a mean over: "text"; NULL: token */
    uint64_t fingerprint; /* of the data: a run resumes only with the same */
    /* Makes the next batch current. At the end of each epoch it returns false once, without an error. */
    bool (*next)(void *context);
    /* The current batch's loss on the tape: the mean per token, or the sum. */
    tl_var (*loss)(void *context, bool sum);
    long (*tokens)(void *context); /* tokens that the current batch's mean is over */
    /* Tokens of the current batch, for the reported speed: a whole number, so that ranks may add theirs in any
     * order. NULL: as above. */
    double (*read)(void *context);
    /* Describes the current batch for an error's sentence: "a batch of 3 sentences, lines 4, 9, 11". */
    void (*name)(void *context, char *text, size_t size);
    long (*per_epoch)(void *context);                          /* batches */
    tl_batches_position (*tell)(void *context);                /* the position from which `next` continues */
    bool (*seek)(void *context, tl_batches_position position); /* false: no such position */
    /* Called once before the first step, if there will be one; may be NULL. */
    bool (*begin)(void *context);
    /* How good the model is now. False, without an error, if events->stop said so. translations, if any, go to
     * events->validated. */
    bool (*validate)(void *context, tl_quality *quality, tl_translations *written);
    /* The current batch for `watch`, as the model reads it. It may use the tape. NULL: only parameters are watched. */
    const tl_batch *(*batch)(void *context);
} tl_task;

/* Everything that the loop is given. All of it must outlive tl_train. */
typedef struct tl_train_config {
    const char *dir; /* an existing folder: log, weights and checkpoint go there */
    tl_params *params;
    tl_tape *tape;
    const tl_training_settings *training;
    const tl_validation_settings *validation;
    const tl_task *task;
    const tl_events *events; /* may be NULL */
    /* the folder's lock, if the caller holds it; NULL: tl_train locks the folder */
    const tl_folder *folder;
    bool resume;                    /* resume from the folder's checkpoint */
    bool may_be_over;               /* it is no error if nothing is left to do */
    const tl_group_options *groups; /* [group_count] of groups 1, 2, … (tl_set_group); NULL: none */
    int group_count;
    const tl_model *model; /* for `watch`; NULL: only its parameters are watched */
    /* ranks that share each update (--shares), each with its own config and task; only rank 0's `events` are called;
     * NULL: this process alone */
    tl_ranks *ranks;
} tl_train_config;

/* Trains until steps, epochs, minutes or patience are used up. However it ends, the checkpoint is whole, and a
 * resumed run takes the same steps, bit for bit, as one that never stopped. TL_INTERRUPTED: events->stop said so
 * before the end. `end` may be NULL. */
tl_ending tl_train(const tl_train_config *config, tl_training_end *end, tl_error *error);
/* The state in a folder's checkpoint; `score` is the task's. False, without an error, if there is no checkpoint. */
bool tl_training_state_read(const char *dir, const char *score, tl_training_state *state, tl_error *error);

#ifdef __cplusplus
}
#endif
#endif
