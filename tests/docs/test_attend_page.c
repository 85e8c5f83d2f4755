/* Runs the commands of docs/attend.md in order, in a folder of the test's own, on a briefly trained demo, and checks
 * their output; and compares the page's tables with the library and --help. */
#define _XOPEN_SOURCE 700
#define PROGRAM "attend"
#include "translate/program.h"

#include <tapeloom.h>

/* The test has its own build folder, of links to the programs, so that it can write build/demo. */
static void make_demo(void) {
    sh("mkdir $D/build && for p in \"$(dirname \"$T\")\"/*; do if [ -x \"$p\" ] && [ ! -d \"$p\" ]; then ln "
       "-s \"$(realpath \"$p\")\" "
       "$D/build/; fi; done; $D/build/translate demo --steps 600 --out $D/build/demo --quiet --threads 1");
}

START_TEST(the_commands_run) {
    make_demo();
    sh("sed -n '/^```sh$/,/^```$/{/^```/d;p;}' docs/attend.md > $D/page.sh && cd $D && OMP_NUM_THREADS=1 sh "
       "-e page.sh");
    assert_contains(
        out,
        "decoder.layers.1.cross, mean of 4 heads: A (weights: the share of each key in what a query gets)");
    assert_contains(out, "sentence,attention,head,query,key,query_token,key_token,blocked,A,S,dA,dA-raw,dS,"
                         "AdA,head-norm,norm");
    sh("cd $D && for f in attention.html several.html page.html pages.html heads.svg pruning.svg patch.svg "
       "logits.svg lens.svg offsets.svg "
       "watched/watch.html; do test -s $f || { echo $f is not there; exit 1; }; done");
}
END_TEST

/* The page lists every quantity and has a section for every command (list is in Places). */
START_TEST(its_tables) {
    char *page = get_file("docs/attend.md", NULL);
    for (int q = 0; q < TL_QUANTITIES; q++) {
        char text[32];
        snprintf(text, sizeof text, "`%s`", tl_quantity_name((tl_quantity)q));
        if (q != TL_SEE_A && q != TL_SEE_S) assert_contains(page, text);
    }
    sh("$T --help | sed -n 's/^  attend \\([a-z]*\\) .*/\\1/p' > $D/commands; wc -l < $D/commands");
    ck_assert_int_gt(atoi(out), 10);
    char *commands = get_file(in_folder("commands"), NULL), name[32], heading[48];
    for (char *at = commands; sscanf(at, "%31s", name) == 1; at = strchr(at, '\n') + 1) {
        snprintf(heading, sizeof heading, "\n## %s\n", strcmp(name, "list") ? name : "Places");
        assert_contains(page, heading);
    }
    free(commands);
    free(page);
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_test(tc, the_commands_run);
    tcase_add_test(tc, its_tables);
}

TL_TEST_MAIN("docs: the laboratory's page")
