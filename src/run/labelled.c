/* Training a classifier on labelled sentences: from files, or sentences made here, to batches with classes. */
#include "batched.h"
#include "classification.h"
#include "events.h"

#include <stdlib.h>

/* ---- where sentences come from ---- */

typedef bool parser(tl_corpus *corpus, const char *bytes, size_t size, const tl_corpus_config *config);

/* A corpus filled from a file; NULL on failure. */
static tl_corpus *read_file(const char *file, parser *parse, bool strict, const tl_events *events,
                            tl_error *error) {
    char *bytes = NULL;
    size_t size = 0;
    if (!tl_file_read(file, &bytes, &size, error)) return NULL;
    tl_corpus *corpus = tl_corpus_new();
    const bool ok = parse(corpus, bytes, size, &(tl_corpus_config){.name = file, .strict = strict});
    const tl_corpus_report *report = tl_corpus_last_report(corpus);
    free(bytes);
    if (ok && report->pairs < report->lines) TL_TELL(events, left_out, report);
    if (ok) return corpus;
    tl_error_set(error, "%s", tl_corpus_error(corpus) ? tl_corpus_error(corpus) : "out of memory");
    tl_corpus_free(corpus);
    return NULL;
}

tl_corpus *tl_labelled_read(const char *file, bool strict, const tl_events *events, tl_error *error) {
    if (file) return read_file(file, tl_corpus_parse_labelled, strict, events, error);
    tl_error_set(error, "labelled texts: give a file of label, tab, text");
    return NULL;
}

enum { HELD_OUT = 1000 }; /* of sentences made here: for validation, and as many for test */

/* Ranges of one stream. Validation and test come first, so they are the same for any number of training sentences. */
static tl_corpus *make(const tl_run_settings *s, tl_labelled_part part, tl_error *error) {
    const long sentences = s->data.sentences ? s->data.sentences : tl_classify_usual().data.sentences;
    const struct {
        long first, count;
    } range[] = {[TL_LABELLED_VALID] = {0, HELD_OUT},
                 [TL_LABELLED_TEST] = {HELD_OUT, HELD_OUT},
                 [TL_LABELLED_TRAIN] = {2 * HELD_OUT, sentences},
                 [TL_UNLABELLED] = {2 * HELD_OUT + sentences, s->classify.unlabelled}};
    tl_corpus *corpus = tl_corpus_new();
    if (tl_corpus_labelled(corpus, &(tl_labelled_config){.task = s->data.task,
                                                         .sentences = range[part].count,
                                                         .first = range[part].first,
                                                         .seed = (uint64_t)s->training.seed,
                                                         .unlabelled = part == TL_UNLABELLED}))
        return corpus;
    tl_error_set(error, "%s", tl_corpus_error(corpus) ? tl_corpus_error(corpus) : "out of memory");
    tl_corpus_free(corpus);
    return NULL;
}

tl_corpus *tl_labelled_of(const tl_run_settings *s, tl_labelled_part part, const tl_events *events,
                          tl_error *error) {
    if (!s || part < TL_LABELLED_TRAIN || part > TL_UNLABELLED) {
        tl_error_set(error,
                     s ? "labelled texts: there is no part number %d"
                       : "labelled texts: there are no settings (part %d)",
                     (int)part);
        return NULL;
    }
    if (part == TL_UNLABELLED &&
        !(s->data.task ? s->classify.unlabelled > 0 : s->classify.pretrain_text != NULL)) {
        tl_error_set(error, "labelled texts: the settings name none without labels");
        return NULL;
    }
    if (s->data.task) return make(s, part, error);
    if (part == TL_UNLABELLED)
        return read_file(s->classify.pretrain_text, tl_corpus_parse_lines, s->data.strict, events, error);
    return tl_labelled_read(part == TL_LABELLED_TRAIN   ? s->data.train
                            : part == TL_LABELLED_VALID ? s->data.valid
                                                        : NULL,
                            s->data.strict, events, error);
}

/* ---- the data of a training ---- */

typedef struct labelled {
    tl_batched of;
    tl_corpus *train, *valid, *plain;             /* as people write them; plain: without labels, or NULL */
    tl_corpus *train_cut, *valid_cut, *plain_cut; /* texts as tokens with ids */
    int *train_labels, *valid_labels, *room;      /* classes; room: a batch's classes */
} labelled;

static bool has_plain(const tl_run_settings *s) {
    return s->classify.pretrain && (s->classify.pretrain_text || s->classify.unlabelled);
}

static bool read_data(tl_run *run) {
    labelled *d = run->data = calloc(1, sizeof *d);
    if (!d) return tl_error_set(&run->error, "out of memory for labelled texts");
    const tl_run_settings *s = &run->settings;
    d->of.run = run;
    d->train = tl_labelled_of(s, TL_LABELLED_TRAIN, run->events, &run->error);
    if (d->train) d->valid = tl_labelled_of(s, TL_LABELLED_VALID, run->events, &run->error);
    if (d->valid && has_plain(s)) d->plain = tl_labelled_of(s, TL_UNLABELLED, run->events, &run->error);
    return !tl_failed(&run->error);
}

static const char *name_of(const char *file) { return file ? file : "made here"; }

/* All texts together, as sources. */
static tl_corpus *all_texts(const labelled *d) {
    tl_corpus *all = tl_corpus_new();
    for (long i = 0; i < tl_corpus_size(d->train); i++)
        tl_corpus_add(all, tl_corpus_sentence(d->train, TL_SOURCE, i), "");
    for (long i = 0; i < tl_corpus_size(d->plain); i++)
        tl_corpus_add(all, tl_corpus_sentence(d->plain, TL_SOURCE, i), "");
    if (tl_corpus_error(all)) tl_error_set(&d->of.run->error, "%s", tl_corpus_error(all));
    return all;
}

static bool learn_text(tl_run *run) {
    const labelled *d = run->data;
    run->labels = tl_labels_new(d->train);
    if (tl_labels_error(run->labels)) return tl_error_set(&run->error, "%s", tl_labels_error(run->labels));
    if (tl_labels_count(run->labels) < 2)
        return tl_error_set(
            &run->error,
            "%s: every text has the label \"%s\": a classifier needs texts of two labels or more",
            name_of(run->settings.data.train), tl_labels_name(run->labels, 0));
    tl_corpus *all = all_texts(d);
    const bool ok =
        !tl_failed(&run->error) && tl_run_learn_merges(run, all) && tl_run_make_vocabularies(run, all);
    tl_corpus_free(all);
    return ok;
}

static bool encode_one(tl_run *run, tl_corpus *lines, tl_corpus **cut, const char *name) {
    *cut = tl_classify_encode(run, lines);
    return *cut && tl_run_drop_long(run, lines, *cut, name, run->settings.data.max_length);
}

static bool encode_data(tl_run *run) {
    labelled *d = run->data;
    const tl_run_settings *s = &run->settings;
    if (!encode_one(run, d->train, &d->train_cut, name_of(s->data.train)) ||
        !encode_one(run, d->valid, &d->valid_cut, name_of(s->data.valid)) ||
        (d->plain && !encode_one(run, d->plain, &d->plain_cut, name_of(s->classify.pretrain_text))))
        return false;
    d->train_labels = tl_classify_labels(run, d->train, name_of(s->data.train));
    d->valid_labels = d->train_labels ? tl_classify_labels(run, d->valid, name_of(s->data.valid)) : NULL;
    if (!d->valid_labels) return false;
    d->room = malloc((size_t)(tl_corpus_size(d->train) + 1) * sizeof *d->room);
    if (!d->room) return tl_error_set(&run->error, "out of memory for a batch");
    d->of.batches = tl_batches_new(d->train_cut, &(tl_batches_config){.tokens = s->training.batch_tokens,
                                                                      .order = TL_SHUFFLED,
                                                                      .seed = (uint64_t)s->training.seed});
    return tl_batched_is_well(&d->of);
}

static void forget_data(tl_run *run) {
    labelled *d = run->data;
    if (!d) return;
    tl_batches_free(d->of.batches);
    tl_corpus *const corpora[] = {d->train, d->valid, d->plain, d->train_cut, d->valid_cut, d->plain_cut};
    for (int i = 0; i < 6; i++) tl_corpus_free(corpora[i]);
    free(d->train_labels);
    free(d->valid_labels);
    free(d->room);
    free(d);
}

/* ---- the task ---- */

static bool next(void *context) {
    labelled *d = context;
    if (!tl_batched_next(&d->of)) return false;
    tl_classify_batch(&d->of.batch, d->train_labels, d->room);
    return true;
}

static long texts(void *context) { return ((const labelled *)context)->of.batch.sentences; }
static double read_tokens(void *context) { return (double)((const labelled *)context)->of.batch.src_tokens; }

static void name(void *context, char *text, size_t size) {
    const labelled *d = context;
    tl_name_batch(&d->of.batch, d->train, text, size);
}

static bool validate(void *context, tl_quality *quality, tl_translations *written) {
    labelled *d = context;
    (void)written;
    return tl_classify_measure(d->of.run, d->valid_cut, d->valid_labels,
                               d->of.run->settings.training.batch_tokens, quality, NULL);
}

static void task_of(tl_run *run, tl_task *task, tl_prepared *prepared) {
    labelled *d = run->data;
    const tl_corpus *const all[] = {d->train, d->valid, d->plain};
    *prepared = (tl_prepared){d->train, d->valid, tl_corpus_size(d->train), tl_corpus_size(d->valid), "text"};
    *task = tl_batched_task(&d->of);
    task->unit = "text";
    task->fingerprint = tl_pairs_fingerprint(all, d->plain ? 3 : 2);
    task->next = next;
    task->tokens = texts;
    task->read = read_tokens;
    task->name = name;
    task->validate = validate;
}

static tl_ending before(tl_run *run, tl_training_end *end) {
    const labelled *d = run->data;
    return tl_classify_pretrain(run, d->train_cut, d->plain_cut, d->valid_cut, end);
}

const tl_run_program tl_classify_program = {.name = "classify",
                                            .options = tl_classify_options,
                                            .usual = tl_classify_usual,
                                            .complete = tl_classify_complete,
                                            .save_text = tl_classify_save_text,
                                            .load_text = tl_classify_load_text,
                                            .make = tl_classify_make,
                                            .read = read_data,
                                            .learn_text = learn_text,
                                            .encode = encode_data,
                                            .before = before,
                                            .task = task_of,
                                            .forget_data = forget_data,
                                            .score = "accuracy",
                                            .score_label = "accuracy"};
