/* Two-column text into a corpus: source, tab, target; or label, tab, text, where the text is the source and the label
 * the target. A line without a tab is no row. rows.c decides which rows are kept. */
#include "rows.h"
#include "base/quote.h"

#include <string.h>

/* The columns' meaning. */
typedef struct columns {
    tl_side first;
    tl_row_names names;
    const char *expected;
} columns;

static const columns pairs = {.first = TL_SOURCE,
                              .names = {{"source", "target"}, "sentence pair", "text on both sides of a tab"},
                              .expected = "source, tab, target"};
static const columns labelled = {.first = TL_TARGET,
                                 .names = {{"text", "label"}, "labelled text", "a label, a tab and a text"},
                                 .expected = "label, tab, text"};

/* Splits the row's line at its tabs. A blank line has two blank columns. False for a text without a tab. */
static bool split(tl_row *row, tl_side first) {
    tl_span line = row->line[TL_TARGET] = row->line[TL_SOURCE], *left = &row->column[first],
            *right = &row->column[!first];
    *left = *right = line;
    const char *tab = line.size > 0 ? memchr(line.text, '\t', line.size) : NULL;
    if (!tab) return tl_count_tokens(line) == 0;
    left->size = (size_t)(tab - line.text);
    *right = (tl_span){tab + 1, line.size - left->size - 1};
    const char *second = memchr(right->text, '\t', right->size);
    if (second) right->size = (size_t)(second - right->text);
    return true;
}

static bool read_rows(tl_corpus *corpus, tl_span rest, const columns *c, bool strict) {
    const char *name = corpus->report.name;
    char quoted[TL_QUOTED];
    tl_row row = {.name = {name, name},
                  .names = &c->names,
                  .advice = "mend or remove the line, or read without strict to skip it"};
    while (tl_rows_next(&rest, &row, TL_SOURCE)) {
        row.number = ++corpus->report.lines;
        if (split(&row, c->first)) {
            if (!tl_rows_take(corpus, &row, strict)) return false;
        } else {
            tl_rows_skip(corpus, TL_SKIP_NO_TAB, row.number);
            if (strict)
                return tl_bad_line(&corpus->error, name, row.number, row.advice,
                                   "found no tab in %s, expected %s",
                                   tl_quote(row.line[0].text, row.line[0].size, quoted), c->expected);
        }
    }
    return true;
}

static bool parse(tl_corpus *corpus, const char *bytes, size_t size, const tl_corpus_config *config,
                  const columns *c) {
    static const tl_corpus_config lenient = {0};
    if (tl_corpus_error(corpus)) return false;
    if (!config) config = &lenient;
    if (!tl_rows_begin(corpus, config->name ? config->name : "(text)", config)) return false;
    tl_corpus_mark before = tl_corpus_mark_here(corpus);
    bool ok = read_rows(corpus, tl_rows_text(bytes, size), c, config->strict);
    return tl_rows_end(corpus, before, ok, corpus->report.name, c->names.whole, c->expected);
}

bool tl_corpus_parse_tsv(tl_corpus *corpus, const char *bytes, size_t size, const tl_corpus_config *config) {
    return parse(corpus, bytes, size, config, &pairs);
}

bool tl_corpus_parse_labelled(tl_corpus *corpus, const char *bytes, size_t size,
                              const tl_corpus_config *config) {
    return parse(corpus, bytes, size, config, &labelled);
}
