"""The result of this Python's str.lower() for every character, by itself and around a capital sigma, for
test_lowercase.c. The first line is the version of Unicode. With --checksum: FNV-1a of the bytes instead."""
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
