/* Second floor: parameters and layers, up to whole models, and search over any of them.
 *
 * A layer is a small struct of parameter handles, made by tl_<layer>_init(params, name, &config), passed by pointer,
 * never freed (its memory is the parameter set's). tl_<layer>_forward enters the scope of the layer's full name.
 * Names and shapes of parameters are those of torch.nn.Transformer's state_dict. In configs 0 means the documented
 * default, except where 0 is a real choice (dropout): there it is the default. A number that makes no sense (a size below 1,
 * a share of 1, NaN) fails the set with a sentence that names the layer.
 *
 * Ids, lengths and masks that a forward is given are copied: they may change, or go, once it has returned. What it gives
 * lives on the tape until tl_tape_reset. */
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

/* A named tensor that is learnt, with its gradient. It belongs to its set and is never freed by itself. */
typedef struct tl_param {
    tl_leaf leaf; /* name, value, gradient, frozen */
    tl_params *set;
    int group; /* for optimisers: which options apply; 0 until told */
} tl_param;

/* How the elements of a parameter begin. */
typedef enum tl_init_kind {
    TL_INIT_DEFAULT, /* what the layer's comment says */
    TL_INIT_ZEROS,
    TL_INIT_ONES,
    TL_INIT_NORMAL,  /* mean 0, standard deviation `scale` (default 0.02) */
    TL_INIT_UNIFORM, /* in [-scale, scale) (default 0.1) */
    TL_INIT_XAVIER /* uniform, bound scale·sqrt(6 / (fan_in + fan_out)) (scale default 1); Glorot & Bengio 2010 */
} tl_init_kind;
/* A parameter's beginning; {0} is the layer's own. */
typedef struct tl_init {
    tl_init_kind kind;
    double scale; /* 0 = the kind's default */
} tl_init;

/* Every element is drawn by (seed, name, index): the order of creation does not matter. NULL only when out of
 * memory; free with tl_params_free, which frees every layer made on it too. */
tl_params *tl_params_new(uint64_t seed);
/* The same for values that come from elsewhere, a file as a rule: nothing is drawn, all are 0. It counts as empty until
 * tl_params_changed is called. */
tl_params *tl_params_new_empty(void);
/* Does the set still wait for its values? */
bool tl_params_empty(const tl_params *params);
/* Frees the set, its parameters, and the memory of every layer and model made on it. */
void tl_params_free(tl_params *params);
/* The first failure, or NULL. */
const char *tl_params_error(const tl_params *params); /* the first failure, or NULL */
/* A new parameter; never NULL unless params is: after a failure (a name twice, no memory) one that fails every tape
 * that uses it. The name is copied. */
tl_param *tl_params_add(tl_params *params, const char *name, tl_shape shape, tl_init init);
/* Asked about each parameter to come before memory is taken for it: false, and a sentence in error, fails the set, and layers
 * that come in any number stop there. So the sizes of a model that somebody else describes are believed only as far as
 * the file of its weights goes (tl_params_expect, io.h). NULL: nobody is asked. */
typedef bool tl_params_guard(void *context, const char *name, tl_shape shape, tl_error *error);
/* Sets the guard for all parameters that are added from here on; NULL: nobody is asked. */
void tl_params_set_guard(tl_params *params, tl_params_guard *guard, void *context);
bool tl_params_fail(tl_params *params, const char *format, ...)
    TL_PRINTF(2, 3); /* for layers; returns false */
int tl_params_count(const tl_params *params);
tl_param *tl_params_at(const tl_params *params, int index); /* in order of creation; NULL if outside */
tl_param *tl_params_find(const tl_params *params, const char *name); /* NULL if there is none */
long tl_params_numel(const tl_params *params);                       /* elements in all of them */
/* Memory and text that live as long as the set (a layer's arrays and names). NULL when out of memory. */
void *tl_params_memory(tl_params *params, size_t bytes);
const char *tl_params_text(tl_params *params, const char *format, ...) TL_PRINTF(2, 3);

tl_var tl_use(tl_tape *tape, tl_param *p); /* the parameter as a var of this step */
tl_tensor tl_param_value(const tl_param *p);
/* The gradient; zeros if none has reached it since tl_zero_grad. */
tl_tensor tl_param_grad(tl_param *p);
/* After writing to a parameter's value by hand: a backward over the old value is then refused. */
void tl_params_changed(tl_params *params);
/* Forgets every gradient: the next backward begins from 0. */
void tl_zero_grad(tl_params *params);
/* For every parameter whose name begins with prefix ("" = all); returns how many there were. */
int tl_freeze(tl_params *params, const char *prefix, bool frozen);
int tl_set_group(tl_params *params, const char *prefix, int group);
/* Parameters whose names end so ("bias"): to keep them out of weight decay. */
int tl_set_group_suffix(tl_params *params, const char *suffix, int group);
/* The gradient check over every parameter that is not frozen. f runs the model and returns any var. */
bool tl_gradcheck_params(tl_params *params, tl_var (*f)(tl_tape *tape, const tl_var *unused, void *data),
                         void *data, const tl_gradcheck_options *options, tl_gradcheck_report *report);

/* ---- Linear: y = x·Wᵀ + b.  weight [out,in] (Xavier), bias [out] (zeros) ---- */

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
/* Makes <name>.weight and <name>.bias in the set. */
tl_linear_layer tl_linear_init(tl_params *params, const char *name, const tl_linear_config *config);
tl_var tl_linear_forward(const tl_linear_layer *layer, tl_var x); /* [...,in] to [...,out] */

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
/* Makes <name>.weight in the set. */
tl_embedding_layer tl_embedding_init(tl_params *params, const char *name, const tl_embedding_config *config);
/* ids, of that shape, to rows of the weight: [shape,d_model]. As they are: a Transformer scales them by √d_model. */
tl_var tl_embedding_forward(const tl_embedding_layer *layer, tl_tape *tape, const int *ids, tl_shape shape);

/* ---- positions: what is added to the embeddings of places from, from+1, … ----
 * Sinusoidal (Vaswani et al. 2017, 3.5): PE(pos,2i) = sin(pos / 10000^(2i/d)), PE(pos,2i+1) = cos of the same.
 * Learned: weight [max_len,d_model], normal with standard deviation d_model^-0.5. */

/* How a model learns where a word stands. */
typedef enum tl_position_kind {
    TL_SINUSOIDAL, /* these two are added to embeddings … */
    TL_LEARNED,
    TL_NO_POSITIONS,
    TL_ALIBI, /* … and these are told to self-attention (tl_distances) */
    TL_SIGNED_ALIBI,
    TL_RELATIVE,
    TL_ROTARY
} tl_position_kind;
const char *tl_position_kind_text(tl_position_kind kind); /* "sinusoidal", …; NULL if there is none */
/* Which positions, and how many. */
typedef struct tl_positions_config {
    tl_position_kind kind;
    long max_len, d_model; /* max_len default 1024 */
    tl_init init;          /* of the learned weight; default as above */
} tl_positions_config;
/* Positions that are added to embeddings. */
typedef struct tl_positions {
    const char *name;
    tl_position_kind kind;
    long max_len, d_model;
    tl_param *weight;     /* learned */
    const double *angles; /* sinusoidal: their sines and cosines */
} tl_positions;
/* Learned positions make <name>.weight in the set, the others make no parameter. */
tl_positions tl_positions_init(tl_params *params, const char *name, const tl_positions_config *config);
tl_var tl_positions_forward(const tl_positions *layer, tl_tape *tape, long from,
                            long count); /* [count,d_model] */

/* ---- distances: what self-attention is told of places, in each layer anew, instead of what is added to embeddings ----
 * A query at i and a key at j are j - i apart. Sentences may be longer than any that were trained on.
 *
 *   alibi          -m·|j - i| is added to the scaled score, m = 2^(-8h/H) in head h of 1 … H     Press et al. 2022
 *                  It does not tell before from after: for attention that sees what has been alone.
 *   signed-alibi   the same with two slopes a head, for attention that sees both sides: keys after the query have
 *                  m = 2^(-8(h-½)/H) in odd heads, keys before it in even ones                   (ours)
 *   relative       weight[h,bucket] is added, which is learnt: weight [H,buckets], normal (0.02)   Raffel et al. 2020, 2.1
 *                  Half of a side's buckets hold a distance each, the others wider and wider ranges up to max_distance;
 *                  what is farther is in the last. Its gradient makes attention go step by step.
 *   rotary         queries and keys are turned (tl_rotary)                                        Su et al. 2021 */

/* Which distances, and their numbers. */
typedef struct tl_distances_config {
    tl_position_kind kind; /* one of these four */
    int heads;
    bool one_sided; /* relative: all buckets are of keys up to the query; of a decoder */
    int buckets;    /* relative: of all distances, half of them on each side unless one_sided; default 32 */
    long max_distance; /* relative: default 128 */
    double base;       /* rotary: default 10000 */
} tl_distances_config;
/* Distances, ready for tl_attention_config.distances. */
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
/* The kind relative makes <name>.weight in the set, the others make no parameter. */
tl_distances tl_distances_init(tl_params *params, const char *name, const tl_distances_config *config);
/* What is added to the scores of the last `queries` of `keys` places, [1,H,queries,keys]; of all kinds but rotary. */
tl_var tl_distances_bias(const tl_distances *distances, tl_tape *tape, long queries, long keys);
/* The bucket, 0 … buckets-1, of a key that stands so far after its query (before it: negative), as T5 has it. */
int tl_distance_bucket(long distance, bool one_sided, int buckets, long max_distance);

/* ---- LayerNorm over the last axis (Ba et al. 2016): weight [d] ones, bias [d] zeros; eps default 1e-5 ---- */

/* Size of a norm. */
typedef struct tl_layer_norm_config {
    long d_model;
    double eps;
    bool no_bias;
} tl_layer_norm_config;
/* A norm; bias is NULL with no_bias. */
typedef struct tl_layer_norm_layer {
    const char *name;
    tl_param *weight, *bias;
    double eps;
} tl_layer_norm_layer;
/* Makes <name>.weight and <name>.bias in the set. */
tl_layer_norm_layer tl_layer_norm_init(tl_params *params, const char *name,
                                       const tl_layer_norm_config *config);
/* x [...,d] to the same shape: (x - mean) / √(variance + eps) · weight + bias, over the last axis. */
tl_var tl_layer_norm_forward(const tl_layer_norm_layer *layer, tl_var x);

/* ---- feed-forward: linear2(dropout(activation(linear1(x)))) ---- */

/* The function between the two linear maps: tl_relu, tl_gelu or tl_gelu_tanh. */
typedef enum tl_activation { TL_RELU, TL_GELU, TL_GELU_TANH } tl_activation;
/* Sizes of a feed-forward: d_model is its input and its output, d_ff its inner width. */
typedef struct tl_feed_forward_config {
    long d_model, d_ff;
    tl_activation activation;
    double activation_dropout;
    bool no_bias;
} tl_feed_forward_config;
/* A feed-forward: the same two linear maps at every position (Vaswani et al. 2017, 3.3). */
typedef struct tl_feed_forward {
    const char *name;
    tl_linear_layer linear1, linear2;
    tl_activation activation;
    double dropout;
} tl_feed_forward;
/* Makes <name>.linear1.* and <name>.linear2.* in the set. */
tl_feed_forward tl_feed_forward_init(tl_params *params, const char *name,
                                     const tl_feed_forward_config *config);
/* x [...,d_model] to the same shape. Dropout acts in training alone. */
tl_var tl_feed_forward_forward(const tl_feed_forward *layer, tl_var x);

/* ---- attention between any two sequences, one head or many (Vaswani et al. 2017, 3.2) ----
 *
 * Queries q come from x, keys k and values v from memory; a score says how well a key answers a query, a normaliser makes
 * weights of scores, and a head gives the values' sum by these weights. d_k is a head's width.
 *
 *   score                                      parameters of its own, H heads
 *   scaled-dot   q·k / √d_k                    none                                    Vaswani et al. 2017, 3.2.1
 *   dot          q·k                           none                                    Luong et al. 2015, 3.1
 *   general      qᵀ·W·k                        score_weight W [H,d_q,d_k]              Luong et al. 2015, 3.1
 *   additive     wᵀ·tanh(A·q + B·k + b)        score_query_weight A [H,d_score,d_q], score_key_weight B [H,d_score,d_k],
 *                                              score_bias b, score_weight w [H,d_score]
 *                                                                                      Bahdanau et al. 2015, A.1.2
 *   cosine       e^s·√d_k · q·k / (|q|·|k|)    score_log_scale s [H], zeros: the temperature is 1 / (e^s·√d_k); lengths
 *                                              count for 1e-8 at least                 Henry et al. 2020, with Liu et al.
 *                                                                                      2022 (Swin V2) for the logarithm
 *   uniform      0                             none, and no queries and keys either: every key that is seen weighs the
 *                                              same, a control            Wiegreffe & Pinter 2019, 3.1
 *
 * Projections have torch.nn.MultiheadAttention's names: in_proj_weight [3·d_model,d_model] (Xavier over the packed matrix),
 * queries, keys, values one under the other; where memory has another width q_proj_weight [d_model,d_model], k_proj_weight
 * and v_proj_weight [d_model,d_memory]; in_proj_bias [3·d_model] and out_proj.bias zeros. Uniform has v_proj_weight and
 * v_proj_bias [d_model] alone. Weights of scores are uniform, of Xavier's bound for each head. */

/* How well a key answers a query; the table at the head of this section has the formulas. */
typedef enum tl_score { TL_SCALED_DOT, TL_DOT, TL_GENERAL, TL_ADDITIVE, TL_COSINE, TL_UNIFORM } tl_score;
/* How weights are made of a row of scores. */
typedef enum tl_normaliser {
    TL_SOFTMAX, /* keys compete: weights sum to 1 */
    TL_SIGMOID /* each key for itself: 1 / (1 + e^-score) (Ramapuram et al. 2025, without their bias); of uniform 1/2 */
} tl_normaliser;

/* Sizes of an attention and what kind it is; {.d_model, .heads} alone give the paper's. */
typedef struct tl_attention_config {
    long d_model;
    int heads;
    /* A head's width; 0 means d_model / heads. Given, there may be any number of heads, 0 too, of a model that some have been taken
     * from (tl_prune, prune.h): in_proj_weight is [3·heads·d_k,d_model] then, out_proj.weight [d_model,heads·d_k]. Without any
     * head what it gives is out_proj.bias alone, its only parameter. */
    long d_k;
    bool head_gates;          /* a gate for each head that learns to close, see tl_hard_concrete */
    double attention_dropout; /* on the probabilities */
    bool no_bias;
    tl_score score;
    tl_normaliser normaliser;
    long d_memory; /* memory's width; 0 means d_model */
    long d_score;  /* additive: inside the tanh, a head; 0 means d_model / heads */
    long window;   /* a query sees keys at most so far away, see tl_mask; 0: no limit */
    /* Self-attention alone; NULL: none. Copied: layers that are given the same share its weight. rotary is for scores that are
     * products (not additive, not uniform) and an even d_k, alibi for causal masks. */
    const tl_distances *distances;
    /* x and memory are queries, keys and values as they are, split into heads, and what comes out is their context side by
     * side, [B,T,d_memory]: the attention of recurrent models, which look at states. */
    bool unprojected;
} tl_attention_config;
/* An attention layer. */
typedef struct tl_attention {
    const char *name;
    tl_param *in_proj_weight, *in_proj_bias; /* what it has not is NULL */
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
} tl_attention;

/* Places where something else can be put. R rows: sentences, or in a search their hypotheses. */
typedef enum tl_place {
    /* of an attention */
    TL_PLACE_SCORES,  /* [R,H,T,S] before the mask */
    TL_PLACE_PROBS,   /* [R,H,T,S] before dropout; what is put at a key that the mask hides counts */
    TL_PLACE_CONTEXT, /* [R,H,T,d_k] before the gate of maps, after one that learns (head_gates) */
    TL_PLACE_OUTPUT,  /* [R,T,d_model] what the attention gives */
    TL_PLACE_RESIDUAL, /* [R,T,d_model] the stream once that has been added, before a norm that follows; of an attention that
                         stands in an encoder or decoder layer */
    TL_PLACE_Q, /* [R,H,T,·] queries as the score takes them: projected, prepared for it, turned by their place */
    TL_PLACE_K, /* [R,H,S,·] keys, the same */
    TL_PLACE_V, /* [R,H,S,d_k] values */
    /* of the stream: what runs through a side's layers */
    TL_PLACE_FEED_FORWARD, /* [R,T,D] what a layer's feed-forward gives */
    TL_PLACE_STREAM        /* [R,T,D] what the first layer reads, or a layer gives */
} tl_place;
enum { TL_PLACES = 8, TL_STREAM_PLACES = 2 };
/* Where a replacement stands. */
typedef struct tl_place_at {
    tl_place place;
    long
        from; /* position of the first query (of the stream: of its first place; of keys and values 0 but in self-attention): 0,
                  or in a search what has been read before */
    long each; /* rows of a sentence, which lie side by side: 1 (0 means 1), in a search the beam's */
    const long *sentences; /* [R / each] which sentence of the batch; NULL: 0, 1, … */
} tl_place_at;
/* What is put where x stands: a var of the same tape and shape. The gradient goes through it, and to x as far as it uses x. */
typedef tl_var tl_replacing(tl_var x, const tl_place_at *at, void *context);
typedef struct tl_replacement {
    tl_replacing *f; /* NULL: none */
    void *context;
} tl_replacement;

/* What attention computed on the way, to look at and to change; B sentences, H heads, T queries, S keys. What is given as
 * {0} changes nothing, and what is not given at all costs nothing. */
typedef struct tl_attention_maps {
    bool keep_grad; /* in: keep the gradients of scores, probs and context for tl_attention_grad, */
    unsigned keep;  /* in: and of these places, bits 1u << place */
    /* in: [H] what each head's context is multiplied by; left out: 1, and 1 changes no bit. The gradient of a variable here is
     * what the loss would change if a head counted for more (Michel et al. 2019 take its size for a head's importance). */
    tl_var gate;
    tl_replacement replace[TL_PLACES]; /* in */
    tl_place_at at;                    /* in: set by searches; {0} for a batch */
    tl_var scores;                     /* [B,H,T,S] with their bias, before the mask */
    tl_var probs;                      /* [B,H,T,S] after mask and normaliser, before dropout */
    tl_var context;                    /* [B,H,T,d_k] probs·V, each head's own */
    tl_var output, residual;           /* [B,T,d_model]; see tl_place */
    tl_var q, k, v;                    /* [B,H,T or S,·]; q and k of uniform scores are TL_NO_VAR */
    tl_mask
        mask; /* what hid keys from queries, all of it; its arrays live on the tape. Of several steps that of the first */
    const tl_attention *layer; /* whose maps these are */
    /* Where a decoder goes step by step, the maps of each: those above are put together of them and lie on no way to the loss. */
    const struct tl_attention_maps *step; /* [T], T 1 in each; NULL elsewhere */
} tl_attention_maps;
/* After tl_backward, the gradient of what stood in a place, in the shape of its map: that of the map itself (tl_grad), or of all
 * steps, put together in the tape's memory. Without data where nothing was kept or came. */
tl_tensor tl_attention_grad(const tl_attention_maps *maps, tl_place place);

/* What runs through the layers of a side, at one depth: 0 is what the first layer reads, l+1 what layer l has made of it. */
typedef struct tl_stream_maps {
    unsigned keep;                            /* in: keep gradients of these places, bits 1u << place */
    tl_replacement replace[TL_STREAM_PLACES]; /* in, by place - TL_PLACE_FEED_FORWARD */
    tl_place_at at;                           /* in: set by searches; {0} for a batch */
    tl_var feed_forward; /* [B,T,D] before dropout; TL_NO_VAR at depth 0 and where there is none */
    tl_var stream;       /* [B,T,D] embeddings with their positions; what a layer gives */
} tl_stream_maps;

/* [from, to) of one axis; {0,0}: all of it, to 0: to its end. */
typedef struct tl_range {
    long from, to;
} tl_range;
typedef struct tl_replaced {
    tl_range sentences, heads, positions, keys; /* those that a place does not have are not read */
} tl_replaced;
/* For a tl_replacing to return: the replacement at these sentences (by their number in the batch), heads, positions (of queries,
 * by their place in the sentence) and keys, the original elsewhere; by tl_where, so that neither reaches where it is not. The
 * replacement's shape is the original's, or broadcasts to it. where NULL: everywhere. */
tl_var tl_replace_where(tl_var original, tl_var replacement, const tl_place_at *at, const tl_replaced *where);

/* Makes the parameters <name>.in_proj_weight and so on in the set. */
tl_attention tl_attention_init(tl_params *params, const char *name, const tl_attention_config *config);
/* x [B,T,d_model] asks, memory [B,S,d_memory] is looked at (x itself: self-attention): [B,T,d_model]. mask and maps may be
 * NULL; with maps it computes step by step, without them, where the score is a product and the normaliser softmax, in one
 * operation, the same bits. What stands in places of memory that the mask hides from every query, NaN too, reaches no result
 * and no gradient but exact zeros of its own; layers, which have no other use for them, take what is not finite in places
 * beyond key_lengths for 0. */
tl_var tl_attention_forward(const tl_attention *layer, tl_var x, tl_var memory, const tl_mask *mask,
                            tl_attention_maps *maps);
/* The same with a bias, [B|1,H|1,T|1,S|1], that is added to the scaled scores before mask and normaliser. It is finite: what must
 * not be seen is the mask's business. A constant costs little; one that wants a gradient makes it go step by step. */
tl_var tl_attention_forward_biased(const tl_attention *layer, tl_var x, tl_var memory, tl_var bias,
                                   const tl_mask *mask, tl_attention_maps *maps);

/* ---- gates of heads that learn to close: hard concrete (Louizos et al. 2018, equations 10 to 12; of heads Voita et al. 2019, 4.1) ----
 *
 * A head's context is multiplied by its gate g, whose parameter is <attention>.head_gate.log_alpha [H]:
 *
 *     s = σ((ln u - ln(1-u) + log α) / β) in training, σ(log α) elsewhere;   g = clip(s·1.2 - 0.1, 0, 1);   β = 0.33
 *
 * with u drawn from (0, 1), once for a head and all sentences of a batch, by the keys of dropout. g can be 0 exactly. How likely it is
 * not is σ(log α - β·ln(0.1 / 1.1)): the sum of these over all heads, times a factor, is added to the loss. Gates begin with log α =
 * TL_HEAD_GATE_BEGINS, where g is 1 but for the noise: what the model computes is not changed by having them. */

/* Where log α of every gate begins. */
#define TL_HEAD_GATE_BEGINS 3.0
/* log_alpha [H] to g [H]; u [H], each in (0, 1): the noise; NULL: none, and no β. */
tl_var tl_hard_concrete(tl_var log_alpha, const double *u);
tl_var tl_hard_concrete_open(tl_var log_alpha); /* how likely each is not 0 in training, [H] */

/* ---- recurrent layers: GRU (Cho et al. 2014), LSTM (Hochreiter & Schmidhuber 1997, with Gers et al. 2000's forget gate) ----
 * Formulas, names and shapes are those of torch.nn.GRU and torch.nn.LSTM. With i = in of layer 0, hidden·directions of the others,
 * and G = 3 gates (GRU: r, z, n) or 4 (LSTM: i, f, g, o), one under the other, layer n has, and with `_reverse` behind the
 * name once more for the other direction,
 *     weight_ih_l<n> [G·hidden,i], weight_hh_l<n> [G·hidden,hidden], bias_ih_l<n> [G·hidden], bias_hh_l<n> [G·hidden]
 * all uniform in ±1/√hidden. With the name "" nothing stands before these. */

/* The cell: GRU has 3 gates, LSTM has 4 and a second state c. */
typedef enum tl_recurrent_kind { TL_GRU, TL_LSTM } tl_recurrent_kind;
/* Sizes of a recurrent network of one layer or more. */
typedef struct tl_recurrent_config {
    tl_recurrent_kind kind;
    long in, hidden;
    int layers; /* default 1 */
    bool
        bidirectional; /* each layer also reads from a sentence's end to its beginning; results side by side */
    double dropout;    /* between layers: on what each but the last gives */
    bool no_bias;
    bool
        by_steps; /* a step's gates as vars of their own, an operation a line, to look at: slower, the same bits */
} tl_recurrent_config;
typedef struct tl_recurrent_weights { /* of one layer in one direction; biases NULL without them */
    tl_param *weight_ih, *weight_hh, *bias_ih, *bias_hh;
} tl_recurrent_weights;
/* A recurrent network. */
typedef struct tl_recurrent {
    const char *name;
    tl_recurrent_kind kind;
    long in, hidden;
    int layers, directions; /* directions 1 or 2 */
    double dropout;
    bool by_steps;
    tl_recurrent_weights *weights; /* [layers·directions]: layer 0, its reverse, layer 1, … */
} tl_recurrent;
/* What has been read so far, of every layer and direction in the order of `weights`: vars of a tape, which gradients pass
 * through; nobody frees them. */
typedef struct tl_recurrent_state {
    tl_var h; /* [layers·directions,B,hidden] what each has given last */
    tl_var c; /* the same shape: an LSTM's cells. A GRU's is TL_NO_VAR when given, and is not read. */
} tl_recurrent_state;

/* Makes the weights and biases of all layers and directions in the set. */
tl_recurrent tl_recurrent_init(tl_params *params, const char *name, const tl_recurrent_config *config);
/* Reads x [B,T,in], T at least 1, and gives what the last layer gave at each step: [B,T,hidden·directions], the forward
 * direction's part first.
 * lengths [B], each in 1 … T, or NULL: all T. From its length on a sentence is padding, which is not read: states stay as they
 * are, the reverse direction begins at the sentence's own end, the result is 0, and so is x's gradient, even where x is NaN
 * (as pad_packed_sequence of a packed sequence).
 * initial: what the states are before the first step; NULL: 0. last (may be NULL) receives those after each sentence's own
 * last step, the reverse direction's after its first. initial and last may be the same struct.
 * Anything that does not fit fails the tape with a sentence, and the result is inert. */
tl_var tl_recurrent_forward(const tl_recurrent *layer, tl_var x, const int *lengths,
                            const tl_recurrent_state *initial, tl_recurrent_state *last);
/* One step of a layer that is not bidirectional, as a decoder takes it: reads x [B,in], gives the state after it.
 * state NULL: 0. The same bits as one step of tl_recurrent_forward (with dropout: another stream of random numbers). */
tl_recurrent_state tl_recurrent_step(const tl_recurrent *layer, tl_var x, const tl_recurrent_state *state);
/* What the last layer gave last, both directions side by side: [B,hidden·directions]. After a step: the step's result. */
tl_var tl_recurrent_top(const tl_recurrent *layer, const tl_recurrent_state *state);

/* ---- encoder and decoder layers; post-norm as in the paper, or pre-norm ---- */

typedef struct tl_block_config { /* of one layer, encoder or decoder */
    long d_model, d_ff;
    int heads;
    tl_activation activation;
    bool pre_norm;
    double norm_eps;
    double dropout; /* on each sub-layer's output */
    double attention_dropout, activation_dropout;
    bool no_bias;
    tl_score score; /* of every attention, as the normaliser */
    tl_normaliser normaliser;
    long window;                   /* of self-attention; 0: none */
    const tl_distances *distances; /* of self-attention; NULL: none */
    /* How many heads, each d_model / heads wide, an attention has of those; of a stack an array with one entry a layer. NULL: all. */
    const int *self_heads, *cross_heads;
    bool head_gates;
} tl_block_config;

/* A layer of an encoder: self-attention, then feed-forward, each with dropout, residual and norm. */
typedef struct tl_encoder_layer {
    const char *name;
    tl_attention self_attn;
    tl_feed_forward feed_forward;
    tl_layer_norm_layer norm1, norm2;
    bool pre_norm;
    double dropout;
} tl_encoder_layer;
/* Makes <name>.self_attn.*, <name>.linear1.*, <name>.linear2.*, <name>.norm1.* and <name>.norm2.* in the set. */
tl_encoder_layer tl_encoder_layer_init(tl_params *params, const char *name, const tl_block_config *config);
/* x [B,S,d_model] to the same shape; mask says which keys are seen. mask and maps may be NULL.
 *
 *     post-norm (the paper)   x = norm1(x + drop(attn(x)));  x = norm2(x + drop(ff(x)))
 *     pre-norm                x = x + drop(attn(norm1(x)));  x = x + drop(ff(norm2(x))) */
tl_var tl_encoder_layer_forward(const tl_encoder_layer *layer, tl_var x, const tl_mask *mask,
                                tl_attention_maps *maps);

/* A layer of a decoder: self-attention, attention to the encoder's output, feed-forward, each with dropout, residual
 * and norm. */
typedef struct tl_decoder_layer {
    const char *name;
    tl_attention self_attn, multihead_attn; /* the second looks at the encoder's output */
    tl_feed_forward feed_forward;
    tl_layer_norm_layer norm1, norm2, norm3;
    bool pre_norm;
    double dropout;
} tl_decoder_layer;
/* Makes <name>.self_attn.*, <name>.multihead_attn.*, <name>.linear1.*, <name>.linear2.* and <name>.norm1.* to
 * <name>.norm3.* in the set. */
tl_decoder_layer tl_decoder_layer_init(tl_params *params, const char *name, const tl_block_config *config);
/* x [B,T,d_model] and memory [B,S,d_model], the encoder's output, to [B,T,d_model]. self_mask is of the decoder's own positions
 * (causal, as a rule), memory_mask of those of memory. Masks and maps may be NULL. */
tl_var tl_decoder_layer_forward(const tl_decoder_layer *layer, tl_var x, tl_var memory,
                                const tl_mask *self_mask, const tl_mask *memory_mask,
                                tl_attention_maps *self_maps, tl_attention_maps *cross_maps);

/* ---- stacks ---- */

/* So many encoder layers, and a norm after the last one where has_norm says so. */
typedef struct tl_encoder {
    const char *name;
    int layers;
    tl_encoder_layer *layer;
    bool has_norm;
    tl_layer_norm_layer norm;
} tl_encoder;
/* Makes <name>.layers.0.* and so on, and with final_norm <name>.norm.*; config is each layer's. */
tl_encoder tl_encoder_init(tl_params *params, const char *name, int layers, bool final_norm,
                           const tl_block_config *config);
/* x [B,S,d_model] through all layers. maps: an array with one entry a layer, or NULL. */
tl_var tl_encoder_forward(const tl_encoder *encoder, tl_var x, const tl_mask *mask, tl_attention_maps *maps);

/* So many decoder layers, and a norm after the last one where has_norm says so. */
typedef struct tl_decoder {
    const char *name;
    int layers;
    tl_decoder_layer *layer;
    bool has_norm;
    tl_layer_norm_layer norm;
} tl_decoder;
/* Makes <name>.layers.0.* and so on, and with final_norm <name>.norm.*; config is each layer's. */
tl_decoder tl_decoder_init(tl_params *params, const char *name, int layers, bool final_norm,
                           const tl_block_config *config);
/* maps: arrays with one entry a layer, or NULL */
tl_var tl_decoder_forward(const tl_decoder *decoder, tl_var x, tl_var memory, const tl_mask *self_mask,
                          const tl_mask *memory_mask, tl_attention_maps *self_maps,
                          tl_attention_maps *cross_maps);

/* ---- a model, for whoever trains it, searches with it or looks at it without knowing which it is ----
 *
 * A model is a struct that begins with a tl_model (tl_transformer does), so &transformer.model is one. Its kind is a
 * table of functions; a new model is a new table. */

/* A model, whichever it is. */
typedef struct tl_model tl_model;
/* What a model has read and written so far, see tl_model_begin. */
typedef struct tl_model_state tl_model_state;

/* Who asks, and what is looked at. */
typedef enum tl_attention_kind { TL_ENCODER_SELF, TL_DECODER_SELF, TL_CROSS } tl_attention_kind;
/* How many kinds of attention there are. */
enum { TL_ATTENTION_KINDS = 3 };
/* Whose layers a stream runs through. */
typedef enum tl_stream_side { TL_ENCODER, TL_DECODER } tl_stream_side;
/* How many sides there are. */
enum { TL_STREAM_SIDES = 2 };

/* Attention of every layer, to look at: arrays with one entry a layer, and the streams beside it, or NULL for what is not wanted. Row t of
 * decoder_self and cross belongs to the token that the decoder reads at t (tgt_in[t]) and to the one that it then writes
 * (tgt_out[t]); columns are what is looked at: tgt_in of decoder_self, src of cross. Rows and columns of encoder_self
 * are src. */
typedef struct tl_model_maps {
    tl_attention_maps *encoder_self, *decoder_self, *cross;
    tl_stream_maps *stream[TL_STREAM_SIDES]; /* one entry a depth */
} tl_model_maps;
/* Room for every layer's in the tape's memory, keep_grad as told in each; NULLs, and the tape fails, when out of it. */
tl_model_maps tl_model_maps_new(const tl_model *model, tl_tape *tape, bool keep_grad);
tl_attention_maps *tl_model_maps_of(const tl_model_maps *maps, tl_attention_kind kind); /* NULL for NULL */

/* How a state begins: how many rows, for how many steps. */
typedef struct tl_model_state_options {
    long each;     /* rows that continue each sentence; 0 means 1 */
    long capacity; /* steps that it will take at most */
    bool maps;     /* keep the probabilities of all attentions, row by row */
    bool no_cache; /* compute everything that was read anew at every step: slow, the same bits */
    /* Gates and replacements of these maps, one a layer, act on what is read and written (tl_attention_maps; what else stands
     * there is not read, and nothing is written there). Copied but for what they point to. A replacement is asked at every step,
     * for the position that is read or, with no_cache, for all so far: what it puts at a position must not depend on
     * the others if both are to give the same bits. NULL: none. */
    const tl_model_maps *intervene;
} tl_model_state_options;

/* The table of functions that makes a struct a model. Callers use tl_model_loss, tl_model_begin and the like. */
typedef struct tl_model_kind {
    const char *name; /* "transformer" */
    /* What stands before the projection to words: [B,T,D] from src and tgt_in. maps may be NULL. */
    tl_var (*hidden)(const tl_model *model, tl_tape *tape, const tl_batch *batch, const tl_model_maps *maps);
    tl_var (*logits)(const tl_model *model, tl_var hidden); /* [...,D] to [...,V] */
    /* tl_model_loss */
    tl_var (*loss)(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                   const tl_loss_options *options, tl_loss_report *report, const tl_model_maps *maps);
    /* tl_model_begin, without no_cache; NULL: it has no words to search for. The tape has no error; sizes are sound. */
    tl_model_state *(*begin)(const tl_model *model, tl_tape *tape, const tl_batch *source,
                             const tl_model_state_options *options);
} tl_model_kind;

/* What all models have, and what a model's own struct begins with. Its init fills it in. */
struct tl_model {
    const tl_model_kind *kind;
    const char *name; /* its scope, "" or what its parameters' names begin with */
    tl_params *params;
    long src_vocab, tgt_vocab;          /* ids that it reads, and that it writes */
    long max_len;                       /* tokens that it can read or write in a row */
    int attentions[TL_ATTENTION_KINDS]; /* layers that have one of that kind */
    int depths[TL_STREAM_SIDES];        /* of the streams: layers + 1, or 0 where there is no such side */
    int heads;
    /* How many each attention has, by layers, where some have others than `heads`, as in a model that heads have been taken from. NULL:
     * all have as many. */
    const int *heads_of[TL_ATTENTION_KINDS];
    bool no_cache; /* what it has read changes with what comes: its states compute everything anew, always */
};
int tl_model_heads(const tl_model *model, tl_attention_kind kind,
                   int layer); /* of one attention; 0 if there is none */

/* Mean loss in nats per real target token, label-smoothed as the model's config says; padding counts for nothing. Of
 * options (may be NULL) label_smoothing, ignore and ignore_id are the model's and the batch's own, whatever they say.
 * report and maps may be NULL. */
tl_var tl_model_loss(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                     const tl_loss_options *options, tl_loss_report *report, const tl_model_maps *maps);

/* ---- what a model has read and written so far, row by row: for searches, samplers, whoever writes a word at a time ----
 *
 * Rows go in lockstep. Row r continues sentence r / each. All that outlives a step lies in the tape's memory below the
 * mark that the step's own values are released to: begin, then for each step mark, step, use the logits, release.
 * Values only: no gradient goes through a state. */

/* The table of functions of a state. Callers use tl_model_step and the like. */
typedef struct tl_model_state_kind {
    tl_var (*step)(tl_model_state *state, const int *words);
    void (*copy_row)(tl_model_state *state, long to, long from); /* of `at` steps */
    void (*keep)(tl_model_state *state, const long *kept, long sentences);
    /* tl_model_read, of two words or more, which fit; NULL: they are read step by step. */
    tl_var (*read)(tl_model_state *state, const int *words, long count);
} tl_model_state_kind;

/* What all states have, and what a model's own begins with. */
struct tl_model_state { /* a model's own struct begins with it */
    const tl_model_state_kind *kind;
    const tl_model *model;
    tl_tape *tape;
    long sentences, each, capacity;
    long at;                 /* steps taken */
    long *numbers;           /* [sentences] which of the source's each is; NULL: nobody asks */
    tl_model_maps intervene; /* NULLs: nothing */
    /* Of decoder_self and cross, if asked for, one a layer: [rows,H,capacity,keys], of which `at` queries are there. */
    tl_tensor *maps[TL_ATTENTION_KINDS];
};

/* A state that a reset or release has forgotten fails the tape as long as nothing else has taken its memory; so do rows and
 * sentences that are not there.
 * Reads the source side of a batch (what the model needs of it; copied). NULL, and the tape fails, on failure. */
tl_model_state *tl_model_begin(const tl_model *model, tl_tape *tape, const tl_batch *source,
                               const tl_model_state_options *options);
/* Every row reads one more word: the logits of the next, [rows,V]. */
tl_var tl_model_step(tl_model_state *state, const int *words);
/* Every row reads `count` words more, words [rows,count]: the logits of the one after the last, [rows,V]. The same bits as so many
 * steps, and counts as so many; in one go where the model can do that (tl_gpt), which is much faster. */
tl_var tl_model_read(tl_model_state *state, const int *words, long count);
void tl_model_copy_row(tl_model_state *state, long to, long from); /* row `to` becomes what row `from` is */
/* Drops all sentences but kept[0] < kept[1] < …, which move up. */
void tl_model_keep(tl_model_state *state, const long *kept, long sentences);

/* ---- search: the likeliest words, of any model ---- */

/* The beam that 0 means, and the largest that is taken. */
enum { TL_BEAM_DEFAULT = 5, TL_BEAM_MOST = 1000 };
/* How words are searched for or drawn; {0} or NULL is a beam of TL_BEAM_DEFAULT, ranked by the sum of log p. */
typedef struct tl_search_options {
    int beam; /* hypotheses kept a sentence; 0 means TL_BEAM_DEFAULT; 1 is greedy: the likeliest next word at every step */
    int nbest;             /* hypotheses given a sentence, at most `beam`; 0 means 1 */
    double length_penalty; /* α: ranked by (sum of log p) / length^α, eos counted; 0 = by the sum */
    /* At most max_ratio·(source tokens) + max_extra tokens a sentence, forced ones included (both 0: 2·source + 10), but always
     * room for what is forced. */
    double max_ratio;
    long max_extra;
    int bos; /* what is read first; 0 means TL_BOS; -1: nothing, each row's first forced word is read first */
    int eos; /* what ends a hypothesis; 0 means TL_EOS; -1: nothing does but the limit */
    const int *forced;         /* [B,forced_length] words that sentences begin with; NULL: none */
    const int *forced_lengths; /* [B] how many of them; NULL: forced_length of each */
    long forced_length;
    const int *
        forbidden; /* words that are never written unless forced; beside them <pad> and <bos> (TL_PAD, and `bos` */
    int forbidden_count; /* or, where that is -1, TL_BOS): texts leave these out, so lists would hold one text twice … */
    bool any_word; /* … but where this is set, for words that have other meanings: then `forbidden` is all */
    int no_repeat_ngram; /* no hypothesis holds so many words in a row twice, forced ones counted; 0: it may */
    /* Words are drawn instead of searched for: `nbest` samples a sentence (`beam` counts for nothing), in the order of drawing.
     * A sample depends on the seed, the sentence's number and which of its samples it is, never on the rest of the batch. */
    bool sample;
    double temperature;  /* drawn with probability proportional to p^(1/temperature); 0 means 1 */
    int top_k;           /* out of so many likeliest words; 0: of all */
    double top_p;        /* out of the fewest likeliest whose probabilities sum to so much; 0: of all */
    uint64_t seed;       /* 0 is one like any other */
    const long *numbers; /* [B] each sentence's, for its random numbers; NULL: its place in the batch */
    bool maps;           /* give the attention of every hypothesis, too */
    bool no_cache;       /* as in tl_model_state_options, */
    const tl_model_maps *intervene; /* and this too */
} tl_search_options;
/* What a search has found. Its arrays lie on the tape. */
typedef struct tl_search_result {
    long sentences, nbest, capacity;
    const int *ids;     /* [B,nbest,capacity], best first, each row ended by eos (kept) but at its limit */
    const int *lengths; /* [B,nbest] ids before eos; -1: there are no more hypotheses */
    /* [B,nbest] (sum of log p) / length^α; -Inf: there are no more. p is the model's own: of all words, whatever is forbidden,
     * at temperature 1, that of forced words included. */
    const double *score;
    /* With maps, of decoder_self and cross, one a layer: [B,nbest,H,capacity,keys]; row t: probabilities while word t was
     * written. NULL: not asked for, or the model has none. */
    const tl_tensor *maps[TL_ATTENTION_KINDS];
} tl_search_result;
/* Beam search (Graves 2012; score/length as in Wu et al. 2016, without their constants), greedy with beam 1, or samples, from
 * the source side of a batch. Runs without gradients and dropout; the result lives on the tape until reset or release. A
 * batch gives what its sentences give alone. options may be NULL. False, and an error on the tape, on failure. */
bool tl_search(const tl_model *model, tl_tape *tape, const tl_batch *source, const tl_search_options *options,
               tl_search_result *result);

/* ---- a text that is written on, word by word ---- */

/* What a text begins with, how it goes on, and who is told. */
typedef struct tl_generate_options {
    const int *prompt; /* the ids that the text begins with: one at least */
    long prompt_length;
    long most; /* words to write at most: 1 or more, as many as one likes */
    /* Ids that the model reads at once, up to its max_len, which 0 means. When the text is longer, its last context/2 ids (one
     * at least) are read anew, as if it began there, and writing goes on. */
    long context;
    const int *ends; /* words that end the text, which are written and told; NULL: none does */
    int ends_count;
    const int *forbidden; /* words that are never written; NULL: every word may be */
    int forbidden_count;
    bool greedy; /* the likeliest word every time, of equals the lower id; otherwise words are drawn: */
    double temperature; /* as in tl_search_options */
    int top_k;
    double top_p;
    uint64_t seed;
    long
        number; /* which sample: sample `number` that tl_search gives of this prompt as its one sentence is the same text */
    bool no_cache;                  /* as in tl_model_state_options, */
    const tl_model_maps *intervene; /* and this too */
    /* Told each word as soon as it is chosen; log_p is the model's own, of all words, whatever is forbidden, at temperature 1.
     * false ends the text. It must not use the tape. */
    bool (*wrote)(void *to, int word, double log_p);
    void *to; /* for wrote */
} tl_generate_options;
/* Writes on from a prompt, with a model that reads no source: a decoder alone. Runs without gradients and dropout; memory does not
 * grow with the text, and what the tape held before it holds afterwards. A word depends on the model, the ids that it has read, seed,
 * number and the word's place in the text, on nothing else. True if the text has come to an end, whichever it was; false, and an
 * error on the tape, on failure. */
bool tl_generate(const tl_model *model, tl_tape *tape, const tl_generate_options *options);

/* ---- how likely given words are, of any model ---- */

/* log p of every target word (tgt_out, <eos> too), the true ones before it read, into log_p [B,T]; 0 in padding. p is the model's
 * own, of all words: the sum of a sentence is the score that a search gives for the same words without length penalty. Runs
 * without gradients and dropout; maps (may be NULL) are filled and act. False, and an error on the tape, on failure. */
bool tl_log_p(const tl_model *model, tl_tape *tape, const tl_batch *batch, const tl_model_maps *maps,
              double *log_p);

/* ---- the Transformer ---- */

/* Which matrices of a model are one. */
typedef enum tl_tie {
    TL_TIE_NONE,   /* source embedding, target embedding, output: three matrices */
    TL_TIE_TARGET, /* target embedding = output */
    TL_TIE_ALL     /* one matrix; src_vocab = tgt_vocab */
} tl_tie;

/* Sizes of a Transformer and what kind it is; src_vocab and tgt_vocab must be given. */
typedef struct tl_transformer_config {
    long src_vocab, tgt_vocab;
    tl_tie tie;
    long d_model, d_ff;                 /* defaults 512, 4·d_model */
    int heads;                          /* default 8 */
    int layers;                         /* of encoder and decoder each; default 6 */
    int encoder_layers, decoder_layers; /* where they differ; default `layers` */
    tl_activation activation;
    tl_position_kind positions; /* of both sides; alibi is the decoder's alone */
    bool own_encoder_positions; /* the encoder's are these: */
    tl_position_kind encoder_positions;
    long max_len;  /* longest sentence; default 1024 */
    bool pre_norm; /* default: post-norm */
    bool
        no_final_norm; /* without the norms after the last layers (the paper has none; torch.nn.Transformer has) */
    double norm_eps; /* default 1e-5 */
    double dropout;  /* on embeddings and on each sub-layer's output */
    double attention_dropout, activation_dropout;
    double label_smoothing;
    bool output_bias;
    bool no_bias;   /* no biases in layers and norms: torch.nn.Transformer(bias=False) */
    tl_score score; /* of every attention, as the normaliser */
    tl_normaliser normaliser;
    long window; /* of self-attention, both sides: a position sees those at most so far away; 0: all */
    /* It reads pictures instead of ids: of a batch `pictures` [B,S,patch], S patches of so many numbers (Dosovitskiy et al. 2021,
     * 3.1: an image's squares, row by row, each a vector of its pixels). src_vocab is 0 then, TL_TIE_ALL refused. 0: ids. */
    long patch;
    /* The decoder sees the words to come, which it is to foretell: for study only, its loss says nothing of how it writes. What
     * it has read changes with each word, so its states keep no keys and values (tl_model.no_cache): while it
     * writes, a word sees all that is written so far. */
    bool no_causal;
    /* How many of the heads each attention has, by layers (tl_attention_config.d_k); copied. NULL: all. Not with positions that
     * differ from head to head (alibi, signed-alibi, relative). */
    const int *kept[TL_ATTENTION_KINDS];
    bool head_gates; /* in every attention, see tl_hard_concrete */
} tl_transformer_config;

/* Parameters: src_embedding.weight, tgt_embedding.weight, output.weight, output.bias (those that are not tied; a tied
 * matrix is stored once, under the embedding's name), encoder.*, decoder.* as in torch.nn.Transformer; of relative positions
 * encoder.distances.weight and decoder.distances.weight, a table for all layers of a side as in T5. Of a model that reads pictures
 * patch_projection.weight [d_model,patch] and patch_projection.bias in the place of src_embedding.weight. */
typedef struct tl_transformer {
    tl_model model;               /* first: &transformer.model is what search, training and looking take */
    tl_transformer_config config; /* completed with the defaults */
    tl_embedding_layer src_embedding, tgt_embedding; /* name NULL of the first where it reads pictures */
    tl_linear_layer patch_projection;                /* name NULL where it does not */
    tl_positions src_positions, tgt_positions;
    tl_encoder encoder;
    tl_decoder decoder;
    const char *output_name; /* scope of the projection to the vocabulary */
    tl_param *output_weight, *output_bias;
} tl_transformer;

/* Makes the model's parameters in the set. name is what stands before their names: "" as a rule. */
tl_transformer tl_transformer_init(tl_params *params, const char *name, const tl_transformer_config *config);
/* The loss of a batch in three parts. What is read is an embedding times √d_model (Vaswani et al. 2017, 3.4) plus its
 * position, or a patch times patch_projection's weight, plus its bias and position. maps may be NULL.
 * src [B,S] and src_lengths [B], or pictures [B,S,patch] (src_lengths may be NULL: all patches are the picture's), to
 * [B,S,d_model] */
tl_var tl_transformer_encode(const tl_transformer *model, tl_tape *tape, const tl_batch *batch,
                             const tl_model_maps *maps);
/* tgt_in [B,T], tgt_lengths [B] and memory [B,S,d_model] with src_lengths [B] to [B,T,d_model]; position t sees tokens
 * 0 … t. memory is what tl_transformer_encode gave, or any var of that shape. */
tl_var tl_transformer_decode(const tl_transformer *model, tl_tape *tape, const tl_batch *batch, tl_var memory,
                             const tl_model_maps *maps);
tl_var tl_transformer_logits(const tl_transformer *model,
                             tl_var hidden); /* [...,d_model] to [...,tgt_vocab] */
/* tl_model_loss, as it is called most: mean loss in nats per real target token. */
tl_var tl_transformer_loss(const tl_transformer *model, tl_tape *tape, const tl_batch *batch);
const tl_attention *tl_transformer_attention(const tl_transformer *model, tl_attention_kind kind,
                                             int layer); /* NULL if there is none */
/* How many heads are open on average, of all attentions together (tl_hard_concrete_open): what a penalty is put on. Of a model
 * without gates the tape fails. */
tl_var tl_transformer_open_heads(const tl_transformer *model, tl_tape *tape);

/* ---- a recurrent encoder and a recurrent decoder ----
 *
 * The road to the Transformer. y is the embedding of the word that is read, s the state of the decoder's last layer, c what it
 * gets of the source, o what the next word is told from, as O·o. D is d_model; what the encoder gives for a word is M wide, D or,
 * from both ends, 2·D.
 *
 *   no_attention                s_t = cell(y_t, s_{t-1}), o_t = s_t              the encoder's last states begin the decoder's
 *                                                                                and are all it gets: Sutskever et al. 2014
 *   … with feed_context         s_t = cell([y_t; c], s_{t-1}), o_t = tanh(W·[s_t; c; y_t])
 *                                                                                c is what the encoder's last layer gave last:
 *                                                                                Cho et al. 2014
 *   additive                    c_t = attention(s_{t-1}), s_t = cell([y_t; c_t], s_{t-1}), o_t = tanh(W·[s_t; c_t; y_t])
 *                                                                                the state before asks, and the cell reads the
 *                                                                                answer: Bahdanau et al. 2015
 *   every other score           s_t = cell(y_t, s_{t-1}), c_t = attention(s_t), o_t = tanh(W·[s_t; c_t])
 *                                                                                the new state asks: Luong et al. 2015
 *   … with input_feeding        s_t = cell([y_t; o_{t-1}], s_{t-1}), the rest as before; o_0 is 0
 *                                                                                Luong et al. 2015, 3.3
 *
 * (Where Cho and Bahdanau have maxout, here is tanh.) Attention looks at what the encoder gives as it is (tl_attention's
 * `unprojected`); with the score scaled-dot through projections, as the Transformer does. The decoder's first states are the
 * encoder's last; from both ends, for each layer, h = tanh(B·[h→; h←] + b) and an LSTM's c = B'·[c→; c←] + b'.
 *
 * Where the decoder need not wait for its attention (no input_feeding, not additive) all words of a sentence are read, and asked
 * for, in one go. */

/* Sizes of a recurrent model and what kind it is; src_vocab and tgt_vocab must be given. */
typedef struct tl_seq2seq_config {
    long src_vocab, tgt_vocab;
    tl_tie tie; /* other than none: embedding = d_model */
    tl_recurrent_kind kind;
    long embedding; /* default d_model */
    long d_model;   /* units of each layer, in each direction; default 512 */
    int layers;     /* of encoder and decoder each; default 1 */
    bool
        bidirectional; /* the encoder reads from both ends; not with the scores dot and cosine, which need M = D */
    tl_score score;
    int heads;         /* default 1 */
    bool no_attention; /* then score and heads are not read */
    bool feed_context;
    bool input_feeding;
    long max_len;             /* most words that are read or written in a row; default 1024 */
    double dropout;           /* on embeddings, between layers, on o */
    double attention_dropout; /* on probabilities */
    double label_smoothing;
    bool output_bias;
} tl_seq2seq_config;

/* Parameters: src_embedding.weight, tgt_embedding.weight, output.weight, output.bias as the Transformer's; encoder.*, decoder.* as
 * in torch.nn.GRU and LSTM; bridge_h.<layer>.*, bridge_c.<layer>.* B, b (bidirectional); attention.*; readout.* W and its bias. Its
 * maps of kind TL_CROSS are one layer's; tl_attention_grad gives their gradients, also where the decoder goes step by step
 * (additive, input feeding). */
typedef struct tl_seq2seq {
    tl_model model;           /* first: &seq2seq.model is what search, training and looking take */
    tl_seq2seq_config config; /* completed with the defaults */
    tl_embedding_layer src_embedding, tgt_embedding;
    tl_recurrent encoder, decoder;
    tl_linear_layer *bridge_h, *bridge_c; /* [layers], NULL where there is none */
    tl_attention attention;
    tl_linear_layer readout;
    const char *output_name; /* scope of the projection to the vocabulary */
    tl_param *output_weight, *output_bias;
} tl_seq2seq;

/* Makes the model's parameters in the set. name is what stands before their names: "" as a rule. */
tl_seq2seq tl_seq2seq_init(tl_params *params, const char *name, const tl_seq2seq_config *config);

/* ---- a decoder alone, for language models ----
 *
 * GPT-2 (Radford et al. 2019, 2.3): layers of self-attention, in which a place sees itself and what came before, and feed-forward with
 * gelu in its tanh form, each behind a norm, and a norm after the last.
 *
 *   x = wte[id] + wpe[place]
 *   x = x + drop(attn(ln_1(x)));  x = x + drop(mlp(ln_2(x)))            in every layer
 *   logits = ln_f(x)·wteᵀ
 *
 * It reads one text and tells each next word of it: of a batch tgt_in [B,T], tgt_out [B,T] and tgt_lengths [B] (NULL: all are
 * T long, windows of a text) are read, and no source. Words that equal `pad` in tgt_out are no targets; a text of which every
 * id is a word has pad -1.
 *
 * tl_generate writes on from a prompt. Its states begin from a batch of so many sentences with nothing in them. A search writes on
 * from prompts with bos -1 and the prompts as forced words, and takes its limit from max_extra, for there is no source to measure
 * by. */

/* Sizes of a decoder alone; vocab must be given, {0} elsewhere is GPT-2's smallest. */
typedef struct tl_gpt_config {
    long vocab;
    long d_model, d_ff; /* defaults 768, 4·d_model */
    int heads, layers;  /* defaults 12, 12 */
    /* 0, which elsewhere is sinusoidal, means TL_LEARNED: what GPT-2 has. */
    tl_position_kind positions;
    /* TL_SINUSOIDAL in its place, and embeddings times √d_model, as in Vaswani et al. 2017: beside sinusoids they would be nothing. */
    bool sinusoids;
    long max_len;    /* with learned positions or sinusoids the longest that can be read; default 1024 */
    double norm_eps; /* default 1e-5 */
    double init_std; /* of matrices, before training; default 0.02 */
    double dropout;  /* on embeddings and on each sub-layer's output */
    double attention_dropout; /* on probabilities */
    double label_smoothing;
    bool no_bias;             /* no biases in layers and norms */
    bool no_feed_forward;     /* layers of attention alone, for study: no ln_2, no mlp; d_ff is not read */
    bool untied;              /* the output has a matrix of its own: lm_head.weight */
    bool gelu_erf;            /* gelu itself instead of its tanh form, as in nanoGPT */
    tl_normaliser normaliser; /* of every attention, for study: GPT-2's is softmax */
} tl_gpt_config;

/* A layer of it. */
typedef struct tl_gpt_layer {
    const char *name;
    tl_layer_norm_layer ln_1, ln_2;
    tl_attention attn;
    tl_feed_forward mlp; /* with no_feed_forward this and ln_2 have the name NULL */
    double dropout;
} tl_gpt_layer;

/* Parameters have the names of Hugging Face's GPT-2, matrices lie [out,in] as everywhere here (in its own files those of c_attn,
 * c_proj and c_fc lie the other way round: tl_gpt_load and tl_gpt_save, io.h): transformer.wte.weight [vocab,d_model], transformer.wpe.weight [max_len,d_model]
 * (learned positions), transformer.h.<layer>.{ln_1, attn.c_attn, attn.c_proj, ln_2, mlp.c_fc, mlp.c_proj}.{weight, bias},
 * c_attn [3·d_model,d_model] with queries, keys and values one under the other, transformer.ln_f.{weight, bias}; untied,
 * lm_head.weight [vocab,d_model]; of relative positions transformer.distances.weight, a table for all layers.
 *
 * Matrices begin normal with standard deviation init_std, but those whose results are added to the stream, both c_proj, with that over
 * √(how many such sums there are): init_std/√(2·layers). Biases are zeros, gains ones. */
typedef struct tl_gpt {
    tl_model model;       /* first: &gpt.model is what search, training and looking take */
    tl_gpt_config config; /* completed with the defaults */
    tl_embedding_layer wte;
    tl_positions wpe;
    tl_gpt_layer *h; /* [layers] */
    tl_layer_norm_layer ln_f;
    const char *output_name; /* scope of the projection to the vocabulary */
    tl_param *output_weight;
} tl_gpt;

/* What makes no sense fails the set with a sentence. Maps are of the kind TL_DECODER_SELF, one a layer. */
tl_gpt tl_gpt_init(tl_params *params, const char *name, const tl_gpt_config *config);

/* ---- classifiers: a sentence in, a class out ----
 *
 *   transformer   an encoder's layers over the sentence, behind a vector of its own, [CLS], from whose place the class is told
 *                 (Devlin et al. 2019, 3), or from the mean of the words' places (mean_pooling)
 *   gru           a GRU's states, from one end or both, in a sum whose weights a learnt query finds (after Yang et al. 2016, 2.2)
 *   average       the mean of the words' embeddings, `layers` times h = tanh(W·h + b) over it: Iyyer et al. 2015; or, weighted, their
 *                 sum by weights that a learnt query finds, as of a GRU's states (the "Average" of Jain & Wallace 2019)
 *
 * [CLS] is no id: it is a row of weights that is put before the sentence, at place 0, and meets what an embedding meets. So every
 * batch and every vocabulary serves as it is, and no text can hold it.
 *
 * They are models as far as a class is like a word: tl_model_loss reads src, src_lengths and labels, and is the mean in nats
 * per sentence; of options label_smoothing and ignore are not read, for every label counts. hidden is [B,D], logits [B,classes]. They
 * write no words: to begin a state, to search and to ask for log p is refused with a sentence. Padding, company and threads change no
 * bit of a sentence's numbers. */

/* What reads the sentence; the list at the head of this section says how. */
typedef enum tl_classifier_kind {
    TL_CLASSIFY_TRANSFORMER,
    TL_CLASSIFY_GRU,
    TL_CLASSIFY_AVERAGE
} tl_classifier_kind;

/* Sizes of a classifier and what kind it is; vocab and classes must be given. */
typedef struct tl_classifier_config {
    tl_classifier_kind kind;
    long vocab;     /* ids that it reads: 0 … vocab-1 */
    long classes;   /* 2 or more; with masked_tokens also 0: there is no head then */
    long embedding; /* width of embeddings; default d_model, which it is of a Transformer */
    long d_model;   /* gru: units in each direction; average: of each layer; default 512 */
    int layers;     /* default 6 of a Transformer, 1 of a GRU, 0 of an average */
    long max_len;   /* most tokens of a sentence; default 1024 */
    double dropout; /* on embeddings, between or in layers, on what the head reads */
    int heads;      /* of a Transformer's attention, default 8; of a GRU's query, default 1 */
    tl_score
        score; /* of a Transformer's attention; of the query (uniform: the mean of the states, without a query) */
    bool weighted; /* average: a query finds the weights */
    double attention_dropout;
    double label_smoothing; /* of classes */
    bool bidirectional;     /* gru */
    /* of a Transformer alone: */
    bool mean_pooling; /* the mean of the words' places instead of [CLS], which is not there then */
    long d_ff;         /* default 4·d_model */
    tl_activation activation;
    tl_position_kind positions; /* any but alibi */
    bool pre_norm;
    bool no_final_norm;
    double norm_eps; /* default 1e-5 */
    double activation_dropout;
    bool no_bias; /* no biases in layers and norms */
    /* It can also foretell masked tokens, and reads one id more for it, <mask>, which is `vocab`; the projection to words is the
     * embedding, or with untied one of its own. */
    bool masked_tokens;
    bool untied, output_bias;
} tl_classifier_config;

/* Parameters: embedding.weight [vocab,embedding], one row more with masked_tokens; head.weight [classes,D], head.bias; and
 *   transformer   cls.weight [1,d_model] unless mean_pooling, encoder.* as in torch.nn.TransformerEncoder (encoder.layers.0.…,
 *                 encoder.norm.…), positions.weight (learned), encoder.distances.weight (relative); with masked_tokens output.weight
 *                 (untied) and output.bias (output_bias)
 *   gru           encoder.* as in torch.nn.GRU, query.weight [1,D], pooling.* of scores that have parameters
 *   average       hidden.<layer>.weight and bias; weighted, query.weight [1,embedding], pooling.* of scores that have parameters
 * Maps: of kind TL_ENCODER_SELF a Transformer's layers, whose rows and columns are src, behind [CLS] where there is one; of kind
 * TL_CROSS the pooling, but for [CLS], [B,heads,1,S]: the query's weights, or 1 / length. */
typedef struct tl_classifier {
    tl_model model;              /* first: &classifier.model is what training and looking take */
    tl_classifier_config config; /* completed with the defaults */
    tl_embedding_layer embedding;
    tl_embedding_layer cls, query; /* of one row; name NULL where there is none */
    tl_positions positions;
    tl_encoder encoder;
    tl_recurrent recurrent;
    tl_attention pooling;    /* of [B,1,D] over the states; name NULL with [CLS] */
    tl_linear_layer *hidden; /* [layers] of an average */
    tl_linear_layer head;
    const char *output_name; /* scope of the projection to words */
    tl_param *output_weight, *output_bias;
} tl_classifier;

/* Makes the model's parameters in the set. name is what stands before their names: "" as a rule. */
tl_classifier tl_classifier_init(tl_params *params, const char *name, const tl_classifier_config *config);
/* What is pooled, of src [B,S] and src_lengths [B]: [B,1+S,d_model] of a Transformer with [CLS], [B,S,d_model] without,
 * [B,S,d_model] or [B,S,2·d_model] of a GRU's states, [B,S,embedding] of an average. maps may be NULL. */
tl_var tl_classifier_encode(const tl_classifier *model, tl_tape *tape, const tl_batch *batch,
                            const tl_model_maps *maps);
/* The classes' logits [B,classes] of a batch's sentences; labels are not read. maps may be NULL. */
tl_var tl_classifier_logits(const tl_classifier *model, tl_tape *tape, const tl_batch *batch,
                            const tl_model_maps *maps);
/* tl_model_loss, as it is called most: mean loss in nats per sentence. */
tl_var tl_classifier_loss(const tl_classifier *model, tl_tape *tape, const tl_batch *batch);

/* ---- masked tokens: to learn from text without labels (Devlin et al. 2019, 3.1) ----
 *
 * Some of a sentence's words are chosen, each for itself, so that a short sentence has none now and then; most of them are hidden, and
 * the model is to tell what stood there. Pre-trained so, it learns classes with the same set of parameters: what one of the two
 * losses does not use is frozen for it, or an optimiser would miss its gradient (tl_freeze of "head" while words are learnt, and of
 * "output" afterwards, where it has parameters). */

/* Which words are chosen, and what becomes of them. */
typedef struct tl_masking {
    uint64_t seed; /* 0 is one like any other */
    long step;     /* another step hides other words */
    long vocab;    /* the vocabulary's size: random words are TL_SPECIALS … vocab-1 */
    int mask_id;   /* what stands for a hidden word; 0 means vocab */
    double share;  /* of words that are chosen; 0 means 0.15 */
    /* Of those: how many become mask_id, how many a random word (now and then the same); the others stay as they are. Both 0:
     * 0.8 and 0.1. */
    double masked, random;
} tl_masking;

/* batch (src, src_lengths) with words masked: src is what is read, tgt_out [B,S] what stood where a word was chosen and pad
 * elsewhere, tgt_tokens how many were. Words alone are chosen: never an id below TL_SPECIALS, or padding. What happens to a sentence
 * depends on seed, step and its number alone: index[b] or, where index is NULL, its place in the batch. src and tgt_out lie on the
 * tape until reset or release; the other arrays are the batch's own. False, *masked zeroed, and an error on the tape, on failure. */
bool tl_mask_tokens(tl_tape *tape, const tl_batch *batch, const tl_masking *options, tl_batch *masked);
/* Mean loss in nats per chosen word, of a batch that tl_mask_tokens has made; 0 where none was chosen. The rows of no other
 * place are multiplied with the projection. Of options (may be NULL) ignore and ignore_id are not read. report and maps may be
 * NULL. */
tl_var tl_classifier_masked_loss(const tl_classifier *model, tl_tape *tape, const tl_batch *masked,
                                 const tl_loss_options *options, tl_loss_report *report,
                                 const tl_model_maps *maps);
/* Logits of the word at each place, [B,S,vocab+1] (<mask> is one of the words that it can say, as in BERT). maps may be NULL. */
tl_var tl_classifier_masked_logits(const tl_classifier *model, tl_tape *tape, const tl_batch *batch,
                                   const tl_model_maps *maps);

#ifdef __cplusplus
}
#endif
#endif
