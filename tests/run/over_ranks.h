/* A small training over several ranks (ranks/forked.h). Its gradients depend on the order of addition, the number of
 * the micro-batch and the weights. A struct says what goes wrong on which rank, and where. */
#ifndef TL_TESTS_RUN_OVER_RANKS_H
#define TL_TESTS_RUN_OVER_RANKS_H

#include "fixture.h"
#include "ranks/forked.h"

#include <stdatomic.h>

static scratch here;
static inline void enter(void) { here = quiet_scratch(); }
static inline void leave(void) { scratch_remove(&here); }

/* ---- the task ---- */

enum { N = 499, PARAMS = 4 };

/* What can go wrong on a single rank. */
typedef enum fault {
    NOTHING,
    NAN_LOSS,
    TAPE,
    NEXT,
    BEGIN,
    VALIDATE,
    GIVES_UP, /* validation, without an error */
    LR,
    DATA,
    WEIGHTS,
    STEPS,
    UNREACHED
} fault;

/* What is trained, and what is unusual about it. */
typedef struct job {
    tl_training_settings s;
    const char *folder; /* in `here` */
    long batches;       /* in an epoch */
    bool resume;
    fault fault;
    int of_rank;                                  /* the rank with the fault; -1: all ranks */
    long at_batch, epoch;                         /* where the fault happens */
    long stop_at;                                 /* the update after which rank 0 stops; 0: none */
    void (*around)(tl_ranks *ranks, bool before); /* before and after tl_train; NULL: nothing */
    struct result *results;
} job;

/* A rank's result, in memory that the parent shares. */
typedef struct result {
    tl_ending ending;
    long step, best, told;
    char said[TL_ERROR_MAX];
    tl_real value[PARAMS][N];
} result;

/* One rank's task. */
typedef struct line {
    const job *job;
    tl_ranks *ranks;
    tl_tape *tape;
    tl_params *params;
    tl_param *w, *rare, *cold, *late;
    tl_batches_position at;
    long told;
    tl_error *error;
} line;

static inline bool has(const line *l, fault fault) {
    const job *j = l->job;
    return j->fault == fault && (j->of_rank < 0 || j->of_rank == tl_ranks_number(l->ranks));
}
static inline bool has_now(const line *l, fault fault) {
    return has(l, fault) && l->at.batch == l->job->at_batch && l->at.epoch == l->job->epoch;
}

static inline bool next(void *context) {
    line *l = context;
    if (l->at.batch++ < l->job->batches)
        return !has_now(l, NEXT) || tl_error_set(l->error, "batch %ld cannot be read", l->at.batch);
    l->at = (tl_batches_position){l->at.epoch + 1, 0};
    return false;
}

static inline tl_var data(line *l) {
    tl_real x[N];
    const long m = l->at.batch;
    const tl_rng_key key = tl_rng_key_mix(tl_rng_key_of(3, "x"), (uint64_t)m);
    for (int i = 0; i < N; i++)
        x[i] = (tl_real)(tl_rng_normal(key, (uint64_t)i) * pow(10, (double)(m * 3 % 5) - 2));
    if (has_now(l, NAN_LOSS)) x[7] = (tl_real)NAN;
    return tl_constant_copy(l->tape, tl_tensor_of(x, TL_SHAPE(N)));
}
static inline tl_var total(tl_var x) { return tl_sum(x, TL_ALL_AXES, false); }

/* w is used twice, `rare` by few batches, `late` by every other batch, so that only some shares reach them; `cold`
 * is frozen. */
static inline tl_var loss(void *context, bool sum) {
    line *l = context;
    tl_tape *t = l->tape;
    if (has_now(l, TAPE)) return tl_tape_fail(t, "no such layer");
    must(sum);
    tl_var w = tl_use(t, l->w), x = data(l);
    tl_var y = total(tl_dropout(tl_mul(tl_add(w, tl_use(t, l->cold)), x), 0.3));
    if (l->at.batch % 4 == 1 || l->at.batch % 7 == 0) y = tl_add(y, total(tl_mul(tl_use(t, l->rare), x)));
    if (l->at.batch % 2) y = tl_add(y, total(tl_mul(tl_use(t, l->late), tl_mul(x, w))));
    return tl_add(y, total(tl_mul(w, tl_use(t, l->w))));
}

static inline long tokens(void *context) { return 2 + ((line *)context)->at.batch % 3; }
static inline long per_epoch(void *context) { return ((line *)context)->job->batches; }
static inline tl_batches_position tell(void *context) { return ((line *)context)->at; }
static inline bool seek(void *context, tl_batches_position position) {
    return ((line *)context)->at = position, true;
}
static inline bool begin(void *context) {
    line *l = context;
    return !has(l, BEGIN) || tl_error_set(l->error, "cannot begin");
}
static inline bool validate(void *context, tl_quality *q, tl_translations *written) {
    line *l = context;
    (void)written;
    double squares = 0;
    for (int i = 0; i < N; i++) squares += pow((double)tl_param_value(l->w).data[i], 2);
    q->loss = 1 / squares; /* w grows, so the best validation is not the first */
    return !has(l, GIVES_UP) && (!has(l, VALIDATE) || tl_error_set(l->error, "cannot validate"));
}

static inline line line_begin(const job *j, tl_ranks *ranks, tl_error *error) {
    const tl_init init = {.kind = TL_INIT_NORMAL, .scale = 1};
    line l = {.job = j, .ranks = ranks, .error = error, .tape = tl_tape_new()};
    l.params = tl_params_new(has(&l, WEIGHTS) ? 2 : 1);
    l.w = tl_params_add(l.params, "w", TL_SHAPE(N), init);
    l.rare = tl_params_add(l.params, "rare", TL_SHAPE(N), init);
    l.cold = tl_params_add(l.params, "cold", TL_SHAPE(N), init);
    l.late = tl_params_add(l.params, "late", TL_SHAPE(N), init);
    if (has(&l, UNREACHED)) tl_params_add(l.params, "never", TL_SHAPE(N), init);
    tl_freeze(l.params, "cold", true);
    return l;
}
static inline void line_end(line *l) {
    tl_tape_free(l->tape);
    tl_params_free(l->params);
}

/* ---- callbacks: only rank 0's are called ---- */

static inline bool stop(void *context) {
    const line *l = context;
    return tl_ranks_number(l->ranks) > 0 || (l->job->stop_at && l->told >= l->job->stop_at);
}
static inline void updated(void *context, long step, double loss, double tokens) {
    (void)step, (void)loss, (void)tokens;
    ((line *)context)->told++;
}

/* ---- training ---- */

/* Only rank 0 has a folder. */
static inline const char *folder_of(const job *j, tl_ranks *ranks, char path[1100]) {
    snprintf(path, 1100, "%s/%s", here.folder, j->folder);
    return tl_ranks_lead(ranks) ? path : "/nonexistent/folder";
}

static inline void train(tl_ranks *ranks, void *context) {
    const job *j = context;
    result *r = &j->results[tl_ranks_number(ranks)];
    tl_error error = {""};
    tl_training_end end;
    char path[1100];
    line l = line_begin(j, ranks, &error);
    const tl_task task = {.context = &l,
                          .fingerprint = has(&l, DATA) ? 8 : 7,
                          .next = next,
                          .loss = loss,
                          .tokens = tokens,
                          .per_epoch = per_epoch,
                          .tell = tell,
                          .seek = seek,
                          .begin = begin,
                          .validate = validate};
    tl_training_settings s = j->s;
    if (has(&l, LR)) s.lr = 0.06;
    if (has(&l, STEPS)) s.steps++;
    if (j->around) j->around(ranks, true);
    const tl_ending ending =
        tl_train(&(tl_train_config){.dir = folder_of(j, ranks, path),
                                    .params = l.params,
                                    .tape = l.tape,
                                    .training = &s,
                                    .validation = &(tl_validation_settings){.average = 2},
                                    .task = &task,
                                    .events = &(tl_events){&l, .stop = stop, .updated = updated},
                                    .resume = j->resume,
                                    .ranks = ranks},
                 &end, &error);
    if (j->around) j->around(ranks, false);
    r->step = end.state.step;
    r->best = end.state.best_step;
    r->told = l.told;
    memcpy(r->said, error.message, sizeof error.message);
    for (int p = 0; p < PARAMS; p++)
        memcpy(r->value[p], tl_param_value(tl_params_at(l.params, p)).data, sizeof r->value[p]);
    line_end(&l);
    atomic_signal_fence(memory_order_release);
    /* last, since a rank may be killed at any moment: a good ending means that all results are there */
    r->ending = ending;
    if (!ranks) return;
    tl_ranks_end(ranks, ending == TL_FAILED); /* returns if all ranks know of the failure */
    exit(0);
}

static inline job new_job(const char *folder) {
    return (job){.s = {.epochs = 2, .lr = 0.05, .schedule = "constant", .accumulate = 6, .shares = 4},
                 .folder = folder,
                 .batches = 11,
                 .of_rank = 1};
}

/* Trains over this many ranks; 0: in one process without ranks. */
static inline const result *run(int ranks, job j) {
    char path[1100];
    mkdir(folder_of(&j, NULL, path), 0755);
    j.results = forked_share((size_t)(ranks ? ranks : 1) * sizeof *j.results);
    if (ranks)
        forked_run(ranks, (uint64_t)(ranks * 100 + j.batches), train, &j);
    else
        train(NULL, &j);
    return j.results;
}

static inline const char *in_here(const char *dir, const char *file) {
    static char path[8][1100];
    static int next_path;
    next_path = (next_path + 1) % 8;
    snprintf(path[next_path], sizeof path[next_path], "%s/%s/%s", here.folder, dir, file);
    return path[next_path];
}

static inline bool same_file(const char *a, const char *b, const char *file) {
    size_t size[2];
    char *bytes[2] = {get_file(in_here(a, file), &size[0]), get_file(in_here(b, file), &size[1])};
    const bool equal = size[0] == size[1] && !memcmp(bytes[0], bytes[1], size[0]);
    free(bytes[0]);
    free(bytes[1]);
    return equal;
}

/* Compares two logs, ignoring times. */
static inline bool same_log(const char *a, const char *b) {
    char *text[2] = {get_file(in_here(a, "log.csv"), NULL), get_file(in_here(b, "log.csv"), NULL)};
    double row[2][5];
    bool equal = true;
    int rows = 0;
    for (char *at[2] = {strchr(text[0], '\n'), strchr(text[1], '\n')}; at[0] || at[1]; rows++) {
        int found[2] = {0, 0};
        for (int i = 0; i < 2 && at[i]; i++) {
            double *x = row[i];
            found[i] = sscanf(at[i], "%lf,%lf,%*[^,],%lf,%lf,%lf", &x[0], &x[1], &x[2], &x[3], &x[4]);
            at[i] = strchr(at[i] + 1, '\n');
        }
        equal = equal && found[0] == found[1] && (found[0] < 5 || !memcmp(row[0], row[1], sizeof row[0]));
    }
    free(text[0]), free(text[1]);
    return equal && rows > 2;
}

#endif
