/* Which input a word came from, by several methods. Each method is a function over plain arrays, and beside it
 * stands a function that feeds it from a model. The methods claim different things, and so give different numbers:
 *
 *   attention rollout, max-flow   Abnar & Zuidema 2020       weights alone, no gradient: which inputs attention could
 *                                                            have carried there
 *   relevance                     Chefer et al. 2021         positive parts of weights times gradients, for one token
 *   gradient × input              Shrikumar et al. 2016      first-order effect at this input; exact for a linear model
 *   integrated gradients          Sundararajan et al. 2017   parts of f(x) - f(baseline); they sum to it
 *   τ                             Jain & Wallace 2019        how much weights and gradients agree in ranking positions
 *
 * Numbers here are doubles, row-major. Functions over arrays return false when out of memory or for impossible
 * sizes. Functions over a model reset its tape, overwrite its parameters' gradients and leave an error on the tape.
 * S is the number of source positions (a classifier's [CLS] counts), T that of target positions. */
#ifndef TAPELOOM_FLOW_H
#define TAPELOOM_FLOW_H

#include "lens.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- a matrix for every attention of one sentence ---- */

/* A side that the model lacks has size 0, and a missing matrix is NULL. In a decoder's layer self-attention comes
 * before cross-attention. */
typedef struct tl_flow_layers {
    long sources, targets;              /* S, T */
    int encoder_layers, decoder_layers; /* a pooling counts as a decoder of one layer and one position */
    double **encoder_self;              /* [encoder_layers] of [S,S] */
    double **decoder_self;              /* [decoder_layers] of [T,T]; NULL: no layer has one */
    double **cross;                     /* [decoder_layers] of [T,S]; NULL: no layer has one */
    /* Cross-attention's output replaces its query instead of being added to it, as in a pooling. */
    bool replaces;
} tl_flow_layers;

/* What the matrices of tl_flow_layers hold. */
typedef enum tl_flow_of {
    TL_FLOW_WEIGHTS,  /* the mean over heads of A */
    TL_FLOW_RELEVANCE /* Chefer et al. 2021, eq. 5: the mean over heads of (dL/dA ∘ A)⁺ */
} tl_flow_of;
/* Of sentence b, without its padding. NULL when out of memory, without gradients, or if there is no such sentence. */
tl_flow_layers *tl_flow_layers_of(const tl_seen *seen, long b, tl_flow_of what);
/* All zeros, for the caller to fill. decoder_self and cross say which matrices the decoder's layers have. */
tl_flow_layers *tl_flow_layers_new(long sources, long targets, int encoder_layers, int decoder_layers,
                                   bool decoder_self, bool cross);
void tl_flow_layers_free(tl_flow_layers *layers);
long tl_flow_rows(const tl_flow_layers *layers); /* T with a decoder, else S */

/* ---- attention rollout and attention max-flow: Abnar & Zuidema 2020, 3 ----
 *
 * A layer's residual connection counts as much as its attention: W = (A + I)/2. If a row of A does not sum to 1
 * (sigmoid, a row with nothing visible), that row of A + I is divided by its sum instead. Every row of W is then a
 * distribution.
 *
 * The paper has self-attention alone. A decoder with cross-attention is treated as the same kind of graph: a
 * position first reads its layer's positions by W = (A_self + I)/2, and then itself and the encoder's last layer,
 * half and half, since there is a residual connection. (This rule is ours. Without it no number separates the
 * source's share from that of the words before.) A pooling has no residual connection: its output is only what it
 * attends to.
 *
 * `depth`: only the first so many layers of the side whose positions are the result's rows; 0: all. A decoder's
 * encoder is always whole. */

/* Products of W, the later layer on the left: row t is how much of position t of the last layer comes from each
 * input. A row of of_source [rows,S] and of of_target [rows,T] sum to 1 together. Either may be NULL. */
bool tl_attention_rollout(const tl_flow_layers *layers, int depth, double *of_source, double *of_target);

/* The largest flow from position `row` of the last layer to each single input, with W as the capacities between
 * layers. of_source [S], of_target [T]. Inputs share capacity, so the numbers do not sum to 1; each is at least
 * rollout's. */
bool tl_attention_max_flow(const tl_flow_layers *layers, int depth, long row, double *of_source,
                           double *of_target);

/* The largest flow from one node to each of several others, one at a time, along edges of capacity 0 or more:
 * Dinic's algorithm (1970). It equals the smallest cut (Ford & Fulkerson 1956). The flow to `from` itself is
 * infinite. */
typedef struct tl_flow_edge {
    long from, to;
    double capacity;
} tl_flow_edge;
bool tl_max_flow(long nodes, const tl_flow_edge *edges, long count, long from, const long *to, long sinks,
                 double *flow);

/* ---- relevance: Chefer et al. 2021, eq. 5-10 ----
 *
 * layers holds Ā (TL_FLOW_RELEVANCE) for the token that is explained. With s for the source and t for the target,
 * rows first, it begins with R_ss = I [S,S], R_tt = I [T,T], R_ts = 0 [T,S]. Then, attention by attention in forward
 * order:
 *
 *   encoder self   R_ss += Ā R_ss                                        eq. 6
 *   decoder self   R_ts += Ā R_ts, R_tt += Ā R_tt                        eq. 7, 6
 *   cross          R_ts += R̄_ttᵀ Ā R̄_ss                                  eq. 10
 *
 * R̄ is R - I with each row divided by its sum, plus I (eq. 8, 9); a row of zeros stays zero. of_source is R_ts
 * [T,S] and of_target R_tt [T,T]; for an encoder alone of_source is R_ss [S,S], for a decoder alone of_target is
 * R_tt. Row i explains the word written at position i. Either may be NULL.
 *
 * The paper prints eq. 10 as R_sq += R̄_ssᵀ Ā R̄_qq, where s is the side of the queries and q that of the keys.
 * Shapes say which R̄ belongs on which side. Ā of cross-attention is [T,S]: its right factor has S rows, so it is
 * the source's R̄; its left factor has T columns, so it is the target's. Shapes do not decide the transposition,
 * which is the paper's: row i of R̄_ttᵀ holds what position i contributes to each position u, so row i of the
 * product collects what those positions u attend to. Under a causal mask these are i and later positions; for the
 * gradient of one word, Ā is 0 at the later ones. */
bool tl_relevance(const tl_flow_layers *layers, double *of_source, double *of_target);

/* ---- integrated gradients: Sundararajan et al. 2017, eq. 1 ----
 *
 *   IG_i = (x_i - x'_i) · ∫₀¹ ∂f/∂x_i (x' + α(x - x')) dα          and Σ_i IG_i = f(x) - f(x')     (completeness)
 *
 * The integral is a Gauss-Legendre sum over u with α = u², so that steps lie closer near the baseline. The number of
 * steps is doubled until |Σ - (f(x) - f(x'))| / |f(x) - f(x')| is below the wanted gap. */

/* Computes f and its gradient [n] at x [n]; false: it failed. */
typedef bool tl_function_grad(const double *x, long n, double *value, double *grad, void *context);
typedef struct tl_path_options {
    long first, most; /* steps: at first, and at most; 0: 8, 512 */
    double gap;       /* 0: 0.01 */
    /* After each step; all: the steps if doubling goes on to the end. False stops, as if f had failed. May be NULL. */
    bool (*progress)(void *context, long done, long all);
    void *context;
} tl_path_options;
typedef struct tl_path_report {
    long steps;
    double value, baseline; /* f(x), f(x') */
    double gap;             /* relative gap reached; infinite if f(x) = f(x') and the sum differs */
    bool reached;           /* is it below the wanted gap? */
} tl_path_report;
/* grads [n]; options may be NULL. */
bool tl_integrate_grads(tl_function_grad *f, void *context, long n, const double *x, const double *baseline,
                        const tl_path_options *options, double *grads, tl_path_report *report);
/* The nodes, in (0, 1), and the weights, summing to 1, of a Gauss-Legendre sum of n ≥ 1 steps. */
void tl_gauss_legendre(long n, double *nodes, double *weights);

/* ---- Kendall's τ ----
 *
 * τ_b = (concordant - discordant pairs) / √((pairs not tied in a)·(pairs not tied in b)): Kendall 1945. NaN if n <
 * 2, if a or b is constant, or if any number is NaN. Takes n² steps. */
double tl_kendall_tau(const double *a, const double *b, long n);

/* ---- of a model's input ----
 *
 * x is the value of encoder.embedding and decoder.embedding: word content plus, if the model adds one, a position. */

/* Which part of the input the gradients are of. */
typedef enum tl_input_part {
    TL_WHOLE_INPUT, /* x */
    TL_CONTENT      /* x without its position: the scaled embedding, or a patch's projection */
} tl_input_part;

/* What attention does while gradients are taken. */
typedef enum tl_attention_held {
    TL_ATTENTION_FREE,     /* as always */
    TL_ATTENTION_DETACHED, /* weights count as constants: no gradient goes through a score */
    TL_ATTENTION_UNIFORM   /* also, named attentions weigh all keys that a row sees alike */
} tl_attention_held;

/* How gradients at the input are taken; {0}: of all of x, with attention as always. */
typedef struct tl_input_options {
    tl_input_part part;
    tl_attention_held held;
    const char *uniform; /* for TL_ATTENTION_UNIFORM: a pattern of names, "*.cross"; NULL: all */
} tl_input_options;

/* A number for each input position of one sentence, in one block of memory: free with tl_input_shares_free. */
typedef struct tl_input_shares {
    long sources, targets;   /* positions; 0: the model has no such side */
    double *source, *target; /* [sources], [targets] */
    double value;            /* of the objective */
} tl_input_shares;
void tl_input_shares_free(tl_input_shares *shares);

/* Σ_d x_d·∂f/∂x_d at each position, signed, for the objective's sentence. options may be NULL. */
bool tl_input_grads(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                    const tl_objective *objective, const tl_input_options *options, tl_input_shares *shares);
/* IG at each position, summed over d. The baseline is an input without content: embeddings are 0 and positions stay,
 * on both sides at once. A classifier's [CLS] is no input and stays too. options may be NULL. */
bool tl_integrated_grads(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                         const tl_objective *objective, const tl_path_options *options,
                         tl_input_shares *shares, tl_path_report *report);

/* ---- do weights and gradients rank positions alike? Jain & Wallace 2019, 4.1 ---- */

/* τ between one row of weights and sizes of gradients, over the positions that the row sees, without [CLS]. NaN for
 * fewer than two positions, or if all weights are equal. */
typedef struct tl_grad_taus {
    long positions;
    /* Weights against |Σ_d e_d·∂f/∂e_d| at the input, e the content, every attention detached: Jain & Wallace's τ_g. */
    double embedding;
    /* The control: the same weights against the same gradient sizes with attention frozen at uniform weights. A
     * gradient that comes back through a value is multiplied by its weight, so some agreement is built in; uniform
     * weights remove that factor. (Wiegreffe & Pinter 2019, 3.1, train a model with frozen uniform weights; here the
     * trained model is not trained again.) */
    double uniform;
    double weight_grad;          /* weights against |dL/dA|, each row centred (TL_SEE_DA) */
    double weight_grad_raw;      /* the same with raw dL/dA, which is known only up to a constant a row */
    double value, uniform_value; /* the objective with normal and with uniform attention */
} tl_grad_taus;
/* attention: "decoder.layers.1.cross". Its row is the objective's position; in a classifier the row of [CLS] or of
 * the pooling. head counts from 0; -1: weights and dL/dA are means over heads. The objective must be one token's. */
bool tl_grad_taus_of(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                     const tl_objective *objective, const char *attention, int head, tl_grad_taus *taus);

#ifdef __cplusplus
}
#endif
#endif
