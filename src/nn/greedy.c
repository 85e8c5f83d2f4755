/* Greedy decoding: the likeliest next word, until <eos> or the sentence's limit. */
#include "decoding.h"
#include "tapeloom/op.h"

#include <math.h>

typedef struct greedy {
    tl_decoding d;
    int *lengths;
    double *score;
    bool *done;
} greedy;

/* Index of the largest (the first of equals) and its log-probability. */
static int choose(const tl_real *logits, long n, double *log_p) {
    long best = 0;
    for (long i = 1; i < n; i++)
        if (logits[i] > logits[best]) best = i;
    double sum = 0;
    for (long i = 0; i < n; i++) sum += exp((double)logits[i] - (double)logits[best]);
    *log_p = -log(sum);
    return (int)best;
}

/* Writes one more id for every sentence that is not done; returns how many go on. */
static long extend(greedy *g, tl_tensor logits, long t, int eos) {
    long going = 0, vocab = logits.dim[2];
    for (long b = 0; b < g->d.sentences; b++) {
        if (g->done[b]) continue;
        double log_p;
        int id = choose(logits.data + b * vocab, vocab, &log_p);
        g->d.ids[b * g->d.capacity + t] = id;
        g->score[b] += log_p;
        if (id != eos) g->lengths[b]++;
        g->done[b] = id == eos || t + 1 >= g->d.limits[b];
        going += !g->done[b];
    }
    return going;
}

static bool run(greedy *g, const int *src, long length, const int *lengths, const tl_greedy_options *o) {
    const size_t n = (size_t)g->d.sentences;
    tl_tape *tape = g->d.tape;
    g->lengths = tl_decoding_zeroed(tape, n * sizeof *g->lengths);
    g->score = tl_decoding_zeroed(tape, n * sizeof *g->score);
    g->done = tl_decoding_zeroed(tape, n * sizeof *g->done);
    const tl_decoding_options options = {
        .bos = o->bos, .max_ratio = o->max_ratio, .max_extra = o->max_extra, .no_cache = o->no_cache};
    if (tl_tape_error(tape) || !tl_decoding_begin(&g->d, src, length, lengths, &options)) return false;
    for (long t = 0; t < g->d.capacity; t++) {
        tl_mark mark = tl_tape_mark(tape); /* a step's values go, the caches stay */
        tl_var logits = tl_decoding_step(&g->d, t);
        if (!tl_ok(logits)) return false;
        long going = extend(g, tl_value(logits), t, o->eos);
        tl_tape_release(tape, mark);
        if (!going) break;
    }
    return true;
}

bool tl_transformer_greedy(const tl_transformer *model, tl_tape *tape, const int *src, long sentences,
                           long length, const int *lengths, const tl_greedy_options *options,
                           tl_greedy_result *result) {
    *result = (tl_greedy_result){0};
    if (!tape || tl_tape_error(tape)) return false;
    greedy g = {.d = {.model = model, .tape = tape, .sentences = sentences, .each = 1}};
    bool grad = tl_tape_set_grad(tape, false), training = tl_tape_set_training(tape, false);
    bool ok = run(&g, src, length, lengths, options);
    tl_tape_set_grad(tape, grad);
    tl_tape_set_training(tape, training);
    if (ok)
        *result = (tl_greedy_result){.sentences = sentences,
                                     .capacity = g.d.capacity,
                                     .ids = g.d.ids,
                                     .lengths = g.lengths,
                                     .score = g.score};
    return ok;
}
