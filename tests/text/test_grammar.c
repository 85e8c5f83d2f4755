/* The grammar corpus: streams and parts, and that both translations and alignments are right, judged by word lists and
 * rules of the test's own and by pairs worked out by hand. */
#include "check.h"
#include "tapeloom/text.h"
#include "text/table.h"

static tl_corpus *grammar(const char *pair, tl_grammar_part part, long sentences, long first, uint64_t seed) {
    tl_corpus *corpus = tl_corpus_new();
    tl_corpus_grammar(corpus, &(tl_grammar_config){pair, part, sentences, first, seed});
    assert_no_error(tl_corpus_error(corpus));
    must(tl_corpus_size(corpus) == sentences);
    return corpus;
}

/* A sentence cut at its spaces; fails unless they are single and between tokens. */
typedef struct tokens {
    char text[512];
    char *word[32];
    int count;
} tokens;

static void cut(const char *sentence, tokens *t) {
    must(strlen(sentence) < sizeof t->text);
    strcpy(t->text, sentence);
    t->count = 0;
    for (char *at = t->text;;) {
        must(t->count < 32);
        t->word[t->count++] = at;
        char *space = strchr(at, ' ');
        must(*at && at != space);
        if (!space) return;
        *space = '\0';
        at = space + 1;
    }
}

/* Whether the word is in the list, "a,b,c*": a star stands for any ending. */
static bool listed_n(const char *list, size_t size, const char *word) {
    for (const char *at = list, *end = list + size; at < end;) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        size_t length = (size_t)((comma ? comma : end) - at);
        bool any_end = at[length - 1] == '*';
        if (any_end ? strncmp(at, word, length - 1) == 0
                    : strlen(word) == length && strncmp(at, word, length) == 0)
            return true;
        at += length + 1;
    }
    return false;
}
static bool listed(const char *list, const char *word) { return listed_n(list, strlen(list), word); }

static const char *const pairs[] = {"en-fr", "en-zh"};

/* ---- the test's own lexicon: singular and plural, gender, measure word ---- */

static const struct {
    const char *en[2], *fr[2];
    char gender;
    const char *zh, *measure;
} nouns[] = {
    {{"boy", "boys"}, {"garçon", "garçons"}, 'm', "男孩", "个"},
    {{"girl", "girls"}, {"fille", "filles"}, 'f', "女孩", "个"},
    {{"child", "children"}, {"enfant", "enfants"}, 'm', "孩子", "个"},
    {{"man", "men"}, {"homme", "hommes"}, 'm', "男人", "个"},
    {{"woman", "women"}, {"femme", "femmes"}, 'f', "女人", "个"},
    {{"doctor", "doctors"}, {"médecin", "médecins"}, 'm', "医生", "个"},
    {{"student", "students"}, {"étudiant", "étudiants"}, 'm', "学生", "个"},
    {{"friend", "friends"}, {"ami", "amis"}, 'm', "朋友", "个"},
    {{"cat", "cats"}, {"chat", "chats"}, 'm', "猫", "只"},
    {{"dog", "dogs"}, {"chien", "chiens"}, 'm', "狗", "只"},
    {{"bird", "birds"}, {"oiseau", "oiseaux"}, 'm', "鸟", "只"},
    {{"horse", "horses"}, {"cheval", "chevaux"}, 'm', "马", "匹"},
    {{"cow", "cows"}, {"vache", "vaches"}, 'f', "牛", "头"},
    {{"mouse", "mice"}, {"souris", "souris"}, 'f', "老鼠", "只"},
    {{"owl", "owls"}, {"hibou", "hiboux"}, 'm', "猫头鹰", "只"},
    {{"apple", "apples"}, {"pomme", "pommes"}, 'f', "苹果", "个"},
    {{"orange", "oranges"}, {"orange", "oranges"}, 'f', "橙子", "个"},
    {{"egg", "eggs"}, {"œuf", "œufs"}, 'm', "鸡蛋", "个"},
    {{"cake", "cakes"}, {"gâteau", "gâteaux"}, 'm', "蛋糕", "个"},
    {{"book", "books"}, {"livre", "livres"}, 'm', "书", "本"},
    {{"letter", "letters"}, {"lettre", "lettres"}, 'f', "信", "封"},
    {{"newspaper", "newspapers"}, {"journal", "journaux"}, 'm', "报纸", "份"},
    {{"dictionary", "dictionaries"}, {"dictionnaire", "dictionnaires"}, 'm', "词典", "本"},
    {{"photo", "photos"}, {"photo", "photos"}, 'f', "照片", "张"},
    {{"painting", "paintings"}, {"tableau", "tableaux"}, 'm', "画", "幅"},
    {{"shirt", "shirts"}, {"chemise", "chemises"}, 'f', "衬衫", "件"},
    {{"coat", "coats"}, {"manteau", "manteaux"}, 'm', "大衣", "件"},
    {{"skirt", "skirts"}, {"jupe", "jupes"}, 'f', "裙子", "条"},
    {{"hat", "hats"}, {"chapeau", "chapeaux"}, 'm', "帽子", "顶"},
    {{"car", "cars"}, {"voiture", "voitures"}, 'f', "汽车", "辆"},
    {{"bicycle", "bicycles"}, {"vélo", "vélos"}, 'm', "自行车", "辆"},
    {{"table", "tables"}, {"table", "tables"}, 'f', "桌子", "张"},
    {{"chair", "chairs"}, {"chaise", "chaises"}, 'f', "椅子", "把"},
    {{"umbrella", "umbrellas"}, {"parapluie", "parapluies"}, 'm', "雨伞", "把"},
    {{"key", "keys"}, {"clé", "clés"}, 'f', "钥匙", "把"},
    {{"axe", "axes"}, {"hache", "haches"}, 'f', "斧头", "把"},
    {{"knife", "knives"}, {"couteau", "couteaux"}, 'm', "刀", "把"},
    {{"watch", "watches"}, {"montre", "montres"}, 'f', "手表", "块"},
    {{"bag", "bags"}, {"sac", "sacs"}, 'm', "包", "个"},
    {{"box", "boxes"}, {"boîte", "boîtes"}, 'f', "盒子", "个"},
    {{"cup", "cups"}, {"tasse", "tasses"}, 'f', "杯子", "个"},
    {{"ticket", "tickets"}, {"billet", "billets"}, 'm', "票", "张"},
    {{"tree", "trees"}, {"arbre", "arbres"}, 'm', "树", "棵"},
    {{"flower", "flowers"}, {"fleur", "fleurs"}, 'f', "花", "朵"},
    {{"house", "houses"}, {"maison", "maisons"}, 'f', "房子", "座"},
    {{"garden", "gardens"}, {"jardin", "jardins"}, 'm', "花园", "个"},
    {{"kitchen", "kitchens"}, {"cuisine", "cuisines"}, 'f', "厨房", "个"},
    {{"school", "schools"}, {"école", "écoles"}, 'f', "学校", "所"},
    {{"park", "parks"}, {"parc", "parcs"}, 'm', "公园", "个"},
    {{"village", "villages"}, {"village", "villages"}, 'm', "村子", "个"},
    {{"museum", "museums"}, {"musée", "musées"}, 'm', "博物馆", "个"},
    {{"hotel", "hotels"}, {"hôtel", "hôtels"}, 'm', "酒店", "家"},
    {{"hospital", "hospitals"}, {"hôpital", "hôpitaux"}, 'm', "医院", "家"},
    {{"shop", "shops"}, {"magasin", "magasins"}, 'm', "商店", "家"},
    {{"restaurant", "restaurants"}, {"restaurant", "restaurants"}, 'm', "餐厅", "家"},
};
enum { NOUNS = sizeof nouns / sizeof *nouns };

/* Number of the noun, *plural set; -1 if the word is none. Souris is both: plural 2. */
static int noun_of(const char *word, int language, int *plural) {
    for (int i = 0; i < NOUNS; i++) {
        if (language == 2) {
            if (strcmp(nouns[i].zh, word) == 0) return i;
            continue;
        }
        const char *const *forms = language == 0 ? nouns[i].en : nouns[i].fr;
        for (int p = 0; p < 2; p++)
            if (strcmp(forms[p], word) == 0) {
                *plural = strcmp(forms[0], forms[1]) == 0 ? 2 : p;
                return i;
            }
    }
    return -1;
}

/* English word: the French words, then the Chinese ones, that it may be linked with. */
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

/* ---- streams ---- */

enum { TRAIN = 50000, HELD = 4000 };

START_TEST(streams_are_long_and_distinct) {
    const char *pair = pairs[_i];
    tl_table sources = {0};
    tl_corpus *train = grammar(pair, TL_GRAMMAR_TRAIN, TRAIN, 0, 7);
    tl_corpus *held = grammar(pair, TL_GRAMMAR_HELD_OUT, HELD, 0, 7);
    for (long i = 0; i < TRAIN; i++)
        must(tl_table_add(&sources, tl_span_of(tl_corpus_sentence(train, TL_SOURCE, i))) == i);
    for (long i = 0; i < HELD; i++)
        must(tl_table_add(&sources, tl_span_of(tl_corpus_sentence(held, TL_SOURCE, i))) == TRAIN + i);
    long lengths[2] = {0};
    for (long i = 0; i < TRAIN; i++)
        for (int side = 0; side < 2; side++) {
            long n = tl_count_tokens(tl_span_of(tl_corpus_sentence(train, (tl_side)side, i)));
            must(n >= 3 && n <= 16);
            lengths[side] += n;
        }
    for (int side = 0; side < 2; side++) must(lengths[side] > 7L * TRAIN && lengths[side] < 13L * TRAIN);

    /* the same English never has two translations, whatever the seed */
    for (uint64_t seed = 8; seed < 10; seed++) {
        tl_corpus *other = grammar(pair, TL_GRAMMAR_TRAIN, 20000, 0, seed);
        long met = 0;
        for (long i = 0; i < 20000; i++) {
            long number = tl_table_find(&sources, tl_span_of(tl_corpus_sentence(other, TL_SOURCE, i)));
            if (number < 0) continue;
            must(number < TRAIN);
            ck_assert_str_eq(tl_corpus_sentence(other, TL_TARGET, i),
                             tl_corpus_sentence(train, TL_TARGET, number));
            met++;
        }
        ck_assert_int_gt(met, 500);
        ck_assert_int_lt(met, 19000);
        tl_corpus_free(other);
    }
    tl_table_free(&sources);
    tl_corpus_free(train);
    tl_corpus_free(held);
}
END_TEST

static void must_be_same(const tl_corpus *a, long i, const tl_corpus *b, long j) {
    long n, m;
    for (int side = 0; side < 2; side++)
        ck_assert_str_eq(tl_corpus_sentence(a, (tl_side)side, i), tl_corpus_sentence(b, (tl_side)side, j));
    const tl_link *x = tl_corpus_alignment(a, i, &n), *y = tl_corpus_alignment(b, j, &m);
    must(n == m && n > 0 && memcmp(x, y, (size_t)n * sizeof *x) == 0);
}

START_TEST(ranges_are_of_one_stream) {
    for (int part = 0; part < 2; part++) {
        tl_corpus *whole = grammar(pairs[_i], (tl_grammar_part)part, 300, 0, 3);
        tl_corpus *end = grammar(pairs[_i], (tl_grammar_part)part, 100, 200, 3);
        for (long i = 0; i < 100; i++) must_be_same(whole, 200 + i, end, i);
        tl_corpus *other = grammar(pairs[_i], (tl_grammar_part)part, 300, 0, 4);
        long same = 0;
        for (long i = 0; i < 300; i++)
            same +=
                strcmp(tl_corpus_sentence(whole, TL_SOURCE, i), tl_corpus_sentence(other, TL_SOURCE, i)) == 0;
        ck_assert_int_lt(same, 30);
        tl_corpus_free(whole);
        tl_corpus_free(end);
        tl_corpus_free(other);
    }
}
END_TEST

/* ---- what is held out: combinations found again in the English words ---- */

static const char adjectives[] =
    "small,big,old,new,beautiful,young,red,black,white,blue,green,yellow,interesting,"
    "expensive,famous,clever,happy,tired,sad";

static int english_noun(const char *word) {
    int plural = 0;
    return noun_of(word, 0, &plural);
}
static bool owns(const char *word) { return word[0] == '\''; }

/* The head of the phrase that begins here, "the girl 's small cat": the noun's place, or -1 for a pronoun. */
static int head_from(const tokens *t, int at) {
    for (int i = at; i < t->count; i++) {
        if (listed("me,him,us,them,it,.,?,in,near,behind,to,I,he,she,we,they", t->word[i])) return -1;
        if (strcmp(t->word[i], "her") == 0 && i + 1 < t->count && english_noun(t->word[i + 1]) < 0 &&
            !listed(adjectives, t->word[i + 1]) && !listed("two,three,four,five,ten", t->word[i + 1]))
            return -1;
        if (english_noun(t->word[i]) >= 0 && !owns(t->word[i + 1])) return i;
    }
    return -1;
}

/* The base of an English verb form with an object, or of "go"; NULL if the word is none. */
static const char *verb_base(const tokens *t, int at) {
    static const char *const forms[][2] = {{"read", "read,reads,reading"},
                                           {"write", "write,writes,wrote,writing"},
                                           {"buy", "buy,buys,bought,buying"},
                                           {"sell", "sell,sells,sold,selling"},
                                           {"eat", "eat,eats,ate,eating"},
                                           {"see", "see,sees,saw"},
                                           {"draw", "draw,draws,drew,drawing"},
                                           {"wash", "wash,washes,washed,washing"},
                                           {"open", "open,opens,opened,opening"},
                                           {"break", "break,broke"},
                                           {"find", "find,found"},
                                           {"lose", "lose,lost"},
                                           {"look", "look,looking"},
                                           {"wait", "wait,waits,waiting"},
                                           {"help", "help,helps,helped,helping"},
                                           {"like", "like,likes"},
                                           {"know", "know,knows"},
                                           {"have", "have,has"},
                                           {"give", "give,gave"},
                                           {"go", "go,goes,went"}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (listed(forms[i][1], t->word[at])) return forms[i][0];
    return NULL;
}

typedef void combination(const char *text, void *context);

static void tell(const char *first, const char *noun, combination *found, void *context) {
    char text[64];
    snprintf(text, sizeof text, "%s %s", first, nouns[english_noun(noun)].en[0]);
    found(text, context);
}

/* Calls `found` for every adjective with its noun and every verb with its object. */
static void combinations(const tokens *t, combination *found, void *context) {
    int that = -1, subject = -1; /* where "that I bought" begins; the sentence's first head */
    for (int i = 0; i < t->count; i++) {
        const char *word = t->word[i];
        if (strcmp(word, "that") == 0 && i > 0 && english_noun(t->word[i - 1]) >= 0 &&
            head_from(t, i - 1) == i - 1 && !listed("does,did,is,will,can,must,do,are", t->word[i - 1]))
            that = i;
        if (listed(adjectives, word)) {
            int at = i;
            while (listed(adjectives, t->word[at])) at++;
            if (english_noun(t->word[at]) >= 0)
                tell(word, t->word[at], found, context);
            else if (subject >= 0)
                tell(word, t->word[subject], found, context);
        }
        if (i == 0 || subject == -1) {
            bool starts = i == 0 || (i == 1 && listed("is,are,do,does,did,will,can,must", t->word[0]));
            if (starts && !listed("is,are,do,does,did,will,can,must", word)) {
                int head = listed("I,he,she,we,they,there", word) ? -2 : head_from(t, i);
                subject = head < 0 ? -2 : head;
            }
        }
        const char *verb = i > 0 ? verb_base(t, i) : NULL;
        if (!verb) continue;
        int object = that >= 0 ? that - 1
                               : head_from(t, strcmp(t->word[i + 1], "for") == 0 ? i + 2
                                              : strcmp(verb, "go") == 0          ? i + 2
                                                                                 : i + 1);
        if (strcmp(t->word[i + 1], "it") == 0 || strcmp(t->word[i + 1], "them") == 0) {
            for (object = i; object > 0 && strcmp(t->word[object], "and") != 0;) object--;
            object = object > 0 ? object - 1 : -1; /* "bought an apple and ate it" */
        }
        that = -1;
        if (object >= 0) tell(verb, t->word[object], found, context);
    }
}

static void keep(const char *text, void *table) { must(tl_table_add(table, tl_span_of(text)) >= 0); }

struct news {
    const tl_table *known;
    long count;
};
static void count_new(const char *text, void *context) {
    struct news *news = context;
    news->count += tl_table_find(news->known, tl_span_of(text)) < 0;
}

START_TEST(held_out_sentences_combine_words_anew) {
    tl_table known = {0}, vocabulary[2] = {{0}, {0}};
    tokens t;
    tl_corpus *train = grammar(pairs[_i], TL_GRAMMAR_TRAIN, 100000, 0, 7);
    tl_corpus *held = grammar(pairs[_i], TL_GRAMMAR_HELD_OUT, HELD, 0, 7);
    for (long i = 0; i < tl_corpus_size(train); i++) {
        for (int side = 0; side < 2 && i < 10000; side++) {
            cut(tl_corpus_sentence(train, (tl_side)side, i), &t);
            for (int k = 0; k < t.count; k++) keep(t.word[k], &vocabulary[side]);
        }
        cut(tl_corpus_sentence(train, TL_SOURCE, i), &t);
        combinations(&t, keep, &known);
    }
    ck_assert_int_gt(known.count, 400);
    for (long i = 0; i < HELD; i++) {
        struct news news = {.known = &known};
        cut(tl_corpus_sentence(held, TL_SOURCE, i), &t);
        combinations(&t, count_new, &news);
        must_msg(news.count > 0, "nothing new in: %s", tl_corpus_sentence(held, TL_SOURCE, i));
        for (int side = 0; side < 2; side++) {
            cut(tl_corpus_sentence(held, (tl_side)side, i), &t);
            for (int k = 0; k < t.count; k++)
                must_msg(tl_table_find(&vocabulary[side], tl_span_of(t.word[k])) >= 0,
                         "%s is in no sentence of 10000", t.word[k]);
        }
    }
    tl_corpus_free(train);
    tl_corpus_free(held);
    tl_table_free(&known);
    for (int side = 0; side < 2; side++) tl_table_free(&vocabulary[side]);
}
END_TEST

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
            for (int k = 0; k < s.count; k++) /* what may stand alone */
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

/* Articles and adjectives before a noun, and those behind it, agree with it. */
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
            for (int k = 0; k + 1 < t.count; k++) { /* times before the verb, so before any 了, 在 and 不 */
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

/* ---- whole pairs, worked out by hand ---- */

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
    {"the hotels are not expensive .", "les hôtels ne sont pas chers .", "0-0 1-1 2-3 3-2 3-4 4-5 5-6"},
    {"does he like their black hats ?", "est-ce qu' il aime leurs chapeaux noirs ?",
     "0-0 0-1 0-3 1-2 2-3 3-4 4-6 5-5 6-7"},
    {"the old men bought an apple and ate it .", "les vieux hommes ont acheté une pomme et l' ont mangée .",
     "0-0 1-1 2-2 3-3 3-4 4-5 5-6 6-7 7-9 7-10 8-8 9-11"},
    {"there are not any owls behind the school .", "il n' y a pas de hiboux derrière l' école .",
     "0-0 0-2 1-3 2-1 2-4 3-5 4-6 5-7 6-8 7-9 8-10"},
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
    {"there are some small black cats in the big hospital .", "大 医院 里 有 一些 黑色 的 小 猫 。",
     "0-3 1-3 2-4 3-7 4-5 4-6 5-8 6-2 8-0 9-1 10-9"},
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

/* ---- beside other pairs, and errors ---- */

START_TEST(alignments_stay_with_their_pairs) {
    long n;
    tl_corpus *corpus = tl_corpus_new(), *alone = grammar("en-fr", TL_GRAMMAR_TRAIN, 20, 0, 1);
    ck_assert_ptr_null(tl_corpus_alignment(corpus, 0, &n));
    ck_assert(tl_corpus_add(corpus, "a", "b"));
    ck_assert(tl_corpus_grammar(corpus, &(tl_grammar_config){"en-fr", TL_GRAMMAR_TRAIN, 10, 0, 1}));
    ck_assert(tl_corpus_parse_tsv(corpus, "c\td\n", 4, NULL));
    ck_assert(tl_corpus_grammar(corpus, &(tl_grammar_config){"en-fr", TL_GRAMMAR_TRAIN, 10, 10, 1}));
    for (long i = 0; i < 10; i++) {
        must_be_same(corpus, 1 + i, alone, i);
        must_be_same(corpus, 12 + i, alone, 10 + i);
    }
    /* a file that is refused half-way takes nothing along */
    ck_assert(!tl_corpus_parse_tsv(corpus, "e\tf\nbad\n", 8, &(tl_corpus_config){.strict = true}));
    ck_assert_int_eq(tl_corpus_size(corpus), 22);
    must_be_same(corpus, 21, alone, 19);
    static const long without[] = {-1, 0, 11, 22, 23};
    for (int i = 0; i < 5; i++) {
        n = 7;
        ck_assert_ptr_null(tl_corpus_alignment(corpus, without[i], &n));
        ck_assert_int_eq(n, 0);
    }
    ck_assert_ptr_null(tl_corpus_alignment(NULL, 0, &n));
    tl_corpus_free(corpus);
    tl_corpus_free(alone);
}
END_TEST

START_TEST(what_cannot_be_is_refused) {
    static const struct {
        tl_grammar_config config;
        const char *message;
    } cases[] = {
        {{.pair = "en-de", .sentences = 1},
         "grammar corpus: found the pair \"en-de\", expected en-fr or en-zh"},
        {{.sentences = 1}, "grammar corpus: found the pair \"(none)\", expected en-fr or en-zh"},
        {{.pair = "en-fr", .part = (tl_grammar_part)2, .sentences = 1},
         "grammar corpus: found the part 2, expected TL_GRAMMAR_TRAIN or TL_GRAMMAR_HELD_OUT"},
        {{.pair = "en-fr", .sentences = 0},
         "grammar corpus: found 0 sentences from number 0 on, expected at least 1 from 0 or later"},
        {{.pair = "en-zh", .sentences = -5},
         "grammar corpus: found -5 sentences from number 0 on, expected at least 1 from 0 or later"},
        {{.pair = "en-zh", .sentences = 5, .first = -1},
         "grammar corpus: found 5 sentences from number -1 on, expected at least 1 from 0 or later"},
        {{.pair = "en-fr", .sentences = 100001},
         "grammar corpus: found 100001 sentences from number 0 on, but there are 100000: ask for fewer"},
        {{.pair = "en-fr", .sentences = 1, .first = 100000},
         "grammar corpus: found 1 sentences from number 100000 on, but there are 100000: ask for fewer"},
        {{.pair = "en-fr", .sentences = 2, .first = 0x7fffffffffffffffL},
         "grammar corpus: found 2 sentences from number 9223372036854775807 on, but there are 100000: ask "
         "for fewer"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_corpus *corpus = grammar("en-fr", TL_GRAMMAR_TRAIN, 3, 0, 1);
        ck_assert(!tl_corpus_grammar(corpus, &cases[i].config));
        ck_assert_str_eq(tl_corpus_error(corpus), cases[i].message);
        ck_assert_int_eq(tl_corpus_size(corpus), 3);
        ck_assert(!tl_corpus_grammar(corpus, &(tl_grammar_config){"en-fr", TL_GRAMMAR_TRAIN, 3, 3, 1}));
        ck_assert_str_eq(tl_corpus_error(corpus), cases[i].message);
        tl_corpus_free(corpus);
    }
    ck_assert(!tl_corpus_grammar(NULL, &(tl_grammar_config){"en-fr", TL_GRAMMAR_TRAIN, 3, 3, 1}));
}
END_TEST

/* There are as many sentences as is promised, to the last. */
START_TEST(streams_have_their_length) {
    for (int part = 0; part < 2; part++) {
        tl_corpus *corpus = grammar(pairs[_i], (tl_grammar_part)part, 1, 99999, 2);
        tl_corpus_free(corpus);
    }
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, streams_are_long_and_distinct, 0, 2);
    tcase_add_loop_test(tc, ranges_are_of_one_stream, 0, 2);
    tcase_add_loop_test(tc, held_out_sentences_combine_words_anew, 0, 2);
    tcase_add_loop_test(tc, alignments_are_true, 0, 2);
    tcase_add_test(tc, french_agrees);
    tcase_add_test(tc, chinese_counts_and_orders);
    tcase_add_loop_test(tc, pairs_by_hand, 0, 2);
    tcase_add_test(tc, alignments_stay_with_their_pairs);
    tcase_add_test(tc, what_cannot_be_is_refused);
    tcase_add_loop_test(tc, streams_have_their_length, 0, 2);
}

TL_TEST_MAIN("text: grammar")
