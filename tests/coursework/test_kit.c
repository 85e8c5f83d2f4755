/* The folder that `make coursework` writes has all files and no answers, and it overwrites nothing. In it starters
 * compile and get no points, and answers get all points, with a checkout and with an installed library. The answers of
 * tier 2 can replace the library's operations. */
#define _XOPEN_SOURCE 700
#include "folder.h"

/* ---- what is written ---- */

START_TEST(the_folder_is_whole) {
    sh("cd \"$K\" && ls Makefile README.md course.mk settings.mk tasks runner/runner.c runner/watched.h");
    sh("cd \"$K\" && ls -d [0-9]*");
    int tasks = 0;
    for (const course_task *const *t = course_tasks; *t; t++) {
        const char *name = (*t)->name;
        tasks++;
        assert_contains(said, folder_of(*t));
        must_msg(try("cd \"$K/%s\" && ls Makefile README.md predict.txt", folder_of(*t)) == 0, "%s", said);
        const bool own = exists("coursework/%s/%s.c", name, name);
        if (own)
            must_msg(try("cd \"$K/%s\" && ls %s.c %s.h && cmp %s.c ../runner/%s/starter/%s.c", folder_of(*t),
                         name, name, name, name, name) == 0,
                     "%s", said);
        sh("cd \"$K\" && ls -d [0-9]*");
    }
    int folders = 0;
    for (const char *at = said; *at; at++) folders += *at == '\n';
    ck_assert_int_eq(folders, tasks);
    /* The folder of answers has the same files. */
    sh("(cd \"$K\" && find . -type f | LC_ALL=C sort) > \"$T/k\"; (cd \"$S\" && find . -type f | LC_ALL=C "
       "sort) > "
       "\"$T/s\"; diff \"$T/k\" \"$T/s\" > \"$T/d\"; cat \"$T/d\"");
    ck_assert_ptr_null(strstr(said, "< "));
    assert_contains(said, "> ./ANSWERS-DO-NOT-HAND-OUT.md\n");
}
END_TEST

static void trim(char *line) {
    char *from = line + strspn(line, " \t");
    memmove(line, from, strlen(from) + 1);
    for (size_t n = strlen(line); n > 0 && strchr(" \t\r\n", line[n - 1]);) line[--n] = '\0';
}

/* Writes the lines between a solution's marks to `to`, without short lines and loop heads, which other files may have
 * too. Returns how many. */
static int answers_of(const char *path, FILE *to) {
    FILE *f = fopen(path, "r");
    must(f);
    char line[512];
    bool between = false;
    int lines = 0;
    while (fgets(line, sizeof line, f)) {
        trim(line);
        if (strcmp(line, "/* <<< */") == 0) between = false;
        const bool plain = strlen(line) < 24 || strncmp(line, "for (", 5) == 0 || !strchr(line, ';');
        if (between && !plain) fprintf(to, "%s\n", line), lines++;
        if (strcmp(line, "/* >>> */") == 0) between = true;
    }
    must_msg(!between, "%s: a mark is not closed", path);
    fclose(f);
    return lines;
}

START_TEST(no_answer_is_in_it) {
    must_msg(try("grep -rlE '>>>|<<<' \"$K\" --include=*.c --include=*.h") == 1, "%s", said);
    sh("cd \"$K\" && find . -name model.c -o -name other -o -name '*model*' -o -name handout.md -o -name "
       "files");
    ck_assert_str_eq(said, "");
    sh("grep -rlE 'THESE ARE THE ANSWERS|^ANSWERS' \"$S\"/*.mk \"$S\"/*.md");
    must_msg(try("grep -rlE 'THESE ARE THE ANSWERS|^ANSWERS' \"$K\"/*.mk \"$K\"/*.md") == 1, "%s", said);
    char *list = join(all.folder, "lines"), path[256];
    sh("ls coursework/*/*.c");
    char *files = strcpy(malloc(strlen(said) + 1), said);
    int lines = 0;
    for (const course_task *const *t = course_tasks; *t; t++)
        for (char *rest = files, *end; *rest; rest = end + 1) {
            end = strchr(rest, '\n');
            snprintf(path, sizeof path, "%.*s", (int)(end - rest), rest);
            char folder[80];
            snprintf(folder, sizeof folder, "coursework/%s/", (*t)->name);
            if (strncmp(path, folder, strlen(folder)) != 0 || strstr(path, "model")) continue;
            FILE *to = fopen(list, "w");
            const int here = answers_of(path, to);
            lines += here;
            fclose(to);
            if (here > 0)
                must_msg(try("grep -rnFf \"$T/lines\" \"$K\"") == 1, "%s: an answer is in the kit\n%.1000s",
                         path, said);
        }
    must_msg(lines > 4, "the answers have %d lines only: are the marks what this test takes them for?",
             lines);
    free(files);
    free(list);
}
END_TEST

START_TEST(predictions_are_asked_for) {
    for (const course_task *const *t = course_tasks; *t; t++) {
        char *path = join(getenv("K"), folder_of(*t)), *file = join(path, "predict.txt"), line[1100];
        char *text = read_text_file(file);
        bool given[2];
        double answer[2];
        for (int i = 0; i < 2; i++) {
            must_msg((*t)->questions[i].text, "%s: question %d is missing", (*t)->name, i + 1);
            snprintf(line, sizeof line, "\n# %d. %s\n%d:\n", i + 1, (*t)->questions[i].text, i + 1);
            assert_contains(text, line);
        }
        must(course_predictions(file, given, answer) && !given[0] && !given[1]);
        free(text), free(file), free(path);
        path = join(getenv("S"), folder_of(*t)), file = join(path, "predict.txt");
        must(course_predictions(file, given, answer));
        for (int i = 0; i < 2; i++)
            must_msg(given[i] && course_predicted(&(*t)->questions[i], answer[i]), "%s: answer %d is %g",
                     (*t)->name, i + 1, answer[i]);
        free(file), free(path);
    }
}
END_TEST

START_TEST(predictions_are_read) {
    char *path = join(all.folder, "predict.txt"), *text;
    bool given[2];
    double answer[2];
    must(!course_predictions(path, given, answer) && !given[0]);
    put_text(path, "# 1: 9\n# 2. what?\n 1 : 1/4 \n2: -2.5e1, I think\n12: 7\n3: 4\n");
    must(course_predictions(path, given, answer) && given[0] && given[1]);
    ck_assert_double_eq(answer[0], 0.25);
    ck_assert_double_eq(answer[1], -25);
    put_text(path, "1: perhaps\n2: 1/\n");
    must(course_predictions(path, given, answer) && !given[0] && !given[1]);
    put_text(path, "1: 2");
    must(course_predictions(path, given, answer) && given[0] && answer[0] == 2);
    /* The report says whether a prediction is right, and never the right answer. */
    static const course_task task = {.name = "x", .questions = {{"how many?", 3, 0.1}, {"how much?", 7, 0}}};
    put_text(path, "1: 3.05\n2: 8\n");
    FILE *to = tmpfile();
    course_print_predictions(&task, path, to);
    rewind(to);
    text = read_all(to);
    fclose(to);
    ck_assert_str_eq(text, "  prediction 1: 3.05 is right\n"
                           "  prediction 2: 8 is not what comes out. Try it, and find out why.\n");
    free(text), free(path);
}
END_TEST

/* ---- where it is written ---- */

START_TEST(nothing_is_overwritten) {
    sh("mkdir -p \"$T/work/03-softmax\" && echo mine > \"$T/work/03-softmax/softmax.c\"");
    must(try("eval \"$MAKE_TOP\" coursework 'OUT=\"$T/work\"'") == 2);
    assert_contains(said, "/work is there already and is left as it is: it may hold somebody's work.");
    sh("cd \"$T\" && find work && cat work/03-softmax/softmax.c");
    ck_assert_str_eq(said, "work\nwork/03-softmax\nwork/03-softmax/softmax.c\nmine\n");
    sh("echo mine > \"$T/file\"");
    must(try("eval \"$MAKE_TOP\" coursework-solutions 'OUT=\"$T/file\"'") == 2);
    sh("cat \"$T/file\" && ls -d \"$T\"/work.* \"$T\"/file.* 2>/dev/null | wc -l | tr -d ' '");
    ck_assert_str_eq(said, "mine\n0\n"); /* and no temporary files are left */
    must(try("eval \"$MAKE_TOP\" coursework") == 2);
    assert_contains(said, "Say where: make coursework OUT=~/course");
}
END_TEST

START_TEST(any_place_will_do) {
    static const char *const places[][2] = {{"~/my course", "$T/home/my course"},
                                            {"$T/new/it's & $$HOME\\#1", "$T/new/it's & $HOME#1"},
                                            {"$T/slash/", "$T/slash"}};
    sh("mkdir -p \"$T/home\" \"$T/slash\""); /* an empty folder may be used */
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char place[512];
        setenv("HOME", join(all.folder, "home"), 1);
        snprintf(place, sizeof place, "%s%s", places[i][0][0] == '~' ? "" : all.folder,
                 places[i][0] + (places[i][0][0] == '~' ? 0 : 2));
        for (char *hash; (hash = strstr(place, "\\#")) != NULL;) memmove(hash, hash + 1, strlen(hash));
        setenv("PLACE", place, 1);
        snprintf(place, sizeof place, "%s%s", all.folder, places[i][1] + 2);
        setenv("THERE", place, 1);
        sh("eval \"$MAKE_TOP\" coursework '\"OUT=$PLACE\"'");
        assert_contains(said, "Begin with README.md there.");
        sh("cd \"$THERE\" && diff -r . \"$K\" && make list && make -s clean");
    }
}
END_TEST

/* A task may add files to its folder, some of them starters, and a part of its Makefile. */
START_TEST(a_task_brings_what_it_needs) {
    sh("mkdir -p \"$T/own\" && cp -R coursework/cut coursework/make-kit coursework/kit \"$T/own\" && cd "
       "\"$T/own\" && "
       "mkdir -p softmax/data && echo 1 > softmax/data/a && echo 2 > softmax/more.h && printf "
       "'int f(void) {\\n    /* >>> */\\n    return 42;\\n    /* <<< */\\n}\\n' > softmax/extra.c && printf "
       "'%%s\\n' "
       "'# more' data 'more.h -> include/more.h' '' 'cut extra.c' > softmax/files && "
       "printf 'hello:\\n\\t@echo it is $(NAME)\\n' > softmax/kit.mk && "
       "printf '#!/bin/sh\\ntest $1 = list && echo \"03|softmax|Softmax|4|-|1\"; exit 0\\n' > marker && "
       "chmod +x marker && "
       "sh make-kit --marker ./marker \"$T/own kit\" && sh make-kit --solutions --marker ./marker \"$T/own "
       "answers\"");
    sh("cd \"$T/own kit/03-softmax\" && cat data/a include/more.h extra.c && make -s hello");
    ck_assert_str_eq(said, "1\n2\nint f(void) {\n    /* Your code here. */\n}\nit is softmax\n");
    sh("cd \"$T/own answers/03-softmax\" && grep -c 42 extra.c");
}
END_TEST

/* ---- starters ---- */

static bool in_tier(const course_task *task, int tier) {
    if (tier == 2 && !has_tier2) return false;
    return tier == 1 ? task->tier1 && exists("coursework/%s/%s.c", task->name, task->name)
                     : task->tier2 && try("ls coursework/%s/*_op.c", task->name) == 0;
}

START_TEST(starters_compile_and_get_nothing) {
    if (!has_tier2) TL_SKIP("tier 2: runners hand over floats");
    sh("cp -R \"$K\" \"$T/starters\"");
    for (const course_task *const *t = course_tasks; *t; t++)
        for (int tier = 1; tier <= 2; tier++) {
            if (!in_tier(*t, tier)) continue;
            must_msg(try("cd \"$T/starters/%s\" && make -s build/O2/tier%d CFLAGS=-Werror", folder_of(*t),
                         tier) == 0 &&
                         !*said,
                     "%s, tier %d: the starter does not compile without words\n%s", (*t)->name, tier, said);
            must_msg(try("cd \"$T/starters/%s\" && \"$M\" mark %s --tier %d build/O2/tier%d", folder_of(*t),
                         (*t)->name, tier, tier) == 1,
                     "%s", said);
            const char *points = strstr(said, " of 100 points\n");
            must_msg(points, "%s", said);
            while (points > said && points[-1] >= '0' && points[-1] <= '9') points--;
            must_msg(atoi(points) <= 10, "%s, tier %d: the starter gets %d points\n%s", (*t)->name, tier,
                     atoi(points), said);
            assert_contains(said, "\n        "); /* a message */
        }
}
END_TEST

/* ---- answers, through the folder's own Makefiles ---- */

START_TEST(answers_get_everything) {
    for (const course_task *const *t = course_tasks; *t; t++)
        for (int tier = 1; tier <= 2; tier++) {
            if (!in_tier(*t, tier)) continue;
            must_msg(try("cd \"$S/%s\" && make tier%d", folder_of(*t), tier) == 0, "%s, tier %d\n%s",
                     (*t)->name, tier, said);
            assert_contains(said, "  100 of 100 points\n");
            assert_contains(said, "These are the ANSWERS.");
            if (tier == 1) assert_contains(said, "prediction 2: ");
            must_msg(!strstr(said, "warning"), "%s", said);
            /* A second make compiles nothing. */
            sh("cd \"$S/%s\" && touch now && make tier%d && find build -newer now && rm now", folder_of(*t),
               tier);
            must_msg(!strstr(said, "build/"), "%s", said);
        }
    sh("cd \"$S\" && make list");
    for (const course_task *const *t = course_tasks; *t; t++) {
        assert_contains(said, folder_of(*t));
        assert_contains(said, (*t)->title);
    }
}
END_TEST

START_TEST(begun_ones_are_marked_in_a_line) {
    sh("cp -R \"$K\" \"$T/mine\" && cd \"$T/mine\" && make");
    assert_contains(said, "Nothing has been begun yet.");
    sh("cd \"$T/mine\" && cp \"$S/03-softmax/softmax.c\" 03-softmax && make");
    ck_assert_str_eq(said, "03 softmax            tier 1  100 of 100\n");
    sh("cd \"$T/mine\" && make list | grep begun");
    ck_assert_ptr_eq(strstr(said, "03-softmax "), said);
    sh("cd \"$T/mine\" && echo 'int x = ;' >> 03-softmax/softmax.c && make");
    assert_contains(said, "03-softmax, tier 1: not marked, see above\n");
    must(try("cd \"$T/mine/03-softmax\" && make") == 2);
    assert_contains(said, "softmax.c:");
}
END_TEST

START_TEST(cases_depend_on_the_student) {
    /* the message "y[0][0] is …" has a number of the case */
    sh("cp -R \"$K\" \"$T/cases\" && cd \"$T/cases/03-softmax\" && sed 's/dot += p/dot += 3 * p/;s/expf(/2 * "
       "sqrtf(/' "
       "\"$S/03-softmax/softmax.c\" > softmax.c");
    sh("cd \"$T/cases/03-softmax\" && for with in '' '' STUDENT=1 STUDENT=2 SEED=2; do make -s json $with > "
       "\"$T/j\" 2>/dev/null; "
       "cksum < \"$T/j\"; done | sort -u | wc -l | tr -d ' '");
    ck_assert_str_eq(said, "4\n");
    sh("cd \"$T/cases\" && sed 's/^STUDENT ?=/& 2/' settings.mk > n && mv n settings.mk && cd 03-softmax && "
       "{ "
       "make -s json "
       "> \"$T/a\"; make -s json STUDENT=2 > \"$T/b\"; make -s json SEED=1 STUDENT=\"it's\" > \"$T/c\"; } "
       "2>/dev/null; cmp \"$T/a\" \"$T/b\" && ! cmp -s "
       "\"$T/a\" \"$T/c\" && head -c 20 \"$T/c\"");
    assert_contains(said, "{\"task\": \"softmax\"");
}
END_TEST

START_TEST(sanitizers_by_one_word) {
    sh("cp -R \"$S\" \"$T/san\" && cd \"$T/san/03-softmax\" && make sanitize TAPELOOM=\"$TOP\" "
       "TAPELOOM_BUILD=$BUILD || test %d = 0",
       has_tier2);
    assert_contains(said, "03 softmax, tier 1: sanitizers found nothing in ");
    if (has_tier2) assert_contains(said, "03 softmax, tier 2: sanitizers found nothing in ");
    sh("cd \"$T/san/03-softmax\" && sed 's/float dot = 0;/float dot = dy[rows * columns + 17];/' softmax.c > "
       "n && mv n softmax.c");
    must(try("cd \"$T/san/03-softmax\" && make sanitize") == 2);
    assert_contains(said, "softmax_backward, odd sizes:");
    assert_contains(said, "heap-buffer-overflow");
    assert_contains(said, "softmax.c:2");
    sh("cd \"$T/san/03-softmax\" && sed 's/dy.rows \\* columns + 17./(float)(1 << (int)(rows + 40))/' "
       "softmax.c > n && mv n softmax.c");
    must(try("cd \"$T/san/03-softmax\" && make sanitize") == 2);
    assert_contains(said, "runtime error: shift exponent");
}
END_TEST

/* ---- where library and marker are ---- */

#define ELSEWHERE "sed '/^CHECKOUT/d' settings.mk > n && mv n settings.mk"

START_TEST(says_what_is_missing) {
    sh("cp -R \"$S\" \"$T/alone\" && cd \"$T/alone\" && " ELSEWHERE);
    setenv("PKG_CONFIG_LIBDIR", all.folder, 1); /* nothing is installed */
    must(try("cd \"$T/alone/03-softmax\" && PATH=/usr/bin:/bin make") == 2);
    assert_contains(said, "There is no marker here.");
    assert_contains(said, "make TAPELOOM=~/tapeloom");
    must(try("cd \"$T/alone/03-softmax\" && make tier2 MARKER=\"$M\"") == 2);
    assert_contains(said, "Tier 2 needs libtapeloom, and it is not here.\nEither run 'make' in a checkout");
    must(try("cd \"$T/alone/03-softmax\" && make tier2 MARKER=\"$M\" TAPELOOM=\"$T\"") == 2);
    assert_contains(said, "it is not here: there is no ");
    assert_contains(said, "/build/libtapeloom.a.\n");
    sh("cd \"$T/alone/03-softmax\" && make MARKER=\"$M\""); /* tier 1 needs no library */
    must(try("nm build/O2/tier1 | grep -q tl_") == 1);
    sh("cd \"$T/alone\" && HOME=\"$TOP\" make TAPELOOM=~/. TAPELOOM_BUILD=$BUILD"); /* in the parent folder, and with "~" */
    assert_contains(said, "03 softmax            tier 1  100 of 100\n");
    unsetenv("PKG_CONFIG_LIBDIR");
}
END_TEST

/* A folder copied from where `make install` put it, which does not name the checkout. $I is the prefix. */
START_TEST(works_beside_an_installed_library) {
    if (!has_tier2 || try("grep -e fsanitize $BUILD/flags") == 0 || try("pkg-config --version") != 0) {
        TL_SKIP("beside an installed library: it is double or sanitized, or pkg-config is not here");
        return;
    }
    char *prefix = join(all.folder, "in stalled"), *path = calloc(4096, 1);
    setenv("I", prefix, 1);
    /* tools= leaves out the other programs; OPENMP must be that of this build, because the pkg-config file has it */
    sh("grep -q -e -fopenmp $BUILD/flags && openmp=1 || openmp=0; "
       "eval \"$MAKE_TOP\" tools= OPENMP=$openmp install 'PREFIX=\"$I\"' && ls \"$I/bin\"");
    ck_assert_str_eq(said, "tapeloom-marker\n");
    must(try("diff -r \"$I/share/tapeloom/coursework\" \"$K\"") == 1);
    ck_assert_ptr_null(strstr(said, "Only in"));
    assert_contains(said, "settings.mk");
    sh("cp -R \"$I/share/tapeloom/coursework\" \"$T/of installed\" && cp \"$S\"/03-softmax/*.c \"$T/of "
       "installed/03-softmax\"");
    snprintf(path, 4096, "%s/bin:%s", prefix, getenv("PATH"));
    setenv("PATH", path, 1);
    snprintf(path, 4096, "%s/lib/pkgconfig", prefix);
    setenv("PKG_CONFIG_PATH", path, 1);
    for (int named = 1; named >= 0; named--) { /* without PATH, the marker is found by pkg-config */
        if (!named) setenv("PATH", strchr(getenv("PATH"), ':') + 1, 1);
        sh("cd \"$T/of installed/03-softmax\" && make clean && make V=1 && make tier2 V=1");
        assert_contains(said, "stalled/include");
        assert_contains(strstr(said, "points\n") + 1, "  100 of 100 points\n");
        ck_assert_ptr_null(strstr(said, getenv("TOP")));
    }
    /* Install again, over a folder with a user's file: `make uninstall` leaves only that file. */
    sh("cd \"$I/share/tapeloom/coursework\" && mkdir 03-softmax/build && touch 03-softmax/build/mine old && "
       "echo ./old >> "
       "../coursework.files");
    sh("eval \"$MAKE_TOP\" tools= install 'PREFIX=\"$I\"' && cd \"$I/share/tapeloom\" && ls coursework/tasks "
       "&& ! ls "
       "coursework/old 2>/dev/null");
    sh("eval \"$MAKE_TOP\" tools= uninstall 'PREFIX=\"$I\"' && cd \"$I\" && find . -type f && find . -name "
       "'*tapeloom*'");
    ck_assert_str_eq(said, "./share/tapeloom/coursework/03-softmax/build/mine\n./share/tapeloom\n");
    free(prefix), free(path);
}
END_TEST

/* ---- the second tier's answers are the library's operations ---- */

/* The comment with which the file begins. */
static char *first_comment(const char *path) {
    char *text = read_text_file(path), *end = strstr(text, "*/");
    must_msg(end && strncmp(text, "/*", 2) == 0, "%s does not begin with a comment", path);
    end[2] = '\0';
    return text;
}

/* The file of the task's answer that defines this operation; NULL if the task uses the library's. */
static const char *answer_to(const course_task *task, const char *operation) {
    static char path[256];
    if (try("grep -lE '^const tl_op tl_op_%s = ' coursework/%s/*_op.c", operation, task->name) != 0)
        return NULL;
    snprintf(path, sizeof path, "%.*s", (int)strcspn(said, "\n"), said);
    return path;
}
/* Does the task replace whole operations, not just a part of one? */
static bool has_operations(const course_task *task) {
    return task->operations && task->operations[0] && answer_to(task, task->operations[0]);
}
static const char *const double_flag = has_tier2 ? "" : "-DTL_DOUBLE";
#define COMPILE "$CC -std=c11 -w -Iinclude -Icoursework/kit/runner -Icoursework/%s %s"

START_TEST(operations_say_what_the_library_says) {
    for (const course_task *const *t = course_tasks; *t; t++) {
        if (!has_operations(*t)) continue;
        for (const char *const *op = (*t)->operations; *op; op++) {
            const char *answer = answer_to(*t, *op);
            must_msg(answer, "%s: no file defines tl_op_%s", (*t)->name, *op);
            char of_library[256];
            snprintf(of_library, sizeof of_library, "src/autograd/ops/%s.c", *op);
            char *comment = first_comment(of_library), *text = read_text_file(answer);
            must_msg(strncmp(text, comment, strlen(comment)) == 0,
                     "%s does not begin with the first comment of %s:\n%s", answer, of_library, comment);
            free(comment), free(text);
        }
    }
}
END_TEST

#define GLOBALS "grep ' [A-TV-Z] ' | awk '{print $3}' | sed 's/^_tl/tl/' | grep -v ^__ | LC_ALL=C sort -u"

START_TEST(operations_define_what_the_library_defines) {
    for (const course_task *const *t = course_tasks; *t; t++) {
        if (!has_operations(*t)) continue;
        sh("rm -f \"$T\"/*_op.o && for f in $(ls coursework/%s/*_op.c | grep -v model); do " COMPILE
           " -c $f -o "
           "\"$T/$(basename $f .c).o\" || exit 1; done; nm \"$T\"/*_op.o | " GLOBALS
           " > \"$T/ours\"; : > \"$T/all\"",
           (*t)->name, (*t)->name, double_flag);
        for (const char *const *op = (*t)->operations; *op; op++)
            sh("nm $BUILD/obj/src/autograd/ops/%s.o >> \"$T/all\"", *op);
        sh("cat \"$T/all\" | " GLOBALS " > \"$T/theirs\"; grep -q tl_ \"$T/theirs\"");
        must_msg(try("diff \"$T/ours\" \"$T/theirs\"") == 0, "%s: other symbols than the library's:\n%s",
                 (*t)->name, said);
    }
}
END_TEST

static const char *const grader =
    "#include <string.h>\n#include <stdio.h>\n#include <tapeloom.h>\n"
    "int main(int argc, char **argv) {\n    int n, bad = 0, cases = 0;\n    const tl_op_entry *e = "
    "tl_ops(&n);\n"
    "    for (int i = 0; i < n; i++)\n        for (int k = 1; k < argc; k++)\n"
    "            for (const tl_grad_case *c = e[i].cases; !strcmp(argv[k], e[i].name) && c->f; c++) {\n"
    "                tl_gradcheck_report r;\n                cases++;\n                if "
    "(tl_gradcheck_case(c, &r)) continue;\n"
    "                printf(\"%s, %s: %s\\n\", e[i].name, c->what, r.error.message), bad++;\n            }\n"
    "    printf(\"%d cases\\n\", cases);\n    return bad || cases < argc - 1;\n}\n";

/* All answers are linked before the library at once, as in the last assignment. */
START_TEST(operations_pass_the_gradient_check_in_their_place) {
    char *path = join(all.folder, "grader.c"), names[1024] = "";
    put_text(path, grader);
    sh("mkdir \"$T/objects\"");
    for (const course_task *const *t = course_tasks; *t; t++) {
        sh("for f in $(ls coursework/%s/*_op.c 2>/dev/null | grep -v model); do " COMPILE
           " -O1 -c $f -o \"$T/objects/$(basename $f .c).o\" "
           "|| exit 1; done",
           (*t)->name, (*t)->name, double_flag);
        if (!has_operations(*t)) continue;
        for (const char *const *op = (*t)->operations; *op; op++) strcat(strcat(names, " "), *op);
    }
    sh(COMPILE " -O1 \"$T/grader.c\" \"$T\"/objects/*.o $BUILD/libtapeloom%s.a "
               "$(grep -o -e -fopenmp -e '-fsanitize=[a-z,]*' $BUILD/flags | sort -u) -lm -o \"$T/grader\"",
       "softmax", double_flag, has_tier2 ? "" : "-double");
    must_msg(try("\"$T/grader\"%s", names) == 0, "%s", said);
    free(path);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_unchecked_fixture(tc, enter_course, leave_course);
    tcase_add_test(tc, the_folder_is_whole);
    tcase_add_test(tc, no_answer_is_in_it);
    tcase_add_test(tc, predictions_are_asked_for);
    tcase_add_test(tc, predictions_are_read);
    tcase_add_test(tc, nothing_is_overwritten);
    tcase_add_test(tc, any_place_will_do);
    tcase_add_test(tc, a_task_brings_what_it_needs);
    tcase_add_test(tc, starters_compile_and_get_nothing);
    tcase_add_test(tc, answers_get_everything);
    tcase_add_test(tc, begun_ones_are_marked_in_a_line);
    tcase_add_test(tc, cases_depend_on_the_student);
    tcase_add_test(tc, sanitizers_by_one_word);
    tcase_add_test(tc, says_what_is_missing);
    tcase_add_test(tc, works_beside_an_installed_library);
    tcase_add_test(tc, operations_say_what_the_library_says);
    tcase_add_test(tc, operations_define_what_the_library_defines);
    tcase_add_test(tc, operations_pass_the_gradient_check_in_their_place);
}
TL_TEST_MAIN("coursework: the kit")
