/* The grammar corpus: both translations and the alignments are right, judged by this test's own word lists and rules,
 * and by pairs written by hand. */
#include "check.h"
#include "grammar_nouns.h"
#include "tapeloom/text.h"
#include "text/table.h"

/* ---- which words may be linked ---- */

/* For each English word the French words, then the Chinese ones, that it may be linked with. */
#define AVOIR ",ai,a,avons,ont"
#define ETRE ",suis,est,sommes,sont"
#define FR_VERBS                                                                                           \
 "lis*,lit,écri*,ach*,vend*,mange*,voi*,voy*,dessin*,lav*,ouvr*,attend*,aid*,aim*,connai*,connaî*,ai,a," \
 "avons,ont,"                                                                                              \
 "vais,va,allons,vont,dor*,travaill*,chant*,dans*,nag*,cour*,ve*,voul*,est-ce,que,qu',ri*,pleur*,cherch*"
#define ZH_VERBS \
 "看,写,买,卖,吃,看见,画,洗,打开,等,帮助,喜欢,认识,有,没有,去,睡觉,工作,唱歌,跳舞,游泳,跑步,想,吗"
#define MEASURES "个,只,匹,头,本,封,份,张,幅,件,条,顶,辆,把,块,棵,朵,座,所,家"
static const struct {
    const char *en, *fr, *zh;
} words[] = {
    {"the", "le,la,l',les,au,aux,du,des", "那,那些," MEASURES},
    {"a", "un,une", "一," MEASURES},
    {"an", "un,une", "一," MEASURES},
    {"this", "ce,cet,cette", "这," MEASURES},
    {"these", "ces", "这,这些"},
    {"that", "ce,cet,cette,que,qu'", "那,的," MEASURES},
    {"those", "ces", "那,那些"},
    {"some", "des,de,d'", "一些"},
    {"any", "de,d'", ""},
    {"my", "mon,ma,mes", "我,的"},
    {"his", "son,sa,ses", "他,的"},
    {"her", "son,sa,ses,la,l',lui", "她,的"},
    {"our", "notre,nos", "我们,的"},
    {"their", "leur,leurs", "他们,的"},
    {"'s", "de,d',du,des", "的"},
    {"'", "de,d',du,des", "的"},
    {"two", "deux", "两," MEASURES},
    {"three", "trois", "三," MEASURES},
    {"four", "quatre", "四," MEASURES},
    {"five", "cinq", "五," MEASURES},
    {"ten", "dix", "十," MEASURES},
    {"I", "je,j'", "我"},
    {"he", "il", "他"},
    {"she", "elle", "她"},
    {"we", "nous", "我们"},
    {"they", "ils", "他们"},
    {"me", "me,m'", "我"},
    {"him", "le,l',lui", "他"},
    {"us", "nous", "我们"},
    {"them", "les,leur", "他们,它们"},
    {"it", "l'", "它"},
    {"who", "qui", "的"},
    {"and", "et", "，,然后"},
    {"not", "ne,n',pas", "不,没,没有"},
    {"there", "il,y", "有,没有"},
    {"in", "dans", "在,正在,里"},
    {"near", "près,de,d',du", "在,正在,附近"},
    {"behind", "derrière", "在,正在,后面"},
    {"to", "à,au,aux,me,m',lui,nous,leur,veu*,voulons", "给,想"},
    {"for", "attend*,cherch*", "等,找"},
    {".", ".", "。"},
    {"?", "?", "？"},
    {"every", "chaque", "每天"},
    {"day", "jour", "每天"},
    {"morning", "matin", "早上"},
    {"evening", "soir", "晚上"},
    {"now", "maintenant", "现在"},
    {"yesterday", "hier", "昨天"},
    {"tomorrow", "demain", "明天"},
    {"last", "dernière", "上周"},
    {"next", "prochaine", "下周"},
    {"week", "la,semaine", "上周,下周"},
    {"often", "souvent", "经常"},
    {"very", "très", "非常"},
    {"do", FR_VERBS, ZH_VERBS},
    {"does", FR_VERBS, ZH_VERBS},
    {"did", "ai,a,avons,ont,suis,est,sommes,sont,est-ce,que,qu'", "没,了,吗"},
    {"am", FR_VERBS ",suis", "正在,在,是,很"},
    {"is", FR_VERBS ",est", "正在,在,是,很,有,没有,吗"},
    {"are", FR_VERBS ",sommes,sont", "正在,在,是,很,有,没有,吗"},
    {"will", "vais,va,allons,vont,est-ce,que,qu'", "会,吗"},
    {"can", "peux,peut,pouvons,peuvent,est-ce,que,qu'", "能,吗"},
    {"must", "dois,doit,devons,doivent,est-ce,que,qu'", "必须,吗"},
    {"want", "veux,voulons,veulent,veut", "想"},
    {"wants", "veut", "想"},
    {"small", "petit,petite,petits,petites", "小"},
    {"big", "grand,grande,grands,grandes", "大"},
    {"old", "vieux,vieil,vieille,vieilles", "老,旧"},
    {"new", "nouveau,nouvel,nouvelle,nouveaux,nouvelles", "新"},
    {"beautiful", "beau,bel,belle,beaux,belles", "漂亮,的"},
    {"young", "jeune,jeunes", "年轻,的"},
    {"red", "rouge,rouges", "红色,的"},
    {"black", "noir,noire,noirs,noires", "黑色,的"},
    {"white", "blanc,blanche,blancs,blanches", "白色,的"},
    {"blue", "bleu,bleue,bleus,bleues", "蓝色,的"},
    {"green", "vert,verte,verts,vertes", "绿色,的"},
    {"yellow", "jaune,jaunes", "黄色,的"},
    {"interesting", "intéressant*", "有趣,的"},
    {"expensive", "cher,chère,chers,chères", "昂贵,的"},
    {"famous", "célèbre,célèbres", "有名,的"},
    {"clever", "intelligent*", "聪明,的"},
    {"happy", "heureux,heureuse,heureuses", "快乐,的"},
    {"tired", "fatigué*", "累"},
    {"sad", "triste,tristes", "难过"},
    {"read", "lire,lis,lisons,lisent,lu*,lit", "看"},
    {"write", "écri*", "写"},
    {"buy", "ach*", "买"},
    {"sell", "vend*", "卖"},
    {"eat", "mang*", "吃"},
    {"see", "voi*,voy*,vu*", "看见"},
    {"draw", "dessin*", "画"},
    {"wash", "lav*", "洗"},
    {"open", "ouv*", "打开"},
    {"break", "cass*", "弄坏"},
    {"find", "trouv*", "找到"},
    {"lose", "perd*", "弄丢"},
    {"look", "cherch*", "找"},
    {"wait", "attend*", "等"},
    {"help", "aid*", "帮助"},
    {"like", "aim*", "喜欢"},
    {"know", "conn*", "认识"},
    {"have", "ai,a,avons,ont", "有,没有"},
    {"has", "a", "有"},
    {"give", "donn*", "给"},
    {"go", "all*,vais,va,vont", "去"},
    {"arrive", "arriv*", "到"},
    {"leave", "part*", "离开"},
    {"sleep", "dor*", "睡觉"},
    {"work", "travaill*", "工作"},
    {"sing", "chant*", "唱歌,唱,歌"},
    {"dance", "dans,dans*", "跳舞,跳,舞"},
    {"swim", "nag*", "游泳,游,泳"},
    {"run", "cour*", "跑步,跑,步"},
    {"laugh", "ri,ris,rit,rire,rions,rient", "笑"},
    {"cry", "pleur*", "哭"},
    {"wrote", "écrit*" AVOIR, "写,了"},
    {"bought", "acheté*" AVOIR, "买,了"},
    {"sold", "vendu*" AVOIR, "卖,了"},
    {"ate", "mangé*" AVOIR, "吃,了"},
    {"saw", "vu*" AVOIR, "看见,了"},
    {"drew", "dessiné*" AVOIR, "画,了"},
    {"broke", "cassé*" AVOIR, "弄坏,了"},
    {"found", "trouvé*" AVOIR, "找到,了"},
    {"lost", "perdu*" AVOIR, "弄丢,了"},
    {"gave", "donné*" AVOIR, "给,了"},
    {"went", "allé*" ETRE, "去,了"},
    {"left", "parti*" ETRE, "离开,了"},
    {"sang", "chanté" AVOIR, "唱,了,歌"},
    {"swam", "nagé" AVOIR, "游,了,泳"},
    {"ran", "couru" AVOIR, "跑,了,步"},
    {"arrived", "arrivé*" ETRE, "到,了"},
    {"washed", "lavé*" AVOIR, "洗,了"},
    {"opened", "ouvert*" AVOIR, "打开,了"},
    {"helped", "aidé*" AVOIR, "帮助,了"},
    {"danced", "dansé" AVOIR, "跳,了,舞"},
    {"laughed", "ri" AVOIR, "笑,了"},
    {"cried", "pleuré" AVOIR, "哭,了"},
};
enum { WORDS = sizeof words / sizeof *words };

static int entry_of(const char *en, size_t size) {
    for (int i = 0; i < WORDS; i++)
        if (strlen(words[i].en) == size && memcmp(words[i].en, en, size) == 0) return i;
    return -1;
}

/* The entry of a verb's base for "reads", "washes", "writing", "running", "cries"; -1 if there is none. */
static int regular_entry(const char *en) {
    size_t size = strlen(en);
    char base[32];
    if (size > 2 && en[size - 1] == 's') {
        int entry = entry_of(en, size - 1);
        if (entry < 0 && en[size - 2] == 'e') entry = entry_of(en, size - 2);
        return entry;
    }
    if (size < 6 || strcmp(en + size - 3, "ing") != 0) return -1;
    snprintf(base, sizeof base, "%.*se", (int)size - 3, en);
    if (entry_of(base, size - 2) >= 0) return entry_of(base, size - 2);
    if (en[size - 4] == en[size - 5] && entry_of(en, size - 4) >= 0) return entry_of(en, size - 4);
    return entry_of(en, size - 3);
}

static bool may_be_linked(const char *en, const char *other, bool chinese) {
    int plural = 0, noun = noun_of(en, 0, &plural);
    if (noun >= 0) return strcmp(other, chinese ? nouns[noun].zh : nouns[noun].fr[plural]) == 0;
    int entry = entry_of(en, strlen(en));
    if (entry < 0) entry = regular_entry(en);
    must_msg(entry >= 0, "no such word in the test's list: %s", en);
    const char *list = chinese ? words[entry].zh : words[entry].fr;
    return strlen(list) > 0 && listed(list, other);
}

/* ---- alignments ---- */

START_TEST(alignments_are_true) {
    bool chinese = _i == 1;
    tokens s, t;
    for (int part = 0; part < 2; part++) {
        tl_corpus *corpus = grammar(pairs[_i], (tl_grammar_part)part, 10000, 0, 21);
        for (long i = 0; i < 10000; i++) {
            long count;
            const tl_link *links = tl_corpus_alignment(corpus, i, &count);
            cut(tl_corpus_sentence(corpus, TL_SOURCE, i), &s);
            cut(tl_corpus_sentence(corpus, TL_TARGET, i), &t);
            bool source[32] = {false}, target[32] = {false};
            for (long k = 0; k < count; k++) {
                must(links[k].source >= 0 && links[k].source < s.count);
                must(links[k].target >= 0 && links[k].target < t.count);
                must(k == 0 || links[k - 1].source < links[k].source ||
                     (links[k - 1].source == links[k].source && links[k - 1].target < links[k].target));
                must_msg(may_be_linked(s.word[links[k].source], t.word[links[k].target], chinese),
                         "%s - %s in: %s", s.word[links[k].source], t.word[links[k].target],
                         tl_corpus_sentence(corpus, TL_TARGET, i));
                source[links[k].source] = target[links[k].target] = true;
            }
            for (int k = 0; k < s.count; k++) /* only these words may be without a link */
                must_msg(source[k] || (chinese && listed("the,any,to,is,are,am", s.word[k])),
                         "%s has no link in: %s", s.word[k], tl_corpus_sentence(corpus, TL_SOURCE, i));
            for (int k = 0; k < t.count; k++)
                must_msg(target[k] || listed(chinese ? "把" : "le,la,l',les", t.word[k]),
                         "%s has no link in: %s", t.word[k], tl_corpus_sentence(corpus, TL_TARGET, i));
        }
        tl_corpus_free(corpus);
    }
}
END_TEST

/* ---- French ---- */

static bool vowel_begins(const char *word) {
    if (listed("hibou,hiboux,hache,haches", word)) return false;
    return strchr("aeiouhy", word[0]) || strncmp(word, "é", 2) == 0 || strncmp(word, "œ", 2) == 0;
}

/* Articles and adjectives before and after a noun must agree with it. */
static void check_phrase(const tokens *t, int at, const char *sentence) {
    static const char adjectives_before[] = "petit*,grand*,vieux,vieil*,nouve*,beau*,bel*,jeune*";
    int plural = 0, noun = noun_of(t->word[at], 1, &plural);
    bool feminine = nouns[noun].gender == 'f';
    int first = at;
    while (first > 0 && listed(adjectives_before, t->word[first - 1])) first--;
    for (int i = first; i < at; i++) {
        size_t n = strlen(t->word[i]);
        bool many =
            t->word[i][n - 1] == 's' || (t->word[i][n - 1] == 'x' && (strcmp(t->word[i], "vieux") || plural));
        must_msg(plural == 2 || many == (plural == 1), "%s %s in: %s", t->word[i], t->word[at], sentence);
        bool she = listed("petite*,grande*,vieille*,nouvelle*,belle*,jeune*", t->word[i]);
        bool he =
            listed("petit,petits,grand,grands,vieux,vieil,nouveau,nouvel,nouveaux,beau,bel,beaux,jeune*",
                   t->word[i]);
        must_msg(feminine ? she : he, "%s %s in: %s", t->word[i], t->word[at], sentence);
        if (listed("vieil,nouvel,bel", t->word[i]))
            must_msg(i + 1 == at && vowel_begins(t->word[at]), "%s", sentence);
        if (!plural && i + 1 == at && vowel_begins(t->word[at]))
            must_msg(!listed("vieux,nouveau,beau", t->word[i]), "%s", sentence);
    }
    if (first == 0) return;
    const char *det = t->word[first - 1], *next = t->word[first];
    bool one = listed("le,la,l',un,une,ce,cet,cette,mon,ma,son,sa,notre,leur,au,du", det);
    bool many = listed("les,des,ces,mes,ses,nos,leurs,aux,deux,trois,quatre,cinq,dix,de,d'", det);
    must_msg(one || many || strcmp(det, "l'") == 0, "%s %s in: %s", det, next, sentence);
    must_msg(plural == 2 || (plural == 1) == many, "%s %s in: %s", det, t->word[at], sentence);
    if (listed("la,une,cette,ma,sa", det)) must_msg(feminine, "%s %s in: %s", det, t->word[at], sentence);
    if (listed("le,un,ce,cet,au,du", det)) must_msg(!feminine, "%s %s in: %s", det, t->word[at], sentence);
    if (listed("mon,son", det))
        must_msg(!feminine || vowel_begins(next), "%s %s in: %s", det, next, sentence);
    if (listed("ma,sa,ce,au,du", det)) must_msg(!vowel_begins(next), "%s %s in: %s", det, next, sentence);
    if (strcmp(det, "cet") == 0) must_msg(vowel_begins(next), "%s %s in: %s", det, next, sentence);
    if (at + 1 < t->count) {
        const char *after = t->word[at + 1];
        static const char *const forms[][4] = {
            {"noir", "noire", "noirs", "noires"},           {"blanc", "blanche", "blancs", "blanches"},
            {"vert", "verte", "verts", "vertes"},           {"bleu", "bleue", "bleus", "bleues"},
            {"rouge", "rouge", "rouges", "rouges"},         {"cher", "chère", "chers", "chères"},
            {"heureux", "heureuse", "heureux", "heureuses"}};
        for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
            for (int k = 0; k < 4; k++)
                if (strcmp(after, forms[i][k]) == 0 && plural < 2)
                    ck_assert_msg(strcmp(after, forms[i][2 * plural + feminine]) == 0, "%s %s in: %s",
                                  t->word[at], after, sentence);
    }
}

START_TEST(french_agrees) {
    static const char elided[] = "l',d',n',j',m',qu'", whole[] = "le,la,de,ne,je,me,que";
    tokens t;
    for (int part = 0; part < 2; part++) {
        tl_corpus *corpus = grammar("en-fr", (tl_grammar_part)part, 20000, 0, 5);
        for (long i = 0; i < 20000; i++) {
            const char *sentence = tl_corpus_sentence(corpus, TL_TARGET, i);
            int plural = 0, ne = 0, pas = 0, nots = 0;
            cut(sentence, &t);
            for (int k = 0; k + 1 < t.count; k++) {
                const char *word = t.word[k], *next = t.word[k + 1];
                if (listed(elided, word)) must_msg(vowel_begins(next), "%s %s in: %s", word, next, sentence);
                if (listed(whole, word)) must_msg(!vowel_begins(next), "%s %s in: %s", word, next, sentence);
                bool contracts = listed("de,à", word) && listed("le,les", next);
                must_msg(!contracts, "%s %s in: %s", word, next, sentence);
                if (listed("du,au", word))
                    must_msg(!vowel_begins(next), "%s %s in: %s", word, next, sentence);
                if (noun_of(word, 1, &plural) >= 0) check_phrase(&t, k, sentence);
                ne += listed("ne,n'", word);
                pas += strcmp(word, "pas") == 0;
                must(ne >= pas);
            }
            cut(tl_corpus_sentence(corpus, TL_SOURCE, i), &t);
            for (int k = 0; k < t.count; k++) nots += strcmp(t.word[k], "not") == 0;
            must(ne == nots && pas == nots);
        }
        tl_corpus_free(corpus);
    }
}
END_TEST

/* ---- Chinese ---- */

START_TEST(chinese_counts_and_orders) {
    tokens t;
    for (int part = 0; part < 2; part++) {
        tl_corpus *corpus = grammar("en-zh", (tl_grammar_part)part, 20000, 0, 5);
        for (long i = 0; i < 20000; i++) {
            const char *sentence = tl_corpus_sentence(corpus, TL_TARGET, i);
            int plural = 0;
            cut(sentence, &t);
            ck_assert_msg(listed("。,？", t.word[t.count - 1]), "%s", sentence);
            bool asked = strcmp(t.word[t.count - 1], "？") == 0;
            must_msg(asked == (strcmp(t.word[t.count - 2], "吗") == 0), "%s", sentence);
            for (int k = 0; k + 1 < t.count; k++) {
                const char *word = t.word[k], *next = t.word[k + 1];
                must(strcmp(word, "二") != 0);
                if (!listed("一,两,三,四,五,十,这,那", word)) continue;
                int measure = k + 1;
                if (listed("这,那", word) && listed("两,三,四,五,十", next)) measure++;
                int noun = -1, at = measure + 1;
                for (; at < t.count && noun < 0; at++) noun = noun_of(t.word[at], 2, &plural);
                must_msg(noun >= 0 && strcmp(t.word[measure], nouns[noun].measure) == 0, "%s %s in: %s", word,
                         t.word[measure], sentence);
            }
            for (int k = 0; k + 1 < t.count;
                 k++) { /* times come before the verb, so before any 了, 在 and 不 */
                if (!listed("昨天,明天,上周,下周,每天,现在", t.word[k])) continue;
                for (int j = 0; j < k; j++)
                    must_msg(!listed("了,不,没,会,把,经常", t.word[j]) || strstr(sentence, "的 那"), "%s",
                             sentence);
            }
            if (strstr(sentence, "没 ") && !strstr(sentence, "没 在")) /* 没 … without 了 */
                must_msg(!strstr(sentence, " 了") || strstr(sentence, "的 那"), "%s", sentence);
        }
        tl_corpus_free(corpus);
    }
}
END_TEST

/* ---- whole pairs, written by hand ---- */

typedef struct example {
    const char *source, *target, *links;
} example;

static const example french[] = {
    {"the old man is selling the blue bicycles that they bought .",
     "le vieil homme vend les vélos bleus qu' ils ont achetés .",
     "0-0 1-1 2-2 3-3 4-3 5-4 6-6 7-5 8-7 9-8 10-9 10-10 11-11"},
    {"the boy 's cat is big .", "le chat du garçon est grand .", "0-2 1-3 2-2 3-1 4-4 5-5 6-6"},
    {"we went to the new hospital yesterday .", "nous sommes allés au nouvel hôpital hier .",
     "0-0 1-1 1-2 2-3 3-3 4-4 5-5 6-6 7-7"},
    {"he helped her yesterday .", "il l' a aidée hier .", "0-0 1-2 1-3 2-1 3-4 4-5"},
    {"he gave the cup to her .", "il lui a donné la tasse .", "0-0 1-2 1-3 2-4 3-5 4-1 5-1 6-6"},
    {"the skirts are not old .", "les jupes ne sont pas vieilles .", "0-0 1-1 2-3 3-2 3-4 4-5 5-6"},
    {"does he like their black hats ?", "est-ce qu' il aime leurs chapeaux noirs ?",
     "0-0 0-1 0-3 1-2 2-3 3-4 4-6 5-5 6-7"},
    {"the old men bought an apple and ate it .", "les vieux hommes ont acheté une pomme et l' ont mangée .",
     "0-0 1-1 2-2 3-3 3-4 4-5 5-6 6-7 7-9 7-10 8-8 9-11"},
    {"there are not any trees near the park .", "il n' y a pas d' arbres près du parc .",
     "0-0 0-2 1-3 2-1 2-4 3-5 4-6 5-7 5-8 6-8 7-9 8-10"},
    {"this man can not draw any small red bicycles .",
     "cet homme ne peut pas dessiner de petits vélos rouges .",
     "0-0 1-1 2-3 3-2 3-4 4-5 5-6 6-7 7-9 8-8 9-10"},
    {"he can not see him .", "il ne peut pas le voir .", "0-0 1-2 2-1 2-3 3-5 4-4 5-6"},
    {"the big cow did not sleep last week .", "la grande vache n' a pas dormi la semaine dernière .",
     "0-0 1-1 2-2 3-4 4-3 4-5 5-6 6-9 7-7 7-8 8-10"},
    {"do we often read a letter in the village ?",
     "est-ce que nous lisons souvent une lettre dans le village ?",
     "0-0 0-1 0-3 1-2 2-4 3-3 4-5 5-6 6-7 7-8 8-9 9-10"},
    {"our friend must help the small boy in the school .",
     "notre ami doit aider le petit garçon dans l' école .", "0-0 1-1 2-2 3-3 4-4 5-5 6-6 7-7 8-8 9-9 10-10"},
};
static const example chinese[] = {
    {"our friend will wash the bicycles that they broke .", "我们 的 朋友 会 洗 他们 弄坏 的 那些 自行车 。",
     "0-0 0-1 1-2 2-3 3-4 4-8 5-9 6-7 7-5 8-6 9-10"},
    {"the doctor 's cats are old .", "那 个 医生 的 猫 很 老 。", "0-0 0-1 1-2 2-3 3-4 4-5 5-6 6-7"},
    {"we went to this hotel last week .", "我们 上周 去 了 这 家 酒店 。",
     "0-0 1-2 1-3 3-4 3-5 4-6 5-1 6-1 7-7"},
    {"he helped her near the restaurant .", "他 在 餐厅 附近 帮助 了 她 。",
     "0-0 1-4 1-5 2-6 3-1 3-3 5-2 6-7"},
    {"he gave the old table to her friend yesterday .", "他 昨天 把 那 张 旧 桌子 给 了 她 的 朋友 。",
     "0-0 1-7 1-8 2-3 2-4 3-5 4-6 5-7 6-9 6-10 7-11 8-1 9-12"},
    {"the hotel is not big .", "那 家 酒店 不 大 。", "0-0 0-1 1-2 3-3 4-4 5-5"},
    {"does he like the new hotel ?", "他 喜欢 那 家 新 酒店 吗 ？", "0-1 0-6 1-0 2-1 3-2 3-3 4-4 5-5 6-7"},
    {"the car that I washed is white .", "我 洗 的 那 辆 汽车 是 白色 的 。",
     "0-3 0-4 1-5 2-2 3-0 4-1 5-6 6-7 6-8 7-9"},
    {"they bought an apple and ate it .", "他们 买 了 一 个 苹果 ， 然后 把 它 吃 了 。",
     "0-0 1-1 1-2 2-3 2-4 3-5 4-6 4-7 5-10 5-11 6-9 7-12"},
    {"there are some small red chairs behind the shop .", "商店 后面 有 一些 红色 的 小 椅子 。",
     "0-2 1-2 2-3 3-6 4-4 4-5 5-7 6-1 8-0 9-8"},
    {"the men are not writing any letters .", "那些 男人 没 在 写 信 。", "0-0 1-1 2-3 3-2 4-4 6-5 7-6"},
    {"she lost the keys .", "她 把 那些 钥匙 弄丢 了 。", "0-0 1-4 1-5 2-2 3-3 4-6"},
    {"he is not singing in the school now .", "他 现在 没 在 学校 里 唱歌 。",
     "0-0 1-3 2-2 3-6 4-3 4-5 6-4 7-1 8-7"},
    {"his friends often read three newspapers .", "他 的 朋友 经常 看 三 份 报纸 。",
     "0-0 0-1 1-2 2-3 3-4 4-5 4-6 5-7 6-8"},
    {"their child writes a letter near their old kitchen every morning .",
     "他们 的 孩子 每天 早上 在 他们 的 老 厨房 附近 写 一 封 信 。",
     "0-0 0-1 1-2 2-11 3-12 3-13 4-14 5-5 5-10 6-6 6-7 7-8 8-9 9-3 10-4 11-15"},
    {"did the student give an expensive ticket to them yesterday ?",
     "那 个 学生 昨天 给 了 他们 一 张 昂贵 的 票 吗 ？",
     "0-5 0-12 1-0 1-1 2-2 3-4 4-7 4-8 5-9 5-10 6-11 7-4 8-6 9-3 10-13"},
};

START_TEST(pairs_by_hand) {
    const example *examples = _i == 0 ? french : chinese;
    size_t count = _i == 0 ? sizeof french / sizeof *french : sizeof chinese / sizeof *chinese;
    tl_table sources = {0};
    tl_corpus *corpus = grammar(pairs[_i], TL_GRAMMAR_TRAIN, TRAIN, 0, 7);
    ck_assert(tl_corpus_grammar(corpus, &(tl_grammar_config){pairs[_i], TL_GRAMMAR_HELD_OUT, HELD, 0, 7}));
    for (long i = 0; i < tl_corpus_size(corpus); i++)
        must(tl_table_add(&sources, tl_span_of(tl_corpus_sentence(corpus, TL_SOURCE, i))) == i);
    for (size_t e = 0; e < count; e++) {
        long n, i = tl_table_find(&sources, tl_span_of(examples[e].source));
        ck_assert_msg(i >= 0, "not in the stream: %s", examples[e].source);
        ck_assert_str_eq(tl_corpus_sentence(corpus, TL_TARGET, i), examples[e].target);
        char text[1024] = "";
        const tl_link *links = tl_corpus_alignment(corpus, i, &n);
        for (long k = 0; k < n; k++)
            sprintf(text + strlen(text), "%s%d-%d", k > 0 ? " " : "", links[k].source, links[k].target);
        ck_assert_str_eq(text, examples[e].links);
    }
    tl_corpus_free(corpus);
    tl_table_free(&sources);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, alignments_are_true, 0, 2);
    tcase_add_test(tc, french_agrees);
    tcase_add_test(tc, chinese_counts_and_orders);
    tcase_add_loop_test(tc, pairs_by_hand, 0, 2);
}

TL_TEST_MAIN("text: grammar's words")
