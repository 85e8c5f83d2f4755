/* Gradients at a model's input against finite differences of the model, with attention free and held; and shares
 * against the total that they must sum to. */
#include "flow_subject.h"

#ifdef TL_DOUBLE
# define STEP 1e-4
# define WITHIN 1e-6
#else
# define STEP 1e-3
# define WITHIN 1e-2
#endif

/* df/dh of a position's input (or a part of it) times 1 + h, by differences of fourth order. */
static double difference(const subject *s, const tl_objective *objective, tl_places *places,
                         tl_stream_side side, long place, const double *part) {
    const double steps[] = {-2 * STEP, -STEP, STEP, 2 * STEP};
    double value[4];
    for (int i = 0; i < 4; i++) {
        change c = {place, steps[i], part, inputs_of(s, side)};
        must(tl_places_replace(places, input_place[side], changed, &c));
        value[i] = value_with(s, objective, places);
    }
    must(tl_places_replace(places, input_place[side], NULL, NULL));
    return (value[0] - 8 * value[1] + 8 * value[2] - value[3]) / (12 * STEP);
}

static double largest(const tl_input_shares *a) {
    double most = 0;
    for (long i = 0; i < a->sources; i++) most = fmax(most, fabs(a->source[i]));
    for (long i = 0; i < a->targets; i++) most = fmax(most, fabs(a->target[i]));
    return most;
}

/* Checks the first position of each side, and the objective's. */
static void agrees(const subject *s, const tl_objective *objective, tl_places *places,
                   const tl_input_shares *a, double *const part[2]) {
    const double most = largest(a);
    must(most > 0);
    for (int side = 0; side < TL_STREAM_SIDES; side++) {
        const long n = side == TL_ENCODER ? a->sources : a->targets, at[] = {0, WORD};
        ck_assert_int_eq(n, inputs_of(s, (tl_stream_side)side));
        for (int i = 0; i < 2 && n; i++) {
            const double want = difference(s, objective, places, (tl_stream_side)side, at[i], part[side]),
                         have = (side == TL_ENCODER ? a->source : a->target)[at[i]];
            must_msg(fabs(have - want) <= WITHIN * most,
                     "%s, input %ld of side %d: %.9g, by differences %.9g (largest %.3g)",
                     s->model->kind->name, at[i], side, have, want, most);
        }
    }
}

START_TEST(gradient_times_input_is_a_difference) {
    static double *const whole[2] = {NULL, NULL};
    subject s;
    const tl_objective objective = flow_begin(&s, _i);
    tl_input_shares a;
    must_msg(tl_input_grads(s.model, s.tape, &s.batch, &objective, NULL, &a), "%s", tl_tape_error(s.tape));
    tl_places *places = tl_places_new(s.model);
    ck_assert(fabs(a.value - value_with(&s, &objective, places)) <= 1e-5 * (1 + fabs(a.value)));
    agrees(&s, &objective, places, &a, whole);
    tl_places_free(places);
    tl_input_shares_free(&a);
    subject_end(&s);
}
END_TEST

/* Content of the sentence's words: rows of the embedding times √d_model. The caller frees it. */
static double *content(const tl_embedding_layer *embedding, const int *ids, long count, double scale) {
    const tl_tensor w = tl_param_value(embedding->weight);
    const long d = w.dim[1];
    double *part = malloc((size_t)(count * d + 1) * sizeof *part);
    for (long i = 0; i < count * d; i++) part[i] = scale * (double)w.data[ids[i / d] * d + i % d];
    return part;
}
static void contents(const subject *s, double *part[2]) {
    const tl_batch one = by_itself(s);
    const tl_transformer *m = &s->transformer.model;
    const double scale = sqrt((double)m->config.d_model);
    part[TL_ENCODER] = content(&m->src_embedding, one.src, one.src_len, scale);
    part[TL_DECODER] = content(&m->tgt_embedding, one.tgt_in, one.tgt_len, scale);
}

/* Replaces one pattern by its original value. */
static tl_var put_back(tl_var x, const tl_place_at *at, void *context) {
    (void)at;
    return tl_constant_copy(x.tape, *(const tl_tensor *)context);
}
enum { MOST_ATTENTIONS = 6 };
typedef struct patterns {
    int count;
    tl_tensor was[MOST_ATTENTIONS];
} patterns;
/* Holds every attention at its original weights while places act. */
static void hold(const subject *s, tl_places *places, patterns *all) {
    tl_seen seen;
    must_msg(
        tl_look(s->model, s->tape, &s->batch, &(tl_look_options){.no_grad = true, .places = places}, &seen),
        "%s", tl_tape_error(s->tape));
    must(seen.count <= MOST_ATTENTIONS);
    all->count = seen.count;
    for (int i = 0; i < seen.count; i++) {
        char name[80];
        snprintf(name, sizeof name, "%s.pattern", seen.attention[i].name);
        all->was[i] = copied(tl_value(tl_place_var(s->model, &seen.maps, name)));
    }
    for (int i = 0; i < seen.count; i++) {
        char name[80];
        snprintf(name, sizeof name, "%s.pattern", seen.attention[i].name);
        must(tl_places_replace(places, name, put_back, &all->was[i]));
    }
}
/* Computes uniform attention by hand: each row of cross-attention over the source's words (by the sentence's own
 * length), each row of a causal decoder over the words up to its own. */
static tl_var evenly(tl_var x, const tl_place_at *at, void *context) {
    (void)at;
    const subject *s = context;
    const tl_var y = tl_zeros(x.tape, tl_shape_of_var(x));
    const tl_tensor to = tl_value(y), from = tl_value(x);
    const long keys = to.dim[3], queries = to.dim[2];
    const bool across = keys == s->batch.src_len && keys != queries;
    for (long row = 0; row < tl_numel(to) / keys; row++) {
        const long b = row / (to.dim[1] * queries), before = row % queries + 1,
                   length = s->batch.tgt_lengths[b];
        const long words = across ? s->batch.src_lengths[b] : before < length ? before : length;
        double sum = 0;
        for (long j = 0; j < keys; j++) sum += element_of(from, row * keys + j);
        for (long j = 0; j < words; j++) to.data[row * keys + j] = (tl_real)(sum / (double)words);
    }
    return y;
}

/* Gradients of content with attention free, detached, and uniform in cross-attention or in a causal decoder: each
 * against differences of a model changed in the same way. */
START_TEST(held_attention_lets_nothing_through_scores) {
    static const int some[] = {0, 1, 4, FIRST_SCORED, FIRST_SCORED + 4};
    static const char *const uniform[] = {NULL, NULL, "*.cross", "decoder.*.self"};
    const int way = _i % 4;
    const tl_attention_held how = way > 1 ? TL_ATTENTION_UNIFORM
                                  : way   ? TL_ATTENTION_DETACHED
                                          : TL_ATTENTION_FREE;
    subject s;
    const tl_objective objective = flow_begin(&s, some[_i / 4]);
    must(s.batch.src_len != s.batch.tgt_len); /* `evenly` distinguishes the sides by their lengths */
    tl_input_shares a;
    must_msg(tl_input_grads(s.model, s.tape, &s.batch, &objective,
                            &(tl_input_options){.part = TL_CONTENT, .held = how, .uniform = uniform[way]},
                            &a),
             "%s", tl_tape_error(s.tape));
    tl_places *places = tl_places_new(s.model);
    patterns all = {0};
    double *part[2];
    contents(&s, part);
    if (way == 2) must(tl_places_replace(places, "*.cross.pattern", evenly, &s));
    if (way == 3) must(tl_places_replace(places, "decoder.*.self.pattern", evenly, &s));
    if (way) hold(&s, places, &all);
    ck_assert(fabs(a.value - value_with(&s, &objective, places)) <= 1e-5 * (1 + fabs(a.value)));
    agrees(&s, &objective, places, &a, part);
    for (int i = 0; i < all.count; i++) free(all.was[i].data);
    free(part[0]);
    free(part[1]);
    tl_places_free(places);
    tl_input_shares_free(&a);
    subject_end(&s);
}
END_TEST

START_TEST(a_linear_model_is_explained_exactly) {
    classifier_bench k = classifier_begin(&(tl_classifier_config)SIZES(TL_CLASSIFY_AVERAGE, .heads = 1));
    tl_batch b = labelled(sentences, 3, 13, 0);
    const tl_objective logit = {.kind = TL_OF_LOGIT, .sentence = 2, .token = 1, .other = -1};
    tl_input_shares grads, shares;
    tl_path_report r;
    must_msg(tl_input_grads(&k.model.model, k.tape, &b, &logit, NULL, &grads), "%s", tl_tape_error(k.tape));
    must(tl_integrated_grads(&k.model.model, k.tape, &b, &logit, NULL, &shares, &r));
    const long n = b.src_lengths[2];
    ck_assert(grads.sources == n && grads.targets == 0);
    const tl_tensor e = tl_param_value(k.model.embedding.weight), w = tl_param_value(k.model.head.weight);
    const double within = sizeof(tl_real) == 4 ? 1e-6 : 1e-14;
    for (long i = 0; i < n; i++) {
        double share = 0;
        for (long d = 0; d < e.dim[1]; d++)
            share += (double)e.data[b.src[2 * b.src_len + i] * e.dim[1] + d] * (double)w.data[w.dim[1] + d] /
                     (double)n;
        must(fabs(grads.source[i] - share) <= within && fabs(shares.source[i] - share) <= within);
    }
    ck_assert(r.reached && r.steps == 8);
    ck_assert(fabs(r.baseline - (double)tl_param_value(k.model.head.bias).data[1]) < 1e-6);
    tl_input_shares_free(&grads);
    tl_input_shares_free(&shares);
    batch_free(&b);
    classifier_end(&k);
}
END_TEST

/* ---- integrated gradients ---- */

/* Before a norm, and without added positions, an input without content is exactly 0. Near 0 the norm enlarges any
 * difference, and no number of steps may be enough. */
static bool may_fail(int which) {
    return which == 4 || which == FIRST_GPT + 4 || which == FIRST_CLASSIFIER + 4;
}

START_TEST(shares_sum_to_the_difference) {
    subject s;
    const tl_objective objective = flow_begin(&s, _i);
    tl_input_shares a;
    tl_path_report r;
    must_msg(
        tl_integrated_grads(s.model, s.tape, &s.batch, &objective, &(tl_path_options){.most = 128}, &a, &r),
        "%s", tl_tape_error(s.tape));
    double sum = 0;
    for (long i = 0; i < a.sources; i++) sum += a.source[i];
    for (long i = 0; i < a.targets; i++) sum += a.target[i];
    ck_assert(fabs(r.gap - fabs(sum - (r.value - r.baseline)) / fabs(r.value - r.baseline)) <=
              1e-9 + 1e-6 * r.gap);
    ck_assert(r.reached == (r.gap < 0.01));
    must_msg(r.reached || may_fail(_i), "%s: gap %.3g after %ld steps", s.model->kind->name, r.gap, r.steps);
    ck_assert(a.value == r.value);
    ck_assert(a.sources == inputs_of(&s, TL_ENCODER) && a.targets == inputs_of(&s, TL_DECODER));
    if (has_cls(&s)) ck_assert(a.source[0] == 0); /* [CLS] is no input */
    for (long t = WORD + 1; t < a.targets && _i != FIRST_SCORED + SCORED - 1; t++)
        ck_assert(a.target[t] == 0);
    tl_input_shares_free(&a);
    subject_end(&s);
}
END_TEST

/* f with all content times alpha, except one position's, which is times alpha + h. */
static double on_the_way(const subject *s, const tl_objective *objective, tl_places *places,
                         double *const part[2], double alpha, tl_stream_side side, long place, double h) {
    const long d = s->transformer.model.config.d_model;
    double *moved[2];
    change c[2];
    for (int i = 0; i < 2; i++) {
        const long n = inputs_of(s, (tl_stream_side)i) * d;
        moved[i] = malloc((size_t)n * sizeof *moved[i]);
        for (long e = 0; e < n; e++)
            moved[i][e] = part[i][e] * (alpha - 1 + (i == (int)side && e / d == place ? h : 0));
        c[i] = (change){.place = -1, .times = 1, .part = moved[i], .places = n / d};
        must(tl_places_replace(places, input_place[i], changed, &c[i]));
    }
    const double value = value_with(s, objective, places);
    free(moved[0]);
    free(moved[1]);
    return value;
}

/* Each position's share is the integral of differences along the path, computed here by Simpson's rule. */
START_TEST(shares_are_integrals_of_differences) {
    enum { NODES = 65 };
    const double h = sizeof(tl_real) == 4 ? 0.02 : 1e-4;
    const tl_stream_side side = _i ? TL_DECODER : TL_ENCODER;
    subject s;
    const tl_objective objective = flow_begin(&s, 0);
    tl_input_shares a;
    must(tl_integrated_grads(s.model, s.tape, &s.batch, &objective, &(tl_path_options){.first = 64}, &a,
                             NULL));
    double *part[2];
    contents(&s, part);
    tl_places *places = tl_places_new(s.model);
    for (long place = 1; place < 3; place++) {
        double sum = 0;
        for (int k = 0; k < NODES; k++) {
            const double alpha = (double)k / (NODES - 1), weight = k == 0 || k == NODES - 1 ? 1
                                                                   : k % 2                  ? 4
                                                                                            : 2;
            sum += weight *
                   (on_the_way(&s, &objective, places, part, alpha, side, place, h) -
                    on_the_way(&s, &objective, places, part, alpha, side, place, -h)) /
                   (2 * h);
        }
        sum /= 3 * (NODES - 1);
        const double have = (_i ? a.target : a.source)[place];
        must_msg(fabs(have - sum) <= 1e-2 * largest(&a), "side %d place %ld: %.6g, by differences %.6g", side,
                 place, have, sum);
    }
    tl_places_free(places);
    free(part[0]);
    free(part[1]);
    tl_input_shares_free(&a);
    subject_end(&s);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, gradient_times_input_is_a_difference, 0, EVERY_MODEL);
    tcase_add_loop_test(tc, held_attention_lets_nothing_through_scores, 0, 4 * 5);
    tcase_add_test(tc, a_linear_model_is_explained_exactly);
    tcase_add_loop_test(tc, shares_sum_to_the_difference, 0, EVERY_MODEL);
    tcase_add_loop_test(tc, shares_are_integrals_of_differences, 0, TL_STREAM_SIDES);
}

TL_TEST_MAIN("lens: flows at the input")
