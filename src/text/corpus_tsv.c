/* Two-column text into a corpus: source, tab, target. Every line ends as a pair, or as a skip of exactly
 * one kind, or, when strict, as the error that ends the reading. */
#include "corpus.h"

#include <stdarg.h>
#include <string.h>

/* One line, taken apart. */
typedef struct row {
    long number; /* from 1 */
    tl_span line, column[2];
} row;

static const char *const side_name[2] = {"source", "target"};

static bool split(tl_span line, tl_span column[2]) {
    const char *tab = memchr(line.text, '\t', line.size);
    if (!tab) return false;
    column[0] = (tl_span){line.text, (size_t)(tab - line.text)};
    column[1] = (tl_span){tab + 1, line.size - column[0].size - 1};
    const char *second = memchr(column[1].text, '\t', column[1].size);
    if (second) column[1].size = (size_t)(second - column[1].text);
    return true;
}

/* What keeps this row out; TL_SKIP_KINDS if nothing does. *side is the first column to blame. */
static tl_skip judge(row *r, long max_tokens, int *side) {
    *side = 0;
    if (!split(r->line, r->column)) return tl_count_tokens(r->line) > 0 ? TL_SKIP_NO_TAB : TL_SKIP_BLANK;
    long tokens[2];
    for (*side = 0; *side < 2; ++*side)
        if ((tokens[*side] = tl_count_tokens(r->column[*side])) == 0) return TL_SKIP_BLANK;
    for (*side = 0; *side < 2; ++*side)
        if (tl_utf8_first_bad(r->column[*side]) < r->column[*side].size) return TL_SKIP_INVALID;
    for (*side = 0; *side < 2; ++*side)
        if (max_tokens > 0 && tokens[*side] > max_tokens) return TL_SKIP_LONG;
    return TL_SKIP_KINDS;
}

static bool refuse(tl_corpus *corpus, const row *r, tl_skip kind, int side) {
    const char *name = corpus->report.name,
               *advice = "mend or remove the line, or read without strict to skip it";
    char quoted[TL_QUOTED];
    if (kind == TL_SKIP_NO_TAB)
        return tl_bad_line(&corpus->error, name, r->number, advice,
                           "found no tab in %s, expected source, tab, target", tl_quote(r->line, quoted));
    if (kind == TL_SKIP_BLANK)
        return tl_bad_line(&corpus->error, name, r->number, advice,
                           "found a blank %s, expected text on both sides of a tab",
                           tl_count_tokens(r->line) == 0 ? "line" : side_name[side]);
    tl_span column = r->column[side];
    if (kind == TL_SKIP_LONG)
        return tl_bad_line(&corpus->error, name, r->number, advice,
                           "found %ld tokens in the %s, expected at most %ld", tl_count_tokens(column),
                           side_name[side], corpus->report.max_tokens);
    const char *bad = column.text + tl_utf8_first_bad(column);
    advice = "convert the file (iconv -t UTF-8), or read without strict to skip the line";
    return tl_bad_line(&corpus->error, name, r->number, advice,
                       "found the byte 0x%02X at byte %ld of the line, expected UTF-8 without NUL",
                       (unsigned)(unsigned char)*bad, (long)(bad - r->line.text) + 1);
}

static void count_skip(tl_corpus_report *report, tl_skip kind, long line) {
    long seen = report->skipped[kind].count++;
    if (seen < TL_REPORT_LINES) report->skipped[kind].line[seen] = line;
}

static bool read_rows(tl_corpus *corpus, tl_span rest, bool strict) {
    tl_corpus_report *report = &corpus->report;
    row r = {0};
    while (tl_next_line(&rest, &r.line)) {
        r.number = ++report->lines;
        if (r.line.size > 0 && r.line.text[r.line.size - 1] == '\r') r.line.size--;
        int side;
        tl_skip kind = judge(&r, report->max_tokens, &side);
        if (kind != TL_SKIP_KINDS) {
            count_skip(report, kind, r.number);
            if (strict) return refuse(corpus, &r, kind, side);
        } else {
            corpus->reading = r.number;
            if (!tl_corpus_append(corpus, r.column[0], r.column[1])) return false;
            report->pairs++;
        }
    }
    return true;
}

static const char *const reason[TL_SKIP_KINDS] = {"no tab", "blank side", "not UTF-8", "too long"};

static bool refuse_all(tl_corpus *corpus) {
    const tl_corpus_report *report = &corpus->report;
    const char *advice = "check that this is the right file";
    if (report->lines == 0)
        return tl_bad_line(&corpus->error, report->name, 1, advice,
                           "found an empty text, expected lines of source, tab, target");
    int why = 0; /* line 1 was skipped */
    while (report->skipped[why].line[0] != 1) why++;
    return tl_bad_line(
        &corpus->error, report->name, 1, advice,
        "found no sentence pair in %ld line%s (this one: %s), expected source, tab, target in UTF-8",
        report->lines, report->lines == 1 ? "" : "s", reason[why]);
}

bool tl_corpus_parse_tsv(tl_corpus *corpus, const char *bytes, size_t size, const tl_corpus_config *config) {
    static const tl_corpus_config lenient = {0};
    if (tl_corpus_error(corpus)) return false;
    if (!config) config = &lenient;
    corpus->report = (tl_corpus_report){.max_tokens = config->max_tokens};
    snprintf(corpus->report.name, sizeof corpus->report.name, "%s", config->name ? config->name : "(text)");
    if (config->max_tokens < 0)
        return tl_error_set(&corpus->error, "%s: found max_tokens %ld, expected 0 (no limit) or more",
                            corpus->report.name, config->max_tokens);
    tl_span text = {bytes ? bytes : "", bytes ? size : 0};
    if (text.size >= 3 && memcmp(text.text, "\xEF\xBB\xBF", 3) == 0)
        text = (tl_span){text.text + 3, text.size - 3};

    tl_corpus_mark before = tl_corpus_mark_here(corpus);
    bool ok = read_rows(corpus, text, config->strict);
    if (ok && corpus->report.pairs == 0) ok = refuse_all(corpus);
    if (!ok) tl_corpus_back_to(corpus, before);
    return ok;
}

/* Appends to the text as far as there is room; *used never leaves it. */
TL_PRINTF(3, 4)
static void put(char text[TL_REPORT_TEXT], size_t *used, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text + *used, TL_REPORT_TEXT - *used, format, arguments);
    va_end(arguments);
    if (length > 0) *used += (size_t)length;
    if (*used >= TL_REPORT_TEXT) *used = TL_REPORT_TEXT - 1;
}

char *tl_corpus_report_text(const tl_corpus_report *report, char text[TL_REPORT_TEXT]) {
    size_t used = 0;
    text[0] = '\0';
    if (!report) return text;
    put(text, &used, "%s: %ld line%s, %ld pair%s, %ld skipped\n", report->name, report->lines,
        report->lines == 1 ? "" : "s", report->pairs, report->pairs == 1 ? "" : "s",
        report->lines - report->pairs);
    for (int kind = 0; kind < TL_SKIP_KINDS; kind++) {
        long count = report->skipped[kind].count;
        if (count == 0) continue;
        put(text, &used, "  %s", reason[kind]);
        if (kind == TL_SKIP_LONG) put(text, &used, " (more than %ld tokens)", report->max_tokens);
        put(text, &used, ": %ld, line%s", count, count == 1 ? "" : "s");
        for (int i = 0; i < TL_REPORT_LINES && report->skipped[kind].line[i] > 0; i++)
            put(text, &used, "%s %ld", i > 0 ? "," : "", report->skipped[kind].line[i]);
        put(text, &used, "%s\n", count > TL_REPORT_LINES ? ", …" : "");
    }
    return text;
}
