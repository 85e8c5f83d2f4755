/* Generation: each word is the most likely, or the one drawn, of what the model predicts when it reads the whole window
 * again. Windows move, texts end, memory does not grow, and what is refused. */
#include "gpt.h"

/* ---- a text, as it is reported ---- */

enum { MOST = 90 };
typedef struct told {
    int words[MOST];
    double log_p[MOST];
    int count, stop; /* stop: end the text after this many words; 0: do not */
} told;

static bool tell(void *to, int word, double log_p) {
    told *t = to;
    must(t->count < MOST);
    t->words[t->count] = word;
    t->log_p[t->count++] = log_p;
    return t->count != t->stop;
}

static const int prompt[] = {5, 7, 6, 4};
enum { PROMPT = 4 };
#define OPTIONS(...) \
 { .prompt = prompt, .prompt_length = PROMPT, .wrote = tell, __VA_ARGS__ }

/* The text for these options, 40 words unless they give another number. Checks that the tape's memory is as before. */
static told say(gpt_bench *k, tl_generate_options o) {
    told t = {.count = 0};
    const size_t used = tl_tape_stats_of(k->tape).used;
    o.to = &t;
    if (!o.most) o.most = 40;
    ck_assert_msg(tl_generate(&k->model.model, k->tape, &o), "%s", tl_tape_error(k->tape));
    ck_assert_uint_eq(tl_tape_stats_of(k->tape).used, used);
    return t;
}

static void assert_same(const told *a, const told *b, const char *what) {
    ck_assert_msg(a->count == b->count, "%s: %d words, not %d", what, a->count, b->count);
    ck_assert_msg(!memcmp(a->words, b->words, (size_t)a->count * sizeof *a->words), "%s: other words", what);
    ck_assert_msg(!memcmp(a->log_p, b->log_p, (size_t)a->count * sizeof *a->log_p), "%s: other log p", what);
}

static bool is_same(const told *a, const told *b) {
    return a->count == b->count && !memcmp(a->words, b->words, (size_t)a->count * sizeof *a->words);
}

/* ---- the model's prediction after a window ---- */

/* The logits after the window; the caller frees them. */
static tl_real *logits_behind(gpt_bench *k, const int *window, int length) {
    const tl_model *m = &k->model.model;
    tl_tape *tape = tl_tape_new();
    const tl_batch b = prefix_of(window, &length);
    tl_var hidden = m->kind->hidden(m, tape, &b, NULL);
    tl_tensor last = copied(tl_at(tl_value(m->kind->logits(m, hidden)), 0, length - 1));
    assert_no_error(tl_tape_error(tape));
    tl_tape_free(tape);
    return last.data;
}

/* How many ids the model has read before it writes word n of a text: all from the beginning or, once the text was
 * longer than `context`, from the last context/2 ids at that time. */
static int window_before(long context, int prompt_length, int n) {
    const int half = context > 1 ? (int)(context / 2) : 1;
    int length = prompt_length > context ? half : prompt_length;
    for (int i = 0; i < n; i++) length = length + 1 > context ? half : length + 1;
    return length;
}

/* Checks that each word is the most likely that is not forbidden, and has its log p. */
static void assert_greedy(gpt_bench *k, const told *t, const int *begin, int begin_length, long context,
                          int forbidden) {
    int text[128 + MOST];
    memcpy(text, begin, (size_t)begin_length * sizeof *text);
    memcpy(text + begin_length, t->words, (size_t)t->count * sizeof *text);
    for (int n = 0; n < t->count; n++) {
        const int length = window_before(context, begin_length, n),
                  *window = text + begin_length + n - length;
        tl_real *logits = logits_behind(k, window, length);
        int best = forbidden == 0;
        for (int v = best + 1; v < k->model.config.vocab; v++)
            if (v != forbidden && logits[v] > logits[best]) best = v;
        free(logits);
        ck_assert_msg(t->words[n] == best, "word %d of context %ld is %d, should be %d", n, context,
                      t->words[n], best);
        int next[128];
        double log_p[128];
        memcpy(next, window + 1, (size_t)length * sizeof *next);
        tl_batch b = prefix_of(window, &length);
        b.tgt_out = next;
        tl_tape *tape = tl_tape_new();
        ck_assert_msg(tl_log_p(&k->model.model, tape, &b, NULL, log_p), "%s", tl_tape_error(tape));
        tl_tape_free(tape);
        ck_assert_msg(log_p[length - 1] == t->log_p[n], "word %d: log p %.17g, not %.17g", n, t->log_p[n],
                      log_p[length - 1]);
    }
}

START_TEST(greedy_is_the_most_likely) {
    gpt_bench k = gpt_begin(&gpts[_i]);
    for (int no_cache = 0; no_cache < 2; no_cache++) {
        const told t = say(&k, (tl_generate_options)OPTIONS(.greedy = true, .no_cache = no_cache));
        ck_assert_int_eq(t.count, 40);
        assert_greedy(&k, &t, prompt, PROMPT, gpts[_i].max_len ? gpts[_i].max_len : 1024, -1);
    }
    gpt_end(&k);
}
END_TEST

/* Windows of any size move, more than once. Prompts may be longer than a window. */
START_TEST(windows_move) {
    static const long contexts[] = {1, 2, 3, 4, 5, 8, 17};
    gpt_bench k = gpt_begin(&gpts[_i]);
    int long_prompt[23];
    for (int i = 0; i < 23; i++) long_prompt[i] = sentence_word(1, 1, i, gpts[_i].vocab);
    for (size_t c = 0; c < sizeof contexts / sizeof *contexts; c++)
        for (int how = 0; how < 4; how++) {
            tl_generate_options o = OPTIONS(.greedy = true, .context = contexts[c], .no_cache = how % 2);
            if (how / 2) o.prompt = long_prompt, o.prompt_length = 23;
            const told t = say(&k, o);
            ck_assert_int_eq(t.count, 40);
            assert_greedy(&k, &t, o.prompt, (int)o.prompt_length, contexts[c], -1);
        }
    gpt_end(&k);
}
END_TEST

/* The window is also limited by the model's max_len, where learned positions end. */
START_TEST(longer_than_the_model_reads) {
    gpt_bench k = gpt_begin(&gpts[_i]);
    const told t = say(&k, (tl_generate_options)OPTIONS(.greedy = true, .most = MOST)),
               same = say(&k, (tl_generate_options)OPTIONS(.greedy = true, .most = MOST, .context = 64));
    ck_assert_int_eq(t.count, MOST);
    assert_greedy(&k, &t, prompt, PROMPT, 64, -1);
    assert_same(&t, &same, "max_len");
    gpt_end(&k);
}
END_TEST

/* ---- samples ---- */

/* Samples are those of a search with the same prompt. */
START_TEST(samples_are_a_searchs) {
    enum { SAMPLES = 4, LENGTH = 30 };
    static const struct {
        double temperature;
        int top_k;
        double top_p;
    } how[] = {{0, 0, 0}, {0.7, 0, 0}, {1.5, 4, 0}, {1, 0, 0.8}, {1.2, 6, 0.9}};
    gpt_bench k = gpt_begin(&gpts[_i]);
    const tl_batch nothing = {.sentences = 1};
    for (int i = 0; i < 5; i++) {
        const int forbidden[] = {6, 8};
        tl_search_options s = {.sample = true,
                               .nbest = SAMPLES,
                               .bos = -1,
                               .eos = -1,
                               .any_word = true,
                               .forbidden = forbidden,
                               .forbidden_count = 2,
                               .forced = prompt,
                               .forced_length = PROMPT,
                               .max_extra = LENGTH,
                               .seed = 9,
                               .temperature = how[i].temperature,
                               .top_k = how[i].top_k,
                               .top_p = how[i].top_p};
        tl_search_result r;
        tl_tape_reset(k.tape);
        ck_assert_msg(tl_search(&k.model.model, k.tape, &nothing, &s, &r), "%s", tl_tape_error(k.tape));
        for (long n = 0; n < SAMPLES; n++) {
            const told t =
                say(&k, (tl_generate_options)OPTIONS(.most = LENGTH - PROMPT, .number = n, .seed = 9,
                                                     .forbidden = forbidden, .forbidden_count = 2,
                                                     .temperature = how[i].temperature, .top_k = how[i].top_k,
                                                     .top_p = how[i].top_p));
            ck_assert_int_eq(t.count, LENGTH - PROMPT);
            ck_assert_msg(!memcmp(r.ids + n * r.capacity + PROMPT, t.words, (size_t)t.count * sizeof(int)),
                          "sample %ld is another", n);
        }
    }
    gpt_end(&k);
}
END_TEST

/* The same seed and number give the same text, on any number of threads, with caches and without, whatever else is on
 * the tape; others give another text. */
START_TEST(what_a_sample_depends_on) {
    gpt_bench k = gpt_begin(&gpts[_i]);
    const tl_generate_options o = OPTIONS(.context = 11, .seed = 4, .number = 7);
    tl_generate_options other = o;
    const told t = say(&k, o);
    for (int threads = 1; threads <= 5; threads += 2) {
        tl_set_threads(threads);
        const told again = say(&k, o);
        assert_same(&t, &again, "threads");
    }
    other.no_cache = true;
    told u = say(&k, other);
    assert_same(&t, &u, "no cache");
    k.model.model.no_cache = true; /* a model without caches */
    u = say(&k, o);
    assert_same(&t, &u, "a model without caches");
    k.model.model.no_cache = false;
    tl_tape_set_training(k.tape, 3);
    tl_tape_set_checking(k.tape, true);
    tl_var x = tl_full(k.tape, TL_SHAPE(3), 0.5);
    u = say(&k, o);
    assert_same(&t, &u, "training");
    ck_assert(tl_tape_training(k.tape) && !tl_tape_reuses_weights(k.tape));
    ck_assert(tl_ok(x) && tl_value(x).data[2] == (tl_real)0.5);
    ck_assert(tl_wants_grad(tl_use(k.tape, k.model.wte.weight)));
    tl_tape_set_training(k.tape, 0);
    other = o, other.seed = 5, u = say(&k, other);
    ck_assert(!is_same(&t, &u));
    other = o, other.number = 8, u = say(&k, other);
    ck_assert(!is_same(&t, &u));
    other = o, other.temperature = 3, u = say(&k, other);
    ck_assert(!is_same(&t, &u));
    gpt_end(&k);
}
END_TEST

/* Drawing from one word is greedy; drawing from two gives one of the two. */
START_TEST(few_words_to_draw_from) {
    gpt_bench k = gpt_begin(&gpts[_i]);
    const told greedy = say(&k, (tl_generate_options)OPTIONS(.greedy = true));
    told t = say(&k, (tl_generate_options)OPTIONS(.top_k = 1));
    assert_same(&t, &greedy, "top_k 1");
    t = say(&k, (tl_generate_options)OPTIONS(.top_p = 1e-9));
    assert_same(&t, &greedy, "top_p 1e-9");
    t = say(&k, (tl_generate_options)OPTIONS(.temperature = 1e-9));
    assert_same(&t, &greedy, "temperature 1e-9");
    t = say(&k, (tl_generate_options)OPTIONS(.top_k = 2, .temperature = 5, .context = 64));
    int text[PROMPT + MOST], second = 0;
    memcpy(text, prompt, sizeof prompt);
    memcpy(text + PROMPT, t.words, (size_t)t.count * sizeof *text);
    for (int n = 0; n < t.count; n++) {
        tl_real *logits = logits_behind(&k, text, PROMPT + n);
        int likelier = 0;
        for (int v = 0; v < gpts[_i].vocab; v++) likelier += logits[v] > logits[t.words[n]];
        ck_assert_int_lt(likelier, 2);
        second += likelier;
        free(logits);
    }
    ck_assert(second > 5 && second < 35);
    gpt_end(&k);
}
END_TEST

/* ---- ends and forbidden words ---- */

START_TEST(ends) {
    gpt_bench k = gpt_begin(&gpts[_i]);
    const told t = say(&k, (tl_generate_options)OPTIONS(.seed = 2));
    const int ends[] = {t.words[6], t.words[9]};
    told u = say(&k, (tl_generate_options)OPTIONS(.seed = 2, .ends = ends, .ends_count = 2));
    int first = 0;
    while (t.words[first] != ends[0] && t.words[first] != ends[1]) first++;
    ck_assert_int_eq(u.count, first + 1); /* the end is reported too */
    ck_assert(!memcmp(u.words, t.words, (size_t)u.count * sizeof *u.words));
    u = (told){.stop = 5}; /* the callback ends the text */
    tl_generate_options o = OPTIONS(.seed = 2, .most = 40, .to = &u);
    ck_assert(tl_generate(&k.model.model, k.tape, &o));
    ck_assert_int_eq(u.count, 5);
    ck_assert(!memcmp(u.words, t.words, 5 * sizeof *u.words));
    u = say(&k, (tl_generate_options)OPTIONS(.seed = 2, .most = 1));
    ck_assert(u.count == 1 && u.words[0] == t.words[0]);
    gpt_end(&k);
}
END_TEST

START_TEST(forbidden_words) {
    gpt_bench k = gpt_begin(&gpts[_i]);
    const told t = say(&k, (tl_generate_options)OPTIONS(.greedy = true));
    const int forbidden = t.words[20];
    const tl_generate_options o =
        OPTIONS(.greedy = true, .context = 12, .forbidden = &forbidden, .forbidden_count = 1);
    told u = say(&k, o);
    assert_greedy(&k, &u, prompt, PROMPT, 12, forbidden);
    tl_generate_options drawn = o;
    drawn.greedy = false;
    u = say(&k, drawn);
    for (int n = 0; n < u.count; n++) ck_assert_int_ne(u.words[n], forbidden);
    gpt_end(&k);
}
END_TEST

/* ---- memory ---- */

START_TEST(memory_stays) {
    gpt_bench k = gpt_begin(&gpts[_i]);
    size_t peak[3];
    for (int i = 0; i < 3; i++) {
        tl_tape_free(k.tape);
        k.tape = tl_tape_new();
        say(&k, (tl_generate_options)OPTIONS(.context = 8, .most = i == 0 ? 9 : i == 1 ? 30 : MOST));
        peak[i] = tl_tape_stats_of(k.tape).peak;
    }
    ck_assert_uint_eq(peak[0], peak[1]);
    ck_assert_uint_eq(peak[1], peak[2]);
    const long asked = tl_tape_stats_of(k.tape).allocations;
    say(&k, (tl_generate_options)OPTIONS(.context = 8));
    ck_assert_int_eq(tl_tape_stats_of(k.tape).allocations, asked);
    gpt_end(&k);
}
END_TEST

/* Within a window only keys and values grow, and arrays of the window's length. */
START_TEST(memory_of_a_window) {
    gpt_bench k = gpt_begin(&gpts[_i]);
    const tl_gpt_config *c = &k.model.config;
    size_t peak[2];
    for (int i = 0; i < 2; i++) {
        tl_tape_free(k.tape);
        k.tape = tl_tape_new();
        say(&k, (tl_generate_options)OPTIONS(.most = i ? 60 : 10));
        peak[i] = tl_tape_stats_of(k.tape).peak;
    }
    const size_t caches = (size_t)(2L * c->layers * 50 * c->d_model) * sizeof(tl_real);
    /* columns of keys are rounded up to whole cache lines */
    const size_t line = (size_t)(c->layers * c->d_model) * 64;
    ck_assert_uint_ge(peak[1] + line, peak[0] + caches);
    ck_assert_uint_lt(peak[1], peak[0] + caches + 16384);
    gpt_end(&k);
}
END_TEST

/* ---- what is refused ---- */

static void fails(gpt_bench *k, tl_generate_options o, const char *why) {
    told t = {.count = 0};
    o.to = &t;
    const size_t used = tl_tape_stats_of(k->tape).used;
    ck_assert_msg(!tl_generate(&k->model.model, k->tape, &o), "not refused: %s", why);
    assert_contains(tl_tape_error(k->tape), why);
    ck_assert_int_eq(t.count, 0);
    tl_tape_clear_error(k->tape);
    ck_assert_uint_eq(tl_tape_stats_of(k->tape).used, used);
    ck_assert(!tl_tape_reuses_weights(k->tape));
}

#define FAILS(set, why)                        \
 do {                                          \
  tl_generate_options o = OPTIONS(.most = 40); \
  set;                                         \
  fails(&k, o, why);                           \
 } while (0)

START_TEST(refusals) {
    gpt_bench k = gpt_begin(&gpts[0]);
    static const int wrong[] = {3, 13}, negative = -1;
    FAILS(o.prompt_length = 0, "generate: the prompt is empty");
    FAILS(o.prompt_length = -2, "generate: -2 prompt's words: give an array");
    FAILS(o.prompt = NULL, "generate: 4 prompt's words at NULL");
    FAILS((o.prompt = wrong, o.prompt_length = 2),
          "generate: id 13 among the prompt's words: there are words 0 … 12");
    FAILS(o.most = 0, "generate: most is 0, should be 1 or more words");
    FAILS(o.most = -1, "generate: most is -1");
    FAILS(o.context = -1, "generate: context is -1, should be 1 … 64");
    FAILS(o.context = 65, "generate: context is 65, should be 1 … 64");
    FAILS(o.wrote = NULL, "generate: wrote is NULL: give a function");
    FAILS((o.greedy = true, o.top_k = 3), "generate: temperature, top_k and top_p are for samples");
    FAILS(o.temperature = -1, "generate: temperature is -1");
    FAILS(o.temperature = NAN, "generate: temperature is nan");
    FAILS(o.top_k = -1, "generate: top_k is -1");
    FAILS(o.top_p = 1.5, "and top_p 1.5, 0 (all) … 1");
    FAILS(o.ends_count = 1, "generate: 1 words that end the text at NULL");
    FAILS((o.ends = wrong, o.ends_count = 2), "id 13 among the words that end");
    FAILS((o.ends = wrong, o.ends_count = -1), "generate: -1 words that end the text: give an array");
    FAILS((o.forbidden = &negative, o.forbidden_count = 1), "generate: id -1 among the forbidden words");
    int all[13];
    for (int v = 0; v < 13; v++) all[v] = v;
    for (int greedy = 0; greedy < 2; greedy++)
        FAILS((o.greedy = greedy, o.forbidden = all, o.forbidden_count = 13),
              "generate: there is nothing left to write as word 1: every word is forbidden");
    tl_tensor_fill(tl_param_value(k.model.ln_f.bias), (tl_real)NAN);
    tl_params_changed(k.params);
    tl_tape_set_checking(k.tape, false);
    FAILS(o.greedy = true, "generate: the model's logits for word 1 hold NaN or infinity");
    gpt_end(&k);
}
END_TEST

START_TEST(nothing_at_all) {
    gpt_bench k = gpt_begin(&gpts[0]);
    const tl_generate_options o = OPTIONS(.most = 40);
    const tl_model zeroed = {.kind = NULL};
    ck_assert(!tl_generate(&k.model.model, NULL, &o) && !tl_generate(NULL, NULL, NULL));
    ck_assert(!tl_generate(&k.model.model, k.tape, NULL));
    assert_contains(tl_tape_error(k.tape), "generate: the options are NULL");
    ck_assert(!tl_generate(&k.model.model, k.tape, &o)); /* the tape has failed already */
    tl_tape_clear_error(k.tape);
    for (int i = 0; i < 2; i++) {
        ck_assert(!tl_generate(i ? &zeroed : NULL, k.tape, &o));
        assert_contains(tl_tape_error(k.tape), "the model is NULL or zeroed");
        tl_tape_clear_error(k.tape);
    }
    gpt_end(&k);
}
END_TEST

/* A text of the largest possible length fits no memory, but a window does. */
START_TEST(endless) {
    tl_gpt_config config = gpts[1];
    config.max_len = 1L << 62;
    gpt_bench k = gpt_begin(&config);
    told t = {.stop = 3};
    tl_generate_options o = OPTIONS(.most = (1L << 62) - 1, .to = &t, .context = 50);
    ck_assert_msg(tl_generate(&k.model.model, k.tape, &o), "%s", tl_tape_error(k.tape));
    ck_assert_int_eq(t.count, 3);
    fails(&k, (tl_generate_options)OPTIONS(.most = (1L << 62) - 1), "is more than memory can hold");
    gpt_end(&k);
}
END_TEST

START_TEST(models_with_a_source) {
    bench k = bench_begin(&bench_small);
    told t = {.count = 0};
    const tl_generate_options o = OPTIONS(.most = 40, .to = &t);
    ck_assert(!tl_generate(&k.model.model, k.tape, &o));
    assert_contains(tl_tape_error(k.tape), "generate: a transformer reads a source: tl_search writes");
    tl_tape_clear_error(k.tape);
    tl_classifier c = tl_classifier_init(
        k.params, "c",
        &(tl_classifier_config){.vocab = 9, .classes = 2, .d_model = 8, .heads = 2, .layers = 1});
    ck_assert(!tl_generate(&c.model, k.tape, &o));
    assert_contains(tl_tape_error(k.tape), "this kind of model writes no words");
    tl_tape_clear_error(k.tape);
    tl_seq2seq s = tl_seq2seq_init(
        k.params, "s",
        &(tl_seq2seq_config){.src_vocab = 9, .tgt_vocab = 13, .d_model = 8, .no_attention = true});
    ck_assert(!tl_generate(&s.model, k.tape, &o));
    ck_assert(tl_tape_error(k.tape) && t.count == 0);
    tl_tape_clear_error(k.tape);
    bench_end(&k);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, greedy_is_the_most_likely, 0, GPTS);
    tcase_add_loop_test(tc, windows_move, 0, GPTS);
    tcase_add_loop_test(tc, longer_than_the_model_reads, 0, 6);
    tcase_add_loop_test(tc, samples_are_a_searchs, 0, GPTS);
    tcase_add_loop_test(tc, what_a_sample_depends_on, 0, GPTS);
    tcase_add_loop_test(tc, few_words_to_draw_from, 0, GPTS);
    tcase_add_loop_test(tc, ends, 0, GPTS);
    tcase_add_loop_test(tc, forbidden_words, 0, GPTS);
    tcase_add_loop_test(tc, memory_stays, 0, GPTS);
    tcase_add_loop_test(tc, memory_of_a_window, 0, GPTS);
    tcase_add_test(tc, refusals);
    tcase_add_test(tc, nothing_at_all);
    tcase_add_test(tc, endless);
    tcase_add_test(tc, models_with_a_source);
}
TL_TEST_MAIN("models: texts that are written on")
