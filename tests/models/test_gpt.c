/* GPT: its names, shapes and initial values; gradients against differences; padding, other texts, threads, looking and
 * later words change no bit; states and searches against computing everything again; and what is refused. */
#include "gpt.h"
#include "tensor/product.h"

/* ---- texts ---- */

static const sentence texts[] = {{0, 0, 5}, {1, 0, 6}, {2, 0, 9}, {3, 0, 2}, {4, 0, 1}, {5, 0, 16}};
enum { TEXTS = 6 };

/* A batch without source. */
static tl_batch texts_of(const sentence *s, long count, long vocab, long width) {
    tl_batch b = batch_of(s, count, vocab, 0, width);
    b.src = b.src_lengths = NULL;
    return b;
}
static void texts_free(tl_batch *b) { free((int *)b->tgt_in); } /* the block that batch_of has allocated */

static tl_tensor hidden_of(gpt_bench *k, const tl_batch *b, const tl_model_maps *maps) {
    tl_tape_reset(k->tape);
    tl_tensor h = tl_value(k->model.model.kind->hidden(&k->model.model, k->tape, b, maps));
    assert_no_error(tl_tape_error(k->tape));
    return copied(h);
}

/* ---- parameters ---- */

typedef struct named {
    const char *name;
    long rows, columns; /* columns 0: a vector */
} named;

static void assert_parameters(const tl_gpt_config *config, const char *name, const named *expected,
                              int count) {
    tl_params *params = tl_params_new(1);
    tl_gpt_init(params, name, config);
    assert_no_error(tl_params_error(params));
    ck_assert_int_eq(tl_params_count(params), count);
    for (int i = 0; i < count; i++) {
        const tl_param *p = tl_params_at(params, i);
        ck_assert_str_eq(p->leaf.name, expected[i].name);
        const long columns = expected[i].columns;
        ck_assert_msg(tl_shape_equal(tl_shape_of(tl_param_value(p)), columns
                                                                         ? TL_SHAPE(expected[i].rows, columns)
                                                                         : TL_SHAPE(expected[i].rows)),
                      "%s has another shape", expected[i].name);
    }
    tl_params_free(params);
}

START_TEST(names_and_shapes) {
    static const named all[] = {{"transformer.wte.weight", 11, 4},
                                {"transformer.wpe.weight", 7, 4},
                                {"transformer.h.0.ln_1.weight", 4, 0},
                                {"transformer.h.0.ln_1.bias", 4, 0},
                                {"transformer.h.0.attn.c_attn.weight", 12, 4},
                                {"transformer.h.0.attn.c_attn.bias", 12, 0},
                                {"transformer.h.0.attn.c_proj.weight", 4, 4},
                                {"transformer.h.0.attn.c_proj.bias", 4, 0},
                                {"transformer.h.0.ln_2.weight", 4, 0},
                                {"transformer.h.0.ln_2.bias", 4, 0},
                                {"transformer.h.0.mlp.c_fc.weight", 16, 4},
                                {"transformer.h.0.mlp.c_fc.bias", 16, 0},
                                {"transformer.h.0.mlp.c_proj.weight", 4, 16},
                                {"transformer.h.0.mlp.c_proj.bias", 4, 0},
                                {"transformer.ln_f.weight", 4, 0},
                                {"transformer.ln_f.bias", 4, 0}},
                       few[] = {{"lm.transformer.wte.weight", 11, 4},
                                {"lm.transformer.distances.weight", 2, 32},
                                {"lm.transformer.h.0.ln_1.weight", 4, 0},
                                {"lm.transformer.h.0.attn.c_attn.weight", 12, 4},
                                {"lm.transformer.h.0.attn.c_proj.weight", 4, 4},
                                {"lm.transformer.h.1.ln_1.weight", 4, 0},
                                {"lm.transformer.h.1.attn.c_attn.weight", 12, 4},
                                {"lm.transformer.h.1.attn.c_proj.weight", 4, 4},
                                {"lm.transformer.ln_f.weight", 4, 0},
                                {"lm.lm_head.weight", 11, 4}};
    assert_parameters(&(tl_gpt_config){.vocab = 11, .d_model = 4, .heads = 2, .layers = 1, .max_len = 7}, "",
                      all, sizeof all / sizeof *all);
    assert_parameters(&(tl_gpt_config){.vocab = 11,
                                       .d_model = 4,
                                       .heads = 2,
                                       .layers = 2,
                                       .positions = TL_RELATIVE,
                                       .no_bias = true,
                                       .no_feed_forward = true,
                                       .untied = true},
                      "lm", few, sizeof few / sizeof *few);
}
END_TEST

/* The well-known number of weights of GPT-2 small. */
START_TEST(defaults_are_the_small_one) {
    tl_params *params = tl_params_new_empty();
    const tl_gpt m = tl_gpt_init(params, "", &(tl_gpt_config){.vocab = 50257});
    assert_no_error(tl_params_error(params));
    ck_assert_int_eq(tl_params_numel(params), 124439808);
    ck_assert_int_eq(m.config.positions, TL_LEARNED);
    ck_assert(m.model.max_len == 1024 && m.model.heads == 12 && m.model.src_vocab == 50257 &&
              m.model.tgt_vocab == 50257 && m.model.attentions[TL_DECODER_SELF] == 12 &&
              !m.model.attentions[TL_ENCODER_SELF] && !m.model.attentions[TL_CROSS] && !m.model.no_cache);
    ck_assert(m.output_weight == m.wte.weight);
    tl_params_free(params);
}
END_TEST

static void assert_spread(const tl_params *params, const char *name, double expected) {
    tl_param *p = tl_params_find(params, name);
    ck_assert_msg(p != NULL, "there is no %s", name);
    const tl_tensor t = tl_param_value(p);
    const double n = (double)tl_numel(t);
    double sum = 0, squares = 0;
    for (long i = 0; i < tl_numel(t); i++) sum += (double)t.data[i], squares += pow((double)t.data[i], 2);
    const double spread = sqrt(squares / n - pow(sum / n, 2));
    ck_assert_msg(fabs(spread / expected - 1) < 4 / sqrt(2 * n), "%s: %g, not %g", name, spread, expected);
    ck_assert_msg(fabs(sum / n) < 5 * expected / sqrt(n), "%s: its mean is %g", name, sum / n);
}

START_TEST(beginnings) {
    tl_params *params = tl_params_new(7), *attention_alone = tl_params_new(7), *wider = tl_params_new(7);
    tl_gpt_config c = {.vocab = 50, .d_model = 64, .heads = 2, .layers = 3, .untied = true, .max_len = 40};
    tl_gpt_init(params, "", &c);
    static const char *const small[] = {"transformer.wte.weight", "transformer.wpe.weight",
                                        "transformer.h.0.attn.c_attn.weight",
                                        "transformer.h.2.mlp.c_fc.weight", "lm_head.weight"},
                             *const smaller[] = {"transformer.h.1.attn.c_proj.weight",
                                                 "transformer.h.2.mlp.c_proj.weight"};
    for (int i = 0; i < 5; i++) assert_spread(params, small[i], 0.02);
    for (int i = 0; i < 2; i++) assert_spread(params, smaller[i], 0.02 / sqrt(6));
    c.init_std = 0.1;
    tl_gpt_init(wider, "", &c);
    for (int i = 0; i < 5; i++) assert_spread(wider, small[i], 0.1);
    for (int i = 0; i < 2; i++) assert_spread(wider, smaller[i], 0.1 / sqrt(6));
    tl_params_free(wider);
    c.init_std = 0;
    c.no_feed_forward = true; /* one sum per layer */
    tl_gpt_init(attention_alone, "", &c);
    assert_spread(attention_alone, smaller[0], 0.02 / sqrt(3));
    for (int i = 0; i < tl_params_count(params); i++) {
        const tl_param *p = tl_params_at(params, i);
        const tl_tensor v = tl_param_value(p);
        const bool gain = strstr(p->leaf.name, "ln_") && strstr(p->leaf.name, ".weight");
        for (long e = 0; v.rank == 1 && e < tl_numel(v); e++) must(v.data[e] == (gain ? 1 : 0));
    }
    tl_params_free(attention_alone);
    tl_params_free(params);
}
END_TEST

/* With sigmoid each weight depends only on its own score, and is 0 for later words. */
START_TEST(weights_of_a_sigmoid) {
    tl_gpt_config config = gpts[0];
    config.normaliser = TL_SIGMOID;
    gpt_bench k = gpt_begin(&config);
    tl_batch b = texts_of(texts, 1, 13, 0);
    tl_attention_maps seen[2] = {{.keep_grad = false}};
    const tl_model_maps maps = {.decoder_self = seen};
    free(hidden_of(&k, &b, &maps).data);
    for (int l = 0; l < 2; l++)
        for (long h = 0; h < 2; h++)
            for (long i = 0; i < b.tgt_len; i++)
                for (long j = 0; j < b.tgt_len; j++) {
                    const double s = tl_item(tl_at(tl_value(seen[l].scores), 0, h, i, j)),
                                 p = tl_item(tl_at(tl_value(seen[l].probs), 0, h, i, j));
                    ck_assert_double_eq_tol(p, j > i ? 0 : 1 / (1 + exp(-s)), 1e-6);
                }
    texts_free(&b);
    gpt_end(&k);
}
END_TEST

/* ---- gradients ---- */

static tl_var loss_of(tl_tape *tape, const tl_var *unused, void *data) {
    (void)unused;
    const gpt_bench *k = data;
    static const int in[] = {1, 3, 1, 2, 4, 0}, out[] = {3, 2, 4, 4, 1, 0}, lengths[] = {3, 2};
    const tl_batch b = {
        .sentences = 2, .tgt_len = 3, .tgt_in = in, .tgt_out = out, .tgt_lengths = lengths, .pad = MODEL_PAD};
    return tl_model_loss(&k->model.model, tape, &b, NULL, NULL, NULL);
}

START_TEST(all_gradients) { /* in training, with every dropout */
    const bool train = _i / GPTS;
    tl_gpt_config config = gpts[_i % GPTS];
    config.vocab = 5;
    config.d_model = 2 * config.heads;
    config.d_ff = 5;
    config.max_len = 4;
    config.label_smoothing = 0.1;
    config.dropout = config.attention_dropout = 0.2;
    gpt_bench k = gpt_begin(&config);
    tl_gradcheck_report r;
    bool ok = tl_gradcheck_params(k.params, loss_of, &k, &(tl_gradcheck_options){.train = train}, &r);
    ck_assert_msg(ok, "%s", r.error.message);
    ck_assert_int_eq(r.checked, tl_params_numel(k.params));
    gpt_end(&k);
}
END_TEST

static tl_var nothing_at(tl_var x, const tl_place_at *at, void *where) {
    return tl_replace_where(x, tl_scalar(x.tape, 0), at, where);
}

/* The stream after the first attention or, with `nothing`, with the attention's output replaced by 0. */
static tl_tensor stream(gpt_bench *k, const tl_batch *b, bool nothing) {
    tl_attention_maps seen[2] = {{.keep_grad = false}};
    if (nothing) seen[0].replace[TL_PLACE_OUTPUT] = (tl_replacement){nothing_at, NULL};
    const tl_model_maps maps = {.decoder_self = seen};
    tl_tape_reset(k->tape);
    tl_tape_set_training(k->tape, 1);
    ck_assert(tl_ok(k->model.model.kind->hidden(&k->model.model, k->tape, b, &maps)));
    return copied(tl_value(seen[0].residual));
}

/* Dropout sets a share of embeddings, and of what is added to them, to 0; attention_dropout acts on the weights. */
START_TEST(dropout_drops) {
    tl_batch b = texts_of(texts, TEXTS, 13, 0);
    for (int which = 0; which < 2; which++) {
        tl_gpt_config config = gpts[0];
        *(which ? &config.dropout : &config.attention_dropout) = 0.3;
        gpt_bench k = gpt_begin(&config);
        const double first = tl_item(tl_value(model_step(&k.model.model, k.tape, &b, 1, NULL))),
                     again = tl_item(tl_value(model_step(&k.model.model, k.tape, &b, 1, NULL))),
                     second = tl_item(tl_value(model_step(&k.model.model, k.tape, &b, 2, NULL)));
        ck_assert(first == again && first != second);
        tl_tensor embedded = stream(&k, &b, true), summed = stream(&k, &b, false);
        long of_embeddings = 0, of_sums = 0, all = 0;
        for (long s = 0; s < TEXTS; s++)
            for (long i = 0; i < b.tgt_lengths[s] * 8; i++, all++) {
                const tl_real x = tl_at(embedded, s).data[i], y = tl_at(summed, s).data[i];
                of_embeddings += x == 0;
                of_sums += y == x;
            }
        const double least = which ? 0.22 : 0, most = which ? 0.38 : 0;
        const double shares[] = {(double)of_embeddings / (double)all, (double)of_sums / (double)all};
        for (int i = 0; i < 2; i++)
            ck_assert_msg(shares[i] >= least && shares[i] <= most, "%g of %ld were dropped", shares[i], all);
        free(embedded.data), free(summed.data);
        gpt_end(&k);
    }
    texts_free(&b);
}
END_TEST

/* ---- the same bits ---- */

/* More padding, other threads, and looking change no bit of loss and gradients. */
START_TEST(same_bits) {
    const tl_gpt_config *config = &gpts[_i];
    gpt_bench k = gpt_begin(config);
    tl_batch b = texts_of(texts, TEXTS, config->vocab, 0), wide = texts_of(texts, TEXTS, config->vocab, 27);
    const double loss = tl_item(tl_value(model_step(&k.model.model, k.tape, &b, 1, NULL)));
    gradients g = gradients_of(k.params);
    const bool moves = tl_product_in_groups(TL_HIGHEST); /* padding moves weights' gradients */
    ck_assert(tl_item(tl_value(model_step(&k.model.model, k.tape, &wide, 1, NULL))) == loss);
    if (!moves) assert_same_gradients(k.params, &g, "more padding");
    for (long i = 0; i < TEXTS; i++) /* ids in the padding are not used */
        for (long t = wide.tgt_lengths[i]; t < wide.tgt_len; t++)
            ((int *)wide.tgt_in)[i * wide.tgt_len + t] = (int)(3 + t % 7);
    ck_assert(tl_item(tl_value(model_step(&k.model.model, k.tape, &wide, 1, NULL))) == loss);
    if (!moves) assert_same_gradients(k.params, &g, "other ids in the padding");
    for (int threads = 1; threads <= 3; threads += 2) {
        tl_set_threads(threads);
        tl_attention_maps seen[2] = {{.keep_grad = true}, {.keep_grad = true}};
        tl_model_maps maps = {.decoder_self = seen};
        ck_assert(tl_item(tl_value(model_step(&k.model.model, k.tape, &b, 1, threads > 1 ? &maps : NULL))) ==
                  loss);
        assert_same_gradients(k.params, &g, threads > 1 ? "looking" : "one thread");
    }
    gradients_free(&g);
    texts_free(&wide);
    texts_free(&b);
    gpt_end(&k);
}
END_TEST

/* NaN in the padding reaches nothing, no gradient either. (The output must be untied, or its row of padding would be
 * NaN.) */
START_TEST(nan_in_the_padding) {
    tl_gpt_config config = gpts[_i];
    config.untied = true;
    gpt_bench k = gpt_begin(&config);
    tl_batch b = texts_of(texts, TEXTS, config.vocab, 0);
    const double loss = tl_item(tl_value(model_step(&k.model.model, k.tape, &b, 1, NULL)));
    gradients g = gradients_of(k.params);
    tl_tensor_fill(tl_at(tl_param_value(k.model.wte.weight), MODEL_PAD), (tl_real)NAN);
    tl_params_changed(k.params);
    ck_assert(tl_item(tl_value(model_step(&k.model.model, k.tape, &b, 1, NULL))) == loss);
    assert_same_gradients(k.params, &g, "NaN in the padding");
    gradients_free(&g);
    texts_free(&b);
    gpt_end(&k);
}
END_TEST

/* Hidden values are the same for a text alone as in a batch, whatever words come later. */
START_TEST(alone_as_in_a_batch) {
    gpt_bench k = gpt_begin(&gpts[_i]);
    tl_batch b = texts_of(texts, TEXTS, gpts[_i].vocab, 0);
    tl_tensor all = hidden_of(&k, &b, NULL);
    for (long s = 0; s < TEXTS; s++)
        for (int length = 1; length <= b.tgt_lengths[s]; length += 3) {
            const tl_batch one = prefix_of(b.tgt_in + s * b.tgt_len, &length);
            tl_tensor h = hidden_of(&k, &one, NULL);
            assert_same_bits(tl_at(h, 0), tl_tensor_slice(tl_at(all, s), 0, 0, length),
                             "%d words of text %ld", length, s);
            free(h.data);
        }
    free(all.data);
    texts_free(&b);
    gpt_end(&k);
}
END_TEST

/* Changing one word of a text changes nothing before it, and everything from it on. */
START_TEST(later_words_change_nothing_before) {
    gpt_bench k = gpt_begin(&gpts[_i]);
    enum { CHANGED = 4 };
    tl_batch b = texts_of(texts, TEXTS, gpts[_i].vocab, 0);
    tl_tensor before = hidden_of(&k, &b, NULL);
    int *word = (int *)b.tgt_in + 2 * b.tgt_len + CHANGED; /* of text 2 */
    *word = *word == 5 ? 6 : 5;
    tl_tensor after = hidden_of(&k, &b, NULL);
    for (long s = 0; s < TEXTS; s++)
        for (long t = 0; t < b.tgt_lengths[s]; t++)
            ck_assert_msg((first_difference(tl_at(before, s, t), tl_at(after, s, t)) == -1) ==
                              (s != 2 || t < CHANGED),
                          "text %ld, place %ld", s, t);
    free(before.data), free(after.data);
    texts_free(&b);
    gpt_end(&k);
}
END_TEST

/* Positions make a difference: in a text of one repeated word, each position has another result, unless there are no
 * positions. */
START_TEST(places_are_told_apart) {
    gpt_bench k = gpt_begin(&gpts[_i]);
    static const int words[] = {5, 7, 5, 7, 5, 7, 5, 7}, turned[] = {7, 5, 5, 7, 5, 7, 5, 7}, length = 8;
    const tl_batch b = prefix_of(words, &length), c = prefix_of(turned, &length);
    tl_tensor x = hidden_of(&k, &b, NULL), y = hidden_of(&k, &c, NULL);
    double largest = 0, size = 0;
    for (long i = 0; i < x.dim[2]; i++) {
        largest = fmax(largest, fabs((double)(tl_at(x, 0, 7).data[i] - tl_at(y, 0, 7).data[i])));
        size = fmax(size, fabs((double)tl_at(x, 0, 7).data[i]));
    }
    /* without positions one layer sees a bag of words; the order of the first two words shows only through a second
     * layer */
    if (gpts[_i].positions == TL_NO_POSITIONS && gpts[_i].layers == 1)
        ck_assert_double_lt(largest, 1e-5 * size);
    else
        ck_assert_double_gt(largest, 1e-4 * size);
    free(x.data), free(y.data);
    gpt_end(&k);
}
END_TEST

START_TEST(without_positions_one_layer_sees_a_bag) {
    tl_gpt_config config = GPT(.positions = TL_NO_POSITIONS);
    config.layers = 1;
    gpt_bench k = gpt_begin(&config);
    static const int words[] = {5, 7, 4, 9}, turned[] = {4, 5, 7, 9}, length = 4;
    const tl_batch b = prefix_of(words, &length), c = prefix_of(turned, &length);
    tl_tensor x = hidden_of(&k, &b, NULL), y = hidden_of(&k, &c, NULL);
    for (long i = 0; i < 8; i++)
        ck_assert_double_eq_tol((double)tl_at(x, 0, 3).data[i], (double)tl_at(y, 0, 3).data[i], 1e-5);
    free(x.data), free(y.data);
    gpt_end(&k);
}
END_TEST

/* ---- windows of a text: no lengths, no padding ---- */

START_TEST(windows) {
    gpt_bench k = gpt_begin(&gpts[_i]);
    enum { W = 3, T = 6 };
    int text[W * T + 1], lengths[W] = {T, T, T};
    for (int i = 0; i <= W * T; i++) text[i] = (i * i + i / 3) % 9; /* 0 is a word like any other */
    tl_batch b = {.sentences = W, .tgt_len = T, .tgt_in = text, .tgt_out = text + 1, .pad = -1};
    tl_loss_report report;
    tl_var loss = tl_model_loss(&k.model.model, k.tape, &b, NULL, &report, NULL);
    assert_no_error(tl_tape_error(k.tape));
    ck_assert_int_eq(report.count, W * T);
    const double whole = tl_item(tl_value(loss));
    double log_p[W * T], sum = 0;
    ck_assert_msg(tl_log_p(&k.model.model, k.tape, &b, NULL, log_p), "%s", tl_tape_error(k.tape));
    for (int i = 0; i < W * T; i++) sum -= log_p[i];
    ck_assert_double_eq_tol(whole, sum / (W * T), 1e-5);
    b.tgt_lengths = lengths;
    ck_assert(tl_item(tl_value(tl_model_loss(&k.model.model, k.tape, &b, NULL, NULL, NULL))) == whole);
    b.pad = 0;
    ck_assert(tl_ok(tl_model_loss(&k.model.model, k.tape, &b, NULL, &report, NULL)));
    ck_assert_int_lt(report.count, W * T);
    gpt_end(&k);
}
END_TEST

/* A source, if there is one, is not used. */
START_TEST(a_source_counts_for_nothing) {
    gpt_bench k = gpt_begin(&gpts[0]);
    tl_batch pairs = batch_of(sentences, 5, 13, 0, 0), b = pairs;
    b.src = b.src_lengths = NULL, b.src_len = 0;
    const double with = tl_item(tl_value(tl_model_loss(&k.model.model, k.tape, &pairs, NULL, NULL, NULL)));
    ck_assert(tl_item(tl_value(tl_model_loss(&k.model.model, k.tape, &b, NULL, NULL, NULL))) == with);
    batch_free(&pairs);
    gpt_end(&k);
}
END_TEST

/* ---- a state ---- */

enum { ROWS = 10, STEPS = 9 };
/* For each row, what a state has read. */
typedef struct history {
    int words[ROWS][STEPS];
    int steps;
} history;

static void assert_like_teacher_forcing(gpt_bench *k, const history *h, long row, const tl_model_state *state,
                                        tl_tensor logits) {
    const tl_batch one = prefix_of(h->words[row], &h->steps);
    const tl_model *m = &k->model.model;
    const tl_model_maps maps = tl_model_maps_new(m, k->tape, false);
    tl_var hidden = m->kind->hidden(m, k->tape, &one, &maps);
    tl_tensor there = tl_at(tl_value(m->kind->logits(m, hidden)), 0, h->steps - 1);
    assert_same_bits(tl_at(logits, row), there, "step %d: logits of row %ld", h->steps, row);
    for (int l = 0; l < m->attentions[TL_DECODER_SELF]; l++) {
        tl_tensor kept = tl_tensor_slice(tl_at(state->maps[TL_DECODER_SELF][l], row), 1, 0, h->steps);
        assert_same_bits(tl_tensor_slice(kept, 2, 0, h->steps),
                         tl_at(tl_value(maps.decoder_self[l].probs), 0), "step %d: layer %d, row %ld",
                         h->steps, l, row);
    }
}

static void take_step(gpt_bench *k, history *h, tl_model_state *state) {
    const long rows = state->sentences * state->each;
    int words[ROWS];
    tl_mark mark = tl_tape_mark(k->tape);
    for (long r = 0; r < rows; r++)
        words[r] = h->words[r][h->steps] = sentence_word((int)r, 1, h->steps, k->model.config.vocab);
    h->steps++;
    tl_var logits = tl_model_step(state, words);
    ck_assert_msg(tl_ok(logits), "%s", tl_tape_error(k->tape));
    ck_assert(tl_shape_equal(tl_shape_of_var(logits), TL_SHAPE(rows, k->model.config.vocab)));
    for (long r = 0; r < rows; r++) assert_like_teacher_forcing(k, h, r, state, tl_value(logits));
    tl_tape_release(k->tape, mark);
}

static void copy_row(history *h, tl_model_state *state, long to, long from) {
    memcpy(h->words[to], h->words[from], sizeof h->words[to]);
    tl_model_copy_row(state, to, from);
}
static void keep(history *h, tl_model_state *state, const long *kept, long count) {
    for (long s = 0; s < count; s++) memmove(h->words[2 * s], h->words[2 * kept[s]], 2 * sizeof h->words[0]);
    tl_model_keep(state, kept, count);
    ck_assert_int_eq(state->sentences, count);
}

/* Between the steps rows are copied and sentences dropped, with caches and without. */
START_TEST(a_state_is_teacher_forcing) {
    gpt_bench k = gpt_begin(&gpts[_i % GPTS]);
    history h = {.steps = 0};
    const tl_batch nothing = {.sentences = 5};
    tl_model_state *state = tl_model_begin(
        &k.model.model, k.tape, &nothing,
        &(tl_model_state_options){.each = 2, .capacity = STEPS, .maps = true, .no_cache = _i / GPTS});
    ck_assert_msg(state != NULL, "%s", tl_tape_error(k.tape));
    ck_assert_ptr_null(state->maps[TL_CROSS]);
    take_step(&k, &h, state);
    take_step(&k, &h, state);
    copy_row(&h, state, 1, 0);
    copy_row(&h, state, 8, 9);
    copy_row(&h, state, 3, 3);
    take_step(&k, &h, state);
    keep(&h, state, (const long[]){1, 2, 4}, 3);
    take_step(&k, &h, state);
    copy_row(&h, state, 4, 5);
    keep(&h, state, (const long[]){0, 2}, 2);
    for (int i = 0; i < 4; i++) take_step(&k, &h, state);
    ck_assert_int_eq(state->at, 8);
    gpt_end(&k);
}
END_TEST

/* ---- searches that continue prompts ---- */

enum { PROMPTS = 3, BEAM = 3, LONGEST = 11 };
static const int prompts[PROMPTS][4] = {{5, 7, 6, 4}, {9, 0, 0, 0}, {4, 4, 0, 0}},
                 prompt_lengths[] = {4, 1, 2};

static tl_search_options writing(bool sample) {
    return (tl_search_options){.beam = sample ? 0 : BEAM,
                               .nbest = BEAM,
                               .sample = sample,
                               .seed = 3,
                               .bos = -1,
                               .max_extra = LONGEST,
                               .forced = prompts[0],
                               .forced_lengths = prompt_lengths,
                               .forced_length = 4,
                               .maps = true};
}

static tl_search_result searched(gpt_bench *k, long sentences, const tl_search_options *o) {
    const tl_batch nothing = {.sentences = sentences};
    tl_search_result r;
    ck_assert_msg(tl_search(&k->model.model, k->tape, &nothing, o, &r), "%s", tl_tape_error(k->tape));
    ck_assert_int_eq(r.capacity, LONGEST);
    return r;
}

static void assert_same_texts(const tl_search_result *a, long from, const tl_search_result *b, long count) {
    must(!memcmp(a->lengths + from * BEAM, b->lengths, (size_t)(count * BEAM) * sizeof(int)));
    must(!memcmp(a->score + from * BEAM, b->score, (size_t)(count * BEAM) * sizeof(double)));
    must(!memcmp(a->ids + from * BEAM * LONGEST, b->ids, (size_t)(count * BEAM * LONGEST) * sizeof(int)));
}

static void assert_is_log_p(gpt_bench *k, const int *ids, int said, double score) {
    double log_p[LONGEST], sum = 0;
    const int length = said - 1; /* the first word was given */
    tl_batch b = prefix_of(ids, &length);
    b.tgt_out = ids + 1;
    ck_assert_msg(tl_log_p(&k->model.model, k->tape, &b, NULL, log_p), "%s", tl_tape_error(k->tape));
    for (int t = 0; t < length; t++) sum += log_p[t];
    ck_assert_msg(sum == score, "%.17g, not %.17g", sum, score);
}

START_TEST(searches_from_prompts) {
    gpt_bench k = gpt_begin(&gpts[_i]);
    int written = 0;
    for (int sample = 0; sample < 2; sample++) {
        tl_search_options o = writing(sample);
        tl_tape_reset(k.tape);
        const tl_search_result r = searched(&k, PROMPTS, &o);
        o.no_cache = true;
        const tl_search_result anew = searched(&k, PROMPTS, &o);
        assert_same_texts(&r, 0, &anew, PROMPTS);
        for (int l = 0; l < gpts[_i].layers; l++)
            assert_same_bits(r.maps[TL_DECODER_SELF][l], anew.maps[TL_DECODER_SELF][l], "layer %d", l);
        ck_assert_ptr_null(r.maps[TL_CROSS]);
        for (long i = 0; i < PROMPTS * BEAM; i++) {
            if (r.lengths[i] < 0) continue;
            const int *ids = r.ids + i * LONGEST, n = r.lengths[i], prompt = prompt_lengths[i / BEAM];
            const int said = n + (n < LONGEST && ids[n] == MODEL_EOS);
            must(!memcmp(ids, prompts[i / BEAM], (size_t)prompt * sizeof *ids));
            assert_is_log_p(&k, ids, said, r.score[i]);
            written += n - prompt;
        }
        o.no_cache = false;
        for (long s = 0; s < PROMPTS; s++) { /* alone */
            o.forced = prompts[s], o.forced_lengths = &prompt_lengths[s], o.numbers = &s;
            const tl_search_result one = searched(&k, 1, &o);
            assert_same_texts(&r, s, &one, 1);
        }
    }
    ck_assert_int_gt(written, 20);
    gpt_end(&k);
}
END_TEST

/* ---- gates and replacements ---- */

START_TEST(what_is_looked_at) {
    gpt_bench k = gpt_begin(&gpts[_i]);
    tl_batch b = texts_of(texts, TEXTS, gpts[_i].vocab, 0);
    const tl_model_maps maps = tl_model_maps_new(&k.model.model, k.tape, true);
    tl_zero_grad(k.params);
    ck_assert(tl_backward(tl_model_loss(&k.model.model, k.tape, &b, NULL, NULL, &maps)));
    for (int l = 0; l < gpts[_i].layers; l++) {
        const tl_attention_maps *m = &maps.decoder_self[l];
        const tl_tensor p = tl_value(m->probs), dp = tl_attention_grad(m, TL_PLACE_PROBS);
        ck_assert(tl_shape_equal(tl_shape_of(p), TL_SHAPE(TEXTS, gpts[_i].heads, b.tgt_len, b.tgt_len)));
        ck_assert(dp.data && !all_zero(dp) && !all_zero(tl_grad(m->scores)));
        ck_assert(tl_ok(m->output) && tl_ok(m->residual) && tl_ok(m->context));
        for (long s = 0; s < TEXTS; s++)
            for (long t = 0; t < b.tgt_lengths[s]; t++) {
                double sum = 0;
                for (long j = 0; j < b.tgt_len; j++) {
                    const double share = (double)tl_at(p, s, 0, t, j).data[0];
                    must(j <= t ? share > 0 : share == 0);
                    sum += share;
                }
                must(gpts[_i].normaliser == TL_SIGMOID || fabs(sum - 1) < 1e-5);
            }
    }
    texts_free(&b);
    gpt_end(&k);
}
END_TEST

/* Embeddings times √d, plus sin and cos of position / 10000^(2i/d) (Vaswani et al. 2017, 3.4 and 3.5). */
START_TEST(sinusoids) {
    gpt_bench k = gpt_begin(&(tl_gpt_config)GPT(.sinusoids = true));
    tl_batch b = texts_of(texts, 3, 13, 0);
    const tl_model_maps maps = tl_model_maps_new(&k.model.model, k.tape, true);
    ck_assert_int_eq(k.model.config.positions, TL_SINUSOIDAL);
    ck_assert(tl_ok(tl_model_loss(&k.model.model, k.tape, &b, NULL, NULL, &maps)));
    const tl_tensor x = tl_value(maps.stream[TL_DECODER][0].stream), e = tl_param_value(k.model.wte.weight);
    for (long t = 0; t < b.tgt_lengths[0]; t++)
        for (long i = 0; i < 8; i++) {
            const double angle = (double)t / pow(10000, (double)(i / 2 * 2) / 8);
            const double place = i % 2 ? cos(angle) : sin(angle);
            const double word = sqrt(8) * (double)e.data[b.tgt_in[t] * 8 + i];
            ck_assert_double_eq_tol((double)x.data[t * 8 + i], word + place, 1e-5);
        }
    texts_free(&b);
    gpt_end(&k);
}
END_TEST

static double loss_with_gates(gpt_bench *k, const tl_batch *b, const tl_real *gate, int layer, tl_var *var) {
    tl_tape_reset(k->tape);
    const tl_model_maps maps = tl_model_maps_new(&k->model.model, k->tape, false);
    tl_var g = tl_variable(k->tape, tl_tensor_of((tl_real *)gate, TL_SHAPE(k->model.config.heads)));
    maps.decoder_self[layer].gate = g;
    if (var) *var = g;
    tl_var loss = tl_model_loss(&k->model.model, k->tape, b, NULL, NULL, &maps);
    if (var) ck_assert_msg(tl_backward(loss), "%s", tl_tape_error(k->tape));
    return tl_item(tl_value(loss));
}

/* A gate of 1 changes no bit; a gate's gradient agrees with differences. */
START_TEST(gates) {
    gpt_bench k = gpt_begin(&gpts[_i]);
    tl_batch b = texts_of(texts, TEXTS, gpts[_i].vocab, 0);
    const double plain = tl_item(tl_value(model_step(&k.model.model, k.tape, &b, 1, NULL)));
    const int layer = gpts[_i].layers - 1, heads = gpts[_i].heads;
    tl_real gate[4] = {1, 1, 1, 1};
    const double h = sizeof(tl_real) == 8 ? 1e-5 : 2e-2, tolerance = sizeof(tl_real) == 8 ? 1e-8 : 2e-3;
    double grad[4];
    tl_var g;
    tl_zero_grad(k.params);
    ck_assert(loss_with_gates(&k, &b, gate, layer, &g) == plain);
    for (int i = 0; i < heads; i++) grad[i] = (double)tl_grad(g).data[i];
    for (int i = 0; i < heads; i++) {
        gate[i] = (tl_real)(1 + h);
        const double more = loss_with_gates(&k, &b, gate, layer, NULL);
        gate[i] = (tl_real)(1 - h);
        const double numeric = (more - loss_with_gates(&k, &b, gate, layer, NULL)) / (2 * h);
        gate[i] = 1;
        ck_assert_msg(fabs(grad[i] - numeric) < tolerance && grad[i] != 0, "head %d: %g, not %g", i, grad[i],
                      numeric);
    }
    texts_free(&b);
    gpt_end(&k);
}
END_TEST

/* A replacement at one position acts there: predictions before it stay, those from it on change. */
START_TEST(replacements_have_positions) {
    static const tl_place places[] = {TL_PLACE_CONTEXT, TL_PLACE_OUTPUT, TL_PLACE_RESIDUAL};
    gpt_bench k = gpt_begin(&gpts[_i]);
    tl_batch b = texts_of(texts, 3, gpts[_i].vocab, 0);
    tl_tensor before = hidden_of(&k, &b, NULL);
    for (int p = 0; p < 3; p++) {
        tl_replaced where = {.sentences = {2, 3}, .positions = {2, 3}};
        tl_attention_maps maps[2] = {{.keep_grad = false}};
        maps[0].replace[places[p]] = (tl_replacement){nothing_at, &where};
        tl_tensor after = hidden_of(&k, &b, &(tl_model_maps){.decoder_self = maps});
        for (long s = 0; s < 3; s++)
            for (long t = 0; t < b.tgt_lengths[s]; t++) {
                const bool same = first_difference(tl_at(before, s, t), tl_at(after, s, t)) == -1;
                if (s < 2 || t < 2) ck_assert_msg(same, "text %ld, position %ld is another one", s, t);
                if (s == 2 && t == 2) ck_assert(!same);
            }
        free(after.data);
    }
    free(before.data);
    texts_free(&b);
    gpt_end(&k);
}
END_TEST

/* In a search, replacements act the same with caches and without. */
START_TEST(changes_in_a_search) {
    gpt_bench k = gpt_begin(&gpts[_i]);
    tl_replaced where = {.heads = {1, 2}, .positions = {3, 5}};
    tl_attention_maps acting[2] = {{.gate = tl_full(k.tape, TL_SHAPE(gpts[_i].heads), 0.25),
                                    .replace[TL_PLACE_CONTEXT] = {nothing_at, &where}}};
    const tl_model_maps maps = {.decoder_self = acting};
    tl_search_options o = writing(true);
    const tl_search_result plain = searched(&k, PROMPTS, &o);
    o.intervene = &maps;
    const tl_search_result r = searched(&k, PROMPTS, &o);
    o.no_cache = true;
    const tl_search_result anew = searched(&k, PROMPTS, &o);
    assert_same_texts(&r, 0, &anew, PROMPTS);
    ck_assert(memcmp(r.score, plain.score, (size_t)(PROMPTS * BEAM) * sizeof *r.score) != 0);
    for (int depth = 0; depth < k.model.model.depths[TL_DECODER];
         depth++) { /* and so is the stream, at each depth */
        tl_stream_maps stream[8] = {{.keep = 0}};
        stream[depth].replace[TL_PLACE_STREAM - TL_PLACE_FEED_FORWARD] = (tl_replacement){nothing_at, &where};
        const tl_model_maps of_stream = {.stream[TL_DECODER] = stream};
        o.intervene = &of_stream;
        o.no_cache = false;
        const tl_search_result cached = searched(&k, PROMPTS, &o);
        o.no_cache = true;
        const tl_search_result whole = searched(&k, PROMPTS, &o);
        assert_same_texts(&cached, 0, &whole, PROMPTS);
        ck_assert(memcmp(cached.score, plain.score, (size_t)(PROMPTS * BEAM) * sizeof *r.score) != 0);
    }
    gpt_end(&k);
}
END_TEST

/* ---- learning ---- */

START_TEST(learns) {
    gpt_bench k = {.params = tl_params_new(3), .tape = tl_tape_new()};
    tl_gpt_config config = gpts[_i];
    config.dropout = config.attention_dropout = 0;
    k.model = tl_gpt_init(k.params, "", &config);
    tl_batch b = texts_of(texts, TEXTS, config.vocab, 0);
    const double first = tl_item(tl_value(model_step(&k.model.model, k.tape, &b, 1, NULL)));
    ck_assert_double_eq_tol(first, log((double)config.vocab), 0.1); /* it has learnt nothing yet */
    model_learns_to_stop(&k.model.model, k.tape, &b, 40);
    const double last = tl_item(tl_value(model_step(&k.model.model, k.tape, &b, 1, NULL)));
    ck_assert_msg(last < 0.6 * first, "the loss went from %g to %g", first, last);
    texts_free(&b);
    gpt_end(&k);
}
END_TEST

/* ---- what is refused ---- */

START_TEST(refusals) {
    static const struct {
        tl_gpt_config config;
        const char *why;
    } cases[] = {
        {{.d_model = 8}, "gpt: vocab is 0, should be 1 or more"},
        {{.vocab = -2}, "gpt: vocab is -2"},
        {{.vocab = 3, .d_model = -1}, "gpt: d_model is -1"},
        {{.vocab = 1L << 40, .d_model = 1L << 40}, "more elements than memory can hold"},
        {{.vocab = 3, .d_model = 1L << 62, .heads = 2}, "gpt: d_ff is 0, should be 1 or more"},
        {{.vocab = 3, .d_ff = -3}, "gpt: d_ff is -3"},
        {{.vocab = 3, .heads = -1}, "gpt: heads is -1"},
        {{.vocab = 3, .d_model = 8, .heads = 3, .layers = 1},
         "transformer.h.0.attn: d_model 8 does not split into 3 heads"},
        {{.vocab = 3, .layers = -1}, "gpt: layers is -1"},
        {{.vocab = 3, .max_len = -1}, "gpt: max_len is -1"},
        {{.vocab = 3, .positions = (tl_position_kind)7}, "gpt: there is no kind of positions number 7"},
        {{.vocab = 3, .d_model = 6, .heads = 2, .positions = TL_ROTARY},
         "transformer.h.0.attn: rotary positions turn pairs of columns, but a head has 3"},
        {{.vocab = 3, .norm_eps = -1}, "gpt: norm_eps is -1"},
        {{.vocab = 3, .init_std = -0.1}, "gpt: init_std is -0.1"},
        {{.vocab = 3, .dropout = 1}, "gpt: dropout 1 is not in [0, 1)"},
        {{.vocab = 3, .attention_dropout = -0.5}, "gpt: attention_dropout -0.5 is not in [0, 1)"},
        {{.vocab = 3, .label_smoothing = NAN}, "gpt: label_smoothing"}};
    const tl_batch nothing = {.sentences = 2};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_params *params = tl_params_new(1);
        tl_tape *tape = tl_tape_new();
        tl_gpt m = tl_gpt_init(params, "", &cases[i].config);
        ck_assert_msg(tl_params_error(params), "not refused: %s", cases[i].why);
        assert_contains(tl_params_error(params), cases[i].why);
        tl_batch b = texts_of(texts, 2, 5, 0); /* a tape that uses it reports it */
        ck_assert(!tl_ok(tl_model_loss(&m.model, tape, &b, NULL, NULL, NULL)));
        assert_contains(tl_tape_error(tape), cases[i].why);
        tl_tape_clear_error(tape);
        ck_assert(!tl_model_begin(&m.model, tape, &nothing, &(tl_model_state_options){.capacity = 1}));
        ck_assert(tl_tape_error(tape) != NULL);
        texts_free(&b);
        tl_tape_free(tape);
        tl_params_free(params);
    }
}
END_TEST

START_TEST(models_that_were_never_made) {
    tl_params *params = tl_params_new(1);
    ck_assert(!tl_gpt_init(params, "", NULL).model.kind);
    assert_contains(tl_params_error(params), "tl_gpt_init: the config is NULL");
    tl_params_free(params);
    params = tl_params_new(1);
    ck_assert(!tl_gpt_init(params, NULL, &gpts[0]).model.kind);
    assert_contains(tl_params_error(params), "tl_gpt_init: the name is NULL");
    tl_params_free(params);
    tl_tape *tape = tl_tape_new();
    tl_batch b = texts_of(texts, 2, 13, 0);
    const tl_gpt nobodys = tl_gpt_init(NULL, "", &gpts[0]), none = {.config = {0}};
    ck_assert(!tl_ok(tl_model_loss(&nobodys.model, tape, &b, NULL, NULL, NULL)) && tl_tape_error(tape));
    tl_tape_clear_error(tape);
    ck_assert(!tl_model_begin(&nobodys.model, tape, &b, &(tl_model_state_options){.capacity = 1}));
    tl_tape_clear_error(tape);
    ck_assert(!tl_ok(tl_model_loss(&none.model, tape, &b, NULL, NULL, NULL)));
    assert_contains(tl_tape_error(tape), "the model is NULL or zeroed");
    texts_free(&b);
    tl_tape_free(tape);
}
END_TEST

static void fails(gpt_bench *k, const tl_batch *b, const char *why) {
    tl_tape_reset(k->tape);
    ck_assert(!tl_ok(tl_model_loss(&k->model.model, k->tape, b, NULL, NULL, NULL)));
    assert_contains(tl_tape_error(k->tape), why);
    tl_tape_clear_error(k->tape);
}

START_TEST(batches_that_cannot_be_read) {
    gpt_bench k = gpt_begin(&gpts[0]);
    tl_batch b = texts_of(texts, 2, 13, 0), wrong;
    fails(&k, NULL, "the batch is NULL");
    wrong = b, wrong.tgt_in = NULL;
    fails(&k, &wrong, "gpt: the batch has no tgt_in");
    wrong = b, wrong.tgt_out = NULL;
    fails(&k, &wrong, "targets are NULL");
    wrong = b, wrong.sentences = -1;
    fails(&k, &wrong, "a batch of -1 sentences");
    int ids[12];
    memcpy(ids, b.tgt_in, sizeof ids);
    wrong = b, wrong.tgt_in = ids, ids[8] = 13;
    fails(&k, &wrong, "id 13 at position 8 of [2,6] is outside 0 … 12");
    ids[8] = -1;
    fails(&k, &wrong, "id -1 at position 8");
    memcpy(ids, b.tgt_out, sizeof ids);
    wrong = b, wrong.tgt_out = ids, ids[3] = 13;
    fails(&k, &wrong, "13");
    const int lengths[] = {5, 7};
    wrong = b, wrong.tgt_lengths = lengths;
    fails(&k, &wrong, "7");
    texts_free(&b);
    b = texts_of(texts, 2, 13, 65);
    fails(&k, &b, "transformer.wpe: places 0 to 64, but max_len is 64");
    texts_free(&b);
    gpt_end(&k);
}
END_TEST

START_TEST(states_that_cannot_be) {
    gpt_bench k = gpt_begin(&gpts[0]);
    const tl_batch two = {.sentences = 2};
    ck_assert(!tl_model_begin(&k.model.model, k.tape, &two, &(tl_model_state_options){.capacity = 65}));
    assert_contains(tl_tape_error(k.tape), "gpt: a state of 65 steps, but the model's max_len is 64");
    for (int no_cache = 0; no_cache < 2; no_cache++) {
        tl_tape_clear_error(k.tape);
        tl_model_state *state = tl_model_begin(
            &k.model.model, k.tape, &two, &(tl_model_state_options){.capacity = 1, .no_cache = no_cache});
        ck_assert(!tl_ok(tl_model_step(state, (const int[]){3, 13})));
        assert_contains(tl_tape_error(k.tape), "id 13 at position 1");
        tl_tape_clear_error(k.tape);
        ck_assert(!tl_ok(tl_model_step(state, (const int[]){3, 4})));
        assert_contains(tl_tape_error(k.tape), "the state was made for 1 steps, and they are taken");
    }
    tl_tape_clear_error(k.tape);
    gpt_end(&k);
}
END_TEST

/* With distances, or without positions, there is no longest text. */
START_TEST(longer_than_max_len) {
    tl_gpt_config config = gpts[_i];
    config.max_len = 4;
    gpt_bench k = gpt_begin(&config);
    tl_batch b = texts_of(texts, 3, 13, 0);
    ck_assert(tl_ok(tl_model_loss(&k.model.model, k.tape, &b, NULL, NULL, NULL)));
    texts_free(&b);
    gpt_end(&k);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, names_and_shapes);
    tcase_add_test(tc, defaults_are_the_small_one);
    tcase_add_test(tc, beginnings);
    tcase_add_loop_test(tc, all_gradients, 0, 2 * GPTS);
    tcase_add_test(tc, weights_of_a_sigmoid);
    tcase_add_test(tc, dropout_drops);
    tcase_add_loop_test(tc, same_bits, 0, GPTS);
    tcase_add_loop_test(tc, nan_in_the_padding, 0, GPTS);
    tcase_add_loop_test(tc, alone_as_in_a_batch, 0, GPTS);
    tcase_add_loop_test(tc, later_words_change_nothing_before, 0, GPTS);
    tcase_add_loop_test(tc, places_are_told_apart, 0, GPTS);
    tcase_add_test(tc, without_positions_one_layer_sees_a_bag);
    tcase_add_loop_test(tc, windows, 0, GPTS);
    tcase_add_test(tc, a_source_counts_for_nothing);
    tcase_add_loop_test(tc, a_state_is_teacher_forcing, 0, 2 * GPTS);
    tcase_add_loop_test(tc, searches_from_prompts, 0, GPTS);
    tcase_add_loop_test(tc, what_is_looked_at, 0, GPTS);
    tcase_add_test(tc, sinusoids);
    tcase_add_loop_test(tc, gates, 0, GPTS);
    tcase_add_loop_test(tc, replacements_have_positions, 0, GPTS);
    tcase_add_loop_test(tc, changes_in_a_search, 0, GPTS);
    tcase_add_loop_test(tc, learns, 0, GPTS);
    tcase_add_test(tc, refusals);
    tcase_add_test(tc, models_that_were_never_made);
    tcase_add_test(tc, batches_that_cannot_be_read);
    tcase_add_test(tc, states_that_cannot_be);
    tcase_add_loop_test(tc, longer_than_max_len, 1, 6);
}
TL_TEST_MAIN("models: a decoder alone")
