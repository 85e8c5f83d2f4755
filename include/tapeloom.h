/* Tapeloom: tensors, a tape for automatic differentiation, layers and programs that train small Transformers.
 * The umbrella header; each room has one of its own (op.h, for those who write operations, is apart). */
#ifndef TAPELOOM_H
#define TAPELOOM_H

/* The version of these headers, as pkg-config tells it. */
#define TL_VERSION "0.1.0"

#include "tapeloom/base.h"
#include "tapeloom/tensor.h"
#include "tapeloom/autograd.h"
#include "tapeloom/ops.h"
#include "tapeloom/nn.h"
#include "tapeloom/models.h"
#include "tapeloom/optim.h"
#include "tapeloom/text.h"
#include "tapeloom/io.h"
#include "tapeloom/options.h"
#include "tapeloom/ranks.h"
#include "tapeloom/train.h"
#include "tapeloom/classify.h"
#include "tapeloom/run.h"
#include "tapeloom/lens.h"
#include "tapeloom/page.h"
#include "tapeloom/prune.h"
#include "tapeloom/heads.h"
#include "tapeloom/logits.h"
#include "tapeloom/patch.h"
#include "tapeloom/compare.h"
#include "tapeloom/flow.h"
#include "tapeloom/checks.h"

#endif
