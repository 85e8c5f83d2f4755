/* The captioner's command line, beyond what programs share (examples/program). */
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

/* Scores held-out pictures and others, and counts where the decoder looks, on standard output. False on failure, which is the
 * run's. */
bool evaluate(const settings *s, tl_run *run);

/* ---- show.c ---- */

enum { MOST_WORDS = 16 };

/* One picture, what the model says of it, and where it looked at each word. */
typedef struct sight {
    const char *scene, *truth; /* as a line of patches; its caption */
    tl_real patches[TL_PICTURE_PATCHES * TL_PICTURE_PATCH];
    long words;
    const char *word[MOST_WORDS]; /* that it has written */
    bool right;                   /* all of them */
    double share[MOST_WORDS][TL_PICTURE_PATCHES];
    int true_patch[MOST_WORDS]; /* of a right caption's colours and shapes; -1: none */
} sight;

/* Shows pictures first … first+count-1 of the scenes as the settings say. False on failure, which is the run's or the error's. */
bool show_scenes(const settings *s, tl_run *run, const tl_corpus *scenes, long first, long count,
                 tl_error *error);

/* ---- view.c, overlay.c ---- */

/* On standard output: in colours if that is a terminal that has them. */
void view(const sight *seen);
/* As an SVG, a panel for each word with the patches that it looked at; to free(). NULL when out of memory. */
char *overlay(const sight *seen, size_t *size);

#endif
