/* The course's marker, which reads what students hand in: C texts as tokens, what may be in them, how alike two are;
 * listings of objects; answers of a student's process; predictions; and what it writes of foreign text. */
#define _XOPEN_SOURCE 700
#include "fuzz.h"

#include "coursework/kit/runner/wire.h"
#include "coursework/marker/kit.h"
#include "coursework/marker/lecturing.h"

#include <tapeloom/io.h>

int tl_fuzz_marker(const uint8_t *bytes, size_t size);

static void check_tokens(fuzz_part text) {
    course_tokens all;
    FUZZ_MUST(course_tokens_of(&all, text.bytes, text.size), "out of memory");
    const char *end = all.text;
    int line = 1;
    for (long i = 0; i < all.count; i++) {
        const course_token *t = &all.token[i];
        FUZZ_MUST(t->at >= end && t->length > 0 && t->line >= line, "token %ld", i);
        end = t->at + t->length, line = t->line;
        FUZZ_MUST(strlen(t->at) >= (size_t)t->length, "token %ld goes beyond the text", i);
    }
    course_tokens_free(&all);
}

static void check_why(bool fine, const char *why) {
    FUZZ_MUST(memchr(why, 0, COURSE_WHY) && fine == !*why, "a reason and none: %.80s", why);
}

static void check_source(fuzz_part text) {
    char why[COURSE_WHY];
    check_tokens(text);
    check_why(course_source_is_fine(text.bytes, text.size, why), why);
    char *string = fuzz_string_of(text.bytes, text.size);
    check_why(course_preprocessed_is_fine(string, "softmax.c", why), why);
    free(string);
}

static void check_alike(fuzz_part a, fuzz_part b, fuzz_part starter) {
    course_prints of_starter, x, y;
    course_excerpt most[2];
    FUZZ_MUST(course_prints_of(&of_starter, starter.bytes, starter.size, NULL), "out of memory");
    FUZZ_MUST(course_prints_of(&x, a.bytes, a.size, &of_starter) &&
                  course_prints_of(&y, b.bytes, b.size, &of_starter),
              "out of memory");
    const double share = course_alike(&x, &y);
    FUZZ_MUST(share >= 0 && share <= 1 && share == course_alike(&y, &x), "alike by %g", share);
    if (x.prints) FUZZ_MUST(course_alike(&x, &x) == 1 || course_alike(&x, &x) == 0, "not like itself");
    const int count = course_excerpts(&x, &y, most);
    for (int i = 0; i < count; i++)
        FUZZ_MUST(most[i].a_from >= 1 && most[i].a_to >= most[i].a_from && most[i].b_to >= most[i].b_from,
                  "excerpt %d", i);
    course_prints_free(&y), course_prints_free(&x), course_prints_free(&of_starter);
}

static void check_listing(fuzz_part text, unsigned how) {
    static course_names all;
    static course_asked asked;
    char why[COURSE_WHY], *listing = fuzz_string_of(text.bytes, text.size);
    int tasks = 0;
    while (course_tasks[tasks]) tasks++;
    all.count = asked.defined.count = asked.used.count = 0;
    if (how & 1) course_names_of(listing, &asked);
    check_why(course_object_is_fine(listing, course_tasks[how / 4 % (unsigned)tasks], how & 2 ? 2 : 1, &asked,
                                    &all, why),
              why);
    why[0] = 0;
    check_why(course_names_hold(&all, &asked.defined, why), why);
    free(listing);
}

/* Answers of a process: as many as came whole, into the arrays of the cases; foreign bytes are said to be forged. */
static void check_answers(fuzz_part text, unsigned how) {
    enum { CALLS = 3 };
    int tasks = 0, calls = 0;
    while (course_tasks[tasks]) tasks++;
    const course_task *task = course_tasks[how % (unsigned)tasks];
    const course_exercise *of = how & 0x40 && task->tier2 ? task->tier2 : task->tier1;
    if (!of || !of->function) return;
    course_case cases[CALLS];
    course_answer answers[CALLS];
    for (; calls < CALLS; calls++) course_draw(&cases[calls], of, COURSE_ODD, how, calls);
    course_bytes packed = {0}, came = {0};
    FUZZ_MUST(course_pack(&packed, cases, calls, 5), "out of memory");
    /* what came: answers with the right ticket, as far as the input goes, whose bytes the input changes */
    const size_t whole = course_answer_size(cases, calls);
    unsigned char *answer = fuzz_memory(whole + 64);
    memset(answer, 0, whole + 64);
    size_t at = 0;
    for (int i = 0; i < calls; i++) {
        const wire_answer w = {.ticket = 5 + (unsigned)i, .known = 1, .blocks = 0};
        memcpy(answer + at, &w, sizeof w);
        at += course_answer_size(&cases[i], 1);
    }
    FUZZ_MUST(at == whole, "sizes that do not add up");
    size_t came_size = whole;
    for (size_t i = 0; i + 3 <= text.size;
         i += 3) { /* two bytes of a place, one of its new value; 0xFFFF ends them */
        const size_t place = (unsigned char)text.bytes[i] | (size_t)(unsigned char)text.bytes[i + 1] << 8;
        if (place == 0xFFFF) {
            came_size = (size_t)(unsigned char)text.bytes[i + 2] * (whole + 64) / 255;
            break;
        }
        answer[place % whole] = (unsigned char)text.bytes[i + 2];
    }
    FUZZ_MUST(course_append(&came, answer, came_size), "out of memory");
    bool forged;
    const int count = course_unpack(&came, cases, calls, 5, answers, &forged);
    FUZZ_MUST(count >= 0 && count <= calls, "%d answers of %d", count, calls);
    if (came_size < whole) FUZZ_MUST(count < calls, "more answers than came");
    if (came_size > whole) FUZZ_MUST(forged, "more bytes than were asked for");
    for (int i = 0; i < count; i++)
        if (answers[i].touched)
            FUZZ_MUST(memchr(answers[i].where, 0, sizeof answers[i].where), "a name without end");
    for (int i = 0; i < calls; i++) course_case_free(&cases[i]);
    free(answer), free(came.data), free(packed.data);
}

static void check_predictions(fuzz_part text) {
    bool given[2];
    double answer[2] = {0, 0};
    FUZZ_MUST(course_predictions(fuzz_file("predict.txt", text.bytes, text.size), given, answer), "not read");
}

/* Foreign text in the marks: JSON in ASCII, and cells that are no formulas. */
static void check_written(const char *said) {
    static course_marks marks;
    char *text = NULL;
    size_t size;
    marks = (course_marks){.task = course_tasks[0], .tier = 1, .checks = 1, .says = "f", .seed = 7};
    marks.check[0] = (course_check){.function = "f", .what = "odd sizes", .group = "forward", .of = 1};
    snprintf(marks.said, sizeof marks.said, "%s", said);
    snprintf(marks.check[0].why, COURSE_WHY, "%s", said);
    FILE *to = open_memstream(&text, &size);
    course_json(&marks, to);
    course_print(&marks, to);
    fclose(to);
    free(text);
    to = open_memstream(&text, &size);
    course_json(&marks, to);
    fclose(to);
    for (size_t i = 0; i < size; i++)
        FUZZ_MUST((text[i] >= 0x20 && text[i] < 0x7F) || text[i] == '\n', "byte 0x%02x in JSON",
                  (unsigned)(unsigned char)text[i]);
    free(text);
    static const char *const columns[] = {"a"};
    tl_error error = {""};
    tl_csv *csv = tl_csv_table(fuzz_path("marks.csv"), columns, 1, &error);
    course_put_cell(csv, said);
    tl_csv_end_row(csv);
    FUZZ_MUST(tl_csv_close(csv, &error), "%s", error.message);
    char *table = fuzz_read(fuzz_path("marks.csv"), &size);
    const char *cell = table + 2 + (table[2] == '"');
    FUZZ_MUST(!*said || !strchr("=+-@", *cell) || !*cell, "a cell that is a formula: %s", cell);
    free(table);
}

int tl_fuzz_marker(const uint8_t *bytes, size_t size) {
    fuzz_bytes in = fuzz_bytes_of(bytes, size);
    const unsigned choice = fuzz_byte(&in), how = fuzz_byte(&in);
    if (choice % 6 == 1) {
        fuzz_part a = fuzz_next(&in), b = fuzz_next(&in), c = fuzz_rest(&in);
        check_alike(a, b, c);
        free(a.bytes), free(b.bytes), free(c.bytes);
        return 0;
    }
    fuzz_part text = fuzz_rest(&in);
    if (choice % 6 == 0) check_source(text);
    if (choice % 6 == 2) check_listing(text, how);
    if (choice % 6 == 3) check_answers(text, how);
    if (choice % 6 == 4) check_predictions(text);
    if (choice % 6 == 5) {
        char *said = fuzz_string_of(text.bytes, text.size);
        check_written(said);
        free(said);
    }
    free(text.bytes);
    return 0;
}

static void seeds(tl_fuzz_put *put, void *context) {
    static const char *const texts[] = {
        "00#include <math.h>\n/* c */ void f(double *x) { x[0] = 1.5e-3 + 'a'; } // \\\n more\n?"
        "?/\nL\"s\\\"t\" u8\"x\"",
        "00# line 3\n#define int long\n%:undef _X_SOURCE\n__asm__(\"nop\");",
        "10int f(int a) { return a * a + 1; }" FUZZ_CUT "int g(int b) { return b * b + 1; }" FUZZ_CUT
        "int f(int a) {",
        "21a.o: file format elf64-x86-64\n  0 .text 00000032 0 0 0 2**4\n CONTENTS, CODE\nSYMBOL TABLE:\n"
        "0000000000000000 g     F .text\t0000000000000032 softmax_forward\n0000000000000000         "
        "*UND*\t0000000000000000 exp\n"
        "Disassembly of section .text:\n   0:\tsyscall \n",
        "30abcdefghi",
        "31\xFF\xFF\x80",
        "3A\x01\x02\x03\x10\x00\x00",
        "40 1: 3/4\n2:0.5e1\n1 2\n",
        "50=cmd|' /C calc'!A0 \"\xFF\n",
        "50\xE4\xBD\xA0\xF0\x9F\x98\x80 \x1B[31m"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char seed[1024];
        const size_t length = strlen(texts[i]);
        memcpy(seed, texts[i], length + 1);
        seed[0] = (char)(texts[i][0] - '0'); /* the kind */
        put(context, seed, length);
    }
}

TL_FUZZ(marker, "coursework: C texts, listings, answers, predictions, foreign text in marks");
