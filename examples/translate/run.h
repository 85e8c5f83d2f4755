/* A run: settings, vocabularies and model, and the folder they are kept in.
 *
 *     DIR/config.txt          settings, key = value
 *     DIR/vocab.src.txt       source vocabulary (both sides' with --joint)
 *     DIR/vocab.tgt.txt       target vocabulary
 *     DIR/model.safetensors   weights of the best validation so far
 *     DIR/last.safetensors    weights of the end of training
 *     DIR/log.csv             a row every validation */
#ifndef TRANSLATE_RUN_H
#define TRANSLATE_RUN_H

#include "options.h"

typedef struct run {
    settings settings;
    tl_config *config; /* of a loaded run: owns its settings' texts */
    tl_vocab *source, *target;
    tl_params *params;
    tl_transformer model;
    tl_tape *tape;
    tl_error error;
} run;

/* Tokens of the longest sentence that a model can read or write; with <eos> one more. */
enum { LONGEST_SENTENCE = 1023 };

/* Makes the model for the vocabularies and settings that are in `r`. */
bool run_make_model(run *r);
/* Config and vocabularies, before training starts. A model that is there already is in the way, unless --overwrite. */
bool run_save_description(run *r);
bool run_save_weights(run *r, const char *file);
bool run_load(run *r, const char *dir); /* everything that translating needs */
void run_free(run *r);

/* Reads a file of sentence pairs into a corpus; says on standard error what was left out: with drop_long also what is
 * longer than --max-length. NULL on failure. */
tl_corpus *read_pairs(const char *path, const settings *s, bool drop_long, tl_error *error);

/* ---- decode.c ---- */

typedef struct quality {
    double loss;     /* nats per target token, without smoothing */
    double accuracy; /* share of target tokens guessed right, given the true ones before */
    tl_bleu_score bleu;
    long exact; /* sentences that are right to the last token */
    double seconds;
} quality;

/* Translates every source of an encoded corpus; texts[i] is the caller's to free, each and the array. */
char **translate_corpus(run *r, const tl_corpus *corpus, tl_progress *progress);
/* Loss, and BLEU and exact matches of the translations, which are left in *texts (may be NULL). */
bool evaluate_corpus(run *r, const tl_corpus *corpus, quality *q, char ***texts, tl_progress *progress);
void free_texts(char **texts, long count);

/* ---- commands: 0 or an exit status ---- */

int command_train(settings *s);     /* train.c */
int command_demo(settings *s);      /* train.c */
int command_translate(settings *s); /* lines.c */
int command_evaluate(settings *s);  /* decode.c */

int fail_with(const char *message); /* "translate: message" on standard error; returns 1 */
/* The command line is wrong: the same with a hint at the command's --help; returns 2. */
int usage_with(const char *command, const char *message);
/* A bar on standard error, or nothing with --quiet. */
tl_progress progress_of(const settings *s, const char *label);

#endif
