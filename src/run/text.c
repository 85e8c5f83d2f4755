/* Between sentences as people write them and ids of tokens:
 *
 *     line ──pre-tokens──▶ words ──byte pairs──▶ subwords ──vocabulary──▶ ids        (tl_run_cut, tl_run_encode)
 *     line ◀──join──────── words ◀──join──────── subwords                            (tl_run_join)
 *
 * With characters as units, they replace words and byte pairs. Each side of a run has its own units; merges are
 * learnt over all sides with byte pairs together. */
#include "events.h"
#include "run.h"

#include <stdlib.h>
#include <string.h>

/* A captioner has no text settings: its lines are words with single spaces between them. */
static tl_pretokens pretokens_of(const tl_run_settings *s, tl_side side) {
    const char *units = tl_units_of(s, side), *cut = tl_pretokenize_of(s, side);
    if (units && !strcmp(units, "chars")) return TL_PRETOKENS_CHARACTERS;
    return cut && !strcmp(cut, "words") ? TL_PRETOKENS_WORDS : TL_PRETOKENS_NONE;
}

static char *check_memory(tl_run *run, char *text) {
    if (!text) tl_error_set(&run->error, "out of memory for a sentence");
    return text;
}

static void fail_untrained(tl_run *run, const char *what) {
    tl_error_set(&run->error, "the run in %s has no %s yet: train it, or open one that is trained", run->dir,
                 what);
}

char *tl_run_cut(tl_run *run, tl_side side, const char *line) {
    return tl_run_cut_by_chance(run, side, line, NULL);
}

char *tl_run_cut_by_chance(tl_run *run, tl_side side, const char *line, const tl_bpe_dropout *dropout) {
    if (!tl_run_usable(run)) return NULL;
    if (!line) return tl_run_lacks(run, "a line"), NULL;
    const bool pairs = tl_run_has_pairs(run, side);
    if (pairs && !run->bpe) return fail_untrained(run, "merges"), NULL;
    char *words = tl_pretokens_cut(pretokens_of(&run->settings, side), line);
    if (!words || !pairs) return check_memory(run, words);
    char *subwords = tl_bpe_apply_dropout(tl_run_bpe_of(run, side), words, dropout);
    free(words);
    return check_memory(run, subwords);
}

char *tl_run_join(tl_run *run, tl_side side, const char *tokens) {
    if (!tl_run_usable(run)) return NULL;
    if (!tokens) return tl_run_lacks(run, "a line"), NULL;
    tl_pretokens kind = pretokens_of(&run->settings, side);
    if (!tl_run_has_pairs(run, side)) return check_memory(run, tl_pretokens_join(kind, tokens));
    char *words = tl_bpe_join(tokens), *line = words ? tl_pretokens_join(kind, words) : NULL;
    free(words);
    return check_memory(run, line);
}

/* ---- learning merges ---- */

static void show_merge(void *context, long merge) {
    const tl_run *run = context;
    TL_TELL(run->events, work_done, merge, 0);
}

static bool count_words(tl_run *run, const tl_corpus *lines, tl_bpe_words *words) {
    bool ok = true;
    for (int side = TL_SOURCE; side <= TL_TARGET; side++)
        for (long i = 0; ok && tl_run_has_pairs(run, side) && i < tl_corpus_size(lines); i++) {
            char *line =
                tl_pretokens_cut(pretokens_of(&run->settings, side), tl_corpus_sentence(lines, side, i));
            ok = line && tl_bpe_words_add(words, line);
            free(line);
        }
    return ok || tl_error_set(&run->error, "out of memory for the words to learn merges from");
}

bool tl_run_learn_merges(tl_run *run, const tl_corpus *lines) {
    const tl_run_settings *s = &run->settings;
    if (!tl_run_has_pairs(run, TL_SOURCE) && !tl_run_has_pairs(run, TL_TARGET)) return true;
    tl_bpe_words *words = tl_bpe_words_new();
    tl_bpe_config config = {.merges = s->text.merges, .progress = show_merge, .context = run};
    TL_TELL(run->events, work_began, TL_WORK_MERGES, s->text.merges);
    if (count_words(run, lines, words)) run->bpe = tl_bpe_learn(words, &config);
    TL_TELL_THAT(run->events, work_ended);
    tl_bpe_words_free(words);
    if (tl_bpe_error(run->bpe)) tl_error_set(&run->error, "%s", tl_bpe_error(run->bpe));
    return !tl_failed(&run->error);
}

/* ---- corpora ---- */

static tl_corpus *cut_corpus(tl_run *run, const tl_corpus *lines) {
    tl_corpus *cut = tl_corpus_new();
    TL_TELL(run->events, work_began, TL_WORK_CUTTING, tl_corpus_size(lines));
    for (long i = 0; i < tl_corpus_size(lines) && !tl_failed(&run->error); i++) {
        char *source = tl_run_cut(run, TL_SOURCE, tl_corpus_sentence(lines, TL_SOURCE, i));
        char *target = tl_run_cut(run, TL_TARGET, tl_corpus_sentence(lines, TL_TARGET, i));
        if (source && target) tl_corpus_add(cut, source, target);
        free(source);
        free(target);
        TL_TELL(run->events, work_done, i + 1, 0);
    }
    TL_TELL_THAT(run->events, work_ended);
    if (tl_corpus_error(cut)) tl_error_set(&run->error, "%s", tl_corpus_error(cut));
    return cut;
}

tl_corpus *tl_run_encode(tl_run *run, const tl_corpus *lines) {
    if (!tl_run_usable(run)) return NULL;
    if (!run->vocab[TL_SOURCE]) return fail_untrained(run, "vocabularies"), NULL;
    if (!lines) return tl_run_lacks(run, "a corpus"), NULL;
    tl_corpus *cut = cut_corpus(run, lines);
    if (!tl_failed(&run->error) && !tl_corpus_encode(cut, run->vocab[TL_SOURCE], run->vocab[TL_TARGET]))
        tl_error_set(&run->error, "%s", tl_corpus_error(cut));
    if (!tl_failed(&run->error)) return cut;
    tl_corpus_free(cut);
    return NULL;
}

/* option: the setting to name if nothing reaches min_count. */
static tl_vocab *make_vocabulary(tl_run *run, const tl_vocab_counts *counts, const char *option,
                                 long min_count, long most) {
    const tl_data_settings *data = &run->settings.data;
    tl_vocab *vocab = tl_vocab_new(counts, &(tl_vocab_config){.min_count = min_count, .max_size = most});
    if (tl_vocab_error(vocab)) tl_error_set(&run->error, "%s", tl_vocab_error(vocab));
    if (!tl_failed(&run->error) && tl_vocab_size(vocab) == TL_SPECIALS)
        tl_error_set(&run->error, "%s: no word is seen --%s %ld times: lower it, or give more sentences",
                     data->train       ? data->train
                     : data->train_src ? data->train_src
                                       : "the sentences made here",
                     option, min_count);
    return vocab;
}

/* Counts all pieces that BPE-dropout may produce on a side, since each of them needs an id. */
static bool count_possible(tl_run *run, tl_side side, const tl_corpus *lines, tl_vocab_counts *counts) {
    bool ok = true;
    for (long i = 0; ok && i < tl_corpus_size(lines); i++) {
        char *words =
            tl_pretokens_cut(pretokens_of(&run->settings, side), tl_corpus_sentence(lines, side, i));
        char *pieces = words ? tl_bpe_possible(tl_run_bpe_of(run, side), words) : NULL;
        ok = pieces && tl_vocab_counts_add(counts, pieces);
        free(words);
        free(pieces);
    }
    return ok || tl_error_set(&run->error, "out of memory for the pieces of words");
}

static void make_both(tl_run *run, const tl_corpus *lines, const char *option, long min_count, long most) {
    const bool joint = run->settings.text.joint;
    tl_corpus *cut = cut_corpus(run, lines);
    tl_vocab_counts *counts[2] = {tl_vocab_counts_new(), tl_vocab_counts_new()};
    for (int side = TL_SOURCE; side <= TL_TARGET && !tl_failed(&run->error); side++) {
        tl_vocab_counts *to = counts[joint ? 0 : side];
        if (run->settings.text.bpe_dropout > 0 && tl_run_has_pairs(run, side))
            count_possible(run, side, lines, to);
        else
            tl_corpus_count(cut, side, to);
    }
    tl_corpus_free(cut);
    run->vocab[TL_SOURCE] = make_vocabulary(run, counts[0], option, min_count, most);
    run->vocab[TL_TARGET] =
        joint ? run->vocab[TL_SOURCE] : make_vocabulary(run, counts[1], option, min_count, most);
    tl_vocab_counts_free(counts[0]);
    tl_vocab_counts_free(counts[1]);
}

static void forget_vocabularies(tl_run *run) {
    if (run->vocab[TL_TARGET] != run->vocab[TL_SOURCE]) tl_vocab_free(run->vocab[TL_TARGET]);
    tl_vocab_free(run->vocab[TL_SOURCE]);
    run->vocab[TL_SOURCE] = run->vocab[TL_TARGET] = NULL;
}

/* With a threshold, pieces that are frequent enough are found first; the vocabularies are then made of the pieces
 * that all words are split into. */
bool tl_run_make_vocabularies(tl_run *run, const tl_corpus *lines) {
    const tl_text_settings *s = &run->settings.text;
    if (s->bpe_vocabulary_threshold > 0) {
        make_both(run, lines, "bpe-vocabulary-threshold", s->bpe_vocabulary_threshold, 0);
        const bool known = !tl_failed(&run->error) && tl_run_know_pieces(run);
        forget_vocabularies(run);
        if (!known) return false;
    }
    make_both(run, lines, "min-count", s->min_count, s->max_vocab);
    return !tl_failed(&run->error) && tl_run_know_pieces(run);
}
