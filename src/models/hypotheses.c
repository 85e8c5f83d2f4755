/* Extends every hypothesis by one word, and selects which of them live on.
 *
 * The rule is fairseq's (Ott et al. 2019, sequence_generator). At every step, for each sentence that is not done:
 *
 *     candidates   every live hypothesis with every word, ranked by the sum of log p so far; the best 2·width are kept.
 *                  Ties go to the hypothesis in the lower slot, then to the lower word id
 *     ends         candidates that end with <eos> and rank among the first `width` are finished, with the score
 *                  sum / length^α, <eos> counted. (<eos> further down is dropped.)
 *     live         the first `width` other candidates are the next step's hypotheses
 *     limit        at a sentence's last step, every candidate among the first `width` is finished as it is (fairseq
 *                  appends <eos>)
 *     stop         when `width` hypotheses are finished, or at the limit; also when nbest are finished and not even the
 *                  best live hypothesis could reach one of them. Its sum only falls, and length^α is at most limit^α,
 *                  so later steps cannot change the result.
 *
 * Samples are not ranked. Each of `width` hypotheses stays in its slot, takes the word drawn for it (sample.c), and is
 * finished at <eos> or at the limit.
 *
 * With width 1 this is greedy search: one candidate, found by the arg-max kernel in one pass over the logits. A forced
 * word is the only candidate. <pad> and <bos> are no candidates unless any_word (search.c). Only <eos> has a special
 * meaning here. A logit of -INFINITY is never chosen.
 *
 * A hypothesis has a slot, one of its sentence's `width` rows. The live ones fill slots 0, 1, …. The first continuation
 * of a hypothesis stays in its slot; further continuations take the slots of hypotheses that ended, and only these are
 * copied. All of this depends on one sentence only. So the result does not depend on the batch, and sentences that are
 * done can leave it. */
#include "hypotheses.h"
#include "state.h"

#include "tapeloom/op.h"

#include <math.h>
#include <string.h>

/* ---- candidates ---- */

/* Merges the candidates of the sentence at index `place` into h->ranked, best first. Returns how many there are. */
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

/* ---- finished hypotheses ---- */

/* Frees index `at` of a sentence's nbest: later entries move down by one, and the last is lost. */
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

/* Copies what row `row` has attended to so far into the maps of finished hypothesis `rank` of sentence `number`. If the
 * first word was given, not written, its row stays 0. */
static void keep_maps(tl_hypotheses *h, long number, int rank, long row, long t) {
    const long steps = h->state->at;
    for (int kind = 0; kind < TL_ATTENTION_KINDS; kind++)
        for (int l = 0; h->best_maps[kind] && l < h->state->model->attentions[kind]; l++)
            tl_copy_map_queries(tl_at(h->best_maps[kind][l], number, rank), t + 1 - steps,
                                tl_at(h->state->maps[kind][l], row), steps);
}

/* Writes the hypothesis that candidate c for word t ends into index `at` of its sentence's nbest. */
static void put(tl_hypotheses *h, long place, tl_candidate c, long t, int at, double score) {
    const long number = h->sentence[place].number, to = number * h->nbest + at,
               row = place * h->width + c.slot;
    int *ids = h->best_ids + to * h->capacity;
    memcpy(ids, h->ids + row * h->capacity, (size_t)t * sizeof *ids);
    ids[t] = c.word;
    h->best_lengths[to] = (int)t + (c.word != h->eos);
    h->best_score[to] = score;
    keep_maps(h, number, at, row, t);
}

static double score_of(const tl_hypotheses *h, tl_candidate c, long t) {
    return c.sum / pow((double)t + 1, h->alpha);
}

/* Candidate c for word t is finished: puts it into the nbest if its score is high enough; ties go to the earlier one.
 * It is at least as long as any finished before, so it overwrites all words of the entry that it replaces. */
static void finish(tl_hypotheses *h, long place, tl_candidate c, long t) {
    tl_sentence *s = &h->sentence[place];
    const long first = s->number * h->nbest;
    const double score = score_of(h, c, t);
    int at = s->finished < h->nbest ? s->finished : h->nbest;
    s->finished++;
    while (at > 0 && h->best_score[first + at - 1] < score) at--;
    if (at >= h->nbest) return;
    move_down(h, first, at);
    put(h, place, c, t, at, score);
}

/* ---- live hypotheses ---- */

/* Makes h->next[0 … count-1] the live hypotheses. */
static void set_live(tl_hypotheses *h, long place, int count, long t) {
    const long first = place * h->width;
    int *owner = h->head; /* [width] the index in next of the continuation in each slot, or -1 */
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

/* Can no live hypothesis reach the nbest any more? An empty entry has the score -INFINITY. */
static bool cannot_improve(const tl_hypotheses *h, const tl_sentence *s) {
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
    s->done = last || s->finished >= h->width || kept == 0 || cannot_improve(h, s);
    if (!s->done) set_live(h, place, kept, t);
}

/* Samples: each stays in its slot. The sentence is done when all of them have ended. */
static void advance_samples(tl_hypotheses *h, long place, long t) {
    tl_sentence *s = &h->sentence[place];
    const bool last = t + 1 >= h->limits[s->number];
    s->done = true;
    for (int slot = 0; slot < h->width; slot++) {
        const long row = place * h->width + slot;
        if (tl_sample_ended(h, s, slot)) continue;
        const tl_candidate c = h->row[row * h->top];
        h->ids[row * h->capacity + t] = c.word;
        h->sum[row] = c.sum;
        if (last || c.word == h->eos)
            put(h, place, c, t, slot, score_of(h, c, t));
        else
            s->done = false;
    }
}

/* Drops sentences that are done, once they are a quarter of the batch: moving the others costs about a step. Returns
 * how many sentences are not done. */
static long drop_done(tl_hypotheses *h, long t) {
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

/* ---- whole batches ---- */

bool tl_hypotheses_extend(tl_hypotheses *h, tl_tensor logits, long t, long *going) {
    if (!tl_candidates_find(h, logits, t)) return false;
    for (long p = 0; p < h->sentences; p++)
        if (!h->sentence[p].done) (h->options->sample ? advance_samples : advance)(h, p, t);
    *going = drop_done(h, t);
    return true;
}

static tl_tensor *room_for_maps(const tl_hypotheses *h, tl_attention_kind kind, long keys) {
    return tl_zeroed_maps(h->tape, h->state->model, kind, TL_SHAPE(h->begun, h->nbest, 0, h->capacity, keys));
}

bool tl_hypotheses_new(tl_hypotheses *h, bool maps, long source_length) {
    tl_tape *tape = h->tape;
    const long n = h->sentences = h->begun, rows = n * h->width, given = n * h->nbest;
    h->top = h->width == 1 || h->options->sample ? 1 : 2 * h->width < h->vocab ? 2 * h->width : h->vocab;
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
        h->best_maps[TL_DECODER_SELF] = room_for_maps(h, TL_DECODER_SELF, h->capacity);
        h->best_maps[TL_CROSS] = room_for_maps(h, TL_CROSS, source_length);
    }
    if (tl_tape_error(tape)) return false;
    for (long s = 0; s < n; s++)
        h->sentence[s] = (tl_sentence){.number = s, .live = h->options->sample ? h->width : 1};
    for (long i = 0; i < given; i++) {
        h->best_lengths[i] = -1;
        h->best_score[i] = -INFINITY;
    }
    return true;
}
