/* Drawing what a sentence means. What goes together is decided here, once for all three languages; what would
 * be odd or ambiguous in one of them is not drawn. */
#include "grammar.h"
#include <stdio.h>
#include <string.h>

/* A counter-based generator being read from front to back. */
typedef struct draws {
    tl_rng_key key;
    uint64_t used;
    bool chinese;
} draws;

static int below(draws *d, int n) { return (int)tl_rng_below(d->key, d->used++, n); }
static bool chance(draws *d, int percent) { return below(d, 100) < percent; }

static int draw_noun(draws *d, int kinds) {
    int fitting = 0;
    for (int i = 0; i < tl_gr_noun_count; i++) fitting += (tl_gr_nouns[i].kinds & kinds) != 0;
    int left = fitting > 0 ? below(d, fitting) : -1;
    for (int i = 0; i < tl_gr_noun_count; i++)
        if ((tl_gr_nouns[i].kinds & kinds) && left-- == 0) return i;
    return -1;
}

static bool is_possessive(tl_gr_determiner det) { return det >= TL_GR_MY && det <= TL_GR_OWNER; }

/* 我 的 红色 汽车 is good, two 的 in a row are heavy: then only colours, which can stand without, are taken. */
static bool describes(const draws *d, const tl_gr_adjective *a, const tl_gr_phrase *p) {
    if (!(a->described & tl_gr_nouns[p->noun].kinds)) return false;
    return !d->chinese || !a->de || a->colour || !is_possessive(p->determiner);
}

static int draw_adjective(draws *d, const tl_gr_phrase *p, bool before) {
    int fitting[32], count = 0;
    for (int i = 0; i < tl_gr_adjective_count; i++)
        if (tl_gr_adjectives[i].before == before && describes(d, &tl_gr_adjectives[i], p))
            fitting[count++] = i;
    return count > 0 ? fitting[below(d, count)] : -1;
}

static void draw_adjectives(draws *d, tl_gr_phrase *p) {
    if (chance(d, 30)) p->before = draw_adjective(d, p, true);
    if (chance(d, 25)) p->after = draw_adjective(d, p, false);
    if (p->before < 0 || p->after < 0) return;
    if (tl_gr_adjectives[p->before].de || !tl_gr_adjectives[p->after].colour)
        p->after = -1; /* two do not go well */
}

typedef enum range { DEFINITE, INDEFINITE, EITHER, DENIED, PLAIN } range;

/* "my woman" is not said, nor "the friend": some have no possessor, and some always have one. */
static tl_gr_determiner draw_definite(draws *d, int noun, bool may_have_owner) {
    bool owned = !(tl_gr_nouns[noun].kinds & (TL_GR_KID | TL_GR_ADULT));
    int roll = below(d, (tl_gr_nouns[noun].kinds & TL_GR_OWNED) ? may_have_owner ? 30 : 20 : 100);
    if (owned && roll < 20) return (tl_gr_determiner)(TL_GR_MY + roll % 5);
    if (owned && may_have_owner && roll < 30) return TL_GR_OWNER;
    return roll < 80 ? TL_GR_THE : roll < 92 ? TL_GR_THIS : TL_GR_THAT;
}

static tl_gr_determiner draw_determiner(draws *d, int noun, range r, bool may_have_owner) {
    if (r == EITHER) r = chance(d, 40) ? INDEFINITE : DEFINITE;
    if (r == DENIED) {
        if (chance(d, 40)) return TL_GR_ANYOF;
        r = DEFINITE;
    }
    if (r == PLAIN && !(tl_gr_nouns[noun].kinds & TL_GR_OWNED)) return TL_GR_THE;
    if (r != INDEFINITE) return draw_definite(d, noun, may_have_owner);
    int roll = below(d, 100);
    return roll < 55 ? TL_GR_A : roll < 75 ? TL_GR_SOME : TL_GR_BARE;
}

static void draw_owner(draws *d, tl_gr_phrase *owner, int owned) {
    *owner = (tl_gr_phrase){.person = TL_GR_NOUN, .before = -1, .after = -1};
    do owner->noun = draw_noun(d, TL_GR_KID | TL_GR_CHILD | TL_GR_GROWN);
    while (owner->noun == owned); /* no "doctor 's doctor" */
    owner->plural = chance(d, 25);
}

/* Draws a phrase around a noun of these kinds. */
static void draw_phrase(draws *d, tl_gr_meaning *m, tl_gr_slot slot, int kinds, range r) {
    tl_gr_phrase *p = &m->phrase[slot];
    *p = (tl_gr_phrase){.person = TL_GR_NOUN, .before = -1, .after = -1};
    p->noun = draw_noun(d, kinds);
    bool may_have_owner = slot == TL_GR_SUBJECT || slot == TL_GR_OBJECT;
    p->determiner = draw_determiner(d, p->noun, r, may_have_owner);
    p->plural = slot != TL_GR_AT && chance(d, 35);
    if ((tl_gr_nouns[p->noun].kinds & (TL_GR_PLACE | TL_GR_HOUSE)) == TL_GR_PLACE) {
        p->plural = false; /* nobody likes "the ten kitchens" */
        if (p->determiner > TL_GR_A) p->determiner = TL_GR_A;
    }
    if (p->determiner == TL_GR_A) p->plural = false;
    if (p->determiner >= TL_GR_SOME) p->plural = true;
    bool countable = p->plural && p->determiner != TL_GR_SOME && p->determiner != TL_GR_ANYOF;
    if (p->determiner == TL_GR_BARE || (countable && chance(d, 25))) p->number = 2 + below(d, 5);
    if (p->determiner == TL_GR_OWNER) draw_owner(d, &m->phrase[tl_gr_owner(slot)], p->noun);
    if (slot != TL_GR_INNER) draw_adjectives(d, p);
}

static void draw_pronoun(draws *d, tl_gr_phrase *p) {
    *p = (tl_gr_phrase){.person = (tl_gr_person)below(d, 5), .before = -1, .after = -1};
}

static bool is_first(const tl_gr_phrase *p) { return p->person == TL_GR_I || p->person == TL_GR_WE; }

/* "I see us" is odd in every language. */
static bool clash(const tl_gr_phrase *a, const tl_gr_phrase *b) { return is_first(a) && is_first(b); }

static void draw_subject(draws *d, tl_gr_meaning *m, int kinds) {
    if ((kinds & TL_GR_PERSON) == TL_GR_PERSON && chance(d, 45))
        draw_pronoun(d, &m->phrase[TL_GR_SUBJECT]);
    else
        draw_phrase(d, m, TL_GR_SUBJECT, kinds, DEFINITE);
}

static void draw_place(draws *d, tl_gr_meaning *m) {
    draw_phrase(d, m, TL_GR_AT, TL_GR_PLACE, chance(d, 70) ? PLAIN : DEFINITE);
    m->at = true;
    m->preposition = chance(d, 60) ? TL_GR_IN : chance(d, 60) ? TL_GR_NEAR : TL_GR_BEHIND;
}

/* The time and "often". A habit needs a word that says so, or else it would be odd in Chinese. */
static void draw_time(draws *d, tl_gr_meaning *m) {
    bool habit = m->tense == TL_GR_PRESENT;
    if (habit && ((tl_gr_verbs[m->verb].flags & TL_GR_STATE) || m->denied)) return;
    if (habit && chance(d, 45)) {
        m->often = true;
        return;
    }
    if (!habit && !chance(d, 40)) return;
    int fitting[16], count = 0;
    for (int i = 0; i < tl_gr_time_count; i++)
        if (tl_gr_times[i].tense == m->tense) fitting[count++] = i;
    if (count > 0) m->time = fitting[below(d, count)];
}

/* Whether the verb in this tense can be in a relative clause: with the thing it is done to as its head, or not. */
static bool can_be_inner(const tl_gr_verb *v, tl_gr_tense tense, bool whom) {
    if (!(v->tenses & 1 << tense) || (v->flags & (TL_GR_GO | TL_GR_GIVE | TL_GR_HAVE))) return false;
    if (tense == TL_GR_PRESENT) return (v->flags & TL_GR_STATE) != 0;
    if (v->objects == 0) return !whom && tense == TL_GR_NOW;
    return tense == TL_GR_PAST ? !(v->flags & TL_GR_NO_PAST) : tense == TL_GR_NOW && !whom;
}

/* Gives the phrase a relative clause if the verb that is drawn fits. */
static void try_relative(draws *d, tl_gr_meaning *m, tl_gr_slot slot) {
    static const tl_gr_tense tenses[] = {TL_GR_PRESENT, TL_GR_NOW, TL_GR_PAST};
    tl_gr_phrase *p = &m->phrase[slot];
    if (p->person != TL_GR_NOUN || p->determiner != TL_GR_THE || p->number > 0) return;
    int kinds = tl_gr_nouns[p->noun].kinds;
    bool whom = !(kinds & TL_GR_PERSON) || chance(d, 30);
    const tl_gr_verb *v = &tl_gr_verbs[m->inner_verb = below(d, tl_gr_verb_count)];
    m->inner_tense = tenses[below(d, 3)];
    if (!can_be_inner(v, m->inner_tense, whom)) return;
    if (m->form == TL_GR_CLAUSE &&
        (m->inner_verb == m->verb || (slot == TL_GR_OBJECT && v->objects == TL_GR_FOOD)))
        return; /* who would wash the egg that was washed, or eaten? */
    if (whom ? !(v->objects & kinds) : !(v->subjects & kinds)) return;
    tl_gr_phrase *inner = &m->phrase[TL_GR_INNER];
    if (whom && chance(d, 60))
        draw_pronoun(d, inner);
    else if (whom || v->objects)
        draw_phrase(d, m, TL_GR_INNER, whom ? TL_GR_PERSON : v->objects, PLAIN);
    if ((whom || v->objects) && inner->person == TL_GR_NOUN && inner->noun == p->noun) return;
    p->relative = whom ? TL_GR_WHOM : TL_GR_WHO;
}

static void draw_relative(draws *d, tl_gr_meaning *m, tl_gr_slot slot) {
    for (int tries = 0; tries < 6 && !m->phrase[slot].relative; tries++) try_relative(d, m, slot);
}

static range object_range(const tl_gr_meaning *m, const tl_gr_verb *v) {
    if (v->flags & TL_GR_HAVE) return INDEFINITE;
    if (v->flags & TL_GR_STATE) return DEFINITE;
    return m->denied ? DENIED : EITHER;
}

static bool draw_object(draws *d, tl_gr_meaning *m, const tl_gr_verb *v) {
    tl_gr_phrase *p = &m->phrase[TL_GR_OBJECT];
    m->object = true;
    if ((v->objects & TL_GR_PERSON) && !(v->flags & TL_GR_HAVE) && chance(d, 30)) {
        draw_pronoun(d, p);
        return !clash(p, &m->phrase[TL_GR_SUBJECT]);
    }
    draw_phrase(d, m, TL_GR_OBJECT, v->objects, object_range(m, v));
    if ((v->flags & TL_GR_HAVE) && m->denied) {
        p->determiner = TL_GR_ANYOF;
        p->plural = true;
        p->number = 0;
    }
    return m->phrase[TL_GR_SUBJECT].person != TL_GR_NOUN || m->phrase[TL_GR_SUBJECT].noun != p->noun;
}

static bool draw_receiver(draws *d, tl_gr_meaning *m) {
    tl_gr_phrase *p = &m->phrase[TL_GR_TO];
    m->to = true;
    if (chance(d, 50)) {
        draw_pronoun(d, p);
        return !clash(p, &m->phrase[TL_GR_SUBJECT]);
    }
    draw_phrase(d, m, TL_GR_TO, TL_GR_PERSON, DEFINITE);
    return m->phrase[TL_GR_SUBJECT].person != TL_GR_NOUN || m->phrase[TL_GR_SUBJECT].noun != p->noun;
}

static tl_gr_tense draw_tense(draws *d) {
    static const int shares[TL_GR_TENSES] = {22, 16, 26, 15, 7, 8, 6}; /* of 100 */
    int roll = below(d, 100), tense = 0;
    while (roll >= shares[tense]) roll -= shares[tense++];
    return (tl_gr_tense)tense;
}

static bool draw_clause(draws *d, tl_gr_meaning *m) {
    const tl_gr_verb *v = &tl_gr_verbs[m->verb = below(d, tl_gr_verb_count)];
    m->tense = draw_tense(d);
    m->denied = chance(d, 25);
    m->asked = !m->denied && chance(d, 18);
    if (v->objects == 0 && !(v->flags & TL_GR_GO) && chance(d, 60)) return false; /* there is less to say */
    if (!(v->tenses & 1 << m->tense) || (m->tense == TL_GR_MUST && m->denied)) return false;
    if (m->tense == TL_GR_PAST && (v->flags & TL_GR_NO_PAST) && !m->denied) return false;
    draw_subject(d, m, v->subjects);
    if (m->asked && m->phrase[TL_GR_SUBJECT].person == TL_GR_I) return false;
    if (v->objects && !draw_object(d, m, v)) return false;
    if ((v->flags & TL_GR_GIVE) && !draw_receiver(d, m)) return false;
    if (!m->asked && chance(d, 30)) draw_relative(d, m, TL_GR_SUBJECT);
    bool has_relative = m->phrase[TL_GR_SUBJECT].relative != TL_GR_NO_RELATIVE;
    if (!m->asked && !m->to && !has_relative && m->object && chance(d, 30)) {
        draw_relative(d, m, TL_GR_OBJECT);
        has_relative = m->phrase[TL_GR_OBJECT].relative != TL_GR_NO_RELATIVE;
    }
    if (!has_relative || m->tense == TL_GR_PRESENT) draw_time(d, m);
    if (has_relative && m->time >= 0 && m->phrase[TL_GR_OBJECT].relative)
        return false; /* whose time is it? */
    if (v->flags & TL_GR_GO) {
        draw_place(d, m);
        if (tl_gr_nouns[m->phrase[TL_GR_AT].noun].kinds & TL_GR_HOUSE) return false;
    } else if (!has_relative && !(v->flags & (TL_GR_STATE | TL_GR_NO_PLACE)) && chance(d, 30)) {
        draw_place(d, m);
        if (m->object && m->phrase[TL_GR_OBJECT].person == TL_GR_NOUN &&
            (tl_gr_nouns[m->phrase[TL_GR_OBJECT].noun].kinds & TL_GR_PLACE))
            return false;
    }
    return true;
}

static bool draw_being(draws *d, tl_gr_meaning *m) {
    tl_gr_phrase *p = &m->phrase[TL_GR_SUBJECT];
    draw_subject(d, m, TL_GR_ANY);
    const tl_gr_adjective *a = &tl_gr_adjectives[m->adjective = below(d, tl_gr_adjective_count)];
    int kinds =
        p->person == TL_GR_NOUN ? tl_gr_nouns[p->noun].kinds : TL_GR_PERSON | TL_GR_GROWN | TL_GR_AGED;
    if (!(a->being & kinds)) return false;
    p->before = p->after = -1;
    m->denied = chance(d, 25);
    m->asked = !m->denied && chance(d, 20);
    m->very = !m->denied && !m->asked && !a->colour && chance(d, 35);
    if (m->asked && p->person == TL_GR_I) return false;
    if (!m->asked && chance(d, 40)) draw_relative(d, m, TL_GR_SUBJECT);
    return true;
}

static bool draw_there(draws *d, tl_gr_meaning *m) {
    tl_gr_phrase *p = &m->phrase[TL_GR_OBJECT];
    m->denied = chance(d, 20);
    m->asked = !m->denied && chance(d, 20);
    draw_phrase(d, m, TL_GR_OBJECT,
                TL_GR_PERSON | TL_GR_ANIMAL | TL_GR_TREE | TL_GR_FLOWER | TL_GR_VEHICLE | TL_GR_THING,
                INDEFINITE);
    if (m->denied) {
        p->determiner = TL_GR_ANYOF;
        p->plural = true;
        p->number = 0;
    }
    m->object = true;
    draw_place(d, m);
    return true;
}

/* A verb by its English name. */
static int verb_named(const char *name) {
    int i = 0;
    while (i < tl_gr_verb_count - 1 && strcmp(tl_gr_verbs[i].en[0], name) != 0) i++;
    return i;
}

/* Something bought or found, and what became of it: a verb that 把 它 goes with. */
static bool draw_then(draws *d, tl_gr_meaning *m) {
    m->verb = verb_named(chance(d, 60) ? "buy" : "find");
    const tl_gr_verb *v = &tl_gr_verbs[m->verb];
    m->tense = TL_GR_PAST;
    draw_subject(d, m, v->subjects);
    draw_phrase(d, m, TL_GR_OBJECT, v->objects, EITHER);
    m->object = true;
    int fitting[32], count = 0;
    for (int i = 0; i < tl_gr_verb_count; i++)
        if ((tl_gr_verbs[i].flags & TL_GR_BA) &&
            (tl_gr_verbs[i].objects & tl_gr_nouns[m->phrase[TL_GR_OBJECT].noun].kinds))
            fitting[count++] = i;
    if (count > 0) m->then_verb = fitting[below(d, count)];
    return count > 0;
}

bool tl_gr_draw(tl_gr_meaning *m, tl_rng_key key, bool chinese) {
    draws d = {.key = key, .chinese = chinese};
    *m = (tl_gr_meaning){.time = -1};
    int roll = below(&d, 100);
    m->form = roll < 82 ? TL_GR_CLAUSE : roll < 92 ? TL_GR_BEING : roll < 95 ? TL_GR_THERE : TL_GR_THEN;
    switch (m->form) {
    case TL_GR_CLAUSE:
        return draw_clause(&d, m);
    case TL_GR_BEING:
        return draw_being(&d, m);
    case TL_GR_THERE:
        return draw_there(&d, m);
    default:
        return draw_then(&d, m);
    }
}

/* ---- what is kept from training ---- */

static bool reserved(const char *first, int noun) {
    char both[64];
    snprintf(both, sizeof both, "%s %s", first, tl_gr_nouns[noun].en[0]);
    return tl_rng_below(tl_rng_key_of(0, both), 0, TL_GR_RESERVED) == 0;
}

static bool reserved_adjective(int adjective, int noun) {
    return adjective >= 0 && reserved(tl_gr_adjectives[adjective].en, noun);
}

static bool reserved_verb(int verb, const tl_gr_phrase *object) {
    return object->person == TL_GR_NOUN && reserved(tl_gr_verbs[verb].en[0], object->noun);
}

static bool reserved_phrase(const tl_gr_meaning *m, const tl_gr_phrase *p) {
    if (p->person != TL_GR_NOUN) return false;
    if (reserved_adjective(p->before, p->noun) || reserved_adjective(p->after, p->noun)) return true;
    if (p->relative == TL_GR_WHOM) return reserved_verb(m->inner_verb, p);
    return p->relative == TL_GR_WHO && tl_gr_verbs[m->inner_verb].objects &&
           reserved_verb(m->inner_verb, &m->phrase[TL_GR_INNER]);
}

bool tl_gr_reserved(const tl_gr_meaning *m) {
    const tl_gr_phrase *object = &m->phrase[TL_GR_OBJECT], *subject = &m->phrase[TL_GR_SUBJECT];
    bool acts = m->form == TL_GR_CLAUSE || m->form == TL_GR_THEN;
    bool goes = m->form == TL_GR_CLAUSE && (tl_gr_verbs[m->verb].flags & TL_GR_GO);
    if (m->form != TL_GR_THERE && reserved_phrase(m, subject)) return true;
    if (m->form == TL_GR_BEING && subject->person == TL_GR_NOUN &&
        reserved_adjective(m->adjective, subject->noun))
        return true;
    if (m->object && (reserved_phrase(m, object) || (acts && reserved_verb(m->verb, object)))) return true;
    if (m->form == TL_GR_THEN && reserved_verb(m->then_verb, object)) return true;
    if (m->to && reserved_phrase(m, &m->phrase[TL_GR_TO])) return true;
    if (m->at && reserved_phrase(m, &m->phrase[TL_GR_AT])) return true;
    return goes && reserved_verb(m->verb, &m->phrase[TL_GR_AT]);
}
