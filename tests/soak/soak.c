/* The soak's process: asks two runs the same odd questions round after round, itself and through the programs, and
 * watches what must not change. tests/soak/run trains the runs and writes the questions.
 *
 *     soak TRANSLATOR LM PROGRAMS QUESTIONS SECONDS [quiet]
 *
 * A round has four parts:
 *     here      this process, which opened both runs once, translates each file of the folder QUESTIONS (three ways),
 *               gives its log p, measures it as a text, and continues it
 *     programs  PROGRAMS/translate and PROGRAMS/lm do the same, a new process for each question
 *     new       one more question, of random bytes and words, which differs from round to round
 *     opened    both runs are opened and freed once more
 *
 * What must hold: every answer (text, warnings and exit status) is that of the first round; translations and texts of
 * this process are those of the programs; and after the second round
 *     descriptors   as many entries in /proc/self/fd as after the first
 *     in use        bytes that malloc has given out at the end of a round (mallinfo2, where the C library has it): what
 *                   is kept for the largest question so far may grow in some rounds, a leak grows in all. Of the second
 *                   half at most a quarter (or one) may reach a new maximum
 *     memory        VmRSS in the second half at most 4 MiB (two huge pages) above the largest of the first half
 * Exit status 0: all of this held; 1: it did not; 2: it cannot run. */
#define _GNU_SOURCE /* scandir, mallinfo2 */
#include <tapeloom.h>

#include <dirent.h>
#include <errno.h>
#if defined(__GLIBC__)
# include <malloc.h>
#endif
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    MOST_QUESTIONS = 256,
    LEAST_ROUNDS = 8,
    MOST_ROUNDS = 1 << 20,
    MOST_FAULTS = 20,
    SLACK_KIB = 4096,
    TOKENS = 40
};

static _Noreturn void cannot(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("soak: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    exit(2);
}

static long faults;

static void fault(const char *format, ...) {
    va_list arguments;
    if (++faults > MOST_FAULTS) return;
    va_start(arguments, format);
    printf("FAULT: ");
    vprintf(format, arguments);
    putchar('\n');
    va_end(arguments);
}

/* ---- a text that grows ---- */

typedef struct text {
    char *bytes;
    size_t size, room;
} text;

static void add(text *t, const void *bytes, size_t size) {
    if (t->size + size + 1 > t->room) {
        t->room = 2 * (t->size + size) + 4096;
        t->bytes = realloc(t->bytes, t->room);
        if (!t->bytes) cannot("out of memory");
    }
    if (size) memcpy(t->bytes + t->size, bytes, size);
    t->size += size;
    t->bytes[t->size] = 0;
}

static void add_line(text *t, const char *line) {
    add(t, line, strlen(line));
    add(t, "\n", 1);
}

static void add_number(text *t, double number) {
    char digits[40];
    snprintf(digits, sizeof digits, "%.17g", number);
    add_line(t, digits);
}

static void empty(text *t) {
    free(t->bytes);
    *t = (text){0};
}

static unsigned long long hash_of(const text *t) { /* FNV-1a */
    unsigned long long hash = 14695981039346656037u;
    for (size_t i = 0; i < t->size; i++) hash = (hash ^ (unsigned char)t->bytes[i]) * 1099511628211u;
    return hash;
}

static bool same(const text *a, const text *b) {
    return a->size == b->size && (!a->size || !memcmp(a->bytes, b->bytes, a->size));
}

/* ---- questions ---- */

typedef struct question {
    char name[256];
    text bytes;
} question;

static question questions[MOST_QUESTIONS];
static int count;

static void read_file(const char *path, text *to) {
    char part[65536];
    FILE *file = fopen(path, "rb");
    if (!file) cannot("cannot read %s: %s", path, strerror(errno));
    for (size_t n; (n = fread(part, 1, sizeof part, file)) > 0;) add(to, part, n);
    fclose(file);
}

static void read_questions(const char *folder) {
    struct dirent **names;
    const int entries = scandir(folder, &names, NULL, alphasort);
    if (entries < 0) cannot("cannot read the folder %s: %s", folder, strerror(errno));
    for (int i = 0; i < entries; free(names[i++])) {
        if (names[i]->d_name[0] == '.' || count == MOST_QUESTIONS - 1) continue;
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
        snprintf(questions[count].name, sizeof questions->name, "%s", names[i]->d_name);
        add(&questions[count].bytes, "", 0);
        read_file(path, &questions[count++].bytes);
    }
    free(names);
    if (!count) cannot("there is no file in %s", folder);
}

/* The same question for the same round, in every soak. */
static void make_new_question(text *to, long round) {
    static const char *const parts[] = {
        "the ",  "cat",  "sleeps ", ". ",   "\n",          "\r\n",         "\t",      " ",
        "\xff",  "\xc3", "é",       "猫",   "\U0001F408",  "\u202E",       "\u0301",  "''",
        "<unk>", "@@ ",  "</w>",    "&lt;", "0123456789 ", "\xEF\xBB\xBF", "\x1B[2J", ""};
    unsigned long long state = (unsigned long long)round * 6364136223846793005u + 1442695040888963407u;
    to->size = 0;
    for (int i = 0; i < 60; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        const unsigned random = (unsigned)(state >> 33);
        const char *part = parts[random % (sizeof parts / sizeof *parts)];
        const char byte = (char)(random >> 8);
        if (*part)
            add(to, part, strlen(part));
        else
            add(to, &byte, 1);
    }
}

/* ---- this process asks the library ---- */

static tl_run *translator, *lm;

static text warnings;

static void warned(void *to, const char *sentence) { add_line(to, sentence); }

/* A failure is an answer, too; afterwards the run can be used again. */
static void add_error(text *answer, tl_run *run) {
    if (!tl_run_error(run)) return;
    add_line(answer, tl_run_error(run));
    tl_run_clear_error(run);
}

/* The question's lines as sources (and targets), as translate reads them. */
static tl_corpus *lines_of(const text *q, bool targets) {
    tl_corpus *corpus = tl_corpus_new();
    char *copy = malloc(q->size + 1), *line = copy, *end, *stop = copy + q->size;
    if (!copy || !corpus) cannot("out of memory");
    memcpy(copy, q->bytes, q->size + 1);
    if (q->size >= 3 && !memcmp(line, "\xEF\xBB\xBF", 3)) line += 3;
    for (; line < stop; line = end + 1) {
        end = memchr(line, '\n', (size_t)(stop - line));
        if (!end) end = stop;
        *end = 0;
        if (end > line && end[-1] == '\r') end[-1] = 0;
        const bool blank = tl_vocab_encode(tl_run_vocab(translator, TL_SOURCE), line, NULL, 0) == 0;
        tl_corpus_add(corpus, blank ? "" : line, targets && !blank ? line : "");
    }
    free(copy);
    return corpus;
}

static void translate_here(const text *q, const tl_translate_options *options, text *answer) {
    tl_translations t = {0};
    tl_corpus *lines = lines_of(q, false), *cut = tl_run_encode(translator, lines);
    tl_run_tell_unknown(translator, cut);
    if (cut && tl_run_translate(translator, cut, options, &t))
        for (long i = 0; i < t.count * t.nbest; i++)
            if (t.text[i]) add_line(answer, t.text[i]);
    tl_translations_free(&t);
    tl_corpus_free(cut);
    tl_corpus_free(lines);
    add_error(answer, translator);
}

static void score_here(const text *q, text *answer) {
    tl_scores scores = {0};
    tl_corpus *lines = lines_of(q, true), *cut = tl_run_encode(translator, lines);
    if (cut && tl_run_score(translator, cut, 0, &scores))
        for (long i = 0; i < scores.count; i++) add_number(answer, scores.sum[i]);
    tl_scores_free(&scores);
    tl_corpus_free(cut);
    tl_corpus_free(lines);
    add_error(answer, translator);
}

static void measure_here(const text *q, text *answer) {
    tl_lm_text ids = {0};
    tl_quality quality;
    if (tl_lm_encode(lm, q->bytes, q->size, &ids)) {
        add_number(answer, (double)ids.count);
        if (ids.count && tl_lm_measure(lm, &ids, &quality)) add_number(answer, quality.loss);
    }
    tl_lm_text_free(&ids);
    add_error(answer, lm);
}

static bool tell(void *to, const char *piece, size_t size) { return add(to, piece, size), true; }

static void write_here(const text *q, text *answer) {
    tl_lm_write(lm, &(tl_lm_write_options){
                        .prompt = q->bytes, .tokens = TOKENS, .seed = 1, .tell = tell, .to = answer});
    add(answer, "\n", 1); /* as lm sample ends a text */
    add_error(answer, lm);
}

/* ---- the programs ---- */

static const char *programs, *translator_folder, *lm_folder, *own_folder;

/* Runs a program whose standard input is the file question of own_folder; its output and exit status are added. */
static void run_program(const char *name, const char *const *arguments, text *output, text *rest) {
    char program[4096], in[4096], out[4096], err[4096];
    int status;
    snprintf(program, sizeof program, "%s/%s", programs, name);
    snprintf(in, sizeof in, "%s/question", own_folder);
    snprintf(out, sizeof out, "%s/out", own_folder);
    snprintf(err, sizeof err, "%s/err", own_folder);
    fflush(NULL);
    const pid_t child = fork();
    if (child < 0) cannot("cannot start a process: %s", strerror(errno));
    if (!child) {
        if (!freopen(in, "rb", stdin) || !freopen(out, "wb", stdout) || !freopen(err, "wb", stderr))
            _exit(126);
        execv(program, (char *const *)arguments);
        _exit(127);
    }
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) cannot("cannot wait for %s: %s", program, strerror(errno));
    if (WIFSIGNALED(status))
        fault("%s %s was killed by signal %d", name, arguments[1], WTERMSIG(status));
    else if (WEXITSTATUS(status) > 1)
        fault("%s %s ended with status %d", name, arguments[1], WEXITSTATUS(status));
    read_file(out, output);
    read_file(err, rest);
    add_number(rest, WEXITSTATUS(status));
}

static void write_question(const text *q) {
    char path[4096];
    snprintf(path, sizeof path, "%s/question", own_folder);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(q->bytes, 1, q->size, file) != q->size || fclose(file))
        cannot("cannot write %s", path);
}

/* "… in 0.0 s" is a time, which differs. */
static void forget_seconds(text *answer) {
    char *in = answer->bytes ? strstr(answer->bytes, " bytes in ") : NULL;
    char *end = in ? strchr(in, '\n') : NULL;
    if (!end) return;
    memmove(in, end, (size_t)(answer->bytes + answer->size + 1 - end));
    answer->size -= (size_t)(end - in);
}

/* ---- a round ---- */

enum {
    BEAM,
    GREEDY,
    SAMPLES,
    SCORE,
    MEASURE,
    WRITE,
    WARNINGS,
    TRANSLATE_OUT,
    TRANSLATE_REST,
    EVALUATE,
    SAMPLE_OUT,
    SAMPLE_REST,
    WAYS
};
static const char *const ways[] = {"translation",
                                   "greedy translation",
                                   "samples",
                                   "log p",
                                   "loss",
                                   "continuation",
                                   "warnings",
                                   "translate",
                                   "translate's messages",
                                   "lm evaluate",
                                   "lm sample",
                                   "lm sample's messages"};
static unsigned long long first_answer[MOST_QUESTIONS][WAYS];
static long answers;

static void ask_here(const text *q, text answer[WAYS]) {
    translate_here(q, &(tl_translate_options){.beam = 5, .length_penalty = 1}, &answer[BEAM]);
    translate_here(q, &(tl_translate_options){.beam = 1, .replace_unknown = true}, &answer[GREEDY]);
    translate_here(q, &(tl_translate_options){.beam = 2, .nbest = true, .sample = true, .seed = 7},
                   &answer[SAMPLES]);
    score_here(q, &answer[SCORE]);
    measure_here(q, &answer[MEASURE]);
    write_here(q, &answer[WRITE]);
    answer[WARNINGS] = warnings;
    warnings = (text){0};
}

static void ask_programs(const text *q, text answer[WAYS]) {
    char tokens[16];
    snprintf(tokens, sizeof tokens, "%d", TOKENS);
    write_question(q);
    run_program(
        "translate",
        (const char *const[]){"translate", "translate", "--model", translator_folder, "--quiet", NULL},
        &answer[TRANSLATE_OUT], &answer[TRANSLATE_REST]);
    run_program("lm",
                (const char *const[]){"lm", "evaluate", "--model", lm_folder, "--text", "-", "--quiet", NULL},
                &answer[EVALUATE], &answer[EVALUATE]);
    forget_seconds(&answer[EVALUATE]);
    char prompt[65536]; /* the system allows an argument 128 KiB */
    snprintf(prompt, sizeof prompt, "--prompt=%s", q->bytes);
    run_program("lm",
                (const char *const[]){"lm", "sample", "--model", lm_folder, prompt, "--tokens", tokens,
                                      "--quiet", NULL},
                &answer[SAMPLE_OUT], &answer[SAMPLE_REST]);
}

/* The answers to question i, which is the new one if i is count. */
static void ask(long round, int i, const text *q, const char *name) {
    text answer[WAYS] = {{0}};
    ask_here(q, answer);
    ask_programs(q, answer);
    if (!same(&answer[BEAM], &answer[TRANSLATE_OUT]))
        fault("round %ld, question %s: translate and this process answer differently", round, name);
    if (strlen(q->bytes) < 60000 && !same(&answer[WRITE], &answer[SAMPLE_OUT]))
        fault("round %ld, question %s: lm sample and this process answer differently", round, name);
    for (int way = 0; way < WAYS; way++, answers++) {
        const unsigned long long hash = hash_of(&answer[way]);
        if (i < count && round == 1) first_answer[i][way] = hash;
        if (i < count && hash != first_answer[i][way])
            fault("round %ld, question %s: %s differs from the first round's: %.200s", round, name, ways[way],
                  answer[way].bytes ? answer[way].bytes : "");
        empty(&answer[way]);
    }
}

static tl_run *open_run(const char *folder) {
    tl_error error = {""};
    tl_run *run = tl_run_open(folder, NULL, &error);
    if (!run) cannot("%s", error.message);
    return run;
}

static void ask_round(long round) {
    text new_question = {0};
    for (int i = 0; i < count; i++) ask(round, i, &questions[i].bytes, questions[i].name);
    make_new_question(&new_question, round);
    ask(round, count, &new_question, "of random bytes");
    empty(&new_question);
    tl_run_free(open_run(translator_folder));
    tl_run_free(open_run(lm_folder));
}

/* ---- what is watched ---- */

typedef struct state {
    long descriptors, in_use, rss; /* in use: bytes; rss: KiB */
} state;

static long resident(void) {
    char line[256];
    long kib = -1;
    FILE *file = fopen("/proc/self/status", "r");
    if (!file) cannot("/proc/self/status cannot be read: the soak needs Linux");
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "VmRSS: %ld", &kib) == 1) break;
    fclose(file);
    return kib;
}

static long open_descriptors(void) {
    long entries = 0;
    DIR *folder = opendir("/proc/self/fd");
    if (!folder) cannot("/proc/self/fd cannot be read: the soak needs Linux");
    while (readdir(folder)) entries++;
    closedir(folder);
    return entries - 3; /* ".", ".." and this folder's own */
}

static long bytes_in_use(void) {
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
    const struct mallinfo2 info = mallinfo2();
    return (long)(info.uordblks + info.hblkhd);
#else
    return 0;
#endif
}

static state now(void) { return (state){open_descriptors(), bytes_in_use(), resident()}; }

static long largest_rss(const state *states, long from, long to) {
    long most = 0;
    for (long i = from; i < to; i++)
        if (states[i].rss > most) most = states[i].rss;
    return most;
}

/* The first round fills caches; the states from the second on are compared. */
static void judge(const state *states, long rounds) {
    const state *first = &states[1], *last = &states[rounds - 1];
    const long half = 1 + rounds / 2;
    long most = 0, maxima = 0;
    for (long i = 1; i < rounds; i++) {
        if (states[i].descriptors != states[0].descriptors)
            fault("round %ld: %ld descriptors are open, after the first round %ld", i + 1,
                  states[i].descriptors, states[0].descriptors);
        if (states[i].in_use > most) {
            most = states[i].in_use;
            maxima += i >= half;
        }
    }
    if (maxima > 1 && 4 * maxima > rounds - half)
        fault("bytes in use reached a new maximum in %ld of the last %ld rounds: a leak", maxima,
              rounds - half);
    const long before = largest_rss(states, 1, half), after = largest_rss(states, half, rounds);
    if (after > before + SLACK_KIB)
        fault("memory: %ld KiB in the second half, %ld KiB in the first", after, before);
    printf("%-28s %12s %12s\n", "", "round 2", "last round");
    printf("%-28s %12ld %12ld\n", "open descriptors", first->descriptors, last->descriptors);
    printf("%-28s %12ld %12ld\n", "bytes in use (malloc)", first->in_use, last->in_use);
    printf("%-28s %12ld %12ld\n", "memory, KiB (VmRSS)", first->rss, last->rss);
    printf("%-28s %12ld %12ld\n", "  the largest of its half", before, after);
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv) {
    tl_streams_open();
    if (argc < 6) cannot("tests/soak/run starts this; see its --help");
    translator_folder = argv[1], lm_folder = argv[2], programs = argv[3], own_folder = argv[2];
    const double limit = atof(argv[5]);
    const bool quiet = argc > 6;
    read_questions(argv[4]);
    translator = open_run(translator_folder), lm = open_run(lm_folder);
    const tl_events events = {.context = &warnings, .warning = warned};
    tl_run_tell(translator, &events);
    tl_run_tell(lm, &events);
    static state states[MOST_ROUNDS];
    const double began = seconds();
    long rounds = 0;
    while (rounds < LEAST_ROUNDS || (seconds() - began < limit && rounds < MOST_ROUNDS)) {
        ask_round(rounds + 1);
        states[rounds++] = now();
        const double spent = seconds() - began, left = limit - spent;
        if (!quiet)
            fprintf(stderr, "\rsoak: round %ld, %ld KiB, %ld descriptors, %ld faults, %.0f min left ", rounds,
                    states[rounds - 1].rss, states[rounds - 1].descriptors, faults, left > 0 ? left / 60 : 0);
    }
    if (!quiet) fputc('\n', stderr);
    judge(states, rounds);
    if (faults > MOST_FAULTS) printf("… and %ld faults more\n", faults - MOST_FAULTS);
    printf("%ld rounds in %.0f s, %d questions and a new one in each, %ld answers: %s\n", rounds,
           seconds() - began, count, answers, faults ? "FAILED" : "all as in the first round");
    tl_run_free(translator);
    tl_run_free(lm);
    return faults > 0;
}
