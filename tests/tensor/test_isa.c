/* The instruction set in use: the best one, or the one that is asked for by name. */
#define _POSIX_C_SOURCE 200809L /* setenv */
#include "check.h"
#include "tapeloom/autograd.h"
#include "tensor/kernels/kernels.h"
#include "tensor/product.h"

static const char *const names[] = {"base", "avx2", "avx512", "amx"};

START_TEST(best_until_told) {
    const tl_kernels *best = tl_kernels_pick();
    ck_assert_ptr_eq(tl_kernels_pick(), best);
    assert_contains(tl_build_text(), best->isa);
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) ck_assert_str_ne(best->isa, "base");
#endif
}
END_TEST

static void best_of_all(const tl_kernels *found) {
    const tl_kernels *best = found;
    for (int i = 0; i < 4; i++)
        if (tl_set_isa(names[i], NULL)) best = tl_kernels_pick();
    ck_assert_ptr_eq(found, best);
}

/* Names are in order, so the last one that is available is the best. */
START_TEST(each_by_its_name) {
    const tl_kernels *best = tl_kernels_pick(), *last = NULL;
    int here = 0;
    for (int i = 0; i < 4; i++) {
        tl_error error = {""};
        const tl_kernels *before = tl_kernels_pick();
        if (tl_set_isa(names[i], &error)) {
            ck_assert_str_eq(error.message, "");
            last = tl_kernels_pick();
            ck_assert_int_eq(strncmp(last->isa, names[i], strlen(names[i])), 0); /* avx512+bf16 is avx512 */
            assert_contains(tl_build_text(), names[i]);
            here++;
        } else {
            ck_assert_ptr_eq(tl_kernels_pick(), before);
            assert_contains(error.message, names[i]);
            assert_contains(error.message, ": this machine and build have base");
        }
    }
    ck_assert_int_ge(here, 1);
    ck_assert_ptr_eq(last, best);
}
END_TEST

/* Before any other call. */
START_TEST(forced_first) {
    ck_assert(tl_set_isa("base", NULL));
    ck_assert_str_eq(tl_kernels_pick()->isa, "base");
    for (int p = 0; p < 3; p++) ck_assert_ptr_eq(tl_kernels_pick()->weights[p], tl_kernels_pick()->product);
}
END_TEST

START_TEST(unknown_names) {
    static const char *const wrong[] = {"", "AVX2", "avx", "avx2 ", "avx512+bf16"};
    for (int i = 0; i < 5; i++) {
        tl_error error = {""};
        ck_assert(!tl_set_isa(wrong[i], &error));
        ck_assert(!strchr(error.message, '\n'));
        assert_contains(error.message, "instruction set \"");
        assert_contains(error.message, "base");
    }
}
END_TEST

/* The first caller reads the environment; later ones do not. */
START_TEST(of_the_environment) {
    tl_error error = {""};
    setenv("TL_ISA", "base", 1);
    ck_assert(tl_kernels_check_name(&error));
    ck_assert_str_eq(tl_kernels_pick()->isa, "base");
    unsetenv("TL_ISA");
    ck_assert_str_eq(tl_kernels_pick()->isa, "base");
    ck_assert(tl_kernels_check_name(&error));
    setenv("TL_ISA", "", 1);
    ck_assert(tl_kernels_check_name(&error));
    ck_assert_str_eq(error.message, "");
}
END_TEST

START_TEST(empty_is_none) {
    setenv("TL_ISA", "", 1);
    const tl_kernels *found = tl_kernels_pick();
    best_of_all(found);
}
END_TEST

/* If the environment names a set that is not available, the best one is used, and each tape fails with a list. */
START_TEST(a_wrong_environment) {
    tl_error error = {""};
    setenv("TL_ISA", "sse9", 1);
    best_of_all(tl_kernels_pick());
    ck_assert(!tl_kernels_check_name(&error));
    ck_assert_int_eq(strncmp(error.message, "TL_ISA: instruction set \"sse9\": ", 32), 0);
    tl_tape *tape = tl_tape_new();
    ck_assert_str_eq(tl_tape_error(tape), error.message);
    tl_tape_free(tape);
}
END_TEST

START_TEST(names_of_precisions) {
    static const char *const known[] = {"highest", "high", "medium"};
    tl_matmul_precision p = TL_MEDIUM;
    for (int i = 0; i < 3; i++) {
        ck_assert(tl_matmul_precision_of(known[i], &p));
        ck_assert_int_eq((int)p, i);
        ck_assert_str_eq(tl_matmul_precision_name(p), known[i]);
    }
    p = TL_HIGH;
    ck_assert(!tl_matmul_precision_of("low", &p) && !tl_matmul_precision_of("", &p));
    ck_assert(!tl_matmul_precision_of(NULL, &p) && !tl_matmul_precision_of("Medium", &p));
    ck_assert_int_eq(p, TL_HIGH);
}
END_TEST

/* Where the processor has nothing faster, a precision uses the next more exact one; plain products ignore it. */
START_TEST(which_kernels_serve_which_precision) {
    enum { N = 40 };
    static tl_real memory[4][N * N];
    for (int i = 0; i < N * N; i++)
        for (int m = 0; m < 2; m++)
            memory[m][i] = (tl_real)(tl_rng_uniform(tl_rng_key_of(1, "x"), (uint64_t)(2 * i + m)) - 0.5);
    tl_tensor t[4];
    for (int m = 0; m < 4; m++) t[m] = tl_tensor_of(memory[m], TL_SHAPE(N, N));
    tl_workspace w = {0};
    for (int s = 0; s < 4; s++) {
        if (!tl_set_isa(names[s], NULL)) continue;
        const tl_kernels *k = tl_kernels_pick();
        const bool amx = strcmp(k->isa, "amx") == 0, bf16 = strcmp(k->isa, "avx512+bf16") == 0;
        ck_assert_int_eq(k->product->unit, 1);
        for (int p = 0; p < 3; p++) {
            const bool faster = amx || (bf16 && p == TL_MEDIUM);
            ck_assert_int_eq(k->weights[p]->unit > 1, faster);
            ck_assert_int_eq(tl_product_in_groups((tl_matmul_precision)p), amx);
            if (amx) ck_assert_int_eq(k->weights[p]->terms, 3 - p);
            const tl_product_options asked = {.precision = (tl_matmul_precision)p},
                                     plain = {.precision = (tl_matmul_precision)p, .plain = true};
            ck_assert(tl_product(t[2], t[0], t[1], &asked, &w));
            ck_assert(tl_product_with(k->weights[p], t[3], t[0], t[1], NULL, &w));
            ck_assert_int_eq(memcmp(memory[2], memory[3], sizeof memory[2]), 0);
            ck_assert(tl_product(t[2], t[0], t[1], &plain, &w));
            ck_assert_int_eq(memcmp(memory[2], memory[3], sizeof memory[2]) == 0, !faster);
            ck_assert(tl_product_with(k->product, t[3], t[0], t[1], NULL, &w));
            ck_assert_int_eq(memcmp(memory[2], memory[3], sizeof memory[2]), 0);
        }
        ck_assert(tl_product(t[2], t[0], t[1], NULL, &w)); /* NULL options: highest */
        ck_assert(tl_product_with(k->weights[TL_HIGHEST], t[3], t[0], t[1], NULL, &w));
        ck_assert_int_eq(memcmp(memory[2], memory[3], sizeof memory[2]), 0);
    }
    tl_workspace_free(&w);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, best_until_told);
    tcase_add_test(tc, each_by_its_name);
    tcase_add_test(tc, forced_first);
    tcase_add_test(tc, unknown_names);
    tcase_add_test(tc, of_the_environment);
    tcase_add_test(tc, empty_is_none);
    tcase_add_test(tc, a_wrong_environment);
    tcase_add_test(tc, names_of_precisions);
    tcase_add_test(tc, which_kernels_serve_which_precision);
}

TL_TEST_MAIN("tensor: instruction sets and precisions")
