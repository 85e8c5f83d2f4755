/* Corpus BLEU, sacreBLEU's numbers: clipped n-gram matches are summed over all sentences, and only at the
 * end
 *
 *     BLEU = BP · exp( ¼ · Σ over n = 1…4 of ln p_n ),   p_n = 100 · matched_n / total_n
 *     BP   = 1 if the hypotheses are at least as long as the references, else exp(1 - ref/hyp)
 *
 * An order with n-grams but no match counts 1/2, then 1/4 … of a match (Chen and Cherry 2014, method 3).
 * An order without any n-gram makes the score 0.
 *
 * N-grams become numbers: a 1-gram is its word's number, an n-gram the number of the pair (its first n-1
 * words, its last word). Then counting needs no comparison of word sequences and takes time in proportion
 * to the sentence. */
#include "tapeloom/text.h"
#include "memory.h"
#include "table.h"

#include <math.h>

/* One sentence of either kind: its words' numbers, and the n-gram that begins at each word. */
typedef struct sentence {
    long *word, *gram;
    size_t word_room, gram_room;
    long words;
} sentence;

struct tl_bleu {
    tl_error error;
    tl_bleu_score sums; /* matched, total and the lengths; the rest is computed on request */
    sentence hyp, ref;
    tl_table grams; /* of the order in work */
    long *left;     /* [grams.count] how often the n-gram is in the reference and not matched yet */
    size_t left_room;
};

tl_bleu *tl_bleu_new(const tl_bleu_config *config) {
    tl_bleu *bleu = calloc(1, sizeof *bleu);
    if (bleu && config) bleu->sums.config = *config;
    return bleu;
}

void tl_bleu_free(tl_bleu *bleu) {
    if (!bleu) return;
    free(bleu->hyp.word);
    free(bleu->hyp.gram);
    free(bleu->ref.word);
    free(bleu->ref.gram);
    free(bleu->left);
    tl_table_free(&bleu->grams);
    free(bleu);
}

const char *tl_bleu_error(const tl_bleu *bleu) {
    if (!bleu) return "bleu: out of memory";
    return tl_failed(&bleu->error) ? bleu->error.message : NULL;
}

/* The n-gram's number; a new one has nothing left to match. -1 when out of memory. */
static long number_of(tl_bleu *bleu, tl_span key) {
    if (!TL_RESERVE(bleu->left, bleu->left_room, (size_t)bleu->grams.count + 1)) return -1;
    long before = bleu->grams.count, number = tl_table_add(&bleu->grams, key);
    if (number == before) bleu->left[number] = 0;
    return number;
}

static bool number_words(tl_bleu *bleu, sentence *s, tl_span text) {
    s->words = 0;
    for (tl_span token; tl_next_token(&text, &token); s->words++) {
        if (!TL_RESERVE(s->word, s->word_room, (size_t)s->words + 1) ||
            !TL_RESERVE(s->gram, s->gram_room, (size_t)s->words + 1))
            return false;
        long number = number_of(bleu, token);
        if (number < 0) return false;
        s->word[s->words] = s->gram[s->words] = number;
    }
    return true;
}

/* From the (n-1)-grams to the n-grams, n ≥ 2. */
static bool number_grams(tl_bleu *bleu, sentence *s, long n) {
    for (long i = 0; i + n <= s->words; i++) {
        long pair[2] = {s->gram[i], s->word[i + n - 1]};
        if ((s->gram[i] = number_of(bleu, (tl_span){(const char *)pair, sizeof pair})) < 0) return false;
    }
    return true;
}

/* Each n-gram of the hypothesis takes one of the same n-grams that the reference has left: the clipped
 * count. */
static void match(tl_bleu *bleu, long n, tl_bleu_score *sums) {
    for (long i = 0; i + n <= bleu->ref.words; i++) bleu->left[bleu->ref.gram[i]]++;
    for (long i = 0; i + n <= bleu->hyp.words; i++) {
        long *left = &bleu->left[bleu->hyp.gram[i]];
        sums->total[n - 1]++;
        if (*left > 0) {
            sums->matched[n - 1]++;
            --*left;
        }
    }
}

static bool add(tl_bleu *bleu, tl_span hypothesis, tl_span reference, tl_bleu_score *sums) {
    tl_table_clear(&bleu->grams);
    if (!number_words(bleu, &bleu->hyp, hypothesis) || !number_words(bleu, &bleu->ref, reference))
        return false;
    match(bleu, 1, sums);
    for (long n = 2; n <= TL_BLEU_ORDER; n++) {
        tl_table_clear(&bleu->grams);
        if (!number_grams(bleu, &bleu->hyp, n) || !number_grams(bleu, &bleu->ref, n)) return false;
        match(bleu, n, sums);
    }
    sums->hyp_length += bleu->hyp.words;
    sums->ref_length += bleu->ref.words;
    return true;
}

bool tl_bleu_add(tl_bleu *bleu, const char *hypothesis, const char *reference) {
    if (tl_bleu_error(bleu)) return false;
    tl_bleu_score sums = bleu->sums;
    if (!add(bleu, tl_span_of(hypothesis), tl_span_of(reference), &sums))
        return tl_error_set(&bleu->error, "bleu: out of memory in a sentence of %ld and %ld tokens",
                            bleu->hyp.words, bleu->ref.words);
    bleu->sums = sums;
    return true;
}

tl_bleu_score tl_bleu_result(const tl_bleu *bleu) {
    tl_bleu_score s = bleu ? bleu->sums : (tl_bleu_score){0};
    double log_sum = 0, share = 1; /* share of a match that the next order without one counts */
    bool any = false, all = true;
    s.brevity = s.hyp_length == 0             ? (s.ref_length == 0 ? 1 : 0)
                : s.hyp_length < s.ref_length ? exp(1 - (double)s.ref_length / (double)s.hyp_length)
                                              : 1;
    for (int n = 0; n < TL_BLEU_ORDER; n++) any = any || s.matched[n] > 0;
    for (int n = 0; n < TL_BLEU_ORDER && any; n++) {
        if (s.total[n] == 0) {
            all = false;
            break;
        }
        double matched = s.matched[n] > 0 ? (double)s.matched[n] : (share /= 2);
        s.precision[n] = 100 * matched / (double)s.total[n];
        log_sum += log(s.precision[n]);
    }
    s.score = any && all ? s.brevity * exp(log_sum / TL_BLEU_ORDER) : 0;
    return s;
}

char *tl_bleu_text(const tl_bleu_score *score, char text[TL_BLEU_TEXT]) {
    static const tl_bleu_score nothing = {0};
    const tl_bleu_score *s = score ? score : &nothing;
    double ratio = s->ref_length > 0 ? (double)s->hyp_length / (double)s->ref_length : 0;
    snprintf(text, TL_BLEU_TEXT,
             "BLEU|nrefs:1|case:mixed|eff:no|tok:none|smooth:exp|version:tapeloom = %.2f %.1f/%.1f/%.1f/%.1f "
             "(BP = %.3f ratio = %.3f hyp_len = %ld ref_len = %ld)",
             s->score, s->precision[0], s->precision[1], s->precision[2], s->precision[3], s->brevity, ratio,
             s->hyp_length, s->ref_length);
    return text;
}
