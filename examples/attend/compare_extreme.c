/* attend compare --extreme: sentences of a test set, sorted by how one head behaves in them. */
#include "compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct extremes {
    const comparing *c;
    char attention[64];
    long head;
    tl_head_statistic statistic;
    double *value[2]; /* [sentences] for each model */
    long count;
} extremes;

/* Reads "decoder.layers.1.cross.2". If there is no such head, the error names one that exists. */
static bool read_head(extremes *e, tl_error *error) {
    const tl_model *model = tl_run_model(e->c->run[0]);
    const char *text = e->c->s->compare.extreme, *dot = strrchr(text, '.');
    const size_t name = dot ? (size_t)(dot - text) : 0;
    const bool number = dot && tl_long_parse(dot + 1, &e->head) && e->head >= 0;
    for (int k = 0; k < TL_ATTENTION_KINDS; k++)
        for (int l = 0; l < model->attentions[k]; l++) {
            tl_attention_name(model, (tl_attention_kind)k, l, e->attention);
            if (number && e->head < tl_model_heads(model, (tl_attention_kind)k, l) &&
                strlen(e->attention) == name && !strncmp(text, e->attention, name))
                return true;
        }
    if (!*e->attention) return tl_error_set(error, "the model has no attention to look at");
    char *shown = shown_text(text);
    tl_error_set(
        error,
        "--extreme %s: say an attention's name, a dot, and a head from 0 to %d, as in %s.0; attend list "
        "has all names",
        shown ? shown : "", model->heads - 1, e->attention);
    free(shown);
    return false;
}

/* False, and an error, if the attention has lost this head. */
static bool has_head(const extremes *e, const tl_seen_attention *a, tl_error *error) {
    return (a && e->head < a->heads) || tl_error_set(error, "%s has %ld heads: there is no head %ld",
                                                     e->attention, a ? a->heads : 0, e->head);
}

static bool add_batch(void *context, const tl_batch *batch, const tl_seen seen[2], tl_error *error) {
    extremes *e = context;
    for (int m = 0; m < models_of(e->c); m++) {
        const tl_seen_attention *a = tl_seen_of(&seen[m], e->attention);
        if (!has_head(e, a, error)) return false;
        for (long b = 0; b < batch->sentences; b++) {
            const long i = batch->index ? batch->index[b] : -1;
            if (i < 0 || i >= tl_set_count(e->c->set))
                return tl_error_set(error, "a batch names no sentence");
            if (!e->value[m]) {
                e->count = tl_set_count(e->c->set);
                e->value[m] = calloc((size_t)e->count + 1, sizeof *e->value[m]);
                if (!e->value[m]) return tl_error_set(error, "out of memory for %ld sentences", e->count);
                for (long n = 0; n < e->count; n++) e->value[m][n] = NAN;
            }
            e->value[m][i] = tl_head_value(&seen[m], a, e->statistic, b, e->head);
        }
    }
    return true;
}

/* ---- sorting ---- */

typedef struct place {
    double value;
    long sentence;
} place;

static int compare_places(const void *a, const void *b) {
    const place *x = a, *y = b;
    if (x->value != y->value) return x->value < y->value ? 1 : -1;
    return x->sentence < y->sentence ? -1 : 1;
}

/* With two models, sorts by their difference. Sentences without a value are left out; returns how many have one. */
static long sorted(const extremes *e, place *to) {
    long n = 0;
    for (long i = 0; i < e->count; i++) {
        const double value = e->value[1] ? e->value[1][i] - e->value[0][i] : e->value[0][i];
        if (isfinite(value)) to[n++] = (place){e->c->s->compare.lowest ? -value : value, i};
    }
    qsort(to, (size_t)n, sizeof *to, compare_places);
    return n;
}

static void print_sentences(const extremes *e, const place *places, long count) {
    const long most = e->c->s->compare.top ? e->c->s->compare.top : 5;
    double sum = 0;
    for (long n = 0; n < count; n++) sum += places[n].value;
    printf("%s, head %ld: %s\n", e->attention, e->head, tl_head_statistic_meaning(e->statistic));
    printf("Over %ld sentences (%s) the mean %s %.4f; %s first:\n", count, tl_set_name(e->c->set),
           e->value[1] ? "of B - A is" : "is",
           (e->c->s->compare.lowest ? -sum : sum) / (double)(count ? count : 1),
           e->c->s->compare.lowest ? "lowest" : "highest");
    for (long n = 0; n < count && n < most; n++) {
        const long i = places[n].sentence;
        printf("\n%8.4f", e->value[0][i]);
        if (e->value[1]) printf("  %8.4f  %+8.4f", e->value[1][i], e->value[1][i] - e->value[0][i]);
        const char *source = tl_set_source(e->c->set, i);
        if (source) print_line("  ", source, "\n");
        const char *target = tl_set_target(e->c->set, i);
        if (target)
            print_line(source ? e->value[1] ? "                              " : "          " : "  ", target,
                       "\n");
    }
}

static bool write_sentences(const extremes *e, const place *places, long count, tl_error *error) {
    const bool two = e->value[1] != NULL;
    const char *columns[6] = {"sentence", "a"};
    int wide = 2;
    if (two) columns[wide++] = "b", columns[wide++] = "difference";
    columns[wide++] = "source";
    columns[wide++] = "target";
    if (!e->c->s->compare.csv) return true;
    tl_csv *csv = tl_csv_table(e->c->s->compare.csv, columns, wide, error);
    for (long n = 0; csv && n < count; n++) {
        const long i = places[n].sentence;
        tl_csv_long(csv, i);
        tl_csv_double(csv, e->value[0][i]);
        if (two) tl_csv_double(csv, e->value[1][i]);
        if (two) tl_csv_double(csv, e->value[1][i] - e->value[0][i]);
        tl_csv_text(csv, tl_set_source(e->c->set, i));
        tl_csv_text(csv, tl_set_target(e->c->set, i));
        tl_csv_end_row(csv);
    }
    return csv && tl_csv_close(csv, error);
}

bool compare_extreme(comparing *c, tl_error *error) {
    extremes e = {.c = c};
    tl_head_statistic_of(c->s->compare.statistic ? c->s->compare.statistic : "entropy", &e.statistic);
    bool ok = read_head(&e, error) && look_at_set(c, add_batch, &e, error);
    place *places = ok ? calloc((size_t)e.count + 1, sizeof *places) : NULL;
    if (ok && !places) ok = tl_error_set(error, "out of memory for %ld sentences", e.count);
    if (ok) {
        const long count = sorted(&e, places);
        print_sentences(&e, places, count);
        ok = write_sentences(&e, places, count, error);
    }
    free(places);
    free(e.value[0]);
    free(e.value[1]);
    return ok;
}
