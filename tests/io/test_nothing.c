/* Every function of io.h with NULL arguments, with numbers that are 0, negative or extreme, and with invalid tensors.
 * Nothing crashes, and no file appears. A function that cannot work returns false or NULL, with an error message. */
#define _XOPEN_SOURCE 700
#include "nothing.h"
#include "scratch.h"

#include <tapeloom.h>

#include <limits.h>

static tl_error error;
static scratch here;
static void begin(void) { here = scratch_new(); }
static void end(void) { scratch_remove(&here); }

static const char *in_scratch(const char *name) {
    static char path[4][128];
    static int next;
    char *text = path[next++ % 4];
    snprintf(text, sizeof path[0], "%s/%s", here.folder, name);
    return text;
}

/* Checks that the last call has failed with this message. */
static void says(const char *part) {
    assert_contains(error.message, part);
    tl_error_clear(&error);
}

START_TEST(no_function_is_forgotten) {
    every_function_is_called("include/tapeloom/io.h", "tests/io/test_nothing.c");
}
END_TEST

/* ---- files and folders ---- */

static bool every_name(void *context, const char *name) { return (void)context, (void)name, true; }
static bool nobodys(const char *name) { return (void)name, false; }

START_TEST(no_files) {
    char *bytes = (char *)&error;
    size_t size = 7;
    bool there = true;
    ck_assert(!tl_file_read(NULL, &bytes, &size, &error) && !bytes && !size);
    says("cannot read a file: its path is NULL");
    ck_assert(!tl_file_read("/dev/null", NULL, &size, &error));
    says("/dev/null: there is nowhere to put what it holds (NULL)");
    ck_assert(tl_file_read("/dev/null", &bytes, NULL, &error)); /* the size is not wanted */
    free(bytes);
    ck_assert(!tl_file_read_regular(NULL, 0, &bytes, &size, NULL) && !bytes);
    ck_assert(!tl_file_read_regular("README.md", 0, &bytes, &size, &error) && !bytes && !size);
    says("expected at most 0 MB");
    ck_assert(!tl_file_read_regular("README.md", 1 << 20, NULL, NULL, &error));
    says("README.md: there is nowhere to put");
    ck_assert(tl_file_read_regular("README.md", SIZE_MAX, &bytes, &size, &error) && size > 0);
    free(bytes);
    ck_assert(!tl_input_read(NULL, &size, &error));
    says("standard input: there is nowhere to put");
    ck_assert_ptr_nonnull(freopen("/dev/null", "r", stdin));
    ck_assert(tl_input_read(&bytes, NULL, &error));
    free(bytes);
    ck_assert(!tl_file_write(NULL, "x", 1, &error));
    says("its path is empty");
    ck_assert(!tl_file_write("", "x", 1, NULL) && !tl_make_dirs(NULL, NULL) && !tl_make_dirs("", &error));
    says("its path is empty");
    ck_assert(!tl_file_write(in_scratch("a"), NULL, 5, &error));
    says("there are no bytes to write (NULL), but 5 are asked for");
    ck_assert(!tl_file_is_there(in_scratch("a")));
    ck_assert(tl_file_write(in_scratch("a"), NULL, 0, &error)); /* writes an empty file */
    ck_assert(!tl_file_is_there(NULL) && !tl_file_is_regular(NULL) && tl_file_is_regular(in_scratch("a")));
    ck_assert(tl_file_look(NULL, &there, &error) && !there && tl_file_look("README.md", NULL, &error));
    ck_assert(!tl_file_remove(NULL, &error));
    says("its path is NULL");
    ck_assert(!tl_folder_each(NULL, every_name, NULL, &error));
    says("cannot read a folder: its path is NULL");
    ck_assert(!tl_folder_each("src", NULL, NULL, &error));
    says("src: nobody wants to know what is in it (NULL)");
    ck_assert(!tl_folder_clear_strays(NULL, nobodys, &error));
    says("cannot read a folder: its path is NULL");
    ck_assert(tl_file_write(in_scratch(".a.1-0.tmp"), "x", 1, &error));
    ck_assert(!tl_folder_clear_strays(in_scratch(""), NULL, &error));
    says("it is not said which files are ours (NULL)");
    ck_assert(tl_file_is_there(in_scratch(".a.1-0.tmp")));
    ck_assert_ptr_null(tl_folder_lock(NULL, &error));
    says("its path is empty");
    ck_assert_ptr_null(tl_folder_lock("", NULL));
    ck_assert(!tl_folder_is_locked(NULL) && tl_folder_check(NULL, &error) && !tl_failed(&error));
    tl_folder_unlock(NULL);
    ck_assert(!tl_output_close(NULL, &error));
    says("it is NULL; give standard output");
    ck_assert(!tl_output_close(NULL, NULL));
    tl_streams_open(); /* all three are open already */
}
END_TEST

/* ---- texts and numbers ---- */

START_TEST(no_texts) {
    char text[TL_NUMBER_TEXT] = "before";
    double number = 7;
    long whole = 7;
    FILE *out = tmpfile();
    tl_show(NULL, out), tl_show("x", NULL), tl_show(NULL, NULL);
    tl_put_text(NULL, out), tl_put_text("x", NULL), tl_put_text(NULL, NULL);
    ck_assert_int_eq(ftell(out), 0);
    fclose(out);
    char *shown = tl_shown_text(NULL);
    ck_assert_str_eq(shown, "");
    free(shown);
    ck_assert_ptr_null(tl_double_text(1, NULL));
    ck_assert_ptr_null(tl_double_text((double)NAN, NULL));
    ck_assert_ptr_null(tl_float_text(0.1f, NULL));
    ck_assert_ptr_null(tl_duration_text(1, NULL));
    ck_assert_ptr_null(tl_duration_text(-1, NULL));
    const double odd[] = {-1, (double)NAN, (double)INFINITY, -(double)INFINITY};
    for (int i = 0; i < 4; i++) ck_assert_str_eq(tl_duration_text(odd[i], text), "?");
    ck_assert(!tl_double_parse(NULL, &number) && !tl_double_parse("", &number) && number == 7);
    ck_assert(!tl_double_parse("1", NULL) && !tl_double_parse("nan", NULL));
    ck_assert(!tl_long_parse(NULL, &whole) && !tl_long_parse("", &whole) && whole == 7);
    ck_assert(!tl_long_parse("1", NULL));
    ck_assert_str_eq(tl_dtype_name((tl_dtype)-1), "?");
    ck_assert_str_eq(tl_dtype_name((tl_dtype)99), "?");
}
END_TEST

START_TEST(no_text_in_memory) {
    char *text = (char *)&error;
    size_t size = 7;
    ck_assert_ptr_null(tl_text_open(NULL, 4, &error));
    says("a text in memory: there is nowhere to put it (NULL)");
    ck_assert(!tl_text_open(&text, SIZE_MAX, &error) && !text);
    says("out of memory for a text of up to");
    text = (char *)&error;
    tl_error_set(&error, "a reason");
    ck_assert(!tl_text_close(NULL, &text, &size, &error) && !text && size == 7);
    says("a reason");
    ck_assert(!tl_text_close(NULL, NULL, NULL, NULL));
    FILE *stream = tl_text_open(&text, 4, NULL);
    ck_assert_ptr_nonnull(stream);
    char *kept = text;
    ck_assert(!tl_text_close(stream, NULL, NULL, &error));
    says("a text in memory: there is nowhere to put it (NULL)");
    free(kept);
    stream = tl_text_open(&text, 0, NULL); /* no room: an empty text */
    ck_assert(stream && tl_text_close(stream, &text, &size, NULL) && size == 0 && !*text);
    free(text);
    stream = tl_text_open(&text, 4, NULL);
    ck_assert(stream && fputs("abcd", stream) >= 0 && tl_text_close(stream, &text, NULL, NULL));
    ck_assert_str_eq(text, "abcd");
    free(text);
    stream = tl_text_open(&text, 4, NULL);
    ck_assert(stream && fputs("abcde", stream) >= 0);
    ck_assert(!tl_text_close(stream, &text, &size, &error) && !text);
    says("a text does not fit into the memory that was requested for it");
}
END_TEST

/* ---- safetensors ---- */

static tl_real numbers[4];

static bool write_one(tl_tensor t) {
    const tl_safetensors_item item = {"a", t, TL_DTYPE_REAL};
    return tl_safetensors_write(in_scratch("new"), &item, 1, NULL, 0, &error);
}

START_TEST(nothing_to_write) {
    const tl_safetensors_item item = {"a", tl_tensor_of(numbers, TL_SHAPE(4)), TL_DTYPE_REAL};
    const tl_safetensors_pair pair = {"k", "v"};
    const char *path = in_scratch("new");
    ck_assert(!tl_safetensors_write(NULL, &item, 1, &pair, 1, &error));
    says("its path is empty");
    ck_assert(!tl_safetensors_write(path, NULL, 1, NULL, 0, &error));
    says("new: 1 tensors at NULL; give them, or say 0");
    ck_assert(!tl_safetensors_write(path, &item, -1, NULL, 0, &error));
    says("new: -1 tensors; give them, or say 0");
    ck_assert(!tl_safetensors_write(path, &item, LONG_MIN, NULL, 0, NULL));
    ck_assert(!tl_safetensors_write(path, &item, 1, NULL, 2, &error));
    says("new: 2 lines of metadata at NULL");
    ck_assert(!tl_safetensors_write(path, &item, 1, &pair, -1, &error));
    says("new: -1 lines of metadata;");
    const tl_shape none[] = {{-1, {0}}, {TL_MAX_RANK + 1, {1}}, {1, {-1}}, {2, {1L << 40, 1L << 40}}};
    for (int i = 0; i < 4; i++) {
        tl_tensor t = {.data = numbers, .rank = none[i].rank};
        memcpy(t.dim, none[i].dim, sizeof t.dim);
        ck_assert(!write_one(t));
        says("new: tensor \"a\": no tensor has the shape [");
        t.data = NULL;
        ck_assert(!write_one(t));
        says("new: tensor \"a\": no tensor has the shape [");
    }
    ck_assert(!write_one((tl_tensor){.rank = 1, .dim = {4}}));
    says("has no data");
    ck_assert(!tl_file_is_there(path));
    ck_assert(tl_safetensors_write(path, NULL, 0, NULL, 0, &error)); /* a file without tensors */
}
END_TEST

START_TEST(nothing_to_read) {
    ck_assert_ptr_null(tl_safetensors_open(NULL, &error));
    says("its path is NULL");
    tl_safetensors_close(NULL);
    ck_assert(tl_safetensors_count(NULL) == 0 && !tl_safetensors_at(NULL, 0));
    ck_assert(!tl_safetensors_find(NULL, "a") && tl_safetensors_metadata_count(NULL) == 0);
    ck_assert(!tl_safetensors_metadata_at(NULL, 0).key && !tl_safetensors_metadata(NULL, "k"));
    ck_assert_int_eq(tl_safetensors_numel(NULL), 0);
    ck_assert(!tl_safetensors_read(NULL, "a", tl_tensor_of(numbers, TL_SHAPE(4)), &error));
    says("is not open");
    ck_assert(write_one(tl_tensor_of(numbers, TL_SHAPE(4))));
    tl_safetensors *file = tl_safetensors_open(in_scratch("new"), &error);
    const long outside[] = {-1, 1, LONG_MIN, LONG_MAX};
    for (int i = 0; i < 4; i++)
        ck_assert(!tl_safetensors_at(file, outside[i]) && !tl_safetensors_metadata_at(file, outside[i]).key);
    ck_assert(!tl_safetensors_find(file, NULL) && !tl_safetensors_metadata(file, NULL));
    ck_assert(!tl_safetensors_read(file, NULL, tl_tensor_of(numbers, TL_SHAPE(4)), &error));
    says("no tensor \"(no name)\"");
    ck_assert(!tl_safetensors_read(file, "a", (tl_tensor){.rank = 1, .dim = {4}, .stride = {1}}, &error));
    says("tensor \"a\": there is nowhere to put it (no data)");
    ck_assert(!tl_safetensors_read(file, "a", (tl_tensor){.data = numbers, .rank = -1}, &error));
    says("expected [rank -1]");
    tl_safetensors_close(file);
}
END_TEST

/* ---- parameters and checkpoints ---- */

START_TEST(no_parameters) {
    const char *path = in_scratch("new"), *const paths[] = {path, NULL};
    tl_params *params = tl_params_new(1);
    tl_params_add(params, "w", TL_SHAPE(4), (tl_init){0});
    ck_assert(!tl_params_save(NULL, path, NULL, 0, &error));
    says("new: not written: ");
    ck_assert(!tl_params_save(params, NULL, NULL, 0, &error));
    says("its path is empty");
    ck_assert(!tl_params_save(params, path, NULL, 3, &error));
    says("new: 3 lines of metadata at NULL");
    ck_assert(!tl_file_is_there(path) && tl_params_save(params, path, NULL, 0, &error));
    ck_assert(!tl_params_load(NULL, path, &error));
    says("new: not read: ");
    ck_assert(!tl_params_load(params, NULL, &error));
    says("its path is NULL");
    ck_assert(!tl_params_map(NULL, path, &error));
    says("new: not read: ");
    ck_assert(!tl_params_map(params, NULL, &error));
    says("its path is NULL");
    ck_assert(!tl_params_are_saved(NULL, path) && !tl_params_are_saved(params, NULL));
    ck_assert(tl_params_are_saved(params, path));
    ck_assert(!tl_params_average(NULL, 1, path, NULL, 0, &error));
    says("expected at least one");
    ck_assert(!tl_params_average(paths, 0, path, NULL, 0, NULL));
    ck_assert(!tl_params_average(paths, LONG_MIN, path, NULL, 0, &error));
    says("cannot average -9223372036854775808 files");
    ck_assert(!tl_params_average(paths, 2, path, NULL, 0, &error));
    says("its path is NULL");
    ck_assert(!tl_params_average(paths, 1, NULL, NULL, 0, &error));
    says("its path is empty");
    ck_assert(!tl_params_average(paths, 1, path, NULL, 1, &error));
    says("1 lines of metadata at NULL");
    ck_assert(!tl_params_average_is_saved(NULL, 1, path) && !tl_params_average_is_saved(paths, 0, path));
    ck_assert(!tl_params_average_is_saved(paths, 2, path) && !tl_params_average_is_saved(paths, 1, NULL));
    ck_assert(tl_params_average_is_saved(paths, 1, path));
    tl_safetensors *file = tl_safetensors_open(path, &error);
    ck_assert(!tl_params_expect(NULL, file, "") && !tl_params_expect(NULL, NULL, NULL));
    ck_assert(tl_params_expect(params, file, NULL));
    ck_assert(!tl_params_expect(params, NULL, ""));
    assert_contains(tl_params_error(params), "the file of the weights is not open");
    tl_safetensors_close(file);
    tl_params_free(params);
}
END_TEST

START_TEST(no_gpt) {
    const char *path = in_scratch("new");
    tl_gpt none = {.model = {0}};
    tl_params *params = tl_params_new(1);
    tl_gpt m = tl_gpt_init(params, "",
                           &(tl_gpt_config){.vocab = 3, .d_model = 2, .heads = 1, .layers = 1, .max_len = 2});
    tl_gpt_config config = {.layers = 7};
    ck_assert(!tl_gpt_save(NULL, path, TL_GPT_NANOGPT, &error));
    says("new: not written: there is no model (NULL)");
    ck_assert(!tl_gpt_save(&none, path, TL_GPT_NANOGPT, &error));
    says("new: not written: there is no model (NULL)");
    ck_assert(!tl_gpt_save(&m, NULL, TL_GPT_NANOGPT, &error));
    says("its path is empty");
    ck_assert(!tl_gpt_save(&m, path, (tl_gpt_layout)-1, NULL));
    ck_assert(!tl_file_is_there(path) && tl_gpt_save(&m, path, TL_GPT_NANOGPT, NULL));
    ck_assert(!tl_gpt_load(NULL, path, &error));
    says("new: not read: there is no model (NULL)");
    ck_assert(!tl_gpt_load(&none, path, NULL));
    ck_assert(!tl_gpt_load(&m, NULL, &error));
    says("its path is NULL");
    ck_assert(tl_gpt_load(&m, path, NULL));
    m.model.name = NULL;
    ck_assert(tl_gpt_load(&m, path, NULL));
    ck_assert(!tl_gpt_read_config(NULL, &config, &error) && config.layers == 7);
    says("its path is NULL");
    ck_assert(!tl_gpt_read_config(path, NULL, &error));
    says("new: there is nowhere to put what it says");
    ck_assert(tl_gpt_read_config(path, &config, NULL) && config.layers == 1);
    tl_params_free(params);
}
END_TEST

START_TEST(no_checkpoint) {
    const char *path = in_scratch("new");
    tl_params *params = tl_params_new(1);
    tl_params_add(params, "w", TL_SHAPE(4), (tl_init){0});
    tl_adam *adam = tl_adam_new(params, NULL);
    tl_config *state = tl_config_new();
    ck_assert(!tl_checkpoint_save(path, NULL, adam, state, &error));
    says("new: not written: ");
    ck_assert(!tl_checkpoint_save(path, params, NULL, state, &error));
    says("new: not written: ");
    ck_assert(!tl_checkpoint_save(path, params, adam, NULL, &error));
    says("new: not written: configuration");
    ck_assert(!tl_file_is_there(path) && !tl_checkpoint_save(NULL, params, adam, state, &error));
    says("its path is empty");
    ck_assert(tl_checkpoint_save(path, params, adam, state, &error));
    ck_assert_ptr_null(tl_checkpoint_open(NULL, &error));
    says("its path is NULL");
    ck_assert_ptr_null(tl_checkpoint_load(NULL, params, adam, &error));
    says("its path is NULL");
    ck_assert_ptr_null(tl_checkpoint_load(path, NULL, adam, &error));
    says("new: not read: ");
    ck_assert_ptr_null(tl_checkpoint_load(path, params, NULL, &error));
    says("new: not read: ");
    tl_config_free(state);
    tl_adam_free(adam);
    tl_params_free(params);
}
END_TEST

/* ---- configurations and logs ---- */

START_TEST(no_configuration) {
    long line = 7;
    ck_assert_ptr_null(tl_config_read(NULL, &error));
    says("its path is NULL");
    ck_assert_ptr_null(tl_config_parse(NULL, 5, NULL, &error));
    says("configuration: there is no text (NULL), but 5 bytes of it are asked for");
    ck_assert_ptr_null(tl_config_parse("a = 1", SIZE_MAX, "x", &error));
    says("x: 18446744073709551615 bytes, expected at most");
    tl_config *c = tl_config_parse(NULL, 0, NULL, &error);
    ck_assert_ptr_nonnull(c);
    ck_assert(!tl_config_has(c, NULL) && tl_config_long(c, NULL, 3) == 3 && tl_config_bool(c, NULL, true));
    ck_assert_ptr_null(tl_config_string(c, NULL, NULL));
    ck_assert_double_eq(tl_config_double(c, NULL, 2), 2);
    tl_config_comment(c, NULL);
    ck_assert_ptr_null(tl_config_unknown(c, 0, NULL));
    ck_assert_ptr_null(tl_config_unknown(c, -1, &line));
    ck_assert_ptr_null(tl_config_unknown(c, LONG_MAX, &line));
    ck_assert(!tl_config_write(c, NULL, &error));
    says("its path is empty");
    assert_no_error(tl_config_error(c));
    tl_config_set_string(c, "a", NULL);
    assert_contains(tl_config_error(c), "configuration: a: expected a value");
    ck_assert(!tl_config_write(c, in_scratch("new"), &error));
    says("configuration: a: expected a value");
    tl_config_free(c);
    c = tl_config_new();
    tl_config_set_string(c, NULL, "x");
    assert_contains(tl_config_error(c), "key \"(NULL)\"");
    tl_config_free(c);
    ck_assert(!tl_config_has(NULL, "a") && tl_config_long(NULL, "a", 3) == 3);
    ck_assert_double_eq(tl_config_double(NULL, "a", 2), 2);
    ck_assert(tl_config_bool(NULL, "a", true) && !tl_config_string(NULL, "a", NULL));
    tl_config_set_string(NULL, "a", "b"), tl_config_set_long(NULL, "a", 1);
    tl_config_set_double(NULL, "a", 1), tl_config_set_bool(NULL, "a", true), tl_config_comment(NULL, "x");
    ck_assert(!tl_config_unknown(NULL, 0, NULL) && !tl_config_text(NULL) && tl_config_error(NULL));
    ck_assert(!tl_config_write(NULL, in_scratch("new"), &error));
    says("no memory");
    tl_config_free(NULL);
}
END_TEST

START_TEST(no_log) {
    const char *const columns[] = {"a", NULL};
    const char *path = in_scratch("new");
    ck_assert_ptr_null(tl_csv_open(NULL, columns, 1, false, &error));
    says("its path is empty");
    ck_assert_ptr_null(tl_csv_table(NULL, columns, 1, &error));
    says("its path is empty");
    ck_assert(!tl_csv_table(path, NULL, 1, NULL) && !tl_csv_table(path, columns, -1, NULL));
    ck_assert_ptr_null(tl_csv_open(path, NULL, 1, false, &error));
    says("new: 1 columns at NULL; give their names");
    ck_assert_ptr_null(tl_csv_open(path, columns, 2, false, &error));
    says("new: column 2 of 2 has no name (NULL)");
    ck_assert_ptr_null(tl_csv_open(path, columns, 0, false, &error));
    says("new: a log without columns");
    ck_assert_ptr_null(tl_csv_open(path, NULL, 0, true, NULL));
    ck_assert_ptr_null(tl_csv_open(path, columns, INT_MIN, true, &error));
    says("new: a log without columns");
    ck_assert(!tl_file_is_there(path));
    tl_csv *csv = tl_csv_open(path, columns, 1, false, &error);
    tl_csv_text(csv, NULL);
    ck_assert(tl_csv_end_row(csv) && !tl_csv_error(csv));
    tl_csv_text(csv, "begun");
    ck_assert(!tl_csv_close(csv, NULL));
    tl_csv_text(NULL, "x"), tl_csv_long(NULL, 1), tl_csv_double(NULL, 1), tl_csv_float(NULL, 1);
    ck_assert(!tl_csv_end_row(NULL) && tl_csv_error(NULL));
    ck_assert(!tl_csv_close(NULL, &error));
    says("log: it was not opened");
}
END_TEST

/* ---- pictures and progress ---- */

START_TEST(nothing_to_draw) {
    const char *path = in_scratch("new");
    const tl_plot_curve curve = {"y", NULL}, unnamed = {NULL, NULL};
    const tl_plot_panel panel = {.curves = &curve, .count = 1}, odd[] = {{.count = 1},
                                                                         {.curves = &curve, .count = -1},
                                                                         {.curves = &curve, .count = INT_MIN},
                                                                         {.curves = &unnamed, .count = 1}};
    const tl_plot_config good = {
        .log = "log.csv", .x = "x", .panels = &panel, .count = 1, .picture = "a.svg"};
    tl_plot_config c = good;
    ck_assert(!tl_plot_write(path, NULL, &error));
    says("new: not written: the plot has no panels");
    ck_assert(!tl_plot_write(NULL, &good, &error));
    says("its path is empty");
    c.panels = NULL;
    ck_assert(!tl_plot_write(path, &c, NULL));
    c = good, c.count = -1;
    ck_assert(!tl_plot_write(path, &c, &error));
    says("the plot has no panels");
    for (int i = 0; i < 4; i++) {
        c = good, c.panels = &odd[i];
        ck_assert(!tl_plot_write(path, &c, &error));
        says("new: not written: ");
    }
    const size_t texts[] = {offsetof(tl_plot_config, log), offsetof(tl_plot_config, x),
                            offsetof(tl_plot_config, picture)};
    for (int i = 0; i < 3; i++) {
        c = good;
        memset((char *)&c + texts[i], 0, sizeof c.log);
        ck_assert(!tl_plot_write(path, &c, &error));
        says("new: not written: the plot has no ");
    }
    ck_assert(!tl_file_is_there(path));
    bool drawn = true;
    ck_assert(!tl_plot_draw(NULL, &drawn, &error) && !drawn);
    says("the script's path is NULL");
    ck_assert(!tl_plot_draw(NULL, NULL, NULL) && !tl_plot_draw("", NULL, &error));
    says("cannot read ");
}
END_TEST

static double still(void) { return 5; }

START_TEST(no_progress) {
    tl_progress_start(NULL), tl_progress_update(NULL, 1, 1, 1), tl_progress_pause(NULL);
    tl_progress_resume(NULL), tl_progress_finish(NULL);
    tl_progress silent = {0};
    tl_progress_start(&silent), tl_progress_update(&silent, 1, 1, 1), tl_progress_pause(&silent);
    tl_progress_resume(&silent), tl_progress_finish(&silent);
    const long at[] = {0, -1, 1, LONG_MIN, LONG_MAX};
    const double odd[] = {0, -1, (double)NAN, (double)INFINITY, -(double)INFINITY, 1e300};
    for (int style = TL_PROGRESS_BAR; style <= TL_PROGRESS_PLAIN; style++)
        for (int i = 0; i < 5 * 5 * 6; i++) {
            FILE *out = tmpfile();
            tl_progress p = {.out = out, .total = at[i % 5], .first = at[i / 5 % 5], .clock = still};
            p.budget = odd[i / 25], p.width = i % 2 ? INT_MIN : i % 3, p.after = i % 7 ? 0 : odd[i / 25];
            p.style = style == TL_PROGRESS_BAR ? TL_PROGRESS_BAR : TL_PROGRESS_PLAIN;
            tl_progress_start(&p);
            p.drawn = -100; /* as if it had been drawn long ago */
            for (int k = 0; k < 5; k++) tl_progress_update(&p, at[k], odd[i / 25], odd[i / 25]);
            tl_progress_finish(&p);
            fclose(out);
        }
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_checked_fixture(tc, begin, end);
    tcase_add_test(tc, no_function_is_forgotten);
    tcase_add_test(tc, no_files);
    tcase_add_test(tc, no_texts);
    tcase_add_test(tc, no_text_in_memory);
    tcase_add_test(tc, nothing_to_write);
    tcase_add_test(tc, nothing_to_read);
    tcase_add_test(tc, no_parameters);
    tcase_add_test(tc, no_gpt);
    tcase_add_test(tc, no_checkpoint);
    tcase_add_test(tc, no_configuration);
    tcase_add_test(tc, no_log);
    tcase_add_test(tc, nothing_to_draw);
    tcase_add_test(tc, no_progress);
}
TL_TEST_MAIN("io: nothing")
