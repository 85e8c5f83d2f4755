/* Between the files of the lecturer's run (marker --all): compiling what students handed in, looking at it before it is run,
 * marking it, and comparing students' texts. A student's file is foreign: it is read as bytes, compiled under limits, refused with a
 * sentence if it reaches for what no task needs, and run in a process of its own (child.c). */
#ifndef COURSE_LECTURING_H
#define COURSE_LECTURING_H

#include "marking.h"

enum { COURSE_PATH = 4096, COURSE_FILE_MOST = 1 << 20 /* bytes of a student's file */ };

/* ---- tool.c: a compiler or objdump, under limits ---- */

typedef struct course_args { /* an argv; what does not fit fails course_tool */
    char *at[96], *text;
    int count;
    size_t used, room;
    bool full;
} course_args;
/* Adds one argument. */
void course_arg(course_args *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Adds a text's words ("gcc -m64"). */
void course_arg_words(course_args *a, const char *words);
void course_args_free(course_args *a);

/* Runs it in `folder`; what it prints goes into the files out and err of that folder. Its exit status; -1 if it could not be
 * started, -2 if it took too much time or memory. */
int course_tool(course_args *a, const char *folder);
/* Text of a file in a folder, to be freed; "" if there is none. */
char *course_tool_text(const char *folder, const char *name);

/* ---- tokens.c: C as a compiler's first phases see it ---- */

typedef enum course_lexeme { COURSE_WORD, COURSE_NUMBER, COURSE_STRING, COURSE_MARK } course_lexeme;
typedef struct course_token {
    const char *at;
    int length, line;
    course_lexeme kind;
    bool first; /* of its line */
} course_token;
typedef struct course_tokens {
    char *text; /* with trigraphs and spliced lines resolved */
    course_token *token;
    long count;
} course_tokens;
/* Comments and blanks are gone. False: out of memory. */
bool course_tokens_of(course_tokens *t, const char *text, size_t size);
bool course_token_is(const course_token *t, const char *word);
void course_tokens_free(course_tokens *t);

/* ---- symbols.c: what a file may contain, call and define ---- */

/* Of the source: no lines that say where they come from, no reserved names or words of C defined anew, no asm. */
bool course_source_is_fine(const char *text, size_t size, char why[COURSE_WHY]);
/* After the preprocessor: no asm in what comes from the file `own`. */
bool course_preprocessed_is_fine(const char *text, const char *own, char why[COURSE_WHY]);
typedef struct course_names {
    char name[256][128];
    int count;
} course_names;
bool course_names_has(const course_names *names, const char *name);
/* Global symbols of the course's own starter: what a student's files define, no more and no less; and what they may use besides what
 * is allowed to all. */
typedef struct course_asked {
    course_names defined, used;
} course_asked;
/* listing: what objdump -h -t -d says of an object. Adds its global symbols. */
void course_names_of(const char *listing, course_asked *names);
/* May such an object be linked and run? Adds what it defines to `all`. */
bool course_object_is_fine(const char *listing, const course_task *task, int tier, const course_asked *asked,
                           course_names *all, char why[COURSE_WHY]);
/* Has `all` everything that is asked? */
bool course_names_hold(const course_names *all, const course_names *asked, char why[COURSE_WHY]);
/* May a file of that tier call it? (allowed.c) */
bool course_may_call(const char *name, const course_task *task, int tier);

/* ---- workshop.c ---- */

typedef struct course_workshop { /* where everything is; absolute paths */
    const char *cc;              /* may hold flags */
    char kit[COURSE_PATH]; /* a folder that make coursework has written; "": the repository's coursework/ */
    char coursework[COURSE_PATH], include[COURSE_PATH], library[COURSE_PATH]; /* library "": no tier 2 */
    char folder[COURSE_PATH];                                                 /* for what is made once */
    char link_flags[64];                                                      /* of tier 2 */
    bool sanitized;                                                           /* the library is */
} course_workshop;
/* Finds the parts. kit, tapeloom: NULL, the repository that the marker is started in. False with a sentence. */
bool course_workshop_open(course_workshop *w, const char *cc, const char *kit, const char *tapeloom,
                          char why[COURSE_WHY]);
void course_workshop_link(course_workshop *w); /* finds link_flags of the library; open has done so */
void course_workshop_close(course_workshop *w);

/* Compiles what does not depend on the student, once a task and tier, and lists the headers that may be included. */
bool course_workshop_prepare(const course_workshop *w, const course_task *task, int tier,
                             char why[COURSE_WHY]);
/* Number i of a tier's files: softmax.c; softmax_op.c, and X_op.c for another operation X. False: there are not so many. */
bool course_file_name(const course_workshop *w, const course_task *task, int tier, int i, char name[128]);
enum { COURSE_FILES = 8 }; /* at most */
/* The text of a file as students get it: what is between the marks is taken out. To be freed; NULL if there is none. */
char *course_starter(const course_workshop *w, const course_task *task, const char *name);
/* Flags of every file of a task; where its own parts lie; a tool that must succeed, or a sentence. */
void course_flags(course_args *a, const course_workshop *w, const course_task *task, int tier, int level);
void course_task_folder(const course_workshop *w, const course_task *task, int tier,
                        char to[2 * COURSE_PATH]);
bool course_tool_done(course_args *a, const char *folder, const char *what, char why[COURSE_WHY]);

/* ---- compile.c ---- */

/* What the starters' objects define and use, once a task and tier: goes into that folder. False with a sentence. */
bool course_note_asked(const course_workshop *w, const course_task *task, int tier, char why[COURSE_WHY]);

/* A tier's files from the folder `theirs` (a starter in the place of one that is not there), checked, compiled at -O2 and -O0 and
 * linked: folder/run-2 and folder/run-0. False with a sentence that goes on after "not run: ". */
bool course_build(const course_workshop *w, const course_task *task, int tier, const char *theirs,
                  const char *folder, char why[COURSE_WHY]);

/* ---- all.c ---- */

typedef struct course_sheet { /* what a student handed in for a task and tier */
    char student[256];
    const course_task *task;
    int tier;
    char folder[COURSE_PATH]; /* that holds the files */
} course_sheet;
/* Reads a file that is one itself, no link to another's; to be freed. False: there is none. */
bool course_read_theirs(const char *folder, const char *name, char **text, size_t *size);

typedef struct course_result {
    double points, group[4]; /* forward, backward, invariants, robustness */
    char notes[2048];
} course_result;

/* A cell that others wrote: no terminal obeys it, and no spreadsheet takes it for a formula (= + - @ get a ' in front). */
struct tl_csv;
void course_put_cell(struct tl_csv *csv, const char *text);

/* main's branch for --all: the exit status. */
int course_all(int argc, char **argv);

/* ---- hall.c: who handed in what, and marking it side by side ---- */

/* All sheets below `folder`, sorted by student, task and tier; to be freed. task NULL, tier 0, student NULL: any. -1: cannot be read. */
long course_find_sheets(const course_workshop *w, const char *folder, const char *task, int tier,
                        const char *student, course_sheet **sheets, char why[COURSE_WHY]);
typedef struct course_exam {
    const course_workshop *shop;
    uint64_t seed;
    bool same_cases;
    course_limits limits;
    const char *json; /* folder; NULL: none */
    int jobs;
    volatile const int *stop; /* not 0: stop soon */
} course_exam;
/* Marks every sheet; results [count]. The same whatever jobs is. False if it was stopped. */
bool course_mark_sheets(const course_exam *e, const course_sheet *sheets, long count, course_result *results,
                        FILE *progress);
/* One of them, in `folder`, a new one. */
void course_mark_sheet(const course_exam *e, const course_sheet *sheet, const char *folder,
                       course_result *result);

/* ---- similarity.c ---- */

typedef struct course_prints { /* a text's fingerprints */
    uint32_t *code;            /* [length] what a token counts as; names are all one */
    bool *given;               /* [length] part of the starter */
    uint64_t *print;           /* sorted, each once */
    long prints;
    int *line;   /* [length] */
    long length; /* tokens that count */
} course_prints;
/* starter may be NULL. False: out of memory. */
bool course_prints_of(course_prints *p, const char *text, size_t size, const course_prints *starter);
void course_prints_free(course_prints *p);
/* Share of the smaller text's fingerprints that the other has, too; 0 for texts too short to tell. */
double course_alike(const course_prints *a, const course_prints *b);

typedef struct course_excerpt { /* lines, both included */
    int a_from, a_to, b_from, b_to;
} course_excerpt;
/* The two longest passages that both have; returns how many there are. */
int course_excerpts(const course_prints *a, const course_prints *b, course_excerpt most[2]);

#define COURSE_ALIKE 0.5 /* from here on a pair is worth a look */
/* Writes the table of pairs that are alike, and prints a summary. False with a sentence. */
bool course_similarity(const course_workshop *w, const course_sheet *sheets, long count, const char *path,
                       FILE *to, char why[COURSE_WHY]);

#endif
