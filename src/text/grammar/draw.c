/* Drawing what a sentence means: its form, who does what, where and when. This file and phrase.c decide what goes
 * together, once for all three languages. Anything that would be odd or ambiguous in one of them is not drawn. */
#include "draw.h"
#include "phrase.h"

#include <string.h>

static bool is_first(const tl_gr_phrase *p) { return p->person == TL_GR_I || p->person == TL_GR_WE; }

/* Are both phrases in the first person? "I see us" is odd in every language. */
static bool both_are_first(const tl_gr_phrase *a, const tl_gr_phrase *b) {
    return is_first(a) && is_first(b);
}

static void draw_subject(tl_gr_draws *d, tl_gr_meaning *m, int kinds) {
    if ((kinds & TL_GR_PERSON) == TL_GR_PERSON && tl_gr_chance(d, 45))
        tl_gr_draw_pronoun(d, &m->phrase[TL_GR_SUBJECT]);
    else
        tl_gr_draw_phrase(d, m, TL_GR_SUBJECT, kinds, TL_GR_DEFINITE);
}

static void draw_place(tl_gr_draws *d, tl_gr_meaning *m) {
    tl_gr_draw_phrase(d, m, TL_GR_AT, TL_GR_PLACE, tl_gr_chance(d, 70) ? TL_GR_PLAIN : TL_GR_DEFINITE);
    m->at = true;
    m->preposition = tl_gr_chance(d, 60) ? TL_GR_IN : tl_gr_chance(d, 60) ? TL_GR_NEAR : TL_GR_BEHIND;
}

/* Draws the time and "often". A habit needs a word of time, or it would be odd in Chinese. */
static void draw_time(tl_gr_draws *d, tl_gr_meaning *m) {
    bool habit = m->tense == TL_GR_PRESENT;
    if (habit && ((tl_gr_verbs[m->verb].flags & TL_GR_STATE) || m->denied)) return;
    if (habit && tl_gr_chance(d, 45)) {
        m->often = true;
        return;
    }
    if (!habit && !tl_gr_chance(d, 40)) return;
    int fitting[16], count = 0;
    for (int i = 0; i < tl_gr_time_count; i++)
        if (tl_gr_times[i].tense == m->tense) fitting[count++] = i;
    if (count > 0) m->time = fitting[tl_gr_below(d, count)];
}

/* Can the verb in this tense be in a relative clause? whom: the head is its object. */
static bool can_be_inner(const tl_gr_verb *v, tl_gr_tense tense, bool whom) {
    if (!(v->tenses & 1 << tense) || (v->flags & (TL_GR_GO | TL_GR_GIVE | TL_GR_HAVE))) return false;
    if (tense == TL_GR_PRESENT) return (v->flags & TL_GR_STATE) != 0;
    if (v->objects == 0) return !whom && tense == TL_GR_NOW;
    return tense == TL_GR_PAST ? !(v->flags & TL_GR_NO_PAST) : tense == TL_GR_NOW && !whom;
}

/* Gives the phrase a relative clause, if the drawn verb fits. */
static void try_relative(tl_gr_draws *d, tl_gr_meaning *m, tl_gr_slot slot) {
    static const tl_gr_tense tenses[] = {TL_GR_PRESENT, TL_GR_NOW, TL_GR_PAST};
    tl_gr_phrase *p = &m->phrase[slot];
    if (p->person != TL_GR_NOUN || p->determiner != TL_GR_THE || p->number > 0) return;
    int kinds = tl_gr_nouns[p->noun].kinds;
    bool whom = !(kinds & TL_GR_PERSON) || tl_gr_chance(d, 30);
    const tl_gr_verb *v = &tl_gr_verbs[m->inner_verb = tl_gr_below(d, tl_gr_verb_count)];
    m->inner_tense = tenses[tl_gr_below(d, 3)];
    if (!can_be_inner(v, m->inner_tense, whom)) return;
    if (m->form == TL_GR_CLAUSE &&
        (m->inner_verb == m->verb || (slot == TL_GR_OBJECT && v->objects == TL_GR_FOOD)))
        return; /* nobody washes the egg that was washed already, or that was eaten */
    if (whom ? !(v->objects & kinds) : !(v->subjects & kinds)) return;
    tl_gr_phrase *inner = &m->phrase[TL_GR_INNER];
    if (whom && tl_gr_chance(d, 60))
        tl_gr_draw_pronoun(d, inner);
    else if (whom || v->objects)
        tl_gr_draw_phrase(d, m, TL_GR_INNER, whom ? TL_GR_PERSON : v->objects, TL_GR_PLAIN);
    if ((whom || v->objects) && inner->person == TL_GR_NOUN && inner->noun == p->noun) return;
    p->relative = whom ? TL_GR_WHOM : TL_GR_WHO;
}

static void draw_relative(tl_gr_draws *d, tl_gr_meaning *m, tl_gr_slot slot) {
    for (int tries = 0; tries < 6 && !m->phrase[slot].relative; tries++) try_relative(d, m, slot);
}

static tl_gr_range object_range(const tl_gr_meaning *m, const tl_gr_verb *v) {
    if (v->flags & TL_GR_HAVE) return TL_GR_INDEFINITE;
    if (v->flags & TL_GR_STATE) return TL_GR_DEFINITE;
    return m->denied ? TL_GR_DENIED : TL_GR_EITHER;
}

static bool draw_object(tl_gr_draws *d, tl_gr_meaning *m, const tl_gr_verb *v) {
    tl_gr_phrase *p = &m->phrase[TL_GR_OBJECT];
    m->object = true;
    if ((v->objects & TL_GR_PERSON) && !(v->flags & TL_GR_HAVE) && tl_gr_chance(d, 30)) {
        tl_gr_draw_pronoun(d, p);
        return !both_are_first(p, &m->phrase[TL_GR_SUBJECT]);
    }
    tl_gr_draw_phrase(d, m, TL_GR_OBJECT, v->objects, object_range(m, v));
    if ((v->flags & TL_GR_HAVE) && m->denied) {
        p->determiner = TL_GR_ANYOF;
        p->plural = true;
        p->number = 0;
    }
    return m->phrase[TL_GR_SUBJECT].person != TL_GR_NOUN || m->phrase[TL_GR_SUBJECT].noun != p->noun;
}

static bool draw_receiver(tl_gr_draws *d, tl_gr_meaning *m) {
    tl_gr_phrase *p = &m->phrase[TL_GR_TO];
    m->to = true;
    if (tl_gr_chance(d, 50)) {
        tl_gr_draw_pronoun(d, p);
        return !both_are_first(p, &m->phrase[TL_GR_SUBJECT]);
    }
    tl_gr_draw_phrase(d, m, TL_GR_TO, TL_GR_PERSON, TL_GR_DEFINITE);
    return m->phrase[TL_GR_SUBJECT].person != TL_GR_NOUN || m->phrase[TL_GR_SUBJECT].noun != p->noun;
}

static tl_gr_tense draw_tense(tl_gr_draws *d) {
    static const int shares[TL_GR_TENSES] = {22, 16, 26, 15, 7, 8, 6}; /* of 100 */
    int roll = tl_gr_below(d, 100), tense = 0;
    while (roll >= shares[tense]) roll -= shares[tense++];
    return (tl_gr_tense)tense;
}

static bool draw_clause(tl_gr_draws *d, tl_gr_meaning *m) {
    const tl_gr_verb *v = &tl_gr_verbs[m->verb = tl_gr_below(d, tl_gr_verb_count)];
    m->tense = draw_tense(d);
    m->denied = tl_gr_chance(d, 25);
    m->asked = !m->denied && tl_gr_chance(d, 18);
    /* fewer short sentences */
    if (v->objects == 0 && !(v->flags & TL_GR_GO) && tl_gr_chance(d, 60)) return false;
    if (!(v->tenses & 1 << m->tense) || (m->tense == TL_GR_MUST && m->denied)) return false;
    if (m->tense == TL_GR_PAST && (v->flags & TL_GR_NO_PAST) && !m->denied) return false;
    draw_subject(d, m, v->subjects);
    if (m->asked && m->phrase[TL_GR_SUBJECT].person == TL_GR_I) return false;
    if (v->objects && !draw_object(d, m, v)) return false;
    if ((v->flags & TL_GR_GIVE) && !draw_receiver(d, m)) return false;
    if (!m->asked && tl_gr_chance(d, 30)) draw_relative(d, m, TL_GR_SUBJECT);
    bool has_relative = m->phrase[TL_GR_SUBJECT].relative != TL_GR_NO_RELATIVE;
    if (!m->asked && !m->to && !has_relative && m->object && tl_gr_chance(d, 30)) {
        draw_relative(d, m, TL_GR_OBJECT);
        has_relative = m->phrase[TL_GR_OBJECT].relative != TL_GR_NO_RELATIVE;
    }
    if (!has_relative || m->tense == TL_GR_PRESENT) draw_time(d, m);
    /* the time would follow two verbs, and could belong to either */
    if (has_relative && m->time >= 0 && m->phrase[TL_GR_OBJECT].relative) return false;
    if (v->flags & TL_GR_GO) {
        draw_place(d, m);
        if (tl_gr_nouns[m->phrase[TL_GR_AT].noun].kinds & TL_GR_HOUSE) return false;
    } else if (!has_relative && !(v->flags & (TL_GR_STATE | TL_GR_NO_PLACE)) && tl_gr_chance(d, 30)) {
        draw_place(d, m);
        if (m->object && m->phrase[TL_GR_OBJECT].person == TL_GR_NOUN &&
            (tl_gr_nouns[m->phrase[TL_GR_OBJECT].noun].kinds & TL_GR_PLACE))
            return false;
    }
    return true;
}

static bool draw_being(tl_gr_draws *d, tl_gr_meaning *m) {
    tl_gr_phrase *p = &m->phrase[TL_GR_SUBJECT];
    draw_subject(d, m, TL_GR_ANY);
    const tl_gr_adjective *a = &tl_gr_adjectives[m->adjective = tl_gr_below(d, tl_gr_adjective_count)];
    int kinds =
        p->person == TL_GR_NOUN ? tl_gr_nouns[p->noun].kinds : TL_GR_PERSON | TL_GR_GROWN | TL_GR_AGED;
    if (!(a->being & kinds)) return false;
    p->before = p->after = -1;
    m->denied = tl_gr_chance(d, 25);
    m->asked = !m->denied && tl_gr_chance(d, 20);
    m->very = !m->denied && !m->asked && !a->colour && tl_gr_chance(d, 35);
    if (m->asked && p->person == TL_GR_I) return false;
    if (!m->asked && tl_gr_chance(d, 40)) draw_relative(d, m, TL_GR_SUBJECT);
    return true;
}

static bool draw_there(tl_gr_draws *d, tl_gr_meaning *m) {
    tl_gr_phrase *p = &m->phrase[TL_GR_OBJECT];
    m->denied = tl_gr_chance(d, 20);
    m->asked = !m->denied && tl_gr_chance(d, 20);
    tl_gr_draw_phrase(d, m, TL_GR_OBJECT,
                      TL_GR_PERSON | TL_GR_ANIMAL | TL_GR_TREE | TL_GR_FLOWER | TL_GR_VEHICLE | TL_GR_THING,
                      TL_GR_INDEFINITE);
    if (m->denied) {
        p->determiner = TL_GR_ANYOF;
        p->plural = true;
        p->number = 0;
    }
    m->object = true;
    draw_place(d, m);
    return true;
}

/* The verb with this English name. */
static int verb_named(const char *name) {
    int i = 0;
    while (i < tl_gr_verb_count - 1 && strcmp(tl_gr_verbs[i].en[0], name) != 0) i++;
    return i;
}

/* Draws something bought or found, and what happened to it: a verb that can have 把 它. */
static bool draw_then(tl_gr_draws *d, tl_gr_meaning *m) {
    m->verb = verb_named(tl_gr_chance(d, 60) ? "buy" : "find");
    const tl_gr_verb *v = &tl_gr_verbs[m->verb];
    m->tense = TL_GR_PAST;
    draw_subject(d, m, v->subjects);
    tl_gr_draw_phrase(d, m, TL_GR_OBJECT, v->objects, TL_GR_EITHER);
    m->object = true;
    int fitting[32], count = 0;
    for (int i = 0; i < tl_gr_verb_count; i++)
        if ((tl_gr_verbs[i].flags & TL_GR_BA) &&
            (tl_gr_verbs[i].objects & tl_gr_nouns[m->phrase[TL_GR_OBJECT].noun].kinds))
            fitting[count++] = i;
    if (count > 0) m->then_verb = fitting[tl_gr_below(d, count)];
    return count > 0;
}

bool tl_gr_draw(tl_gr_meaning *m, tl_rng_key key, bool chinese) {
    tl_gr_draws d = {.key = key, .chinese = chinese};
    *m = (tl_gr_meaning){.time = -1};
    int roll = tl_gr_below(&d, 100);
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
