#!/bin/sh
# The scripts around the programs that measure: the order of the turns, medians and ratios, JSON, missing peers, the
# loss curve, an earlier commit. The answers are those of bench/stage.sh.
. tests/script.sh
. tests/bench/stage.sh
set_up() { stage; }
short="--rounds 1 --seconds 0"

# ---- options ----

help() {
    runs "bench/compare --help >help"
    runs "sed -n 's/^plan_\([a-z]*\)() .*/\1/p' bench/compare"
    sections=$said
    for name in $sections; do runs "grep '^ *\(gpt, \)\?$name[, ]' help"; done
    check [ "$(echo "$sections" | wc -w)" -eq 12 ]
    runs "for name in compare against curve; do bench/\$name --help | head -n 40; done"
    contains "bench/compare [--all] [--json] [--rounds N] [--seconds S] [--ours] [--log FILE]"
    contains "bench/against REV|HARDEN=0 [--decode] [--json] [--rounds N] [--seconds S]"
    contains "bench/curve [--json] [--steps N] [--lr R] [--matmul-precision highest|high|medium]"
    lacks "#"
}

# refused COMMAND MESSAGE: the command ends with status 2, and its output begins with the message in a line.
refused() {
    fails 2 "bench/$1"
    begins "bench/${1%% *}: $2$nl"
}
refusals() {
    list="--help lists what there is"
    refused "compare stpe" "what is \"stpe\"? $list"
    refused "compare T4" "what is \"T4\"? $list"
    refused "compare --rounds x" "--rounds takes a number, not \"x\""
    refused "compare --seconds 1s" "--seconds takes a number, not \"1s\""
    refused "curve --epochs" "what is \"--epochs\"? $list"
    refused "curve --steps few" "--steps takes a number, not \"few\""
    refused "against" "against which commit? $list"
    refused "against a b" "one commit, not \"a\" and \"b\""
    refused "against a --fast" "what is \"--fast\"? $list"
    # Nothing was measured.
    check [ ! -e asked ]
}

# ---- turns ----

turns_of_each_side() {
    runs "bench/compare --rounds 2 --seconds 0.3 step T0 T2"
    # Without the requests of 16x16x16, which find out which peers are installed. The first one asks for the build.
    runs "grep -v ' 16x16x16 ' asked"
    expected="step T0 0"
    for config in T0 T0 T2 T2; do
        expected="$expected
peak peak 0.03
step $config 0.3 precision=highest
step $config 0.3 precision=medium
python step $config 0.3 numbers=float32
python step $config 0.3 numbers=best"
    done
    is "$expected"
    rm asked
    sed -i 's/played/avx512+amx/' b/bench/player
    runs "bench/compare $short gpt"
    runs "grep gpt asked"
    is "gpt gpt 0 precision=highest
gpt gpt 0 precision=high
gpt gpt 0 precision=medium
python gpt gpt 0
python gpt gpt 0 numbers=best"
}

every_section() {
    put_program b/translate <<'END'
#!/bin/sh
cat >/dev/null; echo one two three
END
    runs "bench/compare $short --log log >table 2>/dev/null && cut -f 1 log | uniq | tr '\n' ' '; echo"
    is "step memory decode sentence products threads steps lengths gpt generate mlp recurrent "
    runs "grep error log || true"
    is ""
    # With --all, nine shapes in every transposition.
    for transposed in NN NT TN TT; do
        runs "bench/compare --all $short --log log products >table 2>/dev/null"
        runs "cut -f 2 log | grep $transposed | sort -u | wc -l"
        is 9
    done
    # PyTorch decodes as many words as ours has, and reads three and <eos>.
    runs "grep torch_sentence asked"
    contains "model.pt 3 4$nl"
}

turns_alone() {
    put_program b/echo <<'END'
#!/bin/sh
while read -r line; do echo "{$line}"; done
END
    put_program b/dies <<'END'
#!/bin/sh
read -r line; echo "{$line}"; exit 1
END
    # Columns are separated by tabs; here by |.
    columns() { tr '|' '\t'; }
    columns >plan <<'END'
s|c|a|b|echo|hello there
s|d|||dies|1
s|d|||dies|2
s|c|a||echo|still
s|d|||dies|3
END
    runs "b/bench/turns --quiet echo=b/echo dies=b/dies <plan | tr '\t' '|'"
    is 's|c|a|b|{hello there}
s|d|||{1}
s|d|||{"error": "dies has ended"}
s|c|a||{still}
s|d|||{"error": "dies has ended"}'
    # Requests of the worker sh are commands.
    columns >plan <<'END'
s|c|x||sh|sleep 0.05; echo unseen
s|c|y||sh|exit 3
END
    runs "b/bench/turns --quiet <plan | tr '\t' '|'"
    has_line 's|c|y||{"error": "the command failed"}'
    answer='{"ms_median": \([0-9.]*\), "rss_mb": \([0-9.]*\)}'
    runs "b/bench/turns --quiet <plan | sed -n 's/^s.c.x..$answer\$/\1 \2/p'"
    check [ "$said" ]
    check awk "BEGIN { split(\"${said%$nl}\", x, \" \"); exit !(x[1] >= 50 && x[2] > 0) }"
    echo 's|c|x|few' | columns >plan
    fails 2 "b/bench/turns --quiet <plan"
    contains "turns: a line of the plan has fewer than six columns: s"
    echo 's|c|x||nobody|1' | columns >plan
    fails 2 "b/bench/turns --quiet a=b <plan"
    is "turns: the plan names an unknown worker: nobody"
}

# ---- the table ----

# Highest and medium alternate in the answers. Of three, the median is 20, the spread half of the distance between the
# lowest and the highest; 2 GFLOP in 20 ms are 100 GFLOP/s, a quarter of the peak of 400.
medians_and_ratios() {
    answers decode 10 1 30 1 20 1 9 9 9 9 9 9
    answers python 77 70 7 1 1 1
    runs "bench/compare decode T0"
    contains "played; medians of 3 rounds in turn with PyTorch 9.9, OpenBLAS, oneDNN; float32 peak 400 GFLOP/s$nl"
    has_line "Greedy decoding with caches"
    ours="T0/1         ours, highest                20.0    50     100.0      25%       5000"
    has_line "$ours   3.50 x PyTorch float32"
    has_line "             PyTorch float32              70.0    50      28.6       7%       1429   "
    # If the peak is much lower once, the machine was busy.
    sed -i 's/400/$((400 - ms))/' b/bench/player
    answers peak 1 200
    runs "bench/compare --ours --rounds 2 mlp"
    contains "; float32 peak 399 GFLOP/s${nl}The machine was busy with other work: once its peak was 200 GFLOP/s.$nl"
    answers lengths 10 20 30 40
    runs "bench/compare --ours --rounds 1 lengths | grep ' tokens'"
    contains "32 tokens    attention                  20.000     0    200.00       2.00         1.00$nl"
}

json() {
    runs "bench/compare --json $short step products threads T0 2>/dev/null >lines"
    runs "grep -v '^{\"section\": \"[a-z]*\", \"[a-z]*\": .*}\$' lines || true"
    is ""
    runs "cat lines"
    contains '{"section": "about", "text": ' '"peak_gflops": 400.0, "lowest_peak_gflops": 400.0}'"$nl"
    has_line "$(joined <<'END'
{"section": "step", "case": "T0", "side": "ours, medium", "ms": 10, "spread_percent": 0.0, "rounds": 1,
 "gflops": 200.0, "peak_percent": 50.0, "tokens_s": 10000, "ratio": 1.000, "against": "PyTorch best"}
END
)"
    contains "$nl"'{"section": "products", "case": "2048x128x128 NT", "side": "oneDNN", '
    contains '"side": "2 threads", "ms": 10, '
    ! python3 -c '' 2>/dev/null || runs "python3 -c 'import json
for line in open(\"lines\"): json.loads(line)'"
}

# ---- missing peers ----

missing_peers() {
    runs "MISSING=onednn bench/compare $short products"
    has_line "not installed, and so left out: oneDNN"
    contains " in turn with PyTorch 9.9, OpenBLAS; not installed: oneDNN; "
    fails 1 "grep 'peers onednn 2048' asked"
    rm asked
    runs "NO_TORCH=1 MISSING='openblas onednn' bench/compare $short step T0"
    has_line "not installed, and so left out: PyTorch, OpenBLAS, oneDNN"
    contains "${nl}T0           ours, highest "
    lacks " x PyTorch"
    rm asked
    runs "PYTHON=$D/there/is/none bench/compare $short step memory T0"
    contains "left out: PyTorch$nl" "${nl}Peak memory"
    rm asked
    runs "bench/compare --ours $short step T0"
    contains "in turn; float32 peak"
    # With --ours it does not even look for peers.
    fails 1 "grep 'python\|peers' asked"
}

# The error is in the side's row, and the other sides are measured.
a_side_that_fails() {
    answers python dies dies
    runs "bench/compare $short step T0"
    contains "PyTorch float32        torch has ended$nl"
    has_line "T0           ours, highest                10.0     0     200.0      50%      10000   "
}

# ---- torch.compile ----

compiling() {
    runs "bench/compare --compile $short step T0 2>/dev/null"
    contains " in turn with PyTorch 9.9 and torch.compile, "
    runs "cat asked"
    has_line "python step T0 0 numbers=best, compiling"
    rm asked
    runs "NO_COMPILER='there is none' bench/compare --compile $short step T0"
    has_line "torch.compile is left out: there is none"
    contains " in turn with PyTorch 9.9 (torch.compile does not work here), " "$nl             PyTorch best "
    # Without --compile, or without PyTorch, it is not mentioned.
    runs "bench/compare $short step T0; NO_TORCH=1 bench/compare --compile $short mlp"
    lacks "torch.compile"
    runs "cat asked"
    lacks "compiling"
}

# bench/torch_compile.py itself, with a small replacement of torch, whose compile runs $HOW.
trying_to_compile() {
    python3 -c '' 2>/dev/null || skip "python3 is not installed"
    put torch.py <<'END'
import os, time
class relu:
    def __init__(self, x): pass
    def sum(self, axis): return 0
def rand(m, n): return 1.0
def allclose(a, b): return a == b
def compile(f): exec(os.environ['HOW']); return f
END
    export PYTHONPATH=.
    runs "HOW=pass python3 bench/torch_compile.py"
    is ""
    runs "HOW=\"raise OSError('no g++,\\\\n  none\\\\n\\\\nlong story')\" python3 bench/torch_compile.py; echo"
    is "OSError: no g++, none"
    runs "HOW='os._exit(3)' python3 bench/torch_compile.py; echo"
    is "exit status 3"
    runs "HOW='time.sleep(60)' python3 bench/torch_compile.py 1; echo"
    is "a small function was not compiled within 1 seconds"
}

# ---- the loss curve ----

loss_curve() {
    runs "bench/curve --steps 3 --lr 0.5 --matmul-precision medium T1"
    is "T1, ours medium

 step         ours      PyTorch   difference
    1     5.000000     5.000000      0.0e+00
    2     4.400000     4.000000      1.0e-01
    3     2.100000     2.000000      5.0e-02

largest relative difference: 1.0e-01, at step 2"
    runs "cat asked"
    begins "T1 3 file="
    contains "/start.safetensors lr=0.5 precision=medium$nl"
    runs "bench/curve --json"
    has_line '{"step": 2, "ours": 4.4, "torch": 4.0}'
    has_line '{"config": "T0", "precision": "highest", "largest_relative_difference": 0.1, "step": 2}'
    runs "NO_TORCH=1 bench/curve"
    is "not installed, and so left out: PyTorch
T0, ours highest

 step         ours
    1     5.000000
    2     4.400000
    3     2.100000"
}

# ---- an earlier commit ----

# Programs step and decode that take so many milliseconds.
write_programs() {
    cat >bench/step.c <<END
#include <stdio.h>
int main(int n, char **word) {
    printf("{\"ms_median\": $1, \"asked\": \"%s %d\"}\n", word[1], n);
    return 0;
}
END
    cp bench/step.c bench/decode.c
}
against_a_commit() {
    git --version >/dev/null 2>&1 || skip "git is not installed"
    rm bench/*.c b/bench/step b/bench/decode
    printf '$(B)/bench/%%: bench/%%.c\n\t@mkdir -p $(@D)\n\t$(CC) $< -o $@\n' >Makefile
    write_programs 30
    git init -q .
    echo b/ >.gitignore
    git add -A
    git -c user.name=t -c user.email=t@t commit -q -m 'Slow "as" it was'
    git tag before
    write_programs 10
    runs 'make CC="$CC" B=b b/bench/step b/bench/decode'
    runs "export TMPDIR=$D; bench/against before --rounds 2 --seconds 0 T0 T3 2>steps"
    contains "(Slow as it was); medians of 2 rounds in turn$nl"
    contains "${nl}T0           here                         10.0     0   3.00 x "
    contains "${nl}T3           here                         10.0     0   3.00 x "
    runs "cat steps"
    has_line "T0, round 1 of 2${nl}T0, round 2 of 2${nl}T3, round 1 of 2${nl}T3, round 2 of 2"
    # The folder of the commit is removed.
    runs "git worktree list | wc -l"
    is 1
    runs ls
    lacks "${nl}tmp."
    runs "bench/against before --json --decode $short T1 2>/dev/null"
    contains '{"section": "against", "case": "T1/1", "side": "here", "ms": 10, ' '"case": "T1/32"'
    fails 2 "bench/against never"
    is 'bench/against: there is no commit "never" here'
    fails 1 "BUILD=empty bench/against before"
    is "bench/against: empty/bench/step is not there; run make bench first"
}

run_cases "bench: scripts" help refusals turns_of_each_side every_section turns_alone medians_and_ratios json \
    missing_peers a_side_that_fails compiling trying_to_compile loss_curve against_a_commit
