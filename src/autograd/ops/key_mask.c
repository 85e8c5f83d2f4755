#include "key_mask.h"
#include "tensor/inspect.h"

#include <stdlib.h>

static bool copy_lengths(tl_call *c, tl_key_mask *to, const int *lengths, const long dim[4]) {
    int *copy = tl_call_memory(c, (size_t)dim[0] * sizeof *copy);
    for (long b = 0; b < dim[0] && copy; b++) {
        if (lengths[b] < 0 || lengths[b] > dim[3])
            return tl_call_refuse(c, "key_lengths[%ld] is %d, should be 0 … %ld, the number of keys", b,
                                  lengths[b], dim[3]);
        copy[b] = lengths[b];
    }
    to->lengths = copy;
    return copy != NULL;
}

static void set_strides(tl_key_mask *to, const tl_mask *mask) {
    long stride = 1;
    for (int a = 3; a >= 0; a--) {
        to->stride[a] = mask->attend_dim[a] == 1 ? 0 : stride;
        stride *= mask->attend_dim[a];
    }
}

/* dim: B, H, T, S of the scores */
static bool copy_attend(tl_call *c, tl_key_mask *to, const tl_mask *mask, const long dim[4]) {
    tl_shape have = {4, {0}}, want = {4, {dim[0], dim[1], dim[2], dim[3]}};
    bool fits = true;
    for (int a = 0; a < 4; a++) {
        have.dim[a] = mask->attend_dim[a];
        fits &= have.dim[a] == 1 || have.dim[a] == dim[a];
    }
    if (!fits)
        return tl_call_refuse(
            c, "attend is %s, scores are %s [batch,head,query,key]: each size must be the same or 1",
            TL_SHAPE_STRING(have), TL_SHAPE_STRING(want));
    const long count = tl_shape_numel(have);
    uint8_t *copy = tl_call_memory(c, (size_t)count);
    for (long i = 0; i < count && copy; i++) {
        if (mask->attend[i] != TL_ATTEND && mask->attend[i] != TL_BLOCK)
            return tl_call_refuse(c, "attend[%ld] is %d, neither TL_ATTEND nor TL_BLOCK", i, mask->attend[i]);
        copy[i] = mask->attend[i];
    }
    to->attend = copy;
    set_strides(to, mask);
    return copy != NULL;
}

/* A window's mask: ones around the query's own position. All rows share one pattern; each row begins one element
 * before the row above it (stride -1). */
static bool set_window(tl_call *c, tl_key_mask *to, long window, long queries, long keys) {
    uint8_t *pattern = tl_call_memory(c, (size_t)(keys + queries + 1));
    if (!pattern) return false;
    for (long i = 0; i < keys + queries; i++) pattern[i] = labs(i - (keys - 1)) <= window;
    to->attend = pattern + (queries > 0 ? queries - 1 : 0);
    to->stride[0] = to->stride[1] = 0;
    to->stride[2] = -1;
    to->stride[3] = 1;
    return true;
}

/* Joins the caller's attend array and a window in one array. */
static bool narrow(tl_call *c, tl_key_mask *to, const tl_mask *mask, const long dim[4]) {
    const tl_key_mask given = *to;
    const long b_dim = mask->attend_dim[0], h_dim = mask->attend_dim[1], rows = dim[2], keys = dim[3];
    const long count = tl_shape_numel(TL_SHAPE(b_dim, h_dim, rows, keys));
    uint8_t *both = count < 0 ? NULL : tl_call_memory(c, (size_t)count + 1);
    if (!both || !set_window(c, to, mask->window, rows, keys)) return false;
    for (long n = 0; n < b_dim * h_dim; n++)
        for (long i = 0; i < rows; i++)
            for (long j = 0; j < keys; j++)
                both[(n * rows + i) * keys + j] =
                    to->attend[j - i] &&
                    given.attend[n / h_dim * given.stride[0] + n % h_dim * given.stride[1] +
                                 i * given.stride[2] + j * given.stride[3]];
    to->attend = both;
    to->stride[0] = b_dim == 1 ? 0 : h_dim * rows * keys;
    to->stride[1] = h_dim == 1 ? 0 : rows * keys;
    to->stride[2] = keys;
    return true;
}

bool tl_key_mask_copy(tl_call *c, tl_key_mask *copy, const tl_mask *mask, const long scores[4]) {
    *copy = (tl_key_mask){.heads = scores[1], .queries = scores[2], .causal = mask && mask->causal};
    if (mask && mask->key_lengths && !copy_lengths(c, copy, mask->key_lengths, scores)) return false;
    if (mask && mask->attend && !copy_attend(c, copy, mask, scores)) return false;
    if (!mask || !mask->window) return true;
    if (mask->window < 0)
        return tl_call_refuse(c, "the mask's window is %ld, should be 1 or more, or 0 for none",
                              mask->window);
    return mask->attend ? narrow(c, copy, mask, scores)
                        : set_window(c, copy, mask->window, scores[2], scores[3]);
}

tl_masked *tl_masked_save(tl_call *c, const tl_mask *mask) {
    tl_masked *m = tl_call_save(c, sizeof *m);
    if (!m) return NULL;
    const tl_shape shape = tl_shape_of(c->x[0]);
    if (shape.rank < 2 || shape.rank > 4)
        return tl_call_fail(c, "%s is not [batch,head,query,key], [batch,query,key] or [query,key]",
                            TL_SHAPE_STRING(shape)),
               NULL;
    const long dim[4] = {shape.rank > 2 ? shape.dim[0] : 1, shape.rank > 3 ? shape.dim[1] : 1,
                         shape.dim[shape.rank - 2], shape.dim[shape.rank - 1]};
    m->rows = dim[0] * dim[1] * dim[2];
    m->keys = dim[3];
    return tl_key_mask_copy(c, &m->mask, mask, dim) ? m : NULL;
}

/* ---- keys that no query sees ---- */

bool tl_key_mask_hides(const tl_key_mask *m, long b, long h, long j) {
    if (m->lengths && j >= m->lengths[b]) return true;
    if (!m->attend) return false;
    const uint8_t *attend = m->attend + b * m->stride[0] + h * m->stride[1] + j * m->stride[3];
    for (long i = 0; i < m->queries; i++)
        if (attend[i * m->stride[2]]) return false;
    return true;
}

/* The first key of sentence b that may be hidden. */
static long first_hidden(const tl_key_mask *m, long b, long keys) {
    return m->attend ? 0 : m->lengths ? m->lengths[b] : keys;
}

static bool hides_some(const tl_key_mask *m, long sentences, long keys) {
    bool some = m->attend != NULL;
    for (long b = 0; b < sentences && m->lengths && !some; b++) some = m->lengths[b] < keys;
    return some;
}

static bool hidden_are_finite(tl_tensor t, const tl_key_mask *m) {
    if (!hides_some(m, t.dim[0], t.dim[2])) return true;
    for (long b = 0; b < t.dim[0]; b++)
        for (long h = 0; h < t.dim[1]; h++)
            for (long j = first_hidden(m, b, t.dim[2]); j < t.dim[2]; j++)
                if (!tl_row_is_finite(tl_at(t, b, h, j)) && tl_key_mask_hides(m, b, h, j)) return false;
    return true;
}

tl_tensor tl_key_mask_clear(tl_call *c, int i, const tl_key_mask *m) {
    const tl_tensor t = c->x[i];
    if (hidden_are_finite(t, m)) return t;
    tl_tensor copy = tl_call_tensor(c, tl_shape_of(t));
    if (!tl_tensor_copy(copy, t)) return copy;
    for (long b = 0; b < t.dim[0]; b++)
        for (long h = 0; h < t.dim[1]; h++)
            for (long j = first_hidden(m, b, t.dim[2]); j < t.dim[2]; j++)
                if (tl_key_mask_hides(m, b, h, j)) tl_tensor_fill(tl_at(copy, b, h, j), 0);
    return copy;
}

/* ---- for inspection ---- */

bool tl_mask_shows(const tl_mask *mask, long b, long h, long i, long j, long queries, long keys) {
    const long at[4] = {b, h, i, j};
    if (b < 0 || h < 0 || i < 0 || j < 0 || i >= queries || j >= keys) return false;
    if (!mask) return true;
    if (mask->window && labs(i + (keys - queries) - j) > mask->window) return false;
    /* a mask of this sentence and head alone: row numbers cannot overflow */
    tl_key_mask m = {.heads = 1,
                     .queries = queries,
                     .lengths = mask->key_lengths ? mask->key_lengths + b : NULL,
                     .causal = mask->causal};
    if (mask->attend) {
        for (int a = 0; a < 4; a++)
            if (mask->attend_dim[a] != 1 && at[a] >= mask->attend_dim[a]) return false;
        set_strides(&m, mask);
        m.attend = mask->attend + b * m.stride[0] + h * m.stride[1];
    }
    const tl_row_mask row = tl_row_mask_of(&m, i, keys); /* as the kernels do it */
    return j < row.visible && (!row.attend || row.attend[j]);
}
