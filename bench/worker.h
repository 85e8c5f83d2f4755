/* The interface of all bench programs. A request is a line of words, the answer a line of JSON:
 *
 *     build/bench/step T1 0.5 precision=high threads=1       one request, from the command line
 *     build/bench/step --serve                               one request in each line of standard input
 *
 * Words with "=" are options; the first other word names what is measured, the second for how many seconds. With
 * --serve a program keeps its model from one request to the next. So bench/turns can alternate between programs every
 * half second, and if the machine is slow for a while, it is slow for all of them. */
#ifndef BENCH_WORKER_H
#define BENCH_WORKER_H

#include <tapeloom.h>

#include "run/clock.h"
#include "tensor/kernels/kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_WORDS = 16, LINE_SIZE = 512, MOST_TIMES = 100000 };

typedef struct request {
    char text[LINE_SIZE];
    char *word[MOST_WORDS]; /* those without "=", in order; options are those with "=" */
    char *option[MOST_WORDS];
    int words, options;
} request;

/* ---- reading a request ---- */

/* Prints an error as the answer; false. */
static inline bool refuse(const char *what, const char *word) {
    printf("{\"error\": \"%s %s\"}\n", what, word);
    fflush(stdout);
    return false;
}

/* The value of option name=value, or `otherwise`. */
static inline const char *option_of(const request *r, const char *name, const char *otherwise) {
    size_t length = strlen(name);
    for (int i = 0; i < r->options; i++)
        if (!strncmp(r->option[i], name, length) && r->option[i][length] == '=')
            return r->option[i] + length + 1;
    return otherwise;
}

static inline long number_of(const request *r, const char *name, long otherwise) {
    const char *value = option_of(r, name, NULL);
    return value ? strtol(value, NULL, 10) : otherwise;
}

static inline const char *word_of(const request *r, int i, const char *otherwise) {
    return i < r->words ? r->word[i] : otherwise;
}

static inline double seconds_of(const request *r, double otherwise) {
    return r->words > 1 ? strtod(r->word[1], NULL) : otherwise;
}

static inline void add_word(request *r, char *word) {
    if (strchr(word, '=')) {
        if (r->options < MOST_WORDS) r->option[r->options++] = word;
    } else if (r->words < MOST_WORDS)
        r->word[r->words++] = word;
}

/* Answers the requests of the command line or standard input; for main to return. `answer` prints its line itself. */
static inline int serve(int argc, char **argv, const char *usage, bool (*answer)(const request *r)) {
    static request r;
    tl_error wrong = {""};
    if (!tl_kernels_check_name(&wrong)) return fprintf(stderr, "%s: %s\n", argv[0], wrong.message), 2;
    if (argc > 1 && !strcmp(argv[1], "--help")) return printf("usage: %s\n", usage) < 0;
    if (argc < 2 || strcmp(argv[1], "--serve") != 0) {
        for (int i = 1; i < argc; i++) add_word(&r, argv[i]);
        return !answer(&r);
    }
    bool fine = true;
    while (fgets(r.text, sizeof r.text, stdin)) {
        r.words = r.options = 0;
        for (char *word = strtok(r.text, " \n"); word; word = strtok(NULL, " \n")) add_word(&r, word);
        if (r.words == 0) continue;
        fine = answer(&r) && fine;
        fflush(stdout);
    }
    return !fine;
}

/* ---- measuring ---- */

static inline double now(void) { return tl_seconds_now(); }

static inline int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef struct timing {
    double median, least, p90; /* seconds of one run */
    long runs;
} timing;

/* Runs `work` until the seconds are over, at least once; .runs is 0 if it has failed. Before that it warms up threads
 * and caches: with `warm` runs and then, if runs are short, for a tenth of the seconds. The first call of a program
 * warms up longer, because all threads may start on one core. */
static inline timing measure(bool (*work)(void *), void *data, double seconds, long warm) {
    static double times[MOST_TIMES];
    static bool begun = false;
    timing result = {0};
    double start = now(), last = 0, warm_for = begun || seconds == 0 ? 0.1 * seconds : 0.3;
    begun = true;
    for (long i = 0; i < warm || (last < 0.1 * seconds && now() - start < warm_for); i++) {
        double t = now();
        if (!work(data)) return result;
        last = now() - t;
    }
    long n = 0;
    start = now();
    do {
        double t = now();
        if (!work(data)) return result;
        times[n++] = now() - t;
    } while (n < MOST_TIMES && now() - start < seconds);
    qsort(times, (size_t)n, sizeof *times, by_size);
    return (timing){times[n / 2], times[0], times[n * 9 / 10], n};
}

/* Prints the first fields of an answer; the caller prints the others and "}\n". flop: operations of one run; 0:
 * unknown. */
static inline void print_timing(timing t, double flop) {
    printf("{\"ms_median\": %.6g, \"ms_min\": %.6g, \"ms_p90\": %.6g, \"runs\": %ld", 1e3 * t.median,
           1e3 * t.least, 1e3 * t.p90, t.runs);
    if (flop > 0) printf(", \"gflop\": %.6g, \"gflops\": %.1f", 1e-9 * flop, 1e-9 * flop / t.median);
}

/* ---- common settings ---- */

static inline void set_threads(const request *r) {
    static int usual = 0;
    if (!usual) usual = tl_threads();
    tl_set_threads((int)number_of(r, "threads", usual));
}

/* The option precision=highest|high|medium. */
static inline bool precision_of(const request *r, tl_matmul_precision *precision) {
    const char *name = option_of(r, "precision", "highest");
    return tl_matmul_precision_of(name, precision) || refuse("precision is highest, high, medium, not", name);
}

static inline bool set_precision(tl_tape *tape, const request *r) {
    tl_matmul_precision precision;
    if (!precision_of(r, &precision)) return false;
    tl_tape_set_matmul_precision(tape, precision);
    return true;
}

#endif
