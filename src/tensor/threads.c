/* Threads, and what this build is. Without OpenMP everything runs on one thread and gives the same numbers. */
#include "kernels/kernels.h"

#ifdef _OPENMP
# include <omp.h>
#endif

int tl_threads(void) {
#ifdef _OPENMP
    return omp_get_max_threads();
#else
    return 1;
#endif
}

void tl_set_threads(int count) {
#ifdef _OPENMP
    if (count > 0) omp_set_num_threads(count);
#else
    (void)count;
#endif
}

/* The text goes into a buffer of the calling thread: written anew by each call, read by nothing else. */
const char *tl_build_text(void) {
    static _Thread_local char text[96];
    const char *precision = sizeof(tl_real) == 4 ? "float" : "double", *isa = tl_kernels_pick()->isa;
#ifdef _OPENMP
    int threads = tl_threads();
    snprintf(text, sizeof text, "%s, OpenMP %d thread%s, %s", precision, threads, threads == 1 ? "" : "s",
             isa);
#else
    snprintf(text, sizeof text, "%s, one thread (built without OpenMP), %s", precision, isa);
#endif
    return text;
}
