/* Tables of labels: a line each with precision and recall, and the confusion matrix.
 *
 *     label    texts     said  precision    recall        F1
 *     right      494      521     90.4 %    95.3 %    92.8 %
 *     wrong      506      479     95.2 %    90.1 %    92.6 %
 *
 *     taken for    right  wrong
 *           right    471     23
 *           wrong     50    456
 */
#include "program.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_COLUMNS = 20, WIDEST = 100, MOST_PAIRS = 10 };

static void pad(long columns) {
    while (columns-- > 0) putchar(' ');
}

static void print_share(double share) {
    if (isnan(share))
        printf("       –  ");
    else
        printf("  %6.1f %%", 100 * share);
}

static long widest(char *const *names, long count, long least) {
    for (long i = 0; i < count; i++)
        if (tl_text_columns(names[i]) > least) least = tl_text_columns(names[i]);
    return least;
}

static void print_scores(char *const *names, const tl_confusion *c) {
    const long left = widest(names, c->classes, 5);
    printf("label");
    pad(left - 5);
    printf("    texts     said  precision    recall        F1\n");
    for (long i = 0; i < c->classes; i++) {
        const tl_class_score s = tl_class_score_of(c, i);
        fputs(names[i], stdout);
        pad(left - tl_text_columns(names[i]));
        printf("  %7ld  %7ld ", s.texts, s.said);
        print_share(s.precision), print_share(s.recall), print_share(s.f1);
        printf("\n");
    }
}

static void print_cell(long value, long width) {
    char text[32] = "·"; /* a dot for 0, so that mistakes stand out */
    if (value) snprintf(text, sizeof text, "%ld", value);
    pad(width - tl_text_columns(text));
    fputs(text, stdout);
}

static long widest_count(const tl_confusion *c) {
    long most = c->classes;
    for (long i = 0; i < c->classes * c->classes; i++)
        if (c->count[i] > most) most = c->count[i];
    return snprintf(NULL, 0, "%ld", most);
}

/* Rows are the true labels, columns the predicted ones; columns are numbered if names do not fit. */
static void print_table(char *const *names, const tl_confusion *c) {
    const long left = widest(names, c->classes, 5), column = widest(names, c->classes, 4) + 2;
    const bool named = left + 6 + column * c->classes <= WIDEST;
    const long width = named ? column : widest_count(c) + 2;
    printf("\ntaken for");
    pad(left + 6 - 9);
    for (long k = 0; k < c->classes; k++)
        if (named)
            pad(width - tl_text_columns(names[k])), fputs(names[k], stdout);
        else
            print_cell(k + 1, width);
    printf("\n");
    for (long i = 0; i < c->classes; i++) {
        if (named)
            pad(6);
        else
            print_cell(i + 1, 4), pad(2);
        fputs(names[i], stdout);
        pad(left - tl_text_columns(names[i]));
        for (long k = 0; k < c->classes; k++) print_cell(c->count[i * c->classes + k], width);
        printf("\n");
    }
}

typedef struct mistake {
    long count, is, said;
} mistake;

static int by_count(const void *a, const void *b) {
    const mistake *x = a, *y = b;
    if (x->count != y->count) return x->count < y->count ? 1 : -1;
    return x->is != y->is ? (x->is > y->is) - (x->is < y->is) : (x->said > y->said) - (x->said < y->said);
}

/* With too many labels for a table: the most frequent mistakes. */
static void print_mistakes(char *const *names, const tl_confusion *c) {
    mistake *all = malloc((size_t)(c->classes * c->classes) * sizeof *all);
    long count = 0;
    lack_memory(!all);
    for (long i = 0; all && i < c->classes; i++)
        for (long k = 0; k < c->classes; k++)
            if (i != k && c->count[i * c->classes + k])
                all[count++] = (mistake){c->count[i * c->classes + k], i, k};
    if (count) qsort(all, (size_t)count, sizeof *all, by_count);
    if (count) printf("\nmistaken most often\n");
    for (long m = 0; m < count && m < MOST_PAIRS; m++)
        printf("  %7ld  %s for %s\n", all[m].count, names[all[m].is], names[all[m].said]);
    free(all);
}

void print_confusion(const tl_labels *labels, const tl_confusion *c) {
    char **names = calloc((size_t)c->classes + 1, sizeof *names);
    bool ok = names != NULL;
    for (long i = 0; ok && i < c->classes; i++) ok = (names[i] = tl_shown_text(tl_labels_name(labels, i)));
    if (!lack_memory(!ok)) {
        print_scores(names, c);
        c->classes <= MOST_COLUMNS ? print_table(names, c) : print_mistakes(names, c);
    }
    for (long i = 0; names && i < c->classes; i++) free(names[i]);
    free(names);
}
