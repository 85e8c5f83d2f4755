/* A smaller run: settings, text and weights of another run without some heads.
 *
 * Head h has rows h·d_k … of the query, key and value projections, columns h·d_k … of out_proj, and row h of a
 * score's own parameters. */
#include "tapeloom/prune.h"

#include "run/heads.h"
#include "run/paths.h"
#include "run/programs.h"

#include <stdlib.h>
#include <string.h>

/* ---- learnt gates ---- */

/* Writes an attention's gates in evaluation to `at` …; false when out of memory. */
static bool gates_of(const tl_attention_layer *layer, double *at) {
    for (int h = 0; h < layer->heads; h++) at[h] = 1;
    if (!layer->head_gate) return true;
    tl_tape *tape = tl_tape_new();
    tl_tape_set_grad(tape, false);
    tl_var g = tl_hard_concrete(tl_use(tape, layer->head_gate), NULL);
    for (int h = 0; tl_ok(g) && h < layer->heads; h++) at[h] = tl_item(tl_at(tl_value(g), h));
    const bool ok = tl_ok(g);
    tl_tape_free(tape);
    return ok;
}

bool tl_prune_gates(tl_run *run, double *gates) {
    if (!tl_run_has_model(run)) return false;
    if (!gates) return tl_run_lacks(run, "the place for the gates of heads");
    const tl_transformer *model = tl_run_transformer(run);
    long at = 0;
    for (int kind = 0; kind < TL_ATTENTION_KINDS; kind++)
        for (int l = 0; l < run->model->attentions[kind]; l++) {
            const int heads = tl_model_heads(run->model, (tl_attention_kind)kind, l);
            if (!model)
                for (int h = 0; h < heads; h++) gates[at + h] = 1;
            else if (!gates_of(tl_transformer_attention(model, (tl_attention_kind)kind, l), gates + at))
                return tl_error_set(&run->error, "out of memory for the gates of heads");
            at += heads;
        }
    return true;
}

/* ---- cutting weights ---- */

typedef struct cut {
    const bool *keep;    /* [heads] of one attention, */
    const double *gates; /* [heads] */
    int heads;
} cut;

/* to = from [outer,heads,inner] without the removed heads; scaled: times their gates. */
static void take(const cut *c, tl_param *to, const tl_param *from, long outer, bool scaled) {
    if (!to || !from) return;
    const tl_tensor a = tl_param_value(to), b = tl_param_value(from);
    const long inner = tl_numel(b) / outer / c->heads;
    tl_real *next = a.data;
    for (long o = 0; o < outer; o++)
        for (int h = 0; h < c->heads; h++) {
            const tl_real *row = b.data + (o * c->heads + h) * inner;
            for (long i = 0; i < inner && c->keep[h]; i++)
                *next++ = scaled ? (tl_real)((double)row[i] * c->gates[h]) : row[i];
        }
}

static void take_attention(const cut *c, const tl_attention_layer *to, const tl_attention_layer *from) {
    if (!from->heads || !to->heads) return;
    take(c, to->in_proj_weight, from->in_proj_weight, 3, false);
    take(c, to->in_proj_bias, from->in_proj_bias, 3, false);
    take(c, to->q_proj_weight, from->q_proj_weight, 1, false);
    take(c, to->k_proj_weight, from->k_proj_weight, 1, false);
    take(c, to->v_proj_weight, from->v_proj_weight, 1, false);
    take(c, to->v_proj_bias, from->v_proj_bias, 1, false);
    take(c, to->score_weight, from->score_weight, 1, false);
    take(c, to->score_query_weight, from->score_query_weight, 1, false);
    take(c, to->score_key_weight, from->score_key_weight, 1, false);
    take(c, to->score_bias, from->score_bias, 1, false);
    take(c, to->score_log_scale, from->score_log_scale, 1, false);
    take(c, to->out_proj.weight, from->out_proj.weight, from->d_model, true);
}

/* Parameters that belong to no head have the same name and shape in both runs. */
static void take_weights(tl_run *to, const tl_run *from, const bool *keep, const double *gates) {
    for (int i = 0; i < tl_params_count(to->params); i++) {
        const tl_param *p = tl_params_at(to->params, i), *of = tl_params_find(from->params, p->leaf.name);
        if (of && tl_shape_equal(tl_shape_of(tl_param_value(p)), tl_shape_of(tl_param_value(of))))
            tl_tensor_copy(tl_param_value(p), tl_param_value(of));
    }
    for (int kind = 0; kind < TL_ATTENTION_KINDS; kind++)
        for (int l = 0; l < from->model->attentions[kind]; l++) {
            const tl_attention_layer *of =
                tl_transformer_attention(&from->transformer, (tl_attention_kind)kind, l);
            take_attention(&(cut){keep, gates, of->heads},
                           tl_transformer_attention(&to->transformer, (tl_attention_kind)kind, l), of);
            keep += of->heads, gates += of->heads;
        }
    tl_params_changed(to->params);
}

/* ---- the run ---- */

/* The setting heads-kept for the remaining heads, by their numbers in the full model; the caller frees it. */
static char *kept_text(const tl_run *run, const bool *keep, tl_error *error) {
    const tl_model_settings *s = &run->settings.model;
    const tl_head_shape shape = tl_heads_shape(s);
    bool *flags = calloc((size_t)tl_head_count(&shape) + 1, sizeof *flags);
    char *text = NULL;
    if (flags && tl_heads_parse(s->heads_kept ? s->heads_kept : "", &shape, true, flags, error)) {
        for (long i = 0, at = 0; i < tl_head_count(&shape); i++)
            if (flags[i]) flags[i] = keep[at++];
        text = tl_heads_text(flags, &shape, true);
    }
    free(flags);
    if (!text) tl_error_set(error, "out of memory for a list of heads");
    return text;
}

/* Lends the run's text to the new one while it is written. */
static void lend(tl_run *to, const tl_run *from) {
    for (int side = 0; side < 2; side++) to->vocab[side] = from->vocab[side];
    to->bpe = from->bpe, to->target_bpe = from->target_bpe;
}
static void give_back(tl_run *to) {
    to->vocab[TL_SOURCE] = to->vocab[TL_TARGET] = NULL;
    to->bpe = to->target_bpe = NULL;
}

static bool save(tl_run *to, const tl_run *run, const bool *keep, const double *gates, bool overwrite) {
    char path[TL_PATH];
    if (!tl_run_settings_complete(&to->settings, &to->error) || !tl_run_make_empty_model(to, NULL, ""))
        return false;
    take_weights(to, run, keep, gates);
    const bool ok =
        tl_run_save_description(to, overwrite) &&
        tl_params_save(to->params, tl_path_in(path, to->dir, "model.safetensors"), NULL, 0, &to->error);
    tl_folder_unlock(to->folder);
    to->folder = NULL;
    return ok;
}

static bool can_be_pruned(tl_run *run, const bool *keep, tl_error *error) {
    const char *name = tl_run_program_name(run);
    if (!tl_run_has_model(run)) return tl_error_set(error, "%s", tl_run_error(run));
    if (!keep) return tl_error_set(error, "prune: which heads are kept is not said: keep is NULL");
    if (tl_run_transformer(run) && !strcmp(name, "translate")) return true;
    return tl_error_set(
        error,
        "%s is a run of %s%s: only translate's Transformers can be saved without some of their "
        "heads",
        run->dir ? run->dir : "this", name, tl_run_seq2seq(run) ? ", a recurrent one" : "");
}

static bool write(tl_run *run, const bool *keep, const double *gates, const char *dir, bool overwrite,
                  tl_error *error) {
    char *kept = kept_text(run, keep, error);
    tl_run *to = kept ? tl_run_in(dir) : NULL;
    bool ok = tl_run_usable(to);
    if (ok) {
        to->settings = run->settings;
        tl_model_settings *m = &to->settings.model;
        m->heads_kept = *kept ? kept : NULL;
        m->head_gates = m->from = NULL;
        m->gate_penalty = m->gate_rate = 0;
        to->settings.demo = false;
        lend(to, run);
        ok = save(to, run, keep, gates, overwrite);
        give_back(to);
    }
    if (!ok) tl_error_set(error, "%s", to ? tl_run_error(to) : "out of memory for a run");
    tl_run_free(to);
    free(kept);
    return ok;
}

bool tl_prune(tl_run *run, const bool *keep, const char *dir, bool overwrite, tl_error *error) {
    if (!can_be_pruned(run, keep, error)) return false;
    double *gates = calloc((size_t)tl_prune_heads(run->model) + 1, sizeof *gates);
    bool ok = gates && tl_prune_gates(run, gates);
    if (!ok) tl_error_set(error, "%s", gates ? tl_run_error(run) : "out of memory for the gates of heads");
    ok = ok && write(run, keep, gates, dir, overwrite, error);
    free(gates);
    return ok;
}
