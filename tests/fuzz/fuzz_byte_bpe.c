/* Byte-level byte pairs: GPT-2's two files, any bytes as ids and back, and encodings that are learnt from the input.
 * The input: a byte that chooses, and then either vocab.json, FUZZ_CUT, merges.txt, FUZZ_CUT, text; or two texts. */
#include "fuzz.h"

#include <tapeloom/text.h>

int tl_fuzz_byte_bpe(const uint8_t *bytes, size_t size);

static const char *const specials[] = {"<|end|>", "<|", NULL};

static void check_decode(const tl_byte_bpe *bpe, const int *ids, long count, const char *bytes, size_t size) {
    FUZZ_MUST(tl_byte_bpe_decode(bpe, ids, count, NULL, 0) == size, "another length");
    char *back = fuzz_memory(size + 1);
    FUZZ_MUST(tl_byte_bpe_decode(bpe, ids, count, back, size + 1) == size && !memcmp(back, bytes, size) &&
                  !back[size],
              "decoded otherwise");
    free(back);
    if (size > 3) { /* with less room: whole tokens, and an end */
        back = fuzz_memory(size / 2);
        FUZZ_MUST(tl_byte_bpe_decode(bpe, ids, count, back, size / 2) == size, "another length in less room");
        FUZZ_MUST(memchr(back, 0, size / 2) || size / 2 == 0, "no end");
        free(back);
    }
}

static void check_text(tl_byte_bpe *bpe, fuzz_part text) {
    int *ids = fuzz_memory((text.size + 1) * sizeof *ids);
    for (int special = 0; special < 2; special++) {
        const long count = special
                               ? tl_byte_bpe_encode_special(bpe, text.bytes, text.size, ids, (long)text.size)
                               : tl_byte_bpe_encode(bpe, text.bytes, text.size, ids, (long)text.size);
        FUZZ_MUST(count >= 0 && count <= (long)text.size, "%ld ids of %zu bytes", count, text.size);
        for (long i = 0; i < count; i++) {
            size_t size;
            const char *token = tl_byte_bpe_token(bpe, ids[i], &size);
            FUZZ_MUST(token && size > 0, "id %d", ids[i]);
        }
        FUZZ_MUST((special ? tl_byte_bpe_encode_special(bpe, text.bytes, text.size, NULL, 0)
                           : tl_byte_bpe_encode(bpe, text.bytes, text.size, NULL, 0)) == count,
                  "another count");
        check_decode(bpe, ids, count, text.bytes, text.size);
        int *few = fuzz_memory((size_t)(count / 2) * sizeof *few); /* a room that is too small */
        if (special)
            tl_byte_bpe_encode_special(bpe, text.bytes, text.size, few, count / 2);
        else
            tl_byte_bpe_encode(bpe, text.bytes, text.size, few, count / 2);
        FUZZ_MUST(!memcmp(few, ids, (size_t)(count / 2) * sizeof *few), "other ids in less room");
        free(few);
    }
    free(ids);
    char foreign[64];
    const int unknown[] = {-1, 1 << 30, 0, (int)tl_byte_bpe_size(bpe)};
    (void)tl_byte_bpe_decode(bpe, unknown, 4, foreign, sizeof foreign);
}

/* Written to its two files, and read again: the same ids. */
static void check_files(tl_byte_bpe *bpe, fuzz_part text, const char *const *special) {
    tl_byte_bpe_files files = {.vocab_name = "vocab.json", .merges_name = "merges.txt", .specials = special};
    char *vocab = tl_byte_bpe_vocab_text(bpe, &files.vocab_size),
         *merges = tl_byte_bpe_merges_text(bpe, &files.merges_size);
    FUZZ_MUST(vocab && merges, "no text");
    files.vocab = vocab, files.merges = merges;
    tl_byte_bpe *again = tl_byte_bpe_parse(&files);
    FUZZ_MUST(again && !tl_byte_bpe_error(again), "%s", tl_byte_bpe_error(again));
    FUZZ_MUST(tl_byte_bpe_size(again) == tl_byte_bpe_size(bpe) &&
                  tl_byte_bpe_merges(again) == tl_byte_bpe_merges(bpe),
              "another encoding");
    int *a = fuzz_memory((text.size + 1) * sizeof *a), *b = fuzz_memory((text.size + 1) * sizeof *b);
    const long n = tl_byte_bpe_encode_special(bpe, text.bytes, text.size, a, (long)text.size),
               m = tl_byte_bpe_encode_special(again, text.bytes, text.size, b, (long)text.size);
    FUZZ_MUST(n == m && n >= 0 && !memcmp(a, b, (size_t)n * sizeof *a), "other ids");
    free(a), free(b);
    tl_byte_bpe_free(again);
    free(vocab), free(merges);
}

/* The files of 256 bytes and a few merges, as a seed and as what a short input's merges stand on. */
static tl_byte_bpe *learnt(const char *text, size_t size, long merges) {
    return tl_byte_bpe_learn(
        text, size, &(tl_byte_bpe_config){.merges = merges, .min_frequency = 1, .specials = specials});
}

int tl_fuzz_byte_bpe(const uint8_t *bytes, size_t size) {
    fuzz_bytes in = fuzz_bytes_of(bytes, size);
    const unsigned choice = fuzz_byte(&in);
    if (choice & 1) {
        fuzz_part taught = fuzz_next(&in), text = fuzz_rest(&in);
        tl_byte_bpe *bpe = learnt(taught.bytes, taught.size, 1 + choice % 60);
        FUZZ_MUST(bpe && !tl_byte_bpe_error(bpe), "%s", tl_byte_bpe_error(bpe));
        check_text(bpe, text);
        check_files(bpe, text, specials);
        tl_byte_bpe_free(bpe);
        free(taught.bytes), free(text.bytes);
        return 0;
    }
    fuzz_part vocab = fuzz_next(&in), merges = fuzz_next(&in), text = fuzz_rest(&in);
    const tl_byte_bpe_files files = {.vocab_name = "v\x1B\xFF.json",
                                     .vocab = vocab.bytes,
                                     .vocab_size = vocab.size,
                                     .merges_name = "merges.txt",
                                     .merges = merges.bytes,
                                     .merges_size = merges.size,
                                     .specials = choice & 2 ? specials : NULL};
    tl_byte_bpe *bpe = tl_byte_bpe_parse(&files);
    FUZZ_MUST(bpe, "out of memory");
    if (tl_byte_bpe_error(bpe)) {
        fuzz_message(tl_byte_bpe_error(bpe));
        FUZZ_MUST(tl_byte_bpe_encode(bpe, "a", 1, NULL, 0) == -1 && !tl_byte_bpe_size(bpe),
                  "use after a failure");
    } else {
        check_text(bpe, text);
        check_files(bpe, text, files.specials);
    }
    tl_byte_bpe_free(bpe);
    free(vocab.bytes), free(merges.bytes), free(text.bytes);
    return 0;
}

static void seeds(tl_fuzz_put *put, void *context) {
    static const char *const texts[] = {
        "1the cat sat on the mat, the cat" FUZZ_CUT
        "the cat's 123 <|end|> <|x \xC3\xA4\xE4\xBD\xA0\xFF\n\n  x",
        "9aaaaaaaaaaaaaaaa" FUZZ_CUT "aaaaaaaaaaaaaaaaa",
        "0{\"a\": 0, \"b\": 1}" FUZZ_CUT "#version: 0.2\na b\n" FUZZ_CUT "ab",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) put(context, texts[i], strlen(texts[i]));
    tl_byte_bpe *bpe = learnt("the cat the mat", 15, 4);
    size_t vocab_size, merges_size;
    char *vocab = tl_byte_bpe_vocab_text(bpe, &vocab_size),
         *merges = tl_byte_bpe_merges_text(bpe, &merges_size);
    char *seed = fuzz_memory(vocab_size + merges_size + 16);
    seed[0] = '2'; /* with special tokens */
    memcpy(seed + 1, vocab, vocab_size);
    seed[1 + vocab_size] = (char)FUZZ_END;
    memcpy(seed + 2 + vocab_size, merges, merges_size);
    seed[2 + vocab_size + merges_size] = (char)FUZZ_END;
    memcpy(seed + 3 + vocab_size + merges_size, "the <|end|>", 11);
    put(context, seed, 14 + vocab_size + merges_size);
    free(seed), free(vocab), free(merges);
    tl_byte_bpe_free(bpe);
}

TL_FUZZ(byte_bpe, "text: byte-level byte pairs: vocab.json, merges.txt, encoding, learning");
