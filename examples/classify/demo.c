/* classify demo: few labelled sentences, many without labels. A Transformer learns words from the many, then labels
 * from the few, and shows what it says of new sentences. */
#include "program.h"

#include <stdlib.h>
#include <string.h>

void print_examples(const tl_run *run, const tl_corpus *labelled, const tl_classes *classes, long count) {
    const tl_labels *labels = tl_run_labels(run);
    for (long i = 0; i < count && i < classes->count; i++) {
        const long said = classes->said[i];
        if (said < 0) continue;
        printf("  %-9s %.4f  %s", tl_labels_name(labels, said), classes->p[i * classes->classes + said],
               strcmp(tl_labels_name(labels, said), tl_corpus_sentence(labelled, TL_TARGET, i))
                   ? "mistaken  "
                   : "          ");
        print_line("", tl_corpus_sentence(labelled, TL_SOURCE, i), "\n");
    }
}

static void show(settings *s, tl_run *run, tl_corpus *labelled) {
    tl_quality q;
    tl_confusion confusion;
    tl_classes classes;
    if (!tl_run_evaluate_labels(run, labelled, "unseen sentences", s->batch_tokens, &q, &confusion)) return;
    printf("\nOn %ld sentences that it has never seen, with labels or without: ", q.sentences);
    print_quality(&q);
    printf("\n\n");
    print_confusion(tl_run_labels(run), &confusion);
    tl_confusion_free(&confusion);
    tl_run_tell(run, NULL); /* its warnings have been printed already */
    if (!tl_run_classify(run, labelled, s->batch_tokens, &classes)) return;
    printf("\n");
    print_examples(run, labelled, &classes, 10);
    tl_classes_free(&classes);
}

static int show_results(const settings *given) {
    tl_error error = {""};
    listener l;
    settings s = *given; /* the run puts texts of its own into it, valid until the run is freed */
    s.common.model = s.common.out;
    tl_run *run = open_run(&s);
    if (!run) return 1;
    listen_to(&l, &s, run);
    tl_corpus *labelled = tl_labelled_of(&s.common.run, TL_LABELLED_TEST, &l.events, &error);
    if (labelled) show(&s, run, labelled);
    const int status = status_of(run, &error);
    tl_corpus_free(labelled);
    tl_run_free(run);
    return status;
}

int command_demo(settings *s) {
    char program[WORD_SIZE], run[WORD_SIZE];
    if (!s->common.run.classify.pretrain) s->common.run.classify.unlabelled = 0;
    printf("A small Transformer learns from %ld labelled sentences (%s)", s->common.run.data.sentences,
           s->common.run.data.task);
    if (s->common.run.classify.pretrain)
        printf(", after %ld updates on masked words of %ld more without labels",
               s->common.run.classify.pretrain, s->common.run.classify.unlabelled);
    printf(".\n");
    int status = run_demo(s);
    if (!status) status = show_results(s);
    if (status) return status;
    tl_shell_word(s->common.program, program, sizeof program), tl_shell_word(s->common.out, run, sizeof run);
    print_name("\nThe run is in ", s->common.out, "");
    printf(".\n"
           "Try it:    echo 'the girls who see the dog likes it .' | %s predict --model %s --probabilities\n"
           "Without:   %s demo --pretrain 0 --out runs/labels-alone\n"
           "Files:     %s corpus --out runs/labelled && %s train --train runs/labelled/train.tsv --valid "
           "runs/labelled/valid.tsv --out runs/mine\n",
           program, run, program, program, program);
    return 0;
}
