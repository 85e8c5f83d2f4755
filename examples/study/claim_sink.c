/* Attention puts spare weight on meaningless tokens: language models with softmax, whose weights must sum to 1, and
 * with a sigmoid, whose weights need not. */
#include "claim_sink.h"

#include <stdlib.h>
#include <string.h>

enum { CONTEXT = 64 };
#define SINK .3 /* Gu et al. 2025's epsilon */

/* ---- measuring a run after some updates ---- */

typedef struct all_heads {
    sink_sums *head; /* [count] layers, heads within */
    sink_sums even;
    long count, windows;
} all_heads;

static void add_sentence(all_heads *to, const tl_seen *seen, long b) {
    const int *ids = seen->batch.tgt_in + b * seen->batch.tgt_len;
    long k = 0;
    for (int a = 0; a < seen->count; a++)
        for (long h = 0; h < seen->attention[a].heads; h++)
            sink_add_window(&to->head[k++], tl_at(seen->attention[a].weights, b, h), ids);
    sink_add_even_window(&to->even, seen->batch.tgt_len, ids);
    to->windows++;
}

static bool look(tl_run *run, tl_set *set, long context, all_heads *to) {
    tl_batch batch;
    while (tl_set_next(set, &batch)) {
        tl_seen seen;
        if (!tl_look(tl_run_model(run), tl_run_tape(run), &batch, &(tl_look_options){.no_grad = true}, &seen))
            return false;
        for (long b = 0; b < batch.sentences; b++) /* windows at the text's end may be shorter */
            if (batch.tgt_len == context && (!batch.tgt_lengths || batch.tgt_lengths[b] == context))
                add_sentence(to, &seen, b);
    }
    return !tl_run_error(run);
}

#define SOFTMAX "softmax"
#define SIGMOID "sigmoid"
#define EVEN "equal weights"

/* The even head is put only once, with softmax. */
static void put_heads(numbers *out, const job *j, long stop, const all_heads *all) {
    double sinks = 0, at_ends = 0, raw = 0, others = 0, first = 0, ends = 0;
    for (long k = 0; k < all->count; k++) {
        const sink_sums *h = &all->head[k];
        sinks += h->first > SINK * (double)all->windows;
        at_ends += h->ends > SINK * (double)all->windows;
        first += h->first, ends += h->ends, raw += h->raw, others += h->others;
    }
    const double heads = (double)all->count, windows = (double)all->windows, every = heads * windows;
    put(out, j, "heads on the first token", (double)stop, 100 * sinks / heads);
    put(out, j, "heads on line ends", (double)stop, 100 * at_ends / heads);
    put(out, j, "weight of the first token", (double)stop, first / every);
    put(out, j, "weight of line ends", (double)stop, ends / every);
    put(out, j, "its raw weight", (double)stop, raw / every);
    put(out, j, "raw weight of another", (double)stop, others / every);
    if (strcmp(j->arm.name, SOFTMAX)) return;
    numbers_add(out, EVEN, j->seed, "weight of the first token", (double)stop, all->even.first / windows);
    numbers_add(out, EVEN, j->seed, "weight of line ends", (double)stop, all->even.ends / windows);
}

static bool measure_at(const job *j, tl_run *run, long stop, numbers *out, tl_error *error) {
    const long context = tl_run_settings_of(run)->lm.context;
    tl_set *set = tl_set_new(run, &(tl_set_options){.most = budget_of(j->study, 64, 32, 4)});
    all_heads all = {.count = tl_heads_count(run)};
    all.head = calloc((size_t)all.count + 1, sizeof *all.head);
    tl_quality q;
    bool ok = set && all.head && tl_set_measure(set, false, &q) && look(run, set, context, &all);
    if (ok && !all.windows) ok = tl_error_set(error, "no window of %ld tokens was found", context);
    if (ok) {
        put(out, j, "loss", (double)stop, q.loss);
        put_heads(out, j, stop, &all);
    } else if (!tl_failed(error)) {
        job_failed(run, "interrupted, or out of memory", error);
    }
    free(all.head);
    tl_set_free(set);
    return ok;
}

static bool measure(const job *j, numbers *out, tl_error *error) {
    tl_run *run = job_open(j, j->arm.stops[0], error);
    bool ok = run != NULL;
    for (int i = 0; ok && i < STOPS_MOST && j->arm.stops[i]; i++) {
        const long stop = j->arm.stops[i];
        if (job_stopped(j)) ok = tl_error_set(error, "interrupted");
        ok = ok && job_weights(run, j->run_dir, stop, error) && measure_at(j, run, stop, out, error);
    }
    tl_run_free(run);
    return ok;
}

static void plan(study *s) {
    static const char *const arms[] = {SOFTMAX, SIGMOID};
    for (int i = 0; i < 2; i++) {
        tl_run_settings r = tl_run_settings_of_program("lm");
        r.lm.made = "en";
        r.data.sentences = budget_of(s, 20000, 20000, 100);
        r.text.units = "words";
        r.text.min_count = 1;
        toy_model(s, &r);
        r.model.layers = budget_of(s, 4, 4, 1);
        r.model.normaliser = arms[i];
        r.model.dropout = 0;
        r.lm.context = budget_of(s, CONTEXT, CONTEXT, 8);
        r.lm.batch = 8;
        r.training.lr = 0.003;
        r.training.schedule = "inverse-sqrt"; /* a cosine depends on its end, but there are several stops */
        study_arm(
            s, &(arm){.name = arms[i],
                      .settings = &r,
                      .stops = {budget_of(s, 100, 50, 1), budget_of(s, 200, 100, 2),
                                budget_of(s, 400, 200, 3), budget_of(s, 800, 0, 0), budget_of(s, 1200, 0, 0)},
                      .work = measure,
                      .cost = 1,
                      .training_cost = 22});
    }
}

/* ---- rules ---- */

enum { SINKS, TWICE, FEWER, NONE, RAW, ENDS, LOSS };
static const rule rules[] = {
    [SINKS] = {{"with softmax some heads give the first token more than .3",
                "用 softmax 时，有些头给予首个词元的权重超过 0.3"},
               {"18 % of heads (Gu et al. 2025, table 2: the default model of 60M)",
                "18% 的头（Gu 等，2025，表 2：60M 的默认模型）"},
               {"% of heads", "头数占比，%"},
               10,
               false},
    [TWICE] = {{"with softmax the first token gets more than twice what equal weights would give it",
                "用 softmax 时，首个词元得到的权重超过均匀分布时的两倍"},
               {"–", "–"},
               {"times", "倍"},
               2,
               false},
    [FEWER] = {{"with a sigmoid there are fewer such heads (weights divided by their sum)",
                "用 sigmoid 时，这样的头更少（权重除以该行之和）"},
               {"sinks \"do not emerge\" (Gu et al. 2025, abstract)", "汇“不出现”（Gu 等，2025，摘要）"},
               {"difference in % of heads", "头数占比之差，百分点"},
               10,
               false},
    [NONE] = {{"with a sigmoid there are hardly any", "用 sigmoid 时，几乎没有这样的头"},
              {"sinks \"do not emerge\" (Gu et al. 2025, abstract)", "汇“不出现”（Gu 等，2025，摘要）"},
              {"% of heads", "头数占比，%"},
              10,
              true},
    [RAW] = {{"nor is the sigmoid's raw weight of the first token twice that of another token",
              "sigmoid 给予首个词元的原始权重也不到其他词元的两倍"},
             {"–", "–"},
             {"times", "倍"},
             2,
             true},
    [ENDS] = {{"with softmax some heads give the line ends before a word more than .3",
               "用 softmax 时，有些头给予前文各行尾词元的权重之和超过 0.3"},
              {"–", "–"},
              {"% of heads", "头数占比，%"},
              10,
              false},
    [LOSS] = {{"the model with a sigmoid is hardly worse", "用 sigmoid 的模型几乎不逊色"},
              {"–", "–"},
              {"nats per word", "奈特/词"},
              0.05,
              true}};

/* At the last stop. */
static double at_end(const numbers *n, const char *arm, long seed, const char *what) {
    double last = -1;
    for (long i = 0; i < n->count; i++) {
        const number *r = &n->row[i];
        if (r->seed == seed && !strcmp(r->arm, arm) && !strcmp(r->what, what) && r->at > last) last = r->at;
    }
    return numbers_get(n, arm, seed, what, last);
}

static double difference(const numbers *n, int rule, long seed) {
#define END(arm, what) at_end(n, arm, seed, what)
    switch (rule) {
    case SINKS:
        return END(SOFTMAX, "heads on the first token");
    case TWICE:
        return END(SOFTMAX, "weight of the first token") / END(EVEN, "weight of the first token");
    case FEWER:
        return END(SOFTMAX, "heads on the first token") - END(SIGMOID, "heads on the first token");
    case NONE:
        return END(SIGMOID, "heads on the first token");
    case RAW:
        return END(SIGMOID, "its raw weight") / END(SIGMOID, "raw weight of another");
    case ENDS:
        return END(SOFTMAX, "heads on line ends");
    default:
        return END(SIGMOID, "loss") - END(SOFTMAX, "loss");
    }
}

static const remark remarks[] = {
    {SINKS,
     DOES_NOT_HOLD,
     {"Three other trainings with softmax were tried, on two trial seeds each: words for 1,600 updates, "
      "characters for 800, and characters of single lines behind `<bos>` for 800. In none of them did a head "
      "give the first token more than .3. On average it got .051, .047 and .050, less than evenly (.074, "
      ".074 and .073). So in these trials neither more training, nor other units, nor a first token that is "
      "always the same brought sinks.",
      "我们还试了另外三种用 softmax 的训练，各用两个试验种子：按词更新 1,600 次；按字符更新 800 次；每行单"
      "独成篇，以 `<bos>` 开头，按字符更新 800 次。在这些训练中，没有一个头给予首个词元的权重超过 0.3；平均"
      "为 0.051、0.047 和 0.050，低于均匀分配时的 0.074、0.074 和 0.073。可见在这些试验中，更多的训练、别的"
      "单位、总是相同的首个词元，都没有带来汇。"}},
    {FEWER,
     DOES_NOT_HOLD,
     {"With softmax there are no sinks here that a sigmoid could do without: this says nothing about the "
      "claim.",
      "这里用 softmax 时没有汇，也就没有 sigmoid 可以免去的汇：这一结果说明不了该命题是否成立。"}}};

static const panel panels[] = {{.what = "heads on the first token",
                                .label = "heads that give the first token more than .3, %",
                                .x_label = "updates",
                                .arms = {SOFTMAX, SIGMOID},
                                .low = 0,
                                .high = 100},
                               {.what = "weight of the first token",
                                .label = "weight of the first token, mean of heads",
                                .x_label = "updates",
                                .arms = {SOFTMAX, SIGMOID, EVEN},
                                .low = 0,
                                .high = 0.3}};

const claim claim_sink = {
    .name = "sink",
    .title = {"Attention parks weight on tokens that say nothing", "注意力把权重停放在没有信息的词元上"},
    .source = "Xiao et al. 2023; Gu et al. 2025",
    .paragraph =
        {"In language models many heads give much of their weight to the first token, whatever it is. Xiao "
         "et al. call it an attention sink. Gu et al. count heads: one has a sink if the first token gets "
         "more than .3 of its weight, averaged over the rows of a text. The reason that Xiao et al. give: "
         "weights of softmax must sum to 1, so a head that has nothing to look at must park them "
         "somewhere. Weights of a sigmoid need not, and with them, Gu et al. find, no sinks emerge.\n\n"
         "Here two language models (4 layers of 4 heads, width 64) learn the grammar's English sentences "
         "as one running text, word by word, in 1,200 updates of 8 windows of 64 words. One has softmax, "
         "the other a sigmoid whose weights are not divided by their sum. Heads are looked at in 64 "
         "windows of held-out text. Before heads are counted, a sigmoid's weights are divided by their "
         "row's sum; the raw weights are listed as well. A head that spreads its weight evenly gives the "
         "first token .074 of it, so such a head is not counted. In a running text the first token is not "
         "the only one that says little: each line ends with the same token, which only says that a "
         "sentence is over. Line ends before a word are counted together, without the first token.\n\n"
         "Margins: 10 % of heads are between one and two of 16; twice the even weight is more than chance "
         "gives a place; 0.05 nats are about 2 % of the loss.\n\n"
         "Different from the papers: a model of 0.2 million weights instead of 60 million and more, about "
         "a thousand updates, and a text in which nothing matters beyond its sentence. Gu et al. find "
         "sinks only after enough training on enough data, so there may be none here; then a sigmoid "
         "cannot have fewer, and that it has none means nothing.",
         "在语言模型中，许多头把大量权重给予首个词元，不管它是什么。Xiao 等（2023）称之为注意力汇（"
         "attention sink）。Gu 等（2025）统计这样的头：对一段文本的各行取平均，若首个词元得到的权重超过 0.3"
         "，这个头就有汇。Xiao 等（2023）的解释是：softmax 的权重之和必须为 1，一个头即使没有什么可看，也得"
         "把权重停放在某处。sigmoid 的权重不必如此；Gu 等（2025）发现，用它就不出现汇。\n\n"
         "这里训练两个语言模型（4 层，每层 4 个头，宽 64），把语法生成的英语句子当作一篇连续的文本逐词学习"
         "，更新 1,200 次，每次 8 个窗口，每个窗口 64 个词。一个用 softmax；另一个用 sigmoid，其权重不除以"
         "总和。我们在未见过的文本的 64 个窗口上观察各头。计数时，sigmoid 的权重先除以该行之和；原始权重另"
         "外列出。均匀分配权重的头给予首个词元 0.074，所以这样的头不会被计入。在连续的文本中，没有多少信息"
         "的词元不只是首个：每行都以同一个词元结尾，它只表示句子已经结束。一个词之前的各行尾词元合在一起计"
         "算，首个词元不算在内。\n\n"
         "界限：10% 的头相当于 16 个头中的一到两个；均匀权重的两倍，超出一个位置偶然所能得到的；0.05 奈特约"
         "为损失的 2%。\n\n"
         "与论文不同之处：模型只有 20 万个参数，而不是 6,000 万个以上；更新约一千次；文本中的联系不超出句子"
         "。Gu 等（2025）发现，训练和数据都足够之后才会出现汇，所以这里可能没有汇；那样的话，sigmoid 不可能"
         "更少，它没有汇也说明不了什么。"},
    .version = 1,
    .plan = plan,
    WITH_RULES(rules),
    .difference = difference,
    WITH_PANELS(panels),
    WITH_REMARKS(remarks),
    .shown = {"heads on the first token", "weight of the first token", "heads on line ends",
              "weight of line ends", "its raw weight", "raw weight of another"}};
