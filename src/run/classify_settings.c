/* A classifier's settings: rows, defaults, what follows from others, and what contradicts. A setting that has no
 * meaning for a kind of model is refused, not ignored: whoever gives it expects an effect. */
#include "classification.h"
#include "program_settings.h"

#include <string.h>

/* ---- rows ---- */

/* clang-format off */
#define ROW TL_ROW
#define ANEW TL_ROW_ANEW

const tl_option tl_classify_data_options[] = {
    ANEW("train", TEXT, data.train, "FILE", "labelled texts: label, tab, text, one a line"),
    ANEW("valid", TEXT, data.valid, "FILE", "those to validate on, the same form"),
    ROW("made", TEXT, data.task, "agreement|number|order|subject",
     "train on labelled sentences that are made here, instead of files: does the verb agree, of which number must it be, are the words in order, "
     "whom is it about?"),
    ROW("sentences", LONG, data.sentences, "N", "made here: how many to train on (0: 2000)"),
    ROW("strict", FLAG, data.strict, NULL, "refuse a file with bad lines instead of leaving them out"),
    ROW("max-length", LONG, data.max_length, "N", "leave out texts of more tokens (0: 1023, the most a model reads)"),
    TL_OPTIONS_END};

const tl_option tl_classify_text_options[] = {
    ROW("pretokenize", TEXT, text.pretokenize, "none|words",
     "how raw text is cut into words before anything else (words; made here: none)"),
    ROW("units", TEXT, text.units, "bpe|words|chars",
     "what the vocabulary is made of: byte pairs, words, characters (bpe; made here: words)"),
    ROW("merges", LONG, text.merges, "N", "byte pairs: merges to learn (0: 4000)"),
    ROW("min-count", LONG, text.min_count, "N", "tokens seen less often become <unk> (0: 2 for words, 1 for others)"),
    ROW("max-vocab", LONG, text.max_vocab, "N",
     "at most so many entries in the vocabulary, 4 of them <pad>, <bos>, <eos>, <unk> (0: no limit)"),
    TL_OPTIONS_END};

const tl_option tl_classify_model_options[] = {
    ROW("model", TEXT, model.model, "transformer|gru|average",
     "an encoder's layers; states of a GRU in a sum whose weights a learnt query finds; the mean of embeddings"),
    ROW("d-model", LONG, model.d_model, "N", "width; of a gru units in one direction, of an average width of its layers (0: 128)"),
    ROW("layers", LONG, model.layers, "N", "how many (0: 2 of a transformer, 1 of a gru, none of an average)"),
    ROW("embedding", LONG, model.embedding, "N", "gru, average: width of embeddings (0: d-model)"),
    ROW("heads", LONG, model.heads, "N", "attention heads; of a gru, of the query (0: 4; gru: 1)"),
    TL_OPTION_RARE(tl_run_settings, model.score, "score", TEXT, "scaled-dot|dot|general|additive|cosine|uniform",
                   "how well a word answers a query, in a transformer's attention (scaled-dot) and in the sum of a gru (scaled-dot) or "
                   "an average (uniform: every word weighs the same)"),
    ROW("bidirectional", FLAG, model.bidirectional, NULL, "gru: it reads from both ends"),
    ROW("pooling", TEXT, classify.pooling, "cls|mean",
     "transformer: the class is told from the place of [CLS] before the text, or from the mean of the words' places (cls)"),
    ROW("d-ff", LONG, model.d_ff, "N", "transformer: width inside feed-forward (0: four times d-model)"),
    ROW("activation", TEXT, model.activation, "relu|gelu", "transformer: inside feed-forward"),
    ROW("positions", TEXT, model.positions, "sinusoidal|learned|none|signed-alibi|relative|rotary",
     "transformer: how places in a text are told"),
    ROW("pre-norm", FLAG, model.pre_norm, NULL, "transformer: LayerNorm before each sub-layer, not after it"),
    ROW("no-final-norm", FLAG, model.no_final_norm, NULL, "transformer: no LayerNorm after the last layer"),
    ROW("dropout", SHARE, model.dropout, "P", "on embeddings, in or between layers, on what the class is told from"),
    ROW("attention-dropout", SHARE, model.attention_dropout, "P", "transformer, gru: on attention's probabilities"),
    ROW("activation-dropout", SHARE, model.activation_dropout, "P", "transformer: inside feed-forward"),
    TL_OPTIONS_END};

const tl_option tl_classify_pretraining_options[] = {
    ROW("pretrain", LONG, classify.pretrain, "N",
     "transformer: first learn for so many updates to tell masked words, without labels (0: don't)"),
    ANEW("pretrain-text", TEXT, classify.pretrain_text, "FILE",
     "texts for it, one a line, beside those of --train"),
    ROW("unlabelled", LONG, classify.unlabelled, "N", "made here: so many more sentences for it (0: none)"),
    ROW("pretrain-lr", DOUBLE, classify.pretrain_lr, "R", "its peak learning rate (0: that of --lr)"),
    ROW("mask", SHARE, classify.mask, "P", "share of words that are to be told (0: 0.15)"),
    TL_OPTIONS_END};

const tl_option tl_classify_training_options[] = {
    TL_OPTION_ROWS(tl_run_settings, training, tl_ending_options),
    ROW("batch-tokens", LONG, training.batch_tokens, "N", "tokens of a batch, padding included (0: 4096)"),
    TL_OPTION_ROWS(tl_run_settings, training, tl_learning_options),
    TL_OPTIONS_END};

const tl_option tl_classify_validation_options[] = {
    ANEW("validate-every", LONG, validation.validate_every, "N", "every so many updates (0: after each epoch)"),
    ROW("best-by", TEXT, validation.best_by, "accuracy|loss", "what makes a validation the best so far"),
    ROW("average", LONG, validation.average, "N",
     "average the weights of the last N validations at the end, at most 100 (0: don't)"),
    TL_OPTIONS_END};

const tl_option tl_classify_options[] = {
    ROW("program", TEXT, program, "classify", "whose run it is"),
    TL_OPTION_MORE(tl_classify_data_options),
    TL_OPTION_MORE(tl_classify_text_options),
    TL_OPTION_MORE(tl_classify_model_options),
    TL_OPTION_MORE(tl_classify_pretraining_options),
    TL_OPTION_MORE(tl_classify_training_options),
    TL_OPTION_MORE(tl_classify_validation_options),
    TL_DEMO_ROW,
    TL_OPTIONS_END};
/* clang-format on */

/* ---- defaults ---- */

tl_run_settings tl_classify_usual(void) {
    return (tl_run_settings){.program = "classify",
                             .data = {.sentences = 2000},
                             .text = {.merges = 4000},
                             .model = {.model = "transformer",
                                       .d_model = 128,
                                       .activation = "relu",
                                       .positions = "sinusoidal",
                                       .dropout = 0.1},
                             .classify = {.pooling = "cls", .mask = 0.15},
                             .training = {.lr = 0.001,
                                          .warmup = 100,
                                          .warmup_from = 1e-7,
                                          .beta2 = 0.98,
                                          .clip = 5,
                                          .schedule = "inverse-sqrt",
                                          .matmul_precision = "highest",
                                          .batch_tokens = 1024,
                                          .accumulate = 1,
                                          .seed = 1},
                             .validation = {.best_by = "accuracy"}};
}

static void fill_names(tl_run_settings *s) {
    const tl_run_settings usual = tl_classify_usual();
    if (!s->model.model) s->model.model = usual.model.model;
    if (!s->model.activation) s->model.activation = usual.model.activation;
    if (!s->model.positions) s->model.positions = usual.model.positions;
    if (!s->classify.pooling) s->classify.pooling = usual.classify.pooling;
    if (!s->validation.best_by) s->validation.best_by = usual.validation.best_by;
}

/* Labels are not text: the target side is empty, and both sides share one vocabulary. */
static void fill_text(tl_text_settings *s, bool made) {
    if (!s->pretokenize) s->pretokenize = made ? "none" : "words";
    if (!s->units) s->units = made ? "words" : "bpe";
    if (!s->merges) s->merges = tl_classify_usual().text.merges;
    if (!s->min_count) s->min_count = !strcmp(s->units, "words") && !made ? 2 : 1;
    s->src_pretokenize = s->pretokenize;
    s->src_units = s->units;
    s->tgt_pretokenize = "none";
    s->tgt_units = "words";
    s->joint = true;
}

static void fill(tl_run_settings *s) {
    tl_model_settings *m = &s->model;
    const bool transformer = !strcmp(m->model, "transformer"), gru = !strcmp(m->model, "gru");
    fill_text(&s->text, s->data.task != NULL);
    if (!s->data.sentences) s->data.sentences = tl_classify_usual().data.sentences;
    if (!m->d_model) m->d_model = tl_classify_usual().model.d_model;
    if (!m->layers) m->layers = transformer ? 2 : gru ? 1 : 0;
    if (!m->heads) m->heads = transformer ? 4 : 1;
    if (!m->d_ff && transformer) m->d_ff = 4 * m->d_model;
    if (!m->embedding && !transformer) m->embedding = m->d_model;
    if (s->classify.mask <= 0) s->classify.mask = tl_classify_usual().classify.mask;
    tl_training_end_fill(&s->training);
}

/* ---- what contradicts ---- */

static bool check_kind(const tl_run_settings *s, tl_error *error) {
    const tl_model_settings *m = &s->model;
    const tl_run_settings usual = tl_classify_usual();
    const bool transformer = !strcmp(m->model, "transformer"), gru = !strcmp(m->model, "gru");
    const char *of_transformer = "is of --model transformer: leave it out";
    const tl_foreign rows[] = {
        {!gru && m->bidirectional, "bidirectional", "is of --model gru; the other kinds read no way"},
        {transformer && m->embedding && m->embedding != m->d_model, "embedding",
         "is of --model gru and average; a Transformer's embeddings are --d-model wide"},
        {!transformer && !gru && m->heads > 1, "heads", "an average has no attention: leave it out"},
        {!transformer && !gru && m->attention_dropout > 0, "attention-dropout",
         "an average has no attention: leave it out"},
        {!transformer && m->d_ff > 0, "d-ff", of_transformer},
        {!transformer && strcmp(s->classify.pooling, usual.classify.pooling), "pooling", of_transformer},
        {!transformer && strcmp(m->activation, usual.model.activation), "activation", of_transformer},
        {!transformer && strcmp(m->positions, usual.model.positions), "positions",
         "is of --model transformer: a gru reads words in their order, and an average in none"},
        {!transformer && m->pre_norm, "pre-norm", of_transformer},
        {!transformer && m->no_final_norm, "no-final-norm", of_transformer},
        {!transformer && m->activation_dropout > 0, "activation-dropout", of_transformer},
        {!transformer && s->classify.pretrain, "pretrain",
         "is of --model transformer: masked words are told from both sides, which the other kinds do not see "
         "at once"}};
    return TL_NONE_SAID(rows, error);
}

static bool check_pretraining(const tl_run_settings *s, tl_error *error) {
    const tl_classify_settings *c = &s->classify;
    const char *only = "is of the stage that --pretrain N begins with: say that too";
    const tl_foreign rows[] = {
        {!c->pretrain && c->pretrain_text, "pretrain-text", only},
        {!c->pretrain && c->unlabelled, "unlabelled", only},
        {!c->pretrain && c->pretrain_lr > 0, "pretrain-lr", only},
        {!c->pretrain && c->mask > 0 && (c->mask < 0.15 || c->mask > 0.15), "mask", only},
        {s->data.task && c->pretrain_text, "pretrain-text",
         "of sentences made here, --unlabelled N makes more"},
        {!s->data.task && c->unlabelled, "unlabelled",
         "is of sentences made here; of files, say --pretrain-text"}};
    return TL_NONE_SAID(rows, error);
}

static bool check_sizes(const tl_run_settings *s, tl_error *error) {
    const tl_size_limit sizes[] = {
        {"layers", s->model.layers, 1000},       {"d-model", s->model.d_model, 65536},
        {"d-ff", s->model.d_ff, 262144},         {"embedding", s->model.embedding, 65536},
        {"sentences", s->data.sentences, 90000}, {"average", s->validation.average, TL_MOST_RECENT}};
    return TL_SIZES_WITHIN(sizes, error) && tl_max_vocab_fits(&s->text, error);
}

static bool check_heads(const tl_model_settings *m, tl_error *error) {
    const long width = strcmp(m->model, "gru") ? m->d_model : m->d_model * (m->bidirectional ? 2 : 1);
    return tl_heads_fit(m, width, !strcmp(m->positions, "rotary"), error);
}

bool tl_classify_complete(tl_run_settings *s, tl_error *error) {
    fill_names(s);
    if (!tl_options_check(tl_classify_options, s, error) ||
        !tl_training_settings_check(&s->training, error) || !check_kind(s, error) ||
        !check_pretraining(s, error))
        return false;
    fill(s);
    return check_sizes(s, error) && check_heads(&s->model, error);
}
