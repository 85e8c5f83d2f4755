/* Direct logit attribution: in every model the summands sum to the logit, and each has the right value; the logit
 * lens: its last depth has the model's bits. */
#include "models/classifier.h"
#include "models/gpt.h"
#include "nothing.h"

#ifdef TL_DOUBLE
static const double tolerance = 1e-10;
#else
static const double tolerance = 1e-5;
#endif

/* ---- the skip path, over plain numbers ---- */

enum { WIDE = 5, STEPS = 7 };
static double drawn(const char *what, long i) { return tl_rng_normal(tl_rng_key_of(8, what), (uint64_t)i); }

typedef struct way {
    double added[STEPS][WIDE], gain[STEPS][WIDE], bias[STEPS][WIDE], read[WIDE];
    tl_skip_step step[STEPS];
} way;
/* The norms are steps 2, 4 (without a bias) and the last one, 6. */
static void lay_way(way *w) {
    for (long s = 0; s < STEPS; s++) {
        for (long i = 0; i < WIDE; i++) {
            w->added[s][i] = drawn("added", s * WIDE + i);
            w->gain[s][i] = drawn("gain", s * WIDE + i);
            w->bias[s][i] = drawn("bias", s * WIDE + i);
            w->read[i] = drawn("read", i);
        }
        const bool norm = s == 2 || s == 4 || s == 6;
        w->step[s] = norm
                         ? (tl_skip_step){.gain = w->gain[s], .bias = s == 4 ? NULL : w->bias[s], .eps = 0.25}
                         : (tl_skip_step){.added = w->added[s]};
    }
}

static double product(const double *a, const double *b) {
    double sum = 0;
    for (int i = 0; i < WIDE; i++) sum += a[i] * b[i];
    return sum;
}

/* read·stream with the given σ, by the formula; step `without` adds nothing. */
static double read_with(const way *w, const double *sigma, int without) {
    double x[WIDE] = {0};
    for (int s = 0; s < STEPS; s++) {
        const tl_skip_step *step = &w->step[s];
        const double *more = s == without ? NULL : step->added ? step->added : step->bias;
        double mean = 0;
        for (int i = 0; i < WIDE; i++) mean += x[i] / WIDE;
        for (int i = 0; i < WIDE; i++) {
            if (!step->added) x[i] = step->gain[i] * (x[i] - mean) / sigma[s];
            if (more) x[i] += more[i];
        }
    }
    return product(w->read, x);
}

START_TEST(a_way_is_a_sum) {
    way w;
    lay_way(&w);
    double stream[WIDE], sigma[STEPS], at[STEPS][WIDE], sum = 0;
    tl_skip_path(w.step, STEPS, WIDE, w.read, stream, sigma, at[0]);
    const double value = product(w.read, stream);
    ck_assert_double_eq_tol(value, read_with(&w, sigma, -1), 1e-12);
    for (int s = 0; s < STEPS; s++) {
        const double *more = w.step[s].added ? w.step[s].added : w.step[s].bias;
        const double share = more ? product(more, at[s]) : 0;
        if (w.step[s].added) ck_assert(sigma[s] == 1);
        ck_assert_double_eq_tol(value - read_with(&w, sigma, s), share, 1e-12);
        sum += share;
    }
    ck_assert_double_eq_tol(sum, value, 1e-12);
    must(!memcmp(at[STEPS - 1], w.read, sizeof w.read));
    double mean = 0, squares = 0; /* the first norm's σ */
    for (int i = 0; i < WIDE; i++) mean += (w.added[0][i] + w.added[1][i]) / WIDE;
    for (int i = 0; i < WIDE; i++) squares += pow(w.added[0][i] + w.added[1][i] - mean, 2);
    ck_assert_double_eq_tol(sigma[2], sqrt(squares / WIDE + 0.25), 1e-12);
}
END_TEST

/* ---- of models ---- */

static double largest(const tl_attribution *a) {
    double most = fabs(a->logit);
    for (long i = 0; i < a->count; i++) most = fmax(most, fabs(a->summand[i].value));
    return most;
}

static const tl_summand *summand_of(const tl_attribution *a, const char *name) {
    for (long i = 0; i < a->count; i++)
        if (!strcmp(a->summand[i].name, name)) return &a->summand[i];
    return NULL;
}

/* If no positions are added, a token's embedding is the only summand of the embedding. */
static void splits_embedding(const tl_attribution *a, bool placed) {
    const tl_summand *place = summand_of(a, "decoder.embedding position"),
                     *token = summand_of(a, "decoder.embedding token");
    if (!place)
        place = summand_of(a, "encoder.embedding position"), token = summand_of(a, "encoder.embedding token");
    must(place && token && place->kind == TL_SUMMAND_PLACE && token->kind == TL_SUMMAND_TOKEN);
    must((fabs(place->value) > tolerance * largest(a)) == placed);
}

/* Layer, head and attention agree with the name. */
static void is_named(const tl_model *model, const tl_summand *s) {
    const char *layer = strstr(s->name, ".layers."), *head = strstr(s->name, " head ");
    const bool heads = s->kind == TL_SUMMAND_HEAD, bias = s->kind == TL_SUMMAND_ATTENTION_BIAS;
    char name[64], whole[80];
    ck_assert_int_eq(s->layer, layer ? atoi(layer + 8) : -1);
    ck_assert_int_eq(s->head, head ? atoi(head + 6) : -1);
    must(heads == (head != NULL) &&
         bias == (strstr(s->name, ".self bias") || strstr(s->name, ".cross bias")));
    if (!heads && !bias) return;
    tl_attention_name(model, s->attention, s->layer, name);
    snprintf(whole, sizeof whole, heads ? "%s head %d" : "%s bias", name, s->head);
    ck_assert_str_eq(s->name, whole);
}

/* Every summand has a unique name, they sum to the model's logit, and that equals the objective. */
static tl_attribution sums_to(const tl_model *model, tl_tape *tape, const tl_batch *b, tl_objective o) {
    tl_attribution a;
    must_msg(tl_attribute_logit(model, tape, b, &o, &a), "%s", tl_tape_error(tape));
    double sum = 0;
    for (long i = 0; i < a.count; i++) {
        sum += a.summand[i].value;
        is_named(model, &a.summand[i]);
        for (long j = 0; j < i; j++) must(strcmp(a.summand[i].name, a.summand[j].name) != 0);
    }
    must(sum == a.sum && a.count > 0);
    must_msg(fabs(a.sum - a.logit) <= tolerance * largest(&a),
             "%s, word %ld: the sum is %.17g, the logit %.17g", model->kind->name, o.position, a.sum,
             a.logit);
    return a;
}

/* One token, the true one, and a difference of two, at some positions of a batch with padding. */
static void try_words(const tl_model *model, tl_tape *tape, const tl_batch *b) {
    for (long s = 0; s < b->sentences; s++)
        for (long t = 0; t < b->tgt_lengths[s]; t += 2) {
            const tl_objective own = {
                .kind = TL_OF_LOGIT, .sentence = s, .position = t, .token = -1, .other = -1};
            const tl_attribution truth = sums_to(model, tape, b, own);
            tl_objective named = own;
            named.token = b->tgt_out[s * b->tgt_len + t];
            const double logit = truth.logit;
            must(sums_to(model, tape, b, named).logit == logit);
            tl_objective two = own;
            two.token = 5, two.other = 7, two.kind = TL_OF_LOG_P;
            const double difference = sums_to(model, tape, b, two).logit;
            named.token = 5;
            const double five = sums_to(model, tape, b, named).logit;
            named.token = 7;
            ck_assert_double_eq_tol(five - sums_to(model, tape, b, named).logit, difference, tolerance);
        }
}

static const tl_objective five = {.kind = TL_OF_LOGIT, .position = 1, .token = 5, .other = -1};

START_TEST(of_translators) {
    bench k = bench_begin(&models[_i]);
    tl_batch b = batch_of(sentences, 3, models[_i].src_vocab, 0, 0);
    try_words(&k.model.model, k.tape, &b);
    const tl_attribution a = sums_to(&k.model.model, k.tape, &b, five);
    splits_embedding(&a, models[_i].positions == TL_SINUSOIDAL || models[_i].positions == TL_LEARNED);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

START_TEST(of_language_models) {
    gpt_bench k = gpt_begin(&gpts[_i]);
    tl_batch b = batch_of(sentences, 3, gpts[_i].vocab, 0, 0);
    tl_batch texts = b;
    texts.src = texts.src_lengths = NULL, texts.src_len = 0;
    try_words(&k.model.model, k.tape, &texts);
    const tl_attribution a = sums_to(&k.model.model, k.tape, &texts, five);
    splits_embedding(&a, k.model.config.positions == TL_SINUSOIDAL || k.model.config.positions == TL_LEARNED);
    batch_free(&b);
    gpt_end(&k);
}
END_TEST

enum { OF_LAYERS = 5 }; /* of classifiers: Transformers */
START_TEST(of_classifiers) {
    classifier_bench k = classifier_begin(&classifiers[_i]);
    tl_batch b = labelled(sentences, 4, 13, 0);
    for (long s = 0; s < 4; s++)
        for (int other = -1; other < 2; other++) {
            const tl_attribution a =
                sums_to(&k.model.model, k.tape, &b,
                        (tl_objective){.kind = TL_OF_LOGIT, .sentence = s, .token = 2, .other = other});
            must(summand_of(&a, "encoder.layers.0.self head 0") && summand_of(&a, "output bias"));
            splits_embedding(&a, classifiers[_i].positions == TL_SINUSOIDAL ||
                                     classifiers[_i].positions == TL_LEARNED);
        }
    batch_free(&b);
    classifier_end(&k);
}
END_TEST

/* A model that has lost heads; in one layer only a bias is left. */
static const int none_and_all[] = {0, 2}, one_each[] = {1, 1};
static const tl_transformer_config bench_pruned = {
    SMALL_MODEL, .kept = {[TL_DECODER_SELF] = none_and_all, [TL_CROSS] = one_each}};
START_TEST(of_what_is_left) {
    bench k = bench_begin(&bench_pruned);
    k.model.decoder.layer[1].norm2.eps = 0.5; /* eps may differ between norms */
    tl_batch b = batch_of(sentences, 3, 13, 0, 0);
    try_words(&k.model.model, k.tape, &b);
    const tl_attribution a = sums_to(&k.model.model, k.tape, &b, five);
    must(!summand_of(&a, "decoder.layers.0.self head 0") && summand_of(&a, "decoder.layers.0.self bias"));
    must(summand_of(&a, "decoder.layers.1.self head 1") && summand_of(&a, "decoder.layers.1.cross head 0") &&
         !summand_of(&a, "decoder.layers.1.cross head 1"));
    batch_free(&b);
    bench_end(&k);
}
END_TEST

static void add_to(tl_param *p, double more) {
    tl_tensor v = tl_param_value(p);
    for (long i = 0; i < tl_numel(v); i++) v.data[i] += (tl_real)more;
    tl_params_changed(p->set);
}

/* In a pre-norm model without final norm a summand equals what the logit loses when it is removed from the last
 * layer: a head by its gate, a bias by its parameter. */
START_TEST(each_is_what_it_adds) {
    const tl_transformer_config config = {SMALL_MODEL, .pre_norm = true, .no_final_norm = true,
                                          .output_bias = true};
    bench k = bench_begin(&config);
    const tl_model *m = &k.model.model;
    tl_batch b = batch_of(sentences, 2, 13, 0, 0);
    const tl_objective o = {.kind = TL_OF_LOGIT, .sentence = 1, .position = 3, .token = 6, .other = -1};
    tl_attribution a = sums_to(m, k.tape, &b, o);
    const double logit = a.logit, head = summand_of(&a, "decoder.layers.1.cross head 1")->value,
                 forward = summand_of(&a, "decoder.layers.1.feed_forward")->value,
                 bias = summand_of(&a, "decoder.layers.1.feed_forward bias")->value,
                 output = summand_of(&a, "output bias")->value;
    ck_assert_int_eq((int)a.count, 2 + 2 * (2 * 3 + 2) + 1);
    ck_assert_double_eq_tol(output, (double)tl_param_value(k.model.output_bias).data[6], 1e-12);
    const tl_tensor w = tl_param_value(k.model.output_weight);
    double tells = 0; /* effect of adding 1 to every element of the stream */
    for (long i = 0; i < 8; i++) tells += tl_item(tl_at(w, 6, i));
    add_to(k.model.decoder.layer[1].feed_forward.linear2.bias, 0.5);
    a = sums_to(m, k.tape, &b, o);
    ck_assert_double_eq_tol(summand_of(&a, "decoder.layers.1.feed_forward bias")->value, bias + 0.5 * tells,
                            tolerance);
    ck_assert_double_eq_tol(summand_of(&a, "decoder.layers.1.feed_forward")->value, forward, tolerance);
    ck_assert_double_eq_tol(a.logit, logit + 0.5 * tells, tolerance);
    add_to(k.model.decoder.layer[1].feed_forward.linear2.bias, -0.5);
    /* a head also reaches the last feed-forward, which is not part of its direct effect, so that is switched off */
    tl_param *in = k.model.decoder.layer[1].feed_forward.linear1.weight;
    tl_tensor_fill(tl_param_value(in), 0);
    tl_params_changed(k.params);
    const double before = sums_to(m, k.tape, &b, o).logit;
    tl_tensor project = tl_param_value(k.model.decoder.layer[1].multihead_attn.out_proj.weight);
    tl_tensor_fill(tl_tensor_slice(project, 1, 4, 8), 0);
    tl_params_changed(k.params);
    a = sums_to(m, k.tape, &b, o);
    ck_assert_double_eq_tol(before - a.logit, head, 10 * tolerance);
    must(summand_of(&a, "decoder.layers.1.cross head 1")->value == 0);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* ---- the lens ---- */

static tl_tensor last_of(const tl_lens *lens) { return lens->logits[lens->depths - 1]; }

static void ends_in_logits(const tl_model *model, tl_tape *tape, const tl_batch *b, tl_stream_side side,
                           int depths) {
    tl_lens lens;
    must_msg(tl_logit_lens(model, tape, b, side, &lens), "%s", tl_tape_error(tape));
    ck_assert_int_eq(lens.depths, depths);
    tl_tensor own = tl_value(model->kind->logits(model, model->kind->hidden(model, tape, b, NULL)));
    if (own.rank == 2) tl_tensor_reshape(own, TL_SHAPE(own.dim[0], 1, own.dim[1]), &own);
    assert_same_bits(last_of(&lens), own, "the last depth of %s", model->kind->name);
    for (int d = 0; d + 1 < depths; d++) must(first_difference(lens.logits[d], own) >= 0);
    must(strlen(lens.applied) > 20 && strlen(lens.applied) + 1 < sizeof lens.applied);
}

START_TEST(the_last_depth_is_the_model) {
    bench k = bench_begin(&models[_i % MODELS]);
    gpt_bench g = gpt_begin(&gpts[_i]);
    classifier_bench c = classifier_begin(&classifiers[_i % OF_LAYERS]);
    tl_batch b = batch_of(sentences, 3, 13, 0, 0), l = labelled(sentences, 3, 13, 0);
    ends_in_logits(&k.model.model, k.tape, &b, TL_DECODER, k.model.decoder.layers + 1);
    ends_in_logits(&c.model.model, c.tape, &l, TL_ENCODER, c.model.config.layers + 1);
    ends_in_logits(&g.model.model, g.tape, &b, TL_DECODER, g.model.config.layers + 1);
    batch_free(&b);
    batch_free(&l);
    bench_end(&k);
    gpt_end(&g);
    classifier_end(&c);
}
END_TEST

/* At depth 0 the logits are products of embeddings, after the final norm if there is one; also with tied weights. */
START_TEST(the_first_depth_is_the_embedding) {
    const bool norm = _i;
    const tl_transformer_config config = {SMALL_MODEL, .pre_norm = true, .no_final_norm = !norm,
                                          .positions = TL_NO_POSITIONS};
    bench k = bench_begin(&config);
    tl_batch b = batch_of(sentences, 1, 13, 0, 0);
    tl_lens lens;
    must(tl_logit_lens(&k.model.model, k.tape, &b, TL_DECODER, &lens));
    const tl_tensor w = tl_param_value(k.model.output_weight);
    double x[8], mean = 0, squares = 0;
    for (long i = 0; i < 8; i++) x[i] = sqrt(8) * tl_item(tl_at(w, b.tgt_in[2], i));
    for (long i = 0; i < 8; i++) mean += x[i] / 8;
    for (long i = 0; i < 8; i++) squares += (x[i] - mean) * (x[i] - mean) / 8;
    for (long i = 0; i < 8 && norm; i++)
        x[i] = (x[i] - mean) / sqrt(squares + 1e-5) *
                   tl_item(tl_at(tl_param_value(k.model.decoder.norm.weight), i)) +
               tl_item(tl_at(tl_param_value(k.model.decoder.norm.bias), i));
    for (int v = 0; v < 13; v++) {
        double expected = 0;
        for (long i = 0; i < 8; i++) expected += x[i] * tl_item(tl_at(w, v, i));
        ck_assert_double_eq_tol(tl_item(tl_at(lens.logits[0], 0, 2, v)), expected, tolerance);
    }
    assert_contains(lens.applied, norm ? "then the model's final norm and the projection to words"
                                       : "nothing but the projection to words");
    batch_free(&b);
    bench_end(&k);
}
END_TEST

START_TEST(what_logits_say) {
    tl_real x[] = {1, 3, 3, -1};
    const tl_tensor row = tl_tensor_of(x, TL_SHAPE(4));
    const double sum = log(exp(1) + 2 * exp(3) + exp(-1));
    tl_lens_said said = tl_lens_say(row, 2);
    ck_assert(said.token == 1 && said.truth_rank == 2);
    ck_assert_double_eq_tol(said.log_p, 3 - sum, 1e-12);
    ck_assert_double_eq_tol(said.truth_log_p, 3 - sum, 1e-12);
    said = tl_lens_say(row, 3);
    ck_assert(said.truth_rank == 4);
    ck_assert_double_eq_tol(said.truth_log_p, -1 - sum, 1e-12);
    ck_assert(tl_lens_say(row, 1).truth_rank == 1 && tl_lens_say(row, 0).truth_rank == 3);
    ck_assert(tl_lens_say(row, -1).truth_rank == 0 && tl_lens_say(row, 4).truth_rank == 0);
    ck_assert(tl_lens_say((tl_tensor){0}, 0).token == -1);
}
END_TEST

/* ---- errors ---- */

static void refused(tl_tape *tape, bool done, const char *why) {
    ck_assert(!done);
    assert_contains(tl_tape_error(tape), why);
    tl_tape_clear_error(tape);
}

START_TEST(refuses) {
    bench k = bench_begin(&bench_small);
    const tl_model *m = &k.model.model;
    tl_batch b = batch_of(sentences, 2, 13, 0, 0);
    tl_attribution a;
    tl_lens lens;
    tl_objective o = {.kind = TL_OF_LOGIT, .token = 5, .other = -1};
#define REFUSED(change, why)                                            \
 do {                                                                   \
  tl_objective not_so = o;                                              \
  not_so.change;                                                        \
  refused(k.tape, tl_attribute_logit(m, k.tape, &b, &not_so, &a), why); \
 } while (0)
    REFUSED(kind = TL_OF_LOSS, "logits: of a loss there is no such sum");
    REFUSED(kind = TL_OF_LOG_P, "logits: of a log p there is no such sum");
    REFUSED(token = 13, "logits: token 13 is outside 0 … 12");
    REFUSED(other = 99, "logits: token 99 is outside 0 … 12");
    REFUSED(position = 5, "logits: word 5 is outside 0 … 4 of the sentence");
    REFUSED(sentence = 2, "logits: sentence 2 is outside 0 … 1");
    REFUSED(position = -1, "logits: word -1 is outside 0 … 4");
    b.tgt_out = NULL;
    REFUSED(token = -1, "does not say which token is the true one");
    b.tgt_out = b.tgt_in + 2 * b.tgt_len;
    refused(k.tape, tl_logit_lens(m, k.tape, &b, TL_ENCODER, &lens),
            "no projection to words was trained on it");
    classifier_bench c = classifier_begin(&classifiers[0]), gru = classifier_begin(&classifiers[5]);
    refused(c.tape, tl_logit_lens(&c.model.model, c.tape, &b, TL_DECODER, &lens),
            "a classifier has no decoder");
    refused(gru.tape, tl_logit_lens(&gru.model.model, gru.tape, &b, TL_ENCODER, &lens),
            "a model of the kind gru-classifier has no stream");
    classifier_end(&c);
    classifier_end(&gru);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* The model and the tape's modes are unchanged; dropout is off meanwhile. */
START_TEST(leaves_everything) {
    const tl_transformer_config config = {SMALL_MODEL, .dropout = 0.4};
    bench k = bench_begin(&config);
    tl_batch b = batch_of(sentences, 2, 13, 0, 0);
    tl_attribution a;
    tl_lens lens;
    double loss[2];
    for (int after = 0; after < 2; after++) {
        tl_tape_set_training(k.tape, 4);
        loss[after] = tl_item(tl_value(tl_transformer_loss(&k.model, k.tape, &b)));
        must(tl_attribute_logit(&k.model.model, k.tape, &b,
                                &(tl_objective){.kind = TL_OF_LOGIT, .token = 5, .other = -1}, &a));
        const double logit = a.logit;
        must(tl_logit_lens(&k.model.model, k.tape, &b, TL_DECODER, &lens));
        must(tl_item(tl_at(last_of(&lens), 0, 0, 5)) == logit);
        ck_assert_int_eq((int)tl_tape_set_training(k.tape, 0), 4);
        must(sums_to(&k.model.model, k.tape, &b, (tl_objective){.kind = TL_OF_LOGIT, .token = 5, .other = -1})
                 .logit == logit);
        ck_assert(tl_wants_grad(tl_use(k.tape, k.model.output_weight)));
    }
    must(loss[0] == loss[1]);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

START_TEST(nothing) {
    bench k = bench_begin(&bench_small);
    const tl_model *m = &k.model.model;
    tl_batch b = batch_of(sentences, 2, 13, 0, 0);
    tl_attribution a;
    tl_lens lens;
    ck_assert(!tl_attribute_logit(NULL, NULL, NULL, NULL, NULL) &&
              !tl_logit_lens(NULL, NULL, NULL, TL_DECODER, NULL));
    tl_tape_clear_error(k.tape); /* they had no tape to fail */
    refused(k.tape, tl_attribute_logit(NULL, k.tape, &b, &five, &a), "logits: there is no model");
    refused(k.tape, tl_attribute_logit(m, k.tape, NULL, &five, &a),
            "logits: give a tape, a batch, whose logit");
    refused(k.tape, tl_attribute_logit(m, k.tape, &b, NULL, &a), "logits: give a tape, a batch, whose logit");
    refused(k.tape, tl_attribute_logit(m, k.tape, &b, &five, NULL), "room for what comes out");
    refused(k.tape, tl_logit_lens(NULL, k.tape, &b, TL_DECODER, &lens), "logits: there is no model");
    refused(k.tape, tl_logit_lens(m, k.tape, NULL, TL_DECODER, &lens), "logit lens: give a tape, a batch");
    refused(k.tape, tl_logit_lens(m, k.tape, &b, TL_DECODER, NULL), "room for what comes out");
    double stream[2] = {1, 1};
    tl_skip_path(NULL, 0, 2, NULL, stream, NULL, NULL);
    ck_assert(stream[0] == 0 && stream[1] == 0);
    ck_assert(tl_lens_say((tl_tensor){0}, -1).truth_rank == 0);
    batch_free(&b);
    bench_end(&k);
    every_function_is_called("include/tapeloom/logits.h", "tests/lens/test_logits.c");
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, a_way_is_a_sum);
    tcase_add_loop_test(tc, of_translators, 0, MODELS);
    tcase_add_loop_test(tc, of_language_models, 0, GPTS);
    tcase_add_loop_test(tc, of_classifiers, 0, OF_LAYERS);
    tcase_add_test(tc, of_what_is_left);
    tcase_add_test(tc, each_is_what_it_adds);
    tcase_add_loop_test(tc, the_last_depth_is_the_model, 0, GPTS);
    tcase_add_loop_test(tc, the_first_depth_is_the_embedding, 0, 2);
    tcase_add_test(tc, what_logits_say);
    tcase_add_test(tc, refuses);
    tcase_add_test(tc, leaves_everything);
    tcase_add_test(tc, nothing);
}

TL_TEST_MAIN("lens: logits")
