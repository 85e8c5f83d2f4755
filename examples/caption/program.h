/* The captioner's command line, besides what programs share (examples/program). */
#ifndef CAPTION_PROGRAM_H
#define CAPTION_PROGRAM_H

#include "../program/program.h"

struct settings {
    common common;
    long picture, count, wrong;
    long layer, head;
    const char *part, *scene, *svg;
};

extern const tl_option train_options[], evaluate_options[], show_options[], info_options[], demo_options[];

int command_evaluate(settings *s);
int command_show(settings *s);
int command_info(settings *s);
int command_demo(settings *s);

/* ---- evaluate.c ---- */

/* Scores held-out pictures and others, counts where the decoder attends, and prints both. False on failure: the run
 * has the error. */
bool evaluate(const settings *s, tl_run *run, tl_error *error);

/* ---- show.c ---- */

enum { MOST_WORDS = 16 };

/* One picture, the model's caption, and where it attended at each word. */
typedef struct sight {
    const char *scene, *truth; /* as a line of patches; its caption */
    tl_real patches[TL_PICTURE_PATCHES * TL_PICTURE_PATCH];
    long words;
    const char *word[MOST_WORDS]; /* words that the model has written */
    bool right;                   /* every word is right */
    double share[MOST_WORDS][TL_PICTURE_PATCHES];
    int true_patch[MOST_WORDS]; /* in a right caption, the patch that a colour or shape names; -1: none */
} sight;

/* Shows pictures first … first+count-1 of the scenes as the settings say. False on failure: the run or `error` has
 * the error. */
bool show_scenes(const settings *s, tl_run *run, const tl_corpus *scenes, long first, long count,
                 tl_error *error);

/* ---- view.c, overlay.c ---- */

/* Prints to standard output, in colours on a terminal that has them. */
void view(const sight *seen);
/* An SVG with a panel for each word; the caller frees it. NULL when out of memory. */
char *overlay(const sight *seen, size_t *size);

#endif
