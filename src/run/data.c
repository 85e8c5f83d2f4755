/* Where sentences come from: files, or made here. Reading reports the lines that it left out, by number. */
#include "events.h"
#include "run.h"

#include <stdlib.h>
#include <string.h>

/* ---- files ---- */

static bool parse_files(tl_corpus *corpus, const char *first, const char *second, bool strict,
                        tl_error *error) {
    char *bytes[2] = {NULL, NULL};
    size_t size[2] = {0, 0};
    tl_corpus_config config = {.name = first, .strict = strict};
    bool ok = tl_file_read(first, &bytes[0], &size[0], error) &&
              (!second || tl_file_read(second, &bytes[1], &size[1], error));
    if (ok)
        ok = (second ? tl_corpus_parse_parallel(corpus, bytes[0], size[0], bytes[1], size[1], second, &config)
                     : tl_corpus_parse_tsv(corpus, bytes[0], size[0], &config)) ||
             tl_error_set(error, "%s", tl_corpus_error(corpus) ? tl_corpus_error(corpus) : "out of memory");
    free(bytes[0]);
    free(bytes[1]);
    return ok;
}

static void tell_report(const tl_events *events, const tl_corpus_report *report) {
    if (report->pairs < report->lines) TL_TELL(events, left_out, report);
}

tl_corpus *tl_pairs_read(const char *tsv, const char *source, const char *target, bool strict,
                         const tl_events *events, tl_error *error) {
    if (!tsv && (!source || !target)) {
        tl_error_set(error, "sentence pairs: give a TSV, or two files, one for each side");
        return NULL;
    }
    tl_corpus *corpus = tl_corpus_new();
    if (parse_files(corpus, tsv ? tsv : source, tsv ? NULL : target, strict, error)) {
        tell_report(events, tl_corpus_last_report(corpus));
        return corpus;
    }
    tl_corpus_free(corpus);
    return NULL;
}

/* ---- made here ---- */

enum { HELD_OUT = 500 }; /* sentences for validation, and as many for test */

static long sentences_of(const tl_data_settings *s, tl_part part) {
    return part == TL_PART_TRAIN || part == TL_PART_OTHER ? s->sentences : HELD_OUT;
}

/* Training, validation and test are ranges of one stream. TL_PART_LONGER and TL_PART_OTHER have streams of their
 * own. */
static bool make_task(tl_corpus *corpus, const tl_data_settings *s, tl_part part, uint64_t seed) {
    const bool longer = part == TL_PART_LONGER;
    long first = part == TL_PART_VALID ? s->sentences : part == TL_PART_TEST ? s->sentences + HELD_OUT : 0;
    tl_toy_config config = {.task = s->task,
                            .sentences = sentences_of(s, part),
                            .first = first,
                            .min_length = longer ? s->max_symbols + 1 : s->min_symbols,
                            .max_length = longer ? s->max_symbols + 5 : s->max_symbols,
                            .symbols = s->symbols,
                            .seed = part == TL_PART_OTHER ? ~seed : seed};
    return tl_corpus_toy(corpus, &config);
}

static bool make_pair(tl_corpus *corpus, const tl_data_settings *s, tl_part part, uint64_t seed) {
    tl_grammar_config config = {.pair = s->pair,
                                .part = part == TL_PART_TRAIN ? TL_GRAMMAR_TRAIN : TL_GRAMMAR_HELD_OUT,
                                .sentences = sentences_of(s, part),
                                .first = part == TL_PART_TEST ? HELD_OUT : 0,
                                .seed = seed};
    return tl_corpus_grammar(corpus, &config);
}

tl_corpus *tl_pairs_of(const tl_run_settings *settings, tl_part part, const tl_events *events,
                       tl_error *error) {
    if (!settings || part < TL_PART_TRAIN || part > TL_PART_OTHER) {
        tl_error_set(error,
                     settings ? "sentence pairs: there is no part number %d"
                              : "sentence pairs: there are no settings to say which (part %d)",
                     (int)part);
        return NULL;
    }
    tl_data_settings filled = settings->data;
    tl_data_settings_fill(&filled);
    const tl_data_settings *s = &filled;
    const uint64_t seed = (uint64_t)settings->training.seed;
    if (!s->task && !s->pair)
        return part == TL_PART_TRAIN
                   ? tl_pairs_read(s->train, s->train_src, s->train_tgt, s->strict, events, error)
                   : tl_pairs_read(s->valid, s->valid_src, s->valid_tgt, s->strict, events, error);
    tl_corpus *corpus = tl_corpus_new();
    if (s->task ? make_task(corpus, s, part, seed) : make_pair(corpus, s, part, seed)) return corpus;
    tl_error_set(error, "%s", tl_corpus_error(corpus) ? tl_corpus_error(corpus) : "out of memory");
    tl_corpus_free(corpus);
    return NULL;
}

/* ---- pairs that are too long ---- */

static bool is_long(const tl_corpus *encoded, long i, long most) {
    long source, target;
    tl_corpus_ids(encoded, TL_SOURCE, i, &source);
    tl_corpus_ids(encoded, TL_TARGET, i, &target);
    return source > most || target > most;
}

/* Reports the pairs left out for length, and only those: reading has already reported the others. */
static void tell_long(const tl_events *events, const tl_corpus *lines, const bool *keep, const char *name,
                      long most) {
    tl_corpus_report report = {
        .lines = tl_corpus_size(lines), .pairs = tl_corpus_size(lines), .max_tokens = most};
    snprintf(report.name, sizeof report.name, "%s", name);
    for (long i = 0; i < tl_corpus_size(lines); i++) {
        if (keep[i]) continue;
        long *count = &report.skipped[TL_SKIP_LONG].count;
        if (*count < TL_REPORT_LINES) report.skipped[TL_SKIP_LONG].line[*count] = tl_corpus_line(lines, i);
        ++*count;
        report.pairs--;
    }
    tell_report(events, &report);
}

static bool drop(tl_run *run, tl_corpus *lines, tl_corpus *encoded, const bool *keep) {
    return tl_corpus_keep(lines, keep) && tl_corpus_keep(encoded, keep) &&
           tl_corpus_encode(encoded, run->vocab[TL_SOURCE], run->vocab[TL_TARGET]);
}

bool tl_run_drop_long(tl_run *run, tl_corpus *lines, tl_corpus *encoded, const char *name, long most) {
    if (!most || most > TL_LONGEST_SENTENCE) most = TL_LONGEST_SENTENCE;
    /* the model's limit, not a setting that could be raised */
    const bool by_model = most == TL_LONGEST_SENTENCE;
    long pairs = tl_corpus_size(lines), left = 0, first = -1;
    bool *keep = malloc((size_t)pairs + 1);
    if (!keep) return tl_error_set(&run->error, "out of memory for %s", name);
    for (long i = 0; i < pairs; i++) {
        keep[i] = !is_long(encoded, i, most);
        left += keep[i];
        if (!keep[i] && first < 0) first = i;
    }
    if (left < pairs && run->settings.data.strict)
        tl_error_set(&run->error, "%s:%ld: more than %ld tokens on one side: shorten it%s", name,
                     tl_corpus_line(lines, first), most, by_model ? "" : ", or raise --max-length");
    else if (!left)
        tl_error_set(&run->error, "%s: every pair has more than %ld tokens on one side: %s", name, most,
                     by_model ? "cut them into sentences" : "raise --max-length");
    else if (left < pairs) {
        tell_long(run->events, lines, keep, name, most);
        if (!drop(run, lines, encoded, keep)) tl_error_set(&run->error, "out of memory for %s", name);
    }
    free(keep);
    return !tl_failed(&run->error);
}

/* FNV-1a over every sentence with its NUL. */
uint64_t tl_pairs_fingerprint(const tl_corpus *const *corpora, int count) {
    uint64_t hash = 14695981039346656037u;
    for (int c = 0; c < count; c++)
        for (long i = 0; i < 2 * tl_corpus_size(corpora[c]); i++) {
            const char *text = tl_corpus_sentence(corpora[c], i % 2 ? TL_TARGET : TL_SOURCE, i / 2);
            do hash = (hash ^ (unsigned char)*text) * 1099511628211u;
            while (*text++);
        }
    return hash;
}

/* ---- naming a batch ---- */

void tl_name_batch(const tl_batch *batch, const tl_corpus *corpus, char *text, size_t size) {
    bool one = batch->sentences == 1;
    int used = snprintf(text, size, "a batch of %ld sentence%s", batch->sentences, one ? "" : "s");
    for (long i = 0; i < batch->sentences && i < 5; i++) {
        long line = tl_corpus_line(corpus, batch->index[i]);
        const char *what = line ? ", line" : ", number";
        used += snprintf(text + used, size - (size_t)used, "%s%s%ld", i ? ", " : what,
                         i     ? ""
                         : one ? " "
                               : "s ",
                         line ? line : batch->index[i] + 1);
    }
    if (batch->sentences > 5) snprintf(text + used, size - (size_t)used, " …");
}
