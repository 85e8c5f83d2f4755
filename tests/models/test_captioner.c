/* A Transformer that reads pictures: against PyTorch's numbers and against differences; the same bits for any batch,
 * padding, threads and caches; its names, its maps, and what is refused. */
#include "chains.h"
#include "fixtures/fixture.h"
#include "model.h"

enum { B = 4, S = 6, T = 5, F = 5, V = 13 };

/* The smallest sizes; more fields can follow. */
#define SIZES .d_model = 8, .heads = 2, .layers = 2, .d_ff = 16, .max_len = 24
#define CAPTIONER .patch = F, .tgt_vocab = V, SIZES
static const tl_transformer_config captioners[] = {
    {CAPTIONER, .tie = TL_TIE_TARGET, .pre_norm = true, .own_encoder_positions = true,
     .encoder_positions = TL_LEARNED},
    {CAPTIONER, .activation = TL_GELU, .output_bias = true},
    {CAPTIONER, .tie = TL_TIE_TARGET, .no_bias = true, .positions = TL_RELATIVE},
    {CAPTIONER, .positions = TL_LEARNED, .score = TL_ADDITIVE, .no_causal = true}};
enum { CAPTIONERS = sizeof captioners / sizeof *captioners };

/* ---- pictures of any numbers, with captions ---- */

typedef struct album {
    tl_real patches[B * S * F];
    int in[B * T], out[B * T], lengths[B], src_lengths[B];
    tl_batch batch;
} album;

static tl_real number_of(long picture, long i) {
    return (tl_real)(2 * tl_rng_uniform(tl_rng_key_mix(tl_rng_key_of(8, "pictures"), (uint64_t)picture),
                                        (uint64_t)i) -
                     1);
}

/* Pictures first … first+count-1. */
static void album_of(album *a, long first, long count) {
    memset(a, 0, sizeof *a);
    for (long b = 0; b < count; b++) {
        a->lengths[b] = (int)(T - (first + b) % 3);
        a->src_lengths[b] = S;
        for (long i = 0; i < S * F; i++) a->patches[b * S * F + i] = number_of(first + b, i);
        for (int t = 0; t < a->lengths[b]; t++) {
            a->out[b * T + t] = t + 1 < a->lengths[b] ? sentence_word(first + b, 1, t, V) : TL_EOS;
            a->in[b * T + t] = t ? a->out[b * T + t - 1] : TL_BOS;
        }
    }
    a->batch = (tl_batch){.sentences = count,
                          .src_len = S,
                          .tgt_len = T,
                          .tgt_in = a->in,
                          .tgt_out = a->out,
                          .tgt_lengths = a->lengths,
                          .pictures = tl_tensor_of(a->patches, TL_SHAPE(count, S, F)),
                          .pad = TL_PAD};
}

/* ---- numbers ---- */

START_TEST(pytorch) {
    fixture f = fixture_open("captioner", "");
    tl_params *params = tl_params_new(1);
    tl_transformer m = tl_transformer_init(params, "",
                                           &(tl_transformer_config){.patch = 5,
                                                                    .tgt_vocab = 11,
                                                                    .tie = TL_TIE_TARGET,
                                                                    .d_model = 8,
                                                                    .heads = 2,
                                                                    .layers = 2,
                                                                    .d_ff = 16,
                                                                    .activation = TL_GELU,
                                                                    .pre_norm = true,
                                                                    .positions = TL_LEARNED,
                                                                    .max_len = 7});
    fixture_set_params(&f, params, NULL);
    const tl_batch b = {.sentences = 3,
                        .src_len = 6,
                        .tgt_len = 5,
                        .pictures = fixture_read(&f, "input.pictures"),
                        .src_lengths = fixture_ints(&f, "input.src_lengths"),
                        .tgt_in = fixture_ints(&f, "input.tgt_in"),
                        .tgt_out = fixture_ints(&f, "input.tgt_out"),
                        .tgt_lengths = fixture_ints(&f, "input.tgt_lengths")};
    tl_tape *tape = tl_tape_new();
    tl_tape_set_training(tape, 1);
    tl_var memory = tl_transformer_encode(&m, tape, &b, NULL),
           hidden = tl_transformer_decode(&m, tape, &b, memory, NULL);
    fixture_same(&f, "memory", tl_value(memory));
    fixture_same(&f, "output", tl_value(hidden));
    fixture_same(&f, "logits", tl_value(tl_transformer_logits(&m, hidden)));
    tl_var loss = tl_transformer_loss(&m, tape, &b);
    fixture_same(&f, "loss", tl_value(loss));
    tl_zero_grad(params);
    ck_assert_msg(tl_backward(loss), "%s", tl_tape_error(tape));
    fixture_same_grads(&f, params, NULL);
    assert_no_error(tl_tape_error(tape));
    tl_tape_free(tape);
    tl_params_free(params);
    fixture_close(&f);
}
END_TEST

typedef struct subject {
    tl_transformer model;
    album a;
} subject;

static tl_var run_loss(tl_tape *tape, const tl_var *unused, void *data) {
    (void)unused;
    const subject *s = data;
    return tl_transformer_loss(&s->model, tape, &s->a.batch);
}

START_TEST(gradients_of_all_parameters) {
    tl_params *params = tl_params_new(21);
    subject s;
    tl_transformer_config config = captioners[_i];
    config.layers = 1;
    config.activation = TL_GELU; /* has no kinks, where differences are wrong */
    s.model = tl_transformer_init(params, "", &config);
    album_of(&s.a, 0, 2);
    s.a.src_lengths[1] = S - 2; /* the second picture is smaller */
    s.a.batch.src_lengths = s.a.src_lengths;
    shake_params(params);
    tl_gradcheck_report r;
    const bool ok = tl_gradcheck_params(params, run_loss, &s, &(tl_gradcheck_options){.train = true}, &r);
    ck_assert_msg(ok, "%s", r.error.message);
    ck_assert_int_eq(r.checked, tl_params_numel(params));
    tl_params_free(params);
}
END_TEST

START_TEST(names) {
    tl_params *params = tl_params_new(1);
    tl_transformer m = tl_transformer_init(params, "", &captioners[0]);
    assert_no_error(tl_params_error(params));
    ck_assert_str_eq(m.model.kind->name, "captioner");
    must(m.model.src_vocab == 0 && m.model.tgt_vocab == V && !m.src_embedding.name);
    must(!tl_params_find(params, "src_embedding.weight"));
    must(tl_shape_equal(tl_shape_of(tl_param_value(tl_params_find(params, "patch_projection.weight"))),
                        TL_SHAPE(8, F)));
    must(tl_shape_equal(tl_shape_of(tl_param_value(tl_params_find(params, "patch_projection.bias"))),
                        TL_SHAPE(8)));
    must(tl_shape_equal(tl_shape_of(tl_param_value(tl_params_find(params, "src_positions.weight"))),
                        TL_SHAPE(24, 8)));
    tl_params_free(params);
}
END_TEST

/* ---- the same bits ---- */

/* For picture `row`: the outputs of encoder and decoder, and the gradient of the first. */
typedef struct kept {
    tl_tensor memory, hidden, grad;
} kept;

static tl_var pass(bench *k, const tl_batch *b, tl_var *memory, tl_var *hidden) {
    tl_tape_reset(k->tape);
    tl_zero_grad(k->params);
    *memory = tl_transformer_encode(&k->model, k->tape, b, NULL);
    *hidden = tl_transformer_decode(&k->model, k->tape, b, *memory, NULL);
    tl_keep(*memory);
    tl_loss_options o = {.ignore = true, .ignore_id = b->pad, .divisor = 1};
    tl_var loss = tl_cross_entropy(tl_transformer_logits(&k->model, *hidden), b->tgt_out, &o, NULL);
    must_msg(tl_backward(loss), "%s", tl_tape_error(k->tape));
    return loss;
}
static kept keep(bench *k, const tl_batch *b, long row) {
    tl_var memory, hidden;
    pass(k, b, &memory, &hidden);
    return (kept){copied(tl_at(tl_value(memory), row)), copied(tl_at(tl_value(hidden), row)),
                  copied(tl_at(tl_grad(memory), row))};
}
static void assert_kept(kept a, kept b, const char *what) {
    assert_same_bits(a.memory, b.memory, "%s: encoder output", what);
    assert_same_bits(a.hidden, b.hidden, "%s: decoder output", what);
    assert_same_bits(a.grad, b.grad, "%s: gradient of the encoder output", what);
    free(a.memory.data), free(a.hidden.data), free(a.grad.data);
    free(b.memory.data), free(b.hidden.data), free(b.grad.data);
}

START_TEST(alone_as_in_a_batch) {
    bench k = bench_begin(&captioners[_i]);
    static album all, one;
    album_of(&all, 0, B);
    for (long b = 0; b < B; b++) {
        album_of(&one, b, 1);
        assert_kept(keep(&k, &all.batch, b), keep(&k, &one.batch, 0), "alone");
    }
    bench_end(&k);
}
END_TEST

START_TEST(threads) {
    bench k = bench_begin(&captioners[_i]);
    static album all;
    album_of(&all, 0, B);
    tl_var memory, hidden;
    tl_set_threads(1);
    tl_tensor loss = copied(tl_value(pass(&k, &all.batch, &memory, &hidden)));
    gradients g = gradients_of(k.params);
    for (int threads = 2; threads <= 5; threads += 3) {
        tl_set_threads(threads);
        assert_same_bits(loss, tl_value(pass(&k, &all.batch, &memory, &hidden)), "loss");
        assert_same_gradients(k.params, &g, "threads");
    }
    gradients_free(&g);
    free(loss.data);
    bench_end(&k);
}
END_TEST

/* Lengths that equal the number of patches, or no lengths, give the same. */
START_TEST(lengths_need_not_be_said) {
    bench k = bench_begin(&captioners[_i]);
    static album said, unsaid;
    album_of(&said, 0, B);
    album_of(&unsaid, 0, B);
    said.batch.src_lengths = said.src_lengths;
    for (long b = 0; b < B; b++)
        assert_kept(keep(&k, &said.batch, b), keep(&k, &unsaid.batch, b), "without lengths");
    bench_end(&k);
}
END_TEST

/* NaN in patches that are padding: the same bits at real patches, and in every gradient. */
START_TEST(padding_reaches_nothing) {
    sum_in_chains();
    bench k = bench_begin(&captioners[_i]);
    tl_tape_set_checking(k.tape, false); /* it would report NaN */
    static album a;
    album_of(&a, 0, B);
    a.src_lengths[1] = 2, a.src_lengths[3] = S - 1;
    a.batch.src_lengths = a.src_lengths;
    tl_var memory, hidden;
    tl_tensor loss = copied(tl_value(pass(&k, &a.batch, &memory, &hidden)));
    gradients g = gradients_of(k.params);
    for (long b = 0; b < B; b++)
        for (long i = a.src_lengths[b] * F; i < S * F; i++) a.patches[b * S * F + i] = (tl_real)NAN;
    assert_same_bits(loss, tl_value(pass(&k, &a.batch, &memory, &hidden)), "loss");
    assert_same_gradients(k.params, &g, "NaN in the padding");
    gradients_free(&g);
    free(loss.data);
    bench_end(&k);
}
END_TEST

/* A view with any strides can be a picture. It is copied, so it may change once the forward has returned. */
START_TEST(pictures_of_any_strides) {
    bench k = bench_begin(&captioners[0]);
    static album a, turned;
    album_of(&a, 0, B);
    album_of(&turned, 0, B);
    for (long b = 0; b < B; b++)
        for (long s = 0; s < S; s++)
            for (long f = 0; f < F; f++) turned.patches[(b * F + f) * S + s] = a.patches[(b * S + s) * F + f];
    turned.batch.pictures = tl_tensor_transpose(tl_tensor_of(turned.patches, TL_SHAPE(B, F, S)), 1, 2);
    for (long b = 0; b < B; b++)
        assert_kept(keep(&k, &a.batch, b), keep(&k, &turned.batch, b), "other strides");
    tl_tape_reset(k.tape);
    tl_var loss = tl_transformer_loss(&k.model, k.tape, &a.batch);
    for (long i = 0; i < B * S * F; i++) a.patches[i] = (tl_real)NAN;
    tl_zero_grad(k.params);
    must(tl_backward(loss));
    for (int i = 0; i < tl_params_count(k.params); i++)
        must(all_finite(tl_param_grad(tl_params_at(k.params, i))));
    bench_end(&k);
}
END_TEST

/* ---- what it writes, and its attention ---- */

static bench trained(int which) {
    bench k = bench_begin(&captioners[which]);
    static album a;
    album_of(&a, 0, B);
    learn_to_stop(&k, &a.batch, 12);
    return k;
}

typedef struct said {
    int ids[B * 2 * 24], lengths[B * 2];
    double score[B * 2];
    tl_tensor cross;
} said;

/* Keeps a copy of the last layer's cross-attention. */
static said say(bench *k, const tl_batch *b, bool no_cache) {
    tl_search_result r;
    said s = {.ids = {0}};
    tl_tape_reset(k->tape);
    const tl_search_options o = {.beam = 3, .nbest = 2, .maps = true, .max_extra = 8, .no_cache = no_cache};
    must_msg(tl_search(&k->model.model, k->tape, b, &o, &r), "%s", tl_tape_error(k->tape));
    must(r.capacity == 8 && r.nbest == 2);
    memcpy(s.ids, r.ids, (size_t)(r.sentences * 2 * r.capacity) * sizeof(int));
    memcpy(s.lengths, r.lengths, (size_t)(r.sentences * 2) * sizeof(int));
    memcpy(s.score, r.score, (size_t)(r.sentences * 2) * sizeof(double));
    s.cross = copied(r.maps[TL_CROSS][1]);
    return s;
}
static void assert_said(said *a, said *b, long at, long sentences, const char *what) {
    const long n = sentences * 2;
    must_msg(!memcmp(a->ids + at * 2 * 8, b->ids, (size_t)n * 8 * sizeof(int)), "%s: other words", what);
    must_msg(!memcmp(a->lengths + at * 2, b->lengths, (size_t)n * sizeof(int)), "%s: other lengths", what);
    must_msg(!memcmp(a->score + at * 2, b->score, (size_t)n * sizeof(double)), "%s: other scores", what);
    for (long i = 0; i < sentences; i++)
        assert_same_bits(tl_at(a->cross, at + i), tl_at(b->cross, i), "%s: maps", what);
}

START_TEST(search) {
    bench k = trained(_i);
    static album all, one;
    album_of(&all, 0, B);
    said cached = say(&k, &all.batch, false), anew = say(&k, &all.batch, true);
    assert_said(&cached, &anew, 0, B, "without caches");
    for (long b = 0; b < B; b++) {
        album_of(&one, b, 1);
        said alone = say(&k, &one.batch, false);
        assert_said(&cached, &alone, b, 1, "alone");
        free(alone.cross.data);
    }
    /* some captions end, and leave the batch before others */
    must(cached.lengths[0] < 8 || cached.lengths[2] < 8);
    free(cached.cross.data), free(anew.cross.data);
    bench_end(&k);
}
END_TEST

/* Looking changes no bit. Rows are probabilities over the patches, 0 at padding. */
START_TEST(maps) {
    bench k = bench_begin(&captioners[_i]);
    static album a;
    album_of(&a, 0, B);
    a.src_lengths[2] = 3;
    a.batch.src_lengths = a.src_lengths;
    tl_tensor loss = copied(tl_value(tl_transformer_loss(&k.model, k.tape, &a.batch)));
    tl_model_maps m = tl_model_maps_new(&k.model.model, k.tape, false);
    assert_same_bits(loss, tl_value(tl_model_loss(&k.model.model, k.tape, &a.batch, NULL, NULL, &m)),
                     "looked at");
    for (int l = 0; l < 2; l++) {
        const tl_tensor probs = tl_value(m.cross[l].probs);
        must(tl_shape_equal(tl_shape_of(probs), TL_SHAPE(B, 2, T, S)));
        must(tl_shape_equal(tl_shape_of(tl_value(m.encoder_self[l].probs)), TL_SHAPE(B, 2, S, S)));
        for (long r = 0; r < B * 2 * T; r++) {
            double sum = 0, hidden = 0;
            for (long s = 0; s < S; s++) {
                const double p = (double)element_of(probs, r * S + s);
                sum += p;
                if (r / (2 * T) == 2 && s >= 3) hidden += p;
            }
            must(fabs(sum - 1) < 1e-5 && hidden == 0);
        }
    }
    free(loss.data);
    bench_end(&k);
}
END_TEST

/* Looking changes no gradient, even if maps keep theirs; nor the words and probabilities of a search. */
START_TEST(looking_changes_nothing) {
    bench k = trained(_i);
    static album a;
    album_of(&a, 0, B);
    tl_tape_reset(k.tape);
    tl_zero_grad(k.params);
    must(tl_backward(tl_transformer_loss(&k.model, k.tape, &a.batch)));
    gradients g = gradients_of(k.params);
    tl_tape_reset(k.tape);
    tl_zero_grad(k.params);
    tl_model_maps m = tl_model_maps_new(&k.model.model, k.tape, true);
    must(tl_backward(tl_model_loss(&k.model.model, k.tape, &a.batch, NULL, NULL, &m)));
    assert_same_gradients(k.params, &g, "looked at");
    must(tl_grad(m.cross[1].probs).data != NULL);
    gradients_free(&g);
    said seen = say(&k, &a.batch, false);
    tl_search_result r;
    tl_tape_reset(k.tape);
    must(tl_search(&k.model.model, k.tape, &a.batch,
                   &(tl_search_options){.beam = 3, .nbest = 2, .max_extra = 8}, &r));
    must(r.sentences == B && !memcmp(r.ids, seen.ids, (size_t)(B * 2 * r.capacity) * sizeof(int)));
    must(!memcmp(r.score, seen.score, (size_t)(B * 2) * sizeof(double)));
    free(seen.cross.data);
    bench_end(&k);
}
END_TEST

/* log p of captions is the score that a search gives. */
START_TEST(log_p) {
    bench k = trained(0);
    static album one;
    album_of(&one, 1, 1);
    tl_search_result r;
    tl_tape_reset(k.tape);
    must(tl_search(&k.model.model, k.tape, &one.batch, &(tl_search_options){.beam = 1, .max_extra = T}, &r));
    const double score = r.score[0];
    const int length = r.lengths[0] < T ? r.lengths[0] + 1 : T;
    for (int t = 0; t < T; t++) one.out[t] = t < length ? r.ids[t] : TL_PAD;
    for (int t = 1; t < T; t++) one.in[t] = one.out[t - 1];
    one.lengths[0] = length;
    double p[T], sum = 0;
    must(tl_log_p(&k.model.model, k.tape, &one.batch, NULL, p));
    for (int t = 0; t < length; t++) sum += p[t];
    must_msg(fabs(sum - score) <= (sizeof(tl_real) == 4 ? 1e-5 : 1e-12) * fabs(score),
             "%.15g, the search says %.15g", sum, score);
    bench_end(&k);
}
END_TEST

/* ---- what is refused ---- */

static const struct {
    tl_transformer_config config;
    const char *says;
} refused[] = {{{CAPTIONER, .src_vocab = 5},
                "transformer: with patch 5 it reads pictures, which have no ids: leave src_vocab 0, and"},
               {{CAPTIONER, .tie = TL_TIE_ALL}, "tie nothing or the target's embedding (TL_TIE_TARGET)"},
               {{SIZES, .patch = F}, "transformer: tgt_vocab 0 must be given"},
               {{SIZES, .patch = -1, .tgt_vocab = V}, "transformer: patch is -1, should be 1 or more"}};

START_TEST(configs_that_make_no_sense) {
    tl_params *params = tl_params_new(1);
    tl_transformer m = tl_transformer_init(params, "", &refused[_i].config);
    assert_contains(tl_params_error(params), refused[_i].says);
    tl_tape *tape = tl_tape_new();
    static album a;
    album_of(&a, 0, B);
    must(!tl_ok(tl_transformer_loss(&m, tape, &a.batch)));
    assert_contains(tl_tape_error(tape), refused[_i].says);
    tl_tape_free(tape);
    tl_params_free(params);
}
END_TEST

static void batch_refused(tl_batch b, const char *says) {
    bench k = bench_begin(&captioners[0]);
    must(!tl_ok(tl_transformer_loss(&k.model, k.tape, &b)));
    assert_contains(tl_tape_error(k.tape), says);
    tl_tape_clear_error(k.tape);
    must(!tl_search(&k.model.model, k.tape, &b, NULL, NULL));
    assert_contains(tl_tape_error(k.tape), says);
    must(!tl_model_begin(&k.model.model, k.tape, &b, &(tl_model_state_options){.capacity = 3}));
    tl_tape_clear_error(k.tape);
    bench_end(&k);
}

START_TEST(batches_that_do_not_fit) {
    static album a;
    static const int too_long[B] = {S, S + 1, S, S};
    album_of(&a, 0, B);
    tl_batch b = a.batch;
    b.pictures = (tl_tensor){.data = NULL};
    batch_refused(b, "captioner: the batch has no pictures");
    b.pictures = tl_tensor_of(a.patches, TL_SHAPE(B, F, S));
    batch_refused(b, "captioner: pictures are [4,5,6], should be [4,6,5]: sentences, src_len, patch");
    b.pictures = tl_tensor_of(a.patches, TL_SHAPE(B * S, F));
    batch_refused(b, "captioner: pictures are [24,5], should be [4,6,5]");
    b = a.batch;
    b.sentences = B - 1;
    batch_refused(b, "captioner: pictures are [4,6,5], should be [3,6,5]");
    b = a.batch;
    b.src_lengths = too_long;
    batch_refused(b, "key_lengths[1] is 7, should be 0 … 6");
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, pytorch);
    tcase_add_loop_test(tc, gradients_of_all_parameters, 0, CAPTIONERS);
    tcase_add_test(tc, names);
    tcase_add_loop_test(tc, alone_as_in_a_batch, 0, CAPTIONERS);
    tcase_add_loop_test(tc, threads, 0, CAPTIONERS);
    tcase_add_loop_test(tc, lengths_need_not_be_said, 0, CAPTIONERS);
    tcase_add_loop_test(tc, padding_reaches_nothing, 0, CAPTIONERS);
    tcase_add_test(tc, pictures_of_any_strides);
    tcase_add_loop_test(tc, search, 0, CAPTIONERS);
    tcase_add_loop_test(tc, maps, 0, CAPTIONERS);
    tcase_add_loop_test(tc, looking_changes_nothing, 0, CAPTIONERS);
    tcase_add_test(tc, log_p);
    tcase_add_loop_test(tc, configs_that_make_no_sense, 0, sizeof refused / sizeof *refused);
    tcase_add_test(tc, batches_that_do_not_fit);
}

TL_TEST_MAIN("models: a Transformer that reads pictures")
