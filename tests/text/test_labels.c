/* Labels: from a corpus, written, read, and every kind of damage to their file. */
#include "check.h"
#include "tapeloom/text.h"

static tl_labels *labels_of(const char *const *names, int count) {
    tl_corpus *corpus = tl_corpus_new();
    for (int i = 0; i < count; i++) ck_assert(tl_corpus_add(corpus, "text", names[i]));
    tl_labels *labels = tl_labels_new(corpus);
    tl_corpus_free(corpus);
    return labels;
}
#define LABELS(...) \
 labels_of((const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

START_TEST(classes_are_in_the_order_of_bytes) {
    tl_labels *labels = LABELS("sport", "news", "sport", "local news", "\xC3\xA4", "news");
    static const char *const expected[] = {"local news", "news", "sport", "\xC3\xA4"};
    assert_no_error(tl_labels_error(labels));
    ck_assert_int_eq(tl_labels_count(labels), 4);
    for (long i = 0; i < 4; i++) {
        ck_assert_str_eq(tl_labels_name(labels, i), expected[i]);
        ck_assert_int_eq(tl_labels_find(labels, expected[i]), i);
    }
    ck_assert_str_eq(tl_labels_name(labels, -1), "");
    ck_assert_str_eq(tl_labels_name(labels, 4), "");
    ck_assert_int_eq(tl_labels_find(labels, "New"), -1);
    tl_labels_free(labels);
}
END_TEST

START_TEST(what_is_written_is_read) {
    tl_labels *labels = LABELS("b c", "a");
    size_t size;
    char *text = tl_labels_text(labels, &size);
    ck_assert_str_eq(text, "tapeloom-labels 1 2\na\nb c\n");
    ck_assert_int_eq(size, strlen(text));
    tl_labels *again = tl_labels_parse("labels.txt", text, size);
    assert_no_error(tl_labels_error(again));
    ck_assert_int_eq(tl_labels_count(again), 2);
    ck_assert_str_eq(tl_labels_name(again, 1), "b c");
    free(text);
    tl_labels_free(again);
    tl_labels_free(labels);
}
END_TEST

START_TEST(labels_that_no_line_could_hold) {
    static const char *const names[] = {"", " ", "a\tb", "a\nb", "a\rb", "\xFF"};
    for (int i = 0; i < 6; i++) {
        tl_labels *labels = labels_of((const char *const[]){"good", names[i]}, 2);
        assert_contains(tl_labels_error(labels), "labels: found ");
        assert_contains(tl_labels_error(labels),
                        " at sentence 2, expected a name of one line in UTF-8 without tabs");
        ck_assert_int_eq(tl_labels_count(labels), 0);
        ck_assert_ptr_null(tl_labels_text(labels, NULL));
        tl_labels_free(labels);
    }
}
END_TEST

#define ANEW ": the file was changed or cut off; put it back, or train anew"
#define NONE \
 ", expected \"tapeloom-labels 1 <classes>\": this is no list of labels; give the file that training wrote"

START_TEST(damaged_files) {
    static const char *const cases[][2] = {
        {"", "l.txt:1: found \"\"" NONE},
        {"tapeloom-vocab 1 4\n", "l.txt:1: found \"tapeloom-vocab 1 4\"" NONE},
        {"tapeloom-labels 2 1\na\n", "l.txt:1: found \"tapeloom-labels 2 1\"" NONE},
        {"tapeloom-labels 1 01\na\n", "l.txt:1: found \"tapeloom-labels 1 01\"" NONE},
        {"tapeloom-labels 1 -1\n", "l.txt:1: found \"tapeloom-labels 1 -1\"" NONE},
        {"tapeloom-labels 1 2\na\n", "l.txt:3: found the end after 1 labels, expected 2" ANEW},
        {"tapeloom-labels 1 1\na\nb\n", "l.txt:3: found \"b\", expected the end" ANEW},
        {"tapeloom-labels 1 2\na\na\n", "l.txt:3: found \"a\" again, it is in line 2" ANEW},
        {"tapeloom-labels 1 2\na\n\n", "l.txt:3: found \"\", expected a label's name" ANEW},
        {"tapeloom-labels 1 2\na\nb\tc\n", "l.txt:3: found \"b\\x09c\", expected a label's name" ANEW},
        {"tapeloom-labels 1 2\na\nb\r\n", "l.txt:3: found \"b\\x0d\", expected a label's name" ANEW},
        {"tapeloom-labels 1 2\na\nb", "l.txt:3: found the end, expected an LF after the last label" ANEW}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_labels *labels = tl_labels_parse("l.txt", cases[i][0], strlen(cases[i][0]));
        ck_assert_str_eq(tl_labels_error(labels), cases[i][1]);
        ck_assert_int_eq(tl_labels_count(labels), 0);
        ck_assert_int_eq(tl_labels_find(labels, "a"), -1);
        tl_labels_free(labels);
    }
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, classes_are_in_the_order_of_bytes);
    tcase_add_test(tc, what_is_written_is_read);
    tcase_add_test(tc, labels_that_no_line_could_hold);
    tcase_add_test(tc, damaged_files);
}

TL_TEST_MAIN("text: labels")
