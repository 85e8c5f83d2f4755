/* When, where and how long: a line for each job in OUT/jobs.csv, and from these a line for each claim in
 * PAGE/study/record.csv. */
#define _DEFAULT_SOURCE /* getloadavg */
#include "parts.h"

#include "../program/program.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* ---- the machine ---- */

/* The processor's name from /proc/cpuinfo, if it exists. */
static void machine_text(char to[128]) {
    char line[256], name[96] = "unknown processor";
    FILE *in = fopen("/proc/cpuinfo", "r");
    while (in && fgets(line, sizeof line, in)) {
        const char *colon = strchr(line, ':');
        if (!colon || strncmp(line, "model name", strlen("model name"))) continue;
        snprintf(name, sizeof name, "%.90s", colon + 2);
        break;
    }
    if (in) fclose(in);
    name[strcspn(name, "\r\n")] = 0;
    for (char *at = name; *at; at++) /* characters that would end a cell */
        if (*at == ',' || *at == '"') *at = ' ';
    snprintf(to, 128, "%s; %d cores", name, tl_processors());
}

static void build_text(char to[64]) {
    snprintf(to, 64, "%s", tl_build_text());
    for (char *at = to; *at; at++)
        if (*at == ',' || *at == '"') *at = ';';
}

static const char *budget_text(budget b) { return b == FULL ? "full" : b == QUICK ? "quick" : "tiny"; }

/* ---- a line a job ---- */

static const char *job_key(const job *j) {
    const char *slash = strrchr(j->trains ? j->run_dir : j->measured, '/');
    return slash + 1;
}

bool record_job(const study *s, const job *j, double began, double core_seconds, tl_error *error) {
    static const char *const columns[] = {"job", "claim", "arm", "seed", "core_seconds", "load", "began"};
    char path[PATH_SIZE];
    double load = NAN;
    if (getloadavg(&load, 1) != 1) load = NAN;
    tl_csv *csv = tl_csv_open(path_in(path, s->out, "jobs.csv"), columns, 7, true, error);
    if (!csv) return false;
    tl_csv_text(csv, job_key(j));
    tl_csv_text(csv, j->claim->name);
    tl_csv_text(csv, j->arm.name);
    tl_csv_long(csv, (long)j->real_seed);
    tl_csv_double(csv, core_seconds);
    tl_csv_double(csv, load);
    tl_csv_double(csv, began);
    tl_csv_end_row(csv);
    return tl_csv_close(csv, error);
}

/* Adds the last line of a job. (An interrupted job has no line, so its time until then is missing.) */
static void add_job_of(const char *lines, const job *j, record *r, double *loads) {
    char key[128];
    double seconds = 0, load = NAN;
    snprintf(key, sizeof key, "\n%s,", job_key(j));
    for (const char *at = strstr(lines, key); at; at = strstr(at + 1, key)) {
        const char *cell = at + strlen(key); /* claim, arm, seed, core_seconds, load */
        for (int commas = 0; *cell && commas < 3; cell++) commas += *cell == ',';
        char *end;
        seconds = strtod(cell, &end);
        load = *end ? strtod(end + 1, NULL) : NAN;
    }
    r->core_seconds += seconds;
    if (!isfinite(load)) return;
    r->load += load;
    *loads += 1;
}

bool record_of(study *s, const claim *c, record *r, tl_error *error) {
    enum { MOST = 1 << 26 };
    char path[PATH_SIZE], *lines;
    size_t size;
    double loads = 0;
    if (!tl_file_read_regular(path_in(path, s->out, "jobs.csv"), MOST, &lines, &size, error)) return false;
    *r = (record){.seeds = study_seeds(s)};
    snprintf(r->name, sizeof r->name, "%s", c ? c->name : RECORD_OF_ALL);
    snprintf(r->budget, sizeof r->budget, "%s%s", budget_text(s->budget), s->trial ? " trial" : "");
    machine_text(r->machine);
    build_text(r->build);
    time_t measured = 0; /* when the claim's last number was measured */
    for (long i = 0; i < s->count; i++) {
        bool counts = c ? !s->job[i]->trains && s->job[i]->claim == c : !s->job[i]->claim->needs_data;
        for (long k = 0; k < s->count && !counts; k++) /* does a job of the claim use this run? */
            counts = s->job[k]->claim == c && s->job[k]->run == s->job[i];
        if (!counts) continue;
        add_job_of(lines, s->job[i], r, &loads);
        struct stat file;
        if (stat(s->job[i]->measured, &file) == 0 && file.st_mtime > measured) measured = file.st_mtime;
    }
    strftime(r->date, sizeof r->date, "%Y-%m-%d", localtime(&measured));
    r->load = loads ? r->load / loads : NAN;
    free(lines);
    return true;
}

/* ---- a line a claim ---- */

#define HEADER "claim,budget,seeds,machine,build,date,core_seconds,load\n"

static char *read_records(const char *folder, tl_error *error) {
    char path[PATH_SIZE], *lines;
    size_t size;
    path_in(path, folder, "study/record.csv");
    bool there;
    tl_file_look(path, &there, error);
    if (!there) return NULL;
    if (!tl_file_read_regular(path, 1 << 20, &lines, &size, error)) return NULL;
    if (!strncmp(lines, HEADER, strlen(HEADER))) return lines;
    tl_error_set(error, "%s: line 1: not the records of a study: remove the file, and it is written anew",
                 path);
    free(lines);
    return NULL;
}

static bool parse_record(const char *line, record *r) {
    return sscanf(line, "%47[^,],%15[^,],%ld,%127[^,],%63[^,],%15[^,],%lf,%lf", r->name, r->budget, &r->seeds,
                  r->machine, r->build, r->date, &r->core_seconds, &r->load) == 8;
}

/* Finds the line of a claim in the text of read_records. */
static bool find_record(const char *lines, const char *name, record *r) {
    bool found = false;
    for (const char *at = lines ? strchr(lines, '\n') : NULL; at && at[1] && !found;
         at = strchr(at + 1, '\n'))
        found = parse_record(at + 1, r) && !strcmp(r->name, name);
    return found;
}

bool record_read(const char *folder, const char *name, record *r, tl_error *error) {
    char *lines = read_records(folder, error);
    const bool found = find_record(lines, name, r);
    free(lines);
    return found;
}

static void put_record(FILE *out, const record *r) {
    fprintf(out, "%s,%s,%ld,%s,%s,%s,%.0f,%.2f\n", r->name, r->budget, r->seeds, r->machine, r->build,
            r->date, r->core_seconds, r->load);
}

/* Writes the line of a name: from r if it has that name, otherwise the old line. */
static void put_line(FILE *out, const char *name, const record *r, const char *lines) {
    record other;
    if (!strcmp(name, r->name))
        put_record(out, r);
    else if (find_record(lines, name, &other))
        put_record(out, &other);
}

/* Lines are in the order of the claims, so that measuring a claim again changes only its own line. */
bool record_write(const char *folder, const record *r, tl_error *error) {
    char *text = NULL, path[PATH_SIZE], *lines = read_records(folder, error);
    size_t size = 0;
    FILE *out = tl_failed(error) ? NULL : tl_text_open(&text, TEXT_MOST, error);
    if (!out) return free(lines), false;
    fputs(HEADER, out);
    put_line(out, RECORD_OF_ALL, r, lines);
    for (int i = 0; claims[i]; i++) put_line(out, claims[i]->name, r, lines);
    const bool ok = tl_text_close(out, &text, &size, error) &&
                    tl_file_write(path_in(path, folder, "study/record.csv"), text, size, error);
    free(lines);
    free(text);
    return ok;
}
