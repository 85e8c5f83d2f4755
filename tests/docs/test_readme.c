/* The C code of README.md, which the Makefile extracts: it compiles, trains and prints attention maps. */
#include "check.h"

#include <tapeloom.h>

#define die(text) ck_abort_msg("%s", (text))
#undef stdout
#define stdout page /* the code prints to this file */

START_TEST(the_code_runs) {
    FILE *page = tmpfile();
    tl_corpus *corpus = tl_corpus_new();
    tl_corpus_toy(corpus, &(tl_toy_config){.task = "copy", .sentences = 40, .seed = 1});
    tl_vocab_counts *counts = tl_vocab_counts_new();
    tl_corpus_count(corpus, TL_SOURCE, counts);
    tl_vocab *vocab = tl_vocab_new(counts, NULL);
    tl_corpus_encode(corpus, vocab, vocab);
    tl_batches *batches = tl_batches_new(corpus, &(tl_batches_config){.tokens = 200});
    tl_batch batch;

    /* The variables that the second block of code uses. */
    tl_params *small = tl_params_new(1);
    tl_attention_layer layer =
        tl_attention_init(small, "attn", &(tl_attention_config){.d_model = 12, .heads = 3});
    tl_tape *aside = tl_tape_new();
    tl_real numbers[2 * 4 * 12];
    for (int i = 0; i < 2 * 4 * 12; i++)
        numbers[i] = (tl_real)tl_rng_normal(tl_rng_key_of(1, "x"), (uint64_t)i);
    tl_tensor dy = tl_tensor_of(numbers, TL_SHAPE(2, 4, 12));
    tl_var x = tl_constant(aside, dy), memory = x;
    tl_mask mask = {.causal = true};

#include "readme.inc"

    ck_assert_int_gt(tl_adam_steps(adam), 1);
    assert_no_error(tl_adam_error(adam));
    assert_no_error(tl_tape_error(aside));
    char text[4096] = "";
    rewind(page);
    size_t size = fread(text, 1, sizeof text - 1, page);
    ck_assert_uint_gt(size, 0);
    char *second = strstr(text + 1, "[4,4]");
    ck_assert_msg(strstr(text, "[4,4]") && second, "two matrices [4,4] should be printed:\n%s", text);

    fclose(page);
    tl_adam_free(adam);
    tl_tape_free(tape);
    tl_tape_free(aside);
    tl_params_free(params);
    tl_params_free(small);
    tl_batches_free(batches);
    tl_vocab_free(vocab);
    tl_vocab_counts_free(counts);
    tl_corpus_free(corpus);
}
END_TEST

static void add_tests(TCase *tc) { tcase_add_test(tc, the_code_runs); }

TL_TEST_MAIN("docs: README.md")
