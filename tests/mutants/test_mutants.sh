#!/bin/sh
# tests/mutants/run over a library of one file, with a test that sees half of what may be broken; and the rules of mutate.c.
. tests/script.sh

set_up() {
    mkdir -p tests/mutants tests/io src/io include examples coursework
    cp "$TOP/tests/mutants/run" "$TOP/tests/mutants/mutate.c" tests/mutants/
    # compiled once
    mkdir -p build/mutants
    [ -f "$all/mutate" ] || $CC -std=c11 -D_POSIX_C_SOURCE=200809L tests/mutants/mutate.c -o "$all/mutate"
    cp "$all/mutate" build/mutants/
    : >tests/mutants/explained
    put src/io/digit.c <<'END'
#include <stdbool.h>
bool digit(int x) {
    if (x < 0 || x > 9) return false;
    return true;
}
END
    put tests/io/test_digit.c <<'END'
_Bool digit(int x);
int main(void) { return !(digit(0) && digit(9) && !digit(-1)); }
END
    put Makefile <<'END'
build/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) -MMD -MP -c $< -o $@
build/libtapeloom.a: build/obj/src/io/digit.o
	$(AR) rcs $@ $^
build/tests/io/test_digit: build/obj/tests/io/test_digit.o build/libtapeloom.a
	@mkdir -p $(@D)
	$(CC) $^ -o $@ -lm
test: build/tests/io/test_digit
	@BUILD=build CC='$(CC)' tests/run-all build/tests/io/test_digit
END
}
mutants="tests/mutants/run --quiet"

survivors_are_found_and_explained() {
    fails 1 "$mutants"
    contains "src/io/digit.c:3: digit:number:2 survived" "digit:part:1 survived" \
        "    if (x < 0 || x > 9) return false;  =>  if (x < 0) return false;" "A test should have seen these"
    runs "$mutants --report"
    contains "loaders                           7        5        0          0         2         0         0"
    # what was tried is not tried again; but it is not forgotten
    fails 1 "$mutants"
    runs "$mutants --survivors"
    is "src/io/digit.c digit:part:1  if (x < 0 || x > 9) return false;  =>  if (x < 0) return false;
src/io/digit.c digit:number:2  if (x < 0 || x > 9) return false;  =>  if (x < 0 || x > 10) return false;"
    (echo "# nobody asks for more than 9" && $mutants --survivors) >all && cp all tests/mutants/explained
    runs "$mutants"
    contains "loaders                           7        5        0          2         0         0         0"
    runs "$mutants --explained"
    is "2 explained mutants survive, as they should"
    # a better test kills them
    echo 'int main(void) { return !(digit(0) && digit(9) && !digit(-1) && !digit(10)); }' >main
    sed -i '$d' tests/io/test_digit.c && cat main >>tests/io/test_digit.c
    fails 1 "$mutants --explained"
    contains "explained, but not a survivor" "src/io/digit.c digit:part:1: killed io/test_digit"
    : >tests/mutants/explained
    runs "$mutants --again"
    contains "all                               7        7        0          0         0         0         0"
}

# An endless loop is stopped by the processor time that it takes.
loops_are_stopped() {
    put src/io/digit.c <<'END'
#include <stdbool.h>
#include <stddef.h>
bool digit(int x) {
    for (volatile int k = 9; k >= 0; k--)
        if (k - x == 0) return true;
    if (x < 0) return false;
    return false;
}
END
    sed -i 's/src\/io\/\*\.c/src\/io\/none.c/; s/^verdicts|float|study|\$every|\.|.*/verdicts|float|io|bound,set|.|src\/io\/digit.c/' tests/mutants/run
    sed -i 's/int(5 + 4 \* cpu)/1/' tests/mutants/run
    sed -i 's/k--)/k -= 1)/' src/io/digit.c
    sed -i 's/digit(9) \&\& //' tests/io/test_digit.c
    fails 1 "$mutants"
    contains "    set                           1        0        1          0         0         0         0"
}

a_sample() {
    fails 1 "$mutants --sample 7"
    contains "7 mutants: 5 killed, 0 stopped, 2 survived; 0 more that the compiler refused"
    run "$mutants --sample 3 --seed 5 --jobs 1"
    contains "3 mutants: "
    # of nothing but the files that are settled
    echo "src/io/digit.c" >tests/mutants/settled
    fails 1 "$mutants --settled --sample 2"
    contains "2 mutants: "
    echo "src/io/none.c" >tests/mutants/settled
    fails 2 "$mutants --settled --sample 2"
    contains "no mutants are made of this file"
    runs "$mutants --list"
    check [ "$(echo "$said" | grep -c '^loaders	src/io/digit.c	digit:')" = 7 ]
}

explanations_out_of_date() {
    echo "src/io/digit.c digit:part:1  if (x < 0 || x > 9) return false;  =>  if (x < 0) return false;" >tests/mutants/explained
    fails 1 "$mutants"
    contains "tests/mutants/explained:1: src/io/digit.c digit:part:1 has no reason" "out of date"
    sed -i '1i # a reason' tests/mutants/explained
    sed -i 's/return false/return !!0/' src/io/digit.c # elsewhere: no longer a refusal
    fails 1 "$mutants"
    contains "tests/mutants/explained:2: src/io/digit.c digit:part:1: there is no such mutant any more"
    sed -i 's/return !!0/return false/; s/> 9/> 99/' src/io/digit.c
    fails 1 "$mutants"
    contains "digit:part:1 is now another mutant:${nl}    if (x < 0 || x > 99)"
}

wrong_words() {
    runs "$mutants --help"
    begins "make mutants [MUTANTS="
    for words in "--what" "--sample" "--sample none" "--jobs 0" "--area nowhere" "--only src/io/none.c"; do
        fails 2 "$mutants $words"
        contains "make mutants: "
    done
    contains "no mutants are made of this file; --list shows those that are"
    fails 2 "$mutants --area nowhere"
    contains "there is no area nowhere: they are backward loaders verdicts marker edges"
    sed -i 's/^test: /test: nothing-to-make-it-of /' Makefile
    fails 2 "$mutants"
    contains "make mutants: make -n test failed; make test says why"
}

# what changes, of each mutant of these functions
rules() {
    cat >x.c
    run "build/mutants/mutate $1 x.c | cut -f3 | sed 's/.*  =>  //'"
}
each_rule() {
    rules "--rules operator,term,set" <<'END'
void f(double *y, double a, double b, bool add) {
    y[0] += a * b - -a;
    put(y, add);
}
END
    is "y[0] -= a * b - -a;
y[0] = a * b - -a;
y[0] += a / b - -a;
y[0] += a - -a;
y[0] += b - -a;
y[0] += a * b + -a;
y[0] += a * b;
y[0] += - -a;
y[0] += a * b - a;
put(y, (add && 0));
put(y, (add || 1));"
    rules "--rules operand,number,bound,equal,not,check" <<'END'
int g(const int *x, long n) {
    long room[3] = {0};
    for (long i = 1; i < n; i++)
        if (!x[i] == 7) return h(x, n);
    return (int)room[0];
}
END
    is "for (long i = 2; i < n; i++)
for (long i = 0; i < n; i++)
for (long i = 1; i <= n; i++)
if ((!x[i] == 7) && 0) return h(x, n);
if (x[i] == 7) return h(x, n);
if (!x[i] != 7) return h(x, n);
if (!x[i] == 8) return h(x, n);
if (!x[i] == 7) return h(n, x);
return (int)room[1];"
    rules "--rules part,choose,bool,statement" <<'END'
bool k(int a, int b) {
    note(a);
    return a > 0 && b ? true : a;
}
END
    is "(void)0;
return a > 0 ? true : a;
return b ? true : a;
return !(a > 0 && b) ? true : a;
return a > 0 && b ? false : a;"
}

# Rules for refusals and for conditions; derivatives in lists of formulas; functions by name, and what they call.
parts_of_files() {
    rules "--rules check!,bound@" <<'END'
bool f(int n) {
    if (n < 1) n++;
    if (n < 2) return false;
    return n < 3;
}
END
    is "if (n <= 1) n++;
if ((n < 2) && 0) return false;
if (n <= 2) return false;"
    rules "--rules operator" <<'END'
MAP1(sqrt, x * x, dy / y)
MAP2_GRAD(mul_grad, dy * a)
END
    is "MAP1(sqrt, x * x, dy * y)
MAP2_GRAD(mul_grad, dy / a)"
    rules "--rules operator --functions backward" <<'END'
static int half(int x) {
    return x / 2;
}
static int forward(int x) { return x * 2; }
static int backward(int x) { return half(x); }
END
    is "return x * 2;"
}

run_cases "mutants" survivors_are_found_and_explained loops_are_stopped a_sample explanations_out_of_date wrong_words each_rule parts_of_files
