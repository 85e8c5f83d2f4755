/* A claim's result on the terminal: means and spread of its numbers, then verdicts. */
#include "parts.h"

#include <math.h>
#include <string.h>

char *number_text(double value, char to[32]) {
    const double size = fabs(value);
    if (isnan(value))
        strcpy(to, "–");
    else if (isinf(value))
        strcpy(to, value > 0 ? "∞" : "-∞");
    else if (size == 0)
        strcpy(to, "0");
    else if (size < 1e-3 || size >= 1e5)
        snprintf(to, 32, "%.2e", value);
    else
        snprintf(to, 32, "%.*f", size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.9995 ? 2 : 3, value);
    return to;
}

static bool is_first(const numbers *n, long i) {
    for (long k = 0; k < i; k++)
        if (!strcmp(n->row[k].arm, n->row[i].arm) && !strcmp(n->row[k].what, n->row[i].what) &&
            n->row[k].at == n->row[i].at)
            return false;
    return true;
}

/* Mean and spread of one arm over seeds. */
static void print_spread(const numbers *n, long i) {
    const number *row = &n->row[i];
    double values[SEEDS];
    char mean[32], deviation[32], at[32] = "";
    const long seeds = numbers_seeds(n) < SEEDS ? numbers_seeds(n) : SEEDS;
    for (long seed = 0; seed < seeds; seed++)
        values[seed] = numbers_get(n, row->arm, seed, row->what, row->at);
    const interval spread = interval_of(values, seeds);
    if (row->at != 0) snprintf(at, sizeof at, " at %g", row->at);
    printf("  %-28s %s%s: %s ± %s\n", row->arm, row->what, at, number_text(spread.mean, mean),
           number_text(spread.deviation, deviation));
}

void table_print(const claim *c, const numbers *n, const finding *findings) {
    char mean[32], low[32], high[32];
    printf("\n%s (%s)\n\n", c->title.en, c->source);
    for (int w = 0; w < 6 && c->shown[w]; w++)
        for (long i = 0; i < n->count; i++)
            if (!strcmp(n->row[i].what, c->shown[w]) && is_first(n, i)) print_spread(n, i);
    for (int r = 0; r < c->rule_count; r++) {
        const finding *f = &findings[r];
        printf("\n  %s: %s\n      published %s; here %s %s, 95 %% interval %s to %s, must be %s %g\n",
               c->rules[r].says.en, verdict_words(f->verdict).en, c->rules[r].published.en,
               number_text(f->interval.mean, mean), c->rules[r].unit.en, number_text(f->interval.low, low),
               number_text(f->interval.high, high), c->rules[r].below ? "below" : "above",
               c->rules[r].margin);
    }
}
