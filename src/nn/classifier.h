/* What a classifier's init needs of its forward. */
#ifndef TL_NN_CLASSIFIER_H
#define TL_NN_CLASSIFIER_H

#include "tapeloom/nn.h"

/* Is there a [CLS] before the sentence? */
static inline bool tl_classifier_has_cls(const tl_classifier_config *c) {
    return c->kind == TL_CLASSIFY_TRANSFORMER && !c->mean_pooling;
}

/* A tl_model_kind's hidden, logits and loss (classifier.c). */
tl_var tl_classifier_model_hidden(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                                  const tl_model_maps *maps);
tl_var tl_classifier_model_logits(const tl_model *model, tl_var hidden);
tl_var tl_classifier_model_loss(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                                const tl_loss_options *options, tl_loss_report *report,
                                const tl_model_maps *maps);

#endif
