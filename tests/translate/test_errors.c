/* Every error that a user of the translator can cause: one line on standard error, nothing on standard output, and
 * exit status 2 for a wrong command line, 1 for later errors. */
#define _XOPEN_SOURCE 700
#include "failures.h"

/* ---- the command line ---- */

#define GIVE_SENTENCES                                                                        \
 "give --train FILE and --valid FILE (or --train-src, --train-tgt, --valid-src, --valid-tgt)" \
 ", or --pair en-fr, or --task reverse"
#define GIVE_TRAIN "give --train FILE, or --train-src FILE and --train-tgt FILE"
#define GIVE_VALID "give --valid FILE, or --valid-src FILE and --valid-tgt FILE"

START_TEST(wrong_command_line) {
    static const char *const cases[][2] = {
        {"--lr", "--lr: R is missing behind it"},
        {"--lr --quiet", "--lr: R is missing behind it"},
        {"--steps many", "--steps \"many\": a whole number from 0 to 2147483647 is expected"},
        {"--steps 1.5", "--steps \"1.5\": a whole number from 0 to 2147483647 is expected"},
        {"--steps=", "--steps \"\": a whole number from 0 to 2147483647 is expected"},
        {"--steps -3", "--steps \"-3\": a whole number from 0 to 2147483647 is expected"},
        {"--seed 2147483648", "--seed \"2147483648\": a whole number from 0 to 2147483647 is expected"},
        {"--lr fast", "--lr \"fast\": a number from 0 up is expected"},
        {"--lr -1", "--lr \"-1\": a number from 0 up is expected"},
        {"--lr nan", "--lr \"nan\": a number from 0 up is expected"},
        {"--minutes inf", "--minutes \"inf\": a number from 0 up is expected"},
        {"--dropout 1", "--dropout \"1\": a number from 0 up to, but not, 1 is expected"},
        {"--beta2 nan", "--beta2 \"nan\": a number from 0 up to, but not, 1 is expected"},
        {"--tie both", "--tie \"both\": say one of none|target|all"},
        {"--tie tar", "--tie \"tar\": say one of none|target|all"},
        {"--tie=", "--tie \"\": say one of none|target|all"},
        {"--preset huge", "--preset \"huge\": say one of toy|tiny|small|base|rnn"},
        {"--task fly", "--task \"fly\": say one of reverse|copy|sort"},
        {"--units letters", "--units \"letters\": say one of bpe|words|chars"},
        {"--src-units letters", "--src-units \"letters\": say one of bpe|words|chars"},
        {"--pretokenize chars", "--pretokenize \"chars\": say one of none|words"},
        {"--tokenize 14a", "--tokenize \"14a\": say one of none|13a|zh|char"},
        {"--pair fr-en", "--pair \"fr-en\": say one of en-fr|en-zh"},
        {"--best-by exact", "--best-by \"exact\": say one of bleu|loss"},
        {"--schedule none", "--schedule \"none\": say one of inverse-sqrt|cosine|linear|constant"},
        {"--quiet=yes", "--quiet takes no value"},
        {"--fly", "there is no option \"--fly\" here"},
        {"--fly=3", "there is no option \"--fly=3\" here"},
        {"--tes x", "there is no option \"--tes\" here"},
        {"--test x", "there is no option \"--test\" here"}, /* an option of evaluate */
        {"--", "there is no option \"--\" here"},
        {"pairs.tsv", "\"pairs.tsv\": options begin with --"},
        {"-q", "\"-q\": options begin with --"},
        {"''", "\"\": options begin with --"},
        {"--threads 1025", "--threads 1025: at most 1024 are possible"},
        {"", GIVE_SENTENCES},
        {"--valid a.tsv", GIVE_SENTENCES},
        {"--valid-src a --valid-tgt b", GIVE_SENTENCES},
        {"--train a.tsv", GIVE_VALID},
        {"--train a.tsv --valid-src b", GIVE_VALID},
        {"--train a.tsv --valid-tgt b", GIVE_VALID},
        {"--train a.tsv --valid b --valid-src c --valid-tgt d", GIVE_VALID},
        {"--train-src a --valid b", GIVE_TRAIN},
        {"--train-tgt a --valid b", GIVE_TRAIN},
        {"--train a --train-src b --train-tgt c --valid d", GIVE_TRAIN},
        {"--train a --train-tgt b --valid c", GIVE_TRAIN},
        {"--pair en-fr --task sort", "--pair and --task: give one of them"},
        {"--pair en-fr --train a.tsv", "--pair makes its own sentences: leave out --train and --valid"},
        {"--pair en-fr --valid-tgt a", "--pair makes its own sentences: leave out --train and --valid"},
        {"--task sort --valid a.tsv", "--task makes its own sentences: leave out --train and --valid"},
        {"--task sort --train-src a", "--task makes its own sentences: leave out --train and --valid"},
        {"--task sort --tie all", "--tie all needs --joint: one matrix cannot serve two vocabularies"},
        {"--train a --valid b --joint --src-units chars",
         "--joint needs the same units on both sides, not chars and bpe"},
        {"--train a --valid b --joint --units words --tgt-units chars",
         "--joint needs the same units on both sides, not words and chars"},
        {"--task sort --average 101", "--average 101: at most 100 are possible"},
        {"--task sort --heads 5", "--d-model 128 does not split into --heads 5: choose heads that divide it"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char command[256], text[256];
        snprintf(command, sizeof command, "$T train %s", cases[i][0]);
        snprintf(text, sizeof text, "%s; see translate train --help", cases[i][1]);
        fails_with(2, command, text);
    }
}
END_TEST

#define GIVE_TEST "give --test FILE, or --test-src FILE and --test-tgt FILE; see translate evaluate --help"

START_TEST(other_commands) {
    fails_with(2, "$T fly", "there is no command \"fly\"; translate --help lists them");
    fails_with(2, "$T --fly", "there is no command \"--fly\"; translate --help lists them");
    fails_with(2, "$T evaluate --test-src x", GIVE_TEST);
    fails_with(2, "$T evaluate --test-tgt x", GIVE_TEST);
    fails_with(2, "$T evaluate --test x --test-src y --test-tgt z", GIVE_TEST);
    fails_with(2, "$T evaluate --weights worst",
               "--weights \"worst\": say one of best|last|average; see translate evaluate --help");
    fails_with(2, "$T translate --length-penalty -1",
               "--length-penalty \"-1\": a number from 0 up is expected; see translate translate --help");
    fails_with(2, "$T translate --beam 1001",
               "--beam 1001: at most 1000 are possible; see translate translate --help");
    fails_with(2, "$T translate --nbest=3", "--nbest takes no value; see translate translate --help");
    fails_with(2, "$T translate --samples 3",
               "there is no option \"--samples\" here; see translate translate --help");
    fails_with(
        2, "$T attention --head first",
        "--head \"first\": a whole number from 0 to 2147483647 is expected; see translate attention --help");
    fails_with(2, "$T info --quiet", "there is no option \"--quiet\" here; see translate info --help");
    fails_with(2, "$T info run", "\"run\": options begin with --; see translate info --help");
    fails_with(2, "$T corpus --pair en-de",
               "--pair \"en-de\": say one of en-fr|en-zh; see translate corpus --help");
    fails_with(2, "$T evaluate --train x",
               "there is no option \"--train\" here; see translate evaluate --help");
    fails_with(2, "$T translate --model",
               "--model: DIR is missing behind it; see translate translate --help");
    fails_with(2, "$T demo --pair fly", "--pair \"fly\": say one of en-fr|en-zh; see translate demo --help");
    fails_with(2, "$T demo --threads 2000",
               "--threads 2000: at most 1024 are possible; see translate demo --help");
}
END_TEST

/* ---- files to train on ---- */

START_TEST(bad_files) {
    write_pairs();
    put_text(in_folder("empty.tsv"), "");
    put_text(in_folder("plain.tsv"), "no tab\nat all\n");
    put_text(in_folder("one.tsv"), "a dog\tun chien\n\nx\ty\n");
    put_file(in_folder("latin.tsv"), "a dog\tun chien\nthe \xe9t\xe9\tx\n", 26);
    put_text(in_folder("long.tsv"), "a dog\tun chien\na b c d\te\n");
#define WITH(file) "$T train --valid $D/pairs.tsv --out $D/run --steps 1" SMALL " --train $D/" file
    fails_with(1, WITH("none.tsv"), "cannot read $D/none.tsv: No such file or directory; check the path");
    fails_with(1, "$T train --train $D/pairs.tsv --valid $D/none.tsv",
               "cannot read $D/none.tsv: No such file or directory; check the path");
    fails_with(1, WITH(""), "cannot read $D/: Is a directory; this is a folder: give the path of a file");
    fails_with(1, WITH("empty.tsv"),
               "$D/empty.tsv:1: found an empty text, expected lines of source, tab, target: check "
               "that this is the right file");
    fails_with(1, WITH("plain.tsv"),
               "$D/plain.tsv:1: found no sentence pair in 2 lines (this one: no tab), expected "
               "source, tab, target in UTF-8: check that this is the right file");
    fails_with(1, WITH("plain.tsv") " --strict",
               "$D/plain.tsv:1: found no tab in \"no tab\", expected source, tab, target: mend or remove the "
               "line, or "
               "read without strict to skip it");
    fails_with(1, WITH("one.tsv") " --strict",
               "$D/one.tsv:2: found a blank line, expected text on both sides of a tab: "
               "mend or remove the line, or read without strict to skip it");
    fails_with(1, WITH("latin.tsv") " --strict",
               "$D/latin.tsv:2: found the byte 0xE9 at byte 5 of the line, expected UTF-8 without NUL: "
               "convert the file "
               "(iconv -t UTF-8), or read without strict to skip the line");
    fails_with(1, WITH("long.tsv") " --units words --min-count 1 --strict --max-length 3 --quiet",
               "$D/long.tsv:2: more than 3 tokens on one side: shorten it, or raise --max-length");
    fails_with(1, WITH("long.tsv") " --max-length 1 --quiet",
               "$D/long.tsv: every pair has more than 1 tokens on one side: raise --max-length");
    fails_with(1, "$T train --train $D/pairs.tsv --valid $D/pairs.tsv --min-count 20 --quiet",
               "$D/pairs.tsv: no word is seen --min-count 20 times: lower it, or give more sentences");
    /* two files */
    sh("cut -f 1 $D/pairs.tsv > $D/src; cut -f 2 $D/pairs.tsv > $D/tgt; head -n 7 $D/tgt > $D/short;"
       "sed '3s/.*//' $D/tgt > $D/gap");
#define WITH_TWO(a, b) \
 "$T train --valid $D/pairs.tsv --out $D/run --steps 1" SMALL " --train-src $D/" a " --train-tgt $D/" b
    fails_with(1, WITH_TWO("none", "tgt"), "cannot read $D/none: No such file or directory; check the path");
    fails_with(1, WITH_TWO("src", "none"), "cannot read $D/none: No such file or directory; check the path");
    fails_with(
        1, WITH_TWO("src", "short"),
        "$D/short: found 7 lines, expected 8 as in $D/src: give two files whose lines belong together");
    fails_with(1, WITH_TWO("src", "gap") " --strict",
               "$D/gap:3: found a blank line, expected text in the line of both files: mend the line, remove "
               "it from both files, or read without strict to skip it");
    ck_assert_msg(access(in_folder("run"), F_OK) != 0, "nothing was trained, so there should be no folder");
}
END_TEST

#define NOT_A_FOLDER                                                                                       \
 "cannot make the folder $D/file: Not a directory; a part of the path is a file, not a folder: check the " \
 "path"

START_TEST(made_here) {
    fails_with(
        1, "$T train --task copy --symbols 2 --max-symbols 3 --sentences 15 --out $D/run",
        "toy corpus: found only 14 different sentences of 2 symbols and lengths 1 to 3, expected 15: ask for "
        "fewer, or allow more symbols or greater lengths");
    fails_with(1, "$T train --task copy --min-symbols 5 --max-symbols 3 --out $D/run",
               "toy corpus: found lengths 5 to 3, expected 1 ≤ shortest ≤ longest ≤ 100000");
    fails_with(
        1, "$T train --pair en-fr --sentences 200001 --out $D/run",
        "grammar corpus: found 200001 sentences from number 0 on, but there are 100000: ask for fewer");
    sh("touch $D/file");
    fails_with(1, "$T corpus --sentences 10 --out $D/file", NOT_A_FOLDER);
    ends_with(1, "$T demo --steps 1 --quiet --out $D/file", NOT_A_FOLDER);
}
END_TEST

/* ---- training ---- */

START_TEST(overwriting) {
    write_pairs();
    sh("touch $D/file");
    fails_with(1, TRAIN_FILES " --quiet --out $D/file" SMALL, NOT_A_FOLDER);
    sh(TRAIN_FILES " --steps 2 --out $D/run --quiet" SMALL);
    sh("cp $D/run/model.safetensors $D/model; cp $D/run/config.txt $D/config");
    fails_with(1, TRAIN_FILES " --steps 3 --joint --out $D/run --quiet" SMALL,
               "$D/run holds a trained model already: choose another --out, say --overwrite, or go on with "
               "it by --resume $D/run");
    ck_assert(same_files("run/model.safetensors", "model") && same_files("run/config.txt", "config"));
    /* a run that fails does not leave a new vocabulary with old weights */
    ck_assert_int_eq(
        try(TRAIN_FILES " --joint --overwrite --lr 1e200 --warmup 0 --clip 0 --out $D/run --quiet" SMALL), 1);
    ck_assert_int_ne(access(in_folder("run/model.safetensors"), F_OK), 0);
    sh(TRAIN_FILES " --steps 3 --joint --overwrite --out $D/run --quiet" SMALL);
    sh_input("a dog\n", "$T translate --model $D/run --quiet");
    /* nothing of the old run stays: neither its codes nor its average */
    sh("touch $D/run/average.safetensors");
    sh(TRAIN_FILES " --steps 1 --units words --overwrite --out $D/run --quiet" SMALL);
    ck_assert_int_ne(access(in_folder("run/codes.txt"), F_OK), 0);
    ck_assert_int_ne(access(in_folder("run/average.safetensors"), F_OK), 0);
}
END_TEST

/* ---- damaged model folders ---- */

#define TRANSLATE "$T translate --model $D/run --quiet"

/* Damages a copy of the good run with a shell command. */
static void damage(const char *how) {
    char command[512];
    snprintf(command, sizeof command, "rm -rf $D/run && cp -r $D/good $D/run && cd $D/run && %s", how);
    sh(command);
}

START_TEST(damaged_model) {
    write_pairs();
    sh(TRAIN_FILES " --steps 1 --out $D/good --quiet" SMALL);
    fails_with(1, TRANSLATE, "cannot read $D/run/config.txt: No such file or directory; check the path");
    fails_with(1, "$T evaluate --model $D/run --test $D/pairs.tsv",
               "cannot read $D/run/config.txt: No such file or directory; check the path");
    static const char *const cases[][2] = {
        {"rm model.safetensors",
         "$D/run/model.safetensors is not there: training has not come to its first validation; go on with "
         "train --resume"},
        {"rm codes.txt", "cannot read $D/run/codes.txt: No such file or directory; check the path"},
        {": > codes.txt", "$D/run/codes.txt:1: found an empty text, expected \"#version: 0.2\" and a merge a "
                          "line: give the codes that learning wrote"},
        {"echo a b c > codes.txt",
         "$D/run/codes.txt:1: found \"a b c\", expected two symbols with one space between them: the file "
         "was changed, or holds no codes; give the one that learning wrote"},
        {"rm vocab.tgt.txt", "cannot read $D/run/vocab.tgt.txt: No such file or directory; check the path"},
        {"sed -i.old 's/^preset.*/preset = huge/' config.txt",
         "$D/run/config.txt: preset = \"huge\": expected toy|tiny|small|base|rnn; correct the line"},
        {"sed -i.old 's/^activation =.*/activation = tanh/' config.txt",
         "$D/run/config.txt: activation = \"tanh\": expected relu|gelu; correct the line"},
        {"sed -i.old 's/^heads.*/heads = -2/' config.txt",
         "$D/run/config.txt: heads = \"-2\": expected a whole number from 0 to 2147483647; correct the line"},
        {"sed -i.old 's/^heads.*/heads = 3/' config.txt",
         "$D/run/config.txt: --d-model 16 does not split into --heads 3: choose heads that divide it"},
        {"sed -i.old 's/^dropout.*/dropout = 2/' config.txt",
         "$D/run/config.txt: dropout = \"2\": expected a number from 0 up to, but not, 1; correct the line"},
        {"sed -i.old 's/^tie.*/tie = all/' config.txt",
         "$D/run/config.txt: --tie all needs --joint: one matrix cannot serve two vocabularies"},
        {"sed -i.old 's/^layers.*/layers = two/' config.txt",
         "$D/run/config.txt line 21: layers = \"two\": expected a whole number; correct the line"},
        {"sed -i.old 's/^layers.*/layer = 1/' config.txt",
         "$D/run/config.txt line 21: there is no setting \"layer\"; correct the line, or use the version of "
         "translate "
         "that wrote it"},
        {"echo nonsense > config.txt",
         "$D/run/config.txt line 1: expected key = value, found \"nonsense\"; add the '='"},
        {"sed -i.old 's/^d-model.*/d-model = 32/' config.txt",
         "$D/run/model.safetensors: tensor \"src_embedding.weight\" has shape [11,16], expected [11,32]; the "
         "model must be "
         "made with the configuration it was saved with"},
        {"sed -i.old 's/^layers.*/layers = 2/' config.txt",
         "$D/run/model.safetensors: no tensor \"encoder.layers.1.self_attn.in_proj_weight\", expected one of "
         "shape "
         "[48,16]; the model must be made with the configuration it was saved with"},
        {"echo 'zebra' >> vocab.src.txt", "$D/run/vocab.src.txt:13: found \"zebra\", expected the end after "
                                          "11 entries: the file was changed or cut off; "
                                          "write it anew"},
        {": > vocab.src.txt",
         "$D/run/vocab.src.txt:1: found \"\", expected \"tapeloom-vocab 1 <entries>\": this is no "
         "vocabulary; give the file that training wrote"},
        {": > model.safetensors",
         "$D/run/model.safetensors: 0 bytes, expected at least 8; this is no safetensors file, "
         "or a cut-off one: check the path, or make or fetch it again"},
        {"echo 'not a safetensors file' > model.safetensors",
         "$D/run/model.safetensors: byte 0: a header of 7021991845529153390 bytes, expected at most 15; this "
         "is no "
         "safetensors file, or a cut-off one: check the path, or make or fetch it again"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        damage(cases[i][0]);
        fails_with(1, TRANSLATE, cases[i][1]);
    }
    damage("size=$(wc -c < model.safetensors) && head -c $((size - 100)) model.safetensors > cut && mv cut "
           "model.safetensors");
    ends_with(1, TRANSLATE, "$D/run/model.safetensors: ");
    assert_contains(err, "make or fetch the file again");
    damage(":");
    sh_input("a dog\n", TRANSLATE); /* the undamaged copy works */
}
END_TEST

/* ---- input and output ---- */

START_TEST(input_and_output) {
    write_pairs();
    sh(TRAIN_FILES " --steps 1 --units words --pretokenize none --out $D/run --quiet" SMALL);
    fails_with(1, TRANSLATE " <&-",
               "cannot read standard input: Bad file descriptor; it was closed before the program began: "
               "give it a file or a pipe");
    fails_with(1, TRANSLATE " <$D",
               "cannot read standard input: Is a directory; this is a folder: give the path of a file");
    if (access("/dev/full", W_OK) == 0)
        fails_with(
            1, "echo a dog | " TRANSLATE " >/dev/full",
            "cannot write standard output: No space left on device; free some space or choose another disk");
    else
        TL_SKIP("a full disk: no /dev/full here");
    sh("(echo a dog; seq 1023 | tr '\\n' ' ') | " TRANSLATE " --beam 1");
    ck_assert_int_eq(count_lines(out), 2);
    fails_with(1, "$T evaluate --model $D/run --test $D/none.tsv",
               "cannot read $D/none.tsv: No such file or directory; check the path");
    /* too long a line in a file: left out, not fatal */
    sh("(seq 1023 | tr '\\n' ' '; printf '\\tx\\n'; seq 1024 | tr '\\n' ' '; printf '\\tx\\n') > $D/long.tsv;"
       "$T evaluate --model $D/run --test $D/long.tsv --beam 1 --threads 1");
    assert_contains(err, "  too long (more than 1023 tokens): 1, line 2\n");
    assert_contains(out, "long.tsv: 1 sentences in ");
    fails_with(1, "$T evaluate --model $D/run --test $D/long.tsv --strict",
               "$D/long.tsv:2: more than 1023 tokens on one side: shorten it");
    fails_with(1, "tail -n 1 $D/long.tsv > $D/longer.tsv; $T evaluate --model $D/run --test $D/longer.tsv",
               "$D/longer.tsv: every pair has more than 1023 tokens on one side: cut them into sentences");
}
END_TEST

START_TEST(what_is_not_there) {
    write_pairs();
    sh(TRAIN_FILES " --steps 1 --out $D/run --quiet" SMALL);
    sh("echo a dog > $D/line");
    fails_with(2, "$T evaluate --model $D/run", "give --test FILE; see translate evaluate --help");
    static const char *const cases[][2] = {
        {"$T translate --weights average",
         "$D/run/average.safetensors is not there: train with --average N, or leave out --weights average"},
        {"rm $D/run/last.safetensors; $T evaluate --test $D/pairs.tsv --weights last",
         "$D/run/last.safetensors is not there: training has not come to its first validation; go on with "
         "train "
         "--resume"},
        {"$T attention --layer 2", "--layer 2: the decoder has 1: give 1 … 1, or 0 for the last"},
        {"$T attention --head 3", "--head 3: a layer has 2: give 1 … 2, or 0 for the mean of all"},
        {"$T evaluate --test-src $D/line --test-tgt $D/none",
         "cannot read $D/none: No such file or directory; check the path"},
        {"$T evaluate --test-src $D/line --test-tgt $D/pairs.tsv",
         "$D/pairs.tsv: found 8 lines, expected 1 as in $D/line: give two files whose lines belong together"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char command[256];
        snprintf(command, sizeof command, "%s --model $D/run < $D/line", cases[i][0]);
        fails_with(1, command, cases[i][1]);
    }
    static const char *const commands[] = {"translate", "evaluate --test $D/pairs.tsv", "attention", "info"};
    for (int i = 0; i < 4; i++) {
        char command[256];
        snprintf(command, sizeof command, "$T %s --model $D/no/run", commands[i]);
        fails_with(1, command, "cannot read $D/no/run/config.txt: No such file or directory; check the path");
    }
    ends_with(1, "$T evaluate --model $D/run --test $D/pairs.tsv --out $D/no/out --threads 1",
              "cannot write $D/no/out");
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_test(tc, wrong_command_line);
    tcase_add_test(tc, other_commands);
    tcase_add_test(tc, bad_files);
    tcase_add_test(tc, made_here);
    tcase_add_test(tc, overwriting);
    tcase_add_test(tc, damaged_model);
    tcase_add_test(tc, input_and_output);
    tcase_add_test(tc, what_is_not_there);
}

TL_TEST_MAIN("translate: every error")
