/* See runner.h. Every array has memory of its own, between two guards. */
#define _POSIX_C_SOURCE 200809L
#include "runner.h"
#include "wire.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* With AddressSanitizer the guards are also poisoned. */
#if defined(__has_feature)
# if __has_feature(address_sanitizer)
#  define WATCHED
# endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(WATCHED)
# include <sanitizer/asan_interface.h>
#else
# define ASAN_POISON_MEMORY_REGION(memory, size) ((void)(memory), (void)(size))
# define ASAN_UNPOISON_MEMORY_REGION(memory, size) ((void)(memory), (void)(size))
#endif

/* ---- memory that the student's file allocates ---- */

static long blocks;

void *course_malloc(size_t bytes) {
    void *memory = malloc(bytes);
    blocks += memory != NULL;
    return memory;
}
void *course_calloc(size_t count, size_t bytes) {
    void *memory = calloc(count, bytes);
    blocks += memory != NULL;
    return memory;
}
void *course_realloc(void *memory, size_t bytes) {
    void *moved = realloc(memory, bytes);
    blocks += !memory && moved;
    return moved;
}
void course_free(void *memory) {
    blocks -= memory != NULL;
    free(memory);
}

/* ---- calls and answers ---- */

/* The marker gives descriptors 3 and 4. They are moved at once to higher numbers, which a student's loop that closes
 * descriptors does not reach. */
static int calls = 3, answers = 4;

static void stop(const char *why) {
    fprintf(stderr, "runner: %s\n", why);
    fflush(stdout);
    _exit(3);
}

static int moved(int file) {
    const int to = fcntl(file, F_DUPFD, 100);
    if (to < 0) return file;
    close(file);
    return to;
}

static int get(void *to, size_t bytes) { /* 0 if the marker has closed its end */
    for (size_t done = 0; done < bytes;) {
        ssize_t n = read(calls, (char *)to + done, bytes - done);
        if (n < 0) stop("calls cannot be read: has your function closed a file descriptor?");
        if (n == 0) return 0;
        done += (size_t)n;
    }
    return 1;
}

static void put(const void *from, size_t bytes) {
    for (size_t done = 0; done < bytes;) {
        ssize_t n = write(answers, (const char *)from + done, bytes - done);
        if (n <= 0) stop("answers cannot be written: has your function closed a file descriptor?");
        done += (size_t)n;
    }
}

static void watch_guards(float *a, long count, int watched) {
    float *const guard[] = {a - COURSE_GUARD, a + count};
    for (int i = 0; i < 2; i++)
        if (watched)
            ASAN_POISON_MEMORY_REGION(guard[i], COURSE_GUARD * sizeof *a);
        else
            ASAN_UNPOISON_MEMORY_REGION(guard[i], COURSE_GUARD * sizeof *a);
}

static float *make_array(long count) {
    float *whole = malloc((size_t)(count + 2 * COURSE_GUARD) * sizeof *whole);
    if (!whole) stop("out of memory");
    for (long i = 0; i < count + 2 * COURSE_GUARD; i++) whole[i] = COURSE_GUARD_VALUE;
    return whole + COURSE_GUARD;
}

/* Numbers travel as doubles, an array at a time. */
static double *make_doubles(long count) {
    double *d = malloc((size_t)(count + 1) * sizeof *d);
    if (!d) stop("out of memory");
    return d;
}

static void read_array(float *a, long count) {
    double *d = make_doubles(count);
    if (!get(d, (size_t)count * sizeof *d)) stop("a call is incomplete");
    for (long i = 0; i < count; i++) a[i] = (float)d[i];
    free(d);
}

static void answer_array(const float *a, long count) {
    const long all = count + 2 * COURSE_GUARD;
    double *d = make_doubles(all);
    for (long i = 0; i < all; i++) d[i] = (double)a[i - COURSE_GUARD];
    put(d, (size_t)all * sizeof *d);
    free(d);
}

static int *ints[COURSE_ARRAYS];

const int *course_ints(const course_call *c, int i) {
    free(ints[i]);
    ints[i] = malloc((size_t)(c->count[i] + 1) * sizeof **ints);
    if (!ints[i]) stop("out of memory");
    for (long k = 0; k < c->count[i]; k++) ints[i][k] = (int)c->a[i][k];
    return ints[i];
}

/* Calls the student's function; returns how many blocks of memory it has not freed. */
static long call_function(const wire_call *w, const course_function *f, float *const *a) {
    const course_call call = {w->function, w->flags, w->n, w->p, a, w->count, w->arrays};
    const long before = blocks;
    for (int i = 0; i < w->arrays; i++) watch_guards(a[i], w->count[i], 1);
    if (f->name) f->call(&call);
    for (int i = 0; i < w->arrays; i++) watch_guards(a[i], w->count[i], 0);
    return blocks - before;
}

static void answer(const wire_call *w) {
    float *a[COURSE_ARRAYS];
    for (int i = 0; i < w->arrays; i++) {
        a[i] = make_array(w->count[i]);
        read_array(a[i], w->count[i]);
    }
    const course_function *f = course_functions;
    while (f->name && strcmp(f->name, w->function) != 0) f++;
    const unsigned ticket = w->ticket;
    const long left = call_function(w, f, a);
    const wire_answer said = {.ticket = ticket, .known = f->name != NULL, .blocks = left};
    put(&said, sizeof said);
    for (int i = 0; i < w->arrays; i++) {
        answer_array(a[i], w->count[i]);
        free(a[i] - COURSE_GUARD);
        free(ints[i]);
        ints[i] = NULL;
    }
}

int main(void) {
    wire_call w;
    calls = moved(calls), answers = moved(answers);
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* so that no line is lost in a crash */
    while (get(&w, sizeof w)) {
        if (w.arrays < 0 || w.arrays > COURSE_ARRAYS) stop("a call is invalid");
        w.function[COURSE_NAME - 1] = '\0';
        answer(&w);
    }
    return 0;
}
