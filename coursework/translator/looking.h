/* What a student is asked about dL/dS of their own translator, and what comes out if one looks in another way than was asked. */
#ifndef COURSE_TRANSLATOR_LOOKING_H
#define COURSE_TRANSLATOR_LOOKING_H

#include "../marker/marking.h"

#include <tapeloom.h>

enum { TRANSLATOR_QUESTIONS = 3, TRANSLATOR_SLIPS = 18, TRANSLATOR_WORD = 64 };

/* One pair of sentences, held out from the student's own training, without a word that comes twice, so that two words name a
 * cell of a map. */
typedef struct translator_asked {
    char source[256], target[256];
    int layer;                  /* whose cross-attention, from 0 */
    int head;                   /* of questions 2 and 3, from 0 */
    char word[TRANSLATOR_WORD]; /* question 3: what the row writes */
} translator_asked;

/* An answer: 1: a head, a norm.   2: a value, and the words written and looked at.   3: a sum, a sum of absolute values. */
typedef struct translator_answer {
    double value[2];
    char word[2][TRANSLATOR_WORD];
    double scale;  /* of sums that are 0: what they are small beside */
    double within; /* as given: half a unit of the last digit, beside the number; 0: all digits */
} translator_answer;

/* In the order of bits; ends with {0}. */
extern const course_slip translator_slips[TRANSLATOR_SLIPS + 1];

/* What training a student's model with: of their number, so that everybody's model is another one. */
long translator_seed(const char *student);
/* Sizes and updates of everybody's model: what kit.mk gives `translate train`. Its texts are constants. */
tl_run_settings translator_settings(const char *student);
/* False, and a sentence, if there are no such sentences. */
bool translator_ask(translator_asked *asked, const char *student, tl_error *error);
void translator_print_asked(const translator_asked *asked, FILE *to);

/* The answer to question 0 … 2 from the run itself, with slips. False: they cannot be made here (a layer that is not there, a word
 * that is not in the sentence). */
bool translator_answer_of(tl_run *run, const translator_asked *asked, int question, unsigned slips,
                          translator_answer *answer);
/* Is part 0 or 1 of an answer as it should be? -1: both. Numbers within a hundredth. */
bool translator_agrees(int question, const translator_answer *given, const translator_answer *right,
                       int part);
/* All answers of a run: the right ones, and that of each slip where it shows. */
typedef struct translator_known {
    translator_answer right[TRANSLATOR_QUESTIONS], made[TRANSLATOR_QUESTIONS][TRANSLATOR_SLIPS];
    bool shows[TRANSLATOR_QUESTIONS][TRANSLATOR_SLIPS];
} translator_known;
/* False: not even the right ones can be made. */
bool translator_know(tl_run *run, const translator_asked *asked, translator_known *known);
/* The slip that a wrong answer equals, and a sentence; -1: none, or several that are not the same. */
int translator_diagnose(const translator_known *known, int question, const translator_answer *given,
                        char why[COURSE_WHY]);

/* Reads "1: …", "2: …", "3: …" of an answers.txt: how many of its parts question q has, 0: none. */
bool translator_read_answers(const char *path, translator_answer answer[TRANSLATOR_QUESTIONS],
                             bool given[TRANSLATOR_QUESTIONS]);

/* ---- model_marks.c ---- */

enum { TRANSLATOR_BLEU = 1, TRANSLATOR_ANSWERS = 2, TRANSLATOR_PROGRAM = 4 };
/* The checks of some of these parts, into marks that have none yet. */
void translator_mark_parts(course_marks *m, int parts, const char *folder, uint64_t seed,
                           const char *student);
void translator_mark(course_marks *m, const char *folder, uint64_t seed, const char *student);
void translator_tell(const char *student, FILE *to);

#endif
