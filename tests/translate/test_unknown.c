/* What a model cannot read or write: words that it has never seen, lines that are too long, and hypotheses with the
 * same text but other tokens. All of it is reported. */
#define _XOPEN_SOURCE 700
#include "program.h"

#define TRANSLATE "$T translate --model $D/run --quiet --threads 1"

/* A noun, or a name that never occurred before; both sides have the same names. */
static void noun(char to[32], int side, bool named, int number, int which) {
    static const char *const nouns[2][3] = {{"the dog", "the cat", "a bird"},
                                            {"le chien", "le chat", "un oiseau"}};
    if (named)
        snprintf(to, 32, "name%d", number);
    else
        snprintf(to, 32, "%s", nouns[side][which]);
}

/* Sentences with names that occur once: the model learns to translate an unknown word by an unknown word. */
static void write_names(void) {
    static const char *const verbs[2][3] = {{"sees", "hears", "greets"}, {"voit", "entend", "salue"}};
    char text[32768], first[32], second[32];
    size_t used = 0;
    for (int i = 0; i < 300; i++)
        for (int side = 0; side < 2; side++) {
            noun(first, side, i * 7 % 5 < 3, 2 * i, i % 3);
            noun(second, side, i * 11 % 4 < 2, 2 * i + 1, i / 3 % 3);
            used += (size_t)snprintf(text + used, sizeof text - used, "%s %s %s%c", first,
                                     verbs[side][i / 2 % 3], second, side ? '\n' : '\t');
        }
    put_text(in_folder("names.tsv"), text);
}

#define TRAIN_NAMES                                                                                          \
 "$T train --train $D/names.tsv --valid $D/names.tsv --out $D/run --overwrite --quiet --preset toy "         \
 "--d-model 32 --d-ff 32 "                                                                                   \
 "--layers 1 --batch-tokens 256 --lr 0.01 --warmup 20 --dropout 0 --threads 1 --samples 0 --validate-every " \
 "1000 "

static void said(const char *options, const char *lines, const char *translations) {
    char command[256];
    snprintf(command, sizeof command, TRANSLATE " %s", options);
    sh_input(lines, command);
    ck_assert_msg(!strcmp(out, translations), "%s: from\n%sto\n%snot\n%s", options, lines, out, translations);
}

static void told(const char *warning) {
    char line[600] = "";
    if (*warning) snprintf(line, sizeof line, "translate: warning: %s\n", warning);
    ck_assert_str_eq(err, line);
}

/* ---- words ---- */

START_TEST(unknown_words_are_told_and_replaced) {
    write_names();
    sh(TRAIN_NAMES "--units words --steps 300");
    static const char lines[] =
        "the dog sees Zorro\nBatman hears Robin\nBatman greets the cat\na bird hears the cat\n";
    for (int beam = 1; beam <= 4; beam += 3) {
        char options[64];
        snprintf(options, sizeof options, "--beam %d", beam);
        said(options, lines,
             "le chien voit <unk>\n<unk> entend <unk>\n<unk> salue le chat\nun oiseau entend le chat\n");
        told("4 words that the source vocabulary lacks, read as <unk>; 3 different: \"Zorro\", \"Batman\", "
             "\"Robin\"");
        snprintf(options, sizeof options, "--beam %d --replace-unknown", beam);
        said(options, lines,
             "le chien voit Zorro\nBatman entend Robin\nBatman salue le chat\nun oiseau entend le chat\n");
    }
    /* nothing to replace */
    said("--replace-unknown", "the dog hears the cat\n\n", "le chien entend le chat\n\n");
    told("");
    said("--replace-unknown --batch-tokens 8", lines,
         "le chien voit Zorro\nBatman entend Robin\nBatman salue le chat\nun oiseau entend le chat\n");
    said(
        "--replace-unknown --prefix-column",
        "the dog sees Zorro\tle chien voit\nBatman hears Robin\tBatman\n",
        "le chien voit Zorro\nBatman entend Robin\n"); /* attention's rows are counted from after the prefix */
    said("", "the dog sees Zorro\n", "le chien voit <unk>\n");
    told("1 word that the source vocabulary lacks, read as <unk>: \"Zorro\"");
    said("", "the dog sees <unk>\n", "le chien voit <unk>\n"); /* a user's own <unk> is not reported */
    ck_assert_ptr_null(strstr(err, "\"<unk>\""));
    sh_input("a b c d e f g a\n", TRANSLATE);
    told("6 words that the source vocabulary lacks, read as <unk>: \"b\", \"c\", \"d\", \"e\", \"f\" and 1 "
         "more");
    /* what is shown is made harmless */
    sh_input("the dog sees \033[31mred\302\205\342\200\256\n", TRANSLATE);
    ck_assert_msg(!strpbrk(err, "\033") && !strstr(err, "\302\205") && !strstr(err, "\342\200\256"), "%s",
                  err);
    /* evaluate reports the same, and its translations are the same */
    sh("printf 'the dog sees Zorro\\tle chien voit Zorro\\n' > $D/one.tsv; $T evaluate --model $D/run "
       "--quiet --test "
       "$D/one.tsv --replace-unknown --out $D/said && cat $D/said");
    assert_contains(out, ", exact 1\n");
    assert_contains(out, "\nle chien voit Zorro\n");
    told("1 word that the source vocabulary lacks, read as <unk>: \"Zorro\"");
}
END_TEST

/* With byte pairs and characters the whole word is reported and copied, once, however many of its pieces are
 * unknown. */
START_TEST(words_of_pieces) {
    write_names();
    static const char *const units[] = {"bpe", "chars"};
    for (int i = 0; i < 2; i++) {
        char command[512];
        snprintf(command, sizeof command,
                 TRAIN_NAMES "--src-units %s --tgt-units words --steps 300 --merges 40", units[i]);
        sh(command);
        sh_input("the dog sees Жук, a bird hears xЖЖx\n", TRANSLATE " --beam 1");
        told(i ? "2 words with parts that the source vocabulary lacks, read as <unk>: \"Жук,\", \"xЖЖx\""
               : "3 words with parts that the source vocabulary lacks, read as <unk>: \"Жук\", \",\", "
                 "\"xЖЖx\"");
        sh_input("Жук\n", TRANSLATE " --beam 1 --replace-unknown");
        ck_assert_msg(!strstr(out, "<unk>") && !strstr(out, "@@"), "%s", out);
        if (*out != '\n') assert_contains(out, "Жук");
        const char *first = strstr(out, "Жук");
        ck_assert_msg(!first || strncmp(first + strlen("Жук"), " Жук", 4) || i < 2, "%s", out);
    }
}
END_TEST

/* ---- texts ---- */

/* The same text from other tokens is returned once, with the better score. */
START_TEST(hypotheses_differ_as_texts) {
    write_pairs();
    sh(TRAIN_FILES " --out $D/run --steps 5 --lr 0.02 --warmup 0 --merges 5 --quiet" SMALL);
    sh_input("the dog eats\na cat\n", TRANSLATE " --nbest --beam 60");
    double score[120], last = 0;
    char *text[120];
    int line[120], count = 0;
    for (char *row = strtok(out, "\n"); row; row = strtok(NULL, "\n"), count++) {
        int at = 0;
        must(count < 120 && sscanf(row, "%d\t%lf\t%n", &line[count], &score[count], &at) == 2 && at > 0);
        text[count] = row + at;
        must(count == 0 || line[count] != line[count - 1] || score[count] <= last);
        last = score[count];
        for (int i = 0; i < count; i++)
            must_msg(line[i] != line[count] || strcmp(text[i], text[count]), "line %d twice: %s", line[i],
                     text[i]);
    }
    ck_assert_msg(count < 120 && count > 20, "%d hypotheses: the test needs some that are the same text",
                  count);
}
END_TEST

/* ---- lines ---- */

#define LONG_LINE(n) "seq " #n " | tr '\\n' ' '; echo"

START_TEST(long_lines_are_named_and_left_empty) {
    train_well();
    static const char *const ways[] = {"", "--beam 1", "--nbest --beam 3", "--batch-tokens 100000",
                                       "--replace-unknown"};
    for (int i = 0; i < 5; i++) {
        char command[512];
        snprintf(command, sizeof command,
                 "(echo the dog eats; " LONG_LINE(2000) "; echo; echo a dog eats) > $D/in; " TRANSLATE
                                                        " %s < $D/in",
                 ways[i]);
        ck_assert_int_eq(try(command), 1);
        const char *named = strstr(err, "translate: warning: line 2 has "), *second = strstr(err, "line 4");
        ck_assert_msg(
            named &&
                strstr(named, " tokens, and a model reads at most 1023: its translation is left empty; cut "
                              "it into sentences\n"),
            "%s", err);
        ck_assert_ptr_null(second);
        if (i != 2) ck_assert_str_eq(out, "le chien mange\n\n\nun chien mange\n");
        if (i == 2) {
            assert_contains(out, "\n2\t0.0000\t\n3\t0.0000\t\n4\t");
            ck_assert_msg(!strncmp(out, "1\t", 2) && strstr(out, "\tun chien mange\n"), "%s", out);
        }
    }
    /* exactly as many as there are */
    ck_assert_int_eq(try("(" LONG_LINE(2000) "; " LONG_LINE(2000) ") > $D/in; " TRANSLATE " < $D/in"), 1);
    ck_assert_str_eq(out, "\n\n");
    ck_assert_int_eq(
        try("for i in 1 2 3 4 5 6 7 8; do " LONG_LINE(2000) "; done > $D/in; " TRANSLATE " < $D/in"), 1);
    ck_assert_str_eq(out, "\n\n\n\n\n\n\n\n");
    assert_contains(err, "line 5 has ");
    assert_contains(err, "translate: warning: 3 more lines have more than 1023 tokens\n");
    ck_assert_ptr_null(strstr(err, "line 6 has "));
    /* attention does the same */
    ck_assert_int_eq(try("(echo the dog eats; " LONG_LINE(
                         2000) "; echo a dog eats) | $T attention --model $D/run --quiet"),
                     1);
    assert_contains(err, "translate: warning: line 2 has ");
    assert_contains(out, "the dog eats\n\n");
    assert_contains(out, "\na dog eats\n\n");
    ck_assert_ptr_null(strstr(out, "1 2 3"));
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_test(tc, unknown_words_are_told_and_replaced);
    tcase_add_test(tc, words_of_pieces);
    tcase_add_test(tc, hypotheses_differ_as_texts);
    tcase_add_test(tc, long_lines_are_named_and_left_empty);
}

TL_TEST_MAIN("translate: what a model does not know")
