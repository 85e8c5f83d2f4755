/* What the parts of the study share, and claims need not know. */
#ifndef STUDY_PARTS_H
#define STUDY_PARTS_H

#include "study.h"

struct study {
    budget budget;
    bool trial;                    /* try it out, on seeds that the study does not use */
    const char *out, *page, *data; /* folders of runs and numbers, of the pages, of corpora */
    long side_by_side;             /* processes at a time; 0: as many as processors */
    bool quiet;
    const claim *planning; /* the claim that is being planned */
    job **job;             /* [count] */
    long count, room;
    char **text; /* [texts] made by study_text */
    long texts, text_room;
    tl_error error;
};

/* ---- plan.c ---- */

long study_seeds(const study *s);
/* Adds the jobs of a claim; several claims may share a run. False, and s->error, on failure. */
bool study_plan(study *s, const claim *c);
void study_free(study *s);
/* Does its file exist? False, and an error, if the system does not tell. */
bool job_is_done(const job *j, tl_error *error);
/* All numbers of a claim whose jobs are done. False, and s->error, on failure. */
bool study_numbers(study *s, const claim *c, numbers *n);

/* ---- workers.c ---- */

/* Does the remaining jobs of the plan in parallel. Returns an exit status: 0; 1 after an error, which it has
 * reported; 130 when interrupted. */
int study_work(study *s);

/* ---- record.c: when, where and how long a claim was measured, for the page ---- */

#define RECORD_OF_ALL "all" /* name of the record of all claims, which counts each run once */
typedef struct record {     /* of one claim */
    char name[NAME_SIZE], budget[16], machine[128], build[64], date[16];
    long seeds;
    double core_seconds; /* of all its jobs, shared runs counted in full */
    double load;         /* the machine's load average, mean over the jobs */
} record;
/* Appends a line to the study's jobs.csv when a job is done. */
bool record_job(const study *s, const job *j, double began, double core_seconds, tl_error *error);
/* Makes the record of a claim from jobs.csv, or (NULL) of all claims that need no external data. */
bool record_of(study *s, const claim *c, record *r, tl_error *error);
/* Reads the record of a claim from a page's folder; false without an error if there is none. */
bool record_read(const char *folder, const char *name, record *r, tl_error *error);
bool record_write(const char *folder, const record *r, tl_error *error);

/* ---- picture.c ---- */

/* FOLDER/study/NAME.gp and, if gnuplot is there, NAME.svg. */
bool picture_draw(const claim *c, const numbers *n, const char *folder, tl_error *error);

/* ---- table.c ---- */

void table_print(const claim *c, const numbers *n, const finding *findings);

/* ---- page.c ---- */

/* Writes FOLDER/study.md and study.zh-CN.md from FOLDER/study/NAME.csv and record.csv only. */
bool page_write(const char *folder, tl_error *error);
/* the text of one of them; the caller frees it */
char *page_text(const char *folder, bool chinese, tl_error *error);
/* The part of a page about one claim's numbers, table and remarks; the caller frees it. NULL when out of memory. */
char *claim_text(const claim *c, const numbers *n, bool chinese);
/* A number as the terminal and the pages show it: three significant digits. */
char *number_text(double value, char to[32]);

#endif
