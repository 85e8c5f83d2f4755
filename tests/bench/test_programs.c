/* The bench programs: they answer requests in JSON, from the command line or line by line, refuse unknown requests and
 * go on, report the right numbers of operations, parameters and tokens, and compute the same products as the peers. */
#define _XOPEN_SOURCE 700
#include "examples/shell.h"
#include "io/scratch.h"
#include "../bench/configurations.h"
#include "../bench/products.h"

#include <math.h>

static char *said;
static void forget(void) { free(said), said = NULL; }

/* Runs a command, in which $P is the folder of the bench programs; returns its exit status. */
static int try(const char *command) {
    int status;
    forget();
    setenv("P", build_folder(), 1);
    said = shell(&status, "P=$P/bench; %s", command);
    return status;
}

/* The command must succeed. */
static void ask(const char *command) {
    int status = try(command);
    ck_assert_msg(status == 0, "%s\nexit status %d\n%s", command, status, said);
}

/* The value of the field `name` in the answer's line (0 is the first). */
static double number(int line, const char *name) {
    char key[64];
    const char *at = said;
    while (line-- > 0 && at) at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL;
    snprintf(key, sizeof key, "\"%s\": ", name);
    const char *found = at ? strstr(at, key) : NULL, *end = at ? strchr(at, '\n') : NULL;
    ck_assert_msg(found && end && found < end, "no %s in\n%s", name, said);
    return strtod(found + strlen(key), NULL);
}

static void assert_refused(const char *command, const char *why) {
    char line[256];
    ck_assert_int_eq(try(command), 1);
    snprintf(line, sizeof line, "{\"error\": \"%s\"}\n", why);
    ck_assert_str_eq(said, line);
}

/* ---- requests ---- */

START_TEST(one_request) {
    ask("$P/step T0 0");
    ck_assert(said[0] == '{' && strstr(said, "}\n") == said + strlen(said) - 2);
    ck_assert_int_eq(number(0, "runs"), 1);
    ck_assert_double_gt(number(0, "ms_median"), 0);
    ck_assert_double_le(number(0, "ms_min"), number(0, "ms_median"));
    ck_assert_double_ge(number(0, "ms_p90"), number(0, "ms_median"));
    assert_refused("$P/step T4 0", "there are T0, T1, T2, T3, and no T4");
    assert_refused("$P/step T0 0 precision=half", "precision is highest, high, medium, not half");
    ask("TL_ISA=base $P/step T0 0");
    assert_contains(said, ", base\"");
    ck_assert_int_eq(try("TL_ISA=mmx $P/step T0 0"), 2);
    assert_contains(said, "TL_ISA: instruction set \"mmx\": this machine and build have base");
    ask("$P/step T0 0 precision=medium threads=1");
    assert_contains(said, tl_threads() > 1 ? ", OpenMP 1 thread" : "\"build\": \"");
    static const char *const programs[] = {"step",     "decode", "gpt",   "mlp",       "lengths", "peak",
                                           "products", "peers",  "curve", "recurrent", "generate"};
    for (int i = 0; i < 11; i++) {
        char command[64], usage[64];
        snprintf(command, sizeof command, "$P/%s --help", programs[i]);
        snprintf(usage, sizeof usage, "usage: %s ", programs[i]);
        ask(command);
        ck_assert_ptr_eq(strstr(said, usage), said);
    }
}
END_TEST

/* With --serve a program keeps its model from one request to the next; a wrong request does not disturb the others. */
START_TEST(line_by_line) {
    ck_assert_int_eq(try("printf 'T0 0\\nT0 0\\n\\nT9 0\\nT0 0 precision=high\\n' | $P/step --serve"), 1);
    double before = number(0, "steps");
    ck_assert_double_gt(number(1, "steps"), before);
    assert_contains(said, "\n{\"error\": \"there are T0, T1, T2, T3, and no T9\"}\n");
    ck_assert_double_gt(number(3, "steps"), number(1, "steps"));
    /* The model learns. */
    ck_assert_double_lt(number(3, "loss_last"), number(0, "loss_first"));
    ask("printf 'T0 0 1\\nT0 0 3 precision=highest words=5\\nT0 0 3\\n' | $P/decode --serve");
    ck_assert_int_eq(number(0, "tokens"), 12);
    ck_assert_int_eq(number(1, "tokens"), 15);
    /* The options of the request before are not kept. */
    ck_assert_int_eq(number(2, "tokens"), 36);
}
END_TEST

/* ---- sizes of the models ---- */

START_TEST(sizes) {
    ask("$P/step T0 0");
    ck_assert_int_eq(number(0, "params"), 180224); /* PyTorch's count of the same model */
    ck_assert_double_eq_tol(number(0, "gflop"), 0.4282, 5e-5);
    ck_assert_int_eq(number(0, "tokens"), 32 * 12);
    ask("$P/recurrent lstm 0");
    ck_assert_double_eq(number(0, "gflop"), 0.805306);
    ck_assert_double_eq(number(0, "params"), 2 * 4 * 128 * (128 + 1));
    assert_refused("$P/recurrent rnn 0", "there are gru, lstm, and no rnn");
    ask("$P/gpt gpt 0");
    ck_assert_int_eq(number(0, "params"), 10000 * 128 + 64 * 128 + 4 * (12 * 128 * 128 + 13 * 128) + 2 * 128);
    ck_assert_int_eq(number(0, "tokens"), 32 * 64);
    ask("$P/generate gpt 0");
    ck_assert_int_eq(number(0, "tokens"), 192);
    ask("$P/generate gpt 0 3");
    ck_assert_int_eq(number(0, "tokens"), 3 * 192);
    assert_refused("$P/generate gpt 0 0", "a number of texts, not 0");
    ask("$P/mlp mlp 0");
    ck_assert_int_eq(number(0, "params"), 784 * 64 + 64 + 64 * 10 + 10);
    ask("$P/lengths 16 0");
    ck_assert_double_eq_tol(number(0, "gflop"), 3e-9 * 4096 * (8.0 * 128 * 128 + 4.0 * 16 * 128), 1e-5);
    ask("$P/peak peak 0");
    ck_assert_double_gt(number(0, "gflops"), 0.1);
    assert_refused("$P/lengths 100 0", "a length must divide 4096, unlike 100");
}
END_TEST

/* ---- products ---- */

/* Element (row, col) of a matrix [rows,cols] that is stored so or transposed. */
static double stored(const double *x, long rows, long cols, bool transposed, long row, long col) {
    return transposed ? x[col * rows + row] : x[row * cols + col];
}

/* The sum of the product's elements (PRODUCT_SUM), computed by three loops. */
static double sum_by_loops(const product_case *p) {
    long as = product_elements(p, 'a'), bs = product_elements(p, 'b'), cs = product_elements(p, 'c');
    double *a = calloc((size_t)(as + bs + cs), sizeof *a), *b = a + as, *c = b + bs, sum = 0;
    ck_assert_ptr_nonnull(a);
    for (long i = 0; i < as + bs; i++)
        a[i] = (float)(tl_rng_uniform(tl_rng_key_of(1, "products"), (uint64_t)i) - 0.5);
    bool scores = p->heads && !strcmp(p->name, "scores"), gradient = p->heads && !strcmp(p->name, "gradient");
    long width = p->h * p->d, square = p->m * p->m;
    for (long item = 0; item < (p->heads ? p->b * p->h : 1); item++)
        for (long i = 0; i < p->m; i++)
            for (long j = 0; j < p->n; j++)
                for (long k = 0; k < p->k; k++) {
                    if (!p->heads) {
                        c[i * p->n + j] += stored(a, p->m, p->k, p->a_transposed, i, k) *
                                           stored(b, p->k, p->n, p->b_transposed, k, j);
                        continue;
                    }
                    /* where the head begins in [B,T,H·d] */
                    long head = item / p->h * p->m * width + item % p->h * p->d;
                    if (scores)
                        c[item * square + i * p->m + j] += a[head + i * width + k] * b[head + j * width + k];
                    else
                        c[head + i * width + j] +=
                            a[item * square + (gradient ? k * p->m + i : i * p->m + k)] *
                            b[head + k * width + j];
                }
    PRODUCT_SUM(c, cs, sum);
    free(a);
    return sum;
}

static const char *const products[][2] = {
    {"9x17x33", "NN"},     {"9x17x33", "NT"},      {"9x17x33", "TN"},      {"9x17x33", "TT"},
    {"2x3x4x5", "scores"}, {"2x3x4x5", "context"}, {"2x3x4x5", "gradient"}};

START_TEST(same_products) {
    char command[128];
    request r = {.word = {(char *)products[_i][0]}, .words = 1, .options = 1};
    char option[32];
    product_case p;
    snprintf(option, sizeof option, "case=%s", products[_i][1]);
    r.option[0] = option;
    ck_assert(product_case_of(&r, &p));
    double expected = sum_by_loops(&p);
    snprintf(command, sizeof command, "$P/products %s 0 case=%s", products[_i][0], products[_i][1]);
    ask(command);
    ck_assert_double_eq_tol(number(0, "sum"), expected, 1e-4 * (1 + fabs(expected)));
    ck_assert_double_eq_tol(number(0, "gflop"), 1e-9 * product_flop(&p), 1e-12);
    static const char *const peers[] = {"openblas", "onednn"};
    for (int i = 0; i < 2; i++) {
        snprintf(command, sizeof command, "$P/peers %s %s 0 case=%s", peers[i], products[_i][0],
                 products[_i][1]);
        int status = try(command);
        if (strstr(said, "not installed")) {
            TL_SKIP("%s is not installed", peers[i]);
            continue;
        }
        ck_assert_int_eq(status, p.heads);
        if (p.heads)
            assert_contains(said, "sgemm takes one matrix, not 2x3x4x5");
        else
            ck_assert_double_eq_tol(number(0, "sum"), expected, 1e-4 * (1 + fabs(expected)));
    }
}
END_TEST

START_TEST(refused_products) {
    assert_refused("$P/products 9x17 0", "not a shape and one of NN, NT, TN, TT: 9x17");
    assert_refused("$P/products 9x0x17 0", "not a shape: 9x0x17");
    assert_refused("$P/products 9x9x17 0 case=NX", "not a shape and one of NN, NT, TN, TT: 9x9x17");
    assert_refused("$P/products 2x3x4x5 0 case=NN",
                   "of heads there are scores, context, gradient, and no NN");
    assert_refused("$P/peers mkl 9x9x9 0", "peers: openblas or onednn, not mkl");
}
END_TEST

/* ---- the file with which both sides of the loss curve begin ---- */

START_TEST(curve) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "start.safetensors");
    char command[256];
    snprintf(command, sizeof command, "$P/curve T0 3 file=%s", path);
    ask(command);
    double first, second, third;
    ck_assert_int_eq(sscanf(said, "1 %lf 2 %lf 3 %lf", &first, &second, &third), 3);
    ck_assert_double_eq_tol(first, log(200), 0.6); /* that of uniform probabilities */
    ck_assert(second < first && third < second);
    tl_error error = {""};
    tl_safetensors *file = tl_safetensors_open(path, &error);
    ck_assert_msg(file != NULL, "%s", error.message);
    enum { N = 8 * 32 * 12 };
    static tl_real source[N], in[N], out[N];
    tl_shape shape = TL_SHAPE(8, 32, 12);
    ck_assert(tl_safetensors_read(file, "source", tl_tensor_of(source, shape), &error) &&
              tl_safetensors_read(file, "tgt_in", tl_tensor_of(in, shape), &error) &&
              tl_safetensors_read(file, "tgt_out", tl_tensor_of(out, shape), &error));
    for (int row = 0; row < N; row += 12) {
        int words = 0;
        while (words < 12 && source[row + words] >= 3) words++;
        ck_assert(words >= 6 && words < 12);
        /* The target is the source reversed, with <bos> before it in tgt_in and <eos> after it in tgt_out, then
         * padding. */
        for (int i = 0; i < 12; i++) {
            ck_assert_int_eq(in[row + i], i == 0 ? 1 : i <= words ? source[row + words - i] : 0);
            ck_assert_int_eq(out[row + i], i < words ? source[row + words - 1 - i] : i == words ? 2 : 0);
            ck_assert(i < words || source[row + i] == 0);
        }
    }
    /* A model with the file's weights has the first loss on the first batch, without dropout. */
    const configuration *c = configuration_of("T0");
    tl_transformer_config config = model_of(c);
    tl_batch batch = random_batch(c, 0);
    int *ids[] = {(int *)batch.src, (int *)batch.tgt_in, (int *)batch.tgt_out};
    int *lengths[] = {(int *)batch.src_lengths, (int *)batch.tgt_lengths};
    memset(lengths[0], 0, 32 * sizeof(int)), memset(lengths[1], 0, 32 * sizeof(int));
    for (int i = 0; i < 32 * 12; i++) {
        ids[0][i] = (int)source[i], ids[1][i] = (int)in[i], ids[2][i] = (int)out[i];
        lengths[0][i / 12] += source[i] != 0, lengths[1][i / 12] += out[i] != 0;
    }
    tl_params *params = tl_params_new(2); /* another seed: the weights come from the file */
    tl_transformer model = tl_transformer_init(params, "", &config);
    for (int i = 0; i < tl_params_count(params); i++) {
        const tl_param *p = tl_params_at(params, i);
        ck_assert_msg(tl_safetensors_read(file, p->leaf.name, tl_param_value(p), &error), "%s",
                      error.message);
    }
    tl_tape *tape = tl_tape_new();
    ck_assert_double_eq_tol(tl_item(tl_value(tl_transformer_loss(&model, tape, &batch))), first, 1e-5);
    tl_tape_free(tape);
    tl_params_free(params);
    free(ids[0]);
    tl_safetensors_close(file);
    scratch_remove(&s);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_checked_fixture(tc, NULL, forget);
    tcase_add_test(tc, one_request);
    tcase_add_test(tc, line_by_line);
    tcase_add_test(tc, sizes);
    tcase_add_loop_test(tc, same_products, 0, (int)(sizeof products / sizeof *products));
    tcase_add_test(tc, refused_products);
    tcase_add_test(tc, curve);
}

TL_TEST_MAIN("bench: programs")
