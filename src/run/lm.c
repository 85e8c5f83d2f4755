/* build/lm's runs: model, data, quality, task, and their entry in the table of programs. */
#include "lm.h"
#include "base/buffer.h"
#include "clock.h"
#include "events.h"
#include "programs.h"
#include "pass.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct running {
    tl_run *run;
    char *train_bytes, *valid_bytes;
    size_t train_size, valid_size;
    tl_lm_text train, valid;
    tl_windows *windows;
    tl_batch batch;
} running;

/* ---- the model ---- */

static tl_position_kind positions_of(const char *text) {
    int kind = TL_ROTARY;
    while (kind > 0 && strcmp(text, tl_position_kind_text((tl_position_kind)kind))) kind--;
    return (tl_position_kind)kind;
}

static const tl_model *make(tl_run *run) {
    const tl_model_settings *s = &run->settings.model;
    const tl_lm_settings *own = &run->settings.lm;
    const long tokens = tl_lm_vocab_size(run);
    const tl_position_kind positions = positions_of(s->positions);
    if (own->vocab && own->vocab < tokens) {
        tl_error_set(&run->error, "--vocab %ld: there are %ld tokens: give at least as many, or 0",
                     own->vocab, tokens);
        return NULL;
    }
    run->gpt = tl_gpt_init(
        run->params, "",
        &(tl_gpt_config){
            .vocab = own->vocab ? own->vocab : tokens,
            .d_model = s->d_model,
            .d_ff = s->d_ff,
            .heads = (int)s->heads,
            .layers = (int)s->layers,
            .positions = positions,
            .sinusoids = positions == TL_SINUSOIDAL,
            .max_len = own->context,
            .dropout = s->dropout,
            .attention_dropout = s->attention_dropout,
            .label_smoothing = run->settings.training.label_smoothing,
            .init_std = own->init_std > 0 ? own->init_std : 0.02 * sqrt(768 / (double)s->d_model),
            .no_bias = own->no_bias,
            .no_feed_forward = own->no_feed_forward,
            .untied = own->untied,
            .gelu_erf = own->gelu_erf,
            .normaliser = s->normaliser && !strcmp(s->normaliser, "sigmoid") ? TL_SIGMOID : TL_SOFTMAX});
    return &run->gpt.model;
}

/* ---- windows ---- */

/* With byte pairs every id is a token, so there is no id for padding. */
static tl_windows *windows_of(tl_run *run, const tl_lm_text *text, bool shuffled) {
    const tl_windows_config config = {.length = run->settings.lm.context,
                                      .batch = run->settings.lm.batch,
                                      .shuffled = shuffled,
                                      .seed = (uint64_t)run->settings.training.seed,
                                      .starts = text->starts,
                                      .texts = text->texts,
                                      .pad = run->byte_bpe ? -1 : TL_PAD};
    tl_windows *windows = tl_windows_new(text->ids, text->count, &config);
    if (tl_windows_error(windows)) tl_error_set(&run->error, "%s", tl_windows_error(windows));
    return windows;
}

/* ---- how good it is ---- */

static void measure(tl_pass *pass, tl_windows *windows) {
    tl_run *run = pass->run;
    const long batches = tl_windows_per_epoch(windows);
    const bool was = tl_tape_set_grad(run->tape, false);
    tl_batch batch;
    TL_TELL(run->events, work_began, TL_WORK_LOSS, batches);
    tl_tape_set_training(run->tape, 0);
    for (long done = 1; tl_pass_goes_on(pass) && tl_windows_next(windows, &batch); done++) {
        if (tl_pass_mine(pass, &batch) && !tl_pass_add_loss(pass, &batch)) break;
        TL_TELL(run->events, work_done, done, (double)batch.tgt_tokens);
    }
    TL_TELL_THAT(run->events, work_ended);
    tl_pass_goes_on(pass); /* notes a stop during the last batch */
    tl_tape_set_grad(run->tape, was);
    if (tl_windows_error(windows)) tl_error_set(&run->error, "%s", tl_windows_error(windows));
}

bool tl_lm_measure(tl_run *run, const tl_lm_text *text, tl_quality *q) {
    if (q) *q = (tl_quality){0};
    if (!tl_run_has_model(run)) return false;
    if (!text || !q) return tl_run_lacks(run, text ? "the place for the quality" : "the text");
    const double start = tl_seconds_now();
    tl_pass pass = tl_pass_begin(run);
    tl_windows *windows = windows_of(run, text, false);
    if (!tl_failed(&run->error)) measure(&pass, windows);
    tl_windows_free(windows);
    if (!tl_pass_end(&pass, !tl_failed(&run->error), NULL, NULL)) return false;
    *q = (tl_quality){.sentences = text->texts,
                      .tokens = pass.loss.count,
                      .bytes = text->bytes,
                      .seconds = tl_seconds_now() - start};
    tl_quality_of_loss(q, &pass.loss);
    return true;
}

double tl_bits_per_byte(const tl_quality *q) {
    return q && q->bytes ? q->loss * (double)q->tokens / ((double)q->bytes * log(2)) : 0;
}

/* ---- the task ---- */

static bool next(void *context) {
    running *r = context;
    if (tl_windows_next(r->windows, &r->batch)) return true;
    if (tl_windows_error(r->windows)) tl_error_set(&r->run->error, "%s", tl_windows_error(r->windows));
    return false;
}

static tl_var loss(void *context, bool sum) {
    running *r = context;
    const tl_loss_options options = {.reduction = sum ? TL_REDUCE_SUM : TL_REDUCE_MEAN};
    return tl_run_batch_loss(r->run, &r->batch, &options, NULL, NULL);
}

static const tl_batch *batch(void *context) { return &((const running *)context)->batch; }
static long tokens(void *context) { return ((const running *)context)->batch.tgt_tokens; }

static void name(void *context, char *text, size_t size) {
    const running *r = context;
    const tl_batches_position at = tl_windows_tell(r->windows);
    snprintf(text, size, "batch %ld of epoch %ld, %ld %s", at.batch, at.epoch + 1, r->batch.sentences,
             r->train.texts ? "lines" : "windows");
}

static long per_epoch(void *context) { return tl_windows_per_epoch(((const running *)context)->windows); }
static tl_batches_position tell(void *context) {
    return tl_windows_tell(((const running *)context)->windows);
}
static bool seek(void *context, tl_batches_position position) {
    const running *r = context;
    return tl_windows_seek(r->windows, position) ||
           tl_error_set(&r->run->error, "%s", tl_windows_error(r->windows));
}
static bool begin(void *context) { return tl_run_begins(((const running *)context)->run); }

/* ---- sample texts ---- */

static bool append_piece(void *to, const char *piece, size_t size) { return tl_buffer_add(to, piece, size); }

/* Samples are drawn by (seed, validation), so they do not depend on interruptions. There are few, and every rank
 * writes all of them. Nothing is exchanged after this, so rank 0 may stop here alone. */
static bool write_samples(running *r, tl_translations *written) {
    tl_run *run = r->run;
    const long count = run->settings.validation.samples;
    if (!count) return true;
    *written = (tl_translations){.nbest = 1};
    written->text = calloc((size_t)count, sizeof *written->text);
    written->score = calloc((size_t)count, sizeof *written->score);
    if (!written->text || !written->score) return tl_error_set(&run->error, "out of memory for samples");
    for (; written->count < count && !tl_stopped(run->events); written->count++) {
        tl_buffer text = {0};
        const bool ok = tl_lm_write(run, &(tl_lm_write_options){.tokens = 150,
                                                                .seed = run->settings.training.seed,
                                                                .number = written->count,
                                                                .tell = append_piece,
                                                                .to = &text}) &&
                        tl_buffer_text(&text, "");
        if (!ok) {
            tl_buffer_free(&text);
            return tl_error_set(&run->error, "out of memory for samples");
        }
        written->text[written->count] = text.text;
    }
    return true;
}

static bool validate(void *context, tl_quality *q, tl_translations *written) {
    running *r = context;
    if (!tl_lm_measure(r->run, &r->valid, q)) return false;
    /* a model whose loss is not finite has no most likely word */
    return !isfinite(q->loss) || write_samples(r, written);
}

/* ---- the data ---- */

static bool read_data(tl_run *run) {
    running *r = run->data = calloc(1, sizeof *r);
    if (!r) return tl_error_set(&run->error, "out of memory for a text");
    r->run = run;
    return tl_lm_read(run, &r->train_bytes, &r->train_size, &r->valid_bytes, &r->valid_size);
}

static bool learn_text(tl_run *run) {
    const running *r = run->data;
    return tl_lm_learn(run, r->train_bytes, r->train_size);
}

static long longest_of(const tl_lm_text *t) {
    long longest = 1;
    for (long i = 0; i < t->texts; i++)
        if (t->starts[i + 1] - t->starts[i] - 1 > longest) longest = t->starts[i + 1] - t->starts[i] - 1;
    return longest;
}

static bool is_text(tl_run *run, const tl_lm_text *t, const char *which) {
    return t->count > 1 || tl_error_set(&run->error, "the text to %s has nothing in it", which);
}

static bool encode_data(tl_run *run) {
    running *r = run->data;
    tl_lm_settings *s = &run->settings.lm;
    if (!tl_lm_encode(run, r->train_bytes, r->train_size, &r->train) ||
        !tl_lm_encode(run, r->valid_bytes, r->valid_size, &r->valid) || !is_text(run, &r->train, "learn") ||
        !is_text(run, &r->valid, "validate on"))
        return false;
    if (!s->context) { /* with lines: the longest of training and validation */
        const long a = longest_of(&r->train), b = longest_of(&r->valid);
        s->context = a > b ? a : b;
    }
    r->windows = windows_of(run, &r->train, true);
    return !tl_failed(&run->error);
}

/* FNV-1a over both texts. */
static uint64_t fingerprint(const running *r) {
    const struct {
        const char *bytes;
        size_t size;
    } texts[] = {{r->train_bytes, r->train_size}, {r->valid_bytes, r->valid_size}};
    uint64_t hash = 14695981039346656037u;
    for (int t = 0; t < 2; t++) {
        for (size_t i = 0; i < texts[t].size; i++)
            hash = (hash ^ (unsigned char)texts[t].bytes[i]) * 1099511628211u;
        hash = (hash ^ texts[t].size) * 1099511628211u;
    }
    return hash;
}

static void task_of(tl_run *run, tl_task *task, tl_prepared *prepared) {
    running *r = run->data;
    const bool lines = run->settings.lm.lines;
    *prepared = (tl_prepared){NULL, NULL, lines ? r->train.texts : r->train.count,
                              lines ? r->valid.texts : r->valid.count, lines ? "line" : "token"};
    *task = (tl_task){.context = r,
                      .fingerprint = fingerprint(r),
                      .next = next,
                      .loss = loss,
                      .tokens = tokens,
                      .name = name,
                      .per_epoch = per_epoch,
                      .tell = tell,
                      .seek = seek,
                      .begin = begin,
                      .validate = validate,
                      .batch = batch};
}

static void forget_data(tl_run *run) {
    running *r = run->data;
    if (!r) return;
    tl_windows_free(r->windows);
    tl_lm_text_free(&r->train);
    tl_lm_text_free(&r->valid);
    free(r->train_bytes);
    free(r->valid_bytes);
    free(r);
}

const tl_run_program tl_lm_program = {.name = "lm",
                                      .options = tl_lm_options,
                                      .usual = tl_lm_usual,
                                      .complete = tl_lm_complete,
                                      .save_text = tl_lm_save_text,
                                      .load_text = tl_lm_load_text,
                                      .make = make,
                                      .read = read_data,
                                      .learn_text = learn_text,
                                      .encode = encode_data,
                                      .task = task_of,
                                      .forget_data = forget_data};
