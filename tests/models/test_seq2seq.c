/* Recurrent models over whole sentences: gradients against differences; the papers' formulas in plain loops; padding,
 * other sentences, threads and looking change no bit; and what is refused. */
#include "seq2seq.h"
#include "tensor/product.h"

/* ---- gradients ---- */

static tl_var loss_of(tl_tape *tape, const tl_var *unused, void *data) {
    (void)unused;
    const recurrent_bench *k = data;
    static const int src[] = {3, 4, 2, 4, 2, 0}, in[] = {1, 3, 1, 0}, out[] = {3, 2, 4, 0};
    static const int src_lengths[] = {3, 2}, tgt_lengths[] = {2, 1};
    const tl_batch b = {.sentences = 2,
                        .src_len = 3,
                        .tgt_len = 2,
                        .src = src,
                        .tgt_in = in,
                        .tgt_out = out,
                        .src_lengths = src_lengths,
                        .tgt_lengths = tgt_lengths,
                        .pad = MODEL_PAD};
    return tl_model_loss(&k->model.model, tape, &b, NULL, NULL, NULL);
}

START_TEST(all_gradients) { /* in training, with every dropout */
    tl_seq2seq_config config = recurrents[_i];
    config.src_vocab = config.tgt_vocab = 5;
    config.d_model = config.heads == 2 ? 4 : 2;
    if (config.embedding) config.embedding = 3;
    config.label_smoothing = 0.1;
    config.dropout = config.attention_dropout = 0.2;
    recurrent_bench k = recurrent_begin(&config);
    tl_gradcheck_report r;
    bool ok = tl_gradcheck_params(k.params, loss_of, &k, &(tl_gradcheck_options){.train = true}, &r);
    ck_assert_msg(ok, "%s", r.error.message);
    ck_assert_int_eq(r.checked, tl_params_numel(k.params));
    recurrent_end(&k);
}
END_TEST

/* ---- formulas ---- */

static double at(const tl_params *params, const char *name, long i, long j) {
    tl_param *p = tl_params_find(params, name);
    ck_assert_msg(p != NULL, "there is no %s", name);
    tl_tensor t = tl_param_value(p);
    return (double)t.data[t.rank == 1 ? i : i * t.dim[t.rank - 1] + j]; /* of one head: [1,…] */
}

/* Row i of W·x + b. */
static double row(const tl_params *params, const char *weight, const char *bias, long i, const double *x,
                  long n) {
    double sum = bias ? at(params, bias, i, 0) : 0;
    for (long j = 0; j < n; j++) sum += at(params, weight, i, j) * x[j];
    return sum;
}
static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

enum { D = 4, E = 3 };

/* One step of the GRU with that name: Cho et al. 2014, with PyTorch's biases. */
static void gru_step(const tl_params *p, const char *part, const char *suffix, const double *x, long in,
                     double *h) {
    char name[4][64];
    static const char *const what[] = {"weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"};
    for (int i = 0; i < 4; i++) snprintf(name[i], 64, "%s.%s%s", part, what[i], suffix);
    double next[D];
    for (long i = 0; i < D; i++) {
        const double r = sigmoid(row(p, name[0], name[2], i, x, in) + row(p, name[1], name[3], i, h, D)),
                     z = sigmoid(row(p, name[0], name[2], D + i, x, in) +
                                 row(p, name[1], name[3], D + i, h, D)),
                     n = tanh(row(p, name[0], name[2], 2 * D + i, x, in) +
                              r * row(p, name[1], name[3], 2 * D + i, h, D));
        next[i] = (1 - z) * n + z * h[i];
    }
    memcpy(h, next, sizeof next);
}

static void embedding(const tl_params *p, const char *name, int word, double *x) {
    for (long j = 0; j < E; j++) x[j] = at(p, name, word, j);
}

/* The outputs of a bidirectional GRU, and the decoder's first state. */
static void read_source(const tl_params *p, const int *src, int length, double memory[][2 * D], double *s) {
    double forward[D] = {0}, back[D] = {0}, x[E], both[2 * D];
    for (int t = 0; t < length; t++) {
        embedding(p, "src_embedding.weight", src[t], x);
        gru_step(p, "encoder", "", x, E, forward);
        memcpy(memory[t], forward, sizeof forward);
        embedding(p, "src_embedding.weight", src[length - 1 - t], x);
        gru_step(p, "encoder", "_reverse", x, E, back);
        memcpy(memory[length - 1 - t] + D, back, sizeof back);
    }
    memcpy(both, forward, sizeof forward), memcpy(both + D, back, sizeof back);
    for (long i = 0; i < D; i++) s[i] = tanh(row(p, "bridge_h.0.weight", "bridge_h.0.bias", i, both, 2 * D));
}

/* The score of one head. */
static double score_of(const tl_params *p, tl_score score, const double *s, const double *h) {
    double sum = 0;
    for (long i = 0; i < D; i++)
        sum += score == TL_GENERAL ? s[i] * row(p, "attention.score_weight", NULL, i, h, 2 * D)
                                   : at(p, "attention.score_weight", 0, i) *
                                         tanh(row(p, "attention.score_query_weight", NULL, i, s, D) +
                                              row(p, "attention.score_key_weight", NULL, i, h, 2 * D) +
                                              at(p, "attention.score_bias", 0, i));
    return sum;
}

static void attend(const tl_params *p, tl_score score, const double *s, double memory[][2 * D], int length,
                   double *c) {
    double e[8], sum = 0;
    for (int j = 0; j < length; j++) sum += e[j] = exp(score_of(p, score, s, memory[j]));
    for (long i = 0; i < 2 * D; i++) {
        c[i] = 0;
        for (int j = 0; j < length; j++) c[i] += e[j] / sum * memory[j][i];
    }
}

/* Bahdanau et al. 2015: the query is the previous state. Luong et al. 2015: the query is the new state, and o is fed
 * back. */
static void say(const tl_params *p, bool luong, const int *in, int words, double memory[][2 * D], int length,
                double *s, double o[][D]) {
    for (int t = 0; t < words; t++) {
        double y[E], c[2 * D], x[E + 2 * D], parts[D + 2 * D + E];
        embedding(p, "tgt_embedding.weight", in[t], y);
        memcpy(x, y, sizeof y);
        if (luong) {
            for (long i = 0; i < D; i++) x[E + i] = t ? o[t - 1][i] : 0;
            gru_step(p, "decoder", "", x, E + D, s);
            attend(p, TL_GENERAL, s, memory, length, c);
        } else {
            attend(p, TL_ADDITIVE, s, memory, length, c);
            memcpy(x + E, c, sizeof c);
            gru_step(p, "decoder", "", x, E + 2 * D, s);
        }
        memcpy(parts, s, D * sizeof *s), memcpy(parts + D, c, sizeof c), memcpy(parts + 3 * D, y, sizeof y);
        for (long i = 0; i < D; i++)
            o[t][i] = tanh(row(p, "readout.weight", "readout.bias", i, parts, luong ? 3 * D : 3 * D + E));
    }
}

START_TEST(formulas) {
    const bool luong = _i;
    recurrent_bench k = recurrent_begin(
        &(tl_seq2seq_config)SEQ2SEQ(.d_model = D, .embedding = E, .bidirectional = true,
                                    .score = luong ? TL_GENERAL : TL_ADDITIVE, .input_feeding = luong));
    static const int src[] = {3, 9, 5, 2}, in[] = {1, 7, 4}, src_length = 4, tgt_length = 3;
    const tl_batch b = {.sentences = 1,
                        .src_len = 4,
                        .tgt_len = 3,
                        .src = src,
                        .tgt_in = in,
                        .src_lengths = &src_length,
                        .tgt_lengths = &tgt_length};
    tl_tensor hidden = tl_value(k.model.model.kind->hidden(&k.model.model, k.tape, &b, NULL));
    assert_no_error(tl_tape_error(k.tape));
    double memory[4][2 * D], s[D], o[3][D];
    read_source(k.params, src, src_length, memory, s);
    say(k.params, luong, in, tgt_length, memory, src_length, s, o);
    for (int t = 0; t < tgt_length; t++)
        for (long i = 0; i < D; i++)
            ck_assert_double_eq_tol((double)element_of(hidden, t * D + i), o[t][i],
                                    sizeof(tl_real) == 4 ? 2e-6 : 1e-14);
    recurrent_end(&k);
}
END_TEST

/* ---- the same bits ---- */

/* More padding, other threads, and looking change no bit of loss and gradients. */
START_TEST(same_bits) {
    recurrent_bench k = recurrent_begin(&recurrents[_i]);
    tl_batch b = batch_of(sentences, 5, 13, 0, 0),
             wide = batch_of(sentences, 5, 13, b.src_len + 4, b.tgt_len + 3);
    const double loss = tl_item(tl_value(recurrent_pass(&k, &b, 1, NULL)));
    gradients g = gradients_of(k.params);
    const bool moves = tl_product_in_groups(TL_HIGHEST); /* padding moves weights' gradients */
    ck_assert(tl_item(tl_value(recurrent_pass(&k, &wide, 1, NULL))) == loss);
    if (!moves) assert_same_gradients(k.params, &g, "more padding");
    tl_model_maps maps = {0};
    for (int threads = 1; threads <= 3; threads += 2) {
        tl_set_threads(threads);
        tl_tape_reset(k.tape);
        maps = tl_model_maps_new(&k.model.model, k.tape, true);
        tl_tape_set_training(k.tape, 1);
        tl_zero_grad(k.params);
        tl_var seen = tl_model_loss(&k.model.model, k.tape, &b, NULL, NULL, &maps);
        ck_assert(tl_item(tl_value(seen)) == loss);
        must_msg(tl_backward(seen), "%s", tl_tape_error(k.tape));
        assert_same_gradients(k.params, &g, "looking");
    }
    if (k.model.config.no_attention) {
        ck_assert_int_eq(k.model.model.attentions[TL_CROSS], 0);
    } else { /* probabilities at real source words, 0 at padding */
        tl_tensor p = tl_value(maps.cross[0].probs);
        ck_assert(tl_shape_equal(tl_shape_of(p), TL_SHAPE(5, k.model.config.heads, b.tgt_len, b.src_len)));
        for (long i = 0; i < p.dim[0] * p.dim[1] * p.dim[2]; i++) {
            double sum = 0;
            for (long j = 0; j < p.dim[3]; j++) {
                const double share = (double)element_of(p, i * p.dim[3] + j);
                must(j < b.src_lengths[i / p.dim[2] / p.dim[1]] ? share > 0 : share == 0);
                sum += share;
            }
            must(fabs(sum - 1) < 1e-5);
        }
    }
    gradients_free(&g);
    batch_free(&wide);
    batch_free(&b);
    recurrent_end(&k);
}
END_TEST

static tl_tensor hidden_of(recurrent_bench *k, const tl_batch *b) {
    tl_tape_reset(k->tape);
    tl_tensor h = tl_value(k->model.model.kind->hidden(&k->model.model, k->tape, b, NULL));
    assert_no_error(tl_tape_error(k->tape));
    return copied(h);
}

/* Hidden values are the same for a sentence alone as in a batch, whatever words come later. */
START_TEST(alone_as_in_a_batch) {
    recurrent_bench k = recurrent_begin(&recurrents[_i]);
    tl_batch b = batch_of(sentences, SENTENCES, 13, 0, 0);
    tl_tensor all = hidden_of(&k, &b);
    for (long s = 0; s < SENTENCES; s++) {
        const int length = b.tgt_lengths[s] > 1 ? b.tgt_lengths[s] - 1 : 1; /* without the last word, too */
        const tl_batch one = alone(&b, s, b.tgt_in + s * b.tgt_len, &length);
        tl_tensor h = hidden_of(&k, &one);
        must(first_difference(tl_at(h, 0), tl_tensor_slice(tl_at(all, s), 0, 0, length)) == -1);
        free(h.data);
    }
    free(all.data);
    batch_free(&b);
    recurrent_end(&k);
}
END_TEST

static tl_var nothing_at(tl_var x, const tl_place_at *at, void *where) {
    return tl_replace_where(x, tl_scalar(x.tape, 0), at, where);
}

/* Replacing the context at one position acts there: predictions before it stay, those from it on change. */
START_TEST(replacements_have_positions) {
    recurrent_bench k = recurrent_begin(&recurrents[_i]);
    tl_batch b = batch_of(sentences, 3, 13, 0, 0);
    tl_replaced where = {.sentences = {2, 3}, .positions = {2, 3}};
    tl_attention_maps cross = {.replace[TL_PLACE_CONTEXT] = {nothing_at, &where}};
    tl_tensor before = hidden_of(&k, &b);
    tl_tape_reset(k.tape);
    const tl_model_maps maps = {.cross = &cross};
    tl_tensor after = tl_value(k.model.model.kind->hidden(&k.model.model, k.tape, &b, &maps));
    assert_no_error(tl_tape_error(k.tape));
    for (long s = 0; s < 3; s++)
        for (long t = 0; t < b.tgt_len; t++) {
            const bool same = first_difference(tl_at(before, s, t), tl_at(after, s, t)) == -1;
            if (s < 2 || t < 2) ck_assert_msg(same, "sentence %ld, position %ld is another one", s, t);
            if (s == 2 && t == 2) ck_assert(!same);
        }
    free(before.data);
    batch_free(&b);
    recurrent_end(&k);
}
END_TEST

/* In a search, too: at each depth of both streams, with caches as without. */
START_TEST(streams_in_a_search) {
    recurrent_bench k = recurrent_begin(&recurrents[_i]);
    tl_batch b = batch_of(sentences, 3, 13, 0, 0);
    tl_replaced where = {.sentences = {1, 3}, .positions = {0, 4}};
    tl_search_result plain, r[2];
    must(tl_search(&k.model.model, k.tape, &b, &(tl_search_options){.beam = 2}, &plain));
    for (int side = 0; side < TL_STREAM_SIDES; side++)
        for (int depth = 0; depth < 2; depth++) {
            tl_stream_maps stream[2] = {{.keep = 0}};
            stream[depth].replace[TL_PLACE_STREAM - TL_PLACE_FEED_FORWARD] =
                (tl_replacement){nothing_at, &where};
            tl_model_maps maps = {.cross = NULL};
            maps.stream[side] = stream;
            for (int anew = 0; anew < 2; anew++)
                must_msg(tl_search(&k.model.model, k.tape, &b,
                                   &(tl_search_options){.beam = 2, .no_cache = anew, .intervene = &maps},
                                   &r[anew]),
                         "%s", tl_tape_error(k.tape));
            for (int s = 0; s < 3; s++)
                must_msg(r[0].score[s] == r[1].score[s] && r[0].lengths[s] == r[1].lengths[s],
                         "side %d, depth %d: other than anew", side, depth);
            const bool blind = recurrents[_i].no_attention && side == TL_ENCODER && depth == 1;
            must_msg(blind || r[0].score[1] != plain.score[1] || r[0].score[2] != plain.score[2],
                     "side %d, depth %d: it did not act", side, depth);
            must(r[0].score[0] == plain.score[0]);
        }
    batch_free(&b);
    recurrent_end(&k);
}
END_TEST

/* dL/dP against differences: a replacement adds something to one probability. */
typedef struct nudge {
    tl_replaced where;
    double by;
} nudge;
static tl_var nudged(tl_var probs, const tl_place_at *place, void *context) {
    const nudge *n = context;
    return tl_replace_where(probs, tl_add(probs, tl_scalar(probs.tape, n->by)), place, &n->where);
}

static double loss_with(recurrent_bench *k, const tl_batch *b, nudge n, double by) {
    tl_tape_reset(k->tape);
    tl_model_maps maps = tl_model_maps_new(&k->model.model, k->tape, false);
    n.by = by;
    maps.cross->replace[TL_PLACE_PROBS] = (tl_replacement){nudged, &n};
    return tl_item(tl_value(tl_model_loss(&k->model.model, k->tape, b, NULL, NULL, &maps)));
}

START_TEST(gradients_of_what_was_looked_at) {
    recurrent_bench k = recurrent_begin(&recurrents[_i]);
    static const sentence few[] = {{1, 3, 2}, {2, 4, 3}};
    tl_batch batch = batch_of(few, 2, 13, 0, 0), *b = &batch;
    const double h = sizeof(tl_real) == 8 ? 1e-5 : 1e-2, tolerance = sizeof(tl_real) == 8 ? 1e-8 : 1e-3;
    tl_model_maps maps = tl_model_maps_new(&k.model.model, k.tape, true);
    ck_assert(tl_backward(tl_model_loss(&k.model.model, k.tape, b, NULL, NULL, &maps)));
    const tl_tensor probs = tl_value(maps.cross->probs),
                    given = tl_attention_grad(maps.cross, TL_PLACE_PROBS);
    ck_assert(tl_shape_equal(tl_shape_of(given), tl_shape_of(probs)));
    const long heads = given.dim[1], words = given.dim[2], keys = given.dim[3];
    tl_tensor kept = copied(given);
    const tl_real *grad = kept.data;
    double largest = 0;
    for (long i = 0; i < tl_numel(given); i += 3) {
        const long s = i % keys, t = i / keys % words, head = i / keys / words % heads,
                   row = i / keys / words / heads;
        const nudge n = {.where = {{row, row + 1}, {head, head + 1}, {t, t + 1}, {s, s + 1}}};
        const double numeric = (loss_with(&k, b, n, h) - loss_with(&k, b, n, -h)) / (2 * h);
        const bool real = s < b->src_lengths[row] && t < b->tgt_lengths[row];
        if (real)
            ck_assert_msg(fabs((double)grad[i] - numeric) < tolerance, "[%ld,%ld,%ld,%ld]: %g, not %g", row,
                          head, t, s, grad[i], numeric);
        if (real) largest = fmax(largest, fabs((double)grad[i]));
    }
    ck_assert(largest > 1e-4);
    free(kept.data);
    ck_assert(!tl_attention_grad(NULL, TL_PLACE_PROBS).data);
    ck_assert(!tl_attention_grad(maps.cross, (tl_place)-1).data);
    ck_assert(!tl_attention_grad(maps.cross, (tl_place)TL_PLACES).data);
    batch_free(b);
    recurrent_end(&k);
}
END_TEST

START_TEST(learns) {
    tl_seq2seq_config config = recurrents[3 * _i + 1];
    config.d_model = 16;
    if (config.embedding) config.embedding = 12;
    recurrent_bench k = recurrent_begin(&config);
    tl_batch b = batch_of(sentences, 4, 13, 0, 0);
    const double first = tl_item(tl_value(recurrent_pass(&k, &b, 1, NULL)));
    recurrent_train(&k, &b, 25);
    const double last = tl_item(tl_value(recurrent_pass(&k, &b, 1, NULL)));
    ck_assert_msg(last < 0.85 * first, "the loss went from %g to %g", first, last);
    batch_free(&b);
    recurrent_end(&k);
}
END_TEST

/* ---- what is refused ---- */

START_TEST(refusals) {
    static const struct {
        tl_seq2seq_config config;
        const char *why;
    } cases[] = {
        {{.src_vocab = 5}, "src_vocab 5 and tgt_vocab 0 must both be given"},
        {SEQ2SEQ(.d_model = -1), "d_model is -1"},
        {SEQ2SEQ(.d_model = 1L << 62), "more than memory can hold"},
        {SEQ2SEQ(.embedding = -3), "embedding is -3"},
        {SEQ2SEQ(.layers = -1), "layers is -1"},
        {SEQ2SEQ(.heads = -1), "heads is -1"},
        {{.src_vocab = 5, .tgt_vocab = 5, .max_len = -1}, "max_len is -1"},
        {SEQ2SEQ(.dropout = 1), "dropout 1 is not in [0, 1)"},
        {SEQ2SEQ(.attention_dropout = -1), "attention_dropout -1"},
        {SEQ2SEQ(.label_smoothing = NAN), "label_smoothing"},
        {SEQ2SEQ(.kind = (tl_recurrent_kind)2), "no kind of recurrent layer number 2"},
        {SEQ2SEQ(.score = (tl_score)17), "no score number 17"},
        {SEQ2SEQ(.tie = (tl_tie)3), "no tie number 3"},
        {{.src_vocab = 5, .tgt_vocab = 6, .tie = TL_TIE_ALL}, "needs one vocabulary"},
        {SEQ2SEQ(.d_model = 8, .embedding = 4, .tie = TL_TIE_TARGET), "one matrix cannot serve both"},
        {SEQ2SEQ(.input_feeding = true, .score = TL_ADDITIVE), "the cell reads its context anyway"},
        {SEQ2SEQ(.input_feeding = true, .no_attention = true), "feed_context feeds the one vector"},
        {SEQ2SEQ(.feed_context = true), "set no_attention, or leave it out"},
        {SEQ2SEQ(.bidirectional = true, .score = TL_DOT), "choose general, additive or scaled-dot"},
        {SEQ2SEQ(.bidirectional = true, .score = TL_COSINE), "choose general, additive or scaled-dot"},
        {SEQ2SEQ(.d_model = 8, .heads = 3), "does not split into 3 heads"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_params *params = tl_params_new(1);
        tl_tape *tape = tl_tape_new();
        tl_seq2seq m = tl_seq2seq_init(params, "", &cases[i].config);
        ck_assert_msg(tl_params_error(params), "not refused: %s", cases[i].why);
        assert_contains(tl_params_error(params), cases[i].why);
        tl_batch b = batch_of(sentences, 2, 5, 0, 0); /* a tape that uses it reports it */
        ck_assert(!tl_ok(tl_model_loss(&m.model, tape, &b, NULL, NULL, NULL)) && tl_tape_error(tape));
        batch_free(&b);
        tl_tape_free(tape);
        tl_params_free(params);
    }
    tl_params *params = tl_params_new(1);
    ck_assert(!tl_seq2seq_init(params, "", NULL).model.kind);
    assert_contains(tl_params_error(params), "tl_seq2seq_init: the config is NULL");
    tl_params_free(params);
    tl_tape *tape = tl_tape_new();
    tl_batch b = batch_of(sentences, 2, 13, 0, 0);
    tl_seq2seq nobodys = tl_seq2seq_init(NULL, "", &recurrents[4]), none = {.config = {0}};
    ck_assert(!tl_ok(tl_model_loss(&nobodys.model, tape, &b, NULL, NULL, NULL)) && tl_tape_error(tape));
    tl_tape_clear_error(tape);
    ck_assert(!tl_ok(tl_model_loss(&none.model, tape, &b, NULL, NULL, NULL)));
    assert_contains(tl_tape_error(tape), "the model is NULL or zeroed");
    batch_free(&b);
    tl_tape_free(tape);
}
END_TEST

START_TEST(batches_that_lack_something) {
    recurrent_bench k = recurrent_begin(&recurrents[4]);
    tl_batch b = batch_of(sentences, 2, 13, 0, 0);
    for (int i = 0; i < 4; i++) {
        tl_batch wrong = b;
        static const char *const why[] = {"gru: the batch has no src or no src_lengths",
                                          "gru: the batch has no tgt_in or no tgt_lengths",
                                          "sentences of 0 words to write", "lengths[1] is 0, should be in 1"};
        const int lengths[] = {b.src_lengths[0], 0};
        if (i == 0) wrong.src = NULL;
        if (i == 1) wrong.tgt_lengths = NULL;
        if (i == 2) wrong.tgt_len = 0;
        if (i == 3) wrong.src_lengths = lengths;
        tl_tape_reset(k.tape);
        ck_assert(!tl_ok(tl_model_loss(&k.model.model, k.tape, &wrong, NULL, NULL, NULL)));
        assert_contains(tl_tape_error(k.tape), why[i]);
        tl_tape_clear_error(k.tape);
    }
    batch_free(&b);
    recurrent_end(&k);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, all_gradients, 0, RECURRENTS);
    tcase_add_loop_test(tc, formulas, 0, 2);
    tcase_add_loop_test(tc, same_bits, 0, RECURRENTS);
    tcase_add_loop_test(tc, alone_as_in_a_batch, 0, RECURRENTS);
    tcase_add_loop_test(tc, replacements_have_positions, 4, RECURRENTS);
    tcase_add_loop_test(tc, streams_in_a_search, 0, RECURRENTS);
    tcase_add_loop_test(tc, gradients_of_what_was_looked_at, 4, RECURRENTS);
    tcase_add_loop_test(tc, learns, 0, RECURRENTS / 3);
    tcase_add_test(tc, refusals);
    tcase_add_test(tc, batches_that_lack_something);
}

TL_TEST_MAIN("models: recurrent models")
