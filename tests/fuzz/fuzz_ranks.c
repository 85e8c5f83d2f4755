/* Ranks: what this one makes of the others' messages. A transport of one process delivers as the others' bytes what the
 * input says: their agreement and reasons, texts of any length. The input: a byte of choices, FUZZ_CUT-ended texts. */
#include "fuzz.h"

#include "ranks/ranks.h"

#include <stdio.h>

int tl_fuzz_ranks(const uint8_t *bytes, size_t size);

enum { RANKS = 3 };

typedef struct job {
    const fuzz_part *texts; /* [RANKS] */
    int number;
    bool texts_next; /* the sizes have been gathered, their texts follow */
    bool fails;
} job;

/* Sizes, and after them texts; anything else (answers) is filled with the texts' bytes. */
static bool gather(void *self, const void *mine, void *all, size_t bytes, tl_error *error) {
    job *j = self;
    if (j->fails) return tl_error_set(error, "the transport is broken");
    char *to = all;
    if (mine != to + (size_t)j->number * bytes) memmove(to + (size_t)j->number * bytes, mine, bytes);
    for (int r = 0; r < RANKS; r++) {
        if (r == j->number) continue;
        char *row = to + (size_t)r * bytes;
        if (j->texts_next)
            memcpy(row, j->texts[r].bytes, j->texts[r].size < bytes ? j->texts[r].size : bytes);
        else if (bytes == sizeof(size_t))
            memcpy(row, &j->texts[r].size, sizeof(size_t));
        else { /* an answer: a bool, a host, a message, each ended by a NUL as its writer ends it */
            const size_t n = j->texts[r].size < bytes - 1 ? j->texts[r].size : bytes - 1;
            memset(row, 0, bytes);
            memcpy(row, j->texts[r].bytes, n);
            row[0] = row[0] & 1;
            row[TL_RANKS_TEXT] = 0;
        }
    }
    j->texts_next = !j->texts_next && bytes == sizeof(size_t);
    return true;
}

static bool broadcast(void *self, void *data, size_t bytes, tl_error *error) {
    const job *j = self;
    if (j->fails) return tl_error_set(error, "the transport is broken");
    if (j->number) memset(data, 7, bytes);
    return true;
}
static bool send(void *self, int to, int tag, const void *data, size_t bytes, tl_error *error) {
    (void)self, (void)to, (void)tag, (void)data, (void)bytes, (void)error;
    return true;
}
static bool receive(void *self, int from, int tag, void *data, size_t bytes, tl_error *error) {
    (void)self, (void)from, (void)tag, (void)data, (void)bytes, (void)error;
    return true;
}
static bool wait(void *self, tl_error *error) { return (void)self, (void)error, true; }
static void leave(void *self) { (void)self; }

static const tl_transport transport = {.gather = gather,
                                       .broadcast = broadcast,
                                       .send = send,
                                       .receive = receive,
                                       .wait = wait,
                                       .quit = leave,
                                       .free = leave,
                                       .most_tags = 8};

int tl_fuzz_ranks(const uint8_t *bytes, size_t size) {
    fuzz_bytes in = fuzz_bytes_of(bytes, size);
    const unsigned choice = fuzz_byte(&in);
    fuzz_part texts[RANKS];
    for (int r = 0; r < RANKS; r++) texts[r] = fuzz_next(&in);
    job j = {.texts = texts, .number = (int)(choice % RANKS), .fails = (choice & 0x80) != 0};
    tl_ranks *ranks = tl_ranks_over(&transport, &j, RANKS, j.number);
    FUZZ_MUST(ranks, "out of memory");
    snprintf(ranks->host, sizeof ranks->host, "host");
    tl_error error = {""};
    char *own = fuzz_string_of(texts[j.number].bytes, texts[j.number].size);
    free(texts[j.number].bytes);
    texts[j.number] = fuzz_part_of(own, strlen(own));
    if (choice & 0x40) {
        if (!(choice & 0x20)) tl_error_set(&error, "%s", *own ? own : "a reason");
        const bool ok = tl_ranks_agree(ranks, (choice & 0x20) != 0, &error);
        if (!ok && *error.message) fuzz_message(error.message);
        FUZZ_MUST(!ok || (choice & 0x20), "agreed, though one has failed");
    } else if (choice & 0x10) {
        size_t each[RANKS], all = 0;
        char *lists;
        const bool ok = tl_ranks_gather_bytes(ranks, own, strlen(own), &lists, each, &error);
        fuzz_outcome(ok, &error);
        for (int r = 0; ok && r < RANKS; all += each[r++])
            FUZZ_MUST(each[r] == texts[r].size && !memcmp(lists + all, texts[r].bytes, each[r]), "list %d",
                      r);
        free(lists);
    } else {
        bool same = true;
        for (int r = 1; r < RANKS; r++)
            same &= texts[r].size == texts[0].size && !memcmp(texts[r].bytes, texts[0].bytes, texts[0].size);
        const bool ok = tl_ranks_same(ranks, "the settings", own, "start them alike", &error);
        fuzz_outcome(ok, &error);
        FUZZ_MUST(ok == (same && !j.fails), "compared wrongly");
    }
    if (j.fails && choice & 0x10)
        FUZZ_MUST(!tl_ranks_same(ranks, "a", "b", "c", &error), "goes on after a failure");
    free(own);
    for (int r = 0; r < RANKS; r++) free(texts[r].bytes);
    tl_ranks_end(ranks, false);
    return 0;
}

static void seeds(tl_fuzz_put *put, void *context) {
    static const char *const texts[] = {"1a = 1\nb = 2\n" FUZZ_CUT "a = 1\nb = 2\n" FUZZ_CUT "a = 1\nb = 3\n",
                                        "0same" FUZZ_CUT "same" FUZZ_CUT "same",
                                        "2" FUZZ_CUT "\xFF\n" FUZZ_CUT "x",
                                        "p\x01host" FUZZ_CUT "out of memory" FUZZ_CUT "x",
                                        "@a" FUZZ_CUT "b" FUZZ_CUT "c",
                                        "\x11one" FUZZ_CUT "two two" FUZZ_CUT "",
                                        "\x90one" FUZZ_CUT "two"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) put(context, texts[i], strlen(texts[i]));
}

TL_FUZZ(ranks, "ranks: agreement, comparison and lists of several ranks");
