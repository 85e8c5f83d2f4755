/* The commands whose calls are made to fail, or at which they are killed (cases.h). All are small. */
#include "cases.h"

#include <stddef.h>

/* gnuplot is a stand-in: it writes the picture that the script names, in a moment. */
const char fault_world[] =
    "set -e\n"
    "mkdir -p bin world && cd bin\n"
    "cat >gnuplot <<'END'\n"
    "#!/bin/sh\n"
    "while read -r word name rest; do case $word$name in setoutput) rest=${rest#?} && echo picture "
    ">\"${rest%?}\";; esac; done <\"$2\"\n"
    "END\n"
    "chmod +x gnuplot && cd ../world\n"
    "printf 'the dog sleeps\\tle chien dort\\nthe cat sleeps\\tle chat dort\\nthe dog eats\\tle chien "
    "mange\\n"
    "the cat eats\\tle chat mange\\n' >pairs.tsv\n"
    "printf 'the cat\\tle chat\\n' >pair.tsv\n"
    "cut -f 1 pairs.tsv >source.txt && cut -f 2 pairs.tsv >target.txt\n"
    "printf 'good\\tthe dog sleeps\\nbad\\tthe cat sleeps\\ngood\\tthe dog eats\\nbad\\tthe cat eats\\n' "
    ">labelled.tsv\n"
    "export OMP_NUM_THREADS=1 PATH=$PWD/../bin:$PATH\n"
    "$B/translate train --train pairs.tsv --valid pair.tsv --out t "
    "--preset toy --d-model 8 --d-ff 8 --heads 2 --layers 1 --units bpe --merges 10 --batch-tokens 64 "
    "--steps 4 --average 2 --validate-every 2 --quiet\n"
    "$B/lm train --train source.txt --valid-share 0.3 --units bpe --merges 4 --out l --preset toy --d-model "
    "8 --d-ff 8 --heads 2 --layers 1 --context 8 --batch 2 --steps 4 --validate-every 2 --quiet\n"
    "$B/lm export --model l --out gpt.safetensors\n"
    "$B/classify train --train labelled.tsv --valid labelled.tsv --units words --min-count 1 --out k "
    "--d-model 8 --d-ff 8 --heads 2 --layers 1 --steps 4 --validate-every 2 --quiet\n"
    "$B/caption train --pictures 8 --out c --d-model 8 --heads 2 --d-ff 8 --decoder-layers 1 --batch 4 "
    "--steps 2 --validate-every 2 --quiet\n"
    "$B/bpe learn --merges 10 <source.txt >codes.txt\n"
    "$B/bpe apply --codes codes.txt <source.txt >cut.txt\n";

#define TINY "--d-model 8 --heads 2 --validate-every 2 --quiet "
#define TRANSLATE                                                                                        \
 "translate train --train ../world/pairs.tsv --valid ../world/pair.tsv --out run --preset toy --d-ff 8 " \
 "--layers 1 " TINY "--batch-tokens 12 --warmup 2 --average 2 "
#define LM                                                                                            \
 "lm train --train ../world/source.txt --valid-share 0.3 --out run --preset toy --d-ff 8 --layers 1 " \
 "--context 8 --batch 2 " TINY
#define CLASSIFY                                                                                           \
 "classify train --train ../world/labelled.tsv --valid ../world/labelled.tsv --units words --min-count 1 " \
 "--out run --layers 1 "                                                                                   \
 "--d-ff 8 " TINY
#define CAPTION "caption train --pictures 8 --out run --d-ff 8 --decoder-layers 1 --batch 4 " TINY
#define STUDY "study induction --tiny --jobs 1 --quiet --out run --page page"
#define T "--model ../world/t --quiet "
#define L "--model ../world/l --quiet "
#define K "--model ../world/k --quiet "
#define C "--model ../world/c --quiet "
#define SOURCE "--source 'the dog sleeps' "
#define TARGET "--target 'the dog' "

const fault_case fault_cases[] = {
    {"translate train", TRANSLATE "--units bpe --merges 5 --steps 4 --watch 2", NULL, NULL,
     "translate train --resume run --steps 4 --quiet", NULL, NULL},
    {"translate train again", "translate train --resume run --steps 6 --quiet", NULL,
     TRANSLATE "--units words --min-count 1 --steps 2", "translate train --resume run --steps 6 --quiet",
     NULL, NULL},
    {"translate train over", TRANSLATE "--units words --min-count 1 --steps 4 --overwrite", NULL,
     TRANSLATE "--units chars --steps 2", TRANSLATE "--units words --min-count 1 --steps 4 --overwrite", NULL,
     NULL},
    {"translate translate", "translate translate " T "--beam 2 --nbest", "source.txt", NULL, NULL, NULL,
     NULL},
    {"translate evaluate", "translate evaluate " T "--test ../world/pairs.tsv", NULL, NULL, NULL, NULL, NULL},
    {"translate score", "translate score " T "--tokens", "pairs.tsv", NULL, NULL, NULL, NULL},
    {"translate attention", "translate attention " T, "source.txt", NULL, NULL, NULL, NULL},
    {"translate info", "translate info --model ../world/t", NULL, NULL, NULL, NULL, NULL},
    {"translate corpus", "translate corpus --pair en-zh --sentences 20 --out corpus", NULL, NULL, NULL, NULL,
     NULL},
    {"lm train", LM "--units bpe --merges 4 --steps 4", NULL, NULL, "lm train --resume run --steps 4 --quiet",
     NULL, NULL},
    {"lm train again", "lm train --resume run --steps 4 --quiet", NULL, LM "--units chars --steps 2",
     "lm train --resume run --steps 4 --quiet", NULL, NULL},
    {"lm sample", "lm sample " L "--tokens 20", NULL, NULL, NULL, NULL, NULL},
    {"lm evaluate", "lm evaluate " L "--text -", "source.txt", NULL, NULL, NULL, NULL},
    {"lm info", "lm info --model ../world/l", NULL, NULL, NULL, NULL, NULL},
    {"lm import", "lm import --file ../world/gpt.safetensors --tokenizer ../world/l --heads 2 --out run",
     NULL, NULL, NULL, NULL, NULL},
    {"lm export", "lm export --model ../world/l --out gpt.safetensors", NULL, NULL, NULL, NULL, NULL},
    {"classify train", CLASSIFY "--steps 4 --pretrain 2", NULL, NULL,
     "classify train --resume run --steps 4 --quiet", NULL, "run/pretraining/curves"},
    {"classify evaluate", "classify evaluate " K "--test ../world/labelled.tsv", NULL, NULL, NULL, NULL,
     NULL},
    {"classify predict", "classify predict " K "--probabilities", "source.txt", NULL, NULL, NULL, NULL},
    {"classify info", "classify info --model ../world/k", NULL, NULL, NULL, NULL, NULL},
    {"classify corpus", "classify corpus --made order --sentences 20 --unlabelled 5 --out corpus", NULL, NULL,
     NULL, NULL, NULL},
    {"caption train", CAPTION "--steps 4", NULL, NULL, "caption train --resume run --steps 4 --quiet", NULL,
     NULL},
    {"caption show", "caption show " C "--svg picture.svg", NULL, NULL, NULL, NULL, NULL},
    {"caption evaluate", "caption evaluate " C "--count 2", NULL, NULL, NULL, NULL, NULL},
    {"caption info", "caption info --model ../world/c", NULL, NULL, NULL, NULL, NULL},
    {"attend show",
     "attend show " T SOURCE "--csv a.csv --safetensors a.safetensors --html a.html --svg a.svg", NULL, NULL,
     NULL, NULL, NULL},
    {"attend list", "attend list --model ../world/k", NULL, NULL, NULL, NULL, NULL},
    {"attend mask", "attend mask " T SOURCE "--csv a.csv", NULL, NULL, NULL, NULL, NULL},
    {"attend leak", "attend leak " L TARGET, NULL, NULL, NULL, NULL, NULL},
    {"attend gradcheck",
     "attend gradcheck " K SOURCE "--target good --batch 1 "
     "--sample 2 --tolerance 100",
     NULL, NULL, NULL, NULL, NULL},
    {"attend heads", "attend heads " T "--test ../world/pairs.tsv --ablate both --csv a.csv --svg a.svg",
     NULL, NULL, NULL, NULL, NULL},
    {"attend prune", "attend prune " T "--test ../world/pairs.tsv --chances 1 --csv a.csv --svg b.svg", NULL,
     NULL, NULL, NULL, NULL},
    {"attend prune --out", "attend prune " T "--test ../world/pairs.tsv --remove 1 --out smaller", NULL, NULL,
     NULL, NULL, NULL},
    {"attend patch", "attend patch " T SOURCE "--to 'the cat sleeps' --csv a.csv --svg a.svg", NULL, NULL,
     NULL, NULL, NULL},
    {"attend logits", "attend logits " L TARGET "--lens --csv a.csv --svg a.svg", NULL, NULL, NULL, NULL,
     NULL},
    {"attend flow", "attend flow " K SOURCE "--csv a.csv", NULL, NULL, NULL, NULL, NULL},
    {"attend compare",
     "attend compare " T "--with-weights last --test ../world/pairs.tsv --offsets 2 --csv a.csv --svg a.svg",
     NULL, NULL, NULL, NULL, NULL},
    {"study list", "study list", NULL, NULL, NULL, NULL, NULL},
    {"study induction", STUDY, NULL, NULL, STUDY, "run/jobs.csv", NULL},
    {"bpe learn", "bpe learn --merges 10 --quiet", "source.txt", NULL, NULL, NULL, NULL},
    {"bpe apply", "bpe apply --codes ../world/codes.txt --quiet --dropout 0.1", "source.txt", NULL, NULL,
     NULL, NULL},
    {"bpe join", "bpe join --quiet", "cut.txt", NULL, NULL, NULL, NULL},
    {"bpe vocab", "bpe vocab --quiet", "source.txt", NULL, NULL, NULL, NULL},
    {"bleu", "bleu --ref ../world/target.txt --chrf", "source.txt", NULL, NULL, NULL, NULL},
    {"marker list", "marker list", NULL, NULL, NULL, NULL, NULL},
    {"marker example", "marker example linear", NULL, NULL, NULL, NULL, NULL},
    {"marker questions", "marker questions linear --answers", NULL, NULL, NULL, NULL, NULL},
    {"read_a_run", "read_a_run ../world/t 'the dog sleeps'", NULL, NULL, NULL, NULL, NULL},
    {"attention_steps", "attention_steps", NULL, NULL, NULL, NULL, NULL},
};
const int fault_case_count = sizeof fault_cases / sizeof *fault_cases;
