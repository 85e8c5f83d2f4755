/* A writable copy of a batch, for checks that change inputs. The copy always has lengths. */
#include "tapeloom/checks.h"

#include <stdlib.h>
#include <string.h>

/* Copies ids [rows,width] to [rows,wider], filling up with pad. NULL for NULL. */
static int *wider(const int *ids, long rows, long width, long to_width, int pad, bool *ok) {
    if (!ids) return NULL;
    int *copy = malloc(((size_t)(rows * to_width) + 1) * sizeof *copy);
    *ok &= copy != NULL;
    for (long i = 0; copy && i < rows * to_width; i++) {
        const long column = i % to_width;
        copy[i] = column < width ? ids[i / to_width * width + column] : pad;
    }
    return copy;
}

static int *lengths_of(const int *lengths, long rows, long width, bool *ok) {
    int *copy = malloc(((size_t)rows + 1) * sizeof *copy);
    *ok &= copy != NULL;
    for (long b = 0; copy && b < rows; b++) copy[b] = lengths ? lengths[b] : (int)width;
    return copy;
}

static tl_real *wider_pictures(tl_tensor pictures, long rows, long width, long to_width, bool *ok) {
    if (!pictures.data) return NULL;
    const long numbers = pictures.dim[2];
    tl_real *copy = calloc((size_t)(rows * to_width * numbers) + 1, sizeof *copy);
    *ok &= copy != NULL;
    if (copy)
        tl_tensor_copy(tl_tensor_slice(tl_tensor_of(copy, TL_SHAPE(rows, to_width, numbers)), 1, 0, width),
                       pictures);
    return copy;
}

tl_batch_copy *tl_batch_copy_of(const tl_batch *from, long padding) {
    tl_batch_copy *c = calloc(1, sizeof *c);
    if (!c || !from) return free(c), NULL;
    tl_batch *b = &c->batch;
    *b = *from;
    if (b->sentences < 0 || b->src_len < 0 || b->tgt_len < 0) return free(c), NULL;
    const long rows = b->sentences, fill = padding > 0 ? padding : 0;
    const bool reads = b->src || b->pictures.data, writes = b->tgt_in || b->tgt_out;
    bool ok = true;
    b->src_len += reads ? fill : 0;
    b->tgt_len += writes ? fill : 0;
    const int pad = b->pad >= 0 ? b->pad : 0;
    c->src = wider(from->src, rows, from->src_len, b->src_len, pad, &ok);
    c->tgt_in = wider(from->tgt_in, rows, from->tgt_len, b->tgt_len, pad, &ok);
    c->tgt_out = wider(from->tgt_out, rows, from->tgt_len, b->tgt_len, b->pad, &ok);
    c->labels = wider(from->labels, rows, 1, 1, 0, &ok);
    if (reads) c->src_lengths = lengths_of(from->src_lengths, rows, from->src_len, &ok);
    if (writes) c->tgt_lengths = lengths_of(from->tgt_lengths, rows, from->tgt_len, &ok);
    c->pictures = wider_pictures(from->pictures, rows, from->src_len, b->src_len, &ok);
    if (!ok) return tl_batch_copy_free(c), NULL;
    b->src = c->src, b->tgt_in = c->tgt_in, b->tgt_out = c->tgt_out, b->labels = c->labels;
    b->src_lengths = c->src_lengths, b->tgt_lengths = c->tgt_lengths;
    if (c->pictures)
        b->pictures = tl_tensor_of(c->pictures, TL_SHAPE(rows, b->src_len, from->pictures.dim[2]));
    return c;
}

void tl_batch_copy_free(tl_batch_copy *c) {
    if (!c) return;
    free(c->src), free(c->tgt_in), free(c->tgt_out), free(c->src_lengths), free(c->tgt_lengths),
        free(c->labels);
    free(c->pictures);
    free(c);
}
