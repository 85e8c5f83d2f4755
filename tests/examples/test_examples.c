/* The teaching examples: runs each one (build/<name>, from the top of the repository) and checks what it prints. The
 * environment variable BUILD is the folder of the programs. */
#define _XOPEN_SOURCE 700
#include "shell.h"

#include <dirent.h>
#include <unistd.h>

static const char *const examples[] = {"scalar_tape",     "linear_regression", "attention_steps",
                                       "attention_layer", "copy_task",         "bahdanau",
                                       "read_a_run",      "char_lm",           "sentence_classifier",
                                       "reverse_digits",  "attention_study"};
enum { EXAMPLES = sizeof examples / sizeof *examples };

/* Those that train before they print results. */
static const char *const trainers[] = {"copy_task", "bahdanau", "char_lm", "sentence_classifier",
                                       "reverse_digits"};
enum { TRAINERS = sizeof trainers / sizeof *trainers };

static bool trains(const char *name) {
    for (int i = 0; i < TRAINERS; i++)
        if (!strcmp(trainers[i], name)) return true;
    return false;
}

/* The arguments of a program, with a space before them: two read a trained run. */
static const char *arguments_of(const char *name) {
    if (!strcmp(name, "attention_study")) return " run 'the dog sleeps' /tmp/tl_study.html";
    return strcmp(name, "read_a_run") ? "" : " tests/golden/run 'the dog sleeps'";
}

/* Where a program is started: attention_study reads its run's validation data by a path relative to tests/golden. */
static const char *folder_of(const char *name) {
    return strcmp(name, "attention_study") ? "." : "tests/golden";
}
/* The program's path from any folder. */
static const char *path_of(const char *name) {
    static char path[4096 + 64], folder[4096];
    ck_assert_ptr_nonnull(realpath(build_folder(), folder));
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* Runs a program, which must succeed; the caller frees the output. Waiting threads sleep and do not spin (unless the
 * environment says otherwise): on a busy machine that is twenty times faster. */
static char *run(const char *name) {
    int status;
    setenv("OMP_WAIT_POLICY", "passive", 0);
    char *output = shell(&status, "cd %s && %s%s", folder_of(name), path_of(name), arguments_of(name));
    ck_assert_msg(status == 0, "%s/%s ends with status %d: %.2000s", build_folder(), name, status, output);
    return output;
}

/* The number that follows `before` in the text. */
static double number_after(const char *text, const char *before) {
    const char *at = strstr(text, before);
    ck_assert_msg(at != NULL, "there is no \"%s\" in: %s", before, text);
    char *end;
    double value = strtod(at + strlen(before), &end);
    ck_assert_msg(end > at + strlen(before), "no number follows \"%s\" in: %s", before, text);
    return value;
}

#define assert_near(found, expected, within) \
 ck_assert_msg(fabs((found) - (expected)) <= (within), #found " is %.9g, not %.9g", (found), (expected))

/* ---- all examples ---- */

START_TEST(all_are_tested) {
    DIR *dir = opendir("examples");
    ck_assert_msg(dir != NULL, "examples/ is not here; run from the top of the repository");
    int files = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        size_t n = strlen(entry->d_name);
        if (n < 3 || strcmp(entry->d_name + n - 2, ".c")) continue;
        bool known = false;
        for (int i = 0; i < EXAMPLES; i++)
            known |= strlen(examples[i]) == n - 2 && !strncmp(entry->d_name, examples[i], n - 2);
        ck_assert_msg(known, "examples/%s has no test here", entry->d_name);
        files++;
    }
    closedir(dir);
    ck_assert_int_eq(files, EXAMPLES);
}
END_TEST

/* Each example includes <tapeloom.h> and no other header of the library; its first comment says how to run it. */
START_TEST(read_on_their_own) {
    for (int i = 0; i < EXAMPLES; i++) {
        char path[128], how[128];
        snprintf(path, sizeof path, "examples/%s.c", examples[i]);
        snprintf(how, sizeof how, "build/%s%s", examples[i], *arguments_of(examples[i]) ? " " : "\n");
        char *text = read_text_file(path);
        ck_assert_msg(!strncmp(text, "/* ", 3), "%s should begin with a comment", path);
        const char *end = strstr(text, "*/"), *told = strstr(text, how);
        ck_assert_msg(told && told < end, "the first comment of %s should say %s", path, how);
        ck_assert_msg(!strstr(text, "#include \""), "%s: public headers only, in <>", path);
        int ours = 0;
        for (const char *at = text; (at = strstr(at, "tapeloom")); at++) ours++;
        ck_assert_msg(ours == 1 && strstr(text, "\n#include <tapeloom.h>\n"),
                      "%s should include <tapeloom.h> and nothing else of ours", path);
        free(text);
    }
}
END_TEST

START_TEST(some_are_short) {
    static const struct {
        const char *file;
        int lines;
    } most[] = {{"examples/copy_task.c", 100},
                {"examples/bahdanau.c", 150},
                {"examples/char_lm.c", 100},
                {"examples/sentence_classifier.c", 100},
                {"examples/reverse_digits.c", 100}};
    for (size_t i = 0; i < sizeof most / sizeof *most; i++) {
        char *text = read_text_file(most[i].file);
        int lines = 0;
        for (const char *c = text; *c; c++) lines += *c == '\n';
        ck_assert_msg(lines < most[i].lines, "%s has %d lines", most[i].file, lines);
        free(text);
    }
}
END_TEST

/* If the output file may not grow (ulimit -f, in blocks of 512 or 1024 bytes), the program prints an error message; no
 * signal ends it. The limit leaves room for small files, because LLVM's OpenMP makes one when it begins. */
START_TEST(limit_of_file_sizes) {
    for (int i = 0; i < EXAMPLES; i++) {
        if (trains(examples[i])) continue; /* too slow to run here: their sources are checked below */
        char file[] = "/tmp/tl_example_XXXXXX";
        int status, fd = mkstemp(file);
        ck_assert_int_ge(fd, 0);
        close(fd);
        char *said = shell(
            &status, "head -c 131072 /dev/zero >%s; (ulimit -f 128; cd %s; exec %s%s 2>&1 >>%s) | cat; rm %s",
            file, folder_of(examples[i]), path_of(examples[i]), arguments_of(examples[i]), file, file);
        ck_assert_msg(strstr(said, "File too large; raise the limit for file sizes (ulimit -f)"), "%s: %s",
                      examples[i], said);
        free(said);
    }
    for (int i = 0; i < TRAINERS; i++) {
        char path[128];
        snprintf(path, sizeof path, "examples/%s.c", trainers[i]);
        char *text = read_text_file(path);
        const char *begin = strstr(text, "\nint main(");
        ck_assert_msg(begin && !strncmp(strchr(begin + 1, '\n'), "\n    tl_streams_open();", 23),
                      "%s should begin with tl_streams_open", path);
        assert_contains(text, "tl_output_close(stdout, &");
        free(text);
    }
    unlink("/tmp/tl_study.html");
}
END_TEST

/* ---- a tape on scalars ---- */

/* The row of the table that has this label; ended by the line. */
static void row(const char *table, const char *label, char text[256]) {
    for (const char *line = table; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        char operation[64], name[64];
        if (sscanf(line, "%*d %63s %63s", operation, name) == 2 && !strcmp(name, label)) {
            snprintf(text, 256, "%.*s", (int)strcspn(line, "\n"), line);
            return;
        }
    }
    ck_abort_msg("there is no row \"%s\" in: %s", label, table);
}

START_TEST(scalar_tape) {
    char *out = run("scalar_tape"), text[256];
    const char *after = strstr(out, "the tape after backward"), *dot = strstr(out, "digraph tape {");
    ck_assert_msg(after && dot && dot > after, "%s", out);
    static const char *const labels[] = {"w", "b", "sum", "y", "loss"};
    for (int i = 0; i < 5; i++) {
        row(out, labels[i], text);
        assert_contains(text, "not computed"); /* before backward */
        row(after, labels[i], text);
        ck_assert_msg(!strstr(text, "not computed"), "after backward: %s", text);
        ck_assert_msg(!strstr(text, "recycled") == (strchr("wby", *labels[i]) != NULL), "%s", text);
    }
    row(out, "y", text);
    assert_contains(text, "tanh");
    row(out, "target", text);
    assert_contains(text, "none wanted");

    double y = tanh(0.6 * 1.5 - 0.4), dy = 2 * (y - 0.9), dsum = dy * (1 - y * y);
    assert_near(number_after(dot, " y = "), y, 2e-6);
    assert_near(number_after(dot, " L = "), (y - 0.9) * (y - 0.9), 2e-6);
    assert_near(number_after(dot, "dL/dy = "), dy, 2e-6);
    assert_near(number_after(dot, "dL/db = "), dsum, 2e-6);
    assert_near(number_after(dot, "dL/dw = "), dsum * 1.5, 2e-6);
    assert_near(number_after(dot, "dL/dw by hand = "), dsum * 1.5, 2e-6);
    assert_contains(dot, ": equal\n");

    row(after, "w", text); /* one element: its norm is its absolute value */
    double norm = strtod(strrchr(text, ' '), NULL);
    assert_near(norm, fabs(dsum * 1.5), 6e-6); /* printed with six digits */
    int edges = 0;
    for (const char *at = dot; (at = strstr(at, " -> ")); at++) edges++;
    ck_assert_int_eq(edges, 8); /* mul 2, add 2, tanh 1, sub 2, power 1 */
    assert_contains(dot, "\n}\n");
    free(out);
}
END_TEST

/* ---- linear regression ---- */

START_TEST(linear_regression) {
    char *out = run("linear_regression");
    double first = number_after(out, "step   1  loss "), second = number_after(out, "step   2  loss ");
    double middle = number_after(out, "step  50  loss "), last = number_after(out, "step 100  loss ");
    ck_assert_msg(first > second && second > middle && middle >= last, "%s", out);
    ck_assert_msg(first > 1 && last > 0.008 && last < 0.012, "the noise has variance 0.01: %s", out);
    assert_near(number_after(out, "\nw1 "), 2.0, 0.04);
    assert_near(number_after(out, "\nw2 "), -3.0, 0.04);
    assert_near(number_after(out, "\nb  "), 0.5, 0.02);
    free(out);
}
END_TEST

/* ---- attention step by step ---- */

START_TEST(attention_steps) {
    static const struct {
        const char *name, *shape;
    } steps[] = {
        {"x", "[32,10,512]"},        {"W_q", "[512,512]"},        {"W_k", "[512,512]"},
        {"W_v", "[512,512]"},        {"W_o", "[512,512]"},        {"Q", "[32,10,512]"},
        {"K", "[32,10,512]"},        {"V", "[32,10,512]"},        {"Q heads", "[32,8,10,64]"},
        {"K heads", "[32,8,10,64]"}, {"V heads", "[32,8,10,64]"}, {"K^T", "[32,8,64,10]"},
        {"scores", "[32,8,10,10]"},  {"scaled", "[32,8,10,10]"},  {"P", "[32,8,10,10]"},
        {"context", "[32,8,10,64]"}, {"joined", "[32,10,512]"},   {"y", "[32,10,512]"},
    };
    enum { STEPS = sizeof steps / sizeof *steps };
    char *out = run("attention_steps"), *back = strstr(out, "\nbackward");
    ck_assert_msg(back != NULL, "%s", out);
    *back++ = 0;
    double norm[STEPS];
    const char *place = out;
    for (int i = 0; i < STEPS; i++) { /* forward: each line in its order */
        char start[64], line[256];
        snprintf(start, sizeof start, "\n%-12s ", steps[i].name);
        place = strstr(place, start);
        ck_assert_msg(place != NULL, "no step \"%s\", or not in its place, in: %s", steps[i].name, out);
        snprintf(line, sizeof line, "%.*s", (int)strcspn(place + 1, "\n"), place + 1);
        ck_assert_msg(!strcmp(strrchr(line, ' ') + 1, steps[i].shape), "%s: not %s", line, steps[i].shape);
        place++;
    }
    assert_contains(out, "else TL_BLOCK [32,1,1,10]\n");
    place = back;
    for (int i = STEPS - 1; i >= 0; i--) { /* and back */
        char start[64], shape[64];
        snprintf(start, sizeof start, "\ndL/d %-13s ", steps[i].name);
        place = strstr(place, start);
        ck_assert_msg(place != NULL, "no \"%s\", or not in its place, in: %s", start, back);
        ck_assert_int_eq(sscanf(place + strlen(start), "%63s norm %lf", shape, &norm[i]), 2);
        ck_assert_str_eq(shape, steps[i].shape);
        ck_assert_msg(norm[i] > 0 && isfinite(norm[i]), "dL/d %s: %g", steps[i].name, norm[i]);
        place++;
    }
    enum { Q = 5, K, V, Q_HEADS, K_HEADS, V_HEADS, K_T, SCORES, SCALED, CONTEXT = 15, JOINED, Y };
    assert_near(norm[Y], sqrt(32.0 * 10 * 512), 4.0); /* the norm of 32 * 10 * 512 normal random numbers */
    assert_near(norm[SCORES], norm[SCALED] / 8, 1e-4 * norm[SCORES] + 1e-4); /* sqrt(d_k) = 8 */
    assert_near(norm[CONTEXT], norm[JOINED], 1e-3); /* the same numbers in another order */
    assert_near(norm[K_T], norm[K], 1e-3);
    assert_near(norm[K_HEADS], norm[K], 1e-3);
    assert_near(norm[Q_HEADS], norm[Q], 1e-3);
    assert_near(norm[V_HEADS], norm[V], 1e-3);
    assert_contains(back, "at padded keys: norm of P 0, norm of dL/d scaled 0\n");
    free(out);
}
END_TEST

/* With a file's name as its argument, the program writes a picture of the tape to that file. */
START_TEST(attention_steps_as_a_picture) {
    char page[] = "/tmp/tl_picture_XXXXXX";
    int status;
    ck_assert_int_ge(mkstemp(page), 0);
    char *out = shell(&status, "%s %s", path_of("attention_steps"), page);
    ck_assert_msg(status == 0, "%d: %s", status, out);
    free(out);
    char *dot = read_text_file(page);
    assert_contains(dot, "digraph tape {");
    assert_contains(dot, "matmul\\nscores\"");
    assert_contains(dot, " K^T \\n [32,8,64,10] \\n |grad| ");
    assert_contains(dot, "W_q [512,512]\\n|grad| ");
    free(dot);
    remove(page);
    out = shell(&status, "%s /nowhere/tape.dot", path_of("attention_steps"));
    ck_assert_int_eq(status, 1);
    assert_contains(out, "attention_steps: /nowhere/tape.dot: cannot be written");
    free(out);
}
END_TEST

/* ---- the attention layer ---- */

/* Reads the matrix printed behind a title: "<title> of sentence 0, head 2 [5,5]" and five lines. */
static void matrix(const char *out, const char *title, double m[5][5]) {
    char start[128];
    snprintf(start, sizeof start, "%s of sentence 0, head 2 [5,5]\n", title);
    const char *at = strstr(out, start);
    ck_assert_msg(at != NULL, "there is no \"%s\" in: %s", start, out);
    at += strlen(start);
    for (int i = 0; i < 25; i++) {
        at += strspn(at, "[] \n");
        char *end;
        m[i / 5][i % 5] = strtod(at, &end);
        ck_assert_msg(end > at, "element %d of %s is not a number", i, start);
        at = end;
    }
    ck_assert_msg(!strncmp(at, "]]\n", 3), "%s is not 5 by 5", start);
}

START_TEST(attention_layer) {
    char *out = run("attention_layer");
    double s[5][5], p[5][5], dp[5][5], size = 0;
    matrix(out, "scores QK^T / sqrt(d_k)", s);
    matrix(out, "probabilities P", p);
    matrix(out, "gradients dL/dP", dp);
    for (int i = 0; i < 5; i++) {
        double sum = 0, expected[5];
        for (int j = 0; j < 4; j++) sum += expected[j] = exp(s[i][j]);             /* key 4 is padding */
        for (int j = 0; j < 4; j++) assert_near(p[i][j], expected[j] / sum, 2e-4); /* printed: 4 decimals */
        ck_assert_msg(p[i][4] == 0, "row %d gives %g to padding", i, p[i][4]);
        for (int j = 0; j < 4; j++) size += fabs(dp[i][j]);
    }
    ck_assert_msg(size > 0.1, "dL/dP is all but zero: %s", out);
    static const char *const compared[] = {"output", "gradient of the words", "gradients of parameters"};
    for (int i = 0; i < 3; i++) {
        char line[128];
        snprintf(line, sizeof line, "\n%-24s with and without maps: bit-identical\n", compared[i]);
        assert_contains(out, line);
    }
    free(out);
}
END_TEST

/* ---- the copy task ---- */

/* Training takes seconds, but minutes with sanitizers; then the test is skipped. */
START_TEST(copy_task) {
#ifdef TL_SANITIZED
    TL_SKIP("copy_task: too slow with sanitizers");
#else
    char *out = run("copy_task");
    const char *last = out;
    for (const char *at = out; (at = strstr(at, "\nstep ")); at++) last = at;
    ck_assert_msg(number_after(out, "step    1  loss ") > 1, "%s", out);
    ck_assert_msg(number_after(last, "loss ") < 0.02, "the loss did not fall: %s", out);
    ck_assert_msg(number_after(out, "unseen sequences: ") >= 500, "too few to say much: %s", out);
    assert_contains(out, ", exact match: 100.0 %\n");
    free(out);
#endif
}
END_TEST

/* ---- Bahdanau's recurrent model with attention ---- */

/* The numbers of a line, without its other words; how many there are. */
static int numbers_of(const char *line, double *number, int most) {
    int count = 0;
    for (const char *p = line; *p && *p != '\n' && count < most;) {
        char *end;
        number[count] = strtod(p, &end);
        count += end > p;
        p = end > p ? end : p + 1;
    }
    return count;
}

/* The output is the source reversed, and the largest weight of each word is on the source word that it copies. */
START_TEST(bahdanau) {
    char *out = run("bahdanau");
    const char *last = out, *line = strstr(out, "\nalignment ");
    for (const char *at = out; (at = strstr(at, "\nstep ")); at++) last = at;
    assert_near(number_after(out, "step    1  loss "), log(13), 0.3); /* uniform over 13 words */
    ck_assert_msg(number_after(last, "loss ") < 0.05, "the loss did not fall: %s", out);
    ck_assert_msg(line != NULL, "%s", out);
    double source[8], row[9];
    const int length = numbers_of(++line, source, 8);
    ck_assert_msg(length >= 3, "too short to say much: %s", out);
    for (int i = 0; i < length; i++) {
        line = strchr(line, '\n') + 1;
        const int numbers = numbers_of(line, row, 9);
        ck_assert_msg(numbers == length + 2, "not a word and %d weights: %.80s", length + 1, line);
        ck_assert_msg(row[0] == source[length - 1 - i], "word %d of: %s", i, out);
        double sum = 0;
        for (int j = 1; j < numbers; j++) {
            sum += row[j];
            ck_assert_msg(row[j] <= row[length - i], "word %d does not attend most to its source: %s", i,
                          out);
        }
        assert_near(sum, 1.0, 0.005 * numbers);
    }
    ck_assert_msg(!strncmp(strchr(line, '\n') + 1, "    <eos>", 9), "no end: %s", out);
    free(out);
}
END_TEST

/* ---- a language model of characters ---- */

/* The model reproduces its six training lines exactly; it can also be trained on another text. */
START_TEST(char_lm) {
#ifdef TL_SANITIZED
    TL_SKIP("char_lm: too slow with sanitizers");
#else
    char *out = run("char_lm"), *source = read_text_file("examples/char_lm.c"), lines[512] = "";
    const char *last = out;
    for (const char *at = out; (at = strstr(at, "\nstep ")); at++) last = at;
    assert_near(number_after(out, "step   1  loss "), log(256), 0.1); /* uniform over 256 bytes */
    ck_assert_msg(number_after(last, "loss ") < 0.1, "the loss did not fall: %s", out);
    const char *end = strstr(source, "static const char own[]"); /* "…\n" of each line of LINES */
    ck_assert_ptr_nonnull(end);
    for (char *at = strstr(source, "#define LINES"); (at = strchr(at, '"')) && at < end;) {
        char *close = strchr(at + 1, '"');
        strncat(lines, at + 1, strcspn(at + 1, "\\"));
        strcat(lines, "\n");
        at = close + 1;
    }
    assert_contains(lines, "The weaver");
    assert_contains(out, lines);
    free(out), free(source);
    int status;
    out = shell(&status, "printf '%%02000d' 7 | %s/char_lm -", build_folder());
    ck_assert_msg(status == 0, "%s", out);
    assert_contains(out, "\n0000000000");
    free(out);
    out = shell(&status, "%s/char_lm no/such/file 2>&1", build_folder());
    ck_assert_int_eq(status, 1);
    assert_contains(out, "char_lm: cannot read no/such/file: No such file or directory");
    free(out);
    out = shell(&status, "echo short | %s/char_lm - 2>&1", build_folder());
    ck_assert_int_eq(status, 1);
    assert_contains(out, "char_lm: give a text of more than 64 bytes");
    free(out);
#endif
}
END_TEST

/* ---- a classifier of sentences ---- */

START_TEST(sentence_classifier) {
    char *out = run("sentence_classifier");
    assert_contains(out, "transformer  100.0 % right\n");
    const double average = number_after(out, "average ");
    ck_assert_msg(average > 25 && average < 52, "without the order of words at most half can be right: %s",
                  out);
    free(out);
}
END_TEST

/* ---- sixteen digits reversed ---- */

START_TEST(reverse_digits) {
#ifdef TL_SANITIZED
    TL_SKIP("reverse_digits: too slow with sanitizers");
#else
    char *out = run("reverse_digits");
    assert_contains(out, "\nsequences it has never seen: 10000, digits right: 100.00 %\n");
    free(out);
#endif
}
END_TEST

/* ---- programs that read a trained run ---- */

/* The number of lines without comments, blank lines and includes. */
static int lines_of_code(const char *text) {
    int count = 0;
    bool comment = false;
    for (const char *line = text; *line; line += strcspn(line, "\n") + (strchr(line, '\n') != NULL)) {
        comment |= !strncmp(line, "/*", 2);
        count += !comment && *line != '\n' && *line != '#';
        if (comment && strstr(line, "*/") && strstr(line, "*/") < line + strcspn(line, "\n")) comment = false;
    }
    return count;
}

START_TEST(read_a_run) {
    char *text = read_text_file("examples/read_a_run.c");
    const int lines = lines_of_code(text);
    ck_assert_msg(lines > 10 && lines <= 30, "examples/read_a_run.c has %d lines of code", lines);
    free(text);
    int status;
    char *out = run("read_a_run");
    char *said =
        shell(&status, "echo 'the dog sleeps' | %s/translate translate --model tests/golden/run --beam 1",
              build_folder());
    ck_assert_int_eq(status, 0);
    ck_assert_msg(!strncmp(out, said, strlen(said)), "says\n%s, and translate says\n%s", out, said);
    /* a row of P adds up to 1, as printed */
    const char *row = strstr(out, "[["), *end = row ? strchr(row, ']') : NULL;
    ck_assert_msg(row && end, "%s", out);
    double sum = 0;
    for (char *at = (char *)row + 2; at < end;) sum += strtod(at, &at);
    assert_near(sum, 1.0, 0.002);
    row = strstr(end, "[["); /* dL/dP: not all zero */
    ck_assert_msg(row && strpbrk(row, "123456789"), "%s", out);
    free(out);
    free(said);
    out = shell(&status, "%s/read_a_run tests/golden x", build_folder());
    ck_assert_int_eq(status, 1);
    assert_contains(out, "read_a_run: cannot read tests/golden/config.txt: No such file or directory");
    free(out);
}
END_TEST

/* The environment variable TL_ISA chooses the instruction set of every program. If it names one that does not exist
 * here, the tape's error lists those that do. */
START_TEST(instruction_sets) {
    for (int i = 0; i < EXAMPLES; i++) {
        int status;
        char *out = shell(&status, "cd %s && TL_ISA=mmx %s%s", folder_of(examples[i]), path_of(examples[i]),
                          arguments_of(examples[i])),
             expected[128];
        snprintf(expected, sizeof expected,
                 "%s: TL_ISA: instruction set \"mmx\": this machine and build have base", examples[i]);
        ck_assert_msg(status == 1 && strstr(out, expected), "%s: %d, %s", examples[i], status, out);
        free(out);
    }
    setenv("TL_ISA", "base", 1);
    free(run("scalar_tape"));
    free(run("attention_layer")); /* it compares the bits with and without maps itself */
}
END_TEST

START_TEST(attention_study) {
    char *text = read_text_file("examples/attention_study.c"), *out, page[] = "/tmp/tl_study_XXXXXX";
    const int lines = lines_of_code(text);
    ck_assert_msg(lines > 20 && lines <= 40, "examples/attention_study.c has %d lines of code", lines);
    free(text);
    int status;
    ck_assert_int_ge(mkstemp(page), 0);
    out = shell(&status, "cd tests/golden && %s run 'the dog sleeps' %s", path_of("attention_study"), page);
    ck_assert_msg(status == 0, "%s", out);
    const double all = number_after(out, "(with all ");
    int heads = 0; /* each has a line; ablating some of them changes the loss */
    bool differ = false;
    for (char *at = out; (at = strstr(at, "\nencoder.layers.0.self")) || heads == 0; at++, heads++)
        if (!at) break;
    ck_assert_int_eq(heads, 2);
    for (char *at = strstr(out, "\nencoder"); at && strncmp(at + 1, "\ndL/dS", 6) && at[1] != '\n';
         at = strchr(at + 1, '\n')) {
        char name[64];
        int head;
        double importance, loss;
        if (sscanf(at, "%63s %d %lf %lf", name, &head, &importance, &loss) == 4)
            differ |= fabs(loss - all) > 1e-4;
    }
    ck_assert(differ);
    assert_contains(out, "dL/dS of decoder.layers.0.cross, head 0:");
    free(out);
    text = read_text_file(page);
    assert_contains(text, "<!doctype html>");
    free(text);
    unlink(page);
    out = shell(&status, "%s/attention_study tests/golden/run x y 2>&1", build_folder());
    ck_assert_int_eq(status, 1);
    assert_contains(out, "attention_study: cannot read pairs.tsv");
    free(out);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, all_are_tested);
    tcase_add_test(tc, read_on_their_own);
    tcase_add_test(tc, some_are_short);
    tcase_add_test(tc, limit_of_file_sizes);
    tcase_add_test(tc, scalar_tape);
    tcase_add_test(tc, linear_regression);
    tcase_add_test(tc, attention_steps);
    tcase_add_test(tc, attention_steps_as_a_picture);
    tcase_add_test(tc, attention_layer);
    tcase_add_test(tc, copy_task);
    tcase_add_test(tc, bahdanau);
    tcase_add_test(tc, char_lm);
    tcase_add_test(tc, sentence_classifier);
    tcase_add_test(tc, reverse_digits);
    tcase_add_test(tc, read_a_run);
    tcase_add_test(tc, attention_study);
    tcase_add_test(tc, instruction_sets);
}

TL_TEST_MAIN("examples: what they print")
