/* A trained run, for programs and for people who study one; it stands above the library's other rooms. A run is a
 * folder:
 *
 *     config.txt              settings, key = value; also the program, unless it is translate
 *     codes.txt               translate: the merges, if a side's units are byte pairs
 *     vocab.src.txt, vocab.tgt.txt   translate: vocabularies (the same one with `joint`)
 *     vocab.txt, or vocab.json and merges.txt   lm: the vocabulary, or byte-level byte pairs
 *     vocab.txt               caption: the captions' words
 *     model.safetensors       weights of the best validation so far
 *     last.safetensors        weights at the end of training
 *     average.safetensors     with `average`: the mean of those in recent/
 *     recent/step-*.safetensors      weights of the last validations
 *     checkpoint.safetensors  all that resuming needs: weights, optimiser, training state
 *     log.csv                 a row for every validation
 *     curves.gp, curves.svg   a gnuplot script that draws the log, and its picture
 *
 *     tl_run *run = tl_run_open("runs/mine", NULL, &error);       the best weights, ready to be used
 *     char *line = tl_run_translate_line(run, "the cat sleeps .");
 *
 * The room never prints, exits or catches signals: it reports through a table of callbacks. Functions that can fail
 * return false or NULL and keep their first failure in the run (tl_run_error). After a failure the run does nothing
 * more until tl_run_clear_error. Every function accepts NULL. */
#ifndef TAPELOOM_RUN_H
#define TAPELOOM_RUN_H

#include "caption.h"
#include "classify.h"
#include "kept.h"
#include "lm.h"
#include "options.h"
#include "train.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- settings: what makes a run; config.txt holds them under the names of their options ----
 *
 * 0 and NULL mean the default that a field's comment names; tl_run_settings_complete fills it in. If 0 is a value of
 * its own (dropouts) it stays 0. Impossible numbers (negative, NaN, a share of 1, more than 2147483647) are refused
 * with a sentence, wherever they come from. */

typedef struct tl_data_settings {              /* where sentences come from */
    const char *train, *train_src, *train_tgt; /* files: a TSV, or two files */
    const char *valid, *valid_src, *valid_tgt;
    const char *pair, *task;       /* or made here: from a grammar, or as a task on symbols */
    long sentences;                /* made here; 0: 20000 */
    long min_symbols, max_symbols; /* of a task's sequences; 0: 1, and the larger of 10 and min_symbols */
    long symbols;                  /* how many different symbols a task has; 0: 20 */
    bool strict;                   /* refuse a file with bad lines */
    long max_length;               /* tokens on one side; 0, or larger: TL_LONGEST_SENTENCE */
} tl_data_settings;

typedef struct tl_text_settings { /* from lines to ids, and back */
    /* none|words, and bpe|words|chars. src_… and tgt_… override the first for one side. NULL: words and bpe, or for
     * sentences made here none and words */
    const char *pretokenize, *src_pretokenize, *tgt_pretokenize;
    const char *units, *src_units, *tgt_units;
    long merges;    /* 0: 10000 */
    long min_count; /* 0: 2 if a side's units are words from files, otherwise 1 */
    long max_vocab; /* entries, the four specials included; 0: no limit */
    bool joint;
    /* Each epoch cuts the training sentences anew, skipping each merge with this probability (tl_bpe_dropout), drawn
     * by (seed, epoch, sentence, side). No other text is affected. 0: none */
    double bpe_dropout;
    /* pieces seen less often are split into pieces that are frequent enough (counts of each side); 0: none */
    long bpe_vocabulary_threshold;
} tl_text_settings;

/* Which model, and its sizes. */
typedef struct tl_model_settings {
    const char *model; /* transformer|gru|lstm; completed settings store transformer as NULL */
    /* Only for gru and lstm (tl_seq2seq, models.h): none|additive|dot|general|scaled-dot|cosine; NULL: additive. */
    const char *attention;
    bool bidirectional, input_feeding, feed_context;
    long embedding;                           /* width of embeddings; 0: d_model */
    const char *preset;                       /* toy|tiny|small|base, and rnn; NULL: tiny, or rnn */
    long d_model, heads, layers, d_ff;        /* 0: the preset's */
    const char *tie, *activation, *positions; /* NULL: target, relu, sinusoidal */
    const char *score, *normaliser;           /* NULL: scaled-dot, softmax */
    long window;                              /* of self-attention; 0: none */
    bool no_causal;                           /* the decoder sees the words to come, for study */
    const char *encoder_positions;            /* NULL: the same as positions */
    bool pre_norm, no_final_norm;
    double dropout, attention_dropout, activation_dropout; /* 0: none */
    /* For a translator's Transformer: the heads that its attentions have (kept.h), as tl_prune writes it; NULL: all. */
    const char *heads_kept;
    /* none|l0: heads have gates that learn to close (tl_hard_concrete); NULL: none. The training loss, not the
     * validation loss, adds gate_penalty times the expected number of open heads. Gates learn gate_rate times as
     * fast as the rest. 0: no penalty; 10 times. */
    const char *head_gates;
    double gate_penalty, gate_rate;
    /* for a new translator: the run whose best weights, text and sizes it starts from; NULL: none */
    const char *from;
} tl_model_settings;

/* Training and validation settings are in train.h. */
struct tl_run_settings {
    const char *program; /* that the run belongs to; NULL: translate */
    bool demo;           /* made by a program's demo, which may replace it */
    tl_data_settings data;
    tl_text_settings text;
    tl_model_settings model;
    tl_training_settings training;
    tl_validation_settings validation;
    tl_lm_settings lm;             /* only for lm (lm.h) */
    tl_caption_settings caption;   /* only for caption (caption.h) */
    tl_classify_settings classify; /* only for classify (classify.h) */
};

/* Rows of these settings, for command lines; tl_run_options has all of translate's, as config.txt does. Those of
 * training come in three parts: when it ends, how large a translator's batch is, and how the model learns. */
extern const tl_option tl_ending_options[], tl_learning_options[];
extern const tl_option tl_data_options[], tl_text_options[], tl_model_options[], tl_training_options[],
    tl_validation_options[], tl_run_options[];

/* All rows of another program; NULL if there is no program of that name. */
const tl_option *tl_run_options_of(const char *program);

tl_run_settings tl_run_settings_default(void); /* translate's */
/* A program's usual settings; name must outlive them. If there is no such program they are translate's, and
 * tl_run_settings_complete refuses the name. */
tl_run_settings tl_run_settings_of_program(const char *name);
/* Fills in what follows from other settings (the preset's sizes, a side's units, when training ends) and names that
 * are NULL. False, and a sentence, if the settings contradict each other. */
bool tl_run_settings_complete(tl_run_settings *settings, tl_error *error);
/* How a side's raw text is cut into words ("none", "words"), and the units of its vocabulary ("bpe", "words",
 * "chars"); for completed settings. */
const char *tl_pretokenize_of(const tl_run_settings *settings, tl_side side);
const char *tl_units_of(const tl_run_settings *settings, tl_side side);

/* ---- sentence pairs ---- */

/* Sentence pairs of a TSV, or (tsv NULL) of two files. events->left_out gets the lines that cannot be used. NULL on
 * failure. */
tl_corpus *tl_pairs_read(const char *tsv, const char *source, const char *target, bool strict,
                         const tl_events *events, tl_error *error);
/* The part of a run's sentences that its settings name. Parts made here share no sentence. TL_PART_TEST: only for
 * sentences made here. TL_PART_LONGER: for tasks, sequences longer than any in training. TL_PART_OTHER: for tasks,
 * `sentences` sequences with the lengths that the settings have now (they may have been changed), from a stream of
 * its own; short sequences may also occur in training. */
typedef enum tl_part { TL_PART_TRAIN, TL_PART_VALID, TL_PART_TEST, TL_PART_LONGER, TL_PART_OTHER } tl_part;
tl_corpus *tl_pairs_of(const tl_run_settings *settings, tl_part part, const tl_events *events,
                       tl_error *error);

/* ---- a run ---- */

/* The symbol carries the precision, like that of tl_tape_new. */
#define tl_run_open TL_ENTRY(tl_run_open)
#define tl_run_new TL_ENTRY(tl_run_new)

/* Which weights are opened, and whose run it must be. */
typedef struct tl_run_choice {
    /* "best" (or NULL), "last", "average"; "none": all zero, to look at sizes or to go on training; "initial": as
     * before training, drawn by the seed even if training began with another run's weights (from). */
    const char *weights;
    /* the run must be this program's, or it is refused with a sentence that says whose it is; NULL: any program's */
    const char *program;
} tl_run_choice;

/* Opens a folder that training has written. The weights are mapped, not read. Nothing in the folder changes. NULL,
 * and a sentence in error, on failure. Free it with tl_run_free. */
tl_run *tl_run_open(const char *dir, const tl_run_choice *choice, tl_error *error);
/* A run to be trained into a folder. It has only settings, which are copied and completed; their texts must outlive
 * it. NULL only when out of memory. */
tl_run *tl_run_new(const char *dir, const tl_run_settings *settings);
/* A run without a folder, to be looked at. Its text is learnt from the data that the settings name, and its weights
 * are those that training would begin with; with `from` both are the other run's. The settings' texts must outlive
 * it. NULL, and a sentence, on failure. */
tl_run *tl_run_fresh(const tl_run_settings *settings, tl_error *error);
void tl_run_free(tl_run *run);
/* The first failure of the run, or else of its tape; NULL if there is none. */
const char *tl_run_error(const tl_run *run);
void tl_run_clear_error(tl_run *run);
/* Sets the callbacks; NULL: none. The table must outlive the run. */
void tl_run_tell(tl_run *run, const tl_events *events);
/* Makes the run one of several ranks (ranks.h): training's updates, validation, decoding and scores are shared out,
 * with the results of one process. Each rank has its own run, made by the same calls with the same settings, and all
 * call the same functions in the same order. Only rank 0 touches the folder's files, and only its events should be
 * set. NULL: one process. The ranks must outlive the run. */
void tl_run_share_with(tl_run *run, tl_ranks *ranks);

/* What acts on the run's model from here on, gates and replacements (tl_attention_maps), in training, losses, log p
 * and searches. The function is called before each of them and fills maps in the memory of the run's tape. False,
 * and the tape's error, on failure. NULL: nothing acts. (tl_run_act_at of lens.h does this by names of places.) */
typedef bool (*tl_run_acting)(void *context, tl_tape *tape, tl_model_maps *maps);
void tl_run_act(tl_run *run, tl_run_acting acting, void *context);
/* What acts now (NULL: nothing); its context is put into *context, unless that is NULL. To let something else act
 * for a while, keep both and give them to tl_run_act afterwards. */
tl_run_acting tl_run_what_acts(const tl_run *run, void **context);

/* The run's parts, owned by the run; NULL (0) if it lacks one, as a new run lacks a model. */
const char *tl_run_dir(const tl_run *run);
const char *tl_run_program_name(const tl_run *run); /* "translate", …: the program that it belongs to */
/* the score that chooses its best weights: "BLEU"; NULL: the loss */
const char *tl_run_score_label(const tl_run *run);
tl_run_settings *tl_run_settings_of(tl_run *run); /* may be changed, between calls */
const tl_vocab *tl_run_vocab(const tl_run *run, tl_side side);
const tl_bpe *tl_run_bpe(const tl_run *run); /* also NULL if no side's units are byte pairs */
tl_params *tl_run_params(const tl_run *run);
tl_tape *tl_run_tape(const tl_run *run); /* in evaluation mode, with the run's seed and matrix precision */
const tl_model *tl_run_model(const tl_run *run);
const tl_transformer *tl_run_transformer(const tl_run *run); /* NULL: another kind of model */
const tl_seq2seq *tl_run_seq2seq(const tl_run *run);         /* the same, of gru and lstm */

/* ---- text: lines as people write them, and tokens with single spaces between them ---- */

char *tl_run_cut(tl_run *run, tl_side side, const char *line);    /* the caller frees it */
char *tl_run_join(tl_run *run, tl_side side, const char *tokens); /* the inverse; the caller frees it */
/* Cuts the lines of a corpus into tokens and encodes them, pair by pair, for batches. Free it with tl_corpus_free. */
tl_corpus *tl_run_encode(tl_run *run, const tl_corpus *lines);

/* ---- a batch, its loss, its translations ---- */

/* Tokens of the longest sentence that a model can read or write, without <eos>. */
enum { TL_LONGEST_SENTENCE = 1023 };

/* A batch of `count` sources in their order, with their targets (NULL: empty targets, to be translated). Its arrays
 * belong to the run until the next call. */
bool tl_run_batch(tl_run *run, const char *const *sources, const char *const *targets, long count,
                  tl_batch *batch);
/* The mean loss in nats per target token, as in training (label-smoothed by the settings), on the run's tape. Fills
 * maps, which may be NULL. The inert var on failure. */
tl_var tl_run_loss(tl_run *run, const tl_batch *batch, const tl_model_maps *maps);

/* How a run translates; {0}: a beam of TL_BEAM_DEFAULT, ranked by log p. */
typedef struct tl_translate_options {
    long beam;             /* hypotheses of a sentence, at most TL_BEAM_MOST; 0: TL_BEAM_DEFAULT; 1: greedy */
    bool nbest;            /* return all of them, not only the best */
    double length_penalty; /* α: ranked by log p / length^α; 0: by log p */
    long batch_tokens;     /* of a batch, padding included; 0: 4096; changes no bit */
    /* Replaces <unk> by the source word that the decoder's last layer attended to most (mean over heads, without
     * <eos>) while writing it. Several <unk> in a row that attended to one word become that word once. Needs memory
     * for maps. */
    bool replace_unknown;
    long no_repeat_ngram; /* no sequence of this many tokens occurs twice; 0: no such rule */
    /* Draws words instead of searching (tl_search_options.sample): one sample a sentence, or with nbest `beam`
     * samples in the order of drawing, equal texts included. A sample depends on the seed and on its sentence's
     * index in the corpus, not on other sentences. */
    bool sample;
    double temperature; /* 0: 1 */
    long top_k;         /* among this many most likely words; 0: all */
    double top_p;       /* among the fewest most likely words whose probabilities reach this; 0: all */
    long seed;
    /* Each translation begins with the target that the corpus (or batch) has for it, in whole tokens; empty:
     * nothing. Prefixes appear as they were given, unknown words too. */
    bool prefixes;
    /* Also gives alignments (tl_run_align): the mean over the heads of one layer, or each head by itself. Needs
     * memory for maps. Not together with replace_unknown. */
    bool align, align_heads;
    long align_layer; /* 1, 2, …; 0: the decoder's last */
} tl_translate_options;

/* Searches for translations of the batch's sources, with the length limits of the run's languages. The result lives
 * on the tape until it is reset. options NULL: greedy, ranked by log p. With replace_unknown the result has maps. */
bool tl_run_search(tl_run *run, const tl_batch *source, const tl_translate_options *options,
                   tl_search_result *found);

/* Translates one line greedily; the caller frees it. A blank line's translation is empty. */
char *tl_run_translate_line(tl_run *run, const char *line);

/* Counts the words of an encoded corpus' sources that the vocabulary lacks. If there are any, events->warning gets
 * one sentence with their number and the first of them. Returns the number. */
long tl_run_tell_unknown(tl_run *run, const tl_corpus *encoded);
/* the same for either side */
long tl_run_tell_unknown_of(tl_run *run, const tl_corpus *encoded, tl_side side);

/* Translates every source of an encoded corpus (tl_run_encode). If a source or its prefix is longer than the model
 * reads, its translation is empty and events->warning names it. Hypotheses of a sentence with the same text but
 * other tokens count as one, the best. False on failure, and without an error as soon as events->stop says so; there
 * are no translations then. *translations is overwritten. */
bool tl_run_translate(tl_run *run, const tl_corpus *encoded, const tl_translate_options *options,
                      tl_translations *translations);

/* Word alignments from cross-attention. map [T,S] has in row t the weights while the translation's token t was
 * written; of a map [H,T,S] the heads are averaged. source and target are lines of tokens (tl_run_cut). A word is
 * what cutting made one: all its byte pairs, or all characters up to the next space. A source word gets the sum over
 * its tokens, a target word the mean over its tokens. <eos> and padding belong to no word. False on failure. */
bool tl_run_align(tl_run *run, const char *source, const char *target, tl_tensor map,
                  tl_alignment *alignment);

/* ---- how good it is ---- */

/* Scores a corpus of lines with references. Pairs that the model cannot read are first removed from it (`name` is
 * what events->left_out calls it). translations may be NULL; otherwise it is overwritten, and the caller frees it.
 * BLEU's tokens and case are set by the run's settings. */
bool tl_run_evaluate(tl_run *run, tl_corpus *pairs, const char *name, const tl_translate_options *options,
                     tl_quality *quality, tl_translations *translations);

/* log p of the targets of pairs. */
typedef struct tl_scores {
    long count;
    /* [count] log p of each target, <eos> included; NaN: the pair is longer than the model reads */
    double *sum;
    long *first; /* [count+1] where each target's tokens begin in `token`; a pair that is too long has none */
    double *token; /* log p of each token of each target, given the true ones before it; <eos> is last */
    long too_long; /* pairs that are too long */
} tl_scores;
void tl_scores_free(tl_scores *scores);

/* log p of every target of an encoded corpus (tl_run_encode), given its source, by the model alone. A sum equals
 * tl_run_translate's score of that translation without length penalty; all sums together are tl_run_evaluate's -loss
 * times tokens. batch_tokens (0: 4096) changes no bit. False on failure, and without an error as soon as
 * events->stop says so; there are no scores then. *scores is overwritten. */
bool tl_run_score(tl_run *run, const tl_corpus *encoded, long batch_tokens, tl_scores *scores);

/* ---- training ---- */

/* The training state in the folder's checkpoint. False, without an error, if there is no checkpoint. */
bool tl_run_state(tl_run *run, tl_training_state *state);

/* Trains. A new run starts from the beginning; a model that is already in the folder is an error unless `overwrite`,
 * and files that no run has written are always an error. An opened run resumes from its checkpoint and takes the
 * same steps, bit for bit, as a run that never stopped. Files are written in such an order that a run killed at any
 * moment can be resumed or, before its first checkpoint, started again. The folder is locked meanwhile: a second
 * training in it fails, and this one fails if the folder is removed or replaced. TL_INTERRUPTED: events->stop said
 * so before the end. Afterwards the run holds the last weights (with `average`, their mean); open the folder for the
 * best ones. `end` may be NULL. */
tl_ending tl_run_train(tl_run *run, bool overwrite, tl_training_end *end);

/* How to type a word, such as a run's folder, in a shell: the word itself or in quotes, cut to `size` bytes (at
 * least 8; four times the word's length plus 8 is always enough). Returns `to`. */
char *tl_shell_word(const char *word, char *to, size_t size);

#ifdef __cplusplus
}
#endif
#endif
