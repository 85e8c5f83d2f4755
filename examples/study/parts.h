/* What the parts of the study share that claims need not know. */
#ifndef STUDY_PARTS_H
#define STUDY_PARTS_H

#include "study.h"

struct study {
    budget budget;
    bool trial;                    /* on seeds that the study does not use */
    const char *out, *page, *data; /* folders: of runs and numbers; of the pages; of corpora */
    long side_by_side;             /* processes; 0: as many as processors */
    bool quiet;
    const claim *planning; /* whose plan is being made */
    job **job;             /* [count] */
    long count, room;
    char **text; /* [texts] study_text's */
    long texts, text_room;
    tl_error error;
};

/* ---- plan.c ---- */

long study_seeds(const study *s);
/* Adds the jobs of a claim; plans of several claims share their runs. False, and s->error, on failure. */
bool study_plan(study *s, const claim *c);
void study_free(study *s);
bool job_is_done(const job *j); /* its file is there */
/* All that was measured of a claim that is planned. False, without an error, if something is not measured yet. */
bool study_numbers(study *s, const claim *c, numbers *n);

/* ---- workers.c ---- */

/* Does what is left of the plan, side by side. An exit status: 0, 1 after an error that it has told, 130 when interrupted. */
int study_work(study *s);

/* ---- record.c: when, where and how long, for the page ---- */

#define RECORD_OF_ALL "all" /* the name of the record of all claims together, in which a run counts once */
typedef struct record {     /* of one claim */
    char name[NAME_SIZE], budget[16], machine[128], build[64], date[16];
    long seeds;
    double core_seconds; /* of all its jobs, runs that it shares counted whole */
    double load;         /* of the machine meanwhile, its mean over jobs: processes that ran or wanted to */
} record;
/* A line behind jobs.csv of the study, once a job is done. */
bool record_job(const study *s, const job *j, double began, double core_seconds, tl_error *error);
/* Out of jobs.csv, of a claim or (NULL) of all that need no data of others. */
bool record_of(study *s, const claim *c, record *r, tl_error *error);
/* The record of a claim in a page's folder; false without an error if there is none. */
bool record_read(const char *folder, const char *name, record *r, tl_error *error);
bool record_write(const char *folder, const record *r, tl_error *error);

/* ---- picture.c ---- */

/* FOLDER/study/NAME.gp and, if gnuplot is there, NAME.svg. */
bool picture_draw(const claim *c, const numbers *n, const char *folder, tl_error *error);

/* ---- table.c ---- */

void table_print(const claim *c, const numbers *n, const finding *findings);

/* ---- page.c ---- */

/* FOLDER/study.md and study.zh-CN.md, out of FOLDER/study/NAME.csv and record.csv alone. */
bool page_write(const char *folder, tl_error *error);
char *page_text(const char *folder, bool chinese, tl_error *error); /* one of them, to free() */
/* What stands there of one claim's numbers: table and remarks; to free(), NULL when out of memory. */
char *claim_text(const claim *c, const numbers *n, bool chinese);
/* A number as both say it: three digits that count. */
char *number_text(double value, char to[32]);

#endif
