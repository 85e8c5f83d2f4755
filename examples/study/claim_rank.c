/* Attention alone loses rank doubly exponentially: stacks of attention at initialisation, without and with skip
 * connections, in double. */
#include "claim_rank.h"

#include <math.h>

#define SMALL "attention with small weights"
#define USUAL "attention alone"
#define SKIPS "attention with skips"

static void plan(study *s) {
    study_arm(s, &(arm){.name = SMALL, .work = measure_rank, .number = WITHIN_THEOREM, .cost = 0.05});
    study_arm(s, &(arm){.name = USUAL, .work = measure_rank, .number = ALONE, .cost = 0.05});
    study_arm(s, &(arm){.name = SKIPS, .work = measure_rank, .number = WITH_SKIPS, .cost = 0.05});
}

/* ---- rules ---- */

enum { CONDITION, GROWTH_SMALL, CUBIC, GROWTH_USUAL, SLOWED, NOT_STOPPED, QUERIES, KEYS };
static const rule rules[] = {
    [CONDITION] = {{"with small weights the theorem's condition holds", "权重较小时，定理的条件成立"},
                   {"needed for the bound to shrink (theorem 2.2)", "上界缩小的前提（定理 2.2）"},
                   {"largest factor of the bound", "上界中的最大因子"},
                   1,
                   true},
    [GROWTH_SMALL] = {{"there the logarithm of the residual grows at least twofold a layer",
                       "此时残差的对数每层至少增长到两倍"},
                      {"threefold, as a bound (theorem 2.2)", "三倍，作为上界（定理 2.2）"},
                      {"fold, the least of all layers", "倍，取各层最小值"},
                      2,
                      false},
    [CUBIC] = {{"a layer's residual goes with the third power of the one before",
                "每层的残差与前一层残差的三次方成正比"},
               {"third power, as a bound (theorem 2.2)", "三次方，作为上界（定理 2.2）"},
               {"distance of the fitted exponent from 3", "拟合的指数与 3 之差"},
               0.25,
               true},
    [GROWTH_USUAL] = {{"with the usual weights, too, the logarithm grows at least twofold a layer",
                       "权重为通常大小时，对数每层也至少增长到两倍"},
                      {"–", "–"},
                      {"fold, the least of all layers", "倍，取各层最小值"},
                      2,
                      false},
    [SLOWED] = {{"with skips it never grows twofold: they slow the loss of rank",
                 "有残差连接时，对数在任何一层都不增长到两倍：秩的损失变慢"},
                {"skips stop it (abstract)", "残差连接使之停止（摘要）"},
                {"fold, the greatest of all layers", "倍，取各层最大值"},
                2,
                true},
    [NOT_STOPPED] = {{"but they do not stop it: a layer leaves less than 0.9 of the residual",
                      "但并未停止：每层留下的残差不到 0.9 倍"},
                     {"skips stop it (abstract)", "残差连接使之停止（摘要）"},
                     {"of the residual a layer", "每层留下的残差比例"},
                     0.9,
                     true},
    [QUERIES] = {{"the gradient of W_Q vanishes with the residual, or faster",
                  "W_Q 的梯度随残差一同消失，甚至更快"},
                 {"it vanishes (Noci et al. 2022, abstract)", "消失（Noci 等，2022，摘要）"},
                 {"power of the residual, beside W_V", "残差的幂次，相对于 W_V"},
                 1,
                 false},
    [KEYS] = {{"and so does that of W_K", "W_K 的梯度也是如此"},
              {"it vanishes (Noci et al. 2022, abstract)", "消失（Noci 等，2022，摘要）"},
              {"power of the residual, beside W_V", "残差的幂次，相对于 W_V"},
              1,
              false}};

static double difference(const numbers *n, int rule, long seed) {
    switch (rule) {
    case CONDITION:
        return numbers_get(n, SMALL, seed, "theorem factor", 0);
    case GROWTH_SMALL:
        return numbers_get(n, SMALL, seed, "least growth", 0);
    case CUBIC:
        return fabs(numbers_get(n, SMALL, seed, "exponent", 0) - 3);
    case GROWTH_USUAL:
        return numbers_get(n, USUAL, seed, "least growth", 0);
    case SLOWED:
        return numbers_get(n, SKIPS, seed, "greatest growth", 0);
    case NOT_STOPPED:
        return numbers_get(n, SKIPS, seed, "residual kept a layer", 0);
    case QUERIES:
        return numbers_get(n, USUAL, seed, "exponent of queries", 0);
    default:
        return numbers_get(n, USUAL, seed, "exponent of keys", 0);
    }
}

static const panel panels[] = {{.what = "log10 residual",
                                .label = "log10 of the residual beside X",
                                .x_label = "layers",
                                .arms = {SMALL, USUAL, SKIPS}},
                               {.what = "log10 queries beside values",
                                .label = "log10 of the gradient, W_Q beside W_V",
                                .x_label = "layer",
                                .arms = {SMALL, USUAL, SKIPS}}};

static const remark remarks[] = {
    {NOT_STOPPED,
     HOLDS,
     {"The paper says that skips stop the collapse. Here they do not, for a reason that is easily "
      "seen. What all places share passes attention unchanged, so each layer adds it once more, turned "
      "by W, and before the division it grows by √2; what places have of their own is averaged away in "
      "attention, and comes through the skip alone. So about 1/√2 = 0.71 of the residual is left; on "
      "the seeds that this was tried with 0.74. That is exponential in depth, not doubly so. Noci et "
      "al. scale what a layer adds by 1/√depth, which ends it.",
      "论文认为残差连接使崩塌停止，这里却没有停止，原因不难看出。各位置共有的部分原样通过注意力，每层经 W "
      "变换后再加一次，因而在除以 √2 之前增长到 √2 倍；各位置独有的部分在注意力中被平均掉，只从残差连接通过"
      "。于是每层约留下残差的 1/√2 = 0.71；试验种子上为 0.74。这是随深度的指数衰减，而不是双重指数衰减。"
      "Noci 等（2022）把每层所加的部分乘以 1/√深度，使衰减停止。"}}};

const claim claim_rank = {
    .name = "rank",
    .title = {"Attention alone loses rank doubly exponentially, skips slow it",
              "纯注意力以双重指数的速度失去秩，残差连接使之变慢"},
    .source = "Dong et al. 2021, theorem 2.2; Noci et al. 2022",
    .paragraph =
        {"Attention mixes places. Layers of attention alone make all places alike: what a place has of "
         "its own, the residual, falls at least with its third power in every layer, as Dong et al. "
         "prove for small weights, and so the logarithm of the residual grows threefold a layer. With "
         "skips it does not. Where the residual is gone, Noci et al. show, queries and keys learn "
         "nothing any more. Nothing is trained here: stacks of 12 layers are looked at as they are "
         "initialised, in double precision, one head of width 32 a layer, 16 places, no norm, no "
         "feed-forward, no bias; with skips, a sum is divided by √2, which keeps lengths as a norm "
         "would. The residual is X less the mean of its rows, divided by X, both in the paper's norm "
         "√(‖·‖₁·‖·‖∞). Each seed has 64 inputs, in which places have as much of their own as they "
         "share, then less and less, down to a ten-thousandth. A layer counts if the residual is "
         "between 1e-13 and 0.1 both before and after it: above, nothing has collapsed yet; below, "
         "numbers are rounding. W_V and W_O have a variance of 1/32, which keeps the length of "
         "vectors. The theorem needs small scores: its bound multiplies the residual by "
         "4γ‖W_QK‖₁‖W_V‖‖res X‖²/√32, and only a factor below 1 makes it smaller. So W_Q and W_K are "
         "made 0.05 times as large as usual, and the factor is measured, with γ = 1, its value where "
         "attention is even. With the usual weights the theorem promises nothing; whether the law "
         "holds all the same is a rule of its own. The margin of twofold is below the promised three, "
         "because the constant of the law counts while the residual is large; the fitted exponent has "
         "no such excuse, and may be 0.25 off. That skips only slow the loss is said twice: growth "
         "stays below twofold, and yet a layer leaves less than 0.9, so that less than a third is "
         "there after 12. The gradients of W_Q and W_K, of a random direction at the top, are divided "
         "by that of W_V in the same layer, and fitted as a power of the residual that the layer "
         "reads, from 1e-6 on; 1 would be in proportion, and theory says 2. The paper looks at trained "
         "BERT, ALBERT and XLNet on text, and says that skips stop the collapse.",
         "注意力把各个位置混合起来。只有注意力的多层网络会使所有位置变得相同：每个位置所独有的部分称为残差"
         "（与残差连接的“残差”含义不同），每过一层至少按三次方缩小，因此残差的对数每层增长到三倍；Dong 等（"
         "2021）在权重较小时证明了这一点。有残差连接时则不然。Noci 等（2022）指出，残差消失之后，查询与键便"
         "学不到任何东西。这里不做训练，只考察刚刚初始化的 12 层网络：双精度，每层一个宽 32 的头，16 个位置"
         "，没有归一化、前馈层和偏置；有残差连接时，相加之后除以 √2，像归一化那样保持长度。残差的数值是 X "
         "减去各行的平均，再除以 X，二者都用论文中的范数 √(‖·‖₁·‖·‖∞)。每个种子有 64 个输入，各位置独有的部"
         "分起初与共有的部分一样多，然后逐渐减少到万分之一。只有前后的残差都在 1e-13 与 0.1 之间的层才计入"
         "：大于 0.1 时尚未崩塌，小于 1e-13 时只是舍入误差。W_V 与 W_O 的方差为 1/32，使向量的长度保持不变"
         "。定理要求得分较小：其上界把残差乘以 4γ‖W_QK‖₁‖W_V‖‖res X‖²/√32，只有这个因子小于 1 时残差才会缩"
         "小。因此 W_Q 与 W_K 取通常大小的 0.05 倍，并测量该因子，其中 γ 取 1，即注意力均匀时的值。权重为通"
         "常大小时，定理不作任何保证；规律是否仍然成立，另有一条规则。两倍的界限低于定理所说的三倍，因为残"
         "差较大时，规律中的常数会起作用；拟合的指数没有这样的理由，只允许偏差 0.25。“残差连接只使损失变慢”"
         "由两条规则表述：对数的增长不到两倍；但每层留下的残差仍不到 0.9 倍，12 层之后便不到三分之一。W_Q "
         "与 W_K 的梯度来自顶层的一个随机方向，除以同一层 W_V 的梯度，再拟合为该层所读残差的幂（残差不小于 "
         "1e-6）；1 表示成正比，理论值为 2。论文考察的是在文本上训练过的 BERT、ALBERT 和 XLNet，并认为残差"
         "连接使崩塌停止。"},
    .doubles = true,
    .version = 1,
    .plan = plan,
    WITH_RULES(rules),
    .difference = difference,
    WITH_PANELS(panels),
    WITH_REMARKS(remarks),
    .shown = {"theorem factor", "least growth", "exponent", "greatest growth", "exponent of queries",
              "exponent of keys"}};
