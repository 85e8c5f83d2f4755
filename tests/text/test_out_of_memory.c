/* src/text without memory: each request fails in turn, alone or with all later ones. The call reports it or succeeds
 * without the memory. Nothing leaks, and earlier objects are unchanged. (BLEU and chrF2: test_bleu_memory.c.) */
#include "refuse.h"
#include "tapeloom/text.h"

/* A trial makes its objects, works while memory fails as set by refuse_after, calls grant_again, and checks the result.
 * Returns false if no request failed; then everything must have worked. */
typedef bool trial_fn(void);

#define says_so(error, start)                                                               \
 must_msg((error) && strstr((error), start) == (error) && strstr((error), "out of memory"), \
          "\"%s\" should begin with \"%s\" and say \"out of memory\"", (error) ? (error) : "(none)", start)

static void same_text(const char *a, const char *b) { must_msg(!strcmp(a, b), "\"%s\", not \"%s\"", a, b); }

/* More lines than the first capacity of every growing array. */
static const char *const lines[] = {
    "the old man saw the small boat on the river", "a b c d e f g h i j k l m n o p q r s t u v w x y z",
    "lower lowest newer newest wider widest lower newer", "aaaaaaaa\u00A0aaaa abababab the the the the",
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"};
enum { LINES = sizeof lines / sizeof *lines };

/* ---- vocabularies ---- */

static bool make_a_vocabulary(void) {
    tl_vocab_counts *counts = tl_vocab_counts_new();
    bool counted = true;
    for (int i = 0; i < LINES; i++) counted &= tl_vocab_counts_add(counts, lines[i]);
    tl_vocab *vocab = tl_vocab_new(counts, NULL);
    bool was_refused = grant_again(), made = !tl_vocab_error(vocab);
    must(made ? counted && tl_vocab_size(vocab) == 63 : was_refused); /* (qsort works without memory, too) */
    if (!made) {
        says_so(tl_vocab_error(vocab), "vocabulary: ");
        must(!tl_vocab_text(vocab, NULL));
        must(!vocab || !strcmp(tl_vocab_token(vocab, TL_EOS), "<eos>"));
    } else { /* complete and in order: "the" is the most frequent */
        must(tl_vocab_id(vocab, "the") == TL_SPECIALS);
        for (int id = 0; id < 63; id++)
            must(id < TL_SPECIALS || tl_vocab_id(vocab, tl_vocab_token(vocab, id)) == id);
    }
    tl_vocab_free(vocab);
    tl_vocab_counts_free(counts);
    return was_refused;
}

static const char written[] =
    "tapeloom-vocab 1 26\n<pad>\n<bos>\n<eos>\n<unk>\na\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\n"
    "l\nm\nn\no\np\nq\nr\ns\nt\nu\nvwxyz\n";
static bool read_a_vocabulary(void) {
    tl_vocab *vocab = tl_vocab_parse("v.txt", written, sizeof written - 1);
    bool was_refused = grant_again();
    must(was_refused || !tl_vocab_error(vocab));
    if (was_refused) says_so(tl_vocab_error(vocab), vocab ? "v.txt:" : "vocabulary: ");
    must(!vocab || tl_vocab_size(vocab) == (was_refused ? TL_SPECIALS : 26));
    tl_vocab_free(vocab);
    return was_refused;
}
static bool write_a_vocabulary(void) {
    long granted = left; /* making the object is not part of the trial */
    grant_again();
    tl_vocab *vocab = tl_vocab_parse("v.txt", written, sizeof written - 1);
    refuse_after(granted, all_later);
    size_t size;
    char *text = tl_vocab_text(vocab, &size);
    bool was_refused = grant_again();
    must((!text) == was_refused && size == (text ? sizeof written - 1 : 0));
    if (text) same_text(text, written);
    free(text);
    must(!tl_vocab_error(vocab) && tl_vocab_size(vocab) == 26);
    tl_vocab_free(vocab);
    return was_refused;
}

/* ---- corpora ---- */

static const char left_side[] = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\nll\nlz\n",
                  both_sides[] =
                      "one\tun\ntwo\tdeux\nthree\ttrois\nfour\tquatre\nfive\tcinq\nsix\tsix\nno tab\n"
                      "seven\tsept\neight\thuit\nnine\tneuf\nten\tdix\neleven\tonze\ntwelve\tdouze\n";
static bool parse_tsv(tl_corpus *c) {
    return tl_corpus_parse_tsv(c, both_sides, sizeof both_sides - 1, NULL);
}
static bool parse_parallel(tl_corpus *c) {
    size_t size = sizeof left_side - 1;
    return tl_corpus_parse_parallel(c, left_side, size, left_side, size, NULL, NULL);
}
static bool add(tl_corpus *c) {
    char sentence[2000];
    memset(sentence, 'a', sizeof sentence - 1);
    sentence[sizeof sentence - 1] = '\0';
    return tl_corpus_add(c, sentence, "x");
}
static bool toy(tl_corpus *c) {
    return tl_corpus_toy(c, &(tl_toy_config){.task = "sort", .sentences = 40, .first = 3, .symbols = 9});
}
static bool grammar_of(tl_corpus *c, const char *pair) {
    return tl_corpus_grammar(c, &(tl_grammar_config){.pair = pair, .sentences = 40, .first = 3, .seed = 5});
}
static bool grammar_fr(tl_corpus *c) { return grammar_of(c, "en-fr"); }
static bool grammar_zh(tl_corpus *c) { return grammar_of(c, "en-zh"); }
static bool labelled(tl_corpus *c) {
    return tl_corpus_labelled(
        c, &(tl_labelled_config){.task = "agreement", .sentences = 40, .first = 3, .seed = 5});
}
static const struct {
    bool (*fill)(tl_corpus *corpus);
    long pairs, least; /* least: requests that there must be at least */
} fillings[] = {{parse_tsv, 12, 2},  {parse_parallel, 12, 1}, {add, 1, 1},      {toy, 40, 8},
                {grammar_fr, 40, 8}, {grammar_zh, 40, 8},     {labelled, 40, 8}};
enum { FILLINGS = sizeof fillings / sizeof *fillings };
static int filling;

/* Two encoded pairs of the grammar, which must stay unchanged. */
static tl_corpus *corpus_before(const tl_vocab *vocab) {
    tl_corpus *corpus = tl_corpus_new();
    must(tl_corpus_grammar(corpus, &(tl_grammar_config){.pair = "en-fr", .sentences = 2}));
    must(tl_corpus_encode(corpus, vocab, vocab));
    return corpus;
}
static void assert_same_pairs(const tl_corpus *a, const tl_corpus *b, long pairs) {
    for (long i = 0; i < pairs; i++) {
        long links[2], ids[2];
        const tl_link *link = tl_corpus_alignment(a, i, &links[0]),
                      *same = tl_corpus_alignment(b, i, &links[1]);
        must(links[0] == links[1] && links[0] > 0);
        must(!memcmp(link, same, (size_t)links[0] * sizeof *link));
        for (int side = 0; side < 2; side++) {
            same_text(tl_corpus_sentence(a, (tl_side)side, i), tl_corpus_sentence(b, (tl_side)side, i));
            const int *id = tl_corpus_ids(a, (tl_side)side, i, &ids[0]),
                      *other = tl_corpus_ids(b, (tl_side)side, i, &ids[1]);
            must(id && other && ids[0] == ids[1] && !memcmp(id, other, (size_t)ids[0] * sizeof *id));
        }
    }
}

static bool fill_a_corpus(void) {
    long granted = left;
    grant_again();
    tl_vocab *vocab = tl_vocab_parse("v.txt", written, sizeof written - 1);
    tl_corpus *want = corpus_before(vocab), *corpus = corpus_before(vocab);
    tl_batches *batches = tl_batches_new(corpus, NULL);
    refuse_after(granted, all_later);
    bool ok = fillings[filling].fill(corpus), was_refused = grant_again();
    must(ok == !was_refused);
    tl_batch batch;
    if (was_refused) { /* unchanged, with ids and links; its batches continue */
        must(strstr(tl_corpus_error(corpus), "corpus: out of memory")); /* "toy corpus: …", too */
        must(tl_corpus_size(corpus) == 2);
        assert_same_pairs(corpus, want, 2);
        must(tl_batches_next(batches, &batch) && batch.sentences == 2);
        must(!fillings[filling].fill(corpus) && tl_corpus_size(corpus) == 2);
    } else {
        must(tl_corpus_size(corpus) == 2 + fillings[filling].pairs && !tl_corpus_error(corpus));
        must(!tl_batches_next(batches, &batch)); /* the corpus has changed since they were made */
    }
    tl_batches_free(batches);
    tl_corpus_free(want);
    tl_corpus_free(corpus);
    tl_vocab_free(vocab);
    return was_refused;
}

static bool encode_a_corpus(void) {
    long granted = left;
    grant_again();
    tl_vocab *vocab = tl_vocab_parse("v.txt", written, sizeof written - 1);
    tl_corpus *corpus = tl_corpus_new();
    must(parse_tsv(corpus));
    refuse_after(granted, all_later);
    bool ok = tl_corpus_encode(corpus, vocab, vocab), was_refused = grant_again();
    long count;
    must(ok == !was_refused && (tl_corpus_ids(corpus, TL_SOURCE, 0, &count) != NULL) == ok && count == ok);
    if (was_refused) says_so(tl_corpus_error(corpus), "corpus: out of memory for the ids");
    must(tl_corpus_size(corpus) == 12);
    same_text(tl_corpus_sentence(corpus, TL_TARGET, 11), "douze");
    tl_corpus_free(corpus);
    tl_vocab_free(vocab);
    return was_refused;
}

static bool collect_labels(void) {
    long granted = left;
    grant_again();
    tl_corpus *corpus = tl_corpus_new();
    must(parse_tsv(corpus));
    refuse_after(granted, all_later);
    size_t size;
    tl_labels *labels = tl_labels_new(corpus);
    char *text = tl_labels_error(labels) ? NULL : tl_labels_text(labels, &size);
    tl_labels *again = text ? tl_labels_parse("l.txt", text, size) : NULL;
    bool was_refused = grant_again(), whole = again && !tl_labels_error(again);
    must(whole || was_refused); /* (qsort works without memory, too) */
    if (whole) {
        must(tl_labels_count(again) == 12 && tl_labels_find(again, "sept") == tl_labels_find(labels, "sept"));
        same_text(tl_labels_name(again, 11), "un");
    }
    must(!tl_labels_error(labels) || tl_labels_count(labels) == 0);
    if (tl_labels_error(labels)) says_so(tl_labels_error(labels), "labels: ");
    free(text);
    tl_labels_free(again);
    tl_labels_free(labels);
    tl_corpus_free(corpus);
    return was_refused;
}

static bool count_a_corpus(void) {
    long granted = left;
    grant_again();
    tl_corpus *corpus = tl_corpus_new();
    must(parse_tsv(corpus));
    refuse_after(granted, all_later);
    tl_vocab_counts *counts = tl_vocab_counts_new();
    bool ok = tl_corpus_count(corpus, TL_SOURCE, counts), was_refused = grant_again();
    must(ok == !was_refused && !tl_corpus_error(corpus));
    tl_vocab *vocab = tl_vocab_new(counts, NULL);
    if (was_refused) says_so(tl_vocab_error(vocab), "vocabulary: out of memory while counting");
    must(tl_vocab_size(vocab) == TL_SPECIALS + (ok ? 12 : 0));
    tl_vocab_free(vocab);
    tl_vocab_counts_free(counts);
    tl_corpus_free(corpus);
    return was_refused;
}

static bool make_batches(void) {
    long granted = left;
    grant_again();
    tl_vocab *vocab = tl_vocab_parse("v.txt", written, sizeof written - 1);
    tl_corpus *corpus = corpus_before(vocab);
    refuse_after(granted, all_later);
    tl_batches *batches = tl_batches_new(corpus, &(tl_batches_config){.tokens = 20});
    bool was_refused = grant_again();
    tl_batch batch;
    must(tl_batches_next(batches, &batch) == !was_refused &&
         (tl_batches_per_epoch(batches) > 0) == !was_refused);
    if (was_refused) says_so(tl_batches_error(batches), "batches: ");
    must(!tl_corpus_error(corpus));
    tl_batches_free(batches);
    tl_corpus_free(corpus);
    tl_vocab_free(vocab);
    return was_refused;
}

/* ---- byte pairs ---- */

static bool learn_byte_pairs(void) {
    static char *codes; /* learnt without failures; kept for all trials */
    long before = alive, granted = left;
    if (!codes) {
        grant_again();
        tl_bpe_words *words = tl_bpe_words_new();
        for (int i = 0; i < LINES; i++) tl_bpe_words_add(words, lines[i]);
        tl_bpe *bpe = tl_bpe_learn(words, &(tl_bpe_config){.merges = 60});
        codes = tl_bpe_text(bpe, NULL);
        must(codes && tl_bpe_merges(bpe) > 20);
        tl_bpe_words_free(words);
        tl_bpe_free(bpe);
        alive = before; /* the kept codes are no leak */
    }
    refuse_after(granted, all_later);
    tl_bpe_words *words = tl_bpe_words_new();
    bool counted_all = true;
    for (int i = 0; i < LINES; i++) counted_all &= tl_bpe_words_add(words, lines[i]);
    tl_bpe *bpe = tl_bpe_learn(words, &(tl_bpe_config){.merges = 60});
    bool was_refused = grant_again();
    if (was_refused) {
        says_so(tl_bpe_error(bpe), "byte pairs: ");
        must(tl_bpe_merges(bpe) == 0 && !tl_bpe_text(bpe, NULL) && !tl_bpe_apply(bpe, "lower"));
        if (!counted_all) must(!tl_bpe_words_text(words, NULL));
    } else {
        char *text = tl_bpe_text(bpe, NULL);
        same_text(text, codes);
        free(text);
    }
    tl_bpe_words_free(words);
    tl_bpe_free(bpe);
    return was_refused;
}

static bool list_words(void) {
    long granted = left;
    grant_again();
    tl_bpe_words *words = tl_bpe_words_new();
    must(tl_bpe_words_add(words, "b a b"));
    refuse_after(granted, all_later);
    size_t size;
    char *text = tl_bpe_words_text(words, &size);
    bool was_refused = grant_again();
    must((!text) == was_refused && size == (text ? 8 : 0));
    free(text);
    must((text = tl_bpe_words_text(words, NULL)));
    same_text(text, "b 2\na 1\n");
    free(text);
    tl_bpe_words_free(words);
    return was_refused;
}

static const char merges[] =
    "#version: 0.2\nl o\nlo w\nn e\nne w\ne r</w>\nlow er</w>\nt h\nth e</w>\ni d\nid er</w>\n"
    "a b\nab ab\nx y\ny z\n";
static bool read_byte_pairs(void) {
    tl_bpe *bpe = tl_bpe_parse("codes", merges, sizeof merges - 1);
    bool was_refused = grant_again();
    if (was_refused) says_so(tl_bpe_error(bpe), "byte pairs: ");
    must(tl_bpe_merges(bpe) == (was_refused ? 0 : 14));
    tl_bpe_free(bpe);
    return was_refused;
}
static bool write_byte_pairs(void) {
    long granted = left;
    grant_again();
    tl_bpe *bpe = tl_bpe_parse("codes", merges, sizeof merges - 1);
    refuse_after(granted, all_later);
    size_t size;
    char *text = tl_bpe_text(bpe, &size);
    bool was_refused = grant_again();
    must((!text) == was_refused && size == (text ? sizeof merges - 1 : 0));
    if (text) same_text(text, merges);
    free(text);
    must(!tl_bpe_error(bpe));
    tl_bpe_free(bpe);
    return was_refused;
}

/* Lines that need memory everywhere. After a failure each must give its usual result. */
static bool apply_byte_pairs(void) {
    static const char *const said[][2] = {{"lower the newer", "lower the new@@ er"},
                                          {" ababx  lower a b c d e f g h i j k l m n", NULL},
                                          {"the \xFF lower wider", "the \xFF lower w@@ ider"}};
    long granted = left;
    grant_again();
    tl_bpe *bpe = tl_bpe_parse("codes", merges, sizeof merges - 1);
    refuse_after(granted, all_later);
    bool none = true;
    for (int i = 0; i < 3; i++) {
        char *text = tl_bpe_apply(bpe, said[i][0]);
        none &= text != NULL;
        if (text && said[i][1]) same_text(text, said[i][1]);
        free(text);
    }
    bool was_refused = grant_again();
    must(none == !was_refused && !tl_bpe_error(bpe));
    for (int i = 0; i < 3; i++) { /* a word is cached completely or not at all */
        char *text = tl_bpe_apply(bpe, said[i][0]);
        must(text);
        if (said[i][1]) same_text(text, said[i][1]);
        free(text);
    }
    tl_bpe_free(bpe);
    return was_refused;
}
static bool join_byte_pairs(void) {
    char *text = tl_bpe_join("lo@@ wer the@@");
    bool was_refused = grant_again();
    must((!text) == was_refused);
    if (text) same_text(text, "lower the");
    free(text);
    return was_refused;
}

/* ---- byte-level byte pairs ---- */

/* Both files of an encoding that was learnt without failures; kept for all trials. */
static char *byte_vocab, *byte_merges;
static const char *const byte_specials[] = {"<end>", NULL};
static tl_byte_bpe *learn_from_lines(void) {
    static char all[2000]; /* static, so that stdio requests no buffer */
    all[0] = 0;
    for (int i = 0; i < LINES; i++) strcat(strcat(all, lines[i]), "\n<end>");
    return tl_byte_bpe_learn(all, strlen(all),
                             &(tl_byte_bpe_config){.merges = 60, .specials = byte_specials});
}
static tl_byte_bpe *read_bytes(void) {
    return tl_byte_bpe_parse(&(tl_byte_bpe_files){.vocab = byte_vocab,
                                                  .vocab_size = strlen(byte_vocab),
                                                  .merges = byte_merges,
                                                  .merges_size = strlen(byte_merges),
                                                  .specials = byte_specials});
}
static void make_byte_files(void) {
    const long before = alive, granted = left;
    if (byte_vocab) return;
    grant_again();
    tl_byte_bpe *bpe = learn_from_lines();
    must(!tl_byte_bpe_error(bpe) && tl_byte_bpe_merges(bpe) > 20);
    byte_vocab = tl_byte_bpe_vocab_text(bpe, NULL);
    byte_merges = tl_byte_bpe_merges_text(bpe, NULL);
    must(byte_vocab && byte_merges);
    tl_byte_bpe_free(bpe);
    alive = before; /* the kept files are no leak */
    refuse_after(granted, all_later);
}
/* Is the encoding complete, or empty with an error message? */
static bool is_whole(tl_byte_bpe *bpe) {
    const bool was_refused = grant_again();
    if (tl_byte_bpe_error(bpe)) {
        must(was_refused);
        says_so(tl_byte_bpe_error(bpe), "");
        must(tl_byte_bpe_size(bpe) == 0 && !tl_byte_bpe_vocab_text(bpe, NULL));
    } else {
        char *vocab = tl_byte_bpe_vocab_text(bpe, NULL), *text = tl_byte_bpe_merges_text(bpe, NULL);
        same_text(vocab, byte_vocab);
        same_text(text, byte_merges);
        free(vocab), free(text);
    }
    tl_byte_bpe_free(bpe);
    return was_refused;
}
static bool learn_bytes(void) {
    make_byte_files();
    return is_whole(learn_from_lines());
}
static bool parse_bytes(void) {
    make_byte_files();
    return is_whole(read_bytes());
}
static bool write_bytes(void) {
    make_byte_files();
    const long granted = left;
    grant_again();
    tl_byte_bpe *bpe = read_bytes();
    refuse_after(granted, all_later);
    size_t vocab_size, merges_size;
    char *vocab = tl_byte_bpe_vocab_text(bpe, &vocab_size),
         *text = tl_byte_bpe_merges_text(bpe, &merges_size);
    const bool was_refused = grant_again();
    must((!vocab || !text) == was_refused && !tl_byte_bpe_error(bpe));
    must(vocab_size == (vocab ? strlen(byte_vocab) : 0) && merges_size == (text ? strlen(byte_merges) : 0));
    if (vocab) same_text(vocab, byte_vocab);
    if (text) same_text(text, byte_merges);
    free(vocab), free(text);
    tl_byte_bpe_free(bpe);
    return was_refused;
}
/* After a failure each line must give its usual result. */
static bool encode_bytes(void) {
    static int ids[200], again[200];
    static char back[400];
    make_byte_files();
    const long granted = left;
    grant_again();
    tl_byte_bpe *bpe = read_bytes();
    refuse_after(granted, all_later);
    long counts[LINES];
    for (int i = 0; i < LINES; i++)
        counts[i] = tl_byte_bpe_encode_special(bpe, lines[i], strlen(lines[i]), ids, 200);
    const bool was_refused = grant_again();
    must(!tl_byte_bpe_error(bpe));
    for (int i = 0; i < LINES; i++) {
        const long n = tl_byte_bpe_encode(bpe, lines[i], strlen(lines[i]), ids, 200);
        must(n > 0 && (counts[i] == n || (was_refused && counts[i] == -1)));
        must(tl_byte_bpe_encode(bpe, lines[i], strlen(lines[i]), again, 200) == n);
        must(!memcmp(ids, again, (size_t)n * sizeof *ids));
        must(tl_byte_bpe_decode(bpe, ids, n, back, sizeof back) == strlen(lines[i]));
        same_text(back, lines[i]);
    }
    tl_byte_bpe_free(bpe);
    return was_refused;
}

/* ---- pre-tokens ---- */

static tl_pretokens kind;
static bool cut_and_join(void) {
    char *cut = tl_pretokens_cut(kind, "Hello, (big) world: 3.5 km. 我有"), *text = NULL;
    if (cut) text = tl_pretokens_join(kind, cut);
    bool was_refused = grant_again();
    must(text || was_refused); /* failing to shrink a block is no failure */
    if (text) same_text(text, "Hello, (big) world: 3.5 km. 我有");
    free(cut), free(text);
    return was_refused;
}

/* ---- */

static const struct {
    trial_fn *trial;
    long least; /* the least number of requests */
} trials[] = {{make_a_vocabulary, 15}, {collect_labels, 8},   {read_a_vocabulary, 6}, {write_a_vocabulary, 1},
              {encode_a_corpus, 2},    {count_a_corpus, 5},   {make_batches, 12},     {learn_byte_pairs, 30},
              {list_words, 2},         {read_byte_pairs, 20}, {write_byte_pairs, 1},  {apply_byte_pairs, 10},
              {join_byte_pairs, 1},    {learn_bytes, 40},     {parse_bytes, 300},     {write_bytes, 2},
              {encode_bytes, 8}};
enum { TRIALS = sizeof trials / sizeof *trials };

static void try_all(trial_fn *trial, long least) {
    if (!CAN_REFUSE) {
        TL_SKIP("requests for memory cannot be refused in this build");
        return;
    }
    for (int later = 0; later < 2; later++) {
        long n = 0;
        for (bool more = true; more; n++) {
            must(n < 3000);
            long before = alive;
            refuse_after(n, later);
            more = trial();
            must_msg(alive == before, "request %ld: %ld pieces are left", n, alive - before);
        }
        ck_assert_int_gt(n, least);
    }
}

START_TEST(every_request_is_refused) { try_all(trials[_i].trial, trials[_i].least); }
END_TEST
START_TEST(every_request_of_filling_is_refused) {
    filling = _i;
    try_all(fill_a_corpus, fillings[_i].least);
}
END_TEST
START_TEST(every_request_of_cutting_is_refused) {
    kind = (tl_pretokens)_i;
    try_all(cut_and_join, 2);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, every_request_is_refused, 0, TRIALS);
    tcase_add_loop_test(tc, every_request_of_filling_is_refused, 0, FILLINGS);
    tcase_add_loop_test(tc, every_request_of_cutting_is_refused, TL_PRETOKENS_NONE,
                        TL_PRETOKENS_CHARACTERS + 1);
}

TL_TEST_MAIN("text: out of memory")
