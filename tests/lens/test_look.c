/* Looking at attention: objectives, that looking changes no bit, properties of weights and gradients, and every
 * gradient of a weight or a score against finite differences. */
#include "every_model.h"

#include "tapeloom/op.h"

static const double small = sizeof(tl_real) == 8 ? 1e-12 : 2e-5;

static double at(tl_tensor t, long b, long h, long i, long j) {
    return (double)t.data[b * t.stride[0] + h * t.stride[1] + i * t.stride[2] + j * t.stride[3]];
}

static void look_at(subject *s, const tl_look_options *o, tl_seen *seen) {
    must_msg(tl_look(s->model, s->tape, &s->batch, o, seen), "%s", tl_tape_error(s->tape));
}

/* ---- properties in every model ---- */

static bool is_sigmoid(int which) {
    if (which >= FIRST_GPT && which < FIRST_RECURRENT)
        return gpts[which - FIRST_GPT].normaliser == TL_SIGMOID;
    return which >= FIRST_SCORED && which < FIRST_GPT &&
           scored[which - FIRST_SCORED].normaliser == TL_SIGMOID;
}

static void check_row(const tl_seen_attention *a, long b, long h, long i, bool softmax) {
    double weights = 0, grads = 0, centred = 0, largest = 0;
    bool sees = false;
    for (long j = 0; j < a->keys; j++) {
        const double w = at(a->weights, b, h, i, j), ds = at(a->score_grads, b, h, i, j);
        if (tl_why_blocked(&a->mask, b, h, i, j, a->queries, a->keys) != TL_SEES) {
            must(w == 0 && ds == 0); /* exactly */
            continue;
        }
        sees = true;
        weights += w, grads += ds, largest = fmax(largest, fabs(ds));
        centred += w * tl_seen_value(a, TL_SEE_DA, b, h, i, j);
        const double made = w * tl_seen_value(a, TL_SEE_DA, b, h, i, j);
        if (softmax)
            must_msg(fabs(made - ds) <= small * fmax(1, fabs(ds)), "%s: dS %g, A(dA - mean) %g", a->name, ds,
                     made);
        must(tl_seen_value(a, TL_SEE_ADA, b, h, i, j) == w * at(a->weight_grads, b, h, i, j));
    }
    if (!softmax || !sees) return;
    must_msg(fabs(weights - 1) < small * 10, "%s: a row's weights sum to %g", a->name, weights);
    must_msg(fabs(grads) <= small * fmax(largest, 1), "%s: a row of dL/dS sums to %g", a->name, grads);
    must(fabs(centred) <= small * fmax(largest, 1) * 10);
}

START_TEST(rows) {
    subject s;
    tl_seen seen;
    subject_begin(&s, _i, short_ones, SHORT_ONES);
    look_at(&s, &(tl_look_options){.norms = true}, &seen);
    int count = 0;
    for (int kind = 0; kind < TL_ATTENTION_KINDS; kind++) count += s.model->attentions[kind];
    must(seen.count == count);
    for (int k = 0; k < seen.count; k++) {
        const tl_seen_attention *a = &seen.attention[k];
        must(tl_seen_of(&seen, a->name) == a && a->heads == tl_model_heads(s.model, a->kind, a->layer) &&
             a->context_grads.data);
        if (!a->score_grads.data) continue; /* no gradient reaches the scores of uniform attention */
        for (long b = 0; b < s.batch.sentences; b++)
            for (long h = 0; h < a->heads; h++)
                for (long i = 0; i < a->queries; i++) check_row(a, b, h, i, !is_sigmoid(_i));
    }
    must(!tl_seen_of(&seen, "nothing") && !tl_seen_of(&seen, NULL) && !tl_seen_of(NULL, "x"));
    subject_end(&s);
}
END_TEST

/* Gradients of parameters are bit for bit those of a step without looking, and repeated looks are equal. */
START_TEST(looking_changes_no_bit) {
    subject s;
    tl_seen seen;
    subject_begin(&s, _i, short_ones, SHORT_ONES);
    tl_zero_grad(s.params);
    tl_var y =
        tl_model_loss(s.model, s.tape, &s.batch, &(tl_loss_options){.reduction = TL_REDUCE_SUM}, NULL, NULL);
    must(tl_backward(y));
    const double plain = (double)tl_item(tl_value(y));
    gradients g = gradients_of(s.params);
    for (int again = 0; again < 2; again++) {
        look_at(&s, &(tl_look_options){.norms = again}, &seen);
        must(seen.value == plain);
        assert_same_gradients(s.params, &g, "looking");
    }
    tl_tape_set_training(s.tape, 3);
    look_at(&s, &(tl_look_options){.no_grad = true}, &seen);
    must(seen.value == plain && tl_tape_set_training(s.tape, 0) == 3); /* the tape's modes are unchanged */
    for (int k = 0; k < seen.count; k++)
        must(seen.attention[k].weights.data && !seen.attention[k].score_grads.data);
    gradients_free(&g);
    subject_end(&s);
}
END_TEST

/* A sentence gives the same bits alone and in a batch. */
START_TEST(company_changes_no_bit) {
    subject s;
    tl_seen all, one;
    subject_begin(&s, _i, short_ones, SHORT_ONES);
    look_at(&s, &(tl_look_options){.norms = true}, &all);
    tl_tensor copies[64][2];
    for (int k = 0; k < all.count; k++) {
        copies[k][0] = copied(all.attention[k].weights);
        copies[k][1] = copied(all.attention[k].score_grads);
    }
    tl_batch whole = s.batch;
    for (long b = 0; b < SHORT_ONES; b++) {
        s.batch = whole.labels ? labelled(&short_ones[b], 1, 13, 0) : batch_of(&short_ones[b], 1, 13, 0, 0);
        const int label = whole.labels ? whole.labels[b] : 0;
        if (whole.labels) s.batch.labels = &label;
        look_at(&s, NULL, &one);
        for (int k = 0; k < one.count; k++) {
            const tl_seen_attention *a = &one.attention[k];
            for (long h = 0; h < a->heads; h++)
                for (long i = 0; i < a->queries; i++)
                    for (long j = 0; j < a->keys; j++) {
                        must(at(copies[k][0], b, h, i, j) == at(a->weights, 0, h, i, j));
                        if (a->score_grads.data)
                            must(at(copies[k][1], b, h, i, j) == at(a->score_grads, 0, h, i, j));
                    }
        }
        batch_free(&s.batch);
    }
    s.batch = whole;
    for (int k = 0; k < all.count; k++) free(copies[k][0].data), free(copies[k][1].data);
    subject_end(&s);
}
END_TEST

/* ---- gradients against differences ---- */

typedef struct nudge {
    long index; /* in the map of all steps */
    long steps;
    double by;
} nudge;
static tl_var nudged(tl_var x, const tl_place_at *at_place, void *context) {
    const nudge *n = context;
    tl_tensor delta = tl_tape_tensor(x.tape, tl_shape_of_var(x));
    const long keys = delta.dim[3], step = n->index / keys % n->steps, row = n->index / keys / n->steps;
    tl_tensor_fill(delta, 0);
    if (delta.dim[2] == n->steps)
        delta.data[n->index] = (tl_real)n->by;
    else if (at_place->from == step) /* a decoder that goes step by step */
        delta.data[row * keys + n->index % keys] = (tl_real)n->by;
    return tl_add(x, tl_constant(x.tape, delta));
}

static double value_with(subject *s, tl_places *places) {
    tl_seen seen;
    look_at(s, &(tl_look_options){.places = places, .no_grad = true}, &seen);
    return seen.value;
}

/* Checks every element of one attention's dL/dA or dL/dS. */
static void check_differences(subject *s, const char *attention, const char *part, tl_tensor grads) {
    char pattern[80];
    nudge n;
    const double h = 1e-5;
    tl_places *places = tl_places_new(s->model);
    snprintf(pattern, sizeof pattern, "%s.%s", attention, part);
    must(tl_places_replace(places, pattern, nudged, &n));
    for (long i = 0; i < tl_numel(grads); i++) {
        n = (nudge){i, grads.dim[2], h};
        const double up = value_with(s, places);
        n.by = -h;
        const double numeric = (up - value_with(s, places)) / (2 * h), analytic = (double)grads.data[i];
        must_msg(fabs(numeric - analytic) <= 1e-6 * fmax(1, fabs(analytic)),
                 "%s[%ld]: %.12g, by differences %.12g", pattern, i, analytic, numeric);
    }
    tl_places_free(places);
}

START_TEST(every_gradient_by_differences) {
    static const sentence two[] = {{0, 3, 2}, {1, 2, 3}};
    subject s;
    tl_seen seen;
    if (sizeof(tl_real) == 4) return;
    subject_begin(&s, _i, two, 2);
    look_at(&s, NULL, &seen);
    tl_tensor grads[64][2];
    char names[64][64];
    const int count = seen.count;
    for (int k = 0; k < count; k++) {
        strcpy(names[k], seen.attention[k].name);
        grads[k][0] = copied(seen.attention[k].weight_grads);
        grads[k][1] = copied(seen.attention[k].score_grads);
    }
    for (int k = 0; k < count; k++) {
        if (grads[k][0].data) check_differences(&s, names[k], "pattern", grads[k][0]);
        if (grads[k][1].data) check_differences(&s, names[k], "scores", grads[k][1]);
        free(grads[k][0].data), free(grads[k][1].data);
    }
    subject_end(&s);
}
END_TEST

/* ---- norms ---- */

/* A query that sees a single key gets that key's vector, so the norm is the length of the attention's output without
 * its bias. Each head's own norm is checked by the formula. */
START_TEST(norms) {
    subject s;
    tl_seen seen;
    subject_begin(&s, 1, short_ones, SHORT_ONES);
    look_at(&s, &(tl_look_options){.norms = true}, &seen);
    const tl_seen_attention *a = tl_seen_of(&seen, "decoder.layers.0.self");
    const tl_attention_layer *layer = &s.transformer.model.decoder.layer[0].self_attn;
    const tl_tensor out = tl_value(tl_place_var(s.model, &seen.maps, "decoder.layers.0.self.out")),
                    v = tl_value(tl_place_var(s.model, &seen.maps, "decoder.layers.0.self.v")),
                    w = tl_param_value(layer->out_proj.weight), bias = tl_param_value(layer->out_proj.bias);
    const long d = out.dim[2], width = v.dim[3];
    for (long b = 0; b < s.batch.sentences; b++) {
        double all = 0;
        for (long o = 0; o < d; o++)
            all += pow((double)tl_item(tl_at(out, b, 0, o)) - (double)bias.data[o], 2);
        must(fabs(sqrt(all) - (double)tl_item(tl_at(a->norms, b, 0, 0))) < small * 100 * (1 + sqrt(all)));
        for (long h = 0; h < a->heads; h++) {
            double one = 0;
            for (long o = 0; o < d; o++) {
                double sum = 0;
                for (long i = 0; i < width; i++)
                    sum += at(v, b, h, 0, i) * (double)tl_item(tl_at(w, o, h * width + i));
                one += sum * sum;
            }
            must(fabs(sqrt(one) - at(a->head_norms, b, h, 0, 0)) < small * 100 * (1 + sqrt(one)));
            /* in another row the same, times its weight */
            must(a->queries < 2 || fabs(sqrt(one) * at(a->weights, b, h, 1, 0) -
                                        at(a->head_norms, b, h, 1, 0)) < small * 100 * (1 + sqrt(one)));
        }
    }
    for (long j = 1; j < a->keys; j++) must((double)tl_item(tl_at(a->norms, 0, 0, j)) == 0); /* blocked */
    subject_end(&s);
}
END_TEST

/* Gates are a part of A: a head with gate -2 has twice the norm; if all other gates are 0, the norm of all heads is
 * that of one head. */
START_TEST(norms_with_gates) {
    subject s;
    tl_seen seen;
    subject_begin(&s, 1, short_ones, SHORT_ONES);
    look_at(&s, &(tl_look_options){.norms = true}, &seen);
    tl_tensor plain = copied(tl_seen_of(&seen, "decoder.layers.0.self")->head_norms);
    tl_places *places = tl_places_new(s.model);
    must(tl_places_gate(places, "decoder.layers.0.self", -1, 0) &&
         tl_places_gate(places, "decoder.layers.0.self", 1, -2));
    look_at(&s, &(tl_look_options){.norms = true, .places = places}, &seen);
    const tl_seen_attention *a = tl_seen_of(&seen, "decoder.layers.0.self");
    for (long b = 0; b < s.batch.sentences; b++)
        for (long i = 0; i < a->queries; i++)
            for (long j = 0; j < a->keys; j++) {
                const double one = at(a->head_norms, b, 1, i, j);
                must(one == 2 * at(plain, b, 1, i, j) && at(a->head_norms, b, 0, i, j) == 0);
                must(fabs((double)tl_item(tl_at(a->norms, b, i, j)) - one) <= small * one);
            }
    free(plain.data);
    tl_places_free(places);
    subject_end(&s);
}
END_TEST

/* Learnt gates too: with log α = 0 the gate is one half. */
START_TEST(norms_with_learnt_gates) {
    static const tl_transformer_config gated = {SMALL_MODEL, .head_gates = true};
    bench k = bench_begin(&gated);
    tl_batch batch = batch_of(short_ones, SHORT_ONES, 13, 0, 0);
    tl_param *gate = k.model.encoder.layer[0].self_attn.head_gate;
    tl_tensor norms[2];
    for (int half = 0; half < 2; half++) {
        tl_seen seen;
        if (half) tl_param_value(gate).data[1] = 0;
        tl_params_changed(k.params);
        must_msg(tl_look(&k.model.model, k.tape, &batch, &(tl_look_options){.norms = true}, &seen), "%s",
                 tl_tape_error(k.tape));
        norms[half] = copied(tl_seen_of(&seen, "encoder.layers.0.self")->head_norms);
    }
    for (long i = 0; i < tl_numel(norms[0]); i++) {
        const bool second = i / norms[0].dim[3] / norms[0].dim[2] % 2;
        const double whole = (double)norms[0].data[i], now = (double)norms[1].data[i];
        must(second ? fabs(now - whole / 2) <= small * whole : now == whole);
    }
    free(norms[0].data), free(norms[1].data);
    batch_free(&batch);
    bench_end(&k);
}
END_TEST

/* Without projections heads' outputs are concatenated. */
START_TEST(norms_without_projections) {
    subject s;
    tl_seen seen;
    subject_begin(&s, FIRST_RECURRENT + 5, short_ones, SHORT_ONES);
    look_at(&s, &(tl_look_options){.norms = true}, &seen);
    const tl_seen_attention *a = &seen.attention[0];
    const tl_tensor v = tl_value(tl_place_var(s.model, &seen.maps, "decoder.layers.0.cross.v"));
    must(a->heads == 2);
    for (long b = 0; b < s.batch.sentences; b++)
        for (long i = 0; i < a->queries; i++)
            for (long j = 0; j < a->keys; j++) {
                double all = 0;
                for (long h = 0; h < a->heads; h++) {
                    double one = 0;
                    for (long d = 0; d < v.dim[3]; d++) one += pow(at(v, b, h, j, d), 2);
                    one = sqrt(one) * at(a->weights, b, h, i, j);
                    must(fabs(one - at(a->head_norms, b, h, i, j)) <= small * one);
                    all += one * one;
                }
                must(fabs(sqrt(all) - (double)tl_item(tl_at(a->norms, b, i, j))) <= small * sqrt(all));
            }
    subject_end(&s);
}
END_TEST

/* ---- objectives ---- */

static double value_of(subject *s, tl_objective o) {
    tl_seen seen;
    look_at(s, &(tl_look_options){.objective = o, .no_grad = true}, &seen);
    return seen.value;
}

static bool near(double a, double b) { return fabs(a - b) <= small * 10 * fmax(1, fabs(b)); }

START_TEST(objectives) {
    subject s;
    tl_loss_report report = {0};
    subject_begin(&s, FIRST_SCORED + 5, short_ones, SHORT_ONES); /* with label smoothing */
    tl_var mean = tl_model_loss(s.model, s.tape, &s.batch, NULL, &report, NULL);
    /* before another look resets the tape */
    const double sum = (double)tl_item(tl_value(mean)) * (double)report.count;
    must(near(value_of(&s, (tl_objective){0}), sum));
    must(near(value_of(&s, (tl_objective){.kind = TL_OF_NLL}), report.nll));
    double *log_p = calloc((size_t)(s.batch.sentences * s.batch.tgt_len), sizeof *log_p);
    must(tl_log_p(s.model, s.tape, &s.batch, NULL, log_p));
    const double a = log_p[s.batch.tgt_len + 2];
    const tl_objective token = {.kind = TL_OF_LOG_P, .sentence = 1, .position = 2, .token = -1, .other = -1};
    must(near(value_of(&s, token), a));
    tl_objective p = token, logit = token;
    logit.kind = TL_OF_LOGIT;
    p.token = logit.token = 7, p.other = logit.other = 4;
    must(near(value_of(&s, p), value_of(&s, logit))); /* a difference of log p equals that of logits */
    p.other = -1;
    tl_objective q = p;
    q.token = 4;
    must(near(value_of(&s, p) - value_of(&s, q), value_of(&s, logit)));
    free(log_p);
    subject_end(&s);
}
END_TEST

START_TEST(wrong) {
    const struct {
        tl_objective o;
        const char *says;
    } cases[] = {{{.kind = TL_OF_LOGIT, .sentence = 3, .token = -1, .other = -1}, "word 0 of sentence 3"},
                 {{.kind = TL_OF_LOGIT, .position = -1, .token = -1, .other = -1}, "word -1 of sentence 0"},
                 {{.kind = TL_OF_LOGIT, .token = 13, .other = -1}, "token 13: the model writes 0 … 12"},
                 {{.kind = TL_OF_LOG_P, .token = 1, .other = 99}, "token 99"}};
    subject s;
    tl_seen seen;
    subject_begin(&s, 0, short_ones, SHORT_ONES);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert(!tl_look(s.model, s.tape, &s.batch, &(tl_look_options){.objective = cases[i].o}, &seen));
        assert_contains(tl_tape_error(s.tape), cases[i].says);
        tl_tape_clear_error(s.tape);
    }
    ck_assert(!tl_look(NULL, s.tape, &s.batch, NULL, &seen));
    tl_tape_clear_error(s.tape);
    ck_assert(!tl_look(s.model, s.tape, NULL, NULL, &seen));
    tl_tape_clear_error(s.tape);
    ck_assert(!tl_look(s.model, NULL, &s.batch, NULL, &seen));
    tl_tape_clear_error(s.tape); /* also of the thread's own tape */
    subject_end(&s);
}
END_TEST

/* ---- names, masks ---- */

START_TEST(quantities) {
    for (int q = 0; q < TL_QUANTITIES; q++) {
        tl_quantity found;
        must(tl_quantity_of(tl_quantity_name((tl_quantity)q), &found) && (int)found == q);
        must(*tl_quantity_meaning((tl_quantity)q));
        must(tl_quantity_is_grad((tl_quantity)q) == (q >= TL_SEE_DA && q <= TL_SEE_ADA));
    }
    tl_quantity none;
    ck_assert(!tl_quantity_of("a", &none) && !tl_quantity_of(NULL, &none));
    ck_assert(!tl_quantity_name((tl_quantity)TL_QUANTITIES) && !tl_quantity_meaning((tl_quantity)-1));
}
END_TEST

/* One number of each quantity equals its tensor's, for that head, row and column. */
START_TEST(numbers) {
    subject s;
    tl_seen seen;
    subject_begin(&s, 1, short_ones, SHORT_ONES);
    look_at(&s, &(tl_look_options){.norms = true}, &seen);
    const tl_seen_attention *a = tl_seen_of(&seen, "decoder.layers.0.cross");
    const struct {
        tl_quantity q;
        tl_tensor of;
    } whole[] = {{TL_SEE_A, a->weights},
                 {TL_SEE_S, a->scores},
                 {TL_SEE_DA_RAW, a->weight_grads},
                 {TL_SEE_DS, a->score_grads},
                 {TL_SEE_HEAD_NORM, a->head_norms}};
    for (long n = 0; n < s.batch.sentences * a->heads * a->queries * a->keys; n++) {
        const long j = n % a->keys, i = n / a->keys % a->queries, h = n / a->keys / a->queries % a->heads,
                   b = n / a->keys / a->queries / a->heads;
        for (size_t k = 0; k < sizeof whole / sizeof *whole; k++)
            must(tl_seen_value(a, whole[k].q, b, h, i, j) == at(whole[k].of, b, h, i, j));
        must(tl_seen_value(a, TL_SEE_NORM, b, -1, i, j) == (double)tl_item(tl_at(a->norms, b, i, j)));
    }
    subject_end(&s);
}
END_TEST

START_TEST(why) {
    static const int lengths[] = {3};
    static const uint8_t attend[16] = {1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    const tl_mask mask = {
        .key_lengths = lengths, .causal = true, .window = 1, .attend = attend, .attend_dim = {1, 1, 4, 4}};
    static const tl_why expected[4][4] = {{TL_SEES, TL_BY_CAUSAL, TL_BY_CAUSAL, TL_BY_PADDING},
                                          {TL_SEES, TL_SEES, TL_BY_CAUSAL, TL_BY_PADDING},
                                          {TL_BY_WINDOW, TL_SEES, TL_SEES, TL_BY_PADDING},
                                          {TL_BY_WINDOW, TL_BY_WINDOW, TL_SEES, TL_BY_PADDING}};
    for (long i = 0; i < 4; i++)
        for (long j = 0; j < 4; j++) must(tl_why_blocked(&mask, 0, 0, i, j, 4, 4) == expected[i][j]);
    const tl_mask user = {.attend = attend, .attend_dim = {1, 1, 4, 4}};
    ck_assert_int_eq(tl_why_blocked(&user, 0, 0, 0, 1, 4, 4), TL_BY_USER);
    ck_assert_str_eq(tl_why_text(TL_BY_USER), "user");
    ck_assert_str_eq(tl_why_text(TL_SEES), "");
    ck_assert_str_eq(tl_why_text((tl_why)9), "");
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, rows, 0, EVERY_MODEL);
    tcase_add_loop_test(tc, looking_changes_no_bit, 0, EVERY_MODEL);
    tcase_add_loop_test(tc, company_changes_no_bit, 0, EVERY_MODEL);
    tcase_add_loop_test(tc, every_gradient_by_differences, 0, EVERY_MODEL);
    tcase_add_test(tc, norms);
    tcase_add_test(tc, norms_with_gates);
    tcase_add_test(tc, norms_with_learnt_gates);
    tcase_add_test(tc, norms_without_projections);
    tcase_add_test(tc, objectives);
    tcase_add_test(tc, wrong);
    tcase_add_test(tc, quantities);
    tcase_add_test(tc, numbers);
    tcase_add_test(tc, why);
}

TL_TEST_MAIN("lens: looking")
