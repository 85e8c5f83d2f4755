/* The base of the library, below all rooms: errors. It includes nothing of the library. */
#ifndef TAPELOOM_BASE_H
#define TAPELOOM_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__FAST_MATH__)
# error "tapeloom cannot be used with -ffast-math: it relies on NaN, infinity and a fixed order of sums"
#endif
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
# error "tapeloom runs on little-endian machines only: weights in files are used as they lie in memory"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Follows the declaration of a function that takes a format as printf does: the compiler then checks the arguments. fmt
 * and first count parameters from 1. */
#if defined(__GNUC__)
# define TL_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#else
# define TL_PRINTF(fmt, first)
#endif

/* ---- errors: the first failure is kept, later ones change nothing ---- */

/* Most bytes of an error's message, the final NUL included. */
#define TL_ERROR_MAX 512
/* Where a function that can fail leaves its message. Begin with {""}; several calls may share one. */
typedef struct tl_error {
    char message[TL_ERROR_MAX]; /* "" = no error; UTF-8, one line, names what failed and what to do */
} tl_error;

/* Keeps the first failure. Always returns false, so that `return tl_error_set(...)` reads as "it failed". */
bool tl_error_set(tl_error *error, const char *format, ...) TL_PRINTF(2, 3);
/* Has something failed? True also for NULL: the object that holds the error could not be made. */
bool tl_failed(const tl_error *error);
/* Clears the failure, so that the next one is kept. */
void tl_error_clear(tl_error *error);

#ifdef __cplusplus
}
#endif
#endif
