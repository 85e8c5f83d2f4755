/* attend logits: what one word's logit is made of; with --lens what each depth would predict. */
#include "program.h"

#include "heat.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
const tl_option logits_options[] = {
    SUBJECT_ROWS,
    SENTENCE_ROWS,
    TL_OPTION_HEADING("whose logit"),
    WORD_ROWS(logits.asked),
    TL_OPTION_HEADING("the logit lens instead"),
    ROW("lens", FLAG, logits.lens, NULL, "what the stream at every depth says, through the final norm and the projection"),
    ROW("side", TEXT, logits.side, "decoder|encoder", "whose stream (default: that from which words or classes are told)"),
    ROW("top", LONG, logits.top, "N", "so many most likely tokens at each depth (0: 1)"),
    TL_OPTION_HEADING("results"),
    ROW("csv", TEXT, logits.csv, "FILE", "write all numbers, with all digits"),
    ROW("svg", TEXT, logits.svg, "FILE", "draw the table"),
    COMMON_ROWS,
    TL_OPTIONS_END};
/* clang-format on */

/* ---- the summands as a table: a row for each source, heads side by side ---- */

enum { ITSELF, BIAS, SUM, BESIDE };

typedef struct parts {
    long rows, columns, heads;
    char (*name)[80];
    const char **row, **column;
    char (*head)[32];
    double *value;
} parts;

static void free_parts(parts *p) {
    free(p->name), free(p->row), free(p->column), free(p->head), free(p->value);
}

/* A summand's row is its name without the part that is its column. */
static void row_name(const tl_summand *s, char to[80]) {
    snprintf(to, 80, "%s", s->name);
    char *end = s->kind == TL_SUMMAND_HEAD ? strstr(to, " head ") : strstr(to, " bias");
    if (end) *end = 0;
}

static bool make_room(parts *p, const tl_attribution *a, long heads) {
    const size_t rows = (size_t)a->count + 1, columns = (size_t)heads + BESIDE;
    p->heads = heads, p->columns = heads + BESIDE;
    p->name = calloc(rows, sizeof *p->name), p->row = calloc(rows, sizeof *p->row);
    p->column = calloc(columns, sizeof *p->column), p->head = calloc(columns, sizeof *p->head);
    p->value = malloc(rows * columns * sizeof *p->value);
    for (size_t i = 0; p->value && i < rows * columns; i++) p->value[i] = NAN;
    return p->name && p->row && p->column && p->head && p->value;
}

static bool lay_parts(parts *p, const tl_attribution *a, long heads) {
    char name[80];
    if (!make_room(p, a, heads)) return false;
    for (long h = 0; h < heads; h++)
        snprintf(p->head[h], sizeof *p->head, "head %ld", h), p->column[h] = p->head[h];
    p->column[heads + ITSELF] = "itself", p->column[heads + BIAS] = "bias", p->column[heads + SUM] = "sum";
    for (long i = 0; i < a->count; i++) {
        const tl_summand *s = &a->summand[i];
        row_name(s, name);
        if (!p->rows || strcmp(p->name[p->rows - 1], name) != 0) {
            memcpy(p->name[p->rows], name, sizeof name);
            p->row[p->rows] = p->name[p->rows], p->rows++;
        }
        double *row = p->value + (p->rows - 1) * p->columns;
        const bool bias = s->kind == TL_SUMMAND_ATTENTION_BIAS || s->kind == TL_SUMMAND_FEED_FORWARD_BIAS ||
                          s->kind == TL_SUMMAND_NORM_BIAS || s->kind == TL_SUMMAND_OUTPUT_BIAS;
        row[s->head >= 0 ? s->head : heads + (bias ? BIAS : ITSELF)] = s->value;
        row[heads + SUM] = (isnan(row[heads + SUM]) ? 0 : row[heads + SUM]) + s->value;
    }
    return true;
}

static heat heat_of_parts(const parts *p) {
    return (heat){
        .rows = p->rows, .columns = p->columns, .row = p->row, .column = p->column, .value = p->value};
}

/* ---- a line that answers: what counts most for the logit, and against it ---- */

static int larger(const void *a, const void *b) {
    const tl_summand *x = *(const tl_summand *const *)a, *y = *(const tl_summand *const *)b;
    return (x->value < y->value) - (x->value > y->value);
}

static void say_most(const tl_attribution *a) {
    enum { MOST = 3 };
    const tl_summand **by_size = malloc(((size_t)a->count + 1) * sizeof *by_size);
    if (lack_memory(!by_size)) return;
    for (long i = 0; i < a->count; i++) by_size[i] = &a->summand[i];
    qsort(by_size, (size_t)a->count, sizeof *by_size, larger);
    printf("Most for it: ");
    for (long i = 0; i < MOST && i < a->count && by_size[i]->value > 0; i++)
        printf("%s%s %+.2f", i ? ", " : "", by_size[i]->name, by_size[i]->value);
    printf(".\nMost against it: ");
    for (long i = 0; i < MOST && i < a->count && by_size[a->count - 1 - i]->value < 0; i++)
        printf("%s%s %+.2f", i ? ", " : "", by_size[a->count - 1 - i]->name,
               by_size[a->count - 1 - i]->value);
    printf(".\n");
    free(by_size);
}

static bool write_summands(const char *path, const tl_attribution *a, tl_error *error) {
    static const char *const columns[] = {"summand", "layer", "head", "value"};
    tl_csv *csv = tl_csv_table(path, columns, 4, error);
    for (long i = 0; csv && i < a->count; i++) {
        const tl_summand *s = &a->summand[i];
        tl_csv_text(csv, s->name);
        if (s->layer < 0)
            tl_csv_text(csv, "");
        else
            tl_csv_long(csv, s->layer);
        if (s->head < 0)
            tl_csv_text(csv, "");
        else
            tl_csv_long(csv, s->head);
        tl_csv_double(csv, s->value);
        tl_csv_end_row(csv);
    }
    return csv && tl_csv_close(csv, error);
}

static bool show_parts(const settings *s, const tl_attribution *a, long heads, const char *what,
                       tl_error *error) {
    parts p = {0};
    char about[512];
    bool ok = lay_parts(&p, a, heads) || tl_error_set(error, "out of memory for a table");
    if (ok) {
        const heat table = heat_of_parts(&p);
        snprintf(about, sizeof about,
                 "%s is %.4f; what is added to the stream, as it reaches the projection by itself", what,
                 a->logit);
        char *shown = shown_text(about);
        printf("%s:\n\n", shown ? shown : "");
        free(shown);
        heat_print(&table);
        printf("\nAll together %.6f; the model's own is %.6f.\n", a->sum, a->logit);
        say_most(a);
        const char *lines[] = {about};
        ok = !s->logits.svg || heat_draw(s->logits.svg, lines, 1, &table, 1, error);
    }
    free_parts(&p);
    return ok && (!s->logits.csv || write_summands(s->logits.csv, a, error));
}

static bool run_attribution(const settings *s, tl_run *run, tl_sentences *sentences, tl_error *error) {
    tl_objective objective;
    tl_attribution a;
    char what[400];
    asked word = s->logits.asked;
    word.of = "logit";
    if (!read_asked(&word, sentences, &objective, error) ||
        !tl_attribute_logit(tl_run_model(run), tl_run_tape(run), &sentences->batch, &objective, &a))
        return false;
    long heads = 0;
    for (long i = 0; i < a.count; i++)
        if (a.summand[i].head >= heads) heads = a.summand[i].head + 1;
    return show_parts(s, &a, heads, tl_objective_name(&objective, sentences, what, sizeof what), error);
}

/* ---- the lens ---- */

typedef struct looking {
    tl_sentences *sentences;
    const tl_lens *lens;
    long positions, top;
    int *ids; /* [top] */
    tl_real *values;
} looking;

/* The one position from which a classifier predicts. */
static const char *read_at(const looking *k, long t) {
    const tl_sentence *s = &k->sentences->sentence[0];
    return s->read.count > t ? s->read.text[t] : s->src.count ? s->src.text[0] : "";
}

static const char *truth_at(const looking *k, long t) {
    const tl_sentence *s = &k->sentences->sentence[0];
    return s->written.count > t ? s->written.text[t] : "";
}

static int truth_id(const looking *k, long t) {
    const tl_sentence *s = &k->sentences->sentence[0];
    return s->written.count > t ? s->written.id[t] : -1;
}

static tl_tensor row_of(const looking *k, int depth, long t) { return tl_at(k->lens->logits[depth], 0, t); }

static const char *name_of(const looking *k, int id) {
    const char *text = k->sentences->token(k->sentences, id);
    return text ? text : "?";
}

enum { WORD = 10 };

static void print_said(const looking *k, long t, long number) {
    for (int d = 0; d < k->lens->depths; d++) {
        const tl_tensor row = row_of(k, d, t);
        const tl_lens_said best = tl_lens_say(row, truth_id(k, t));
        tl_top_k(row, 0, k->top, k->ids, k->values);
        const double log_p = best.log_p + (double)k->values[number] - (double)k->values[0];
        printf("  ");
        heat_put(name_of(k, k->ids[number]), WORD, false, stdout);
        printf(" %4.2f", exp(log_p));
        if (number == 0 && best.truth_rank)
            printf(" %4ld", best.truth_rank);
        else
            printf("     ");
    }
    printf("\n");
}

static void print_depth_names(int depths) {
    printf("     %*s  %*s", WORD, "", WORD, "");
    for (int d = 0; d < depths; d++) {
        char name[24];
        snprintf(name, sizeof name, d ? "layer %d" : "embedding", d - 1);
        printf("  %-*s    p rank", WORD, name);
    }
    printf("\n");
}

static void print_lens(const looking *k) {
    print_depth_names(k->lens->depths);
    for (long t = 0; t < k->positions; t++)
        for (long n = 0; n < k->top; n++) {
            if (n == 0)
                printf("%4ld ", t + 1);
            else
                printf("     ");
            heat_put(n ? "" : read_at(k, t), WORD, false, stdout);
            printf("  ");
            heat_put(n ? "" : truth_at(k, t), WORD, false, stdout);
            print_said(k, t, n);
        }
}

static bool write_lens(const char *path, const looking *k, tl_error *error) {
    static const char *const columns[] = {"position",    "read",   "truth", "depth", "truth_rank",
                                          "truth_log_p", "number", "token", "log_p"};
    tl_csv *csv = tl_csv_table(path, columns, 9, error);
    for (long i = 0; csv && i < k->positions * k->lens->depths * k->top; i++) {
        const long number = i % k->top, depth = i / k->top % k->lens->depths,
                   t = i / k->top / k->lens->depths;
        const tl_tensor row = row_of(k, (int)depth, t);
        const tl_lens_said best = tl_lens_say(row, truth_id(k, t));
        tl_top_k(row, 0, k->top, k->ids, k->values);
        tl_csv_long(csv, t + 1);
        tl_csv_text(csv, read_at(k, t));
        tl_csv_text(csv, truth_at(k, t));
        tl_csv_long(csv, depth);
        tl_csv_long(csv, best.truth_rank);
        tl_csv_double(csv, best.truth_rank ? best.truth_log_p : NAN);
        tl_csv_long(csv, number + 1);
        const char *name = k->sentences->token(k->sentences, k->ids[number]);
        if (!name) { /* the row is not ended, so no table is written */
            tl_error_set(error, "out of memory for %s", path);
            break;
        }
        tl_csv_text(csv, name);
        tl_csv_double(csv, best.log_p + (double)k->values[number] - (double)k->values[0]);
        tl_csv_end_row(csv);
    }
    return csv && tl_csv_close(csv, error);
}

/* A row for each word, a column for each depth: the most likely word, darker if more likely, and log p of the true
 * one. */
typedef struct lens_picture {
    long rows, columns;
    char (*name)[96];
    const char **row; /* [rows], followed by [columns] */
    const char **best;
    double *p, *truth;
} lens_picture;

static void free_picture(lens_picture *p) {
    free(p->name), free(p->row), free(p->best), free(p->p), free(p->truth);
}

static bool lay_picture(lens_picture *p, const looking *k) {
    const size_t names = (size_t)(p->rows + p->columns), cells = (size_t)(p->rows * p->columns);
    p->name = calloc(names, sizeof *p->name), p->row = calloc(names, sizeof *p->row);
    p->best = calloc(cells, sizeof *p->best);
    p->p = calloc(cells, sizeof *p->p), p->truth = calloc(cells, sizeof *p->truth);
    if (!p->name || !p->row || !p->best || !p->p || !p->truth) return false;
    for (long i = 0; i < p->rows + p->columns; i++) {
        const long depth = i - p->rows;
        if (depth < 0)
            snprintf(p->name[i], sizeof *p->name, "%.40s: %.40s", read_at(k, i), truth_at(k, i));
        else
            snprintf(p->name[i], sizeof *p->name, depth ? "layer %ld" : "embedding", depth - 1);
        p->row[i] = p->name[i];
    }
    for (long i = 0; i < p->rows * p->columns; i++) {
        const long t = i / p->columns;
        const tl_lens_said said = tl_lens_say(row_of(k, (int)(i % p->columns), t), truth_id(k, t));
        p->best[i] = k->sentences->token(k->sentences, said.token);
        if (!p->best[i]) return false;
        p->p[i] = exp(said.log_p);
        p->truth[i] = said.truth_rank ? said.truth_log_p : NAN;
    }
    return true;
}

static bool draw_lens(const char *path, const looking *k, tl_error *error) {
    lens_picture p = {.rows = k->positions, .columns = k->lens->depths};
    bool ok = lay_picture(&p, k) || tl_error_set(error, "out of memory for a picture");
    if (ok) {
        const heat plain = {.rows = p.rows, .columns = p.columns, .row = p.row, .column = p.row + p.rows};
        heat tables[2] = {plain, plain};
        tables[0].title = "what each depth finds most likely, as dark as it is likely";
        tables[0].value = p.p, tables[0].text = p.best, tables[0].limit = 1;
        tables[1].title = "log p of what is written";
        tables[1].value = p.truth;
        const char *about[] = {k->lens->applied};
        ok = heat_draw(path, about, 1, tables, 2, error);
    }
    free_picture(&p);
    return ok;
}

static bool show_lens(const settings *s, looking *k, tl_error *error) {
    printf("%s.\nA line for each position: what is read, what is written, and the most likely at each depth "
           "with its p and the rank "
           "of what is written.\n\n",
           k->lens->applied);
    print_lens(k);
    return (!s->logits.csv || write_lens(s->logits.csv, k, error)) &&
           (!s->logits.svg || draw_lens(s->logits.svg, k, error));
}

static bool run_lens(const settings *s, tl_run *run, tl_sentences *sentences, tl_error *error) {
    const tl_model *model = tl_run_model(run);
    const bool encoder = s->logits.side ? !strcmp(s->logits.side, "encoder") : !model->depths[TL_DECODER];
    tl_lens lens;
    if (s->logits.asked.word || s->logits.asked.token || s->logits.asked.other)
        return tl_error_set(error, "--word, --token and --other are of one logit: the lens shows every word");
    if (s->logits.top > model->tgt_vocab)
        return tl_error_set(error, "--top %ld: the model writes %ld different tokens", s->logits.top,
                            model->tgt_vocab);
    if (!tl_logit_lens(model, tl_run_tape(run), &sentences->batch, encoder ? TL_ENCODER : TL_DECODER, &lens))
        return false;
    looking k = {.sentences = sentences, .lens = &lens, .positions = lens.logits[0].dim[1]};
    k.top = s->logits.top ? s->logits.top : 1;
    k.ids = malloc((size_t)k.top * sizeof *k.ids), k.values = malloc((size_t)k.top * sizeof *k.values);
    const bool ok = k.ids && k.values ? show_lens(s, &k, error) : tl_error_set(error, "out of memory");
    free(k.ids), free(k.values);
    return ok;
}

int command_logits(settings *s) {
    tl_error error = {""};
    tl_sentences sentences = {0};
    tl_run *run = open_subject(s);
    if (!run) return 1;
    if ((s->logits.side || s->logits.top) && !s->logits.lens)
        tl_error_set(&error, "--side and --top are the lens's: say --lens, too");
    else if (read_sentence(s, run, &sentences))
        s->logits.lens ? run_lens(s, run, &sentences, &error) : run_attribution(s, run, &sentences, &error);
    const int status = status_of(run, &error);
    tl_sentences_free(&sentences);
    tl_run_free(run);
    return status;
}
