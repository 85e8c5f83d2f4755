/* The entropy of attention collapses where training diverges: learning rates from small to far too large, without
 * the usual safeguards. */
#include "claim_collapse.h"

#include <math.h>
#include <string.h>

enum { RATES = 5 };
static const struct {
    const char *name;
    double rate;
} rates[RATES] = {
    {"rate 0.001", 0.001}, {"rate 0.003", 0.003}, {"rate 0.03", 0.03}, {"rate 1", 1}, {"rate 3", 3}};

double collapse_rate(long number) { return rates[number].rate; }

static void plan(study *s) {
    for (int i = 0; i < RATES; i++) {
        const arm a = {.name = rates[i].name, .work = collapse_measure, .number = i, .cost = 5};
        study_arm(s, &a);
    }
}

/* ---- which runs diverge ---- */

#define LEARNT 0.5 /* nats */

ending ending_of(double last, double before, double by_frequency) {
    if (!(last <= before)) return DIVERGES; /* also for NaN and infinity */
    return last < by_frequency - LEARNT ? CONVERGES : STANDS_STILL;
}

/* The last stop that was measured (last), or the first one after an update. */
static double stop_of(const numbers *n, bool last) {
    double stop = NAN;
    for (long i = 0; i < n->count; i++) {
        const double at = n->row[i].at;
        if (strcmp(n->row[i].what, LOSS) != 0 || !(at > 0)) continue;
        if (isnan(stop) || (last ? at > stop : at < stop)) stop = at;
    }
    return stop;
}

/* Mean over a seed's runs that ended this way; NaN: there is none. */
static double mean_of(const numbers *n, long seed, ending wanted, const char *what, double at) {
    const double end = stop_of(n, true);
    double sum = 0;
    int count = 0;
    for (int i = 0; i < RATES; i++) {
        const char *arm = rates[i].name;
        const double before = numbers_get(n, arm, seed, LOSS, 0), value = numbers_get(n, arm, seed, what, at),
                     by_frequency = numbers_get(n, arm, seed, BY_FREQUENCY, 0);
        if (isnan(before) || isnan(value)) continue;
        if (ending_of(numbers_get(n, arm, seed, LOSS, end), before, by_frequency) != wanted) continue;
        sum += value;
        count++;
    }
    return count ? sum / count : NAN;
}

/* ---- rules ---- */

enum { LOWER, ONE_WORD, ON_AVERAGE, EARLY, ALONE };
#define ITS_UNIT \
 { "of uniform entropy", "相对于均匀熵" }
static const rule rules[] = {
    [LOWER] =
        {{"where training diverges, the lowest entropy of an attention is lower than where it converges",
          "训练发散时，各注意力子层中最低的熵低于训练收敛时"},
         {"low entropy goes with oscillating loss or divergence (abstract)",
          "低熵与损失振荡或发散相伴（摘要）"},
         ITS_UNIT,
         -0.2,
         true},
    [ONE_WORD] =
        {{"and there hardly any of it is left", "而且此时熵所剩无几"}, {"–", "–"}, ITS_UNIT, 0.1, true},
    [ON_AVERAGE] = {{"the mean over all attentions is lower, too", "所有注意力子层的平均熵也更低"},
                    {"–", "–"},
                    ITS_UNIT,
                    -0.2,
                    true},
    [EARLY] = {{"the lowest entropy is lower already when a fifteenth of the training is over",
                "训练只进行到十五分之一时，最低的熵就已更低"},
               {"–", "–"},
               ITS_UNIT,
               -0.2,
               true},
    [ALONE] = {
        {"where the loss only stands still, entropy has not collapsed", "损失只是停滞不前时，熵没有崩塌"},
        {"–", "–"},
        ITS_UNIT,
        -0.2,
        false}};

static double difference(const numbers *n, int rule, long seed) {
    const char *what = rule == ON_AVERAGE ? MEAN : LOWEST;
    const double at = stop_of(n, rule != EARLY);
    const double there = mean_of(n, seed, rule == ALONE ? STANDS_STILL : DIVERGES, what, at);
    return rule == ONE_WORD ? there : there - mean_of(n, seed, CONVERGES, what, at);
}

static const remark remarks[] = {
    {ALONE,
     DOES_NOT_HOLD,
     {"A trial run at the rate 0.03 looked at each attention. After 60 updates the first self-attention of "
      "the encoder has 0.01 of the uniform entropy, that of the decoder 0.10; the four others have more than "
      "0.999. The loss, 4.97, is about that of word frequencies, 4.95. So here the lowest entropy collapses "
      "wherever training fails, whether its loss explodes or only stands still. The mean over all attentions "
      "differs: after 150 updates it is 0.68 at the rate 0.03, 0.43 at 1 and 0.17 at 3. At 0.003, where "
      "training converges, it is 0.65.",
      "我们在一次学习率为 0.03 的试验中考察了每个注意力子层。更新 60 次之后，编码器第一个自注意力子层的熵只"
      "有均匀熵的 0.01，解码器第一个自注意力子层为 0.10，其余四个都高于 0.999。损失为 4.97，与只知道词频时"
      "的 4.95 相近。可见在这里，只要训练失败，无论损失是爆炸还是停滞，最低的熵都会崩塌。所有注意力子层的平"
      "均熵则有差别：更新 150 次之后，学习率 0.03 时为 0.68，1 时为 0.43，3 时为 0.17；学习率 0.003 时训练"
      "收敛，平均熵为 0.65。"}}};

static const panel panels[] = {
    {.what = LOWEST,
     .label = "lowest entropy of an attention (uniform: 1)",
     .x_label = "updates",
     .low = 0,
     .high = 1},
    {.what = LOSS, .label = "held-out loss in nats per word", .x_label = "updates", .log_y = true}};

const claim claim_collapse = {
    .name = "collapse",
    .title = {"Entropy collapses where training diverges", "训练发散时，注意力的熵崩塌"},
    .source = "Zhai et al. 2023",
    .paragraph =
        {"Zhai et al. find in several architectures and tasks that low entropy of attention goes with "
         "unstable training, and call that entropy collapse. Here post-norm translators of en-fr sentences "
         "(4 heads, 2 + 2 layers) are trained for 150 updates with Adam, at one rate from the first update "
         "on: no warm-up, no clipping. The rates are 0.001, 0.003, 0.03, 1 and 3. After 10, 25, 50, 100 and "
         "150 updates the loss and the attention of 100 held-out sentences are measured. Entropy is that of "
         "an attention's rows, over all heads, divided by that of equal weights on all that a row sees: 1 is "
         "uniform, 0 is one key a row. Of the model's six attentions there is a lowest and a mean.\n\n"
         "A run diverges if its last loss is not finite, or above the one before training. It converges if "
         "its last loss is at least 0.5 nats below what the frequencies of words alone give. One that does "
         "neither stands still. In each seed the mean over the runs that diverge is compared with the mean "
         "over those that converge, after the same number of updates. The margin is a fifth of the uniform "
         "entropy; \"hardly any\" is a tenth of it.\n\n"
         "What limits this: rates were chosen on other seeds so that some runs converge and some diverge. "
         "Adam moves each weight by about the rate, however small the gradient. So a model of this size ends "
         "above its first loss only at rates near 1 (in pilots 0.3 was not enough), where a single update "
         "overwrites its weights. At 0.03 it does neither, and the last rule is about that. The runs that "
         "are compared differ in their rates: which of the two is the cause, low entropy or divergence, is "
         "not measured here, and neither is the paper's remedy.",
         "Zhai 等（2023）在多种结构和任务上发现，注意力的低熵与训练不稳定相伴出现，并称之为熵崩塌。这里训练"
         "后置归一化的英法翻译模型（4 个头，编码器与解码器各 2 层），各更新 150 次，使用 Adam，从第一次更新"
         "起学习率就不变：没有学习率预热，也没有梯度裁剪。学习率取 0.001、0.003、0.03、1 和 3。在更新 10、"
         "25、50、100 和 150 次之后，测量 100 个未见过的句子的损失与注意力。熵是一个注意力子层所有头、所有"
         "行的熵，除以在该行可见的键上均匀分配权重时的熵：1 表示均匀，0 表示每行只看一个键。模型有六个注意"
         "力子层，取其中最低的熵和平均的熵。\n\n"
         "若最后的损失不是有限的数，或高于训练之前的损失，则称训练发散。若最后的损失比只知道词频时的损失至"
         "少低 0.5 奈特，则称训练收敛。两者都不是，则称停滞。对每个种子，我们在相同的更新次数上，比较发散的"
         "各次训练的平均值与收敛的各次训练的平均值。界限是均匀熵的五分之一；“所剩无几”以均匀熵的十分之一为"
         "界。\n\n"
         "局限：学习率是在其他种子上选定的，使得有的训练收敛，有的发散。无论梯度多小，Adam 每次更新都使各个"
         "权重移动大约一个学习率。因此，这样大小的模型只有在学习率接近 1 时（预试验中 0.3 还不够），最后的"
         "损失才会高于最初的损失，而那时一次更新就足以覆盖原有的权重。学习率为 0.03 时，训练既不收敛也不发"
         "散，最后一条规则说的就是这种情形。相互比较的训练学习率不同：低熵与发散，哪一个是原因，这里没有测"
         "量；论文提出的补救办法，这里也没有测量。"},
    .version = 1,
    .plan = plan,
    WITH_RULES(rules),
    .difference = difference,
    WITH_PANELS(panels),
    WITH_REMARKS(remarks),
    .shown = {LOSS, LOWEST, MEAN}};
