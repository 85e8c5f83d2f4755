/* An opened run: its parts, text, batches, losses, translations and scores; folders that are no run; errors that are
 * kept; NULL everywhere. */
#define _XOPEN_SOURCE 700
#include "fixture.h"
#include "run/unknown.h"

#define LINE "the dog sleeps in the garden ."

/* ---- parts ---- */

START_TEST(consists) {
    tl_run *run = open_old();
    const tl_run_settings *s = tl_run_settings_of(run);
    ck_assert_str_eq(tl_run_dir(run), OLD_RUN);
    ck_assert(s->model.d_model == 12 && s->model.heads == 2 && s->model.layers == 1 && s->model.d_ff == 16);
    ck_assert(s->training.steps == 12 && s->training.batch_tokens == 64 && s->validation.average == 2);
    ck_assert_str_eq(tl_units_of(s, TL_TARGET), "bpe");
    ck_assert_str_eq(tl_pretokenize_of(s, TL_SOURCE), "words");
    const tl_model *model = tl_run_model(run);
    ck_assert(model == &tl_run_transformer(run)->model && model->params == tl_run_params(run));
    ck_assert_int_eq(model->src_vocab, tl_vocab_size(tl_run_vocab(run, TL_SOURCE)));
    ck_assert_int_eq(model->tgt_vocab, tl_vocab_size(tl_run_vocab(run, TL_TARGET)));
    ck_assert_int_gt(tl_bpe_merges(tl_run_bpe(run)), 10);
    ck_assert_int_gt(tl_params_numel(tl_run_params(run)), 1000);
    ck_assert(tl_tape_matmul_precision(tl_run_tape(run)) == TL_HIGHEST);
    tl_training_state state;
    ck_assert(tl_run_state(run, &state));
    ck_assert(state.step == 12 && state.validations == 3 && state.best_loss > 0);
    assert_run_ok(run);
    tl_run_free(run);
}
END_TEST

/* The weights that were asked for, and no others. */
START_TEST(weights) {
    static const char *const names[][2] = {{NULL, "model"}, {"last", "last"}, {"average", "average"}};
    tl_error error = {""};
    for (int i = 0; i < 3; i++) {
        char path[64];
        tl_run *run = tl_run_open(OLD_RUN, &(tl_run_choice){.weights = names[i][0]}, &error);
        ck_assert_msg(run != NULL, "%s", error.message);
        const tl_param *p = tl_params_at(tl_run_params(run), 0);
        tl_tensor t = tl_param_value(p);
        tl_real *own = malloc(sizeof *own * (size_t)tl_numel(t));
        snprintf(path, sizeof path, OLD_RUN "/%s.safetensors", names[i][1]);
        tl_safetensors *file = tl_safetensors_open(path, &error);
        ck_assert(tl_safetensors_read(file, p->leaf.name, tl_tensor_of(own, tl_shape_of(t)), &error));
        ck_assert_int_eq(memcmp(own, t.data, sizeof *own * (size_t)tl_numel(t)), 0);
        tl_safetensors_close(file);
        free(own);
        tl_run_free(run);
    }
    tl_run *none = tl_run_open(OLD_RUN, &(tl_run_choice){.weights = "none"}, &error);
    ck_assert(none && tl_params_empty(tl_run_params(none)));
    tl_run_free(none);
    ck_assert_ptr_null(tl_run_open(OLD_RUN, &(tl_run_choice){.weights = "worst"}, &error));
    ck_assert_str_eq(error.message,
                     "there are no weights \"worst\": say best, last, average, initial or none");
}
END_TEST

/* ---- text and batches ---- */

START_TEST(cuts_and_joins) {
    tl_run *run = open_old();
    for (int side = TL_SOURCE; side <= TL_TARGET; side++) {
        char *tokens = tl_run_cut(run, (tl_side)side, "The dog, asleep?"), *line;
        ck_assert_msg(tokens && strstr(tokens, "@@ ") && strstr(tokens, " ￭,"), "%s", tokens);
        line = tl_run_join(run, (tl_side)side, tokens);
        ck_assert_str_eq(line, "The dog, asleep?");
        free(tokens);
        free(line);
    }
    assert_run_ok(run);
    tl_run_free(run);
}
END_TEST

/* A row's ids are those of its tokens, then <eos>. */
static void assert_row(const tl_run *run, tl_side side, const char *tokens, const int *row, int length) {
    int ids[256];
    long count = tl_vocab_encode(tl_run_vocab(run, side), tokens, ids, 255);
    ids[count] = TL_EOS;
    ck_assert_int_eq(length, count + 1);
    ck_assert_int_eq(memcmp(ids, row, sizeof *ids * (size_t)length), 0);
}

START_TEST(batches) {
    const char *const sources[] = {"a much longer line than the others are, is it ?", LINE, ""},
                      *const targets[] = {"Der Hund schläft.", "x", "noch einer"};
    tl_run *run = open_old();
    tl_batch b;
    for (int with = 0; with < 2; with++) {
        ck_assert(tl_run_batch(run, sources, with ? targets : NULL, 3, &b));
        ck_assert(b.sentences == 3 && b.pad == TL_PAD && (with || b.tgt_len == 1));
        for (long i = 0; i < 3; i++) { /* in their order, whatever their length */
            char *source = tl_run_cut(run, TL_SOURCE, sources[i]),
                 *target = tl_run_cut(run, TL_TARGET, with ? targets[i] : "");
            assert_row(run, TL_SOURCE, source, b.src + i * b.src_len, b.src_lengths[i]);
            assert_row(run, TL_TARGET, target, b.tgt_out + i * b.tgt_len, b.tgt_lengths[i]);
            ck_assert_int_eq(b.tgt_in[i * b.tgt_len], TL_BOS);
            free(source);
            free(target);
        }
    }
    assert_run_ok(run);
    tl_run_free(run);
}
END_TEST

/* A batch's loss is the model's, maps are filled, and dL/dP is there. */
START_TEST(losses) {
    const char *const source = LINE, *const target = "Der Hund schläft im Garten .";
    tl_run *run = open_old();
    tl_tape *tape = tl_run_tape(run);
    tl_batch b;
    ck_assert(tl_run_batch(run, &source, &target, 1, &b));
    double alone = tl_item(tl_value(tl_model_loss(tl_run_model(run), tape, &b, NULL, NULL, NULL)));
    tl_tape_reset(tape);
    tl_model_maps maps = tl_model_maps_new(tl_run_model(run), tape, true);
    tl_var loss = tl_run_loss(run, &b, &maps);
    ck_assert(tl_item(tl_value(loss)) == alone && alone > 0);
    ck_assert_msg(tl_backward(loss), "%s", tl_run_error(run));
    tl_shape shape = tl_shape_of(tl_grad(maps.cross[0].probs));
    ck_assert(tl_shape_equal(shape, TL_SHAPE(1, 2, b.tgt_len, b.src_len)));
    ck_assert(tl_tensor_norm(tl_grad(maps.cross[0].probs)) > 0);
    assert_run_ok(run);
    tl_run_free(run);
}
END_TEST

/* ---- translations ---- */

static tl_corpus *lines_of(const char *const *lines, long count) {
    tl_corpus *corpus = tl_corpus_new();
    for (long i = 0; i < count; i++) tl_corpus_add(corpus, lines[i], "");
    return corpus;
}

/* A line alone, in a corpus, and by a search of the caller's: the same translation, and the one that was learnt. */
START_TEST(translates) {
    const char *const lines[] = {"the black cat eats", "", "the dog sleeps", "the cat eats"},
                      *const known[] = {"le chat noir mange", "", "le chien dort", "le chat mange"};
    scratch s = scratch_new();
    tl_run *run = train_well(&s);
    tl_corpus *corpus = lines_of(lines, 4), *encoded = tl_run_encode(run, corpus), *empty = tl_corpus_new();
    tl_translations t = {0};
    ck_assert(tl_run_translate(run, encoded, &(tl_translate_options){.beam = 1, .batch_tokens = 8}, &t));
    ck_assert(t.count == 4 && t.nbest == 1);
    for (int i = 0; i < 4; i++) {
        char *alone = tl_run_translate_line(run, lines[i]);
        ck_assert_str_eq(alone, known[i]);
        ck_assert_str_eq(t.text[i], known[i]);
        free(alone);
    }
    tl_batch b;
    tl_search_result found;
    tl_tape_reset(tl_run_tape(run));
    ck_assert(tl_run_batch(run, lines, NULL, 1, &b) && tl_run_search(run, &b, NULL, &found));
    ck_assert(found.sentences == 1 && found.nbest == 1 && found.score[0] < 0);
    assert_row(run, TL_TARGET, known[0], found.ids, found.lengths[0] + 1);
    tl_translations_free(&t);

    tl_translate_options beam = {.beam = 3, .nbest = true, .length_penalty = 1};
    ck_assert(tl_run_translate(run, encoded, &beam, &t) && t.nbest == 3);
    ck_assert_str_eq(t.text[0], known[0]);
    ck_assert(t.score[0] > t.score[1] && t.score[1] >= t.score[2] && t.text[1]);
    ck_assert_str_eq(t.text[3], "");
    ck_assert(!t.text[3 + 1] && t.score[3] == 0);
    tl_translations_free(&t);
    ck_assert(tl_run_translate(run, empty, NULL, &t) && t.count == 0);
    tl_translations_free(&t);
    tl_corpus_free(empty);
    tl_corpus_free(corpus);
    tl_corpus_free(encoded);
    assert_run_ok(run);
    tl_run_free(run);
    scratch_remove(&s);
}
END_TEST

/* Each <unk> becomes the word that the heads attend to most, on average; the same word at once again, no second one. */
START_TEST(replaces_unknown) {
    scratch s = scratch_new();
    tl_run *run = train_well(&s);
    const tl_vocab *v = tl_run_vocab(run, TL_TARGET);
    const int ids[] = {TL_BOS, TL_UNK, tl_vocab_id(v, "chien"), TL_UNK, TL_UNK, TL_UNK};
    tl_real weights[] = {1,      0, 0, 0, /**/ 0,   .9f, .1f, 0, /**/ 1, 0, 0, 0, /**/ 0,   0,   .6f, .4f,
                         0,      0, 0, 1, /**/ .5f, .5f, 0,   0, 1,      0, 0, 0, /**/ .2f, .2f, .3f, .3f,
                         /**/ 1, 0, 0, 0, /**/ 0,   0,   0,   1, 0,      0, 0, 1, /**/ .5f, .5f, 0,   0};
    tl_said said = {.ids = ids,
                    .length = 6,
                    .cross = tl_tensor_of(weights, TL_SHAPE(2, 6, 4)),
                    .source = "the grey dog sleeps"};
    char *tokens = tl_run_replace_unknown(run, &said);
    ck_assert_str_eq(tokens, "grey chien sleeps the");
    free(tokens);
    said.source = ""; /* no word to take */
    tokens = tl_run_replace_unknown(run, &said);
    ck_assert_str_eq(tokens, "<unk> chien <unk> <unk> <unk>");
    free(tokens);
    /* in a translation */
    const char *const lines[] = {"the grey dog sleeps"};
    tl_corpus *corpus = lines_of(lines, 1), *encoded = tl_run_encode(run, corpus);
    tl_translations t = {0};
    ck_assert(tl_run_translate(run, encoded, &(tl_translate_options){.replace_unknown = true}, &t));
    ck_assert_ptr_null(strstr(t.text[0], "<unk>"));
    tl_translations_free(&t);
    tl_corpus_free(corpus);
    tl_corpus_free(encoded);
    assert_run_ok(run);
    tl_run_free(run);
    scratch_remove(&s);
}
END_TEST

/* Both sides in files of their own: trained on, refused if a line is too long or has no partner, and missed later. */
START_TEST(text_in_two_files) {
    scratch s = quiet_scratch();
    const char *source = scratch_path(&s, "a.txt"), *target = scratch_path(&s, "b.txt"),
               *dir = scratch_path(&s, "run");
    put_text(source, "the dog sleeps\nthe black cat eats\n");
    put_text(target, "le chien dort\nle chat noir mange\n");
    tl_run_settings settings = small_settings();
    settings.data = (tl_data_settings){
        .train_src = source, .train_tgt = target, .valid_src = source, .valid_tgt = target, .strict = true};
    settings.text.units = "words";
    settings.text.min_count = 1;
    settings.data.max_length = 3;
    tl_run *run = tl_run_new(dir, &settings);
    ck_assert_int_eq(tl_run_train(run, true, NULL), TL_FAILED);
    assert_contains(tl_run_error(run),
                    ":2: more than 3 tokens on one side: shorten it, or raise --max-length");
    tl_run_free(run);
    settings.data.max_length = 0;
    run = tl_run_new(dir, &settings);
    ck_assert_msg(tl_run_train(run, true, NULL) == TL_ENDED, "%s", tl_run_error(run));
    tl_run_free(run);
    remove(target);
    tl_error error = {""};
    run = tl_run_open(dir, NULL, &error);
    ck_assert_msg(run != NULL, "%s", error.message);
    ck_assert_int_eq(tl_run_train(run, false, NULL), TL_FAILED);
    assert_contains(tl_run_error(run), "b.txt");
    assert_contains(tl_run_error(run),
                    "; or go on from the folder where training was started, or say anew where ");
    tl_run_free(run);
    put_text(target, "le chien dort\n");
    run = tl_run_new(dir, &settings);
    ck_assert_int_eq(tl_run_train(run, true, NULL), TL_FAILED);
    assert_contains(tl_run_error(run), "b.txt");
    tl_run_free(run);
    scratch_remove(&s);
}
END_TEST

/* When a loss or a gradient is not finite, the error says which batch it was, in the words of the program. */
START_TEST(names_the_batch_that_went_wrong) {
    static const struct {
        const char *program, *said;
    } cases[] = {{"translate", "; a batch of 1 sentence, number "},
                 {"lm", "; batch 2 of epoch 1, 4 windows; what went wrong first: node "},
                 {"classify", "; a batch of 1 sentence, number "},
                 {"caption", "; batch 2 of epoch 1, 4 pictures, of which the first is number "}};
    scratch s = quiet_scratch();
    tl_run_settings settings = tl_run_settings_of_program(cases[_i].program);
    if (_i == 0) settings = small_settings();
    if (_i == 1) settings.data.train = settings.data.valid = "tests/golden/pairs.tsv";
    if (_i == 2) settings.data.task = "agreement";
    settings.model.d_model = 8;
    settings.model.heads = 2;
    settings.model.layers = 1;
    settings.lm.context = settings.lm.batch = settings.caption.batch = 4;
    settings.caption.pictures = settings.data.sentences = 60;
    settings.caption.encoder_layers = settings.caption.decoder_layers = 1;
    settings.training.batch_tokens = 1;
    settings.training.lr = sizeof(tl_real) == 4 ? 1e30 : 1e200;
    settings.training.warmup = 1;
    settings.training.steps = 5;
    tl_run *run = tl_run_new(scratch_path(&s, "run"), &settings);
    ck_assert_int_eq(tl_run_train(run, true, NULL), TL_FAILED);
    assert_contains(tl_run_error(run), "step 2: the loss is not a number; ");
    assert_contains(tl_run_error(run), cases[_i].said);
    tl_run_free(run);
    scratch_remove(&s);
}
END_TEST

START_TEST(evaluates) {
    scratch s = scratch_new();
    tl_run *run = train_well(&s);
    tl_error error = {""};
    tl_corpus *pairs = tl_pairs_read(scratch_path(&s, "pairs.tsv"), NULL, NULL, true, NULL, &error);
    ck_assert_msg(pairs != NULL, "%s", error.message);
    tl_quality q, again;
    tl_translations t = {0};
    ck_assert(tl_run_evaluate(run, pairs, "pairs", NULL, &q, &t));
    ck_assert(q.sentences == 6 && t.count == 6 && q.exact == 6 && q.accuracy == 1);
    ck_assert(fabs(q.score - 100) < 1e-9 && q.score == q.bleu.score && q.loss > 0 && q.loss < 0.7);
    ck_assert_msg(!strncmp(q.chrf, "chrF2|", 6), "%s", q.chrf);
    ck_assert(q.bleu.config.tokens == TL_BLEU_13A);
    tl_run_settings_of(run)->validation.tokenize = "char";
    tl_corpus_add(pairs, "the dog eats", "un autre");
    ck_assert(tl_run_evaluate(run, pairs, NULL, NULL, &again, NULL));
    ck_assert(again.bleu.config.tokens == TL_BLEU_CHAR && again.sentences == 7 && again.exact == 6);
    ck_assert(again.score < 100 && again.loss > q.loss && again.accuracy < 1);
    tl_translations_free(&t);
    tl_corpus_free(pairs);
    tl_run_free(run);
    scratch_remove(&s);
}
END_TEST

/* ---- folders that are no run ---- */

/* A copy of the old run, damaged by a shell command, and the end of the error that opening gives. */
START_TEST(malformed_folders) {
    static const char *const cases[][2] = {
        {"rm config.txt", "/run/config.txt: No such file or directory; check the path"},
        {": > config.txt", ""},
        {"echo nonsense > config.txt",
         "/run/config.txt line 1: expected key = value, found \"nonsense\"; add the '='"},
        {"echo 'average = 101' >> config.txt", ""},
        {"sed -i.old 's/^average = .*/average = 101/' config.txt",
         "/run/config.txt: --average 101: at most 100 are possible"},
        {"sed -i.old 's/^heads = .*/heads = 5/' config.txt",
         "/run/config.txt: --d-model 12 does not split into --heads 5: choose heads that divide it"},
        {"sed -i.old 's/^layers = .*/layer = 1/' config.txt",
         "there is no setting \"layer\"; correct the line, or use the version of translate that wrote it"},
        {"rm codes.txt", "/run/codes.txt: No such file or directory; check the path"},
        {"rm vocab.tgt.txt", "/run/vocab.tgt.txt: No such file or directory; check the path"},
        {"echo x >> vocab.src.txt", ""},
        {"rm model.safetensors", "/run/model.safetensors is not there: training has not come to its first "
                                 "validation; go on with train --resume"},
        {"head -c 100 model.safetensors > x; mv x model.safetensors", ""},
        {"cp checkpoint.safetensors model.safetensors", ""},
    };
    scratch s = scratch_new();
    setenv("D", s.folder, 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char command[1024], folder[512];
        tl_error error = {""};
        snprintf(folder, sizeof folder, "%s/run", s.folder);
        snprintf(command, sizeof command,
                 "rm -rf $D/run; cp -R " OLD_RUN " $D/run && chmod -R u+w $D/run && cd $D/run && %s",
                 cases[i][0]);
        ck_assert_int_eq(system(command), 0);
        tl_run *run = tl_run_open(folder, NULL, &error);
        const size_t all = strlen(error.message), end = strlen(cases[i][1]);
        ck_assert_msg(!run && all > 20 && all >= end && !strcmp(error.message + all - end, cases[i][1]),
                      "%s: \"%s\"", cases[i][0], error.message);
        ck_assert_ptr_null(strchr(error.message, '\n'));
    }
    scratch_remove(&s);
}
END_TEST

/* ---- errors ---- */

START_TEST(errors_stick) {
    tl_run *run = open_old();
    char *line = malloc(5000), *said;
    for (int i = 0; i < 2499; i++) memcpy(line + 2 * i, "x ", 3);
    ck_assert_ptr_null(tl_run_translate_line(run, line));
    ck_assert_msg(tl_run_error(run) && strstr(tl_run_error(run), "and a model reads at most 1023"), "%s",
                  tl_run_error(run));
    ck_assert_ptr_null(tl_run_translate_line(run, LINE)); /* nothing works until the error is cleared */
    ck_assert_ptr_null(tl_run_cut(run, TL_SOURCE, LINE));
    tl_corpus *pairs = tl_corpus_new();
    tl_quality q;
    tl_translations t;
    memset(&t, 0x55, sizeof t); /* the former contents are not freed */
    ck_assert(!tl_run_evaluate(run, pairs, NULL, NULL, &q, &t) && t.count == 0 && !t.text);
    tl_run_clear_error(run);
    assert_run_ok(run);
    memset(&t, 0x55, sizeof t);
    ck_assert(!tl_run_evaluate(run, pairs, NULL, NULL, &q, &t) && t.count == 0 && !t.text); /* no pairs */
    tl_run_clear_error(run);
    tl_corpus_free(pairs);
    said = tl_run_translate_line(run, LINE);
    ck_assert_ptr_nonnull(said);
    free(said);

    const char *const texts[] = {LINE, NULL}, *const longer[] = {LINE, line};
    tl_batch b;
    ck_assert(!tl_run_batch(run, texts, NULL, 2, &b));
    ck_assert_str_eq(tl_run_error(run), "line 2 of a batch is NULL: give a text");
    tl_run_clear_error(run);
    ck_assert(!tl_run_batch(run, texts, longer, 2, &b));
    tl_run_clear_error(run);
    ck_assert(!tl_run_batch(run, (const char *const[]){LINE, LINE}, longer, 2, &b));
    assert_contains(tl_run_error(run), "the target of pair 2 has ");
    tl_run_clear_error(run);
    ck_assert(!tl_run_batch(run, texts, NULL, 0, &b));
    assert_contains(tl_run_error(run), "give at least one");
    tl_run_clear_error(run);
    ck_assert(tl_run_batch(run, texts, NULL, 1, &b));
    tl_tape_fail(tl_run_tape(run), "said by a test");
    ck_assert_str_eq(tl_run_error(run), "said by a test"); /* the tape's error becomes the run's */
    ck_assert(!tl_ok(tl_run_loss(run, &b, NULL)));
    tl_run_clear_error(run);
    ck_assert(tl_ok(tl_run_loss(run, &b, NULL)));
    free(line);
    tl_run_free(run);
}
END_TEST

/* A run with only settings has neither text nor model. */
START_TEST(not_trained_yet) {
    tl_run_settings s = tl_run_settings_default();
    tl_run *run = tl_run_new("nowhere", &s);
    ck_assert(tl_run_settings_of(run)->model.d_model == 128);
    ck_assert(!tl_run_params(run) && !tl_run_model(run) && !tl_run_tape(run) &&
              !tl_run_vocab(run, TL_SOURCE));
    ck_assert_ptr_null(tl_run_cut(run, TL_SOURCE, LINE));
    ck_assert_str_eq(tl_run_error(run),
                     "the run in nowhere has no merges yet: train it, or open one that is trained");
    tl_run_clear_error(run);
    ck_assert_ptr_null(tl_run_translate_line(run, LINE));
    ck_assert_str_eq(tl_run_error(run),
                     "the run in nowhere has no model yet: train it, or open one that is trained");
    tl_run_free(run);
    s.model.heads = 7;
    run = tl_run_new("nowhere", &s);
    assert_contains(tl_run_error(run), "--d-model 128 does not split into --heads 7");
    tl_run_free(run);
    run = tl_run_new("", NULL);
    assert_contains(tl_run_error(run), "give a path");
    tl_run_free(run);
}
END_TEST

START_TEST(words_for_a_shell) {
    static const char *const cases[][2] = {{"runs/mine", "runs/mine"},
                                           {"", "''"},
                                           {"a b", "'a b'"},
                                           {"it's", "'it'\\''s'"},
                                           {"\xC3\xA4 ", "'\xC3\xA4 '"},
                                           {"\xC3\xA4\x1B'", "$'\xC3\xA4\\033\\''"}}; /* whole characters */
    char word[64];
    for (int i = 0; i < 6; i++) ck_assert_str_eq(tl_shell_word(cases[i][0], word, sizeof word), cases[i][1]);
    ck_assert_uint_lt(strlen(tl_shell_word("''''''''''''''''''''''''''''''''''''''''", word, sizeof word)),
                      64);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, consists);
    tcase_add_test(tc, weights);
    tcase_add_test(tc, cuts_and_joins);
    tcase_add_test(tc, batches);
    tcase_add_test(tc, losses);
    tcase_add_test(tc, translates);
    tcase_add_test(tc, replaces_unknown);
    tcase_add_test(tc, text_in_two_files);
    tcase_add_loop_test(tc, names_the_batch_that_went_wrong, 0, 4);
    tcase_add_test(tc, evaluates);
    tcase_add_test(tc, malformed_folders);
    tcase_add_test(tc, errors_stick);
    tcase_add_test(tc, not_trained_yet);
    tcase_add_test(tc, words_for_a_shell);
}

TL_TEST_MAIN("run: a run that is opened")
