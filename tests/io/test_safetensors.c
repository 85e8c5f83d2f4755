/* Safetensors: the reference implementation's files read and written byte for byte, round trips with every dtype and
 * with strides, metadata, and what may not be written. test_safetensors_damage.c has damaged files. */
#define _XOPEN_SOURCE 700
#include "scratch.h"

#include "reference.h"
#include "tapeloom/io.h"

#define REFERENCE_REALS (sizeof reference_reals - 1)
#define REFERENCE_OTHERS (sizeof reference_others - 1)

static tl_safetensors *open_bytes(scratch *s, const char *bytes, size_t size) {
    const char *path = scratch_path(s, "bytes.safetensors");
    tl_error error = {""};
    put_file(path, bytes, size);
    tl_safetensors *file = tl_safetensors_open(path, &error);
    ck_assert_msg(file != NULL, "%s", error.message);
    return file;
}

static void assert_read(tl_safetensors *file, const char *name, tl_tensor to) {
    tl_error error = {""};
    ck_assert_msg(tl_safetensors_read(file, name, to, &error), "%s", error.message);
}

static void assert_reads(tl_safetensors *file, const char *name, tl_shape shape, const double *expected) {
    tl_real values[16];
    for (int i = 0; i < 16; i++) values[i] = -77;
    assert_read(file, name, tl_tensor_of(values, shape));
    long n = tl_shape_numel(shape);
    for (long i = 0; i < n; i++) {
        double want = (double)(tl_real)expected[i];
        ck_assert_msg((double)values[i] == want && !signbit(values[i]) == !signbit(want),
                      "%s[%ld] = %.17g, not %.17g", name, i, (double)values[i], want);
    }
    ck_assert(values[n] == -77); /* nothing after it was written */
}

START_TEST(reads_the_reference_file) {
    scratch s = scratch_new();
    tl_safetensors *file = open_bytes(&s, reference_reals, REFERENCE_REALS);
    ck_assert_int_eq(tl_safetensors_count(file), 5);
    static const char *const names[] = {"deep.0.z", "b.é\"\\\n", "empty", "scalar", "w"};
    for (int i = 0; i < 5; i++) {
        const tl_safetensors_entry *e = tl_safetensors_at(file, i);
        ck_assert_str_eq(e->name, names[i]);
        ck_assert_ptr_eq(tl_safetensors_find(file, names[i]), e);
        ck_assert_str_eq(tl_dtype_name(e->dtype), i == 0 ? "F64" : "F32");
    }
    ck_assert(tl_shape_equal(tl_safetensors_find(file, "empty")->shape, TL_SHAPE(0, 4)));
    ck_assert_int_eq(tl_safetensors_find(file, "scalar")->shape.rank, 0);
    ck_assert_ptr_null(tl_safetensors_at(file, 5));
    ck_assert_ptr_null(tl_safetensors_at(file, -1));
    ck_assert_ptr_null(tl_safetensors_find(file, "W"));
    assert_reads(file, "w", TL_SHAPE(2, 3), (double[]){-1, -0.5, 0, 0.5, 1, 1.5});
    assert_reads(file, "b.é\"\\\n", TL_SHAPE(3), (double[]){1.5, -2.25, (double)3e-40f});
    assert_reads(file, "deep.0.z", TL_SHAPE(2, 1), (double[]){0.1, INFINITY});
    assert_reads(file, "scalar", TL_SCALAR_SHAPE, (double[]){7});
    assert_reads(file, "empty", TL_SHAPE(0, 4), NULL);
    ck_assert_int_eq(tl_safetensors_metadata_count(file), 2);
    ck_assert_str_eq(tl_safetensors_metadata(file, "format"), "pt");
    ck_assert_str_eq(tl_safetensors_metadata(file, "note"), "ü\t\001\"/");
    ck_assert_ptr_null(tl_safetensors_metadata(file, "Format"));
    ck_assert_str_eq(tl_safetensors_metadata_at(file, 1).key, "note");
    ck_assert_ptr_null(tl_safetensors_metadata_at(file, 2).key);
    tl_safetensors_close(file);
    scratch_remove(&s);
}
END_TEST

START_TEST(reads_half_and_brain_floats) {
    scratch s = scratch_new();
    tl_safetensors *file = open_bytes(&s, reference_others, REFERENCE_OTHERS);
    tl_error error = {""};
    tl_real values[4];
    assert_reads(file, "half", TL_SHAPE(7),
                 (double[]){1, -2, 65504, 0x1p-24, INFINITY, -0.0, 0.333251953125});
    assert_reads(file, "brain", TL_SHAPE(4), (double[]){1, -2.5, 0x1.fep127, 0x1p-133});
    ck_assert_int_eq(tl_safetensors_find(file, "mask")->dtype, TL_DTYPE_BOOL);
    ck_assert(!tl_safetensors_read(file, "ids", tl_tensor_of(values, TL_SHAPE(2)), &error));
    assert_contains(error.message, "tensor \"ids\": found dtype I64, expected F64, F32, F16 or BF16");
    tl_safetensors_close(file);
    scratch_remove(&s);
}
END_TEST

/* Every half: the formula (-1)^s · 2^(e-15) · (1 + m/1024) of IEEE 754 against the conversion by bits. */
START_TEST(every_half_is_exact) {
    scratch s = scratch_new();
    size_t header = 72, size = 8 + header + 2 * 65536;
    char *bytes = calloc(size, 1);
    int used = snprintf(bytes + 8, header + 1,
                        "{\"h\":{\"dtype\":\"F16\",\"shape\":[65536],\"data_offsets\":[0,131072]}}");
    bytes[0] = (char)header;
    memset(bytes + 8 + used, ' ', header - (size_t)used);
    for (unsigned i = 0; i < 65536; i++) {
        bytes[8 + header + 2 * i] = (char)(i & 255);
        bytes[8 + header + 2 * i + 1] = (char)(i >> 8);
    }
    tl_safetensors *file = open_bytes(&s, bytes, size);
    tl_real *values = malloc(65536 * sizeof *values);
    assert_read(file, "h", tl_tensor_of(values, TL_SHAPE(65536)));
    long wrong = 0;
    for (int i = 0; i < 65536; i++) {
        int e = i >> 10 & 31, m = i & 1023;
        double want = e == 0 ? ldexp(m, -24) : e == 31 ? (m ? NAN : INFINITY) : ldexp(1024 + m, e - 25);
        if (i & 0x8000) want = -want;
        wrong += !(isnan(want) ? isnan(values[i])
                               : (double)values[i] == want && !signbit(values[i]) == !signbit(want));
    }
    ck_assert_int_eq(wrong, 0);
    free(values);
    free(bytes);
    tl_safetensors_close(file);
    scratch_remove(&s);
}
END_TEST

START_TEST(writes_the_reference_file) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "ours.safetensors");
    tl_real w[] = {-1, -0.5, 0, 0.5, 1, 1.5}, b[] = {1.5, -2.25, (tl_real)3e-40f}, scalar = 7;
    tl_real z[] = {(tl_real)0.1, (tl_real)INFINITY};
    tl_safetensors_item items[] = {
        {"w", tl_tensor_of(w, TL_SHAPE(2, 3)), TL_DTYPE_F32},
        {"b.é\"\\\n", tl_tensor_of(b, TL_SHAPE(3)), TL_DTYPE_F32},
        {"deep.0.z", tl_tensor_of(z, TL_SHAPE(2, 1)), TL_DTYPE_F64},
        {"scalar", tl_tensor_of(&scalar, TL_SCALAR_SHAPE), TL_DTYPE_F32},
        {"empty", tl_tensor_of(w, TL_SHAPE(0, 4)), TL_DTYPE_F32},
    };
    tl_safetensors_pair metadata[] = {{"format", "pt"}, {"note", "ü\t\001\"/"}};
    tl_error error = {""};
    ck_assert_msg(tl_safetensors_write(path, items, 5, metadata, 2, &error), "%s", error.message);
    size_t size;
    char *bytes = get_file(path, &size);
    ck_assert_uint_eq(size, REFERENCE_REALS);
    for (size_t i = 0; i < size; i++) {
        /* 0.1 differs in float and double */
        bool tenth = sizeof(tl_real) == 4 && i >= size - 56 && i < size - 48;
        ck_assert_msg(tenth || bytes[i] == reference_reals[i], "byte %zu differs", i);
    }
    free(bytes);
    scratch_remove(&s);
}
END_TEST

/* Longer than a block, so that blocks end in the middle of rows. */
enum { A = 7, B = 11, C = 53, ALL = A * B * C };

static void round_trip(tl_dtype dtype, tl_tensor from, tl_tensor to) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "x.safetensors");
    tl_error error = {""};
    tl_safetensors_item item = {"x", from, dtype};
    ck_assert_msg(tl_safetensors_write(path, &item, 1, NULL, 0, &error), "%s", error.message);
    tl_safetensors *file = tl_safetensors_open(path, &error);
    ck_assert_msg(file != NULL, "%s", error.message);
    tl_dtype real = sizeof(tl_real) == 8 ? TL_DTYPE_F64 : TL_DTYPE_F32;
    ck_assert_int_eq(tl_safetensors_at(file, 0)->dtype, dtype == TL_DTYPE_REAL ? real : dtype);
    ck_assert(tl_shape_equal(tl_safetensors_at(file, 0)->shape, tl_shape_of(from)));
    assert_read(file, "x", to);
    tl_safetensors_close(file);
    scratch_remove(&s);
}

static tl_tensor numbered(tl_real *values) {
    for (long i = 0; i < ALL; i++) values[i] = (tl_real)1 / (tl_real)(3 * i + 1);
    return tl_tensor_of(values, TL_SHAPE(A, B, C));
}

START_TEST(round_trips_are_exact) {
    static tl_real from[ALL], to[ALL];
    tl_tensor x = numbered(from), y = tl_tensor_of(to, TL_SHAPE(A, B, C));
    from[3] = (tl_real)NAN, from[4] = -(tl_real)INFINITY, from[5] = -(tl_real)0;
    round_trip(TL_DTYPE_REAL, x, y);
    ck_assert_int_eq(memcmp(from, to, sizeof from), 0);
    memset(to, 1, sizeof to);
    round_trip(TL_DTYPE_F64, x, y); /* wide enough for both */
    ck_assert_int_eq(memcmp(from, to, sizeof from), 0);
    round_trip(TL_DTYPE_F32, x, y);
    for (long i = 6; i < ALL; i++) ck_assert(to[i] == (tl_real)(float)from[i]);
}
END_TEST

START_TEST(strides_are_followed) {
    static tl_real from[ALL], to[ALL], big[2 * ALL];
    tl_tensor x = numbered(from);
    /* from [A,B,C] to the transposed [C,A,B] … */
    tl_tensor turned = {.data = from, .rank = 3, .dim = {C, A, B}, .stride = {1, B * C, C}};
    tl_tensor y = tl_tensor_of(to, TL_SHAPE(C, A, B));
    round_trip(TL_DTYPE_REAL, turned, y);
    for (long i = 0; i < ALL; i++) {
        long c = i / (A * B), a = i / B % A, b = i % B;
        ck_assert(to[i] == from[(a * B + b) * C + c]);
    }
    /* … and to every second element with reversed axes; a broadcast axis is written in full */
    tl_tensor sparse = {.data = big, .rank = 3, .dim = {A, B, C}, .stride = {2, 2 * A, 2 * A * B}};
    round_trip(TL_DTYPE_REAL, x, sparse);
    for (long i = 0; i < ALL; i++) {
        long a = i / (B * C), b = i / C % B, c = i % C;
        ck_assert(big[2 * (a + A * (b + B * c))] == from[i] && big[2 * (a + A * (b + B * c)) + 1] == 0);
    }
    tl_tensor row = {.data = from, .rank = 2, .dim = {3, C}, .stride = {0, 1}};
    round_trip(TL_DTYPE_REAL, row, tl_tensor_of(to, TL_SHAPE(3, C)));
    for (long i = 0; i < 3 * C; i++) ck_assert(to[i] == from[i % C]);
}
END_TEST

START_TEST(many_tensors_and_none) {
    scratch s = scratch_new();
    enum { MANY = 500 };
    static tl_real values[MANY];
    static char names[MANY][24];
    static tl_safetensors_item items[MANY];
    for (int i = 0; i < MANY; i++) {
        values[i] = (tl_real)i;
        snprintf(names[i], sizeof names[i], "layers.%d.weight", (i * 7919) % MANY);
        items[i] =
            (tl_safetensors_item){names[i], tl_tensor_of(&values[i], TL_SHAPE(1)), i % 3 ? 1 + i % 2 : 0};
    }
    const char *many = scratch_path(&s, "many"), *none = scratch_path(&s, "none");
    tl_error error = {""};
    ck_assert_msg(tl_safetensors_write(many, items, MANY, NULL, 0, &error), "%s", error.message);
    tl_safetensors *file = tl_safetensors_open(many, &error);
    ck_assert_int_eq(tl_safetensors_count(file), MANY);
    for (int i = 0; i < MANY; i++) {
        tl_real read;
        assert_read(file, names[i], tl_tensor_of(&read, TL_SHAPE(1)));
        ck_assert(read == (tl_real)i);
    }
    tl_safetensors_close(file);
    ck_assert_msg(tl_safetensors_write(none, NULL, 0, NULL, 0, &error), "%s", error.message);
    size_t size;
    char *bytes = get_file(none, &size);
    ck_assert_uint_eq(size, 16);
    ck_assert_int_eq(memcmp(bytes, "\10\0\0\0\0\0\0\0{}      ", 16), 0);
    free(bytes);
    file = tl_safetensors_open(none, &error);
    ck_assert_msg(file != NULL, "%s", error.message);
    ck_assert_int_eq(tl_safetensors_count(file), 0);
    ck_assert_ptr_null(tl_safetensors_find(file, "x"));
    tl_safetensors_close(file);
    scratch_remove(&s);
}
END_TEST

START_TEST(read_errors_name_tensor_shape_and_file) {
    scratch s = scratch_new();
    tl_safetensors *file = open_bytes(&s, reference_reals, REFERENCE_REALS);
    tl_real values[6] = {42};
    tl_error error = {""};
    ck_assert(!tl_safetensors_read(file, "v", tl_tensor_of(values, TL_SHAPE(2, 3)), &error));
    assert_contains(error.message, "bytes.safetensors: found no tensor \"v\" among its 5");
    tl_error_clear(&error);
    ck_assert(!tl_safetensors_read(file, "w", tl_tensor_of(values, TL_SHAPE(3, 2)), &error));
    assert_contains(error.message, "tensor \"w\": found shape [2,3], expected [3,2]");
    tl_error_clear(&error);
    ck_assert(!tl_safetensors_read(file, NULL, tl_tensor_of(values, TL_SHAPE(2, 3)), &error));
    assert_contains(error.message, "no name");
    ck_assert(values[0] == 42);
    tl_error_clear(&error);
    ck_assert(!tl_safetensors_read(NULL, "w", tl_tensor_of(values, TL_SHAPE(2, 3)), &error));
    assert_contains(error.message, "is not open");
    /* the file becomes shorter while it is open */
    tl_error_clear(&error);
    ck_assert_int_eq(truncate(s.path[0], (off_t)REFERENCE_REALS - 4), 0);
    ck_assert(!tl_safetensors_read(file, "w", tl_tensor_of(values, TL_SHAPE(2, 3)), &error));
    assert_contains(error.message, "became shorter while it was read");
    tl_safetensors_close(file);
    ck_assert_int_eq(tl_safetensors_count(NULL), 0);
    ck_assert_ptr_null(tl_safetensors_find(NULL, "w"));
    ck_assert_ptr_null(tl_safetensors_metadata(NULL, "format"));
    tl_safetensors_close(NULL);
    scratch_remove(&s);
}
END_TEST

static void assert_refused(const tl_safetensors_item *items, long count, const tl_safetensors_pair *metadata,
                           long metadata_count, const char *part) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "old.safetensors");
    put_text(path, "old");
    tl_error error = {""};
    ck_assert(!tl_safetensors_write(path, items, count, metadata, metadata_count, &error));
    assert_contains(error.message, part);
    assert_contains(error.message, "old.safetensors: ");
    assert_file(path, "old");
    ck_assert_int_eq(count_files(s.folder), 1);
    scratch_remove(&s);
}

START_TEST(what_may_not_be_written) {
    tl_real v[2] = {0, 0};
    tl_tensor t = tl_tensor_of(v, TL_SHAPE(2));
    tl_safetensors_item twice[] = {{"a", t, 0}, {"b", t, 0}, {"a", t, TL_DTYPE_F64}};
    assert_refused(twice, 3, NULL, 0, "two tensors are named \"a\"; choose distinct names");
    assert_refused(&(tl_safetensors_item){"__metadata__", t, 0}, 1, NULL, 0,
                   "no tensor can be named __metadata__");
    assert_refused(&(tl_safetensors_item){"x\xff", t, 0}, 1, NULL, 0, "name \"x\\xff\" is not valid UTF-8");
    assert_refused(&(tl_safetensors_item){NULL, t, 0}, 1, NULL, 0, "name is NULL");
    assert_refused(&(tl_safetensors_item){"a", t, TL_DTYPE_F16}, 1, NULL, 0, "as F16; expected F32 or F64");
    assert_refused(&(tl_safetensors_item){"a", {.data = NULL, .rank = 0}, 0}, 1, NULL, 0,
                   "\"a\" has no data");
    tl_safetensors_pair pairs[] = {{"k", "1"}, {"k", "2"}};
    assert_refused(NULL, 0, pairs, 2, "two metadata keys are named \"k\"");
    assert_refused(NULL, 0, &(tl_safetensors_pair){"k", NULL}, 1, "a metadata value is NULL");
    assert_refused(NULL, 0, &(tl_safetensors_pair){"k\xc3", "v"}, 1,
                   "a metadata key \"k\\xc3\" is not valid UTF-8");
}
END_TEST

START_TEST(a_failed_write_keeps_the_old_file) {
    scratch s = scratch_new();
    tl_error error = {""};
    tl_real v = 1;
    tl_safetensors_item item = {"a", tl_tensor_of(&v, TL_SHAPE(1)), 0};
    const char *path = scratch_path(&s, "missing/x.safetensors");
    ck_assert(!tl_safetensors_write(path, &item, 1, NULL, 0, &error));
    assert_contains(error.message, "No such file or directory; check the path");
    tl_error_clear(&error);
    ck_assert(!tl_safetensors_write(s.folder, &item, 1, NULL, 0, &error));
    assert_contains(error.message, "this is a folder");
    tl_error_clear(&error);
    ck_assert_ptr_null(tl_safetensors_open(s.folder, &error));
    assert_contains(error.message, "this is a folder");
    tl_error_clear(&error);
    ck_assert_ptr_null(tl_safetensors_open(path, &error));
    assert_contains(error.message, "check the path");
    scratch_remove(&s);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, reads_the_reference_file);
    tcase_add_test(tc, reads_half_and_brain_floats);
    tcase_add_test(tc, every_half_is_exact);
    tcase_add_test(tc, writes_the_reference_file);
    tcase_add_test(tc, round_trips_are_exact);
    tcase_add_test(tc, strides_are_followed);
    tcase_add_test(tc, many_tensors_and_none);
    tcase_add_test(tc, read_errors_name_tensor_shape_and_file);
    tcase_add_test(tc, what_may_not_be_written);
    tcase_add_test(tc, a_failed_write_keeps_the_old_file);
}
TL_TEST_MAIN("io: safetensors")
