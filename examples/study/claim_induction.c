/* Two layers make induction heads, one does not: attention-only decoders on random symbols in which a block is
 * repeated. */
#include "claim_induction.h"

#include <stdlib.h>
#include <string.h>

enum {
    SYMBOLS = 64,
    PLACES = 64,
    SHORTEST = 8,
    LONGEST = 24,
    BATCH = 32,
    WIDTH = 64,
    HEADS = 2,
    LAYERS_MOST = 2
};
enum { UPDATES = 1500, TELLS = 20, LOTS = 8 }; /* how often progress is measured, and over how many batches */
#define RATE 0.005

#define ONE "one layer"
#define TWO "two layers"

/* ---- sequences ---- */

repeat draw_repeat(tl_rng_key stream, long number, long symbols, long low, long high, long count, int *ids) {
    const tl_rng_key key = tl_rng_key_mix(stream, (uint64_t)number);
    repeat r = {.length = low + tl_rng_below(key, 0, high - low + 1)};
    const long room = count - 2 * r.length;
    const long a = tl_rng_below(key, 1, room + 1), b = tl_rng_below(key, 2, room + 1);
    r.first = a < b ? a : b;
    r.second = r.first + r.length + (a < b ? b - a : a - b);
    long bag[256];
    for (long i = 0; i < symbols; i++) bag[i] = i + 1;
    tl_rng_shuffle(tl_rng_key_mix(key, 1), symbols, bag);
    long taken = 0;
    for (long i = 0; i < count; i++) {
        const bool again = i >= r.second && i < r.second + r.length;
        ids[i] = again ? ids[i - r.second + r.first] : (int)bag[taken++];
    }
    return r;
}

typedef struct lot { /* a batch of sequences */
    int in[BATCH * PLACES], out[BATCH * PLACES];
    repeat repeat[BATCH];
    tl_batch batch;
} lot;

/* Sequences from number `first` on. Only the copy's symbols, from its second on, are to be predicted: nothing else
 * is predictable. */
static void fill(lot *l, tl_rng_key stream, long first) {
    int ids[PLACES + 1];
    for (long b = 0; b < BATCH; b++) {
        const repeat r = draw_repeat(stream, first + b, SYMBOLS, SHORTEST, LONGEST, PLACES + 1, ids);
        for (long i = 0; i < PLACES; i++) {
            const bool asked = i >= r.second && i + 1 < r.second + r.length;
            l->in[b * PLACES + i] = ids[i];
            l->out[b * PLACES + i] = asked ? ids[i + 1] : TL_PAD;
        }
        l->repeat[b] = r;
    }
    l->batch =
        (tl_batch){.sentences = BATCH, .tgt_len = PLACES, .tgt_in = l->in, .tgt_out = l->out, .pad = TL_PAD};
}

/* ---- measuring a head ---- */

double prefix_weight(tl_tensor weights, const repeat *r, long *count) {
    double sum = 0;
    for (long i = 0; i < r->length && r->second + i < weights.dim[0]; i++, ++*count)
        sum += weights.data[(r->second + i) * weights.stride[0] + (r->first + i + 1) * weights.stride[1]];
    return sum;
}

typedef struct learner {
    const job *job;
    tl_params *params;
    tl_gpt model;
    tl_adam *adam;
    tl_tape *tape;
    lot lot;
} learner;

typedef struct measured {
    double prefix; /* the best head's prefix weight */
    double loss;   /* nats a symbol of the copy */
} measured;

/* Measures on `lots` batches of sequences that training never sees. */
static bool look(learner *l, long lots, measured *m) {
    const tl_rng_key fresh = tl_rng_key_of(l->job->real_seed, "fresh");
    double sum[LAYERS_MOST * HEADS] = {0};
    long count[LAYERS_MOST * HEADS] = {0};
    tl_loss_report report;
    long asked = 0;
    *m = (measured){.prefix = 0};
    tl_tape_set_training(l->tape, 0);
    for (long k = 0; k < lots; k++) {
        tl_seen seen;
        fill(&l->lot, fresh, k * BATCH);
        if (!tl_look(&l->model.model, l->tape, &l->lot.batch, &(tl_look_options){.no_grad = true}, &seen))
            return false;
        for (int a = 0; a < seen.count; a++)
            for (long b = 0; b < BATCH; b++)
                for (long h = 0; h < HEADS; h++)
                    sum[a * HEADS + h] += prefix_weight(tl_at(seen.attention[a].weights, b, h),
                                                        &l->lot.repeat[b], &count[a * HEADS + h]);
        tl_tape_reset(l->tape);
        if (!tl_ok(tl_model_loss(&l->model.model, l->tape, &l->lot.batch, NULL, &report, NULL))) return false;
        m->loss += report.nll;
        asked += report.count;
    }
    m->loss /= (double)asked;
    for (int i = 0; i < LAYERS_MOST * HEADS; i++)
        if (count[i] && sum[i] / (double)count[i] > m->prefix) m->prefix = sum[i] / (double)count[i];
    return true;
}

/* ---- training ---- */

static const char *error_of(const learner *l) {
    const char *said = tl_params_error(l->params);
    if (!said) said = tl_tape_error(l->tape);
    if (!said) said = tl_adam_error(l->adam);
    return said ? said : "interrupted";
}

static bool update(learner *l, long step, long last) {
    fill(&l->lot, tl_rng_key_of(l->job->real_seed, "training"), (step - 1) * BATCH);
    tl_tape_reset(l->tape);
    tl_tape_set_training(l->tape, step);
    tl_zero_grad(l->params);
    if (!tl_backward(tl_model_loss(&l->model.model, l->tape, &l->lot.batch, NULL, NULL, NULL))) return false;
    tl_clip_grad_norm(l->params, 1);
    return tl_adam_step(l->adam, tl_linear_decay(RATE, 0, 50, last, step));
}

static bool begin(learner *l, const job *j) {
    l->job = j;
    l->params = tl_params_new(j->real_seed);
    l->tape = tl_tape_new();
    if (!l->params || !l->tape) return false;
    l->model = tl_gpt_init(l->params, "",
                           &(tl_gpt_config){.vocab = SYMBOLS + 1,
                                            .d_model = WIDTH,
                                            .heads = HEADS,
                                            .layers = (int)j->arm.number,
                                            .positions = TL_ROTARY,
                                            .max_len = PLACES,
                                            .init_std = 0.125,
                                            .no_feed_forward = true});
    l->adam = tl_adam_new(l->params, &(tl_adam_config){.beta2 = 0.98});
    return l->adam && !tl_params_error(l->params);
}

static bool train(learner *l, numbers *out) {
    const study *s = l->job->study;
    const long last = budget_of(s, UPDATES, 600, 4), tells = budget_of(s, TELLS, TELLS, 2);
    measured m;
    bool ok = true;
    for (long step = 1; ok && step <= last; step++) {
        ok = !job_stopped(l->job) && update(l, step, last);
        if (!ok || (step % (last / tells) && step != last)) continue;
        const bool ends = step == last;
        ok = look(l, ends ? budget_of(s, LOTS, LOTS, 1) : 1, &m);
        put(out, l->job, "prefix score", (double)step, m.prefix);
        put(out, l->job, "loss on the copy", (double)step, m.loss);
        if (!ends) continue;
        put(out, l->job, "final prefix score", 0, m.prefix);
        put(out, l->job, "final loss on the copy", 0, m.loss);
    }
    return ok;
}

static bool measure(const job *j, numbers *out, tl_error *error) {
    learner *l = calloc(1, sizeof *l);
    if (!l) return tl_error_set(error, "out of memory");
    const bool ok = begin(l, j) && train(l, out);
    if (!ok) tl_error_set(error, "%s", l->params && l->tape && l->adam ? error_of(l) : "out of memory");
    tl_adam_free(l->adam);
    tl_tape_free(l->tape);
    tl_params_free(l->params);
    free(l);
    return ok;
}

static void plan(study *s) {
    study_arm(s, &(arm){.name = ONE, .work = measure, .number = 1, .cost = 14});
    study_arm(s, &(arm){.name = TWO, .work = measure, .number = 2, .cost = 26});
}

/* ---- rules ---- */

enum { TWO_MATCH, ONE_DOES_NOT, COPIES };
static const rule rules[] = {
    [TWO_MATCH] = {{"with two layers a head looks at what followed the present symbol's first occurrence",
                    "2 层模型中，有一个头关注当前符号首次出现之后的那个符号"},
                   {"such heads form (argument 1)", "会形成这样的头（论据 1）"},
                   {"prefix score of the best head", "最佳头的前缀匹配得分"},
                   0.5,
                   false},
    [ONE_DOES_NOT] = {{"with one layer none does", "1 层模型中没有这样的头"},
                      {"none forms (argument 1)", "不会形成（论据 1）"},
                      {"prefix score of the best head", "最佳头的前缀匹配得分"},
                      0.1,
                      true},
    [COPIES] = {{"and two layers foretell the copy better than one", "2 层模型对重复片段的预测优于 1 层模型"},
                {"–", "–"},
                {"nats a symbol", "奈特/符号"},
                1,
                false}};

static double difference(const numbers *n, int rule, long seed) {
    if (rule == TWO_MATCH) return numbers_get(n, TWO, seed, "final prefix score", 0);
    if (rule == ONE_DOES_NOT) return numbers_get(n, ONE, seed, "final prefix score", 0);
    return numbers_get(n, ONE, seed, "final loss on the copy", 0) -
           numbers_get(n, TWO, seed, "final loss on the copy", 0);
}

static const panel panels[] = {{.what = "prefix score",
                                .label = "prefix score of the best head",
                                .x_label = "updates",
                                .low = 0,
                                .high = 1},
                               {.what = "loss on the copy",
                                .label = "nats a symbol of the copy",
                                .x_label = "updates",
                                .low = 0,
                                .high = 4.5}};

const claim claim_induction = {
    .name = "induction",
    .title = {"Two layers make induction heads, one does not", "两层产生归纳头，一层则不能"},
    .source = "Olsson et al. 2022",
    .paragraph =
        {"An induction head finds where the symbol that was just read stood before, and looks at what "
         "followed it there. That takes two layers: a head of the first tells each place which symbol "
         "stands before it, a head of the second looks for the place that was told the present one. Olsson "
         "et al. find such heads in models of two layers and more, and in none of one. Here decoders of "
         "attention alone, one layer and two, width 64, two heads a layer, with norms but without "
         "feed-forward, read sequences of 64 symbols. No symbol comes twice, but for a block of 8 to 24 "
         "that stands there a second time (the copy); its length and both places are drawn anew for every "
         "sequence, so that no place and no distance can be learnt by heart. Positions are rotary: queries "
         "and keys alone are told of them. Each model sees 1,500 batches of 32 sequences, each sequence "
         "once. The loss is that of the copy's symbols from its second on, since nothing else can be "
         "foretold: with the loss on all symbols, short pilots on other seeds had learnt nothing of the "
         "copy after 400 to 600 batches. The prefix score is the mean weight that a symbol of the copy "
         "gives to the one after its first occurrence, on 256 sequences that no model was trained on; the "
         "head with the largest counts. Equal weights on all that is visible score about 0.025. The "
         "margins of 0.5 and 0.1 say that a head gives most of its weight, or next to none; that of the "
         "loss is one nat, a factor of e in the probability of the right symbol. The paper trains language "
         "models on text, and scores them on sequences of random symbols that are repeated.",
         "归纳头先找到刚读到的符号以前出现的地方，再看那里紧随其后的符号。这需要两层：第一层的一个头告诉每"
         "个位置，它前面是哪个符号；第二层的一个头去找那个被告知了当前符号的位置。Olsson 等（2022）在两层及"
         "更多层的模型中发现了这样的头，在一层的模型中没有发现。这里训练只有注意力的解码器，分别为 1 层与 "
         "2 层，宽 64，每层两个头，有归一化，没有前馈层；它们读长 64 个符号的序列。除了一个长 8 到 24 的片"
         "段出现第二次（第二次出现的称为重复片段），没有符号重复；片段的长度和两个位置在每个序列中都重新抽"
         "取，因此无法死记位置或距离。位置编码是旋转式的，只有查询与键得知位置。每个模型看 1,500 批，每批 "
         "32 个序列，每个序列只看一次。损失只计重复片段中自第二个符号起的各个符号，因为其余符号都无法预测："
         "在另外的种子上做的短暂预试验中，若对所有符号计算损失，模型在 400 至 600 批之后对重复片段仍一无所"
         "知。前缀匹配得分是重复片段中的符号给予其首次出现之后那个符号的平均权重，在 256 个未用于训练的序列"
         "上测量，取得分最高的头。若权重在所有可见位置上均匀分配，得分约为 0.025。界限 0.5 与 0.1 的意思是"
         "，一个头给出大部分权重，或几乎不给；损失的界限为 1 奈特，即正确符号的概率相差 e 倍。论文在文本上"
         "训练语言模型，再用重复的随机符号序列来打分。"},
    .version = 1,
    .plan = plan,
    WITH_RULES(rules),
    .difference = difference,
    WITH_PANELS(panels),
    .shown = {"final prefix score", "final loss on the copy"}};
