/* Everything that a run measures, as bytes that can be compared, for small untrained runs of every program. Between
 * prepare() and prepared() no request for memory is refused (refuse.h), so that only the library's requests are. */
#ifndef TL_TESTS_MEASURED_H
#define TL_TESTS_MEASURED_H

#include "refuse.h"
#include "lens/fresh_runs.h"

#include "base/buffer.h"

#include <math.h>

/* ---- results as bytes ---- */

static void put(tl_buffer *to, const void *bytes, size_t size) { must(tl_buffer_add(to, bytes, size)); }
static void put_long(tl_buffer *to, long n) { put(to, &n, sizeof n); }
/* NaN may have any sign. */
static void put_double(tl_buffer *to, double x) { put(to, isnan(x) ? &(double){NAN} : &x, sizeof x); }
static void put_line(tl_buffer *to, const char *text) {
    put(to, text ? text : "(none)", strlen(text ? text : "(none)") + 1);
}

static void put_quality(tl_buffer *to, const tl_quality *q) {
    put_long(to, q->sentences), put_long(to, q->tokens), put_long(to, q->exact), put_long(to, q->bytes);
    put_double(to, q->loss), put_double(to, q->accuracy), put_double(to, q->score);
    put_double(to, q->bleu.score);
    put_line(to, q->chrf);
}

static void put_translations(tl_buffer *to, tl_translations *t) {
    put_long(to, t->count), put_long(to, t->nbest), put_long(to, t->too_long), put_long(to, t->maps);
    for (long i = 0; i < t->count * t->nbest; i++) put_line(to, t->text[i]), put_double(to, t->score[i]);
    for (long i = 0; i < t->count * t->nbest * t->maps; i++) {
        const tl_alignment *a = &t->alignment[i];
        put_long(to, a->targets), put_long(to, a->sources);
        if (a->share) put(to, a->share, (size_t)(a->targets * a->sources) * sizeof *a->share);
    }
    tl_translations_free(t);
}

/* ---- what is measured ---- */

static bool (*asked)(void *context, const char *what, long done, long total);
static long tokens; /* tokens in a batch */
static long fewer;  /* how much smaller each set is than usual */

/* Between these two no request is refused. */
static long held_back = -1;
static void prepare(void) { held_back = left, left = -1, (void)alive; }
static void prepared(void) { left = held_back; }

/* A line that is too long, one without words, and `usual` ordinary lines. */
static tl_corpus *lines_of(long usual, bool odd, bool targets) {
    tl_corpus *lines = tl_corpus_new();
    char *endless = calloc(1, 2 * (TL_LONGEST_SENTENCE + 9));
    must(endless != NULL);
    for (int i = 0; i < TL_LONGEST_SENTENCE + 4; i++) memcpy(endless + 2 * i, "a ", 2);
    if (odd) tl_corpus_add(lines, endless, targets ? "b" : ""), tl_corpus_add(lines, "", targets ? "c" : "");
    static const char *const words[] = {"the", "dog", "sleeps", "and", "a", "small", "cat", "eats"};
    for (long i = 0; i < usual; i++) {
        char line[256] = "";
        for (long k = 0; k <= i % 9; k++) strcat(strcat(line, k ? " " : ""), words[(i * 7 + k * 3) % 8]);
        tl_corpus_add(lines, line, targets ? "le chien dort" : "");
    }
    free(endless);
    must(!tl_corpus_error(lines));
    return lines;
}

static bool evaluate(tl_run *run, tl_buffer *to) {
    prepare();
    tl_corpus *pairs = lines_of(40 - fewer, true, true);
    prepared();
    tl_quality q;
    tl_translations t;
    const bool ok = tl_run_evaluate(run, pairs, "pairs",
                                    &(tl_translate_options){.beam = 2, .batch_tokens = tokens}, &q, &t);
    if (ok) put_quality(to, &q), put_translations(to, &t);
    tl_corpus_free(pairs);
    return ok;
}

static bool translate_lines(tl_run *run, tl_buffer *to, long usual, bool odd, const tl_translate_options *o) {
    prepare();
    tl_corpus *lines = lines_of(usual, odd, false), *encoded = tl_run_encode(run, lines);
    tl_translations t;
    tl_translate_options options = *o;
    options.batch_tokens = tokens;
    must(encoded != NULL);
    prepared();
    const bool ok = tl_run_translate(run, encoded, &options, &t);
    if (ok) put_translations(to, &t);
    tl_corpus_free(encoded);
    tl_corpus_free(lines);
    return ok;
}

static bool translate(tl_run *run, tl_buffer *to) {
    return translate_lines(run, to, 30, true, &(tl_translate_options){.beam = 3, .nbest = true}) &&
           translate_lines(run, to, 30, false,
                           &(tl_translate_options){.beam = 2, .nbest = true, .sample = true, .seed = 3}) &&
           translate_lines(run, to, 12, true, &(tl_translate_options){.beam = 1, .align_heads = true}) &&
           translate_lines(run, to, 0, true, &(tl_translate_options){.beam = 1}) &&
           translate_lines(run, to, 0, false, &(tl_translate_options){.beam = 1});
}

static bool score_lines(tl_run *run, tl_buffer *to, long usual, bool odd) {
    prepare();
    tl_corpus *pairs = lines_of(usual, odd, true), *encoded = tl_run_encode(run, pairs);
    tl_scores s;
    must(encoded != NULL);
    prepared();
    const bool ok = tl_run_score(run, encoded, tokens, &s);
    for (long i = 0; ok && i < s.count; i++) {
        put_double(to, s.sum[i]);
        put(to, s.token + s.first[i], (size_t)(s.first[i + 1] - s.first[i]) * sizeof *s.token);
    }
    if (ok) put_long(to, s.count), put_long(to, s.too_long), tl_scores_free(&s);
    tl_corpus_free(encoded);
    tl_corpus_free(pairs);
    return ok;
}

static bool score(tl_run *run, tl_buffer *to) {
    return score_lines(run, to, 40 - fewer, true) && score_lines(run, to, 0, false) &&
           score_lines(run, to, 20, false);
}

static bool running_text(tl_run *run, tl_buffer *to) {
    char text[4000] = "";
    for (int i = 0; i < 100 - fewer; i++) strcat(text, i % 9 ? "the dog sleeps and a cat eats " : "a\n");
    tl_lm_text ids = {0};
    tl_quality q;
    prepare();
    must_msg(tl_lm_encode(run, text, strlen(text), &ids), "%s", tl_run_error(run));
    prepared();
    const bool ok = tl_lm_measure(run, &ids, &q);
    if (ok) put_quality(to, &q);
    tl_lm_text_free(&ids);
    return ok;
}

static bool classes(tl_run *run, tl_buffer *to) {
    prepare();
    tl_corpus *texts = lines_of(40, true, false), *with = tl_corpus_new();
    for (long i = 0; i < tl_corpus_size(texts); i++)
        tl_corpus_add(with, tl_corpus_sentence(texts, TL_SOURCE, i),
                      /* the same texts with other labels */
                      tl_labels_name(tl_run_labels(run), i % 3 == (fewer > 0)));
    prepared();
    tl_classes c;
    tl_quality q;
    tl_confusion confusion;
    bool ok = tl_run_classify(run, texts, tokens, &c);
    if (ok) {
        put(to, c.said, (size_t)c.count * sizeof *c.said);
        put(to, c.p, (size_t)(c.count * c.classes) * sizeof *c.p);
        put_long(to, c.left_out), tl_classes_free(&c);
    }
    ok = ok && tl_run_evaluate_labels(run, with, "texts", tokens, &q, &confusion);
    if (ok) {
        put_quality(to, &q);
        put(to, confusion.count, (size_t)(confusion.classes * confusion.classes) * sizeof *confusion.count);
        tl_confusion_free(&confusion);
    }
    tl_corpus_free(texts);
    tl_corpus_free(with);
    return ok;
}

static bool captions(tl_run *run, tl_buffer *to) {
    prepare();
    /* 64 in a batch */
    tl_corpus *scenes = tl_caption_scenes(run, TL_PICTURES_HELD_OUT, 5, tokens > 100 ? 50 : 300 - fewer);
    tl_quality q;
    tl_translations t;
    must_msg(scenes != NULL, "%s", tl_run_error(run));
    prepared();
    const bool ok = tl_caption_measure(run, scenes, &q, &t);
    if (ok) put_quality(to, &q), put_translations(to, &t);
    tl_corpus_free(scenes);
    return ok;
}

/* Spoils the batch whose largest number is this one; sees[] are the batches that came. */
static struct {
    double spoilt, sees[8];
    int seen;
} spoiling;

static tl_var spoil(tl_var x, const tl_place_at *at, void *of) {
    const tl_tensor v = tl_value(x);
    double largest = -INFINITY;
    (void)of;
    for (long i = 0; i < tl_numel(v); i++) largest = fmax(largest, (double)v.data[i]);
    if (spoiling.seen < 8) spoiling.sees[spoiling.seen++] = largest;
    return tl_replace_where(x, tl_scale(x, largest == spoiling.spoilt ? NAN : 1), at, &(tl_replaced){0});
}

/* The second batch gives NaN, so the sum is NaN from there on, and no captions are written for these batches. */
static bool spoilt_captions(tl_run *run, tl_buffer *to) {
    prepare();
    tl_corpus *scenes = tl_caption_scenes(run, TL_PICTURES_HELD_OUT, 5, 300);
    tl_places *places = tl_places_new(tl_run_model(run));
    tl_quality q;
    tl_translations t;
    must(scenes && tl_places_replace(places, "encoder.layers.0.self.context", spoil, NULL));
    tl_run_act_at(run, places);
    if (!spoiling.seen) { /* loss, search, loss of the second, … */
        must(tl_caption_measure(run, scenes, &q, NULL) && isfinite(q.loss) && spoiling.seen == 8);
        spoiling.spoilt = spoiling.sees[2];
    }
    prepared();
    const bool ok = tl_caption_measure(run, scenes, &q, &t);
    must(!ok || (isnan(q.loss) && t.text[63] && !t.text[64] && !t.text[299]));
    if (ok) put_quality(to, &q), put_translations(to, &t);
    tl_run_act_at(run, NULL);
    tl_places_free(places);
    tl_corpus_free(scenes);
    return ok;
}

static void put_habits(tl_buffer *to, const tl_head_habits *h) {
    const double numbers[] = {h->confidence,      h->share,    h->reach, h->entropy,
                              h->against_uniform, h->distance, h->first, h->end};
    put_long(to, h->rows), put_long(to, h->offset), put_long(to, h->positional);
    for (int i = 0; i < 8; i++) put_double(to, numbers[i]);
}

static void put_heads(tl_buffer *to, const tl_heads_table *t) {
    const double of_all[] = {t->loss,
                             t->score,
                             t->agreement_zero,
                             t->agreement_mean,
                             t->raw_agreement_zero,
                             t->raw_agreement_mean};
    put_long(to, t->count), put_long(to, t->sentences);
    for (int i = 0; i < 6; i++) put_double(to, of_all[i]);
    for (long i = 0; i < t->count; i++) {
        const tl_heads_row *r = &t->row[i];
        const double numbers[] = {r->importance, r->raw,        r->alignment_error_rate,
                                  r->loss_zero,  r->score_zero, r->loss_mean,
                                  r->score_mean};
        put_line(to, r->attention), put_long(to, r->kind), put_long(to, r->layer), put_long(to, r->head);
        for (int k = 0; k < 7; k++) put_double(to, numbers[k]);
        put_habits(to, &r->habits);
    }
}

static bool heads(tl_run *run, tl_buffer *to) {
    prepare();
    tl_set *set = tl_set_new(run, &(tl_set_options){.most = 30 - fewer, .batch_tokens = tokens});
    tl_heads_table t;
    const tl_heads_options options = {.mean = true, .progress = asked};
    must_msg(set != NULL, "%s", tl_run_error(run));
    double importance[64];
    prepared();
    bool ok = tl_heads_measure(run, set, &options, &t);
    if (ok) put_heads(to, &t), tl_heads_table_free(&t);
    ok = ok && tl_heads_importance(run, set, true, importance);
    if (ok) put(to, importance, (size_t)tl_heads_count(run) * sizeof *importance);
    tl_set_free(set);
    return ok;
}

static tl_run *translator(void) { return fresh_translator(false); }
static tl_run *small_lm(const char *units, bool lines) {
    tl_run_settings s = small_of("lm");
    s.lm.made = "en";
    s.lm.context = 24;
    s.lm.batch = 3;
    s.lm.lines = lines;
    s.text.units = units;
    s.text.merges = 30;
    return fresh(&s);
}
static tl_run *language_model(void) { return small_lm("words", false); }
static tl_run *lines_model(void) { return small_lm("bpe", true); }
static tl_run *classifier(void) { return fresh_classifier("transformer"); }

static const struct subject {
    const char *name;
    tl_run *(*make)(void);
    bool (*measure)(tl_run *run, tl_buffer *to);
} subjects[] = {{"evaluate", translator, evaluate},
                {"translate", translator, translate},
                {"score", translator, score},
                {"lm", language_model, running_text},
                {"lm --lines", lines_model, running_text},
                {"classify", classifier, classes},
                {"caption", fresh_captioner, captions},
                {"captions without a number", fresh_captioner, spoilt_captions},
                {"heads of translate", translator, heads},
                {"heads of lm", language_model, heads},
                {"heads of lm --lines", lines_model, heads},
                {"heads of classify", classifier, heads},
                {"heads of caption", fresh_captioner, heads}};
enum {
    SUBJECTS = sizeof subjects / sizeof *subjects,
    ACTED_ON = 7 /* only the first subjects: what acts on a run does not act on a table of heads */
};

/* Makes a run with weights that are large enough to matter. */
static tl_run *made(const struct subject *s) {
    tl_run *run = s->make();
    tl_params *params = tl_run_params(run);
    for (int i = 0; i < tl_params_count(params); i++) {
        const tl_param *p = tl_params_at(params, i);
        const tl_rng_key key = tl_rng_key_of(7, p->leaf.name);
        for (long k = 0; k < tl_numel(p->leaf.value); k++)
            p->leaf.value.data[k] += (tl_real)(0.3 * (tl_rng_uniform(key, (uint64_t)k) - 0.5));
    }
    tl_params_changed(params);
    return run;
}

#endif
