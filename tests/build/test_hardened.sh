#!/bin/sh
# Hardening: the built programs have what this compiler offers, and it does not disturb compilers that offer less, or
# the user's own flags.
. tests/script.sh
. tests/build/tree.sh
set_up() { make_tree; }

# The flags of this build, and whether it has one of them.
case $OUTER in /*) build=$OUTER ;; *) build=$TOP/$OUTER ;; esac
has_flag() { case "$(cat "$build/flags")" in *" $1 "*) ;; *) return 1 ;; esac; }

# shows FLAG PATTERN: the built programs have what the flag does, as a line of readelf.
shows() {
    if ! has_flag "$1"; then echo "SKIPPED: this compiler has no $1"; return; fi
    for program in translate bpe bleu; do runs "readelf -hldsW '$build/$program' | grep '$2'"; done
}
programs_are_hardened() {
    case "$(cat "$build/flags")" in *-fsanitize=*) skip "hardened programs: sanitizers have checks of their own" ;; esac
    readelf --version >/dev/null 2>&1 || skip "hardened programs: there is no readelf"
    has_flag -fstack-protector-strong || skip "hardened programs: this build is not"
    shows -fPIE "Type:  *DYN"
    shows -pie "Flags: .*PIE"
    shows -Wl,-z,relro "GNU_RELRO"
    shows -Wl,-z,now "BIND_NOW"
    shows -Wl,-z,noexecstack "GNU_STACK .* RW "
    shows -fstack-protector-strong "UND __stack_chk_fail"
    shows -D_FORTIFY_SOURCE=3 "UND __[a-z]*_chk@"
}

gcc_and_clang_have_all() {
    for cc in gcc clang; do
        $cc --version >/dev/null 2>&1 || continue
        runs "make -n all CC=$cc 2>/dev/null | grep -e ' -o .*/hello '"
        contains " -fPIE " " -pie " " -fstack-protector-strong " " -Wl,-z,relro " " -Wl,-z,now " " -Wl,-z,noexecstack "
        contains " -D_FORTIFY_SOURCE="
    done
}

# If a compiler does not know one of the flags, it is given the others.
unknown_flags_are_left_out() {
    for flag in -fstack-clash-protection -D_FORTIFY_SOURCE=3 -Wl,-z,now -fPIE; do
        put_program old-cc <<END
#!/bin/sh
for word; do [ "\$word" != $flag ] || { echo unknown >&2; exit 1; }; done
exec $CC "\$@"
END
        rm -rf b
        runs "make CC=$D/old-cc B=b OPENMP=0 && b/hello"
        lacks "$flag"
        contains "-fstack-protector-strong"
        [ $flag != -D_FORTIFY_SOURCE=3 ] || contains "-D_FORTIFY_SOURCE=2"
    done
}

own_flags_win() {
    # With -O0 glibc warns of _FORTIFY_SOURCE.
    runs "make B=b OPENMP=0 CFLAGS=-O0 && b/hello"
    runs "make B=b OPENMP=0 CPPFLAGS=-D_FORTIFY_SOURCE=1 && b/hello"
    lacks "_FORTIFY_SOURCE=3"
    runs "make B=b OPENMP=0 CFLAGS=-fno-pie LDFLAGS=-no-pie && b/hello"
    runs "make B=b OPENMP=0 'CFLAGS=-O1 -fsanitize=undefined' && b/hello"
    lacks protector
    runs "make B=b OPENMP=0 HARDEN=0 && b/hello"
    lacks protector relro
}

# A program may link the library with or without PIE.
any_program_links_the_library() {
    runs "make B=b OPENMP=0 lib"
    for pie in "" "-fPIE -pie" "-fno-pie -no-pie"; do
        runs "$CC $pie -Iinclude examples/hello.c b/libtapeloom.a -o hello && ./hello"
    done
}

run_cases "build: hardened programs" programs_are_hardened gcc_and_clang_have_all unknown_flags_are_left_out \
    own_flags_win any_program_links_the_library
