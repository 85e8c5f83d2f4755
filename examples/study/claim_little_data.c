/* Tying, label smoothing and dropout on little data: all three, and each of them left out; on sentences made here, and on Multi30k. */
#include "claim_little_data.h"
#include "claim_heads.h" /* held_out */

#include <stdlib.h>
#include <string.h>

enum { ALL, NO_TYING, NO_SMOOTHING, NO_DROPOUT, ARMS }; /* an arm's number */
static const char *const arms[ARMS] = {"all three", "no tying", "no smoothing", "no dropout"};

static void leave_out(tl_run_settings *r, long what) {
    r->model.tie = what == NO_TYING ? "none" : "target";
    r->training.label_smoothing = what == NO_SMOOTHING ? 0 : 0.1;
    r->model.dropout = what == NO_DROPOUT ? 0 : 0.1;
}

static bool measure(const job *j, tl_run *run, numbers *out, tl_error *error) {
    tl_set *set = held_out(j, run, budget_of(j->study, on_multi30k(j) ? 0 : 500, 500, 5), error);
    tl_quality q;
    const bool ok = set && tl_set_measure(set, true, &q);
    if (set && !ok) tl_error_set(error, "%s", tl_run_error(run) ? tl_run_error(run) : "interrupted");
    if (ok) {
        put(out, j, "BLEU", 0, q.score);
        put(out, j, "exact match", 0, 100 * (double)q.exact / (double)q.sentences);
        put(out, j, "loss", 0, q.loss);
    }
    tl_set_free(set);
    return ok;
}

/* ---- made here ---- */

static bool measure_made(const job *j, numbers *out, tl_error *error) {
    tl_run *run = job_open(j, j->arm.stops[0], error);
    const bool ok = run && measure(j, run, out, error);
    tl_run_free(run);
    return ok;
}

static void plan_made(study *s) {
    for (long what = ALL; what < ARMS; what++) {
        tl_run_settings r = toy_translator(s);
        r.data.sentences = budget_of(s, 1000, 400, 100);
        r.training.warmup = budget_of(s, 200, 80, 2);
        leave_out(&r, what);
        study_arm(s, &(arm){.name = arms[what],
                            .settings = &r,
                            .stops = {budget_of(s, 500, 200, 3)},
                            .work = measure_made,
                            .number = what,
                            .cost = 2,
                            .training_cost = 16});
    }
}

/* ---- Multi30k ---- */

size_t lines_end(const char *bytes, size_t size, long lines) {
    const char *at = bytes, *end = bytes + size;
    for (; lines > 0 && at < end; lines--) {
        const char *feed = memchr(at, '\n', (size_t)(end - at));
        at = feed ? feed + 1 : end;
    }
    return (size_t)(at - bytes);
}

/* Some of the pairs of a part of Multi30k, into a file. */
static bool cut(const job *j, const char *part, long first, long pairs, const char *to, tl_error *error) {
    char from[FOLDER_SIZE], *bytes;
    size_t size;
    if (!tl_file_read(multi30k_file(j->study, part, from), &bytes, &size, error)) return false;
    const size_t begin = lines_end(bytes, size, first), end = lines_end(bytes, size, first + pairs);
    const bool ok = begin < end ? tl_file_write(to, bytes + begin, end - begin, error)
                                : tl_error_set(error, "%s has not more than %ld lines", from, first);
    free(bytes);
    return ok;
}

static tl_run *train(const job *j, const tl_run_settings *settings, const char *dir, tl_error *error) {
    const long stops[2] = {budget_of(j->study, MULTI30K_UPDATES, MULTI30K_UPDATES / 8, 2), 0};
    if (!job_train(j, dir, settings, stops, NULL, error)) return NULL;
    tl_run *run = tl_run_open(dir, &(tl_run_choice){.weights = "none"}, error);
    if (run && job_weights(run, dir, stops[0], error)) return run;
    tl_run_free(run);
    return NULL;
}

/* Each seed learns other pairs, as sentences that are made here are others for each. */
static bool measure_multi30k(const job *j, numbers *out, tl_error *error) {
    char train_file[FOLDER_SIZE + 16], valid_file[FOLDER_SIZE + 16];
    const long pairs = budget_of(j->study, 5000, 5000, 100);
    const char *dir = job_folder(j, error);
    if (!dir) return false;
    snprintf(train_file, sizeof train_file, "%s/train.tsv", dir);
    snprintf(valid_file, sizeof valid_file, "%s/valid.tsv", dir);
    if (!cut(j, "train", j->seed * pairs, pairs, train_file, error) ||
        !cut(j, "valid", 0, budget_of(j->study, 2000, 2000, 10), valid_file, error))
        return false;
    tl_run_settings settings = multi30k_settings(j->study, train_file, valid_file);
    settings.training.seed = (long)j->real_seed;
    leave_out(&settings, j->arm.number);
    tl_run *run = train(j, &settings, dir, error);
    const bool ok = run && measure(j, run, out, error);
    tl_run_free(run);
    return ok;
}

static void plan_multi30k(study *s) {
    for (long what = ALL; what < ARMS; what++)
        study_arm(s, &(arm){.name = arms[what], .work = measure_multi30k, .number = what, .cost = 160});
}

/* ---- what must be so ---- */

enum { DROPOUT_BLEU, DROPOUT_LOSS, SMOOTHING_BLEU, SMOOTHING_LOSS, TYING_BLEU, TYING_LOSS, RULES };
#define BLEU_UNIT \
 { "BLEU", "BLEU" }
#define LOSS_UNIT \
 { "nats per word", "奈特/词" }
static const rule rules[RULES] = {
    [DROPOUT_BLEU] = {{"dropout gains BLEU", "暂退法提高 BLEU"},
                      {"1.2: 25.8 with, 24.6 without (table 3, row D)",
                       "1.2：有 25.8，无 24.6（表 3，D 行）"},
                      BLEU_UNIT,
                      0.5,
                      false},
    [DROPOUT_LOSS] = {{"dropout lowers the loss", "暂退法降低损失"},
                      {"0.16: perplexity 4.92 with, 5.77 without (table 3, row D)",
                       "0.16：困惑度有 4.92，无 5.77（表 3，D 行）"},
                      LOSS_UNIT,
                      0.05,
                      false},
    [SMOOTHING_BLEU] = {{"label smoothing gains BLEU (said beforehand: below the noise)",
                         "标签平滑提高 BLEU（事先说明：低于噪声）"},
                        {"0.5: 25.8 with, 25.3 without (table 3, row D)",
                         "0.5：有 25.8，无 25.3（表 3，D 行）"},
                        BLEU_UNIT,
                        0.5,
                        false},
    [SMOOTHING_LOSS] = {{"label smoothing raises the loss", "标签平滑使损失升高"},
                        {"0.05: perplexity 4.92 with, 4.67 without (table 3, row D)",
                         "0.05：困惑度有 4.92，无 4.67（表 3，D 行）"},
                        LOSS_UNIT,
                        0.05,
                        false},
    [TYING_BLEU] = {{"tying costs no BLEU", "共享词向量不损失 BLEU"},
                    {"translators not harmed (Press & Wolf 2017, abstract)",
                     "翻译模型不受损害（Press & Wolf 2017，摘要）"},
                    BLEU_UNIT,
                    0.5,
                    true},
    [TYING_LOSS] = {{"tying lowers the loss", "共享词向量降低损失"},
                    {"lower perplexity of language models (Press & Wolf 2017, abstract)",
                     "语言模型的困惑度下降（Press & Wolf 2017，摘要）"},
                    LOSS_UNIT,
                    0.05,
                    false}};

static double without_minus_with(const numbers *n, int without, long seed, const char *what) {
    return numbers_get(n, arms[without], seed, what, 0) - numbers_get(n, arms[ALL], seed, what, 0);
}

static double difference(const numbers *n, int rule, long seed) {
    switch (rule) {
    case DROPOUT_BLEU:
        return -without_minus_with(n, NO_DROPOUT, seed, "BLEU");
    case DROPOUT_LOSS:
        return without_minus_with(n, NO_DROPOUT, seed, "loss");
    case SMOOTHING_BLEU:
        return -without_minus_with(n, NO_SMOOTHING, seed, "BLEU");
    case SMOOTHING_LOSS:
        return -without_minus_with(n, NO_SMOOTHING, seed, "loss");
    case TYING_BLEU:
        return without_minus_with(n, NO_TYING, seed, "BLEU");
    default:
        return without_minus_with(n, NO_TYING, seed, "loss");
    }
}

static const panel panels[] = {{.what = "BLEU", .label = "BLEU, held-out sentences", .bars = true},
                               {.what = "loss", .label = "nats per word, held-out sentences", .bars = true}};

/* Found out on a seed of the trial, with as many updates on 20,000 sentences. */
static const remark remarks[] = {
    {SMOOTHING_LOSS,
     DOES_NOT_HOLD,
     {"Ours goes the other way because the sentences are learnt by heart. On a trial seed smoothing took "
      "the loss of held-out sentences from 0.72 to 0.59 here. With 20,000 sentences and as many updates, "
      "so that each is seen twice instead of 45 times, it raised the loss from 0.17 to 0.25, which is the "
      "published direction, and not far from the published size. A model that knows its training sentences "
      "by heart is too sure of "
      "itself elsewhere, too, and smoothing takes some of that away.",
      "这里方向相反，原因是训练句已被记住。在一个试验种子上，平滑使未见过的句子的损失从 0.72 降到 0.59。换成 "
      "20,000 句、更新次数相同时，每句只见两遍而不是 45 遍，平滑使损失从 0.17 升到 "
      "0.25，方向与已发表的相同，大小也相近。记住了训练句的模型在别处也过于自信，平滑削弱了这种自信。"}},
    {SMOOTHING_BLEU,
     HOLDS,
     {"More than was said beforehand, and more than the paper has. On a trial seed smoothing was worth 3.6 "
      "BLEU here (70.6 and 67.0), and 0.1 with 20,000 sentences and as many updates (83.3 and 83.2). What "
      "it gains here is what learning by heart has cost.",
      "比事先说明的大，也比原论文的大。在一个试验种子上，平滑在这里值 3.6 BLEU（70.6 对 67.0）；换成 20,000 "
      "句、更新次数相同时只值 0.1（83.3 对 83.2）。它在这里赢得的，正是死记硬背所失去的。"}}};

const claim claim_little_data = {
    .name = "little-data",
    .title = {"Tying, label smoothing, dropout on little data", "小数据上的词向量共享、标签平滑与暂退法"},
    .source = "Vaswani et al. 2017, table 3, row D; Press & Wolf 2017",
    .paragraph =
        {"Three habits keep a small translator from learning its sentences by heart: one matrix for the "
         "target embedding and the output (tying), targets that are not quite certain (label smoothing, "
         "0.1), and units that are left out at random (dropout, 0.1). Vaswani et al. leave out smoothing "
         "and dropout one at a time; Press and Wolf tie. Here a translator (64 wide, 2+2 layers) is "
         "trained for 500 updates on 1,000 sentences of the en-fr toy, which it sees 45 times: once with "
         "all three, and three times with one of them left out. Every seed has sentences of its own. BLEU "
         "and exact match of greedy translations, and the loss without smoothing, are those of 500 "
         "held-out sentences at the end of training. The margins are the smallest published effect, that "
         "of smoothing: 0.5 BLEU and 0.05 nats. Said before the run: smoothing's gain in BLEU is below the "
         "noise at this size. 500 short sentences and five seeds cannot tell 0.5 BLEU, so this rule stays "
         "undecided unless smoothing does far more here than in the paper. The paper has 4.5 million "
         "sentence pairs instead of 1,000, and a development set of real text.",
         "三种习惯能防止小型翻译模型死记训练句：目标端词向量与输出层共用一个矩阵（共享词向量），目标分布不"
         "取绝对确定（标签平滑，0.1），随机丢弃部分单元（暂退法，0.1）。Vaswani 等人逐一去掉标签平滑与暂退"
         "法；Press 与 Wolf 研究了共享。本实验在英法玩具语料的 1,000 个句子上训练翻译模型（宽 64，2+2 层）"
         "，共 500 次更新，每句约见 45 遍：一次三者俱全，另外三次各去掉其一。每个种子有自己的句子。训练结束"
         "时，在 500 个未见过的句子上计算贪心译文的 BLEU 与完全匹配率，以及不含平滑的损失。界限取已发表的最"
         "小效应，即标签平滑的效应：0.5 BLEU 与 0.05 奈特。运行之前先说明：在这一规模下，标签平滑的 BLEU 增"
         "益低于噪声。500 个短句、五个种子分辨不出 0.5 BLEU，因此除非平滑在这里的作用远大于原论文，这一条将"
         "无法判定。原论文用 450 万句对而非 1,000 句，开发集是真实文本。"},
    .version = 1,
    .plan = plan_made,
    .rules = rules,
    .rule_count = RULES,
    .difference = difference,
    .panels = panels,
    .panel_count = sizeof panels / sizeof *panels,
    .shown = {"BLEU", "exact match", "loss"},
    .remarks = remarks,
    .remark_count = sizeof remarks / sizeof *remarks};

const claim claim_little_data_multi30k = {
    .name = "little-data-multi30k",
    .title = {"Tying, label smoothing, dropout on little data: Multi30k",
              "小数据上的词向量共享、标签平滑与暂退法：Multi30k"},
    .source = "Vaswani et al. 2017, table 3, row D; Press & Wolf 2017",
    .paragraph =
        {"The same four arms on sentences that people wrote: Multi30k, English captions and their German "
         "translations. Its 29,000 pairs would be seen too seldom here to be learnt by heart, so each seed "
         "has 5,000 of its own, one after the other in the training file. The translator is as wide and as "
         "deep as for the toy. It takes words as they are, those seen once left out, and is trained for "
         "1,600 updates of 2,048 tokens, some 40 times through its pairs, while the rate falls to 0 along "
         "a cosine. BLEU, exact match and loss are those of the 1,000 sentences of the test set at the end "
         "of training. Rules and margins are the same. What was said of smoothing's gain in BLEU is said "
         "here, too: below the noise.",
         "同样的四组实验换成人写的句子：Multi30k，英文图片说明及其德文译文。全部 29,000 句对在这里见得太少"
         "，不会被记住，因此每个种子各取训练文件中相邻的 5,000 句对，互不重叠。模型的宽与深和玩具语料相同；"
         "以词为单位，只出现一次的词不收；训练 1,600 次更新，每次 2,048 个词元，约 40 遍，学习率按余弦降到 "
         "0。训练结束时，在测试集的 1,000 个句子上计算 BLEU、完全匹配率与损失。规则与界限不变。关于标签平滑"
         " BLEU 增益的话在此同样成立：低于噪声。"},
    .needs_data = true,
    .version = 1,
    .plan = plan_multi30k,
    .rules = rules,
    .rule_count = RULES,
    .difference = difference,
    .panels = panels,
    .panel_count = sizeof panels / sizeof *panels,
    .shown = {"BLEU", "exact match", "loss"}};
