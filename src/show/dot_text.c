/* The text of a picture's labels. */
#include "dot_text.h"

#include "autograd/look.h"
#include "autograd/sinks.h"
#include "base/format.h"
#include "base/quote.h"
#include "tensor/inspect.h"

#include <string.h>

enum { MOST_VIEWS = 2 };

void tl_dot_part(FILE *out, const char *text, size_t bytes) {
    for (size_t at = 0, written; at < bytes;) {
        char shown[TL_SHOWN_CHARACTER];
        at += tl_shown_character(text + at, bytes - at, shown, &written);
        for (size_t i = 0; i < written; i++) {
            if (shown[i] == '"' || shown[i] == '\\') fputc('\\', out);
            fputc(shown[i], out);
        }
    }
}
void tl_dot_text(FILE *out, const char *text) { tl_dot_part(out, text, strlen(text)); }

void tl_dot_value(tl_tape *tape, FILE *out, int node) {
    const tl_node *n = &tape->node[node];
    const bool gone = tape->node[n->base].given_back;
    char text[TL_SHAPE_TEXT];
    if (tl_numel(n->value) == 1 && !gone)
        tl_format(text, sizeof text, "%.4g", (double)tl_item(n->value));
    else
        tl_shape_text(tl_shape_of(n->value), text);
    fprintf(out, "%s%s", text, gone ? ", given back" : "");
}

void tl_dot_gradient(tl_tape *tape, FILE *out, int node, const char *before) {
    const tl_tensor g = tl_node_grad(tape, node);
    if (!g.data) return;
    const bool one = tl_numel(g) == 1;
    char text[32];
    tl_format(text, sizeof text, "%.4g", one ? (double)tl_item(g) : tl_tensor_norm(g));
    fprintf(out, "%s%s %s", before, one ? "grad" : "|grad|", text);
}

void tl_dot_views(const tl_picture *p, FILE *out, int node) {
    const tl_tape *tape = p->tape;
    const int shown = tl_picture_shown(p, node);
    const char *view[MOST_VIEWS];
    int views = 0;
    if (tape->node[node].label && node != shown) view[views++] = tape->node[node].label;
    for (int at = node; at != shown && !tape->node[node].label; at = tl_node_viewed(tape, at)) {
        const char *kind = tl_node_kind(&tape->node[at]);
        if (views == MOST_VIEWS || (views && (!strcmp(kind, view[views - 1]) || !strcmp(kind, "reshape"))))
            continue;
        if (views == 1 && !strcmp(view[0], "reshape")) views = 0;
        view[views++] = kind;
    }
    while (views--) tl_dot_text(out, view[views]), fprintf(out, views ? ", " : " \\n ");
}
