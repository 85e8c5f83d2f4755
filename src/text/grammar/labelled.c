/* Labelled sentences of the English grammar, for classifiers. (seed, task) define a stream of distinct correct
 * sentences; a corpus is a range of it. A sentence's label, and any error put into it, are drawn from its index in the
 * stream. So ranges that do not overlap share no sentence, labelled or not.
 *
 *   agreement   right, wrong: does the main verb agree with its subject?  "the girls who see him like the cat ."
 *               Half of the sentences, on average, have the verb of the other number. Only verbs that show the number
 *               are drawn (likes, is, does).
 *   number      singular, plural: which number must the main verb have that is next?  "the girls who see him"  plural
 *               Only beginnings, up to the verb, of two words or more, with a noun as subject, all distinct.
 *   order       right, wrong: half of the sentences, on average, have two neighbouring words exchanged. The words
 *               without their order say nothing about the label.
 *   subject     the person or animal that the sentence is about, as its noun: "does the doctor 's cat see the dog ?"
 *               cat. Each sentence mentions at least one other. */
#include "draw.h"
#include "languages.h"
#include "base/memory.h"
#include "text/corpus/corpus.h"
#include "text/table.h"

#include <stdio.h>

#define MOST_LABELLED 100000L /* sentences of each stream */
#define ATTEMPTS 100000       /* draws without a new sentence after which a stream ends */

/* A sentence and its label. */
typedef struct example {
    tl_span word[TL_GR_TOKENS];
    int words;
    const char *label;
    tl_span key;     /* must differ between all sentences of the stream */
    tl_gr_side twin; /* the sentence that other words are taken from */
} example;

/* Makes an example from a meaning and how it is said. False if it does not fit the task. */
typedef bool labelling(const tl_gr_meaning *m, const tl_gr_side *said, bool wrong, example *e);

static void cut(const tl_gr_side *said, tl_span word[TL_GR_TOKENS], int *words) {
    tl_span rest = {said->text, said->used};
    for (*words = 0; *words < TL_GR_TOKENS && tl_next_token(&rest, &word[*words]);) ++*words;
}

static bool same(tl_span a, tl_span b) { return a.size == b.size && !memcmp(a.text, b.text, a.size); }

/* ---- agreement ---- */

/* The person of the other number; "I" and "we" become "he". */
static tl_gr_person other_number(tl_gr_person p) {
    return p == TL_GR_HE || p == TL_GR_SHE ? TL_GR_THEY : p == TL_GR_NOUN ? p : TL_GR_HE;
}

/* If `wrong`, replaces the main verb by that of the sentence with the other number. Returns the index of the first word
 * that shows the number; -1: none does. */
static int exchange_verb(const tl_gr_meaning *m, const tl_gr_side *said, bool wrong, example *e) {
    tl_gr_side *twin = &e->twin;
    const uint64_t main_verb = TL_GR_B_VERB | TL_GR_B_AUX;
    tl_gr_meaning other = *m;
    tl_gr_phrase *subject = &other.phrase[TL_GR_SUBJECT];
    tl_span word[TL_GR_TOKENS];
    int words, from = 0, shown = -1;
    if (m->form == TL_GR_THERE) return -1;
    subject->plural = !subject->plural;
    subject->person = other_number(subject->person);
    memset(twin, 0, sizeof *twin);
    tl_gr_english(&other, twin);
    if (twin->tokens > TL_GR_TOKENS) return -1;
    cut(twin, word, &words);
    for (int i = 0; i < e->words; i++) {
        if (!(said->parts[i] & main_verb)) continue;
        while (from < words && !(twin->parts[from] & main_verb)) from++;
        if (from == words) return -1;
        if (shown < 0 && !same(e->word[i], word[from])) shown = i;
        if (wrong) e->word[i] = word[from];
        from++;
    }
    return shown;
}

static bool agreement(const tl_gr_meaning *m, const tl_gr_side *said, bool wrong, example *e) {
    e->label = wrong ? "wrong" : "right";
    return exchange_verb(m, said, wrong, e) >= 0;
}

/* ---- number ---- */

static bool number(const tl_gr_meaning *m, const tl_gr_side *said, bool wrong, example *e) {
    const tl_gr_phrase *subject = &m->phrase[TL_GR_SUBJECT];
    (void)wrong;
    if (subject->person != TL_GR_NOUN) return false;
    e->words = exchange_verb(m, said, false, e);
    if (e->words < 2) return false;
    const tl_span last = e->word[e->words - 1];
    e->key.size = (size_t)(last.text - e->key.text) + last.size;
    e->label = subject->plural ? "plural" : "singular";
    return true;
}

/* ---- order ---- */

/* Exchanges two neighbouring words, if `wrong`. The sentence itself determines which; the mark at its end stays. */
static bool order(const tl_gr_meaning *m, const tl_gr_side *said, bool wrong, example *e) {
    (void)m;
    if (e->words < 4) return false;
    const int i = (int)(said->used % (size_t)(e->words - 2));
    const tl_span first = e->word[i];
    if (same(first, e->word[i + 1])) return false;
    if (wrong) e->word[i] = e->word[i + 1], e->word[i + 1] = first;
    e->label = wrong ? "wrong" : "right";
    return true;
}

/* ---- subject ---- */

static bool is_person_or_animal(const tl_gr_phrase *p) {
    return p->person == TL_GR_NOUN && (tl_gr_nouns[p->noun].kinds & (TL_GR_PERSON | TL_GR_ANIMAL));
}

static bool subject(const tl_gr_meaning *m, const tl_gr_side *said, bool wrong, example *e) {
    const tl_gr_phrase *who = &m->phrase[TL_GR_SUBJECT];
    uint64_t named = 0;
    int others = 0;
    (void)wrong;
    if (m->form == TL_GR_THERE || !is_person_or_animal(who)) return false;
    for (int i = 0; i < e->words; i++) named |= said->parts[i];
    for (int slot = TL_GR_OBJECT; slot < TL_GR_SLOTS; slot++)
        if ((named & TL_GR_BIT(slot, TL_GR_NOUN_PART)) && is_person_or_animal(&m->phrase[slot]))
            others += m->phrase[slot].noun != who->noun;
    e->label = tl_gr_nouns[who->noun].en[0];
    return others > 0;
}

/* ---- streams ---- */

static labelling *labelling_of(const char *task) {
    static const struct {
        const char *name;
        labelling *labelling;
    } tasks[] = {{"agreement", agreement}, {"number", number}, {"order", order}, {"subject", subject}};
    for (size_t i = 0; task && i < sizeof tasks / sizeof *tasks; i++)
        if (strcmp(task, tasks[i].name) == 0) return tasks[i].labelling;
    return NULL;
}

static bool check(tl_error *error, const tl_labelled_config *c) {
    if (!labelling_of(c->task))
        return tl_error_set(
            error, "labelled corpus: found the task \"%s\", expected agreement, number, order or subject",
            c->task ? c->task : "(none)");
    if (c->sentences <= 0 || c->first < 0)
        return tl_error_set(
            error,
            "labelled corpus: found %ld sentences from number %ld on, expected at least 1 from 0 or later",
            c->sentences, c->first);
    if (c->sentences > MOST_LABELLED || c->first > MOST_LABELLED - c->sentences)
        return tl_error_set(
            error,
            "labelled corpus: found %ld sentences from number %ld on, but there are %ld: ask for fewer",
            c->sentences, c->first, MOST_LABELLED);
    return true;
}

typedef struct stream {
    labelling *labelling;
    tl_rng_key key, coin;
    uint64_t attempt;
    tl_table seen; /* the keys of all correct sentences so far */
    tl_gr_side said;
} stream;

/* Draws until a new sentence comes that fits the task. Returns false, with the error set, if there is none or when out
 * of memory. */
static bool draw(stream *s, bool unlabelled, example *e, tl_error *error) {
    tl_gr_meaning meaning;
    for (int i = 0; i < ATTEMPTS; i++) {
        if (!tl_gr_draw(&meaning, tl_rng_key_mix(s->key, s->attempt++), false)) continue;
        memset(&s->said, 0, sizeof s->said);
        tl_gr_english(&meaning, &s->said);
        if (s->said.tokens > TL_GR_TOKENS) continue;
        const bool wrong = !unlabelled && tl_rng_below(s->coin, (uint64_t)s->seen.count, 2);
        cut(&s->said, e->word, &e->words);
        e->key = (tl_span){s->said.text, s->said.used};
        if (!s->labelling(&meaning, &s->said, wrong, e)) continue;
        const long before = s->seen.count, number = tl_table_add(&s->seen, e->key);
        if (number < 0)
            return tl_error_set(error, "labelled corpus: out of memory after %ld sentences", before);
        if (number == before) return true;
    }
    return tl_error_set(error, "labelled corpus: there are only %ld sentences: ask for fewer", s->seen.count);
}

static bool append(tl_corpus *corpus, const example *e, bool unlabelled) {
    char text[2 * sizeof((tl_gr_side *)0)->text];
    size_t used = 0;
    for (int i = 0; i < e->words; i++) {
        if (i) text[used++] = ' ';
        memcpy(text + used, e->word[i].text, e->word[i].size);
        used += e->word[i].size;
    }
    return tl_corpus_append(corpus, (tl_span){text, used}, tl_span_of(unlabelled ? "" : e->label));
}

bool tl_corpus_labelled(tl_corpus *corpus, const tl_labelled_config *config) {
    if (tl_corpus_error(corpus)) return false;
    const tl_labelled_config c = config ? *config : (tl_labelled_config){0};
    if (!check(&corpus->error, &c)) return false;
    char name[64];
    snprintf(name, sizeof name, "labelled %s", c.task);
    stream s = {.labelling = labelling_of(c.task), .key = tl_rng_key_of(c.seed, name)};
    s.coin = tl_rng_key_mix(s.key, ~(uint64_t)0);
    const tl_corpus_mark before = tl_corpus_mark_here(corpus);
    example e;
    bool ok = true;
    for (long i = 0; i < c.first + c.sentences && ok; i++)
        ok = draw(&s, c.unlabelled, &e, &corpus->error) && (i < c.first || append(corpus, &e, c.unlabelled));
    if (!ok) tl_corpus_back_to(corpus, before);
    tl_table_free(&s.seen);
    return ok;
}
