/* Messages of several commands. */
#include "program.h"

void print_subject(const char *what, const settings *s) {
    printf("%s", what);
    if (s->pair) {
        print_name("an untrained translator, ", s->pair, "\n");
        return;
    }
    print_name("", s->common.model, "");
    printf(" (%s weights)\n", s->common.weights);
}

void bar_begin(bar *b, const settings *s, const char *label, const char *unit) {
    *b = (bar){.progress = {.out = s->common.quiet ? NULL : stderr,
                            .label = label,
                            .unit = unit,
                            .no_loss = true,
                            .after = 2}};
}

/* The library counts from 0 again in a second pass. */
bool bar_step(void *context, long done, long all) {
    bar *b = context;
    if (all != b->all || done < b->done) {
        bar_end(b);
        b->progress.total = b->all = all;
        tl_progress_start(&b->progress);
    }
    b->done = done;
    tl_progress_update(&b->progress, done, 0, 0);
    return true;
}

void bar_end(bar *b) {
    if (b->all) tl_progress_finish(&b->progress);
    b->progress.started = false;
    b->all = b->done = 0;
}
