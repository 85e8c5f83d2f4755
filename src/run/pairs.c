/* Training on sentence pairs: from files to batches, and what the loop need not know of them. */
#include "events.h"
#include "run.h"

#include <string.h>

typedef struct pairs {
    tl_run *run;
    tl_corpus *train, *train_cut, *valid, *valid_cut; /* as people write, and as tokens with ids */
    tl_corpus *fresh; /* with BPE-dropout: train, cut for the epoch that the batches are at; otherwise NULL */
    tl_batches *batches;
    tl_batch batch;
} pairs;

/* ---- the task ---- */

/* Batches of a corpus from the beginning of an epoch on. */
static bool make_batches(pairs *p, const tl_corpus *corpus, long epoch) {
    const tl_training_settings *s = &p->run->settings.training;
    tl_batches_config config = {.tokens = s->batch_tokens, .order = TL_SHUFFLED, .seed = (uint64_t)s->seed};
    tl_batches_free(p->batches);
    p->batches = tl_batches_new(corpus, &config);
    if (!tl_batches_error(p->batches)) tl_batches_seek(p->batches, (tl_batches_position){epoch, 0});
    return !tl_batches_error(p->batches) || tl_error_set(&p->run->error, "%s", tl_batches_error(p->batches));
}

/* With BPE-dropout every epoch has a cut of its own, and so batches of its own: sentences come once each in all of them,
 * their lengths, and with them the number of batches, are the epoch's. */
static bool cut_for_epoch(pairs *p, long epoch) {
    tl_run *run = p->run;
    const long most = run->settings.data.max_length;
    tl_corpus *fresh = tl_run_cut_for_epoch(run, p->train, p->train_cut, epoch,
                                            most && most < TL_LONGEST_SENTENCE ? most : TL_LONGEST_SENTENCE);
    const bool ok = fresh && make_batches(p, fresh, epoch);
    tl_corpus_free(p->fresh);
    p->fresh = fresh;
    return ok;
}

static bool next(void *context) {
    pairs *p = context;
    if (tl_batches_next(p->batches, &p->batch)) return true;
    if (tl_batches_error(p->batches))
        tl_error_set(&p->run->error, "%s", tl_batches_error(p->batches));
    else if (p->fresh)
        cut_for_epoch(p, tl_batches_tell(p->batches).epoch);
    return false;
}

static tl_var loss(void *context, bool sum) {
    pairs *p = context;
    const tl_loss_options options = {.reduction = sum ? TL_REDUCE_SUM : TL_REDUCE_MEAN};
    return tl_run_batch_loss(p->run, &p->batch, &options, NULL, NULL);
}

static long tokens(void *context) { return ((const pairs *)context)->batch.tgt_tokens; }

/* "a batch of 32 sentences, lines 17, 402, 9 …" */
static void name(void *context, char *text, size_t size) {
    const pairs *p = context;
    const tl_batch *batch = &p->batch;
    bool one = batch->sentences == 1;
    int used = snprintf(text, size, "a batch of %ld sentence%s", batch->sentences, one ? "" : "s");
    for (long i = 0; i < batch->sentences && i < 5; i++) {
        long line = tl_corpus_line(p->train, batch->index[i]);
        const char *what = line ? ", line" : ", number";
        used += snprintf(text + used, size - (size_t)used, "%s%s%ld", i ? ", " : what,
                         i     ? ""
                         : one ? " "
                               : "s ",
                         line ? line : batch->index[i] + 1);
    }
    if (batch->sentences > 5) snprintf(text + used, size - (size_t)used, " …");
}

static long per_epoch(void *context) { return tl_batches_per_epoch(((const pairs *)context)->batches); }

static tl_batches_position tell(void *context) { return tl_batches_tell(((const pairs *)context)->batches); }

static bool seek(void *context, tl_batches_position position) {
    pairs *p = context;
    if (p->fresh && position.epoch >= 0 && position.epoch != tl_batches_tell(p->batches).epoch &&
        !cut_for_epoch(p, position.epoch))
        return false;
    return tl_batches_seek(p->batches, position) ||
           tl_error_set(&p->run->error, "%s", tl_batches_error(p->batches));
}

/* What was said anew holds when the run goes on again. */
static bool begin(void *context) {
    pairs *p = context;
    return !p->run->in_folder || tl_run_save_settings(p->run);
}

static bool validate(void *context, tl_quality *quality, tl_translations *written) {
    pairs *p = context;
    tl_translate_options greedy = {
        .beam = 1, .length_penalty = 1, .batch_tokens = p->run->settings.training.batch_tokens};
    return tl_run_measure(p->run, p->valid, p->valid_cut, &greedy, quality, written);
}

/* ---- the data ---- */

static bool read_data(pairs *p) {
    tl_run *run = p->run;
    p->train = tl_pairs_of(&run->settings, TL_PART_TRAIN, run->events, &run->error);
    if (p->train) p->valid = tl_pairs_of(&run->settings, TL_PART_VALID, run->events, &run->error);
    return !tl_failed(&run->error);
}

static const char *name_of(const char *tsv, const char *src) { return tsv ? tsv : src ? src : "made here"; }

static bool encode_data(pairs *p) {
    tl_run *run = p->run;
    const tl_data_settings *s = &run->settings.data;
    p->train_cut = tl_run_encode(run, p->train);
    if (!p->train_cut ||
        !tl_run_drop_long(run, p->train, p->train_cut, name_of(s->train, s->train_src), s->max_length))
        return false;
    p->valid_cut = tl_run_encode(run, p->valid);
    return p->valid_cut &&
           tl_run_drop_long(run, p->valid, p->valid_cut, name_of(s->valid, s->valid_src), s->max_length);
}

static bool begin_batches(pairs *p) {
    return p->run->settings.text.bpe_dropout > 0 ? cut_for_epoch(p, 0) : make_batches(p, p->train_cut, 0);
}

static bool prepare_new(pairs *p, bool overwrite) {
    tl_run *run = p->run;
    tl_run_forget_model(run);
    if (!tl_run_settings_complete(&run->settings, &run->error)) return false; /* they may have been changed */
    /* Long work may be ahead: what is in the way is told now. A folder that is not there yet is made when it is needed. */
    if (tl_file_is_there(run->dir) &&
        !(tl_make_dirs(run->dir, &run->error) && tl_run_lock(run) && tl_run_may_begin(run, overwrite)))
        return false;
    return read_data(p) && tl_run_learn_merges(run, p->train) && tl_run_make_vocabularies(run, p->train) &&
           encode_data(p) && tl_run_make_model(run) && tl_run_save_description(run, overwrite) &&
           begin_batches(p);
}

static bool is_missing(const char *path) { return path && !tl_file_is_there(path); }

/* Says where paths in a config.txt begin, if that is why a file was not found. */
static bool read_data_again(pairs *p) {
    const tl_data_settings *s = &p->run->settings.data;
    if (read_data(p)) return true;
    if (!is_missing(s->train) && !is_missing(s->train_src) && !is_missing(s->train_tgt) &&
        !is_missing(s->valid) && !is_missing(s->valid_src) && !is_missing(s->valid_tgt))
        return false;
    tl_error why = p->run->error;
    tl_error_clear(&p->run->error);
    return tl_error_set(&p->run->error,
                        "%s; or go on from the folder where training was started, or say anew where the "
                        "sentences are (--train, --valid)",
                        why.message);
}

static bool prepare_resumed(pairs *p) {
    tl_error wrong = {""};
    if (!tl_run_lock(p->run)) return false;
    if (!tl_run_settings_complete(&p->run->settings, &wrong))
        return tl_error_set(&p->run->error, "%s/config.txt: %s", p->run->dir, wrong.message);
    return read_data_again(p) && encode_data(p) && begin_batches(p);
}

static tl_ending train(pairs *p, tl_training_end *end) {
    tl_run *run = p->run;
    const tl_task task = {.context = p,
                          .score = "bleu",
                          .score_label = "BLEU",
                          .fingerprint =
                              tl_pairs_fingerprint((const tl_corpus *const[]){p->train, p->valid}, 2),
                          .next = next,
                          .loss = loss,
                          .tokens = tokens,
                          .name = name,
                          .per_epoch = per_epoch,
                          .tell = tell,
                          .seek = seek,
                          .begin = begin,
                          .validate = validate};
    const tl_train_config config = {.dir = run->dir,
                                    .params = run->params,
                                    .tape = run->tape,
                                    .training = &run->settings.training,
                                    .validation = &run->settings.validation,
                                    .task = &task,
                                    .events = run->events,
                                    .folder = run->folder,
                                    .resume = run->in_folder};
    TL_TELL(run->events, prepared, run, p->train, p->valid);
    return tl_train(&config, end, &run->error);
}

tl_ending tl_run_train(tl_run *run, bool overwrite, tl_training_end *end) {
    if (!tl_run_usable(run)) return TL_FAILED;
    pairs p = {.run = run};
    bool ok = run->in_folder ? prepare_resumed(&p) : prepare_new(&p, overwrite);
    tl_ending ending = ok ? train(&p, end) : TL_FAILED;
    if (ending != TL_FAILED) run->in_folder = true;
    tl_folder_unlock(run->folder);
    run->folder = NULL;
    tl_batches_free(p.batches);
    tl_corpus_free(p.train);
    tl_corpus_free(p.train_cut);
    tl_corpus_free(p.fresh);
    tl_corpus_free(p.valid);
    tl_corpus_free(p.valid_cut);
    return ending;
}

bool tl_run_state(tl_run *run, tl_training_state *state) {
    return tl_run_usable(run) && tl_training_state_read(run->dir, "bleu", state, &run->error);
}
