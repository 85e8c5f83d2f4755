#!/bin/sh
# bench/compare --record and --against: the lines that are recorded, which rows of a file are measured, when a row
# counts as slower, errors in files. The measured times are those of bench/stage.sh.
. tests/script.sh
. tests/bench/stage.sh
set_up() { stage; }
compare="bench/compare --rounds 1 --seconds 0"

# record_before WHAT …: records version 7.8 in the file "before"; every time is 10 ms.
record_before() {
    sed -i 's/^VERSION := .*/VERSION := 7.8/' Makefile
    $compare --record "$@" >table 2>/dev/null
    cp bench/history/7.8.jsonl before
    rm asked
}
# row TEXT: the table has this row, blanks squeezed.
row() { runs "tr -s ' ' <table | grep '^$1\$' || { cat table; exit 1; }"; }

# ---- recording ----

recorded() {
    record_before --log log --decode step T0
    runs "sed 's/\"date\": \"20[0-9-]*\"/DATE/; s/\"processor\": \"[^\"]*\", \"cores\": [0-9]*/MACHINE/' before"
    has_line "$(joined <<'END'
{"version": "7.8", DATE, MACHINE, "isa": "played", "compiler": "cc 1", "precision": "played", "threads": 2,
 "peers": "PyTorch 9.9, OpenBLAS, oneDNN", "section": "step", "case": "T0", "side": "ours, medium",
 "peak_gflops": 400.0, "lowest_peak_gflops": 400.0, "unit": "ms", "median": 10, "spread": 0.0, "rounds": 1,
 "ratios": {"PyTorch best": 1, "PyTorch float32": 1}}
END
)"
    contains '"case": "T0/32", "side": "PyTorch float32", ' "\"rounds\": 1, \"peer\": true}$nl"
    lacks "$D"
    # Three lines for each of decoding 1 and 32 sentences, four for a step.
    runs "wc -l <before"
    is 10
    ! python3 -c '' 2>/dev/null || runs "python3 -c 'import json
for line in open(\"before\"): json.loads(line)'"
    # Recording again appends lines, but none for what has failed.
    answers step 10 dies
    runs "$compare --ours --record step T0 mlp"
    contains "step has ended$nl"
    has_line "recorded in bench/history/7.8.jsonl"
    runs "wc -l <bench/history/7.8.jsonl; grep -c error bench/history/7.8.jsonl || true"
    is "12${nl}0"
    rm -f Makefile asked
    fails 2 "$compare --record mlp"
    is 'bench/compare: --record: no "VERSION := " in bench/../Makefile'
    check [ ! -e asked ]
}

recorded_commit() {
    git --version >/dev/null 2>&1 || skip "git is not installed"
    record_before --ours mlp
    runs "cat before"
    lacks '"commit"'
    git init -q .
    git add bench/compare
    git -c user.name=t -c user.email=t@t commit -q -m one
    runs "$compare --ours --record mlp >table 2>/dev/null"
    recorded=$(tail -n 1 bench/history/7.8.jsonl | sed 's/.*"commit": "\([^"]*\)".*/\1/')
    runs "git rev-parse HEAD"
    begins "$recorded"
    check [ "$recorded" ]
}

# ---- then and now ----

slower_same_faster() {
    record_before step mlp T0
    answers step 10 10.2 10.4
    answers mlp 5 9.9
    runs "$compare --against before >table"
    runs "cat table"
    begins "then: 7.8, 20"
    contains ", played, cc 1, 2 threads${nl}now:  7.8, 20"
    row "step T0 ours, medium 10.0 10.4 ms 1.04 3 slower PyTorch best: 1.00, now 0.96"
    row "step T0 ours, highest 10.0 10.2 ms 1.02 3 same PyTorch float32: 1.00, now 0.98"
    row "mlp mlp ours, medium 10.0 9.900 ms 0.99 3 same PyTorch float32: 1.00, now 1.01"
    row "mlp mlp ours, highest 10.0 5.000 ms 0.50 3 faster PyTorch float32: 1.00, now 2.00"
    # The slowest first.
    runs "grep -c ours table; grep -o 'slower\|same\|faster' table | tr '\n' ' '; echo"
    is "4${nl}slower same same faster "
    # The spreads are added, a peer's too.
    runs "sed 's/\(T0\", \"side\": \"[^\"]*medium.*\"spread\": \)0.0/\11.5/
        s/\(T0\", \"side\": \"PyTorch best.*\"spread\": \)0.0/\12.6/' before >wide"
    answers step 10 10.0 10.4
    runs "$compare --against wide step >table"
    row "step T0 ours, medium 10.0 10.4 ms 1.04 4 same PyTorch best: 1.00, now 0.96"
    answers step 10 10 10 10 11
    answers python 10 10 10 10.8
    runs "bench/compare --rounds 2 --seconds 0 --against before step >table"
    row "step T0 ours, medium 10.0 10.5 ms 1.01 9 same PyTorch best: 1.00, now 0.99"
    # If a peer is slower too, the machine is: the row is the same.
    answers step 10 20 20
    answers python 20 20
    runs "$compare --against before step >table"
    row "step T0 ours, medium 10.0 20.0 ms 1.00 3 same PyTorch best: 1.00, now 1.00"
    # Without a peer times are compared.
    answers step 10 20 20
    runs "$compare --ours --against before step >table"
    row "step T0 ours, highest 10.0 20.0 ms 2.00 3 slower"
    answers step 10 20
    runs "$compare --json --ours --against before step"
    has_line "$(joined <<'END'
{"section": "step", "case": "T0", "side": "ours, highest", "unit": "ms", "then": 10, "now": 20,
 "change": 2.000, "noise_percent": 3.0, "verdict": "slower"}
END
)"
    answers step 10 20
    runs "$compare --json --against before step"
    contains ', "peer": "PyTorch float32", "ratio_then": 1, "ratio_now": 0.5, "change": 2.000, '
}

memory_and_machines() {
    record_before memory mlp T0
    for median in 0.01 99999; do
        runs "sed 's/\(\"side\": \"ours\", .*\"median\": \)[0-9.]*/\1$median/' before >changed"
        runs "$compare --ours --against changed memory | tr -s ' ' | grep ' MB '"
        case $median in
        0.01) contains "memory T0 ours 0.010 " " 3 more$nl" ;;
        *) contains "memory T0 ours 99999.0 " " 3 less$nl" ;;
        esac
    done
    # With another processor only rows with a peer are judged; the others come last.
    sed 's/"processor": "[^"]*"/"processor": "i4004 (R)+"/' before >other
    answers mlp 90 90
    runs "$compare --against other mlp >table"
    row "mlp mlp ours, medium 10.0 90.0 ms 9.00 3 slower PyTorch float32: 1.00, now 0.11"
    answers mlp 90 9
    runs "$compare --ours --against other mlp >table; cat table"
    contains ", i4004 (R)+, played, cc 1, 2 threads${nl}now:  7.8, "
    contains "$nl?: another processor or number of threads, and no peer on both sides: "
    row "mlp mlp ours, highest 10.0 90.0 ms 9.00 3 ?"
    runs "OMP_NUM_THREADS=1 $compare --ours --against before mlp"
    contains "2 threads${nl}now:  7.8, " " 3  ?$nl"
    # A row's last line counts, but one of this processor before those of others.
    sed 's/"median": 10/"median": 30/' other | cat before - >both
    runs "$compare --ours --against both mlp >table"
    row "mlp mlp ours, highest 10.0 10.0 ms 1.00 3 same"
    sed 's/"median": 10/"median": 30/' before | cat other before - other >both
    runs "$compare --ours --against both mlp >table"
    row "mlp mlp ours, highest 30.0 10.0 ms 0.33 3 faster"
}

rows_that_are_measured() {
    record_before step decode T0 T2 mlp products threads --all
    grep -v highest before >some
    runs "$compare --against some step T2 >table; cat asked"
    has_line "step T2 0 precision=high${nl}step T2 0 precision=medium${nl}python step T2 0 numbers=float32"
    lacks highest "step T0 0 " mlp
    runs "cut -c 1-60 table | grep -c ours"
    is 2
    # All rows of the file, also those that only --all measures.
    rm asked
    runs "$compare --against before >table 2>/dev/null; grep -c '\"ratios\"' before"
    rows=$((said))
    check [ $rows -gt 50 ]
    runs "grep -c ' ms ' table"
    is $rows
    fails 2 "$compare --against before step T3"
    is "bench/compare: before has no row of step of T3"
    # The exit status is 1 if a row cannot be measured. (It is 0 if one is slower.)
    fails 1 "MISSING=T0 $compare --against before step >table"
    has_line "bench/compare: not measured: step T0 ours, medium: not installed"
    lacks "T2 ours"
    runs "grep -c T2 table"
    is 3
}

# ---- errors in files ----

# malformed LINE ERROR: an error in line 3 of the file, which begins so, is the only output.
malformed() {
    printf '%s\n\n%s\n' "{$whole, \"ratios\": {\"A\": 1e-2, \"B\": 2}, \"later\": true}" "$1" >file
    fails 2 "$compare --against file"
    begins "bench/compare: file, line 3: $2"
    check [ "$(printf %s "$said" | wc -l)" -eq 1 ]
}
malformed_files() {
    part='"version": "1", "date": "d", "processor": "p", "threads": 2, "case": "T0", "side": "ours"'
    whole=$part', "section": "step", "median": 1, "spread": 0, "unit": "ms"'
    malformed 'section,case' 'expected "{", found section,case'
    malformed '{version: 1}' 'expected a key in quotes, found version: 1}'
    malformed '{"version" "1"}' 'expected ":" after the key "version", found "1"}'
    malformed '{"version": "1" "date"}' 'expected "," or "}", found "date"}'
    malformed '{"version": "1"' 'expected "," or "}", found the end of the line'
    malformed '{"version": [1]}' 'expected a value, found [1]}'
    malformed "{$whole, \"ratios\": {}} {" 'expected the end of the line after "}", found {'
    malformed '{"version": "1"}' 'there is no "date" (string)'
    step=$part', "section": "step"'
    malformed "{$step, \"median\": \"1\", \"spread\": 0}" '"median" is a string, expected: number'
    malformed "{$step, \"median\": 0, \"spread\": 0, \"unit\": \"ms\"}" 'median 0, expected more than 0'
    malformed "{$step, \"median\": 1, \"spread\": 0, \"unit\": \"s\"}" 'unit "s", expected ms or MB'
    malformed "{$whole}" 'there is no "ratios" (object)'
    malformed "{$whole, \"ratios\": {\"PyTorch\": 0}}" 'ratio to "PyTorch", expected a number above 0'
    malformed "{$part, \"section\": \"stpe\", \"median\": 1, \"spread\": 0, \"unit\": \"ms\", \"ratios\": {}}" \
        'section "stpe", expected one of step memory decode '
    malformed "{$step, \"error\": \"x\"}" 'an error, expected what was measured'
    echo >file
    fails 2 "$compare --against file"
    is "bench/compare: file has no row"
    fails 2 "$compare --against nowhere"
    is 'bench/compare: --against takes a file as in bench/history, and there is no "nowhere"'
    fails 2 "$compare --against"
    # Nothing was measured.
    check [ ! -e asked ]
}

run_cases "bench: history" recorded recorded_commit slower_same_faster memory_and_machines rows_that_are_measured \
    malformed_files
