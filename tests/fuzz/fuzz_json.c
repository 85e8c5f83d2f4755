/* JSON: any bytes as a document, read by a caller that takes whatever may come; and strings that are written and read
 * again. The reader has no numbers but whole ones, and no true, false or null, because no file of the library has. */
#include "fuzz.h"

#include "base/json.h"
#include "base/utf8.h"

#include <stdio.h>

int tl_fuzz_json(const uint8_t *bytes, size_t size);

enum { DEEPEST = 64 };

static tl_json reader_of(const char *text, size_t size, bool lines, tl_error *error) {
    return (tl_json){.text = text,
                     .size = size,
                     .path = "a\x1b[31m\xFF.json",
                     .base = 8,
                     .document = "the document",
                     .advice = "write it anew",
                     .lines = lines,
                     .error = error};
}

static void check_place(const tl_json *r, size_t before) {
    FUZZ_MUST(r->at >= before && r->at <= r->size, "at %zu of %zu", r->at, r->size);
}

/* What has been read is text, and reads back from what tl_json_add_string makes of it. */
static void check_string(const char *text) {
    tl_error error = {""};
    tl_buffer b = {0};
    char *again;
    FUZZ_MUST(tl_utf8_valid(text, strlen(text)) == strlen(text), "a string that is not UTF-8");
    FUZZ_MUST(tl_json_add_string(&b, text), "out of memory");
    tl_json r = reader_of(b.text, b.size, false, &error);
    FUZZ_MUST(tl_json_string(&r, &again) && tl_json_end(&r), "%s", error.message);
    FUZZ_MUST(!strcmp(text, again), "read back otherwise");
    free(again);
    tl_buffer_free(&b);
}

static bool take_value(tl_json *r, int depth);

static bool take_string(tl_json *r) {
    char *text;
    const bool ok = tl_json_string(r, &text);
    FUZZ_MUST(ok == (text != NULL), "a string and a failure");
    if (ok) check_string(text);
    free(text);
    return ok;
}

static bool take_list(tl_json *r, char end, int depth) {
    if (tl_json_next(r, end)) return true;
    do {
        const size_t before = r->at;
        if (end == '}' && (!take_string(r) || !tl_json_expect(r, ':', "':' after a name"))) return false;
        if (!take_value(r, depth + 1)) return false;
        check_place(r, before);
    } while (tl_json_next(r, ','));
    return tl_json_expect(r, end, "',' or the end");
}

static bool take_value(tl_json *r, int depth) {
    uint64_t number;
    if (depth > DEEPEST) return tl_json_fail(r, r->at, "deeper than %d", DEEPEST);
    if (tl_json_next(r, '{')) return take_list(r, '}', depth);
    if (tl_json_next(r, '[')) return take_list(r, ']', depth);
    tl_json_skip(r);
    if (r->at < r->size && r->text[r->at] == '"') return take_string(r);
    const size_t from = r->at;
    if (!tl_json_whole(r, &number)) return false;
    char text[32];
    const int length = snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    FUZZ_MUST((size_t)length == r->at - from && !memcmp(text, r->text + from, (size_t)length),
              "%s is not what was read", text);
    return true;
}

int tl_fuzz_json(const uint8_t *bytes, size_t size) {
    fuzz_bytes in = fuzz_bytes_of(bytes, size);
    const bool lines = fuzz_byte(&in) & 1;
    fuzz_part text = fuzz_rest(&in);
    tl_error error = {""};
    tl_json r = reader_of(text.bytes, text.size, lines, &error);
    const bool ok = take_value(&r, 0) && tl_json_end(&r);
    check_place(&r, 0);
    fuzz_outcome(ok, &error);
    if (ok) FUZZ_MUST(tl_utf8_valid(text.bytes, text.size) == text.size, "a document that is not UTF-8");
    char *string = fuzz_string_of(text.bytes, text.size);
    if (tl_utf8_valid(string, strlen(string)) == strlen(string)) check_string(string);
    free(string);
    free(text.bytes);
    return 0;
}

static void seeds(tl_fuzz_put *put, void *context) {
    static const char *const texts[] = {
        "0{\"__metadata__\":{\"k\":\"v\"},\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}}",
        "1{\n \"\\ud83d\\ude00\\u00e9\\/\\b\\f\\n\\r\\t\\\\\\\"\" : [ ] , \"b\" : 18446744073709551615 }\n",
        "0[[[[[[[[]]]]]]]]",
        "0\"\\ud83d\\ud83d\\ude00\"",
        "0\"\\u0000\"",
        "1\"\xC3\xA4\xE4\xBD\xA0\xF0\x9F\x98\x80\"",
        "018446744073709551616",
        "000",
        "1{\"a\":1.5}",
        "1{\"a\"",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) put(context, texts[i], strlen(texts[i]));
}

TL_FUZZ(json, "base: the JSON reader and writer");
