/* What a measurement can use: its trained run, training further runs, reporting numbers, and knowing when to stop. */
#define _POSIX_C_SOURCE 200809L /* mkdir */
#include "parts.h"

#include "../program/program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- numbers, folders, stopping ---- */

void put(numbers *out, const job *j, const char *what, double at, double value) {
    numbers_add(out, j->arm.name, j->seed, what, at, value);
}

const char *job_folder(const job *j, tl_error *error) {
    if (mkdir(j->own_dir, 0777) == 0 || errno == EEXIST) return j->own_dir;
    tl_error_set(error, "%s cannot be made: %s", j->own_dir, strerror(errno));
    return NULL;
}

static bool stop(void *context) { return (void)context, interrupted_by() != 0; }

bool job_stopped(const job *j) { return stop((void *)(uintptr_t)j); }

bool job_failed(const tl_run *run, const char *otherwise, tl_error *error) {
    return tl_error_set(error, "%s", tl_run_error(run) ? tl_run_error(run) : otherwise);
}

const tl_events *job_events(void) {
    static const tl_events events = {.stop = stop};
    return &events;
}

/* ---- runs ---- */

static char *weights_file(char to[FOLDER_SIZE + 64], const char *dir, long stop) {
    snprintf(to, FOLDER_SIZE + 64, "%s/at-%ld.safetensors", dir, stop);
    return to;
}

static bool copy(const char *from, const char *to, tl_error *error) {
    char *bytes;
    size_t size;
    if (!tl_file_read(from, &bytes, &size, error)) return false;
    const bool ok = tl_file_write(to, bytes, size, error);
    free(bytes);
    return ok;
}

static bool run_failed(const tl_run *run, const char *dir, tl_error *error) {
    return tl_error_set(error, "%s: %s", dir, tl_run_error(run) ? tl_run_error(run) : "out of memory");
}

/* How many updates a folder's run has done. */
static bool steps_of(tl_run *run, long *steps) {
    tl_training_state state;
    *steps = tl_run_state(run, &state) ? state.step : 0;
    return !tl_run_error(run);
}

/* Trains a folder's run from its current state up to `stop` updates. */
static bool train_to(const char *dir, const tl_run_settings *settings, long stop, const tl_events *events,
                     tl_error *error) {
    char checkpoint[FOLDER_SIZE + 64];
    snprintf(checkpoint, sizeof checkpoint, "%s/checkpoint.safetensors", dir);
    const bool goes_on = tl_file_is_there(checkpoint);
    tl_run *run =
        goes_on ? tl_run_open(dir, &(tl_run_choice){.weights = "none"}, error) : tl_run_new(dir, settings);
    if (!run) return tl_failed(error) ? false : tl_error_set(error, "out of memory");
    tl_run_settings_of(run)->training.steps = stop;
    tl_run_settings_of(run)->training.epochs = 0; /* otherwise the default of 10 epochs would apply */
    tl_run_tell(run, events);
    long steps = 0;
    tl_training_end end;
    bool ok = !goes_on || steps_of(run, &steps);
    if (ok && steps < stop) {
        const tl_ending ending = tl_run_train(run, true, &end);
        ok = ending == TL_ENDED;
        if (ending == TL_INTERRUPTED) tl_error_set(error, "interrupted");
        if (ok && end.state.step != stop)
            ok = tl_error_set(error, "%s: trained for %ld updates, should be %ld: %s", dir, end.state.step,
                              stop, end.why);
    }
    if (!ok && !tl_failed(error)) run_failed(run, dir, error);
    tl_run_free(run);
    return ok;
}

bool job_train(const job *j, const char *dir, const tl_run_settings *settings, const long *stops,
               const tl_events *events, tl_error *error) {
    char kept[FOLDER_SIZE + 64], last[FOLDER_SIZE + 64];
    const char *schedule = settings->training.schedule;
    (void)j;
    if (stops[0] && stops[1] && schedule && (!strcmp(schedule, "cosine") || !strcmp(schedule, "linear")))
        return tl_error_set(error, "a %s schedule depends on where it ends: one stop", schedule);
    snprintf(last, sizeof last, "%s/last.safetensors", dir);
    for (int i = 0; i < STOPS_MOST && stops[i]; i++) {
        if (tl_file_is_there(weights_file(kept, dir, stops[i]))) continue;
        if (!train_to(dir, settings, stops[i], events ? events : job_events(), error) ||
            !copy(last, kept, error))
            return false;
    }
    return true;
}

/* The library reports this only by a sentence, not by a code. A test lets a run diverge, to notice if the sentence
 * changes. */
bool job_diverged(const tl_error *error) {
    return strstr(error->message, "; what went wrong first: ") != NULL;
}

bool job_weights(tl_run *run, const char *dir, long stop, tl_error *error) {
    char kept[FOLDER_SIZE + 64];
    return tl_params_load(tl_run_params(run), weights_file(kept, dir, stop), error);
}

tl_run *job_open(const job *j, long stop, tl_error *error) {
    tl_run *run = tl_run_open(j->run_dir, &(tl_run_choice){.weights = stop ? "none" : "initial"}, error);
    if (run && stop && !job_weights(run, j->run_dir, stop, error)) {
        tl_run_free(run);
        run = NULL;
    }
    if (run) tl_run_tell(run, job_events());
    return run;
}

bool job_quality(tl_run *run, long most, bool writes, tl_quality *quality, tl_error *error) {
    tl_set *set = tl_set_new(run, &(tl_set_options){.most = most});
    const bool ok = set && tl_set_measure(set, writes, quality);
    tl_set_free(set);
    if (ok) return true;
    return job_failed(run, "interrupted", error);
}
