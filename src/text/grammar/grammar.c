/* The grammar's streams. One stream of distinct sentences belongs to (seed, pair, part): meanings drawn one after
 * the other from a counter-based generator; those of the other part, those too long and those whose English came
 * before are left out. A corpus is a range of that stream. */
#include "grammar.h"
#include "text/corpus/corpus.h"
#include "base/memory.h"
#include "text/table.h"
#include <stdio.h>

#define ATTEMPTS \
 100000 /* draws without a new sentence, after which there are no more (one in fifteen or so is kept) */

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

void tl_gr_say(tl_gr_side *side, const char *word, uint64_t parts) {
    size_t size = strlen(word);
    bool fits = side->tokens < TL_GR_TOKENS && side->used + size + 2 <= sizeof side->text;
    side->tokens = fits ? side->tokens + 1 : TL_GR_TOKENS + 1;
    if (!fits) return;
    if (side->used > 0) side->text[side->used++] = ' ';
    memcpy(side->text + side->used, word, size + 1);
    side->used += size;
    side->parts[side->tokens - 1] = parts;
}

/* A stream being drawn. */
typedef struct stream {
    const language *language;
    bool held_out;
    tl_rng_key key;
    uint64_t attempt;
    tl_table seen;         /* the English of every sentence so far */
    const tl_table *words; /* those that may be used, or NULL: all */
    tl_gr_side side[2];    /* the latest sentence */
} stream;

static stream stream_of(const tl_grammar_config *c, tl_grammar_part part) {
    char name[64];
    bool held_out = part == TL_GRAMMAR_HELD_OUT;
    snprintf(name, sizeof name, "grammar %s %s", c->pair, held_out ? "held out" : "train");
    return (stream){
        .language = language_of(c->pair), .held_out = held_out, .key = tl_rng_key_of(c->seed, name)};
}

/* Says the meaning on both sides; false if that is too long. */
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

/* Draws until a new sentence of the part comes. False, with the error set, when there is none or no memory. */
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
static bool basis(tl_table *words, const tl_grammar_config *c, tl_error *error) {
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
    return ok ||
           tl_error_set(error, "grammar corpus: out of memory for the words"); /* the first error stays */
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
        ok = basis(&words, &c, &corpus->error);
    }
    ok = ok && append_all(corpus, &c, &s);
    if (!ok) tl_corpus_back_to(corpus, before);
    tl_table_free(&s.seen);
    tl_table_free(&words);
    return ok;
}
