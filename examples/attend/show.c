/* attend show: every weight and every gradient of chosen attentions, on the terminal, in files and as a page. */
#define _XOPEN_SOURCE 700 /* strdup */
#include "draw.h"
#include "program.h"

#include <stdlib.h>
#include <string.h>

/* clang-format off */
const tl_option show_options[] = {
    SUBJECT_ROWS,
    TL_OPTION_HEADING("which sentences"),
    SENTENCE_ROWS,
    ROW("count", LONG, show.count, "N", "so many sentences of the test set instead of one"),
    ROW("test", TEXT, test, "FILE", "the test set (default: held-out sentences of the run's own)"),
    ROW("true-targets", FLAG, show.true_targets, NULL, "with the test set's targets, not the model's own"),
    TL_OPTION_HEADING("what is differentiated"),
    ROW("of", TEXT, show.asked.of, "loss|nll|log-p|logit",
        "the loss as it is trained, without smoothing, or what is said of one word (default: loss)"),
    WORD_ROWS(show.asked),
    TL_OPTION_HEADING("what is shown"),
    ROW("quantity", TEXT, show.quantity, "LIST", "of A, S, dA, dA-raw, dS, AdA, head-norm and norm, with commas between"),
    ROW("attention", TEXT, show.attention, "PATTERN",
        "of which, as decoder.layers.1.cross; * is any text (default: the last one that looks at the source, or at itself)"),
    ROW("head", TEXT, show.head, "HEAD", "of which heads: all, mean, or one, from 0 on"),
    ROW("words", FLAG, show.words, NULL, "words instead of tokens: sums over a source word's, means over a target word's"),
    TL_OPTION_HEADING("files, of all attentions unless --attention says which"),
    ROW("csv", TEXT, show.csv, "FILE", "a row a pair"),
    ROW("safetensors", TEXT, show.safetensors, "FILE", "a tensor [heads,queries,keys] for each quantity"),
    ROW("html", TEXT, show.html, "FILE", "a page of its own, to be opened from disk"),
    ROW("svg", TEXT, show.svg, "FILE", "a picture of the maps that the terminal has"),
    COMMON_ROWS,
    TL_OPTIONS_END};
/* clang-format on */

typedef struct showing {
    const settings *s;
    tl_run *run;
    tl_tape *tape;
    tl_sentences sentences;
    tl_seen seen;
    bool wanted[TL_QUANTITIES];
    char attention[64];
    long head;     /* -1: mean, -2: all */
    picture *maps; /* the maps drawn so far, for --svg */
    long count, room;
} showing;

enum { MEAN = -1, ALL = -2 };

/* ---- which attention, which quantity ---- */

static bool read_quantities(showing *w, tl_error *error) {
    const char *end = w->s->show.quantity + strlen(w->s->show.quantity);
    for (const char *at = w->s->show.quantity, *comma; at < end; at = comma + 1) {
        char name[32];
        tl_quantity q;
        comma = strchr(at, ',') ? strchr(at, ',') : end;
        snprintf(name, sizeof name, "%.*s", (int)(comma - at), at);
        if (!tl_quantity_of(name, &q))
            return tl_error_set(
                error, "--quantity %s: there are A, S, dA, dA-raw, dS, AdA, head-norm and norm", name);
        w->wanted[q] = true;
    }
    return true;
}

static bool read_head(showing *w, tl_error *error) {
    const char *text = w->s->show.head;
    const int heads = tl_run_model(w->run)->heads;
    char *end;
    w->head = !strcmp(text, "all") ? ALL : !strcmp(text, "mean") ? MEAN : strtol(text, &end, 10);
    if (w->head < 0 && strcmp(text, "all") && strcmp(text, "mean")) w->head = heads;
    if (w->head >= 0 && (*end || end == text || w->head >= heads))
        return tl_error_set(error, "--head %s: say all, mean, or 0 … %d", text, heads - 1);
    return true;
}

/* The attention that is shown by default. */
static bool choose_attention(showing *w, tl_error *error) {
    const tl_model *model = tl_run_model(w->run);
    static const tl_attention_kind order[] = {TL_CROSS, TL_DECODER_SELF, TL_ENCODER_SELF};
    for (int i = 0; i < TL_ATTENTION_KINDS; i++)
        if (model->attentions[order[i]]) {
            tl_attention_name(model, order[i], model->attentions[order[i]] - 1, w->attention);
            break;
        }
    if (!*w->attention) return tl_error_set(error, "the model has no attention to look at");
    if (!w->s->show.attention) return true;
    snprintf(w->attention, sizeof w->attention, "%s", w->s->show.attention);
    for (int i = 0; i < TL_ATTENTION_KINDS; i++)
        for (int l = 0; l < model->attentions[i]; l++) {
            char name[64];
            if (tl_place_matches(tl_attention_name(model, (tl_attention_kind)i, l, name), w->attention))
                return true;
        }
    return tl_error_set(error, "--attention %s: the model has none of that name; attend list has all names",
                        w->attention);
}

/* ---- sentences ---- */

static bool read_set(showing *w, long count, tl_error *error) {
    tl_set *set = tl_set_new(w->run, &(tl_set_options){.file = w->s->test, .most = count});
    const long there = tl_set_count(set);
    char **sources = calloc((size_t)there + 1, sizeof *sources),
         **targets = calloc((size_t)there + 1, sizeof *targets);
    if (!sources || !targets) tl_error_set(error, "out of memory for %ld sentences", there);
    for (long i = 0; set && sources && targets && i < there; i++) {
        const char *source = tl_set_source(set, i);
        const bool given = w->s->show.true_targets || !source;
        sources[i] = source ? strdup(source) : NULL;
        targets[i] = given ? strdup(tl_set_target(set, i)) : NULL;
    }
    const bool ok = set && sources && targets &&
                    tl_sentences_of(w->run, (const char *const *)sources, (const char *const *)targets, there,
                                    &w->sentences);
    for (long i = 0; sources && targets && i < there; i++) free(sources[i]), free(targets[i]);
    free(sources);
    free(targets);
    tl_set_free(set);
    return ok;
}

static bool read_sentences(showing *w, tl_error *error) {
    if (!w->s->show.count && !w->s->test && !w->s->show.true_targets)
        return read_sentence(w->s, w->run, &w->sentences);
    if (w->s->source || w->s->target)
        return tl_error_set(
            error, "--count, --test and --true-targets are of a test set: leave out --source and --target");
    return read_set(w, w->s->show.count ? w->s->show.count : 1, error);
}

/* ---- the terminal ---- */

static void free_labels(char **labels, long count) {
    for (long i = 0; labels && i < count; i++) free(labels[i]);
    free(labels);
}

/* NULL when out of memory. */
static char **labels(showing *w, const tl_sentence *s, const tl_seen_attention *seen, bool rows, long count) {
    const tl_tokens *tokens = rows ? tl_seen_rows(seen, s) : tl_seen_columns(seen, s);
    char **to = calloc((size_t)count + 1, sizeof *to);
    bool ok = to != NULL;
    for (long i = 0; ok && i < count; i++) {
        char *text = shown_text(tl_seen_label(tokens, i, w->s->show.words, w->tape));
        char *read = rows && seen->kind != TL_ENCODER_SELF && s->read.count && !w->s->show.words
                         ? shown_text(s->read.text[i])
                         : NULL;
        const size_t size = (text ? strlen(text) : 0) + (read ? strlen(read) : 0) + 32;
        to[i] = malloc(size);
        ok = to[i] != NULL;
        if (ok && read)
            snprintf(to[i], size, "writes %s (read %s)", text ? text : "", read);
        else if (ok)
            snprintf(to[i], size, "%s", text ? text : "");
        free(text);
        free(read);
    }
    if (ok) return to;
    free_labels(to, count);
    return NULL;
}

static bool fill(showing *w, picture *p, const tl_seen_attention *seen, tl_quantity q, long b, long head) {
    const tl_sentence *s = &w->sentences.sentence[b];
    const tl_tensor map = tl_seen_map(seen, q, b, head, s, w->s->show.words, w->tape);
    if (!map.data) return false;
    *p = (picture){.rows = map.dim[0], .columns = map.dim[1], .share = q == TL_SEE_A};
    p->row = labels(w, s, seen, true, p->rows);
    p->column = labels(w, s, seen, false, p->columns);
    p->value = calloc((size_t)(p->rows * p->columns) + 1, sizeof *p->value);
    p->blocked = calloc((size_t)(p->rows * p->columns) + 1, sizeof *p->blocked);
    if (!p->row || !p->column || !p->value || !p->blocked) return false;
    for (long i = 0; i < p->rows * p->columns; i++) {
        p->value[i] = (double)map.data[i];
        p->blocked[i] =
            tl_seen_why(seen, b, head, i / p->columns, i % p->columns, s, w->s->show.words) != TL_SEES;
    }
    return true;
}

static void forget_picture(picture *p) {
    free_labels(p->row, p->rows);
    free_labels(p->column, p->columns);
    free(p->value);
    free(p->blocked);
    free(p->title);
    free(p->about);
}

/* Keeps the map for --svg, where a row's name is only the written token. */
static bool keep_picture(showing *w, const picture *drawn, const tl_seen_attention *seen, tl_quantity q,
                         long b, long head) {
    if (!w->s->show.svg) return true;
    if (w->count == w->room) {
        const long room = w->room ? 2 * w->room : 8;
        picture *more = realloc(w->maps, sizeof *more * (size_t)room);
        if (!more) return false;
        w->maps = more, w->room = room;
    }
    picture *p = &w->maps[w->count++];
    const tl_tokens *tokens = tl_seen_rows(seen, &w->sentences.sentence[b]);
    char which[32] = "mean of heads", about[128];
    *p = (picture){0};
    if (!fill(w, p, seen, q, b, head)) return false;
    for (long i = 0; i < p->rows; i++) {
        free(p->row[i]);
        p->row[i] = shown_text(tl_seen_label(tokens, i, w->s->show.words, w->tape));
    }
    if (head >= 0) snprintf(which, sizeof which, "head %ld", head);
    if (p->share)
        snprintf(about, sizeof about, "weights in hundredths; a row sums to 100");
    else
        snprintf(about, sizeof about, "%s, in %.0e", tl_quantity_meaning(q), picture_unit(drawn));
    const size_t size = strlen(seen->name) + strlen(which) + 64;
    p->title = malloc(size);
    p->about = strdup(about);
    if (p->title) snprintf(p->title, size, "%s, %s: %s", seen->name, which, tl_quantity_name(q));
    for (long i = 0; i < p->rows; i++)
        if (!p->row[i]) return false;
    return p->title && p->about;
}

static bool draw(showing *w, const tl_seen_attention *seen, tl_quantity q, long b, long head) {
    picture p = {0};
    const tl_mark mark = tl_tape_mark(w->tape);
    printf("\n%s, ", seen->name);
    if (head < 0)
        printf("mean of %ld heads", seen->heads);
    else
        printf("head %ld", head);
    printf(": %s (%s)\n", tl_quantity_name(q), tl_quantity_meaning(q));
    const bool ok = fill(w, &p, seen, q, b, head) && keep_picture(w, &p, seen, q, b, head);
    if (ok) draw_picture(&p);
    forget_picture(&p);
    tl_tape_release(w->tape, mark);
    return ok;
}

/* A sum over all heads is drawn once, not for each head. */
static bool draw_heads(showing *w, const tl_seen_attention *seen, tl_quantity q, long b) {
    if (w->head != ALL || q == TL_SEE_NORM) return draw(w, seen, q, b, q == TL_SEE_NORM ? MEAN : w->head);
    bool ok = true;
    for (long h = 0; ok && h < seen->heads; h++) ok = draw(w, seen, q, b, h);
    return ok;
}

static bool draw_sentence(showing *w, long b) {
    const tl_sentence *s = &w->sentences.sentence[b];
    bool ok = true;
    if (b) printf("\n");
    if (s->source) print_name("source  ", s->source, "\n");
    if (s->target) print_name(s->own ? "its own " : "target  ", s->target, "\n");
    for (int a = 0; ok && a < w->seen.count; a++)
        for (int q = 0; ok && q < TL_QUANTITIES && tl_place_matches(w->seen.attention[a].name, w->attention);
             q++)
            if (w->wanted[q]) ok = draw_heads(w, &w->seen.attention[a], (tl_quantity)q, b);
    return ok;
}

static bool draw_all(showing *w, tl_error *error) {
    char what[512];
    bool ok = true;
    for (long b = 0; ok && b < w->sentences.count; b++) ok = draw_sentence(w, b);
    if (!ok) return !tl_run_error(w->run) && tl_error_set(error, "out of memory for a picture");
    print_name("\n", tl_objective_text(&w->seen.objective, &w->sentences, what, sizeof what), "\n");
    printf("L is %.6g\n", w->seen.value);
    return true;
}

/* ---- files ---- */

static bool write_html(showing *w, const char *command, tl_error *error) {
    size_t size;
    char *page = tl_page_text(w->run, &w->sentences, &w->seen, &(tl_page_options){.command = command}, &size);
    const bool ok = page && tl_file_write(w->s->show.html, page, size, error);
    free(page);
    return ok;
}

/* The command line, quoted for a shell; the caller frees it. */
static char *command_line(const common *c) {
    size_t size = strlen(c->program) * 4 + 64;
    for (int i = 0; i < c->argc; i++) size += strlen(c->argv[i]) * 4 + 16;
    char *text = calloc(1, size), *word = malloc(size);
    if (text && word) {
        strcat(text, tl_shell_word(c->program, word, size));
        strcat(text, " show");
        for (int i = 0; i < c->argc; i++) strcat(strcat(text, " "), tl_shell_word(c->argv[i], word, size));
    }
    free(word);
    return text;
}

static bool write_files(showing *w, tl_error *error) {
    const settings *s = w->s;
    const char *attention = s->show.attention;
    char *command = command_line(&s->common);
    bool ok = command || tl_error_set(error, "out of memory");
    if (ok && s->show.csv)
        ok = tl_seen_csv(s->show.csv, &w->seen, &w->sentences, attention, s->show.words, w->tape, error);
    if (ok && s->show.safetensors)
        ok = tl_seen_safetensors(s->show.safetensors, &w->seen, &w->sentences, attention, s->show.words,
                                 command, w->tape, error);
    if (ok && s->show.html) ok = write_html(w, command, error);
    if (ok && s->show.svg) ok = draw_svg(s->show.svg, w->maps, w->count, error);
    free(command);
    return ok;
}

/* ---- the command ---- */

static bool look(showing *w, tl_error *error) {
    tl_look_options o = {.norms = true};
    asked asked = w->s->show.asked;
    if (!asked.of) asked.of = "loss";
    if (!read_quantities(w, error) || !read_head(w, error) || !choose_attention(w, error) ||
        !read_sentences(w, error) || !read_asked(&asked, &w->sentences, &o.objective, error))
        return false;
    return tl_look(tl_run_model(w->run), w->tape, &w->sentences.batch, &o, &w->seen);
}

int command_show(settings *s) {
    tl_error error = {""};
    showing w = {.s = s, .run = open_subject(s)};
    if (!w.run) return 1;
    w.tape = tl_run_tape(w.run);
    if (look(&w, &error) && draw_all(&w, &error)) write_files(&w, &error);
    const int status = status_of(w.run, &error);
    for (long i = 0; i < w.count; i++) forget_picture(&w.maps[i]);
    free(w.maps);
    tl_sentences_free(&w.sentences);
    tl_run_free(w.run);
    return status;
}
