/* The trap that carries out AMX's instructions, against the assembler and Intel's manual: every form of address, every
 * three tiles in their order, the order of the sums, and the refusals of an AMX processor. Where there is AMX, all but
 * the refusals are tested on the processor itself. */
#define _GNU_SOURCE /* MAP_ANONYMOUS, and fork */
#include "check.h"

#if !defined(TL_WITH_AMX)
START_TEST(left_out) {
    TL_SKIP("AMX's trap: this build has no AMX (another compiler, processor or tl_real)");
}
END_TEST
static void add_tests(TCase *tc) { tcase_add_test(tc, left_out); }
#else
# include "amx_trap.h"
# include "tensor/kernels/kernels.h"
# include "tensor/product.h"

# include <signal.h>
# include <sys/mman.h>
# include <sys/wait.h>
# include <unistd.h>

/* ---- forms of address, assembled: every register as base and as index, with every scale ---- */

typedef struct form {
    void (*code)(void); /* for amx_run alone; NULL ends a table */
    long scale;         /* 0: no index */
    long displacement;
} form;
/* A form loads its registers from here, the only memory that it knows, and returns through amx_stack. */
__attribute__((used)) long amx_base, amx_index, amx_stack, amx_found, amx_found_too;
void amx_run(void (*code)(void));
__asm__(".text\n"
        "amx_run: push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n"
        " mov %rsp, amx_stack(%rip)\n jmp *%rdi\n"
        "amx_leave: mov amx_stack(%rip), %rsp\n"
        " pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n ret\n");

# define ENTRY(x, y) ".section .data.rel.ro,\"aw\"\n .quad 1f, " x ", " y "\n.text\n1: "
# define BOTH(insn, tile, base, index, scale, displacement)                                               \
  ".ifnc " base "," index                                                                                 \
  "\n" ENTRY(scale, "0" displacement) "mov amx_index(%rip), %" index "\n mov amx_base(%rip), %" base      \
                                      "\n " insn " " displacement "(%" base ",%" index "," scale ")" tile \
                                      "\n jmp amx_leave\n.endif\n"
# define BASE(insn, tile, base, displacement) \
  ENTRY("0", "0" displacement)                \
  "mov amx_base(%rip), %" base "\n " insn " " displacement "(%" base ")" tile "\n jmp amx_leave\n"

# define FOUR(insn, tile, base, index)       \
  BOTH(insn, tile, base, index, "1", "")     \
  BOTH(insn, tile, base, index, "2", "-128") \
  BOTH(insn, tile, base, index, "4", "+0x1234") BOTH(insn, tile, base, index, "8", "+8")
/* clang-format off */
# define ALL_OF(insn, tile, base)                                                        \
  BASE(insn, tile, base, "") BASE(insn, tile, base, "+24") BASE(insn, tile, base, "+0x1234") \
  FOUR(insn, tile, base, "rax") FOUR(insn, tile, base, "rcx") FOUR(insn, tile, base, "rdx") \
  FOUR(insn, tile, base, "rbx") FOUR(insn, tile, base, "rbp") FOUR(insn, tile, base, "rsi") \
  FOUR(insn, tile, base, "rdi") FOUR(insn, tile, base, "r8") FOUR(insn, tile, base, "r9") \
  FOUR(insn, tile, base, "r10") FOUR(insn, tile, base, "r11") FOUR(insn, tile, base, "r12") \
  FOUR(insn, tile, base, "r13") FOUR(insn, tile, base, "r14") FOUR(insn, tile, base, "r15")
# define TABLE(name, insn, tile) \
  extern const form name[]; \
  __asm__(".section .data.rel.ro,\"aw\"\n .balign 8\n" #name ":\n.text\n" \
  ALL_OF(insn, tile, "rax") ALL_OF(insn, tile, "rcx") ALL_OF(insn, tile, "rdx") ALL_OF(insn, tile, "rbx") \
  ALL_OF(insn, tile, "rsp") ALL_OF(insn, tile, "rbp") ALL_OF(insn, tile, "rsi") ALL_OF(insn, tile, "rdi") \
  ALL_OF(insn, tile, "r8") ALL_OF(insn, tile, "r9") ALL_OF(insn, tile, "r10") ALL_OF(insn, tile, "r11") \
  ALL_OF(insn, tile, "r12") ALL_OF(insn, tile, "r13") ALL_OF(insn, tile, "r14") ALL_OF(insn, tile, "r15") \
  ".section .data.rel.ro,\"aw\"\n .quad 0, 0, 0\n.text\n")
enum { FORMS = 16 * 3 + (16 * 15 - 15) * 4 };
TABLE(amx_loads, "tileloadd", ", %tmm5");
TABLE(amx_loads_t1, "tileloaddt1", ", %tmm5");
TABLE(amx_stores, "tilestored %tmm5,", "");
TABLE(amx_configs, "ldtilecfg", "");
TABLE(amx_config_stores, "sttilecfg", "");
TABLE(amx_addresses, "tilerelease\n lea",
      ", %r9\n mov %r9, amx_found(%rip)\n tilerelease\n lea 1(,%r9,2), %rax\n mov %rax, amx_found_too(%rip)");

/* ---- tiles by number ---- */

# define EACH_TILE(F) F(0) F(1) F(2) F(3) F(4) F(5) F(6) F(7)
# define LOAD(t) case t: __asm__ volatile("tileloadd (%0,%1), %%tmm" #t ::"r"(from), "r"(stride) : "memory"); break;
# define STORE(t) case t: __asm__ volatile("tilestored %%tmm" #t ", (%0,%1)" ::"r"(to), "r"(stride) : "memory"); break;
# define ZERO(t) case t: __asm__ volatile("tilezero %%tmm" #t :::"memory"); break;
static void load(int tile, const void *from, long stride) { switch (tile) { EACH_TILE(LOAD) } }
static void store(int tile, void *to, long stride) { switch (tile) { EACH_TILE(STORE) } }
static void zero(int tile) { switch (tile) { EACH_TILE(ZERO) } }
static void configure(const amx_shapes *s) { __asm__ volatile("ldtilecfg %0" ::"m"(*s) : "memory"); }
static void release(void) { __asm__ volatile("tilerelease" ::: "memory"); }

/* c += a·b for any three tiles: scale is c, displacement 8·a + b. */
# define TRIPLE(c, a, b) \
  ".if (" #c "-" #a ")*(" #a "-" #b ")*(" #b "-" #c ")\n" ENTRY(#c, "8*" #a "+" #b) \
  "tdpbf16ps %tmm" #b ", %tmm" #a ", %tmm" #c "\n jmp amx_leave\n.endif\n"
# define BS(c, a) TRIPLE(c, a, 0) TRIPLE(c, a, 1) TRIPLE(c, a, 2) TRIPLE(c, a, 3) \
  TRIPLE(c, a, 4) TRIPLE(c, a, 5) TRIPLE(c, a, 6) TRIPLE(c, a, 7)
# define AS(c) BS(c, 0) BS(c, 1) BS(c, 2) BS(c, 3) BS(c, 4) BS(c, 5) BS(c, 6) BS(c, 7)
extern const form amx_products[];
__asm__(".section .data.rel.ro,\"aw\"\n .balign 8\namx_products:\n.text\n" EACH_TILE(AS)
        ".section .data.rel.ro,\"aw\"\n .quad 0, 0, 0\n.text\n");
/* clang-format on */

/* The kernels for AMX must be built in, and tiles granted if the processor has them. */
static bool ready(void) {
    (void)tl_kernels_pick();
    if (__builtin_cpu_supports("avx512f")) return true;
    TL_SKIP("AMX's trap: this processor has no AVX-512");
    return false;
}

static const amx_shapes whole = {
    .palette = 1, .row_bytes = {64, 64, 64, 64, 64, 64, 64, 64}, .rows = {16, 16, 16, 16, 16, 16, 16, 16}};

/* ---- addresses ---- */

/* Tile 5 has 3 rows of 16 bytes; the other tiles have other sizes. */
static const amx_shapes three_rows = {
    .palette = 1, .row_bytes = {64, 4, 8, 12, 20, 16, 24, 28}, .rows = {16, 1, 2, 4, 5, 3, 6, 7}};
enum { AREA = 1 << 16, BASE_AT = AREA / 2, INDEX = 56 };
static _Alignas(64) unsigned char area[AREA], wanted[AREA], found[3 * 16];

static void fill_area(int seed) {
    for (int i = 0; i < AREA; i++) area[i] = (unsigned char)((unsigned)(i + seed) * 2654435761u >> 13);
}

/* Where a form uses the stack pointer as base, signals arrive in this area too, below its red zone. */
static void run_form(const form *f) {
    amx_base = (long)(area + BASE_AT), amx_index = INDEX;
    amx_run(f->code);
}

static void check_loads(const form *forms, const char *name) {
    int count = 0;
    configure(&three_rows);
    for (const form *f = forms; f->code; f++, count++) {
        fill_area(count);
        zero(5);
        run_form(f);
        store(5, found, 16);
        for (int r = 0; r < 3; r++)
            must_msg(memcmp(found + 16 * r, area + BASE_AT + f->displacement + r * INDEX * f->scale, 16) == 0,
                     "%s, form %d, scale %ld, displacement %ld: row %d", name, count, f->scale,
                     f->displacement, r);
    }
    release();
    ck_assert_int_eq(count, FORMS);
}

START_TEST(loads_from_all_forms_of_address) {
    if (!ready()) return;
    check_loads(amx_loads, "tileloadd");
    check_loads(amx_loads_t1, "tileloaddt1");
}
END_TEST

START_TEST(stores_to_all_forms_of_address) {
    if (!ready()) return;
    int count = 0;
    configure(&three_rows);
    for (const form *f = amx_stores; f->code; f++, count++) {
        fill_area(count);
        load(5, area + 5, 100);
        memcpy(wanted, area, sizeof area);
        for (int r = 0; r < 3; r++)
            memcpy(wanted + BASE_AT + f->displacement + r * INDEX * f->scale, area + 5 + 100 * r, 16);
        run_form(f);
        must_msg(memcmp(area + BASE_AT - 128, wanted + BASE_AT - 128, AREA - BASE_AT + 128) == 0,
                 "tilestored, form %d, scale %ld, displacement %ld", count, f->scale, f->displacement);
    }
    release();
    ck_assert_int_eq(count, FORMS);
}
END_TEST

START_TEST(configurations_at_all_forms_of_address) {
    if (!ready()) return;
    static amx_shapes shapes, back;
    for (int i = 0; i < FORMS; i++) {
        const form *in = &amx_configs[i], *out = &amx_config_stores[i];
        const long at = BASE_AT + in->displacement + INDEX * in->scale;
        shapes = three_rows;
        shapes.rows[i % 8] = (uint8_t)(1 + i / 8 % 16);
        fill_area(i);
        memcpy(area + at, &shapes, sizeof shapes);
        run_form(in);
        __asm__ volatile("sttilecfg %0" : "=m"(back));
        must_msg(memcmp(&shapes, &back, sizeof back) == 0, "ldtilecfg, form %d", i);
        memset(area + BASE_AT, 0xff, AREA - BASE_AT);
        run_form(out);
        must_msg(memcmp(&shapes, area + BASE_AT + out->displacement + INDEX * out->scale, sizeof shapes) == 0,
                 "sttilecfg, form %d", i);
    }
    release();
    __asm__ volatile("sttilecfg %0" : "=m"(back));
    memset(&shapes, 0, sizeof shapes);
    ck_assert_mem_eq(&back, &shapes, sizeof back); /* not configured */
    ck_assert_ptr_eq(amx_configs[FORMS].code, NULL);
}
END_TEST

/* The trap also carries out a LEA behind a tile instruction. */
START_TEST(all_forms_of_address_alone) {
    if (!ready()) return;
    for (int i = 0; i < FORMS; i++) {
        const form *f = &amx_addresses[i];
        run_form(f);
        const long expected = (long)(area + BASE_AT) + f->displacement + INDEX * f->scale;
        must_msg(amx_found == expected && amx_found_too == 2 * expected + 1, "lea, form %d", i);
    }
}
END_TEST

/* Addresses without a base register: relative to the next instruction, and absolute. */
__attribute__((used)) amx_shapes amx_at_place, amx_at_place_too;
START_TEST(addresses_without_a_base) {
    enum { AT = 0x10000000 };
    if (!ready()) return;
    amx_at_place = three_rows;
    __asm__ volatile("ldtilecfg amx_at_place(%%rip)\n sttilecfg amx_at_place_too(%%rip)" ::: "memory");
    ck_assert_mem_eq(&amx_at_place, &amx_at_place_too, sizeof amx_at_place);
    unsigned char *low = mmap((void *)AT, 1 << 16, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (low != (void *)AT) {
        TL_SKIP("absolute addresses: no memory at %#x", AT);
        return;
    }
    memcpy(low + 64, &whole, sizeof whole);
    fill_area(1);
    memcpy(low + 256, area, 4096);
    __asm__ volatile("ldtilecfg 0x10000040\n"
                     "tileloadd 0x10000100(,%0,4), %%tmm2\n"
                     "tilestored %%tmm2, 0x10004000(,%0,8)" ::"r"(32L)
                     : "memory");
    for (int r = 0; r < 16; r++) ck_assert_mem_eq(low + 0x4000 + r * 32 * 8, area + r * 32 * 4, 64);
    release();
}
END_TEST

/* ---- products ---- */

static uint16_t bfloat16(float x) { /* of numbers that bfloat16 represents exactly */
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (uint16_t)(bits >> 16);
}

/* Small whole numbers, so that every sum is exact; [row][word] of a, b, c, in tiles of 16 words; a word of a and b has
 * two numbers. */
static void check_product(const form *f, int m, int n, int words) {
    const int c = (int)f->scale, a = (int)f->displacement / 8, b = (int)f->displacement % 8;
    uint16_t of_a[16][32], of_b[16][32];
    float of_c[16][16], result[17][16];
    amx_shapes shapes = {.palette = 1};
    shapes.rows[c] = shapes.rows[a] = (uint8_t)m, shapes.rows[b] = (uint8_t)words;
    shapes.row_bytes[c] = shapes.row_bytes[b] = (uint16_t)(4 * n),
    shapes.row_bytes[a] = (uint16_t)(4 * words);
    for (int i = 0; i < 16; i++)
        for (int j = 0; j < 32; j++) {
            of_a[i][j] = bfloat16((float)((i * 5 + j * 3 + a) % 11 - 5));
            of_b[i][j] = bfloat16((float)((i * 3 + j * 7 + b) % 13 - 6));
            if (j < 16) of_c[i][j] = (float)(100 * i + j);
        }
    configure(&shapes);
    load(a, of_a, 64), load(b, of_b, 64), load(c, of_c, 64);
    amx_run(f->code);
    memset(result, 0, sizeof result);
    store(c, result, 64);
    for (int i = 0; i < 17; i++)
        for (int j = 0; j < 16; j++) {
            int sum = i < 16 ? 100 * i + j : 0;
            for (int k = 0; k < 2 * words; k++)
                sum += ((i * 5 + k * 3 + a) % 11 - 5) * ((k / 2 * 3 + (2 * j + k % 2) * 7 + b) % 13 - 6);
            if (i >= m || j >= n) sum = 0; /* nothing is written there */
            must_msg(result[i][j] == (float)sum, "tmm%d += tmm%d·tmm%d, %d × %d × %d: [%d,%d] is %g, not %d",
                     c, a, b, m, n, words, i, j, (double)result[i][j], sum);
        }
}

START_TEST(any_three_tiles_are_multiplied) {
    if (!ready()) return;
    int count = 0;
    for (const form *f = amx_products; f->code; f++, count++) {
        check_product(f, 16, 16, 16);
        check_product(f, 1 + count % 16, 1 + count / 3 % 16, 1 + count / 5 % 16);
    }
    release();
    ck_assert_int_eq(count, 8 * 7 * 6);
}
END_TEST

/* One row times one column: c + Σ a·b of 32 numbers. */
static float sum_of(float c, const float a[4], const float b[4]) {
    const amx_shapes shapes = {.palette = 1, .row_bytes = {4, 64, 4}, .rows = {1, 1, 16}};
    uint16_t of_a[32] = {0}, of_b[32] = {0};
    for (int i = 0; i < 4; i++) of_a[i] = bfloat16(a[i]), of_b[i] = bfloat16(b[i]);
    configure(&shapes);
    load(0, &c, 4), load(1, of_a, 64), load(2, of_b, 4);
    __asm__ volatile("tdpbf16ps %%tmm2, %%tmm1, %%tmm0" ::: "memory");
    store(0, &c, 4);
    release();
    return c;
}

START_TEST(sums_are_made_as_the_manual_says) {
    if (!ready()) return;
    const float one[4] = {1, 1, 1, 1}, large = 0x1p24f, tiny = 0x1p-127f, nothing[4] = {0};
    /* even and odd numbers have a chain each: 1 is lost beside 2^24, 1 + 1 is not */
    ck_assert(sum_of(0, (float[4]){large, 1, 1, 1}, one) == large + 2);
    ck_assert(sum_of(0, (float[4]){1, large, 1, 1}, one) == large + 2);
    ck_assert(sum_of(0, (float[4]){large, 0, 1, 0}, one) == large);
    /* c is added last */
    ck_assert(sum_of(large, one, (float[4]){1, 1, 0, 0}) == large + 2);
    ck_assert(sum_of(large, one, (float[4]){1, 0, 0, 0}) == large);
    /* a product is not rounded before it is added; denormal sums and operands become zero */
    const float small[4] = {0x1p-63f, 0, 0x1p-70f, 0};
    ck_assert(sum_of(0, small, small) == 0x1p-126f + 0x1p-140f);
    ck_assert(sum_of(0, (float[4]){0, 0, 0x1p-70f, 0}, small) == 0);
    const float halves[4] = {0x1p-63f, 0x1p-63f, 0x1p-63f, 0x1p-63f}, other[4] = {0x1p-64f, 0, 0x1p-64f, 0};
    ck_assert(sum_of(0, halves, other) == 0); /* even numbers; and odd ones */
    ck_assert(sum_of(0, halves, (float[4]){0, 0x1p-64f, 0, 0x1p-64f}) == 0);
    ck_assert(sum_of(0, (float[4]){tiny, 0, 0, 0}, (float[4]){0x1p120f, 0, 0, 0}) == 0);
    ck_assert(sum_of(0, (float[4]){0x1p120f, 0, 0, 0}, (float[4]){tiny, 0, 0, 0}) == 0);
    ck_assert(sum_of(tiny, nothing, nothing) == 0);
    ck_assert(sum_of(-tiny, one, (float[4]){0x1p-126f, 0, 0, 0}) == 0x1p-126f);
    ck_assert(isnan(sum_of(0, (float[4]){INFINITY, 0, 0, 0}, nothing)));
    ck_assert(sum_of(0, (float[4]){INFINITY, 0, 0, 0}, one) == INFINITY);
}
END_TEST

/* ---- the library ---- */

/* It releases the tiles of its threads: else the kernel would save them at every switch of threads. */
START_TEST(products_release_their_tiles) {
    extern const tl_product_kernels tl_product_kernels_high_amx;
    enum { SIDE = 100 };
    static tl_real memory[3][SIDE * SIDE];
    if (!ready()) return;
    tl_tensor t[3];
    for (int i = 0; i < 3; i++) t[i] = tl_tensor_of(memory[i], TL_SHAPE(SIDE, SIDE));
    tl_set_threads(3);
    tl_workspace w = {0};
    ck_assert(tl_product_with(&tl_product_kernels_high_amx, t[0], t[1], t[2], NULL, &w));
    tl_workspace_free(&w);
    int configured = 0;
# ifdef _OPENMP
#  pragma omp parallel num_threads(3) reduction(+ : configured)
# endif
    {
        amx_shapes now;
        __asm__ volatile("sttilecfg %0" : "=m"(now));
        configured += now.palette;
    }
    ck_assert_int_eq(configured, 0);
}
END_TEST

/* ---- refusals ---- */

/* The signal that ends a process that calls wrong(which); its last line goes to `text`. */
static int death(void (*wrong)(int), int which, char *text, size_t size) {
    int ends[2], status;
    size_t n = 0;
    ck_assert_int_eq(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        wrong(which);
        _exit(0);
    }
    close(ends[1]);
    for (ssize_t got; n + 1 < size && (got = read(ends[0], text + n, size - 1 - n)) > 0;) n += (size_t)got;
    text[n] = 0;
    close(ends[0]);
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void multiply_shapes(int rows_c, int bytes_c, int rows_a, int bytes_a, int rows_b, int bytes_b) {
    const amx_shapes s = {.palette = 1,
                          .row_bytes = {(uint16_t)bytes_c, (uint16_t)bytes_a, (uint16_t)bytes_b},
                          .rows = {(uint8_t)rows_c, (uint8_t)rows_a, (uint8_t)rows_b}};
    configure(&s);
    __asm__ volatile("tdpbf16ps %%tmm2, %%tmm1, %%tmm0" ::: "memory");
}

static const char *const refusals[] = {"tilezero at 0x",
                                       ": #UD: tiles are not configured\n",
                                       "tilestored",
                                       "#UD: tile 3 has no rows",
                                       "tdpbf16ps",
                                       "ldtilecfg",
                                       "#GP: reserved byte 15 is 1",
                                       "#GP: tile 7 has 17 rows of 64 bytes",
                                       "#GP: tile 0 has 16 rows of 65 bytes",
                                       "#GP: tile 1 has 0 rows of 64 bytes",
                                       "#GP: tile 1 has 16 rows of 0 bytes",
                                       "#GP: tile 8 is there",
                                       "start_row 1",
                                       "#UD: tiles 1, 1, 2: two are the same",
                                       "#UD: tiles 1, 2, 2: two are the same",
                                       "#UD: tiles 2, 1, 2: two are the same",
                                       "2 rows of 8 bytes; 1: 3 of 8; 2: 2 of 8 do not fit",
                                       "2 rows of 8 bytes; 1: 2 of 8; 2: 3 of 8 do not fit",
                                       "2 rows of 12 bytes; 1: 2 of 8; 2: 2 of 8 do not fit",
                                       "2 rows of 6 bytes; 1: 2 of 8; 2: 2 of 6 do not fit",
                                       "tile 1 has no rows"};
enum { REFUSALS = sizeof refusals / sizeof *refusals };

static void be_refused(int which) {
    amx_shapes s = whole;
    switch (which) {
    case 0:
        zero(0);
        break;
    case 1:
        configure(&whole), release(), load(0, area, 64);
        break;
    case 2:
        store(7, area, 64);
        break;
    case 3:
        s.rows[3] = 0, s.row_bytes[3] = 0, configure(&s), load(3, area, 64);
        break;
    case 4:
        __asm__ volatile("tdpbf16ps %tmm2, %tmm1, %tmm0");
        break;
    case 5:
        s.palette = 2;
        break;
    case 6:
        s.reserved[13] = 1;
        break;
    case 7:
        s.rows[7] = 17;
        break;
    case 8:
        s.row_bytes[0] = 65;
        break;
    case 9:
        s.rows[1] = 0;
        break;
    case 10:
        s.row_bytes[1] = 0;
        break;
    case 11:
        s.rows[8] = 1, s.row_bytes[8] = 4;
        break;
    case 12:
        s.start_row = 1;
        break;
    /* assemblers refuse these; c in ModRM.reg, a in ModRM.rm, b in VEX.vvvv (inverted) */
    case 13:
        configure(&whole);
        __asm__ volatile(".byte 0xc4, 0xe2, 0x6a, 0x5c, 0xc9");
        break;
    case 14:
        configure(&whole);
        __asm__ volatile(".byte 0xc4, 0xe2, 0x6a, 0x5c, 0xca");
        break;
    case 15:
        configure(&whole);
        __asm__ volatile(".byte 0xc4, 0xe2, 0x6a, 0x5c, 0xd1");
        break;
    case 16:
        multiply_shapes(2, 8, 3, 8, 2, 8);
        break;
    case 17:
        multiply_shapes(2, 8, 2, 8, 3, 8);
        break;
    case 18:
        multiply_shapes(2, 12, 2, 8, 2, 8);
        break;
    case 19:
        multiply_shapes(2, 6, 2, 8, 2, 6);
        break;
    case 20:
        multiply_shapes(2, 8, 0, 0, 2, 8);
        break;
    }
    if (which >= 5 && which <= 12) configure(&s);
}

/* Does the trap carry instructions out here? If not, the processor refuses, without a message. */
static bool trapped(void) {
    release();
    if (amx_trap_count() > 0) return true;
    TL_SKIP("AMX's trap: the processor has AMX, so it is not asked what it refuses");
    return false;
}

START_TEST(what_a_processor_refuses) {
    char text[4096];
    if (!ready() || !trapped()) return;
    for (int i = 0; i < REFUSALS; i++) {
        must_msg(death(be_refused, i, text, sizeof text) == SIGABRT, "%d: %s", i, text);
        must_msg(strncmp(text, "amx trap: ", 10) == 0 && strstr(text, refusals[i]), "%d: %s\n%s", i, text,
                 refusals[i]);
    }
}
END_TEST

/* Other causes of SIGILL, real ones and ones sent by kill. */
enum { OTHERS = 9 };
static void be_illegal(int which) {
    configure(&whole);
    switch (which) {
    case 0:
        __asm__ volatile("ud2");
        break;
    case 1:
        __asm__ volatile(".byte 0xc4, 0xe2, 0xfb, 0x49, 0xc0");
        break; /* tilezero with W */
    case 2:
        __asm__ volatile(".byte 0xc4, 0xe2, 0x7f, 0x49, 0xc0");
        break; /* with L */
    case 3:
        __asm__ volatile(".byte 0xc4, 0x62, 0x7b, 0x49, 0xc0");
        break; /* tmm8 */
    case 4:
        __asm__ volatile(".byte 0xc4, 0xe2, 0x73, 0x49, 0xc0");
        break; /* with vvvv */
    case 5:
        __asm__ volatile(".byte 0x66, 0xc4, 0xe2, 0x7b, 0x49, 0xc0");
        break; /* with a prefix */
    case 6:
        __asm__ volatile(".byte 0xc4, 0xe2, 0x7b, 0x4b, 0x07");
        break; /* tileloadd (%rdi) without SIB */
    case 7:
        __asm__ volatile(".byte 0xc4, 0xe2, 0x73, 0x5e, 0xc2");
        break; /* tdpbssd: AMX-INT8 */
    case 8:
        raise(SIGILL);
        break;
    }
}

START_TEST(anything_else_dies_as_it_would) {
    char text[4096];
    if (!ready() || !trapped()) return;
    for (int i = 0; i < OTHERS; i++) {
        must_msg(death(be_illegal, i, text, sizeof text) == SIGILL, "%d: %s", i, text);
        must_msg(*text == 0, "%d: %s", i, text);
    }
}
END_TEST

/* Memory that does not exist, or, for a sanitizer, is not allocated. */
static void overstep(int which) {
    configure(&whole);
    if (which == 0) load(0, (void *)64, 64);
    char *memory = calloc(1, 15 * 64 + 63);
    which == 1 ? load(0, memory, 64) : store(0, memory, 64);
    free(memory);
}

START_TEST(memory_that_is_not_there) {
    char text[65536];
    if (!ready() || !trapped()) return;
# ifdef TL_SANITIZED
    for (int which = 0; which < 3; which++) {
        death(overstep, which, text, sizeof text);
        assert_contains(text, which == 0 ? "SEGV" : "heap-buffer-overflow");
    }
# else
    ck_assert_int_eq(death(overstep, 0, text, sizeof text), SIGSEGV);
# endif
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, loads_from_all_forms_of_address);
    tcase_add_test(tc, stores_to_all_forms_of_address);
    tcase_add_test(tc, configurations_at_all_forms_of_address);
    tcase_add_test(tc, all_forms_of_address_alone);
    tcase_add_test(tc, addresses_without_a_base);
    tcase_add_test(tc, any_three_tiles_are_multiplied);
    tcase_add_test(tc, sums_are_made_as_the_manual_says);
    tcase_add_test(tc, products_release_their_tiles);
    tcase_add_test(tc, what_a_processor_refuses);
    tcase_add_test(tc, anything_else_dies_as_it_would);
    tcase_add_test(tc, memory_that_is_not_there);
}
#endif

TL_TEST_MAIN("tensor: AMX's trap")
