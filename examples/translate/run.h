/* A run: settings, text, vocabularies and model, and the folder they are kept in.
 *
 *     DIR/config.txt              settings, key = value
 *     DIR/codes.txt               the merges, where a side consists of byte pairs
 *     DIR/vocab.src.txt           source vocabulary (both sides' with --joint)
 *     DIR/vocab.tgt.txt           target vocabulary
 *     DIR/model.safetensors       weights of the best validation so far
 *     DIR/last.safetensors        weights of the end of training
 *     DIR/average.safetensors     mean of those in DIR/recent, with --average
 *     DIR/recent/step-*.safetensors  weights of the last validations
 *     DIR/checkpoint.safetensors  all that --resume needs: weights, optimiser, where training stands
 *     DIR/log.csv                 a row every validation
 *     DIR/curves.gp, curves.svg   the log as a picture, and the gnuplot script that draws it */
#ifndef TRANSLATE_RUN_H
#define TRANSLATE_RUN_H

#include "options.h"

#include <signal.h>

typedef struct run {
    settings settings;
    tl_config *config; /* of a loaded run: owns its settings' texts */
    tl_bpe *bpe;       /* NULL: no side consists of byte pairs */
    tl_vocab *source, *target;
    tl_params *params;
    tl_transformer model;
    tl_tape *tape;
    tl_error error;
} run;

/* Tokens of the longest sentence that a model can read or write; with <eos> one more. */
enum { LONGEST_SENTENCE = 1023, PATH_SIZE = 4096, WORD_SIZE = 4 * PATH_SIZE };

/* ---- run.c ---- */

/* Makes the model for the vocabularies and settings that are in `r`, with initial weights, or zeros to be loaded over. */
bool run_make_model(run *r, bool with_weights);
/* Config, merges and vocabularies, before training starts. A model that is there already is in the way, unless
 * --overwrite. */
bool run_save_description(run *r);
bool run_save_settings(run *r); /* only config.txt */
bool run_save_weights(run *r, const char *file);
/* Settings of the run in a folder, without its texts and weights; the command line again over them. */
bool run_load_settings(run *r, const char *dir, bool resuming);
bool run_load_text(run *r, const char *dir); /* merges and vocabularies */
/* Everything that translating needs: the two above, the model, and the weights that --weights names. */
bool run_load(run *r, const char *dir);
void run_free(run *r);
char *run_path(char path[PATH_SIZE], const char *dir, const char *file); /* "dir/file"; returns path */

/* ---- text.c: sentences as people write them, and as tokens ---- */

char *text_cut(run *r, tl_side side, const char *line);    /* to free(); NULL: out of memory, in r->error */
char *text_join(run *r, tl_side side, const char *tokens); /* the other way */
bool text_learn(run *r, const tl_corpus *corpus);          /* the merges, where units ask for them */
/* The corpus cut into tokens and encoded, pair by pair. NULL on failure. */
tl_corpus *text_encode(run *r, const tl_corpus *corpus);
bool text_make_vocabularies(run *r, const tl_corpus *corpus);

/* ---- data.c: where sentences come from ---- */

/* Pairs of a TSV, or of two files; says on standard error what was left out. NULL on failure. */
tl_corpus *data_read(const settings *s, const char *tsv, const char *src, const char *tgt, tl_error *error);
/* What --train, --pair or --task say, and what belongs to it. Made here, a part shares no sentence with the others, and has
 * as many as asked for (0: what is usual). DATA_LONGER: tasks only, sequences longer than any in training. */
typedef enum data_part { DATA_TRAIN, DATA_VALID, DATA_TEST, DATA_LONGER } data_part;
tl_corpus *data_part_of(const settings *s, data_part part, long sentences, tl_error *error);
/* Takes pairs that are longer than --max-length (in tokens) out of both: the corpus and the same one cut. */
bool data_drop_long(run *r, tl_corpus *raw, tl_corpus *cut, const char *name);
uint64_t data_fingerprint(const tl_corpus *const *corpora, int count);

/* ---- decode.c ---- */

typedef struct quality {
    double loss;     /* nats per target token, without smoothing */
    double accuracy; /* share of target tokens guessed right, given the true ones before */
    tl_bleu_score bleu;
    char chrf[TL_CHRF_TEXT]; /* chrF2 with its signature */
    long exact;              /* sentences that are right to the last character */
    double seconds;
} quality;

typedef struct translations {
    long count, nbest;
    char **text;   /* [count·nbest], best first; NULL: there are no more */
    double *score; /* [count·nbest] */
} translations;

/* A translation has at most target_ratio·(source tokens) + TARGET_EXTRA tokens: more where each word becomes characters. */
enum { TARGET_EXTRA = 10 };
double target_ratio(const run *r);
/* Translates every source of an encoded corpus. With beam 1, greedily. False on failure, and with *stop set (NULL: never
 * asked) as soon as it is seen. */
bool translate_corpus(run *r, const tl_corpus *cut, long beam, translations *t, tl_progress *progress,
                      const volatile sig_atomic_t *stop);
/* Loss, and BLEU and exact matches of the translations, which are left in *t (may be NULL). raw has the references. */
bool evaluate_corpus(run *r, const tl_corpus *raw, const tl_corpus *cut, long beam, quality *q,
                     translations *t, tl_progress *progress, const volatile sig_atomic_t *stop);
void translations_free(translations *t);
void show_samples(const tl_corpus *raw, const translations *t, long count);

/* ---- commands: 0 or an exit status ---- */

int command_train(settings *s);     /* train.c */
int command_translate(settings *s); /* lines.c */
int command_evaluate(settings *s);  /* evaluate.c */
int command_attention(settings *s); /* attention.c */
int command_info(settings *s);      /* info.c */
int command_corpus(settings *s);    /* data.c */
int command_demo(settings *s);      /* demo.c */

/* Standard input's lines, not cut, for a run that is loaded. NULL on failure. */
tl_corpus *read_lines(run *r); /* lines.c */
/* Draws which source tokens each target token attends to, for one sentence. */
bool draw_attention(run *r, const char *source, FILE *out); /* attention.c */

/* What to type for a word that a command of ours is given: the word, or the word in quotes. Returns `to`. */
char *shell_word(char to[WORD_SIZE], const char *word);
int fail_with(const char *message); /* "translate: message" on standard error; returns 1 */
/* The command line is wrong: the same with a hint at the command's --help; returns 2. */
int usage_with(const char *command, const char *message);
/* A bar on standard error, or nothing with --quiet. */
tl_progress progress_of(const settings *s, const char *label);
/* The same for a pass over sentences, which is mostly over before one would look: seen from the second second on. */
tl_progress progress_of_sentences(const settings *s, const char *label, long sentences);
double seconds_now(void);

#endif
