/* bench/without: every patch still fits the sources, says what it switches off and where that is seen, and the script
 * that measures them refuses what it does not know. */
#define _XOPEN_SOURCE 700
#include "examples/shell.h"

static char *said;
static int try(const char *command) {
    int status;
    free(said);
    said = shell(&status, "%s", command);
    return status;
}

START_TEST(patches_fit) {
    if (try("git --version") != 0) {
        TL_SKIP("no git to try the patches with");
        return;
    }
    ck_assert_msg(try("for p in bench/without/*.patch; do"
                      "  git apply --check $p || exit 1;"
                      "  sed -n 1p $p | grep -q '^[A-Z].*\\.$' || { echo \"$p: line 1\"; exit 1; };"
                      "  sed -n 2p $p | grep -Eq '^Seen in: ((step T[0-3]|decode T[0-3] [0-9]+|lengths "
                      "[0-9]+)(, )?)+$' ||"
                      "    { echo \"$p: line 2\"; exit 1; };"
                      "done; ls bench/without/*.patch | wc -l") == 0,
                  "%s", said);
    ck_assert_int_ge(atoi(said), 11);
}
END_TEST

START_TEST(words_of_the_script) {
    ck_assert_int_eq(try("bench/without/run --help"), 0);
    assert_contains(said, "usage: bench/without/run [--rounds N] [--seconds S] [NAME …]");
    ck_assert_int_eq(try("bench/without/run --fast"), 2);
    assert_contains(said, "usage: ");
    ck_assert_int_eq(try("bench/without/run all-of-it"), 2);
    assert_contains(said, "bench/without: there is no all-of-it; fused-attention fused-loss");
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, patches_fit);
    tcase_add_test(tc, words_of_the_script);
}
TL_TEST_MAIN("bench: what each optimisation brings")
