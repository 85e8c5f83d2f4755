/* The sum of shares on several ranks has the bits of a chain added by hand, and of the library's own sums in one
 * process (tl_shares): for every number of ranks, whichever parts a share reaches, and in whatever order parts are
 * given and messages arrive. */
#define _XOPEN_SOURCE 700
#include "refuse.h"
#include "forked.h"

#include <tapeloom.h>

#include "ranks/fold.h"

/* ---- the numbers: all ranks, and the test, can compute each of them ---- */

enum { MOST_PARTS = 12, ROUNDS = 3 };

typedef struct plan {
    long shares, sizes[MOST_PARTS];
    int parts;
    long round; /* counts the sums with one fold */
    uint64_t seed;
} plan;

static tl_rng_key key_of(const plan *p, long share, int part) {
    const tl_rng_key key = tl_rng_key_mix(tl_rng_key_of(p->seed, "fold"), (uint64_t)p->round);
    return tl_rng_key_mix(key, (uint64_t)(share * 100 + part));
}

/* Every share reaches some parts, none reaches one, and the others vary; some shares reach nothing. The second round
 * is a short update: its last shares are empty. */
static bool reaches(const plan *p, long share, int part) {
    if (part == 4 || share % 5 == 3) return false;
    if (p->round == 1 && share >= (p->shares + 1) / 2) return false;
    return part % 3 == 0 || tl_rng_uniform(key_of(p, share, part), 1000) < 0.5;
}

/* Numbers of very different sizes, so that every order of addition gives another sum; also infinities and NaN. */
static void numbers(const plan *p, long share, int part, tl_real *data) {
    const tl_rng_key key = key_of(p, share, part);
    const double scale = pow(3, (double)(share * 5 % 7));
    for (long i = 0; i < p->sizes[part]; i++) {
        data[i] = (tl_real)((tl_rng_uniform(key, (uint64_t)i) - 0.5) * scale / 7);
        if (i % 7 == 5) data[i] = -(tl_real)0;
        if (i % 97 == 50 && share % 3 == 1) data[i] = (tl_real)NAN;
        if (i % 97 == 60 && share % 3 == 1) data[i] = (tl_real)INFINITY;
    }
}

/* Computes the chain; false: no share reaches this part. backwards: in the wrong order. */
static bool by_hand(const plan *p, int part, bool backwards, tl_real *sum) {
    tl_real *data = malloc(((size_t)p->sizes[part] + 1) * sizeof *data);
    bool reached = false;
    for (long k = 0; k < p->shares; k++) {
        const long share = backwards ? p->shares - 1 - k : k;
        if (!reaches(p, share, part)) continue;
        numbers(p, share, part, data);
        for (long i = 0; i < p->sizes[part]; i++) sum[i] = reached ? sum[i] + data[i] : data[i];
        reached = true;
    }
    free(data);
    return reached;
}

/* ---- one rank ---- */

/* Gives the parts that the share reaches, in any order, and overwrites their memory at once. */
static void give(tl_fold *fold, const plan *p, long share, int only) {
    const int step = p->parts > 1 && p->parts % 5 ? 5 : 1,
              first = (int)((uint64_t)share + p->seed) % p->parts;
    for (int k = 0; k < p->parts && k < only; k++) {
        const int part = (first + k * step) % p->parts;
        const size_t bytes = (size_t)p->sizes[part] * sizeof(tl_real);
        if (!reaches(p, share, part)) continue;
        tl_real *data = malloc(bytes + 1);
        numbers(p, share, part, data);
        tl_fold_give(fold, share, part, data);
        memset(data, 0x55, bytes);
        free(data);
    }
}

static void give_all(tl_ranks *ranks, tl_fold *fold, const plan *p) {
    tl_error error = {""};
    must_msg(tl_fold_begin(fold, &error), "%s", error.message);
    for (long share = 0; share < p->shares; share++) {
        if (tl_fold_rank_of(fold, share) != tl_ranks_number(ranks)) continue;
        if (p->round == 1 && share >= (p->shares + 1) / 2) break; /* never closed */
        if (p->parts) give(fold, p, share, p->parts);
        must_msg(tl_fold_close(fold, share, &error), "%s", error.message);
    }
}

enum { NOTE = 13 };
static void meet(tl_ranks *ranks, tl_fold *fold, const plan *p) {
    tl_error error = {""};
    const int count = tl_ranks_count(ranks), number = tl_ranks_number(ranks);
    char *note = tl_fold_note(fold), zeros[NOTE] = "";
    must(!memcmp(note, zeros, NOTE));
    memset(note, number + 1, (size_t)(NOTE - number));
    note[0] = (char)p->round;
    must_msg(tl_fold_meet(fold, &error), "%s", error.message);
    for (int r = 0; r < count; r++) {
        const char *of = tl_fold_note_of(fold, r);
        must(of[0] == (char)p->round);
        for (int i = 1; i < NOTE; i++) must(of[i] == (i < NOTE - r ? r + 1 : 0));
    }
}

static void compare(const tl_fold *fold, const plan *p) {
    for (int part = 0; part < p->parts; part++) {
        const size_t bytes = (size_t)p->sizes[part] * sizeof(tl_real);
        tl_real *want = malloc(bytes + 1);
        const tl_real *sum = tl_fold_sum_of(fold, part);
        must_msg(by_hand(p, part, false, want) == (sum != NULL), "round %ld, part %d: reached?", p->round,
                 part);
        must_msg(!sum || !bytes || !memcmp(sum, want, bytes), "round %ld, part %d", p->round, part);
        free(want);
    }
}

static tl_fold *new_fold(tl_ranks *ranks, const plan *p) {
    tl_error error = {""};
    tl_fold *fold = tl_fold_new(ranks, p->shares, p->sizes, p->parts, NOTE, &error);
    must_msg(fold != NULL, "%s", error.message);
    return fold;
}

static void sums(tl_ranks *ranks, void *context) {
    plan p = *(const plan *)context;
    tl_error error = {""};
    tl_fold *fold = new_fold(ranks, &p);
    for (p.round = 0; p.round < ROUNDS; p.round++) {
        give_all(ranks, fold, &p);
        meet(ranks, fold, &p);
        must_msg(tl_fold_sum(fold, true, &error), "%s", error.message);
        compare(fold, &p);
    }
    tl_fold_free(fold);
}

/* ---- bits ---- */

START_TEST(sums_are_those_by_hand) {
    static const plan plans[] = {{.sizes = {1, 3, 251, 0, 9, 1000, 64, 5, 16}, .parts = 9},
                                 {.sizes = {1}, .parts = 1}, /* fewer numbers than ranks */
                                 {.sizes = {7, 7, 7}, .parts = 3},
                                 {.sizes = {2003, 1, 1, 1, 1, 97}, .parts = 6},
                                 {.sizes = {0, 0}, .parts = 2},
                                 {.parts = 0}};
    const int count = _i;
    for (long shares = count; shares <= 9; shares++)
        for (int i = 0; i < 6; i++) {
            plan p = plans[i];
            p.shares = shares;
            p.seed = (uint64_t)(shares * 10 + i);
            if (i == 0 || shares % 3 == i % 3) forked_run(count, (uint64_t)(shares + i) % 5, sums, &p);
        }
}
END_TEST

/* The test above would be meaningless if another order gave the same bits. */
START_TEST(orders_have_their_own_bits) {
    const plan p = {.shares = 7, .sizes = {1000}, .parts = 1, .seed = 1};
    tl_real forth[1000], back[1000];
    int others = 0;
    ck_assert(by_hand(&p, 0, false, forth) && by_hand(&p, 0, true, back));
    for (int i = 0; i < 1000; i++) others += memcmp(&forth[i], &back[i], sizeof *back) != 0;
    ck_assert_int_gt(others, 100);
}
END_TEST

/* No order of arrival changes a bit. */
START_TEST(any_order_of_arrival) {
    const plan p = {.shares = 7, .sizes = {100, 31, 1, 600, 5, 77}, .parts = 6, .seed = 5};
    for (uint64_t seed = 0; seed < 20; seed++) forked_run(3, seed, sums, (void *)(uintptr_t)&p);
}
END_TEST

/* Slices of several pieces, and parts that lie in some of them. */
START_TEST(large_parts) {
    static plan p = {.shares = 4, .sizes = {700001, 13, 300007, 5000, 3}, .parts = 5, .seed = 3};
    forked_run(3, 2, sums, &p);
    p.sizes[0] = 1000, p.sizes[5] = 150001, p.sizes[6] = 1, p.parts = 7, p.shares = 2;
    forked_run(2, 3, sums, &p);
}
END_TEST

/* The sums equal the library's own in one process (optim.h). */
static void like_tl_shares(tl_ranks *ranks, void *context) {
    plan p = *(const plan *)context;
    tl_error error = {""};
    tl_fold *fold = new_fold(ranks, &p);
    tl_params *params = tl_params_new(1);
    for (int part = 0; part < p.parts; part++) {
        char name[16];
        snprintf(name, sizeof name, "p%d", part);
        tl_params_add(params, name, TL_SHAPE(p.sizes[part]), (tl_init){.kind = TL_INIT_ONES});
    }
    tl_shares *shares = tl_shares_new(params);
    for (p.round = 0; p.round < ROUNDS; p.round++) {
        tl_zero_grad(params);
        for (long share = 0; share < p.shares; share++) {
            if (share) must(tl_shares_close(shares));
            for (int part = 0; part < p.parts; part++) {
                tl_leaf *leaf = &tl_params_at(params, part)->leaf;
                leaf->reached = reaches(&p, share, part);
                if (leaf->reached) numbers(&p, share, part, leaf->grad);
            }
        }
        must_msg(tl_shares_sum(shares), "%s", tl_shares_error(shares));
        give_all(ranks, fold, &p);
        meet(ranks, fold, &p);
        must_msg(tl_fold_sum(fold, true, &error), "%s", error.message);
        for (int part = 0; part < p.parts; part++) {
            const tl_leaf *leaf = &tl_params_at(params, part)->leaf;
            const tl_real *sum = tl_fold_sum_of(fold, part);
            must(leaf->reached == (sum != NULL));
            must(!sum || !memcmp(sum, leaf->grad, (size_t)p.sizes[part] * sizeof *sum));
        }
    }
    tl_shares_free(shares);
    tl_params_free(params);
    tl_fold_free(fold);
}

START_TEST(sums_are_those_of_one_process) {
    plan p = {.sizes = {1, 3, 251, 2, 9, 1000, 64, 5, 16}, .parts = 9};
    for (int count = 1; count <= 5; count++)
        for (p.shares = count; p.shares <= 9; p.shares += 2) {
            p.seed = (uint64_t)p.shares;
            forked_run(count, (uint64_t)p.shares % 4, like_tl_shares, &p);
        }
}
END_TEST

/* ---- special cases ---- */

/* A rank stops in the middle of a share and says so in its note; the next sums are unaffected. */
static void breaks_off(tl_ranks *ranks, void *context) {
    plan p = *(const plan *)context;
    tl_error error = {""};
    tl_fold *fold = new_fold(ranks, &p);
    for (p.round = 0; p.round < 6; p.round++) {
        const bool usable = p.round % 2;
        if (usable || tl_ranks_number(ranks) != 1 % tl_ranks_count(ranks)) {
            give_all(ranks, fold, &p);
        } else {
            long share = 0;
            must_msg(tl_fold_begin(fold, &error), "%s", error.message);
            while (tl_fold_rank_of(fold, share) != tl_ranks_number(ranks)) share++;
            give(fold, &p, share, (int)p.round);
        }
        meet(ranks, fold, &p);
        must_msg(tl_fold_sum(fold, usable, &error), "%s", error.message);
        if (usable) compare(fold, &p);
    }
    tl_fold_free(fold);
}

START_TEST(sums_that_are_left_out) {
    plan p = {.shares = 5, .sizes = {50, 31, 1, 400, 5, 77}, .parts = 6, .seed = 9};
    for (int count = 1; count <= 4; count++)
        for (uint64_t seed = 0; seed < 3; seed++) forked_run(count, seed, breaks_off, &p);
}
END_TEST

START_TEST(one_process) {
    plan p = {.shares = 4, .sizes = {50, 31, 1, 400, 5, 77}, .parts = 6, .seed = 2};
    for (p.shares = 1; p.shares < 6; p.shares++) sums(NULL, &p);
    tl_fold_free(NULL);
}
END_TEST

static void whose(tl_ranks *ranks, void *context) {
    (void)context;
    for (long shares = tl_ranks_count(ranks); shares < 20; shares++) {
        plan p = {.shares = shares, .sizes = {1}, .parts = 1};
        tl_fold *fold = new_fold(ranks, &p);
        for (long g = 0; g < shares; g++)
            must(tl_fold_rank_of(fold, g) == (int)(g * tl_ranks_count(ranks) / shares));
        must(tl_fold_rank_of(fold, 0) == 0 && tl_fold_rank_of(fold, shares - 1) == tl_ranks_count(ranks) - 1);
        tl_fold_free(fold);
    }
}

START_TEST(whose_shares) {
    for (int count = 1; count <= 5; count++) forked_run(count, 0, whose, NULL);
}
END_TEST

static void too_many(tl_ranks *ranks, void *context) {
    tl_error error = {""};
    const long size = 5;
    (void)context;
    must(!tl_fold_new(ranks, 2, &size, 1, 0, &error));
    must_msg(strstr(error.message, "3 ranks") && strstr(error.message, "2 shares"), "%s", error.message);
    error = (tl_error){""};
    must(!tl_fold_new(ranks, 20, &size, 1, 0, &error));
    must_msg(strstr(error.message, "20 shares") && strstr(error.message, "than the 19"), "%s", error.message);
}

START_TEST(what_is_refused) {
    forked_transport.most_tags = 19;
    forked_run(3, 0, too_many, NULL);
    const plan p = {.shares = 19, .sizes = {100, 3}, .parts = 2};
    forked_run(3, 0, sums, (void *)(uintptr_t)&p); /* this many are allowed */
}
END_TEST

/* ---- memory ---- */

static bool sum_once(tl_ranks *ranks, const plan *p, tl_error *error) {
    static tl_real data[1000];
    tl_fold *fold = tl_fold_new(ranks, p->shares, p->sizes, p->parts, NOTE, error);
    bool ok = fold && tl_fold_begin(fold, error);
    for (long share = 0; ok && share < p->shares; share++) {
        if (tl_fold_rank_of(fold, share) != tl_ranks_number(ranks)) continue;
        for (int part = 0; ok && part < p->parts; part++) tl_fold_give(fold, share, part, data);
        ok = ok && tl_fold_close(fold, share, error);
    }
    ok = ok && tl_fold_meet(fold, error) && tl_fold_sum(fold, true, error);
    tl_fold_free(fold);
    return ok;
}

/* context [2]: how many requests rank 1 is granted; whether one was refused. */
static void without_memory(tl_ranks *ranks, void *context) {
    static const plan p = {.shares = 3, .sizes = {40, 9}, .parts = 2};
    long *shared = context;
    tl_error error = {""};
    const bool poor = tl_ranks_number(ranks) == 1;
    if (poor) refuse_after(shared[0], false);
    bool ok = sum_once(ranks, &p, &error);
    if (poor) shared[1] = grant_again();
    ok = ok && tl_ranks_agree(ranks, true, &error); /* no rank gets past this without rank 1 */
    if (!ok) must_msg(poor && strstr(error.message, "out of memory"), "\"%s\"", error.message);
    tl_ranks_end(ranks, !ok);
    exit(0);
}

START_TEST(no_memory) {
    static const plan p = {.shares = 3, .sizes = {40, 9}, .parts = 2};
    long *shared = forked_share(2 * sizeof *shared), before = alive;
    if (!CAN_REFUSE) return;
    for (bool refused = true; refused; shared[0]++) {
        tl_error error = {""};
        refuse_after(shared[0], false);
        const bool ok = sum_once(NULL, &p, &error);
        refused = grant_again();
        ck_assert(ok == !refused && alive == before);
        if (refused) assert_contains(error.message, "out of memory");
    }
    ck_assert_int_gt(shared[0], 5);
    forked_refuse_each(without_memory, shared, 10, 200);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, sums_are_those_by_hand, 1, 6);
    tcase_add_test(tc, orders_have_their_own_bits);
    tcase_add_test(tc, any_order_of_arrival);
    tcase_add_test(tc, large_parts);
    tcase_add_test(tc, sums_are_those_of_one_process);
    tcase_add_test(tc, sums_that_are_left_out);
    tcase_add_test(tc, one_process);
    tcase_add_test(tc, whose_shares);
    tcase_add_test(tc, what_is_refused);
    tcase_add_test(tc, no_memory);
}
TL_TEST_MAIN("ranks: sums in shares")
