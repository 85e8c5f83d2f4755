/* Task 9: a translator of the student's own: its place in the course, its predictions and the worked example.
 * Questions and marks are in files of their own. */
#include "looking.h"

#include <math.h>

/* ---- the worked example: two rows of weights and of dL/dA ---- */

enum { ROWS = 2, KEYS = 3 };
static const double weights[ROWS][KEYS] = {{0.5, 0.25, 0.25}, {0.2, 0.8, 0}};
static const double weight_grads[ROWS][KEYS] = {{2, -2, 0}, {1, -1, 3}};

/* dS = A·(dA - sum of A·dA) for one row; returns that sum. */
static double score_grads(const double *a, const double *da, double *ds) {
    double dot = 0;
    for (int j = 0; j < KEYS; j++) dot += a[j] * da[j];
    for (int j = 0; j < KEYS; j++) ds[j] = a[j] * (da[j] - dot);
    return dot;
}

static void example(FILE *to) {
    double ds[ROWS][KEYS], squares = 0, largest = 0;
    int row = 0, key = 0;
    for (int i = 0; i < ROWS; i++) {
        double sum = 0, absolute = 0;
        fprintf(to, "A[%d]     %7.3f %7.3f %7.3f\n", i, weights[i][0], weights[i][1], weights[i][2]);
        fprintf(to, "dL/dA[%d] %7.3f %7.3f %7.3f\n", i, weight_grads[i][0], weight_grads[i][1],
                weight_grads[i][2]);
        fprintf(to, "  sum of A·dL/dA = %.3f\n", score_grads(weights[i], weight_grads[i], ds[i]));
        for (int j = 0; j < KEYS; j++) {
            sum += ds[i][j], absolute += fabs(ds[i][j]), squares += ds[i][j] * ds[i][j];
            if (fabs(ds[i][j]) > fabs(largest)) largest = ds[i][j], row = i, key = j;
        }
        fprintf(to, "dL/dS[%d] %7.3f %7.3f %7.3f    sum %.3f, of absolute values %.3f\n\n", i, ds[i][0],
                ds[i][1], ds[i][2], fabs(sum) < 1e-12 ? 0 : sum, absolute);
    }
    fprintf(to, "Frobenius norm %.4f; largest absolute value: %.3f, row %d, key %d\n", sqrt(squares), largest,
            row, key);
}

extern const course_task course_task_translator;
const course_task course_task_translator = {
    .number = 9,
    .name = "translator",
    .title = "A translator of one's own",
    .hours = 6,
    .questions = {{"A row of dL/dS sums to 0. What share of the sum of its absolute values can lie on one "
                   "key at most?",
                   0.5, 0.005},
                  {"A head gives one word the weight 0.9; dL/dA is 1 there and 0 elsewhere. What is dL/dS of "
                   "that word?",
                   0.09, 0.0005}},
    .example = example,
    .mark_folder = translator_mark,
    .tell = translator_tell};
