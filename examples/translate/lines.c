/* translate translate: lines in, as many lines out, in the same order. Output begins only after everything is
 * translated, so that an error leaves no partial output. A line that is too long for the model is no such error: it
 * is reported, its output line is empty, and the exit status is 1. */
#define _POSIX_C_SOURCE 200809L /* isatty */
#include "program.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Cuts a line at its tabs; returns the second column, "" if there is none. */
static char *second_column(char *line) {
    char *tab = strchr(line, '\t');
    if (!tab) return line + strlen(line);
    *tab = 0;
    tab[1 + strcspn(tab + 1, "\t")] = 0;
    return tab + 1;
}

/* Reports the first lines without a tab. */
static void tell_without_tab(long line, long count) {
    if (count <= TL_REPORT_LINES)
        fprintf(
            stderr,
            "translate: warning: line %ld has no tab, and --prefix-column wants source, tab, beginning: its "
            "translation is left empty\n",
            line);
}

/* Lines as a corpus of sources, with or without prefixes as targets. Lines end in LF or CRLF; the last one may lack
 * its end. A byte order mark at the start is skipped; a line of white space counts as blank. */
static tl_corpus *corpus_of_lines(const tl_vocab *vocab, char *bytes, size_t size, bool prefixes,
                                  long *without_tab) {
    tl_corpus *corpus = tl_corpus_new();
    char *line = bytes, *end, *stop = bytes + size;
    if (size >= 3 && !memcmp(line, "\xEF\xBB\xBF", 3)) line += 3;
    for (long number = 1; line < stop; line = end + 1, number++) {
        end = memchr(line, '\n', (size_t)(stop - line));
        if (!end) end = stop;
        *end = 0;
        if (end > line && end[-1] == '\r') end[-1] = 0;
        const bool tab = strchr(line, '\t'), words = tl_vocab_encode(vocab, line, NULL, 0) > 0;
        if (prefixes && words && !tab) tell_without_tab(number, ++*without_tab);
        const char *prefix = prefixes ? second_column(line) : "";
        const bool blank = (prefixes && !tab) || tl_vocab_encode(vocab, line, NULL, 0) == 0;
        tl_corpus_add(corpus, blank ? "" : line, blank ? "" : prefix);
    }
    if (*without_tab > TL_REPORT_LINES)
        fprintf(stderr, "translate: warning: %ld more lines have no tab\n", *without_tab - TL_REPORT_LINES);
    return corpus;
}

tl_corpus *read_lines(const settings *s, const tl_run *run, long *without_tab, tl_error *error) {
    char *bytes;
    size_t size;
    if (isatty(STDIN_FILENO) && !s->common.quiet)
        fputs("Type sentences, one a line, and end with Ctrl-D.\n", stderr);
    if (!tl_input_read(&bytes, &size, error)) return NULL;
    tl_corpus *corpus =
        corpus_of_lines(tl_run_vocab(run, TL_SOURCE), bytes, size, s->prefix_column, without_tab);
    free(bytes);
    if (!tl_corpus_error(corpus)) return corpus;
    tl_error_set(error, "%s", tl_corpus_error(corpus));
    tl_corpus_free(corpus);
    return NULL;
}

/* "0-0 1-2": source word 0 belongs to target word 0, 1 to 2. False when out of memory. */
static bool print_links(const tl_alignment *a) {
    tl_link *links = malloc(((size_t)a->targets + 1) * sizeof *links);
    const long count = links ? tl_alignment_links(a, links) : 0;
    putchar('\t');
    for (long i = 0; i < count; i++) printf("%s%d-%d", i ? " " : "", links[i].source, links[i].target);
    free(links);
    return links != NULL;
}

/* "0.9000,0.1000 0.0500,0.9500": a list for each target word, a number for each source word. */
static void print_shares(const tl_alignment *a) {
    putchar('\t');
    for (long t = 0; t < a->targets; t++)
        for (long s = 0; s < a->sources; s++)
            printf("%s%.4f", s ? "," : t ? " " : "", a->share[t * a->sources + s]);
}

static bool print_alignments(const settings *s, const tl_translations *t, long k) {
    bool ok = true;
    for (long m = 0; m < t->maps; m++)
        if (strcmp(s->alignment, "hard"))
            print_shares(&t->alignment[k * t->maps + m]);
        else
            ok &= print_links(&t->alignment[k * t->maps + m]);
    return ok;
}

static bool print_translations(const settings *s, const tl_translations *t, tl_error *error) {
    bool ok = true;
    for (long i = 0; i < t->count; i++)
        for (long k = i * t->nbest; k < (i + 1) * t->nbest && t->text[k]; k++) {
            if (s->nbest) printf("%ld\t%.4f\t", i + 1, t->score[k]);
            print_line("", t->text[k], "");
            ok &= print_alignments(s, t, k);
            putchar('\n');
        }
    return ok || tl_error_set(error, "out of memory for an alignment");
}

int command_translate(settings *s) {
    tl_error error = {""};
    listener l;
    tl_translations t = {0};
    long without_tab = 0;
    if (check_decoding(s, "translate")) return 2;
    tl_run *run = open_run(s);
    if (!run) return 1;
    listen_to(&l, s, run);
    tl_corpus *lines = read_lines(s, run, &without_tab, &error),
              *cut = lines ? tl_run_encode(run, lines) : NULL;
    tl_translate_options options = translate_options_of(s);
    if (cut) tl_run_tell_unknown(run, cut);
    if (cut && s->prefix_column) tl_run_tell_unknown_of(run, cut, TL_TARGET);
    if (cut && tl_run_translate(run, cut, &options, &t)) print_translations(s, &t, &error);
    int status = status_of(run, &error);
    if (!status && (t.too_long || without_tab)) status = 1; /* they were reported */
    tl_translations_free(&t);
    tl_corpus_free(cut);
    tl_corpus_free(lines);
    tl_run_free(run);
    return status;
}
