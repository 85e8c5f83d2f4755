/* A vocabulary's file, and any line as ids and back. The input: the file, FUZZ_CUT, lines. */
#include "fuzz.h"

#include "base/utf8.h"

#include <tapeloom/text.h>

int tl_fuzz_vocab(const uint8_t *bytes, size_t size);

enum { MOST = 64 };

static void check_decode(const tl_vocab *vocab, const int *ids, long count) {
    char text[24];
    const size_t whole = tl_vocab_decode(vocab, ids, count, NULL, 0);
    for (size_t room = 0; room <= sizeof text; room += 5) {
        memset(text, 'x', sizeof text);
        FUZZ_MUST(tl_vocab_decode(vocab, ids, count, text, room) == whole, "another length");
        for (size_t i = room; i < sizeof text; i++) FUZZ_MUST(text[i] == 'x', "written beyond %zu", room);
        if (room) FUZZ_MUST(memchr(text, 0, room), "no end in %zu", room);
    }
}

/* Ids of a line, and the line of these ids: its tokens, those that are unknown as <unk>. */
static void check_line(const tl_vocab *vocab, const char *line) {
    int ids[MOST];
    memset(ids, -1, sizeof ids);
    const long count = tl_vocab_encode(vocab, line, ids, MOST), written = count < MOST ? count : MOST;
    FUZZ_MUST(tl_vocab_encode(vocab, line, NULL, 0) == count, "another count");
    int *few = fuzz_memory((size_t)(written / 2) * sizeof *few); /* a room that is too small */
    FUZZ_MUST(tl_vocab_encode(vocab, line, few, written / 2) == count &&
                  !memcmp(few, ids, (size_t)(written / 2) * sizeof *few),
              "other ids in less room");
    free(few);
    const char *at = line, *token;
    size_t size, left = strlen(line);
    for (long i = 0; i < written; i++) {
        FUZZ_MUST(ids[i] >= TL_UNK && ids[i] < tl_vocab_size(vocab), "id %d", ids[i]);
        FUZZ_MUST((token = tl_text_token(at, left, &size)) != NULL, "fewer tokens than ids");
        const char *known = tl_vocab_token(vocab, ids[i]);
        if (ids[i] != TL_UNK)
            FUZZ_MUST(strlen(known) == size && !memcmp(known, token, size), "%s is another token", known);
        left -= (size_t)(token + size - at);
        at = token + size;
    }
    if (written == count) FUZZ_MUST(!tl_text_token(at, left, NULL), "more tokens than ids");
    check_decode(vocab, ids, written);
}

static void check_file(const tl_vocab *vocab) {
    size_t size;
    char *text = tl_vocab_text(vocab, &size);
    FUZZ_MUST(text && tl_utf8_valid(text, size) == size, "no text");
    tl_vocab *again = tl_vocab_parse("again", text, size);
    FUZZ_MUST(!tl_vocab_error(again) && tl_vocab_size(again) == tl_vocab_size(vocab), "%s",
              tl_vocab_error(again));
    for (int i = 0; i < tl_vocab_size(vocab); i++) {
        FUZZ_MUST(!strcmp(tl_vocab_token(vocab, i), tl_vocab_token(again, i)), "token %d", i);
        if (i >= TL_SPECIALS) FUZZ_MUST(tl_vocab_id(again, tl_vocab_token(vocab, i)) == i, "id %d", i);
    }
    tl_vocab_free(again);
    free(text);
}

int tl_fuzz_vocab(const uint8_t *bytes, size_t size) {
    fuzz_bytes in = fuzz_bytes_of(bytes, size);
    fuzz_part file = fuzz_next(&in);
    tl_vocab_counts *counts = tl_vocab_counts_new();
    tl_vocab *vocab = tl_vocab_parse("v\x1B\xFF.txt", file.bytes, file.size);
    FUZZ_MUST(tl_vocab_size(vocab) >= TL_SPECIALS, "no specials");
    if (tl_vocab_error(vocab))
        fuzz_message(tl_vocab_error(vocab));
    else
        check_file(vocab);
    const fuzz_bytes lines = in;
    while (!fuzz_ended(&in)) {
        char *line = fuzz_string(&in);
        check_line(vocab, line);
        FUZZ_MUST(tl_vocab_counts_add(counts, line), "out of memory");
        free(line);
    }
    tl_vocab_free(vocab);
    vocab = tl_vocab_new(counts, NULL);
    FUZZ_MUST(!tl_vocab_error(vocab), "%s", tl_vocab_error(vocab));
    check_file(vocab);
    for (in = lines; !fuzz_ended(&in);) {
        char *line = fuzz_string(&in);
        check_line(vocab, line);
        free(line);
    }
    const int foreign[] = {-1, 0, 1, 3, 1 << 30, 4, 2, 5};
    check_decode(vocab, foreign, 8);
    tl_vocab_free(vocab);
    tl_vocab_counts_free(counts);
    free(file.bytes);
    return 0;
}

static void seeds(tl_fuzz_put *put, void *context) {
    static const char *const texts[] = {
        "tapeloom-vocab 1 6\n<pad>\n<bos>\n<eos>\n<unk>\nthe\ndog\n" FUZZ_CUT
        "the  dog\tsleeps <eos>" FUZZ_CUT "",
        "tapeloom-vocab 1 4\n<pad>\n<bos>\n<eos>\n<unk>\n" FUZZ_CUT "\xC3\xA4 \xE3\x80\x80 \xE4\xBD\xA0 \xFF",
        "tapeloom-vocab 1 5\n<pad>\n<bos>\n<eos>\n<unk>\nthe\nthe\n",
        "tapeloom-vocab 2 999999999\n" FUZZ_CUT "a b c a b a a",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) put(context, texts[i], strlen(texts[i]));
}

TL_FUZZ(vocab, "text: a vocabulary's file, lines to ids and back");
