/* What a model is measured on, for any program: sentences in batches of similar length, and how good the model is on
 * them. */
#include "lens.h"

#include "run/caption.h"
#include "run/classification.h"
#include "run/lm.h"
#include "run/programs.h"
#include "run/pass.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MADE_HERE = 1000, PICTURES_AT_ONCE = 50 };

struct tl_set {
    tl_run *run;
    const tl_run_program *program;
    char *name;
    tl_corpus *lines, *encoded; /* all programs but lm: lines as given, and cut */
    int *labels;                /* classify: label of each sentence */
    int *room;                  /* … and of each in a batch */
    tl_batches *batches;
    tl_pictures *pictures; /* caption */
    tl_lm_text text;       /* lm */
    tl_windows *windows;
    long *window, next; /* running text: numbers of a batch's windows; number of the next one */
    char *shown;        /* lm: text of the window that was asked for last */
    long count;
};

/* ---- which sentences ---- */

static char *file_text(tl_run *run, const char *file, size_t *size) {
    char *bytes = NULL;
    return tl_file_read_regular(file, TL_TEXT_MOST, &bytes, size, &run->error) ? bytes : NULL;
}

/* Keeps only the first sentences. */
static bool keep_first(tl_run *run, tl_corpus *lines, long most) {
    const long size = tl_corpus_size(lines);
    if (most < 1 || size <= most) return true;
    bool *keep = calloc((size_t)size, sizeof *keep);
    for (long i = 0; keep && i < most; i++) keep[i] = true;
    const bool ok = keep && tl_corpus_keep(lines, keep);
    free(keep);
    return ok || tl_error_set(&run->error, "out of memory for sentences");
}

static bool is_made(const tl_run_settings *s) { return s->data.pair || s->data.task; }

static tl_corpus *pairs_of(tl_run *run, const char *file) {
    if (file) return tl_pairs_read(file, NULL, NULL, false, run->events, &run->error);
    return tl_pairs_of(&run->settings, is_made(&run->settings) ? TL_PART_TEST : TL_PART_VALID, run->events,
                       &run->error);
}

static tl_corpus *labelled_of(tl_run *run, const char *file) {
    if (file) return tl_labelled_read(file, false, run->events, &run->error);
    return tl_labelled_of(&run->settings, is_made(&run->settings) ? TL_LABELLED_TEST : TL_LABELLED_VALID,
                          run->events, &run->error);
}

static bool begin_batches(tl_set *set, long tokens, long most) {
    const tl_batches_config config = {
        .tokens = tokens, .max_sentences = most, .order = most ? TL_IN_ORDER : TL_BY_LENGTH};
    set->batches = tl_batches_new(set->encoded, &config);
    set->count = tl_corpus_size(set->encoded);
    return !tl_batches_error(set->batches) ||
           tl_error_set(&set->run->error, "%s", tl_batches_error(set->batches));
}

static bool begin_translate(tl_set *set, const tl_set_options *o, long most) {
    set->lines = pairs_of(set->run, o->file);
    if (!set->lines || !keep_first(set->run, set->lines, most)) return false;
    set->encoded = tl_run_encode(set->run, set->lines);
    return set->encoded && tl_run_drop_long(set->run, set->lines, set->encoded, set->name, 0) &&
           begin_batches(set, o->batch_tokens, 0);
}

static bool begin_classify(tl_set *set, const tl_set_options *o, long most) {
    set->lines = labelled_of(set->run, o->file);
    if (!set->lines || !keep_first(set->run, set->lines, most)) return false;
    set->encoded = tl_classify_encode(set->run, set->lines);
    if (!set->encoded || !tl_run_drop_long(set->run, set->lines, set->encoded, set->name, 0)) return false;
    set->labels = tl_classify_labels(set->run, set->lines, set->name);
    set->room = calloc((size_t)tl_corpus_size(set->lines) + 1, sizeof *set->room);
    if (!set->room) tl_error_set(&set->run->error, "out of memory for labels");
    return set->labels && set->room && begin_batches(set, o->batch_tokens, 0);
}

static bool begin_caption(tl_set *set, const tl_set_options *o, long most) {
    if (o->file)
        return tl_error_set(&set->run->error, "a captioner's pictures are drawn here: leave the file out");
    set->encoded = tl_caption_scenes(set->run, TL_PICTURES_HELD_OUT, 0, most ? most : MADE_HERE);
    set->lines = set->encoded;
    if (!set->encoded || !begin_batches(set, 0, PICTURES_AT_ONCE)) return false;
    set->pictures = tl_pictures_new(set->encoded, (uint64_t)set->run->settings.training.seed,
                                    set->run->settings.caption.noise);
    return !tl_pictures_error(set->pictures) ||
           tl_error_set(&set->run->error, "%s", tl_pictures_error(set->pictures));
}

static bool begin_lm(tl_set *set, const tl_set_options *o, long most) {
    tl_run *run = set->run;
    size_t size = 0;
    char *bytes = o->file ? file_text(run, o->file, &size) : tl_lm_valid_text(run, &size);
    const bool ok = bytes && tl_lm_encode(run, bytes, size, &set->text);
    free(bytes);
    if (!ok) return false;
    if (most && set->text.starts && set->text.texts > most) {
        set->text.texts = most;
        set->text.count = set->text.starts[most];
    } else if (most && !set->text.starts && (set->text.count - 1) / run->settings.lm.context >= most)
        set->text.count = most * run->settings.lm.context + 1;
    set->windows = tl_windows_new(set->text.ids, set->text.count,
                                  &(tl_windows_config){.length = run->settings.lm.context,
                                                       .batch = run->settings.lm.batch,
                                                       .starts = set->text.starts,
                                                       .texts = set->text.texts,
                                                       .pad = run->byte_bpe ? -1 : TL_PAD});
    if (!set->text.starts) {
        set->window = calloc((size_t)run->settings.lm.batch + 1, sizeof *set->window);
        if (!set->window) return tl_error_set(&run->error, "out of memory for windows");
    }
    set->count = set->text.starts
                     ? set->text.texts
                     : (set->text.count - 2 + run->settings.lm.context) / run->settings.lm.context;
    return !tl_windows_error(set->windows) || tl_error_set(&run->error, "%s", tl_windows_error(set->windows));
}

/* ---- making and freeing ---- */

static const struct kind {
    const tl_run_program *program;
    bool (*begin)(tl_set *set, const tl_set_options *o, long most);
} kinds[] = {{&tl_translate_program, begin_translate},
             {&tl_classify_program, begin_classify},
             {&tl_caption_program, begin_caption},
             {&tl_lm_program, begin_lm}};

static char *name_of(const tl_run *run, const char *file) {
    const char *text = file                      ? file
                       : is_made(&run->settings) ? "held-out sentences made here"
                       : !strcmp(run->settings.program ? run->settings.program : "", "caption")
                           ? "held-out pictures"
                       : run->settings.data.valid ? run->settings.data.valid
                                                  : "what the run is validated on";
    char *name = malloc(strlen(text) + 1);
    return name ? strcpy(name, text) : NULL;
}

/* Adds a hint if the file is one that the run was validated on: its path may not be valid from here. */
static bool add_path_hint(tl_run *run, const char *file, const char *valid) {
    const tl_error why = run->error;
    if (file || !valid || tl_file_is_there(valid) || !tl_failed(&why)) return false;
    tl_error_clear(&run->error);
    tl_error_set(&run->error,
                 "%s; that is what the run was validated on: go where training was started, or give "
                 "other sentences to measure on (--test)",
                 why.message);
    return false;
}

static bool begin(tl_set *set, const tl_set_options *o) {
    const bool made = !o->file && is_made(&set->run->settings);
    const long most = o->most ? o->most : made ? MADE_HERE : 0;
    if (!set->name) return tl_error_set(&set->run->error, "out of memory for a test set");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (kinds[i].program != set->program) continue;
        if (!kinds[i].begin(set, o, most))
            return add_path_hint(set->run, o->file, set->run->settings.data.valid);
        return set->count > 0 ||
               tl_error_set(&set->run->error, "%s: there are no sentences in it", set->name);
    }
    return false;
}

tl_set *tl_set_new(tl_run *run, const tl_set_options *options) {
    static const tl_set_options usual = {0};
    if (!tl_run_has_model(run)) return NULL;
    if (!options) options = &usual;
    if (options->most < 0 || options->batch_tokens < 0)
        return tl_error_set(
                   &run->error,
                   "a test set of at most %ld sentences, %ld tokens a batch: neither can be negative",
                   options->most, options->batch_tokens),
               NULL;
    tl_set *set = calloc(1, sizeof *set);
    if (!set) return tl_error_set(&run->error, "out of memory for a test set"), NULL;
    set->run = run;
    set->program = tl_run_program_of(run->settings.program, &run->error);
    set->name = name_of(run, options->file);
    if (set->program && begin(set, options)) return set;
    tl_set_free(set);
    return NULL;
}

void tl_set_free(tl_set *set) {
    if (!set) return;
    tl_batches_free(set->batches);
    tl_pictures_free(set->pictures);
    tl_windows_free(set->windows);
    if (set->lines != set->encoded) tl_corpus_free(set->lines);
    tl_corpus_free(set->encoded);
    tl_lm_text_free(&set->text);
    free(set->labels);
    free(set->room);
    free(set->window);
    free(set->shown);
    free(set->name);
    free(set);
}

long tl_set_left(const tl_set *set) {
    if (set->windows) return tl_windows_per_epoch(set->windows) - tl_windows_tell(set->windows).batch;
    return tl_batches_per_epoch(set->batches) - tl_batches_tell(set->batches).batch;
}

long tl_set_count(const tl_set *set) { return set ? set->count : 0; }
const char *tl_set_name(const tl_set *set) { return set ? set->name : NULL; }

/* ---- its sentences ---- */

/* Windows of one running text are sentences here, numbered in the order of the text. */
static void number_windows(tl_set *set, tl_batch *batch) {
    for (long b = 0; b < batch->sentences; b++) set->window[b] = set->next++;
    batch->index = set->window;
}

bool tl_set_next(tl_set *set, tl_batch *batch) {
    if (!set || !batch || tl_failed(&set->run->error)) return false;
    if (set->windows) {
        if (tl_windows_next(set->windows, batch)) {
            if (set->window) number_windows(set, batch);
            return true;
        }
        set->next = 0;
        if (tl_windows_error(set->windows))
            tl_error_set(&set->run->error, "%s", tl_windows_error(set->windows));
        return false;
    }
    const bool more = tl_batches_next(set->batches, batch);
    if (tl_batches_error(set->batches)) tl_error_set(&set->run->error, "%s", tl_batches_error(set->batches));
    if (more && set->labels) tl_classify_batch(batch, set->labels, set->room);
    if (more && set->pictures && !tl_pictures_batch(set->pictures, batch))
        return tl_error_set(&set->run->error, "%s", tl_pictures_error(set->pictures));
    return more;
}

const char *tl_set_source(const tl_set *set, long i) {
    return set && set->lines && i >= 0 && i < set->count ? tl_corpus_sentence(set->lines, TL_SOURCE, i)
                                                         : NULL;
}

/* The text of a window of ids, without the token before it. */
static const char *window_text(tl_set *set, long i) {
    const long length = set->run->settings.lm.context, *starts = set->text.starts;
    long from = starts ? starts[i] : i * length, to = starts ? starts[i + 1] : from + length + 1;
    if (to > set->text.count) to = set->text.count;
    from++;
    free(set->shown);
    if (starts && to > from && set->text.ids[to - 1] == tl_lm_end(set->run)) to--;
    set->shown = tl_lm_decode(set->run, set->text.ids + from, to - from);
    return set->shown;
}

const char *tl_set_target(tl_set *set, long i) {
    if (!set || i < 0 || i >= set->count) return NULL;
    return set->lines ? tl_corpus_sentence(set->lines, TL_TARGET, i) : window_text(set, i);
}

const tl_link *tl_set_alignment(const tl_set *set, long i, long *count) {
    long unasked;
    if (!count) count = &unasked;
    *count = 0;
    return set && set->lines ? tl_corpus_alignment(set->lines, i, count) : NULL;
}

/* ---- how good the model is on them ---- */

static bool measure_loss(tl_set *set, tl_quality *q) {
    tl_run *run = set->run;
    tl_pass pass = tl_pass_begin(run);
    tl_batch batch;
    const bool was = tl_tape_set_grad(run->tape, false);
    const long training = tl_tape_set_training(run->tape, 0);
    while (tl_set_next(set, &batch))
        if (tl_pass_mine(&pass, &batch) && !tl_pass_add_loss(&pass, &batch)) break;
    tl_tape_set_grad(run->tape, was);
    tl_tape_set_training(run->tape, training);
    const bool ok = tl_pass_end(&pass, !tl_failed(&run->error), NULL, NULL);
    q->sentences = set->count;
    q->tokens = pass.loss.count;
    tl_quality_of_loss(q, &pass.loss);
    if (set->labels) q->score = 100 * q->accuracy;
    return ok;
}

static bool measure_score(tl_set *set, tl_quality *q) {
    static const tl_translate_options greedy = {.beam = 1, .length_penalty = 1};
    if (set->program == &tl_translate_program)
        return tl_run_measure(set->run, set->lines, set->encoded, &greedy, q, NULL);
    if (set->program == &tl_caption_program) return tl_caption_measure(set->run, set->encoded, q, NULL);
    return measure_loss(set, q);
}

bool tl_set_measure(tl_set *set, bool score, tl_quality *quality) {
    if (!set || tl_failed(&set->run->error)) return false;
    if (!quality) return tl_run_lacks(set->run, "the place for the quality");
    *quality = (tl_quality){0};
    return score ? measure_score(set, quality) : measure_loss(set, quality);
}
