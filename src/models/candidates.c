/* The candidates of each row: words that it could write next, with the sums of log p that they would give. A row has
 * its most likely words, or one drawn word, or the forced word.
 *
 * A row's candidates depend only on its own logits and words, so rows are divided among threads. Forbidden words,
 * repetitions and logits of -INFINITY are left out. Sums use the model's own log p, over all words. With one hypothesis
 * per sentence, the arg-max kernel finds its most likely word in one pass over the logits. */
#include "hypotheses.h"
#include "repeats.h"
#include "sample.h"

#include "tapeloom/op.h"
#include "tensor/rows.h"
#include "tensor/share.h"

#include <math.h>
#include <string.h>

enum { NOT_NUMBERS = -1 };

long tl_forced_length(const tl_hypotheses *h, long number) {
    const tl_search_options *o = h->options;
    return !o->forced ? 0 : o->forced_lengths ? o->forced_lengths[number] : o->forced_length;
}

int tl_forced_word(const tl_hypotheses *h, long number, long t) {
    return t < tl_forced_length(h, number) ? h->options->forced[number * h->options->forced_length + t] : -1;
}

typedef struct scan_job {
    const tl_hypotheses *of;
    const tl_real *logits;
    long t;
    tl_real *open;    /* [rows,vocab] copies of the logits without repetitions; NULL: words may repeat */
    int *words;       /* [rows,vocab] scratch for samples; NULL: no samples */
    tl_real *weights; /* [rows,vocab] the same */
} scan_job;

/* The best `top` of one row's logits, best first; ties go to the lower id. Returns how many there are. */
static int best_words(const tl_hypotheses *h, tl_candidate *best, const tl_real *logits) {
    long count = 0;
    tl_real worst = -(tl_real)INFINITY; /* what a word must beat */
    for (long v = 0; v < h->vocab; v++) {
        if (!(logits[v] > worst) || (h->forbidden && h->forbidden[v])) continue;
        long at = count < h->top ? count++ : h->top - 1;
        for (; at > 0 && best[at - 1].sum < logits[v]; at--) best[at] = best[at - 1];
        best[at] = (tl_candidate){.sum = logits[v], .word = (int)v};
        if (count == h->top) worst = (tl_real)best[h->top - 1].sum;
    }
    return (int)count;
}

static int draw_word(const scan_job *job, long row, const tl_real *logits) {
    const tl_hypotheses *h = job->of;
    const tl_search_options *o = h->options;
    const long place = h->sentence[row / h->width].number, number = o->numbers ? o->numbers[place] : place;
    return tl_sample_word(logits, h->vocab, h->forbidden, &(tl_sampling){o->temperature, o->top_k, o->top_p},
                          tl_sample_chance(o->seed, number, row % h->width, job->t),
                          &(tl_sample_room){job->words + row * h->vocab, job->weights + row * h->vocab});
}

/* Finds a row's candidates, with their logits as sums. Returns how many there are. */
static int choose_words(const scan_job *job, long row, tl_candidate *best, const tl_real *logits) {
    const tl_hypotheses *h = job->of;
    if (job->open) {
        tl_real *open = job->open + row * h->vocab;
        memcpy(open, logits, (size_t)h->vocab * sizeof *open);
        tl_forbid_repeats(open, h->ids + row * h->capacity, job->t, h->options->no_repeat_ngram);
        logits = open;
    }
    if (!job->words) return best_words(h, best, logits);
    const int word = draw_word(job, row, logits);
    if (word >= 0) *best = (tl_candidate){.sum = logits[word], .word = word};
    return word >= 0;
}

/* Finds a row's candidates and turns their logits into sums of log p. The order stays, because rounding is
 * monotonic. */
static int rank_words(const scan_job *job, long row, const tl_real *logits, int forced) {
    const tl_hypotheses *h = job->of;
    tl_candidate *best = h->row + row * h->top;
    const tl_row_softmax z = tl_row_softmax_of(logits, h->vocab);
    const double log_sum = log((double)z.sum);
    if (!isfinite(log_sum)) return NOT_NUMBERS;
    if (forced >= 0) *best = (tl_candidate){.sum = logits[forced], .word = forced};
    const int count = forced >= 0 ? 1 : choose_words(job, row, best, logits);
    for (int i = 0; i < count; i++) best[i].sum = h->sum[row] + ((best[i].sum - (double)z.max) - log_sum);
    return count;
}

/* For one hypothesis per sentence: takes its most likely word. Returns false if that word is forbidden. */
static bool take_most_likely(const tl_hypotheses *h, long row, const tl_real *logits) {
    double nll;
    const long word = tl_row_arg_max(logits, h->vocab, &nll);
    h->row[row * h->top] = (tl_candidate){.sum = h->sum[row] - nll, .word = (int)word};
    h->row_count[row] = isfinite(nll) ? 1 : NOT_NUMBERS;
    return !isfinite(nll) || !h->forbidden || !h->forbidden[word];
}

bool tl_sample_ended(const tl_hypotheses *h, const tl_sentence *s, int slot) {
    return h->best_lengths[s->number * h->nbest + slot] >= 0;
}

static void scan_row(const void *context, long row) {
    const scan_job *job = context;
    const tl_hypotheses *h = job->of;
    const tl_sentence *s = &h->sentence[row / h->width];
    const int slot = (int)(row % h->width);
    if (s->done || slot >= s->live || (job->words && tl_sample_ended(h, s, slot))) return;
    const tl_real *logits = job->logits + row * h->vocab;
    const int forced = tl_forced_word(h, s->number, job->t);
    if (h->width > 1 || forced >= 0 || job->open || job->words || !take_most_likely(h, row, logits))
        h->row_count[row] = rank_words(job, row, logits, forced);
    for (int i = 0; i < h->row_count[row]; i++) h->row[row * h->top + i].slot = slot;
}

/* Does this sentence have no candidate? If so, the tape fails with the reason. */
static bool has_no_candidate(const tl_hypotheses *h, long place, long t) {
    const tl_sentence *s = &h->sentence[place];
    const int *count = h->row_count + place * h->width;
    for (int slot = 0; slot < s->live; slot++)
        if (h->options->sample && tl_sample_ended(h, s, slot))
            continue;
        else if (count[slot] < 0)
            tl_tape_fail(
                h->tape,
                "search: the model's logits for word %ld of sentence %ld hold NaN or infinity; are its "
                "weights sound?",
                t + 1, s->number);
        else if (count[slot] == 0)
            tl_tape_fail(h->tape,
                         "search: there is nothing left to write as word %ld of sentence %ld: every word is "
                         "forbidden, or has no probability%s",
                         t + 1, s->number, h->options->no_repeat_ngram ? ", or would repeat others" : "");
    return tl_tape_error(h->tape) != NULL;
}

/* Takes memory for scanning: `all` elements for each array that the options need. False when out of memory. */
static bool make_room(scan_job *job, const tl_hypotheses *h, size_t all) {
    if (h->options->no_repeat_ngram && !(job->open = tl_tape_memory(h->tape, all * sizeof *job->open)))
        return false;
    if (!h->options->sample) return true;
    job->words = tl_tape_memory(h->tape, all * sizeof *job->words);
    job->weights = tl_tape_memory(h->tape, all * sizeof *job->weights);
    return job->words && job->weights;
}

bool tl_candidates_find(tl_hypotheses *h, tl_tensor logits, long t) {
    enum { SMALL = 8192, SMALL_GREEDY = 30000 }; /* up to this many logits, one thread is as fast as two */
    const long rows = h->sentences * h->width, all = rows * h->vocab;
    if (!tl_is_contiguous(logits)) { /* a model may return a view */
        tl_tensor copy =
            tl_tensor_of(tl_tape_memory(h->tape, (size_t)all * sizeof(tl_real)), TL_SHAPE(rows, h->vocab));
        if (!copy.data) return false;
        tl_tensor_copy(copy, logits);
        logits = copy;
    }
    scan_job job = {.of = h, .logits = logits.data, .t = t};
    if (!make_room(&job, h, (size_t)all)) return false;
    tl_share(all > (h->width > 1 ? SMALL : SMALL_GREEDY), rows, scan_row, &job);
    bool ok = true;
    for (long p = 0; ok && p < h->sentences; p++) ok = h->sentence[p].done || !has_no_candidate(h, p, t);
    return ok;
}
