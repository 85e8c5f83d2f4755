/* Task 3: softmax and cross-entropy: exercises, questions and the worked example. The formulas are in the three
 * files that models.h names. */
#include "models.h"

#include <math.h>

#define EVERY_SIZE                                                                                        \
 (COURSE_HAS(COURSE_ODD) | COURSE_HAS(COURSE_ONE) | COURSE_HAS(COURSE_PRIME) | COURSE_HAS(COURSE_EMPTY) | \
  COURSE_HAS(COURSE_LARGE))
#define OF_MASKS (COURSE_HAS(COURSE_MASKED) | COURSE_HAS(COURSE_NOTHING))

static const course_exercise tier1[] = {
    {.function = "softmax_forward",
     .part = COURSE_FORWARD,
     .kinds = EVERY_SIZE | COURSE_HAS(COURSE_EQUAL),
     .draw = course_softmax_forward_draw,
     .model = course_softmax_forward_model,
     .slips = course_softmax_forward_slips,
     .invariants = course_softmax_forward_invariants},
    {.function = "softmax_backward",
     .part = COURSE_BACKWARD,
     .kinds = EVERY_SIZE,
     .draw = course_softmax_backward_draw,
     .model = course_softmax_backward_model,
     .slips = course_softmax_backward_slips,
     .invariants = course_softmax_backward_invariants},
    {.function = "masked_softmax_forward",
     .part = COURSE_FORWARD,
     .kinds = EVERY_SIZE | COURSE_HAS(COURSE_EQUAL) | OF_MASKS,
     .draw = course_masked_forward_draw,
     .model = course_masked_forward_model,
     .slips = course_masked_forward_slips,
     .invariants = course_masked_forward_invariants},
    {.function = "masked_softmax_backward",
     .part = COURSE_BACKWARD,
     .kinds = EVERY_SIZE | OF_MASKS,
     .draw = course_masked_backward_draw,
     .model = course_softmax_backward_model,
     .slips = course_softmax_backward_slips,
     .invariants = course_masked_backward_invariants},
    {.function = "cross_entropy_forward",
     .part = COURSE_FORWARD,
     .kinds = EVERY_SIZE | COURSE_HAS(COURSE_EQUAL) | COURSE_HAS(COURSE_NOTHING),
     .draw = course_loss_forward_draw,
     .model = course_loss_forward_model,
     .slips = course_loss_forward_slips,
     .tolerance = 2e-5},
    {.function = "cross_entropy_backward",
     .part = COURSE_BACKWARD,
     .kinds = EVERY_SIZE | COURSE_HAS(COURSE_EQUAL) | COURSE_HAS(COURSE_NOTHING),
     .draw = course_loss_backward_draw,
     .model = course_loss_backward_model,
     .slips = course_loss_backward_slips,
     .invariants = course_loss_backward_invariants,
     .tolerance = 2e-5},
    {0}};

static const course_exercise tier2[] = {{.function = "tl_softmax",
                                         .part = COURSE_BOTH,
                                         .kinds = EVERY_SIZE | COURSE_HAS(COURSE_VIEWS),
                                         .draw = course_softmax_op_draw,
                                         .model = course_softmax_op_model,
                                         .slips = course_softmax_op_slips,
                                         .invariants = course_softmax_op_invariants,
                                         .gradients = 3},
                                        {.function = "tl_masked_softmax",
                                         .part = COURSE_BOTH,
                                         .kinds = EVERY_SIZE | COURSE_HAS(COURSE_VIEWS) | OF_MASKS,
                                         .draw = course_masked_op_draw,
                                         .model = course_masked_op_model,
                                         .slips = course_masked_op_slips,
                                         .invariants = course_masked_op_invariants,
                                         .gradients = 3},
                                        {.function = "tl_cross_entropy",
                                         .part = COURSE_BOTH,
                                         .kinds = (EVERY_SIZE | COURSE_HAS(COURSE_VIEWS) |
                                                   COURSE_HAS(COURSE_EQUAL) | COURSE_HAS(COURSE_NOTHING)) &
                                                  ~COURSE_HAS(COURSE_EMPTY),
                                         .draw = course_loss_op_draw,
                                         .model = course_loss_op_model,
                                         .slips = course_loss_op_slips,
                                         .invariants = course_loss_backward_invariants,
                                         .gradients = 3,
                                         .tolerance = 2e-5},
                                        {.function = "tl_cross_entropy_report",
                                         .part = COURSE_FORWARD,
                                         .kinds = COURSE_HAS(COURSE_ODD) | COURSE_HAS(COURSE_ONE) |
                                                  COURSE_HAS(COURSE_PRIME) | COURSE_HAS(COURSE_NOTHING),
                                         .draw = course_report_draw,
                                         .model = course_report_model,
                                         .slips = course_report_slips,
                                         .tolerance = 2e-5},
                                        {0}};

/* ---- the worked example, computed by the models and shown in the handout ---- */

static void print_rows(FILE *to, const course_case *c, const char *name) {
    const double *a = course_data(c, name);
    for (int i = 0; i < 2; i++) {
        fprintf(to, "%-8s", i == 0 ? name : "");
        for (int j = 0; j < 3; j++) fprintf(to, " %9.6f", a[3 * i + j] + 0.0); /* 0, never -0 */
        fprintf(to, "\n");
    }
}

static double *put(course_case *c, course_role role, const char *name, const double *from) {
    double *to = course_array_new(c, role, name, COURSE_DIMS(2, 3));
    for (int k = 0; from && k < 6; k++) to[k] = from[k];
    return to;
}

static void example(FILE *to) {
    static const double x[] = {1, 2, 3, 0, 0, 4}, dy[] = {1, 0, 0, 0, 1, -1}, visible[] = {1, 1, 0, 0, 0, 0};
    course_case c = {.n = {2, 3}};
    put(&c, COURSE_IN, "x", x);
    put(&c, COURSE_IN, "dy", dy);
    put(&c, COURSE_OUT, "y", NULL);
    put(&c, COURSE_ADD, "dx", NULL);
    course_softmax_forward_model(&c, 0);
    course_softmax_backward_model(&c, 0);
    for (int i = 0; i < c.arrays; i++) print_rows(to, &c, c.a[i].name);
    fprintf(to, "\nbehind a mask\n");
    put(&c, COURSE_IN, "visible", visible);
    course_masked_forward_model(&c, 0);
    print_rows(to, &c, "visible");
    print_rows(to, &c, "y");
    course_case_free(&c);

    course_case l = {.n = {2, 3}, .p = {0.1, 1}};
    put(&l, COURSE_IN, "logits", x);
    course_array_new(&l, COURSE_OUT, "loss", COURSE_DIMS(1));
    double *targets = course_array_new(&l, COURSE_IN, "targets", COURSE_DIMS(2));
    targets[0] = 2, targets[1] = -1;
    put(&l, COURSE_ADD, "dlogits", NULL);
    course_loss_forward_model(&l, 0);
    course_loss_backward_model(&l, 0);
    fprintf(to, "\ntargets 2 and none, smoothing 0.1, dloss 1\nloss      %9.6f\n", *course_data(&l, "loss"));
    print_rows(to, &l, "dlogits");
    course_case_free(&l);
}

extern const course_task course_task_softmax;
const course_task course_task_softmax = {
    .number = 3,
    .name = "softmax",
    .title = "Softmax and cross-entropy",
    .hours = 4,
    .tier1 = tier1,
    .tier2 = tier2,
    .operations = (const char *const[]){"softmax", "masked_softmax", "cross_entropy", NULL},
    .questions = {{"A row is (1000, 1001, 1002). What is the largest number of its softmax?", 0.665241,
                   0.002},
                  {"A model has 8000 classes and knows nothing: all logits are 0. What is its loss, in nats, "
                   "with label smoothing 0.1?",
                   8.987197, 0.05}},
    .example = example};
