"""What this Python's str.lower() makes of every character: alone, and around a capital sigma. For
test_lowercase.c, which reads the bytes; the first line is the version of Unicode. With --checksum: FNV-1a of
those bytes instead."""
import sys
import unicodedata

SIGMA = "\u03a3"
text = "".join(f"{c} A{c}{SIGMA} {c}{SIGMA} A{SIGMA}{c} A{SIGMA}{c}B\n".lower()
               for c in map(chr, [*range(1, 0xD800), *range(0xE000, 0x110000)]))
if sys.argv[1:] == ["--checksum"]:
    fnv = 14695981039346656037
    for byte in text.encode():
        fnv = (fnv ^ byte) * 1099511628211 & 0xFFFFFFFFFFFFFFFF
    print(unicodedata.unidata_version, fnv)
else:
    sys.stdout.buffer.write(f"{unicodedata.unidata_version}\n{text}".encode())
