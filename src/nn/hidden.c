/* Replaces values at hidden positions by zeros if they are not finite. A finite value there needs no change, because
 * its weight is 0. So nothing is done where all is finite, and clearing changes no bit of what is visible. */
#include "hidden.h"

#include "tapeloom/op.h"
#include "tensor/inspect.h"

/* x as [B,H,S,d]; [B,S,d] gets one head. */
static tl_tensor places_of(tl_tensor x) {
    if (x.rank == 4) return x;
    return (tl_tensor){.data = x.data,
                       .rank = 4,
                       .dim = {x.dim[0], 1, x.dim[1], x.dim[2]},
                       .stride = {x.stride[0], 0, x.stride[1], x.stride[2]}};
}

typedef struct search {
    const tl_mask *mask;
    tl_tensor x; /* [B,H,S,d] */
    long queries;
    bool all_heads; /* a position is hidden if it is hidden in every head */
} search;

static bool is_hidden(const search *s, long b, long h, long j) {
    const tl_mask *m = s->mask;
    if (m->key_lengths && j >= m->key_lengths[b]) return true;
    if (!m->attend && !m->window) return false;
    const long last = !s->all_heads ? h : m->attend ? m->attend_dim[1] - 1 : 0;
    for (long head = s->all_heads ? 0 : h; head <= last; head++)
        for (long i = 0; i < s->queries; i++)
            if (tl_mask_shows(m, b, head, i, j, s->queries, s->x.dim[2])) return false;
    return true;
}

/* Is x finite at every hidden position? Being finite is tested first, because is_hidden takes longer. */
static bool hidden_are_finite(const search *s) {
    for (long b = 0; b < s->x.dim[0]; b++)
        for (long h = 0; h < s->x.dim[1]; h++) {
            long j = s->mask->attend || s->mask->window ? 0 : s->mask->key_lengths[b];
            for (j = j < 0 ? 0 : j; j < s->x.dim[2]; j++)
                if (!tl_row_is_finite(tl_at(s->x, b, h, j)) && is_hidden(s, b, h, j)) return false;
        }
    return true;
}

tl_var tl_clear_hidden(tl_var x, const tl_mask *mask, long queries, tl_var *shown) {
    if (shown) *shown = TL_NO_VAR;
    if (!mask || (!mask->key_lengths && !mask->attend && !mask->window) || !tl_ok(x)) return x;
    const tl_tensor value = tl_value(x);
    if (value.rank != 3 && value.rank != 4) return x; /* attention will report the shape */
    const search s = {mask, places_of(value), queries, value.rank == 3};
    if (hidden_are_finite(&s)) return x;
    tl_shape shape = tl_shape_of(value);
    shape.dim[shape.rank - 1] = 1;
    tl_tensor seen = tl_tape_tensor(x.tape, shape);
    if (!seen.data) return tl_inert(x.tape);
    for (long i = 0; i < tl_numel(seen); i++) {
        const long keys = s.x.dim[2], heads = s.x.dim[1];
        seen.data[i] = !is_hidden(&s, i / keys / heads, i / keys % heads, i % keys);
    }
    tl_var condition = tl_constant(x.tape, seen);
    if (shown) *shown = condition;
    return tl_where(condition, x, tl_scalar(x.tape, 0));
}

tl_var tl_clear_padding(tl_var x, const tl_mask *mask) {
    const tl_mask lengths = {.key_lengths = mask ? mask->key_lengths : NULL};
    return tl_clear_hidden(x, &lengths, 0, NULL);
}
