/* A tree in which the bench's scripts run, made anew for each test: programs, Python and PyTorch are played by a shell
 * script that writes down what it is asked, in $D/asked, and says what the test wants. */
#ifndef TL_TESTS_STAGE_H
#define TL_TESTS_STAGE_H

#include "build/tree.h"

/* $D/ms.NAME: its answers one after the other, in milliseconds; without it, always 10. */
static const char player[] =
    "#!/bin/sh\n"
    "name=${0##*/}\n"
    "answer() {\n"
    "    echo \"$name $*${TL_TORCH_COMPILE:+, compiling}\" >>$D/asked\n"
    "    ms=10; [ ! -f $D/ms.$name ] || { ms=$(head -n 1 $D/ms.$name); sed -i 1d $D/ms.$name; }\n"
    "    ms=${ms:-10}\n"
    "    [ \"$ms\" != dies ] || exit 1\n"
    "    case \" $MISSING \" in\n"
    "    *\" $1 \"*) echo '{\"error\": \"not installed\"}' ;;\n"
    "    *) echo \"{\\\"ms_median\\\": $ms, \\\"gflop\\\": 2.0, \\\"gflops\\\": 400, \\\"tokens\\\": 100, "
    "\\\"rss_mb\\\": 7, \\\"compiler\\\": \\\"cc 1\\\", \\\"build\\\": \\\"played\\\"}\" ;;\n"
    "    esac\n"
    "}\n"
    "case $* in\n"
    "*'import torch'*) [ -z \"$NO_TORCH\" ] && echo 9.9 ;;\n"
    "*torch_compile.py*) printf %s \"$NO_COMPILER\" ;;\n"
    "*torch_curve.py*) [ -n \"$NO_TORCH\" ] && { echo \"No module named 'torch'\" >&2; exit 1; }\n"
    "    printf '1 5.0\\n2 4.0\\n3 2.0\\n' ;;\n"
    "*--serve) while read -r line; do answer $line; done ;;\n"
    "*file=*) echo \"$*\" >>$D/asked; printf '1 5.0\\n2 4.4\\n3 2.1\\n' ;;\n"
    "*) answer \"$@\" ;;\n"
    "esac\n";

static inline void set_the_stage(void) {
    enter_tree();
    sh("cp -r $TOP/bench . && rm -rf bench/history && mkdir -p b/bench && cp \"$(cd $TOP && cd $OUTER && "
       "pwd)/bench/turns\" "
       "b/bench/turns");
    put_program("b/bench/player", player);
    sh("for name in peak step decode products peers lengths gpt generate mlp curve recurrent; do ln -s "
       "player b/bench/$name; "
       "done; "
       "ln -s bench/player b/python");
    setenv("BUILD", "b", 1);
    setenv("PYTHON", "b/python", 1);
    setenv("OMP_NUM_THREADS", "2", 1);
    unsetenv("NO_TORCH"), unsetenv("MISSING"), unsetenv("NO_COMPILER"), unsetenv("TL_TORCH_COMPILE");
}
static inline void clear_the_stage(void) { leave_tree(); }

#endif
