# Included by tests that are shell scripts, which end with run_cases:
#
#     . tests/script.sh
#     first_case() { runs 'bench/compare --help'; contains "usage: "; }
#     run_cases "bench: compare" first_case second_case
#
# It is run from the top of the repository, by tests/run-all or by hand: sh tests/ROOM/test_NAME.sh [CASE …]. Its last
# line is that of Check's tests, so tests/run-all counts its cases with theirs.
#
# Each case runs in a process of its own, in an empty folder, after the function set_up if there is one. It fails at the
# first check or command that fails. $D is its folder, $TOP the repository, $OUTER the build folder, $CC the compiler.
#
#     runs COMMAND            the command line must succeed; $said is its output and its error output
#     fails STATUS COMMAND    … must end with this status
#     is TEXT                 $said consists of these lines; of none if TEXT is empty
#     contains TEXT …         $said contains each of these texts
#     has_line TEXT …         … each of these as whole lines
#     begins TEXT, ends TEXT  $said begins with this text, ends with these lines
#     lacks TEXT …            $said contains none of these
#     check COMMAND …         the command succeeds: check [ "$n" -ge 12 ]
#     skip REASON             ends the case; tests/run-all shows the reason
nl='
'
TOP=$PWD OUTER=${BUILD:-build} script=tests/${0#*tests/} only=$* said=""
export TOP OUTER CC="${CC:-cc}" D

fail() {
    printf '%s: %s: %s\n' "$script" "$case" "$*"
    reported=yes
    exit 1
}
run() {
    said=$( (set +e; eval "$1") 2>&1 && echo "status 0" || echo "status $?")
    status=${said##*status }
    said=${said%status *}
}
runs() {
    run "$1"
    [ "$status" -eq 0 ] || fail "$1${nl}exit status $status$nl$said"
}
fails() {
    run "$2"
    [ "$status" -eq "$1" ] || fail "$2${nl}exit status $status, expected $1$nl$said"
}
is() { [ "$said" = "$1${1:+$nl}" ] || fail "expected:$nl$1${nl}found:$nl$said"; }
contains() {
    for text; do case $said in *"$text"*) ;; *) fail "\"$text\" is missing in$nl$said" ;; esac; done
}
has_line() {
    for text; do case $nl$said in *"$nl$text$nl"*) ;; *) fail "the line \"$text\" is missing in$nl$said" ;; esac; done
}
begins() { case $said in "$1"*) ;; *) fail "\"$1\" is not the beginning of$nl$said" ;; esac; }
ends() { case $nl$said in *"$nl$1$nl") ;; *) fail "\"$1\" is not the end of$nl$said" ;; esac; }
lacks() {
    for text; do case $said in *"$text"*) fail "\"$text\" is in$nl$said" ;; esac; done
}
check() { "$@" || fail "this should hold: $*"; }
skip() {
    echo "SKIPPED: $*"
    exit 0
}
# put FILE: writes standard input to a file; put_program FILE makes it executable. joined: standard input as one line.
put() { cat >"$1"; }
joined() { tr -d '\n'; }
put_program() { cat >"$1" && chmod +x "$1"; }

set_up() { :; }
case_ends() {
    status=$?
    [ $status -eq 0 ] || [ "$reported" ] ||
        printf '%s: %s: a command failed, status %s\n%s' "$script" "$case" $status "$said"
}
run_cases() {
    echo "Running suite(s): $1"
    shift
    # shellcheck disable=SC2086
    [ -z "$only" ] || set -- $only
    failures=0
    # In memory if possible: the files of a case are small.
    all=$(mktemp -d -p /dev/shm tapeloom-test-XXXXXX 2>/dev/null || mktemp -d) || exit 1
    trap 'rm -rf "$all"' EXIT
    trap 'exit 130' INT TERM
    for case; do
        D=$all/$case reported=""
        mkdir "$D"
        (trap case_ends EXIT; set -e; cd "$D"; set_up; "$case") </dev/null
        status=$?
        [ $status -eq 0 ] || failures=$((failures + 1))
        [ $status -le 128 ] || echo "$script: $case: killed by signal $((status - 128))"
        rm -rf "$D"
    done
    echo "$((100 * ($# - failures) / $#))%: Checks: $#, Failures: $failures, Errors: 0"
    [ $failures -eq 0 ]
}
