/* The margins that decide, written down a second time. A rule's own test invents numbers far from its margin; here a
 * margin that changes by itself, or a rule that turns round, is seen. Who changes one on purpose changes it here too,
 * with a new version of the claim. */
#include "invented.h"

#define ABOVE(margin) \
 { margin, false }
#define BELOW(margin) \
 { margin, true }

static const struct {
    const char *claim;
    struct {
        double margin;
        bool below;
    } rule[RULES_MOST];
} expected[] = {
    {"bottleneck", {ABOVE(10), ABOVE(10), BELOW(10), ABOVE(10)}},
    {"heads", {ABOVE(2), ABOVE(2), ABOVE(2), ABOVE(2), ABOVE(0.1)}},
    {"heads-multi30k", {ABOVE(0.5), ABOVE(0.5), ABOVE(0.5), ABOVE(0.5), ABOVE(0.1)}},
    {"scale",
     {BELOW(0.1), ABOVE(0.2), BELOW(0.05), BELOW(0.5), BELOW(0.5), BELOW(1.1), ABOVE(1.1), ABOVE(2)}},
    {"causal", {BELOW(0.5), BELOW(10)}},
    {"order", {BELOW(10), ABOVE(50), ABOVE(50), ABOVE(10), ABOVE(10), ABOVE(10), BELOW(10), ABOVE(50)}},
    {"extrapolation",
     {BELOW(0.05), ABOVE(0.05), ABOVE(0.05), ABOVE(0.05), ABOVE(0.05), BELOW(0.05), ABOVE(0.05),
      BELOW(0.05)}},
    {"redundant", {BELOW(2), BELOW(2), BELOW(2), ABOVE(0.1), ABOVE(0.1), ABOVE(0.1)}},
    {"redundant-multi30k", {BELOW(2), BELOW(2), BELOW(2), ABOVE(0.1), ABOVE(0.1), ABOVE(0.1)}},
    {"little-data", {ABOVE(0.5), ABOVE(0.05), ABOVE(0.5), ABOVE(0.05), BELOW(0.5), ABOVE(0.05)}},
    {"little-data-multi30k", {ABOVE(0.5), ABOVE(0.05), ABOVE(0.5), ABOVE(0.05), BELOW(0.5), ABOVE(0.05)}},
    {"warmup", {BELOW(0.1), BELOW(0.1), ABOVE(0.5), BELOW(0.5)}},
    {"rank", {BELOW(1), ABOVE(2), BELOW(0.25), ABOVE(2), BELOW(2), BELOW(0.9), ABOVE(1), ABOVE(1)}},
    {"aligns", {ABOVE(5), ABOVE(1), ABOVE(1), ABOVE(5), ABOVE(5), ABOVE(1), ABOVE(1), ABOVE(5)}},
    {"explanation",
     {ABOVE(2), BELOW(0.5), ABOVE(0.1), ABOVE(0.1), ABOVE(0.3), BELOW(0.2), ABOVE(0.1), ABOVE(0.1)}},
    {"induction", {ABOVE(0.5), BELOW(0.1), ABOVE(1)}},
    {"collapse", {BELOW(-0.2), BELOW(0.1), BELOW(-0.2), BELOW(-0.2), ABOVE(-0.2)}},
    {"sink", {ABOVE(10), ABOVE(2), ABOVE(10), BELOW(10), BELOW(2), ABOVE(10), BELOW(0.05)}}};

START_TEST(margins) {
    int count = 0;
    for (; claims[count]; count++) {
        const claim *c = claims[count];
        ck_assert_int_lt(count, (int)(sizeof expected / sizeof *expected));
        ck_assert_str_eq(c->name, expected[count].claim);
        for (int r = 0; r < c->rule_count; r++)
            ck_assert_msg(c->rules[r].margin == expected[count].rule[r].margin &&
                              c->rules[r].below == expected[count].rule[r].below,
                          "%s, rule %d: it holds %s %g", c->name, r, c->rules[r].below ? "below" : "above",
                          c->rules[r].margin);
    }
    ck_assert_int_eq(count, sizeof expected / sizeof *expected);
}
END_TEST

static void add_tests(TCase *tc) { tcase_add_test(tc, margins); }

TL_TEST_MAIN("study: margins")
