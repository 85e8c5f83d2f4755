/* Training a run: makes or reads its program's data, text and model, and then runs the loop (training.c). */
#include "events.h"
#include "from.h"
#include "heads.h"
#include "programs.h"
#include "training.h"

/* Makes what training begins with: data, text and a model. */
static bool make(tl_run *run, const tl_run_program *program) {
    const bool from = run->settings.model.from != NULL;
    return program->read(run) && (from ? tl_from_text(run) : program->learn_text(run)) &&
           program->encode(run) && tl_run_make_model(run) && (!from || tl_from_weights(run));
}

/* ---- ranks ---- */

/* Do all ranks begin with the same data and weights? */
static bool same_beginning(tl_run *run, const tl_run_program *program) {
    tl_task task;
    tl_prepared prepared;
    if (tl_ranks_count(run->ranks) == 1) return true;
    program->task(run, &task, &prepared);
    return tl_same_data(run->ranks, task.fingerprint, &run->error) &&
           tl_same_model(run->ranks, run->params, true, &run->error);
}

/* Were all ranks started with the same settings? */
static bool ranks_agree(tl_run *run, const tl_run_program *program) {
    if (tl_ranks_count(run->ranks) == 1) return true;
    tl_config *settings = tl_config_new();
    tl_options_write(program->options, &run->settings, settings);
    const bool same = tl_same_settings(run->ranks, settings, &run->error);
    return same && tl_same_build(run->ranks, &run->error) &&
           tl_enough_shares(run->ranks, run->settings.training.shares, run->in_folder, &run->error);
}

/* ---- before the loop ---- */

static bool prepare_new(tl_run *run, const tl_run_program *program, bool overwrite) {
    tl_run_forget_model(run);
    /* the caller may have changed them */
    if (!tl_run_settings_complete(&run->settings, &run->error)) return false;
    /* Obstacles are reported now, before long work. A missing folder is made only when needed, and an old model is
     * removed only when nothing else can fail. */
    const bool leads = tl_ranks_lead(run->ranks);
    const bool free_to_begin =
        !leads || !tl_file_is_there(run->dir) ||
        (tl_make_dirs(run->dir, &run->error) && tl_run_lock(run) && tl_run_may_begin(run, overwrite));
    return tl_ranks_agree(run->ranks, free_to_begin, &run->error) &&
           tl_ranks_agree(run->ranks, make(run, program), &run->error) && same_beginning(run, program) &&
           (!leads || tl_run_save_description(run, overwrite));
}

tl_run *tl_run_fresh(const tl_run_settings *settings, tl_error *error) {
    tl_run *run = tl_run_new("(a fresh model)", settings);
    const tl_run_program *program =
        tl_run_usable(run) ? tl_run_program_of(run->settings.program, &run->error) : NULL;
    const bool ok = program && make(run, program);
    if (program) program->forget_data(run);
    if (ok) {
        run->data = NULL;
        return run;
    }
    tl_error_set(error, "%s", run ? run->error.message : "out of memory for a run");
    tl_run_free(run);
    return NULL;
}

static bool is_missing(const char *path) { return path && !tl_file_is_there(path); }

/* If a file was not found, adds to the error where paths in a config.txt start from. */
static bool read_again(tl_run *run, const tl_run_program *program) {
    const tl_data_settings *s = &run->settings.data;
    if (program->read(run)) return true;
    if (!is_missing(s->train) && !is_missing(s->train_src) && !is_missing(s->train_tgt) &&
        !is_missing(s->valid) && !is_missing(s->valid_src) && !is_missing(s->valid_tgt))
        return false;
    tl_error why = run->error;
    tl_error_clear(&run->error);
    return tl_error_set(&run->error,
                        "%s; or go on from the folder where training was started, or say anew where the "
                        "sentences are (--train, --valid)",
                        why.message);
}

static bool prepare_resumed(tl_run *run, const tl_run_program *program) {
    tl_error wrong = {""};
    if (tl_ranks_lead(run->ranks) && !tl_run_lock(run)) return false;
    if (!tl_run_settings_complete(&run->settings, &wrong))
        return tl_error_set(&run->error, "%s/config.txt: %s", run->dir, wrong.message);
    return read_again(run, program) && program->encode(run);
}

bool tl_run_begins(tl_run *run) {
    return !run->in_folder || !tl_ranks_lead(run->ranks) || tl_run_save_settings(run);
}

static tl_ending train(tl_run *run, const tl_run_program *program, tl_training_end *end) {
    tl_task task;
    tl_prepared prepared;
    program->task(run, &task, &prepared);
    task.score = program->score;
    task.score_label = program->score_label;
    TL_TELL(run->events, prepared, run, &prepared);
    const tl_ending before = program->before ? program->before(run, end) : TL_ENDED;
    if (before != TL_ENDED) return before;
    const tl_group_options gates = tl_heads_group(run);
    const tl_train_config config = {.dir = run->dir,
                                    .groups = &gates,
                                    .group_count = TL_GATES_GROUP,
                                    .params = run->params,
                                    .tape = run->tape,
                                    .training = &run->settings.training,
                                    .validation = &run->settings.validation,
                                    .task = &task,
                                    .events = run->events,
                                    .folder = run->folder,
                                    .model = run->model,
                                    .ranks = run->ranks,
                                    .resume = run->in_folder && !run->from_stage};
    tl_heads_freeze_unreached(run, true);
    const tl_ending ending = tl_train(&config, end, &run->error);
    tl_heads_freeze_unreached(run, false);
    return ending;
}

tl_ending tl_run_train(tl_run *run, bool overwrite, tl_training_end *end) {
    const tl_run_program *program =
        tl_run_usable(run) ? tl_run_program_of(run->settings.program, &run->error) : NULL;
    if (!program) return TL_FAILED;
    const bool ok =
        ranks_agree(run, program) &&
        tl_ranks_agree(run->ranks,
                       run->in_folder ? prepare_resumed(run, program) : prepare_new(run, program, overwrite),
                       &run->error);
    const tl_ending ending = ok ? train(run, program, end) : TL_FAILED;
    if (ending != TL_FAILED) run->in_folder = true;
    run->from_stage = false;
    tl_folder_unlock(run->folder);
    run->folder = NULL;
    program->forget_data(run);
    run->data = NULL;
    return ending;
}

bool tl_run_state(tl_run *run, tl_training_state *state) {
    const tl_run_program *program =
        tl_run_usable(run) ? tl_run_program_of(run->settings.program, &run->error) : NULL;
    return program && tl_training_state_read(run->dir, program->score, state, &run->error);
}
