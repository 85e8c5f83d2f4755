# tests/valgrind, tests/compilers and tests/trust: their messages, and that something wrong makes them fail. Big-endian
# machines and those with a long of 32 bits cannot compile the library.
. tests/script.sh

valgrind_refuses() {
    valgrind="sh \"\$TOP/tests/valgrind\""
    runs "$valgrind --help"
    begins "Runs quick tests, a training, a translation and a text under valgrind's memcheck"
    fails 2 "$valgrind --fast"
    is 'valgrind: what is "--fast"? --help lists what there is'
    fails 2 "$valgrind cellar/test_rats"
    is "valgrind: there is no test tests/cellar/test_rats.c"
    mkdir bin
    for name in sh dirname nproc; do ln -s "$(command -v $name)" bin/$name; done
    runs "PATH=\$D/bin $valgrind"
    is "SKIPPED: valgrind: it is not here (Debian, Ubuntu: apt install valgrind)"
}

# A valgrind that finds something ends the test with its status.
valgrind_fails() {
    mkdir bin
    put_program bin/valgrind <<'END'
#!/bin/sh
for word; do case $word in */test_buffer) echo "Invalid read of size 4"; exit 99 ;; esac; done
END
    put_program bin/make </dev/null
    run 'PATH=$D/bin:$PATH MAKE=$D/bin/make BUILD=$D/b sh "$TOP/tests/valgrind" --quiet base/test_buffer'
    check [ "$status" -eq 1 ]
    contains "Invalid read of size 4" "s, see above"
}

compilers_refuses() {
    compilers="sh \"\$TOP/tests/compilers\""
    runs "$compilers --help"
    contains "tests/compilers [--cc NAME …] [--level -O2 …] [--install] [--quiet]"
    fails 2 "$compilers --level -O9"
    is "compilers: --level -O9: one of -O0 -O1 -Os -O2 -O3 is needed"
    fails 2 "$compilers --cc"
    is "compilers: --cc: a compiler's name is missing; see --help"
    fails 2 "$compilers --fast"
    is 'compilers: what is "--fast"? --help lists what there is'
    fails 1 "$compilers --cc cc-of-nobody --quiet"
    has_line "SKIPPED: compilers: there is no cc-of-nobody" "compilers: none of the compilers is here"
}

compilers_fails() {
    put_program make <<'END'
#!/bin/sh
case "$*" in *-O2*) exit 1 ;; esac
for word; do case $word in */test_models) mkdir -p "${word%/*}"; ln -sf "$D/golden" "$word" ;; esac; done
END
    put_program golden <<'END'
#!/bin/sh
case $0 in *-Os/*) echo "50%: Checks: 2, Failures: 1, Errors: 0"; exit 1 ;; esac
echo "100%: Checks: 2, Failures: 0, Errors: 0"
END
    put_program a-compiler <<'END'
#!/bin/sh
echo "a-compiler 1.0"
END
    levels="--level -O1 --level -Os --level -O2"
    fails 1 'cd "$TOP" && PATH=$D:$PATH MAKE=$D/make sh tests/compilers --quiet --cc a-compiler $levels'
    rm -rf "$TOP"/build/compilers/a-compiler-O*
    contains "a-compiler -O1 " " s  passed" "a-compiler -Os " " s  FAILED" "a-compiler -O2 " " s  not built"
    ends "3 builds, 2 not right"
}

trust_runs_all() {
    trust="MAKE=\$D/make sh \"\$TOP/tests/trust\""
    runs "$trust --help"
    begins "make trust [MINUTES=60]"
    fails 2 "$trust"
    is "make trust: which checks? see --help"
    fails 2 "$trust cellar"
    is "make trust: the Makefile has no target cellar"
    fails 2 "$trust --minutes soon fuzz"
    is "make trust: --minutes soon: a whole number is needed"
    fails 2 "$trust --all"
    is "make trust: --all: no such option; see --help"
    # In a tree of its own: it writes to build/trust.
    mkdir -p tree/tests
    cp "$TOP/tests/trust" tree/tests/
    printf 'fuzz:\nvalgrind:\nsoak:\n' >tree/Makefile
    put_program make <<'END'
#!/bin/sh
echo "$*" >>"$D/made"
case $1 in
valgrind) echo "SKIPPED: valgrind: it is not here" ;;
soak) echo "it grows"; exit 1 ;;
*) echo "nothing found" ;;
esac
END
    fails 1 'MAKE=$D/make sh tree/tests/trust --minutes 3 --quiet fuzz soak valgrind'
    contains "fuzz       " " s  passed                nothing found$nl" "soak       " " s  FAILED                it grows$nl"
    contains "valgrind   " " s  passed, some skipped  SKIPPED: valgrind: it is not here$nl"
    ends "3 checks, 1 failed: build/trust/NAME.log says why"
    runs 'cat made'
    is "fuzz MINUTES=3${nl}soak MINUTES=3${nl}valgrind"
    runs 'MAKE=$D/make sh tree/tests/trust --quiet fuzz'
    ends "1 checks, 0 failed"
    runs 'MAKE=$D/make sh tree/tests/trust fuzz'
    begins "trust: fuzz, about 1 min left"
}

# The Makefile's own list: each is a target.
trust_names_targets() {
    names=$(sed -n 's/^TRUST ?= //p' "$TOP/Makefile")
    check [ "$(echo $names | wc -w)" -ge 8 ]
    cd "$TOP"
    for name in $names; do check grep -q "^$name:.* ## " Makefile; done
}

refused_when_compiling() {
    cd "$TOP"
    fails 1 '$CC -std=c11 -Iinclude -Isrc -U__LONG_MAX__ -D__LONG_MAX__=2147483647L -fsyntax-only \
        src/tensor/tensor.c'
    contains "sizes are long, and must have 64 bits"
    fails 1 '$CC -std=c11 -Iinclude -Isrc -U__BYTE_ORDER__ -D__BYTE_ORDER__=__ORDER_BIG_ENDIAN__ -fsyntax-only \
        src/io/dtype.c'
    contains "tapeloom runs on little-endian machines only"
    if ! command -v s390x-linux-gnu-gcc >/dev/null; then skip "build: no compiler for s390x, a big-endian machine"; fi
    fails 1 's390x-linux-gnu-gcc -std=c11 -Iinclude -Isrc -fsyntax-only src/io/dtype.c'
    contains "tapeloom runs on little-endian machines only"
}

fuzz_refuses() {
    fuzz="sh \"\$TOP/tests/fuzz/run\""
    fails 2 "$fuzz --seed"
    is "make fuzz: --seed: what comes after it is missing; see --help"
    fails 2 "$fuzz --seed one"
    is "make fuzz: --seed one: a whole number is needed"
    fails 2 "$fuzz --seconds soon"
    is "make fuzz: --seconds soon: a whole number is needed"
    fails 2 "$fuzz --only rats"
    is "make fuzz: there is no harness rats: --list says which there are"
}

run_cases "build: trust" valgrind_refuses valgrind_fails compilers_refuses compilers_fails trust_runs_all \
    trust_names_targets fuzz_refuses refused_when_compiling
