/* What flows take from a look; the same numbers for a sentence alone and in any batch; what τ compares; that
 * measuring changes nothing, and that errors are reported. */
#include "flow_subject.h"

/* The expected contents of a matrix, from the tensors of a look. */
static double expected(const tl_seen_attention *a, bool relevance, long i, long j) {
    double sum = 0;
    for (long h = 0; h < a->heads; h++) {
        const double w = tl_item(tl_at(a->weights, ASKED, h, i, j));
        sum += relevance ? fmax(0, w * tl_item(tl_at(a->weight_grads, ASKED, h, i, j))) : w;
    }
    return sum / (double)a->heads;
}

static const double *matrix_of(const tl_flow_layers *l, const tl_seen_attention *a, long *rows,
                               long *columns) {
    *rows = a->kind == TL_ENCODER_SELF ? l->sources : l->targets;
    *columns = a->kind == TL_DECODER_SELF ? l->targets : l->sources;
    return a->kind == TL_ENCODER_SELF   ? l->encoder_self[a->layer]
           : a->kind == TL_DECODER_SELF ? l->decoder_self[a->layer]
                                        : l->cross[a->layer];
}

START_TEST(layers_hold_what_was_seen_alone_and_in_company) {
    subject s;
    const tl_objective objective = flow_begin(&s, _i / 2);
    tl_objective of_one = objective;
    of_one.sentence = 0;
    const tl_flow_of what = _i % 2 ? TL_FLOW_RELEVANCE : TL_FLOW_WEIGHTS;
    const tl_batch one = by_itself(&s);
    tl_seen seen;
    must_msg(tl_look(s.model, s.tape, &s.batch, &(tl_look_options){.objective = objective}, &seen), "%s",
             tl_tape_error(s.tape));
    tl_flow_layers *l = tl_flow_layers_of(&seen, ASKED, what);
    ck_assert_ptr_nonnull(l);
    long rows, columns;
    for (int i = 0; i < seen.count; i++) {
        const double *have = matrix_of(l, &seen.attention[i], &rows, &columns);
        for (long e = 0; e < rows * columns; e++)
            must(fabs(have[e] - expected(&seen.attention[i], what == TL_FLOW_RELEVANCE, e / columns,
                                         e % columns)) <= 1e-6);
    }
    const bool pools = !s.batch.tgt_in && s.model->attentions[TL_CROSS];
    const bool reads = s.model->attentions[TL_ENCODER_SELF] + s.model->attentions[TL_CROSS] > 0;
    ck_assert_int_eq(l->sources, reads ? inputs_of(&s, TL_ENCODER) : 0);
    ck_assert_int_eq(l->targets, pools ? 1 : inputs_of(&s, TL_DECODER));
    ck_assert(l->replaces == !s.batch.tgt_in);
    ck_assert(!tl_flow_layers_of(&seen, BATCH, what) && !tl_flow_layers_of(&seen, -1, what) &&
              !tl_flow_layers_of(NULL, 0, what));
    must_msg(tl_look(s.model, s.tape, &one, &(tl_look_options){.objective = of_one}, &seen), "%s",
             tl_tape_error(s.tape));
    tl_flow_layers *lone = tl_flow_layers_of(&seen, 0, what);
    ck_assert(lone && lone->sources == l->sources && lone->targets == l->targets);
    for (int i = 0; i < seen.count; i++) {
        const double *in_company = matrix_of(l, &seen.attention[i], &rows, &columns),
                     *alone_now = matrix_of(lone, &seen.attention[i], &rows, &columns);
        must(memcmp(in_company, alone_now, (size_t)(rows * columns) * sizeof *alone_now) == 0);
    }
    must(tl_look(s.model, s.tape, &one, &(tl_look_options){.no_grad = true}, &seen));
    if (seen.count) ck_assert_ptr_null(tl_flow_layers_of(&seen, 0, TL_FLOW_RELEVANCE));
    tl_flow_layers_free(l);
    tl_flow_layers_free(lone);
    subject_end(&s);
}
END_TEST

/* A layer that has lost all its heads reads nothing: its positions keep their values. */
START_TEST(a_layer_without_heads_takes_nothing) {
    static const int none_and_all[] = {0, 2}, one_each[] = {1, 1};
    const tl_transformer_config config = {SMALL_MODEL,
                                          .kept = {[TL_DECODER_SELF] = none_and_all, [TL_CROSS] = one_each}};
    bench k = bench_begin(&config);
    tl_batch b = batch_of(sentences, 1, 13, 0, 0);
    const tl_objective objective = {.kind = TL_OF_LOGIT, .position = 1, .token = 5, .other = -1};
    tl_seen seen;
    must_msg(tl_look(&k.model.model, k.tape, &b, &(tl_look_options){.objective = objective}, &seen), "%s",
             tl_tape_error(k.tape));
    for (int what = 0; what < 2; what++) {
        tl_flow_layers *l = tl_flow_layers_of(&seen, 0, (tl_flow_of)what);
        const long t = l->targets;
        double later = 0;
        for (long e = 0; e < t * t; e++)
            ck_assert(l->decoder_self[0][e] == 0), later += l->decoder_self[1][e];
        ck_assert(later > 0);
        tl_flow_layers_free(l);
    }
    batch_free(&b);
    bench_end(&k);
}
END_TEST

START_TEST(inputs_have_the_same_share_alone_and_in_company) {
    subject s;
    tl_objective objective = flow_begin(&s, _i);
    if (_i % 2) objective.token = -1; /* the true one, or the true class */
    tl_objective of_one = objective;
    of_one.sentence = 0;
    const tl_batch one = by_itself(&s);
    const tl_path_options few = {.first = 2, .most = 2};
    tl_input_shares a[4];
    must(tl_input_grads(s.model, s.tape, &s.batch, &objective, NULL, &a[0]));
    must(tl_input_grads(s.model, s.tape, &one, &of_one, NULL, &a[1]));
    must(tl_integrated_grads(s.model, s.tape, &s.batch, &objective, &few, &a[2], NULL));
    must(tl_integrated_grads(s.model, s.tape, &one, &of_one, &few, &a[3], NULL));
    for (int i = 0; i < 4; i += 2) {
        ck_assert(a[i].sources == a[i + 1].sources && a[i].targets == a[i + 1].targets &&
                  a[i].value == a[i + 1].value);
        must(!memcmp(a[i].source, a[i + 1].source, (size_t)(a[i].sources + a[i].targets) * sizeof(double)));
    }
    for (int i = 0; i < 4; i++) tl_input_shares_free(&a[i]);
    subject_end(&s);
}
END_TEST

/* Pictures in a batch without lengths. */
START_TEST(pictures_are_inputs) {
    enum { PICTURES = 2, PATCHES = 4, PIXELS = 3, WORDS = 3 };
    bench k = bench_begin(&(tl_transformer_config){
        .patch = PIXELS, .tgt_vocab = 13, .d_model = 8, .heads = 2, .layers = 1, .d_ff = 16, .max_len = 64});
    tl_real pixel[PICTURES * PATCHES * PIXELS];
    for (long i = 0; i < PICTURES * PATCHES * PIXELS; i++)
        pixel[i] = (tl_real)(2 * tl_rng_uniform(tl_rng_key_of(8, "pixels"), (uint64_t)i) - 1);
    const int in[PICTURES * WORDS] = {1, 5, 6, 1, 7, 8}, out[PICTURES * WORDS] = {5, 6, 2, 7, 8, 2};
    const int lengths[PICTURES] = {WORDS, WORDS};
    const tl_batch b = {.sentences = PICTURES,
                        .src_len = PATCHES,
                        .tgt_len = WORDS,
                        .tgt_in = in,
                        .tgt_out = out,
                        .tgt_lengths = lengths,
                        .pictures = tl_tensor_of(pixel, TL_SHAPE(PICTURES, PATCHES, PIXELS))};
    const tl_objective objective = {
        .kind = TL_OF_LOGIT, .sentence = 1, .position = 1, .token = -1, .other = -1};
    tl_seen seen;
    must_msg(tl_look(&k.model.model, k.tape, &b, &(tl_look_options){.objective = objective}, &seen), "%s",
             tl_tape_error(k.tape));
    tl_flow_layers *l = tl_flow_layers_of(&seen, 1, TL_FLOW_RELEVANCE);
    ck_assert(l && l->sources == PATCHES && l->targets == WORDS && !l->replaces);
    const double value = seen.value;
    tl_flow_layers_free(l);
    tl_input_shares a;
    tl_path_report r;
    must_msg(tl_integrated_grads(&k.model.model, k.tape, &b, &objective, NULL, &a, &r), "%s",
             tl_tape_error(k.tape));
    ck_assert(a.sources == PATCHES && a.targets == WORDS && r.reached);
    ck_assert(fabs(a.value - value) <= 1e-5);
    for (long i = 0; i < PATCHES; i++) ck_assert(a.source[i] != 0);
    tl_input_shares_free(&a);
    tl_input_shares whole; /* an added position is no content, on either side */
    must(tl_input_grads(&k.model.model, k.tape, &b, &objective, NULL, &whole));
    must(tl_input_grads(&k.model.model, k.tape, &b, &objective, &(tl_input_options){.part = TL_CONTENT}, &a));
    ck_assert(fabs(a.source[1] - whole.source[1]) > 1e-3 && fabs(a.target[1] - whole.target[1]) > 1e-3);
    tl_input_shares_free(&whole);
    tl_input_shares_free(&a);
    bench_end(&k);
}
END_TEST

/* ---- τ ---- */

static const char *last_of(const subject *s, char name[64]) {
    const tl_attention_kind kind = s->model->attentions[TL_CROSS]          ? TL_CROSS
                                   : s->model->attentions[TL_DECODER_SELF] ? TL_DECODER_SELF
                                                                           : TL_ENCODER_SELF;
    if (!s->model->attentions[kind]) return NULL;
    return tl_attention_name(s->model, kind, s->model->attentions[kind] - 1, name);
}

static bool same(double a, double b) { return a == b || (isnan(a) && isnan(b)); }

/* One row of weights, raw gradients and centred gradients, summed over heads, for the sentence alone. */
static long row_of(const tl_seen_attention *a, long row, long first, int head, double *weight, double *raw,
                   double *centred, long *place) {
    long n = 0;
    for (long j = first; j < a->keys; j++) {
        if (!tl_mask_shows(&a->mask, 0, 0, row, j, a->queries, a->keys)) continue;
        weight[n] = raw[n] = centred[n] = 0;
        place[n] = j;
        for (long h = 0; h < a->heads; h++) {
            if (head >= 0 && h != head) continue;
            double centre = 0;
            for (long k = 0; k < a->keys; k++)
                centre +=
                    tl_item(tl_at(a->weights, 0, h, row, k)) * tl_item(tl_at(a->weight_grads, 0, h, row, k));
            const double g = tl_item(tl_at(a->weight_grads, 0, h, row, j));
            weight[n] += tl_item(tl_at(a->weights, 0, h, row, j));
            raw[n] += g;
            centred[n] += g - centre;
        }
        raw[n] = fabs(raw[n]);
        centred[n] = fabs(centred[n]);
        n++;
    }
    return n;
}

/* Are two numbers so close that rounding may decide which is larger? Then their ranks are not compared. */
static bool close_ones(const double *x, long n) {
    double most = 0;
    for (long i = 0; i < n; i++) most = fmax(most, fabs(x[i]));
    for (long i = 0; i < n; i++)
        for (long j = 0; j < i; j++)
            if (fabs(x[i] - x[j]) <= 1e-5 * most) return true;
    return false;
}

START_TEST(taus_are_of_a_row_and_its_gradients) {
    subject s;
    const int head = _i % 2 - 1;
    const tl_objective objective = flow_begin(&s, _i / 2);
    tl_objective of = objective;
    of.sentence = 0;
    const tl_batch one = by_itself(&s);
    char name[64];
    const char *attention = last_of(&s, name);
    tl_grad_taus taus;
    if (attention) {
        must_msg(tl_grad_taus_of(s.model, s.tape, &s.batch, &objective, attention, head, &taus), "%s",
                 tl_tape_error(s.tape));
        tl_seen seen;
        must(tl_look(s.model, s.tape, &one, &(tl_look_options){.objective = of}, &seen));
        const tl_seen_attention *a = tl_seen_of(&seen, attention);
        const tl_attention_kind kind = a->kind;
        const long cls = kind == TL_ENCODER_SELF && has_cls(&s);
        double weight[16], raw[16], centred[16], size[16];
        long place[16];
        const long n = row_of(a, s.batch.tgt_in ? WORD : 0, cls, head, weight, raw, centred, place);
        ck_assert_int_eq(taus.positions, n);
        ck_assert_int_ge(n, 2);
        const bool even = close_ones(weight, n);
        if (!even && !close_ones(raw, n))
            ck_assert(same(taus.weight_grad_raw, tl_kendall_tau(weight, raw, n)));
        if (!even && !close_ones(centred, n))
            ck_assert(same(taus.weight_grad, tl_kendall_tau(weight, centred, n)));
        for (int uniform = 0; uniform < 2; uniform++) {
            static const char *const patterns[] = {"encoder.*.self", "decoder.*.self", "*.cross"};
            tl_input_shares g;
            must(tl_input_grads(
                s.model, s.tape, &one, &of,
                &(tl_input_options){.part = TL_CONTENT,
                                    .held = uniform ? TL_ATTENTION_UNIFORM : TL_ATTENTION_DETACHED,
                                    .uniform =
                                        kind == TL_CROSS && !s.batch.tgt_in ? "pooling" : patterns[kind]},
                &g));
            const double *side = kind == TL_DECODER_SELF ? g.target : g.source;
            for (long j = 0; j < n; j++) size[j] = fabs(side[place[j]]);
            if (!even && !close_ones(size, n))
                ck_assert(same(uniform ? taus.uniform : taus.embedding, tl_kendall_tau(weight, size, n)));
            ck_assert((uniform ? taus.uniform_value : taus.value) == g.value);
            tl_input_shares_free(&g);
        }
    }
    subject_end(&s);
}
END_TEST

/* ---- nothing changes; errors are reported ---- */

START_TEST(nothing_changes_by_measuring) {
    static const int some[] = {0, FIRST_GPT, FIRST_RECURRENT + 5, FIRST_CLASSIFIER, FIRST_CLASSIFIER + 6};
    subject s;
    const tl_objective objective = flow_begin(&s, some[_i]);
    model_step(s.model, s.tape, &s.batch, 0, NULL);
    gradients before = gradients_of(s.model->params);
    tl_input_shares a;
    tl_grad_taus taus;
    char name[64];
    for (int off = 0; off < 2; off++) { /* also with a tape without gradients, and in training mode */
        tl_tape_set_grad(s.tape, !off);
        tl_tape_set_training(s.tape, off ? 3 : 0);
        must_msg(tl_integrated_grads(s.model, s.tape, &s.batch, &objective, &(tl_path_options){.most = 8}, &a,
                                     NULL),
                 "%s", tl_tape_error(s.tape));
        tl_input_shares_free(&a);
        must(tl_input_grads(s.model, s.tape, &s.batch, &objective, NULL, &a));
        tl_input_shares_free(&a);
        must(tl_grad_taus_of(s.model, s.tape, &s.batch, &objective, last_of(&s, name), -1, &taus));
        ck_assert(tl_tape_set_grad(s.tape, true) == !off && tl_tape_set_training(s.tape, 0) == (off ? 3 : 0));
    }
    model_step(s.model, s.tape, &s.batch, 0, NULL);
    assert_same_gradients(s.model->params, &before, "after flows");
    gradients_free(&before);
    subject_end(&s);
}
END_TEST

static void is_said(const subject *s, bool ok, const char *part) {
    ck_assert(!ok);
    assert_contains(tl_tape_error(s->tape), part);
    tl_tape_clear_error(s->tape);
}

START_TEST(what_is_wrong_is_said) {
    subject s;
    const tl_objective objective = flow_begin(&s, 0);
    tl_input_shares a;
    tl_grad_taus t;
    tl_objective of = objective;
    of.sentence = BATCH;
    is_said(&s, tl_input_grads(s.model, s.tape, &s.batch, &of, NULL, &a), "sentence 3, and the batch has 3");
    is_said(&s, tl_integrated_grads(s.model, s.tape, &s.batch, &of, NULL, &a, NULL),
            "sentence 3, and the batch has 3");
    is_said(&s, tl_grad_taus_of(s.model, s.tape, &s.batch, &of, "decoder.layers.1.cross", -1, &t),
            "sentence 3, and the batch has 3");
    of = (tl_objective){0};
    is_said(&s, tl_grad_taus_of(s.model, s.tape, &s.batch, &of, "decoder.layers.1.cross", -1, &t),
            "ask for its log p or its logit");
    is_said(&s, tl_grad_taus_of(s.model, s.tape, &s.batch, &objective, "decoder.layers.2.cross", -1, &t),
            "no attention \"decoder.layers.2.cross\"");
    is_said(&s, tl_grad_taus_of(s.model, s.tape, &s.batch, &objective, "decoder.layers.1.cross", 2, &t),
            "head 2");
    of = objective;
    of.position = 4;
    ck_assert(!tl_grad_taus_of(s.model, s.tape, &s.batch, &of, "decoder.layers.1.cross", -1, &t));
    ck_assert_ptr_nonnull(tl_tape_error(s.tape));
    tl_tape_clear_error(s.tape);
    subject_end(&s);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, layers_hold_what_was_seen_alone_and_in_company, 0, 2 * EVERY_MODEL);
    tcase_add_loop_test(tc, inputs_have_the_same_share_alone_and_in_company, 0, EVERY_MODEL);
    tcase_add_test(tc, a_layer_without_heads_takes_nothing);
    tcase_add_test(tc, pictures_are_inputs);
    tcase_add_loop_test(tc, taus_are_of_a_row_and_its_gradients, 0, 2 * EVERY_MODEL);
    tcase_add_loop_test(tc, nothing_changes_by_measuring, 0, 5);
    tcase_add_test(tc, what_is_wrong_is_said);
}

TL_TEST_MAIN("lens: flows of what was seen")
