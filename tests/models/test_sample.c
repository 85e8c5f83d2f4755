/* Samples: words have the right frequencies, do not depend on the batch, and are greedy if only one can be drawn. And
 * words that must not repeat, and words that must come first, in every kind of search. */
#include "model.h"

/* ---- results that outlive the tape ---- */

enum { WORDS = 64 };
typedef struct text {
    int ids[WORDS], length;
    double score;
} text;

/* [sentences,nbest]; the caller frees it. */
static text *say(bench *k, const tl_batch *b, const tl_search_options *o) {
    tl_search_result r;
    tl_tape_reset(k->tape);
    must_msg(tl_search(&k->model.model, k->tape, b, o, &r), "%s", tl_tape_error(k->tape));
    text *said = calloc((size_t)(r.sentences * r.nbest), sizeof *said);
    must(said && r.capacity <= WORDS);
    for (long i = 0; i < r.sentences * r.nbest; i++) {
        memcpy(said[i].ids, r.ids + i * r.capacity, (size_t)r.capacity * sizeof(int));
        said[i].length = r.lengths[i];
        said[i].score = r.score[i];
    }
    return said;
}

static bool same(const text *a, const text *b) {
    return a->length == b->length && !memcmp(a->ids, b->ids, sizeof a->ids) &&
           !memcmp(&a->score, &b->score, sizeof a->score);
}

#define must_near(a, b, ...) \
 must_msg(fabs((double)(a) - (double)(b)) <= exact * fmax(1, fabs((double)(b))), __VA_ARGS__)
static const double exact = sizeof(tl_real) == 4 ? 1e-5 : 1e-12;

static bench trained(const tl_transformer_config *config) {
    bench k = bench_begin(config);
    tl_batch b = batch_of(sentences, SENTENCES, config->src_vocab, 0, 0);
    learn_to_stop(&k, &b, 25);
    batch_free(&b);
    return k;
}

/* A model that writes word v with probability p[v] at every position, whatever came before. */
static bench dice(const double *p, int words) {
    tl_transformer_config config = bench_small;
    config.tie = TL_TIE_NONE;
    config.tgt_vocab = words;
    config.output_bias = true;
    bench k = bench_begin(&config);
    tl_tape_set_checking(k.tape, false); /* -inf stands for words that are never written */
    tl_tensor_fill(tl_param_value(tl_params_find(k.params, "output.weight")), 0);
    tl_real *bias = tl_param_value(tl_params_find(k.params, "output.bias")).data;
    for (int v = 0; v < words; v++) bias[v] = (tl_real)log(p[v]);
    tl_params_changed(k.params);
    return k;
}

/* ---- the same in any batch ---- */

#define SAMPLES \
 .bos = MODEL_BOS, .eos = MODEL_EOS, .sample = true, .nbest = 3, .max_ratio = 1.5, .max_extra = 5

START_TEST(a_sample_depends_on_its_sentence_alone) {
    const tl_transformer_config *model = &models[_i % MODELS];
    bench k = trained(model);
    tl_batch b = batch_of(sentences, SENTENCES, model->src_vocab, 0, 0),
             wide = batch_of(sentences, SENTENCES, model->src_vocab, b.src_len + 9, 0);
    long numbers[SENTENCES];
    for (long s = 0; s < SENTENCES; s++) numbers[s] = 1000 + 7 * s;
    tl_search_options o = {SAMPLES, .seed = 5, .numbers = numbers, .no_repeat_ngram = _i / MODELS ? 2 : 0};
    if (_i / MODELS) o.temperature = 1.3, o.top_k = 9, o.top_p = 0.95;
    tl_set_threads(1);
    text *said = say(&k, &b, &o), *padded = say(&k, &wide, &o);
    tl_set_threads(2);
    text *two = say(&k, &b, &o);
    o.no_cache = true;
    text *scratch = say(&k, &b, &o);
    o.no_cache = false;
    int ended = 0;
    for (long s = 0; s < SENTENCES; s++) {
        tl_batch one = batch_of(&sentences[s], 1, model->src_vocab, 0, 0);
        o.numbers = numbers + s, o.nbest = 3;
        text *alone = say(&k, &one, &o);
        o.nbest = 1; /* the first of three samples is the only one of one */
        text *first = say(&k, &one, &o);
        for (int i = 0; i < 3; i++) {
            const text *t = &said[3 * s + i];
            must(same(t, &alone[i]) && same(t, &padded[3 * s + i]));
            must(same(t, &two[3 * s + i]) && same(t, &scratch[3 * s + i]));
            ended += t->length < (int)(1.5 * sentences[s].src + 5);
        }
        must(same(first, alone));
        free(alone), free(first);
        batch_free(&one);
    }
    ck_assert_int_gt(ended, 0);
    if (_i == 0) ck_assert_int_lt(ended, 3 * SENTENCES); /* some end with <eos>, some at the limit */
    free(said), free(padded), free(two), free(scratch);
    batch_free(&wide), batch_free(&b);
    bench_end(&k);
}
END_TEST

/* Another seed, another sentence number or another sample gives another text. Without numbers the index in the batch
 * counts. */
START_TEST(what_a_sample_depends_on) {
    bench k = trained(&models[0]);
    tl_batch b = batch_of((sentence[]){{5, 17, 3}, {5, 17, 3}}, 2, 13, 0, 0);
    tl_search_options o = {SAMPLES, .numbers = (const long[]){3, 3}};
    text *a = say(&k, &b, &o);
    o.seed = 1;
    text *seeded = say(&k, &b, &o);
    o.seed = 0, o.numbers = (const long[]){3, 4};
    text *numbered = say(&k, &b, &o);
    o.numbers = (const long[]){0, 1};
    text *placed = say(&k, &b, &o);
    o.numbers = NULL;
    text *unnumbered = say(&k, &b, &o);
    for (int i = 0; i < 3; i++) {
        ck_assert(same(&a[i], &a[3 + i]) && !same(&a[i], &seeded[i]));
        ck_assert(same(&a[i], &numbered[i]) && !same(&a[i], &numbered[3 + i]));
        ck_assert(same(&placed[i], &unnumbered[i]) && same(&placed[3 + i], &unnumbered[3 + i]));
        ck_assert(!same(&a[i], &a[(i + 1) % 3]));
    }
    free(a), free(seeded), free(numbered), free(placed), free(unnumbered);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* Each sample has the maps of its own words. */
START_TEST(maps_of_samples) {
    bench k = trained(&models[0]);
    tl_batch b = batch_of(sentences, 3, 13, 0, 0);
    tl_search_result r;
    for (long s = 0; s < 3; s++) {
        const long number = s;
        tl_search_options o = {SAMPLES, .maps = true};
        tl_tape_reset(k.tape);
        must(tl_search(&k.model.model, k.tape, &b, &o, &r));
        tl_tensor all[3];
        for (int i = 0; i < 3; i++) all[i] = copied(tl_at(r.maps[TL_CROSS][1], s, i));
        tl_batch one = batch_of(&sentences[s], 1, 13, 0, 0);
        o.numbers = &number;
        tl_tape_reset(k.tape);
        must(tl_search(&k.model.model, k.tape, &one, &o, &r));
        for (int i = 0; i < 3; i++) {
            const int rows = r.lengths[i] + (r.lengths[i] < r.capacity);
            tl_tensor whole = tl_tensor_slice(all[i], 1, 0, rows),
                      own = tl_tensor_slice(tl_at(r.maps[TL_CROSS][1], 0, i), 1, 0, rows);
            assert_same_bits(tl_tensor_slice(whole, 2, 0, one.src_len), own, "sample %d of sentence %ld", i,
                             s);
            double sum = 0;
            for (long j = 0; j < one.src_len; j++) sum += (double)tl_at(own, 1, rows - 1).data[j];
            must_near(sum, 1, "the last row sums to %g", sum);
            free(all[i].data);
        }
        batch_free(&one);
    }
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* ---- only one word can be drawn ---- */

START_TEST(one_word_to_choose_from_is_greedy) {
    const tl_transformer_config *model = &models[_i];
    bench k = trained(model);
    tl_batch b = batch_of(sentences, SENTENCES, model->src_vocab, 0, 0);
    tl_search_options o = {.bos = MODEL_BOS, .eos = MODEL_EOS, .beam = 1, .length_penalty = 0.7};
    text *greedy = say(&k, &b, &o);
    o.sample = true;
    static const struct {
        double temperature, top_p;
        int top_k;
    } ways[] = {{0, 0, 1}, {1e-9, 0, 0}, {1e-300, 0, 0}, {0, 1e-9, 0}, {3, 1e-300, 0}, {1e30, 0, 1}};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        for (uint64_t seed = 0; seed < 2; seed++) {
            o.temperature = ways[i].temperature, o.top_p = ways[i].top_p, o.top_k = ways[i].top_k,
            o.seed = seed;
            text *said = say(&k, &b, &o);
            for (int s = 0; s < SENTENCES; s++) must(said[s].length == greedy[s].length);
            for (int s = 0; s < SENTENCES; s++) {
                must(!memcmp(said[s].ids, greedy[s].ids, sizeof said[s].ids));
                must_near(said[s].score, greedy[s].score, "%g, not %g", said[s].score, greedy[s].score);
            }
            free(said);
        }
    free(greedy);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* ---- frequencies ---- */

enum { DICE = 7 };
static const double fair[DICE] = {0.02, 0.03, 0.2, 0.4, 0.05, 0.1, 0.2};

/* Σ (seen - expected)² / expected. Words with probability 0 must not be seen. */
static double chi_squared(const long *seen, const double *p, long all, int *freedom) {
    double sum = 0;
    *freedom = -1;
    for (int v = 0; v < DICE; v++) {
        const double expected = p[v] * (double)all;
        must(expected > 0 || seen[v] == 0);
        if (expected > 0)
            sum += ((double)seen[v] - expected) * ((double)seen[v] - expected) / expected, ++*freedom;
    }
    return sum;
}

START_TEST(frequencies_are_probabilities) {
    static const struct {
        double temperature, top_p;
        int top_k;
        bool any_word;
        double p[DICE]; /* to be divided by their sum */
    } ways[] = {
        {0, 0, 0, false, {0, 0, 0.2, 0.4, 0.05, 0.1, 0.2}},
        {0, 0, 0, true, {0.02, 0.03, 0.2, 0.4, 0.05, 0.1, 0.2}},
        {0.5, 0, 0, false, {0, 0, 0.04, 0.16, 0.0025, 0.01, 0.04}},
        {2, 0, 0, false, {0, 0, 0.447214, 0.632456, 0.223607, 0.316228, 0.447214}},
        {0, 0, 3, false, {0, 0, 0.2, 0.4, 0, 0, 0.2}},
        {0, 0, 2, false, {0, 0, 0.2, 0.4, 0, 0, 0}},   /* ties go to the lower id */
        {0, 0.5, 0, false, {0, 0, 0.2, 0.4, 0, 0, 0}}, /* 0.4 / 0.95 is less than 0.5 */
        {0, 0.7, 0, false, {0, 0, 0.2, 0.4, 0, 0, 0.2}},
        {0, 0.9, 0, false, {0, 0, 0.2, 0.4, 0, 0.1, 0.2}},
        {0, 0.7, 2, false, {0, 0, 0.2, 0.4, 0, 0, 0}},  /* both of the two: 0.4 / 0.6 is less than 0.7 */
        {0.5, 0.6, 3, false, {0, 0, 0, 0.16, 0, 0, 0}}, /* 0.16 / 0.24 is more than 0.6 */
        {0, 1, DICE, true, {0.02, 0.03, 0.2, 0.4, 0.05, 0.1, 0.2}},
    };
    /* exceeded once in 10,000 times */
    static const double limit[DICE] = {0, 15.2, 18.5, 21.2, 23.6, 25.8, 27.9};
    enum { SENTENCE_COUNT = 3, EACH = 500 };
    bench k = dice(fair, DICE);
    tl_batch b = batch_of(sentences, SENTENCE_COUNT, 13, 0, 0);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        long seen[2][DICE] = {{0}}, both[DICE] = {0};
        double p[DICE], sum = 0;
        text *said = say(&k, &b,
                         &(tl_search_options){.bos = MODEL_BOS,
                                              .eos = -1,
                                              .max_extra = 2,
                                              .sample = true,
                                              .nbest = EACH,
                                              .temperature = ways[i].temperature,
                                              .top_p = ways[i].top_p,
                                              .top_k = ways[i].top_k,
                                              .any_word = ways[i].any_word,
                                              .seed = 11});
        for (int v = 0; v < DICE; v++) sum += ways[i].p[v];
        for (int v = 0; v < DICE; v++) p[v] = ways[i].p[v] / sum;
        for (int s = 0; s < SENTENCE_COUNT * EACH; s++) {
            const int *ids = said[s].ids;
            must(said[s].length == 2);
            seen[0][ids[0]]++, seen[1][ids[1]]++;
            both[ids[1]] += ids[0] == 3;
            /* the score is the model's own, whatever the temperature */
            must_near(said[s].score, log(fair[ids[0]]) + log(fair[ids[1]]), "%g", said[s].score);
        }
        const long *rows[] = {seen[0], seen[1], both}; /* the second word is independent of the first */
        for (int row = 0; row < 3; row++) {
            int freedom;
            const double x =
                chi_squared(rows[row], p, row < 2 ? SENTENCE_COUNT * EACH : seen[0][3], &freedom);
            ck_assert_msg(x <= limit[freedom], "way %zu, count %d: chi² %g with %d degrees", i, row, x,
                          freedom);
        }
        free(said);
    }
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* ---- no repetitions ---- */

static bool repeats(const int *ids, int count, int n) {
    for (int i = 0; i + n <= count; i++)
        for (int j = i + 1; j + n <= count; j++)
            if (!memcmp(ids + i, ids + j, (size_t)n * sizeof *ids)) return true;
    return false;
}

START_TEST(no_ngram_twice) {
    bench k = bench_begin(&bench_small); /* an untrained model repeats itself */
    tl_batch b = batch_of(sentences, SENTENCES, 13, 0, 0);
    const int forced[] = {5, 6, 5, 6, 7};
    int forced_lengths[SENTENCES];
    for (int s = 0; s < SENTENCES; s++) forced_lengths[s] = s % 2 ? 5 : 0;
    int *all = calloc(SENTENCES * 5, sizeof *all);
    for (int s = 0; s < SENTENCES; s++) memcpy(all + 5 * s, forced, sizeof forced);
    for (int way = 0; way < 4; way++) /* greedy, beam, samples of all words and of few */
        for (int n = 0; n <= 3; n++) {
            tl_search_options o = {.bos = MODEL_BOS,
                                   .eos = MODEL_EOS,
                                   .beam = way ? 4 : 1,
                                   .nbest = way ? 3 : 1,
                                   .sample = way >= 2,
                                   .top_k = way == 3 ? 2 : 0,
                                   .no_repeat_ngram = n,
                                   .forced = all,
                                   .forced_length = 5,
                                   .forced_lengths = forced_lengths,
                                   .max_extra = 24};
            text *said = say(&k, &b, &o);
            int words = 0, repeated = 0;
            for (int i = 0; i < SENTENCES * o.nbest; i++) {
                const int begun = forced_lengths[i / o.nbest], *ids = said[i].ids;
                must(!memcmp(ids, forced, (size_t)begun * sizeof *ids)); /* even if it repeats itself */
                /* no word may complete an n-gram that occurred before */
                for (int end = begun + 1; n && end <= said[i].length; end++)
                    for (int at = 0; at + n < end; at++)
                        must(end < n || memcmp(ids + at, ids + end - n, (size_t)n * sizeof *ids));
                repeated += repeats(ids, said[i].length, 2);
                words += said[i].length;
            }
            if (n == 0) ck_assert_int_gt(repeated, SENTENCES / 2); /* so there are repetitions to forbid */
            if (n == 3) ck_assert_int_gt(words, SENTENCES * o.nbest * 4);
            free(said);
        }
    free(all);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* With equal words, a beam as wide as the tree finds every text without repetitions, the most likely first. */
START_TEST(a_wide_beam_says_all_that_does_not_repeat) {
    static const double p[] = {0.05, 0.05, 0.3, 0.4, 0.2};
    /* texts of 3s and 4s, ended by <eos> or of four words: by hand for n 1, counted for 2 and 3 */
    bench k = dice(p, 5);
    tl_batch b = batch_of(sentences, 1, 13, 0, 0);
    for (int n = 1; n <= 3; n++) {
        int expected = 0;
        for (int length = 0; length <= 4; length++)
            for (int bits = 0; bits < 1 << length; bits++) {
                int ids[4];
                for (int i = 0; i < length; i++) ids[i] = 3 + (bits >> i & 1);
                expected += !repeats(ids, length, n);
            }
        if (n == 1) ck_assert_int_eq(expected, 5); /* nothing, 3, 4, 3 4, 4 3 */
        text *said = say(&k, &b,
                         &(tl_search_options){.bos = MODEL_BOS,
                                              .eos = MODEL_EOS,
                                              .beam = 60,
                                              .nbest = 60,
                                              .no_repeat_ngram = n,
                                              .max_extra = 4});
        int count = 0;
        for (; count < 60 && said[count].length >= 0; count++) {
            double sum = said[count].length < 4 ? log(0.3) : 0;
            must(!repeats(said[count].ids, said[count].length, n));
            for (int t = 0; t < said[count].length; t++) sum += log(p[said[count].ids[t]]);
            must_near(said[count].score, sum, "%g, not %g", said[count].score, sum);
        }
        ck_assert_int_eq(count, expected);
        free(said);
    }
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* ---- forced words ---- */

/* A forced beginning is in every hypothesis, even if it is longer than the limit. */
START_TEST(forced_beginnings_stay) {
    bench k = trained(&models[0]);
    tl_batch b = batch_of(sentences, 2, 13, 0, 0);
    static const int forced[] = {5, 6, 7, 8, 9, 10, 11, 12, 11, 12};
    for (int i = 0; i < 6; i++) {
        const int way = i % 3, limit = i < 3 ? 5 : 9;
        text *said = say(&k, &b,
                         &(tl_search_options){.bos = MODEL_BOS,
                                              .eos = MODEL_EOS,
                                              .beam = way ? 4 : 1,
                                              .nbest = way ? 4 : 1,
                                              .sample = way == 2,
                                              .forced = forced,
                                              .forced_length = 5,
                                              .max_extra = limit == 5 ? 3 : limit});
        int there = 0, longer = 0;
        for (int n = 0; n < (way ? 8 : 2); n++) {
            if (said[n].length < 0) continue;
            must(said[n].length >= 5 && said[n].length <= limit);
            must(!memcmp(said[n].ids, forced + n / (way ? 4 : 1) * 5, 5 * sizeof(int)));
            longer += said[n].length > 5;
            there++;
        }
        ck_assert_int_eq(there, way == 2 || (way == 1 && limit > 5) ? 8 : 2); /* of one text there is one */
        ck_assert(limit == 5 || longer > 0);
        free(said);
    }
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* ---- errors and memory ---- */

START_TEST(options_that_make_no_sense) {
    bench k = dice((const double[]){0.1, 0.1, 0, 0.5, 0.3}, 5);
    tl_batch b = batch_of(sentences, 2, 13, 0, 0);
    static const struct {
        tl_search_options o;
        const char *why;
    } cases[] = {
        {{.temperature = 0.5},
         "search: temperature, top_k and top_p are for samples: set `sample`, or leave them 0"},
        {{.top_k = 3}, "search: temperature, top_k and top_p are for samples"},
        {{.top_p = 0.5}, "search: temperature, top_k and top_p are for samples"},
        {{.sample = true, .temperature = -1}, "search: temperature is -1, should be more than 0 (0 means 1)"},
        {{.sample = true, .temperature = INFINITY}, "search: temperature is inf"},
        {{.sample = true, .temperature = NAN}, "search: temperature is "},
        {{.sample = true, .top_k = -1},
         "search: top_k is -1, should be 0 (all words) or more, and top_p 0, 0 (all) … 1"},
        {{.sample = true, .top_p = 1.5}, "and top_p 1.5, 0 (all) … 1"},
        {{.sample = true, .top_p = NAN}, "search: top_k is 0"},
        {{.sample = true, .nbest = 1001}, "search: nbest is 1001, should be 1 … 1000 samples"},
        {{.no_repeat_ngram = -2}, "search: no_repeat_ngram is -2, should be 0 (words may repeat) or more"},
        {{.no_repeat_ngram = 1, .beam = 1, .max_extra = 3},
         "search: there is nothing left to write as word 3 of sentence 0: every word is forbidden, or has no "
         "probability, or would repeat others"},
        {{.no_repeat_ngram = 1, .sample = true, .max_extra = 3},
         "nothing left to write as word 3 of sentence 0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_search_options o = cases[i].o;
        tl_search_result r;
        o.bos = MODEL_BOS, o.eos = MODEL_EOS;
        tl_tape_reset(k.tape);
        ck_assert(!tl_search(&k.model.model, k.tape, &b, &o, &r));
        assert_contains(tl_tape_error(k.tape), cases[i].why);
        tl_tape_clear_error(k.tape);
    }
    tl_search_result r;
    ck_assert(tl_search(&k.model.model, k.tape, &b,
                        &(tl_search_options){.bos = 1, .eos = 2, .beam = 900, .sample = true}, &r));
    ck_assert_int_eq(r.nbest, 1); /* the beam is not used */
    batch_free(&b);
    bench_end(&k);
}
END_TEST

START_TEST(shapes_seen_before_allocate_nothing) {
    bench k = trained(&bench_small);
    tl_batch b = batch_of(sentences, 4, 13, 0, 0);
    tl_search_options o = {SAMPLES, .top_p = 0.9, .no_repeat_ngram = 2};
    tl_tape_stats first = {0};
    for (int i = 0; i < 4; i++) {
        free(say(&k, &b, &o));
        tl_tape_stats now = tl_tape_stats_of(k.tape);
        if (i == 1) first = now;
        if (i > 1) ck_assert(now.allocations == first.allocations && now.peak == first.peak);
    }
    batch_free(&b);
    bench_end(&k);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, a_sample_depends_on_its_sentence_alone, 0, 2 * MODELS);
    tcase_add_test(tc, what_a_sample_depends_on);
    tcase_add_test(tc, maps_of_samples);
    tcase_add_loop_test(tc, one_word_to_choose_from_is_greedy, 0, MODELS);
    tcase_add_test(tc, frequencies_are_probabilities);
    tcase_add_test(tc, no_ngram_twice);
    tcase_add_test(tc, a_wide_beam_says_all_that_does_not_repeat);
    tcase_add_test(tc, forced_beginnings_stay);
    tcase_add_test(tc, options_that_make_no_sense);
    tcase_add_test(tc, shapes_seen_before_allocate_nothing);
}

TL_TEST_MAIN("models: samples")
