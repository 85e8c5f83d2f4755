/* lm demo: from nothing to a model that writes sentences of a grammar that it only knows by examples, in half a
 * minute. */
#include "program.h"

#include <math.h>

static int show_results(const settings *given) {
    tl_error none = {""};
    settings s = *given; /* the run puts texts of its own into it, valid until the run is freed */
    s.common.model = s.common.out;
    s.samples = 8;
    tl_run *run = open_run(&s);
    if (!run) return 1;
    printf("\nIt writes:\n");
    fflush(stdout);
    write_samples(&s, run);
    const int status = status_of(run, &none);
    tl_run_free(run);
    return status;
}

int command_demo(settings *s) {
    common *c = &s->common;
    char program[WORD_SIZE], run[WORD_SIZE];
    printf("A small decoder-only Transformer learns to write sentences such as a grammar makes, word by "
           "word.\n");
    int status = run_demo(s);
    if (!status) status = show_results(s);
    if (!status) {
        tl_shell_word(c->program, program, sizeof program), tl_shell_word(c->out, run, sizeof run);
        print_name("\nThe run is in ", c->out, "");
        printf(".\nTry it:    %s sample --model %s --samples 5 --temperature 0.8\n"
               "Measure:   %s evaluate --model %s\n"
               "Your text: %s train --train FILE --out runs/mine\n",
               program, run, program, run, program);
    }
    return status;
}
