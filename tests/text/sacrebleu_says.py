"""sacreBLEU's scores and tokens for two files with one sentence per line, for test_bleu_live.c:
sacrebleu_says.py HYPOTHESES REFERENCES. Each byte that is not UTF-8 is a character."""
import sys
from sacrebleu.metrics import BLEU, CHRF


def lines_of(path):
    with open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        return [line.removesuffix("\n") for line in file]


hyps, refs = map(lines_of, sys.argv[1:])
sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape", newline="\n")
for tokenize in ("none", "13a", "zh", "char"):
    for lowercase in (False, True):
        bleu = BLEU(tokenize=tokenize, lowercase=lowercase, force=True)
        s = bleu.corpus_score(hyps, [refs])
        print(repr(s.score), *s.counts, *s.totals, s.sys_len, s.ref_len)
        for hyp in hyps:
            print(" ".join(bleu._preprocess_segment(hyp).split()))
for lowercase in (False, True):
    print(repr(CHRF(lowercase=lowercase).corpus_score(hyps, [refs]).score))
