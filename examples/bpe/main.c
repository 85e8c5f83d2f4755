/* bpe: learns byte-pair encodings and applies them, with subword-nmt's results and files.
 *
 *     cat train.en train.de | build/bpe learn --merges 10000 > codes
 *     build/bpe apply --codes codes < train.en > train.bpe.en
 */
#define _XOPEN_SOURCE 700 /* isatty, clock_gettime */
#include <tapeloom.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct settings {
    const char *command, *codes;
    long merges, min_frequency;
    bool quiet;
} settings;

typedef struct command {
    const char *name, *usage, *what, *options;
    int (*run)(const settings *s);
} command;

/* ---- errors ---- */

static int fail_with(const char *message) {
    fprintf(stderr, "bpe: %s\n", message);
    return 1;
}

static int usage_with(const char *name, const char *message) {
    fprintf(stderr, "bpe: %s; see bpe %s --help\n", message, name);
    return 2;
}

/* ---- standard input, line by line ---- */

typedef struct input {
    char *bytes, *next, *end;
    long line;  /* number of the line at hand */
    bool ended; /* it had an end */
    tl_error error;
} input;

static bool input_open(input *in, const settings *s) {
    size_t size;
    *in = (input){.line = 0};
    if (isatty(STDIN_FILENO) && !s->quiet) fputs("Type lines of text, and end with Ctrl-D.\n", stderr);
    if (!tl_input_read(&in->bytes, &size, &in->error)) return false;
    in->next = in->bytes;
    in->end = in->bytes + size;
    char *nul = memchr(in->bytes, 0, size);
    if (!nul) return true;
    long line = 1;
    for (const char *c = in->bytes; c < nul; c++) line += *c == '\n' || (*c == '\r' && c[1] != '\n');
    return tl_error_set(&in->error,
                        "line %ld of standard input: found a NUL byte, expected text: convert the "
                        "file to UTF-8 (iconv -t UTF-8)",
                        line);
}

/* The next line, ended by 0 instead of its LF, CR or CRLF; NULL at the end. These are the line ends of Python, in which
 * subword-nmt reads its standard input, and like there each comes out as LF. */
static char *input_line(input *in) {
    char *line = in->next;
    if (line == in->end) return NULL;
    char *end = line + strcspn(line, "\r\n"); /* a 0 stands behind the last byte, and nowhere else */
    in->ended = end != in->end;
    in->next = end + in->ended + (end[0] == '\r' && end[1] == '\n');
    in->line++;
    *end = 0;
    return line;
}

/* Counts the words of all of standard input; NULL, and the reason in in->error, on failure. */
static tl_bpe_words *count_words(input *in, const settings *s) {
    tl_bpe_words *words = tl_bpe_words_new();
    if (input_open(in, s))
        for (char *line; (line = input_line(in));)
            if (!tl_bpe_words_add(words, line)) {
                tl_error_set(&in->error, "line %ld of standard input: out of memory: give less text",
                             in->line);
                break;
            }
    free(in->bytes);
    if (!tl_failed(&in->error)) return words;
    tl_bpe_words_free(words);
    return NULL;
}

/* ---- learn ---- */

enum { PATIENCE = 2 }; /* seconds until there is a bar */

typedef struct watch {
    tl_progress progress;
    double begin;
    bool shown;
} watch;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void show(void *context, long merge) {
    watch *w = context;
    if (!w->shown && now() - w->begin > PATIENCE) {
        w->shown = true;
        w->progress.first = merge;
        tl_progress_start(&w->progress);
    }
    if (w->shown) tl_progress_update(&w->progress, merge, 0, 0);
}

static int write_codes(const tl_bpe *bpe, const settings *s) {
    if (tl_bpe_error(bpe)) return fail_with(tl_bpe_error(bpe));
    char *text = tl_bpe_text(bpe, NULL);
    if (!text) return fail_with("out of memory for the codes");
    tl_put_text(text, stdout);
    free(text);
    if (tl_bpe_merges(bpe) < s->merges && !s->quiet)
        fprintf(stderr, "bpe: %ld merges and no more: no other pair is seen %ld times\n", tl_bpe_merges(bpe),
                s->min_frequency);
    return 0;
}

static int run_learn(const settings *s) {
    input in;
    watch w = {.progress = {.out = s->quiet ? NULL : stderr,
                            .total = s->merges,
                            .label = "learning",
                            .unit = "merge",
                            .no_loss = true},
               .begin = now()};
    tl_bpe_config config = {
        .merges = s->merges, .min_frequency = s->min_frequency, .progress = show, .context = &w};
    tl_bpe_words *words = count_words(&in, s);
    if (!words) return fail_with(in.error.message);
    tl_bpe *bpe = tl_bpe_learn(words, &config);
    if (w.shown) tl_progress_finish(&w.progress);
    int status = write_codes(bpe, s);
    tl_bpe_free(bpe);
    tl_bpe_words_free(words);
    return status;
}

/* ---- apply, join, vocab ---- */

/* Lines through a function from line to line. */
static int each_line(const settings *s, tl_bpe *bpe) {
    input in;
    if (input_open(&in, s))
        for (char *line; (line = input_line(&in));) {
            char *text = bpe ? tl_bpe_apply(bpe, line) : tl_bpe_join(line);
            if (!text) {
                tl_error_set(&in.error, "line %ld of standard input: out of memory: give fewer lines at once",
                             in.line);
                break;
            }
            tl_put_text(text, stdout);
            if (in.ended) putchar('\n');
            free(text);
        }
    free(in.bytes);
    return tl_failed(&in.error) ? fail_with(in.error.message) : 0;
}

static int run_join(const settings *s) { return each_line(s, NULL); }

static int run_apply(const settings *s) {
    tl_error error = {""};
    char *bytes;
    size_t size;
    if (!s->codes) return usage_with(s->command, "give --codes FILE");
    if (!tl_file_read(s->codes, &bytes, &size, &error)) return fail_with(error.message);
    tl_bpe *bpe = tl_bpe_parse(s->codes, bytes, size);
    free(bytes);
    int status = tl_bpe_error(bpe) ? fail_with(tl_bpe_error(bpe)) : each_line(s, bpe);
    tl_bpe_free(bpe);
    return status;
}

static int run_vocab(const settings *s) {
    input in;
    tl_bpe_words *words = count_words(&in, s);
    if (!words) return fail_with(in.error.message);
    char *text = tl_bpe_words_text(words, NULL);
    if (text) tl_put_text(text, stdout);
    int status = text ? 0 : fail_with("out of memory for the list of words");
    free(text);
    tl_bpe_words_free(words);
    return status;
}

/* ---- the command line ---- */

#define QUIET "  --quiet             nothing on standard error but errors\n"
#define HELP "  --help, -h          this text\n"

static const command commands[] = {
    {"learn", "bpe learn [--merges N] [--min-frequency F] < text > codes", "learn merges from a text",
     "  --merges N          how many; fewer if pairs get too rare [10000]\n"
     "  --min-frequency F   stop at pairs seen less often [2]\n" QUIET HELP "\n"
     "The text is one sentence a line, words with spaces between, in UTF-8 (words with other bytes\n"
     "in them are left out). To learn both sides of a corpus jointly, give both:\n"
     "    cat train.en train.de | bpe learn --merges 10000 > codes\n"
     "The codes are the same as those of subword-nmt learn-bpe -s N.\n",
     run_learn},
    {"apply", "bpe apply --codes FILE < text > subwords", "cut words into subwords",
     "  --codes FILE        what bpe learn (or subword-nmt learn-bpe) wrote\n" QUIET HELP "\n"
     "\"@@\" stands behind a subword if its word goes on. Lines stay lines.\n",
     run_apply},
    {"join", "bpe join < subwords > text", "undo apply: put subwords together again", QUIET HELP, run_join},
    {"vocab", "bpe vocab < text > list", "list words with their counts, the most frequent first",
     QUIET HELP "\n"
                "Lines are \"word count\"; equally frequent words stand as they came first.\n",
     run_vocab}};
enum { COMMANDS = sizeof commands / sizeof *commands };

static void print_usage(FILE *out) {
    fprintf(out, "bpe %s\nLearns byte-pair encodings, and applies them, as subword-nmt does.\n\n",
            TL_VERSION);
    for (int i = 0; i < COMMANDS; i++) fprintf(out, "  %s\n      %s\n", commands[i].usage, commands[i].what);
    fprintf(out, "\nbpe COMMAND --help lists a command's options.\n");
}

static bool take_count(const char *name, const char *value, long *count, tl_error *error) {
    long found;
    if (!tl_long_parse(value, &found) || found < 1 || found > INT32_MAX)
        return tl_error_set(error, "%s \"%s\": a whole number from 1 to %ld is expected", name, value,
                            (long)INT32_MAX);
    *count = found;
    return true;
}

/* Takes one option of a command, "--name value" or "--name=value", from argv[*i] on. */
static bool take_option(settings *s, int argc, char **argv, int *i, tl_error *error) {
    static const struct {
        const char *command, *name, *takes;
    } known[] = {{"learn", "--merges", "N"}, {"learn", "--min-frequency", "F"}, {"apply", "--codes", "FILE"}};
    const char *option = argv[*i], *equals = strchr(option, '=');
    if (strncmp(option, "--", 2) != 0)
        return tl_error_set(error, "\"%s\": options begin with --, and text comes from standard input",
                            option);
    if (!strcmp(option, "--quiet")) return s->quiet = true;
    size_t length = equals ? (size_t)(equals - option) : strlen(option);
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        if (strcmp(known[k].command, s->command) || strlen(known[k].name) != length ||
            strncmp(known[k].name, option, length))
            continue;
        const char *value = equals ? equals + 1 : NULL;
        if (!value && (++*i == argc || !strncmp(argv[*i], "--", 2)))
            return tl_error_set(error, "%s: %s is missing behind it", known[k].name, known[k].takes);
        if (!value) value = argv[*i];
        if (k == 2) return s->codes = value, true;
        return take_count(known[k].name, value, k == 0 ? &s->merges : &s->min_frequency, error);
    }
    return tl_error_set(error, "there is no option \"%s\" here", option);
}

static int run_command(const command *c, int argc, char **argv) {
    settings s = {.command = c->name, .merges = 10000, .min_frequency = 2};
    tl_error error = {""};
    for (int i = 0; i < argc; i++) {
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
            printf("%s\n    %s\n\noptions:\n%s", c->usage, c->what, c->options);
            return 0;
        }
        if (!take_option(&s, argc, argv, &i, &error)) return usage_with(c->name, error.message);
    }
    return c->run(&s);
}

static int run_program(int argc, char **argv) {
    if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
        print_usage(argc < 2 ? stderr : stdout);
        return argc < 2 ? 2 : 0;
    }
    for (int i = 0; i < COMMANDS; i++)
        if (!strcmp(argv[1], commands[i].name)) return run_command(&commands[i], argc - 2, argv + 2);
    tl_error error = {""};
    tl_error_set(&error, "there is no command \"%s\"; bpe --help lists them", argv[1]);
    fail_with(error.message);
    return 2;
}

/* Results that did not arrive are a failure; a file that grows beyond `ulimit -f` is one too, rather than a reason to be
 * killed. */
int main(int argc, char **argv) {
    tl_error error = {""};
    tl_streams_open();
    const int status = run_program(argc, argv);
    return tl_output_close(stdout, &error) || status ? status : fail_with(error.message);
}
