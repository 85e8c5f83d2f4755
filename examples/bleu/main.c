/* Corpus BLEU and chrF2 of translations, sacreBLEU's numbers: hypotheses on standard input, one a line, against a
 * file with one reference a line.
 *
 *     build/bleu --ref references.txt < hypotheses.txt
 *
 * Lines are read as `sacrebleu references.txt -i hypotheses.txt` reads them: they end in LF; white space at their
 * ends (so also CR) is ignored; a tab is white space; a byte order mark is a character. */
#include <tapeloom.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct settings {
    const char *ref;
    tl_bleu_config bleu;
    bool chrf, score_only, help;
} settings;

static void print_help(void) {
    fputs("bleu --ref FILE [options] < hypotheses\n"
          "    corpus BLEU and chrF2, as sacreBLEU counts them, of one hypothesis a line\n"
          "\noptions:\n"
          "  --ref FILE                     references, one a line, as many as there are hypotheses\n"
          "  --tokenize none|13a|zh|char    how BLEU cuts both sides: none at white space, 13a also at "
          "punctuation,\n"
          "                                 zh also around Chinese characters, char around every character "
          "[13a]\n"
          "  --lowercase                    capitals count as small letters, in both scores\n"
          "  --chrf                         chrF2 too, on a line below BLEU's\n"
          "  --score-only                   the scores alone, without signatures and details\n"
          "  --help, -h                     this text\n"
          "\nText is UTF-8; a byte that is not counts as a character of its own.\n",
          stdout);
}

/* ---- the command line ---- */

static bool set_value(settings *s, const char *name, const char *value, tl_error *error) {
    if (!strcmp(name, "--ref"))
        s->ref = value;
    else if (!tl_bleu_tokens_parse(value, &s->bleu.tokens))
        return tl_error_set(error, "--tokenize \"%s\": say one of none|13a|zh|char", value);
    return true;
}

/* The flag of this name; NULL if there is none. */
static bool *flag_of(settings *s, const char *name, size_t length) {
    const char *const names[] = {"--lowercase", "--chrf", "--score-only", "--help", "-h"};
    bool *const flags[] = {&s->bleu.lowercase, &s->chrf, &s->score_only, &s->help, &s->help};
    for (int i = 0; i < 5; i++)
        if (strlen(names[i]) == length && !memcmp(names[i], name, length)) return flags[i];
    return NULL;
}

static bool parse(int argc, char **argv, settings *s, tl_error *error) {
    for (int i = 1; i < argc && !s->help; i++) {
        const char *word = argv[i], *equals = strchr(word, '='), *value = equals ? equals + 1 : NULL;
        size_t length = equals ? (size_t)(equals - word) : strlen(word);
        bool *flag = flag_of(s, word, length);
        if (flag && value) return tl_error_set(error, "%.*s takes no value", (int)length, word);
        if (flag) {
            *flag = true;
            continue;
        }
        const char *name = length == 5 && !strncmp(word, "--ref", length)         ? "--ref"
                           : length == 10 && !strncmp(word, "--tokenize", length) ? "--tokenize"
                                                                                  : NULL;
        if (!name && !strncmp(word, "--", 2)) return tl_error_set(error, "there is no option \"%s\"", word);
        if (!name) return tl_error_set(error, "\"%s\": options begin with --", word);
        if (!value && (++i == argc || !strncmp(argv[i], "--", 2)))
            return tl_error_set(error, "%s: a value is missing behind it", name);
        if (!set_value(s, name, value ? value : argv[i], error)) return false;
    }
    return s->help || s->ref || tl_error_set(error, "give --ref FILE");
}

/* ---- the two texts, line by line ---- */

typedef struct text {
    const char *name;
    char *bytes;
    size_t size, at; /* at: start of the next line */
    long lines;      /* returned so far */
} text;

/* The next line, ended by 0; NULL after the last one, or after an error. */
static const char *next_line(text *t, tl_error *error) {
    if (t->at >= t->size) return NULL;
    char *line = t->bytes + t->at, *end = memchr(line, '\n', t->size - t->at);
    if (!end) end = t->bytes + t->size; /* the byte after the text is 0 */
    *end = 0;
    t->at = (size_t)(end - t->bytes) + 1;
    t->lines++;
    if (strlen(line) == (size_t)(end - line)) return line;
    tl_error_set(error, "%s:%ld: a NUL byte: a text in UTF-8 is expected", t->name, t->lines);
    return NULL;
}

static bool add_all(tl_bleu *bleu, tl_chrf *chrf, text *hyp, text *ref, tl_error *error) {
    const char *h = next_line(hyp, error), *r = next_line(ref, error);
    for (; h && r; h = next_line(hyp, error), r = next_line(ref, error)) {
        if (!tl_bleu_add(bleu, h, r)) return tl_error_set(error, "%s", tl_bleu_error(bleu));
        if (chrf && !tl_chrf_add(chrf, h, r)) return tl_error_set(error, "%s", tl_chrf_error(chrf));
    }
    while (next_line(hyp, error)) {} /* to count the lines of the longer one */
    while (next_line(ref, error)) {}
    if (tl_failed(error)) return false;
    if (hyp->lines != ref->lines)
        return tl_error_set(error,
                            "%s has %ld lines, %s %ld: give as many hypotheses as there are references",
                            hyp->name, hyp->lines, ref->name, ref->lines);
    return hyp->lines > 0 ||
           tl_error_set(error, "%s and %s hold no lines: there is nothing to score", hyp->name, ref->name);
}

/* ---- the scores ---- */

static void print_scores(const settings *s, const tl_bleu *bleu, const tl_chrf *chrf) {
    char line[TL_BLEU_TEXT], chrf_line[TL_CHRF_TEXT];
    tl_bleu_score score = tl_bleu_result(bleu);
    if (s->score_only)
        printf("%.2f\n", score.score);
    else
        puts(tl_bleu_text(&score, line));
    if (s->chrf && s->score_only) printf("%.2f\n", tl_chrf_result(chrf));
    if (s->chrf && !s->score_only) puts(tl_chrf_text(chrf, chrf_line));
}

static bool run(const settings *s, tl_error *error) {
    text hyp = {.name = "standard input"}, ref = {.name = s->ref};
    tl_bleu *bleu = tl_bleu_new(&s->bleu);
    tl_chrf *chrf = s->chrf ? tl_chrf_new(s->bleu.lowercase) : NULL;
    if (!bleu || (s->chrf && !chrf)) tl_error_set(error, "out of memory");
    bool done = !tl_failed(error) && tl_file_read(ref.name, &ref.bytes, &ref.size, error) &&
                tl_input_read(&hyp.bytes, &hyp.size, error) && add_all(bleu, chrf, &hyp, &ref, error);
    if (done) print_scores(s, bleu, chrf);
    tl_bleu_free(bleu);
    tl_chrf_free(chrf);
    free(hyp.bytes);
    free(ref.bytes);
    return done;
}

/* Failing to write the scores is a failure. So is a file that grows beyond `ulimit -f`, which by default would kill
 * the process. */
int main(int argc, char **argv) {
    settings s = {.bleu.tokens = TL_BLEU_13A};
    tl_error error = {""};
    tl_streams_open();
    if (!parse(argc, argv, &s, &error)) {
        fprintf(stderr, "bleu: %s; see bleu --help\n", error.message);
        return 2;
    }
    bool ok = true;
    if (s.help)
        print_help();
    else
        ok = run(&s, &error);
    if (tl_output_close(stdout, &error) && ok) return 0;
    fprintf(stderr, "bleu: %s\n", error.message);
    return 1;
}
