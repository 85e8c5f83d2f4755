/* The study: what textbooks claim about attention, measured.
 *
 * A claim is a file, claim_NAME.c. Before anything runs it says which runs it trains, what it measures of them, which differences it
 * looks at, by how much they must differ, and which way (rules). The rest is shared: runs are trained once, whoever needs them, side by
 * side in processes of one thread; what is measured becomes numbers; a rule's difference of each seed becomes an interval, and that a
 * verdict; numbers and verdicts become a table, a picture and two pages.
 *
 *     plan → jobs → numbers → findings → page
 *
 * Everything right of "jobs" is a function of numbers alone. */
#ifndef STUDY_H
#define STUDY_H

#include <tapeloom.h>

enum { SEEDS = 5, NAME_SIZE = 48, FOLDER_SIZE = 1024 };

typedef struct words { /* what people read, in both languages */
    const char *en, *zh;
} words;

/* ---- numbers: what was measured (numbers.c) ---- */

typedef struct number {
    char arm[NAME_SIZE];  /* "8 heads": what was varied */
    long seed;            /* 0 …: arms are paired by it */
    char what[NAME_SIZE]; /* "exact match" */
    double at;            /* along the horizontal axis: a length, a layer; 0 where there is none */
    double value;
} number;
typedef struct numbers {
    number *row; /* [count] */
    long count, room;
    /* Memory was short, or a name is empty, too long, holds a comma or a quote or has a space at an end, or a seed is negative: nothing
     * more is added. */
    bool failed;
} numbers;

void numbers_add(numbers *n, const char *arm, long seed, const char *what, double at, double value);
/* Of several alike the last; NaN if there is none. */
double numbers_get(const numbers *n, const char *arm, long seed, const char *what, double at);
/* Mean over `at` from low to high, both counted; NaN if there is none. */
double numbers_mean(const numbers *n, const char *arm, long seed, const char *what, double low, double high);
long numbers_seeds(const numbers *n); /* the largest seed and one more */
void numbers_free(numbers *n);
/* As CSV: arm,seed,what,at,value. Reading adds: all of a file, or, on failure, nothing. False, and a sentence, on failure. */
bool numbers_write(const numbers *n, const char *path, tl_error *error);
bool numbers_read(numbers *n, const char *path, tl_error *error);

/* ---- verdicts: pure functions of a seed's differences (verdict.c) ---- */

typedef struct interval { /* of a mean, at 95 %, by Student's t with n-1 degrees of freedom */
    long n;
    double mean, deviation; /* of the sample */
    /* NaN if a value is not finite; otherwise, of fewer than two values or more than SEEDS, -inf and inf. */
    double low, high;
} interval;
interval interval_of(const double *values, long n);

typedef enum verdict { UNDECIDED, HOLDS, DOES_NOT_HOLD } verdict;
/* Holds if the interval lies wholly above the margin (`below`: below it), does not if wholly on the other side. */
verdict verdict_of(const interval *i, double margin, bool below);
words verdict_words(verdict v);

/* ---- a claim ---- */

typedef struct study study;
typedef struct job job;

/* What must be so for a part of the claim to hold, said before anything runs. */
typedef struct rule {
    words says;      /* "8 heads are right more often than one" */
    words published; /* the number, and whose: "0.9 BLEU (table 3, row A)"; "–": none */
    words unit;      /* "points" */
    double margin;
    bool below; /* it holds where the difference is smaller than the margin */
} rule;

/* What was found out afterwards about a rule that came out so: why ours may contradict what is published, what was tried. */
typedef struct remark {
    int rule; /* its number */
    verdict when;
    words says;
} remark;

enum { PANEL_ARMS = 10 };
typedef struct panel {            /* of the picture: means over seeds with their intervals, an arm a colour */
    const char *what;             /* which numbers */
    const char *label, *x_label;  /* axes, with units */
    const char *arms[PANEL_ARMS]; /* which arms, in this order; none: all, as they come */
    bool bars;                    /* one value an arm, instead of lines over `at` */
    bool log_x, log_y;
    double low, high; /* of the vertical axis; both 0: as the numbers have it */
} panel;

typedef struct claim {
    const char *name;   /* "heads": the command, and files' name */
    words title;        /* "Several heads beat one at equal width" */
    const char *source; /* "Vaswani et al. 2017, table 3" */
    words
        paragraph; /* what is claimed, what is trained and measured here, what the margin is and why, limits */
    bool doubles;  /* computed in double: by the program that is built with PRECISION=double */
    bool needs_data; /* only with --data */
    int version;     /* of what is measured: another one makes it measured anew */
    void (*plan)(study *s);
    const rule *rules; /* [rule_count] */
    int rule_count;
    double (*difference)(const numbers *n, int rule, long seed); /* NaN: not measured */
    const panel *panels;                                         /* [panel_count] side by side */
    int panel_count;
    const char *shown[6]; /* which numbers the terminal has means and spread of */
    const remark *remarks;
    int remark_count;
} claim;

/* A claim's lists, as they stand in its file. */
#define WITH_RULES(list) .rules = (list), .rule_count = sizeof(list) / sizeof *(list)
#define WITH_PANELS(list) .panels = (list), .panel_count = sizeof(list) / sizeof *(list)
#define WITH_REMARKS(list) .remarks = (list), .remark_count = sizeof(list) / sizeof *(list)

extern const claim *const claims[]; /* NULL behind the last (claims.c) */
const claim *claim_named(const char *name);

typedef struct finding {
    interval interval;
    verdict verdict;
} finding;
enum { RULES_MOST = 8 };
/* findings [rule_count] out of numbers alone. */
void claim_judge(const claim *c, const numbers *n, finding *findings);

/* ---- a plan: which runs, and what is measured of them (plan.c) ---- */

typedef enum budget { FULL, QUICK, TINY } budget; /* TINY: to see that it works; its numbers say nothing */

/* A number that a budget makes smaller: updates, sentences. */
long budget_of(const study *s, long full, long quick, long tiny);
const char *data_folder(const study *s);                                   /* --data; NULL: none */
const char *study_text(study *s, const char *format, ...) TL_PRINTF(2, 3); /* lasts as long as the study */

/* Measures one arm at one seed: into `out` by put(), false and a sentence on failure. It runs in a process of its own, on one thread. */
typedef bool work(const job *j, numbers *out, tl_error *error);

enum { STOPS_MOST = 8 };
typedef struct arm {
    const char *name;
    /* The run that it is measured on, trained before; its seed is set here. NULL: none. */
    const tl_run_settings *settings;
    long stops
        [STOPS_MOST]; /* updates after which the weights are kept, in ascending order; the last one is the end */
    work *work;
    long number; /* the claim's own, for its work: how many heads, which kind */
    double cost; /* about so many seconds of one core in the full budget, training aside; for the time left */
    double training_cost;
} arm;
/* One job for every seed. Runs of the same settings and stops are the same run, whichever claim asks. */
void study_arm(study *s, const arm *a);

/* ---- of a work (job.c) ---- */

struct job {
    const study *study;
    const claim *claim;
    arm arm;            /* name and settings are the job's own */
    long seed;          /* 0 …; */
    uint64_t real_seed; /* what random numbers begin with: another one where the study is only tried out */
    char run_dir[FOLDER_SIZE];  /* of its run; "" if it has none */
    char own_dir[FOLDER_SIZE];  /* for files of its own, see job_folder */
    char measured[FOLDER_SIZE]; /* the file that its numbers go to */
    const struct job *run;      /* the job that trains the run; NULL: none */
    bool trains;                /* this job trains a run, and measures nothing */
    int state;                  /* the scheduler's */
};

void put(numbers *out, const job *j, const char *what, double at, double value);
/* The job's run with its weights after so many updates (one of its stops; 0: before training). NULL, and a sentence, on failure; to
 * tl_run_free. */
tl_run *job_open(const job *j, long stop, tl_error *error);
/* Trains settings in a folder up to each of the stops (0 ends them), keeping weights after each, and goes on where it was interrupted. */
bool job_train(const job *j, const char *dir, const tl_run_settings *settings, const long *stops,
               const tl_events *events, tl_error *error);
/* Of job_train's failure: did the loss or the gradients become infinite, or no numbers? */
bool job_diverged(const tl_error *error);
/* The weights that job_train has kept, into a run that was opened. */
bool job_weights(tl_run *run, const char *dir, long stop, tl_error *error);
const char *job_folder(const job *j, tl_error *error); /* own_dir, made if it is not there; NULL on failure */
bool job_stopped(const job *j);                        /* should it end? */
/* Why it failed: what the run says or, if it says nothing, `otherwise`. False. */
bool job_failed(const tl_run *run, const char *otherwise, tl_error *error);
const tl_events *job_events(void); /* that stop at Ctrl-C and tell nothing */

/* How good a run is on its first `most` held-out sentences (0: all 500 of those made here; tl_set_new has what it takes for which program);
 * with `writes` its translations, too, greedily: BLEU as score, and exact. False, and a sentence, on failure. */
bool job_quality(tl_run *run, long most, bool writes, tl_quality *quality, tl_error *error);

/* Settings of the en-fr toy that several claims train, as `make demo` has them; steps are set by the arm's stops. */
tl_run_settings toy_translator(const study *s);
/* For settings of other programs: the preset toy, smaller in the tiny budget; validated at the end alone, without samples. */
void toy_model(const study *s, tl_run_settings *settings);
/* The pool: five of these (4 heads, 2+2 layers), with weights after POOL_STOPS updates; several claims look at them. Fills in settings
 * and stops. */
enum { POOL_EARLY, POOL_MIDDLE, POOL_END, POOL_STOPS }; /* 500, 1,000, 2,500 updates in the full budget */
void pool_arm(const study *s, tl_run_settings *settings, arm *a);
/* The same for sequences of a task ("copy") of so many different symbols and such lengths. */
tl_run_settings task_translator(const study *s, const char *task, long symbols, long min_length,
                                long max_length);
/* The same size for people's sentences, English to German, of the folder multi30k-en-de in --data: words as they are, without those seen
 * once. MULTI30K_UPDATES are nearly eight epochs; the rate falls to 0 until the arm's one stop. */
enum { MULTI30K_UPDATES = 1600 };
tl_run_settings multi30k_translator(study *s);
/* The same of other files of pairs; their names must outlive the settings. */
tl_run_settings multi30k_settings(const study *s, const char *train, const char *valid);
/* The path of a part of it: "train", "valid" or "test". Returns to. */
char *multi30k_file(const study *s, const char *part, char to[FOLDER_SIZE]);

#endif
