/* The laboratory: every attention weight and every gradient of any run's model, and what changes if a value in it is
 * replaced.
 *
 *     tl_sentences read;                                   the sentences to look at, as a batch and as tokens
 *     tl_seen seen;                                        A, S, dL/dA, dL/dS of every attention
 *     tl_sentences_of(run, &source, NULL, 1, &read);       target NULL: what the model writes itself
 *     tl_look(tl_run_model(run), tl_run_tape(run), &read.batch, NULL, &seen);
 *     const tl_seen_attention *cross = tl_seen_of(&seen, "decoder.layers.1.cross");
 *     tl_print(tl_at(cross->score_grads, 0, 2), stdout);   sentence 0, head 2
 *
 * Looking changes no bit of what is computed. Functions never print. Functions over a run keep their first failure
 * in the run (tl_run_error), functions over a model on its tape. */
#ifndef TAPELOOM_LENS_H
#define TAPELOOM_LENS_H

#include "run.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- places: named values of a model that can be looked at, kept with their gradients, or replaced ----
 *
 * B sentences (rows in a search), H heads, T queries, S keys, layers N from 0.
 *
 *   encoder.embedding, decoder.embedding      [B,T,D] the first layer's input: embeddings (or patches) with positions
 *   encoder.layers.N, decoder.layers.N
 *     .feed_forward                           [B,T,D] the feed-forward's output, which is added to the stream
 *     .residual                               [B,T,D] the stream after the layer
 *   encoder.layers.N.self, decoder.layers.N.self, decoder.layers.N.cross; in classifiers that pool: pooling
 *     .q [B,H,T,·], .k [B,H,S,·]              queries and keys as the score takes them
 *     .v                                      [B,H,S,d_k] values
 *     .scores                                 [B,H,T,S] S, with their bias, before the mask
 *     .pattern                                [B,H,T,S] A, after mask and normaliser, before dropout
 *     .context                                [B,H,T,d_k] each head's context
 *     .out                                    [B,T,D] the attention's output
 *     .residual                               [B,T,D] the stream after that is added
 *
 * Recurrent models have embeddings, their states as encoder.layers.0.residual and decoder.layers.0.residual (the
 * output of each side's last layer; from the decoder's the next word is predicted), and decoder.layers.0.cross
 * without its residual.
 *
 * In a pattern * stands for any text and ? for one character: "decoder.*.cross.pattern", "*.scores". */

/* A place's name, and what the name means. */
typedef struct tl_place_name {
    char text[64];      /* "decoder.layers.1.cross.pattern" */
    char attention[64]; /* "decoder.layers.1.cross"; "": it is a place of the stream */
    tl_place place;
    tl_attention_kind kind; /* of an attention's place */
    tl_stream_side side;    /* of a stream's place */
    int layer;              /* an attention's layer; a stream's depth: 0 the embedding, N+1 after layer N */
} tl_place_name;

/* How many places a model has. */
long tl_place_count(const tl_model *model);
/* Place number i, from 0 to count-1, in order of computation. False if i is outside. */
bool tl_place_at_number(const tl_model *model, long i, tl_place_name *name);
bool tl_place_matches(const char *name, const char *pattern);
/* The name of an attention, "decoder.layers.1.cross"; returns `to`. */
char *tl_attention_name(const tl_model *model, tl_attention_kind kind, int layer, char to[64]);

/* A list of a model's places and what to do at each of them. The model itself does not change. */
typedef struct tl_places tl_places;
tl_places *tl_places_new(const tl_model *model); /* NULL only when out of memory */
void tl_places_free(tl_places *places);
/* The first failure, such as a pattern that matches no place. NULL: none. */
const char *tl_places_error(const tl_places *places);
/* The next three act on every place that matches. False, and an error, if none does. */
/* Keeps the place's gradient after tl_backward. */
bool tl_places_keep(tl_places *places, const char *pattern);
/* Replaces the place's value by f's result; f NULL: no longer. context must outlive the places. */
bool tl_places_replace(tl_places *places, const char *pattern, tl_replacing *f, void *context);
/* Multiplies the context of a head (-1: of all heads) of the matching attentions ("decoder.*.cross") by `factor`. */
bool tl_places_gate(tl_places *places, const char *attention, int head, double factor);
void tl_places_forget(tl_places *places); /* empties the list */

/* Maps that do all this, for tl_model_loss, tl_search and the like. They lie in the tape's memory and hold vars of
 * it, so ask for them anew after every reset. False, and the tape fails, on failure. */
bool tl_places_maps(const tl_places *places, tl_tape *tape, tl_model_maps *maps);
/* The var of a place in maps that a forward has filled; TL_NO_VAR if there is no such place. */
tl_var tl_place_var(const tl_model *model, const tl_model_maps *maps, const char *name);
/* Its gradient after tl_backward; without data if it was not kept. */
tl_tensor tl_place_grad(const tl_model *model, const tl_model_maps *maps, const char *name);

/* Makes the places act in all that a run does from here on: training, losses and searches. NULL: no longer. They
 * must outlive that. */
void tl_run_act_at(tl_run *run, const tl_places *places);

/* ---- what is differentiated ---- */

/* The kind of number that is differentiated. */
typedef enum tl_objective_kind {
    TL_OF_LOSS,  /* the training loss (label-smoothed), summed over the tokens of all sentences */
    TL_OF_NLL,   /* the same without smoothing: -log p of the targets */
    TL_OF_LOG_P, /* log p of one token */
    TL_OF_LOGIT  /* the token's logit, before softmax */
} tl_objective_kind;
/* The number to differentiate. */
typedef struct tl_objective {
    tl_objective_kind kind;
    long sentence, position; /* of the token: the position where it is written, from 0 (classifier: 0) */
    int token;               /* its id, or class; -1: the true one */
    int other;               /* subtract this token's number; -1: no other */
} tl_objective;              /* {0} is the loss; for log p and logit set token and other */

/* The objective as a var of one element, filling maps (may be NULL) on the way. The inert var, and the tape fails,
 * on failure. */
tl_var tl_objective_var(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                        const tl_model_maps *maps, const tl_objective *objective);
/* The objective in words: "log p of "chat" (word 2)", or with its sign: "L = log p of "chat" (word 2); a positive
 * gradient makes it likelier". Without names (NULL) it shows ids. Show the text through tl_shown_text: it may hold
 * foreign bytes. Returns `to`. */
struct tl_sentences;
char *tl_objective_name(const tl_objective *objective, struct tl_sentences *names, char *to, size_t size);
char *tl_objective_text(const tl_objective *objective, struct tl_sentences *names, char *to, size_t size);

/* ---- looking ---- */

/* How to look; {0} or NULL: with gradients of the loss. */
typedef struct tl_look_options {
    tl_objective objective;
    const tl_places *places; /* replaced, gated and kept while looking; NULL: none */
    bool no_grad;            /* no backward: only A, S and contexts */
    bool norms;              /* also the norms of Kobayashi et al. 2020, see tl_seen_attention */
} tl_look_options;

/* One attention of a batch. Tensors lie on the tape. Gradients have no data with no_grad, norms none unless asked
 * for. */
typedef struct tl_seen_attention {
    char name[64];
    tl_attention_kind kind;
    int layer;
    long heads, queries, keys;
    tl_mask mask;           /* the mask in effect, with all its parts; see tl_why_blocked */
    tl_tensor weights;      /* A [B,H,T,S]; exactly 0 where blocked */
    tl_tensor scores;       /* S [B,H,T,S] with their bias, before the mask */
    tl_tensor weight_grads; /* dL/dA [B,H,T,S], raw; where blocked it is dC·v and has no effect */
    /* dL/dS [B,H,T,S] = A∘(dL/dA - Σ A·dL/dA); exactly 0 where blocked; with softmax each row sums to 0 */
    tl_tensor score_grads;
    tl_tensor context, context_grads; /* [B,H,T,d_k] */
    tl_tensor head_norms;             /* ‖α f(x)‖ [B,H,T,S], f(x) = (x·W_V + b_V)·W_O of the head */
    tl_tensor norms;                  /* ‖Σ_h α_h f_h(x)‖ [B,T,S] */
} tl_seen_attention;

/* The result of a look: every attention of a batch. */
typedef struct tl_seen {
    tl_batch batch;
    tl_objective objective;
    double value; /* of the objective */
    int count;
    tl_seen_attention *attention; /* [count] encoder self, decoder self, cross, each by layers */
    tl_model_maps maps;           /* for tl_place_var and tl_place_grad */
} tl_seen;

/* One forward and, unless no_grad, one backward of a batch, in evaluation mode. The tape is reset and the
 * parameters' gradients are zeroed first; afterwards they hold the objective's. options may be NULL. The result
 * lives on the tape until it is reset. */
bool tl_look(const tl_model *model, tl_tape *tape, const tl_batch *batch, const tl_look_options *options,
             tl_seen *seen);
const tl_seen_attention *tl_seen_of(const tl_seen *seen, const char *name); /* NULL if there is none */

/* What can be shown of an attention, with the names used on the command line. */
typedef enum tl_quantity {
    TL_SEE_A, /* "A"       weights */
    TL_SEE_S, /* "S"       scores */
    /* "dA"      dL/dA - Σ_j A_j·dL/dA_j: each row centred by its weights. Adding a constant to a row of dL/dA
     * changes no later
     *           gradient, so only differences within a row mean something. */
    TL_SEE_DA,
    TL_SEE_DA_RAW,    /* "dA-raw"  dL/dA as it is */
    TL_SEE_DS,        /* "dS"      dL/dS: the gradient that reaches queries and keys */
    TL_SEE_ADA,       /* "AdA"     A∘dL/dA */
    TL_SEE_HEAD_NORM, /* "head-norm" ‖α f(x)‖ */
    TL_SEE_NORM       /* "norm"      ‖Σ_h α_h f_h(x)‖, the same for every head */
} tl_quantity;
enum { TL_QUANTITIES = 8 };
const char *tl_quantity_name(tl_quantity q);    /* NULL if there is none */
const char *tl_quantity_meaning(tl_quantity q); /* a line */
bool tl_quantity_is_grad(tl_quantity q);        /* is it signed, centred on 0? */
bool tl_quantity_of(const char *name, tl_quantity *q);
/* One number of a quantity; 0 if the tensor that it needs is missing. */
double tl_seen_value(const tl_seen_attention *seen, tl_quantity q, long b, long h, long i, long j);

/* Why a query does not see a key; TL_SEES: it does. */
typedef enum tl_why { TL_SEES, TL_BY_PADDING, TL_BY_CAUSAL, TL_BY_WINDOW, TL_BY_USER } tl_why;
/* Why query i does not see key j; with several reasons, the first one in this list. */
tl_why tl_why_blocked(const tl_mask *mask, long b, long h, long i, long j, long queries, long keys);
const char *tl_why_text(tl_why why); /* "padding", … ; "" for TL_SEES */

/* ---- sentences: from text to a batch, and names for the rows and columns of its maps ---- */

/* The tokens of one side of a sentence, as rows or columns of a map. */
typedef struct tl_tokens {
    long count;
    /* [count] as in the vocabulary, "<eos>" included; may hold foreign bytes: show them through tl_shown_text */
    const char **text;
    int *id;    /* [count]; -1: none ([CLS], patches) */
    long *word; /* [count] the word of the line that it belongs to; -1: none (<eos>, [CLS], …) */
    long words;
} tl_tokens;
/* A sentence and its tokens, which label the rows and columns of its maps. */
typedef struct tl_sentence {
    /* lines as given, or as the model wrote them; NULL: no such side */
    const char *source, *target;
    /* columns and rows of encoder self, columns of cross; a classifier's [CLS] comes first */
    tl_tokens src;
    tl_tokens read; /* the decoder's input, tgt_in: columns of decoder self */
    /* the decoder's targets, tgt_out: rows of decoder self and cross; for a classifier's pooling the class */
    tl_tokens written;
    bool own; /* the model wrote the target */
} tl_sentence;
/* Sentences as a batch and as tokens. Free them with tl_sentences_free. */
typedef struct tl_sentences {
    long count;
    tl_batch batch;
    tl_sentence *sentence; /* [count] */
    /* The text of an id that the model can write; NULL if there is none. */
    const char *(*token)(struct tl_sentences *sentences, int id);
    tl_run *run;
    void *memory; /* holds all of it */
} tl_sentences;

/* From lines as people write them, whatever the run is for. translate: source and translation. lm: source is NULL,
 * target the text. classify: source the text, target its label. caption: source a scene's line, or "#N" for held-out
 * picture N; target its caption. If targets or one of them is NULL, the model writes it (greedily); lm needs every
 * target. False, and the run's error, on failure. */
bool tl_sentences_of(tl_run *run, const char *const *sources, const char *const *targets, long count,
                     tl_sentences *sentences);
void tl_sentences_free(tl_sentences *sentences);
/* The tokens that label an attention's rows (queries) and columns (keys) in sentence b. */
const tl_tokens *tl_seen_rows(const tl_seen_attention *seen, const tl_sentence *sentence);
const tl_tokens *tl_seen_columns(const tl_seen_attention *seen, const tl_sentence *sentence);

/* From tokens to words: sums over the columns of each word, means over its rows. Takes `from` [T,S] to [rows->words,
 * columns->words] (the caller's tensor, contiguous). Rows and columns that belong to no word are left out. */
void tl_words_of(tl_tensor from, const tl_tokens *rows, const tl_tokens *columns, tl_tensor to);

/* A quantity of one head (-1: the mean of all) in sentence b, in the tape's memory: [T,S] without padding, or with
 * `words` by words (tl_words_of). Without data, and the tape fails, when out of memory. */
tl_tensor tl_seen_map(const tl_seen_attention *seen, tl_quantity q, long b, long head,
                      const tl_sentence *sentence, bool words, tl_tape *tape);
/* What row i or column j of such a map is called, and why a pair is blocked (for words: if all pairs of their tokens
 * are). A word's name is its tokens' text joined, in the tape's memory. */
const char *tl_seen_label(const tl_tokens *tokens, long i, bool words, tl_tape *tape);
tl_why tl_seen_why(const tl_seen_attention *seen, long b, long head, long i, long j,
                   const tl_sentence *sentence, bool words);

/* Writes all that was seen of sentences as a table: a row a pair of query and key, with every quantity (norms if the
 * look had them) and, for blocked pairs, the reason. attention: a pattern of names; NULL: all. False, and a
 * sentence, on failure. */
bool tl_seen_csv(const char *path, const tl_seen *seen, const tl_sentences *sentences, const char *attention,
                 bool words, tl_tape *tape, tl_error *error);
/* Writes the same as tensors "0.decoder.layers.1.cross.dS" [H,T,S], where the first number is the sentence. Tokens,
 * objective and `command` become metadata. */
bool tl_seen_safetensors(const char *path, const tl_seen *seen, tl_sentences *sentences,
                         const char *attention, bool words, const char *command, tl_tape *tape,
                         tl_error *error);

/* ---- sets: sentences that a model is measured on ---- */

/* Sentences to measure a run on, in batches. The run must outlive the set. */
typedef struct tl_set tl_set;
/* Which sentences a set has; NULL is {0}. */
typedef struct tl_set_options {
    /* translate: a TSV; lm: a text; classify: labelled texts. NULL: the validation sentences or, in a run whose
     * sentences are made here, held-out ones of its test part */
    const char *file;
    /* how many sentences (lm: windows) at most, the first ones; 0: all, or 1000 of sentences made here */
    long most;
    long batch_tokens; /* of a batch, padding included; 0: 4096 */
} tl_set_options;
/* NULL, and the run's error, on failure. */
tl_set *tl_set_new(tl_run *run, const tl_set_options *options);
void tl_set_free(tl_set *set);
long tl_set_count(const tl_set *set);       /* sentences */
const char *tl_set_name(const tl_set *set); /* "held-out sentences made here", or the file */
/* The next batch, of sentences of similar length. False at the end, after which the set begins again, and on failure
 * (the run's error). The batch's arrays belong to the set until the next call; its index says which sentences they
 * are. */
bool tl_set_next(tl_set *set, tl_batch *batch);
/* Sentence i as it was given, for tl_sentences_of; NULL: it has no such side. */
const char *tl_set_source(const tl_set *set, long i);
const char *tl_set_target(tl_set *set, long i); /* of lm valid until the next call */
/* True word alignments of sentence i; NULL if they are not known (they are for sentences made here). */
const tl_link *tl_set_alignment(const tl_set *set, long i, long *count);
/* Loss (nats a token, without smoothing), accuracy and, with `score`, the run's score (quality->score): BLEU, or the
 * percentage of right captions or labels. What acts on the run (tl_run_act_at) acts here too. */
bool tl_set_measure(tl_set *set, bool score, tl_quality *quality);

#ifdef __cplusplus
}
#endif
#endif
