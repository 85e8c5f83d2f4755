/* The grammar's streams. One stream of distinct sentences belongs to (seed, pair, part): meanings drawn one after
 * the other from a counter-based generator; those of the other part, those too long and those whose English came
 * before are left out. A corpus is a range of that stream. */
#include "grammar.h"
#include "corpus.h"
#include "memory.h"
#include "table.h"
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

typedef struct pair_drawn {
    tl_gr_side side[2];
} pair_drawn;

/* Draws until a new sentence of the part comes. False, with the error set, when there is none or no memory. */
static bool draw(tl_error *error, const tl_grammar_config *c, tl_rng_key stream, uint64_t *attempt,
                 tl_table *seen, pair_drawn *drawn) {
    const language *l = language_of(c->pair);
    tl_gr_meaning meaning;
    for (int i = 0; i < ATTEMPTS; i++) {
        if (!tl_gr_draw(&meaning, tl_rng_key_mix(stream, (*attempt)++), l->chinese)) continue;
        if (tl_gr_reserved(&meaning) != (c->part == TL_GRAMMAR_HELD_OUT)) continue;
        for (int side = 0; side < 2; side++) drawn->side[side].tokens = 0, drawn->side[side].used = 0;
        drawn->side[TL_TARGET].elides = false;
        tl_gr_english(&meaning, &drawn->side[TL_SOURCE]);
        l->say(&meaning, &drawn->side[TL_TARGET]);
        if (drawn->side[0].tokens > TL_GR_TOKENS || drawn->side[1].tokens > TL_GR_TOKENS) continue;
        long before = seen->count;
        long number = tl_table_add(seen, (tl_span){drawn->side[TL_SOURCE].text, drawn->side[TL_SOURCE].used});
        if (number < 0)
            return tl_error_set(error, "grammar corpus: out of memory after %ld sentences", before);
        if (number == before) return true;
    }
    return tl_error_set(error, "grammar corpus: found only %ld sentences, expected %ld: ask for fewer",
                        seen->count, c->first + c->sentences);
}

static long link_tokens(const pair_drawn *drawn, tl_link links[TL_GR_TOKENS * TL_GR_TOKENS]) {
    long count = 0;
    for (int s = 0; s < drawn->side[TL_SOURCE].tokens; s++)
        for (int t = 0; t < drawn->side[TL_TARGET].tokens; t++)
            if (drawn->side[TL_SOURCE].parts[s] & drawn->side[TL_TARGET].parts[t])
                links[count++] = (tl_link){s, t};
    return count;
}

static bool append_all(tl_corpus *corpus, const tl_grammar_config *c, tl_table *seen) {
    char name[64];
    snprintf(name, sizeof name, "grammar %s %s", c->pair, c->part == TL_GRAMMAR_TRAIN ? "train" : "held out");
    tl_rng_key stream = tl_rng_key_of(c->seed, name);
    uint64_t attempt = 0;
    pair_drawn drawn;
    tl_link links[TL_GR_TOKENS * TL_GR_TOKENS];
    for (long i = 0; i < c->first + c->sentences; i++) {
        if (!draw(&corpus->error, c, stream, &attempt, seen, &drawn)) return false;
        if (i < c->first) continue;
        tl_span source = {drawn.side[TL_SOURCE].text, drawn.side[TL_SOURCE].used};
        tl_span target = {drawn.side[TL_TARGET].text, drawn.side[TL_TARGET].used};
        if (!tl_corpus_append(corpus, source, target)) return false;
        if (!tl_corpus_align(corpus, links, link_tokens(&drawn, links))) return false;
    }
    return true;
}

bool tl_corpus_grammar(tl_corpus *corpus, const tl_grammar_config *config) {
    if (tl_corpus_error(corpus)) return false;
    tl_grammar_config c = config ? *config : (tl_grammar_config){0};
    if (!check(&corpus->error, &c)) return false;
    tl_corpus_mark before = tl_corpus_mark_here(corpus);
    tl_table seen = {0};
    bool ok = append_all(corpus, &c, &seen);
    if (!ok) tl_corpus_back_to(corpus, before);
    tl_table_free(&seen);
    return ok;
}
