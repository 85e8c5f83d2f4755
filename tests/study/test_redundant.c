/* Each rule uses the arms that it names and can give each verdict. The choice of heads to remove. */
#include "../../examples/study/claim_heads.h"
#include "invented.h"

extern const claim claim_redundant, claim_redundant_multi30k;

static const claim *const both[] = {&claim_redundant, &claim_redundant_multi30k};

/* ---- BLEU lost ---- */

static const struct {
    int rule;
    const char *arm;
    double gone;
} losses[] = {{REDUNDANT_HALF, "by importance", 50},
              {REDUNDANT_HALF_RAW, "by raw importance", 50},
              {REDUNDANT_ENCODER, "encoder alone", 75}};

static numbers losing(const char *arm, double gone, double whole, double left, double spread) {
    numbers n = {.row = NULL};
    for (int k = 0; k <= 4; k++) invent(&n, arm, "BLEU", 25 * k, 1000, 0);
    invent(&n, arm, "BLEU", 0, whole, 0);
    invent(&n, arm, "BLEU", gone, left, spread);
    return n;
}

START_TEST(what_heads_cost) {
    for (int c = 0; c < 2; c++)
        for (int i = 0; i < 3; i++) {
            numbers n = losing(losses[i].arm, losses[i].gone, 30, 29, 0.1);
            const finding f = judged(both[c], &n, losses[i].rule);
            ck_assert_int_eq(f.verdict, HOLDS);
            ck_assert_double_eq_tol(f.interval.mean, 1, 1e-12); /* a loss counts as positive */
            n = losing(losses[i].arm, losses[i].gone, 30, 20, 1);
            ck_verdict(both[c], &n, losses[i].rule, DOES_NOT_HOLD);
            n = losing(losses[i].arm, losses[i].gone, 30, 28.5, 2);
            ck_verdict(both[c], &n, losses[i].rule, UNDECIDED);
        }
}
END_TEST

/* ---- curves ---- */

/* The losses of an arm with none, half, two thirds and all of its heads removed. The rules do not use the first and the
 * last. */
static void curve_of(numbers *n, const char *arm, double half, double more, double spread) {
    invent(n, arm, "loss", 0, -500, 0);
    invent(n, arm, "loss", 50, half, spread);
    invent(n, arm, "loss", 200.0 / 3, more, spread);
    invent(n, arm, "loss", 100, 700, 0);
}

static numbers against_chance(const char *arm, double better_by, double spread) {
    numbers n = {.row = NULL};
    curve_of(&n, "by chance", 1.25, 2.5, 0);
    curve_of(&n, arm, 1.25 - 2 * better_by, 2.5, spread);
    return n;
}

START_TEST(importance_and_chance) {
    static const struct {
        int rule;
        const char *arm;
    } orders[] = {{REDUNDANT_CHANCE, "by importance"}, {REDUNDANT_CHANCE_RAW, "by raw importance"}};
    for (int i = 0; i < 2; i++) {
        numbers n = against_chance(orders[i].arm, 0.5, 0.01);
        const finding f = judged(&claim_redundant, &n, orders[i].rule);
        ck_assert_int_eq(f.verdict, HOLDS);
        ck_assert_double_eq_tol(f.interval.mean, 0.5, 1e-12);
        n = against_chance(orders[i].arm, -0.5, 0.01);
        ck_verdict(&claim_redundant, &n, orders[i].rule, DOES_NOT_HOLD);
        n = against_chance(orders[i].arm, 0.12, 0.1);
        ck_verdict(&claim_redundant, &n, orders[i].rule, UNDECIDED);
    }
}
END_TEST

static numbers kinds(double encoder, double decoder, double cross, double spread) {
    numbers n = {.row = NULL};
    curve_of(&n, "encoder alone", encoder, encoder, 0);
    curve_of(&n, "decoder alone", decoder, decoder, 0);
    curve_of(&n, "cross-attention alone", cross, cross, spread);
    return n;
}

START_TEST(cross_attention_against_the_worse_of_the_others) {
    numbers n = kinds(1, 2, 3.5, 0.1);
    finding f = judged(&claim_redundant, &n, REDUNDANT_CROSS);
    ck_assert_int_eq(f.verdict, HOLDS);
    ck_assert_double_eq_tol(f.interval.mean, 1.5, 1e-12);
    n = kinds(2, 1, 3.5, 0.1);
    f = judged(&claim_redundant, &n, REDUNDANT_CROSS);
    ck_assert_double_eq_tol(f.interval.mean, 1.5, 1e-12);
    n = kinds(1, 3, 2, 0.1);
    ck_verdict(&claim_redundant, &n, REDUNDANT_CROSS, DOES_NOT_HOLD);
    n = kinds(1, 2, 2.2, 0.1);
    ck_verdict(&claim_redundant, &n, REDUNDANT_CROSS, UNDECIDED);
    n = kinds(NAN, 2, 3.5, 0.1); /* undecided if one was not measured */
    f = judged(&claim_redundant, &n, REDUNDANT_CROSS);
    ck_assert_int_eq(f.verdict, UNDECIDED);
    ck_assert_double_nan(f.interval.mean);
}
END_TEST

/* ---- which heads are removed ---- */

START_TEST(quarters_of_heads) {
    static const long of_24[] = {0, 6, 12, 18, 24}, of_8[] = {0, 2, 4, 6, 8}, of_6[] = {0, 2, 3, 5, 6};
    for (int k = 0; k <= 4; k++) {
        ck_assert_int_eq(redundant_quarter(24, k), of_24[k]);
        ck_assert_int_eq(redundant_quarter(8, k), of_8[k]);
        ck_assert_int_eq(redundant_quarter(6, k), of_6[k]);
    }
}
END_TEST

/* Heads 0 and 1 are the encoder's self-attention, 2 and 3 the decoder's, 4 and 5 are cross-attention. */
START_TEST(one_kind_alone) {
    tl_error error = {""};
    tl_run_settings settings = tl_run_settings_default();
    settings.data.pair = "en-fr";
    settings.data.sentences = 50;
    settings.model.d_model = settings.model.d_ff = 8;
    settings.model.heads = 2;
    settings.model.layers = 1;
    tl_run *run = tl_run_fresh(&settings, &error);
    ck_assert_msg(run != NULL, "%s", error.message);
    static const long order[] = {5, 0, 3, 4, 1, 2};
    static const long expected[][2] = {
        [TL_ENCODER_SELF] = {0, 1}, [TL_DECODER_SELF] = {3, 2}, [TL_CROSS] = {5, 4}};
    for (int kind = 0; kind < TL_ATTENTION_KINDS; kind++) {
        long kept[6];
        ck_assert_int_eq(redundant_of_kind(tl_run_model(run), order, 6, (tl_attention_kind)kind, kept), 2);
        for (int i = 0; i < 2; i++) ck_assert_int_eq(kept[i], expected[kind][i]);
    }
    tl_run_free(run);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, what_heads_cost);
    tcase_add_test(tc, importance_and_chance);
    tcase_add_test(tc, cross_attention_against_the_worse_of_the_others);
    tcase_add_test(tc, quarters_of_heads);
    tcase_add_test(tc, one_kind_alone);
}

TL_TEST_MAIN("study: redundant")
