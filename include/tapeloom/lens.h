/* The laboratory: every weight of attention, every gradient, of any run's model; and what happens if something else stood there.
 *
 *     tl_sentences read;                                   what is looked at: sentences as batch and as tokens
 *     tl_seen seen;                                        A, S, dL/dA, dL/dS of every attention
 *     tl_sentences_of(run, &source, NULL, 1, &read);       target NULL: what the model writes itself
 *     tl_look(tl_run_model(run), tl_run_tape(run), &read.batch, NULL, &seen);
 *     const tl_seen_attention *cross = tl_seen_of(&seen, "decoder.layers.1.cross");
 *     tl_print(tl_at(cross->score_grads, 0, 2), stdout);   sentence 0, head 2
 *
 * Looking changes no bit of what is computed. Functions never print; those over a run keep their first failure in it
 * (tl_run_error), those over a model on its tape. */
#ifndef TAPELOOM_LENS_H
#define TAPELOOM_LENS_H

#include "run.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- places: what can be looked at, kept with its gradient, or replaced, by its name ----
 *
 * B sentences (in a search: rows), H heads, T queries, S keys, layers N from 0.
 *
 *   encoder.embedding, decoder.embedding      [B,T,D] what the first layer reads: embeddings (or patches) with their positions
 *   encoder.layers.N, decoder.layers.N
 *     .feed_forward                           [B,T,D] what the feed-forward adds to the stream
 *     .residual                               [B,T,D] the stream as the layer gives it
 *   encoder.layers.N.self, decoder.layers.N.self, decoder.layers.N.cross, and of classifiers that pool: pooling
 *     .q [B,H,T,·], .k [B,H,S,·]              queries and keys as the score takes them
 *     .v                                      [B,H,S,d_k] values
 *     .scores                                 [B,H,T,S] S, with their bias, before the mask
 *     .pattern                                [B,H,T,S] A, after mask and normaliser, before dropout
 *     .context                                [B,H,T,d_k] each head's own
 *     .out                                    [B,T,D] what the attention gives
 *     .residual                               [B,T,D] the stream once that has been added
 *
 * Recurrent models have embeddings, their states as encoder.layers.0.residual and decoder.layers.0.residual (what each side's last
 * layer gives; of the decoder what the next word is told from), and decoder.layers.0.cross without its residual.
 *
 * In a pattern * stands for any text, ? for one character: "decoder.*.cross.pattern", "*.scores". */

/* A place: its name, and what the name says. */
typedef struct tl_place_name {
    char text[64];      /* "decoder.layers.1.cross.pattern" */
    char attention[64]; /* "decoder.layers.1.cross"; "": it is a place of the stream */
    tl_place place;
    tl_attention_kind kind; /* of an attention */
    tl_stream_side side;    /* of the stream */
    int layer; /* of an attention; of the stream its depth: 0 the embedding, N+1 what layer N gives */
} tl_place_name;

/* How many places a model has. */
long tl_place_count(const tl_model *model);
/* Number i of them, 0 … count-1, in the order in which they are computed. False outside. */
bool tl_place_at_number(const tl_model *model, long i, tl_place_name *name);
bool tl_place_matches(const char *name, const char *pattern);
/* "decoder.layers.1.cross" of a model's attention; returns to. */
char *tl_attention_name(const tl_model *model, tl_attention_kind kind, int layer, char to[64]);

/* Places of one model that something is to be done with. A plain list: nothing of the model changes. */
typedef struct tl_places tl_places;
tl_places *tl_places_new(const tl_model *model); /* NULL only when out of memory */
void tl_places_free(tl_places *places);
/* The first failure: of no place that a pattern matches, for instance. NULL: none. */
const char *tl_places_error(const tl_places *places);
/* All three: of every place that matches; false, and an error, if there is none. */
bool tl_places_keep(tl_places *places, const char *pattern); /* its gradient, too, after tl_backward */
/* f NULL: no longer. context must outlive the places. */
bool tl_places_replace(tl_places *places, const char *pattern, tl_replacing *f, void *context);
/* Of attentions ("decoder.*.cross"): head 0 … or -1 (all) counts `factor` times. */
bool tl_places_gate(tl_places *places, const char *attention, int head, double factor);
void tl_places_forget(tl_places *places); /* nothing is kept, replaced or gated any more */

/* Maps on a tape that do so, for tl_model_loss, tl_search and the like: in the tape's memory, and gates are vars of it, so they are
 * asked for anew after every reset. False, and the tape fails, on failure. */
bool tl_places_maps(const tl_places *places, tl_tape *tape, tl_model_maps *maps);
/* What stood in a place of maps that a forward has filled; TL_NO_VAR if there is no such place. */
tl_var tl_place_var(const tl_model *model, const tl_model_maps *maps, const char *name);
/* Its gradient after tl_backward, if it was kept; without data otherwise. */
tl_tensor tl_place_grad(const tl_model *model, const tl_model_maps *maps, const char *name);

/* The same for all that a run does from here on, training, losses and searches alike; NULL: no longer. They must outlive that. */
void tl_run_act_at(tl_run *run, const tl_places *places);

/* ---- what is differentiated ---- */

/* What kind of number is differentiated. */
typedef enum tl_objective_kind {
    TL_OF_LOSS,  /* the loss as it is trained (label-smoothed), summed over the tokens of all sentences */
    TL_OF_NLL,   /* the same without smoothing: -log p of the targets */
    TL_OF_LOG_P, /* log p of one token, */
    TL_OF_LOGIT  /* or its logit, before softmax */
} tl_objective_kind;
/* The number whose gradients are asked for. */
typedef struct tl_objective {
    tl_objective_kind kind;
    long sentence, position; /* of one token: which word is written, from 0 (of a classifier: 0) */
    int token;               /* its id (a class); -1: the true one */
    int other;               /* the difference to this one, token minus other; -1: none */
} tl_objective;              /* {0} is the loss; of log p and logit set token and other */

/* Its value as a var of one element, with maps filled on the way (NULL: none). The inert var, and the tape fails, on failure. */
tl_var tl_objective_var(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                        const tl_model_maps *maps, const tl_objective *objective);
/* In words: "log p of "chat" (word 2)", and with its sign: "L = log p of "chat" (word 2); a positive gradient makes it likelier". names
 * may be NULL (ids then). Foreign bytes: show it through tl_shown_text. Returns to. */
struct tl_sentences;
char *tl_objective_name(const tl_objective *objective, struct tl_sentences *names, char *to, size_t size);
char *tl_objective_text(const tl_objective *objective, struct tl_sentences *names, char *to, size_t size);

/* ---- looking ---- */

/* How to look; {0} or NULL: gradients of the loss. */
typedef struct tl_look_options {
    tl_objective objective;
    const tl_places *places; /* what acts and what else is kept meanwhile; NULL: nothing */
    bool no_grad;            /* A, S and contexts alone: no backward */
    bool norms;              /* Kobayashi et al. 2020, see tl_seen_attention */
} tl_look_options;

/* One attention of a batch. Tensors lie on the tape; those of gradients have no data with no_grad, norms none unless asked for. */
typedef struct tl_seen_attention {
    char name[64];
    tl_attention_kind kind;
    int layer;
    long heads, queries, keys;
    tl_mask mask;           /* that held while this was computed (all its parts); see tl_why_blocked */
    tl_tensor weights;      /* A [B,H,T,S]; exactly 0 where blocked */
    tl_tensor scores;       /* S [B,H,T,S] with their bias, before the mask */
    tl_tensor weight_grads; /* dL/dA [B,H,T,S], raw: where blocked it is dC·v, of no consequence */
    tl_tensor
        score_grads; /* dL/dS [B,H,T,S] = A∘(dL/dA - Σ A·dL/dA); exactly 0 where blocked; of softmax a row sums to 0 */
    tl_tensor context, context_grads; /* [B,H,T,d_k] */
    tl_tensor head_norms;             /* ‖α f(x)‖ [B,H,T,S], f(x) = (x·W_V + b_V)·W_O of the head */
    tl_tensor norms;                  /* ‖Σ_h α_h f_h(x)‖ [B,T,S] */
} tl_seen_attention;

/* What a look has found: every attention of a batch. */
typedef struct tl_seen {
    tl_batch batch;
    tl_objective objective;
    double value; /* of the objective */
    int count;
    tl_seen_attention *attention; /* [count] encoder self, decoder self, cross, each by layers */
    tl_model_maps maps;           /* for tl_place_var and tl_place_grad */
} tl_seen;

/* One forward and, unless no_grad, one backward of a batch, on a tape that is reset first and in evaluation mode; gradients of
 * parameters are zeroed first and are there afterwards. options may be NULL. What is seen lives on the tape until it is reset. */
bool tl_look(const tl_model *model, tl_tape *tape, const tl_batch *batch, const tl_look_options *options,
             tl_seen *seen);
const tl_seen_attention *tl_seen_of(const tl_seen *seen, const char *name); /* NULL if there is none */

/* What can be shown of an attention, under the names that the command line has. */
typedef enum tl_quantity {
    TL_SEE_A, /* "A"       weights */
    TL_SEE_S, /* "S"       scores */
    TL_SEE_DA, /* "dA"      dL/dA - Σ_j A_j·dL/dA_j: each row centred by its weights. A constant added to a row of dL/dA
                                changes nothing that follows, so only differences mean something. */
    TL_SEE_DA_RAW,    /* "dA-raw"  dL/dA as it is */
    TL_SEE_DS,        /* "dS"      dL/dS: what training feels */
    TL_SEE_ADA,       /* "AdA"     A∘dL/dA */
    TL_SEE_HEAD_NORM, /* "head-norm" ‖α f(x)‖ */
    TL_SEE_NORM       /* "norm"      ‖Σ_h α_h f_h(x)‖, the same for every head */
} tl_quantity;
enum { TL_QUANTITIES = 8 };
const char *tl_quantity_name(tl_quantity q);    /* NULL if there is none */
const char *tl_quantity_meaning(tl_quantity q); /* a line */
bool tl_quantity_is_grad(tl_quantity q);        /* has it a sign, around 0? */
bool tl_quantity_of(const char *name, tl_quantity *q);
/* One number of it; 0 where the tensor it needs is not there. */
double tl_seen_value(const tl_seen_attention *seen, tl_quantity q, long b, long h, long i, long j);

/* Why a query does not see a key; TL_SEES: it does. */
typedef enum tl_why { TL_SEES, TL_BY_PADDING, TL_BY_CAUSAL, TL_BY_WINDOW, TL_BY_USER } tl_why;
/* Why query i does not see key j (of several reasons the first of this list). */
tl_why tl_why_blocked(const tl_mask *mask, long b, long h, long i, long j, long queries, long keys);
const char *tl_why_text(tl_why why); /* "padding", … ; "" of TL_SEES */

/* ---- sentences: text to a batch, and its rows and columns to names ---- */

/* The tokens of one side of a sentence, as rows or columns of a map. */
typedef struct tl_tokens {
    long count;
    const char **
        text; /* [count] as the vocabulary has them, "<eos>" too; foreign bytes: show them through tl_shown_text */
    int *id;    /* [count]; -1: it has none ([CLS], patches) */
    long *word; /* [count] which word of the line it is part of; -1: of none (<eos>, [CLS], …) */
    long words;
} tl_tokens;
/* A sentence with its tokens: what stands beside the rows and columns of its maps. */
typedef struct tl_sentence {
    const char *source,
        *target; /* lines as they were given, or written by the model; NULL: it has no such side */
    tl_tokens
        src; /* columns and rows of encoder self, columns of cross; of a classifier with [CLS] that comes first */
    tl_tokens read; /* what the decoder reads, tgt_in: columns of decoder self */
    tl_tokens
        written; /* what it then writes, tgt_out: rows of decoder self and cross; of a classifier's pooling its class */
    bool own; /* the target is the model's own */
} tl_sentence;
/* Sentences as a batch and as tokens. Free them with tl_sentences_free. */
typedef struct tl_sentences {
    long count;
    tl_batch batch;
    tl_sentence *sentence; /* [count] */
    /* What an id that the model writes is called; NULL if there is none. */
    const char *(*token)(struct tl_sentences *sentences, int id);
    tl_run *run;
    void *memory; /* all of it; tl_sentences_free */
} tl_sentences;

/* Lines as people write them, whatever the run is for. translate: a source and its translation. lm: source is NULL, target the text.
 * classify: source the text, target its label. caption: source a scene's line, or "#N" for held-out picture N; target its caption.
 * targets NULL, or one of them NULL: what the model says itself (greedily; of lm there must be one). On failure the run's error. */
bool tl_sentences_of(tl_run *run, const char *const *sources, const char *const *targets, long count,
                     tl_sentences *sentences);
void tl_sentences_free(tl_sentences *sentences);
/* Rows (queries) and columns (keys) of an attention of sentence b: which of its tokens they are. */
const tl_tokens *tl_seen_rows(const tl_seen_attention *seen, const tl_sentence *sentence);
const tl_tokens *tl_seen_columns(const tl_seen_attention *seen, const tl_sentence *sentence);

/* What words give of what their tokens do: sums over the columns of a word, means over its rows. from [T,S] to [rows->words,
 * columns->words] (tl_tensor of the caller's, contiguous); rows and columns of no word are left out. */
void tl_words_of(tl_tensor from, const tl_tokens *rows, const tl_tokens *columns, tl_tensor to);

/* A quantity of one head (-1: the mean of all) of sentence b, in the tape's memory: [T,S] of the sentence's own rows and columns,
 * without padding, or with `words` of its words (tl_words_of). Without data, and the tape fails, when out of memory. */
tl_tensor tl_seen_map(const tl_seen_attention *seen, tl_quantity q, long b, long head,
                      const tl_sentence *sentence, bool words, tl_tape *tape);
/* What row i or column j of such a map is called, and why it is blocked (words: if all their tokens are). Words: the text of the tokens side by
 * side, in the tape's memory. */
const char *tl_seen_label(const tl_tokens *tokens, long i, bool words, tl_tape *tape);
tl_why tl_seen_why(const tl_seen_attention *seen, long b, long head, long i, long j,
                   const tl_sentence *sentence, bool words);

/* All that was seen of sentences, as tables: a row a pair with every quantity (of norms what was asked for), blocked pairs with the reason.
 * attention: a pattern of names; NULL: all. False, and a sentence, on failure. */
bool tl_seen_csv(const char *path, const tl_seen *seen, const tl_sentences *sentences, const char *attention,
                 bool words, tl_tape *tape, tl_error *error);
/* The same as tensors "0.decoder.layers.1.cross.dS" [H,T,S], the first number the sentence's; with the tokens, the objective and `command` as
 * metadata. */
bool tl_seen_safetensors(const char *path, const tl_seen *seen, tl_sentences *sentences,
                         const char *attention, bool words, const char *command, tl_tape *tape,
                         tl_error *error);

/* ---- sets: what a model is measured on ---- */

/* Sentences to measure a run on, in batches. It borrows the run. */
typedef struct tl_set tl_set;
/* Which sentences are in a set; NULL is {0}. */
typedef struct tl_set_options {
    const char *
        file; /* of translate a TSV, of lm a text, of classify labelled texts; NULL: what the run is validated on or, where it
                         makes its sentences itself, held-out ones of its test part */
    long
        most; /* at most so many sentences (of lm: windows), the first ones; 0: all, of those made here 1000 */
    long batch_tokens; /* of a batch, padding included; 0: 4096 */
} tl_set_options;
/* NULL, and the run's error, on failure. */
tl_set *tl_set_new(tl_run *run, const tl_set_options *options);
void tl_set_free(tl_set *set);
long tl_set_count(const tl_set *set);       /* sentences */
const char *tl_set_name(const tl_set *set); /* "held-out sentences made here", or the file */
/* The next batch, similar lengths together; false at the end (or on failure: the run's error), and then it begins again. Its arrays
 * belong to the set until the next call. index says which sentences they are. */
bool tl_set_next(tl_set *set, tl_batch *batch);
/* Sentence i as it was given, for tl_sentences_of; NULL: it has no such side. */
const char *tl_set_source(const tl_set *set, long i);
const char *tl_set_target(tl_set *set, long i); /* of lm until the next call */
/* True word alignments of sentence i, where they are known (made here): NULL otherwise. */
const tl_link *tl_set_alignment(const tl_set *set, long i, long *count);
/* Loss (nats a token, without smoothing), accuracy, and with `score` what the run is best by: BLEU, share of right captions or labels
 * (quality->score). What acts on the run (tl_run_act_at) acts here. */
bool tl_set_measure(tl_set *set, bool score, tl_quality *quality);

#ifdef __cplusplus
}
#endif
#endif
