/* Picks the kernels for this processor, or those that somebody asks for by name.
 *
 * The table in use is the library's only state: one pointer for the whole process, set by the first caller and only
 * read after that. It is no setting of a tape, because it is a fact about the processor, and because finding it may
 * mean asking the kernel for permission to use AMX's tiles, which is given to a process once. Threads that ask at the
 * same time get the same answer. Only tl_set_isa changes the pointer.
 *
 * A wrong name in TL_ISA has no effect here. Every new tape checks the name and fails with an error
 * (tl_kernels_check_name). */
#define _GNU_SOURCE /* syscall */
#include "kernels/kernels.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
# include <cpuid.h>
#endif
#if defined(TL_WITH_AMX)
# include <sys/syscall.h>
# include <unistd.h>
#endif

/* Defines a table: the set that most kernels are compiled for, and the kernels for products with weights. */
#define SET(name, text, set, highest, high, medium)                     \
 static const tl_kernels name = {.isa = text,                           \
                                 .product = &tl_product_kernels_##set,  \
                                 .weights = {&highest, &high, &medium}, \
                                 .map = &tl_map_kernels_##set,          \
                                 .rows = &tl_row_kernels_##set,         \
                                 .norms = &tl_norm_kernels_##set,       \
                                 .losses = &tl_loss_kernels_##set,      \
                                 .update = &tl_update_kernels_##set};
#define SET_OF_ONE(set)                                    \
 extern const tl_product_kernels tl_product_kernels_##set; \
 extern const tl_map_kernels tl_map_kernels_##set;         \
 extern const tl_row_kernels tl_row_kernels_##set;         \
 extern const tl_norm_kernels tl_norm_kernels_##set;       \
 extern const tl_loss_kernels tl_loss_kernels_##set;       \
 extern const tl_update_kernels tl_update_kernels_##set;   \
 SET(table_##set, #set, set, tl_product_kernels_##set, tl_product_kernels_##set, tl_product_kernels_##set)

SET_OF_ONE(base)
#if defined(__x86_64__)
SET_OF_ONE(avx2)
SET_OF_ONE(avx512)
#endif
#if defined(TL_WITH_BF16)
extern const tl_product_kernels tl_product_kernels_bf16;
SET(table_avx512_bf16, "avx512+bf16", avx512, tl_product_kernels_avx512, tl_product_kernels_avx512,
    tl_product_kernels_bf16)
#endif
#if defined(TL_WITH_AMX)
extern const tl_product_kernels tl_product_kernels_highest_amx, tl_product_kernels_high_amx,
    tl_product_kernels_medium_amx;
SET(table_amx, "amx", avx512, tl_product_kernels_highest_amx, tl_product_kernels_high_amx,
    tl_product_kernels_medium_amx)
#endif

/* ---- what the processor has and the kernel grants ---- */

#if defined(__x86_64__)
static const tl_kernels *avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &table_avx2 : NULL;
}

static const tl_kernels *avx512(void) {
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl"))
        return NULL;
# if defined(TL_WITH_BF16)
    unsigned a, b, c, d;
    if (__get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 5 & 1)) return &table_avx512_bf16;
# endif
    return &table_avx512;
}
#endif

#if defined(TL_WITH_AMX)
/* AMX needs three things: tiles and their bfloat16 products in the processor; a kernel that saves the tiles' state
 * (XCR0); and the kernel's permission (8 KB more on every signal's stack). Linux 5.16 and later,
 * Documentation/x86/xstate.rst. */
__attribute__((target("xsave"))) static bool kernel_saves_tiles(void) {
    enum { CONFIG = 1 << 17, DATA = 1 << 18 };
    return (__builtin_ia32_xgetbv(0) & (CONFIG | DATA)) == (CONFIG | DATA);
}

static bool tiles_granted(void) {
    enum { ARCH_REQ_XCOMP_PERM = 0x1023, XTILEDATA = 18, OSXSAVE = 27, AMX_BF16 = 22, AMX_TILE = 24 };
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c >> OSXSAVE & 1)) return false;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d >> AMX_BF16 & 1) || !(d >> AMX_TILE & 1))
        return false;
    return kernel_saves_tiles() && syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XTILEDATA) == 0;
}

static const tl_kernels *amx(void) {
    bool granted = avx512() && tiles_granted();
# if defined(TL_AMX_TRAPPED) /* what the processor refuses, tests/tensor/amx_trap.c carries out */
    granted = avx512() != NULL;
# endif
    return granted ? &table_amx : NULL;
}
#endif

static const tl_kernels *base(void) { return &table_base; }

/* Best first. */
static const struct {
    const char *name;
    const tl_kernels *(*table)(void); /* NULL if it cannot run here */
} sets[] = {
#if defined(TL_WITH_AMX)
    {"amx", amx},
#endif
#if defined(__x86_64__)
    {"avx512", avx512},
    {"avx2", avx2},
#endif
    {"base", base}};
enum { SETS = sizeof sets / sizeof *sets };

/* ---- the one in use ---- */

static _Atomic(const tl_kernels *) in_use; /* NULL: nobody has asked yet */

const tl_kernels *tl_kernels_pick(void) {
    const tl_kernels *found = atomic_load_explicit(&in_use, memory_order_relaxed), *nobody = NULL;
    if (found) return found;
    const char *asked = getenv("TL_ISA");
    for (int i = 0; i < SETS && asked && !found; i++)
        if (strcmp(asked, sets[i].name) == 0) found = sets[i].table();
    for (int i = 0; i < SETS && !found; i++) found = sets[i].table();
    /* unless tl_set_isa has set it in the meantime */
    return atomic_compare_exchange_strong(&in_use, &nobody, found) ? found : nobody;
}

/* The table of that name; NULL, and an error, if this machine or build does not have it. */
static const tl_kernels *find(const char *name, const char *who, tl_error *error) {
    char here[64] = "";
    for (int i = SETS - 1; i >= 0; i--) {
        const tl_kernels *table = sets[i].table();
        if (!table) continue;
        if (name && strcmp(name, sets[i].name) == 0) return table;
        strcat(strcat(here, *here ? ", " : ""), sets[i].name);
    }
    tl_error_set(error, "%s \"%s\": this machine and build have %s", who, name ? name : "", here);
    return NULL;
}

bool tl_set_isa(const char *name, tl_error *error) {
    const tl_kernels *table = find(name, "instruction set", error);
    if (table) atomic_store(&in_use, table);
    return table != NULL;
}

bool tl_kernels_check_name(tl_error *error) {
    const char *asked = getenv("TL_ISA");
    return !asked || *asked == 0 || find(asked, "TL_ISA: instruction set", error);
}

/* ---- matrix precision ---- */

static const char *const precisions[] = {"highest", "high", "medium"};

bool tl_matmul_precision_of(const char *name, tl_matmul_precision *precision) {
    for (int i = 0; i < 3; i++)
        if (name && precision && strcmp(name, precisions[i]) == 0)
            return *precision = (tl_matmul_precision)i, true;
    return false;
}

const char *tl_matmul_precision_name(tl_matmul_precision precision) {
    return (unsigned)precision <= TL_MEDIUM ? precisions[precision] : "none";
}
