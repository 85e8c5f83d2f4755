/* A transport (ranks/transport.h) over pairs of sockets. A seed decides how long each message is delayed on both
 * sides, and which of several goes first. Only messages with the same pair of ranks and the same tag stay in order.
 *
 * It is stricter than a real transport, so that a test finds mistakes that luck would hide. Memory that is sent is
 * read late, and must be unchanged when `wait` returns. Memory to receive into is NaN until the message has come. A
 * tag that is in use is refused, and so is a collective call that not all ranks make. If nothing happens for
 * FORKED_PATIENCE, the rank ends with a sentence instead of hanging. */
#ifndef TL_TESTS_RANKS_SOCKETS_H
#define TL_TESTS_RANKS_SOCKETS_H

#include "ranks/ranks.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FORKED_MOST = 8, FORKED_PATIENCE = 60000 /* ms */, FORKED_HANGS = 77 /* exit status */ };

/* Memory that all ranks and their parent share. */
typedef struct forked_job {
    int count, quit_by; /* the rank that has ended the job, plus 1; 0: none */
    long sent[FORKED_MOST][FORKED_MOST], taken[FORKED_MOST][FORKED_MOST]; /* messages by [from][to] */
} forked_job;

/* A message: a send or receive of this rank, or a message that has arrived but was not asked for yet. */
typedef struct forked_piece {
    struct forked_piece *next;
    struct forked_head {
        char kind; /* 'm'essage, 'g'ather, 'b'roadcast */
        int tag;
        size_t bytes; /* of the message; for a receive, the room */
    } head;
    bool sending, done;
    int peer;
    long due; /* delayed until this turn */
    char *data;
    size_t moved; /* bytes moved of head and data */
    uint64_t print;
} forked_piece;

typedef struct forked {
    int count, number, socket[FORKED_MOST]; /* -1: this rank itself, or the peer is gone */
    uint64_t seed, drawn;
    long turn;
    forked_piece *begun, *come;                                /* in the order of their calls */
    forked_piece *writing[FORKED_MOST], *reading[FORKED_MOST]; /* one at a time for each peer and direction */
    forked_job *job;
    tl_error failure;
} forked;

static inline uint64_t forked_mix(uint64_t x) {
    x = (x ^ (x >> 31)) * 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 29)) * 0xbf58476d1ce4e5b9u;
    return x ^ (x >> 32);
}
/* A random number less than `below`; always 0 without a seed. */
static inline long forked_draw(forked *f, long below) {
    return f->seed ? (long)(forked_mix(f->seed + f->drawn++ * 0x632be59bd9b4e019u) % (uint64_t)below) : 0;
}
/* Long delays for a few messages, so that many others overtake them. */
static inline long forked_delay(forked *f) { return forked_draw(f, 8) == 1 ? 30 : forked_draw(f, 5); }

static inline uint64_t forked_print(const char *data, size_t bytes) {
    uint64_t print = bytes;
    for (size_t i = 0; i < bytes; i++) print = (print ^ (unsigned char)data[i]) * 0x100000001b3u;
    return print;
}

static inline void forked_append(forked_piece **list, forked_piece *piece) {
    while (*list) list = &(*list)->next;
    *list = piece;
}

static inline bool forked_alike(const forked_piece *a, const forked_piece *b) {
    return a->peer == b->peer && a->sending == b->sending && a->head.tag == b->head.tag;
}

/* ---- starting ---- */

static inline bool forked_begin(forked *f, bool sending, int peer, struct forked_head head, char *data,
                                tl_error *error) {
    forked_piece *piece = calloc(1, sizeof *piece);
    if (!piece) return tl_error_set(error, "forked: out of memory");
    *piece = (forked_piece){.head = head, .sending = sending, .peer = peer, .data = data};
    for (const forked_piece *p = f->begun; p; p = p->next)
        if (head.tag >= 0 && forked_alike(p, piece))
            return free(piece), tl_error_set(error, "forked: tag %d is on its way %s rank %d already",
                                             head.tag, sending ? "to" : "from", peer);
    if (sending) {
        piece->due = f->turn + forked_delay(f);
        piece->print = forked_print(data, head.bytes);
    } else if (head.bytes)
        memset(data, 0xff, head.bytes);
    forked_append(&f->begun, piece);
    return true;
}

/* ---- moving ---- */

static inline void forked_gone(forked *f, int peer) {
    close(f->socket[peer]);
    f->socket[peer] = -1;
    while (f->job->quit_by) pause(); /* the parent ends this rank too */
}

/* Moves as many bytes of head and data as possible; are they complete? False, with the socket closed, if the peer is
 * gone. */
static inline bool forked_bytes(forked *f, forked_piece *p) {
    const size_t head = sizeof p->head;
    for (;;) {
        const bool in_head = p->moved < head;
        char *at = in_head ? (char *)&p->head + p->moved : p->data + (p->moved - head);
        const size_t left = (in_head ? head : head + p->head.bytes) - p->moved;
        if (!left) return true;
        const ssize_t n = p->sending ? send(f->socket[p->peer], at, left, MSG_NOSIGNAL | MSG_DONTWAIT)
                                     : recv(f->socket[p->peer], at, left, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
        if (n <= 0) return forked_gone(f, p->peer), false;
        p->moved += (size_t)n;
        if (!p->sending && p->moved == head) {
            p->data = malloc(p->head.bytes + 1);
            if (!p->data) return tl_error_set(&f->failure, "forked: out of memory"), false;
        }
    }
}

/* The next message to a peer: any of those that are due and the first of their tag. */
static inline forked_piece *forked_next(forked *f, int peer) {
    forked_piece *found = NULL;
    long seen = 0;
    for (forked_piece *p = f->begun; p; p = p->next) {
        bool first = p->sending && !p->done && p->peer == peer && p->due <= f->turn;
        for (const forked_piece *before = f->begun; first && before != p; before = before->next)
            first = before->done || !forked_alike(before, p);
        if (first && (!found || forked_draw(f, ++seen + 1) == 0)) found = p;
    }
    return found;
}

static inline void forked_write(forked *f, int peer) {
    for (;;) {
        forked_piece *p = f->writing[peer];
        if (!p) p = f->writing[peer] = forked_next(f, peer);
        if (!p || f->socket[peer] < 0 || !forked_bytes(f, p)) return;
        p->done = true;
        f->writing[peer] = NULL;
        if (p->head.kind == 'm') f->job->sent[f->number][peer]++;
    }
}

static inline void forked_read(forked *f, int peer) {
    while (f->socket[peer] >= 0 && !tl_failed(&f->failure)) {
        forked_piece *p = f->reading[peer];
        if (!p) p = f->reading[peer] = calloc(1, sizeof *p);
        if (!p) return (void)tl_error_set(&f->failure, "forked: out of memory");
        p->peer = peer;
        if (!forked_bytes(f, p)) return;
        p->due = f->turn + forked_delay(f);
        f->reading[peer] = NULL;
        forked_append(&f->come, p);
    }
}

/* Does the message fit the receive? */
static inline bool forked_fits(forked *f, const forked_piece *asked, const forked_piece *came) {
    const struct forked_head *a = &asked->head, *c = &came->head;
    if (a->kind == c->kind && (a->kind == 'm' ? c->bytes <= a->bytes : c->bytes == a->bytes)) return true;
    return tl_error_set(&f->failure, "forked: from rank %d came '%c' of %zu bytes, asked for was '%c' of %zu",
                        came->peer, c->kind, c->bytes, a->kind, a->bytes);
}

/* Delivers all messages that have arrived, are due and were asked for. */
static inline void forked_deliver(forked *f) {
    for (forked_piece **link = &f->come; *link;) {
        forked_piece *p = *link, *asked = f->begun;
        bool first = p->due <= f->turn;
        for (const forked_piece *before = f->come; first && before != p; before = before->next)
            first = !forked_alike(before, p);
        while (asked && (asked->done || !forked_alike(asked, p))) asked = asked->next;
        if (!first || !asked || !forked_fits(f, asked, p)) {
            link = &p->next;
            continue;
        }
        if (p->head.bytes) memcpy(asked->data, p->data, p->head.bytes);
        asked->done = true;
        if (p->head.kind == 'm') f->job->taken[p->peer][f->number]++;
        *link = p->next;
        free(p->data);
        free(p);
    }
}

/* One turn: waits for a socket at most this long. False if the time passed and nothing happened. */
static inline bool forked_turn(forked *f, int milliseconds) {
    struct pollfd polled[FORKED_MOST];
    f->turn++;
    for (int r = 0; r < f->count; r++) {
        if (f->socket[r] >= 0 && !f->writing[r]) f->writing[r] = forked_next(f, r);
        polled[r] = (struct pollfd){f->socket[r], (short)(POLLIN | (f->writing[r] ? POLLOUT : 0)), 0};
    }
    const int ready = poll(polled, (nfds_t)f->count, milliseconds);
    for (int r = 0; ready > 0 && r < f->count; r++) {
        if (polled[r].revents & (POLLIN | POLLHUP | POLLERR)) forked_read(f, r);
        if (polled[r].revents & POLLOUT) forked_write(f, r);
    }
    return ready != 0 || milliseconds == 0;
}

/* ---- waiting ---- */

/* Can this message never complete, because the peer is gone? */
static inline bool forked_lost(const forked *f, const forked_piece *p) {
    if (p->done || f->socket[p->peer] >= 0) return false;
    for (const forked_piece *came = f->come; came; came = came->next)
        if (!p->sending && forked_alike(came, p)) return false;
    return true;
}

/* Is a message delayed, so that only further turns help? */
static inline bool forked_held(const forked *f) {
    for (const forked_piece *p = f->begun; p; p = p->next)
        if (p->sending && !p->done && p->due > f->turn) return true;
    for (const forked_piece *p = f->come; p; p = p->next)
        if (p->due > f->turn) return true;
    return false;
}

static inline bool forked_ours(const forked_piece *p, bool collective) {
    return collective == (p->head.kind != 'm');
}

/* Removes complete messages; was the memory of sends unchanged? */
static inline bool forked_settle(forked *f, bool collective, tl_error *error) {
    bool well = true;
    for (forked_piece **link = &f->begun; *link;) {
        forked_piece *p = *link;
        if (!forked_ours(p, collective)) {
            link = &p->next;
            continue;
        }
        if (p->sending && p->print != forked_print(p->data, p->head.bytes))
            well = tl_error_set(error, "forked: what was sent to rank %d, tag %d, was changed before `wait`",
                                p->peer, p->head.tag);
        *link = p->next;
        free(p);
    }
    return well;
}

/* Ends the rank, since a returned error could be taken for one that the test expects. */
static inline void forked_despair(const forked *f, const forked_piece *p) {
    fprintf(stderr, "rank %d: nothing in %d s %s rank %d: '%c', tag %d, %zu bytes\n", f->number,
            FORKED_PATIENCE / 1000, p->sending ? "to" : "from", p->peer, p->head.kind, p->head.tag,
            p->head.bytes);
    _exit(FORKED_HANGS);
}

static inline bool forked_until(forked *f, bool collective, tl_error *error) {
    for (;;) {
        forked_deliver(f);
        const forked_piece *left = f->begun, *lost = f->begun;
        while (left && (left->done || !forked_ours(left, collective))) left = left->next;
        while (lost && !(forked_ours(lost, collective) && forked_lost(f, lost))) lost = lost->next;
        if (tl_failed(&f->failure)) return tl_error_set(error, "%s", f->failure.message);
        if (!left) return forked_settle(f, collective, error);
        if (lost) return tl_error_set(error, "ranks: rank %d is gone", lost->peer);
        if (forked_held(f)) sched_yield();
        if (!forked_turn(f, forked_held(f) ? 0 : FORKED_PATIENCE)) forked_despair(f, left);
    }
}

/* ---- the transport ---- */

static bool forked_gather(void *self, const void *mine, void *all, size_t bytes, tl_error *error) {
    forked *f = self;
    const struct forked_head head = {.kind = 'g', .tag = -1, .bytes = bytes};
    char *rows = all, *own = rows + (size_t)f->number * bytes;
    if (bytes && mine != own) memcpy(own, mine, bytes);
    for (int r = 0; r < f->count; r++) {
        if (r == f->number) continue;
        if (!forked_begin(f, false, r, head, rows + (size_t)r * bytes, error) ||
            !forked_begin(f, true, r, head, own, error))
            return false;
    }
    return forked_until(f, true, error);
}

static bool forked_broadcast(void *self, void *data, size_t bytes, tl_error *error) {
    forked *f = self;
    const struct forked_head head = {.kind = 'b', .tag = -1, .bytes = bytes};
    for (int r = 0; r < (f->number ? 1 : f->count); r++)
        if (r != f->number && !forked_begin(f, f->number == 0, r, head, data, error)) return false;
    return forked_until(f, true, error);
}

static tl_transport forked_transport;

static inline bool forked_message(forked *f, bool sending, int peer, int tag, void *data, size_t bytes,
                                  tl_error *error) {
    if (peer < 0 || peer >= f->count || peer == f->number || tag < 0 || tag >= forked_transport.most_tags)
        return tl_error_set(error, "forked: rank %d, tag %d: there is no such one", peer, tag);
    return forked_begin(f, sending, peer, (struct forked_head){'m', tag, bytes}, data, error);
}
static bool forked_send(void *self, int to, int tag, const void *data, size_t bytes, tl_error *error) {
    return forked_message(self, true, to, tag, (void *)(uintptr_t)data, bytes, error);
}
static bool forked_receive(void *self, int from, int tag, void *data, size_t bytes, tl_error *error) {
    return forked_message(self, false, from, tag, data, bytes, error);
}
static bool forked_wait(void *self, tl_error *error) { return forked_until(self, false, error); }

static void forked_quit(void *self) {
    forked *f = self;
    f->job->quit_by = f->number + 1; /* the parent ends the others */
    _exit(1);
}

static void forked_free(void *self) {
    forked *f = self;
    for (forked_piece *p; (p = f->begun) != NULL; free(p)) f->begun = p->next;
    for (forked_piece *p; (p = f->come) != NULL; free(p->data), free(p)) f->come = p->next;
    for (int r = 0; r < f->count; r++) {
        if (f->reading[r]) free(f->reading[r]->data);
        free(f->reading[r]);
        if (f->socket[r] >= 0) close(f->socket[r]);
    }
    free(f);
}

static tl_transport forked_transport = {.gather = forked_gather,
                                        .broadcast = forked_broadcast,
                                        .send = forked_send,
                                        .receive = forked_receive,
                                        .wait = forked_wait,
                                        .quit = forked_quit,
                                        .free = forked_free,
                                        .most_tags = 32768};

#endif
