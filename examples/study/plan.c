/* The jobs of a plan. A job is identified by a hash of everything that its numbers depend on: a run by its settings
 * and stops; a measurement by its run's hash, claim, version, arm, seed and budget. Files are named by the hash, so
 * nothing is done twice, and no result is taken for another job's. */
#include "parts.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ---- texts ---- */

const char *study_text(study *s, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (s->texts == s->text_room) {
        const long room = s->text_room ? 2 * s->text_room : 64;
        char **text = realloc(s->text, (size_t)room * sizeof *text);
        if (text) s->text = text, s->text_room = room;
    }
    char *text = s->texts < s->text_room ? malloc((size_t)length + 1) : NULL;
    if (!text) return tl_error_set(&s->error, "out of memory"), "";
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return s->text[s->texts++] = text;
}

/* ---- budgets ---- */

long budget_of(const study *s, long full, long quick, long tiny) {
    return s->budget == FULL ? full : s->budget == QUICK ? quick : tiny;
}

long study_seeds(const study *s) { return budget_of(s, SEEDS, 2, 1); }

const char *data_folder(const study *s) { return s->data; }

/* ---- keys ---- */

static uint64_t hash(uint64_t h, const char *text) { /* FNV-1a */
    do h = (h ^ (unsigned char)*text) * UINT64_C(1099511628211);
    while (*text++);
    return h;
}

static uint64_t hash_number(uint64_t h, double value) {
    char text[40];
    snprintf(text, sizeof text, "%.17g", value);
    return hash(h, text);
}

static uint64_t hash_of_run(study *s, const tl_run_settings *settings, const long *stops) {
    const char *program = settings->program ? settings->program : "translate";
    tl_config *config = tl_config_new();
    tl_options_write(tl_run_options_of(program), settings, config);
    char *text = tl_config_text(config);
    if (!text) tl_error_set(&s->error, "out of memory");
    uint64_t h = hash(UINT64_C(14695981039346656037), sizeof(tl_real) == sizeof(double) ? "double" : "float");
    h = hash(hash(h, program), text ? text : "");
    for (int i = 0; i < STOPS_MOST && stops[i]; i++) h = hash_number(h, (double)stops[i]);
    free(text);
    tl_config_free(config);
    return h;
}

/* ---- jobs ---- */

static job *add_job(study *s) {
    if (s->count == s->room) {
        const long room = s->room ? 2 * s->room : 64;
        job **list = realloc(s->job, (size_t)room * sizeof(job *));
        if (list) s->job = list, s->room = room;
    }
    job *j = s->count < s->room ? calloc(1, sizeof *j) : NULL;
    if (!j) return tl_error_set(&s->error, "out of memory"), NULL;
    j->study = s;
    j->claim = s->planning;
    return s->job[s->count++] = j;
}

static void free_job(job *j) {
    free((void *)j->arm.settings);
    free(j);
}

/* The arm's settings as they will be in the run's folder, with the job's seed. */
static bool own_settings(study *s, job *j, const arm *a) {
    tl_run_settings *settings = malloc(sizeof *settings);
    j->arm.settings = settings;
    if (!settings) return tl_error_set(&s->error, "out of memory");
    *settings = *a->settings;
    settings->training.seed = (long)j->real_seed;
    long last = 0;
    for (int i = 0; i < STOPS_MOST && a->stops[i]; i++) {
        if (a->stops[i] <= last) return tl_error_set(&s->error, "%s: stops must ascend", a->name);
        last = a->stops[i];
    }
    settings->training.steps = last;
    return tl_run_settings_complete(settings, &s->error);
}

/* The job that trains the run on which j is measured: an existing one or a new one. */
static const job *run_of(study *s, job *j, const arm *a) {
    snprintf(j->run_dir, sizeof j->run_dir, "%s/runs/%016llx", s->out,
             (unsigned long long)hash_of_run(s, j->arm.settings, a->stops));
    for (long i = 0; i < s->count; i++)
        if (s->job[i]->trains && !strcmp(s->job[i]->run_dir, j->run_dir)) return s->job[i];
    job *r = add_job(s);
    if (!r) return NULL;
    r->arm = *a;
    r->arm.settings = NULL;
    r->arm.cost = a->training_cost;
    r->seed = j->seed;
    r->real_seed = j->real_seed;
    r->trains = true;
    strcpy(r->run_dir, j->run_dir);
    long last = 0;
    while (last + 1 < STOPS_MOST && a->stops[last + 1]) last++;
    snprintf(r->measured, sizeof r->measured, "%.900s/at-%ld.safetensors", r->run_dir, a->stops[last]);
    return own_settings(s, r, a) ? r : NULL;
}

static void add_arm(study *s, const arm *a, long seed) {
    job *j = add_job(s);
    if (!j) return;
    j->arm = *a;
    j->arm.settings = NULL;
    j->seed = seed;
    j->real_seed = (uint64_t)seed + (s->trial ? 1001 : 1);
    if (a->settings && (!own_settings(s, j, a) || !(j->run = run_of(s, j, a)))) return;
    uint64_t h = hash(UINT64_C(14695981039346656037), j->claim->name);
    h = hash_number(hash(h, a->name), j->claim->version);
    h = hash_number(hash_number(h, (double)a->number), (double)j->real_seed);
    const char *run = strrchr(j->run_dir, '/'); /* only its name, the hash, not its folder */
    h = hash(hash_number(h, s->budget), run ? run : "");
    h = hash(h, sizeof(tl_real) == sizeof(double) || j->claim->doubles ? "double" : "float");
    snprintf(j->own_dir, sizeof j->own_dir, "%s/work/%s-%016llx", s->out, j->claim->name,
             (unsigned long long)h);
    snprintf(j->measured, sizeof j->measured, "%s/measured/%s-%016llx.csv", s->out, j->claim->name,
             (unsigned long long)h);
}

void study_arm(study *s, const arm *a) {
    for (long seed = 0; seed < study_seeds(s); seed++) add_arm(s, a, seed);
}

bool study_plan(study *s, const claim *c) {
    s->planning = c;
    c->plan(s);
    if (tl_failed(&s->error)) {
        const tl_error why = s->error;
        s->error = (tl_error){""};
        tl_error_set(&s->error, "%s: %s", c->name, why.message);
    }
    return !tl_failed(&s->error);
}

void study_free(study *s) {
    for (long i = 0; i < s->count; i++) free_job(s->job[i]);
    for (long i = 0; i < s->texts; i++) free(s->text[i]);
    free(s->job);
    free(s->text);
}

/* ---- finished jobs ---- */

bool job_is_done(const job *j, tl_error *error) {
    bool there;
    tl_file_look(j->measured, &there, error);
    return there;
}

bool study_numbers(study *s, const claim *c, numbers *n) {
    for (long i = 0; i < s->count; i++) {
        const job *j = s->job[i];
        if (j->trains || j->claim != c) continue;
        if (!numbers_read(n, j->measured, &s->error)) return false;
    }
    return true;
}

/* ---- settings that claims share ---- */

void toy_model(const study *s, tl_run_settings *settings) {
    settings->model.preset = "toy";
    if (s->budget == TINY) {
        settings->model.d_model = settings->model.d_ff = 16;
        settings->model.heads = 2;
        settings->model.layers = 1;
    }
    settings->validation.validate_every = 1000000; /* only at the end */
    settings->validation.samples = 0;
}

tl_run_settings toy_translator(const study *s) {
    tl_run_settings r = tl_run_settings_default();
    r.data.pair = "en-fr";
    if (s->budget == TINY) r.data.sentences = 600;
    toy_model(s, &r);
    r.model.dropout = 0.05;
    r.training.lr = 0.004;
    r.training.warmup = 200;
    r.training.batch_tokens = 1024;
    r.validation.best_by = "loss";
    return r;
}

void pool_arm(const study *s, tl_run_settings *settings, arm *a) {
    *settings = toy_translator(s);
    a->settings = settings;
    a->stops[POOL_EARLY] = budget_of(s, 500, 100, 2);
    a->stops[POOL_MIDDLE] = budget_of(s, 1000, 200, 3);
    a->stops[POOL_END] = budget_of(s, 2500, 500, 4);
    a->stops[POOL_STOPS] = 0;
    a->training_cost = 78;
}

tl_run_settings task_translator(const study *s, const char *task, long symbols, long min_length,
                                long max_length) {
    tl_run_settings r = toy_translator(s);
    r.data.pair = NULL;
    r.data.task = task;
    r.data.symbols = symbols;
    r.data.min_symbols = min_length;
    r.data.max_symbols = max_length;
    return r;
}

char *multi30k_file(const study *s, const char *part, char to[FOLDER_SIZE]) {
    snprintf(to, FOLDER_SIZE, "%.900s/multi30k-en-de/%s.tsv", s->data ? s->data : ".", part);
    return to;
}

tl_run_settings multi30k_settings(const study *s, const char *train, const char *valid) {
    tl_run_settings r = toy_translator(s);
    r.data.pair = NULL;
    r.data.sentences = 0;
    r.data.train = train;
    r.data.valid = valid;
    r.text.units = "words";
    r.model.dropout = 0.1;
    r.training.schedule = "cosine";
    r.training.batch_tokens = 2048;
    r.training.warmup = 400;
    return r;
}

tl_run_settings multi30k_translator(study *s) {
    char train[FOLDER_SIZE], valid[FOLDER_SIZE];
    return multi30k_settings(s, study_text(s, "%s", multi30k_file(s, "train", train)),
                             study_text(s, "%s", multi30k_file(s, "valid", valid)));
}
