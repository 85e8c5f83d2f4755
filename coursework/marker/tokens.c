/* C's first translation phases: trigraphs, spliced lines, comments, tokens. That is enough to see which words a file
 * has and how similar two files are. Macros are not expanded, and directives not followed. */
#include "lecturing.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Phases 1 and 2 in place. line [size + 1]: the line of each remaining byte. Returns the new size. */
static size_t resolve(char *text, size_t size, int *line) {
    static const char third[] = "=/'()!<>-", stands_for[] = "#\\^[]|{}~";
    size_t to = 0;
    int now = 1;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (c == '?' && i + 2 < size && text[i + 1] == '?' && text[i + 2] && strchr(third, text[i + 2]))
            c = stands_for[strchr(third, text[i + 2]) - third], i += 2;
        if (c == '\\') { /* compilers allow blanks before the line's end */
            size_t end = i + 1;
            while (end < size && (text[end] == ' ' || text[end] == '\t' || text[end] == '\r')) end++;
            if (end < size && text[end] == '\n') {
                i = end, now++;
                continue;
            }
        }
        line[to] = now;
        text[to++] = c;
        if (c == '\n') now++;
    }
    line[to] = now;
    text[to] = '\0';
    return to;
}

static const char *skip_comment(const char *p) {
    if (p[1] == '/') return p + strcspn(p, "\n");
    const char *end = strstr(p + 2, "*/");
    return end ? end + 2 : p + strlen(p);
}

static bool begins_word(unsigned char c) { return isalpha(c) || c == '_' || c == '$' || c >= 0x80; }

static int length_of(const char *p, course_lexeme *kind) {
    const char *q = p;
    if (begins_word((unsigned char)*p) || (*p == '\\' && (p[1] == 'u' || p[1] == 'U'))) {
        *kind = COURSE_WORD;
        while (begins_word((unsigned char)*q) || isdigit((unsigned char)*q) || *q == '\\') q++;
        if (*q != '"' && *q != '\'') return (int)(q - p);
    } else if (isdigit((unsigned char)*p) || (*p == '.' && isdigit((unsigned char)p[1]))) {
        *kind = COURSE_NUMBER;
        while (isalnum((unsigned char)*q) || *q == '.' || *q == '_' ||
               (*q && strchr("+-", *q) && strchr("eEpP", q[-1])))
            q++;
        return (int)(q - p);
    }
    if (*q == '"' || *q == '\'') { /* also L"…", u8"…" */
        if (q > p && !(q - p <= 2 && strchr("LuU", *p))) return (int)(q - p);
        *kind = COURSE_STRING;
        const char mark = *q++;
        while (*q && *q != mark && *q != '\n') q += q[0] == '\\' && q[1] ? 2 : 1;
        return (int)(q - p) + (*q == mark);
    }
    *kind = COURSE_MARK;
    static const char *const marks[] = {
        "%:%:", "<<=", ">>=", "...", "->", "++", "--", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||",
        "*=",   "/=",  "%=",  "+=",  "-=", "&=", "^=", "|=", "##", "<:", ":>", "<%", "%>", "%:"};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (strncmp(p, marks[i], strlen(marks[i])) == 0) return (int)strlen(marks[i]);
    return 1;
}

bool course_tokens_of(course_tokens *t, const char *text, size_t size) {
    *t = (course_tokens){.text = malloc(size + 1)};
    int *line = malloc((size + 1) * sizeof *line);
    if (!t->text || !line) {
        free(line);
        course_tokens_free(t);
        return false;
    }
    memcpy(t->text, text, size);
    for (size_t i = 0; i < size; i++)
        if (!t->text[i]) t->text[i] = ' ';
    size = resolve(t->text, size, line);
    bool first = true;
    long room = 0;
    for (const char *p = t->text; *p;) {
        if (*p == '\n') first = true;
        if (isspace((unsigned char)*p)) {
            p++;
        } else if (p[0] == '/' && (p[1] == '/' || p[1] == '*')) {
            p = skip_comment(p);
        } else {
            if (t->count == room) {
                room = 2 * room + 256;
                course_token *more = realloc(t->token, (size_t)room * sizeof *more);
                if (!more) {
                    free(line);
                    course_tokens_free(t);
                    return false;
                }
                t->token = more;
            }
            course_token *k = &t->token[t->count++];
            *k = (course_token){.at = p, .line = line[p - t->text], .first = first};
            k->length = length_of(p, &k->kind);
            p += k->length;
            first = false;
        }
    }
    free(line);
    return true;
}

bool course_token_is(const course_token *t, const char *word) {
    return (size_t)t->length == strlen(word) && memcmp(t->at, word, (size_t)t->length) == 0;
}

void course_tokens_free(course_tokens *t) {
    free(t->text), free(t->token);
    *t = (course_tokens){0};
}
