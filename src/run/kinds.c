/* The table of a translator's kinds of models, and how settings become each kind's config. A setting that has no
 * meaning for a kind is refused, not ignored: whoever gives it expects an effect. */
#include "heads.h"
#include "kinds.h"
#include "program_settings.h"
#include "translation.h"

#include <string.h>

static bool is(const char *text, const char *word) { return text && !strcmp(text, word); }

static tl_tie tie_of(const char *text) {
    return is(text, "all") ? TL_TIE_ALL : is(text, "target") ? TL_TIE_TARGET : TL_TIE_NONE;
}

static const struct {
    const char *name;
    tl_score score;
} scores[] = {{"scaled-dot", TL_SCALED_DOT}, {"dot", TL_DOT},       {"general", TL_GENERAL},
              {"additive", TL_ADDITIVE},     {"cosine", TL_COSINE}, {"uniform", TL_UNIFORM}};

static tl_score score_of(const char *name) {
    for (size_t i = 0; i < sizeof scores / sizeof *scores; i++)
        if (is(name, scores[i].name)) return scores[i].score;
    return TL_SCALED_DOT;
}

static tl_position_kind positions_of(const char *text) {
    int kind = TL_ROTARY;
    while (kind > 0 && !is(text, tl_position_kind_text((tl_position_kind)kind))) kind--;
    return (tl_position_kind)kind;
}

/* ---- sizes ---- */

typedef struct preset {
    const char *name;
    bool recurrent;
    long d_model, heads, layers, d_ff;
} preset;
static const preset presets[] = {{"toy", false, 64, 4, 2, 128},
                                 {"tiny", false, 128, 4, 4, 256},
                                 {"small", false, 256, 4, 3, 1024},
                                 {"base", false, 512, 8, 6, 2048},
                                 {"rnn", true, 256, 1, 1, 0}};

static bool apply_preset(tl_model_settings *s, bool recurrent, tl_error *error) {
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++) {
        const preset *p = &presets[i];
        if (strcmp(p->name, s->preset)) continue;
        if (p->recurrent != recurrent)
            return tl_error_set(error,
                                recurrent
                                    ? "--preset %s has a Transformer's sizes: say --preset rnn, and others "
                                      "with --d-model and --layers"
                                    : "--preset %s has the sizes of gru and lstm: say --model gru, or "
                                      "another preset",
                                s->preset);
        if (!s->d_model) s->d_model = p->d_model;
        if (!s->heads) s->heads = p->heads;
        if (!s->layers) s->layers = p->layers;
        if (!s->d_ff) s->d_ff = p->d_ff;
        return true;
    }
    return tl_error_set(error, "there is no preset \"%s\"", s->preset);
}

/* ---- the Transformer ---- */

static bool complete_transformer(tl_model_settings *s, tl_error *error) {
    const tl_foreign rows[] = {
        {s->attention, "attention", "is of --model gru and lstm; a Transformer's attention is what it is"},
        {s->bidirectional, "bidirectional",
         "is of --model gru and lstm; a Transformer's encoder sees both sides anyway"},
        {s->input_feeding, "input-feeding",
         "is of --model gru and lstm; a Transformer has no step before to be fed from"},
        {s->feed_context, "feed-context",
         "is of --model gru and lstm; a Transformer is never without attention"},
        {s->embedding, "embedding",
         "is of --model gru and lstm; a Transformer's embeddings are --d-model wide"}};
    s->model = NULL; /* as in runs from before there were other kinds */
    if (!s->preset) s->preset = "tiny";
    return TL_NONE_SAID(rows, error) && apply_preset(s, false, error) && tl_heads_complete(s, error);
}

static const tl_model *make_transformer(tl_run *run) {
    const tl_model_settings *s = &run->settings.model;
    const tl_position_kind encoder = positions_of(s->encoder_positions ? s->encoder_positions : s->positions);
    const tl_kept_counts kept = tl_heads_counts(run);
    run->transformer = tl_transformer_init(
        run->params, "",
        &(tl_transformer_config){.src_vocab = tl_vocab_size(run->vocab[TL_SOURCE]),
                                 .tgt_vocab = tl_vocab_size(run->vocab[TL_TARGET]),
                                 .tie = tie_of(s->tie),
                                 .d_model = s->d_model,
                                 .d_ff = s->d_ff,
                                 .heads = (int)s->heads,
                                 .layers = (int)s->layers,
                                 .max_len = TL_LONGEST_SENTENCE + 1,
                                 .activation = is(s->activation, "gelu") ? TL_GELU : TL_RELU,
                                 .positions = positions_of(s->positions),
                                 .own_encoder_positions = s->encoder_positions != NULL,
                                 .encoder_positions = encoder,
                                 .score = score_of(s->score),
                                 .normaliser = is(s->normaliser, "sigmoid") ? TL_SIGMOID : TL_SOFTMAX,
                                 .window = s->window,
                                 .no_causal = s->no_causal,
                                 .kept = {kept.of[0], kept.of[1], kept.of[2]},
                                 .head_gates = is(s->head_gates, "l0"),
                                 .pre_norm = s->pre_norm,
                                 .no_final_norm = s->no_final_norm,
                                 .dropout = s->dropout,
                                 .attention_dropout = s->attention_dropout,
                                 .activation_dropout = s->activation_dropout,
                                 .label_smoothing = run->settings.training.label_smoothing});
    if (run->transformer.config.head_gates)
        tl_set_group_suffix(run->params, ".head_gate.log_alpha", TL_GATES_GROUP);
    return &run->transformer.model;
}

/* ---- GRU and LSTM ---- */

static bool complete_recurrent(tl_model_settings *s, tl_error *error) {
    const tl_foreign not_ours[] = {
        {s->d_ff > 0, "d-ff", "gru and lstm have no feed-forward: leave it out"},
        {s->pre_norm, "pre-norm", "gru and lstm have no LayerNorm: leave it out"},
        {s->no_final_norm, "no-final-norm", "gru and lstm have no LayerNorm: leave it out"},
        {s->activation_dropout > 0, "activation-dropout", "gru and lstm have no feed-forward: leave it out"},
        {!is(s->activation, "relu"), "activation", "gru and lstm have no feed-forward: leave it out"},
        {!is(s->score, "scaled-dot"), "score", "is the Transformer's; gru and lstm have --attention"},
        {!is(s->normaliser, "softmax"), "normaliser", "is the Transformer's: leave it out"},
        {s->window > 0, "window", "is of self-attention, which gru and lstm have not: leave it out"},
        {s->no_causal, "no-causal", "is of self-attention, which gru and lstm have not: leave it out"},
        {s->encoder_positions, "encoder-positions", "gru and lstm read words in their order: leave it out"},
        {s->heads_kept, "heads-kept", "is the Transformer's: leave it out"},
        {is(s->head_gates, "l0"), "head-gates", "are the Transformer's: leave it out"},
        {!is(s->positions, "sinusoidal"), "positions",
         "gru and lstm read words in their order: leave it out"}};
    if (!s->preset) s->preset = "rnn";
    if (!s->attention) s->attention = "additive";
    if (!TL_NONE_SAID(not_ours, error) || !apply_preset(s, true, error)) return false;
    if (!s->embedding) s->embedding = s->d_model;
    const bool none = is(s->attention, "none"), additive = is(s->attention, "additive");
    const tl_foreign apart[] = {
        {s->input_feeding && none, "input-feeding",
         "feeds what attention gave, and with --attention none there is none: --feed-context feeds the one "
         "vector"},
        {s->input_feeding && additive, "input-feeding",
         "with --attention additive the cell reads what attention gave anyway: leave it out"},
        {s->feed_context && !none, "feed-context", "feeds the one vector of --attention none: leave it out"},
        {none && s->heads > 1, "heads", "with --attention none there are no heads: leave it out"},
        {none && s->attention_dropout > 0, "attention-dropout",
         "with --attention none there is nothing to drop: leave it out"},
        {s->bidirectional && (is(s->attention, "dot") || is(s->attention, "cosine")), "bidirectional",
         "states from both ends are twice as wide as the decoder's, and --attention dot and cosine need one "
         "width: "
         "take general, additive or scaled-dot"},
        {s->embedding != s->d_model && !is(s->tie, "none"), "embedding",
         "is not --d-model, which the output reads: one matrix cannot serve both; say --tie none"}};
    return TL_NONE_SAID(apart, error);
}

static const tl_model *make_recurrent(tl_run *run) {
    const tl_model_settings *s = &run->settings.model;
    const bool none = is(s->attention, "none");
    run->seq2seq =
        tl_seq2seq_init(run->params, "",
                        &(tl_seq2seq_config){.src_vocab = tl_vocab_size(run->vocab[TL_SOURCE]),
                                             .tgt_vocab = tl_vocab_size(run->vocab[TL_TARGET]),
                                             .tie = tie_of(s->tie),
                                             .kind = is(s->model, "lstm") ? TL_LSTM : TL_GRU,
                                             .embedding = s->embedding,
                                             .d_model = s->d_model,
                                             .layers = (int)s->layers,
                                             .bidirectional = s->bidirectional,
                                             .score = score_of(s->attention),
                                             .heads = (int)s->heads,
                                             .no_attention = none,
                                             .feed_context = s->feed_context,
                                             .input_feeding = s->input_feeding,
                                             .max_len = TL_LONGEST_SENTENCE + 1,
                                             .dropout = s->dropout,
                                             .attention_dropout = s->attention_dropout,
                                             .label_smoothing = run->settings.training.label_smoothing});
    return &run->seq2seq.model;
}

/* ---- the table ---- */

static const tl_run_kind kinds[] = {{"transformer", complete_transformer, make_transformer},
                                    {"gru", complete_recurrent, make_recurrent},
                                    {"lstm", complete_recurrent, make_recurrent}};

const tl_model *tl_translate_make(tl_run *run) {
    const tl_run_kind *kind = tl_run_kind_of(&run->settings.model, &run->error);
    return kind ? kind->make(run) : NULL;
}

const tl_run_kind *tl_run_kind_of(const tl_model_settings *settings, tl_error *error) {
    const char *name = settings->model ? settings->model : kinds[0].name;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (is(name, kinds[i].name)) return &kinds[i];
    tl_error_set(error, "there is no kind of model \"%s\": say transformer, gru or lstm", name);
    return NULL;
}
