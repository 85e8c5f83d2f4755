/* Greedy decoding: the likeliest next word, until <eos> or the sentence's limit. */
#include "decoding.h"
#include "tapeloom/op.h"
#include "tensor/kernels/kernels.h"
#include "tensor/share.h"

enum { SMALL = 30000 }; /* up to so many logits, one thread is as fast as two */

typedef struct greedy {
    tl_decoding d;
    int *lengths;
    double *score;
    bool *done;
} greedy;

typedef struct choice {
    greedy *of;
    tl_tensor logits; /* [sentences,1,V] */
    long t;
    int eos;
} choice;

/* One more id for sentence b, if it is not done: the largest logit's, the first of equals. */
static void choose(const void *context, long b) {
    const choice *c = context;
    greedy *g = c->of;
    if (g->done[b]) return;
    const tl_row_kernels *rows = tl_kernels_pick()->rows;
    const long vocab = c->logits.dim[2];
    double nll;
    const long id = rows->likeliest(c->logits.data + b * vocab, vocab, &nll);
    g->d.ids[b * g->d.capacity + c->t] = (int)id;
    g->score[b] -= nll;
    if (id != c->eos) g->lengths[b]++;
    g->done[b] = id == c->eos || c->t + 1 >= g->d.limits[b];
}

/* Returns how many sentences go on. */
static long extend(greedy *g, tl_tensor logits, long t, int eos) {
    const choice c = {g, logits, t, eos};
    long going = 0;
    tl_share(tl_numel(logits) > SMALL, g->d.sentences, choose, &c);
    for (long b = 0; b < g->d.sentences; b++) going += !g->done[b];
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
    const bool grad = tl_tape_set_grad(tape, false);
    const long training = tl_tape_set_training(tape, 0);
    bool ok = run(&g, src, length, lengths, options);
    tl_decoding_end(&g.d);
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
