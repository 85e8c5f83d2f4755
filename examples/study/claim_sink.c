/* Attention parks weight on tokens that say nothing: language models with softmax, whose weights must sum to 1, and with a sigmoid,
 * whose weights need not. */
#include "claim_sink.h"

#include <string.h>
#include <stdlib.h>

enum { CONTEXT = 64 };
#define SINK .3 /* Gu et al. 2025's epsilon */

/* ---- heads ---- */

void sink_add_window(sink_sums *h, tl_tensor weights, const int *ids) {
    const long rows = weights.dim[0];
    double first = 0, ends = 0, raw = 0, others = 0;
    for (long i = 0; i < rows; i++) {
        double sum = 0, of_ends = 0;
        for (long k = 0; k <= i; k++) {
            const double weight = tl_item(tl_at(weights, i, k));
            sum += weight;
            if (k && ids[k] == TL_EOS) of_ends += weight;
        }
        const double one = tl_item(tl_at(weights, i, 0));
        if (sum > 0) first += one / sum, ends += of_ends / sum;
        raw += one;
        if (i) others += (sum - one) / (double)i;
    }
    h->first += first / (double)rows;
    h->ends += ends / (double)rows;
    h->raw += raw / (double)rows;
    if (rows > 1) h->others += others / (double)(rows - 1);
}

void sink_add_even_window(sink_sums *h, long rows, const int *ids) {
    double first = 0, ends = 0;
    long seen = 0;
    for (long i = 0; i < rows; i++) {
        seen += i && ids[i] == TL_EOS;
        first += 1 / (double)(i + 1);
        ends += (double)seen / (double)(i + 1);
    }
    h->first += first / (double)rows;
    h->ends += ends / (double)rows;
}

/* ---- a run, after some updates ---- */

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
        for (long b = 0; b < batch.sentences; b++) /* the text's end may be shorter */
            if (batch.tgt_len == context && (!batch.tgt_lengths || batch.tgt_lengths[b] == context))
                add_sentence(to, &seen, b);
    }
    return !tl_run_error(run);
}

#define SOFTMAX "softmax"
#define SIGMOID "sigmoid"
#define EVEN "equal weights"

/* Of the even head once, by the side of softmax. */
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
        tl_error_set(error, "%s", tl_run_error(run) ? tl_run_error(run) : "interrupted, or out of memory");
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
        r.model.preset = "toy";
        r.model.d_model = budget_of(s, 64, 64, 16);
        r.model.heads = budget_of(s, 4, 4, 2);
        r.model.layers = budget_of(s, 4, 4, 1);
        r.model.normaliser = arms[i];
        r.model.dropout = 0;
        r.lm.context = budget_of(s, CONTEXT, CONTEXT, 8);
        r.lm.batch = 8;
        r.training.lr = 0.003;
        r.training.schedule =
            "inverse-sqrt"; /* a cosine would depend on where it ends, and there are several stops */
        r.validation.validate_every = 1000000; /* at the end alone */
        r.validation.samples = 0;
        study_arm(
            s, &(arm){.name = arms[i],
                      .settings = &r,
                      .stops = {budget_of(s, 100, 50, 1), budget_of(s, 200, 100, 2),
                                budget_of(s, 400, 200, 3), budget_of(s, 800, 0, 0), budget_of(s, 1200, 0, 0)},
                      .work = measure,
                      .cost = 3,
                      .training_cost = 27});
    }
}

/* ---- rules ---- */

enum { SINKS, TWICE, FEWER, NONE, RAW, ENDS, LOSS };
static const rule rules[] = {
    [SINKS] = {{"with softmax some heads give the first token more than .3",
                "用 softmax 时，有些头给首个词元的权重超过 0.3"},
               {"18 % of heads (Gu et al. 2025, the default model of 60M)",
                "18% 的头（Gu et al. 2025, 60M 的默认模型）"},
               {"% of heads", "% 的头"},
               10,
               false},
    [TWICE] = {{"with softmax the first token gets more than twice what equal weights would give it",
                "用 softmax 时，首个词元得到的权重超过均匀分布时的两倍"},
               {"–", "–"},
               {"times", "倍"},
               2,
               false},
    [FEWER] = {{"with a sigmoid there are fewer such heads (weights divided by their sum)",
                "用 sigmoid 时这样的头更少（权重除以该行之和）"},
               {"sinks \"do not emerge\" (Gu et al. 2025, abstract)",
                "“do not emerge”（不出现；Gu et al. 2025, 摘要）"},
               {"difference in % of heads", "% 的头之差"},
               10,
               false},
    [NONE] = {{"with a sigmoid there are hardly any", "用 sigmoid 时几乎没有这样的头"},
              {"sinks \"do not emerge\" (Gu et al. 2025, abstract)",
               "“do not emerge”（不出现；Gu et al. 2025, 摘要）"},
              {"% of heads", "% 的头"},
              10,
              true},
    [RAW] = {{"nor has the first token twice the sigmoid's raw weight of another token",
              "sigmoid 的原始权重在首个词元上也不到其他词元的两倍"},
             {"–", "–"},
             {"times", "倍"},
             2,
             true},
    [ENDS] = {{"with softmax some heads give the line ends before a word more than .3",
               "用 softmax 时，有些头给前文各行尾的权重之和超过 0.3"},
              {"–", "–"},
              {"% of heads", "% 的头"},
              10,
              false},
    [LOSS] = {{"the model with a sigmoid is hardly worse", "用 sigmoid 的模型几乎不更差"},
              {"–", "–"},
              {"nats per word", "nat／词"},
              0.05,
              true}};

/* After the most updates that there are. */
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
                                .high = 1}};

const claim claim_sink = {
    .name = "sink",
    .title = {"Attention parks weight on tokens that say nothing", "注意力把权重停放在不说明什么的词元上"},
    .source = "Xiao et al. 2023; Gu et al. 2025",
    .paragraph = {"", ""},
    .version = 1,
    .plan = plan,
    .rules = rules,
    .rule_count = sizeof rules / sizeof *rules,
    .difference = difference,
    .panels = panels,
    .panel_count = sizeof panels / sizeof *panels,
    .shown = {"heads on the first token", "weight of the first token", "heads on line ends",
              "weight of line ends", "its raw weight", "raw weight of another"}};
