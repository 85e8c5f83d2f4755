/* Drawing a phrase: a noun, its determiner, its adjectives. */
#include "phrase.h"

static int draw_noun(tl_gr_draws *d, int kinds) {
    int fitting = 0;
    for (int i = 0; i < tl_gr_noun_count; i++) fitting += (tl_gr_nouns[i].kinds & kinds) != 0;
    int left = fitting > 0 ? tl_gr_below(d, fitting) : -1;
    for (int i = 0; i < tl_gr_noun_count; i++)
        if ((tl_gr_nouns[i].kinds & kinds) && left-- == 0) return i;
    return -1;
}

static bool is_possessive(tl_gr_determiner det) { return det >= TL_GR_MY && det <= TL_GR_OWNER; }

/* Can this adjective describe the phrase's noun? After 我 的, only colours, since they can stand without a second 的: 我 的
 * 红色 汽车. */
static bool describes(const tl_gr_draws *d, const tl_gr_adjective *a, const tl_gr_phrase *p) {
    if (!(a->described & tl_gr_nouns[p->noun].kinds)) return false;
    return !d->chinese || !a->de || a->colour || !is_possessive(p->determiner);
}

static int draw_adjective(tl_gr_draws *d, const tl_gr_phrase *p, bool before) {
    int fitting[32], count = 0;
    for (int i = 0; i < tl_gr_adjective_count; i++)
        if (tl_gr_adjectives[i].before == before && describes(d, &tl_gr_adjectives[i], p))
            fitting[count++] = i;
    return count > 0 ? fitting[tl_gr_below(d, count)] : -1;
}

static void draw_adjectives(tl_gr_draws *d, tl_gr_phrase *p) {
    if (tl_gr_chance(d, 30)) p->before = draw_adjective(d, p, true);
    if (tl_gr_chance(d, 25)) p->after = draw_adjective(d, p, false);
    if (p->before < 0 || p->after < 0) return;
    /* two adjectives do not go well together */
    if (tl_gr_adjectives[p->before].de || !tl_gr_adjectives[p->after].colour) p->after = -1;
}

/* Some nouns have no possessor (no "my woman"), and some always have one (no "the friend"). */
static tl_gr_determiner draw_definite(tl_gr_draws *d, int noun, bool may_have_owner) {
    bool owned = !(tl_gr_nouns[noun].kinds & (TL_GR_KID | TL_GR_ADULT));
    int roll = tl_gr_below(d, (tl_gr_nouns[noun].kinds & TL_GR_OWNED) ? may_have_owner ? 30 : 20 : 100);
    if (owned && roll < 20) return (tl_gr_determiner)(TL_GR_MY + roll % 5);
    if (owned && may_have_owner && roll < 30) return TL_GR_OWNER;
    return roll < 80 ? TL_GR_THE : roll < 92 ? TL_GR_THIS : TL_GR_THAT;
}

static tl_gr_determiner draw_determiner(tl_gr_draws *d, int noun, tl_gr_range r, bool may_have_owner) {
    if (r == TL_GR_EITHER) r = tl_gr_chance(d, 40) ? TL_GR_INDEFINITE : TL_GR_DEFINITE;
    if (r == TL_GR_DENIED) {
        if (tl_gr_chance(d, 40)) return TL_GR_ANYOF;
        r = TL_GR_DEFINITE;
    }
    if (r == TL_GR_PLAIN && !(tl_gr_nouns[noun].kinds & TL_GR_OWNED)) return TL_GR_THE;
    if (r != TL_GR_INDEFINITE) return draw_definite(d, noun, may_have_owner);
    int roll = tl_gr_below(d, 100);
    return roll < 55 ? TL_GR_A : roll < 75 ? TL_GR_SOME : TL_GR_BARE;
}

static void draw_owner(tl_gr_draws *d, tl_gr_phrase *owner, int owned) {
    *owner = (tl_gr_phrase){.person = TL_GR_NOUN, .before = -1, .after = -1};
    do owner->noun = draw_noun(d, TL_GR_KID | TL_GR_CHILD | TL_GR_GROWN);
    while (owner->noun == owned); /* no "doctor 's doctor" */
    owner->plural = tl_gr_chance(d, 25);
}

void tl_gr_draw_phrase(tl_gr_draws *d, tl_gr_meaning *m, tl_gr_slot slot, int kinds, tl_gr_range r) {
    tl_gr_phrase *p = &m->phrase[slot];
    *p = (tl_gr_phrase){.person = TL_GR_NOUN, .before = -1, .after = -1};
    p->noun = draw_noun(d, kinds);
    bool may_have_owner = slot == TL_GR_SUBJECT || slot == TL_GR_OBJECT;
    p->determiner = draw_determiner(d, p->noun, r, may_have_owner);
    p->plural = slot != TL_GR_AT && tl_gr_chance(d, 35);
    if ((tl_gr_nouns[p->noun].kinds & (TL_GR_PLACE | TL_GR_HOUSE)) == TL_GR_PLACE) {
        p->plural = false; /* no "the ten kitchens" */
        if (p->determiner > TL_GR_A) p->determiner = TL_GR_A;
    }
    if (p->determiner == TL_GR_A) p->plural = false;
    if (p->determiner >= TL_GR_SOME) p->plural = true;
    bool countable = p->plural && p->determiner != TL_GR_SOME && p->determiner != TL_GR_ANYOF;
    if (p->determiner == TL_GR_BARE || (countable && tl_gr_chance(d, 25))) p->number = 2 + tl_gr_below(d, 5);
    if (p->determiner == TL_GR_OWNER) draw_owner(d, &m->phrase[tl_gr_owner(slot)], p->noun);
    if (slot != TL_GR_INNER) draw_adjectives(d, p);
}

void tl_gr_draw_pronoun(tl_gr_draws *d, tl_gr_phrase *p) {
    *p = (tl_gr_phrase){.person = (tl_gr_person)tl_gr_below(d, 5), .before = -1, .after = -1};
}
