/* Above all rooms: a trained run, for programs and for people who study one. A run is a folder:
 *
 *     config.txt              settings, key = value; which program it is of, unless it is translate
 *     codes.txt               of translate: the merges, where a side consists of byte pairs
 *     vocab.src.txt, vocab.tgt.txt   of translate: vocabularies (the same one with `joint`)
 *     vocab.txt, or vocab.json and merges.txt   of lm: the vocabulary, or byte-level byte pairs
 *     vocab.txt               of caption: the captions' words
 *     model.safetensors       weights of the best validation so far
 *     last.safetensors        weights of the end of training
 *     average.safetensors     mean of those in recent/, with `average`
 *     recent/step-*.safetensors      weights of the last validations
 *     checkpoint.safetensors  all that going on needs: weights, optimiser, where training stands
 *     log.csv                 a row every validation
 *     curves.gp, curves.svg   the log as a picture, and the gnuplot script that draws it
 *
 *     tl_run *run = tl_run_open("runs/mine", NULL, &error);       the best weights, ready to be used
 *     char *line = tl_run_translate_line(run, "the cat sleeps .");
 *
 * The room never prints, exits or catches signals: what there is to say goes to a table of callbacks. Functions that
 * can fail return false or NULL and keep their first failure in the run (tl_run_error); after it the run does nothing
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
 * 0 and NULL mean the default that a field's comment names, and tl_run_settings_complete puts it there; where 0 is a choice
 * (dropouts) it is that choice. Other numbers than a field can have (negative, NaN, a share of 1, more than 2147483647) are
 * refused with a sentence, wherever they come from. */

typedef struct tl_data_settings {              /* where sentences come from */
    const char *train, *train_src, *train_tgt; /* files: a TSV, or two files */
    const char *valid, *valid_src, *valid_tgt;
    const char *pair, *task;       /* or made here: of a grammar, or of symbols */
    long sentences;                /* made here; 0: 20000 */
    long min_symbols, max_symbols; /* of tasks; 0: 1, and 10 or min_symbols if that is more */
    long symbols;                  /* of tasks: different ones; 0: 20 */
    bool strict;                   /* refuse a file with bad lines */
    long max_length;               /* tokens on one side; 0, or more than that: TL_LONGEST_SENTENCE */
} tl_data_settings;

typedef struct tl_text_settings { /* from lines to ids, and back */
    /* none|words, and bpe|words|chars; a side's own where it is another one than the first. NULL: words and bpe, or, made
     * here, none and words */
    const char *pretokenize, *src_pretokenize, *tgt_pretokenize;
    const char *units, *src_units, *tgt_units;
    long merges;    /* 0: 10000 */
    long min_count; /* 0: 2 if a side read from files consists of words, otherwise 1 */
    long max_vocab; /* entries, the four specials counted; 0: no limit */
    bool joint;
    /* Training sentences are cut anew each epoch, passing over merges with this probability (tl_bpe_dropout), by (seed, epoch,
     * sentence, side); nothing else is. 0: none */
    double bpe_dropout;
    long
        bpe_vocabulary_threshold; /* pieces seen less often are split into such that are (each side's own count); 0: none */
} tl_text_settings;

/* Which model, and its sizes. */
typedef struct tl_model_settings {
    const char *model; /* transformer|gru|lstm; NULL, which completed settings have for it: transformer */
    /* Of gru and lstm alone (tl_seq2seq, nn.h): none|additive|dot|general|scaled-dot|cosine; NULL: additive. */
    const char *attention;
    bool bidirectional, input_feeding, feed_context;
    long embedding;                           /* its width; 0: d_model */
    const char *preset;                       /* toy|tiny|small|base, and rnn; NULL: tiny, or rnn */
    long d_model, heads, layers, d_ff;        /* 0: the preset's */
    const char *tie, *activation, *positions; /* NULL: target, relu, sinusoidal */
    const char *score, *normaliser;           /* NULL: scaled-dot, softmax */
    long window;                              /* of self-attention; 0: none */
    bool no_causal;                           /* the decoder sees the words to come, for study */
    const char *encoder_positions;            /* NULL: the same as positions */
    bool pre_norm, no_final_norm;
    double dropout, attention_dropout, activation_dropout; /* 0: none */
    /* Of a translator's Transformer. Which heads its attentions have (kept.h), as tl_prune writes it; NULL: all. */
    const char *heads_kept;
    /* none|l0: heads have gates that learn to close (tl_hard_concrete); NULL: none. gate_penalty times the number of heads that are open
     * on average is added to the loss that is trained, not to what a validation says; gates learn gate_rate times as fast as the
     * rest. 0: no penalty; 10 times. */
    const char *head_gates;
    double gate_penalty, gate_rate;
    const char *
        from; /* of a new translator: the run whose best weights, text and sizes it begins with; NULL: none */
} tl_model_settings;

/* Of training and validation: train.h. */
struct tl_run_settings {
    const char *program; /* that the run is of; NULL: translate */
    bool demo;           /* a program's demo has made it, and may replace it */
    tl_data_settings data;
    tl_text_settings text;
    tl_model_settings model;
    tl_training_settings training;
    tl_validation_settings validation;
    tl_lm_settings lm;             /* of lm alone (lm.h) */
    tl_caption_settings caption;   /* of caption alone (caption.h) */
    tl_classify_settings classify; /* of classify alone (classify.h) */
};

/* Their rows, for command lines; tl_run_options has all of translate's, as its config.txt does. */
/* Training's in three parts: when it ends, how it learns, and between them how large a translator's batch is. */
extern const tl_option tl_ending_options[], tl_learning_options[];
extern const tl_option tl_data_options[], tl_text_options[], tl_model_options[], tl_training_options[],
    tl_validation_options[], tl_run_options[];

/* The same of another program; NULL if there is none of that name. */
const tl_option *tl_run_options_of(const char *program);

tl_run_settings tl_run_settings_default(void); /* translate's */
/* A program's usual settings; name must outlive them. Of a name that is no program's they are translate's, and
 * tl_run_settings_complete says so. */
tl_run_settings tl_run_settings_of_program(const char *name);
/* Fills in what follows from other settings (the preset's sizes, a side's units, when training ends) and names that are
 * NULL, and looks whether they go together. */
bool tl_run_settings_complete(tl_run_settings *settings, tl_error *error);
/* How a side's raw text is cut into words ("none", "words"), and what its vocabulary is made of ("bpe", "words",
 * "chars"); of completed settings. */
const char *tl_pretokenize_of(const tl_run_settings *settings, tl_side side);
const char *tl_units_of(const tl_run_settings *settings, tl_side side);

/* ---- sentence pairs ---- */

/* Pairs of a TSV, or (tsv NULL) of two files. What was left out goes to events->left_out. NULL on failure. */
tl_corpus *tl_pairs_read(const char *tsv, const char *source, const char *target, bool strict,
                         const tl_events *events, tl_error *error);
/* The part of a run's sentences that its settings name. Made here, a part shares no sentence with the others.
 * TL_PART_TEST: only of sentences made here. TL_PART_LONGER: of tasks, sequences longer than any in training. TL_PART_OTHER: of tasks, as
 * many as `sentences` says, of lengths that the settings may have been changed to since; a stream of its own, in which short
 * sequences come that training may have had, too. */
typedef enum tl_part { TL_PART_TRAIN, TL_PART_VALID, TL_PART_TEST, TL_PART_LONGER, TL_PART_OTHER } tl_part;
tl_corpus *tl_pairs_of(const tl_run_settings *settings, tl_part part, const tl_events *events,
                       tl_error *error);

/* ---- a run ---- */

/* The precision is in these symbols too, as in tl_tape_new's. */
#define tl_run_open TL_ENTRY(tl_run_open)
#define tl_run_new TL_ENTRY(tl_run_new)

/* Which weights are opened, and of whose run. */
typedef struct tl_run_choice {
    /* "best" (or NULL), "last", "average"; "none": all zero, to look at sizes or to go on training; "initial": drawn as they were
     * before training, or would have been where it began with another run's (from). */
    const char *weights;
    const char *
        program; /* whose run it must be, or it is refused with a sentence that says whose it is; NULL: any */
} tl_run_choice;

/* Opens a folder that training has written. The weights are mapped, not read; nothing of the folder is changed. NULL, and
 * a sentence in error, on failure. Free with tl_run_free. */
tl_run *tl_run_open(const char *dir, const tl_run_choice *choice, tl_error *error);
/* A run to be trained into a folder: settings alone, which are copied and completed (their texts must outlive it). NULL
 * only when out of memory. */
tl_run *tl_run_new(const char *dir, const tl_run_settings *settings);
/* A run that no folder holds, to be looked at: text is learnt from the data that the settings name, and the weights are what training
 * would begin with; both are another run's where the settings say `from`. The settings' texts must outlive it. NULL, and a sentence, on
 * failure. */
tl_run *tl_run_fresh(const tl_run_settings *settings, tl_error *error);
void tl_run_free(tl_run *run);
/* The first failure, of the run or else of its tape; NULL if all is well. */
const char *tl_run_error(const tl_run *run);
void tl_run_clear_error(tl_run *run);
/* Who is told from here on what the run is doing; NULL: nobody. The table must outlive the run. */
void tl_run_tell(tl_run *run, const tl_events *events);

/* What is to act on the run's model from here on, gates and replacements (tl_attention_maps): in training, losses, log p and searches
 * alike. Called before each of them for maps on the run's tape, which it fills in the tape's memory; false, and the tape's error, on
 * failure. NULL: nothing. (tl_run_act_at of lens.h does it by names.) */
typedef bool (*tl_run_acting)(void *context, tl_tape *tape, tl_model_maps *maps);
void tl_run_act(tl_run *run, tl_run_acting acting, void *context);
/* What that is (NULL: nothing), and into context, unless it is NULL, what it is called with: whoever lets something else act for a while
 * gives both to tl_run_act afterwards. */
tl_run_acting tl_run_what_acts(const tl_run *run, void **context);

/* What it consists of, owned by the run; NULL (0) where it has none, as a new run has no model. */
const char *tl_run_dir(const tl_run *run);
const char *tl_run_program_name(const tl_run *run); /* "translate", …: that it belongs to */
const char *
tl_run_score_label(const tl_run *run); /* what its best weights are best by: "BLEU"; NULL: the loss */
tl_run_settings *tl_run_settings_of(tl_run *run); /* may be changed, between calls */
const tl_vocab *tl_run_vocab(const tl_run *run, tl_side side);
const tl_bpe *tl_run_bpe(const tl_run *run); /* NULL too if no side consists of byte pairs */
tl_params *tl_run_params(const tl_run *run);
tl_tape *tl_run_tape(const tl_run *run); /* in evaluation mode, with the run's seed and matrix precision */
const tl_model *tl_run_model(const tl_run *run);
const tl_transformer *tl_run_transformer(const tl_run *run); /* NULL if its model is another one */
const tl_seq2seq *tl_run_seq2seq(const tl_run *run);         /* the same of gru and lstm */

/* ---- text: lines as people write them, and tokens with single spaces between ---- */

char *tl_run_cut(tl_run *run, tl_side side, const char *line);    /* to free() */
char *tl_run_join(tl_run *run, tl_side side, const char *tokens); /* the other way; to free() */
/* A corpus of lines cut into tokens and encoded, pair by pair: what batches are made of. To tl_corpus_free. */
tl_corpus *tl_run_encode(tl_run *run, const tl_corpus *lines);

/* ---- a batch, its loss, its translations ---- */

/* Tokens of the longest sentence that a model can read or write; with <eos> one more. */
enum { TL_LONGEST_SENTENCE = 1023 };

/* A batch of `count` lines, in their order: sources, and their targets (NULL: to be translated; the targets are empty then).
 * Its arrays belong to the run until the next call. */
bool tl_run_batch(tl_run *run, const char *const *sources, const char *const *targets, long count,
                  tl_batch *batch);
/* The mean loss in nats per target token, as in training (label-smoothed as the settings say), on the run's tape. maps (may
 * be NULL) are filled. The inert var on failure. */
tl_var tl_run_loss(tl_run *run, const tl_batch *batch, const tl_model_maps *maps);

/* How a run translates; {0} is a beam of TL_BEAM_DEFAULT, ranked by log p. */
typedef struct tl_translate_options {
    long beam;  /* hypotheses to keep a sentence, at most TL_BEAM_MOST; 0: TL_BEAM_DEFAULT; 1: greedy */
    bool nbest; /* give all of them, not only the best */
    double length_penalty; /* α: ranked by log p / length^α; 0: by log p */
    long batch_tokens;     /* of a batch, padding included; 0: 4096; changes no bit */
    /* In the place of <unk> the source word that the decoder's last layer looked at most (mean over its heads, <eos> left out)
     * while it was written; several in a row that looked at one word become that word once. Takes memory for maps. */
    bool replace_unknown;
    long no_repeat_ngram; /* no translation holds so many tokens in a row twice; 0: it may */
    /* Words are drawn instead of searched for (tl_search_options.sample): one sample a sentence, with nbest `beam` of them, in the
     * order of drawing, the same text as often as it was drawn. A sample depends on the seed and on which sentence of the
     * corpus it is of, not on the others. */
    bool sample;
    double temperature; /* 0: 1 */
    long top_k;         /* out of so many likeliest; 0: of all */
    double top_p; /* out of the fewest likeliest whose probabilities sum to so much, at most 1; 0: of all */
    long seed;
    /* The targets of the corpus (of the batch) are what its translations begin with, in whole tokens; empty: nothing. They are
     * written as they were given, unknown words too. */
    bool prefixes;
    /* Alignments beside the translations (tl_run_align): the mean of the heads of one layer, or each head by itself. Takes memory
     * for maps; not together with replace_unknown. */
    bool align, align_heads;
    long align_layer; /* 1, 2, …; 0: the decoder's last */
} tl_translate_options;

/* Searches for the batch's sources, each as long as the run's languages want it; the result lives on the tape until it
 * is reset. options may be NULL: greedy, ranked by log p. With replace_unknown the result has maps. */
bool tl_run_search(tl_run *run, const tl_batch *source, const tl_translate_options *options,
                   tl_search_result *found);

/* One line, greedily: to free(). A blank line's translation is empty. */
char *tl_run_translate_line(tl_run *run, const char *line);

/* Tells events->warning in one sentence, if there are any, which words of an encoded corpus' sources the vocabulary lacks: how
 * many, and the first of them. Returns how many. */
long tl_run_tell_unknown(tl_run *run, const tl_corpus *encoded);
long tl_run_tell_unknown_of(tl_run *run, const tl_corpus *encoded, tl_side side); /* of either side */

/* Translates every source of an encoded corpus (tl_run_encode). Those that are longer than a model reads, or whose
 * prefix is, have an empty translation, and events->warning names them. Hypotheses of a sentence that are the same text, though of other tokens,
 * count as one, the best. False on failure, and without an error as soon as events->stop says so; then there are no
 * translations. *translations is overwritten. */
bool tl_run_translate(tl_run *run, const tl_corpus *encoded, const tl_translate_options *options,
                      tl_translations *translations);

/* Shares of words out of cross attention: map [T,S], row t the probabilities while the translation's token t was written, or
 * [H,T,S], whose heads are averaged. source and target are lines of tokens (tl_run_cut). A word is what cutting made one: of byte
 * pairs all pieces together, of characters all up to the next space. A source word gets the sum of its tokens' shares, a
 * target word gives the mean of its tokens'; <eos> and padding belong to no word. False on failure. */
bool tl_run_align(tl_run *run, const char *source, const char *target, tl_tensor map,
                  tl_alignment *alignment);

/* ---- how good it is ---- */

/* Scores a corpus of lines with references. Pairs that the model cannot read are taken out of it first (`name` is what
 * events->left_out calls them). translations may be NULL; otherwise it is overwritten, and to free. Tokens and case of BLEU are those of
 * the run's settings. */
bool tl_run_evaluate(tl_run *run, tl_corpus *pairs, const char *name, const tl_translate_options *options,
                     tl_quality *quality, tl_translations *translations);

/* How likely the model finds the targets of pairs. */
typedef struct tl_scores {
    long count;
    double
        *sum; /* [count] log p of each target, <eos> included; NaN: the pair is longer than a model reads */
    long *first; /* [count+1] where each target's tokens begin in `token`; a pair that is too long has none */
    double *token; /* log p of each token of each target, the true ones before it given; <eos> comes last */
    long too_long; /* pairs */
} tl_scores;
void tl_scores_free(tl_scores *scores);

/* log p of every target of an encoded corpus (tl_run_encode), given its source. p is the model's own: the sum is a
 * translation's score by tl_run_translate without length penalty, and all sums are tl_run_evaluate's -loss times tokens. False
 * on failure, and without an error as soon as events->stop says so; then there are no scores. batch_tokens of a batch (0: 4096)
 * change no bit. *scores is overwritten. */
bool tl_run_score(tl_run *run, const tl_corpus *encoded, long batch_tokens, tl_scores *scores);

/* ---- training ---- */

/* The state in the folder's checkpoint. False, without an error, if it has none. */
bool tl_run_state(tl_run *run, tl_training_state *state);

/* Trains: a new run from the start (a model that is in the folder already is in the way, unless `overwrite`; files that no
 * run has written are in any case), an opened one on from its checkpoint, which takes the same steps, bit for bit, as one
 * that never stopped. Files appear in an order that a kill at any moment leaves a run that can go on, or, before its first
 * checkpoint, be started again. The folder is locked meanwhile: a second training in it fails, and so does this one if the
 * folder is removed or replaced. TL_INTERRUPTED: events->stop said so while something was left to do. What the run holds in
 * memory afterwards are weights of the end (with `average`, their mean): open the folder for the best. `end` may be
 * NULL. */
tl_ending tl_run_train(tl_run *run, bool overwrite, tl_training_end *end);

/* What to type in a shell for a word, such as the folder of a run: the word, or the word in quotes. Cut to `size` bytes (at
 * least 8; four times the word's length and 8 is always enough). Returns to. */
char *tl_shell_word(const char *word, char *to, size_t size);

#ifdef __cplusplus
}
#endif
#endif
