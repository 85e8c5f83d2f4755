/* The transport over MPI, under mpirun with any number of ranks. Without Check, since a rank must not fork. Every
 * rank checks what it receives; the first that finds a fault ends all of them with exit status 1. */
#include "leaks.h"
#include "ranks/ranks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static tl_ranks *ranks;
static tl_error error;
static int count, number;

#define must(condition)                                                                                      \
 do {                                                                                                        \
  if (!(condition)) {                                                                                        \
   fprintf(stderr, "%s:%d: rank %d of %d: should hold: %s (error: %s)\n", __FILE__, __LINE__, number, count, \
           #condition, error.message);                                                                       \
   tl_ranks_end(ranks, true);                                                                                \
   exit(1); /* a single rank returns */                                                                      \
  }                                                                                                          \
 } while (0)

static const size_t sizes[] = {0, 1, 3, 63, 64, 65, 1000, 4095, 4096, 4097, 65536, 70001, 1000000};
enum { SIZES = sizeof sizes / sizeof *sizes, LONGEST = 1000000 };

/* Byte i of a list, which depends on the list's name. */
static unsigned char byte_of(unsigned name, size_t i) {
    return (unsigned char)((i * 7 + name * 131 + i / 251) & 255);
}
static void fill(unsigned char *data, size_t bytes, unsigned name) {
    for (size_t i = 0; i < bytes; i++) data[i] = byte_of(name, i);
}
static bool filled(const unsigned char *data, size_t bytes, unsigned name) {
    for (size_t i = 0; i < bytes; i++)
        if (data[i] != byte_of(name, i)) return false;
    return true;
}

static void gathers(void) {
    unsigned char *all = malloc((size_t)count * LONGEST + 1), *mine = malloc(LONGEST);
    must(all && mine);
    for (int k = 0; k < 2 * SIZES; k++) {
        const size_t bytes = sizes[k / 2];
        /* its place in `all`, or other memory */
        unsigned char *from = k % 2 ? all + (size_t)number * bytes : mine;
        memset(all, 0, (size_t)count * bytes + 1);
        fill(from, bytes, (unsigned)(k + number));
        all[(size_t)count * bytes] = 77;
        must(tl_ranks_gather(ranks, from, all, bytes, &error));
        for (int r = 0; r < count; r++) must(filled(all + (size_t)r * bytes, bytes, (unsigned)(k + r)));
        must(all[(size_t)count * bytes] == 77);
    }
    free(all);
    free(mine);
}

static void broadcasts(void) {
    unsigned char *data = malloc(LONGEST + 1);
    must(data);
    for (int k = 0; k < SIZES; k++) {
        fill(data, sizes[k] + 1, (unsigned)(k + 100 * number));
        must(tl_ranks_broadcast(ranks, data, sizes[k], &error));
        must(filled(data, sizes[k], (unsigned)k));
        /* nothing is written after it */
        must(data[sizes[k]] == byte_of((unsigned)(k + 100 * number), sizes[k]));
    }
    free(data);
}

/* Each rank sends to each other rank, in each size, all at once; receivers have more room than needed. */
static void messages(void) {
    enum { ROOM = 16 };
    unsigned char *out = malloc((size_t)SIZES * LONGEST),
                  *in = malloc((size_t)count * SIZES * (LONGEST + ROOM));
    must(out && in);
    for (int first = 0; first < 2; first++) { /* receives before the sends, and after them */
        memset(in, 0, (size_t)count * SIZES * (LONGEST + ROOM));
        for (int turn = 0; turn < 2; turn++)
            for (int r = 0; r < count; r++) {
                if (r == number) continue;
                for (int k = 0; k < SIZES; k++) {
                    unsigned char *to = in + (size_t)(r * SIZES + k) * (LONGEST + ROOM),
                                  *from = out + (size_t)k * LONGEST;
                    fill(from, sizes[k], (unsigned)(number + 10 * k)); /* the same for all receivers */
                    must(turn == first ? tl_ranks_receive(ranks, r, k, to, sizes[k] + ROOM, &error)
                                       : tl_ranks_send(ranks, r, k, from, sizes[k], &error));
                }
            }
        must(tl_ranks_wait(ranks, &error));
        for (int r = 0; r < count; r++)
            for (int k = 0; k < SIZES && r != number; k++) {
                unsigned char *came = in + (size_t)(r * SIZES + k) * (LONGEST + ROOM);
                must(filled(came, sizes[k], (unsigned)(r + 10 * k)));
                must(came[sizes[k]] == 0); /* memory after the message is unchanged */
            }
    }
    must(tl_ranks_wait(ranks, &error)); /* nothing is under way now */
    free(out);
    free(in);
}

/* Thousands of messages under way; the same tags again once all have arrived; gathers in between. */
static void many_messages(void) {
    enum { PIECES = 3000, WORDS = 100 };
    int *out = malloc(sizeof(int[PIECES]) * WORDS), *in = malloc(sizeof(int[PIECES]) * WORDS),
        *all = malloc(sizeof *all * (size_t)count);
    must(out && in && all);
    const int after = (number + 1) % count, before = (number + count - 1) % count;
    for (int round = 0; round < 3 && count > 1; round++) {
        for (int i = 0; i < PIECES * WORDS; i++) out[i] = i * 5 + number + round, in[i] = -1;
        for (int i = 0; i < PIECES; i++) {
            must(tl_ranks_receive(ranks, before, i, in + i * WORDS, sizeof(int[WORDS]), &error));
            must(tl_ranks_send(ranks, after, i, out + i * WORDS, sizeof(int[WORDS]), &error));
            if (i % 1000) continue;
            must(tl_ranks_gather(ranks, &i, all, sizeof i, &error));
            for (int r = 0; r < count; r++) must(all[r] == i);
        }
        must(tl_ranks_wait(ranks, &error));
        for (int i = 0; i < PIECES * WORDS; i++) must(in[i] == i * 5 + before + round);
    }
    free(out);
    free(in);
    free(all);
}

/* A rank's piece, of which only the ends are checked. */
static void gathers_pieces(unsigned char *data, size_t piece) {
    data[(size_t)number * piece] = data[(size_t)(number + 1) * piece - 1] = (unsigned char)(number + 1);
    must(tl_ranks_gather(ranks, data + (size_t)number * piece, data, piece, &error));
    for (int r = 0; r < count; r++)
        must(data[(size_t)r * piece] == r + 1 && data[(size_t)(r + 1) * piece - 1] == r + 1);
}

/* More bytes than an int can count, from rank 0 to the others; and gathered, from one rank and from all together.
 * Only with TL_MPI_LARGE=1, since it takes time. */
static void large(void) {
    const size_t bytes = ((size_t)1 << 31) + 12345, piece = ((size_t)1 << 31) + 64;
    unsigned char *data = malloc((size_t)count * piece);
    must(data);
    if (number == 0) memset(data, 9, bytes);
    must(tl_ranks_broadcast(ranks, data, bytes, &error));
    must(data[0] == 9 && data[bytes - 1] == 9 && data[(size_t)1 << 30] == 9);
    gathers_pieces(data, piece);
    gathers_pieces(data, ((size_t)1 << 31) / (size_t)count / 64 * 64 + 64);
    free(data);
}

/* Requests that MPI cannot serve are refused beforehand, with a sentence. (Tested on the transport, since ranks do
 * not communicate after a failure.) */
static void refusals(void) {
    const tl_transport *t = ranks->transport;
    const int to = (number + 1) % count;
    int word = 0;
    must(t->most_tags >= 32768);
    must(!t->send(ranks->self, to, 0, &word, (size_t)1 << 31, &error) &&
         strstr(error.message, "2147483648 bytes is too long"));
    tl_error_clear(&error);
    must(!t->receive(ranks->self, count, 0, &word, 1, &error) && strstr(error.message, "no message to rank"));
    tl_error_clear(&error);
    must(!t->send(ranks->self, to, -1, &word, 1, &error) && strstr(error.message, "tag -1"));
    tl_error_clear(&error);
    must(!t->gather(ranks->self, &word, &word, ((size_t)1 << 31) + 1, &error) &&
         strstr(error.message, "multiples of 64"));
    tl_error_clear(&error);
}

static void itself(void) {
    char start[64];
    must(tl_ranks_can_be_many());
    must(count >= 1 && number >= 0 && number < count && tl_ranks_lead(ranks) == (number == 0));
    must(tl_ranks_threads(ranks) >= 1 && tl_ranks_threads(ranks) <= tl_processors());
    /* all ranks are on this machine */
    if (count >= tl_processors()) must(tl_ranks_threads(ranks) == 1 || count == 1);
    snprintf(start, sizeof start, count == 1 ? "1 rank, " : "%d ranks on 1 machine, ", count);
    must(!strncmp(tl_ranks_text(ranks), start, strlen(start)));
    const char *library = tl_ranks_text(ranks) + strlen(start);
    must(!strncmp(library, "Open MPI v", 10) || !strncmp(library, "MPICH ", 6) || getenv("TL_OTHER_MPI"));
    must(!strchr(library, ',') && !strchr(library, '\n') && strlen(library) < 24);
    must(*ranks->host);
    must(tl_ranks_agree(ranks, true, &error));
    must(tl_ranks_same(ranks, "text", tl_ranks_text(ranks), "how?", &error));
}

int main(int arguments, char **argument) {
    ranks = tl_ranks_begin(&error);
    if (!ranks) return fprintf(stderr, "%s\n", error.message), 1;
    count = tl_ranks_count(ranks), number = tl_ranks_number(ranks);
    must(arguments < 2 || atoi(argument[1]) == count); /* it is one job, not several single ranks */
    itself();
    gathers();
    broadcasts();
    messages();
    many_messages();
    refusals();
    if (getenv("TL_MPI_LARGE")) large();
    if (number == 0)
        printf("mpi_transport: %s, threads %d: well\n", tl_ranks_text(ranks), tl_ranks_threads(ranks));
    tl_ranks_end(ranks, false);
    must(!tl_ranks_begin(&error) && strstr(error.message, "cannot join it again"));
    return 0;
}
