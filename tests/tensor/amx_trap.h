/* AMX's tiles on processors that have none. A program linked with amx_trap.c runs the machine code that an AMX
 * processor would run. The processor refuses each tile instruction (#UD, SIGILL); the trap decodes it, carries it out
 * in C on tiles of the thread's own, and steps over it. If an AMX processor would refuse it too, the program ends with
 * a line that says why. Where there is AMX (with the kernel's permission, see tl_kernels_pick), nothing is refused and
 * the same program runs on the hardware. */
#ifndef TL_TESTS_AMX_TRAP_H
#define TL_TESTS_AMX_TRAP_H

#include <stdint.h>

/* The memory that LDTILECFG reads and STTILECFG writes. */
typedef struct amx_shapes {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} amx_shapes;

/* The number of instructions carried out in this process so far. With AMX_TRAP_COUNT=1 in the environment, a program
 * prints that number on standard error when it ends. */
long amx_trap_count(void);

#endif
