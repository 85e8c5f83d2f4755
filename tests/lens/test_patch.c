/* Patching: A by A changes no bit; a whole depth of the stream by B gives B's bits; what was not chosen stays
 * unchanged; the estimate is of first order; tables equal runs of their cells. */
#include "models/classifier.h"
#include "models/gpt.h"
#include "models/seq2seq.h"
#include "nothing.h"

#ifdef TL_DOUBLE
static const double tolerance = 1e-10;
#else
static const double tolerance = 1e-5;
#endif

static bool same_bits(double a, double b) { return memcmp(&a, &b, sizeof a) == 0; }

/* A batch as long as `like`, with other words on the sides that are asked for: sentence s becomes 6 - s. */
static const sentence ones[] = {{0, 7, 5}, {2, 12, 9}}, others[] = {{6, 7, 5}, {4, 12, 9}};
typedef struct pair {
    tl_batch a, b;
} pair;
static pair pair_of(long vocab, bool other_target) {
    pair p = {batch_of(ones, 2, vocab, 0, 0), batch_of(others, 2, vocab, 0, 0)};
    if (!other_target) p.b.tgt_in = p.a.tgt_in, p.b.tgt_out = p.a.tgt_out;
    return p;
}
static void pair_free(pair *p) { batch_free(&p->a), batch_free(&p->b); }
static pair texts_of(long vocab) {
    pair p = pair_of(vocab, true);
    return p;
}
/* Without the source, as language models read it; memory still belongs to the pair. */
static tl_batch text(const tl_batch *b) {
    tl_batch t = *b;
    t.src = t.src_lengths = NULL, t.src_len = t.src_tokens = 0;
    return t;
}

static const tl_objective
    loss = {.kind = TL_OF_NLL},
    logit = {.kind = TL_OF_LOGIT, .sentence = 1, .position = 4, .token = 6, .other = -1},
    truth = {.kind = TL_OF_LOG_P, .sentence = 0, .position = 2, .token = -1, .other = 5};

static tl_patched run_one(tl_patch *p, tl_tape *tape, const char *places) {
    tl_patched got;
    must_msg(tl_patch_run(p, &(tl_patch_place){.places = places}, 1, &got), "%s: %s", places,
             tl_tape_error(tape));
    return got;
}

/* ---- A by A ---- */

static void by_itself(const tl_model *model, tl_tape *tape, const tl_batch *a, const tl_objective *o) {
    tl_patch *p = tl_patch_new(model, tape, a, a, o);
    must_msg(p != NULL, "%s", tl_tape_error(tape));
    must(same_bits(tl_patch_value_a(p), tl_patch_value_b(p)));
    tl_tape_reset(tape);
    must(same_bits(tl_item(tl_value(tl_objective_var(model, tape, a, NULL, o))), tl_patch_value_a(p)));
    tl_place_name name;
    long runs = 0;
    for (long i = 0; tl_place_at_number(model, i, &name); i++) {
        tl_patched got;
        /* uniform scores have no queries */
        if (!tl_patch_run(p, &(tl_patch_place){.places = name.text}, 1, &got)) {
            must(name.place == TL_PLACE_Q || name.place == TL_PLACE_K);
            assert_contains(tl_tape_error(tape), "holds nothing");
            tl_tape_clear_error(tape);
            continue;
        }
        runs++;
        must_msg(same_bits(got.value, tl_patch_value_a(p)) && got.effect == 0 && got.estimate == 0,
                 "%s by itself: %.17g, was %.17g", name.text, got.value, tl_patch_value_a(p));
    }
    must(runs > 3);
    must(same_bits(run_one(p, tape, "*").value, tl_patch_value_a(p)));
    tl_patch_free(p);
}

static const tl_objective *const objectives[] = {&loss, &logit, &truth};

START_TEST(a_by_a_changes_no_bit) {
    bench k = bench_begin(&models[_i]);
    gpt_bench g = gpt_begin(&gpts[_i]);
    classifier_bench c = classifier_begin(&classifiers[_i]);
    pair p = pair_of(13, true);
    tl_batch t = text(&p.a), l = labelled(ones, 2, 13, 0);
    by_itself(&k.model.model, k.tape, &p.a, objectives[_i % 3]);
    by_itself(&g.model.model, g.tape, &t, objectives[(_i + 1) % 3]);
    by_itself(&c.model.model, c.tape, &l,
              _i % 2 ? &loss : &(tl_objective){.kind = TL_OF_LOGIT, .token = -1, .other = 1});
    pair_free(&p);
    batch_free(&l);
    bench_end(&k);
    gpt_end(&g);
    classifier_end(&c);
}
END_TEST

/* Also places of a layer without heads, which are empty. */
START_TEST(what_is_left_by_itself) {
    static const int none_and_all[] = {0, 2}, one_each[] = {1, 1};
    const tl_transformer_config config = {SMALL_MODEL,
                                          .kept = {[TL_DECODER_SELF] = none_and_all, [TL_CROSS] = one_each}};
    bench k = bench_begin(&config);
    pair p = pair_of(13, true);
    tl_patch *patch = tl_patch_new(&k.model.model, k.tape, &p.a, &p.b, &logit);
    must_msg(patch != NULL, "%s", tl_tape_error(k.tape));
    tl_patch_table *t = tl_patch_table_new(patch, &(tl_patch_options){.by = TL_PATCH_HEADS});
    must_msg(t != NULL, "%s", tl_tape_error(k.tape));
    ck_assert_int_eq((int)t->cells, 2 * 2 + 0 + 1 + 2 + 1);
    tl_patch_table_free(t);
    tl_patch_free(patch);
    pair_free(&p);
    bench_end(&k);
}
END_TEST

/* ---- a whole depth by B ---- */

static void gives_b(tl_patch *p, tl_tape *tape, const tl_patch_place *places, int count) {
    tl_patched got;
    must_msg(tl_patch_run(p, places, count, &got), "%s", tl_tape_error(tape));
    must_msg(same_bits(got.value, tl_patch_value_b(p)), "%s: %.17g, B has %.17g", places->places, got.value,
             tl_patch_value_b(p));
    must(tl_patch_has_score(p) && tl_patch_score(p, got.effect) == 1);
}

START_TEST(a_depth_of_the_encoder_is_all) {
    bench k = bench_begin(&models[_i]);
    pair p = pair_of(13, false);
    char name[64];
    for (int o = 0; o < 3; o++) {
        tl_patch *patch = tl_patch_new(&k.model.model, k.tape, &p.a, &p.b, objectives[o]);
        must_msg(patch != NULL, "%s", tl_tape_error(k.tape));
        gives_b(patch, k.tape, &(tl_patch_place){.places = "encoder.embedding"}, 1);
        for (int l = 0; l < k.model.encoder.layers; l++) {
            snprintf(name, sizeof name, "encoder.layers.%d.residual", l);
            gives_b(patch, k.tape, &(tl_patch_place){.places = name}, 1);
            /* one position less gives something else */
            tl_patched got;
            must(tl_patch_run(patch, &(tl_patch_place){.places = name, .where = {.positions = {1, 0}}}, 1,
                              &got));
            must(!same_bits(got.value, tl_patch_value_b(patch)) &&
                 !same_bits(got.value, tl_patch_value_a(patch)));
        }
        tl_patch_free(patch);
    }
    p.b.tgt_in = NULL;
    pair_free(&p);
    bench_end(&k);
}
END_TEST

START_TEST(a_depth_of_the_decoder_with_the_memory_is_all) {
    bench k = bench_begin(&models[_i]);
    pair p = pair_of(13, true);
    char memory[64], name[64];
    snprintf(memory, sizeof memory, "encoder.layers.%d.residual", k.model.encoder.layers - 1);
    for (int o = 0; o < 3; o++) {
        tl_patch *patch = tl_patch_new(&k.model.model, k.tape, &p.a, &p.b, objectives[o]);
        must_msg(patch != NULL, "%s", tl_tape_error(k.tape));
        for (int l = -1; l < k.model.decoder.layers; l++) {
            snprintf(name, sizeof name, l < 0 ? "decoder.embedding" : "decoder.layers.%d.residual", l);
            gives_b(patch, k.tape, (tl_patch_place[]){{.places = memory}, {.places = name}}, 2);
        }
        gives_b(patch, k.tape, &(tl_patch_place){.places = "*"}, 1);
        tl_patch_free(patch);
    }
    pair_free(&p);
    bench_end(&k);
}
END_TEST

START_TEST(a_depth_of_a_decoder_alone_is_all) {
    gpt_bench g = gpt_begin(&gpts[_i]);
    pair p = texts_of(13);
    tl_batch a = text(&p.a), b = text(&p.b);
    char name[64];
    for (int o = 0; o < 3; o++) {
        tl_patch *patch = tl_patch_new(&g.model.model, g.tape, &a, &b, objectives[o]);
        must_msg(patch != NULL, "%s", tl_tape_error(g.tape));
        for (int l = -1; l < g.model.config.layers; l++) {
            snprintf(name, sizeof name, l < 0 ? "decoder.embedding" : "decoder.layers.%d.residual", l);
            gives_b(patch, g.tape, &(tl_patch_place){.places = name}, 1);
        }
        tl_patch_free(patch);
    }
    pair_free(&p);
    gpt_end(&g);
}
END_TEST

START_TEST(a_depth_of_a_classifier_is_all) {
    classifier_bench c = classifier_begin(&classifiers[_i]);
    tl_batch a = labelled(ones, 2, 13, 0), b = labelled(others, 2, 13, 0);
    static const int wrong[] = {0, 1}; /* B's own labels are not used */
    b.labels = wrong;
    tl_patch *patch = tl_patch_new(&c.model.model, c.tape, &a, &b, &loss);
    must_msg(patch != NULL, "%s", tl_tape_error(c.tape));
    gives_b(patch, c.tape, &(tl_patch_place){.places = "encoder.layers.*.residual"}, 1);
    gives_b(patch, c.tape, &(tl_patch_place){.places = "encoder.embedding"}, 1);
    tl_patch_free(patch);
    const tl_objective own = {.kind = TL_OF_LOGIT, .sentence = 1, .token = -1, .other = -1};
    tl_objective named = own;
    named.token = a.labels[1];
    double value[3];
    for (int i = 0; i < 3; i++) { /* the true class is A's label */
        static const int other[] = {1, 1};
        tl_batch also = a;
        if (i == 2) also.tgt_out = other, also.tgt_len = 1;
        patch = tl_patch_new(&c.model.model, c.tape, &also, &b, i ? &own : &named);
        must_msg(patch != NULL, "%s", tl_tape_error(c.tape));
        value[i] = tl_patch_value_a(patch);
        tl_patch_free(patch);
    }
    must(same_bits(value[0], value[1]) && same_bits(value[0], value[2]));
    batch_free(&a);
    batch_free(&b);
    classifier_end(&c);
}
END_TEST

/* Recurrent models that go step by step are patched step by step. */
START_TEST(recurrent_ones) {
    recurrent_bench k = recurrent_begin(&recurrents[_i]);
    const tl_model *m = &k.model.model;
    pair p = pair_of(13, true);
    by_itself(m, k.tape, &p.a, &loss);
    tl_patch *patch = tl_patch_new(m, k.tape, &p.a, &p.b, &logit);
    must_msg(patch != NULL, "%s", tl_tape_error(k.tape));
    gives_b(patch, k.tape, &(tl_patch_place){.places = "decoder.layers.0.residual"}, 1);
    gives_b(patch, k.tape, &(tl_patch_place){.places = "*.embedding"}, 1);
    tl_patch_free(patch);
    pair_free(&p);
    recurrent_end(&k);
}
END_TEST

/* ---- here, and nowhere else ---- */

/* A word's logits depend only on the last stream at its position. */
START_TEST(one_position) {
    bench k = bench_begin(&models[0]);
    pair p = pair_of(13, true);
    const tl_patch_place memory = {.places = "encoder.layers.1.residual"};
    for (long at = 0; at < 9; at++) {
        tl_objective o = logit;
        o.position = at;
        tl_patch *patch = tl_patch_new(&k.model.model, k.tape, &p.a, &p.b, &o);
        for (long t = 0; t < 9; t++) {
            tl_patched got;
            const tl_patch_place place = {.places = "decoder.layers.1.residual",
                                          .where = {.sentences = {1, 2}, .positions = {t, t + 1}}};
            must(tl_patch_run(patch, &place, 1, &got));
            must(same_bits(got.value, t == at ? tl_patch_value_b(patch) : tl_patch_value_a(patch)));
            tl_patch_place elsewhere = place;
            elsewhere.where.sentences = (tl_range){0, 1};
            must(tl_patch_run(patch, &elsewhere, 1, &got));
            must(got.effect == 0 && got.estimate == 0);
            /* two places with the same name are both patched */
            tl_patch_place two[] = {place, place};
            two[1].where.positions = (tl_range){at, at + 1};
            must(tl_patch_run(patch, two, 2, &got));
            must(same_bits(got.value, tl_patch_value_b(patch)));
        }
        tl_patched got;
        must(tl_patch_run(patch, &memory, 1, &got));
        must(!same_bits(got.value, tl_patch_value_a(patch)));
        /* where both have read <bos> alone */
        must(same_bits(got.value, tl_patch_value_b(patch)) == (at == 0));
        tl_patch_free(patch);
    }
    pair_free(&p);
    bench_end(&k);
}
END_TEST

/* ---- the estimate ---- */

/* A logit is linear in the last stream if no norm follows: the estimate equals the effect. Estimates of heads and of
 * positions sum to the estimate of all. */
START_TEST(first_order) {
    const tl_transformer_config config = {SMALL_MODEL, .pre_norm = true, .no_final_norm = true};
    bench k = bench_begin(&config);
    pair p = pair_of(13, true);
    tl_patch *patch = tl_patch_new(&k.model.model, k.tape, &p.a, &p.b, &logit);
    tl_patched got = run_one(patch, k.tape, "decoder.layers.1.residual");
    ck_assert(fabs(got.effect) > 0.01);
    ck_assert_double_eq_tol(got.estimate, got.effect, tolerance);
    must(got.value - tl_patch_value_a(patch) == got.effect);
    static const char *const names[] = {"encoder.layers.0.self.context", "decoder.layers.1.cross.v",
                                        "decoder.layers.0.self.pattern", "decoder.layers.1.self.q"};
    for (int n = 0; n < 4; n++) {
        got = run_one(patch, k.tape, names[n]);
        double sum = 0;
        for (long h = 0; h < 2; h++) {
            tl_patched one;
            must(tl_patch_run(patch, &(tl_patch_place){names[n], {.heads = {h, h + 1}}}, 1, &one));
            sum += one.estimate;
        }
        ck_assert(got.estimate != 0 && got.estimate != got.effect);
        ck_assert_double_eq_tol(sum, got.estimate, tolerance);
    }
    tl_patch_free(patch);
    pair_free(&p);
    bench_end(&k);
}
END_TEST

/* If B differs little from A, effect and estimate differ only by the square of the difference. */
START_TEST(a_little) {
    bench k = bench_begin(&bench_small);
    tl_tensor w = tl_param_value(tl_params_find(k.params, "src_embedding.weight"));
    for (long i = 0; i < 8; i++)
        w.data[12 * 8 + i] =
            w.data[11 * 8 + i] + (tl_real)(1e-3 * tl_rng_normal(tl_rng_key_of(8, "small"), (uint64_t)i));
    tl_params_changed(k.params);
    pair p = pair_of(13, false);
    memcpy((int *)(uintptr_t)p.b.src, p.a.src, (size_t)(2 * p.a.src_len) * sizeof *p.a.src);
    ((int *)(uintptr_t)p.a.src)[2] = 11, ((int *)(uintptr_t)p.b.src)[2] = 12;
    tl_patch *patch = tl_patch_new(&k.model.model, k.tape, &p.a, &p.b, &loss);
    tl_patched got = run_one(patch, k.tape, "encoder.embedding");
    ck_assert(got.effect != 0);
#ifdef TL_DOUBLE
    ck_assert_double_eq_tol(got.estimate, got.effect, 1e-2 * fabs(got.effect));
#endif
    tl_patch_free(patch);
    pair_free(&p);
    bench_end(&k);
}
END_TEST

/* ---- scores ---- */

START_TEST(scores) {
    bench k = bench_begin(&bench_small);
    pair p = pair_of(13, true);
    tl_patch *patch = tl_patch_new(&k.model.model, k.tape, &p.a, &p.b, &logit);
    const double a = tl_patch_value_a(patch), b = tl_patch_value_b(patch);
    ck_assert(tl_patch_has_score(patch) && tl_patch_score(patch, 0) == 0 &&
              tl_patch_score(patch, b - a) == 1);
    ck_assert_double_eq_tol(tl_patch_score(patch, -(b - a) / 2), -0.5, 1e-12);
    tl_patch_free(patch);
    patch = tl_patch_new(&k.model.model, k.tape, &p.a, &p.a, &logit);
    ck_assert(!tl_patch_has_score(patch) && isnan(tl_patch_score(patch, 1)));
    tl_patch_free(patch);
    pair_free(&p);
    bench_end(&k);
}
END_TEST

START_TEST(correlations) {
    const double x[] = {1, 2, 4}, y[] = {-1, -3, -7}, z[] = {0, 3, 0}, flat[] = {0.1, 0.1, 0.1};
    ck_assert_double_eq_tol(tl_correlation(x, y, 3), -1, 1e-12);
    ck_assert_double_eq_tol(tl_correlation(x, x, 3), 1, 1e-12);
    ck_assert_double_eq_tol(tl_correlation(x, z, 3), -1 / sqrt(28), 1e-12); /* by hand: -1 / √(14/3·6) */
    double tenths[10], numbers[10]; /* their mean is not exactly 0.1 */
    for (int i = 0; i < 10; i++) tenths[i] = 0.1, numbers[i] = i * i;
    ck_assert(isnan(tl_correlation(numbers, tenths, 10)) && isnan(tl_correlation(tenths, numbers, 10)));
    ck_assert(isnan(tl_correlation(x, flat, 3)) && isnan(tl_correlation(flat, x, 3)) &&
              isnan(tl_correlation(x, y, 1)) && isnan(tl_correlation(x, y, 0)));
}
END_TEST

/* ---- tables ---- */

typedef struct counting {
    long calls, done, total, most; /* most: ends after this many; 0: never */
} counting;
static bool count(void *to, long done, long total) {
    counting *c = to;
    must(done == ++c->calls);
    c->done = done, c->total = total;
    return done != c->most;
}

static void cells_are_runs(tl_patch *p, tl_tape *tape, const tl_patch_options *given, long rows, long columns,
                           long there) {
    counting counted = {0};
    tl_patch_options o = *given;
    o.progress = count, o.context = &counted;
    tl_patch_table *t = tl_patch_table_new(p, &o);
    must_msg(t != NULL, "%s", tl_tape_error(tape));
    ck_assert_int_eq((int)t->rows, (int)rows);
    ck_assert_int_eq((int)t->columns, (int)columns);
    ck_assert_int_eq((int)t->cells, (int)there);
    must(counted.done == there && counted.total == there);
    double effect[512], estimate[512];
    long n = 0;
    for (long i = 0; i < rows * columns; i++) {
        if (!t->cell[i].there) continue;
        tl_patch_place place = {.places = t->row[i / columns].text, .where = o.where};
        const tl_range one = {t->first + i % columns, t->first + i % columns + 1};
        const tl_place kind = t->row[i / columns].place;
        if (o.by == TL_PATCH_HEADS) place.where.heads = one;
        if (o.by == TL_PATCH_POSITIONS && (kind == TL_PLACE_V || kind == TL_PLACE_K)) place.where.keys = one;
        if (o.by == TL_PATCH_POSITIONS && kind != TL_PLACE_V && kind != TL_PLACE_K)
            place.where.positions = one;
        tl_patched got;
        must(tl_patch_run(p, &place, 1, &got));
        must(!memcmp(&got, &t->cell[i].patched, sizeof got));
        must(got.effect != 0 || strstr(place.places, ".embedding")); /* in which A and B may be equal */
        effect[n] = got.effect, estimate[n++] = got.estimate;
    }
    must(same_bits(t->correlation, tl_correlation(effect, estimate, n)) && !isnan(t->correlation));
    tl_patch_table_free(t);
}

START_TEST(tables) {
    bench k = bench_begin(&bench_small);
    pair p = pair_of(13, true);
    tl_patch *patch = tl_patch_new(&k.model.model, k.tape, &p.a, &p.b, &loss);
    const long source = 12, target = 9;
    cells_are_runs(patch, k.tape, &(tl_patch_options){.by = TL_PATCH_HEADS}, 6, 2, 12);
    cells_are_runs(patch, k.tape,
                   &(tl_patch_options){.by = TL_PATCH_HEADS, .places = "*.cross.v", .where.heads = {1, 0}}, 2,
                   1, 2);
    cells_are_runs(patch, k.tape, &(tl_patch_options){.by = TL_PATCH_POSITIONS}, 6, source,
                   3 * source + 3 * target);
    cells_are_runs(patch, k.tape,
                   &(tl_patch_options){
                       .by = TL_PATCH_POSITIONS, .places = "decoder.layers.1.cross.v", .where.keys = {3, 7}},
                   1, 4, 4);
    cells_are_runs(patch, k.tape,
                   &(tl_patch_options){.by = TL_PATCH_POSITIONS,
                                       .places = "decoder.layers.1.cross.?",
                                       .where = {.positions = {7, 9}, .keys = {3, 5}}},
                   3, 6, 6);
    cells_are_runs(patch, k.tape, &(tl_patch_options){.by = TL_PATCH_PLACES}, tl_place_count(&k.model.model),
                   1, tl_place_count(&k.model.model));
    tl_patch_free(patch);
    pair_free(&p);
    bench_end(&k);
}
END_TEST

/* ---- errors ---- */

#define REFUSED(done, why)                     \
 do {                                          \
  ck_assert(!(done));                          \
  assert_contains(tl_tape_error(k.tape), why); \
  tl_tape_clear_error(k.tape);                 \
 } while (0)

START_TEST(refuses) {
    bench k = bench_begin(&bench_small);
    const tl_model *m = &k.model.model;
    static const sentence shorter[] = {{6, 7, 5}, {4, 11, 9}}, less[] = {{6, 7, 5}, {4, 12, 3}};
    tl_batch a = batch_of(ones, 2, 13, 0, 0), source = batch_of(shorter, 2, 13, 0, 0),
             target = batch_of(less, 2, 13, 0, 0), one = batch_of(ones, 1, 13, 0, 0);
    tl_patched got;
    tl_patch *p = tl_patch_new(m, k.tape, &a, &source, &loss);
    must(p != NULL);
    REFUSED(tl_patch_run(p, &(tl_patch_place){.places = "encoder.layers.0.residual"}, 1, &got),
            "patch: encoder.layers.0.residual: A has 12 source tokens and B has 11 (sentence 1): what is "
            "exchanged position by "
            "position needs as many on both");
    REFUSED(tl_patch_run(p, &(tl_patch_place){.places = "decoder.layers.0.cross.pattern"}, 1, &got),
            "A has 12 source tokens");
    REFUSED(tl_patch_run(p, &(tl_patch_place){.places = "decoder.layers.0.cross.v"}, 1, &got),
            "A has 12 source tokens");
    ck_assert(tl_patch_run(p, &(tl_patch_place){.places = "decoder.layers.0.cross.context"}, 1, &got));
    ck_assert(tl_patch_run(p, &(tl_patch_place){.places = "decoder.layers.0.residual"}, 1, &got));
    REFUSED(tl_patch_run(p, &(tl_patch_place){.places = "*.nothing"}, 1, &got),
            "patch: no place of this model is called *.nothing");
    REFUSED(tl_patch_table_new(p, &(tl_patch_options){.by = TL_PATCH_HEADS}), "A has 12 source tokens");
    REFUSED(tl_patch_table_new(p, &(tl_patch_options){.by = TL_PATCH_HEADS, .places = "*.residual"}),
            "patch: no place of this model that has heads is called *.residual");
    tl_patch_free(p);
    REFUSED(tl_patch_new(m, k.tape, &a, &target, &loss),
            "patch: the loss of A's target: A has 9 target tokens and B has 3");
    REFUSED(tl_patch_new(m, k.tape, &a, &target, &logit),
            "patch: word 4 is asked for, and B's target has only 3");
    REFUSED(tl_patch_new(m, k.tape, &a, &one, &loss), "patch: A has 2 sentences and B has 1");
    tl_objective far = truth;
    far.position = 5;
    REFUSED(tl_patch_new(m, k.tape, &a, &a, &far),
            "patch: word 5 of sentence 0, whose true token is asked for, is not in A");
    p = tl_patch_new(m, k.tape, &a, &target, &truth);
    must(p != NULL);
    REFUSED(tl_patch_run(p, &(tl_patch_place){.places = "decoder.layers.0.self.q"}, 1, &got),
            "A has 9 target tokens and B has 3");
    ck_assert(tl_patch_run(p, &(tl_patch_place){.places = "decoder.layers.0.cross.k"}, 1, &got));
    counting counted = {0}; /* errors are reported before any run */
    REFUSED(tl_patch_table_new(p, &(tl_patch_options){.progress = count, .context = &counted}),
            "A has 9 target tokens and B has 3");
    ck_assert_int_eq((int)counted.calls, 0);
    counted.most = 3;
    REFUSED(tl_patch_table_new(
                p, &(tl_patch_options){.places = "*.cross.v", .progress = count, .context = &counted}),
            "patch: stopped after 3 of 4 runs");
    ck_assert_int_eq((int)counted.calls, 3);
    tl_patch_free(p);
    tl_patch_free(NULL);
    tl_patch_table_free(NULL);
    /* as long, but in another batch */
    tl_batch wider = batch_of(others, 2, 13, 14, 0);
    p = tl_patch_new(m, k.tape, &a, &wider, &loss);
    must(p != NULL);
    REFUSED(tl_patch_run(p, &(tl_patch_place){.places = "encoder.embedding"}, 1, &got),
            "A's batch is 12 source tokens wide and B's 14");
    tl_patch_free(p);
    batch_free(&wider);
    batch_free(&a), batch_free(&source), batch_free(&target), batch_free(&one);
    bench_end(&k);
}
END_TEST

/* The tape's modes are unchanged; dropout is off meanwhile; parameters have the gradient of A's one backward. */
START_TEST(leaves_everything) {
    const tl_transformer_config config = {SMALL_MODEL, .dropout = 0.4};
    bench k = bench_begin(&config);
    pair p = pair_of(13, true);
    gradients once = {0};
    for (int time = 0; time < 2; time++) {
        tl_tape_set_training(k.tape, 4);
        tl_patch *patch = tl_patch_new(&k.model.model, k.tape, &p.a, &p.b, &loss);
        must_msg(patch != NULL, "%s", tl_tape_error(k.tape));
        if (!time) once = gradients_of(k.params);
        assert_same_gradients(k.params, &once, "the second time");
        gives_b(patch, k.tape, &(tl_patch_place){.places = "*"}, 1);
        tl_patch_table *t =
            tl_patch_table_new(patch, &(tl_patch_options){.places = "decoder.layers.1.cross.v"});
        must(t != NULL);
        tl_patch_table_free(t);
        ck_assert(!tl_tape_reuses_weights(k.tape));
        const double value = run_one(patch, k.tape, "decoder.layers.0.cross.v").value;
        ck_assert_int_eq((int)tl_tape_set_training(k.tape, 0), 4);
        must(same_bits(run_one(patch, k.tape, "decoder.layers.0.cross.v").value, value));
        ck_assert(tl_wants_grad(tl_use(k.tape, k.model.output_weight)));
        tl_patch_free(patch);
    }
    gradients_free(&once);
    pair_free(&p);
    bench_end(&k);
}
END_TEST

START_TEST(nothing) {
    bench k = bench_begin(&bench_small);
    tl_batch a = batch_of(ones, 2, 13, 0, 0);
    tl_patched got;
    const tl_patch_place place = {.places = "*"};
    ck_assert(!tl_patch_new(NULL, NULL, NULL, NULL, NULL));
    tl_tape_clear_error(k.tape); /* it had no tape to fail */
    REFUSED(tl_patch_new(NULL, k.tape, &a, &a, &loss),
            "patch: give a model, its tape, two batches and what is measured");
    REFUSED(tl_patch_new(&k.model.model, k.tape, &a, NULL, &loss), "patch: give a model");
    ck_assert(isnan(tl_patch_value_a(NULL)) && isnan(tl_patch_value_b(NULL)) &&
              isnan(tl_patch_score(NULL, 1)));
    ck_assert(!tl_patch_has_score(NULL) && !tl_patch_run(NULL, &place, 1, &got) &&
              !tl_patch_table_new(NULL, NULL));
    tl_patch *p = tl_patch_new(&k.model.model, k.tape, &a, &a, &loss);
    REFUSED(tl_patch_run(p, NULL, 1, &got), "patch: give places, one or more");
    REFUSED(tl_patch_run(p, &place, 0, &got), "patch: give places, one or more");
    REFUSED(tl_patch_run(p, &place, 1, NULL), "room for what comes out");
    tl_patch_table *t = tl_patch_table_new(p, NULL);
    ck_assert(t && t->by == TL_PATCH_HEADS && t->cells == 12);
    tl_patch_table_free(t);
    tl_patch_free(p);
    ck_assert(isnan(tl_correlation(NULL, NULL, 0)));
    batch_free(&a);
    bench_end(&k);
    every_function_is_called("include/tapeloom/patch.h", "tests/lens/test_patch.c");
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, a_by_a_changes_no_bit, 0, MODELS);
    tcase_add_test(tc, what_is_left_by_itself);
    tcase_add_loop_test(tc, a_depth_of_the_encoder_is_all, 0, MODELS);
    tcase_add_loop_test(tc, a_depth_of_the_decoder_with_the_memory_is_all, 0, MODELS);
    tcase_add_loop_test(tc, a_depth_of_a_decoder_alone_is_all, 0, GPTS);
    tcase_add_loop_test(tc, a_depth_of_a_classifier_is_all, 0, 7);
    tcase_add_loop_test(tc, recurrent_ones, 0, RECURRENTS);
    tcase_add_test(tc, one_position);
    tcase_add_test(tc, first_order);
    tcase_add_test(tc, a_little);
    tcase_add_test(tc, scores);
    tcase_add_test(tc, correlations);
    tcase_add_test(tc, tables);
    tcase_add_test(tc, refuses);
    tcase_add_test(tc, leaves_everything);
    tcase_add_test(tc, nothing);
}

TL_TEST_MAIN("lens: patch")
