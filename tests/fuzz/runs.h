/* A run of each program, trained for a moment when it is first asked for. */
#ifndef TL_TESTS_FUZZ_RUNS_H
#define TL_TESTS_FUZZ_RUNS_H

#include "fuzz.h"

#include <tapeloom.h>

enum { FUZZ_TRANSLATE, FUZZ_LM, FUZZ_CLASSIFY, FUZZ_CAPTION, FUZZ_LM_WORDS, FUZZ_RUNS };

const char *fuzz_run_folder(int run);
/* The same, opened; stays open. */
tl_run *fuzz_run_open(int run);

#endif
