/* For tests of kernels at the edges of their operands. An operand lies in a room: whole pages, with a page that nobody
 * may touch on either side. Placement 0 is at the room's end, so that a read or write of one element too many stops the
 * test; placements 1 to 3 begin that many elements after the room's start, so that they are unaligned. Around an
 * operand lie numbers that must neither change nor be used (NaN).
 *
 * The file that includes this defines _GNU_SOURCE first (mmap). */
#ifndef TL_TESTS_EDGES_H
#define TL_TESTS_EDGES_H

#include "numbers.h"
#include "tensor/kernels/kernels.h"

#include <sys/mman.h>
#include <unistd.h>

enum { PLACEMENTS = 4, AROUND = 64, ROOM_BYTES = 1 << 17, MOST_ROOMS = 8 };

static const long lengths[] = {0, 1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 127, 257, 1021, 4099};
enum { LENGTHS = sizeof lengths / sizeof *lengths, LONGEST = 4099 };

typedef struct room {
    tl_real *from;                              /* the first element that may be touched */
    tl_real *at;                                /* the operand */
    long n;                                     /* its elements */
    tl_real kept[ROOM_BYTES / sizeof(tl_real)]; /* the operand as it was placed */
} room;
static room rooms[MOST_ROOMS];
enum { ROOM = ROOM_BYTES / sizeof(tl_real) }; /* elements */

static inline void open_rooms(void) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    must(ROOM_BYTES % page == 0);
    for (int r = 0; r < MOST_ROOMS && !rooms[r].from; r++) {
        char *memory =
            mmap(NULL, ROOM_BYTES + 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        must(memory != MAP_FAILED);
        must(mprotect(memory, page, PROT_NONE) == 0);
        must(mprotect(memory + page + ROOM_BYTES, page, PROT_NONE) == 0);
        rooms[r].from = (tl_real *)(void *)(memory + page);
    }
}

/* NaN with bits of its own. */
static inline tl_real guard(void) {
    static const unsigned char byte[8] = {0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xf8, 0x7f}, *from = byte;
    static const unsigned char narrow[4] = {0xa5, 0xa5, 0xc5, 0x7f};
    tl_real x;
    memcpy(&x, sizeof x == 4 ? narrow : from, sizeof x);
    return x;
}

static inline void guards(const room *r, long *from, long *to) {
    const long at = r->at - r->from;
    *from = at < AROUND ? 0 : at - AROUND;
    *to = at + r->n + AROUND > ROOM ? ROOM : at + r->n + AROUND;
}

/* Places n elements; they hold guards until they are written. */
static inline tl_real *place(int number, long n, int placement) {
    room *r = &rooms[number];
    must(n + PLACEMENTS <= ROOM);
    r->n = n;
    r->at = r->from + (placement ? placement : ROOM - n);
    long from, to;
    guards(r, &from, &to);
    for (long i = from; i < to; i++) r->from[i] = guard();
    return r->at;
}

/* The same with random numbers between low and high. */
static inline tl_real *place_random(int number, long n, int placement, double low, double high) {
    tl_real *x = place(number, n, placement);
    for (long i = 0; i < n; i++) rooms[number].kept[i] = x[i] = (tl_real)(low + (high - low) * uniform());
    return x;
}

/* What lies around the operand is as it was. */
static inline void untouched_around(int number, const char *what) {
    const room *r = &rooms[number];
    const tl_real g = guard();
    long from, to;
    guards(r, &from, &to);
    for (long i = from; i < to; i++) {
        const long in = i - (r->at - r->from);
        if (in == 0) i += r->n;
        if (i >= to) break;
        must_msg(memcmp(r->from + i, &g, sizeof g) == 0, "%s, n %ld: wrote element %ld", what, r->n,
                 i - (r->at - r->from));
    }
}

/* An operand that is only read is as it was, too. */
static inline void untouched(int number, const char *what) {
    untouched_around(number, what);
    must_msg(memcmp(rooms[number].at, rooms[number].kept, (size_t)rooms[number].n * sizeof(tl_real)) == 0,
             "%s, n %ld: changed an operand", what, rooms[number].n);
}

/* Every element of an operand that was written against its exact value, in epsilons of `scale`. */
static inline void right(tl_real got, wide want, double epsilons, const char *what, long n, long i) {
    const wide scale = 1 + fabsl(want);
    must_msg(fabsl((wide)got - want) <= (wide)(epsilons * EPSILON) * scale,
             "%s, n %ld, element %ld: %.9g, should be %.9Lg", what, n, i, (double)got, want);
}

/* ---- the instruction sets that this processor has ---- */

enum { MOST_SETS = 4 };
static inline int kernel_sets(const tl_kernels *set[MOST_SETS]) {
    static const char *const names[MOST_SETS] = {"base", "avx2", "avx512", "amx"};
    int count = 0;
    for (int i = 0; i < MOST_SETS; i++)
        if (tl_set_isa(names[i], NULL)) set[count++] = tl_kernels_pick();
    return count;
}
/* Sets that share these kernels with an earlier one are left out. */
static inline int map_sets(const tl_kernels *set[MOST_SETS]) {
    int count = kernel_sets(set);
    while (count > 1 && set[count - 1]->map == set[count - 2]->map) count--;
    return count;
}

#endif
