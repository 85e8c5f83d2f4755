/* A classifier's first stage: a Transformer learns to tell masked words of text without labels (Devlin et al. 2019, 3.1), and labels are
 * learnt from its best weights. The stage is a training of the loop's own, in the folder pretraining/ of the run's: with its own
 * checkpoint, log and best weights. So which stage a run is in can be seen by its files, and both go on as any training does: where the
 * run's own checkpoint is, the first stage is through. */
#include "batched.h"
#include "classification.h"
#include "events.h"

#include <math.h>

typedef struct pretraining {
    tl_batched of;
    tl_corpus *texts; /* the training sentences, and those without labels */
    const tl_corpus *valid;
    tl_batch masked;
} pretraining;

/* ---- masking ---- */

/* An epoch hides other words than the one before; which ones follows from seed, epoch and sentence alone. Validation always hides the
 * same ones. */
static bool mask(pretraining *p, const tl_batch *batch, long epoch, tl_batch *masked) {
    const tl_run *run = p->of.run;
    const tl_masking options = {.seed = (uint64_t)run->settings.training.seed,
                                .step = epoch,
                                .vocab = tl_vocab_size(run->vocab[TL_SOURCE]),
                                .share = run->settings.classify.mask};
    return tl_mask_tokens(run->tape, batch, &options, masked) ||
           tl_error_set(&p->of.run->error, "%s", tl_tape_error(run->tape));
}

/* ---- the task ---- */

/* With its words hidden. */
static const tl_batch *batch(void *context) {
    pretraining *p = context;
    return mask(p, &p->of.batch, 1 + tl_batches_tell(p->of.batches).epoch, &p->masked) ? &p->masked : NULL;
}

static tl_var loss(void *context, bool sum) {
    pretraining *p = context;
    const tl_loss_options options = {.reduction = sum ? TL_REDUCE_SUM : TL_REDUCE_MEAN};
    tl_run *run = p->of.run;
    batch(p);
    return tl_classifier_masked_loss(&run->classifier, run->tape, &p->masked, &options, NULL, NULL);
}

static long words(void *context) { return ((const pretraining *)context)->masked.tgt_tokens; }
static double read_tokens(void *context) {
    return (double)((const pretraining *)context)->of.batch.src_tokens;
}

static void name(void *context, char *text, size_t size) {
    const pretraining *p = context;
    tl_name_batch(&p->of.batch, p->texts, text, size);
}

static bool add(pretraining *p, const tl_batch *batch, tl_loss_report *all) {
    tl_run *run = p->of.run;
    tl_batch masked;
    tl_loss_report own = {0};
    tl_tape_reset(run->tape);
    if (!mask(p, batch, 0, &masked)) return false;
    if (!tl_ok(tl_classifier_masked_loss(&run->classifier, run->tape, &masked, NULL, &own, NULL)))
        return tl_error_set(&run->error, "%s", tl_tape_error(run->tape));
    tl_loss_report_add(all, &own);
    return true;
}

static bool validate(void *context, tl_quality *q, tl_translations *written) {
    pretraining *p = context;
    tl_run *run = p->of.run;
    tl_loss_report all = {0};
    tl_batch batch;
    long done = 0;
    bool stopped = false;
    tl_batches *batches = tl_run_by_length(run, p->valid, run->settings.training.batch_tokens);
    const bool was = tl_tape_set_grad(run->tape, false);
    (void)written;
    tl_tape_set_training(run->tape, 0);
    TL_TELL(run->events, work_began, TL_WORK_LOSS, tl_corpus_size(p->valid));
    while (!tl_failed(&run->error) && !(stopped = tl_stopped(run->events)) &&
           tl_batches_next(batches, &batch) && add(p, &batch, &all)) {
        done += batch.sentences;
        TL_TELL(run->events, work_done, done, (double)batch.src_tokens);
    }
    TL_TELL_THAT(run->events, work_ended);
    tl_tape_set_grad(run->tape, was);
    if (tl_batches_error(batches)) tl_error_set(&run->error, "%s", tl_batches_error(batches));
    tl_batches_free(batches);
    *q = (tl_quality){.sentences = tl_corpus_size(p->valid)};
    tl_quality_of_loss(q, &all);
    return !tl_failed(&run->error) && !stopped;
}

/* ---- the stage ---- */

static tl_corpus *both(tl_run *run, const tl_corpus *sources, const tl_corpus *plain) {
    tl_corpus *texts = tl_corpus_new();
    for (long i = 0; i < tl_corpus_size(sources); i++)
        tl_corpus_add(texts, tl_corpus_sentence(sources, TL_SOURCE, i), "");
    for (long i = 0; i < tl_corpus_size(plain); i++)
        tl_corpus_add(texts, tl_corpus_sentence(plain, TL_SOURCE, i), "");
    if (!tl_corpus_encode(texts, run->vocab[TL_SOURCE], run->vocab[TL_TARGET]))
        tl_error_set(&run->error, "%s", tl_corpus_error(texts) ? tl_corpus_error(texts) : "out of memory");
    return texts;
}

static tl_ending train(pretraining *p, const char *dir, tl_training_end *end) {
    tl_run *run = p->of.run;
    tl_training_settings training = run->settings.training;
    tl_validation_settings validation = run->settings.validation;
    const tl_corpus *const all[] = {p->texts, p->valid};
    training.steps = run->settings.classify.pretrain;
    training.epochs = training.patience = 0;
    training.minutes = 0;
    if (run->settings.classify.pretrain_lr > 0) training.lr = run->settings.classify.pretrain_lr;
    validation.average = 0;
    validation.best_by = NULL;
    tl_task task = tl_batched_task(&p->of);
    task.unit = "masked word";
    task.fingerprint = tl_pairs_fingerprint(all, 2);
    task.loss = loss;
    task.batch = batch;
    task.tokens = words;
    task.read = read_tokens;
    task.name = name;
    task.validate = validate;
    const tl_train_config config = {.dir = dir,
                                    .params = run->params,
                                    .tape = run->tape,
                                    .training = &training,
                                    .validation = &validation,
                                    .task = &task,
                                    .events = run->events,
                                    .resume = run->in_folder,
                                    .model = run->model,
                                    .may_be_over = true};
    TL_TELL(run->events, stage, "masked words");
    return tl_train(&config, end, &run->error);
}

static tl_ending pretrain(pretraining *p, const char *dir, tl_training_end *end) {
    tl_run *run = p->of.run;
    const tl_training_settings *s = &run->settings.training;
    p->of.batches = tl_batches_new(
        p->texts,
        &(tl_batches_config){.tokens = s->batch_tokens, .order = TL_SHUFFLED, .seed = (uint64_t)s->seed});
    tl_batched_is_well(&p->of);
    if (tl_failed(&run->error) || !tl_make_dirs(dir, &run->error)) return TL_FAILED;
    tl_classify_freeze(run, true);
    return train(p, dir, end);
}

tl_ending tl_classify_pretrain(tl_run *run, const tl_corpus *sources, const tl_corpus *plain,
                               const tl_corpus *valid, tl_training_end *end) {
    char path[TL_PATH], dir[TL_PATH];
    bool through;
    if (!run->settings.classify.pretrain) return TL_ENDED;
    if (!tl_file_look(tl_path_in(path, run->dir, "checkpoint.safetensors"), &through, &run->error))
        return TL_FAILED;
    tl_ending ending = TL_ENDED;
    if (!through || !run->in_folder) {
        pretraining p = {.of = {.run = run}, .texts = both(run, sources, plain), .valid = valid};
        ending = pretrain(&p, tl_path_in(dir, run->dir, "pretraining"), end);
        tl_batches_free(p.of.batches);
        tl_corpus_free(p.texts);
        if (ending == TL_ENDED &&
            !tl_params_load(run->params, tl_path_in(path, run->dir, "pretraining/model.safetensors"),
                            &run->error))
            ending = TL_FAILED;
        run->from_stage = true; /* the task itself begins */
        if (ending == TL_ENDED) TL_TELL(run->events, stage, NULL);
    }
    tl_classify_freeze(run, false);
    return ending;
}
