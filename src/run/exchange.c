/* An update's gradients over several ranks. The gradients of each share are one chain of backward's additions on the
 * rank that has the share, as in one process; src/ranks/fold.c then adds the shares in order. A share is sent as
 * soon as it is complete, and travels while the next one is computed, as far as the network moves data by itself.
 *
 * Every rank calls tl_exchange_meet, also one that has failed before: there all ranks learn of a failure before
 * anything is added. A rank that can no longer send or receive fails there, and its program ends the others. */
#include "training.h"

#include "ranks/fold.h"

#include <stdlib.h>
#include <string.h>

struct tl_exchange {
    tl_ranks *ranks;
    tl_fold *fold;
    tl_param **part; /* [parts] the parameters that are not frozen */
    int parts;
    long shares, first, most; /* all shares; this rank's first; the most that a rank has */
};

/* What a rank reports of an update: success, sums over its batches, and the loss of each of its shares. */
typedef struct note {
    bool ok;
    long tokens;
    double read, loss[];
} note;

static size_t note_size(long most) { return sizeof(note) + (size_t)most * sizeof(double); }

/* ---- beginning and end ---- */

static void list_parts(tl_exchange *x, tl_params *params, long *sizes) {
    for (int i = 0; i < tl_params_count(params); i++) {
        tl_param *p = tl_params_at(params, i);
        if (p->leaf.frozen) continue;
        sizes[x->parts] = tl_numel(p->leaf.value);
        x->part[x->parts++] = p;
    }
}

static bool make(tl_exchange *x, tl_params *params, tl_error *error) {
    const size_t count = (size_t)tl_params_count(params) + 1;
    long *sizes = calloc(count, sizeof *sizes);
    x->part = calloc(count, sizeof *x->part);
    if (sizes && x->part) {
        list_parts(x, params, sizes);
        x->fold = tl_fold_new(x->ranks, x->shares, sizes, x->parts, note_size(x->most), error);
    }
    free(sizes);
    return x->fold || tl_error_set(error, "out of memory for what ranks exchange");
}

bool tl_exchange_open(tl_training *t) {
    const tl_train_config *c = t->config;
    const int count = tl_ranks_count(c->ranks);
    tl_exchange *x = t->exchange = calloc(1, sizeof *x);
    if (!x) return tl_error_set(t->error, "out of memory for what ranks exchange");
    x->ranks = c->ranks;
    x->shares = c->training->shares;
    x->most = (x->shares + count - 1) / count;
    if (!make(x, c->params, t->error)) return false;
    while (tl_fold_rank_of(x->fold, x->first) < tl_ranks_number(c->ranks)) x->first++;
    return true;
}

void tl_exchange_close(tl_exchange *x) {
    if (!x) return;
    tl_fold_free(x->fold);
    free(x->part);
    free(x);
}

/* ---- a share ---- */

bool tl_exchange_is_mine(const tl_training *t, int micro) {
    return !t->exchange ||
           tl_fold_rank_of(t->exchange->fold, tl_share_of(t, micro)) == tl_ranks_number(t->config->ranks);
}

bool tl_exchange_begin(tl_training *t) { return tl_fold_begin(t->exchange->fold, t->error); }

bool tl_exchange_end_share(tl_training *t, long share, double loss) {
    const tl_exchange *x = t->exchange;
    for (int p = 0; p < x->parts; p++)
        if (x->part[p]->leaf.reached) tl_fold_give(x->fold, share, p, x->part[p]->leaf.grad);
    ((note *)tl_fold_note(x->fold))->loss[share - x->first] = loss;
    if (!tl_fold_close(x->fold, share, t->error)) return false;
    tl_zero_grad(t->config->params);
    return true;
}

/* ---- all shares ---- */

/* Adds the losses share by share, as one process does. An empty share has loss 0 and changes nothing. */
static bool add_notes(const tl_exchange *x, tl_sums *s) {
    bool ok = true;
    long share = 0;
    *s = (tl_sums){0, 0, 0, 0};
    for (int r = 0; r < tl_ranks_count(x->ranks); r++) {
        const note *n = tl_fold_note_of(x->fold, r);
        ok = ok && n->ok;
        s->tokens += n->tokens;
        s->read += n->read;
        for (long k = 0; share < x->shares && tl_fold_rank_of(x->fold, share) == r; share++)
            s->loss += n->loss[k++];
    }
    return ok;
}

static void take_sums(const tl_exchange *x) {
    for (int p = 0; p < x->parts; p++) {
        tl_leaf *leaf = &x->part[p]->leaf;
        const tl_real *sum = tl_fold_sum_of(x->fold, p);
        leaf->reached = sum != NULL;
        if (sum) memcpy(leaf->grad, sum, (size_t)tl_numel(leaf->value) * sizeof *sum);
    }
}

bool tl_exchange_meet(tl_training *t, bool ok, tl_sums *s) {
    tl_exchange *x = t->exchange;
    note *own = tl_fold_note(x->fold);
    own->ok = ok;
    own->tokens = s->tokens;
    own->read = s->read;
    tl_error wrong = {""}; /* the transport's error; a failure of this rank stays in t->error */
    const bool met = tl_fold_meet(x->fold, &wrong), all_ok = met && add_notes(x, s);
    if (!met || !tl_fold_sum(x->fold, all_ok, &wrong)) return tl_error_set(t->error, "%s", wrong.message);
    if (!all_ok) return tl_together(t, ok);
    take_sums(x);
    return true;
}
