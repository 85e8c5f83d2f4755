#!/bin/sh
# tests/deps with each package manager, tests/run-all with programs that pass, fail, crash or print nothing, and the
# messages and bars of tests/coverage.
. tests/script.sh
. tests/build/tree.sh
set_up() { make_tree; }

# ---- tests/deps ----

# only PROGRAM …: makes bin/, a PATH with these programs, which write to `asked` how they are called, and with what deps
# needs. Its compilers find neither Check nor MPI.
only() {
    rm -rf bin asked
    mkdir bin
    for name in sh mktemp rm; do ln -s "$(command -v $name)" bin/$name; done
    echo 'exit 1' | tee bin/cc >bin/mpicc
    echo 'echo ${UID_WANTED:-0}' >bin/id
    for name; do
        case $name in
        sudo) echo 'echo "sudo $*" >>$D/asked; "$@"' ;;
        *) echo 'echo "${0##*/} $*" >>$D/asked; exit ${FAIL:-0}' ;;
        esac >bin/"$name"
    done
    for name in cc mpicc id "$@"; do sed -i '1i #!/bin/sh' bin/"$name" && chmod +x bin/"$name"; done
}
deps="CC=cc PATH=\$D/bin tests/deps"

# manager NAME ROOT FIRST INSTALL CHECK MPI [NOTE]: deps runs FIRST, if it is not empty, and INSTALL with the packages
# of Check and, if asked for, of MPI; by sudo if it needs root and the user is not root. It prints each command and runs
# it.
manager() {
    for user in 0 1000; do
        for mpicc in "" mpicc; do
            sudo=""
            [ $user = 0 ] || [ "$2" = no ] || sudo="sudo "
            only "$1" sudo
            runs "UID_WANTED=$user MPICC=$mpicc $deps"
            printed="" ran=""
            for command in "$3" "$4 $5${mpicc:+ $6}"; do
                [ "$command" ] || continue
                printed="$printed${printed:+$nl}+ $sudo$command"
                ran="$ran${ran:+$nl}${sudo:+$sudo$command$nl}$command"
            done
            is "$printed${mpicc:+${7:+$nl$7}}"
            runs "cat asked"
            is "$ran"
        done
    done
}
each_package_manager() {
    manager apt-get root "apt-get update" "apt-get install -y" "check pkg-config" "openmpi-bin libopenmpi-dev"
    manager dnf root "" "dnf install -y" "check-devel pkgconf-pkg-config" openmpi-devel \
        "make deps: 'module load mpi/openmpi-x86_64', in a new shell, makes mpicc and mpirun known there."
    manager pacman root "" "pacman -S --noconfirm --needed" "check pkgconf" openmpi
    manager apk root "" "apk add" "check-dev pkgconf" "openmpi openmpi-dev"
    manager brew no "" "brew install" "check pkg-config" open-mpi
}

deps_that_cannot() {
    by_hand="Install the library Check by hand (https://libcheck.github.io/check/), then run 'make test'."
    only sudo
    fails 1 "$deps"
    is "make deps: found none of apt-get, dnf, pacman, apk, brew. $by_hand"
    only dnf
    fails 1 "UID_WANTED=1 $deps"
    is "make deps: not root, and there is no sudo. As root, run:  dnf install -y check-devel pkgconf-pkg-config"
    fails 1 "FAIL=3 $deps"
    is "+ dnf install -y check-devel pkgconf-pkg-config
make deps: that failed. $by_hand"
    # It stops at the first command that fails.
    only apt-get
    fails 1 "FAIL=100 $deps"
    is "+ apt-get update
make deps: that failed. $by_hand"
    fails 1 "MPICC=mpicc FAIL=100 $deps"
    runs "MPICC=mpicc FAIL=100 $deps 2>&1 | grep -c 'Check by hand.* Open MPI by hand'"
    fails 1 "MPICC=/opt/mpicc.mpich $deps"
    is "$(joined <<'END'
make deps: MPICC=/opt/mpicc.mpich makes no program,
 and it is not Open MPI's, which is what this installs (MPICC=mpicc).
END
)"
}

# Check is installed if a program with it links: its header alone is not enough.
deps_that_are_there() {
    only apt-get
    put_program bin/cc <<'END'
#!/bin/sh
[ "$1" = -DFLAGS ] && [ "$5" = -lit ]
END
    runs "CHECK_CFLAGS=-DFLAGS CHECK_LIBS=-lit $deps"
    is "make deps: Check is here already."
    check [ ! -e asked ]
    runs "CHECK_CFLAGS=-DFLAGS CHECK_LIBS=-lother $deps"
    is "+ apt-get update
+ apt-get install -y check pkg-config"
    # MPI is missing; then mpirun; then nothing.
    runs "CHECK_CFLAGS=-DFLAGS CHECK_LIBS=-lit MPICC=mpicc $deps"
    is "make deps: Check is here already.
+ apt-get update
+ apt-get install -y openmpi-bin libopenmpi-dev"
    put_program bin/mpicc <<'END'
#!/bin/sh
[ "$OMPI_CC$MPICH_CC" = cccc ]
END
    runs "CHECK_CFLAGS=-DFLAGS CHECK_LIBS=-lit MPICC=mpicc $deps"
    has_line "+ apt-get install -y openmpi-bin libopenmpi-dev"
    put_program bin/mpirun </dev/null
    runs "CHECK_CFLAGS=-DFLAGS CHECK_LIBS=-lit MPICC=mpicc $deps"
    is "make deps: Check is here already.
make deps: MPI is here already."
    runs "MPICC=mpicc $deps"
    is "make deps: MPI is here already.
+ apt-get update
+ apt-get install -y check pkg-config"
    # These tests were built with it.
    runs "make deps"
    is "make deps: Check is here already."
}

# ---- tests/run-all ----

# program NAME: b/tests/room/test_NAME is the script on standard input.
program() {
    mkdir -p b/tests/room
    { echo '#!/bin/sh'; cat; } | put_program "b/tests/room/test_$1"
}
# programs NAME …: their paths.
programs() {
    for name; do printf 'b/tests/room/test_%s ' "$name"; done
}
write_programs() {
    program passes <<'END'
echo 'Running suite(s): a'; echo '100%: Checks: 3, Failures: 0, Errors: 0'
END
    program skips <<'END'
echo 'SKIPPED: no such thing here'; echo '100%: Checks: 1, Failures: 0, Errors: 0'
END
    program fails <<'END'
echo '60%: Checks: 5, Failures: 1, Errors: 1'; echo 'x.c:1:F:a:b:0: wrong'; exit 1
END
    program crashes <<'END'
echo about to; kill -SEGV $$
END
    program leaks <<'END'
echo '100%: Checks: 2, Failures: 0, Errors: 0'; echo 'ERROR: leak'; exit 23
END
    program silent </dev/null
    program empty <<'END'
echo '100%: Checks: 0, Failures: 0, Errors: 0'
END
    program environment <<'END'
echo "$CK_VERBOSITY $CK_DEFAULT_TIMEOUT $OMP_WAIT_POLICY $ASAN_OPTIONS" >$D/seen
echo '100%: Checks: 1, Failures: 0, Errors: 0'
END
}

run_passes() {
    write_programs
    runs "tests/run-all $(programs passes skips) | sed 's/, [0-9]* s$/, some seconds/'"
    is "room/test_passes                   100%: Checks: 3, Failures: 0, Errors: 0, some seconds
room/test_skips                    100%: Checks: 1, Failures: 0, Errors: 0, some seconds
SKIPPED: no such thing here
4 passed, 0 failed"
    runs "unset OMP_WAIT_POLICY ASAN_OPTIONS; tests/run-all $(programs environment) && cat seen"
    has_line "normal 0 passive intercept_tls_get_addr=0"
    runs "export OMP_WAIT_POLICY=active ASAN_OPTIONS=detect_leaks=1; tests/run-all $(programs environment) && cat seen"
    has_line "normal 0 active intercept_tls_get_addr=0:detect_leaks=1"
    runs "RUN='env OMP_WAIT_POLICY=emulated' tests/run-all $(programs environment) && cat seen"
    contains "${nl}normal 0 emulated "
}

# With more than ten programs: the sum of the processor time, then the ten slowest, the slowest first.
run_lists_the_slowest() {
    write_programs
    program slow <<'END'
i=0; while [ $i -lt 300000 ]; do i=$((i + 1)); done
echo '100%: Checks: 1, Failures: 0, Errors: 0'
END
    for i in 0 1 2 3 4 5 6 7 8; do cp b/tests/room/test_passes b/tests/room/test_p$i; done
    runs "tests/run-all $(programs slow 'p?')"
    lacks "Processor seconds"
    runs "tests/run-all $(programs 'p?' slow passes) | sed -n '/^Processor seconds/,\$p' >list"
    # The title, the sum, ten programs and how many passed.
    check [ "$(wc -l <list)" -eq 13 ]
    runs "awk 'NR == 2 && \$2 == \"all\" { sum = \$1 } NR == 3 && \$2 == \"room/test_slow\" { slow = \$1 }
        END { exit !(slow > 0 && sum >= slow) }' list"
    runs "tail -n 1 list"
    is "31 passed, 0 failed"
}

# run_fails_with END PROGRAM …: run-all must fail, and its output end with these lines.
run_fails_with() {
    end=$1
    shift
    fails 1 "tests/run-all $*"
    ends "$end"
}
run_fails() {
    write_programs
    # shellcheck disable=SC2046
    {
        run_fails_with "failed: room/test_fails${nl}6 passed, 2 failed" $(programs passes fails)
        run_fails_with "failed: room/test_crashes${nl}3 passed, 1 failed" $(programs passes crashes)
        run_fails_with "failed: room/test_leaks${nl}5 passed, 1 failed" $(programs leaks passes)
        run_fails_with "failed: room/test_silent${nl}3 passed, 1 failed" $(programs silent passes)
        run_fails_with "failed: room/test_empty${nl}3 passed, 1 failed" $(programs empty passes)
        run_fails_with "failed: room/test_none${nl}0 passed, 1 failed" $(programs none)
        run_fails_with "failed: nowhere/test_none${nl}0 passed, 1 failed" b/tests/nowhere/test_none
        run_fails_with "failed: room/test_fails room/test_crashes${nl}6 passed, 3 failed" \
            $(programs fails passes crashes)
        run_fails_with "0 passed, 0 failed"
    }
    # The logs of failed programs come last.
    fails 1 "tests/run-all $(programs fails passes)"
    case $said in *"room/test_passes "*"$nl    x.c:1:F:a:b:0: wrong$nl"*) ;; *) fail "$said" ;; esac
    fails 1 "tests/run-all $(programs crashes)"
    contains "room/test_crashes                  no closing line (exit 139), "
    has_line "    about to"
}

# ---- tests/coverage ----

coverage_refuses() {
    coverage="sh \"\$TOP/tests/coverage\""
    runs "$coverage --help"
    contains "tests/coverage [options] [ROOM …]"
    fails 2 "$coverage --all"
    is 'coverage: what is "--all"? --help lists what there is'
    fails 2 "$coverage --missed cellar"
    is "coverage: there is no room tests/cellar"
    mkdir bin
    for name in sh dirname nproc; do ln -s "$(command -v $name)" bin/$name; done
    fails 2 "PATH=\$D/bin $coverage base"
    is "coverage: gcovr is not here: apt-get install gcovr"
}

# counts LINES RUN BRANCHES TAKEN: a program gcovr that says these of one file, and of another that it was run
# completely.
counts() {
    mkdir -p tests bin build/coverage
    cp "$TOP/tests/coverage" tests/
    cat >bin/gcovr <<END
case "\$* " in
*--csv*) printf 'filename,…\nsrc/io/a.c,$1,$2,,$3,$4\nsrc/base/b.c,100,100,,0,0\n' >build/coverage/counts.csv ;;
*--branches*) printf 'src/io/a.c 8 7 80%% 5\nsrc/base/b.c 2 2 100%%\n' ;;
*) printf 'src/io/a.c 9 8 90%% 3,4\nsrc/base/b.c 2 2 100%%\n' ;;
esac
END
    sed -i '1i #!/bin/sh' bin/gcovr && chmod +x bin/gcovr
}
coverage_has_bars() {
    asked="coverage: at least 98 % of lines and 90 % of branches are asked for"
    again="PATH=\$D/bin:\$PATH tests/coverage --again"
    counts 100 96 200 180
    fails 2 "$again"
    is "coverage: nothing has been counted yet: leave out --again"
    : >build/coverage/counts.json
    runs "$again"
    has_line "io             100   96.00 %       200   90.00 %" "all            200   98.00 %       200   90.00 %" \
        "$asked: reached"
    lacks "src/io/a.c"
    runs "$again --missed"
    has_line "lines that were not run:" "src/io/a.c 9 8 90% 3,4"
    has_line "lines with a branch that was not taken:" "src/io/a.c 8 7 80% 5"
    lacks "src/base/b.c"
    counts 100 95 200 180
    fails 1 "$again"
    has_line "$asked: NOT reached; --again --missed lists what is not run"
    counts 100 96 200 179
    fails 1 "$again"
    mkdir tests/io
    runs "$again io" # of one room nothing is asked
    lacks "asked for"
}

run_cases "build: scripts" each_package_manager deps_that_cannot deps_that_are_there \
    run_passes run_lists_the_slowest run_fails coverage_refuses coverage_has_bars
