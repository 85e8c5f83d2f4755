/* What the plan, the rules and the measurements of the claim "explanation" share. */
#ifndef CLAIM_EXPLANATION_H
#define CLAIM_EXPLANATION_H

#include "study.h"

enum { LAYERS = 6 }; /* of the encoder */

#define GRU "GRU"
#define GRU_UNIFORM "GRU without weights"
#define AVERAGE "averaging"
#define AVERAGE_UNIFORM "plain average"
#define ENCODER "6-layer encoder"

/* Methods for the encoder, which rank by layer. */
enum { RAW, ROLLOUT, FLOW, METHODS };
extern const char *const explanation_methods[METHODS];

/* Works: accuracy alone; accuracy and τ; accuracy and rank correlations of the methods, layer by layer. */
work explanation_uniform, explanation_pooling, explanation_encoder;

#endif
