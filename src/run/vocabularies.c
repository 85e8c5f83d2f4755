/* A translator's text in its folder: merges, and a vocabulary for each side. */
#include "programs.h"
#include "translation.h"

#include <string.h>

bool tl_translate_save_text(tl_run *run) {
    return tl_run_save_codes(run) && tl_run_save_vocab(run, run->vocab[TL_SOURCE], "vocab.src.txt") &&
           tl_run_save_vocab(run, run->vocab[TL_TARGET], "vocab.tgt.txt");
}

/* Two sides with the same words, as with `joint`, share one vocabulary. */
static void load_vocabs(tl_run *run) {
    tl_run_file source = {.size = 0}, target = {.size = 0};
    if (tl_run_read_file(run, "vocab.src.txt", &source) && tl_run_read_file(run, "vocab.tgt.txt", &target)) {
        const bool same = source.size == target.size && !memcmp(source.bytes, target.bytes, source.size);
        run->vocab[TL_SOURCE] = tl_run_parse_vocab(run, &source);
        run->vocab[TL_TARGET] = same ? run->vocab[TL_SOURCE] : tl_run_parse_vocab(run, &target);
    }
    tl_run_free_file(&source);
    tl_run_free_file(&target);
}

bool tl_translate_load_text(tl_run *run) {
    const tl_text_settings *s = &run->settings.text;
    if (!strcmp(s->src_units, "bpe") || !strcmp(s->tgt_units, "bpe")) tl_run_load_codes(run);
    if (!tl_failed(&run->error)) load_vocabs(run);
    return !tl_failed(&run->error) && tl_run_know_pieces(run);
}
