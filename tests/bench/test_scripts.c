/* What is around the programs that measure: turns in their order, medians and ratios of what was answered, peers that
 * are missing, JSON, the loss curve's difference, an earlier commit, on the stage of bench/stage.h. */
#define _XOPEN_SOURCE 700
#include "bench/stage.h"

/* ---- options ---- */

START_TEST(help) {
    sh("bench/compare --help");
    sh("sed -n 's/^plan_\\([a-z]*\\)() .*/\\1/p' bench/compare >sections; bench/compare --help >help; "
       "for name in $(cat sections); do grep -q \"^ *\\(gpt, \\)\\?$name[, ]\" help || echo \"$name is not "
       "there\"; done");
    ck_assert_str_eq(said, ""); /* every section is in it */
    sh("wc -l <sections");
    ck_assert_int_eq(atoi(said), 12);
    sh("for name in compare against curve; do bench/$name --help | head -n 40; done");
    assert_contains(said, "bench/compare [--all] [--json] [--rounds N] [--seconds S] [--ours] [--log FILE]");
    assert_contains(said, "bench/against REV|HARDEN=0 [--decode] [--json] [--rounds N] [--seconds S]");
    assert_contains(said,
                    "bench/curve [--json] [--steps N] [--lr R] [--matmul-precision highest|high|medium]");
    assert_lacks("#");
}
END_TEST

START_TEST(refusals) {
    static const char *const cases[][2] = {
        {"bench/compare stpe", "bench/compare: what is \"stpe\"? --help lists what there is\n"},
        {"bench/compare T4", "bench/compare: what is \"T4\"? --help lists what there is\n"},
        {"bench/compare --rounds x", "bench/compare: --rounds takes a number, not \"x\"\n"},
        {"bench/compare --seconds 1s", "bench/compare: --seconds takes a number, not \"1s\"\n"},
        {"bench/curve --epochs", "bench/curve: what is \"--epochs\"? --help lists what there is\n"},
        {"bench/curve --steps few", "bench/curve: --steps takes a number, not \"few\"\n"},
        {"bench/against", "bench/against: against which commit? --help lists what there is\n"},
        {"bench/against a b", "bench/against: one commit, not \"a\" and \"b\"\n"},
        {"bench/against a --fast", "bench/against: what is \"--fast\"? --help lists what there is\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_int_eq(try(cases[i][0]), 2);
        ck_assert_msg(strncmp(said, cases[i][1], strlen(cases[i][1])) == 0, "%s: %s", cases[i][0], said);
    }
    ck_assert_int_eq(try("ls asked"), 2); /* nothing was measured */
}
END_TEST

/* ---- turns ---- */

START_TEST(everybody_in_turn) {
    sh("bench/compare --rounds 2 --seconds 0.3 step T0 T2");
    sh("grep -v ' 16x16x16 ' asked"); /* those only ask who is here */
    static const char round[] = "peak peak 0.03\nstep %s 0.3 precision=highest\n"
                                "step %s 0.3 precision=medium\npython step %s 0.3 numbers=float32\n"
                                "python step %s 0.3 numbers=best\n";
    char expected[2048] = "step T0 0\n"; /* what build this is */
    for (int i = 0; i < 4; i++) {
        const char *config = i < 2 ? "T0" : "T2";
        sprintf(expected + strlen(expected), round, config, config, config, config);
    }
    ck_assert_str_eq(said, expected);
    sh("rm asked; sed -i 's/played/avx512+amx/' b/bench/player; bench/compare --rounds 1 --seconds 0 gpt");
    sh("grep gpt asked");
    ck_assert_str_eq(said,
                     "gpt gpt 0 precision=highest\ngpt gpt 0 precision=high\ngpt gpt 0 precision=medium\n"
                     "python gpt gpt 0\npython gpt gpt 0 numbers=best\n");
}
END_TEST

START_TEST(every_section) {
    put_program("b/translate", "#!/bin/sh\ncat >/dev/null; echo one two three\n");
    sh("bench/compare --rounds 1 --seconds 0 --log log >table 2>/dev/null && cut -f 1 log | uniq");
    ck_assert_str_eq(
        said,
        "step\nmemory\ndecode\nsentence\nproducts\nthreads\nsteps\nlengths\ngpt\ngenerate\nmlp\nrecurrent\n");
    sh("grep error log || true");
    ck_assert_str_eq(said, "");
    sh("for case in NN NT TN TT; do bench/compare --all --rounds 1 --seconds 0 --log log products >table "
       "2>/dev/null; cut -f 2 log | "
       "grep $case | sort -u | wc -l; done");
    ck_assert_str_eq(said, "9\n9\n9\n9\n"); /* with --all every shape in every transposition */
    sh("grep torch_sentence asked");
    assert_contains(said, "model.pt 3 4\n"); /* as many words as ours has said */
}
END_TEST

START_TEST(turns_alone) {
    put_program("b/echo", "#!/bin/sh\nwhile read -r line; do echo \"{$line}\"; done\n");
    put_program("b/dies", "#!/bin/sh\nread -r line; echo \"{$line}\"; exit 1\n");
    sh("printf 's\\tc\\ta\\tb\\techo\\thello there\\ns\\td\\t\\t\\tdies\\t1\\ns\\td\\t\\t\\tdies\\t2\\n"
       "s\\tc\\ta\\t\\techo\\tstill\\ns\\td\\t\\t\\tdies\\t3\\n' >plan; "
       "b/bench/turns --quiet echo=b/echo dies=b/dies <plan");
    ck_assert_str_eq(said,
                     "s\tc\ta\tb\t{hello there}\ns\td\t\t\t{1}\ns\td\t\t\t{\"error\": \"dies has ended\"}\n"
                     "s\tc\ta\t\t{still}\ns\td\t\t\t{\"error\": \"dies has ended\"}\n");
    sh("printf 's\\tc\\tx\\t\\tsh\\tsleep 0.05; echo unseen\\ns\\tc\\ty\\t\\tsh\\texit 3\\n' | b/bench/turns "
       "--quiet");
    double ms = 0, mb = 0;
    ck_assert_int_eq(sscanf(said, "s\tc\tx\t\t{\"ms_median\": %lf, \"rss_mb\": %lf}\n", &ms, &mb), 2);
    ck_assert(ms >= 50 && mb > 0);
    assert_contains(said, "\ns\tc\ty\t\t{\"error\": \"the command failed\"}\n");
    ck_assert_int_eq(try("printf 's\\tc\\tx\\tfew\\n' | b/bench/turns --quiet"), 2);
    assert_contains(said, "turns: a line of the plan has fewer than six columns: s");
    ck_assert_int_eq(try("printf 's\\tc\\tx\\t\\tnobody\\t1\\n' | b/bench/turns --quiet a=b"), 2);
    ck_assert_str_eq(said, "turns: the plan names an unknown worker: nobody\n");
}
END_TEST

/* ---- the table ---- */

/* Medians 20 and 70 of three, spread half of what lies between; 2 GFLOP in 20 ms are 100 GFLOP/s, a quarter of 400. */
START_TEST(medians_and_ratios) {
    put("ms.decode", "10\n1\n30\n1\n20\n1\n9\n9\n9\n9\n9\n9\n"); /* highest, medium, highest … */
    put("ms.python", "77\n70\n7\n1\n1\n1\n");
    sh("bench/compare decode T0");
    assert_contains(
        said,
        "played; medians of 3 rounds in turn with PyTorch 9.9, OpenBLAS, oneDNN; float32 peak 400 GFLOP/s\n");
    assert_contains(said, "\nGreedy decoding with caches\n");
    assert_contains(said,
                    "\nT0/1         ours, highest                20.0    50     100.0      25%       5000   "
                    "3.50 x PyTorch float32\n");
    assert_contains(
        said, "\n             PyTorch float32              70.0    50      28.6       7%       1429   \n");
    sh("sed 's/400/$((400 - ms))/' b/bench/player >p && mv p b/bench/player && chmod +x b/bench/player && "
       "printf '1\\n200\\n' >ms.peak; bench/compare --ours --rounds 2 mlp");
    assert_contains(
        said,
        "; float32 peak 399 GFLOP/s\nThe machine was busy with other work: once its peak was 200 GFLOP/s.\n");
    sh("printf '10\\n20\\n30\\n40\\n' >ms.lengths; bench/compare --ours --rounds 1 lengths | grep ' tokens'");
    assert_contains(
        said, "32 tokens    attention                  20.000     0    200.00       2.00         1.00\n");
}
END_TEST

START_TEST(json) {
    sh("bench/compare --json --rounds 1 --seconds 0 step products threads T0 2>/dev/null >lines; "
       "grep -v '^{\"section\": \"[a-z]*\", \"[a-z]*\": .*}$' lines || true");
    ck_assert_str_eq(said, "");
    sh("cat lines");
    assert_contains(said, "{\"section\": \"about\", \"text\": ");
    assert_contains(said, "\"peak_gflops\": 400.0, \"lowest_peak_gflops\": 400.0}\n");
    assert_contains(said,
                    "\n{\"section\": \"step\", \"case\": \"T0\", \"side\": \"ours, medium\", \"ms\": 10, "
                    "\"spread_percent\": 0.0, \"rounds\": 1, \"gflops\": 200.0, \"peak_percent\": 50.0, "
                    "\"tokens_s\": 10000, \"ratio\": 1.000, \"against\": \"PyTorch best\"}\n");
    assert_contains(said,
                    "\n{\"section\": \"products\", \"case\": \"2048x128x128 NT\", \"side\": \"oneDNN\", ");
    assert_contains(said, "\"side\": \"2 threads\", \"ms\": 10, ");
    if (try("python3 -c ''") == 0)
        sh("python3 -c 'import json\nfor line in open(\"lines\"): json.loads(line)'");
}
END_TEST

/* ---- peers that are not here ---- */

START_TEST(without_peers) {
    sh("MISSING=onednn bench/compare --rounds 1 --seconds 0 products");
    assert_contains(said, "not installed, and so left out: oneDNN\n");
    assert_contains(said, " in turn with PyTorch 9.9, OpenBLAS; not installed: oneDNN; ");
    ck_assert_int_eq(try("grep 'peers onednn 2048' asked"), 1);
    sh("rm asked; NO_TORCH=1 MISSING='openblas onednn' bench/compare --rounds 1 --seconds 0 step T0");
    assert_contains(said, "not installed, and so left out: PyTorch, OpenBLAS, oneDNN\n");
    assert_contains(said, "\nT0           ours, highest ");
    assert_lacks(" x PyTorch");
    sh("rm asked; PYTHON=$D/there/is/none bench/compare --rounds 1 --seconds 0 step memory T0");
    assert_contains(said, "left out: PyTorch\n");
    assert_contains(said, "\nPeak memory");
    sh("rm asked; bench/compare --ours --rounds 1 --seconds 0 step T0");
    assert_contains(said, "in turn; float32 peak");
    ck_assert_int_eq(try("grep 'python\\|peers' asked"), 1); /* with --ours nobody else is even asked */
}
END_TEST

/* What fails is said in its row, and the others are measured. */
START_TEST(a_side_that_fails) {
    sh("printf 'dies\ndies\n' >ms.python; bench/compare --rounds 1 --seconds 0 step T0");
    assert_contains(said, "PyTorch float32        torch has ended\n");
    assert_contains(
        said, "\nT0           ours, highest                10.0     0     200.0      50%      10000   \n");
}
END_TEST

/* ---- torch.compile ---- */

START_TEST(compiling) {
    sh("bench/compare --compile --rounds 1 --seconds 0 step T0 2>/dev/null");
    assert_contains(said, " in turn with PyTorch 9.9 and torch.compile, ");
    sh("cat asked");
    assert_contains(said, "\npython step T0 0 numbers=best, compiling\n");
    sh("rm asked; NO_COMPILER='there is none' bench/compare --compile --rounds 1 --seconds 0 step T0");
    assert_contains(said, "torch.compile is left out: there is none\n");
    assert_contains(said, " in turn with PyTorch 9.9 (torch.compile does not work here), ");
    assert_contains(said, "\n             PyTorch best ");
    sh("bench/compare --rounds 1 --seconds 0 step T0; NO_TORCH=1 bench/compare --compile --rounds 1 "
       "--seconds 0 mlp");
    assert_lacks("torch.compile"); /* nobody has asked, or there is no PyTorch */
    sh("cat asked");
    assert_lacks("compiling");
}
END_TEST

/* bench/torch_compile.py itself, with a torch of few lines. */
START_TEST(trying_to_compile) {
    if (try("python3 -c ''") != 0) {
        TL_SKIP("python3 is not installed");
        return;
    }
    put("torch.py", "import os, time\n"
                    "class relu:\n"
                    "    def __init__(self, x): pass\n"
                    "    def sum(self, axis): return 0\n"
                    "def rand(m, n): return 1.0\n"
                    "def allclose(a, b): return a == b\n"
                    "def compile(f): exec(os.environ['HOW']); return f\n");
    static const char *const cases[][2] = {
        {"pass", ""},
        {"raise OSError('no g++,\\n  none\\n\\nlong story')", "OSError: no g++, none"},
        {"os._exit(3)", "exit status 3"},
        {"time.sleep(60)", "a small function was not compiled within 1 seconds"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        setenv("HOW", cases[i][0], 1);
        sh("PYTHONPATH=. python3 bench/torch_compile.py $([ \"${HOW#time}\" = \"$HOW\" ] || echo 1)");
        ck_assert_str_eq(said, cases[i][1]);
    }
    unsetenv("HOW");
}
END_TEST

/* ---- the loss curve ---- */

START_TEST(loss_curve) {
    sh("bench/curve --steps 3 --lr 0.5 --matmul-precision medium T1");
    ck_assert_str_eq(
        said, "T1, ours medium\n\n step         ours      PyTorch   difference\n"
              "    1     5.000000     5.000000      0.0e+00\n    2     4.400000     4.000000      1.0e-01\n"
              "    3     2.100000     2.000000      5.0e-02\n\n"
              "largest relative difference: 1.0e-01, at step 2\n");
    sh("cat asked");
    ck_assert_ptr_eq(strstr(said, "T1 3 file="), said);
    assert_contains(said, "/start.safetensors lr=0.5 precision=medium\n");
    sh("bench/curve --json");
    assert_contains(said, "{\"step\": 2, \"ours\": 4.4, \"torch\": 4.0}\n");
    assert_contains(said, "{\"config\": \"T0\", \"precision\": \"highest\", \"largest_relative_difference\": "
                          "0.1, \"step\": 2}\n");
    sh("NO_TORCH=1 bench/curve");
    ck_assert_str_eq(said, "not installed, and so left out: PyTorch\nT0, ours highest\n\n step         ours\n"
                           "    1     5.000000\n    2     4.400000\n    3     2.100000\n");
}
END_TEST

/* ---- an earlier commit ---- */

static void write_step(const char *ms) {
    char program[256];
    snprintf(program, sizeof program,
             "#include <stdio.h>\nint main(int n, char **word) {\n"
             "    printf(\"{\\\"ms_median\\\": %s, \\\"asked\\\": \\\"%%s %%d\\\"}\\n\", word[1], n);\n"
             "    return 0;\n}\n",
             ms);
    put("bench/step.c", program);
    put("bench/decode.c", program);
}

START_TEST(against_a_commit) {
    if (try("git --version") != 0) {
        TL_SKIP("git is not installed");
        return;
    }
    sh("rm bench/*.c b/bench/step b/bench/decode");
    put("Makefile", "$(B)/bench/%: bench/%.c\n\t@mkdir -p $(@D)\n\t$(CC) $< -o $@\n");
    write_step("30");
    sh("git init -q . && printf 'b/\\n' >.gitignore && git add -A && "
       "git -c user.name=t -c user.email=t@t commit -q -m 'Slow \"as\" it was' && git tag before");
    write_step("10");
    sh("make CC=\"$CC\" B=b b/bench/step b/bench/decode");
    sh("export TMPDIR=$D; bench/against before --rounds 2 --seconds 0 T0 T3 2>steps");
    assert_contains(said, "(Slow as it was); medians of 2 rounds in turn\n");
    assert_contains(said, "\nT0           here                         10.0     0   3.00 x ");
    assert_contains(said, "\nT3           here                         10.0     0   3.00 x ");
    sh("cat steps; git worktree list | wc -l; ls");
    assert_contains(said, "\nT0, round 1 of 2\nT0, round 2 of 2\nT3, round 1 of 2\nT3, round 2 of 2\n1\n");
    assert_lacks("\ntmp."); /* the commit's folder is gone */
    sh("bench/against before --json --decode --rounds 1 --seconds 0 T1 2>/dev/null");
    assert_contains(said, "{\"section\": \"against\", \"case\": \"T1/1\", \"side\": \"here\", \"ms\": 10, ");
    assert_contains(said, "\"case\": \"T1/32\"");
    ck_assert_int_eq(try("bench/against never"), 2);
    ck_assert_str_eq(said, "bench/against: there is no commit \"never\" here\n");
    ck_assert_int_eq(try("BUILD=empty bench/against before"), 1);
    ck_assert_str_eq(said, "bench/against: empty/bench/step is not there; run make bench first\n");
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_unchecked_fixture(tc, enter_all, leave_all);
    tcase_add_checked_fixture(tc, set_the_stage, clear_the_stage);
    tcase_add_test(tc, help);
    tcase_add_test(tc, refusals);
    tcase_add_test(tc, everybody_in_turn);
    tcase_add_test(tc, every_section);
    tcase_add_test(tc, turns_alone);
    tcase_add_test(tc, medians_and_ratios);
    tcase_add_test(tc, json);
    tcase_add_test(tc, without_peers);
    tcase_add_test(tc, a_side_that_fails);
    tcase_add_test(tc, compiling);
    tcase_add_test(tc, trying_to_compile);
    tcase_add_test(tc, loss_curve);
    tcase_add_test(tc, against_a_commit);
}

TL_TEST_MAIN("bench: scripts")
