/* A decoder alone without positions, on the same sequences: "3 1 2 > 2 1 3" is a line of text. It knows a symbol's
 * position only because it sees nothing after it. */
#include "claim_order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 8 * LONGER }; /* the most bytes: two sequences, a sign, spaces */

/* The sequences as lines; the caller frees them. NULL when out of memory. */
static char *lines_of(const tl_corpus *pairs, size_t *size) {
    const long count = tl_corpus_size(pairs);
    char *text = malloc((size_t)count * LINE + 1);
    *size = 0;
    for (long i = 0; text && i < count; i++)
        *size += (size_t)snprintf(text + *size, LINE, "%s > %s\n", tl_corpus_sentence(pairs, TL_SOURCE, i),
                                  tl_corpus_sentence(pairs, TL_TARGET, i));
    return text;
}

static bool write_lines(tl_corpus *pairs, const char *path, tl_error *error) {
    size_t size;
    char *text = pairs ? lines_of(pairs, &size) : NULL;
    const bool ok = text               ? tl_file_write(path, text, size, error)
                    : tl_failed(error) ? false
                                       : tl_error_set(error, "out of memory for lines");
    free(text);
    tl_corpus_free(pairs);
    return ok;
}

static bool write_data(const job *j, const char *train, const char *valid, tl_error *error) {
    tl_run_settings s = reversal(j->study);
    s.training.seed = (long)j->real_seed;
    return write_lines(tl_pairs_of(&s, TL_PART_TRAIN, NULL, error), train, error) &&
           write_lines(held_out_reversals(j, false, error), valid, error);
}

static tl_run_settings decoder_settings(const job *j, const char *train, const char *valid) {
    tl_run_settings r = tl_run_settings_of_program("lm");
    r.data.train = train;
    r.data.valid = valid;
    r.text.units = "words";
    r.lm.lines = true;
    r.lm.context = 2 * LONGER + 2;
    r.lm.batch = budget_of(j->study, 32, 32, 8);
    toy_model(j->study, &r);
    r.model.positions = "none";
    r.model.dropout = 0;
    r.training.lr = 0.004;
    r.training.warmup = 200;
    r.training.seed = (long)j->real_seed;
    return r;
}

/* Is every symbol after ">", and the end, the most likely one given the true ones before? Then greedy search writes
 * exactly them. The batch is one line, whose symbols, signs and end follow each other in tgt_out. */
static bool is_right(tl_run *run, tl_batch line, long length, bool *right) {
    int foretold[2 * LONGER + 2];
    tl_loss_report report = {0};
    for (long t = 0; t < line.tgt_len; t++) foretold[t] = t <= length ? line.pad : line.tgt_out[t];
    line.tgt_out = foretold;
    tl_tape_reset(tl_run_tape(run));
    const tl_var loss = tl_model_loss(tl_run_model(run), tl_run_tape(run), &line, NULL, &report, NULL);
    *right = report.correct == length + 1;
    return tl_ok(loss);
}

static bool measure_lines(const job *j, tl_run *run, const tl_lm_text *text, tally *t) {
    tl_windows *windows = tl_windows_new(text->ids, text->count,
                                         &(tl_windows_config){.length = 2 * LONGER + 2,
                                                              .batch = 1,
                                                              .starts = text->starts,
                                                              .texts = text->texts,
                                                              .pad = TL_PAD});
    tl_batch line;
    bool ok = !tl_windows_error(windows), right;
    while (ok && !job_stopped(j) && tl_windows_next(windows, &line)) {
        const long length = line.tgt_len / 2 - 1; /* length symbols, ">", length symbols, <eos> */
        ok = is_right(run, line, length, &right);
        if (ok) tally_add(t, length, right);
    }
    tl_windows_free(windows);
    return ok;
}

static bool measure(const job *j, tl_run *run, bool longer, tally *t, tl_error *error) {
    tl_corpus *pairs = held_out_reversals(j, longer, error);
    size_t size = 0;
    char *bytes = pairs ? lines_of(pairs, &size) : NULL;
    tl_lm_text text = {.ids = NULL};
    const bool ok = bytes && tl_lm_encode(run, bytes, size, &text) && measure_lines(j, run, &text, t);
    tl_lm_text_free(&text);
    free(bytes);
    tl_corpus_free(pairs);
    if (ok || tl_failed(error)) return ok;
    return job_failed(run, "out of memory for lines", error);
}

static bool measure_both(const job *j, const char *dir, numbers *out, tl_error *error) {
    tl_run *run = tl_run_open(dir, &(tl_run_choice){.weights = "none"}, error);
    tally t = {{0}, {0}};
    bool ok = run && job_weights(run, dir, j->arm.number, error);
    if (run) tl_tape_set_grad(tl_run_tape(run), false);
    ok = ok && measure(j, run, false, &t, error) && measure(j, run, true, &t, error);
    tl_run_free(run);
    if (ok && job_stopped(j)) ok = tl_error_set(error, "interrupted");
    if (ok) tally_put(&t, j, out);
    return ok;
}

bool order_alone(const job *j, numbers *out, tl_error *error) {
    char train[FOLDER_SIZE + 16], valid[FOLDER_SIZE + 16], dir[FOLDER_SIZE + 16];
    const char *folder = job_folder(j, error);
    if (!folder) return false;
    snprintf(train, sizeof train, "%s/train.txt", folder);
    snprintf(valid, sizeof valid, "%s/valid.txt", folder);
    snprintf(dir, sizeof dir, "%s/run", folder);
    const tl_run_settings settings = decoder_settings(j, train, valid);
    const long stops[STOPS_MOST] = {j->arm.number};
    return write_data(j, train, valid, error) && job_train(j, dir, &settings, stops, NULL, error) &&
           measure_both(j, dir, out, error);
}
