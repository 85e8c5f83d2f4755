/* For programs under MPI built with sanitizers: only our own leaks count. MPI's libraries leak memory; they also
 * unload plug-ins at the end, after which a leak could not be attributed, so here they stay loaded. */
#ifndef TL_TESTS_RANKS_LEAKS_H
#define TL_TESTS_RANKS_LEAKS_H

#include "sanitized.h"

#ifdef TL_SANITIZED
int dlclose(void *plugin);
int dlclose(void *plugin) { return (void)plugin, 0; }
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
    return "leak:libmpi\nleak:libopen-\nleak:/openmpi/\nleak:libpmix\nleak:/"
           "pmix\nleak:libhwloc\nleak:libevent\n"
           "leak:libfabric\nleak:libuc\nleak:libomp.so\nleak:vasprintf\n"; /* we do not call the last one */
}
const char *__lsan_default_options(void);
const char *__lsan_default_options(void) { return "print_suppressions=0"; }
#endif

#endif
