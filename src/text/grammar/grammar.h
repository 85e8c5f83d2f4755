/* A small grammar of English with French and Chinese beside it: sentences for attention to work on, and the
 * true alignment of each. A sentence is drawn as a meaning (tl_gr_meaning: who, what, where, when, denied or
 * asked), and each language says that meaning by itself. A meaning consists of parts, each of them one bit;
 * every token carries the bits of the parts it expresses; two tokens are linked where they share a bit.
 *
 * What there is
 *   clause        the girls often read the newspaper .  les filles lisent souvent le journal .
 *                                                       那些 女孩 经常 看 那 份 报纸 。
 *   times         is reading: lit, 正在 看 · bought: a acheté, 买 了 · will buy: va acheter, 会 买 ·
 *                 can, wants to, must: peut, veut, doit, 能, 想, 必须. French participles agree with the subject
 *                 after être, and with an object that stands before: "les pommes que j' ai achetées"
 *   denied        the cats do not sleep .  les chats ne dorment pas .  那些 猫 不 睡觉 。  (past: 没; any: de, nothing)
 *   asked         does he like the dog ?  est-ce qu' il aime le chien ?  他 喜欢 那 只 狗 吗 ？
 *   pronouns      she sees him .  elle le voit … she will help us .  elle va nous aider .  她 会 帮助 我们 。
 *   giving        he gave the book to her .  il lui a donné le livre .  他 把 那 本 书 给 了 她 。
 *   going         we went to the village .  nous sommes allés au village .  我们 去 了 村子 。
 *   being         the house is not big .  la maison n' est pas grande .  那 座 房子 不 大 。
 *   there is      there are two cats near the school .  il y a deux chats près de l' école .  学校 附近 有 两 只 猫 。
 *   one, then the other
 *                 he bought an apple and ate it .  il a acheté une pomme et l' a mangée .
 *                 他 买 了 一 个 苹果 ， 然后 把 它 吃 了 。
 * and in the phrases: articles, this and that, possessives (French ones agree with what is possessed), numerals with
 * measure words, "the girl 's cat" (le chat de la fille), adjectives before and after the French noun (le petit chat
 * noir, 那 只 黑色 的 小 猫), bel/nouvel/vieil, elision and its lack before h aspiré (le hibou), au/aux/du/des, places,
 * times (before the verb in Chinese), relative clauses (the dog that I bought: le chien que j' ai acheté, 我 买 的
 * 那 只 狗), 把 where a known object was eaten, sold, lost … . "I", "we" and "they" are masculine in French.
 *
 * The parts. Pairs of an adjective with the noun that it describes (before it or after "is") and of a verb with
 * its object ("go": with its place, none of which the hash chose; in relative clauses too) are combinations. One in TL_GR_RESERVED of them,
 * chosen by a hash of their English words and so the same for every seed, is reserved. A sentence with a reserved
 * combination is never in TRAIN, whatever the seed; every sentence of HELD_OUT has at least one. Each single word
 * of HELD_OUT, in both languages and in the very form, is in one of the first TL_GR_BASIS sentences of TRAIN with
 * the same seed. A stream has TL_GR_STREAM sentences.
 *
 * The alignment. "not" belongs to ne and pas, to 不 or 没. An auxiliary belongs to its like ("will": va, 会; "is" before
 * -ing: 正在); where there is none, it belongs to the verb ("do": dorment), as a verb belongs to both where
 * only the other language has one ("bought": a, acheté; 买, 了). The auxiliary of a question belongs to "est-ce que"
 * or 吗 as well. "did not" belongs to 没. A measure word belongs to the numeral, without one to the article:
 * "a": 一 只. "'s" belongs to "de", 的; the article that French puts before the thing possessed is not linked,
 * nor are, in Chinese, 把, "any", "the" of a place, "to" of going, and "is" where there is no 很 or 是.
 * Contractions belong to both words ("to", "the": au). */
#ifndef TL_TEXT_GRAMMAR_H
#define TL_TEXT_GRAMMAR_H

#include "tapeloom/text.h"

#define TL_GR_STREAM 100000L /* sentences of each stream */
#define TL_GR_BASIS 10000L   /* so many of TRAIN show every word of HELD_OUT */
#define TL_GR_RESERVED 8     /* one combination in so many is kept from training */
#define TL_GR_TOKENS 16      /* at most so many on each side */

/* ---- the words (words.c) ---- */

enum { /* what kind of thing a noun names; verbs and adjectives say which kinds they go with */
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
       TL_GR_OWNED = 1 << 26, /* somebody's: never just "the" */
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
    const char *fr[5]; /* masculine, feminine, the same in plural, masculine before a vowel */
    bool before;       /* the French noun; in Chinese such a one stands next to the noun */
    const char *zh;
    bool de;                 /* 的 between it and the noun */
    bool colour;             /* "is": 是 … 的 */
    const char *zh_of_thing; /* what it is called of things, where that differs */
    int described, being;    /* kinds of nouns that it describes, before the noun and after "is" */
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
    const char *zh, *zh_tail; /* 唱, 歌: what 了 comes between */
    int tenses;               /* bits 1 << tl_gr_tense */
    int subjects, objects;    /* kinds; objects 0: none */
    int flags;
} tl_gr_verb;
enum {
    TL_GR_STATE = 1,   /* a state: present without a word of time */
    TL_GR_NO_PAST = 2, /* not "read", which could be either time, nor 睡 了: only "did not" */
    TL_GR_BA = 4,      /* 把 before a known object in the past */
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
    int fr_first; /* which token of the French belongs to the first English word */
    tl_gr_tense tense;
} tl_gr_time;
extern const tl_gr_time tl_gr_times[];
extern const int tl_gr_time_count;

/* ---- the meaning (draw.c) ---- */

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
    TL_GR_OWNER, /* "the girl 's" */
    TL_GR_A,
    TL_GR_SOME,
    TL_GR_BARE, /* a numeral alone */
    TL_GR_ANYOF /* "any", denied */
} tl_gr_determiner;
typedef enum tl_gr_relative { TL_GR_NO_RELATIVE, TL_GR_WHO, TL_GR_WHOM } tl_gr_relative;

typedef struct tl_gr_phrase {
    tl_gr_person person;
    tl_gr_determiner determiner;
    int noun, plural, number; /* number: 0, or 2 … */
    int before, after;        /* adjectives, or -1 */
    tl_gr_relative relative;
} tl_gr_phrase;

typedef enum tl_gr_slot { /* the phrases of a sentence */
                          TL_GR_SUBJECT,
                          TL_GR_OBJECT,
                          TL_GR_TO,
                          TL_GR_AT,
                          TL_GR_INNER, /* the other one in the relative clause */
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
    bool object, to, at; /* whether these phrases are there */
    int preposition;     /* of the place: tl_gr_preposition */
    int time;            /* or -1 */
    int adjective;       /* of TL_GR_BEING */
    bool very;
    int inner_verb; /* of the relative clause */
    tl_gr_tense inner_tense;
    int then_verb; /* of TL_GR_THEN */
} tl_gr_meaning;
enum tl_gr_preposition { TL_GR_IN, TL_GR_NEAR, TL_GR_BEHIND };

/* Draws a meaning; false if what was drawn cannot be said well: then draw with another key. */
bool tl_gr_draw(tl_gr_meaning *meaning, tl_rng_key key, bool chinese);
/* Whether a reserved combination is in it. */
bool tl_gr_reserved(const tl_gr_meaning *meaning);

/* ---- saying it (english.c, french.c, chinese.c) ---- */

enum { TL_GR_DET, TL_GR_NUM, TL_GR_BEFORE, TL_GR_AFTER, TL_GR_NOUN_PART, TL_GR_OF, TL_GR_PARTS };
#define TL_GR_BIT(slot, part) (1ULL << ((slot)*TL_GR_PARTS + (part)))
#define TL_GR_CLAUSE_BIT(n) (1ULL << (TL_GR_SLOTS * TL_GR_PARTS + (n)))
#define TL_GR_B_VERB TL_GR_CLAUSE_BIT(0)
#define TL_GR_B_AUX TL_GR_CLAUSE_BIT(1)
#define TL_GR_B_NOT TL_GR_CLAUSE_BIT(2)
#define TL_GR_B_ASK TL_GR_CLAUSE_BIT(3)
#define TL_GR_B_TIME TL_GR_CLAUSE_BIT(4)  /* a time's first word */
#define TL_GR_B_TIME2 TL_GR_CLAUSE_BIT(5) /* and its second */
#define TL_GR_B_OFTEN TL_GR_CLAUSE_BIT(6)
#define TL_GR_B_AT TL_GR_CLAUSE_BIT(7)
#define TL_GR_B_TO TL_GR_CLAUSE_BIT(8)
#define TL_GR_B_END TL_GR_CLAUSE_BIT(9)
#define TL_GR_B_WHO TL_GR_CLAUSE_BIT(10)
#define TL_GR_B_VERB2 TL_GR_CLAUSE_BIT(11) /* the relative clause's, or the one after "and" */
#define TL_GR_B_AUX2 TL_GR_CLAUSE_BIT(12)
#define TL_GR_B_AND TL_GR_CLAUSE_BIT(13)
#define TL_GR_B_IT TL_GR_CLAUSE_BIT(14)
#define TL_GR_B_THERE TL_GR_CLAUSE_BIT(15)
#define TL_GR_B_VERY TL_GR_CLAUSE_BIT(16)
#define TL_GR_B_BEING TL_GR_CLAUSE_BIT(17) /* the adjective after "is" */

/* One side of a sentence as it grows: tokens with single spaces between. */
typedef struct tl_gr_side {
    char text[512];
    size_t used;
    int tokens; /* may count beyond TL_GR_TOKENS: then the sentence is too long, and the rest was not written */
    uint64_t parts[TL_GR_TOKENS];
    bool elides; /* French: the last token loses its vowel before another */
} tl_gr_side;

void tl_gr_say(tl_gr_side *side, const char *word, uint64_t parts);
void tl_gr_english(const tl_gr_meaning *meaning, tl_gr_side *side);
void tl_gr_french(const tl_gr_meaning *meaning, tl_gr_side *side);
void tl_gr_chinese(const tl_gr_meaning *meaning, tl_gr_side *side);

/* The phrase that owns the one in this slot. */
static inline tl_gr_slot tl_gr_owner(tl_gr_slot slot) {
    return slot == TL_GR_SUBJECT ? TL_GR_OWNER_OF_SUBJECT : TL_GR_OWNER_OF_OBJECT;
}
static inline bool tl_gr_is_plural(const tl_gr_phrase *p) {
    return p->person == TL_GR_NOUN ? p->plural : p->person >= TL_GR_WE;
}

#endif
