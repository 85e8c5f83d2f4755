/* Printing and reading do not depend on a locale with a decimal comma: scores, tensors, messages, logs. */
#define _XOPEN_SOURCE 700
#include "comma.h"

#include <tapeloom.h>

static scratch here;
static void enter(void) { here = scratch_new(); }
static void leave(void) { scratch_remove(&here); }

static void under_a_comma(void (*test)(void)) {
    char text[16];
    if (!set_comma(&here)) return;
    snprintf(text, sizeof text, "%.1f", 1.5);
    ck_assert_str_eq(text, "1,5"); /* the program's locale has a comma */
    test();
    snprintf(text, sizeof text, "%.1f", 1.5);
    ck_assert_str_eq(text, "1,5"); /* the library has not changed it */
}

static void print_scores(void) {
    char text[TL_BLEU_TEXT], chrf_text[TL_CHRF_TEXT];
    tl_bleu *bleu = tl_bleu_new(NULL);
    tl_chrf *chrf = tl_chrf_new(false);
    tl_bleu_add(bleu, "a b c d e f", "a b c d e g h");
    tl_chrf_add(chrf, "a b c d e f", "a b c d e g h");
    tl_bleu_score score = tl_bleu_result(bleu);
    ck_assert_str_eq(tl_bleu_text(&score, text),
                     "BLEU|nrefs:1|case:mixed|eff:no|tok:none|smooth:exp|version:tapeloom = 64.32 "
                     "83.3/80.0/75.0/66.7 (BP = 0.846 ratio = 0.857 hyp_len = 6 ref_len = 7)");
    assert_contains(tl_chrf_text(chrf, chrf_text), "version:tapeloom = 48.93");
    tl_bleu_free(bleu);
    tl_chrf_free(chrf);
}
START_TEST(scores) { under_a_comma(print_scores); }
END_TEST

static char *printed(void (*print)(FILE *out)) {
    size_t size;
    char *text;
    FILE *out = open_memstream(&text, &size);
    ck_assert_ptr_nonnull(out);
    print(out);
    fclose(out);
    return text;
}
static void print_tensor(FILE *out) {
    tl_real x[] = {1, 0.5, -2};
    tl_print(tl_tensor_of(x, TL_SHAPE(3)), out);
}
static void print_tape(FILE *out) {
    tl_tape *tape = tl_tape_new();
    tl_real x[] = {1.25};
    tl_var v = tl_variable(tape, tl_tensor_of(x, TL_SHAPE(1)));
    ck_assert(tl_backward(tl_sum(tl_scale(v, 0.5), TL_ALL_AXES, false)));
    tl_tape_print(tape, out);
    tl_tape_free(tape);
}
static void print_bar(FILE *out) {
    tl_progress p = {.out = out, .style = TL_PROGRESS_PLAIN, .total = 10};
    tl_progress_start(&p);
    tl_progress_update(&p, 3, 1.25, 0);
    tl_progress_finish(&p);
}
static void print_all(void) {
    char *text = printed(print_tensor);
    ck_assert_str_eq(text, "[3]\n[ 1.0000  0.5000 -2.0000]\n");
    free(text);
    text = printed(print_tape);
    assert_contains(text, " 0.5\n");
    free(text);
    text = printed(print_bar);
    assert_contains(text, "loss 1.25");
    free(text);
}
START_TEST(prints) { under_a_comma(print_all); }
END_TEST

static void say_messages(void) {
    tl_error error = {""};
    tl_error_set(&error, "%g is not %s", 0.5, "it");
    ck_assert_str_eq(error.message, "0.5 is not it");
    tl_tape *tape = tl_tape_new();
    tl_dropout(tl_scalar(tape, 1), 1.5);
    assert_contains(tl_tape_error(tape), "p is 1.5,");
    tl_tape_free(tape);
    tl_params *params = tl_params_new(1);
    tl_params_fail(params, "%.2f", 2.5);
    assert_contains(tl_params_error(params), "2.50");
    tl_params_free(params);
}
START_TEST(messages) { under_a_comma(say_messages); }
END_TEST

static void write_and_read(void) {
    tl_error error = {""};
    double rate = 0;
    char text[TL_NUMBER_TEXT];
    ck_assert_str_eq(tl_double_text(0.125, text), "0.125");
    ck_assert_str_eq(tl_double_text(1.0 / 3, text), "0.3333333333333333");
    ck_assert(tl_double_parse("-2.25e2", &rate) && rate == -225);
    ck_assert(!tl_double_parse("2,25", &rate));
    tl_config *config = tl_config_parse("rate = 0.25\n", 12, "text", &error);
    ck_assert(tl_config_double(config, "rate", 0) == 0.25);
    tl_config_set_double(config, "rate", 1.5);
    char *written = tl_config_text(config);
    ck_assert_str_eq(written, "rate = 1.5\n");
    free(written);
    tl_config_free(config);
    char *path = join(here.folder, "log.csv");
    tl_csv *csv = tl_csv_open(path, (const char *[]){"x", "y"}, 2, false, &error);
    tl_csv_double(csv, 0.5);
    tl_csv_double(csv, 2.5);
    ck_assert(tl_csv_end_row(csv) && tl_csv_close(csv, &error));
    ck_assert(tl_file_read(path, &written, &(size_t){0}, &error));
    ck_assert_str_eq(written, "x,y\n0.5,2.5\n");
    free(written);
    free(path);
}
START_TEST(files) { under_a_comma(write_and_read); }
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_checked_fixture(tc, enter, leave);
    tcase_add_test(tc, scores);
    tcase_add_test(tc, prints);
    tcase_add_test(tc, messages);
    tcase_add_test(tc, files);
}
TL_TEST_MAIN("io: a locale with a decimal comma")
