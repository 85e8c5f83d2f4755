/* Masked tokens: how many, which, what they become; and a sentence's choice depends on that sentence only. */
#include "model.h"
#include "tensor/product.h"

enum { VOCAB = 50, ROWS = 400, LONG = 40 };

typedef struct corpus {
    int src[ROWS * LONG], lengths[ROWS];
    long index[ROWS];
    tl_batch batch;
} corpus;

/* Sentence n: words that depend only on n, some special ids, <eos> at its end; `width` positions. */
static void add(corpus *c, long at, long n, long width) {
    tl_rng_key key = tl_rng_key_mix(tl_rng_key_of(4, "sentence"), (uint64_t)n);
    const int length = 5 + (int)tl_rng_below(key, 1000, LONG - 10);
    for (long t = 0; t < width; t++) {
        const int word = (int)tl_rng_below(key, (uint64_t)t, VOCAB);
        /* padding is no <pad> here */
        c->src[at * width + t] = t + 1 < length ? word : t < length ? TL_EOS : 7;
    }
    c->lengths[at] = length;
    c->index[at] = n;
    c->batch = (tl_batch){.sentences = at + 1,
                          .src_len = width,
                          .src = c->src,
                          .src_lengths = c->lengths,
                          .index = c->index,
                          .labels = c->lengths};
}
static void fill(corpus *c) {
    for (long n = 0; n < ROWS; n++) add(c, n, n, LONG);
}

static tl_batch masked_of(tl_tape *tape, const corpus *c, const tl_masking *o) {
    tl_batch m;
    must_msg(tl_mask_tokens(tape, &c->batch, o, &m), "%s", tl_tape_error(tape));
    return m;
}

static corpus one, two;

/* ---- how many, and what they become ---- */

typedef struct counts {
    long words, chosen, masked, other, same;
} counts;

static counts count(const corpus *c, const tl_batch *m, int mask_id) {
    counts n = {0};
    for (long i = 0; i < c->batch.sentences * c->batch.src_len; i++) {
        const long b = i / c->batch.src_len, t = i % c->batch.src_len;
        const int was = c->src[i], is = m->src[i], out = m->tgt_out[i];
        const bool word = t < c->lengths[b] && was >= TL_SPECIALS;
        n.words += word;
        if (out == TL_PAD) {
            must(is == was); /* not chosen */
            continue;
        }
        must(word && out == was); /* special ids and padding are never chosen */
        n.chosen++;
        n.masked += is == mask_id, n.same += is == was, n.other += is != mask_id && is != was;
        must(is == mask_id || (is >= TL_SPECIALS && is < VOCAB));
    }
    ck_assert_int_eq(m->tgt_tokens, n.chosen);
    return n;
}

static void assert_share(long part, long all, double share) { /* within 4 standard deviations */
    const double found = (double)part / (double)all, room = 4 * sqrt(share * (1 - share) / (double)all);
    ck_assert_msg(fabs(found - share) <= room, "%ld of %ld, %g, should be %g ± %g", part, all, found, share,
                  room);
}

START_TEST(shares) {
    static const tl_masking given[] = {
        {.vocab = VOCAB},
        {.vocab = VOCAB, .seed = 5, .step = 7, .share = 0.4, .masked = 0.5, .random = 0.5, .mask_id = 3},
        {.vocab = VOCAB, .share = 1, .masked = 1}};
    const double share[] = {0.15, 0.4, 1}, masked[] = {0.8, 0.5, 1}, random[] = {0.1, 0.5, 0};
    tl_tape *tape = tl_tape_new();
    fill(&one);
    tl_batch m = masked_of(tape, &one, &given[_i]);
    const counts n = count(&one, &m, _i == 1 ? 3 : VOCAB);
    ck_assert_int_gt(n.words, 5000);
    assert_share(n.chosen, n.words, share[_i]);
    assert_share(n.masked, n.chosen, masked[_i]);
    const double other = random[_i] * (1 - 1.0 / (VOCAB - TL_SPECIALS)); /* a random word may be the same */
    assert_share(n.other, n.chosen, other);
    assert_share(n.same, n.chosen, 1 - masked[_i] - other);
    ck_assert(m.sentences == ROWS && m.src_len == LONG && m.tgt_len == LONG && !m.tgt_in);
    ck_assert(m.src_lengths == one.lengths && m.tgt_lengths == one.lengths && m.index == one.index &&
              m.labels == one.lengths);
    tl_tape_free(tape);
}
END_TEST

/* Every word is used as a replacement, about equally often. */
START_TEST(random_words_are_any) {
    tl_tape *tape = tl_tape_new();
    fill(&one);
    long seen[VOCAB] = {0}, all = 0;
    tl_batch m = masked_of(tape, &one, &(tl_masking){.vocab = VOCAB, .share = 1, .random = 1});
    for (long i = 0; i < ROWS * LONG; i++)
        if (m.tgt_out[i] != TL_PAD) seen[m.src[i]]++, all++;
    for (int v = 0; v < TL_SPECIALS; v++) ck_assert_int_eq(seen[v], 0);
    for (int v = TL_SPECIALS; v < VOCAB; v++) assert_share(seen[v], all, 1.0 / (VOCAB - TL_SPECIALS));
    tl_tape_free(tape);
}
END_TEST

/* ---- what the choice depends on ---- */

static void assert_same_sentence(const tl_batch *a, long i, const tl_batch *b, long j) {
    for (long t = 0; t < a->src_lengths[i]; t++)
        must(a->src[i * a->src_len + t] == b->src[j * b->src_len + t] &&
             a->tgt_out[i * a->tgt_len + t] == b->tgt_out[j * b->tgt_len + t]);
}

START_TEST(a_sentence_in_any_company) {
    const tl_masking o = {.vocab = VOCAB, .seed = 2, .step = 3, .share = 0.5};
    tl_tape *tape = tl_tape_new();
    fill(&one);
    const tl_batch together = masked_of(tape, &one, &o), again = masked_of(tape, &one, &o);
    for (long n = 0; n < ROWS; n++) assert_same_sentence(&together, n, &again, n);
    for (long n = 0; n < 20; n++) { /* the order and the padding are different */
        const long width = LONG - 5;
        add(&two, 0, 19 - n, width), add(&two, 1, 100 + n, width), add(&two, 2, n, width);
        const tl_batch few = masked_of(tape, &two, &o);
        assert_same_sentence(&few, 2, &together, n);
        assert_same_sentence(&few, 0, &together, 19 - n);
    }
    tl_batch b = one.batch, m; /* without an index the row's number is used */
    b.index = NULL;
    ck_assert(tl_mask_tokens(tape, &b, &o, &m));
    for (long n = 0; n < ROWS; n++) assert_same_sentence(&together, n, &m, n);
    ck_assert(tl_mask_tokens(tape, &b, &o, &b)); /* the result may be the batch itself */
    for (long n = 0; n < ROWS; n++) assert_same_sentence(&together, n, &b, n);
    tl_tape_free(tape);
}
END_TEST

static long differences(const tl_batch *a, const tl_batch *b) {
    long n = 0;
    for (long i = 0; i < a->sentences * a->src_len; i++) n += (a->tgt_out[i] == 0) != (b->tgt_out[i] == 0);
    return n;
}

START_TEST(another_seed_or_step_chooses_others) {
    const tl_masking base = {.vocab = VOCAB, .seed = 2, .step = 3},
                     seed = {.vocab = VOCAB, .seed = 3, .step = 3},
                     step = {.vocab = VOCAB, .seed = 2, .step = 4};
    tl_tape *tape = tl_tape_new();
    fill(&one);
    const tl_batch m = masked_of(tape, &one, &base), s = masked_of(tape, &one, &seed),
                   t = masked_of(tape, &one, &step);
    ck_assert_int_gt(differences(&m, &s), 500);
    ck_assert_int_gt(differences(&m, &t), 500);
    ck_assert_int_gt(differences(&s, &t), 500);
    tl_tape_free(tape);
}
END_TEST

/* ---- the loss ---- */

START_TEST(loss_is_of_chosen_words) {
    const tl_masking o = {.vocab = 13, .share = 0.4}, hardly = {.vocab = 13, .share = 1e-9};
    tl_params *params = tl_params_new(3);
    tl_tape *tape = tl_tape_new();
    tl_classifier m = tl_classifier_init(params, "",
                                         &(tl_classifier_config){.vocab = 13,
                                                                 .d_model = 8,
                                                                 .heads = 2,
                                                                 .layers = 1,
                                                                 .d_ff = 12,
                                                                 .masked_tokens = true,
                                                                 .mean_pooling = _i});
    tl_batch b = batch_of(sentences, 5, 13, 0, 0), wide = batch_of(sentences, 5, 13, 20, 0), masked, padded;
    tl_loss_report r;
    tl_zero_grad(params);
    ck_assert(tl_mask_tokens(tape, &b, &o, &masked));
    tl_var loss = tl_classifier_masked_loss(&m, tape, &masked, NULL, &r, NULL);
    tl_tensor p = tl_value(tl_log_softmax(tl_classifier_masked_logits(&m, tape, &masked, NULL), -1));
    assert_no_error(tl_tape_error(tape));
    ck_assert(tl_shape_equal(tl_shape_of(p), TL_SHAPE(5, b.src_len, 14)));
    double nll = 0;
    for (long i = 0; i < 5 * b.src_len; i++)
        if (masked.tgt_out[i]) nll -= (double)element_of(p, i * 14 + masked.tgt_out[i]);
    ck_assert(masked.tgt_tokens > 3 && r.count == masked.tgt_tokens);
    ck_assert_double_eq_tol(tl_item(tl_value(loss)), nll / (double)masked.tgt_tokens, 1e-5);
    ck_assert(tl_backward(loss));
    gradients g = gradients_of(params);
    const double was = tl_item(tl_value(loss));
    tl_zero_grad(params);
    tl_tape_reset(tape);
    ck_assert(tl_mask_tokens(tape, &wide, &o, &padded));
    loss = tl_classifier_masked_loss(&m, tape, &padded, NULL, NULL, NULL);
    ck_assert(tl_item(tl_value(loss)) == was && tl_backward(loss));
    if (!tl_product_in_groups(TL_HIGHEST)) assert_same_gradients(params, &g, "more padding");
    gradients_free(&g);
    tl_tape_reset(tape);
    ck_assert(tl_mask_tokens(tape, &b, &hardly, &masked) && masked.tgt_tokens == 0); /* nothing chosen */
    tl_zero_grad(params);
    loss = tl_classifier_masked_loss(&m, tape, &masked, NULL, &r, NULL);
    ck_assert(tl_ok(loss) && tl_item(tl_value(loss)) == 0 && r.count == 0 && tl_backward(loss));
    for (int i = 0; i < tl_params_count(params); i++)
        ck_assert(all_zero(tl_param_grad(tl_params_at(params, i))));
    tl_batch plain = b;
    plain.tgt_out = NULL;
    ck_assert(!tl_ok(tl_classifier_masked_loss(&m, tape, &plain, NULL, NULL, NULL)));
    assert_contains(tl_tape_error(tape), "transformer-classifier: the batch has no masked tokens");
    tl_tape_clear_error(tape);
    ck_assert(!tl_ok(tl_classifier_logits(&m, tape, &b, NULL)));
    assert_contains(tl_tape_error(tape), "it was made without classes, for masked tokens alone");
    batch_free(&b), batch_free(&wide);
    tl_tape_free(tape);
    tl_params_free(params);
}
END_TEST

/* ---- what is refused ---- */

START_TEST(what_cannot_be_masked) {
    static const struct {
        tl_masking o;
        const char *why;
    } cases[] = {{{.vocab = 4}, "masked tokens: vocab is 4, should be more than the 4 ids that are no words"},
                 {{.vocab = VOCAB, .share = 1.5}, "masked tokens: share is 1.5, should be in 0 … 1"},
                 {{.vocab = VOCAB, .share = NAN}, "share is nan"},
                 {{.vocab = VOCAB, .masked = 0.7, .random = 0.4}, "masked is 0.7 and random 0.4"},
                 {{.vocab = VOCAB, .masked = -1}, "masked is -1"},
                 {{.vocab = VOCAB, .mask_id = -1}, "mask_id is -1"},
                 {{.vocab = 20}, "masked tokens: id "}};
    tl_tape *tape = tl_tape_new();
    fill(&one);
    tl_batch m, wrong;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert(!tl_mask_tokens(tape, &one.batch, &cases[i].o, &m) && !m.src && !m.sentences);
        assert_contains(tl_tape_error(tape), cases[i].why);
        tl_tape_clear_error(tape);
    }
    const tl_masking o = {.vocab = VOCAB};
#define FAILS(given, part)                         \
 do {                                              \
  ck_assert(!tl_mask_tokens(tape, given, &o, &m)); \
  assert_contains(tl_tape_error(tape), part);      \
  tl_tape_clear_error(tape);                       \
 } while (0)
    FAILS(NULL, "the batch is NULL");
    wrong = one.batch, wrong.src = NULL;
    FAILS(&wrong, "masked tokens: the batch has no src or no src_lengths");
    wrong = one.batch, wrong.src_len = 6;
    FAILS(&wrong, "should be 0 … 6, what the batch is long");
    wrong = one.batch, wrong.sentences = 1L << 62;
    FAILS(&wrong, "more than memory can hold");
#undef FAILS
    ck_assert(!tl_mask_tokens(tape, &one.batch, NULL, &m));
    assert_contains(tl_tape_error(tape), "vocab is 0");
    ck_assert(!tl_mask_tokens(tape, &one.batch, &o, &m)); /* the tape has failed already */
    tl_tape_clear_error(tape);
    ck_assert(!tl_mask_tokens(NULL, &one.batch, &o, &m));
    ck_assert(tl_mask_tokens(tape, &one.batch, &o, NULL)); /* the result is not wanted */
    tl_tape_free(tape);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, shares, 0, 3);
    tcase_add_test(tc, random_words_are_any);
    tcase_add_test(tc, a_sentence_in_any_company);
    tcase_add_test(tc, another_seed_or_step_chooses_others);
    tcase_add_loop_test(tc, loss_is_of_chosen_words, 0, 2);
    tcase_add_test(tc, what_cannot_be_masked);
}

TL_TEST_MAIN("models: masked tokens")
