/* From a model to translations and scores, as a user asks for them: beams, n-best lists, choice of weights; and
 * evaluate's figures, which must equal those of build/bleu for the translations that evaluate writes. */
#define _XOPEN_SOURCE 700
#include "program.h"

#include <tapeloom.h>

#define TRANSLATE "$T translate --model $D/run --quiet --threads 1"

/* A model that knows something, but not everything, so that hypotheses differ. */
static void train_a_little(void) {
    write_pairs();
    put_text(in_folder("lines"), "the dog eats\na black cat sleeps\n\nthe black dog eats a cat\nunknown\n");
    sh(TRAIN_FILES
       " --out $D/run --steps 25 --lr 0.02 --warmup 0 --average 2 --validate-every 5 --quiet" SMALL);
}

static char *copy(const char *text) { return strcpy(malloc(strlen(text) + 1), text); }

typedef struct hypothesis {
    int line;
    double score;
    char text[256];
} hypothesis;

static int read_nbest(const char *text, hypothesis list[64]) {
    int count = 0;
    for (; *text; text = strchr(text, '\n') + 1, count++) {
        hypothesis *h = &list[count];
        int at = 0;
        ck_assert_int_lt(count, 64);
        ck_assert_msg(sscanf(text, "%d\t%lf%n", &h->line, &h->score, &at) == 2 && text[at] == '\t', "%s",
                      text);
        snprintf(h->text, sizeof h->text, "%.*s", (int)strcspn(text + at + 1, "\n"), text + at + 1);
    }
    return count;
}

/* Lines of number, tab, score, tab, text, best first; the first is the translation without --nbest. */
START_TEST(nbest) {
    train_a_little();
    static const int beams[] = {1, 2, 5};
    static hypothesis list[64];
    for (int b = 0; b < 3; b++) {
        char command[256];
        snprintf(command, sizeof command, TRANSLATE " --beam %d < $D/lines", beams[b]);
        sh(command);
        char *plain = copy(out), *line = plain;
        snprintf(command, sizeof command, TRANSLATE " --nbest --beam %d < $D/lines", beams[b]);
        sh(command);
        int count = read_nbest(out, list), of_line = 0;
        ck_assert_msg(count == 4 * beams[b] + 1, "a blank line has one: %s", out);
        for (int i = 0; i < count; i++) {
            bool first = i == 0 || list[i].line != list[i - 1].line;
            of_line = first ? 1 : of_line + 1;
            ck_assert_msg(of_line <= beams[b] && list[i].line == (i ? list[i - 1].line + first : 1), "%s",
                          out);
            ck_assert_msg(first || list[i].score <= list[i - 1].score, "%s", out);
            if (!first) continue;
            ck_assert_msg(!strncmp(line, list[i].text, strlen(list[i].text)) &&
                              line[strlen(list[i].text)] == '\n',
                          "line %d of\n%snot\n%s", list[i].line, plain, out);
            line = strchr(line, '\n') + 1;
        }
        ck_assert_str_eq(line, "");
        free(plain);
    }
    assert_contains(out, "\n3\t0.0000\t\n");
}
END_TEST

/* Log probability of a line and its translation, computed here by one forward of the library. */
static double log_probability(const char *source, const char *target, long *length) {
    size_t size;
    char *bytes = get_file(in_folder("run/vocab.src.txt"), &size);
    tl_vocab *from = tl_vocab_parse("source", bytes, size);
    free(bytes);
    bytes = get_file(in_folder("run/vocab.tgt.txt"), &size);
    tl_vocab *to = tl_vocab_parse("target", bytes, size);
    free(bytes);
    tl_params *params = tl_params_new(1);
    tl_transformer model = tl_transformer_init(params, "",
                                               &(tl_transformer_config){.src_vocab = tl_vocab_size(from),
                                                                        .tgt_vocab = tl_vocab_size(to),
                                                                        .tie = TL_TIE_TARGET,
                                                                        .d_model = 16,
                                                                        .d_ff = 16,
                                                                        .heads = 2,
                                                                        .layers = 1,
                                                                        .max_len = 1024});
    tl_error error = {""};
    ck_assert_msg(tl_params_load(params, in_folder("run/model.safetensors"), &error), "%s", error.message);
    tl_tape *tape = tl_tape_new();
    tl_tape_set_training(tape, 0);
    tl_corpus *corpus = tl_corpus_new();
    tl_corpus_add(corpus, source, target);
    tl_corpus_encode(corpus, from, to);
    tl_batches *batches = tl_batches_new(corpus, NULL);
    tl_batch batch;
    tl_loss_report report;
    ck_assert(tl_batches_next(batches, &batch));
    ck_assert(tl_ok(tl_model_loss(&model.model, tape, &batch, NULL, &report, NULL)));
    *length = report.count;
    tl_batches_free(batches);
    tl_corpus_free(corpus);
    tl_tape_free(tape);
    tl_params_free(params);
    tl_vocab_free(from);
    tl_vocab_free(to);
    return -report.nll;
}

/* The score is log probability / length^A, with <eos> counted, for every beam; the default of A is 1. */
START_TEST(scores) {
    train_a_little();
    static const struct {
        const char *options;
        double penalty;
    } ways[] = {{"--beam 1", 1},
                {"--beam 4", 1},
                {"--beam 4 --length-penalty 0", 0},
                {"--beam 4 --length-penalty 2.5", 2.5},
                {"--beam 1 --length-penalty 0.5", 0.5}};
    static hypothesis list[64];
    for (int w = 0; w < 5; w++) {
        char command[256];
        snprintf(command, sizeof command, TRANSLATE " --nbest %s", ways[w].options);
        sh_input("a black cat sleeps\n", command);
        int count = read_nbest(out, list), ended = 0;
        for (int i = 0; i < count; i++) {
            long length = 0;
            double sum = log_probability("a black cat sleeps", list[i].text, &length);
            double expected = sum / pow((double)length, ways[w].penalty);
            if (length > 15) continue; /* may have reached its limit without <eos> */
            ended++;
            ck_assert_msg(fabs(list[i].score - expected) < 1e-4, "%s: %s: %.4f, should be %.4f",
                          ways[w].options, list[i].text, list[i].score, expected);
        }
        ck_assert_msg(ended > 0, "%s", out);
    }
}
END_TEST

/* A wider beam finds a translation that is at least as likely; the default is --beam 5. */
START_TEST(beams) {
    train_a_little();
    static hypothesis list[64];
    double best[3];
    static const char *const ways[] = {"--beam 1", "--beam 5", "--beam 50"};
    for (int i = 0; i < 3; i++) {
        char command[256];
        snprintf(command, sizeof command, TRANSLATE " --nbest --length-penalty 0 %s | head -n 1", ways[i]);
        sh_input("the black dog eats a cat\n", command);
        ck_assert_int_eq(read_nbest(out, list), 1);
        best[i] = list[0].score;
    }
    ck_assert_msg(best[0] <= best[1] && best[1] <= best[2], "%g %g %g", best[0], best[1], best[2]);
    sh(TRANSLATE " < $D/lines");
    char *plain = copy(out);
    sh(TRANSLATE " --beam 5 --length-penalty 1 < $D/lines");
    ck_assert_str_eq(out, plain);
    free(plain);
}
END_TEST

START_TEST(alone_as_in_a_batch) {
    train_a_little();
    static const char *const ways[] = {"--nbest", "--nbest --batch-tokens 1", "--nbest --batch-tokens 17",
                                       "--nbest --threads 3", "--beam 3 --length-penalty 0.6"};
    for (int i = 0; i < 5; i++) {
        char command[512];
        snprintf(command, sizeof command, TRANSLATE " %s < $D/lines | sed 's/^[0-9]*\t//'", ways[i]);
        sh(command);
        char *together = copy(out);
        snprintf(command, sizeof command,
                 "while IFS= read -r line; do printf '%%s\\n' \"$line\" | " TRANSLATE
                 " %s; done < $D/lines | sed 's/^[0-9]*\t//'",
                 ways[i]);
        sh(command);
        ck_assert_str_eq(out, together);
        free(together);
    }
}
END_TEST

/* --weights takes the file of that name. */
START_TEST(weights) {
    train_a_little();
    static const char *const names[][2] = {{"best", "model"}, {"last", "last"}, {"average", "average"}};
    for (int i = 0; i < 3; i++) {
        char command[512];
        snprintf(command, sizeof command, TRANSLATE " --nbest --weights %s < $D/lines", names[i][0]);
        sh(command);
        char *said = copy(out);
        snprintf(
            command, sizeof command,
            "rm -rf $D/alone; mkdir $D/alone; cp $D/run/config.txt $D/run/codes.txt $D/run/vocab* $D/alone; "
            "cp "
            "$D/run/%s.safetensors $D/alone/model.safetensors; $T translate --nbest --model $D/alone --quiet "
            "--threads 1 < $D/lines",
            names[i][1]);
        sh(command);
        ck_assert_str_eq(out, said);
        free(said);
    }
    ck_assert(!same_files("run/last.safetensors", "run/average.safetensors"));
}
END_TEST

/* ---- evaluate ---- */

/* The scores that evaluate prints are build/bleu's for what it writes, in each way of counting. */
static void agrees_with_bleu(const char *options, const char *bleu) {
    char command[512];
    snprintf(command, sizeof command,
             "$T evaluate --model $D/run --quiet --threads 1 --test $D/test.tsv --out $D/said %s", options);
    sh(command);
    char *scores = strstr(out, "\nBLEU|"), *exact = strstr(out, ", exact ");
    ck_assert_msg(scores && exact, "%s", out);
    char *expected = copy(scores + 1);
    long count = atol(exact + 8), real = 0;
    snprintf(command, sizeof command,
             "${T%%/*}/bleu --ref $D/references --chrf %s < $D/said; "
             "paste -d '\\n' $D/said $D/references | awk 'NR%%2{a=$0;next}a==$0' | wc -l",
             bleu);
    sh(command);
    ck_assert_msg(!strncmp(out, expected, strlen(expected)), "%s:\n%snot\n%s", options, expected, out);
    real = atol(out + strlen(expected));
    ck_assert_msg(count == real, "%s: exact %ld, counted %ld", options, count, real);
    free(expected);
}

static void write_test(void) {
    put_text(in_folder("test.tsv"), PAIRS "the dog eats\tLe chien mange!\na cat eats\tun chat, mange\n"
                                          "the black dog eats\tle chien noir\n");
    sh("cut -f 2 $D/test.tsv > $D/references");
}

START_TEST(figures) {
    write_test();
    train_a_little();
    static const char *const cases[][2] = {{"", "--tokenize 13a"}, /* fits raw text */
                                           {"--lowercase", "--tokenize 13a --lowercase"},
                                           {"--tokenize none", "--tokenize none"},
                                           {"--tokenize char --beam 1", "--tokenize char"},
                                           {"--tokenize zh --weights last", "--tokenize zh"}};
    for (int i = 0; i < 5; i++) agrees_with_bleu(cases[i][0], cases[i][1]);
    /* the tokens that a run was trained with are the default */
    sh(TRAIN_FILES " --out $D/run --overwrite --units chars --epochs 1 --quiet --lowercase" SMALL);
    agrees_with_bleu("", "--tokenize char --lowercase");
    sh(TRAIN_FILES " --out $D/run --overwrite --units words --pretokenize none --epochs 1 --quiet" SMALL);
    agrees_with_bleu("", "--tokenize none");
    sh(TRAIN_FILES " --out $D/run --overwrite --tokenize zh --epochs 1 --quiet" SMALL);
    agrees_with_bleu("", "--tokenize zh");
}
END_TEST

/* What evaluate writes is what translate prints; two files equal one TSV; samples are lines of it. */
START_TEST(translations) {
    write_test();
    train_a_little();
    sh("cut -f 1 $D/test.tsv > $D/sources; " TRANSLATE " < $D/sources > $D/translated;"
       "$T evaluate --model $D/run --quiet --threads 1 --test $D/test.tsv --out $D/said --samples 3");
    ck_assert(same_files("translated", "said"));
    char *first = copy(strstr(out, "test.tsv: 11 sentences")), *loss = strstr(first, ": loss");
    static const int shown[] = {0, 3, 7}; /* spread over the 11 */
    const char *p = out;
    for (int i = 0; i < 3; i++) {
        char command[256];
        p = strstr(p, "  source    ");
        ck_assert_ptr_nonnull(p);
        char *sample = copy(p);
        snprintf(command, sizeof command, "for f in sources references translated; do sed -n %dp $D/$f; done",
                 shown[i] + 1);
        sh(command);
        char source[128], reference[128], says[128] = "", text[512];
        ck_assert_int_eq(sscanf(out, "%127[^\n]\n%127[^\n]\n%127[^\n]", source, reference, says), 3);
        snprintf(text, sizeof text, "  source    %s\n  reference %s\n  says      %s\n", source, reference,
                 says);
        ck_assert_msg(!strncmp(sample, text, strlen(text)), "%s\nnot\n%s", sample, text);
        put_text(in_folder("sample"), sample + 1);
        free(sample);
        sh("cat $D/sample");
        p = out;
    }
    ck_assert_ptr_null(strstr(out, "  source    "));
    sh("$T evaluate --model $D/run --quiet --threads 1 --test-src $D/sources --test-tgt $D/references "
       "--samples 0");
    ck_assert_msg(strstr(out, ": loss") && !strcmp(strstr(out, ": loss"), loss), "%s not %s", out, loss);
    free(first);
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_test(tc, nbest);
    tcase_add_test(tc, scores);
    tcase_add_test(tc, beams);
    tcase_add_test(tc, alone_as_in_a_batch);
    tcase_add_test(tc, weights);
    tcase_add_test(tc, figures);
    tcase_add_test(tc, translations);
}

TL_TEST_MAIN("translate: decoding and scores")
