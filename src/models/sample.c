/* Draws a word instead of taking the most likely one.
 *
 * Word v is drawn with probability proportional to e^(logit(v) / temperature), from the words that remain after these
 * steps:
 *
 *     remove forbidden words
 *     keep the top_k most likely (Fan et al. 2018)
 *     keep the fewest most likely whose probabilities sum to at least top_p (Holtzman et al. 2020)
 *
 * Ties go to the lower id. The random number depends only on the seed, the sentence's number, the sample's number and
 * the word's index, so a sentence's samples do not depend on the rest of the batch. */
#include "sample.h"

#include "tensor/rows.h"

#include <math.h>

bool tl_check_sampling(tl_tape *tape, const char *who, const tl_sampling *how) {
    if (!(how->temperature >= 0 && isfinite(how->temperature)))
        tl_tape_fail(tape, "%s: temperature is %g, should be more than 0 (0 means 1)", who, how->temperature);
    else if (how->top_k < 0 || !(how->top_p >= 0 && how->top_p <= 1))
        tl_tape_fail(tape, "%s: top_k is %d, should be 0 (all words) or more, and top_p %g, 0 (all) … 1", who,
                     how->top_k, how->top_p);
    return !tl_tape_error(tape);
}

/* ---- a heap with the most likely word first ---- */

static bool is_more_likely(const tl_real *logits, int a, int b) {
    return logits[a] > logits[b] || (logits[a] >= logits[b] && a < b);
}

/* In the heap, words[i] is at least as likely as words[2i+1] and words[2i+2]. Moves the word at index `at` down to its
 * place. */
static void sink(const tl_real *logits, int *words, long count, long at) {
    for (long child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && is_more_likely(logits, words[child + 1], words[child])) child++;
        if (!is_more_likely(logits, words[child], words[at])) return;
        const int word = words[at];
        words[at] = words[child], words[child] = word;
    }
}

/* Moves the most likely word of a heap to its end, behind the rest of the heap. */
static void pop(const tl_real *logits, int *words, long count) {
    const int word = words[0];
    words[0] = words[count - 1], words[count - 1] = word;
    sink(logits, words, count - 1, 0);
}

/* ---- the remaining words ---- */

typedef struct choice {
    const tl_real *logits, *weights; /* [vocab] */
    int *words;
    long count;
} choice;

static double weight(const choice *c, int word) { return (double)c->weights[word]; }

static double sum(const choice *c) {
    double all = 0;
    for (long i = 0; i < c->count; i++) all += weight(c, c->words[i]);
    return all;
}

/* Keeps the most likely words, the least likely of them first: at most `most`, and no more than needed for this share
 * of the sum of all weights. */
static void keep_most_likely(choice *c, long most, double share) {
    const double enough = share < 1 ? share * sum(c) : INFINITY;
    double so_far = 0;
    long left = c->count;
    for (long i = c->count / 2 - 1; i >= 0; i--) sink(c->logits, c->words, c->count, i);
    while (left > 0 && c->count - left < most && so_far < enough) {
        pop(c->logits, c->words, left--);
        so_far += weight(c, c->words[left]);
    }
    c->words += left;
    c->count -= left;
}

double tl_sample_chance(uint64_t seed, long sentence, long sample, long t) {
    const tl_rng_key key = tl_rng_key_mix(tl_rng_key_of(seed, "sample"), (uint64_t)sentence);
    return tl_rng_uniform(tl_rng_key_mix(key, (uint64_t)sample), (uint64_t)t);
}

static int draw(const choice *c, double u) {
    const double aim = u * sum(c);
    double so_far = 0;
    int word = -1;
    for (long i = 0; i < c->count && (word < 0 || so_far <= aim); i++) {
        const double w = weight(c, c->words[i]);
        if (w > 0) word = c->words[i];
        so_far += w;
    }
    return word;
}

int tl_sample_word(const tl_real *logits, long vocab, const uint8_t *forbidden, const tl_sampling *how,
                   double chance, const tl_sample_room *room) {
    choice c = {.logits = logits, .weights = room->weights, .words = room->words};
    tl_real max = -(tl_real)INFINITY;
    for (int v = 0; v < vocab; v++) {
        if (!(logits[v] > -(tl_real)INFINITY) || (forbidden && forbidden[v])) continue;
        c.words[c.count++] = v;
        if (logits[v] > max) max = logits[v];
    }
    if (c.count == 0) return -1;
    tl_row_weights(room->weights, logits, vocab, (double)max, how->temperature > 0 ? how->temperature : 1);
    if (how->top_k > 0) keep_most_likely(&c, how->top_k, 1);
    if (how->top_p > 0) keep_most_likely(&c, c.count, how->top_p);
    return draw(&c, chance);
}
