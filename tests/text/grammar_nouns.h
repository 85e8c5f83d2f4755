/* For both tests of the grammar corpus: sentences cut into tokens, and a lexicon of nouns in three languages,
 * independent of the grammar's. */
#ifndef TL_TESTS_GRAMMAR_NOUNS_H
#define TL_TESTS_GRAMMAR_NOUNS_H

#include "check.h"
#include "tapeloom/text.h"

static inline tl_corpus *grammar(const char *pair, tl_grammar_part part, long sentences, long first,
                                 uint64_t seed) {
    tl_corpus *corpus = tl_corpus_new();
    tl_corpus_grammar(corpus, &(tl_grammar_config){pair, part, sentences, first, seed});
    assert_no_error(tl_corpus_error(corpus));
    must(tl_corpus_size(corpus) == sentences);
    return corpus;
}

/* A sentence cut at its spaces. The test fails unless spaces are single and between tokens. */
typedef struct tokens {
    char text[512];
    char *word[32];
    int count;
} tokens;

static inline void cut(const char *sentence, tokens *t) {
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

/* Is the word in the list "a,b,c*"? A star stands for any ending. */
static inline bool listed_n(const char *list, size_t size, const char *word) {
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
static inline bool listed(const char *list, const char *word) { return listed_n(list, strlen(list), word); }

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

/* The number of the noun; -1 if the word is none. *plural: is it plural? Souris can be both: 2. */
static inline int noun_of(const char *word, int language, int *plural) {
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

enum { TRAIN = 50000, HELD = 4000 };

#endif
