/* Settings as tables: any struct, tables inside tables, a command line, --help, config.txt, and what each refuses. */
#include "check.h"

#include "tapeloom/options.h"

typedef struct inner {
    long width;
    double share;
} inner;
typedef struct mine {
    const char *name, *colour;
    inner first, second;
    double rate;
    bool loud;
    const char *taste;
    long age;
    double weight;
    bool blind;
} mine;

static const tl_option inner_rows[] = {TL_OPTION(inner, width, "width", LONG, "N", "how wide"),
                                       TL_OPTION_ANEW(inner, share, "share", SHARE, "P", "how much of it"),
                                       TL_OPTIONS_END};
static const tl_option other_rows[] = {TL_OPTION(inner, width, "height", LONG, "N", "how high"),
                                       TL_OPTIONS_END};
static const tl_option rows[] = {
    TL_OPTION_HEADING("what it is"),
    TL_OPTION(mine, name, "name", TEXT, "WORD", "what it is called"),
    TL_OPTION(mine, colour, "colour", TEXT, "red|green|dark-green", "of its front"),
    TL_OPTION_HEADING("how large"),
    TL_OPTION_ROWS(mine, first, inner_rows),
    TL_OPTION_ROWS(mine, second, other_rows),
    TL_OPTION_ANEW(mine, rate, "rate", DOUBLE, "R", "how fast"),
    TL_OPTION(mine, loud, "loud", FLAG, NULL, "to be heard"),
    TL_OPTIONS_END};
static const tl_option unusual_rows[] = {
    TL_OPTION(mine, loud, "loud", FLAG, NULL, "to be heard"),
    TL_OPTION_RARE(mine, taste, "taste", TEXT, "salt|salty|sweet", "on the tongue"),
    TL_OPTION_RARE(mine, age, "age", LONG, "N", "in years"),
    TL_OPTION_RARE(mine, weight, "weight", DOUBLE, "W", "in stones"),
    TL_OPTION_RARE(mine, blind, "blind", FLAG, NULL, "to what is there"),
    TL_OPTIONS_END};

static const mine defaults = {.colour = "red", .first = {.width = 3, .share = 0.25}};

/* Parses words separated by spaces. */
static bool parse(const char *line, mine *m, bool *help, tl_error *error) {
    static char copy[512];
    char *argv[32];
    int argc = 0;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) argv[argc++] = word;
    *m = defaults;
    *help = false;
    *error = (tl_error){""};
    return tl_options_parse(rows, m, argc, argv, help, error);
}

START_TEST(parses) {
    mine m;
    bool help;
    tl_error error;
    ck_assert_msg(parse("--name x --colour dark-green --width 7 --share=0 --height 9 --rate 1e-3 --loud", &m,
                        &help, &error),
                  "%s", error.message);
    ck_assert_str_eq(m.name, "x");
    ck_assert_str_eq(m.colour, "dark-green");
    ck_assert(m.first.width == 7 && m.first.share == 0 && m.second.width == 9 && m.rate == 1e-3 && m.loud);
    /* the last one counts */
    ck_assert(parse("--width 1 --width=2", &m, &help, &error) && m.first.width == 2 && !help);
    ck_assert(parse("--width 1 -h --width none", &m, &help, &error) && help && m.first.width == 1);
    ck_assert(parse("", &m, &help, &error) && !m.name && m.first.width == 3);
}
END_TEST

START_TEST(refuses) {
    static const char *const cases[][2] = {
        {"--colour blue", "--colour \"blue\": say one of red|green|dark-green"},
        {"--colour dark", "--colour \"dark\": say one of red|green|dark-green"},
        {"--colour=", "--colour \"\": say one of red|green|dark-green"},
        {"--width -1", "--width \"-1\": a whole number from 0 to 2147483647 is expected"},
        {"--height 2147483648", "--height \"2147483648\": a whole number from 0 to 2147483647 is expected"},
        {"--share 1", "--share \"1\": a number from 0 up to, but not, 1 is expected"},
        {"--rate nan", "--rate \"nan\": a number from 0 up is expected"},
        {"--rate", "--rate: R is missing behind it"},
        {"--rate --loud", "--rate: R is missing behind it"},
        {"--loud=yes", "--loud takes no value"},
        {"--widt 3", "there is no option \"--widt\" here"},
        {"--first 3", "there is no option \"--first\" here"},
        {"name x", "\"name\": options begin with --"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mine m;
        bool help;
        tl_error error;
        ck_assert_msg(!parse(cases[i][0], &m, &help, &error), "%s", cases[i][0]);
        ck_assert_str_eq(error.message, cases[i][1]);
    }
}
END_TEST

START_TEST(names_rows) {
    ck_assert_str_eq(tl_options_named(rows, "--share=3")->name, "share");
    ck_assert(tl_options_named(rows, "--share")->anew && tl_options_named(rows, "--rate")->anew);
    ck_assert(!tl_options_named(rows, "--height")->anew);
    ck_assert_ptr_null(tl_options_named(rows, "share"));
    ck_assert_ptr_null(tl_options_named(rows, "--"));
    ck_assert_ptr_null(tl_options_named(rows, NULL));
}
END_TEST

static char *printed(const tl_option *table, const void *values) {
    char *text = NULL;
    FILE *out = tmpfile();
    ck_assert_ptr_nonnull(out);
    tl_options_print(table, values, out);
    long size = ftell(out);
    rewind(out);
    text = calloc((size_t)size + 1, 1);
    ck_assert_uint_eq(fread(text, 1, (size_t)size, out), (size_t)size);
    fclose(out);
    return text;
}

START_TEST(prints) {
    char *text = printed(rows, &defaults);
    ck_assert_str_eq(text, "\nwhat it is:\n"
                           "  --name WORD                    what it is called\n"
                           "  --colour red|green|dark-green  of its front [red]\n"
                           "\nhow large:\n"
                           "  --width N                      how wide [3]\n"
                           "  --share P                      how much of it [0.25]\n"
                           "  --height N                     how high\n"
                           "  --rate R                       how fast\n"
                           "  --loud                         to be heard\n");
    free(text);
    text = printed(inner_rows, &defaults.first);
    ck_assert_msg(!strncmp(text, "\noptions:\n  --width N ", 20), "%s", text);
    free(text);
}
END_TEST

START_TEST(writes_and_reads) {
    const mine m = {.name = "a \"b\"", .first = {7, 0.1}, .second = {8, 0}, .rate = 1.0 / 3, .loud = true};
    mine back = defaults;
    tl_error error = {""};
    tl_config *config = tl_config_new();
    tl_options_write(rows, &m, config);
    char *text = tl_config_text(config);
    ck_assert_str_eq(text, "name = a \"b\"\nwidth = 7\nshare = 0.1\nheight = 8\n"
                           "rate = 0.3333333333333333\nloud = true\n");
    ck_assert_msg(tl_options_read(rows, &back, config, "a.txt", "this", &error), "%s", error.message);
    ck_assert_str_eq(back.name, m.name);
    ck_assert_str_eq(back.colour, "red"); /* was not in the file */
    ck_assert(back.first.width == 7 && back.first.share == 0.1 && back.second.width == 8 &&
              back.rate == m.rate && back.loud);
    tl_config_free(config);
    free(text);
}
END_TEST

/* Default values of rare rows are not written, so that files from before such a row stay the same, byte for byte. */
START_TEST(rare_rows_are_written_when_they_say_something) {
    static const struct {
        mine m;
        const char *text;
    } cases[] = {{{.loud = false}, "loud = false\n"},
                 {{.taste = "salt"}, "loud = false\n"},
                 {{.taste = "salty"}, "loud = false\ntaste = salty\n"},
                 {{.taste = "sweet", .age = 3, .weight = 0.5, .blind = true, .loud = true},
                  "loud = true\ntaste = sweet\nage = 3\nweight = 0.5\nblind = true\n"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mine back = {.taste = "salt"};
        tl_error error = {""};
        tl_config *config = tl_config_new();
        tl_options_write(unusual_rows, &cases[i].m, config);
        char *text = tl_config_text(config);
        ck_assert_str_eq(text, cases[i].text);
        ck_assert_msg(tl_options_read(unusual_rows, &back, config, "a.txt", "this", &error), "%s",
                      error.message);
        ck_assert_str_eq(back.taste, cases[i].m.taste ? cases[i].m.taste : "salt");
        ck_assert(back.age == cases[i].m.age && back.weight == cases[i].m.weight &&
                  back.blind == cases[i].m.blind);
        tl_config_free(config);
        free(text);
    }
}
END_TEST

START_TEST(reads_no_nonsense) {
    static const char *const cases[][2] = {
        {"width = -1\n",
         "a.txt: width = \"-1\": expected a whole number from 0 to 2147483647; correct the line"},
        {"colour = blue\n", "a.txt: colour = \"blue\": expected red|green|dark-green; correct the line"},
        {"share = 1\n", "a.txt: share = \"1\": expected a number from 0 up to, but not, 1; correct the line"},
        {"name = x\nwidht = 1\n", "a.txt line 2: there is no setting \"widht\"; correct the line, or use the "
                                  "version of this that wrote it"},
        {"loud = perhaps\n", "a.txt line 1: loud = \"perhaps\": expected "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mine m = defaults;
        tl_error error = {""};
        tl_config *config = tl_config_parse(cases[i][0], strlen(cases[i][0]), "a.txt", &error);
        ck_assert_msg(config != NULL, "%s", error.message);
        ck_assert(!tl_options_read(rows, &m, config, "a.txt", "this", &error));
        ck_assert_msg(!strncmp(error.message, cases[i][1], strlen(cases[i][1])), "%s", error.message);
        tl_config_free(config);
    }
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, parses);
    tcase_add_test(tc, refuses);
    tcase_add_test(tc, names_rows);
    tcase_add_test(tc, prints);
    tcase_add_test(tc, writes_and_reads);
    tcase_add_test(tc, rare_rows_are_written_when_they_say_something);
    tcase_add_test(tc, reads_no_nonsense);
}

TL_TEST_MAIN("run: options")
