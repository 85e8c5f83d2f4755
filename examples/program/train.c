/* train: a new run, or resuming one, until its steps, epochs, minutes or patience are used up or Ctrl-C ends it.
 * However it ends, the checkpoint is whole, and --resume continues from it. */
#include "program.h"

#include <string.h>

/* ---- resuming a run ---- */

static bool is_end(const tl_option *o) {
    return !strcmp(o->name, "steps") || !strcmp(o->name, "epochs") || !strcmp(o->name, "minutes");
}

/* A new limit replaces the old ones. */
static void forget_end(const common *c, tl_training_settings *t) {
    for (int i = 0; i < c->argc; i++) {
        const tl_option *o = tl_options_named(c->options, c->argv[i]);
        if (o && is_end(o)) t->steps = t->epochs = 0, t->minutes = 0;
    }
}

/* Puts the command line over the run's own settings; changing what has already been trained is an error. */
static bool say_anew(settings *s, tl_run *run, tl_error *error) {
    const common *c = common_of(s);
    for (int i = 0; i < c->argc; i++) {
        const tl_option *o = tl_options_named(c->options, c->argv[i]);
        if (o && !o->anew)
            return tl_error_set(
                error, "--%s cannot change while a run goes on: leave it out, or start a new run", o->name);
    }
    forget_end(c, &tl_run_settings_of(run)->training);
    tl_run_settings_of(run)->demo = false; /* trained further, it is no demo any more */
    return settings_over(s, run, error);
}

/* ---- a run that starts from another run's weights ---- */

/* Makes the settings that run's, with the command line over them. The returned run owns their texts; free it after
 * training. NULL, and an error, on failure. */
static tl_run *begin_from(settings *s, tl_error *error) {
    common *c = common_of(s);
    tl_run *other = tl_run_open(c->run.model.from, &(tl_run_choice){"none", this_program.name}, error);
    if (!other) return NULL;
    tl_run_settings_of(other)->demo = false;
    forget_end(c, &tl_run_settings_of(other)->training);
    if (settings_over(s, other, error)) return other;
    tl_run_free(other);
    return NULL;
}

/* ---- the run ---- */

/* NULL, and an error, on failure. */
static tl_run *run_to_train(settings *s, tl_error *error) {
    const common *c = common_of(s);
    if (!c->resume) return tl_run_new(c->out, &c->run);
    tl_run *run = tl_run_open(c->resume, &(tl_run_choice){"none", this_program.name}, error);
    if (run && say_anew(s, run, error)) return run;
    tl_run_free(run);
    return NULL;
}

static void say_end(const common *c, const tl_run *run, tl_ending ending, const tl_training_end *end) {
    char program[WORD_SIZE];
    const char *score = tl_run_score_label(run);
    if (ending == TL_INTERRUPTED) {
        printf("Interrupted after update %ld; everything is saved. Go on with:\n  ", end->state.step);
        print_launcher();
        printf("%s train", tl_shell_word(c->program, program, sizeof program));
        print_option("resume", tl_run_dir(run));
        printf("\n");
        return;
    }
    printf("Ended: %s. ", end->why);
    print_name("The run is in ", tl_run_dir(run), "");
    printf(": model.safetensors has the weights of the best validation (update %ld, ", end->state.best_step);
    if (score)
        printf("%s %.2f).\n", score, end->state.best_score);
    else
        printf("loss %.3f).\n", end->state.best_loss);
}

/* Several ranks cannot all read standard input. */
static bool can_read_texts(tl_run *run, tl_error *error) {
    const tl_data_settings *d = &tl_run_settings_of(run)->data;
    return !this_program.trains_on_input ||
           (no_standard_input("train", d->train, error) && no_standard_input("valid", d->valid, error));
}

static int train(const char *command, settings *s) {
    const common *c = common_of(s);
    tl_error error = {""};
    listener l;
    tl_training_end end;
    if (!c->resume && this_program.may_train && !this_program.may_train(s, &error))
        return usage_with(command, error.message);
    tl_run *run = run_to_train(s, &error);
    if (!all_well(run, run != NULL, &error)) return tl_run_free(run), fail_with(error.message);
    if (!can_read_texts(run, &error)) return tl_run_free(run), usage_with(command, error.message);
    if (!all_well(NULL, true, &error)) return tl_run_free(run), fail_with(error.message);
    tl_run_share_with(run, shared_ranks());
    listen_to_training(&l, s, run);
    if (this_program.caution && leads()) this_program.caution(run);
    tl_ending ending = tl_run_train(run, c->overwrite, &end);
    if (ending != TL_FAILED) say_end(c, run, ending, &end);
    int status = status_of(run, &error);
    if (!status && ending == TL_ENDED && !strcmp(command, "train") && this_program.say_next)
        this_program.say_next(s, run);
    tl_run_free(run);
    return status ? status : ending == TL_INTERRUPTED ? 128 + interrupted_by() : 0;
}

int run_training(const char *command, settings *s) {
    const common *c = common_of(s);
    tl_error error = {""};
    if (c->resume || !c->run.model.from) return train(command, s);
    tl_run *from = begin_from(s, &error);
    if (!all_well(NULL, from != NULL, &error)) return tl_run_free(from), fail_with(error.message);
    const int status = train(command, s);
    tl_run_free(from);
    return status;
}

int command_train(settings *s) { return run_training("train", s); }

/* ---- a demo ---- */

static bool is_demo_folder(const char *dir) {
    tl_error none = {""};
    tl_run *run = tl_run_open(dir, &(tl_run_choice){"none", this_program.name}, &none);
    const bool made = run && tl_run_settings_of(run)->demo;
    tl_run_free(run);
    return made;
}

int run_demo(settings *s) {
    common *c = common_of(s);
    c->run.demo = true;
    if (!c->overwrite) c->overwrite = is_demo_folder(c->out);
    return run_training("demo", s);
}
