/* What the files of the lecturer's run (marker --all) share: compiling what students handed in, checking it before
 * it runs, marking it, and comparing students' texts. A student's file is foreign. It is read as bytes, compiled
 * under limits, refused with a sentence if it uses what no task needs, and run in a process of its own (child.c). */
#ifndef COURSE_LECTURING_H
#define COURSE_LECTURING_H

#include "marking.h"

enum { COURSE_PATH = 4096, COURSE_FILE_MOST = 1 << 20 /* bytes of a student's file */ };

/* ---- tool.c: a compiler or objdump, under limits ---- */

typedef struct course_args { /* an argv; if it overflows, course_tool fails */
    char *at[96], *text;
    int count;
    size_t used, room;
    bool full;
} course_args;
/* Adds one argument. */
void course_arg(course_args *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Adds the words of a text ("gcc -m64"). */
void course_arg_words(course_args *a, const char *words);
void course_args_free(course_args *a);

/* Runs the program in `folder`; its output goes to the files out and err there. Returns its exit status, -1 if it
 * could not be started, -2 if it took too much time or memory. */
int course_tool(course_args *a, const char *folder);
/* The text of a file in a folder, "" if there is none; the caller frees it. */
char *course_tool_text(const char *folder, const char *name);

/* ---- tokens.c: C after a compiler's first phases ---- */

typedef enum course_lexeme { COURSE_WORD, COURSE_NUMBER, COURSE_STRING, COURSE_MARK } course_lexeme;
typedef struct course_token {
    const char *at;
    int length, line;
    course_lexeme kind;
    bool first; /* is it the first of its line? */
} course_token;
typedef struct course_tokens {
    char *text; /* with trigraphs and spliced lines resolved */
    course_token *token;
    long count;
} course_tokens;
/* Cuts a text into tokens, without comments and blanks. False: out of memory. */
bool course_tokens_of(course_tokens *t, const char *text, size_t size);
bool course_token_is(const course_token *t, const char *word);
void course_tokens_free(course_tokens *t);

/* ---- symbols.c: what a file may contain, call and define ---- */

/* Checks the source: no #line directives, no redefined reserved names or words of C, no asm. */
bool course_source_is_fine(const char *text, size_t size, char why[COURSE_WHY]);
/* Checks the preprocessed text: no asm in what comes from the file `own`. */
bool course_preprocessed_is_fine(const char *text, const char *own, char why[COURSE_WHY]);
typedef struct course_names {
    char name[256][128];
    int count;
} course_names;
bool course_names_has(const course_names *names, const char *name);
/* Global symbols of the course's own starter: those that a student's files must define, and no others, and those that
 * they may use in addition to the lists in allowed.c. */
typedef struct course_asked {
    course_names defined, used;
} course_asked;
/* Reads a listing of an object by objdump -h -t -d, and adds its global symbols. */
void course_names_of(const char *listing, course_asked *names);
/* May such an object be linked and run? Adds the symbols that it defines to `all`. */
bool course_object_is_fine(const char *listing, const course_task *task, int tier, const course_asked *asked,
                           course_names *all, char why[COURSE_WHY]);
/* Does `all` define everything that must be defined? */
bool course_names_hold(const course_names *all, const course_names *asked, char why[COURSE_WHY]);
/* May a file of that tier call this function? (allowed.c) */
bool course_may_call(const char *name, const course_task *task, int tier);

/* ---- workshop.c ---- */

typedef struct course_workshop { /* absolute paths of all parts */
    const char *cc;              /* may hold flags */
    char kit[COURSE_PATH];       /* a folder made by make coursework; "": the repository's coursework/ */
    char coursework[COURSE_PATH], include[COURSE_PATH], library[COURSE_PATH]; /* library "": no tier 2 */
    char folder[COURSE_PATH]; /* folder of what is made once */
    char link_flags[64];      /* for tier 2 */
    bool sanitized;           /* is the library built with a sanitizer? */
} course_workshop;
/* Finds the parts. kit, tapeloom NULL: in the repository in which the marker was started. False with a sentence. */
bool course_workshop_open(course_workshop *w, const char *cc, const char *kit, const char *tapeloom,
                          char why[COURSE_WHY]);
void course_workshop_link(course_workshop *w); /* finds the library's link_flags; already done by open */
void course_workshop_close(course_workshop *w);

/* Compiles, once for each task and tier, what does not depend on the student, and lists the headers that may be
 * included. */
bool course_workshop_prepare(const course_workshop *w, const course_task *task, int tier,
                             char why[COURSE_WHY]);
/* The name of file i of a tier: softmax.c; softmax_op.c, and X_op.c for each further operation X. False if there are
 * fewer files. */
bool course_file_name(const course_workshop *w, const course_task *task, int tier, int i, char name[128]);
enum { COURSE_FILES = 8 }; /* the most files of a tier */
/* A file's text as students get it, without the solution between the marks; the caller frees it. NULL if there is
 * none. */
char *course_starter(const course_workshop *w, const course_task *task, const char *name);
/* Adds the compiler's flags for every file of a task. */
void course_flags(course_args *a, const course_workshop *w, const course_task *task, int tier, int level);
/* The folder of what is compiled once for a task and tier. */
void course_task_folder(const course_workshop *w, const course_task *task, int tier,
                        char to[2 * COURSE_PATH]);
/* Runs a tool that must succeed. False with a message. */
bool course_tool_done(course_args *a, const char *folder, const char *what, char why[COURSE_WHY]);

/* ---- compile.c ---- */

/* Lists the symbols that the starters' objects define and use, once for each task and tier. False with a message. */
bool course_note_asked(const course_workshop *w, const course_task *task, int tier, char why[COURSE_WHY]);

/* Takes a tier's files from the folder `theirs` (or the starter for a missing file), checks, compiles at -O2 and
 * -O0, and links them: folder/run-2 and folder/run-0. False with a sentence that continues "not run: ". */
bool course_build(const course_workshop *w, const course_task *task, int tier, const char *theirs,
                  const char *folder, char why[COURSE_WHY]);

/* ---- all.c ---- */

typedef struct course_sheet { /* what a student handed in for a task and tier */
    char student[256];
    const course_task *task;
    int tier;
    char folder[COURSE_PATH]; /* the folder with the files */
} course_sheet;
/* Reads a regular file, not a link; the caller frees its text. False: there is no such file. */
bool course_read_theirs(const char *folder, const char *name, char **text, size_t *size);

typedef struct course_result {
    double points, group[4]; /* forward, backward, invariants, robustness */
    char notes[2048];
} course_result;

/* Adds a cell with foreign text, made harmless for terminals and for spreadsheets (a text that begins with = + - @
 * gets a ' before it, so that it is no formula). */
struct tl_csv;
void course_put_cell(struct tl_csv *csv, const char *text);

/* marker --all: returns the exit status. */
int course_all(int argc, char **argv);

/* ---- hall.c: finding what was handed in, and marking it in parallel ---- */

/* Finds all sheets below `folder`, sorted by student, task and tier; the caller frees them. task NULL, tier 0,
 * student NULL: any. -1: the folder cannot be read. */
long course_find_sheets(const course_workshop *w, const char *folder, const char *task, int tier,
                        const char *student, course_sheet **sheets, char why[COURSE_WHY]);
typedef struct course_exam {
    const course_workshop *shop;
    uint64_t seed;
    bool same_cases;
    course_limits limits;
    const char *json; /* folder; NULL: none */
    int jobs;
    volatile const int *stop; /* not 0: stop as soon as possible */
} course_exam;
/* Marks every sheet into results [count], which do not depend on jobs. False if it was stopped. */
bool course_mark_sheets(const course_exam *e, const course_sheet *sheets, long count, course_result *results,
                        FILE *progress);
/* Marks one sheet, in the new folder `folder`. */
void course_mark_sheet(const course_exam *e, const course_sheet *sheet, const char *folder,
                       course_result *result);

/* ---- similarity.c ---- */

typedef struct course_prints { /* a text's fingerprints */
    uint32_t *code;            /* [length] a number for each token; all names have the same */
    bool *given;               /* [length] is the token part of the starter? */
    uint64_t *print;           /* sorted, each once */
    long prints;
    int *line;   /* [length] */
    long length; /* how many tokens count */
} course_prints;
/* starter may be NULL. False: out of memory. */
bool course_prints_of(course_prints *p, const char *text, size_t size, const course_prints *starter);
void course_prints_free(course_prints *p);
/* The share of the smaller text's fingerprints that the other text also has; 0 for texts that are too short. */
double course_alike(const course_prints *a, const course_prints *b);

typedef struct course_excerpt { /* lines, both included */
    int a_from, a_to, b_from, b_to;
} course_excerpt;
/* The two longest passages that both texts have; returns how many there are. */
int course_excerpts(const course_prints *a, const course_prints *b, course_excerpt most[2]);

#define COURSE_ALIKE 0.5 /* a pair at least this similar is listed */
/* Writes the table of similar pairs, and prints a summary. False with a sentence. */
bool course_similarity(const course_workshop *w, const course_sheet *sheets, long count, const char *path,
                       FILE *to, char why[COURSE_WHY]);

#endif
