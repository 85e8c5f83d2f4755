/* Right models of every kind have no leaks. Wrong ones are found: a decoder that sees later positions, a layer that
 * looks ahead, padding that is read. */
#include "models/classifier.h"
#include "models/gpt.h"
#include "models/seq2seq.h"

static void assert_tight(const tl_model *model, tl_tape *tape, const tl_batch *b, const char *what) {
    tl_leak_report r;
    const gradients was = gradients_of(model->params);
    must_msg(tl_leak_check(model, tape, b, NULL, NULL, &r), "%s: %s", what, r.error.message);
    must(r.ok && r.values == 0 && r.gradients == 0 && r.padding_felt == 0 && !r.value.found &&
         !r.gradient.found);
    must(r.causal == (model->depths[TL_DECODER] > 0));
    if (r.causal) {
        long pairs = 0, longest = 0;
        for (long s = 0; s < b->sentences; s++) {
            pairs += (long)b->tgt_lengths[s] * (b->tgt_lengths[s] - 1) / 2;
            if (b->tgt_lengths[s] > longest) longest = b->tgt_lengths[s];
        }
        ck_assert_int_eq(r.pairs, pairs);
        ck_assert_int_eq(r.felt, longest);
        ck_assert_int_eq(r.felt_gradients, longest);
    }
    ck_assert_int_eq(r.padding, (b->src != NULL) + r.causal);
    assert_same_gradients(model->params, &was, what);
    gradients_free((gradients *)&was);
}

START_TEST(right_models_are_tight) {
    tl_batch b = batch_of(sentences, 4, 13, 0, 0);
    bench k = bench_begin(&bench_small);
    assert_tight(&k.model.model, k.tape, &b, "transformer");
    bench_end(&k);
    gpt_bench g = gpt_begin(&gpts[_i]);
    tl_batch text = b;
    text.src = NULL, text.src_lengths = NULL, text.src_len = 0;
    assert_tight(&g.model.model, g.tape, &text, "gpt");
    gpt_end(&g);
    recurrent_bench r = recurrent_begin(&recurrents[4 + _i]);
    assert_tight(&r.model.model, r.tape, &b, "recurrent");
    recurrent_end(&r);
    classifier_bench c = classifier_begin(&classifiers[_i]);
    tl_batch l = labelled(sentences, 4, 13, 0);
    assert_tight(&c.model.model, c.tape, &l, "classifier");
    classifier_end(&c);
    batch_free(&l);
    batch_free(&b);
}
END_TEST

START_TEST(a_decoder_that_sees_what_comes) {
    tl_transformer_config config = bench_small;
    config.no_causal = true;
    bench k = bench_begin(&config);
    tl_batch b = batch_of(sentences, 2, 13, 0, 0);
    tl_leak_report r;
    ck_assert(!tl_leak_check(&k.model.model, k.tape, &b, NULL, NULL, &r) && !r.ok);
    ck_assert_int_eq(r.pairs, 10 + 15);
    ck_assert_int_eq(r.values, r.pairs);
    ck_assert_int_eq(r.gradients, r.pairs);
    ck_assert(r.value.found && r.value.sentence == 0 && r.value.from == 1 && r.value.to == 0);
    ck_assert(r.gradient.found && r.gradient.from == 1 && r.gradient.to == 0 && r.gradient.size > 0);
    ck_assert_str_eq(r.value.where, "decoder.layers.0.self.out");
    ck_assert(r.value.size > 0);
    assert_contains(r.error.message, "position 2 reaches the output at position 1");
    ck_assert_int_eq(r.padding_felt, 0);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* ---- models whose hidden values are changed from outside ---- */

static tl_model_kind kind;
static const tl_model_kind *right;
static int wrong;

static tl_var wrong_hidden(const tl_model *model, tl_tape *tape, const tl_batch *batch,
                           const tl_model_maps *maps) {
    tl_var x = right->hidden(model, tape, batch, maps);
    if (!tl_ok(x)) return x;
    const long length = tl_shape_of_var(x).dim[1];
    if (wrong == 0) { /* each position gets a little of the next one */
        tl_var next = tl_concat((tl_var[]){tl_slice(x, 1, 1, length), tl_slice(x, 1, 0, 1)}, 2, 1);
        return tl_add(x, tl_scale(next, 1e-3));
    }
    /* adds the mean over all source positions, padding included */
    if (wrong == 1) return tl_add(x, tl_scale(tl_scalar(tape, (double)batch->src[batch->src_len - 1]), 1e-3));
    if (wrong == 2) return tl_scale(x, 1 + 1e-3 * batch->tgt_in[batch->tgt_len - 1] * (batch->tgt_len > 9));
    return tl_scale(x, 0); /* no word has an effect */
}

static const char *const says[] = {"the first place that differs there is the output", "the source's padding",
                                   "the target's padding", "proves nothing"};
START_TEST(other_leaks) {
    bench k = bench_begin(&bench_small);
    tl_batch b = batch_of(sentences + 2, 2, 13, 0, 0); /* the second is shorter on both sides */
    right = k.model.model.kind;
    kind = *right;
    kind.hidden = wrong_hidden;
    k.model.model.kind = &kind;
    wrong = _i;
    tl_leak_report r;
    ck_assert(!tl_leak_check(&k.model.model, k.tape, &b, NULL, NULL, &r));
    assert_contains(r.error.message, says[_i]);
    if (_i == 3) ck_assert(r.felt == 0 && r.felt_gradients == 0);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

static bool twice(void *context, long done, long all) {
    ck_assert(done <= all);
    return ++*(int *)context < 2;
}
START_TEST(what_cannot_be_tried_is_said) {
    bench k = bench_begin(&bench_small);
    tl_batch b = batch_of(sentences, 2, 13, 0, 0);
    tl_leak_report r;
    int told = 0;
    ck_assert(!tl_leak_check(&k.model.model, k.tape, &b, twice, &told, &r));
    assert_contains(r.error.message, "stopped after 2 of 14");
    tl_batch no_targets = b;
    no_targets.tgt_out = NULL;
    ck_assert(!tl_leak_check(&k.model.model, k.tape, &no_targets, NULL, NULL, &r));
    assert_contains(r.error.message, "no targets");
    ck_assert(!tl_leak_check(NULL, k.tape, &b, NULL, NULL, &r));
    ck_assert(!tl_leak_check(&k.model.model, NULL, &b, NULL, NULL, NULL));
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* If a sentence is as long as the model can read, there is no room for padding; if there is room for one column, one
 * is tested. */
START_TEST(no_room_for_padding) {
    for (int more = 0; more < 2; more++) {
        tl_transformer_config config = {SMALL_MODEL, .positions = TL_LEARNED};
        config.max_len = 7 + more;
        bench k = bench_begin(&config);
        tl_batch b = batch_of(sentences, 2, 13, 0, 0);
        tl_leak_report r;
        ck_assert_msg(tl_leak_check(&k.model.model, k.tape, &b, NULL, NULL, &r), "%s", r.error.message);
        ck_assert_int_eq(r.padding, 2 * more);
        batch_free(&b);
        bench_end(&k);
    }
}
END_TEST

/* ---- copies of batches ---- */

START_TEST(a_copy_is_a_copy) {
    tl_batch b = batch_of(sentences, 2, 13, 0, 0);
    tl_real numbers[2 * 7 * 3];
    for (int i = 0; i < 42; i++) numbers[i] = (tl_real)i;
    b.pictures = tl_tensor_of(numbers, TL_SHAPE(2, 7, 3));
    tl_batch_copy *c = tl_batch_copy_of(&b, 3);
    ck_assert(c->batch.src_len == 10 && c->batch.tgt_len == 9 && c->batch.src == c->src);
    for (long s = 0; s < 2; s++) {
        for (long t = 0; t < 10; t++) must(c->src[s * 10 + t] == (t < 7 ? b.src[s * 7 + t] : MODEL_PAD));
        for (long t = 0; t < 9; t++) must(c->tgt_in[s * 9 + t] == (t < 6 ? b.tgt_in[s * 6 + t] : MODEL_PAD));
        for (long t = 0; t < 10; t++)
            for (long n = 0; n < 3; n++)
                must(c->pictures[(s * 10 + t) * 3 + n] == (t < 7 ? numbers[(s * 7 + t) * 3 + n] : 0));
        must(c->src_lengths[s] == b.src_lengths[s] && c->tgt_lengths[s] == b.tgt_lengths[s]);
    }
    tl_batch_copy_free(c);
    b.tgt_lengths = NULL;
    c = tl_batch_copy_of(&b, 0);
    ck_assert(c->tgt_lengths[0] == 6 && !c->labels && c->batch.tgt_len == 6);
    tl_batch_copy_free(c);
    tl_batch_copy_free(NULL);
    ck_assert_ptr_null(tl_batch_copy_of(NULL, 1));
    batch_free(&b);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, right_models_are_tight, 0, GPTS);
    tcase_add_test(tc, a_decoder_that_sees_what_comes);
    tcase_add_loop_test(tc, other_leaks, 0, 4);
    tcase_add_test(tc, what_cannot_be_tried_is_said);
    tcase_add_test(tc, no_room_for_padding);
    tcase_add_test(tc, a_copy_is_a_copy);
}
TL_TEST_MAIN("lens: leaks")
