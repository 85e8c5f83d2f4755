/* Heads over a set: importance is the gate's derivative; batches and threads change nothing; removing a head equals
 * a gate and a constant; alignments are those that the run itself finds. */
#define _XOPEN_SOURCE 700
#include "check.h"

#include <tapeloom.h>

#ifdef TL_DOUBLE
# define CLOSE 1e-10 /* tolerance of sums in another order */
# define STEP 1e-4
# define QUOTIENT 1e-6
#else
# define CLOSE 1e-5
# define STEP 0.003
# define QUOTIENT 5e-3
#endif

static const tl_run_settings small = {
    .data = {.pair = "en-fr", .sentences = 300},
    .model = {.preset = "toy", .d_model = 16, .d_ff = 16, .heads = 2, .layers = 1},
    .training = {.seed = 5, .label_smoothing = 0.1}};

/* A run without a folder, whose weights are large enough for heads to differ. */
static tl_run *fresh(const tl_run_settings *settings) {
    tl_error error = {""};
    tl_set_threads(1);
    tl_run *run = tl_run_fresh(settings, &error);
    ck_assert_msg(run != NULL, "%s", error.message);
    tl_params *params = tl_run_params(run);
    for (int i = 0; i < tl_params_count(params); i++) {
        tl_tensor w = tl_params_at(params, i)->leaf.value;
        for (long k = 0; k < tl_numel(w); k++)
            w.data[k] += (tl_real)(0.3 * (tl_rng_uniform(tl_rng_key_of(7, tl_params_at(params, i)->leaf.name),
                                                         (uint64_t)k) -
                                          0.5));
    }
    tl_params_changed(params);
    return run;
}

static tl_set *set_of(tl_run *run, long most, long batch_tokens) {
    tl_set *set = tl_set_new(run, &(tl_set_options){.most = most, .batch_tokens = batch_tokens});
    ck_assert_msg(set != NULL, "%s", tl_run_error(run));
    return set;
}

static tl_heads_table table_of(tl_run *run, tl_set *set, const tl_heads_options *options) {
    tl_heads_table t;
    ck_assert_msg(tl_heads_measure(run, set, options, &t), "%s", tl_run_error(run));
    return t;
}

static void assert_close(double a, double b, double most, const char *what) {
    if (isnan(a) && isnan(b)) return;
    must_msg(fabs(a - b) <= most * fmax(1, fmax(fabs(a), fabs(b))), "%s: %.17g, but %.17g", what, a, b);
}

static void assert_same_rows(const tl_heads_table *a, const tl_heads_table *b, double close) {
    ck_assert_int_eq(a->count, b->count);
    ck_assert_int_eq(a->sentences, b->sentences);
    /* member by member, since a struct's padding has no defined value */
    for (long i = 0; i < a->count; i++) {
        const tl_heads_row *x = &a->row[i], *y = &b->row[i];
        ck_assert_str_eq(x->attention, y->attention);
        ck_assert(x->head == y->head && x->layer == y->layer && x->kind == y->kind);
        ck_assert(x->habits.rows == y->habits.rows && x->habits.offset == y->habits.offset);
        ck_assert(x->habits.positional == y->habits.positional);
        assert_close(x->importance, y->importance, close, "importance");
        assert_close(x->raw, y->raw, close, "raw");
        assert_close(x->habits.confidence, y->habits.confidence, close, "confidence");
        assert_close(x->habits.share, y->habits.share, 0, "share");
        assert_close(x->habits.reach, y->habits.reach, 0, "reach");
        assert_close(x->habits.entropy, y->habits.entropy, close, "entropy");
        assert_close(x->habits.against_uniform, y->habits.against_uniform, close, "against uniform");
        assert_close(x->habits.distance, y->habits.distance, close, "distance");
        assert_close(x->habits.first, y->habits.first, close, "first");
        assert_close(x->habits.end, y->habits.end, close, "end");
        assert_close(x->alignment_error_rate, y->alignment_error_rate, 0, "alignment errors");
        assert_close(x->loss_zero, y->loss_zero, close, "loss, zero");
        assert_close(x->loss_mean, y->loss_mean, close, "loss, mean");
    }
}

/* ---- importance ---- */

/* The summed loss of sentence i of a set, alone, with a gate on a head. */
static double loss_at(tl_run *run, tl_set *set, long i, const char *attention, int head, double gate) {
    const char *source = tl_set_source(set, i), *target = tl_set_target(set, i);
    tl_sentences one;
    tl_seen seen;
    must(tl_sentences_of(run, &source, &target, 1, &one));
    tl_places *places = tl_places_new(tl_run_model(run));
    must(tl_places_gate(places, attention, head, gate));
    must(tl_look(tl_run_model(run), tl_run_tape(run), &one.batch,
                 &(tl_look_options){.places = places, .no_grad = true}, &seen));
    tl_places_free(places);
    tl_sentences_free(&one);
    return seen.value;
}

enum { PAIRS = 3, MOST_HEADS = 16 };

/* Sentences of different lengths in one batch: each one's signed sum is the derivative of its own loss. */
START_TEST(the_gate_s_difference_quotient) {
    tl_run *run = fresh(&small);
    tl_set *set = set_of(run, PAIRS, 0);
    const char *sources[PAIRS], *targets[PAIRS];
    double found[PAIRS][MOST_HEADS], largest = 0;
    char names[MOST_HEADS][64];
    tl_sentences all;
    tl_seen seen;
    for (int i = 0; i < PAIRS; i++) sources[i] = tl_set_source(set, i), targets[i] = tl_set_target(set, i);
    must(tl_sentences_of(run, sources, targets, PAIRS, &all));
    must(tl_look(tl_run_model(run), tl_run_tape(run), &all.batch, NULL, &seen));
    int count = 0;
    for (int k = 0; k < seen.count; k++)
        for (int h = 0; h < seen.attention[k].heads; h++, count++) {
            must(count < MOST_HEADS);
            snprintf(names[count], sizeof names[count], "%s", seen.attention[k].name);
            for (int b = 0; b < PAIRS; b++) {
                found[b][count] = tl_seen_gate_grad(&seen, &seen.attention[k], b, h, false);
                largest = fmax(largest, fabs(found[b][count]));
                const double tokens = tl_seen_gate_grad(&seen, &seen.attention[k], b, h, true);
                must(tokens >= fabs(found[b][count]) * (1 - 1e-6));
            }
        }
    ck_assert_int_eq(count, tl_heads_count(run));
    ck_assert(largest > 1e-3);
    for (int i = 0; i < count; i++)
        for (int b = 0; b < PAIRS; b++) {
            const double more = loss_at(run, set, b, names[i], i % 2, 1 + STEP),
                         less = loss_at(run, set, b, names[i], i % 2, 1 - STEP);
            const double quotient = (more - less) / (2 * STEP);
            must_msg(fabs(found[b][i] - quotient) <= QUOTIENT * largest,
                     "%s head %d, sentence %d: %.9g, quotient %.9g", names[i], i % 2, b, found[b][i],
                     quotient);
        }
    tl_sentences_free(&all);
    tl_set_free(set);
    tl_run_free(run);
}
END_TEST

/* The mean of absolute values, normalised so that each attention has norm 1; |·| at each token gives other numbers. */
START_TEST(importance) {
    tl_run *run = fresh(&small);
    tl_set *set = set_of(run, 20, 0);
    const long count = tl_heads_count(run);
    double by_sentence[MOST_HEADS], by_token[MOST_HEADS], sum[MOST_HEADS] = {0};
    must(tl_heads_importance(run, set, false, by_sentence) && tl_heads_importance(run, set, true, by_token));
    ck_assert_int_eq(count, 6);
    for (long i = 0; i < count; i += 2) {
        assert_close(by_sentence[i] * by_sentence[i] + by_sentence[i + 1] * by_sentence[i + 1], 1, 1e-12,
                     "norm");
        assert_close(by_token[i] * by_token[i] + by_token[i + 1] * by_token[i + 1], 1, 1e-12, "norm");
    }
    must(memcmp(by_sentence, by_token, sizeof *by_token * (size_t)count) != 0);
    /* sentence by sentence */
    for (long s = 0; s < tl_set_count(set); s++) {
        const char *source = tl_set_source(set, s), *target = tl_set_target(set, s);
        tl_sentences one;
        tl_seen seen;
        must(tl_sentences_of(run, &source, &target, 1, &one));
        must(tl_look(tl_run_model(run), tl_run_tape(run), &one.batch, NULL, &seen));
        for (long i = 0; i < count; i++)
            sum[i] += fabs(tl_seen_gate_grad(&seen, &seen.attention[i / 2], 0, i % 2, false));
        tl_sentences_free(&one);
    }
    tl_heads_table t = table_of(run, set, NULL);
    for (long i = 0; i < count; i++) {
        assert_close(t.row[i].raw, sum[i] / (double)tl_set_count(set), CLOSE, "mean of sentences");
        assert_close(t.row[i].importance, by_sentence[i], 0, "the same");
    }
    tl_heads_table_free(&t);
    tl_set_free(set);
    tl_run_free(run);
}
END_TEST

/* ---- batches, padding, threads ---- */

START_TEST(company_changes_nothing) {
    tl_run *run = fresh(&small);
    tl_set *alone = set_of(run, 24, 1), *together = set_of(run, 24, 4096);
    const tl_heads_options options = {.zero = true, .mean = true};
    tl_heads_table a = table_of(run, alone, &options), b = table_of(run, together, &options),
                   again = table_of(run, together, &options);
    assert_same_rows(&a, &b, CLOSE);
    assert_same_rows(&b, &again, 0);
    tl_set_threads(2);
    tl_heads_table two = table_of(run, together, &options);
    tl_set_threads(1);
    assert_same_rows(&b, &two, 0);
    ck_assert(a.sentences == 24 && isfinite(a.loss) && isfinite(a.agreement_zero) &&
              isfinite(a.agreement_mean));
    tl_heads_table_free(&a);
    tl_heads_table_free(&b);
    tl_heads_table_free(&again);
    tl_heads_table_free(&two);
    tl_set_free(alone);
    tl_set_free(together);
    tl_run_free(run);
}
END_TEST

/* ---- without a head ---- */

static tl_tensor weights_named(tl_run *run, const char *name) {
    tl_param *p = tl_params_find(tl_run_params(run), name);
    must_msg(p != NULL, "no parameter %s", name);
    return p->leaf.value;
}

/* Head 0 of the encoder has no effect. Head 1 of cross-attention gives the same output everywhere: replacing it by 0
 * costs something, replacing it by its mean does not. */
START_TEST(heads_that_do_nothing) {
    tl_run *run = fresh(&small);
    tl_tensor out = weights_named(run, "encoder.layers.0.self_attn.out_proj.weight"),
              in = weights_named(run, "decoder.layers.0.multihead_attn.in_proj_weight");
    tl_tensor_fill(tl_tensor_slice(out, 1, 0, 8), 0);
    /* weights of head 1's values; their bias stays */
    tl_tensor_fill(tl_tensor_slice(in, 0, 2 * 16 + 8, 3 * 16), 0);
    tl_params_changed(tl_run_params(run));
    tl_set *set = set_of(run, 12, 0);
    tl_heads_table t = table_of(run, set, &(tl_heads_options){.zero = true, .mean = true});
    ck_assert_str_eq(t.row[0].attention, "encoder.layers.0.self");
    ck_assert(t.row[0].raw == 0 && t.row[0].importance == 0 && t.row[1].importance == 1);
    ck_assert(t.row[0].loss_zero == t.loss && t.row[0].loss_mean == t.loss);
    ck_assert(t.row[1].loss_zero != t.loss && t.row[1].loss_mean != t.loss);
    ck_assert_str_eq(t.row[5].attention, "decoder.layers.0.cross");
    must(fabs(t.row[5].loss_zero - t.loss) > 1e-4);
    must_msg(fabs(t.row[5].loss_mean - t.loss) < 1e-6, "%.9g, %.9g", t.row[5].loss_mean, t.loss);
    must(fabs(t.row[4].loss_mean - t.loss) > 1e-5);
    tl_heads_table_free(&t);
    tl_set_free(set);
    tl_run_free(run);
}
END_TEST

static bool ends_after(void *context, const char *what, long done, long total) {
    int *steps = context;
    (void)done, (void)total;
    return strcmp(what, "without a head") || (*steps)-- > 0;
}

/* Also the score without a head. What acts on the run is off while the table is measured, and acts again afterwards,
 * also after a failure. */
START_TEST(scores) {
    tl_run *run = fresh(&small);
    tl_set *set = set_of(run, 4, 0);
    tl_heads_table t = table_of(run, set, &(tl_heads_options){.zero = true, .score = true});
    ck_assert(t.score >= 0 && t.row[0].score_zero >= 0 && isnan(t.row[0].score_mean) &&
              isnan(t.row[0].loss_mean));
    tl_quality q;
    must(tl_set_measure(set, false, &q));
    ck_assert(q.loss == t.loss);
    tl_places *places = tl_places_new(tl_run_model(run));
    for (long i = 0; i < t.count; i++) { /* like a gate of 0 */
        tl_places_forget(places);
        must(tl_places_gate(places, t.row[i].attention, t.row[i].head, 0));
        tl_run_act_at(run, places);
        must(tl_set_measure(set, true, &q));
        ck_assert(q.loss == t.row[i].loss_zero && q.score == t.row[i].score_zero);
    }
    tl_heads_table while_acting = table_of(run, set, &(tl_heads_options){.zero = true});
    ck_assert(while_acting.loss == t.loss && while_acting.row[0].raw == t.row[0].raw);
    for (long i = 0; i < t.count; i++) ck_assert(while_acting.row[i].loss_zero == t.row[i].loss_zero);
    must(tl_set_measure(set, false, &q));
    ck_assert(q.loss == t.row[t.count - 1].loss_zero && q.loss != t.loss);
    int steps = 2; /* the whole model's, and one head's */
    tl_heads_table none;
    must(!tl_heads_measure(
        run, set, &(tl_heads_options){.zero = true, .progress = ends_after, .context = &steps}, &none));
    must(tl_set_measure(set, false, &q));
    ck_assert(q.loss == t.row[t.count - 1].loss_zero);
    tl_run_act_at(run, NULL);
    must(tl_set_measure(set, false, &q));
    ck_assert(q.loss == t.loss);
    tl_places_free(places);
    tl_heads_table_free(&while_acting);
    tl_heads_table_free(&t);
    tl_set_free(set);
    tl_run_free(run);
}
END_TEST

/* If no head attends to the source, no gradient reaches the encoder: its heads have importance 0, not NaN. */
START_TEST(unreached) {
    tl_run_settings settings = small;
    settings.model.heads_kept = "cross.0:none";
    tl_run *run = fresh(&settings);
    tl_set *set = set_of(run, 4, 0);
    double importance[4];
    tl_heads_table t = table_of(run, set, &(tl_heads_options){.zero = true});
    must(tl_heads_importance(run, set, false, importance));
    ck_assert_int_eq(t.count, 4);
    for (long i = 0; i < t.count; i++) {
        ck_assert((t.row[i].raw > 0) == (i >= 2) && (t.row[i].raw == 0) == (i < 2));
        ck_assert((t.row[i].loss_zero == t.loss) == (i < 2));
        ck_assert(importance[i] == t.row[i].importance && (importance[i] == 0) == (i < 2));
    }
    tl_heads_table_free(&t);
    tl_set_free(set);
    tl_run_free(run);
}
END_TEST

/* ---- alignment ---- */

/* The same from the run's own alignments, pair by pair. */
START_TEST(alignments) {
    tl_run_settings settings = small;
    settings.text.units = "bpe";
    settings.text.merges = 40; /* words in several pieces */
    tl_run *run = fresh(&settings);
    tl_set *set = set_of(run, 15, 0);
    tl_alignment_errors errors[2] = {{0}};
    for (long s = 0; s < tl_set_count(set); s++) {
        const char *source = tl_set_source(set, s), *target = tl_set_target(set, s);
        char *a = tl_run_cut(run, TL_SOURCE, source), *b = tl_run_cut(run, TL_TARGET, target);
        tl_sentences one;
        tl_seen seen;
        must(tl_sentences_of(run, &source, &target, 1, &one));
        must(tl_look(tl_run_model(run), tl_run_tape(run), &one.batch, NULL, &seen));
        const tl_seen_attention *cross = tl_seen_of(&seen, "decoder.layers.0.cross");
        long sure;
        const tl_link *truth = tl_set_alignment(set, s, &sure);
        must(truth != NULL);
        for (int h = 0; h < 2; h++) {
            tl_alignment words;
            tl_link links[200];
            must(tl_run_align(run, a, b, tl_at(cross->weights, 0, h), &words));
            const long count = tl_alignment_links(&words, links);
            tl_alignment_errors_add(&errors[h], links, count, truth, sure);
            tl_alignment_free(&words);
        }
        tl_sentences_free(&one);
        free(a);
        free(b);
    }
    tl_heads_table t = table_of(run, set, NULL);
    for (long i = 0; i < 4; i++) ck_assert(isnan(t.row[i].alignment_error_rate));
    for (int h = 0; h < 2; h++) {
        ck_assert(t.row[4 + h].alignment_error_rate == tl_alignment_error_rate(&errors[h]));
        ck_assert(t.row[4 + h].alignment_error_rate > 0.3 && t.row[4 + h].alignment_error_rate < 1);
    }
    tl_heads_table_free(&t);
    tl_set_free(set);
    tl_run_free(run);
}
END_TEST

/* ---- habits ---- */

/* One head of a look's only sentence, computed a second time; is_end marks columns and rows that are <eos>. */
static void assert_habits(const tl_seen_attention *a, long h, const int *rows, const int *columns,
                          const tl_head_habits *found) {
    double largest = 0, first = 0, end = 0;
    long words = 0;
    for (long i = 0; i < a->queries; i++) {
        double best = 0;
        for (long j = 0; j < a->keys; j++) {
            const double w = tl_item(tl_at(a->weights, 0, h, i, j));
            if (columns[j] != TL_EOS) best = fmax(best, w);
            if (columns[j] == TL_EOS && j) end += w;
            if (!j) first += w;
        }
        if (rows[i] != TL_EOS) words++, largest += best;
    }
    ck_assert_int_eq(found->rows, words);
    assert_close(found->confidence, largest / (double)words, 1e-6, "confidence");
    assert_close(found->first, first / (double)a->queries, 1e-6, "first");
    if (a->kind == TL_DECODER_SELF)
        ck_assert(isnan(found->end));
    else
        assert_close(found->end, end / (double)a->queries, 1e-6, "end");
}

START_TEST(habits_of_a_translator) {
    tl_run *run = fresh(&small);
    tl_set *set = set_of(run, 1, 0);
    tl_batch batch;
    tl_seen seen;
    tl_heads_table t = table_of(run, set, NULL);
    must(tl_set_next(set, &batch));
    must(batch.src[batch.src_len - 1] == TL_EOS && batch.tgt_out[batch.tgt_len - 1] == TL_EOS);
    must(tl_look(tl_run_model(run), tl_run_tape(run), &batch, NULL, &seen));
    for (int k = 0; k < 3; k++)
        for (int h = 0; h < 2; h++)
            assert_habits(&seen.attention[k], h, k == TL_ENCODER_SELF ? batch.src : batch.tgt_out,
                          k == TL_DECODER_SELF ? batch.tgt_in : batch.src, &t.row[2 * k + h].habits);
    tl_heads_table_free(&t);
    tl_set_free(set);
    tl_run_free(run);
}
END_TEST

/* After [CLS], which has no id. */
START_TEST(habits_of_a_classifier) {
    tl_run_settings s = tl_run_settings_of_program("classify");
    s.data.task = "agreement";
    s.data.sentences = 200;
    s.model = (tl_model_settings){.d_model = 16, .d_ff = 16, .heads = 2, .layers = 1};
    tl_run *run = fresh(&s);
    tl_set *set = set_of(run, 1, 0);
    tl_batch batch;
    tl_seen seen;
    int ids[100] = {-1};
    tl_heads_table t = table_of(run, set, NULL);
    must(tl_set_next(set, &batch) && batch.src_len < 99 && batch.src[batch.src_len - 1] == TL_EOS);
    memcpy(ids + 1, batch.src, (size_t)batch.src_len * sizeof *ids);
    must(tl_look(tl_run_model(run), tl_run_tape(run), &batch, NULL, &seen));
    must(seen.attention->keys == batch.src_len + 1);
    for (int h = 0; h < 2; h++) assert_habits(seen.attention, h, ids, ids, &t.row[h].habits);
    tl_heads_table_free(&t);
    tl_set_free(set);
    tl_run_free(run);
}
END_TEST

/* A row's entropy is compared with uniform weights on its visible keys only. With scores of 0 its weights are
 * uniform. */
START_TEST(even_weights) {
    tl_run_settings settings = small;
    settings.model.score = "uniform";
    tl_run *run = fresh(&settings);
    tl_set *set = set_of(run, 10, 0);
    tl_heads_table t = table_of(run, set, NULL);
    for (long i = 0; i < t.count; i++) assert_close(t.row[i].habits.against_uniform, 1, 1e-6, "of even");
    tl_heads_table_free(&t);
    tl_set_free(set);
    tl_run_free(run);
}
END_TEST

/* ---- every program's runs ---- */

START_TEST(language_models) {
    tl_run_settings s = tl_run_settings_of_program("lm");
    s.lm.made = "en";
    s.data.sentences = 200;
    s.lm.context = 12;
    s.model = (tl_model_settings){.preset = "toy", .d_model = 16, .heads = 4, .layers = 2};
    tl_run *run = fresh(&s);
    tl_set *set = set_of(run, 9, 0);
    tl_heads_table t = table_of(run, set, &(tl_heads_options){.zero = true});
    ck_assert_int_eq(t.count, 8);
    ck_assert_int_eq(t.sentences, 9);
    for (long i = 0; i < t.count; i++) {
        const tl_heads_row *r = &t.row[i];
        ck_assert(r->kind == TL_DECODER_SELF && isfinite(r->loss_zero) && isnan(r->alignment_error_rate));
        ck_assert(isnan(r->habits.end) && r->habits.first > 0 && r->habits.rows == 9 * 12);
    }
    tl_heads_table_free(&t);
    tl_set_free(set);
    tl_run_free(run);
}
END_TEST

static void try_classifier(const char *model, const char *pooling, long heads, bool placed) {
    tl_run_settings s = tl_run_settings_of_program("classify");
    s.data.task = "agreement";
    s.data.sentences = 200;
    s.classify.pooling = pooling;
    s.model = (tl_model_settings){.model = model, .d_model = 16, .heads = 2, .layers = 1};
    if (!strcmp(model, "transformer")) s.model.d_ff = 16;
    tl_run *run = fresh(&s);
    tl_set *set = set_of(run, 9, 0);
    tl_heads_table t = table_of(run, set, &(tl_heads_options){.zero = true, .mean = true, .score = true});
    ck_assert_int_eq(t.count, heads);
    ck_assert_int_eq(tl_heads_count(run), heads);
    for (long i = 0; i < t.count; i++) {
        const tl_heads_row *r = &t.row[i];
        ck_assert(isfinite(r->loss_zero) && isfinite(r->loss_mean) && isfinite(r->score_zero) && r->raw > 0);
        ck_assert((r->kind == TL_ENCODER_SELF) == isfinite(r->habits.distance));
        ck_assert(isfinite(r->habits.confidence) && isfinite(r->habits.end));
        if (r->kind == TL_CROSS) ck_assert_int_eq(r->habits.rows, 9);
    }
    ck_assert((t.row[0].kind == TL_ENCODER_SELF) == placed);
    tl_heads_table_free(&t);
    tl_set_free(set);
    tl_run_free(run);
}

START_TEST(classifiers) {
    try_classifier("transformer", "cls", 2, true);
    try_classifier("transformer", "mean", 3, true); /* and the mean, one head */
    try_classifier("gru", NULL, 2, false);
}
END_TEST

START_TEST(captioners) {
    tl_run_settings s = tl_run_settings_of_program("caption");
    s.caption = (tl_caption_settings){.pictures = 50, .encoder_layers = 1, .decoder_layers = 1};
    s.model = (tl_model_settings){.d_model = 16, .d_ff = 16, .heads = 2};
    tl_run *run = fresh(&s);
    tl_set *set = set_of(run, 9, 0);
    tl_heads_table t = table_of(run, set, NULL);
    ck_assert_int_eq(t.count, 6);
    /* a patch counts as a word */
    tl_batch batch;
    tl_seen seen;
    tl_alignment_errors errors = {0};
    while (tl_set_next(set, &batch)) {
        must(tl_look(tl_run_model(run), tl_run_tape(run), &batch, NULL, &seen));
        const tl_seen_attention *cross = tl_seen_of(&seen, "decoder.layers.0.cross");
        for (long b = 0; b < batch.sentences; b++) {
            tl_link links[MOST_HEADS];
            long count;
            const tl_link *truth = tl_set_alignment(set, batch.index[b], &count);
            for (int w = 0; w < batch.tgt_lengths[b] - 1; w++) {
                int patch;
                must(tl_argmax(tl_at(cross->weights, b, 1, w), 0, &patch));
                links[w] = (tl_link){.source = patch, .target = w};
            }
            tl_alignment_errors_add(&errors, links, batch.tgt_lengths[b] - 1, truth, count);
        }
    }
    ck_assert(t.row[5].alignment_error_rate == tl_alignment_error_rate(&errors) && errors.sure > 9);
    for (long i = 0; i < t.count; i++) {
        const tl_heads_row *r = &t.row[i];
        const bool cross = r->kind == TL_CROSS;
        ck_assert(isnan(r->habits.distance) == cross && isnan(r->alignment_error_rate) == !cross);
        ck_assert(isnan(r->habits.end) && isnan(r->loss_zero));
        if (r->kind == TL_ENCODER_SELF) ck_assert_int_eq(r->habits.rows, 9 * TL_PICTURE_PATCHES);
    }
    tl_heads_table_free(&t);
    tl_set_free(set);
    tl_run_free(run);
}
END_TEST

START_TEST(recurrent_models) {
    tl_run_settings s = small;
    s.model = (tl_model_settings){.model = "gru", .attention = "additive", .d_model = 16, .layers = 1};
    tl_run *run = fresh(&s);
    tl_set *set = set_of(run, 9, 0);
    tl_heads_table t = table_of(run, set, &(tl_heads_options){.zero = true, .mean = true});
    ck_assert_int_eq(t.count, 1);
    ck_assert(t.row[0].raw > 0 && t.row[0].importance == 1 && isfinite(t.row[0].alignment_error_rate));
    ck_assert(isfinite(t.row[0].loss_zero) && isfinite(t.row[0].loss_mean) && t.row[0].loss_zero != t.loss);
    tl_heads_table_free(&t);
    tl_set_free(set);
    tl_run_free(run);
    s.model.attention = "none";
    run = fresh(&s);
    set = set_of(run, 9, 0);
    ck_assert_int_eq(tl_heads_count(run), 0);
    ck_assert(!tl_heads_measure(run, set, NULL, &t) && t.count == 0);
    assert_contains(tl_run_error(run), "no attention");
    tl_set_free(set);
    tl_run_free(run);
}
END_TEST

/* ---- progress, and errors ---- */

typedef struct told {
    long calls, last, total, after;
    const char *what;
} told;

static bool listen(void *context, const char *what, long done, long total) {
    told *t = context;
    if (t->what != what) t->last = -1;
    must(done > t->last && done <= total);
    t->what = what;
    t->last = done;
    t->total = total;
    return ++t->calls != t->after;
}

START_TEST(progress) {
    tl_run *run = fresh(&small);
    tl_set *set = set_of(run, 10, 64);
    told t = {0};
    tl_heads_table table = table_of(
        run, set, &(tl_heads_options){.zero = true, .mean = true, .progress = listen, .context = &t});
    ck_assert(t.last == 12 && t.total == 12);
    tl_heads_table_free(&table);
    for (long after = 1; after < t.calls; after++) {
        told short_of = {.after = after};
        ck_assert(!tl_heads_measure(
            run, set,
            &(tl_heads_options){.zero = true, .mean = true, .progress = listen, .context = &short_of},
            &table));
        ck_assert(table.count == 0 && !tl_run_error(run) && short_of.calls == after);
    }
    table = table_of(run, set, NULL); /* the set starts anew */
    ck_assert_int_eq(table.sentences, 10);
    tl_heads_table_free(&table);
    tl_set_free(set);
    tl_run_free(run);
}
END_TEST

START_TEST(nothing) {
    tl_heads_table t;
    double one;
    ck_assert(!tl_heads_measure(NULL, NULL, NULL, &t) && !tl_heads_importance(NULL, NULL, false, &one));
    ck_assert(tl_heads_count(NULL) == 0);
    tl_heads_table_free(NULL);
    tl_heads_table_free(&t);
    tl_run *run = fresh(&small);
    ck_assert(!tl_heads_measure(run, NULL, NULL, &t));
    assert_contains(tl_run_error(run), "give a set");
    tl_run_free(run);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, the_gate_s_difference_quotient);
    tcase_add_test(tc, importance);
    tcase_add_test(tc, company_changes_nothing);
    tcase_add_test(tc, heads_that_do_nothing);
    tcase_add_test(tc, scores);
    tcase_add_test(tc, unreached);
    tcase_add_test(tc, alignments);
    tcase_add_test(tc, habits_of_a_translator);
    tcase_add_test(tc, habits_of_a_classifier);
    tcase_add_test(tc, even_weights);
    tcase_add_test(tc, language_models);
    tcase_add_test(tc, classifiers);
    tcase_add_test(tc, captioners);
    tcase_add_test(tc, recurrent_models);
    tcase_add_test(tc, progress);
    tcase_add_test(tc, nothing);
}

TL_TEST_MAIN("lens: heads over a set")
