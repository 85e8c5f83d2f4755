/* The progress of a long run as one line of text. Drawing is separate from the state: a line is made only from the
 * state, a time and a width, so it can be tested without a terminal. A bar is one write that returns to the start of
 * the line and overwrites it. So nothing flickers, and the terminal needs to know only '\r'. */
#define _POSIX_C_SOURCE 200809L
#if defined(__APPLE__)
# define _DARWIN_C_SOURCE /* for TIOCGWINSZ */
#endif
#include "complain.h"
#include "base/format.h"

#include "tapeloom/io.h"

#include <math.h>
#include <string.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 512
#define REDRAW_SECONDS 0.1
#define FADE_SECONDS 10.0

static double now(const tl_progress *p) {
    if (p->clock) return p->clock();
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int terminal_width(const tl_progress *p) {
    long columns = p->width;
    struct winsize size;
    if (columns <= 0 && ioctl(fileno(p->out), TIOCGWINSZ, &size) == 0) columns = size.ws_col;
    const char *said = columns <= 0 ? getenv("COLUMNS") : NULL;
    if (said && !tl_long_parse(said, &columns)) columns = 0;
    return columns <= 0 ? 80 : columns > LINE_MAX_BYTES / 2 ? LINE_MAX_BYTES / 2 : (int)columns;
}

/* ---- the parts of a line ---- */

/* 950, 12.3k, 1.20M */
static void rate_text(double rate, char text[TL_NUMBER_TEXT]) {
    if (rate < 999.5)
        tl_format(text, TL_NUMBER_TEXT, "%.0f", rate);
    else if (rate < 99950)
        tl_format(text, TL_NUMBER_TEXT, "%.1fk", rate / 1e3);
    else if (rate < 999500)
        tl_format(text, TL_NUMBER_TEXT, "%.0fk", rate / 1e3);
    else
        tl_format(text, TL_NUMBER_TEXT, "%.2fM", rate / 1e6);
}

/* *share: how much is done, 0 to 1; negative if there is neither total nor budget. *left: seconds left; negative if
 * unknown. */
static void estimate(const tl_progress *p, double t, double *share, double *left) {
    const double elapsed = t - p->begin, done = (double)p->step - (double)p->first;
    *share = *left = -1;
    if (p->total > 0) {
        *share = (double)p->step / (double)p->total;
        if (p->step >= p->total)
            *left = 0;
        else if (done > 0 && elapsed > 0)
            *left = elapsed / done * ((double)p->total - (double)p->step);
    }
    if (p->budget > 0) {
        *share = fmax(*share, elapsed / p->budget);
        double rest = fmax(0, p->budget - elapsed);
        if (*left < 0 || rest < *left) *left = rest;
    }
    if (*share > 1) *share = 1;
}

/* The parts of a line; "" if there is nothing to show. */
typedef struct parts {
    char label[64], count[64], elapsed[2 * TL_NUMBER_TEXT + 4], percent[8], loss[TL_NUMBER_TEXT],
        rate[TL_NUMBER_TEXT], left[TL_NUMBER_TEXT];
    double share;
} parts;

/* ended: the run is over, so the time it took is shown. */
static parts say(const tl_progress *p, double t, bool ended) {
    parts s = {.share = 0};
    char shown[TL_SHOWN], a[TL_NUMBER_TEXT], b[TL_NUMBER_TEXT];
    const char *unit = p->unit ? p->unit : "step";
    double left;
    estimate(p, t, &s.share, &left);
    if (p->label) snprintf(s.label, sizeof s.label, "%s", tl_shown(p->label, strlen(p->label), 40, shown));
    tl_shown(unit, strlen(unit), 16, shown);
    if (p->total > 0)
        snprintf(s.count, sizeof s.count, "%.20s %ld/%ld", shown, p->step, p->total);
    else
        snprintf(s.count, sizeof s.count, "%.20s %ld", shown, p->step);
    if (p->budget > 0)
        snprintf(s.elapsed, sizeof s.elapsed, "%s of %s", tl_duration_text(t - p->begin, a),
                 tl_duration_text(p->budget, b));
    else if (s.share < 0)
        snprintf(s.elapsed, sizeof s.elapsed, "%s", tl_duration_text(t - p->begin, a));
    if (s.share >= 0) snprintf(s.percent, sizeof s.percent, "%3d%%", (int)(s.share * 100 + 1e-9));
    if (!p->no_loss && p->step > p->first) tl_format(s.loss, sizeof s.loss, "loss %.4g", p->loss);
    if (p->recent_tokens > 0 && p->recent_seconds > 0)
        rate_text(p->recent_tokens / p->recent_seconds, s.rate);
    if (ended) {
        s.elapsed[0] = 0;
        snprintf(s.left, sizeof s.left, "in %s", tl_duration_text(t - p->begin, a));
    } else if (left >= 0)
        snprintf(s.left, sizeof s.left, "%s left", tl_duration_text(left, a));
    return s;
}

/* Columns of a text, one per character: labels are short names. */
static int columns_of(const char *text) {
    int n = 0;
    for (; *text != 0; text++) n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

/* ---- a line with a bar ---- */

static void add(char line[LINE_MAX_BYTES], const char *gap, const char *text, const char *unit) {
    if (*text == 0) return;
    size_t used = strlen(line);
    snprintf(line + used, LINE_MAX_BYTES - used, "%s%s%s", used > 0 ? gap : "", text, unit);
}

static void bar_text(double share, int width, char *out) {
    int inside = width - 2, full = (int)(share * inside + 1e-9);
    *out++ = '[';
    for (int i = 0; i < inside; i++) *out++ = i < full ? '=' : i == full ? '>' : ' ';
    *out++ = ']';
    *out = 0;
}

/* Makes a line of at most `width` columns. The bar takes what is left, 10 to 40 columns. If even 10 do not fit, these
 * are left out in turn: the bar, the rate, the time elapsed, the label, the percentage, the loss, and the time left. */
static void bar_line(const parts *full, int width, char line[LINE_MAX_BYTES]) {
    parts s = *full;
    char *spare[] = {s.rate, s.elapsed, s.label, s.percent, s.loss, s.left, NULL};
    int bar = s.share >= 0 ? 40 : 0, dropped = 0;
    for (;;) {
        char bar_drawn[48] = "";
        if (bar > 0) bar_text(s.share, bar, bar_drawn);
        line[0] = 0;
        add(line, "", s.label, ":");
        add(line, " ", s.count, "");
        add(line, "  ", s.elapsed, "");
        add(line, " ", bar_drawn, "");
        add(line, " ", s.percent, "");
        add(line, "  ", s.loss, "");
        add(line, "  ", s.rate, " tok/s");
        add(line, "  ", s.left, "");
        int over = columns_of(line) - width;
        if (over <= 0) return;
        if (bar > 0)
            bar = bar - over >= 10 ? bar - over : 0;
        else if (spare[dropped])
            *spare[dropped++] = 0;
        else
            break;
    }
    int column = 0; /* even the count is too long: it is cut at the edge, between characters */
    for (char *c = line; *c != 0; c++) {
        column += ((unsigned char)*c & 0xC0) != 0x80;
        if (column > width) *c-- = 0;
    }
}

static void draw_bar(tl_progress *p, double t, bool ended) {
    char line[LINE_MAX_BYTES];
    int width = terminal_width(p) - 1; /* on some terminals the last column would wrap */
    parts s = say(p, t, ended);
    bar_line(&s, width, line);
    int columns = columns_of(line), blank = p->bar_shown ? p->drawn_width - columns : 0;
    if (blank > width - columns) blank = width - columns;
    fprintf(p->out, "\r%s%*s", line, blank > 0 ? blank : 0, "");
    fflush(p->out);
    p->bar_shown = true;
    p->drawn_width = columns;
}

static void clear_bar(tl_progress *p) {
    if (!p->bar_shown) return;
    fprintf(p->out, "\r%*s\r", p->drawn_width, "");
    fflush(p->out);
    p->bar_shown = false;
    p->drawn_width = 0;
}

/* ---- a plain line ---- */

static void draw_plain(const tl_progress *p, double t, bool ended) {
    char line[LINE_MAX_BYTES] = "";
    parts s = say(p, t, ended);
    add(line, "", s.label, ":");
    add(line, " ", s.count, "");
    add(line, ", ", s.elapsed, "");
    add(line, ", ", s.percent + strspn(s.percent, " "), "");
    add(line, ", ", s.loss, "");
    add(line, ", ", s.rate, " tok/s");
    add(line, ", ", s.left, "");
    fprintf(p->out, "%s\n", line);
    fflush(p->out);
}

static double plain_pause(const tl_progress *p, double t) { return fmin(60, fmax(10, (t - p->begin) / 10)); }

/* ---- the run ---- */

static bool is_too_early(const tl_progress *p, double t) { return t - p->begin < p->after; }

void tl_progress_start(tl_progress *p) {
    if (!p || !p->out) return;
    double t = now(p);
    p->is_bar = p->style == TL_PROGRESS_BAR || (p->style == TL_PROGRESS_AUTO && isatty(fileno(p->out)) == 1);
    p->started = true;
    p->paused = p->bar_shown = false;
    p->step = p->first;
    p->loss = 0;
    p->begin = p->last = t;
    p->recent_tokens = p->recent_seconds = 0;
    p->drawn_width = 0;
    p->drawn = t;
    if (p->is_bar && !is_too_early(p, t)) draw_bar(p, t, false);
}

void tl_progress_update(tl_progress *p, long step, double loss, double tokens) {
    if (!p || !p->started) return;
    if (p->paused) tl_progress_resume(p);
    double t = now(p), passed = fmax(0, t - p->last), fade = exp(-passed / FADE_SECONDS);
    p->recent_tokens = p->recent_tokens * fade + tokens;
    p->recent_seconds = p->recent_seconds * fade + passed;
    p->last = t;
    p->step = step;
    p->loss = loss;
    if (t - p->drawn < (p->is_bar ? REDRAW_SECONDS : plain_pause(p, t)) || is_too_early(p, t)) return;
    p->drawn = t;
    if (p->is_bar)
        draw_bar(p, t, false);
    else
        draw_plain(p, t, false);
}

void tl_progress_pause(tl_progress *p) {
    if (!p || !p->started || p->paused) return;
    clear_bar(p);
    p->paused = true;
    p->paused_at = now(p);
}

void tl_progress_resume(tl_progress *p) {
    if (!p || !p->started || !p->paused) return;
    double t = now(p);
    p->paused = false;
    p->last += t - p->paused_at;
    if (!p->is_bar || is_too_early(p, t)) return;
    p->drawn = t;
    draw_bar(p, t, false);
}

void tl_progress_finish(tl_progress *p) {
    if (!p || !p->started) return;
    double t = now(p);
    if (is_too_early(p, t)) { /* nothing was shown, so nothing is shown at the end */
    } else if (p->is_bar) {
        draw_bar(p, t, true);
        fputc('\n', p->out);
        fflush(p->out);
    } else {
        draw_plain(p, t, true);
    }
    p->started = p->bar_shown = false;
}
