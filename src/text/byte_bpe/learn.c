/* Learning merges from a text. Its words start as their bytes. In each step, the most frequent pair of neighbours
 * becomes one token, everywhere from left to right. Each different word is stored once, with its count. All words are
 * in one array of tokens with gaps, and a merge visits only the places of the pair and their neighbours.
 *
 * A pair counts at every place: "aaa" has "a a" twice. Ties go to the pair whose first token has the lower id, then to
 * the one whose second has. Bytes have the lowest ids, in the order of their letters, then merges in the order in which
 * they were learnt. */
#include "byte_bpe.h"
#include "pairs.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "base/quote.h"

/* One place of a word; places never move. */
typedef struct token {
    int id; /* -1: joined to the one before */
    int32_t before, behind, word;
} token;

typedef struct learner {
    tl_byte_bpe *bpe;
    tl_table words;
    long *times; /* [words.count] */
    size_t times_room;
    token *tokens;
    tl_pairs pairs;
    tl_buffer joined; /* the letters of two tokens */
} learner;

/* ---- the text as words ---- */

static bool count_words(learner *l, tl_span text) {
    for (tl_span word; tl_byte_next_word(&text, &word);) {
        const long before = l->words.count, number = tl_table_add(&l->words, word);
        if (number < 0 || !TL_RESERVE(l->times, l->times_room, (size_t)number + 1)) return false;
        if (number == before) l->times[number] = 0;
        l->times[number]++;
    }
    return true;
}

/* Counts the words of the text. Special tokens are left out, and no word extends over one. */
static bool count_text(learner *l, tl_span rest) {
    while (rest.size > 0) {
        long which;
        const size_t before = tl_byte_specials_find(l->bpe, rest, &which);
        if (!count_words(l, (tl_span){rest.text, before})) return tl_byte_no_memory(l->bpe, "counting words");
        const size_t taken = before + (which < 0 ? 0 : tl_table_key(&l->bpe->specials, which).size);
        rest = (tl_span){rest.text + taken, rest.size - taken};
    }
    return true;
}

static bool spell(learner *l) {
    const size_t size = l->words.bytes_used; /* includes a NUL per word */
    if (size > INT32_MAX)
        return tl_error_set(&l->bpe->error,
                            "byte pairs: the text has %zu bytes of different words, expected at most %ld; "
                            "learn from less text",
                            size, (long)INT32_MAX);
    if (!(l->tokens = malloc((size + 1) * sizeof *l->tokens))) return tl_byte_no_memory(l->bpe, "with words");
    int32_t at = 0;
    for (long number = 0; number < l->words.count; number++) {
        const tl_span word = tl_table_key(&l->words, number);
        for (size_t i = 0; i < word.size; i++, at++) {
            l->tokens[at] = (token){.id = l->bpe->alphabet[(unsigned char)word.text[i]],
                                    .before = i == 0 ? -1 : at - 1,
                                    .behind = i + 1 == word.size ? -1 : at + 1,
                                    .word = (int32_t)number};
            if (i > 0)
                tl_pairs_come(&l->pairs, l->tokens[at - 1].id, l->tokens[at].id, at - 1, l->times[number]);
        }
    }
    return !l->pairs.failed || tl_byte_no_memory(l->bpe, "counting pairs");
}

/* ---- one merge ---- */

static void merge_at(learner *l, int32_t at, int first, int second, int joined) {
    token *left = &l->tokens[at];
    /* the pair has disappeared from this place */
    if (left->id != first || left->behind < 0 || l->tokens[left->behind].id != second) return;
    token *right = &l->tokens[left->behind];
    const long times = l->times[left->word];
    tl_pairs_go(&l->pairs, first, second, times);
    if (left->before >= 0) {
        const int before = l->tokens[left->before].id;
        tl_pairs_go(&l->pairs, before, first, times);
        tl_pairs_come(&l->pairs, before, joined, left->before, times);
    }
    if (right->behind >= 0) {
        const int behind = l->tokens[right->behind].id;
        tl_pairs_go(&l->pairs, second, behind, times);
        tl_pairs_come(&l->pairs, joined, behind, at, times);
        l->tokens[right->behind].before = at;
    }
    left->id = joined;
    left->behind = right->behind;
    right->id = -1;
}

/* The token of two tokens joined; -1 when out of memory. */
static int join(learner *l, int first, int second) {
    l->joined.size = 0;
    const tl_span left = tl_table_key(&l->bpe->tokens, first), right = tl_table_key(&l->bpe->tokens, second);
    tl_buffer_add(&l->joined, left.text, left.size);
    if (!tl_buffer_add(&l->joined, right.text, right.size)) return -1;
    return (int)tl_table_add(&l->bpe->tokens, (tl_span){l->joined.text, l->joined.size});
}

/* Merges a pair everywhere. A pair that was learnt before can appear again, when another merge makes one of its parts;
 * it is then merged there too, as in encoding, and *is_new is false. */
static bool merge_pair(learner *l, long best, bool *is_new) {
    const int first = l->pairs.pairs[best].first, second = l->pairs.pairs[best].second;
    const int32_t rank = tl_byte_rank(l->bpe, first, second);
    const int joined = rank >= 0 ? l->bpe->joined[rank] : join(l, first, second);
    size_t count;
    if (joined < 0) return tl_byte_no_memory(l->bpe, "with merges");
    *is_new = rank < 0;
    if (*is_new && !tl_byte_add_pair(l->bpe, first, second, joined)) return false;
    tl_pairs_places(&l->pairs, best, &count);
    for (size_t i = 0; i < count && !l->pairs.failed; i++)
        merge_at(l, l->pairs.places[i], first, second, joined);
    return !l->pairs.failed || tl_byte_no_memory(l->bpe, "counting pairs");
}

static bool learn(learner *l, const tl_byte_bpe_config *config) {
    const long merges = config->merges > 0 ? config->merges : 10000;
    const long least = config->min_frequency > 0 ? config->min_frequency : 2;
    while (l->bpe->pairs.count < merges) {
        bool is_new = false;
        const long best = tl_pairs_best(&l->pairs);
        if (best < 0 || l->pairs.pairs[best].count < least) return true;
        if (!merge_pair(l, best, &is_new)) return false;
        if (is_new && config->progress) config->progress(config->context, l->bpe->pairs.count);
    }
    return true;
}

/* ---- tokens that are not learnt ---- */

static bool add_letters(tl_byte_bpe *bpe) {
    for (uint32_t code = 0; code < 0x180; code++) {
        const int byte = tl_letter_byte(code);
        char letter[4];
        if (byte < 0) continue;
        const long id =
            tl_table_add(&bpe->tokens, (tl_span){letter, tl_byte_letter_write((unsigned char)byte, letter)});
        if (id < 0) return tl_byte_no_memory(bpe, "with tokens");
        bpe->alphabet[byte] = (int)id;
    }
    return true;
}

static bool add_specials(tl_byte_bpe *bpe) {
    char quoted[TL_QUOTED];
    for (long i = 0; i < bpe->specials.count; i++) {
        const tl_span text = tl_table_key(&bpe->specials, i);
        const long before = bpe->tokens.count, id = tl_table_add(&bpe->tokens, text);
        if (id < 0) return tl_byte_no_memory(bpe, "with tokens");
        if (id < before)
            return tl_error_set(
                &bpe->error,
                "byte pairs: found the special token %s, which is learnt from the text as well; choose "
                "another one",
                tl_quote(text.text, text.size, quoted));
        bpe->special_ids[i] = (int)id;
    }
    return true;
}

static bool check(tl_byte_bpe *bpe, const tl_byte_bpe_config *config) {
    if (config->merges >= 0 && config->min_frequency >= 0) return true;
    return tl_error_set(
        &bpe->error,
        "byte pairs: found merges %ld and min_frequency %ld, expected 0 or more: say 0 for the usual",
        config->merges, config->min_frequency);
}

tl_byte_bpe *tl_byte_bpe_learn(const char *text, size_t size, const tl_byte_bpe_config *config) {
    static const tl_byte_bpe_config usual = {0};
    learner l = {.bpe = tl_byte_bpe_empty()};
    if (!l.bpe) return NULL;
    if (!config) config = &usual;
    tl_pairs_init(&l.pairs);
    if (check(l.bpe, config) && tl_byte_specials_take(l.bpe, config->specials) && add_letters(l.bpe) &&
        count_text(&l, (tl_span){text ? text : "", text ? size : 0}) && spell(&l) && learn(&l, config) &&
        add_specials(l.bpe))
        tl_byte_bpe_finish(l.bpe);
    tl_table_free(&l.words);
    free(l.times);
    free(l.tokens);
    tl_pairs_free(&l.pairs);
    tl_buffer_free(&l.joined);
    return l.bpe;
}
