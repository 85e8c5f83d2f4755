/* Errors that keep the first failure: what is set stays, whatever fails after it, until it is cleared. */
#include "format.h"
#include "tapeloom/base.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool tl_error_set(tl_error *error, const char *format, ...) {
    if (!error || error->message[0]) return false;
    va_list arguments;
    va_start(arguments, format);
    tl_vformat(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    if (!error->message[0]) memcpy(error->message, "unknown error", sizeof "unknown error");
    return false;
}

bool tl_failed(const tl_error *error) { return !error || error->message[0]; }

void tl_error_clear(tl_error *error) {
    if (error) error->message[0] = 0;
}
