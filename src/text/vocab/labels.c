/* The classes of labelled sentences: names with numbers, in the order of their bytes. Invariant: names are distinct
 * UTF-8, not empty, and contain no tab or end of line, so every list can be written and read back. The file format,
 * version 1, is stable:
 *
 *     tapeloom-labels 1 <classes>
 *     negative                       one name a line, class = line number - 2,
 *     positive                       every line ended by LF
 */
#include "tapeloom/text.h"
#include "base/memory.h"
#include "base/quote.h"
#include "text/table.h"

#include <stdio.h>

#define MAGIC "tapeloom-labels"
#define VERSION 1

struct tl_labels {
    tl_error error;
    tl_table names;
};

/* ---- use ---- */

void tl_labels_free(tl_labels *labels) {
    if (!labels) return;
    tl_table_free(&labels->names);
    free(labels);
}

const char *tl_labels_error(const tl_labels *labels) {
    if (!labels) return "labels: out of memory";
    return tl_failed(&labels->error) ? labels->error.message : NULL;
}

long tl_labels_count(const tl_labels *labels) { return labels ? labels->names.count : 0; }

const char *tl_labels_name(const tl_labels *labels, long number) {
    return number >= 0 && number < tl_labels_count(labels) ? tl_table_key(&labels->names, number).text : "";
}

long tl_labels_find(const tl_labels *labels, const char *name) {
    return labels && name ? tl_table_find(&labels->names, tl_span_of(name)) : -1;
}

/* ---- from a corpus ---- */

static bool is_a_name(tl_span name) {
    for (size_t i = 0; i < name.size; i++)
        if (strchr("\t\n\r", name.text[i])) return false;
    return tl_count_tokens(name) > 0 && tl_first_bad(name) == name.size;
}

static int by_bytes(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool collect(tl_labels *labels, const tl_corpus *corpus, tl_table *seen) {
    char quoted[TL_QUOTED];
    for (long i = 0; i < tl_corpus_size(corpus); i++) {
        const tl_span name = tl_span_of(tl_corpus_sentence(corpus, TL_TARGET, i));
        if (!is_a_name(name))
            return tl_error_set(
                &labels->error,
                "labels: found %s at sentence %ld, expected a name of one line in UTF-8 without tabs",
                tl_quote(name.text, name.size, quoted), i + 1);
        if (tl_table_add(seen, name) < 0) return tl_error_set(&labels->error, "labels: out of memory");
    }
    return true;
}

static bool sort(tl_labels *labels, const tl_table *seen) {
    const char **name = malloc((size_t)(seen->count + 1) * sizeof *name);
    bool ok = name != NULL;
    for (long i = 0; ok && i < seen->count; i++) name[i] = tl_table_key(seen, i).text;
    if (ok) qsort(name, (size_t)seen->count, sizeof *name, by_bytes);
    for (long i = 0; ok && i < seen->count; i++) ok = tl_table_add(&labels->names, tl_span_of(name[i])) == i;
    free(name);
    return ok || tl_error_set(&labels->error, "labels: out of memory");
}

tl_labels *tl_labels_new(const tl_corpus *corpus) {
    tl_labels *labels = calloc(1, sizeof *labels);
    tl_table seen = {0};
    if (!labels) return NULL;
    if (tl_corpus_error(corpus))
        tl_error_set(&labels->error, "%s", tl_corpus_error(corpus));
    else if (collect(labels, corpus, &seen))
        sort(labels, &seen);
    tl_table_free(&seen);
    if (tl_failed(&labels->error)) tl_table_free(&labels->names);
    return labels;
}

/* ---- to text and back ---- */

char *tl_labels_text(const tl_labels *labels, size_t *size) {
    if (size) *size = 0;
    if (tl_labels_error(labels)) return NULL;
    return tl_table_text(&labels->names, MAGIC, VERSION, size);
}

static const char anew[] = "the file was changed or cut off; put it back, or train anew";

/* Reads the first line; returns the number of classes, or -1 if it is not what tl_labels_text writes. */
static long read_header(tl_error *error, const char *name, tl_span line) {
    char quoted[TL_QUOTED];
    long version = 0, classes = -1;
    if (tl_table_header(line, MAGIC, &version, &classes) && version == VERSION && classes >= 0)
        return classes;
    tl_bad_line(error, name, 1, "this is no list of labels; give the file that training wrote",
                "found %s, expected \"" MAGIC " %d <classes>\"", tl_quote(line.text, line.size, quoted),
                VERSION);
    return -1;
}

static bool read_names(tl_labels *labels, const char *name, tl_span rest, long classes) {
    char quoted[TL_QUOTED];
    tl_span line = {rest.text, 0};
    long number = 2;
    for (; tl_next_line(&rest, &line); number++) {
        const long before = labels->names.count;
        if (before == classes || !is_a_name(line))
            return tl_bad_line(&labels->error, name, number, anew, "found %s, expected %s",
                               tl_quote(line.text, line.size, quoted),
                               before == classes ? "the end" : "a label's name");
        const long at = tl_table_add(&labels->names, line);
        if (at < 0) return tl_error_set(&labels->error, "%s:%ld: out of memory", name, number);
        if (at != before)
            return tl_bad_line(&labels->error, name, number, anew, "found %s again, it is in line %ld",
                               tl_quote(line.text, line.size, quoted), at + 2);
    }
    return labels->names.count == classes ||
           tl_bad_line(&labels->error, name, number, anew, "found the end after %ld labels, expected %ld",
                       labels->names.count, classes);
}

tl_labels *tl_labels_parse(const char *name, const char *bytes, size_t size) {
    tl_labels *labels = calloc(1, sizeof *labels);
    if (!labels) return NULL;
    if (!name) name = "(labels)";
    tl_span rest = {bytes ? bytes : "", bytes ? size : 0}, line = {rest.text, 0};
    const bool whole = rest.size > 0 && rest.text[rest.size - 1] == '\n';
    tl_next_line(&rest, &line);
    const long classes = read_header(&labels->error, name, line);
    if (classes >= 0 && read_names(labels, name, rest, classes) && !whole)
        tl_bad_line(&labels->error, name, classes + 1, anew,
                    "found the end, expected an LF after the last label");
    if (tl_failed(&labels->error)) tl_table_free(&labels->names);
    return labels;
}
