/* The commands' options: the library's rows of a run's settings, and the program's own. */
#include "program.h"

/* clang-format off */
const tl_option train_options[] = {
    TL_OPTION_HEADING("data: files, or sentences made here"),
    RUN_ROWS(tl_classify_data_options),
    TL_OPTION_HEADING("the run"),
    OUT_ROWS,
    TL_OPTION_HEADING("text"),
    RUN_ROWS(tl_classify_text_options),
    TL_OPTION_HEADING("model"),
    RUN_ROWS(tl_classify_model_options),
    TL_OPTION_HEADING("a first stage without labels"),
    RUN_ROWS(tl_classify_pretraining_options),
    TL_OPTION_HEADING("training"),
    RUN_ROWS(tl_classify_training_options),
    TL_OPTION_HEADING("validation"),
    RUN_ROWS(tl_classify_validation_options),
    CHECK_ROW,
    COMMON_ROWS,
    TL_OPTIONS_END};

#define BATCH_ROW ROW("batch-tokens", LONG, batch_tokens, "N", "tokens of a batch, padding included (0: 4096)")

const tl_option evaluate_options[] = {
    MODEL_ROWS,
    ROW("test", TEXT, test, "FILE", "labelled texts: label, tab, text (sentences made here need none)"),
    ROW("strict", FLAG, common.run.data.strict, NULL, "refuse a file with bad lines instead of leaving them out"),
    BATCH_ROW,
    CHECK_ROW,
    COMMON_ROWS,
    TL_OPTIONS_END};

const tl_option predict_options[] = {
    MODEL_ROWS,
    ROW("probabilities", FLAG, probabilities, NULL, "all labels, the most likely first: label, tab, probability, tab, label, …"),
    ROW("text", FLAG, text, NULL, "behind them a tab and the text"),
    BATCH_ROW,
    CHECK_ROW,
    COMMON_ROWS,
    TL_OPTIONS_END};

const tl_option info_options[] = {
    ROW("model", TEXT, common.model, "DIR", "a run that train has written"),
    TL_OPTIONS_END};

const tl_option corpus_options[] = {
    ROW("made", TEXT, common.run.data.task, "agreement|number|order|subject",
        "does the verb agree, of which number must it be, are the words in order, whom is the sentence about?"),
    ROW("sentences", LONG, common.run.data.sentences, "N",
        "labelled sentences to train on (0: 2000); 1000 each to validate and test come with them"),
    ROW("unlabelled", LONG, common.run.classify.unlabelled, "N", "sentences without labels (0: none)"),
    ROW("seed", LONG, common.run.training.seed, "N", "another one gives other sentences"),
    ROW("out", TEXT, common.out, "DIR", "where the files go"),
    TL_OPTIONS_END};

const tl_option demo_options[] = {
    ROW("out", TEXT, common.out, "DIR", "where the run goes"),
    ROW("overwrite", FLAG, common.overwrite, NULL, "replace the model that is in --out already, though no demo has made it"),
    ROW("made", TEXT, common.run.data.task, "agreement|number|order|subject", "what is to be told of a sentence"),
    ROW("pretrain", LONG, common.run.classify.pretrain, "N", "updates of the first stage (0: none)"),
    ROW("steps", LONG, common.run.training.steps, "N", "updates of the second (0: 10 passes over the labelled sentences)"),
    COMMON_ROWS,
    TL_OPTIONS_END};
/* clang-format on */
