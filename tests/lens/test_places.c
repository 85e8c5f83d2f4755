/* Places by name: which ones every model has, patterns, and that actions on places equal those of maps. */
#include "every_model.h"

/* ---- names ---- */

static void assert_names(const tl_model *model, const char *const *names) {
    tl_place_name name;
    long i = 0;
    for (; names[i]; i++) {
        must_msg(tl_place_at_number(model, i, &name), "there is no place %s", names[i]);
        ck_assert_str_eq(name.text, names[i]);
    }
    ck_assert_int_eq(tl_place_count(model), i);
    ck_assert(!tl_place_at_number(model, i, &name) && !tl_place_at_number(model, -1, &name));
}

#define ATTENTION(name) \
 name ".q", name ".k", name ".v", name ".scores", name ".pattern", name ".context", name ".out"

START_TEST(names) {
    static const char *const encoder_decoder[] = {"encoder.embedding",
                                                  ATTENTION("encoder.layers.0.self"),
                                                  "encoder.layers.0.self.residual",
                                                  "encoder.layers.0.feed_forward",
                                                  "encoder.layers.0.residual",
                                                  "decoder.embedding",
                                                  ATTENTION("decoder.layers.0.self"),
                                                  "decoder.layers.0.self.residual",
                                                  ATTENTION("decoder.layers.0.cross"),
                                                  "decoder.layers.0.cross.residual",
                                                  "decoder.layers.0.feed_forward",
                                                  "decoder.layers.0.residual",
                                                  NULL},
                             *const without_feed_forward[] = {"decoder.embedding",
                                                              ATTENTION("decoder.layers.0.self"),
                                                              "decoder.layers.0.self.residual",
                                                              "decoder.layers.0.residual",
                                                              ATTENTION("decoder.layers.1.self"),
                                                              "decoder.layers.1.self.residual",
                                                              "decoder.layers.1.residual",
                                                              NULL},
                             *const recurrent[] = {"encoder.embedding",
                                                   "encoder.layers.0.residual",
                                                   "decoder.embedding",
                                                   ATTENTION("decoder.layers.0.cross"),
                                                   "decoder.layers.0.residual",
                                                   NULL},
                             *const gru[] = {"encoder.embedding", "encoder.layers.0.residual",
                                             ATTENTION("pooling"), NULL},
                             *const average[] = {"encoder.embedding", ATTENTION("pooling"), NULL};
    const struct {
        int which;
        const char *const *names;
    } cases[] = {{1, encoder_decoder},
                 {FIRST_GPT + 2, without_feed_forward},
                 {FIRST_RECURRENT + 4, recurrent},
                 {FIRST_CLASSIFIER + 5, gru},
                 {FIRST_CLASSIFIER + 9, average}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        subject s;
        subject_begin(&s, cases[i].which, short_ones, SHORT_ONES);
        assert_names(s.model, cases[i].names);
        subject_end(&s);
    }
    ck_assert_int_eq(tl_place_count(NULL), 0);
}
END_TEST

START_TEST(patterns) {
    static const struct {
        const char *name, *pattern;
        bool matches;
    } cases[] = {{"decoder.layers.1.cross.pattern", "decoder.*.cross.pattern", true},
                 {"decoder.layers.1.cross.pattern", "*.pattern", true},
                 {"decoder.layers.1.cross.pattern", "*", true},
                 {"decoder.layers.1.cross.pattern", "decoder.layers.?.cross.*", true},
                 {"decoder.layers.1.cross.pattern", "decoder.layers.1.cross", false},
                 {"decoder.layers.1.cross.pattern", "*.cross", false},
                 {"decoder.layers.1.cross.pattern", "encoder.*", false},
                 {"decoder.layers.11.cross.q", "decoder.layers.?.cross.q", false},
                 {"aab", "*ab", true},
                 {"", "*", true},
                 {"", "?", false},
                 {"a", "", false},
                 {"abc", "a**c", true},
                 {"abab", "*a*b", true},
                 {"ababc", "*ab", false},
                 {"a.b", "a*?*b", true},
                 {"ab", "a*?*b", false},
                 /* where each star were tried with every length, this would not end */
                 {"decoder.layers.1.cross.pattern", "*e*e*e*e********************************z", false},
                 {"decoder.layers.1.cross.pattern", "********************************n", true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        must_msg(tl_place_matches(cases[i].name, cases[i].pattern) == cases[i].matches,
                 "\"%s\" against \"%s\"", cases[i].name, cases[i].pattern);
    ck_assert(!tl_place_matches(NULL, "*") && !tl_place_matches("a", NULL));
}
END_TEST

/* ---- every place of every model exists, keeps its gradient, and changes no bit by that ---- */

/* The size of a place's last axis; 0: it depends on the model. */
static void assert_shape(const subject *s, const tl_place_name *at, tl_tensor x) {
    const char *part = strrchr(at->text, '.') + 1;
    const bool map = !strcmp(part, "scores") || !strcmp(part, "pattern");
    const bool heads = map || strlen(part) == 1 || !strcmp(part, "context");
    must_msg(x.rank == (heads ? 4 : 3), "%s has %d axes", at->text, x.rank);
    must(x.dim[0] == s->batch.sentences);
    if (heads) must(x.dim[1] == tl_model_heads(s->model, at->kind, at->layer));
}

static double loss_of(subject *s, const tl_model_maps *maps) {
    tl_zero_grad(s->params);
    tl_var y = tl_model_loss(s->model, s->tape, &s->batch, NULL, NULL, maps);
    must_msg(tl_backward(y), "%s", tl_tape_error(s->tape));
    return (double)tl_item(tl_value(y));
}

START_TEST(all_are_there) {
    subject s;
    tl_model_maps maps;
    subject_begin(&s, _i, short_ones, SHORT_ONES);
    /* uniform attention has no queries and keys, and without attention the encoder's states are not used */
    const bool uniform = _i == FIRST_SCORED + 3 || _i == FIRST_RECURRENT + 14 || _i >= FIRST_CLASSIFIER + 3;
    const bool blind = s.model->attentions[TL_CROSS] == 0 && _i >= FIRST_RECURRENT;
    const double plain = loss_of(&s, NULL);
    gradients g = gradients_of(s.params);
    tl_places *places = tl_places_new(s.model);
    must(tl_places_keep(places, "*"));
    tl_tape_reset(s.tape);
    must(tl_places_maps(places, s.tape, &maps));
    must(loss_of(&s, &maps) == plain);
    assert_same_gradients(s.params, &g, "keeping all");
    tl_place_name name;
    for (long i = 0; tl_place_at_number(s.model, i, &name); i++) {
        const tl_var x = tl_place_var(s.model, &maps, name.text);
        const char *part = strrchr(name.text, '.') + 1;
        if (uniform && !tl_ok(x)) {
            must_msg(strlen(part) == 1 && *part != 'v', "%s is not there", name.text);
            continue;
        }
        must_msg(tl_ok(x), "%s is not there", name.text);
        assert_shape(&s, &name, tl_value(x));
        const tl_tensor grad = tl_place_grad(s.model, &maps, name.text);
        must_msg(grad.data || uniform || (blind && !strcmp(part, "residual")), "%s has no gradient",
                 name.text);
        if (grad.data) must_msg(tl_shape_equal(tl_shape_of(grad), tl_shape_of_var(x)), "%s", name.text);
        /* made once, also where a decoder goes step by step */
        if (!strcmp(part, "k") || !strcmp(part, "v")) must_msg(grad.data == tl_grad(x).data, "%s", name.text);
    }
    must(!tl_ok(tl_place_var(s.model, &maps, "decoder.layers.9.cross.q")));
    must(!tl_place_grad(s.model, &maps, NULL).data);
    tl_places_free(places);
    gradients_free(&g);
    subject_end(&s);
}
END_TEST

/* ---- actions ---- */

typedef struct scaling {
    double factor;
    long asked;
} scaling;
static tl_var scaled(tl_var x, const tl_place_at *at, void *context) {
    scaling *s = context;
    (void)at;
    s->asked++;
    return tl_scale(x, s->factor);
}

/* A gate of 0 and a replaced context of 0 give the same loss, by every way. */
START_TEST(gates_and_replacements) {
    subject s;
    tl_model_maps maps;
    scaling nothing = {.factor = 0};
    subject_begin(&s, 0, short_ones, SHORT_ONES);
    tl_places *places = tl_places_new(s.model);
    double loss[5];
    for (int way = 0; way < 5; way++) {
        tl_places_forget(places);
        if (way == 1) must(tl_places_gate(places, "decoder.*.cross", -1, 0));
        if (way == 2) must(tl_places_replace(places, "decoder.*.cross.context", scaled, &nothing));
        if (way == 3) must(tl_places_gate(places, "decoder.layers.1.cross", 1, 0));
        if (way == 4) must(tl_places_gate(places, "decoder.*.cross", 1, 1)); /* the other head's gate stays */
        tl_tape_reset(s.tape);
        must(tl_places_maps(places, s.tape, &maps));
        loss[way] = loss_of(&s, &maps);
    }
    ck_assert_int_eq(nothing.asked, 2);
    ck_assert(loss[0] != loss[1] && loss[1] == loss[2] && loss[3] != loss[0] && loss[3] != loss[1] &&
              loss[4] == loss[0]);
    tl_places_free(places);
    subject_end(&s);
}
END_TEST

START_TEST(wrong) {
    subject s;
    tl_model_maps maps;
    subject_begin(&s, 0, short_ones, SHORT_ONES);
    tl_places *places = tl_places_new(s.model);
    ck_assert(!tl_places_keep(places, "decoder.layers.7.*"));
    assert_contains(tl_places_error(places), "no place of the model matches decoder.layers.7.*");
    ck_assert(!tl_places_keep(places, "*")); /* the first failure stays, */
    ck_assert(!tl_places_maps(places, s.tape, &maps));
    assert_contains(tl_tape_error(s.tape), "no place of the model matches");
    tl_tape_clear_error(s.tape);
    tl_places_forget(places); /* until all is forgotten */
    ck_assert(tl_places_keep(places, "*") && !tl_places_error(places));
    ck_assert(!tl_places_gate(places, "decoder.layers.0.cross", 2, 0));
    assert_contains(tl_places_error(places), "head 2: the model has 2: give 0 … 1, or -1 for all");
    tl_places_forget(places);
    ck_assert(!tl_places_gate(places, "*.pattern", 0, 0)); /* gates are of attentions */
    tl_places_forget(places);
    ck_assert(!tl_places_replace(places, NULL, scaled, NULL));
    tl_places_free(places);
    places = tl_places_new(NULL);
    ck_assert(!tl_places_keep(places, "*") && tl_places_error(places));
    tl_places_free(places);
    tl_places_free(NULL);
    tl_places_forget(NULL);
    ck_assert(tl_places_error(NULL) && !tl_places_keep(NULL, "*") && !tl_places_gate(NULL, "*", 0, 1));
    subject_end(&s);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, names);
    tcase_add_test(tc, patterns);
    tcase_add_loop_test(tc, all_are_there, 0, EVERY_MODEL);
    tcase_add_test(tc, gates_and_replacements);
    tcase_add_test(tc, wrong);
}

TL_TEST_MAIN("lens: places")
