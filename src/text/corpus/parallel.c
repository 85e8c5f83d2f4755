/* Two texts into a corpus: line i of one and line i of the other are a pair. Both must have the same number of lines:
 * one extra line would pair all later sentences wrongly. */
#include "rows.h"

static long count_lines(tl_span text) {
    long lines = 0;
    for (tl_span line; tl_next_line(&text, &line);) lines++;
    return lines;
}

static bool read_rows(tl_corpus *corpus, const char *const name[2], tl_span source, tl_span target,
                      bool strict) {
    static const tl_row_names names = {
        {"source", "target"}, "sentence pair", "text in the line of both files"};
    tl_row row = {.name = {name[0], name[1]},
                  .names = &names,
                  .advice = "mend the line, remove it from both files, or read without strict to skip it"};
    while (tl_rows_next(&source, &row, TL_SOURCE) && tl_rows_next(&target, &row, TL_TARGET)) {
        row.number = ++corpus->report.lines;
        for (int side = 0; side < 2; side++) row.column[side] = row.line[side];
        if (!tl_rows_take(corpus, &row, strict)) return false;
    }
    return true;
}

bool tl_corpus_parse_parallel(tl_corpus *corpus, const char *source, size_t source_size, const char *target,
                              size_t target_size, const char *target_name, const tl_corpus_config *config) {
    static const tl_corpus_config lenient = {0};
    if (tl_corpus_error(corpus)) return false;
    if (!config) config = &lenient;
    const char *const name[2] = {config->name ? config->name : "(source)",
                                 target_name ? target_name : "(target)"};
    char names[sizeof corpus->report.name], expected[TL_ERROR_MAX];
    snprintf(names, sizeof names, "%s + %s", name[0], name[1]);
    if (!tl_rows_begin(corpus, names, config)) return false;

    tl_span text[2] = {tl_rows_text(source, source_size), tl_rows_text(target, target_size)};
    long lines[2] = {count_lines(text[0]), count_lines(text[1])};
    if (lines[0] != lines[1])
        return tl_error_set(
            &corpus->error,
            "%s: found %ld line%s, expected %ld as in %s: give two files whose lines belong together",
            name[1], lines[1], lines[1] == 1 ? "" : "s", lines[0], name[0]);
    tl_corpus_mark before = tl_corpus_mark_here(corpus);
    bool ok = read_rows(corpus, name, text[0], text[1], config->strict);
    snprintf(expected, sizeof expected, "sentences here and in %s", name[1]);
    return tl_rows_end(corpus, before, ok, name[0], "sentence pair", expected);
}
