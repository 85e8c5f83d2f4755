/* The byte-pair encoder's command line, and what its commands share. */
#ifndef BPE_PROGRAM_H
#define BPE_PROGRAM_H

#include <tapeloom.h>

typedef struct settings {
    const char *command, *codes, *vocabulary;
    long merges, min_frequency, threshold, seed;
    double dropout;
    bool quiet;
} settings;

/* ---- main.c ---- */

int fail_with(const char *message); /* "bpe: message" on standard error; returns 1 */
/* the same, pointing to the command's --help; returns 2 */
int usage_with(const char *name, const char *message);

/* ---- input.c: standard input, line by line ---- */

typedef struct input {
    char *bytes, *next, *end;
    long line;  /* number of the current line */
    bool ended; /* did the current line have a line end? */
    tl_error error;
} input;

bool input_open(input *in, const settings *s);
/* The next line, with a 0 instead of its LF, CR or CRLF; NULL at the end. These are Python's line ends, which
 * subword-nmt uses for its standard input; as there, each is written as LF. */
char *input_line(input *in);
/* Counts the words of standard input; NULL, and the reason in in->error, on failure. */
tl_bpe_words *count_words(input *in, const settings *s);

/* ---- python_random.c ---- */

/* The numbers that Python's random.random() gives after random.seed(seed). */
typedef struct python_random {
    uint32_t state[624];
    int used;
} python_random;
void python_random_seed(python_random *r, uint32_t seed);
double python_random_next(void *r); /* in [0, 1) */

/* ---- commands: 0 or an exit status ---- */

int run_learn(const settings *s); /* learn.c */
int run_vocab(const settings *s);
int run_apply(const settings *s); /* apply.c */
int run_join(const settings *s);

#endif
