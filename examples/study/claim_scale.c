/* Without 1/√d_k softmax saturates: products of long queries and keys are large, one key gets all the weight, and
 * hardly any gradient gets through. */
#include "claim_scale.h"

#include <math.h>

/* ---- training: scaled or not, with narrow or wide heads ---- */

enum { NARROW, WIDE, SIZES };
static const struct {
    long heads;
    const char *arm[2]; /* by score */
} trained[SIZES] = {[NARROW] = {4, {"scaled-dot of 4 heads", "dot of 4 heads"}},
                    [WIDE] = {1, {"scaled-dot of 1 head", "dot of 1 head"}}};

static bool measure(const job *j, numbers *out, tl_error *error) {
    const long stop = j->arm.stops[POOL_MIDDLE] ? j->arm.stops[POOL_MIDDLE] : j->arm.stops[0];
    tl_run *run = job_open(j, stop, error);
    if (!run) return false;
    tl_quality q;
    const bool ok = job_quality(run, budget_of(j->study, 0, 200, 5), true, &q, error);
    if (ok) {
        put(out, j, "loss", 0, q.loss);
        put(out, j, "exact match", 0, 100 * (double)q.exact / (double)q.sentences);
    }
    tl_run_free(run);
    return ok;
}

/* Scaled, four heads are the pool's run, and the one head is also trained by the claim "heads". */
static void plan_training(study *s, int size, int score) {
    tl_run_settings settings;
    arm a = {.name = trained[size].arm[score], .work = measure, .cost = 2};
    pool_arm(s, &settings, &a);
    if (size != NARROW || score != SCALED) {
        a.stops[0] = a.stops[POOL_MIDDLE];
        a.stops[1] = 0;
        a.training_cost = 29;
    }
    if (size != NARROW) settings.model.heads = trained[size].heads;
    if (score != SCALED) settings.model.score = scale_name(score);
    study_arm(s, &a);
}

static void plan(study *s) {
    for (int score = SCALED; score <= UNSCALED; score++) {
        const arm a = {.name = scale_name(score), .work = scale_at_the_beginning, .number = score, .cost = 3};
        study_arm(s, &a);
    }
    for (int size = 0; size < SIZES; size++)
        for (int score = SCALED; score <= UNSCALED; score++) plan_training(s, size, score);
}

/* ---- rules ---- */

enum { GROWS, FALLS, KEEPS, LETS_LESS, LETS_LESS_OF_RANDOM, LOSS_NARROW, LOSS_WIDE, RIGHT_WIDE };
#define OF_UNIFORM \
 { "of uniform entropy", "相对于均匀熵" }
#define RATIO \
 { "times", "倍" }
static const rule rules[] = {
    [GROWS] =
        {{"unscaled, the variance of scores grows like d_k: the exponent differs from 1 by less than 0.1",
          "不缩放时，得分的方差与 d_k 成正比：指数与 1 相差不到 0.1"},
         {"q·k has variance d_k (footnote 4)", "q·k 的方差为 d_k（脚注 4）"},
         {"in the exponent", "指数之差"},
         0.1,
         true},
    [FALLS] = {{"unscaled, entropy falls from d_k = 4 to 256", "不缩放时，d_k 从 4 增到 256，熵下降"},
               {"–", "–"},
               OF_UNIFORM,
               0.2,
               false},
    [KEEPS] = {{"scaled, it stays", "缩放时，熵保持不变"}, {"–", "–"}, OF_UNIFORM, 0.05, true},
    [LETS_LESS] = {{"at d_k = 256, dL/dS of the unscaled model is less than half of the scaled one's",
                    "d_k = 256 时，不缩放模型的 dL/dS 不到缩放模型的一半"},
                   {"suspected: \"extremely small gradients\" (3.2.1)", "推测“梯度极小”（第 3.2.1 节）"},
                   RATIO,
                   0.5,
                   true},
    [LETS_LESS_OF_RANDOM] = {{"so it is for random q, k and dL/dA", "q、k、dL/dA 均为随机数时也是如此"},
                             {"suspected: \"extremely small gradients\" (3.2.1)",
                              "推测“梯度极小”（第 3.2.1 节）"},
                             RATIO,
                             0.5,
                             true},
    [LOSS_NARROW] = {{"at d_k = 16, training loses little without the factor",
                      "d_k = 16 时，去掉缩放因子对训练影响很小"},
                     {"similar to additive attention for small d_k (3.2.1)",
                      "d_k 较小时与加性注意力相近（第 3.2.1 节）"},
                     {"ratio of losses", "损失之比"},
                     1.1,
                     true},
    [LOSS_WIDE] = {{"at d_k = 64 training suffers: the loss is larger by a tenth",
                    "d_k = 64 时训练受损：损失高出一成"},
                   {"worse than additive attention for larger d_k (3.2.1)",
                    "d_k 较大时不如加性注意力（第 3.2.1 节）"},
                   {"ratio of losses", "损失之比"},
                   1.1,
                   false},
    [RIGHT_WIDE] = {
        {"and fewer sentences are right", "写对的句子也更少"}, {"–", "–"}, {"points", "百分点"}, 2, false}};

static double at(const numbers *n, int score, long seed, const char *what, long d_k) {
    return numbers_get(n, scale_name(score), seed, what, (double)d_k);
}

static double growth(const numbers *n, long seed) {
    double x[WIDTHS], y[WIDTHS];
    for (int i = 0; i < WIDTHS; i++) {
        x[i] = (double)scale_width[i];
        y[i] = at(n, UNSCALED, seed, VARIANCE, scale_width[i]);
    }
    return exponent_of(x, y, WIDTHS);
}

static double of_trained(const numbers *n, int size, int score, long seed, const char *what) {
    return numbers_get(n, trained[size].arm[score], seed, what, 0);
}

static double difference(const numbers *n, int rule, long seed) {
    const long first = scale_width[0], last = scale_width[WIDTHS - 1];
    const char *gradient = rule == LETS_LESS ? GRADIENT : RANDOM_GRADIENT;
    const int size = rule == LOSS_NARROW ? NARROW : WIDE;
    switch (rule) {
    case GROWS:
        return fabs(growth(n, seed) - 1);
    case FALLS:
        return at(n, UNSCALED, seed, ENTROPY, first) - at(n, UNSCALED, seed, ENTROPY, last);
    case KEEPS:
        return fabs(at(n, SCALED, seed, ENTROPY, first) - at(n, SCALED, seed, ENTROPY, last));
    case LETS_LESS:
    case LETS_LESS_OF_RANDOM:
        return at(n, UNSCALED, seed, gradient, last) / at(n, SCALED, seed, gradient, last);
    case RIGHT_WIDE:
        return of_trained(n, WIDE, SCALED, seed, "exact match") -
               of_trained(n, WIDE, UNSCALED, seed, "exact match");
    default:
        return of_trained(n, size, UNSCALED, seed, "loss") / of_trained(n, size, SCALED, seed, "loss");
    }
}

static const remark remarks[] = {
    {LETS_LESS,
     DOES_NOT_HOLD,
     {"Trial runs at d_k = 256 looked for where the gradient comes from. Without the factor dL/dA itself is "
      "larger, the more the earlier the layer: 1.05 times at the decoder's last attention, 7 times at the "
      "encoder's first. What goes back through a score is then not divided by √d_k: with random q and k, "
      "dL/dq is 13 times as large. The median row of dL/dS is smaller, though, in five of the six "
      "attentions.",
      "我们在 d_k = 256 的试验中查找了梯度的来源。不缩放时，dL/dA 本身就更大，而且层越靠前大得越多：在解码"
      "器最后一个注意力子层是 1.05 倍，在编码器第一个注意力子层是 7 倍。此外，经由得分传回的梯度没有除以 √"
      "d_k：q、k 为随机数时，dL/dq 是缩放时的 13 倍。不过，在六个注意力子层的五个中，dL/dS 的中位行更小。"}},
    {LETS_LESS_OF_RANDOM,
     DOES_NOT_HOLD,
     {"Softmax does saturate: in trial runs at d_k = 256 the median row of dL/dS has the norm 0.007 without "
      "the factor and 0.22 with it. But the norm of all rows is made of the few rows in which two keys are "
      "nearly level, and these keep their gradients.",
      "softmax 确实饱和了：在 d_k = 256 的试验中，dL/dS 的中位行的范数在不缩放时为 0.007，缩放时为 0.22。但"
      "所有行的范数来自少数几行，其中有两个键的得分几乎相等，这些行保住了梯度。"}},
    {LOSS_NARROW,
     DOES_NOT_HOLD,
     {"Even 16 is not small enough: before training the entropy of unscaled attention is 0.62 there, that of "
      "scaled attention 0.96. But the lag shrinks. In trial runs the loss was 1.5 times as large after 300 "
      "updates (two seeds), and 1.12 to 1.20 times after 1,000 (four seeds). The paper compares with "
      "additive attention, not with the scaled product.",
      "16 还不够小：训练之前，d_k = 16 时不缩放的注意力的熵为 0.62，缩放的为 0.96。不过差距在缩小：在试验中"
      "，更新 300 次之后，损失是缩放模型的 1.5 倍（两个种子），更新 1,000 次之后是 1.12 至 1.20 倍（四个种"
      "子）。论文比较的对象是加性注意力，而不是缩放的内积。"}}};

static const panel panels[] = {{.what = ENTROPY,
                                .label = "entropy before training (uniform: 1)",
                                .x_label = "d_k",
                                .log_x = true,
                                .low = 0,
                                .high = 1,
                                .arms = {"scaled-dot", "dot"}},
                               {.what = GRADIENT,
                                .label = "norm of dL/dS before training",
                                .x_label = "d_k",
                                .log_x = true,
                                .low = 0,
                                .high = 6,
                                .arms = {"scaled-dot", "dot"}}};

const claim claim_scale = {
    .name = "scale",
    .title = {"Without 1/√d_k softmax saturates", "没有 1/√d_k，softmax 会饱和"},
    .source = "Vaswani et al. 2017, 3.2.1 and footnote 4",
    .paragraph =
        {"A score is the product of a query and a key, each of d_k numbers. If these are independent, with "
         "mean 0 and variance 1, the product has variance d_k (Vaswani et al. 2017, footnote 4). The authors "
         "suspect that products so large push softmax to where its gradients are extremely small, and divide "
         "them by √d_k. They print no numbers for it.\n\n"
         "Before training: the toy translator (4 heads, 2 + 2 layers) is built with d_k = 4, 16, 64 and 256, "
         "all other widths in proportion, with the factor and without. On 20 held-out sentences three things "
         "are taken. The first is the entropy of the rows of A, divided by that of equal weights on all that "
         "a row sees: 1 is uniform, 0 is one key a row. The second is the variance of a row's scores. The "
         "third is the norm of dL/dS over all rows. Each is a mean over the six attentions, that of the "
         "norms the geometric one. The same is done with random numbers as the footnote has them: 1,000 "
         "queries, 32 keys, and a random dL/dA that is the same with the factor and without, so that nothing "
         "but softmax differs.\n\n"
         "After training: four models are trained for 1,000 updates. Two have four heads of d_k = 16, the "
         "usual toy, with the factor and without. But 16 is small, and the paper says of small d_k that the "
         "product needs no factor to keep up with additive attention. So the arm that tests the claim has "
         "one head of d_k = 64, the paper's own width. It is compared with one scaled head, lest the number "
         "of heads be taken for the factor. Loss and sentences written right are those of 500 held-out "
         "sentences.\n\n"
         "The margins: entropy falls if it loses a fifth of the uniform one, and stays if it moves by less "
         "than a twentieth. A gradient that is not even halved cannot be called extremely small. Training "
         "suffers if the loss is larger by a tenth, or 2 points fewer of the sentences are right. Sizes, "
         "task and 1,000 updates are far from the paper's. Adam divides each gradient by its own usual size, "
         "so a small one alone need not slow it down.",
         "得分是查询与键的内积，二者各有 d_k 个分量。若各分量相互独立，均值为 0，方差为 1，则内积的方差为 "
         "d_k（Vaswani 等，2017，脚注 4）。作者推测，这样大的内积会把 softmax 推到梯度极小的区域，因此将内"
         "积除以 √d_k。论文没有给出相应的数值。\n\n"
         "训练之前：取 d_k = 4、16、64、256，其余宽度按比例变化，分别构造带缩放因子和不带缩放因子的玩具翻译"
         "模型（4 个头，编码器与解码器各 2 层）。在 20 个未见过的句子上测量三项。其一是 A 各行的熵，除以在"
         "该行可见的键上均匀分配权重时的熵：1 表示均匀，0 表示每行只看一个键。其二是一行之内得分的方差。其"
         "三是所有行上 dL/dS 的范数。三者均对六个注意力子层取平均，其中范数取几何平均。再按脚注的假设用随机"
         "数重复一遍：1,000 个查询，32 个键，另有随机的 dL/dA；有无缩放因子都用同一个 dL/dA，差别只来自 "
         "softmax。\n\n"
         "训练之后：训练四个模型，各更新 1,000 次。其中两个有四个头，d_k = 16，即通常的玩具模型，一个缩放，"
         "一个不缩放。但 16 很小；论文说，d_k 较小时，内积不缩放也不逊于加性注意力。因此，真正检验这一说法"
         "的是只有一个头的模型，d_k = 64，与论文的宽度相同。与它对照的是同样只有一个头但缩放的模型，以免把"
         "头数的影响当作缩放的影响。损失与写对的句子均在 500 个未见过的句子上测量。\n\n"
         "界限：熵减少均匀熵的五分之一，算下降；变化不到二十分之一，算不变。连一半都没有减掉的梯度，不能叫"
         "作“极小”。损失高出一成，或写对的句子少 2 个百分点，算训练受损。规模、任务和 1,000 次更新都与论文"
         "相去甚远。Adam 会把每个梯度除以它平时的大小，所以仅仅梯度小，未必使训练变慢。"},
    .version = 1,
    .plan = plan,
    WITH_RULES(rules),
    .difference = difference,
    WITH_PANELS(panels),
    WITH_REMARKS(remarks),
    .shown = {ENTROPY, GRADIENT, VARIANCE, "loss", "exact match"}};
