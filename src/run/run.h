/* What a run consists of, for the files of this room. */
#ifndef TL_RUN_RUN_H
#define TL_RUN_RUN_H

#include "paths.h"

#include "tapeloom/run.h"

struct tl_run {
    tl_error error;
    char *dir;
    tl_folder *folder; /* its lock, while training; NULL otherwise */
    bool in_folder;    /* the folder holds it: training goes on from its checkpoint */
    bool from_stage;   /* but not the task itself, which begins where a stage before it has ended */
    tl_run_settings settings;
    tl_config *config; /* of an opened run: owns its settings' texts */
    const tl_events *events;
    tl_bpe *bpe; /* NULL: no side consists of byte pairs */
    tl_bpe *
        target_bpe; /* the same merges where the target's pieces must be in a vocabulary of its own; otherwise NULL */
    tl_byte_bpe *byte_bpe; /* of running text; NULL: it has a vocabulary */
    tl_vocab *vocab[2];    /* by side; one and the same where both sides have the same words */
    tl_labels *labels;     /* a classifier's */
    tl_params *params;
    /* once there are params: the one that the settings name, */
    tl_transformer transformer;
    tl_seq2seq seq2seq;
    tl_classifier classifier;
    tl_gpt gpt;
    const tl_model *model; /* and the same, which is all that this room but kinds.c knows of it */
    tl_tape *tape;
    tl_run_acting acting; /* on its model; NULL: nothing */
    void *acting_context;
    void *data;       /* while it is trained: its program's (programs.h) */
    tl_corpus *lines; /* of tl_run_batch: the batch that it gave last */
    tl_batches *batches;
    tl_pictures *pictures; /* of tl_caption_batch: what goes with these */
};

/* One that has a folder and nothing else. NULL only when out of memory. */
tl_run *tl_run_in(const char *dir);
/* Nothing is done with a run that is not there or has failed. */
static inline bool tl_run_usable(const tl_run *run) { return run && !tl_failed(&run->error); }
/* Something that a function was given is NULL: the error says what should be there. Always false. */
static inline bool tl_run_lacks(tl_run *run, const char *what) {
    return tl_error_set(&run->error, "run: %s is NULL, and should be there", what);
}
/* The same for what needs a model: false, and an error, if there is none yet. */
bool tl_run_has_model(tl_run *run);
/* Model, tape, vocabularies and merges go: what a training that failed has left is in the way of the next one. */
void tl_run_forget_model(tl_run *run);

/* ---- acting.c ---- */

/* What acts, as maps on the run's tape; NULL: nothing does. After a failure the tape has an error. */
const tl_model_maps *tl_run_acting_maps(tl_run *run, tl_model_maps *maps);

/* ---- folder.c ---- */

/* Keeps other trainings out of the folder, which is there, until the run unlocks it (run->folder). */
bool tl_run_lock(tl_run *run);
/* Config, merges and vocabularies, before training starts. A model that is there already is in the way, or goes. */
bool tl_run_save_description(tl_run *run, bool overwrite);
bool tl_run_save_settings(tl_run *run); /* only config.txt */
/* program: whose they must be; NULL: any. */
bool tl_run_load_settings(tl_run *run, const char *program);
/* A text of ours, to be written and freed; NULL: memory ran out while it was made. */
bool tl_run_save_file(tl_run *run, char *text, size_t size, const char *file);
bool tl_run_save_vocab(tl_run *run, const tl_vocab *vocab, const char *file);
bool tl_run_save_codes(tl_run *run); /* the merges, if there are any */
/* A text file of the folder, its path with it; bytes are to be freed. */
typedef struct tl_run_file {
    char path[TL_PATH], *bytes;
    size_t size;
} tl_run_file;
bool tl_run_read_file(tl_run *run, const char *file, tl_run_file *read);
void tl_run_free_file(tl_run_file *file);
tl_vocab *tl_run_parse_vocab(tl_run *run, const tl_run_file *file);
bool tl_run_load_codes(tl_run *run);

/* ---- weights.c ---- */

/* Opens the file of the weights that tl_run_choice names ("none": of those that are there, or none), to be closed, and says
 * what stands before its tensors' names. */
bool tl_run_open_weights(tl_run *run, const char *weights, tl_safetensors **file, const char **prefix);
bool tl_run_load_weights(tl_run *run, const char *weights);

/* ---- settings.c ---- */

/* 0 means the documented default. */
void tl_data_settings_fill(tl_data_settings *settings);

/* ---- ours.c: which folder is a run's ---- */

#define TL_RUN_COMMENT "How this model was made" /* config.txt begins with it */
/* May a new run be written here? Not over a trained model unless `overwrite`, and never over what is not a run's. */
bool tl_run_may_begin(tl_run *run, bool overwrite);
bool tl_run_clear_folder(tl_run *run); /* removes what is left of another run */

/* ---- model.c: all that this room asks of a model ---- */

/* Makes it for the run's vocabularies and settings, with initial weights. */
bool tl_run_make_model(tl_run *run);
/* The same with zeros to be loaded over, and no parameter that `file` does not hold behind `prefix` (NULL: any). */
bool tl_run_make_empty_model(tl_run *run, const tl_safetensors *file, const char *prefix);
/* The same with the weights that training begins with. */
bool tl_run_make_initial_model(tl_run *run, const tl_safetensors *file, const char *prefix);
/* Hypotheses that are kept a sentence; 0, and an error, where so many are not possible. */
long tl_run_beam(tl_run *run, const tl_translate_options *options);
/* tl_model_loss of the run's model on its tape. With maps of the caller's these alone act (NULL: what acts on the run). */
tl_var tl_run_batch_loss(tl_run *run, const tl_batch *batch, const tl_loss_options *options,
                         tl_loss_report *report, const tl_model_maps *maps);
/* The loss of a batch, on the tape that is reset for it, joins the sums. */
bool tl_run_add_loss(tl_run *run, const tl_batch *batch, tl_loss_report *all);
void tl_loss_report_add(tl_loss_report *all, const tl_loss_report *one);
/* Loss and accuracy of sums; 0 of nothing. */
void tl_quality_of_loss(tl_quality *quality, const tl_loss_report *all);

/* ---- text.c ---- */

bool tl_run_learn_merges(tl_run *run, const tl_corpus *lines); /* where units ask for them */
bool tl_run_make_vocabularies(tl_run *run, const tl_corpus *lines);
/* tl_run_cut with merges passed over by chance (NULL: none). */
char *tl_run_cut_by_chance(tl_run *run, tl_side side, const char *line, const tl_bpe_dropout *dropout);

/* ---- pieces.c: which pieces byte pairs are cut into ---- */

bool tl_run_has_pairs(const tl_run *run, tl_side side); /* does this side consist of byte pairs? */
/* The merges of a side; NULL if there are none. */
tl_bpe *tl_run_bpe_of(const tl_run *run, tl_side side);
/* Where the settings have a threshold, pieces must be in the run's vocabularies from here on. */
bool tl_run_know_pieces(tl_run *run);

/* ---- fresh.c ---- */

/* Training sentences cut for one epoch, by chance that follows from (seed, epoch, sentence, side), and encoded. `plain`: the
 * same cut without chance; a side that becomes longer than `most` tokens is taken from there, as are sides of other
 * units. */
tl_corpus *tl_run_cut_for_epoch(tl_run *run, const tl_corpus *lines, const tl_corpus *plain, long epoch,
                                long most);

/* ---- data.c ---- */

/* Takes pairs that have more than `most` tokens on one side (0: than a model can read) out of both: the lines and the same
 * lines encoded. */
bool tl_run_drop_long(tl_run *run, tl_corpus *lines, tl_corpus *encoded, const char *name, long most);
/* "a batch of 32 sentences, lines 17, 402, 9 …": lines of the corpus that it is of, for an error's sentence. */
void tl_name_batch(const tl_batch *batch, const tl_corpus *corpus, char *text, size_t size);
uint64_t tl_pairs_fingerprint(const tl_corpus *const *corpora, int count);

/* ---- readable.c ---- */

long tl_tokens_of(const tl_corpus *encoded, tl_side side, long i);
/* Has sentence i more tokens than a model reads, or, where targets are given too, writes? */
bool tl_is_too_long(const tl_corpus *encoded, long i, bool targets);
/* All of them, blank where they are too long, encoded anew. NULL, and an error, when out of memory. */
tl_corpus *tl_run_readable(tl_run *run, const tl_corpus *encoded, bool targets);

/* ---- quality.c ---- */

/* tl_run_evaluate of lines that are encoded already. A loss that is not finite is no failure: then nothing is translated. */
bool tl_run_measure(tl_run *run, const tl_corpus *lines, const tl_corpus *encoded,
                    const tl_translate_options *options, tl_quality *quality, tl_translations *translations);
/* An encoded corpus in batches of similar length. A failure is the run's. */
tl_batches *tl_run_by_length(tl_run *run, const tl_corpus *encoded, long tokens);

#endif
