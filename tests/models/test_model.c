/* A model as an interface: a state against teacher forcing, with rows copied and dropped; maps follow the rows; forced
 * and forbidden words; and another model, defined in this test, behind the same interface. */
#include "model.h"

enum { WORDS = 12 };

/* ---- a state ---- */

/* What each row of a state has read. */
typedef struct history {
    long sentences, each, steps;
    long of[8]; /* the index in the batch of each sentence */
    int words[16][WORDS];
} history;

static tl_model_state *begin(bench *k, const tl_batch *b, history *h, bool no_cache) {
    *h = (history){.sentences = b->sentences, .each = 2};
    for (long s = 0; s < b->sentences; s++) h->of[s] = s;
    tl_model_state *state = tl_model_begin(
        &k->model.model, k->tape, b,
        &(tl_model_state_options){.each = 2, .capacity = WORDS, .maps = true, .no_cache = no_cache});
    ck_assert_msg(state != NULL, "%s", tl_tape_error(k->tape));
    return state;
}

/* Checks one row against teacher forcing: the logits of its last position, and all its maps so far. */
static void assert_like_teacher_forcing(bench *k, const tl_batch *b, const history *h, long row,
                                        const tl_model_state *state, tl_tensor logits, const char *what) {
    const int n = (int)h->steps;
    const tl_batch one = alone(b, h->of[row / h->each], h->words[row], &n);
    maps_memory memory;
    const tl_model_maps maps = look(&memory, false);
    const tl_model *m = &k->model.model;
    tl_var hidden = m->kind->hidden(m, k->tape, &one, &maps);
    tl_tensor there = tl_at(tl_value(m->kind->logits(m, hidden)), 0, n - 1);
    assert_same_bits(tl_at(logits, row), there, "%s: logits of row %ld", what, row);
    for (int kind = TL_DECODER_SELF; kind <= TL_CROSS; kind++)
        for (int l = 0; l < m->attentions[kind]; l++) {
            tl_tensor probs = tl_at(tl_value(memory.kind[kind][l].probs), 0);
            tl_tensor kept = tl_tensor_slice(tl_at(state->maps[kind][l], row), 1, 0, n);
            kept = tl_tensor_slice(kept, 2, 0, probs.dim[2]);
            assert_same_bits(kept, probs, "%s: maps %d of layer %d, row %ld", what, kind, l, row);
        }
}

static void take_step(bench *k, const tl_batch *b, history *h, tl_model_state *state, const char *what) {
    const long rows = h->sentences * h->each;
    int words[16];
    tl_mark mark = tl_tape_mark(k->tape);
    for (long r = 0; r < rows; r++)
        words[r] = h->words[r][h->steps] =
            h->steps ? sentence_word((int)r, 1, h->steps, k->model.model.tgt_vocab) : MODEL_BOS;
    h->steps++;
    tl_var logits = tl_model_step(state, words);
    ck_assert_msg(tl_ok(logits), "%s", tl_tape_error(k->tape));
    ck_assert(tl_shape_equal(tl_shape_of_var(logits), TL_SHAPE(rows, k->model.model.tgt_vocab)));
    for (long r = 0; r < rows; r++) assert_like_teacher_forcing(k, b, h, r, state, tl_value(logits), what);
    tl_tape_release(k->tape, mark);
}

static void copy_row(history *h, tl_model_state *state, long to, long from) {
    memcpy(h->words[to], h->words[from], sizeof h->words[to]);
    tl_model_copy_row(state, to, from);
}

static void keep(history *h, tl_model_state *state, const long *kept, long sentences) {
    for (long s = 0; s < sentences; s++) {
        h->of[s] = h->of[kept[s]];
        for (long j = 0; j < h->each; j++)
            memmove(h->words[s * h->each + j], h->words[kept[s] * h->each + j], sizeof h->words[0]);
    }
    h->sentences = sentences;
    tl_model_keep(state, kept, sentences);
    ck_assert_int_eq(state->sentences, sentences);
}

/* Between the steps rows are copied and sentences dropped, with caches and without. */
START_TEST(a_state_is_teacher_forcing) {
    const bool no_cache = _i / MODELS;
    bench k = bench_begin(&models[_i % MODELS]);
    tl_batch b = batch_of(sentences, 5, models[_i % MODELS].src_vocab, 0, 0);
    history h;
    tl_tape_set_training(k.tape, 0);
    tl_model_state *state = begin(&k, &b, &h, no_cache);
    take_step(&k, &b, &h, state, "first step");
    take_step(&k, &b, &h, state, "second step");
    copy_row(&h, state, 1, 0);
    copy_row(&h, state, 8, 9);
    take_step(&k, &b, &h, state, "after copies");
    keep(&h, state, (const long[]){1, 2, 4}, 3);
    take_step(&k, &b, &h, state, "after two have left");
    copy_row(&h, state, 4, 5);
    keep(&h, state, (const long[]){0, 2}, 2);
    for (int i = 0; i < 4; i++) take_step(&k, &b, &h, state, "at the end");
    ck_assert_int_eq(state->at, 8);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

START_TEST(states_that_cannot_be) {
    bench k = bench_begin(&bench_small);
    tl_batch b = batch_of(sentences, 2, 13, 0, 0), none = {.sentences = 0}, no_source = {.sentences = 2};
    static const struct {
        tl_model_state_options options;
        int batch;
        const char *why;
    } cases[] = {
        {{.capacity = 0},
         0,
         "transformer: a state of 2 sentences, 1 rows each, 0 steps: each should be 1 or more"},
        {{.capacity = 3, .each = -1}, 0, "-1 rows each"},
        {{.capacity = 3}, 1, "a state of 0 sentences"},
        {{.capacity = 65}, 0, "transformer: a state of 65 steps, but the model's max_len is 64"},
        {{.capacity = 3}, 2, "transformer: the batch has no src or no src_lengths"},
    };
    const tl_batch *const batches[] = {&b, &none, &no_source};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_tape_reset(k.tape);
        ck_assert_ptr_null(
            tl_model_begin(&k.model.model, k.tape, batches[cases[i].batch], &cases[i].options));
        assert_contains(tl_tape_error(k.tape), cases[i].why);
        tl_tape_clear_error(k.tape);
    }
    ck_assert_ptr_null(tl_model_begin(&k.model.model, NULL, &b, &cases[0].options));
    tl_model_kind mute = *k.model.model.kind;
    tl_model model = k.model.model;
    mute.begin = NULL;
    model.kind = &mute;
    ck_assert_ptr_null(tl_model_begin(&model, k.tape, &b, &(tl_model_state_options){.capacity = 3}));
    assert_contains(tl_tape_error(k.tape), "transformer: this kind of model writes no words");
    tl_tape_clear_error(k.tape);
    tl_search_result found;
    double log_p[64];
    for (int beam = -1; beam < 1; beam++) { /* for any options */
        ck_assert(!tl_search(&model, k.tape, &b, &(tl_search_options){.beam = beam}, &found));
        assert_contains(tl_tape_error(k.tape), "transformer: this kind of model writes no words");
        tl_tape_clear_error(k.tape);
    }
    ck_assert(!tl_log_p(&model, k.tape, &b, NULL, log_p));
    assert_contains(tl_tape_error(k.tape), "transformer: this kind of model writes no words");
    tl_tape_clear_error(k.tape);
    for (int no_cache = 0; no_cache < 2; no_cache++) {
        const int words[2] = {MODEL_BOS, MODEL_BOS};
        tl_tape_reset(k.tape);
        tl_model_state *state = tl_model_begin(
            &k.model.model, k.tape, &b, &(tl_model_state_options){.capacity = 1, .no_cache = no_cache});
        ck_assert(tl_ok(tl_model_step(state, words)));
        ck_assert(!tl_ok(tl_model_step(state, words)));
        assert_contains(tl_tape_error(k.tape), "the state was made for 1 steps, and they are taken");
        tl_tape_clear_error(k.tape);
    }
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* ---- maps of a search ---- */

/* Row t of a hypothesis's maps is what teacher forcing on its own words has when it writes word t. */
START_TEST(maps_follow_hypotheses) {
    const tl_transformer_config *config = &models[_i % MODELS];
    bench k = bench_begin(config);
    tl_batch b = batch_of(sentences, SENTENCES, config->src_vocab, 0, 0);
    learn_to_stop(&k, &b, 25);
    const int beam = (int[]){1, 4, 4}[_i / MODELS];
    tl_search_result r, without;
    tl_search_options o = {.beam = beam,
                           .nbest = beam,
                           .max_ratio = 0.5,
                           .max_extra = 5,
                           .length_penalty = 1,
                           .no_cache = _i / MODELS == 2};
    tl_tape_reset(k.tape);
    ck_assert(tl_search(&k.model.model, k.tape, &b, &o, &without));
    for (int kind = 0; kind < TL_ATTENTION_KINDS; kind++) ck_assert_ptr_null(without.maps[kind]);
    o.maps = true;
    ck_assert_msg(tl_search(&k.model.model, k.tape, &b, &o, &r), "%s", tl_tape_error(k.tape));
    ck_assert_ptr_null(r.maps[TL_ENCODER_SELF]);
    const long given = SENTENCES * r.nbest;
    must(!memcmp(r.score, without.score, (size_t)given * sizeof *r.score)); /* looking changes nothing */
    must(!memcmp(r.ids, without.ids, (size_t)(given * r.capacity) * sizeof *r.ids));
    int finished = 0;
    for (long i = 0; i < given; i++) {
        if (r.lengths[i] < 0) continue;
        const int *ids = r.ids + i * r.capacity;
        const int n = r.lengths[i] + (r.lengths[i] < r.capacity && ids[r.lengths[i]] == MODEL_EOS);
        int in[64] = {MODEL_BOS};
        memcpy(in + 1, ids, (size_t)(n - 1) * sizeof *in);
        const tl_batch one = alone(&b, i / r.nbest, in, &n);
        maps_memory memory;
        const tl_model_maps maps = look(&memory, false);
        tl_mark mark = tl_tape_mark(k.tape);
        ck_assert(tl_ok(k.model.model.kind->hidden(&k.model.model, k.tape, &one, &maps)));
        for (int kind = TL_DECODER_SELF; kind <= TL_CROSS; kind++)
            for (int l = 0; l < k.model.model.attentions[kind]; l++) {
                tl_tensor there = tl_at(tl_value(memory.kind[kind][l].probs), 0);
                tl_tensor here = tl_at(r.maps[kind][l], i / r.nbest, i % r.nbest);
                ck_assert(all_zero(tl_tensor_slice(here, 1, n, r.capacity)));
                here = tl_tensor_slice(tl_tensor_slice(here, 1, 0, n), 2, 0, there.dim[2]);
                assert_same_bits(here, there, "kind %d, layer %d, hypothesis %ld", kind, l, i);
            }
        tl_tape_release(k.tape, mark);
        finished++;
    }
    ck_assert_int_ge(finished, SENTENCES);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

START_TEST(room_for_maps) {
    bench k = bench_begin(&(tl_transformer_config){.src_vocab = 13,
                                                   .tgt_vocab = 13,
                                                   .d_model = 8,
                                                   .heads = 2,
                                                   .encoder_layers = 1,
                                                   .decoder_layers = 2,
                                                   .d_ff = 8});
    tl_batch b = batch_of(sentences, 2, 13, 0, 0);
    tl_tape_reset(k.tape);
    const tl_model_maps maps = tl_model_maps_new(&k.model.model, k.tape, true);
    tl_zero_grad(k.params);
    ck_assert(tl_backward(tl_model_loss(&k.model.model, k.tape, &b, NULL, NULL, &maps)));
    static const int layers[] = {1, 2, 2};
    for (int kind = 0; kind < TL_ATTENTION_KINDS; kind++) {
        ck_assert_int_eq(k.model.model.attentions[kind], layers[kind]);
        for (int l = 0; l < layers[kind]; l++) {
            const tl_attention_maps *m = &tl_model_maps_of(&maps, (tl_attention_kind)kind)[l];
            ck_assert(!all_zero(tl_value(m->probs)) && tl_grad(m->probs).data && tl_grad(m->scores).data);
        }
    }
    ck_assert_ptr_null(tl_model_maps_of(NULL, TL_CROSS));
    ck_assert_ptr_null(tl_model_maps_new(&k.model.model, NULL, true).cross);
    tl_tape *small = tl_tape_new();
    tl_tape_set_limit(small, 1);
    ck_assert_ptr_null(tl_model_maps_new(&k.model.model, small, true).encoder_self);
    ck_assert_ptr_nonnull(tl_tape_error(small));
    tl_tape_free(small);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* ---- forced and forbidden words ---- */

static double log_p_of(bench *k, const tl_batch *b, long s, const int *ids, int n) {
    int in[64] = {MODEL_BOS};
    memcpy(in + 1, ids, (size_t)(n - 1) * sizeof *in);
    const tl_batch one = alone(b, s, in, &n);
    const tl_model *m = &k->model.model;
    tl_mark mark = tl_tape_mark(k->tape);
    tl_tensor p = tl_value(tl_log_softmax(m->kind->logits(m, m->kind->hidden(m, k->tape, &one, NULL)), -1));
    double sum = 0;
    for (int t = 0; t < n; t++) sum += (double)tl_at(p, 0, t, ids[t]).data[0];
    tl_tape_release(k->tape, mark);
    return sum;
}

START_TEST(forced_words) {
    bench k = bench_begin(&models[_i % MODELS]);
    tl_batch b = batch_of(sentences, 4, models[_i % MODELS].src_vocab, 0, 0);
    learn_to_stop(&k, &b, 25);
    const int forced[4][3] = {{7, 5, 9}, {4, 4, 0}, {0, 0, 0}, {11, 3, MODEL_EOS}}, lengths[4] = {3, 2, 0, 3};
    tl_search_options o = {.beam = _i / MODELS ? 3 : 1,
                           .forced = forced[0],
                           .forced_lengths = lengths,
                           .forced_length = 3,
                           .max_ratio = 1,
                           .max_extra = 6};
    tl_search_result free_result, r;
    tl_tape_reset(k.tape);
    ck_assert_msg(tl_search(&k.model.model, k.tape, &b, &o, &r), "%s", tl_tape_error(k.tape));
    for (int s = 0; s < 4; s++) {
        const int *ids = r.ids + s * r.capacity, n = r.lengths[s];
        ck_assert_int_ge(n + 1, lengths[s]);
        must(!memcmp(ids, forced[s], (size_t)lengths[s] * sizeof(int)));
        const int said = n + (n < r.capacity && ids[n] == MODEL_EOS);
        const double close = sizeof(tl_real) == 4 ? 1e-4 : 1e-11;
        ck_assert_double_eq_tol(r.score[s], log_p_of(&k, &b, s, ids, said), close);
    }
    ck_assert_int_eq(r.lengths[3], 2); /* a forced <eos> ends it */
    o.forced = NULL;
    ck_assert(tl_search(&k.model.model, k.tape, &b, &o, &free_result));
    /* nothing is forced there */
    must(r.lengths[2] == free_result.lengths[2] && r.score[2] == free_result.score[2]);
    /* forcing the words of the free search gives the same result */
    o.forced = free_result.ids, o.forced_length = free_result.capacity,
    o.forced_lengths = (const int[]){1, 1, 1, 1};
    ck_assert(tl_search(&k.model.model, k.tape, &b, &o, &r));
    for (int s = 0; s < 4 && o.beam == 1; s++) {
        ck_assert_int_eq(r.lengths[s], free_result.lengths[s]);
        must(!memcmp(r.ids + s * r.capacity, free_result.ids + s * r.capacity,
                     (size_t)r.lengths[s] * sizeof(int)));
    }
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* bos -1: the first forced word is read first. With <bos> forced this is a search from <bos>, one position later. */
START_TEST(without_bos_and_eos) {
    bench k = bench_begin(&models[_i]);
    tl_batch b = batch_of(sentences, 4, models[_i].src_vocab, 0, 0);
    const int bos[4] = {MODEL_BOS, MODEL_BOS, MODEL_BOS, MODEL_BOS};
    tl_search_result plain, r;
    tl_tape_reset(k.tape);
    for (int beam = 1; beam < 4; beam += 2) {
        tl_search_options o = {.beam = beam, .max_ratio = 1e-9, .max_extra = 6, .eos = -1, .maps = true};
        ck_assert(tl_search(&k.model.model, k.tape, &b, &o, &plain));
        o.bos = -1, o.max_extra = 7, o.forced = bos, o.forced_length = 1;
        ck_assert_msg(tl_search(&k.model.model, k.tape, &b, &o, &r), "%s", tl_tape_error(k.tape));
        for (int s = 0; s < 4; s++) {
            ck_assert_int_eq(plain.lengths[s], 6); /* only the limit ends it */
            ck_assert_int_eq(r.lengths[s], 7);
            ck_assert_int_eq(r.ids[s * 7], MODEL_BOS);
            must(!memcmp(r.ids + s * 7 + 1, plain.ids + s * 6, 6 * sizeof(int)) &&
                 r.score[s] == plain.score[s]);
            tl_tensor maps = tl_at(r.maps[TL_CROSS][0], s, 0);
            ck_assert(all_zero(tl_tensor_slice(maps, 1, 0, 1)));
            assert_same_bits(tl_tensor_slice(maps, 1, 1, 7), tl_at(plain.maps[TL_CROSS][0], s, 0), "maps");
        }
        o.max_extra = 1; /* one word after the given one is always possible */
        ck_assert(tl_search(&k.model.model, k.tape, &b, &o, &r));
        for (int s = 0; s < 4; s++) ck_assert_int_eq(r.lengths[s], 2);
    }
    batch_free(&b);
    bench_end(&k);
}
END_TEST

START_TEST(forbidden_words) {
    bench k = bench_begin(&bench_small);
    tl_batch b = batch_of(sentences, SENTENCES, 13, 0, 0);
    tl_search_result plain, r;
    tl_tape_reset(k.tape);
    tl_search_options o = {.beam = _i, .max_ratio = 1e-9, .max_extra = 8};
    ck_assert(tl_search(&k.model.model, k.tape, &b, &o, &plain));
    int forbidden[13], count = 0, seen[13] = {0};
    for (long i = 0; i < SENTENCES; i++)
        for (int t = 0; t < plain.lengths[i]; t++) seen[plain.ids[i * plain.capacity + t]]++;
    for (int v = 0; v < 13; v++)
        if (seen[v] > 0 && count < 3) forbidden[count++] = v;
    ck_assert_int_ge(count, 1);
    o.forbidden = forbidden, o.forbidden_count = count;
    ck_assert(tl_search(&k.model.model, k.tape, &b, &o, &r));
    for (long i = 0; i < SENTENCES; i++) {
        ck_assert_int_ge(r.lengths[i], 0);
        for (int t = 0; t < r.lengths[i]; t++)
            for (int f = 0; f < count; f++) ck_assert_int_ne(r.ids[i * r.capacity + t], forbidden[f]);
        const int n =
            r.lengths[i] + (r.lengths[i] < r.capacity && r.ids[i * r.capacity + r.lengths[i]] == MODEL_EOS);
        /* log p is over all words, also forbidden ones */
        const double close = sizeof(tl_real) == 4 ? 1e-4 : 1e-11;
        ck_assert_double_eq_tol(r.score[i], log_p_of(&k, &b, i, r.ids + i * r.capacity, n), close);
    }
    count = 0; /* words that it would not write anyway */
    for (int v = 0; v < 13; v++)
        if (!seen[v] && v != MODEL_EOS) forbidden[count++] = v;
    o.forbidden_count = count;
    ck_assert(tl_search(&k.model.model, k.tape, &b, &o, &r));
    if (_i == 1) must(!memcmp(r.score, plain.score, SENTENCES * sizeof *r.score));
    for (int v = 0; v < 13; v++) forbidden[v] = v;
    o.forbidden_count = 13;
    ck_assert(!tl_search(&k.model.model, k.tape, &b, &o, &r));
    assert_contains(
        tl_tape_error(k.tape),
        "search: there is nothing left to write as word 1 of sentence 0: every word is forbidden");
    tl_tape_clear_error(k.tape);
    /* forced words are written even if forbidden */
    o.forced = (const int[]){5, 5, 5, 5, 5, 5, 5}, o.forced_length = 1, o.max_extra = 1;
    ck_assert(tl_search(&k.model.model, k.tape, &b, &o, &r));
    ck_assert_int_eq(r.ids[0], 5);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

START_TEST(words_that_are_refused) {
    bench k = bench_begin(&bench_small);
    tl_batch b = batch_of(sentences, 2, 13, 0, 0);
    const int outside[2] = {13, 5}, below[2] = {5, -1};
    static const int lengths[2] = {1, 2}, negative[2] = {1, -1};
    const struct {
        tl_search_options options;
        const char *why;
    } cases[] = {
        {{.forbidden = outside, .forbidden_count = 1}, "search: forbidden word 13: there are words 0 … 12"},
        {{.forced = below, .forced_length = 1},
         "search: forced word -1 of sentence 1: there are words 0 … 12"},
        {{.forced = below, .forced_length = 1, .forced_lengths = lengths},
         "search: sentence 1 has 2 forced words, should have 0 … 1 (forced_length)"},
        {{.forced = below, .forced_length = 1, .forced_lengths = negative},
         "search: sentence 1 has -1 forced words"},
        {{.bos = -1}, "search: bos is -1, so sentence 0 must begin with a forced word"},
        {{.bos = -2}, "search: bos is -2 and eos 0: there are words 0 … 12, and -1 for none"},
        {{.bos = 13}, "search: bos is 13 and eos 0: "},
        {{.eos = 99}, "search: bos is 0 and eos 99: "},
        {{.eos = -7}, "search: bos is 0 and eos -7: "},
        {{.forbidden = below, .forbidden_count = -1}, "search: -1 forbidden words, forced_length 0: give "},
        {{.forbidden_count = 2}, "search: 2 forbidden words at NULL, forced_length 0: give "},
        {{.forced = below, .forced_length = -1},
         "search: 0 forbidden words at NULL, forced_length -1: give "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_search_result r;
        ck_assert(!tl_search(&k.model.model, k.tape, &b, &cases[i].options, &r));
        assert_contains(tl_tape_error(k.tape), cases[i].why);
        tl_tape_clear_error(k.tape);
    }
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* ---- another model: a table of bigrams, which has no source and no attention ---- */

typedef struct bigrams {
    tl_model model;           /* first */
    tl_embedding_layer table; /* [V,V]: logits of the next word, by the last word */
} bigrams;

static tl_var bigram_hidden(const tl_model *m, tl_tape *tape, const tl_batch *b, const tl_model_maps *maps) {
    (void)maps;
    return tl_embedding_forward(&((const bigrams *)m)->table, tape, b->tgt_in,
                                TL_SHAPE(b->sentences, b->tgt_len));
}
static tl_var bigram_logits(const tl_model *m, tl_var hidden) {
    (void)m;
    return hidden;
}
static tl_var bigram_loss(const tl_model *m, tl_tape *tape, const tl_batch *b, const tl_loss_options *o,
                          tl_loss_report *report, const tl_model_maps *maps) {
    tl_loss_options ignoring = o ? *o : (tl_loss_options){0};
    ignoring.ignore = true;
    ignoring.ignore_id = b->pad;
    return tl_cross_entropy(bigram_hidden(m, tape, b, maps), b->tgt_out, &ignoring, report);
}
static tl_var bigram_step(tl_model_state *s, const int *words) {
    return tl_embedding_forward(&((const bigrams *)s->model)->table, s->tape, words,
                                TL_SHAPE(s->sentences * s->each));
}
static void bigram_copy(tl_model_state *s, long to, long from) { (void)s, (void)to, (void)from; }
static void bigram_keep(tl_model_state *s, const long *kept, long n) { (void)s, (void)kept, (void)n; }
static const tl_model_state_kind bigram_state = {bigram_step, bigram_copy, bigram_keep, NULL};
static tl_model_state *bigram_begin(const tl_model *m, tl_tape *tape, const tl_batch *b,
                                    const tl_model_state_options *o) {
    static _Thread_local tl_model_state state;
    state = (tl_model_state){.kind = &bigram_state,
                             .model = m,
                             .tape = tape,
                             .sentences = b->sentences,
                             .each = o->each,
                             .capacity = o->capacity};
    return &state;
}
static const tl_model_kind bigram_kind = {"bigrams", bigram_hidden, bigram_logits, bigram_loss, bigram_begin};

START_TEST(a_model_of_ones_own) {
    enum { V = 6 };
    tl_params *params = tl_params_new(1);
    bigrams m = {
        .model = {.kind = &bigram_kind, .name = "", .params = params, .tgt_vocab = V, .max_len = 100},
        .table = tl_embedding_init(params, "table", &(tl_embedding_config){.vocab = V, .d_model = V})};
    tl_adam *adam = tl_adam_new(params, NULL);
    tl_tape *tape = tl_tape_new();
    /* <bos> 3 4 5 <eos>, and after <bos> sometimes 4 */
    const int in[12] = {1, 3, 4, 5, 1, 3, 4, 5, 1, 4, 5, 0}, out[12] = {3, 4, 5, 2, 3, 4, 5, 2, 4, 5, 2, 0};
    const int lengths[3] = {4, 4, 3};
    const tl_batch b = {.sentences = 3, .tgt_len = 4, .tgt_in = in, .tgt_out = out, .tgt_lengths = lengths};
    for (int step = 0; step < 400; step++) {
        tl_tape_reset(tape);
        tl_zero_grad(params);
        ck_assert(tl_backward(tl_model_loss(&m.model, tape, &b, NULL, NULL, NULL)));
        ck_assert(tl_adam_step(adam, 0.1));
    }
    tl_search_result r;
    for (int no_cache = 0; no_cache < 2; no_cache++) {
        tl_tape_reset(tape);
        ck_assert_msg(
            tl_search(&m.model, tape, &(tl_batch){.sentences = 1},
                      &(tl_search_options){.beam = 2, .nbest = 2, .no_cache = no_cache, .maps = true}, &r),
            "%s", tl_tape_error(tape));
        ck_assert_int_eq(r.capacity, 10);
        ck_assert(r.lengths[0] == 3 && !memcmp(r.ids, (const int[]){3, 4, 5, 2}, 4 * sizeof(int)));
        ck_assert(r.lengths[1] == 2 && !memcmp(r.ids + 10, (const int[]){4, 5, 2}, 3 * sizeof(int)));
        ck_assert_double_eq_tol(exp(r.score[0]), 2.0 / 3, 0.01);
        ck_assert_double_eq_tol(exp(r.score[1]), 1.0 / 3, 0.01);
        ck_assert(!r.maps[TL_CROSS] && !r.maps[TL_DECODER_SELF]);
    }
    tl_tape_free(tape);
    tl_adam_free(adam);
    tl_params_free(params);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, a_state_is_teacher_forcing, 0, 2 * MODELS);
    tcase_add_test(tc, states_that_cannot_be);
    tcase_add_loop_test(tc, maps_follow_hypotheses, 0, 3 * MODELS);
    tcase_add_test(tc, room_for_maps);
    tcase_add_loop_test(tc, forced_words, 0, 2 * MODELS);
    tcase_add_loop_test(tc, without_bos_and_eos, 0, MODELS);
    tcase_add_loop_test(tc, forbidden_words, 1, 4);
    tcase_add_test(tc, words_that_are_refused);
    tcase_add_test(tc, a_model_of_ones_own);
}

TL_TEST_MAIN("models: a model as an interface")
