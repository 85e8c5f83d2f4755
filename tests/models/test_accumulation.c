/* Gradient accumulation: losses summed over micro-batches of any size and padding, with gradients divided once by the
 * number of all tokens, give the gradients of the whole batch. */
#include "model.h"

/* The number of sentences in each micro-batch; 0 ends the row. */
static const int cuts[][ALL_SENTENCES + 1] = {
    {5, 4, 3}, {12}, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, {1, 11}, {6, 6}};
enum { CUTS = sizeof cuts / sizeof *cuts };

static const tl_transformer_config summed[] = {{.src_vocab = 29,
                                                .tgt_vocab = 29,
                                                .tie = TL_TIE_ALL,
                                                .d_model = 16,
                                                .heads = 2,
                                                .layers = 2,
                                                .d_ff = 32,
                                                .max_len = 64,
                                                .label_smoothing = 0.1},
                                               {.src_vocab = 29,
                                                .tgt_vocab = 23,
                                                .tie = TL_TIE_NONE,
                                                .d_model = 16,
                                                .heads = 4,
                                                .layers = 1,
                                                .d_ff = 32,
                                                .max_len = 64,
                                                .pre_norm = true,
                                                .activation = TL_GELU,
                                                .positions = TL_LEARNED,
                                                .output_bias = true}};

/* Gradients of the mean loss over all sentences at once. */
static gradients of_one_batch(bench *k, double *loss) {
    tl_batch b = batch_of(sentences, ALL_SENTENCES, 23, 0, 0);
    tl_tape_reset(k->tape);
    tl_zero_grad(k->params);
    tl_var y = tl_transformer_loss(&k->model, k->tape, &b);
    ck_assert_msg(tl_backward(y), "%s", tl_tape_error(k->tape));
    *loss = tl_item(tl_value(y));
    batch_free(&b);
    return gradients_of(k->params);
}

/* The same by micro-batches, each padded to its own size and a little more. Returns the number of real targets. */
static long accumulate(bench *k, const int *cut, double *loss) {
    long tokens = 0;
    *loss = 0;
    tl_zero_grad(k->params);
    for (int i = 0, from = 0; cut[i]; from += cut[i++]) {
        tl_batch b = batch_of(sentences + from, cut[i], 23, 0, 0),
                 padded = batch_of(sentences + from, cut[i], 23, b.src_len + i % 3, b.tgt_len + i % 2);
        tl_loss_report report;
        tl_tape_reset(k->tape);
        tl_var y =
            tl_model_loss(&k->model.model, k->tape, &padded, &(tl_loss_options){.divisor = 1}, &report, NULL);
        ck_assert_msg(tl_backward(y), "%s", tl_tape_error(k->tape));
        ck_assert_int_eq(report.count, padded.tgt_tokens);
        *loss += tl_item(tl_value(y));
        tokens += report.count;
        batch_free(&b);
        batch_free(&padded);
    }
    tl_scale_grad(k->params, 1 / (double)tokens);
    *loss /= (double)tokens;
    return tokens;
}

/* The largest difference, relative to the tensor's largest element. */
static double off(tl_tensor want, tl_tensor have) {
    double largest = 0, worst = 0;
    for (long i = 0; i < tl_numel(want); i++) {
        largest = fmax(largest, fabs((double)want.data[i]));
        double difference = fabs((double)want.data[i] - (double)have.data[i]);
        if (!(difference <= worst)) worst = difference;
    }
    ck_assert_double_gt(largest, 0);
    return worst / largest;
}

START_TEST(micro_batches_equal_the_big_batch) {
    const double allowed = sizeof(tl_real) == 4 ? 1e-6 : 1e-12;
    bench k = bench_begin(&summed[_i / CUTS]);
    double loss, loss_of_parts, worst = 0;
    const char *where = "";
    gradients g = of_one_batch(&k, &loss);
    long tokens = accumulate(&k, cuts[_i % CUTS], &loss_of_parts);
    ck_assert_int_eq(tokens, 91);
    ck_assert_double_eq_tol(loss_of_parts, loss, allowed * loss);
    for (int i = 0; i < g.count; i++) {
        tl_param *p = tl_params_at(k.params, i);
        double this = off(g.grad[i], tl_param_grad(p));
        if (!(this <= worst)) worst = this, where = p->leaf.name;
    }
    ck_assert_msg(worst <= allowed, "gradient of %s: off by %.3g of its largest element", where, worst);
    gradients_free(&g);
    bench_end(&k);
}
END_TEST

/* Shows that the test above can fail: dividing each micro-batch by its own tokens is wrong. */
START_TEST(means_of_means_would_not_do) {
    bench k = bench_begin(&summed[0]);
    double loss;
    gradients g = of_one_batch(&k, &loss);
    tl_zero_grad(k.params);
    for (int i = 0; i < 2; i++) {
        tl_batch b = batch_of(sentences + 5 * i, i ? 7 : 5, 23, 0, 0);
        tl_tape_reset(k.tape);
        ck_assert(tl_backward(tl_transformer_loss(&k.model, k.tape, &b)));
        batch_free(&b);
    }
    tl_scale_grad(k.params, 0.5);
    double worst = 0;
    for (int i = 0; i < g.count; i++)
        worst = fmax(worst, off(g.grad[i], tl_param_grad(tl_params_at(k.params, i))));
    ck_assert_double_gt(worst, 1e-2);
    gradients_free(&g);
    bench_end(&k);
}
END_TEST

START_TEST(a_micro_batch_without_targets_adds_nothing) { /* loss 0, count 0, gradients as they were */
    bench k = bench_begin(&summed[_i]);
    double loss;
    gradients g = of_one_batch(&k, &loss);
    tl_batch b = batch_of((sentence[]){{0, 4, 0}, {1, 0, 0}}, 2, 23, 0, 3);
    for (int divisor = 0; divisor < 2; divisor++) {
        tl_loss_report report = {.count = 7, .correct = 7, .nll = 7};
        tl_tape_reset(k.tape);
        tl_var y =
            tl_model_loss(&k.model.model, k.tape, &b, &(tl_loss_options){.divisor = divisor}, &report, NULL);
        ck_assert_double_eq(tl_item(tl_value(y)), 0);
        ck_assert(report.count == 0 && report.correct == 0 && report.nll == 0);
        ck_assert_msg(tl_backward(y), "%s", tl_tape_error(k.tape));
        assert_same_gradients(k.params, &g, "a micro-batch without targets");
    }
    gradients_free(&g);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

START_TEST(micro_batches_drop_different_things) { /* and together the same, whatever else is on the tape */
    tl_transformer_config config = summed[0];
    config.dropout = 0.2;
    bench k = bench_begin(&config);
    tl_batch b = batch_of(sentences, 3, 23, 0, 0);
    double loss[2][3];
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 3; i++) {
            int micro_batch = round ? 2 - i : i; /* the order does not matter: each has its own stream */
            tl_tape_reset(k.tape);
            tl_tape_set_training(k.tape, 8);
            tl_tape_set_micro_batch(k.tape, micro_batch);
            loss[round][micro_batch] = tl_item(tl_value(tl_transformer_loss(&k.model, k.tape, &b)));
        }
    for (int i = 0; i < 3; i++) {
        ck_assert_double_eq(loss[0][i], loss[1][i]);
        ck_assert_double_ne(loss[0][i], loss[0][(i + 1) % 3]);
    }
    batch_free(&b);
    bench_end(&k);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, micro_batches_equal_the_big_batch, 0, 2 * CUTS);
    tcase_add_test(tc, means_of_means_would_not_do);
    tcase_add_loop_test(tc, a_micro_batch_without_targets_adds_nothing, 0, 2);
    tcase_add_test(tc, micro_batches_drop_different_things);
}

TL_TEST_MAIN("models: gradient accumulation")
