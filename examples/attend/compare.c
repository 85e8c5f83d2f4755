/* attend compare: two models on the same sentences, head by head; and heads of one model or two over many sentences. */
#include "compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
const tl_option compare_options[] = {
    SUBJECT_ROWS,
    TL_OPTION_HEADING("and what it is compared with"),
    ROW("with", TEXT, compare.with, "DIR", "another run, of the same text and shape"),
    ROW("with-weights", TEXT, compare.with_weights, "best|last|average", "which of its weights; without --with of the same run"),
    ROW("with-fresh", FLAG, compare.with_fresh, NULL, "its weights as they were before training"),
    TL_OPTION_HEADING("on one sentence, or on a test set"),
    SENTENCE_ROWS,
    SET_ROWS,
    TL_OPTION_HEADING("what is told"),
    ROW("by", TEXT, compare.by, "divergence|absolute",
        "which heads differ most: Jensen-Shannon divergence of rows, or mean difference of weights"),
    ROW("top", LONG, compare.top, "N", "so many heads, or sentences of --extreme (0: all heads, 5 sentences)"),
    ROW("maps", LONG, compare.maps, "N", "of one sentence: maps of the N heads that differ most"),
    ROW("offsets", LONG, compare.offsets, "N",
        "instead: what each head gives to the token so many places away, -N to N, mean over the test set"),
    ROW("extreme", TEXT, compare.extreme, "ATTENTION.HEAD",
        "instead: sentences of the test set in which this head (decoder.layers.1.cross.2) is most extreme"),
    ROW("statistic", TEXT, compare.statistic, "entropy|largest|first|last|same|previous|next|distance",
        "in what: how widely it looks, its largest weight, the weight on a token, how far away it looks"),
    ROW("lowest", FLAG, compare.lowest, NULL, "those with the least of it, instead of the most"),
    TL_OPTION_HEADING("files"),
    ROW("csv", TEXT, compare.csv, "FILE", "a row a pair, a head, an offset or a sentence"),
    ROW("svg", TEXT, compare.svg, "FILE", "of --offsets: a picture"),
    COMMON_ROWS,
    TL_OPTIONS_END};
/* clang-format on */

/* ---- both models ---- */

static tl_run *open_other(const settings *s) {
    settings other = *s;
    other.fresh = s->compare.with_fresh;
    if (s->compare.with) other.common.model = s->compare.with, other.pair = NULL;
    if (s->compare.with_weights) other.common.weights = s->compare.with_weights;
    return open_subject(&other);
}

static bool has_other(const settings *s) {
    return s->compare.with || s->compare.with_weights || s->compare.with_fresh;
}

static const char *weights_text(const settings *s, const char *weights, bool fresh) {
    return fresh || s->pair ? "before training" : weights ? weights : "best";
}

static void say_models(const comparing *c) {
    const settings *s = c->s;
    const char *with = s->compare.with ? s->compare.with : s->common.model;
    print_name("A is ", s->pair ? "a fresh model" : s->common.model, "");
    printf(" (%s)", weights_text(s, s->common.weights, s->fresh));
    if (c->run[1]) {
        print_name(", B is ", with, "");
        printf(" (%s)", s->compare.with_fresh     ? "before training"
                        : s->compare.with_weights ? s->compare.with_weights
                                                  : s->common.weights);
    }
    puts("");
    if (c->run[1] &&
        tl_run_settings_of(c->run[0])->training.seed != tl_run_settings_of(c->run[1])->training.seed)
        puts("They began with different seeds: which head has which number is chance.");
}

/* Takes over the error of either run. */
static bool failed(const comparing *c, tl_error *error) {
    for (int m = 0; m < models_of(c); m++)
        if (tl_run_error(c->run[m])) return tl_error_set(error, "%s", tl_run_error(c->run[m])), true;
    return false;
}

bool look_both(const comparing *c, const tl_batch *batch, tl_seen seen[2], tl_error *error) {
    for (int m = 0; m < models_of(c); m++)
        if (!tl_look(tl_run_model(c->run[m]), tl_run_tape(c->run[m]), batch,
                     &(tl_look_options){.no_grad = true}, &seen[m]))
            return failed(c, error) && false;
    return true;
}

bool look_at_set(comparing *c, each_seen *each, void *context, tl_error *error) {
    c->set = open_set(c->s, c->run[0]);
    if (!c->set) return failed(c, error) && false;
    bar b;
    tl_batch batch;
    bool ok = true;
    long done = 0;
    bar_begin(&b, c->s, NULL, "sentence");
    bar_step(&b, 0, tl_set_count(c->set));
    while (ok && tl_set_next(c->set, &batch)) {
        tl_seen seen[2];
        ok = look_both(c, &batch, seen, error) && each(context, &batch, seen, error);
        bar_step(&b, done += batch.sentences, tl_set_count(c->set));
    }
    bar_end(&b);
    return ok && !failed(c, error);
}

/* ---- heads ---- */

static void print_heads(const comparing *c, const tl_comparison *heads, const long *order) {
    const long count = tl_comparison_count(heads), most = c->s->compare.top;
    printf("\n%-28s %s  %10s  %10s  %8s  %9s  %9s\n", "", "head", "divergence", "mean |B-A|", "largest",
           "entropy A", "entropy B");
    for (long n = 0; n < count && (!most || n < most); n++) {
        const tl_head_difference d = tl_comparison_head(heads, order[n]);
        if (d.rows > 0)
            printf("%-28s %4d  %10.4f  %10.4f  %8.4f  %9.4f  %9.4f\n", d.attention, d.head, d.divergence,
                   d.absolute, d.largest, d.entropy[0], d.entropy[1]);
    }
    double most_of_all = 0;
    for (long n = 0; n < count; n++) most_of_all = fmax(most_of_all, tl_comparison_head(heads, n).largest);
    if (most_of_all == 0) puts("All weights of both are the same, to the bit.");
    puts("Divergence: Jensen-Shannon, mean over rows, in nats: 0 where rows are equal, 0.6931 where they "
         "share no token.");
}

static tl_comparison_by by_of(const settings *s) {
    return !strcmp(s->compare.by, "absolute") ? TL_BY_ABSOLUTE : TL_BY_DIVERGENCE;
}

static long *order_of(const comparing *c, const tl_comparison *heads) {
    long *order = calloc((size_t)tl_comparison_count(heads) + 1, sizeof *order);
    if (order) tl_comparison_order(heads, by_of(c->s), order);
    return order;
}

static bool write_heads(const comparing *c, const tl_comparison *heads, const long *order, tl_error *error) {
    static const char *const columns[] = {"attention", "head",    "rows",      "divergence",
                                          "absolute",  "largest", "entropy_a", "entropy_b"};
    if (!c->s->compare.csv) return true;
    tl_csv *csv = tl_csv_table(c->s->compare.csv, columns, sizeof columns / sizeof *columns, error);
    for (long n = 0; csv && n < tl_comparison_count(heads); n++) {
        const tl_head_difference d = tl_comparison_head(heads, order[n]);
        if (!(d.rows > 0)) continue;
        tl_csv_text(csv, d.attention);
        tl_csv_long(csv, d.head);
        tl_csv_double(csv, d.rows);
        tl_csv_double(csv, d.divergence);
        tl_csv_double(csv, d.absolute);
        tl_csv_double(csv, d.largest);
        tl_csv_double(csv, d.entropy[0]);
        tl_csv_double(csv, d.entropy[1]);
        tl_csv_end_row(csv);
    }
    return csv && tl_csv_close(csv, error);
}

static bool add_batch(void *heads, const tl_batch *batch, const tl_seen seen[2], tl_error *error) {
    (void)batch;
    return tl_comparison_add(heads, &seen[0], &seen[1]) ||
           tl_error_set(error, "what the two models have seen is of different shapes");
}

static bool compare_on_set(comparing *c, tl_comparison *heads, tl_error *error) {
    if (!look_at_set(c, add_batch, heads, error)) return false;
    long *order = order_of(c, heads);
    if (!order) return tl_error_set(error, "out of memory for a table");
    printf("On %ld sentences: %s\n", tl_set_count(c->set), tl_set_name(c->set));
    print_heads(c, heads, order);
    const bool ok = write_heads(c, heads, order, error);
    free(order);
    return ok;
}

/* ---- one sentence ---- */

static bool compare_on_sentence(comparing *c, tl_comparison *heads, tl_error *error) {
    tl_sentences sentences = {0};
    tl_seen seen[2];
    bool ok = read_sentence(c->s, c->run[0], &sentences) && look_both(c, &sentences.batch, seen, error) &&
              add_batch(heads, &sentences.batch, seen, error);
    long *order = ok ? order_of(c, heads) : NULL;
    if (ok && !order) ok = tl_error_set(error, "out of memory for a table");
    if (ok) {
        const tl_sentence *one = &sentences.sentence[0];
        if (one->source) print_line("source  ", one->source, "\n");
        if (one->target) print_line(one->own ? "A says  " : "target  ", one->target, "\n");
        print_heads(c, heads, order);
        for (long n = 0; n < c->s->compare.maps && n < tl_comparison_count(heads); n++) {
            const tl_head_difference d = tl_comparison_head(heads, order[n]);
            if (d.rows > 0 && d.largest > 0) compare_maps(seen, one, &d);
        }
        ok = write_cells(c, seen, one, error);
    }
    failed(c, error);
    free(order);
    tl_sentences_free(&sentences);
    return ok;
}

/* ---- the command ---- */

static bool compare_heads(comparing *c, tl_error *error) {
    const settings *s = c->s;
    tl_comparison *heads = tl_comparison_new(tl_run_model(c->run[0]));
    if (!heads) return tl_error_set(error, "out of memory for a table");
    const bool ok =
        s->test || s->most ? compare_on_set(c, heads, error) : compare_on_sentence(c, heads, error);
    tl_comparison_free(heads);
    return ok;
}

static int check_settings(const settings *s) {
    if (s->compare.offsets && s->compare.extreme)
        return usage_with("compare", "--offsets and --extreme are two things: ask for one");
    if (!s->compare.offsets && !s->compare.extreme && !has_other(s))
        return usage_with("compare", "compared with what? Give --with DIR, --with-weights or --with-fresh");
    if ((s->compare.offsets || s->compare.extreme || s->test || s->most) && (s->source || s->target))
        return usage_with(
            "compare",
            "--offsets, --extreme, --test and --most are of a test set: leave out --source and --target");
    if (s->compare.svg && !s->compare.offsets)
        return usage_with("compare", "--svg draws --offsets: give them, too");
    if ((s->compare.statistic || s->compare.lowest) && !s->compare.extreme)
        return usage_with("compare", "--statistic and --lowest are of --extreme: give it, too");
    if (s->compare.with_fresh && s->compare.with_weights)
        return usage_with("compare", "--with-fresh says which weights: leave out --with-weights");
    if (s->pair && !s->compare.with && has_other(s))
        return usage_with("compare", "--pair is a model without a run: compare it with one by --with DIR");
    return 0;
}

int command_compare(settings *s) {
    tl_error error = {""};
    const int status = check_settings(s);
    if (status) return status;
    const settings asked = *s; /* opening the first run writes its choice of weights into s */
    comparing c = {.s = &asked};
    c.run[0] = open_subject(s);
    if (c.run[0] && has_other(s)) c.run[1] = open_other(&asked);
    bool ok = c.run[0] && (c.run[1] || !has_other(s));
    if (!ok) return tl_run_free(c.run[0]), 1;
    if (c.run[1]) ok = tl_comparable(c.run[0], c.run[1], &error);
    if (ok) {
        say_models(&c);
        s->compare.offsets   ? compare_offsets(&c, &error)
        : s->compare.extreme ? compare_extreme(&c, &error)
                             : compare_heads(&c, &error);
    }
    const int end = status_of(c.run[0], &error);
    tl_set_free(c.set);
    tl_run_free(c.run[0]);
    tl_run_free(c.run[1]);
    return end;
}
