/* Text configurations: what is read, what is refused and with which message, and that written text reads back. */
#define _XOPEN_SOURCE 700
#include "scratch.h"

#include "tapeloom/io.h"

static tl_config *parse(const char *text) {
    tl_error error = {""};
    tl_config *config = tl_config_parse(text, strlen(text), "run.conf", &error);
    ck_assert_msg(config != NULL, "%s", error.message);
    return config;
}

START_TEST(values_of_every_kind) {
    tl_config *c = parse("\xEF\xBB\xBF# a comment\n"
                         "d_model = 128\n"
                         "  dropout=0.1   # not much\r\n"
                         "\n"
                         "tie-all\t=\tyes\n"
                         "name = Übersetzer für #1, \"quoted\" inside\n"
                         "quoted = \"  a # b \\\"c\\\" \\\\ \\n\\t\" # comment\n"
                         "empty =\n"
                         "a.b_c-1 = -inf");
    ck_assert_int_eq(tl_config_long(c, "d_model", 1), 128);
    ck_assert(tl_config_double(c, "d_model", 1) == 128);
    ck_assert(tl_config_double(c, "dropout", 1) == 0.1);
    ck_assert(tl_config_bool(c, "tie-all", false));
    ck_assert_str_eq(tl_config_string(c, "name", ""), "Übersetzer für");
    ck_assert_str_eq(tl_config_string(c, "quoted", ""), "  a # b \"c\" \\ \n\t");
    ck_assert_str_eq(tl_config_string(c, "empty", "x"), "");
    ck_assert(tl_config_double(c, "a.b_c-1", 1) == -INFINITY);
    ck_assert(tl_config_has(c, "dropout"));
    ck_assert(!tl_config_has(c, "Dropout"));
    ck_assert_int_eq(tl_config_long(c, "layers", 4), 4);
    ck_assert(tl_config_double(c, "lr", 0.5) == 0.5);
    ck_assert(tl_config_bool(c, "pre_norm", true));
    ck_assert_str_eq(tl_config_string(c, "out", "runs"), "runs");
    ck_assert_ptr_null(tl_config_string(c, "in", NULL));
    assert_no_error(tl_config_error(c));
    tl_config_free(c);
}
END_TEST

START_TEST(a_hash_inside_a_word_is_no_comment) {
    tl_config *c = parse("color = a#b\nx = # nothing\ny = #\nz = a #b\n");
    ck_assert_str_eq(tl_config_string(c, "color", ""), "a#b");
    ck_assert_str_eq(tl_config_string(c, "x", "?"), "");
    ck_assert_str_eq(tl_config_string(c, "y", "?"), "");
    ck_assert_str_eq(tl_config_string(c, "z", "?"), "a");
    tl_config_free(c);
}
END_TEST

START_TEST(booleans) {
    tl_config *c = parse("a=true\nb=false\nc=yes\nd=no\ne=on\nf=off\ng=1\nh=0\n");
    for (char key[2] = "a"; key[0] <= 'h'; key[0]++)
        ck_assert(tl_config_bool(c, key, key[0] % 2 == 0) == (key[0] % 2 == 1));
    assert_no_error(tl_config_error(c));
    tl_config_free(c);
}
END_TEST

START_TEST(unknown_keys_are_listed) {
    tl_config *c = parse("heads = 4\n# comment\nhaeds = 8\nlayers = 2\ntypo = x\n");
    long line = -1;
    tl_config_long(c, "heads", 1);
    ck_assert_int_eq(tl_config_long(c, "layers", 1), 2);
    tl_config_set_long(c, "added", 1);
    ck_assert_str_eq(tl_config_unknown(c, 0, &line), "haeds");
    ck_assert_int_eq(line, 3);
    ck_assert_str_eq(tl_config_unknown(c, 1, &line), "typo");
    ck_assert_int_eq(line, 5);
    ck_assert_ptr_null(tl_config_unknown(c, 2, NULL));
    ck_assert_ptr_null(tl_config_unknown(c, -1, NULL));
    tl_config_free(c);
}
END_TEST

static void assert_refused(const char *text, size_t size, const char *part) {
    tl_error error = {""};
    ck_assert_ptr_null(tl_config_parse(text, size, "run.conf", &error));
    assert_contains(error.message, part);
}
#define REFUSED(text, part) assert_refused(text, sizeof(text) - 1, part)

START_TEST(bad_lines_are_named) {
    REFUSED("a = 1\nheads\n", "run.conf line 2: expected key = value, found \"heads\"; add the '='");
    REFUSED("\n\n= 4\n", "run.conf line 3: expected a key of at most 127 letters");
    REFUSED("a b = 4\n", "found \"a b\"");
    REFUSED("schlüssel = 4\n", "found \"schlüssel\"");
    REFUSED("a = 1\n# x\nb = 2\r\na = 3\n", "run.conf line 4: repeated key \"a\"; it is in line 1 already");
    REFUSED("a = \"x\n", "run.conf line 1: no closing quote after \"x\"");
    REFUSED("a = \"x\\\"\n", "no closing quote");
    REFUSED("a = \"x\" y\n", "more text after the quoted value: \"y\"; put all of it in the quotes");
    REFUSED("a = \"x\\q\"\n", "unknown escape");
    REFUSED("a = \"x\\", "unknown escape");
    REFUSED("a = 1\nb = \xff\n", "run.conf line 2: invalid UTF-8 in \"b = \\xff\"; save the file as UTF-8");
    REFUSED("# \xc3\n", "invalid UTF-8");
    REFUSED("a = 1\0\n", "a 0 byte in \"a = 1\\x00\"");
    char long_key[200] = "";
    memset(long_key, 'k', 128);
    strcpy(long_key + 128, " = 1");
    assert_refused(long_key, strlen(long_key), "found \"kkk");
}
END_TEST

START_TEST(values_of_the_wrong_kind_are_named) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "run.conf");
    put_text(path,
             "# x\nheads = four\nlr = fast\npre_norm = maybe\nd_ff = 12.5\nbig = 9223372036854775808\n");
    tl_error error = {""};
    static const char *const expected[] = {
        "run.conf line 2: heads = \"four\": expected a whole number; correct the line",
        "run.conf line 3: lr = \"fast\": expected a number",
        "run.conf line 4: pre_norm = \"maybe\": expected true or false",
        "run.conf line 5: d_ff = \"12.5\": expected a whole number",
        "run.conf line 6: big = \"9223372036854775808\": expected a whole number"};
    for (int i = 0; i < 5; i++) {
        tl_config *c = tl_config_read(path, &error);
        ck_assert_msg(c != NULL, "%s", error.message);
        if (i == 0) ck_assert_int_eq(tl_config_long(c, "heads", 8), 8);
        if (i == 1) ck_assert(tl_config_double(c, "lr", 0.25) == 0.25);
        if (i == 2) ck_assert(tl_config_bool(c, "pre_norm", true));
        if (i == 3) ck_assert_int_eq(tl_config_long(c, "d_ff", 8), 8);
        if (i == 4) ck_assert_int_eq(tl_config_long(c, "big", 8), 8);
        assert_contains(tl_config_error(c), expected[i]);
        tl_config_long(c, "pre_norm", 0); /* the first error is kept */
        assert_contains(tl_config_error(c), expected[i]);
        ck_assert_ptr_null(tl_config_text(c));
        tl_config_free(c);
    }
    ck_assert_ptr_null(tl_config_read(scratch_path(&s, "missing"), &error));
    assert_contains(error.message, "missing: No such file or directory; check the path");
    scratch_remove(&s);
}
END_TEST

static const char *const odd_values[] = {"",    " ",     " x",  "x ",   "\"",   "\"x\"",        "a\"b",
                                         "#",   "a # b", "a#b", "a\nb", "\r",   "\t",           "\\n",
                                         "a\\", "# x",   "=",   "ü€😀",  "a\tb", "\\\"\n\r\t#\""};
enum { ODD = sizeof odd_values / sizeof *odd_values };

START_TEST(what_is_written_reads_back) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "run.conf");
    tl_config *c = tl_config_new();
    char key[16];
    tl_error error = {""};
    tl_config_comment(c, "made by a test\nin two lines");
    for (int i = 0; i < ODD; i++) {
        snprintf(key, sizeof key, "odd.%d", i);
        tl_config_set_string(c, key, odd_values[i]);
    }
    tl_config_comment(c, "");
    tl_config_set_double(c, "third", 1.0 / 3);
    tl_config_set_double(c, "lr", 0.1);
    tl_config_set_long(c, "steps", -8000);
    tl_config_set_bool(c, "tie", true);
    tl_config_set_double(c, "lr", 0.0007); /* in place */
    ck_assert_msg(tl_config_write(c, path, &error), "%s", error.message);
    tl_config_free(c);
    c = tl_config_read(path, &error);
    ck_assert_msg(c != NULL, "%s", error.message);
    for (int i = 0; i < ODD; i++) {
        snprintf(key, sizeof key, "odd.%d", i);
        ck_assert_str_eq(tl_config_string(c, key, "?"), odd_values[i]);
    }
    ck_assert(tl_config_double(c, "third", 0) == 1.0 / 3);
    ck_assert(tl_config_double(c, "lr", 0) == 0.0007);
    ck_assert_int_eq(tl_config_long(c, "steps", 0), -8000);
    ck_assert(tl_config_bool(c, "tie", false));
    char *first = get_file(path, NULL), *again = tl_config_text(c);
    ck_assert_str_eq(first, again);
    ck_assert_ptr_eq(strstr(first, "# made by a test\n# in two lines\nodd.0 = \"\"\n"), first);
    assert_contains(first, "\n\nthird = 0.3333333333333333\nlr = 0.0007\nsteps = -8000\ntie = true\n");
    free(first);
    free(again);
    tl_config_free(c);
    scratch_remove(&s);
}
END_TEST

START_TEST(comments_survive_a_rewrite) {
    tl_config *c = parse("# how it was\r\n\r\n  # indented\na = 1 # lost\nb = 2\n");
    tl_config_set_long(c, "a", 3);
    char *text = tl_config_text(c);
    ck_assert_str_eq(text, "# how it was\n\n  # indented\na = 3\nb = 2\n");
    free(text);
    tl_config_free(c);
}
END_TEST

START_TEST(bad_settings_fail_the_configuration) {
    static const struct {
        const char *key, *value, *part;
    } cases[] = {{"a b", "x", "key \"a b\": expected at most 127 letters"},
                 {"", "x", "key \"\""},
                 {NULL, "x", "key \"(NULL)\""},
                 {"a", "\xff", "configuration: a: expected a value in valid UTF-8"},
                 {"a", NULL, "configuration: a: expected a value"}};
    scratch s = scratch_new();
    const char *never = scratch_path(&s, "never-written");
    for (int i = 0; i < 5; i++) {
        tl_config *c = tl_config_new();
        tl_error error = {""};
        tl_config_set_string(c, "good", "kept");
        tl_config_set_string(c, cases[i].key, cases[i].value);
        assert_contains(tl_config_error(c), cases[i].part);
        tl_config_set_string(c, "later", "ignored");
        ck_assert(!tl_config_has(c, "later"));
        ck_assert(!tl_config_write(c, never, &error));
        assert_contains(error.message, cases[i].part);
        tl_config_free(c);
    }
    ck_assert_int_eq(count_files(s.folder), 0);
    scratch_remove(&s);
    tl_config *c = tl_config_new();
    tl_config_comment(c, "\xff");
    assert_contains(tl_config_error(c), "comment is not valid UTF-8");
    tl_config_free(c);
    tl_config_set_long(NULL, "a", 1);
    tl_config_comment(NULL, "x");
    ck_assert_int_eq(tl_config_long(NULL, "a", 5), 5);
    ck_assert_ptr_null(tl_config_text(NULL));
    assert_contains(tl_config_error(NULL), "out of memory");
    tl_config_free(NULL);
}
END_TEST

/* Any bytes are a configuration or an error. A configuration that was read is written and read back the same. */
START_TEST(random_bytes_are_survived) {
    static const char alphabet[] = "ab=  \n\n#\"\\\r\t.\xc3\xbc"
                                   "1n";
    uint64_t state = 99;
    int good = 0;
    for (int round = 0; round < 20000; round++) {
        char text[40];
        size_t size = 0;
        for (; size < sizeof text; size++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            text[size] = alphabet[(state >> 33) % (sizeof alphabet - 1)];
            if ((state >> 40) % 30 == 0) break;
        }
        tl_error error = {""};
        tl_config *c = tl_config_parse(text, size, "x", &error);
        ck_assert((!c) == tl_failed(&error));
        if (!c) continue;
        good++;
        char *once = tl_config_text(c);
        tl_config *d = parse(once);
        char *twice = tl_config_text(d);
        ck_assert_str_eq(once, twice);
        free(once);
        free(twice);
        tl_config_free(c);
        tl_config_free(d);
    }
    ck_assert_int_gt(good, 1000);
}
END_TEST

/* As many keys as fit into a configuration, and one more. */
START_TEST(a_hundred_thousand_keys) {
    enum { KEYS = 100000 };
    size_t room = (size_t)KEYS * 10, size = 0;
    char *text = malloc(room + TL_CONFIG_MOST), key[16];
    for (int i = 0; i < KEYS; i++) size += (size_t)sprintf(text + size, "k%x=%d\n", i, i % 7);
    ck_assert_uint_lt(size, TL_CONFIG_MOST);
    tl_error error = {""};
    tl_config *c = tl_config_parse(text, size, "x", &error);
    ck_assert_msg(c != NULL, "%s", error.message);
    for (int i = 0; i < KEYS; i++) {
        snprintf(key, sizeof key, "k%x", i);
        if (i % 3 == 0) tl_config_set_long(c, key, i);
        must(tl_config_long(c, key, -1) == (i % 3 ? i % 7 : i));
    }
    ck_assert(!tl_config_has(c, "k") && !tl_config_has(c, "kfffff") && !tl_config_unknown(c, 0, NULL));
    tl_config_free(c);
    memset(text + size, '\n', TL_CONFIG_MOST);
    c = tl_config_parse(text, TL_CONFIG_MOST, "x", &error);
    ck_assert_msg(c != NULL, "%s", error.message);
    tl_config_free(c);
    ck_assert_ptr_null(tl_config_parse(text, TL_CONFIG_MOST + 1, "x", &error));
    ck_assert_str_eq(error.message,
                     "x: 1048577 bytes, expected at most 1048576; this is no configuration: check the path");
    free(text);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, a_hundred_thousand_keys);
    tcase_add_test(tc, values_of_every_kind);
    tcase_add_test(tc, a_hash_inside_a_word_is_no_comment);
    tcase_add_test(tc, booleans);
    tcase_add_test(tc, unknown_keys_are_listed);
    tcase_add_test(tc, bad_lines_are_named);
    tcase_add_test(tc, values_of_the_wrong_kind_are_named);
    tcase_add_test(tc, what_is_written_reads_back);
    tcase_add_test(tc, comments_survive_a_rewrite);
    tcase_add_test(tc, bad_settings_fail_the_configuration);
    tcase_add_test(tc, random_bytes_are_survived);
}
TL_TEST_MAIN("io: configuration")
