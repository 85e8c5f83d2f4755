/* Task 9: a translator with the answers' operations in place of the library's trains as the library's does, in both
 * tiers. The three questions can be answered with build/attend, and known mistakes are named. TL_SLOW=1 trains the
 * whole translator with plain loops. */
#define _XOPEN_SOURCE 700
#include "folder.h"

#include "coursework/translator/looking.h"

#include <tapeloom/op.h>

#include <sys/resource.h>
#include <time.h>

#define STUDENTS 3
static const char *const students[STUDENTS] = {"7", "", "20231234"};

/* A folder with a run for each student; the runs are trained so little that they still make mistakes. */
static void enter(void) {
    setenv("OMP_NUM_THREADS", "1", 1);
    enter_course();
    for (int i = 0; i < STUDENTS; i++)
        sh("mkdir -p \"$T/student%d\" && $BUILD/translate train --pair en-fr --d-model 32 "
           "--heads 4 "
           "--layers 2 --d-ff 64 --dropout 0 --batch-tokens 256 --steps 250 --lr 0.005 --warmup 50 --samples "
           "0 "
           "--best-by loss --validate-every 250 --seed %ld --out \"$T/student%d/run\"",
           i, translator_seed(students[i]), i);
}

static char *path_of(const char *format, ...) {
    static char path[1024];
    va_list arguments;
    va_start(arguments, format);
    const int used = snprintf(path, sizeof path, "%s/", all.folder);
    vsnprintf(path + used, sizeof path - (size_t)used, format, arguments);
    va_end(arguments);
    return path;
}

static tl_run *run_of(int student) {
    tl_error error = {""};
    tl_run *run = tl_run_open(path_of("student%d/run", student), NULL, &error);
    must_msg(run, "%s", error.message);
    return run;
}

static translator_asked asked_of(int student) {
    translator_asked asked;
    tl_error error = {""};
    must_msg(translator_ask(&asked, students[student], &error), "%s", error.message);
    return asked;
}

static void write_answers(int student, const char *text) {
    FILE *to = fopen(path_of("student%d/answers.txt", student), "w");
    must(to);
    must(fputs(text, to) >= 0 && fclose(to) == 0);
}

static course_marks *marks_of(int student, int parts, const char *as) {
    course_marks *m = calloc(1, sizeof *m);
    must(m);
    *m = (course_marks){.task = course_task_named("translator")};
    translator_mark_parts(m, parts, path_of("student%d", student), 1, as);
    return m;
}

static const course_check *check_of(const course_marks *m, const char *what) {
    for (int i = 0; i < m->checks; i++)
        if (strcmp(m->check[i].what, what) == 0) return &m->check[i];
    must_msg(false, "no check is called %s", what);
    return NULL;
}

/* ---- questions ---- */

/* Computes the answers from the table that build/attend writes, in the way that the handout describes. */
static void answer_with_attend(int student, char *answers, size_t size) {
    const translator_asked asked = asked_of(student);
    sh("$BUILD/attend show --model \"$T/student%d/run\" --source \"%s\" --target \"%s\" "
       "--attention decoder.layers.%d.cross --csv \"$T/look.csv\"",
       student, asked.source, asked.target, asked.layer);
    FILE *from = fopen(path_of("look.csv"), "r");
    must(from);
    char line[1024], query[64], key[64], words[2][64] = {"", ""};
    double squares[16] = {0}, largest = 0, sum = 0, absolute = 0, ds;
    int head, best = 0;
    while (fgets(line, sizeof line, from)) {
        if (sscanf(line, "0,%*[^,],%d,%*d,%*d,%63[^,],%63[^,],,%*f,%*f,%*f,%*f,%lf", &head, query, key,
                   &ds) != 4)
            continue;
        squares[head] += ds * ds;
        if (head != asked.head) continue;
        if (fabs(ds) > fabs(largest)) largest = ds, strcpy(words[0], query), strcpy(words[1], key);
        if (strcmp(query, asked.word) == 0) sum += ds, absolute += fabs(ds);
    }
    fclose(from);
    for (int h = 1; h < 16; h++) best = squares[h] > squares[best] ? h : best;
    must(fabs(sum) < 1e-5 * absolute);
    snprintf(answers, size, "1: %d %.4g\n2: %.4g %s %s\n3: 0 %.4g\n", best, sqrt(squares[best]), largest,
             words[0], words[1], absolute);
}

START_TEST(attend_answers_the_questions) {
    for (int i = 0; i < STUDENTS; i++) {
        char answers[512];
        answer_with_attend(i, answers, sizeof answers);
        write_answers(i, answers);
        course_marks *m = marks_of(i, TRANSLATOR_ANSWERS, students[i]);
        for (int k = 0; k < m->checks; k++)
            if (strcmp(m->check[k].group, "questions") == 0)
                must_msg(m->check[k].points == 5 && !*m->check[k].why, "%s: %s\n%s", m->check[k].what,
                         m->check[k].why, answers);
        free(m);
    }
}
END_TEST

START_TEST(questions_depend_on_the_student) {
    const translator_asked a = asked_of(0), again = asked_of(0), b = asked_of(2);
    must(strcmp(a.source, again.source) == 0 && strcmp(a.word, again.word) == 0 && a.head == again.head);
    must(strcmp(a.source, b.source) != 0);
    must(translator_seed("7") != translator_seed("8") && translator_seed("") == 1);
    sh("\"$M\" tell translator --student 7");
    assert_contains(said, a.source);
    assert_contains(said, a.target);
}
END_TEST

/* The right answers for a student's run and those of known mistakes; to be freed. */
static translator_known *known_of(int student) {
    const translator_asked asked = asked_of(student);
    translator_known *known = calloc(1, sizeof *known);
    tl_run *run = run_of(student);
    must(known && translator_know(run, &asked, known));
    tl_run_free(run);
    return known;
}

START_TEST(mistakes_are_named) {
    unsigned named = 0;
    for (int i = 0; i < STUDENTS; i++) {
        translator_known *known = known_of(i);
        for (int q = 0; q < TRANSLATOR_QUESTIONS; q++)
            for (int k = 0; k < TRANSLATOR_SLIPS; k++) {
                char why[COURSE_WHY];
                if (!known->shows[q][k]) continue;
                const int is = translator_diagnose(known, q, &known->made[q][k], why);
                must_msg(is < 0 || is == k, "question %d, \"%s\" was called \"%s\"", q + 1,
                         translator_slips[k].name, translator_slips[is].name);
                if (is == k) assert_contains(why, translator_slips[k].says);
                if (is == k) named |= COURSE_SLIP(k);
            }
        free(known);
    }
    for (int k = 0; k < TRANSLATOR_SLIPS; k++)
        must_msg(named & COURSE_SLIP(k), "\"%s\" was never named", translator_slips[k].name);
}
END_TEST

/* Two mistakes at once are not named, or one of them is. */
START_TEST(pairs_are_never_named_wrongly) {
    const translator_asked asked = asked_of(0);
    translator_known *known = known_of(0);
    tl_run *run = run_of(0);
    for (int q = 0; q < TRANSLATOR_QUESTIONS; q++)
        for (int j = 0; j < TRANSLATOR_SLIPS; j++)
            for (int k = 0; k < j; k++) {
                translator_answer answer;
                char why[COURSE_WHY];
                if (!translator_answer_of(run, &asked, q, COURSE_SLIP(j) | COURSE_SLIP(k), &answer)) continue;
                const int is = translator_diagnose(known, q, &answer, why);
                must_msg(is < 0 || is == j || is == k, "question %d: \"%s\" with \"%s\" was called \"%s\"",
                         q + 1, translator_slips[j].name, translator_slips[k].name,
                         translator_slips[is].name);
            }
    tl_run_free(run);
    free(known);
}
END_TEST

START_TEST(near_misses_get_half_the_points_and_a_hint) {
    translator_known *known = known_of(0);
    const translator_answer *right = known->right;
    char text[512];
    /* the squared norm; the value in the map's unit of 1e-4; a sum that is wrong by 2 % */
    snprintf(text, sizeof text, "1: %g %.3g\n2: %.3g %s %s\n3: 0 %.6g\n", right[0].value[0],
             right[0].value[1] * right[0].value[1], right[1].value[0] * 1e4, right[1].word[0],
             right[1].word[1], right[2].value[1] * 1.02);
    write_answers(0, text);
    course_marks *m = marks_of(0, TRANSLATOR_ANSWERS, students[0]);
    ck_assert_double_eq(check_of(m, "1: the head")->points, 5);
    ck_assert_double_eq(check_of(m, "1: its norm")->points, 0);
    assert_contains(check_of(m, "1: its norm")->why, "Frobenius' norm is its root");
    ck_assert_double_eq(check_of(m, "2: the two words")->points, 5);
    assert_contains(check_of(m, "2: the value")->why, "times 1e4");
    ck_assert_double_eq(check_of(m, "3: the sum")->points, 5);
    assert_contains(check_of(m, "3: of absolute values")->why, "no known mistake");
    free(m);
    free(known);
    write_answers(0, "# nothing\n1:\n2: 0.5 a\n3: x\n");
    m = marks_of(0, TRANSLATOR_ANSWERS, students[0]);
    assert_contains(check_of(m, "1: the head")->why, "no answer yet");
    assert_contains(check_of(m, "2: the value")->why, "no answer yet");
    assert_contains(check_of(m, "3: the sum")->why, "no answer yet");
    free(m);
}
END_TEST

/* ---- the run ---- */

START_TEST(runs_depend_on_the_student) {
    course_marks *m = marks_of(0, TRANSLATOR_BLEU, "8");
    assert_contains(check_of(m, "BLEU")->why, "was trained with seed");
    ck_assert_double_eq(m->points, 0);
    free(m);
    m = marks_of(0, TRANSLATOR_BLEU, students[0]);
    const course_check *bleu = check_of(m, "BLEU");
    must_msg(bleu->points > 0 && bleu->points < 60, "%g points", bleu->points);
    double value = 0;
    must(sscanf(bleu->why, "BLEU %lf on 500 fresh sentences", &value) == 1);
    ck_assert_double_eq_tol(bleu->points, 60 * value / 90, 0.01);
    free(m);
    sh("mkdir -p \"$T/nobody\"");
    m = calloc(1, sizeof *m);
    translator_mark_parts(m, TRANSLATOR_BLEU, path_of("nobody"), 1, "7");
    assert_contains(check_of(m, "BLEU")->why, "make translate trains one");
    ck_assert_double_eq(m->points, 0);
    free(m);
}
END_TEST

/* ---- the program ---- */

static double points_of_program(int student) {
    course_marks *m = marks_of(student, TRANSLATOR_PROGRAM, students[student]);
    const double points = check_of(m, "your attention")->points + check_of(m, "trains like ours")->points;
    must_msg(points > 9.9, "%s\n%s", check_of(m, "your attention")->why,
             check_of(m, "trains like ours")->why);
    free(m);
    return points;
}

/* Links a translator in the folder $S or $K with the make variables `how`, and copies it to student i's folder. */
static void link_for(int i, const char *folder, const char *how) {
    sh("cd \"$%s/09-translator\" && make link %s && mkdir -p \"$T/student%d/build\" && cp linked.txt "
       "\"$T/student%d/\" && "
       "cp build/translate \"$T/student%d/build/\"",
       folder, how, i, i, i);
}

static const char *line_of(const char *text, const char *beginning) {
    static char line[1024];
    const char *at = strstr(text, beginning);
    must_msg(at, "%s: no %s", text, beginning);
    snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n"), at);
    return line;
}

START_TEST(students_operations_train_as_the_librarys) {
    if (!has_tier2) {
        TL_SKIP("a translator with students' operations: they use floats");
        return;
    }
    for (int tier = 1; tier <= 2; tier++) {
        link_for(0, "S", tier == 1 ? "TIER=1" : "TIER=2");
        const char *yours = line_of(said, "yours:");
        assert_contains(yours, " scaled_dot_product_attention");
        assert_contains(yours, " cross_entropy");
        assert_contains(yours, " linear_cross_entropy");
        assert_contains(yours, " layer_norm");
        ck_assert_ptr_null(strstr(line_of(said, "the library's:"), "attention"));
        points_of_program(0);
    }
    /* Only attention's forward: its gradients are computed by the library's single operations. */
    link_for(0, "S", "TIER=1 MINE=../05-attention_forward/attention_forward.c");
    ck_assert_str_eq(line_of(said, "yours:"), "yours: scaled_dot_product_attention");
    points_of_program(0);
    link_for(0, "S", "TIER=2 MINE=../05-attention_forward/attention_forward_op.c");
    points_of_program(0);
}
END_TEST

START_TEST(a_wrong_operation_is_found) {
    if (!has_tier2) {
        TL_SKIP("a translator with students' operations: they use floats");
        return;
    }
    sh("cp -R \"$S\" \"$T/wrong\" && cd \"$T/wrong/05-attention_forward\" && "
       "sed 's|const float scale = 1 / sqrtf((float)n.d);|const float scale = 1;|' attention_forward.c > a "
       "&& "
       "! cmp -s a attention_forward.c && mv a attention_forward.c");
    sh("cd \"$T/wrong/09-translator\" && make link && mkdir -p \"$T/student1/build\" && cp linked.txt "
       "\"$T/student1\" && cp "
       "build/translate \"$T/student1/build\"");
    course_marks *m = marks_of(1, TRANSLATOR_PROGRAM, students[1]);
    ck_assert_double_eq(check_of(m, "your attention")->points, 5);
    assert_contains(check_of(m, "trains like ours")->why, "one of yours is wrong");
    free(m);
    /* A folder of starters. */
    link_for(1, "K", "");
    ck_assert_str_eq(line_of(said, "yours:"), "yours:");
    m = marks_of(1, TRANSLATOR_PROGRAM, students[1]);
    assert_contains(check_of(m, "your attention")->why, "is the library's");
    ck_assert_double_eq(check_of(m, "trains like ours")->points, 0);
    free(m);
}
END_TEST

/* kit.mk lists all operations that an update records. */
START_TEST(operations_of_an_update_are_listed) {
    tl_run *run = run_of(0);
    const translator_asked asked = asked_of(0);
    const char *source = asked.source, *target = asked.target;
    tl_batch batch;
    tl_recorded recorded;
    char *kit = read_text_file("coursework/translator/kit.mk");
    char list[1024];
    snprintf(list, sizeof list, "%s ", line_of(kit, "in_an_update := "));
    must(tl_run_batch(run, &source, &target, 1, &batch));
    must(tl_ok(tl_run_loss(run, &batch, NULL)));
    for (int node = 0; tl_tape_recorded(tl_run_tape(run), node, &recorded); node++) {
        char word[64];
        if (!recorded.operation) continue;
        snprintf(word, sizeof word, " %s ", recorded.operation);
        must_msg(strstr(list, word), "%s is not in kit.mk's list", recorded.operation);
    }
    free(kit);
    tl_run_free(run);
}
END_TEST

/* kit.mk trains with the settings that the marker expects. */
START_TEST(settings_are_the_same) {
    char *kit = read_text_file("coursework/translator/kit.mk"), expected[512];
    const tl_run_settings s = translator_settings("7");
    snprintf(expected, sizeof expected,
             "--pair %s --d-model %ld --heads %ld --layers %ld --d-ff %ld --dropout %g --batch-tokens %ld "
             "--steps %ld --lr "
             "%g \\\n  --warmup %ld --schedule %s --validate-every %ld",
             s.data.pair, (long)s.model.d_model, (long)s.model.heads, (long)s.model.layers,
             (long)s.model.d_ff, s.model.dropout, s.training.batch_tokens, s.training.steps, s.training.lr,
             s.training.warmup, s.training.schedule, s.validation.validate_every);
    assert_contains(kit, expected);
    free(kit);
}
END_TEST

/* ---- the handout ---- */

START_TEST(the_handout_lists_the_mistakes) {
    char *page = read_text_file("coursework/translator/handout.md"), bold[96];
    for (const course_slip *s = translator_slips; s->name; s++) {
        snprintf(bold, sizeof bold, "- **%s**: ", s->name);
        assert_contains(page, bold);
    }
    free(page);
}
END_TEST

/* The answers of the predictions, computed from random rows of attention. */
START_TEST(predictions_have_the_right_answers) {
    const course_task *task = course_task_named("translator");
    course_rng rng = course_rng_of(3, "predictions");
    double most = 0;
    for (int t = 0; t < 100; t++) {
        double a[2] = {course_uniform(&rng), 0}, g[2] = {course_normal(&rng), course_normal(&rng)};
        a[1] = 1 - a[0];
        const double dot = a[0] * g[0] + a[1] * g[1], ds[2] = {a[0] * (g[0] - dot), a[1] * (g[1] - dot)};
        most = fmax(most, fabs(ds[0]) / (fabs(ds[0]) + fabs(ds[1])));
    }
    ck_assert_double_eq_tol(task->questions[0].answer, most, task->questions[0].tolerance);
    ck_assert_double_eq_tol(task->questions[1].answer, 0.9 * (1 - 0.9 * 1), 1e-9);
}
END_TEST

/* ---- the whole training ---- */

START_TEST(plain_loops_reach_ninety) {
    if (!getenv("TL_SLOW") || !has_tier2) {
        TL_SKIP("a whole translator with plain loops: TL_SLOW=1, minutes");
        return;
    }
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    sh("cd \"$S/09-translator\" && make translate TIER=%s STUDENT=7", env("TL_SLOW_TIER", "2"));
    clock_gettime(CLOCK_MONOTONIC, &to);
    const double minutes = (double)(to.tv_sec - from.tv_sec) / 60;
    course_marks *m = calloc(1, sizeof *m);
    must(m);
    char path[1024];
    snprintf(path, sizeof path, "%s/09-translator", getenv("S"));
    translator_mark_parts(m, TRANSLATOR_BLEU | TRANSLATOR_PROGRAM, path, 1, "7");
    printf("%s\n%.1f minutes, %g points for BLEU\n", line_of(said, "yours:"), minutes,
           check_of(m, "BLEU")->points);
    fflush(stdout);
    must_msg(!*check_of(m, "BLEU")->why, "%s", check_of(m, "BLEU")->why);
    must_msg(minutes < 10, "%.1f minutes", minutes);
    free(m);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_unchecked_fixture(tc, enter, leave_course);
    tcase_add_test(tc, attend_answers_the_questions);
    tcase_add_test(tc, questions_depend_on_the_student);
    tcase_add_test(tc, mistakes_are_named);
    tcase_add_test(tc, pairs_are_never_named_wrongly);
    tcase_add_test(tc, near_misses_get_half_the_points_and_a_hint);
    tcase_add_test(tc, runs_depend_on_the_student);
    tcase_add_test(tc, students_operations_train_as_the_librarys);
    tcase_add_test(tc, a_wrong_operation_is_found);
    tcase_add_test(tc, operations_of_an_update_are_listed);
    tcase_add_test(tc, settings_are_the_same);
    tcase_add_test(tc, the_handout_lists_the_mistakes);
    tcase_add_test(tc, predictions_have_the_right_answers);
    tcase_add_test(tc, plain_loops_reach_ninety);
}
TL_TEST_MAIN("coursework: translator")
