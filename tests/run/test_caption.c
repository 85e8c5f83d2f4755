/* Captions by the library: scenes, batches, captions and their quality, for a run that is trained here for a moment;
 * every function with missing arguments; runs of other programs. */
#define _XOPEN_SOURCE 700
#include "fixture.h"
#include "nothing.h"

#include <limits.h>
#include <math.h>

static tl_run_settings small(void) {
    tl_run_settings s = tl_run_settings_of_program("caption");
    s.caption.pictures = 60;
    s.caption.batch = 16;
    s.caption.encoder_layers = s.caption.decoder_layers = 1;
    s.model.d_model = 16;
    s.model.heads = 2;
    s.training.steps = 6;
    s.training.warmup = 2;
    s.validation.validate_every = 3;
    return s;
}

/* A run trained for six steps and opened. */
static tl_run *trained(scratch *folder) {
    *folder = quiet_scratch();
    const tl_run_settings settings = small();
    tl_error error = {""};
    tl_run *run = tl_run_new(folder->folder, &settings);
    must_msg(tl_run_train(run, false, NULL) == TL_ENDED, "%s", tl_run_error(run));
    tl_run_free(run);
    run = tl_run_open(folder->folder, &(tl_run_choice){"last", "caption"}, &error);
    must_msg(run != NULL, "%s", error.message);
    return run;
}

START_TEST(a_run) {
    scratch folder;
    tl_run *run = trained(&folder);
    ck_assert_str_eq(tl_run_program_name(run), "caption");
    ck_assert_str_eq(tl_run_score_label(run), "exact");
    const tl_transformer *m = tl_run_transformer(run);
    must(m && m->config.patch == TL_PICTURE_PATCH && m->config.encoder_layers == 1 && m->config.d_ff == 32);
    ck_assert_str_eq(tl_run_model(run)->kind->name, "captioner");
    tl_training_state state;
    must(tl_run_state(run, &state) && state.step == 6 && state.validations == 2);
    tl_run_free(run);
    scratch_remove(&folder);
}
END_TEST

/* The measured captions equal those that a search writes for each picture alone, and the quality counts them. */
START_TEST(measured) {
    scratch folder;
    tl_run *run = trained(&folder);
    enum { COUNT = 70 }; /* more than one batch */
    tl_corpus *scenes = tl_caption_scenes(run, TL_PICTURES_HELD_OUT, 5, COUNT);
    must_msg(scenes != NULL, "%s", tl_run_error(run));
    tl_quality q;
    tl_translations t;
    must_msg(tl_caption_measure(run, scenes, &q, &t), "%s", tl_run_error(run));
    must(q.sentences == COUNT && t.count == COUNT && t.nbest == 1 && q.loss > 0 && q.accuracy > 0 &&
         q.accuracy < 1);
    long exact = 0;
    double nll = 0, tokens = 0;
    for (long i = 0; i < COUNT; i++) {
        tl_batch batch;
        tl_search_result found;
        char text[512];
        tl_tape_reset(tl_run_tape(run));
        must_msg(tl_caption_batch(run, scenes, i, 1, &batch), "%s", tl_run_error(run));
        must(batch.sentences == 1 && batch.index[0] == i);
        must(tl_caption_search(run, &batch, true, &found) && found.maps[TL_CROSS]);
        tl_vocab_decode(tl_run_vocab(run, TL_TARGET), found.ids, found.lengths[0], text, sizeof text);
        ck_assert_str_eq(text, t.text[i]);
        exact += !strcmp(text, tl_corpus_sentence(scenes, TL_TARGET, i));
        nll += tl_item(tl_value(tl_run_loss(run, &batch, NULL))) * (double)batch.tgt_tokens;
        tokens += (double)batch.tgt_tokens;
    }
    must(q.exact == exact && fabs(q.loss - nll / tokens) < 1e-5);
    must(fabs(q.score - 100.0 * (double)exact / COUNT) < 1e-9);
    tl_translations_free(&t);
    must(tl_caption_measure(run, scenes, &q, NULL));
    tl_corpus_free(scenes);
    tl_run_free(run);
    scratch_remove(&folder);
}
END_TEST

/* The same weights again, and in two ways: six steps at once, or three and three. */
START_TEST(the_same_run_again) {
    scratch folder[2];
    tl_error error = {""};
    tl_run_free(trained(&folder[0]));
    folder[1] = quiet_scratch();
    tl_run_settings settings = small();
    settings.training.steps = 3;
    settings.training.schedule = "constant"; /* a cosine would depend on the number of steps */
    tl_run *run = tl_run_new(folder[1].folder, &settings);
    must_msg(tl_run_train(run, false, NULL) == TL_ENDED, "%s", tl_run_error(run));
    tl_run_free(run);
    run = tl_run_open(folder[1].folder, &(tl_run_choice){"none", NULL}, &error);
    tl_run_settings_of(run)->training.steps = 6;
    must_msg(tl_run_train(run, false, NULL) == TL_ENDED, "%s", tl_run_error(run));
    tl_run_free(run);
    scratch whole = quiet_scratch();
    settings.training.steps = 6;
    run = tl_run_new(whole.folder, &settings);
    must(tl_run_train(run, false, NULL) == TL_ENDED);
    tl_run_free(run);
    size_t a, b;
    char *one = get_file(scratch_path(&whole, "last.safetensors"), &a),
         *two = get_file(scratch_path(&folder[1], "last.safetensors"), &b);
    must(a == b && !memcmp(one, two, a));
    free(one), free(two);
    scratch_remove(&folder[0]), scratch_remove(&folder[1]), scratch_remove(&whole);
}
END_TEST

#define A_SCENE ". . . . . . . red-cross . . blue-ring . . . . . . . . . . . . . . . . . . . . . . . . ."

START_TEST(a_scene_of_ones_own) {
    scratch folder;
    tl_run *run = trained(&folder);
    tl_corpus *scene = tl_caption_scene(run, A_SCENE);
    must_msg(scene != NULL, "%s", tl_run_error(run));
    ck_assert_str_eq(tl_corpus_sentence(scene, TL_TARGET, 0), "a red cross left of a blue ring");
    tl_batch batch;
    must(tl_caption_batch(run, scene, 0, 1, &batch) && batch.pictures.data);
    tl_corpus_free(scene);
    ck_assert_ptr_null(tl_caption_scene(run, "red-cross"));
    assert_contains(tl_run_error(run), "picture: found 1 tokens, expected 36");
    tl_run_free(run);
    scratch_remove(&folder);
}
END_TEST

/* ---- missing and impossible arguments ---- */

static void says(tl_run *run, const char *part) {
    assert_contains(tl_run_error(run), part);
    tl_run_clear_error(run);
}

START_TEST(no_function_is_forgotten) {
    every_function_is_called("include/tapeloom/caption.h", "tests/run/test_caption.c");
}
END_TEST

START_TEST(with_nothing) {
    tl_batch batch;
    tl_quality q;
    tl_search_result found;
    ck_assert(!tl_caption_scenes(NULL, TL_PICTURES_TRAIN, 0, 1) && !tl_caption_scene(NULL, A_SCENE));
    ck_assert(!tl_caption_batch(NULL, NULL, 0, 1, &batch) && !tl_caption_search(NULL, NULL, false, &found));
    ck_assert(!tl_caption_measure(NULL, NULL, &q, NULL));
    const tl_run_settings settings = small();
    tl_run *run = tl_run_new("nowhere", &settings);
    ck_assert_ptr_null(tl_caption_scenes(run, TL_PICTURES_TRAIN, 0, 1));
    says(run, "has no model yet");
    tl_run_free(run);
}
END_TEST

START_TEST(what_does_not_fit) {
    scratch folder;
    tl_run *run = trained(&folder);
    tl_batch batch;
    tl_quality q;
    tl_search_result found;
    tl_corpus *scenes = tl_caption_scenes(run, TL_PICTURES_TRAIN, 0, 8);
    ck_assert_ptr_null(tl_caption_scenes(run, TL_PICTURES_TRAIN, 0, 0));
    says(run, "pictures: found 0 from number 0 on");
    ck_assert_ptr_null(tl_caption_scenes(run, (tl_pictures_part)2, 0, 1));
    says(run, "pictures: found the part 2");
    ck_assert_ptr_null(tl_caption_scene(run, NULL));
    says(run, "picture: found 0 tokens");
    static const long ranges[][2] = {{-1, 1}, {0, 0}, {0, 9}, {8, 1}, {6, 4}, {3, 2}, {LONG_MAX, LONG_MAX}};
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        ck_assert(!tl_caption_batch(run, scenes, ranges[i][0], ranges[i][1], &batch));
        says(run, "captions: ");
    }
    ck_assert(!tl_caption_batch(run, NULL, 0, 1, &batch));
    says(run, "the corpus of scenes is NULL");
    ck_assert(!tl_caption_batch(run, scenes, 0, 1, NULL));
    says(run, "the place for the batch is NULL");
    ck_assert(!tl_caption_search(run, NULL, false, &found));
    says(run, "the batch is NULL");
    ck_assert(!tl_caption_measure(run, scenes, NULL, NULL));
    says(run, "the place for the quality is NULL");
    ck_assert(!tl_caption_measure(run, NULL, &q, NULL));
    says(run, "the corpus of scenes is NULL");
    ck_assert(tl_caption_measure(run, scenes, &q, NULL) && q.sentences == 8); /* and all works again */
    tl_corpus_free(scenes);
    tl_run_free(run);
    scratch_remove(&folder);
}
END_TEST

START_TEST(settings_that_make_no_sense) {
    static const struct {
        long d_model, heads, pictures, batch, layers;
        const char *says;
    } trials[] = {{15, 4, 10, 1, 1, "--d-model 15 does not split into --heads 4"},
                  {16, 4, 80001, 1, 1, "--pictures 80001: at most 80000 are possible"},
                  {16, 4, 10, 65537, 1, "--batch 65537: at most 65536 are possible"},
                  {16, 4, 10, 1, 1001, "--encoder-layers 1001: at most 1000 are possible"},
                  {65540, 4, 10, 1, 1, "--d-model 65540: at most 65536 are possible"},
                  {-1, 4, 10, 1, 1, "d-model"}};
    for (size_t i = 0; i < sizeof trials / sizeof *trials; i++) {
        tl_run_settings s = small();
        tl_error error = {""};
        s.model.d_model = trials[i].d_model;
        s.model.heads = trials[i].heads;
        s.caption.pictures = trials[i].pictures;
        s.caption.batch = trials[i].batch;
        s.caption.encoder_layers = trials[i].layers;
        must(!tl_run_settings_complete(&s, &error));
        assert_contains(error.message, trials[i].says);
    }
}
END_TEST

/* A run of another program writes no captions; a captioner's run is refused where another program's is wanted. */
START_TEST(runs_of_others) {
    scratch folder;
    tl_error error = {""};
    tl_run_free(trained(&folder));
    ck_assert_ptr_null(tl_run_open(folder.folder, &(tl_run_choice){NULL, "translate"}, &error));
    assert_contains(error.message, "is a run of caption, and this is translate: open it with caption");
    scratch_remove(&folder);
    tl_run *run = tl_run_open(OLD_RUN, NULL, NULL);
    must(run != NULL);
    ck_assert_ptr_null(tl_caption_scenes(run, TL_PICTURES_TRAIN, 0, 1));
    says(run, "is a run of translate: it writes no captions");
    tl_run_free(run);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, a_run);
    tcase_add_test(tc, measured);
    tcase_add_test(tc, the_same_run_again);
    tcase_add_test(tc, a_scene_of_ones_own);
    tcase_add_test(tc, no_function_is_forgotten);
    tcase_add_test(tc, with_nothing);
    tcase_add_test(tc, what_does_not_fit);
    tcase_add_test(tc, settings_that_make_no_sense);
    tcase_add_test(tc, runs_of_others);
}

TL_TEST_MAIN("run: captions")
