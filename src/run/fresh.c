/* Training sentences cut by chance, anew each epoch (--bpe-dropout). Chance follows from (seed, epoch, sentence,
 * side) and nothing else: neither threads, nor batches, nor where a run was interrupted change it. */
#include "run.h"

#include <stdlib.h>
#include <string.h>

typedef struct chance {
    tl_rng_key key;
    uint64_t drawn;
} chance;

static double draw(void *context) {
    chance *c = context;
    return tl_rng_uniform(c->key, c->drawn++);
}

static long count_tokens(const char *text) {
    long count = 0;
    size_t size;
    for (const char *end = text + strlen(text), *token;
         (token = tl_text_token(text, (size_t)(end - text), &size)); text = token + size)
        count++;
    return count;
}

/* One side of a sentence; NULL, and the run's error, when out of memory. */
static char *cut_side(tl_run *run, tl_side side, const tl_corpus *lines, long sentence, tl_rng_key key) {
    chance c = {.key = tl_rng_key_mix(tl_rng_key_mix(key, (uint64_t)sentence), (uint64_t)side)};
    return tl_run_cut_by_chance(run, side, tl_corpus_sentence(lines, side, sentence),
                                &(tl_bpe_dropout){run->settings.text.bpe_dropout, draw, &c});
}

tl_corpus *tl_run_cut_for_epoch(tl_run *run, const tl_corpus *lines, const tl_corpus *plain, long epoch,
                                long most) {
    const tl_rng_key key =
        tl_rng_key_mix(tl_rng_key_of((uint64_t)run->settings.training.seed, "bpe dropout"), (uint64_t)epoch);
    tl_corpus *fresh = tl_corpus_new();
    for (long i = 0; i < tl_corpus_size(lines) && !tl_failed(&run->error); i++) {
        const char *text[2];
        char *cut[2] = {NULL, NULL};
        for (int side = TL_SOURCE; side <= TL_TARGET; side++) {
            if (tl_run_has_pairs(run, side)) cut[side] = cut_side(run, side, lines, i, key);
            const bool takes = cut[side] && count_tokens(cut[side]) <= most;
            text[side] = takes ? cut[side] : tl_corpus_sentence(plain, side, i);
        }
        tl_corpus_add(fresh, text[TL_SOURCE], text[TL_TARGET]);
        free(cut[TL_SOURCE]);
        free(cut[TL_TARGET]);
    }
    if (!tl_failed(&run->error) && !tl_corpus_encode(fresh, run->vocab[TL_SOURCE], run->vocab[TL_TARGET]))
        tl_error_set(&run->error, "%s", tl_corpus_error(fresh));
    if (!tl_failed(&run->error)) return fresh;
    tl_corpus_free(fresh);
    return NULL;
}
