/* What a logit is made of, and what each depth of the stream would say already.
 *
 * Everything that a layer gives is added to one stream, and a logit is a product of that stream's last value with a row of the
 * output projection. So a logit is a sum over all that was ever added: direct logit attribution (Elhage et al. 2021, "A Mathematical
 * Framework for Transformer Circuits"). And since every layer adds to the same stream, the projection can be asked at any depth:
 * the logit lens (nostalgebraist 2020, "interpreting GPT: the logit lens"). */
#ifndef TAPELOOM_LOGITS_H
#define TAPELOOM_LOGITS_H

#include "lens.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the way of one position through a side's layers, as numbers ---- */

/* Something is added to the stream, or the stream is normalised: y = gain ∘ (x - mean x) / σ + bias, σ² = var x + eps. */
typedef struct tl_skip_step {
    const double *added;       /* [D]; NULL: it is normalised */
    const double *gain, *bias; /* [D] of a norm; bias NULL: none */
    double eps;
} tl_skip_step;
/* The stream begins as 0 and goes through the steps: stream [D] is what comes out. With every σ held at the value that it has there
 * a norm is linear, and what is read at the end, read·stream, can be read where each step comes in: at [count,D], row i for what
 * step i has added, or for the bias of its norm. Then
 *     read·stream = Σ added_i·at_i (of what was added) + Σ bias_i·at_i (of norms),
 * exactly but for rounding. sigma [count] receives each norm's σ; 1 where something is added. D is at least 1. */
void tl_skip_path(const tl_skip_step *steps, long count, long d, const double *read, double *stream,
                  double *sigma, double *at);

/* ---- direct logit attribution ---- */

/* What a summand of a logit comes from. */
typedef enum tl_summand_kind {
    TL_SUMMAND_TOKEN, /* the embedding of the token that is read; of [CLS] its row */
    TL_SUMMAND_PLACE, /* what its place has added to that */
    TL_SUMMAND_HEAD, /* a head's context times its part of the output projection, C_h·W_O; the bias of its values is in it */
    TL_SUMMAND_ATTENTION_BIAS,    /* the output projection's bias */
    TL_SUMMAND_FEED_FORWARD,      /* what a feed-forward gives, without … */
    TL_SUMMAND_FEED_FORWARD_BIAS, /* … the bias of its second layer */
    TL_SUMMAND_NORM_BIAS,
    TL_SUMMAND_OUTPUT_BIAS /* of the projection to words or classes */
} tl_summand_kind;
/* One summand of a logit. */
typedef struct tl_summand {
    char name[80]; /* "decoder.layers.1.cross head 0", "decoder.layers.1.norm2 bias", … */
    tl_summand_kind kind;
    tl_attention_kind attention; /* of a head and its attention's bias */
    int layer;                   /* -1: of none */
    int head;                    /* -1: of none */
    double value;
} tl_summand;
/* A logit and all of its summands. */
typedef struct tl_attribution {
    double logit; /* that is told of, as the model has it; of two tokens the difference */
    double sum;   /* of all values; it is the logit, but for rounding */
    long count;
    tl_summand *summand; /* [count] in the order in which they are added */
} tl_attribution;

/* The logit of one token (or class), or the difference of two, as the sum of all that was added to the stream at that position.
 *
 * "Direct" means: along the skip path, as each summand reaches the projection by itself. What a head does to later layers, which
 * read the stream, is theirs. Norms on the way hold their scale σ fixed at its value, and so are linear: x - mean x, times gain
 * over σ; their biases are summands. A pre-norm model has one such norm, after its last layer. A post-norm model's stream goes
 * through every norm behind a summand, which leaves its own mark on it each time; so early summands tell less there than of a
 * pre-norm model (Mickus et al. 2022, "How to Dissect a Muppet", have the same decomposition of BERT).
 *
 * objective: TL_OF_LOGIT, or the difference of two log p, which is that of their logits; of one log p there is no such sum. Of a
 * classifier that pools means a summand is the mean over its places. Models without such a stream are refused. Resets the tape; what
 * is given lies on it until it is reset again. False, and the tape fails, on failure. */
bool tl_attribute_logit(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                        const tl_objective *objective, tl_attribution *attribution);

/* ---- the logit lens ---- */

/* The logits at every depth. */
typedef struct tl_lens {
    int depths; /* layers + 1; 0 the embedding, N+1 what layer N gives: the last has the model's own logits, to the bit */
    tl_tensor *logits; /* [depths] of [B,T,V], T positions of the decoder; of a classifier [B,1,classes] */
    char applied[240]; /* what the stream goes through at each depth, in words */
} tl_lens;
/* The stream at every depth through the model's final norm, where it has one, and its output projection. A translator's encoder
 * is refused: no projection to words was ever trained to read its stream. Resets the tape; the result lies on it until it is reset
 * again. False, and the tape fails, on failure. */
bool tl_logit_lens(const tl_model *model, tl_tape *tape, const tl_batch *batch, tl_stream_side side,
                   tl_lens *lens);

/* What logits [V] say, and of one token, the true one. */
typedef struct tl_lens_said {
    int token;       /* the likeliest, of equals the first */
    double log_p;    /* its log p */
    long truth_rank; /* of the true token: 1 is the likeliest; 0: there is none (-1 was given) */
    double truth_log_p;
} tl_lens_said;
tl_lens_said tl_lens_say(tl_tensor logits, int truth);

#ifdef __cplusplus
}
#endif
#endif
