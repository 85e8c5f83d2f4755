/* Generated corpora. (seed, lengths, symbols) define one stream of distinct sentences: sentences are drawn one after
 * the other from a counter-based generator, and repetitions are left out. A corpus is a range of the stream, so two
 * ranges that do not overlap share no sentence. */
#include "corpus.h"
#include "base/memory.h"
#include "text/table.h"

typedef void task_rule(int *symbols, long length); /* source to target, in place */

static void copy(int *symbols, long length) { (void)symbols, (void)length; }

static void reverse(int *symbols, long length) {
    for (long i = 0, j = length - 1; i < j; i++, j--) {
        int kept = symbols[i];
        symbols[i] = symbols[j];
        symbols[j] = kept;
    }
}

static int by_number(const void *a, const void *b) {
    return (*(const int *)a > *(const int *)b) - (*(const int *)a < *(const int *)b);
}
static void sort(int *symbols, long length) { qsort(symbols, (size_t)length, sizeof *symbols, by_number); }

static task_rule *rule_of(const char *task) {
    static const struct {
        const char *name;
        task_rule *rule;
    } rules[] = {{"copy", copy}, {"reverse", reverse}, {"sort", sort}};
    for (size_t i = 0; task && i < sizeof rules / sizeof *rules; i++)
        if (strcmp(task, rules[i].name) == 0) return rules[i].rule;
    return NULL;
}

/* How many different sentences there are: the sum of symbols^length, but at most `enough`. */
static long sentences_there_are(const tl_toy_config *c, long enough) {
    long sum = 0, power = 1;
    for (long length = 1; length <= c->max_length; length++) {
        power = power > enough / c->symbols ? enough : power * c->symbols;
        if (length < c->min_length) continue;
        if (power >= enough - sum) return enough;
        sum += power;
    }
    return sum;
}

static bool check(tl_error *error, const tl_toy_config *c) {
    if (!rule_of(c->task))
        return tl_error_set(error, "toy corpus: found the task \"%s\", expected copy, reverse or sort",
                            c->task ? c->task : "(none)");
    if (c->sentences <= 0 || c->first < 0 || c->first > INT32_MAX - 1 ||
        c->sentences > INT32_MAX - 1 - c->first)
        return tl_error_set(
            error, "toy corpus: found %ld sentences from number %ld on, expected at least 1 from 0 or later",
            c->sentences, c->first);
    if (c->min_length < 1 || c->max_length < c->min_length || c->max_length > 100000)
        return tl_error_set(error,
                            "toy corpus: found lengths %ld to %ld, expected 1 ≤ shortest ≤ longest ≤ 100000",
                            c->min_length, c->max_length);
    if (c->symbols < 1 || c->symbols > 1000000)
        return tl_error_set(error, "toy corpus: found %ld symbols, expected 1 to 1000000", c->symbols);
    long wanted = c->first + c->sentences, there = sentences_there_are(c, wanted);
    if (there < wanted)
        return tl_error_set(
            error,
            "toy corpus: found only %ld different sentences of %ld symbols and lengths %ld to %ld, "
            "expected %ld: ask for fewer, or allow more symbols or greater lengths",
            there, c->symbols, c->min_length, c->max_length, wanted);
    return true;
}

/* Buffers for one sentence: its symbols, and both sides as words. */
typedef struct drawing {
    int *symbols;
    char *words[2];
    tl_table seen; /* every sentence of the stream so far, its symbols as the key */
} drawing;

/* Draws the next sentence of the stream that has not come before. Returns its length; -1 when out of memory. */
static long draw(drawing *d, const tl_toy_config *c, tl_rng_key stream, uint64_t *attempt) {
    for (;;) {
        tl_rng_key key = tl_rng_key_mix(stream, (*attempt)++);
        long length = c->min_length + tl_rng_below(key, 0, c->max_length - c->min_length + 1);
        for (long i = 0; i < length; i++)
            d->symbols[i] = 1 + (int)tl_rng_below(key, (uint64_t)i + 1, c->symbols);
        long before = d->seen.count;
        long number =
            tl_table_add(&d->seen, (tl_span){(const char *)d->symbols, (size_t)length * sizeof(int)});
        if (number < 0) return -1;
        if (number == before) return length;
    }
}

static tl_span write_words(const int *symbols, long length, char *words) {
    size_t used = 0;
    for (long i = 0; i < length; i++) used += (size_t)sprintf(words + used, i > 0 ? " %d" : "%d", symbols[i]);
    return (tl_span){words, used};
}

static bool append_all(tl_corpus *corpus, drawing *d, const tl_toy_config *c) {
    tl_rng_key stream = tl_rng_key_of(c->seed, "toy corpus");
    task_rule *rule = rule_of(c->task);
    uint64_t attempt = 0;
    for (long i = 0; i < c->first + c->sentences; i++) {
        long length = draw(d, c, stream, &attempt);
        if (length < 0)
            return tl_error_set(&corpus->error, "toy corpus: out of memory after %ld sentences", i);
        if (i < c->first) continue;
        tl_span source = write_words(d->symbols, length, d->words[TL_SOURCE]);
        rule(d->symbols, length);
        if (!tl_corpus_append(corpus, source, write_words(d->symbols, length, d->words[TL_TARGET])))
            return false;
    }
    return true;
}

bool tl_corpus_toy(tl_corpus *corpus, const tl_toy_config *config) {
    if (tl_corpus_error(corpus)) return false;
    tl_toy_config c = config ? *config : (tl_toy_config){0};
    if (c.min_length == 0) c.min_length = 1;
    if (c.max_length == 0) c.max_length = c.min_length > 10 ? c.min_length : 10;
    if (c.symbols == 0) c.symbols = 20;
    if (!check(&corpus->error, &c)) return false;

    size_t longest = (size_t)c.max_length, word = sizeof "1000000";
    drawing d = {.symbols = malloc(longest * sizeof(int)),
                 .words = {malloc(longest * word), malloc(longest * word)}};
    tl_corpus_mark before = tl_corpus_mark_here(corpus);
    bool ok = d.symbols && d.words[0] && d.words[1];
    if (!ok)
        tl_error_set(&corpus->error, "toy corpus: out of memory for sentences of %ld symbols", c.max_length);
    ok = ok && append_all(corpus, &d, &c);
    if (!ok) tl_corpus_back_to(corpus, before);
    free(d.symbols);
    free(d.words[0]);
    free(d.words[1]);
    tl_table_free(&d.seen);
    return ok;
}
