/* Sentences of every program as a batch and as tokens, sets of them, words of tokens, and looks as files. */
#define _XOPEN_SOURCE 700
#include "fresh_runs.h"

#include "io/content.h"
#include "io/scratch.h"

#include "run/lm.h"

#include "tapeloom/op.h"

static tl_var times(tl_var x, const tl_place_at *at, void *context) {
    (void)at;
    return tl_scale(x, *(double *)context);
}

static void read_one(tl_run *run, const char *source, const char *target, tl_sentences *s) {
    must_msg(tl_sentences_of(run, &source, &target, 1, s), "%s", tl_run_error(run));
}

/* "a|b|c" */
static void assert_tokens(const tl_tokens *t, const char *expected) {
    char text[1024] = "";
    for (long i = 0; i < t->count; i++) strcat(strcat(text, i ? "|" : ""), t->text[i]);
    ck_assert_str_eq(text, expected);
}

static void assert_words(const tl_tokens *t, const char *expected) {
    char text[1024] = "", one[32];
    for (long i = 0; i < t->count; i++)
        snprintf(one, sizeof one, "%s%ld", i ? " " : "", t->word[i]), strcat(text, one);
    ck_assert_str_eq(text, expected);
}

/* ---- translate ---- */

START_TEST(a_pair) {
    tl_run *run = fresh_translator(false);
    tl_sentences s;
    tl_batch b;
    const char *source = "the zebra sleeps .", *target = "le chat dort .";
    read_one(run, source, target, &s);
    const tl_sentence *one = &s.sentence[0];
    assert_tokens(&one->src, "the|zebra|sleeps|.|<eos>"); /* as in the line, also if it is <unk> */
    ck_assert_int_eq(one->src.id[1], TL_UNK);
    assert_words(&one->src, "0 1 2 3 -1");
    assert_tokens(&one->read, "<bos>|le|chat|dort|.");
    assert_tokens(&one->written, "le|chat|dort|.|<eos>");
    assert_words(&one->read, "-1 0 1 2 3");
    ck_assert_int_eq(one->written.words, 4);
    ck_assert(!one->own);
    ck_assert_str_eq(one->source, source);
    must(tl_run_batch(run, &source, &target, 1, &b)); /* the same ids as in tl_run_batch */
    ck_assert_int_eq(s.batch.src_len, b.src_len);
    ck_assert_int_eq(s.batch.tgt_len, b.tgt_len);
    ck_assert_mem_eq(s.batch.src, b.src, (size_t)b.src_len * sizeof *b.src);
    ck_assert_mem_eq(s.batch.tgt_in, b.tgt_in, (size_t)b.tgt_len * sizeof *b.tgt_in);
    ck_assert_mem_eq(s.batch.tgt_out, b.tgt_out, (size_t)b.tgt_len * sizeof *b.tgt_out);
    ck_assert(s.batch.tgt_tokens == b.tgt_tokens && s.batch.src_tokens == b.src_tokens &&
              s.batch.pad == b.pad);
    ck_assert_str_eq(s.token(&s, one->written.id[1]), "chat");
    ck_assert_ptr_null(s.token(&s, -1));
    char text[200];
    tl_objective_text(
        &(tl_objective){.kind = TL_OF_LOGIT, .position = 1, .token = -1, .other = one->written.id[0]}, &s,
        text, sizeof text);
    ck_assert_str_eq(
        text, "L = logit of \"chat\" minus logit of \"le\" (word 2); a positive gradient favours the first");
    tl_sentences_free(&s);
    tl_sentences_free(&s);
    tl_run_free(run);
}
END_TEST

START_TEST(its_own_translation) {
    tl_run *run = fresh_translator(false);
    tl_sentences s;
    tl_search_result found;
    tl_batch b;
    const char *sources[] = {"the cat sleeps .", "the small cats do not sleep ."},
               *targets[] = {NULL, "le chat ."};
    must_msg(tl_sentences_of(run, sources, targets, 2, &s), "%s", tl_run_error(run));
    must(s.count == 2 && s.sentence[0].own && !s.sentence[1].own);
    must(tl_run_batch(run, sources, NULL, 1, &b) && tl_run_search(run, &b, NULL, &found));
    const long count = s.sentence[0].written.count;
    for (long t = 0; t < count; t++) {
        must(s.batch.tgt_out[t] == found.ids[t] && s.sentence[0].written.id[t] == found.ids[t]);
        must(s.batch.tgt_in[t] == (t ? found.ids[t - 1] : TL_BOS));
    }
    must(count == found.lengths[0]); /* the untrained model does not write <eos> */
    must(s.batch.tgt_lengths[0] == count && s.batch.tgt_lengths[1] == 4 && s.batch.tgt_tokens == count + 4);
    must(s.batch.src_len == 8 && s.batch.src_lengths[0] == 5 && s.batch.src_lengths[1] == 8 &&
         s.batch.src_tokens == 5 + 8);
    for (long t = 5; t < 8; t++) must(s.batch.src[t] == TL_PAD);
    char *line = tl_run_translate_line(run, sources[0]);
    ck_assert_str_eq(s.sentence[0].target, line);
    free(line);
    /* rows are filled up with ids that are no targets */
    for (long t = 4; t < s.batch.tgt_len; t++)
        must(s.batch.tgt_out[s.batch.tgt_len + t] == TL_PAD && s.batch.tgt_in[s.batch.tgt_len + t] == TL_PAD);
    tl_sentences_free(&s);
    tl_run_free(run);
}
END_TEST

/* From the third position on the stream predicts <eos>. */
static tl_var ending(tl_var x, const tl_place_at *at, void *context) {
    tl_param *rows = context;
    tl_tensor y = tl_tape_tensor(x.tape, tl_shape_of_var(x));
    const long d = y.dim[2];
    for (long i = 0; i < tl_numel(y); i++) y.data[i] = 100 * tl_param_value(rows).data[TL_EOS * d + i % d];
    return at->from < 2 ? x : tl_constant(x.tape, y);
}

/* What acts on the run also acts when the model writes; its <eos> is one of the words that it writes. */
START_TEST(its_own_words_with_what_acts) {
    tl_run *run = fresh_translator(false);
    tl_sentences s;
    tl_places *places = tl_places_new(tl_run_model(run));
    tl_param *rows = tl_params_find(tl_run_params(run), "output.weight");
    if (!rows) rows = tl_params_find(tl_run_params(run), "tgt_embedding.weight");
    if (!rows) rows = tl_params_find(tl_run_params(run), "src_embedding.weight");
    must(tl_places_replace(places, "decoder.layers.0.residual", ending, rows));
    tl_run_act_at(run, places);
    read_one(run, "the cat sleeps .", NULL, &s);
    must(s.sentence[0].written.count == 3 && s.batch.tgt_out[2] == TL_EOS);
    ck_assert_str_eq(s.sentence[0].written.text[2], "<eos>");
    tl_sentences_free(&s);
    tl_places_free(places);
    tl_run_free(run);
    /* a class */
    run = fresh_classifier("transformer");
    const int classes = (int)tl_labels_count(tl_run_labels(run));
    int said[2];
    double factor = 1;
    places = tl_places_new(tl_run_model(run));
    must(tl_places_replace(places, "encoder.layers.0.residual", times, &factor));
    tl_run_act_at(run, places);
    tl_corpus *line = tl_corpus_new();
    tl_corpus_add(line, "the cat sleeps", "");
    for (int i = 0; i < 2; i++) {
        tl_classes all;
        factor = i ? -50 : 50;
        read_one(run, "the cat sleeps", NULL, &s);
        said[i] = s.batch.labels[0];
        must(said[i] >= 0 && said[i] < classes);
        must(tl_tape_set_grad(tl_run_tape(run), true)); /* the tape's mode is unchanged */
        tl_sentences_free(&s);
        must_msg(tl_run_classify(run, line, 0, &all), "%s", tl_run_error(run));
        must(all.said[0] == said[i]);
        tl_classes_free(&all);
    }
    must(said[0] != said[1]);
    tl_corpus_free(line);
    tl_places_free(places);
    tl_run_free(run);
}
END_TEST

START_TEST(pieces_of_words) {
    tl_run *run = fresh_translator(true);
    tl_sentences s;
    tl_real from[64], to[64];
    read_one(run, "the cats sleep.", NULL, &s);
    const tl_tokens *t = &s.sentence[0].src;
    must(t->count > 5 && t->words == 4 && t->word[0] == 0 && t->word[t->count - 1] == -1);
    char word[64] = "";
    for (long i = 0; i < t->count; i++)
        if (t->word[i] == 1) strncat(word, t->text[i], strcspn(t->text[i], "@"));
    ck_assert_str_eq(word, "cats");
    tl_tape *tape = tl_run_tape(run);
    tl_tape_reset(tape);
    ck_assert_str_eq(tl_seen_label(t, 1, true, tape), "cats");
    ck_assert_str_eq(tl_seen_label(t, 0, false, tape), t->text[0]);
    const tl_tokens marks = {
        .count = 3, .text = (const char *[]){"@@", "c@@", "at"}, .word = (long[]){0, 1, 1}, .words = 2};
    ck_assert_str_eq(tl_seen_label(&marks, 0, true, tape), "@@"); /* a word by itself */
    ck_assert_str_eq(tl_seen_label(&marks, 1, true, tape), "cat");
    /* rows: two of one word and one of none; columns: of two words and one of none; sums over columns, means over
     * rows */
    const tl_tokens rows = {.count = 3, .word = (long[]){0, 0, -1}, .words = 1},
                    columns = {.count = 4, .word = (long[]){0, 0, -1, 1}, .words = 2};
    for (int i = 0; i < 12; i++) from[i] = (tl_real)(i + 1);
    for (int i = 0; i < 64; i++) to[i] = 77;
    tl_words_of(tl_tensor_of(from, TL_SHAPE(3, 4)), &rows, &columns, tl_tensor_of(to + 8, TL_SHAPE(1, 2)));
    ck_assert(to[8] == (1 + 2 + 5 + 6) / 2.0 && to[9] == (4 + 8) / 2.0);
    for (int i = 0; i < 64; i++) must(i == 8 || i == 9 || to[i] == 77);
    tl_sentences_free(&s);
    tl_run_free(run);
}
END_TEST

/* ---- the others ---- */

START_TEST(a_text) {
    tl_run *run = fresh_lm("words", false);
    tl_sentences s;
    read_one(run, NULL, "the cat is .", &s);
    assert_tokens(&s.sentence[0].read, "<eos>|the|cat|is");
    assert_tokens(&s.sentence[0].written, "the|cat|is|.");
    assert_words(&s.sentence[0].read, "-1 0 1 2");
    must(!s.batch.src && s.batch.tgt_len == 4);
    tl_sentences_free(&s);
    tl_run_free(run);
    run = fresh_lm("bpe", false);
    read_one(run, NULL, "the cat", &s);
    const tl_tokens *t = &s.sentence[0].written;
    must(s.batch.pad == -1 && t->words == 2 && t->word[0] == 0 && t->word[t->count - 1] == 1);
    tl_sentences_free(&s);
    read_one(run, NULL, "cat\ncat", &s); /* blanks belong to no word and end one */
    t = &s.sentence[0].written;
    long blank = 0;
    for (long i = 0; i < t->count; i++)
        if (!strcmp(t->text[i], "\n")) {
            must(t->word[i] == -1);
            blank++;
        }
    must(blank == 1 && t->words == 2 && t->word[t->count - 1] == 1);
    tl_sentences_free(&s);
    const char *two[] = {"the cat", "the"};
    must(tl_sentences_of(run, NULL, two, 2, &s)); /* padding is an id but no target */
    const long length = s.batch.tgt_len;
    for (long i = s.batch.tgt_lengths[1]; i < length; i++)
        must(s.batch.tgt_in[length + i] == 0 && s.batch.tgt_out[length + i] == -1);
    must(s.batch.tgt_lengths[1] < length);
    tl_sentences_free(&s);
    tl_run_free(run);
    run = fresh_lm("words", true);
    read_one(run, NULL, "the zebra is", &s); /* an unknown word is a word */
    assert_words(&s.sentence[0].written, "0 1 2 -1");
    tl_sentences_free(&s);
    tl_run_free(run);
    run = fresh_lm("chars", true);
    read_one(run, NULL, "a cat", &s);
    assert_tokens(&s.sentence[0].written, "a|▁|c|a|t|<eos>");
    assert_words(&s.sentence[0].written, "0 -1 1 1 1 -1");
    tl_sentences_free(&s);
    tl_run_free(run);
}
END_TEST

START_TEST(a_labelled_text) {
    tl_run *run = fresh_classifier("transformer");
    tl_sentences s;
    const char *label = tl_labels_name(tl_run_labels(run), 1);
    read_one(run, "the cat sleeps", label, &s);
    assert_tokens(&s.sentence[0].src, "[CLS]|the|cat|sleeps|<eos>");
    assert_words(&s.sentence[0].src, "-1 0 1 2 -1");
    must(s.sentence[0].src.id[0] == -1 && s.sentence[0].src.id[1] == s.batch.src[0]);
    must(s.batch.labels[0] == 1 && s.batch.src_len == 4 && s.batch.tgt_len == 0);
    must(!s.sentence[0].own && s.sentence[0].written.id[0] == 1 && s.sentence[0].src.words == 3);
    must(s.sentence[0].src.id[3] == s.batch.src[2]);
    ck_assert_str_eq(s.sentence[0].target, label);
    ck_assert_str_eq(s.token(&s, 1), label);
    ck_assert_str_eq(s.sentence[0].written.text[0], label);
    tl_sentences_free(&s);
    read_one(run, "the cat sleeps", NULL, &s);
    must(s.sentence[0].own && s.sentence[0].target);
    tl_seen seen; /* it is the most likely one */
    tl_objective best = {.kind = TL_OF_LOGIT, .token = -1, .other = 1 - s.batch.labels[0]};
    must(
        tl_look(tl_run_model(run), tl_run_tape(run), &s.batch, &(tl_look_options){.objective = best}, &seen));
    must(seen.value >= 0);
    tl_sentences_free(&s);
    tl_run_free(run);
    run = fresh_classifier("gru");
    read_one(run, "the cat sleeps", NULL, &s);
    assert_tokens(&s.sentence[0].src, "the|cat|sleeps|<eos>");
    must(tl_look(tl_run_model(run), tl_run_tape(run), &s.batch, NULL, &seen));
    must(tl_seen_rows(&seen.attention[0], &s.sentence[0])->count == 1);
    must(tl_seen_columns(&seen.attention[0], &s.sentence[0])->count == 4);
    tl_sentences_free(&s);
    tl_run_free(run);
}
END_TEST

START_TEST(a_picture) {
    tl_run *run = fresh_captioner();
    tl_sentences s;
    tl_batch b;
    read_one(run, "#2", "a red cross", &s);
    tl_corpus *scenes = tl_caption_scenes(run, TL_PICTURES_HELD_OUT, 2, 1);
    ck_assert_str_eq(s.sentence[0].source, tl_corpus_sentence(scenes, TL_SOURCE, 0));
    must(tl_caption_batch(run, scenes, 0, 1, &b));
    ck_assert_mem_eq(s.batch.pictures.data, b.pictures.data, (size_t)tl_numel(b.pictures) * sizeof(tl_real));
    must(s.sentence[0].src.count == TL_PICTURE_PATCHES && s.sentence[0].src.id[0] == -1);
    assert_tokens(&s.sentence[0].written, "a|red|cross|<eos>");
    tl_sentences_free(&s);
    const char *two[] = {"#0", "#2"}; /* in one batch, with the model's own captions */
    tl_search_result found;
    must_msg(tl_sentences_of(run, two, NULL, 2, &s), "%s", tl_run_error(run));
    must(s.batch.src_len == TL_PICTURE_PATCHES && s.batch.pictures.dim[0] == 2);
    must(tl_caption_batch(run, scenes, 0, 1, &b));
    ck_assert_mem_eq(tl_at(s.batch.pictures, 1).data, b.pictures.data,
                     (size_t)tl_numel(b.pictures) * sizeof(tl_real));
    must(tl_caption_search(run, &b, false, &found) && s.sentence[1].own);
    ck_assert_mem_eq(s.sentence[1].written.id, found.ids, (size_t)found.lengths[0] * sizeof(int));
    tl_corpus_free(scenes);
    tl_sentences_free(&s);
    tl_run_free(run);
}
END_TEST

START_TEST(wrong) {
    static char too_long[2 * 1024 + 1];
    for (int i = 0; i < 1024; i++) memcpy(too_long + 2 * i, "a ", 2);
    const struct {
        int run;
        const char *source, *target, *says;
    } cases[] = {{0, NULL, NULL, "there is no sentence to look at: give one (--source)"},
                 {1, "a", "b", "a language model reads no source"},
                 {1, NULL, NULL, "there is no text to look at"},
                 {1, NULL, "", "nothing to foretell"},
                 {1, NULL, "a a a a a a a a a a a a a a a a a a a a a a a a a a a a",
                  "the text has 28 tokens, and the model reads at most 24"},
                 {2, "the cat", "nonsense", "the label \"nonsense\" is none that the model was trained on"},
                 {3, "#x", NULL, "picture #x: say #N, N a number from 0 on"},
                 {3, "#", NULL, "picture #"},
                 {3, "#-1", NULL, "picture #-1: say #N"},
                 {3, "#2x", NULL, "picture #2x: say #N"},
                 {4, NULL, "a b\na b", "a text of 2 lines"},
                 {0, too_long, "le chat .", "the source has 1024 tokens, and the model reads at most 1023"},
                 {0, "the cat .", too_long, "the target has 1024 tokens"},
                 {2, too_long, NULL, "the text has 1024 tokens"},
                 {3, ". . .", NULL, ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_run *run = cases[i].run == 0   ? fresh_translator(false)
                      : cases[i].run == 1 ? fresh_lm("words", false)
                      : cases[i].run == 2 ? fresh_classifier("transformer")
                      : cases[i].run == 4 ? fresh_lm("words", true)
                                          : fresh_captioner();
        tl_sentences s;
        ck_assert(!tl_sentences_of(run, &cases[i].source, &cases[i].target, 1, &s));
        assert_contains(tl_run_error(run), cases[i].says);
        must(!s.memory && !s.count);
        tl_run_free(run);
    }
    tl_sentences s;
    tl_run *run = fresh_lm("words", false); /* a full window */
    const char *most = "a a a a a a a a a a a a a a a a a a a a a a a a";
    must(tl_sentences_of(run, NULL, &most, 1, &s) && s.batch.tgt_len == 24);
    tl_sentences_free(&s);
    tl_run_free(run);
    run = fresh_translator(false);
    too_long[2 * 1023] = 0; /* as many words as a translator reads */
    const char *longest = too_long, *target = "le chat .";
    must(tl_sentences_of(run, &longest, &target, 1, &s) && s.batch.src_len == 1024);
    tl_sentences_free(&s);
    ck_assert(!tl_sentences_of(run, NULL, NULL, 0, &s) && !tl_sentences_of(NULL, NULL, NULL, 1, &s));
    tl_sentences_free(NULL);
    tl_run_free(run);
}
END_TEST

/* ---- sets ---- */

/* The set has every sentence once, and its measurements are those of the run's own functions. */
static void check_set(tl_run *run, long most, long expected) {
    tl_set *set = tl_set_new(run, &(tl_set_options){.most = most});
    must_msg(set != NULL, "%s", tl_run_error(run));
    must_msg(tl_set_count(set) == expected, "%ld sentences", tl_set_count(set));
    for (int pass = 0; pass < 2; pass++) {
        tl_batch batch;
        long count = 0;
        while (tl_set_next(set, &batch)) count += batch.sentences;
        must(count == expected);
    }
    tl_quality q, again;
    must(tl_set_measure(set, false, &q) && tl_set_measure(set, true, &again));
    must(q.loss > 0 && fabs(q.loss - again.loss) < 1e-6 && q.accuracy == again.accuracy);
    must(tl_set_target(set, 0) && !tl_set_target(set, expected) && !tl_set_source(set, -1));
    /* a set is measured without dropout, and the tape's mode is unchanged */
    tl_tape_set_training(tl_run_tape(run), 3);
    must(tl_set_measure(set, false, &again) && again.loss == q.loss && again.tokens == q.tokens);
    must(tl_tape_set_training(tl_run_tape(run), 0) == 3 && tl_tape_set_grad(tl_run_tape(run), true));
    tl_set_free(set);
}

/* A set has the first sentences that training has not seen, with their labels. */
START_TEST(held_out) {
    tl_run *run = fresh_translator(false);
    tl_set *set = tl_set_new(run, &(tl_set_options){.most = 7}), *all = tl_set_new(run, NULL);
    tl_error error = {""};
    tl_corpus *test = tl_pairs_of(tl_run_settings_of(run), TL_PART_TEST, NULL, &error),
              *train = tl_pairs_of(tl_run_settings_of(run), TL_PART_TRAIN, NULL, &error);
    must(tl_set_count(all) > 7);
    for (long i = 0; i < 7; i++) {
        ck_assert_str_eq(tl_set_source(set, i), tl_corpus_sentence(test, TL_SOURCE, i));
        ck_assert_str_eq(tl_set_target(set, i), tl_corpus_sentence(test, TL_TARGET, i));
        ck_assert_str_eq(tl_set_source(set, i), tl_set_source(all, i));
        for (long k = 0; k < tl_corpus_size(train); k++)
            must(strcmp(tl_set_source(set, i), tl_corpus_sentence(train, TL_SOURCE, k)));
    }
    tl_set_free(all);
    all = tl_set_new(run, &(tl_set_options){.most = 7, .batch_tokens = 20});
    tl_batch batch;
    long batches[2] = {0};
    while (tl_set_next(set, &batch)) batches[0]++;
    while (tl_set_next(all, &batch)) batches[1]++;
    must(batches[0] == 1 && batches[1] > 2);
    tl_corpus_free(test), tl_corpus_free(train);
    tl_set_free(set), tl_set_free(all);
    tl_run_free(run);
    run = fresh_classifier("transformer");
    set = tl_set_new(run, &(tl_set_options){.most = 9, .batch_tokens = 20});
    test = tl_labelled_of(tl_run_settings_of(run), TL_LABELLED_TEST, NULL, &error);
    for (long i = 0; i < 9; i++)
        ck_assert_str_eq(tl_set_source(set, i), tl_corpus_sentence(test, TL_SOURCE, i));
    batches[0] = 0;
    for (; tl_set_next(set, &batch); batches[0]++)
        for (long b = 0; b < batch.sentences; b++)
            ck_assert_str_eq(tl_labels_name(tl_run_labels(run), batch.labels[b]),
                             tl_set_target(set, batch.index[b]));
    must(batches[0] > 2);
    tl_quality q;
    must(tl_set_measure(set, false, &q) && q.score == 100 * q.accuracy);
    tl_corpus_free(test);
    tl_set_free(set);
    tl_run_free(run);
    run = fresh_captioner();
    set = tl_set_new(run, NULL);
    must(tl_set_count(set) == 1000);
    test = tl_caption_scenes(run, TL_PICTURES_HELD_OUT, 0, 3);
    for (long i = 0; i < 3; i++)
        ck_assert_str_eq(tl_set_source(set, i), tl_corpus_sentence(test, TL_SOURCE, i));
    tl_set_free(set);
    set = tl_set_new(run, &(tl_set_options){.most = 3});
    tl_batch own;
    tl_quality again;
    /* and their pictures are the same */
    must(tl_set_next(set, &batch) && tl_caption_batch(run, test, 0, 3, &own));
    for (long b = 0; b < 3; b++)
        ck_assert_mem_eq(tl_at(batch.pictures, b).data, tl_at(own.pictures, batch.index[b]).data,
                         (size_t)tl_numel(tl_at(own.pictures, 0)) * sizeof(tl_real));
    must(tl_set_measure(set, true, &q) && tl_caption_measure(run, test, &again, NULL));
    must(q.score == again.score);
    tl_corpus_free(test);
    tl_set_free(set);
    tl_run_free(run);
}
END_TEST

/* The text that a window predicts has the window's ids. */
START_TEST(windows_of_a_set) {
    for (int lines = 0; lines < 2; lines++) {
        tl_run *run = fresh_lm(lines ? "words" : "bpe", lines);
        tl_set *set = tl_set_new(run, &(tl_set_options){.most = 3});
        tl_batch batch;
        tl_quality q;
        long seen = 0, compared = 0;
        must(tl_set_measure(set, false, &q) && (lines || q.tokens == 3 * 24));
        while (tl_set_next(set, &batch)) {
            must(batch.pad == (lines ? TL_PAD : -1));
            for (long b = 0; b < batch.sentences; b++, seen++) {
                tl_lm_text text;
                const char *target = tl_set_target(set, batch.index[b]);
                const long length = batch.tgt_lengths ? batch.tgt_lengths[b] : batch.tgt_len;
                must(tl_lm_encode(run, target, strlen(target), &text));
                const bool known = lines && !strstr(target, "<unk>"); /* <unk> cannot be cut again */
                for (long t = 0; known && t < length; t++)
                    must(text.ids[1 + t] == batch.tgt_out[b * batch.tgt_len + t]);
                compared += known;
                char *own = tl_lm_decode(run, &batch.tgt_out[b * batch.tgt_len], length - lines);
                ck_assert_str_eq(own, target);
                free(own);
                tl_lm_text_free(&text);
            }
        }
        must(seen == 3 && (!lines || compared));
        tl_set_free(set);
        tl_run_free(run);
    }
}
END_TEST

START_TEST(sets) {
    tl_run *runs[] = {fresh_translator(false), fresh_classifier("transformer"), fresh_captioner(),
                      fresh_lm("words", true)};
    for (int i = 0; i < 4; i++) {
        check_set(runs[i], 7, 7);
        tl_run_free(runs[i]);
    }
    tl_run *run = fresh_lm("words", false);
    check_set(run, 3, 3);
    tl_run_free(run);
}
END_TEST

START_TEST(a_set_is_measured_as_the_run_is) {
    tl_run *run = fresh_translator(false);
    tl_set *set = tl_set_new(run, &(tl_set_options){.most = 20});
    tl_quality q, own;
    long links;
    must(tl_set_measure(set, true, &q));
    tl_corpus *pairs = tl_corpus_new();
    for (long i = 0; i < 20; i++) tl_corpus_add(pairs, tl_set_source(set, i), tl_set_target(set, i));
    must(tl_set_alignment(set, 0, &links) && links > 0);
    must(tl_run_evaluate(run, pairs, "x", &(tl_translate_options){.beam = 1, .length_penalty = 1}, &own,
                         NULL));
    must(q.loss == own.loss && q.score == own.score);
    tl_places *places = tl_places_new(tl_run_model(run)); /* what acts on the run acts here */
    must(tl_places_gate(places, "*", -1, 0));
    tl_run_act_at(run, places);
    must(tl_set_measure(set, true, &own) && own.loss != q.loss);
    tl_run_act_at(run, NULL);
    must(tl_set_measure(set, true, &own) && own.loss == q.loss);
    ck_assert_str_eq(tl_set_name(set), "held-out sentences made here");
    tl_places_free(places);
    tl_corpus_free(pairs);
    tl_set_free(set);
    tl_run_free(run);
}
END_TEST

START_TEST(wrong_sets) {
    scratch f = scratch_new();
    tl_run *run = fresh_translator(false);
    put_text(scratch_path(&f, "empty.tsv"), "");
    const tl_set_options options[] = {
        {.file = "nowhere.tsv"}, {.most = -1}, {.batch_tokens = -3}, {.file = "empty.tsv"}};
    ck_assert_int_eq(chdir(f.folder), 0);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        ck_assert_ptr_null(tl_set_new(run, &options[i]));
        ck_assert_ptr_nonnull(tl_run_error(run));
        tl_run_clear_error(run);
    }
    /* the hint is only for the validation file, not for another missing file */
    tl_run_settings_of(run)->data.pair = NULL;
    tl_run_settings_of(run)->data.valid = "gone.tsv";
    ck_assert_ptr_null(tl_set_new(run, NULL));
    assert_contains(tl_run_error(run), "gone.tsv");
    assert_contains(tl_run_error(run), "that is what the run was validated on");
    tl_run_clear_error(run);
    ck_assert_ptr_null(tl_set_new(run, &(tl_set_options){.file = "nowhere.tsv"}));
    must(!strstr(tl_run_error(run), "validated on"));
    tl_run_clear_error(run);
    tl_batch batch;
    tl_quality q;
    long links;
    ck_assert(!tl_set_next(NULL, &batch) && !tl_set_measure(NULL, true, &q) && !tl_set_new(NULL, NULL));
    ck_assert(!tl_set_count(NULL) && !tl_set_name(NULL) && !tl_set_source(NULL, 0) &&
              !tl_set_target(NULL, 0) && !tl_set_alignment(NULL, 0, &links));
    tl_set_free(NULL);
    tl_run_free(run);
    run = fresh_captioner();
    ck_assert_ptr_null(tl_set_new(run, &(tl_set_options){.file = "empty.tsv"}));
    assert_contains(tl_run_error(run), "a captioner's pictures are drawn here: leave the file out");
    tl_run_free(run);
    /* a text from a file: one that is there, and one that is not */
    run = fresh_lm("words", true);
    put_text(scratch_path(&f, "text.txt"), "the dog\nthe cat sleeps\n");
    ck_assert_ptr_null(tl_set_new(run, &(tl_set_options){.file = "nowhere.txt"}));
    assert_contains(tl_run_error(run), "nowhere.txt");
    tl_run_clear_error(run);
    tl_set *set = tl_set_new(run, &(tl_set_options){.file = "text.txt"});
    must_msg(set != NULL, "%s", tl_run_error(run));
    ck_assert_int_eq(tl_set_count(set), 2);
    tl_set_free(set);
    tl_run_free(run);
    scratch_remove(&f);
}
END_TEST

/* ---- what acts on a run ---- */

static tl_var halved(tl_var x, const tl_place_at *at, void *context) {
    (void)at;
    ++*(long *)context;
    return tl_scale(x, 0.5);
}

/* Losses, log p, translations; gates of 1 change no bit. */
START_TEST(what_acts_acts_everywhere) {
    tl_run *run = fresh_translator(false);
    const char *source = "the small cats do not sleep .", *target = "les petits chats ne dorment pas .";
    tl_places *ones = tl_places_new(tl_run_model(run)), *places = tl_places_new(tl_run_model(run));
    long asked = 0;
    must(tl_places_gate(ones, "*", -1, 1) &&
         tl_places_replace(places, "decoder.*.cross.context", halved, &asked));
    const tl_places *acting[] = {NULL, ones, places};
    double loss[3], score[3], found_score[3];
    for (int i = 0; i < 3; i++) {
        tl_batch batch;
        tl_scores scores;
        tl_search_result found;
        tl_run_act_at(run, acting[i]);
        must(tl_run_batch(run, &source, &target, 1, &batch));
        tl_tape_reset(tl_run_tape(run));
        loss[i] = (double)tl_item(tl_value(tl_run_loss(run, &batch, NULL)));
        must(tl_run_search(run, &batch, NULL, &found));
        found_score[i] = found.score[0];
        tl_corpus *lines = tl_corpus_new(), *encoded;
        tl_corpus_add(lines, source, target);
        encoded = tl_run_encode(run, lines);
        must(tl_run_score(run, encoded, 0, &scores));
        score[i] = scores.sum[0];
        tl_scores_free(&scores);
        tl_corpus_free(lines), tl_corpus_free(encoded);
    }
    must(asked > 3);
    must(loss[0] == loss[1] && score[0] == score[1] && found_score[0] == found_score[1]);
    must(loss[0] != loss[2] && score[0] != score[2] && found_score[0] != found_score[2]);
    tl_places_free(ones), tl_places_free(places);
    tl_run_free(run);
}
END_TEST

/* Training with gates of 1 gives the same weights as without gates; with other gates it does not. */
START_TEST(what_acts_acts_in_training) {
    scratch f = scratch_new();
    setenv("PATH", f.folder, 1); /* no gnuplot */
    tl_run_settings s = small_of("translate");
    s.data.pair = "en-fr";
    s.training.steps = 3;
    s.training.warmup = 1;
    char *bytes[3];
    size_t sizes[3];
    for (int i = 0; i < 3; i++) {
        const double factor[] = {0, 1, 0.5};
        tl_error error = {""};
        char dir[600];
        snprintf(dir, sizeof dir, "%s/run%d", f.folder, i);
        tl_run *shape = fresh(&s), *run = tl_run_new(dir, &s); /* a run with the same model, for its names */
        tl_places *places = tl_places_new(tl_run_model(shape));
        must(tl_places_gate(places, "decoder.*", -1, factor[i]));
        if (i) tl_run_act_at(run, places);
        must_msg(tl_run_train(run, false, NULL) == TL_ENDED, "%s", tl_run_error(run));
        strcat(dir, "/last.safetensors");
        must(tl_file_read(dir, &bytes[i], &sizes[i], &error));
        tl_places_free(places);
        tl_run_free(run), tl_run_free(shape);
    }
    must(sizes[0] == sizes[1] && !memcmp(bytes[0], bytes[1], sizes[0]));
    must(sizes[0] == sizes[2] && memcmp(bytes[0], bytes[2], sizes[0]));
    for (int i = 0; i < 3; i++) free(bytes[i]);
    scratch_remove(&f);
}
END_TEST

/* ---- files ---- */

START_TEST(as_files) {
    scratch f = scratch_new();
    tl_run *run = fresh_translator(false);
    tl_tape *tape = tl_run_tape(run);
    tl_sentences s;
    tl_seen seen;
    tl_error error = {""};
    const char *csv = scratch_path(&f, "a.csv"), *file = scratch_path(&f, "a.safetensors");
    const char *sources[] = {"the cat sleeps .", "a \"dog\" , eats"},
               *targets[] = {"le chat dort .", "un chien"};
    must(tl_sentences_of(run, sources, targets, 2, &s));
    must(tl_look(tl_run_model(run), tape, &s.batch, &(tl_look_options){.norms = true}, &seen));
    must_msg(tl_seen_csv(csv, &seen, &s, "decoder.*", false, tape, &error), "%s", error.message);
    char *text = get_file(csv, NULL), expected[512];
    const tl_seen_attention *a = tl_seen_of(&seen, "decoder.layers.0.self");
    long rows = 0;
    for (char *at = text; (at = strchr(at, '\n')); at++) rows++;
    /* two heads of self-attention and of cross-attention, in both sentences, and the header */
    ck_assert_int_eq(rows, 1 + 2 * (5 * 5 + 5 * 5) + 2 * (3 * 3 + 3 * 5));
    snprintf(expected, sizeof expected, "\n0,decoder.layers.0.self,1,2,1,dort,le,,%.17g,",
             tl_seen_value(a, TL_SEE_A, 0, 1, 2, 1));
    expected[strlen(expected) - 6] = 0; /* the file has the shortest digits, which may be fewer */
    assert_contains(text, expected);
    assert_contains(text, "\n0,decoder.layers.0.self,0,0,1,le,le,causal,0,");
    assert_contains(text, "\"\"\"dog\"\"\""); /* " dog " */
    free(text);
    must(tl_seen_csv(csv, &seen, &s, "*.cross", true, tape, &error)); /* words */
    text = get_file(csv, NULL);
    rows = 0;
    for (char *at = text; (at = strchr(at, '\n')); at++) rows++;
    ck_assert_int_eq(rows, 1 + 2 * (4 * 4) + 2 * (2 * 4));
    free(text);
    must_msg(tl_seen_safetensors(file, &seen, &s, NULL, false, "a command", tape, &error), "%s",
             error.message);
    tl_safetensors *st = tl_safetensors_open(file, &error);
    must_msg(st != NULL, "%s", error.message);
    tl_real back[2 * 3 * 5];
    const tl_tensor to = tl_tensor_of(back, TL_SHAPE(2, 3, 5));
    must_msg(tl_safetensors_read(st, "1.decoder.layers.0.cross.dS", to, &error), "%s", error.message);
    a = tl_seen_of(&seen, "decoder.layers.0.cross");
    for (long h = 0; h < 2; h++)
        for (long i = 0; i < 3; i++)
            for (long j = 0; j < 5; j++)
                must(back[(h * 3 + i) * 5 + j] == (tl_real)tl_seen_value(a, TL_SEE_DS, 1, h, i, j));
    ck_assert_str_eq(tl_safetensors_metadata(st, "command"), "a command");
    assert_contains(tl_safetensors_metadata(st, "source_tokens"), "the\tcat\tsleeps\t.\t<eos>\na\t");
    assert_contains(tl_safetensors_metadata(st, "read_tokens"), "<bos>\tle\tchat\tdort\t.\n<bos>\tun");
    ck_assert_str_eq(tl_safetensors_metadata(st, "written_tokens"),
                     "le\tchat\tdort\t.\t<eos>\nun\tchien\t<eos>");
    assert_contains(tl_safetensors_metadata(st, "objective"), "the loss");
    tl_safetensors_close(st);
    /* chosen attentions, words, and empty cells for what was not looked at */
    must(tl_look(tl_run_model(run), tape, &s.batch, &(tl_look_options){.no_grad = true}, &seen));
    must(tl_seen_safetensors(file, &seen, &s, "decoder.*", true, NULL, tape, &error));
    st = tl_safetensors_open(file, &error);
    must(tl_safetensors_count(st) == 2 * 2 * 2 && !tl_safetensors_find(st, "0.encoder.layers.0.self.A"));
    must(tl_safetensors_read(st, "1.decoder.layers.0.cross.A",
                             tl_tensor_of(back, TL_SHAPE(2, 2, s.sentence[1].src.words)), &error));
    tl_safetensors_close(st);
    must(tl_seen_csv(csv, &seen, &s, "*.cross", false, tape, &error));
    text = get_file(csv, NULL);
    const char *first = strchr(text, '\n') + 1; /* A and S, and six empty cells */
    must(!strncmp(strchr(first, '\n') - 6, ",,,,,,", 6) && strchr(first, '\n')[-7] != ',');
    free(text);
    ck_assert(!tl_seen_csv("/nowhere/x.csv", &seen, &s, NULL, false, tape, &error));
    assert_contains(error.message, "/nowhere/x.csv");
    tl_sentences_free(&s);
    tl_run_free(run);
    scratch_remove(&f);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, a_pair);
    tcase_add_test(tc, its_own_translation);
    tcase_add_test(tc, its_own_words_with_what_acts);
    tcase_add_test(tc, pieces_of_words);
    tcase_add_test(tc, a_text);
    tcase_add_test(tc, a_labelled_text);
    tcase_add_test(tc, a_picture);
    tcase_add_test(tc, wrong);
    tcase_add_test(tc, sets);
    tcase_add_test(tc, held_out);
    tcase_add_test(tc, windows_of_a_set);
    tcase_add_test(tc, a_set_is_measured_as_the_run_is);
    tcase_add_test(tc, wrong_sets);
    tcase_add_test(tc, what_acts_acts_everywhere);
    tcase_add_test(tc, what_acts_acts_in_training);
    tcase_add_test(tc, as_files);
}

TL_TEST_MAIN("lens: sentences and sets")
