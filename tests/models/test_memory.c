/* Memory over training steps of a Transformer: known shapes allocate nothing, the peak does not grow, nested lifetimes
 * leave no trace. SAN=1 shows that nothing leaks. */
#include "model.h"

/* ---- counting requests to the system by the library and its runtime ---- */

/* LLVM's OpenMP runtime requests memory for every parallel region; GNU's does not. */
#if defined(__clang__) && defined(_OPENMP)
# define RUNTIME_REQUESTS 1
#else
# define RUNTIME_REQUESTS 0
#endif
#if defined(__GLIBC__) && !defined(TL_SANITIZED) && !RUNTIME_REQUESTS
# define COUNTS_REQUESTS 1
#else
# define COUNTS_REQUESTS 0
#endif

#if COUNTS_REQUESTS
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static _Atomic long requests;

void *malloc(size_t size) {
    requests++;
    return __libc_malloc(size);
}
void *calloc(size_t count, size_t size) {
    requests++;
    return __libc_calloc(count, size);
}
void *realloc(void *memory, size_t size) {
    requests++;
    return __libc_realloc(memory, size);
}
void *aligned_alloc(size_t alignment, size_t size) {
    requests++;
    return __libc_memalign(alignment, size);
}
#else
static const long requests = 0;
#endif

/* ---- batches of several shapes ---- */

enum { SHAPES = 4 };
typedef struct shapes {
    tl_batch batch[SHAPES];
} shapes;
static shapes shapes_begin(void) {
    shapes s;
    s.batch[0] = batch_of((sentence[]){{0, 9, 12}, {1, 4, 7}, {2, 5, 3}}, 3, 13, 0, 0);
    s.batch[1] = batch_of((sentence[]){{3, 3, 2}}, 1, 13, 0, 0);
    s.batch[2] =
        batch_of((sentence[]){{4, 20, 3}, {5, 17, 19}, {6, 6, 6}, {7, 8, 8}, {8, 2, 5}}, 5, 13, 0, 0);
    s.batch[3] = batch_of((sentence[]){{9, 7, 7}, {10, 7, 7}}, 2, 13, 0, 0);
    return s;
}
static void shapes_end(shapes *s) {
    for (int i = 0; i < SHAPES; i++) batch_free(&s->batch[i]);
}

/* A whole step; m may be NULL. Returns how many requests were made meanwhile. (Check's assertions request memory
 * themselves, so they come afterwards.) */
static long step(bench *k, tl_adam *adam, const tl_batch *b, long number, maps_memory *m) {
    long before = requests;
    tl_model_maps maps = {0};
    if (m) maps = look(m, true);
    bench_step(k, b, number, m ? &maps : NULL);
    tl_clip_grad_norm(k->params, 1);
    bool updated = tl_adam_step(adam, 1e-3);
    long asked = requests - before;
    ck_assert_msg(updated, "%s", tl_adam_error(adam));
    return asked;
}

static const tl_transformer_config dropping = {SMALL_MODEL, .dropout = 0.1, .attention_dropout = 0.1,
                                               .label_smoothing = 0.1};

START_TEST(steps_of_shapes_seen_before_allocate_nothing) {
    bench k = bench_begin(&dropping);
    shapes s = shapes_begin();
    tl_adam *adam = tl_adam_new(k.params, NULL);
    maps_memory looking = {0}, *m = _i ? &looking : NULL;
    tl_tape_stats first = {0};
    size_t used[SHAPES] = {0};
    long asked = 0;
    for (int number = 0; number < 50 + SHAPES; number++) {
        long asked_now = step(&k, adam, &s.batch[number % SHAPES], number + 1, m);
        tl_tape_stats now = tl_tape_stats_of(k.tape);
        if (number < SHAPES) {
            used[number] = now.used;
            first = now;
            asked += asked_now;
            continue;
        }
        ck_assert_int_eq(now.allocations, first.allocations);
        ck_assert_uint_eq(now.peak, first.peak);
        ck_assert_uint_eq(now.reserved, first.reserved);
        ck_assert_uint_eq(now.used, used[number % SHAPES]);
        ck_assert_int_eq(asked_now, 0);
    }
    ck_assert_int_gt(first.allocations, 0);
    ck_assert_uint_le(first.peak, first.reserved);
    ck_assert(!COUNTS_REQUESTS || asked > 0);
    tl_adam_free(adam);
    shapes_end(&s);
    bench_end(&k);
}
END_TEST

/* a step on a new tape: the tape reports what malloc has counted */
START_TEST(every_request_is_in_the_statistics) {
#if COUNTS_REQUESTS
    bench k = bench_begin(&dropping);
    shapes s = shapes_begin();
    tl_adam *adam = tl_adam_new(k.params, NULL);
    step(&k, adam, &s.batch[1], 1, NULL); /* allocates Adam's moments and the runtime's threads */
    tl_set_threads(1);
    long told = 0;
    for (int i = 0; i < SHAPES; i++) {
        long said = tl_tape_stats_of(k.tape).allocations, asked = step(&k, adam, &s.batch[i], 2, NULL);
        long more = tl_tape_stats_of(k.tape).allocations - said;
        ck_assert_msg(asked == more, "%ld requests, but the tape says %ld", asked, more);
        told += more;
    }
    ck_assert_int_gt(told, 0);
    tl_adam_free(adam);
    shapes_end(&s);
    bench_end(&k);
#else
    TL_SKIP("memory: requests cannot be counted here (sanitizer, LLVM's OpenMP, or not glibc)");
#endif
}
END_TEST

START_TEST(decoding_seen_before_allocates_nothing) {
    bench k = bench_begin(&dropping);
    shapes s = shapes_begin();
    tl_tape_stats first = {0};
    for (int number = 0; number < 3 * SHAPES; number++) {
        const tl_batch *b = &s.batch[number % SHAPES];
        tl_search_result r;
        long before = requests;
        tl_tape_reset(k.tape);
        bool ok = tl_search(&k.model.model, k.tape, b,
                            &(tl_search_options){.beam = 1, .bos = 1, .eos = 2, .no_cache = _i}, &r);
        long asked = requests - before;
        ck_assert_msg(ok, "%s", tl_tape_error(k.tape));
        tl_tape_stats now = tl_tape_stats_of(k.tape);
        if (number < SHAPES) {
            first = now;
            continue;
        }
        ck_assert_int_eq(now.allocations, first.allocations);
        ck_assert_uint_eq(now.peak, first.peak);
        ck_assert_int_eq(asked, 0);
    }
    shapes_end(&s);
    bench_end(&k);
}
END_TEST

/* ---- nested lifetimes ---- */

/* Decodes, validates, and looks at both, inside a step; then releases everything. */
static void interrupt(bench *k, const tl_batch *b) {
    int nodes = tl_tape_stats_of(k->tape).nodes;
    size_t used = tl_tape_stats_of(k->tape).used;
    bool training = tl_tape_training(k->tape);
    tl_mark mark = tl_tape_mark(k->tape);
    tl_search_result r;
    ck_assert_msg(
        tl_search(&k->model.model, k->tape, b, &(tl_search_options){.beam = 1, .bos = 1, .eos = 2}, &r), "%s",
        tl_tape_error(k->tape));
    ck_assert_int_eq(r.sentences, b->sentences);
    ck_assert_int_eq(tl_tape_training(k->tape), training);
    const long step = tl_tape_set_training(k->tape, 0);
    bool grad = tl_tape_set_grad(k->tape, false);
    tl_mark inner = tl_tape_mark(k->tape);
    ck_assert(isfinite(tl_item(tl_value(tl_transformer_loss(&k->model, k->tape, b)))));
    tl_tape_release(k->tape, inner);
    ck_assert(tl_tape_set_grad(k->tape, grad) == false);
    ck_assert_int_eq(tl_tape_set_training(k->tape, step), 0);
    tl_tape_release(k->tape, mark);
    ck_assert_int_eq(tl_tape_stats_of(k->tape).nodes, nodes);
    ck_assert_uint_eq(tl_tape_stats_of(k->tape).used, used);
}

/* One step with interruptions at the places whose bits are set: before, between encoder and decoder, between forward
 * and backward, after backward. */
static double interrupted_step(bench *k, const tl_batch *b, const tl_batch *other, int places) {
    tl_tape_reset(k->tape);
    tl_tape_set_training(k->tape, 4);
    tl_zero_grad(k->params);
    if (places & 1) interrupt(k, other);
    tl_var memory = tl_transformer_encode(&k->model, k->tape, b, NULL);
    if (places & 2) interrupt(k, other);
    tl_var hidden = tl_transformer_decode(&k->model, k->tape, b, memory, NULL);
    tl_var loss = tl_cross_entropy(tl_transformer_logits(&k->model, hidden), b->tgt_out,
                                   &(tl_loss_options){.ignore = true, .ignore_id = b->pad}, NULL);
    if (places & 4) interrupt(k, other);
    ck_assert_msg(tl_backward(loss), "%s", tl_tape_error(k->tape));
    if (places & 8) interrupt(k, other);
    return tl_item(tl_value(loss));
}

START_TEST(a_nested_lifetime_leaves_no_trace) {
    bench k = bench_begin(&dropping);
    shapes s = shapes_begin();
    double loss = interrupted_step(&k, &s.batch[0], &s.batch[2], 0);
    gradients g = gradients_of(k.params);
    for (int places = 1; places < 16; places++) {
        ck_assert_double_eq(loss, interrupted_step(&k, &s.batch[0], &s.batch[2], places));
        assert_same_gradients(k.params, &g, "a step with decoding inside");
    }
    tl_tape_stats before = tl_tape_stats_of(k.tape); /* the second time costs no memory */
    interrupted_step(&k, &s.batch[0], &s.batch[2], 15);
    ck_assert_uint_eq(tl_tape_stats_of(k.tape).peak, before.peak);
    ck_assert_int_eq(tl_tape_stats_of(k.tape).allocations, before.allocations);
    gradients_free(&g);
    shapes_end(&s);
    bench_end(&k);
}
END_TEST

static void say_words(bench *k, const tl_batch *b, int words) {
    tl_search_result r;
    ck_assert(tl_search(&k->model.model, k->tape, b,
                        &(tl_search_options){.beam = 1, .bos = 1, .eos = -1, .max_extra = words}, &r));
    ck_assert_int_eq(r.lengths[0], words);
}
START_TEST(decoding_many_words_takes_no_more_than_a_few) { /* a step's values are released, the caches stay */
    /* memory per word: keys and values in two layers, an id, a part of the widest row of scores */
    size_t word = 3 * (2 * 2 * 8 * sizeof(tl_real) + sizeof(int)) + 3 * 2 * 4 * sizeof(tl_real);
    ck_assert_uint_le(memory_of_400_words(say_words), 400 * word * 3 / 2);
}
END_TEST

START_TEST(out_of_memory_leaves_everything_usable) {
    bench k = bench_begin(&dropping);
    shapes s = shapes_begin();
    tl_adam *adam = tl_adam_new(k.params, NULL);
    step(&k, adam, &s.batch[1], 1, NULL);
    tl_tape_set_limit(k.tape, tl_tape_stats_of(k.tape).reserved + 1);
    tl_tape_reset(k.tape);
    tl_tape_set_training(k.tape, 2);
    tl_batch large[40];
    int failed = -1;
    for (int i = 0; i < 40; i++)
        large[i] = batch_of((sentence[]){{0, 60, 60}, {1, 60, 60}, {2, 60, 60}}, 3, 13, 0, 0);
    for (int i = 0; i < 40 && failed < 0; i++)
        if (!tl_ok(tl_transformer_loss(&k.model, k.tape, &large[i]))) failed = i;
    for (int i = 0; i < 40; i++) batch_free(&large[i]);
    ck_assert_int_ge(failed, 0);
    assert_contains(tl_tape_error(k.tape), "out of memory");
    tl_tape_clear_error(k.tape);
    step(&k, adam, &s.batch[1], 2, NULL); /* a step that fits works as if nothing had happened */
    tl_adam_free(adam);
    shapes_end(&s);
    bench_end(&k);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, steps_of_shapes_seen_before_allocate_nothing, 0, 2);
    tcase_add_test(tc, every_request_is_in_the_statistics);
    tcase_add_loop_test(tc, decoding_seen_before_allocates_nothing, 0, 2);
    tcase_add_test(tc, a_nested_lifetime_leaves_no_trace);
    tcase_add_test(tc, decoding_many_words_takes_no_more_than_a_few);
    tcase_add_test(tc, out_of_memory_leaves_everything_usable);
}

TL_TEST_MAIN("models: memory")
