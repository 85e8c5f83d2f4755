/* Attention weights against gradients, over held-out beginnings of sentences. */
#include "claim_explanation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_WORDS = 5 };

/* ---- sentences: held-out beginnings of five words or more ---- */

static long words_of(const char *line) {
    long words = 1;
    for (; *line; line++) words += *line == ' ';
    return words;
}

/* Measures one sentence; a value that does not exist is left out. False on failure. */
typedef bool each_sentence(tl_run *run, const tl_sentences *one, void *to);

static bool walk(const job *j, tl_run *run, each_sentence *f, void *to, tl_error *error) {
    tl_set *set = tl_set_new(run, NULL);
    long left = budget_of(j->study, 300, 60, 4);
    bool ok = set != NULL;
    for (long i = 0; ok && left > 0 && i < tl_set_count(set); i++) {
        const char *source = tl_set_source(set, i), *target = tl_set_target(set, i);
        if (words_of(source) < LEAST_WORDS) continue;
        tl_sentences one;
        if (job_stopped(j)) ok = tl_error_set(error, "interrupted");
        if (!ok || !(ok = tl_sentences_of(run, &source, &target, 1, &one))) break;
        ok = f(run, &one, to);
        tl_sentences_free(&one);
        left--;
    }
    tl_set_free(set);
    if (ok || tl_failed(error)) return ok;
    return job_failed(run, "out of memory", error);
}

/* The true class. With two classes either one gives the same ranks, since their probabilities have opposite
 * gradients. */
static const tl_objective truth = {.kind = TL_OF_LOG_P, .token = -1, .other = -1};

/* A mean over the values that exist. */
typedef struct mean {
    double sum;
    long count;
} mean;
static void add(mean *m, double value) {
    if (!isnan(value)) m->sum += value, m->count++;
}
static double of(const mean *m) { return m->count ? m->sum / (double)m->count : NAN; }

/* ---- poolings: Jain & Wallace's τ, normally and with attention frozen at uniform ---- */

typedef struct taus {
    mean as_it_is, uniform;
} taus;

static bool taus_of(tl_run *run, const tl_sentences *one, void *to) {
    taus *t = to;
    tl_grad_taus got;
    if (!tl_grad_taus_of(tl_run_model(run), tl_run_tape(run), &one->batch, &truth, "pooling", -1, &got))
        return false;
    add(&t->as_it_is, got.embedding);
    add(&t->uniform, got.uniform);
    return true;
}

static tl_run *open_and_score(const job *j, numbers *out, tl_error *error) {
    tl_run *run = job_open(j, j->arm.stops[0], error);
    tl_quality q;
    if (!run) return NULL;
    if (job_quality(run, budget_of(j->study, 1000, 1000, 20), false, &q, error)) {
        put(out, j, "accuracy", 0, 100 * q.accuracy);
        return run;
    }
    tl_run_free(run);
    return NULL;
}

/* Uniform weights rank nothing: only accuracy. */
bool explanation_uniform(const job *j, numbers *out, tl_error *error) {
    tl_run *run = open_and_score(j, out, error);
    tl_run_free(run);
    return run != NULL;
}

bool explanation_pooling(const job *j, numbers *out, tl_error *error) {
    tl_run *run = open_and_score(j, out, error);
    taus t = {0};
    const bool ok = run && walk(j, run, taus_of, &t, error);
    if (ok) {
        put(out, j, "tau", 0, of(&t.as_it_is));
        numbers_add(out, strcmp(j->arm.name, GRU) ? AVERAGE " frozen" : GRU " frozen", j->seed, "tau", 0,
                    of(&t.uniform));
    }
    tl_run_free(run);
    return ok;
}

/* ---- the encoder: ranks of words by [CLS]'s attention, layer by layer, against input gradients ---- */

const char *const explanation_methods[METHODS] = {"raw attention", "rollout", "flow"};

typedef struct ranks {
    mean of[METHODS][LAYERS];
} ranks;

/* What each method gives to the words [METHODS][LAYERS][words]: the row of [CLS], which comes first and is no word. */
static bool looks_of(const tl_seen *seen, long words, double *to) {
    const long places = words + 1;
    tl_flow_layers *l = tl_flow_layers_of(seen, 0, TL_FLOW_WEIGHTS);
    double *all = malloc((size_t)(places * places) * sizeof *all);
    bool ok = l && all && l->encoder_layers == LAYERS && l->sources == places;
    for (int layer = 0; layer < LAYERS && ok; layer++) {
        memcpy(to + (RAW * LAYERS + layer) * words, l->encoder_self[layer] + 1, (size_t)words * sizeof *to);
        ok = tl_attention_rollout(l, layer + 1, all, NULL);
        if (ok) memcpy(to + (ROLLOUT * LAYERS + layer) * words, all + 1, (size_t)words * sizeof *to);
        ok = ok && tl_attention_max_flow(l, layer + 1, 0, all, NULL);
        if (ok) memcpy(to + (FLOW * LAYERS + layer) * words, all + 1, (size_t)words * sizeof *to);
    }
    tl_flow_layers_free(l);
    free(all);
    return ok;
}

static bool ranks_of(tl_run *run, const tl_sentences *one, void *to) {
    const tl_model *model = tl_run_model(run);
    const long words = one->batch.src_len;
    ranks *r = to;
    tl_seen seen;
    tl_input_shares grads;
    double *looks = malloc((size_t)(METHODS * LAYERS * words) * sizeof *looks);
    bool ok = looks &&
              tl_look(model, tl_run_tape(run), &one->batch, &(tl_look_options){.no_grad = true}, &seen) &&
              looks_of(&seen, words, looks) &&
              tl_input_grads(model, tl_run_tape(run), &one->batch, &truth,
                             &(tl_input_options){.part = TL_CONTENT}, &grads);
    if (ok) {
        for (long i = 0; i <= words; i++) grads.source[i] = fabs(grads.source[i]);
        for (int k = 0; k < METHODS * LAYERS; k++)
            add(&r->of[k / LAYERS][k % LAYERS],
                tl_rank_correlation(looks + k * words, grads.source + 1, words));
        tl_input_shares_free(&grads);
    }
    free(looks);
    return ok;
}

bool explanation_encoder(const job *j, numbers *out, tl_error *error) {
    tl_run *run = open_and_score(j, out, error);
    ranks r = {0};
    const bool ok = run && walk(j, run, ranks_of, &r, error);
    for (int m = 0; m < METHODS && ok; m++)
        for (int layer = 0; layer < LAYERS; layer++)
            numbers_add(out, explanation_methods[m], j->seed, "rank correlation", layer + 1,
                        of(&r.of[m][layer]));
    tl_run_free(run);
    return ok;
}
