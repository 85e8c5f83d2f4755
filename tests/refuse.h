/* For tests of what happens when memory runs out: an allocator that grants as many requests as it is told, and counts
 * the pieces that are alive. It takes malloc's place in the whole program, so include this in the test's one file.
 *
 * Where it cannot (a sanitizer has an allocator of its own, or the C library is not glibc), CAN_REFUSE is 0 and nothing
 * is ever refused. */
#ifndef TL_TESTS_REFUSE_H
#define TL_TESTS_REFUSE_H

#include "check.h"

#include <errno.h>
#include <stdbool.h>

#if defined(__GLIBC__) && !defined(TL_SANITIZED)
# define CAN_REFUSE 1
#else
# define CAN_REFUSE 0
#endif

/* Clang's OpenMP ends the process when it is refused memory, and may ask for some in any region: there is one thread, then. */
#if defined(__clang__) && defined(_OPENMP) && CAN_REFUSE
int setenv(const char *name, const char *value, int overwrite); /* POSIX's */
__attribute__((constructor)) static void one_thread(void) { setenv("OMP_NUM_THREADS", "1", 1); }
#endif

static long left = -1; /* requests until one is refused; negative: none is */
static bool all_later; /* those after it too */
static bool had_refused;
static long alive; /* pieces not yet freed */

/* Grants so many requests, then refuses one, or all from there on. */
static inline void refuse_after(long granted, bool and_all_later) {
    left = granted;
    all_later = and_all_later;
    had_refused = false;
}
/* Ends it. Has any been refused? */
static inline bool grant_again(void) {
    left = -1;
    return had_refused;
}

#if CAN_REFUSE
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *memory);

static bool refused(void) {
    if (left < 0 || left-- > 0) return false;
    if (all_later) left = 0;
    had_refused = true;
    errno = ENOMEM;
    return true;
}
static void *counted(void *memory) {
    alive += memory != NULL;
    return memory;
}
void *malloc(size_t size) { return refused() ? NULL : counted(__libc_malloc(size)); }
void *calloc(size_t count, size_t size) { return refused() ? NULL : counted(__libc_calloc(count, size)); }
void *aligned_alloc(size_t alignment, size_t size) {
    return refused() ? NULL : counted(__libc_memalign(alignment, size));
}
void *realloc(void *memory, size_t size) {
    if (refused()) return NULL;
    return memory ? __libc_realloc(memory, size) : counted(__libc_malloc(size));
}
void free(void *memory) {
    alive -= memory != NULL;
    __libc_free(memory);
}
#endif

#endif
