/* Includes and calls between files have no cycles. A header and its source count as one file. So the files can be read
 * in an order in which each comes after those that it uses. */
#define _POSIX_C_SOURCE 200809L
#include "house.h"

/* ---- graphs and cycles ---- */

enum { MOST = 800 };
typedef struct graph {
    char name[MOST][80];
    bool arrow[MOST][MOST];
    int count;
} graph;

static int node_of(graph *g, const char *name) {
    for (int i = 0; i < g->count; i++)
        if (!strcmp(g->name[i], name)) return i;
    ck_assert_int_lt(g->count, MOST);
    ck_assert_uint_lt(strlen(name), sizeof g->name[0]);
    strcpy(g->name[g->count], name);
    return g->count++;
}

static void add_arrow(graph *g, const char *from, const char *to) {
    if (strcmp(from, to) != 0) g->arrow[node_of(g, from)][node_of(g, to)] = true;
}

typedef struct search {
    const graph *graph;
    int way[MOST + 1];
    bool been[MOST]; /* nodes that were visited */
    char circle[4096];
} search;

/* Depth-first search from the last node of the path `way`; true when an arrow leads back to a node of the path. */
static bool find_cycle(search *s, int length) {
    int at = s->way[length - 1], first = 0;
    while (s->way[first] != at) first++;
    if (first < length - 1) {
        for (int i = first; i < length; i++)
            snprintf(s->circle + strlen(s->circle), sizeof s->circle - strlen(s->circle), "%s%s",
                     i > first ? " -> " : "", s->graph->name[s->way[i]]);
        return true;
    }
    if (s->been[at]) return false;
    s->been[at] = true;
    for (int to = 0; to < s->graph->count; to++) {
        s->way[length] = to;
        if (s->graph->arrow[at][to] && find_cycle(s, length + 1)) return true;
    }
    return false;
}

/* The names along a cycle; "" if there is none. */
static const char *circle_in(const graph *g) {
    static search s;
    s = (search){.graph = g};
    for (int i = 0; i < g->count; i++) {
        s.way[0] = i;
        if (find_cycle(&s, 1)) break;
    }
    return s.circle;
}

START_TEST(circles_are_found) {
    static graph g;
    add_arrow(&g, "roof", "wall");
    add_arrow(&g, "wall", "floor");
    add_arrow(&g, "roof", "floor");
    add_arrow(&g, "floor", "floor");
    add_arrow(&g, "door", "wall");
    ck_assert_str_eq(circle_in(&g), "");
    add_arrow(&g, "floor", "cellar");
    add_arrow(&g, "cellar", "wall");
    ck_assert_str_eq(circle_in(&g), "wall -> floor -> cellar -> wall");
}
END_TEST

/* ---- includes ---- */

/* The unit of a file: its path without .c or .h. All kernels are one unit, because one header declares them all. */
static void unit_of(const char *file, char unit[512]) {
    strcpy(unit, is_in(file, "src/tensor/kernels") ? "src/tensor/kernels" : file);
    char *dot = strrchr(unit, '.');
    if (dot) *dot = 0;
}

static graph includes;

static void add_includes(const char *file, char *text) {
    char name[256], path[512], from[512], to[512], open;
    unit_of(file, from);
    for (const char *rest = text; next_include(&rest, name, &open);) {
        if (!resolve(file, name, open == '"', path)) continue;
        unit_of(path, to);
        add_arrow(&includes, from, to);
    }
}

START_TEST(no_file_includes_itself) {
    walk("src", add_includes);
    walk("include", add_includes);
    ck_assert_int_gt(includes.count, 100);
    ck_assert_str_eq(circle_in(&includes), "");
}
END_TEST

/* ---- calls ---- */

static bool calls_count(const char *file) { return strstr(file, ".c"); }

typedef struct definition {
    char name[80], file[80];
} definition;
static definition definitions[2000];
static int definition_count;
static graph calls;

/* The next name in the code that begins with tl_; *size is its length. NULL if there is none. */
static const char *next_name(const char *code, size_t *size) {
    while ((code = strstr(code, "tl_")) && is_word(code[-1])) code += 3;
    for (*size = 0; code && is_word(code[*size]);) ++*size;
    return code;
}

/* Adds the function whose declaration is from `from` to `end`: its name is the first tl_ name before a "(". False:
 * none. */
static bool add_definition(const char *file, const char *from, const char *end, bool add) {
    size_t size;
    for (const char *name = from; (name = next_name(name, &size)) && name < end; name += size) {
        if (name[size] != '(') continue;
        if (!add) return true;
        ck_assert_int_lt(definition_count, 2000);
        definition *d = &definitions[definition_count++];
        snprintf(d->name, sizeof d->name, "%.*s", (int)size, name);
        snprintf(d->file, sizeof d->file, "%s", file);
        return true;
    }
    return false;
}

/* Finds the functions whose names begin with tl_. Returns the end of the last one. */
static char *scan_definitions(const char *file, char *text, bool add) {
    char *from = text + 1, *last = text;
    int depth = 0;
    bool named = false;
    for (char *c = from; *c; c++) {
        if (*c == '#') from = c += strcspn(c, "\n") - 1;
        if (*c == '{' && depth++ == 0) {
            const char *before = c;
            while (before > text && isspace((unsigned char)before[-1])) before--;
            named = before > text && before[-1] == ')' && add_definition(file, from, c, add);
        }
        if (*c == '}' && --depth == 0 && named) last = c + 1;
        if (depth == 0 && (*c == ';' || *c == '}')) from = c + 1;
    }
    return last;
}

static void find_definitions(const char *file, char *text) {
    if (!calls_count(file)) return;
    only_code(text);
    text[0] = ' '; /* next_name looks at the character before a name */
    scan_definitions(file, text, true);
}

/* An operation's file ends with its gradient cases, which call other operations; they are cut off here. */
static void leave_out_cases(const char *file, char *text) {
    if (is_in(file, "src/autograd/ops")) *scan_definitions(file, text, false) = 0;
}

static bool is_definition(int i, const char *name, size_t size) {
    return strlen(definitions[i].name) == size && !strncmp(definitions[i].name, name, size);
}

/* Does the file define this function itself? src/ranks/serial.c and mpi.c define the same ones, and a build has one of
 * them. */
static bool defines(const char *file, const char *name, size_t size) {
    for (int i = 0; i < definition_count; i++)
        if (is_definition(i, name, size) && !strcmp(definitions[i].file, file)) return true;
    return false;
}

static void find_calls(const char *file, char *text) {
    if (!calls_count(file)) return;
    only_code(text);
    text[0] = ' ';
    leave_out_cases(file, text);
    size_t size;
    for (const char *name = text + 1; (name = next_name(name, &size)); name += size)
        for (int i = 0; i < definition_count; i++)
            if (is_definition(i, name, size) && !defines(file, name, size))
                add_arrow(&calls, file, definitions[i].file);
}

START_TEST(definitions_are_found) {
    char text[] = "/* x */ #include <x>\nstatic int helper(void) { return tl_other(1); }\n"
                  "tl_span tl_one(int a,\n  int b) { if (a) { tl_two(b); } return (tl_span){0}; }\n"
                  "int tl_declared(void);\nstruct tl_s { int a; };\nstatic const int t[] = {1};\nvoid "
                  "tl_two(int b)\n{ }";
    find_definitions("a.c", text);
    ck_assert_int_eq(definition_count, 2);
    ck_assert_str_eq(definitions[0].name, "tl_one");
    ck_assert_str_eq(definitions[1].name, "tl_two");
    strcpy(definitions[1].file, "b.c");
    find_calls("a.c", text);
    ck_assert(calls.count == 2 && calls.arrow[0][1] && !calls.arrow[1][0]);
}
END_TEST

START_TEST(gradient_cases_are_left_out_and_nothing_else) {
    const char *const code =
        " static void help(void) { tl_a(1); }\ntl_var tl_exp(tl_var x) { return tl_b(x); }\n"
        "static tl_var f(tl_tape *t) { return tl_c(t); }\nTL_GRAD_CASES(exp, {\"x\", f});\n";
    char text[256];
    strcpy(text, code);
    leave_out_cases("src/autograd/tape.c", text);
    ck_assert_str_eq(text, code);
    leave_out_cases("src/autograd/ops/exp.c", text);
    ck_assert(strstr(text, "tl_a") && strstr(text, "tl_b(x); }") && !strstr(text, "tl_c"));
}
END_TEST

START_TEST(no_file_calls_itself_through_others) {
    walk("src", find_definitions);
    walk("src", find_calls);
    ck_assert_int_gt(definition_count, 300);
    ck_assert_int_gt(calls.count, 60);
    ck_assert_str_eq(circle_in(&calls), "");
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, circles_are_found);
    tcase_add_test(tc, no_file_includes_itself);
    tcase_add_test(tc, definitions_are_found);
    tcase_add_test(tc, gradient_cases_are_left_out_and_nothing_else);
    tcase_add_test(tc, no_file_calls_itself_through_others);
}

TL_TEST_MAIN("examples: circles")
