# tests/soak/run: a short soak of two questions, its messages, and that a program that changes its answers is noticed.
. tests/script.sh

soak="sh \"\$TOP/tests/soak/run\""

refuses() {
    runs "$soak --help"
    begins "make soak [MINUTES=60 | SECONDS=60]"
    runs "$soak --list"
    has_line nul-bytes broken-utf-8 very-long-line
    fails 2 "$soak --seconds soon"
    is "make soak: --seconds soon: a whole number is needed"
    fails 2 "$soak --minutes"
    is "make soak: --minutes: what comes after it is missing; see --help"
    fails 2 "$soak --forever"
    is "make soak: --forever: no such option; see --help"
    fails 2 "$soak --only crlfs"
    is "make soak: there is no question crlfs: --list names them"
    fails 2 "$soak --build \$D"
    is "make soak: there is no program $D/translate: make $D/translate makes it"
}

# A folder b with the two programs and the soak's own.
set_up() {
    mkdir -p b/tests/soak
    for program in translate lm tests/soak/soak; do
        case $OUTER in /*) built=$OUTER ;; *) built=$TOP/$OUTER ;; esac
        ln -s "$built/$program" b/$program
    done
}

nothing_changes() {
    # AddressSanitizer keeps what was freed, so memory grows.
    case $OUTER in *san*) skip "the soak's memory: not with sanitizers" ;; esac
    runs "$soak --build \$D/b --seconds 1 --only nul-bytes --only crlf --quiet"
    begins "                                  round 2   last round"
    contains "open descriptors   " "bytes in use (malloc)   " "2 questions and a new one in each, " \
        ": all as in the first round"
}

# The eighth translation (three a round) has a line more.
a_change_is_seen() {
    rm b/translate
    put_program b/translate <<END
#!/bin/sh
"$built/translate" "\$@"
[ "\$1" = translate ] || exit 0
echo >>"$D/count"
[ "\$(wc -l <"$D/count")" -ne 8 ] || echo and more
END
    fails 1 "$soak --build \$D/b --seconds 1 --only nul-bytes --only crlf --quiet"
    contains "FAULT: round 3, question nul-bytes: translate and this process answer differently" \
        "FAULT: round 3, question nul-bytes: translate differs from the first round's" ": FAILED"
}

run_cases "soak" refuses nothing_changes a_change_is_seen
