/* Where sentences come from: files, or what is made here. Reading says what it left out, with line numbers. */
#define _POSIX_C_SOURCE 200809L /* open_memstream */
#include "run.h"

#include <stdlib.h>
#include <string.h>

/* ---- files ---- */

static bool parse_files(tl_corpus *corpus, const settings *s, const char *first, const char *second,
                        tl_error *error) {
    char *bytes[2] = {NULL, NULL};
    size_t size[2] = {0, 0};
    tl_corpus_config config = {.name = first, .strict = s->strict};
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

static void say_report(const settings *s, const tl_corpus_report *report) {
    char text[TL_REPORT_TEXT];
    if (report->pairs < report->lines && !s->quiet) fputs(tl_corpus_report_text(report, text), stderr);
}

tl_corpus *data_read(const settings *s, const char *tsv, const char *src, const char *tgt, tl_error *error) {
    tl_corpus *corpus = tl_corpus_new();
    if (parse_files(corpus, s, tsv ? tsv : src, tsv ? NULL : tgt, error)) {
        say_report(s, tl_corpus_last_report(corpus));
        return corpus;
    }
    tl_corpus_free(corpus);
    return NULL;
}

/* ---- made here ---- */

enum { HELD_OUT = 500 }; /* sentences to validate on, and as many to test on */

/* Training, validation and test are ranges of one stream; longer sequences are a stream of their own. */
static bool make_task(tl_corpus *corpus, const settings *s, data_part part, long sentences) {
    long first = part == DATA_TRAIN ? 0 : part == DATA_VALID ? s->sentences : s->sentences + HELD_OUT;
    tl_toy_config config = {.task = s->task,
                            .sentences = sentences,
                            .first = part == DATA_LONGER ? 0 : first,
                            .min_length = part == DATA_LONGER ? s->max_symbols + 1 : s->min_symbols,
                            .max_length = part == DATA_LONGER ? s->max_symbols + 5 : s->max_symbols,
                            .symbols = s->symbols,
                            .seed = (uint64_t)s->seed};
    return tl_corpus_toy(corpus, &config);
}

static bool make_pair(tl_corpus *corpus, const settings *s, data_part part, long sentences) {
    tl_grammar_config config = {.pair = s->pair,
                                .part = part == DATA_TRAIN ? TL_GRAMMAR_TRAIN : TL_GRAMMAR_HELD_OUT,
                                .sentences = sentences,
                                .first = part == DATA_TEST ? HELD_OUT : 0,
                                .seed = (uint64_t)s->seed};
    return tl_corpus_grammar(corpus, &config);
}

tl_corpus *data_part_of(const settings *s, data_part part, long sentences, tl_error *error) {
    if (!s->task && !s->pair)
        return part == DATA_TRAIN ? data_read(s, s->train, s->train_src, s->train_tgt, error)
                                  : data_read(s, s->valid, s->valid_src, s->valid_tgt, error);
    tl_corpus *corpus = tl_corpus_new();
    if (!sentences) sentences = part == DATA_TRAIN ? s->sentences : HELD_OUT;
    bool ok = s->task ? make_task(corpus, s, part, sentences) : make_pair(corpus, s, part, sentences);
    if (ok) return corpus;
    tl_error_set(error, "%s", tl_corpus_error(corpus) ? tl_corpus_error(corpus) : "out of memory");
    tl_corpus_free(corpus);
    return NULL;
}

/* ---- both ---- */

static bool is_long(const tl_corpus *cut, long i, long most) {
    long source, target;
    tl_corpus_ids(cut, TL_SOURCE, i, &source);
    tl_corpus_ids(cut, TL_TARGET, i, &target);
    return source > most || target > most;
}

/* Why pairs are left out is told in the report's own words; what reading left out has been said before. */
static void say_long(const settings *s, const tl_corpus *raw, const bool *keep, const char *name, long most) {
    tl_corpus_report report = {
        .lines = tl_corpus_size(raw), .pairs = tl_corpus_size(raw), .max_tokens = most};
    snprintf(report.name, sizeof report.name, "%s", name);
    for (long i = 0; i < tl_corpus_size(raw); i++) {
        if (keep[i]) continue;
        long *count = &report.skipped[TL_SKIP_LONG].count;
        if (*count < TL_REPORT_LINES) report.skipped[TL_SKIP_LONG].line[*count] = tl_corpus_line(raw, i);
        ++*count;
        report.pairs--;
    }
    say_report(s, &report);
}

bool data_drop_long(run *r, tl_corpus *raw, tl_corpus *cut, const char *name) {
    const settings *s = &r->settings;
    long most = s->max_length && s->max_length < LONGEST_SENTENCE ? s->max_length : LONGEST_SENTENCE;
    long pairs = tl_corpus_size(raw), left = 0, first = -1;
    bool *keep = malloc((size_t)pairs + 1);
    if (!keep) return tl_error_set(&r->error, "out of memory for %s", name);
    for (long i = 0; i < pairs; i++) {
        keep[i] = !is_long(cut, i, most);
        left += keep[i];
        if (!keep[i] && first < 0) first = i;
    }
    if (left < pairs && s->strict)
        tl_error_set(&r->error, "%s:%ld: more than %ld tokens on one side: shorten it%s", name,
                     tl_corpus_line(raw, first), most,
                     most < LONGEST_SENTENCE ? ", or raise --max-length" : "");
    else if (!left)
        tl_error_set(&r->error, "%s: every pair has more than %ld tokens on one side: %s", name, most,
                     most < LONGEST_SENTENCE ? "raise --max-length" : "cut them into sentences");
    else if (left < pairs) {
        say_long(s, raw, keep, name, most);
        if (!tl_corpus_keep(raw, keep) || !tl_corpus_keep(cut, keep) ||
            !tl_corpus_encode(cut, r->source, r->target))
            tl_error_set(&r->error, "out of memory for %s", name);
    }
    free(keep);
    return !tl_failed(&r->error);
}

/* FNV-1a over every sentence with its NUL. */
uint64_t data_fingerprint(const tl_corpus *const *corpora, int count) {
    uint64_t hash = 14695981039346656037u;
    for (int c = 0; c < count; c++)
        for (long i = 0; i < 2 * tl_corpus_size(corpora[c]); i++) {
            const char *text = tl_corpus_sentence(corpora[c], i % 2 ? TL_TARGET : TL_SOURCE, i / 2);
            do hash = (hash ^ (unsigned char)*text) * 1099511628211u;
            while (*text++);
        }
    return hash;
}

/* ---- translate corpus: the grammar's sentences as files ---- */

static bool write_lines(const tl_corpus *corpus, bool links, const char *dir, const char *file,
                        tl_error *error) {
    char path[PATH_SIZE], *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out) return tl_error_set(error, "out of memory for %s", file);
    for (long i = 0; i < tl_corpus_size(corpus); i++) {
        long count = 0;
        const tl_link *link = tl_corpus_alignment(corpus, i, &count);
        if (!links)
            fprintf(out, "%s\t%s", tl_corpus_sentence(corpus, TL_SOURCE, i),
                    tl_corpus_sentence(corpus, TL_TARGET, i));
        for (long k = 0; links && k < count; k++)
            fprintf(out, "%s%d-%d", k ? " " : "", link[k].source, link[k].target);
        fputc('\n', out);
    }
    bool ok = !ferror(out);
    if (fclose(out) || !ok) ok = tl_error_set(error, "out of memory for %s", file);
    ok = ok && tl_file_write(run_path(path, dir, file), text, size, error);
    free(text);
    return ok;
}

int command_corpus(settings *s) {
    static const char *const names[] = {"train", "valid", "test"};
    tl_error error = {""};
    tl_make_dirs(s->out, &error);
    for (int part = DATA_TRAIN; part <= DATA_TEST && !tl_failed(&error); part++) {
        char file[32];
        tl_corpus *corpus = data_part_of(s, part, 0, &error);
        snprintf(file, sizeof file, "%s.tsv", names[part]);
        if (corpus && write_lines(corpus, false, s->out, file, &error)) {
            snprintf(file, sizeof file, "%s.align", names[part]);
            if (write_lines(corpus, true, s->out, file, &error))
                printf("%s/%s.tsv: %ld pairs, word alignments in %s.align\n", s->out, names[part],
                       tl_corpus_size(corpus), names[part]);
        }
        tl_corpus_free(corpus);
    }
    return tl_failed(&error) ? fail_with(error.message) : 0;
}
