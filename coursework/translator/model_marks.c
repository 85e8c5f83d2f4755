/* Marks of a translator: 60 points for BLEU, in proportion below 90; 30 for three questions, 5 for each part of an
 * answer; 10 for the program: 5 if it contains the student's attention, 5 if it trains as the library does. A run
 * that is not the student's own gives no points for BLEU and questions. */
#define _DEFAULT_SOURCE
#include "looking.h"

#include "../marker/kit.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATH = 1024, ENOUGH = 90, FOR_BLEU = 60, FOR_PART = 5, FOR_PROGRAM = 5 };

static course_check *check(course_marks *m, const char *function, const char *what, const char *group,
                           double of) {
    course_check *c = &m->check[m->checks++];
    *c = (course_check){.function = function, .what = what, .group = group, .of = of};
    return c;
}

/* ---- the run ---- */

static bool same_text(const char *a, const char *b) { return a == b || (a && b && strcmp(a, b) == 0); }

/* Why the run is not the one that this student was to train; `why` is empty if it is. */
static void compare_settings(tl_run *run, const char *student, char why[COURSE_WHY]) {
    const tl_run_settings *is = tl_run_settings_of(run), should = translator_settings(student);
    if (!same_text(is->data.pair, should.data.pair) || is->model.from)
        snprintf(why, COURSE_WHY,
                 "run/ was not trained from nothing on the en-fr sentences: make translate does");
    else if (is->training.seed != should.training.seed)
        snprintf(
            why, COURSE_WHY,
            "run/ was trained with seed %ld, yours is %ld: is it yours, and is STUDENT in ../settings.mk?",
            is->training.seed, should.training.seed);
    else if (tl_run_model(run)->heads != should.model.heads ||
             tl_run_model(run)->attentions[TL_CROSS] != should.model.layers)
        snprintf(why, COURSE_WHY,
                 "the model has %d heads and %d layers, should have %ld and %ld, for the questions",
                 tl_run_model(run)->heads, tl_run_model(run)->attentions[TL_CROSS], should.model.heads,
                 should.model.layers);
}

static tl_run *open_run(const char *folder, const char *student, char why[COURSE_WHY]) {
    char path[PATH];
    tl_error error = {""};
    snprintf(path, sizeof path, "%s/run", folder);
    tl_run *run = tl_run_open(path, &(tl_run_choice){.program = "translate"}, &error);
    if (!run)
        snprintf(why, COURSE_WHY, "there is no run that can be opened; make translate trains one. %.300s",
                 error.message);
    else
        compare_settings(run, student, why);
    if (!*why) return run;
    tl_run_free(run);
    return NULL;
}

/* ---- BLEU ---- */

static void mark_bleu(course_check *c, tl_run *run, uint64_t seed) {
    tl_run_settings fresh = *tl_run_settings_of(run);
    const tl_translate_options greedy = {.beam = 1};
    tl_quality quality;
    tl_error error = {""};
    fresh.training.seed = (long)(course_seed_of(seed, "fresh sentences") % 1000000000);
    tl_corpus *pairs = tl_pairs_of(&fresh, TL_PART_TEST, NULL, &error);
    if (!pairs || !tl_run_evaluate(run, pairs, "fresh sentences", &greedy, &quality, NULL))
        snprintf(c->why, COURSE_WHY, "%.400s", pairs ? tl_run_error(run) : error.message);
    else {
        const double bleu = quality.bleu.score;
        c->points = c->of * fmin(1, bleu / ENOUGH);
        if (bleu < ENOUGH)
            snprintf(c->why, COURSE_WHY, "BLEU %.2f on %ld fresh sentences; %d gives all points", bleu,
                     quality.sentences, ENOUGH);
    }
    tl_corpus_free(pairs);
}

/* ---- questions ---- */

static const struct {
    const char *first, *second;
} parts[TRANSLATOR_QUESTIONS] = {{"1: the head", "1: its norm"},
                                 {"2: the value", "2: the two words"},
                                 {"3: the sum", "3: of absolute values"}};

static void mark_question(course_marks *m, const translator_known *known, int q,
                          const translator_answer *answer, bool given) {
    course_check *c[2];
    char why[COURSE_WHY] = "no answer yet: see answers.txt";
    for (int part = 0; part < 2; part++)
        c[part] = check(m, "questions", part ? parts[q].second : parts[q].first, "questions", FOR_PART);
    if (given) translator_diagnose(known, q, answer, why);
    for (int part = 0; part < 2; part++)
        if (given && translator_agrees(q, answer, &known->right[q], part))
            c[part]->points = FOR_PART;
        else
            snprintf(c[part]->why, COURSE_WHY, "%s", *why ? why : "not what comes out, and no known mistake");
}

static void mark_questions(course_marks *m, tl_run *run, const char *folder, const char *student) {
    char path[PATH];
    translator_asked asked;
    translator_answer answer[TRANSLATOR_QUESTIONS];
    bool given[TRANSLATOR_QUESTIONS];
    tl_error error = {""};
    translator_known *known = calloc(1, sizeof *known);
    snprintf(path, sizeof path, "%s/answers.txt", folder);
    translator_read_answers(path, answer, given);
    if (known && translator_ask(&asked, student, &error) && translator_know(run, &asked, known))
        for (int q = 0; q < TRANSLATOR_QUESTIONS; q++) mark_question(m, known, q, &answer[q], given[q]);
    else
        snprintf(check(m, "questions", "all", "questions", 0)->why, COURSE_WHY, "%.400s",
                 tl_run_error(run) ? tl_run_error(run) : error.message);
    free(known);
}

/* ---- the program ---- */

/* Has `make translate` found that the attention in the program is the student's? */
static void mark_linked(course_check *c, const char *folder) {
    char path[PATH], line[4096];
    bool yours = false;
    snprintf(path, sizeof path, "%s/linked.txt", folder);
    FILE *from = fopen(path, "r");
    while (from && fgets(line, sizeof line, from))
        yours |= strncmp(line, "yours:", 6) == 0 && strstr(line, " scaled_dot_product_attention");
    if (!from)
        snprintf(c->why, COURSE_WHY, "there is no linked.txt: make translate writes it");
    else if (!yours)
        snprintf(c->why, COURSE_WHY,
                 "attention in the program is the library's: see linked.txt, and do task 5");
    if (from) fclose(from);
    c->points = yours ? c->of : 0;
}

enum { UPDATES = 20, SECONDS = 60 };

/* Small settings that use everything: a moment for the library, some seconds for plain loops. */
static tl_run_settings short_settings(uint64_t seed) {
    tl_run_settings s = translator_settings("");
    s.data.sentences = 500;
    s.model.d_model = 16, s.model.heads = 2, s.model.layers = 1, s.model.d_ff = 24;
    s.training.steps = s.validation.validate_every = UPDATES;
    s.training.batch_tokens = 128;
    s.training.schedule = "constant";
    s.training.warmup = 0;
    s.training.seed = (long)(course_seed_of(seed, "short") % 1000000);
    s.validation.best_by = "loss";
    return s;
}

/* The losses in the last row of a run's log: train_loss, valid_loss. */
static bool read_losses(const char *folder, double loss[2]) {
    char path[PATH], line[1024], last[1024] = "";
    snprintf(path, sizeof path, "%s/log.csv", folder);
    FILE *from = fopen(path, "r");
    while (from && fgets(line, sizeof line, from)) snprintf(last, sizeof last, "%s", line);
    if (from) fclose(from);
    return sscanf(last, "%*[^,],%*[^,],%*[^,],%*[^,],%lf,%lf", &loss[0], &loss[1]) == 2;
}

static void become(const char *program, const tl_run_settings *s, const char *out) {
    char number[6][32];
    const long is[] = {s->data.sentences, s->model.d_model,         s->model.d_ff,
                       s->training.steps, s->training.batch_tokens, s->training.seed};
    for (int i = 0; i < 6; i++) snprintf(number[i], sizeof number[i], "%ld", is[i]);
    const char *const argv[] = {program,
                                "train",
                                "--pair",
                                "en-fr",
                                "--sentences",
                                number[0],
                                "--d-model",
                                number[1],
                                "--heads",
                                "2",
                                "--layers",
                                "1",
                                "--d-ff",
                                number[2],
                                "--dropout",
                                "0",
                                "--lr",
                                "0.005",
                                "--schedule",
                                "constant",
                                "--warmup",
                                "0",
                                "--steps",
                                number[3],
                                "--seed",
                                number[5],
                                "--samples",
                                "0",
                                "--batch-tokens",
                                number[4],
                                "--best-by",
                                "loss",
                                "--threads",
                                "1",
                                "--validate-every",
                                number[3],
                                "--out",
                                out,
                                NULL};
    const int nothing = open("/dev/null", O_RDWR);
    dup2(nothing, 0), dup2(nothing, 1), dup2(nothing, 2);
    setpgid(0, 0);
    setrlimit(RLIMIT_CPU, &(struct rlimit){SECONDS, SECONDS});
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    execv(program, (char *const *)argv);
    _exit(127);
}

/* Trains with the student's program into `out`. Returns an exit status; -1: it crashed or took too long. */
static int train_theirs(const char *program, const tl_run_settings *s, const char *out) {
    int status = 0;
    const pid_t child = fork();
    if (child == 0) become(program, s, out);
    if (child < 0) return -1;
    for (int tenths = 0; waitpid(child, &status, WNOHANG) == 0; tenths++) {
        if (tenths > 3 * 10 * SECONDS) kill(-child, SIGKILL);
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool train_ours(const tl_run_settings *s, const char *out) {
    tl_run *run = tl_run_new(out, s);
    tl_training_end end;
    const bool ok = run && tl_run_train(run, false, &end) != TL_FAILED;
    tl_run_free(run);
    return ok;
}

static void compare_training(course_check *c, const char *program, const char *in, uint64_t seed) {
    const tl_run_settings s = short_settings(seed);
    char theirs[PATH], ours[PATH];
    double got[2], right[2];
    snprintf(theirs, sizeof theirs, "%s/theirs", in), snprintf(ours, sizeof ours, "%s/ours", in);
    const int status = train_theirs(program, &s, theirs);
    if (status != 0)
        snprintf(c->why, COURSE_WHY,
                 status == 127 ? "there is no build/translate: make translate links it"
                 : status < 0  ? "in %d updates your program crashed, or it took more than %d s"
                               : "your program failed in %d updates (of %d s at most): try make translate",
                 UPDATES, SECONDS);
    else if (!train_ours(&s, ours) || !read_losses(ours, right) || !read_losses(theirs, got))
        snprintf(c->why, COURSE_WHY, "what was trained could not be read");
    else if (!(fabs(got[0] - right[0]) < 1e-3 * right[0] && fabs(got[1] - right[1]) < 1e-3 * right[1]))
        snprintf(c->why, COURSE_WHY,
                 "after %d updates your loss is %.5f (validation %.5f), with the library's operations %.5f "
                 "(%.5f): one of yours is wrong",
                 UPDATES, got[0], got[1], right[0], right[1]);
    c->points = *c->why ? 0 : c->of;
}

static void mark_training(course_check *c, const char *folder, uint64_t seed) {
    char program[PATH], in[] = "/tmp/tapeloom-translator-XXXXXX", remove[64];
    snprintf(program, sizeof program, "%s/build/translate", folder);
    if (!mkdtemp(in)) {
        snprintf(c->why, COURSE_WHY, "no folder in /tmp can be made to train in");
        return;
    }
    compare_training(c, program, in, seed);
    snprintf(remove, sizeof remove, "rm -rf %s", in);
    if (system(remove) != 0) fprintf(stderr, "%s is left behind\n", in);
}

/* ---- all parts ---- */

/* Zero marks for all checks of a run that does not exist or is not the student's. */
static void mark_nothing(course_marks *m, const char *why) {
    snprintf(check(m, "run", "BLEU", "run", FOR_BLEU)->why, COURSE_WHY, "%s", why);
    for (int q = 0; q < TRANSLATOR_QUESTIONS; q++)
        for (int part = 0; part < 2; part++)
            snprintf(
                check(m, "questions", part ? parts[q].second : parts[q].first, "questions", FOR_PART)->why,
                COURSE_WHY, "%s", why);
}

static void mark_run(course_marks *m, int which, const char *folder, uint64_t seed, const char *student) {
    char why[COURSE_WHY] = "";
    tl_run *run = open_run(folder, student, why);
    if (run && (which & TRANSLATOR_BLEU)) mark_bleu(check(m, "run", "BLEU", "run", FOR_BLEU), run, seed);
    if (run && (which & TRANSLATOR_ANSWERS)) mark_questions(m, run, folder, student);
    if (!run) mark_nothing(m, why);
    tl_run_free(run);
}

static void mark_program(course_marks *m, const char *folder, uint64_t seed) {
    course_check *linked = check(m, "program", "your attention", "program", FOR_PROGRAM),
                 *trains = check(m, "program", "trains like ours", "program", FOR_PROGRAM);
    mark_linked(linked, folder);
    if (*linked->why)
        memcpy(trains->why, linked->why, COURSE_WHY);
    else
        mark_training(trains, folder, seed);
}

void translator_mark_parts(course_marks *m, int which, const char *folder, uint64_t seed,
                           const char *student) {
    if (which & (TRANSLATOR_BLEU | TRANSLATOR_ANSWERS)) mark_run(m, which, folder, seed, student);
    if (which & TRANSLATOR_PROGRAM) mark_program(m, folder, seed);
    for (int i = 0; i < m->checks; i++) m->points += m->check[i].points;
}

void translator_mark(course_marks *m, const char *folder, uint64_t seed, const char *student) {
    translator_mark_parts(m, TRANSLATOR_BLEU | TRANSLATOR_ANSWERS | TRANSLATOR_PROGRAM, folder, seed,
                          student);
}

void translator_tell(const char *student, FILE *to) {
    translator_asked asked;
    tl_error error = {""};
    fprintf(to, "seed: %ld\n\n", translator_seed(student));
    if (translator_ask(&asked, student, &error))
        translator_print_asked(&asked, to);
    else
        fprintf(to, "%s\n", error.message);
}
