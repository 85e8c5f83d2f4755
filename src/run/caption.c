/* build/caption's runs: model, text, data, task, and their entry in the table of programs. */
#include "caption.h"
#include "batched.h"

#include <stdlib.h>
#include <string.h>

typedef struct running {
    tl_batched of;
    tl_corpus *train, *valid;
    tl_pictures *pictures;
} running;

/* ---- the model ---- */

/* Learned positions begin small beside a patch's values, sinusoids as large as those. */
static const tl_model *make(tl_run *run) {
    const tl_model_settings *s = &run->settings.model;
    const tl_caption_settings *own = &run->settings.caption;
    run->transformer = tl_transformer_init(
        run->params, "",
        &(tl_transformer_config){.patch = TL_PICTURE_PATCH,
                                 .tgt_vocab = tl_vocab_size(run->vocab[TL_TARGET]),
                                 .tie = TL_TIE_TARGET,
                                 .d_model = s->d_model,
                                 .d_ff = s->d_ff,
                                 .heads = (int)s->heads,
                                 .encoder_layers = (int)own->encoder_layers,
                                 .decoder_layers = (int)own->decoder_layers,
                                 .pre_norm = true,
                                 .own_encoder_positions = true,
                                 .encoder_positions =
                                     strcmp(s->encoder_positions, "learned") ? TL_SINUSOIDAL : TL_LEARNED,
                                 .max_len = TL_CAPTION_LEN,
                                 .dropout = s->dropout,
                                 .attention_dropout = s->attention_dropout,
                                 .label_smoothing = run->settings.training.label_smoothing});
    return &run->transformer.model;
}

/* ---- text: the captions' words ---- */

static bool save_text(tl_run *run) { return tl_run_save_vocab(run, run->vocab[TL_TARGET], "vocab.txt"); }

static bool load_text(tl_run *run) {
    tl_run_file file = {.size = 0};
    if (tl_run_read_file(run, "vocab.txt", &file))
        run->vocab[TL_SOURCE] = run->vocab[TL_TARGET] = tl_run_parse_vocab(run, &file);
    tl_run_free_file(&file);
    return !tl_failed(&run->error);
}

static bool learn_text(tl_run *run) {
    const running *r = run->data;
    tl_vocab_counts *counts = tl_vocab_counts_new();
    tl_corpus_count(r->train, TL_TARGET, counts);
    run->vocab[TL_SOURCE] = run->vocab[TL_TARGET] = tl_vocab_new(counts, NULL);
    tl_vocab_counts_free(counts);
    return !tl_vocab_error(run->vocab[TL_TARGET]) ||
           tl_error_set(&run->error, "%s", tl_vocab_error(run->vocab[TL_TARGET]));
}

/* ---- the data ---- */

static bool read_data(tl_run *run) {
    running *r = run->data = calloc(1, sizeof *r);
    const long pictures = run->settings.caption.pictures;
    if (!r) return tl_error_set(&run->error, "out of memory for pictures");
    r->of.run = run;
    r->train = tl_caption_corpus(run, TL_PICTURES_TRAIN, 0, pictures);
    if (r->train) r->valid = tl_caption_corpus(run, TL_PICTURES_TRAIN, pictures, TL_CAPTION_VALIDATED);
    return !tl_failed(&run->error);
}

static bool encode_corpus(tl_run *run, tl_corpus *corpus) {
    return tl_corpus_encode(corpus, run->vocab[TL_SOURCE], run->vocab[TL_TARGET]) ||
           tl_error_set(&run->error, "%s", tl_corpus_error(corpus));
}

static bool encode_data(tl_run *run) {
    running *r = run->data;
    const long batch = run->settings.caption.batch;
    const uint64_t seed = (uint64_t)run->settings.training.seed;
    if (!encode_corpus(run, r->train) || !encode_corpus(run, r->valid)) return false;
    r->of.batches = tl_batches_new(r->train, &(tl_batches_config){.tokens = batch * TL_CAPTION_LEN,
                                                                  .max_sentences = batch,
                                                                  .order = TL_SHUFFLED,
                                                                  .seed = seed});
    r->pictures = tl_pictures_new(r->train, seed, run->settings.caption.noise);
    tl_batched_is_well(&r->of);
    if (tl_pictures_error(r->pictures)) tl_error_set(&run->error, "%s", tl_pictures_error(r->pictures));
    return !tl_failed(&run->error);
}

/* ---- the task ---- */

static bool next(void *context) {
    running *r = context;
    return tl_batched_next(&r->of) && (tl_pictures_batch(r->pictures, &r->of.batch) ||
                                       tl_error_set(&r->of.run->error, "%s", tl_pictures_error(r->pictures)));
}

static void name(void *context, char *text, size_t size) {
    const running *r = context;
    const tl_batches_position at = tl_batches_tell(r->of.batches);
    snprintf(text, size, "batch %ld of epoch %ld, %ld pictures, of which the first is number %ld", at.batch,
             at.epoch + 1, r->of.batch.sentences, r->of.batch.sentences ? r->of.batch.index[0] : 0);
}

static bool validate(void *context, tl_quality *quality, tl_translations *written) {
    const running *r = context;
    return tl_caption_measure(r->of.run, r->valid, quality, written);
}

static void task_of(tl_run *run, tl_task *task, tl_prepared *prepared) {
    running *r = run->data;
    *prepared =
        (tl_prepared){r->train, r->valid, tl_corpus_size(r->train), tl_corpus_size(r->valid), "picture"};
    *task = tl_batched_task(&r->of);
    task->fingerprint = tl_pairs_fingerprint((const tl_corpus *const[]){r->train, r->valid}, 2);
    task->next = next;
    task->name = name;
    task->validate = validate;
}

static void forget_data(tl_run *run) {
    running *r = run->data;
    if (!r) return;
    tl_batches_free(r->of.batches);
    tl_pictures_free(r->pictures);
    tl_corpus_free(r->train);
    tl_corpus_free(r->valid);
    free(r);
}

const tl_run_program tl_caption_program = {.name = "caption",
                                           .options = tl_caption_options,
                                           .usual = tl_caption_usual,
                                           .complete = tl_caption_complete,
                                           .save_text = save_text,
                                           .load_text = load_text,
                                           .make = make,
                                           .read = read_data,
                                           .learn_text = learn_text,
                                           .encode = encode_data,
                                           .task = task_of,
                                           .forget_data = forget_data,
                                           .score = "exact",
                                           .score_label = "exact"};
