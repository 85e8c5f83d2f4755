/* Every function of run.h, train.h and options.h with missing or impossible arguments: NULL, impossible numbers.
 * Nothing crashes. The result is false, NULL or 0, with a sentence if something can keep it. */
#define _XOPEN_SOURCE 700
#include "fixture.h"
#include "nothing.h"

#include <limits.h>

static tl_error error;
static tl_run *run;

static void says(const char *part) {
    assert_contains(error.message, part);
    tl_error_clear(&error);
}
static void run_says(const char *part) {
    assert_contains(tl_run_error(run), part);
    tl_run_clear_error(run);
}

START_TEST(no_function_is_forgotten) {
    every_function_is_called("include/tapeloom/run.h", "tests/run/test_nothing.c");
    every_function_is_called("include/tapeloom/train.h", "tests/run/test_nothing.c");
    every_function_is_called("include/tapeloom/classify.h", "tests/run/test_nothing.c");
    every_function_is_called("include/tapeloom/options.h", "tests/run/test_nothing.c");
}
END_TEST

START_TEST(no_run) {
    tl_training_end end;
    tl_training_state state;
    ck_assert_ptr_null(tl_run_open(NULL, NULL, &error));
    says("a run's folder has no name");
    ck_assert(!tl_run_open("", NULL, NULL) && !tl_run_open("nowhere", NULL, NULL));
    ck_assert_ptr_null(tl_run_open(OLD_RUN, &(tl_run_choice){.weights = "none such"}, &error));
    says("none such");
    ck_assert_ptr_null(tl_run_fresh(NULL, &error));
    ck_assert(tl_failed(&error)); /* translate's usual settings have no sentences */
    tl_error_clear(&error);
    tl_run_act(NULL, NULL, NULL);
    void *context = &end;
    ck_assert(!tl_run_what_acts(NULL, &context) && !context && !tl_run_what_acts(NULL, NULL));
    tl_run_free(NULL);
    ck_assert_ptr_nonnull(tl_run_error(NULL));
    tl_run_clear_error(NULL), tl_run_tell(NULL, NULL), tl_run_share_with(NULL, NULL);
    ck_assert(!tl_run_dir(NULL) && !tl_run_settings_of(NULL) && !tl_run_vocab(NULL, TL_SOURCE));
    ck_assert(!tl_run_bpe(NULL) && !tl_run_params(NULL) && !tl_run_tape(NULL) && !tl_run_model(NULL));
    ck_assert(!tl_run_transformer(NULL) && !tl_run_seq2seq(NULL) && !tl_run_cut(NULL, TL_SOURCE, "a"));
    ck_assert(!tl_run_join(NULL, TL_SOURCE, "a") && !tl_run_encode(NULL, NULL));
    ck_assert(!tl_run_batch(NULL, NULL, NULL, 0, NULL) && !tl_ok(tl_run_loss(NULL, NULL, NULL)));
    ck_assert(!tl_run_search(NULL, NULL, NULL, NULL) && !tl_run_translate_line(NULL, "a"));
    ck_assert(tl_run_tell_unknown(NULL, NULL) == 0 && !tl_run_translate(NULL, NULL, NULL, NULL));
    ck_assert(!tl_run_evaluate(NULL, NULL, NULL, NULL, NULL, NULL) && !tl_run_state(NULL, &state));
    ck_assert_int_eq(tl_run_train(NULL, false, &end), TL_FAILED);
    ck_assert(!tl_pretokenize_of(NULL, TL_SOURCE) && !tl_units_of(NULL, TL_TARGET));
    ck_assert(!tl_run_settings_complete(NULL, &error));
    says("there are no settings");
    ck_assert(tl_run_options_of(NULL) == tl_run_options && !tl_run_options_of("weave"));
    ck_assert(!tl_run_program_name(NULL) && !tl_run_score_label(NULL));
    tl_run_settings odd = tl_run_settings_of_program("weave");
    ck_assert(!tl_run_settings_complete(&odd, &error));
    says("there is no program \"weave\" that makes runs");
    run = tl_run_new(NULL, NULL);
    ck_assert_int_eq(tl_run_train(run, true, NULL), TL_FAILED);
    run_says("a run's folder has no name");
    tl_run_free(run);
    tl_translations_free(NULL);
    tl_alignment a;
    tl_scores s;
    ck_assert(!tl_run_align(NULL, "a", "b", (tl_tensor){0}, &a) && !tl_run_score(NULL, NULL, 0, &s));
    ck_assert_int_eq(tl_run_tell_unknown_of(NULL, NULL, TL_TARGET), 0);
    ck_assert_int_eq(tl_alignment_links(NULL, NULL), 0);
    tl_alignment_free(NULL), tl_scores_free(NULL);
}
END_TEST

START_TEST(no_sentences) {
    const tl_run_settings made = small_settings(), usual = tl_run_settings_default();
    ck_assert_ptr_null(tl_pairs_read(NULL, NULL, NULL, false, NULL, &error));
    says("sentence pairs: give a TSV, or two files");
    ck_assert_ptr_null(tl_pairs_read(NULL, "README.md", NULL, false, NULL, &error));
    says("sentence pairs: give a TSV, or two files");
    ck_assert_ptr_null(tl_pairs_read(NULL, NULL, "README.md", true, NULL, NULL));
    ck_assert_ptr_null(tl_pairs_of(NULL, TL_PART_TRAIN, NULL, &error));
    says("sentence pairs: there are no settings");
    ck_assert_ptr_null(tl_pairs_of(&made, (tl_part)5, NULL, &error));
    says("sentence pairs: there is no part number 5");
    ck_assert_ptr_null(tl_pairs_of(&made, (tl_part)-1, NULL, NULL));
    const tl_run_settings none = {.program = NULL};
    ck_assert_ptr_null(tl_pairs_of(&none, TL_PART_VALID, NULL, &error));
    says("sentence pairs: give a TSV, or two files");
    ck_assert_ptr_null(tl_pairs_of(&usual, TL_PART_TEST, NULL, &error));
    says("sentence pairs: give a TSV, or two files");
    char word[8] = "before";
    ck_assert_ptr_null(tl_shell_word("a", NULL, 8));
    ck_assert_str_eq(tl_shell_word(NULL, word, sizeof word), "");
    strcpy(word, "before");
    ck_assert_str_eq(tl_shell_word("a", word, 7), "");
    strcpy(word, "before");
    ck_assert_str_eq(tl_shell_word("a", word, 0), "before");
}
END_TEST

START_TEST(no_classifier) {
    const tl_run_settings usual = tl_run_settings_of_program("classify");
    tl_run_settings made = usual;
    made.data.task = "order";
    tl_classes c;
    tl_quality q;
    tl_confusion t;
    ck_assert_ptr_null(tl_labelled_read(NULL, false, NULL, &error));
    says("labelled texts: give a file of label, tab, text");
    ck_assert_ptr_null(tl_labelled_read("nowhere", true, NULL, NULL));
    ck_assert_ptr_null(tl_labelled_of(NULL, TL_LABELLED_TRAIN, NULL, &error));
    says("labelled texts: there are no settings");
    ck_assert_ptr_null(tl_labelled_of(&made, (tl_labelled_part)4, NULL, &error));
    says("labelled texts: there is no part number 4");
    ck_assert_ptr_null(tl_labelled_of(&usual, TL_LABELLED_VALID, NULL, &error));
    says("labelled texts: give a file");
    ck_assert_ptr_null(tl_labelled_of(&usual, TL_LABELLED_TEST, NULL, NULL));
    ck_assert_ptr_null(tl_labelled_of(&made, TL_UNLABELLED, NULL, &error));
    says("labelled texts: the settings name none without labels");
    ck_assert(!tl_run_labels(NULL) && !tl_run_classifier(NULL) && !tl_run_classify(NULL, NULL, 0, &c));
    ck_assert(!tl_run_evaluate_labels(NULL, NULL, NULL, 0, &q, &t) && !t.count);
    ck_assert(isnan(tl_class_score_of(NULL, 0).f1));
    tl_classes_free(NULL), tl_confusion_free(NULL);
    run = open_old(); /* a translator's */
    tl_corpus *lines = tl_corpus_new();
    ck_assert(!tl_run_labels(run) && !tl_run_classifier(run) && !tl_run_classify(run, lines, 0, &c));
    run_says("is none of a classifier: give one that classify has trained");
    ck_assert(!tl_run_evaluate_labels(run, lines, NULL, 0, &q, NULL));
    run_says("is none of a classifier");
    tl_corpus_free(lines);
    tl_run_free(run);
}
END_TEST

START_TEST(a_run_that_is_asked_for_nothing) {
    run = open_old();
    const char *const line[] = {"a", NULL};
    tl_batch batch;
    tl_search_result found;
    tl_translations t;
    tl_quality q;
    tl_corpus *lines = tl_corpus_new(), *plain = tl_corpus_new();
    ck_assert(tl_corpus_add(lines, "1 2", "1 2") && tl_corpus_add(plain, "1", "1"));
    tl_corpus *encoded = tl_run_encode(run, lines);
    ck_assert_ptr_nonnull(encoded);
    ck_assert_ptr_null(tl_run_cut(run, TL_SOURCE, NULL));
    run_says("run: a line is NULL, and should be there");
    ck_assert_ptr_null(tl_run_join(run, TL_TARGET, NULL));
    run_says("run: a line is NULL");
    ck_assert_ptr_null(tl_run_encode(run, NULL));
    run_says("run: a corpus is NULL");
    ck_assert_ptr_null(tl_run_translate_line(run, NULL));
    run_says("run: a line is NULL");
    ck_assert(!tl_run_batch(run, NULL, NULL, 1, &batch));
    run_says("a batch of 0 lines: give at least one");
    ck_assert(!tl_run_batch(run, line, NULL, 1, NULL));
    run_says("and a tl_batch to fill");
    ck_assert(!tl_run_batch(run, line, NULL, 0, &batch));
    run_says("a batch of 0 lines");
    ck_assert(!tl_run_batch(run, line, NULL, LONG_MIN, &batch));
    run_says("a batch of -9223372036854775808 lines");
    ck_assert(!tl_run_batch(run, line, NULL, 2, &batch));
    run_says("line 2 of a batch is NULL");
    ck_assert(!tl_run_batch(run, line, line + 1, 1, &batch));
    run_says("line 1 of a batch is NULL");
    ck_assert(!tl_ok(tl_run_loss(run, NULL, NULL)));
    run_says("run: the batch is NULL");
    ck_assert(!tl_run_search(run, NULL, NULL, &found));
    run_says("run: the batch is NULL");
    ck_assert(tl_run_batch(run, line, NULL, 1, &batch) && !tl_run_search(run, &batch, NULL, NULL));
    run_says("run: the place for what is found is NULL");
    const long beams[] = {-1, LONG_MIN, LONG_MAX, TL_BEAM_MOST + 1};
    for (int i = 0; i < 4; i++) {
        ck_assert(!tl_run_search(run, &batch, &(tl_translate_options){.beam = beams[i]}, &found));
        run_says("a beam of ");
        ck_assert(!tl_run_translate(run, encoded, &(tl_translate_options){.beam = beams[i]}, &t));
        run_says("a beam of ");
    }
    ck_assert(!tl_run_translate(run, NULL, NULL, &t) && !t.text);
    run_says("run: the corpus is NULL");
    ck_assert(!tl_run_translate(run, encoded, NULL, NULL));
    run_says("run: the place for translations is NULL");
    ck_assert(!tl_run_translate(run, plain, NULL, &t) && !t.text);
    run_says("found a corpus without ids");
    ck_assert(!tl_run_translate(run, encoded, &(tl_translate_options){.batch_tokens = -1}, &t));
    run_says("found tokens -1");
    ck_assert(!tl_run_evaluate(run, NULL, NULL, NULL, &q, &t));
    run_says("run: the corpus is NULL");
    ck_assert(!tl_run_evaluate(run, lines, NULL, NULL, NULL, NULL));
    run_says("run: the place for the quality is NULL");
    ck_assert(!tl_run_state(run, NULL));
    run_says("the state of a training: give a folder, and a place to put it");
    ck_assert_int_eq(tl_run_tell_unknown(run, NULL), 0);
    ck_assert_int_eq(tl_run_tell_unknown_of(run, NULL, TL_TARGET), 0);
    tl_scores scores;
    ck_assert(!tl_run_score(run, NULL, 0, &scores));
    run_says("run: the corpus is NULL");
    ck_assert(!tl_run_score(run, encoded, 0, NULL));
    run_says("run: the place for scores is NULL");
    ck_assert(!tl_run_score(run, plain, 0, &scores) && !scores.sum);
    run_says("found a corpus without ids");
    ck_assert(!tl_run_score(run, encoded, -1, &scores) && !scores.sum);
    run_says("found tokens -1");
    ck_assert(!tl_run_align(run, "a", "b", (tl_tensor){0}, NULL));
    run_says("run: the place for an alignment is NULL");
    ck_assert(!tl_run_error(run));
    tl_corpus_free(lines), tl_corpus_free(plain), tl_corpus_free(encoded);
    tl_run_free(run);
}
END_TEST

START_TEST(no_training) {
    tl_training_state state;
    tl_training_end end;
    ck_assert_int_eq(tl_train(NULL, NULL, NULL), TL_FAILED);
    ck_assert_int_eq(tl_train(&(tl_train_config){0}, &end, &error), TL_FAILED);
    says("training: a folder, parameters, a tape, settings and a task are needed");
    ck_assert(!tl_training_state_read(NULL, NULL, &state, &error));
    says("the state of a training: give a folder");
    ck_assert(!tl_training_state_read("src", NULL, NULL, NULL));
    ck_assert(!tl_training_state_read("src", NULL, &state, &error) && !tl_failed(&error));
}
END_TEST

START_TEST(no_options) {
    long number = 3;
    bool help = false;
    char *words[] = {(char[]){"--n=4"}, NULL};
    const tl_option rows[] = {{"n", TL_OPTION_LONG, 0, "N", "a number", false, NULL, false}, TL_OPTIONS_END};
    tl_config *config = tl_config_new();
    ck_assert(!tl_options_parse(rows, NULL, 1, words, &help, &error));
    says("options: the struct, the words or the place for --help are NULL");
    ck_assert(!tl_options_parse(rows, &number, 1, NULL, &help, NULL));
    ck_assert(!tl_options_parse(rows, &number, 1, words, NULL, NULL));
    ck_assert(!tl_options_parse(rows, &number, 2, words, &help, &error) && number == 4);
    says("options: word 1 of 2 is NULL");
    ck_assert(!tl_options_parse(NULL, &number, 1, words, &help, &error));
    says("there is no option \"--n=4\" here");
    ck_assert(!tl_options_check(rows, NULL, &error) && tl_options_check(NULL, &number, NULL));
    says("options: the struct is NULL");
    ck_assert(!tl_options_named(NULL, "--n") && !tl_options_named(rows, NULL));
    tl_options_print(NULL, &number, stdout), tl_options_print(rows, NULL, stdout);
    tl_options_print(rows, &number, NULL);
    tl_options_write(NULL, &number, config), tl_options_write(rows, NULL, config);
    tl_options_write(rows, &number, NULL);
    ck_assert(!tl_options_read(rows, NULL, config, "a", "b", &error));
    says("options: the struct, the configuration or who they are of is NULL");
    ck_assert(!tl_options_read(rows, &number, NULL, "a", "b", NULL));
    ck_assert(!tl_options_read(rows, &number, config, NULL, "b", NULL));
    ck_assert(!tl_options_read(rows, &number, config, "a", NULL, NULL));
    ck_assert(tl_options_read(NULL, &number, config, "a", "b", NULL) && number == 4);
    tl_config_free(config);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, no_options);
    tcase_add_test(tc, no_function_is_forgotten);
    tcase_add_test(tc, no_run);
    tcase_add_test(tc, no_sentences);
    tcase_add_test(tc, no_classifier);
    tcase_add_test(tc, a_run_that_is_asked_for_nothing);
    tcase_add_test(tc, no_training);
}
TL_TEST_MAIN("run: nothing")
