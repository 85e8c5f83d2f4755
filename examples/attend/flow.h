/* attend flow: what is measured (flow.c) and how it is shown (flow_show.c). */
#ifndef ATTEND_FLOW_H
#define ATTEND_FLOW_H

#include "program.h"

typedef enum flow_method {
    ROLLOUT,
    MAX_FLOW,
    CHEFER,
    GRADIENT_INPUT,
    INTEGRATED,
    TAU,
    FLOW_METHODS
} flow_method;

typedef struct flow {
    settings *s;
    tl_run *run;
    const tl_model *model;
    tl_sentences sentences;
    tl_objective objective;
    bool wanted[FLOW_METHODS];
    const char *left_out[FLOW_METHODS]; /* why, if the model does not allow it */
    long sources, targets;              /* positions of each side's input */
    double *value[FLOW_METHODS];        /* [sources+targets] for each method except τ; NULL: not measured */
    double objective_value;
    tl_path_report path; /* of integrated gradients */
    /* τ: the attention that is compared, and the result for each written word */
    char attention[64];
    int layer, head; /* layer -1: the last; head -1: the mean of all */
    long words;
    tl_grad_taus *taus; /* [words] */
} flow;

const char *flow_name(flow_method m);  /* as --method takes it */
const char *flow_title(flow_method m); /* at the head of a column */
const char *flow_claim(flow_method m); /* what it claims, in a line */

bool show_flow(flow *f, tl_error *error);
bool write_flow(const flow *f, tl_error *error); /* to --csv */

#endif
