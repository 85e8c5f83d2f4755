/* Classifiers learn small tasks in seconds. The bounds leave some room beyond results with seeds 1 … 3, which
 * TL_SEEDS=1 prints: models that can learn a task had no error, an average had 0.449 on the order task, and masked
 * words cost 0.49 … 0.82 nats. */
#include "classifier.h"

/* ---- is symbol 5 before symbol 7? ---- */

enum { FIRST = 5, SECOND = 7, WORDS = 12, BATCH = 32, LONGEST = 10, TRIALS = 256 };

typedef struct sample {
    int src[TRIALS * LONGEST], lengths[TRIALS], labels[TRIALS];
} sample;

/* Sentence number n: 4 … 10 words with both symbols once; which of them is first is its label. `counted`: label 1 means
 * that there is no symbol 5, which does not depend on order. */
static void make_sentence(sample *s, long at, uint64_t n, bool counted) {
    tl_rng_key key = tl_rng_key_mix(tl_rng_key_of(11, "order"), n);
    const int length = 4 + (int)tl_rng_below(key, 0, LONGEST - 3);
    int *src = s->src + at * LONGEST;
    for (int t = 0; t < LONGEST; t++) {
        int word = 8 + (int)tl_rng_below(key, (uint64_t)(10 + t), WORDS - 8);
        src[t] = t < length ? word : TL_PAD;
    }
    const int a = (int)tl_rng_below(key, 1, length), b = (int)tl_rng_below(key, 2, length - 1);
    const int other = b + (b >= a);
    src[a] = FIRST, src[other] = SECOND;
    s->lengths[at] = length;
    s->labels[at] = a < other;
    if (!counted) return;
    s->labels[at] = (int)tl_rng_below(key, 3, 2);
    if (s->labels[at]) src[a] = 8;
}

static tl_batch make_batch(sample *s, long count, uint64_t from, bool counted) {
    for (long i = 0; i < count; i++) make_sentence(s, i, from + (uint64_t)i, counted);
    return (tl_batch){.sentences = count,
                      .src_len = LONGEST,
                      .src = s->src,
                      .src_lengths = s->lengths,
                      .labels = s->labels};
}

/* The share of new sentences with the right class. */
static double accuracy_after(const tl_classifier_config *config, uint64_t seed, int steps, double lr,
                             bool counted) {
    sample s;
    tl_params *params = tl_params_new(seed);
    tl_tape *tape = tl_tape_new();
    tl_classifier m = tl_classifier_init(params, "", config);
    tl_adam *adam = tl_adam_new(params, NULL);
    for (int step = 1; step <= steps; step++) {
        tl_batch b = make_batch(&s, BATCH, (uint64_t)step * BATCH, counted);
        model_step(&m.model, tape, &b, step, NULL);
        must_msg(tl_adam_step(adam, lr), "%s", tl_adam_error(adam));
    }
    tl_tape_set_training(tape, 0);
    tl_tape_reset(tape);
    tl_loss_report r;
    tl_batch b = make_batch(&s, TRIALS, 1000000, counted);
    ck_assert(tl_ok(tl_model_loss(&m.model, tape, &b, NULL, &r, NULL)));
    tl_adam_free(adam);
    tl_tape_free(tape);
    tl_params_free(params);
    return (double)r.correct / (double)r.count;
}

static void measure(const char *what, const tl_classifier_config *config, int steps, double lr, bool counted,
                    double low, double high) {
    const char *all = getenv("TL_SEEDS");
    for (uint64_t seed = 1; seed <= (all ? 3 : 1); seed++) {
        const double right = accuracy_after(config, seed, steps, lr, counted);
        if (all) printf("%s, seed %d: %.3f\n", what, (int)seed, right), fflush(stdout);
        ck_assert_msg(all || (right >= low && right <= high), "%s: %.3f right, should be %g … %g", what,
                      right, low, high);
    }
}

#define SMALL .vocab = WORDS, .classes = 2, .max_len = LONGEST, .d_model = 16
static const struct {
    const char *what;
    tl_classifier_config config;
    int steps;
    double lr, low;
} order[] = {
    {"[CLS]", {SMALL, .heads = 2, .layers = 2, .d_ff = 32, .pre_norm = true}, 300, 5e-3, 0.95},
    {"mean of places", {SMALL, .heads = 2, .layers = 1, .d_ff = 32, .mean_pooling = true}, 300, 5e-3, 0.95},
    {"GRU", {SMALL, .kind = TL_CLASSIFY_GRU}, 200, 1e-2, 0.95},
    {"GRU of both ends",
     {SMALL, .kind = TL_CLASSIFY_GRU, .bidirectional = true, .score = TL_ADDITIVE},
     200,
     1e-2,
     0.95}};

START_TEST(what_stands_first) {
    measure(order[_i].what, &order[_i].config, order[_i].steps, order[_i].lr, false, order[_i].low, 1);
}
END_TEST

/* An average learns which words there are, and cannot learn their order. */
START_TEST(an_average_knows_no_order) {
    const tl_classifier_config config = {SMALL, .kind = TL_CLASSIFY_AVERAGE, .layers = 1};
    measure("average, what is there", &config, 200, 2e-2, true, 0.98, 1);
    measure("average, order", &config, 200, 2e-2, false, 0.35, 0.65);
}
END_TEST

/* ---- masked words ---- */

/* Words count upwards in a circle, so a hidden word follows from its neighbours. */
static tl_batch round_batch(sample *s, long *index, long count, long from) {
    for (long i = 0; i < count; i++) {
        tl_rng_key key = tl_rng_key_mix(tl_rng_key_of(11, "round"), (uint64_t)(from + i));
        const int first = (int)tl_rng_below(key, 0, WORDS - TL_SPECIALS);
        s->lengths[i] = 5 + (int)tl_rng_below(key, 1, LONGEST - 4);
        index[i] = from + i;
        for (int t = 0; t < LONGEST; t++)
            s->src[i * LONGEST + t] =
                t < s->lengths[i] ? TL_SPECIALS + (first + t) % (WORDS - TL_SPECIALS) : TL_PAD;
    }
    return (tl_batch){
        .sentences = count, .src_len = LONGEST, .src = s->src, .src_lengths = s->lengths, .index = index};
}

/* Nats per chosen word on new sentences; a model that knows nothing has log 8 = 2.08. */
static double masked_loss_after(const tl_classifier_config *config, uint64_t seed, int steps) {
    sample s;
    long index[TRIALS];
    tl_params *params = tl_params_new(seed);
    tl_tape *tape = tl_tape_new();
    tl_classifier m = tl_classifier_init(params, "", config);
    tl_adam *adam = tl_adam_new(params, NULL);
    tl_batch masked;
    ck_assert_int_eq(tl_freeze(params, "head", true), 2); /* the words' loss does not use it */
    for (int step = 1; step <= steps; step++) {
        tl_batch b = round_batch(&s, index, BATCH, step * BATCH);
        tl_tape_reset(tape);
        tl_tape_set_training(tape, step);
        tl_zero_grad(params);
        must(tl_mask_tokens(tape, &b, &(tl_masking){.seed = seed, .step = step, .vocab = WORDS}, &masked));
        must_msg(tl_backward(tl_classifier_masked_loss(&m, tape, &masked, NULL, NULL, NULL)), "%s",
                 tl_tape_error(tape));
        must_msg(tl_adam_step(adam, 5e-3), "%s", tl_adam_error(adam));
    }
    tl_tape_set_training(tape, 0);
    tl_tape_reset(tape);
    tl_batch b = round_batch(&s, index, TRIALS, 1000000);
    ck_assert(tl_mask_tokens(tape, &b, &(tl_masking){.seed = 9, .vocab = WORDS}, &masked));
    const double loss = tl_item(tl_value(tl_classifier_masked_loss(&m, tape, &masked, NULL, NULL, NULL)));
    assert_no_error(tl_tape_error(tape));
    tl_adam_free(adam);
    tl_tape_free(tape);
    tl_params_free(params);
    return loss;
}

START_TEST(masked_words) {
    const tl_classifier_config config = {SMALL,        .heads = 2,       .layers = 1,
                                         .d_ff = 32,   .pre_norm = true, .masked_tokens = true,
                                         .untied = _i, .output_bias = _i};
    const char *all = getenv("TL_SEEDS");
    for (uint64_t seed = 1; seed <= (all ? 3 : 1); seed++) {
        const double loss = masked_loss_after(&config, seed, 300);
        if (all) printf("masked words %d, seed %d: %.3f\n", _i, (int)seed, loss), fflush(stdout);
        ck_assert_msg(all || loss < 1.2, "masked words: %.3f nats, should be below 1.2", loss);
    }
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, what_stands_first, 0, sizeof order / sizeof *order);
    tcase_add_test(tc, an_average_knows_no_order);
    tcase_add_loop_test(tc, masked_words, 0, 2);
}

TL_TEST_MAIN("models: classifiers learn")
