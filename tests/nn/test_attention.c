/* Multi-head attention: the contents of its maps; looking changes nothing; masked values cannot reach anything. */
#include "models/model.h"

#include "nn/attention.h"

enum { D = 8, H = 2, B = 3, T = 5, S = 6, DK = D / H };

typedef struct setup {
    tl_params *params;
    tl_attention_layer layer;
    tl_tape *tape;
    tl_real x[B * T * D], memory[B * S * D], dy[B * T * D];
} setup;

static void fill(tl_real *data, long n, const char *name) {
    for (long i = 0; i < n; i++) data[i] = (tl_real)tl_rng_normal(tl_rng_key_of(2, name), (uint64_t)i);
}
static setup *begin(void) {
    setup *s = calloc(1, sizeof *s);
    s->params = tl_params_new(4);
    s->tape = tl_tape_new();
    s->layer = tl_attention_init(s->params, "attention", &(tl_attention_config){.d_model = D, .heads = H});
    shake_params(s->params);
    fill(s->x, B * T * D, "x");
    fill(s->memory, B * S * D, "memory");
    fill(s->dy, B * T * D, "dy");
    return s;
}
static void end(setup *s) {
    assert_no_error(tl_tape_error(s->tape));
    tl_tape_free(s->tape);
    tl_params_free(s->params);
    free(s);
}

/* One forward and backward pass over sentences [first, first+count). */
typedef struct pass {
    tl_var x, memory, y;
    tl_attention_maps maps;
} pass;
static pass run(setup *s, bool self, long first, long count, const tl_mask *mask, bool look, bool keep) {
    pass p = {.maps = {.keep_grad = keep}};
    tl_tape_reset(s->tape);
    tl_zero_grad(s->params);
    p.x = tl_variable(s->tape, tl_tensor_of(s->x + first * T * D, TL_SHAPE(count, T, D)));
    p.memory =
        self ? p.x : tl_variable(s->tape, tl_tensor_of(s->memory + first * S * D, TL_SHAPE(count, S, D)));
    p.y = tl_attention_forward(&s->layer, p.x, p.memory, mask, look ? &p.maps : NULL);
    ck_assert_msg(tl_backward_from(p.y, tl_tensor_of(s->dy + first * T * D, TL_SHAPE(count, T, D))), "%s",
                  tl_tape_error(s->tape));
    return p;
}
static double at4(tl_tensor t, long b, long h, long i, long j) { return (double)*tl_at(t, b, h, i, j).data; }
static double wide(double tight) { return sizeof(tl_real) == 4 ? 1e-5 : tight; }

/* ---- maps ---- */

START_TEST(shapes_of_maps) {
    setup *s = begin();
    for (int self = 0; self < 2; self++) {
        long keys = self ? T : S;
        pass p = run(s, self, 0, B, NULL, true, true);
        ck_assert(tl_shape_equal(tl_shape_of_var(p.y), TL_SHAPE(B, T, D)));
        ck_assert(tl_shape_equal(tl_shape_of_var(p.maps.scores), TL_SHAPE(B, H, T, keys)));
        ck_assert(tl_shape_equal(tl_shape_of_var(p.maps.probs), TL_SHAPE(B, H, T, keys)));
        ck_assert(tl_shape_equal(tl_shape_of_var(p.maps.context), TL_SHAPE(B, H, T, DK)));
        ck_assert(tl_shape_equal(tl_shape_of(tl_grad(p.maps.scores)), TL_SHAPE(B, H, T, keys)));
        ck_assert(tl_shape_equal(tl_shape_of(tl_grad(p.maps.probs)), TL_SHAPE(B, H, T, keys)));
        ck_assert(tl_shape_equal(tl_shape_of(tl_grad(p.maps.context)), TL_SHAPE(B, H, T, DK)));
    }
    end(s);
}
END_TEST

/* Element i of head h's query, key or value (which: 0, 1, 2) for one row, computed by the formula. */
static double projected(const setup *s, const tl_real *row, int which, long h, long i) {
    long out = which * D + h * DK + i;
    double sum = (double)tl_param_value(s->layer.in_proj_bias).data[out];
    for (long k = 0; k < D; k++)
        sum += (double)row[k] * (double)*tl_at(tl_param_value(s->layer.in_proj_weight), out, k).data;
    return sum;
}

START_TEST(maps_are_the_formula) {
    setup *s = begin();
    pass p = run(s, false, 0, B, &(tl_mask){.key_lengths = (int[]){6, 2, 4}}, true, false);
    tl_tensor scores = tl_value(p.maps.scores), probs = tl_value(p.maps.probs),
              context = tl_value(p.maps.context);
    const int lengths[] = {6, 2, 4};
    for (long b = 0; b < B; b++)
        for (long h = 0; h < H; h++)
            for (long i = 0; i < T; i++) {
                double score[S], sum = 0;
                for (long j = 0; j < S; j++) {
                    score[j] = 0; /* before the mask every key has a score */
                    for (long k = 0; k < DK; k++)
                        score[j] += projected(s, s->x + (b * T + i) * D, 0, h, k) *
                                    projected(s, s->memory + (b * S + j) * D, 1, h, k) / sqrt(DK);
                    ck_assert_double_eq_tol(at4(scores, b, h, i, j), score[j], wide(1e-13));
                    if (j < lengths[b]) sum += exp(score[j]);
                }
                double mixed[DK] = {0};
                for (long j = 0; j < S; j++) {
                    double prob = j < lengths[b] ? exp(score[j]) / sum : 0;
                    ck_assert_double_eq_tol(at4(probs, b, h, i, j), prob, wide(1e-13));
                    for (long k = 0; k < DK; k++)
                        mixed[k] += prob * projected(s, s->memory + (b * S + j) * D, 2, h, k);
                }
                for (long k = 0; k < DK; k++)
                    ck_assert_double_eq_tol(at4(context, b, h, i, k), mixed[k], wide(1e-13));
            }
    end(s);
}
END_TEST

/* dC = dY·W_o;  dP = dC·Vᵀ;  dS = P*(dP - sum P*dP) */
START_TEST(gradients_of_maps_are_the_formula) {
    setup *s = begin();
    pass p = run(s, false, 0, B, &(tl_mask){.key_lengths = (int[]){6, 2, 4}}, true, true);
    tl_tensor probs = tl_value(p.maps.probs), dcontext = tl_grad(p.maps.context),
              dprobs = tl_grad(p.maps.probs), dscores = tl_grad(p.maps.scores);
    for (long b = 0; b < B; b++)
        for (long h = 0; h < H; h++)
            for (long i = 0; i < T; i++) {
                double dot = 0;
                for (long k = 0; k < DK; k++) {
                    double dc = 0;
                    for (long o = 0; o < D; o++)
                        dc += (double)s->dy[(b * T + i) * D + o] *
                              (double)*tl_at(tl_param_value(s->layer.out_proj.weight), o, h * DK + k).data;
                    ck_assert_double_eq_tol(at4(dcontext, b, h, i, k), dc, wide(1e-13));
                }
                for (long j = 0; j < S; j++) {
                    double dp = 0;
                    for (long k = 0; k < DK; k++)
                        dp += at4(dcontext, b, h, i, k) * projected(s, s->memory + (b * S + j) * D, 2, h, k);
                    ck_assert_double_eq_tol(at4(dprobs, b, h, i, j), dp, wide(1e-13));
                    dot += at4(probs, b, h, i, j) * dp;
                }
                for (long j = 0; j < S; j++)
                    ck_assert_double_eq_tol(at4(dscores, b, h, i, j),
                                            at4(probs, b, h, i, j) * (at4(dprobs, b, h, i, j) - dot),
                                            wide(1e-13));
            }
    end(s);
}
END_TEST

/* ---- looking changes nothing ---- */

START_TEST(looking_changes_nothing) {
    setup *s = begin();
    const tl_mask mask = {.key_lengths = (int[]){5, 2, 0}, .causal = _i};
    pass p = run(s, _i, 0, B, &mask, false, false);
    tl_tensor y = copied(tl_value(p.y)), dx = copied(tl_grad(p.x)), dm = copied(tl_grad(p.memory));
    gradients g = gradients_of(s->params);
    for (int keep = 0; keep < 3; keep++) {
        tl_tape_set_keep_all(s->tape, keep == 2);
        p = run(s, _i, 0, B, &mask, true, keep);
        assert_same_bits(y, tl_value(p.y), "output, keep %d", keep);
        assert_same_bits(dx, tl_grad(p.x), "gradient of x, keep %d", keep);
        assert_same_bits(dm, tl_grad(p.memory), "gradient of memory, keep %d", keep);
        assert_same_gradients(s->params, &g, "looking");
        /* gradients of maps are kept if asked for, and recycled otherwise */
        ck_assert_int_eq(tl_grad(p.maps.scores).data != NULL, keep > 0);
        ck_assert_int_eq(tl_grad(p.maps.probs).data != NULL, keep > 0);
        ck_assert_int_eq(tl_grad(p.maps.context).data != NULL, keep > 0);
    }
    gradients_free(&g);
    free(y.data), free(dx.data), free(dm.data);
    end(s);
}
END_TEST

/* Every layer, kind and head, with dropout and without. */
START_TEST(looking_at_a_transformer_changes_nothing) {
    tl_transformer_config config = bench_small;
    config.dropout = config.attention_dropout = _i ? 0.2 : 0;
    bench k = bench_begin(&config);
    tl_batch b = batch_of((sentence[]){{0, 6, 4}, {1, 3, 7}, {2, 5, 1}}, 3, 13, 0, 0);
    maps_memory looking = {0};
    const long queries[] = {b.src_len, b.tgt_len, b.tgt_len}, keys[] = {b.src_len, b.tgt_len, b.src_len};
    gradients g = {0};
    tl_real first = 0;
    for (int round = 0; round < 3; round++) {
        tl_model_maps maps = look(&looking, round == 2);
        tl_real value = (tl_real)tl_item(tl_value(bench_step(&k, &b, 5, round ? &maps : NULL)));
        if (round == 0) {
            first = value;
            g = gradients_of(k.params);
            continue;
        }
        ck_assert(memcmp(&value, &first, sizeof value) == 0);
        assert_same_gradients(k.params, &g, "looking at a Transformer");
        for (int i = 0; i < 6; i++) {
            const tl_attention_maps *m = &looking.kind[i / 2][i % 2];
            ck_assert(tl_shape_equal(tl_shape_of_var(m->probs), TL_SHAPE(3, 2, queries[i / 2], keys[i / 2])));
            ck_assert_int_eq(tl_grad(m->probs).data != NULL, round == 2);
            double sum = 0; /* before dropout: each row sums to 1 */
            for (long j = 0; j < keys[i / 2]; j++) sum += at4(tl_value(m->probs), 1, 1, 0, j);
            ck_assert_double_eq_tol(sum, 1, 1e-6);
        }
    }
    gradients_free(&g);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* ---- masks ---- */

/* Which query of which head of which sentence sees which key. */
typedef struct grid {
    uint8_t sees[B][H][T][S];
} grid;
static grid everything(void) {
    grid g;
    memset(&g, TL_ATTEND, sizeof g);
    return g;
}

/* Hidden keys have weight and score gradient exactly 0. A row that sees nothing has context 0 and no gradient. There is
 * no NaN. */
static void assert_masked(const pass *p, const grid *g, long keys) {
    tl_tensor probs = tl_value(p->maps.probs), dscores = tl_grad(p->maps.scores),
              context = tl_value(p->maps.context);
    ck_assert(all_finite(tl_value(p->y)) && all_finite(probs) && all_finite(dscores));
    ck_assert(all_finite(tl_grad(p->x)) && all_finite(tl_grad(p->memory)));
    for (long b = 0; b < tl_value(p->y).dim[0]; b++)
        for (long h = 0; h < H; h++)
            for (long i = 0; i < T; i++) {
                double sum = 0;
                int visible = 0;
                for (long j = 0; j < keys; j++) {
                    double prob = at4(probs, b, h, i, j), ds = at4(dscores, b, h, i, j);
                    if (g->sees[b][h][i][j]) {
                        ck_assert_double_gt(prob, 0);
                        sum += prob;
                        visible++;
                    } else {
                        ck_assert_msg(prob == 0 && ds == 0, "hidden key %ld of query %ld: %g, gradient %g", j,
                                      i, prob, ds);
                    }
                }
                if (visible)
                    ck_assert_double_eq_tol(sum, 1, 1e-6);
                else
                    for (long c = 0; c < DK; c++) ck_assert(at4(context, b, h, i, c) == 0);
            }
}

START_TEST(a_sentence_without_keys) {
    setup *s = begin();
    const int lengths[B] = {S, 0, 3};
    grid g = everything();
    memset(g.sees[1], TL_BLOCK, sizeof g.sees[1]);
    for (int h = 0; h < H; h++)
        for (int i = 0; i < T; i++) memset(&g.sees[2][h][i][3], TL_BLOCK, S - 3);
    pass p = run(s, false, 0, B, &(tl_mask){.key_lengths = lengths}, true, true);
    assert_masked(&p, &g, S);
    for (long i = 0; i < T; i++) /* nothing is visible: the output is the bias */
        assert_same_bits(tl_at(tl_value(p.y), 1, i), tl_param_value(s->layer.out_proj.bias), "row %ld", i);
    ck_assert(all_zero(tl_at(tl_grad(p.x), 1)));
    ck_assert(all_zero(tl_at(tl_grad(p.memory), 1)));
    ck_assert(all_zero(tl_tensor_slice(tl_at(tl_grad(p.memory), 2), 0, 3, S)));
    ck_assert(!all_zero(tl_at(tl_grad(p.memory), 2, 2)));
    /* the other sentences have the values they have without the mask */
    for (long b = 0; b < B; b += 2) {
        tl_tensor y = copied(tl_at(tl_value(p.y), b)), dx = copied(tl_at(tl_grad(p.x), b)),
                  dm = copied(tl_at(tl_grad(p.memory), b));
        pass alone = run(s, false, b, 1, &(tl_mask){.key_lengths = lengths + b}, true, true);
        assert_same_bits(y, tl_at(tl_value(alone.y), 0), "sentence %ld", b);
        assert_same_bits(dx, tl_at(tl_grad(alone.x), 0), "dx of sentence %ld", b);
        assert_same_bits(dm, tl_at(tl_grad(alone.memory), 0), "dmemory of sentence %ld", b);
        free(y.data), free(dx.data), free(dm.data);
        p = run(s, false, 0, B, &(tl_mask){.key_lengths = lengths}, true, true);
    }
    end(s);
}
END_TEST

/* Mask arrays of every broadcast shape. Each blocks something whole: a row, a head, a sentence, a key of one head … */
static const struct {
    const char *what;
    /* blocked: the index b, h, i or j on each axis that is not 1, and everything along the others */
    long dim[4], b, h, i, j;
    bool only; /* true: everything but this is blocked */
} arrays[] = {{"a row of all heads", {1, 1, T, S}, 0, 0, 2, -1, false},
              {"a row of one head", {B, H, T, S}, 1, 1, 3, -1, false},
              {"a head", {1, H, 1, 1}, 0, 1, 0, 0, false},
              {"a head of one sentence", {B, H, 1, 1}, 2, 0, 0, 0, false},
              {"a sentence", {B, 1, 1, 1}, 1, 0, 0, 0, false},
              {"a key of one sentence", {B, 1, 1, S}, 1, 0, 0, 4, false},
              {"a key for one head", {1, H, 1, S}, 0, 1, 0, 0, false},
              {"a key for one query", {1, 1, T, S}, 0, 0, 0, 5, false},
              {"all keys but one", {1, 1, 1, S}, 0, 0, 0, 3, true},
              {"everything", {1, 1, 1, 1}, 0, 0, 0, 0, false}};

static bool blocked(int which, long b, long h, long i, long j) {
    const long at[4] = {b, h, i, j},
               place[4] = {arrays[which].b, arrays[which].h, arrays[which].i, arrays[which].j};
    bool hit = true;
    for (int a = 0; a < 4; a++) hit &= arrays[which].dim[a] == 1 || place[a] < 0 || at[a] == place[a];
    return hit != arrays[which].only;
}

START_TEST(explicit_arrays) {
    setup *s = begin();
    const long *n = arrays[_i].dim;
    uint8_t attend[B * H * T * S];
    for (long b = 0, e = 0; b < n[0]; b++)
        for (long h = 0; h < n[1]; h++)
            for (long i = 0; i < n[2]; i++)
                for (long j = 0; j < n[3]; j++) attend[e++] = blocked(_i, b, h, i, j) ? TL_BLOCK : TL_ATTEND;
    grid g = everything();
    for (long b = 0; b < B; b++)
        for (long h = 0; h < H; h++)
            for (long i = 0; i < T; i++)
                for (long j = 0; j < S; j++) g.sees[b][h][i][j] = !blocked(_i, b, h, i, j);
    pass p = run(s, false, 0, B, NULL, true, true);
    tl_tensor probs = copied(tl_value(p.maps.probs)), context = copied(tl_value(p.maps.context)),
              y = copied(tl_value(p.y));
    const tl_mask mask = {.attend = attend, .attend_dim = {n[0], n[1], n[2], n[3]}};
    p = run(s, false, 0, B, &mask, true, true);
    assert_masked(&p, &g, S);
    int untouched = 0;
    for (long b = 0; b < B; b++)
        for (long i = 0; i < T; i++) {
            int whole = 0; /* heads whose row is not masked: the same bits as without the mask */
            for (long h = 0; h < H; h++) {
                if (memchr(g.sees[b][h][i], TL_BLOCK, S)) continue;
                assert_same_bits(tl_at(probs, b, h, i), tl_at(tl_value(p.maps.probs), b, h, i), "%s: probs",
                                 arrays[_i].what);
                assert_same_bits(tl_at(context, b, h, i), tl_at(tl_value(p.maps.context), b, h, i),
                                 "%s: context", arrays[_i].what);
                whole++;
            }
            untouched += whole;
            if (whole == H)
                assert_same_bits(tl_at(y, b, i), tl_at(tl_value(p.y), b, i), "%s: y", arrays[_i].what);
        }
    ck_assert_int_eq(untouched == 0, n[0] * n[1] * n[2] == 1);
    free(probs.data), free(context.data), free(y.data);
    end(s);
}
END_TEST

START_TEST(hidden_keys_get_no_gradient) { /* exactly 0, whichever mask hides them */
    setup *s = begin();
    uint8_t attend[S];
    for (int j = 0; j < S; j++) attend[j] = j == 1 || j == 4 ? TL_BLOCK : TL_ATTEND;
    pass p = run(s, false, 0, B, &(tl_mask){.attend = attend, .attend_dim = {1, 1, 1, S}}, false, false);
    for (long b = 0; b < B; b++)
        for (long j = 0; j < S; j++)
            ck_assert_int_eq(all_zero(tl_at(tl_grad(p.memory), b, j)), attend[j] == TL_BLOCK);
    end(s);
}
END_TEST

START_TEST(causal) {
    setup *s = begin();
    for (int self = 0; self < 2; self++) { /* query i sees keys 0 … i + (S - T), so the last query sees all */
        grid g = everything();
        long keys = self ? T : S;
        for (long e = 0; e < B * H * T * S; e++) {
            long j = e % S, i = e / S % T;
            (&g.sees[0][0][0][0])[e] = j <= i + keys - T ? TL_ATTEND : TL_BLOCK;
        }
        pass p = run(s, self, 0, B, &(tl_mask){.causal = true}, true, true);
        assert_masked(&p, &g, keys);
    }
    end(s);
}
END_TEST

START_TEST(all_restrictions_together) {
    setup *s = begin();
    const int lengths[B] = {S, 4, 1};
    uint8_t attend[H * S];
    for (int e = 0; e < H * S; e++) attend[e] = e % 5 == 0 ? TL_BLOCK : TL_ATTEND;
    grid g = everything();
    for (long e = 0; e < B * H * T * S; e++) {
        long j = e % S, i = e / S % T, h = e / (S * T) % H, b = e / (S * T * H);
        bool sees = j < lengths[b] && j <= i + S - T && attend[h * S + j] == TL_ATTEND;
        (&g.sees[0][0][0][0])[e] = sees ? TL_ATTEND : TL_BLOCK;
    }
    const tl_mask mask = {
        .key_lengths = lengths, .causal = true, .attend = attend, .attend_dim = {1, H, 1, S}};
    pass p = run(s, false, 0, B, &mask, true, true);
    assert_masked(&p, &g, S);
    end(s);
}
END_TEST

START_TEST(what_is_hidden_cannot_poison) { /* NaN and infinity in hidden scores */
    setup *s = begin();
    tl_tape_set_checking(s->tape, false); /* the test uses NaN on purpose */
    static const int lengths[B] = {4, 0, S};
    tl_real scores[B * H * T * S], bad[] = {(tl_real)NAN, (tl_real)INFINITY, (tl_real)-INFINITY};
    fill(scores, B * H * T * S, "scores");
    tl_tensor clean[2] = {{0}};
    for (int round = 0; round < 2; round++) {
        tl_tape_reset(s->tape);
        tl_var x = tl_variable(s->tape, tl_tensor_of(scores, TL_SHAPE(B, H, T, S)));
        tl_var y = tl_masked_softmax(x, &(tl_mask){.key_lengths = lengths, .causal = true});
        tl_real dy[B * H * T * S];
        fill(dy, B * H * T * S, "dy of scores");
        /* NaN in the gradient at hidden positions must not spread either */
        for (long e = 0; e < B * H * T * S && round; e++)
            if (isnan(scores[e])) dy[e] = (tl_real)NAN;
        ck_assert(tl_backward_from(y, tl_tensor_of(dy, TL_SHAPE(B, H, T, S))));
        ck_assert(all_finite(tl_value(y)) && all_finite(tl_grad(x)));
        ck_assert(all_zero(tl_at(tl_value(y), 1)) && all_zero(tl_at(tl_grad(x), 1)));
        if (round == 0) {
            clean[0] = copied(tl_value(y));
            clean[1] = copied(tl_grad(x));
            for (long e = 0; e < B * H * T * S; e++)
                if (e % S >= lengths[e / (H * T * S)] || e % S > e / S % T + S - T) scores[e] = bad[e % 3];
        } else {
            assert_same_bits(clean[0], tl_value(y), "softmax beside NaN");
            assert_same_bits(clean[1], tl_grad(x), "its gradient");
        }
    }
    free(clean[0].data), free(clean[1].data);
    end(s);
}
END_TEST

/* The same through scores that attention computes itself: NaN in K, but not in V. */
START_TEST(a_hidden_key_of_nan) {
    setup *s = begin();
    tl_tape_set_checking(s->tape, false); /* the test uses NaN on purpose */
    const int lengths[B] = {4, 0, S};
    tl_real k[B * H * S * DK];
    fill(k, B * H * S * DK, "k");
    tl_tensor clean = {0};
    for (int round = 0; round < 2; round++) {
        tl_tape_reset(s->tape);
        tl_var x = tl_constant(s->tape, tl_tensor_of(s->x, TL_SHAPE(B, T, D))),
               memory = tl_constant(s->tape, tl_tensor_of(s->memory, TL_SHAPE(B, S, D)));
        tl_kv_cache keys = tl_attention_cache_of(&s->layer, memory, NULL);
        keys.k = tl_tensor_of(k, TL_SHAPE(B, H, S, DK));
        tl_attention_maps maps = {0};
        tl_var y = tl_attention_over(
            &s->layer, tl_reshape(x, TL_SHAPE(B * T, 1, D)),
            &(tl_attended){.other = &keys, .mask = &(tl_mask){.key_lengths = lengths}, .maps = &maps});
        if (round == 0) {
            clean = copied(tl_value(y));
            for (long e = 0; e < B * H * S * DK; e++)
                if (e / DK % S >= lengths[e / (H * S * DK)]) k[e] = (tl_real)NAN;
        } else {
            ck_assert(isnan(at4(tl_value(maps.scores), 0, 0, 0, 4)));
            assert_same_bits(clean, tl_value(y), "attention beside a NaN key");
        }
    }
    free(clean.data);
    end(s);
}
END_TEST

START_TEST(masks_are_copied) { /* the caller's arrays may change before backward */
    setup *s = begin();
    tl_tensor dx[2];
    for (int round = 0; round < 2; round++) {
        int lengths[B] = {S, 4, 1};
        uint8_t attend[S] = {1, 1, 0, 1, 0, 1};
        tl_mask mask = {.key_lengths = lengths, .attend = attend, .attend_dim = {1, 1, 1, S}};
        tl_tape_reset(s->tape);
        tl_var x = tl_variable(s->tape, tl_tensor_of(s->x, TL_SHAPE(B, T, D))),
               memory = tl_variable(s->tape, tl_tensor_of(s->memory, TL_SHAPE(B, S, D))),
               y = tl_attention_forward(&s->layer, x, memory, &mask, NULL);
        if (round) {
            memset(attend, TL_BLOCK, sizeof attend);
            memset(lengths, 0, sizeof lengths);
            mask = (tl_mask){0};
        }
        ck_assert(tl_backward_from(y, tl_tensor_of(s->dy, TL_SHAPE(B, T, D))));
        dx[round] = copied(tl_grad(x));
    }
    assert_same_bits(dx[0], dx[1], "gradient after the mask's arrays changed");
    free(dx[0].data), free(dx[1].data);
    end(s);
}
END_TEST

START_TEST(dropout_is_on_what_is_mixed) { /* not on the probabilities in the maps */
    setup *s = begin();
    s->layer.dropout = 0.4;
    tl_tape_set_training(s->tape, 1);
    pass p = run(s, false, 0, B, NULL, true, false);
    tl_tensor probs = copied(tl_value(p.maps.probs)), context = copied(tl_value(p.maps.context));
    tl_tape_set_training(s->tape, 0);
    p = run(s, false, 0, B, NULL, true, false);
    assert_same_bits(probs, tl_value(p.maps.probs), "probabilities in training");
    ck_assert_int_ge(first_difference(context, tl_value(p.maps.context)), 0);
    free(probs.data), free(context.data);
    end(s);
}
END_TEST

START_TEST(wrong_masks_are_errors) {
    setup *s = begin();
    tl_var x = tl_constant(s->tape, tl_tensor_of(s->x, TL_SHAPE(B, T, D)));
    const uint8_t attend[T * T] = {0};
    const tl_mask masks[] = {{.key_lengths = (int[]){5, T + 1, 5}},
                             {.key_lengths = (int[]){5, 5, -1}},
                             {.attend = attend, .attend_dim = {1, 1, T, 4}},
                             {.attend = (uint8_t[]){2}, .attend_dim = {1, 1, 1, 1}}};
    static const char *const expected[] = {"key_lengths[1] is 6", "key_lengths[2] is -1",
                                           "attend is [1,1,5,4]", "attend[0] is 2"};
    for (int i = 0; i < 4; i++) {
        ck_assert(!tl_ok(tl_attention_forward(&s->layer, x, x, &masks[i], NULL)));
        assert_contains(tl_tape_error(s->tape), "scaled_dot_product_attention: ");
        assert_contains(tl_tape_error(s->tape), expected[i]);
        assert_contains(tl_tape_error(s->tape), "(attention)");
        tl_tape_clear_error(s->tape);
    }
    end(s);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, shapes_of_maps);
    tcase_add_test(tc, maps_are_the_formula);
    tcase_add_test(tc, gradients_of_maps_are_the_formula);
    tcase_add_loop_test(tc, looking_changes_nothing, 0, 2);
    tcase_add_loop_test(tc, looking_at_a_transformer_changes_nothing, 0, 2);
    tcase_add_test(tc, a_sentence_without_keys);
    tcase_add_loop_test(tc, explicit_arrays, 0, sizeof arrays / sizeof *arrays);
    tcase_add_test(tc, hidden_keys_get_no_gradient);
    tcase_add_test(tc, causal);
    tcase_add_test(tc, all_restrictions_together);
    tcase_add_test(tc, what_is_hidden_cannot_poison);
    tcase_add_test(tc, a_hidden_key_of_nan);
    tcase_add_test(tc, masks_are_copied);
    tcase_add_test(tc, dropout_is_on_what_is_mixed);
    tcase_add_test(tc, wrong_masks_are_errors);
}

TL_TEST_MAIN("nn: attention")
