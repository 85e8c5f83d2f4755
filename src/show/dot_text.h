/* What stands in a picture's labels: names, shapes, gradients, views. All of it is inside double quotes. */
#ifndef TL_DOT_TEXT_H
#define TL_DOT_TEXT_H

#include "picture.h"

/* The first bytes of a text, or all of it. Characters that cannot be shown are escaped. */
void tl_dot_part(FILE *out, const char *text, size_t bytes);
void tl_dot_text(FILE *out, const char *text);
/* "[2,3]"; of one element the number itself. */
void tl_dot_value(tl_tape *tape, FILE *out, int node);
/* `before`, then the norm of the node's gradient; of one element the number itself. Nothing if there is no gradient. */
void tl_dot_gradient(tl_tape *tape, FILE *out, int node, const char *before);
/* Through which views an arrow's value is read, on a line of its own: the last view's label, or the views' operations,
 * "slice, split_heads". At most two are told, the last ones. A reshape is told only if there is no other view. */
void tl_dot_views(const tl_picture *p, FILE *out, int node);

#endif
