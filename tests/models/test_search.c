/* Beam search: against all possible sentences, against a second implementation of the rule, against numbers computed by
 * hand; its scores against teacher forcing; the same bits for any batch, padding, threads and caches; its memory, its
 * errors. */
#include "model.h"

/* ---- results that outlive the tape ---- */

enum { WORDS = 64, MOST = 400 };
typedef struct sentence_said {
    int count; /* hypotheses */
    int ids[MOST][WORDS], lengths[MOST];
    double score[MOST];
} sentence_said;

static const double exact = sizeof(tl_real) == 4 ? 1e-5 : 1e-12;
static bool near(double a, double b) { return fabs(a - b) <= exact * fmax(1, fabs(b)); }

/* Checks properties of every result. The caller frees it. */
static sentence_said *say(bench *k, const tl_batch *b, const tl_search_options *o) {
    tl_search_result r;
    tl_tape_reset(k->tape);
    bool ok = tl_search(&k->model.model, k->tape, b, o, &r);
    ck_assert_msg(ok, "%s", tl_tape_error(k->tape));
    ck_assert_int_eq(r.sentences, b->sentences);
    ck_assert_int_eq(r.nbest, o->nbest ? o->nbest : 1);
    must(r.capacity <= WORDS && r.nbest <= MOST);
    sentence_said *said = calloc((size_t)r.sentences, sizeof *said);
    ck_assert_ptr_nonnull(said);
    for (long i = 0; i < r.sentences * r.nbest; i++) {
        sentence_said *s = &said[i / r.nbest];
        int at = (int)(i % r.nbest), n = r.lengths[i];
        if (n < 0) { /* then no more hypotheses follow */
            must(r.score[i] == -INFINITY);
            continue;
        }
        must(s->count == at && n <= r.capacity && isfinite(r.score[i]));
        must(at == 0 || s->score[at - 1] >= r.score[i]);
        memcpy(s->ids[at], r.ids + i * r.capacity, (size_t)r.capacity * sizeof(int));
        for (int t = 0; t < n; t++) must(s->ids[at][t] != o->eos);
        if (n < r.capacity) must(s->ids[at][n] == o->eos || s->ids[at][n] == 0); /* 0: it reached its limit */
        for (long t = n + 1; t < r.capacity; t++) must(s->ids[at][t] == 0);
        for (int other = 0; other < at; other++) must(memcmp(s->ids[at], s->ids[other], sizeof s->ids[at]));
        s->lengths[at] = n;
        s->score[at] = r.score[i];
        s->count = at + 1;
    }
    return said;
}

static void assert_said(const sentence_said *a, const sentence_said *b, const char *what) {
    ck_assert_msg(a->count == b->count, "%s: %d hypotheses, not %d", what, a->count, b->count);
    for (int i = 0; i < a->count; i++) {
        must_msg(a->lengths[i] == b->lengths[i] && !memcmp(a->ids[i], b->ids[i], sizeof a->ids[i]),
                 "%s, hypothesis %d: other words", what, i);
        must_msg(!memcmp(&a->score[i], &b->score[i], sizeof(double)),
                 "%s, hypothesis %d: score %.17g, not %.17g", what, i, a->score[i], b->score[i]);
    }
}

/* ---- models ---- */

static bench trained(const tl_transformer_config *config, int steps) {
    bench k = bench_begin(config);
    tl_batch b = batch_of(sentences, SENTENCES, config->src_vocab, 0, 0);
    learn_to_stop(&k, &b, steps);
    batch_free(&b);
    return k;
}

/* Makes the model write word v with the same probability at every position: the output's weights become 0, and its bias
 * the logarithms. */
static void say_always(bench *k, const double *p, int words) {
    /* -inf stands for words that are never written, NaN for steps too many */
    tl_tape_set_checking(k->tape, false);
    tl_tensor_fill(tl_param_value(tl_params_find(k->params, "output.weight")), 0);
    tl_real *bias = tl_param_value(tl_params_find(k->params, "output.bias")).data;
    for (int v = 0; v < words; v++) bias[v] = (tl_real)log(p[v]);
    tl_params_changed(k->params);
}
static bench dice(const double *p, int words) {
    tl_transformer_config config = bench_small;
    config.tie = TL_TIE_NONE;
    config.tgt_vocab = words;
    config.output_bias = true;
    bench k = bench_begin(&config);
    say_always(&k, p, words);
    return k;
}

/* ---- a second implementation: full sorts, no caches, one sentence ---- */

typedef struct hypothesis {
    int words[WORDS], count; /* <eos> included */
    double sum, score;
} hypothesis;

/* log p of every word after the hypothesis, in double, with libm's functions. */
static void log_probabilities(bench *k, const tl_batch *b, long s, const hypothesis *h, double *log_p) {
    int in[WORDS + 1] = {MODEL_BOS}, n = h->count + 1;
    memcpy(in + 1, h->words, (size_t)h->count * sizeof(int));
    tl_mark mark = tl_tape_mark(k->tape);
    const tl_batch one = alone(b, s, in, &n);
    tl_var memory = tl_transformer_encode(&k->model, k->tape, &one, NULL);
    tl_var hidden = tl_transformer_decode(&k->model, k->tape, &one, memory, NULL);
    tl_tensor row = tl_at(tl_value(tl_transformer_logits(&k->model, hidden)), 0, n - 1);
    must(row.data != NULL);
    double max = -INFINITY, sum = 0;
    for (long v = 0; v < row.dim[0]; v++) max = fmax(max, (double)row.data[v]);
    for (long v = 0; v < row.dim[0]; v++) sum += exp((double)row.data[v] - max);
    for (long v = 0; v < row.dim[0]; v++) log_p[v] = (double)row.data[v] - max - log(sum);
    tl_tape_release(k->tape, mark);
}

static hypothesis with_word(const hypothesis *h, int word, double log_p, double alpha) {
    hypothesis next = *h;
    next.words[next.count++] = word;
    next.sum += log_p;
    next.score = next.sum / pow(next.count, alpha);
    return next;
}
static int by_sum(const void *a, const void *b) {
    double x = ((const hypothesis *)a)->sum, y = ((const hypothesis *)b)->sum;
    return (x < y) - (x > y);
}
static int by_score(const void *a, const void *b) {
    double x = ((const hypothesis *)a)->score, y = ((const hypothesis *)b)->score;
    return (x < y) - (x > y);
}

/* <pad> and <bos> are forbidden by default. */
static bool is_silent(int word) { return word == MODEL_PAD || word == MODEL_BOS; }

/* Finished hypotheses, best first; returns how many. */
static int by_the_rule(bench *k, const tl_batch *b, long s, int beam, double alpha, int limit,
                       hypothesis *finished) {
    const int vocab = (int)k->model.config.tgt_vocab;
    hypothesis *live = calloc((size_t)beam, sizeof *live), *all = calloc((size_t)(beam * vocab), sizeof *all);
    double *log_p = calloc((size_t)vocab, sizeof *log_p);
    must(live && all && log_p);
    int lives = 1, count = 0;
    for (int t = 0; t < limit && count < beam; t++) {
        int candidates = 0;
        for (int i = 0; i < lives; i++) {
            log_probabilities(k, b, s, &live[i], log_p);
            for (int v = 0; v < vocab; v++)
                if (!is_silent(v)) all[candidates++] = with_word(&live[i], v, log_p[v], alpha);
        }
        qsort(all, (size_t)candidates, sizeof *all, by_sum);
        lives = 0;
        for (int i = 0; i < candidates && i < 2 * beam; i++) {
            bool ends = all[i].words[t] == MODEL_EOS || t + 1 == limit;
            if (ends && i < beam && count < beam) finished[count++] = all[i];
            if (!ends && lives < beam) live[lives++] = all[i];
        }
    }
    qsort(finished, (size_t)count, sizeof *finished, by_score);
    free(live), free(all), free(log_p);
    return count;
}

static void assert_hypothesis(const sentence_said *said, int i, const hypothesis *h, const char *what) {
    int n = h->count - (h->words[h->count - 1] == MODEL_EOS);
    must_msg(said->lengths[i] == n && !memcmp(said->ids[i], h->words, (size_t)h->count * sizeof(int)),
             "%s, hypothesis %d: other words", what, i);
    must_msg(near(said->score[i], h->score), "%s, hypothesis %d: score %.15g, not %.15g", what, i,
             said->score[i], h->score);
}

START_TEST(follows_the_rule) {
    bench k = trained(&models[_i], 40);
    tl_batch b = batch_of(sentences, SENTENCES, models[_i].src_vocab, 0, 0);
    hypothesis *h = calloc(MOST, sizeof *h);
    int ended = 0, limited = 0;
    for (int beam = 1; beam <= 7; beam += 3)
        for (int which = 0; which < 3; which++) {
            const double alpha = (double[]){0, 0.6, 1.5}[which];
            for (int nbest = 1; nbest <= beam; nbest += beam == 1 ? 1 : beam - 1) {
                sentence_said *said = say(&k, &b,
                                          &(tl_search_options){.bos = MODEL_BOS,
                                                               .eos = MODEL_EOS,
                                                               .beam = beam,
                                                               .nbest = nbest,
                                                               .length_penalty = alpha,
                                                               .max_ratio = 0.5,
                                                               .max_extra = 6});
                for (long s = 0; s < SENTENCES; s++) {
                    int limit = (int)(0.5 * b.src_lengths[s] + 6);
                    int count = by_the_rule(&k, &b, s, beam, alpha, limit, h);
                    char what[100];
                    snprintf(what, sizeof what, "beam %d, alpha %g, sentence %ld", beam, alpha, s);
                    must_msg(said[s].count == (count < nbest ? count : nbest), "%s: %d hypotheses", what,
                             said[s].count);
                    for (int i = 0; i < said[s].count; i++) {
                        assert_hypothesis(&said[s], i, &h[i], what);
                        *(h[i].words[h[i].count - 1] == MODEL_EOS ? &ended : &limited) += 1;
                    }
                }
                free(said);
            }
        }
    ck_assert(ended > 0 && limited > 0); /* some end with <eos>, some at the limit */
    free(h);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* ---- against all possible sentences ---- */

static void everything(bench *k, const tl_batch *b, const hypothesis *h, double alpha, int limit,
                       bool any_word, hypothesis *all, int *count) {
    double log_p[8];
    log_probabilities(k, b, 0, h, log_p);
    for (int v = 0; v < k->model.config.tgt_vocab; v++) {
        if (is_silent(v) && !any_word) continue;
        hypothesis next = with_word(h, v, log_p[v], alpha);
        if (v == MODEL_EOS || next.count == limit)
            all[(*count)++] = next;
        else
            everything(k, b, &next, alpha, limit, any_word, all, count);
    }
}

START_TEST(a_beam_as_wide_as_the_tree_finds_everything) {
    const bool any_word = _i < 8; /* otherwise without <pad> and <bos> */
    const int words = _i % 2 ? 5 : 6, limit = _i % 2 ? 4 : 3,
              there = any_word ? _i % 2 ? 1 + 4 + 16 + 64 * 5 : 1 + 5 + 25 * 6
                      : _i % 2 ? 1 + 2 + 4 + 8 * 3
                               : 1 + 3 + 9 * 4;
    const double alpha = (double[]){0, 0.7, 1, 2.5}[_i % 8 / 2];
    tl_transformer_config config = bench_small;
    config.tie = TL_TIE_TARGET;
    config.tgt_vocab = words;
    bench k = bench_begin(&config);
    tl_batch b = batch_of(sentences, 1, config.src_vocab, 0, 0);
    hypothesis *all = calloc(MOST, sizeof *all);
    int count = 0;
    everything(&k, &b, &(hypothesis){.count = 0}, alpha, limit, any_word, all, &count);
    ck_assert_int_eq(count, there);
    qsort(all, (size_t)count, sizeof *all, by_score);
    tl_search_options o = {.bos = MODEL_BOS,
                           .eos = MODEL_EOS,
                           .beam = MOST,
                           .nbest = MOST,
                           .any_word = any_word,
                           .length_penalty = alpha,
                           .max_extra = limit};
    sentence_said *said = say(&k, &b, &o);
    ck_assert_int_eq(said->count, there); /* `say` has checked that all differ */
    for (int i = 0; i < there; i++) {
        bool separate = (i == 0 || !near(all[i - 1].score, all[i].score)) &&
                        (i + 1 == there || !near(all[i + 1].score, all[i].score));
        must(near(said->score[i], all[i].score));
        if (separate) assert_hypothesis(said, i, &all[i], "everything");
    }
    assert_hypothesis(said, 0, &all[0], "the best of everything");
    o.nbest = 1; /* with one result the search may stop earlier */
    sentence_said *best = say(&k, &b, &o);
    said->count = 1;
    assert_said(best, said, "the best alone");
    free(best), free(said), free(all);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* ---- beam 1 ---- */

START_TEST(beam_1_is_greedy) {
    bench k = trained(&models[_i], 40);
    tl_batch b = batch_of(sentences, SENTENCES, models[_i].src_vocab, 0, 0);
    tl_search_result g;
    sentence_said *sum = say(&k, &b, &(tl_search_options){.bos = MODEL_BOS, .eos = MODEL_EOS, .beam = 1});
    sentence_said *mean =
        say(&k, &b, &(tl_search_options){.bos = MODEL_BOS, .eos = MODEL_EOS, .beam = 1, .length_penalty = 1});
    tl_tape_reset(k.tape);
    ck_assert(tl_search(&k.model.model, k.tape, &b,
                        &(tl_search_options){.beam = 1, .bos = MODEL_BOS, .eos = MODEL_EOS}, &g));
    for (long s = 0; s < SENTENCES; s++) {
        int n = g.lengths[s], limit = 2 * b.src_lengths[s] + 10, said = n + (n < limit);
        must(sum[s].count == 1 && sum[s].lengths[0] == n && mean[s].lengths[0] == n);
        must(!memcmp(sum[s].ids[0], g.ids + s * g.capacity, (size_t)g.capacity * sizeof(int)));
        must(!memcmp(mean[s].ids[0], g.ids + s * g.capacity, (size_t)g.capacity * sizeof(int)));
        must(near(sum[s].score[0], g.score[s]) && near(mean[s].score[0], g.score[s] / said));
    }
    free(sum), free(mean);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* ---- scores ---- */

START_TEST(scores_are_those_of_teacher_forcing) {
    bench k = trained(&models[_i % MODELS], 25);
    const double alpha = _i / MODELS ? 1 : 0;
    tl_batch b = batch_of(sentences, SENTENCES, models[_i % MODELS].src_vocab, 0, 0);
    sentence_said *said =
        say(&k, &b,
            &(tl_search_options){
                .bos = MODEL_BOS, .eos = MODEL_EOS, .beam = 6, .nbest = 6, .length_penalty = alpha});
    for (long s = 0; s < SENTENCES; s++) {
        must(said[s].count == 6);
        for (int i = 0; i < said[s].count; i++) {
            int limit = 2 * b.src_lengths[s] + 10, n = said[s].lengths[i] + (said[s].lengths[i] < limit);
            int in[WORDS] = {MODEL_BOS};
            for (int t = 1; t < n; t++) in[t] = said[s].ids[i][t - 1];
            tl_tape_reset(k.tape);
            const tl_batch one = alone(&b, s, in, &n);
            tl_var memory = tl_transformer_encode(&k.model, k.tape, &one, NULL);
            tl_var hidden = tl_transformer_decode(&k.model, k.tape, &one, memory, NULL);
            tl_tensor log_p = tl_value(tl_log_softmax(tl_transformer_logits(&k.model, hidden), -1));
            double sum = 0;
            for (int t = 0; t < n; t++) sum += (double)tl_at(log_p, 0, t).data[said[s].ids[i][t]];
            must_msg(near(said[s].score[i], sum / pow(n, alpha)),
                     "sentence %ld, hypothesis %d: %.15g, not %.15g", s, i, said[s].score[i],
                     sum / pow(n, alpha));
        }
    }
    free(said);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* ---- by hand: <eos> 0.3, word 3 0.6, the others 0.05; at most three words ---- */

static const double hand[] = {0.05, 0.05, 0.3, 0.6};

static sentence_said *say_by_hand(bench *k, int beam, int nbest, double alpha) {
    tl_batch b = batch_of(sentences, 1, 13, 0, 0);
    sentence_said *said = say(k, &b,
                              &(tl_search_options){.bos = MODEL_BOS,
                                                   .eos = MODEL_EOS,
                                                   .beam = beam,
                                                   .nbest = nbest,
                                                   .length_penalty = alpha,
                                                   .max_extra = 3});
    batch_free(&b);
    return said;
}
static void assert_words(const sentence_said *said, int i, double score, int length, const int *words) {
    ck_assert_int_lt(i, said->count);
    ck_assert_int_eq(said->lengths[i], length);
    ck_assert_int_eq(memcmp(said->ids[i], words, 3 * sizeof(int)), 0);
    ck_assert_double_eq_tol(said->score[i], score, 1e-5);
}

/* Step 1 finishes "</s>", step 2 "3 </s>", step 3 runs into the limit with "3 3 3": three finished. */
START_TEST(length_penalty_by_hand) {
    static const int end[] = {2, 0, 0}, one_end[] = {3, 2, 0}, three[] = {3, 3, 3};
    bench k = dice(hand, 4);
    sentence_said *said = say_by_hand(&k, 3, 3, 0); /* ln 0.3, ln 0.6³, ln 0.6·0.3 */
    ck_assert_int_eq(said->count, 3);
    assert_words(said, 0, -1.203973, 0, end);
    assert_words(said, 1, -1.532477, 3, three);
    assert_words(said, 2, -1.714798, 1, one_end);
    free(said);
    said = say_by_hand(&k, 3, 3, 1); /* ln 0.6³ / 3, ln 0.18 / 2, ln 0.3 / 1 */
    assert_words(said, 0, -0.510826, 3, three);
    assert_words(said, 1, -0.857399, 1, one_end);
    assert_words(said, 2, -1.203973, 0, end);
    free(said);
    said = say_by_hand(&k, 3, 3, 0.3); /* -1.532477 / 3^0.3 = -1.102194, -1.714798 / 2^0.3 = -1.392848 */
    assert_words(said, 0, -1.102194, 3, three);
    assert_words(said, 1, -1.203973, 0, end);
    assert_words(said, 2, -1.392848, 1, one_end);
    free(said);
    said = say_by_hand(&k, 2, 2, 1); /* two are finished after step 2, so there is no third word */
    ck_assert_int_eq(said->count, 2);
    assert_words(said, 0, -0.857399, 1, one_end);
    assert_words(said, 1, -1.203973, 0, end);
    free(said);
    said = say_by_hand(&k, 1, 1, 1); /* <eos> is never first */
    assert_words(said, 0, -0.510826, 3, three);
    free(said);
    bench_end(&k);
}
END_TEST

/* All words have the same probability: ties go to the lower slot, then to the lower id; <eos>, fifth, is not among the
 * first three. */
START_TEST(ties_by_hand) {
    static const double alike[] = {1, 1, 1, 1, 1};
    bench k = dice(alike, 5);
    tl_batch b = batch_of(sentences, 2, 13, 0, 0);
    sentence_said *said =
        say(&k, &b,
            &(tl_search_options){
                .bos = MODEL_BOS, .eos = 4, .any_word = true, .beam = 3, .nbest = 3, .max_extra = 3});
    for (int s = 0; s < 2; s++) {
        assert_words(&said[s], 0, 3 * log(0.2), 3, (int[]){0, 0, 0});
        assert_words(&said[s], 1, 3 * log(0.2), 3, (int[]){0, 0, 1});
        assert_words(&said[s], 2, 3 * log(0.2), 3, (int[]){0, 0, 2});
    }
    free(said);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* Words of probability 0 are not written, so there are fewer hypotheses than asked for. */
START_TEST(impossible_words_are_not_said) {
    bench k = dice((double[]){0, 0, 1, 0}, 4);
    sentence_said *said = say_by_hand(&k, 4, 4, 0);
    ck_assert_int_eq(said->count, 1);
    assert_words(said, 0, 0, 0, (int[]){2, 0, 0});
    free(said);
    bench_end(&k);
    k = dice((double[]){0, 0, 0.5, 0.5}, 4); /* "</s>", "3 </s>", "3 3 </s>", "3 3 3" */
    said = say_by_hand(&k, 9, 9, 0);
    ck_assert_int_eq(said->count, 4);
    assert_words(said, 0, log(0.5), 0, (int[]){2, 0, 0});
    assert_words(said, 1, log(0.25), 1, (int[]){3, 2, 0});
    free(said);
    bench_end(&k);
}
END_TEST

/* ---- words forbidden by default ---- */

/* <pad> and <bos> are the most likely by far, then 5, then 4, then the end. */
static const double silent[] = {0.5, 0.3, 0.02, 0, 0.05, 0.13};

static void assert_first(bench *k, const tl_search_options *o, int word, double p) {
    tl_batch b = batch_of(sentences, 1, 13, 0, 0);
    sentence_said *said = say(k, &b, o);
    ck_assert_int_eq(said->ids[0][0], word);
    ck_assert_double_eq_tol(said->score[0], log(p), 1e-5);
    free(said);
    batch_free(&b);
}

START_TEST(pad_and_bos_are_not_said) {
    bench k = dice(silent, 6);
    for (int beam = 1; beam <= 3; beam += 2) {
        tl_search_options o = {.beam = beam, .nbest = beam, .eos = MODEL_EOS, .max_extra = 1};
        assert_first(&k, &o, 5, 0.13); /* p is still over all words: forbidding changes no probability */
        o.any_word = true;
        assert_first(&k, &o, 0, 0.5);
        o.forbidden = (const int[]){0};
        o.forbidden_count = 1;
        assert_first(&k, &o, 1, 0.3);
        o.any_word = false;
        o.forbidden = (const int[]){5};
        assert_first(&k, &o, 4, 0.05); /* `forbidden` adds to the default */
        o.forbidden_count = 0;
        o.bos = 5; /* it is forbidden in the place of <bos> */
        assert_first(&k, &o, 1, 0.3);
        o.bos = o.eos = 5; /* but not if it is eos too */
        assert_first(&k, &o, 1, 0.3);
        o.eos = MODEL_EOS;
        o.bos = -1;
        o.max_extra = 2;
        o.forced = (const int[]){0}; /* a forced word is written even if forbidden, and 5 after it */
        o.forced_length = 1;
        assert_first(&k, &o, 0, 0.13);
        o = (tl_search_options){.beam = beam, .eos = 1, .max_extra = 1};
        assert_first(&k, &o, 1, 0.3); /* eos is not forbidden by default */
    }
    bench_end(&k);
}
END_TEST

/* ---- no unnecessary steps ---- */

/* Does the search stop before position `first`? That position is poisoned, so a search that reaches it fails. */
static bool stops_before(long first, const double *p, int beam, int nbest, double alpha) {
    tl_transformer_config config = bench_small;
    config.tie = TL_TIE_NONE;
    config.tgt_vocab = 4;
    config.output_bias = true;
    config.positions = TL_LEARNED;
    bench k = bench_begin(&config);
    say_always(&k, p, 4);
    tl_tensor_fill(tl_at(tl_param_value(tl_params_find(k.params, "tgt_positions.weight")), first), NAN);
    tl_batch b = batch_of(sentences, 1, 13, 0, 0);
    tl_search_result r;
    bool stopped = tl_search(&k.model.model, k.tape, &b,
                             &(tl_search_options){.bos = MODEL_BOS,
                                                  .eos = MODEL_EOS,
                                                  .beam = beam,
                                                  .nbest = nbest,
                                                  .length_penalty = alpha,
                                                  .max_extra = 4},
                             &r);
    if (!stopped) {
        char words[64];
        snprintf(words, sizeof words, "logits for word %ld of sentence 0", first + 1);
        assert_contains(tl_tape_error(k.tape), words);
        tl_tape_clear_error(k.tape);
    }
    batch_free(&b);
    bench_end(&k);
    return stopped;
}

START_TEST(stops_when_it_can) {
    static const double sure[] = {0.03, 0.03, 0.9, 0.04};
    ck_assert(stops_before(2, hand, 2, 1, 1)); /* two are finished after step 2 */
    ck_assert(!stops_before(1, hand, 2, 1, 1));
    ck_assert(stops_before(1, sure, 3, 1, 0));  /* ln 0.9 is finished, ln 0.04 can only fall … */
    ck_assert(stops_before(1, sure, 3, 1, 1));  /* … and ln 0.04 / 4 is less, too */
    ck_assert(!stops_before(1, sure, 3, 2, 0)); /* only one is finished yet */
    ck_assert(!stops_before(1, hand, 3, 1, 1)); /* ln 0.3 is finished, ln 0.6 / 4 is more */
    ck_assert(!stops_before(1, hand, 3, 1, 0)); /* ln 0.6 is more */
    ck_assert(!stops_before(2, hand, 4, 1, 0)); /* ln 0.36 is more */
    ck_assert(stops_before(3, hand, 4, 1, 0));  /* ln 0.216 is less … */
    ck_assert(!stops_before(3, hand, 4, 2, 0)); /* … but more than the second best, ln 0.18 */
}
END_TEST

/* ---- a model whose next word depends only on the last one, by a table ----
 * Attention and feed-forward add nothing. The embedding of the word in row j of the table is 1 and -1 at 2j and 2j+1;
 * after the norm it is 2 and -2. */

START_TEST(hypotheses_that_become_fewer) {
    static const int row_of[] = {-1, 0, -1, 1, 2, 3};            /* <bos>, 3, 4, 5 */
    static const double table[4][6] = {{0, 0, 0, 0.5, 0.3, 0.2}, /* <bos>: 3, 4 or 5 */
                                       {0, 0, 1, 0, 0, 0},       /* after 3 and 4 the end */
                                       {0, 0, 1, 0, 0, 0},
                                       {0, 0, 0, 1, 0, 0}}; /* after 5 3 */
    tl_transformer_config config = bench_small;
    config.tie = TL_TIE_NONE;
    config.tgt_vocab = 6;
    config.positions = TL_NO_POSITIONS;
    config.pre_norm = true;
    config.norm_eps = 1e-12;
    bench k = bench_begin(&config);
    tl_tape_set_checking(k.tape, false); /* -inf stands for words that are never written */
    for (int i = 0; i < tl_params_count(k.params); i++) {
        tl_param *p = tl_params_at(k.params, i);
        if (!strncmp(p->leaf.name, "decoder.", 8)) tl_tensor_fill(tl_param_value(p), 0);
    }
    tl_tensor_fill(tl_param_value(tl_params_find(k.params, "decoder.norm.weight")), 1);
    tl_tensor words = tl_param_value(tl_params_find(k.params, "tgt_embedding.weight")),
              output = tl_param_value(tl_params_find(k.params, "output.weight"));
    tl_tensor_fill(words, 0);
    for (int v = 0; v < 6; v++)
        for (int j = 0; j < 4; j++) {
            /* a large negative number whose sum overflows to -INFINITY: probability 0 */
            const tl_real most = sizeof(tl_real) == 4 ? (tl_real)1.7e38 : (tl_real)8.9e307;
            const tl_real logit = table[j][v] > 0 ? (tl_real)(log(table[j][v]) / 4) : -most;
            output.data[v * 8 + 2 * j] = logit;
            output.data[v * 8 + 2 * j + 1] = -logit;
            if (row_of[v] == j) words.data[v * 8 + 2 * j] = 1, words.data[v * 8 + 2 * j + 1] = -1;
        }
    tl_params_changed(k.params);
    for (int no_cache = 0; no_cache < 2; no_cache++) {
        tl_batch b = batch_of(sentences, 1, 13, 0, 0);
        sentence_said *said = say(&k, &b,
                                  &(tl_search_options){.bos = MODEL_BOS,
                                                       .eos = MODEL_EOS,
                                                       .beam = 4,
                                                       .nbest = 4,
                                                       .max_extra = 5,
                                                       .no_cache = no_cache});
        ck_assert_int_eq(said->count, 3);
        assert_words(said, 0, log(0.5), 1, (int[]){3, 2, 0});
        assert_words(said, 1, log(0.3), 1, (int[]){4, 2, 0});
        assert_words(said, 2, log(0.2), 2, (int[]){5, 3, 2});
        free(said);
        batch_free(&b);
    }
    bench_end(&k);
}
END_TEST

/* ---- limits ---- */

START_TEST(limits) {
    bench k = bench_begin(&bench_small); /* max_len 64; no <eos> */
    tl_batch b = batch_of((sentence[]){{0, 1, 2}, {1, 4, 2}, {2, 9, 2}}, 3, 13, 0, 0);
    static const struct {
        double ratio;
        long extra;
        int words[3];
    } want[] = {{0, 0, {12, 18, 28}}, {1.5, 0, {1, 6, 13}}, {0, 5, {5, 5, 5}},    {0.2, 1, {1, 1, 2}},
                {0.1, 0, {1, 1, 1}},  {6, 3, {9, 27, 57}},  {30, 0, {30, 64, 64}}};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        sentence_said *said = say(&k, &b,
                                  &(tl_search_options){.bos = MODEL_BOS,
                                                       .eos = -1,
                                                       .beam = 3,
                                                       .nbest = 3,
                                                       .max_ratio = want[i].ratio,
                                                       .max_extra = want[i].extra});
        for (int s = 0; s < 3; s++) {
            ck_assert_int_eq(said[s].count, 3);
            for (int n = 0; n < 3; n++) ck_assert_int_eq(said[s].lengths[n], want[i].words[s]);
        }
        free(said);
    }
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* ---- the same bits ---- */

START_TEST(the_same_bits) {
    const tl_transformer_config *model = &models[_i % MODELS];
    bench k = trained(model, 40);
    tl_batch b = batch_of(sentences, SENTENCES, model->src_vocab, 0, 0),
             wide = batch_of(sentences, SENTENCES, model->src_vocab, b.src_len + 9, 0);
    for (long i = 0; i < SENTENCES; i++)
        for (long t = b.src_lengths[i]; t < wide.src_len; t++)
            ((int *)wide.src)[i * wide.src_len + t] = 3 + (int)t % 7;
    tl_search_options o = {.bos = MODEL_BOS,
                           .eos = MODEL_EOS,
                           .beam = _i / MODELS ? 4 : 5,
                           .nbest = _i / MODELS ? 1 : 5,
                           .length_penalty = _i / MODELS ? 0 : 1,
                           .max_ratio = 1.5,
                           .max_extra = 6},
                      slow = o;
    slow.no_cache = true;
    tl_set_threads(1);
    sentence_said *cached = say(&k, &b, &o), *scratch = say(&k, &b, &slow), *padded = say(&k, &wide, &o);
    tl_set_threads(2);
    sentence_said *two = say(&k, &b, &o);
    tl_set_threads(3);
    sentence_said *three = say(&k, &wide, &slow);
    int ended = 0;
    for (long s = 0; s < SENTENCES; s++) {
        assert_said(&cached[s], &scratch[s], "without caches");
        assert_said(&cached[s], &padded[s], "more padding");
        assert_said(&cached[s], &two[s], "two threads");
        assert_said(&cached[s], &three[s], "three threads, padding, without caches");
        tl_batch one = batch_of(&sentences[s], 1, model->src_vocab, 0, 0);
        sentence_said *alone = say(&k, &one, &o), *alone_scratch = say(&k, &one, &slow);
        assert_said(&cached[s], alone, "alone");
        assert_said(&cached[s], alone_scratch, "alone without caches");
        free(alone), free(alone_scratch);
        batch_free(&one);
        ended += cached[s].lengths[0] < (int)(1.5 * sentences[s].src + 6);
    }
    ck_assert_int_gt(ended, 0); /* some end with <eos>, some at the limit */
    free(cached), free(scratch), free(padded), free(two), free(three);
    batch_free(&wide);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* ---- memory and modes ---- */

static bool search(bench *k, const tl_batch *b, const tl_search_options *o, tl_search_result *r) {
    return tl_search(&k->model.model, k->tape, b, o, r);
}

START_TEST(shapes_seen_before_allocate_nothing) {
    bench k = trained(&bench_small, 20);
    tl_batch b[3] = {batch_of(sentences, 4, 13, 0, 0), batch_of(sentences + 5, 1, 13, 0, 0),
                     batch_of(sentences, SENTENCES, 13, 0, 0)};
    tl_search_options o = {.bos = MODEL_BOS, .eos = MODEL_EOS, .nbest = 2, .no_cache = _i};
    tl_tape_stats first = {0};
    for (int number = 0; number < 9; number++) {
        tl_search_result r;
        tl_tape_reset(k.tape);
        ck_assert(search(&k, &b[number % 3], &o, &r));
        tl_tape_stats now = tl_tape_stats_of(k.tape);
        if (number < 3) first = now;
        ck_assert_int_eq(now.allocations, number < 3 ? now.allocations : first.allocations);
        ck_assert_uint_eq(now.peak, number < 3 ? now.peak : first.peak);
    }
    for (int i = 0; i < 3; i++) batch_free(&b[i]);
    bench_end(&k);
}
END_TEST

START_TEST(leaves_no_trace) {
    tl_transformer_config config = bench_small;
    config.dropout = config.attention_dropout = 0.3;
    bench k = bench_begin(&config);
    tl_batch b = batch_of(sentences, 3, 13, 0, 0);
    tl_search_options o = {.bos = MODEL_BOS, .eos = MODEL_EOS, .nbest = 3};
    sentence_said *eval = say(&k, &b, &o);
    tl_tape_reset(k.tape);
    tl_tape_set_training(k.tape, 7);
    tl_tape_stats before = tl_tape_stats_of(k.tape);
    tl_mark mark = tl_tape_mark(k.tape);
    tl_search_result r;
    ck_assert(search(&k, &b, &o, &r));
    ck_assert(tl_tape_training(k.tape)); /* training is on again; dropout was off during the search */
    ck_assert_double_eq(r.score[0], eval[0].score[0]);
    ck_assert(tl_tape_set_grad(k.tape, true));
    tl_tape_release(k.tape, mark);
    ck_assert_int_eq(tl_tape_stats_of(k.tape).nodes, before.nodes);
    ck_assert_uint_eq(tl_tape_stats_of(k.tape).used, before.used);
    tl_tape_set_grad(k.tape, false); /* a switch that was off stays off */
    tl_tape_set_training(k.tape, 0);
    ck_assert(search(&k, &b, &o, &r));
    ck_assert(!tl_tape_training(k.tape) && !tl_tape_set_grad(k.tape, true));
    tl_tape_set_training(k.tape, 8);
    ((int *)b.src)[0] = 99; /* a failure restores the switches too */
    ck_assert(!search(&k, &b, &o, &r));
    ck_assert_ptr_null(r.ids);
    ck_assert(tl_tape_training(k.tape) && tl_tape_set_grad(k.tape, true));
    tl_tape_clear_error(k.tape);
    free(eval);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

static void say_words(bench *k, const tl_batch *b, int words) {
    tl_search_result r;
    ck_assert(search(k, b, &(tl_search_options){.bos = 1, .eos = -1, .beam = 3, .max_extra = words}, &r));
    ck_assert_int_eq(r.lengths[0], words);
}
START_TEST(many_words_take_no_more_than_a_few) { /* a step's values are released, the caches stay */
    /* memory per word in each of 9 rows: keys and values in two layers, two ids, a part of the widest scores */
    size_t word = 9 * (2 * 2 * 8 * sizeof(tl_real) + 2 * sizeof(int)) + 9 * 2 * 4 * sizeof(tl_real);
    ck_assert_uint_le(memory_of_400_words(say_words), 400 * word * 3 / 2);
}
END_TEST

/* ---- errors ---- */

static void assert_refused(bench *k, const tl_batch *b, const tl_search_options *o, const char *why) {
    tl_search_result r;
    tl_tape_reset(k->tape);
    ck_assert(!search(k, b, o, &r));
    assert_contains(tl_tape_error(k->tape), why);
    /* an error stays until it is cleared */
    ck_assert(!search(k, b, &(tl_search_options){.bos = 1, .eos = 2}, &r));
    assert_contains(tl_tape_error(k->tape), why);
    ck_assert(!r.ids && !r.lengths && !r.score);
    tl_tape_clear_error(k->tape);
}

START_TEST(options_that_make_no_sense) {
    bench k = bench_begin(&bench_small);
    tl_batch b = batch_of(sentences, 2, 13, 0, 0);
#define REFUSED(why, ...) assert_refused(&k, &b, &(tl_search_options){.bos = 1, .eos = 2, __VA_ARGS__}, why)
    REFUSED("search: beam is -1, should be 1 … 1000", .beam = -1);
    REFUSED("search: beam is 1001, should be 1 … 1000", .beam = 1001);
    REFUSED("search: nbest is -2, should be 1 … 5", .nbest = -2);
    REFUSED("search: nbest 6 is more than the beam's 5 hypotheses; make the beam as wide", .nbest = 6);
    REFUSED("search: nbest 3 is more than the beam's 2", .beam = 2, .nbest = 3);
    REFUSED("search: length_penalty is -0.5, should be 0 (none) or more", .length_penalty = -0.5);
    REFUSED("search: length_penalty is", .length_penalty = NAN);
    REFUSED("search: max_ratio is -1 and max_extra 3, should be 0 or more", .max_ratio = -1, .max_extra = 3);
    REFUSED("max_extra -4", .max_extra = -4);
#undef REFUSED
    tl_search_result r;
    ck_assert(!tl_search(&k.model.model, NULL, &b, &(tl_search_options){.bos = 1, .eos = 2}, &r));
    /* the failure has left nothing behind */
    ck_assert(search(&k, &b, &(tl_search_options){.bos = 1, .eos = 2}, &r));
    batch_free(&b);
    bench_end(&k);
}
END_TEST

START_TEST(a_model_that_is_not_sound) {
    for (int i = 0; i < 3; i++) {
        bench k = dice(hand, 4);
        tl_batch b = batch_of(sentences, 2, 13, 0, 0);
        tl_param_value(tl_params_find(k.params, "output.bias")).data[i] = (tl_real)(i == 1 ? INFINITY : NAN);
        tl_params_changed(k.params);
        assert_refused(&k, &b, &(tl_search_options){.bos = 1, .eos = 2, .beam = 3, .no_cache = i == 2},
                       "search: the model's logits for word 1 of sentence 0 hold NaN or infinity");
        batch_free(&b);
        bench_end(&k);
    }
    tl_tape *tape = tl_tape_new();
    tl_batch b = batch_of(sentences, 1, 13, 0, 0);
    tl_transformer none = tl_transformer_init(NULL, "", &bench_small);
    tl_search_result r;
    ck_assert(!tl_search(&none.model, tape, &b, &(tl_search_options){.bos = 1, .eos = 2}, &r));
    ck_assert_ptr_nonnull(tl_tape_error(tape));
    tl_tape_free(tape);
    batch_free(&b);
}
END_TEST

/* With every memory limit from 0 to enough, a failure is reported, and the tape can be used again. */
START_TEST(out_of_memory) {
    bench k = bench_begin(&bench_small);
    tl_batch b = batch_of(sentences, 3, 13, 0, 0);
    tl_search_options o = {.bos = MODEL_BOS, .eos = MODEL_EOS, .nbest = 2, .no_cache = _i};
    sentence_said *said = say(&k, &b, &o);
    size_t enough = tl_tape_stats_of(k.tape).peak;
    int failures = 0;
    for (size_t limit = 1; limit < 2 * enough; limit += enough / 20) {
        tl_tape *kept = k.tape;
        k.tape = tl_tape_new();
        tl_tape_set_limit(k.tape, limit);
        tl_search_result r;
        if (!search(&k, &b, &o, &r)) {
            assert_contains(tl_tape_error(k.tape), "out of memory");
            tl_tape_clear_error(k.tape);
            failures++;
        }
        tl_tape_set_limit(k.tape, 0);
        sentence_said *again = say(&k, &b, &o);
        for (int s = 0; s < 3; s++) assert_said(&again[s], &said[s], "after a failure");
        free(again);
        tl_tape_free(k.tape);
        k.tape = kept;
    }
    ck_assert_int_gt(failures, 5);
    free(said);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, follows_the_rule, 0, MODELS);
    tcase_add_loop_test(tc, a_beam_as_wide_as_the_tree_finds_everything, 0, 16);
    tcase_add_test(tc, pad_and_bos_are_not_said);
    tcase_add_loop_test(tc, beam_1_is_greedy, 0, MODELS);
    tcase_add_loop_test(tc, scores_are_those_of_teacher_forcing, 0, 2 * MODELS);
    tcase_add_test(tc, length_penalty_by_hand);
    tcase_add_test(tc, ties_by_hand);
    tcase_add_test(tc, impossible_words_are_not_said);
    tcase_add_test(tc, stops_when_it_can);
    tcase_add_test(tc, hypotheses_that_become_fewer);
    tcase_add_test(tc, limits);
    tcase_add_loop_test(tc, the_same_bits, 0, 2 * MODELS);
    tcase_add_loop_test(tc, shapes_seen_before_allocate_nothing, 0, 2);
    tcase_add_test(tc, leaves_no_trace);
    tcase_add_test(tc, many_words_take_no_more_than_a_few);
    tcase_add_test(tc, options_that_make_no_sense);
    tcase_add_test(tc, a_model_that_is_not_sound);
    tcase_add_loop_test(tc, out_of_memory, 0, 2);
}

TL_TEST_MAIN("models: search")
