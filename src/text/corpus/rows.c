/* Checks rows, whatever they were read from, and writes the report. */
#include "rows.h"
#include "base/format.h"
#include "base/quote.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <string.h>

static const char *const reason[TL_SKIP_KINDS] = {"no tab", "blank side", "not UTF-8", "too long"};

bool tl_rows_begin(tl_corpus *corpus, const char *name, const tl_corpus_config *config) {
    corpus->report = (tl_corpus_report){.max_tokens = config->max_tokens};
    snprintf(corpus->report.name, sizeof corpus->report.name, "%s", name);
    return config->max_tokens >= 0 ||
           tl_error_set(&corpus->error, "%s: found max_tokens %ld, expected 0 (no limit) or more",
                        corpus->report.name, config->max_tokens);
}

tl_span tl_rows_text(const char *bytes, size_t size) {
    tl_span text = {bytes ? bytes : "", bytes ? size : 0};
    size_t mark = tl_utf8_mark(text.text, text.size);
    return (tl_span){text.text + mark, text.size - mark};
}

bool tl_rows_next(tl_span *rest, tl_row *row, tl_side side) {
    tl_span *line = &row->line[side];
    if (!tl_next_line(rest, line)) return false;
    if (line->size > 0 && line->text[line->size - 1] == '\r') line->size--;
    return true;
}

/* Why this row is skipped; TL_SKIP_KINDS if it is not. *side becomes the first column with the fault. */
static tl_skip reason_to_skip(const tl_row *row, long max_tokens, int *side) {
    long tokens[2];
    for (*side = 0; *side < 2; ++*side)
        if ((tokens[*side] = tl_count_tokens(row->column[*side])) == 0) return TL_SKIP_BLANK;
    for (*side = 0; *side < 2; ++*side)
        if (tl_first_bad(row->column[*side]) < row->column[*side].size) return TL_SKIP_INVALID;
    for (*side = 0; *side < 2; ++*side)
        if (max_tokens > 0 && tokens[*side] > max_tokens) return TL_SKIP_LONG;
    return TL_SKIP_KINDS;
}

static bool refuse(tl_corpus *corpus, const tl_row *row, tl_skip kind, int side) {
    tl_error *error = &corpus->error;
    const char *name = row->name[side];
    const char *column_name = row->names->side[side];
    tl_span column = row->column[side];
    if (kind == TL_SKIP_BLANK)
        return tl_bad_line(error, name, row->number, row->advice, "found a blank %s, expected %s",
                           tl_count_tokens(row->line[side]) == 0 ? "line" : column_name, row->names->form);
    if (kind == TL_SKIP_LONG)
        return tl_bad_line(error, name, row->number, row->advice,
                           "found %ld tokens in the %s, expected at most %ld", tl_count_tokens(column),
                           column_name, corpus->report.max_tokens);
    const char *bad = column.text + tl_first_bad(column);
    return tl_bad_line(error, name, row->number,
                       "convert the file (iconv -t UTF-8), or read without strict to skip the line",
                       "found the byte 0x%02X at byte %ld of the line, expected UTF-8 without NUL",
                       (unsigned)(unsigned char)*bad, (long)(bad - row->line[side].text) + 1);
}

void tl_rows_skip(tl_corpus *corpus, tl_skip kind, long line) {
    long seen = corpus->report.skipped[kind].count++;
    if (seen < TL_REPORT_LINES) corpus->report.skipped[kind].line[seen] = line;
}

bool tl_rows_take(tl_corpus *corpus, const tl_row *row, bool strict) {
    int side;
    tl_skip kind = reason_to_skip(row, corpus->report.max_tokens, &side);
    if (kind != TL_SKIP_KINDS) {
        tl_rows_skip(corpus, kind, row->number);
        return !strict || refuse(corpus, row, kind, side);
    }
    corpus->reading = row->number;
    const tl_span target = row->alone ? (tl_span){"", 0} : row->column[TL_TARGET];
    if (!tl_corpus_append(corpus, row->column[TL_SOURCE], target)) return false;
    corpus->report.pairs++;
    return true;
}

static bool refuse_all(tl_corpus *corpus, const char *name, const char *whole, const char *expected) {
    const tl_corpus_report *report = &corpus->report;
    const char *advice = "check that this is the right file";
    if (report->lines == 0)
        return tl_bad_line(&corpus->error, name, 1, advice, "found an empty text, expected lines of %s",
                           expected);
    int why = 0; /* the reason for skipping line 1 */
    while (report->skipped[why].line[0] != 1) why++;
    return tl_bad_line(&corpus->error, name, 1, advice,
                       "found no %s in %ld line%s (this one: %s), expected %s in UTF-8", whole, report->lines,
                       report->lines == 1 ? "" : "s", reason[why], expected);
}

bool tl_rows_end(tl_corpus *corpus, tl_corpus_mark before, bool ok, const char *name, const char *whole,
                 const char *expected) {
    if (ok && corpus->report.pairs == 0) ok = refuse_all(corpus, name, whole, expected);
    if (!ok) tl_corpus_back_to(corpus, before);
    return ok;
}

/* Appends to a text as far as there is room; *used stays within it. */
TL_PRINTF(3, 4)
static void put(char text[TL_REPORT_TEXT], size_t *used, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = tl_vformat(text + *used, TL_REPORT_TEXT - *used, format, arguments);
    va_end(arguments);
    if (length > 0) *used += (size_t)length;
    if (*used >= TL_REPORT_TEXT) *used = TL_REPORT_TEXT - 1;
}

char *tl_corpus_report_text(const tl_corpus_report *report, char text[TL_REPORT_TEXT]) {
    size_t used = 0;
    char name[TL_SHOWN];
    if (text) text[0] = '\0';
    if (!report || !text) return text;
    put(text, &used, "%s: %ld line%s, %ld pair%s, %ld skipped\n", tl_shown_path(report->name, name),
        report->lines, report->lines == 1 ? "" : "s", report->pairs, report->pairs == 1 ? "" : "s",
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
