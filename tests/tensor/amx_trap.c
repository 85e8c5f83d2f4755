/* See amx_trap.h. Encodings, checks and arithmetic follow Intel's Software Developer's Manual, volume 2 (VEX: 2.3;
 * ModRM, SIB: 2.1.5; LDTILECFG, STTILECFG, TILELOADD, TILELOADDT1, TILERELEASE, TILESTORED, TILEZERO, TDPBF16PS).
 *
 * The handler runs in the thread whose instruction was refused, below its stack's red zone; the kernel saves and
 * restores the vector registers. Any other cause of SIGILL goes to the handler before this one, so the program dies of
 * it. That includes other encodings of these instructions: prefixes before VEX, W or L set, tiles above 7. */
#define _GNU_SOURCE /* names of a ucontext's registers */
#include "amx_trap.h"

#include <immintrin.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

enum { TILES = 8, ROWS = 16, ROW_BYTES = 64 };

static _Thread_local struct {
    amx_shapes shapes; /* palette 0: not configured */
    unsigned char tile[TILES][ROWS][ROW_BYTES];
} amx;

static atomic_long carried_out;
static struct sigaction before;

/* ---- decoding ---- */

typedef enum operation {
    LDTILECFG,
    STTILECFG,
    TILERELEASE,
    TILEZERO,
    TILELOADD,
    TILESTORED,
    TDPBF16PS
} operation;

/* All are VEX.128.0F38.W0. The fields of ModRM and VEX.vvvv that name no operand have fixed values. */
enum { NONE, P66, PF3, PF2 }; /* VEX.pp */
/* Operands: an address; tiles in ModRM.reg, ModRM.rm, VEX.vvvv */
enum { MEMORY = 1, REG = 2, RM = 4, V = 8 };
static const struct {
    const char *name;
    operation what;
    int prefix, opcode, operands;
} codes[] = {
    {"ldtilecfg", LDTILECFG, NONE, 0x49, MEMORY},        {"sttilecfg", STTILECFG, P66, 0x49, MEMORY},
    {"tilerelease", TILERELEASE, NONE, 0x49, 0},         {"tilezero", TILEZERO, PF2, 0x49, REG},
    {"tileloadd", TILELOADD, PF2, 0x4b, MEMORY | REG},   {"tileloaddt1", TILELOADD, P66, 0x4b, MEMORY | REG},
    {"tilestored", TILESTORED, PF3, 0x4b, MEMORY | REG}, {"tdpbf16ps", TDPBF16PS, PF3, 0x5c, REG | RM | V}};
enum { CODES = sizeof codes / sizeof *codes };

typedef struct instruction {
    const char *name;
    operation what;
    const unsigned char *at, *end;
    int reg, rm, v;            /* tiles */
    uintptr_t address, stride; /* sibmem: base + displacement, and index·scale; other forms: all in address */
} instruction;

static const int register_place[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                       REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                       REG_R12, REG_R13, REG_R14, REG_R15};
static uintptr_t register_of(const greg_t *registers, int number) {
    return (uintptr_t)registers[register_place[number]];
}

static int32_t displacement(const unsigned char *from, int bytes) {
    int32_t far = 0;
    if (bytes == 1) return (int8_t)*from;
    memcpy(&far, from, (size_t)bytes);
    return far;
}

/* Reads ModRM, SIB and displacement of an instruction that ends with them. x and b add 8 to the numbers of index and
 * base. */
static void find_memory(instruction *i, const unsigned char *modrm, int x, int b, const greg_t *registers,
                        bool sibmem) {
    const unsigned char *next = modrm + 1;
    const int mod = *modrm >> 6, rm = *modrm & 7;
    int base = rm | b, bytes = mod == 0 ? 0 : mod == 1 ? 1 : 4;
    bool no_base = mod == 0 && rm == 5, relative = no_base;
    if (rm == 4) {
        const int sib = *next++, index = (sib >> 3 & 7) | x;
        if (index != 4) i->stride = register_of(registers, index) << (sib >> 6);
        base = (sib & 7) | b;
        no_base = mod == 0 && (sib & 7) == 5;
    }
    if (no_base) bytes = 4;
    i->end = next + bytes;
    i->address = (uintptr_t)displacement(next, bytes);
    if (relative) i->address += (uintptr_t)i->end;
    if (!no_base) i->address += register_of(registers, base);
    if (!sibmem) i->address += i->stride;
}

/* False if this is no tile instruction. */
static bool decode(const unsigned char *at, const greg_t *registers, instruction *i) {
    if (at[0] != 0xc4 || (at[1] & 0x1f) != 2 || (at[2] & 0x84) != 0) return false; /* VEX, 0F38, W0, 128 */
    const int modrm = at[4], v = ~at[2] >> 3 & 15;
    const bool r = !(at[1] & 0x80), x = !(at[1] & 0x40), b = !(at[1] & 0x20), is_register = modrm >> 6 == 3;
    for (int k = 0; k < CODES; k++) {
        const int has = codes[k].operands;
        if (codes[k].opcode != at[3] || codes[k].prefix != (at[2] & 3) || is_register == !!(has & MEMORY))
            continue;
        *i = (instruction){codes[k].name, codes[k].what, at, at + 5, modrm >> 3 & 7, modrm & 7, v, 0, 0};
        if (r || (has & V ? v > 7 : v != 0)) return false;
        if (!(has & REG) && i->reg != 0) return false;
        if (is_register && (x || b || (!(has & RM) && i->rm != 0))) return false;
        if (has == (MEMORY | REG) && i->rm != 4) return false; /* sibmem */
        if (has & MEMORY) find_memory(i, at + 4, x ? 8 : 0, b ? 8 : 0, registers, has & REG);
        return true;
    }
    return false;
}

/* The 64-bit LEA, which compilers put between tile instructions. It is carried out too, so that there are fewer
 * signals: a signal takes longer than most of these instructions. */
static bool load_address(const unsigned char **at, greg_t *registers) {
    const unsigned char *code = *at;
    if ((code[0] & 0xf8) != 0x48 || code[1] != 0x8d || code[2] >> 6 == 3) return false;
    instruction i = {.at = code};
    find_memory(&i, code + 2, code[0] & 2 ? 8 : 0, code[0] & 1 ? 8 : 0, registers, false);
    registers[register_place[(code[2] >> 3 & 7) | (code[0] & 4 ? 8 : 0)]] = (greg_t)i.address;
    *at = i.end;
    return true;
}

/* ---- what an AMX processor refuses ---- */

static _Noreturn __attribute__((format(printf, 2, 3))) void refuse(const instruction *i, const char *why,
                                                                   ...) {
    char text[200];
    va_list list;
    int n = snprintf(text, sizeof text, "amx trap: %s at %p: ", i->name, (const void *)i->at);
    va_start(list, why);
    n += vsnprintf(text + n, sizeof text - (size_t)n - 1, why, list);
    va_end(list);
    text[n++] = '\n';
    if (write(STDERR_FILENO, text, (size_t)n) != n) _exit(1);
    abort();
}

static void need(const instruction *i, int tile) {
    if (amx.shapes.palette == 0) refuse(i, "#UD: tiles are not configured");
    if (amx.shapes.rows[tile] == 0) refuse(i, "#UD: tile %d has no rows", tile);
}

static void check_shapes(const instruction *i, const amx_shapes *s) {
    if (s->palette > 1) refuse(i, "#GP: palette %d", s->palette);
    if (s->start_row != 0) refuse(i, "start_row %d: the trap knows only 0", s->start_row);
    for (int k = 0; k < 14; k++)
        if (s->reserved[k] != 0) refuse(i, "#GP: reserved byte %d is %d", 2 + k, s->reserved[k]);
    for (int t = 0; t < 16; t++) {
        const int rows = s->rows[t], bytes = s->row_bytes[t];
        if (t >= TILES && (rows != 0 || bytes != 0)) refuse(i, "#GP: tile %d is there", t);
        if (rows > ROWS || bytes > ROW_BYTES || (rows == 0) != (bytes == 0))
            refuse(i, "#GP: tile %d has %d rows of %d bytes", t, rows, bytes);
    }
}

/* ---- carrying out ---- */

static void configure(const instruction *i) {
    amx_shapes shapes;
    memcpy(&shapes, (const void *)i->address, sizeof shapes);
    if (shapes.palette != 0) check_shapes(i, &shapes);
    memset(&amx, 0, sizeof amx);
    if (shapes.palette != 0) amx.shapes = shapes;
}

static void load(const instruction *i) {
    need(i, i->reg);
    memset(amx.tile[i->reg], 0, sizeof amx.tile[i->reg]);
    for (int r = 0; r < amx.shapes.rows[i->reg]; r++)
        memcpy(amx.tile[i->reg][r], (const void *)(i->address + (uintptr_t)r * i->stride),
               amx.shapes.row_bytes[i->reg]);
}

static void store(const instruction *i) {
    need(i, i->reg);
    for (int r = 0; r < amx.shapes.rows[i->reg]; r++)
        memcpy((void *)(i->address + (uintptr_t)r * i->stride), amx.tile[i->reg][r],
               amx.shapes.row_bytes[i->reg]);
}

/* The 16 bfloat16 in the lower or upper halves of words, and sums: denormals become zeros of the same sign. */
#define AVX512 __attribute__((target("avx512f")))
AVX512 static inline __m512 flush(__m512 x) {
    const __mmask16 small = _mm512_cmp_ps_mask(_mm512_abs_ps(x), _mm512_set1_ps(0x1p-126f), _CMP_LT_OQ);
    const __m512i bits = _mm512_castps_si512(x);
    return _mm512_castsi512_ps(_mm512_mask_and_epi32(bits, small, bits, _mm512_set1_epi32(INT32_MIN)));
}
AVX512 static inline __m512 lower(const void *words) {
    return flush(_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_loadu_si512(words), 16)));
}
AVX512 static inline __m512 upper(const void *words) {
    const __m512i mask = _mm512_set1_epi32((int)0xffff0000);
    return flush(_mm512_castsi512_ps(_mm512_and_si512(_mm512_loadu_si512(words), mask)));
}

/* TDPBF16PS. The even and the odd halves of the words are added up separately over the tile's k, from zero; then the
 * two sums are added, then their sum is added to c. Every step rounds to nearest even and takes denormals for zero. (A
 * vector is a row of c; nobody sees what is beyond its columns. The kernel calls a handler with MXCSR as at a process's
 * start.) */
AVX512 static void multiply(const instruction *i) {
    const int c = i->reg, a = i->rm, b = i->v;
    if (c == a || a == b || b == c) refuse(i, "#UD: tiles %d, %d, %d: two are the same", c, a, b);
    need(i, c), need(i, a), need(i, b);
    const amx_shapes *s = &amx.shapes;
    if (s->row_bytes[c] % 4 != 0 || s->row_bytes[a] % 4 != 0 || s->row_bytes[b] % 4 != 0 ||
        s->rows[c] != s->rows[a] || s->row_bytes[a] / 4 != s->rows[b] || s->row_bytes[c] != s->row_bytes[b])
        refuse(i, "#UD: tile %d: %d rows of %d bytes; %d: %d of %d; %d: %d of %d do not fit", c, s->rows[c],
               s->row_bytes[c], a, s->rows[a], s->row_bytes[a], b, s->rows[b], s->row_bytes[b]);
    const int words = s->rows[b];
    __m512 even_b[ROWS], odd_b[ROWS];
    for (int k = 0; k < words; k++) even_b[k] = lower(amx.tile[b][k]), odd_b[k] = upper(amx.tile[b][k]);
    enum { SIDE = 4 }; /* several rows at once: a single chain would wait for its own last step */
    for (int m = 0; m < s->rows[c]; m += SIDE) {
        float even_a[SIDE][16], odd_a[SIDE][16];
        __m512 even[SIDE], odd[SIDE];
        for (int r = 0; r < SIDE; r++) {
            _mm512_storeu_ps(even_a[r], lower(amx.tile[a][m + r]));
            _mm512_storeu_ps(odd_a[r], upper(amx.tile[a][m + r]));
            even[r] = odd[r] = _mm512_setzero_ps();
        }
        for (int k = 0; k < words; k++)
            for (int r = 0; r < SIDE; r++) {
                even[r] = flush(_mm512_fmadd_ps(_mm512_set1_ps(even_a[r][k]), even_b[k], even[r]));
                odd[r] = flush(_mm512_fmadd_ps(_mm512_set1_ps(odd_a[r][k]), odd_b[k], odd[r]));
            }
        for (int r = 0; r < SIDE && m + r < s->rows[c]; r++) {
            const __m512 old = flush(_mm512_loadu_ps(amx.tile[c][m + r]));
            const __m512 sum = flush(_mm512_add_ps(old, flush(_mm512_add_ps(even[r], odd[r]))));
            _mm512_storeu_ps(amx.tile[c][m + r], sum);
        }
    }
}

static void carry_out(const instruction *i) {
    switch (i->what) {
    case LDTILECFG:
        configure(i);
        break;
    case STTILECFG:
        memcpy((void *)i->address, &amx.shapes, sizeof amx.shapes);
        break;
    case TILERELEASE:
        memset(&amx, 0, sizeof amx);
        break;
    case TILEZERO:
        need(i, i->reg), memset(amx.tile[i->reg], 0, sizeof amx.tile[i->reg]);
        break;
    case TILELOADD:
        load(i);
        break;
    case TILESTORED:
        store(i);
        break;
    case TDPBF16PS:
        multiply(i);
        break;
    }
}

/* ---- the trap ---- */

/* Carries out the instruction and the trapped ones that directly follow it: each saves a signal. */
static void on_sigill(int number, siginfo_t *info, void *context) {
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    const unsigned char *at = (const unsigned char *)registers[REG_RIP];
    instruction i;
    long count = 0;
    if (info->si_code > 0) /* sent by the processor, not by kill */
        while (decode(at, registers, &i)) {
            carry_out(&i);
            at = i.end, count++;
            while (load_address(&at, registers)) {}
        }
    registers[REG_RIP] = (greg_t)(uintptr_t)at;
    atomic_fetch_add_explicit(&carried_out, count, memory_order_relaxed);
    if (count > 0) return;
    sigaction(SIGILL, &before, NULL);
    if (info->si_code <= 0) raise(number); /* a signal of the processor comes again when this returns */
}

__attribute__((constructor)) static void set_trap(void) {
    struct sigaction trap = {.sa_sigaction = on_sigill, .sa_flags = SA_SIGINFO};
    sigemptyset(&trap.sa_mask);
    sigaction(SIGILL, &trap, &before);
}

long amx_trap_count(void) { return atomic_load(&carried_out); }

__attribute__((destructor)) static void say_count(void) {
    const char *asked = getenv("AMX_TRAP_COUNT");
    if (asked && *asked == '1') fprintf(stderr, "amx trap: %ld instructions\n", amx_trap_count());
}
