/* Lower case by two tables that make_lowercase.py takes from Python. One holds the distance from a capital to its small
 * letter. The other is for a capital sigma. It becomes ς (final) if a letter with case comes before it and none after
 * it, and σ otherwise; characters such as apostrophes and combining marks are skipped on both sides (Unicode's
 * Final_Sigma). Only İ becomes two characters. */
#include "lowercase.h"
#include "base/utf8.h"

#include <string.h>

/* Characters first, first + step, … last: their lower case is at this distance. */
typedef struct lower_range {
    uint32_t first, last;
    uint8_t step;
    int32_t distance;
} lower_range;

enum { PLAIN, SEEN_THROUGH, CASED };
typedef struct context_range {
    uint32_t first, last;
    uint8_t kind; /* of the characters first … last; characters in no range are PLAIN */
} context_range;

#include "lowercase_table.h"

enum {
    LOWER_RANGES = sizeof lower_ranges / sizeof *lower_ranges,
    CONTEXT_RANGES = sizeof context_ranges / sizeof *context_ranges,
    CAPITAL_SIGMA = 0x3A3,
    SIGMA = 0x3C3,
    FINAL_SIGMA = 0x3C2,
    CAPITAL_I_WITH_DOT = 0x130
};

static uint32_t lower_of(uint32_t code) {
    size_t from = 0, to = LOWER_RANGES; /* from-1 … to-1 holds the last range that begins at or before code */
    while (from < to) {
        size_t middle = (from + to) / 2;
        if (lower_ranges[middle].first <= code)
            from = middle + 1;
        else
            to = middle;
    }
    if (from == 0) return code;
    const lower_range *r = &lower_ranges[from - 1];
    if (code > r->last || (code - r->first) % r->step != 0) return code;
    return (uint32_t)((int32_t)code + r->distance);
}

static int context_of(uint32_t code) {
    size_t from = 0, to = CONTEXT_RANGES;
    while (from < to) {
        size_t middle = (from + to) / 2;
        if (context_ranges[middle].first <= code)
            from = middle + 1;
        else
            to = middle;
    }
    return from > 0 && code <= context_ranges[from - 1].last ? context_ranges[from - 1].kind : PLAIN;
}

/* Is the first character of `rest`, apart from skipped ones, a letter with case? */
static bool is_cased_behind(tl_span rest) {
    for (uint32_t code; rest.size > 0;) {
        size_t length = tl_utf8_read(rest.text, rest.size, &code);
        int kind = length > 0 ? context_of(code) : PLAIN;
        if (kind != SEEN_THROUGH) return kind == CASED;
        rest = (tl_span){rest.text + length, rest.size - length};
    }
    return false;
}

size_t tl_lowercase(tl_span text, char *out) {
    size_t used = 0;
    /* is the nearest character before, apart from skipped ones, a letter with case? */
    bool cased_before = false;
    while (text.size > 0) {
        uint32_t code = 0;
        size_t length = tl_utf8_read(text.text, text.size, &code);
        bool bad = length == 0;
        if (bad) length = 1;
        tl_span rest = {text.text + length, text.size - length};
        if (bad)
            out[used++] = text.text[0];
        else if (code == CAPITAL_I_WITH_DOT)
            used += tl_utf8_write('i', out + used), used += tl_utf8_write(0x307, out + used);
        else if (code == CAPITAL_SIGMA)
            used += tl_utf8_write(cased_before && !is_cased_behind(rest) ? FINAL_SIGMA : SIGMA, out + used);
        else
            used += tl_utf8_write(lower_of(code), out + used);
        int kind = bad ? PLAIN : context_of(code);
        if (kind != SEEN_THROUGH) cased_before = kind == CASED;
        text = rest;
    }
    return used;
}
