/* Beam search: several hypotheses a sentence, the best of all their continuations kept at every step.
 *
 * The rule is fairseq's (Ott et al. 2019, sequence_generator). At every step, for each sentence that goes on:
 *
 *     candidates   every live hypothesis with every word, by the sum of log p so far; the best 2·beam are ranked.
 *                  Of equals the hypothesis in the lower slot comes first, and of its words the lower id
 *     ends         candidates that say <eos> and rank among the first `beam` are finished; their score is
 *                  sum / length^α, <eos> counted. (<eos> further down is dropped.)
 *     live         the first `beam` candidates that do not end are the next step's hypotheses
 *     limit        at a sentence's last step whatever ranks among the first `beam` is finished as it is (fairseq
 *                  would make it say <eos>)
 *     stop         when `beam` hypotheses are finished, or at the limit. Also when nbest are and not even the best live
 *                  one could get among them: its sum only falls, and length^α is at most limit^α. What would come
 *                  after that cannot change the result.
 *
 * No word is special but <eos>, as in greedy decoding: the logits alone decide. -Inf is never chosen.
 *
 * A hypothesis lives in a slot, one of its sentence's `beam` rows; the live ones fill slots 0, 1, … A hypothesis's first
 * continuation stays in its slot, further ones take those of hypotheses that ended; only these are copied. All this
 * depends on the sentence alone, so a batch gives what its sentences give alone, and sentences that are done can
 * leave it. */
#include "decoding.h"
#include "tapeloom/op.h"
#include "tensor/kernels/kernels.h"
#include "tensor/share.h"

#include <math.h>
#include <string.h>

enum { BEAM_DEFAULT = 5, BEAM_MOST = 1000 };

typedef struct candidate {
    double sum;
    int slot, word;
} candidate;

typedef struct search { /* of the sentence at one place of the batch */
    long sentence;      /* which one it was at the beginning */
    int live, finished;
    bool done;
} search;

typedef struct beam {
    tl_decoding d;
    int eos, width, nbest;
    double alpha;
    search *search;     /* [sentences] */
    double *sum;        /* [rows] sum of log p of the live hypotheses */
    long top;           /* words of a row that can come into question: 2·beam, or all there are */
    candidate *row;     /* [rows,top] each row's best continuations, best first */
    int *row_count;     /* [rows]; 0: the logits are not numbers */
    candidate *ranked;  /* [2·beam] */
    candidate *next;    /* [beam] */
    int *head;          /* [beam] */
    long *kept;         /* [sentences] */
    int *ids, *lengths; /* the result */
    double *score;
} beam;

/* ---- candidates ---- */

typedef struct scan_job {
    const beam *of;
    const tl_real *logits;
    long vocab;
} scan_job;

/* The best `top` of one row's logits, best first; of equals the lower id. Returns how many there are. */
static int best_words(candidate *best, long top, const tl_real *logits, long vocab) {
    long count = 0;
    tl_real worst = -(tl_real)INFINITY; /* what a word must beat */
    for (long v = 0; v < vocab; v++) {
        if (!(logits[v] > worst)) continue;
        long at = count < top ? count++ : top - 1;
        for (; at > 0 && best[at - 1].sum < logits[v]; at--) best[at] = best[at - 1];
        best[at] = (candidate){.sum = logits[v], .word = (int)v};
        if (count == top) worst = (tl_real)best[top - 1].sum;
    }
    return (int)count;
}

/* Logits become sums of log p; the order stays, because rounding is monotone. */
static void scan_row(const void *context, long row) {
    const scan_job *job = context;
    const beam *b = job->of;
    const search *s = &b->search[row / b->width];
    if (s->done || row % b->width >= s->live) return;
    const tl_real *logits = job->logits + row * job->vocab;
    candidate *best = b->row + row * b->top;
    const tl_row_softmax z = tl_kernels_pick()->rows->cross_entropy(logits, job->vocab, 0, 0, NULL).softmax;
    const double log_sum = log((double)z.sum);
    b->row_count[row] = isfinite(log_sum) ? best_words(best, b->top, logits, job->vocab) : 0;
    for (int i = 0; i < b->row_count[row]; i++) {
        best[i].sum = b->sum[row] + ((best[i].sum - (double)z.max) - log_sum);
        best[i].slot = (int)(row % b->width);
    }
}

/* Merges the rows of the sentence at this place into b->ranked; returns how many candidates there are. */
static int rank(beam *b, long place) {
    const search *s = &b->search[place];
    int count = 0;
    memset(b->head, 0, (size_t)b->width * sizeof *b->head);
    while (count < 2 * b->width) {
        const candidate *best = NULL;
        for (int slot = 0; slot < s->live; slot++) {
            const long row = place * b->width + slot;
            const candidate *c = b->row + row * b->top + b->head[slot];
            if (b->head[slot] < b->row_count[row] && (!best || c->sum > best->sum)) best = c;
        }
        if (!best) break;
        b->ranked[count++] = *best;
        b->head[best->slot]++;
    }
    return count;
}

/* ---- hypotheses ---- */

/* The candidate c for word t is finished: into the result, if it is among the nbest so far (of equals the earlier).
 * It is as long as any before it, so that it covers the words of the one whose place it takes. */
static void finish(beam *b, long place, candidate c, long t) {
    search *s = &b->search[place];
    const long first = s->sentence * b->nbest, capacity = b->d.capacity;
    const double score = c.sum / pow((double)t + 1, b->alpha);
    int at = s->finished < b->nbest ? s->finished : b->nbest;
    s->finished++;
    while (at > 0 && b->score[first + at - 1] < score) at--;
    if (at >= b->nbest) return;
    const size_t behind = (size_t)(b->nbest - 1 - at);
    int *ids = b->ids + (first + at) * capacity, *lengths = b->lengths + first + at;
    memmove(ids + capacity, ids, behind * (size_t)capacity * sizeof *ids);
    memmove(lengths + 1, lengths, behind * sizeof *lengths);
    memmove(b->score + first + at + 1, b->score + first + at, behind * sizeof *b->score);
    memcpy(ids, b->d.ids + (place * b->width + c.slot) * capacity, (size_t)t * sizeof *ids);
    ids[t] = c.word;
    *lengths = (int)t + (c.word != b->eos);
    b->score[first + at] = score;
}

/* b->next[0 … count-1] become the live hypotheses. */
static void replant(beam *b, long place, int count, long t) {
    const long first = place * b->width;
    int *owner = b->head; /* of each slot: the continuation that is in it, or -1 */
    for (int slot = 0; slot < b->width; slot++) owner[slot] = -1;
    for (int i = 0; i < count; i++)
        if (b->next[i].slot < count && owner[b->next[i].slot] < 0) owner[b->next[i].slot] = i;
    for (int i = 0, empty = 0; i < count; i++) {
        const int parent = b->next[i].slot;
        if (owner[parent] == i) continue;
        while (owner[empty] >= 0) empty++;
        owner[empty] = i;
        tl_decoding_copy_row(&b->d, first + empty, first + parent, t + 1);
    }
    for (int slot = 0; slot < count; slot++) {
        const candidate *c = &b->next[owner[slot]];
        b->d.ids[(first + slot) * b->d.capacity + t] = c->word;
        b->sum[first + slot] = c->sum;
    }
    b->search[place].live = count;
}

/* Can no live hypothesis get among the nbest any more? A place that is still empty has score -Inf. */
static bool hopeless(const beam *b, const search *s) {
    const double reach = b->next[0].sum / pow((double)b->d.limits[s->sentence], b->alpha);
    return reach <= b->score[s->sentence * b->nbest + b->nbest - 1];
}

static void advance(beam *b, long place, long t) {
    search *s = &b->search[place];
    const bool last = t + 1 >= b->d.limits[s->sentence];
    const int count = rank(b, place);
    int kept = 0;
    for (int i = 0; i < count && kept < b->width; i++) {
        const candidate c = b->ranked[i];
        if (!last && c.word != b->eos)
            b->next[kept++] = c;
        else if (i < b->width && s->finished < b->width)
            finish(b, place, c, t);
    }
    s->done = last || s->finished >= b->width || kept == 0 || hopeless(b, s);
    if (!s->done) replant(b, place, kept, t);
}

/* ---- the batch ---- */

/* Sentences that are done leave when they are a quarter of the batch: moving the others costs about a step. */
static long leave(beam *b, long t) {
    long going = 0;
    for (long p = 0; p < b->d.sentences; p++)
        if (!b->search[p].done) b->kept[going++] = p;
    if (going == 0 || 4 * going > 3 * b->d.sentences) return going;
    for (long p = 0; p < going; p++) {
        b->search[p] = b->search[b->kept[p]];
        memmove(b->sum + p * b->width, b->sum + b->kept[p] * b->width, (size_t)b->width * sizeof *b->sum);
    }
    tl_decoding_keep(&b->d, b->kept, going, t + 1);
    return going;
}

/* Takes one more word for every sentence that is not done; *going are left. */
static bool extend(beam *b, tl_tensor logits, long t, long *going) {
    const long rows = b->d.sentences * b->width, vocab = logits.dim[2];
    const scan_job job = {b, logits.data, vocab};
    tl_share(rows * vocab > 8192, rows, scan_row, &job);
    for (long p = 0; p < b->d.sentences; p++) {
        const search *s = &b->search[p];
        if (s->done) continue;
        for (int slot = 0; slot < s->live; slot++)
            if (b->row_count[p * b->width + slot] == 0) {
                tl_tape_fail(b->d.tape,
                             "beam: the model's logits for word %ld of sentence %ld hold NaN or infinity; "
                             "are its weights sound?",
                             t + 1, s->sentence);
                return false;
            }
        advance(b, p, t);
    }
    *going = leave(b, t);
    return true;
}

static bool check_options(tl_tape *tape, const tl_beam_options *o, int width, int nbest) {
    if (width < 1 || width > BEAM_MOST)
        tl_tape_fail(tape, "beam: beam is %d, should be 1 … %d (0 means %d; 4 to 10 are usual)", o->beam,
                     BEAM_MOST, BEAM_DEFAULT);
    else if (nbest < 1)
        tl_tape_fail(tape, "beam: nbest is %d, should be 1 … %d, the beam's width (0 means 1)", o->nbest,
                     width);
    else if (nbest > width)
        tl_tape_fail(tape,
                     "beam: nbest %d is more than the beam's %d hypotheses; make the beam as wide as nbest",
                     nbest, width);
    else if (!(o->length_penalty >= 0 && isfinite(o->length_penalty)))
        tl_tape_fail(tape, "beam: length_penalty is %g, should be 0 (none) or more; 0.6 to 1 are usual",
                     o->length_penalty);
    else if (!(o->max_ratio >= 0 && isfinite(o->max_ratio)) || o->max_extra < 0)
        tl_tape_fail(tape,
                     "beam: max_ratio is %g and max_extra %ld, should be 0 or more (both 0: 2·source + 10)",
                     o->max_ratio, o->max_extra);
    return !tl_tape_error(tape);
}

static bool prepare(beam *b) {
    tl_tape *tape = b->d.tape;
    const long n = b->d.sentences, rows = n * b->width, vocab = b->d.model->config.tgt_vocab;
    b->top = 2 * b->width < vocab ? 2 * b->width : vocab;
    b->search = tl_decoding_zeroed(tape, (size_t)n * sizeof *b->search);
    b->sum = tl_decoding_zeroed(tape, (size_t)rows * sizeof *b->sum);
    b->row = tl_tape_memory(tape, (size_t)(rows * b->top) * sizeof *b->row);
    b->row_count = tl_decoding_zeroed(tape, (size_t)rows * sizeof *b->row_count);
    b->ranked = tl_tape_memory(tape, (size_t)(2 * b->width) * sizeof *b->ranked);
    b->next = tl_tape_memory(tape, (size_t)b->width * sizeof *b->next);
    b->head = tl_tape_memory(tape, (size_t)b->width * sizeof *b->head);
    b->kept = tl_tape_memory(tape, (size_t)n * sizeof *b->kept);
    b->ids = tl_decoding_zeroed(tape, (size_t)(n * b->nbest * b->d.capacity) * sizeof *b->ids);
    b->lengths = tl_tape_memory(tape, (size_t)(n * b->nbest) * sizeof *b->lengths);
    b->score = tl_tape_memory(tape, (size_t)(n * b->nbest) * sizeof *b->score);
    if (tl_tape_error(tape)) return false;
    for (long s = 0; s < n; s++) b->search[s] = (search){.sentence = s, .live = 1};
    for (long i = 0; i < n * b->nbest; i++) {
        b->lengths[i] = -1;
        b->score[i] = -INFINITY;
    }
    return true;
}

static bool run(beam *b, const int *src, long length, const int *lengths, const tl_beam_options *o) {
    const tl_decoding_options options = {
        .bos = o->bos, .max_ratio = o->max_ratio, .max_extra = o->max_extra, .no_cache = o->no_cache};
    if (!tl_decoding_begin(&b->d, src, length, lengths, &options) || !prepare(b)) return false;
    long going = b->d.sentences;
    for (long t = 0; t < b->d.capacity && going > 0; t++) {
        tl_mark mark = tl_tape_mark(b->d.tape); /* a step's values go, the caches stay */
        tl_var logits = tl_decoding_step(&b->d, t);
        if (!tl_ok(logits) || !extend(b, tl_value(logits), t, &going)) return false;
        tl_tape_release(b->d.tape, mark);
    }
    return true;
}

bool tl_transformer_beam(const tl_transformer *model, tl_tape *tape, const int *src, long sentences,
                         long length, const int *lengths, const tl_beam_options *options,
                         tl_beam_result *result) {
    *result = (tl_beam_result){0};
    if (!tape || tl_tape_error(tape)) return false;
    const int width = options->beam ? options->beam : BEAM_DEFAULT,
              nbest = options->nbest ? options->nbest : 1;
    if (!check_options(tape, options, width, nbest)) return false;
    beam b = {.d = {.model = model, .tape = tape, .sentences = sentences, .each = width},
              .eos = options->eos,
              .width = width,
              .nbest = nbest,
              .alpha = options->length_penalty};
    const bool grad = tl_tape_set_grad(tape, false);
    const long training = tl_tape_set_training(tape, 0);
    bool ok = run(&b, src, length, lengths, options);
    tl_decoding_end(&b.d);
    tl_tape_set_grad(tape, grad);
    tl_tape_set_training(tape, training);
    if (ok)
        *result = (tl_beam_result){.sentences = sentences,
                                   .nbest = nbest,
                                   .capacity = b.d.capacity,
                                   .ids = b.ids,
                                   .lengths = b.lengths,
                                   .score = b.score};
    return ok;
}
