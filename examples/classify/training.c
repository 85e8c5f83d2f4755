/* Messages before, during and after training. */
#include "program.h"

#include <string.h>

/* Checks what the command line must say before anything is read. */
bool may_train(settings *s, tl_error *error) {
    const tl_data_settings *d = &s->common.run.data;
    if (d->task && (d->train || d->valid))
        return tl_error_set(error, "--made makes its own sentences: leave out --train and --valid");
    if (!d->task && !d->train)
        return tl_error_set(
            error, "give --train FILE and --valid FILE, or --made agreement, number, order or subject");
    if (!d->task && !d->valid) return tl_error_set(error, "give --valid FILE");
    return tl_run_settings_complete(&s->common.run, error);
}

void print_size(const tl_run *run) {
    printf("%ld labels, vocabulary %ld; ", tl_labels_count(tl_run_labels(run)),
           tl_vocab_size(tl_run_vocab(run, TL_SOURCE)));
}

void print_quality(const tl_quality *q) {
    printf("accuracy %.2f %% (%ld of %ld)", q->score, q->exact, q->sentences);
}

/* Prints commands to type next, with texts that exist. */
void say_next(settings *s, tl_run *run) {
    const tl_data_settings *d = &tl_run_settings_of(run)->data;
    char program[WORD_SIZE], word[WORD_SIZE];
    tl_shell_word(s->common.program, program, sizeof program);
    printf("Go on:\n  ");
    if (d->task)
        printf("echo 'the cats that she sees are happy .' | ");
    else
        printf("cut -f 2 %s | ", tl_shell_word(d->valid, word, sizeof word));
    printf("%s predict", program);
    print_option("model", tl_run_dir(run));
    printf("\n  %s evaluate", program);
    print_option("model", tl_run_dir(run));
    if (!d->task) print_option("test", d->valid);
    printf("\n");
}
