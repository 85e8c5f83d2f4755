/* A classifier's run: model from settings; text and labels in the folder. */
#include "classification.h"

#include <string.h>

static bool is(const char *text, const char *word) { return text && !strcmp(text, word); }

/* ---- the model ---- */

static tl_position_kind positions_of(const char *text) {
    int kind = TL_ROTARY;
    while (kind > 0 && !is(text, tl_position_kind_text((tl_position_kind)kind))) kind--;
    return (tl_position_kind)kind;
}

static tl_classifier_kind kind_of(const char *model) {
    return is(model, "gru")       ? TL_CLASSIFY_GRU
           : is(model, "average") ? TL_CLASSIFY_AVERAGE
                                  : TL_CLASSIFY_TRANSFORMER;
}

static tl_score score_of(const char *text) {
    static const char *const names[] = {
        [TL_SCALED_DOT] = "scaled-dot", [TL_DOT] = "dot",       [TL_GENERAL] = "general",
        [TL_ADDITIVE] = "additive",     [TL_COSINE] = "cosine", [TL_UNIFORM] = "uniform"};
    int score = TL_UNIFORM;
    while (score > 0 && !is(text, names[score])) score--;
    return (tl_score)score;
}

const tl_model *tl_classify_make(tl_run *run) {
    const tl_model_settings *m = &run->settings.model;
    const bool words = run->settings.classify.pretrain > 0;
    run->classifier = tl_classifier_init(
        run->params, "",
        &(tl_classifier_config){.kind = kind_of(m->model),
                                .vocab = tl_vocab_size(run->vocab[TL_SOURCE]),
                                .classes = tl_labels_count(run->labels),
                                .embedding = m->embedding,
                                .d_model = m->d_model,
                                .layers = (int)m->layers,
                                .max_len = TL_LONGEST_SENTENCE + 1,
                                .dropout = m->dropout,
                                .heads = (int)m->heads,
                                .score = score_of(m->score),
                                .weighted = is(m->model, "average") && m->score && !is(m->score, "uniform"),
                                .attention_dropout = m->attention_dropout,
                                .label_smoothing = run->settings.training.label_smoothing,
                                .bidirectional = m->bidirectional,
                                .mean_pooling = is(run->settings.classify.pooling, "mean"),
                                .d_ff = m->d_ff,
                                .activation = is(m->activation, "gelu") ? TL_GELU : TL_RELU,
                                .positions = positions_of(m->positions),
                                .pre_norm = m->pre_norm,
                                .no_final_norm = m->no_final_norm,
                                .activation_dropout = m->activation_dropout,
                                .masked_tokens = words,
                                .output_bias = words});
    return &run->classifier.model;
}

void tl_classify_freeze(tl_run *run, bool words) {
    tl_freeze(run->params, "head", words);
    tl_freeze(run->params, "output", !words);
}

const tl_labels *tl_run_labels(const tl_run *run) { return run ? run->labels : NULL; }
const tl_classifier *tl_run_classifier(const tl_run *run) {
    return run && run->model == &run->classifier.model ? &run->classifier : NULL;
}

/* ---- text and labels ---- */

bool tl_classify_save_text(tl_run *run) {
    size_t size = 0;
    char *labels = tl_labels_text(run->labels, &size);
    return tl_run_save_file(run, labels, size, "labels.txt") && tl_run_save_codes(run) &&
           tl_run_save_vocab(run, run->vocab[TL_SOURCE], "vocab.txt");
}

static bool load_labels(tl_run *run) {
    tl_run_file file = {.size = 0};
    if (!tl_run_read_file(run, "labels.txt", &file)) return false;
    run->labels = tl_labels_parse(file.path, file.bytes, file.size);
    if (tl_labels_error(run->labels)) tl_error_set(&run->error, "%s", tl_labels_error(run->labels));
    tl_run_free_file(&file);
    return !tl_failed(&run->error);
}

static bool load_vocab(tl_run *run) {
    tl_run_file file = {.size = 0};
    if (!tl_run_read_file(run, "vocab.txt", &file)) return false;
    run->vocab[TL_SOURCE] = run->vocab[TL_TARGET] = tl_run_parse_vocab(run, &file);
    tl_run_free_file(&file);
    return !tl_failed(&run->error);
}

bool tl_classify_load_text(tl_run *run) {
    return load_labels(run) && (!tl_run_has_pairs(run, TL_SOURCE) || tl_run_load_codes(run)) &&
           load_vocab(run);
}
