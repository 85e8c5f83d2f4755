/* Translations by choice: samples, without repeated n-grams, with a given beginning; and what is known of a
 * translation: its alignment and its probability. */
#define _XOPEN_SOURCE 700
#include "program.h"

#define TRANSLATE "$T translate --model $D/run --quiet --threads 1"

/* A model that knows its pairs well; a high temperature makes its samples vary. */
static void enter_trained(void) {
    train_well();
    sh("cut -f 1 $D/pairs.tsv > $D/lines");
}

static char *said(const char *options) {
    char command[512];
    snprintf(command, sizeof command, TRANSLATE " %s < $D/lines", options);
    sh(command);
    ck_assert_str_eq(err, "");
    return strcpy(malloc(strlen(out) + 1), out);
}

static void assert_same_said(const char *a, const char *b) {
    char *first = said(a), *second = said(b);
    ck_assert_msg(!strcmp(first, second), "%s:\n%snot, as with %s,\n%s", b, second, a, first);
    free(first), free(second);
}

/* ---- samples ---- */

#define HOT "--sample --temperature 3"

/* A line's sample depends on seed and line number, not on the other lines, their number, batches and threads. */
START_TEST(samples_know_no_company) {
    char *all = said(HOT " --seed 4"), *other = said(HOT " --seed 5"), *line = all;
    ck_assert_str_ne(all, other);
    assert_same_said(HOT " --seed 4", HOT " --seed 4 --batch-tokens 1");
    assert_same_said(HOT " --seed 4", HOT " --seed 4 --batch-tokens 20 --threads 2");
    for (int i = 1; i <= PAIR_COUNT; i++, line = strchr(line, '\n') + 1) { /* the other lines are blank */
        char command[256], own[512] = "";
        snprintf(command, sizeof command,
                 "sed '%d!s/.*//' $D/lines | " TRANSLATE " " HOT " --seed 4 | sed -n %dp", i, i);
        sh(command);
        strncat(own, line, strcspn(line, "\n") + 1);
        ck_assert_str_eq(out, own);
    }
    free(all), free(other);
}
END_TEST

/* K samples in the order of drawing, equal texts included; the first is the one without --nbest. */
START_TEST(lists_of_samples) {
    char *one = said(HOT), *line = one, *cool;
    free(said(HOT " --nbest --beam 6"));
    int count = 0, number;
    for (char *row = out; *row; row = strchr(row, '\n') + 1, count++) {
        int at = 0;
        double score;
        ck_assert_msg(sscanf(row, "%d\t%lf%n", &number, &score, &at) == 2 && number == count / 6 + 1, "%s",
                      row);
        const size_t size = strcspn(line, "\n") + 1;
        if (count % 6) continue;
        ck_assert_msg(!strncmp(row + at + 1, line, size), "%s does not begin with %s", row, line);
        line += size;
    }
    ck_assert_int_eq(count, 6 * PAIR_COUNT);
    cool = said("--sample --temperature 0.05 --nbest --beam 4"); /* nearly always the same text */
    ck_assert_int_eq(count_lines(cool), 4 * PAIR_COUNT);
    free(one), free(cool);
}
END_TEST

START_TEST(without_chance_it_is_greedy) {
    assert_same_said("--beam 1", "--sample --temperature 0.001 --seed 9");
    assert_same_said("--beam 1", HOT " --top-k 1");
    assert_same_said("--beam 1", HOT " --top-p 1e-9 --beam 5");
    char *wide = said(HOT), *narrow = said(HOT " --top-k 2");
    ck_assert_str_ne(wide, narrow);
    free(wide), free(narrow);
}
END_TEST

START_TEST(wrong_command_lines) {
    static const char *const ways[][2] = {
        {"--temperature 2",
         "translate: --temperature, --top-k, --top-p and --seed are for samples: give --sample too; see "},
        {"--top-k 2", "are for samples: give --sample too"},
        {"--top-p 0.5", "are for samples: give --sample too"},
        {"--seed 5", "are for samples: give --sample too"},
        {"--sample --top-p 1.5", "translate: --top-p: a share of the probability is at most 1; see "},
        {"--sample --temperature -1", "--temperature"},
        {"--no-repeat-ngram -1", "--no-repeat-ngram"}};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        for (int which = 0; which < 2; which++) {
            char command[256];
            snprintf(command, sizeof command, "$T %s --model $D/run %s",
                     which ? "evaluate --test $D/pairs.tsv" : "translate", ways[i][0]);
            ck_assert_int_eq(try(command), 2);
            assert_contains(err, ways[i][1]);
        }
    sh("$T evaluate --model $D/run --test $D/pairs.tsv --quiet --sample --top-k 3 --seed 2 --no-repeat-ngram "
       "2");
    assert_contains(out, " s, samples of seed 2, temperature 1, top-k 3, top-p 1, no 2 tokens twice: loss ");
}
END_TEST

/* ---- no repeated n-grams ---- */

START_TEST(no_word_twice) {
    static const char *const ways[] = {"--beam 1", "--beam 4 --nbest", "--sample --temperature 9"};
    for (int i = 0; i < 3; i++)
        for (int n = 1; n <= 2; n++) {
            char command[512];
            /* counts n-grams that a line has twice; tokens are whole words here */
            snprintf(command, sizeof command,
                     TRANSLATE
                     " %s --no-repeat-ngram %d < $D/lines | sed 's/.*\t//' | awk '{ split(\"\", seen); "
                     "for (i = 1; i + %d <= NF; i++) if (seen[$i %s]++) print }'",
                     ways[i], n, n - 1, n == 2 ? "\" \" $(i+1)" : "");
            sh(command);
            ck_assert_msg(*out == 0, "%s, %d:\n%s", ways[i], n, out);
        }
    char *free_one = said("--sample --temperature 9"),
         *bound = said("--sample --temperature 9 --no-repeat-ngram 1");
    ck_assert_str_ne(free_one, bound);
    free(free_one), free(bound);
}
END_TEST

/* ---- prefixes ---- */

START_TEST(prefixes) {
    static const char lines[] =
        "the dog eats\tun chat\nthe dog eats\t\n\nthe cat sleeps\tle wombat, noir\tmore\n";
    static const char *const ways[] = {"--beam 1",
                                       "",
                                       "--beam 3 --batch-tokens 1",
                                       "--replace-unknown",
                                       "--sample --temperature 0.01",
                                       "--no-repeat-ngram 3"};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        char command[256];
        snprintf(command, sizeof command, TRANSLATE " --prefix-column %s", ways[i]);
        sh_input(lines, command);
        ck_assert_msg(!strncmp(out, "un chat ", 8), "%s", out);
        assert_contains(out, "\nle chien mange\n\nle wombat, noir"); /* unknown words as they were given */
        ck_assert_int_eq(count_lines(out), 4);
        ck_assert_str_eq(
            err, "translate: warning: 2 words with parts that the target vocabulary lacks, read as <unk>: "
                 "\"wombat\", \",\"\n");
    }
    sh_input(lines, TRANSLATE " --prefix-column --nbest --beam 4");
    for (char *row = out; *row; row = strchr(row, '\n') + 1)
        if (*row == '1' || *row == '4')
            ck_assert_msg(!strncmp(strchr(strchr(row, '\t') + 1, '\t') + 1,
                                   *row == '1' ? "un chat" : "le wombat, noir", *row == '1' ? 7 : 15),
                          "%s", row);
    /* a prefix longer than a translation may be */
    sh_input("the dog\tle le le le le le le le le le le le le le le le le le le le le\n",
             TRANSLATE " --prefix-column");
    ck_assert_msg(!strncmp(out, "le le le le le le le le le le le le le le le le le le le le le", 62), "%s",
                  out);
}
END_TEST

/* A line without a tab, or with too long a prefix, is reported and left empty; the others are translated. */
START_TEST(prefixes_that_are_none) {
    ck_assert_int_eq(try_input("the dog eats\nthe cat eats\tle\n", 29, TRANSLATE " --prefix-column"), 1);
    ck_assert_str_eq(out, "\nle chat mange\n");
    ck_assert_str_eq(
        err, "translate: warning: line 1 has no tab, and --prefix-column wants source, tab, beginning: its "
             "translation is left empty\n");
    ck_assert_int_eq(try("(printf 'the cat eats\\tle\\nthe dog\\t'; seq 2000 | tr '\\n' ' '; echo; printf "
                         "'the cat eats\\tle\\n') > "
                         "$D/in; " TRANSLATE " --prefix-column < $D/in"),
                     1);
    ck_assert_str_eq(out, "le chat mange\n\nle chat mange\n");
    assert_contains(err, "translate: warning: line 2 has ");
    assert_contains(
        err, " tokens in its prefix, and a model writes at most 1023: its translation is left empty; cut ");
    ck_assert_int_eq(try("seq 7 > $D/in; " TRANSLATE " --prefix-column < $D/in"), 1);
    assert_contains(err, "translate: warning: line 5 has no tab");
    ck_assert_ptr_null(strstr(err, "line 6"));
    assert_contains(err, "translate: warning: 2 more lines have no tab\n");
    ck_assert_str_eq(out, "\n\n\n\n\n\n\n");
}
END_TEST

/* ---- alignments ---- */

/* Reads one column: lists separated by spaces, numbers by commas. Returns the number of lists; *each: numbers in
 * each list. */
static int read_shares(const char *text, double share[16][16], int *each) {
    int lists = 0;
    for (*each = 0; *text && *text != '\n' && *text != '\t'; lists++) {
        int count = 0;
        for (char *end;; text = end + 1) {
            share[lists][count++] = strtod(text, &end);
            if (*end != ',') {
                text = end + (*end == ' ');
                break;
            }
        }
        must(*each == 0 || *each == count);
        *each = count;
    }
    return lists;
}

/* A column after the translation: hard alignments are the largest shares, soft ones the mean over heads, a list for
 * each word; the translations are the same as without. */
START_TEST(alignments) {
    char *plain = said(""), *hard = said("--alignment hard"), *soft = said("--alignment soft"),
         *heads = said("--alignment all-heads --batch-tokens 1"), *p = plain, *h = hard, *q = soft,
         *r = heads;
    for (int line = 0; line < PAIR_COUNT; line++) {
        double share[16][16], head[4][16][16];
        const size_t size = strcspn(p, "\n");
        char links[256] = "", *column = r + size;
        int sources, targets, words = 1, in = 0;
        must(!strncmp(p, h, size) && !strncmp(p, q, size) && !strncmp(p, r, size));
        must(h[size] == '\t' && q[size] == '\t' && r[size] == '\t');
        targets = read_shares(q + size + 1, share, &sources);
        for (size_t i = 0; i < size; i++) words += p[i] == ' ';
        for (int k = 0; k < 4; k++, column = column + 1 + strcspn(column + 1, "\t\n")) {
            must(*column == '\t');
            must(read_shares(column + 1, head[k], &in) == targets && in == sources);
        }
        must(*column == '\n' && words == targets);
        for (int s = 0; s < sources; s++) /* by source, then target */
            for (int t = 0; t < targets; t++) {
                int best = 0;
                double mean = 0;
                for (int k = 0; k < 4; k++) mean += head[k][t][s] / 4;
                must_msg(mean - share[t][s] < 2e-4 && share[t][s] - mean < 2e-4, "%g, not %g", share[t][s],
                         mean);
                for (int other = 1; other < sources; other++)
                    if (share[t][other] > share[t][best]) best = other;
                if (best == s) sprintf(links + strlen(links), "%s%d-%d", *links ? " " : "", s, t);
            }
        must_msg(!strncmp(h + size + 1, links, strlen(links)) && h[size + 1 + strlen(links)] == '\n',
                 "%s, not %s", h, links);
        p = strchr(p, '\n') + 1, h = strchr(h, '\n') + 1, q = strchr(q, '\n') + 1, r = strchr(r, '\n') + 1;
    }
    free(plain), free(hard), free(soft), free(heads);
    sh_input("\nthe dog eats\n", TRANSLATE " --alignment hard --nbest --beam 2");
    ck_assert_msg(!strncmp(out, "1\t0.0000\t\t\n2\t", 13), "%s", out);
    sh_input("the dog eats\tun chat\n", TRANSLATE " --alignment soft --prefix-column --sample");
    ck_assert_msg(!strncmp(out, "un chat", 7) && strchr(out, '\t') && strchr(out, ','), "%s", out);
    ck_assert_int_eq(try(TRANSLATE " --alignment hard --replace-unknown"), 2);
    assert_contains(
        err, "translate: --alignment is of the words that the model wrote: leave --replace-unknown out");
    ck_assert_int_eq(try(TRANSLATE " --alignment-layer 1"), 2);
    assert_contains(err, "translate: --alignment-layer: give --alignment hard, soft or all-heads too");
    ck_assert_int_eq(try_input("the dog\n", 8, TRANSLATE " --alignment hard --alignment-layer 2"), 1);
    assert_contains(
        err, "translate: alignment of layer 2: the decoder has 1 that look at the source: give 1, 2, …");
}
END_TEST

/* ---- scores ---- */

#define SCORE "$T score --model $D/run --quiet --threads 1"

/* A translation's score is the one that translate prints; its tokens sum to it; all scores sum to evaluate's loss. */
START_TEST(scores) {
    /* an empty translation makes no pair */
    sh(TRANSLATE " --nbest --beam 3 --length-penalty 0 < $D/lines | grep -v '\t$'");
    char *list = strcpy(malloc(strlen(out) + 1), out), *rows, *row;
    put_text(in_folder("list"), list);
    sh("cut -f 1 $D/list | while read n; do sed -n \"${n}p\" $D/lines; done > $D/src; cut -f 3 $D/list | "
       "paste $D/src - > "
       "$D/said.tsv; " SCORE " --tokens < $D/said.tsv");
    rows = row = strcpy(malloc(strlen(out) + 1), out);
    for (const char *said = list; *said; said = strchr(said, '\n') + 1, row = strchr(row, '\n') + 1) {
        double score, sum, mean, token, all = 0;
        long tokens;
        int at = 0, count = 0;
        ck_assert_int_eq(sscanf(said, "%*d\t%lf", &score), 1);
        ck_assert_int_eq(sscanf(row, "%lf\t%lf\t%ld\t%n", &sum, &mean, &tokens, &at), 3);
        must_msg(score - sum < 2e-4 && sum - score < 2e-4, "%g, not %g", sum, score);
        must_msg(mean - sum / (double)tokens < 1e-4 && sum / (double)tokens - mean < 1e-4, "%g", mean);
        const char *words = row + at, *numbers = strchr(words, '\t');
        must(numbers && !strncmp(numbers - 5, "<eos>", 5) && strchr(words, '\n') > numbers);
        for (const char *n = numbers; *n != '\n'; count++) {
            char *end;
            token = strtod(n + 1, &end);
            must(token <= 0);
            all += token;
            n = end;
        }
        must(count == tokens && all - sum < 1e-3 && sum - all < 1e-3);
    }
    ck_assert_str_eq(row, "");
    free(rows), free(list);
    sh(SCORE " --pairs $D/pairs.tsv --batch-tokens 1 > $D/one; " SCORE
             " < $D/pairs.tsv > $D/all; cmp $D/one $D/all && awk "
             "'{ sum += $1; n += $3 } END { printf \"loss %.3f,\", -sum / n }' $D/all");
    char *loss = strcpy(malloc(strlen(out) + 1), out);
    sh("$T evaluate --model $D/run --test $D/pairs.tsv --quiet");
    assert_contains(out, loss);
    free(loss);
}
END_TEST

/* A line that is no pair is reported and gives an empty line; the others have their scores. */
START_TEST(lines_that_are_no_pairs) {
    static const char lines[] = "the dog eats\tle chien\nthe dog\n\nthe dog\t\xff\nthe wug\tle zut\n";
    ck_assert_int_eq(try_input(lines, strlen(lines), SCORE), 1);
    ck_assert_int_eq(count_lines(out), 5);
    assert_contains(out, "\n\n\n\n-");
    assert_contains(err, "standard input: 5 lines, 2 pairs, 3 skipped\n");
    assert_contains(err, "no tab: 1, line 2\n");
    assert_contains(err, "line 4\n");
    assert_contains(err, " the source vocabulary lacks, read as <unk>: \"wug\"");
    assert_contains(err, " the target vocabulary lacks, read as <unk>: \"zut\"");
    ck_assert_int_eq(try_input(lines, strlen(lines), SCORE " --strict"), 1);
    ck_assert_str_eq(out, "");
    ck_assert_int_eq(try("(printf 'x\\n%s\\tle chien\\n' \"$(seq 2000 | tr '\\n' ' ')\"; head -n 1 "
                         "$D/pairs.tsv) > $D/in; " SCORE " --pairs $D/in"),
                     1);
    ck_assert_msg(!strncmp(out, "\n\n-", 3) && count_lines(out) == 3, "%s", out);
    assert_contains(err, "translate: warning: line 2 has ");
    assert_contains(err, " target tokens, and a model reads at most 1023: it has no score\n");
    sh(SCORE " < /dev/null");
    ck_assert_str_eq(out, "");
    ck_assert_int_eq(try(SCORE " --pairs $D/nowhere"), 1);
    assert_contains(err, "nowhere");
    if (access("/dev/full", W_OK) == 0) {
        ck_assert_int_eq(try(SCORE " < $D/pairs.tsv > /dev/full"), 1);
        assert_contains(err, "translate: ");
        ck_assert_int_eq(try(TRANSLATE " --alignment soft < $D/lines > /dev/full"), 1);
    }
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_checked_fixture(tc, enter_trained, NULL);
    tcase_add_test(tc, samples_know_no_company);
    tcase_add_test(tc, lists_of_samples);
    tcase_add_test(tc, without_chance_it_is_greedy);
    tcase_add_test(tc, wrong_command_lines);
    tcase_add_test(tc, no_word_twice);
    tcase_add_test(tc, prefixes);
    tcase_add_test(tc, prefixes_that_are_none);
    tcase_add_test(tc, alignments);
    tcase_add_test(tc, scores);
    tcase_add_test(tc, lines_that_are_no_pairs);
}

TL_TEST_MAIN("translate: what is chosen")
