/* Attention aligns: the source word that cross-attention gives most is the one that is being translated, or the one before. */
#include "claim_aligns.h"

#include <math.h>
#include <string.h>

#define TWO "2 layers"
#define SIX "6 layers"
#define NARROW "2 narrow layers"
#define ADDITIVE "additive score"
#define BY_WEIGHTS " by weights"
#define BY_NORMS " by norms"
#define IN "input step"
#define OUT "output step"
#define OF_WORDS " of words"

/* ---- what is trained ---- */

/* As the pool, but half as wide, so that six layers can be paid for; a lower rate, because six layers in post-norm need it. */
static tl_run_settings narrow(const study *s, long layers) {
    tl_run_settings r = toy_translator(s);
    r.model.layers = budget_of(s, layers, layers, layers > 2 ? 2 : 1);
    r.model.d_model = budget_of(s, 32, 32, 16);
    r.model.d_ff = budget_of(s, 64, 64, 16);
    r.training.lr = 0.003;
    r.training.warmup = 300;
    return r;
}

static void plan(study *s) {
    tl_run_settings settings;
    arm a = {.name = TWO, .work = aligns_measure, .number = POOL_END, .cost = 4};
    pool_arm(s, &settings, &a);
    study_arm(s, &a);

    settings = narrow(s, 6);
    a = (arm){.name = SIX,
              .settings = &settings,
              .stops = {budget_of(s, 1500, 400, 3)},
              .work = aligns_measure,
              .cost = 4,
              .training_cost = 50};
    study_arm(s, &a);

    settings = narrow(s, 2);
    a.name = NARROW;
    a.cost = 2;
    a.training_cost = 18;
    study_arm(s, &a);

    settings = toy_translator(s);
    settings.model.score = "additive";
    a.name = ADDITIVE;
    a.stops[0] = budget_of(s, 500, 150, 2);
    a.training_cost = 20;
    study_arm(s, &a);
}

/* ---- rules ---- */

enum { ALIGNS, NORMS_OUTPUT, NORMS_INPUT, STEP, DEPTH, END, NORMS_END, SCORE };

double aligns_best(const numbers *n, const char *arm, long seed, const char *what) {
    double best = NAN;
    for (int layer = 1; layer <= 12; layer++) best = fmin(best, numbers_get(n, arm, seed, what, layer));
    return best;
}

static double gain_of_norms(const numbers *n, const char *what, long seed) {
    return aligns_best(n, SIX BY_WEIGHTS, seed, what) - aligns_best(n, SIX BY_NORMS, seed, what);
}

static double below_diagonal(const numbers *n, const char *arm, const char *by_weights, long seed) {
    return numbers_get(n, arm, seed, "diagonal", 0) - aligns_best(n, by_weights, seed, OUT);
}

static double output_above_input(const numbers *n, const char *arm, long seed) {
    return aligns_best(n, arm, seed, OUT) - aligns_best(n, arm, seed, IN);
}

static double difference(const numbers *n, int rule, long seed) {
    switch (rule) {
    case ALIGNS:
        return below_diagonal(n, TWO, TWO BY_WEIGHTS, seed);
    case NORMS_OUTPUT:
        return gain_of_norms(n, OUT, seed);
    case NORMS_INPUT:
        return gain_of_norms(n, IN, seed);
    case STEP:
        return output_above_input(n, SIX BY_WEIGHTS, seed);
    case DEPTH:
        return output_above_input(n, SIX BY_WEIGHTS, seed) - output_above_input(n, NARROW BY_WEIGHTS, seed);
    case END:
        return aligns_best(n, SIX BY_WEIGHTS, seed, OUT) - aligns_best(n, SIX BY_WEIGHTS, seed, OUT OF_WORDS);
    case NORMS_END:
        return gain_of_norms(n, OUT, seed) - gain_of_norms(n, OUT OF_WORDS, seed);
    default:
        return below_diagonal(n, ADDITIVE, ADDITIVE BY_WEIGHTS, seed);
    }
}

#define POINTS \
 { "points of AER", "AER 百分点" }
static const rule rules[] = {
    [ALIGNS] = {{"two layers: at the output step the best layer errs less than the diagonal",
                 "两层：在输出步，最好的一层比对角线错得少"},
                {"–", "–"},
                POINTS,
                5,
                false},
    [NORMS_OUTPUT] = {{"six layers, output step: norms err less than weights",
                       "六层、输出步：按范数比按权重错得少"},
                      {"47.7 % → 41.4 %: 6.3 (Kobayashi et al. 2020, section 5)",
                       "47.7 % → 41.4 %：6.3（Kobayashi 等 2020，第 5 节）"},
                      POINTS,
                      1,
                      false},
    [NORMS_INPUT] = {{"six layers, input step: norms err less than weights",
                      "六层、输入步：按范数比按权重错得少"},
                     {"29.8 % → 25.0 %: 4.8 (the same)", "29.8 % → 25.0 %：4.8（同上）"},
                     POINTS,
                     1,
                     false},
    [STEP] = {{"six layers: the input step errs less than the output step, by weights",
               "六层、按权重：输入步比输出步错得少"},
              {"47.7 % → 29.8 %: 17.9 (the same)", "47.7 % → 29.8 %：17.9（同上）"},
              POINTS,
              5,
              false},
    [DEPTH] = {{"and it gains on the output step from two narrow layers to six",
                "而且从窄的两层到六层，输入步相对输出步有所改善"},
               {"–", "–"},
               POINTS,
               5,
               false},
    [END] = {{"six layers, output step, weights: there are fewer errors where <eos> is forbidden",
              "六层、输出步、按权重：禁止 <eos> 后错误减少"},
             {"–", "–"},
             POINTS,
             1,
             false},
    [NORMS_END] = {{"and norms gain less over weights there", "而且此时范数相对权重的优势变小"},
                   {"–", "–"},
                   POINTS,
                   1,
                   false},
    [SCORE] = {{"the additive score: the best layer errs less than the diagonal, at the output step",
                "加性评分：在输出步，最好的一层比对角线错得少"},
               {"–", "–"},
               POINTS,
               5,
               false}};

#define BOTH \
 { TWO BY_WEIGHTS, TWO BY_NORMS, SIX BY_WEIGHTS, SIX BY_NORMS }
static const panel panels[] = {{.what = OUT,
                                .label = "AER at the output step, %",
                                .x_label = "layer",
                                .arms = BOTH,
                                .low = 0,
                                .high = 100},
                               {.what = IN,
                                .label = "AER at the input step, %",
                                .x_label = "layer",
                                .arms = BOTH,
                                .low = 0,
                                .high = 100}};

const claim claim_aligns = {
    .name = "aligns",
    .title = {"Attention aligns", "注意力会对齐词语"},
    .source = "Kobayashi et al. 2020, section 5",
    .paragraph =
        {"A decoder that translates looks at the source word that it needs: of the weights of its "
         "cross-attention one can make word alignments. Kobayashi et al. (2020) link each target word to the "
         "source word that has most in its row, all heads of a layer together, and count errors against "
         "alignments made by people (alignment error rate, AER; 0 % is perfect). They compare two "
         "quantities: the weight α of a source word, and the norm ‖αf(x)‖, the length of the vector that "
         "attention takes from it. And they compare two rows: that of the step at which the target word is "
         "written (output step), and that of the next step, at which it is read (input step). A word whose "
         "row gives most to <eos> has no link. In the best of six layers norms align better than weights, "
         "and "
         "the input step better than the output step.\n\n"
         "Here translators of en-fr sentences are trained; the grammar that makes the sentences knows the "
         "true links. \"2 layers\" is the toy translator with 2+2 layers of width 64 after 2,500 updates. "
         "\"6 layers\" has 6+6 layers of width 32, \"2 narrow layers\" has 2+2 of them; both are trained for "
         "1,500 updates, so that depth alone differs. \"additive score\" is the toy translator with that "
         "score, after 500 updates. All are post-norm. They read the references of 500 held-out sentences. "
         "Each layer and each head is measured at both steps, by both quantities, and once more with <eos> "
         "left out of every row. The best layer is chosen on the same sentences, for every number its "
         "own.\n\n"
         "Attention must beat the diagonal by 5 points: each word linked to the source word at the same "
         "place, or at the same share of the sentence, whichever errs less. A model that is blind to words "
         "can do "
         "as much. Norms, and leaving <eos> out, must change 1 point: the published gains are five to six "
         "times as "
         "large, and on some 4,000 words less may be luck. The steps must differ by 5 points, less than a "
         "third of what is published. The paper has German and English sentences of people, cut into "
         "pieces, and a large model; sentences here are short, their order is near the diagonal, and the "
         "model is small. Each word gets one link while some have two true ones, so an AER "
         "of about 3 % is the least there can be.",
         "翻译时，解码器会去看它所需要的源词，因此由交叉注意力的权重可以得到词对齐。Kobayashi 等（2020）"
         "把一层的各头合在一起，将每个目标词连到它那一行中占比最大的源词，再与人工对齐比较，"
         "统计对齐错误率（AER，0 % 为完全正确）。他们比较两个量：源词的权重 α，以及范数 ‖αf(x)‖，"
         "即注意力从该词取来的向量的长度。他们又比较两行：写出该目标词的那一步（输出步），"
         "以及下一步，即读入该词的那一步（输入步）。若一行中 <eos> 占比最大，该词就没有连线。"
         "在六层中最好的一层，范数的对齐优于权重，输入步优于输出步。\n\n"
         "这里训练英法翻译模型；造句的语法知道真实的连线。“2 layers”是宽 "
         "64、编码器与解码器各两层的玩具翻译模型，"
         "训练 2,500 次更新。“6 layers”是宽 32、各六层的模型，“2 narrow layers”与它同宽而各只有两层；"
         "两者都训练 1,500 次更新，因此只有深度不同。“additive score”是改用加性评分的玩具翻译模型，训练 500 "
         "次更新。"
         "所有模型都用后置归一化。它们读入 500 "
         "个未见过的句子及其参考译文。每一层、每个头在两步上按两个量分别测量，"
         "并在每一行去掉 <eos> 之后再测一遍。最好的一层就在这些句子上选出，每个数各选各的。\n\n"
         "注意力必须比对角线低 5 个百分点。对角线是指把每个词连到相同位置的源词，或连到句中相同比例处的源词，"
         "取错误较少者；不看词义的模型也能做到这一点。范数以及去掉 <eos> 必须带来 1 个百分点的变化："
         "文献中的改善是它的五到六倍，而在约 4,000 个词上，更小的差别可能只是运气。两步之差必须达到 5 "
         "个百分点，"
         "不到文献数值的三分之一。论文用的是真实的德英句子，词被切成子词，模型也大；这里句子短，"
         "词序接近对角线，模型小。每个词只连一条线，而有些词有两条真实连线，所以 AER 最低也有约 3 %。"},
    .version = 1,
    .plan = plan,
    .rules = rules,
    .rule_count = sizeof rules / sizeof *rules,
    .difference = difference,
    .panels = panels,
    .panel_count = sizeof panels / sizeof *panels,
    .shown = {OUT, IN, OUT OF_WORDS, IN OF_WORDS, "diagonal", "least"}};
