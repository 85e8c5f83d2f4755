/* Text as people write it: raw sentences with punctuation, umlauts and Chinese go in, and the target's text comes
 * back, byte for byte, whatever it is cut into. Which lines of a file are used, and what is reported about the
 * others. */
#define _XOPEN_SOURCE 700
#include "program.h"

/* What tokens alone cannot give back: adjacent signs, quotes, spaces that are unusual or missing, an apostrophe, a
 * word that looks like one of our marks. */
#define RAW                                                                           \
 "Hello, world!\tHallo, Welt!\n"                                                      \
 "Where are you?\tWo bist du?\n"                                                      \
 "He said: \"No.\"\tEr sagte: „Nein.“\n"                                          \
 "I'm 3.14 (ten) years old.\tIch bin 3,14 (zehn) Jahre alt – für Öfen zu jung.\n" \
 "Nice to meet you.\t很高兴认识你。\n"                                         \
 "I use Linux, not tea.\t我用Linux，不喝茶。 真的\n"                         \
 "the <unk> @@ of it\tdas <unk> @@ d@@von ▁ ￭\n"
enum { RAW_COUNT = 7 };

/* Trains on raw.tsv until it is known by heart. */
static void train_raw(const char *options) {
    char command[1024];
    snprintf(
        command, sizeof command,
        "$T train --train $D/raw.tsv --valid $D/raw.tsv --out $D/run --overwrite --quiet --steps 300 "
        "--min-count 1 --validate-every 50 --samples 0 --batch-tokens 600 --lr 0.01 --warmup 20 --dropout 0 "
        "--label-smoothing 0 "
        "--preset toy --d-model 32 --d-ff 32 --layers 1 --threads 1 %s",
        options);
    sh(command);
}

/* The targets come back from the sources alone; evaluate counts them as exact. */
static void knows_all(const char *options, const char *sources, const char *targets) {
    sh_input(sources, "$T translate --model $D/run --quiet --threads 1 --beam 1");
    ck_assert_msg(!strcmp(out, targets), "%s: from\n%sto\n%snot\n%s", options, sources, targets, out);
    ck_assert_str_eq(err, "");
}

static void split(const char *pairs, char *sources, char *targets) {
    for (bool first = true; *pairs; pairs++) {
        char **to = first ? &sources : &targets;
        *(*to)++ = *pairs == '\t' ? '\n' : *pairs;
        if (*pairs == '\t' || *pairs == '\n') first = !first;
    }
    *sources = *targets = 0;
}

START_TEST(by_heart) {
    static const char *const ways[] = {"",
                                       "--units words",
                                       "--units chars",
                                       "--joint --merges 30",
                                       "--joint --units chars --tie all",
                                       "--src-units words --tgt-units chars",
                                       "--src-units chars --tgt-units bpe --merges 20",
                                       "--src-pretokenize none",
                                       "--pretokenize none --tgt-pretokenize words --units words"};
    char sources[1024], targets[1024];
    split(RAW, sources, targets);
    put_text(in_folder("raw.tsv"), RAW);
#ifdef TL_SANITIZED
    const size_t step = 4;
    TL_SKIP("translate: six of nine ways to cut text: each takes long with sanitizers");
#else
    const size_t step = 1;
#endif
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i += step) {
        train_raw(ways[i]);
        knows_all(ways[i], sources, targets);
        ck_assert_msg(strstr(out, "<unk> @@ d@@von"), "%s", out);
    }
    sh("$T evaluate --model $D/run --test $D/raw.tsv --quiet --threads 1 --beam 1");
    assert_contains(out, ", exact 7\n");
}
END_TEST

/* Without pre-tokens a sentence consists of what is between spaces, and single spaces come back. */
START_TEST(without_pretokens) {
    put_text(in_folder("raw.tsv"), "a  b , c.\tdie  Katze , ja.\nd e\tder Hund\n");
    static const char *const units[] = {"--units bpe --merges 40", "--units words"};
    for (int i = 0; i < 2; i++) {
        char options[128];
        snprintf(options, sizeof options, "--pretokenize none %s", units[i]);
        train_raw(options);
        knows_all(options, "a b , c.\nd  e\n", "die Katze , ja.\nder Hund\n");
    }
    sh("tail -n +6 $D/run/vocab.tgt.txt | sort"); /* whole words, signs and all */
    ck_assert_str_eq(out, ",\nHund\nKatze\nder\ndie\nja.\n");
}
END_TEST

/* ---- contents of vocabularies ---- */

static void entries(const char *options, const char *source, const char *target) {
    train_raw(options);
    sh("for side in src tgt; do tail -n +6 $D/run/vocab.$side.txt | tr '\\n' ' '; echo; done");
    char expected[512];
    snprintf(expected, sizeof expected, "%s\n%s\n", source, target);
    ck_assert_msg(!strcmp(out, expected), "%s: %s", options, out);
}

/* By falling count; ties by their bytes. */
START_TEST(vocabularies) {
    put_text(in_folder("raw.tsv"), "ab ab ab.\txy xy\nab ab\txy 好人\n");
    entries("--steps 1 --units words", "ab ￭. ", "xy ▁ 人 好 ");
    entries("--steps 1 --units words --pretokenize none", "ab ab. ", "xy 好人 ");
    entries("--steps 1 --units chars", "a b ▁ . ", "x y ▁ 人 好 ");
    entries("--steps 1 --units words --joint", "ab xy ▁ 人 好 ￭. ", "ab xy ▁ 人 好 ￭. ");
    entries("--steps 1 --units words --min-count 2", "ab ", "xy ");
    entries("--steps 1 --units words --max-vocab 5", "ab ", "xy ");
    entries("--steps 1 --src-units words --tgt-units chars", "ab ￭. ", "x y ▁ 人 好 ");
    entries("--steps 1 --src-pretokenize none --units words", "ab ab. ", "xy ▁ 人 好 ");
    /* ab occurs five times, xy three times: with one merge ab is whole and x@@ y is not; a sign keeps its mark */
    entries("--steps 1 --merges 1", "ab . ￭@@ ", "x@@ y ▁ 人 好 ");
    assert_file(in_folder("run/codes.txt"), "#version: 0.2\na b</w>\n");
    entries("--steps 1 --merges 2", "ab . ￭@@ ", "xy ▁ 人 好 ");
    assert_file(in_folder("run/codes.txt"), "#version: 0.2\na b</w>\nx y</w>\n");
    /* only one side has byte pairs, and its merges are learnt from it alone */
    entries("--steps 1 --src-units words --merges 1", "ab ￭. ", "xy ▁ 人 好 ");
    assert_file(in_folder("run/codes.txt"), "#version: 0.2\nx y</w>\n");
    entries("--steps 1 --units words --overwrite", "ab ￭. ", "xy ▁ 人 好 ");
    ck_assert_int_ne(access(in_folder("run/codes.txt"), F_OK), 0);
}
END_TEST

/* The default is byte pairs of pre-tokens; with words as units, those that occur once become <unk>. */
START_TEST(defaults) {
    put_text(in_folder("raw.tsv"), "ab ab.\tx x\n");
    sh("for units in bpe words chars; do $T train --train $D/raw.tsv --valid $D/raw.tsv --steps 1 --quiet "
       "--units "
       "$units --out $D/$units" SMALL
       " >$D/said; done; grep -h min-count $D/bpe/config.txt $D/words/config.txt "
       "$D/chars/config.txt; $T train --train $D/raw.tsv --valid $D/raw.tsv --steps 1 --quiet --out "
       "$D/plain" SMALL " >$D/said; grep -v '^units' $D/bpe/config.txt | cmp - $D/plain/config.txt; tail -n "
       "1 $D/words/vocab.src.txt");
    ck_assert_str_eq(out, "min-count = 1\nmin-count = 2\nmin-count = 1\nab\n");
    sh("grep -h 'units\\|pretokenize' $D/plain/config.txt");
    ck_assert_str_eq(out,
                     "src-pretokenize = words\ntgt-pretokenize = words\nsrc-units = bpe\ntgt-units = bpe\n");
}
END_TEST

/* ---- files ---- */

/* The same pairs in other files give the same model, byte for byte, and the same validations. */
START_TEST(the_same_pairs) {
    put_text(in_folder("raw.tsv"), RAW);
    sh("cd $D; cut -f 1 raw.tsv > src; cut -f 2 raw.tsv > tgt;"
       "sed 's/$/\\tCC-BY 2.0\\t#1276 (me)/' raw.tsv > tatoeba.tsv;" /* more columns */
       "sed 's/$/\\r/' raw.tsv > crlf.tsv; sed 's/$/\\r/' src > src.crlf;"
       "printf '\\357\\273\\277' > bom.tsv; cat raw.tsv >> bom.tsv;"
       "printf %s \"$(cat raw.tsv)\" > open.tsv"); /* the last line has no line end */
    static const char *const ways[] = {
        "--train $D/raw.tsv --valid $D/raw.tsv",
        "--train-src $D/src --train-tgt $D/tgt --valid $D/raw.tsv",
        "--train $D/raw.tsv --valid-src $D/src --valid-tgt $D/tgt",
        "--train-src $D/src.crlf --train-tgt $D/tgt --valid $D/raw.tsv --strict",
        "--train $D/tatoeba.tsv --valid $D/tatoeba.tsv --strict",
        "--train $D/crlf.tsv --valid $D/crlf.tsv --strict",
        "--train $D/bom.tsv --valid $D/open.tsv --strict"};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        char command[1024];
        snprintf(command, sizeof command,
                 "$T train %s --steps 3 --batch-tokens 100 --out $D/run%d" SMALL " | grep '^epoch' | "
                 "sed 's/, [0-9]* s:/:/' > $D/said%d",
                 ways[i], (int)i, (int)i);
        sh(command);
        ck_assert_str_eq(err, "");
        static const char *const files[] = {"run%d/model.safetensors", "run%d/vocab.src.txt",
                                            "run%d/vocab.tgt.txt", "run%d/codes.txt", "said%d"};
        for (int k = 0; k < 5 && i > 0; k++) {
            char a[64], b[64];
            snprintf(a, sizeof a, files[k], 0);
            snprintf(b, sizeof b, files[k], (int)i);
            ck_assert_msg(same_files(a, b), "%s: %s differs", ways[i], b);
        }
    }
}
END_TEST

/* Lines that hold no pair are counted and named; a report for each file. */
START_TEST(reports) {
    put_text(in_folder("raw.tsv"), RAW);
    sh("cd $D; (head -n 2 raw.tsv; printf 'no tab\\n\\n\\tx\\ny\\t \\n\\377\\tz\\n'; tail -n +3 raw.tsv) > "
       "bad.tsv;"
       "cut -f 1 raw.tsv > src; cut -f 2 raw.tsv | sed -e '4s/.*//' -e '6s/.*/\xff/' > tgt");
    sh("$T train --train $D/bad.tsv --valid-src $D/src --valid-tgt $D/tgt --steps 1 --out $D/run" SMALL);
    char expected[2048];
    snprintf(expected, sizeof expected,
             "%s: 12 lines, 7 pairs, 5 skipped\n  no tab: 1, line 3\n  blank side: 3, lines 4, 5, 6\n"
             "  not UTF-8: 1, line 7\n%s + %s: 7 lines, 5 pairs, 2 skipped\n  blank side: 1, line 4\n"
             "  not UTF-8: 1, line 6\n",
             in_folder("bad.tsv"), in_folder("src"), in_folder("tgt"));
    ck_assert_str_eq(err, expected);
    assert_contains(out, "7 pairs to train on, 5 to validate on; ");
    sh("$T evaluate --model $D/run --test $D/bad.tsv --beam 1 --threads 1");
    assert_contains(err, "bad.tsv: 12 lines, 7 pairs, 5 skipped\n");
    assert_contains(out, "bad.tsv: 7 sentences in ");
}
END_TEST

/* --max-length counts tokens as the model reads them; line numbers are the file's. */
START_TEST(lengths) {
    put_text(in_folder("raw.tsv"), "a b c d.\tx\n\na, b\tx y\nab\tx\na b\tx x x x x\nab c\tabcdef\n");
    static const struct {
        const char *options, *left; /* remaining pairs, and reported lines */
    } cases[] = {
        {"--units words --max-length 4",
         "5 lines, 3 pairs, 2 skipped\n  too long (more than 4 tokens): 2, lines 1, 5\n"},
        {"--units words --max-length 3",
         "5 lines, 3 pairs, 2 skipped\n  too long (more than 3 tokens): 2, lines 1, 5\n"},
        {"--units words --max-length 2",
         "5 lines, 2 pairs, 3 skipped\n  too long (more than 2 tokens): 3, lines 1, 3, 5\n"},
        {"--units words --pretokenize none --max-length 2",
         "5 lines, 3 pairs, 2 skipped\n  too long (more than 2 tokens): 2, lines 1, 5\n"},
        {"--units chars --max-length 5",
         "5 lines, 2 pairs, 3 skipped\n  too long (more than 5 tokens): 3, lines 1, 5, 6\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char command[512], blank[512], line[2048];
        snprintf(command, sizeof command,
                 "$T train --train $D/raw.tsv --valid $D/raw.tsv --min-count 1 --steps 1 --samples 0 "
                 "--overwrite --out "
                 "$D/run %s" SMALL,
                 cases[i].options);
        sh(command);
        snprintf(blank, sizeof blank, "%s: 6 lines, 5 pairs, 1 skipped\n  blank side: 1, line 2\n",
                 in_folder("raw.tsv"));
        snprintf(line, sizeof line, "%s%s%s: %s%s: %s", blank, blank, in_folder("raw.tsv"), cases[i].left,
                 in_folder("raw.tsv"), cases[i].left);
        ck_assert_msg(!strcmp(err, line), "%s: %s\nnot %s", cases[i].options, err, line);
    }
    sh("$T train --train $D/raw.tsv --valid $D/raw.tsv --steps 1 --max-length 0 --quiet --out $D/all" SMALL);
    ck_assert_str_eq(err, "");
    assert_contains(out, "5 pairs to train on, 5 to validate on");
}
END_TEST

/* Lines to translate: blank ones stay blank, an empty input gives none, and invalid bytes do no harm. */
START_TEST(lines) {
    put_text(in_folder("raw.tsv"), RAW);
    static const char *const ways[] = {"", "--units words", "--units chars"};
    for (int i = 0; i < 3; i++) {
        train_raw(ways[i]);
        static const char *const cases[][2] = {
            {"", ""},
            {"\n", "\n"},
            {" \t\n", "\n"},
            {"Where are you?\r\n\r\nHello, world!", "Wo bist du?\n\nHallo, Welt!\n"},
            {"\xEF\xBB\xBFHello, world!\n", "Hallo, Welt!\n"},
        };
        for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
            sh_input(cases[k][0], "$T translate --model $D/run --quiet --threads 1");
            ck_assert_msg(!strcmp(out, cases[k][1]), "%s, case %zu: %s", ways[i], k, out);
        }
        ck_assert_int_eq(try_input("\xff\xfe\n\0\n\xE4\xBD\n", 8, "$T translate --model $D/run --quiet"), 0);
        ck_assert_int_eq(count_lines(out), 3);
    }
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_test(tc, by_heart);
    tcase_add_test(tc, without_pretokens);
    tcase_add_test(tc, vocabularies);
    tcase_add_test(tc, defaults);
    tcase_add_test(tc, the_same_pairs);
    tcase_add_test(tc, reports);
    tcase_add_test(tc, lengths);
    tcase_add_test(tc, lines);
}

TL_TEST_MAIN("translate: raw text")
