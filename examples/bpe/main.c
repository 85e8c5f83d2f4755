/* bpe: learns byte-pair encodings and applies them, with the results and file formats of subword-nmt.
 *
 *     cat train.en train.de | build/bpe learn --merges 10000 > codes
 *     build/bpe apply --codes codes < train.en > train.bpe.en
 */
#include "program.h"

#include <stddef.h>
#include <string.h>

typedef struct command {
    const char *name, *usage, *what, *options;
    int (*run)(const settings *s);
} command;

/* ---- errors ---- */

int fail_with(const char *message) {
    fprintf(stderr, "bpe: %s\n", message);
    return 1;
}

int usage_with(const char *name, const char *message) {
    fprintf(stderr, "bpe: %s; see bpe %s --help\n", message, name);
    return 2;
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
    {"apply", "bpe apply --codes FILE [--vocabulary LIST] [--dropout P] < text > subwords",
     "cut words into subwords",
     "  --codes FILE        what bpe learn (or subword-nmt learn-bpe) wrote\n"
     "  --vocabulary FILE   split subwords that are not in this list back into parts that are; it is what\n"
     "                      bpe vocab (or subword-nmt get-vocab) wrote of a text that was cut\n"
     "  --vocabulary-threshold N\n"
     "                      and those that are seen there less often (0: any count will do)\n"
     "  --dropout P         pass over merges with probability P, from 0 to 1, each word anew (BPE-dropout;\n"
     "                      for text to train on) (0: none)\n"
     "  --seed S            of chance: the same seed gives the same subwords, those of subword-nmt's\n"
     "                      apply_bpe.py --seed S [0]\n" QUIET HELP "\n"
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

static bool take_count(const char *name, const char *value, long least, long *count, tl_error *error) {
    long found;
    if (!tl_long_parse(value, &found) || found < least || found > INT32_MAX)
        return tl_error_set(error, "%s \"%s\": a whole number from %ld to %ld is expected", name, value,
                            least, (long)INT32_MAX);
    *count = found;
    return true;
}

static bool take_share(const char *name, const char *value, double *share, tl_error *error) {
    double found;
    if (!tl_double_parse(value, &found) || !(found >= 0 && found <= 1))
        return tl_error_set(error, "%s \"%s\": a number from 0 to 1 is expected", name, value);
    *share = found;
    return true;
}

typedef struct option {
    const char *command, *name, *takes;
    enum { A_FILE, A_COUNT, A_NUMBER, A_SHARE } kind; /* A_COUNT: 1 or more; A_NUMBER: 0 or more */
    size_t offset;
} option;

static const option known[] = {
    {"learn", "--merges", "N", A_COUNT, offsetof(settings, merges)},
    {"learn", "--min-frequency", "F", A_COUNT, offsetof(settings, min_frequency)},
    {"apply", "--codes", "FILE", A_FILE, offsetof(settings, codes)},
    {"apply", "--vocabulary", "FILE", A_FILE, offsetof(settings, vocabulary)},
    {"apply", "--vocabulary-threshold", "N", A_NUMBER, offsetof(settings, threshold)},
    {"apply", "--dropout", "P", A_SHARE, offsetof(settings, dropout)},
    {"apply", "--seed", "S", A_NUMBER, offsetof(settings, seed)}};

static bool take_value(settings *s, const option *o, const char *value, tl_error *error) {
    void *field = (char *)s + o->offset;
    if (o->kind == A_FILE) return *(const char **)field = value, true;
    if (o->kind == A_SHARE) return take_share(o->name, value, field, error);
    return take_count(o->name, value, o->kind == A_COUNT, field, error);
}

/* Reads one option of a command, "--name value" or "--name=value", starting at argv[*i]. */
static bool take_option(settings *s, int argc, char **argv, int *i, tl_error *error) {
    const char *said = argv[*i], *equals = strchr(said, '=');
    if (strncmp(said, "--", 2) != 0)
        return tl_error_set(error, "\"%s\": options begin with --, and text comes from standard input", said);
    if (!strcmp(said, "--quiet")) return s->quiet = true;
    size_t length = equals ? (size_t)(equals - said) : strlen(said);
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        const option *o = &known[k];
        if (strcmp(o->command, s->command) || strlen(o->name) != length || strncmp(o->name, said, length))
            continue;
        const char *value = equals ? equals + 1 : NULL;
        if (!value && (++*i == argc || !strncmp(argv[*i], "--", 2)))
            return tl_error_set(error, "%s: %s is missing behind it", o->name, o->takes);
        return take_value(s, o, value ? value : argv[*i], error);
    }
    return tl_error_set(error, "there is no option \"%s\" here", said);
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

/* Failing to write the results is a failure. So is a file that grows beyond `ulimit -f`, which by default would kill
 * the process. */
int main(int argc, char **argv) {
    tl_error error = {""};
    tl_streams_open();
    const int status = run_program(argc, argv);
    return tl_output_close(stdout, &error) || status ? status : fail_with(error.message);
}
