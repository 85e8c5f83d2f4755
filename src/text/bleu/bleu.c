/* Corpus BLEU, with sacreBLEU's numbers: clipped n-gram matches are summed over all sentences; from the sums
 *
 *     BLEU = BP · exp( ¼ · Σ over n = 1…4 of ln p_n ),   p_n = 100 · matched_n / total_n
 *     BP   = 1 if the hypotheses are at least as long as the references, else exp(1 - ref/hyp)
 *
 * The first order with n-grams but no match counts as 1/2 match, the next as 1/4, and so on (Chen and Cherry 2014,
 * method 3). An order without any n-gram makes the score 0.
 *
 * tokens.c cuts lines into tokens; grams.c counts n-grams. */
#include "tapeloom/text.h"
#include "base/format.h"
#include "grams.h"
#include "tokens.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct tl_bleu {
    tl_error error;
    tl_bleu_score sums; /* matched, total and the lengths; the rest is computed from these */
    tl_bleu_cutter cutter;
    tl_grams grams;
};

tl_bleu *tl_bleu_new(const tl_bleu_config *config) {
    tl_bleu *bleu = calloc(1, sizeof *bleu);
    if (!bleu || !config) return bleu;
    bleu->sums.config = *config;
    if ((unsigned)config->tokens > TL_BLEU_CHAR)
        tl_error_set(&bleu->error, "bleu: config.tokens is %d: say TL_BLEU_NONE, _13A, _ZH or _CHAR",
                     (int)config->tokens);
    return bleu;
}

void tl_bleu_free(tl_bleu *bleu) {
    if (!bleu) return;
    tl_bleu_cutter_free(&bleu->cutter);
    tl_grams_free(&bleu->grams);
    free(bleu);
}

const char *tl_bleu_error(const tl_bleu *bleu) {
    if (!bleu) return "bleu: out of memory";
    return tl_failed(&bleu->error) ? bleu->error.message : NULL;
}

static bool add_tokens(tl_bleu *bleu, tl_grams_side *side, const char *line) {
    tl_span rest;
    if (!tl_bleu_cut(&bleu->cutter, &bleu->sums.config, tl_span_of(line), &rest)) return false;
    for (tl_span token; tl_next_token(&rest, &token);)
        if (!tl_grams_add(&bleu->grams, side, token)) return false;
    return true;
}

bool tl_bleu_add(tl_bleu *bleu, const char *hypothesis, const char *reference) {
    if (tl_bleu_error(bleu)) return false;
    tl_grams *grams = &bleu->grams;
    tl_grams_count counts[TL_BLEU_ORDER];
    tl_grams_clear(grams);
    if (!add_tokens(bleu, &grams->hyp, hypothesis) || !add_tokens(bleu, &grams->ref, reference) ||
        !tl_grams_match(grams, TL_BLEU_ORDER, counts))
        return tl_error_set(&bleu->error, "bleu: out of memory in a sentence of %ld and %ld tokens",
                            grams->hyp.units, grams->ref.units);
    for (int n = 0; n < TL_BLEU_ORDER; n++) {
        bleu->sums.matched[n] += counts[n].matched;
        bleu->sums.total[n] += counts[n].hyp;
    }
    bleu->sums.hyp_length += grams->hyp.units;
    bleu->sums.ref_length += grams->ref.units;
    return true;
}

tl_bleu_score tl_bleu_result(const tl_bleu *bleu) {
    tl_bleu_score s = bleu ? bleu->sums : (tl_bleu_score){0};
    double log_sum = 0, share = 1; /* share: the part of a match that an order without one counts as */
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
    if (!text) return NULL;
    tl_format(text, TL_BLEU_TEXT,
              "BLEU|nrefs:1|case:%s|eff:no|tok:%s|smooth:exp|version:tapeloom = %.2f %.1f/%.1f/%.1f/%.1f "
              "(BP = %.3f ratio = %.3f hyp_len = %ld ref_len = %ld)",
              s->config.lowercase ? "lc" : "mixed", tl_bleu_tokens_name(s->config.tokens), s->score,
              s->precision[0], s->precision[1], s->precision[2], s->precision[3], s->brevity, ratio,
              s->hyp_length, s->ref_length);
    return text;
}
