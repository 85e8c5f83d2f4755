/* The words of the three languages, and which words go together. They know nothing else of the grammar. */
#ifndef TL_TEXT_GRAMMAR_WORDS_H
#define TL_TEXT_GRAMMAR_WORDS_H

#include <stdbool.h>

/* Kinds of things that a noun names; verbs and adjectives say which kinds they go with. */
enum {
    TL_GR_KID = 1,
    TL_GR_CHILD = 2,
    TL_GR_ADULT = 4,
    TL_GR_ROLE = 8,
    TL_GR_PERSON = 15,
    TL_GR_ANIMAL = 16,
    TL_GR_FOOD = 32,
    TL_GR_READ = 64,
    TL_GR_WRITTEN = 128,
    TL_GR_WORN = 256,
    TL_GR_VEHICLE = 512,
    TL_GR_THING = 1024,
    TL_GR_TREE = 2048,
    TL_GR_FLOWER = 4096,
    TL_GR_HOUSE = 8192,
    TL_GR_PLACE = 1 << 14,
    TL_GR_CARRIED = 1 << 15, /* can be lost and found */
    TL_GR_OPENED = 1 << 16,
    TL_GR_BROKEN = 1 << 17,
    TL_GR_WASHED = 1 << 18,
    TL_GR_PRETTY = 1 << 19,
    TL_GR_FAMOUS = 1 << 20,
    TL_GR_CURIOUS = 1 << 21, /* can be interesting */
    TL_GR_GROWN = 1 << 22,   /* can be young */
    TL_GR_COLOURED = 1 << 23,
    TL_GR_COSTLY = 1 << 24,
    TL_GR_SOLD = 1 << 25,  /* can be bought and given */
    TL_GR_OWNED = 1 << 26, /* always has a possessor: not just "the" */
    TL_GR_AGED = 1 << 27,  /* can be 老 */
    TL_GR_ANY = (1 << 26) - 1
};

typedef struct tl_gr_noun {
    const char *en[2], *fr[2]; /* singular, plural */
    bool feminine;
    const char *zh, *measure;
    int kinds;
} tl_gr_noun;

typedef struct tl_gr_adjective {
    const char *en;
    const char *fr[5]; /* masculine, feminine, both in plural, masculine before a vowel */
    bool before;       /* before the French noun; in Chinese next to the noun */
    const char *zh;
    bool de;                 /* has 的 between it and the noun */
    bool colour;             /* "is": 是 … 的 */
    const char *zh_of_thing; /* the Chinese word for things, if it is another */
    int described, being;    /* kinds of nouns that it can describe: before the noun, after "is" */
} tl_gr_adjective;

typedef enum tl_gr_tense {
    TL_GR_PRESENT,
    TL_GR_NOW,
    TL_GR_PAST,
    TL_GR_FUTURE,
    TL_GR_CAN,
    TL_GR_WANT,
    TL_GR_MUST,
    TL_GR_TENSES
} tl_gr_tense;

typedef struct tl_gr_verb {
    const char *en[4]; /* buy, buys, bought, buying */
    const char *particle;
    const char *fr[6]; /* infinitive; je, il, nous, ils; participle */
    bool etre;
    const char *zh, *zh_tail; /* 唱, 歌: 了 stands between the two */
    int tenses;               /* bits 1 << tl_gr_tense */
    int subjects, objects;    /* kinds of nouns; objects 0: none */
    int flags;
} tl_gr_verb;
enum {
    TL_GR_STATE = 1,   /* a state: present tense without a word of time */
    TL_GR_NO_PAST = 2, /* no past except "did not": "read" is ambiguous, and 睡 了 is odd */
    TL_GR_BA = 4,      /* has 把 before a known object in the past */
    TL_GR_NO_PLACE = 8,
    TL_GR_GO = 16,
    TL_GR_GIVE = 32,
    TL_GR_HAVE = 64
};

extern const tl_gr_noun tl_gr_nouns[];
extern const tl_gr_adjective tl_gr_adjectives[];
extern const tl_gr_verb tl_gr_verbs[];
extern const int tl_gr_noun_count, tl_gr_adjective_count, tl_gr_verb_count;

typedef struct tl_gr_time {
    const char *en[2], *fr[3], *zh[2];
    int fr_first; /* index of the French token that belongs to the first English word */
    tl_gr_tense tense;
} tl_gr_time;
extern const tl_gr_time tl_gr_times[];
extern const int tl_gr_time_count;

#endif
