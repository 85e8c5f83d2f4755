/* From the hidden vectors of a model to its words. */
#ifndef TL_NN_OUTPUT_H
#define TL_NN_OUTPUT_H

#include "tapeloom/nn.h"

/* The projection [vocab,d_model] and its bias [vocab] or NULL, under one scope. */
typedef struct tl_output {
    const char *scope;
    tl_param *weight, *bias;
} tl_output;

/* Of the model of that name. `tied` is an embedding that serves as weight, NULL: it has one of its own (Xavier). */
tl_output tl_output_init(tl_params *params, const char *model, tl_param *tied, tl_shape weight, bool bias);
tl_var tl_output_logits(tl_output output, tl_var hidden); /* [...,d_model] to [...,vocab] */
/* The mean loss of a batch's targets, as tl_model_loss has it; options may be NULL. */
tl_var tl_output_loss(tl_output output, tl_var hidden, const tl_batch *batch, double label_smoothing,
                      const tl_loss_options *options, tl_loss_report *report);

#endif
