/* A translator's heads, from settings to the model: which heads exist (heads_kept), and the penalty for open ones
 * (head_gates). */
#include "heads.h"

#include <stdlib.h>
#include <string.h>

static bool is(const char *text, const char *word) { return text && !strcmp(text, word); }

tl_head_shape tl_heads_shape(const tl_model_settings *s) {
    const int layers = (int)s->layers;
    return (tl_head_shape){.layers = {layers, layers, layers}, .heads = (int)s->heads};
}

/* The flags of heads_kept; the caller frees them. NULL, and a sentence, on failure. */
static bool *flags_of(const tl_model_settings *s, tl_error *error) {
    const tl_head_shape shape = tl_heads_shape(s);
    if (tl_head_count(&shape) > TL_HEADS_MOST) {
        tl_error_set(error, "--heads-kept: a model with %ld heads is more than can be listed: at most %d",
                     tl_head_count(&shape), TL_HEADS_MOST);
        return NULL;
    }
    bool *flags = calloc((size_t)tl_head_count(&shape) + 1, sizeof *flags);
    tl_error wrong = {""};
    if (!flags)
        tl_error_set(error, "out of memory for a list of heads");
    else if (tl_heads_parse(s->heads_kept, &shape, true, flags, &wrong))
        return flags;
    else
        tl_error_set(error, "--heads-kept: %s", wrong.message);
    free(flags);
    return NULL;
}

/* In a self-attention with such positions each head has its own bias. If one were left out, the others would get other
 * biases. */
static bool differ_by_head(const char *positions) {
    return is(positions, "alibi") || is(positions, "signed-alibi") || is(positions, "relative");
}

static bool kept_fit(const tl_model_settings *s, tl_error *error) {
    static const char *const names[] = {"encoder", "decoder"};
    const char *encoder = s->encoder_positions ? s->encoder_positions : s->positions;
    const char *const positions[] = {encoder, s->positions}; /* cross-attention has none */
    bool *flags = flags_of(s, error), fits = flags != NULL;
    const long heads = s->layers * s->heads; /* of each kind of attention */
    for (int kind = 0; fits && kind <= TL_DECODER_SELF; kind++)
        for (long i = 0; fits && i < heads && differ_by_head(positions[kind]); i++)
            fits = flags[kind * heads + i] ||
                   tl_error_set(
                       error,
                       "--heads-kept: with %s positions every head of the %s's self-attention has distances "
                       "of its own, so none can be left out; cross-attention's can",
                       positions[kind], names[kind]);
    free(flags);
    return fits;
}

bool tl_heads_complete(tl_model_settings *s, tl_error *error) {
    if (is(s->head_gates, "none")) s->head_gates = NULL;
    if (!s->head_gates && (s->gate_penalty > 0 || s->gate_rate > 0))
        return tl_error_set(error, "--%s is of gates: say --head-gates l0, too",
                            s->gate_penalty > 0 ? "gate-penalty" : "gate-rate");
    if (s->heads_kept && !*s->heads_kept) s->heads_kept = NULL;
    return !s->heads_kept || kept_fit(s, error);
}

tl_kept_counts tl_heads_counts(tl_run *run) {
    const tl_model_settings *s = &run->settings.model;
    tl_kept_counts counts = {{NULL}};
    bool *flags = s->heads_kept ? flags_of(s, &run->error) : NULL;
    const bool *at = flags;
    for (int kind = 0; flags && kind < TL_ATTENTION_KINDS; kind++) {
        int *of = tl_params_memory(run->params, (size_t)s->layers * sizeof *of);
        for (long l = 0; of && l < s->layers; l++, at += s->heads) {
            of[l] = 0;
            for (long h = 0; h < s->heads; h++) of[l] += at[h];
        }
        counts.of[kind] = of;
    }
    free(flags);
    return counts;
}

/* ---- parameters that get no gradient because an attention has no head ---- */

/* The output of the norm before such an attention is not used. */
static void freeze_norm(tl_run *run, const tl_attention_layer *attention, const tl_layer_norm_layer *norm,
                        bool frozen) {
    if (!attention->heads && run->transformer.config.pre_norm) tl_freeze(run->params, norm->name, frozen);
}

void tl_heads_freeze_unreached(tl_run *run, bool frozen) {
    const tl_transformer *m = &run->transformer;
    int looking = 0; /* heads of cross-attention */
    if (run->model != &m->model) return;
    for (int l = 0; l < m->encoder.layers; l++)
        freeze_norm(run, &m->encoder.layer[l].self_attn, &m->encoder.layer[l].norm1, frozen);
    for (int l = 0; l < m->decoder.layers; l++) {
        const tl_decoder_layer *layer = &m->decoder.layer[l];
        freeze_norm(run, &layer->self_attn, &layer->norm1, frozen);
        freeze_norm(run, &layer->multihead_attn, &layer->norm2, frozen);
        looking += layer->multihead_attn.heads;
    }
    if (looking) return;
    tl_freeze(run->params, m->encoder.name, frozen);
    tl_freeze(run->params, m->src_positions.name, frozen);
    if (m->src_embedding.weight != m->tgt_embedding.weight)
        tl_freeze(run->params, m->src_embedding.name, frozen);
}

/* ---- gates ---- */

bool tl_is_head_gate(const char *parameter) {
    static const char end[] = ".head_gate.log_alpha";
    const size_t size = strlen(parameter), length = sizeof end - 1;
    return size > length && !strcmp(parameter + size - length, end);
}

tl_var tl_heads_penalised(tl_run *run, tl_var loss, double tokens) {
    const tl_model_settings *s = &run->settings.model;
    if (!run->transformer.config.head_gates || run->model != &run->transformer.model ||
        !(s->gate_penalty > 0))
        return loss;
    return tl_add(
        loss, tl_scale(tl_transformer_open_heads(&run->transformer, run->tape), s->gate_penalty * tokens));
}

tl_group_options tl_heads_group(const tl_run *run) {
    const double rate = run->settings.model.gate_rate;
    return (tl_group_options){.lr_factor = rate > 0 ? rate : 10};
}
