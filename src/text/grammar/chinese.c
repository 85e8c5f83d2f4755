/* Saying a meaning in Chinese: with measure words, modifiers before their noun, times and places before the verb. */
#include "languages.h"
#include <stdio.h>

#define BIT TL_GR_BIT

static const char *const numerals[] = {"两", "三", "四", "五", "十"};
static const char *const pronouns[] = {"我", "他", "她", "我们", "他们"};
static const char *const places[] = {"里", "附近", "后面"};
static const char *const helpers[TL_GR_TENSES] = {
    [TL_GR_FUTURE] = "会", [TL_GR_CAN] = "能", [TL_GR_WANT] = "想", [TL_GR_MUST] = "必须"};

static bool is_definite(const tl_gr_phrase *p) {
    return p->person != TL_GR_NOUN || p->determiner <= TL_GR_OWNER;
}

static const char *adjective(int number, const tl_gr_phrase *p) {
    const tl_gr_adjective *a = &tl_gr_adjectives[number];
    int things = TL_GR_READ | TL_GR_WORN | TL_GR_VEHICLE | TL_GR_THING;
    bool thing = p->person == TL_GR_NOUN && (tl_gr_nouns[p->noun].kinds & things);
    return thing && a->zh_of_thing ? a->zh_of_thing : a->zh;
}

static void describe(int number, const tl_gr_phrase *p, uint64_t part, tl_gr_side *s) {
    const tl_gr_adjective *a = &tl_gr_adjectives[number];
    bool possessed = p->determiner >= TL_GR_MY && p->determiner <= TL_GR_OWNER;
    tl_gr_say(s, adjective(number, p), part);
    if (a->de && !(possessed && a->colour && p->number == 0)) tl_gr_say(s, "的", part);
}

static void phrase(const tl_gr_meaning *m, tl_gr_slot slot, bool bare, tl_gr_side *s);

/* A determiner: 我 的, 那, 这些, 一 … and the numeral, with a measure word after the one that counts. */
static void determine(const tl_gr_meaning *m, tl_gr_slot slot, bool bare, tl_gr_side *s) {
    const tl_gr_phrase *p = &m->phrase[slot];
    const char *measure = tl_gr_nouns[p->noun].measure;
    uint64_t det = BIT(slot, TL_GR_DET), number = BIT(slot, TL_GR_NUM);
    bool some = p->plural && p->number == 0;
    switch (p->determiner) {
    case TL_GR_THE:
        if (bare) return;
        /* fall through */
    case TL_GR_THIS:
    case TL_GR_THAT:
        if (p->determiner == TL_GR_THIS)
            tl_gr_say(s, some ? "这些" : "这", det);
        else
            tl_gr_say(s, some ? "那些" : "那", det);
        if (!p->plural) tl_gr_say(s, measure, det);
        break;
    case TL_GR_A:
        tl_gr_say(s, "一", det);
        tl_gr_say(s, measure, det);
        break;
    case TL_GR_SOME:
        tl_gr_say(s, "一些", det);
        break;
    case TL_GR_OWNER:
        phrase(m, tl_gr_owner(slot), false, s);
        tl_gr_say(s, "的", BIT(slot, TL_GR_OF));
        break;
    case TL_GR_BARE:
    case TL_GR_ANYOF:
        break;
    default:
        tl_gr_say(s, pronouns[p->determiner - TL_GR_MY], det);
        tl_gr_say(s, "的", det);
    }
    if (p->number == 0) return;
    tl_gr_say(s, numerals[p->number - 2], number);
    tl_gr_say(s, measure, number);
}

static void relative(const tl_gr_meaning *m, const tl_gr_phrase *head, tl_gr_side *s);

/* A noun phrase; bare: without "the", as in 去 村子. */
static void phrase(const tl_gr_meaning *m, tl_gr_slot slot, bool bare, tl_gr_side *s) {
    const tl_gr_phrase *p = &m->phrase[slot];
    if (p->person != TL_GR_NOUN) {
        tl_gr_say(s, pronouns[p->person], BIT(slot, TL_GR_NOUN_PART));
        return;
    }
    if (p->relative) relative(m, p, s);
    determine(m, slot, bare, s);
    if (p->after >= 0) describe(p->after, p, BIT(slot, TL_GR_AFTER), s);
    if (p->before >= 0) describe(p->before, p, BIT(slot, TL_GR_BEFORE), s);
    tl_gr_say(s, tl_gr_nouns[p->noun].zh, BIT(slot, TL_GR_NOUN_PART));
}

/* The verb, with 了 after it or inside it. */
static void verb(const tl_gr_verb *v, bool done, uint64_t verb_parts, uint64_t le, tl_gr_side *s) {
    char whole[32];
    snprintf(whole, sizeof whole, "%s%s", v->zh, v->zh_tail && !done ? v->zh_tail : "");
    tl_gr_say(s, whole, verb_parts);
    if (!done) return;
    tl_gr_say(s, "了", le);
    if (v->zh_tail) tl_gr_say(s, v->zh_tail, verb_parts);
}

static void relative(const tl_gr_meaning *m, const tl_gr_phrase *head, tl_gr_side *s) {
    const tl_gr_verb *v = &tl_gr_verbs[m->inner_verb];
    bool who = head->relative == TL_GR_WHO, now = m->inner_tense == TL_GR_NOW;
    bool done = who && m->inner_tense == TL_GR_PAST; /* 我 买 的 那 本 书 has no 了 */
    if (!who) phrase(m, TL_GR_INNER, false, s);
    if (now) tl_gr_say(s, "正在", TL_GR_B_AUX2);
    verb(v, done, now || done ? TL_GR_B_VERB2 : TL_GR_B_VERB2 | TL_GR_B_AUX2, TL_GR_B_AUX2, s);
    if (who && v->objects) phrase(m, TL_GR_INNER, false, s);
    tl_gr_say(s, "的", TL_GR_B_WHO);
}

static void time_of(const tl_gr_meaning *m, tl_gr_side *s) {
    if (m->time < 0) return;
    const tl_gr_time *time = &tl_gr_times[m->time];
    bool together = time->en[1] && !time->zh[1];
    tl_gr_say(s, time->zh[0], together ? TL_GR_B_TIME | TL_GR_B_TIME2 : TL_GR_B_TIME);
    if (time->zh[1]) tl_gr_say(s, time->zh[1], TL_GR_B_TIME2);
}

/* 不, 没, 会, 正在 … before the verb and its place. In 正在 公园 里, 正在 includes the 在 of the place. */
static void before_verb(const tl_gr_meaning *m, bool placed, tl_gr_side *s) {
    bool now = m->tense == TL_GR_NOW, past = m->tense == TL_GR_PAST;
    if (m->often) tl_gr_say(s, "经常", TL_GR_B_OFTEN);
    if (m->denied) {
        if (past)
            tl_gr_say(s, "没", TL_GR_B_NOT | TL_GR_B_AUX);
        else
            tl_gr_say(s, now ? "没" : "不", TL_GR_B_NOT);
    }
    if (now) tl_gr_say(s, m->denied ? "在" : "正在", placed ? TL_GR_B_AUX | TL_GR_B_AT : TL_GR_B_AUX);
    if (helpers[m->tense]) tl_gr_say(s, helpers[m->tense], TL_GR_B_AUX);
    if (!placed) return;
    if (!now) tl_gr_say(s, "在", TL_GR_B_AT);
    phrase(m, TL_GR_AT, true, s);
    tl_gr_say(s, places[m->preposition], TL_GR_B_AT);
}

/* The verb and its objects: 把 那 本 书 给 了 她, but 给 了 她 一 本 书. */
static void clause(const tl_gr_meaning *m, tl_gr_side *s) {
    const tl_gr_verb *v = &tl_gr_verbs[m->verb];
    bool goes = v->flags & TL_GR_GO, past = m->tense == TL_GR_PAST, done = past && !m->denied;
    bool definite = m->object && is_definite(&m->phrase[TL_GR_OBJECT]);
    bool ba = definite && (m->to || ((v->flags & TL_GR_BA) && done));
    phrase(m, TL_GR_SUBJECT, false, s);
    time_of(m, s);
    if (m->denied && (v->flags & TL_GR_HAVE)) {
        tl_gr_say(s, "没有", TL_GR_B_VERB | TL_GR_B_AUX | TL_GR_B_NOT);
    } else {
        before_verb(m, m->at && !goes, s);
        if (ba) {
            tl_gr_say(s, "把", 0);
            phrase(m, TL_GR_OBJECT, false, s);
        }
        uint64_t parts = m->tense == TL_GR_PRESENT ? TL_GR_B_VERB | TL_GR_B_AUX : TL_GR_B_VERB;
        verb(v, done, m->to ? parts | TL_GR_B_TO : parts, TL_GR_B_AUX, s);
    }
    if (m->to) phrase(m, TL_GR_TO, false, s);
    if (goes) phrase(m, TL_GR_AT, true, s);
    if (m->object && !ba) phrase(m, TL_GR_OBJECT, false, s);
    if (m->form != TL_GR_THEN) return;
    tl_gr_say(s, "，", TL_GR_B_AND);
    tl_gr_say(s, "然后", TL_GR_B_AND);
    tl_gr_say(s, "把", 0);
    tl_gr_say(s, m->phrase[TL_GR_OBJECT].plural ? "它们" : "它", TL_GR_B_IT);
    verb(&tl_gr_verbs[m->then_verb], true, TL_GR_B_VERB2, TL_GR_B_AUX2, s);
}

/* "is" with an adjective: 很 小, 不 小, 小 吗; colours have 是 红色 的. */
static void say_predicate(const tl_gr_meaning *m, tl_gr_side *s) {
    const tl_gr_phrase *p = &m->phrase[TL_GR_SUBJECT];
    bool colour = tl_gr_adjectives[m->adjective].colour;
    phrase(m, TL_GR_SUBJECT, false, s);
    if (m->denied) tl_gr_say(s, "不", TL_GR_B_NOT);
    if (colour)
        tl_gr_say(s, "是", TL_GR_B_AUX);
    else if (m->very)
        tl_gr_say(s, "非常", TL_GR_B_VERY);
    else if (!m->denied && !m->asked)
        tl_gr_say(s, "很", TL_GR_B_AUX);
    tl_gr_say(s, adjective(m->adjective, p), TL_GR_B_BEING);
    if (colour) tl_gr_say(s, "的", TL_GR_B_BEING);
}

static void there_is(const tl_gr_meaning *m, tl_gr_side *s) {
    phrase(m, TL_GR_AT, true, s);
    tl_gr_say(s, places[m->preposition], TL_GR_B_AT);
    uint64_t parts = TL_GR_B_THERE | TL_GR_B_AUX;
    tl_gr_say(s, m->denied ? "没有" : "有", m->denied ? parts | TL_GR_B_NOT : parts);
    phrase(m, TL_GR_OBJECT, false, s);
}

void tl_gr_chinese(const tl_gr_meaning *m, tl_gr_side *s) {
    if (m->form == TL_GR_THERE)
        there_is(m, s);
    else if (m->form == TL_GR_BEING)
        say_predicate(m, s);
    else
        clause(m, s);
    if (m->asked) tl_gr_say(s, "吗", TL_GR_B_ASK);
    tl_gr_say(s, m->asked ? "？" : "。", TL_GR_B_END);
}
