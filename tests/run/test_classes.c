/* A classifier's run by the library: training, opening, using it; callbacks of its stages; impossible arguments. */
#define _XOPEN_SOURCE 700
#include "fixture.h"

static scratch here;
static char dir[1024];

static void enter(void) {
    here = quiet_scratch();
    snprintf(dir, sizeof dir, "%s/run", here.folder);
}
static void leave(void) { scratch_remove(&here); }

static tl_run_settings small(void) {
    tl_run_settings s = tl_run_settings_of_program("classify");
    s.data.task = "agreement";
    s.data.sentences = 60;
    s.model.d_model = 8;
    s.model.heads = 2;
    s.model.layers = 1;
    s.training.batch_tokens = 128;
    s.training.steps = 6;
    s.training.lr = 0.01;
    s.training.warmup = 2;
    return s;
}

static tl_run *train(const tl_run_settings *s, const tl_events *events) {
    tl_error error = {""};
    tl_run *run = tl_run_new(dir, s);
    tl_run_tell(run, events);
    ck_assert_msg(tl_run_train(run, true, NULL) == TL_ENDED, "%s", tl_run_error(run));
    tl_run_free(run);
    run = tl_run_open(dir, NULL, &error);
    ck_assert_msg(run != NULL, "%s", error.message);
    return run;
}

/* ---- callbacks ---- */

static char told[256];
static void tell(char what) {
    const size_t n = strlen(told);
    if (n + 1 < sizeof told) told[n] = what, told[n + 1] = 0;
}
static void prepared(void *context, const tl_run *run, const tl_prepared *p) {
    (void)context;
    ck_assert(p->trained == 60 && p->validated == 1000 && !strcmp(p->unit, "text"));
    ck_assert_int_eq(tl_labels_count(tl_run_labels(run)), 2);
    tell('p');
}
static void stage(void *context, const char *on) {
    (void)context;
    if (on) ck_assert_str_eq(on, "masked words");
    tell(on ? '1' : '2');
}
static void started(void *context, const tl_training_plan *plan) {
    (void)context, (void)plan;
    tell('s');
}
static void updated(void *context, long step, double loss, double tokens) {
    (void)context, (void)step;
    must(isfinite(loss) && tokens >= 4);
    tell('u');
}
static void validated(void *context, const tl_validation *v) {
    (void)context;
    ck_assert(v->quality->sentences == 1000 && v->quality->accuracy >= 0 && v->quality->accuracy <= 1);
    tell('v');
}
static void ended(void *context) { (void)context, tell('e'); }

START_TEST(stages_are_told) {
    tl_run_settings s = small();
    const tl_events events = {.prepared = prepared,
                              .stage = stage,
                              .started = started,
                              .updated = updated,
                              .validated = validated,
                              .ended = ended};
    s.validation.validate_every = 3;
    s.classify.pretrain = 3;
    s.classify.unlabelled = 50;
    *told = 0;
    tl_run_free(train(&s, &events));
    ck_assert_str_eq(told, "p1suuuve2suuuvuuuve");
    s.classify.pretrain = s.classify.unlabelled = 0;
    *told = 0;
    tl_run_free(train(&s, &events));
    ck_assert_str_eq(told, "psuuuvuuuve");
}
END_TEST

/* ---- impossible arguments ---- */

static const char *const kinds[] = {"transformer", "gru", "average"};

START_TEST(asked) {
    tl_run_settings s = small();
    s.model.model = kinds[_i];
    if (_i == 2) s.model.heads = 1;
    tl_run *run = train(&s, NULL);
    tl_error error = {""};
    ck_assert_ptr_nonnull(tl_run_classifier(run));
    ck_assert_str_eq(tl_run_program_name(run), "classify");
    ck_assert_str_eq(tl_labels_name(tl_run_labels(run), 1), "wrong");

    tl_corpus *test = tl_labelled_of(tl_run_settings_of(run), TL_LABELLED_TEST, NULL, &error);
    ck_assert_int_eq(tl_corpus_size(test), 1000);
    tl_quality q;
    tl_confusion t;
    tl_classes c;
    ck_assert_msg(tl_run_evaluate_labels(run, test, "test", 0, &q, &t), "%s", tl_run_error(run));
    ck_assert_msg(tl_run_classify(run, test, 100, &c), "%s", tl_run_error(run));
    ck_assert(c.count == 1000 && c.classes == 2 && c.left_out == 0 && t.classes == 2);
    long right = 0, table[4] = {0};
    double nll = 0;
    for (long i = 0; i < 1000; i++) {
        const long label = tl_labels_find(tl_run_labels(run), tl_corpus_sentence(test, TL_TARGET, i));
        const double *p = c.p + 2 * i;
        must(fabs(p[0] + p[1] - 1) < 1e-5 && c.said[i] == (p[1] > p[0]));
        right += c.said[i] == label;
        table[2 * label + c.said[i]]++;
        nll -= log(p[label]);
    }
    ck_assert_int_eq(q.exact, right);
    ck_assert(fabs(q.loss - nll / 1000) < 1e-5 && fabs(q.score - (double)right / 10) < 1e-9);
    ck_assert(!memcmp(table, t.count, sizeof table));
    tl_classes_free(&c), tl_confusion_free(&t);

    tl_corpus *blank = tl_corpus_new();
    ck_assert(tl_run_classify(run, blank, 0, &c) && c.count == 0);
    tl_classes_free(&c);
    ck_assert(tl_corpus_add(blank, " ", "right") && tl_run_classify(run, blank, 0, &c));
    ck_assert(c.left_out == 1 && c.said[0] == -1 && c.p[0] + c.p[1] < 1e-9);
    tl_classes_free(&c);
    ck_assert(!tl_run_classify(run, NULL, 0, &c) && !c.said);
    assert_contains(tl_run_error(run), "the corpus is NULL");
    tl_run_clear_error(run);
    ck_assert(!tl_run_classify(run, blank, 0, NULL));
    tl_run_clear_error(run);
    ck_assert(!tl_run_evaluate_labels(run, test, NULL, 0, NULL, NULL));
    assert_contains(tl_run_error(run), "the place for the quality is NULL");
    tl_run_clear_error(run);
    ck_assert(tl_corpus_add(test, "he sleeps .", "odd") &&
              !tl_run_evaluate_labels(run, test, NULL, 0, &q, &t) && !t.count);
    assert_contains(tl_run_error(run), "(texts):1001: the label \"odd\" is none");
    tl_corpus_free(blank);
    tl_corpus_free(test);
    tl_run_free(run);
}
END_TEST

START_TEST(scores_of_a_class) {
    long count[9] = {5, 1, 0, 2, 6, 0, 0, 0, 0};
    const tl_confusion c = {.classes = 3, .count = count};
    const tl_class_score a = tl_class_score_of(&c, 0), b = tl_class_score_of(&c, 1),
                         none = tl_class_score_of(&c, 2);
    ck_assert(a.texts == 6 && a.said == 7 && a.right == 5);
    ck_assert(fabs(a.precision - 5.0 / 7) < 1e-12 && fabs(a.recall - 5.0 / 6) < 1e-12 &&
              fabs(a.f1 - 10.0 / 13) < 1e-12);
    ck_assert(b.texts == 8 && b.said == 7 && b.right == 6);
    ck_assert(none.texts == 0 && isnan(none.precision) && isnan(none.recall) && isnan(none.f1));
    ck_assert(isnan(tl_class_score_of(&c, 3).f1) && isnan(tl_class_score_of(&c, -1).f1));
}
END_TEST

/* First masked words are learnt, then labels. The second stage starts from the first one's weights; the first leaves
 * the head unchanged. */
START_TEST(the_second_stage_begins_where_the_first_ended) {
    char path[1100];
    tl_error error = {""};
    tl_run_settings s = small();
    s.training.lr = 0; /* the second stage changes nothing */
    s.classify.pretrain = 4;
    s.classify.pretrain_lr = 0.01;
    tl_run *run = train(&s, NULL), *first, *plain;
    snprintf(path, sizeof path, "%s/pretraining/model.safetensors", dir);
    first = tl_run_open(dir, &(tl_run_choice){.weights = "none"}, &error);
    ck_assert(first && tl_params_load(tl_run_params(first), path, &error));
    s.classify.pretrain_lr = 0, s.classify.pretrain = 1;
    plain = train(&s, NULL); /* initial weights */
    int moved = 0;
    for (int i = 0; i < tl_params_count(tl_run_params(run)); i++) {
        const tl_param *p = tl_params_at(tl_run_params(run), i), *f = tl_params_at(tl_run_params(first), i),
                       *o = tl_params_at(tl_run_params(plain), i);
        const size_t bytes = (size_t)tl_numel(tl_param_value(p)) * sizeof(tl_real);
        must(!memcmp(p->leaf.value.data, f->leaf.value.data, bytes));
        const bool same = !memcmp(p->leaf.value.data, o->leaf.value.data, bytes);
        must_msg(same == !strncmp(p->leaf.name, "head", 4), "%s", p->leaf.name);
        moved += !same;
    }
    ck_assert_int_gt(moved, 10);
    tl_run_free(plain);
    tl_run_free(first);
    tl_run_free(run);
}
END_TEST

static double first_losses[2];
static int losses;
static void note_loss(void *context, long step, double loss, double tokens) {
    (void)context, (void)step, (void)tokens;
    if (losses < 2) first_losses[losses++] = loss;
}

/* All sentences are one batch and parameters do not change, so only the hidden words differ between epochs. */
START_TEST(each_epoch_hides_other_words) {
    const tl_events events = {.updated = note_loss};
    tl_run_settings s = small();
    s.training.lr = 0;
    s.training.batch_tokens = 100000;
    s.model.dropout = 0;
    s.classify.pretrain = 2;
    losses = 0;
    tl_run_free(train(&s, &events));
    ck_assert_int_eq(losses, 2);
    ck_assert_double_gt(fabs(first_losses[0] - first_losses[1]), 1e-3);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_checked_fixture(tc, enter, leave);
    tcase_add_test(tc, each_epoch_hides_other_words);
    tcase_add_test(tc, stages_are_told);
    tcase_add_loop_test(tc, asked, 0, 3);
    tcase_add_test(tc, scores_of_a_class);
    tcase_add_test(tc, the_second_stage_begins_where_the_first_ended);
}

TL_TEST_MAIN("run: classes")
