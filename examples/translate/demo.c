/* translate demo: from nothing to a model that translates new combinations of known words, in a minute or two. It
 * trains on the grammar's sentences, scores, and shows five translations and where the decoder attended. */
#include "program.h"

#include <stdlib.h>
#include <string.h>

static bool show(const settings *s, tl_run *run, tl_corpus *raw, tl_error *error) {
    tl_quality q;
    tl_translations t = {0};
    char text[TL_BLEU_TEXT];
    tl_translate_options options = translate_options_of(s);
    if (!tl_run_evaluate(run, raw, "held-out sentences", &options, &q, &t)) return false;
    printf("\nOn %ld held-out sentences, which combine words in ways that training never did:\n%s\n%ld of "
           "them are right to "
           "the last word (%.1f %%).\n\n",
           t.count, tl_bleu_text(&q.bleu, text), q.exact, 100.0 * (double)q.exact / (double)t.count);
    show_samples(raw, &t, 5);
    tl_translations_free(&t);
    const char *sentence = tl_corpus_sentence(raw, TL_SOURCE, 0);
    printf("\nWhere the decoder's last layer looked (mean of its heads) for: %s\n\n", sentence);
    return draw_attention(run, sentence, 0, 0, error);
}

static int show_results(const settings *given) {
    tl_error error = {""};
    listener l;
    settings s = *given; /* the run puts texts of its own into it, valid until the run is freed */
    s.common.model = s.common.out;
    tl_run *run = open_run(&s);
    if (!run) return 1;
    listen_to(&l, &s, run);
    tl_corpus *raw = tl_pairs_of(&s.common.run, TL_PART_TEST, &l.events, &error);
    if (raw) show(&s, run, raw, &error);
    int status = status_of(run, &error);
    tl_corpus_free(raw);
    tl_run_free(run);
    return status;
}

int command_demo(settings *s) {
    printf("A small encoder-decoder Transformer learns to translate from %s, on sentences that a grammar "
           "makes.\n",
           !strcmp(s->common.run.data.pair, "en-zh") ? "English to Chinese" : "English to French");
    char program[WORD_SIZE], run[WORD_SIZE], curves[PATH_SIZE];
    int status = run_demo(s);
    tl_shell_word(s->common.program, program, sizeof program), tl_shell_word(s->common.out, run, sizeof run);
    if (!status) status = show_results(s);
    if (!status) {
        print_name("\nThe run is in ", s->common.out, "");
        printf(": model.safetensors, log.csv%s.\n"
               "Try it:    echo 'the small cats do not sleep .' | %s translate --model %s\n"
               "Look:      echo 'the small cats do not sleep .' | %s attention --model %s --layer 1\n"
               "The other: %s demo --pair %s --out runs/other\n"
               "Files:     %s corpus --out runs/corpus && %s train --train runs/corpus/train.tsv --valid "
               "runs/corpus/valid.tsv --out runs/mine\n",
               tl_file_is_there(path_in(curves, s->common.out, "curves.svg")) ? ", curves.svg" : "", program,
               run, program, run, program, !strcmp(s->common.run.data.pair, "en-zh") ? "en-fr" : "en-zh",
               program, program);
    }
    return status;
}
