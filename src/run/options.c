/* Settings as tables. A row's offset counts from the start of its own struct. In a table that another one refers to,
 * this struct is a member of the outer one. So a search for a row returns both the row and the address of its field. */
#include "tapeloom/options.h"

#include "base/quote.h"

#include <math.h>
#include <string.h>

static bool is_end(const tl_option *o) { return !o->name && !o->help && !o->rows; }

/* A row, and the address of its field. */
typedef struct place {
    const tl_option *row;
    void *field;
} place;

/* values may be NULL if only the row is needed. */
static place find(const tl_option *table, char *values, const char *name, size_t length) {
    for (const tl_option *o = table; o && !is_end(o); o++) {
        char *at = values ? values + o->offset : NULL;
        if (o->name && strlen(o->name) == length && strncmp(o->name, name, length) == 0)
            return (place){o, at};
        place inner = o->rows ? find(o->rows, at, name, length) : (place){NULL, NULL};
        if (inner.row) return inner;
    }
    return (place){NULL, NULL};
}

/* ---- values ---- */

/* Is `value` one of "a|b|c"? If `takes` has no bar, any value is allowed. */
static bool is_choice(const char *takes, const char *value) {
    if (!strchr(takes, '|')) return true;
    size_t length = strlen(value);
    for (const char *p = takes; p; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL)
        if (strncmp(p, value, length) == 0 && (p[length] == '|' || p[length] == 0) && length) return true;
    return false;
}

static const char *const expectations[] = {[TL_OPTION_LONG] = "a whole number from 0 to 2147483647",
                                           [TL_OPTION_DOUBLE] = "a number from 0 up",
                                           [TL_OPTION_SHARE] = "a number from 0 up to, but not, 1",
                                           [TL_OPTION_FLAG] = "true or false"};

static const char *expects(const tl_option *o) {
    return o->kind == TL_OPTION_TEXT ? o->takes : expectations[o->kind];
}

static bool allows(const tl_option *o, const void *field) {
    switch (o->kind) {
    case TL_OPTION_LONG:
        return *(const long *)field >= 0 && *(const long *)field <= INT32_MAX;
    case TL_OPTION_DOUBLE:
        return *(const double *)field >= 0 && isfinite(*(const double *)field);
    case TL_OPTION_SHARE:
        return *(const double *)field >= 0 && *(const double *)field < 1;
    case TL_OPTION_TEXT:
        return !*(const char *const *)field || is_choice(o->takes, *(const char *const *)field);
    case TL_OPTION_FLAG:
        break;
    }
    return true;
}

/* ---- the command line ---- */

static bool refuse(const tl_option *o, const char *value, tl_error *error) {
    if (o->kind == TL_OPTION_TEXT)
        return tl_error_set(error, "--%s \"%s\": say one of %s", o->name, value, o->takes);
    return tl_error_set(error, "--%s \"%s\": %s is expected", o->name, value, expects(o));
}

static bool set_value(const tl_option *o, void *field, const char *value, tl_error *error) {
    bool ok = true;
    if (o->kind == TL_OPTION_FLAG) *(bool *)field = true;
    if (o->kind == TL_OPTION_LONG) ok = tl_long_parse(value, field);
    if (o->kind == TL_OPTION_DOUBLE || o->kind == TL_OPTION_SHARE) ok = tl_double_parse(value, field);
    if (o->kind == TL_OPTION_TEXT) *(const char **)field = value;
    return (ok && allows(o, field)) || refuse(o, value, error);
}

/* A field's value as one would type it. */
static const char *value_text(const tl_option *o, const void *field, char text[TL_NUMBER_TEXT]) {
    if (o->kind == TL_OPTION_TEXT) return *(const char *const *)field;
    if (o->kind == TL_OPTION_LONG)
        snprintf(text, TL_NUMBER_TEXT, "%ld", *(const long *)field);
    else
        tl_double_text(*(const double *)field, text);
    return text;
}

bool tl_options_check(const tl_option *table, const void *values, tl_error *error) {
    if (!values) return tl_error_set(error, "options: the struct is NULL");
    for (const tl_option *o = table; o && !is_end(o); o++) {
        const void *field = (const char *)values + o->offset;
        char text[TL_NUMBER_TEXT];
        if (o->rows && !tl_options_check(o->rows, field, error)) return false;
        if (o->name && !allows(o, field)) return refuse(o, value_text(o, field, text), error);
    }
    return true;
}

const tl_option *tl_options_named(const tl_option *table, const char *word) {
    if (!word || strncmp(word, "--", 2)) return NULL;
    return find(table, NULL, word + 2, strcspn(word + 2, "=")).row;
}

bool tl_options_parse(const tl_option *table, void *values, int argc, char **argv, bool *help,
                      tl_error *error) {
    if (!values || (!argv && argc > 0) || !help)
        return tl_error_set(error, "options: the struct, the words or the place for --help are NULL");
    for (int i = 0; i < argc; i++) {
        const char *a = argv[i];
        if (!a) return tl_error_set(error, "options: word %d of %d is NULL", i, argc);
        if (!strcmp(a, "--help") || !strcmp(a, "-h")) {
            *help = true;
            return true;
        }
        if (strncmp(a, "--", 2)) return tl_error_set(error, "\"%s\": options begin with --", a);
        const char *equals = strchr(a, '=');
        place p = find(table, values, a + 2, strcspn(a + 2, "="));
        const tl_option *o = p.row;
        if (!o) return tl_error_set(error, "there is no option \"%s\" here", a);
        if (o->kind == TL_OPTION_FLAG && equals) return tl_error_set(error, "--%s takes no value", o->name);
        const char *value = equals ? equals + 1 : NULL;
        if (!value && o->kind != TL_OPTION_FLAG) {
            if (++i == argc || !strncmp(argv[i], "--", 2))
                return tl_error_set(error, "--%s: %s is missing behind it", o->name, o->takes);
            value = argv[i];
        }
        if (!set_value(o, p.field, value, error)) return false;
    }
    return true;
}

/* ---- --help ---- */

/* Prints from column `from` on, in lines of at most 110 columns. */
static void print_wrapped(const char *text, int from, FILE *out) {
    int column = from;
    for (size_t length; *text; text += length) {
        length = strcspn(text + 1, " ") + 1; /* a word with the space before it */
        if (column + (int)length > 110 && *text == ' ') {
            fprintf(out, "\n%*s%.*s", from, "", (int)length - 1, text + 1);
            column = from + (int)length - 1;
        } else {
            fprintf(out, "%.*s", (int)length, text);
            column += (int)length;
        }
    }
    fputc('\n', out);
}

static void print_row(const tl_option *o, const void *field, FILE *out) {
    char left[128], value[TL_NUMBER_TEXT] = "", text[512];
    snprintf(left, sizeof left, "--%s%s%s", o->name, o->takes ? " " : "", o->takes ? o->takes : "");
    const char *shown = value;
    if (o->kind == TL_OPTION_LONG && *(const long *)field)
        snprintf(value, sizeof value, "%ld", *(const long *)field);
    if ((o->kind == TL_OPTION_DOUBLE || o->kind == TL_OPTION_SHARE) && *(const double *)field > 0)
        tl_double_text(*(const double *)field, value);
    if (o->kind == TL_OPTION_TEXT && *(const char *const *)field) shown = *(const char *const *)field;
    if (strlen(left) > 30) { /* too wide for its column: the help goes to the next line */
        fprintf(out, "  %s\n", left);
        *left = 0;
    }
    snprintf(text, sizeof text, "%s%s%s%s", o->help, *shown ? " [" : "", shown, *shown ? "]" : "");
    fprintf(out, "  %-30s ", left);
    print_wrapped(text, 33, out);
}

static void print_rows(const tl_option *table, const char *defaults, FILE *out) {
    for (const tl_option *o = table; o && !is_end(o); o++) {
        if (o->name)
            print_row(o, defaults + o->offset, out);
        else if (o->rows)
            print_rows(o->rows, defaults + o->offset, out);
        else
            fprintf(out, "\n%s:\n", o->help);
    }
}

void tl_options_print(const tl_option *table, const void *defaults, FILE *out) {
    if (!table || !defaults || !out) return;
    if (table->name || table->rows) fprintf(out, "\noptions:\n");
    print_rows(table, defaults, out);
}

/* ---- config.txt ---- */

/* Has a rare row its usual value: 0, false, or the first choice of a text? */
static bool is_usual(const tl_option *o, const void *field) {
    switch (o->kind) {
    case TL_OPTION_LONG:
        return *(const long *)field == 0;
    case TL_OPTION_DOUBLE:
    case TL_OPTION_SHARE:
        return !(*(const double *)field > 0);
    case TL_OPTION_FLAG:
        return !*(const bool *)field;
    case TL_OPTION_TEXT:
        break;
    }
    const char *value = *(const char *const *)field;
    const size_t length = strcspn(o->takes, "|");
    return !value || (o->takes[length] && strlen(value) == length && !strncmp(value, o->takes, length));
}

void tl_options_write(const tl_option *table, const void *values, tl_config *config) {
    for (const tl_option *o = table; o && values && config && !is_end(o); o++) {
        const void *f = (const char *)values + o->offset;
        if (o->rows) tl_options_write(o->rows, f, config);
        if (!o->name || (o->rare && is_usual(o, f))) continue;
        if (o->kind == TL_OPTION_LONG) tl_config_set_long(config, o->name, *(const long *)f);
        if (o->kind == TL_OPTION_DOUBLE || o->kind == TL_OPTION_SHARE)
            tl_config_set_double(config, o->name, *(const double *)f);
        if (o->kind == TL_OPTION_FLAG) tl_config_set_bool(config, o->name, *(const bool *)f);
        if (o->kind == TL_OPTION_TEXT && *(const char *const *)f)
            tl_config_set_string(config, o->name, *(const char *const *)f);
    }
}

static void fail_value(const tl_option *o, const char *path, const char *value, tl_error *error) {
    char file[TL_SHOWN], shown[TL_SHOWN];
    tl_error_set(error, "%s: %s = \"%s\": expected %s; correct the line", tl_shown_path(path, file), o->name,
                 tl_shown(value, strlen(value), 60, shown), expects(o));
}

static void read_rows(const tl_option *table, char *values, tl_config *config, const char *path,
                      tl_error *error) {
    for (const tl_option *o = table; o && !is_end(o); o++) {
        void *f = values + o->offset;
        if (o->rows) read_rows(o->rows, f, config, path, error);
        if (!o->name) continue;
        if (o->kind == TL_OPTION_LONG) *(long *)f = tl_config_long(config, o->name, *(long *)f);
        if (o->kind == TL_OPTION_DOUBLE || o->kind == TL_OPTION_SHARE)
            *(double *)f = tl_config_double(config, o->name, *(double *)f);
        if (o->kind == TL_OPTION_FLAG) *(bool *)f = tl_config_bool(config, o->name, *(bool *)f);
        if (o->kind == TL_OPTION_TEXT)
            *(const char **)f = tl_config_string(config, o->name, *(const char **)f);
        if (!allows(o, f)) fail_value(o, path, tl_config_string(config, o->name, ""), error);
    }
}

bool tl_options_read(const tl_option *table, void *values, tl_config *config, const char *path,
                     const char *program, tl_error *error) {
    long line = 0;
    tl_error nobodys = {""};
    if (!error) error = &nobodys;
    if (!values || !config || !path || !program)
        return tl_error_set(error, "options: the struct, the configuration or who they are of is NULL");
    read_rows(table, values, config, path, error);
    const char *unknown = tl_config_unknown(config, 0, &line);
    if (tl_config_error(config)) return tl_error_set(error, "%s", tl_config_error(config));
    if (unknown)
        return tl_error_set(error,
                            "%s line %ld: there is no setting \"%s\"; correct the line, or use the version "
                            "of %s that wrote it",
                            path, line, unknown, program);
    return !tl_failed(error);
}
