/* Training a translator on sentence pairs: from files to batches. */
#include "batched.h"
#include "heads.h"
#include "translation.h"

#include <stdlib.h>

typedef struct pairs {
    tl_batched of;
    tl_corpus *train, *train_cut, *valid, *valid_cut; /* as people write them, and as tokens with ids */
    tl_corpus *fresh; /* with BPE-dropout: train, cut for the current epoch; otherwise NULL */
} pairs;

/* ---- the task ---- */

/* Batches of a corpus, from the beginning of an epoch. */
static bool make_batches(pairs *p, const tl_corpus *corpus, long epoch) {
    const tl_training_settings *s = &p->of.run->settings.training;
    tl_batches_config config = {.tokens = s->batch_tokens, .order = TL_SHUFFLED, .seed = (uint64_t)s->seed};
    tl_batches_free(p->of.batches);
    p->of.batches = tl_batches_new(corpus, &config);
    if (!tl_batches_error(p->of.batches)) tl_batches_seek(p->of.batches, (tl_batches_position){epoch, 0});
    return tl_batched_is_well(&p->of);
}

/* With BPE-dropout every epoch has its own cut, and so its own batches. Each sentence comes once in every epoch, but
 * lengths, and so the number of batches, differ. */
static bool cut_for_epoch(pairs *p, long epoch) {
    tl_run *run = p->of.run;
    const long most = run->settings.data.max_length;
    tl_corpus *fresh = tl_run_cut_for_epoch(run, p->train, p->train_cut, epoch,
                                            most && most < TL_LONGEST_SENTENCE ? most : TL_LONGEST_SENTENCE);
    const bool ok = fresh && make_batches(p, fresh, epoch);
    tl_corpus_free(p->fresh);
    p->fresh = fresh;
    return ok;
}

/* The batched task's loss, plus the penalty for open heads. */
static tl_var loss(void *context, bool sum) {
    pairs *p = context;
    const tl_loss_options options = {.reduction = sum ? TL_REDUCE_SUM : TL_REDUCE_MEAN};
    const tl_batch *batch = &p->of.batch;
    tl_var of_batch = tl_run_batch_loss(p->of.run, batch, &options, NULL, NULL);
    return tl_heads_penalised(p->of.run, of_batch, sum ? (double)batch->tgt_tokens : 1);
}

static bool next(void *context) {
    pairs *p = context;
    if (tl_batched_next(&p->of)) return true;
    if (p->fresh && tl_batched_is_well(&p->of)) cut_for_epoch(p, tl_batches_tell(p->of.batches).epoch);
    return false;
}

static void name(void *context, char *text, size_t size) {
    const pairs *p = context;
    tl_name_batch(&p->of.batch, p->train, text, size);
}

static bool seek(void *context, tl_batches_position position) {
    pairs *p = context;
    if (p->fresh && position.epoch >= 0 && position.epoch != tl_batches_tell(p->of.batches).epoch &&
        !cut_for_epoch(p, position.epoch))
        return false;
    return tl_batched_seek(&p->of, position);
}

static bool validate(void *context, tl_quality *quality, tl_translations *written) {
    pairs *p = context;
    tl_translate_options greedy = {
        .beam = 1, .length_penalty = 1, .batch_tokens = p->of.run->settings.training.batch_tokens};
    return tl_run_measure(p->of.run, p->valid, p->valid_cut, &greedy, quality, written);
}

/* ---- the data ---- */

static const char *name_of(const char *tsv, const char *src) { return tsv ? tsv : src ? src : "made here"; }

static bool read_data(tl_run *run) {
    pairs *p = run->data = calloc(1, sizeof *p);
    if (!p) return tl_error_set(&run->error, "out of memory for sentence pairs");
    p->of.run = run;
    p->train = tl_pairs_of(&run->settings, TL_PART_TRAIN, run->events, &run->error);
    if (p->train) p->valid = tl_pairs_of(&run->settings, TL_PART_VALID, run->events, &run->error);
    return !tl_failed(&run->error);
}

static bool learn_text(tl_run *run) {
    const pairs *p = run->data;
    return tl_run_learn_merges(run, p->train) && tl_run_make_vocabularies(run, p->train);
}

static bool encode_data(tl_run *run) {
    pairs *p = run->data;
    const tl_data_settings *s = &run->settings.data;
    p->train_cut = tl_run_encode(run, p->train);
    if (!p->train_cut ||
        !tl_run_drop_long(run, p->train, p->train_cut, name_of(s->train, s->train_src), s->max_length))
        return false;
    p->valid_cut = tl_run_encode(run, p->valid);
    return p->valid_cut &&
           tl_run_drop_long(run, p->valid, p->valid_cut, name_of(s->valid, s->valid_src), s->max_length) &&
           (run->settings.text.bpe_dropout > 0 ? cut_for_epoch(p, 0) : make_batches(p, p->train_cut, 0));
}

static void task_of(tl_run *run, tl_task *task, tl_prepared *prepared) {
    pairs *p = run->data;
    *prepared = (tl_prepared){p->train, p->valid, tl_corpus_size(p->train), tl_corpus_size(p->valid), "pair"};
    *task = tl_batched_task(&p->of);
    task->fingerprint = tl_pairs_fingerprint((const tl_corpus *const[]){p->train, p->valid}, 2);
    task->next = next;
    task->loss = loss;
    task->name = name;
    task->seek = seek;
    task->validate = validate;
}

static void forget_data(tl_run *run) {
    pairs *p = run->data;
    if (!p) return;
    tl_batches_free(p->of.batches);
    tl_corpus_free(p->train);
    tl_corpus_free(p->train_cut);
    tl_corpus_free(p->fresh);
    tl_corpus_free(p->valid);
    tl_corpus_free(p->valid_cut);
    free(p);
}

const tl_run_program tl_translate_program = {.name = "translate",
                                             .options = tl_run_options,
                                             .usual = tl_translate_usual,
                                             .complete = tl_translate_complete,
                                             .save_text = tl_translate_save_text,
                                             .load_text = tl_translate_load_text,
                                             .make = tl_translate_make,
                                             .read = read_data,
                                             .learn_text = learn_text,
                                             .encode = encode_data,
                                             .task = task_of,
                                             .forget_data = forget_data,
                                             .score = "bleu",
                                             .score_label = "BLEU"};
