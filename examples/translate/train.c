/* translate train: a new run, or on with one, until its steps, epochs, minutes or patience are used up or Ctrl-C ends it.
 * Whatever ends it, the checkpoint is whole and --resume goes on from it. */
#include "program.h"

#include <string.h>

/* What a command line must say before anything is read. */
static bool check_command_line(settings *s, tl_error *error) {
    const tl_data_settings *d = &s->run.data;
    bool files = d->train || d->train_src || d->train_tgt, made = d->pair || d->task;
    if (d->pair && d->task) return tl_error_set(error, "--pair and --task: give one of them");
    if (made && (files || d->valid || d->valid_src || d->valid_tgt))
        return tl_error_set(error, "--%s makes its own sentences: leave out --train and --valid",
                            d->pair ? "pair" : "task");
    if (!made && !files)
        return tl_error_set(error,
                            "give --train FILE and --valid FILE (or --train-src, --train-tgt, --valid-src, "
                            "--valid-tgt), or --pair en-fr, or --task reverse");
    if (!made && (d->train ? d->train_src || d->train_tgt : !d->train_src || !d->train_tgt))
        return tl_error_set(error, "give --train FILE, or --train-src FILE and --train-tgt FILE");
    if (!made && (d->valid ? d->valid_src || d->valid_tgt : !d->valid_src || !d->valid_tgt))
        return tl_error_set(error, "give --valid FILE, or --valid-src FILE and --valid-tgt FILE");
    return tl_run_settings_complete(&s->run, error);
}

/* ---- going on with a run ---- */

static bool is_end(const tl_option *o) {
    return !strcmp(o->name, "steps") || !strcmp(o->name, "epochs") || !strcmp(o->name, "minutes");
}

/* The command line over the run's own settings: what would change what has been trained so far is an error. */
static bool say_anew(settings *s, tl_run *run, tl_error *error) {
    tl_training_settings *t = &tl_run_settings_of(run)->training;
    for (int i = 0; i < s->argc; i++) {
        const tl_option *o = tl_options_named(s->options, s->argv[i]);
        if (o && !o->anew)
            return tl_error_set(
                error, "--%s cannot change while a run goes on: leave it out, or start a new run", o->name);
        if (o && is_end(o)) t->steps = t->epochs = 0, t->minutes = 0; /* a new end replaces the old one */
    }
    return settings_over(s, run, error);
}

/* NULL, and an error, on failure. */
static tl_run *run_to_train(settings *s, tl_error *error) {
    if (!s->resume) return tl_run_new(s->out, &s->run);
    tl_run *run = tl_run_open(s->resume, &(tl_run_choice){.weights = "none"}, error);
    if (run && say_anew(s, run, error)) return run;
    tl_run_free(run);
    return NULL;
}

/* ---- the run ---- */

/* " --name word", or with = where the word would be taken for an option. */
static void print_option(const char *name, const char *word) {
    char shell[WORD_SIZE];
    printf(" --%s%s%s", name, strncmp(word, "--", 2) ? " " : "=", tl_shell_word(word, shell, sizeof shell));
}

static void say_end(const settings *s, const tl_run *run, tl_ending ending, const tl_training_end *end) {
    char program[WORD_SIZE];
    if (ending == TL_INTERRUPTED) {
        printf("Interrupted after update %ld; everything is saved. Go on with:\n  %s train", end->state.step,
               tl_shell_word(s->program, program, sizeof program));
        print_option("resume", tl_run_dir(run));
        printf("\n");
    } else {
        printf("Ended: %s. ", end->why);
        print_name("The run is in ", tl_run_dir(run), "");
        printf(": model.safetensors has the weights of the best validation (update %ld, BLEU %.2f).\n",
               end->state.best_step, end->state.best_score);
    }
}

/* What can be typed as it stands, on sentences that are there. */
static void say_next(const settings *s, const tl_data_settings *d, const char *dir) {
    char program[WORD_SIZE], word[WORD_SIZE];
    tl_shell_word(s->program, program, sizeof program);
    printf("Go on:\n  ");
    if (d->pair || d->task)
        printf("echo '%s' | ", d->pair ? "the small cats do not sleep ." : "1 1 1");
    else if (d->valid)
        printf("cut -f 1 < %s | ", tl_shell_word(d->valid, word, sizeof word));
    printf("%s translate", program);
    print_option("model", dir);
    if (d->valid_src) printf(" < %s", tl_shell_word(d->valid_src, word, sizeof word));
    printf("\n  %s evaluate", program);
    print_option("model", dir);
    if (d->valid) print_option("test", d->valid);
    if (d->valid_src) print_option("test-src", d->valid_src), print_option("test-tgt", d->valid_tgt);
    printf("\n");
}

int run_training(const char *command, settings *s) {
    tl_error error = {""};
    listener l;
    tl_training_end end;
    if (!s->resume && !check_command_line(s, &error)) return usage_with(command, error.message);
    tl_run *run = run_to_train(s, &error);
    if (!run) return fail_with(tl_failed(&error) ? error.message : tl_run_error(run));
    listen_to_training(&l, s, run);
    caution_of(run);
    tl_ending ending = tl_run_train(run, s->overwrite, &end);
    if (ending != TL_FAILED) say_end(s, run, ending, &end);
    int status = status_of(run, &error);
    if (!status && ending == TL_ENDED && !strcmp(command, "train"))
        say_next(s, &tl_run_settings_of(run)->data, tl_run_dir(run));
    tl_run_free(run);
    return status ? status : ending == TL_INTERRUPTED ? 128 + interrupted_by() : 0;
}

int command_train(settings *s) { return run_training("train", s); }
