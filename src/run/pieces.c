/* A side's merges, and the pieces that they may produce: with --bpe-vocabulary-threshold only those of the side's
 * vocabulary. */
#include "run.h"

#include "base/buffer.h"

#include <stdlib.h>
#include <string.h>

bool tl_run_has_pairs(const tl_run *run, tl_side side) {
    const char *units = tl_units_of(&run->settings, side);
    return units && !strcmp(units, "bpe");
}

tl_bpe *tl_run_bpe_of(const tl_run *run, tl_side side) {
    return side == TL_TARGET && run->target_bpe ? run->target_bpe : run->bpe;
}

static tl_bpe *copy_of(const tl_bpe *bpe) {
    size_t size;
    char *text = tl_bpe_text(bpe, &size);
    tl_bpe *copy = text ? tl_bpe_parse("codes", text, size) : NULL;
    free(text);
    return copy;
}

/* Gives the merges all tokens of a vocabulary as pieces that are frequent enough. */
static bool mark_frequent(tl_run *run, tl_bpe *bpe, const tl_vocab *vocab) {
    tl_buffer list = {0};
    for (int id = TL_SPECIALS; id < tl_vocab_size(vocab); id++)
        tl_buffer_format(&list, "%s 1\n", tl_vocab_token(vocab, id));
    const bool whole = list.text && !list.failed;
    if (whole) tl_bpe_set_vocabulary(bpe, "the vocabulary", list.text, list.size, 1);
    tl_buffer_free(&list);
    if (whole && tl_bpe_error(bpe)) tl_error_set(&run->error, "%s", tl_bpe_error(bpe));
    return whole || tl_error_set(&run->error, "out of memory for the pieces of a vocabulary");
}

bool tl_run_know_pieces(tl_run *run) {
    const bool both = tl_run_has_pairs(run, TL_SOURCE) && tl_run_has_pairs(run, TL_TARGET);
    if (!run->settings.text.bpe_vocabulary_threshold || !run->bpe) return true;
    if (both && run->vocab[TL_SOURCE] != run->vocab[TL_TARGET] && !run->target_bpe &&
        !(run->target_bpe = copy_of(run->bpe)))
        return tl_error_set(&run->error, "out of memory for the target's merges");
    for (int side = TL_SOURCE; side <= TL_TARGET; side++)
        if (tl_run_has_pairs(run, side) && !mark_frequent(run, tl_run_bpe_of(run, side), run->vocab[side]))
            return false;
    return !tl_failed(&run->error);
}
