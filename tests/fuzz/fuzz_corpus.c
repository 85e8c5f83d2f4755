/* Texts of sentences: pairs, labelled sentences, lines, two files side by side; labels; batches. Every line is kept or
 * counted as skipped, what is kept is text, and every sentence comes once an epoch. */
#include "fuzz.h"

#include "base/utf8.h"

#include <tapeloom/text.h>

int tl_fuzz_corpus(const uint8_t *bytes, size_t size);

static void check_report(const tl_corpus *corpus, bool ok) {
    const tl_corpus_report *report = tl_corpus_last_report(corpus);
    char text[TL_REPORT_TEXT];
    long skipped = 0;
    for (int kind = 0; kind < TL_SKIP_KINDS; kind++) {
        skipped += report->skipped[kind].count;
        for (int i = 0; i < TL_REPORT_LINES; i++) {
            const long line = report->skipped[kind].line[i];
            FUZZ_MUST(line >= 0 && line <= report->lines && !line == (i >= report->skipped[kind].count),
                      "line %ld of %ld", line, report->lines);
        }
    }
    tl_corpus_report_text(report, text);
    FUZZ_MUST(memchr(text, 0, sizeof text) && text[strlen(text) - 1] == '\n', "no line end in %s", text);
    FUZZ_MUST(tl_utf8_valid(text, strlen(text)) == strlen(text), "a report that is not UTF-8");
    if (ok)
        FUZZ_MUST(report->pairs + skipped == report->lines && report->pairs == tl_corpus_size(corpus) &&
                      report->pairs > 0,
                  "%ld pairs, %ld skipped of %ld lines", report->pairs, skipped, report->lines);
    else
        fuzz_message(tl_corpus_error(corpus));
}

static void check_sentences(const tl_corpus *corpus) {
    for (long i = 0; i < tl_corpus_size(corpus); i++)
        for (int side = 0; side < 2; side++) {
            const char *text = tl_corpus_sentence(corpus, (tl_side)side, i);
            FUZZ_MUST(tl_utf8_valid(text, strlen(text)) == strlen(text) && !strpbrk(text, "\n"),
                      "sentence %ld is no line of text", i);
        }
}

static void check_batches(const tl_corpus *corpus, unsigned how) {
    const long count = tl_corpus_size(corpus);
    const tl_batches_config config = {.tokens = how & 4 ? 0 : 1 + how % 50,
                                      .max_sentences = how & 8 ? 0 : 3,
                                      .order = (tl_batches_order)(how % 3),
                                      .seed = how};
    tl_batches *batches = tl_batches_new(corpus, &config);
    FUZZ_MUST(batches && !tl_batches_error(batches), "%s", tl_batches_error(batches));
    bool *seen = fuzz_memory((size_t)count * sizeof *seen);
    for (int epoch = 0; epoch < 2; epoch++) {
        tl_batch batch;
        long sentences = 0;
        memset(seen, 0, (size_t)count * sizeof *seen);
        while (tl_batches_next(batches, &batch)) {
            for (long b = 0; b < batch.sentences; b++) {
                const long i = batch.index[b];
                FUZZ_MUST(i >= 0 && i < count && !seen[i], "sentence %ld", i);
                seen[i] = true;
                FUZZ_MUST(batch.src_lengths[b] <= batch.src_len && batch.tgt_lengths[b] <= batch.tgt_len,
                          "sentence %ld is longer than its batch", i);
                for (long t = 0; t < batch.src_len; t++)
                    FUZZ_MUST((batch.src[b * batch.src_len + t] == batch.pad) == (t >= batch.src_lengths[b]),
                              "padding of sentence %ld", i);
            }
            sentences += batch.sentences;
        }
        FUZZ_MUST(sentences == count && !tl_batches_error(batches), "%ld of %ld", sentences, count);
    }
    free(seen);
    tl_batches_free(batches);
}

static void check_labels(const tl_corpus *corpus) {
    tl_labels *labels = tl_labels_new(corpus), *again;
    size_t size;
    if (tl_labels_error(labels)) {
        fuzz_message(tl_labels_error(labels));
    } else {
        char *text = tl_labels_text(labels, &size);
        again = tl_labels_parse("labels.txt", text, size);
        FUZZ_MUST(!tl_labels_error(again), "%s\n%s", tl_labels_error(again), text);
        FUZZ_MUST(tl_labels_count(again) == tl_labels_count(labels), "other labels");
        for (long i = 0; i < tl_labels_count(labels); i++)
            FUZZ_MUST(tl_labels_find(again, tl_labels_name(labels, i)) == i, "label %ld", i);
        tl_labels_free(again);
        free(text);
    }
    tl_labels_free(labels);
}

static void check_use(tl_corpus *corpus, unsigned how) {
    tl_vocab_counts *counts = tl_vocab_counts_new();
    FUZZ_MUST(tl_corpus_count(corpus, TL_SOURCE, counts) && tl_corpus_count(corpus, TL_TARGET, counts),
              "count");
    tl_vocab *vocab =
        tl_vocab_new(counts, &(tl_vocab_config){.min_count = how & 1, .max_size = how & 2 ? 8 : 0});
    tl_vocab_counts_free(counts);
    FUZZ_MUST(!tl_vocab_error(vocab), "%s", tl_vocab_error(vocab));
    FUZZ_MUST(tl_corpus_encode(corpus, vocab, vocab), "%s", tl_corpus_error(corpus));
    for (long i = 0; i < tl_corpus_size(corpus); i++)
        for (int side = 0; side < 2; side++) {
            long n;
            const int *ids = tl_corpus_ids(corpus, (tl_side)side, i, &n);
            for (long k = 0; k < n; k++)
                FUZZ_MUST(ids[k] >= TL_UNK && ids[k] < tl_vocab_size(vocab), "id %d", ids[k]);
        }
    check_batches(corpus, how);
    const long count = tl_corpus_size(corpus);
    bool *keep = fuzz_memory((size_t)count * sizeof *keep);
    long kept = 0;
    for (long i = 0; i < count; i++) kept += keep[i] = (i * 7 + how) % 3 > 0;
    FUZZ_MUST(tl_corpus_keep(corpus, keep) && tl_corpus_size(corpus) == kept, "kept %ld", kept);
    check_sentences(corpus);
    free(keep);
    tl_vocab_free(vocab);
}

int tl_fuzz_corpus(const uint8_t *bytes, size_t size) {
    fuzz_bytes in = fuzz_bytes_of(bytes, size);
    const unsigned kind = fuzz_byte(&in), how = fuzz_byte(&in);
    fuzz_part first = kind % 5 == 3 ? fuzz_next(&in) : fuzz_rest(&in), second = fuzz_rest(&in);
    const tl_corpus_config config = {.name = kind & 0x40 ? "a\x1B\xFF.tsv" : NULL,
                                     .max_tokens = kind & 0x20 ? how % 9 : 0,
                                     .strict = (kind & 0x80) != 0};
    tl_corpus *corpus = tl_corpus_new();
    bool ok = true;
    if (kind % 5 == 0) ok = tl_corpus_parse_tsv(corpus, first.bytes, first.size, &config);
    if (kind % 5 == 1) ok = tl_corpus_parse_labelled(corpus, first.bytes, first.size, &config);
    if (kind % 5 == 2) ok = tl_corpus_parse_lines(corpus, first.bytes, first.size, &config);
    if (kind % 5 == 3)
        ok = tl_corpus_parse_parallel(corpus, first.bytes, first.size, second.bytes, second.size, "b",
                                      &config);
    if (kind % 5 == 4) {
        tl_labels *labels = tl_labels_parse("labels.txt", first.bytes, first.size);
        size_t written;
        char *text = tl_labels_text(labels, &written);
        FUZZ_MUST(!text == (tl_labels_error(labels) != NULL), "a text and a failure");
        if (!text) fuzz_message(tl_labels_error(labels));
        FUZZ_MUST(!text || (written == first.size && !memcmp(text, first.bytes, written)),
                  "written otherwise");
        free(text);
        tl_labels_free(labels);
    } else {
        check_report(corpus, ok);
        FUZZ_MUST(ok || tl_corpus_size(corpus) == 0, "a failure that leaves pairs");
        check_sentences(corpus);
        if (ok && kind % 5 == 1) check_labels(corpus);
        if (ok) check_use(corpus, how);
    }
    tl_corpus_free(corpus);
    free(second.bytes), free(first.bytes);
    return 0;
}

static void seeds(tl_fuzz_put *put, void *context) {
    static const char *const texts[] = {
        "d0the dog sleeps\tle chien dort\nthe cat\tle chat\textra\r\n\nno tab\n\t\nx\ty",
        "\x80"
        "4\xEF\xBB\xBFone two\tun deux\n",
        "e0good\tthe dog sleeps\nbad\tthe dog sleep\n a b \tx\n",
        "f0one line\nanother line\n\xC3\xA4\xE4\xBD\xA0\n\xFF\n",
        "\x62"
        "5one\ntwo three\n\nfour" FUZZ_CUT "un\ndeux trois\n\nquatre\n",
        "\x63"
        "0one\ntwo" FUZZ_CUT "un\n",
        "\x04 tapeloom-labels 1 2\nbad\ngood\n",
        "\x04 tapeloom-labels 1 1\nx\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) put(context, texts[i], strlen(texts[i]));
}

TL_FUZZ(corpus, "text: pairs, labelled sentences, lines, two files, labels, batches");
