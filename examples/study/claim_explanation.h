/* The claim "explanation": what its plan and rules have in common with what is measured. */
#ifndef CLAIM_EXPLANATION_H
#define CLAIM_EXPLANATION_H

#include "study.h"

enum { LAYERS = 6 }; /* of the encoder */

#define GRU "GRU"
#define GRU_UNIFORM "GRU without weights"
#define AVERAGE "averaging"
#define AVERAGE_UNIFORM "plain average"
#define ENCODER "6-layer encoder"

/* Of the encoder, ranks by layer. */
enum { RAW, ROLLOUT, FLOW, METHODS };
extern const char *const explanation_methods[METHODS];

/* Accuracy alone; with tau; with rank correlations of the methods, layer by layer. */
work explanation_uniform, explanation_pooling, explanation_encoder;

#endif
