/* Averaging: means computed by hand, the dtype of the files, the mean of one file, and errors that name file and
 * tensor. */
#define _XOPEN_SOURCE 700
#include "scratch.h"

#include "tapeloom/io.h"

#define DTYPE TL_DTYPE_REAL

/* Writes a file with "w" [2,3] and the scalar "s". */
static void put(const char *path, const tl_real w[6], tl_real s, tl_dtype dtype) {
    tl_error error = {""};
    tl_safetensors_item items[] = {{"w", tl_tensor_of((tl_real *)w, TL_SHAPE(2, 3)), dtype},
                                   {"s", tl_tensor_of(&s, TL_SCALAR_SHAPE), dtype}};
    ck_assert_msg(tl_safetensors_write(path, items, 2, NULL, 0, &error), "%s", error.message);
}

static tl_safetensors *open_file(const char *path) {
    tl_error error = {""};
    tl_safetensors *file = tl_safetensors_open(path, &error);
    ck_assert_msg(file != NULL, "%s", error.message);
    return file;
}

static void get(const char *path, tl_real w[6], tl_real *s) {
    tl_error error = {""};
    tl_safetensors *file = open_file(path);
    ck_assert_int_eq(tl_safetensors_count(file), 2);
    ck_assert(tl_safetensors_read(file, "w", tl_tensor_of(w, TL_SHAPE(2, 3)), &error));
    ck_assert(tl_safetensors_read(file, "s", tl_tensor_of(s, TL_SCALAR_SHAPE), &error));
    tl_safetensors_close(file);
}

START_TEST(mean_of_three) {
    scratch s = scratch_new();
    const char *paths[] = {scratch_path(&s, "1"), scratch_path(&s, "2"), scratch_path(&s, "3")};
    const char *out = scratch_path(&s, "mean");
    tl_error error = {""};
    put(paths[0], (tl_real[]){1, 2, 3, 4, 5, (tl_real)1e-30}, 6, DTYPE);
    put(paths[1], (tl_real[]){2, 4, -3, 0, 5, 0}, 1, DTYPE);
    put(paths[2], (tl_real[]){6, 0, 3, -4, 5, 0}, 3, DTYPE);
    tl_safetensors_pair pair = {"averaged", "3"};
    ck_assert_msg(tl_params_average(paths, 3, out, &pair, 1, &error), "%s", error.message);
    tl_real w[6], one;
    get(out, w, &one);
    static const tl_real expected[] = {3, 2, 1, 0, 5, (tl_real)(1e-30 / 3)};
    for (int i = 0; i < 5; i++) ck_assert_msg(w[i] == expected[i], "w[%d] = %g", i, (double)w[i]);
    ck_assert_double_eq_tol((double)w[5] * 3e30, 1, 1e-6);
    ck_assert(one == (tl_real)(10.0 / 3)); /* rounded once */
    tl_safetensors *file = open_file(out);
    ck_assert_str_eq(tl_safetensors_metadata(file, "averaged"), "3");
    ck_assert_str_eq(tl_dtype_name(tl_safetensors_find(file, "w")->dtype), tl_dtype_name(TL_DTYPE_REAL));
    tl_safetensors_close(file);
    scratch_remove(&s);
}
END_TEST

/* Is a mean saved already? Only if it is the mean of these files to the bit. */
START_TEST(mean_is_saved) {
    scratch s = scratch_new();
    const char *paths[] = {scratch_path(&s, "1"), scratch_path(&s, "2"), scratch_path(&s, "mean")};
    put(paths[0], (tl_real[]){1, 2, 3, 4, 5, 6}, 6, DTYPE);
    put(paths[1], (tl_real[]){2, 4, -3, 0, 5, 0}, 1, DTYPE);
    ck_assert(!tl_params_average_is_saved(paths, 2, paths[2])); /* the file does not exist */
    ck_assert(tl_params_average(paths, 2, paths[2], NULL, 0, NULL));
    ck_assert(tl_params_average_is_saved(paths, 2, paths[2]));
    ck_assert(!tl_params_average_is_saved(paths, 1, paths[2]) &&
              tl_params_average_is_saved(paths, 1, paths[0]));
    put(paths[1], (tl_real[]){2, 4, -3, 0, 5, (tl_real)1e-6}, 1, DTYPE);
    ck_assert(!tl_params_average_is_saved(paths, 2, paths[2]));
    /* tensors in another order than the one that is written: by name */
    static const char head[] = "{\"s\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
                               "\"A\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}} ";
    const float numbers[] = {1, 2};
    char bytes[8 + sizeof head + sizeof numbers] = {(char)(sizeof head - 1)};
    memcpy(bytes + 8, head, sizeof head - 1);
    memcpy(bytes + 8 + sizeof head - 1, numbers, sizeof numbers);
    put_file(paths[1], bytes, sizeof bytes - 1);
    ck_assert(tl_params_average(&paths[1], 1, paths[2], NULL, 0, NULL));
    ck_assert(tl_params_average_is_saved(&paths[1], 1, paths[2]));
    put_text(paths[2], "no weights");
    ck_assert(!tl_params_average_is_saved(paths, 2, paths[2]) &&
              !tl_params_average_is_saved(NULL, 1, paths[2]) &&
              !tl_params_average_is_saved(paths, 0, paths[2]) && !tl_params_average_is_saved(paths, 2, NULL));
    scratch_remove(&s);
}
END_TEST

/* In float, 2^25 + 1 + 1 + 1 would stay 2^25, but sums are doubles. (F32 files, in the double library too.) */
START_TEST(sums_are_doubles) {
    scratch s = scratch_new();
    const char *paths[] = {scratch_path(&s, "1"), scratch_path(&s, "2"), scratch_path(&s, "3"),
                           scratch_path(&s, "4")};
    tl_error error = {""};
    for (int k = 0; k < 4; k++) {
        tl_real x = k == 0 ? 33554432 : 1;
        put(paths[k], (tl_real[]){x, -x, 1, 1, 1, 1}, x, TL_DTYPE_F32); /* F32 in both libraries */
    }
    /* overwrites an input */
    ck_assert_msg(tl_params_average(paths, 4, paths[3], NULL, 0, &error), "%s", error.message);
    tl_real w[6], one;
    get(paths[3], w, &one);
    ck_assert_double_eq((double)w[0], 8388609); /* (2^25 + 3) / 4, rounded */
    ck_assert_double_eq((double)w[1], -8388609);
    tl_safetensors *file = open_file(paths[3]);
    ck_assert_str_eq(tl_dtype_name(tl_safetensors_find(file, "s")->dtype), "F32");
    tl_safetensors_close(file);
    scratch_remove(&s);
}
END_TEST

START_TEST(one_file_is_copied) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "one"), *out = scratch_path(&s, "copy");
    tl_error error = {""};
    put(path, (tl_real[]){(tl_real)0.1, (tl_real)-0.0, (tl_real)INFINITY, (tl_real)1e-40, -7, (tl_real)3e38},
        1, DTYPE);
    ck_assert_msg(tl_params_average(&path, 1, out, NULL, 0, &error), "%s", error.message);
    size_t size, out_size;
    char *bytes = get_file(path, &size), *copy = get_file(out, &out_size);
    ck_assert(size == out_size && memcmp(bytes, copy, size) == 0);
    free(bytes);
    free(copy);
    tl_error_clear(&error);
    ck_assert(tl_safetensors_write(path, NULL, 0, NULL, 0, &error)); /* a file without tensors */
    ck_assert_msg(tl_params_average(&path, 1, out, NULL, 0, &error), "%s", error.message);
    scratch_remove(&s);
}
END_TEST

/* With these items in the second of two files, averaging fails, and nothing is written. */
static void assert_refused(const char *part, const tl_safetensors_item *items, long count) {
    scratch s = scratch_new();
    const char *paths[] = {scratch_path(&s, "first"), scratch_path(&s, "second")},
               *out = scratch_path(&s, "out");
    tl_error error = {""};
    put(paths[0], (tl_real[]){1, 2, 3, 4, 5, 6}, 7, TL_DTYPE_F32);
    ck_assert_msg(tl_safetensors_write(paths[1], items, count, NULL, 0, &error), "%s", error.message);
    ck_assert(!tl_params_average(paths, 2, out, NULL, 0, &error));
    assert_contains(error.message, "/second: ");
    assert_contains(error.message, "/first");
    assert_contains(error.message, part);
    assert_contains(error.message, "; average files of one model");
    ck_assert_int_eq(access(out, F_OK), -1);
    ck_assert_int_eq(count_files(s.folder), 2);
    scratch_remove(&s);
}

START_TEST(files_that_differ) {
    static tl_real numbers[8];
    const tl_safetensors_item w = {"w", tl_tensor_of(numbers, TL_SHAPE(2, 3)), TL_DTYPE_F32},
                              s = {"s", tl_tensor_of(numbers, TL_SCALAR_SHAPE), TL_DTYPE_F32},
                              turned = {"w", tl_tensor_of(numbers, TL_SHAPE(3, 2)), TL_DTYPE_F32},
                              wide = {"s", tl_tensor_of(numbers, TL_SCALAR_SHAPE), TL_DTYPE_F64},
                              more = {"x", tl_tensor_of(numbers, TL_SHAPE(1)), TL_DTYPE_F32};
    assert_refused("no tensor \"s\", which is in", (tl_safetensors_item[]){w}, 1);
    assert_refused("tensor \"w\" has shape [3,2], in", (tl_safetensors_item[]){turned, s}, 2);
    assert_refused("tensor \"s\" has dtype F64, in", (tl_safetensors_item[]){w, wide}, 2);
    assert_refused("tensor \"x\" is not in", (tl_safetensors_item[]){w, s, more}, 3);
}
END_TEST

START_TEST(what_cannot_be_averaged) {
    scratch s = scratch_new();
    const char *paths[] = {scratch_path(&s, "first"), scratch_path(&s, "second")},
               *out = scratch_path(&s, "out");
    tl_error error = {""};
    ck_assert(!tl_params_average(paths, 0, out, NULL, 0, &error));
    assert_contains(error.message, "cannot average 0 files");
    tl_error_clear(&error);
    ck_assert(!tl_params_average(NULL, 2, out, NULL, 0, &error));
    tl_error_clear(&error);
    put(paths[0], (tl_real[6]){1}, 7, TL_DTYPE_F64);
    bool ok = tl_params_average(paths, 1, out, NULL, 0, &error);
    ck_assert(ok == (sizeof(tl_real) == 8));
    if (!ok) {
        assert_contains(error.message, "/first: tensor \"s\" has dtype F64, expected F32");
        assert_contains(error.message, "PRECISION=double");
    }
    tl_error_clear(&error);
    char bytes[200] = {0}; /* F16 */
    int n = snprintf(bytes + 8, sizeof bytes - 8,
                     "{\"h\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[0,4]}}");
    bytes[0] = (char)n;
    put_file(paths[0], bytes, 8 + (size_t)n + 4);
    ck_assert(!tl_params_average(paths, 1, out, NULL, 0, &error));
    assert_contains(error.message, "/first: tensor \"h\" has dtype F16, expected ");
    assert_contains(error.message, "; convert it first");
    tl_error_clear(&error);
    memset(bytes, 0, sizeof bytes); /* more axes than a tensor has here */
    n = snprintf(bytes + 8, sizeof bytes - 8,
                 "{\"h\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}");
    bytes[0] = (char)n;
    put_file(paths[0], bytes, 8 + (size_t)n + 4);
    ck_assert(!tl_params_average(paths, 1, out, NULL, 0, &error));
    assert_contains(error.message, "/first: tensor \"h\" has 9 axes, expected at most ");
    tl_error_clear(&error);
    put(paths[0], (tl_real[6]){1}, 7, TL_DTYPE_F32);
    ck_assert(!tl_params_average(paths, 2, out, NULL, 0, &error)); /* the second file is missing */
    assert_contains(error.message, "/second: No such file");
    tl_error_clear(&error);
    put_text(paths[1], "{}");
    ck_assert(!tl_params_average(paths, 2, out, NULL, 0, &error));
    assert_contains(error.message, "/second: 2 bytes");
    tl_error_clear(&error);
    ck_assert(!tl_params_average(paths, 1, s.folder, NULL, 0, &error));
    assert_contains(error.message, "this is a folder");
    scratch_remove(&s);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, mean_of_three);
    tcase_add_test(tc, mean_is_saved);
    tcase_add_test(tc, sums_are_doubles);
    tcase_add_test(tc, one_file_is_copied);
    tcase_add_test(tc, files_that_differ);
    tcase_add_test(tc, what_cannot_be_averaged);
}

TL_TEST_MAIN("io: averaging")
