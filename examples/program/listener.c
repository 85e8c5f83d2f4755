/* Shows what a run reports: progress bars and warnings on standard error, validations on standard output. Ctrl-C
 * ends training after the current update; so does SIGTERM or SIGUSR1 from a job's scheduler or mpirun. With several
 * ranks only rank 0 shows and stops. */
#define _POSIX_C_SOURCE 200809L /* sigaction */
#include "program.h"

#include <math.h>
#include <signal.h>

/* ---- Ctrl-C ---- */

/* The signal, set by its handler. A second Ctrl-C ends the program at once. A second SIGUSR1, which a scheduler may
 * send, has no further effect. */
static volatile sig_atomic_t interrupted;

static void on_signal(int number) { interrupted = number; }

static void set_handlers(int flags) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = flags};
    interrupted = 0;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    action.sa_flags = 0;
    sigaction(SIGUSR1, &action, NULL);
}

void catch_signals(void) { set_handlers((int)SA_RESETHAND); }

/* For ranks other than 0. mpirun passes signals on to all ranks; these ranks continue until rank 0 stops them, and if
 * rank 0 dies, MPI ends them. */
static void continue_after_signals(void) { set_handlers(0); }

int interrupted_by(void) { return (int)interrupted; }

static bool stop(void *context) { return (void)context, interrupted != 0; }

/* ---- passes ---- */

static void work_began(void *context, tl_work work, long total) {
    listener *l = context;
    static const char *const labels[] = {[TL_WORK_MERGES] = "byte pairs",
                                         [TL_WORK_CUTTING] = "cutting text",
                                         [TL_WORK_LOSS] = "measuring the loss",
                                         [TL_WORK_TRANSLATING] = "translating",
                                         [TL_WORK_CLASSIFYING] = "classifying"};
    const bool writing = work == TL_WORK_TRANSLATING, validating = writing && l->valid;
    l->pass = (tl_progress){.out = common_of(l->settings)->quiet ? NULL : stderr,
                            .label = validating                        ? "validating"
                                     : writing && this_program.writing ? this_program.writing
                                                                       : labels[work],
                            .total = total,
                            .unit = work == TL_WORK_MERGES                        ? "merge"
                                    : work == TL_WORK_CUTTING && this_program.cut ? this_program.cut
                                                                                  : this_program.unit,
                            .no_loss = true};
    /* these passes are mostly short: show the bar only from the second second on */
    if (work == TL_WORK_CUTTING || work == TL_WORK_LOSS) l->pass.after = 1;
    tl_progress_start(&l->pass);
}

static void work_done(void *context, long done, double tokens) {
    tl_progress_update(&((listener *)context)->pass, done, 0, tokens);
}

static void work_ended(void *context) { tl_progress_pause(&((listener *)context)->pass); }

static void warning(void *context, const char *sentence) {
    (void)context;
    fprintf(stderr, "%s: warning: ", this_program.name);
    tl_show(sentence, stderr);
    fputc('\n', stderr);
}

static void left_out(void *context, const tl_corpus_report *report) {
    const listener *l = context;
    char text[TL_REPORT_TEXT];
    if (!common_of(l->settings)->quiet) fputs(tl_corpus_report_text(report, text), stderr);
}

/* ---- training ---- */

static void prepared(void *context, const tl_run *run, const tl_prepared *p) {
    listener *l = context;
    const common *c = common_of(l->settings);
    const bool highest = tl_tape_matmul_precision(tl_run_tape(run)) == TL_HIGHEST;
    l->valid = p->valid;
    if (c->check) tl_tape_set_checking(tl_run_tape(run), true);
    printf("%ld %ss to train on, %ld to validate on; ", p->trained, p->unit, p->validated);
    if (this_program.print_size) this_program.print_size(run);
    printf("%ld parameters; %s%s%s", tl_params_numel(tl_run_params(run)), tl_build_text(),
           highest ? "" : ", matrix precision ", highest ? "" : c->run.training.matmul_precision);
    print_ranks();
    printf("\n");
    fflush(stdout);
}

/* The only callback of a rank that does not lead: turns on checking as soon as there is a tape. */
static void check_from_here(void *context, const tl_run *run, const tl_prepared *p) {
    (void)context, (void)p;
    tl_tape_set_checking(tl_run_tape(run), true);
}

static void stage(void *context, const char *on) {
    listener *l = context;
    if (on)
        printf("First stage, on %s:\n", on);
    else
        printf("The first stage is over; its best weights are what the second begins with.\n");
    fflush(stdout);
    l->stage = on;
}

static void resumed(void *context, const tl_training_state *state) {
    (void)context;
    printf("Going on after update %ld, epoch %ld, %.0f s.\n", state->step, state->epoch, state->seconds);
    fflush(stdout);
}

static void started(void *context, const tl_training_plan *plan) {
    listener *l = context;
    l->training = (tl_progress){.out = common_of(l->settings)->quiet ? NULL : stderr,
                                .total = plan->total,
                                .first = plan->first,
                                .budget = plan->seconds};
    if (!l->stoppable) catch_signals(); /* only once: a stop between two stages also holds for the second */
    l->stoppable = true;
    tl_progress_start(&l->training);
}

static void updated(void *context, long step, double loss, double tokens) {
    tl_progress_update(&((listener *)context)->training, step, loss, tokens);
}

static void pause_bar(void *context) { tl_progress_pause(&((listener *)context)->training); }
static void resume_bar(void *context) { tl_progress_resume(&((listener *)context)->training); }

static void validated(void *context, const tl_validation *v) {
    listener *l = context;
    const tl_quality *q = v->quality;
    printf("epoch %ld, step %ld, %.0f s: train loss %.3f, valid loss %.3f, ", v->state->epoch, v->state->step,
           v->seconds, v->train_loss, q->loss);
    if (l->stage)
        printf("perplexity %.2f, accuracy %.1f %%", exp(q->loss), 100 * q->accuracy);
    else
        this_program.print_quality(q);
    printf("%s\n", v->best ? " (best so far)" : "");
    if (this_program.validated && !l->stage) this_program.validated(l, v);
    fflush(stdout);
}

static void averaged(void *context, int validations, const tl_quality *q) {
    (void)context;
    printf("average of the last %d: valid loss %.3f, ", validations, q->loss);
    this_program.print_quality(q);
    printf("; use it with --weights average\n");
}

/* ---- installing the listener ---- */

void listen_to(listener *l, settings *s, tl_run *run) {
    *l = (listener){.settings = s};
    if (!leads()) return;
    *l = (listener){.settings = s,
                    .events = {.context = l,
                               .warning = warning,
                               .left_out = left_out,
                               .work_began = work_began,
                               .work_done = work_done,
                               .work_ended = work_ended}};
    tl_run_tell(run, &l->events);
}

void listen_to_training(listener *l, settings *s, tl_run *run) {
    listen_to(l, s, run);
    tl_events *e = &l->events;
    if (!leads()) {
        continue_after_signals();
        e->prepared = check_from_here;
        if (common_of(s)->check) tl_run_tell(run, e);
        return;
    }
    e->stop = stop;
    e->prepared = prepared;
    e->stage = stage;
    e->resumed = resumed;
    e->started = started;
    e->updated = updated;
    e->validating = pause_bar;
    e->validated = validated;
    e->validation_over = resume_bar;
    e->ended = pause_bar;
    e->averaged = averaged;
}
