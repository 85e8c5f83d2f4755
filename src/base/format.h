/* Numbers as text, the same in every locale. A program that uses this library may have called setlocale, and then
 * printf may write 41,02 instead of 41.02, which other programs cannot read. Everything that the library prints with
 * %f, %e or %g goes through here. */
#ifndef TL_BASE_FORMAT_H
#define TL_BASE_FORMAT_H

#include "tapeloom/base.h"

#include <stdarg.h>

/* snprintf and vsnprintf in the locale "C". The program's own locale is unchanged when they return. */
int tl_format(char *text, size_t size, const char *format, ...) TL_PRINTF(3, 4);
int tl_vformat(char *text, size_t size, const char *format, va_list arguments) TL_PRINTF(3, 0);

#endif
