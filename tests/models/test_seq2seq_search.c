/* Searches with recurrent models: their states give the words, scores and maps of computing every prefix again, to the
 * bit; so do other threads, padding and batches. And states by themselves: rows that are copied and kept. */
#include "seq2seq.h"

enum { MOST_SAID = SENTENCES * 3, WORDS = 48 };
typedef struct said {
    int ids[MOST_SAID][WORDS], lengths[MOST_SAID];
    double score[MOST_SAID];
    uint64_t maps[MOST_SAID]; /* hashes of the probabilities' bits, if there are any */
    long ended;
} said;

/* A hash of hypothesis i's maps, at its own words and the words of its source. */
static uint64_t hash_of_maps(const tl_search_result *r, long i, int words, int src_length) {
    if (!r->maps[TL_CROSS]) return 0;
    const tl_tensor all = tl_at(tl_at(r->maps[TL_CROSS][0], i / r->nbest), i % r->nbest);
    uint64_t hash = 14695981039346656037u;
    for (long h = 0; h < all.dim[0]; h++)
        for (int t = 0; t < words; t++)
            for (int j = 0; j < src_length; j++) {
                const tl_real share = tl_at(all, h, t).data[j * all.stride[2]];
                unsigned char bytes[sizeof share];
                memcpy(bytes, &share, sizeof share);
                for (size_t b = 0; b < sizeof bytes; b++) hash = (hash ^ bytes[b]) * 1099511628211u;
            }
    return hash;
}

static void say(recurrent_bench *k, const tl_batch *b, int beam, bool no_cache, int threads, said *s) {
    tl_search_result r;
    const tl_search_options o = {.beam = beam,
                                 .nbest = beam,
                                 .bos = MODEL_BOS,
                                 .eos = MODEL_EOS,
                                 .length_penalty = 0.7,
                                 .max_ratio = 0.7,
                                 .max_extra = 3,
                                 .maps = true,
                                 .no_cache = no_cache};
    memset(s, 0, sizeof *s);
    tl_set_threads(threads);
    tl_tape_reset(k->tape);
    ck_assert_msg(tl_search(&k->model.model, k->tape, b, &o, &r), "%s", tl_tape_error(k->tape));
    must(r.capacity <= WORDS && !!r.maps[TL_CROSS] == !k->model.config.no_attention);
    for (long i = 0; i < r.sentences * r.nbest; i++) {
        const int src_length = b->src_lengths[i / r.nbest], limit = (int)(0.7 * src_length + 3);
        s->lengths[i] = r.lengths[i];
        s->score[i] = r.score[i];
        if (r.lengths[i] < 0) continue;
        memcpy(s->ids[i], r.ids + i * r.capacity, (size_t)r.lengths[i] * sizeof(int));
        s->maps[i] = hash_of_maps(&r, i, r.lengths[i], src_length);
        s->ended += r.lengths[i] < limit;
    }
}

static void assert_said(const said *a, long from, const said *b, long to, long count, const char *what) {
    for (long i = 0; i < count; i++) {
        const long x = from + i, y = to + i;
        must_msg(a->lengths[x] == b->lengths[y] && !memcmp(a->ids[x], b->ids[y], sizeof a->ids[x]),
                 "%s, hypothesis %ld: other words", what, x);
        must_msg(!memcmp(&a->score[x], &b->score[y], sizeof(double)), "%s, hypothesis %ld: another score",
                 what, x);
        must_msg(a->maps[x] == b->maps[y], "%s, hypothesis %ld: looked elsewhere", what, x);
    }
}

START_TEST(one_result) {
    static said cached, other;
    recurrent_bench k = recurrent_begin(&recurrents[_i]);
    tl_batch b = batch_of(sentences, SENTENCES, 13, 0, 0),
             wide = batch_of(sentences, SENTENCES, 13, b.src_len + 5, 0);
    recurrent_train(&k, &b, 12);
    for (int beam = 1; beam <= 3; beam += 2) {
        say(&k, &b, beam, false, 1, &cached);
        say(&k, &b, beam, true, 1, &other);
        assert_said(&cached, 0, &other, 0, SENTENCES * beam, "without what states keep");
        say(&k, &wide, beam, false, 3, &other);
        assert_said(&cached, 0, &other, 0, SENTENCES * beam, "more padding, three threads");
        for (long s = 0; s < SENTENCES; s += 3) {
            tl_batch one = batch_of(&sentences[s], 1, 13, 0, 0);
            say(&k, &one, beam, false, 1, &other);
            assert_said(&cached, s * beam, &other, 0, beam, "alone");
            batch_free(&one);
        }
    }
    batch_free(&wide);
    batch_free(&b);
    recurrent_end(&k);
}
END_TEST

/* ---- states ---- */

static tl_tensor step(tl_model_state *s, const int *words) {
    tl_tensor logits = copied(tl_value(tl_model_step(s, words)));
    return logits;
}

/* A copied row continues as the row that it was copied from; kept sentences continue as if the others had not
 * existed. */
START_TEST(rows_move) {
    recurrent_bench k = recurrent_begin(&recurrents[_i]);
    tl_batch b = batch_of(sentences, 3, 13, 0, 0);
    const tl_model_state_options o = {.each = 2, .capacity = 6};
    static const int first[] = {1, 1, 1, 1, 1, 1}, second[] = {3, 4, 5, 6, 7, 8},
                     third[] = {9, 9, 10, 10, 11, 11};
    tl_model_state *s = tl_model_begin(&k.model.model, k.tape, &b, &o);
    must_msg(s != NULL, "%s", tl_tape_error(k.tape));
    free(step(s, first).data), free(step(s, second).data);
    tl_model_copy_row(s, 4, 5); /* both rows of the last sentence have read 1 8 */
    tl_tensor both = step(s, third);
    must(first_difference(tl_at(both, 4), tl_at(both, 5)) == -1);
    must(first_difference(tl_at(both, 0), tl_at(both, 1)) != -1);
    tl_model_keep(s, (const long[]){0, 2}, 2);
    static const int fourth[] = {4, 5, 6, 6}, all[] = {4, 5, 7, 7, 6, 6};
    tl_tensor kept = step(s, fourth);
    assert_no_error(tl_tape_error(k.tape));

    tl_model_state *whole = tl_model_begin(&k.model.model, k.tape, &b, &o);
    static const int copied_row[] = {3, 4, 5, 6, 8, 8};
    free(step(whole, first).data), free(step(whole, copied_row).data), free(step(whole, third).data);
    tl_tensor expected = step(whole, all);
    for (int r = 0; r < 4; r++)
        must(first_difference(tl_at(kept, r), tl_at(expected, r < 2 ? r : r + 2)) == -1);
    free(both.data), free(kept.data), free(expected.data);
    batch_free(&b);
    recurrent_end(&k);
}
END_TEST

/* A gate of 0 in a search is the same as in a batch: the context is 0. */
START_TEST(gates_in_a_search) {
    static said with, without;
    recurrent_bench k = recurrent_begin(&recurrents[_i]);
    tl_batch b = batch_of(sentences, SENTENCES, 13, 0, 0);
    recurrent_train(&k, &b, 12);
    tl_set_threads(1);
    for (int no_cache = 0; no_cache < 2; no_cache++) {
        tl_search_result r;
        said *s = no_cache ? &without : &with;
        tl_tape_reset(k.tape);
        tl_attention_maps cross = {.gate = tl_full(k.tape, TL_SHAPE(k.model.config.heads), 0)};
        const tl_model_maps maps = {.cross = &cross};
        const tl_search_options o = {.beam = 2,
                                     .nbest = 2,
                                     .bos = MODEL_BOS,
                                     .eos = MODEL_EOS,
                                     .max_extra = 6,
                                     .no_cache = no_cache,
                                     .intervene = &maps};
        ck_assert_msg(tl_search(&k.model.model, k.tape, &b, &o, &r), "%s", tl_tape_error(k.tape));
        memset(s, 0, sizeof *s);
        for (long i = 0; i < r.sentences * r.nbest; i++)
            s->score[i] = r.score[i], s->lengths[i] = r.lengths[i];
    }
    assert_said(&with, 0, &without, 0, SENTENCES * 2, "a gate");
    say(&k, &b, 2, false, 1, &without);
    ck_assert_double_ne(with.score[0], without.score[0]);
    batch_free(&b);
    recurrent_end(&k);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, one_result, 0, RECURRENTS);
    tcase_add_loop_test(tc, rows_move, 0, RECURRENTS);
    tcase_add_loop_test(tc, gates_in_a_search, 4, RECURRENTS);
}

TL_TEST_MAIN("models: recurrent models, searched")
