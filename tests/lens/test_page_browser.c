/* The page in a browser: numbers are the library's, exact if they are stored, to 1e-6 if the page computes them;
 * clicks and keys work; nothing is fetched, and there are no errors, whatever the tokens are. */
#define _XOPEN_SOURCE 700
#include "tapeloom.h"

#include "lens/browser.h"
#include "lens/fresh_runs.h"
#include "lens/page.h"

/* Opens the page of invented numbers. */
static browser opened_as(invented *v) {
    size_t size;
    char *page = tl_page_text(NULL, &v->sentences, &v->seen, &(tl_page_options){.title = "a title"}, &size);
    ck_assert_ptr_nonnull(page);
    browser b = browser_new();
    ask(&b, "size 1400 900");
    ask(&b, "open %s", browser_file(&b, "page.html", page));
    free(page);
    return b;
}

/* Invents numbers and opens their page; of: the first sentence's tokens, or NULL. */
static browser opened(invented *v, const char *const *of, bool sigmoid) {
    invent(v, of, sigmoid);
    return opened_as(v);
}

/* Asserts that nothing was fetched and no error was reported. */
static void finish(browser *b, int problems) {
    says(b, problems, "[]");
    browser_free(b);
}

/* ---- numbers ---- */

/* The next number of a JSON list. */
static double next_number(const char **at) {
    char *end;
    *at += strspn(*at, "[], ");
    const double x = strtod(*at, &end);
    ck_assert_msg(end != *at, "no number: %.40s", *at);
    *at = end;
    return x;
}

static void check_numbers(const char *list, const invented *v, int number, tl_quantity q, long b, long h) {
    const tl_seen_attention *a = &v->attention[number];
    const tl_tokens *rows = tl_seen_rows(a, &v->sentence[b]), *columns = tl_seen_columns(a, &v->sentence[b]);
    const bool derived = q == TL_SEE_DA || q == TL_SEE_DS || q == TL_SEE_ADA;
    for (long i = 0; i < rows->count; i++)
        for (long j = 0; j < columns->count; j++) {
            const double got = next_number(&list), expected = tl_seen_value(a, q, b, h, i, j);
            must_msg(derived ? fabs(got - expected) <= 1e-6 : (float)got == (float)expected,
                     "%s %s [%ld,%ld,%ld,%ld]: %.9g, the page has %.9g", a->name, tl_quantity_name(q), b, h,
                     i, j, expected, got);
            if (a->weights.data && tl_why_blocked(&a->mask, b, h, i, j, a->queries, a->keys) != TL_SEES)
                must((q != TL_SEE_A && q != TL_SEE_DS) || got == 0);
        }
    ck_assert_str_eq(list, "]");
}

START_TEST(numbers_are_the_librarys) {
    static invented v;
    int first = 0;
    browser b = opened(&v, NULL, _i == 1);
    for (long s = 0; s < SENTENCES; s++)
        for (int a = 0; a < MADE; a++)
            for (long h = 0; h < HEADS; h++)
                for (int q = 0; q < TL_QUANTITIES; q++) {
                    const int n = ask(&b, "eval Array.from(mapOf(%ld, %d, %ld, '%s', false).values)", s, a, h,
                                      tl_quantity_name((tl_quantity)q));
                    if (!first) first = n;
                }
    const int problems = ask(&b, "problems");
    for (long s = 0; s < SENTENCES; s++)
        for (int a = 0; a < MADE; a++)
            for (long h = 0; h < HEADS; h++)
                for (int q = 0; q < TL_QUANTITIES; q++)
                    check_numbers(b.answer[first++], &v, a, (tl_quantity)q, s, h);
    finish(&b, problems);
}
END_TEST

/* ---- every program's runs ---- */

static tl_run *run_of(int which) {
    tl_run_settings s = small_of("translate");
    s.data.pair = "en-zh";
    s.model.normaliser = "sigmoid";
    switch (which) {
    case 0:
        return fresh_translator(false);
    case 1:
        return fresh_translator(true);
    case 2:
        return fresh(&s);
    case 3:
        return fresh_lm("words", true);
    case 4:
        return fresh_lm("chars", false);
    case 5:
        return fresh_classifier("transformer");
    case 6:
        return fresh_classifier("gru");
    default:
        return fresh_captioner();
    }
}
enum { RUNS = 8 };
/* source, target, another source, another target */
static const char *const read_by[RUNS][4] = {
    {"the cat sleeps .", NULL, "the dogs do not sleep .", "les chiens ne dorment pas ."},
    {"the cat sleeps .", NULL, "the children read books .", "les enfants lisent ."},
    {"the cat sleeps .", NULL, "I read a book .", NULL},
    {NULL, "the cat sleeps .", NULL, "the dogs sleep ."},
    {NULL, "the cat", NULL, "a b"},
    {"the girls who see the dog like it .", NULL, "she likes it .", NULL},
    {"the girls who see the dog like it .", NULL, "she likes it .", NULL},
    {"#1", NULL, "#2", "a red cross"}};

#define EACH_HEAD_AND_QUANTITY                                                                             \
 "eval Array.from({length: data.attentions[%d].heads}, (_, h) => ['A', 'S', 'dA', 'dA-raw', 'dS', 'AdA', " \
 "'head-norm', 'norm'].map((q) => Array.from(mapOf(%ld, %d, h, q, false).values)))"

static void check_run_numbers(const char *list, const tl_seen_attention *a, const tl_sentence *s, long b) {
    const long rows = tl_seen_rows(a, s)->count, columns = tl_seen_columns(a, s)->count;
    for (long h = 0; h < a->heads; h++)
        for (int q = 0; q < TL_QUANTITIES; q++) {
            const bool derived = q == TL_SEE_DA || q == TL_SEE_DS || q == TL_SEE_ADA;
            for (long k = 0; k < rows * columns; k++) {
                const double got = next_number(&list),
                             expected = tl_seen_value(a, (tl_quantity)q, b, h, k / columns, k % columns);
                must_msg(derived ? fabs(got - expected) <= 1e-6 : (float)got == (float)expected,
                         "%s %s [%ld,%ld,%ld]: %.9g, the page has %.9g", a->name,
                         tl_quantity_name((tl_quantity)q), b, h, k, expected, got);
            }
        }
}

START_TEST(every_run) {
    tl_run *run = run_of(_i);
    const char *const sources[] = {read_by[_i][0], read_by[_i][2]}, *const targets[] = {read_by[_i][1],
                                                                                        read_by[_i][3]};
    tl_sentences read;
    tl_seen seen;
    size_t size;
    ck_assert_msg(tl_sentences_of(run, sources, targets, 2, &read), "%s", tl_run_error(run));
    must(tl_look(tl_run_model(run), tl_run_tape(run), &read.batch, &(tl_look_options){.norms = true}, &seen));
    char *page = tl_page_text(run, &read, &seen, NULL, &size);
    ck_assert_msg(page != NULL, "%s", tl_run_error(run));
    browser b = browser_new();
    ask(&b, "open %s", browser_file(&b, "page.html", page));
    free(page);
    for (long s = 0; s < 2; s++)
        for (int a = 0; a < seen.count; a++) {
            const int list = ask(&b, EACH_HEAD_AND_QUANTITY, a, s, a);
            check_run_numbers(b.answer[list], &seen.attention[a], &read.sentence[s], s);
        }
    for (int a = 0; a < seen.count; a++)
        ask(&b, "eval change({attention: %d, words: %d === 1 && hasWords(), sentence: %d})", a, a % 2, a % 2);
    const int problems = ask(&b, "problems");
    finish(&b, problems);
    tl_sentences_free(&read);
    tl_run_free(run);
}
END_TEST

/* Words of several tokens: sums over columns, means over rows; tokens of no word are left out. */
START_TEST(words_are_merged) {
    static invented v;
    invent(&v, NULL, false);
    static long src[] = {0, 0, 1, 2, -1}, tgt[] = {0, 1, 1, -1};
    v.sentence[0].src.word = src, v.sentence[0].src.words = 3;
    v.sentence[0].written.word = tgt, v.sentence[0].written.words = 2;
    size_t size;
    char *page = tl_page_text(NULL, &v.sentences, &v.seen, NULL, &size);
    browser b = browser_new();
    ask(&b, "open %s", browser_file(&b, "page.html", page));
    const int list = ask(&b, "eval Array.from(mapOf(0, 2, 1, 'dS', true).values)");
    const int before = ask(&b, "eval document.querySelectorAll('.column').length");
    ask(&b, "click #words");
    const int names = ask(&b, "eval Array.from(document.querySelectorAll('.column'), (e) => e.textContent)");
    const int rows =
        ask(&b, "eval Array.from(document.querySelectorAll('.labels .row'), (e) => e.textContent)");
    const int problems = ask(&b, "problems");
    says(&b, before, "5");
    says(&b, names, "[\"thecats\", \"do\", \"sleep\"]");
    says(&b, rows, "[\"writes les\", \"writes chatsdorment\"]");
    const char *at = b.answer[list];
    for (long row = 0; row < 2; row++)
        for (long column = 0; column < 3; column++) {
            double sum = 0;
            for (long i = 0; i < 4; i++)
                for (long j = 0; j < 5; j++)
                    if (tgt[i] == row && src[j] == column)
                        sum += tl_seen_value(&v.attention[2], TL_SEE_DS, 0, 1, i, j);
            ck_assert_double_eq_tol(next_number(&at), sum / (row == 1 ? 2 : 1), 1e-6);
        }
    free(page);
    finish(&b, problems);
}
END_TEST

/* ---- the first view ---- */

/* |Σ A∘dL/dA| of a head in the first sentence */
static double importance(const invented *v, int number, long h) {
    double sum = 0;
    for (long i = 0; i < TARGET; i++)
        for (long j = 0; j < SOURCE; j++) sum += tl_seen_value(&v->attention[number], TL_SEE_ADA, 0, h, i, j);
    return fabs(sum);
}

/* The answer for a row: its largest columns, at most three, each at least a tenth of the first. */
static void expect_answer(const invented *v, long h, long i, char *to, size_t size) {
    const tl_seen_attention *a = &v->attention[2];
    bool used[SOURCE] = {false};
    double first = 0;
    size_t at = (size_t)snprintf(to, size, "\"%s looks at ", v->sentence[0].written.text[i]);
    for (int n = 0; n < 3; n++) {
        long best = -1;
        for (long j = 0; j < SOURCE; j++)
            if (!used[j] && (best < 0 || tl_seen_value(a, TL_SEE_A, 0, h, i, j) >
                                             tl_seen_value(a, TL_SEE_A, 0, h, i, best)))
                best = j;
        const double weight = tl_seen_value(a, TL_SEE_A, 0, h, i, best);
        if (n == 0) first = weight;
        if (weight < first / 10) break;
        used[best] = true;
        at += (size_t)snprintf(to + at, size - at, "%s%s %.2f", n ? ", " : "", v->sentence[0].src.text[best],
                               weight);
    }
    snprintf(to + at, size - at, "\"");
}

START_TEST(first_view) {
    static invented v;
    browser b = opened(&v, NULL, false);
    const int view = ask(&b, "eval [view.attention, view.head, view.quantity]"),
              row = ask(&b, "eval view.row");
    const int answered = ask(&b, "eval $('answer').textContent"),
              asked = ask(&b, "eval $('question').textContent");
    const int text =
        ask(&b, "eval Array.from(document.querySelectorAll('.line_of_text'), (e) => e.textContent)");
    const int lines = ask(&b, "eval document.querySelectorAll('.line').length > 5 && "
                              "document.querySelectorAll('.line.on').length > 0");
    const int panels =
        ask(&b, "eval Array.from(document.querySelectorAll('.panel'), (e) => "
                "[e.querySelector('h3').textContent, e.querySelectorAll('.thumbnail').length])");
    const int rows =
        ask(&b, "eval Array.from(document.querySelectorAll('.labels .row'), (e) => e.textContent)");
    const int title = ask(&b, "eval document.title"), scale = ask(&b, "eval $('maps_note').textContent");
    const int where = ask(&b, "eval $('provenance').textContent.includes('Tapeloom') && "
                              "$('provenance').textContent.includes(data.date)");
    const int problems = ask(&b, "problems");
    const long head = importance(&v, 2, 0) >= importance(&v, 2, 1) ? 0 : 1, at = atol(b.answer[row]);
    char expected[512];
    snprintf(expected, sizeof expected, "[2, %ld, \"A\"]", head);
    says(&b, view, expected);
    ck_assert(at >= 0 && at < 3); /* no <eos> */
    expect_answer(&v, head, at, expected, sizeof expected);
    says(&b, answered, expected);
    snprintf(expected, sizeof expected,
             "\"cross, layer 0, head %ld: What does the model look at when it writes %s?\"", head,
             v.sentence[0].written.text[at]);
    says(&b, asked, expected);
    says(&b, text,
         "[\"sourcethecatsdosleep<eos>\", \"translationleschatsdorment<eos> as the model writes it\"]");
    says(&b, lines, "true");
    says(&b, panels,
         "[[\"Encoder self-attention\", 2], [\"Decoder self-attention\", 2], [\"Cross-attention\", 2]]");
    says(&b, rows,
         "[\"writes les (read <bos>)\", \"writes chats (read les)\", \"writes dorment (read chats)\", "
         "\"writes <eos> (read dorment)\"]");
    says(&b, title, "\"a title\"");
    says(&b, scale, "\"All on one scale, 0 … 1.\"");
    says(&b, where, "true");
    finish(&b, problems);
}
END_TEST

/* For an objective of one token the page starts at that token's row. */
START_TEST(row_that_is_asked_for) {
    static invented v;
    invent(&v, NULL, false);
    v.seen.objective =
        (tl_objective){.kind = TL_OF_LOG_P, .sentence = 0, .position = 3, .token = -1, .other = -1};
    browser b = opened_as(&v);
    const int row = ask(&b, "eval view.row"),
              legend = ask(&b, "eval (change({quantity: 'dS'}), $('legend').textContent)");
    ask(&b, "eval change({sentence: 1})");
    const int other = ask(&b, "eval view.row < 2"), problems = ask(&b, "problems");
    says(&b, row, "3");
    assert_contains(b.answer[legend],
                    "L = log p of \\\"<eos>\\\" (word 4); a positive gradient makes it likelier.");
    says(&b, other, "true");
    finish(&b, problems);
}
END_TEST

/* ---- clicks and keys ---- */

#define READING "Array.from(document.querySelectorAll('#reading dd'), (e) => e.dataset.quantity)"
#define STATE "eval [view.sentence, view.attention, view.head, view.row, view.column, view.quantity]"

START_TEST(clicks) {
    static invented v;
    browser b = opened(&v, NULL, false);
    const int there = ask(&b, "eval " READING);
    ask(&b, "click .thumbnail[data-attention='1'][data-head='1'] canvas 0.1 0.7");
    const int chosen = ask(&b, STATE);
    ask(&b, "click canvas.large 0.3 0.6"); /* four by four: row 2, column 1 */
    const int cell = ask(&b, STATE);
    ask(&b, "point h1");
    const int reading = ask(&b, "eval $('reading').textContent"),
              weight = ask(&b, "eval document.querySelector('#reading [data-quantity=A]').textContent");
    ask(&b, "point canvas.large 0.9 0.1"); /* row 0, column 3: a later position */
    const int blocked = ask(&b, "eval $('reading').querySelector('.blocked').textContent");
    const int raw = ask(&b, "eval document.querySelector('#reading "
                            "[data-quantity=dA-raw]').textContent.endsWith('(of no consequence)')");
    const int rings = ask(
        &b,
        "eval Array.from(document.querySelectorAll('.thumbnail'), (e) => !e.querySelector('.ring').hidden)");
    const int still = ask(&b, STATE);
    ask(&b, "click [data-quantity=dS]");
    const int pressed =
        ask(&b, "eval Array.from(document.querySelectorAll('[aria-pressed=true]'), (e) => e.textContent)");
    const int legend = ask(&b, "eval $('legend').textContent");
    ask(&b, "click .chip[data-side=written][data-place='3']");
    const int row = ask(&b, STATE);
    ask(&b, "click [data-sentence='1']");
    const int second = ask(&b, "eval [view.sentence, large.map.rows, large.map.columns]");
    ask(&b, "click #own");
    const int own = ask(&b, "eval [$('maps').classList.contains('own'), $('maps_note').textContent]");
    ask(&b, "click #importance");
    const int order =
        ask(&b, "eval Array.from(document.querySelectorAll('.thumbnail[data-attention=\"2\"]'), (e) => "
                "importanceOf(2, Number(e.dataset.head)))");
    const int problems = ask(&b, "problems");
    says(&b, there, "[\"A\", \"dS\", \"AdA\", \"dA\", \"dA-raw\", \"S\", \"head-norm\", \"norm\"]");
    says(&b, chosen, "[0, 1, 1, 2, 0, \"A\"]");
    says(&b, cell, "[0, 1, 1, 2, 1, \"A\"]");
    assert_contains(b.answer[reading], "writes dorment (read chats) position 2 (0 … 3)");
    assert_contains(b.answer[reading], "looks at les position 1 (0 … 3)");
    char expected[64];
    int rank = 1;
    const double at = tl_seen_value(&v.attention[1], TL_SEE_A, 0, 1, 2, 1);
    for (long j = 0; j < 3; j++) rank += tl_seen_value(&v.attention[1], TL_SEE_A, 0, 1, 2, j) > at;
    snprintf(expected, sizeof expected, "\"%.4g rank %d of 3\"", at, rank);
    says(&b, weight, expected);
    says(&b, blocked, "\"blocked: causal: the column comes after the row\"");
    says(&b, raw, "true");
    /* cross-attention has that row, the encoder does not */
    says(&b, rings, "[false, false, true, true, true, true]");
    says(&b, still, b.answer[cell]);
    says(&b, pressed, "[\"dL/dS\"]");
    assert_contains(b.answer[legend], "99th percentile");
    assert_contains(b.answer[legend], "% are beyond");
    ck_assert(!strncmp(b.answer[row], "[0, 1, 1, 3, ", 13));
    says(&b, second, "[1, 2, 2]");
    says(&b, own, "[true, \"Each map has its own scale: colours cannot be compared between maps.\"]");
    const char *list = b.answer[order];
    const double first = next_number(&list), then = next_number(&list);
    ck_assert(first >= then && then >= 0);
    finish(&b, problems);
}
END_TEST

START_TEST(keys) {
    static invented v;
    browser b = opened(&v, NULL, false);
    ask(&b, "eval change({attention: 2, head: 0, row: 0, column: 0})");
    static const struct {
        const char *key, *state;
    } keys[] = {{"h", "[0, 2, 1, 0, 0, \"A\"]"},         {"h", "[0, 2, 0, 0, 0, \"A\"]"},
                {"q", "[0, 2, 0, 0, 0, \"dS\"]"},        {"k", "[0, 0, 0, 0, 0, \"dS\"]"},
                {"k", "[0, 1, 0, 0, 0, \"dS\"]"},        {"l", "[0, 1, 0, 0, 0, \"dS\"]"},
                {"ArrowDown", "[0, 1, 0, 0, 0, \"dS\"]"}};
    int state[7];
    for (int i = 0; i < 7; i++) {
        ask(&b, "key %s", keys[i].key);
        state[i] = ask(&b, STATE);
    }
    ask(&b, "eval $('stage').focus()"); /* arrow keys work only there */
    ask(&b, "key ArrowDown");
    ask(&b, "key ArrowDown");
    ask(&b, "key ArrowRight");
    const int moved = ask(&b, STATE);
    ask(&b, "key n");
    const int sentence = ask(&b, "eval view.sentence");
    ask(&b, "eval document.querySelector('.thumbnail[data-attention=\"2\"][data-head=\"1\"]').focus()");
    ask(&b, "eval change({row: 1, column: 1})");
    ask(&b, "eval document.querySelector('.thumbnail[data-attention=\"2\"][data-head=\"1\"]').click()");
    const int entered = ask(&b, "eval [view.attention, view.head, view.row, view.column]");
    ask(&b, "key o");
    ask(&b, "key i");
    ask(&b, "key q");
    ask(&b, "key +");
    const int switched = ask(&b, "eval [view.own, view.byImportance, view.zoom > 0]");
    ask(&b, "key 0");
    const int fits = ask(&b, "eval view.zoom"),
              before = ask(&b, "eval getComputedStyle(document.body).backgroundColor");
    ask(&b, "key d");
    const int dark = ask(&b, "eval getComputedStyle(document.body).backgroundColor");
    ask(&b, "key ?");
    ask(&b, "paper");
    const int paper = ask(&b, "eval getComputedStyle(document.body).backgroundColor");
    ask(&b, "screen");
    const int help = ask(&b, "eval $('about').open && $('about').textContent.includes('next head')");
    const int problems = ask(&b, "problems");
    for (int i = 0; i < 7; i++)
        ck_assert_msg(!strcmp(b.answer[state[i]], keys[i].state), "key %d, %s: %s", i, keys[i].key,
                      b.answer[state[i]]);
    says(&b, moved, "[0, 1, 0, 2, 1, \"dS\"]");
    says(&b, sentence, "1");
    says(&b, entered, "[2, 1, 1, 1]");
    says(&b, switched, "[true, true, true]");
    says(&b, fits, "0");
    says(&b, before, "\"rgb(255, 255, 255)\"");
    says(&b, dark, "\"rgb(22, 23, 27)\"");
    says(&b, paper, b.answer[before]); /* the same as on the screen */
    says(&b, help, "true");
    finish(&b, problems);
}
END_TEST

/* Given importance is used instead of the page's own; here it has the opposite order. */
START_TEST(importance_that_is_given) {
    static invented v;
    invent(&v, NULL, false);
    double given[MADE * HEADS] = {0};
    for (int h = 0; h < HEADS; h++) given[2 * HEADS + h] = 1 / (1 + importance(&v, 2, h));
    const int first = given[2 * HEADS] >= given[2 * HEADS + 1] ? 0 : 1;
    size_t size;
    char *page =
        tl_page_text(NULL, &v.sentences, &v.seen,
                     &(tl_page_options){.importance = given, .importance_text = "what was measured"}, &size);
    ck_assert_ptr_nonnull(page);
    browser b = browser_new();
    ask(&b, "open %s", browser_file(&b, "page.html", page));
    free(page);
    const int seen = ask(&b, "eval [view.attention, view.head]");
    ask(&b, "key i");
    const int order =
                  ask(&b, "eval Array.from(document.querySelectorAll('.thumbnail[data-attention=\"2\"]'), "
                          "(e) => Number(e.dataset.head))"),
              said = ask(&b, "eval $('maps_note').textContent"), problems = ask(&b, "problems");
    says(&b, seen, first ? "[2, 1]" : "[2, 0]");
    says(&b, order, first ? "[1, 0]" : "[0, 1]");
    assert_contains(b.answer[said], "By what was measured.");
    finish(&b, problems);
}
END_TEST

/* Light and dark follow the system, also when it changes, until the user chooses. */
START_TEST(themes) {
    static const char *const steps[][2] = {{"light", "rgb(255, 255, 255)"}, {"dark", "rgb(22, 23, 27)"},
                                           {"key d", "rgb(255, 255, 255)"}, {"light", "rgb(255, 255, 255)"},
                                           {"dark", "rgb(255, 255, 255)"},  {"key d", "rgb(22, 23, 27)"},
                                           {"light", "rgb(22, 23, 27)"}};
    enum { STEPS = sizeof steps / sizeof *steps };
    static invented v;
    browser b = opened(&v, NULL, false);
    int seen[STEPS];
    for (int i = 0; i < STEPS; i++) { /* the page learns of the system's choice with the next frame */
        ask(&b, "%s", steps[i][0]);
        seen[i] =
            ask(&b, "eval new Promise((said) => requestAnimationFrame(() => requestAnimationFrame(() => "
                    "said(getComputedStyle(document.body).backgroundColor))))");
    }
    const int problems = ask(&b, "problems");
    for (int i = 0; i < STEPS; i++)
        ck_assert_msg(strstr(b.answer[seen[i]], steps[i][1]), "%d, %s: %s", i, steps[i][0],
                      b.answer[seen[i]]);
    finish(&b, problems);
}
END_TEST

/* Sentences are sorted by loss, if losses are known. */
START_TEST(list_is_sorted) {
    static invented v;
    browser b = opened(&v, NULL, false);
    const int hidden = ask(&b, "eval Array.from($('order').options, (o) => o.hidden)");
    ask(&b, "eval void (data.sentences[0].loss = [0.5, 0.1, null, 0], data.sentences[1].loss = [2, 1])");
    const char *const orders[] = {"given", "worst", "best", "longest"}, *const expected[] = {
                                                                            "[0, 1]", "[1, 0]", "[0, 1]",
                                                                            "[0, 1]"};
    int list[4];
    for (int i = 0; i < 4; i++) {
        ask(&b, "eval ($('order').value = '%s', $('order').dispatchEvent(new Event('change')))", orders[i]);
        list[i] = ask(&b, "eval Array.from(document.querySelectorAll('#sentences button'), (e) => "
                          "Number(e.dataset.sentence))");
    }
    const int loss =
        ask(&b, "eval document.querySelector('#sentences [data-sentence=\"0\"] .beside').textContent");
    const int problems = ask(&b, "problems");
    says(&b, hidden, "[false, true, true, false]");
    for (int i = 0; i < 4; i++) says(&b, list[i], expected[i]);
    says(&b, loss, "\"1 · loss 0.200\"");
    finish(&b, problems);
}
END_TEST

/* ---- colours ---- */

/* Reads a copy, since browsers warn about reading the canvas itself. */
#define PIXEL                                                                                              \
 "eval Array.from(((c) => { const t = new OffscreenCanvas(c.width, c.height).getContext('2d', "            \
 "{willReadFrequently: true}); t.drawImage(c, 0, 0); return t; })(document.querySelector('canvas.large'))" \
 ".getImageData("
/* A pixel of a cell, away from the number in the middle and from lines. */
static int cell_pixel(browser *b, int row, int column) {
    return ask(b,
               PIXEL "Math.round((%d + 0.5) * large.layout.pitch), Math.round((%d + 0.15) * "
                     "large.layout.pitch), 1, 1).data).slice(0, 3)",
               column, row);
}

START_TEST(colours) {
    static invented v;
    browser b = opened(&v, NULL, false);
    ask(&b, "eval change({attention: 1, head: 0, quantity: 'A'})");
    const int pixel = cell_pixel(&b, 2, 1),
              expected = ask(&b, "eval colourOf(large.scale, large.map.values[2 * 4 + 1])");
    const int blocked = ask(&b, PIXEL "3 * large.layout.pitch + 8, 8, 6, 6).data).filter((x, i) => i %% 4 "
                                      "=== 0).every((x) => x < 230 && x > 100)");
    const int ends =
        ask(&b, "eval [colourOf({limit: 2, signed: true}, -2), colourOf({limit: 2, signed: true}, 0), "
                "colourOf({limit: 2, signed: true}, 2), colourOf({limit: 2, signed: true}, 9)]");
    const int root = ask(&b, "eval JSON.stringify(colourOf({limit: 1, root: true}, 0.25)) === "
                             "JSON.stringify(colourOf({limit: 1}, 0.5))");
    ask(&b, "eval change({quantity: 'dS'})");
    const int limit = ask(&b, "eval [large.scale.limit, large.scale.clipped, large.scale.count]");
    const int same =
        ask(&b, "eval new Set(panelsOf().attentions.flatMap((p) => p.heads.map((h) => h.scale.limit))).size");
    const int first = ask(&b, "eval [-1, 1].map((sign) => colourOf(large.scale, sign * large.scale.limit))");
    const int problems = ask(&b, "problems");
    says(&b, pixel, b.answer[expected]);
    says(&b, blocked, "true");
    says(&b, ends, "[[15, 68, 137], [255, 255, 255], [181, 71, 0], [181, 71, 0]]");
    says(&b, root, "true");
    double sizes[200], x;
    long count = 0, beyond = 0;
    for (int a = 0; a < MADE; a++)
        for (long h = 0; h < HEADS; h++)
            for (long i = 0; i < v.attention[a].queries; i++)
                for (long j = 0; j < v.attention[a].keys; j++)
                    if (tl_why_blocked(&v.attention[a].mask, 0, h, i, j, v.attention[a].queries,
                                       v.attention[a].keys) == TL_SEES) {
                        long at = count++;
                        for (x = fabs(tl_seen_value(&v.attention[a], TL_SEE_DS, 0, h, i, j));
                             at > 0 && sizes[at - 1] > x; at--)
                            sizes[at] = sizes[at - 1];
                        sizes[at] = x;
                    }
    const char *list = b.answer[limit];
    const double found = next_number(&list);
    ck_assert_double_eq_tol(found, sizes[(long)ceil(0.99 * (double)count) - 1], 1e-6);
    while (beyond < count && sizes[count - 1 - beyond] > found + 1e-6) beyond++;
    ck_assert_double_eq_tol(next_number(&list), (double)beyond / (double)count, 1e-9);
    ck_assert_int_eq((long)next_number(&list), count);
    says(&b, same, "1");
    says(&b, first, "[[15, 68, 137], [181, 71, 0]]");
    finish(&b, problems);
}
END_TEST

/* A user's own mask may hide a pair from one head only. */
START_TEST(blocked_in_one_head) {
    static invented v;
    invent(&v, NULL, false);
    uint8_t attend[HEADS * TARGET * SOURCE];
    memset(attend, TL_ATTEND, sizeof attend);
    attend[TARGET * SOURCE + 1] = TL_BLOCK; /* head 1, row 0, column 1 */
    v.attention[2].mask = (tl_mask){.attend = attend, .attend_dim = {1, HEADS, TARGET, SOURCE}};
    browser b = opened_as(&v);
    const int seen = ask(
        &b, "eval [0, 1].map((head) => [0, 1, 2].map((j) => isSeen(mapOf(0, 2, head, 'A', false), 0, j)))");
    ask(&b, "eval change({attention: 2, head: 1, row: 0, column: 1})");
    const int why = ask(&b, "eval $('reading').querySelector('.blocked').textContent"),
              problems = ask(&b, "problems");
    says(&b, seen, "[[true, true, true], [true, false, true]]");
    says(&b, why, "\"blocked: user: the mask that was given hides it\"");
    finish(&b, problems);
}
END_TEST

/* ---- whatever the tokens are ---- */

START_TEST(foreign_tokens) {
    static const char *const tokens[] = {"</script><script>alert(1)</script>",
                                         "<img src=x onerror=alert(2)>",
                                         "\"'`${1}\\",
                                         "\xf0\x9f\x98\x80",
                                         "\xe2\x80\256cba",
                                         "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d",
                                         "\xe7\x9d\xa1\xe8\xa7\x89",
                                         "a\xe2\x80\xa8z",
                                         "&lt;b&gt;"};
    static invented v;
    browser b = opened(&v, tokens, false);
    const int chips = ask(&b, "eval Array.from(document.querySelectorAll('.chip'), (e) => e.textContent)");
    const int made =
        ask(&b, "eval [document.querySelectorAll('script').length, document.querySelectorAll('img').length]");
    const int upright =
        ask(&b, "eval (change({attention: 1}), Array.from(document.querySelectorAll('.column.upright'), (e) "
                "=> [e.textContent, e.children.length]))");
    int drawn[MADE];
    for (int a = 0; a < MADE; a++)
        drawn[a] = ask(&b,
                       "eval (change({attention: %d}), (() => { const d = new "
                       "DOMParser().parseFromString(svgFile(large), 'image/svg+xml');"
                       " return [d.querySelectorAll('parsererror').length, d.querySelectorAll('script, "
                       "img').length, d.querySelectorAll('g rect').length, "
                       "d.querySelectorAll('[fill=\"url(#blocked)\"]').length]; })())",
                       a);
    const int saved = ask(&b, "click #save");
    const int problems = ask(&b, "problems");
    says(&b, chips,
         "[\"</script><script>alert(1)</script>\", \"<img src=x onerror=alert(2)>\", \"\\\"'`${1}\\\\\", "
         "\"\xf0\x9f\x98\x80\", \"\\\\xe2\\\\x80\\\\xaecba\", "
         "\"\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d\", \"\xe7\x9d\xa1\xe8\xa7\x89\", \"a\\\\xe2\\\\x80\\\\xa8z\", "
         "\"&lt;b&gt;\"]");
    says(&b, made, "[10, 0]");
    says(&b, upright, "[[\"\xe7\x9d\xa1\xe8\xa7\x89\", 2]]");
    says(&b, drawn[0], "[0, 0, 25, 0]");
    says(&b, drawn[1], "[0, 0, 16, 6]"); /* later positions */
    says(&b, drawn[2], "[0, 0, 20, 0]");
    says(&b, saved, "ok");
    finish(&b, problems);
}
END_TEST

/* ---- other models ---- */

#define ASKED "eval [attentionOf().kind, $('question').textContent.split(': ')[1].split(' it ')[0]]"
#define PANELS "eval Array.from(document.querySelectorAll('.panel h3'), (e) => e.textContent)"
#define LINES "eval Array.from(document.querySelectorAll('.what'), (e) => e.textContent)"

/* A language model has no source: its decoder's self-attention is the large map. */
START_TEST(language_model) {
    static invented v;
    invent(&v, NULL, false);
    v.seen.attention = &v.attention[1], v.seen.count = 1;
    for (int i = 0; i < SENTENCES; i++) v.sentence[i].source = NULL, v.sentence[i].src = (tl_tokens){0};
    browser b = opened_as(&v);
    const int asked = ask(&b, ASKED), panels = ask(&b, PANELS), lines = ask(&b, LINES);
    ask(&b, "eval change({row: 2, column: 0})");
    const int coloured =
        ask(&b, "eval Array.from(document.querySelectorAll('.chip'), (e) => e.style.background !== '')");
    const int problems = ask(&b, "problems");
    says(&b, asked, "[\"decoder self\", \"What does the model look at when\"]");
    says(&b, panels, "[\"Decoder self-attention\"]");
    says(&b, lines, "[\"text\"]");
    says(&b, coloured, "[true, true, false, false]"); /* the tokens read: <bos> and these two */
    finish(&b, problems);
}
END_TEST

/* For a classifier the pooling is the large map; its single row is the class. */
START_TEST(classifier) {
    static invented v;
    invent(&v, NULL, false);
    static const char *const class[] = {"good"};
    v.attention[1] = v.attention[2], v.seen.count = 2;
    snprintf(v.attention[1].name, sizeof v.attention[1].name, "pooling");
    for (int i = 0; i < SENTENCES; i++)
        v.sentence[i].read = (tl_tokens){0}, v.sentence[i].written = tokens_of(&v, i, 2, 1, class);
    browser b = opened_as(&v);
    const int asked = ask(&b, ASKED), panels = ask(&b, PANELS), lines = ask(&b, LINES);
    const int rows =
        ask(&b, "eval Array.from(document.querySelectorAll('.labels .row'), (e) => e.textContent)");
    const int problems = ask(&b, "problems");
    says(&b, asked, "[\"pooling\", \"What does the model look at to say good?\"]");
    says(&b, panels, "[\"Encoder self-attention\", \"Pooling\"]");
    says(&b, lines, "[\"text\", \"class\"]");
    says(&b, rows, "[\"says good\"]");
    finish(&b, problems);
}
END_TEST

/* A classifier with [CLS] predicts from that row. */
START_TEST(classifier_with_cls) {
    static invented v;
    static const char *const text[] = {"[CLS]", "not", "good", ".", "<eos>", "a", "b", "c", "d"},
                             *const class[] = {"bad"};
    invent(&v, text, false);
    v.seen.count = 1;
    for (int i = 0; i < SENTENCES; i++)
        v.sentence[i].read = (tl_tokens){0}, v.sentence[i].written = tokens_of(&v, i, 2, 1, class);
    browser b = opened_as(&v);
    const int asked = ask(&b, ASKED), lines = ask(&b, LINES), row = ask(&b, "eval view.row"),
              problems = ask(&b, "problems");
    says(&b, asked, "[\"encoder self\", \"What does [CLS] look at?\"]");
    says(&b, lines, "[\"text\", \"class\"]");
    says(&b, row, "0");
    finish(&b, problems);
}
END_TEST

/* For a captioner the picture replaces the source's tokens, and columns are its patches. */
START_TEST(captioner) {
    static invented v;
    invent(&v, NULL, false);
    static const char *const scene[] = {".", "red-square", ".", "."};
    /* two by two, each of two by two pixels: white, and one red */
    static tl_real patches[SENTENCES * 4 * 12];
    for (int i = 0; i < 4; i++) patches[12 + 3 * i + 1] = patches[12 + 3 * i + 2] = 1;
    v.seen.batch.pictures = tl_tensor_of(patches, TL_SHAPE(SENTENCES, 4, 12));
    for (int i = 0; i < SENTENCES; i++) v.sentence[i].src = tokens_of(&v, i, 0, 4, scene);
    browser b = opened_as(&v);
    const int lines = ask(&b, LINES),
              names = ask(
                  &b,
                  "eval Array.from(document.querySelectorAll('.column'), (e) => [e.textContent, e.title])");
    const int drawn = ask(&b, "eval ((c) => { const t = c.getContext('2d'); return [[0.25, 0.25], [0.75, "
                              "0.25], [0.25, 0.75]].map(([x, y]) => "
                              "Array.from(t.getImageData(c.width * x, c.height * y, 1, 1).data).join()); "
                              "})(document.querySelector('.picture'))");
    ask(&b, "eval change({row: 1, column: 0})");
    ask(&b, "click .patch[data-column='1']");
    const int column = ask(&b, "eval view.column"),
              reading = ask(&b, "eval $('reading').textContent.includes('looks at red-square (1,2)')");
    ask(&b, "problems"); /* reading pixels is the test's doing */
    says(&b, lines, "[\"picture\", \"caption\"]");
    says(&b, names,
         "[[\"1,1\", \"patch, row 1, column 1: .\"], [\"1,2\", \"patch, row 1, column 2: red-square\"], "
         "[\"2,1\", \"patch, row 2, column 1: .\"], [\"2,2\", \"patch, row 2, column 2: .\"]]");
    says(&b, drawn, "[\"255,255,255,255\", \"255,0,0,255\", \"255,255,255,255\"]");
    says(&b, column, "1");
    says(&b, reading, "true");
    browser_free(&b);
}
END_TEST

/* Without gradients: they are not offered, and the head with the lowest entropy is first. */
START_TEST(without_gradients) {
    static invented v;
    invent(&v, NULL, false);
    for (int i = 0; i < MADE; i++)
        v.attention[i].weight_grads.data = v.attention[i].score_grads.data = v.attention[i].norms.data =
            v.attention[i].head_norms.data = NULL;
    browser b = opened_as(&v);
    const int there = ask(&b, "eval Array.from($('quantities').children, (e) => e.textContent)"),
              head = ask(&b, "eval [view.attention, view.head]");
    const int disabled = ask(&b, "eval $('importance').disabled"),
              said = ask(&b, "eval $('provenance').textContent.includes('Gradients were not asked for.')");
    const int problems = ask(&b, "problems");
    double sharp[HEADS] = {0};
    for (long h = 0; h < HEADS; h++)
        for (long i = 0; i < TARGET; i++) {
            double most = 0;
            for (long j = 0; j < SOURCE; j++)
                most = fmax(most, tl_seen_value(&v.attention[2], TL_SEE_A, 0, h, i, j));
            sharp[h] += most;
        }
    says(&b, there, "[\"A\", \"S\"]");
    says(&b, head, sharp[0] >= sharp[1] ? "[2, 0]" : "[2, 1]");
    says(&b, disabled, "true");
    says(&b, said, "true");
    finish(&b, problems);
}
END_TEST

/* NaN and infinities of a diverged model are shown. */
START_TEST(not_a_number) {
    static invented v;
    invent(&v, NULL, false);
    v.attention[2].weights.data[1] = v.attention[2].weight_grads.data[2] = (tl_real)NAN;
    v.attention[0].scores.data[3] = (tl_real)INFINITY;
    browser b = opened_as(&v);
    static const char *const quantities[] = {"A", "dS", "S", "dA-raw"};
    for (int i = 0; i < 4; i++)
        ask(&b, "eval change({attention: 2, head: 0, row: 0, column: 1, quantity: '%s'})", quantities[i]);
    const int weight =
        ask(&b, "eval document.querySelector('#reading [data-quantity=A]').textContent.startsWith('NaN')");
    const int limit = ask(&b, "eval Number.isFinite(large.scale.limit)"), problems = ask(&b, "problems");
    says(&b, weight, "true");
    says(&b, limit, "true");
    finish(&b, problems);
}
END_TEST

/* The page says what was left out for lack of room. */
START_TEST(less_is_said) {
    static invented v;
    invent(&v, NULL, false);
    size_t size;
    tl_page_options options = {.title = "t", .quantities = 1u << TL_SEE_A};
    v.sentences.count = 1;
    free(tl_page_text(NULL, &v.sentences, &v.seen, &options, &size));
    v.sentences.count = SENTENCES;
    options = (tl_page_options){.title = "t", .most_bytes = size + 100};
    char *page = tl_page_text(NULL, &v.sentences, &v.seen, &options, &size);
    ck_assert_ptr_nonnull(page);
    browser b = browser_new();
    ask(&b, "open %s", browser_file(&b, "page.html", page));
    const int said = ask(&b, "eval $('provenance').textContent"), problems = ask(&b, "problems");
    assert_contains(b.answer[said], "gradient of the weight as it is");
    assert_contains(b.answer[said], "Left out to keep this file small: score before the mask");
    assert_contains(b.answer[said], "Left out to keep this file small: the last sentence.");
    free(page);
    finish(&b, problems);
}
END_TEST

/* ---- sizes ---- */

/* Nothing is cut off at the sides, and labels stay in view while a large map scrolls. */
START_TEST(sizes) {
    static invented v;
    browser b = opened(&v, NULL, false);
    static const int size[][2] = {{1400, 900}, {900, 1200}, {420, 800}};
    int wide[3];
    for (int i = 0; i < 3; i++) {
        ask(&b, "size %d %d", size[i][0], size[i][1]);
        wide[i] = ask(&b, "eval [innerWidth, document.documentElement.scrollWidth <= innerWidth]");
    }
    ask(&b, "size 420 500");
    ask(&b, "eval change({zoom: 90})");
    const int stuck = ask(&b, "eval ((s) => { s.scrollTop = 120; s.scrollLeft = 200; const box = (q) => "
                              "s.querySelector(q).getBoundingClientRect(), at = s.getBoundingClientRect();"
                              " return [s.scrollTop > 50 && box('.columns').top - at.top, s.scrollLeft > 50 "
                              "&& box('.labels').left - at.left]; })($('stage'))");
    const int printed = ask(&b, "print %s", scratch_path(&b.files, "page.pdf"));
    const int problems = ask(&b, "problems");
    for (int i = 0; i < 3; i++) {
        char expected[32];
        snprintf(expected, sizeof expected, "[%d, true]", size[i][0]);
        says(&b, wide[i], expected);
    }
    says(&b, stuck, "[0, 0]");
    says(&b, printed, "ok");
    finish(&b, problems);
}
END_TEST

static void add_tests(TCase *tc) {
    if (!browser_program()) return;
    tcase_add_unchecked_fixture(tc, start_browser, end_browser);
    tcase_add_loop_test(tc, numbers_are_the_librarys, 0, 2);
    tcase_add_loop_test(tc, every_run, 0, RUNS);
    tcase_add_test(tc, words_are_merged);
    tcase_add_test(tc, first_view);
    tcase_add_test(tc, row_that_is_asked_for);
    tcase_add_test(tc, clicks);
    tcase_add_test(tc, keys);
    tcase_add_test(tc, importance_that_is_given);
    tcase_add_test(tc, themes);
    tcase_add_test(tc, list_is_sorted);
    tcase_add_test(tc, colours);
    tcase_add_test(tc, blocked_in_one_head);
    tcase_add_test(tc, foreign_tokens);
    tcase_add_test(tc, language_model);
    tcase_add_test(tc, classifier);
    tcase_add_test(tc, classifier_with_cls);
    tcase_add_test(tc, captioner);
    tcase_add_test(tc, without_gradients);
    tcase_add_test(tc, not_a_number);
    tcase_add_test(tc, less_is_said);
    tcase_add_test(tc, sizes);
}

TL_TEST_MAIN("lens: page in a browser")
