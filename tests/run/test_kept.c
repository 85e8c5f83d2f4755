/* Sets of heads as text: a written set reads back the same, and a text that is none is refused at the place of the
 * fault. */
#include "check.h"

#include <tapeloom.h>

static const tl_head_shape shape = {{2, 1, 2}, 4};
enum { ALL = 20 };

static void reads(const char *text, bool others, const char *expected) {
    bool flags[ALL];
    tl_error error = {""};
    ck_assert_msg(tl_heads_parse(text, &shape, others, flags, &error), "%s", error.message);
    for (int i = 0; i < ALL; i++) must_msg(flags[i] == (expected[i] == '1'), "%s: head %d", text, i);
}

START_TEST(reading) {
    reads("", true, "11111111111111111111");
    reads("", false, "00000000000000000000");
    reads("encoder.0:0,2,3; cross.1:none", true, "10111111111111110000");
    reads("  cross.1: 1 ,  0 ;decoder.0:3;", false, "00000000000100001100");
}
END_TEST

START_TEST(writing) {
    static const char *const texts[] = {"", "encoder.0:0,2,3; cross.1:none",
                                        "encoder.1:3; decoder.0:0; cross.0:1,2"};
    for (int i = 0; i < 3; i++)
        for (int others = 0; others < 2; others++) {
            bool flags[ALL], again[ALL];
            ck_assert(tl_heads_parse(texts[i], &shape, others, flags, NULL));
            char *text = tl_heads_text(flags, &shape, others);
            if (others) ck_assert_str_eq(text, texts[i]);
            ck_assert(tl_heads_parse(text, &shape, others, again, NULL));
            ck_assert(memcmp(flags, again, sizeof flags) == 0);
            free(text);
        }
    bool all[ALL];
    memset(all, 1, sizeof all);
    char *text = tl_heads_text(all, &shape, false);
    ck_assert_str_eq(text, "encoder.0:0,1,2,3; encoder.1:0,1,2,3; decoder.0:0,1,2,3; cross.0:0,1,2,3; "
                           "cross.1:0,1,2,3");
    free(text);
}
END_TEST

START_TEST(refusing) {
    static const struct {
        const char *text, *why;
    } wrong[] = {{"encoders.0:1", "byte 8: expected a dot and the layer's number"},
                 {"self.0:1", "byte 1: expected encoder, decoder or cross"},
                 {"encoder.2:1", "byte 9: there is no such layer: they are 0 … 1"},
                 {"encoder.:1", "byte 9: the number of a layer is missing"},
                 {"encoder.0", "byte 10: expected a colon and heads, or none"},
                 {"encoder.0:", "byte 11: the number of a head is missing"},
                 {"encoder.0:1,", "byte 13: the number of a head is missing"},
                 {"encoder.0:4", "byte 11: there is no such head: they are 0 … 3"},
                 {"encoder.0:-1", "byte 11: the number of a head is missing"},
                 {"encoder.0:99999999999999999999", "there is no such head"},
                 {"encoder.0:1 2", "byte 13: expected a semicolon, or a comma and another head"},
                 {"encoder.0:1; encoder.0:2", "byte 14: this attention is named twice"}};
    bool flags[ALL];
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        tl_error error = {""};
        ck_assert_msg(!tl_heads_parse(wrong[i].text, &shape, true, flags, &error), "%s", wrong[i].text);
        assert_contains(error.message, wrong[i].why);
    }
    tl_error error = {""};
    ck_assert(!tl_heads_parse("", &(tl_head_shape){{1000, 1000, 1000}, 60000}, true, flags, &error));
    assert_contains(error.message, "more than can be listed");
    tl_error nothing = {""};
    ck_assert(!tl_heads_parse(NULL, &shape, true, flags, &nothing) && nothing.message[0]);
    ck_assert(!tl_heads_text(NULL, &shape, true));
    ck_assert_ptr_null(tl_head_kind_text((tl_attention_kind)3));
    ck_assert_str_eq(tl_head_kind_text(TL_CROSS), "cross");
    ck_assert_int_eq(tl_head_count(&shape), ALL);
    ck_assert_int_eq(tl_head_count(NULL), 0);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, reading);
    tcase_add_test(tc, writing);
    tcase_add_test(tc, refusing);
}
TL_TEST_MAIN("run: sets of heads as text")
