/* Rounding errors of products with weights, against float64, for each precision and each instruction set of this
 * machine.
 *
 *     build/bench/errors        prints root mean square and largest |y - exact| / (|x|·|w|) of [64,K]·[64,K]ᵀ
 *
 * |x|·|w| is the same product of absolute values. Rounding errors are proportional to it, even where terms cancel.
 * Data: normal; log-normal (many magnitudes, half of the numbers negative); cancelling (the second half of each sum is
 * the first half negated, changed by a thousandth). */
#include <tapeloom.h>

#include <math.h>
#include <stdlib.h>

enum { LINES = 64, KINDS = 3, MOST_K = 10000 };
static const char *const kinds[KINDS] = {"normal", "log-normal", "cancelling"};
static const long depths[] = {64, 1024, MOST_K};

static double number(int kind, tl_rng_key key, uint64_t i) {
    const double x = tl_rng_normal(key, 2 * i);
    return kind == 1 ? copysign(exp(2 * tl_rng_normal(key, 2 * i + 1)), x) : x;
}

static void fill(int kind, tl_tensor x, tl_tensor w) {
    const tl_rng_key of_x = tl_rng_key_of(1, "x"), of_w = tl_rng_key_of(1, "w");
    const long depth = x.dim[1];
    for (long i = 0; i < LINES * depth; i++) {
        x.data[i] = (tl_real)number(kind, of_x, (uint64_t)i);
        w.data[i] = (tl_real)number(kind, of_w, (uint64_t)i);
    }
    for (long l = 0; l < LINES && kind == 2; l++)
        for (long p = 0; p < depth / 2; p++) {
            const double near = x.data[l * depth + p],
                         more = 1 + 0.001 * tl_rng_normal(of_x, (uint64_t)(l * depth + p));
            x.data[l * depth + depth / 2 + p] = (tl_real)(near * more);
            w.data[l * depth + depth / 2 + p] = -w.data[l * depth + p];
        }
}

/* False, with a message on standard error, if the tape has failed. */
static bool measure(tl_tape *tape, tl_tensor x, tl_tensor w, double *rms, double *most) {
    const long depth = x.dim[1];
    tl_tape_reset(tape);
    tl_tensor y = tl_value(tl_linear(tl_constant(tape, x), tl_constant(tape, w), TL_NO_VAR));
    if (!y.data) return fprintf(stderr, "errors: %s\n", tl_tape_error(tape)), false;
    *rms = *most = 0;
    for (long i = 0; i < LINES; i++)
        for (long j = 0; j < LINES; j++) {
            double exact = 0, size = 0;
            for (long p = 0; p < depth; p++) {
                const double product = (double)x.data[i * depth + p] * (double)w.data[j * depth + p];
                exact += product, size += fabs(product);
            }
            const double error = fabs((double)y.data[i * LINES + j] - exact) / size;
            *rms += error * error / (LINES * LINES);
            *most = fmax(*most, error);
        }
    *rms = sqrt(*rms);
    return true;
}

static bool print_rows(tl_tape *tape, const char *set, tl_tensor x, tl_tensor w, const char *kind) {
    for (int p = TL_HIGHEST; p <= TL_MEDIUM; p++) {
        double rms, most;
        tl_tape_set_matmul_precision(tape, (tl_matmul_precision)p);
        if (!measure(tape, x, w, &rms, &most)) return false;
        printf("| %-6s | %-7s | %-10s | %5ld | %.1e | %.1e |\n", set,
               tl_matmul_precision_name((tl_matmul_precision)p), kind, x.dim[1], rms, most);
    }
    return true;
}

int main(void) {
    static const char *const sets[] = {"base", "avx2", "avx512", "amx"};
    tl_real *memory = malloc(2 * sizeof *memory * LINES * MOST_K);
    tl_tape *tape = tl_tape_new();
    bool ok = memory && tape;
    if (!ok) fprintf(stderr, "errors: out of memory\n");
    if (ok)
        printf("%s\n\n| set    | mode    | data       | K     | rms     | largest "
               "|\n|---|---|---|---|---|---|\n",
               tl_build_text());
    for (int s = 0; s < 4 && ok; s++) {
        if (!tl_set_isa(sets[s], NULL)) continue;
        for (int kind = 0; kind < KINDS && ok; kind++)
            for (int d = 0; d < 3 && ok; d++) {
                tl_tensor x = tl_tensor_of(memory, TL_SHAPE(LINES, depths[d]));
                tl_tensor w = tl_tensor_of(memory + LINES * depths[d], TL_SHAPE(LINES, depths[d]));
                fill(kind, x, w);
                ok = print_rows(tape, sets[s], x, w, kinds[kind]);
            }
    }
    tl_tape_free(tape);
    free(memory);
    return ok ? 0 : 1;
}
