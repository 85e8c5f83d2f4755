/* One word more for every hypothesis, and which of them live on.
 *
 * The rule is fairseq's (Ott et al. 2019, sequence_generator). At every step, for each sentence that goes on:
 *
 *     candidates   every live hypothesis with every word, by the sum of log p so far; the best 2·width are ranked.
 *                  Of equals the hypothesis in the lower slot comes first, and of its words the lower id
 *     ends         candidates that say <eos> and rank among the first `width` are finished; their score is
 *                  sum / length^α, <eos> counted. (<eos> further down is dropped.)
 *     live         the first `width` candidates that do not end are the next step's hypotheses
 *     limit        at a sentence's last step whatever ranks among the first `width` is finished as it is (fairseq
 *                  would make it say <eos>)
 *     stop         when `width` hypotheses are finished, or at the limit. Also when nbest are and not even the best live
 *                  one could get among them: its sum only falls, and length^α is at most limit^α. What would come
 *                  after that cannot change the result.
 *
 * With width 1 this is greedy search: one candidate, found by the arg-max kernel in one pass over the logits. Where a word
 * is forced, it is the only candidate. <pad> and <bos> are not among the candidates unless told otherwise (search.c);
 * besides, no word is special but <eos>: the logits alone decide. -Inf is never chosen.
 *
 * A hypothesis lives in a slot, one of its sentence's `width` rows; the live ones fill slots 0, 1, … A hypothesis's first
 * continuation stays in its slot, further ones take those of hypotheses that ended; only these are copied. All this
 * depends on the sentence alone, so a batch gives what its sentences give alone, and sentences that are done can
 * leave it. */
#include "hypotheses.h"

#include "state.h"
#include "tapeloom/op.h"
#include "tensor/rows.h"
#include "tensor/share.h"

#include <math.h>
#include <string.h>

enum { NOT_NUMBERS = -1 };

/* ---- candidates ---- */

int tl_forced_word(const tl_hypotheses *h, long number, long t) {
    const tl_search_options *o = h->options;
    const long length = !o->forced ? 0 : o->forced_lengths ? o->forced_lengths[number] : o->forced_length;
    return t < length ? o->forced[number * o->forced_length + t] : -1;
}

typedef struct scan_job {
    const tl_hypotheses *of;
    const tl_real *logits;
    long t;
} scan_job;

/* The best `top` of one row's logits, best first; of equals the lower id. Returns how many there are. */
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

/* Logits become sums of log p; the order stays, because rounding is monotone. */
static int rank_words(const tl_hypotheses *h, tl_candidate *best, const tl_real *logits, double sum,
                      int forced) {
    const tl_row_softmax z = tl_row_softmax_of(logits, h->vocab);
    const double log_sum = log((double)z.sum);
    if (!isfinite(log_sum)) return NOT_NUMBERS;
    if (forced >= 0) *best = (tl_candidate){.sum = logits[forced], .word = forced};
    const int count = forced >= 0 ? 1 : best_words(h, best, logits);
    for (int i = 0; i < count; i++) best[i].sum = sum + ((best[i].sum - (double)z.max) - log_sum);
    return count;
}

/* With one hypothesis a sentence: its likeliest word. False if that word is forbidden. */
static bool take_likeliest(const tl_hypotheses *h, long row, const tl_real *logits) {
    double nll;
    const long word = tl_row_likeliest(logits, h->vocab, &nll);
    h->row[row * h->top] = (tl_candidate){.sum = h->sum[row] - nll, .word = (int)word};
    h->row_count[row] = isfinite(nll) ? 1 : NOT_NUMBERS;
    return !isfinite(nll) || !h->forbidden || !h->forbidden[word];
}

static void scan_row(const void *context, long row) {
    const scan_job *job = context;
    const tl_hypotheses *h = job->of;
    const tl_sentence *s = &h->sentence[row / h->width];
    const int slot = (int)(row % h->width);
    if (s->done || slot >= s->live) return;
    const tl_real *logits = job->logits + row * h->vocab;
    const int forced = tl_forced_word(h, s->number, job->t);
    tl_candidate *best = h->row + row * h->top;
    if (h->width > 1 || forced >= 0 || !take_likeliest(h, row, logits))
        h->row_count[row] = rank_words(h, best, logits, h->sum[row], forced);
    for (int i = 0; i < h->row_count[row]; i++) best[i].slot = slot;
}

/* Merges the rows of the sentence at this place into h->ranked; returns how many candidates there are. */
static int rank(tl_hypotheses *h, long place) {
    const tl_sentence *s = &h->sentence[place];
    int count = 0;
    memset(h->head, 0, (size_t)h->width * sizeof *h->head);
    while (count < 2 * h->width) {
        const tl_candidate *best = NULL;
        for (int slot = 0; slot < s->live; slot++) {
            const long row = place * h->width + slot;
            const tl_candidate *c = h->row + row * h->top + h->head[slot];
            if (h->head[slot] < h->row_count[row] && (!best || c->sum > best->sum)) best = c;
        }
        if (!best) break;
        h->ranked[count++] = *best;
        h->head[best->slot]++;
    }
    return count;
}

/* ---- the finished ones ---- */

/* Makes room at place `at` of a sentence's nbest: those from there on move down, and the last is lost. */
static void move_down(tl_hypotheses *h, long first, int at) {
    const size_t behind = (size_t)(h->nbest - 1 - at);
    int *ids = h->best_ids + (first + at) * h->capacity, *lengths = h->best_lengths + first + at;
    memmove(ids + h->capacity, ids, behind * (size_t)h->capacity * sizeof *ids);
    memmove(lengths + 1, lengths, behind * sizeof *lengths);
    memmove(h->best_score + first + at + 1, h->best_score + first + at, behind * sizeof *h->best_score);
    for (int kind = 0; kind < TL_ATTENTION_KINDS; kind++)
        for (int l = 0; h->best_maps[kind] && l < h->state->model->attentions[kind]; l++) {
            const tl_tensor *maps = &h->best_maps[kind][l];
            const size_t one = (size_t)maps->stride[1];
            tl_real *from = maps->data + (first + at) * maps->stride[1];
            memmove(from + one, from, behind * one * sizeof *from);
        }
}

/* What row `row` has looked at so far becomes the maps of hypothesis `rank` of sentence `number`; there is as much of it as
 * there was of any before. Where the first word was given, not written, its row stays empty. */
static void keep_maps(tl_hypotheses *h, long number, int rank, long row, long t) {
    const long steps = h->state->at, from = t + 1 - steps;
    for (int kind = 0; kind < TL_ATTENTION_KINDS; kind++)
        for (int l = 0; h->best_maps[kind] && l < h->state->model->attentions[kind]; l++) {
            tl_tensor to = tl_at(h->best_maps[kind][l], number, rank);
            tl_tensor_copy(tl_tensor_slice(to, 1, from, from + steps),
                           tl_tensor_slice(tl_at(h->state->maps[kind][l], row), 1, 0, steps));
        }
}

/* The candidate c for word t is finished: into the result, if it is among the nbest so far (of equals the earlier).
 * It is as long as any before it, so that it covers the words of the one whose place it takes. */
static void finish(tl_hypotheses *h, long place, tl_candidate c, long t) {
    tl_sentence *s = &h->sentence[place];
    const long first = s->number * h->nbest, row = place * h->width + c.slot;
    const double score = c.sum / pow((double)t + 1, h->alpha);
    int at = s->finished < h->nbest ? s->finished : h->nbest;
    s->finished++;
    while (at > 0 && h->best_score[first + at - 1] < score) at--;
    if (at >= h->nbest) return;
    move_down(h, first, at);
    int *ids = h->best_ids + (first + at) * h->capacity;
    memcpy(ids, h->ids + row * h->capacity, (size_t)t * sizeof *ids);
    ids[t] = c.word;
    h->best_lengths[first + at] = (int)t + (c.word != h->eos);
    h->best_score[first + at] = score;
    keep_maps(h, s->number, at, row, t);
}

/* ---- the live ones ---- */

/* h->next[0 … count-1] become the live hypotheses. */
static void replant(tl_hypotheses *h, long place, int count, long t) {
    const long first = place * h->width;
    int *owner = h->head; /* of each slot: the continuation that is in it, or -1 */
    for (int slot = 0; slot < h->width; slot++) owner[slot] = -1;
    for (int i = 0; i < count; i++)
        if (h->next[i].slot < count && owner[h->next[i].slot] < 0) owner[h->next[i].slot] = i;
    for (int i = 0, empty = 0; i < count; i++) {
        const int parent = h->next[i].slot;
        if (owner[parent] == i) continue;
        while (owner[empty] >= 0) empty++;
        owner[empty] = i;
        memcpy(h->ids + (first + empty) * h->capacity, h->ids + (first + parent) * h->capacity,
               (size_t)t * sizeof *h->ids);
        tl_model_copy_row(h->state, first + empty, first + parent);
    }
    for (int slot = 0; slot < count; slot++) {
        const tl_candidate *c = &h->next[owner[slot]];
        h->ids[(first + slot) * h->capacity + t] = c->word;
        h->sum[first + slot] = c->sum;
    }
    h->sentence[place].live = count;
}

/* Can no live hypothesis get among the nbest any more? A place that is still empty has score -Inf. */
static bool hopeless(const tl_hypotheses *h, const tl_sentence *s) {
    const double reach = h->next[0].sum / pow((double)h->limits[s->number], h->alpha);
    return reach <= h->best_score[s->number * h->nbest + h->nbest - 1];
}

static void advance(tl_hypotheses *h, long place, long t) {
    tl_sentence *s = &h->sentence[place];
    const bool last = t + 1 >= h->limits[s->number];
    const int count = rank(h, place);
    int kept = 0;
    for (int i = 0; i < count && kept < h->width; i++) {
        const tl_candidate c = h->ranked[i];
        if (!last && c.word != h->eos)
            h->next[kept++] = c;
        else if (i < h->width && s->finished < h->width)
            finish(h, place, c, t);
    }
    s->done = last || s->finished >= h->width || kept == 0 || hopeless(h, s);
    if (!s->done) replant(h, place, kept, t);
}

/* Sentences that are done leave when they are a quarter of the batch: moving the others costs about a step. */
static long leave(tl_hypotheses *h, long t) {
    long going = 0;
    for (long p = 0; p < h->sentences; p++)
        if (!h->sentence[p].done) h->kept[going++] = p;
    if (going == 0 || 4 * going > 3 * h->sentences) return going;
    for (long p = 0; p < going; p++) {
        const long from = h->kept[p];
        if (from == p) continue;
        h->sentence[p] = h->sentence[from];
        memcpy(h->sum + p * h->width, h->sum + from * h->width, (size_t)h->width * sizeof *h->sum);
        for (long slot = 0; slot < h->width; slot++)
            memcpy(h->ids + (p * h->width + slot) * h->capacity,
                   h->ids + (from * h->width + slot) * h->capacity, (size_t)(t + 1) * sizeof *h->ids);
    }
    tl_model_keep(h->state, h->kept, going);
    h->sentences = going;
    return going;
}

/* ---- all of them ---- */

/* Why a sentence has no candidate. */
static bool stuck(const tl_hypotheses *h, long place, long t) {
    const tl_sentence *s = &h->sentence[place];
    const int *count = h->row_count + place * h->width;
    for (int slot = 0; slot < s->live; slot++)
        if (count[slot] < 0)
            tl_tape_fail(
                h->tape,
                "search: the model's logits for word %ld of sentence %ld hold NaN or infinity; are its "
                "weights sound?",
                t + 1, s->number);
        else if (count[slot] == 0)
            tl_tape_fail(h->tape,
                         "search: there is nothing left to write as word %ld of sentence %ld: every word is "
                         "forbidden, or has no probability",
                         t + 1, s->number);
    return tl_tape_error(h->tape) != NULL;
}

bool tl_hypotheses_extend(tl_hypotheses *h, tl_tensor logits, long t, long *going) {
    enum { SMALL = 8192, SMALL_GREEDY = 30000 }; /* up to so many logits, one thread is as fast as two */
    const long rows = h->sentences * h->width;
    if (!tl_is_contiguous(logits)) { /* a model may hand out a view */
        tl_tensor copy = tl_tensor_of(tl_tape_memory(h->tape, (size_t)(rows * h->vocab) * sizeof(tl_real)),
                                      TL_SHAPE(rows, h->vocab));
        if (!copy.data) return false;
        tl_tensor_copy(copy, logits);
        logits = copy;
    }
    const scan_job job = {h, logits.data, t};
    tl_share(rows * h->vocab > (h->width > 1 ? SMALL : SMALL_GREEDY), rows, scan_row, &job);
    for (long p = 0; p < h->sentences; p++) {
        if (h->sentence[p].done) continue;
        if (stuck(h, p, t)) return false;
        advance(h, p, t);
    }
    *going = leave(h, t);
    return true;
}

static tl_tensor *room_for_maps(const tl_hypotheses *h, int layers, long keys) {
    tl_tensor *maps = tl_zeroed(h->tape, (size_t)(layers + 1) * sizeof *maps);
    const tl_shape shape = TL_SHAPE(h->begun, h->nbest, h->state->model->heads, h->capacity, keys);
    for (int l = 0; maps && l < layers; l++)
        maps[l] = tl_tensor_of(tl_zeroed(h->tape, (size_t)tl_shape_numel(shape) * sizeof(tl_real)), shape);
    return layers ? maps : NULL;
}

bool tl_hypotheses_new(tl_hypotheses *h, bool maps, long source_length) {
    tl_tape *tape = h->tape;
    const long n = h->sentences = h->begun, rows = n * h->width, given = n * h->nbest;
    h->top = h->width == 1 ? 1 : 2 * h->width < h->vocab ? 2 * h->width : h->vocab;
    h->sentence = tl_zeroed(tape, (size_t)n * sizeof *h->sentence);
    h->ids = tl_zeroed(tape, (size_t)(rows * h->capacity) * sizeof *h->ids);
    h->sum = tl_zeroed(tape, (size_t)rows * sizeof *h->sum);
    h->row = tl_tape_memory(tape, (size_t)(rows * h->top) * sizeof *h->row);
    h->row_count = tl_zeroed(tape, (size_t)rows * sizeof *h->row_count);
    h->ranked = tl_tape_memory(tape, (size_t)(2 * h->width) * sizeof *h->ranked);
    h->next = tl_tape_memory(tape, (size_t)h->width * sizeof *h->next);
    h->head = tl_tape_memory(tape, (size_t)h->width * sizeof *h->head);
    h->kept = tl_tape_memory(tape, (size_t)n * sizeof *h->kept);
    h->best_ids = tl_zeroed(tape, (size_t)(given * h->capacity) * sizeof *h->best_ids);
    h->best_lengths = tl_tape_memory(tape, (size_t)given * sizeof *h->best_lengths);
    h->best_score = tl_tape_memory(tape, (size_t)given * sizeof *h->best_score);
    if (maps) {
        const int *layers = h->state->model->attentions;
        h->best_maps[TL_DECODER_SELF] = room_for_maps(h, layers[TL_DECODER_SELF], h->capacity);
        h->best_maps[TL_CROSS] = room_for_maps(h, layers[TL_CROSS], source_length);
    }
    if (tl_tape_error(tape)) return false;
    for (long s = 0; s < n; s++) h->sentence[s] = (tl_sentence){.number = s, .live = 1};
    for (long i = 0; i < given; i++) {
        h->best_lengths[i] = -1;
        h->best_score[i] = -INFINITY;
    }
    return true;
}
