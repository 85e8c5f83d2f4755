/* What of the input a word came from, as several methods have it. Each is a function of its own over plain arrays, and beside it one
 * that feeds it from a model. What they claim differs, and so do their numbers:
 *
 *   attention rollout, attention max-flow   Abnar & Zuidema 2020          weights alone, no gradient: where attention could have
 *                                                                         carried something from
 *   relevance                               Chefer et al. 2021            weights times their gradients of one token, positive
 *                                                                         parts alone
 *   gradient × input                        Shrikumar et al. 2016         first order at this input: exact for a linear model
 *   integrated gradients                    Sundararajan et al. 2017      shares of f(x) - f(baseline), which they sum to
 *   τ                                       Jain & Wallace 2019           how far weights and gradients rank positions alike
 *
 * Numbers here are doubles, row-major. Functions over arrays return false when out of memory, or where sizes make no sense; those
 * over a model reset its tape, overwrite the gradients of its parameters, and leave the reason on the tape. S is the source's places
 * (of a classifier [CLS] counts), T the target's. */
#ifndef TAPELOOM_FLOW_H
#define TAPELOOM_FLOW_H

#include "lens.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- a matrix for every attention of one sentence ---- */

/* Sides that are not there have size 0, and matrices that are not there are NULL. In a decoder's layer self-attention comes before
 * cross-attention. */
typedef struct tl_flow_layers {
    long sources, targets;              /* S, T */
    int encoder_layers, decoder_layers; /* a pooling is a decoder of one layer and one place */
    double **encoder_self;              /* [encoder_layers] of [S,S] */
    double **decoder_self;              /* [decoder_layers] of [T,T]; NULL: no layer has one */
    double **cross;                     /* [decoder_layers] of [T,S]; NULL: no layer has one */
    /* What cross-attention gives takes the place of its query, instead of being added to it: a pooling. */
    bool replaces;
} tl_flow_layers;

/* What stands in the matrices of tl_flow_layers. */
typedef enum tl_flow_of {
    TL_FLOW_WEIGHTS,  /* the mean over heads of A */
    TL_FLOW_RELEVANCE /* Chefer et al. 2021, eq. 5: the mean over heads of (dL/dA ∘ A)⁺ */
} tl_flow_of;
/* Of sentence b, without its padding. NULL when out of memory, when the gradients are not there, or where there is no such sentence. */
tl_flow_layers *tl_flow_layers_of(const tl_seen *seen, long b, tl_flow_of what);
/* Zeros, to be filled by hand. decoder_self and cross say which matrices the decoder's layers have. */
tl_flow_layers *tl_flow_layers_new(long sources, long targets, int encoder_layers, int decoder_layers,
                                   bool decoder_self, bool cross);
void tl_flow_layers_free(tl_flow_layers *layers);
long tl_flow_rows(const tl_flow_layers *layers); /* T where there is a decoder, else S */

/* ---- attention rollout and attention max-flow: Abnar & Zuidema 2020, 3 ----
 *
 * A layer's residual connection counts as much as its attention: W = (A + I)/2, where rows of A that do not sum to 1 (sigmoid, a row
 * with nothing visible) are taken together with I to 1. Every row of W is then a distribution.
 *
 * The paper has self-attention alone. A decoder with cross-attention is taken here as the same kind of graph: a layer's place reads
 * the layer's other places and itself, W = (A_self + I)/2, and then itself and the encoder's last layer, half and half, as its residual
 * connections have it. (Ours; without it no number tells the source's share from that of the words before.) A pooling has no residual
 * connection: all it gives is what it looks at.
 *
 * `depth`: of the side that has the result's rows its first so many layers; 0: all. The encoder below a decoder is whole. */

/* Products of W, the later layer on the left: row t is how much of place t of the last layer comes from each input. of_source
 * [rows,S] and of_target [rows,T] (either may be NULL) together sum to 1 in each row. */
bool tl_attention_rollout(const tl_flow_layers *layers, int depth, double *of_source, double *of_target);

/* The most that could go from place `row` of the last layer to each single input, if W were the capacities of pipes between layers.
 * of_source [S], of_target [T]. Inputs share pipes, so that the numbers do not sum to 1; each is as large as rollout's, or larger. */
bool tl_attention_max_flow(const tl_flow_layers *layers, int depth, long row, double *of_source,
                           double *of_target);

/* The largest flow from one node to each of several others, one at a time, through edges of capacities 0 or more: Dinic's algorithm
 * (1970). By the theorem of Ford & Fulkerson (1956) it equals the smallest cut. To `from` itself it is infinite. */
typedef struct tl_flow_edge {
    long from, to;
    double capacity;
} tl_flow_edge;
bool tl_max_flow(long nodes, const tl_flow_edge *edges, long count, long from, const long *to, long sinks,
                 double *flow);

/* ---- relevance: Chefer et al. 2021, eq. 5-10 ----
 *
 * layers holds Ā (TL_FLOW_RELEVANCE) of the token that is asked for. Written with s for the source and t for the target, rows first:
 * R_ss = I [S,S], R_tt = I [T,T], R_ts = 0 [T,S], and as attention is met on the way forward
 *
 *   encoder self   R_ss += Ā R_ss                                        eq. 6
 *   decoder self   R_ts += Ā R_ts, R_tt += Ā R_tt                        eq. 7, 6
 *   cross          R_ts += R̄_ttᵀ Ā R̄_ss                                  eq. 10
 *
 * R̄ is R - I, its rows divided by their sums, plus I (eq. 8, 9), where a row of zeros stays one: 0/0 is 0. of_source is R_ts [T,S]
 * and of_target R_tt [T,T]; of an encoder alone of_source is R_ss [S,S], of a decoder alone of_target R_tt. What explains the word
 * written at place i is row i. Either may be NULL.
 *
 * Eq. 10 is printed R_sq += R̄_ssᵀ Ā R̄_qq: there s is the side that asks and q the one that is looked at. Here it is derived which
 * side is which. Ā of cross-attention is [T,S]: what is multiplied from its right has S rows, so it is the source's R̄; what is
 * multiplied from its left has T columns, so it is the target's. The transposition is the paper's, and shapes do not tell it: row i of
 * R̄_ttᵀ holds what places u have of place i, so that row i of the sum collects what those that use i look at. In a decoder of a
 * causal mask these are i and later places, and of one word's gradient later ones have Ā = 0. */
bool tl_relevance(const tl_flow_layers *layers, double *of_source, double *of_target);

/* ---- integrated gradients: Sundararajan et al. 2017, eq. 1 ----
 *
 *   IG_i = (x_i - x'_i) · ∫₀¹ ∂f/∂x_i (x' + α(x - x')) dα          and Σ_i IG_i = f(x) - f(x')     (completeness)
 *
 * The integral is a Gauss-Legendre sum of so many steps over u, α = u²: closer steps near the baseline. Steps are doubled until
 * |Σ - (f(x) - f(x'))| / |f(x) - f(x')| is below the gap that is wanted. */

/* f and its gradient [n] at x [n]; false: it has failed. */
typedef bool tl_function_grad(const double *x, long n, double *value, double *grad, void *context);
typedef struct tl_path_options {
    long first, most; /* steps, first at most `most`; 0: 8, and 512 */
    double gap;       /* 0: 0.01 */
    /* After each step, all: what it takes if steps are doubled to the end; false: stop, as if f had failed. NULL: nobody. */
    bool (*progress)(void *context, long done, long all);
    void *context;
} tl_path_options;
typedef struct tl_path_report {
    long steps;
    double value, baseline; /* f(x), f(x') */
    double gap;   /* that was reached: relative; infinite where f(x) = f(x') and the sum is another */
    bool reached; /* is it below what was wanted? */
} tl_path_report;
/* grads [n]; options may be NULL. */
bool tl_integrate_grads(tl_function_grad *f, void *context, long n, const double *x, const double *baseline,
                        const tl_path_options *options, double *grads, tl_path_report *report);
/* Nodes in (0, 1) and weights, which sum to 1, of a Gauss-Legendre sum of n ≥ 1 steps. */
void tl_gauss_legendre(long n, double *nodes, double *weights);

/* ---- Kendall's τ ----
 *
 * τ_b = (concordant - discordant pairs) / √((pairs not tied in a)·(pairs not tied in b)): Kendall 1945. NaN where n < 2, where all of
 * a or all of b are equal, or where one is NaN. Takes n² steps. */
double tl_kendall_tau(const double *a, const double *b, long n);

/* ---- of a model's input ----
 *
 * x is what stands in encoder.embedding and decoder.embedding. It is word content plus, where the model adds one, a position. */

/* Which part of the input is told of. */
typedef enum tl_input_part {
    TL_WHOLE_INPUT, /* x */
    TL_CONTENT      /* x without its position: the embedding as it is added to it, or a patch's projection */
} tl_input_part;

/* What attention is while gradients are taken. */
typedef enum tl_attention_held {
    TL_ATTENTION_FREE,     /* as always */
    TL_ATTENTION_DETACHED, /* weights are constants of their own value: no gradient goes through a score */
    TL_ATTENTION_UNIFORM   /* the same, and those that are named are spread evenly over what each row sees */
} tl_attention_held;

/* How gradients at the input are taken; {0}: of all of x, through attention as it is. */
typedef struct tl_input_options {
    tl_input_part part;
    tl_attention_held held;
    const char *uniform; /* of TL_ATTENTION_UNIFORM: a pattern of names, "*.cross"; NULL: every attention */
} tl_input_options;

/* A number for each place of one sentence's inputs, in one block of memory: free with tl_input_shares_free. */
typedef struct tl_input_shares {
    long sources, targets;   /* places; 0: the model has no such side */
    double *source, *target; /* [sources], [targets] */
    double value;            /* of the objective */
} tl_input_shares;
void tl_input_shares_free(tl_input_shares *shares);

/* Σ_d x_d·∂f/∂x_d of each place, signed, of the objective's sentence. options may be NULL. */
bool tl_input_grads(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                    const tl_objective *objective, const tl_input_options *options, tl_input_shares *shares);
/* IG of each place, summed over d. The baseline is an input without content: what is embedded is 0 and positions stay, on both
 * sides at once; a classifier's [CLS], which is no input, stays too. options may be NULL. */
bool tl_integrated_grads(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                         const tl_objective *objective, const tl_path_options *options,
                         tl_input_shares *shares, tl_path_report *report);

/* ---- do weights and gradients rank positions alike? Jain & Wallace 2019, 4.1 ---- */

/* Between one row of weights, and sizes of gradients, over the positions that the row sees ([CLS] left out). NaN: it cannot be told,
 * for fewer than two positions or weights that are all the same. */
typedef struct tl_grad_taus {
    long positions;
    /* Weights against |Σ_d e_d·∂f/∂e_d| at the input, e the content, all attention detached: Jain & Wallace's τ_g. */
    double embedding;
    /* The control: the same weights against the same of a model whose attention is frozen at uniform. What comes back through
     * a value is a multiple of its weight, so some agreement is built in; with uniform weights that factor is gone. (The frozen
     * uniform weights are Wiegreffe & Pinter's 2019, 3.1, who train with them; here the trained model is not trained again.) */
    double uniform;
    double weight_grad;     /* weights against |dL/dA|, rows centred by their weights (TL_SEE_DA) */
    double weight_grad_raw; /* the same of raw dL/dA, to which a constant could be added without any effect */
    double value, uniform_value; /* of the objective, as it is and with uniform attention */
} tl_grad_taus;
/* attention: "decoder.layers.1.cross"; its row is the objective's position, of a classifier the one of [CLS] or of the pooling.
 * head: from 0; -1: weights and dL/dA are means over heads. The objective is one token's. */
bool tl_grad_taus_of(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                     const tl_objective *objective, const char *attention, int head, tl_grad_taus *taus);

#ifdef __cplusplus
}
#endif
#endif
