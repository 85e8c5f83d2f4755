/* What a run consists of, for the files of this room. */
#ifndef TL_RUN_RUN_H
#define TL_RUN_RUN_H

#include "paths.h"

#include "ranks/ranks.h"
#include "tapeloom/run.h"

struct tl_run {
    tl_error error;
    char *dir;
    tl_folder *folder; /* its lock, while training; NULL otherwise */
    bool in_folder;    /* the folder has the run: training resumes from its checkpoint */
    bool from_stage;   /* … but of a stage before the task, which itself starts anew */
    tl_run_settings settings;
    tl_config *config; /* in an opened run: owns the texts of its settings */
    const tl_events *events;
    tl_ranks *ranks; /* the ranks that share its work, owned by the caller; NULL: one process */
    tl_bpe *bpe;     /* NULL: no side's units are byte pairs */
    /* the target's merges, if its pieces are limited to a vocabulary of its own; otherwise NULL */
    tl_bpe *target_bpe;
    tl_byte_bpe *byte_bpe; /* for running text; NULL: the run has a vocabulary */
    tl_vocab *vocab[2];    /* by side; both the same pointer if the words are the same */
    tl_labels *labels;     /* a classifier's */
    tl_params *params;
    /* once there are params: the model that the settings name is one of these, */
    tl_transformer transformer;
    tl_seq2seq seq2seq;
    tl_classifier classifier;
    tl_gpt gpt;
    const tl_model *model; /* and this points to it; only kinds.c looks at the members above */
    tl_tape *tape;
    tl_run_acting acting; /* what acts on its model; NULL: nothing */
    void *acting_context;
    void *data;       /* during training: the program's data (programs.h) */
    tl_corpus *lines; /* holds the last batch of tl_run_batch */
    tl_batches *batches;
    tl_pictures *pictures; /* holds the pictures of tl_caption_batch */
};

/* A run with a folder's name and nothing else. NULL only when out of memory. */
tl_run *tl_run_in(const char *dir);
/* Is there a run, and has it not failed? */
static inline bool tl_run_usable(const tl_run *run) { return run && !tl_failed(&run->error); }
/* An argument is NULL: the error says what it should be. Always returns false. */
static inline bool tl_run_lacks(tl_run *run, const char *what) {
    return tl_error_set(&run->error, "run: %s is NULL, and should be there", what);
}
/* False, and an error, if there is no model yet. */
bool tl_run_has_model(tl_run *run);
/* Frees model, tape, vocabularies and merges, so that a failed training leaves nothing in the way of the next one. */
void tl_run_forget_model(tl_run *run);

/* ---- acting.c ---- */

/* What acts, as maps on the run's tape; NULL: nothing acts. On failure the tape has an error. */
const tl_model_maps *tl_run_acting_maps(tl_run *run, tl_model_maps *maps);

/* ---- folder.c ---- */

/* Locks the existing folder against other trainings until the run unlocks it (run->folder). */
bool tl_run_lock(tl_run *run);
/* Saves config, merges and vocabularies before training starts. A model that is already there is an error, or
 * removed with `overwrite`. */
bool tl_run_save_description(tl_run *run, bool overwrite);
bool tl_run_save_settings(tl_run *run); /* only config.txt */
/* program: the settings must be this program's; NULL: any. */
bool tl_run_load_settings(tl_run *run, const char *program);
/* Writes and frees a text; NULL: making it ran out of memory. */
bool tl_run_save_file(tl_run *run, char *text, size_t size, const char *file);
bool tl_run_save_vocab(tl_run *run, const tl_vocab *vocab, const char *file);
bool tl_run_save_codes(tl_run *run); /* saves the merges, if any */
/* A text file of the folder, and its path; the caller frees the bytes. */
typedef struct tl_run_file {
    char path[TL_PATH], *bytes;
    size_t size;
} tl_run_file;
bool tl_run_read_file(tl_run *run, const char *file, tl_run_file *read);
void tl_run_free_file(tl_run_file *file);
tl_vocab *tl_run_parse_vocab(tl_run *run, const tl_run_file *file);
bool tl_run_load_codes(tl_run *run);

/* ---- weights.c ---- */

/* Opens the weights' file that tl_run_choice names ("none": one that exists, if any), and sets the prefix of its
 * tensors' names. The caller closes it. */
bool tl_run_open_weights(tl_run *run, const char *weights, tl_safetensors **file, const char **prefix);
bool tl_run_load_weights(tl_run *run, const char *weights);

/* ---- settings.c ---- */

/* Replaces 0 by the documented defaults. */
void tl_data_settings_fill(tl_data_settings *settings);

/* ---- ours.c: which folder is a run's ---- */

#define TL_RUN_COMMENT "How this model was made" /* config.txt begins with it */
/* May a new run be written here? Not over a trained model unless `overwrite`, and never over other people's files. */
bool tl_run_may_begin(tl_run *run, bool overwrite);
bool tl_run_clear_folder(tl_run *run); /* removes the files of another run */

/* ---- model.c: all that this room asks of a model ---- */

/* Makes the model for the run's vocabularies and settings, with initial weights. */
bool tl_run_make_model(tl_run *run);
/* Makes the model with zeros, to be loaded over, and only parameters that `file` holds after `prefix` (NULL: any). */
bool tl_run_make_empty_model(tl_run *run, const tl_safetensors *file, const char *prefix);
/* Makes the model with the weights that training begins with. */
bool tl_run_make_initial_model(tl_run *run, const tl_safetensors *file, const char *prefix);
/* The beam of a search; 0, and an error, if it is not possible. */
long tl_run_beam(tl_run *run, const tl_translate_options *options);
/* tl_model_loss of the run's model on its tape. If the caller gives maps, only they act; NULL: what acts on the run. */
tl_var tl_run_batch_loss(tl_run *run, const tl_batch *batch, const tl_loss_options *options,
                         tl_loss_report *report, const tl_model_maps *maps);
/* Resets the tape, computes the loss of a batch and adds it to the sums. */
bool tl_run_add_loss(tl_run *run, const tl_batch *batch, tl_loss_report *all);
void tl_loss_report_add(tl_loss_report *all, const tl_loss_report *one);
/* Loss and accuracy from sums; 0 if they are empty. */
void tl_quality_of_loss(tl_quality *quality, const tl_loss_report *all);

/* ---- text.c ---- */

bool tl_run_learn_merges(tl_run *run, const tl_corpus *lines); /* if units are byte pairs */
bool tl_run_make_vocabularies(tl_run *run, const tl_corpus *lines);
/* tl_run_cut, skipping merges by chance (NULL: none). */
char *tl_run_cut_by_chance(tl_run *run, tl_side side, const char *line, const tl_bpe_dropout *dropout);

/* ---- pieces.c: the pieces that byte pairs may produce ---- */

bool tl_run_has_pairs(const tl_run *run, tl_side side); /* are this side's units byte pairs? */
/* The merges of a side; NULL if there are none. */
tl_bpe *tl_run_bpe_of(const tl_run *run, tl_side side);
/* If the settings have a threshold, limits pieces to the run's vocabularies from here on. */
bool tl_run_know_pieces(tl_run *run);

/* ---- fresh.c ---- */

/* The training sentences cut for one epoch and encoded, skipping merges by chance that follows from (seed, epoch,
 * sentence, side). `plain`: the same sentences cut without chance. A side is taken from there if it would become
 * longer than `most` tokens, or if its units are not byte pairs. */
tl_corpus *tl_run_cut_for_epoch(tl_run *run, const tl_corpus *lines, const tl_corpus *plain, long epoch,
                                long most);

/* ---- data.c ---- */

/* Removes pairs with more than `most` tokens on one side (0: than a model can read) from both corpora, the lines and
 * the same lines encoded. */
bool tl_run_drop_long(tl_run *run, tl_corpus *lines, tl_corpus *encoded, const char *name, long most);
/* "a batch of 32 sentences, lines 17, 402, 9 …", by line numbers of its corpus, for an error's sentence. */
void tl_name_batch(const tl_batch *batch, const tl_corpus *corpus, char *text, size_t size);
uint64_t tl_pairs_fingerprint(const tl_corpus *const *corpora, int count);

/* ---- readable.c ---- */

long tl_tokens_of(const tl_corpus *encoded, tl_side side, long i);
/* Has sentence i more tokens than a model reads or, with `targets`, writes? */
bool tl_is_too_long(const tl_corpus *encoded, long i, bool targets);
/* All sentences encoded anew, the too long ones blank. NULL, and an error, when out of memory. */
tl_corpus *tl_run_readable(tl_run *run, const tl_corpus *encoded, bool targets);

/* ---- quality.c ---- */

/* tl_run_evaluate for lines that are already encoded. A loss that is not finite is no failure, but then nothing is
 * translated. */
bool tl_run_measure(tl_run *run, const tl_corpus *lines, const tl_corpus *encoded,
                    const tl_translate_options *options, tl_quality *quality, tl_translations *translations);
/* An encoded corpus in batches of similar length. A failure is the run's. */
tl_batches *tl_run_by_length(tl_run *run, const tl_corpus *encoded, long tokens);

#endif
