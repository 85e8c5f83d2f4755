/* However a run ends, and at whichever system call, it can be completed afterwards. It is killed at every file call
 * of a new run, a resumed one, and one that overwrites another; the disk is full or fails, or memory runs out. Each
 * time it fails with the reason and leaves no torn file; repeating the command then gives the same files, byte for
 * byte, as an undisturbed run. */
#undef _FORTIFY_SOURCE /* it would turn the functions replaced here into inline ones */
#define _GNU_SOURCE    /* syscall */
#define _XOPEN_SOURCE 700
#include "fixture.h"

#include "faults.h"

static scratch here;

static void in_here(char path[1024], const char *name) { snprintf(path, 1024, "%s/%s", here.folder, name); }

/* ---- runs ---- */

typedef enum { NEW, RESUMED, OVERWRITING } beginning;
typedef struct kind_of_run {
    const char *name;
    beginning begins;
    long average;
    const char *units;
    bool gets_worse; /* so that the first weights stay the best */
    long watch;
} kind_of_run;
static const kind_of_run kinds[] = {{"a new run", NEW, 0, "bpe", true, 0},
                                    {"an averaging run", NEW, 2, "words", false, 3},
                                    {"a resumed run", RESUMED, 2, "words", false, 0},
                                    {"a run over another", OVERWRITING, 2, "words", false, 3}};
enum { KINDS = sizeof kinds / sizeof *kinds };

typedef struct attempt {
    const kind_of_run *kind;
    const char *name; /* of the folder */
    long steps;
    bool resume;
} attempt;

static tl_run_settings settings_of(const attempt *a) {
    static char pairs[1024], pair[1024];
    tl_run_settings s = small_settings();
    in_here(pairs, "pairs.tsv");
    in_here(pair, a->kind->gets_worse ? "unlike.tsv" : "pair.tsv");
    s.data.task = NULL;
    s.data.train = pairs;
    s.data.valid = pair; /* a large validation set would take most of the time */
    s.text.units = a->kind->units;
    s.text.merges = 10;
    s.text.min_count = 1;
    s.model.tie = "target";
    s.training.batch_tokens = 12;
    s.training.steps = a->steps;
    if (a->kind->gets_worse) s.training.lr = 0.1;
    s.training.watch = a->kind->watch;
    s.validation.average = a->kind->average;
    s.validation.validate_every = 2;
    return s;
}

static void train(void *context, tl_error *error) {
    const attempt *a = context;
    char dir[1024];
    tl_run_settings s = settings_of(a);
    in_here(dir, a->name);
    tl_run *run =
        a->resume ? tl_run_open(dir, &(tl_run_choice){.weights = "none"}, error) : tl_run_new(dir, &s);
    if (run && a->resume) tl_run_settings_of(run)->training.steps = a->steps;
    if (run) tl_run_train(run, a->kind->begins == OVERWRITING, NULL);
    if (!run) tl_error_set(error, "out of memory for a run"); /* tl_run_new fails only for lack of memory */
    if (tl_run_error(run)) tl_error_set(error, "%s", tl_run_error(run));
    tl_run_free(run);
}

/* An undisturbed run, in a new folder. */
static void prepare(const kind_of_run *kind, const char *name) {
    report r;
    attempt first = {.kind = kind, .name = name, .steps = 3};
    if (kind->begins != NEW)
        ck_assert_msg(with_fault((fault){NOTHING, 0, 0}, train, &first, &r) == 0, "%s", r.message);
}

static attempt whole_attempt(const kind_of_run *kind, const char *name) {
    return (attempt){.kind = kind, .name = name, .steps = 6, .resume = kind->begins == RESUMED};
}

static bool is_in(const char *name, const char *file) {
    char path[1024], full[1100];
    in_here(path, name);
    snprintf(full, sizeof full, "%s/%s", path, file);
    return access(full, F_OK) == 0;
}

/* Repeats the command as a user would: resumes what exists, or starts again. */
static void end_it(const kind_of_run *kind, const char *name, const char *what) {
    report r;
    attempt again = whole_attempt(kind, name);
    if (kind->begins == NEW) again.resume = is_in(name, "checkpoint.safetensors");
    const int end = with_fault((fault){NOTHING, 0, 0}, train, &again, &r);
    must_msg(end == 0 || strstr(r.message, "there is nothing left to do"),
             "%s, then undisturbed: status %d, \"%s\"", what, end, r.message);
}

/* ---- two folders ---- */

/* A folder's contents: paths relative to the folder, sorted. */
typedef struct listing {
    char path[64][128];
    int count;
} listing;
static listing *listed;
static size_t listed_from;
static int list_one(const char *path, const struct stat *about, int kind, struct FTW *where) {
    (void)about, (void)where;
    if (kind != FTW_F) return 0;
    ck_assert_int_lt(listed->count, 64);
    snprintf(listed->path[listed->count++], 128, "%s", path + listed_from);
    return 0;
}
static int by_name(const void *a, const void *b) { return strcmp(a, b); }
static listing list(const char *name) {
    listing l = {.count = 0};
    char path[1024];
    in_here(path, name);
    listed = &l;
    listed_from = strlen(path) + 1;
    if (access(path, F_OK) == 0) ck_assert_int_eq(nftw(path, list_one, 16, FTW_PHYS), 0);
    qsort(l.path, (size_t)l.count, sizeof *l.path, by_name);
    return l;
}

static char *get_from(const char *name, const char *file, size_t *size) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s/%s", here.folder, name, file);
    return get_file(path, size);
}

static void assert_same_folders(const char *name, const char *whole, const char *what) {
    const listing files = list(name), expected = list(whole);
    for (int i = 0; i < files.count || i < expected.count; i++) {
        size_t size[2];
        const char *file = files.path[i];
        must_msg(i < files.count && i < expected.count && !strcmp(file, expected.path[i]),
                 "%s: there is \"%s\" and should be \"%s\"", what, file, expected.path[i]);
        char *bytes[2] = {get_from(name, file, &size[0]), get_from(whole, file, &size[1])};
        must_msg(size[0] == size[1] && !memcmp(bytes[0], bytes[1], size[0]), "%s: %s differs", what, file);
        free(bytes[0]);
        free(bytes[1]);
    }
}

/* However a run ended, files of weights are complete. */
static void assert_none_is_torn(const char *name, const char *what) {
    const listing files = list(name);
    for (int i = 0; i < files.count; i++) {
        char path[1024];
        tl_error error = {""};
        if (!strstr(files.path[i], ".safetensors") || strstr(files.path[i], ".tmp")) continue;
        snprintf(path, sizeof path, "%s/%s/%s", here.folder, name, files.path[i]);
        tl_safetensors *opened = tl_safetensors_open(path, &error);
        must_msg(opened != NULL, "%s: %s", what, error.message);
        tl_safetensors_close(opened);
    }
}

/* ---- states seen before ---- */

/* All of a folder as bytes: names, modes and contents, in the folder's order. */
typedef struct snapshot {
    size_t size;
    char *bytes;
} snapshot;
static snapshot taken;
static void take(const void *bytes, size_t size) {
    taken.bytes = realloc(taken.bytes, taken.size + size);
    ck_assert_ptr_nonnull(taken.bytes);
    memcpy(taken.bytes + taken.size, bytes, size);
    taken.size += size;
}
static int take_one(const char *path, const struct stat *about, int kind, struct FTW *where) {
    const long facts[] = {(long)about->st_mode, kind == FTW_F ? (long)about->st_size : -1};
    (void)where;
    take(path, strlen(path) + 1);
    take(facts, sizeof facts);
    if (kind != FTW_F) return 0;
    size_t size;
    char *bytes = get_file(path, &size);
    take(bytes, size);
    free(bytes);
    return 0;
}

/* Was the folder already in this state in this sweep? The same files end in the same way, so they are completed only
 * once. */
typedef struct states {
    snapshot *all;
    int count;
} states;
static bool is_new(const char *name, states *seen) {
    char path[1024];
    in_here(path, name);
    taken = (snapshot){0, NULL};
    take("", 1); /* the folder may not exist */
    if (access(path, F_OK) == 0) ck_assert_int_eq(nftw(path, take_one, 16, FTW_PHYS), 0);
    for (int i = seen->count - 1; i >= 0; i--) {
        if (seen->all[i].size != taken.size || memcmp(seen->all[i].bytes, taken.bytes, taken.size)) continue;
        free(taken.bytes);
        return false;
    }
    seen->all = realloc(seen->all, (size_t)(seen->count + 1) * sizeof *seen->all);
    ck_assert_ptr_nonnull(seen->all);
    seen->all[seen->count++] = taken;
    return true;
}
static void forget(states *seen) {
    for (int i = 0; i < seen->count; i++) free(seen->all[i].bytes);
    free(seen->all);
}

/* ---- the sweeps ---- */

/* Makes `to` a copy of `from`, which may not exist. */
static void copy(const char *from, const char *to) {
    char path[1024];
    in_here(path, to);
    if (access(path, F_OK) == 0) ck_assert_int_eq(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
    const listing files = list(from);
    if (!files.count) return;
    ck_assert_int_eq(mkdir(path, 0777), 0);
    snprintf(path, sizeof path, "%s/%s/recent", here.folder, to);
    if (is_in(from, "recent")) ck_assert_int_eq(mkdir(path, 0777), 0);
    for (int i = 0; i < files.count; i++) {
        size_t size;
        char *bytes = get_from(from, files.path[i], &size);
        snprintf(path, sizeof path, "%s/%s/%s", here.folder, to, files.path[i]);
        put_file(path, bytes, size);
        free(bytes);
    }
}

/* A full disk, a failing disk, a system without memory. */
static const int reasons[] = {ENOSPC, EIO, ENOMEM};
enum { REASONS = sizeof reasons / sizeof *reasons };

/* Makes a fault at every call in turn. "before" is the folder at the start, "whole" the expected end. Returns how
 * many calls there were. */
enum { IN_TURN = -1 };
static long sweep(const kind_of_run *kind, fault given, long step) {
    long n = 0;
    states seen = {NULL, 0};
    for (;; given.at += step, n++) {
        fault f = given;
        f.at++;
        if (f.number == IN_TURN) f.number = reasons[f.at % REASONS];
        char what[160];
        report r;
        attempt a = whole_attempt(kind, "run");
        snprintf(what, sizeof what, "%s, fault %d (%s) at %ld", kind->name, f.kind,
                 f.number ? strerror(f.number) : "-", f.at);
        copy("before", "run");
        const int end = with_fault(f, train, &a, &r);
        if (!r.hit) {
            must_msg(end == 0, "%s: status %d, \"%s\"", what, end, r.message);
            break;
        }
        if (f.kind == KILL) {
            must_msg(WIFSIGNALED(end) && WTERMSIG(end) == SIGKILL, "%s: status %d", what, end);
        } else {
            must_msg(WIFEXITED(end) && r.done, "%s: status %d", what, end);
            const bool memory = !f.number || f.number == ENOMEM;
            const char *reason = strerror(memory ? ENOMEM : f.number);
            must_msg(end == 0 || strstr(r.message, reason) || (memory && strstr(r.message, "out of memory")),
                     "%s: says \"%s\"", what, r.message);
        }
        if (!is_new("run", &seen)) continue;
        assert_none_is_torn("run", what);
        end_it(kind, "run", what);
        assert_same_folders("run", "whole", what);
    }
    printf("%d states of the folder, ", seen.count);
    ck_assert_int_gt(seen.count, 5);
    forget(&seen);
    return n;
}

static void enter(void) {
    here = quiet_scratch();
    char pairs[1024];
    in_here(pairs, "pairs.tsv");
    put_text(pairs, KNOWN);
    in_here(pairs, "pair.tsv");
    put_text(pairs, "the cat\tle chat\n");
    in_here(pairs, "unlike.tsv"); /* less and less likely with training */
    put_text(pairs, "QQ\tX W Q Z X W Q Z X W Q Z X W Q Z X W Q Z\n");
}
static void leave(void) { scratch_remove(&here); }

static bool can_fault(int i) {
    if (!CAN_FAULT && i == 0) TL_SKIP("calls to the system cannot be made to fail in this build");
    return CAN_FAULT;
}

static const kind_of_run *begin(int i) {
    report r;
    attempt whole = whole_attempt(&kinds[i], "run"); /* in the same folder, since the picture names it */
    prepare(&kinds[i], "run");
    copy("run", "before");
    ck_assert_msg(with_fault((fault){NOTHING, 0, 0}, train, &whole, &r) == 0, "%s", r.message);
    copy("run", "whole");
    tl_training_state state;
    tl_error error = {""};
    char dir[1024];
    in_here(dir, "whole");
    ck_assert_msg(tl_training_state_read(dir, "bleu", &state, &error), "%s", error.message);
    ck_assert_msg((state.best_step == 2) == kinds[i].gets_worse, "%ld is the best", state.best_step);
    return &kinds[i];
}

START_TEST(killed_at_every_call) {
    if (!can_fault(_i)) return;
    const long n = sweep(begin(_i), (fault){.kind = KILL}, 1);
    printf("%s: killed at %ld calls\n", kinds[_i].name, n);
    ck_assert_int_gt(n, 100);
}
END_TEST

/* A resumed run fails for each reason, a new one for the reasons in turn; once, and from then on. */
START_TEST(failing_at_every_call) {
    const int which = _i / 2, number = which < REASONS ? reasons[which] : IN_TURN;
    const bool always = _i % 2;
    if (!can_fault(_i)) return;
    const kind_of_run *kind = begin(number == IN_TURN ? 1 : 2);
    const long n = sweep(kind, (fault){.kind = always ? FAIL_ALWAYS : FAIL_ONCE, .number = number}, 1);
    printf("%s: %s at %ld calls, %s\n", kind->name, number == IN_TURN ? "failed" : strerror(number), n,
           always ? "and all later" : "once");
    ck_assert_int_gt(n, 100);
}
END_TEST

START_TEST(without_memory) {
#if defined(__clang__) && defined(_OPENMP)
    if (_i == 0) TL_SKIP("LLVM's OpenMP ends the program when its own requests for memory are refused");
    return;
#endif
    if (!can_fault(_i)) return;
    const kind_of_run *kind = begin(1 + _i / 2);
    const long n = sweep(kind, (fault){.kind = _i % 2 ? REFUSE_ALWAYS : REFUSE_ONCE}, 13);
    printf("%s: %ld requests for memory refused, %s\n", kind->name, n, _i % 2 ? "and all later" : "once");
    ck_assert_int_gt(n, 100);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_checked_fixture(tc, enter, leave);
    tcase_add_loop_test(tc, killed_at_every_call, 0, KINDS);
    tcase_add_loop_test(tc, failing_at_every_call, 0, 2 * REASONS + 2);
    tcase_add_loop_test(tc, without_memory, 0, 4);
}

TL_TEST_MAIN("run: faults")
