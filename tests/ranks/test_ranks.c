/* Communication between ranks: all ranks get all bytes, all come to the same answer, and a failure ends all of them.
 * With messages in any order (forked.h), and with a single rank. */
#define _XOPEN_SOURCE 700
#include "refuse.h"
#include "forked.h"
#include "nothing.h"

/* Runs it with 1 … 5 ranks, and with messages in several orders. */
static void in_all_ways(void (*rank)(tl_ranks *ranks, void *context), void *context) {
    for (int count = 1; count <= 5; count++)
        for (uint64_t seed = 0; seed < 4; seed++) forked_run(count, seed, rank, context);
}

static unsigned char byte_of(int rank, size_t i) { return (unsigned char)(37 * rank + (int)(i % 251)); }

static char *bytes_of(int rank, size_t bytes) {
    char *data = malloc(bytes + 1);
    must(data != NULL);
    for (size_t i = 0; i < bytes; i++) data[i] = (char)byte_of(rank, i);
    return data;
}
static bool are_of(int rank, const char *data, size_t bytes) {
    for (size_t i = 0; i < bytes; i++)
        if ((unsigned char)data[i] != byte_of(rank, i)) return false;
    return true;
}

/* ---- gathering ---- */

static void gather(tl_ranks *ranks, size_t bytes, bool in_place) {
    const int count = tl_ranks_count(ranks), number = tl_ranks_number(ranks);
    tl_error error = {""};
    char *mine = bytes_of(number, bytes), *all = calloc((size_t)count, bytes + 1);
    char *own = all + (size_t)number * bytes;
    must(all != NULL);
    if (in_place) memcpy(own, mine, bytes);
    must_msg(tl_ranks_gather(ranks, in_place ? own : mine, all, bytes, &error), "%s", error.message);
    for (int r = 0; r < count; r++)
        must_msg(are_of(r, all + (size_t)r * bytes, bytes), "%zu bytes of rank %d", bytes, r);
    free(mine), free(all);
}

static void gathers(tl_ranks *ranks, void *context) {
    static const size_t bytes[] = {4, 0, 1, 77, 8};
    (void)context;
    for (int i = 0; i < 5; i++) gather(ranks, bytes[i], false), gather(ranks, bytes[i], true);
    gather(ranks, 300000, tl_ranks_count(ranks) % 2); /* more than a socket takes */
}

/* How many bytes a rank gives in round i. */
static size_t length_of(int round, int rank) {
    switch (round) {
    case 0:
        return 0;
    case 1:
        return (size_t)(rank * rank);
    case 2:
        return rank == 2 ? 100000 : 0;
    case 3:
        return rank == 0 ? 100 : (size_t)(7 - rank);
    default:
        return 13;
    }
}

static void gathers_lists(tl_ranks *ranks, void *context) {
    const int count = tl_ranks_count(ranks), number = tl_ranks_number(ranks);
    (void)context;
    for (int round = 0; round < 5; round++) {
        tl_error error = {""};
        size_t each[FORKED_MOST], at = 0;
        char *mine = bytes_of(number, length_of(round, number)), *all;
        const bool well = tl_ranks_gather_bytes(ranks, length_of(round, number) ? mine : NULL,
                                                length_of(round, number), &all, each, &error);
        must_msg(well, "%s", error.message);
        for (int r = 0; r < count; at += each[r++]) {
            must_msg(each[r] == length_of(round, r), "round %d: %zu bytes of rank %d", round, each[r], r);
            must_msg(are_of(r, all + at, each[r]), "round %d: other bytes of rank %d", round, r);
        }
        free(mine), free(all);
    }
}

static void broadcasts(tl_ranks *ranks, void *context) {
    static const size_t bytes[] = {8, 0, 1, 300000};
    (void)context;
    for (int i = 0; i < 4; i++) {
        tl_error error = {""};
        char *data = bytes_of(tl_ranks_number(ranks), bytes[i]);
        must_msg(tl_ranks_broadcast(ranks, data, bytes[i], &error), "%s", error.message);
        must(are_of(0, data, bytes[i]));
        free(data);
    }
}

START_TEST(all_have_all_bytes) { in_all_ways(gathers, NULL), in_all_ways(gathers_lists, NULL); }
END_TEST
START_TEST(all_have_rank_0s) { in_all_ways(broadcasts, NULL); }
END_TEST

/* ---- between two ranks ---- */

/* Every rank sends messages of each tag to every other rank, with lengths that follow from tag and rank; receivers
 * have more room. */
enum { TAGS = 24, ROOM = 2000 };
static size_t size_of(int from, int tag) { return (size_t)(tag * tag * 3 + from) * (tag % 5 != 0); }

static void messages(tl_ranks *ranks, void *context) {
    const int count = tl_ranks_count(ranks), number = tl_ranks_number(ranks);
    tl_error error = {""};
    (void)context;
    for (int round = 0; round < 2; round++) {
        static char room[FORKED_MOST][TAGS][ROOM];
        char *mine = bytes_of(number, ROOM);
        for (int i = 0; i < TAGS; i++) {
            const int tag = round ? TAGS - 1 - i : i;
            for (int r = 0; r < count; r++) {
                if (r == number) continue;
                must_msg(tl_ranks_send(ranks, r, tag, mine, size_of(number, tag), &error), "%s",
                         error.message);
                must_msg(tl_ranks_receive(ranks, r, tag, room[r][tag], ROOM, &error), "%s", error.message);
            }
            if (i == TAGS / 2) gather(ranks, 5, false); /* meanwhile */
        }
        must_msg(tl_ranks_wait(ranks, &error), "%s", error.message);
        for (int r = 0; r < count; r++)
            for (int tag = 0; r != number && tag < TAGS; tag++)
                must_msg(are_of(r, room[r][tag], size_of(r, tag)), "rank %d, tag %d", r, tag);
        free(mine);
    }
}

START_TEST(messages_get_there) { in_all_ways(messages, NULL); }
END_TEST

/* Rank 0 notes in which order ten messages from rank 1 and ten from rank 2 arrive. */
static void arrivals(tl_ranks *ranks, void *context) {
    char *order = context, data[20], own = 0;
    int known = 0;
    tl_error error = {""};
    memset(data, 'x', sizeof data);
    for (int i = 0; i < 20; i++)
        if (tl_ranks_number(ranks) == 0)
            must(tl_ranks_receive(ranks, i % 2 + 1, i, &data[i], 1, &error));
        else if (tl_ranks_number(ranks) == i % 2 + 1)
            must(tl_ranks_send(ranks, 0, i, &own, 1, &error));
    if (tl_ranks_number(ranks) == 0)
        while (known < 20) {
            /* a test, as in `wait`, which would test until all have arrived */
            forked_turn(ranks->self, 0), forked_deliver(ranks->self);
            for (int i = 0; i < 20; i++)
                if (!data[i] && !memchr(order, 'a' + i, 20)) order[known++] = (char)('a' + i);
        }
    must_msg(tl_ranks_wait(ranks, &error), "%s", error.message);
}

/* The tests of order would be meaningless if all orders were the same. */
START_TEST(orders_differ) {
    enum { SEEDS = 6 };
    char(*order)[32] = forked_share(SEEDS * sizeof *order);
    for (int seed = 0; seed < SEEDS; seed++) forked_run(3, (uint64_t)seed, arrivals, order[seed]);
    for (int a = 1; a < SEEDS; a++) {
        ck_assert_str_ne(order[a], "abcdefghijklmnopqrst");
        for (int b = 1; b < a; b++) ck_assert_str_ne(order[a], order[b]);
    }
}
END_TEST

/* ---- agreement ---- */

/* context: which ranks fail. */
static void agree(tl_ranks *ranks, void *context) {
    const bool *fails = context;
    const int number = tl_ranks_number(ranks);
    int first = -1;
    char want[256] = "";
    tl_error error = {""};
    must_msg(tl_ranks_agree(ranks, true, &error), "%s", error.message);
    for (int r = tl_ranks_count(ranks); r-- > 0;)
        if (fails[r]) first = r;
    if (first > 0) snprintf(want, sizeof want, "rank %d (host %d): %d: 100%% wrong", first, first, first);
    if (first == 0 || (first > 0 && tl_ranks_count(ranks) == 1))
        snprintf(want, sizeof want, "0: 100%% wrong");
    if (fails[number]) tl_error_set(&error, "%d: 100%% wrong", number);
    must(tl_ranks_agree(ranks, !fails[number], &error) == (first < 0));
    must_msg(!strcmp(error.message, want), "\"%s\", not \"%s\"", error.message, want);
    must(tl_ranks_all_know(ranks) == (first >= 0 && tl_ranks_count(ranks) > 1));
    tl_ranks_end(ranks, first >= 0); /* returns, since no rank need be ended */
    exit(0);
}

START_TEST(all_learn_of_a_failure) {
    for (int count = 1; count <= 4; count++)
        for (int which = 0; which < 1 << count; which++) {
            bool fails[FORKED_MOST];
            for (int r = 0; r < count; r++) fails[r] = which >> r & 1;
            forked_run(count, (uint64_t)which, agree, fails);
        }
}
END_TEST

/* context: each rank's text. */
static void compare(tl_ranks *ranks, void *context) {
    char *const *texts = context;
    const int count = tl_ranks_count(ranks);
    int other = 0;
    char want[1024] = "";
    tl_error error = {""};
    while (other < count && !strcmp(texts[0], texts[other])) other++;
    const bool same =
        tl_ranks_same(ranks, "instructions", texts[tl_ranks_number(ranks)], "say --isa", &error);
    must(same == (other == count));
    if (!same && strlen(texts[0]) < 100 && strlen(texts[other]) < 100)
        snprintf(want, sizeof want, "rank %d has instructions \"%s\", and rank 0 has \"%s\": say --isa",
                 other, texts[other], texts[0]);
    else if (!same) /* long texts are cut */
        snprintf(want, sizeof want, "rank %d has instructions \"%.20s", other, texts[other]);
    must_msg(!strncmp(error.message, want, strlen(want)) && !same == (error.message[0] != 0), "\"%s\"",
             error.message);
    if (strlen(texts[0]) < 100) must_msg(strlen(want) < 100 || !strcmp(error.message, want), "%s", want);
    must(tl_ranks_all_know(ranks) == !same);
    tl_ranks_end(ranks, !same);
    exit(0);
}

START_TEST(all_have_the_same) {
    static char long_one[3000], long_other[3000];
    memset(long_one, 'a', sizeof long_one - 1);
    memset(long_other, 'b', sizeof long_other - 1);
    char *texts[][4] = {{"avx2", "avx2", "avx2", "avx2"},         {"", "", "", ""},
                        {"avx2", "avx2", "base", "avx512"},       {"avx2", "avx", "avx2", "avx2"},
                        {"avx2", "avx2", "avx2", "avx2 "},        {"", "", "x", ""},
                        {long_one, long_one, long_one, long_one}, {long_one, long_one, long_one, long_other},
                        {long_one, "a", long_one, long_one}};
    for (int count = 1; count <= 4; count++)
        for (int i = 0; i < 9; i++) forked_run(count, (uint64_t)i, compare, texts[i]);
}
END_TEST

/* ---- one rank ---- */

static void alone(tl_ranks *ranks) {
    tl_error error = {""};
    char data[4] = "abc", all[4] = "", *list = NULL;
    size_t each = 0;
    ck_assert(tl_ranks_count(ranks) == 1 && tl_ranks_number(ranks) == 0 && tl_ranks_lead(ranks));
    ck_assert_int_eq(tl_ranks_threads(ranks), tl_processors());
    ck_assert(tl_ranks_gather(ranks, data, all, sizeof data, &error));
    ck_assert_str_eq(all, "abc");
    ck_assert(tl_ranks_gather(ranks, all, all, sizeof all, &error)); /* in place */
    ck_assert(tl_ranks_gather(ranks, NULL, NULL, 0, &error));
    ck_assert(tl_ranks_gather_bytes(ranks, data, 3, &list, &each, &error));
    ck_assert(each == 3 && !memcmp(list, "abc", 3));
    free(list);
    ck_assert(tl_ranks_gather_bytes(ranks, NULL, 0, &list, &each, &error) && each == 0);
    free(list);
    ck_assert(tl_ranks_broadcast(ranks, data, sizeof data, &error));
    ck_assert_str_eq(data, "abc");
    ck_assert(tl_ranks_same(ranks, "data", "x", "hint", &error));
    ck_assert(tl_ranks_wait(ranks, &error) && tl_ranks_agree(ranks, true, &error));
    ck_assert(!tl_failed(&error));
    tl_error_set(&error, "mine");
    ck_assert(!tl_ranks_agree(ranks, false, &error));
    ck_assert_str_eq(error.message, "mine");
}

START_TEST(nobody_else) {
    every_function_is_called("include/tapeloom/ranks.h", "tests/ranks/test_ranks.c");
    alone(NULL);
    ck_assert_str_eq(tl_ranks_text(NULL), "one process");
    ck_assert(!tl_ranks_all_know(NULL));
    tl_ranks_end(NULL, false), tl_ranks_end(NULL, true);
    if (tl_ranks_can_be_many()) return; /* the rest is for libraries without MPI */
    for (int failed = 0; failed < 2; failed++) {
        tl_error error = {""};
        char x = 0;
        tl_ranks *ranks = tl_ranks_begin(&error);
        ck_assert_msg(ranks != NULL, "%s", error.message);
        alone(ranks);
        ck_assert_str_eq(tl_ranks_text(ranks), "one process");
        if (failed)
            ck_assert(!tl_ranks_send(ranks, 1, 0, &x, 1, &error));
        else
            ck_assert(!tl_ranks_receive(ranks, 1, 0, &x, 1, &error));
        ck_assert_str_eq(error.message,
                         failed ? "ranks: there is no rank 1 to send to: this process is the only one"
                                : "ranks: there is no rank 1 to receive from: this process is the only one");
        error = (tl_error){""}; /* after a failure nothing is sent */
        ck_assert(!tl_ranks_gather(ranks, &x, &x, 1, &error));
        ck_assert_str_eq(error.message, "ranks: this one has lost the others by an error before");
        tl_ranks_end(ranks, failed);
    }
}
END_TEST

/* ---- the end ---- */

/* One rank fails while the others wait for it. */
static void fails_alone(tl_ranks *ranks, void *context) {
    if (tl_ranks_number(ranks) != *(const int *)context) {
        gather(ranks, 4, false);
        ck_abort_msg("still here");
    }
    tl_ranks_end(ranks, true);
    ck_abort_msg("still here");
}

/* One rank disappears without an error. */
static void dies(tl_ranks *ranks, void *context) {
    tl_error error = {""};
    char all[FORKED_MOST] = "", x[3];
    if (tl_ranks_number(ranks) == 1) {
        must(tl_ranks_send(ranks, 0, 7, "ab", 3, &error) && tl_ranks_wait(ranks, &error));
        _exit(3);
    }
    if (*(const bool *)context) { /* messages sent before still arrive */
        if (tl_ranks_number(ranks)) return;
        must(tl_ranks_receive(ranks, 1, 7, x, 3, &error) && tl_ranks_wait(ranks, &error) && !strcmp(x, "ab"));
        must(tl_ranks_receive(ranks, 1, 8, x, 3, &error));
        must(!tl_ranks_wait(ranks, &error));
    } else {
        must(!tl_ranks_gather(ranks, all, all, 1, &error));
    }
    must_msg(strstr(error.message, "rank ") && strstr(error.message, " is gone"), "%s", error.message);
    exit(5);
}

START_TEST(ends_the_others) {
    for (int who = 0; who < 4; who++) {
        const forked_end end = forked_try(4, (uint64_t)who, fails_alone, &who);
        for (int r = 0; r < 4; r++) ck_assert_int_eq(end.status[r], 1);
        ck_assert_int_eq(end.job->quit_by, who + 1);
    }
}
END_TEST

START_TEST(death_is_noticed) {
    for (int after = 0; after < 2; after++) {
        bool later = after;
        const forked_end end = forked_try(3, 1, dies, &later);
        ck_assert(end.status[0] == 5 && end.status[1] == 3 && end.status[2] == (later ? 0 : 5));
    }
}
END_TEST

/* ---- memory ---- */

static void everything(tl_ranks *ranks, void *context) {
    const long before = alive;
    tl_error error = {""};
    (void)context;
    gathers_lists(ranks, NULL), broadcasts(ranks, NULL), messages(ranks, NULL);
    must(tl_ranks_same(ranks, "data", "x", "hint", &error));
    must(!tl_ranks_same(ranks, "data", tl_ranks_lead(ranks) ? "x" : "y", "hint", &error));
    must(!tl_ranks_agree(ranks, false, &error));
    tl_ranks_end(ranks, true);
    must_msg(!CAN_REFUSE || alive == before - 2, "%ld pieces lost", alive - (before - 2));
    exit(0);
}

START_TEST(nothing_is_lost) {
    for (uint64_t seed = 0; seed < 4; seed++) forked_run(3, seed, everything, NULL);
}
END_TEST

/* context [2]: how many requests rank 1 is granted; whether one was refused. A rank with an error of its own ends
 * all. */
static void without_memory(tl_ranks *ranks, void *context) {
    long *shared = context;
    size_t each[FORKED_MOST];
    char *all = NULL;
    tl_error error = {""};
    const bool poor = tl_ranks_number(ranks) == 1;
    if (poor) refuse_after(shared[0], false);
    bool well = tl_ranks_agree(ranks, true, &error) && tl_ranks_same(ranks, "data", "x", "hint", &error) &&
                tl_ranks_gather_bytes(ranks, "abc", 3, &all, each, &error);
    if (poor) shared[1] = grant_again();
    free(all);
    well = well && tl_ranks_agree(ranks, true, &error); /* no rank gets past this without rank 1 */
    if (!well) must_msg(poor && strstr(error.message, "out of memory"), "\"%s\"", error.message);
    tl_ranks_end(ranks, !well);
    exit(0);
}

START_TEST(no_memory) {
    long *shared = forked_share(2 * sizeof *shared);
    if (!CAN_REFUSE) return;
    forked_refuse_each(without_memory, shared, 5, 100);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, all_have_all_bytes);
    tcase_add_test(tc, all_have_rank_0s);
    tcase_add_test(tc, messages_get_there);
    tcase_add_test(tc, orders_differ);
    tcase_add_test(tc, all_learn_of_a_failure);
    tcase_add_test(tc, all_have_the_same);
    tcase_add_test(tc, nobody_else);
    tcase_add_test(tc, ends_the_others);
    tcase_add_test(tc, death_is_noticed);
    tcase_add_test(tc, nothing_is_lost);
    tcase_add_test(tc, no_memory);
}
TL_TEST_MAIN("ranks: what they say to each other")
