/* Every error that a user of the translator can provoke: its text on standard error, one line, nothing on standard
 * output, and the exit status: 2 for a wrong command line, 1 for what went wrong later. */
#define _XOPEN_SOURCE 700
#include "program.h"

/* Text with every $D replaced by the test's folder. */
static const char *expanded(const char *text) {
    static char result[4096];
    size_t used = 0;
    for (; *text; text++)
        if (text[0] == '$' && text[1] == 'D') {
            used += (size_t)snprintf(result + used, sizeof result - used, "%s", here.folder);
            text++;
        } else
            result[used++] = *text;
    result[used] = 0;
    return result;
}

/* The command fails so and not otherwise. `text` is the whole line but for "translate: ". */
static void fails_with(int status, const char *command, const char *text) {
    char line[4200];
    int found = try(command);
    snprintf(line, sizeof line, "translate: %s\n", expanded(text));
    ck_assert_msg(found == status, "%s\nexit status %d, expected %d\n%s%s", command, found, status, out, err);
    ck_assert_msg(!strcmp(err, line), "%s\nsays     %sexpected %s", command, err, line);
    ck_assert_msg(*out == 0, "%s\nprinted %s", command, out);
}

/* The same where something was said before: the last line must begin with `text`. */
static void ends_with(int status, const char *command, const char *text) {
    int found = try(command);
    char *line = strstr(err, "translate: ");
    ck_assert_msg(found == status && line, "%s\nexit status %d, expected %d\n%s%s", command, found, status,
                  out, err);
    ck_assert_msg(!strncmp(line + 11, expanded(text), strlen(expanded(text))), "%s\nsays     %sexpected %s",
                  command, line, expanded(text));
    ck_assert_msg(strchr(line, '\n') == line + strlen(line) - 1, "%s\nsays %s", command, line);
}

/* ---- the command line ---- */

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
        {"--preset huge", "--preset \"huge\": say one of toy|tiny"},
        {"--task fly", "--task \"fly\": say one of reverse|copy|sort"},
        {"--schedule none", "--schedule \"none\": say one of inverse-sqrt|cosine|linear|constant"},
        {"--quiet=yes", "--quiet takes no value"},
        {"--fly", "there is no option \"--fly\" here"},
        {"--fly=3", "there is no option \"--fly=3\" here"},
        {"--tes x", "there is no option \"--tes\" here"},
        {"--test x", "there is no option \"--test\" here"}, /* evaluate's */
        {"--", "there is no option \"--\" here"},
        {"pairs.tsv", "\"pairs.tsv\": options begin with --"},
        {"-q", "\"-q\": options begin with --"},
        {"''", "\"\": options begin with --"},
        {"--threads 1025", "--threads 1025: at most 1024 are possible"},
        {"", "give --train FILE and --valid FILE, or --task reverse"},
        {"--train a.tsv", "give --train FILE and --valid FILE, or --task reverse"},
        {"--valid a.tsv", "give --train FILE and --valid FILE, or --task reverse"},
        {"--task sort --valid a.tsv", "--task makes its own sentences: leave out --train and --valid"},
        {"--task sort --tie all", "--tie all needs --joint: one matrix cannot serve two vocabularies"},
        {"--task sort --heads 5", "--d-model 128 does not split into --heads 5: choose heads that divide it"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char command[256], text[256];
        snprintf(command, sizeof command, "$T train %s", cases[i][0]);
        snprintf(text, sizeof text, "%s; see translate train --help", cases[i][1]);
        fails_with(2, command, text);
    }
    fails_with(2, "$T fly", "there is no command \"fly\"; translate --help lists them");
    fails_with(2, "$T evaluate", "give --test FILE; see translate evaluate --help");
    fails_with(2, "$T evaluate --train x",
               "there is no option \"--train\" here; see translate evaluate --help");
    fails_with(2, "$T translate --model",
               "--model: DIR is missing behind it; see translate translate --help");
    fails_with(2, "$T demo --task fly",
               "--task \"fly\": say one of reverse|copy|sort; see translate demo --help");
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
    fails_with(
        1, WITH("long.tsv") " --strict --max-length 3",
        "$D/long.tsv:2: found 4 tokens in the source, expected at most 3: mend or remove the line, or read "
        "without strict to skip it");
    fails_with(1, "$T train --train $D/pairs.tsv --valid $D/pairs.tsv --min-count 20",
               "$D/pairs.tsv: no word is seen --min-count 20 times: lower it, or give more sentences");
    ck_assert_msg(access(in_folder("run"), F_OK) != 0, "nothing was trained, so there should be no folder");
}
END_TEST

START_TEST(bad_task) {
    fails_with(
        1, "$T train --task copy --symbols 2 --max-symbols 3 --sentences 15 --out $D/run",
        "toy corpus: found only 14 different sentences of 2 symbols and lengths 1 to 3, expected 15: ask for "
        "fewer, or allow more symbols or greater lengths");
    fails_with(1, "$T train --task copy --min-symbols 5 --max-symbols 3 --out $D/run",
               "toy corpus: found lengths 5 to 3, expected 1 ≤ shortest ≤ longest ≤ 100000");
}
END_TEST

/* ---- training ---- */

START_TEST(training_fails) {
    write_pairs();
    sh("touch $D/file");
    fails_with(1, TRAIN_FILES " --out $D/file" SMALL,
               "cannot make the folder $D/file: Not a directory; a part of the path "
               "is a file, not a folder: check the path");
    ends_with(1, TRAIN_FILES " --out $D/run --lr 1e200 --warmup 0 --clip 0 --epochs 3 --quiet" SMALL,
              "step 1: the loss on the validation sentences is not a number; try a smaller --lr or a longer "
              "--warmup");
    ck_assert_msg(access(in_folder("run/model.safetensors"), F_OK) != 0,
                  "weights that are no numbers were kept");
    ends_with(1, TRAIN_FILES " --out $D/run --lr 1e200 --warmup 0 --clip 0 --batch-tokens 8 --quiet" SMALL,
              "step 2: the loss is not a number; try a smaller --lr or a longer --warmup; what went wrong "
              "first: node ");
}
END_TEST

START_TEST(overwriting) {
    write_pairs();
    sh(TRAIN_FILES " --steps 2 --out $D/run --quiet" SMALL);
    sh("cp $D/run/model.safetensors $D/model; cp $D/run/config.txt $D/config");
    fails_with(1, TRAIN_FILES " --steps 3 --joint --out $D/run --quiet" SMALL,
               "$D/run holds a trained model already: choose another --out, or say --overwrite");
    ck_assert(same_files("run/model.safetensors", "model") && same_files("run/config.txt", "config"));
    /* a run that comes to nothing does not leave the new vocabulary beside the old weights */
    ck_assert_int_eq(
        try(TRAIN_FILES " --joint --overwrite --lr 1e200 --warmup 0 --clip 0 --out $D/run --quiet" SMALL), 1);
    ck_assert_int_ne(access(in_folder("run/model.safetensors"), F_OK), 0);
    sh(TRAIN_FILES " --steps 3 --joint --overwrite --out $D/run --quiet" SMALL);
    sh_input("a dog\n", "$T translate --model $D/run --quiet");
}
END_TEST

/* ---- a model's folder that is not whole ---- */

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
         "cannot read $D/run/model.safetensors: No such file or directory; check the path"},
        {"rm vocab.tgt.txt", "cannot read $D/run/vocab.tgt.txt: No such file or directory; check the path"},
        {"sed -i.old 's/^preset.*/preset = huge/' config.txt",
         "$D/run/config.txt: preset = \"huge\": expected toy|tiny; correct the line"},
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
         "$D/run/config.txt line 14: layers = \"two\": expected a whole number; correct the line"},
        {"sed -i.old 's/^layers.*/layer = 1/' config.txt",
         "$D/run/config.txt line 14: there is no setting \"layer\"; correct the line, or use the version of "
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
    sh_input("a dog\n", TRANSLATE); /* the copy itself is sound */
}
END_TEST

/* ---- input and output ---- */

START_TEST(input_and_output) {
    write_pairs();
    sh(TRAIN_FILES " --steps 1 --out $D/run --quiet" SMALL);
    fails_with(1, TRANSLATE " <&-", "cannot read standard input: Bad file descriptor");
    fails_with(1, TRANSLATE " <$D", "cannot read standard input: Is a directory");
    if (access("/dev/full", W_OK) == 0)
        fails_with(1, "echo a dog | " TRANSLATE " >/dev/full",
                   "cannot write all translations to standard output: No space left on device");
    else
        TL_SKIP("a full disk: no /dev/full here");
    fails_with(1, "(echo a dog; seq 1024 | tr '\\n' ' ') | " TRANSLATE,
               "line 2 has 1024 words, and a model reads at most 1023: cut it into sentences");
    sh("(echo a dog; seq 1023 | tr '\\n' ' ') | " TRANSLATE);
    ck_assert_int_eq(count_lines(out), 2);
    fails_with(1, "$T evaluate --model $D/run --test $D/none.tsv",
               "cannot read $D/none.tsv: No such file or directory; check the path");
    /* as long as that in a file: left out, not fatal */
    sh("(seq 1023 | tr '\\n' ' '; printf '\\tx\\n'; seq 1024 | tr '\\n' ' '; printf '\\tx\\n') > $D/long.tsv;"
       "$T evaluate --model $D/run --test $D/long.tsv");
    assert_contains(err, "  too long (more than 1023 tokens): 1, line 2\n");
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_test(tc, wrong_command_line);
    tcase_add_test(tc, bad_files);
    tcase_add_test(tc, bad_task);
    tcase_add_test(tc, training_fails);
    tcase_add_test(tc, overwriting);
    tcase_add_test(tc, damaged_model);
    tcase_add_test(tc, input_and_output);
}

TL_TEST_MAIN("translate: every error")
