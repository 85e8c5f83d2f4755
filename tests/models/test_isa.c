/* One training step of a model under every instruction set and matrix precision of this machine. Each gives the same
 * bits every time, all agree within the precision's bounds, and those that must be equal are equal. */
#include "model.h"
#include "tensor/kernels/kernels.h"

static const char *const sets[] = {"base", "avx2", "avx512", "amx"};
enum { SETS = 4, PRECISIONS = 3 };

/* Loss and all gradients. */
typedef struct step_result {
    double loss;
    long count;
    tl_real *gradient;
} step_result;

static step_result take_step(const tl_transformer_config *config, tl_matmul_precision precision) {
    bench k = bench_begin(config);
    tl_tape_set_matmul_precision(k.tape, precision);
    tl_batch b = batch_of(sentences, ALL_SENTENCES, config->src_vocab, 0, 0);
    step_result r = {.loss = tl_item(tl_value(bench_step(&k, &b, 1, NULL)))};
    r.gradient = malloc((size_t)tl_params_numel(k.params) * sizeof *r.gradient);
    for (int i = 0; i < tl_params_count(k.params); i++) {
        const tl_leaf *leaf = &tl_params_at(k.params, i)->leaf;
        memcpy(r.gradient + r.count, leaf->grad, (size_t)tl_numel(leaf->value) * sizeof *r.gradient);
        r.count += tl_numel(leaf->value);
    }
    batch_free(&b);
    bench_end(&k);
    return r;
}

static bool same(const step_result *x, const step_result *y) {
    return x->loss == y->loss &&
           memcmp(x->gradient, y->gradient, (size_t)x->count * sizeof *x->gradient) == 0;
}

/* |x - y| / |y| of the whole gradient */
static double distance(const step_result *x, const step_result *y) {
    double apart = 0, size = 0;
    for (long i = 0; i < x->count; i++) {
        const double to = (double)y->gradient[i], d = (double)x->gradient[i] - to;
        apart += d * d, size += to * to;
    }
    return sqrt(apart / size);
}

/* The last model is wide enough for blocked products. The bounds are relative, for the loss and for the gradient. */
START_TEST(a_step) {
    static const double loss_bound[] = {2e-6, 1e-4, 1e-2}, gradient_bound[] = {1e-4, 1e-3, 0.1};
    const tl_transformer_config *config = &models[_i];
    step_result first = {0}, fused = {0};
    for (int s = 0; s < SETS; s++) {
        if (!tl_set_isa(sets[s], NULL)) continue;
        step_result highest = {0};
        for (int p = 0; p < PRECISIONS; p++) {
            const bool faster = tl_kernels_pick()->weights[p]->unit > 1;
            step_result now = take_step(config, (tl_matmul_precision)p),
                        again = take_step(config, (tl_matmul_precision)p);
            must_msg(same(&now, &again), "%s, %s: two steps differ", sets[s],
                     tl_matmul_precision_name((tl_matmul_precision)p));
            free(again.gradient);
            if (!first.gradient) first = now;
            const double loss = fabs(now.loss - first.loss) / first.loss, gradient = distance(&now, &first);
            must_msg(loss <= loss_bound[p] && gradient <= gradient_bound[p],
                     "%s, %s: loss %g apart, gradient %g", sets[s],
                     tl_matmul_precision_name((tl_matmul_precision)p), loss, gradient);
            if (p == TL_HIGHEST) highest = now;
            if (p != TL_HIGHEST && !faster) must(same(&now, &highest));
            if (p != TL_HIGHEST && faster) must(!same(&now, &highest));
            if (p == TL_HIGHEST && !faster && tl_kernels_pick()->product->fused) {
                if (!fused.gradient) fused = now; /* the width of vectors makes no difference */
                must_msg(same(&now, &fused), "%s is another fused set", sets[s]);
            }
            if (p != TL_HIGHEST) free(now.gradient);
        }
        if (highest.gradient != first.gradient && highest.gradient != fused.gradient) free(highest.gradient);
    }
    if (fused.gradient != first.gradient) free(fused.gradient);
    free(first.gradient);
}
END_TEST

static void add_tests(TCase *tc) { tcase_add_loop_test(tc, a_step, 0, MODELS); }

TL_TEST_MAIN("models: instruction sets")
