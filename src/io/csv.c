/* CSV logs by RFC 4180. A row is built in memory and appended to the file in one write. So whoever reads the log, at
 * any time or after a kill, finds whole rows; a write that stops half way is undone. A row is on the disk before the
 * next one begins, and no row is written to a file that has lost its name. A table is different: its rows wait in
 * memory until it is closed. */
#define _POSIX_C_SOURCE 200809L
#include "base/buffer.h"
#include "complain.h"

#include "tapeloom/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct tl_csv {
    int fd;
    char *path;
    int columns, cells; /* cells: of the current row */
    bool table;         /* row holds all rows, and the file is written at the end */
    tl_buffer row;
    tl_error error;
};

static bool failed(const tl_csv *csv) { return !csv || csv->error.message[0] != 0; }

static void add_cell(tl_buffer *row, bool first, const char *text) {
    if (!first) tl_buffer_text(row, ",");
    bool quote = strpbrk(text, ",\"\r\n") || text[0] == ' ' || (*text != 0 && text[strlen(text) - 1] == ' ');
    if (!quote) {
        tl_buffer_text(row, text);
        return;
    }
    tl_buffer_text(row, "\"");
    for (; *text != 0; text++) tl_buffer_add(row, *text == '"' ? "\"\"" : text, *text == '"' ? 2 : 1);
    tl_buffer_text(row, "\"");
}

/* Syncs the file. A pipe or terminal has no disk to sync. */
static bool sync_disk(tl_csv *csv) {
    while (fsync(csv->fd) != 0)
        if (errno == EINVAL || errno == EROFS || errno == ENOTSUP)
            break;
        else if (errno != EINTR)
            return tl_fail_errno(&csv->error, "write", csv->path, errno);
    return true;
}

/* Appends the row to the file and empties it. */
static bool write_row(tl_csv *csv) {
    if (csv->row.failed) return tl_fail_memory(&csv->error, "writing a row of", csv->path);
    struct stat before;
    char file[TL_SHOWN];
    bool can_undo = fstat(csv->fd, &before) == 0 && S_ISREG(before.st_mode);
    if (can_undo && before.st_nlink == 0)
        return tl_error_set(&csv->error,
                            "%s was removed or replaced while rows were written to it; put it back, or begin "
                            "another log",
                            tl_shown_path(csv->path, file));
    const char *next = csv->row.text;
    size_t left = csv->row.size;
    while (left > 0) {
        ssize_t put = write(csv->fd, next, left);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) {
            int number = errno;
            if (can_undo && left < csv->row.size && ftruncate(csv->fd, before.st_size) != 0) number = errno;
            return tl_fail_errno(&csv->error, "write", csv->path, number);
        }
        next += put;
        left -= (size_t)put;
    }
    csv->row.size = 0;
    csv->cells = 0;
    return sync_disk(csv);
}

/* Checks an existing log. Returns true with *keep = 0 if it is missing or has no whole line; true with *keep = its size
 * up to the end of the last whole line if it has our header; false if it is something else. */
static bool look_at_old(tl_csv *csv, const char *path, const tl_buffer *header, off_t *keep) {
    char *text, file[TL_SHOWN], found[TL_SHOWN], expected[TL_SHOWN];
    size_t size;
    struct stat about;
    *keep = 0;
    if (stat(path, &about) != 0 && errno == ENOENT) return true;
    if (!tl_file_read_regular(path, TL_WORDS_MOST, &text, &size, &csv->error)) return false;
    size_t all = size;
    while (size > 0 && text[size - 1] != '\n') size--;
    bool ours = size >= header->size && memcmp(text, header->text, header->size) == 0;
    /* our header, not yet written completely */
    if (size == 0) ours = all < header->size && memcmp(text, header->text, all) == 0;
    if (ours)
        *keep = (off_t)size;
    else
        tl_error_set(&csv->error,
                     "%s: found the columns %s, expected %s; choose another file, or remove this one",
                     tl_shown_path(path, file), tl_shown(text, strcspn(text, "\r\n"), 80, found),
                     tl_shown(header->text, header->size - 1, 80, expected));
    free(text);
    return ours;
}

static bool check_columns(tl_csv *csv, const char *const *columns) {
    char file[TL_SHOWN];
    tl_shown_path(csv->path, file);
    if (csv->columns < 1)
        return tl_error_set(&csv->error, "%s: a log without columns; give at least one", file);
    if (!columns)
        return tl_error_set(&csv->error, "%s: %d columns at NULL; give their names", file, csv->columns);
    for (int i = 0; i < csv->columns; i++)
        if (!columns[i])
            return tl_error_set(&csv->error, "%s: column %d of %d has no name (NULL); give it one", file,
                                i + 1, csv->columns);
    return true;
}

static bool open_log(tl_csv *csv, const char *path, const char *const *columns, bool append) {
    char file[TL_SHOWN];
    off_t keep = 0;
    if (!check_columns(csv, columns)) return false;
    for (int i = 0; i < csv->columns; i++) add_cell(&csv->row, i == 0, columns[i]);
    tl_buffer_text(&csv->row, "\n");
    if (csv->row.failed) return tl_fail_memory(&csv->error, "opening", path);
    if (csv->table) return true;
    if (append && !look_at_old(csv, path, &csv->row, &keep)) return false;
    struct stat about;
    if (stat(path, &about) == 0 && S_ISFIFO(about.st_mode)) /* opening it would wait for a reader */
        return tl_error_set(&csv->error, "cannot write %s: it is a pipe; remove it, or choose another file",
                            tl_shown_path(path, file));
    csv->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (csv->fd < 0 || fstat(csv->fd, &about) != 0) return tl_fail_errno(&csv->error, "write", path, errno);
    if (S_ISREG(about.st_mode) && about.st_size > keep && ftruncate(csv->fd, keep) != 0)
        return tl_fail_errno(&csv->error, "shorten", path, errno);
    if (keep == 0) return write_row(csv);
    csv->row.size = 0;
    return true;
}

static tl_csv *begin(const char *path, const char *const *columns, int count, bool append, bool table,
                     tl_error *error) {
    if (!path || *path == 0) {
        tl_error_set(error, "cannot write a log: its path is empty; give a path");
        return NULL;
    }
    tl_csv *csv = calloc(1, sizeof *csv);
    char *copy = strdup(path);
    if (!csv || !copy) {
        tl_fail_memory(error, "opening", path);
        free(csv);
        free(copy);
        return NULL;
    }
    *csv = (tl_csv){.fd = -1, .path = copy, .columns = count, .table = table};
    if (open_log(csv, path, columns, append)) return csv;
    csv->table = false; /* close must not write it */
    tl_csv_close(csv, error);
    return NULL;
}

tl_csv *tl_csv_open(const char *path, const char *const *columns, int count, bool append, tl_error *error) {
    return begin(path, columns, count, append, false, error);
}

tl_csv *tl_csv_table(const char *path, const char *const *columns, int count, tl_error *error) {
    return begin(path, columns, count, false, true, error);
}

void tl_csv_text(tl_csv *csv, const char *text) {
    if (failed(csv)) return;
    add_cell(&csv->row, csv->cells == 0, text ? text : "");
    csv->cells++;
}

void tl_csv_long(tl_csv *csv, long value) {
    char text[TL_NUMBER_TEXT];
    snprintf(text, sizeof text, "%ld", value);
    tl_csv_text(csv, text);
}

void tl_csv_double(tl_csv *csv, double value) {
    char text[TL_NUMBER_TEXT];
    tl_csv_text(csv, tl_double_text(value, text));
}

void tl_csv_float(tl_csv *csv, float value) {
    char text[TL_NUMBER_TEXT];
    tl_csv_text(csv, tl_float_text(value, text));
}

bool tl_csv_end_row(tl_csv *csv) {
    if (failed(csv)) return false;
    char file[TL_SHOWN];
    if (csv->cells != csv->columns)
        return tl_error_set(&csv->error,
                            "%s: a row of %d cells, expected %d, one for each column; correct the program",
                            tl_shown_path(csv->path, file), csv->cells, csv->columns);
    const char last = csv->row.size ? csv->row.text[csv->row.size - 1] : '\n';
    if (last == '\n') tl_buffer_text(&csv->row, "\"\""); /* an empty line would not be a row */
    tl_buffer_text(&csv->row, "\n");
    if (!csv->table) return write_row(csv);
    csv->cells = 0;
    return !csv->row.failed || tl_fail_memory(&csv->error, "writing a row of", csv->path);
}

const char *tl_csv_error(const tl_csv *csv) {
    if (!csv) return "log: it was not opened";
    return csv->error.message[0] != 0 ? csv->error.message : NULL;
}

bool tl_csv_close(tl_csv *csv, tl_error *error) {
    if (!csv) return tl_error_set(error, "%s", tl_csv_error(NULL));
    char file[TL_SHOWN];
    if (csv->fd >= 0 && close(csv->fd) != 0 && errno != EINTR)
        tl_fail_errno(&csv->error, "write", csv->path, errno);
    if (csv->cells > 0 && csv->error.message[0] == 0)
        tl_error_set(&csv->error,
                     "%s: the last row was begun and not ended; call tl_csv_end_row before closing",
                     tl_shown_path(csv->path, file));
    if (csv->table && csv->error.message[0] == 0)
        tl_file_write(csv->path, csv->row.text, csv->row.size, &csv->error);
    bool ok = csv->error.message[0] == 0;
    if (!ok && error) tl_error_set(error, "%s", csv->error.message);
    tl_buffer_free(&csv->row);
    free(csv->path);
    free(csv);
    return ok;
}
