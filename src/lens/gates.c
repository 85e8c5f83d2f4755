/* The rules of the gates, with their margins: from measured numbers to verdicts (checks.h). Nothing here needs a
 * model. */
#include "tapeloom/checks.h"

#include <math.h>

/* ---- margins, fixed before anything was measured, except what SUMS_TO_ZERO is relative to ---- */

/* A trained model's loss must rise by this much (nats a token), and by this many standard errors, when something
 * that it needs is taken away. Translators of a toy language lose 1 and more. A model that memorises its targets or
 * ignores its source loses next to nothing. */
static const double MATTERS = 0.05, ERRORS = 3;
/* An untrained model's loss must change by more than rounding, up or down. */
static const double MOVES = 1e-4;
/* Largest entropy of trained cross-attention, as a share of uniform attention's entropy. */
static const double LOOKS_EVERYWHERE = 0.95;
/* Before training all words are about equally likely: the loss is near ln V; logits of variance 1 add ½. */
static const double BELOW_LN_V = 0.2, ABOVE_LN_V = 1.0;
/* Overfitting one batch must reduce the loss at least to this share. */
static const double LEARNT = 0.1;
/* Tolerances of sums of rounded numbers. */
static const double SAME_LOSS = sizeof(tl_real) == 8 ? 1e-10 : 1e-5;
static const double SUMS_TO_ONE = sizeof(tl_real) == 8 ? 1e-12 : 1e-5;
/* relative to Σ A·|dA|, the size of what is subtracted */
static const double SUMS_TO_ZERO = sizeof(tl_real) == 8 ? 1e-12 : 1e-5;
static const double SAME_LOG_P = sizeof(tl_real) == 8 ? 1e-9 : 1e-3;

/* ---- paired differences ---- */

void tl_paired_add(tl_paired *p, double as_it_is, double otherwise, double tokens) {
    const double d = otherwise - as_it_is;
    if (!p) return;
    p->count++;
    p->tokens += tokens;
    p->difference += d;
    p->squares += d * d;
    p->products += d * tokens;
    p->token_squares += tokens * tokens;
    p->absolute += fabs(d);
}

double tl_paired_mean(const tl_paired *p) { return p && p->tokens > 0 ? p->difference / p->tokens : 0; }
double tl_paired_moved(const tl_paired *p) { return p && p->tokens > 0 ? p->absolute / p->tokens : 0; }

/* The error of a ratio of sums D = Σd / Σn over m sentences: √(m/(m-1) · Σ(d - D·n)²) / Σn (Cochran 1977, 6.4). */
double tl_paired_error(const tl_paired *p) {
    if (!p || p->count < 2 || p->tokens <= 0) return INFINITY;
    const double mean = tl_paired_mean(p);
    const double rest = p->squares - 2 * mean * p->products + mean * mean * p->token_squares;
    return sqrt(fmax(0, rest) * (double)p->count / (double)(p->count - 1)) / p->tokens;
}

/* ---- verdicts ---- */

static tl_gate gate(const char *name, const char *means) { return (tl_gate){.name = name, .means = means}; }

static void skip_gate(tl_gate *g, const char *why) {
    g->verdict = TL_GATE_NOT_ASKED;
    snprintf(g->measured, sizeof g->measured, "%s", why);
}

#define decide(g, passes, ...)                               \
 ((g)->verdict = (passes) ? TL_GATE_PASSED : TL_GATE_FAILED, \
  (void)snprintf((g)->measured, sizeof(g)->measured, __VA_ARGS__))

/* The loss must rise when something is taken away. */
static void judge_paired(tl_gate *g, const tl_measured *m, const tl_paired *p, const char *what) {
    const double mean = tl_paired_mean(p), error = tl_paired_error(p), moved = tl_paired_moved(p);
    if (p->count < 2)
        skip_gate(g, "there are fewer than two sentences to compare");
    else if (m->trained)
        decide(g, mean >= MATTERS && mean >= ERRORS * error,
               "%s: loss %+.3f nats a token (standard error %.3f; asked: at least %.2f and %.0f errors)",
               what, mean, error, MATTERS, ERRORS);
    else
        decide(g, moved > MOVES, "%s: loss moves by %.2g nats a token (untrained, asked: more than %.0e)",
               what, moved, MOVES);
}

static void judge_order(tl_gate *g, const tl_measured *m) {
    *g = gate("order matters", "Positions do not reach the model: no encoding is added, it is added to what "
                               "nobody reads, or all places get the "
                               "same one; or the model was trained too little to use them.");
    if (m->bag)
        skip_gate(g, "the model is a mean of embeddings: it cannot know an order");
    else
        judge_paired(g, m, &m->order,
                     m->source ? "the source in another order"
                               : "words behind a first half in another order");
}

static void judge_cross(tl_gate *g, const tl_measured *m) {
    *g = gate("cross-attention matters",
              "The decoder does not use what its cross-attention gives: memory is not handed on, its mask "
              "blocks every key, or the "
              "decoder has become a language model of the targets; train longer, or on more sentences.");
    if (!m->cross)
        skip_gate(g, "the model has no cross-attention");
    else
        judge_paired(g, m, &m->no_cross, "contexts of all cross-attention set to 0");
}

static void judge_source(tl_gate *g, const tl_measured *m) {
    *g =
        gate("the source matters", "The decoder says the same whatever it is to translate: the source does "
                                   "not reach it, sentences of a batch are mixed up on the way, or the lines "
                                   "of source and target that it has learnt from do not belong together.");
    if (!m->decoder || !m->source)
        skip_gate(g, "the model does not write from a source");
    else
        judge_paired(g, m, &m->other_source, "another sentence's source");
}

static void judge_entropy(tl_gate *g, const tl_measured *m) {
    *g = gate("cross-attention chooses", "Attention looks everywhere alike: scores are too small (divided by "
                                         "√d_k twice, or queries and keys near 0), or the model "
                                         "was trained too little.");
    const double share = m->entropy_rows > 0 ? m->entropy / m->entropy_rows : 1;
    if (!m->cross || !m->competes || m->entropy_rows == 0)
        skip_gate(g, !m->cross     ? "the model has no cross-attention"
                     : m->competes ? "no row sees more than one key"
                                   : "weights of a sigmoid do not compete");
    else if (!m->trained) {
        skip_gate(g, "");
        snprintf(g->measured, sizeof g->measured,
                 "entropy is %.3f of the uniform one's; untrained, nothing is asked", share);
    } else
        decide(g, share < LOOKS_EVERYWHERE,
               "entropy is %.3f of the uniform one's (mean of all heads and rows; asked: below %.2f)", share,
               LOOKS_EVERYWHERE);
}

static void judge_loss(tl_gate *g, const tl_measured *m) {
    *g = gate("the loss is what it says", "The loss is not the mean over real tokens: padding counts, the "
                                          "divisor is another, label smoothing is not PyTorch's, or "
                                          "targets are shifted against outputs.");
    decide(g, m->loss_error <= SAME_LOSS,
           "%.6f, computed again in double %.6f (farthest off, relative: %.1e; asked: at most %.0e)", m->loss,
           m->own_loss, m->loss_error, SAME_LOSS);
}

static void judge_fresh(tl_gate *g, const tl_measured *m) {
    *g = gate("it begins at ln V", "Above: logits are too large before training (initialisation, a scale "
                                   "that is missing); below: the model sees what it is to "
                                   "say.");
    const double loss = m->fresh_tokens > 0 ? m->fresh_nll / m->fresh_tokens : 0,
                 want = log((double)m->classes);
    if (m->fresh_tokens == 0)
        skip_gate(g, "there are no weights from before training to look at");
    else
        decide(g, loss >= want - BELOW_LN_V && loss <= want + ABOVE_LN_V,
               "loss before training %.3f, ln %ld = %.3f (asked: from %.1f below to %.1f above)", loss,
               m->classes, want, BELOW_LN_V, ABOVE_LN_V);
}

static void judge_gradients(tl_gate *g, const tl_measured *m) {
    *g = gate(
        "gradients reach everything",
        "A layer is made and never called, its result is not used, or the gradient ends on the way there.");
    if (m->idle)
        decide(g, false, "%ld of %ld parameters get none, or 0 everywhere: %s%s", m->idle, m->parameters,
               m->first_idle, m->idle > 1 ? ", …" : "");
    else
        decide(g, true, "all %ld parameters get one that is not 0", m->parameters);
}

static void judge_rows(tl_gate *g, const tl_measured *m) {
    *g = gate("rows sum as softmax's do", "A: softmax goes over another axis than the keys, or something is "
                                          "done to the weights behind it. dL/dS: softmax's "
                                          "backward lacks its sum, dS = A∘(dA - Σ A·dA).");
    if (!m->competes)
        skip_gate(g, "weights of a sigmoid sum to anything");
    else
        decide(g, m->row_sum <= SUMS_TO_ONE && m->grad_sum <= SUMS_TO_ZERO,
               "rows of A sum to 1 within %.1e (asked: %.0e), rows of dL/dS to 0 within %.1e of A·|dL/dA| "
               "(asked: %.0e)",
               m->row_sum, SUMS_TO_ONE, m->grad_sum, SUMS_TO_ZERO);
}

static void judge_blocked(tl_gate *g, const tl_measured *m) {
    *g = gate(
        "what is blocked is 0",
        "The mask is a finite number that is added, or it is put on after softmax, or not on every head.");
    if (m->blocked == 0)
        skip_gate(g, "no pair is blocked in these sentences");
    else
        decide(g, m->blocked_not_zero == 0, "A or dL/dS is not exactly 0 at %ld of %ld blocked pairs",
               m->blocked_not_zero, m->blocked);
}

static void judge_search(tl_gate *g, const tl_measured *m) {
    *g = gate("a word at a time is all at once",
              "While it writes, the model computes something else than in training: positions begin "
              "elsewhere, a cache has the wrong "
              "rows, dropout is on, or the decoder sees in training what it cannot see while it writes.");
    if (!m->decoder || m->written == 0)
        skip_gate(g, "the model writes no words");
    else
        decide(g, m->search_error <= SAME_LOG_P,
               "log p of %ld words %.6f, read all at once %.6f (farthest off of a sentence: %.1e; asked: at "
               "most %.0e)",
               m->written, m->one_at_a_time, m->at_once, m->search_error, SAME_LOG_P);
}

static void judge_overfit(tl_gate *g, const tl_measured *m) {
    *g = gate("one batch can be learnt", "Gradients are wrong (attend gradcheck), targets do not belong to "
                                         "outputs, or the learning rate does not fit.");
    if (m->steps == 0)
        skip_gate(g, "not asked for");
    else
        decide(g, m->overfit_after <= LEARNT * m->overfit_before,
               "%ld steps take one batch's loss from %.3f to %.3f nats a token (asked: to %.0f %% at most)",
               m->steps, m->overfit_before, m->overfit_after, 100 * LEARNT);
}

int tl_gates_judge(const tl_measured *measured, tl_gate gates[TL_GATES]) {
    static void (*const judges[TL_GATES])(tl_gate * g, const tl_measured *m) = {
        judge_loss,  judge_fresh,  judge_gradients, judge_rows,    judge_blocked, judge_search,
        judge_order, judge_source, judge_cross,     judge_entropy, judge_overfit};
    static const tl_measured nothing = {0};
    int failed = 0;
    for (int i = 0; gates && i < TL_GATES; i++) {
        judges[i](&gates[i], measured ? measured : &nothing);
        if (!measured) skip_gate(&gates[i], "nothing was measured");
        failed += gates[i].verdict == TL_GATE_FAILED;
    }
    return failed;
}
