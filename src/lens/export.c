/* A look as files for other programs: a CSV table, and safetensors. */
#include "lens.h"

#include "tapeloom/op.h"

#include "base/buffer.h"

#include <stdlib.h>
#include <string.h>

/* Does the look have this quantity? */
static bool has(const tl_seen_attention *s, tl_quantity q) {
    switch (q) {
    case TL_SEE_A:
    case TL_SEE_S:
        return true;
    case TL_SEE_HEAD_NORM:
        return s->head_norms.data != NULL;
    case TL_SEE_NORM:
        return s->norms.data != NULL;
    default:
        return s->score_grads.data != NULL;
    }
}

static bool is_wanted(const tl_seen_attention *s, const char *attention) {
    return s->weights.data && (!attention || tl_place_matches(s->name, attention));
}

/* ---- CSV ---- */

static void write_map(tl_csv *csv, const tl_seen_attention *s, long b, long h, const tl_sentence *sentence,
                      bool words, tl_tape *tape) {
    const tl_tokens *rows = tl_seen_rows(s, sentence), *columns = tl_seen_columns(s, sentence);
    const tl_mark mark = tl_tape_mark(tape);
    tl_tensor map[TL_QUANTITIES];
    for (int q = 0; q < TL_QUANTITIES; q++)
        map[q] = tl_seen_map(s, (tl_quantity)q, b, h, sentence, words, tape);
    for (long i = 0; !tl_tape_error(tape) && i < map[0].dim[0]; i++)
        for (long j = 0; j < map[0].dim[1]; j++) {
            tl_csv_long(csv, b);
            tl_csv_text(csv, s->name);
            tl_csv_long(csv, h);
            tl_csv_long(csv, i);
            tl_csv_long(csv, j);
            tl_csv_text(csv, tl_seen_label(rows, i, words, tape));
            tl_csv_text(csv, tl_seen_label(columns, j, words, tape));
            tl_csv_text(csv, tl_why_text(tl_seen_why(s, b, h, i, j, sentence, words)));
            for (int q = 0; q < TL_QUANTITIES; q++)
                if (has(s, (tl_quantity)q))
                    tl_csv_double(csv, (double)map[q].data[i * map[q].dim[1] + j]);
                else
                    tl_csv_text(csv, "");
            tl_csv_end_row(csv);
        }
    tl_tape_release(tape, mark);
}

bool tl_seen_csv(const char *path, const tl_seen *seen, const tl_sentences *sentences, const char *attention,
                 bool words, tl_tape *tape, tl_error *error) {
    const char *columns[8 + TL_QUANTITIES] = {"sentence", "attention",   "head",      "query",
                                              "key",      "query_token", "key_token", "blocked"};
    if (!seen || !sentences)
        return tl_error_set(error, "a table of what was seen: give what was seen, and its sentences");
    for (int q = 0; q < TL_QUANTITIES; q++) columns[8 + q] = tl_quantity_name((tl_quantity)q);
    tl_csv *csv = tl_csv_table(path, columns, 8 + TL_QUANTITIES, error);
    if (!csv) return false;
    for (long b = 0; b < sentences->count; b++)
        for (int a = 0; a < seen->count; a++)
            for (long h = 0; h < seen->attention[a].heads && is_wanted(&seen->attention[a], attention); h++)
                write_map(csv, &seen->attention[a], b, h, &sentences->sentence[b], words, tape);
    if (tl_tape_error(tape)) tl_error_set(error, "%s", tl_tape_error(tape));
    return tl_csv_close(csv, error) && !tl_tape_error(tape);
}

/* ---- safetensors ---- */

typedef struct items {
    tl_safetensors_item *item;
    long count, room;
} items;

/* Adds one quantity of one sentence, [H,T,S]. */
static bool add(items *to, const tl_seen_attention *s, tl_quantity q, long b, const tl_sentence *sentence,
                bool words, tl_tape *tape) {
    const tl_tokens *rows = tl_seen_rows(s, sentence), *columns = tl_seen_columns(s, sentence);
    const long heads = s->heads, t = words ? rows->words : rows->count,
               keys = words ? columns->words : columns->count;
    if (!has(s, q) || t < 1 || keys < 1) return true;
    char *name = tl_tape_memory(tape, 128);
    tl_tensor all = tl_tape_tensor(tape, TL_SHAPE(heads, t, keys));
    if (!name || !all.data) return false;
    for (long h = 0; h < heads; h++) {
        const tl_tensor map = tl_seen_map(s, q, b, h, sentence, words, tape);
        if (!map.data) return false;
        tl_tensor_copy(tl_at(all, h), map);
    }
    snprintf(name, 128, "%ld.%s.%s", b, s->name, tl_quantity_name(q));
    to->item[to->count++] = (tl_safetensors_item){.name = name, .tensor = all};
    return true;
}

/* Tokens, one line a sentence, separated by tabs. */
static char *tokens_text(const tl_sentences *sentences, const tl_tokens *of(const tl_sentence *)) {
    tl_buffer text = {0};
    for (long b = 0; b < sentences->count; b++) {
        const tl_tokens *t = of(&sentences->sentence[b]);
        for (long i = 0; i < t->count; i++) tl_buffer_format(&text, "%s%s", i ? "\t" : "", t->text[i]);
        tl_buffer_text(&text, b + 1 < sentences->count ? "\n" : "");
    }
    if (text.failed) tl_buffer_free(&text);
    return text.text;
}

static const tl_tokens *src_of(const tl_sentence *s) { return &s->src; }
static const tl_tokens *read_of(const tl_sentence *s) { return &s->read; }
static const tl_tokens *written_of(const tl_sentence *s) { return &s->written; }

static bool write_items(const char *path, const items *all, tl_sentences *sentences,
                        const tl_objective *objective, const char *command, tl_error *error) {
    char what[512];
    char *src = tokens_text(sentences, src_of), *read = tokens_text(sentences, read_of),
         *written = tokens_text(sentences, written_of);
    const tl_safetensors_pair pairs[] = {
        {"command", command ? command : ""},
        {"objective", tl_objective_text(objective, sentences, what, sizeof what)},
        {"source_tokens", src ? src : ""},
        {"read_tokens", read ? read : ""},
        {"written_tokens", written ? written : ""}};
    const bool ok =
        (src && read && written) || tl_error_set(error, "out of memory for the tokens of %s", path);
    const bool done = ok && tl_safetensors_write(path, all->item, all->count, pairs, 5, error);
    free(src);
    free(read);
    free(written);
    return done;
}

bool tl_seen_safetensors(const char *path, const tl_seen *seen, tl_sentences *sentences,
                         const char *attention, bool words, const char *command, tl_tape *tape,
                         tl_error *error) {
    if (!seen || !sentences || sentences->count < 1)
        return tl_error_set(error, "tensors of what was seen: give what was seen, and its sentences");
    items all = {.room = sentences->count * seen->count * TL_QUANTITIES};
    all.item = calloc((size_t)all.room + 1, sizeof *all.item);
    bool ok = all.item || tl_error_set(error, "out of memory for %s", path);
    const tl_mark mark = tl_tape_mark(tape);
    for (long b = 0; b < sentences->count; b++)
        for (int a = 0; a < seen->count; a++)
            for (int q = 0; ok && q < TL_QUANTITIES && is_wanted(&seen->attention[a], attention); q++)
                ok = add(&all, &seen->attention[a], (tl_quantity)q, b, &sentences->sentence[b], words, tape);
    if (tl_tape_error(tape)) tl_error_set(error, "%s", tl_tape_error(tape));
    ok = ok && write_items(path, &all, sentences, &seen->objective, command, error);
    tl_tape_release(tape, mark);
    free(all.item);
    return ok;
}
