/* bench/scaling: what it asks of ranks and how often, medians of what they answer, what the formula makes of them, and what it says where
 * there are no networks to be had. mpirun and the ranks are played by a shell script. */
#define _XOPEN_SOURCE 700
#include "build/tree.h"

/* mpirun: of N ranks started in a round, each update takes 10·round/N ms, forward and backward 2·round, and all other things what
 * they take in each. DIES: so many end with 3. */
static const char mpirun[] =
    "#!/bin/sh\n"
    "case $1 in --version) echo 'mpirun (Open MPI) 9.1'; exit ;; esac\n"
    "while [ \"$1\" != -n ]; do shift; done\n"
    "n=$2; shift 3\n"
    "echo \"$n: $*\" >>asked\n"
    "round=$(grep -c \"^$n: \" asked)\n"
    "[ \"$DIES\" != \"$n\" ] || exit 3\n"
    "[ $n = 1 ] || printf 'probe,%s,0.001\\n' latency meeting send_byte\n"
    "for request in $(echo \"$*\" | tr -d ' ' | tr , ' '); do\n"
    "  m=${request%%sentences*}; m=${m#parts}; m=${m#update}; m=${m%0.2}; s=${request#*sentences=}\n"
    "  case $request in\n"
    "  parts*) printf \"$m/$s,%s\\n\" params,1000 flop,1e6 forward_backward,0.00$((2 * round)) "
    "copy,0.0001 "
    "add,0.0002 replicated,0.003"
    "; [ $n = 1 ] || printf \"$m/$s,%s,0.001\\n\" send_byte gather_byte ;;\n"
    "  update*) echo \"$m/${s%shares*}/${s#*=},update,$(echo \"$round $n\" | awk '{ print 0.01 * $1 / $2 "
    "}')\" ;;\n"
    "  esac\n"
    "done\n";

static void set_the_stage(void) {
    enter_tree();
    sh("cp -r $TOP/bench . && mkdir -p b/bench bin && printf '#!/bin/sh\\n' | tee b/bench/ranks >b/bench/step"
       " && chmod +x b/bench/*");
    put_program("bin/mpirun", mpirun);
    put_program("bin/ip", "#!/bin/sh\necho 'no networks for you' >&2\nexit 1\n");
    put_program("bin/nproc", "#!/bin/sh\necho 2\n");
    sh("ls bin/ip");
    setenv("BUILD", "b", 1);
    sh("echo $PWD/bin:$PATH");
    said[strcspn(said, "\n")] = '\0';
    setenv("PATH", said, 1);
}
static void clear_the_stage(void) { leave_tree(); }

START_TEST(words) {
    static const char *const refused[][2] = {
        {"bench/scaling T4/1", "bench/scaling: what is \"T4/1\"? --help lists what there is\n"},
        {"bench/scaling --rounds few", "bench/scaling: --rounds takes a number, not \"few\"\n"},
        {"bench/scaling --table none.csv",
         "bench/scaling: --table needs the CSV that --csv wrote, not \"none.csv\"\n"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        ck_assert_int_eq(try(refused[i][0]), 2);
        ck_assert_msg(!strncmp(said, refused[i][1], strlen(refused[i][1])), "%s", said);
    }
    ck_assert_int_eq(try("BUILD=nowhere bench/scaling"), 1);
    assert_contains(said, "nowhere/bench/ranks: make MPI=1 B=");
    ck_assert_int_eq(try("rm b/bench/step && bench/scaling"), 1);
    assert_contains(said, "b/bench/step: make MPI=1 B=");
    sh("bench/scaling --help");
    assert_contains(said, "bench/scaling [--rounds N] [--seconds S] [--csv FILE] [--with-overlap]");
    ck_assert_ptr_null(strchr(said, '#'));
    ck_assert_int_eq(try("ls asked"), 2); /* nothing was measured */
}
END_TEST

START_TEST(rounds_and_medians) {
    sh("bench/scaling --rounds 3 --seconds 0.2 --csv it.csv T1/8 2>&1");
    assert_contains(said, "no networks of a limited rate here, shared memory alone: no networks for you\n");
    sh("cut -d : -f 1 asked");
    ck_assert_str_eq(said, "1\n2\n1\n2\n1\n2\n"); /* in turn */
    sh("sed -n 2p asked");
    ck_assert_str_eq(
        said, "2: probe 0.05 , parts T1 0.2 sentences=8 , update T1 0.2 sentences=8 shares=2 , update T1 0.2 "
              "sentences=8 shares=4\n");
    sh("grep T1/8/4 it.csv");
    ck_assert_str_eq(said, "openmpi,memory,1,no,T1/8/4,update,0.02,0.01,0.03\n"
                           "openmpi,memory,2,no,T1/8/4,update,0.01,0.005,0.015\n"
                           "openmpi,memory,1,no,T1/8/4,predicted,0.985,0.923333,1.17\n"
                           "openmpi,memory,2,no,T1/8/4,predicted,601.57,401.313,1202.34\n");
    sh("bench/scaling --table it.csv | grep 'T1 *8 *4 '");
    ck_assert_str_eq(said, "openmpi  memory      1   T1         8      4       20.0    50%\n"
                           "openmpi  memory      2   T1         8      4       10.0    50%      2.00\n");
    /* by hand: 2 · 4 ms; 3 copies and 2 additions; 3 ms; 4000 bytes and a message, 2000 bytes, 3 meetings of 1 ms each */
    sh("bench/scaling --parts it.csv | tail -n 1");
    assert_contains(said, "     8.00      0.70      3.00   4001.00   2000.00\n");
    sh("bench/scaling --check it.csv | grep 'T1 *8 *4 '");
    assert_contains(
        said,
        "openmpi  memory      1   T1         8      4       20.0       19.7        -2%     -8%    +17%\n");
    assert_contains(said, "openmpi  memory      2   T1         8      4       10.0     6015.7 ");
    /* several measurements, one below the other: what the first one says counts */
    sh("sed 's/,params,1000/,params,9000/' it.csv >other.csv && cat it.csv other.csv >both.csv"
       " && bench/scaling --check it.csv >one && bench/scaling --check both.csv >two && tail -n +2 one | "
       "diff - two | grep -c 'T1'; true");
    ck_assert_int_eq(atoi(said), 0);
}
END_TEST

START_TEST(ranks_that_die) {
    ck_assert_int_eq(try("DIES=2 bench/scaling --rounds 1 --seconds 0.2 --csv it.csv T1/8"), 1);
    ck_assert_int_eq(try("ls it.csv"), 2);
}
END_TEST

/* What `--with-overlap` measures: it must fit what it is put on, and be C that compiles. */
START_TEST(the_patch_fits) {
    sh("cp -r $TOP/include $TOP/src . && { git --version >/dev/null 2>&1 || echo none; }");
    if (*said) {
        TL_SKIP("no git to put the patch on");
        return;
    }
    sh("GIT_CEILING_DIRECTORIES=$D git apply --verbose bench/with-overlap.patch 2>&1 | grep -c cleanly");
    ck_assert_int_gt(atoi(said), 5);
    sh("for file in src/autograd/backward.c src/ranks/fold.c src/ranks/ranks.c src/run/exchange.c "
       "src/run/update.c; "
       "do ${CC:-cc} -std=c11 -Wall -Wextra -Werror -Wno-unknown-pragmas -fsyntax-only -Iinclude -Isrc $file "
       "2>&1; done");
    ck_assert_str_eq(said, "");
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_unchecked_fixture(tc, enter_all, leave_all);
    tcase_add_checked_fixture(tc, set_the_stage, clear_the_stage);
    tcase_add_test(tc, the_patch_fits);
    tcase_add_test(tc, words);
    tcase_add_test(tc, rounds_and_medians);
    tcase_add_test(tc, ranks_that_die);
}

TL_TEST_MAIN("bench: scaling")
