/* classify evaluate: loss and accuracy on labelled texts, and each label's scores. For sentences made here no file
 * is needed: their test set is made here too. */
#include "program.h"

static bool evaluate(settings *s, tl_run *run, const char *what, tl_corpus *labelled) {
    tl_quality q;
    tl_confusion confusion;
    if (!tl_run_evaluate_labels(run, labelled, what, s->batch_tokens, &q, &confusion)) return false;
    print_name("", what, "");
    printf(": %ld texts in %.1f s: loss %.3f, ", q.sentences, q.seconds, q.loss);
    print_quality(&q);
    printf("\n\n");
    print_confusion(tl_run_labels(run), &confusion);
    tl_confusion_free(&confusion);
    return true;
}

int command_evaluate(settings *s) {
    tl_error error = {""};
    listener l;
    tl_run *run = open_run(s);
    if (!run) return 1;
    if (!s->test && !s->common.run.data.task)
        return tl_run_free(run), usage_with("evaluate", "give --test FILE");
    listen_to(&l, s, run);
    tl_corpus *labelled = s->test ? tl_labelled_read(s->test, s->common.run.data.strict, &l.events, &error)
                                  : tl_labelled_of(&s->common.run, TL_LABELLED_TEST, &l.events, &error);
    if (all_well(run, labelled != NULL, &error))
        evaluate(s, run, s->test ? s->test : "unseen sentences", labelled);
    const int status = status_of(run, &error);
    tl_corpus_free(labelled);
    tl_run_free(run);
    return status;
}
