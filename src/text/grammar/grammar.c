/* A small grammar of English with French and Chinese: sentences for attention to work on, each with its true alignment.
 * A sentence is drawn as a meaning (tl_gr_meaning: who, what, where, when, denied or asked). Each language says that
 * meaning by itself. A meaning consists of parts, each of them one bit. Every token has the bits of the parts that it
 * expresses. Two tokens are linked if they share a bit.
 *
 * The files, each of which knows only those before it:
 *   words.c                           the words, and what goes with what
 *   meaning.h                         what a sentence means
 *   phrase.c, draw.c                  drawing a meaning
 *   reserved.c                        which meanings are kept out of training
 *   say.c                             one side of a sentence while it grows
 *   english.c, french.c, chinese.c    saying a meaning
 *   grammar.c                         streams. (seed, pair, part) define a stream of distinct sentences. Meanings are
 *                                     drawn one after the other; those of the other part, those too long, and those
 *                                     whose English came before are left out. A corpus is a range of a stream
 *
 * What there is
 *   clause        the girls often read the newspaper .  les filles lisent souvent le journal .
 *                                                       那些 女孩 经常 看 那 份 报纸 。
 *   times         is reading: lit, 正在 看 · bought: a acheté, 买 了 · will buy: va acheter, 会 买 ·
 *                 can, wants to, must: peut, veut, doit, 能, 想, 必须. French participles agree with the subject
 *                 after être, and with an object before the verb: "les pommes que j' ai achetées"
 *   denied        the cats do not sleep .  les chats ne dorment pas .  那些 猫 不 睡觉 。  (past: 没; any: de, nothing)
 *   asked         does he like the dog ?  est-ce qu' il aime le chien ?  他 喜欢 那 只 狗 吗 ？
 *   pronouns      she sees him .  elle le voit … she will help us .  elle va nous aider .  她 会 帮助 我们 。
 *   giving        he gave the book to her .  il lui a donné le livre .  他 把 那 本 书 给 了 她 。
 *   going         we went to the village .  nous sommes allés au village .  我们 去 了 村子 。
 *   being         the house is not big .  la maison n' est pas grande .  那 座 房子 不 大 。
 *   there is      there are two cats near the school .  il y a deux chats près de l' école .  学校 附近 有 两 只 猫 。
 *   one, then the other
 *                 he bought an apple and ate it .  il a acheté une pomme et l' a mangée .
 *                 他 买 了 一 个 苹果 ， 然后 把 它 吃 了 。
 * and in phrases: articles, this and that, possessives (French ones agree with the thing possessed), numerals with
 * measure words, "the girl 's cat" (le chat de la fille), adjectives before and after the French noun (le petit chat
 * noir, 那 只 黑色 的 小 猫), bel/nouvel/vieil, elision except before h aspiré (le hibou), au/aux/du/des, places, times
 * (before the verb in Chinese), relative clauses (the dog that I bought: le chien que j' ai acheté, 我 买 的 那 只 狗), 把
 * where a known object was eaten, sold, lost … . "I", "we" and "they" are masculine in French.
 *
 * The parts. A combination is a pair of an adjective and the noun that it describes (before it or after "is"), or a
 * pair of a verb and its object, also in relative clauses. ("go" has its place as object; no such pair happens to be
 * reserved.) One in TL_GR_RESERVED combinations is reserved. A hash of the English words decides which, so it is the
 * same for every seed. No sentence of TRAIN has a reserved combination, for any seed; every sentence of HELD_OUT has at
 * least one. Every word form of HELD_OUT, in both languages, is in one of the first TL_GR_BASIS sentences of TRAIN with
 * the same seed. A stream has TL_GR_STREAM sentences.
 *
 * The alignment. "not" is linked to ne and pas, to 不 or 没. An auxiliary is linked to the word that corresponds ("will":
 * va, 会; "is" before -ing: 正在). If there is none, it is linked to the verb ("do": dorment). Likewise a verb is linked
 * to both words if only the other language has an auxiliary ("bought": a, acheté; 买, 了). The auxiliary of a question is
 * also linked to "est-ce que" or 吗, and "did not" to 没. A measure word is linked to the numeral or, without one, to the
 * article: "a": 一 只. "'s" is linked to "de", 的. Not linked are the article that French puts before the thing possessed
 * and, in Chinese, 把, "any", "the" of a place, "to" of going, and "is" if there is no 很 or 是. A contraction is linked
 * to both of its words ("to", "the": au). */
#include "draw.h"
#include "languages.h"
#include "reserved.h"
#include "base/memory.h"
#include "text/corpus/corpus.h"
#include "text/table.h"

#include <stdio.h>

#define TL_GR_STREAM 100000L /* sentences of each stream */
#define TL_GR_BASIS 10000L   /* this many sentences of TRAIN contain every word of HELD_OUT */

#define ATTEMPTS \
 100000 /* draws without a new sentence after which a stream ends (about one draw in fifteen is kept) */

typedef struct language {
    const char *pair;
    void (*say)(const tl_gr_meaning *meaning, tl_gr_side *side);
    bool chinese;
} language;

static const language *language_of(const char *pair) {
    static const language languages[] = {{"en-fr", tl_gr_french, false}, {"en-zh", tl_gr_chinese, true}};
    for (size_t i = 0; pair && i < sizeof languages / sizeof *languages; i++)
        if (strcmp(pair, languages[i].pair) == 0) return &languages[i];
    return NULL;
}

static bool check(tl_error *error, const tl_grammar_config *c) {
    if (!language_of(c->pair))
        return tl_error_set(error, "grammar corpus: found the pair \"%s\", expected en-fr or en-zh",
                            c->pair ? c->pair : "(none)");
    if (c->part != TL_GRAMMAR_TRAIN && c->part != TL_GRAMMAR_HELD_OUT)
        return tl_error_set(
            error, "grammar corpus: found the part %d, expected TL_GRAMMAR_TRAIN or TL_GRAMMAR_HELD_OUT",
            (int)c->part);
    if (c->sentences <= 0 || c->first < 0)
        return tl_error_set(
            error,
            "grammar corpus: found %ld sentences from number %ld on, expected at least 1 from 0 or later",
            c->sentences, c->first);
    if (c->sentences > TL_GR_STREAM || c->first > TL_GR_STREAM - c->sentences)
        return tl_error_set(
            error, "grammar corpus: found %ld sentences from number %ld on, but there are %ld: ask for fewer",
            c->sentences, c->first, TL_GR_STREAM);
    return true;
}

/* A stream being drawn. */
typedef struct stream {
    const language *language;
    bool held_out;
    tl_rng_key key;
    uint64_t attempt;
    tl_table seen;         /* the English of every sentence so far */
    const tl_table *words; /* the words that may be used; NULL: all */
    tl_gr_side side[2];    /* the latest sentence */
} stream;

static stream stream_of(const tl_grammar_config *c, tl_grammar_part part) {
    char name[64];
    bool held_out = part == TL_GRAMMAR_HELD_OUT;
    snprintf(name, sizeof name, "grammar %s %s", c->pair, held_out ? "held out" : "train");
    return (stream){
        .language = language_of(c->pair), .held_out = held_out, .key = tl_rng_key_of(c->seed, name)};
}

/* Says the meaning in both languages. False if a side is too long. */
static bool say(stream *s, const tl_gr_meaning *meaning) {
    memset(s->side, 0, sizeof s->side);
    tl_gr_english(meaning, &s->side[TL_SOURCE]);
    s->language->say(meaning, &s->side[TL_TARGET]);
    return s->side[TL_SOURCE].tokens <= TL_GR_TOKENS && s->side[TL_TARGET].tokens <= TL_GR_TOKENS;
}

static tl_span sentence(const stream *s, tl_side side) {
    return (tl_span){s->side[side].text, s->side[side].used};
}

static bool may_be_used(const stream *s) {
    for (int side = 0; side < 2 && s->words; side++) {
        tl_span rest = sentence(s, (tl_side)side), word;
        while (tl_next_token(&rest, &word))
            if (tl_table_find(s->words, word) < 0) return false;
    }
    return true;
}

/* Draws until a new sentence of the part comes. Returns false, with the error set, if there is none or when out of
 * memory. */
static bool draw(stream *s, tl_error *error) {
    tl_gr_meaning meaning;
    for (int i = 0; i < ATTEMPTS; i++) {
        if (!tl_gr_draw(&meaning, tl_rng_key_mix(s->key, s->attempt++), s->language->chinese)) continue;
        if (tl_gr_reserved(&meaning) != s->held_out || !say(s, &meaning) || !may_be_used(s)) continue;
        long before = s->seen.count, number = tl_table_add(&s->seen, sentence(s, TL_SOURCE));
        if (number < 0)
            return tl_error_set(error, "grammar corpus: out of memory after %ld sentences", before);
        if (number == before) return true;
    }
    return tl_error_set(error, "grammar corpus: there are only %ld sentences: ask for fewer", s->seen.count);
}

static long link_tokens(const tl_gr_side side[2], tl_link links[TL_GR_TOKENS * TL_GR_TOKENS]) {
    long count = 0;
    for (int s = 0; s < side[TL_SOURCE].tokens; s++)
        for (int t = 0; t < side[TL_TARGET].tokens; t++)
            if (side[TL_SOURCE].parts[s] & side[TL_TARGET].parts[t]) links[count++] = (tl_link){s, t};
    return count;
}

/* Collects the words of the first sentences of TRAIN. */
static bool collect_words(tl_table *words, const tl_grammar_config *c, tl_error *error) {
    stream s = stream_of(c, TL_GRAMMAR_TRAIN);
    bool ok = true;
    for (long i = 0; i < TL_GR_BASIS && ok; i++) {
        ok = draw(&s, error);
        for (int side = 0; side < 2 && ok; side++) {
            tl_span rest = sentence(&s, (tl_side)side), word;
            while (ok && tl_next_token(&rest, &word)) ok = tl_table_add(words, word) >= 0;
        }
    }
    tl_table_free(&s.seen);
    /* keeps an earlier error */
    return ok || tl_error_set(error, "grammar corpus: out of memory for the words");
}

static bool append_all(tl_corpus *corpus, const tl_grammar_config *c, stream *s) {
    tl_link links[TL_GR_TOKENS * TL_GR_TOKENS];
    for (long i = 0; i < c->first + c->sentences; i++) {
        if (!draw(s, &corpus->error)) return false;
        if (i < c->first) continue;
        if (!tl_corpus_append(corpus, sentence(s, TL_SOURCE), sentence(s, TL_TARGET))) return false;
        if (!tl_corpus_align(corpus, links, link_tokens(s->side, links))) return false;
    }
    return true;
}

bool tl_corpus_grammar(tl_corpus *corpus, const tl_grammar_config *config) {
    if (tl_corpus_error(corpus)) return false;
    tl_grammar_config c = config ? *config : (tl_grammar_config){0};
    if (!check(&corpus->error, &c)) return false;
    tl_corpus_mark before = tl_corpus_mark_here(corpus);
    tl_table words = {0};
    stream s = stream_of(&c, c.part);
    bool ok = true;
    if (s.held_out) {
        s.words = &words;
        ok = collect_words(&words, &c, &corpus->error);
    }
    ok = ok && append_all(corpus, &c, &s);
    if (!ok) tl_corpus_back_to(corpus, before);
    tl_table_free(&s.seen);
    tl_table_free(&words);
    return ok;
}
