/* Gates and replacements: 1 and the identity change no bit; what follows a place reads the replacement; gradients flow
 * through it; a search with them writes the same with caches and without. Windows and scores in a search, too. */
#include "models/model.h"

enum { SCORES = TL_UNIFORM + 1, NORMALISERS = TL_SIGMOID + 1 };

/* ---- in a batch ---- */

/* What the replacing function is told, and what it returns: x, x times a factor, or x times a factor in some places. */
typedef struct doing {
    double factor;
    const tl_replaced *where;
    int asked;
    tl_place_at at;
} doing;
static tl_var multiply(tl_var x, const tl_place_at *at, void *context) {
    doing *d = context;
    d->asked++;
    d->at = *at;
    if (d->factor == 1) return x;
    return tl_replace_where(x, tl_scale(x, d->factor), at, d->where);
}

static tl_batch a_batch(void) { return batch_of(sentences, 3, 13, 0, 0); }

/* The loss and all gradients are the same with gates of ones and identity replacements as without. */
START_TEST(one_and_the_same_change_no_bit) {
    bench k = bench_begin(&bench_small);
    tl_batch b = a_batch();
    maps_memory memory;
    doing same = {.factor = 1};
    tl_real ones[2] = {1, 1}, loss[3];
    gradients g = {0};
    for (int way = 0; way < 3; way++) {
        tl_model_maps maps = look(&memory, false);
        tl_tape_reset(k.tape);
        for (int i = 0; i < 6 && way == 2; i++) {
            memory.kind[i / 2][i % 2].gate = tl_variable(k.tape, tl_tensor_of(ones, TL_SHAPE(2)));
            for (int place = 0; place < TL_PLACES; place++)
                memory.kind[i / 2][i % 2].replace[place] = (tl_replacement){multiply, &same};
            for (int i = 0; i < 2 * 3 * TL_STREAM_PLACES; i++)
                memory.stream[i / 6][i / 2 % 3].replace[i % 2] = (tl_replacement){multiply, &same};
        }
        tl_zero_grad(k.params);
        tl_var y = tl_model_loss(&k.model.model, k.tape, &b, NULL, NULL, way ? &maps : NULL);
        must_msg(tl_backward(y), "%s", tl_tape_error(k.tape));
        loss[way] = (tl_real)tl_item(tl_value(y));
        if (way == 0) g = gradients_of(k.params);
        assert_same_gradients(k.params, &g, way == 1 ? "maps" : "ones and identities");
        must(memcmp(&loss[way], &loss[0], sizeof *loss) == 0);
        for (int i = 0; i < 6 && way == 2; i++) must(!all_zero(tl_grad(memory.kind[i / 2][i % 2].gate)));
    }
    /* two sides, each with three depths and two feed-forwards */
    ck_assert_int_eq(same.asked, 6 * TL_PLACES + 2 * (3 + 2));
    gradients_free(&g);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

enum { D = 4, B = 2, T = 3, S = 4 };
typedef struct subject {
    tl_params *params;
    tl_attention_layer layer;
    tl_encoder_layer encoder;
    tl_param *x, *memory, *gate;
    tl_place place;
    doing what;
} subject;

static tl_var in_a_layer(tl_tape *tape, const tl_var *unused, void *data) {
    (void)unused;
    subject *s = data;
    static const int lengths[B] = {S, S - 1};
    tl_attention_maps maps = {.gate = tl_use(tape, s->gate)};
    maps.replace[s->place] = (tl_replacement){multiply, &s->what};
    tl_var x = tl_use(tape, s->x);
    if (s->memory)
        return tl_attention_forward(&s->layer, x, tl_use(tape, s->memory), &(tl_mask){.key_lengths = lengths},
                                    &maps);
    return tl_encoder_layer_forward(&s->encoder, x, NULL, &maps);
}

/* The gate's gradient, and all others through each place, against differences. */
START_TEST(gradients_go_through) {
    const tl_replaced where = {.sentences = {1, 2}, .positions = {1, 3}};
    subject s = {.params = tl_params_new(5), .place = (tl_place)(_i % TL_PLACES)};
    s.what = (doing){.factor = -0.6, .where = _i / TL_PLACES ? &where : NULL};
    const tl_block_config block = {.d_model = D, .d_ff = 6, .heads = 2, .activation = TL_GELU};
    s.x = tl_params_add(s.params, "x", TL_SHAPE(B, T, D), (tl_init){TL_INIT_NORMAL, 1});
    s.gate = tl_params_add(s.params, "gate", TL_SHAPE(2), (tl_init){TL_INIT_NORMAL, 1});
    if (s.place == TL_PLACE_RESIDUAL) {
        s.encoder = tl_encoder_layer_init(s.params, "encoder", &block);
    } else {
        s.memory = tl_params_add(s.params, "memory", TL_SHAPE(B, S, D), (tl_init){TL_INIT_NORMAL, 1});
        s.layer = tl_attention_init(s.params, "attention", &(tl_attention_config){.d_model = D, .heads = 2});
    }
    assert_no_error(tl_params_error(s.params));
    shake_params(s.params);
    tl_gradcheck_report r;
    ck_assert_msg(tl_gradcheck_params(s.params, in_a_layer, &s, NULL, &r), "%s", r.error.message);
    ck_assert(s.what.asked > 0 && s.what.at.place == s.place && s.what.at.from == 0 && s.what.at.each == 1);
    tl_params_free(s.params);
}
END_TEST

static tl_var zeros(tl_var x, const tl_place_at *at, void *where) {
    return tl_replace_where(x, tl_scalar(x.tape, 0), at, where);
}

/* Replaces only the chosen sentences, heads, positions and keys; NaN does not leak from its side. */
START_TEST(only_where_it_was_said) {
    tl_params *params = tl_params_new(5);
    tl_tape *tape = tl_tape_new();
    tl_attention_layer layer =
        tl_attention_init(params, "attention", &(tl_attention_config){.d_model = D, .heads = 2});
    shake_params(params);
    tl_real x[3 * 5 * D];
    for (int i = 0; i < 3 * 5 * D; i++) x[i] = (tl_real)tl_rng_normal(tl_rng_key_of(2, "x"), (uint64_t)i);
    tl_replaced where = {.sentences = {1, 0}, .heads = {1, 2}, .positions = {2, 4}, .keys = {0, 3}};
    const tl_place place = _i ? TL_PLACE_CONTEXT : TL_PLACE_PROBS;
    tl_attention_maps plain = {0}, changed = {0};
    changed.replace[place] = (tl_replacement){zeros, &where};
    tl_var v = tl_variable(tape, tl_tensor_of(x, TL_SHAPE(3, 5, D)));
    tl_var y = tl_attention_forward(&layer, v, v, NULL, &plain);
    tl_var z = tl_attention_forward(&layer, v, v, NULL, &changed);
    assert_no_error(tl_tape_error(tape));
    tl_tensor before = tl_value(_i ? plain.context : plain.probs),
              after = tl_value(_i ? changed.context : changed.probs);
    for (long b = 0; b < 3; b++)
        for (long h = 0; h < 2; h++)
            for (long i = 0; i < 5; i++) {
                for (long j = 0; j < after.dim[3]; j++) {
                    const bool chosen = b >= 1 && h == 1 && (i == 2 || i == 3) && (_i || j < 3);
                    const double expected = chosen ? 0 : tl_item(tl_at(before, b, h, i, j));
                    must(tl_item(tl_at(after, b, h, i, j)) == expected);
                }
                if (h == 1) /* and later operations have read it */
                    must((first_difference(tl_at(tl_value(y), b, i), tl_at(tl_value(z), b, i)) == -1) ==
                         !(b >= 1 && (i == 2 || i == 3)));
            }
    assert_same_bits(tl_value(changed.output), tl_value(z), "output");
    tl_tape_free(tape);
    tl_params_free(params);
}
END_TEST

/* For keys and values, the axis of positions counts keys. */
START_TEST(only_those_keys) {
    tl_params *params = tl_params_new(5);
    tl_tape *tape = tl_tape_new();
    tl_attention_layer layer =
        tl_attention_init(params, "attention", &(tl_attention_config){.d_model = D, .heads = 2});
    const tl_place place = _i ? TL_PLACE_V : TL_PLACE_K;
    tl_replaced where = {.positions = {4, 5}, .keys = {1, 3}};
    tl_attention_maps plain = {0}, changed = {0};
    changed.replace[place] = (tl_replacement){zeros, &where};
    tl_var x = tl_full(tape, TL_SHAPE(3, 5, D), 1);
    shake_params(params);
    tl_attention_forward(&layer, x, x, NULL, &plain);
    tl_attention_forward(&layer, x, x, NULL, &changed);
    assert_no_error(tl_tape_error(tape));
    const tl_tensor before = tl_value(_i ? plain.v : plain.k), after = tl_value(_i ? changed.v : changed.k);
    for (long i = 0; i < 3 * 2 * 5; i++)
        for (long d = 0; d < after.dim[3]; d++) {
            const double was = tl_item(tl_at(before, i / 10, i / 5 % 2, i % 5, d));
            must(was != 0);
            must(tl_item(tl_at(after, i / 10, i / 5 % 2, i % 5, d)) == (i % 5 == 1 || i % 5 == 2 ? 0 : was));
        }
    tl_tape_free(tape);
    tl_params_free(params);
}
END_TEST

/* ---- in a search ---- */

/* The result of a search with gates or replacements: ids, scores and maps in one block of memory. */
typedef struct found {
    int ids[3 * 2 * 40], lengths[3 * 2];
    double score[3 * 2];
    long capacity;
    tl_tensor maps[2][2];
} found;
static found search(bench *k, const tl_batch *b, bool no_cache, maps_memory *acting) {
    found f = {0};
    tl_search_result r;
    const tl_model_maps maps = maps_of(acting);
    const tl_search_options o = {
        .beam = 3, .nbest = 2, .maps = true, .no_cache = no_cache, .intervene = &maps};
    must_msg(tl_search(&k->model.model, k->tape, b, &o, &r), "%s", tl_tape_error(k->tape));
    must(r.sentences * r.nbest * r.capacity <= 3 * 2 * 40);
    memcpy(f.ids, r.ids, (size_t)(r.sentences * r.nbest * r.capacity) * sizeof *f.ids);
    memcpy(f.lengths, r.lengths, sizeof f.lengths);
    memcpy(f.score, r.score, sizeof f.score);
    f.capacity = r.capacity;
    for (int i = 0; i < 4; i++)
        f.maps[i / 2][i % 2] = copied(r.maps[i / 2 ? TL_CROSS : TL_DECODER_SELF][i % 2]);
    return f;
}
static void found_free(found *f) {
    for (int i = 0; i < 4; i++) free(f->maps[i / 2][i % 2].data);
}
static bool same_found(const found *a, const found *b) {
    bool same = a->capacity == b->capacity && !memcmp(a->ids, b->ids, sizeof a->ids) &&
                !memcmp(a->lengths, b->lengths, sizeof a->lengths) &&
                !memcmp(a->score, b->score, sizeof a->score);
    for (int i = 0; i < 4; i++) same &= first_difference(a->maps[i / 2][i % 2], b->maps[i / 2][i % 2]) == -1;
    return same;
}

/* Each place of each kind of attention, in some sentences, positions and heads; and gates (place TL_PLACES). */
static void act(bench *k, const tl_batch *b, int kind, int place, maps_memory *none, const found *plain) {
    static tl_real gates[2][2] = {{1, 1}, {0.25, -2}};
    const tl_replaced where = {.sentences = {1, 3}, .positions = {1, 6}, .heads = {0, 1}, .keys = {1, 0}};
    doing what = {.factor = -3, .where = &where};
    maps_memory acting = *none;
    tl_attention_maps *maps = &acting.kind[kind][1];
    tl_tape_reset(k->tape);
    if (place == TL_PLACES)
        maps->gate = tl_constant(k->tape, tl_tensor_of(gates[1], TL_SHAPE(2)));
    else
        maps->replace[place] = (tl_replacement){multiply, &what};
    found cached = search(k, b, false, &acting), anew = search(k, b, true, &acting);
    must_msg(same_found(&cached, &anew), "kind %d, place %d: other with caches than without", kind, place);
    must_msg(!same_found(plain, &cached), "kind %d, place %d: it did not act", kind, place);
    must(place == TL_PLACES || what.asked > 0);
    /* sentence 0 was not chosen, so its result is unchanged */
    if (place < TL_PLACES) must(!memcmp(plain->score, cached.score, 2 * sizeof *plain->score));
    if (place == TL_PLACES) { /* gates of 1 change nothing */
        maps->gate = tl_constant(k->tape, tl_tensor_of(gates[0], TL_SHAPE(2)));
        found one = search(k, b, false, &acting);
        must(same_found(plain, &one));
        found_free(&one);
    }
    if (place == TL_PLACE_CONTEXT) /* they act without maps, too */
        for (int no_cache = 0; no_cache < 2; no_cache++) {
            const tl_model_maps all = maps_of(&acting);
            tl_search_result r;
            must(tl_search(
                &k->model.model, k->tape, b,
                &(tl_search_options){.beam = 3, .nbest = 2, .no_cache = no_cache, .intervene = &all}, &r));
            must(!memcmp(r.score, cached.score, sizeof cached.score));
        }
    found_free(&cached), found_free(&anew);
}

/* The same of each place of both streams, at each depth. */
static void act_on_stream(bench *k, const tl_batch *b, int side, int depth, tl_place place,
                          const maps_memory *none, const found *plain) {
    const tl_replaced where = {.sentences = {1, 3}, .positions = {1, 6}};
    doing what = {.factor = -3, .where = &where};
    maps_memory acting = *none;
    acting.stream[side][depth].replace[place - TL_PLACE_FEED_FORWARD] = (tl_replacement){multiply, &what};
    tl_tape_reset(k->tape);
    found cached = search(k, b, false, &acting), anew = search(k, b, true, &acting);
    must_msg(same_found(&cached, &anew), "side %d, depth %d, place %d: other with caches than without", side,
             depth, (int)place);
    must_msg(!same_found(plain, &cached), "side %d, depth %d, place %d: it did not act", side, depth,
             (int)place);
    must(!memcmp(plain->score, cached.score, 2 * sizeof *plain->score));
    found_free(&cached), found_free(&anew);
}

/* The sentences end at different steps, so that rows are moved. */
START_TEST(a_search_with_them) {
    bench k = bench_begin(&bench_small);
    tl_batch b = a_batch();
    learn_to_stop(&k, &b, 25);
    maps_memory none;
    (void)look(&none, false);
    tl_tape_reset(k.tape);
    found plain = search(&k, &b, false, &none);
    must(plain.lengths[0] != plain.lengths[2] && plain.lengths[2] != plain.lengths[4]);
    for (int kind = 0; kind < TL_ATTENTION_KINDS; kind++)
        for (int place = 0; place <= TL_PLACES; place++) act(&k, &b, kind, place, &none, &plain);
    for (int side = 0; side < TL_STREAM_SIDES; side++)
        for (int depth = 0; depth < 3; depth++) {
            act_on_stream(&k, &b, side, depth, TL_PLACE_STREAM, &none, &plain);
            if (depth) act_on_stream(&k, &b, side, depth, TL_PLACE_FEED_FORWARD, &none, &plain);
        }
    found_free(&plain);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* ---- scores, normalisers and windows, word by word ---- */

/* Logits of three steps, with caches and without. */
START_TEST(caches_hold_every_score) {
    tl_transformer_config config = bench_small;
    config.score = (tl_score)(_i % SCORES);
    config.normaliser = (tl_normaliser)(_i / SCORES % NORMALISERS);
    config.window = _i / SCORES / NORMALISERS ? 2 : 0;
    bench k = bench_begin(&config);
    tl_batch b = a_batch();
    tl_model_state *s[2];
    for (int anew = 0; anew < 2; anew++) {
        s[anew] = tl_model_begin(
            &k.model.model, k.tape, &b,
            &(tl_model_state_options){.each = 2, .capacity = 6, .maps = true, .no_cache = anew});
        ck_assert_msg(s[anew] != NULL, "%s", tl_tape_error(k.tape));
    }
    for (int step = 0; step < 6; step++) {
        int words[6];
        for (int r = 0; r < 6; r++) words[r] = 3 + (r * 5 + step * 7) % 10;
        tl_var cached = tl_model_step(s[0], words), anew = tl_model_step(s[1], words);
        assert_same_bits(tl_value(cached), tl_value(anew), "logits of step %d", step);
        for (int l = 0; l < 2; l++) {
            assert_same_bits(s[0]->maps[TL_DECODER_SELF][l], s[1]->maps[TL_DECODER_SELF][l], "self");
            assert_same_bits(s[0]->maps[TL_CROSS][l], s[1]->maps[TL_CROSS][l], "cross");
        }
    }
    if (config.window) /* word 5 sees words 3 to 5 */
        for (long key = 0; key < 6; key++)
            ck_assert((tl_item(tl_at(s[0]->maps[TL_DECODER_SELF][0], 0, 0, 5, key)) != 0) == (key >= 3));
    batch_free(&b);
    bench_end(&k);
}
END_TEST

static double first_logit(bench *k, const tl_batch *b) {
    tl_tape_reset(k->tape);
    tl_var memory = tl_transformer_encode(&k->model, k->tape, b, NULL);
    tl_var hidden = tl_transformer_decode(&k->model, k->tape, b, memory, NULL);
    return tl_item(tl_at(tl_value(tl_transformer_logits(&k->model, hidden)), 0, 0, 3));
}

/* With no_causal the decoder sees later words; its states then always compute everything again. */
START_TEST(a_decoder_that_sees_what_comes) {
    double first[2][2];
    for (int sees = 0; sees < 2; sees++) {
        tl_transformer_config config = bench_small;
        config.no_causal = sees;
        bench k = bench_begin(&config);
        ck_assert(k.model.model.no_cache == sees);
        tl_batch b = a_batch();
        for (int other = 0; other < 2; other++) {
            ((int *)(uintptr_t)b.tgt_in)[4] = 3 + other; /* the last word of the first sentence */
            first[sees][other] = first_logit(&k, &b);
        }
        maps_memory none;
        (void)look(&none, false);
        found cached = search(&k, &b, false, &none), anew = search(&k, &b, true, &none);
        ck_assert(same_found(&cached, &anew));
        found_free(&cached), found_free(&anew);
        batch_free(&b);
        bench_end(&k);
    }
    ck_assert(first[0][0] == first[0][1] && first[1][0] != first[1][1]);
}
END_TEST

/* ---- what is refused ---- */

static tl_tape *other_tape;
static tl_var wrong(tl_var x, const tl_place_at *at, void *how) {
    switch (*(const int *)how) {
    case 0:
        return tl_slice(x, 0, 0, 1);
    case 1:
        return (tl_var){0};
    case 2:
        return tl_scalar(other_tape, 0);
    case 3:
        return (tl_var){x.tape, x.index, x.epoch - 1};
    case 4:
        return tl_replace_where(x, x, NULL, NULL);
    default:
        return tl_replace_where(x, tl_transpose(x, 0, 2), at, NULL);
    }
}

START_TEST(refuses) {
    static const char *const sentences_of[] = {
        "the replacement of pattern is [1,1,3,3], should be [2,1,3,3] as what stands there (attention)",
        "the replacement of pattern is no var at all: it should return a var of this tape (attention)",
        "the replacement of pattern is another tape's: it should return a var of this tape (attention)",
        "the replacement of pattern is a var that is not there any more (attention)",
        "tl_replace_where: at is NULL: give what the replacing function was given (attention)",
        "where: cond [2,1,3,3], a [3,1,2,3], b [2,1,3,3] do not broadcast (attention)",
        "the gate is [2], should be [1], one number a head (attention)"};
    tl_params *params = tl_params_new(5);
    tl_tape *tape = tl_tape_new();
    other_tape = tl_tape_new();
    tl_attention_layer layer =
        tl_attention_init(params, "attention", &(tl_attention_config){.d_model = D, .heads = 1});
    tl_var v = tl_zeros(tape, TL_SHAPE(2, 3, D));
    tl_attention_maps maps = {0};
    if (_i == 6)
        maps.gate = tl_zeros(tape, TL_SHAPE(2));
    else
        maps.replace[TL_PLACE_PROBS] = (tl_replacement){wrong, &_i};
    ck_assert(!tl_ok(tl_attention_forward(&layer, v, v, NULL, &maps)));
    ck_assert_ptr_nonnull(tl_tape_error(tape));
    ck_assert_str_eq(tl_tape_error(tape), sentences_of[_i]);
    tl_tape_free(tape);
    tl_tape_free(other_tape);
    tl_params_free(params);
}
END_TEST

/* Vars that do not exist, vars of rank 2, NULL maps: an error message, or nothing. */
START_TEST(handles) {
    tl_tape *tape = tl_tape_new();
    const tl_place_at at = {0};
    tl_var x = tl_zeros(tape, TL_SHAPE(2, 3));
    ck_assert(!tl_ok(tl_replace_where(x, x, &at, NULL)));
    assert_contains(tl_tape_error(tape), "tl_replace_where: an attention's places have 3 or 4 axes, not 2");
    tl_tape_free(tape);
    tape = tl_tape_new();
    x = tl_zeros(tape, TL_SHAPE(2, 3, 4));
    ck_assert(!tl_ok(tl_replace_where((tl_var){0}, x, &at, NULL)));
    assert_contains(tl_tape_error(tape), "where: input 0 ");
    tl_tape_free(tape);
    tape = tl_tape_new();
    x = tl_zeros(tape, TL_SHAPE(2, 3, 4));
    ck_assert(!tl_ok(tl_replace_where(x, (tl_var){0}, &at, NULL)));
    assert_contains(tl_tape_error(tape), "where: input ");
    tl_tape_free(tape);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, one_and_the_same_change_no_bit);
    tcase_add_loop_test(tc, gradients_go_through, 0, 2 * TL_PLACES);
    tcase_add_loop_test(tc, only_where_it_was_said, 0, 2);
    tcase_add_loop_test(tc, only_those_keys, 0, 2);
    tcase_add_test(tc, a_search_with_them);
    tcase_add_loop_test(tc, caches_hold_every_score, 0, SCORES * NORMALISERS * 2);
    tcase_add_test(tc, a_decoder_that_sees_what_comes);
    tcase_add_loop_test(tc, refuses, 0, 7);
    tcase_add_test(tc, handles);
}

TL_TEST_MAIN("nn: places")
