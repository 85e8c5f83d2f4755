/* Sentences that the program makes: the grammar's sentences and word alignments as files; runs that train on them
 * and are tested without a file; and the demo. */
#define _XOPEN_SOURCE 700
#include "program.h"

/* ---- corpus ---- */

static int words_in(const char *text, const char *end) {
    int words = 0;
    for (; text < end; text++) words += *text != ' ' && (text + 1 == end || text[1] == ' ');
    return words;
}

/* Each line of NAME.tsv has two sentences; each line of NAME.align has sorted links between their words. */
static void look_at(const char *name, int lines) {
    char path[64];
    snprintf(path, sizeof path, "corpus/%s.tsv", name);
    char *pairs = get_file(in_folder(path), NULL), *p = pairs;
    snprintf(path, sizeof path, "corpus/%s.align", name);
    char *links = get_file(in_folder(path), NULL), *l = links;
    ck_assert_int_eq(count_lines(pairs), lines);
    ck_assert_int_eq(count_lines(links), lines);
    for (int i = 1; *p; i++) {
        char *tab = strchr(p, '\t'), *end = strchr(p, '\n');
        ck_assert_msg(tab && tab < end && !memchr(tab + 1, '\t', (size_t)(end - tab - 1)), "%s line %d", name,
                      i);
        int sources = words_in(p, tab), targets = words_in(tab + 1, end), linked = 0;
        int from = 0, to = 0, last_from = -1, last_to = -1;
        for (; *l != '\n'; l += *l == ' ', linked++) {
            int length = 0;
            ck_assert_msg(sscanf(l, "%d-%d%n", &from, &to, &length) == 2, "%s line %d: %.30s", name, i, l);
            must_msg(from >= 0 && from < sources && to >= 0 && to < targets,
                     "%s line %d: link %d-%d of %d and %d words", name, i, from, to, sources, targets);
            must_msg(from > last_from || (from == last_from && to > last_to), "%s line %d: order", name, i);
            last_from = from;
            last_to = to;
            l += length;
        }
        must_msg(linked >= 2, "%s line %d has %d links", name, i, linked);
        must_msg(from == sources - 1 && to == targets - 1, "%s line %d: its ends should be linked", name, i);
        p = end + 1;
        l++;
    }
    free(pairs);
    free(links);
}

START_TEST(corpus) {
    static const char *const pairs[] = {"en-fr", "en-zh"};
    for (int i = 0; i < 2; i++) {
        char command[256], expected[1024];
        snprintf(command, sizeof command,
                 "rm -rf $D/corpus; $T corpus --pair %s --sentences 3000 --out $D/corpus", pairs[i]);
        sh(command);
        const char *dir = in_folder("corpus");
        snprintf(expected, sizeof expected,
                 "%s/train.tsv: 3000 pairs, word alignments in train.align\n%s/valid.tsv: 500 pairs, word "
                 "alignments in "
                 "valid.align\n%s/test.tsv: 500 pairs, word alignments in test.align\n",
                 dir, dir, dir);
        ck_assert_str_eq(out, expected);
        ck_assert_str_eq(err, "");
        ck_assert_int_eq(count_files(dir), 6);
        look_at("train", 3000);
        look_at("valid", 500);
        look_at("test", 500);
        /* no sentence occurs twice, so parts have none in common */
        sh("cat $D/corpus/*.tsv | cut -f 1 | sort | uniq -d | wc -l");
        ck_assert_int_eq(atoi(out), 0);
        /* held-out sentences have no new words, only new combinations */
        sh("cd $D/corpus; for side in 1 2; do cut -f $side train.tsv | tr ' ' '\\n' | sort -u > known;"
           "cat valid.tsv test.tsv | cut -f $side | tr ' ' '\\n' | sort -u | comm -13 known - | wc -l; done");
        int unseen[2];
        ck_assert_int_eq(sscanf(out, "%d %d", &unseen[0], &unseen[1]), 2);
        ck_assert_msg(unseen[0] <= 3 && unseen[1] <= 8, "%s: unseen words: %s", pairs[i], out);
    }
}
END_TEST

/* Another --seed gives other sentences, the same seed the same ones; fewer sentences are the first of more. */
START_TEST(corpus_seeds) {
    sh("for seed in 1 2; do $T corpus --sentences 60 --seed $seed --out $D/$seed; done; $T corpus "
       "--sentences 30 --out $D/few;"
       "head -n 30 $D/1/train.tsv > $D/head; head -n 30 $D/1/train.align > $D/links");
    ck_assert(same_files("few/train.tsv", "head"));
    ck_assert(same_files("few/train.align", "links"));
    ck_assert(same_files("few/test.tsv", "1/test.tsv"));
    ck_assert(!same_files("2/train.tsv", "1/train.tsv"));
    ck_assert(!same_files("2/valid.tsv", "1/valid.tsv"));
}
END_TEST

/* ---- training on them, and the test set without a file ---- */

#define MADE " --steps 2 --threads 1 --quiet --preset toy --d-model 16 --heads 2 --layers 1 --d-ff 16"
#define EVALUATE "$T evaluate --model $D/run --quiet --threads 1 --beam 1"

/* --pair trains on the sentences that corpus writes, with the same result as from files; evaluate's own test set is
 * test.tsv. */
START_TEST(pair) {
    sh("$T corpus --pair en-zh --sentences 200 --seed 3 --out $D/corpus");
    sh("$T train --pair en-zh --sentences 200 --seed 3 --out $D/run" MADE " > $D/said; head -n 1 $D/said");
    assert_contains(out, "200 pairs to train on, 500 to validate on; ");
    sh("$T train --train $D/corpus/train.tsv --valid $D/corpus/valid.tsv --units words --pretokenize none "
       "--min-count 1 "
       "--seed 3 --out $D/files" MADE);
    ck_assert(same_files("run/last.safetensors", "files/last.safetensors"));
    ck_assert(same_files("run/vocab.tgt.txt", "files/vocab.tgt.txt"));
    sh(EVALUATE " --out $D/made");
    assert_contains(out, "\nheld-out sentences: 500 sentences in ");
    char *figures = strcpy(malloc(strlen(out) + 1), strstr(out, ": loss"));
    sh(EVALUATE " --test $D/corpus/test.tsv --out $D/read");
    ck_assert_msg(strstr(out, ": loss") && !strcmp(strstr(out, ": loss"), figures), "%s not %s", out,
                  figures);
    ck_assert(same_files("made", "read"));
    assert_contains(figures, "|tok:none|"); /* they are tokens already */
    free(figures);
}
END_TEST

static void count_some(const char *what, int least, int most, int count, const char *text) {
    bool seen[32] = {false};
    int lines = 0;
    for (const char *p = text; (p = strstr(p, "  source    ")) != NULL; lines++) {
        p += 12;
        int words = words_in(p, strchr(p, '\n'));
        ck_assert_msg(words >= least && words <= most, "%s: %d symbols in %.80s", what, words, p);
        seen[words] = true;
    }
    ck_assert_int_eq(lines, count);
    for (int i = least; i <= most; i++) ck_assert_msg(seen[i], "%s: none of %d symbols", what, i);
}

static void count_symbols(const char *what, int least, int most, const char *text) {
    count_some(what, least, most, 500, text);
}

/* Tasks have two test sets: unseen sequences of the training lengths, and longer ones, which training's --max-length
 * does not affect. */
START_TEST(task) {
    sh("$T train --task sort --sentences 300 --symbols 30 --min-symbols 2 --max-symbols 5 --max-length 5 "
       "--out $D/run" MADE);
    assert_contains(out, "300 pairs to train on, 500 to validate on; vocabularies 34 and 34; ");
    sh(EVALUATE " --samples 500 --out $D/said");
    char *unseen = strstr(out, "\nunseen sequences: 500 sentences in "),
         *longer = strstr(out, "\nlonger than any in training (6 to 10 symbols): 500 sentences in ");
    ck_assert_msg(unseen && longer && unseen < longer, "%.1000s", out);
    count_symbols("longer", 6, 10, unseen);
    *unseen = 0;
    count_symbols("unseen", 2, 5, out);
    char *said = get_file(in_folder("said"), NULL); /* of the first test set */
    ck_assert_int_eq(count_lines(said), 500);
    char *first = strstr(out, "  says      ") + 12;
    ck_assert_msg(!strncmp(said, first, strcspn(said, "\n") + 1), "%.80s not %.80s", said, first);
    free(said);
    for (char *p = out; (p = strstr(p, "  reference ")) != NULL;) { /* sorted */
        p += 12;
        for (int before = 0, symbol, at; sscanf(p, "%d%n", &symbol, &at) == 1; p += at) {
            ck_assert_msg(symbol >= before, "%.80s", p);
            before = symbol;
            if (p[at] == '\n') break;
        }
    }
}
END_TEST

/* Or a test set of given lengths and size, whatever training had. */
START_TEST(other_lengths) {
    sh("$T train --task reverse --sentences 100 --symbols 9 --max-symbols 4 --out $D/run" MADE);
    sh(EVALUATE " --min-symbols 2 --max-symbols 7 --sentences 300 --samples 300");
    assert_contains(out, "\nother sequences (2 to 7 symbols): 300 sentences in ");
    ck_assert_ptr_null(strstr(out, "than any in training"));
    count_some("others", 2, 7, 300, out);
    sh(EVALUATE " --max-symbols 6 --samples 500");
    assert_contains(out, "\nother sequences (1 to 6 symbols): 500 sentences in ");
    sh(EVALUATE " --sentences 3");
    assert_contains(out, "other sequences (1 to 4 symbols): 3 sentences in ");
    static const char *const wrong[][2] = {
        {" --max-symbols 1024", "translate: --max-symbols 1024: a model reads at most 1023\n"},
        {" --min-symbols 8 --max-symbols 7", "translate: toy corpus: found lengths 8 to 7, expected "},
        {" --max-symbols 2", "translate: toy corpus: found only 90 different sentences"},
        {" --sentences 5 --test $D/run/config.txt",
         "--max-symbols are of sequences that are made for a task: leave"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char line[256];
        snprintf(line, sizeof line, EVALUATE "%s", wrong[i][0]);
        ck_assert_int_ne(try(line), 0);
        assert_contains(err, wrong[i][1]);
    }
}
END_TEST

/* A test file may also be given. */
START_TEST(made_and_read) {
    sh("$T train --task copy --sentences 100 --symbols 5 --max-symbols 4 --out $D/run" MADE);
    put_text(in_folder("test.tsv"), "1 2\t1 2\n3\t3\n");
    sh(EVALUATE " --test $D/test.tsv");
    assert_contains(out, "test.tsv: 2 sentences in ");
    ck_assert_ptr_null(strstr(out, "sequences"));
}
END_TEST

/* ---- the demo ---- */

START_TEST(demo) {
    sh("$T demo --steps 3 --out $D/demo");
    assert_contains(
        out,
        "learns to translate from English to French, on sentences that a grammar makes.\n20000 pairs to ");
    char *results = strstr(out, "\nOn 500 held-out sentences"),
         *picture = strstr(out, "\nWhere the decoder's last layer looked");
    char *advice = strstr(out, "\nThe run is in ");
    ck_assert_msg(results && picture && advice && results < picture && picture < advice, "%.3000s", results);
    ck_assert_ptr_nonnull(strstr(results, "\nBLEU|nrefs:1|case:mixed|eff:no|tok:none|"));
    ck_assert_ptr_nonnull(strstr(results, " are right to the last word ("));
    int shown = 0;
    char first[256], sentence[256], *p = results;
    for (; (p = strstr(p, "\n  source    ")) != NULL; p++, shown++)
        if (!shown) ck_assert_int_eq(sscanf(p, "\n  source    %255[^\n]", first), 1);
    ck_assert_int_eq(shown, 5);
    /* a map of the first sentence, whose words are above the columns */
    ck_assert_int_eq(sscanf(strchr(picture + 1, ':') + 2, "%255[^\n]", sentence), 1);
    ck_assert_str_eq(sentence, first);
    char *header = strstr(picture, "\n\n") + 2, *end = strchr(header, '\n');
    *end = 0;
    for (char *word = strtok(sentence, " "); word; word = strtok(NULL, " ")) {
        header = strstr(header, word);
        ck_assert_msg(header, "%s is not above the map", word);
    }
    *end = '\n';
    static const char *const files[] = {
        "model.safetensors", "last.safetensors", "checkpoint.safetensors", "config.txt", "vocab.src.txt",
        "vocab.tgt.txt",     "log.csv"};
    for (int i = 0; i < 7; i++) {
        char path[64];
        snprintf(path, sizeof path, "demo/%s", files[i]);
        ck_assert_msg(access(in_folder(path), R_OK) == 0, "%s", path);
    }
    /* the commands that it advises work */
    char lines[2][512];
    static const char *const what[] = {"\nTry it: ", "\nLook: "};
    for (int i = 0; i < 2; i++) {
        char *line = strstr(advice, what[i]);
        ck_assert_ptr_nonnull(line);
        line = strchr(line, ':') + 1;
        snprintf(lines[i], sizeof lines[i], "%.*s", (int)strcspn(line, "\n"), line);
    }
    ck_assert_ptr_nonnull(strstr(advice, " demo --pair en-zh --out runs/other\n"));
    sh(lines[0]);
    ck_assert_int_eq(count_lines(out), 1);
    sh(lines[1]);
    ck_assert_msg(!strncmp(out, "the small cats do not sleep .\n\n", 31), "%.500s", out);
}
END_TEST

/* The demo can be run again, also with the other language. */
START_TEST(demo_again) {
    sh("$T demo --steps 1 --out $D/demo --quiet >$D/said; $T demo --pair en-zh --steps 1 --out $D/demo "
       "--quiet");
    assert_contains(out, "from English to Chinese");
    ck_assert_ptr_nonnull(strstr(out, " demo --pair en-fr --out runs/other\n"));
    sh("$T info --model $D/demo");
    assert_contains(out, "trained on  en-zh; ");
}
END_TEST

/* A demo does not replace users' runs, nor train a demo's. */
START_TEST(nothing_of_others_is_replaced) {
    write_pairs();
    sh(TRAIN_FILES " --steps 1 --units words --pretokenize none --out $D/run --quiet" SMALL
                   " && cp -r $D/run $D/before");
    ck_assert_int_eq(try("$T demo --steps 1 --quiet --out $D/run"), 1);
    assert_contains(err, "/run holds a trained model already: choose another --out, say --overwrite, or ");
    sh("diff -r $D/run $D/before && $T demo --steps 1 --quiet --out $D/run --overwrite && "
       "$T demo --steps 1 --quiet --out $D/run --pair en-zh"); /* now it is a demo's run */
    sh("$T train --pair en-fr --sentences 60 --steps 1 --out $D/like --quiet" SMALL); /* made here, but not by a demo */
    ck_assert_int_eq(try("$T demo --steps 1 --quiet --out $D/like"), 1);
    assert_contains(err, "/like holds a trained model already");
    sh("$T train --resume $D/run --steps 2 --quiet"); /* a demo's run, trained further */
    ck_assert_int_eq(try("$T demo --steps 1 --quiet --out $D/run"), 1);
    sh("mkdir $D/mine && cp $D/pairs.tsv $D/mine/valid.tsv");
    ck_assert_int_eq(try("$T corpus --sentences 9 --out $D/mine"), 1);
    assert_contains(
        err, "/mine/valid.tsv is there already, and not the same: choose another --out, or remove it\n");
    ck_assert(same_files("mine/valid.tsv", "pairs.tsv"));
    sh("rm $D/mine/valid.tsv && $T corpus --sentences 9 --out $D/mine && $T corpus --sentences 9 --out "
       "$D/mine");
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_test(tc, nothing_of_others_is_replaced);
    tcase_add_test(tc, corpus);
    tcase_add_test(tc, corpus_seeds);
    tcase_add_test(tc, pair);
    tcase_add_test(tc, task);
    tcase_add_test(tc, other_lengths);
    tcase_add_test(tc, made_and_read);
    tcase_add_test(tc, demo);
    tcase_add_test(tc, demo_again);
}

TL_TEST_MAIN("translate: sentences made here")
