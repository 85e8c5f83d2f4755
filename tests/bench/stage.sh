# A tree in which tests run the scripts of bench/: their programs, Python and PyTorch are replaced by a shell script
# that appends each request to $D/asked and answers as the test wants.
. tests/build/tree.sh

# $D/ms.NAME has the answers of NAME in milliseconds, one after the other, or "dies"; without it all answers are 10.
# NO_TORCH, NO_COMPILER and MISSING say what is not installed.
stage() {
    make_tree
    cp -r "$TOP/bench" .
    rm -rf bench/history
    mkdir -p b/bench
    case $OUTER in /*) cp "$OUTER/bench/turns" b/bench ;; *) cp "$TOP/$OUTER/bench/turns" b/bench ;; esac
    put_program b/bench/player <<'END'
#!/bin/sh
name=${0##*/}
answer() {
    echo "$name $*${TL_TORCH_COMPILE:+, compiling}" >>$D/asked
    ms=10; [ ! -f $D/ms.$name ] || { ms=$(head -n 1 $D/ms.$name); sed -i 1d $D/ms.$name; }
    ms=${ms:-10}
    [ "$ms" != dies ] || exit 1
    case " $MISSING " in
    *" $1 "*) echo '{"error": "not installed"}' ;;
    *) echo "{\"ms_median\": $ms, \"gflop\": 2.0, \"gflops\": 400, \"tokens\": 100, \"rss_mb\": 7," \
        "\"compiler\": \"cc 1\", \"build\": \"played\"}" ;;
    esac
}
case $* in
*'import torch'*) [ -z "$NO_TORCH" ] && echo 9.9 ;;
*torch_compile.py*) printf %s "$NO_COMPILER" ;;
*torch_curve.py*)
    [ -z "$NO_TORCH" ] || { echo "No module named 'torch'" >&2; exit 1; }
    printf '1 5.0\n2 4.0\n3 2.0\n' ;;
*--serve) while read -r line; do answer $line; done ;;
*file=*) echo "$*" >>$D/asked; printf '1 5.0\n2 4.4\n3 2.1\n' ;;
*) answer "$@" ;;
esac
END
    for name in peak step decode products peers lengths gpt generate mlp curve recurrent; do
        ln -s player b/bench/$name
    done
    ln -s bench/player b/python
    export BUILD=b PYTHON=b/python OMP_NUM_THREADS=2
    unset NO_TORCH MISSING NO_COMPILER TL_TORCH_COMPILE
}

# answers NAME MS …: NAME's next answers.
answers() {
    name=$1
    shift
    printf '%s\n' "$@" >"ms.$name"
}
