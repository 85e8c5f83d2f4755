/* Damaged safetensors files: each kind of damage has its own message, and any bytes are refused safely (with SAN=1 also
 * checked to read nothing outside). */
#define _XOPEN_SOURCE 700
#include "scratch.h"

#include "reference.h"
#include "tapeloom/io.h"

/* Opens a file with this header, without padding, and `data` bytes. NULL on failure, with the error in *error. */
static tl_safetensors *open_with(const char *header, size_t data, tl_error *error) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "damaged.safetensors");
    size_t n = strlen(header), size = 8 + n + data;
    char *bytes = calloc(size, 1);
    for (int i = 0; i < 8; i++) bytes[i] = (char)(n >> 8 * i & 255);
    memcpy(bytes + 8, header, n);
    put_file(path, bytes, size);
    free(bytes);
    *error = (tl_error){""};
    tl_safetensors *file = tl_safetensors_open(path, error);
    scratch_remove(&s);
    return file;
}

static void assert_good(const char *header, size_t data) {
    tl_error error;
    tl_safetensors *file = open_with(header, data, &error);
    ck_assert_msg(file != NULL, "%s\n%s", header, error.message);
    tl_safetensors_close(file);
}

static void assert_bad(const char *header, size_t data, const char *part) {
    tl_error error;
    ck_assert_msg(!open_with(header, data, &error), "accepted: %s", header);
    assert_contains(error.message, part);
    assert_contains(error.message, "damaged.safetensors: ");
}

#define ONE(dtype, shape, offsets) \
 "{\"a\":{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}}"
#define GOOD ONE("\"F32\"", "[2]", "[0,8]")

START_TEST(good_headers) {
    assert_good("{}", 0);
    assert_good(GOOD, 8);
    assert_good("{ }  \t\r\n", 0);
    assert_good("{\n \"a\" : { \"shape\" : [ 2 ] , \"data_offsets\" : [ 0 , 8 ] , \"dtype\" : \"F32\" } } ",
                8);
    assert_good("{\"__metadata__\":{}}", 0);
    assert_good("{\"__metadata__\":{\"k\":\"\\ud83d\\ude00\\u00e9\\/\\b\\f\"}}", 0);
    assert_good(ONE("\"F8_E4M3\"", "[3,1]", "[0,3]"), 3);
    assert_good(ONE("\"I64\"", "[]", "[0,8]"), 8);
    assert_good(ONE("\"F64\"", "[1000000,0,1000000]", "[0,0]"), 0);
    assert_good("{\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[2,3]},"
                "\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}",
                3);
}
END_TEST

START_TEST(escapes_are_resolved) {
    tl_error error;
    tl_safetensors *file = open_with(
        "{\"__metadata__\":{\"\\u006b\":\"\\ud83d\\uDE00\\u00e9\\u20AC\\u007f\\/\\b\\f\\n\\r\\t\\\\\\\"\"}}",
        0, &error);
    ck_assert_msg(file != NULL, "%s", error.message);
    ck_assert_str_eq(tl_safetensors_metadata(file, "k"), "😀é€\x7f/\b\f\n\r\t\\\"");
    tl_safetensors_close(file);
}
END_TEST

/* Tensors of every dtype of the format, also later ones, and with any number of axes are listed, and the others in the
 * file can be read. */
START_TEST(what_cannot_be_read_is_listed) {
    static const struct {
        const char *dtype, *shape;
        int bytes;
    } odd[] = {{"BOOL", "[2]", 2},
               {"F4", "[3,2]", 3},
               {"F6_E2M3", "[4]", 3},
               {"F6_E3M2", "[8]", 6},
               {"U8", "[1]", 1},
               {"I8", "[1]", 1},
               {"F8_E5M2", "[2]", 2},
               {"F8_E4M3", "[1]", 1},
               {"F8_E8M0", "[1]", 1},
               {"F8_E4M3FNUZ", "[3]", 3},
               {"F8_E5M2FNUZ", "[1]", 1},
               {"I16", "[1]", 2},
               {"U16", "[1]", 2},
               {"I32", "[1]", 4},
               {"U32", "[1]", 4},
               {"C64", "[1]", 8},
               {"I64", "[1]", 8},
               {"U64", "[1]", 8},
               {"F32", "[1,2,1,1,1,1,1,1]", 8}};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        char header[512];
        tl_error error;
        tl_real value = 7;
        snprintf(header, sizeof header,
                 "{\"a\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[0,%d]},"
                 "\"b\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[%d,%d]}}",
                 odd[i].dtype, odd[i].shape, odd[i].bytes, odd[i].bytes, odd[i].bytes + 4);
        tl_safetensors *file = open_with(header, (size_t)odd[i].bytes + 4, &error);
        ck_assert_msg(file != NULL, "%s: %s", odd[i].dtype, error.message);
        const tl_safetensors_entry *e = tl_safetensors_find(file, "a");
        ck_assert(e && e->begin == 0 && e->end == (uint64_t)odd[i].bytes);
        ck_assert_str_eq(tl_dtype_name(e->dtype), odd[i].dtype);
        bool wide = e->rank == 8;
        ck_assert_int_eq(e->shape.rank, wide ? -1 : e->rank);
        ck_assert(e->dim[0] == (wide ? 1 : e->shape.dim[0]) && (!wide || e->dim[1] == 2));
        ck_assert(tl_safetensors_read(file, "b", tl_tensor_of(&value, TL_SCALAR_SHAPE), &error) &&
                  value == 0);
        tl_real room[8];
        tl_shape shape = wide ? TL_SHAPE(2) : e->shape;
        ck_assert(!tl_safetensors_read(file, "a", tl_tensor_of(room, shape), &error));
        char dtype[32];
        snprintf(dtype, sizeof dtype, "found dtype %s, expected", odd[i].dtype);
        assert_contains(error.message, wide ? "tensor \"a\" has 8 axes, and a tensor here at most 6" : dtype);
        ck_assert_ptr_null(strstr(error.message, "damaged;"));
        ck_assert_int_eq(tl_safetensors_numel(file),
                         !strcmp(odd[i].dtype, "F4") ? 7 : tl_safetensors_numel(file));
        tl_safetensors_close(file);
    }
}
END_TEST

START_TEST(bad_json) {
    assert_bad("", 0, "byte 8: expected '{', the start of a header");
    assert_bad(" {}", 0, "byte 8: expected '{', the start of a header");
    assert_bad("[]", 0, "expected '{', the start of a header");
    assert_bad("{", 0, "byte 9: expected a string, found the end of the header");
    assert_bad("{}x", 0, "byte 10: expected the end of the header, found 'x'");
    assert_bad(GOOD "x", 8, "expected the end of the header, found 'x'");
    assert_bad("{}}", 0, "expected the end of the header, found '}'");
    assert_bad("{1:2}", 0, "byte 9: expected a string, found '1'");
    assert_bad("{\"a\" 1}", 0, "expected ':' after a name, found '1'");
    assert_bad("{\"a\":1}", 0, "expected '{' (a tensor's description), found '1'");
    assert_bad("{\"a\":{}}", 0, "has no \"dtype\"");
    assert_bad("{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,0]}}", 0, "has no \"shape\"");
    assert_bad("{\"a\":{\"dtype\":\"F32\",\"shape\":[0]}}", 0, "has no \"data_offsets\"");
    assert_bad("{\"a\":{\"size\":1}}", 0, "unknown key \"size\"");
    assert_bad("{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", 0, "repeated key \"dtype\"");
    assert_bad("{\"a\":{\"dtype\":\"F32\",}}", 0, "expected a string, found '}'");
    assert_bad("{\"a\":{\"dtype\":\"F32\" \"shape\":[]}}", 0,
               "expected ',' or '}' in a tensor's description, found '\"'");
    assert_bad("{\"a\":null}", 0, "expected '{' (a tensor's description), found 'n'");
    assert_bad("{\"ab", 0, "byte 9: a string has no end");
    assert_bad("{\"\x01\":", 0, "byte 10: a control character (byte 0x01) in a string");
    assert_bad("{\"\xff\":", 0, "byte 10: a string is not valid UTF-8 (byte 0xff)");
    assert_bad("{\"\xc3", 0, "a string is not valid UTF-8 (byte 0xc3)");
    assert_bad("{\"\xed\xa0\x80\":", 0, "a string is not valid UTF-8 (byte 0xed)");
    assert_bad("{\"\xc0\xaf\":", 0, "a string is not valid UTF-8 (byte 0xc0)");
    assert_bad("{\"\xf4\x90\x80\x80\":", 0, "a string is not valid UTF-8 (byte 0xf4)");
    assert_bad("{\"\\x\":", 0, "byte 10: unknown escape in a string");
    assert_bad("{\"\\", 0, "unknown escape in a string");
    assert_bad("{\"\\u12g4\":", 0, "byte 14: expected four hexadecimal digits after \\u");
    assert_bad("{\"\\u12", 0, "expected four hexadecimal digits after \\u");
    assert_bad("{\"\\u0000\":", 0, "a string contains \\u0000");
    assert_bad("{\"\\ud800\":", 0, "half of a surrogate pair");
    assert_bad("{\"\\udc00\":", 0, "half of a surrogate pair");
    assert_bad("{\"\\ud800\\u0041\":", 0, "half of a surrogate pair");
    assert_bad("{\"__metadata__\":[]}", 0, "expected '{' (metadata is an object of texts), found '['");
    assert_bad("{\"__metadata__\":{\"a\":1}}", 0, "expected a string, found '1'");
    assert_bad("{\"__metadata__\":{\"a\":\"b\"", 0,
               "expected ',' or '}' in the metadata, found the end of the header");
    assert_bad("{\"__metadata__\":{\"a\"}", 0, "expected ':' after a key, found '}'");
    assert_bad("{\"__metadata__\":{},\"__metadata__\":{}}", 0, "__metadata__ appears twice");
    assert_bad("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0, "the name \"k\" appears twice");
}
END_TEST

START_TEST(bad_descriptions) {
    assert_bad(ONE("\"F31\"", "[2]", "[0,8]"), 8, "unknown dtype \"F31\"; expected F32, F64 or another");
    assert_bad(ONE("32", "[2]", "[0,8]"), 8, "expected a string, found '3'");
    assert_bad(ONE("\"F32\"", "2", "[0,8]"), 8, "expected '[' (a shape), found '2'");
    assert_bad(ONE("\"F32\"", "[-2]", "[0,8]"), 8, "expected a whole number, found '-'");
    assert_bad(ONE("\"F32\"", "[2.0]", "[0,8]"), 8, "expected a whole number, found '.'");
    assert_bad(ONE("\"F32\"", "[2e0]", "[0,8]"), 8, "expected a whole number, found 'e'");
    assert_bad(ONE("\"F32\"", "[02]", "[0,8]"), 8, "starts with a needless 0");
    assert_bad(ONE("\"F32\"", "[2,]", "[0,8]"), 8, "expected a whole number, found ']'");
    assert_bad(ONE("\"F32\"", "[\"2\"]", "[0,8]"), 8, "expected a whole number, found '\"'");
    assert_bad(ONE("\"F32\"", "[18446744073709551616]", "[0,8]"), 8, "a number is too large");
    assert_bad(ONE("\"F32\"", "[9223372036854775808]", "[0,8]"), 8, "an axis is too long");
    assert_bad(ONE("\"F32\"", "[1,1,1,1,1,1,3]", "[0,8]"), 8,
               "data_offsets [0,8] are 8 bytes, expected 12 for [1,1,1,1,1,1,…] (7 axes) of F32");
    assert_bad(ONE("\"F4\"", "[3]", "[0,1]"), 1, "shape [3] of F4 is too large, or fills no whole bytes");
    assert_bad(ONE("\"F6_E2M3\"", "[6]", "[0,4]"), 4, "shape [6] of F6_E2M3 is too large, or fills no");
    assert_bad(ONE("\"F6_E3M2\"", "[8]", "[0,8]"), 8, "are 8 bytes, expected 6 for [8] of F6_E3M2");
    assert_bad(ONE("\"U8\"", "[1,1,1,1,1,1,1,4294967296,4294967296]", "[0,0]"), 0,
               "shape [1,1,1,1,1,1,…] (9 axes) of U8 is too large");
    assert_bad(ONE("\"F32\"", "[4294967296,4294967296]", "[0,0]"), 0,
               "\"a\": shape [4294967296,4294967296] of F32 is too large");
    assert_bad(ONE("\"F32\"", "[4294967296,4294967296,0]", "[0,0]"), 0, "is too large");
    assert_bad(ONE("\"F64\"", "[2305843009213693952]", "[0,0]"), 0, "is too large");
    assert_bad(ONE("\"F32\"", "[2]", "[0,8,8]"), 8, "expected ']' after two offsets, found ','");
    assert_bad(ONE("\"F32\"", "[2]", "[0]"), 8, "expected ',' between two offsets, found ']'");
    assert_bad(ONE("\"F32\"", "[2]", "[0,16]"), 8, "\"a\": data_offsets [0,16], expected them within [0,8]");
    assert_bad(ONE("\"F32\"", "[2]", "[8,0]"), 8, "\"a\": data_offsets [8,0], expected them within [0,8]");
    assert_bad(ONE("\"F32\"", "[2]", "[18446744073709551608,18446744073709551615]"), 8,
               "expected them within [0,8]");
    assert_bad(ONE("\"F32\"", "[2]", "[0,4]"), 8,
               "data_offsets [0,4] are 4 bytes, expected 8 for [2] of F32");
    assert_bad(ONE("\"F64\"", "[2]", "[0,8]"), 8,
               "data_offsets [0,8] are 8 bytes, expected 16 for [2] of F64");
    assert_bad(GOOD, 12, "12 bytes of data, expected 8 by the header");
    assert_bad(GOOD, 7,
               "the file ends after 69 bytes, but its header speaks of 70; it was cut off: copy, make or "
               "fetch the file again");
    assert_bad(ONE("\"U8\"", "[9223372036854775807]", "[0,9223372036854775807]"), 8,
               "but its header speaks of 9223372036854775904; it was cut off");
    assert_bad(ONE("\"U8\"", "[1]", "[9223372036854775807,9223372036854775808]"), 8,
               "expected them within [0,8]");
    assert_bad("{}", 1, "1 bytes of data, expected 0 by the header");
    assert_bad(ONE("\"F32\"", "[1]", "[4,8]"), 8,
               "the data of \"a\" begins at 4, expected 0: tensors leave a hole");
#define TWO(name, from, to)                                               \
 "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},\"" name \
 "\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[" from "," to "]}}"
    assert_good(TWO("b", "4", "8"), 8);
    assert_bad(TWO("a", "4", "8"), 8, "the name \"a\" appears twice");
    assert_bad(TWO("\\u0061", "4", "8"), 8, "the name \"a\" appears twice");
    assert_bad(TWO("b", "3", "7"), 8, "the data of \"b\" begins at 3, expected 4: tensors overlap");
    assert_bad(TWO("b", "0", "4"), 8, "tensors overlap");
    assert_bad(TWO("b", "5", "9"), 9, "tensors leave a hole");
}
END_TEST

START_TEST(bad_sizes) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "damaged.safetensors");
    static const struct {
        const char *bytes;
        size_t size;
        const char *part;
    } cases[] = {
        {"", 0, "0 bytes, expected at least 8; this is no safetensors file, or a cut-off one"},
        {"\2\0\0\0\0\0\0", 7, "7 bytes, expected at least 8"},
        {"\2\0\0\0\0\0\0\0", 8,
         "the file ends after 8 bytes, but its header alone goes on to 10; it was cut off"},
        {"\2\0\0\0\0\0\0\0{", 9,
         "damaged.safetensors: the file ends after 9 bytes, but its header alone goes on to 10; it was cut "
         "off: "
         "copy, make or fetch the file again"},
        {"\2\0\0\0\0\0\0\0[", 9,
         "byte 0: a header of 2 bytes, expected at most 1; this is no safetensors file"},
        {"\0\341\365\5\0\0\0\0{", 9,
         "the file ends after 9 bytes, but its header alone goes on to 100000008"},
        {"\1\341\365\5\0\0\0\0{", 9, "a header of 100000001 bytes, expected at most 1;"},
        {"\377\377\377\377\377\377\377\377{}", 10,
         "a header of 18446744073709551615 bytes, expected at most 2"},
        {"\0\0\0\0\0\0\0\200{}", 10, "a header of 9223372036854775808 bytes"},
        {"\0\0\0\0\0\0\0\0", 8, "expected '{', the start of a header"},
        {"PK\3\4 a zip archive, as .pt is", 29, "this is no safetensors file"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {""};
        put_file(path, cases[i].bytes, cases[i].size);
        ck_assert_ptr_null(tl_safetensors_open(path, &error));
        assert_contains(error.message, cases[i].part);
    }
    /* as large as the header says, but more than the format allows: 100,000,001 bytes */
    tl_error error = {""};
    put_file(path, "\001\341\365\005\0\0\0\0{", 9);
    ck_assert_int_eq(truncate(path, 200000000), 0);
    ck_assert_ptr_null(tl_safetensors_open(path, &error));
    assert_contains(error.message, "a header of 100000001 bytes, expected at most 100000000");
    scratch_remove(&s);
}
END_TEST

/* Opens the file and, if that succeeds, reads everything that can be read. */
static bool digest(const char *path, tl_error *error) {
    tl_safetensors *file = tl_safetensors_open(path, error);
    ck_assert(tl_failed(error) == (!file));
    for (long i = 0; i < tl_safetensors_count(file); i++) {
        const tl_safetensors_entry *e = tl_safetensors_at(file, i);
        long n = tl_shape_numel(e->shape);
        tl_real *values = malloc((size_t)(n + 1) * sizeof *values);
        tl_error ignored = {""};
        tl_safetensors_read(file, e->name, tl_tensor_of(values, e->shape), &ignored);
        free(values);
    }
    tl_safetensors_close(file);
    return file != NULL;
}

START_TEST(cut_off_anywhere_is_refused) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "damaged.safetensors");
    size_t size = sizeof reference_reals - 1, data = 8 + (unsigned char)reference_reals[0];
    data += 256 * (size_t)(unsigned char)reference_reals[1];
    for (size_t n = 0; n <= size; n++) {
        tl_error error = {""};
        put_file(path, reference_reals, n);
        bool ok = digest(path, &error);
        ck_assert_msg(ok == (n == size), "%zu of %zu bytes", n, size);
        char expected[160] = "expected at least 8; this is no safetensors file, or a cut-off one";
        if (n >= 8)
            snprintf(expected, sizeof expected,
                     "the file ends after %zu bytes, but its header %s %zu; it was cut off: copy, make or "
                     "fetch the file again",
                     n, n < data ? "alone goes on to" : "speaks of", n < data ? data : size);
        if (!ok) assert_contains(error.message, expected);
    }
    scratch_remove(&s);
}
END_TEST

static uint32_t draw(uint64_t *state) { /* any simple generator is good enough here */
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

/* Flipped bits and bytes, and parts copied over others. Most results are refused, none crashes, and no message contains
 * unprintable characters. */
START_TEST(random_damage_is_survived) {
    scratch s = scratch_new();
    const char *path = scratch_path(&s, "damaged.safetensors");
    size_t size = sizeof reference_reals - 1;
    char bytes[sizeof reference_reals];
    uint64_t state = 20240607;
    int refused = 0, unprintable = 0;
    for (int round = 0; round < 6000; round++) {
        memcpy(bytes, reference_reals, size);
        /* mostly in the header, since any data bytes are valid */
        for (uint32_t k = draw(&state) % 4 + 1; k > 0; k--) {
            size_t at = draw(&state) % (round % 8 ? 370 : size);
            switch (draw(&state) % 4) {
            case 0:
                bytes[at] = (char)(bytes[at] ^ 1 << draw(&state) % 8);
                break;
            case 1:
                bytes[at] = (char)draw(&state);
                break;
            case 2:
                bytes[at] = "{}[]:,\"\\0129eE"[draw(&state) % 14];
                break;
            case 3: {
                size_t from = draw(&state) % (size - 40), n = draw(&state) % 40;
                memmove(bytes + (at < size - 40 ? at : size - 40), reference_reals + from, n);
            }
            }
        }
        tl_error error = {""};
        put_file(path, bytes, size);
        refused += !digest(path, &error);
        for (char *c = error.message; *c != 0; c++) unprintable += (unsigned char)*c < 0x20 || *c == 0x7f;
    }
    ck_assert_int_eq(unprintable, 0);
    ck_assert_int_gt(refused, 3000);
    ck_assert_int_lt(refused, 6000);
    scratch_remove(&s);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, good_headers);
    tcase_add_test(tc, escapes_are_resolved);
    tcase_add_test(tc, what_cannot_be_read_is_listed);
    tcase_add_test(tc, bad_json);
    tcase_add_test(tc, bad_descriptions);
    tcase_add_test(tc, bad_sizes);
    tcase_add_test(tc, cut_off_anywhere_is_refused);
    tcase_add_test(tc, random_damage_is_survived);
}
TL_TEST_MAIN("io: damaged safetensors")
