/* Communication between ranks. Only bytes are moved; every rank compares or adds by itself, with all ranks' bytes at
 * hand, and so all get the same result. */
#include "ranks.h"

#include "base/quote.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

tl_ranks *tl_ranks_over(const tl_transport *transport, void *self, int count, int number) {
    tl_ranks *ranks = calloc(1, sizeof *ranks);
    if (!ranks) {
        transport->free(self);
        return NULL;
    }
    *ranks = (tl_ranks){.count = count, .number = number, .threads = 1, .transport = transport, .self = self};
    return ranks;
}

void tl_ranks_end(tl_ranks *ranks, bool failed) {
    if (!ranks) return;
    if (failed && ranks->count > 1 && !ranks->all_know) ranks->transport->quit(ranks->self);
    ranks->transport->free(ranks->self);
    free(ranks);
}

int tl_ranks_count(const tl_ranks *ranks) { return ranks ? ranks->count : 1; }
int tl_ranks_number(const tl_ranks *ranks) { return ranks ? ranks->number : 0; }
bool tl_ranks_lead(const tl_ranks *ranks) { return tl_ranks_number(ranks) == 0; }
int tl_ranks_threads(const tl_ranks *ranks) { return ranks ? ranks->threads : tl_processors(); }
bool tl_ranks_all_know(const tl_ranks *ranks) { return ranks && ranks->all_know; }
const char *tl_ranks_text(const tl_ranks *ranks) { return ranks ? ranks->text : "one process"; }

/* Is this rank still in step with the others? Once it has failed to make a call that all make, it never is again. */
static bool in_place(tl_ranks *ranks, tl_error *error) {
    return !ranks->broken || tl_error_set(error, "ranks: this one has lost the others by an error before");
}
static bool keep_place(tl_ranks *ranks, bool well) {
    if (!well && ranks) ranks->broken = true;
    return well;
}

/* ---- calls of all ranks ---- */

bool tl_ranks_gather(tl_ranks *ranks, const void *mine, void *all, size_t bytes, tl_error *error) {
    if (ranks)
        return in_place(ranks, error) &&
               keep_place(ranks, ranks->transport->gather(ranks->self, mine, all, bytes, error));
    if (mine != all && bytes) memcpy(all, mine, bytes);
    return true;
}

bool tl_ranks_broadcast(tl_ranks *ranks, void *data, size_t bytes, tl_error *error) {
    return !ranks || (in_place(ranks, error) &&
                      keep_place(ranks, ranks->transport->broadcast(ranks->self, data, bytes, error)));
}

/* Makes lists that lie end to end from rows of `most` bytes, one row a rank. */
static void compact(char *all, const size_t *each, int count, size_t most) {
    size_t to = each[0];
    for (int r = 1; r < count; to += each[r++]) memmove(all + to, all + (size_t)r * most, each[r]);
}

bool tl_ranks_gather_bytes(tl_ranks *ranks, const void *mine, size_t bytes, char **all, size_t *each,
                           tl_error *error) {
    const int count = tl_ranks_count(ranks);
    size_t most = 0;
    *all = NULL;
    if (!tl_ranks_gather(ranks, &bytes, each, sizeof bytes, error)) return false;
    for (int r = 0; r < count; r++)
        if (each[r] > most) most = each[r];
    /* all ranks see the same sizes, so all return here or none */
    char *rows = most < SIZE_MAX / 2 / (size_t)count ? malloc(most * (size_t)count + 1) : NULL;
    if (!keep_place(ranks, rows != NULL))
        return tl_error_set(error, "ranks: out of memory for %d lists of %zu bytes", count, most);
    if (bytes) memcpy(rows + (size_t)tl_ranks_number(ranks) * most, mine, bytes);
    if (bytes < most) memset(rows + (size_t)tl_ranks_number(ranks) * most + bytes, 0, most - bytes);
    if (!tl_ranks_gather(ranks, rows + (size_t)tl_ranks_number(ranks) * most, rows, most, error))
        return free(rows), false;
    compact(rows, each, count, most);
    *all = rows;
    return true;
}

/* ---- agreement ---- */

typedef struct answer {
    bool ok;
    char host[TL_RANKS_TEXT];
    tl_error why;
} answer;

bool tl_ranks_agree(tl_ranks *ranks, bool ok, tl_error *error) {
    const int count = tl_ranks_count(ranks);
    if (count == 1) return ok;
    answer own = {.ok = ok}, *all = calloc((size_t)count, sizeof *all);
    if (!ok && error) own.why = *error;
    memcpy(own.host, ranks->host, sizeof own.host);
    if (!keep_place(ranks, all != NULL))
        return tl_error_set(error, "ranks: out of memory for the answers of %d ranks", count);
    bool well = tl_ranks_gather(ranks, &own, all, sizeof own, error);
    for (int r = 0; well && r < count; r++) {
        if (all[r].ok) continue;
        well = false;
        ranks->all_know = true;
        tl_error_clear(error);
        if (r == 0)
            tl_error_set(error, "%s", all[r].why.message);
        else
            tl_error_set(error, "rank %d (%s): %s", r, all[r].host, all[r].why.message);
    }
    free(all);
    return well;
}

/* The line of `text` in which two texts begin to differ. */
static char *shown_line(const char *text, size_t size, const char *other, size_t other_size,
                        char shown[TL_SHOWN]) {
    size_t at = 0, begin, end;
    while (at < size && at < other_size && text[at] == other[at]) at++;
    for (begin = at; begin > 0 && text[begin - 1] != '\n'; begin--) continue;
    for (end = at; end < size && text[end] != '\n'; end++) continue;
    return tl_shown(text + begin, end - begin, 200, shown);
}

bool tl_ranks_same(tl_ranks *ranks, const char *what, const char *text, const char *hint, tl_error *error) {
    const int count = tl_ranks_count(ranks);
    if (count == 1) return true;
    char *all = NULL, shown[2][TL_SHOWN];
    size_t *each = calloc((size_t)count, sizeof *each), at = 0;
    if (!keep_place(ranks, each != NULL))
        return tl_error_set(error, "ranks: out of memory to compare %s", what);
    bool same = tl_ranks_gather_bytes(ranks, text, strlen(text), &all, each, error);
    for (int r = 0; same && r < count; at += each[r++]) {
        if (each[r] == each[0] && !memcmp(all, all + at, each[0])) continue;
        same = false;
        ranks->all_know = true;
        tl_error_set(error, "rank %d has %s \"%s\", and rank 0 has \"%s\": %s", r, what,
                     shown_line(all + at, each[r], all, each[0], shown[0]),
                     shown_line(all, each[0], all + at, each[r], shown[1]), hint);
    }
    free(all);
    free(each);
    return same;
}

/* ---- between two ranks ---- */

bool tl_ranks_send(tl_ranks *ranks, int to, int tag, const void *data, size_t bytes, tl_error *error) {
    return in_place(ranks, error) &&
           keep_place(ranks, ranks->transport->send(ranks->self, to, tag, data, bytes, error));
}
bool tl_ranks_receive(tl_ranks *ranks, int from, int tag, void *data, size_t bytes, tl_error *error) {
    return in_place(ranks, error) &&
           keep_place(ranks, ranks->transport->receive(ranks->self, from, tag, data, bytes, error));
}
bool tl_ranks_wait(tl_ranks *ranks, tl_error *error) {
    return !ranks ||
           (in_place(ranks, error) && keep_place(ranks, ranks->transport->wait(ranks->self, error)));
}
