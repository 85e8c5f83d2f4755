#!/bin/sh
# bench/multi30k: the forms of its data, the commands that it gives to the translator, finished, interrupted and killed
# seeds, the row and the table. The translator is replaced by a shell script, except in the last case.
. tests/script.sh
. tests/build/tree.sh

# The script appends its commands to $D/asked. Its answers for seed S are in $D/updates.S, $D/score.S and $D/status.S
# (used once); without these files they are 57, 41.00 and 0. Its translations are the references.
set_up() {
    make_tree
    cp -r "$TOP/bench" .
    mkdir b data
    put_program b/translate <<'END'
#!/bin/sh
echo "$*" >>$D/asked
command=$1 dir= weights= out= seed=
while [ $# -gt 0 ]; do
    case $1 in
    --out) out=$2 ;; --model | --resume) dir=$2 ;; --weights) weights=$2 ;;
    esac
    shift
done
dir=${dir:-$out} seed=${dir%/run} seed=${seed##*-}
of() { cat $D/$1.$seed 2>/dev/null || echo $2; }
if [ $command = train ]; then
    mkdir -p $dir
    : >$dir/checkpoint.safetensors
    status=$(of status 0)
    rm -f $D/status.$seed
    [ $status -ne 9 ] || kill -9 $PPID
    [ $status -eq 0 ] || exit $status
    updates=$(of updates 57)
    printf '%s\n' step,epoch,seconds,bleu 1,0,1,0 $updates,$((updates / 57)),9,40 >$dir/log.csv
    echo '2 pairs to train on; 7 parameters; float, played'
    echo "Ended: so it is, and more. The run is in $dir: best validation (update 55, BLEU 39.00)."
else
    [ ! -f $D/evaluate.fails ] || exit 7
    score=$(of score 41.00)
    [ $weights = average ] || score=40.50
    cut -f 2 $D/out/data/test.tsv >$out
    echo "BLEU|tok:none|version:played = $score 71.4/47.5 (BP = 0.989 ratio = 0.989)"
    echo "chrF2|nw:0|version:played = 65.47"
fi
END
    put_program b/python <<'END'
#!/bin/sh
exit 1
END
    for i in $(seq 300); do
        printf 'a dog sees %d cats .\tein hund sieht %d katzen .\n' $((i % 7)) $((i % 7))
    done >data/train.tsv
    head -n 30 data/train.tsv >data/valid.tsv
    head -n 4 data/train.tsv >data/test.tsv
    export BUILD=b PYTHON=b/python
    unset OMP_NUM_THREADS
}
# lines FILE TEXT: the file consists of these lines.
lines() {
    runs "cat $1"
    is "$2"
}

# ---- options ----

help() {
    runs "bench/multi30k --help >help; cat help"
    contains 'bench/multi30k DATA [--pair en-de|de-en|en-fr] [--seeds "1 2 3"]'
    lacks "#"
    # It describes every option.
    options=$(sed -n 's/^    \(--[a-z-]*\)[ )].*/\1/p' bench/multi30k | sort -u)
    check [ "$(echo "$options" | wc -l)" -ge 12 ]
    for option in $options; do runs "grep -e '^$option ' help"; done
}

# refused OPTIONS MESSAGE: the command ends with status 2, and the message begins its output.
refused() {
    fails 2 "bench/multi30k $1"
    begins "bench/multi30k: $2"
}
refusals() {
    refused "" "where are the data? Give the folder that has train.tsv, valid.tsv and test.tsv"
    refused "data more" "one folder with data, not \"data\" and \"more\"$nl"
    refused "data --fast 1" "what is \"--fast\"? --help lists what there is$nl"
    refused "data --seeds" "what is \"--seeds\" without a value? --help lists what there is$nl"
    refused "data --seeds ''" "--seeds is empty: give one or more, as in --seeds \"1 2 3\"$nl"
    refused "data --seeds '1 x'" "--seeds takes a whole number, not \"x\"$nl"
    refused "data --seeds '*'" "--seeds takes a whole number, not \"*\"$nl"
    refused "data --seeds '4 5 4'" "--seeds names 4 twice$nl"
    refused "data --pair en-zh" "--pair is en-de, de-en or en-fr, not \"en-zh\"$nl"
    refused "data --precision high" "--precision is highest or medium, not \"high\"$nl"
    refused "data --threads two" "--threads takes a whole number, not \"two\"$nl"
    refused "data --minutes 1.2.3" "--minutes takes a number, not \"1.2.3\"$nl"
    refused "data --steps -1" "--steps takes a whole number, not \"-1\"$nl"
    refused "data --steps 0" "--steps 0, --epochs 0: without an end nothing is scored$nl"
    refused "data --epochs 0" "--steps 0, --epochs 0: without an end nothing is scored$nl"
    refused "data --schedule constant" "--schedule is inverse-sqrt, cosine or linear, not \"constant\"$nl"
    refused "data --lr fast" "--lr takes a number, not \"fast\"$nl"
    refused "data --warmup x" "--warmup takes a whole number, not \"x\"$nl"
    refused "data --batch-tokens 0" "--batch-tokens 0: an update of nothing teaches nothing$nl"
    refused "data --patience ''" "--patience takes a whole number, not \"\"$nl"
    refused "data --validate-every 1e3" "--validate-every takes a whole number, not \"1e3\"$nl"
    refused "data --average 0" "--average 0: the score is that of an average; "
    refused "data --best-by chrf" "--best-by is bleu or loss, not \"chrf\"$nl"
    fails 1 "BUILD=empty bench/multi30k data"
    is "bench/multi30k: empty/translate is not there; run make first"
    # Nothing was trained, and no folder made.
    check [ ! -e asked ]
    check [ ! -e runs ]
}

# The recipe's commands; then each option in them.
commands() {
    runs "bench/multi30k data --out out --seeds 3"
    train="train --train out/data/train.tsv --valid out/data/valid.tsv --out out/seed-3/run --samples 0 --seed 3"
    train="$train --pretokenize none --joint --tie all --no-final-norm --dropout 0.3 --clip 25 --schedule inverse-sqrt"
    train="$train --warmup 2000 --lr 0.005 --batch-tokens 8192 --max-length 250 --steps 8000 --patience 10 --average 10"
    train="$train --validate-every 0 --best-by bleu --matmul-precision highest"
    test="--test out/data/test.tsv --beam 5 --samples 0"
    lines asked "$train
evaluate --model out/seed-3/run --weights average $test --out out/seed-3/average.txt
evaluate --model out/seed-3/run --weights best $test --out out/seed-3/best.txt"
    rm -r asked out
    options="--steps 70 --patience 4 --validate-every 114 --average 5 --best-by loss --minutes 2.5"
    runs "bench/multi30k $options --precision medium --threads 2 --quiet --seeds '8 9' data --out out"
    contains "(2021) with $options, matrix precision medium$nl"
    runs "cat asked"
    asked=" --steps 70 --patience 4 --average 5 --validate-every 114 --best-by loss"
    contains "$asked --matmul-precision medium --minutes 2.5 --threads 2 --quiet${nl}evaluate "
    contains "--out out/seed-9/best.txt --threads 2 --quiet$nl"
    rm -r asked out
    runs "bench/multi30k data --out out --quick --seeds 1; cat asked; wc -l <out/data/train.tsv"
    has_line "These are a few updates on a few pairs: the numbers say nothing." 200
    contains " --steps 4 " " --merges 200${nl}evaluate " " --warmup 2 --lr 0.005 --batch-tokens 1024 "
    rm -r asked out
    options="--schedule cosine --epochs 40 --lr 0.003 --warmup 800 --batch-tokens 2048"
    runs "bench/multi30k data --out out --seeds 1 $options; cat asked"
    contains "(2021) with $options, "
    asked=" --schedule cosine --warmup 800 --lr 0.003 --batch-tokens 2048"
    contains "$asked --max-length 250 --epochs 40 --patience 10 "
    rm -r asked out
    runs "bench/multi30k data --out out --seeds 1 --epochs 40 --steps 9 --quick; cat asked"
    contains " --steps 9 --epochs 40 "
    runs "bench/multi30k data"
    contains "(1 of 3), in runs/multi30k-en-de-highest/seed-1$nl"
    contains "(3 of 3), in runs/multi30k-en-de-highest/seed-3$nl"
    check [ -d runs ]
}

# ---- data ----

directions() {
    runs "bench/multi30k data --out out --seeds 1 --pair de-en; head -n 1 out/data/valid.tsv"
    contains "ein hund sieht 1 katzen .	a dog sees 1 cats .$nl"
    # The languages in the folder's name are those of the columns. BUILD is relative to the folder in which it is
    # started.
    mkdir set
    mv data set/multi30k-de-en
    runs "cd set/multi30k-de-en && ../../bench/multi30k . --out o --seeds 1 || true"
    contains "b/translate is not there"
    runs "bench/multi30k set/multi30k-de-en/ --out de --seeds 1 --pair de-en && head -n 1 de/data/test.tsv"
    has_line "a dog sees 1 cats .	ein hund sieht 1 katzen ."
    runs "bench/multi30k set/multi30k-de-en/ --out ed --seeds 1 && head -n 1 ed/data/test.tsv"
    has_line "ein hund sieht 1 katzen .	a dog sees 1 cats ."
    fails 1 "bench/multi30k set/multi30k-de-en --out fr --pair en-fr"
    is "$(joined <<'END'
bench/multi30k: set/multi30k-de-en/train.tsv: its folder's name says de-en, and --pair is en-fr:
 give a folder of that pair, or one with train.en and train.fr
END
)"
    # The published score is that of en-de.
    mv set/multi30k-de-en set/fr
    runs "bench/multi30k set/fr --out fr --pair en-fr --seeds 1"
    contains "Multi30k en-fr, "
    lacks "Published"
}

a_file_for_each_language() {
    mkdir two
    for part in train val test_2016_flickr; do
        for side in en fr; do
            echo "a dog $side" >two/$part.$side
            echo "lower $side" >two/$part.lc.norm.tok.$side
        done
    done
    rm two/val.lc.norm.tok.fr
    runs "bench/multi30k two --out out --seeds 1 --pair en-fr"
    lines out/data/train.tsv "lower en	lower fr"
    lines out/data/valid.tsv "a dog en	a dog fr"
    lines out/data/test.tsv "lower en	lower fr"
    echo more >>two/train.lc.norm.tok.fr
    fails 1 "bench/multi30k two --out more --pair en-fr"
    is "$(joined <<'END'
bench/multi30k: two/train.lc.norm.tok.en has 1 lines and two/train.lc.norm.tok.fr 2:
 line by line they should mean the same
END
)"
}

missing_data() {
    fails 1 "bench/multi30k nowhere"
    is "bench/multi30k: nowhere is not a folder: give the one that has train.tsv, valid.tsv and test.tsv"
    mkdir none
    fails 1 "bench/multi30k none"
    contains "none/train.tsv is not there (English, tab, German), " "; there is: nothing$nl"
    rm data/valid.tsv
    : >data/test.tsv
    fails 1 "bench/multi30k data --pair de-en"
    is "$(joined <<'END'
bench/multi30k: data/valid.tsv is not there (English, tab, German),
 nor are valid or val with .de and .en, each also with .lc.norm.tok before it; there is: test.tsv train.tsv 
END
)"
    cp data/train.tsv data/valid.tsv
    fails 1 "bench/multi30k data"
    is "bench/multi30k: data/test.tsv is empty"
    check [ ! -e runs ]
}

# A warning about data that make scores incomparable is printed before training, and below the table.
cautions() {
    few="300 pairs to train on, where Multi30k has 29000; the text has capital letters: "
    sed -i 's/ein hund/Ein Hund/' data/train.tsv
    runs "bench/multi30k data --out out --seeds 1 2>errors"
    contains "${nl}Caution: " "$few"
    runs "cat errors"
    contains "bench/multi30k: caution: " "$few"
    seq 29000 | sed 's/$/\teins/' >data/train.tsv
    runs "bench/multi30k data --out all --seeds 1"
    lacks "aution"
    has_line "Published: 41.02."
}

# ---- the same command again ----

finished_seeds() {
    runs "bench/multi30k data --out out --seeds '1 2' >first"
    rm asked
    runs "bench/multi30k data --out out --seeds '1 2' >second"
    contains "bench/multi30k: seed 2 (2 of 2): finished before$nl"
    runs "cmp first second"
    check [ ! -e asked ]
    runs "bench/multi30k data --out out --seeds '2 3' --threads 1 >third"
    runs "grep -c train.tsv asked"
    is 1
    runs "cut -c 1-8 out/seeds.csv"
    is "pair,see${nl}en-de,2,${nl}en-de,3,"
    fails 1 "bench/multi30k data --out out --patience 5"
    again="say what was said then, or give another folder (--out)"
    contains "bench/multi30k: out was begun with other recipe.txt: $again$nl"
    contains "--patience 10 "
    echo 'a	b' >>data/valid.tsv
    fails 1 "bench/multi30k data --out out"
    contains "bench/multi30k: out was begun with other data: "
}

an_interrupted_seed() {
    echo 130 >status.2
    fails 130 "bench/multi30k data --out out"
    contains "training of seed 2 ended with status 130; the same command goes on with it$nl"
    echo 600 >out/seed-2/seconds
    rm asked
    runs "bench/multi30k data --out out; cat asked"
    contains "seed 1 (1 of 3): finished before$nl" "bench/multi30k: going on from its last checkpoint$nl"
    contains "${nl}train --resume out/seed-2/run${nl}evaluate "
    contains "$nl    2       57       1     10.0   41.00 "
    # If only scoring was interrupted, it is not trained again.
    rm -r out asked
    touch evaluate.fails
    fails 7 "bench/multi30k data --out out --seeds 5"
    rm evaluate.fails
    runs "bench/multi30k data --out out --seeds 5"
    runs "grep -c train asked; grep -c train.tsv asked"
    is "1${nl}1"
}

# The time of a killed seed is that until its last checkpoint: here 300 seconds.
a_killed_seed() {
    echo 9 >status.4
    fails 137 "bench/multi30k data --out out --seeds 4"
    began=$(($(cat out/seed-4/began) - 1000))
    echo $began >out/seed-4/began
    touch -d @$((began + 300)) out/seed-4/run/checkpoint.safetensors
    runs "bench/multi30k data --out out --seeds 4"
    contains "$nl    4       57       1      5.0   41.00 "
    check [ ! -e out/seed-4/began ]
}

# ---- the row and the table ----

table() {
    for seed in 1 2 3; do
        echo $((5700 + 57 * seed)) >updates.$seed
        mkdir -p out/seed-$seed
        echo $((1500 + 60 * seed)) >out/seed-$seed/seconds
    done
    echo 41.22 >score.1
    echo 40.90 >score.2
    echo 41.12 >score.3
    runs "bench/multi30k data --out out 2>/dev/null"
    contains " seed  updates  epochs  minutes    BLEU   chrF2  sacreBLEU  best epoch   ended$nl"
    has_line "    1     5757     101     26.0   41.22   65.47          -       40.50   so it is, and more"
    has_line "    3     5871     103     28.0   41.12   65.47          -       40.50   so it is, and more"
    has_line " mean     5814     102     27.0   41.08   65.47          -       40.50"
    has_line "seed 2: BLEU|tok:none|version:played = 40.90 71.4/47.5 (BP = 0.989 ratio = 0.989)"
    # Without the columns date and machine.
    runs "sed 's/,\"[^\"]*\"\$//; s/,[0-9-]*\$//' out/seeds.csv"
    is 'pair,seed,precision,departs,updates,epochs,minutes,ended,bleu,chrf2,sacrebleu,best_update,best_bleu,date,machine
en-de,1,highest,"",5757,101,26.0,"so it is, and more",41.22,65.47,,55,40.50
en-de,2,highest,"",5814,102,27.0,"so it is, and more",40.90,65.47,,55,40.50
en-de,3,highest,"",5871,103,28.0,"so it is, and more",41.12,65.47,,55,40.50'
    sed -i '3s/played/elsewhere/' out/seeds.csv
    runs "awk -f bench/seeds.awk out/seeds.csv"
    has_line "Not all seeds were trained on one machine, or with as many threads: seeds.csv tells."
}

sacrebleu() {
    runs "bench/multi30k data --out out --seeds 1"
    has_line "not installed, and so left out: sacrebleu's own number"
    python3 -c 'import sacrebleu' 2>/dev/null || skip "sacrebleu is not installed"
    runs "PYTHON=python3 bench/multi30k data --out more --seeds 1; cut -d , -f 12 more/seeds.csv"
    lacks "left out"
    # The translations are the references.
    contains "   41.00   65.47     100.00       40.50   "
    contains "${nl}sacreBLEU: nrefs:1|case:mixed|eff:no|tok:none|smooth:exp|version:2"
}

# ---- with the real translator ----

real_translator() {
    case $OUTER in /*) translate=$OUTER/translate ;; *) translate=$TOP/$OUTER/translate ;; esac
    put_program b/translate <<END
#!/bin/sh
echo \$\$ >$D/pid
exec "$translate" "\$@"
END
    runs "bench/multi30k data --quick --threads 1 --out out --seeds '1 2' --quiet --validate-every 2"
    contains "$nl    1        4  " "   all steps are done$nl"
    contains "${nl}seed 2: BLEU|nrefs:1|case:mixed|eff:no|tok:none|smooth:exp|version:tapeloom = "
    runs "wc -l <out/seed-2/average.txt"
    is 4
    check [ -f out/seed-1/run/average.safetensors ]
    # Ended by a signal after its first checkpoint, and continued.
    command="bench/multi30k data --quick --threads 1 --out cut --seeds 1 --steps 12 --validate-every 2"
    $command >first 2>&1 &
    wanted=$!
    until [ -s cut/seed-1/run/checkpoint.safetensors ]; do kill -0 $wanted; sleep 0.05; done
    kill -TERM "$(cat pid)"
    status=0
    wait $wanted || status=$?
    check [ $status -eq 143 ]
    runs "$command"
    contains "$nl    1       12  "
    runs "cat cut/seed-1/train.log"
    contains "${nl}Going on after update "
}

run_cases "bench: multi30k" help refusals commands directions a_file_for_each_language missing_data cautions \
    finished_seeds an_interrupted_seed a_killed_seed table sacrebleu real_translator
