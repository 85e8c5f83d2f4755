#!/bin/sh
# bench/without: every patch applies to the sources and begins with what it switches off and which programs show it; the
# script that measures them refuses unknown names.
. tests/script.sh

patches_apply() {
    git --version >/dev/null 2>&1 || skip "no git to apply the patches with"
    cd "$TOP"
    patches=0
    for patch in bench/without/*.patch; do
        runs "git apply --check $patch"
        runs "sed -n 1p $patch | grep '^[A-Z].*\.$'"
        runs "sed -n 2p $patch | grep -E '^Seen in: ((step T[0-3]|decode T[0-3] [0-9]+|lengths [0-9]+)(, )?)+$'"
        patches=$((patches + 1))
    done
    check [ $patches -ge 11 ]
}

refusals() {
    runs "$TOP/bench/without/run --help"
    contains "usage: bench/without/run [--rounds N] [--seconds S] [NAME …]"
    fails 2 "$TOP/bench/without/run --fast"
    contains "usage: "
    fails 2 "$TOP/bench/without/run all-of-it"
    contains "bench/without: there is no all-of-it; fused-attention fused-loss"
}

run_cases "bench: what each optimisation brings" patches_apply refusals
