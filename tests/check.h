/* Included by every test program. A test file defines `static void add_tests(TCase *tc)` and ends with
 * TL_TEST_MAIN("room: subject"). Check runs every test in a child process. The parent must never call the library:
 * after OpenMP has started its threads, a fork's child would hang. */
#ifndef TL_TESTS_CHECK_H
#define TL_TESTS_CHECK_H

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sanitized.h"

#if defined(__clang__)
/* LLVM's OpenMP leaks memory when the number of threads changes; SAN=1 does not report it. (With gcc all leaks are
 * reported.) */
const char *__lsan_default_suppressions(void) { return "leak:libomp.so"; }
#endif

#define TL_TEST_MAIN(name)                    \
 int main(void) {                             \
  Suite *suite = suite_create(name);          \
  TCase *tc = tcase_create(name);             \
  tcase_set_timeout(tc, 0);                   \
  add_tests(tc);                              \
  suite_add_tcase(suite, tc);                 \
  SRunner *runner = srunner_create(suite);    \
  srunner_run_all(runner, CK_ENV);            \
  int failed = srunner_ntests_failed(runner); \
  srunner_free(runner);                       \
  return failed != 0;                         \
 }

/* Reports a test that cannot run here; tests/run-all shows the line. */
#define TL_SKIP(...) (printf("SKIPPED: " __VA_ARGS__), printf("\n"), fflush(stdout))

/* An assertion for inner loops: Check's own are slow, because each one that passes writes to a file. */
#define must(condition) must_msg(condition, "this should hold: %s", #condition)
#define must_msg(condition, ...)               \
 do {                                          \
  if (!(condition)) ck_abort_msg(__VA_ARGS__); \
 } while (0)

/* Fails, showing the error, unless it is NULL. */
#define assert_no_error(text) ck_assert_msg((text) == NULL, "unexpected error: %s", (text))
#define assert_contains(text, part)                                                      \
 ck_assert_msg((text) != NULL && strstr((text), (part)), "\"%s\" should contain \"%s\"", \
               (text) != NULL ? (text) : "(null)", (part))

#endif
