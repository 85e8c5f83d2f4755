/* Logs and what is drawn of them: rows of any cells, read back by RFC 4180; a log that somebody else wrote, continued;
 * rows of a table after a step removed; a gnuplot script of any texts. The input: a byte of choices, the old log,
 * FUZZ_CUT, cells. */
#include "fuzz.h"

#include "run/training.h"

#include <tapeloom/io.h>

#include <math.h>

int tl_fuzz_csv(const uint8_t *bytes, size_t size);

static const char *const columns[] = {"step", "loss, \"a\"", "text"};
enum { COLUMNS = 3, MOST_ROWS = 8 };

/* The next cell of a row, whose quotes are resolved; *end is what follows it. */
static char *next_cell(const char **at, char *end) {
    const char *c = *at;
    char *cell = fuzz_memory(strlen(c) + 1), *to = cell;
    if (*c == '"') {
        for (c++; *c && !(*c == '"' && c[1] != '"'); c += 1 + (*c == '"')) *to++ = *c;
        FUZZ_MUST(*c == '"', "a quoted cell has no end: %s", *at);
        c++;
    } else {
        while (*c && *c != ',' && *c != '\n') {
            FUZZ_MUST(*c != '"' && *c != '\r', "a plain cell with a quote or CR: %s", *at);
            *to++ = *c++;
        }
    }
    *to = 0;
    FUZZ_MUST(*c == ',' || *c == '\n', "no end of a cell: %s", *at);
    *end = *c;
    *at = c + 1;
    return cell;
}

static void check_cells(fuzz_bytes in) {
    tl_error error = {""};
    char *texts[MOST_ROWS];
    double numbers[MOST_ROWS];
    int rows = 0;
    const char *path = fuzz_path("table.csv");
    tl_csv *csv = tl_csv_table(path, columns, COLUMNS, &error);
    FUZZ_MUST(csv, "%s", error.message);
    while (rows < MOST_ROWS && !fuzz_ended(&in)) {
        const uint64_t word = fuzz_word(&in);
        memcpy(&numbers[rows], &word, sizeof word);
        texts[rows] = fuzz_string(&in);
        tl_csv_long(csv, rows);
        tl_csv_double(csv, numbers[rows]);
        tl_csv_text(csv, texts[rows]);
        tl_csv_end_row(csv);
        rows++;
    }
    const bool ok = tl_csv_close(csv, &error);
    fuzz_outcome(ok, &error);
    if (ok) {
        size_t size;
        char *text = fuzz_read(path, &size), end;
        const char *at = text;
        for (int row = -1; row < rows; row++)
            for (int c = 0; c < COLUMNS; c++) {
                char *cell = next_cell(&at, &end);
                double back;
                FUZZ_MUST(end == (c + 1 < COLUMNS ? ',' : '\n'), "row %d has another number of cells", row);
                if (row < 0) FUZZ_MUST(!strcmp(cell, columns[c]), "column %s", cell);
                if (row >= 0 && c == 1)
                    FUZZ_MUST(tl_double_parse(cell, &back) && (!memcmp(&back, &numbers[row], sizeof back) ||
                                                               (isnan(back) && isnan(numbers[row]))),
                              "%s", cell);
                if (row >= 0 && c == 2)
                    FUZZ_MUST(!strcmp(cell, texts[row]), "\"%s\" reads back as \"%s\"", texts[row], cell);
                free(cell);
            }
        FUZZ_MUST(at == text + size, "more than was written");
        free(text);
    }
    while (rows > 0) free(texts[--rows]);
}

/* Another's log, continued by a row: what was whole stays, and the row is at its end. */
static void check_continuing(fuzz_part old) {
    tl_error error = {""};
    static const char *const own[] = {"step", "loss"};
    const char *path = fuzz_file("log.csv", old.bytes, old.size);
    size_t size;
    tl_csv *csv = tl_csv_open(path, own, 2, true, &error);
    fuzz_outcome(csv != NULL, &error);
    if (csv) {
        tl_csv_long(csv, 7);
        tl_csv_double(csv, 0.5);
        tl_csv_end_row(csv);
        FUZZ_MUST(tl_csv_close(csv, &error), "%s", error.message);
    }
    char *text = fuzz_read(path, &size);
    if (csv)
        FUZZ_MUST(size >= 6 && !memcmp(text + size - 6, "7,0.5\n", 6) &&
                      size <= (old.size > 10 ? old.size : 10) + 6,
                  "not continued");
    else
        FUZZ_MUST(size == old.size && !memcmp(text, old.bytes, size), "a refused log was changed");
    free(text);
}

static void check_trimming(fuzz_part old, long step) {
    tl_error error = {""};
    const char *path = fuzz_file("watch.csv", old.bytes, old.size);
    size_t size, twice;
    fuzz_outcome(tl_rows_trim(path, step, &error), &error);
    char *text = fuzz_read(path, &size);
    FUZZ_MUST(size <= old.size, "trimmed, and longer");
    FUZZ_MUST(*error.message || tl_rows_trim(path, step, &error), "%s", error.message);
    char *again = fuzz_read(path, &twice);
    FUZZ_MUST(size == twice && !memcmp(text, again, size), "trimmed twice, and otherwise");
    free(again), free(text);
}

static void check_plot(fuzz_bytes in) {
    char *text[6];
    tl_error error = {""};
    for (int i = 0; i < 6; i++) text[i] = fuzz_string(&in);
    const tl_plot_curve curves[] = {{text[0], text[1]}, {"loss", NULL}};
    const tl_plot_panel panels[] = {{text[2], curves, 2, false}, {"x", curves + 1, 1, true}};
    const tl_plot_config config = {.title = text[3],
                                   .log = text[4],
                                   .x = text[5],
                                   .x_label = text[1],
                                   .panels = panels,
                                   .count = 2,
                                   .picture = "curves.svg"};
    fuzz_outcome(tl_plot_write(fuzz_path("curves.gp"), &config, &error), &error);
    for (int i = 0; i < 6; i++) free(text[i]);
}

int tl_fuzz_csv(const uint8_t *bytes, size_t size) {
    fuzz_bytes in = fuzz_bytes_of(bytes, size);
    const unsigned choice = fuzz_byte(&in);
    if (choice % 4 == 0) {
        fuzz_part old = fuzz_rest(&in);
        check_continuing(old);
        free(old.bytes);
    } else if (choice % 4 == 1) {
        fuzz_part old = fuzz_rest(&in);
        check_trimming(old, (long)(choice / 4));
        free(old.bytes);
    } else if (choice % 4 == 2)
        check_cells(in);
    else
        check_plot(in);
    return 0;
}

static void seeds(tl_fuzz_put *put, void *context) {
    static const char *const texts[] = {
        "0step,loss\n1,0.5\n2,0.25\n3,0.1",
        "0step,loss\r\n1,0.5\r\n",
        "0step,loss",
        "\x31step,loss\n1,2\n12,3\n999999999999999999999,5\n-1,3\n",
        "\x05step\n5\n3\nx\n\n12",
        "212345678a,b" FUZZ_CUT "12345678\"q\"\n" FUZZ_CUT "87654321=x\r" FUZZ_CUT "12345678 a ",
        "3loss" FUZZ_CUT "it's" FUZZ_CUT "nats" FUZZ_CUT "title" FUZZ_CUT "log.csv" FUZZ_CUT "step",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) put(context, texts[i], strlen(texts[i]));
}

TL_FUZZ(csv, "io, run: logs, tables, gnuplot scripts");
