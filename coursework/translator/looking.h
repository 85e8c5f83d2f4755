/* The questions about dL/dS of a student's own translator, and the answers of wrong ways to look. */
#ifndef COURSE_TRANSLATOR_LOOKING_H
#define COURSE_TRANSLATOR_LOOKING_H

#include "../marker/marking.h"

#include <tapeloom.h>

enum { TRANSLATOR_QUESTIONS = 3, TRANSLATOR_SLIPS = 18, TRANSLATOR_WORD = 64 };

/* A sentence pair held out from the student's own training. No word occurs twice, so two words identify a cell of a
 * map. */
typedef struct translator_asked {
    char source[256], target[256];
    int layer;                  /* the layer of cross-attention, from 0 */
    int head;                   /* for questions 2 and 3, from 0 */
    char word[TRANSLATOR_WORD]; /* question 3: the word that the row writes */
} translator_asked;

/* An answer. Question 1: a head, a norm. 2: a value, the word written and the word attended to. 3: a sum, a sum of
 * absolute values. */
typedef struct translator_answer {
    double value[2];
    char word[2][TRANSLATOR_WORD];
    double scale;  /* for a sum that should be 0: the size to compare it with */
    double within; /* relative precision of a given number: half a unit of its last digit; 0: exact */
} translator_answer;

/* In the order of bits; ended by {0}. */
extern const course_slip translator_slips[TRANSLATOR_SLIPS + 1];

/* The training seed of a student's model, from their number, so that every model is different. */
long translator_seed(const char *student);
/* Settings of every student's model: what kit.mk gives to `translate train`. Its texts are constants. */
tl_run_settings translator_settings(const char *student);
/* Draws the questions. False, and a sentence, if there is no suitable sentence pair. */
bool translator_ask(translator_asked *asked, const char *student, tl_error *error);
void translator_print_asked(const translator_asked *asked, FILE *to);

/* The answer to question 0 … 2 computed from the run, with slips. False: not possible here (a missing layer, a word
 * that is not in the sentence). */
bool translator_answer_of(tl_run *run, const translator_asked *asked, int question, unsigned slips,
                          translator_answer *answer);
/* Is part 0 or 1 of an answer right (-1: both)? Numbers may differ by a hundredth. */
bool translator_agrees(int question, const translator_answer *given, const translator_answer *right,
                       int part);
/* All answers of a run: the right ones, and that of each slip that shows. */
typedef struct translator_known {
    translator_answer right[TRANSLATOR_QUESTIONS], made[TRANSLATOR_QUESTIONS][TRANSLATOR_SLIPS];
    bool shows[TRANSLATOR_QUESTIONS][TRANSLATOR_SLIPS];
} translator_known;
/* False: not even the right answers can be computed. */
bool translator_know(tl_run *run, const translator_asked *asked, translator_known *known);
/* The slip that gives this wrong answer, and a sentence; -1: none, or several that differ. */
int translator_diagnose(const translator_known *known, int question, const translator_answer *given,
                        char why[COURSE_WHY]);

/* Reads "1: …", "2: …", "3: …" of an answers.txt; the result for question q is how many of its parts are there, 0:
 * none. */
bool translator_read_answers(const char *path, translator_answer answer[TRANSLATOR_QUESTIONS],
                             bool given[TRANSLATOR_QUESTIONS]);

/* ---- model_marks.c ---- */

enum { TRANSLATOR_BLEU = 1, TRANSLATOR_ANSWERS = 2, TRANSLATOR_PROGRAM = 4 };
/* Adds the checks of some of these parts to marks that have none yet. */
void translator_mark_parts(course_marks *m, int parts, const char *folder, uint64_t seed,
                           const char *student);
void translator_mark(course_marks *m, const char *folder, uint64_t seed, const char *student);
void translator_tell(const char *student, FILE *to);

#endif
