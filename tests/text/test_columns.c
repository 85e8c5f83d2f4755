/* Columns on a terminal, and the table of characters: by given values, and against Python's unicodedata. */
#define _POSIX_C_SOURCE 200809L
#include "examples/shell.h"
#include "tapeloom/text.h"
#include "text/scan.h"
#include "text/unicode/unicode.h"

START_TEST(columns_of_texts) {
    static const struct {
        const char *text;
        long columns;
    } cases[] = {
        {"", 0},
        {"Hello, world!", 13},
        {"gr\xC3\xBC\xC3\x9F", 4},
        {"gru\xCC\x88\xC3\x9F", 4},                  /* u and U+0308 */
        {"\xE4\xBD\xA0\xE5\xA5\xBD", 4},             /* 你好 */
        {"\xEF\xBC\x8C\xE3\x80\x82", 4},             /* ,。 */
        {"\xE3\x80\x80|", 3},                        /* U+3000 */
        {"\xEF\xBD\xB6\xEF\xBE\x9E", 2},             /* halfwidth ガ, both its parts */
        {"\xE3\x81\x8B\xE3\x82\x99", 2},             /* か with a combining voiced mark */
        {"\xED\x95\x9C", 2},                         /* 한 */
        {"\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB", 2}, /* the same as three jamo */
        {"\xF0\x9F\x98\x80", 2},                     /* 😀 */
        {"\xE2\x9D\xA4\xEF\xB8\x8F", 1},             /* ❤ and U+FE0F */
        {"a\xE2\x80\x8D"
         "b\xEF\xBB\xBF",
         2}, /* U+200D, U+FEFF */
        {"a\xC2\xAD"
         "b",
         3},                             /* the soft hyphen is drawn */
        {"a\x07\x1B\x7F", 1},            /* controls */
        {"\xC2\xA0\xC2\xB1\xCE\xA9", 3}, /* ambiguous ones are narrow */
        {"\xFF"
         "a\xC3",
         3},                                        /* bad bytes */
        {"\xEF\xBF\xAD\xE2\x96\x81\xEF\xBF\xAE", 3} /* the pre-tokens' ￭▁￮ */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_msg(tl_text_columns(cases[i].text) == cases[i].columns,
                      "case %zu: %ld columns, expected %ld", i, tl_text_columns(cases[i].text),
                      cases[i].columns);
    ck_assert_int_eq(tl_text_columns(NULL), 0);
}
END_TEST

START_TEST(classes_of_characters) {
    static const struct {
        uint32_t code;
        tl_char_class class;
    } cases[] = {{0, TL_CHAR_CONTROL},        {'\t', TL_CHAR_WHITE},       {' ', TL_CHAR_WHITE},
                 {'a', TL_CHAR_WORD},         {'7', TL_CHAR_WORD},         {'_', TL_CHAR_SYMBOL},
                 {'@', TL_CHAR_SYMBOL},       {'(', TL_CHAR_OPENING},      {')', TL_CHAR_SYMBOL},
                 {0x7F, TL_CHAR_CONTROL},     {0xA0, TL_CHAR_WHITE},       {0xAB, TL_CHAR_OPENING},
                 {0xBB, TL_CHAR_SYMBOL},      {0xE9, TL_CHAR_WORD},        {0x301, TL_CHAR_MARK},
                 {0x200D, TL_CHAR_MARK},      {0x201E, TL_CHAR_OPENING},   {0x2019, TL_CHAR_SYMBOL},
                 {0x20AC, TL_CHAR_SYMBOL},    {0x3000, TL_CHAR_WHITE},     {0x3002, TL_CHAR_IDEOGRAPH},
                 {0x3042, TL_CHAR_IDEOGRAPH}, {0x3099, TL_CHAR_MARK},      {0x4E2D, TL_CHAR_IDEOGRAPH},
                 {0xAC00, TL_CHAR_WORD},      {0xFF0C, TL_CHAR_IDEOGRAPH}, {0xFF21, TL_CHAR_WORD},
                 {0xFFED, TL_CHAR_SYMBOL},    {0x1F600, TL_CHAR_SYMBOL},   {0x20000, TL_CHAR_IDEOGRAPH},
                 {0x10FFFF, TL_CHAR_SYMBOL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_msg(tl_unicode_class(cases[i].code) == cases[i].class, "U+%04X", (unsigned)cases[i].code);
}
END_TEST

START_TEST(kinds_of_characters) {
    static const struct {
        uint32_t code;
        tl_char_kind kind;
    } cases[] = {{'a', TL_CHAR_LETTER},    {'7', TL_CHAR_NUMBER},     {'_', TL_CHAR_OTHER},
                 {0xAA, TL_CHAR_LETTER},   {0xB2, TL_CHAR_NUMBER},    {0xBD, TL_CHAR_NUMBER},
                 {0x301, TL_CHAR_OTHER},   {0x663, TL_CHAR_NUMBER},   {0x2167, TL_CHAR_NUMBER},
                 {0x3007, TL_CHAR_NUMBER}, {0x3005, TL_CHAR_LETTER},  {0x3042, TL_CHAR_LETTER},
                 {0x4E2D, TL_CHAR_LETTER}, {0x3002, TL_CHAR_OTHER},   {0x2A6DF, TL_CHAR_LETTER},
                 {0x2A6E0, TL_CHAR_OTHER}, {0x1D7D8, TL_CHAR_NUMBER}, {0x0378, TL_CHAR_OTHER},
                 {0xE000, TL_CHAR_OTHER},  {0x10FFFF, TL_CHAR_OTHER}, {0x24EA, TL_CHAR_NUMBER}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_msg(tl_unicode_kind(cases[i].code) == cases[i].kind, "U+%04X", (unsigned)cases[i].code);
}
END_TEST

START_TEST(white_is_what_tokens_end_at) {
    for (uint32_t code = 1; code < 0x10000; code++) {
        if (code >= 0xD800 && code <= 0xDFFF) continue;
        char text[4] = {(char)code};
        size_t length = 1;
        if (code >= 0x80) {
            length = code < 0x800 ? 2 : 3;
            text[length - 1] = (char)(0x80 | (code & 0x3F));
            text[length - 2] = (char)(length == 2 ? 0xC0 | code >> 6 : 0x80 | (code >> 6 & 0x3F));
            if (length == 3) text[0] = (char)(0xE0 | code >> 12);
        }
        bool white = tl_count_tokens((tl_span){text, length}) == 0;
        must_msg(white == (tl_unicode_class(code) == TL_CHAR_WHITE), "U+%04X", (unsigned)code);
    }
}
END_TEST

START_TEST(the_table_rises) {
    ck_assert_int_eq(tl_unicode_table[0] >> 8, 0);
    for (size_t i = 1; i < tl_unicode_runs; i++) {
        must(tl_unicode_table[i] >> 8 > tl_unicode_table[i - 1] >> 8);
        must((tl_unicode_table[i] & 0xFF) != (tl_unicode_table[i - 1] & 0xFF));
    }
}
END_TEST

/* Prints one character per code point: the width, 'A' + the class ('?' for the others), or the first letter of the
 * general category; '-' if the code point is not assigned. */
static const char script[] =
    "python3 -c '\n"
    "import unicodedata as u, sys\n"
    "def width(c):\n"
    "    g = u.category(c)\n"
    "    if g == \"Cn\" or g == \"Cs\": return \"-\"\n"
    "    if c == chr(0xAD): return \"1\"\n"
    "    if u.combining(c) or g in (\"Mn\", \"Me\", \"Cf\", \"Cc\", \"Zl\", \"Zp\"): return \"0\"\n"
    "    if 0x1160 <= ord(c) <= 0x11FF or 0xD7B0 <= ord(c) <= 0xD7FF: return \"0\"\n"
    "    return \"2\" if u.east_asian_width(c) in (\"W\", \"F\") else \"1\"\n"
    "def kind(c):\n"
    "    g = u.category(c)\n"
    "    if g == \"Cn\" or g == \"Cs\": return \"-\"\n"
    "    if c.isspace(): return \"F\"\n"
    "    if g == \"Cc\": return \"G\"\n"
    "    if g[0] == \"M\" or g == \"Cf\": return \"B\"\n"
    "    if u.name(c, \"\").startswith((\"CJK\", \"HIRAGANA L\", \"KATAKANA L\", \"HALFWIDTH K\", "
    "\"IDEOGRAPHIC C\",\n"
    "        \"IDEOGRAPHIC F\", \"FULLWIDTH COM\", \"FULLWIDTH L P\")): return \"E\"\n"
    "    return \"?\" if u.east_asian_width(c) in \"WFH\" or 0x2E80 <= ord(c) <= 0x33FF else \"A\" if g[0] "
    "in \"LN\" else \"D\" if g in "
    "(\"Ps\", \"Pi\") else \"C\"\n"
    "print(u.unidata_version)\n"
    "def main(c):\n"
    "    g = u.category(c)\n"
    "    return \"-\" if g == \"Cn\" or g == \"Cs\" else g[0]\n"
    "for f in width, kind, main: print(\"\".join(f(chr(i)) for i in range(0x110000)))\n"
    "'";

START_TEST(widths_and_classes_are_pythons) {
    int status;
    char *said = shell(&status, "%s", script);
    size_t version = strlen(tl_unicode_version), codes = 0x110000;
    if (status != 0) {
        TL_SKIP("python3 is not here: the table of characters was not compared");
    } else if (strncmp(said, tl_unicode_version, version) != 0 || said[version] != '\n') {
        TL_SKIP("python3 has another Unicode than %s: the table of characters was not compared",
                tl_unicode_version);
    } else {
        const char *width = said + version + 1, *kind = width + codes + 1, *main = kind + codes + 1;
        ck_assert_uint_eq(strlen(width), 3 * codes + 3);
        for (uint32_t code = 0; code < codes; code++) {
            must_msg(width[code] == '-' || width[code] - '0' == tl_unicode_width(code),
                     "U+%04X: width %d, Python's %c", (unsigned)code, tl_unicode_width(code), width[code]);
            must_msg((main[code] == 'L') == (tl_unicode_kind(code) == TL_CHAR_LETTER) &&
                         (main[code] == 'N') == (tl_unicode_kind(code) == TL_CHAR_NUMBER),
                     "U+%04X: kind %d, Python's %c", (unsigned)code, (int)tl_unicode_kind(code), main[code]);
            must_msg(
                kind[code] == '-' || kind[code] == '?' || kind[code] - 'A' == (int)tl_unicode_class(code),
                "U+%04X: class %d, Python's %c", (unsigned)code, (int)tl_unicode_class(code), kind[code]);
        }
    }
    free(said);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, columns_of_texts);
    tcase_add_test(tc, classes_of_characters);
    tcase_add_test(tc, kinds_of_characters);
    tcase_add_test(tc, white_is_what_tokens_end_at);
    tcase_add_test(tc, the_table_rises);
    tcase_add_test(tc, widths_and_classes_are_pythons);
}

TL_TEST_MAIN("text: columns")
