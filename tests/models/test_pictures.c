/* Pictures of whole models' tapes: at every depth arrows form no cycle, and every operation is in the frame of its
 * scope. */
#define _POSIX_C_SOURCE 200809L
#include "gpt.h"
#include "picture.h"
#include "seq2seq.h"

static const int depths[] = {0, 1, 2, 3, 4, TL_ALL_SCOPES};
enum { DEPTHS = sizeof depths / sizeof *depths };

/* Of one training step, forward and backward. Returns the parts of scopes at depth 0. */
static int all_depths(const tl_model *model, tl_tape *tape, const tl_batch *b) {
    int parts = 0;
    tl_tape_reset(tape);
    tl_tape_set_training(tape, 1);
    must(tl_backward(tl_model_loss(model, tape, b, NULL, NULL, NULL)));
    for (int d = 0; d < DEPTHS; d++) {
        const int here = picture_is_good(tape, depths[d]);
        if (!d) parts = here;
    }
    assert_no_error(tl_tape_error(tape));
    return parts;
}

START_TEST(transformers) {
    const tl_transformer_config *config = &models[_i];
    bench k = bench_begin(config);
    tl_batch b = batch_of(sentences, 2, config->tgt_vocab, 0, 0);
    ck_assert_int_eq(all_depths(&k.model.model, k.tape, &b), 0);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

START_TEST(decoders) {
    gpt_bench k = gpt_begin(&gpts[_i]);
    tl_batch b = batch_of(sentences, 2, gpts[_i].vocab, 0, 0);
    ck_assert_int_eq(all_depths(&k.model.model, k.tape, &b), 0);
    batch_free(&b);
    gpt_end(&k);
}
END_TEST

/* Where the cell waits for what its attention gives, both scopes are entered at every word: one box each would be
 * a cycle. */
START_TEST(recurrent_models) {
    const tl_seq2seq_config *config = &recurrents[_i];
    recurrent_bench k = recurrent_begin(config);
    tl_batch b = batch_of(sentences, 2, config->tgt_vocab, 0, 0);
    const int parts = all_depths(&k.model.model, k.tape, &b);
    if (config->score == TL_ADDITIVE && !config->no_attention) ck_assert_int_ge(parts, 2 * (int)b.tgt_len);
    batch_free(&b);
    recurrent_end(&k);
}
END_TEST

/* ---- one of two and two layers, looked at ---- */

static const char *line_with(const char *text, const char *part, char line[400]) {
    const char *at = strstr(text, part);
    ck_assert_msg(at != NULL, "\"%s\" is not in\n%s", part, text);
    while (at > text && at[-1] != '\n') at--;
    snprintf(line, 400, "%.*s", (int)strcspn(at, "\n"), at);
    return line;
}

START_TEST(a_transformer) {
    bench k = bench_begin(&(tl_transformer_config){SMALL_MODEL});
    tl_batch b = batch_of(sentences, 2, 13, 0, 0);
    must(tl_backward(tl_model_loss(&k.model.model, k.tape, &b, NULL, NULL, NULL)));
    char line[400];
    picture p = picture_of(k.tape, 0);
    line_with(p.text, "\"encoder\\n", line);
    assert_contains(line, "\\n26 parameters: "); /* two layers of 12, the norm's two */
    line_with(p.text, "\"decoder\\n", line);
    assert_contains(line, "\\n38 parameters: "); /* two layers of 18, the norm's two */
    line_with(p.text, "src_embedding.weight [13,8]", line);
    assert_contains(line, "shape=note"); /* tied: embedding and output read it */
    assert_contains(line_with(p.text, "\"src_positions\\n", line), "constant");
    assert_contains(line_with(p.text, "\"tgt_positions\\n", line), "constant");
    picture_free(&p);
    p = picture_of(k.tape, 1);
    assert_contains(p.text, "subgraph \"cluster encoder\" {");
    assert_contains(p.text, "\"layers.0\\n");
    ck_assert_ptr_null(strstr(p.text, "cluster encoder.layers"));
    picture_free(&p);
    p = picture_of(k.tape, TL_ALL_SCOPES);
    assert_contains(p.text, "subgraph \"cluster decoder.layers.1.multihead_attn\" {");
    assert_contains(p.text, "label=\"multihead_attn\";");
    ck_assert_ptr_null(strstr(p.text, "split_heads\"];")); /* no box of its own */
    line_with(p.text, "in_proj_weight [24,8], |grad| ", line);
    assert_contains(line, "in_proj_bias [24], |grad| ");
    picture_free(&p);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

/* Sinusoids are one table for both sides; each side's have their own name, and say so if a sentence is too long. */
START_TEST(positions_are_named_by_side) {
    bench k = bench_begin(&(tl_transformer_config){SMALL_MODEL});
    ck_assert_str_eq(k.model.src_positions.name, "src_positions");
    ck_assert_str_eq(k.model.tgt_positions.name, "tgt_positions");
    ck_assert_ptr_eq(k.model.src_positions.angles, k.model.tgt_positions.angles);
    ck_assert(!tl_ok(tl_positions_forward(&k.model.tgt_positions, k.tape, 0, 65)));
    assert_contains(tl_tape_error(k.tape), "tgt_positions: places 0 to 64, but max_len is 64");
    tl_tape_clear_error(k.tape);
    bench_end(&k);
}
END_TEST

/* Values that were given back, and parts that are computed again. */
START_TEST(memory_given_back) {
    bench k = bench_begin(&(tl_transformer_config){SMALL_MODEL});
    tl_batch b = batch_of(sentences, 2, 13, 0, 0);
    tl_tape_set_give_back(k.tape, true);
    tl_tape_set_recompute(k.tape, _i);
    all_depths(&k.model.model, k.tape, &b);
    picture p = picture_of(k.tape, TL_ALL_SCOPES);
    assert_contains(p.text, "given back");
    picture_free(&p);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, transformers, 0, (int)(sizeof models / sizeof *models));
    tcase_add_loop_test(tc, decoders, 0, GPTS);
    tcase_add_loop_test(tc, recurrent_models, 0, RECURRENTS);
    tcase_add_test(tc, a_transformer);
    tcase_add_test(tc, positions_are_named_by_side);
    tcase_add_loop_test(tc, memory_given_back, 0, 2);
}

TL_TEST_MAIN("models: pictures of their tapes")
