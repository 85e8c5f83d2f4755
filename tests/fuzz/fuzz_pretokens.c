/* Raw text cut into tokens and joined again, byte for byte; BLEU and chrF of any two lines. */
#include "fuzz.h"

#include "base/utf8.h"

#include <tapeloom/text.h>

int tl_fuzz_pretokens(const uint8_t *bytes, size_t size);

static void check_cut(tl_pretokens kind, const char *line) {
    char *tokens = tl_pretokens_cut(kind, line), *back = tl_pretokens_join(kind, tokens);
    FUZZ_MUST(tokens && back && !strcmp(back, line), "kind %d: \"%s\" becomes \"%s\" becomes \"%s\"",
              (int)kind, line, tokens, back);
    if (kind != TL_PRETOKENS_NONE && tl_utf8_valid(line, strlen(line)) == strlen(line))
        FUZZ_MUST(tl_utf8_valid(tokens, strlen(tokens)) == strlen(tokens), "tokens that are not UTF-8");
    free(back);
    back = tl_pretokens_join(kind, line); /* tokens that no cut gives */
    FUZZ_MUST(back, "out of memory");
    free(back), free(tokens);
}

static void check_score(const char *hypothesis, const char *reference, tl_bleu_config config) {
    char text[TL_BLEU_TEXT];
    tl_bleu *bleu = tl_bleu_new(&config);
    FUZZ_MUST(tl_bleu_add(bleu, hypothesis, reference) && !tl_bleu_error(bleu), "out of memory");
    const tl_bleu_score score = tl_bleu_result(bleu);
    FUZZ_MUST(score.score >= 0 && score.score <= 100 + 1e-9 && score.brevity >= 0 && score.brevity <= 1,
              "BLEU %g, brevity %g", score.score, score.brevity);
    for (int n = 0; n < TL_BLEU_ORDER; n++)
        FUZZ_MUST(score.matched[n] >= 0 && score.matched[n] <= score.total[n] &&
                      score.total[n] == (score.hyp_length > n ? score.hyp_length - n : 0),
                  "%ld of %ld %d-grams", score.matched[n], score.total[n], n + 1);
    if (!strcmp(hypothesis, reference))
        FUZZ_MUST(score.matched[0] == score.total[0] && score.hyp_length == score.ref_length &&
                      (score.hyp_length < 4 || score.score > 100 - 1e-9),
                  "the same line: BLEU %g", score.score);
    FUZZ_MUST(memchr(tl_bleu_text(&score, text), 0, sizeof text), "no end");
    tl_bleu_free(bleu);
}

static void check_chrf(const char *hypothesis, const char *reference, bool lowercase) {
    tl_chrf *chrf = tl_chrf_new(lowercase);
    FUZZ_MUST(tl_chrf_add(chrf, hypothesis, reference) && !tl_chrf_error(chrf), "out of memory");
    const double score = tl_chrf_result(chrf);
    FUZZ_MUST(score >= 0 && score <= 100 + 1e-9, "chrF %g", score);
    tl_chrf_free(chrf);
}

int tl_fuzz_pretokens(const uint8_t *bytes, size_t size) {
    fuzz_bytes in = fuzz_bytes_of(bytes, size);
    const unsigned choice = fuzz_byte(&in);
    char *line = fuzz_string(&in), *other = fuzz_string(&in);
    for (int kind = TL_PRETOKENS_NONE; kind <= TL_PRETOKENS_CHARACTERS; kind++)
        check_cut((tl_pretokens)kind, line);
    const tl_bleu_config config = {.tokens = (tl_bleu_tokens)(choice % 4), .lowercase = choice / 4 % 2 != 0};
    check_score(line, other, config);
    check_score(line, line, config);
    check_chrf(line, choice & 8 ? line : other, config.lowercase);
    free(other), free(line);
    return 0;
}

static void seeds(tl_fuzz_put *put, void *context) {
    static const char *const texts[] = {
        "1Hello, world! It's 3.14 (or 1,000).  two  spaces\t" FUZZ_CUT "Hello world, it is 3.14.",
        "2\xEF\xBF\xAD \xE2\x96\x81 \xE4\xBD\xA0\xE5\xA5\xBD\xEF\xBC\x8C\xE4\xB8\x96\xE7\x95\x8C" FUZZ_CUT
        "\xE4\xBD\xA0\xE5\xA5\xBD",
        "3"
        "a\xEF\xBF\xAD ,b \xEF\xBF\xAD" FUZZ_CUT "&quot;x&amp;y&lt;&gt; <skipped> a-\nb -5-3",
        "5 \xC2\xA0lead \xFF\xC3 trail \xE2\x80\xA8 " FUZZ_CUT "the cat sat on the mat the cat sat",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) put(context, texts[i], strlen(texts[i]));
}

TL_FUZZ(pretokens, "text: pre-tokens, BLEU, chrF");
