/* Mutants of one C file: copies with one small mistake each.
 *
 *     mutate [--rules LIST] [--functions REGEX] FILE           lists them: name, line of the file, what changes
 *     mutate [--rules LIST] [--functions REGEX] FILE NAME      writes the file with the mistake NAME
 *
 * A name is FUNCTION:RULE:NUMBER; the number counts what the rule finds in the function. So a name outlives changes
 * elsewhere in the file. REGEX chooses functions by their names; functions of the file that these mention are chosen
 * too, tables only by their names. LIST is rules with commas between them; a rule with @ behind it is kept to the
 * conditions of if, for and while and to indices, with ! to the conditions of an if that refuses: it returns false,
 * NULL or -1, or its words are those of errors. The rules:
 *
 *     operator    + for -, - for +, / for *, * for /, and so in += and the like; a sign - left out
 *     term        one side of + - * / left out
 *     set         = for += and -=; and where a gradient is added or overwritten: always the one, always the other
 *     operand     two neighbouring arguments of a call swapped
 *     number      n + 1 for a whole number n, and n - 1 for 1; 0 for 0.5, 2x for other numbers x
 *     bound       < for <=, <= for <, > for >=, >= for >
 *     equal       != for ==, == for !=
 *     not         a ! left out
 *     part        one side of && or || left out
 *     check       what follows an if is never done; the condition is still computed
 *     choose      the two ways of ?: swapped
 *     bool        false for true, true for false
 *     statement   a call or an assignment left out
 *
 * It reads code as clang-format leaves it: an operator of two sides has spaces around it, a sign and a pointer have
 * not. Lines for the preprocessor are left alone. In lists of formulas, MAP1(exp, …), each formula counts as a
 * function of its name. */
#include <ctype.h>
#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOKENS = 40000, FUNCTIONS = 2000 };
typedef struct token {
    const char *at;
    int length, line;
    int mate;  /* of a bracket: the other one */
    char kind; /* i: a name, n: a number, s: a text, p: anything else */
} token;
typedef struct function {
    char name[100];
    int from, to; /* tokens */
    bool table, chosen;
} function;

static char *text;
static token t[TOKENS];
static int tokens;
static function f[FUNCTIONS];
static int functions;

static bool is(int i, const char *word) {
    return i >= 0 && i < tokens && (int)strlen(word) == t[i].length &&
           !memcmp(t[i].at, word, (size_t)t[i].length);
}
static bool among(int i, const char *words) { /* words with a space before and behind each */
    char key[64];
    if (i < 0 || i >= tokens || t[i].length > 60 || t[i].kind == 's') return false;
    snprintf(key, sizeof key, " %.*s ", t[i].length, t[i].at);
    return strstr(words, key);
}
static bool opens(int i) { return among(i, " ( [ { "); }
static bool closes(int i) { return among(i, " ) ] } "); }
static const char *end_of(int i) { return t[i].at + t[i].length; }

/* ---- reading ---- */

static int length_of_token(const char *p, char *kind) {
    static const char *const long_ones[] = {"...", "<<=", ">>=", "->", "++", "--", "<<", ">>",
                                            "<=",  ">=",  "==",  "!=", "&&", "||", "+=", "-=",
                                            "*=",  "/=",  "%=",  "&=", "|=", "^="};
    const char *q = p;
    if (*p == '"' || *p == '\'') {
        *kind = 's';
        for (q++; *q && *q != *p; q++)
            if (*q == '\\') q++;
        return (int)(q + 1 - p);
    }
    if (isalpha((unsigned char)*p) || *p == '_') {
        *kind = 'i';
        while (isalnum((unsigned char)*q) || *q == '_') q++;
        return (int)(q - p);
    }
    if (isdigit((unsigned char)*p) || (*p == '.' && isdigit((unsigned char)p[1]))) {
        *kind = 'n';
        while (isalnum((unsigned char)*q) || *q == '.' ||
               ((*q == '+' || *q == '-') && strchr("eEpP", q[-1]) && p[1] != 'x'))
            q++;
        return (int)(q - p);
    }
    *kind = 'p';
    for (size_t k = 0; k < sizeof long_ones / sizeof *long_ones; k++)
        if (!strncmp(p, long_ones[k], strlen(long_ones[k]))) return (int)strlen(long_ones[k]);
    return 1;
}

static void read_tokens(void) {
    int line = 1, open[1000], depth = 0;
    bool fresh = true; /* nothing yet in this line */
    for (const char *p = text; *p && tokens < TOKENS;) {
        if (*p == '\n')
            line++, fresh = true, p++;
        else if (isspace((unsigned char)*p))
            p++;
        else if (*p == '#' && fresh) {
            for (; *p && *p != '\n'; p++)
                if (*p == '\\' && p[1] == '\n') line++, p++;
        } else if (p[0] == '/' && p[1] == '/')
            while (*p && *p != '\n') p++;
        else if (p[0] == '/' && p[1] == '*') {
            for (p += 2; *p && !(p[0] == '*' && p[1] == '/'); p++) line += *p == '\n';
            if (*p) p += 2;
        } else {
            token *new = &t[tokens];
            *new = (token){.at = p, .line = line, .mate = -1};
            new->length = length_of_token(p, &new->kind);
            tokens++;
            if (opens(tokens - 1) && depth < 1000) open[depth++] = tokens - 1;
            if (closes(tokens - 1) && depth > 0) new->mate = open[--depth], t[new->mate].mate = tokens - 1;
            p += new->length;
            fresh = false;
        }
    }
}

static void add_function(int name, int from, int to) {
    if (functions == FUNCTIONS) return;
    function *new = &f[functions++];
    snprintf(new->name, sizeof new->name, "%.*s", t[name].length, t[name].at);
    new->from = from, new->to = to;
}
static void find_functions(void) {
    for (int i = 0; i < tokens; i++) {
        if (is(i, "(") && t[i].mate > 0 && i > 0 && t[i - 1].kind == 'i') {
            const int end = t[i].mate;
            if (is(end + 1, "{") && t[end + 1].mate > 0)
                add_function(i - 1, end + 2, t[end + 1].mate);
            else if (!strncmp(t[i - 1].at, "MAP", 3)) {
                int formula = i + 2; /* behind the name; of MAP1 the derivative alone, which comes third */
                if (is(i - 1, "MAP1"))
                    for (formula++; formula < end && !is(formula, ","); formula++)
                        if (opens(formula)) formula = t[formula].mate;
                add_function(i + 1, formula + 1, end);
            }
            i = is(end + 1, "{") ? t[end + 1].mate : end;
        } else if (is(i, "=") && is(i + 1, "{")) { /* a table: its numbers */
            int name = i - 1;
            while (is(name, "]")) name = t[name].mate - 1;
            add_function(name, i + 2, t[i + 1].mate);
            if (functions > 0) f[functions - 1].table = true;
            i = t[i + 1].mate;
        } else if (is(i, "{") && t[i].mate > 0)
            i = t[i].mate;
    }
}
static void choose_functions(const char *regex) {
    regex_t compiled;
    if (regcomp(&compiled, regex, REG_EXTENDED | REG_NOSUB))
        fprintf(stderr, "mutate: %s: no such pattern\n", regex), exit(2);
    for (int k = 0; k < functions; k++) f[k].chosen = !regexec(&compiled, f[k].name, 0, NULL, 0);
    for (bool again = true; again;) {
        again = false;
        for (int k = 0; k < functions; k++)
            for (int i = f[k].from; f[k].chosen && i < f[k].to; i++)
                for (int m = 0; t[i].kind == 'i' && m < functions; m++)
                    if (!f[m].chosen && !f[m].table && is(i, f[m].name) && !is(i - 1, ".") &&
                        !is(i - 1, "->"))
                        f[m].chosen = again = true;
    }
}

/* ---- writing ---- */

static const char every_rule[] =
    "operator,term,set,operand,number,bound,equal,not,part,check,choose,bool,statement";
static const char *rules = every_rule, *wanted;
static const function *now;
static int count_of[20];
static bool now_condition, now_refusal;
static bool found;

typedef struct edit {
    const char *from, *to, *put; /* what lies between from and to becomes put */
} edit;

/* The rule's place in a list, or -1; *only is what stands behind it there: @, ! or a comma. */
static int place_of(const char *rule, const char *list, char *only) {
    const size_t n = strlen(rule);
    int place = 0;
    for (const char *p = list; p; p = strchr(p, ','), p = p ? p + 1 : p, place++)
        if (!strncmp(p, rule, n) && (!p[n] || strchr(",@!", p[n]))) {
            *only = p[n];
            return place;
        }
    return -1;
}
/* Prints it with one space for each stretch of white space. */
static void squeeze(const char *from, const char *to) {
    for (; from < to; from++)
        if (!isspace((unsigned char)*from))
            putchar(*from);
        else if (!isspace((unsigned char)from[1]))
            putchar(' ');
}
/* The edits are in the order of the text. */
static void mutant(const char *rule, int line, const edit *e, int edits) {
    char name[160], only;
    /* what is left out here is counted all the same: the number does not depend on the rules that are asked for */
    snprintf(name, sizeof name, "%s:%s:%d", now->name, rule, ++count_of[place_of(rule, every_rule, &only)]);
    if (place_of(rule, rules, &only) < 0 || (only == '@' && !now_condition) || (only == '!' && !now_refusal))
        return;
    if (wanted && strcmp(wanted, name)) return;
    found = true;
    const char *from = text, *to = text + strlen(text);
    if (!wanted) { /* the whole lines that change */
        printf("%s\t%d\t", name, line);
        for (from = e[0].from; from > text && from[-1] != '\n';) from--;
        for (to = e[edits - 1].to; *to && *to != '\n';) to++;
        while (isspace((unsigned char)*from)) from++;
        const char *least = e[0].from - 30, *most = e[edits - 1].to + 30;
        if (from < least) from = least;
        if (to > most) to = most;
        while (((unsigned char)*from & 0xC0) == 0x80) from++; /* whole characters */
        while (to > from && ((unsigned char)*to & 0xC0) == 0x80) to--;
        squeeze(from, to);
        printf("  =>  ");
    }
    for (int k = 0; k < edits; k++) {
        if (wanted)
            fwrite(from, 1, (size_t)(e[k].from - from), stdout);
        else
            squeeze(from, e[k].from);
        fputs(e[k].put, stdout);
        from = e[k].to;
    }
    if (wanted)
        fputs(from, stdout);
    else
        squeeze(from, to), putchar('\n');
}
static void replace(const char *rule, int i, const char *put) {
    mutant(rule, t[i].line, &(edit){t[i].at, end_of(i), put}, 1);
}
static void leave_out(const char *rule, const char *from, const char *to, int line) {
    mutant(rule, line, &(edit){from, to, ""}, 1);
}

/* ---- what to change ---- */

static bool spaced(int i) {
    return isspace((unsigned char)t[i].at[-1]) && isspace((unsigned char)*end_of(i));
}
static const char ends_any[] = " ; , ? : = += -= *= /= %= |= &= ^= return ";
static const char ends_or[] = " || ", ends_and[] = " && ", ends_sum[] = " + - < > <= >= == != & | ^ << >> ",
                  ends_product[] = " * / % ";

/* Ends the operand beside the operator i, towards step (-1 or 1): binding 0 a side of ||, 1 of &&, 2 of + and -, 3 of
 * * and /. */
static int operand(int i, int step, int binding) {
    int k = i + step, last = i;
    for (; k > now->from - 1 && k < now->to; k += step) {
        if (step > 0 ? closes(k) : opens(k)) break;
        if (among(k, ends_any)) break;
        const bool operates = spaced(k);
        if (operates && (among(k, ends_or) || (binding > 0 && among(k, ends_and)) ||
                         (binding > 1 && among(k, ends_sum)) || (binding > 2 && among(k, ends_product))))
            break;
        if (t[k].mate >= 0 && (step > 0 ? opens(k) : closes(k))) k = t[k].mate;
        last = k;
    }
    return last;
}
static bool first_of_its_kind(int left, int binding) {
    const int before = left - 1;
    if (!spaced(before)) return true;
    return !(binding == 0   ? among(before, ends_or)
             : binding == 1 ? among(before, ends_and)
             : binding == 2 ? among(before, " + - ")
                            : among(before, ends_product));
}
static void sides(const char *rule, int i, int binding) {
    const int left = operand(i, -1, binding), right = operand(i, 1, binding);
    if (left == i || right == i) return;
    leave_out(rule, end_of(i - 1), end_of(right), t[i].line);
    if (!first_of_its_kind(left, binding)) return;
    if (is(i, "-"))
        leave_out(rule, t[left].at, t[i].at, t[i].line);
    else if (is(i, "/"))
        mutant(rule, t[i].line, &(edit){t[left].at, end_of(i - 1), "1"}, 1);
    else
        leave_out(rule, t[left].at, t[i + 1].at, t[i].line);
}

static void change_operator(int i) {
    static const char *const other[][2] = {{"+", "-"}, {"-", "+"},   {"*", "/"},
                                           {"/", "*"}, {"+=", "-="}, {"-=", "+="}};
    if (spaced(i))
        for (size_t k = 0; k < sizeof other / sizeof *other; k++)
            if (is(i, other[k][0])) replace("operator", i, other[k][1]);
    if (is(i, "-") && !isspace((unsigned char)*end_of(i)) && !closes(i - 1)) replace("operator", i, "");
    if (!spaced(i)) return;
    if (among(i, " + - ")) sides("term", i, 2);
    if (among(i, " * / ")) sides("term", i, 3);
    if (among(i, " += -= ")) replace("set", i, "=");
}

/* Room for one more, in an array or from the allocator, changes nothing that can be seen; nor is {0} a number. */
static bool only_room(int i) {
    if (is(i - 1, "{") && is(i + 1, "}")) return true;
    if (is(i - 1, "[") && is(i + 1, "]") && t[i - 2].kind == 'i' &&
        (t[i - 3].kind == 'i' ? !is(i - 3, "return") : among(i - 3, " * , ")))
        return is(i - 3, "*") ? !spaced(i - 3) : true;
    for (int k = i - 1; k > now->from && !among(k, " ; { } "); k--)
        if (closes(k))
            k = t[k].mate;
        else if (is(k, "(") &&
                 (among(k - 1, " TL_RESERVE malloc calloc realloc ") || is(k - 1, "tl_arena_alloc")))
            return true;
    return false;
}

static void change_number(int i) {
    char put[64];
    if (only_room(i)) return;
    if (memchr(t[i].at, '.', (size_t)t[i].length)) {
        if (is(i, "0.5") || is(i, ".5"))
            replace("number", i, "0");
        else
            snprintf(put, sizeof put, "(2 * %.*s)", t[i].length, t[i].at), replace("number", i, put);
        return;
    }
    for (int k = 0; k < t[i].length; k++)
        if (!isdigit((unsigned char)t[i].at[k]) || t[i].length > 9)
            return; /* a mask, or a constant of an algorithm */
    const long n = strtol(t[i].at, NULL, 10);
    snprintf(put, sizeof put, "%ld", n + 1);
    replace("number", i, put);
    if (n == 1) replace("number", i, "0");
}

/* add as an argument, a condition or a value: sink.add, plus->add, add. */
static void change_adding(int i) {
    if (!is(i, "add") || !among(i + 1, " , ) } ? ; && ")) return;
    int from = i;
    while (is(from - 1, ".") || is(from - 1, "->")) {
        from -= 2;
        if (is(from, "]")) from = t[from].mate - 1;
    }
    if (is(i - 1, ".") && from == i - 2 && !(t[from].kind == 'i' || is(from, ")"))) return; /* .add = … */
    char put[200];
    for (int k = 0; k < 2; k++) {
        snprintf(put, sizeof put, "(%.*s %s)", (int)(end_of(i) - t[from].at), t[from].at,
                 k ? "|| 1" : "&& 0");
        mutant("set", t[i].line, &(edit){t[from].at, end_of(i), put}, 1);
    }
}

static void swap_arguments(int open) {
    if (t[open - 1].kind != 'i' || among(open - 1, " if for while switch sizeof return ")) return;
    int begin = open + 1, comma = -1;
    for (int k = open + 1; k <= t[open].mate; k++) {
        if (opens(k)) {
            k = t[k].mate;
            continue;
        }
        if (!is(k, ",") && k != t[open].mate) continue;
        if (comma > 0) {
            const int first = (int)(t[comma].at - t[begin].at),
                      second = (int)(end_of(k - 1) - t[comma + 1].at);
            char a[1000], b[1000];
            const bool texts = t[begin].kind == 's' || t[comma + 1].kind == 's'; /* words of an error */
            if (!texts && first < 1000 && second < 1000 &&
                !(first == second && !memcmp(t[begin].at, t[comma + 1].at, (size_t)first))) {
                snprintf(a, sizeof a, "%.*s", second, t[comma + 1].at),
                    snprintf(b, sizeof b, "%.*s", first, t[begin].at);
                edit e[2] = {{t[begin].at, t[comma].at, a}, {t[comma + 1].at, end_of(k - 1), b}};
                mutant("operand", t[open].line, e, 2);
            }
            begin = comma + 1;
        }
        comma = k;
    }
}

/* if (…) …: what follows is not done. */
static void change_if(int i) {
    const int open = i + 1, close = t[open].mate;
    if (!is(open, "(") || close < 0) return;
    edit e[2] = {{t[open + 1].at, t[open + 1].at, "("}, {t[close].at, t[close].at, ") && 0"}};
    mutant("check", t[i].line, e, 2);
}

static void change_statement(int i) {
    if (!(is(i - 1, ";") || is(i - 1, "{") || is(i - 1, "}") ||
          (is(i - 1, ")") && t[i - 1].mate > 0 && among(t[i - 1].mate - 1, " if for while ")) ||
          is(i - 1, "else")))
        return;
    if (t[i].kind != 'i' && !is(i, "*")) return;
    if (among(i, " return goto break continue if for while do switch case else ") || t[i + 1].kind == 'i')
        return;
    if (t[i].kind == 'i' && !among(i + 1, " ( [ . -> = += -= *= /= |= &= ")) return; /* a declaration */
    int k = i;
    for (; k < now->to && !is(k, ";"); k++)
        if (opens(k)) k = t[k].mate;
    if (is(k, ";")) mutant("statement", t[i].line, &(edit){t[i].at, t[k].at, "(void)0"}, 1);
}

static void change_choice(int i) {
    int k = i - 1;
    for (; k >= now->from && !opens(k) && !among(k, ends_any); k--)
        if (closes(k)) k = t[k].mate;
    edit e[2] = {{t[k + 1].at, t[k + 1].at, "!("}, {end_of(i - 1), end_of(i - 1), ")"}};
    mutant("choose", t[i].line, e, 2);
}

/* The last token of the statement that begins with token i. */
static int statement_end(int i) {
    if (is(i, "{")) return t[i].mate;
    if (among(i, " if for while ") && is(i + 1, "(")) {
        int end = statement_end(t[i + 1].mate + 1);
        return is(end + 1, "else") && is(i, "if") ? statement_end(end + 2) : end;
    }
    for (; i < now->to && !is(i, ";"); i++)
        if (opens(i)) i = t[i].mate;
    return i;
}
static bool refuses(int i) {
    static const char *const words[] = {"fail",    "refuse",  "error", "complain",
                                        "unknown", "damaged", "wrong", "not_found"};
    const int end = statement_end(i);
    for (; i <= end; i++) {
        if (is(i, "return") && (among(i + 1, " false NULL ") || (is(i + 1, "-") && is(i + 2, "1"))))
            return true;
        char name[64];
        snprintf(name, sizeof name, "%.*s", t[i].length < 60 ? t[i].length : 60, t[i].at);
        for (size_t k = 0; t[i].kind == 'i' && k < sizeof words / sizeof *words; k++)
            if (strstr(name, words[k])) return true;
    }
    return false;
}
/* Whether token i is an if that refuses, or lies in its condition. */
static bool in_refusal(int i) {
    if (is(i, "if")) return refuses(t[i + 1].mate + 1);
    for (int k = i; k >= now->from && !among(k, " ; { } "); k--)
        if (closes(k))
            k = t[k].mate;
        else if (is(k, "(") && is(k - 1, "if"))
            return refuses(t[k].mate + 1);
    return false;
}

/* Whether token i lies in a condition or an index. */
static bool in_condition(int i) {
    for (int k = i; k >= now->from; k--) {
        if (closes(k)) {
            k = t[k].mate;
            if (k < 0) return false;
            continue;
        }
        if (is(k, "[")) return true;
        if (is(k, "(") && among(k - 1, " if for while ")) return true;
        if (is(k, "{") || is(k, "return")) return false;
    }
    return false;
}

static void change_token(int i) {
    static const char *const bounds[][2] = {{"<", "<="}, {"<=", "<"}, {">", ">="}, {">=", ">"}};
    now_condition = strchr(rules, '@') && in_condition(i);
    now_refusal = strchr(rules, '!') && in_refusal(i);
    if (t[i].kind == 'n') change_number(i);
    if (t[i].kind == 'p') change_operator(i);
    if (t[i].kind == 'p' && spaced(i))
        for (int k = 0; k < 4; k++)
            if (is(i, bounds[k][0])) replace("bound", i, bounds[k][1]);
    if (is(i, "==")) replace("equal", i, "!=");
    if (is(i, "!=")) replace("equal", i, "==");
    if (is(i, "!")) replace("not", i, "");
    if (is(i, "||")) sides("part", i, 0);
    if (is(i, "&&")) sides("part", i, 1);
    if (is(i, "if")) change_if(i);
    if (is(i, "?")) change_choice(i);
    if (is(i, "true")) replace("bool", i, "false");
    if (is(i, "false")) replace("bool", i, "true");
    if (is(i, "(")) swap_arguments(i);
    change_adding(i);
    change_statement(i);
}

int main(int argc, char **argv) {
    const char *regex = ".";
    int a = 1;
    for (; a + 1 < argc && !strncmp(argv[a], "--", 2); a += 2)
        if (!strcmp(argv[a], "--rules"))
            rules = argv[a + 1];
        else if (!strcmp(argv[a], "--functions"))
            regex = argv[a + 1];
    if (a >= argc)
        return fprintf(stderr, "usage: mutate [--rules LIST] [--functions REGEX] FILE [NAME]\n"), 2;
    wanted = a + 1 < argc ? argv[a + 1] : NULL;
    FILE *file = fopen(argv[a], "rb");
    if (!file) return fprintf(stderr, "mutate: cannot read %s\n", argv[a]), 2;
    static char space[2000000];
    space[fread(space + 1, 1, sizeof space - 2, file) + 1] = 0;
    fclose(file);
    text = space + 1;
    read_tokens();
    find_functions();
    choose_functions(regex);
    for (int k = 0; k < functions; k++) {
        if (!f[k].chosen) continue;
        /* a second function of the name, for other machines or precisions, goes on counting */
        bool earlier = false;
        for (int m = 0; m < k; m++) earlier |= !strcmp(f[m].name, f[k].name);
        if (!earlier) memset(count_of, 0, sizeof count_of);
        now = &f[k];
        for (int i = f[k].from; i < f[k].to; i++) change_token(i);
    }
    if (wanted && !found) return fprintf(stderr, "mutate: %s has no mutant %s\n", argv[a], wanted), 2;
    return 0;
}
