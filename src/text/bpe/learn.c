/* Learning merges. Words start as their characters. In each step, the most frequent pair of neighbours becomes one
 * symbol in every word that contains it. Only those words are changed, and only the counts of pairs around the merged
 * one. Every step, with its order and its special cases (runs of one symbol, white space inside words), follows
 * subword-nmt 0.3.8's learn_bpe.py, so that the codes are the same to the byte. */
#include "bpe.h"
#include "stats.h"
#include "base/memory.h"

typedef struct word {
    size_t start, length; /* its symbols in learner.text */
    long times;
    bool white; /* it contains white space */
} word;

typedef struct learner {
    tl_table symbols;
    tl_bpe_stats stats;
    word *words;
    int32_t *text; /* the symbols of all words */
    long *sums;    /* [words] sums of one pair's notes; all 0 between merges */
    size_t text_used, text_room;
    int32_t *old; /* the symbols of a word before a merge */
    char *joined; /* the text of two symbols */
    size_t old_room, joined_room;
    bool failed; /* out of memory */
} learner;

/* ---- words as symbols ---- */

static bool is_white(const char *at, size_t size) {
    tl_span rest = {at, size}, token;
    return !tl_next_token(&rest, &token);
}

static bool add_symbol(learner *l, tl_span text) {
    long symbol = tl_table_add(&l->symbols, text);
    if (symbol < 0 || !TL_RESERVE(l->text, l->text_room, l->text_used + 1)) return false;
    l->text[l->text_used++] = (int32_t)symbol;
    return true;
}

/* The symbol for two texts joined; -1 when out of memory. */
static long joined_symbol(learner *l, tl_span first, tl_span second) {
    if (!TL_RESERVE(l->joined, l->joined_room, first.size + second.size + 1)) return -1;
    memcpy(l->joined, first.text, first.size);
    memcpy(l->joined + first.size, second.text, second.size);
    return tl_table_add(&l->symbols, (tl_span){l->joined, first.size + second.size});
}

static bool spell(learner *l, tl_span text, long times, word *w) {
    *w = (word){.start = l->text_used, .times = times};
    while (text.size > 0) {
        size_t size = tl_bpe_character(text);
        w->white = w->white || is_white(text.text, size);
        if (size < text.size) {
            if (!add_symbol(l, (tl_span){text.text, size})) return false;
        } else if (joined_symbol(l, text, tl_span_of(TL_BPE_END)) < 0 ||
                   !add_symbol(l, (tl_span){l->joined, size + TL_BPE_END_SIZE}))
            return false;
        text = (tl_span){text.text + size, text.size - size};
    }
    w->length = l->text_used - w->start;
    return true;
}

static bool spell_all(learner *l, const tl_bpe_words *words) {
    long count = words->words.count;
    tl_bpe_stats_init(&l->stats, &l->symbols);
    l->words = calloc((size_t)count + 1, sizeof *l->words);
    l->sums = calloc((size_t)count + 1, sizeof *l->sums);
    if (!l->words || !l->sums) return false;
    for (long i = 0; i < count; i++)
        if (!spell(l, tl_table_key(&words->words, i), words->times[i], &l->words[i])) return false;
    for (long i = 0; i < count; i++)
        for (size_t k = 0; k + 1 < l->words[i].length; k++) {
            const int32_t *symbol = l->text + l->words[i].start + k;
            tl_bpe_stats_add(&l->stats, symbol[0], symbol[1], (int32_t)i, 1, l->words[i].times);
        }
    tl_bpe_stats_keep(&l->stats);
    return !l->stats.failed;
}

static void free_learner(learner *l) {
    tl_table_free(&l->symbols);
    tl_bpe_stats_free(&l->stats);
    free(l->words);
    free(l->text);
    free(l->sums);
    free(l->old);
    free(l->joined);
}

/* ---- merging in one word ---- */

typedef struct merge {
    int32_t first, second, joined;
} merge;

static size_t merge_symbols(const merge *m, const int32_t *from, size_t count, int32_t *to) {
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        bool here = i + 1 < count && from[i] == m->first && from[i + 1] == m->second;
        to[kept++] = here ? m->joined : from[i];
        i += here;
    }
    return kept;
}

/* Does `text` end in `end`, at byte `from` or later, after white space or at the beginning? */
static bool ends_in(tl_span text, tl_span end, size_t from) {
    if (text.size < end.size || text.size - end.size < from) return false;
    size_t at = text.size - end.size, character = 1;
    if (memcmp(text.text + at, end.text, end.size) != 0) return false;
    while (character < at && ((unsigned char)text.text[at - character] & 0xC0) == 0x80) character++;
    return at == 0 || is_white(text.text + at - character, character);
}

static bool begins_with(tl_span text, tl_span start) {
    if (text.size < start.size || memcmp(text.text, start.text, start.size) != 0) return false;
    tl_span rest = {text.text + start.size, text.size - start.size};
    return rest.size == 0 || is_white(rest.text, tl_bpe_character(rest));
}

/* Merging in a word with white space inside. The reference finds a pair by a pattern in the symbols' text with spaces
 * between. So if a symbol contains white space (U+00A0, a tab), the parts beside that white space match as symbols
 * too. */
static size_t merge_texts(learner *l, const merge *m, const int32_t *from, size_t count, int32_t *to) {
    size_t kept = 0, used = 0; /* used: bytes of from[i] that belong to the previous match */
    long symbol = from[0];
    for (size_t i = 0; i + 1 < count; i++) {
        tl_span second = tl_table_key(&l->symbols, m->second), next = tl_table_key(&l->symbols, from[i + 1]);
        if (ends_in(tl_table_key(&l->symbols, from[i]), tl_table_key(&l->symbols, m->first), used) &&
            begins_with(next, second)) {
            used = second.size;
            symbol = joined_symbol(l, tl_table_key(&l->symbols, (long)symbol), next);
            if (symbol < 0) return l->failed = true, 0;
        } else {
            to[kept++] = (int32_t)symbol;
            symbol = from[i + 1];
            used = 0;
        }
    }
    to[kept++] = (int32_t)symbol;
    return kept;
}

/* Subtracts the pairs around each merged pair in the word as it was. */
static void forget_pairs(learner *l, const merge *m, const int32_t *old, size_t count, int32_t number,
                         long times) {
    for (size_t i = 0; i + 1 < count; i++) {
        if (old[i] != m->first || old[i + 1] != m->second) continue;
        if (i > 0) tl_bpe_stats_add(&l->stats, old[i - 1], old[i], number, -1, times);
        /* in A B A B, the pair B A is subtracted once: as the one before the second A B */
        bool again = i + 3 < count && old[i + 2] == m->first && old[i + 3] == m->second;
        if (i + 2 < count && !again) tl_bpe_stats_add(&l->stats, old[i + 1], old[i + 2], number, -1, times);
        i++;
    }
}

/* Adds the pairs around each new symbol in the word as it is now. */
static void count_pairs(learner *l, const merge *m, const int32_t *now, size_t count, int32_t number,
                        long times) {
    for (size_t i = 0; i < count; i++) {
        if (now[i] != m->joined) continue;
        if (i > 0) tl_bpe_stats_add(&l->stats, now[i - 1], now[i], number, 1, times);
        if (i + 1 < count && now[i + 1] != m->joined)
            tl_bpe_stats_add(&l->stats, now[i], now[i + 1], number, 1, times);
    }
}

static void merge_in_word(learner *l, const merge *m, int32_t number) {
    word *w = &l->words[number];
    int32_t *now = l->text + w->start;
    if (!TL_RESERVE(l->old, l->old_room, w->length)) {
        l->failed = true;
        return;
    }
    memcpy(l->old, now, w->length * sizeof *now);
    size_t length =
        w->white ? merge_texts(l, m, l->old, w->length, now) : merge_symbols(m, l->old, w->length, now);
    if (l->failed) return;
    forget_pairs(l, m, l->old, w->length, number, w->times);
    count_pairs(l, m, now, length, number, w->times);
    w->length = length;
}

/* ---- all words ---- */

static void merge_pair(learner *l, long pair) {
    tl_bpe_stats *stats = &l->stats;
    merge m = {.first = stats->pairs[pair].first, .second = stats->pairs[pair].second};
    long joined = joined_symbol(l, tl_table_key(&l->symbols, m.first), tl_table_key(&l->symbols, m.second));
    if (joined < 0) {
        l->failed = true;
        return;
    }
    m.joined = (int32_t)joined;
    long notes = tl_bpe_stats_take_notes(stats, pair);
    for (long i = notes; i >= 0; i = stats->notes[i].next)
        l->sums[stats->notes[i].word] += stats->notes[i].by;
    for (long i = notes; i >= 0 && !l->failed && !stats->failed; i = stats->notes[i].next) {
        int32_t number = stats->notes[i].word;
        bool holds = l->sums[number] >= 1;
        l->sums[number] = 0;
        if (holds) merge_in_word(l, &m, number);
    }
    tl_bpe_stats_give_notes(stats, notes);
    tl_bpe_stats_zero(stats, pair); /* in a run of one symbol, the merge has counted it again */
}

/* The pair for merge number i; -1 if none is frequent enough. Pairs with a count below *threshold are set aside. At
 * first *threshold is a tenth of the first pair's count. When the best count falls below it, pairs that were set aside
 * are looked at again, and *threshold becomes best·i / (i + 10000). */
static long choose(tl_bpe_stats *stats, long i, long min_frequency, double *threshold) {
    long best = tl_bpe_stats_best(stats);
    if (i == 0) *threshold = (double)stats->pairs[best].count / 10;
    if (best < 0 || (i > 0 && (double)stats->pairs[best].count < *threshold)) {
        tl_bpe_stats_prune(stats, *threshold);
        tl_bpe_stats_restore(stats);
        best = tl_bpe_stats_best(stats);
        *threshold = (double)stats->pairs[best].count * (double)i / ((double)i + 10000.0);
        if (stats->pairs[best].count >= min_frequency) tl_bpe_stats_prune(stats, *threshold);
    }
    return stats->pairs[best].count >= min_frequency ? best : -1;
}

static void learn(learner *l, tl_bpe *bpe, const tl_bpe_config *config) {
    long merges = config->merges > 0 ? config->merges : 10000;
    long min_frequency = config->min_frequency > 0 ? config->min_frequency : 2;
    double threshold = 0;
    for (long i = 0; i < merges; i++) {
        long best = choose(&l->stats, i, min_frequency, &threshold);
        if (best < 0) return;
        const tl_bpe_pair *pair = &l->stats.pairs[best];
        if (!tl_bpe_add_merge(bpe, tl_table_key(&l->symbols, pair->first),
                              tl_table_key(&l->symbols, pair->second)))
            return;
        merge_pair(l, best);
        if (l->failed || l->stats.failed) {
            tl_error_set(&bpe->error, "byte pairs: out of memory after %ld merges: learn from less text", i);
            return;
        }
        if (i % 100 == 0) tl_bpe_stats_prune(&l->stats, threshold);
        if (config->progress) config->progress(config->context, i + 1);
    }
}

tl_bpe *tl_bpe_learn(const tl_bpe_words *words, const tl_bpe_config *config) {
    static const tl_bpe_config usual = {0};
    tl_bpe *bpe = tl_bpe_empty();
    if (!bpe) return NULL;
    if (!config) config = &usual;
    learner l = {.failed = false};
    if (!words || words->failed)
        tl_error_set(&bpe->error, "byte pairs: out of memory while counting words: count fewer sentences");
    else if (config->merges < 0 || config->min_frequency < 0)
        tl_error_set(
            &bpe->error,
            "byte pairs: found merges %ld and min_frequency %ld, expected 0 or more: say 0 for the usual",
            config->merges, config->min_frequency);
    else if (!spell_all(&l, words))
        tl_error_set(&bpe->error, "byte pairs: out of memory with %ld words: learn from less text",
                     words->words.count);
    else if (l.stats.keys.count == 0)
        tl_error_set(
            &bpe->error,
            "byte pairs: found no word of two characters, expected a text to learn from: check the input");
    else
        learn(&l, bpe, config);
    free_learner(&l);
    return bpe;
}
