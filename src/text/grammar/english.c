/* Saying a meaning in English. */
#include "languages.h"
#include <string.h>

#define BIT TL_GR_BIT

static const char *const subjects[] = {"I", "he", "she", "we", "they"};
static const char *const objects[] = {"me", "him", "her", "us", "them"};
static const char *const possessives[] = {"my", "his", "her", "our", "their"};
static const char *const numerals[] = {"two", "three", "four", "five", "ten"};
static const char *const prepositions[] = {"in", "near", "behind"};

static const char *form_of_be(const tl_gr_phrase *p) {
    return p->person == TL_GR_I ? "am" : tl_gr_is_plural(p) ? "are" : "is";
}
static bool is_third(const tl_gr_phrase *p) { return p->person != TL_GR_I && !tl_gr_is_plural(p); }

static void relative(const tl_gr_meaning *m, const tl_gr_phrase *head, tl_gr_side *s);

static const char *determiner(const tl_gr_phrase *p, const char *next) {
    switch (p->determiner) {
    case TL_GR_THE:
        return "the";
    case TL_GR_THIS:
        return p->plural ? "these" : "this";
    case TL_GR_THAT:
        return p->plural ? "those" : "that";
    case TL_GR_A:
        return strchr("aeiou", next[0]) ? "an" : "a"; /* spelling is enough for the words of this grammar */
    case TL_GR_SOME:
        return "some";
    case TL_GR_ANYOF:
        return "any";
    case TL_GR_MY:
    case TL_GR_HIS:
    case TL_GR_HER:
    case TL_GR_OUR:
    case TL_GR_THEIR:
        return possessives[p->determiner - TL_GR_MY];
    default:
        return NULL;
    }
}

static void phrase(const tl_gr_meaning *m, tl_gr_slot slot, const char *const pronouns[], tl_gr_side *s) {
    const tl_gr_phrase *p = &m->phrase[slot];
    if (p->person != TL_GR_NOUN) {
        tl_gr_say(s, pronouns[p->person], BIT(slot, TL_GR_NOUN_PART));
        return;
    }
    const char *noun = tl_gr_nouns[p->noun].en[p->plural];
    const char *before = p->before >= 0 ? tl_gr_adjectives[p->before].en : NULL;
    const char *after = p->after >= 0 ? tl_gr_adjectives[p->after].en : NULL;
    if (p->determiner == TL_GR_OWNER) {
        tl_gr_slot owner = tl_gr_owner(slot);
        phrase(m, owner, NULL, s);
        const tl_gr_phrase *o = &m->phrase[owner];
        const char *word = tl_gr_nouns[o->noun].en[o->plural];
        tl_gr_say(s, o->plural && word[strlen(word) - 1] == 's' ? "'" : "'s", BIT(slot, TL_GR_OF));
    }
    const char *det = determiner(p, before ? before : after ? after : noun);
    if (det) tl_gr_say(s, det, BIT(slot, TL_GR_DET));
    if (p->number > 0) tl_gr_say(s, numerals[p->number - 2], BIT(slot, TL_GR_NUM));
    if (before) tl_gr_say(s, before, BIT(slot, TL_GR_BEFORE));
    if (after) tl_gr_say(s, after, BIT(slot, TL_GR_AFTER));
    tl_gr_say(s, noun, BIT(slot, TL_GR_NOUN_PART));
    if (p->relative) relative(m, p, s);
}

/* The auxiliary of a verb; NULL if the verb has none. */
static const char *auxiliary(tl_gr_tense tense, const tl_gr_phrase *subject, bool needs_one) {
    bool third = is_third(subject);
    switch (tense) {
    case TL_GR_NOW:
        return form_of_be(subject);
    case TL_GR_FUTURE:
        return "will";
    case TL_GR_CAN:
        return "can";
    case TL_GR_MUST:
        return "must";
    case TL_GR_PAST:
        return needs_one ? "did" : NULL;
    default:
        return !needs_one ? NULL : third ? "does" : "do";
    }
}

/* The verb itself, after an auxiliary or alone, with its particle. */
static void verb(int number, tl_gr_tense tense, const tl_gr_phrase *subject, bool helped, uint64_t v,
                 uint64_t a, tl_gr_side *s) {
    const tl_gr_verb *word = &tl_gr_verbs[number];
    bool third = is_third(subject) && !helped;
    if (tense == TL_GR_WANT) {
        tl_gr_say(s, third ? "wants" : "want", a);
        tl_gr_say(s, "to", a);
    }
    int form = tense == TL_GR_NOW                ? 3
               : tense == TL_GR_PAST && !helped  ? 2
               : tense == TL_GR_PRESENT && third ? 1
                                                 : 0;
    tl_gr_say(s, word->en[form], helped || tense == TL_GR_WANT ? v : v | a);
    if (word->particle) tl_gr_say(s, word->particle, v);
}

static void relative(const tl_gr_meaning *m, const tl_gr_phrase *head, tl_gr_side *s) {
    bool who = head->relative == TL_GR_WHO;
    const tl_gr_phrase *subject = who ? head : &m->phrase[TL_GR_INNER];
    tl_gr_say(s, who ? "who" : "that", TL_GR_B_WHO);
    if (!who) phrase(m, TL_GR_INNER, subjects, s);
    const char *helper = auxiliary(m->inner_tense, subject, false);
    if (helper) tl_gr_say(s, helper, TL_GR_B_AUX2);
    verb(m->inner_verb, m->inner_tense, subject, helper != NULL, TL_GR_B_VERB2, TL_GR_B_AUX2, s);
    if (who && tl_gr_verbs[m->inner_verb].objects) phrase(m, TL_GR_INNER, objects, s);
}

static void place_and_time(const tl_gr_meaning *m, tl_gr_side *s) {
    bool goes = m->form == TL_GR_CLAUSE && (tl_gr_verbs[m->verb].flags & TL_GR_GO);
    if (m->at) {
        tl_gr_say(s, goes ? "to" : prepositions[m->preposition], TL_GR_B_AT);
        phrase(m, TL_GR_AT, objects, s);
    }
    if (m->time < 0) return;
    const tl_gr_time *time = &tl_gr_times[m->time];
    tl_gr_say(s, time->en[0], TL_GR_B_TIME);
    if (time->en[1]) tl_gr_say(s, time->en[1], TL_GR_B_TIME2);
}

/* Subject and auxiliary, in the order of a statement or a question, then "not". */
static void opening(const tl_gr_meaning *m, const char *helper, tl_gr_side *s) {
    if (m->asked) tl_gr_say(s, helper, TL_GR_B_AUX | TL_GR_B_ASK);
    if (m->form == TL_GR_THERE)
        tl_gr_say(s, "there", TL_GR_B_THERE);
    else
        phrase(m, TL_GR_SUBJECT, subjects, s);
    if (helper && !m->asked) tl_gr_say(s, helper, TL_GR_B_AUX);
    if (m->denied) tl_gr_say(s, "not", TL_GR_B_NOT);
}

static void clause(const tl_gr_meaning *m, tl_gr_side *s) {
    const tl_gr_phrase *subject = &m->phrase[TL_GR_SUBJECT];
    const char *helper = auxiliary(m->tense, subject, m->denied || m->asked);
    opening(m, helper, s);
    if (m->often) tl_gr_say(s, "often", TL_GR_B_OFTEN);
    verb(m->verb, m->tense, subject, helper != NULL, TL_GR_B_VERB, TL_GR_B_AUX, s);
    if (m->object) phrase(m, TL_GR_OBJECT, objects, s);
    if (m->to) {
        tl_gr_say(s, "to", TL_GR_B_TO);
        phrase(m, TL_GR_TO, objects, s);
    }
    if (m->form == TL_GR_THEN) {
        tl_gr_say(s, "and", TL_GR_B_AND);
        verb(m->then_verb, TL_GR_PAST, subject, false, TL_GR_B_VERB2, TL_GR_B_AUX2, s);
        tl_gr_say(s, m->phrase[TL_GR_OBJECT].plural ? "them" : "it", TL_GR_B_IT);
    }
}

void tl_gr_english(const tl_gr_meaning *m, tl_gr_side *s) {
    if (m->form == TL_GR_THERE) {
        opening(m, form_of_be(&m->phrase[TL_GR_OBJECT]), s);
        phrase(m, TL_GR_OBJECT, objects, s);
    } else if (m->form == TL_GR_BEING) {
        opening(m, form_of_be(&m->phrase[TL_GR_SUBJECT]), s);
        if (m->very) tl_gr_say(s, "very", TL_GR_B_VERY);
        tl_gr_say(s, tl_gr_adjectives[m->adjective].en, TL_GR_B_BEING);
    } else {
        clause(m, s);
    }
    place_and_time(m, s);
    tl_gr_say(s, m->asked ? "?" : ".", TL_GR_B_END);
}
