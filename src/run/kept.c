/* Sets of heads as text (kept.h). Numbers are parsed strictly and heads written in order, so that a written text
 * reads back as the same set. */
#include "tapeloom/kept.h"

#include "base/quote.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[TL_ATTENTION_KINDS] = {"encoder", "decoder", "cross"};

tl_head_shape tl_head_shape_of(const tl_model *model) {
    tl_head_shape shape = {.heads = model ? model->heads : 0};
    for (int kind = 0; model && kind < TL_ATTENTION_KINDS; kind++)
        shape.layers[kind] = model->attentions[kind];
    return shape;
}

long tl_head_attentions(const tl_head_shape *shape) {
    long count = 0;
    for (int kind = 0; shape && kind < TL_ATTENTION_KINDS; kind++) count += shape->layers[kind];
    return count;
}

long tl_head_count(const tl_head_shape *shape) {
    return shape ? tl_head_attentions(shape) * shape->heads : 0;
}

const char *tl_head_kind_text(tl_attention_kind kind) {
    return (int)kind >= 0 && (int)kind < TL_ATTENTION_KINDS ? kinds[kind] : NULL;
}

static bool is_shape(const tl_head_shape *shape) {
    bool is = shape && shape->heads >= 0;
    for (int kind = 0; is && kind < TL_ATTENTION_KINDS; kind++) is = shape->layers[kind] >= 0;
    return is;
}

/* ---- reading ---- */

typedef struct reader {
    const char *at, *whole;
    const tl_head_shape *shape;
    tl_error *error;
} reader;

static bool fail(const reader *r, const char *what) {
    char shown[TL_SHOWN];
    return tl_error_set(r->error,
                        "heads \"%s\", byte %ld: %s; it should look like encoder.0:0,2,3; cross.1:none",
                        tl_shown(r->whole, strlen(r->whole), 60, shown), (long)(r->at - r->whole) + 1, what);
}

static void skip_spaces(reader *r) {
    while (*r->at == ' ') r->at++;
}

static bool take(reader *r, const char *word) {
    const size_t size = strlen(word);
    if (strncmp(r->at, word, size)) return false;
    r->at += size;
    return true;
}

/* Reads a number from 0 to count-1. */
static bool number(reader *r, const char *what, int count, int *value) {
    char text[160];
    long n = 0;
    if (!isdigit((unsigned char)*r->at)) {
        snprintf(text, sizeof text, "the number of a %s is missing", what);
        return fail(r, text);
    }
    const reader before = *r;
    while (isdigit((unsigned char)*r->at) && n < 1000000000) n = 10 * n + (*r->at++ - '0');
    if (n < count && !isdigit((unsigned char)*r->at)) {
        *value = (int)n;
        return true;
    }
    if (count)
        snprintf(text, sizeof text, "there is no such %s: they are 0 … %d", what, count - 1);
    else
        snprintf(text, sizeof text, "the model has none of these");
    return fail(&before, text);
}

static bool heads_of(reader *r, bool *flags) {
    int head = 0;
    memset(flags, 0, (size_t)r->shape->heads * sizeof *flags);
    if (take(r, "none")) return true;
    do {
        skip_spaces(r);
        if (!number(r, "head", r->shape->heads, &head)) return false;
        flags[head] = true;
        skip_spaces(r);
    } while (take(r, ","));
    return true;
}

/* Reads "encoder.0:…"; seen: the attentions named so far. */
static bool attention(reader *r, bool *seen, bool *flags) {
    const char *begins = r->at;
    int kind = 0, layer = 0;
    long first = 0;
    for (; kind < TL_ATTENTION_KINDS && !take(r, kinds[kind]); kind++) first += r->shape->layers[kind];
    if (kind == TL_ATTENTION_KINDS) return fail(r, "expected encoder, decoder or cross");
    if (!take(r, ".")) return fail(r, "expected a dot and the layer's number");
    if (!number(r, "layer", r->shape->layers[kind], &layer)) return false;
    if (!take(r, ":")) return fail(r, "expected a colon and heads, or none");
    skip_spaces(r);
    if (seen[first + layer]) {
        r->at = begins;
        return fail(r, "this attention is named twice");
    }
    seen[first + layer] = true;
    return heads_of(r, flags + (first + layer) * r->shape->heads);
}

static bool attentions(reader *r, bool *seen, bool *flags) {
    for (skip_spaces(r); *r->at;) {
        if (!attention(r, seen, flags)) return false;
        skip_spaces(r);
        if (*r->at && !take(r, ";")) return fail(r, "expected a semicolon, or a comma and another head");
        skip_spaces(r);
    }
    return true;
}

bool tl_heads_parse(const char *text, const tl_head_shape *shape, bool others, bool *flags, tl_error *error) {
    if (!text || !is_shape(shape) || !flags)
        return tl_error_set(error, "heads: a text, a model's shape and a place for flags are needed");
    if (tl_head_count(shape) > TL_HEADS_MOST)
        return tl_error_set(error, "heads: a model with %ld of them is more than can be listed: at most %d",
                            tl_head_count(shape), TL_HEADS_MOST);
    bool *seen = calloc((size_t)tl_head_attentions(shape) + 1, sizeof *seen);
    if (!seen) return tl_error_set(error, "out of memory for a list of heads");
    for (long i = 0; i < tl_head_count(shape); i++) flags[i] = others;
    reader r = {text, text, shape, error};
    const bool ok = attentions(&r, seen, flags);
    free(seen);
    return ok;
}

/* ---- writing ---- */

static bool all_are(const bool *flags, int heads, bool others) {
    for (int h = 0; h < heads; h++)
        if (flags[h] != others) return false;
    return true;
}

/* to NULL: only counts. */
static size_t put(char *to, size_t at, const char *text) {
    if (to) strcpy(to + at, text);
    return at + strlen(text);
}

static size_t put_attention(char *to, size_t at, const char *kind, int layer, const bool *flags, int heads) {
    char text[64];
    bool first = true;
    snprintf(text, sizeof text, "%s%s.%d:", at ? "; " : "", kind, layer);
    at = put(to, at, text);
    for (int h = 0; h < heads; h++)
        if (flags[h]) {
            snprintf(text, sizeof text, "%s%d", first ? "" : ",", h);
            at = put(to, at, text);
            first = false;
        }
    return first ? put(to, at, "none") : at;
}

static size_t put_all(char *to, const bool *flags, const tl_head_shape *shape, bool others) {
    size_t at = 0;
    for (int kind = 0; kind < TL_ATTENTION_KINDS; kind++)
        for (int layer = 0; layer < shape->layers[kind]; layer++, flags += shape->heads)
            if (!all_are(flags, shape->heads, others))
                at = put_attention(to, at, kinds[kind], layer, flags, shape->heads);
    return at;
}

char *tl_heads_text(const bool *flags, const tl_head_shape *shape, bool others) {
    if (!flags || !is_shape(shape)) return NULL;
    char *text = calloc(put_all(NULL, flags, shape, others) + 1, 1);
    if (text) put_all(text, flags, shape, others);
    return text;
}
