#!/bin/sh
# The Makefile: its targets and flavours, what it builds again and what not, installing and uninstalling, the messages
# when Check or MPI is missing. (test_installed.c has what needs the library: the links of installed pages, pkg-config.)
. tests/script.sh
. tests/build/tree.sh
set_up() { make_tree; }
make="make CC=\"\$CC\" B=b OPENMP=0"

# ---- targets and flavours ----

help_lists_targets() {
    runs "make help"
    begins "make [target] [PRECISION=double] [MPI=1] [SAN=1] [DEBUG=1] [OPENMP=0] [HARDEN=0] [CC=clang]$nl"
    printf %s "$said" >help
    targets=0
    for target in $(sed -n 's/^\.PHONY: //p' Makefile); do
        # These are not for users.
        case $target in FORCE | need-*) continue ;; esac
        runs "grep '^  $target  *[a-z]' help"
        targets=$((targets + 1))
    done
    check [ $targets -ge 14 ]
    # It lists nothing else.
    check [ "$(wc -l <help)" -eq $((targets + 1)) ]
}

# flavour OPTIONS FOLDER LIBRARY HAS HAS_NOT: make OPTIONS builds in the folder, with and without these flags.
flavour() {
    runs "make -n all $1 2>/dev/null"
    contains " -o $2/obj/src/tensor/answer.o$nl" " rcs $2/$3 " " -o $2/translate " "$4"
    lacks "$5"
}
flavours() {
    flavour "CC=cc" build libtapeloom.a " -O3 " -DTL_DOUBLE
    flavour "CC=gcc" build libtapeloom.a "gcc -std=c11 -Wall -Wextra -Werror " sanitize
    flavour "CC=cc PRECISION=double" build/double libtapeloom-double.a " -DTL_DOUBLE " sanitize
    flavour "CC=cc SAN=1" build/san libtapeloom.a " -fsanitize=address,undefined " -DTL_DOUBLE
    flavour "CC=cc DEBUG=1" build/debug libtapeloom.a " -O1 " -O3
    flavour "CC=cc OPENMP=0" build/serial libtapeloom.a " -O3 " -fopenmp
    flavour "CC=cc HARDEN=0" build/soft libtapeloom.a " -O3 " protector
    flavour "CC=clang" build/clang libtapeloom.a "clang -std=c11 " sanitize
    flavour "CC=/usr/bin/clang PRECISION=double SAN=1" build/clang-double-san libtapeloom-double.a \
        " -fsanitize=address,undefined " " -DTL_DOUBLE -O"
    flavour "CC=clang DEBUG=1 OPENMP=0" build/clang-debug-serial libtapeloom.a " -O1 " -fopenmp
    # make -n has made nothing.
    check [ ! -e build ]
}

# refused VARIABLE=VALUE VALUES: make refuses the value and names those that are allowed.
refused() {
    fails 2 "make help $1"
    contains "$1: say $2"
}
wrong_values() {
    refused PRECISION=half "PRECISION=float or PRECISION=double"
    refused SAN=yes "SAN=0 or SAN=1"
    refused DEBUG=2 "DEBUG=0 or DEBUG=1"
    refused OPENMP=no "OPENMP=0 or OPENMP=1"
    refused HARDEN=2 "HARDEN=0 or HARDEN=1"
    refused MPI=mpich "MPI=0 or MPI=1"
}

# make demo runs the demo with the pair PAIR, by default en-fr.
demo() {
    put examples/translate/main.c <<'END'
#include <stdio.h>
int main(int count, char **text) {
    for (int i = 1; i < count; i++) printf("<%s>", text[i]);
    return 0;
}
END
    runs "$make demo"
    contains "$nl<demo><--pair><en-fr><--out><b/demo>"
    runs "$make demo PAIR=en-zh"
    contains "$nl<demo><--pair><en-zh><--out><b/demo>"
    runs "make -n demo CC=cc PRECISION=double PAIR=en-zh"
    has_line "build/double/translate demo --pair en-zh --out build/double/demo"
}

# jobs_are JOBS GOALS: with these goals make runs recipes with this option for the number of jobs; with none if JOBS is
# empty.
jobs_are() {
    runs "PATH=$D/bin:\$PATH make -s --eval='one two deps:;@echo \"<\$\$MAKEFLAGS>\"' $2 2>/dev/null"
    if [ "$1" ]; then contains " $1 "; else lacks -j; fi
}
jobs() {
    mkdir bin
    put_program bin/getconf <<'END'
#!/bin/sh
[ $1 = _NPROCESSORS_ONLN ] && echo 3
END
    jobs_are -j3 one
    jobs_are -j3 "deps one"
    # Several goals, such as clean all, are made in order: one job, unless -j is given.
    jobs_are "" "one two"
    jobs_are -j2 "-j2 one"
    jobs_are -j2 "-j2 one two"
    # If the number of processors is not known, -j1.
    put_program bin/getconf <<'END'
#!/bin/sh
exit 1
END
    jobs_are -j1 one
    # A make that was started by another make leaves the number to that one.
    runs "make -s MAKELEVEL=1 --eval='one:;@echo \"<\$\$MAKEFLAGS>\"' one"
    lacks " -j"
}

# ---- what is built again ----

# compiled NAME …: of these five sources the last make compiled those with the given names, and no other.
compiled() {
    for file in src/tensor/answer src/tensor/other src/tensor/kernels/k examples/hello examples/translate/part; do
        case " $* " in
        *" ${file##*/} "*) contains " -c $file.c -o " ;;
        *) lacks " -c $file.c -o " ;;
        esac
    done
}
# linked PROGRAM …, not_linked PROGRAM …
linked() { for program; do contains " -o b/$program "; done; }
not_linked() { for program; do lacks " -o b/$program "; done; }

rebuilds_for_changes() {
    runs "$make -j2"
    compiled answer other k hello part
    runs "b/hello && b/translate && b/lm && b/caption"
    runs "$make"
    compiled
    lacks " -o "
    # A header that is included by a header.
    runs "touch include/tapeloom/tensor.h && $make"
    compiled answer hello
    contains " rcs b/libtapeloom.a "
    linked hello translate
    runs "touch src/tensor/private.h && $make"
    compiled answer
    runs "touch examples/translate/part.c && $make"
    compiled part
    lacks " rcs "
    linked translate
    not_linked hello
    # examples/program/ is part of all programs that train, and no program itself.
    runs "touch examples/program/shared.c && $make"
    contains " -c examples/program/shared.c -o "
    linked translate lm caption
    not_linked bpe
    lacks " -o b/program"
    # A header that was included may be removed.
    rm src/tensor/private.h
    sed -i -e /private/d -e s/TL_ANSWER/42/ src/tensor/answer.c
    runs "$make"
    compiled answer
}

rebuilds_for_flags() {
    runs "$make lib"
    runs "$make lib CFLAGS=-DX"
    compiled answer other k
    contains " -DX "
    runs "$make lib CFLAGS=-DX"
    compiled
    quoted="CFLAGS=\"-DX='\\\"it is\\\"'\""
    runs "$make lib $quoted"
    compiled answer other k
    runs "$make lib $quoted"
    compiled
    runs "$make lib CPPFLAGS=-DY"
    compiled answer other k
    runs "$make lib DEBUG=1 CPPFLAGS=-DY"
    compiled answer other k
}

# The flags of tests are not those of the library, whichever is built first.
flags_of_tests() {
    runs "$make lib"
    runs "$make b/obj/tests/room/test_small.o"
    compiled
    runs "$make lib"
    compiled
}

rebuilds_for_files() {
    runs "$make lib"
    put src/tensor/third.c <<'END'
int tl_third(void);
int tl_third(void) { return 3; }
END
    runs "$make lib"
    contains " -c src/tensor/third.c "
    compiled
    runs "ar t b/libtapeloom.a"
    has_line third.o
    rm src/tensor/third.c
    runs "$make lib"
    runs "ar t b/libtapeloom.a"
    lacks third.o
    has_line answer.o
}

# A page of src/lens/page is embedded in the library as a string, byte for byte, with its style and script. It is made
# again if one of its files changes.
pages() {
    mkdir -p src/lens/page
    cp "$TOP/src/lens/page/embed.sh" src/lens/page
    put src/lens/page/p.html <<'END'
<title>"\n" ??=</title>
<link rel="stylesheet" href="p.css">
  <script src="p.js"></script>
<script src="p.js"></script>
END
    printf '\té' >>src/lens/page/p.html
    echo 'a { b: c }' >src/lens/page/p.css
    printf '%s\n\n' "/* \\ */ 'it' ?? \"s\";" >src/lens/page/p.js
    put examples/page.c <<'END'
#include <stdio.h>
extern const char tl_page_p[];
int main(void) { return fputs(tl_page_p, stdout) < 0; }
END
    runs "$make b/page >/dev/null && b/page"
    is "<title>\"\\n\" ??=</title>
<style>
a { b: c }
</style>
  <script src=\"p.js\"></script>
<script>
/* \\ */ 'it' ?? \"s\";

</script>
	é"
    runs "$make b/page"
    lacks " -o "
    echo changed >src/lens/page/p.css
    touch -d '1 minute' src/lens/page/p.css
    runs "$make b/page >/dev/null && b/page"
    has_line "<style>${nl}changed${nl}</style>"
    rm src/lens/page/p.css
    touch src/lens/page/p.html
    fails 2 "$make b/page"
    contains p.css
    rm src/lens/page/p.html
    runs "$make lib && ar t b/libtapeloom.a"
    lacks "${nl}p.o$nl"
}

# ---- installing ----

install_both_precisions() {
    runs "$make install DESTDIR=$D/dest PREFIX=/opt/tl"
    runs "make CC=\"\$CC\" B=b2 OPENMP=0 PRECISION=double install DESTDIR=$D/dest PREFIX=/opt/tl"
    runs "cd dest/opt/tl && find . -type f | grep -v /share/ | LC_ALL=C sort"
    is "./bin/tapeloom-bleu
./bin/tapeloom-bleu-double
./bin/tapeloom-bpe
./bin/tapeloom-bpe-double
./bin/tapeloom-caption
./bin/tapeloom-caption-double
./bin/tapeloom-lm
./bin/tapeloom-lm-double
./bin/tapeloom-translate
./bin/tapeloom-translate-double
./include/tapeloom.h
./include/tapeloom/tensor.h
./lib/libtapeloom-double.a
./lib/libtapeloom.a
./lib/pkgconfig/tapeloom-double.pc
./lib/pkgconfig/tapeloom.pc"
    runs "find dest -type f | grep -vc ^dest/opt/tl/ || true"
    is 0
    for tool in translate lm caption bpe bleu; do
        runs "cmp b/$tool dest/opt/tl/bin/tapeloom-$tool && cmp b2/$tool dest/opt/tl/bin/tapeloom-$tool-double"
        check [ -x dest/opt/tl/bin/tapeloom-$tool ]
    done
    runs "cmp include/tapeloom.h dest/opt/tl/include/tapeloom.h && cmp b/libtapeloom.a dest/opt/tl/lib/libtapeloom.a"
    runs "dest/opt/tl/bin/tapeloom-translate"
    runs "cat dest/opt/tl/lib/pkgconfig/tapeloom-double.pc"
    begins 'prefix=/opt/tl
includedir=${prefix}/include
libdir=${prefix}/lib
'
    has_line "Name: tapeloom-double"
    contains "$nl"'Cflags: -I"${includedir}" -DTL_DOUBLE'"$nl"'Libs: -L"${libdir}" -ltapeloom-double -lm'
    runs "cat dest/opt/tl/lib/pkgconfig/tapeloom.pc"
    has_line "$(sed -n 's/^VERSION := /Version: /p' Makefile)" "Name: tapeloom"
    contains "$nl"'Libs: -L"${libdir}" -ltapeloom -lm'
    lacks double
    if pkg-config --version >/dev/null 2>&1; then
        export PKG_CONFIG_PATH=dest/opt/tl/lib/pkgconfig
        for name in tapeloom tapeloom-double; do
            runs "$CC examples/hello.c -o hello \$(pkg-config --define-prefix --cflags --libs $name) && ./hello"
        done
    else
        echo "SKIPPED: pkg-config is not installed: nothing was compiled with it"
    fi
    # uninstall removes only what install has made.
    touch dest/opt/tl/include/other.h
    runs "$make uninstall DESTDIR=$D/dest PREFIX=/opt/tl"
    runs "cd dest && find . -type f"
    is "./opt/tl/include/other.h"
}

# installs_to NAME WHERE: installs to w/NAME, where NAME is any folder's name and WHERE make's variables for it; files
# are in that folder only, and uninstalling removes them only.
installs_to() {
    rm -rf w
    mkdir w
    runs "$make install $2"
    cd w
    runs ls
    is "$1"
    cd "./$1"
    runs ls
    is "bin${nl}include${nl}lib${nl}share"
    runs "find . -type f | grep -v /share/ | wc -l"
    is 9
    runs "cmp share/doc/tapeloom/examples/hello.c ../../examples/hello.c"
    runs "$CC -Iinclude ../../examples/hello.c -Llib -ltapeloom -o bin/hello && bin/hello"
    touch include/tapeloom/other.h
    cd "$D"
    runs "$make uninstall $2 >/dev/null"
    cd "w/$1"
    runs "find . -type f | LC_ALL=C sort"
    is "./bin/hello${nl}./include/tapeloom/other.h"
    cd "$D"
}
install_to_any_name() {
    export HOME="$D" NAME
    # In make's variables $ is written $$.
    for NAME in "my  own folder" "it's & |b\\ (y);x" '$$HOME'; do
        name=$NAME
        [ "$name" != '$$HOME' ] || name='$HOME'
        installs_to "$name" '"DESTDIR=$D" "PREFIX=/w/$NAME"'
        installs_to "$name" '"PREFIX=~/w/$NAME"'
    done
}

# Several installs of one build at the same time do not disturb each other: each has every file.
simultaneous_installs() {
    mkdir -p docs
    cp "$TOP/docs/relink.awk" docs
    for i in $(seq 60); do echo page $i >docs/$i.md; done
    # This builds everything.
    runs "$make install PREFIX=$D/alone"
    runs "for i in 1 2 3 4; do { $make install PREFIX=$D/at\$i >said\$i 2>&1 || touch failed; } & done; wait"
    check [ ! -e failed ]
    for i in 1 2 3 4; do runs "diff -r alone/share at$i/share"; done
    runs "ls b"
    lacks stage
}

pkg_config_and_spaces_in_names() {
    pkg-config --version >/dev/null 2>&1 || skip "pkg-config is not installed: nothing was compiled with it"
    runs "$make install \"PREFIX=$D/my own\""
    export PKG_CONFIG_PATH="$D/my own/lib/pkgconfig"
    runs 'eval "$CC examples/hello.c -o hello $(pkg-config --cflags --libs tapeloom)" && ./hello'
}

# ---- testing ----

make_test() {
    runs "$make test"
    has_line "1 passed, 0 failed"
    sed -i s/42/43/ examples/hello.c tests/room/test_small.c
    fails 2 "$make test"
    has_line "failed: room/test_small${nl}0 passed, 1 failed"
}

without_check() {
    for jobs in "" -j3; do
        fails 2 "$make $jobs test CHECK_CFLAGS=-nostdinc"
        contains "make test: the tests use Check, and its header check.h is not here.
Run 'make deps' to install it (or see https://libcheck.github.io/check/).$nl"
        lacks passed
    done
    # Only the tests need Check.
    runs "$make all CHECK_CFLAGS=-nostdinc"
}

# make deps test on a machine without Check: once apt-get has run, the compiler finds it.
deps_then_test() {
    mkdir bin
    export REAL_CC="$CC"
    put_program bin/apt-get <<'END'
#!/bin/sh
case $1 in install) sleep 0.3; touch $D/installed ;; esac
END
    put_program bin/id <<'END'
#!/bin/sh
echo 0
END
    put_program bin/picky <<'END'
#!/bin/sh
case $* in *-E* | *check.c*) [ -f $D/installed ] || exit 1 ;; esac
exec $REAL_CC "$@"
END
    picky="PATH=$D/bin:\$PATH make CC=$D/bin/picky OPENMP=0"
    fails 2 "$picky B=b test"
    for jobs in "" -j3; do
        rm -f installed
        runs "$picky B=b0$jobs $jobs deps test"
        has_line "+ apt-get update" "+ apt-get install -y check pkg-config" "1 passed, 0 failed"
    done
}

# ---- MPI ----

# Adds the two files of which MPI=1 takes the first, and two compilers of MPI, like Open MPI's and MPICH's, which append
# their arguments to `asked`. mpi WORD: the value that a program prints if it is built with MPI.
mpi_header() { printf '#define A_WORD %s\n#define MPI_Finalize() 0\n' "$1" >bin/mpi.h; }
add_mpi() {
    mkdir -p src/ranks bin
    put src/ranks/mpi.c <<'END'
#ifdef TL_MPI
#include <mpi.h>
int tl_many(void);
int tl_many(void) { return A_WORD; }
#endif
END
    put src/ranks/serial.c <<'END'
#ifndef TL_MPI
int tl_many(void);
int tl_many(void) { return 0; }
#endif
END
    put examples/bleu.c <<'END'
#include <stdio.h>
int tl_many(void);
int main(void) { return printf("%d\n", tl_many()) < 0; }
END
    mpi_header 1
    put_program bin/mpicc <<'END'
#!/bin/sh
echo "$*" >>$D/asked
case $1 in --showme:link) echo -L/of/mpi -lm; exit ;; esac
[ "$OMPI_CC" = "$MPICH_CC" ] && exec $OMPI_CC -I$D/bin "$@"
END
    put_program bin/mpicc.other <<'END'
#!/bin/sh
echo "$*" >>$D/asked
case $1 in
--showme*) exit 1 ;;
-link_info) echo gcc -Wl,-z,now -I/of/other -lm; exit ;;
esac
exec $MPICH_CC -I$D/bin "$@"
END
    plain="PATH=$D/bin:\$PATH make CC=\"\$CC\" OPENMP=0"
    with_mpi="$plain MPI=1"
}

# mpicc compiles one file and links the programs; all other objects are those of the build without MPI.
mpi_is_one_file() {
    add_mpi
    runs "$plain"
    check [ ! -e asked ]
    runs "build/*serial/bleu"
    is 0
    runs "$with_mpi"
    contains " -c src/ranks/mpi.c "
    lacks " -c src/tensor/answer.c" " -c src/ranks/serial.c"
    runs "build/*mpi-serial/bleu"
    is 1
    runs "ar t build/*mpi-serial/libtapeloom-mpi.a"
    contains "mpi.o$nl" "answer.o$nl"
    lacks "serial.o$nl"
    runs "grep -e ' -c ' asked"
    check [ "$(echo "$said" | grep -c .)" -eq 1 ]
    contains " -DTL_MPI " " -c src/ranks/mpi.c "
    # The programs.
    runs "grep -c -e 'libtapeloom-mpi.a -o ' asked"
    is 6
    runs "$with_mpi"
    lacks " -o build"
    runs "$plain"
    lacks " -o build"
    mpi_header 2
    touch -d '1 minute' bin/mpi.h
    runs "$with_mpi && build/*mpi-serial/bleu"
    has_line 2
    lacks answer.c
    # With B the folder has all objects.
    runs "$with_mpi B=b lib && ar t b/libtapeloom-mpi.a"
    contains " -c src/tensor/answer.c -o " "${nl}mpi.o$nl"
}

# mpi_flavour OPTIONS FOLDER PLAIN_FOLDER LIBRARY: mpi.c and the library are in the folder, other objects in the plain
# one.
mpi_flavour() {
    runs "make -n all OPENMP=1 MPI=1 $1 2>/dev/null"
    contains " -c src/ranks/mpi.c -o $2/obj/src/ranks/mpi.o$nl" " rcs $2/$4 "
    contains " -c src/tensor/answer.c -o $3/obj/src/tensor/answer.o$nl"
}
mpi_flavours() {
    add_mpi
    mpi_flavour "CC=cc" build/mpi build libtapeloom-mpi.a
    mpi_flavour "CC=cc MPICC=/usr/bin/mpicc" build/mpi build libtapeloom-mpi.a
    mpi_flavour "CC=cc MPICC=mpicc.other" build/mpi-other build libtapeloom-mpi.a
    mpi_flavour "CC=cc MPICC=mpiicc" build/mpi-mpiicc build libtapeloom-mpi.a
    mpi_flavour "CC=cc PRECISION=double" build/double-mpi build/double libtapeloom-double-mpi.a
    mpi_flavour "CC=clang SAN=1 MPICC='mpicc.other -x'" build/clang-mpi-other-san build/clang-san libtapeloom-mpi.a
}

without_mpi() {
    add_mpi
    for jobs in 1 3; do
        fails 2 "make -j$jobs CC=\"\$CC\" OPENMP=0 MPI=1 MPICC=mpicc.nowhere"
        contains "make MPI=1: mpicc.nowhere is not here, or makes no program with mpi.h.
Run 'make deps MPI=1' to install Open MPI, or say by MPICC=... which MPI to take.$nl"
        runs "ls build/*/translate 2>/dev/null || true"
        is ""
    done
    # These need no MPI.
    for target in help "-n uninstall" clean; do runs "make $target MPI=1 MPICC=mpicc.nowhere"; done
    # make deps all: once apt-get has run, MPI is found.
    mkdir bin/openmpi
    put_program bin/id <<'END'
#!/bin/sh
echo 0
END
    put_program bin/apt-get <<'END'
#!/bin/sh
[ $1 = update ] || { sleep 0.3; ln -s $D/bin/mpicc.other $D/bin/openmpi/mpicc; }
END
    runs "PATH=$D/bin:\$PATH make -j3 CC=\"\$CC\" OPENMP=0 MPI=1 MPICC=$D/bin/openmpi/mpicc deps all"
    contains "openmpi-bin libopenmpi-dev$nl"
    runs "ls build/*mpi-serial/translate"
}

# The library with MPI has a name of its own, and its pkg-config file has what a program is linked with.
mpi_is_installed() {
    add_mpi
    runs "$with_mpi install DESTDIR=$D/dest PREFIX=/p"
    runs "$with_mpi MPICC=mpicc.other PRECISION=double install DESTDIR=$D/dest PREFIX=/p"
    runs "$make install DESTDIR=$D/dest PREFIX=/p"
    runs "cd dest/p && ls lib lib/pkgconfig bin | grep -v -e bpe -e lm -e caption -e bleu"
    has_line "libtapeloom-double-mpi.a${nl}libtapeloom-mpi.a${nl}libtapeloom.a"
    has_line "tapeloom-double-mpi.pc${nl}tapeloom-mpi.pc${nl}tapeloom.pc"
    has_line "tapeloom-translate${nl}tapeloom-translate-double-mpi${nl}tapeloom-translate-mpi"
    runs "dest/p/bin/tapeloom-bleu && dest/p/bin/tapeloom-bleu-mpi"
    is "0${nl}1"
    runs "grep -h -e Libs -e Cflags -e Name dest/p/lib/pkgconfig/*mpi.pc"
    is 'Name: tapeloom-double-mpi
Cflags: -I"${includedir}" -DTL_DOUBLE
Libs: -L"${libdir}" -ltapeloom-double-mpi -lm  -Wl,-z,now -lm
Name: tapeloom-mpi
Cflags: -I"${includedir}" 
Libs: -L"${libdir}" -ltapeloom-mpi -lm  -L/of/mpi -lm'
    runs "grep -h Libs dest/p/lib/pkgconfig/tapeloom.pc"
    is 'Libs: -L"${libdir}" -ltapeloom -lm  '
    runs "$make uninstall DESTDIR=$D/dest PREFIX=/p && ! find dest -type f | grep ."
}

# Every test of the repository is run by make test or by make test-long, and none by both.
test_and_test_long() {
    for goal in test test-long; do
        runs "make -C \"\$TOP\" -n B=b $goal | sed -n 's|.*tests/run-all ||p' | tr ' ' '\n' >$goal.txt"
        check [ -s $goal.txt ]
    done
    (cd "$TOP" && ls tests/*/test_*.c tests/*/test_*.sh) | sed 's|^|b/|; s|[.][a-z]*$||' | LC_ALL=C sort >all.txt
    runs "LC_ALL=C sort test.txt test-long.txt | diff - all.txt"
    is ""
}

# The parts of the long tests are all of them, and no test is in two.
parts_of_long_tests() {
    runs "make -s -C \"\$TOP\" list-long | LC_ALL=C sort >long.txt"
    check [ -s long.txt ]
    runs "for k in 1 2 3 4; do make -s -C \"\$TOP\" list-long PART=\$k/4; done | LC_ALL=C sort | diff - long.txt"
    is ""
    runs "make -C \"\$TOP\" -n B=b test-long PART=3/4 | sed -n 's|.*tests/run-all ||p' | tr ' ' '\n' | sed 's|^b/tests/||' >part.txt"
    runs "make -s -C \"\$TOP\" list-long PART=3/4 | diff - part.txt"
    is ""
    for part in 0/4 5/4 4 1/0 x/4; do
        fails 2 "make -C \"\$TOP\" list-long PART=$part"
        contains "PART=$part: say PART=1/4"
    done
}

run_cases "build: the Makefile" help_lists_targets flavours wrong_values demo jobs \
    rebuilds_for_changes rebuilds_for_flags flags_of_tests rebuilds_for_files pages \
    install_both_precisions install_to_any_name simultaneous_installs pkg_config_and_spaces_in_names \
    make_test test_and_test_long parts_of_long_tests without_check deps_then_test mpi_is_one_file mpi_flavours without_mpi mpi_is_installed
