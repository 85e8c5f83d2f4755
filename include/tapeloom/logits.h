/* What a logit is made of, and what each depth of the stream would predict.
 *
 * Every layer adds its output to one stream, and a logit is the product of the stream's last value with a row of the
 * output projection. So a logit is a sum over everything that was added: direct logit attribution (Elhage et al.
 * 2021, "A Mathematical Framework for Transformer Circuits"). And since all layers add to the same stream, the
 * output projection can be applied at any depth: the logit lens (nostalgebraist 2020, "interpreting GPT: the logit
 * lens"). */
#ifndef TAPELOOM_LOGITS_H
#define TAPELOOM_LOGITS_H

#include "lens.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the stream of one position, step by step, as plain numbers ---- */

/* A step adds to the stream, or normalises it: y = gain ∘ (x - mean x) / σ + bias, σ² = var x + eps. */
typedef struct tl_skip_step {
    const double *added;       /* [D]; NULL: the step normalises */
    const double *gain, *bias; /* [D] of the norm; bias NULL: none */
    double eps;
} tl_skip_step;
/* The stream starts at 0 and goes through the steps; stream [D] receives the result. With every σ fixed at its value
 * there, a norm is linear. So read·stream, which is read at the end, is a sum over the steps, each read with its own
 * vector: row i of at [count,D] is the vector for what step i adds, or for the bias of its norm. Then
 *     read·stream = Σ added_i·at_i (steps that add) + Σ bias_i·at_i (norms),
 * exactly but for rounding. sigma [count] receives each norm's σ, and 1 for a step that adds. D is at least 1. */
void tl_skip_path(const tl_skip_step *steps, long count, long d, const double *read, double *stream,
                  double *sigma, double *at);

/* ---- direct logit attribution ---- */

/* What a summand of a logit comes from. */
typedef enum tl_summand_kind {
    TL_SUMMAND_TOKEN,             /* the embedding of the token that is read, or [CLS]'s row */
    TL_SUMMAND_PLACE,             /* the position that is added to it */
    TL_SUMMAND_HEAD,              /* C_h·W_O of one head, the bias of its values included */
    TL_SUMMAND_ATTENTION_BIAS,    /* the bias of the attention's output projection */
    TL_SUMMAND_FEED_FORWARD,      /* a feed-forward's output, without … */
    TL_SUMMAND_FEED_FORWARD_BIAS, /* … the bias of its second layer */
    TL_SUMMAND_NORM_BIAS,
    TL_SUMMAND_OUTPUT_BIAS /* the bias of the projection to words or classes */
} tl_summand_kind;
/* One summand of a logit. */
typedef struct tl_summand {
    char name[80]; /* "decoder.layers.1.cross head 0", "decoder.layers.1.norm2 bias", … */
    tl_summand_kind kind;
    tl_attention_kind attention; /* for a head, and for its attention's bias */
    int layer;                   /* -1: none */
    int head;                    /* -1: none */
    double value;
} tl_summand;
/* A logit and all of its summands. */
typedef struct tl_attribution {
    double logit; /* as the model computes it; for two tokens the difference */
    double sum;   /* of all values: the logit, but for rounding */
    long count;
    tl_summand *summand; /* [count] in the order in which they are added */
} tl_attribution;

/* The logit of one token (or class), or the difference of two, as the sum of all that was added to the stream at
 * that position.
 *
 * "Direct" means along the skip path: the part that reaches the projection by itself. The effect of a head on later
 * layers, which read the stream, counts as those layers' own. Norms on the way are taken with their scale σ fixed at
 * its value, so they are linear: x - mean x, times gain over σ; their biases are summands. A pre-norm model has one
 * such norm, after its last layer. In a post-norm model every later norm rescales a summand again, so early summands
 * mean less there than in a pre-norm model (Mickus et al. 2022, "How to Dissect a Muppet", decompose BERT in the
 * same way).
 *
 * objective: TL_OF_LOGIT, or the difference of two log p, which equals that of their logits; a single log p is no
 * such sum. In a classifier that pools by the mean, a summand is the mean over positions. Models without such a
 * stream are refused. Resets the tape; the result lies on it until it is reset again. False, and the tape fails, on
 * failure. */
bool tl_attribute_logit(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                        const tl_objective *objective, tl_attribution *attribution);

/* ---- the logit lens ---- */

/* The logits at every depth. */
typedef struct tl_lens {
    int depths; /* layers + 1: 0 the embedding, N+1 after layer N; the last has the model's logits, bit for bit */
    tl_tensor *logits; /* [depths] of [B,T,V], T decoder positions; for a classifier [B,1,classes] */
    char applied[240]; /* what the stream goes through at each depth, in words */
} tl_lens;
/* The stream at every depth, through the model's final norm if it has one, and through its output projection. A
 * translator's encoder is refused: no projection to words was trained to read its stream. Resets the tape; the
 * result lies on it until it is reset again. False, and the tape fails, on failure. */
bool tl_logit_lens(const tl_model *model, tl_tape *tape, const tl_batch *batch, tl_stream_side side,
                   tl_lens *lens);

/* What logits [V] predict, and how they rank the true token. */
typedef struct tl_lens_said {
    int token;       /* the most likely one; ties go to the first */
    double log_p;    /* its log p */
    long truth_rank; /* rank of the true token, 1 the most likely; 0: no true token (-1 was given) */
    double truth_log_p;
} tl_lens_said;
tl_lens_said tl_lens_say(tl_tensor logits, int truth);

#ifdef __cplusplus
}
#endif
#endif
