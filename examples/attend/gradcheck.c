/* attend gradcheck: a whole model's gradients against differences of its loss, and the operation to blame
 * (tl_model_gradcheck_of). */
#include "program.h"

#include <tapeloom/op.h>

#include <stdlib.h>
#include <string.h>

enum { SAMPLE = 10, SENTENCES = 2 };

/* clang-format off */
const tl_option gradcheck_options[] = {
    SUBJECT_ROWS,
    SENTENCE_ROWS,
    BATCH_ROW,
    ROW("sample", LONG, gradcheck.sample, "N", "of each tensor so many elements, that of the largest gradient among them (0: all)"),
    ROW("seed", LONG, gradcheck.seed, "N", "which elements, and in which directions values are moved to find who is to blame"),
    ROW("tolerance", DOUBLE, gradcheck.tolerance, "E", "relative error that is allowed (0: 1e-6 in double, 5e-3 in float)"),
    ROW("train", FLAG, gradcheck.train, NULL, "as a step of training computes it, with dropout"),
    ROW("by-steps", FLAG, gradcheck.by_steps, NULL,
        "attention as the textbook's steps, as it is computed when somebody looks, not as one operation"),
    ROW("inject-fault", TEXT, gradcheck.fault, "OPERATION[:KIND]", "make that operation's backward wrong on purpose"),
    ROW("list-faults", FLAG, gradcheck.list_faults, NULL, "list kinds of faults, and the operations of this model; no check"),
    COMMON_ROWS,
    TL_OPTIONS_END};
/* clang-format on */

/* ---- operations that can be made wrong ---- */

/* Records the loss once, on the run's tape. */
static bool record(const settings *s, tl_run *run, const tl_batch *batch) {
    tl_tape *tape = tl_run_tape(run);
    tl_tape_reset(tape);
    if (s->gradcheck.train) tl_tape_set_training(tape, 1);
    const tl_model_maps maps = tl_model_maps_new(tl_run_model(run), tape, false);
    const bool ok = tl_ok(tl_run_loss(run, batch, s->gradcheck.by_steps ? &maps : NULL));
    tl_tape_set_training(tape, 0);
    return ok;
}

/* How many nodes of the operation have a backward of their own. */
static long count_of(const tl_tape *tape, const char *operation) {
    long count = 0;
    tl_recorded r;
    for (int i = 0; tl_tape_recorded(tape, i, &r); i++)
        count += r.operation && r.base == i && r.wants_grad && !strcmp(r.operation, operation);
    return count;
}

static int list_faults(const settings *s, tl_run *run, const tl_batch *batch) {
    int count;
    const tl_op_entry *op = tl_ops(&count);
    if (!record(s, run, batch)) return status_of(run, &(tl_error){""});
    printf("Kinds:\n");
    for (int kind = 0; kind < TL_FAULT_KINDS; kind++)
        printf("  %-10s %s\n", tl_fault_kind_name((tl_fault_kind)kind),
               tl_fault_kind_meaning((tl_fault_kind)kind));
    printf("Operations in the loss of ");
    print_subject("", s);
    for (int i = 0; i < count; i++) {
        const long here = count_of(tl_run_tape(run), op[i].name);
        if (here) printf("  %4ld x  %s\n", here, op[i].name);
    }
    return 0;
}

/* ---- the check ---- */

static void print_elements(const settings *s, const tl_model_gradcheck *r) {
    const tl_gradcheck_report *e = &r->elements;
    printf("checked    %ld of %ld elements, of %ld tensors", e->checked, e->elements, r->tensors);
    if (e->checked < e->elements) printf("; drawn with seed %ld", s->gradcheck.seed);
    printf("\n");
    if (r->idle) {
        printf("left out   %ld that the loss does not reach: ", r->idle);
        tl_show(r->first_idle, stdout);
        printf("%s\n", r->idle > 1 ? ", …" : "");
    }
    if (e->input[0]) {
        print_name("worst      ", e->input, "");
        printf("[%ld]: analytic %.9g, numeric %.9g, absolute %.2e, relative %.2e\n", e->index, e->analytic,
               e->numeric, e->absolute, e->relative);
    }
    printf("criterion  |a - n| / max(|a|, |n|, largest |a| of the tensor / 1000) <= %.0e%s\n", e->tolerance,
           sizeof(tl_real) < sizeof(double) ? ", what rounding explains taken off |a - n|" : "");
    if (r->decided < e->checked)
        printf("left open  %ld elements: %ld at a kink; for this precision %ld too near one, %ld too small\n",
               e->checked - r->decided, e->kinks, e->unsure, e->small);
}

static void print_blame(const tl_model_gradcheck *r) {
    static const char prefix[] = "blame: "; /* already said by "to blame" */
    const tl_blamed *b = &r->blame;
    if (b->node < 0) {
        printf("to blame   ");
        tl_show(b->ok ? "no operation: each agrees along a random direction (a single element is wrong, or "
                        "nothing is)"
                      : b->error.message +
                            (strncmp(b->error.message, prefix, strlen(prefix)) ? 0 : strlen(prefix)),
                stdout);
        printf("\n");
        return;
    }
    printf("to blame   %s, node %d", b->operation, b->node);
    print_name(b->scope[0] ? " in " : "", b->scope, "");
    printf(", %s", b->shape);
    if (b->others) printf(" (%d other node%s this operation)", b->others, b->others == 1 ? " is" : "s are");
    print_name("\n           its own gradient is right; what it gives to ", b->gives_to, " is not:");
    printf("\n           along a random direction %.9g, by differences %.9g (relative %.1e)\n", b->analytic,
           b->numeric, b->relative);
}

static void print_fault(const tl_fault *f, long nodes, bool ok) {
    printf("fault      %s:%s, in %ld nodes, changes a gradient by %.3g of its size at most%s\n", f->operation,
           tl_fault_kind_name(f->kind), nodes, f->change,
           !ok             ? ""
           : f->change > 0 ? ": nothing that is decided notices it"
                           : ": there is nothing to notice");
}

static int no_such_operation(const settings *s, const tl_fault *fault) {
    tl_error error = {""};
    tl_error_set(
        &error,
        "--inject-fault %s: the loss of this model has no such operation%s; --list-faults lists those it has",
        fault->operation, s->gradcheck.by_steps ? "" : " (some are there with --by-steps alone)");
    return fail_with(error.message);
}

static int check(settings *s, tl_run *run, const tl_batch *batch, tl_fault *fault) {
    tl_model_gradcheck r;
    bar b;
    bar_begin(&b, s, "checking gradients", "element");
    const bool ok = tl_model_gradcheck_of(tl_run_model(run), batch,
                                          &(tl_model_gradcheck_options){.sample = s->gradcheck.sample,
                                                                        .seed = (uint64_t)s->gradcheck.seed,
                                                                        .tolerance = s->gradcheck.tolerance,
                                                                        .train = s->gradcheck.train,
                                                                        .by_steps = s->gradcheck.by_steps,
                                                                        .fault = fault,
                                                                        .progress = bar_step,
                                                                        .context = &b},
                                          &r);
    bar_end(&b);
    if (!ok && !r.elements.elements) return fail_with(r.elements.error.message);
    print_subject("", s);
    printf("loss %.6f of %ld sentence%s, in %s\n", r.loss, batch->sentences, batch->sentences == 1 ? "" : "s",
           sizeof(tl_real) == sizeof(double)
               ? "double"
               : "float, where differences are inexact: make PRECISION=double builds what is sure");
    if (fault) print_fault(fault, count_of(tl_run_tape(run), fault->operation), ok);
    print_elements(s, &r);
    if (r.blamed) print_blame(&r);
    if (!ok) return fail_with(r.elements.error.message);
    const long open = r.elements.checked - r.decided;
    if (open)
        printf("%ld are decided, and agree; of %ld nothing is known.\n", r.decided, open);
    else
        printf("All of them agree.\n");
    return 0;
}

static int look(settings *s, tl_run *run, tl_sentences *sentences) {
    const tl_batch *batch = &sentences->batch;
    tl_error error = {""};
    tl_fault fault;
    if (s->gradcheck.list_faults) return list_faults(s, run, batch);
    if (!s->gradcheck.fault) return check(s, run, batch, NULL);
    tl_fault_of(s->gradcheck.fault, &fault, &error);
    if (!record(s, run, batch)) return status_of(run, &error);
    if (count_of(tl_run_tape(run), fault.operation) == 0) return no_such_operation(s, &fault);
    return check(s, run, batch, &fault);
}

int command_gradcheck(settings *s) {
    tl_error error = {""};
    tl_fault fault;
    if (s->gradcheck.fault && !tl_fault_of(s->gradcheck.fault, &fault, &error))
        return usage_with("gradcheck", error.message); /* before a run is opened */
    return with_several(s, SENTENCES, look);
}
