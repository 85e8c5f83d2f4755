/* Heads are redundant: a trained translator loses its heads one by one, in several orders. Once on sentences made
 * here, and once on human ones. */
#include "claim_heads.h"

#include <math.h>

static const char *const arms[] = {
    [REDUNDANT_BY_IMPORTANCE] = "by importance", [REDUNDANT_BY_RAW] = "by raw importance",
    [REDUNDANT_BY_CHANCE] = "by chance",         [REDUNDANT_OF_ENCODER] = "encoder alone",
    [REDUNDANT_OF_DECODER] = "decoder alone",    [REDUNDANT_OF_CROSS] = "cross-attention alone"};

/* ---- what is trained ---- */

static void plan_of(study *s, arm a, double cost) {
    for (int i = 0; i < REDUNDANT_ORDERS; i++) {
        a.name = arms[i];
        a.work = redundant_measure;
        a.number = i;
        a.cost = i == REDUNDANT_BY_CHANCE    ? REDUNDANT_CHANCES * cost
                 : i >= REDUNDANT_OF_ENCODER ? cost / 2
                                             : cost;
        study_arm(s, &a);
    }
}

static void plan(study *s) {
    tl_run_settings settings;
    arm a = {.name = NULL};
    pool_arm(s, &settings, &a);
    plan_of(s, a, 5);
}

static void plan_multi30k(study *s) {
    tl_run_settings settings;
    arm a = {.name = NULL};
    multi30k_arm(s, &settings, &a, 4);
    plan_of(s, a, 12);
}

/* ---- rules ---- */

static const rule rules[] = {
    [REDUNDANT_HALF] = {{"half of the heads, the least important first, cost less than 2 BLEU",
                         "按重要性从低到高去掉一半的头，BLEU 下降不到 2"},
                        {"20 % of the heads without noticeable loss (Michel et al., section 4.2)",
                         "去掉 20% 的头无明显损害（Michel 等，2019，第 4.2 节）"},
                        {"BLEU lost", "BLEU 下降"},
                        2,
                        true},
    [REDUNDANT_HALF_RAW] = {{"the same by raw importance", "同上，按未归一化的重要性"},
                            {"–", "–"},
                            {"BLEU lost", "BLEU 下降"},
                            2,
                            true},
    [REDUNDANT_ENCODER] = {{"three quarters of the encoder's heads cost less than 2 BLEU",
                            "去掉编码器四分之三的头，BLEU 下降不到 2"},
                           {"0.15 BLEU for 38 of 48 (Voita et al., abstract)",
                            "48 个头去掉 38 个，下降 0.15 BLEU（Voita 等，2019，摘要）"},
                           {"BLEU lost", "BLEU 下降"},
                           2,
                           true},
    [REDUNDANT_CHANCE] = {{"importance is a better order than chance", "按重要性的次序优于随机次序"},
                          {"–", "–"},
                          {"nats a token by which chance is worse", "随机次序多损失的部分，奈特/词元"},
                          0.1,
                          false},
    [REDUNDANT_CHANCE_RAW] = {{"raw importance is a better order than chance",
                               "按未归一化重要性的次序优于随机次序"},
                              {"–", "–"},
                              {"nats a token by which chance is worse", "随机次序多损失的部分，奈特/词元"},
                              0.1,
                              false},
    [REDUNDANT_CROSS] = {
        {"cross-attention is hurt most", "交叉注意力受损最大"},
        {"catastrophic when more than 60 % of its heads are gone; of self-attention's heads 20 % give "
         "about 30 BLEU (Michel et al., section 5)",
         "交叉注意力的头去掉 60% 以上即告崩溃；自注意力的头只留 20% 仍有约 30 BLEU（Michel 等，2019，第 5 "
         "节）"},
        {"nats a token above the worse of the two self-attentions",
         "比受损较大的自注意力多出的部分，奈特/词元"},
        0.1,
        false}};

/* The mean over a curve without its two ends, where all orders are equal. */
static double mean_loss(const numbers *n, int order, long seed) {
    return numbers_mean(n, arms[order], seed, "loss", 0.5, 99.5);
}

static double bleu_lost(const numbers *n, int order, long seed, double gone) {
    return numbers_get(n, arms[order], seed, "BLEU", 0) - numbers_get(n, arms[order], seed, "BLEU", gone);
}

static double worse_of_self(const numbers *n, long seed) {
    const double encoder = mean_loss(n, REDUNDANT_OF_ENCODER, seed),
                 decoder = mean_loss(n, REDUNDANT_OF_DECODER, seed);
    return isnan(encoder) || isnan(decoder) ? NAN : fmax(encoder, decoder);
}

static double difference(const numbers *n, int rule, long seed) {
    switch (rule) {
    case REDUNDANT_HALF:
        return bleu_lost(n, REDUNDANT_BY_IMPORTANCE, seed, 50);
    case REDUNDANT_HALF_RAW:
        return bleu_lost(n, REDUNDANT_BY_RAW, seed, 50);
    case REDUNDANT_ENCODER:
        return bleu_lost(n, REDUNDANT_OF_ENCODER, seed, 75);
    case REDUNDANT_CHANCE:
        return mean_loss(n, REDUNDANT_BY_CHANCE, seed) - mean_loss(n, REDUNDANT_BY_IMPORTANCE, seed);
    case REDUNDANT_CHANCE_RAW:
        return mean_loss(n, REDUNDANT_BY_CHANCE, seed) - mean_loss(n, REDUNDANT_BY_RAW, seed);
    default:
        return mean_loss(n, REDUNDANT_OF_CROSS, seed) - worse_of_self(n, seed);
    }
}

/* ---- texts ---- */

/* The axis ends near the loss of a model without any head. */
#define PANELS(HIGHEST)                                                                              \
 {                                                                                                   \
  {.what = "loss",                                                                                   \
   .label = "loss, nats per token",                                                                  \
   .x_label = "heads that are gone, %",                                                              \
   .arms = {"by importance", "by raw importance", "by chance"},                                      \
   .low = 0,                                                                                         \
   .high = HIGHEST},                                                                                 \
  {                                                                                                  \
   .what = "loss", .label = "loss, nats per token", .x_label = "heads of one kind that are gone, %", \
   .arms = {"encoder alone", "decoder alone", "cross-attention alone"}, .low = 0, .high = HIGHEST    \
  }                                                                                                  \
 }
static const panel panels[] = PANELS(6), panels_multi30k[] = PANELS(5);

static const remark remarks[] = {
    {REDUNDANT_HALF,
     DOES_NOT_HOLD,
     {"Why half is too much was looked at on two trial seeds after 750 updates. They have BLEU 90.8; half "
      "of the heads cost 55 by importance, 21 by raw importance and 52 by chance. Half of the encoder's "
      "heads cost 2, of the decoder's own 13, of the cross-attention's 29. Published importance is divided "
      "by the norm over each attention's heads, so cross-attention loses as many heads as the rest; raw "
      "importance keeps them to the end.",
      "为什么一半太多？我们在两个试验种子上、更新 750 次之后做过考察。BLEU 为 90.8；去掉一半的头，按重要性"
      "下降 55，按未归一化的重要性下降 21，按随机次序下降 52。去掉编码器一半的头下降 2，解码器自注意力的一"
      "半下降 13，交叉注意力的一半下降 29。论文的重要性要除以每个注意力子层中各头的范数，因此交叉注意力与其"
      "余注意力失去同样多的头；未归一化的重要性则把交叉注意力的头保留到最后。"}},
    {REDUNDANT_ENCODER,
     DOES_NOT_HOLD,
     {"Voita et al. train the model while its gates close; here nothing is trained after heads have gone. "
      "On two trial seeds after 750 updates, 6 of the 8 encoder heads cost 5 BLEU, and all 8 of them 9. "
      "Gates that learn suggest that training makes the difference on this data: in a run made before this "
      "study, 15 of 24 heads were left for 1 BLEU with such gates, and for 9 BLEU by importance "
      "(docs/attend.md).",
      "Voita 等（2019）在门逐渐关闭的同时训练模型，这里去掉头之后不再训练。在两个试验种子上、更新 750 次之"
      "后，去掉编码器 8 个头中的 6 个下降 5 BLEU，8 个全部去掉下降 9 BLEU。在这份数据上，可学习的门表明差别"
      "来自训练：本研究之前的一次训练借助这样的门留下 24 个头中的 15 个，下降 1 BLEU；而按重要性留下 15 个"
      "头，下降 9 BLEU（docs/attend.md）。"}}};

static const remark remarks_multi30k[] = {
    {REDUNDANT_HALF,
     DOES_NOT_HOLD,
     {"Half is too much because of whose heads go. Of the 27.7 BLEU that the whole model has, the encoder "
      "without half of its own heads loses 0.2, the decoder 4.9, the cross-attention 10.8; the encoder "
      "without any head loses 2.5. Published importance is divided by the norm over each attention's heads, "
      "so that cross-attention loses as many heads as the rest. Without that division half of all heads "
      "cost 4.9. A quarter of them costs 2.8 by importance, 0.9 by raw importance and 10.2 by chance.",
      "一半之所以太多，在于去掉的是哪一类头。完整的模型有 27.7 BLEU；编码器去掉自己一半的头下降 0.2，解码器"
      "自注意力下降 4.9，交叉注意力下降 10.8；编码器一个头也不留，只下降 2.5。论文的重要性要除以每个注意力子"
      "层中各头的范数，因此交叉注意力与其余注意力失去同样多的头；不做这一除法，去掉一半的头下降 4.9。去掉四"
      "分之一的头，按重要性下降 2.8，按未归一化的重要性下降 0.9，按随机次序下降 10.2。"}}};

#define HOW_EN                                                                                            \
 "\n\n"                                                                                                   \
 "Importance is that of Michel et al.: how much a sentence's loss changes with a gate behind the head, "  \
 "without the sign of that change, averaged over sentences, and divided by the norm over the heads of "   \
 "the same attention. So it compares the heads of one attention, but not attentions with each other. "    \
 "Raw importance is the same without that division; it is ours, and has rules of its own. Both are "      \
 "measured once, on the whole model, and on other sentences than those of the curves. By chance stands "  \
 "for the mean of five random orders. After each head the loss is measured with the true words read, "    \
 "and BLEU, written greedily, after each quarter of the heads. Half of them may cost 2 BLEU; so may "     \
 "three quarters of the encoder's, 6 of 8 as 38 of 48 are in the paper. An order is better than another " \
 "if its loss, mean over all points between none and all, is lower by 0.1 nats a token: the true word "   \
 "is then a tenth more likely. The same margin holds for kinds of attention, each losing its own heads "  \
 "by importance: cross-attention is hurt most if its loss is above the worse of the two others."
#define HOW_ZH                                                                                                                                                  \
 "\n\n"                                                                                                                                                         \
 "重要性取 Michel 等（2019）的定义：在头之后设一道门，取单个句子的损失对这道门的变化率，不计正负，对各句"          \
 "求平均，再除以同一注意力子层中各头的这个值的范数。因此它能比较同一注意力子层的头，不能比较不同的注意力"    \
 "子层。未归一化的重要性省去这一除法；它是我们所加，另有规则。两者都只在完整的模型上测量一次，所用的句子"    \
 "与测量曲线的句子不同。“随机次序”指五个随机次序的平均。每去掉一个头，就以教师强制测量一次损失；每去掉四" \
 "分之一的头，就贪心地写出译文，测量一次 BLEU。去掉一半的头，BLEU 可以下降 2；去掉编码器四分之三的头（8 "           \
 "个中的 6 个，如同论文中 48 个中的 38 个），也可以下降 2。一个次序优于另一个，是指它的损失在两端（一个"            \
 "不去掉与全部去掉）之间各点的平均低 0.1 奈特/词元：此时正确的词的概率高出一成。各类注意力也用这一界限，"       \
 "每一类按重要性去掉自己的头：交叉注意力的损失高于另两类中较差的一类，才算受损最大。"

const claim claim_redundant = {
    .name = "redundant",
    .title = {"Heads are redundant", "注意力头有冗余"},
    .source = "Michel et al. 2019; Voita et al. 2019",
    .paragraph =
        {"Michel et al. take heads away from a trained translator, the least important first, and do not "
         "train on: 20 % of them are not missed. Voita et al. close 38 of 48 encoder heads for 0.15 BLEU, "
         "with gates that are trained together with the model. Here a translator of en-fr sentences, with "
         "4 heads in each attention of two layers on either side, is trained for 2,500 updates, and loses "
         "its 24 heads one by one. 500 held-out sentences tell the importance, and 500 others what is "
         "left. The papers' translators have six layers and more than a hundred heads; this one is small "
         "for what it does. A model like it, looked at before this study, lost most of its BLEU with half "
         "of its heads, and published importance was worse than chance there (docs/attend.md). So neither "
         "the rules about BLEU nor the one about published importance and chance are expected to hold "
         "here." HOW_EN,
         "Michel 等（2019）从训练好的翻译模型中按重要性从低到高去掉注意力头，不再训练：去掉 20% 并无明显影"
         "响。Voita 等（2019）用与模型一同训练的门关闭编码器 48 个头中的 38 个，只下降 0.15 BLEU。这里的英"
         "法翻译模型，编码器与解码器各 2 层，每个注意力子层 4 个头，更新 2,500 次，然后逐个去掉全部 24 个头"
         "。500 个未见过的句子用来测量重要性，另外 500 个用来测量余下的模型。论文中的翻译模型有六层、一百多"
         "个头；这里的模型对其任务而言是小的。本研究之前考察过的一个同类模型，去掉一半的头就失去大部分 BLEU"
         "，而且已发表的重要性在那里还不如随机次序（docs/attend.md）。因此我们预计，关于 BLEU 的规则，以及"
         "比较已发表的重要性与随机次序的规则，在此处都不成立。" HOW_ZH},
    .version = 1,
    .plan = plan,
    .rules = rules,
    .rule_count = REDUNDANT_RULES,
    .difference = difference,
    WITH_REMARKS(remarks),
    WITH_PANELS(panels),
    .shown = {"BLEU"}};

const claim claim_redundant_multi30k = {
    .name = "redundant-multi30k",
    .title = {"Heads are redundant: Multi30k", "注意力头有冗余：Multi30k"},
    .source = "Michel et al. 2019; Voita et al. 2019",
    .paragraph =
        {"The same on sentences that people wrote: the translator with 4 heads that the claim about several "
         "heads trains on Multi30k, English to German, for 1,600 updates. It, too, has 24 heads. The first "
         "500 sentences of the validation set tell the importance, and the first 500 of the test set what is "
         "left." HOW_EN,
         "同样的测量，换成人写的句子：所用的是“多头胜过单头”一节在 Multi30k（英德）上更新 1,600 次的 4 头翻"
         "译模型，它同样有 24 个头。验证集的前 500 个句子用来测量重要性，测试集的前 500 个句子用来测量余下"
         "的模型。" HOW_ZH},
    .needs_data = true,
    .version = 1,
    .plan = plan_multi30k,
    .rules = rules,
    .rule_count = REDUNDANT_RULES,
    .difference = difference,
    WITH_REMARKS(remarks_multi30k),
    WITH_PANELS(panels_multi30k),
    .shown = {"BLEU"}};
