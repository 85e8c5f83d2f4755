/* Numbers as text: any text as a number, and any number as text and back. */
#include "fuzz.h"

#include <tapeloom/io.h>

#include <errno.h>
#include <math.h>

int tl_fuzz_number(const uint8_t *bytes, size_t size);

static bool same(double a, double b) { return !memcmp(&a, &b, sizeof a) || (isnan(a) && isnan(b)); }

static void check_double(double value) {
    char text[TL_NUMBER_TEXT];
    double back = 3;
    tl_double_text(value, text);
    FUZZ_MUST(tl_double_parse(text, &back) && same(value, back), "%.17g is written %s", value, text);
    (void)tl_duration_text(value, text);
    fuzz_message(text);
}

static void check_float(float value) {
    char text[TL_NUMBER_TEXT];
    double back = 3;
    tl_float_text(value, text);
    FUZZ_MUST(tl_double_parse(text, &back) && same((double)(float)back, (double)value), "%.9g is written %s",
              (double)value, text);
}

static void check_text(const char *text) {
    double number = 7, expected;
    long whole = 7;
    char *end;
    if (tl_double_parse(text, &number)) {
        expected = strtod(text, &end);
        FUZZ_MUST(!*end && same(expected, number), "%s is read as %.17g", text, number);
        FUZZ_MUST(isfinite(number) || strlen(text) <= 4, "%s is read as infinite", text);
        check_double(number);
    } else
        FUZZ_MUST(number == 7, "%s is refused, and has changed the number", text);
    errno = 0;
    const long read = strtol(text, &end, 10);
    const bool plain = *text && !*end && !errno && strspn(text, "+-0123456789") == strlen(text);
    FUZZ_MUST(tl_long_parse(text, &whole) == plain, "%s", text);
    FUZZ_MUST(whole == (plain ? read : 7), "%s is read as %ld", text, whole);
}

int tl_fuzz_number(const uint8_t *bytes, size_t size) {
    fuzz_bytes in = fuzz_bytes_of(bytes, size);
    const uint64_t word = fuzz_word(&in);
    const uint32_t half = (uint32_t)word;
    double number;
    float less;
    memcpy(&number, &word, sizeof number);
    memcpy(&less, &half, sizeof less);
    check_double(number);
    check_float(less);
    check_float((float)number);
    char *text = fuzz_string_of((const char *)bytes, size);
    check_text(text);
    free(text);
    return 0;
}

static void seeds(tl_fuzz_put *put, void *context) {
    static const char *const texts[] = {"0",
                                        "-0",
                                        "12",
                                        "-1e-3",
                                        "+.5E+7",
                                        "1e308",
                                        "1e-320",
                                        "1e999",
                                        "1e-999",
                                        "nan",
                                        "-inf",
                                        "+nan",
                                        "0x10",
                                        "1e",
                                        ".",
                                        "9223372036854775807",
                                        "-9223372036854775809",
                                        " 1",
                                        "1."};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) put(context, texts[i], strlen(texts[i]));
}

TL_FUZZ(number, "io: numbers and durations as text");
