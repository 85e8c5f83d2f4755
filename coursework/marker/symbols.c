/* What a student's file may contain, call and define. Lists have what is allowed; everything else is refused by its
 * name. The object file is checked, as the linker sees it; the source is checked only for what an object does not
 * show. */
#include "lecturing.h"

#include <stdlib.h>
#include <string.h>

static bool listed(const char *const *list, const char *name) {
    for (; list && *list; list++)
        if (strcmp(*list, name) == 0) return true;
    return false;
}

static bool begins(const char *text, const char *with) { return strncmp(text, with, strlen(with)) == 0; }

static bool begins_as(const char *const *list, const char *name) {
    for (; *list; list++)
        if (begins(name, *list)) return true;
    return false;
}

/* ---- the source ---- */

static const char *const asm_words[] = {"asm", "__asm", "__asm__", NULL};

static bool is_asm(const course_token *t) {
    for (int i = 0; asm_words[i]; i++)
        if (course_token_is(t, asm_words[i])) return true;
    return false;
}

/* Names whose redefinition would change the system's headers. */
static bool is_reserved(const course_token *t) {
    static const char *const words[] = {
        "auto",    "break",  "case",   "char",     "const",    "continue", "default", "do",       "double",
        "else",    "enum",   "extern", "float",    "for",      "goto",     "if",      "inline",   "int",
        "long",    "return", "short",  "register", "restrict", "signed",   "sizeof",  "static",   "struct",
        "typedef", "switch", "typeof", "union",    "unsigned", "void",     "while",   "volatile", NULL};
    if (t->at[0] != '_') {
        for (int i = 0; words[i]; i++)
            if (course_token_is(t, words[i])) return true;
        return false;
    }
    static const char source[] = "_SOURCE"; /* _POSIX_C_SOURCE and similar macros may be defined */
    const int n = (int)strlen(source);
    return !(t->length > n && memcmp(t->at + t->length - n, source, (size_t)n) == 0) &&
           !course_token_is(t, "_USE_MATH_DEFINES") && t->length > 1 &&
           (t->at[1] == '_' || (t->at[1] >= 'A' && t->at[1] <= 'Z'));
}

bool course_source_is_fine(const char *text, size_t size, char why[COURSE_WHY]) {
    course_tokens all;
    if (!course_tokens_of(&all, text, size)) return snprintf(why, COURSE_WHY, "out of memory"), false;
    why[0] = '\0';
    for (long i = 0; i < all.count && !*why; i++) {
        const course_token *t = &all.token[i];
        if (is_asm(t)) snprintf(why, COURSE_WHY, "line %d has assembler in it", t->line);
        if (!t->first || i + 1 == all.count || !(course_token_is(t, "#") || course_token_is(t, "%:")))
            continue;
        const course_token *what = t + 1, *name = i + 2 < all.count ? t + 2 : NULL;
        if (what->kind == COURSE_NUMBER || course_token_is(what, "line"))
            snprintf(why, COURSE_WHY, "line %d claims to be a line of another place (#line)", t->line);
        if (name && (course_token_is(what, "define") || course_token_is(what, "undef")) && is_reserved(name))
            snprintf(why, COURSE_WHY, "line %d gives %.*s another meaning, which is not yours to give",
                     t->line, name->length < 64 ? name->length : 64, name->at);
    }
    course_tokens_free(&all);
    return !*why;
}

bool course_preprocessed_is_fine(const char *text, const char *own, char why[COURSE_WHY]) {
    course_tokens all;
    why[0] = '\0';
    if (strlen(text) > (size_t)1 << 24)
        return snprintf(why, COURSE_WHY, "becomes %zu bytes when its macros are expanded", strlen(text)),
               false;
    if (!course_tokens_of(&all, text, strlen(text))) return snprintf(why, COURSE_WHY, "out of memory"), false;
    bool mine = true;
    for (long i = 0; i < all.count && !*why; i++) {
        const course_token *t = &all.token[i];
        if (t->first && course_token_is(t, "#") && i + 2 < all.count && t[1].kind == COURSE_NUMBER &&
            t[2].kind == COURSE_STRING)
            mine = (size_t)t[2].length == strlen(own) + 2 && memcmp(t[2].at + 1, own, strlen(own)) == 0;
        if (mine && is_asm(t)) snprintf(why, COURSE_WHY, "has assembler in it, made by a macro");
    }
    course_tokens_free(&all);
    return !*why;
}

/* ---- calls ---- */

static void refuse_call(const char *name, const course_task *task, int tier, char why[COURSE_WHY]) {
    static const char *const ends[] = {"exit", "_exit", "_Exit", "quick_exit", NULL};
    if (listed(ends, name))
        snprintf(why, COURSE_WHY, "calls %s: a function returns, it does not end the program", name);
    else if (begins(name, "tl_") && tier == 1)
        snprintf(why, COURSE_WHY, "calls %s: tier 1 is linked without the library", name);
    else if (begins(name, "tl_") && task->operations && task->operations[0])
        snprintf(why, COURSE_WHY, "uses %s: tl_%s is to be computed here, not to be had from the library",
                 name, task->operations && task->operations[0] ? task->operations[0] : task->name);
    else
        snprintf(why, COURSE_WHY, "uses %.200s, which is not among what a file of tier %d may call", name,
                 tier);
}

/* ---- names ---- */

bool course_names_has(const course_names *names, const char *name) {
    for (int i = 0; i < names->count; i++)
        if (strcmp(names->name[i], name) == 0) return true;
    return false;
}

static void add_name(course_names *names, const char *name) {
    if (names->count < (int)(sizeof names->name / sizeof *names->name) && !course_names_has(names, name))
        snprintf(names->name[names->count++], sizeof *names->name, "%s", name);
}

bool course_names_hold(const course_names *all, const course_names *asked, char why[COURSE_WHY]) {
    for (int i = 0; i < asked->count; i++)
        if (!course_names_has(all, asked->name[i]))
            return snprintf(why, COURSE_WHY, "does not define %s", asked->name[i]), false;
    return true;
}

/* ---- the object ---- */

static const char *next_line(const char *p) {
    p += strcspn(p, "\n");
    return *p ? p + 1 : p;
}

typedef struct row { /* of objdump -t */
    char flags[8], section[64], name[128];
    unsigned long size;
} row;

static bool read_row(const char *line, row *r) {
    char *end;
    strtoull(line, &end, 16);
    if (end == line || *end != ' ' || strlen(end) < 10) return false;
    snprintf(r->flags, sizeof r->flags, "%.7s", end + 1);
    const char *section = end + 9, *tab = strchr(section, '\t');
    if (!tab) return false;
    snprintf(r->section, sizeof r->section, "%.*s", (int)(tab - section), section);
    r->size = strtoul(tab + 1, &end, 16);
    const size_t rest = strcspn(end, "\n");
    const char *name = end + rest;
    while (name > end && name[-1] != ' ') name--; /* .hidden and similar words may stand before the name */
    snprintf(r->name, sizeof r->name, "%.*s", (int)(end + rest - name), name);
    return true;
}

static bool is_constant(const char *section) {
    return begins(section, ".rodata") || begins(section, ".data.rel.ro");
}
static bool is_variable(const char *section) {
    return !is_constant(section) &&
           (begins(section, ".data") || begins(section, ".bss") || strcmp(section, "*COM*") == 0);
}

static void look_at_row(const row *r, const course_task *task, int tier, const course_asked *asked,
                        course_names *all, char why[COURSE_WHY]) {
    const bool undefined = strcmp(r->section, "*UND*") == 0;
    if (strchr(r->flags, 'i')) {
        snprintf(why, COURSE_WHY, "chooses %s while the program is loaded (ifunc)", r->name);
    } else if (r->flags[1] == 'w' || r->flags[0] == 'u') {
        snprintf(why, COURSE_WHY, "makes %s a weak symbol", r->name);
    } else if (undefined) {
        if (*r->name && !course_may_call(r->name, task, tier) &&
            !course_names_has(&asked->defined, r->name) && !course_names_has(&asked->used, r->name))
            refuse_call(r->name, task, tier, why);
    } else if (begins(r->section, ".tbss") || begins(r->section, ".tdata")) {
        if (!strchr(r->flags, 'd'))
            snprintf(why, COURSE_WHY, "keeps %s from call to call (thread-local)", r->name);
    } else if (is_variable(r->section) && !strchr(r->flags, 'd')) {
        snprintf(why, COURSE_WHY,
                 "keeps %.*s from call to call: static variables are not allowed, unless const",
                 (int)strcspn(r->name, "."), r->name);
    } else if (begins(r->section, ".text") && strchr(r->flags, 'O')) {
        snprintf(why, COURSE_WHY, "puts %s, which is data, among the code", r->name);
    } else if (r->flags[0] == 'g' || r->flags[0] == '!') {
        if (!course_names_has(&asked->defined, r->name))
            snprintf(why, COURSE_WHY, "defines %s besides what was asked: make it static, or leave it out",
                     r->name);
        add_name(all, r->name);
    }
}

/* "  0 .text   00000032 …", and the flags on the next line. */
static void look_at_section(const char *line, const char *flags, char why[COURSE_WHY]) {
    static const char *const before_main[] = {".init", ".fini", ".preinit_array", ".ctors", ".dtors", NULL};
    static const char *const usual[] = {".text",    ".rodata", ".data",     ".bss",   ".tbss",  ".tdata",
                                        ".comment", ".note",   ".eh_frame", ".debug", ".group", ".llvm",
                                        ".ARM",     ".riscv",  ".gnu",      ".stack", NULL};
    char name[64];
    unsigned long size;
    if (sscanf(line, "%*d %63s %lx", name, &size) != 2) return;
    const bool code = strstr(flags, "CODE") != NULL;
    if (begins_as(before_main, name))
        snprintf(why, COURSE_WHY, "has code that runs before or after main (%s): a constructor?", name);
    else if (!begins_as(usual, name) || (code && !begins(name, ".text")) || begins(name, ".gnu.linkonce"))
        snprintf(why, COURSE_WHY, "has a section of its own, %s", name);
    else if (size > 0 && is_variable(name))
        snprintf(why, COURSE_WHY,
                 "has a static variable: what stays from call to call is not allowed, unless const");
    else if (size > 0 && (begins(name, ".tbss") || begins(name, ".tdata")))
        snprintf(why, COURSE_WHY, "has a thread-local variable");
}

/* "   0:\tsyscall " */
static void look_at_instruction(const char *line, char why[COURSE_WHY]) {
    static const char *const kernel[] = {"syscall", "sysenter", "int", "svc", "ecall", "sc", NULL};
    const char *tab = strchr(line, '\t');
    if (!tab || tab > line + strcspn(line, "\n")) return;
    char word[16];
    snprintf(word, sizeof word, "%.*s", (int)strcspn(tab + 1, " \t\n"), tab + 1);
    if (listed(kernel, word)) snprintf(why, COURSE_WHY, "calls the kernel by itself (%s)", word);
}

void course_names_of(const char *listing, course_asked *names) {
    const char *p = strstr(listing, "SYMBOL TABLE:");
    for (row r; p && *p && !begins(p, "Disassembly of"); p = next_line(p)) {
        if (!read_row(p, &r) || !*r.name) continue;
        if (strcmp(r.section, "*UND*") == 0)
            add_name(&names->used, r.name);
        else if (r.flags[0] == 'g')
            add_name(&names->defined, r.name);
    }
}

bool course_object_is_fine(const char *listing, const course_task *task, int tier, const course_asked *asked,
                           course_names *all, char why[COURSE_WHY]) {
    enum { SECTIONS, SYMBOLS, CODE } part = SECTIONS;
    char section[COURSE_WHY] = "";
    why[0] = '\0';
    if (!strstr(listing, "file format elf"))
        return snprintf(why, COURSE_WHY,
                        "objdump shows no ELF object: mark on Linux, in WSL2 or in a container"),
               false;
    for (const char *p = listing; *p && !*why; p = next_line(p)) {
        row r;
        if (begins(p, "SYMBOL TABLE:"))
            part = SYMBOLS;
        else if (begins(p, "Disassembly of"))
            part = CODE;
        else if (part == SECTIONS && !*section)
            look_at_section(p, next_line(p), section);
        else if (part == SYMBOLS && read_row(p, &r))
            look_at_row(&r, task, tier, asked, all, why);
        else if (part == CODE)
            look_at_instruction(p, why);
    }
    /* a message about a symbol is better than one about its section */
    if (!*why) memcpy(why, section, sizeof section);
    return !*why;
}
