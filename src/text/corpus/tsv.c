/* Two-column text into a corpus: source, tab, target. A line without a tab is no row; what becomes of rows is in
 * rows.c. */
#include "rows.h"
#include "base/quote.h"

#include <string.h>

/* Takes the row's line apart at its tabs. A blank line has two blank columns; false for text without a tab. */
static bool split(tl_row *row) {
    tl_span line = row->line[TL_TARGET] = row->line[TL_SOURCE], *column = row->column;
    column[0] = column[1] = line;
    const char *tab = line.size > 0 ? memchr(line.text, '\t', line.size) : NULL;
    if (!tab) return tl_count_tokens(line) == 0;
    column[0].size = (size_t)(tab - line.text);
    column[1] = (tl_span){tab + 1, line.size - column[0].size - 1};
    const char *second = memchr(column[1].text, '\t', column[1].size);
    if (second) column[1].size = (size_t)(second - column[1].text);
    return true;
}

static bool read_rows(tl_corpus *corpus, tl_span rest, bool strict) {
    const char *name = corpus->report.name;
    char quoted[TL_QUOTED];
    tl_row row = {.name = {name, name},
                  .form = "text on both sides of a tab",
                  .advice = "mend or remove the line, or read without strict to skip it"};
    while (tl_rows_next(&rest, &row, TL_SOURCE)) {
        row.number = ++corpus->report.lines;
        if (split(&row)) {
            if (!tl_rows_take(corpus, &row, strict)) return false;
        } else {
            tl_rows_skip(corpus, TL_SKIP_NO_TAB, row.number);
            if (strict)
                return tl_bad_line(&corpus->error, name, row.number, row.advice,
                                   "found no tab in %s, expected source, tab, target",
                                   tl_quote(row.line[0].text, row.line[0].size, quoted));
        }
    }
    return true;
}

bool tl_corpus_parse_tsv(tl_corpus *corpus, const char *bytes, size_t size, const tl_corpus_config *config) {
    static const tl_corpus_config lenient = {0};
    if (tl_corpus_error(corpus)) return false;
    if (!config) config = &lenient;
    if (!tl_rows_begin(corpus, config->name ? config->name : "(text)", config)) return false;
    tl_corpus_mark before = tl_corpus_mark_here(corpus);
    bool ok = read_rows(corpus, tl_rows_text(bytes, size), config->strict);
    return tl_rows_end(corpus, before, ok, corpus->report.name, "source, tab, target");
}
