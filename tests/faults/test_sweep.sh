#!/bin/sh
# make faults and make kills: what they print, a sample of what they run, and that they find what programs do wrong.
. tests/script.sh
sweep="\$BUILT/sweep"
set_up() {
    BUILT=$(cd "$TOP" && cd "$OUTER" && pwd)/faults
    export BUILT
    [ -x "$BUILT/sweep" ] || skip "calls to the system cannot be made to fail in this build"
    cd "$TOP"
}
says_what_it_takes() {
    runs "$sweep --help"
    contains "make faults [MINUTES=3]" "make kills " "--at KIND:N"
    runs "$sweep faults --list"
    contains "translate train " "bpe apply " "marker list "
    fails 2 "$sweep"
    is "faults: say first what: faults or kills; --help lists what there is"
    fails 2 "$sweep kills --often"
    is "faults: --often: no such option, or its value is missing; --help lists what there is"
    fails 2 "$sweep faults --minutes soon"
    is "faults: --minutes: a number above 0 is needed; --help lists what there is"
    fails 2 "$sweep faults --only cellar"
    is "faults: no command has this name: cellar; --help lists what there is"
}
# Every command, and every part, at a few calls of each kind.
sample_of_faults() {
    runs "$sweep faults --build '$OUTER' --points 2 --quiet"
    contains "translate train " "usable afterwards" "runs; found: 0"
    lacks "FOUND"
}
sample_of_kills() {
    runs "$sweep kills --build '$OUTER' --points 3 --random 30 --quiet"
    contains "translate train over " "found: 0"
    lacks "FOUND"
}

# with NAME: a build folder, $D/build, with all programs but NAME, which is compiled from standard input.
with() {
    mkdir "$D/build"
    for program in "$BUILT"/../*; do [ -d "$program" ] || ln -s "$program" "$D/build/"; done
    ln -s "$BUILT" "$D/build/faults"
    rm "$D/build/$1"
    cat >"$D/wrong.c"
    $CC -o "$D/build/$1" "$D/wrong.c"
}
finds_lost_output() {
    printf '#include <stdio.h>\nint main(void) { puts("27.1"); return 0; }\n' | with bleu
    fails 1 "$sweep faults --build $D/build --only bleu --all --quiet"
    contains "FOUND: bleu: file 1 (write" "exit status 0, but the output is another" "--only 'bleu' --at file:1"
}
finds_crashes() {
    printf '#include <stdlib.h>\nint main(void) { char *volatile p = malloc(9); *p = 0; return 0; }\n' | with bleu
    fails 1 "$sweep faults --build $D/build --only bleu --all --quiet"
    contains "FOUND: bleu: memory 1 (malloc" "signal 11"
}
finds_wrong_reasons() {
    printf '#include <fcntl.h>\n#include <stdio.h>\nint main(void) { return open("../world/source.txt", O_RDONLY) < 0 &&
        fputs("bleu: source.txt: Success\\n", stderr); }\n' | with bleu
    fails 1 "$sweep faults --build $D/build --only bleu --all --quiet"
    contains "FOUND: bleu: file 1 (open" "\"Success\" is no reason"
}
finds_torn_files() {
    printf '#include <stdio.h>\nint main(void) { FILE *f = fopen("a.csv", "w");
        if (!f) return perror("a.csv"), 1;
        setvbuf(f, 0, _IONBF, 0); fputs("a,b\\n", f); fputs("1,2\\n", f);
        if (ferror(f)) return perror("a.csv"), 1;
        return fclose(f) ? perror("a.csv"), 1 : 0; }\n' | with attend
    fails 1 "$sweep faults --build $D/build --only 'attend mask' --all --quiet"
    # of several runs that are alike, the first that ends is told
    contains "FOUND: attend mask: file " "(write /here/a.csv: " "a.csv is neither the old one nor the new one"
}
finds_what_cannot_be_repeated() {
    printf '#include <stdio.h>\nint main(void) { FILE *f = fopen("a.csv", "r");
        if (f) return fputs("a.csv is there\\n", stderr), 1;
        f = fopen("a.csv", "w"); fputs("1,2\\n", f); return fclose(f); }\n' | with attend
    fails 1 "$sweep kills --build $D/build --only 'attend mask' --points 9 --random 2 --quiet"
    contains "FOUND: attend mask: kill " "then again: status 256, says \"a.csv is there"
}

run_cases "faults: sweep" says_what_it_takes sample_of_faults sample_of_kills finds_lost_output finds_crashes \
    finds_wrong_reasons finds_torn_files finds_what_cannot_be_repeated
