/* Without the causal mask the loss lies: the decoder reads the word that it has to predict, and cannot write when
 * that word is missing. */
#include "study.h"

static bool measure(const job *j, numbers *out, tl_error *error) {
    tl_run *run = job_open(j, j->arm.stops[POOL_EARLY], error);
    if (!run) return false;
    tl_quality q;
    const bool ok = job_quality(run, budget_of(j->study, 0, 0, 5), true, &q, error);
    if (ok) {
        put(out, j, "loss", 0, q.loss);
        put(out, j, "exact match", 0, 100 * (double)q.exact / (double)q.sentences);
    }
    tl_run_free(run);
    return ok;
}

#define WITH "causal mask"
#define WITHOUT "no causal mask"

static void plan(study *s) {
    tl_run_settings with, without = toy_translator(s);
    without.model.no_causal = true;
    arm a = {.name = WITH, .work = measure, .cost = 1};
    pool_arm(s, &with, &a);
    study_arm(s, &a);
    a = (arm){.name = WITHOUT,
              .settings = &without,
              .stops = {a.stops[POOL_EARLY]},
              .work = measure,
              .cost = 2,
              .training_cost = 16};
    study_arm(s, &a);
}

enum { LOSS_RATIO, RIGHT };
static const rule rules[] = {
    [LOSS_RATIO] = {{"without the mask the loss is less than half of that with it",
                     "没有掩码时，损失不到有掩码时的一半"},
                    {"–", "–"},
                    {"ratio of losses", "损失之比"},
                    0.5,
                    true},
    [RIGHT] = {{"and the model writes hardly any sentence right", "而模型几乎写不出一个正确的句子"},
               {"–", "–"},
               {"% of sentences", "句子占比，%"},
               10,
               true}};

static double difference(const numbers *n, int rule, long seed) {
    if (rule == RIGHT) return numbers_get(n, WITHOUT, seed, "exact match", 0);
    return numbers_get(n, WITHOUT, seed, "loss", 0) / numbers_get(n, WITH, seed, "loss", 0);
}

static const panel panels[] = {
    {.what = "loss", .label = "nats per word, true words read", .bars = true},
    {.what = "exact match", .label = "sentences written right, %", .bars = true, .low = 0, .high = 100}};

const claim claim_causal = {
    .name = "causal",
    .title = {"Without the causal mask the loss lies", "没有因果掩码，损失就不可信"},
    .source = "Vaswani et al. 2017, 3.2.3",
    .paragraph =
        {"A decoder without the mask reads, while it is trained, the very word that it is to foretell: its "
         "loss falls, and it has learnt to copy from the right. When it writes, there is nothing to copy. "
         "Two translators of en-fr sentences are trained for 500 updates, one with the mask and one without; "
         "the loss is that of held-out sentences with the true words read, and a sentence is right if it is "
         "the reference to the last word, written greedily.",
         "没有掩码的解码器在训练时能读到它要预测的那个词：损失下降，而它学会的是从右边抄写。写句子的时候，"
         "右边没有可抄的词。这里训练两个英法翻译模型，各更新 500 次，一个有掩码，一个没有。损失在未见过的句"
         "子上以教师强制计算；贪心地写出的句子与参考译文完全一致，才算正确。"},
    .version = 1,
    .plan = plan,
    WITH_RULES(rules),
    .difference = difference,
    WITH_PANELS(panels),
    .shown = {"loss", "exact match"}};
