/* Words that a state reads at once (tl_model_read): logits and maps are those of single steps, to the bit, for every
 * kind of positions, at the beginning and later, with caches and without; and models that can only read step by
 * step. */
#include "gpt.h"
#include "seq2seq.h"

enum { SENTENCES_READ = 2, EACH = 2, ROWS = SENTENCES_READ * EACH, STEPS = 19 };

/* Words per read. One word is a step; reading after a cache is different from reading first. */
static const long cuts[][6] = {{11, 1, 5, 2, 0}, {1, 7, 1, 1, 9, 0}, {2, 2, 15, 0}, {19, 0}};
enum { CUTS = sizeof cuts / sizeof *cuts };

static tl_model_state *begin_state(const tl_model *model, tl_tape *tape, const tl_batch *b,
                                   const tl_model_state_options *o) {
    tl_model_state *state = tl_model_begin(model, tape, b, o);
    ck_assert_msg(state != NULL, "%s", tl_tape_error(tape));
    return state;
}

/* Words from … from+count-1 of every row, [ROWS,count]. */
static void words_of(int *words, long from, long count, long vocab) {
    for (long r = 0; r < ROWS; r++)
        for (long t = 0; t < count; t++) words[r * count + t] = sentence_word((int)r, 1, from + t, vocab);
}

static void assert_same_reading(const tl_model *model, tl_tape *tape, const tl_batch *b,
                                const tl_model_state_options *o, const long *cut) {
    int words[ROWS * STEPS];
    tl_tape_reset(tape);
    tl_tape_set_grad(tape, false);
    tl_model_state *stepping = begin_state(model, tape, b, o), *reading = begin_state(model, tape, b, o);
    for (; *cut; cut++) {
        const tl_mark mark = tl_tape_mark(tape);
        tl_var stepped = TL_NO_VAR;
        for (long t = 0; t < *cut; t++) {
            words_of(words, stepping->at, 1, model->tgt_vocab);
            stepped = tl_model_step(stepping, words);
        }
        words_of(words, reading->at, *cut, model->tgt_vocab);
        tl_var read = tl_model_read(reading, words, *cut);
        ck_assert_msg(tl_ok(read), "%s", tl_tape_error(tape));
        ck_assert_int_eq(reading->at, stepping->at);
        assert_same_bits(tl_value(read), tl_value(stepped), "logits behind %ld words", reading->at);
        for (int kind = 0; kind < TL_ATTENTION_KINDS; kind++)
            for (int l = 0; reading->maps[kind] && l < model->attentions[kind]; l++)
                assert_same_bits(reading->maps[kind][l], stepping->maps[kind][l], "maps %d of layer %d", kind,
                                 l);
        tl_tape_release(tape, mark);
    }
    tl_tape_set_grad(tape, true);
}

static void assert_reads(const tl_model *model, tl_tape *tape, const tl_batch *b) {
    for (int i = 0; i < CUTS; i++)
        for (int how = 0; how < 4; how++)
            assert_same_reading(model, tape, b,
                                &(tl_model_state_options){
                                    .each = EACH, .capacity = STEPS, .maps = how % 2, .no_cache = how / 2},
                                cuts[i]);
}

START_TEST(a_decoder_alone) {
    gpt_bench k = gpt_begin(&gpts[_i]);
    const tl_batch nothing = {.sentences = SENTENCES_READ};
    for (int threads = 1; threads <= 3; threads += 2) {
        tl_set_threads(threads);
        assert_reads(&k.model.model, k.tape, &nothing);
    }
    gpt_end(&k);
}
END_TEST

/* The whole sentence's logits, as training computes them. */
START_TEST(as_in_training) {
    gpt_bench k = gpt_begin(&gpts[_i]);
    const int length = STEPS;
    int words[ROWS * STEPS];
    words_of(words, 0, STEPS, gpts[_i].vocab);
    const tl_batch one = prefix_of(words, &length);
    tl_model_state *state =
        begin_state(&k.model.model, k.tape, &one, &(tl_model_state_options){.capacity = STEPS});
    tl_tensor read = tl_value(tl_model_read(state, words, STEPS));
    tl_var hidden = k.model.model.kind->hidden(&k.model.model, k.tape, &one, NULL);
    tl_tensor all = tl_value(k.model.model.kind->logits(&k.model.model, hidden));
    assert_no_error(tl_tape_error(k.tape));
    assert_same_bits(tl_at(read, 0), tl_at(all, 0, STEPS - 1), "logits");
    gpt_end(&k);
}
END_TEST

static tl_var half_at(tl_var x, const tl_place_at *at, void *where) {
    return tl_replace_where(x, tl_scale(x, 0.5), at, where);
}

/* Replacements at some positions act there, wherever a read begins. */
START_TEST(with_changes) {
    gpt_bench k = gpt_begin(&gpts[_i]);
    const tl_batch nothing = {.sentences = SENTENCES_READ};
    tl_replaced where = {.heads = {1, 2}, .positions = {3, 9}};
    tl_attention_maps acting[2] = {{.replace[TL_PLACE_CONTEXT] = {half_at, &where}}};
    const tl_model_maps maps = {.decoder_self = acting};
    for (int i = 0; i < CUTS; i++)
        for (int no_cache = 0; no_cache < 2; no_cache++)
            assert_same_reading(
                &k.model.model, k.tape, &nothing,
                &(tl_model_state_options){
                    .each = EACH, .capacity = STEPS, .no_cache = no_cache, .intervene = &maps},
                cuts[i]);
    gpt_end(&k);
}
END_TEST

/* Models with a source read step by step. */
START_TEST(models_with_a_source) {
    tl_batch b = batch_of(sentences, SENTENCES_READ, 13, 0, 0);
    tl_transformer_config config = models[3 + _i % 3];
    bench k = bench_begin(&config);
    assert_reads(&k.model.model, k.tape, &b);
    bench_end(&k);
    recurrent_bench r = recurrent_begin(&recurrents[4 + _i]);
    assert_reads(&r.model.model, r.tape, &b);
    recurrent_end(&r);
    batch_free(&b);
}
END_TEST

/* Reading step by step needs the memory of one step, for any number of words. */
START_TEST(memory_of_steps) {
    bench k = bench_begin(&bench_small);
    tl_batch b = batch_of(sentences, SENTENCES_READ, 13, 0, 0);
    int words[ROWS * STEPS];
    words_of(words, 0, STEPS, 13);
    size_t peak[2];
    for (int i = 0; i < 2; i++) {
        tl_tape *tape = tl_tape_new();
        tl_tape_set_grad(tape, false);
        tl_model_state *s =
            begin_state(&k.model.model, tape, &b, &(tl_model_state_options){.each = EACH, .capacity = STEPS});
        ck_assert(tl_ok(tl_model_read(s, words, i ? STEPS : 4)));
        peak[i] = tl_tape_stats_of(tape).used;
        tl_tape_free(tape);
    }
    ck_assert_uint_lt(peak[1], peak[0] + 4096);
    batch_free(&b);
    bench_end(&k);
}
END_TEST

static void fails(tl_tape *tape, tl_var y, const char *why) {
    ck_assert(!tl_ok(y));
    assert_contains(tl_tape_error(tape), why);
    tl_tape_clear_error(tape);
}

START_TEST(what_cannot_be_read) {
    gpt_bench k = gpt_begin(&gpts[0]);
    const tl_batch nothing = {.sentences = 1};
    for (int no_cache = 0; no_cache < 2; no_cache++) {
        const int words[] = {3, 4, 5, 6}, wrong[] = {3, 13};
        tl_tape_reset(k.tape);
        tl_model_state *s = begin_state(&k.model.model, k.tape, &nothing,
                                        &(tl_model_state_options){.capacity = 3, .no_cache = no_cache});
        fails(k.tape, tl_model_read(s, NULL, 2), "gpt: 2 words at NULL to be read: give one or more");
        fails(k.tape, tl_model_read(s, words, 0), "gpt: 0 words to be read: give one or more");
        fails(k.tape, tl_model_read(s, words, -1), "gpt: -1 words to be read");
        fails(k.tape, tl_model_read(s, words, 4),
              "gpt: 4 words more, but of the 3 steps that the state was made for 3 are left");
        ck_assert(tl_ok(tl_model_read(s, words, 1)));
        fails(k.tape, tl_model_read(s, words, 3),
              "3 words more, but of the 3 steps that the state was made "
              "for 2 are left; begin with a larger capacity");
        fails(k.tape, tl_model_read(s, wrong, 2), "id 13 at position");
        tl_tape_reset(k.tape);
        fails(k.tape, tl_model_read(s, words, 2),
              "tl_model_read: the state was forgotten by a tl_tape_reset");
        fails(k.tape, tl_model_read(NULL, words, 2), "tl_model_read: the state is NULL");
    }
    gpt_end(&k);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, a_decoder_alone, 0, GPTS);
    tcase_add_loop_test(tc, as_in_training, 0, GPTS);
    tcase_add_loop_test(tc, with_changes, 0, GPTS);
    tcase_add_loop_test(tc, models_with_a_source, 0, 4);
    tcase_add_test(tc, memory_of_steps);
    tcase_add_test(tc, what_cannot_be_read);
}
TL_TEST_MAIN("models: words that are read in one go")
