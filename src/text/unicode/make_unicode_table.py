#!/usr/bin/env python3
"""Writes unicode_table.c, the table of runs of characters that unicode.h declares, from Python's unicodedata:

    python3 src/text/unicode/make_unicode_table.py > src/text/unicode/unicode_table.c

The build does not need this script. Unassigned code points get the values of the assigned one before them, so that
they need no run of their own, but are no letters and no numbers. A new version of Unicode changes only these."""

import sys
import unicodedata

# As in unicode.h and unicode.c.
WORD, MARK, SYMBOL, OPENING, IDEOGRAPH, WHITE, CONTROL = range(7)
LETTER, NUMBER = 0x40, 0x80

# Blocks of scripts that are written without spaces between words: radicals, CJK punctuation, kana, bopomofo, strokes,
# enclosed and compatibility forms, ideographs.
IDEOGRAPHIC = [(0x2E80, 0x312F), (0x3190, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0xFE30, 0xFE4F),
               (0xFF66, 0xFF9F), (0x16FE0, 0x18D8F), (0x1AFF0, 0x1B16F), (0x1F200, 0x1F2FF), (0x20000, 0x3FFFF)]
FULLWIDTH_SIGNS = (0xFF01, 0xFF65)  # those that are not letters or digits


def class_of(code):
    char = chr(code)
    category = unicodedata.category(char)
    if char.isspace():
        return WHITE
    if category == "Cc":
        return CONTROL
    if category[0] == "M" or category == "Cf":
        return MARK
    if any(first <= code <= last for first, last in IDEOGRAPHIC):
        return IDEOGRAPH
    if FULLWIDTH_SIGNS[0] <= code <= FULLWIDTH_SIGNS[1] and category[0] in "PS":
        return IDEOGRAPH
    if category[0] in "LN":
        return WORD
    return OPENING if category in ("Ps", "Pi") else SYMBOL


def width_of(code):
    char = chr(code)
    category = unicodedata.category(char)
    if unicodedata.combining(char) or category in ("Mn", "Me", "Cc") or category == "Cf" and code != 0xAD:
        return 0
    if category in ("Zl", "Zp") or 0x1160 <= code <= 0x11FF or 0xD7B0 <= code <= 0xD7FF:
        return 0  # separators of lines; Hangul vowels and finals, drawn into the syllable before them
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def kind_of(category):
    return {"L": LETTER, "N": NUMBER}.get(category[0], 0)


def runs():
    last = None
    for code in range(sys.maxunicode + 1):
        category = unicodedata.category(chr(code))
        if category in ("Cn", "Cs"):
            properties = last & ~(LETTER | NUMBER)
        else:
            properties = kind_of(category) | width_of(code) << 4 | class_of(code)
        if properties != last:
            yield code << 8 | properties
            last = properties


def main():
    table = list(runs())
    print("/* Made by make_unicode_table.py from Unicode %s. Each entry is where a run begins (<< 8), whether it is of"
          " letters\n * (0x40) or numbers (0x80), its width (<< 4) and its class. */" % unicodedata.unidata_version)
    print('#include "unicode.h"\n')
    print('const char tl_unicode_version[] = "%s";' % unicodedata.unidata_version)
    print("const size_t tl_unicode_runs = %d;" % len(table))
    print("/* clang-format off */")
    print("const uint32_t tl_unicode_table[%d] = {" % len(table))
    rows = [", ".join("0x%07X" % entry for entry in table[i:i + 9]) for i in range(0, len(table), 9)]
    print("    " + ",\n    ".join(rows) + "};")


main()
