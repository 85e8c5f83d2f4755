/* CSV logs: quoting, exact numbers, appending to an existing log, and only whole rows, even if the disk is full. */
#define _XOPEN_SOURCE 700
#include "scratch.h"

#include "tapeloom/io.h"

#include <signal.h>
#include <sys/resource.h>

static const char *const columns[] = {"step", "loss", "note"};

static tl_csv *open_log(const char *path, bool append) {
    tl_error error = {""};
    tl_csv *csv = tl_csv_open(path, columns, 3, append, &error);
    ck_assert_msg(csv != NULL, "%s", error.message);
    return csv;
}

static void row(tl_csv *csv, long step, double loss, const char *note) {
    tl_csv_long(csv, step);
    tl_csv_double(csv, loss);
    tl_csv_text(csv, note);
    tl_csv_end_row(csv);
}

static void close_log(tl_csv *csv) {
    tl_error error = {""};
    ck_assert_msg(tl_csv_close(csv, &error), "%s", error.message);
}

START_TEST(rows_and_quoting) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "log.csv");
    put_text(path, "an old file");
    tl_csv *csv = open_log(path, false);
    assert_file(path, "step,loss,note\n");
    row(csv, 1, 0.1, "plain");
    assert_file(path, "step,loss,note\n1,0.1,plain\n"); /* in the file before closing */
    row(csv, -2, 1.0 / 3, "a,b");
    row(csv, 3, NAN, "say \"x\"");
    row(csv, 4, -INFINITY, "two\nlines\r");
    row(csv, 5, 1e-8, "");
    row(csv, 6, 16777217, NULL);
    row(csv, 7, 0, " ü€ ");
    tl_csv_long(csv, 8);
    tl_csv_float(csv, 0.1f);
    tl_csv_float(csv, 1.0f / 3);
    ck_assert(tl_csv_end_row(csv));
    close_log(csv);
    assert_file(path, "step,loss,note\n1,0.1,plain\n-2,0.3333333333333333,\"a,b\"\n3,nan,\"say \"\"x\"\"\"\n"
                      "4,-inf,\"two\nlines\r\"\n5,1e-08,\n6,16777217,\n7,0,\" ü€ \"\n8,0.1,0.33333334\n");
    scratch_remove(&s);
}
END_TEST

START_TEST(one_empty_column_is_still_a_row) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "log.csv"), *odd[] = {"a, \"b\""};
    tl_error error = {""};
    tl_csv *csv = tl_csv_open(path, odd, 1, false, &error);
    tl_csv_text(csv, "");
    tl_csv_end_row(csv);
    close_log(csv);
    assert_file(path, "\"a, \"\"b\"\"\"\n\"\"\n");
    scratch_remove(&s);
}
END_TEST

static void assert_appended(const char *before, const char *after) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "log.csv");
    if (before) put_text(path, before);
    tl_csv *csv = open_log(path, true);
    row(csv, 9, 0.5, "new");
    close_log(csv);
    assert_file(path, after);
    scratch_remove(&s);
}

START_TEST(appending_goes_on) {
    assert_appended(NULL, "step,loss,note\n9,0.5,new\n");
    assert_appended("", "step,loss,note\n9,0.5,new\n");
    assert_appended("step,loss,note\n", "step,loss,note\n9,0.5,new\n");
    assert_appended("step,loss,note\n1,2,\n", "step,loss,note\n1,2,\n9,0.5,new\n");
    /* incomplete in a row, and in the header */
    assert_appended("step,loss,note\n1,2,\n2,0.", "step,loss,note\n1,2,\n9,0.5,new\n");
    assert_appended("step,lo", "step,loss,note\n9,0.5,new\n");
}
END_TEST

static void assert_not_ours(const char *before, const char *part) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "log.csv");
    put_text(path, before);
    tl_error error = {""};
    ck_assert_ptr_null(tl_csv_open(path, columns, 3, true, &error));
    assert_contains(error.message, part);
    assert_contains(error.message, "log.csv: found the columns ");
    assert_contains(error.message, "expected step,loss,note; choose another file, or remove this one");
    assert_file(path, before);
    scratch_remove(&s);
}

START_TEST(a_table_comes_whole) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "table.csv"), *one[] = {"a"};
    tl_error error = {""};
    put_text(path, "an old file");
    tl_csv *csv = tl_csv_table(path, columns, 3, &error);
    row(csv, 1, 0.5, "a,b");
    row(csv, 2, 1, "");
    assert_file(path, "an old file"); /* until the table is closed */
    close_log(csv);
    assert_file(path, "step,loss,note\n1,0.5,\"a,b\"\n2,1,\n");
    csv = tl_csv_table(path, one, 1, &error);
    for (int i = 0; i < 2; i++) tl_csv_text(csv, ""), tl_csv_end_row(csv);
    close_log(csv);
    assert_file(path, "a\n\"\"\n\"\"\n");
    csv = tl_csv_table(path, columns, 3, &error);
    tl_csv_long(csv, 1);
    ck_assert(!tl_csv_end_row(csv) && !tl_csv_close(csv, &error)); /* after a failure the old file stays */
    assert_contains(error.message, "a row of 1 cells, expected 3");
    assert_file(path, "a\n\"\"\n\"\"\n");
    ck_assert(!tl_csv_table(path, columns, 0, &error));
    scratch_remove(&s);
}
END_TEST

START_TEST(other_files_are_left_alone) {
    assert_not_ours("step,loss\n1,2\n", "found the columns step,loss, expected");
    assert_not_ours("step,loss,notes\n", "found the columns step,loss,notes");
    assert_not_ours("a letter", "found the columns a");
    assert_not_ours("step,loss,note,too long", "expected");
}
END_TEST

START_TEST(errors) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "log.csv"), *nowhere = scratch_path(&s, "missing/log.csv");
    tl_error error = {""};
    ck_assert_ptr_null(tl_csv_open(nowhere, columns, 3, false, &error));
    assert_contains(error.message, "No such file or directory; check the path");
    tl_error_clear(&error);
    ck_assert_ptr_null(tl_csv_open(s.folder, columns, 3, false, &error));
    assert_contains(error.message, "this is a folder");
    tl_error_clear(&error);
    ck_assert_ptr_null(tl_csv_open(path, columns, 0, false, &error));
    assert_contains(error.message, "give at least one");
    ck_assert_int_eq(count_files(s.folder), 0);
    tl_error_clear(&error);
    ck_assert_ptr_null(tl_csv_open("", columns, 3, false, &error));
    assert_contains(error.message, "path is empty");

    tl_csv *csv = open_log(path, false);
    tl_csv_long(csv, 1);
    ck_assert(!tl_csv_end_row(csv));
    assert_contains(tl_csv_error(csv), "log.csv: a row of 1 cells, expected 3");
    row(csv, 2, 2, ""); /* after a failure this does nothing */
    tl_error_clear(&error);
    ck_assert(!tl_csv_close(csv, &error));
    assert_contains(error.message, "a row of 1 cells, expected 3");
    assert_file(path, "step,loss,note\n");

    csv = open_log(path, false);
    tl_csv_long(csv, 1);
    assert_no_error(tl_csv_error(csv));
    tl_error_clear(&error);
    ck_assert(!tl_csv_close(csv, &error));
    assert_contains(error.message, "was begun and not ended");

    tl_csv_long(NULL, 1);
    ck_assert(!tl_csv_end_row(NULL));
    ck_assert_ptr_nonnull(tl_csv_error(NULL));
    ck_assert(!tl_csv_close(NULL, NULL));
    scratch_remove(&s);
}
END_TEST

START_TEST(a_full_disk_leaves_whole_rows) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "log.csv");
    tl_csv *csv = open_log(path, false);
    row(csv, 1, 0.5, "kept");
    struct rlimit old, small;
    getrlimit(RLIMIT_FSIZE, &old);
    small = (struct rlimit){40, old.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    row(csv, 2, 0.25, "too long for what is left");
    setrlimit(RLIMIT_FSIZE, &old);
    assert_contains(tl_csv_error(csv), "cannot write");
    assert_contains(tl_csv_error(csv), "ulimit -f");
    ck_assert(!tl_csv_close(csv, NULL));
    assert_file(path, "step,loss,note\n1,0.5,kept\n");
    scratch_remove(&s);
}
END_TEST

/* Rows in a removed or replaced log would be lost. */
START_TEST(a_log_that_lost_its_name) {
    for (int replaced = 0; replaced < 2; replaced++) {
        scratch s = scratch_new();
        const char *path = scratch_path(&s, "log.csv"), *other = scratch_path(&s, "other");
        tl_csv *csv = open_log(path, false);
        row(csv, 1, 0.5, "kept");
        if (replaced) {
            ck_assert_ptr_null(tl_csv_error(csv));
            FILE *f = fopen(other, "w");
            ck_assert(f && fputs("somebody else's", f) >= 0 && fclose(f) == 0 && rename(other, path) == 0);
        } else
            ck_assert_int_eq(remove(path), 0);
        row(csv, 2, 0.25, "");
        assert_contains(tl_csv_error(csv), "log.csv was removed or replaced while rows were written to it; ");
        ck_assert(!tl_csv_close(csv, NULL));
        if (replaced) assert_file(path, "somebody else's");
        scratch_remove(&s);
    }
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, rows_and_quoting);
    tcase_add_test(tc, one_empty_column_is_still_a_row);
    tcase_add_test(tc, appending_goes_on);
    tcase_add_test(tc, a_table_comes_whole);
    tcase_add_test(tc, other_files_are_left_alone);
    tcase_add_test(tc, errors);
    tcase_add_test(tc, a_full_disk_leaves_whole_rows);
    tcase_add_test(tc, a_log_that_lost_its_name);
}
TL_TEST_MAIN("io: csv")
