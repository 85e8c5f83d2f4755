#!/usr/bin/env python3
"""Writes tests/text/bleu_cases.h: sentence pairs that are hard to cut, and sacreBLEU's results for them. The
tests do not need this script; run it from the top of the repository after changing the pairs:

    python3 tests/text/make_bleu_cases.py > tests/text/bleu_cases.h
"""
import sacrebleu
from sacrebleu.metrics import BLEU, CHRF

TOKENIZERS = ["none", "13a", "zh", "char"]
PAIRS = [  # hypothesis, reference
    ("The cat sat on the mat.", "The cat sat on the mat."),
    ("\"Well,\" she said; 'it costs $1,000.50 (about 3.5%)!'", "\"Well\", she said: 'it cost $1,000.5 (ca. 3,5 %)!'"),
    ("From 1990-1995, 5-year-olds ate 3-4 apples - or -2.", "Between 1990 and 1995, 5-year-olds ate 3 -4 apples -or- 2-."),
    ("Tom &amp; Jerry say &quot;hi&quot; &lt;b&gt; &amp;lt; &amp;quot;", "Tom & Jerry say \"hi\" <b> &lt; &quot; &AMP; &lt"),
    ("a<skipped>b <ski<skipped>pped> <SKIPPED> end", "ab <skipped> <Skipped> end"),
    ("It ended... didn't it?.. v1.2.3,4 ..5 5.. ,. .,", "It ended … didn’t it? . v1.2.3 , 4 . . 5 5 . . , . . ,"),
    ("e-mail me@example.org/path?x=1&y=2#z or ~user_name", "email me at me@example.org/path?x=1&amp;y=2 , or ~user_name"),
    ("我今天花了1,000.5元买iPhone。", "今天我花1,000元买了一部 iPhone 14。"),
    ("你好，世界！（测试）「引号」", "你好世界!(测试)“引号”…——"),
    ("ＡＢＣ　１２３．５％ｘ", "ＡＢＣ １２３．５％ｙ ABC"),
    ("㐀䶵𠀀𪛖龥龦龻龼鿿 豈﨩舘 U+2000: x\u2000y", "㐀䶵𠀀龥龦龻 豈 ⺀⼀⿰〇㇀㆒ㄅ︐︰☀✂㋀㌀ x y"),
    (".5 is first, and 5. is last,", ".5 is first and 5. is last ,"),
    ("\u3000\t .5 again -", " .5 again -\r"),
    ("Émile’s naïve café — “fiancé” · 10\u00a0000 €", "Emile's naïve cafe\u0301 – \"fiancé\" · 10 000 €"),
    ("e\u0301 a\u0308o\u0308u\u0308 i\u0307 \u0301x", "é äöü i̇ ́x"),
    ("👍🏽 👨‍👩‍👧 😀😀!", "👍 👨‍👩‍👧 😀 😀 !"),
    ("ΟΔΥΣΣΕΎΣ ΣΑΣ Σ ΑΣ' ΑΣ'Α Σ.Σ ΑΣ\u0301 \u0345Σ", "οδυσσεύς σας σ ας' ασ'α σ.ς ας\u0301"),
    ("İSTANBUL Iğdır DŽ Dž ǅ ẞ STRASSE ϴ Ω K Å", "i̇stanbul iğdır dž ǆ ß straße θ ω k å"),
    ("ÅNGSTRÖM Ⱥ Ⱦ Ａ Ⅷ Ⓐ Ჿ Ꭰ Ꮿ 𐐀 𞤀", "ångström ⱥ ⱦ ａ ⅷ ⓐ ჿ ꭰ ꮿ 𐐨 𞤢"),
    ("", "an empty hypothesis"),
    ("an empty reference", ""),
    ("", ""),
    (" \t\u2028 ", "only white space there"),
    ("alpha beta gamma delta", "eins zwei drei vier"),
    ("yes", "yes"),
    ("a b c", "a b c"),
    ("the the the the the the the", "the cat is on the mat"),
    ("line-\nbreak and\nmore -\n", "linebreak and more -"),
    ("{[(~`^*+=|\\)]}<>@#%&_:;!?/\"$'-", "{ [ ( ~ ` ^ * + = | \\ ) ] } < > @ # % & _ : ; ! ? / \" $ ' -"),
    ("100-200 1-a a-1 1--2 1.-2 ٣.٤ ٣-٤ ２-３", "100 - 200 1 - a a-1 1 - -2 1 . -2 ٣ . ٤ ٣-٤ ２ - ３"),
]


def literal(text):
    """A C string; bytes outside ASCII as octal, which three digits end."""
    out = ""
    for byte in text.encode():
        c = chr(byte)
        if c in "\"\\":
            out += "\\" + c
        elif 32 <= byte < 127 and c != "?":  # "??" begins trigraphs
            out += c
        else:
            out += f"\\{byte:03o}"
    return f'"{out}"'


METRICS = {(t, lc): BLEU(tokenize=t, lowercase=lc, force=True) for t in TOKENIZERS for lc in (False, True)}


def cut(text, tokenize, lowercase):
    return " ".join(METRICS[tokenize, lowercase]._preprocess_segment(text).split())


def bleu(hyps, refs, tokenize, lowercase):
    return BLEU(tokenize=tokenize, lowercase=lowercase, force=True).corpus_score(hyps, [refs])


print(f"""/* Made by make_bleu_cases.py with sacreBLEU {sacrebleu.__version__}. Octal escapes are UTF-8; the script has the pairs in
 * readable form. Tables are by [tokens][lowercase] where scores are concerned. */
/* clang-format off */
enum {{ PAIRS = {len(PAIRS)}, TOKENIZERS = {len(TOKENIZERS)} }};

static const char *const pairs[PAIRS][2] = {{""")
for h, r in PAIRS:
    print(f"    {{{literal(h)},\n     {literal(r)}}},")
print("};\n\n/* The tokens with single spaces between, of [pair][side][tokens][lowercase]. */")
print("static const char *const cut[PAIRS][2][TOKENIZERS][2] = {")
for pair in PAIRS:
    print("    {")
    for side in pair:
        rows = [f"{{{literal(cut(side, t, False))},\n       {literal(cut(side, t, True))}}}" for t in TOKENIZERS]
        print("     {" + ",\n      ".join(rows) + "},")
    print("    },")
print("};\n\n/* BLEU of each pair as a corpus of its own, with sums and precisions. */")
print("static const struct pair_score {\n    double score, precision[4], brevity;\n"
      "    long matched[4], total[4], hyp_length, ref_length;\n} pair_score[PAIRS][TOKENIZERS][2] = {")


def row(s):
    lists = [", ".join(map(repr, p)) for p in (s.precisions, s.counts, s.totals)]
    return f"{{{s.score!r}, {{{lists[0]}}}, {s.bp!r}, {{{lists[1]}}}, {{{lists[2]}}}, {s.sys_len}, {s.ref_len}}}"


for h, r in PAIRS:
    cells = [f"{{{row(bleu([h], [r], t, False))},\n      {row(bleu([h], [r], t, True))}}}" for t in TOKENIZERS]
    print("    {" + ",\n     ".join(cells) + "},")
print("};\n\nstatic const double pair_chrf[PAIRS][2] = {")
for h, r in PAIRS:
    a, b = (CHRF(lowercase=lc).corpus_score([h], [[r]]).score for lc in (False, True))
    print(f"    {{{a!r}, {b!r}}},")
HYPS, REFS = zip(*PAIRS)
print("};\n\n/* All pairs as one corpus, as sacreBLEU prints it. */\nstatic const char *const corpus_text[TOKENIZERS][2] = {")


def text_of(metric):
    score = metric.corpus_score(list(HYPS), [list(REFS)])
    sig = str(metric.get_signature()).replace(f"version:{sacrebleu.__version__}", "version:tapeloom")
    return literal(score.format(signature=sig)), score.score


for t in TOKENIZERS:
    a, b = (text_of(BLEU(tokenize=t, lowercase=lc, force=True))[0] for lc in (False, True))
    print(f"    {{{a},\n     {b}}},")
print("};\nstatic const char *const corpus_chrf_text[2] = {")
for lc in (False, True):
    print(f"    {text_of(CHRF(lowercase=lc))[0]},")
print("};\nstatic const double corpus_score[TOKENIZERS][2] = {")
for t in TOKENIZERS:
    a, b = (text_of(BLEU(tokenize=t, lowercase=lc, force=True))[1] for lc in (False, True))
    print(f"    {{{a!r}, {b!r}}},")
a, b = (text_of(CHRF(lowercase=lc))[1] for lc in (False, True))
print(f"}};\nstatic const double corpus_chrf[2] = {{{a!r}, {b!r}}};")


def fnv(text, hash=14695981039346656037):
    for byte in text.encode():
        hash = (hash ^ byte) * 1099511628211 & 0xFFFFFFFFFFFFFFFF
    return hash


apart = [c for c in map(chr, [*range(0x80, 0xD800), *range(0xE000, 0x110000)])
         if len(cut(f"a{c}b", "zh", False).split()) == 3]
print("\n/* Characters c for which zh cuts \"acb\" into three, and the checksum of all those \"acb\". */")
print(f"enum {{ CHINESE_COUNT = {len(apart)} }};\n#define CHINESE_FNV {fnv(''.join(f'a{c}b' for c in apart))}u")
