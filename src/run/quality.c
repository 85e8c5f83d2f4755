/* How good a model is on sentences with references: loss and accuracy given the true words before, and scores of its
 * own translations. */
#include "clock.h"
#include "events.h"
#include "pass.h"

#include <math.h>
#include <string.h>

/* BLEU's tokens: --tokenize, or chosen by the target's text. */
static tl_bleu_tokens bleu_tokens_of(const tl_run_settings *s) {
    tl_bleu_tokens tokens = TL_BLEU_NONE;
    if (s->validation.tokenize)
        tl_bleu_tokens_parse(s->validation.tokenize, &tokens);
    else if (!strcmp(tl_units_of(s, TL_TARGET), "chars"))
        tokens = TL_BLEU_CHAR;
    else if (strcmp(tl_pretokenize_of(s, TL_TARGET), "none"))
        tokens = TL_BLEU_13A;
    return tokens;
}

/* Mean loss without smoothing, and accuracy given the true words before. False, without an error, if it was stopped. */
static bool measure_loss(tl_run *run, const tl_corpus *encoded, long batch_tokens, tl_quality *q) {
    tl_pass pass = tl_pass_begin(run);
    tl_batches *batches = tl_run_by_length(run, encoded, batch_tokens);
    tl_batch batch;
    long done = 0;
    TL_TELL(run->events, work_began, TL_WORK_LOSS, tl_corpus_size(encoded));
    bool was = tl_tape_set_grad(run->tape, false);
    tl_tape_set_training(run->tape, 0);
    while (tl_pass_goes_on(&pass) && tl_batches_next(batches, &batch)) {
        if (tl_pass_mine(&pass, &batch) && !tl_pass_add_loss(&pass, &batch)) break;
        done += batch.sentences;
        TL_TELL(run->events, work_done, done, (double)batch.tgt_tokens);
    }
    TL_TELL_THAT(run->events, work_ended);
    tl_tape_set_grad(run->tape, was);
    if (tl_batches_error(batches)) tl_error_set(&run->error, "%s", tl_batches_error(batches));
    tl_batches_free(batches);
    const bool ok = tl_pass_end(&pass, !tl_failed(&run->error), NULL, NULL);
    tl_quality_of_loss(q, &pass.loss);
    return ok;
}

static bool score(tl_run *run, const tl_corpus *lines, const tl_translations *t, tl_quality *q) {
    const bool lowercase = run->settings.validation.lowercase;
    tl_bleu *bleu =
        tl_bleu_new(&(tl_bleu_config){.tokens = bleu_tokens_of(&run->settings), .lowercase = lowercase});
    tl_chrf *chrf = tl_chrf_new(lowercase);
    for (long i = 0; i < t->count; i++) {
        const char *hypothesis = t->text[i * t->nbest], *reference = tl_corpus_sentence(lines, TL_TARGET, i);
        tl_bleu_add(bleu, hypothesis, reference);
        tl_chrf_add(chrf, hypothesis, reference);
        q->exact += !strcmp(hypothesis, reference);
    }
    q->bleu = tl_bleu_result(bleu);
    q->score = q->bleu.score;
    tl_chrf_text(chrf, q->chrf);
    if (tl_bleu_error(bleu)) tl_error_set(&run->error, "%s", tl_bleu_error(bleu));
    if (tl_chrf_error(chrf)) tl_error_set(&run->error, "%s", tl_chrf_error(chrf));
    tl_bleu_free(bleu);
    tl_chrf_free(chrf);
    return !tl_failed(&run->error);
}

bool tl_run_measure(tl_run *run, const tl_corpus *lines, const tl_corpus *encoded,
                    const tl_translate_options *options, tl_quality *quality, tl_translations *translations) {
    double start = tl_seconds_now();
    tl_translations own = {0}, *t = translations ? translations : &own;
    *t = (tl_translations){0};
    *quality = (tl_quality){.sentences = tl_corpus_size(lines)};
    bool ok = measure_loss(run, encoded, options ? options->batch_tokens : 0, quality);
    if (ok && isfinite(quality->loss)) /* a model whose loss is not finite has no most likely word */
        ok = tl_run_translate(run, encoded, options, t) && score(run, lines, t, quality);
    quality->seconds = tl_seconds_now() - start;
    if (!ok || t == &own) tl_translations_free(t);
    return ok;
}

bool tl_run_evaluate(tl_run *run, tl_corpus *pairs, const char *name, const tl_translate_options *options,
                     tl_quality *quality, tl_translations *translations) {
    if (translations) *translations = (tl_translations){0};
    if (!tl_run_has_model(run)) return false;
    if (!pairs || !quality) return tl_run_lacks(run, pairs ? "the place for the quality" : "the corpus");
    tl_corpus *encoded = tl_run_encode(run, pairs);
    bool ok = encoded && tl_run_drop_long(run, pairs, encoded, name ? name : "(pairs)", 0);
    if (ok) tl_run_tell_unknown(run, encoded);
    ok = ok && tl_run_measure(run, pairs, encoded, options, quality, translations);
    if (ok && !isfinite(quality->loss))
        ok = tl_error_set(&run->error, "the model's loss on %s is not finite: are its weights sound?",
                          name ? name : "(pairs)");
    tl_corpus_free(encoded);
    return ok;
}
