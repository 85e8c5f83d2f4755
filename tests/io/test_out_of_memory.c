/* Checkpoints, averages and plots without memory: each request fails in turn. The call reports it, changes nothing and
 * leaves nothing behind. */
#define _XOPEN_SOURCE 700
#include "refuse.h"
#include "scratch.h"

#include <tapeloom.h>

/* ---- the calls ---- */

typedef struct world {
    scratch s;
    const char *file, *out, *script;
    tl_params *params;
    tl_adam *adam;
    tl_config *state;
} world;

static const tl_plot_curve curve[] = {{"a", NULL}};
static const tl_plot_panel panel[] = {{"b", curve, 1, false}};
static const tl_plot_config plot = {.title = "A title that is long enough to make the text grow",
                                    .log = "log.csv",
                                    .x = "step",
                                    .panels = panel,
                                    .count = 1,
                                    .picture = "x.svg"};

static bool save(world *w, tl_error *error) {
    return tl_checkpoint_save(w->out, w->params, w->adam, w->state, error);
}
static bool load(world *w, tl_error *error) {
    tl_config *state = tl_checkpoint_load(w->file, w->params, w->adam, error);
    bool ok = state != NULL;
    tl_config_free(state);
    return ok;
}
static bool average(world *w, tl_error *error) {
    const char *paths[] = {w->file, w->file};
    return tl_params_average(paths, 2, w->out, NULL, 0, error);
}
static bool write_plot(world *w, tl_error *error) { return tl_plot_write(w->out, &plot, error); }
static bool draw(world *w, tl_error *error) {
    bool drawn = false, ok = tl_plot_draw(w->script, &drawn, error);
    must(drawn == ok); /* gnuplot is installed, so "not installed" would be wrong */
    return ok;
}
static bool log_a_row(world *w, tl_error *error) {
    const char *const columns[] = {"step", "note"};
    tl_csv *csv = tl_csv_open(w->out, columns, 2, false, error);
    if (!csv) return false;
    tl_csv_long(csv, 1);
    tl_csv_text(csv,
                "a text that is long enough, \"quoted\", to make the row grow beyond what it begins with");
    tl_csv_end_row(csv);
    const bool ok = tl_csv_close(csv, error);
    if (!ok) remove(w->out); /* the rows before stay */
    return ok;
}
static bool lock(world *w, tl_error *error) {
    tl_folder *folder = tl_folder_lock(w->s.folder, error);
    const bool ok = folder != NULL;
    tl_folder_unlock(folder);
    return ok;
}
static bool note(world *w, tl_error *error) {
    tl_config_set_long(w->state, "step", 8); /* there already: its value is replaced */
    tl_config_comment(w->state, "a comment");
    const char *said = tl_config_error(w->state);
    return !said || tl_error_set(error, "%s", said);
}
static bool (*const calls[])(world *w, tl_error *error) = {save, load,      average, write_plot,
                                                           draw, log_a_row, lock,    note};

static world begin(double value) {
    world w = {.s = scratch_new(), .params = tl_params_new(1), .state = tl_config_new()};
    w.file = scratch_path(&w.s, "file.ckpt");
    w.out = scratch_path(&w.s, "out");
    w.script = scratch_path(&w.s, "draw.gp");
    tl_params_add(w.params, "weight", TL_SHAPE(3, 2), (tl_init){0});
    tl_params_add(w.params, "bias", TL_SHAPE(3), (tl_init){0});
    tl_tensor_fill(tl_param_value(tl_params_at(w.params, 1)), value);
    w.adam = tl_adam_new(w.params, NULL);
    tl_config_set_long(w.state, "step", 7);
    tl_config_comment(w.state, "remember");
    tl_error error = {""};
    ck_assert_msg(tl_checkpoint_save(w.file, w.params, w.adam, w.state, &error), "%s", error.message);
    put_text(w.script, "");
    const char *gnuplot = scratch_path(&w.s, "gnuplot");
    put_text(gnuplot, "#!/bin/sh\n");
    ck_assert_int_eq(chmod(gnuplot, 0755), 0);
    setenv("PATH", w.s.folder, 1);
    return w;
}

static void end(world *w) {
    tl_adam_free(w->adam);
    tl_params_free(w->params);
    tl_config_free(w->state);
    scratch_remove(&w->s);
}

START_TEST(every_request_is_refused_once) {
    if (!CAN_REFUSE) {
        TL_SKIP("requests for memory cannot be refused in this build");
        return;
    }
    world w = begin(4);
    tl_param *bias = tl_params_at(w.params, 1);
    tl_tensor_fill(tl_param_value(bias), 9);
    tl_adam_set_steps(w.adam, 3);
    int files = count_files(w.s.folder);
    long n = 0;
    for (;; n++) {
        must(n < 500);
        tl_error error = {""};
        long before = alive;
        refuse_after(n, false);
        bool ok = calls[_i](&w, &error);
        if (!grant_again()) { /* no request failed: there are no more */
            ck_assert_msg(ok, "%s", error.message);
            break;
        }
        must_msg(!ok && (strstr(error.message, "out of memory") || strstr(error.message, "annot allocate")),
                 "request %ld: \"%s\"", n, error.message);
        must_msg(alive == before, "request %ld: %ld pieces are left", n, alive - before);
        /* the file is whole, but perhaps not on the disk */
        if (strstr(error.message, "cannot make sure of")) remove(w.out);
        must_msg(count_files(w.s.folder) == files, "request %ld: a file is left", n);
        must_msg(tl_item(tl_tensor_slice(tl_param_value(bias), 0, 0, 1)) == 9 && tl_adam_steps(w.adam) == 3,
                 "request %ld: parameters were changed", n);
        must(!tl_params_error(w.params) && !tl_adam_error(w.adam));
        /* a configuration keeps its failure, so a new one is needed */
        if (!tl_config_error(w.state)) continue;
        tl_config_free(w.state);
        w.state = tl_config_new();
        tl_config_set_long(w.state, "step", 7);
    }
    ck_assert_int_ge(n, 2); /* some requests have failed */
    end(&w);
}
END_TEST

/* A stream into memory has the whole text, or an error: open_memstream would lose a part and say nothing. */
static bool write_text(size_t room, size_t *size, tl_error *error) {
    char *text;
    FILE *out = tl_text_open(&text, room, error);
    for (int i = 0; out && i < 3000; i++) fprintf(out, "%d lines\n", i);
    if (!tl_text_close(out, &text, size, error)) {
        must(!text);
        return false;
    }
    must(strlen(text) == *size && !strncmp(text, "0 lines\n1 lines\n", 16));
    free(text);
    return true;
}
START_TEST(a_text_is_whole_or_refused) {
    size_t whole, size = 0;
    tl_error error = {""};
    must_msg(write_text(1 << 16, &whole, &error), "%s", error.message);
    must(!write_text(whole - 1, &size, &error));
    assert_contains(error.message, "does not fit into the memory");
    bool refused = CAN_REFUSE;
    for (long n = 0; refused; n++) {
        error = (tl_error){""};
        long before = alive;
        refuse_after(n, false);
        const bool ok = write_text(1 << 16, &size, &error);
        refused = grant_again();
        must(alive == before);
        must_msg(ok ? size == whole : strstr(error.message, "memory") != NULL, "request %ld: \"%s\"", n,
                 error.message);
    }
}
END_TEST

/* Adam allocates its moments at the first step. If that fails, it has failed for good, and reports it. */
START_TEST(adam_without_memory) {
    if (!CAN_REFUSE) {
        TL_SKIP("requests for memory cannot be refused in this build");
        return;
    }
    world w = begin(4);
    for (long n = 0; n < 2; n++) {
        tl_error error = {""};
        tl_adam *adam = tl_adam_new(w.params, NULL);
        refuse_after(n, false);
        tl_adam_state a = tl_adam_state_of(adam, tl_params_at(w.params, 0));
        grant_again();
        ck_assert(!a.m.data && !a.v.data && !a.steps);
        assert_contains(tl_adam_error(adam), "adam: out of memory");
        ck_assert_ptr_null(tl_checkpoint_load(w.file, w.params, adam, &error));
        assert_contains(error.message, "not read: adam: out of memory");
        tl_adam_free(adam);
    }
    end(&w);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, every_request_is_refused_once, 0, (int)(sizeof calls / sizeof *calls));
    tcase_add_test(tc, a_text_is_whole_or_refused);
    tcase_add_test(tc, adam_without_memory);
}

TL_TEST_MAIN("io: out of memory")
