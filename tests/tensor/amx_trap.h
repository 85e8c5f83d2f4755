/* AMX's tiles for processors that have none. A program that amx_trap.c is linked into runs the machine code that an AMX
 * processor would run: each tile instruction that this one refuses (#UD, SIGILL) is decoded where it stands, carried
 * out in C on tiles of the thread's own, and stepped over. What an AMX processor would refuse too ends the program with
 * a line that says why. Where there is AMX (and the kernel's permission, see tl_kernels_pick) nothing is refused, and
 * the same program runs on the hardware. */
#ifndef TL_TESTS_AMX_TRAP_H
#define TL_TESTS_AMX_TRAP_H

#include <stdint.h>

/* What LDTILECFG reads and STTILECFG writes. */
typedef struct amx_shapes {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} amx_shapes;

/* Instructions carried out in this process so far. With AMX_TRAP_COUNT=1 in the environment a program says the number
 * on standard error when it ends. */
long amx_trap_count(void);

#endif
