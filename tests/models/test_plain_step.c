/* Steps without the tape give the bits of steps by operations: for any layers, any number of rows, sentences that
 * leave, rows that are copied, any threads and any padding. They are used if nobody looks, and only then. */
#include "model.h"
#include "tapeloom/op.h"

#include <float.h>

enum { WORDS = 14, WIDE_BATCH = 12 };

#define WIDE_HEADS \
 .src_vocab = 77, .tgt_vocab = 77, .d_model = 32, .heads = 2, .layers = 2, .d_ff = 40, .max_len = 64
static const tl_transformer_config plain[] = {
    {WIDE_HEADS, .tie = TL_TIE_ALL},
    {WIDE_HEADS, .pre_norm = true, .activation = TL_GELU, .output_bias = true, .positions = TL_LEARNED},
    {WIDE_HEADS, .no_final_norm = true, .no_bias = true, .activation = TL_GELU_TANH, .tie = TL_TIE_TARGET,
     .positions = TL_NO_POSITIONS},
    {WIDE_HEADS, .encoder_layers = 1, .pre_norm = true, .no_final_norm = true},
    {WIDE_HEADS, .kept = {[TL_DECODER_SELF] = (const int[]){1, 2}, [TL_CROSS] = (const int[]){2, 1}}}};
#define WIDE_DECODER .vocab = 77, .d_model = 32, .heads = 2, .layers = 2, .d_ff = 40, .max_len = 64
enum { PLAIN = sizeof plain / sizeof *plain };

/* ---- a state against one whose steps are on the tape ---- */

typedef struct writer {
    tl_tape *tape;
    tl_model_state *state;
    tl_tensor logits;
    tl_mark mark;
    long nodes; /* of the last step */
} writer;

static writer writer_of(const tl_model *model, const tl_batch *b, long each, bool watched) {
    writer w = {.tape = tl_tape_new()};
    tl_tape_set_matmul_precision(w.tape, MODEL_PRECISION);
    tl_tape_set_grad(w.tape, false);
    tl_tape_set_keep_all(w.tape, watched);
    tl_tape_set_reuse_weights(w.tape, true);
    w.state = tl_model_begin(model, w.tape, b, &(tl_model_state_options){.each = each, .capacity = WORDS});
    ck_assert_msg(w.state != NULL, "%s", tl_tape_error(w.tape));
    w.mark = tl_tape_mark(w.tape);
    return w;
}

static void take(writer *w, const int *words) {
    tl_tape_release(w->tape, w->mark);
    const long before = tl_tape_stats_of(w->tape).nodes;
    tl_var logits = tl_model_step(w->state, words);
    ck_assert_msg(tl_ok(logits), "%s", tl_tape_error(w->tape));
    w->logits = tl_value(logits);
    w->nodes = (long)tl_tape_stats_of(w->tape).nodes - before;
}

/* Both states take the same steps; the plain one adds one node per step. */
static void assert_same_history(const tl_model *model, const tl_batch *b, long each, const char *what) {
    writer quick = writer_of(model, b, each, false), watched = writer_of(model, b, each, true);
    int words[WIDE_BATCH * 5];
    for (long t = 0; t < WORDS; t++) {
        const long rows = quick.state->sentences * each;
        for (long r = 0; r < rows; r++)
            words[r] = t ? sentence_word((int)r, 1, t, model->tgt_vocab) : MODEL_BOS;
        take(&quick, words), take(&watched, words);
        ck_assert_int_eq(quick.nodes, 1);
        ck_assert_int_gt(watched.nodes, 20);
        assert_same_bits(quick.logits, watched.logits, "%s, step %ld", what, t);
        if (t == 3 && each > 1) tl_model_copy_row(quick.state, 0, 1), tl_model_copy_row(watched.state, 0, 1);
        if (t == 6 && quick.state->sentences > 2) {
            const long kept[] = {1, quick.state->sentences - 1};
            tl_model_keep(quick.state, kept, 2), tl_model_keep(watched.state, kept, 2);
        }
    }
    tl_tape_free(quick.tape), tl_tape_free(watched.tape);
}

START_TEST(a_step_has_the_bits_of_its_operations) {
    static const long each[] = {1, 2, 5}, count[] = {1, 3, WIDE_BATCH};
    bench k = bench_begin(&plain[_i]);
    for (int threads = 1; threads <= 2; threads++)
        for (int c = 0; c < 3; c++)
            for (int e = 0; e < 3; e++) {
                tl_set_threads(threads);
                tl_batch b = batch_of(sentences, count[c], 77, 0, 0);
                assert_same_history(&k.model.model, &b, each[e], threads > 1 ? "two threads" : "one thread");
                batch_free(&b);
            }
    bench_end(&k);
}
END_TEST

START_TEST(a_decoder_alone_too) {
    static const tl_gpt_config alone_of[] = {
        {WIDE_DECODER},
        {WIDE_DECODER, .no_bias = true, .untied = true, .positions = TL_SINUSOIDAL},
        {WIDE_DECODER, .no_feed_forward = true, .positions = TL_NO_POSITIONS}};
    tl_params *params = tl_params_new(3);
    tl_gpt gpt = tl_gpt_init(params, "", &alone_of[_i]);
    assert_no_error(tl_params_error(params));
    shake_params(params);
    for (long count = 1; count <= WIDE_BATCH; count += WIDE_BATCH - 1)
        assert_same_history(&gpt.model, &(tl_batch){.sentences = count}, 2, "a decoder alone");
    tl_params_free(params);
}
END_TEST

/* Hidden source words are so large that their values overflow. */
START_TEST(padding_is_nobodys) {
    enum { NOBODY = 60 };
    bench k = bench_begin(&plain[_i]);
    tl_batch b = batch_of(sentences, 3, 50, 0, 0);
    for (long s = 0; s < b.sentences; s++)
        for (long t = b.src_lengths[s]; t < b.src_len; t++) ((int *)b.src)[s * b.src_len + t] = NOBODY;
    tl_tensor row = tl_at(tl_param_value(k.model.src_embedding.weight), NOBODY);
    const bool tied = plain[_i].tie == TL_TIE_ALL; /* then the row of padding is in every logit */
    if (!tied) tl_tensor_fill(row, (sizeof(tl_real) == 4 ? FLT_MAX : DBL_MAX) / 6);
    assert_same_history(&k.model.model, &b, 2, "padding");
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* ---- a search ---- */

static void assert_same_search(const tl_search_result *a, const tl_search_result *b) {
    const long given = a->sentences * a->nbest;
    ck_assert_int_eq(a->capacity, b->capacity);
    ck_assert(!memcmp(a->ids, b->ids, (size_t)(given * a->capacity) * sizeof *a->ids));
    ck_assert(!memcmp(a->lengths, b->lengths, (size_t)given * sizeof *a->lengths));
    ck_assert(!memcmp(a->score, b->score, (size_t)given * sizeof *a->score));
}

START_TEST(a_search_finds_the_same) {
    static const tl_search_options ways[] = {{.beam = 1},
                                             {.beam = 4, .nbest = 2},
                                             {.nbest = 3, .sample = true},
                                             {.beam = 1, .max_extra = 50, .eos = -1}};
    bench k = bench_begin(&plain[_i]);
    tl_tape *other = tl_tape_new();
    tl_tape_set_keep_all(other, true);
    tl_tape_set_matmul_precision(other, MODEL_PRECISION);
    for (size_t w = 0; w < sizeof ways / sizeof *ways; w++)
        for (int alone = 0; alone < 2; alone++)
            for (int kept = 0; kept < 2; kept++) {
                tl_batch b = batch_of(sentences, alone ? 1 : 5, 77, 0, 0);
                tl_search_options o = ways[w];
                o.bos = MODEL_BOS;
                if (!o.eos) o.eos = MODEL_EOS;
                tl_search_result quick, watched;
                tl_tape_reset(k.tape), tl_tape_reset(other);
                tl_tape_set_reuse_weights(k.tape, kept);
                must(tl_search(&k.model.model, k.tape, &b, &o, &quick));
                must(tl_search(&k.model.model, other, &b, &o, &watched));
                assert_same_search(&quick, &watched);
                batch_free(&b);
            }
    tl_tape_free(other);
    bench_end(&k);
}
END_TEST

/* A wrong word gives the same message as in a step by operations. */
START_TEST(wrong_words_are_refused) {
    bench k = bench_begin(&plain[0]);
    tl_batch b = batch_of(sentences, 1, 77, 0, 0);
    writer w = writer_of(&k.model.model, &b, 1, false);
    ck_assert(!tl_ok(tl_model_step(w.state, (const int[]){77})));
    assert_contains(tl_tape_error(w.tape), "id 77 at position 0");
    tl_tape_free(w.tape);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, a_step_has_the_bits_of_its_operations, 0, PLAIN);
    tcase_add_loop_test(tc, a_decoder_alone_too, 0, 3);
    tcase_add_loop_test(tc, padding_is_nobodys, 0, PLAIN);
    tcase_add_loop_test(tc, a_search_finds_the_same, 0, PLAIN);
    tcase_add_test(tc, wrong_words_are_refused);
}
TL_TEST_MAIN("models: steps without a tape")
