/* watch.html: the table of watch.csv as curves. The page is the library's (src/lens/page/watch.html); this file
 * turns the table into JSON. */
#include "page.h"
#include "base/quote.h"
#include "events.h"
#include "paths.h"
#include "training.h"
#include "watch.h"

#include <stdlib.h>
#include <string.h>

extern const char tl_page_watch[];

/* The largest table in bytes. Of a longer one every second row, every third, … is shown, and the page says so. */
enum { MOST = 8 << 20 };

/* A cell as a JSON number, or null if it holds none. */
static void add_number(tl_buffer *b, const char *cell, size_t size) {
    const bool number = size > 0 && strspn(cell, "0123456789+-.e") >= size;
    if (number)
        tl_buffer_add(b, cell, size);
    else
        tl_buffer_text(b, "null");
}

static void add_name(tl_buffer *b, const char *cell, size_t size) {
    char name[TL_WATCH_NAME + 16];
    snprintf(name, sizeof name, "%.*s", (int)size, cell);
    tl_page_string(b, name);
}

typedef void adding(tl_buffer *b, const char *cell, size_t size);

static void add_line(tl_buffer *b, const char *line, adding *add) {
    tl_buffer_text(b, "[");
    for (const char *cell = line;; cell++) {
        const size_t size = strcspn(cell, ",\n");
        if (cell > line) tl_buffer_text(b, ",");
        add(b, cell, size);
        cell += size;
        if (*cell != ',') break;
    }
    tl_buffer_text(b, "]");
}

bool tl_watch_page(const char *title, const char *csv, tl_buffer *page) {
    tl_buffer data = {0};
    const char *line = strchr(csv, '\n');
    if (!line) return false;
    const size_t each = strlen(csv) / MOST + 1;
    tl_buffer_format(&data, "{\"title\":");
    tl_page_string(&data, title);
    tl_buffer_format(&data, ",\"each\":%zu,\"columns\":", each);
    add_line(&data, csv, add_name);
    tl_buffer_text(&data, ",\n\"rows\":[");
    size_t row = 0, shown = 0;
    for (line++; strchr(line, '\n'); line = strchr(line, '\n') + 1) {
        if (row++ % each) continue;
        tl_buffer_text(&data, shown++ ? ",\n" : "\n");
        add_line(&data, line, add_number);
    }
    tl_buffer_text(&data, "]}");
    const bool ok = tl_page_fill(page, tl_page_watch, title, &data) && !page->failed;
    tl_buffer_free(&data);
    return ok;
}

void tl_watch_draw(const tl_training *t) {
    char path[TL_PATH], title[TL_SHOWN];
    char *csv = NULL;
    size_t size;
    tl_buffer page = {0};
    tl_error wrong = {""};
    if (!t->watch) return;
    if (tl_file_read_regular(tl_path_in(path, t->config->dir, "watch.csv"), TL_TEXT_MOST, &csv, &size,
                             &wrong) &&
        (tl_watch_page(tl_shown_path(t->config->dir, title), csv, &page) ||
         tl_error_set(&wrong, "watch.html: out of memory, or watch.csv is not what was written")))
        tl_file_write(tl_path_in(path, t->config->dir, "watch.html"), page.text, page.size, &wrong);
    if (tl_failed(&wrong)) TL_TELL(t->config->events, warning, wrong.message);
    tl_buffer_free(&page);
    free(csv);
}
