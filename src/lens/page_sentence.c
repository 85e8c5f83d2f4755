/* A sentence of the page as JSON: its tokens, its blocked pairs, and each attention's numbers in base64, [H,T,S] of
 * the sentence's own lengths, without padding. */
#include "page_writing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- numbers ---- */

void tl_page_number(tl_buffer *b, double x) {
    if (isfinite(x))
        tl_buffer_format(b, "%.9g", x);
    else
        tl_buffer_text(b, "null");
}

tl_tensor tl_page_tensor(const tl_seen_attention *a, tl_quantity q) {
    switch (q) {
    case TL_SEE_A:
        return a->weights;
    case TL_SEE_S:
        return a->scores;
    case TL_SEE_DA_RAW:
        return a->weight_grads;
    case TL_SEE_DS:
        return a->score_grads;
    case TL_SEE_HEAD_NORM:
        return a->head_norms;
    case TL_SEE_NORM:
        return a->norms;
    default:
        return (tl_tensor){0};
    }
}

static double element(tl_tensor t, long b, long h, long i, long j) {
    return t.rank == 3 ? t.data[b * t.stride[0] + i * t.stride[1] + j * t.stride[2]]
                       : t.data[b * t.stride[0] + h * t.stride[1] + i * t.stride[2] + j * t.stride[3]];
}

/* ,"A":"…": sentence b's rows × columns for every head */
static void add_map(tl_buffer *b, const char *name, tl_tensor t, long sentence, long rows, long columns) {
    const long heads = t.rank == 3 ? 1 : t.dim[1];
    float *numbers = malloc((size_t)(heads * rows * columns + 1) * sizeof *numbers), *to = numbers;
    if (!numbers) {
        b->failed = true;
        return;
    }
    for (long h = 0; h < heads; h++)
        for (long i = 0; i < rows; i++)
            for (long j = 0; j < columns; j++) *to++ = (float)element(t, sentence, h, i, j);
    tl_buffer_format(b, ",\"%s\":", name);
    tl_page_floats(b, numbers, (size_t)(to - numbers));
    free(numbers);
}

/* Is a sentence's dL/dS what the page computes from A and dL/dA, to 1e-6 of the row's largest |dL/dA|? */
static bool is_derived(const tl_seen_attention *a, long b, long rows, long columns) {
    for (long h = 0; h < a->heads; h++)
        for (long i = 0; i < rows; i++) {
            double mean = 0, largest = 0;
            for (long j = 0; j < columns; j++) {
                const double weight = element(a->weights, b, h, i, j),
                             grad = element(a->weight_grads, b, h, i, j);
                mean += weight * grad;
                if (weight != 0) largest = fmax(largest, fabs(grad));
            }
            for (long j = 0; j < columns; j++) {
                const double derived =
                    element(a->weights, b, h, i, j) * (element(a->weight_grads, b, h, i, j) - mean);
                if (!(fabs(derived - (double)element(a->score_grads, b, h, i, j)) <= 1e-6 * largest))
                    return false;
            }
        }
    return true;
}

/* ---- blocked pairs ----
 *
 * A pattern has a digit for each pair, row by row: its tl_why. Most attentions of a sentence share their pattern, so
 * each pattern is written once, and maps refer to it by number. */
typedef struct patterns {
    char **text;
    int count;
} patterns;

/* The number of a pattern, which becomes known; -1: nothing is blocked. Frees the text. */
static int pattern_number(tl_buffer *b, patterns *known, char *text) {
    int at = 0;
    if (text[strspn(text, "0")] == 0) at = -1;
    while (at >= 0 && at < known->count && strcmp(known->text[at], text)) at++;
    if (at < known->count) return free(text), at;
    char **more = realloc(known->text, (size_t)(at + 1) * sizeof *more);
    if (!more) return b->failed = true, free(text), -1;
    known->text = more;
    known->text[known->count++] = text;
    return at;
}

static int blocked_in(tl_buffer *b, patterns *known, const tl_seen_attention *a, long sentence, long h,
                      long rows, long columns) {
    char *text = malloc((size_t)(rows * columns) + 1), *to = text;
    if (!text) return b->failed = true, -1;
    for (long i = 0; i < rows; i++)
        for (long j = 0; j < columns; j++)
            *to++ = (char)('0' + (int)tl_why_blocked(&a->mask, sentence, h, i, j, a->queries, a->keys));
    *to = 0;
    return pattern_number(b, known, text);
}

/* "blocked": one number for all heads, or one a head. Only a user's own masks differ between heads. */
static void add_blocked(tl_buffer *b, patterns *known, const tl_seen_attention *a, long sentence, long rows,
                        long columns) {
    const long different = a->mask.attend && a->mask.attend_dim[1] > 1 ? a->heads : 1;
    tl_buffer_text(b, "{\"blocked\":[");
    for (long h = 0; h < different; h++)
        tl_buffer_format(b, "%s%d", h ? "," : "", blocked_in(b, known, a, sentence, h, rows, columns));
    tl_buffer_text(b, "]");
}

static void add_patterns(tl_buffer *b, patterns *known) {
    tl_buffer_text(b, ",\"blocked\":[");
    for (int i = 0; i < known->count; i++) {
        tl_buffer_format(b, "%s\"%s\"", i ? "," : "", known->text[i]);
        free(known->text[i]);
    }
    tl_buffer_text(b, "]");
    free(known->text);
}

/* ---- a sentence ---- */

static void add_tokens(tl_buffer *b, const char *name, const tl_tokens *tokens) {
    tl_buffer_format(b, ",\"%s\":{\"text\":[", name);
    for (long i = 0; i < tokens->count; i++) {
        tl_buffer_text(b, i ? "," : "");
        tl_page_string(b, tokens->text[i]);
    }
    tl_buffer_text(b, "],\"word\":[");
    for (long i = 0; i < tokens->count; i++)
        tl_buffer_format(b, "%s%ld", i ? "," : "", tokens->word ? tokens->word[i] : i);
    tl_buffer_format(b, "],\"words\":%ld}", tokens->word ? tokens->words : tokens->count);
}

/* -log p of each token that the model writes */
static void add_losses(tl_buffer *b, const tl_page_writing *w, long sentence) {
    const tl_batch *batch = &w->seen->batch;
    tl_buffer_text(b, ",\"loss\":[");
    for (long t = 0; t < w->sentences->sentence[sentence].written.count && t < batch->tgt_len; t++) {
        tl_buffer_text(b, t ? "," : "");
        tl_page_number(b, -w->log_p[sentence * batch->tgt_len + t]);
    }
    tl_buffer_text(b, "]");
}

/* The patches' pixels, red, green, blue of 0 … 255, patch by patch. Patches hold 1 - brightness. */
static void add_picture(tl_buffer *b, tl_tensor pictures, long sentence) {
    const long patches = pictures.dim[1], numbers = pictures.dim[2];
    const long side = lround(sqrt((double)patches)), cell = lround(sqrt((double)numbers / 3));
    unsigned char *pixels = malloc((size_t)(patches * numbers) + 1), *to = pixels;
    if (!pixels || side * side != patches || 3 * cell * cell != numbers) {
        b->failed |= !pixels;
        free(pixels);
        return;
    }
    for (long p = 0; p < patches; p++)
        for (long i = 0; i < numbers; i++) {
            const double dark = tl_item(tl_at(pictures, sentence, p, i));
            *to++ = (unsigned char)lround(255 * fmin(1, fmax(0, 1 - dark)));
        }
    tl_buffer_format(b, ",\"picture\":{\"side\":%ld,\"cell\":%ld,\"pixels\":\"", side, cell);
    tl_page_base64(b, pixels, (size_t)(patches * numbers));
    tl_buffer_text(b, "\"}");
    free(pixels);
}

static void add_attention(tl_page_writing *w, const tl_seen_attention *a, long sentence, patterns *known) {
    static const tl_quantity stored[] = {TL_SEE_A, TL_SEE_S, TL_SEE_DA_RAW, TL_SEE_HEAD_NORM, TL_SEE_NORM};
    const tl_sentence *s = &w->sentences->sentence[sentence];
    const long rows = tl_seen_rows(a, s)->count, columns = tl_seen_columns(a, s)->count;
    add_blocked(&w->data, known, a, sentence, rows, columns);
    for (size_t i = 0; i < sizeof stored / sizeof *stored; i++)
        if (TL_HAS(w->store, stored[i]) && tl_page_tensor(a, stored[i]).data)
            add_map(&w->data, tl_quantity_name(stored[i]), tl_page_tensor(a, stored[i]), sentence, rows,
                    columns);
    if (TL_HAS(w->store, TL_SEE_DA_RAW) && a->score_grads.data && a->weight_grads.data &&
        !is_derived(a, sentence, rows, columns))
        add_map(&w->data, tl_quantity_name(TL_SEE_DS), a->score_grads, sentence, rows, columns);
    tl_buffer_text(&w->data, "}");
}

void tl_page_sentence(tl_page_writing *w, long sentence) {
    tl_buffer *b = &w->data;
    const tl_sentence *s = &w->sentences->sentence[sentence];
    patterns known = {0};
    tl_buffer_text(b, sentence ? ",\n{\"source\":" : "\n{\"source\":");
    tl_page_string(b, s->source);
    tl_buffer_text(b, ",\"target\":");
    tl_page_string(b, s->target);
    tl_buffer_format(b, ",\"own\":%s", s->own ? "true" : "false");
    add_tokens(b, "src", &s->src);
    add_tokens(b, "read", &s->read);
    add_tokens(b, "written", &s->written);
    if (w->log_p) add_losses(b, w, sentence);
    if (w->seen->batch.pictures.data) add_picture(b, w->seen->batch.pictures, sentence);
    tl_buffer_text(b, ",\"maps\":[");
    for (int i = 0; i < w->seen->count; i++) {
        tl_buffer_text(b, i ? ",\n" : "\n");
        add_attention(w, &w->seen->attention[i], sentence, &known);
    }
    tl_buffer_text(b, "]");
    add_patterns(b, &known);
    tl_buffer_text(b, "}");
}
