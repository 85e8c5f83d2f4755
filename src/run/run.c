/* A run in memory: making it, freeing it, and its parts. */
#include "paths.h"
#include "run.h"

#include <stdlib.h>
#include <string.h>

tl_run *tl_run_in(const char *dir) {
    tl_run *run = calloc(1, sizeof *run);
    if (!run) return NULL;
    if (!dir || !*dir) {
        tl_error_set(&run->error, "a run's folder has no name: give a path");
        return run;
    }
    if (strlen(dir) > TL_LONGEST_DIR) { /* longer paths would be cut and lead elsewhere */
        tl_error_set(&run->error, "a run's folder has a name of %zu bytes: choose one of at most %d",
                     strlen(dir), TL_LONGEST_DIR);
        return run;
    }
    run->dir = malloc(strlen(dir) + 1);
    if (run->dir)
        strcpy(run->dir, dir);
    else
        tl_error_set(&run->error, "out of memory for a run");
    return run;
}

tl_run *tl_run_new(const char *dir, const tl_run_settings *settings) {
    tl_run *run = tl_run_in(dir);
    if (!run) return NULL;
    run->settings = settings ? *settings : tl_run_settings_default();
    tl_run_settings_complete(&run->settings, &run->error);
    return run;
}

void tl_run_forget_model(tl_run *run) {
    tl_batches_free(run->batches);
    tl_pictures_free(run->pictures);
    tl_corpus_free(run->lines);
    tl_tape_free(run->tape);
    tl_params_free(run->params);
    if (run->vocab[TL_TARGET] != run->vocab[TL_SOURCE]) tl_vocab_free(run->vocab[TL_TARGET]);
    tl_vocab_free(run->vocab[TL_SOURCE]);
    tl_bpe_free(run->bpe);
    tl_bpe_free(run->target_bpe);
    tl_labels_free(run->labels);
    tl_byte_bpe_free(run->byte_bpe);
    run->batches = NULL;
    run->pictures = NULL;
    run->lines = NULL;
    run->tape = NULL;
    run->params = NULL;
    run->model = NULL;
    run->vocab[TL_SOURCE] = run->vocab[TL_TARGET] = NULL;
    run->bpe = run->target_bpe = NULL;
    run->labels = NULL;
    run->byte_bpe = NULL;
}

void tl_run_free(tl_run *run) {
    if (!run) return;
    tl_run_forget_model(run);
    tl_config_free(run->config);
    free(run->dir);
    free(run);
}

const char *tl_run_error(const tl_run *run) {
    if (!run) return "run: it could not be opened, or ran out of memory";
    if (tl_failed(&run->error)) return run->error.message;
    return run->tape ? tl_tape_error(run->tape) : NULL;
}

void tl_run_clear_error(tl_run *run) {
    if (!run) return;
    tl_error_clear(&run->error);
    tl_tape_clear_error(run->tape);
}

void tl_run_tell(tl_run *run, const tl_events *events) {
    if (run) run->events = events;
}

void tl_run_share_with(tl_run *run, tl_ranks *ranks) {
    if (run) run->ranks = ranks;
}

const char *tl_run_dir(const tl_run *run) { return run ? run->dir : NULL; }
tl_run_settings *tl_run_settings_of(tl_run *run) { return run ? &run->settings : NULL; }
const tl_vocab *tl_run_vocab(const tl_run *run, tl_side side) {
    return run ? run->vocab[side == TL_TARGET] : NULL;
}
const tl_bpe *tl_run_bpe(const tl_run *run) { return run ? run->bpe : NULL; }
tl_params *tl_run_params(const tl_run *run) { return run ? run->params : NULL; }
tl_tape *tl_run_tape(const tl_run *run) { return run ? run->tape : NULL; }
const tl_model *tl_run_model(const tl_run *run) { return run ? run->model : NULL; }
const tl_transformer *tl_run_transformer(const tl_run *run) {
    return run && run->model == &run->transformer.model ? &run->transformer : NULL;
}
const tl_seq2seq *tl_run_seq2seq(const tl_run *run) {
    return run && run->model == &run->seq2seq.model ? &run->seq2seq : NULL;
}
const tl_gpt *tl_run_gpt(const tl_run *run) {
    return run && run->model == &run->gpt.model ? &run->gpt : NULL;
}
const tl_byte_bpe *tl_run_byte_bpe(const tl_run *run) { return run ? run->byte_bpe : NULL; }

bool tl_run_has_model(tl_run *run) {
    if (!tl_run_usable(run)) return false;
    if (run->model) return true;
    return tl_error_set(&run->error, "the run in %s has no model yet: train it, or open one that is trained",
                        run->dir);
}
