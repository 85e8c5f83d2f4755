/* A text with one sentence per line into a corpus: every line that is not blank is a source, with an empty target. */
#include "rows.h"

static bool read_rows(tl_corpus *corpus, tl_span rest, bool strict) {
    static const tl_row_names names = {{"line", "line"}, "sentence", "a sentence a line"};
    const char *name = corpus->report.name;
    tl_row row = {.name = {name, name},
                  .names = &names,
                  .alone = true,
                  .advice = "mend or remove the line, or read without strict to skip it"};
    while (tl_rows_next(&rest, &row, TL_SOURCE)) {
        row.number = ++corpus->report.lines;
        row.column[TL_SOURCE] = row.column[TL_TARGET] = row.line[TL_TARGET] = row.line[TL_SOURCE];
        if (!tl_rows_take(corpus, &row, strict)) return false;
    }
    return true;
}

bool tl_corpus_parse_lines(tl_corpus *corpus, const char *bytes, size_t size,
                           const tl_corpus_config *config) {
    static const tl_corpus_config lenient = {0};
    if (tl_corpus_error(corpus)) return false;
    if (!config) config = &lenient;
    if (!tl_rows_begin(corpus, config->name ? config->name : "(text)", config)) return false;
    tl_corpus_mark before = tl_corpus_mark_here(corpus);
    bool ok = read_rows(corpus, tl_rows_text(bytes, size), config->strict);
    return tl_rows_end(corpus, before, ok, corpus->report.name, "sentence", "sentences");
}
