/* Progress: the text of the line, how it fits any width, how often it is drawn, on a terminal and elsewhere. The tests
 * set the time themselves. */
#define _XOPEN_SOURCE 700
#include "scratch.h"

#include "tapeloom/io.h"

#include <fcntl.h>
#include <sys/ioctl.h>

static double seconds;
static double test_clock(void) { return seconds; }

/* Everything printed so far. */
typedef struct output {
    char *text;
    size_t size;
    FILE *file;
} output;

static void output_open(output *o) {
    *o = (output){0};
    o->file = open_memstream(&o->text, &o->size);
    ck_assert_ptr_nonnull(o->file);
}

static void output_close(output *o) {
    fclose(o->file);
    free(o->text);
}

/* What a terminal shows in its current line, after everything printed since `from`. */
static void shown(const output *o, size_t from, char screen[300]) {
    size_t column = 0;
    memset(screen, 0, 300);
    for (const char *c = o->text + from; *c != 0; c++) {
        if (*c == '\r')
            column = 0;
        else if (*c == '\n')
            memset(screen, 0, 300), column = 0;
        else {
            ck_assert_uint_lt(column, 299);
            screen[column++] = *c;
        }
    }
    size_t end = strlen(screen);
    while (end > 0 && screen[end - 1] == ' ') screen[--end] = 0;
}

static void assert_shown(const output *o, const char *expected) {
    char screen[300];
    shown(o, 0, screen);
    ck_assert_str_eq(screen, expected);
}

static tl_progress bar(FILE *out, int width) {
    seconds = 1000;
    return (tl_progress){.out = out, .style = TL_PROGRESS_BAR, .width = width, .clock = test_clock};
}

START_TEST(a_bar_of_steps) {
    output o;
    output_open(&o);
    tl_progress p = bar(o.file, 90);
    p.total = 200;
    tl_progress_start(&p);
    assert_shown(&o, "step 0/200 [>                                     ]   0%");
    seconds = 1010;
    tl_progress_update(&p, 50, 3.41234, 123456);
    assert_shown(&o,
                 "step 50/200 [========>                         ]  25%  loss 3.412  12.3k tok/s  30 s left");
    seconds = 1020;
    tl_progress_update(&p, 100, 0.00012345, 0);
    seconds = 1040;
    tl_progress_update(&p, 200, NAN, 1e8);
    char screen[300];
    shown(&o, 0, screen);
    assert_contains(screen, "step 200/200 [=");
    assert_contains(screen, "=] 100%  loss nan  ");
    assert_contains(screen, "M tok/s  0.0 s left");
    tl_progress_finish(&p);
    ck_assert_ptr_nonnull(strstr(o.text, "in 40 s"));
    ck_assert(o.text[o.size - 1] == '\n');
    output_close(&o);
}
END_TEST

START_TEST(a_bar_of_minutes) {
    output o;
    output_open(&o);
    tl_progress p = bar(o.file, 100);
    p.budget = 600;
    p.label = "epoch 3";
    tl_progress_start(&p);
    seconds += 125;
    tl_progress_update(&p, 1234, 2.5, 12500);
    assert_shown(&o, "epoch 3: step 1234  2:05 of 10:00 [=====>                    ]  20%  loss 2.5  100 "
                     "tok/s  7:55 left");
    seconds += 1000; /* a step may take any time */
    tl_progress_update(&p, 2000, 2.5, 0);
    char screen[300];
    shown(&o, 0, screen);
    assert_contains(screen, "] 100%");
    assert_contains(screen, "0.0 s left");
    tl_progress_finish(&p);
    output_close(&o);
}
END_TEST

START_TEST(total_and_budget_what_ends_first_counts) {
    output o;
    output_open(&o);
    tl_progress p = bar(o.file, 120);
    p.budget = 100, p.total = 1000;
    tl_progress_start(&p);
    seconds += 50;
    tl_progress_update(&p, 900, 1, 0); /* 6 s left by steps, 50 s by time */
    char screen[300];
    shown(&o, 0, screen);
    assert_contains(screen, " 90%");
    assert_contains(screen, "  5.6 s left");
    output_close(&o);
    output_open(&o);
    p = bar(o.file, 120);
    p.budget = 100, p.total = 1000;
    tl_progress_start(&p);
    seconds += 50;
    tl_progress_update(&p, 100, 1, 0);
    shown(&o, 0, screen);
    assert_contains(screen, " 50%");
    assert_contains(screen, "  50 s left");
    output_close(&o);
}
END_TEST

/* A resumed run: earlier steps do not count for its speed. */
START_TEST(resumed_runs_count_from_where_they_start) {
    output o;
    output_open(&o);
    tl_progress p = bar(o.file, 120);
    p.total = 1000, p.first = 800, p.unit = "sentence", p.no_loss = true;
    tl_progress_start(&p);
    assert_shown(&o, "sentence 800/1000 [==============================>       ]  80%");
    seconds += 60;
    tl_progress_update(&p, 900, 1, 0);
    assert_shown(&o, "sentence 900/1000 [==================================>   ]  90%  1:00 left");
    output_close(&o);
}
END_TEST

START_TEST(redraws_at_most_ten_times_a_second) {
    output o;
    output_open(&o);
    tl_progress p = bar(o.file, 80);
    p.total = 100000;
    tl_progress_start(&p);
    for (int i = 1; i <= 10000; i++) { /* 10 s */
        seconds = 1000 + i * 0.001;
        tl_progress_update(&p, i, 1, 10);
    }
    int redraws = 0;
    for (const char *c = o.text; *c != 0; c++) redraws += *c == '\r';
    ck_assert_int_le(redraws, 101);
    ck_assert_int_ge(redraws, 90);
    output_close(&o);
}
END_TEST

START_TEST(every_width_fits) {
    for (int width = 2; width <= 140; width++) {
        output o;
        output_open(&o);
        tl_progress p = bar(o.file, width);
        p.total = 8000, p.budget = 36000, p.label = "Übung 3";
        tl_progress_start(&p);
        seconds += 3723;
        tl_progress_update(&p, 1234, 3.4123, 1e6);
        tl_progress_finish(&p);
        int column = 0, most = 0;
        for (const char *c = o.text; *c != 0; c++) {
            if (*c == '\r' || *c == '\n')
                column = 0;
            else if (((unsigned char)*c & 0xC0) != 0x80)
                column++;
            if (column > most) most = column;
        }
        ck_assert_msg(most < width, "width %d: %d columns", width, most);
        output_close(&o);
    }
    /* what is left out first at smaller widths */
    static const struct {
        int width;
        const char *line;
    } cases[] = {{69, "run: step 50/200 [==>     ]  25%  loss 3.412  12.3k tok/s  30 s left"},
                 {68, "run: step 50/200  25%  loss 3.412  12.3k tok/s  30 s left"},
                 {58, "run: step 50/200  25%  loss 3.412  12.3k tok/s  30 s left"},
                 {57, "run: step 50/200  25%  loss 3.412  30 s left"},
                 {45, "run: step 50/200  25%  loss 3.412  30 s left"},
                 {44, "step 50/200  25%  loss 3.412  30 s left"},
                 {40, "step 50/200  25%  loss 3.412  30 s left"},
                 {39, "step 50/200  loss 3.412  30 s left"},
                 {35, "step 50/200  loss 3.412  30 s left"},
                 {34, "step 50/200  30 s left"},
                 {22, "step 50/200"},
                 {11, "step 50/20"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        output o;
        output_open(&o);
        tl_progress p = bar(o.file, cases[i].width);
        p.total = 200, p.label = "run";
        tl_progress_start(&p);
        seconds += 10;
        tl_progress_update(&p, 50, 3.41234, 123456);
        char screen[300];
        shown(&o, 0, screen);
        ck_assert_str_eq(screen, cases[i].line);
        output_close(&o);
    }
}
END_TEST

START_TEST(pause_makes_room_for_other_lines) {
    output o;
    output_open(&o);
    tl_progress p = bar(o.file, 80);
    p.total = 100;
    tl_progress_start(&p);
    seconds += 10;
    tl_progress_update(&p, 10, 1, 1000);
    tl_progress_pause(&p);
    assert_shown(&o, "");
    tl_progress_pause(&p); /* pausing twice is pausing once */
    fprintf(o.file, "valid loss 2\n");
    seconds += 90;
    tl_progress_resume(&p);
    char screen[300];
    shown(&o, 0, screen);
    /* 10 steps took 100 s in all; tokens/s counts only the 10 s of training */
    assert_contains(screen, "100 tok/s  15:00 left");
    seconds += 10;
    tl_progress_update(&p, 20, 1, 1000);
    shown(&o, 0, screen);
    assert_contains(screen, "100 tok/s  7:20 left");
    tl_progress_pause(&p);
    tl_progress_update(&p, 21, 1, 1000); /* an update resumes */
    shown(&o, 0, screen);
    assert_contains(screen, "step 2");
    tl_progress_finish(&p);
    assert_contains(o.text, "\rvalid loss 2\n");
    output_close(&o);
}
END_TEST

START_TEST(a_shorter_line_covers_the_longer_one) {
    output o;
    output_open(&o);
    tl_progress p = bar(o.file, 80);
    tl_progress_start(&p);
    seconds += 10;
    tl_progress_update(&p, 1000000, 0.123456, 12345);
    seconds += 10;
    p.no_loss = true;
    tl_progress_update(&p, 7, 0, 0);
    assert_shown(&o, "step 7  20 s  332 tok/s");
    output_close(&o);
}
END_TEST

/* Four characters at most and the unit, at each of its limits. */
START_TEST(rates_keep_their_width) {
    static const struct {
        double rate;
        const char *text;
    } cases[] = {{999, "  999 tok/s"},    {999.5, "  1.0k tok/s"},  {99949, "  99.9k tok/s"},
                 {99950, "  100k tok/s"}, {999499, "  999k tok/s"}, {999500, "  1.00M tok/s"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        output o;
        char screen[300];
        output_open(&o);
        tl_progress p = bar(o.file, 80);
        tl_progress_start(&p);
        seconds += 10;
        tl_progress_update(&p, 1, 0, 10 * cases[i].rate);
        shown(&o, 0, screen);
        assert_contains(screen, cases[i].text);
        output_close(&o);
    }
}
END_TEST

START_TEST(elsewhere_plain_lines_now_and_then) {
    output o;
    output_open(&o);
    tl_progress p = bar(o.file, 0);
    p.style = TL_PROGRESS_AUTO, p.total = 7200, p.label = "train";
    tl_progress_start(&p);
    ck_assert_uint_eq(o.size, 0);
    for (int i = 1; i <= 7200; i++) {
        seconds = 1000 + i;
        tl_progress_update(&p, i, 2.5, 100);
        if (i == 9) ck_assert_uint_eq(o.size, 0);
        if (i == 10) ck_assert_str_eq(o.text, "train: step 10/7200, 0%, loss 2.5, 100 tok/s, 1:59:50 left\n");
    }
    tl_progress_pause(&p);
    tl_progress_resume(&p);
    tl_progress_finish(&p);
    int lines = 0;
    for (const char *c = o.text; *c != 0; c++) {
        ck_assert_int_ne(*c, '\r');
        lines += *c == '\n';
    }
    ck_assert_int_gt(lines, 120); /* one a minute … */
    ck_assert_int_lt(lines, 160); /* … and some more at the beginning */
    assert_contains(o.text, "\ntrain: step 7200/7200, 100%, loss 2.5, 100 tok/s, in 2:00:00\n");
    output_close(&o);
}
END_TEST

START_TEST(what_is_quick_shows_nothing) {
    for (int is_bar = 0; is_bar < 2; is_bar++) {
        output o;
        output_open(&o);
        tl_progress p = bar(o.file, 90);
        if (!is_bar) p.style = TL_PROGRESS_PLAIN;
        p.total = 100;
        p.after = 20;
        tl_progress_start(&p);
        seconds += 19;
        tl_progress_update(&p, 50, 1, 1);
        tl_progress_pause(&p);
        tl_progress_resume(&p);
        tl_progress_finish(&p);
        fflush(o.file);
        ck_assert_int_eq(o.size, 0);
        tl_progress_start(&p);
        seconds += 21;
        tl_progress_update(&p, 60, 1, 1);
        assert_contains(o.text, "step 60/100");
        tl_progress_pause(&p);
        seconds += 1;
        size_t before = o.size;
        tl_progress_resume(&p);
        ck_assert((o.size > before) == (is_bar == 1));
        tl_progress_finish(&p);
        ck_assert_int_eq(o.text[o.size - 1], '\n');
        output_close(&o);
    }
}
END_TEST

START_TEST(silence) {
    tl_progress p = {.total = 10};
    tl_progress_update(&p, 1, 1, 1); /* before the start: ignored */
    tl_progress_start(&p);           /* out is NULL */
    tl_progress_update(&p, 1, 1, 1);
    tl_progress_pause(&p);
    tl_progress_resume(&p);
    tl_progress_finish(&p);
    tl_progress_start(NULL);
    tl_progress_update(NULL, 1, 1, 1);
    tl_progress_pause(NULL);
    tl_progress_resume(NULL);
    tl_progress_finish(NULL);
}
END_TEST

/* A terminal is recognised and asked for its width; here the real clock is used. */
START_TEST(on_a_terminal) {
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0 || !ptsname(master)) {
        TL_SKIP("no pseudo-terminals here");
        return;
    }
    FILE *out = fopen(ptsname(master), "w");
    ck_assert_ptr_nonnull(out);
    struct winsize size = {.ws_row = 24, .ws_col = 50};
    ck_assert_int_eq(ioctl(fileno(out), TIOCSWINSZ, &size), 0);
    tl_progress p = {.out = out, .total = 10};
    tl_progress_start(&p);
    ck_assert(p.is_bar);
    char text[4096];
    ssize_t got = read(master, text, sizeof text - 1);
    ck_assert_int_gt(got, 0);
    text[got] = 0;
    ck_assert_str_eq(text, "\rstep 0/10 [>                               ]   0%");
    tl_progress_finish(&p);
    fclose(out);
    close(master);
}
END_TEST

START_TEST(the_width_may_come_from_the_environment) {
    output o;
    output_open(&o);
    tl_progress p = bar(o.file, 0);
    p.total = 10;
    setenv("COLUMNS", "33", 1);
    tl_progress_start(&p);
    assert_shown(&o, "step 0/10 [>              ]   0%");
    setenv("COLUMNS", "many", 1);
    tl_progress_start(&p);
    assert_shown(&o, "step 0/10 [>                                     ]   0%");
    output_close(&o);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, a_bar_of_steps);
    tcase_add_test(tc, a_bar_of_minutes);
    tcase_add_test(tc, total_and_budget_what_ends_first_counts);
    tcase_add_test(tc, resumed_runs_count_from_where_they_start);
    tcase_add_test(tc, redraws_at_most_ten_times_a_second);
    tcase_add_test(tc, every_width_fits);
    tcase_add_test(tc, pause_makes_room_for_other_lines);
    tcase_add_test(tc, a_shorter_line_covers_the_longer_one);
    tcase_add_test(tc, rates_keep_their_width);
    tcase_add_test(tc, elsewhere_plain_lines_now_and_then);
    tcase_add_test(tc, what_is_quick_shows_nothing);
    tcase_add_test(tc, silence);
    tcase_add_test(tc, on_a_terminal);
    tcase_add_test(tc, the_width_may_come_from_the_environment);
}
TL_TEST_MAIN("io: progress")
