/* What was measured, as a plain list, and as CSV. */
#include "study.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool fits(const char *name) { return *name && strlen(name) < NAME_SIZE && !strpbrk(name, ",\"\r\n"); }

void numbers_add(numbers *n, const char *arm, long seed, const char *what, double at, double value) {
    if (!n->failed && n->count == n->room) {
        const long room = n->room ? 2 * n->room : 64;
        number *row = realloc(n->row, (size_t)room * sizeof *row);
        if (row) n->row = row, n->room = room;
        n->failed = !row;
    }
    if (!fits(arm) || !fits(what)) n->failed = true;
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
        if (row->seed != seed || row->at < low || row->at > high || strcmp(row->arm, arm) ||
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
    if (n->failed) return tl_error_set(error, "%s: out of memory, or a name that no table can hold", path);
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

/* A line "arm,seed,what,at,value", which it cuts up. */
static bool read_row(numbers *n, char *line) {
    char *cell[5], *end;
    for (int i = 0; i < 5; i++) {
        cell[i] = line;
        line += strcspn(line, ",");
        if ((*line == 0) != (i == 4)) return false;
        *line++ = 0;
    }
    const long seed = strtol(cell[1], &end, 10);
    if (end == cell[1] || *end || seed < 0) return false;
    const double at = strtod(cell[3], &end);
    if (end == cell[3] || *end) return false;
    const double value = strtod(cell[4], &end);
    if (end == cell[4] || *end || !fits(cell[0]) || !fits(cell[2])) return false;
    numbers_add(n, cell[0], seed, cell[2], at, value);
    return true;
}

bool numbers_read(numbers *n, const char *path, tl_error *error) {
    enum { MOST = 1 << 26 };
    char *text;
    size_t size;
    if (!tl_file_read_regular(path, MOST, &text, &size, error)) return false;
    bool ok = !strncmp(text, HEADER, strlen(HEADER)) && !memchr(text, 0, size);
    if (!ok)
        tl_error_set(error, "%s: line 1: found no \"arm,seed,what,at,value\": not numbers of a study", path);
    long line = 2;
    for (char *at = text + strlen(HEADER); ok && *at; line++) {
        char *end = strchr(at, '\n');
        if (end) *end = 0;
        ok = end && read_row(n, at);
        if (!ok)
            tl_error_set(
                error,
                "%s: line %ld: expected a name, a seed, a name and two numbers: remove the file, and "
                "it is measured anew",
                path, line);
        else
            at = end + 1;
    }
    free(text);
    if (ok && n->failed) ok = tl_error_set(error, "%s: out of memory", path);
    return ok;
}
