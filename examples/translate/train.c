/* translate train: takes steps until the steps, epochs, minutes or the patience are used up. Ctrl-C ends it after the step
 * that is running; whatever ends it, the checkpoint is whole and --resume goes on from it. */
#define _POSIX_C_SOURCE 200809L /* sigaction */
#include "training.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Ctrl-C ---- */

/* The signal, set by its handler; a second Ctrl-C ends the program at once. */
static volatile sig_atomic_t interrupted;

static void on_signal(int number) { interrupted = number; }

static void catch_signals(void) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    interrupted = 0;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* ---- before the first step ---- */

/* What a command line must say before anything is read. */
static bool check_command_line(settings *s, tl_error *error) {
    bool files = s->train || s->train_src || s->train_tgt, made = s->pair || s->task;
    if (s->pair && s->task) return tl_error_set(error, "--pair and --task: give one of them");
    if (made && (files || s->valid || s->valid_src || s->valid_tgt))
        return tl_error_set(error, "--%s makes its own sentences: leave out --train and --valid",
                            s->pair ? "pair" : "task");
    if (!made && !files)
        return tl_error_set(error,
                            "give --train FILE and --valid FILE (or --train-src, --train-tgt, --valid-src, "
                            "--valid-tgt), or --pair en-fr, or --task reverse");
    if (!made && (s->train ? s->train_src || s->train_tgt : !s->train_src || !s->train_tgt))
        return tl_error_set(error, "give --train FILE, or --train-src FILE and --train-tgt FILE");
    if (!made && (s->valid ? s->valid_src || s->valid_tgt : !s->valid_src || !s->valid_tgt))
        return tl_error_set(error, "give --valid FILE, or --valid-src FILE and --valid-tgt FILE");
    if (s->average > MOST_RECENT)
        return tl_error_set(error, "--average %ld: at most %d are possible", s->average, MOST_RECENT);
    return settings_complete(s, error);
}

static bool read_data(training *t) {
    const settings *s = &t->run.settings;
    t->train = data_part_of(s, DATA_TRAIN, 0, &t->run.error);
    if (t->train) t->valid = data_part_of(s, DATA_VALID, 0, &t->run.error);
    return !tl_failed(&t->run.error);
}

static const char *name_of(const char *tsv, const char *src) { return tsv ? tsv : src ? src : "made here"; }

static bool encode_data(training *t) {
    run *r = &t->run;
    const settings *s = &r->settings;
    t->train_cut = text_encode(r, t->train);
    if (!t->train_cut || !data_drop_long(r, t->train, t->train_cut, name_of(s->train, s->train_src)))
        return false;
    t->valid_cut = text_encode(r, t->valid);
    return t->valid_cut && data_drop_long(r, t->valid, t->valid_cut, name_of(s->valid, s->valid_src));
}

static uint64_t fingerprint(const training *t) {
    return data_fingerprint((const tl_corpus *const[]){t->train, t->valid}, 2);
}

static bool make_training(training *t) {
    run *r = &t->run;
    const settings *s = &r->settings;
    tl_batches_config config = {.tokens = s->batch_tokens, .order = TL_SHUFFLED, .seed = (uint64_t)s->seed};
    t->batches = tl_batches_new(t->train_cut, &config);
    if (tl_batches_error(t->batches)) return tl_error_set(&r->error, "%s", tl_batches_error(t->batches));
    t->adam = tl_adam_new(r->params, &(tl_adam_config){.beta2 = s->beta2});
    return t->adam || tl_error_set(&r->error, "out of memory for the optimiser");
}

static bool prepare_new(training *t) {
    run *r = &t->run;
    if (!read_data(t) || !text_learn(r, t->train) || !text_make_vocabularies(r, t->train) ||
        !encode_data(t) || !run_make_model(r, true) || !run_save_description(r) || !make_training(t))
        return false;
    t->now.fingerprint = fingerprint(t);
    return log_open(t, false);
}

static bool is_missing(const char *path) {
    FILE *there = path ? fopen(path, "rb") : NULL;
    if (there) fclose(there);
    return path && !there;
}

/* Says where paths in a config.txt begin, if that is why a file was not found. */
static bool read_data_again(training *t) {
    const settings *s = &t->run.settings;
    if (read_data(t)) return true;
    tl_error why = t->run.error;
    if (!is_missing(s->train) && !is_missing(s->train_src) && !is_missing(s->train_tgt) &&
        !is_missing(s->valid) && !is_missing(s->valid_src) && !is_missing(s->valid_tgt))
        return false;
    t->run.error = (tl_error){""};
    return tl_error_set(&t->run.error,
                        "%s; or go on from the folder where training was started, or say anew where the "
                        "sentences are (--train, --valid)",
                        why.message);
}

static bool prepare_resumed(training *t) {
    run *r = &t->run;
    if (!run_load_text(r, r->settings.out) || !read_data_again(t) || !encode_data(t) ||
        !run_make_model(r, false) || !make_training(t) || !state_load(&t->now, r, t->adam))
        return false;
    if (t->now.fingerprint != fingerprint(t))
        return tl_error_set(
            &r->error,
            "the sentences are not those that the run in %s was trained on: put them back, or start a new "
            "run",
            r->settings.out);
    if (!tl_batches_seek(t->batches, t->now.position))
        return tl_error_set(&r->error, "%s", tl_batches_error(t->batches));
    recent_forget(&t->now, r);
    return log_open(t, true);
}

/* ---- how long ---- */

long planned_steps(const training *t) {
    const settings *s = &t->run.settings;
    long batches = tl_batches_per_epoch(t->batches),
         by_epochs = s->epochs * ((batches + s->accumulate - 1) / s->accumulate);
    if (s->steps && by_epochs) return s->steps < by_epochs ? s->steps : by_epochs;
    return s->steps ? s->steps : by_epochs;
}

double elapsed(const training *t) { return seconds_now() - t->began; }

/* Why training is over; NULL while it is not. */
static const char *is_over(const training *t) {
    const settings *s = &t->run.settings;
    long total = planned_steps(t);
    if (total && t->now.step >= total) return "all steps are done";
    if (s->minutes > 0 && elapsed(t) >= 60 * s->minutes && t->now.step) return "the time is up";
    if (s->patience && t->now.waited >= s->patience)
        return "no validation was better for as long as --patience says";
    return NULL;
}

/* The same once the last updates have been validated too: what is_over says may come true between two of them. */
static const char *is_complete(const training *t) { return t->now.due || t->now.updates ? NULL : is_over(t); }

/* ---- the run ---- */

static bool save_checkpoint(training *t) {
    t->now.position = tl_batches_tell(t->batches);
    t->now.seconds = elapsed(t);
    t->now.busy += seconds_now() - t->resumed;
    t->resumed = seconds_now();
    return state_save(&t->now, &t->run, t->adam);
}

/* Until training is over or interrupted. */
static bool train(training *t) {
    const settings *s = &t->run.settings;
    for (;;) {
        bool over = is_over(t) != NULL, ended = false;
        if (!*t->stop && (t->now.due || (over && t->now.updates)) && !validate(t)) {
            if (tl_failed(&t->run.error)) return false;
            t->now.due = true; /* interrupted: validate first when going on */
        }
        if (*t->stop) return save_checkpoint(t);
        if (is_complete(t)) return true;
        long before = t->now.step;
        if (!update(t, &ended)) return false;
        t->now.epoch += ended;
        t->now.due = s->validate_every ? t->now.step > before && t->now.step % s->validate_every == 0 : ended;
    }
}

static bool train_with_progress(training *t) {
    const settings *s = &t->run.settings;
    t->began = seconds_now() - t->now.seconds;
    t->resumed = seconds_now();
    t->progress = progress_of(s, NULL);
    t->progress.total = planned_steps(t);
    t->progress.first = t->now.step;
    t->progress.budget = s->minutes > 0 ? 60 * s->minutes - t->now.seconds : 0;
    catch_signals();
    t->stop = &interrupted;
    tl_progress_start(&t->progress);
    bool ok = train(t);
    tl_progress_pause(&t->progress);
    ok = ok && run_save_weights(&t->run, "last.safetensors");
    ok = ok && (!s->average || (recent_average(&t->now, &t->run) && (*t->stop || validate_average(t))));
    if (ok) draw_curves(t);
    return ok;
}

static void say_start(const training *t) {
    const run *r = &t->run;
    const bool highest = tl_tape_matmul_precision(r->tape) == TL_HIGHEST;
    const char *less_exact = highest ? "" : r->settings.matmul_precision;
    printf("%ld pairs to train on, %ld to validate on; vocabularies %ld and %ld; %ld parameters; %s%s%s\n",
           tl_corpus_size(t->train), tl_corpus_size(t->valid), tl_vocab_size(r->source),
           tl_vocab_size(r->target), tl_params_numel(r->params), tl_build_text(),
           *less_exact ? ", matrix precision " : "", less_exact);
    if (r->settings.resume)
        printf("Going on after update %ld, epoch %ld, %.0f s.\n", t->now.step, t->now.epoch, t->now.seconds);
    fflush(stdout);
}

/* Stopped by a signal while something was left to do. */
static bool is_cut_short(const training *t) { return *t->stop && !is_complete(t); }

static void say_end(const training *t) {
    const settings *s = &t->run.settings;
    char program[WORD_SIZE], run[WORD_SIZE];
    if (is_cut_short(t))
        printf("Interrupted after update %ld; everything is saved. Go on with:\n  %s train --resume %s\n",
               t->now.step, shell_word(program, s->program), shell_word(run, s->out));
    else
        printf("Ended: %s. The run is in %s: model.safetensors has the weights of the best validation "
               "(update %ld, BLEU "
               "%.2f).\n",
               is_over(t), s->out, t->now.best_step, t->now.best_bleu);
}

static int finish(training *t, bool ok) {
    if (t->log && !tl_csv_close(t->log, &t->run.error)) ok = false;
    int status = ok ? 0 : fail_with(t->run.error.message);
    tl_adam_free(t->adam);
    tl_batches_free(t->batches);
    tl_corpus_free(t->train);
    tl_corpus_free(t->train_cut);
    tl_corpus_free(t->valid);
    tl_corpus_free(t->valid_cut);
    run_free(&t->run);
    return status;
}

int run_training(const char *command, settings *s) {
    tl_error wrong = {""};
    if (!s->resume && !check_command_line(s, &wrong)) return usage_with(command, wrong.message);
    training t = {.run.settings = *s, .stop = &interrupted};
    bool ok = true;
    if (s->resume) {
        ok = run_load_settings(&t.run, s->resume, true);
        t.run.settings.out = s->resume;
    }
    ok = ok && (s->resume ? prepare_resumed(&t) : prepare_new(&t));
    if (ok) {
        say_start(&t);
        t.began = seconds_now() - t.now.seconds;
        const char *why = is_complete(&t);
        if (why)
            ok = tl_error_set(
                &t.run.error,
                "there is nothing left to do: %s; give --steps, --epochs, --minutes or --patience "
                "anew to go on",
                why);
    }
    ok = ok && (!s->resume || run_save_settings(&t.run)); /* what was said anew holds when it goes on again */
    ok = ok && train_with_progress(&t);
    if (ok) say_end(&t);
    bool cut_short = ok && is_cut_short(&t);
    return finish(&t, ok) ? 1 : cut_short ? 128 + interrupted : 0;
}

int command_train(settings *s) {
    int status = run_training("train", s);
    char program[WORD_SIZE], run[WORD_SIZE];
    shell_word(program, s->program), shell_word(run, s->resume ? s->resume : s->out);
    if (!status)
        printf(
            "Go on:\n  %s translate --model %s < sentences.txt\n  %s evaluate --model %s --test test.tsv\n",
            program, run, program, run);
    return status;
}
