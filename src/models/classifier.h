/* The functions of a classifier's forward that its init needs. */
#ifndef TL_MODELS_CLASSIFIER_H
#define TL_MODELS_CLASSIFIER_H

#include "tapeloom/models.h"

/* Does this classifier put [CLS] before the sentence? */
static inline bool tl_classifier_has_cls(const tl_classifier_config *c) {
    return c->kind == TL_CLASSIFY_TRANSFORMER && !c->mean_pooling;
}

/* The functions hidden, logits and loss of tl_model_kind (classifier.c). */
tl_var tl_classifier_model_hidden(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                                  const tl_model_maps *maps);
tl_var tl_classifier_model_logits(const tl_model *model, tl_var hidden);
tl_var tl_classifier_model_loss(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                                const tl_loss_options *options, tl_loss_report *report,
                                const tl_model_maps *maps);

#endif
