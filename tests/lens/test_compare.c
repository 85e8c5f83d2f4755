/* Comparing attention: rows of invented numbers; sums over two invented looks against separate loops; how a head
 * behaves in a sentence; which runs are refused, and why; and a real model compared with itself, which differs by 0. */
#define _XOPEN_SOURCE 700
#include "lens/page.h"

#include "io/scratch.h"

#include <math.h>

static void assert_near(double value, double expected, double within) {
    if (isnan(value) && isnan(expected)) return;
    must_msg(fabs(value - expected) <= within * fmax(1, fabs(expected)), "%.17g, should be %.17g", value,
             expected);
}

/* ---- rows ---- */

START_TEST(rows) {
    const tl_real one[] = {1, 0, 0}, other[] = {0, 0, 1}, even[] = {0.5, 0.5, 0}, none[] = {0, 0, 0},
                  large[] = {3, 3, 0}, apart[] = {0.5, 9, 0.5, 9, 0, 9};
    assert_near(tl_row_entropy(even, 3, 1), log(2), 1e-7);
    assert_near(tl_row_entropy(large, 3, 1), log(2), 1e-7);
    assert_near(tl_row_entropy(apart, 3, 2), log(2), 1e-7);
    ck_assert(tl_row_entropy(one, 3, 1) == 0 && tl_row_entropy(none, 3, 1) == -1);
    ck_assert(tl_row_divergence(even, 1, even, 1, 3) == 0 && tl_row_divergence(even, 1, large, 1, 3) == 0);
    assert_near(tl_row_divergence(one, 1, other, 1, 3), log(2), 1e-12);
    /* p = (1,0), q = (1/2,1/2): m = (3/4,1/4) */
    const double known = 0.5 * log(4.0 / 3) + 0.5 * (0.5 * log(2.0 / 3) + 0.5 * log(2));
    assert_near(tl_row_divergence(one, 1, even, 1, 3), known, 1e-7);
    assert_near(tl_row_divergence(apart, 2, one, 1, 3), known, 1e-7);
    ck_assert(tl_row_divergence(one, 1, none, 1, 3) == -1 && tl_row_divergence(none, 1, one, 1, 3) == -1);
}
END_TEST

/* ---- two invented looks ---- */

static tl_params *params;
static tl_transformer model; /* with the shape of the invented looks */
static void begin_model(void) {
    params = tl_params_new(1);
    model = tl_transformer_init(params, "",
                                &(tl_transformer_config){.src_vocab = 9,
                                                         .tgt_vocab = 9,
                                                         .d_model = 8,
                                                         .d_ff = 8,
                                                         .heads = HEADS,
                                                         .encoder_layers = 1,
                                                         .decoder_layers = 1});
    ck_assert_ptr_null(tl_params_error(params));
}
static void end_model(void) { tl_params_free(params); }

static invented first, second;

/* The second look has its weights shifted by one column, within what is visible. */
static void invent_both(void) {
    invent(&first, NULL, false);
    invent(&second, NULL, false);
    for (int a = 0; a < MADE; a++) {
        const tl_seen_attention *s = &second.attention[a];
        for (long i = 0; i < SENTENCES * HEADS * s->queries; i++) {
            tl_real *row = s->weights.data + i * s->keys, kept = row[0];
            long last = s->keys - 1;
            while (last > 0 && !(row[last] > 0)) last--;
            for (long j = 0; j < last; j++) row[j] = row[j + 1];
            row[last] = kept;
        }
    }
}

static bool shows(const tl_seen_attention *a, long b, long i, long j) {
    return j < a->mask.key_lengths[b] && (!a->mask.causal || j <= i);
}

static double weight(const tl_seen_attention *a, long b, long h, long i, long j) {
    return (double)a->weights.data[((b * HEADS + h) * a->queries + i) * a->keys + j];
}

static const int *lengths_of(const tl_seen_attention *a) {
    return a->kind == TL_ENCODER_SELF ? src_lengths : tgt_lengths;
}

START_TEST(differences) {
    static const char *const names[] = {"encoder.layers.0.self", "decoder.layers.0.self",
                                        "decoder.layers.0.cross"};
    begin_model();
    invent_both();
    tl_comparison *c = tl_comparison_new(&model.model);
    must(tl_comparison_add(c, &first.seen, &second.seen));
    ck_assert_int_eq(tl_comparison_count(c), MADE * HEADS);
    for (int n = 0; n < MADE * HEADS; n++) {
        const tl_seen_attention *x = &first.attention[n / HEADS], *y = &second.attention[n / HEADS];
        const long h = n % HEADS;
        double count = 0, cells = 0, divergence = 0, absolute = 0, largest = 0, entropy[2] = {0, 0};
        for (long b = 0; b < SENTENCES; b++)
            for (long i = 0; i < lengths_of(x)[b]; i++, count++)
                for (long j = 0; j < x->keys; j++) {
                    const double p = weight(x, b, h, i, j), q = weight(y, b, h, i, j), m = (p + q) / 2;
                    if (!shows(x, b, i, j)) continue;
                    divergence += ((p > 0 ? p * log(p / m) : 0) + (q > 0 ? q * log(q / m) : 0)) / 2;
                    entropy[0] -= p > 0 ? p * log(p) : 0;
                    entropy[1] -= q > 0 ? q * log(q) : 0;
                    absolute += fabs(p - q);
                    largest = fmax(largest, fabs(p - q));
                    cells++;
                }
        const tl_head_difference d = tl_comparison_head(c, n);
        ck_assert_str_eq(d.attention, names[n / HEADS]);
        ck_assert_int_eq(d.head, h);
        ck_assert(d.rows == count);
        assert_near(d.divergence, divergence / count, 1e-6);
        assert_near(d.absolute, absolute / cells, 1e-6);
        assert_near(d.largest, largest, 1e-6);
        assert_near(d.entropy[0], entropy[0] / count, 1e-6);
        assert_near(d.entropy[1], entropy[1] / count, 1e-6);
    }
    ck_assert_int_eq(tl_comparison_head(c, -1).head, -1);
    ck_assert_int_eq(tl_comparison_head(c, MADE * HEADS).head, -1);
    for (int by = 0; by < 2; by++) {
        long order[MADE * HEADS], seen = 0;
        tl_comparison_order(c, by ? TL_BY_ABSOLUTE : TL_BY_DIVERGENCE, order);
        for (int n = 0; n < MADE * HEADS; n++) {
            const tl_head_difference d = tl_comparison_head(c, order[n]),
                                     before = tl_comparison_head(c, order[n ? n - 1 : 0]);
            must(by ? d.absolute <= before.absolute : d.divergence <= before.divergence);
            seen |= 1L << order[n];
        }
        ck_assert_int_eq(seen, (1L << MADE * HEADS) - 1);
    }
    tl_comparison_free(c);
    /* a look does not differ from itself; ties keep their order */
    c = tl_comparison_new(&model.model);
    long order[MADE * HEADS];
    ck_assert(isnan(tl_comparison_head(c, 0).divergence) && tl_comparison_head(c, 0).rows == 0);
    must(tl_comparison_add(c, &first.seen, &first.seen));
    tl_comparison_order(c, TL_BY_DIVERGENCE, order);
    for (int n = 0; n < MADE * HEADS; n++) {
        ck_assert_int_eq(order[n], n);
        ck_assert(tl_comparison_head(c, n).divergence == 0 && tl_comparison_head(c, n).largest == 0);
    }
    /* looks of another shape are refused */
    tl_seen less = first.seen;
    less.count--;
    must(!tl_comparison_add(c, &less, &first.seen) && !tl_comparison_add(c, &first.seen, &less));
    first.attention[1].heads = 1;
    must(!tl_comparison_add(c, &first.seen, &second.seen) && !tl_comparison_add(NULL, NULL, NULL));
    tl_comparison_free(c);
    end_model();
}
END_TEST

/* ---- offsets ---- */

START_TEST(offsets) {
    enum { REACH = 2 };
    begin_model();
    invent(&first, NULL, false);
    tl_offsets *o = tl_offsets_new(&model.model, REACH);
    /* added twice: the means stay the same */
    must(tl_offsets_add(o, &first.seen) && tl_offsets_add(o, &first.seen));
    ck_assert_int_eq(tl_offsets_count(o), MADE * HEADS);
    for (int n = 0; n < MADE * HEADS; n++) {
        const tl_seen_attention *a = &first.attention[n / HEADS];
        double sum[2 * REACH + 1] = {0}, rows[2 * REACH + 1] = {0}, beyond = 0, all = 0;
        for (long b = 0; b < SENTENCES; b++)
            for (long i = 0; i < lengths_of(a)[b]; i++, all++)
                for (long j = 0; j < a->keys; j++) {
                    if (!shows(a, b, i, j)) continue;
                    if (labs(j - i) > REACH)
                        beyond += weight(a, b, n % HEADS, i, j);
                    else
                        sum[j - i + REACH] += weight(a, b, n % HEADS, i, j), rows[j - i + REACH]++;
                }
        char name[64];
        ck_assert_int_eq(tl_offsets_head(o, n, name), n % HEADS);
        ck_assert_str_eq(name, a->name);
        for (long d = -REACH; d <= REACH; d++) {
            ck_assert(tl_offsets_rows(o, n, d) == 2 * rows[d + REACH]);
            assert_near(tl_offsets_mean(o, n, d),
                        rows[d + REACH] > 0 ? sum[d + REACH] / rows[d + REACH] : NAN, 1e-6);
        }
        assert_near(tl_offsets_beyond(o, n), beyond / all, 1e-6);
    }
    ck_assert(isnan(tl_offsets_mean(o, 2, 1))); /* decoder self-attention: later keys are not visible */
    ck_assert(isnan(tl_offsets_mean(o, 0, REACH + 1)) && isnan(tl_offsets_mean(o, -1, 0)) &&
              isnan(tl_offsets_mean(NULL, 0, 0)));
    first.seen.count = 2;
    must(!tl_offsets_add(o, &first.seen) && !tl_offsets_add(NULL, &first.seen));
    ck_assert_ptr_null(tl_offsets_new(&model.model, -1));
    tl_offsets_free(o);
    tl_offsets_free(NULL);
    end_model();
}
END_TEST

/* ---- what a head does in a sentence ---- */

START_TEST(statistics) {
    static const tl_real rows[] = {0.5,
                                   0.25,
                                   0.25,
                                   0,
                                   /* */ 0.25,
                                   0.5,
                                   0.25,
                                   0,
                                   /* */ 0,
                                   0,
                                   1,
                                   0,
                                   /* padding, which is left out: */ 0.1,
                                   0.9,
                                   0,
                                   0};
    static const int lengths[] = {3};
    static const double expected[TL_HEAD_STATISTICS] = {
        [TL_HEAD_LARGEST] = 2.0 / 3,  [TL_HEAD_FIRST] = 0.25,        [TL_HEAD_LAST] = 0.5,
        [TL_HEAD_SAME] = 2.0 / 3,     [TL_HEAD_PREVIOUS] = 0.25 / 3, [TL_HEAD_NEXT] = 0.5 / 3,
        [TL_HEAD_DISTANCE] = 1.25 / 3};
    tl_seen_attention a = {.kind = TL_ENCODER_SELF,
                           .heads = 1,
                           .queries = 4,
                           .keys = 4,
                           .weights = tl_tensor_of((tl_real *)rows, TL_SHAPE(1, 1, 4, 4)),
                           .mask = {.key_lengths = lengths}};
    const tl_seen seen = {
        .count = 1, .attention = &a, .batch = {.sentences = 1, .src_len = 4, .src_lengths = lengths}};
    for (int s = 0; s < TL_HEAD_STATISTICS; s++) {
        tl_head_statistic again;
        must(tl_head_statistic_of(tl_head_statistic_name((tl_head_statistic)s), &again) && (int)again == s);
        ck_assert_ptr_nonnull(tl_head_statistic_meaning((tl_head_statistic)s));
        const double value = tl_head_value(&seen, &a, (tl_head_statistic)s, 0, 0);
        if (s == TL_HEAD_ENTROPY)
            assert_near(value, 2 * (0.5 * log(2) + 0.5 * log(4)) / 3, 1e-6);
        else
            assert_near(value, expected[s], 1e-6);
    }
    tl_head_statistic none;
    must(!tl_head_statistic_of("nonsense", &none) && !tl_head_statistic_of(NULL, &none));
    ck_assert_ptr_null(tl_head_statistic_name((tl_head_statistic)TL_HEAD_STATISTICS));
    ck_assert(isnan(tl_head_value(&seen, &a, TL_HEAD_FIRST, 1, 0)) &&
              isnan(tl_head_value(&seen, &a, TL_HEAD_FIRST, 0, 1)) &&
              isnan(tl_head_value(&seen, NULL, TL_HEAD_FIRST, 0, 0)));
    a.mask.causal = true; /* now a row's last visible key is its own */
    assert_near(tl_head_value(&seen, &a, TL_HEAD_LAST, 0, 0), 2.0 / 3, 1e-6);
}
END_TEST

/* ---- runs ---- */

static tl_run_settings small(void) {
    return (tl_run_settings){.data = {.pair = "en-fr", .sentences = 60},
                             .model = {.preset = "toy", .d_model = 8, .d_ff = 8, .heads = 2, .layers = 1},
                             .training = {.seed = 5}};
}

static tl_run *fresh(const tl_run_settings *s) {
    tl_error error = {""};
    tl_set_threads(1);
    tl_run *run = tl_run_fresh(s, &error);
    must_msg(run != NULL, "%s", error.message);
    return run;
}

static void assert_differs(tl_run *run, const tl_run_settings *s, const char *why) {
    tl_error error = {""};
    tl_run *other = fresh(s);
    must_msg(!tl_comparable(run, other, &error), "should say: %s", why);
    must_msg(strstr(error.message, why), "\"%s\" does not say \"%s\"", error.message, why);
    tl_run_free(other);
}

START_TEST(refused) {
    tl_run_settings s = small();
    tl_run *run = fresh(&s);
    tl_error error = {""};
    s.training.seed = 9;
    s.data.sentences = 60;
    must(!tl_comparable(run, NULL, &error) && !tl_comparable(NULL, run, NULL));
    s = small(), s.model.heads = 4;
    assert_differs(run, &s, "heads of encoder self-attention, layer 0: 2 in one model and 4 in the other");
    s = small(), s.model.layers = 2;
    assert_differs(run, &s, "layers of encoder self-attention: 1 in one model and 2 in the other");
    s = small(), s.model.d_model = 12;
    assert_differs(run, &s, " in one model and ");
    s = small(), s.data.pair = "en-zh";
    assert_differs(run, &s, "vocabularies differ");
    s = small(), s.data.sentences = 90;
    assert_differs(run, &s, "the source vocabularies differ, ");
    s = small(), s.model.tie = "none";
    assert_differs(run, &s, "the models are made differently");
    s = small(), s.model.model = "gru", s.model.preset = NULL, s.model.d_ff = 0, s.model.heads = 2;
    assert_differs(run, &s, "one model is a ");
    s = tl_run_settings_of_program("caption"), s.caption.pictures = 20;
    assert_differs(run, &s, "one run is translate's and the other caption's");
    tl_run_free(run);
    /* the same words with other ids */
    s = small(), s.data.pair = NULL, s.data.task = "copy", s.data.symbols = 5;
    run = fresh(&s);
    s.data.task = "reverse";
    tl_run *other = fresh(&s);
    must_msg(tl_comparable(run, other, &error), "%s", error.message);
    tl_run_free(other);
    tl_run_free(run);
}
END_TEST

/* Byte pairs are compared by their tokens, since there is no vocabulary; classes by their names. */
START_TEST(refused_texts) {
    scratch here = scratch_new();
    char file[4][512];
    static const char *const texts[] = {
        "the cat sleeps and the dog sleeps and the cat eats and the dog eats",
        "a bird sings a song as a bard sings a song at a bar in a barn by a lake",
        "yes\tthe cat sleeps\nno\tcat the sleeps\n", "yes\tthe cat sleeps\nnot\tcat the sleeps\n"};
    for (int i = 0; i < 4; i++) {
        snprintf(file[i], sizeof file[i], "%s/%d.txt", here.folder, i);
        put_text(file[i], texts[i]);
    }
    for (int classes = 0; classes < 2; classes++) {
        tl_run_settings s = tl_run_settings_of_program(classes ? "classify" : "lm");
        s.text.units = classes ? "words" : "bpe";
        s.text.merges = classes ? 0 : 5;
        s.text.min_count = 1;
        s.lm.context = 8;
        s.lm.valid_share = classes ? s.lm.valid_share : 0.3;
        s.model.preset = classes ? NULL : "toy";
        s.model.d_model = 8;
        s.model.heads = 2;
        s.model.layers = 1;
        s.data.train = s.data.valid = file[2 * classes];
        tl_run *run = fresh(&s), *same = fresh(&s);
        tl_error error = {""};
        must_msg(tl_comparable(run, same, &error), "%s", error.message);
        s.data.train = s.data.valid = file[2 * classes + 1];
        assert_differs(run, &s,
                       classes ? "the labels differ: class " : "the byte pairs differ, first in token 2");
        tl_run_free(run);
        tl_run_free(same);
    }
    scratch_remove(&here);
}
END_TEST

/* Real looks: two models of one shape, over a set in batches of any size. */
START_TEST(over_a_set) {
    tl_run_settings s = small();
    tl_run *run = fresh(&s), *same = fresh(&s);
    s.model.dropout = 0.5; /* dropout is off while looking */
    tl_run *other = fresh(&s);
    tl_params *w = tl_run_params(other);
    tl_tensor moved = tl_params_at(w, tl_params_count(w) - 1)->leaf.value;
    for (int i = 0; i < tl_params_count(w); i++)
        if (strstr(tl_params_at(w, i)->leaf.name, "multihead_attn.in_proj_weight"))
            moved = tl_params_at(w, i)->leaf.value;
    for (long i = 0; i < tl_numel(moved); i++) moved.data[i] *= 3;
    tl_params_changed(w);
    tl_comparison *nothing = tl_comparison_new(tl_run_model(run)), *some[2];
    for (int size = 0; size < 2; size++) {
        some[size] = tl_comparison_new(tl_run_model(run));
        tl_set *set = tl_set_new(run, &(tl_set_options){.most = 20, .batch_tokens = size ? 40 : 4096});
        tl_batch batch;
        while (tl_set_next(set, &batch)) {
            const tl_look_options o = {.no_grad = true};
            tl_seen a, b, c;
            must(tl_look(tl_run_model(run), tl_run_tape(run), &batch, &o, &a));
            must(tl_look(tl_run_model(same), tl_run_tape(same), &batch, &o, &b));
            must(tl_look(tl_run_model(other), tl_run_tape(other), &batch, &o, &c));
            must(tl_comparison_add(nothing, &a, &b) && tl_comparison_add(some[size], &a, &c));
        }
        tl_set_free(set);
    }
    for (long i = 0; i < tl_comparison_count(nothing); i++) {
        const tl_head_difference n = tl_comparison_head(nothing, i), d = tl_comparison_head(some[0], i),
                                 e = tl_comparison_head(some[1], i);
        ck_assert(n.largest == 0 && n.divergence == 0 && n.rows > 0);
        ck_assert(d.rows == e.rows && d.largest == e.largest);
        assert_near(d.divergence, e.divergence, 1e-12);
        ck_assert(!strcmp(d.attention, "decoder.layers.0.cross") ? d.divergence > 0 : d.divergence == 0);
    }
    tl_comparison_free(nothing);
    tl_comparison_free(some[0]);
    tl_comparison_free(some[1]);
    tl_run_free(run);
    tl_run_free(same);
    tl_run_free(other);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, rows);
    tcase_add_test(tc, differences);
    tcase_add_test(tc, offsets);
    tcase_add_test(tc, statistics);
    tcase_add_test(tc, refused);
    tcase_add_test(tc, refused_texts);
    tcase_add_test(tc, over_a_set);
}

TL_TEST_MAIN("lens: comparing")
