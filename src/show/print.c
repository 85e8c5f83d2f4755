/* The table of a tape. Each column is as wide as its widest text. A name is shortened to NAME_WIDTH characters. */
#include "autograd/look.h"
#include "base/format.h"
#include "base/utf8.h"
#include "tensor/inspect.h"

#include <string.h>

enum { NAME_WIDTH = 48 };

/* One line. The gradient's norm is computed only for the line that is written. */
typedef struct row {
    char name[TL_NODE_NAME], shape[TL_SHAPE_TEXT], bytes[32], inputs[TL_NODE_INPUTS];
    const char *kind;
} row;

typedef struct widths {
    int kind, name, shape, bytes, inputs;
} widths;

/* ---- columns are counted in characters; UTF-8 has up to four bytes for one ---- */

static size_t next_character(const char *text) {
    uint32_t code;
    const size_t bytes = tl_utf8_read(text, strlen(text) < 4 ? strlen(text) : 4, &code);
    return bytes ? bytes : 1; /* not UTF-8: a byte is a character */
}

static int characters(const char *text) {
    int count = 0;
    for (; *text; text += next_character(text)) count++;
    return count;
}

static const char *skip(const char *text, int count) {
    while (count-- > 0) text += next_character(text);
    return text;
}

/* Leaves out the middle: the first half tells where a node stands, the second half what it is. */
static void shorten(char *text, int most) {
    const int count = characters(text);
    if (count <= most) return;
    const int front = (most - 1) / 2, back = most - 1 - front;
    char *middle = text + (skip(text, front) - text);
    const char *rest = skip(text, count - back);
    char end[4 * NAME_WIDTH + 1];
    snprintf(end, sizeof end, "%s", rest);
    snprintf(middle, TL_NODE_NAME - (size_t)(middle - text), "…%s", end);
}

/* ---- cells ---- */

static void gradient_text(tl_tape *tape, int at, char *text, size_t size) {
    const tl_node *n = &tape->node[at], *base = &tape->node[n->base];
    tl_tensor g = tl_node_grad(tape, at);
    if (g.data)
        tl_format(text, size, "%.6g", tl_tensor_norm(g));
    else if (base->recycled)
        snprintf(text, size, "recycled");
    else if (n->base != at && base->grad_set && !n->kept)
        snprintf(text, size, "not kept");
    else if (!n->wants_grad)
        snprintf(text, size, "none wanted");
    else
        snprintf(text, size, "not computed");
}

static row row_of(const tl_tape *tape, int at) {
    const tl_node *n = &tape->node[at];
    row r = {.kind = tl_node_kind(n)};
    tl_node_name(n, r.name);
    shorten(r.name, NAME_WIDTH);
    tl_shape_text(tl_shape_of(n->value), r.shape);
    tl_node_inputs(tape, n, r.inputs);
    if (tape->node[n->base].given_back)
        snprintf(r.bytes, sizeof r.bytes, "given back");
    else if (n->base != at)
        snprintf(r.bytes, sizeof r.bytes, "view");
    else
        snprintf(r.bytes, sizeof r.bytes, "%zu", (size_t)tl_numel(n->value) * sizeof(tl_real));
    return r;
}

static void widen(int *width, const char *text) {
    const int count = characters(text);
    if (count > *width) *width = count;
}

static void widen_all(widths *w, const row *r) {
    widen(&w->kind, r->kind);
    widen(&w->name, r->name);
    widen(&w->shape, r->shape);
    widen(&w->bytes, r->bytes);
    widen(&w->inputs, r->inputs);
}

/* ---- lines ---- */

static void left(FILE *out, const char *text, int width) {
    fprintf(out, "%s%*s  ", text, width - characters(text), "");
}

static void line(FILE *out, const char *id, const row *r, const widths *w, const char *gradient) {
    fprintf(out, "%5s  ", id);
    left(out, r->kind, w->kind);
    left(out, r->name, w->name);
    left(out, r->shape, w->shape);
    fprintf(out, "%*s  ", w->bytes, r->bytes);
    left(out, r->inputs, w->inputs);
    fprintf(out, "%s\n", gradient);
}

void tl_tape_print(tl_tape *tape, FILE *out) {
    if (!tape || !out) return;
    const row head = {
        .kind = "operation", .name = "name", .shape = "shape", .bytes = "bytes", .inputs = "inputs"};
    widths w = {0};
    widen_all(&w, &head);
    for (int i = 0; i < tape->nodes; i++) {
        const row r = row_of(tape, i);
        widen_all(&w, &r);
    }
    line(out, "id", &head, &w, "gradient norm");
    for (int i = 0; i < tape->nodes; i++) {
        const row r = row_of(tape, i);
        char id[16], gradient[TL_NODE_GRADIENT];
        snprintf(id, sizeof id, "%d", i);
        gradient_text(tape, i, gradient, sizeof gradient);
        line(out, id, &r, &w, gradient);
    }
}
