/* Entropy of attention collapses where training diverges: rates from small to far too large, without what keeps large ones in check. */
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
        const arm a = {.name = rates[i].name, .work = collapse_measure, .number = i, .cost = 5.5};
        study_arm(s, &a);
    }
}

/* ---- which runs diverge ---- */

#define LEARNT 0.5 /* nats */

ending ending_of(double last, double before, double by_frequency) {
    if (!(last <= before)) return DIVERGES; /* NaN and infinity, too */
    return last < by_frequency - LEARNT ? CONVERGES : STANDS_STILL;
}

/* Where it was looked for the last time (last), or for the first time after an update. */
static double stop_of(const numbers *n, bool last) {
    double stop = NAN;
    for (long i = 0; i < n->count; i++) {
        const double at = n->row[i].at;
        if (strcmp(n->row[i].what, LOSS) != 0 || !(at > 0)) continue;
        if (isnan(stop) || (last ? at > stop : at < stop)) stop = at;
    }
    return stop;
}

/* Mean over a seed's runs that ended so, of what could be measured; NaN: there is none. */
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
 { "of uniform entropy", "（均匀分布的熵为 1）" }
static const rule rules[] = {
    [LOWER] = {{"where training diverges, the attention of lowest entropy has less of it than where training "
                "converges, after the same number of updates",
                "在相同更新次数时，发散的训练中熵最低的那一处注意力，其熵低于收敛的训练"},
               {"low entropy goes with divergence (abstract)", "低熵与发散相伴（摘要）"},
               ITS_UNIT,
               -0.2,
               true},
    [ONE_WORD] = {{"there it has hardly any left", "而且几乎不剩"}, {"–", "–"}, ITS_UNIT, 0.1, true},
    [ON_AVERAGE] = {{"the mean over all attentions is lower, too", "所有注意力的平均熵也更低"},
                    {"–", "–"},
                    ITS_UNIT,
                    -0.2,
                    true},
    [EARLY] = {{"it is lower already when a fifteenth of the training is over",
                "训练只进行到十五分之一时就已更低"},
               {"–", "–"},
               ITS_UNIT,
               -0.2,
               true},
    [ALONE] = {
        {"where the loss only stands still, entropy has not collapsed", "损失只是停滞不前时，熵并没有崩塌"},
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

static const panel panels[] = {
    {.what = LOWEST,
     .label = "lowest entropy of an attention (uniform: 1)",
     .x_label = "updates",
     .low = 0,
     .high = 1},
    {.what = LOSS, .label = "held-out loss in nats per word", .x_label = "updates", .log_y = true}};

const claim claim_collapse = {
    .name = "collapse",
    .title = {"Entropy collapses where training diverges", "训练发散之处，注意力的熵崩塌"},
    .source = "Zhai et al. 2023",
    .paragraph = {"", ""},
    .version = 1,
    .plan = plan,
    .rules = rules,
    .rule_count = sizeof rules / sizeof *rules,
    .difference = difference,
    .panels = panels,
    .panel_count = sizeof panels / sizeof *panels,
    .shown = {LOSS, LOWEST, MEAN}};
