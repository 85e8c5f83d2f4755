/* Corpus chrF2, with sacreBLEU's numbers: for n = 1 … 6 the character n-grams of the hypotheses, of the references, and
 * those in both (clipped, as in BLEU) are summed over all sentences; from the sums
 *
 *     P, R  = means of matched_n / hypotheses_n and matched_n / references_n
 *     chrF2 = 100 · (1 + β²) · P·R / (β²·P + R),   β = 2
 *
 * with means over the orders for which both sides have n-grams (sacreBLEU's effective order). If a sentence's reference
 * is too short for an n-gram, its hypothesis's n-grams of that order do not count either. White space is removed before
 * n-grams are taken. */
#include "tapeloom/text.h"
#include "base/format.h"
#include "grams.h"
#include "tokens.h"

#include <stdio.h>
#include <stdlib.h>

enum { ORDERS = 6 };

struct tl_chrf {
    tl_error error;
    bool lowercase;
    tl_grams_count sums[ORDERS];
    tl_bleu_cutter cutter;
    tl_grams grams;
};

tl_chrf *tl_chrf_new(bool lowercase) {
    tl_chrf *chrf = calloc(1, sizeof *chrf);
    if (chrf) chrf->lowercase = lowercase;
    return chrf;
}

void tl_chrf_free(tl_chrf *chrf) {
    if (!chrf) return;
    tl_bleu_cutter_free(&chrf->cutter);
    tl_grams_free(&chrf->grams);
    free(chrf);
}

const char *tl_chrf_error(const tl_chrf *chrf) {
    if (!chrf) return "chrf: out of memory";
    return tl_failed(&chrf->error) ? chrf->error.message : NULL;
}

static bool add_characters(tl_chrf *chrf, tl_grams_side *side, const char *line) {
    tl_span rest = tl_span_of(line);
    if (chrf->lowercase && !tl_bleu_lower(&chrf->cutter, rest, &rest)) return false;
    for (tl_span token; tl_next_token(&rest, &token);)
        for (tl_span character; tl_bleu_next_character(&token, &character);)
            if (!tl_grams_add(&chrf->grams, side, character)) return false;
    return true;
}

bool tl_chrf_add(tl_chrf *chrf, const char *hypothesis, const char *reference) {
    if (tl_chrf_error(chrf)) return false;
    tl_grams *grams = &chrf->grams;
    tl_grams_count counts[ORDERS];
    tl_grams_clear(grams);
    if (!add_characters(chrf, &grams->hyp, hypothesis) || !add_characters(chrf, &grams->ref, reference) ||
        !tl_grams_match(grams, ORDERS, counts))
        return tl_error_set(&chrf->error, "chrf: out of memory in a sentence of %ld and %ld characters",
                            grams->hyp.units, grams->ref.units);
    for (int n = 0; n < ORDERS; n++) {
        chrf->sums[n].hyp += counts[n].ref > 0 ? counts[n].hyp : 0;
        chrf->sums[n].ref += counts[n].ref;
        chrf->sums[n].matched += counts[n].matched;
    }
    return true;
}

double tl_chrf_result(const tl_chrf *chrf) {
    const double factor = 4; /* β² */
    double precision = 0, recall = 0;
    int orders = 0;
    for (int n = 0; n < ORDERS && chrf; n++) {
        const tl_grams_count *s = &chrf->sums[n];
        if (s->hyp == 0 || s->ref == 0) continue;
        precision += (double)s->matched / (double)s->hyp;
        recall += (double)s->matched / (double)s->ref;
        orders++;
    }
    if (precision + recall == 0) return 0;
    precision /= orders;
    recall /= orders;
    return 100 * ((1 + factor) * precision * recall / (factor * precision + recall));
}

char *tl_chrf_text(const tl_chrf *chrf, char text[TL_CHRF_TEXT]) {
    if (!text) return NULL;
    tl_format(text, TL_CHRF_TEXT, "chrF2|nrefs:1|case:%s|eff:yes|nc:6|nw:0|space:no|version:tapeloom = %.2f",
              chrf && chrf->lowercase ? "lc" : "mixed", tl_chrf_result(chrf));
    return text;
}
