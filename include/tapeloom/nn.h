/* Parameters and layers. models.h builds whole models from them.
 *
 * A layer is a small struct of parameter handles. tl_<layer>_init(params, name, &config) makes one; functions take a
 * pointer to it. A layer is never freed by itself: its memory belongs to the parameter set. tl_<layer>_forward enters
 * the scope of the layer's full name. Parameters have the names and shapes of torch.nn.Transformer's state_dict.
 *
 * In a config, 0 means the documented default. Where 0 is itself a useful value (dropout), 0 is the default. A config
 * value out of range (a size below 1, a dropout of 1, NaN) fails the set with a message that names the layer. The init
 * then still returns a layer, and every tape that uses it fails with the same message. A forward that gets a wrong
 * shape, or a layer that was never made, fails the tape and returns the tape's inert var.
 *
 * A forward copies the ids, lengths and masks that it is given: they may change or be freed once it has returned. Its
 * result lives on the tape until tl_tape_reset. */
#ifndef TAPELOOM_NN_H
#define TAPELOOM_NN_H

#include "autograd.h"
#include "ops.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- parameters ---- */

/* A set of parameters, and what is made on it: layers and models. */
typedef struct tl_params tl_params;

/* A named tensor that is learnt, and its gradient. It belongs to its set and is freed with the set. */
typedef struct tl_param {
    tl_leaf leaf; /* name, value, gradient, frozen */
    tl_params *set;
    int group; /* which options of an optimiser apply to it; 0 at first */
} tl_param;

/* The initial values of a parameter. fan_in and fan_out are the sizes of the weight's input and output. */
typedef enum tl_init_kind {
    TL_INIT_DEFAULT, /* the layer's own choice, which the layer's comment states; for tl_params_add: zeros */
    TL_INIT_ZEROS,
    TL_INIT_ONES,
    TL_INIT_NORMAL,  /* normal, mean 0, standard deviation `scale` (default 0.02) */
    TL_INIT_UNIFORM, /* uniform in [-scale, scale) (default 0.1) */
    /* uniform in [-b, b), b = scale·√(6 / (fan_in + fan_out)) (scale default 1); Glorot & Bengio 2010, equation 16 */
    TL_INIT_XAVIER
} tl_init_kind;
/* Kind and scale of a parameter's initial values; {0} is the layer's own choice. */
typedef struct tl_init {
    tl_init_kind kind;
    double scale; /* 0 = the kind's default */
} tl_init;

/* A new, empty set. Element `index` of parameter `name` is drawn from (seed, name, index) alone: the order in which
 * parameters are made does not matter. NULL when out of memory. The caller frees it with tl_params_free. */
tl_params *tl_params_new(uint64_t seed);
/* A set whose values will come from elsewhere, usually a file. Nothing is drawn: every value is 0. The set counts as
 * empty until tl_params_changed is called. NULL when out of memory. */
tl_params *tl_params_new_empty(void);
/* Does the set still wait for its values? False for NULL. */
bool tl_params_empty(const tl_params *params);
/* Frees the set, its parameters, and the memory of every layer and model made in it. NULL does nothing. */
void tl_params_free(tl_params *params);
/* The set's first failure, or NULL. The text lives as long as the set. */
const char *tl_params_error(const tl_params *params);
/* Makes a new parameter. The name is copied. A name that exists already, an empty shape, or no memory fails the set;
 * the result is then a parameter that fails every tape that uses it. NULL only if params is NULL. */
tl_param *tl_params_add(tl_params *params, const char *name, tl_shape shape, tl_init init);
/* A guard is asked about each new parameter before its memory is taken. If it returns false and writes a message into
 * *error, the set fails and nothing more is made. A loader uses one so that a config from an unknown source cannot ask
 * for more memory than its file of weights can fill (tl_params_expect, io.h). */
typedef bool tl_params_guard(void *context, const char *name, tl_shape shape, tl_error *error);
/* Sets the guard for all parameters that are added from now on. NULL: no guard. */
void tl_params_set_guard(tl_params *params, tl_params_guard *guard, void *context);
/* For layers: fails the set with this message, unless it has failed before. Returns false. */
bool tl_params_fail(tl_params *params, const char *format, ...) TL_PRINTF(2, 3);
/* How many parameters the set has; 0 for NULL. */
int tl_params_count(const tl_params *params);
/* Parameter number `index` in order of creation; NULL if there is none. */
tl_param *tl_params_at(const tl_params *params, int index);
/* The parameter of that name; NULL if there is none. */
tl_param *tl_params_find(const tl_params *params, const char *name);
/* How many elements all parameters have together. */
long tl_params_numel(const tl_params *params);
/* Zeroed memory that lives as long as the set: for a layer's arrays. NULL, and the set fails, when out of memory. */
void *tl_params_memory(tl_params *params, size_t bytes);
/* A formatted text that lives as long as the set: for a layer's names. Never NULL: when out of memory the set fails,
 * and the text says so. */
const char *tl_params_text(tl_params *params, const char *format, ...) TL_PRINTF(2, 3);

/* The parameter as a var of this tape. Using it again in the same step returns the same node. The tape fails if the
 * parameter's set has failed. */
tl_var tl_use(tl_tape *tape, tl_param *p);
/* The parameter's value. The tensor points to the set's own memory; call tl_params_changed after writing to it. */
tl_tensor tl_param_value(const tl_param *p);
/* The parameter's gradient, in the set's own memory; zeros if no backward has reached it since tl_zero_grad. */
tl_tensor tl_param_grad(tl_param *p);
/* To be called after values were written by hand. A backward over the old values is then refused. */
void tl_params_changed(tl_params *params);
/* Sets every gradient to 0: the next backward starts from 0. */
void tl_zero_grad(tl_params *params);
/* Freezes, or unfreezes, every parameter whose name begins with prefix ("": all). A frozen parameter gets no gradient.
 * Returns the number of parameters that matched. */
int tl_freeze(tl_params *params, const char *prefix, bool frozen);
/* Sets the optimiser group of every parameter whose name begins with prefix. Returns the number that matched. */
int tl_set_group(tl_params *params, const char *prefix, int group);
/* The same for names that end with suffix: "bias" keeps biases out of weight decay. */
int tl_set_group_suffix(tl_params *params, const char *suffix, int group);
/* Checks the gradient of every parameter that is not frozen against finite differences. f runs the model and returns
 * any var; its second argument is not used. False if a gradient is wrong; report (may be NULL) then says which. */
bool tl_gradcheck_params(tl_params *params, tl_var (*f)(tl_tape *tape, const tl_var *unused, void *data),
                         void *data, const tl_gradcheck_options *options, tl_gradcheck_report *report);

/* ---- Linear: y = x·Wᵀ + b.  weight W [out,in] (Xavier), bias b [out] (zeros) ---- */

/* Sizes of a linear layer. */
typedef struct tl_linear_config {
    long in, out;
    bool no_bias;
    tl_init init; /* of the weight */
} tl_linear_config;
/* A linear layer; bias is NULL with no_bias. */
typedef struct tl_linear_layer {
    const char *name;
    tl_param *weight, *bias;
} tl_linear_layer;
/* Makes the parameters <name>.weight and <name>.bias. */
tl_linear_layer tl_linear_init(tl_params *params, const char *name, const tl_linear_config *config);
/* x [...,in] to [...,out]. */
tl_var tl_linear_forward(const tl_linear_layer *layer, tl_var x);

/* ---- Embedding: weight [vocab,d_model], normal with standard deviation d_model^-0.5 ---- */

/* Sizes of an embedding. */
typedef struct tl_embedding_config {
    long vocab, d_model;
    tl_init init;
} tl_embedding_config;
/* An embedding: a row of weights for each id. */
typedef struct tl_embedding_layer {
    const char *name;
    tl_param *weight;
} tl_embedding_layer;
/* Makes the parameter <name>.weight. */
tl_embedding_layer tl_embedding_init(tl_params *params, const char *name, const tl_embedding_config *config);
/* Row ids[i] of the weight for each of the ids, which have the given shape: the result is [shape,d_model]. Rows are not
 * scaled; a Transformer multiplies them by √d_model itself. An id outside 0 … vocab-1 fails the tape. */
tl_var tl_embedding_forward(const tl_embedding_layer *layer, tl_tape *tape, const int *ids, tl_shape shape);

/* ---- positions: vectors that are added to the embeddings of positions from, from+1, … ----
 * Sinusoidal (Vaswani et al. 2017, 3.5): PE(pos,2i) = sin(pos / 10000^(2i/d)), PE(pos,2i+1) = cos(pos / 10000^(2i/d)).
 * Learned: weight [max_len,d_model], normal with standard deviation d_model^-0.5. */

/* How a model is told the position of a word. */
typedef enum tl_position_kind {
    /* added to embeddings (tl_positions): */
    TL_SINUSOIDAL,
    TL_LEARNED,
    TL_NO_POSITIONS, /* nothing is added */
    /* given to self-attention as distances (tl_distances): */
    TL_ALIBI,
    TL_SIGNED_ALIBI,
    TL_RELATIVE,
    TL_ROTARY
} tl_position_kind;
/* "sinusoidal", "learned", …; NULL for a number that is no kind. */
const char *tl_position_kind_text(tl_position_kind kind);
/* The kind of positions that are added, and how many there are. */
typedef struct tl_positions_config {
    tl_position_kind kind; /* TL_SINUSOIDAL, TL_LEARNED or TL_NO_POSITIONS */
    long max_len, d_model; /* max_len default 1024 */
    tl_init init;          /* of the learned weight; its default is stated above */
} tl_positions_config;
/* Positions that are added to embeddings. */
typedef struct tl_positions {
    const char *name;
    tl_position_kind kind;
    long max_len, d_model;
    tl_param *weight;     /* TL_LEARNED; else NULL */
    const double *angles; /* TL_SINUSOIDAL: sines and cosines of some positions (positions.c); else NULL */
} tl_positions;
/* TL_LEARNED makes the parameter <name>.weight; the other kinds make none. */
tl_positions tl_positions_init(tl_params *params, const char *name, const tl_positions_config *config);
/* The vectors of positions from … from+count-1: [count,d_model]. The tape fails if a position is max_len or
 * more, and for TL_NO_POSITIONS. */
tl_var tl_positions_forward(const tl_positions *layer, tl_tape *tape, long from, long count);

/* ---- distances: positions that each self-attention layer uses directly; nothing is added to embeddings ----
 * The distance from a query at position i to a key at position j is j - i. Sentences may be longer than those seen in
 * training.
 *
 *   alibi          adds -m·|j - i| to the scaled score, with slope m = 2^(-8h/H) for head h of 1 … H  Press et al. 2022
 *                  The sign of j - i is lost: use it where a query sees only earlier keys (a causal mask).
 *   signed-alibi   the same with two slopes a head, for attention that sees both sides: keys after the query have
 *                  m = 2^(-8(h-½)/H) in odd heads, keys before the query in even heads               (ours)
 *   relative       adds weight[h,bucket], which is learnt: weight [H,buckets], normal (0.02)   Raffel et al. 2020, 2.1
 *                  On each side, half of the buckets hold one distance each. The other half hold ranges that grow up to
 *                  max_distance; the last bucket also holds every longer distance. Because the bias has a gradient,
 *                  attention computes step by step.
 *   rotary         rotates queries and keys by their positions (tl_rotary)                            Su et al. 2021 */

/* The kind of distances, and its numbers. */
typedef struct tl_distances_config {
    tl_position_kind kind; /* one of the four kinds above */
    int heads;
    bool one_sided; /* relative: every bucket is for keys up to the query; for a decoder */
    int buckets;    /* relative: number of buckets; half of them for each side unless one_sided; default 32 */
    long max_distance; /* relative: default 128 */
    double base;       /* rotary: base of the frequencies; default 10000 */
} tl_distances_config;
/* Distances, to be given to tl_attention_config.distances. */
typedef struct tl_distances {
    const char *name; /* NULL: none */
    tl_position_kind kind;
    int heads;
    bool one_sided;
    int buckets;
    long max_distance;
    double base;
    tl_param *weight;
} tl_distances;
/* TL_RELATIVE makes the parameter <name>.weight; the other kinds make none. */
tl_distances tl_distances_init(tl_params *params, const char *name, const tl_distances_config *config);
/* The bias that is added to the scores, [1,H,queries,keys]. The queries are the last ones of the `keys` positions. All
 * kinds have one except rotary, for which the tape fails. */
tl_var tl_distances_bias(const tl_distances *distances, tl_tape *tape, long queries, long keys);
/* The bucket, 0 … buckets-1, of a key at this distance from its query (negative: before the query), as in T5's code. */
int tl_distance_bucket(long distance, bool one_sided, int buckets, long max_distance);

/* ---- LayerNorm over the last axis (Ba et al. 2016): weight [d] ones, bias [d] zeros; eps default 1e-5 ---- */

/* Sizes of a layer norm. */
typedef struct tl_layer_norm_config {
    long d_model;
    double eps;
    bool no_bias;
} tl_layer_norm_config;
/* A layer norm; bias is NULL with no_bias. */
typedef struct tl_layer_norm_layer {
    const char *name;
    tl_param *weight, *bias;
    double eps;
} tl_layer_norm_layer;
/* Makes the parameters <name>.weight and <name>.bias. */
tl_layer_norm_layer tl_layer_norm_init(tl_params *params, const char *name,
                                       const tl_layer_norm_config *config);
/* x [...,d] to the same shape: (x - mean) / √(variance + eps) · weight + bias, with mean and variance over the last
 * axis. */
tl_var tl_layer_norm_forward(const tl_layer_norm_layer *layer, tl_var x);

/* ---- feed-forward: linear2(dropout(activation(linear1(x)))) ---- */

/* The function between the two linear maps: tl_relu, tl_gelu or tl_gelu_tanh. */
typedef enum tl_activation { TL_RELU, TL_GELU, TL_GELU_TANH } tl_activation;
/* Sizes of a feed-forward: d_model is its input and its output, d_ff its inner width. */
typedef struct tl_ffn_config {
    long d_model, d_ff;
    tl_activation activation;
    double activation_dropout;
    bool no_bias;
} tl_ffn_config;
/* A feed-forward: the same two linear maps at every position (Vaswani et al. 2017, 3.3). */
typedef struct tl_ffn_layer {
    const char *name;
    tl_linear_layer linear1, linear2;
    tl_activation activation;
    double dropout;
} tl_ffn_layer;
/* Makes the parameters <name>.linear1.* (weight [d_ff,d_model]) and <name>.linear2.* (weight [d_model,d_ff]). */
tl_ffn_layer tl_ffn_init(tl_params *params, const char *name, const tl_ffn_config *config);
/* x [...,d_model] to the same shape. There is dropout in training only. */
tl_var tl_ffn_forward(const tl_ffn_layer *layer, tl_var x);

/* ---- attention between any two sequences, one head or many (Vaswani et al. 2017, 3.2) ----
 *
 * Queries q come from x, keys k and values v from memory. A score says how well a key matches a query. A normaliser
 * turns the scores of a query into weights. Each head returns the sum of the values under these weights. d_k is the
 * width of a head, H the number of heads.
 *
 *   score                                      parameters of the score
 *   scaled-dot   q·k / √d_k                    none                                    Vaswani et al. 2017, 3.2.1
 *   dot          q·k                           none                                    Luong et al. 2015, 3.1
 *   general      qᵀ·W·k                        score_weight W [H,d_q,d_k]              Luong et al. 2015, 3.1
 *   additive     wᵀ·tanh(A·q + B·k + b)        score_query_weight A [H,d_score,d_q],
 *                                              score_key_weight B [H,d_score,d_k],
 *                                              score_bias b, score_weight w [H,d_score]
 *                                                                                      Bahdanau et al. 2015, A.1.2
 *   cosine       e^s·√d_k · q·k / (|q|·|k|)    score_log_scale s [H], zeros: the temperature is 1 / (e^s·√d_k). Norms
 *                                              below 1e-8 count as 1e-8                Henry et al. 2020; log scale:
 *                                                                                      Liu et al. 2022 (Swin V2)
 *   uniform      0                             none, and no queries or keys: all visible keys weigh the same. A control
 *                                              for experiments                         Wiegreffe & Pinter 2019, 3.1
 *
 * The projections have torch.nn.MultiheadAttention's names. in_proj_weight [3·d_model,d_model] (Xavier over the packed
 * matrix) holds the rows for queries, then keys, then values. If memory has another width, there are instead
 * q_proj_weight [d_model,d_model], k_proj_weight and v_proj_weight [d_model,d_memory]. in_proj_bias [3·d_model] and
 * out_proj.bias are zeros at first. The uniform score has only v_proj_weight and v_proj_bias [d_model]. The weights of
 * scores are uniform with Xavier's bound for one head's matrix. */

/* How well a key matches a query; the table above has the formulas. */
typedef enum tl_score { TL_SCALED_DOT, TL_DOT, TL_GENERAL, TL_ADDITIVE, TL_COSINE, TL_UNIFORM } tl_score;
/* How a row of scores becomes a row of weights. */
typedef enum tl_normaliser {
    TL_SOFTMAX, /* keys compete: the weights sum to 1 */
    /* each key by itself: 1 / (1 + e^-score), as in Ramapuram et al. 2025 but without their bias; with TL_UNIFORM ½ */
    TL_SIGMOID
} tl_normaliser;

/* Sizes and kind of an attention; with .d_model and .heads alone it is the paper's multi-head attention. */
typedef struct tl_attention_config {
    long d_model;
    int heads;
    /* Width of a head; 0 means d_model / heads, and heads must divide d_model. If given, heads may be any number, also
     * 0, as in a model whose heads have been pruned (tl_prune, prune.h): in_proj_weight is then [3·heads·d_k,d_model]
     * and out_proj.weight [d_model,heads·d_k]. With 0 heads the output is out_proj.bias, the only parameter. */
    long d_k;
    bool head_gates;          /* a learnt gate for each head, see tl_hard_concrete */
    double attention_dropout; /* on the weights */
    bool no_bias;
    tl_score score;
    tl_normaliser normaliser;
    long d_memory; /* width of memory; 0 means d_model */
    long d_score;  /* additive: width inside the tanh, per head; 0 means d_model / heads */
    long window;   /* a query sees only keys up to this distance, see tl_mask; 0: no limit */
    /* For self-attention only; NULL: none. The struct is copied; layers that get the same one share its weight. rotary
     * needs an even d_k and a score that is a product (not additive, not uniform); alibi needs a causal mask. */
    const tl_distances *distances;
    /* No projections: x serves as queries, memory as keys and values, both split into heads. The output is the heads'
     * contexts side by side, [B,T,d_memory]. For recurrent models, which attend to states. */
    bool unprojected;
} tl_attention_config;
/* An attention layer. Parameters that its kind does not have are NULL. */
typedef struct tl_attention_layer {
    const char *name;
    tl_param *in_proj_weight, *in_proj_bias;
    tl_param *q_proj_weight, *k_proj_weight, *v_proj_weight, *v_proj_bias;
    tl_param *score_weight, *score_query_weight, *score_key_weight, *score_bias, *score_log_scale;
    tl_param *head_gate; /* log α [H]; NULL: heads have no gates */
    tl_linear_layer out_proj;
    long d_model, d_memory, d_k;
    int heads;
    double dropout;
    tl_score score;
    tl_normaliser normaliser;
    long window;
    tl_distances distances;
    bool unprojected;
} tl_attention_layer;

/* Places in a model where a caller can put other values. R is the number of rows: sentences or, in a search,
 * hypotheses. */
typedef enum tl_place {
    /* in an attention: */
    TL_PLACE_SCORES,  /* [R,H,T,S] before the mask */
    TL_PLACE_PROBS,   /* [R,H,T,S] before dropout; a value put at a masked key is used */
    TL_PLACE_CONTEXT, /* [R,H,T,d_k] after learnt gates (head_gates), before the gate in tl_attention_maps */
    TL_PLACE_OUTPUT,  /* [R,T,d_model] the output of the attention */
    /* [R,T,d_model] the residual sum x + output, before the norm of a post-norm layer; only where the attention is part
     * of an encoder or decoder layer */
    TL_PLACE_RESIDUAL,
    TL_PLACE_Q, /* [R,H,T,·] queries as the score takes them: projected, prepared for the score, rotated by rotary */
    TL_PLACE_K, /* [R,H,S,·] keys, the same */
    TL_PLACE_V, /* [R,H,S,d_k] values */
    /* in the residual stream of an encoder or decoder: */
    TL_PLACE_FEED_FORWARD, /* [R,T,D] the output of a layer's feed-forward */
    TL_PLACE_STREAM        /* [R,T,D] the input of the first layer, or the output of a layer */
} tl_place;
/* How many places an attention has, and how many the stream has. */
enum { TL_PLACES = 8, TL_STREAM_PLACES = 2 };
/* Which part of a batch a replacing function is asked for. */
typedef struct tl_place_at {
    tl_place place;
    /* The position of the first query or, in the stream, of the first vector: 0, or in a search the number of positions
     * read before. For keys and values the same in self-attention, else 0. */
    long from;
    long each;             /* rows per sentence, side by side: 1 (0 means 1), in a search the beam */
    const long *sentences; /* [R / each] number in the batch of each sentence; NULL: 0, 1, … */
} tl_place_at;
/* Returns what takes the place of x: a var of the same tape and shape. Gradients flow through that var, and to x if the
 * function used x. */
typedef tl_var tl_replacing(tl_var x, const tl_place_at *at, void *context);
/* A replacing function and its context. */
typedef struct tl_replacement {
    tl_replacing *f; /* NULL: none */
    void *context;
} tl_replacement;

/* The inner values of an attention, to look at and to change, for B sentences, H heads, T queries, S keys. Fields
 * marked "in" are set by the caller, the others by the forward. {0} changes nothing. Without maps nothing is kept. */
typedef struct tl_attention_maps {
    bool keep_grad; /* in: keep the gradients of scores, probs and context for tl_attention_grad */
    unsigned keep;  /* in: keep the gradients of these places too: bits 1u << place */
    /* in: [H] factor of each head's context. Left out: 1; a factor of 1 changes no bit. The gradient of a variable
     * given here says how the loss changes with a head's weight (Michel et al. 2019 use its size as the head's
     * importance). */
    tl_var gate;
    tl_replacement replace[TL_PLACES]; /* in */
    tl_place_at at;                    /* in: set by searches; {0} for a batch */
    tl_var scores;                     /* [B,H,T,S] with their bias, before the mask */
    tl_var probs;                      /* [B,H,T,S] after mask and normaliser, before dropout */
    tl_var context;                    /* [B,H,T,d_k] probs·v of each head */
    tl_var output, residual;           /* [B,T,d_model]; see tl_place */
    tl_var q, k, v;                    /* [B,H,T or S,·]; with the uniform score q and k are TL_NO_VAR */
    /* The whole mask, with the layer's window. Its arrays live on the tape. With `step`, the mask of the first step. */
    tl_mask mask;
    const tl_attention_layer *layer; /* the attention that filled these maps */
    /* [T] the maps of each single step (T = 1 in each), where a decoder computes step by step; else NULL. The maps
     * above are then copies put together from the steps, and the loss does not depend on them. */
    const struct tl_attention_maps *step;
} tl_attention_maps;
/* The gradient at a place after tl_backward, in the shape of its map: tl_grad of the map or, with `step`, the gradients
 * of all steps put together in the tape's memory. A tensor without data if the gradient was not kept or did not
 * arrive. */
tl_tensor tl_attention_grad(const tl_attention_maps *maps, tl_place place);

/* The residual stream of an encoder or decoder at one depth: depth 0 is the input of the first layer, depth l+1 the
 * output of layer l. Fields marked "in" are set by the caller. */
typedef struct tl_stream_maps {
    unsigned keep;                            /* in: keep the gradients of these places: bits 1u << place */
    tl_replacement replace[TL_STREAM_PLACES]; /* in: index place - TL_PLACE_FEED_FORWARD */
    tl_place_at at;                           /* in: set by searches; {0} for a batch */
    tl_var feed_forward; /* [B,T,D] before dropout; TL_NO_VAR at depth 0 and in layers without feed-forward */
    tl_var stream;       /* [B,T,D] depth 0: embeddings with their positions; else the layer's output */
} tl_stream_maps;

/* [from, to) on one axis. {0,0} is the whole axis; to 0 means up to its end. */
typedef struct tl_range {
    long from, to;
} tl_range;
/* A part of a place, as ranges. Ranges of axes that the place does not have are ignored. */
typedef struct tl_replaced {
    tl_range sentences, heads, positions, keys;
} tl_replaced;
/* For use in a tl_replacing: a var that is the replacement inside these ranges and the original outside. sentences are
 * numbers in the batch, positions are those of queries in their sentence. The replacement has the original's shape or
 * broadcasts to it. It is made by tl_where: a NaN of one side does not reach the other's part. where NULL:
 * everywhere. */
tl_var tl_replace_where(tl_var original, tl_var replacement, const tl_place_at *at, const tl_replaced *where);

/* Makes the parameters <name>.in_proj_weight and so on, as listed above. */
tl_attention_layer tl_attention_init(tl_params *params, const char *name, const tl_attention_config *config);
/* Queries from x [B,T,d_model], keys and values from memory [B,S,d_memory]; memory = x is self-attention. Returns
 * [B,T,d_model]. mask NULL: every query sees every key. maps may be NULL.
 *
 * With maps every step is an operation of its own. Without maps, if the score is a product and the normaliser is
 * softmax, one fused operation does all of it, with the same bits.
 *
 * Positions of memory that the mask hides from every query change no result, even if they hold NaN; their own gradient
 * is exactly 0. Encoder and decoder layers read values that are not finite as 0 at positions from key_lengths on. */
tl_var tl_attention_forward(const tl_attention_layer *layer, tl_var x, tl_var memory, const tl_mask *mask,
                            tl_attention_maps *maps);
/* The same with a bias [B|1,H|1,T|1,S|1], which is added to the scaled scores before mask and normaliser. It must be
 * finite: use the mask to hide keys. A constant bias costs little; with a bias that needs a gradient, every step is an
 * operation. */
tl_var tl_attention_forward_biased(const tl_attention_layer *layer, tl_var x, tl_var memory, tl_var bias,
                                   const tl_mask *mask, tl_attention_maps *maps);

/* ---- gates that learn to close heads: hard concrete ----
 * Louizos et al. 2018, equations 10 to 12; for heads Voita et al. 2019, 4.1.
 *
 * A head's context is multiplied by its gate g. The parameter is <attention>.head_gate.log_alpha [H]:
 *
 *     s = σ((ln u - ln(1-u) + log α) / β) in training, σ(log α) elsewhere;   g = clip(s·1.2 - 0.1, 0, 1);   β = 0.33
 *
 * u is drawn from (0, 1) with the keys of dropout, once per head for all sentences of a batch. g can be exactly 0. The
 * probability that g is not 0 is σ(log α - β·ln(0.1 / 1.1)); its sum over all heads, times a factor, is added to the
 * loss. Gates start at log α = TL_HEAD_GATE_BEGINS. Without noise g is then 1: adding gates to a model does not change
 * its results. */

/* The initial log α of every gate. */
#define TL_HEAD_GATE_BEGINS 3.0
/* log_alpha [H] to gates g [H]. u [H], each in (0, 1), is the noise of training; NULL: no noise, s = σ(log α). A u
 * outside fails the tape. */
tl_var tl_hard_concrete(tl_var log_alpha, const double *u);
/* log_alpha [H] to the probability that each gate is not 0 in training, [H]. */
tl_var tl_hard_concrete_open(tl_var log_alpha);

/* ---- recurrent layers: GRU and LSTM ----
 * GRU: Cho et al. 2014. LSTM: Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000.
 *
 * Formulas, names and shapes are those of torch.nn.GRU and torch.nn.LSTM. Let i be `in` for layer 0 and
 * hidden·directions for the others, and G the number of gates, which are stacked by rows: 3 (GRU: r, z, n) or 4 (LSTM:
 * i, f, g, o). Layer n has
 *     weight_ih_l<n> [G·hidden,i], weight_hh_l<n> [G·hidden,hidden], bias_ih_l<n> [G·hidden], bias_hh_l<n> [G·hidden]
 * all uniform in ±1/√hidden. The reverse direction has the same with `_reverse` after the name. <layer name>. stands
 * before each of these, unless the layer's name is "". */

/* The kind of cell. A GRU has 3 gates. An LSTM has 4, and a second state c. */
typedef enum tl_recurrent_kind { TL_GRU, TL_LSTM } tl_recurrent_kind;
/* Sizes of a recurrent network of one layer or more. */
typedef struct tl_recurrent_config {
    tl_recurrent_kind kind;
    long in, hidden;
    int layers; /* default 1 */
    /* Each layer also reads each sentence from its end to its beginning. The outputs of both directions stand side by
     * side. */
    bool bidirectional;
    double dropout; /* between layers: on the output of each layer but the last */
    bool no_bias;
    /* Computes each gate with operations of its own, to look at; slower, same bits. */
    bool by_steps;
} tl_recurrent_config;
/* The weights of one layer in one direction. Biases are NULL with no_bias. */
typedef struct tl_recurrent_weights {
    tl_param *weight_ih, *weight_hh, *bias_ih, *bias_hh;
} tl_recurrent_weights;
/* A recurrent network. */
typedef struct tl_recurrent_layer {
    const char *name;
    tl_recurrent_kind kind;
    long in, hidden;
    int layers, directions; /* directions 1 or 2 */
    double dropout;
    bool by_steps;
    tl_recurrent_weights *weights; /* [layers·directions]: layer 0, layer 0 reverse, layer 1, … */
} tl_recurrent_layer;
/* The states of all layers and directions, in the order of `weights`. They are vars of a tape: gradients flow through
 * them, and the tape owns them. */
typedef struct tl_recurrent_state {
    tl_var h; /* [layers·directions,B,hidden] */
    tl_var c; /* the same shape: an LSTM's cell states. For a GRU: not read, and TL_NO_VAR in a result. */
} tl_recurrent_state;

/* Makes the weights and biases of all layers and directions. */
tl_recurrent_layer tl_recurrent_init(tl_params *params, const char *name, const tl_recurrent_config *config);
/* Reads x [B,T,in], T at least 1. Returns the output of the last layer at each step, [B,T,hidden·directions], with the
 * forward direction's part first.
 *
 * lengths [B], each in 1 … T; NULL: all are T. Steps from a sentence's length on are padding, which is not read: the
 * states stay as they are, the reverse direction starts at the sentence's last real step, and both the output and x's
 * gradient are 0 there, even where x is NaN (as with PyTorch's packed sequences).
 *
 * initial: the states before the first step; NULL: zeros. *last (last may be NULL) receives the states after the last
 * real step of each sentence; for the reverse direction, after its first step. initial and last may point to the same
 * struct.
 *
 * A shape or length that does not fit fails the tape, and the result is inert. */
tl_var tl_recurrent_forward(const tl_recurrent_layer *layer, tl_var x, const int *lengths,
                            const tl_recurrent_state *initial, tl_recurrent_state *last);
/* One step of a network with one direction, as a decoder needs it. Reads x [B,in] and returns the state after it. state
 * NULL: zeros. The same bits as one step of tl_recurrent_forward; dropout draws other random numbers. */
tl_recurrent_state tl_recurrent_step(const tl_recurrent_layer *layer, tl_var x,
                                     const tl_recurrent_state *state);
/* The last output of the last layer, both directions side by side: [B,hidden·directions]. After tl_recurrent_step this
 * is the output of the step. */
tl_var tl_recurrent_top(const tl_recurrent_layer *layer, const tl_recurrent_state *state);

/* ---- encoder and decoder layers; post-norm as in the paper, or pre-norm ---- */

/* Sizes of one encoder or decoder layer. */
typedef struct tl_block_config {
    long d_model, d_ff;
    int heads;
    tl_activation activation;
    bool pre_norm;
    double norm_eps;
    double dropout; /* on the output of each sub-layer */
    double attention_dropout, activation_dropout;
    bool no_bias;
    tl_score score;                /* of every attention */
    tl_normaliser normaliser;      /* of every attention */
    long window;                   /* of self-attention; 0: none */
    const tl_distances *distances; /* of self-attention; NULL: none */
    /* How many heads each attention keeps, where some have been pruned; a head is d_model / heads wide. For a stack an
     * array with one entry per layer. NULL: all heads. */
    const int *self_heads, *cross_heads;
    bool head_gates; /* see tl_hard_concrete */
} tl_block_config;

/* An encoder layer: self-attention, then feed-forward, each with dropout, residual and norm. */
typedef struct tl_encoder_layer {
    const char *name;
    tl_attention_layer self_attn;
    tl_ffn_layer feed_forward;
    tl_layer_norm_layer norm1, norm2;
    bool pre_norm;
    double dropout;
} tl_encoder_layer;
/* Makes the parameters <name>.self_attn.*, <name>.linear1.*, <name>.linear2.*, <name>.norm1.* and <name>.norm2.*. */
tl_encoder_layer tl_encoder_layer_init(tl_params *params, const char *name, const tl_block_config *config);
/* x [B,S,d_model] to the same shape. mask and maps may be NULL.
 *
 *     post-norm (the paper)   x = norm1(x + drop(attn(x)));  x = norm2(x + drop(ff(x)))
 *     pre-norm                x = x + drop(attn(norm1(x)));  x = x + drop(ff(norm2(x))) */
tl_var tl_encoder_layer_forward(const tl_encoder_layer *layer, tl_var x, const tl_mask *mask,
                                tl_attention_maps *maps);

/* A decoder layer: self-attention, attention to the encoder's output, feed-forward, each with dropout, residual and
 * norm. */
typedef struct tl_decoder_layer {
    const char *name;
    tl_attention_layer self_attn, multihead_attn; /* the second attends to the encoder's output */
    tl_ffn_layer feed_forward;
    tl_layer_norm_layer norm1, norm2, norm3;
    bool pre_norm;
    double dropout;
} tl_decoder_layer;
/* Makes the parameters <name>.self_attn.*, <name>.multihead_attn.*, <name>.linear1.*, <name>.linear2.* and
 * <name>.norm1.* to <name>.norm3.*. */
tl_decoder_layer tl_decoder_layer_init(tl_params *params, const char *name, const tl_block_config *config);
/* x [B,T,d_model] to the same shape; memory [B,S,d_model] is the encoder's output. self_mask (usually causal) is for
 * the decoder's own positions, memory_mask for the positions of memory. Masks and maps may be NULL. */
tl_var tl_decoder_layer_forward(const tl_decoder_layer *layer, tl_var x, tl_var memory,
                                const tl_mask *self_mask, const tl_mask *memory_mask,
                                tl_attention_maps *self_maps, tl_attention_maps *cross_maps);

#ifdef __cplusplus
}
#endif
#endif
