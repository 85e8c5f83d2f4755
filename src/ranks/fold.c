/* The sum of shares that lie on several ranks (fold.h).
 *
 * All parts of a share, end to end, are P numbers. They are cut into slices, one for each rank, and slices into
 * pieces; a message is one piece. So sender, receiver and tag of each message are known before anything is computed.
 * Receives are started before there is anything to send. Every piece of every share is sent once; a piece that
 * nobody has filled is sent empty. So the messages under way are exactly those that are waited for, also after a
 * failure. */
#include "fold.h"

#include "tensor/map.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A piece has this many numbers, or the rest of a slice: small enough that many are under way at once, large enough
 * that the cost of a message is small beside it. Slices are multiples of 64 bytes. */
enum { PIECE = 1 << 17, GRAIN = 16, ALIGN = 16 };

struct tl_fold {
    tl_ranks *ranks;
    int count, own;           /* ranks */
    long shares, first, mine; /* all shares; this rank's first; how many it has */
    long most;                /* the most that a rank has */
    int parts;
    long *at;            /* [parts+1] where each part begins */
    long slice, pieces;  /* numbers in a slice; pieces in a slice */
    tl_real *staged;     /* [mine][count,slice] this rank's shares */
    tl_real *come;       /* [shares - mine][slice] of other ranks' shares, the own slice */
    tl_real *sum;        /* [count,slice] */
    size_t note, record; /* bytes of a note; bytes of a note with flags */
    /* [count][record] a note, then flags [most][parts]: has this share reached this part? */
    unsigned char *records;
    long closed; /* how many of this rank's shares are closed */
};

/* ---- which rank has what ---- */

int tl_fold_rank_of(const tl_fold *f, long share) { return (int)((int64_t)share * f->count / f->shares); }

static long first_share_of(const tl_fold *f, int rank) {
    return (long)(((int64_t)rank * f->shares + f->count - 1) / f->count);
}

static unsigned char *flags_of(const tl_fold *f, long share) { /* [parts] */
    const int rank = tl_fold_rank_of(f, share);
    return f->records + (size_t)rank * f->record + f->note +
           (size_t)(share - first_share_of(f, rank)) * (size_t)f->parts;
}

static tl_real *staged_of(const tl_fold *f, long share) {
    return f->staged + (share - f->first) * f->count * f->slice;
}

/* This rank's slice of another rank's share, as received. */
static tl_real *own_slice_of(const tl_fold *f, long share) {
    return f->come + (share < f->first ? share : share - f->mine) * f->slice;
}

static long piece_begin(const tl_fold *f, long piece) {
    return piece / f->pieces * f->slice + piece % f->pieces * PIECE;
}

/* Numbers in a piece; the last piece of a slice has the rest. */
static long piece_size(const tl_fold *f, long piece) {
    const long rest = f->slice - piece % f->pieces * PIECE;
    return rest < PIECE ? rest : PIECE;
}

static int tag_of(const tl_fold *f, long share, long piece) {
    return (int)(share * f->pieces + piece % f->pieces);
}

/* ---- beginning and end ---- */

static bool lay_out(tl_fold *f, const long *sizes) {
    f->at = calloc((size_t)f->parts + 1, sizeof *f->at);
    for (int p = 0; f->at && p < f->parts; p++) f->at[p + 1] = f->at[p] + sizes[p];
    if (!f->at) return false;
    const long each = (f->at[f->parts] + f->count - 1) / f->count;
    f->slice = (each + GRAIN - 1) / GRAIN * GRAIN;
    if (!f->slice) f->slice = GRAIN;
    f->pieces = (f->slice + PIECE - 1) / PIECE;
    return true;
}

static bool make_room(tl_fold *f) {
    const size_t whole = (size_t)(f->count * f->slice);
    f->note = (f->note + ALIGN - 1) / ALIGN * ALIGN;
    f->record = (f->note + (size_t)f->most * (size_t)f->parts + ALIGN - 1) / ALIGN * ALIGN;
    f->staged = calloc((size_t)f->mine * whole + 1, sizeof *f->staged);
    f->come = calloc((size_t)(f->shares - f->mine) * (size_t)f->slice + 1, sizeof *f->come);
    f->sum = calloc(whole, sizeof *f->sum);
    f->records = calloc((size_t)f->count, f->record + 1);
    return f->staged && f->come && f->sum && f->records;
}

tl_fold *tl_fold_new(tl_ranks *ranks, long shares, const long *sizes, int parts, size_t note,
                     tl_error *error) {
    const int count = tl_ranks_count(ranks), own = tl_ranks_number(ranks);
    if (shares < count) {
        tl_error_set(error, "%d ranks for %ld share%s: each needs one", count, shares,
                     shares == 1 ? "" : "s");
        return NULL;
    }
    tl_fold *f = calloc(1, sizeof *f);
    if (f) {
        *f = (tl_fold){
            .ranks = ranks, .count = count, .own = own, .shares = shares, .parts = parts, .note = note};
        f->first = first_share_of(f, own);
        f->mine = first_share_of(f, own + 1) - f->first;
        f->most = (shares + count - 1) / count;
    }
    if (!f || !lay_out(f, sizes) || !make_room(f)) {
        tl_error_set(error, "out of memory for the gradients of %ld shares on %d ranks", shares, count);
        tl_fold_free(f);
        return NULL;
    }
    if (count > 1 && shares * f->pieces > ranks->transport->most_tags) {
        tl_error_set(error,
                     "ranks: %ld shares of %ld messages are more than the %d that can be told apart: give "
                     "fewer shares",
                     shares, f->pieces, ranks->transport->most_tags);
        tl_fold_free(f);
        return NULL;
    }
    return f;
}

void tl_fold_free(tl_fold *f) {
    if (!f) return;
    free(f->at);
    free(f->staged);
    free(f->come);
    free(f->sum);
    free(f->records);
    free(f);
}

/* ---- sending ---- */

/* Sends a piece to its owner, unless that is this rank, where it already is. filled: false sends it empty. */
static bool send_piece(tl_fold *f, long share, long piece, bool filled, tl_error *error) {
    const int to = (int)(piece / f->pieces);
    if (to == f->own) return true;
    return tl_ranks_send(f->ranks, to, tag_of(f, share, piece), staged_of(f, share) + piece_begin(f, piece),
                         filled ? (size_t)piece_size(f, piece) * sizeof(tl_real) : 0, error);
}

bool tl_fold_begin(tl_fold *f, tl_error *error) {
    memset(f->records, 0, (size_t)f->count * f->record);
    f->closed = 0;
    for (long g = 0; g < f->shares; g++) {
        const int from = tl_fold_rank_of(f, g);
        for (long k = 0; from != f->own && k < f->pieces; k++)
            if (!tl_ranks_receive(f->ranks, from, tag_of(f, g, k), own_slice_of(f, g) + k * PIECE,
                                  (size_t)piece_size(f, k) * sizeof(tl_real), error))
                return false;
    }
    return true;
}

void tl_fold_give(tl_fold *f, long share, int part, const tl_real *data) {
    const long from = f->at[part], size = f->at[part + 1] - from;
    flags_of(f, share)[part] = true;
    if (size) memcpy(staged_of(f, share) + from, data, (size_t)size * sizeof *data);
}

bool tl_fold_close(tl_fold *f, long share, tl_error *error) {
    const bool filled = memchr(flags_of(f, share), true, (size_t)f->parts);
    f->closed = share - f->first + 1;
    for (long q = 0; q < f->count * f->pieces; q++)
        if (!send_piece(f, share, q, filled, error)) return false;
    return true;
}

/* ---- meeting ---- */

void *tl_fold_note(tl_fold *f) { return f->records + (size_t)f->own * f->record; }

const void *tl_fold_note_of(const tl_fold *f, int rank) { return f->records + (size_t)rank * f->record; }

bool tl_fold_meet(tl_fold *f, tl_error *error) {
    while (f->closed < f->mine)
        if (!tl_fold_close(f, f->first + f->closed, error)) return false;
    return tl_ranks_gather(f->ranks, tl_fold_note(f), f->records, f->record, error);
}

/* ---- adding ---- */

static bool is_reached(const tl_fold *f, int part) {
    for (long g = 0; g < f->shares; g++)
        if (flags_of(f, g)[part]) return true;
    return false;
}

/* Adds numbers `from` … `to` of the own slice, which belong to one part, share by share in order. */
static void add_shares(const tl_fold *f, int part, long from, long to) {
    const tl_shape shape = TL_SHAPE(to - from);
    tl_real *sum = f->sum + from;
    bool begun = false;
    for (long g = 0; g < f->shares; g++) {
        if (!flags_of(f, g)[part]) continue;
        tl_real *own = tl_fold_rank_of(f, g) == f->own ? staged_of(f, g) + from
                                                       : own_slice_of(f, g) + (from - f->own * f->slice);
        if (begun)
            tl_tensor_accumulate(tl_tensor_of(sum, shape), tl_tensor_of(own, shape));
        else
            memcpy(sum, own, (size_t)(to - from) * sizeof *sum);
        begun = true;
    }
}

static void add_up(const tl_fold *f) {
    const long begin = f->own * f->slice, end = begin + f->slice;
    for (int p = 0; p < f->parts; p++) {
        const long from = f->at[p] > begin ? f->at[p] : begin, to = f->at[p + 1] < end ? f->at[p + 1] : end;
        if (from < to) add_shares(f, p, from, to);
    }
}

bool tl_fold_sum(tl_fold *f, bool usable, tl_error *error) {
    if (!tl_ranks_wait(f->ranks, error)) return false;
    if (!usable) return true;
    add_up(f);
    return tl_ranks_gather(f->ranks, f->sum + f->own * f->slice, f->sum, (size_t)f->slice * sizeof *f->sum,
                           error);
}

const tl_real *tl_fold_sum_of(const tl_fold *f, int part) {
    return is_reached(f, part) ? f->sum + f->at[part] : NULL;
}
