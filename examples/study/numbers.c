/* Measured numbers as a plain list, and as CSV. */
#include "study.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Can the name be a cell without quotes? A space at an end would need them. */
static bool is_plain_cell(const char *name) {
    const size_t length = strlen(name);
    return length && length < NAME_SIZE && !strpbrk(name, ",\"\r\n") && name[0] != ' ' &&
           name[length - 1] != ' ';
}

static bool is_seed(long seed) { return seed >= 0 && seed < LONG_MAX; }

void numbers_add(numbers *n, const char *arm, long seed, const char *what, double at, double value) {
    if (!n->failed && n->count == n->room) {
        const long room = n->room ? 2 * n->room : 64;
        number *row = realloc(n->row, (size_t)room * sizeof *row);
        if (row) n->row = row, n->room = room;
        n->failed = !row;
    }
    if (!is_plain_cell(arm) || !is_plain_cell(what) || !is_seed(seed)) n->failed = true;
    if (n->failed) return;
    number *row = &n->row[n->count++];
    *row = (number){.seed = seed, .at = at, .value = value};
    strcpy(row->arm, arm);
    strcpy(row->what, what);
}

double numbers_get(const numbers *n, const char *arm, long seed, const char *what, double at) {
    for (long i = n->count - 1; i >= 0; i--) {
        const number *row = &n->row[i];
        if (row->seed == seed && row->at == at && !strcmp(row->arm, arm) && !strcmp(row->what, what))
            return row->value;
    }
    return NAN;
}

double numbers_mean(const numbers *n, const char *arm, long seed, const char *what, double low, double high) {
    double sum = 0;
    long count = 0;
    for (long i = 0; i < n->count; i++) {
        const number *row = &n->row[i];
        if (row->seed != seed || !(row->at >= low && row->at <= high) || strcmp(row->arm, arm) ||
            strcmp(row->what, what))
            continue;
        sum += row->value;
        count++;
    }
    return count ? sum / (double)count : NAN;
}

long numbers_seeds(const numbers *n) {
    long seeds = 0;
    for (long i = 0; i < n->count; i++)
        if (n->row[i].seed >= seeds) seeds = n->row[i].seed + 1;
    return seeds;
}

void numbers_free(numbers *n) {
    free(n->row);
    *n = (numbers){.row = NULL};
}

/* ---- CSV ---- */

static const char *const columns[] = {"arm", "seed", "what", "at", "value"};
#define HEADER "arm,seed,what,at,value\n"

bool numbers_write(const numbers *n, const char *path, tl_error *error) {
    if (n->failed)
        return tl_error_set(error, "%s: out of memory, or a name or a seed that no table can hold", path);
    tl_csv *csv = tl_csv_table(path, columns, sizeof columns / sizeof *columns, error);
    if (!csv) return false;
    for (const number *row = n->row; row < n->row + n->count; row++) {
        tl_csv_text(csv, row->arm);
        tl_csv_long(csv, row->seed);
        tl_csv_text(csv, row->what);
        tl_csv_double(csv, row->at);
        tl_csv_double(csv, row->value);
        tl_csv_end_row(csv);
    }
    return tl_csv_close(csv, error);
}

/* Reads a line "arm,seed,what,at,value", cutting it up. */
static bool read_row(numbers *n, char *line) {
    char *cell[5];
    long seed;
    double at, value;
    for (int i = 0; i < 5; i++) {
        cell[i] = line;
        line += strcspn(line, ",");
        if ((*line == 0) != (i == 4)) return false;
        *line++ = 0;
    }
    if (!is_plain_cell(cell[0]) || !tl_long_parse(cell[1], &seed) || !is_seed(seed) ||
        !is_plain_cell(cell[2]) || !tl_double_parse(cell[3], &at) || !tl_double_parse(cell[4], &value))
        return false;
    numbers_add(n, cell[0], seed, cell[2], at, value);
    return true;
}

/* Reads rows up to the end of the text, cutting it up. A NUL is no line end; a line with a NUL is an error. */
static bool read_rows(numbers *n, char *at, const char *end_of_text, const char *path, tl_error *error) {
    for (long line = 2; at < end_of_text; line++) {
        char *end = strchr(at, '\n');
        if (end) *end = 0;
        if (!end || !read_row(n, at))
            return tl_error_set(
                error,
                "%s: line %ld: expected a name, a seed, a name and two numbers: remove the file, and "
                "it is measured anew",
                path, line);
        at = end + 1;
    }
    return true;
}

bool numbers_read(numbers *n, const char *path, tl_error *error) {
    enum { MOST = 1 << 26 };
    const long before = n->count;
    char *text;
    size_t size;
    if (!tl_file_read_regular(path, MOST, &text, &size, error)) return false;
    bool ok = !strncmp(text, HEADER, strlen(HEADER)) ||
              tl_error_set(error, "%s: line 1: found no \"%.*s\": not numbers of a study", path,
                           (int)strlen(HEADER) - 1, HEADER);
    ok = ok && read_rows(n, text + strlen(HEADER), text + size, path, error);
    free(text);
    if (ok && n->failed) ok = tl_error_set(error, "%s: out of memory", path);
    if (!ok) n->count = before;
    return ok;
}
