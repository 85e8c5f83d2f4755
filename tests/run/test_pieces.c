/* Byte pairs in a run: cut by chance anew each epoch, and into pieces that are frequent enough. */
#define _XOPEN_SOURCE 700
#include "fixture.h"

#include "run/run.h"

static scratch here;
static void enter(void) { here = quiet_scratch(); }
static void leave(void) { scratch_remove(&here); }

static const char *in_here(const char *dir, const char *file) {
    static char path[8][1100];
    static int next;
    next = (next + 1) % 8;
    snprintf(path[next], sizeof path[next], "%s/%s%s%s", here.folder, dir, *file ? "/" : "", file);
    return path[next];
}

static bool same_file(const char *a, const char *b, const char *file) {
    size_t size[2];
    char *bytes[2] = {get_file(in_here(a, file), &size[0]), get_file(in_here(b, file), &size[1])};
    const bool equal = size[0] == size[1] && !memcmp(bytes[0], bytes[1], size[0]);
    free(bytes[0]);
    free(bytes[1]);
    return equal;
}

/* The sentences of `known` and more, with words that share parts. */
#define SENTENCES                               \
 KNOWN "the lower houses\tles maisons basses\n" \
       "the lowest house\tla maison basse\n"    \
       "the slower horses\tles chevaux lents\n" \
       "the slowest horse sleeps\tle cheval lent dort\n"

static tl_run_settings settings_of(double dropout, long threshold) {
    static char pairs[1100];
    tl_run_settings s = small_settings();
    snprintf(pairs, sizeof pairs, "%s/pairs.tsv", here.folder);
    put_text(pairs, SENTENCES);
    s.data.task = NULL;
    s.data.train = s.data.valid = pairs;
    s.text.units = "bpe";
    s.text.merges = 60;
    s.text.bpe_dropout = dropout;
    s.text.bpe_vocabulary_threshold = threshold;
    s.training.batch_tokens = 20;
    s.training.steps = 0;
    s.training.epochs = 4;
    s.validation.validate_every = 1000;
    s.validation.average = 0;
    return s;
}

static tl_training_end train(const char *dir, const tl_run_settings *s) {
    tl_training_end end;
    tl_run *run = tl_run_new(in_here(dir, ""), s);
    ck_assert_msg(tl_run_train(run, false, &end) == TL_ENDED, "%s", tl_run_error(run));
    tl_run_free(run);
    return end;
}

static tl_run *open_here(const char *dir) {
    tl_error error = {""};
    tl_run *run = tl_run_open(in_here(dir, ""), NULL, &error);
    ck_assert_msg(run != NULL, "%s", error.message);
    return run;
}

/* ---- one epoch's cut ---- */

static tl_corpus *lines_of(const tl_run_settings *s) {
    tl_error error = {""};
    tl_corpus *lines = tl_pairs_of(s, TL_PART_TRAIN, NULL, &error);
    ck_assert_msg(lines != NULL, "%s", error.message);
    return lines;
}

static int differences(const tl_corpus *a, const tl_corpus *b, tl_side side) {
    int count = 0;
    for (long i = 0; i < tl_corpus_size(a); i++)
        count += strcmp(tl_corpus_sentence(a, side, i), tl_corpus_sentence(b, side, i)) != 0;
    return count;
}

/* Every sentence is there, joins to its line again, and consists of pieces that have ids. */
static void assert_sound(tl_run *run, const tl_corpus *lines, const tl_corpus *cut) {
    ck_assert_int_eq(tl_corpus_size(cut), tl_corpus_size(lines));
    for (long i = 0; i < tl_corpus_size(cut); i++)
        for (int side = TL_SOURCE; side <= TL_TARGET; side++) {
            long count;
            const int *ids = tl_corpus_ids(cut, side, i, &count);
            for (long k = 0; k < count; k++)
                ck_assert_msg(ids[k] != TL_UNK, "<unk> in %s", tl_corpus_sentence(cut, side, i));
            char *line = tl_run_join(run, side, tl_corpus_sentence(cut, side, i));
            ck_assert_str_eq(line, tl_corpus_sentence(lines, side, i));
            free(line);
        }
}

START_TEST(epochs_are_cut_anew) {
    for (int way = 0; way < 4; way++) { /* each with a vocabulary that must hold all pieces */
        tl_run_settings s = settings_of(0.4, way % 2 ? 3 : 0);
        s.text.joint = way / 2;
        s.training.epochs = 1;
        char dir[16];
        snprintf(dir, sizeof dir, "run%d", way);
        train(dir, &s);
        tl_run *run = open_here(dir);
        tl_corpus *lines = lines_of(&s), *plain = tl_run_encode(run, lines);
        assert_sound(run, lines, plain);
        tl_corpus *cut[30];
        int others = 0;
        for (int epoch = 0; epoch < 30; epoch++) {
            cut[epoch] = tl_run_cut_for_epoch(run, lines, plain, epoch, 1000);
            ck_assert_msg(cut[epoch] != NULL, "%s", tl_run_error(run));
            assert_sound(run, lines, cut[epoch]);
            others += epoch && differences(cut[epoch], cut[0], TL_SOURCE) &&
                      differences(cut[epoch], cut[0], TL_TARGET);
        }
        ck_assert_int_eq(others, 29);
        tl_corpus *again = tl_run_cut_for_epoch(run, lines, plain, 7, 1000);
        ck_assert(!differences(again, cut[7], TL_SOURCE) && !differences(again, cut[7], TL_TARGET));
        tl_corpus_free(again);
        tl_run_settings_of(run)->training.seed = 9;
        again = tl_run_cut_for_epoch(run, lines, plain, 7, 1000);
        ck_assert(differences(again, cut[7], TL_SOURCE));
        tl_corpus_free(again);
        again = tl_run_cut_for_epoch(run, lines, plain, 7, 1); /* every sentence is longer than that */
        ck_assert(!differences(again, plain, TL_SOURCE) && !differences(again, plain, TL_TARGET));
        tl_corpus_free(again);
        tl_run_settings_of(run)->text.src_units = "words"; /* a side with other units does not change */
        again = tl_run_cut_for_epoch(run, lines, plain, 7, 1000);
        ck_assert(!differences(again, plain, TL_SOURCE) && differences(again, plain, TL_TARGET));
        tl_corpus_free(again);
        for (int epoch = 0; epoch < 30; epoch++) tl_corpus_free(cut[epoch]);
        tl_corpus_free(lines);
        tl_corpus_free(plain);
        tl_run_free(run);
    }
}
END_TEST

/* Equal sentences are cut independently, and so are the two sides. */
START_TEST(sentences_and_sides_have_their_own_chance) {
    tl_run_settings s = settings_of(0.5, 0);
    s.training.epochs = 1;
    train("run", &s);
    tl_run *run = open_here("run");
    tl_corpus *lines = tl_corpus_new();
    for (int i = 0; i < 40; i++) ck_assert(tl_corpus_add(lines, "the slowest horse", "the slowest horse"));
    tl_corpus *plain = tl_run_encode(run, lines), *cut = tl_run_cut_for_epoch(run, lines, plain, 0, 1000);
    int sides = 0, sentences = 0;
    for (int i = 0; i < 40; i++) {
        sides += strcmp(tl_corpus_sentence(cut, TL_SOURCE, i), tl_corpus_sentence(cut, TL_TARGET, i)) != 0;
        sentences +=
            strcmp(tl_corpus_sentence(cut, TL_SOURCE, i), tl_corpus_sentence(cut, TL_SOURCE, 0)) != 0;
    }
    ck_assert(sides > 20 && sentences > 20);
    tl_corpus_free(lines), tl_corpus_free(plain), tl_corpus_free(cut);
    tl_run_free(run);
}
END_TEST

/* ---- training ---- */

typedef struct stopper {
    tl_events events;
    long at;
    bool stop;
} stopper;
static bool stop(void *context) { return ((stopper *)context)->stop; }
static void updated(void *context, long step, double loss, double tokens) {
    stopper *s = context;
    s->stop |= step == s->at;
    (void)loss, (void)tokens;
}

START_TEST(goes_on_to_the_same_bits) {
    tl_run_settings s = settings_of(0.3, 0);
    s.training.accumulate = 2;
    tl_training_end whole = train("whole", &s);
    /* all epochs, whatever their number of batches */
    ck_assert(whole.state.epoch == 4 && whole.state.step > 8);
    ck_assert_str_eq(whole.why, "all steps are done");
    for (long at = 1, done = 0; !done; at += 2) {
        tl_error error = {""};
        stopper st = {.at = at};
        st.events = (tl_events){.context = &st, .stop = stop, .updated = updated};
        tl_run *run = at == 1 ? tl_run_new(in_here("run", ""), &s)
                              : tl_run_open(in_here("run", ""), &(tl_run_choice){.weights = "none"}, &error);
        ck_assert_msg(run != NULL, "%s", error.message);
        tl_run_tell(run, &st.events);
        tl_training_end end;
        const tl_ending ending = tl_run_train(run, false, &end);
        ck_assert_msg(ending != TL_FAILED, "%s", tl_run_error(run));
        done = ending == TL_ENDED;
        if (done) ck_assert(end.state.step == whole.state.step && end.state.epoch == 4);
        tl_run_free(run);
    }
    ck_assert(same_file("run", "whole", "last.safetensors") && same_file("run", "whole", "config.txt"));
    tl_set_threads(2);
    train("two", &s);
    ck_assert(same_file("two", "whole", "last.safetensors"));
}
END_TEST

START_TEST(none_is_what_it_was) {
    tl_run_settings none = settings_of(0, 0), some = settings_of(0.3, 0);
    none.training.epochs = some.training.epochs = 2;
    train("none", &none);
    train("some", &some);
    ck_assert(!same_file("none", "some", "last.safetensors"));
    char *config = get_file(in_here("none", "config.txt"), NULL);
    ck_assert(!strstr(config, "bpe-"));
    free(config);
    config = get_file(in_here("some", "config.txt"), NULL);
    assert_contains(config, "\nbpe-dropout = 0.3\n");
    ck_assert(!strstr(config, "bpe-vocabulary"));
    free(config);
    tl_run *run = open_here("some"), *merges = open_here("none"); /* translating cuts without chance */
    for (int i = 0; i < 5; i++) {
        char *cut = tl_run_cut(run, TL_SOURCE, "the slowest horse"),
             *expected = tl_run_cut(merges, TL_SOURCE, "the slowest horse");
        ck_assert_str_eq(cut, expected);
        free(cut), free(expected);
    }
    tl_run_free(run), tl_run_free(merges);
}
END_TEST

/* ---- pieces that are frequent enough ---- */

static long times_in(const tl_corpus *cut, tl_side side, const char *token) {
    long count = 0;
    const size_t length = strlen(token);
    for (long i = 0; i < tl_corpus_size(cut); i++) {
        const char *line = tl_corpus_sentence(cut, side, i);
        size_t size;
        for (const char *t; (t = tl_text_token(line, strlen(line), &size)); line = t + size)
            count += size == length && !memcmp(t, token, size);
    }
    return count;
}

static size_t letters_of(const char *token) {
    size_t size = strlen(token);
    return size > 2 && !strcmp(token + size - 2, "@@") ? size - 2 : size;
}

/* A side's vocabulary has the pieces that are frequent enough, and letters, into which others are split. */
START_TEST(rare_pieces_are_split) {
    for (int joint = 0; joint < 2; joint++) {
        tl_run_settings s = settings_of(0, 0), rare = settings_of(0, 3);
        s.training.epochs = rare.training.epochs = 1;
        s.text.joint = rare.text.joint = joint;
        train(joint ? "all-joint" : "all", &s);
        train(joint ? "often-joint" : "often", &rare);
        tl_run *all = open_here(joint ? "all-joint" : "all"),
               *often = open_here(joint ? "often-joint" : "often");
        tl_corpus *lines = lines_of(&s), *plain = tl_run_encode(all, lines),
                  *split = tl_run_encode(often, lines);
        assert_sound(often, lines, split);
        for (int side = TL_SOURCE; side <= TL_TARGET; side++) {
            const tl_vocab *vocab = tl_run_vocab(often, side);
            int longer = 0;
            for (int id = TL_SPECIALS; id < tl_vocab_size(vocab); id++) {
                const char *token = tl_vocab_token(vocab, id);
                long times = times_in(plain, side, token) + (joint ? times_in(plain, !side, token) : 0);
                ck_assert_msg(times >= 3 || letters_of(token) == 1, "%s is seen %ld times", token, times);
                longer += letters_of(token) > 1;
            }
            ck_assert_int_gt(longer, 3);
            ck_assert(differences(plain, split, side));
        }
        char *cut = tl_run_cut(often, TL_SOURCE, "le chien"),
             *known = tl_run_cut(often, TL_TARGET, "le chien");
        ck_assert_str_eq(known, "le chien"); /* a word of the target */
        ck_assert(joint ? !strcmp(cut, known) : strcmp(cut, known) != 0);
        free(cut), free(known);
        tl_corpus_free(lines), tl_corpus_free(plain), tl_corpus_free(split);
        tl_run_free(all), tl_run_free(often);
    }
}
END_TEST

START_TEST(settings_that_do_not_go_together) {
    for (int i = 0; i < 2; i++) {
        tl_run_settings s = settings_of(i ? 0 : 0.1, i ? 5 : 0);
        tl_error error = {""};
        s.text.units = "words";
        ck_assert(!tl_run_settings_complete(&s, &error));
        ck_assert_str_eq(error.message,
                         i ? "--bpe-vocabulary-threshold needs byte pairs, and neither side consists "
                             "of them: say --units bpe"
                           : "--bpe-dropout needs byte pairs, and neither side consists of them: say "
                             "--units bpe");
        s.text.tgt_units = "bpe";
        tl_error_clear(&error);
        ck_assert(tl_run_settings_complete(&s, &error));
    }
    tl_run_settings s = settings_of(0, 100);
    tl_run *run = tl_run_new(in_here("run", ""), &s);
    ck_assert_int_eq(tl_run_train(run, false, NULL), TL_FAILED);
    assert_contains(tl_run_error(run), "no word is seen --bpe-vocabulary-threshold 100 times: lower it");
    tl_run_free(run);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_checked_fixture(tc, enter, leave);
    tcase_add_test(tc, epochs_are_cut_anew);
    tcase_add_test(tc, sentences_and_sides_have_their_own_chance);
    tcase_add_test(tc, goes_on_to_the_same_bits);
    tcase_add_test(tc, none_is_what_it_was);
    tcase_add_test(tc, rare_pieces_are_split);
    tcase_add_test(tc, settings_that_do_not_go_together);
}
TL_TEST_MAIN("run: pieces of words")
