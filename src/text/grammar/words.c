/* The words of the grammar in three languages: forms, genders, measure words, and which words go together. */
#include "words.h"

#include <stddef.h>

#define ARRAY_COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

enum { /* shorter names for the tables */
       KID = TL_GR_KID | TL_GR_PRETTY,
       MAN = TL_GR_ADULT | TL_GR_GROWN | TL_GR_AGED,
       CAT = TL_GR_ANIMAL | TL_GR_PRETTY | TL_GR_AGED,
       BEAST = TL_GR_ANIMAL,
       FOOD = TL_GR_FOOD | TL_GR_SOLD | TL_GR_WASHED,
       CAKE = TL_GR_FOOD | TL_GR_SOLD,
       BOOK = TL_GR_READ | TL_GR_SOLD | TL_GR_CURIOUS,
       WORN = TL_GR_WORN | TL_GR_SOLD | TL_GR_WASHED | TL_GR_COLOURED | TL_GR_COSTLY | TL_GR_PRETTY,
       CAR = TL_GR_VEHICLE | TL_GR_SOLD | TL_GR_WASHED | TL_GR_COLOURED | TL_GR_COSTLY | TL_GR_PRETTY,
       THING = TL_GR_THING | TL_GR_SOLD,
       PLACE = TL_GR_PLACE
};

#define F true
#define M false
/* clang-format off */
const tl_gr_noun tl_gr_nouns[] = {
    {{"boy", "boys"}, {"garçon", "garçons"}, M, "男孩", "个", TL_GR_KID},
    {{"girl", "girls"}, {"fille", "filles"}, F, "女孩", "个", KID},
    {{"child", "children"}, {"enfant", "enfants"}, M, "孩子", "个", TL_GR_CHILD},
    {{"man", "men"}, {"homme", "hommes"}, M, "男人", "个", MAN},
    {{"woman", "women"}, {"femme", "femmes"}, F, "女人", "个", MAN | TL_GR_PRETTY},
    {{"doctor", "doctors"}, {"médecin", "médecins"}, M, "医生", "个", TL_GR_ROLE | TL_GR_GROWN | TL_GR_FAMOUS},
    {{"student", "students"}, {"étudiant", "étudiants"}, M, "学生", "个", TL_GR_ROLE},
    {{"friend", "friends"}, {"ami", "amis"}, M, "朋友", "个", TL_GR_ROLE | TL_GR_OWNED | TL_GR_AGED},

    {{"cat", "cats"}, {"chat", "chats"}, M, "猫", "只", CAT},
    {{"dog", "dogs"}, {"chien", "chiens"}, M, "狗", "只", CAT},
    {{"bird", "birds"}, {"oiseau", "oiseaux"}, M, "鸟", "只", CAT},
    {{"horse", "horses"}, {"cheval", "chevaux"}, M, "马", "匹", CAT},
    {{"cow", "cows"}, {"vache", "vaches"}, F, "牛", "头", BEAST | TL_GR_AGED},
    {{"mouse", "mice"}, {"souris", "souris"}, F, "老鼠", "只", BEAST},
    {{"owl", "owls"}, {"hibou", "hiboux"}, M, "猫头鹰", "只", BEAST | TL_GR_AGED},

    {{"apple", "apples"}, {"pomme", "pommes"}, F, "苹果", "个", FOOD},
    {{"orange", "oranges"}, {"orange", "oranges"}, F, "橙子", "个", FOOD},
    {{"egg", "eggs"}, {"œuf", "œufs"}, M, "鸡蛋", "个", FOOD},
    {{"cake", "cakes"}, {"gâteau", "gâteaux"}, M, "蛋糕", "个", CAKE},

    {{"book", "books"}, {"livre", "livres"}, M, "书", "本", BOOK | TL_GR_WRITTEN | TL_GR_OPENED | TL_GR_FAMOUS},
    {{"letter", "letters"}, {"lettre", "lettres"}, F, "信", "封",
     TL_GR_READ | TL_GR_WRITTEN | TL_GR_OPENED | TL_GR_CURIOUS | TL_GR_CARRIED},
    {{"newspaper", "newspapers"}, {"journal", "journaux"}, M, "报纸", "份", BOOK},
    {{"dictionary", "dictionaries"}, {"dictionnaire", "dictionnaires"}, M, "词典", "本", BOOK | TL_GR_OPENED},
    {{"photo", "photos"}, {"photo", "photos"}, F, "照片", "张",
     THING | TL_GR_PRETTY | TL_GR_CURIOUS | TL_GR_CARRIED},
    {{"painting", "paintings"}, {"tableau", "tableaux"}, M, "画", "幅",
     TL_GR_SOLD | TL_GR_PRETTY | TL_GR_CURIOUS | TL_GR_COSTLY | TL_GR_FAMOUS},

    {{"shirt", "shirts"}, {"chemise", "chemises"}, F, "衬衫", "件", WORN},
    {{"coat", "coats"}, {"manteau", "manteaux"}, M, "大衣", "件", WORN},
    {{"skirt", "skirts"}, {"jupe", "jupes"}, F, "裙子", "条", WORN},
    {{"hat", "hats"}, {"chapeau", "chapeaux"}, M, "帽子", "顶", WORN | TL_GR_CARRIED},

    {{"car", "cars"}, {"voiture", "voitures"}, F, "汽车", "辆", CAR},
    {{"bicycle", "bicycles"}, {"vélo", "vélos"}, M, "自行车", "辆", CAR | TL_GR_BROKEN},
    {{"table", "tables"}, {"table", "tables"}, F, "桌子", "张",
     THING | TL_GR_PRETTY | TL_GR_COSTLY | TL_GR_COLOURED},
    {{"chair", "chairs"}, {"chaise", "chaises"}, F, "椅子", "把",
     THING | TL_GR_BROKEN | TL_GR_COLOURED | TL_GR_COSTLY},
    {{"umbrella", "umbrellas"}, {"parapluie", "parapluies"}, M, "雨伞", "把",
     THING | TL_GR_CARRIED | TL_GR_OPENED | TL_GR_BROKEN | TL_GR_COLOURED},
    {{"key", "keys"}, {"clé", "clés"}, F, "钥匙", "把", TL_GR_THING | TL_GR_CARRIED},
    {{"axe", "axes"}, {"hache", "haches"}, F, "斧头", "把", THING},
    {{"knife", "knives"}, {"couteau", "couteaux"}, M, "刀", "把", THING | TL_GR_CARRIED | TL_GR_WASHED},
    {{"watch", "watches"}, {"montre", "montres"}, F, "手表", "块",
     THING | TL_GR_CARRIED | TL_GR_BROKEN | TL_GR_COSTLY | TL_GR_PRETTY},
    {{"bag", "bags"}, {"sac", "sacs"}, M, "包", "个",
     THING | TL_GR_CARRIED | TL_GR_OPENED | TL_GR_COLOURED | TL_GR_COSTLY},
    {{"box", "boxes"}, {"boîte", "boîtes"}, F, "盒子", "个", THING | TL_GR_OPENED | TL_GR_COLOURED},
    {{"cup", "cups"}, {"tasse", "tasses"}, F, "杯子", "个", THING | TL_GR_WASHED | TL_GR_COLOURED},
    {{"ticket", "tickets"}, {"billet", "billets"}, M, "票", "张", TL_GR_CARRIED | TL_GR_SOLD | TL_GR_COSTLY},
    {{"tree", "trees"}, {"arbre", "arbres"}, M, "树", "棵", TL_GR_TREE},
    {{"flower", "flowers"}, {"fleur", "fleurs"}, F, "花", "朵", TL_GR_FLOWER | TL_GR_PRETTY | TL_GR_SOLD},

    {{"house", "houses"}, {"maison", "maisons"}, F, "房子", "座",
     TL_GR_HOUSE | TL_GR_PLACE | TL_GR_COSTLY | TL_GR_PRETTY},
    {{"garden", "gardens"}, {"jardin", "jardins"}, M, "花园", "个", PLACE | TL_GR_PRETTY},
    {{"kitchen", "kitchens"}, {"cuisine", "cuisines"}, F, "厨房", "个", PLACE},
    {{"school", "schools"}, {"école", "écoles"}, F, "学校", "所", PLACE | TL_GR_FAMOUS},
    {{"park", "parks"}, {"parc", "parcs"}, M, "公园", "个", PLACE | TL_GR_PRETTY},
    {{"village", "villages"}, {"village", "villages"}, M, "村子", "个", PLACE | TL_GR_PRETTY},
    {{"museum", "museums"}, {"musée", "musées"}, M, "博物馆", "个", PLACE | TL_GR_CURIOUS | TL_GR_FAMOUS},
    {{"hotel", "hotels"}, {"hôtel", "hôtels"}, M, "酒店", "家", PLACE | TL_GR_FAMOUS | TL_GR_COSTLY},
    {{"hospital", "hospitals"}, {"hôpital", "hôpitaux"}, M, "医院", "家", PLACE},
    {{"shop", "shops"}, {"magasin", "magasins"}, M, "商店", "家", PLACE},
    {{"restaurant", "restaurants"}, {"restaurant", "restaurants"}, M, "餐厅", "家",
     PLACE | TL_GR_FAMOUS | TL_GR_COSTLY},
};
/* clang-format on */
const int tl_gr_noun_count = ARRAY_COUNT(tl_gr_nouns);

enum {
    GOODS = TL_GR_READ | TL_GR_WORN | TL_GR_VEHICLE | TL_GR_THING,
    SIZED = TL_GR_ANIMAL | TL_GR_FOOD | TL_GR_VEHICLE | TL_GR_THING | TL_GR_TREE | TL_GR_FLOWER | TL_GR_PLACE,
    AGED = TL_GR_AGED | TL_GR_TREE | TL_GR_PLACE,
    BLACK = TL_GR_COLOURED | TL_GR_ANIMAL,
    MINDED = TL_GR_PERSON | TL_GR_ANIMAL
};

/* English, French, before the noun?, Chinese, 的?, colour?, Chinese for things, kinds described, kinds after "is" */
/* clang-format off */
const tl_gr_adjective tl_gr_adjectives[] = {
    {"small", {"petit", "petite", "petits", "petites", "petit"}, true, "小", false, false, NULL,
     SIZED | TL_GR_KID, SIZED},
    {"big", {"grand", "grande", "grands", "grandes", "grand"}, true, "大", false, false, NULL, SIZED, SIZED},
    {"old", {"vieux", "vieille", "vieux", "vieilles", "vieil"}, true, "老", false, false, "旧", AGED | GOODS,
     AGED | GOODS},
    {"new", {"nouveau", "nouvelle", "nouveaux", "nouvelles", "nouvel"}, true, "新", false, false, NULL,
     GOODS | TL_GR_PLACE | TL_GR_ROLE, GOODS | TL_GR_PLACE},
    {"beautiful", {"beau", "belle", "beaux", "belles", "bel"}, true, "漂亮", true, false, NULL, TL_GR_PRETTY,
     TL_GR_PRETTY},
    {"young", {"jeune", "jeune", "jeunes", "jeunes", "jeune"}, true, "年轻", true, false, NULL, TL_GR_GROWN,
     TL_GR_GROWN},
    {"red", {"rouge", "rouge", "rouges", "rouges", "rouge"}, false, "红色", true, true, NULL,
     TL_GR_COLOURED | TL_GR_FLOWER, TL_GR_COLOURED | TL_GR_FLOWER},
    {"black", {"noir", "noire", "noirs", "noires", "noir"}, false, "黑色", true, true, NULL, BLACK, BLACK},
    {"white", {"blanc", "blanche", "blancs", "blanches", "blanc"}, false, "白色", true, true, NULL,
     BLACK | TL_GR_FLOWER, BLACK | TL_GR_FLOWER},
    {"blue", {"bleu", "bleue", "bleus", "bleues", "bleu"}, false, "蓝色", true, true, NULL, TL_GR_COLOURED,
     TL_GR_COLOURED},
    {"green", {"vert", "verte", "verts", "vertes", "vert"}, false, "绿色", true, true, NULL, TL_GR_COLOURED,
     TL_GR_COLOURED},
    {"yellow", {"jaune", "jaune", "jaunes", "jaunes", "jaune"}, false, "黄色", true, true, NULL,
     TL_GR_COLOURED | TL_GR_FLOWER, TL_GR_COLOURED | TL_GR_FLOWER},
    {"interesting", {"intéressant", "intéressante", "intéressants", "intéressantes", "intéressant"}, false,
     "有趣", true, false, NULL, TL_GR_CURIOUS, TL_GR_CURIOUS},
    {"expensive", {"cher", "chère", "chers", "chères", "cher"}, false, "昂贵", true, false, NULL, TL_GR_COSTLY,
     TL_GR_COSTLY},
    {"famous", {"célèbre", "célèbre", "célèbres", "célèbres", "célèbre"}, false, "有名", true, false, NULL,
     TL_GR_FAMOUS, TL_GR_FAMOUS},
    {"clever", {"intelligent", "intelligente", "intelligents", "intelligentes", "intelligent"}, false, "聪明",
     true, false, NULL, MINDED, MINDED},
    {"happy", {"heureux", "heureuse", "heureux", "heureuses", "heureux"}, false, "快乐", true, false, NULL,
     TL_GR_PERSON, TL_GR_PERSON},
    {"tired", {"fatigué", "fatiguée", "fatigués", "fatiguées", "fatigué"}, false, "累", true, false, NULL, 0,
     MINDED},
    {"sad", {"triste", "triste", "tristes", "tristes", "triste"}, false, "难过", true, false, NULL, 0,
     TL_GR_PERSON},
};
/* clang-format on */
const int tl_gr_adjective_count = ARRAY_COUNT(tl_gr_adjectives);

enum {
    PRESENT = 1 << TL_GR_PRESENT,
    NOW = 1 << TL_GR_NOW,
    PAST = 1 << TL_GR_PAST,
    FUTURE = 1 << TL_GR_FUTURE,
    CAN = 1 << TL_GR_CAN,
    WANT = 1 << TL_GR_WANT,
    MUST = 1 << TL_GR_MUST,
    ALL = (1 << TL_GR_TENSES) - 1,
    WHO = TL_GR_PERSON
};

/* clang-format off */
const tl_gr_verb tl_gr_verbs[] = {
    {{"read", "reads", "read", "reading"}, NULL, {"lire", "lis", "lit", "lisons", "lisent", "lu"}, false, "看",
     NULL, ALL, WHO, TL_GR_READ, TL_GR_NO_PAST},
    {{"write", "writes", "wrote", "writing"}, NULL,
     {"écrire", "écris", "écrit", "écrivons", "écrivent", "écrit"}, false, "写", NULL, ALL, WHO, TL_GR_WRITTEN,
     0},
    {{"buy", "buys", "bought", "buying"}, NULL,
     {"acheter", "achète", "achète", "achetons", "achètent", "acheté"}, false, "买", NULL, ALL, WHO,
     TL_GR_SOLD, 0},
    {{"sell", "sells", "sold", "selling"}, NULL, {"vendre", "vends", "vend", "vendons", "vendent", "vendu"},
     false, "卖", NULL, ALL, WHO, TL_GR_SOLD, TL_GR_BA},
    {{"eat", "eats", "ate", "eating"}, NULL, {"manger", "mange", "mange", "mangeons", "mangent", "mangé"},
     false, "吃", NULL, ALL, WHO, TL_GR_FOOD, TL_GR_BA},
    {{"see", "sees", "saw", "seeing"}, NULL, {"voir", "vois", "voit", "voyons", "voient", "vu"}, false, "看见",
     NULL, PRESENT | PAST | FUTURE | CAN, WHO | TL_GR_ANIMAL,
     TL_GR_PERSON | TL_GR_ANIMAL | TL_GR_TREE | TL_GR_VEHICLE | TL_GR_FLOWER | TL_GR_HOUSE, 0},
    {{"draw", "draws", "drew", "drawing"}, NULL,
     {"dessiner", "dessine", "dessine", "dessinons", "dessinent", "dessiné"}, false, "画", NULL, ALL, WHO,
     TL_GR_ANIMAL | TL_GR_TREE | TL_GR_FLOWER | TL_GR_HOUSE | TL_GR_VEHICLE, 0},
    {{"wash", "washes", "washed", "washing"}, NULL, {"laver", "lave", "lave", "lavons", "lavent", "lavé"},
     false, "洗", NULL, ALL, WHO, TL_GR_WASHED, TL_GR_BA},
    {{"open", "opens", "opened", "opening"}, NULL,
     {"ouvrir", "ouvre", "ouvre", "ouvrons", "ouvrent", "ouvert"}, false, "打开", NULL, ALL, WHO, TL_GR_OPENED,
     TL_GR_BA},
    {{"break", "breaks", "broke", "breaking"}, NULL,
     {"casser", "casse", "casse", "cassons", "cassent", "cassé"}, false, "弄坏", NULL, PAST | FUTURE, WHO,
     TL_GR_BROKEN, TL_GR_BA},
    {{"find", "finds", "found", "finding"}, NULL,
     {"trouver", "trouve", "trouve", "trouvons", "trouvent", "trouvé"}, false, "找到", NULL,
     PAST | FUTURE | CAN, WHO, TL_GR_CARRIED | TL_GR_ANIMAL, 0},
    {{"lose", "loses", "lost", "losing"}, NULL, {"perdre", "perds", "perd", "perdons", "perdent", "perdu"},
     false, "弄丢", NULL, PAST | FUTURE, WHO, TL_GR_CARRIED, TL_GR_BA},
    {{"look", "looks", "looked", "looking"}, "for",
     {"chercher", "cherche", "cherche", "cherchons", "cherchent", "cherché"}, false, "找", NULL,
     NOW | FUTURE | MUST, WHO | TL_GR_ANIMAL, TL_GR_CARRIED | TL_GR_ANIMAL | TL_GR_PERSON, TL_GR_NO_PAST},
    {{"wait", "waits", "waited", "waiting"}, "for",
     {"attendre", "attends", "attend", "attendons", "attendent", "attendu"}, false, "等", NULL, ALL, WHO,
     TL_GR_PERSON, TL_GR_NO_PAST},
    {{"help", "helps", "helped", "helping"}, NULL, {"aider", "aide", "aide", "aidons", "aident", "aidé"},
     false, "帮助", NULL, ALL, WHO, TL_GR_PERSON, 0},
    {{"like", "likes", "liked", "liking"}, NULL, {"aimer", "aime", "aime", "aimons", "aiment", "aimé"}, false,
     "喜欢", NULL, PRESENT, WHO | TL_GR_ANIMAL, TL_GR_ANY, TL_GR_STATE},
    {{"know", "knows", "knew", "knowing"}, NULL,
     {"connaître", "connais", "connaît", "connaissons", "connaissent", "connu"}, false, "认识", NULL, PRESENT,
     WHO, TL_GR_PERSON, TL_GR_STATE},
    {{"have", "has", "had", "having"}, NULL, {"avoir", "ai", "a", "avons", "ont", "eu"}, false, "有", NULL,
     PRESENT, WHO, TL_GR_SOLD | TL_GR_ANIMAL | TL_GR_CARRIED | TL_GR_HOUSE, TL_GR_STATE | TL_GR_HAVE},
    {{"give", "gives", "gave", "giving"}, NULL, {"donner", "donne", "donne", "donnons", "donnent", "donné"},
     false, "给", NULL, PAST | FUTURE | WANT, WHO, TL_GR_SOLD, TL_GR_GIVE | TL_GR_NO_PLACE},
    {{"go", "goes", "went", "going"}, NULL, {"aller", "vais", "va", "allons", "vont", "allé"}, true, "去",
     NULL, PRESENT | PAST | FUTURE | CAN | WANT | MUST, WHO, 0, TL_GR_GO},
    {{"arrive", "arrives", "arrived", "arriving"}, NULL,
     {"arriver", "arrive", "arrive", "arrivons", "arrivent", "arrivé"}, true, "到", NULL, PAST | FUTURE, WHO,
     0, TL_GR_NO_PLACE},
    {{"leave", "leaves", "left", "leaving"}, NULL, {"partir", "pars", "part", "partons", "partent", "parti"},
     true, "离开", NULL, PAST | FUTURE | CAN | WANT | MUST, WHO, 0, TL_GR_NO_PLACE},
    {{"sleep", "sleeps", "slept", "sleeping"}, NULL,
     {"dormir", "dors", "dort", "dormons", "dorment", "dormi"}, false, "睡觉", NULL, ALL, WHO | TL_GR_ANIMAL, 0,
     TL_GR_NO_PAST},
    {{"work", "works", "worked", "working"}, NULL,
     {"travailler", "travaille", "travaille", "travaillons", "travaillent", "travaillé"}, false, "工作", NULL,
     ALL, TL_GR_ADULT | TL_GR_ROLE, 0, TL_GR_NO_PAST},
    {{"sing", "sings", "sang", "singing"}, NULL,
     {"chanter", "chante", "chante", "chantons", "chantent", "chanté"}, false, "唱", "歌", ALL, WHO, 0, 0},
    {{"dance", "dances", "danced", "dancing"}, NULL,
     {"danser", "danse", "danse", "dansons", "dansent", "dansé"}, false, "跳", "舞", ALL, WHO, 0, 0},
    {{"swim", "swims", "swam", "swimming"}, NULL, {"nager", "nage", "nage", "nageons", "nagent", "nagé"},
     false, "游", "泳", ALL, WHO, 0, TL_GR_NO_PLACE},
    {{"run", "runs", "ran", "running"}, NULL, {"courir", "cours", "court", "courons", "courent", "couru"},
     false, "跑", "步", ALL, WHO, 0, 0},
    {{"laugh", "laughs", "laughed", "laughing"}, NULL, {"rire", "ris", "rit", "rions", "rient", "ri"}, false,
     "笑", NULL, NOW | PAST | FUTURE, WHO, 0, 0},
    {{"cry", "cries", "cried", "crying"}, NULL,
     {"pleurer", "pleure", "pleure", "pleurons", "pleurent", "pleuré"}, false, "哭", NULL, NOW | PAST | FUTURE,
     WHO, 0, 0},
};
/* clang-format on */
const int tl_gr_verb_count = ARRAY_COUNT(tl_gr_verbs);

/* clang-format off */
const tl_gr_time tl_gr_times[] = {
    {{"every", "day"}, {"chaque", "jour", NULL}, {"每天", NULL}, 0, TL_GR_PRESENT},
    {{"every", "morning"}, {"chaque", "matin", NULL}, {"每天", "早上"}, 0, TL_GR_PRESENT},
    {{"every", "evening"}, {"chaque", "soir", NULL}, {"每天", "晚上"}, 0, TL_GR_PRESENT},
    {{"now", NULL}, {"maintenant", NULL, NULL}, {"现在", NULL}, 0, TL_GR_NOW},
    {{"yesterday", NULL}, {"hier", NULL, NULL}, {"昨天", NULL}, 0, TL_GR_PAST},
    {{"last", "week"}, {"la", "semaine", "dernière"}, {"上周", NULL}, 2, TL_GR_PAST},
    {{"tomorrow", NULL}, {"demain", NULL, NULL}, {"明天", NULL}, 0, TL_GR_FUTURE},
    {{"next", "week"}, {"la", "semaine", "prochaine"}, {"下周", NULL}, 2, TL_GR_FUTURE},
};
/* clang-format on */
const int tl_gr_time_count = ARRAY_COUNT(tl_gr_times);
