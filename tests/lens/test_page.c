/* The page as a file: it stores what was seen, bit for bit; foreign text is shown and never read as part of the
 * page; what does not fit is left out, and the page says so. Its looks and clicks are tested in test_page_browser.c. */
#include "lens/fresh_runs.h"
#include "lens/page.h"

#include "run/page.h"
#include "base/utf8.h"

extern const char tl_page_attention[];

#define WHOLE        \
 ((tl_page_options){ \
     .title = "a title", .command = "build/attend show", .fingerprint = "0123", .date = "2026-11-29"})

static char *page_of(invented *v, tl_page_options options) {
    size_t size = 0;
    char *page = tl_page_text(NULL, &v->sentences, &v->seen, &options, &size);
    ck_assert(!page || strlen(page) == size);
    return page;
}

/* A page is too long for a message. */
#define assert_has(page, part) must_msg(strstr(page, part) != NULL, "the page should contain \"%s\"", part)

/* ---- what is stored ---- */

static int digit(char c) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Float number k of little-endian base64. */
static float stored(const char *base64, long k) {
    uint32_t bits = 0;
    for (long byte = 0; byte < 4; byte++) {
        const long bit = (4 * k + byte) * 8, first = bit / 6, shift = bit % 6;
        const int two = digit(base64[first]) << 6 | digit(base64[first + 1]);
        bits |= (uint32_t)(two >> (4 - shift) & 255) << (8 * byte);
    }
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* What follows `"name":"` of attention number a of sentence b; NULL: it is not there. */
static const char *found(const char *page, long b, int a, const char *name) {
    char key[32];
    const char *at = strstr(page, "\"sentences\":[");
    for (long s = 0; at && s <= b; s++) at = strstr(at + 1, "{\"source\":");
    for (int i = 0; at && i <= a; i++) at = strstr(at + 1, "{\"blocked\":");
    if (!at) return NULL;
    snprintf(key, sizeof key, "\"%s\":\"", name);
    const char *end = strchr(at, '}'), *there = strstr(at, key);
    return there && there < end ? there + strlen(key) : NULL;
}

static void check_stored(const char *page, const invented *v, long b, int number) {
    static const tl_quantity quantities[] = {TL_SEE_A, TL_SEE_S, TL_SEE_DA_RAW, TL_SEE_HEAD_NORM,
                                             TL_SEE_NORM};
    const tl_seen_attention *a = &v->attention[number];
    const long rows = tl_seen_rows(a, &v->sentence[b])->count,
               columns = tl_seen_columns(a, &v->sentence[b])->count;
    for (int q = 0; q < 5; q++) {
        const char *base64 = found(page, b, number, tl_quantity_name(quantities[q]));
        ck_assert_ptr_nonnull(base64);
        const long heads = quantities[q] == TL_SEE_NORM ? 1 : HEADS, count = heads * rows * columns;
        ck_assert_int_eq((long)strcspn(base64, "\""), (4 * count + 2) / 3 * 4); /* no padding is stored */
        for (long k = 0; k < count; k++) {
            const long h = k / (rows * columns), i = k / columns % rows, j = k % columns;
            const float expected = (float)tl_seen_value(a, quantities[q], b, h, i, j),
                        got = stored(base64, k);
            must_msg(!memcmp(&expected, &got, sizeof got), "%s %s [%ld,%ld,%ld]: %.9g, stored %.9g", a->name,
                     tl_quantity_name(quantities[q]), h, i, j, (double)expected, (double)got);
        }
    }
}

START_TEST(stores_what_was_seen) {
    static invented v;
    invent(&v, NULL, false);
    char *page = page_of(&v, WHOLE);
    ck_assert_ptr_nonnull(page);
    for (long b = 0; b < SENTENCES; b++)
        for (int a = 0; a < MADE; a++) check_stored(page, &v, b, a);
    assert_has(page, "\"stored\":[\"A\",\"S\",\"dA-raw\",\"head-norm\",\"norm\"],\"left_out\":[],"
                     "\"sentences_left_out\":0");
    assert_has(page, "{\"name\":\"decoder.layers.0.cross\",\"kind\":\"cross\",\"layer\":0,\"heads\":2,"
                     "\"rows\":\"written\",\"columns\":\"src\"}");
    assert_has(page, "\"written\":{\"text\":[\"les\",\"chats\",\"dorment\",\"\\u003ceos>\"],\"word\":[0,"
                     "1,2,3],\"words\":4}");
    ck_assert_ptr_null(found(page, 0, 2, "dS")); /* follows from A and dL/dA */
    free(page);
}
END_TEST

/* dL/dS is stored if softmax's formula does not give it. */
START_TEST(stores_what_does_not_follow) {
    static invented v;
    invent(&v, NULL, true);
    char *page = page_of(&v, WHOLE);
    for (long b = 0; b < SENTENCES; b++)
        for (int a = 0; a < MADE; a++) {
            const char *base64 = found(page, b, a, "dS");
            ck_assert_msg((base64 != NULL) == (a == 2), "sentence %ld, attention %d", b, a);
            if (base64)
                ck_assert(stored(base64, 1) == (float)tl_seen_value(&v.attention[a], TL_SEE_DS, b, 0, 0, 1));
        }
    free(page);
}
END_TEST

/* One pattern for each mask: causal for the decoder, none elsewhere (padding is not stored); a user's own mask may
 * differ between heads. */
START_TEST(says_what_is_blocked) {
    static invented v;
    invent(&v, NULL, false);
    char *page = page_of(&v, WHOLE);
    assert_has(page, "\"blocked\":[\"0222002200020000\"]}");
    assert_has(page, "\"blocked\":[\"0200\"]}");
    assert_has(page, "\n{\"blocked\":[-1],\"A\":");
    free(page);
    uint8_t attend[HEADS * TARGET * SOURCE];
    memset(attend, TL_ATTEND, sizeof attend);
    attend[TARGET * SOURCE + 1] = TL_BLOCK; /* head 1, row 0, column 1 */
    v.attention[2].mask = (tl_mask){.attend = attend, .attend_dim = {1, HEADS, TARGET, SOURCE}};
    page = page_of(&v, WHOLE);
    assert_has(page, "\n{\"blocked\":[-1,1],\"A\":");
    assert_has(page, "\"blocked\":[\"0222002200020000\",\"04000000000000000000\"]}");
    free(page);
}
END_TEST

/* ---- foreign bytes ---- */

static int count_of(const char *text, const char *part) {
    int count = 0;
    for (const char *at = text; (at = strstr(at, part)); at += strlen(part)) count++;
    return count;
}

START_TEST(foreign_bytes_are_harmless) {
    static const char *const tokens[] = {"</script><script>alert(1)</script>",
                                         "<!--<script",
                                         "\"\\'`${x}",
                                         "a\xe2\x80\xa8z\xe2\x80\xa9",
                                         "\xf0\x9f\x98\x80",
                                         "\xe2\x80\256cba",
                                         "\xff\xfe",
                                         "\x1b[31m\x07\n",
                                         "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d"};
    static invented v;
    invent(&v, NULL, false);
    char *plain = page_of(&v, WHOLE);
    invent(&v, tokens, false);
    tl_page_options options = WHOLE;
    options.title = "</title><script>alert(2)</script>&amp;\xe2\x80\xae";
    options.command = options.model = options.fingerprint = options.date = options.importance_text =
        tokens[0];
    v.sentence[0].source = tokens[0], v.sentence[0].target = tokens[1];
    char *page = page_of(&v, options);
    static const char *const never[] = {"<script",    "</script",     "<!--",         "</title",
                                        "alert(1)</", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xae",
                                        "\x1b",       "\xff"};
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        ck_assert_msg(count_of(page, never[i]) == count_of(plain, never[i]), "%s is there", never[i]);
    ck_assert_uint_eq(tl_utf8_valid(page, strlen(page)), strlen(page));
    static const char *const shown[] = {
        "<title>&#60;/title>&#60;script>alert(2)&#60;/script>&#38;amp;\\xe2\\x80\\xae</title>",
        "\"\\u003c/script>\\u003cscript>alert(1)\\u003c/script>\"",
        "\"\\u003c!--\\u003cscript\"",
        "\"\\\"\\\\'`${x}\"",
        "\"a\\\\xe2\\\\x80\\\\xa8z",
        "\"\xf0\x9f\x98\x80\"",
        "\"\\\\xe2\\\\x80\\\\xaecba\"",
        "\"\\\\xff\\\\xfe\"",
        "\"\\\\x1b[31m\\\\x07\\\\x0a\"",
        "\"\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d\""};
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) assert_has(page, shown[i]);
    free(page), free(plain);
}
END_TEST

/* The page fetches nothing, and no data can change that. */
START_TEST(asks_for_nothing) {
    ck_assert_ptr_null(strstr(tl_page_attention, "https:"));
    ck_assert_int_eq(count_of(tl_page_attention, "http:"),
                     count_of(tl_page_attention, "'http://www.w3.org/2000/svg'"));
    ck_assert_int_eq(count_of(tl_page_attention, " src="), 0);
    ck_assert_int_eq(count_of(tl_page_attention, "<link"), 0);
    ck_assert_int_eq(count_of(tl_page_attention, "innerHTML"), 0);
    assert_has(tl_page_attention, "Content-Security-Policy");
    assert_has(tl_page_attention, "default-src 'none'");
}
END_TEST

/* ---- where it came from ---- */

START_TEST(says_where_it_came_from) {
    static invented v;
    invent(&v, NULL, false);
    const double importance[MADE * HEADS] = {0.5, 1, 2, 3, NAN, 1e-12};
    tl_page_options options = WHOLE;
    options.model = "a model", options.importance = importance, options.importance_text = "measured";
    char *page = page_of(&v, options);
    assert_has(page, "<title>a title</title>");
    static const char *const said[] = {"\"title\":\"a title\"",
                                       "\"model\":\"a model\"",
                                       "\"command\":\"build/attend show\"",
                                       "\"fingerprint\":\"0123\"",
                                       "\"date\":\"2026-11-29\"",
                                       "\"library\":\"Tapeloom (",
                                       "\"value\":1.5",
                                       "\"importance_text\":\"measured\"",
                                       "\"importance\":[0.5,1]",
                                       "\"importance\":[null,1e-12]",
                                       "\"own\":true",
                                       "\"own\":false"};
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) assert_has(page, said[i]);
    free(page);
    page = page_of(&v, (tl_page_options){0});
    assert_has(page, "<title>the cats do sleep</title>");
    assert_has(page, "\"command\":null");
    assert_has(page, "\"fingerprint\":null");
    int year, month, day;
    ck_assert_int_eq(sscanf(strstr(page, "\"date\":"), "\"date\":\"%4d-%2d-%2d\"", &year, &month, &day), 3);
    ck_assert(year >= 2024 && month >= 1 && month <= 12 && day >= 1 && day <= 31);
    free(page);
}
END_TEST

/* The expected digits were computed separately: FNV-1a over the names and the little-endian float32. */
START_TEST(fingerprints) {
    char one[17], two[17];
    tl_params *params = tl_params_new(1);
    const tl_linear_layer layer = tl_linear_init(params, "l", &(tl_linear_config){.in = 2, .out = 1});
    tl_real *weight = tl_param_value(layer.weight).data, *bias = tl_param_value(layer.bias).data;
    weight[0] = 1, weight[1] = (tl_real)-0.5, bias[0] = (tl_real)0.25;
    ck_assert_str_eq(tl_page_fingerprint(params, one), "99722771449ad4da");
    bias[0] = (tl_real)0.2500001;
    ck_assert_str_ne(tl_page_fingerprint(params, two), one);
    tl_params_free(params);
}
END_TEST

/* ---- size limits ---- */

static size_t size_without(invented *v, unsigned quantities) {
    tl_page_options options = WHOLE;
    options.quantities = quantities;
    char *page = page_of(v, options);
    const size_t size = strlen(page);
    free(page);
    return size;
}

START_TEST(stores_what_was_asked_for) {
    static invented v;
    invent(&v, NULL, false);
    static const struct {
        unsigned asked;
        const char *stored;
    } cases[] = {{1u << TL_SEE_A, "\"stored\":[\"A\"]"},
                 {1u << TL_SEE_DS, "\"stored\":[\"A\",\"dA-raw\"]"},
                 {1u << TL_SEE_ADA | 1u << TL_SEE_S, "\"stored\":[\"A\",\"S\",\"dA-raw\"]"},
                 {1u << TL_SEE_NORM, "\"stored\":[\"A\",\"norm\"]"},
                 {1u << TL_SEE_HEAD_NORM, "\"stored\":[\"A\",\"head-norm\"]"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_page_options options = WHOLE;
        options.quantities = cases[i].asked;
        char *page = page_of(&v, options);
        assert_has(page, cases[i].stored);
        ck_assert_ptr_nonnull(found(page, 1, 2, "A"));
        ck_assert((found(page, 1, 2, "dA-raw") != NULL) == (i == 1 || i == 2));
        ck_assert((found(page, 1, 2, "norm") != NULL) == (i == 3));
        free(page);
    }
    /* not looked at */
    for (int i = 0; i < MADE; i++) v.attention[i].weight_grads.data = v.attention[i].norms.data = NULL;
    char *page = page_of(&v, WHOLE);
    assert_has(page, "\"stored\":[\"A\",\"S\",\"head-norm\"],\"left_out\":[]");
    free(page);
}
END_TEST

/* The size of a page with only the first sentence. */
static size_t size_of_first(invented *v, unsigned quantities) {
    v->sentences.count = 1;
    const size_t size = size_without(v, quantities);
    v->sentences.count = SENTENCES;
    return size;
}

/* Norms of heads, norms and scores are left out first, then sentences, and gradients last; without gradients there
 * is room for sentences again. */
START_TEST(leaves_out_what_does_not_fit) {
    static invented v;
    invent(&v, NULL, false);
    const unsigned a = 1u << TL_SEE_A, grad = 1u << TL_SEE_DS, s = 1u << TL_SEE_S, norm = 1u << TL_SEE_NORM;
    const struct {
        size_t most; /* without the names of what is missing */
        const char *left_out;
        int sentences, grads; /* how many sentences are there, and with gradients */
    } cases[] = {
        {size_without(&v, a | s | grad | norm), "\"left_out\":[\"head-norm\"]", 2, 2},
        {size_without(&v, a | s | grad), "\"left_out\":[\"head-norm\",\"norm\"]", 2, 2},
        {size_without(&v, a | grad), "\"left_out\":[\"S\",\"head-norm\",\"norm\"]", 2, 2},
        {size_without(&v, a | grad) - 120, "\"left_out\":[\"S\",\"head-norm\",\"norm\"]", 1, 1},
        {size_of_first(&v, a | grad), "\"left_out\":[\"S\",\"head-norm\",\"norm\"]", 1, 1},
        {size_of_first(&v, a | grad) - 120, "\"left_out\":[\"S\",\"dA-raw\",\"head-norm\",\"norm\"]", 2, 0},
        {size_of_first(&v, a), "\"left_out\":[\"S\",\"dA-raw\",\"head-norm\",\"norm\"]", 1, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_page_options options = WHOLE;
        char sentences[64];
        options.most_bytes = cases[i].most + 80;
        char *page = page_of(&v, options);
        ck_assert_msg(page && strlen(page) <= options.most_bytes, "%zu", i);
        assert_has(page, cases[i].left_out);
        snprintf(sentences, sizeof sentences, "\"sentences_left_out\":%d,", SENTENCES - cases[i].sentences);
        assert_has(page, sentences);
        for (int b = 0; b < SENTENCES; b++) {
            ck_assert_msg((found(page, b, 2, "A") != NULL) == (b < cases[i].sentences), "%zu", i);
            ck_assert_msg((found(page, b, 2, "dA-raw") != NULL) == (b < cases[i].grads), "%zu", i);
        }
        ck_assert((strstr(page, "she eats") != NULL) == (cases[i].sentences == 2));
        free(page);
    }
    tl_page_options options = WHOLE;
    options.most_bytes = size_of_first(&v, a) - 20;
    ck_assert_ptr_null(page_of(&v, options));
    options.most_bytes = strlen(tl_page_attention) + 1500;
    ck_assert_ptr_null(page_of(&v, options));
    options.most_bytes = 1;
    ck_assert_ptr_null(page_of(&v, options));
}
END_TEST

/* ---- a picture ---- */

START_TEST(pictures_are_stored) {
    static invented v;
    invent(&v, NULL, false);
    static tl_real patches[SENTENCES * 4 * 3]; /* 2 × 2 patches of one pixel */
    patches[0] = 1, patches[1] = (tl_real)0.5, patches[2] = 0, patches[3] = (tl_real)-0.1,
    patches[4] = (tl_real)1.1;
    v.seen.batch.pictures = tl_tensor_of(patches, TL_SHAPE(SENTENCES, 4, 3));
    char *page = page_of(&v, WHOLE);
    /* 0 128 255, 255 0 255 */
    assert_contains(page, "\"picture\":{\"side\":2,\"cell\":1,\"pixels\":\"AID//wD/");
    free(page);
}
END_TEST

/* ---- tools for all pages ---- */

START_TEST(base64_is_that_of_the_rfc) {
    static const char *const cases[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"},
                                           {"\xff\xfe\xfd", "//79"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_buffer b = {0};
        ck_assert(tl_page_base64(&b, (const unsigned char *)cases[i][0], strlen(cases[i][0])));
        ck_assert_str_eq(b.text, cases[i][1]);
        tl_buffer_free(&b);
    }
    float numbers[500];
    for (size_t count = 0; count < 500; count += 7) {
        tl_buffer b = {0};
        for (size_t i = 0; i < count; i++) numbers[i] = (float)i * 1.25f - 7;
        ck_assert(tl_page_floats(&b, numbers, count));
        ck_assert_uint_eq(b.size, 2 + (count * 4 + 2) / 3 * 4);
        for (size_t i = 0; i < count; i++) must(stored(b.text + 1, (long)i) == numbers[i]);
        tl_buffer_free(&b);
    }
}
END_TEST

START_TEST(filling_needs_both_places) {
    tl_buffer data = {0}, page = {0};
    tl_buffer_text(&data, "{}");
    ck_assert(tl_page_fill(&page, "<title>@TITLE@</title>@DATA@!", "a<b", &data));
    ck_assert_str_eq(page.text, "<title>a&#60;b</title>{}!");
    tl_buffer_free(&page);
    ck_assert(!tl_page_fill(&page, "<title>@TITLE@</title>", "t", &data));
    tl_buffer_free(&page);
    ck_assert(!tl_page_fill(&page, "@DATA@", "t", &data));
    tl_buffer_free(&page);
    tl_buffer_free(&data);
}
END_TEST

/* ---- from a run ---- */

/* The page names its run and each token's loss; making it changes nothing that was seen. */
START_TEST(of_a_run) {
    tl_run *run = fresh_translator(false);
    static const char *const sources[] = {"the cat sleeps .", "the dogs ."}, *const targets[] = {
                                                                                 "le chat dort .", "les ."};
    tl_sentences read;
    tl_seen seen;
    size_t size;
    must(tl_sentences_of(run, sources, targets, 2, &read));
    must(tl_look(tl_run_model(run), tl_run_tape(run), &read.batch, NULL, &seen));
    const tl_tensor grads = seen.attention[0].score_grads;
    const size_t bytes = (size_t)tl_numel(grads) * sizeof(tl_real);
    tl_real *before = malloc(bytes);
    memcpy(before, grads.data, bytes);
    char *page = tl_page_text(run, &read, &seen, NULL, &size), said[64], digits[17];
    ck_assert_msg(page != NULL, "%s", tl_run_error(run));
    ck_assert_mem_eq(before, grads.data, bytes);
    double log_p[2 * 8];
    must(read.batch.tgt_len <= 8 && tl_log_p(tl_run_model(run), tl_run_tape(run), &read.batch, NULL, log_p));
    const char *at = strstr(page, ",\"loss\":[");
    for (long b = 0; b < 2; b++, at = strstr(at, ",\"loss\":[")) {
        ck_assert_ptr_nonnull(at);
        at += strlen(",\"loss\":[");
        for (long t = 0; t < read.sentence[b].written.count; t++, at = strpbrk(at, ",]") + 1)
            ck_assert_double_eq_tol(strtod(at, NULL), -log_p[b * read.batch.tgt_len + t], 1e-7);
    }
    assert_has(page, "\"model\":\"translate: (a fresh model)\"");
    snprintf(said, sizeof said, "\"fingerprint\":\"%s\"", tl_page_fingerprint(tl_run_params(run), digits));
    assert_has(page, said);
    assert_has(page, "\"objective\":\"L = the loss");
    free(page);
    ck_assert_ptr_null(tl_page_text(run, &read, &seen, &(tl_page_options){.most_bytes = 1000}, &size));
    assert_contains(tl_run_error(run), "the weights of one sentence take more bytes than it may have");
    ck_assert_ptr_null(tl_page_text(run, &read, &seen, NULL, &size)); /* the error is kept */
    tl_run_clear_error(run);
    ck_assert_ptr_null(tl_page_text(run, NULL, &seen, NULL, &size));
    assert_contains(tl_run_error(run), "give sentences");
    free(before);
    tl_sentences_free(&read);
    tl_run_free(run);
}
END_TEST

START_TEST(nothing) {
    static invented v;
    invent(&v, NULL, false);
    size_t size;
    ck_assert_ptr_null(tl_page_text(NULL, NULL, &v.seen, NULL, &size));
    ck_assert_ptr_null(tl_page_text(NULL, &v.sentences, NULL, NULL, &size));
    ck_assert_ptr_null(tl_page_text(NULL, &v.sentences, &v.seen, NULL, NULL));
    ck_assert_ptr_null(tl_page_text(NULL, &(tl_sentences){0}, &v.seen, NULL, &size));
    ck_assert_ptr_null(tl_page_text(NULL, &v.sentences, &(tl_seen){0}, NULL, &size));
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, stores_what_was_seen);
    tcase_add_test(tc, stores_what_does_not_follow);
    tcase_add_test(tc, says_what_is_blocked);
    tcase_add_test(tc, foreign_bytes_are_harmless);
    tcase_add_test(tc, asks_for_nothing);
    tcase_add_test(tc, says_where_it_came_from);
    tcase_add_test(tc, fingerprints);
    tcase_add_test(tc, stores_what_was_asked_for);
    tcase_add_test(tc, leaves_out_what_does_not_fit);
    tcase_add_test(tc, pictures_are_stored);
    tcase_add_test(tc, base64_is_that_of_the_rfc);
    tcase_add_test(tc, filling_needs_both_places);
    tcase_add_test(tc, of_a_run);
    tcase_add_test(tc, nothing);
}

TL_TEST_MAIN("lens: page")
