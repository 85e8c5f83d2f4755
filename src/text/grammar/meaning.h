/* What a sentence means, before any language says it: who, what, where, when, denied or asked; words are indices. */
#ifndef TL_TEXT_GRAMMAR_MEANING_H
#define TL_TEXT_GRAMMAR_MEANING_H

#include "words.h"

typedef enum tl_gr_person { TL_GR_I, TL_GR_HE, TL_GR_SHE, TL_GR_WE, TL_GR_THEY, TL_GR_NOUN } tl_gr_person;
typedef enum tl_gr_determiner {
    TL_GR_THE,
    TL_GR_THIS,
    TL_GR_THAT,
    TL_GR_MY, /* the possessives in the order of tl_gr_person */
    TL_GR_HIS,
    TL_GR_HER,
    TL_GR_OUR,
    TL_GR_THEIR,
    TL_GR_OWNER, /* as "the girl 's" */
    TL_GR_A,
    TL_GR_SOME,
    TL_GR_BARE, /* only a numeral */
    TL_GR_ANYOF /* "any", in a denied clause */
} tl_gr_determiner;
typedef enum tl_gr_relative { TL_GR_NO_RELATIVE, TL_GR_WHO, TL_GR_WHOM } tl_gr_relative;

typedef struct tl_gr_phrase {
    tl_gr_person person;
    tl_gr_determiner determiner;
    int noun, plural, number; /* number: 0 (none), or 2 and more */
    int before, after;        /* adjectives; -1: none */
    tl_gr_relative relative;
} tl_gr_phrase;

/* The phrases of a sentence. */
typedef enum tl_gr_slot {
    TL_GR_SUBJECT,
    TL_GR_OBJECT,
    TL_GR_TO,
    TL_GR_AT,
    TL_GR_INNER, /* the second phrase of the relative clause */
    TL_GR_OWNER_OF_SUBJECT,
    TL_GR_OWNER_OF_OBJECT,
    TL_GR_SLOTS
} tl_gr_slot;

typedef enum tl_gr_form { TL_GR_CLAUSE, TL_GR_BEING, TL_GR_THERE, TL_GR_THEN } tl_gr_form;

typedef struct tl_gr_meaning {
    tl_gr_form form;
    tl_gr_phrase phrase[TL_GR_SLOTS];
    int verb;
    tl_gr_tense tense;
    bool denied, asked, often;
    bool object, to, at; /* which of these phrases the sentence has */
    int preposition;     /* of the place: tl_gr_preposition */
    int time;            /* -1: none */
    int adjective;       /* for TL_GR_BEING */
    bool very;
    int inner_verb; /* of the relative clause */
    tl_gr_tense inner_tense;
    int then_verb; /* for TL_GR_THEN */
} tl_gr_meaning;
enum tl_gr_preposition { TL_GR_IN, TL_GR_NEAR, TL_GR_BEHIND };

/* The phrase of the owner of the phrase in this slot. */
static inline tl_gr_slot tl_gr_owner(tl_gr_slot slot) {
    return slot == TL_GR_SUBJECT ? TL_GR_OWNER_OF_SUBJECT : TL_GR_OWNER_OF_OBJECT;
}
static inline bool tl_gr_is_plural(const tl_gr_phrase *p) {
    return p->person == TL_GR_NOUN ? p->plural : p->person >= TL_GR_WE;
}

#endif
