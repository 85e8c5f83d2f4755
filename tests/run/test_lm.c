/* Language models by the library: text to ids and back, measurements, writing, settings. */
#define _XOPEN_SOURCE 700
#include "fixture.h"
#include "nothing.h"

#include <math.h>

static scratch here;
static tl_error error;

static void enter(void) {
    here = quiet_scratch();
    tl_error_clear(&error);
}
static void leave(void) { scratch_remove(&here); }

static const char *in_folder(const char *name) {
    static char path[64][256]; /* settings keep pointers to them */
    static int next;
    ck_assert_int_lt(++next, 64);
    snprintf(path[next], sizeof path[next], "%s/%s", here.folder, name);
    return path[next];
}

/* ---- a small run ---- */

#define POEM                                                                 \
 "the cat, the dog and the café sleep;\n"                                   \
 "the dog and the cat sleep, and so does the café!\n\n"                     \
 "a cat sleeps: the dog sleeps, too.\n"                                      \
 "\xE7\x8C\xAB\xE7\x9D\xA1\xE8\xA7\x89\xE3\x80\x82 the dog and the café.\n" \
 "the cat sleeps and the dog sleeps and the café sleeps"

static tl_run_settings small(const char *units) {
    tl_run_settings s = tl_run_settings_of_program("lm");
    s.data.train = s.data.valid = in_folder("poem.txt");
    s.text.units = units;
    s.text.merges = 20;
    s.text.min_count = 1;
    s.model.preset = "toy";
    s.model.d_model = 16;
    s.model.heads = 2;
    s.model.layers = 1;
    s.lm.context = 12;
    s.lm.batch = 4;
    s.training.steps = 20;
    s.training.warmup = 4;
    s.training.lr = 0.01;
    s.validation.validate_every = 10;
    return s;
}

/* Trained in the folder "run", and opened again. */
static tl_run *trained(const tl_run_settings *settings) {
    put_text(in_folder("poem.txt"), POEM);
    tl_run *run = tl_run_new(in_folder("run"), settings);
    tl_ending ending = tl_run_train(run, true, NULL);
    ck_assert_msg(ending == TL_ENDED, "%s", tl_run_error(run));
    tl_run_free(run);
    run = tl_run_open(in_folder("run"), NULL, &error);
    ck_assert_msg(run != NULL, "%s", error.message);
    return run;
}

/* ---- ids ---- */

START_TEST(ids_of_characters) {
    tl_run_settings s = small("chars");
    tl_run *run = trained(&s);
    const tl_vocab *v = tl_run_vocab(run, TL_TARGET);
    tl_lm_text t;
    ck_assert(tl_lm_encode(run, "a\n\nca", 5, &t));
    const int expected[] = {TL_EOS, tl_vocab_id(v, "a"), TL_EOS,
                            TL_EOS, tl_vocab_id(v, "c"), tl_vocab_id(v, "a")};
    ck_assert_int_eq(t.count, 6);
    ck_assert_mem_eq(t.ids, expected, sizeof expected);
    ck_assert(t.bytes == 5 && !t.unknown && !t.starts && !t.texts);
    tl_lm_text_free(&t);
    ck_assert(tl_lm_encode(run, "cZ", 2, &t) && t.unknown == 1 && t.ids[2] == TL_UNK);
    tl_lm_text_free(&t);
    ck_assert(tl_lm_encode(run, "", 0, &t) && t.count == 0);
    ck_assert(!tl_lm_encode(run, "a\0b", 3, &t));
    assert_contains(tl_run_error(run), "the text has a zero byte at 1");
    tl_lm_text_free(&t);
    tl_run_free(run);
}
END_TEST

START_TEST(ids_of_lines) {
    tl_run_settings s = small("words");
    s.lm.lines = true;
    s.lm.context = 0;
    tl_run *run = trained(&s);
    /* the longest line's tokens and its line end */
    ck_assert_int_eq(tl_run_settings_of(run)->lm.context, 14);
    ck_assert_int_eq(tl_run_gpt(run)->config.max_len, 14);
    const tl_vocab *v = tl_run_vocab(run, TL_TARGET);
    tl_lm_text t;
    const char text[] = "the dog\n\nsleeps"; /* an empty line counts as no text */
    ck_assert(tl_lm_encode(run, text, strlen(text), &t));
    const int expected[] = {
        TL_BOS, tl_vocab_id(v, "the"), tl_vocab_id(v, "dog"), TL_EOS, TL_BOS, tl_vocab_id(v, "sleeps"),
        TL_EOS};
    ck_assert_int_eq(t.count, 7);
    ck_assert_mem_eq(t.ids, expected, sizeof expected);
    ck_assert(t.texts == 2 && t.starts[0] == 0 && t.starts[1] == 4 && t.starts[2] == 7);
    ck_assert_int_eq(t.bytes, 8 + 7);
    tl_lm_text_free(&t);
    tl_run_free(run);
}
END_TEST

START_TEST(ids_of_bytes) {
    tl_run_settings s = small("bpe");
    tl_run *run = trained(&s);
    const tl_byte_bpe *bpe = tl_run_byte_bpe(run);
    ck_assert_int_eq(tl_byte_bpe_size(bpe), 256 + 20 + 1);
    ck_assert_int_eq(tl_run_gpt(run)->config.vocab, 277);
    tl_lm_text t;
    const char text[] = "the caf\xC3\xA9\0\xFF\n";
    ck_assert(tl_lm_encode(run, text, sizeof text - 1, &t));
    ck_assert_int_eq(t.ids[0], tl_byte_bpe_special(bpe, "<|endoftext|>"));
    char back[64];
    ck_assert_int_eq(tl_byte_bpe_decode(bpe, t.ids + 1, t.count - 1, back, sizeof back), sizeof text - 1);
    ck_assert_mem_eq(back, text, sizeof text - 1);
    ck_assert_int_eq(t.bytes, sizeof text - 1);
    tl_lm_text_free(&t);
    tl_run_free(run);
    /* another run takes this run's byte pairs from its folder; and lines end with the end token */
    tl_run_settings other = small("bpe");
    other.lm.tokenizer = in_folder("first");
    other.lm.lines = true;
    ck_assert_int_eq(rename(in_folder("run"), other.lm.tokenizer), 0);
    run = trained(&other);
    ck_assert_int_eq(tl_byte_bpe_size(tl_run_byte_bpe(run)), 277);
    ck_assert(tl_lm_encode(run, "a\nb\n", 4, &t) && t.texts == 2 && t.count == 6);
    ck_assert(t.ids[0] == 276 && t.ids[2] == 276 && t.ids[3] == 276 && t.ids[5] == 276);
    tl_lm_text_free(&t);
    tl_run_free(run);
}
END_TEST

/* ---- what is held out ---- */

/* Validation sentences made here do not occur in training. */
START_TEST(made_here) {
    static const char *const languages[] = {"en", "fr", "zh"};
    for (int l = 0; l < 3; l++) {
        tl_run_settings s = small("words");
        s.data.train = s.data.valid = NULL;
        s.data.sentences = 300;
        s.lm.made = languages[l];
        s.lm.lines = true;
        tl_run *run = trained(&s);
        size_t size;
        char *valid = tl_lm_valid_text(run, &size);
        ck_assert_msg(valid && size == strlen(valid), "%s", tl_run_error(run));
        tl_corpus *corpus = tl_corpus_new();
        ck_assert(tl_corpus_grammar(corpus, &(tl_grammar_config){.pair = l == 2 ? "en-zh" : "en-fr",
                                                                 .part = TL_GRAMMAR_TRAIN,
                                                                 .sentences = 300,
                                                                 .seed = 1}));
        int lines = 0;
        for (char *line = strtok(valid, "\n"); line; line = strtok(NULL, "\n"), lines++)
            for (long i = 0; i < 300; i++)
                ck_assert_str_ne(line, tl_corpus_sentence(corpus, l ? TL_TARGET : TL_SOURCE, i));
        ck_assert_int_eq(lines, 500);
        tl_corpus_free(corpus);
        free(valid);
        tl_run_free(run);
    }
}
END_TEST

START_TEST(drawn_lines) {
    char *valid[2];
    for (int seed = 0; seed < 2; seed++) {
        size_t size;
        tl_run_settings s = small("chars");
        s.data.valid = NULL;
        s.lm.lines = true;
        s.lm.valid_share = 0.5;
        s.training.seed = seed + 3;
        tl_run *run = trained(&s);
        valid[seed] = tl_lm_valid_text(run, &size);
        ck_assert_ptr_nonnull(valid[seed]);
        tl_run_free(run);
    }
    ck_assert_str_ne(valid[0], valid[1]);
    free(valid[0]), free(valid[1]);
}
END_TEST

/* ---- measurements ---- */

/* Compares with log p of each id, given those before it in its window. */
START_TEST(measured) {
    static const char *const units[] = {"chars", "words", "bpe"};
    for (int u = 0; u < 3; u++) {
        tl_run_settings s = small(units[u]);
        tl_run *run = trained(&s);
        tl_lm_text t;
        tl_quality q;
        tl_batch batch;
        double sum = 0, log_p[12];
        ck_assert(tl_lm_encode(run, POEM, strlen(POEM), &t) && tl_lm_measure(run, &t, &q));
        tl_windows *w =
            tl_windows_new(t.ids, t.count, &(tl_windows_config){.length = 12, .batch = 1, .pad = -1});
        while (tl_windows_next(w, &batch)) {
            tl_tape_reset(tl_run_tape(run));
            ck_assert(tl_log_p(tl_run_model(run), tl_run_tape(run), &batch, NULL, log_p));
            for (long i = 0; i < batch.tgt_len; i++) sum -= log_p[i];
        }
        ck_assert_int_eq(q.tokens, t.count - 1);
        ck_assert_int_eq(q.bytes, strlen(POEM));
        ck_assert_double_eq_tol(q.loss, sum / (double)q.tokens, 1e-5);
        ck_assert_double_eq_tol(tl_bits_per_byte(&q), sum / ((double)strlen(POEM) * log(2)), 1e-5);
        ck_assert(q.accuracy >= 0 && q.accuracy <= 1 && q.loss > 0.1);
        tl_windows_free(w);
        tl_lm_text_free(&t);
        tl_run_free(run);
    }
    ck_assert(tl_bits_per_byte(NULL) == 0 && tl_bits_per_byte(&(tl_quality){.loss = 1}) == 0);
}
END_TEST

/* ---- writing ---- */

typedef struct written {
    char text[8192];
    size_t size;
    int pieces;
    size_t first; /* bytes in the first piece */
    size_t most;  /* bytes to accept; 0: all */
} written;

static bool hear(void *to, const char *piece, size_t size) {
    written *w = to;
    ck_assert(size > 0 && w->size + size < sizeof w->text);
    if (!w->pieces) w->first = size;
    memcpy(w->text + w->size, piece, size);
    w->size += size;
    w->text[w->size] = 0;
    w->pieces++;
    return !w->most || w->size < w->most;
}

/* Text comes in pieces, begins with the prompt, and is the text of the ids. */
START_TEST(written_in_pieces) {
    static const char *const units[] = {"chars", "words", "bpe"}, *const prompts[] = {"",
                                                                                      "the caf\xC3\xA9, the ",
                                                                                      "the\ndog"};
    for (int u = 0; u < 3; u++) {
        tl_run_settings s = small(units[u]);
        s.training.steps = 60;
        tl_run *run = trained(&s);
        for (int p = 0; p < 3; p++) {
            written one = {.size = 0}, two = {.size = 0}, other = {.size = 0};
            tl_lm_write_options o = {.prompt = prompts[p], .tokens = 60, .seed = 4, .tell = hear, .to = &one};
            ck_assert_msg(tl_lm_write(run, &o), "%s", tl_run_error(run));
            o.to = &two;
            ck_assert(tl_lm_write(run, &o));
            ck_assert_str_eq(one.text, two.text);
            o.number = 1, o.to = &other;
            ck_assert(tl_lm_write(run, &o));
            ck_assert_str_ne(one.text, other.text);
            ck_assert_int_gt(one.pieces, 10);
            /* with words there is no space after the last one */
            const size_t sure = strlen(prompts[p]) - (u == 1 && p == 1);
            ck_assert_msg(!strncmp(one.text, prompts[p], sure), "%s", one.text);
            ck_assert_ptr_null(strstr(one.text, "<unk>"));
            if (u) continue; /* an untrained model's words and bytes may be cut differently */
            tl_lm_text t, prompt;
            ck_assert(tl_lm_encode(run, one.text, one.size, &t) &&
                      tl_lm_encode(run, prompts[p], strlen(prompts[p]), &prompt));
            ck_assert_int_eq(t.unknown, 0);
            ck_assert_int_eq(t.count, (p ? prompt.count : 1) + 60);
            tl_lm_text_free(&t), tl_lm_text_free(&prompt);
        }
        tl_run_free(run);
    }
}
END_TEST

/* A character of several tokens comes whole; bytes that make no character come too. */
START_TEST(whole_characters) {
    tl_run_settings s = small("bpe");
    tl_run *run = trained(&s);
    tl_lm_text t;
    const char cat[] = "\xE7\x8C\xAB";
    ck_assert(tl_lm_encode(run, cat, 3, &t) && t.count == 4); /* <|endoftext|>, and a token for each byte */
    tl_lm_text_free(&t);
    written w = {.most = 1}, loose = {.most = 1};
    ck_assert(tl_lm_write(run, &(tl_lm_write_options){.prompt = cat, .tell = hear, .to = &w}));
    ck_assert_int_eq(w.first, 3);
    ck_assert(tl_lm_write(run, &(tl_lm_write_options){.prompt = "\x8C"
                                                                "a",
                                                      .tell = hear,
                                                      .to = &loose}));
    ck_assert_int_eq(loose.first, 1);
    tl_run_free(run);
}
END_TEST

/* A prompt's line is passed on in a few pieces, not after each token: each piece costs a pass over the whole line. */
START_TEST(long_prompts) {
    enum { LONG = 3000 };
    static char prompt[2 * LONG + 2];
    memset(prompt, 'a', sizeof prompt - 1);
    prompt[LONG] = '\n';
    for (int u = 0; u < 2; u++) {
        tl_run_settings s = small(u ? "words" : "chars");
        tl_run *run = trained(&s);
        written w = {.size = 0};
        for (long i = 1; u && i < LONG; i += 2) prompt[i] = prompt[LONG + 1 + i] = ' ';
        ck_assert(
            tl_lm_write(run, &(tl_lm_write_options){.prompt = prompt, .tokens = 1, .tell = hear, .to = &w}));
        ck_assert_int_le(w.pieces, 10);
        tl_run_free(run);
    }
}
END_TEST

/* Rows of the embedding without a token are never written. */
START_TEST(rows_without_a_token) {
    tl_run_settings s = small("chars");
    s.lm.vocab = 300;
    tl_run *run = trained(&s);
    ck_assert_int_eq(tl_run_gpt(run)->config.vocab, 300);
    written w = {.size = 0};
    tl_lm_text t;
    ck_assert(
        tl_lm_write(run, &(tl_lm_write_options){.tokens = 60, .temperature = 9, .tell = hear, .to = &w}));
    ck_assert(tl_lm_encode(run, w.text, w.size, &t));
    ck_assert_int_eq(t.count, 61);
    tl_lm_text_free(&t);
    tl_run_free(run);
    s.lm.vocab = 20;
    run = tl_run_new(in_folder("other"), &s);
    ck_assert_int_eq(tl_run_train(run, false, NULL), TL_FAILED);
    assert_contains(tl_run_error(run), "--vocab 20: there are ");
    tl_run_free(run);
}
END_TEST

static double item(tl_var logits, long t, long v) { return tl_item(tl_at(tl_value(logits), 0, t, v)); }

/* Each token is the most likely one after those before it. */
START_TEST(written_greedily) {
    tl_run_settings s = small("chars");
    tl_run *run = trained(&s);
    written w = {.size = 0};
    tl_lm_text t, begin;
    ck_assert(tl_lm_write(
        run, &(tl_lm_write_options){.prompt = "the", .tokens = 30, .greedy = true, .tell = hear, .to = &w}));
    ck_assert(tl_lm_encode(run, w.text, w.size, &t) && tl_lm_encode(run, "the", 3, &begin));
    ck_assert_int_eq(t.count, begin.count + 30);
    for (long n = begin.count; n < 12; n++) { /* as far as the model reads at once */
        const tl_batch batch = {
            .sentences = 1, .tgt_len = n, .tgt_in = t.ids, .tgt_lengths = (int[]){(int)n}, .pad = -1};
        tl_tape *tape = tl_run_tape(run);
        tl_tape_reset(tape);
        const tl_model *model = tl_run_model(run);
        tl_var logits = model->kind->logits(model, model->kind->hidden(model, tape, &batch, NULL));
        ck_assert_msg(tl_ok(logits), "%s", tl_tape_error(tape));
        long best = -1;
        for (long v = TL_EOS; v < model->tgt_vocab; v++) {
            if (v == TL_UNK) continue;
            if (best < 0 || item(logits, n - 1, v) > item(logits, n - 1, best)) best = v;
        }
        ck_assert_int_eq(best, t.ids[n]);
    }
    tl_lm_text_free(&t), tl_lm_text_free(&begin);
    tl_run_free(run);
}
END_TEST

static char warned[512];
static void warning(void *context, const char *sentence) {
    (void)context;
    snprintf(warned, sizeof warned, "%s", sentence);
}

START_TEST(writing_ends) {
    tl_run_settings s = small("words");
    s.lm.lines = true;
    tl_run *run = trained(&s);
    const tl_events events = {.warning = warning};
    tl_run_tell(run, &events);
    for (int i = 0; i < 20; i++) { /* a line ends with its line end, even if more tokens are allowed */
        written w = {.size = 0};
        ck_assert(tl_lm_write(
            run, &(tl_lm_write_options){.prompt = "a zebra", .number = i, .tell = hear, .to = &w}));
        ck_assert_ptr_null(strchr(w.text, '\n'));
        assert_contains(warned, "does not know 1 token of the prompt");
    }
    written w = {.most = 5};
    ck_assert(tl_lm_write(run, &(tl_lm_write_options){.tokens = 400, .tell = hear, .to = &w}));
    ck_assert_int_lt(w.size, 40);
    ck_assert(tl_lm_write(run, NULL)); /* without a callback */
    ck_assert(!tl_lm_write(run, &(tl_lm_write_options){.prompt = "a\nb"}));
    assert_contains(tl_run_error(run), "each line is a text by itself");
    tl_run_clear_error(run);
    ck_assert(!tl_lm_write(run, &(tl_lm_write_options){.temperature = -1}));
    assert_contains(tl_run_error(run), "temperature");
    tl_run_free(run);
}
END_TEST

/* ---- settings and folders ---- */

static void refuse(tl_run_settings s, const char *says) {
    tl_error why = {""};
    ck_assert(!tl_run_settings_complete(&s, &why));
    assert_contains(why.message, says);
}

START_TEST(settings_that_do_not_fit) {
    tl_run_settings good = small("chars"), s;
#define REFUSE(change, says) (s = good, change, refuse(s, says))
    REFUSE(s.model.heads = 3, "--d-model 16 does not split into --heads 3");
    REFUSE((s.model.positions = "rotary", s.model.heads = 16), "rotary positions turn pairs");
    REFUSE(s.model.positions = "sinusoid", "learned|sinusoidal|rotary|alibi");
    REFUSE(s.lm.tokenizer = "x", "--tokenizer is of byte pairs");
    REFUSE(s.lm.made = "en", "leave out --train");
    REFUSE(s.lm.context = 1000000, "--context 1000000: at most 65536");
    REFUSE(s.lm.batch = -1, "--batch");
    REFUSE(s.text.max_vocab = 4, "--max-vocab 4");
    REFUSE(s.lm.valid_share = 1, "valid-share");
    REFUSE(s.validation.average = 101, "--average 101");
    REFUSE(s.model.layers = 1001, "--layers 1001");
    ck_assert_msg(tl_run_settings_complete(&good, &error), "%s", error.message);
    tl_run_settings again = good;
    ck_assert(tl_run_settings_complete(&again, &error) && !memcmp(&good, &again, sizeof good));
}
END_TEST

START_TEST(texts_that_cannot_be_learnt) {
    put_text(in_folder("poem.txt"), "");
    tl_run_settings s = small("chars");
    tl_run *run = tl_run_new(in_folder("run"), &s);
    ck_assert_int_eq(tl_run_train(run, false, NULL), TL_FAILED);
    assert_contains(tl_run_error(run), "poem.txt is empty");
    tl_run_free(run);
    put_text(in_folder("poem.txt"), "a");
    s.data.valid = NULL;
    run = tl_run_new(in_folder("run"), &s);
    ck_assert_int_eq(tl_run_train(run, false, NULL), TL_FAILED);
    assert_contains(tl_run_error(run), "too short to keep a share of 0.1");
    tl_run_free(run);
    s.data.train = NULL;
    run = tl_run_new(in_folder("run"), &s);
    ck_assert_int_eq(tl_run_train(run, false, NULL), TL_FAILED);
    assert_contains(tl_run_error(run), "give --train FILE");
    tl_run_free(run);
    ck_assert(!tl_file_is_there(in_folder("run")));
}
END_TEST

/* Opening a run as another program's is refused with the name of its program. */
START_TEST(whose_run) {
    tl_run_settings s = small("chars");
    tl_run_free(trained(&s));
    ck_assert_ptr_null(tl_run_open(in_folder("run"), &(tl_run_choice){.program = "translate"}, &error));
    assert_contains(error.message, "run is a run of lm, and this is translate");
    tl_error_clear(&error);
    ck_assert_ptr_null(tl_run_open(OLD_RUN, &(tl_run_choice){.program = "lm"}, &error));
    assert_contains(error.message, "is a run of translate, and this is lm");
    tl_run *run = open_old();
    ck_assert_str_eq(tl_run_program_name(run), "translate");
    ck_assert(!tl_run_gpt(run) && !tl_run_byte_bpe(run) && !tl_lm_write(run, NULL));
    assert_contains(tl_run_error(run), "has no language model");
    tl_run_free(run);
    put_text(in_folder("run/config.txt"), "program = weave\n");
    tl_error_clear(&error);
    ck_assert_ptr_null(tl_run_open(in_folder("run"), NULL, &error));
    assert_contains(error.message, "there is no program \"weave\"");
}
END_TEST

START_TEST(nothing) {
    every_function_is_called("include/tapeloom/lm.h", "tests/run/test_lm.c");
    tl_lm_text t;
    tl_quality q;
    size_t size;
    ck_assert(!tl_lm_encode(NULL, "a", 1, &t) && !tl_lm_measure(NULL, &t, &q) && !tl_lm_write(NULL, NULL));
    ck_assert(!tl_lm_valid_text(NULL, &size) && !tl_run_gpt(NULL) && !tl_run_byte_bpe(NULL));
    tl_lm_text_free(NULL);
    ck_assert(!tl_lm_import(NULL, NULL, &error));
    assert_contains(error.message, "give the weights, and a folder with vocab.json");
    ck_assert(!tl_lm_import("x", &(tl_lm_import_options){.weights = "none", .tokenizer = "."}, NULL));
    tl_run_settings s = small("chars");
    tl_run *run = trained(&s);
    ck_assert(!tl_lm_encode(run, NULL, 1, &t));
    assert_contains(tl_run_error(run), "the text is NULL");
    tl_run_clear_error(run);
    ck_assert(!tl_lm_encode(run, "a", 1, NULL));
    tl_run_clear_error(run);
    ck_assert(!tl_lm_measure(run, NULL, &q));
    tl_run_clear_error(run);
    ck_assert(!tl_lm_measure(run, &(tl_lm_text){.ids = NULL}, &q));
    assert_contains(tl_run_error(run), "found a text of 0 tokens");
    tl_run_free(run);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_checked_fixture(tc, enter, leave);
    tcase_add_test(tc, ids_of_characters);
    tcase_add_test(tc, ids_of_lines);
    tcase_add_test(tc, ids_of_bytes);
    tcase_add_test(tc, made_here);
    tcase_add_test(tc, drawn_lines);
    tcase_add_test(tc, measured);
    tcase_add_test(tc, written_in_pieces);
    tcase_add_test(tc, whole_characters);
    tcase_add_test(tc, long_prompts);
    tcase_add_test(tc, rows_without_a_token);
    tcase_add_test(tc, written_greedily);
    tcase_add_test(tc, writing_ends);
    tcase_add_test(tc, settings_that_do_not_fit);
    tcase_add_test(tc, texts_that_cannot_be_learnt);
    tcase_add_test(tc, whose_run);
    tcase_add_test(tc, nothing);
}

TL_TEST_MAIN("run: language models")
