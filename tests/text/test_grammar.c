/* The grammar corpus: streams, parts, ranges, errors. test_grammar_words.c checks that the sentences are right. */
#include "check.h"
#include "grammar_nouns.h"
#include "tapeloom/text.h"
#include "text/table.h"

/* ---- streams ---- */

START_TEST(streams_are_long_and_distinct) {
    const char *pair = pairs[_i];
    tl_table sources = {0};
    tl_corpus *train = grammar(pair, TL_GRAMMAR_TRAIN, TRAIN, 0, 7);
    tl_corpus *held = grammar(pair, TL_GRAMMAR_HELD_OUT, HELD, 0, 7);
    for (long i = 0; i < TRAIN; i++)
        must(tl_table_add(&sources, tl_span_of(tl_corpus_sentence(train, TL_SOURCE, i))) == i);
    for (long i = 0; i < HELD; i++)
        must(tl_table_add(&sources, tl_span_of(tl_corpus_sentence(held, TL_SOURCE, i))) == TRAIN + i);
    long lengths[2] = {0};
    for (long i = 0; i < TRAIN; i++)
        for (int side = 0; side < 2; side++) {
            long n = tl_count_tokens(tl_span_of(tl_corpus_sentence(train, (tl_side)side, i)));
            must(n >= 3 && n <= 16);
            lengths[side] += n;
        }
    for (int side = 0; side < 2; side++) must(lengths[side] > 7L * TRAIN && lengths[side] < 13L * TRAIN);

    /* an English sentence has only one translation, for all seeds */
    for (uint64_t seed = 8; seed < 10; seed++) {
        tl_corpus *other = grammar(pair, TL_GRAMMAR_TRAIN, 20000, 0, seed);
        long met = 0;
        for (long i = 0; i < 20000; i++) {
            long number = tl_table_find(&sources, tl_span_of(tl_corpus_sentence(other, TL_SOURCE, i)));
            if (number < 0) continue;
            must(number < TRAIN);
            ck_assert_str_eq(tl_corpus_sentence(other, TL_TARGET, i),
                             tl_corpus_sentence(train, TL_TARGET, number));
            met++;
        }
        ck_assert_int_gt(met, 500);
        ck_assert_int_lt(met, 19000);
        tl_corpus_free(other);
    }
    tl_table_free(&sources);
    tl_corpus_free(train);
    tl_corpus_free(held);
}
END_TEST

static void must_be_same(const tl_corpus *a, long i, const tl_corpus *b, long j) {
    long n, m;
    for (int side = 0; side < 2; side++)
        ck_assert_str_eq(tl_corpus_sentence(a, (tl_side)side, i), tl_corpus_sentence(b, (tl_side)side, j));
    const tl_link *x = tl_corpus_alignment(a, i, &n), *y = tl_corpus_alignment(b, j, &m);
    must(n == m && n > 0 && memcmp(x, y, (size_t)n * sizeof *x) == 0);
}

START_TEST(ranges_are_of_one_stream) {
    for (int part = 0; part < 2; part++) {
        tl_corpus *whole = grammar(pairs[_i], (tl_grammar_part)part, 300, 0, 3);
        tl_corpus *end = grammar(pairs[_i], (tl_grammar_part)part, 100, 200, 3);
        for (long i = 0; i < 100; i++) must_be_same(whole, 200 + i, end, i);
        tl_corpus *other = grammar(pairs[_i], (tl_grammar_part)part, 300, 0, 4);
        long same = 0;
        for (long i = 0; i < 300; i++)
            same +=
                strcmp(tl_corpus_sentence(whole, TL_SOURCE, i), tl_corpus_sentence(other, TL_SOURCE, i)) == 0;
        ck_assert_int_lt(same, 30);
        tl_corpus_free(whole);
        tl_corpus_free(end);
        tl_corpus_free(other);
    }
}
END_TEST

/* ---- held-out combinations, found in the English words ---- */

static const char adjectives[] =
    "small,big,old,new,beautiful,young,red,black,white,blue,green,yellow,interesting,"
    "expensive,famous,clever,happy,tired,sad";

static int english_noun(const char *word) {
    int plural = 0;
    return noun_of(word, 0, &plural);
}
static bool owns(const char *word) { return word[0] == '\''; }

/* The head of the phrase that begins here, as in "the girl 's small cat": the index of the noun, or -1 for a
 * pronoun. */
static int head_from(const tokens *t, int at) {
    for (int i = at; i < t->count; i++) {
        if (listed("me,him,us,them,it,.,?,in,near,behind,to,I,he,she,we,they", t->word[i])) return -1;
        if (strcmp(t->word[i], "her") == 0 && i + 1 < t->count && english_noun(t->word[i + 1]) < 0 &&
            !listed(adjectives, t->word[i + 1]) && !listed("two,three,four,five,ten", t->word[i + 1]))
            return -1;
        if (english_noun(t->word[i]) >= 0 && !owns(t->word[i + 1])) return i;
    }
    return -1;
}

/* The base form of an English verb with an object, or of "go"; NULL if the word is neither. */
static const char *verb_base(const tokens *t, int at) {
    static const char *const forms[][2] = {{"read", "read,reads,reading"},
                                           {"write", "write,writes,wrote,writing"},
                                           {"buy", "buy,buys,bought,buying"},
                                           {"sell", "sell,sells,sold,selling"},
                                           {"eat", "eat,eats,ate,eating"},
                                           {"see", "see,sees,saw"},
                                           {"draw", "draw,draws,drew,drawing"},
                                           {"wash", "wash,washes,washed,washing"},
                                           {"open", "open,opens,opened,opening"},
                                           {"break", "break,broke"},
                                           {"find", "find,found"},
                                           {"lose", "lose,lost"},
                                           {"look", "look,looking"},
                                           {"wait", "wait,waits,waiting"},
                                           {"help", "help,helps,helped,helping"},
                                           {"like", "like,likes"},
                                           {"know", "know,knows"},
                                           {"have", "have,has"},
                                           {"give", "give,gave"},
                                           {"go", "go,goes,went"}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (listed(forms[i][1], t->word[at])) return forms[i][0];
    return NULL;
}

typedef void combination(const char *text, void *context);

static void tell(const char *first, const char *noun, combination *found, void *context) {
    char text[64];
    snprintf(text, sizeof text, "%s %s", first, nouns[english_noun(noun)].en[0]);
    found(text, context);
}

/* Calls `found` for every adjective with its noun and every verb with its object. */
static void combinations(const tokens *t, combination *found, void *context) {
    int that = -1, subject = -1; /* where "that I bought" begins; the head of the subject */
    for (int i = 0; i < t->count; i++) {
        const char *word = t->word[i];
        if (strcmp(word, "that") == 0 && i > 0 && english_noun(t->word[i - 1]) >= 0 &&
            head_from(t, i - 1) == i - 1 && !listed("does,did,is,will,can,must,do,are", t->word[i - 1]))
            that = i;
        if (listed(adjectives, word)) {
            int at = i;
            while (listed(adjectives, t->word[at])) at++;
            if (english_noun(t->word[at]) >= 0)
                tell(word, t->word[at], found, context);
            else if (subject >= 0)
                tell(word, t->word[subject], found, context);
        }
        if (i == 0 || subject == -1) {
            bool starts = i == 0 || (i == 1 && listed("is,are,do,does,did,will,can,must", t->word[0]));
            if (starts && !listed("is,are,do,does,did,will,can,must", word)) {
                int head = listed("I,he,she,we,they,there", word) ? -2 : head_from(t, i);
                subject = head < 0 ? -2 : head;
            }
        }
        const char *verb = i > 0 ? verb_base(t, i) : NULL;
        if (!verb) continue;
        int object = that >= 0 ? that - 1
                               : head_from(t, strcmp(t->word[i + 1], "for") == 0 ? i + 2
                                              : strcmp(verb, "go") == 0          ? i + 2
                                                                                 : i + 1);
        if (strcmp(t->word[i + 1], "it") == 0 || strcmp(t->word[i + 1], "them") == 0) {
            for (object = i; object > 0 && strcmp(t->word[object], "and") != 0;) object--;
            object = object > 0 ? object - 1 : -1; /* "bought an apple and ate it" */
        }
        that = -1;
        if (object >= 0) tell(verb, t->word[object], found, context);
    }
}

static void keep(const char *text, void *table) { must(tl_table_add(table, tl_span_of(text)) >= 0); }

struct news {
    const tl_table *known;
    long count;
};
static void count_new(const char *text, void *context) {
    struct news *news = context;
    news->count += tl_table_find(news->known, tl_span_of(text)) < 0;
}

START_TEST(held_out_sentences_combine_words_anew) {
    tl_table known = {0}, vocabulary[2] = {{0}, {0}};
    tokens t;
    tl_corpus *train = grammar(pairs[_i], TL_GRAMMAR_TRAIN, 100000, 0, 7);
    tl_corpus *held = grammar(pairs[_i], TL_GRAMMAR_HELD_OUT, HELD, 0, 7);
    for (long i = 0; i < tl_corpus_size(train); i++) {
        for (int side = 0; side < 2 && i < 10000; side++) {
            cut(tl_corpus_sentence(train, (tl_side)side, i), &t);
            for (int k = 0; k < t.count; k++) keep(t.word[k], &vocabulary[side]);
        }
        cut(tl_corpus_sentence(train, TL_SOURCE, i), &t);
        combinations(&t, keep, &known);
    }
    ck_assert_int_gt(known.count, 400);
    for (long i = 0; i < HELD; i++) {
        struct news news = {.known = &known};
        cut(tl_corpus_sentence(held, TL_SOURCE, i), &t);
        combinations(&t, count_new, &news);
        must_msg(news.count > 0, "nothing new in: %s", tl_corpus_sentence(held, TL_SOURCE, i));
        for (int side = 0; side < 2; side++) {
            cut(tl_corpus_sentence(held, (tl_side)side, i), &t);
            for (int k = 0; k < t.count; k++)
                must_msg(tl_table_find(&vocabulary[side], tl_span_of(t.word[k])) >= 0,
                         "%s is in no sentence of 10000", t.word[k]);
        }
    }
    tl_corpus_free(train);
    tl_corpus_free(held);
    tl_table_free(&known);
    for (int side = 0; side < 2; side++) tl_table_free(&vocabulary[side]);
}
END_TEST

/* ---- with other pairs in the corpus, and errors ---- */

START_TEST(alignments_stay_with_their_pairs) {
    long n;
    tl_corpus *corpus = tl_corpus_new(), *alone = grammar("en-fr", TL_GRAMMAR_TRAIN, 20, 0, 1);
    ck_assert_ptr_null(tl_corpus_alignment(corpus, 0, &n));
    ck_assert(tl_corpus_add(corpus, "a", "b"));
    ck_assert(tl_corpus_grammar(corpus, &(tl_grammar_config){"en-fr", TL_GRAMMAR_TRAIN, 10, 0, 1}));
    ck_assert(tl_corpus_parse_tsv(corpus, "c\td\n", 4, NULL));
    ck_assert(tl_corpus_grammar(corpus, &(tl_grammar_config){"en-fr", TL_GRAMMAR_TRAIN, 10, 10, 1}));
    for (long i = 0; i < 10; i++) {
        must_be_same(corpus, 1 + i, alone, i);
        must_be_same(corpus, 12 + i, alone, 10 + i);
    }
    /* a file that is refused half way does not change the grammar's pairs */
    ck_assert(!tl_corpus_parse_tsv(corpus, "e\tf\nbad\n", 8, &(tl_corpus_config){.strict = true}));
    ck_assert_int_eq(tl_corpus_size(corpus), 22);
    must_be_same(corpus, 21, alone, 19);
    static const long without[] = {-1, 0, 11, 22, 23};
    for (int i = 0; i < 5; i++) {
        n = 7;
        ck_assert_ptr_null(tl_corpus_alignment(corpus, without[i], &n));
        ck_assert_int_eq(n, 0);
    }
    ck_assert_ptr_null(tl_corpus_alignment(NULL, 0, &n));
    tl_corpus_free(corpus);
    tl_corpus_free(alone);
}
END_TEST

START_TEST(what_cannot_be_is_refused) {
    static const struct {
        tl_grammar_config config;
        const char *message;
    } cases[] = {
        {{.pair = "en-de", .sentences = 1},
         "grammar corpus: found the pair \"en-de\", expected en-fr or en-zh"},
        {{.sentences = 1}, "grammar corpus: found the pair \"(none)\", expected en-fr or en-zh"},
        {{.pair = "en-fr", .part = (tl_grammar_part)2, .sentences = 1},
         "grammar corpus: found the part 2, expected TL_GRAMMAR_TRAIN or TL_GRAMMAR_HELD_OUT"},
        {{.pair = "en-fr", .sentences = 0},
         "grammar corpus: found 0 sentences from number 0 on, expected at least 1 from 0 or later"},
        {{.pair = "en-zh", .sentences = -5},
         "grammar corpus: found -5 sentences from number 0 on, expected at least 1 from 0 or later"},
        {{.pair = "en-zh", .sentences = 5, .first = -1},
         "grammar corpus: found 5 sentences from number -1 on, expected at least 1 from 0 or later"},
        {{.pair = "en-fr", .sentences = 100001},
         "grammar corpus: found 100001 sentences from number 0 on, but there are 100000: ask for fewer"},
        {{.pair = "en-fr", .sentences = 1, .first = 100000},
         "grammar corpus: found 1 sentences from number 100000 on, but there are 100000: ask for fewer"},
        {{.pair = "en-fr", .sentences = 2, .first = 0x7fffffffffffffffL},
         "grammar corpus: found 2 sentences from number 9223372036854775807 on, but there are 100000: ask "
         "for fewer"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_corpus *corpus = grammar("en-fr", TL_GRAMMAR_TRAIN, 3, 0, 1);
        ck_assert(!tl_corpus_grammar(corpus, &cases[i].config));
        ck_assert_str_eq(tl_corpus_error(corpus), cases[i].message);
        ck_assert_int_eq(tl_corpus_size(corpus), 3);
        ck_assert(!tl_corpus_grammar(corpus, &(tl_grammar_config){"en-fr", TL_GRAMMAR_TRAIN, 3, 3, 1}));
        ck_assert_str_eq(tl_corpus_error(corpus), cases[i].message);
        tl_corpus_free(corpus);
    }
    ck_assert(!tl_corpus_grammar(NULL, &(tl_grammar_config){"en-fr", TL_GRAMMAR_TRAIN, 3, 3, 1}));
}
END_TEST

/* A stream has exactly the promised number of sentences. */
START_TEST(streams_have_their_length) {
    for (int part = 0; part < 2; part++) {
        tl_corpus *corpus = grammar(pairs[_i], (tl_grammar_part)part, 1, 99999, 2);
        tl_corpus_free(corpus);
    }
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, streams_are_long_and_distinct, 0, 2);
    tcase_add_loop_test(tc, ranges_are_of_one_stream, 0, 2);
    tcase_add_loop_test(tc, held_out_sentences_combine_words_anew, 0, 2);
    tcase_add_test(tc, alignments_stay_with_their_pairs);
    tcase_add_test(tc, what_cannot_be_is_refused);
    tcase_add_loop_test(tc, streams_have_their_length, 0, 2);
}

TL_TEST_MAIN("text: grammar")
