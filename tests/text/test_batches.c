/* Batches: their contents, the budget, every sentence once per epoch, the same batches for the same seed, continuing
 * from a saved position. */
#include "check.h"
#include "tapeloom/text.h"

/* An encoded corpus of sentences of 1 to 12 words, with sides of different lengths; and its vocabulary. */
static tl_corpus *corpus_of(long sentences, tl_vocab **vocab) {
    tl_corpus *corpus = tl_corpus_new();
    tl_vocab_counts *counts = tl_vocab_counts_new();
    tl_rng_key key = tl_rng_key_of(4, "sentences");
    for (uint64_t i = 0; i < (uint64_t)sentences; i++) {
        char side[2][128] = {"", ""};
        for (uint64_t s = 0; s < 2; s++)
            for (long k = tl_rng_below(key, 2 * i + s, 12); k >= 0; k--)
                sprintf(side[s] + strlen(side[s]), "w%ld ",
                        tl_rng_below(key, (100 + i) * 100 + s * 50 + (uint64_t)k, 40));
        ck_assert(tl_corpus_add(corpus, side[0], side[1]));
    }
    ck_assert(tl_corpus_count(corpus, TL_SOURCE, counts) && tl_corpus_count(corpus, TL_TARGET, counts));
    tl_vocab *joint = tl_vocab_new(counts, NULL);
    ck_assert(tl_corpus_encode(corpus, joint, joint));
    tl_vocab_counts_free(counts);
    if (vocab)
        *vocab = joint;
    else
        tl_vocab_free(joint);
    return corpus;
}

static uint64_t digest(uint64_t hash, const void *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) hash = (hash ^ ((const unsigned char *)bytes)[i]) * 1099511628211u;
    return hash;
}

/* A hash of everything in a batch. */
static uint64_t digest_of(const tl_batch *b) {
    size_t src = (size_t)(b->sentences * b->src_len), tgt = (size_t)(b->sentences * b->tgt_len);
    uint64_t hash = digest(14695981039346656037u, &b->sentences, sizeof b->sentences);
    hash = digest(hash, b->src, src * sizeof(int));
    hash = digest(hash, b->tgt_in, tgt * sizeof(int));
    hash = digest(hash, b->tgt_out, tgt * sizeof(int));
    return digest(hash, b->index, (size_t)b->sentences * sizeof(long));
}

/* Checks that every row is its sentence with <bos>, <eos> and padding as tl_batch says. */
static void check_rows(const tl_corpus *corpus, const tl_vocab *vocab, const tl_batch *b) {
    long src_tokens = 0, tgt_tokens = 0, src_len = 0, tgt_len = 0;
    ck_assert_int_eq(b->pad, TL_PAD);
    for (long r = 0; r < b->sentences; r++) {
        int x[64], y[64];
        long n = tl_vocab_encode(vocab, tl_corpus_sentence(corpus, TL_SOURCE, b->index[r]), x, 64);
        long m = tl_vocab_encode(vocab, tl_corpus_sentence(corpus, TL_TARGET, b->index[r]), y, 64);
        ck_assert_int_eq(b->src_lengths[r], n + 1);
        ck_assert_int_eq(b->tgt_lengths[r], m + 1);
        for (long s = 0; s < b->src_len; s++)
            ck_assert_int_eq(b->src[r * b->src_len + s], s < n ? x[s] : s == n ? TL_EOS : TL_PAD);
        for (long t = 0; t < b->tgt_len; t++) {
            ck_assert_int_eq(b->tgt_in[r * b->tgt_len + t], t == 0 ? TL_BOS : t <= m ? y[t - 1] : TL_PAD);
            ck_assert_int_eq(b->tgt_out[r * b->tgt_len + t], t < m ? y[t] : t == m ? TL_EOS : TL_PAD);
        }
        src_tokens += n + 1, tgt_tokens += m + 1;
        if (n + 1 > src_len) src_len = n + 1;
        if (m + 1 > tgt_len) tgt_len = m + 1;
    }
    ck_assert(b->src_tokens == src_tokens && b->tgt_tokens == tgt_tokens);
    ck_assert(b->src_len == src_len && b->tgt_len == tgt_len); /* no wider than the longest row */
}

START_TEST(contents_budget_and_each_sentence_once) {
    tl_vocab *vocab;
    tl_corpus *corpus = corpus_of(500, &vocab);
    static const tl_batches_config configs[] = {
        {.tokens = 100},
        {.tokens = 13}, /* the longest sentence just fits */
        {.tokens = 1000000},
        {.tokens = 100, .max_sentences = 3},
        {.tokens = 200, .order = TL_BY_LENGTH},
        {.tokens = 200, .order = TL_IN_ORDER},
        {.tokens = 1, .max_sentences = 7}, /* every sentence exceeds the budget and is alone */
        {.tokens = 0},
    };
    for (size_t c = 0; c < sizeof configs / sizeof *configs; c++) {
        tl_batches *batches = tl_batches_new(corpus, &configs[c]);
        long budget = configs[c].tokens > 0 ? configs[c].tokens : 4096;
        assert_no_error(tl_batches_error(batches));
        for (int epoch = 0; epoch < 3; epoch++) {
            int times[500] = {0};
            long count = 0;
            for (tl_batch b; tl_batches_next(batches, &b); count++) {
                long widest = b.src_len > b.tgt_len ? b.src_len : b.tgt_len;
                ck_assert(b.sentences == 1 || b.sentences * widest <= budget);
                ck_assert(configs[c].max_sentences == 0 || b.sentences <= configs[c].max_sentences);
                for (long r = 0; r < b.sentences; r++) times[b.index[r]]++;
                check_rows(corpus, vocab, &b);
            }
            for (int i = 0; i < 500; i++) ck_assert_int_eq(times[i], 1);
            ck_assert_int_eq(count, tl_batches_per_epoch(batches));
        }
        assert_no_error(tl_batches_error(batches));
        tl_batches_free(batches);
    }
    tl_corpus_free(corpus), tl_vocab_free(vocab);
}
END_TEST

START_TEST(batches_are_as_full_as_the_budget_allows) {
    tl_corpus *corpus = corpus_of(500, NULL);
    tl_batches *batches = tl_batches_new(corpus, &(tl_batches_config){.tokens = 1000000});
    ck_assert_int_eq(tl_batches_per_epoch(batches), 1);
    tl_batches_free(batches);
    batches = tl_batches_new(corpus, &(tl_batches_config){.tokens = 1000000, .max_sentences = 100});
    ck_assert_int_eq(tl_batches_per_epoch(batches), 5);
    tl_batches_free(batches);

    /* from length buckets: the longer sides of a batch's sentences have similar lengths */
    batches = tl_batches_new(corpus, &(tl_batches_config){.tokens = 130});
    long used = 0, padded = 0;
    for (tl_batch b; tl_batches_next(batches, &b);) {
        long widest = b.src_len > b.tgt_len ? b.src_len : b.tgt_len;
        for (long r = 0; r < b.sentences; r++)
            used += b.src_lengths[r] > b.tgt_lengths[r] ? b.src_lengths[r] : b.tgt_lengths[r];
        padded += b.sentences * widest;
    }
    ck_assert_msg(used >= 0.97 * (double)padded, "%ld of %ld", used, padded);
    tl_batches_free(batches);
    tl_corpus_free(corpus);
}
END_TEST

START_TEST(orders) {
    tl_corpus *corpus = corpus_of(200, NULL);
    tl_batches *batches = tl_batches_new(corpus, &(tl_batches_config){.tokens = 60, .order = TL_IN_ORDER});
    long next = 0;
    for (tl_batch b; tl_batches_next(batches, &b);)
        for (long r = 0; r < b.sentences; r++) ck_assert_int_eq(b.index[r], next++);
    ck_assert_int_eq(next, 200);
    tl_batches_free(batches);

    batches = tl_batches_new(corpus, &(tl_batches_config){.tokens = 60, .order = TL_BY_LENGTH});
    long last_length = 0, last_index = -1;
    for (tl_batch b; tl_batches_next(batches, &b);)
        for (long r = 0; r < b.sentences; r++) {
            long length = b.src_lengths[r] > b.tgt_lengths[r] ? b.src_lengths[r] : b.tgt_lengths[r];
            ck_assert(length > last_length || (length == last_length && b.index[r] > last_index));
            last_length = length, last_index = b.index[r];
        }
    tl_batches_free(batches);
    tl_corpus_free(corpus);
}
END_TEST

/* Writes the digests of the batches of two epochs, and 0 for the end of each epoch. Returns how many. */
static int walk(tl_batches *batches, uint64_t *digests) {
    int count = 0;
    for (int epoch = 0; epoch < 2; epoch++) {
        for (tl_batch b; tl_batches_next(batches, &b);) digests[count++] = digest_of(&b);
        digests[count++] = 0;
    }
    return count;
}

START_TEST(the_seed_decides) {
    tl_corpus *corpus = corpus_of(300, NULL);
    static uint64_t digests[3][700];
    int count[3];
    for (int i = 0; i < 3; i++) {
        tl_batches *batches =
            tl_batches_new(corpus, &(tl_batches_config){.tokens = 80, .seed = i < 2 ? 7 : 8});
        count[i] = walk(batches, digests[i]);
        tl_batches_free(batches);
    }
    ck_assert(count[0] == count[1] && count[0] == count[2]);
    int same = 0, repeated = 0, per_epoch = count[0] / 2;
    for (int k = 0; k < count[0]; k++) {
        ck_assert(digests[0][k] == digests[1][k]);
        if (digests[0][k] != 0) same += digests[0][k] == digests[2][k];
    }
    for (int k = 0; k < per_epoch - 1; k++) repeated += digests[0][k] == digests[0][per_epoch + k];
    ck_assert_int_eq(same, 0);     /* another seed gives other batches */
    ck_assert_int_eq(repeated, 0); /* another epoch gives other batches */
    tl_corpus_free(corpus);
}
END_TEST

START_TEST(batches_come_in_mixed_lengths) {
    tl_corpus *corpus = corpus_of(500, NULL);
    tl_batches *batches = tl_batches_new(corpus, &(tl_batches_config){.tokens = 60, .seed = 1});
    int rises = 0, falls = 0;
    long last = 0;
    for (tl_batch b; tl_batches_next(batches, &b);) {
        long widest = b.src_len > b.tgt_len ? b.src_len : b.tgt_len;
        rises += widest > last, falls += widest < last;
        last = widest;
    }
    ck_assert_int_gt(falls, tl_batches_per_epoch(batches) / 4);
    ck_assert_int_gt(rises, tl_batches_per_epoch(batches) / 4);
    tl_batches_free(batches);
    tl_corpus_free(corpus);
}
END_TEST

/* Stops after every single call of two epochs and resumes with a new object: the rest is the same. */
START_TEST(a_position_is_enough_to_go_on) {
    tl_corpus *corpus = corpus_of(120, NULL);
    tl_batches_config config = {.tokens = 80, .seed = 3};
    static uint64_t whole[300], rest[300];
    tl_batches *batches = tl_batches_new(corpus, &config);
    int count = walk(batches, whole), per_epoch = (int)tl_batches_per_epoch(batches);
    tl_batches_position end = tl_batches_tell(batches);
    ck_assert(end.epoch == 2 && end.batch == 0);
    tl_batches_free(batches);
    ck_assert_int_eq(count, 2 * per_epoch + 2);

    tl_batches *first = tl_batches_new(corpus, &config), *second = tl_batches_new(corpus, &config);
    for (int done = 0; done < count; done++) {
        tl_batches_position position = tl_batches_tell(first);
        ck_assert(position.epoch == done / (per_epoch + 1) && position.batch == done % (per_epoch + 1));
        ck_assert(tl_batches_seek(second, position));
        for (int k = done; k < count; k++) {
            tl_batch b;
            rest[k] = tl_batches_next(second, &b) ? digest_of(&b) : 0;
            ck_assert_msg(rest[k] == whole[k], "after %d, batch %d differs", done, k);
        }
        tl_batch b;
        ck_assert(tl_batches_next(first, &b) == (whole[done] != 0));
    }
    /* jumps between the middles of two epochs */
    for (int k = 0; k < 6; k++) {
        tl_batch b;
        tl_batches_position position = {k % 2, 3 + k};
        ck_assert(tl_batches_seek(first, position) && tl_batches_next(first, &b));
        ck_assert(digest_of(&b) == whole[position.epoch * (per_epoch + 1) + position.batch]);
    }
    tl_batches_free(first), tl_batches_free(second);
    tl_corpus_free(corpus);
}
END_TEST

START_TEST(buffers_stay_where_they_are) {
    tl_corpus *corpus = corpus_of(300, NULL);
    tl_batches *batches = tl_batches_new(corpus, &(tl_batches_config){.tokens = 90});
    tl_batch first, b;
    ck_assert(tl_batches_next(batches, &first));
    for (int calls = 0; calls < 500; calls++)
        if (tl_batches_next(batches, &b))
            ck_assert(b.src == first.src && b.tgt_in == first.tgt_in && b.tgt_out == first.tgt_out &&
                      b.index == first.index && b.src_lengths == first.src_lengths);
    tl_batches_free(batches);
    tl_corpus_free(corpus);
}
END_TEST

START_TEST(blank_sentences_are_only_their_ends) {
    tl_vocab *vocab;
    tl_corpus *other = corpus_of(1, &vocab), *corpus = tl_corpus_new();
    ck_assert(tl_corpus_add(corpus, "", "") && tl_corpus_add(corpus, "w1 w2", ""));
    ck_assert(tl_corpus_encode(corpus, vocab, vocab));
    tl_batches *batches = tl_batches_new(corpus, &(tl_batches_config){.order = TL_IN_ORDER});
    tl_batch b;
    ck_assert(tl_batches_next(batches, &b));
    ck_assert(b.sentences == 2 && b.src_len == 3 && b.tgt_len == 1);
    check_rows(corpus, vocab, &b);
    /* an epoch ends, the next begins */
    ck_assert(!tl_batches_next(batches, &b) && tl_batches_next(batches, &b));
    tl_batches_free(batches);
    tl_corpus_free(corpus), tl_corpus_free(other), tl_vocab_free(vocab);
}
END_TEST

static void expect_error(tl_batches *batches, const char *message) {
    tl_batch b = {.sentences = 77};
    ck_assert_str_eq(tl_batches_error(batches), message);
    ck_assert(!tl_batches_next(batches, &b) && b.sentences == 77);
    ck_assert(!tl_batches_seek(batches, (tl_batches_position){0, 0}));
    ck_assert_int_eq(tl_batches_per_epoch(batches), 0);
    tl_batches_free(batches);
}

START_TEST(messages) {
    tl_vocab *vocab;
    tl_corpus *corpus = corpus_of(50, &vocab), *fresh = tl_corpus_new();
    tl_batch b;
    expect_error(tl_batches_new(NULL, NULL), "corpus: out of memory");
    expect_error(NULL, "batches: out of memory");
    expect_error(tl_batches_new(fresh, NULL),
                 "batches: found a corpus without sentences, expected at least one: fill it first");
    ck_assert(tl_corpus_add(fresh, "a", "b"));
    expect_error(tl_batches_new(fresh, NULL),
                 "batches: found a corpus without ids, expected an encoded one: call "
                 "tl_corpus_encode after filling it");
    expect_error(tl_batches_new(corpus, &(tl_batches_config){.tokens = -1}),
                 "batches: found tokens -1 and max_sentences 0, expected 0 (the default) or more");
    expect_error(tl_batches_new(corpus, &(tl_batches_config){.order = (tl_batches_order)3}),
                 "batches: found order 3, expected TL_SHUFFLED, TL_BY_LENGTH or TL_IN_ORDER");

    tl_batches *batches = tl_batches_new(corpus, &(tl_batches_config){.max_sentences = 10});
    ck_assert(tl_batches_seek(batches, (tl_batches_position){9, 5}));
    ck_assert(!tl_batches_next(batches, &b));
    ck_assert(!tl_batches_seek(batches, (tl_batches_position){9, 6}));
    expect_error(
        batches,
        "batches: found the position epoch 9, batch 6, expected batch 0 to 5: corpus or token budget "
        "are not those of the saved run; use the same");
    batches = tl_batches_new(corpus, NULL);
    ck_assert(!tl_batches_next(batches, NULL));
    expect_error(batches, "batches: found no batch to fill (NULL), expected a tl_batch");
    batches = tl_batches_new(corpus, NULL);
    ck_assert(tl_batches_next(batches, &b));
    ck_assert(tl_corpus_encode(corpus, vocab, vocab)); /* its arrays may have moved */
    ck_assert(!tl_batches_next(batches, &b));
    expect_error(batches, "batches: the corpus has changed since tl_batches_new: make new batches");
    tl_batches_free(NULL);
    tl_batches_position at = tl_batches_tell(NULL);
    ck_assert(at.epoch == 0 && at.batch == 0);
    tl_corpus_free(corpus), tl_corpus_free(fresh), tl_vocab_free(vocab);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, contents_budget_and_each_sentence_once);
    tcase_add_test(tc, batches_are_as_full_as_the_budget_allows);
    tcase_add_test(tc, orders);
    tcase_add_test(tc, the_seed_decides);
    tcase_add_test(tc, batches_come_in_mixed_lengths);
    tcase_add_test(tc, a_position_is_enough_to_go_on);
    tcase_add_test(tc, buffers_stay_where_they_are);
    tcase_add_test(tc, blank_sentences_are_only_their_ends);
    tcase_add_test(tc, messages);
}

TL_TEST_MAIN("text: batches")
