/* Numbers as text, the same in every locale: written with a decimal point and the fewest digits that read back exactly,
 * and read with a decimal point. printf and strtod use the locale's decimal point, which may be a comma (or, in some
 * locales, a character of several bytes). Here it is replaced after writing and before reading. */
#define _POSIX_C_SOURCE 200809L
#include "complain.h"

#include "tapeloom/io.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void replace_decimal_point(const char *locale_point, char *text) {
    char *at = strstr(text, locale_point);
    if (!at || strcmp(locale_point, ".") == 0) return;
    size_t width = strlen(locale_point);
    *at = '.';
    memmove(at + 1, at + width, strlen(at + width) + 1);
}

/* Writes NaN, infinity and 0. Returns true if value was one of them. */
static bool special_text(double value, char *text) {
    if (isfinite(value) && value != 0) return false;
    strcpy(text, isnan(value)     ? "nan"
                 : isinf(value)   ? value > 0 ? "inf" : "-inf"
                 : signbit(value) ? "-0"
                                  : "0");
    return true;
}

char *tl_double_text(double value, char text[TL_NUMBER_TEXT]) {
    if (!text || special_text(value, text)) return text;
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, TL_NUMBER_TEXT, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    replace_decimal_point(localeconv()->decimal_point, text);
    return text;
}

char *tl_float_text(float value, char text[TL_NUMBER_TEXT]) {
    if (!text || special_text((double)value, text)) return text;
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(text, TL_NUMBER_TEXT, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value) break;
    }
    replace_decimal_point(localeconv()->decimal_point, text);
    return text;
}

/* Only decimal notation is allowed; strtod would also accept hexadecimal, spaces and "infinity". */
static bool is_decimal(const char *c) {
    if (*c == '-' || *c == '+') c++;
    size_t whole = strspn(c, "0123456789"), part = 0;
    c += whole;
    if (*c == '.') {
        part = strspn(c + 1, "0123456789");
        c += 1 + part;
    }
    if (whole + part == 0) return false;
    if (*c == 'e' || *c == 'E') {
        c++;
        if (*c == '-' || *c == '+') c++;
        if (strspn(c, "0123456789") == 0) return false;
        c += strspn(c, "0123456789");
    }
    return *c == 0;
}

/* Are all digits before the exponent 0? If not, but the value is 0, it was too small: --minutes 1e-999 does not mean
 * "no limit". */
static bool is_zero(const char *text) { return strcspn(text, "123456789") >= strcspn(text, "eE"); }

bool tl_double_parse(const char *text, double *value) {
    if (!text || !value) return false;
    bool negative = text[0] == '-';
    const char *unsigned_text = text + (text[0] == '-' || text[0] == '+');
    if (strcmp(unsigned_text, "nan") == 0 || strcmp(unsigned_text, "inf") == 0) {
        *value = unsigned_text[0] == 'n' ? (double)NAN : negative ? -(double)INFINITY : (double)INFINITY;
        return true;
    }
    if (!is_decimal(text)) return false;
    const char *locale_point = localeconv()->decimal_point, *at = strchr(text, '.');
    double read;
    if (!at || strcmp(locale_point, ".") == 0) {
        read = strtod(text, NULL);
    } else {
        size_t size = strlen(text) + strlen(locale_point) + 1;
        char *local = malloc(size);
        if (!local) return false;
        snprintf(local, size, "%.*s%s%s", (int)(at - text), text, locale_point, at + 1);
        read = strtod(local, NULL);
        free(local);
    }
    if (!isfinite(read) || (read == 0 && !is_zero(text))) return false; /* too large or too small */
    *value = read;
    return true;
}

bool tl_long_parse(const char *text, long *value) {
    if (!text || !value) return false;
    const char *digits = text + (text[0] == '-' || text[0] == '+');
    if (*digits == 0 || digits[strspn(digits, "0123456789")] != 0) return false;
    errno = 0;
    long read = strtol(text, NULL, 10);
    if (errno != 0) return false;
    *value = read;
    return true;
}

char *tl_duration_text(double seconds, char text[TL_NUMBER_TEXT]) {
    if (!text) return NULL;
    if (!(seconds >= 0) || seconds > 1e12) return strcpy(text, "?");
    if (seconds < 9.95) { /* tenths; what would round to 10.0 is written as 10 */
        int tenths = (int)(seconds * 10 + 0.5);
        snprintf(text, TL_NUMBER_TEXT, "%d.%d s", tenths / 10, tenths % 10);
        return text;
    }
    long long all = (long long)(seconds + 0.5), s = all % 60, m = all / 60 % 60, h = all / 3600 % 24,
              d = all / 86400;
    if (all < 60)
        snprintf(text, TL_NUMBER_TEXT, "%lld s", all);
    else if (all < 3600)
        snprintf(text, TL_NUMBER_TEXT, "%lld:%02lld", m, s);
    else if (d == 0)
        snprintf(text, TL_NUMBER_TEXT, "%lld:%02lld:%02lld", h, m, s);
    else
        snprintf(text, TL_NUMBER_TEXT, "%lld d %02lld:%02lld:%02lld", d, h, m, s);
    return text;
}
