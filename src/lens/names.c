/* Names of places: a walk over a model's attentions and streams in order of computation. What a model has is read
 * from its tl_model, so all kinds of models have the same names. */
#include "lens.h"

#include <string.h>

/* ---- which places exist ---- */

static bool is_kind(const tl_model *m, const char *name) { return !strcmp(m->kind->name, name); }

/* Does a side have a Transformer's layers, self-attention and feed-forward? */
static bool has_blocks(const tl_model *m, tl_stream_side side) {
    return m->attentions[side == TL_ENCODER ? TL_ENCODER_SELF : TL_DECODER_SELF] > 0;
}

static bool has_feed_forward(const tl_model *m, tl_stream_side side) {
    return has_blocks(m, side) && !(is_kind(m, "gpt") && ((const tl_gpt *)m)->config.no_feed_forward);
}

static bool pools(const tl_model *m) { return m->attentions[TL_CROSS] > 0 && m->depths[TL_DECODER] == 0; }

static bool has_residual(const tl_model *m, tl_attention_kind kind) {
    return kind != TL_CROSS || has_blocks(m, TL_DECODER);
}

/* ---- names ---- */

static const struct {
    tl_place place;
    const char *name;
} parts[] = {{TL_PLACE_Q, "q"},           {TL_PLACE_K, "k"},
             {TL_PLACE_V, "v"},           {TL_PLACE_SCORES, "scores"},
             {TL_PLACE_PROBS, "pattern"}, {TL_PLACE_CONTEXT, "context"},
             {TL_PLACE_OUTPUT, "out"},    {TL_PLACE_RESIDUAL, "residual"}};

char *tl_attention_name(const tl_model *model, tl_attention_kind kind, int layer, char to[64]) {
    static const char *const of_kind[TL_ATTENTION_KINDS] = {
        "encoder.layers.%d.self", "decoder.layers.%d.self", "decoder.layers.%d.cross"};
    if (!to) return NULL;
    if ((int)kind < 0 || (int)kind >= TL_ATTENTION_KINDS)
        *to = 0;
    else if (kind == TL_CROSS && model && pools(model))
        snprintf(to, 64, "pooling");
    else
        snprintf(to, 64, of_kind[kind], layer);
    return to;
}

/* A walk from the first place that is computed to the last. */
typedef struct walk {
    const tl_model *model;
    tl_place_visit *visit;
    void *context;
} walk;

static void put(const walk *w, const tl_place_name *name) { w->visit(w->context, name); }

static void attention(const walk *w, tl_attention_kind kind, int layer) {
    tl_place_name name = {.kind = kind, .layer = layer};
    if (layer >= w->model->attentions[kind]) return;
    tl_attention_name(w->model, kind, layer, name.attention);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        name.place = parts[i].place;
        snprintf(name.text, sizeof name.text, "%.40s.%s", name.attention, parts[i].name);
        if (name.place != TL_PLACE_RESIDUAL || has_residual(w->model, kind)) put(w, &name);
    }
}

static void stream(const walk *w, tl_stream_side side, int depth) {
    static const char *const sides[TL_STREAM_SIDES] = {"encoder", "decoder"};
    tl_place_name name = {.side = side, .layer = depth, .place = TL_PLACE_STREAM};
    if (depth == 0) {
        snprintf(name.text, sizeof name.text, "%s.embedding", sides[side]);
        put(w, &name);
        return;
    }
    if (has_feed_forward(w->model, side)) {
        name.place = TL_PLACE_FEED_FORWARD;
        snprintf(name.text, sizeof name.text, "%s.layers.%d.feed_forward", sides[side], depth - 1);
        put(w, &name);
        name.place = TL_PLACE_STREAM;
    }
    snprintf(name.text, sizeof name.text, "%s.layers.%d.residual", sides[side], depth - 1);
    put(w, &name);
}

static void side(const walk *w, tl_stream_side which) {
    for (int depth = 0; depth < w->model->depths[which]; depth++) {
        if (depth > 0) {
            attention(w, which == TL_ENCODER ? TL_ENCODER_SELF : TL_DECODER_SELF, depth - 1);
            if (which == TL_DECODER) attention(w, TL_CROSS, depth - 1);
        }
        stream(w, which, depth);
    }
}

void tl_place_each(const tl_model *model, tl_place_visit *visit, void *context) {
    const walk w = {model, visit, context};
    if (!model || !model->kind) return;
    side(&w, TL_ENCODER);
    side(&w, TL_DECODER);
    if (pools(model)) attention(&w, TL_CROSS, 0);
}

/* What a walk searches for: a number, or a name. */
typedef struct search {
    long at, wanted;
    const char *text;
    tl_place_name *found;
} search;

static void compare(void *context, const tl_place_name *name) {
    search *s = context;
    if (s->text && !strcmp(name->text, s->text)) s->wanted = s->at;
    if (s->at++ == s->wanted) *s->found = *name;
}

long tl_place_count(const tl_model *model) {
    search s = {.wanted = -1};
    tl_place_each(model, compare, &s);
    return s.at;
}

bool tl_place_at_number(const tl_model *model, long i, tl_place_name *name) {
    search s = {.wanted = i, .found = name};
    if (i >= 0 && name) tl_place_each(model, compare, &s);
    return i >= 0 && i < s.at;
}

bool tl_place_named(const tl_model *model, const char *text, tl_place_name *name) {
    search s = {.wanted = -1, .text = text, .found = name};
    if (text) tl_place_each(model, compare, &s);
    return s.wanted >= 0;
}

/* ---- patterns ---- */

/* * and ? as in a shell, except that * also matches dots. Where the text does not fit, the last * is tried with one
 * character more. The stars before it need no second try, since the last one can take whatever they would leave to it;
 * so the time is at most the product of both lengths. */
bool tl_place_matches(const char *name, const char *pattern) {
    if (!name || !pattern) return false;
    const char *star = NULL, *after = NULL; /* the last *, and the text after what it stands for */
    while (*name) {
        if (*pattern == '*') {
            star = pattern++, after = name;
        } else if (*pattern && (*pattern == '?' || *pattern == *name)) {
            pattern++, name++;
        } else if (star) {
            pattern = star + 1, name = ++after;
        } else {
            return false;
        }
    }
    return !pattern[strspn(pattern, "*")];
}
