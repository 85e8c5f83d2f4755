/* Removing heads: the order, how good the model is without them, and the smaller run, which gives what the whole run
 * gives with gates of 0. */
#define _XOPEN_SOURCE 700
#include "run/fixture.h"

#include "chains.h"

static scratch here;
static tl_run *known;
static const char *const lines[] = {"the dog sleeps", "the black cat eats", "the cat"};

static void enter(void) {
    sum_in_chains();
    here = scratch_new();
    known = train_well(&here);
}
static void leave(void) {
    tl_run_free(known);
    scratch_remove(&here);
}
static const char *in_here(const char *name) {
    static char path[2][1024];
    static int next;
    next = !next;
    snprintf(path[next], sizeof path[next], "%s/%s", here.folder, name);
    return path[next];
}

/* ---- numbers ---- */

START_TEST(orders) {
    const double importance[] = {0.3, 0.1, NAN, 0.1, 0.9, 0};
    long order[6], removed[8], again[100], other[100];
    ck_assert(tl_prune_by_importance(importance, 6, order));
    const long expected[] = {5, 1, 3, 0, 4, 2};
    for (int i = 0; i < 6; i++) ck_assert_int_eq(order[i], expected[i]);
    tl_prune_by_chance(100, 3, again);
    tl_prune_by_chance(100, 4, other);
    ck_assert(memcmp(again, other, sizeof again) != 0);
    bool seen[100] = {false};
    for (int i = 0; i < 100; i++) {
        must(again[i] >= 0 && again[i] < 100 && !seen[again[i]]);
        seen[again[i]] = true;
    }
    tl_prune_by_chance(100, 3, other);
    ck_assert(memcmp(again, other, sizeof again) == 0);
    ck_assert_int_eq(tl_prune_points(7, 3, removed), 4);
    const long points[] = {0, 3, 6, 7};
    for (int i = 0; i < 4; i++) ck_assert_int_eq(removed[i], points[i]);
    ck_assert_int_eq(tl_prune_points(6, 3, removed), 3);
    ck_assert(removed[0] == 0 && removed[1] == 3 && removed[2] == 6);
    ck_assert_int_eq(tl_prune_points(2, 0, removed), 3);
    ck_assert_int_eq(tl_prune_points(0, 4, removed), 1);
    ck_assert_int_eq(tl_prune_points(2, 50, removed), 2);
}
END_TEST

START_TEST(spread) {
    const double numbers[] = {2, 4, 4, 4, 5, 5, 7, 9};
    tl_spread s = tl_spread_of(numbers, 8);
    ck_assert_double_eq_tol(s.mean, 5, 1e-15);
    ck_assert_double_eq_tol(s.deviation, sqrt(32.0 / 7), 1e-15);
    s = tl_spread_of(numbers, 1);
    ck_assert(s.mean == 2 && s.deviation == 0);
    s = tl_spread_of(numbers, 0);
    ck_assert(isnan(s.mean) && isnan(s.deviation));
}
END_TEST

/* ---- without heads ---- */

START_TEST(which_there_are) {
    const tl_model *model = tl_run_model(known);
    tl_head_name head;
    ck_assert_int_eq(tl_prune_heads(model), 12);
    ck_assert(tl_prune_head(model, 5, &head));
    ck_assert(head.kind == TL_DECODER_SELF && head.layer == 0 && head.head == 1);
    ck_assert(tl_prune_head(model, 11, &head));
    ck_assert(head.kind == TL_CROSS && head.head == 3);
    ck_assert(!tl_prune_head(model, 12, &head) && !tl_prune_head(model, -1, &head));
    ck_assert_int_eq(tl_prune_heads(NULL), 0);
}
END_TEST

/* The loss of a batch, with everything that acts on the run. */
static double loss_of(tl_run *run) {
    static const char *const targets[] = {"le chien dort", "le chat noir mange", "le chat"};
    tl_batch batch;
    tl_tape_reset(tl_run_tape(run));
    ck_assert(tl_run_batch(run, lines, targets, 3, &batch));
    const double loss = tl_item(tl_value(tl_run_loss(run, &batch, NULL)));
    assert_run_ok(run);
    return loss;
}

static tl_places *shut(tl_run *run, const bool *keep) {
    tl_places *places = tl_places_new(tl_run_model(run));
    for (long i = 0; i < tl_prune_heads(tl_run_model(run)); i++) {
        tl_head_name head;
        char name[64];
        ck_assert(tl_prune_head(tl_run_model(run), i, &head));
        tl_attention_name(tl_run_model(run), head.kind, head.layer, name);
        if (!keep[i])
            ck_assert_msg(tl_places_gate(places, name, head.head, 0), "%s", tl_places_error(places));
    }
    return places;
}

START_TEST(measured_with_gates) {
    const long order[] = {7, 0, 9, 3, 1, 2, 4, 5, 6, 8, 10, 11};
    bool keep[12];
    tl_quality whole, q, by_hand;
    tl_set *set = tl_set_new(known, NULL);
    ck_assert_msg(set != NULL, "%s", tl_run_error(known));
    ck_assert(tl_set_measure(set, true, &whole));
    ck_assert(tl_prune_measure(known, set, order, 0, true, &q));
    ck_assert(q.loss == whole.loss && q.score == whole.score);
    for (int i = 0; i < 12; i++) keep[i] = i != 7 && i != 0 && i != 9;
    tl_places *places = shut(known, keep);
    tl_run_act_at(known, places);
    ck_assert(tl_set_measure(set, false, &by_hand));
    tl_run_act_at(known, NULL);
    ck_assert(tl_prune_measure(known, set, order, 3, false, &q));
    ck_assert(q.loss == by_hand.loss && q.loss != whole.loss);
    ck_assert(tl_set_measure(set, false, &q));
    ck_assert(q.loss == whole.loss); /* nothing acts any more */
    tl_run_act_at(known, places);    /* what acts, acts again afterwards, and not meanwhile */
    ck_assert(tl_prune_measure(known, set, order, 0, false, &q));
    ck_assert(q.loss == whole.loss);
    ck_assert(tl_set_measure(set, false, &q) && q.loss == by_hand.loss);
    ck_assert(tl_prune_measure(known, set, order, 1, false, &q));
    ck_assert(q.loss != whole.loss && q.loss != by_hand.loss);
    ck_assert(tl_set_measure(set, false, &q) && q.loss == by_hand.loss);
    ck_assert(!tl_prune_measure(known, set, order, 13, false, &q));
    assert_contains(tl_run_error(known), "13 heads to be removed, and the model has 12");
    tl_run_clear_error(known);
    const long wrong[] = {12};
    ck_assert(!tl_prune_measure(known, set, wrong, 1, false, &q));
    assert_contains(tl_run_error(known), "names one that the model has not");
    tl_run_clear_error(known);
    ck_assert(tl_set_measure(set, false, &q) && q.loss == by_hand.loss);
    tl_run_act_at(known, NULL);
    tl_places_free(places);
    tl_set_free(set);
}
END_TEST

static tl_run *open_it(const char *name) {
    tl_error error = {""};
    tl_run *run = tl_run_open(in_here(name), NULL, &error);
    ck_assert_msg(run != NULL, "%s", error.message);
    return run;
}

static void prunes(tl_run *run, const bool *keep, const char *name) {
    tl_error error = {""};
    ck_assert_msg(tl_prune(run, keep, in_here(name), false, &error), "%s", error.message);
}

static void writes_the_same(tl_run *a, tl_run *b) {
    for (int i = 0; i < 3; i++) {
        char *x = tl_run_translate_line(a, lines[i]), *y = tl_run_translate_line(b, lines[i]);
        ck_assert_str_eq(x, y);
        free(x), free(y);
    }
}

/* Flags from bits: encoder, decoder, cross. */
static void keep_bits(bool *keep, unsigned encoder, unsigned decoder, unsigned cross) {
    const unsigned bits[] = {encoder, decoder, cross};
    for (int i = 0; i < 12; i++) keep[i] = bits[i / 4] >> i % 4 & 1;
}

START_TEST(a_smaller_run) {
    static const unsigned bits[][3] = {{0xe, 0xf, 0x5}, {0x0, 0x8, 0x6}, {0x1, 0x0, 0x0}};
    bool keep[12];
    keep_bits(keep, bits[_i][0], bits[_i][1], bits[_i][2]);
    prunes(known, keep, "smaller");
    tl_run *smaller = open_it("smaller");
    tl_places *places = shut(known, keep);
    tl_run_act_at(known, places);
    const double a = loss_of(known), b = loss_of(smaller);
    ck_assert_msg(a == b, "%.17g is %.17g", a, b);
    writes_the_same(known, smaller);
    long left = 0;
    for (int i = 0; i < 12; i++) left += keep[i];
    ck_assert_int_eq(tl_prune_heads(tl_run_model(smaller)), left);
    /* a head has 3·8 rows of 32 with a bias each, and 8 columns of 32 */
    ck_assert_int_eq(tl_params_numel(tl_run_params(known)) - tl_params_numel(tl_run_params(smaller)),
                     (12 - left) * (3 * 8 * 33 + 8 * 32));
    struct stat before, after;
    ck_assert(stat(in_here("known/model.safetensors"), &before) == 0);
    ck_assert(stat(in_here("smaller/model.safetensors"), &after) == 0);
    ck_assert_int_lt(after.st_size, before.st_size);
    ck_assert_int_eq(count_files(in_here("smaller")), 4);
    tl_run_act_at(known, NULL);
    tl_places_free(places);
    tl_run_free(smaller);
}
END_TEST

/* A score's own parameters also lose what belonged to these heads. */
START_TEST(other_scores) {
    static const char *const scores[] = {"general", "additive", "cosine", "uniform"};
    bool keep[12];
    tl_run_settings s = *tl_run_settings_of(known);
    s.model.score = scores[_i];
    s.training.steps = s.validation.validate_every = 6;
    s.training.warmup = 0;
    tl_run *run = tl_run_new(in_here("scored"), &s);
    ck_assert_msg(tl_run_train(run, false, NULL) == TL_ENDED, "%s", tl_run_error(run));
    tl_run_free(run);
    run = open_it("scored");
    keep_bits(keep, 0xa, 0xc, 0x6);
    prunes(run, keep, "fewer");
    tl_run *fewer = open_it("fewer");
    const double whole = loss_of(run);
    tl_places *places = shut(run, keep);
    tl_run_act_at(run, places);
    const double a = loss_of(run), b = loss_of(fewer);
    ck_assert_msg(a == b && a != whole, "%.17g is %.17g, of all %.17g", a, b, whole);
    tl_places_free(places);
    tl_run_free(fewer), tl_run_free(run);
}
END_TEST

/* Numbers in heads-kept are those of the full model. */
START_TEST(once_more) {
    bool keep[12];
    keep_bits(keep, 0xe, 0x5, 0xf);
    prunes(known, keep, "once");
    tl_run *once = open_it("once");
    ck_assert_str_eq(tl_run_settings_of(once)->model.heads_kept, "encoder.0:1,2,3; decoder.0:0,2");
    bool next[9] = {true, false, true, false, true, true, true, true, true};
    prunes(once, next, "twice");
    tl_run *twice = open_it("twice");
    ck_assert_str_eq(tl_run_settings_of(twice)->model.heads_kept, "encoder.0:1,3; decoder.0:2");
    keep_bits(keep, 0xa, 0x4, 0xf);
    tl_places *places = shut(known, keep);
    tl_run_act_at(known, places);
    ck_assert(loss_of(known) == loss_of(twice));
    tl_places *more = shut(once, next);
    tl_run_act_at(once, more);
    ck_assert(loss_of(once) == loss_of(twice));
    tl_run_act_at(once, NULL), tl_run_act_at(known, NULL);
    tl_places_free(places), tl_places_free(more);
    tl_run_free(once), tl_run_free(twice);
}
END_TEST

/* Keeping all heads gives the same model, without the marks of a demo or of another run (from). */
START_TEST(without_losing_any) {
    bool keep[12];
    keep_bits(keep, 0xf, 0xf, 0xf);
    tl_run_settings_of(known)->demo = true;
    prunes(known, keep, "all");
    tl_run *all = open_it("all");
    ck_assert(!tl_run_settings_of(all)->demo);
    ck_assert_ptr_null(tl_run_settings_of(all)->model.heads_kept);
    ck_assert(loss_of(all) == loss_of(known));
    tl_run_free(all);
    tl_error error = {""};
    ck_assert(!tl_prune(known, keep, in_here("all"), false, &error));
    assert_contains(error.message, "holds a trained model already");
    tl_error none = {""};
    ck_assert_msg(tl_prune(known, keep, in_here("all"), true, &none), "%s", none.message);
    put_text(in_here("file"), "somebody's");
    ck_assert(!tl_prune(known, keep, in_here("file"), true, &none));
    ck_assert(!tl_prune(known, NULL, in_here("b"), true, NULL) && !tl_file_is_there(in_here("b")));
    ck_assert(!tl_prune(NULL, keep, in_here("b"), true, NULL));
}
END_TEST

static tl_run *with_gates(const double *log_alpha) {
    tl_run_settings s = *tl_run_settings_of(known);
    s.model.from = tl_run_dir(known);
    s.model.head_gates = "l0";
    s.model.gate_penalty = 0.1, s.model.gate_rate = 3;
    s.training.steps = 1;
    s.training.lr = 0;
    tl_run *run = tl_run_new(in_here("gated"), &s);
    ck_assert_msg(tl_run_train(run, false, NULL) == TL_ENDED, "%s", tl_run_error(run));
    tl_tape_set_training(tl_run_tape(run), 0);
    int at = 0;
    static const char *const of[] = {"encoder.layers.0.self_attn", "decoder.layers.0.self_attn",
                                     "decoder.layers.0.multihead_attn"};
    for (int i = 0; i < 3; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s.head_gate.log_alpha", of[i]);
        tl_param *p = tl_params_find(tl_run_params(run), name);
        for (int h = 0; h < 4; h++) p->leaf.value.data[h] = (tl_real)log_alpha[at++];
    }
    tl_params_changed(tl_run_params(run));
    return run;
}

/* Gates between 0 and 1 are multiplied into out_proj's columns; heads with a gate of 0 can be removed. */
START_TEST(gates_become_columns) {
    const double log_alpha[] = {3, -9, 0, 1, log(3), 2, -0.5, 9, 0.2, -3, -3, 3};
    tl_run *gated = with_gates(log_alpha);
    double gates[12];
    bool keep[12];
    ck_assert(tl_prune_gates(gated, gates));
    for (int i = 0; i < 12; i++) {
        const double g = 1.2 / (1 + exp(-log_alpha[i])) - 0.1;
        ck_assert_double_eq_tol(gates[i], g < 0 ? 0 : g > 1 ? 1 : g, 1e-6);
        keep[i] = gates[i] != 0;
    }
    ck_assert(!keep[1] && !keep[9] && !keep[10]);
    ck_assert(tl_prune_gates(known, gates));
    for (int i = 0; i < 12; i++) must(gates[i] == 1);
    prunes(gated, keep, "closed");
    tl_run *closed = open_it("closed");
    const tl_model_settings *m = &tl_run_settings_of(closed)->model;
    ck_assert(!m->head_gates && !m->from && m->gate_penalty == 0 && m->gate_rate == 0);
    ck_assert_str_eq(m->heads_kept, "encoder.0:0,2,3; cross.0:0,3");
    const double a = loss_of(gated), b = loss_of(closed);
    ck_assert(a != loss_of(known));
    ck_assert_double_eq_tol(a, b, sizeof(tl_real) == 8 ? 1e-13 : 2e-6);
    writes_the_same(gated, closed);
    tl_run_free(closed);
    tl_run_free(gated);
}
END_TEST

static bool look_at(tl_run *run, tl_seen *seen) {
    static const char *const targets[] = {"le chien dort", "le chat noir mange", "le chat"};
    static tl_batch batch;
    tl_tape_reset(tl_run_tape(run));
    return tl_run_batch(run, lines, targets, 3, &batch) &&
           tl_look(tl_run_model(run), tl_run_tape(run), &batch, &(tl_look_options){.norms = true}, seen);
}

/* A look at a smaller run shows the same weights, and the same gradients and contexts with gates. */
START_TEST(seen_without_heads) {
    const double log_alpha[] = {1, -9, 0.5, -9, -9, -9, -9, -9, 9, -0.3, -9, 0};
    tl_run *gated = with_gates(log_alpha);
    const bool keep[12] = {true, false, true, false, false, false, false, false, true, true, false, true};
    prunes(gated, keep, "seen");
    tl_run *smaller = open_it("seen");
    tl_seen of_all, of_few;
    ck_assert_msg(look_at(gated, &of_all), "%s", tl_tape_error(tl_run_tape(gated)));
    ck_assert_msg(look_at(smaller, &of_few), "%s", tl_tape_error(tl_run_tape(smaller)));
    const double most = sizeof(tl_real) == 8 ? 1e-12 : 1e-4;
    ck_assert_int_eq(of_few.count, 3);
    ck_assert_int_eq(of_few.attention[1].heads, 0);
    tl_flow_layers *flow = tl_flow_layers_of(&of_few, 0, TL_FLOW_RELEVANCE);
    ck_assert_ptr_nonnull(flow); /* without heads nothing is read */
    for (long e = 0; e < flow->targets * flow->targets; e++) must(flow->decoder_self[0][e] == 0);
    tl_flow_layers_free(flow);
    for (int k = 0, i = 0; k < 3; k++) {
        const tl_seen_attention *a = &of_all.attention[k], *b = &of_few.attention[k];
        for (long h = 0, at = 0; h < 4; h++, i++) {
            if (!keep[i]) continue;
            for (long e = 0; e < 3 * a->queries * a->keys; e++) {
                const long s = e / a->keys / a->queries, q = e / a->keys % a->queries, j = e % a->keys;
                const tl_quantity all_of_it[] = {TL_SEE_A, TL_SEE_S, TL_SEE_DS, TL_SEE_HEAD_NORM,
                                                 TL_SEE_NORM};
                for (int n = 0; n < 5; n++)
                    must_msg(fabs(tl_seen_value(a, all_of_it[n], s, h, q, j) -
                                  tl_seen_value(b, all_of_it[n], s, at, q, j)) < most,
                             "%s %s", a->name, tl_quantity_name(all_of_it[n]));
            }
            at++;
        }
    }
    tl_run_free(smaller);
    tl_run_free(gated);
}
END_TEST

/* Learnt gates that are fully open or closed are constants in evaluation: checks do not ask for their gradients. */
START_TEST(constant_gates) {
    static const char *const targets[] = {"le chien dort", "le chat noir mange", "le chat"};
    const double log_alpha[] = {9, -9, 9, 9, 9, -9, 9, 9, 9, 9, 0.1, 9};
    tl_run *gated = with_gates(log_alpha);
    tl_model_gradcheck r;
    tl_batch batch;
    ck_assert(tl_run_batch(gated, lines, targets, 3, &batch));
    tl_model_gradcheck_of(tl_run_model(gated), &batch, &(tl_model_gradcheck_options){.sample = 1}, &r);
    ck_assert_int_eq(r.idle, 2);
    assert_contains(r.first_idle, ".self_attn.head_gate.log_alpha");
    if (sizeof(tl_real) == 8) ck_assert_msg(r.elements.ok, "%s", r.elements.error.message);
    tl_run_free(gated);
}
END_TEST

START_TEST(other_runs) {
    bool keep[64] = {false};
    tl_error error = {""}, wrong = {""};
    tl_run_settings s = small_settings();
    s.model.positions = "relative";
    tl_run *run = tl_run_new(in_here("relative"), &s);
    ck_assert_msg(tl_run_train(run, false, NULL) == TL_ENDED, "%s", tl_run_error(run));
    ck_assert(!tl_prune(run, keep, in_here("b"), false, &error));
    assert_contains(error.message, "every head of the encoder's self-attention has distances of its own");
    ck_assert(!tl_file_is_there(in_here("b")));
    /* Cross-attention has no distances. */
    for (int i = 0; i < 5; i++) keep[i] = true;
    prunes(run, keep, "crossed");
    tl_run *crossed = open_it("crossed");
    ck_assert_str_eq(tl_run_settings_of(crossed)->model.heads_kept, "cross.0:0");
    const double whole = loss_of(run);
    tl_places *places = shut(run, keep);
    tl_run_act_at(run, places);
    ck_assert(loss_of(run) == loss_of(crossed) && loss_of(run) != whole);
    tl_places_free(places);
    tl_run_free(crossed), tl_run_free(run);
    s = small_settings();
    s.model = (tl_model_settings){.model = "gru", .preset = "rnn", .d_model = 8, .tie = "none"};
    run = tl_run_new(in_here("gru"), &s);
    ck_assert_msg(tl_run_train(run, false, NULL) == TL_ENDED, "%s", tl_run_error(run));
    ck_assert(!tl_prune(run, keep, in_here("b"), false, &wrong));
    assert_contains(wrong.message, "only translate's Transformers can be saved without some of their heads");
    tl_run_free(run);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_checked_fixture(tc, enter, leave);
    tcase_add_test(tc, orders);
    tcase_add_test(tc, spread);
    tcase_add_test(tc, which_there_are);
    tcase_add_test(tc, measured_with_gates);
    tcase_add_loop_test(tc, a_smaller_run, 0, 3);
    tcase_add_loop_test(tc, other_scores, 0, 4);
    tcase_add_test(tc, once_more);
    tcase_add_test(tc, without_losing_any);
    tcase_add_test(tc, gates_become_columns);
    tcase_add_test(tc, seen_without_heads);
    tcase_add_test(tc, constant_gates);
    tcase_add_test(tc, other_runs);
}
TL_TEST_MAIN("lens: a model without some of its heads")
