/* A safetensors file: any bytes are opened or refused; entries lie within the data, end to end; whatever can be read is
 * written, and reads back the same. */
#include "tensors.h"

#include "base/utf8.h"

#include <tapeloom/io.h>

int tl_fuzz_safetensors(const uint8_t *bytes, size_t size);

enum { MOST = 16, MOST_NUMBERS = 1 << 16 };

static void check_entry(const tl_safetensors *file, const tl_safetensors_entry *e, size_t file_size) {
    FUZZ_MUST(e->name && tl_utf8_valid(e->name, strlen(e->name)) == strlen(e->name),
              "a name that is not UTF-8");
    FUZZ_MUST(e->begin <= e->end && e->end <= file_size, "%s lies from %zu to %zu of %zu", e->name,
              (size_t)e->begin, (size_t)e->end, file_size);
    FUZZ_MUST(tl_safetensors_find(file, e->name) == e, "%s is found elsewhere", e->name);
    FUZZ_MUST(tl_dtype_name(e->dtype) && e->rank >= 0, "dtype %d", (int)e->dtype);
    FUZZ_MUST(e->shape.rank == e->rank || (e->shape.rank == -1 && e->rank > TL_MAX_RANK), "rank %d", e->rank);
    for (int i = 0; i < e->rank; i++) FUZZ_MUST(e->dim[i] >= 0, "dim %ld", e->dim[i]);
}

/* Reads what can be read, and collects it for writing. */
static long read_all(tl_safetensors *file, tl_safetensors_item items[MOST], size_t file_size) {
    long kept = 0;
    uint64_t at = 0;
    for (long i = 0; i < tl_safetensors_count(file); i++) {
        const tl_safetensors_entry *e = tl_safetensors_at(file, i);
        tl_error error = {""};
        check_entry(file, e, file_size);
        FUZZ_MUST(e->begin == at, "a hole, or an overlap, at %zu", (size_t)at);
        at = e->end;
        const long count = tl_shape_numel(e->shape);
        const bool real = e->dtype == TL_DTYPE_F32 || e->dtype == TL_DTYPE_F64 || e->dtype == TL_DTYPE_F16 ||
                          e->dtype == TL_DTYPE_BF16;
        if (count < 0 || count > MOST_NUMBERS || kept == MOST) continue;
        FUZZ_MUST(!real || count <= (long)(e->end - e->begin), "%ld numbers in %zu bytes", count,
                  (size_t)(e->end - e->begin));
        tl_real *numbers = fuzz_memory((size_t)count * sizeof *numbers);
        const tl_tensor to = tl_tensor_of(numbers, e->shape);
        const bool ok = tl_safetensors_read(file, e->name, to, &error);
        fuzz_outcome(ok, &error);
        FUZZ_MUST(ok == real, "%s of dtype %s: %s", e->name, tl_dtype_name(e->dtype), error.message);
        if (ok)
            items[kept++] = (tl_safetensors_item){.name = e->name, .tensor = to};
        else
            free(numbers);
    }
    return kept;
}

static void check_metadata(const tl_safetensors *file) {
    for (long i = 0; i < tl_safetensors_metadata_count(file); i++) {
        const tl_safetensors_pair pair = tl_safetensors_metadata_at(file, i);
        FUZZ_MUST(pair.key && pair.value && !strcmp(tl_safetensors_metadata(file, pair.key), pair.value),
                  "entry %ld", i);
    }
    FUZZ_MUST(!tl_safetensors_metadata_at(file, tl_safetensors_metadata_count(file)).key,
              "one more than there are");
}

static void check_writing(const tl_safetensors *file, const tl_safetensors_item *items, long count) {
    tl_error error = {""};
    const long pairs = tl_safetensors_metadata_count(file);
    tl_safetensors_pair *metadata = fuzz_memory((size_t)pairs * sizeof *metadata);
    for (long i = 0; i < pairs; i++) metadata[i] = tl_safetensors_metadata_at(file, i);
    const char *path = fuzz_path("written.safetensors");
    FUZZ_MUST(tl_safetensors_write(path, items, count, metadata, pairs, &error), "%s", error.message);
    tl_safetensors *again = tl_safetensors_open(path, &error);
    FUZZ_MUST(again && tl_safetensors_count(again) == count && tl_safetensors_metadata_count(again) == pairs,
              "%s", error.message);
    for (long i = 0; i < count; i++) {
        const size_t bytes = (size_t)tl_numel(items[i].tensor) * sizeof(tl_real);
        tl_real *numbers = fuzz_memory(bytes);
        FUZZ_MUST(tl_safetensors_read(again, items[i].name,
                                      tl_tensor_of(numbers, tl_shape_of(items[i].tensor)), &error),
                  "%s", error.message);
        FUZZ_MUST(!memcmp(numbers, items[i].tensor.data, bytes), "%s reads back otherwise", items[i].name);
        free(numbers);
    }
    for (long i = 0; i < pairs; i++)
        FUZZ_MUST(!strcmp(tl_safetensors_metadata(again, metadata[i].key), metadata[i].value), "metadata");
    tl_safetensors_close(again);
    free(metadata);
}

int tl_fuzz_safetensors(const uint8_t *bytes, size_t size) {
    fuzz_bytes in = fuzz_bytes_of(bytes, size);
    const unsigned choice = fuzz_byte(&in);
    fuzz_part file = fuzz_tensors(&in, choice);
    tl_error error = {""};
    tl_safetensors *open = tl_safetensors_open(fuzz_file("a.safetensors", file.bytes, file.size), &error);
    fuzz_outcome(open != NULL, &error);
    if (open) {
        tl_safetensors_item items[MOST];
        check_metadata(open);
        const long count = read_all(open, items, file.size);
        if (choice & 2) check_writing(open, items, count);
        for (long i = 0; i < count; i++) free(items[i].tensor.data);
        FUZZ_MUST(tl_safetensors_numel(open) >= 0, "numel");
    }
    tl_safetensors_close(open);
    free(file.bytes);
    return 0;
}

static void seeds(tl_fuzz_put *put, void *context) {
    static const struct {
        const char *header;
        size_t data;
    } files[] = {
        {"{}", 0},
        {"{\"__metadata__\":{\"k\":\"v\",\"a\":\"\\u00e9\"},\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_"
         "offsets\":[0,8]}}",
         8},
        {"{\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[2,3]},"
         "\"a\":{\"dtype\":\"BF16\",\"shape\":[1,1],\"data_offsets\":[0,2]}}",
         3},
        {"{\"a\":{\"dtype\":\"F64\",\"shape\":[1000000,0,1000000],\"data_offsets\":[0,0]},"
         "\"c\":{\"dtype\":\"F16\",\"shape\":[],\"data_offsets\":[0,2]}}",
         2},
        {"{\"a\":{\"dtype\":\"F4\",\"shape\":[3,2],\"data_offsets\":[0,3]},\"d\":{\"dtype\":\"F6_E2M3\","
         "\"shape\":[4],"
         "\"data_offsets\":[3,6]},\"e\":{\"dtype\":\"I64\",\"shape\":[1,1,1,1,1,1,1,1],\"data_offsets\":[6,"
         "14]}}",
         14},
        {"{\"a\":{\"dtype\":\"F64\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,"
         "18446744073709551615]}}",
         0},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        for (unsigned choice = 0; choice < 4; choice += 2)
            fuzz_put_header(put, context, choice, files[i].header, files[i].data);
    put(context, "\x03\x02\0\0\0\0\0\0\0{}", 11);
    put(context, "\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF{}", 11);
}

TL_FUZZ(safetensors, "io: safetensors files, read and written");
