/* attend mask, leak, check and gradcheck as a user runs them: what they report of right models and of wrong ones,
 * their exit status, and that every option has an effect. */
#define _XOPEN_SOURCE 700
#define PROGRAM "attend"
#include "trials.h"

static const bool in_double =
#ifdef TL_DOUBLE
    true;
#else
    false;
#endif

/* Small runs, made once in the folder around the tests' own: $R/one, $R/two, $R/leaky. $B is the folder of programs. */
#define TRAINED                                                                                         \
 " --pair en-fr --sentences 300 --preset toy --d-model 8 --heads 2 --layers 1 --d-ff 8 --batch-tokens " \
 "200 --warmup 2 --steps 8 --validate-every 4 --average 2 --quiet --threads 1 "
static void make_runs(void) {
    setenv("B", build_folder(), 1);
    setenv("R", all.folder, 1);
    sh("test -d $R/one || $B/translate train --out $R/one" TRAINED);
    sh("test -d $R/two || $B/translate train --seed 8 --out $R/two" TRAINED);
    sh("test -d $R/leaky || $B/translate train --no-causal --out $R/leaky" TRAINED);
}

static int count_of(const char *text, const char *part) {
    int n = 0;
    for (const char *at = text; (at = strstr(at, part)); at += strlen(part)) n++;
    return n;
}

/* ---- mask ---- */

START_TEST(masks) {
    sh("$T mask --model $R/one --source 'the dog sleeps .' --target 'le chien dort .'");
    assert_contains(out, "sentence 1: the dog sleeps . -> le chien dort .\n");
    assert_contains(out, "\nencoder.layers.0.self\n  25 pairs: 25 seen\n");
    assert_contains(out, "\ndecoder.layers.0.self\n  25 pairs: 15 seen, 10 blocked by causal\n");
    assert_contains(out, "\n  chien          · · c c c \n");
    assert_contains(out, "\ndecoder.layers.0.cross\n");
    ck_assert_int_eq(count_of(out, "c c c c \n"), 1);
    ck_assert_ptr_null(strstr(out, "by padding"));
    sh("$T mask --model $R/one --source 'the dog .' --target 'le chien .' --batch 2 --attention '*.self' "
       "--csv $D/m.csv");
    assert_contains(out, "blocked by padding");
    assert_contains(out, " p p ");
    assert_contains(out, "<pad>");
    ck_assert_ptr_null(strstr(out, ".cross"));
    /* each pair once, each with a reason, and blocked pairs have weight 0 */
    sh("awk -F, 'NR > 1 {n++; w = $(NF-1); why[w]++; if (w != \"seen\" && $NF != 0) exit 1; "
       "if (w == \"seen\") s[$1,$2,$3,$4] += $NF} END {for (r in s) if (s[r] < 0.9999 || s[r] > 1.0001) exit "
       "1; "
       "print n, why[\"seen\"] + why[\"padding\"] + why[\"causal\"], (why[\"padding\"] > 0), "
       "(why[\"causal\"] > 0)}' "
       "$D/m.csv");
    long pairs, reasons, padding, causal;
    ck_assert_int_eq(sscanf(out, "%ld %ld %ld %ld", &pairs, &reasons, &padding, &causal), 4);
    ck_assert(pairs > 0 && pairs == reasons && padding == 1 && causal == 1);
    sh("$T mask --pair en-zh --batch 2");
    assert_contains(out, "encoder.layers.0.self, encoder.layers.1.self\n");
    ck_assert_int_eq(try("$T mask --model $R/one --attention no.such"), 1);
    assert_contains(err, "--attention: this model has no attention of such a name");
    ck_assert_int_eq(try("$T mask --model $R/one --csv $D/no/m.csv"), 1);
    ck_assert_int_eq(try("$T mask --model $D/none"), 1);
}
END_TEST

/* Words of a vocabulary cannot send a terminal control sequences. */
START_TEST(words_from_somebody_else) {
    sh("cp -r $R/one $D/foreign; sed -i '6,$s/$/\\x1b[31m\\xe2\\x80\\xae/' $D/foreign/vocab.tgt.txt");
    sh("$T mask --model $D/foreign --source 'the dog sleeps .'; $T leak --model $D/foreign --source 'the dog "
       ".'");
    ck_assert_ptr_null(strchr(out, '\033'));
    ck_assert_ptr_null(strstr(out, "\xe2\x80\xae"));
}
END_TEST

/* ---- leak ---- */

START_TEST(leaks) {
    sh("$T leak --model $R/one --source 'the dog sleeps .' --target 'le chien dort .'");
    ck_assert_int_eq(count_of(out, "\nok "), 3);
    assert_contains(out, "1 sentence, 5 positions at most\n");
    assert_contains(out, "no bit of an output at i < j: 10 pairs; at i >= j it is felt from 5 positions");
    assert_contains(out, "exactly 0 for every j > i: 10 pairs");
    assert_contains(out, "(source and target)");
    ck_assert_int_eq(try("$T leak --model $R/leaky --source 'the dog sleeps .' --target 'le chien dort .'"),
                     1);
    assert_contains(
        out,
        "FAILED  values     another word at j changes the output at an earlier i in 10 of 10 pairs: first of "
        "sentence 1, j 2, i 1, in decoder.layers.0.self.out (by ");
    assert_contains(
        out,
        "FAILED  gradients  dL_i/dx_j is not 0 for a j > i in 10 of 10 pairs: first of sentence 1, j 2, i 1");
    assert_contains(out, "ok      padding ");
    assert_contains(err, "position 2 reaches the output at position 1");
    sh("$B/classify train --made order --out $D/c --model gru --d-model 8 --steps 2 --quiet > $D/log; "
       "$T leak --model $D/c --batch 3");
    assert_contains(out, "-       causality  this model reads its whole sentence before it says anything: "
                         "nothing must be causal");
    assert_contains(out, "ok      padding ");
    sh("$B/lm train --made en --sentences 50 --out $D/l --preset toy --d-model 8 --steps 2 --quiet > $D/log; "
       "$T leak --model $D/l --target 'the dog'");
    assert_contains(out, "ok      values ");
    assert_contains(out, "(target)");
    sh("$T leak --model $D/l --batch 2"); /* windows of a text, as long as the model reads */
    assert_contains(out, "2 sentences, 64 positions at most");
}
END_TEST

/* ---- check ---- */

START_TEST(gates) {
    sh("$T check --pair en-fr --most 20 --overfit 100");
    assert_contains(out, "an untrained translator, en-fr\n20 sentences (held-out sentences made here), ");
    assert_contains(out, "\nok      it begins at ln V ");
    assert_contains(out, "\nok      one batch can be learnt         100 steps take one batch's loss from ");
    assert_contains(out, "\n-       cross-attention chooses ");
    assert_contains(out, "\nAll 10 gates passed.\n");
    /* after eight steps it does not use word order, and check says so */
    ck_assert_int_eq(try("$T check --model $R/one --most 20"), 1);
    assert_contains(out, "(best weights)\n");
    assert_contains(out, "\nFAILED  order matters ");
    assert_contains(out, "\n        what it usually means: Positions do not reach the model");
    assert_contains(out, "\nok      the loss is what it says ");
    assert_contains(out, " gates failed.\n");
    ck_assert_int_eq(try("$T check --model $R/leaky --most 20"), 1);
    assert_contains(out, "\nFAILED  a word at a time is all at once ");
    assert_contains(out, "the decoder sees in training what it cannot see while it writes.");
    ck_assert_int_eq(try("$T check --model $R/one --test $D/none.tsv"), 1);
    assert_contains(err, "none.tsv");
}
END_TEST

/* ---- gradcheck ---- */

#define CHECK "$T gradcheck --model $R/one --quiet --sample 2"

START_TEST(gradients) {
    long all = 0, decided = 0, open = 0;
    sh(CHECK);
    ck_assert_int_eq(sscanf(strstr(out, "\nchecked "), "\nchecked %ld", &all), 1);
    assert_contains(out, "\ncriterion  |a - n| / max(|a|, |n|, largest |a| of the tensor / 1000) <= ");
    assert_contains(out, "\nworst      ");
    assert_contains(out, "]: analytic ");
    const char *says = strstr(out, " are decided, and agree; of ");
    if (says) {
        while (says[-1] != '\n') says--;
        ck_assert_int_eq(
            sscanf(says, "%ld are decided, and agree; of %ld nothing is known.", &decided, &open), 2);
        ck_assert(decided > 0 && open > 0 && decided + open == all);
        assert_contains(out, "\nleft open  ");
    } else {
        assert_contains(out, "\nAll of them agree.\n");
        ck_assert_ptr_null(strstr(out, "left open"));
    }
    assert_contains(out, in_double ? " sentences, in double\n" : "make PRECISION=double");
    sh(CHECK " --list-faults");
    assert_contains(out, "\n  transpose  ");
    assert_contains(out, " x  layer_norm\n");
    assert_contains(out, " x  scaled_dot_product_attention\n");
    ck_assert_ptr_null(strstr(out, "masked_softmax"));
    sh(CHECK " --list-faults --by-steps");
    assert_contains(out, " x  masked_softmax\n");
}
END_TEST

START_TEST(faults) {
    static const char *const fault[][2] = {{"layer_norm:shift", ""},
                                           {"linear:transpose", ""},
                                           {"embedding:zero", ""},
                                           {"masked_softmax", "--by-steps"},
                                           {"dropout:factor", "--train"}};
    for (size_t i = 0; i < sizeof fault / sizeof *fault; i++) {
        char command[256], name[64], says[128];
        snprintf(command, sizeof command, CHECK " --inject-fault %s %s", fault[i][0], fault[i][1]);
        snprintf(name, sizeof name, "%.*s", (int)strcspn(fault[i][0], ":"), fault[i][0]);
        snprintf(says, sizeof says, "\nto blame   %s, node ", name);
        const int status = try(command);
        assert_contains(out, "\nfault      ");
        assert_contains(out, " nodes, changes a gradient by ");
        ck_assert_ptr_null(strstr(out, "to blame   blame"));
        if (!in_double) continue;
        ck_assert_msg(status == 1, "%s: exit status %d", command, status);
        assert_contains(out, says);
        assert_contains(out, "\n           its own gradient is right; what it gives to ");
        assert_contains(err, "attend: gradcheck: ");
    }
    ck_assert_int_eq(try(CHECK " --inject-fault gather"), 1);
    assert_contains(err, "the loss of this model has no such operation");
    ck_assert_int_eq(try(CHECK " --inject-fault softmux"), 2);
    assert_contains(err, "there is no operation \"softmux\"");
    ck_assert_int_eq(try(CHECK " --inject-fault linear:sine"), 2);
    assert_contains(err, "is no kind of fault");
}
END_TEST

/* ---- every option ---- */

/* Commands may end with 1 here: their findings are on standard output. */
static void let_fail(const char *name, const char *options) {
    char text[512];
    snprintf(text, sizeof text, "#!/bin/sh\n$T %s %s \"$@\"; test $? -le 1\n", name, options);
    put_text(in_folder("let"), text);
    sh("chmod +x $D/let");
}

/* clang-format off */
#define SUBJECT_TRIALS \
    {"weights", "average", CHANGES, NULL}, \
    {"fresh", NULL, CHANGES, NULL}, \
    {"threads", "2", SAME, NULL}, \
    {"quiet", NULL, SAME, NULL}
#define SENTENCE_TRIALS \
    {"source", "'the cat sleeps .'", CHANGES, NULL}, \
    {"target", "'le chat .'", CHANGES, "--source 'the cat sleeps .'"}
/* clang-format on */

START_TEST(options) {
    static const trial mask[] = {SUBJECT_TRIALS,
                                 SENTENCE_TRIALS,
                                 {"model", "$R/two", CHANGES, NULL},
                                 {"pair", "en-zh", CHANGES, NULL},
                                 {"batch", "2", CHANGES, NULL},
                                 {"attention", "'*.cross'", CHANGES, NULL},
                                 {"csv", "$D/x.csv", SAME, NULL}},
                       leak[] = {SUBJECT_TRIALS,
                                 SENTENCE_TRIALS,
                                 {"model", "$R/leaky", CHANGES, NULL},
                                 {"pair", "en-zh", CHANGES, NULL},
                                 {"batch", "2", CHANGES, NULL}},
                       check[] = {SUBJECT_TRIALS,
                                  {"model", "$R/two", CHANGES, NULL},
                                  {"pair", "en-zh", CHANGES, NULL},
                                  {"test", "$D/pairs.tsv", CHANGES, NULL},
                                  {"most", "3", CHANGES, NULL},
                                  {"overfit", "2", CHANGES, NULL},
                                  {"seed", "3", CHANGES, NULL}},
                       gradcheck[] = {SUBJECT_TRIALS,
                                      SENTENCE_TRIALS,
                                      {"model", "$R/two", CHANGES, NULL},
                                      {"pair", "en-zh", CHANGES, "--sample 1"},
                                      {"batch", "3", CHANGES, NULL},
                                      {"sample", "1", CHANGES, NULL},
                                      {"seed", "3", CHANGES, NULL},
                                      {"tolerance", "0.5", CHANGES, NULL},
                                      {"train", NULL, CHANGES, NULL},
                                      {"by-steps", NULL, SAME, NULL}, /* the same bits */
                                      {"inject-fault", "linear", CHANGES, NULL},
                                      {"list-faults", NULL, CHANGES, NULL}};
    put_text(in_folder("pairs.tsv"), "the dog sleeps .\tle chien dort .\nthe cat sleeps .\tle chat dort .\n");
    if (_i == 0) {
        let_fail("mask", "--model $R/one");
        TRY_OPTIONS("mask", "$D/let", mask);
    } else if (_i == 1) {
        let_fail("leak", "--model $R/one");
        TRY_OPTIONS("leak", "$D/let", leak);
    } else if (_i == 2) {
        let_fail("check", "--model $R/one --most 10");
        TRY_OPTIONS("check", "$D/let", check);
    } else {
        let_fail("gradcheck", "--model $R/one --sample 2 --batch 1 --source 'the dog sleeps .'");
        TRY_OPTIONS("gradcheck", "$D/let", gradcheck);
    }
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_checked_fixture(tc, make_runs, NULL);
    tcase_add_test(tc, masks);
    tcase_add_test(tc, words_from_somebody_else);
    tcase_add_test(tc, leaks);
    tcase_add_test(tc, gates);
    tcase_add_test(tc, gradients);
    tcase_add_test(tc, faults);
    tcase_add_loop_test(tc, options, 0, 4);
}
TL_TEST_MAIN("attend: mask, leak, check, gradcheck")
