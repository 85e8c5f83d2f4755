/* Threads, and the text that describes this build. Without OpenMP everything runs on one thread and gives the same
 * numbers.
 *
 * The state in this file belongs to the process, as threads do: how many there may be, and whether this process is a
 * forked child, which does not have its parent's threads. */
#define _POSIX_C_SOURCE 200809L /* pthread_atfork */
#include "kernels/kernels.h"
#include "share.h"

#ifdef _OPENMP
# include <stdatomic.h>
# if defined(__unix__) || defined(__APPLE__)
#  include <pthread.h>
#  define HAS_FORK
# endif

/* A limit: more threads are of no use, and OpenMP ends the program if the system refuses to start one. */
enum { MANY = 64 };

static int most_threads(void) {
    static atomic_int most; /* kept, because asking is a system call */
    int known = atomic_load_explicit(&most, memory_order_relaxed);
    if (known > 0) return known;
    known = omp_get_num_procs() > MANY ? omp_get_num_procs() : MANY;
    atomic_store_explicit(&most, known, memory_order_relaxed);
    return known;
}

/* Set in a forked child of a process that had threads: GCC's OpenMP would wait for them forever. */
static atomic_bool alone;

int tl_threads(void) {
    const int threads = omp_get_max_threads();
    if (threads < 2 || atomic_load_explicit(&alone, memory_order_relaxed)) return 1;
    return threads <= MANY || threads <= most_threads() ? threads : most_threads();
}

void tl_set_threads(int count) {
    if (count > 0) omp_set_num_threads(count < most_threads() ? count : most_threads());
}

int tl_processors(void) { return omp_get_num_procs(); }

# ifdef HAS_FORK
static void in_child(void) { atomic_store(&alone, true); }
static void watch_forks(void) { pthread_atfork(NULL, NULL, in_child); }
# endif

int tl_share_begin(void) {
# ifdef HAS_FORK
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_forks);
# endif
    return tl_threads();
}
#else
int tl_threads(void) { return 1; }
void tl_set_threads(int count) { (void)count; }
int tl_processors(void) { return 1; }
#endif

/* What makes this build slow, to be shown in its text. */
#if defined(__SANITIZE_ADDRESS__)
# define WATCHED ", sanitizers"
#elif defined(__has_feature)
# if __has_feature(address_sanitizer)
#  define WATCHED ", sanitizers"
# endif
#endif
#ifndef WATCHED
# define WATCHED ""
#endif
#ifdef TL_CHECKING
# define CHECKED ", checking"
#else
# define CHECKED ""
#endif

/* The text is in a buffer of the calling thread; each call writes it anew. */
const char *tl_build_text(void) {
    static _Thread_local char text[96];
    const char *precision = sizeof(tl_real) == 4 ? "float" : "double", *isa = tl_kernels_pick()->isa;
#ifdef _OPENMP
    int threads = tl_threads();
    snprintf(text, sizeof text, "%s, OpenMP %d thread%s, %s" WATCHED CHECKED, precision, threads,
             threads == 1 ? "" : "s", isa);
#else
    snprintf(text, sizeof text, "%s, one thread (built without OpenMP), %s" WATCHED CHECKED, precision, isa);
#endif
    return text;
}
