/* The commands' options: the library's rows of a run's settings, and the program's own. */
#include "program.h"

#include <string.h>

/* clang-format off */
const tl_option train_options[] = {
    TL_OPTION_HEADING("data: a TSV or two files, or sentences made here"),
    ROWS(data, tl_data_options),
    TL_OPTION_HEADING("the run"),
    OUT_ROWS,
    TL_OPTION_HEADING("text"),
    ROWS(text, tl_text_options),
    TL_OPTION_HEADING("model"),
    ROWS(model, tl_model_options),
    TL_OPTION_HEADING("training"),
    ROWS(training, tl_training_options),
    TL_OPTION_HEADING("validation"),
    ROWS(validation, tl_validation_options),
    CHECK_ROW,
    COMMON_ROWS,
    TL_OPTIONS_END};

#define DECODING_ROWS \
    ROW("beam", LONG, beam, "K", "hypotheses to keep a sentence, at most 1000 (1: greedy; 0: 5)"), \
    ROW("length-penalty", DOUBLE, length_penalty, "A", "rank by log probability / length^A (0: by log probability)"), \
    ROW("batch-tokens", LONG, batch_tokens, "N", "tokens of a batch, padding included (0: 4096)"), \
    ROW("replace-unknown", FLAG, replace_unknown, NULL, \
        "in the place of <unk> the source word that the decoder's last layer looked at while it wrote it"), \
    ROW("no-repeat-ngram", LONG, no_repeat_ngram, "N", "no N tokens in a row twice in a translation (0: they may repeat)"), \
    ROW("sample", FLAG, sample, NULL, "draw words by their probabilities instead of searching for the most likely"), \
    ROW("temperature", DOUBLE, temperature, "T", "of samples: below 1 likely words come more often, above 1 less (0: 1)"), \
    ROW("top-k", LONG, top_k, "K", "of samples: draw from the K most likely words (0: from all)"), \
    ROW("top-p", DOUBLE, top_p, "R", \
        "of samples: draw from the fewest most likely words whose probabilities sum to P, at most 1 (0: from all)"), \
    ROW("seed", LONG, seed, "N", "of samples: another one gives others; a line's depend on it and the line's number alone")

const tl_option translate_options[] = {
    MODEL_ROWS,
    DECODING_ROWS,
    ROW("nbest", FLAG, nbest, NULL,
        "all hypotheses of the beam that differ as texts, or K samples: line number, tab, score, tab, translation"),
    ROW("alignment", TEXT, alignment, "hard|soft|all-heads", \
        "behind each translation a tab and where its words looked: 0-0 1-2 (source-target), or numbers"),
    ROW("alignment-layer", LONG, alignment_layer, "N", "in the decoder's N-th layer (0: the last)"),
    ROW("prefix-column", FLAG, prefix_column, NULL, "input lines are source, tab, words that the translation begins with"),
    CHECK_ROW,
    COMMON_ROWS,
    TL_OPTIONS_END};

const tl_option evaluate_options[] = {
    MODEL_ROWS,
    ROW("test", TEXT, test, "FILE", "sentence pairs: source, tab, reference (sentences made here need none)"),
    ROW("test-src", TEXT, test_src, "FILE", "or in two files: sources"),
    ROW("test-tgt", TEXT, test_tgt, "FILE", "and their references"),
    ROW("sentences", LONG, test_sentences, "N", "tasks: make so many other sequences to test on (0: 500)"),
    ROW("min-symbols", LONG, test_min_symbols, "N", "tasks: the shortest of these (0: as in training)"),
    ROW("max-symbols", LONG, test_max_symbols, "N", "tasks: the longest of these (0: as in training)"),
    ROW("strict", FLAG, common.run.data.strict, NULL, "refuse a file with bad lines instead of leaving them out"),
    DECODING_ROWS,
    ROW("tokenize", TEXT, common.run.validation.tokenize, "none|13a|zh|char",
     "how BLEU cuts text (none; 13a for pre-tokenized text, char for characters)"),
    ROW("lowercase", FLAG, common.run.validation.lowercase, NULL, "BLEU and chrF without regard to case"),
    ROW("samples", LONG, common.run.validation.samples, "N", "translations to show (0: none)"),
    ROW("out", TEXT, common.out, "FILE", "write the translations there, one a line"),
    CHECK_ROW,
    COMMON_ROWS,
    TL_OPTIONS_END};

const tl_option score_options[] = {
    MODEL_ROWS,
    ROW("pairs", TEXT, pairs, "FILE", "lines of source, tab, target (standard input unless told)"),
    ROW("strict", FLAG, common.run.data.strict, NULL, "refuse a file with bad lines instead of leaving them empty"),
    ROW("tokens", FLAG, tokens, NULL, "behind these a tab, the target's tokens, a tab, and log p of each"),
    ROW("batch-tokens", LONG, batch_tokens, "N", "tokens of a batch, a side, padding included (0: 4096)"),
    CHECK_ROW,
    COMMON_ROWS,
    TL_OPTIONS_END};

const tl_option attention_options[] = {
    MODEL_ROWS,
    ROW("layer", LONG, layer, "N", "the decoder's N-th layer (0: the last)"),
    ROW("head", LONG, head, "N", "its N-th head (0: the mean of all)"),
    COMMON_ROWS,
    TL_OPTIONS_END};

const tl_option info_options[] = {
    ROW("model", TEXT, common.model, "DIR", "a run that train has written"),
    TL_OPTIONS_END};

const tl_option corpus_options[] = {
    ROW("pair", TEXT, common.run.data.pair, "en-fr|en-zh", "the languages"),
    ROW("sentences", LONG, common.run.data.sentences, "N", "pairs to train on (0: 20000); 500 each to validate and test come with them"),
    ROW("seed", LONG, common.run.training.seed, "N", "another one gives other sentences"),
    ROW("out", TEXT, common.out, "DIR", "where the files go"),
    TL_OPTIONS_END};

const tl_option demo_options[] = {
    ROW("out", TEXT, common.out, "DIR", "where the run goes"),
    ROW("overwrite", FLAG, common.overwrite, NULL, "replace the model that is in --out already, though no demo has made it"),
    ROW("pair", TEXT, common.run.data.pair, "en-fr|en-zh", "the languages"),
    ROW("steps", LONG, common.run.training.steps, "N", "updates (0: 10 passes over the sentences)"),
    COMMON_ROWS,
    TL_OPTIONS_END};
/* clang-format on */

tl_translate_options translate_options_of(const settings *s) {
    return (tl_translate_options){.beam = s->beam,
                                  .nbest = s->nbest,
                                  .length_penalty = s->length_penalty,
                                  .replace_unknown = s->replace_unknown,
                                  .no_repeat_ngram = s->no_repeat_ngram,
                                  .sample = s->sample,
                                  .temperature = s->temperature,
                                  .top_k = s->top_k,
                                  .top_p = s->top_p,
                                  .seed = s->seed,
                                  .prefixes = s->prefix_column,
                                  .align = s->alignment != NULL,
                                  .align_heads = s->alignment && !strcmp(s->alignment, "all-heads"),
                                  .align_layer = s->alignment_layer,
                                  .batch_tokens = s->batch_tokens};
}

int check_decoding(const settings *s, const char *command) {
    if (s->alignment && s->replace_unknown)
        return usage_with(command,
                          "--alignment is of the words that the model wrote: leave --replace-unknown out");
    if (s->alignment_layer && !s->alignment)
        return usage_with(command, "--alignment-layer: give --alignment hard, soft or all-heads too");
    if (!s->sample && (s->temperature > 0 || s->top_k || s->top_p > 0 || s->seed))
        return usage_with(command,
                          "--temperature, --top-k, --top-p and --seed are for samples: give --sample too");
    if (s->top_p > 1) return usage_with(command, "--top-p: a share of the probability is at most 1");
    return 0;
}
