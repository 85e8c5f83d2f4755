/* Failures without a tape: their message is kept for the calling thread, and every tape returns it (autograd.h,
 * tl_tape_error). */
#include "base/format.h"
#include "tape.h"

#include <stdarg.h>

/* Of the calling thread: functions without a tape have no other place for it. */
static _Thread_local tl_error stray;

const char *tl_stray_error(void) { return stray.message[0] ? stray.message : NULL; }
void tl_stray_clear(void) { tl_error_clear(&stray); }
void tl_stray_vfail(const char *format, va_list arguments) {
    char text[TL_ERROR_MAX];
    tl_vformat(text, sizeof text, format, arguments);
    tl_error_set(&stray, "%s", text);
}
bool tl_stray_fail(const char *who, const char *what, const char *fault) {
    return tl_error_set(&stray, "%s: %s %s; it has no tape", who, what, fault);
}
