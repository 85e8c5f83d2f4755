/* The page of what was looked at, as JSON for src/lens/page/attention.js: what each attention is, and of each sentence its tokens and,
 * attention by attention, numbers in base64, of the sentence's own lengths [H,T,S], without padding.
 *
 * Whoever wants fewer bytes gets fewer quantities (`store`), never fewer digits. */
#include "embedded.h"

#include "tapeloom.h"
#include "tapeloom/op.h" /* tl_tape_fail */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct writing {
    tl_run *run;
    const tl_sentences *sentences;
    const tl_seen *seen;
    const tl_page_options *options;
    const double *log_p; /* [B,T]; NULL: not known */
    unsigned store;      /* bits of quantities */
    unsigned left_out;   /* that would not have fitted */
    long count;          /* sentences */
    size_t most;
    tl_buffer data;
} writing;

enum { BIT = 1 }; /* 1 << quantity */
#define HAS(set, quantity) (((set) >> (quantity)&BIT) != 0)

/* ---- numbers ---- */

/* What JSON has no word for is null. */
static void add_number(tl_buffer *b, double x) {
    if (isfinite(x))
        tl_buffer_format(b, "%.9g", x);
    else
        tl_buffer_text(b, "null");
}

/* The tensor that a stored quantity is: [B,H,T,S], of norms [B,T,S]. */
static tl_tensor tensor_of(const tl_seen_attention *a, tl_quantity q) {
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

static tl_real element(tl_tensor t, long b, long h, long i, long j) {
    return t.rank == 3 ? t.data[b * t.stride[0] + i * t.stride[1] + j * t.stride[2]]
                       : t.data[b * t.stride[0] + h * t.stride[1] + i * t.stride[2] + j * t.stride[3]];
}

/* ,"A":"…": sentence b's rows × columns of every head */
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

/* Is a sentence's dL/dS what the page would make of A and dL/dA? To 1e-6 of the row's largest dL/dA. */
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

/* ---- what is blocked ----
 *
 * A pattern is a digit a pair, row by row: tl_why. Most attentions of a sentence share theirs, so patterns stand once and maps have
 * their numbers. */

typedef struct patterns {
    char **text;
    int count;
} patterns;

/* A pattern's number; -1: nothing is blocked. */
static int pattern_number(patterns *known, const tl_mask *mask, long b, long h, long rows, long columns,
                          long queries, long keys) {
    char *text = malloc((size_t)(rows * columns) + 1), *to = text;
    if (!text) return -1;
    for (long i = 0; i < rows; i++)
        for (long j = 0; j < columns; j++)
            *to++ = (char)('0' + (int)tl_why_blocked(mask, b, h, i, j, queries, keys));
    *to = 0;
    int at = 0;
    if (strspn(text, "0") == (size_t)(to - text)) at = -1;
    while (at >= 0 && at < known->count && strcmp(known->text[at], text)) at++;
    char **more = at < known->count ? NULL : realloc(known->text, (size_t)(at + 1) * sizeof *more);
    if (!more) {
        free(text);
        return at < known->count ? at : -1;
    }
    known->text = more;
    known->text[known->count++] = text;
    return at;
}

/* "blocked": a number for all heads, or one a head. Only masks of the user's own tell heads apart. */
static void add_blocked(tl_buffer *b, patterns *known, const tl_seen_attention *a, long sentence, long rows,
                        long columns) {
    const long different = a->mask.attend && a->mask.attend_dim[1] > 1 ? a->heads : 1;
    tl_buffer_text(b, "{\"blocked\":[");
    for (long h = 0; h < different; h++)
        tl_buffer_format(b, "%s%d", h ? "," : "",
                         pattern_number(known, &a->mask, sentence, h, rows, columns, a->queries, a->keys));
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

/* -log p of each token that is written */
static void add_losses(tl_buffer *b, const writing *w, long sentence) {
    const tl_batch *batch = &w->seen->batch;
    tl_buffer_text(b, ",\"loss\":[");
    for (long t = 0; t < w->sentences->sentence[sentence].written.count && t < batch->tgt_len; t++) {
        tl_buffer_text(b, t ? "," : "");
        add_number(b, -w->log_p[sentence * batch->tgt_len + t]);
    }
    tl_buffer_text(b, "]");
}

/* Pixels of the patches, red, green, blue of 0 … 255, patch by patch. Patches hold 1 - brightness. */
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

static void add_attention(writing *w, const tl_seen_attention *a, long sentence, patterns *known) {
    static const tl_quantity stored[] = {TL_SEE_A, TL_SEE_S, TL_SEE_DA_RAW, TL_SEE_HEAD_NORM, TL_SEE_NORM};
    const tl_sentence *s = &w->sentences->sentence[sentence];
    const long rows = tl_seen_rows(a, s)->count, columns = tl_seen_columns(a, s)->count;
    add_blocked(&w->data, known, a, sentence, rows, columns);
    for (size_t i = 0; i < sizeof stored / sizeof *stored; i++)
        if (HAS(w->store, stored[i]) && tensor_of(a, stored[i]).data)
            add_map(&w->data, tl_quantity_name(stored[i]), tensor_of(a, stored[i]), sentence, rows, columns);
    if (HAS(w->store, TL_SEE_DA_RAW) && a->score_grads.data && a->weight_grads.data &&
        !is_derived(a, sentence, rows, columns))
        add_map(&w->data, tl_quantity_name(TL_SEE_DS), a->score_grads, sentence, rows, columns);
    tl_buffer_text(&w->data, "}");
}

static void add_sentence(writing *w, long sentence) {
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

/* ---- what is the same for all sentences ---- */

static const char *side_of(const tl_sentence *s, const tl_tokens *tokens) {
    return tokens == &s->src ? "src" : tokens == &s->read ? "read" : "written";
}

static void add_head(writing *w, const tl_seen_attention *a, const double *importance) {
    static const char *const kinds[] = {"encoder self", "decoder self", "cross"};
    const tl_sentence *any = w->sentences->sentence;
    tl_buffer *b = &w->data;
    tl_buffer_format(b, "{\"name\":\"%s\",\"kind\":\"%s\",\"layer\":%d,\"heads\":%ld", a->name,
                     strcmp(a->name, "pooling") ? kinds[a->kind] : "pooling", a->layer, a->heads);
    tl_buffer_format(b, ",\"rows\":\"%s\",\"columns\":\"%s\"", side_of(any, tl_seen_rows(a, any)),
                     side_of(any, tl_seen_columns(a, any)));
    for (long h = 0; importance && h < a->heads; h++) {
        tl_buffer_text(b, h ? "," : ",\"importance\":[");
        add_number(b, importance[h]);
    }
    tl_buffer_text(b, importance ? "]}" : "}");
}

static void add_attentions(writing *w) {
    const double *importance = w->options->importance;
    tl_buffer_text(&w->data, ",\"attentions\":[");
    for (int i = 0; i < w->seen->count; i++) {
        tl_buffer_text(&w->data, i ? ",\n" : "\n");
        add_head(w, &w->seen->attention[i], importance);
        if (importance) importance += w->seen->attention[i].heads;
    }
    tl_buffer_text(&w->data, "]");
}

/* ,"name":["A","S"] */
static void add_quantities(tl_buffer *b, const char *name, unsigned set) {
    const char *between = "";
    tl_buffer_format(b, ",\"%s\":[", name);
    for (int q = 0; q < TL_QUANTITIES; q++) {
        if (!HAS(set, q)) continue;
        tl_buffer_format(b, "%s\"%s\"", between, tl_quantity_name((tl_quantity)q));
        between = ",";
    }
    tl_buffer_text(b, "]");
}

static void add_text(tl_buffer *b, const char *name, const char *text) {
    tl_buffer_format(b, ",\"%s\":", name);
    tl_page_string(b, text);
}

static const char *today(char to[16]) {
    const time_t now = time(NULL);
    const struct tm *day = gmtime(&now); /* NULL beyond the year that an int holds */
    return day && strftime(to, 16, "%Y-%m-%d", day) ? to : NULL;
}

static void add_provenance(writing *w) {
    const tl_page_options *o = w->options;
    char text[1024], digits[17];
    tl_buffer *b = &w->data;
    add_text(b, "objective", tl_objective_text(&w->seen->objective, w->sentences, text, sizeof text));
    tl_buffer_text(b, ",\"value\":");
    add_number(b, w->seen->value);
    const char *program = tl_run_program_name(w->run), *folder = tl_run_dir(w->run);
    snprintf(text, sizeof text, "%s%s%s", program ? program : "", folder ? " run " : "",
             folder ? folder : "");
    add_text(b, "model", o->model ? o->model : program ? text : NULL);
    add_text(b, "command", o->command);
    const tl_params *params = tl_run_params(w->run);
    add_text(b, "fingerprint",
             o->fingerprint ? o->fingerprint
             : params       ? tl_page_fingerprint(params, digits)
                            : NULL);
    add_text(b, "date", o->date ? o->date : today(text));
    add_text(b, "importance_text", o->importance_text);
}

static const char *title_of(const writing *w) {
    const tl_sentence *first = w->sentences->sentence;
    return w->options->title ? w->options->title : first->source ? first->source : first->target;
}

/* All data; stops where they are longer than they may be. False then, with how many sentences there was room for in *fitted. */
static bool write_data(writing *w, size_t most, long *fitted) {
    tl_buffer *b = &w->data;
    tl_buffer_free(b);
    tl_buffer_text(b, "{\"library\":\"Tapeloom " TL_VERSION "\"");
    add_text(b, "title", title_of(w));
    add_provenance(w);
    add_quantities(b, "stored", w->store);
    add_quantities(b, "left_out", w->left_out);
    tl_buffer_format(b, ",\"sentences_left_out\":%ld", w->sentences->count - w->count);
    add_attentions(w);
    tl_buffer_text(b, ",\"sentences\":[");
    for (*fitted = 0; *fitted < w->count; ++*fitted) {
        add_sentence(w, *fitted);
        if (b->size + 8 > most || b->failed) return false;
    }
    return tl_buffer_text(b, "\n]}") && b->size <= most;
}

/* ---- what there is room for ---- */

/* What is stored of what was asked for: gradients all come from dA-raw. */
static unsigned stored_of(unsigned asked, const tl_seen *seen) {
    const unsigned grads =
        (unsigned)(BIT << TL_SEE_DA_RAW | BIT << TL_SEE_DA | BIT << TL_SEE_DS | BIT << TL_SEE_ADA);
    unsigned set = 1u << TL_SEE_A, there = 0;
    if (!asked) asked = ~0u;
    if (asked & grads) set |= 1u << TL_SEE_DA_RAW;
    set |= asked & (unsigned)(BIT << TL_SEE_S | BIT << TL_SEE_HEAD_NORM | BIT << TL_SEE_NORM);
    for (int i = 0; i < seen->count; i++)
        for (int q = 0; q < TL_QUANTITIES; q++)
            if (tensor_of(&seen->attention[i], (tl_quantity)q).data) there |= 1u << q;
    return set & there;
}

/* Leaves out quantities, then sentences, until the data fit. False if they never do. */
static bool fit_data(writing *w, size_t most) {
    static const tl_quantity spare[] = {TL_SEE_HEAD_NORM, TL_SEE_NORM, TL_SEE_S, TL_SEE_DA_RAW};
    long fitted;
    if (write_data(w, most, &fitted)) return true;
    for (size_t i = 0; i < sizeof spare / sizeof *spare && !w->data.failed; i++) {
        if (!HAS(w->store, spare[i])) continue;
        w->store &= ~(1u << spare[i]);
        w->left_out |= 1u << spare[i];
        if (write_data(w, most, &fitted)) return true;
    }
    while (fitted > 0 && !w->data.failed) {
        w->count = fitted;
        if (write_data(w, most, &fitted)) return true;
    }
    return false;
}

/* ---- the whole ---- */

static char *failed(writing *w, const char *why, size_t most) {
    tl_buffer_free(&w->data);
    if (w->run) tl_tape_fail(tl_run_tape(w->run), why, most);
    return NULL;
}

static char *page_of(writing *w, size_t *size) {
    tl_buffer page = {0};
    const size_t most = w->options->most_bytes ? w->options->most_bytes : 10000000;
    const size_t frame = strlen(tl_page_attention) + 4 * strlen(title_of(w) ? title_of(w) : "");
    if (most <= frame || !fit_data(w, most - frame))
        return failed(w,
                      w->data.failed ? "page: out of memory"
                                     : "page: the weights of one sentence take more than the %zu bytes that "
                                       "a page may have: give a shorter sentence, or allow more",
                      most);
    if (!tl_page_fill(&page, tl_page_attention, title_of(w), &w->data)) {
        tl_buffer_free(&page);
        return failed(w, "page: out of memory", 0);
    }
    tl_buffer_free(&w->data);
    *size = page.size;
    return page.text;
}

/* log p of every token that is written, where the model writes; NULL: it does not. */
static double *losses_of(tl_run *run, const tl_batch *batch) {
    const tl_model *model = tl_run_model(run);
    if (!model || !model->kind->begin || !batch->tgt_in || !batch->tgt_out) return NULL;
    double *log_p = malloc((size_t)(batch->sentences * batch->tgt_len + 1) * sizeof *log_p);
    if (log_p && tl_log_p(model, tl_run_tape(run), batch, log_p)) return log_p;
    free(log_p);
    return NULL;
}

char *tl_page_text(tl_run *run, const tl_sentences *sentences, const tl_seen *seen,
                   const tl_page_options *options, size_t *size) {
    static const tl_page_options none;
    writing w = {.run = run, .sentences = sentences, .seen = seen, .options = options ? options : &none};
    if (!sentences || sentences->count < 1 || !seen || seen->count < 1 || !size)
        return failed(&w, "page: give sentences, what was seen of them, and room for the page's size", 0);
    if (run && tl_run_error(run)) return NULL;
    w.store = stored_of(w.options->quantities, seen);
    w.count = sentences->count;
    double *log_p = losses_of(run, &seen->batch);
    w.log_p = log_p;
    char *page = run && tl_run_error(run) ? NULL : page_of(&w, size);
    free(log_p);
    return page;
}

static uint64_t mixed(uint64_t hash, const unsigned char *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) hash = (hash ^ bytes[i]) * 1099511628211u; /* FNV-1a */
    return hash;
}

char *tl_page_fingerprint(const tl_params *params, char to[17]) {
    uint64_t hash = 14695981039346656037u;
    for (int i = 0; i < tl_params_count(params); i++) {
        const tl_param *p = tl_params_at(params, i);
        const tl_tensor value = tl_param_value(p);
        hash = mixed(hash, (const unsigned char *)p->leaf.name, strlen(p->leaf.name));
        for (long k = 0; k < tl_numel(value); k++) {
            const float number = (float)value.data[k];
            uint32_t bits;
            memcpy(&bits, &number, sizeof bits);
            const unsigned char bytes[4] = {(unsigned char)bits, (unsigned char)(bits >> 8),
                                            (unsigned char)(bits >> 16), (unsigned char)(bits >> 24)};
            hash = mixed(hash, bytes, 4);
        }
    }
    for (int i = 0; i < 16; i++) to[i] = "0123456789abcdef"[hash >> (60 - 4 * i) & 15];
    return to[16] = 0, to;
}
