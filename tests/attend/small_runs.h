/* Runs to look at: two translators that have been trained briefly, in $D/one and $D/two. Include before
 * translate/program.h; defines PROGRAM "attend". */
#ifndef TL_TESTS_SMALL_RUNS_H
#define TL_TESTS_SMALL_RUNS_H

#include "trials.h"

#define TRAINED                                                                                            \
 " --pair en-fr --sentences 2000 --preset toy --d-model 16 --heads 2 --layers 2 --d-ff 16 --batch-tokens " \
 "200 "                                                                                                    \
 "--lr 0.01 --warmup 2 --steps 20 --validate-every 10 --average 2 --quiet --threads 1 "

/* $B: the folder of programs. Made once for all tests, in the folder around theirs. */
static inline void make_runs(void) {
    char folder[1024];
    snprintf(folder, sizeof folder, "%s", build_folder());
    setenv("B", folder, 1);
    setenv("R", all.folder, 1);
    sh("test -d $R/one || $B/translate train --out $R/one" TRAINED "--seed 7");
    sh("test -d $R/two || $B/translate train --out $R/two" TRAINED "--seed 8 --pre-norm");
    sh("ln -s $R/one $D/one; ln -s $R/two $D/two");
}

/* Makes runs of the other programs: $D/lm, $D/classify with [CLS], $D/caption. */
static inline void make_other_runs(void) {
    sh("$B/lm train --made en --units words --lines --sentences 2000 --preset toy --layers 1 --steps 3 "
       "--validate-every 0 "
       "--out $D/lm --quiet --threads 1");
    sh("$B/classify train --made agreement --sentences 100 --d-model 16 --heads 2 --layers 1 --steps 3 "
       "--validate-every 0 --out "
       "$D/classify --quiet --threads 1");
    sh("$B/caption train --out $D/caption --pictures 40 --batch 16 --d-model 16 --heads 2 --encoder-layers 1 "
       "--decoder-layers 1 "
       "--steps 2 --validate-every 0 --quiet --threads 1");
}

/* Trials of the options of commands that look at one sentence of a run, with $D/one. */
/* clang-format off */
#define SUBJECT_TRIALS \
    {"model", "$D/two", CHANGES, NULL}, \
    {"weights", "average", CHANGES, NULL}, \
    {"fresh", NULL, CHANGES, NULL}, \
    {"pair", "en-fr", CHANGES, NULL}, \
    {"source", "'the girl does not sleep .'", CHANGES, NULL}, \
    {"threads", "2", SAME, NULL}, \
    {"quiet", NULL, SAME, NULL}
/* clang-format on */

/* The number after a text in the last command's output. */
static inline double number_behind(const char *text) {
    const char *at = strstr(out, text);
    ck_assert_msg(at != NULL, "\"%s\" is not in:\n%s", text, out);
    return strtod(at + strlen(text), NULL);
}

/* Column `column` of row `row` (0: the header) of a CSV in the test's folder; valid for one more call. */
static inline const char *cell_of(const char *file, int row, int column) {
    static char cell[2][256];
    static int next;
    char *text = get_file(in_folder(file), NULL), *at = text;
    next = !next;
    while (row-- > 0) {
        at = strchr(at, '\n');
        ck_assert_msg(at != NULL, "%s has fewer rows", file);
        at++;
    }
    while (column-- > 0) {
        at = strchr(at, ',');
        ck_assert_msg(at != NULL, "%s has fewer columns", file);
        at++;
    }
    snprintf(cell[next], sizeof cell[next], "%.*s", (int)strcspn(at, ",\n"), at);
    free(text);
    return cell[next];
}
static inline double value_of(const char *file, int row, int column) {
    return strtod(cell_of(file, row, column), NULL);
}

#endif
