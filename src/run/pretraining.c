/* A classifier's first stage: a Transformer learns to predict masked words of text without labels (Devlin et al.
 * 2019, 3.1); labels are then learnt from its best weights. The stage is a training of its own in the run's folder
 * pretraining/, with its own checkpoint, log and best weights. So the files show which stage a run is in, and each
 * stage resumes as any training does: if the run itself has a checkpoint, the first stage is over. */
#include "batched.h"
#include "classification.h"
#include "events.h"
#include "pass.h"
#include "training.h"

#include <math.h>

typedef struct pretraining {
    tl_batched of;
    tl_corpus *texts; /* the training sentences and the unlabelled ones */
    const tl_corpus *valid;
    tl_batch masked;
} pretraining;

/* ---- masking ---- */

/* Which words an epoch hides follows from seed, epoch and sentence. Validation always hides the same words. */
static bool mask(const pretraining *p, const tl_batch *batch, long epoch, tl_batch *masked) {
    const tl_run *run = p->of.run;
    const tl_masking options = {.seed = (uint64_t)run->settings.training.seed,
                                .step = epoch,
                                .vocab = tl_vocab_size(run->vocab[TL_SOURCE]),
                                .share = run->settings.classify.mask};
    return tl_mask_tokens(run->tape, batch, &options, masked) ||
           tl_error_set(&p->of.run->error, "%s", tl_tape_error(run->tape));
}

/* ---- the task ---- */

/* The current batch with its words hidden. */
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

static bool add(const pretraining *p, const tl_batch *batch, tl_pass *pass) {
    tl_run *run = p->of.run;
    tl_batch masked;
    tl_loss_report own = {0};
    tl_tape_reset(run->tape);
    if (!mask(p, batch, 0, &masked)) return false;
    if (!tl_ok(tl_classifier_masked_loss(&run->classifier, run->tape, &masked, NULL, &own, NULL)))
        return tl_error_set(&run->error, "%s", tl_tape_error(run->tape));
    tl_pass_add(pass, &own);
    return true;
}

static bool validate(void *context, tl_quality *q, tl_translations *written) {
    pretraining *p = context;
    tl_run *run = p->of.run;
    tl_pass pass = tl_pass_begin(run);
    tl_batch batch;
    long done = 0;
    tl_batches *batches = tl_run_by_length(run, p->valid, run->settings.training.batch_tokens);
    const bool was = tl_tape_set_grad(run->tape, false);
    (void)written;
    tl_tape_set_training(run->tape, 0);
    TL_TELL(run->events, work_began, TL_WORK_LOSS, tl_corpus_size(p->valid));
    while (tl_pass_goes_on(&pass) && tl_batches_next(batches, &batch)) {
        if (tl_pass_mine(&pass, &batch) && !add(p, &batch, &pass)) break;
        done += batch.sentences;
        TL_TELL(run->events, work_done, done, (double)batch.src_tokens);
    }
    TL_TELL_THAT(run->events, work_ended);
    tl_tape_set_grad(run->tape, was);
    if (tl_batches_error(batches)) tl_error_set(&run->error, "%s", tl_batches_error(batches));
    tl_batches_free(batches);
    const bool ok = tl_pass_end(&pass, !tl_failed(&run->error), NULL, NULL);
    *q = (tl_quality){.sentences = tl_corpus_size(p->valid)};
    tl_quality_of_loss(q, &pass.loss);
    return ok;
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
                                    .ranks = run->ranks,
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
    const bool ready =
        !tl_failed(&run->error) && (!tl_ranks_lead(run->ranks) || tl_make_dirs(dir, &run->error));
    if (!tl_ranks_agree(run->ranks, ready, &run->error)) return TL_FAILED;
    tl_classify_freeze(run, true);
    return train(p, dir, end);
}

/* Loads the stage's best weights, which rank 0 reads. */
static bool take_best(tl_run *run) {
    char path[TL_PATH];
    const bool loaded =
        !tl_ranks_lead(run->ranks) ||
        tl_params_load(run->params, tl_path_in(path, run->dir, "pretraining/model.safetensors"), &run->error);
    return tl_ranks_agree(run->ranks, loaded, &run->error) &&
           tl_same_weights(run->params, run->ranks, &run->error);
}

/* Is the folder's run past this stage? Rank 0 looks. */
static bool is_past_pretraining(tl_run *run, bool *through) {
    char path[TL_PATH];
    const bool looked =
        !tl_ranks_lead(run->ranks) ||
        tl_file_look(tl_path_in(path, run->dir, "checkpoint.safetensors"), through, &run->error);
    return tl_ranks_agree(run->ranks, looked, &run->error) &&
           tl_ranks_broadcast(run->ranks, through, sizeof *through, &run->error);
}

tl_ending tl_classify_pretrain(tl_run *run, const tl_corpus *sources, const tl_corpus *plain,
                               const tl_corpus *valid, tl_training_end *end) {
    char dir[TL_PATH];
    bool through = false;
    if (!run->settings.classify.pretrain) return TL_ENDED;
    if (!is_past_pretraining(run, &through)) return TL_FAILED;
    tl_ending ending = TL_ENDED;
    if (!through || !run->in_folder) {
        pretraining p = {.of = {.run = run}, .texts = both(run, sources, plain), .valid = valid};
        ending = pretrain(&p, tl_path_in(dir, run->dir, "pretraining"), end);
        tl_batches_free(p.of.batches);
        tl_corpus_free(p.texts);
        if (ending == TL_ENDED && !take_best(run)) ending = TL_FAILED;
        run->from_stage = true; /* the task itself begins */
        if (ending == TL_ENDED) TL_TELL(run->events, stage, NULL);
    }
    tl_classify_freeze(run, false);
    return ending;
}
