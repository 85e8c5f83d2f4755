/* Saying a meaning in French: agreement, elision, contraction, the order of adjectives and object pronouns. */
#include "languages.h"
#include <stdio.h>
#include <string.h>

#define BIT TL_GR_BIT

static const char *const numerals[] = {"deux", "trois", "quatre", "cinq", "dix"};
static const char *const subjects[] = {"je", "il", "elle", "nous", "ils"};
static const char *const direct[] = {"me", "le", "la", "nous", "les"};
static const char *const indirect[] = {"me", "lui", "lui", "nous", "leur"};
/* masculine, feminine, plural */
static const char *const possessives[][3] = {{"mon", "ma", "mes"},
                                             {"son", "sa", "ses"},
                                             {"son", "sa", "ses"},
                                             {"notre", "notre", "nos"},
                                             {"leur", "leur", "leurs"}};
static const char *const avoir[] = {"ai", "a", "avons", "ont"}, *const etre[] = {"suis", "est", "sommes",
                                                                                 "sont"};
/* before an infinitive */
static const char *const helpers[TL_GR_TENSES][4] = {[TL_GR_FUTURE] = {"vais", "va", "allons", "vont"},
                                                     [TL_GR_CAN] = {"peux", "peut", "pouvons", "peuvent"},
                                                     [TL_GR_WANT] = {"veux", "veut", "voulons", "veulent"},
                                                     [TL_GR_MUST] = {"dois", "doit", "devons", "doivent"}};

/* Does the word before this one lose its vowel? h is silent, except in words with h aspiré. */
static bool has_vowel(const char *word) {
    static const char *const vowels[] = {"a", "e", "i", "o", "u", "y", "é", "è", "ê", "œ", "h"};
    static const char *const aspirated[] = {"hibou", "hache"};
    for (size_t i = 0; i < sizeof aspirated / sizeof *aspirated; i++)
        if (strncmp(word, aspirated[i], 5) == 0) return false;
    for (size_t i = 0; i < sizeof vowels / sizeof *vowels; i++)
        if (strncmp(word, vowels[i], strlen(vowels[i])) == 0) return true;
    return false;
}

/* Says a word; the word before it is elided where necessary. */
static void say(tl_gr_side *s, const char *word, uint64_t parts) {
    static const char *const elidable[] = {"je", "me", "le", "la", "ne", "de", "que"};
    if (s->elides && has_vowel(word)) s->text[s->used - 1] = '\'';
    tl_gr_say(s, word, parts);
    s->elides = false;
    for (size_t i = 0; i < sizeof elidable / sizeof *elidable; i++)
        s->elides = s->elides || strcmp(word, elidable[i]) == 0;
}

static bool is_feminine(const tl_gr_phrase *p) {
    return p->person == TL_GR_NOUN ? tl_gr_nouns[p->noun].feminine : p->person == TL_GR_SHE;
}

/* The index of a verb's form: je, il, nous, ils. */
static int form_of(const tl_gr_phrase *p) {
    return p->person == TL_GR_I ? 0 : p->person == TL_GR_WE ? 2 : tl_gr_is_plural(p) ? 3 : 1;
}

static const char *adjective(int number, const tl_gr_phrase *p, const char *next) {
    const char *const *fr = tl_gr_adjectives[number].fr;
    if (next && !is_feminine(p) && !tl_gr_is_plural(p) && has_vowel(next)) return fr[4];
    return fr[2 * tl_gr_is_plural(p) + is_feminine(p)];
}

/* "the", contracted with "à" or "de" if one is before it. */
static void article(const tl_gr_phrase *p, const char *preposition, uint64_t parts, uint64_t the,
                    const char *next, tl_gr_side *s) {
    bool de = preposition && strcmp(preposition, "de") == 0;
    if (preposition && p->plural)
        say(s, de ? "des" : "aux", parts | the);
    else if (preposition && !is_feminine(p) && !has_vowel(next))
        say(s, de ? "du" : "au", parts | the);
    else {
        if (preposition) say(s, preposition, parts);
        say(s, p->plural ? "les" : is_feminine(p) ? "la" : "le", the);
    }
}

static const char *determiner(const tl_gr_phrase *p, const char *next) {
    bool feminine = is_feminine(p);
    switch (p->determiner) {
    case TL_GR_THIS:
    case TL_GR_THAT:
        return p->plural ? "ces" : feminine ? "cette" : has_vowel(next) ? "cet" : "ce";
    case TL_GR_A:
        return feminine ? "une" : "un";
    case TL_GR_SOME:
        return p->before >= 0 ? "de" : "des";
    case TL_GR_ANYOF:
        return "de";
    case TL_GR_BARE:
        return NULL;
    default:
        return possessives[p->determiner - TL_GR_MY][p->plural ? 2 : feminine && !has_vowel(next)];
    }
}

static void relative(const tl_gr_meaning *m, const tl_gr_phrase *head, tl_gr_side *s);

/* A noun phrase after a preposition ("à", "de" or NULL), which expresses `parts`. */
static void phrase(const tl_gr_meaning *m, tl_gr_slot slot, const char *preposition, uint64_t parts,
                   tl_gr_side *s) {
    const tl_gr_phrase *p = &m->phrase[slot];
    const char *noun = tl_gr_nouns[p->noun].fr[p->plural];
    const char *before = p->before >= 0 ? adjective(p->before, p, noun) : NULL;
    const char *next = p->number > 0 ? numerals[p->number - 2] : before ? before : noun;
    if (p->determiner == TL_GR_THE || p->determiner == TL_GR_OWNER) {
        article(p, preposition, parts, p->determiner == TL_GR_THE ? BIT(slot, TL_GR_DET) : 0, next, s);
    } else {
        const char *det = determiner(p, next);
        if (preposition) say(s, preposition, parts);
        if (det) say(s, det, BIT(slot, TL_GR_DET));
    }
    if (p->number > 0) say(s, next, BIT(slot, TL_GR_NUM));
    if (before) say(s, before, BIT(slot, TL_GR_BEFORE));
    say(s, noun, BIT(slot, TL_GR_NOUN_PART));
    if (p->after >= 0) say(s, adjective(p->after, p, NULL), BIT(slot, TL_GR_AFTER));
    if (p->determiner == TL_GR_OWNER) phrase(m, tl_gr_owner(slot), "de", BIT(slot, TL_GR_OF), s);
    if (p->relative) relative(m, p, s);
}

static void subject(const tl_gr_meaning *m, tl_gr_slot slot, tl_gr_side *s) {
    const tl_gr_phrase *p = &m->phrase[slot];
    if (p->person == TL_GR_NOUN)
        phrase(m, slot, NULL, 0, s);
    else
        say(s, subjects[p->person], BIT(slot, TL_GR_NOUN_PART));
}

/* A verb with everything that stands before its object. */
typedef struct verb_group {
    const tl_gr_verb *verb;
    tl_gr_tense tense;
    const tl_gr_phrase *subject;
    bool denied, often;
    const char *pronoun; /* the object pronoun before the verb; NULL: none */
    uint64_t pronoun_parts;
    /* the direct object if it stands before the verb (the participle then agrees with it); NULL: none */
    const tl_gr_phrase *earlier;
    uint64_t verb_part, helper_part;
} verb_group;

static void participle(const verb_group *g, tl_gr_side *s) {
    char word[32];
    const tl_gr_phrase *with = g->verb->etre ? g->subject : g->earlier;
    snprintf(word, sizeof word, "%s%s%s", g->verb->fr[5], with && is_feminine(with) ? "e" : "",
             with && tl_gr_is_plural(with) ? "s" : "");
    say(s, word, g->verb_part);
}

static void say_verb(const verb_group *g, tl_gr_side *s) {
    int form = form_of(g->subject);
    bool past = g->tense == TL_GR_PAST, alone = g->tense == TL_GR_PRESENT || g->tense == TL_GR_NOW;
    if (g->denied) say(s, "ne", TL_GR_B_NOT);
    if (g->pronoun && (past || alone)) say(s, g->pronoun, g->pronoun_parts);
    if (alone)
        say(s, g->verb->fr[1 + form], g->verb_part | g->helper_part);
    else
        say(s, !past ? helpers[g->tense][form] : g->verb->etre ? etre[form] : avoir[form], g->helper_part);
    if (g->denied) say(s, "pas", TL_GR_B_NOT);
    if (g->often) say(s, "souvent", TL_GR_B_OFTEN);
    if (past) participle(g, s);
    if (past || alone) return;
    if (g->pronoun) say(s, g->pronoun, g->pronoun_parts);
    say(s, g->verb->fr[0], g->verb_part);
}

static void relative(const tl_gr_meaning *m, const tl_gr_phrase *head, tl_gr_side *s) {
    bool who = head->relative == TL_GR_WHO;
    verb_group g = {.verb = &tl_gr_verbs[m->inner_verb],
                    .tense = m->inner_tense,
                    .subject = who ? head : &m->phrase[TL_GR_INNER],
                    .earlier = who ? NULL : head,
                    .verb_part = TL_GR_B_VERB2,
                    .helper_part = TL_GR_B_AUX2};
    say(s, who ? "qui" : "que", TL_GR_B_WHO);
    if (!who) subject(m, TL_GR_INNER, s);
    say_verb(&g, s);
    if (who && g.verb->objects) phrase(m, TL_GR_INNER, NULL, 0, s);
}

static void place_and_time(const tl_gr_meaning *m, tl_gr_side *s) {
    if (m->at && m->form == TL_GR_CLAUSE && (tl_gr_verbs[m->verb].flags & TL_GR_GO)) {
        phrase(m, TL_GR_AT, "à", TL_GR_B_AT, s);
    } else if (m->at && m->preposition == TL_GR_NEAR) {
        say(s, "près", TL_GR_B_AT);
        phrase(m, TL_GR_AT, "de", TL_GR_B_AT, s);
    } else if (m->at) {
        say(s, m->preposition == TL_GR_IN ? "dans" : "derrière", TL_GR_B_AT);
        phrase(m, TL_GR_AT, NULL, 0, s);
    }
    if (m->time < 0) return;
    const tl_gr_time *time = &tl_gr_times[m->time];
    for (int i = 0; i < 3 && time->fr[i]; i++)
        say(s, time->fr[i], i == time->fr_first ? TL_GR_B_TIME : TL_GR_B_TIME2);
}

static void then(const tl_gr_meaning *m, tl_gr_side *s) {
    const tl_gr_phrase *it = &m->phrase[TL_GR_OBJECT];
    say(s, "et", TL_GR_B_AND);
    say_verb(&(verb_group){.verb = &tl_gr_verbs[m->then_verb],
                           .tense = TL_GR_PAST,
                           .subject = &m->phrase[TL_GR_SUBJECT],
                           .pronoun = it->plural        ? "les"
                                      : is_feminine(it) ? "la"
                                                        : "le",
                           .pronoun_parts = TL_GR_B_IT,
                           .earlier = it,
                           .verb_part = TL_GR_B_VERB2,
                           .helper_part = TL_GR_B_AUX2},
             s);
}

static void clause(const tl_gr_meaning *m, tl_gr_side *s) {
    const tl_gr_phrase *object = &m->phrase[TL_GR_OBJECT], *to = &m->phrase[TL_GR_TO];
    verb_group g = {.verb = &tl_gr_verbs[m->verb],
                    .tense = m->tense,
                    .subject = &m->phrase[TL_GR_SUBJECT],
                    .denied = m->denied,
                    .often = m->often,
                    .verb_part = TL_GR_B_VERB,
                    .helper_part = TL_GR_B_AUX};
    if (m->object && object->person != TL_GR_NOUN) {
        g.pronoun = direct[object->person];
        g.pronoun_parts = BIT(TL_GR_OBJECT, TL_GR_NOUN_PART);
        g.earlier = object;
    } else if (m->to && to->person != TL_GR_NOUN) {
        g.pronoun = indirect[to->person];
        g.pronoun_parts = TL_GR_B_TO | BIT(TL_GR_TO, TL_GR_NOUN_PART);
    }
    subject(m, TL_GR_SUBJECT, s);
    say_verb(&g, s);
    if (m->object && object->person == TL_GR_NOUN) phrase(m, TL_GR_OBJECT, NULL, 0, s);
    if (m->to && to->person == TL_GR_NOUN) phrase(m, TL_GR_TO, "à", TL_GR_B_TO, s);
    if (m->form == TL_GR_THEN) then(m, s);
}

static void say_predicate(const tl_gr_meaning *m, tl_gr_side *s) {
    const tl_gr_phrase *p = &m->phrase[TL_GR_SUBJECT];
    subject(m, TL_GR_SUBJECT, s);
    if (m->denied) say(s, "ne", TL_GR_B_NOT);
    say(s, etre[form_of(p)], TL_GR_B_AUX);
    if (m->denied) say(s, "pas", TL_GR_B_NOT);
    if (m->very) say(s, "très", TL_GR_B_VERY);
    say(s, adjective(m->adjective, p, NULL), TL_GR_B_BEING);
}

static void there_is(const tl_gr_meaning *m, tl_gr_side *s) {
    say(s, "il", TL_GR_B_THERE);
    if (m->denied) say(s, "ne", TL_GR_B_NOT);
    say(s, "y", TL_GR_B_THERE);
    say(s, "a", TL_GR_B_AUX);
    if (m->denied) say(s, "pas", TL_GR_B_NOT);
    phrase(m, TL_GR_OBJECT, NULL, 0, s);
}

void tl_gr_french(const tl_gr_meaning *m, tl_gr_side *s) {
    if (m->asked) {
        say(s, "est-ce", TL_GR_B_ASK);
        say(s, "que", TL_GR_B_ASK);
    }
    if (m->form == TL_GR_THERE)
        there_is(m, s);
    else if (m->form == TL_GR_BEING)
        say_predicate(m, s);
    else
        clause(m, s);
    place_and_time(m, s);
    say(s, m->asked ? "?" : ".", TL_GR_B_END);
}
