/* attend mask: which pairs of every attention are blocked, and why, with their tokens. Attentions and heads with
 * equal masks are drawn once. */
#include "program.h"

#include <stdlib.h>
#include <string.h>

/* clang-format off */
const tl_option mask_options[] = {
    SUBJECT_ROWS,
    SENTENCE_ROWS,
    BATCH_ROW,
    ROW("attention", TEXT, mask.attention, "PATTERN", "of these alone: decoder.layers.0.self, *.cross (list has the names)"),
    ROW("csv", TEXT, mask.csv, "FILE", "every pair to a file: sentence, attention, head, query, key, their tokens, why, weight"),
    COMMON_ROWS,
    TL_OPTIONS_END};
/* clang-format on */

enum { LABEL = 14, HEADER = 10 }; /* columns of a row's label; characters of a column's, written downwards */
static const char *const letters[TL_WHYS] = {
    [TL_SEES] = "·", [TL_BY_PADDING] = "p", [TL_BY_CAUSAL] = "c", [TL_BY_WINDOW] = "w", [TL_BY_USER] = "u"};

/* ---- text of a known width ---- */

/* The character at text: returns its bytes, and sets how many terminal columns it takes. */
static int character(const char *text, int *columns) {
    const unsigned char c = (unsigned char)text[0];
    int bytes = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    unsigned long code = c < 0x80 ? c : c & (0x7Fu >> bytes);
    for (int i = 1; i < bytes; i++) {
        if (!text[i]) bytes = i;
        code = code << 6 | ((unsigned char)text[i] & 0x3F);
    }
    const bool wide = (code >= 0x1100 && code <= 0x115F) || (code >= 0x2E80 && code <= 0xA4CF) ||
                      (code >= 0xAC00 && code <= 0xD7A3) || (code >= 0xF900 && code <= 0xFAFF) ||
                      (code >= 0xFE30 && code <= 0xFE6F) || (code >= 0xFF00 && code <= 0xFF60) ||
                      (code >= 0x1F300 && code <= 0x1FAFF) || (code >= 0x20000 && code <= 0x3FFFD);
    const bool none = code >= 0x300 && code <= 0x36F; /* a combining character: drawn onto the one before */
    *columns = none ? 0 : 1 + wide;
    return bytes;
}

static void print_fitted(const char *text, int width) {
    int used = 0, columns;
    for (int bytes; *text && used < width; text += bytes, used += columns) {
        bytes = character(text, &columns);
        if (used + columns > width) break;
        printf("%.*s", bytes, text);
    }
    printf("%*s", width - used, "");
}

/* Character number i of a text; "" after its end. */
static const char *character_at(const char *text, int i, int *bytes, int *columns) {
    *bytes = 0, *columns = 0;
    for (; *text; text += *bytes) {
        *bytes = character(text, columns);
        if (i-- == 0) return text;
    }
    *bytes = *columns = 0;
    return "";
}

static int length_of(const char *text) {
    int count = 0, columns;
    for (; *text; text += character(text, &columns)) count++;
    return count;
}

/* ---- tokens ---- */

/* Names of `count` rows or columns, safe for a terminal. Those after the tokens are padding. Free them with
 * free_names. */
static char **names_of(const tl_tokens *tokens, long count) {
    char **names = calloc((size_t)count + 1, sizeof *names);
    lack_memory(!names);
    for (long i = 0; names && i < count; i++)
        names[i] = shown_text(tokens && i < tokens->count ? tokens->text[i] : "<pad>");
    return names;
}

static void free_names(char **names, long count) {
    for (long i = 0; names && i < count; i++) free(names[i]);
    free(names);
}

static const char *name(char **names, long i) { return names && names[i] ? names[i] : "?"; }

/* ---- one mask ---- */

/* Prints the columns' names from top to bottom, ending on one line. */
static void print_header(char **columns, long count) {
    int tallest = 0;
    for (long j = 0; j < count; j++) {
        const int length = length_of(name(columns, j));
        if (length > tallest) tallest = length;
    }
    if (tallest > HEADER) tallest = HEADER;
    for (int line = 0; line < tallest; line++) {
        printf("  %*s ", LABEL, "");
        for (long j = 0; j < count; j++) {
            const char *text = name(columns, j);
            const int length = length_of(text), begin = tallest - (length < tallest ? length : tallest);
            int bytes = 0, width = 0;
            const char *c = line < begin ? "" : character_at(text, line - begin, &bytes, &width);
            printf("%.*s%*s", bytes, c, 2 - width, "");
        }
        printf("\n");
    }
}

static void print_grid(const tl_seen_attention *a, const tl_sentence *sentence, long b, long h) {
    char **rows = names_of(tl_seen_rows(a, sentence), a->queries),
         **columns = names_of(tl_seen_columns(a, sentence), a->keys);
    print_header(columns, a->keys);
    for (long i = 0; i < a->queries; i++) {
        printf("  ");
        print_fitted(name(rows, i), LABEL);
        printf(" ");
        for (long j = 0; j < a->keys; j++)
            printf("%s ", letters[tl_why_blocked(&a->mask, b, h, i, j, a->queries, a->keys)]);
        printf("\n");
    }
    free_names(rows, a->queries);
    free_names(columns, a->keys);
}

static void print_counts(const tl_mask_counts *c) {
    printf("  %ld pairs: %ld seen", c->pairs, c->by[TL_SEES]);
    for (int why = TL_SEES + 1; why < TL_WHYS; why++)
        if (c->by[why]) printf(", %ld blocked by %s", c->by[why], tl_why_text((tl_why)why));
    if (c->sees_nothing) printf("; %ld rows see nothing", c->sees_nothing);
    printf("\n");
}

/* ---- all of them ---- */

typedef struct looked {
    const settings *s;
    const tl_seen *seen;
    bool *drawn; /* by attention and head */
    int heads;
    long wrong; /* blocked pairs with a weight */
} looked;

static bool is_wanted(const looked *l, const tl_seen_attention *a) {
    return a->weights.data && (!l->s->mask.attention || tl_place_matches(a->name, l->s->mask.attention));
}

/* Prints all attentions and heads whose mask equals that of head h of attention n: "…: all 4 heads". */
static void print_same(looked *l, int n, long h, long b) {
    const tl_seen_attention *a = &l->seen->attention[n];
    bool first = true;
    for (int m = n; m < l->seen->count; m++) {
        const tl_seen_attention *other = &l->seen->attention[m];
        long same = 0;
        if (!is_wanted(l, other) || other->kind != a->kind) continue; /* it has other rows and columns */
        for (long k = 0; k < other->heads; k++) {
            bool *drawn = &l->drawn[m * l->heads + k];
            if (*drawn || !tl_masks_same(a, h, other, k, b)) continue;
            *drawn = true;
            same++;
        }
        if (!same) continue;
        printf("%s%s", first ? "" : ", ", other->name);
        if (same < other->heads) printf(" (%ld of %ld heads)", same, other->heads);
        first = false;
    }
    printf("\n");
}

static void print_sentence(looked *l, const tl_sentence *sentence, long b) {
    for (int n = 0; n < l->seen->count * l->heads; n++) l->drawn[n] = false;
    for (int n = 0; n < l->seen->count; n++) {
        const tl_seen_attention *a = &l->seen->attention[n];
        if (!is_wanted(l, a)) continue;
        l->wrong += tl_mask_count(a, b, -1).weighs_though_blocked;
        for (long h = 0; h < a->heads; h++) {
            if (l->drawn[n * l->heads + h]) continue;
            printf("\n");
            print_same(l, n, h, b);
            const tl_mask_counts counts = tl_mask_count(a, b, h);
            print_counts(&counts);
            print_grid(a, sentence, b, h);
        }
    }
}

static void print_all(looked *l, const tl_sentences *sentences) {
    print_subject("", l->s);
    printf("rows ask, columns are looked at: · seen, p padding, c causal (it comes later), w outside the "
           "window, u blocked by the "
           "user's own mask\n");
    for (long b = 0; b < sentences->count; b++) {
        const tl_sentence *sentence = &sentences->sentence[b];
        printf("\nsentence %ld", b + 1);
        if (sentence->source) print_name(": ", sentence->source, "");
        if (sentence->target) print_name(sentence->source ? " -> " : ": ", sentence->target, "");
        printf("\n");
        print_sentence(l, sentence, b);
    }
}

/* ---- the file ---- */

static bool write_attention(tl_csv *csv, const tl_seen_attention *a, const tl_sentence *sentence, long b) {
    const tl_tokens *rows = tl_seen_rows(a, sentence), *columns = tl_seen_columns(a, sentence);
    bool ok = true;
    for (long at = 0; ok && at < a->heads * a->queries * a->keys; at++) {
        const long h = at / a->keys / a->queries, i = at / a->keys % a->queries, j = at % a->keys;
        const tl_why why = tl_why_blocked(&a->mask, b, h, i, j, a->queries, a->keys);
        tl_csv_long(csv, b + 1);
        tl_csv_text(csv, a->name);
        tl_csv_long(csv, h);
        tl_csv_long(csv, i);
        tl_csv_long(csv, j);
        tl_csv_text(csv, rows && i < rows->count ? rows->text[i] : "<pad>");
        tl_csv_text(csv, columns && j < columns->count ? columns->text[j] : "<pad>");
        tl_csv_text(csv, why == TL_SEES ? "seen" : tl_why_text(why));
        tl_csv_double(csv, (double)tl_item(tl_at(a->weights, b, h, i, j)));
        ok = tl_csv_end_row(csv);
    }
    return ok;
}

static bool write_csv(const looked *l, const tl_sentences *sentences, tl_error *error) {
    static const char *const columns[] = {"sentence",    "attention", "head", "query", "key",
                                          "query_token", "key_token", "why",  "weight"};
    tl_csv *csv = tl_csv_table(l->s->mask.csv, columns, 9, error);
    bool ok = csv != NULL;
    for (long b = 0; ok && b < sentences->count; b++)
        for (int n = 0; ok && n < l->seen->count; n++)
            if (is_wanted(l, &l->seen->attention[n]))
                ok = write_attention(csv, &l->seen->attention[n], &sentences->sentence[b], b);
    return csv ? tl_csv_close(csv, error) && ok : false;
}

static int show(looked *l, const tl_sentences *sentences) {
    tl_error error = {""};
    bool some = false;
    for (int n = 0; n < l->seen->count; n++) some |= is_wanted(l, &l->seen->attention[n]);
    if (!some)
        return fail_with(l->s->mask.attention
                             ? "--attention: this model has no attention of such a name; list has the names"
                             : "this model has no attention");
    print_all(l, sentences);
    if (l->s->mask.csv && !write_csv(l, sentences, &error)) return fail_with(error.message);
    if (!l->wrong) return 0;
    tl_error_set(&error, "the mask does not hold: %ld pairs are blocked, and weigh something all the same",
                 l->wrong);
    return fail_with(error.message);
}

static int look(settings *s, tl_run *run, tl_sentences *sentences) {
    tl_seen seen;
    tl_error error = {""};
    if (!tl_look(tl_run_model(run), tl_run_tape(run), &sentences->batch, &(tl_look_options){.no_grad = true},
                 &seen))
        return status_of(run, &error);
    looked l = {.s = s, .seen = &seen, .heads = 1};
    for (int n = 0; n < seen.count; n++)
        if (seen.attention[n].heads > l.heads) l.heads = (int)seen.attention[n].heads;
    l.drawn = calloc((size_t)(seen.count * l.heads) + 1, sizeof *l.drawn);
    const int status = l.drawn ? show(&l, sentences) : fail_with("out of memory");
    free(l.drawn);
    return status;
}

int command_mask(settings *s) { return with_several(s, 1, look); }
