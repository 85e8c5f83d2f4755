/* attend flow as a user runs it: table and file agree, methods that a model does not allow are left out with the
 * reason, and every option has an effect. */
#define _XOPEN_SOURCE 700
#define PROGRAM "attend"
#include "trials.h"

#define FLOW "$T flow --pair en-fr --source 'the small cats do not sleep .' --quiet"

/* Rows of the CSV that awk's `program` picks; fields by name: v["value"]. */
static void csv(const char *program) {
    char line[1024];
    snprintf(line, sizeof line,
             "awk -F, 'NR == 1 {for (i = 1; i <= NF; i++) name[i] = $i; next} {for (i = 1; i <= NF; i++) "
             "v[name[i]] = $i} %s' "
             "$D/t.csv",
             program);
    sh(line);
}

static double after(const char *text, const char *label) {
    const char *at = strstr(text, label);
    ck_assert_msg(at != NULL, "no \"%s\" in:\n%s", label, text);
    return strtod(at + strlen(label), NULL);
}

START_TEST(the_table_and_its_file) {
    sh(FLOW " --target 'les petits chats ne dorment pas .' --word 3 --csv $D/t.csv");
    const char *methods[] = {"rollout", "max-flow", "chefer", "gradient-input", "integrated"};
    char *said = strdup(out), program[256];
    assert_contains(said, "Source:    the small cats do not sleep .\n");
    assert_contains(said, "Of:        logit of \"");
    assert_contains(said, "(word 3): ");
    assert_contains(said, "  <eos> ");
    assert_contains(said, "  and of what it had written:\n  <bos> ");
    assert_contains(said,
                    "Kendall's tau between the weights of decoder.layers.1.cross, mean over heads, and\n");
    for (int m = 0; m < 5; m++) {
        /* 8 of the source; <bos> and the two words before it */
        snprintf(program, sizeof program,
                 "v[\"method\"] == \"%s\" {printf \"%%s %%.3f\\n\", v[\"token\"], v[\"value\"]}", methods[m]);
        csv(program);
        ck_assert_int_eq(count_lines(out), 11);
        char token[64], value[64];
        for (char *at = out; sscanf(at, "%63s %63s", token, value) == 2; at = strchr(at, '\n') + 1) {
            char row[80];
            snprintf(row, sizeof row, "\n  %s ", token);
            const char *line = strstr(said, row), *end = line ? strchr(line + 1, '\n') : NULL, *there = line;
            ck_assert_msg(line != NULL, "no row of %s in:\n%s", token, said);
            /* the column's position: each column takes a number and a shade */
            for (int column = 0; column <= m; column++)
                there += strcspn(there, "0123456789-"),
                    there += column < m ? strspn(there, "0123456789.e-") : 0;
            ck_assert_msg(there < end, "%s has no column %d", token, m);
            if (fabs(strtod(value, NULL)) >= 0.001)
                ck_assert_msg(strncmp(there, value, strlen(value)) == 0,
                              "%s of %s: %.12s in the table, %s in the file", methods[m], token, there,
                              value);
        }
    }
    csv("v[\"method\"] == \"rollout\" {s += v[\"value\"]} END {print s}");
    ck_assert(fabs(strtod(out, NULL) - 1) < 1e-5);
    csv("v[\"method\"] == \"integrated\" {s += v[\"value\"]} END {print s}");
    const double difference = after(said, "(word 3): ") - after(said, "  from ");
    ck_assert(fabs(strtod(out, NULL) - difference) <= 0.011 * fabs(difference));
    ck_assert(after(said, ", gap ") < 0.01);
    csv("v[\"side\"] == \"written\" {n[v[\"method\"]]++} END {for (m in n) print m, n[m]}");
    ck_assert_int_eq(count_lines(out), 4);
    free(said);
}
END_TEST

/* For one word: each method by its name, in any order, and no other method. */
START_TEST(methods_are_chosen) {
    sh(FLOW " --method integrated,rollout --csv $D/t.csv");
    assert_contains(out, "rollout    integrated\n");
    ck_assert_ptr_null(strstr(out, "chefer"));
    ck_assert_ptr_null(strstr(out, "Kendall"));
    csv("{n[v[\"method\"]]++} END {for (m in n) print m}");
    ck_assert_int_eq(count_lines(out), 2);
    sh(FLOW " --method tau --csv $D/t.csv");
    ck_assert_ptr_null(strstr(out, "max-flow"));
    assert_contains(out, "positions\n");
    csv("v[\"side\"] != \"written\" {print}");
    ck_assert_str_eq(out, "");
}
END_TEST

#define BESIDE "$(dirname $T)"
#define TRAIN_LITTLE " --steps 1 --quiet --threads 1 "

/* Subwords of a word become one row, and sums stay the same. */
START_TEST(subwords_are_merged) {
    put_text(in_folder("pairs.tsv"),
             "lower lowest newer\tplus bas nouveau\nnewest lower\tnouveau bas\nlowest newer\tbas plus\n");
    sh(BESIDE "/translate train --train $D/pairs.tsv --valid $D/pairs.tsv --merges 3 --units bpe --out "
              "$D/run --preset toy --d-model 16 "
              "--d-ff 16 --layers 1 --heads 2" TRAIN_LITTLE);
    sh("$T flow --model $D/run --source 'lowest newer' --target 'bas plus' --word 3 --csv $D/t.csv");
    ck_assert_ptr_null(strstr(out, "\n  lowest "));
    csv("v[\"side\"] == \"source\" && v[\"method\"] == \"rollout\" {n++; s += v[\"value\"]} END {print n, "
        "s}");
    double tokens, sum, words, same;
    ck_assert(sscanf(out, "%lf %lf", &tokens, &sum) == 2);
    sh("$T flow --model $D/run --source 'lowest newer' --target 'bas plus' --word 3 --csv $D/t.csv --words");
    assert_contains(out, "\n  lowest ");
    assert_contains(out, "\n  newer ");
    csv("v[\"side\"] == \"source\" && v[\"method\"] == \"rollout\" {n++; s += v[\"value\"]} END {print n, "
        "s}");
    ck_assert(sscanf(out, "%lf %lf", &words, &same) == 2);
    ck_assert(words == 3 && tokens > 3); /* both words, and <eos> */
    ck_assert(fabs(sum - same) < 1e-4);
}
END_TEST

/* A method that the model does not allow is left out, with the reason; asked for alone it is an error. */
START_TEST(what_is_left_out_and_why) {
    put_text(in_folder("pairs.tsv"), "one two\tun deux\ntwo one\tdeux un\n");
    sh(BESIDE "/translate train --train $D/pairs.tsv --valid $D/pairs.tsv --model gru --d-model 8 --out "
              "$D/gru" TRAIN_LITTLE);
    sh("$T flow --model $D/gru --source 'one two' --target 'un deux'");
    assert_contains(
        out,
        "left out: rollout, max-flow, chefer: recurrent states mix the words, and no weights show how\n");
    assert_contains(out, "weights of decoder.layers.0.cross");
    ck_assert_int_eq(try("$T flow --model $D/gru --source 'one two' --target 'un deux' --method chefer"), 1);
    assert_contains(err, "--method chefer: recurrent states mix the words");
    sh(BESIDE "/translate train --train $D/pairs.tsv --valid $D/pairs.tsv --model gru --attention none "
              "--d-model 8 --out $D/none" TRAIN_LITTLE);
    sh("$T flow --model $D/none --source 'one two' --target 'un deux'");
    assert_contains(out, "left out: rollout, max-flow, chefer, tau: the model has no attention\n");
}
END_TEST

/* A language model reads what it writes, a classifier predicts one class, a captioner reads patches. */
START_TEST(of_every_program) {
    sh(BESIDE
       "/lm train --made en --sentences 50 --layers 1 --d-model 16 --heads 2 --out $D/lm" TRAIN_LITTLE);
    sh("$T flow --model $D/lm --target 'the cat' --word 4 --method rollout,tau");
    assert_contains(out, "weights of decoder.layers.0.self");
    ck_assert_ptr_null(strstr(out, "Source:"));
    sh(BESIDE "/classify train --made subject --sentences 400 --layers 1 --d-model 16 --heads 2 --out "
              "$D/classes" TRAIN_LITTLE);
    sh("$T flow --model $D/classes --source 'the cat sleeps .'");
    assert_contains(out, "\n  [CLS] ");
    assert_contains(out, "weights of encoder.layers.0.self");
    sh(BESIDE "/classify train --made subject --sentences 400 --pooling mean --layers 1 --d-model 16 --heads "
              "2 --out $D/means" TRAIN_LITTLE);
    sh("$T flow --model $D/means --source 'the cat sleeps .'");
    assert_contains(out, "weights of pooling");
    assert_contains(out, "-: all weights are the same, or there are fewer than two positions\n");
    sh(BESIDE "/caption train --pictures 40 --out $D/caption" TRAIN_LITTLE);
    sh("$T flow --model $D/caption --source '#1' --target 'a red square' --method "
       "rollout,chefer,gradient-input --csv $D/t.csv");
    csv("v[\"method\"] == \"chefer\" && v[\"side\"] == \"source\"");
    ck_assert_int_eq(count_lines(out), 36);
}
END_TEST

START_TEST(what_is_wrong_is_said) {
    ck_assert_int_eq(try(FLOW " --method rollout,attention"), 2);
    assert_contains(err, "--method attention: there is none of that name");
    ck_assert_int_eq(try(FLOW " --layer 2"), 1);
    assert_contains(err, "--layer 2: say 0 … 1");
    ck_assert_int_eq(try(FLOW " --head 99"), 1);
    assert_contains(err, "--head 99: say mean, or 0 … ");
    ck_assert_int_eq(try(FLOW " --head x"), 1);
    ck_assert_int_eq(try(FLOW " --word 99"), 1);
    assert_contains(err, "--word 99: the target has ");
    ck_assert_int_eq(try(FLOW " --csv $D/none/t.csv"), 1);
    assert_contains(err, "/none/t.csv");
}
END_TEST

/* Foreign bytes are made harmless for the terminal. */
START_TEST(tokens_are_shown_harmless) {
    sh("$T flow --pair en-fr --source \"$(printf 'the \\033[31mcat \\342\\200\\256x')\" --target 'le chat' "
       "--method rollout,tau | sed 1,3d");
    ck_assert_ptr_null(strchr(out, '\033'));
    assert_contains(out, "\\x1b[31mcat");
}
END_TEST

static const trial trials[] = {{"model", "$D", SAME, NULL}, /* --pair counts */
                               {"weights", "last", SAME, NULL},    {"fresh", NULL, SAME, NULL},
                               {"pair", "en-zh", CHANGES, NULL},   {"source", "cats", CHANGES, NULL},
                               {"target", "chats", CHANGES, NULL}, {"word", "2", CHANGES, NULL},
                               {"token", "chat", CHANGES, NULL},   {"other", "chat", CHANGES, NULL},
                               {"of", "log-p", CHANGES, NULL},     {"method", "rollout", CHANGES, NULL},
                               {"layer", "0", CHANGES, NULL},      {"head", "1", CHANGES, NULL},
                               {"words", NULL, ELSEWHERE, NULL},   {"csv", "$D/t.csv", SAME, NULL},
                               {"threads", "2", SAME, NULL},       {"quiet", NULL, SAME, NULL}};

START_TEST(every_option_does_something) {
    TRY_OPTIONS("flow", "$T flow --pair en-fr --source 'the cats' --target 'chats noirs'", trials);
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_test(tc, the_table_and_its_file);
    tcase_add_test(tc, methods_are_chosen);
    tcase_add_test(tc, subwords_are_merged);
    tcase_add_test(tc, what_is_left_out_and_why);
    tcase_add_test(tc, of_every_program);
    tcase_add_test(tc, what_is_wrong_is_said);
    tcase_add_test(tc, tokens_are_shown_harmless);
    tcase_add_test(tc, every_option_does_something);
}

TL_TEST_MAIN("attend: flow")
