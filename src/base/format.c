/* Sets the locale "C" for this thread alone, while it formats (uselocale): other threads are not affected. */
#define _POSIX_C_SOURCE 200809L /* newlocale, uselocale */
#include "format.h"

#include <locale.h>
#include <stdio.h>
#if defined(__APPLE__)
# include <xlocale.h>
#endif

int tl_vformat(char *text, size_t size, const char *format, va_list arguments) {
    const locale_t none = (locale_t)0;
    const locale_t plain = newlocale(LC_ALL_MASK, "C", none); /* takes no memory in glibc */
    const locale_t before = plain == none ? none : uselocale(plain);
    const int length = vsnprintf(text, size, format, arguments);
    if (before != none) uselocale(before);
    if (plain != none) freelocale(plain);
    return length;
}

int tl_format(char *text, size_t size, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const int length = tl_vformat(text, size, format, arguments);
    va_end(arguments);
    return length;
}
