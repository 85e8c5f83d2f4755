/* Is attention explanation? A classifier predicts whether the next verb is singular or plural from the words before
 * it: do attention weights rank these words as gradients do? */
#include "claim_explanation.h"

/* ---- the plan ---- */

static tl_run_settings classifier(const study *s, const char *model) {
    tl_run_settings r = tl_run_settings_of_program("classify");
    r.data.task = "number";
    r.data.sentences = budget_of(s, 8000, 8000, 60);
    r.model.model = model;
    r.model.d_model = budget_of(s, 64, 64, 16);
    r.model.dropout = 0.1;
    r.training.batch_tokens = budget_of(s, 1024, 1024, 64);
    r.validation.validate_every = 1000000; /* only at the end */
    return r;
}

static void add_arm(study *s, const char *name, const tl_run_settings *r, work *work, double cost,
                    double training) {
    study_arm(s, &(arm){.name = name,
                        .settings = r,
                        .stops = {budget_of(s, 400, 120, 2)},
                        .work = work,
                        .cost = cost,
                        .training_cost = training});
}

static void plan(study *s) {
    tl_run_settings r = classifier(s, "gru");
    r.model.bidirectional = true;
    r.model.embedding = r.model.d_model;
    r.model.d_model /= 2; /* this is the width in each direction */
    r.model.score = "additive";
    add_arm(s, GRU, &r, explanation_pooling, 1, 3);
    r.model.score = "uniform";
    add_arm(s, GRU_UNIFORM, &r, explanation_uniform, 1, 2);
    r = classifier(s, "average");
    r.model.score = "additive";
    add_arm(s, AVERAGE, &r, explanation_pooling, 1, 1);
    r.model.score = "uniform";
    add_arm(s, AVERAGE_UNIFORM, &r, explanation_uniform, 1, 1);
    r = classifier(s, "transformer");
    r.model.layers = LAYERS;
    r.model.heads = budget_of(s, 8, 8, 2);
    r.model.d_ff = 2 * r.model.d_model;
    add_arm(s, ENCODER, &r, explanation_encoder, 1, 19);
}

/* ---- rules ---- */

enum { NEEDED, LOW, MIXED, BUILT_IN, FALLS, DEEP, ROLLOUT_BETTER, FLOW_BETTER };
static const rule rules[] = {
    [NEEDED] = {{"a GRU that may weigh its states is right more often than one that takes their mean",
                 "能对各状态加权的 GRU 比只取平均的 GRU 更常答对"},
                {"depends on the task (Wiegreffe & Pinter 2019, 3.2)",
                 "因任务而异（Wiegreffe 和 Pinter，2019，第 3.2 节）"},
                {"points of accuracy", "准确率，百分点"},
                2,
                false},
    [LOW] = {{"the GRU's weights and its gradients rank words differently: their tau is low",
              "GRU 的注意力权重与梯度对词的排序不同：二者的 τ 很低"},
             {"\"frequently uncorrelated\" (Jain & Wallace 2019, abstract)",
              "“常常不相关”（Jain 和 Wallace，2019，摘要）"},
             {"tau", "τ"},
             0.5,
             true},
    [MIXED] = {{"where no recurrence mixes the words (averaging) tau is higher than in the GRU",
                "没有循环来混合各词时（取平均的模型），τ 高于 GRU"},
               {"higher (Jain & Wallace 2019, 4.1)", "更高（Jain 和 Wallace，2019，第 4.1 节）"},
               {"difference of tau", "τ 之差"},
               0.1,
               false},
    [BUILT_IN] =
        {{"part of the GRU's tau is built in: with weights frozen at uniform in the gradient it is lower",
          "GRU 的 τ 有一部分是计算方式造成的：求梯度时把权重固定为均匀分布，τ 就变低"},
         {"–", "–"},
         {"difference of tau", "τ 之差"},
         0.1,
         false},
    [FALLS] = {{"in the encoder raw attention agrees with gradients less at layer 3 than at layer 1",
                "在编码器中，第 3 层的原始注意力与梯度的一致程度低于第 1 层"},
               {".53 - (-.06) = .59 (Abnar & Zuidema 2020, table 2)",
                "0.53 − (−0.06) = 0.59（Abnar 和 Zuidema，2020，表 2）"},
               {"difference of rank correlations", "秩相关系数之差"},
               0.3,
               false},
    [DEEP] = {{"and at layer 3 it says next to nothing", "而且第 3 层的原始注意力几乎不说明什么"},
              {"-.06 (Abnar & Zuidema 2020, table 2)", "−0.06（Abnar 和 Zuidema，2020，表 2）"},
              {"rank correlation", "秩相关系数"},
              0.2,
              true},
    [ROLLOUT_BETTER] = {{"at the last layer rollout agrees with gradients better than raw attention",
                         "在最后一层，rollout 与梯度的一致程度高于原始注意力"},
                        {".54 - .46 = .08 (Abnar & Zuidema 2020, table 2)",
                         "0.54 − 0.46 = 0.08（Abnar 和 Zuidema，2020，表 2）"},
                        {"difference of rank correlations", "秩相关系数之差"},
                        0.1,
                        false},
    [FLOW_BETTER] = {{"and so does flow", "flow 也是如此"},
                     {".61 - .46 = .15 (Abnar & Zuidema 2020, table 2)",
                      "0.61 − 0.46 = 0.15（Abnar 和 Zuidema，2020，表 2）"},
                     {"difference of rank correlations", "秩相关系数之差"},
                     0.1,
                     false}};

static double difference(const numbers *n, int rule, long seed) {
#define ACCURACY(arm) numbers_get(n, arm, seed, "accuracy", 0)
#define TAU(arm) numbers_get(n, arm, seed, "tau", 0)
#define RANKS(method, layer) numbers_get(n, explanation_methods[method], seed, "rank correlation", layer)
    switch (rule) {
    case NEEDED:
        return ACCURACY(GRU) - ACCURACY(GRU_UNIFORM);
    case LOW:
        return TAU(GRU);
    case MIXED:
        return TAU(AVERAGE) - TAU(GRU);
    case BUILT_IN:
        return TAU(GRU) - TAU(GRU " frozen");
    case FALLS:
        return RANKS(RAW, 1) - RANKS(RAW, 3);
    case DEEP:
        return RANKS(RAW, 3);
    case ROLLOUT_BETTER:
        return RANKS(ROLLOUT, LAYERS) - RANKS(RAW, LAYERS);
    default:
        return RANKS(FLOW, LAYERS) - RANKS(RAW, LAYERS);
    }
}

static const remark remarks[] = {
    {DEEP,
     DOES_NOT_HOLD,
     {"Two things were tried on two trial seeds. Training: after 120 updates raw attention has .50 at "
      "layer 3, after 400 updates .49, so more of it changes little. The gradient: times the whole input, "
      "position included, it is .48. What falls is the last layers, and not in every seed: at layer 6 the "
      "two had .47 and .00. Rollout and flow had .60 and more in all layers. So neither is the reason. "
      "What is left of the differences: the paper has natural sentences, which are longer.",
      "我们用两个试验种子试了两件事。一是训练：第 3 层的原始注意力在更新 120 次之后为 0.50，更新 400 次之后"
      "为 0.49，可见更多的训练改变不大。二是梯度：改为乘以整个输入（含位置）时，为 0.48。下降的是最后几层，"
      "而且并非每个种子都如此：在第 6 层，两个种子分别为 0.47 和 0.00。rollout 与 flow 在各层都不低于 0.60"
      "。可见这两件事都不是原因。余下的差别是：论文用的是自然语言的句子，它们更长。"}}};

static const panel panels[] = {{.what = "tau",
                                .label = "tau of weights and gradients",
                                .arms = {GRU, GRU " frozen", AVERAGE, AVERAGE " frozen"},
                                .bars = true},
                               {.what = "rank correlation",
                                .label = "rank correlation with input gradients",
                                .x_label = "layer of the encoder",
                                .arms = {"raw attention", "rollout", "flow"},
                                .low = -1,
                                .high = 1}};

const claim claim_explanation = {
    .name = "explanation",
    .title = {"Is attention explanation?", "注意力是解释吗？"},
    .source = "Jain & Wallace 2019; Wiegreffe & Pinter 2019; Abnar & Zuidema 2020",
    .paragraph =
        {"Weights of attention are often read as reasons: the model looked here, so this is why. Jain & "
         "Wallace compare them with gradients. If both rank the words of a sentence alike, Kendall's tau "
         "is 1; if they have nothing to do with each other, it is 0. They find it low in recurrent models, "
         "and higher where the words are not mixed before they are weighed. Wiegreffe & Pinter ask first "
         "whether the task needs attention at all, and let every word weigh the same. Abnar & Zuidema find "
         "that in an encoder weights say less behind the first layer, least in the middle ones, because "
         "places are mixed by then, and that rollout and flow, which follow the weights through all "
         "layers, say more.\n\n"
         "Here models read the beginning of an English sentence of the grammar and tell whether the verb "
         "that comes next is singular or plural: a GRU from both ends (32 units each) whose states are "
         "weighed by a learnt query, the same with equal weights, the two without a GRU (embeddings "
         "alone), and an encoder of 6 layers and 8 heads (width 64). Each is trained for 400 updates of "
         "1,024 words on 8,000 beginnings. Accuracy is that of 1,000 held-out ones; weights and gradients "
         "are compared on 300 of these that have at least 5 words. The gradient is that of the true class, "
         "times the word's embedding, without a sign. For tau the weights are constants, as in the paper. "
         "They still stand in the gradient as factors, so some agreement is built in; the bars \"frozen\" "
         "have equal weights there instead. In the encoder it is the row of [CLS], from which the class is "
         "told, and the mean over heads.\n\n"
         "Margins: tau of .5 means that three of four pairs of words are ranked alike, and less is no "
         "explanation. A difference of .1 is one pair in twenty. 2 points of accuracy are what 1,000 "
         "sentences can tell apart. A fall of .3 is half of the published one; rollout's published lead, "
         ".08, is below the margin.\n\n"
         "Different from the papers: sentences are short and made by a grammar, models are small, and the "
         "task is easy: the encoder and the GRUs hardly err. Jain & Wallace have LSTMs, and a layer of "
         "weights under their average.",
         "人们常把注意力权重当作理由：模型看了这里，所以这就是原因。Jain 和 Wallace（2019）把权重与梯度相比"
         "：若二者对句中各词的排序相同，Kendall 的 τ 为 1；若二者互不相干，τ 为 0。他们发现，循环模型的 τ "
         "很低；各词在加权之前没有被混合时，τ 较高。Wiegreffe 和 Pinter（2019）先问任务究竟需不需要注意力，"
         "为此让每个词的权重相同。Abnar 和 Zuidema（2020）发现，在编码器中，第一层之后的权重说明得更少，中"
         "间各层最少，因为各位置到那里已经混合；rollout 与 flow 则沿着权重穿过所有各层，说明得更多。\n\n"
         "这里的模型读由语法生成的英语句子的开头，判断接下来的动词是单数还是复数。模型有：双向 GRU（每个方"
         "向 32 个单元），由一个学得的查询对各状态加权；同样的 GRU，但权重一律相等；上述两种去掉 GRU，只用"
         "嵌入；以及 6 层、8 个头、宽 64 的编码器。各模型用 8,000 个句子开头更新 400 次，每次 1,024 个词。"
         "准确率在 1,000 个未见过的开头上计算；权重与梯度在其中 300 个不少于 5 个词的开头上比较。梯度是正确"
         "类别的梯度乘以该词的嵌入，不计正负。计算 τ 时，权重视为常数，与论文相同。但权重仍是梯度中的因子，"
         "所以有一部分一致是计算方式造成的；图中标 frozen 的柱在梯度中改用相等的权重。编码器取 [CLS] 一行（"
         "类别由此判断），并对各头取平均。\n\n"
         "界限：τ 为 0.5 表示四对词中有三对排序一致，再低就谈不上解释。0.1 之差相当于二十对中的一对。2 个百"
         "分点的准确率是 1,000 个句子能够分辨的差别。下降 0.3 是已发表数值的一半。rollout 已发表的优势为 "
         "0.08，小于界限。\n\n"
         "与论文不同之处：句子短，由语法生成；模型小；任务容易，编码器和 GRU 几乎不出错。Jain 和 Wallace 用"
         "的是 LSTM，其取平均的模型在加权之前还有一层权重。"},
    .version = 1,
    .plan = plan,
    WITH_RULES(rules),
    .difference = difference,
    WITH_PANELS(panels),
    WITH_REMARKS(remarks),
    .shown = {"accuracy", "tau", "rank correlation"}};
