/* Are files similar although names, comments, layout and the order of functions differ? Tokens become numbers (all
 * names the same), every GRAM tokens in a row a hash, and of every WINDOW hashes in a row the least is kept:
 * winnowing (Schleimer, Wilkerson, Aiken 2003). Two texts with a common passage of GRAM + WINDOW - 1 or more tokens
 * have a fingerprint in common. What is in the starter does not count. */
#define _DEFAULT_SOURCE
#include "lecturing.h"

#include <stdlib.h>
#include <string.h>
#include <tapeloom/io.h>

enum { GRAM = 14, WINDOW = 6, FEW = 8 /* prints: too short to tell */ };

/* ---- tokens as numbers ---- */

static bool is_one_of(const course_token *t, const char *const *list) {
    for (; *list; list++)
        if (course_token_is(t, *list)) return true;
    return false;
}

/* A token's number; 0: it does not count. */
static uint32_t code_of(const course_token *t) {
    static const char *const nothing[] = {
        "const",  "static",   "restrict", "inline", "unsigned",
        "signed", "register", "{",        "}",      NULL}; /* braces are mostly a matter of style */
    static const char *const types[] = {"int",    "long",    "short",     "char",    "float",   "double",
                                        "size_t", "tl_real", "ptrdiff_t", "int64_t", "int32_t", NULL};
    static const char *const kept[] = {"for",    "while",  "do",     "if",      "else",
                                       "return", "switch", "case",   "break",   "continue",
                                       "goto",   "sizeof", "struct", "typedef", NULL};
    if (is_one_of(t, nothing)) return 0;
    if (t->kind == COURSE_WORD && is_one_of(t, types)) return 2;
    if (t->kind == COURSE_WORD && !is_one_of(t, kept)) return 1;
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (int i = 0; i < t->length; i++) hash = (hash ^ (unsigned char)t->at[i]) * 16777619u;
    return hash | 4;
}

/* Preprocessor lines do not count: everybody includes the same headers. */
static void number(course_prints *p, const course_tokens *tokens) {
    bool directive = false;
    for (long i = 0; i < tokens->count; i++) {
        const course_token *t = &tokens->token[i];
        if (t->first) directive = course_token_is(t, "#");
        const uint32_t code = directive ? 0 : code_of(t);
        /* long int counts as long */
        if (code == 0 || (code == 2 && p->length > 0 && p->code[p->length - 1] == 2)) continue;
        p->code[p->length] = code;
        p->line[p->length++] = t->line;
    }
}

/* ---- prints ---- */

static uint64_t gram(const uint32_t *code) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (int i = 0; i < GRAM; i++) {
        hash = (hash ^ code[i]) * 0x100000001b3u;
        hash ^= hash >> 29;
    }
    return hash;
}

static int by_value(const void *a, const void *b) {
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static long sort_once(uint64_t *print, long count) {
    long to = 0;
    if (count > 0) qsort(print, (size_t)count, sizeof *print, by_value);
    for (long i = 0; i < count; i++)
        if (to == 0 || print[to - 1] != print[i]) print[to++] = print[i];
    return to;
}

/* The hashes of all grams of the text, sorted; the caller frees them. */
static uint64_t *all_grams(const course_prints *p, long *count) {
    const long n = p->length < GRAM ? 0 : p->length - GRAM + 1;
    uint64_t *all = malloc((size_t)(n + 1) * sizeof *all);
    for (long i = 0; all && i < n; i++) all[i] = gram(p->code + i);
    *count = all ? sort_once(all, n) : 0;
    return all;
}

/* Keeps the least hash of each window, the rightmost one in a tie. Grams of the starter are in no window. */
static void winnow(course_prints *p, const uint64_t *starter, long grams) {
    uint64_t window[WINDOW];
    long seen = 0, kept = -1;
    for (long i = 0; i + GRAM <= p->length; i++) {
        const uint64_t hash = gram(p->code + i);
        if (grams > 0 && bsearch(&hash, starter, (size_t)grams, sizeof hash, by_value)) {
            for (int k = 0; k < GRAM; k++) p->given[i + k] = true;
            continue;
        }
        window[seen++ % WINDOW] = hash;
        if (seen < WINDOW) continue;
        long least = seen - WINDOW;
        for (long k = least; k < seen; k++)
            if (window[k % WINDOW] <= window[least % WINDOW]) least = k;
        if (least != kept) p->print[p->prints++] = window[least % WINDOW];
        kept = least;
    }
    p->prints = sort_once(p->print, p->prints);
}

bool course_prints_of(course_prints *p, const char *text, size_t size, const course_prints *starter) {
    *p = (course_prints){0};
    course_tokens tokens;
    if (!course_tokens_of(&tokens, text, size)) return false;
    const size_t n = (size_t)tokens.count + 1;
    p->code = malloc(n * sizeof *p->code), p->line = malloc(n * sizeof *p->line);
    p->given = calloc(n, sizeof *p->given), p->print = malloc(n * sizeof *p->print);
    long grams = 0;
    uint64_t *theirs = starter ? all_grams(starter, &grams) : NULL;
    const bool fine = p->code && p->line && p->given && p->print && (!starter || theirs);
    if (fine)
        number(p, &tokens), winnow(p, theirs, grams);
    else
        course_prints_free(p);
    free(theirs);
    course_tokens_free(&tokens);
    return fine;
}

void course_prints_free(course_prints *p) {
    free(p->code), free(p->line), free(p->given), free(p->print);
    *p = (course_prints){0};
}

double course_alike(const course_prints *a, const course_prints *b) {
    const long least = a->prints < b->prints ? a->prints : b->prints;
    long both = 0;
    if (least < FEW) return 0;
    for (long i = 0, k = 0; i < a->prints && k < b->prints;) {
        both += a->print[i] == b->print[k];
        if (a->print[i] <= b->print[k])
            k += a->print[i++] == b->print[k];
        else
            k++;
    }
    return (double)both / (double)least;
}

/* ---- passages ---- */

/* The longest run of equal tokens that are neither from the starter nor already taken (in a); returns its length. */
static int longest(const course_prints *a, const course_prints *b, const bool *taken, long *at_a,
                   long *at_b) {
    int *run = calloc((size_t)b->length + 1, sizeof *run), most = 0;
    for (long i = 0; run && i < a->length; i++)
        for (long k = b->length - 1; k >= 0;
             k--) { /* from the right, so that run[k] still belongs to the token before */
            const bool same = a->code[i] == b->code[k] && !a->given[i] && !b->given[k] && !taken[i];
            run[k + 1] = same ? run[k] + 1 : 0;
            if (run[k + 1] > most) most = run[k + 1], *at_a = i - most + 1, *at_b = k - most + 1;
        }
    free(run);
    return most;
}

int course_excerpts(const course_prints *a, const course_prints *b, course_excerpt most[2]) {
    bool *taken = calloc((size_t)a->length + 1, sizeof *taken);
    int found = 0;
    for (; taken && found < 2; found++) {
        long i = 0, k = 0;
        const int n = longest(a, b, taken, &i, &k);
        if (n < GRAM) break;
        most[found] = (course_excerpt){a->line[i], a->line[i + n - 1], b->line[k], b->line[k + n - 1]};
        for (int t = 0; t < n; t++) taken[i + t] = true;
    }
    free(taken);
    return found;
}
