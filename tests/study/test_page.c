/* Tables, pages and pictures have the values that follow from the numbers and records. */
#define _XOPEN_SOURCE 700
#include "invented.h"
#include "io/scratch.h"

#include "../../examples/study/parts.h"

/* Like assert_contains, but without printing the text, because a page is long. */
#undef assert_contains
#define assert_contains(text, part) ck_assert_msg(strstr(text, part) != NULL, "\"%s\" is missing", part)

extern const claim claim_causal;

static scratch here;
static void enter(void) { here = scratch_new(); }
static void leave(void) { scratch_remove(&here); }
static const char *file(const char *name) {
    static char path[2][1024];
    static int next;
    next = !next;
    snprintf(path[next], sizeof path[next], "%s/%s", here.folder, name);
    return path[next];
}

/* Writes the numbers of one claim, and a record of them. */
static void measured(const char *budget) {
    tl_error error = {""};
    numbers n = {.row = NULL};
    record r = {"causal", "", "a machine", "float", "2026-01-02", 5, 123, 1.5};
    snprintf(r.budget, sizeof r.budget, "%s", budget);
    invent(&n, "causal mask", "loss", 0, 0.5, 0);
    invent(&n, "no causal mask", "loss", 0, 0.1, 0.005);
    invent(&n, "causal mask", "exact match", 0, 60, 0);
    invent(&n, "no causal mask", "exact match", 0, 11, 1);
    mkdir(file("study"), 0777);
    ck_assert(numbers_write(&n, file("study/causal.csv"), &error) && record_write(here.folder, &r, &error));
    numbers_free(&n);
}

START_TEST(numbers_as_text) {
    static const struct {
        double value;
        const char *text;
    } all[] = {
        {0, "0"},           {-0.0, "0"},      {1, "1.00"},          {-2.345, "-2.35"},  {0.1234, "0.123"},
        {0.99949, "0.999"}, {0.9996, "1.00"}, {9.994, "9.99"},      {9.996, "10.0"},    {99.94, "99.9"},
        {99.96, "100"},     {12345, "12345"}, {123456, "1.23e+05"}, {1e-4, "1.00e-04"}, {-1e-4, "-1.00e-04"},
        {NAN, "–"},         {INFINITY, "∞"},  {-INFINITY, "-∞"}};
    char text[32];
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        ck_assert_str_eq(number_text(all[i].value, text), all[i].text);
}
END_TEST

START_TEST(a_page) {
    tl_error error = {""};
    measured("full");
    char *en = page_text(here.folder, false, &error), *zh = page_text(here.folder, true, &error);
    ck_assert_msg(en && zh, "%s", error.message);
    /* the intervals are 0.1 / 0.5 ± 2.776 · 0.01581 / √5 and 11 ± 2.776 · 1.581 / √5 */
    assert_contains(en, "| 0.200 | 0.180 … 0.220 | < 0.5 | **holds** |");
    assert_contains(en, "| 11.0 | 9.04 … 13.0 | < 10 | **undecided** |");
    assert_contains(zh, "| 0.200 | 0.180 … 0.220 | < 0.5 | **成立** |");
    assert_contains(zh, "| 11.0 | 9.04 … 13.0 | < 10 | **无法判定** |");
    assert_contains(en, "| Without the causal mask the loss lies | 1 holds, 1 undecided |");
    assert_contains(zh, "1 条成立，1 条无法判定 |");
    assert_contains(en, "\n5 seeds, a machine, float, 2026-01-02, 123 core-seconds, mean load 1.5.\n");
    assert_contains(en, "](study/causal.svg)");
    assert_contains(en, "\nbuild/study causal\n");
    ck_assert(!strstr(en, "Measured with the budget") && !strstr(en, "All together"));
    const char *other = strstr(en, "\n## One vector is a bottleneck\n");
    ck_assert(other && strstr(other, "Not measured yet."));
    free(en), free(zh);
    measured("quick");
    en = page_text(here.folder, false, &error);
    assert_contains(en, "**Measured with the budget \"quick\"");
    free(en);
}
END_TEST

/* A remark is printed if its rule has the remark's verdict, and only then. */
START_TEST(remarks) {
    static const remark all[] = {{0, HOLDS, {"it held", "成"}},
                                 {0, UNDECIDED, {"nobody knows", "未"}},
                                 {1, UNDECIDED, {"the other is open", "未"}}};
    const claim *const *list = claims;
    tl_error error = {""};
    int there = 0;
    for (; *list; list++)
        for (int k = 0; k < (*list)->remark_count; k++, there++) {
            const remark *r = &(*list)->remarks[k];
            ck_assert(r->rule >= 0 && r->rule < (*list)->rule_count && *r->says.en && *r->says.zh);
        }
    ck_assert_int_gt(there, 0);
    claim own = claim_causal;
    own.remarks = all;
    own.remark_count = 3;
    measured("full");
    numbers n = {.row = NULL};
    ck_assert(numbers_read(&n, file("study/causal.csv"), &error));
    char *text = claim_text(&own, &n, false);
    assert_contains(text, "\nit held\n");
    assert_contains(text, "\nthe other is open\n");
    ck_assert(!strstr(text, "nobody knows"));
    free(text);
    numbers_free(&n);
}
END_TEST

/* Every claim has all its texts, rules and panels. Without numbers all rules are undecided. */
START_TEST(whole_claims) {
    for (const claim *const *c = claims; *c; c++) {
        ck_assert_msg(*(*c)->title.en && *(*c)->title.zh && *(*c)->source && *(*c)->paragraph.en &&
                          *(*c)->paragraph.zh,
                      "%s", (*c)->name);
        ck_assert_msg((*c)->rule_count > 0 && (*c)->rule_count <= RULES_MOST && (*c)->panel_count > 0 &&
                          (*c)->panel_count <= 2 && (*c)->shown[0] && (*c)->version > 0,
                      "%s", (*c)->name);
        for (int r = 0; r < (*c)->rule_count; r++) {
            const rule *rule = &(*c)->rules[r];
            ck_assert_msg(*rule->says.en && *rule->says.zh && *rule->published.en && *rule->published.zh &&
                              isfinite(rule->margin) && !strchr(rule->says.en, '|') &&
                              !strchr(rule->published.en, '|'),
                          "%s: rule %d", (*c)->name, r);
        }
        numbers nothing = {.row = NULL};
        finding findings[RULES_MOST];
        numbers_add(&nothing, "somebody else", 4, "nothing", 0, 1);
        claim_judge(*c, &nothing, findings);
        for (int r = 0; r < (*c)->rule_count; r++)
            ck_assert_msg(findings[r].verdict == UNDECIDED, "%s: rule %d has a verdict without numbers",
                          (*c)->name, r);
        numbers_free(&nothing);
    }
}
END_TEST

/* The picture's data are the means and their intervals. */
START_TEST(a_picture) {
    tl_error error = {""};
    numbers n = {.row = NULL};
    measured("full");
    ck_assert(numbers_read(&n, file("study/causal.csv"), &error) &&
              picture_draw(&claim_causal, &n, here.folder, &error));
    char *script = get_file(file("study/causal.gp"), NULL), *at = strstr(script, "$p0a1 << EOD\n");
    double x, mean, low, high, losses[SEEDS];
    ck_assert(at && sscanf(strchr(at, '\n'), "%lf %lf %lf %lf", &x, &mean, &low, &high) == 4);
    for (long seed = 0; seed < SEEDS; seed++)
        losses[seed] = numbers_get(&n, "no causal mask", seed, "loss", 0);
    const interval i = interval_of(losses, SEEDS);
    ck_assert(x == 1 && mean == i.mean && low == i.low && high == i.high && low < mean && mean < high);
    free(script);
    numbers_free(&n);
}
END_TEST

/* ---- records ---- */

START_TEST(records) {
    tl_error error = {""};
    record a = {"causal", "full", "m", "float", "2026-01-02", 5, 12, 1.25},
           b = {"bottleneck", "tiny trial", "m; 2 cores", "double", "d", 1, 3, 2},
           all = {RECORD_OF_ALL, "full", "m", "float", "d", 5, 99, 2}, back;
    mkdir(file("study"), 0777);
    ck_assert(!record_read(here.folder, "causal", &back, &error) && !tl_failed(&error));
    ck_assert(record_write(here.folder, &a, &error) && record_write(here.folder, &b, &error) &&
              record_write(here.folder, &all, &error));
    ck_assert(record_read(here.folder, "causal", &back, &error));
    ck_assert_int_eq(memcmp(&back.core_seconds, &a.core_seconds, sizeof(double)), 0);
    ck_assert(back.seeds == 5 && back.load == 1.25 && !strcmp(back.machine, "m") &&
              !strcmp(back.date, a.date));
    ck_assert(record_read(here.folder, "bottleneck", &back, &error) && !strcmp(back.budget, "tiny trial"));
    char *text = get_file(file("study/record.csv"), NULL);
    ck_assert(strstr(text, "\nall,") < strstr(text, "\nbottleneck,") &&
              strstr(text, "\nbottleneck,") < strstr(text, "\ncausal,"));
    free(text);
    a.core_seconds = 13;
    ck_assert(record_write(here.folder, &a, &error) && record_read(here.folder, "causal", &back, &error) &&
              back.core_seconds == 13);
    ck_assert(record_read(here.folder, RECORD_OF_ALL, &back, &error) && back.core_seconds == 99);
    put_text(file("study/record.csv"), "something else\n");
    ck_assert(!record_read(here.folder, "causal", &back, &error));
    assert_contains(error.message, "not the records of a study");
}
END_TEST

/* A claim's seconds are those of its own jobs and of the runs that they measure. A job's last line counts. */
START_TEST(seconds_of_a_claim) {
    tl_error error = {""};
    study s = {.budget = TINY, .out = here.folder, .page = here.folder};
    record r;
    ck_assert(study_plan(&s, &claim_causal));
    ck_assert_int_eq(s.count, 4); /* two runs, two measurements */
    for (int times = 1; times <= 2; times++)
        for (long i = 0; i < s.count; i++)
            ck_assert(record_job(&s, s.job[i], 0, times == 1 ? 1000 : (double)(1 << i), &error));
    const claim *another = claim_named("bottleneck");
    ck_assert(study_plan(&s, another));
    for (long i = 4; i < s.count; i++) ck_assert(record_job(&s, s.job[i], 0, 100, &error));
    ck_assert(record_of(&s, &claim_causal, &r, &error));
    ck_assert(r.core_seconds == 15 && r.seeds == 1 && !strcmp(r.name, "causal") && !strcmp(r.budget, "tiny"));
    ck_assert(record_of(&s, NULL, &r, &error));
    ck_assert(r.core_seconds == 15 + 100 * (double)(s.count - 4) && !strcmp(r.name, RECORD_OF_ALL));
    study_free(&s);
}
END_TEST

/* ---- plans ---- */

/* A run that several claims measure is trained once. The name of a job's file depends on everything that its numbers
 * depend on. */
START_TEST(keys) {
    study s = {.budget = TINY, .out = here.folder, .page = here.folder},
          trial = {.budget = TINY, .out = here.folder, .page = here.folder, .trial = true},
          quick = {.budget = QUICK, .out = here.folder, .page = here.folder},
          moved = {.budget = TINY, .out = "elsewhere", .page = here.folder};
    study *all[] = {&s, &trial, &quick, &moved};
    for (int i = 0; i < 4; i++)
        ck_assert(study_plan(all[i], &claim_causal) && study_plan(all[i], claim_named("heads")) &&
                  study_plan(all[i], claim_named("collapse"))); /* collapse's jobs train their own runs */
    long trained = 0;
    for (long i = 0; i < s.count; i++) {
        trained += s.job[i]->trains;
        for (long k = 0; k < i; k++) ck_assert_str_ne(s.job[i]->measured, s.job[k]->measured);
        for (int other = 1; other < 3; other++)
            for (long k = 0; k < all[other]->count; k++)
                ck_assert_str_ne(s.job[i]->measured, all[other]->job[k]->measured);
        const char *a = strrchr(s.job[i]->measured, '/'), *b = strrchr(moved.job[i]->measured, '/');
        if (!s.job[i]->trains) ck_assert_str_eq(a, b); /* the name does not depend on the folder */
    }
    /* the shared run, one without a causal mask, three with other numbers of heads */
    ck_assert_int_eq(trained, 5);
    for (int i = 0; i < 4; i++) study_free(all[i]);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_checked_fixture(tc, enter, leave);
    tcase_add_test(tc, numbers_as_text);
    tcase_add_test(tc, a_page);
    tcase_add_test(tc, remarks);
    tcase_add_test(tc, whole_claims);
    tcase_add_test(tc, a_picture);
    tcase_add_test(tc, records);
    tcase_add_test(tc, seconds_of_a_claim);
    tcase_add_test(tc, keys);
}

TL_TEST_MAIN("study: plans, records, pages")
