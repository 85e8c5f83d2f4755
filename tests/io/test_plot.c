/* Plots: the script, what gnuplot makes of it if it is installed, and a fake gnuplot that shows how it is called and
 * what happens to its messages. */
#define _XOPEN_SOURCE 700
#include "scratch.h"

#include "tapeloom/io.h"

static const tl_plot_curve losses[] = {{"train_loss", "training"}, {"valid_loss", "validation"}};
static const tl_plot_curve bleu[] = {{"bleu", NULL}};
static const tl_plot_curve rates[] = {{"learning_rate", "learning rate"}};
static const tl_plot_panel panels[] = {
    {"loss (nats)", losses, 2, false}, {"BLEU", bleu, 1, false}, {"rate", rates, 1, true}};
static const tl_plot_config plot = {.title = "A_b of c",
                                    .log = "log.csv",
                                    .x = "step",
                                    .x_label = "steps",
                                    .panels = panels,
                                    .count = 3,
                                    .picture = "curves.svg"};
#define POINT "#gpPt6' transform=" /* a point in gnuplot's SVG */
#define HEADER "step,train_loss,valid_loss,bleu,learning_rate\n"
#define ROWS                                                                                          \
 "1,5,nan,nan,0.001\n2,4.5,4.75,0.5,0.002\n3,4.25,nan,nan,0.003\n4,4,4.5,3,0.004\n5,3.5,,nan,0.005\n" \
 "6,3,4,7,0.006\n"

static void write_plot(const char *path, const tl_plot_config *config) {
    tl_error error = {""};
    ck_assert_msg(tl_plot_write(path, config, &error), "%s", error.message);
}

static bool draw(const char *script) {
    tl_error error = {""};
    bool drawn = false;
    ck_assert_msg(tl_plot_draw(script, &drawn, &error), "%s", error.message);
    return drawn;
}

static int count_in(const char *text, const char *part) {
    int n = 0;
    for (; (text = strstr(text, part)) != NULL; text++) n++;
    return n;
}

/* Does not print the text: a picture is too long for Check's messages. */
static void assert_has(const char *text, const char *part) {
    ck_assert_msg(strstr(text, part) != NULL, "the picture should contain \"%s\"", part);
}

/* A whole SVG as a text; the caller frees it. */
static char *get_svg(const char *path) {
    char *text = get_file(path, NULL);
    ck_assert_msg(strncmp(text, "<?xml", 5) == 0 && strstr(text, "<svg "), "%s", path);
    ck_assert_int_eq(count_in(text, "</svg>"), 1);
    return text;
}

/* ---- the script ---- */

START_TEST(script) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "curves.gp");
    write_plot(path, &plot);
    char *text = get_file(path, NULL);
    static const char *const parts[] = {
        "set terminal svg size 900,870 noenhanced",
        "set output 'curves.svg'\n",
        "set datafile separator ','\n",
        "set datafile missing 'nan'\n",
        "log = 'log.csv'\n",
        "set multiplot layout 3,1 ",
        " title 'A_b of c'\n",
        "set ylabel 'loss (nats)'\n",
        "plot log using 'step':'train_loss' with linespoints linetype 1",
        "title 'training', \\\n         log using 'step':'valid_loss' with linespoints linetype 2",
        "title 'validation'\n",
        "plot log using 'step':'bleu' with linespoints",
        "title 'bleu'\n",
        "title 'learning rate'\n",
        "set xlabel 'steps'\n",
        "set grid",
        "using 'step':'learning_rate' with table if (column('learning_rate') > 0)\n",
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) assert_contains(text, parts[i]);
    ck_assert_int_eq(count_in(text, "\nset logscale y\n"), 1);
    ck_assert_int_eq(count_in(text, "set xlabel"), 1); /* only under the last panel */
    free(text);
    tl_plot_config other = plot;
    other.picture = "curves.png";
    other.title = other.x_label = NULL;
    other.count = 1;
    write_plot(path, &other);
    text = get_file(path, NULL);
    assert_contains(text, "set terminal pngcairo size 900,370 noenhanced");
    assert_contains(text, "set output 'curves.png'\n");
    assert_contains(text, "set xlabel 'step'\n");
    ck_assert_ptr_null(strstr(text, "set format x ''"));
    ck_assert_int_eq(count_in(text, " title "), 2);
    free(text);
    scratch_remove(&s);
}
END_TEST

START_TEST(names_are_only_names) { /* no name acts as a command, a pipe or the end of a text */
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "curves.gp");
    static const tl_plot_curve curve[] = {{"it's", "`date` \\ \"x\""}};
    static const tl_plot_panel panel[] = {{"a'b", curve, 1, false}};
    tl_plot_config other = {
        .log = "< cat 'log'", .x = "x'", .panels = panel, .count = 1, .picture = "|cat.svg"};
    write_plot(path, &other);
    char *text = get_file(path, NULL);
    assert_contains(text, "log = './< cat ''log'''\n");
    assert_contains(text, "set output './|cat.svg'\n");
    assert_contains(text, "using 'x''':'it''s' with");
    assert_contains(text, "title '`date` \\ \"x\"'\n");
    assert_contains(text, "set ylabel 'a''b'\n");
    free(text);
    scratch_remove(&s);
}
END_TEST

static void assert_not_written(const tl_plot_config *config, const char *part) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "curves.gp");
    tl_error error = {""};
    ck_assert(!tl_plot_write(path, config, &error));
    assert_contains(error.message, "curves.gp: not written: ");
    assert_contains(error.message, part);
    ck_assert_int_eq(count_files(s.folder), 0);
    scratch_remove(&s);
}

START_TEST(what_cannot_be_drawn) {
    tl_plot_config c = plot;
    assert_not_written(NULL, "the plot has no panels");
    c.count = 0, assert_not_written(&c, "the plot has no panels; give one");
    c = plot, c.log = NULL, assert_not_written(&c, "the plot has no log; give one");
    c = plot, c.x = "", assert_not_written(&c, "the plot has no x column");
    c = plot, c.picture = NULL, assert_not_written(&c, "the plot has no picture");
    c = plot, c.picture = "x.pdf",
    assert_not_written(&c, "picture \"x.pdf\": expected a name that ends in .svg or");
    c = plot, c.picture = ".svg", assert_not_written(&c, "picture \".svg\"");
    c = plot, c.title = "a\nb", assert_not_written(&c, "title \"a\\x0ab\": expected one line of valid UTF-8");
    c = plot, c.log = "a\xff", assert_not_written(&c, "log \"a\\xff\"");
    static const tl_plot_curve bad[] = {{"a", NULL}, {NULL, NULL}}, worse[] = {{"a", "b\tc"}};
    const tl_plot_panel cases[] = {{"l", bad, 2, false},
                                   {"l", worse, 1, false},
                                   {"l", bad, 0, false},
                                   {"l", NULL, 1, false},
                                   {"l\x7f", bad, 1, false}};
    static const char *const parts[] = {"the plot has no column of a curve", "title of a curve \"b\\x09c\"",
                                        "a panel has no curves", "a panel has no curves", "label of a panel"};
    for (int i = 0; i < 5; i++) {
        c = plot, c.panels = &cases[i], c.count = 1;
        assert_not_written(&c, parts[i]);
    }
    tl_error error = {""};
    ck_assert(!tl_plot_write("/nowhere/at/all/curves.gp", &plot, &error));
    assert_contains(error.message, "/nowhere/at/all/curves.gp");
}
END_TEST

/* ---- with gnuplot itself ---- */

static bool have_gnuplot(void) {
    if (system("gnuplot --version >/dev/null 2>&1") == 0) return true;
    TL_SKIP("gnuplot is not installed: pictures are not drawn");
    return false;
}

START_TEST(svg) {
    if (!have_gnuplot()) return;
    scratch s = scratch_new();
    const char *script = scratch_path(&s, "curves.gp"), *picture = scratch_path(&s, "curves.svg");
    put_text(scratch_path(&s, "log.csv"), HEADER ROWS);
    write_plot(script, &plot);
    ck_assert(draw(script));
    char *text = get_svg(picture);
    static const char *const parts[] = {">A_b of c<",      ">training<",    ">validation<", ">bleu<",
                                        ">learning rate<", ">loss (nats)<", ">steps<",      "width=\"900\""};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) assert_has(text, parts[i]);
    ck_assert_int_eq(count_in(text, "no data yet"), 0);
    /* a point for every number, none for nan and the empty cell, and one in each of the four lines of the legend */
    ck_assert_int_eq(count_in(text, POINT), 6 + 3 + 3 + 6 + 4);
    free(text);
    ck_assert_int_eq(count_files(s.folder), 3);
    scratch_remove(&s);
}
END_TEST

/* Other programs must be able to read gnuplot's pictures: librsvg, for example, refuses a scale of 0, and viewers then
 * show nothing. Tested with few points, the largest number for which points are drawn, one more, and many; one of the
 * curves is short. */
START_TEST(svg_for_others) {
    static const int rows[] = {0, 1, 2, 59, 60, 400};
    if (!have_gnuplot()) return;
    const bool have_reader = system("rsvg-convert --version >/dev/null 2>&1") == 0;
    if (!have_reader) TL_SKIP("rsvg-convert is not installed: pictures are only looked at as text");
    scratch s = scratch_new();
    const char *script = scratch_path(&s, "curves.gp"), *picture = scratch_path(&s, "curves.svg"),
               *table = scratch_path(&s, "log.csv");
    write_plot(script, &plot);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char line[256];
        FILE *log = fopen(table, "w");
        fputs(HEADER, log);
        for (int r = 1; r <= rows[i]; r++)
            fprintf(log, "%d,%g,%s,%g,%g\n", r, 5.0 / r, r % 100 == 1 ? "4" : "nan", 0.1 * r, 1e-4 * r);
        ck_assert_int_eq(fclose(log), 0);
        ck_assert(draw(script));
        char *text = get_svg(picture);
        ck_assert_msg(count_in(text, "scale(0") == 0, "%d rows: something is drawn with a size of 0",
                      rows[i]);
        const int legend = 4, short_one = (rows[i] + 99) / 100, others = rows[i] < 60 ? 3 * rows[i] : 0;
        ck_assert_msg(count_in(text, POINT) <= others + short_one + legend &&
                          count_in(text, POINT) >= others + short_one,
                      "%d rows: %d points", rows[i], count_in(text, POINT));
        free(text);
        snprintf(line, sizeof line, "rsvg-convert %s -o %s.png 2>&1", picture, picture);
        ck_assert_msg(!have_reader || system(line) == 0, "%d rows: rsvg-convert cannot read it", rows[i]);
    }
    scratch_remove(&s);
}
END_TEST

START_TEST(png) {
    if (!have_gnuplot()) return;
    scratch s = scratch_new();
    const char *script = scratch_path(&s, "curves.gp"), *picture = scratch_path(&s, "curves.png");
    put_text(scratch_path(&s, "log.csv"), HEADER ROWS);
    tl_plot_config other = plot;
    other.picture = "curves.png";
    write_plot(script, &other);
    ck_assert(draw(script));
    size_t size;
    unsigned char *bytes = (unsigned char *)get_file(picture, &size);
    ck_assert_uint_gt(size, 1000);
    ck_assert(memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0 && memcmp(bytes + size - 8, "IEND", 4) == 0);
    ck_assert_int_eq(bytes[18] << 8 | bytes[19], 900);
    ck_assert_int_eq(bytes[22] << 8 | bytes[23], 870);
    free(bytes);
    scratch_remove(&s);
}
END_TEST

/* Logs of a training that has just begun; they must give panels without data. */
START_TEST(logs_that_are_nearly_empty) {
    static const struct {
        const char *log;
        int without, points;
    } cases[] = {
        {HEADER, 3, 0},
        {HEADER "1,5,nan,nan,0.001\n", 1, 2},
        {HEADER "1,nan,nan,nan,nan\n", 3, 0},
        {HEADER "1,5,4,2,0\n2,4,nan,3,0\n", 1, 5},   /* a log scale cannot show 0 */
        {HEADER "7,5,5,5,0.5\n7,5,5,5,0.5\n", 0, 8}, /* all points at one place */
    };
    if (!have_gnuplot()) return;
    scratch s = scratch_new();
    const char *script = scratch_path(&s, "curves.gp"), *picture = scratch_path(&s, "curves.svg"),
               *log = scratch_path(&s, "log.csv");
    write_plot(script, &plot);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_text(log, cases[i].log);
        remove(picture);
        ck_assert(draw(script));
        char *text = get_svg(picture);
        ck_assert_msg(count_in(text, "no data yet") == cases[i].without, "log %d: %d panels without data",
                      (int)i, count_in(text, "no data yet"));
        int keys = count_in(text, ">training<") + count_in(text, ">validation<") + count_in(text, ">bleu<") +
                   count_in(text, ">learning rate<");
        ck_assert_msg(count_in(text, POINT) >= cases[i].points &&
                          count_in(text, POINT) <= cases[i].points + keys,
                      "log %d: %d points", (int)i, count_in(text, POINT));
        free(text);
    }
    scratch_remove(&s);
}
END_TEST

START_TEST(odd_names) {
    if (!have_gnuplot()) return;
    scratch s = scratch_new();
    static const tl_plot_curve curve[] = {{"it's 100% $x {a}", "Verlust <ä> & 'x' `touch bad`"}};
    static const tl_plot_panel panel[] = {{"损失 \"nats\"", curve, 1, false}};
    tl_plot_config other = {.title = "Größe_{x}^2 '$(touch bad)' @y",
                            .log = "|touch 'bad' ü.csv",
                            .x = "ep och",
                            .panels = panel,
                            .count = 1,
                            .picture = "-e \"bild\" ü.svg"};
    scratch inner = scratch_within(&s, "a 'b' \"c\" ü;$(touch bad)");
    const char *script = scratch_path(&inner, "-e ü'v.gp"), *picture = scratch_path(&inner, other.picture);
    put_text(scratch_path(&inner, other.log), "ep och,it's 100% $x {a}\n1,2\n2,3\n");
    write_plot(script, &other);
    ck_assert(draw(script));
    char *text = get_svg(picture);
    assert_has(text, "Größe_{x}^2 '$(touch bad)' @y");
    assert_has(text, "Verlust &lt;ä> &amp; 'x' `touch bad`");
    assert_has(text, "损失 \"nats\"");
    free(text);
    ck_assert_int_eq(count_files(inner.folder), 3);
    ck_assert_int_eq(chdir(inner.folder), 0); /* run by hand, in its folder, by a name without a slash */
    ck_assert_int_eq(remove(picture), 0);
    ck_assert_int_eq(system("gnuplot \"./-e ü'v.gp\" >said 2>&1"), 0);
    assert_file("said", "");
    ck_assert_int_eq(remove(picture), 0);
    ck_assert(draw("-e ü'v.gp"));
    free(get_svg(picture));
    ck_assert_int_eq(chdir("/"), 0);
    scratch_remove(&inner);
    scratch_remove(&s);
}
END_TEST

static void assert_fails(const char *script, const char *part) {
    tl_error error = {""};
    bool drawn = true;
    ck_assert(!tl_plot_draw(script, &drawn, &error));
    ck_assert(!drawn);
    assert_contains(error.message, part);
}

START_TEST(gnuplot_fails) {
    if (!have_gnuplot()) return;
    scratch s = scratch_new();
    const char *script = scratch_path(&s, "curves.gp"), *log = scratch_path(&s, "log.csv");
    write_plot(script, &plot);
    assert_fails(script, "curves.gp: gnuplot failed: ");
    assert_fails(script, "Cannot find or open file \"log.csv\"; check the log");
    put_text(log, "step,train_loss,valid_loss,learning_rate\n1,2,3,0.4\n2,3,4,0.5\n");
    assert_fails(script, "no column with header \"bleu\"; check the log");
    put_text(script, "set nonsense\n");
    assert_fails(script, "line 1: ");
    scratch_remove(&s);
}
END_TEST

/* ---- with a fake gnuplot, and without any ---- */

START_TEST(no_gnuplot_is_no_failure) {
    scratch s = scratch_new(), folder = scratch_within(&s, "bin");
    const char *script = scratch_path(&s, "curves.gp"), *fake = scratch_path(&folder, "gnuplot");
    write_plot(script, &plot);
    setenv("PATH", "/nonexistent", 1);
    ck_assert(!draw(script));
    put_text(fake, "#!/bin/sh\n");
    setenv("PATH", folder.folder, 1);
    ck_assert(!draw(script)); /* the file is not executable */
    ck_assert_int_eq(chmod(fake, 0755), 0);
    ck_assert(draw(script));
    ck_assert_int_eq(chdir(folder.folder), 0);
    setenv("PATH", "", 1);
    ck_assert(!draw(script)); /* the current folder is not searched */
    setenv("PATH", ":/nonexistent:", 1);
    ck_assert(!draw(script));
    setenv("PATH", "/nonexistent:.", 1);
    ck_assert(draw(script)); /* unless the PATH contains it */
    unsetenv("PATH");
    ck_assert(!draw(script));
    ck_assert_int_eq(chdir("/"), 0);
    tl_error error = {""};
    ck_assert(tl_plot_draw(script, NULL, &error));
    scratch_remove(&folder);
    scratch_remove(&s);
}
END_TEST

START_TEST(how_it_is_run) {
    scratch s = scratch_new(), folder = scratch_within(&s, "bin"), home = scratch_within(&s, "it's here");
    const char *script = scratch_path(&home, "-c.gp"), *fake = scratch_path(&folder, "gnuplot");
    put_text(fake, "#!/bin/sh\nread line && echo input\npwd >ran\necho \"$#|$1|$2\" >>ran\necho warning: "
                   "harmless >&2\n");
    ck_assert_int_eq(chmod(fake, 0755), 0);
    setenv("PATH", folder.folder, 1);
    write_plot(script, &plot);
    ck_assert(draw(script));
    char *expected = malloc(strlen(home.folder) + 40);
    strcat(strcpy(expected, home.folder), "\n2|-d|./-c.gp\n");
    assert_file(scratch_path(&home, "ran"), expected);
    free(expected);
    static const char *const complaints[][2] = {
        {"printf '\\n\"x\" line 3: warning: odd\\n\"x\" line 7: bad\\001\\n\"x\" line 8: worse\\n' >&2; exit "
         "1",
         "-c.gp: gnuplot failed: \"x\" line 7: bad\\x01; check"},
        {"echo; echo '  some words'; echo more; exit 3", "gnuplot failed: some words; check"},
        {"exit 1", "gnuplot failed: it said nothing; check"},
        {"kill -9 $$", "gnuplot was killed by signal 9"},
        {"exit 127", "/gnuplot could not be started"},
        {"i=0; while [ $i -lt 3000 ]; do echo '0123456789012345678901234567890123456789'; i=$((i+1)); done; "
         "exit 1",
         "gnuplot failed: 0123456789012345678901234567890123456789; check"}, /* more than a pipe holds */
    };
    for (size_t i = 0; i < sizeof complaints / sizeof *complaints; i++) {
        char text[300];
        snprintf(text, sizeof text, "#!/bin/sh\n%s\n", complaints[i][0]);
        put_text(fake, text);
        assert_fails(script, complaints[i][1]);
    }
    put_text(fake, "#!/nonexistent/sh\n");
    assert_fails(script, "/gnuplot could not be started; check that it runs");
    assert_fails(scratch_path(&s, "missing.gp"), "missing.gp: No such file");
    assert_fails(home.folder, "this is a folder");
    assert_fails(NULL, "path is NULL");
    scratch_remove(&home);
    scratch_remove(&folder);
    scratch_remove(&s);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, script);
    tcase_add_test(tc, names_are_only_names);
    tcase_add_test(tc, what_cannot_be_drawn);
    tcase_add_test(tc, svg);
    tcase_add_test(tc, svg_for_others);
    tcase_add_test(tc, png);
    tcase_add_test(tc, logs_that_are_nearly_empty);
    tcase_add_test(tc, odd_names);
    tcase_add_test(tc, gnuplot_fails);
    tcase_add_test(tc, no_gnuplot_is_no_failure);
    tcase_add_test(tc, how_it_is_run);
}

TL_TEST_MAIN("io: plots")
