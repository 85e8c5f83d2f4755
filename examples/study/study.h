/* The study: what textbooks claim about attention, measured.
 *
 * A claim is a file, claim_NAME.c. It fixes in advance which runs it trains, what it measures of them, which
 * differences it compares, by how much they must differ, and in which direction (rules). The rest is shared. Runs
 * are trained once, whoever needs them, in parallel processes of one thread. Measurements become numbers. A rule's
 * difference for each seed becomes an interval, and the interval a verdict. Numbers and verdicts become a table, a
 * picture and two pages.
 *
 *     plan → jobs → numbers → findings → page
 *
 * Everything after "jobs" is a function of numbers alone. */
#ifndef STUDY_H
#define STUDY_H

#include <tapeloom.h>

enum { SEEDS = 5, NAME_SIZE = 48, FOLDER_SIZE = 1024, TEXT_MOST = 1 << 20 /* bytes of a page or a script */ };

typedef struct words { /* a text in both languages */
    const char *en, *zh;
} words;

/* ---- numbers: what was measured (numbers.c) ---- */

typedef struct number {
    char arm[NAME_SIZE];  /* what was varied: "8 heads" */
    long seed;            /* 0 …: arms are paired by it */
    char what[NAME_SIZE]; /* what was measured: "exact match" */
    double at;            /* position on the horizontal axis: a length, a layer; 0 if there is none */
    double value;
} number;
typedef struct numbers {
    number *row; /* [count] */
    long count, room;
    /* Set when out of memory, or if a name is empty, too long, has a comma, a quote or a space at an end, or a seed
     * is negative. Then nothing more is added. */
    bool failed;
} numbers;

void numbers_add(numbers *n, const char *arm, long seed, const char *what, double at, double value);
/* With several matches the last one; NaN if there is none. */
double numbers_get(const numbers *n, const char *arm, long seed, const char *what, double at);
/* Mean over all `at` from low to high, inclusive; NaN if there is none. */
double numbers_mean(const numbers *n, const char *arm, long seed, const char *what, double low, double high);
long numbers_seeds(const numbers *n); /* the largest seed plus one */
void numbers_free(numbers *n);
/* As CSV: arm,seed,what,at,value. Reading adds all rows of a file, or none on failure. False, and a sentence, on
 * failure. */
bool numbers_write(const numbers *n, const char *path, tl_error *error);
bool numbers_read(numbers *n, const char *path, tl_error *error);

/* ---- verdicts: pure functions of a seed's differences (verdict.c) ---- */

typedef struct interval { /* 95 % interval of a mean, by Student's t with n-1 degrees of freedom */
    long n;
    double mean, deviation; /* of the sample */
    /* NaN if a value is not finite; -inf and inf for fewer than two values or more than SEEDS */
    double low, high;
} interval;
interval interval_of(const double *values, long n);

typedef enum verdict { UNDECIDED, HOLDS, DOES_NOT_HOLD } verdict;
/* Holds if the whole interval lies above the margin (`below`: below it); does not hold if it lies on the other side. */
verdict verdict_of(const interval *i, double margin, bool below);
words verdict_words(verdict v);

/* ---- a claim ---- */

typedef struct study study;
typedef struct job job;

/* A condition for a part of the claim to hold, fixed before anything runs. */
typedef struct rule {
    words says;      /* "8 heads are right more often than one" */
    words published; /* the number, and whose: "0.9 BLEU (table 3, row A)"; "–": none */
    words unit;      /* "points" */
    double margin;
    bool below; /* it holds if the difference is smaller than the margin */
} rule;

/* What was found out afterwards about a rule with this verdict: why our result may contradict the published one, and
 * what was tried. */
typedef struct remark {
    int rule; /* the rule's number */
    verdict when;
    words says;
} remark;

enum { PANEL_ARMS = 10 };
typedef struct panel {            /* of the picture: means over seeds with intervals, a colour for each arm */
    const char *what;             /* which numbers */
    const char *label, *x_label;  /* axes, with units */
    const char *arms[PANEL_ARMS]; /* which arms, in this order; none: all */
    bool bars;                    /* one value an arm, instead of lines over `at` */
    bool log_x, log_y;
    double low, high; /* range of the vertical axis; both 0: from the numbers */
} panel;

typedef struct claim {
    const char *name;   /* "heads": its name on the command line and in file names */
    words title;        /* "Several heads beat one at equal width" */
    const char *source; /* "Vaswani et al. 2017, table 3" */
    /* what is claimed, what is trained and measured here, the margin and its reason, limits */
    words paragraph;
    bool doubles;    /* computed in double, by the program built with PRECISION=double */
    bool needs_data; /* works only with --data */
    int version;     /* version of the measurement: a new one is measured anew */
    void (*plan)(study *s);
    const rule *rules; /* [rule_count] */
    int rule_count;
    double (*difference)(const numbers *n, int rule, long seed); /* NaN: not measured */
    const panel *panels;                                         /* [panel_count] side by side */
    int panel_count;
    const char *shown[6]; /* numbers whose mean and spread the terminal shows */
    const remark *remarks;
    int remark_count;
} claim;

/* A claim's lists, as they are in its file. */
#define WITH_RULES(list) .rules = (list), .rule_count = sizeof(list) / sizeof *(list)
#define WITH_PANELS(list) .panels = (list), .panel_count = sizeof(list) / sizeof *(list)
#define WITH_REMARKS(list) .remarks = (list), .remark_count = sizeof(list) / sizeof *(list)

extern const claim *const claims[]; /* ended by NULL (claims.c) */
const claim *claim_named(const char *name);

typedef struct finding {
    interval interval;
    verdict verdict;
} finding;
enum { RULES_MOST = 8 };
/* findings [rule_count], made from numbers alone. */
void claim_judge(const claim *c, const numbers *n, finding *findings);

/* ---- a plan: which runs, and what is measured of them (plan.c) ---- */

/* TINY only tests that it works; its numbers mean nothing. */
typedef enum budget { FULL, QUICK, TINY } budget;

/* A number that smaller budgets reduce: updates, sentences. */
long budget_of(const study *s, long full, long quick, long tiny);
const char *data_folder(const study *s);                                   /* --data; NULL: none */
const char *study_text(study *s, const char *format, ...) TL_PRINTF(2, 3); /* valid as long as the study */

/* Measures one arm at one seed, adding to `out` by put(). False, and a sentence, on failure. It runs in a process of
 * its own, on one thread. */
typedef bool work(const job *j, numbers *out, tl_error *error);

enum { STOPS_MOST = 8 };
typedef struct arm {
    const char *name;
    /* settings of the run to measure, which is trained before; its seed is set later. NULL: none */
    const tl_run_settings *settings;
    /* the weights are kept after these numbers of updates, in ascending order; the last one is the end */
    long stops[STOPS_MOST];
    work *work;
    long number; /* for the claim's work: how many heads, which kind */
    double cost; /* about so many core-seconds in the full budget, without training */
    double training_cost;
} arm;
/* Adds a job for every seed. Runs with the same settings and stops are shared by all claims. */
void study_arm(study *s, const arm *a);

/* ---- for a work (job.c) ---- */

struct job {
    const study *study;
    const claim *claim;
    arm arm;                    /* name and settings belong to the job */
    long seed;                  /* 0 …; */
    uint64_t real_seed;         /* the seed of random numbers; a trial uses another one */
    char run_dir[FOLDER_SIZE];  /* folder of its run; "" if it has none */
    char own_dir[FOLDER_SIZE];  /* for files of its own, see job_folder */
    char measured[FOLDER_SIZE]; /* the file that its numbers go to */
    const struct job *run;      /* the job that trains its run; NULL: none */
    bool trains;                /* this job trains a run and measures nothing */
    int state;                  /* used by the scheduler */
};

void put(numbers *out, const job *j, const char *what, double at, double value);
/* Opens the job's run with its weights after `stop` updates (one of its stops; 0: before training). NULL, and a
 * sentence, on failure. Free it with tl_run_free. */
tl_run *job_open(const job *j, long stop, tl_error *error);
/* Trains settings in a folder up to each of the stops (ended by 0), keeping the weights after each, and resumes if
 * it was interrupted. */
bool job_train(const job *j, const char *dir, const tl_run_settings *settings, const long *stops,
               const tl_events *events, tl_error *error);
/* After a failure of job_train: did the loss or the gradients become infinite or NaN? */
bool job_diverged(const tl_error *error);
/* Loads weights that job_train has kept into an opened run. */
bool job_weights(tl_run *run, const char *dir, long stop, tl_error *error);
/* own_dir, made if it does not exist; NULL on failure */
const char *job_folder(const job *j, tl_error *error);
bool job_stopped(const job *j); /* should the job end? */
/* Sets the reason of a failure: the run's error or, if it has none, `otherwise`. Returns false. */
bool job_failed(const tl_run *run, const char *otherwise, tl_error *error);
const tl_events *job_events(void); /* they stop at Ctrl-C and show nothing */

/* How good a run is on its first `most` held-out sentences (0: all 500 of those made here; see tl_set_new for other
 * programs). With `writes` also its greedy translations: BLEU as score, and exact. False, and a sentence, on
 * failure. */
bool job_quality(tl_run *run, long most, bool writes, tl_quality *quality, tl_error *error);

/* Settings of the en-fr toy that several claims train, as in `make demo`; the arm's stops set the steps. */
tl_run_settings toy_translator(const study *s);
/* Settings for other programs: the preset toy, smaller in the tiny budget, validated only at the end, without
 * samples. */
void toy_model(const study *s, tl_run_settings *settings);
/* The pool: five of these translators (4 heads, 2+2 layers), with weights after POOL_STOPS numbers of updates, which
 * several claims measure. Fills in settings and stops. */
enum { POOL_EARLY, POOL_MIDDLE, POOL_END, POOL_STOPS }; /* 500, 1,000, 2,500 updates in the full budget */
void pool_arm(const study *s, tl_run_settings *settings, arm *a);
/* The same for sequences of a task ("copy") with this many different symbols and these lengths. */
tl_run_settings task_translator(const study *s, const char *task, long symbols, long min_length,
                                long max_length);
/* The same size for human sentences, English to German, from the folder multi30k-en-de in --data: units are words as
 * they are, without those seen once. MULTI30K_UPDATES are nearly eight epochs; the rate falls to 0 at the arm's one
 * stop. */
enum { MULTI30K_UPDATES = 1600 };
tl_run_settings multi30k_translator(study *s);
/* The same with other files of pairs; their names must outlive the settings. */
tl_run_settings multi30k_settings(const study *s, const char *train, const char *valid);
/* The path of a part of Multi30k: "train", "valid" or "test". Returns `to`. */
char *multi30k_file(const study *s, const char *part, char to[FOLDER_SIZE]);

#endif
