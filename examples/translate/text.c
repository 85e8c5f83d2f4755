/* Between sentences as people write them and tokens with numbers:
 *
 *     line ──pre-tokens──▶ words ──byte pairs──▶ subwords ──vocabulary──▶ ids        (text_cut, text_encode)
 *     line ◀──join──────── words ◀──join──────── subwords                            (text_join)
 *
 * Characters take the place of both steps. Each side of a run has ways of its own; byte pairs are learnt over all sides
 * that consist of them, together. */
#include "run.h"

#include <stdlib.h>
#include <string.h>

static tl_pretokens pretokens_of(const settings *s, tl_side side) {
    if (!strcmp(units_of(s, side), "chars")) return TL_PRETOKENS_CHARACTERS;
    return !strcmp(pretokenize_of(s, side), "words") ? TL_PRETOKENS_WORDS : TL_PRETOKENS_NONE;
}

static bool has_pairs(const settings *s, tl_side side) { return !strcmp(units_of(s, side), "bpe"); }

static char *or_failure(run *r, char *text) {
    if (!text) tl_error_set(&r->error, "out of memory for a sentence");
    return text;
}

char *text_cut(run *r, tl_side side, const char *line) {
    char *words = tl_pretokens_cut(pretokens_of(&r->settings, side), line);
    if (!words || !has_pairs(&r->settings, side)) return or_failure(r, words);
    char *subwords = tl_bpe_apply(r->bpe, words);
    free(words);
    return or_failure(r, subwords);
}

char *text_join(run *r, tl_side side, const char *tokens) {
    tl_pretokens kind = pretokens_of(&r->settings, side);
    if (!has_pairs(&r->settings, side)) return or_failure(r, tl_pretokens_join(kind, tokens));
    char *words = tl_bpe_join(tokens), *line = words ? tl_pretokens_join(kind, words) : NULL;
    free(words);
    return or_failure(r, line);
}

/* ---- learning merges ---- */

static void show_merge(void *context, long merge) { tl_progress_update(context, merge, 0, 0); }

static bool count_words(run *r, const tl_corpus *corpus, tl_bpe_words *words) {
    bool ok = true;
    for (int side = TL_SOURCE; side <= TL_TARGET; side++)
        for (long i = 0; ok && has_pairs(&r->settings, side) && i < tl_corpus_size(corpus); i++) {
            char *line =
                tl_pretokens_cut(pretokens_of(&r->settings, side), tl_corpus_sentence(corpus, side, i));
            ok = line && tl_bpe_words_add(words, line);
            free(line);
        }
    return ok || tl_error_set(&r->error, "out of memory for the words to learn merges from");
}

bool text_learn(run *r, const tl_corpus *corpus) {
    const settings *s = &r->settings;
    if (!has_pairs(s, TL_SOURCE) && !has_pairs(s, TL_TARGET)) return true;
    tl_bpe_words *words = tl_bpe_words_new();
    tl_progress progress = progress_of(s, "byte pairs");
    progress.total = s->merges;
    progress.unit = "merge";
    progress.no_loss = true;
    tl_progress_start(&progress);
    if (count_words(r, corpus, words))
        r->bpe = tl_bpe_learn(
            words, &(tl_bpe_config){.merges = s->merges, .progress = show_merge, .context = &progress});
    tl_progress_pause(&progress);
    tl_bpe_words_free(words);
    if (tl_bpe_error(r->bpe)) tl_error_set(&r->error, "%s", tl_bpe_error(r->bpe));
    return !tl_failed(&r->error);
}

/* ---- corpora ---- */

static tl_corpus *cut_corpus(run *r, const tl_corpus *corpus) {
    tl_corpus *cut = tl_corpus_new();
    tl_progress progress = progress_of_sentences(&r->settings, "cutting text", tl_corpus_size(corpus));
    tl_progress_start(&progress);
    for (long i = 0; i < tl_corpus_size(corpus) && !tl_failed(&r->error); i++) {
        char *source = text_cut(r, TL_SOURCE, tl_corpus_sentence(corpus, TL_SOURCE, i));
        char *target = text_cut(r, TL_TARGET, tl_corpus_sentence(corpus, TL_TARGET, i));
        if (source && target) tl_corpus_add(cut, source, target);
        free(source);
        free(target);
        tl_progress_update(&progress, i + 1, 0, 0);
    }
    tl_progress_pause(&progress);
    if (tl_corpus_error(cut)) tl_error_set(&r->error, "%s", tl_corpus_error(cut));
    return cut;
}

tl_corpus *text_encode(run *r, const tl_corpus *corpus) {
    tl_corpus *cut = cut_corpus(r, corpus);
    if (!tl_failed(&r->error) && !tl_corpus_encode(cut, r->source, r->target))
        tl_error_set(&r->error, "%s", tl_corpus_error(cut));
    if (!tl_failed(&r->error)) return cut;
    tl_corpus_free(cut);
    return NULL;
}

static tl_vocab *make_vocabulary(run *r, const tl_vocab_counts *counts) {
    const settings *s = &r->settings;
    tl_vocab *vocab =
        tl_vocab_new(counts, &(tl_vocab_config){.min_count = s->min_count, .max_size = s->max_vocab});
    if (tl_vocab_error(vocab)) tl_error_set(&r->error, "%s", tl_vocab_error(vocab));
    if (!tl_failed(&r->error) && tl_vocab_size(vocab) == TL_SPECIALS)
        tl_error_set(&r->error, "%s: no word is seen --min-count %ld times: lower it, or give more sentences",
                     s->train       ? s->train
                     : s->train_src ? s->train_src
                                    : "the sentences made here",
                     s->min_count);
    return vocab;
}

bool text_make_vocabularies(run *r, const tl_corpus *corpus) {
    bool joint = r->settings.joint;
    tl_corpus *cut = cut_corpus(r, corpus);
    tl_vocab_counts *counts[2] = {tl_vocab_counts_new(), tl_vocab_counts_new()};
    tl_corpus_count(cut, TL_SOURCE, counts[0]);
    tl_corpus_count(cut, TL_TARGET, counts[joint ? 0 : 1]);
    tl_corpus_free(cut);
    r->source = make_vocabulary(r, counts[0]);
    r->target = joint ? r->source : make_vocabulary(r, counts[1]);
    tl_vocab_counts_free(counts[0]);
    tl_vocab_counts_free(counts[1]);
    return !tl_failed(&r->error);
}
