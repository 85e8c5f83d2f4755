/* Messages before, during and after training. */
#include "program.h"

#include <math.h>

/* Checks what the command line must say before anything is read. */
bool may_train(settings *s, tl_error *error) {
    const tl_data_settings *d = &s->common.run.data;
    bool files = d->train || d->train_src || d->train_tgt, made = d->pair || d->task;
    if (d->pair && d->task) return tl_error_set(error, "--pair and --task: give one of them");
    if (made && (files || d->valid || d->valid_src || d->valid_tgt))
        return tl_error_set(error, "--%s makes its own sentences: leave out --train and --valid",
                            d->pair ? "pair" : "task");
    if (!made && !files)
        return tl_error_set(error,
                            "give --train FILE and --valid FILE (or --train-src, --train-tgt, --valid-src, "
                            "--valid-tgt), or --pair en-fr, or --task reverse");
    if (!made && (d->train ? d->train_src || d->train_tgt : !d->train_src || !d->train_tgt))
        return tl_error_set(error, "give --train FILE, or --train-src FILE and --train-tgt FILE");
    if (!made && (d->valid ? d->valid_src || d->valid_tgt : !d->valid_src || !d->valid_tgt))
        return tl_error_set(error, "give --valid FILE, or --valid-src FILE and --valid-tgt FILE");
    return tl_run_settings_complete(&s->common.run, error);
}

/* ---- while it trains ---- */

void caution_of(tl_run *run) {
    if (tl_run_settings_of(run)->model.no_causal)
        fputs("translate: caution: the decoder of this run sees the words to come, which it is to foretell "
              "(--no-causal, for "
              "study): its loss and accuracy say nothing of how it translates, and while it does it sees "
              "what is "
              "written so far, computed anew for each word.\n",
              stderr);
}

void print_size(const tl_run *run) {
    printf("vocabularies %ld and %ld; ", tl_vocab_size(tl_run_vocab(run, TL_SOURCE)),
           tl_vocab_size(tl_run_vocab(run, TL_TARGET)));
}

void print_quality(const tl_quality *q) {
    printf("perplexity %.2f, accuracy %.1f %%, BLEU %.2f, exact %ld/%ld", exp(q->loss), 100 * q->accuracy,
           q->bleu.score, q->exact, q->sentences);
}

/* The model predicts the next word well after true words but not after its own. More training will hardly change
 * that. */
static void warn_of_gap(listener *l, const tl_quality *q) {
    bool gap = q->accuracy > 0.7 && q->bleu.score < 1 && q->bleu.total[3] > 0;
    if (gap && !l->warned)
        fprintf(stderr,
                "translate: warning: given the true words before, %.0f %% of the next words are right, but "
                "BLEU of the "
                "translations is %.2f. Targets that foretell themselves, or sides that do not belong "
                "together, look like "
                "this: see whether the lines of source and target match.\n",
                100 * q->accuracy, q->bleu.score);
    l->warned = gap;
}

void show_validated(listener *l, const tl_validation *v) {
    show_samples(l->valid, v->translations, common_of(l->settings)->run.validation.samples);
    fflush(stdout);
    warn_of_gap(l, v->quality);
}

/* ---- afterwards ---- */

/* Prints commands to type next, with sentences that exist. */
void say_next(settings *s, tl_run *run) {
    const tl_data_settings *d = &tl_run_settings_of(run)->data;
    const char *dir = tl_run_dir(run);
    char program[WORD_SIZE], word[WORD_SIZE];
    tl_shell_word(s->common.program, program, sizeof program);
    printf("Go on:\n  ");
    if (d->pair || d->task)
        printf("echo '%s' | ", d->pair ? "the small cats do not sleep ." : "1 1 1");
    else if (d->valid)
        printf("cut -f 1 < %s | ", tl_shell_word(d->valid, word, sizeof word));
    printf("%s translate", program);
    print_option("model", dir);
    if (d->valid_src) printf(" < %s", tl_shell_word(d->valid_src, word, sizeof word));
    printf("\n  %s evaluate", program);
    print_option("model", dir);
    if (d->valid) print_option("test", d->valid);
    if (d->valid_src) print_option("test-src", d->valid_src), print_option("test-tgt", d->valid_tgt);
    printf("\n");
}
