#!/usr/bin/env python3
"""Writes src/text/unicode/lowercase_table.h: the lower case of every character in this Python. The build does not need
this script. Run it from the top of the repository to update the table to a Python with a newer Unicode:

    python3 src/text/unicode/make_lowercase.py > src/text/unicode/lowercase_table.h

Mappings come from str.lower() of single characters. The lower case of a capital sigma depends on two properties
of its neighbours, which Python does not export. They are found by lowering a sigma beside each character."""
import sys
import unicodedata

ALL = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
SIGMA, FINAL = "\u03a3", "\u03c2"
PER_LINE = 4


def mapping(c):
    """Distance to the lower-case character; 0 for İ, which becomes two characters (handled in lowercase.c)."""
    lower = chr(c).lower()
    if c == 0x0130:
        assert lower == "i\u0307"
        return 0
    assert len(lower) == 1
    before, after = len(chr(c).encode()), len(lower.encode())
    assert 2 * after <= 3 * before, "a line would outgrow TL_LOWERCASE_ROOM"
    return ord(lower) - c


def context(c):
    """1: skipped when the neighbours of a sigma are looked for (Case_Ignorable); 2: a letter with case (Cased);
    0: neither."""
    if (chr(c) + SIGMA).lower().endswith(FINAL):
        return 2
    return 1 if ("A" + chr(c) + SIGMA).lower().endswith(FINAL) else 0


def mapping_ranges():
    """[first, last, step, distance], a capital every `step` characters."""
    ranges = []
    for c in ALL:
        distance = mapping(c)
        if not distance:
            continue
        r = ranges[-1] if ranges else None
        gap = c - r[1] if r else 0
        if r and r[3] == distance and (gap == r[2] or (gap == 2 and r[0] == r[1])):
            r[1], r[2] = c, gap
        else:
            ranges.append([c, c, 1, distance])
    return ranges


def context_ranges():
    ranges = []
    for c in ALL:
        kind = context(c)
        if kind and ranges and ranges[-1][1] == c - 1 and ranges[-1][2] == kind:
            ranges[-1][1] = c
        elif kind:
            ranges.append([c, c, kind])
    return ranges


def print_table(name, kind, rows):
    print(f"\nstatic const {kind} {name}[] = {{")
    for i in range(0, len(rows), PER_LINE):
        end = "};" if i + PER_LINE >= len(rows) else ","
        print("    " + ", ".join("{" + r + "}" for r in rows[i:i + PER_LINE]) + end)


print(f"""/* Made by make_lowercase.py from Python {sys.version_info[0]}.{sys.version_info[1]}: Unicode {unicodedata.unidata_version}.
 * Included by lowercase.c alone, which says what the tables mean. */
/* clang-format off */""")
print_table("lower_ranges", "lower_range", [f"0x{a:X}, 0x{b:X}, {s}, {d}" for a, b, s, d in mapping_ranges()])
print_table("context_ranges", "context_range", [f"0x{a:X}, 0x{b:X}, {k}" for a, b, k in context_ranges()])
