/* Using a classifier: texts in batches of similar length; probabilities and classes in the corpus' order; how good
 * they are. */
#include "classification.h"
#include "clock.h"
#include "events.h"
#include "pass.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- texts and labels as numbers ---- */

tl_corpus *tl_classify_encode(tl_run *run, const tl_corpus *lines) {
    tl_corpus *sources = tl_corpus_new();
    for (long i = 0; i < tl_corpus_size(lines); i++)
        tl_corpus_add(sources, tl_corpus_sentence(lines, TL_SOURCE, i), "");
    if (tl_corpus_error(sources)) tl_error_set(&run->error, "%s", tl_corpus_error(sources));
    tl_corpus *encoded = tl_failed(&run->error) ? NULL : tl_run_encode(run, sources);
    tl_corpus_free(sources);
    return encoded;
}

static bool unknown_label(tl_run *run, const tl_corpus *labelled, const char *name, long i) {
    char known[256] = "";
    const long count = tl_labels_count(run->labels);
    size_t used = 0;
    for (long k = 0; k < count && k < 5 && used < sizeof known - 1; k++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s\"%s\"", k ? ", " : "",
                                 tl_labels_name(run->labels, k));
    return tl_error_set(
        &run->error,
        "%s:%ld: the label \"%s\" is none that the model was trained on (%s%s): mend or remove the "
        "line, or train on such texts too",
        name, tl_corpus_line(labelled, i) ? tl_corpus_line(labelled, i) : i + 1,
        tl_corpus_sentence(labelled, TL_TARGET, i), known, count > 5 ? ", …" : "");
}

int *tl_classify_labels(tl_run *run, const tl_corpus *labelled, const char *name) {
    const long count = tl_corpus_size(labelled);
    int *labels = malloc((size_t)(count + 1) * sizeof *labels);
    if (!labels) tl_error_set(&run->error, "out of memory for %ld labels", count);
    for (long i = 0; labels && i < count && !tl_failed(&run->error); i++) {
        labels[i] = (int)tl_labels_find(run->labels, tl_corpus_sentence(labelled, TL_TARGET, i));
        if (labels[i] < 0) unknown_label(run, labelled, name, i);
    }
    if (!tl_failed(&run->error)) return labels;
    free(labels);
    return NULL;
}

void tl_classify_batch(tl_batch *batch, const int *labels, int *room) {
    for (long b = 0; b < batch->sentences; b++) room[b] = labels[batch->index[b]];
    batch->labels = room;
}

/* ---- all batches of a corpus, without gradients ---- */

typedef bool each_batch(tl_pass *pass, const tl_batch *batch, void *context);

/* Does not include the exchange at the end of the pass. */
static bool for_each_batch(tl_pass *pass, const tl_corpus *encoded, long batch_tokens, tl_work work,
                           each_batch *each, void *context) {
    tl_run *run = pass->run;
    tl_batches *batches = tl_run_by_length(run, encoded, batch_tokens);
    tl_batch batch;
    long done = 0;
    const bool was = tl_tape_set_grad(run->tape, false);
    tl_tape_set_training(run->tape, 0);
    TL_TELL(run->events, work_began, work, tl_corpus_size(encoded));
    while (tl_pass_goes_on(pass) && tl_batches_next(batches, &batch)) {
        if (tl_pass_mine(pass, &batch)) {
            tl_tape_reset(run->tape);
            if (!each(pass, &batch, context)) break;
        }
        done += batch.sentences;
        TL_TELL(run->events, work_done, done, (double)batch.src_tokens);
    }
    TL_TELL_THAT(run->events, work_ended);
    tl_pass_goes_on(pass); /* notes a stop during the last batch */
    tl_tape_set_grad(run->tape, was);
    if (tl_batches_error(batches)) tl_error_set(&run->error, "%s", tl_batches_error(batches));
    tl_batches_free(batches);
    return !tl_failed(&run->error);
}

/* Ties go to the first. */
static int arg_max(const tl_real *row, long classes) {
    int best = 0;
    for (int c = 1; c < classes; c++)
        if (row[c] > row[best]) best = c;
    return best;
}

/* ---- classifying ---- */

void tl_classes_free(tl_classes *classes) {
    if (!classes) return;
    free(classes->said);
    free(classes->p);
    *classes = (tl_classes){0};
}

static tl_var logits_of(tl_run *run, const tl_batch *batch) {
    tl_model_maps room;
    return tl_classifier_logits(&run->classifier, run->tape, batch, tl_run_acting_maps(run, &room));
}

static bool keep(tl_pass *pass, const tl_batch *batch, void *context) {
    tl_run *run = pass->run;
    tl_classes *to = context;
    const tl_var p = tl_softmax(logits_of(run, batch), 1);
    if (!tl_ok(p)) return tl_error_set(&run->error, "%s", tl_tape_error(run->tape));
    const tl_real *row = tl_value(p).data;
    for (long b = 0; b < batch->sentences; b++, row += to->classes) {
        const long i = batch->index[b];
        if (to->said[i] < 0) continue; /* not classified */
        to->said[i] = arg_max(row, to->classes);
        for (long c = 0; c < to->classes; c++) to->p[i * to->classes + c] = (double)row[c];
        tl_pass_tell(pass, &i, sizeof i);
        tl_pass_tell(pass, &to->said[i], sizeof to->said[i]);
        tl_pass_tell(pass, &to->p[i * to->classes], (size_t)to->classes * sizeof *to->p);
    }
    return true;
}

static bool take_classes(void *context, const tl_pass *pass, tl_told *told) {
    const tl_classes *to = context;
    long i;
    (void)pass;
    while (tl_told_read(told, &i, sizeof i)) {
        tl_told_read(told, &to->said[i], sizeof to->said[i]);
        tl_told_read(told, &to->p[i * to->classes], (size_t)to->classes * sizeof *to->p);
    }
    return true;
}

/* Names the first texts that cannot be classified, and counts the rest. */
static void leave_out(tl_run *run, const tl_corpus *lines, const tl_corpus *encoded, tl_classes *to) {
    char text[TL_ERROR_MAX];
    for (long i = 0; i < to->count; i++) {
        const char *line = tl_corpus_sentence(lines, TL_SOURCE, i);
        const long tokens = tl_text_token(line, strlen(line), NULL) ? tl_tokens_of(encoded, TL_SOURCE, i) : 0;
        to->said[i] = tokens && tokens <= TL_LONGEST_SENTENCE ? 0 : -1;
        if (to->said[i] == 0 || to->left_out++ >= TL_REPORT_LINES) continue;
        if (tokens)
            snprintf(text, sizeof text,
                     "line %ld has %ld tokens, and a model reads at most %d: it gets no label", i + 1, tokens,
                     TL_LONGEST_SENTENCE);
        else
            snprintf(text, sizeof text, "line %ld is blank: it gets no label", i + 1);
        TL_TELL(run->events, warning, text);
    }
    snprintf(text, sizeof text, "%ld more lines are blank or too long", to->left_out - TL_REPORT_LINES);
    if (to->left_out > TL_REPORT_LINES) TL_TELL(run->events, warning, text);
}

static bool classify(tl_pass *pass, const tl_corpus *lines, const tl_corpus *encoded, long batch_tokens,
                     tl_classes *to) {
    leave_out(pass->run, lines, encoded, to);
    if (to->left_out == to->count) return true; /* an empty corpus has no batches */
    tl_corpus *readable = tl_run_readable(pass->run, encoded, false);
    const bool ok = readable && for_each_batch(pass, readable, batch_tokens, TL_WORK_CLASSIFYING, keep, to);
    tl_corpus_free(readable);
    return ok;
}

/* Is the run a classifier with a model? */
static bool is_classifier(tl_run *run) {
    if (!tl_run_has_model(run)) return false;
    return tl_run_classifier(run) ||
           tl_error_set(&run->error,
                        "the run in %s is none of a classifier: give one that classify has trained",
                        run->dir);
}

bool tl_run_classify(tl_run *run, const tl_corpus *lines, long batch_tokens, tl_classes *classes) {
    if (classes) *classes = (tl_classes){0};
    if (!is_classifier(run)) return false;
    if (!lines || !classes) return tl_run_lacks(run, lines ? "the place for the classes" : "the corpus");
    tl_pass pass = tl_pass_begin(run);
    tl_classes to = {.count = tl_corpus_size(lines), .classes = tl_labels_count(run->labels)};
    to.said = malloc((size_t)(to.count + 1) * sizeof *to.said);
    to.p = calloc((size_t)(to.count * to.classes) + 1, sizeof *to.p);
    if (!to.said || !to.p) tl_error_set(&run->error, "out of memory for the classes of %ld texts", to.count);
    tl_corpus *encoded = tl_failed(&run->error) ? NULL : tl_classify_encode(run, lines);
    if (encoded) tl_run_tell_unknown(run, encoded);
    const bool ok =
        tl_pass_end(&pass, encoded && classify(&pass, lines, encoded, batch_tokens, &to), take_classes, &to);
    tl_corpus_free(encoded);
    if (ok)
        *classes = to;
    else
        tl_classes_free(&to);
    return ok;
}

/* ---- how good it is ---- */

typedef struct measure {
    const int *labels;
    int *room;
    long *confusion, classes;
} measure;

static void count(const measure *m, int label, int said) {
    if (m->confusion) m->confusion[label * m->classes + said]++;
}

static bool add(tl_pass *pass, const tl_batch *given, void *context) {
    tl_run *run = pass->run;
    measure *m = context;
    tl_batch batch = *given;
    tl_classify_batch(&batch, m->labels, m->room);
    const tl_var logits = logits_of(run, &batch);
    tl_loss_report own = {0};
    if (!tl_ok(tl_cross_entropy(logits, batch.labels, NULL, &own)))
        return tl_error_set(&run->error, "%s", tl_tape_error(run->tape));
    tl_pass_add(pass, &own);
    const tl_real *row = tl_value(logits).data;
    for (long b = 0; m->confusion && b < batch.sentences; b++, row += m->classes) {
        const int both[] = {batch.labels[b], arg_max(row, m->classes)};
        count(m, both[0], both[1]);
        tl_pass_tell(pass, both, sizeof both);
    }
    return true;
}

static bool take_counts(void *context, const tl_pass *pass, tl_told *told) {
    int both[2];
    (void)pass;
    while (!told->own && tl_told_read(told, both, sizeof both)) count(context, both[0], both[1]);
    return true;
}

bool tl_classify_measure(tl_run *run, const tl_corpus *encoded, const int *labels, long batch_tokens,
                         tl_quality *q, long *confusion) {
    const double start = tl_seconds_now();
    tl_pass pass = tl_pass_begin(run);
    tl_pass_have_alike(&pass, labels, (size_t)tl_corpus_size(encoded) * sizeof *labels);
    measure m = {.labels = labels, .confusion = confusion, .classes = tl_labels_count(run->labels)};
    *q = (tl_quality){.sentences = tl_corpus_size(encoded)};
    m.room = malloc((size_t)(q->sentences + 1) * sizeof *m.room);
    if (!m.room) tl_error_set(&run->error, "out of memory for %ld labels", q->sentences);
    bool ok = m.room && for_each_batch(&pass, encoded, batch_tokens, TL_WORK_LOSS, add, &m);
    ok = tl_pass_end(&pass, ok, take_counts, &m);
    tl_quality_of_loss(q, &pass.loss);
    q->score = 100 * q->accuracy;
    q->exact = pass.loss.correct;
    q->seconds = tl_seconds_now() - start;
    free(m.room);
    return ok;
}

static bool evaluate(tl_run *run, tl_corpus *labelled, const char *name, long batch_tokens, tl_quality *q,
                     long *confusion) {
    tl_corpus *encoded = tl_classify_encode(run, labelled);
    bool ok = encoded && tl_run_drop_long(run, labelled, encoded, name, 0);
    int *labels = ok ? tl_classify_labels(run, labelled, name) : NULL;
    if (labels) tl_run_tell_unknown(run, encoded);
    ok = labels && tl_classify_measure(run, encoded, labels, batch_tokens, q, confusion);
    if (ok && !isfinite(q->loss))
        ok = tl_error_set(&run->error, "the model's loss on %s is not finite: are its weights sound?", name);
    free(labels);
    tl_corpus_free(encoded);
    return ok;
}

bool tl_run_evaluate_labels(tl_run *run, tl_corpus *labelled, const char *name, long batch_tokens,
                            tl_quality *quality, tl_confusion *confusion) {
    if (confusion) *confusion = (tl_confusion){0};
    if (!is_classifier(run)) return false;
    if (!labelled || !quality)
        return tl_run_lacks(run, labelled ? "the place for the quality" : "the corpus");
    tl_confusion own = {.classes = tl_labels_count(run->labels)};
    own.count = calloc((size_t)(own.classes * own.classes) + 1, sizeof *own.count);
    if (!own.count) tl_error_set(&run->error, "out of memory for a table of %ld classes", own.classes);
    const bool ok =
        own.count && evaluate(run, labelled, name ? name : "(texts)", batch_tokens, quality, own.count);
    if (ok && confusion)
        *confusion = own;
    else
        tl_confusion_free(&own);
    return ok;
}

/* ---- confusion ---- */

void tl_confusion_free(tl_confusion *confusion) {
    if (!confusion) return;
    free(confusion->count);
    *confusion = (tl_confusion){0};
}

tl_class_score tl_class_score_of(const tl_confusion *c, long number) {
    tl_class_score s = {.precision = NAN, .recall = NAN, .f1 = NAN};
    if (!c || !c->count || number < 0 || number >= c->classes) return s;
    for (long k = 0; k < c->classes; k++) {
        s.texts += c->count[number * c->classes + k];
        s.said += c->count[k * c->classes + number];
    }
    s.right = c->count[number * c->classes + number];
    if (s.said) s.precision = (double)s.right / (double)s.said;
    if (s.texts) s.recall = (double)s.right / (double)s.texts;
    if (s.texts + s.said) s.f1 = 2 * (double)s.right / (double)(s.texts + s.said);
    return s;
}
