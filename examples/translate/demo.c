/* translate demo: from nothing to a model that translates sentences whose words it has never seen together, in a minute or
 * two: trains on the grammar's sentences, scores, shows five translations and where the decoder looked. */
#include "training.h"

#include <stdlib.h>
#include <string.h>

static bool show(run *r, tl_corpus *raw, tl_corpus *cut) {
    quality q;
    translations t = {0};
    char text[TL_BLEU_TEXT];
    tl_progress progress = progress_of(&r->settings, "translating");
    if (!evaluate_corpus(r, raw, cut, r->settings.beam, &q, &t, &progress, NULL)) return false;
    printf("\nOn %ld held-out sentences, which combine words in ways that training never did:\n%s\n%ld of "
           "them are right to "
           "the last word (%.1f %%).\n\n",
           t.count, tl_bleu_text(&q.bleu, text), q.exact, 100.0 * (double)q.exact / (double)t.count);
    show_samples(raw, &t, 5);
    translations_free(&t);
    const char *sentence = tl_corpus_sentence(raw, TL_SOURCE, 0);
    printf("\nWhere the decoder's last layer looked (mean of its heads) for: %s\n\n", sentence);
    return draw_attention(r, sentence, stdout);
}

static int show_results(settings *s) {
    run r = {.settings = *s};
    tl_corpus *raw = NULL, *cut = NULL;
    if (run_load(&r, s->out) && (raw = data_part_of(&r.settings, DATA_TEST, 0, &r.error)))
        cut = text_encode(&r, raw);
    bool ok = cut && show(&r, raw, cut);
    int status = ok ? 0 : fail_with(r.error.message);
    tl_corpus_free(cut);
    tl_corpus_free(raw);
    run_free(&r);
    return status;
}

static bool has_curves(const char *dir) {
    char path[PATH_SIZE];
    FILE *there = fopen(run_path(path, dir, "curves.svg"), "rb");
    if (there) fclose(there);
    return there != NULL;
}

int command_demo(settings *s) {
    printf("A small encoder-decoder Transformer learns to translate from %s, on sentences that a grammar "
           "makes.\n",
           !strcmp(s->pair, "en-zh") ? "English to Chinese" : "English to French");
    char program[WORD_SIZE], run[WORD_SIZE];
    int status = run_training("demo", s);
    shell_word(program, s->program), shell_word(run, s->out);
    if (!status) status = show_results(s);
    if (!status)
        printf("\nThe run is in %s: model.safetensors, log.csv%s.\n"
               "Try it:    echo 'the small cats do not sleep .' | %s translate --model %s\n"
               "Look:      echo 'the small cats do not sleep .' | %s attention --model %s --layer 1\n"
               "The other: %s demo --pair %s --out runs/other\n"
               "Your own:  %s train --train pairs.tsv --valid valid.tsv --out runs/mine\n",
               s->out, has_curves(s->out) ? ", curves.svg" : "", program, run, program, run, program,
               !strcmp(s->pair, "en-zh") ? "en-fr" : "en-zh", program);
    return status;
}
