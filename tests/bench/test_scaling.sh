#!/bin/sh
# bench/scaling: the requests to the ranks and their order, medians of the answers, the formula's predictions, and what
# it does without networks. mpirun and the ranks are replaced by a shell script.
. tests/script.sh
. tests/build/tree.sh

# In round R, an update of N ranks takes 10·R/N ms, forward and backward 2·R ms; everything else is constant. DIES: with
# so many ranks it ends with status 3.
set_up() {
    make_tree
    cp -r "$TOP/bench" .
    mkdir -p b/bench bin
    echo '#!/bin/sh' | tee b/bench/ranks >b/bench/step
    chmod +x b/bench/*
    put_program bin/mpirun <<'END'
#!/bin/sh
case $1 in --version) echo 'mpirun (Open MPI) 9.1'; exit ;; esac
while [ "$1" != -n ]; do shift; done
n=$2
shift 3
echo "$n: $*" >>asked
round=$(grep -c "^$n: " asked)
[ "$DIES" != "$n" ] || exit 3
[ $n = 1 ] || printf 'probe,%s,0.001\n' latency meeting send_byte
for request in $(echo "$*" | tr -d ' ' | tr , ' '); do
    m=${request%%sentences*}; m=${m#parts}; m=${m#update}; m=${m%0.2}; s=${request#*sentences=}
    case $request in
    parts*)
        printf "$m/$s,%s\n" params,1000 flop,1e6 forward_backward,0.00$((2 * round)) \
            copy,0.0001 add,0.0002 replicated,0.003
        [ $n = 1 ] || printf "$m/$s,%s,0.001\n" send_byte gather_byte ;;
    update*) echo "$m/${s%shares*}/${s#*=},update,$(echo "$round $n" | awk '{ print 0.01 * $1 / $2 }')" ;;
    esac
done
END
    put_program bin/ip <<'END'
#!/bin/sh
echo 'no networks for you' >&2
exit 1
END
    put_program bin/nproc <<'END'
#!/bin/sh
echo 2
END
    export BUILD=b PATH="$D/bin:$PATH"
}

# refused OPTIONS MESSAGE: the message begins the output, in a line.
refused() {
    fails 2 "bench/scaling $1"
    begins "bench/scaling: $2$nl"
}
options() {
    refused "T4/1" 'what is "T4/1"? --help lists what there is'
    refused "--rounds few" '--rounds takes a number, not "few"'
    refused "--table none.csv" '--table needs the CSV that --csv wrote, not "none.csv"'
    fails 1 "BUILD=nowhere bench/scaling"
    contains "nowhere/bench/ranks: make MPI=1 B="
    rm b/bench/step
    fails 1 "bench/scaling"
    contains "b/bench/step: make MPI=1 B="
    runs "bench/scaling --help"
    contains "bench/scaling [--rounds N] [--seconds S] [--csv FILE] [--with-overlap]"
    lacks "#"
    # Nothing was measured.
    check [ ! -e asked ]
}

rounds_and_medians() {
    runs "bench/scaling --rounds 3 --seconds 0.2 --csv it.csv T1/8"
    has_line "no networks of a limited rate here, shared memory alone: no networks for you"
    # One and two ranks in turn.
    runs "cut -d : -f 1 asked | tr '\n' ' '; echo"
    is "1 2 1 2 1 2 "
    runs "sed -n 2p asked"
    is "$(joined <<'END'
2: probe 0.05 , parts T1 0.2 sentences=8 ,
 update T1 0.2 sentences=8 shares=2 , update T1 0.2 sentences=8 shares=4
END
)"
    runs "grep T1/8/4 it.csv"
    is "openmpi,memory,1,no,T1/8/4,update,0.02,0.01,0.03
openmpi,memory,2,no,T1/8/4,update,0.01,0.005,0.015
openmpi,memory,1,no,T1/8/4,predicted,0.985,0.923333,1.17
openmpi,memory,2,no,T1/8/4,predicted,601.57,401.313,1202.34"
    runs "bench/scaling --table it.csv | grep 'T1 *8 *4 '"
    is "openmpi  memory      1   T1         8      4       20.0    50%
openmpi  memory      2   T1         8      4       10.0    50%      2.00"
    # By hand: 2 · 4 ms; 3 copies and 2 additions; 3 ms; 4000 bytes and a message of 1 ms each; 2000 bytes.
    runs "bench/scaling --parts it.csv | tail -n 1"
    contains "     8.00      0.70      3.00   4001.00   2000.00$nl"
    runs "bench/scaling --check it.csv | grep 'T1 *8 *4 '"
    has_line "openmpi  memory      1   T1         8      4       20.0       19.7        -2%     -8%    +17%"
    contains "openmpi  memory      2   T1         8      4       10.0     6015.7 "
    # Of several measurements in one file the first counts.
    runs "sed 's/,params,1000/,params,9000/' it.csv >other.csv && cat it.csv other.csv >both.csv"
    runs "bench/scaling --check it.csv >one && bench/scaling --check both.csv >two"
    runs "tail -n +2 one | diff - two | grep -c T1; true"
    is 0
}

ranks_that_die() {
    fails 1 "DIES=2 bench/scaling --rounds 1 --seconds 0.2 --csv it.csv T1/8"
    check [ ! -e it.csv ]
}

# The patch of --with-overlap applies to the sources, and what it makes compiles.
the_patch_applies() {
    git --version >/dev/null 2>&1 || skip "no git to apply the patch with"
    cp -r "$TOP/include" "$TOP/src" .
    runs "GIT_CEILING_DIRECTORIES=$D git apply --verbose bench/with-overlap.patch 2>&1 | grep -c cleanly"
    check [ $((said)) -gt 5 ]
    for file in src/autograd/backward.c src/ranks/fold.c src/ranks/ranks.c src/run/exchange.c src/run/update.c; do
        runs "$CC -std=c11 -Wall -Wextra -Werror -Wno-unknown-pragmas -fsyntax-only -Iinclude -Isrc $file"
        is ""
    done
}

run_cases "bench: scaling" the_patch_applies options rounds_and_medians ranks_that_die
