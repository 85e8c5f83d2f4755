/* Which meanings are kept out of training. A combination of two words is reserved by a hash of their English names, so
 * it is the same for every seed. */
#include "reserved.h"
#include "tapeloom/tensor.h"

#include <stdio.h>

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
