/* GRU and LSTM in the translator: each is trained, resumed bit for bit, opened as the same kind, translates by beam
 * search, is scored and drawn like a Transformer; what a model without attention cannot do is reported. */
#define _XOPEN_SOURCE 700
#include "running.h"

#define TRAIN                                                                                             \
 "$T train --task reverse --sentences 120 --symbols 6 --max-symbols 4 --quiet --threads 1 --dropout 0.2 " \
 "--d-model 12 --batch-tokens 128 --lr 0.01 --warmup 5 --seed 4 "

static const struct {
    const char *options, *model, *attention; /* what info says */
} runs[] = {
    {"--model gru --bidirectional --embedding 8 --tie none",
     "encoder-decoder GRU, rnn: d_model 12, embeddings 8, 1 + 1 layers, read from both ends\n",
     "additive attention, 1 head; embeddings tied: none\n"},
    {"--model lstm --attention general --input-feeding --bidirectional --layers 2 --attention-dropout 0.1",
     "encoder-decoder LSTM, rnn: d_model 12, embeddings 12, 2 + 2 layers, read from both ends\n",
     "general attention, 1 head, input feeding; embeddings tied: target\n"},
    {"--model gru --attention scaled-dot --heads 3 --joint --tie all",
     "encoder-decoder GRU, rnn: d_model 12, embeddings 12, 1 + 1 layers\n",
     "scaled-dot attention, 3 heads; embeddings tied: all\n"},
    {"--model lstm --attention none --feed-context", "encoder-decoder LSTM, rnn: d_model 12,",
     "no attention, one vector of the source that each step reads; embeddings tied: target\n"},
};
enum { RUNS = sizeof runs / sizeof *runs };

static bool has_attention(int i) { return !strstr(runs[i].options, "none --feed"); }

static void train(const char *options, const char *more) {
    char line[512];
    snprintf(line, sizeof line, TRAIN "%s %s", options, more);
    sh(line);
}

START_TEST(goes_on_to_the_same_bits) {
    train(runs[_i].options, "--steps 8 --validate-every 4 --out $D/whole");
    train(runs[_i].options, "--steps 4 --validate-every 4 --out $D/part");
    sh("$T train --resume $D/part --steps 8 --threads 2 --quiet");
    ck_assert(same_files("whole/last.safetensors", "part/last.safetensors"));
    ck_assert(same_files("whole/model.safetensors", "part/model.safetensors"));
    ck_assert(!same_files("whole/config.txt", "whole/vocab.src.txt"));
    ck_assert_int_eq(try("$T train --resume $D/part --steps 9 --model transformer --quiet"), 1);
    assert_contains(err, "--model cannot change while a run goes on");
}
END_TEST

START_TEST(is_used_as_any_model) {
    train(runs[_i].options, "--steps 30 --out $D/run");
    sh("$T info --model $D/run");
    assert_contains(out, runs[_i].model);
    assert_contains(out, runs[_i].attention);
    sh_input("1 2 3\n4 5\n", "$T translate --model $D/run --beam 3 --nbest --threads 1 --quiet");
    ck_assert_int_ge(count_lines(out), 4);
    char *both = strcpy(malloc(strlen(out) + 1), out);
    sh_input("1 2 3\n4 5\n",
             "$T translate --model $D/run --beam 3 --nbest --threads 2 --batch-tokens 1 --quiet");
    ck_assert_str_eq(out, both); /* alone as in a batch */
    free(both);
    sh("$T evaluate --model $D/run --beam 2 --quiet --threads 1 --max-symbols 5 --sentences 20");
    assert_contains(out, "other sequences (1 to 5 symbols): 20 sentences in ");
    const int drawn = try("echo 1 2 3 | $T attention --model $D/run --threads 1 --quiet"),
              replaced =
                  try("echo 1 2 9 | $T translate --model $D/run --threads 1 --quiet --replace-unknown");
    ck_assert_int_eq(drawn, has_attention(_i) ? 0 : 1);
    ck_assert_int_eq(replaced, has_attention(_i) ? 0 : 1);
    if (!has_attention(_i))
        assert_contains(err, "no attention that would say which word stands in the place of <unk>");
}
END_TEST

START_TEST(pictures) {
    train(runs[1].options, "--steps 5 --out $D/run");
    sh("echo 1 2 3 | $T attention --model $D/run --threads 1 --quiet --layer 1 --head 1"); /* one layer has one */
    ck_assert_msg(!strncmp(out, "1 2 3\n\n", 7) && strstr(out, " 1  2  3  <eos>"), "%s", out);
    ck_assert_int_eq(try("echo 1 | $T attention --model $D/run --threads 1 --quiet --layer 2"), 1);
    assert_contains(err, "--layer 2: the decoder has 1: give 1 … 1");
    train(runs[3].options, "--steps 2 --out $D/none");
    ck_assert_int_eq(try("echo 1 | $T attention --model $D/none --threads 1 --quiet"), 1);
    assert_contains(err,
                    "translate: the model has no attention (--attention none): there is nothing to draw\n");
    ck_assert_int_eq(try("${BUILD:-build}/read_a_run $D/none '1 2'"), 1); /* also in a user's own program */
    assert_contains(err, "read_a_run: the model has no attention to look at\n");
}
END_TEST

/* Impossible values in a configuration are refused with their place, or make no model that the weights do not have. */
START_TEST(odd_configurations) {
    train(runs[0].options, "--attention general --steps 2 --out $D/run");
    static const char *const cases[][2] = {
        {"s/^model.*/model = cnn/", "model = \"cnn\": expected transformer|gru|lstm; correct the line"},
        {"s/^attention = .*/attention = dot/", "--bidirectional: states from both ends are twice as wide"},
        {"s/^attention = .*/attention = no/", "attention = \"no\": expected additive|none"},
        {"s/^model.*/model = lstm/", "encoder.weight_ih_l0"},
        {"/^model/d", "--attention: is of --model gru and lstm"},
        {"s/^embedding.*/embedding = 60000/", "src_embedding.weight"},
        {"s/^layers.*/layers = 1000/", "encoder.weight_ih_l1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[256];
        snprintf(line, sizeof line,
                 "rm -rf $D/odd && cp -R $D/run $D/odd && sed -i.old '%s' $D/odd/config.txt && "
                 "rm $D/odd/config.txt.old && $T translate --model $D/odd --quiet < /dev/null",
                 cases[i][0]);
        ck_assert_int_eq(try(line), 1);
        assert_contains(err, cases[i][1]);
    }
}
END_TEST

/* With attention a short training learns to reverse sequences. */
START_TEST(learns) {
    sh("$T train --task reverse --sentences 1500 --symbols 8 --max-symbols 5 --quiet --threads 1 --model gru "
       "--bidirectional --attention general --input-feeding --d-model 32 --embedding 16 --tie none --dropout "
       "0 "
       "--batch-tokens 512 --lr 0.01 --warmup 20 --steps 120 --validate-every 60 --out $D/run");
    sh("grep -c , $D/run/log.csv; tail -n 1 $D/run/log.csv");
    sh("$T evaluate --model $D/run --beam 1 --quiet --threads 1");
    const char *exact = strstr(out, ", exact ");
    ck_assert_msg(exact && atoi(exact + 8) > 400, "of 500 unseen sequences too few are right: %s", out);
}
END_TEST

static void add_tests(TCase *tc) {
    in_its_own_folder(tc);
    tcase_add_loop_test(tc, goes_on_to_the_same_bits, 0, RUNS);
    tcase_add_loop_test(tc, is_used_as_any_model, 0, RUNS);
    tcase_add_test(tc, pictures);
    tcase_add_test(tc, odd_configurations);
    tcase_add_test(tc, learns);
}

TL_TEST_MAIN("translate: recurrent models")
