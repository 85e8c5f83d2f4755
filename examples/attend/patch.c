/* attend patch: sentence A with B's values at chosen places, and how much of the way from A to B the objective goes. */
#include "program.h"

#include "heat.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
const tl_option patch_options[] = {
    SUBJECT_ROWS,
    TL_OPTION_HEADING("sentence A"),
    SENTENCE_ROWS,
    TL_OPTION_HEADING("sentence B, whose values are put in"),
    ROW("to", TEXT, patch.to, "TEXT", "B, of as many tokens as A; of a language model its text"),
    ROW("to-target", TEXT, patch.to_target, "TEXT", "what B's decoder reads (default: A's target)"),
    ROW("swap", TEXT, patch.swap, "N=TOKEN", "B is A with token N, from 1, of what it reads first replaced by another one"),
    TL_OPTION_HEADING("what is measured"),
    ROW("of", TEXT, patch.asked.of, "nll|loss|log-p|logit", "m: of A's target in every run"),
    WORD_ROWS(patch.asked),
    TL_OPTION_HEADING("where"),
    ROW("by", TEXT, patch.by, "heads|positions|places|together",
        "a run for every head, every position, every place, or one with all chosen places at once"),
    ROW("at", TEXT, patch.at, "PATTERN",
        "which places, as list has them; together: several with commas between (default: heads' contexts; the stream by positions)"),
    ROW("heads", TEXT, patch.heads, "RANGE", "only these heads, as 2 or 0-1, counted from 0"),
    ROW("positions", TEXT, patch.positions, "RANGE", "only these positions, counted from 1"),
    ROW("keys", TEXT, patch.keys, "RANGE", "of scores, patterns, keys and values only these keys, from 1"),
    TL_OPTION_HEADING("results"),
    ROW("csv", TEXT, patch.csv, "FILE", "write every cell, with all digits"),
    ROW("svg", TEXT, patch.svg, "FILE", "draw the table"),
    COMMON_ROWS,
    TL_OPTIONS_END};
/* clang-format on */

/* Shares of the way from A to B; if A and B do not differ, the effects themselves. */
static double share(const tl_patch *patch, double effect) {
    return tl_patch_has_score(patch) ? tl_patch_score(patch, effect) : effect;
}

/* ---- B ---- */

/* B as read, or A with one token replaced. */
typedef struct other {
    tl_sentences read;
    tl_batch batch;
    int *ids; /* memory of the replaced tokens */
    const char **text;
    tl_tokens src, in; /* names of its tokens */
} other;

static const char *swapped_name(tl_run *run, tl_sentences *a, int id) {
    const tl_vocab *source = a->batch.src ? tl_run_vocab(run, TL_SOURCE) : NULL;
    return source ? tl_vocab_token(source, id) : a->token(a, id);
}

static int swapped_id(tl_run *run, tl_sentences *a, const char *token) {
    const tl_vocab *source = a->batch.src ? tl_run_vocab(run, TL_SOURCE) : NULL;
    const long ids = tl_run_model(run)->src_vocab;
    if (!source) return id_of(a, token, ids);
    const int id = tl_vocab_id(source, token);
    return id == TL_UNK && strcmp(token, tl_vocab_token(source, TL_UNK)) != 0 ? -1 : id;
}

/* A classifier's tokens may begin with [CLS], which the batch does not have. */
static bool swap(const settings *s, tl_run *run, tl_sentences *a, other *b, tl_error *error) {
    const bool source = a->batch.src != NULL;
    const tl_tokens *names = source ? &a->sentence[0].src : &a->sentence[0].read;
    const long count = source ? a->batch.src_len : a->batch.tgt_len, ahead = names->count - count;
    char *equals;
    const long n = strtol(s->patch.swap, &equals, 10);
    if (a->batch.pictures.data || (!source && !a->batch.tgt_in))
        return tl_error_set(error,
                            "--swap: this model reads pictures, and no tokens: give another scene by --to");
    if (*equals != '=' || n < 1 || n > names->count || n <= ahead)
        return tl_error_set(error, "--swap %s: should be N=TOKEN, N out of %ld … %ld", s->patch.swap,
                            ahead + 1, names->count);
    const int id = swapped_id(run, a, equals + 1);
    if (id < 0) return tl_error_set(error, "--swap %s: the vocabulary has no such token", s->patch.swap);
    b->ids = malloc((size_t)count * sizeof *b->ids);
    b->text = malloc((size_t)names->count * sizeof *b->text);
    if (!b->ids || !b->text) return tl_error_set(error, "out of memory");
    memcpy(b->ids, source ? a->batch.src : a->batch.tgt_in, (size_t)count * sizeof *b->ids);
    memcpy(b->text, names->text, (size_t)names->count * sizeof *b->text);
    b->ids[n - 1 - ahead] = id;
    b->text[n - 1] = swapped_name(run, a, id);
    b->batch = a->batch;
    *(source ? &b->batch.src : &b->batch.tgt_in) = b->ids;
    b->src = a->sentence[0].src, b->in = a->sentence[0].read;
    (source ? &b->src : &b->in)->text = b->text;
    return true;
}

static bool read_other(const settings *s, tl_run *run, tl_sentences *a, other *b, tl_error *error) {
    const tl_sentence *own = &a->sentence[0];
    if (s->patch.swap && (s->patch.to || s->patch.to_target))
        return tl_error_set(error, "--swap makes B of A, and --to names another: say one of them");
    if (s->patch.swap) return swap(s, run, a, b, error);
    if (!s->patch.to && !s->patch.to_target)
        return tl_error_set(
            error, "which sentence is B? Give it by --to, or a token of A's to be replaced by --swap");
    const bool text = !own->source; /* a language model */
    const char *source = text          ? NULL
                         : s->patch.to ? s->patch.to
                                       : own->source,
               *target = text                 ? s->patch.to
                         : s->patch.to_target ? s->patch.to_target
                                              : own->target;
    if (text && !s->patch.to)
        return tl_error_set(error, "--to-target: a language model's text has no other side: give it by --to");
    if (!tl_sentences_of(run, &source, &target, 1, &b->read)) return false;
    b->batch = b->read.batch;
    b->src = b->read.sentence[0].src, b->in = b->read.sentence[0].read;
    if (!text && !s->patch.to_target) { /* A's tokens themselves: cutting its line again may give others */
        b->batch.tgt_in = a->batch.tgt_in, b->batch.tgt_out = a->batch.tgt_out;
        b->batch.tgt_lengths = a->batch.tgt_lengths, b->batch.tgt_len = a->batch.tgt_len;
        b->in = own->read;
    }
    return true;
}

static void free_other(other *b) {
    tl_sentences_free(&b->read);
    free(b->ids);
    free(b->text);
}

/* ---- the lines above ---- */

static void print_tokens(const tl_tokens *tokens) {
    for (long i = 0; i < tokens->count; i++) {
        char *shown = shown_text(tokens->text[i]);
        printf(" %s", shown ? shown : "");
        free(shown);
    }
}

static void print_sentence(const char *name, const tl_tokens *src, const tl_tokens *in) {
    printf("%s:", name);
    print_tokens(src);
    if (src->count && in->count) printf("  |");
    print_tokens(in);
    printf("\n");
}

static void say_measure(const tl_patch *patch, const char *what) {
    char *shown = shown_text(what);
    printf("m = %s: A %.4f, B %.4f\n\n", shown ? shown : "", tl_patch_value_a(patch),
           tl_patch_value_b(patch));
    free(shown);
    if (!tl_patch_has_score(patch))
        printf("A and B differ in m by %.2g, which is too little to divide by: effects m - m_A are given, "
               "not shares.\n\n",
               tl_patch_value_b(patch) - tl_patch_value_a(patch));
}

static const char *unit_of(const tl_patch *patch) {
    return tl_patch_has_score(patch) ? "(m - m_A) / (m_B - m_A): 0 as A, 1 as B" : "m - m_A";
}

/* ---- a table as text and picture ---- */

typedef struct sheet { /* rows of a table that share their columns' tokens */
    long first, rows, columns;
    const tl_tokens *tokens, *own; /* of B and of A; NULL: columns are heads, or there is one */
    const char **row, **column;
    char (*text)[160]; /* [columns] memory for names made here */
    double *score, *estimate, *both;
    double largest; /* of scores and estimates in all sheets, which share one scale */
} sheet;

static bool over_source(const tl_place_name *p) {
    if (!*p->attention) return p->side == TL_ENCODER;
    return p->kind == TL_ENCODER_SELF ||
           (p->kind == TL_CROSS && (p->place == TL_PLACE_K || p->place == TL_PLACE_V));
}

static void free_sheet(sheet *s) {
    free(s->row), free(s->column), free(s->text), free(s->score), free(s->estimate), free(s->both);
}

/* "2 cat", or if B has another token "2 cat>dog". */
static void name_position(char to[160], long at, const char *a, const char *b) {
    const bool same = !strcmp(a, b);
    snprintf(to, 160, same ? "%ld %.60s" : "%ld %.60s>%.60s", at + 1, a, b);
}

static void name_columns(sheet *s, const tl_patch_table *t) {
    for (long c = 0; c < s->columns; c++) {
        const long at = t->first + c;
        if (t->by == TL_PATCH_PLACES)
            snprintf(s->text[c], sizeof *s->text, "whole");
        else if (s->tokens && at < s->tokens->count && at < s->own->count)
            name_position(s->text[c], at, s->own->text[at], s->tokens->text[at]);
        else
            snprintf(s->text[c], sizeof *s->text, s->tokens ? "%ld" : "head %ld", s->tokens ? at + 1 : at);
        s->column[c] = s->text[c];
    }
}

/* both: rows of scores and of estimates alternate. */
static bool lay_sheet(sheet *s, const tl_patch *patch, const tl_patch_table *t) {
    for (long i = s->first * t->columns; i < (s->first + s->rows) * t->columns; i++)
        if (t->cell[i].there && i % t->columns >= s->columns) s->columns = i % t->columns + 1;
    const size_t cells = (size_t)(s->rows * s->columns) + 1;
    s->row = calloc((size_t)(3 * s->rows) + 1, sizeof *s->row);
    s->column = calloc((size_t)s->columns + 1, sizeof *s->column);
    s->text = calloc((size_t)s->columns + 1, sizeof *s->text);
    s->score = calloc(cells, sizeof *s->score), s->estimate = calloc(cells, sizeof *s->estimate);
    s->both = calloc(2 * cells, sizeof *s->both);
    if (!s->row || !s->column || !s->text || !s->score || !s->estimate || !s->both) return false;
    for (long r = 0; r < s->rows; r++) {
        s->row[r] = s->row[s->rows + 2 * r] = t->row[s->first + r].text;
        s->row[s->rows + 2 * r + 1] = "  ~";
        for (long c = 0; c < s->columns; c++) {
            const tl_patch_cell *cell = &t->cell[(s->first + r) * t->columns + c];
            s->score[r * s->columns + c] = cell->there ? share(patch, cell->patched.effect) : NAN;
            s->estimate[r * s->columns + c] = cell->there ? share(patch, cell->patched.estimate) : NAN;
            s->both[2 * r * s->columns + c] = s->score[r * s->columns + c];
            s->both[(2 * r + 1) * s->columns + c] = s->estimate[r * s->columns + c];
        }
    }
    name_columns(s, t);
    return true;
}

/* One sheet, or by positions one for the source and one for the target. Returns how many. */
static int cut_sheets(sheet sheets[2], const tl_patch *patch, const tl_patch_table *t, const tl_sentence *a,
                      const other *b) {
    int count = 0;
    for (long r = 0; r < t->rows; r++) {
        const bool source = over_source(&t->row[r]);
        const tl_tokens *tokens = t->by == TL_PATCH_POSITIONS ? source ? &b->src : &b->in : NULL;
        if (!count || (sheets[count - 1].tokens != tokens && count < 2))
            sheets[count++] = (sheet){.first = r, .tokens = tokens, .own = source ? &a->src : &a->read};
        sheets[count - 1].rows = r + 1 - sheets[count - 1].first;
    }
    double largest = 0;
    for (long i = 0; i < t->rows * t->columns; i++)
        if (t->cell[i].there)
            largest = fmax(largest, fmax(fabs(share(patch, t->cell[i].patched.effect)),
                                         fabs(share(patch, t->cell[i].patched.estimate))));
    for (int i = 0; i < count; i++) {
        sheets[i].largest = largest;
        if (!lay_sheet(&sheets[i], patch, t)) return -1;
    }
    return count;
}

static heat heat_of(const sheet *s, const char *title, const double *value) {
    return (heat){.title = title,
                  .rows = s->rows,
                  .columns = s->columns,
                  .row = s->row,
                  .column = s->column,
                  .value = value,
                  .limit = s->largest};
}

static void print_sheets(const sheet *sheets, int count, const tl_patch *patch, const tl_patch_table *t) {
    const char *const beside[] = {tl_patch_has_score(patch) ? "score" : "effect", "estimate"};
    printf("A with B's values in each of these, %s;\n%s the first-order estimate of it, (a_B - a_A)·dm/da at "
           "A:\n\n",
           unit_of(patch), t->by == TL_PATCH_PLACES ? "beside it" : "below it (~)");
    for (int i = 0; i < count; i++) {
        heat both = heat_of(&sheets[i], NULL, sheets[i].both);
        /* a row has room for both, side by side */
        if (t->by == TL_PATCH_PLACES)
            both.column = beside, both.columns = 2;
        else
            both.row = sheets[i].row + sheets[i].rows, both.rows = 2 * sheets[i].rows;
        heat_print(&both);
        printf("\n");
    }
    if (isnan(t->correlation))
        printf("Over %ld cells there is no correlation to speak of.\n", t->cells);
    else
        printf("Effect and estimate correlate by %.3f (Pearson) over %ld cells.\n", t->correlation, t->cells);
}

static bool draw_sheets(const char *path, const sheet *sheets, int count, const tl_patch *patch,
                        const tl_patch_table *t, const char *what, tl_error *error) {
    char measure[512], correlation[128];
    snprintf(measure, sizeof measure, "m = %s: A %.4f, B %.4f", what, tl_patch_value_a(patch),
             tl_patch_value_b(patch));
    snprintf(correlation, sizeof correlation, "correlation of effect and estimate over %ld cells: %.3f",
             t->cells, t->correlation);
    const char *about[] = {measure, correlation};
    heat tables[4];
    for (int i = 0; i < count; i++) {
        tables[i] = heat_of(&sheets[i], unit_of(patch), sheets[i].score);
        tables[count + i] = heat_of(&sheets[i], "estimated: (a_B - a_A)·dm/da at A", sheets[i].estimate);
    }
    return heat_draw(path, about, 2, tables, 2 * count, error);
}

static void write_cell(tl_csv *csv, const tl_patch *patch, const tl_patch_table *t, long i, const other *b) {
    const tl_place_name *row = &t->row[i / t->columns];
    const tl_patched *got = &t->cell[i].patched;
    const tl_tokens *tokens = over_source(row) ? &b->src : &b->in;
    const long at = t->first + i % t->columns;
    tl_csv_text(csv, row->text);
    if (t->by == TL_PATCH_HEADS)
        tl_csv_long(csv, at);
    else
        tl_csv_text(csv, "");
    if (t->by == TL_PATCH_POSITIONS)
        tl_csv_long(csv, at + 1);
    else
        tl_csv_text(csv, "");
    tl_csv_text(csv, t->by == TL_PATCH_POSITIONS && at < tokens->count ? tokens->text[at] : "");
    tl_csv_double(csv, got->value);
    tl_csv_double(csv, got->effect);
    tl_csv_double(csv, tl_patch_score(patch, got->effect));
    tl_csv_double(csv, got->estimate);
    tl_csv_double(csv, tl_patch_score(patch, got->estimate));
    tl_csv_end_row(csv);
}

static bool write_cells(const char *path, const tl_patch *patch, const tl_patch_table *t, const other *b,
                        tl_error *error) {
    static const char *const columns[] = {"place",  "head",  "position", "b_token",        "m",
                                          "effect", "score", "estimate", "estimated_score"};
    tl_csv *csv = tl_csv_table(path, columns, 9, error);
    for (long i = 0; csv && i < t->rows * t->columns; i++)
        if (t->cell[i].there) write_cell(csv, patch, t, i, b);
    return csv && tl_csv_close(csv, error);
}

/* ---- runs ---- */

static bool run_table(const settings *s, tl_patch *patch, const tl_replaced *where, const tl_sentence *a,
                      const other *b, const char *what, tl_error *error) {
    bar runs;
    const char *by = s->patch.by;
    const tl_patch_options options = {.by = !strcmp(by, "heads")       ? TL_PATCH_HEADS
                                            : !strcmp(by, "positions") ? TL_PATCH_POSITIONS
                                                                       : TL_PATCH_PLACES,
                                      .places = s->patch.at,
                                      .where = *where,
                                      .progress = bar_step,
                                      .context = &runs};
    bar_begin(&runs, s, NULL, "run");
    tl_patch_table *t = tl_patch_table_new(patch, &options);
    bar_end(&runs);
    if (!t) return false;
    sheet sheets[2] = {{0}, {0}};
    const int count = cut_sheets(sheets, patch, t, a, b);
    bool ok = count > 0 || tl_error_set(error, "out of memory for a table");
    if (ok) print_sheets(sheets, count, patch, t);
    ok = ok && (!s->patch.csv || write_cells(s->patch.csv, patch, t, b, error)) &&
         (!s->patch.svg || draw_sheets(s->patch.svg, sheets, count, patch, t, what, error));
    free_sheet(&sheets[0]), free_sheet(&sheets[1]);
    tl_patch_table_free(t);
    return ok;
}

enum { MOST_PLACES = 16 };

/* Cuts "a,b" into places, in place. Returns how many; 0: too many. */
static int cut_places(char *text, const tl_replaced *where, tl_patch_place places[MOST_PLACES]) {
    int count = 0;
    for (char *next = text; next; count++) {
        if (count == MOST_PLACES) return 0;
        places[count] = (tl_patch_place){.places = next, .where = *where};
        next = strchr(next, ',');
        if (next) *next++ = 0;
    }
    return count;
}

static bool run_together(const settings *s, tl_patch *patch, const tl_replaced *where, tl_error *error) {
    tl_patch_place places[MOST_PLACES];
    tl_patched got;
    char names[1024];
    if (!s->patch.at || strlen(s->patch.at) >= sizeof names)
        return tl_error_set(error, "--by together: which places? Name them by --at, with commas between");
    if (s->patch.svg || s->patch.csv)
        return tl_error_set(error,
                            "--by together is one number, which is printed: --csv and --svg are for tables");
    snprintf(names, sizeof names, "%s", s->patch.at);
    const int count = cut_places(names, where, places);
    if (!count) return tl_error_set(error, "--at: more than %d patterns", MOST_PLACES);
    if (!tl_patch_run(patch, places, count, &got)) return false;
    char *shown = shown_text(s->patch.at);
    printf("A with B's values in %s: m %.4f, %s %.4f, estimated %.4f\n", shown ? shown : "", got.value,
           tl_patch_has_score(patch) ? "score" : "effect", share(patch, got.effect),
           share(patch, got.estimate));
    free(shown);
    return true;
}

static bool run_patch(const settings *s, tl_run *run, tl_sentences *a, other *b, tl_error *error) {
    tl_replaced where = {0};
    tl_objective objective;
    char what[400];
    if (!read_range("heads", s->patch.heads, 0, &where.heads, error) ||
        !read_range("positions", s->patch.positions, 1, &where.positions, error) ||
        !read_range("keys", s->patch.keys, 1, &where.keys, error) ||
        !read_asked(&s->patch.asked, a, &objective, error) || !read_other(s, run, a, b, error))
        return false;
    tl_patch *patch = tl_patch_new(tl_run_model(run), tl_run_tape(run), &a->batch, &b->batch, &objective);
    if (!patch) return false;
    print_sentence("A", &a->sentence[0].src, &a->sentence[0].read);
    print_sentence("B", &b->src, &b->in);
    say_measure(patch, tl_objective_name(&objective, a, what, sizeof what));
    const bool together = !strcmp(s->patch.by, "together"),
               ok = together ? run_together(s, patch, &where, error)
                             : run_table(s, patch, &where, &a->sentence[0], b, what, error);
    tl_patch_free(patch);
    return ok;
}

int command_patch(settings *s) {
    tl_error error = {""};
    tl_sentences a = {0};
    other b = {.ids = NULL};
    tl_run *run = open_subject(s);
    if (!run) return 1;
    if (read_sentence(s, run, &a)) run_patch(s, run, &a, &b, &error);
    const int status = status_of(run, &error);
    free_other(&b);
    tl_sentences_free(&a);
    tl_run_free(run);
    return status;
}
