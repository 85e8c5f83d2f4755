/* From a model's hidden vectors to words. */
#ifndef TL_MODELS_OUTPUT_H
#define TL_MODELS_OUTPUT_H

#include "tapeloom/models.h"

/* The projection to words: weight [vocab,d_model], bias [vocab] or NULL, and the scope of both. */
typedef struct tl_output {
    const char *scope;
    tl_param *weight, *bias;
} tl_output;

/* Makes the projection of the model of that name. tied: an embedding's weight to share; NULL: a new weight (Xavier). */
tl_output tl_output_init(tl_params *params, const char *model, tl_param *tied, tl_shape weight, bool bias);
/* hidden [...,d_model] to logits [...,vocab]. */
tl_var tl_output_logits(tl_output output, tl_var hidden);
/* The mean loss of a batch's targets, as tl_model_loss returns it. options may be NULL. */
tl_var tl_output_loss(tl_output output, tl_var hidden, const tl_batch *batch, double label_smoothing,
                      const tl_loss_options *options, tl_loss_report *report);

#endif
