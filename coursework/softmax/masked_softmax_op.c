/* masked_softmax: softmax over the keys that a mask shows. x holds scores: [B,H,T,S], without heads [B,T,S],
 * without batch [T,S].
 *
 *     y[i,j] = e^(x[i,j] - m[i]) / sum over visible k of e^(x[i,k] - m[i])   if query i sees key j, else 0
 *
 * Hidden scores take no part in the arithmetic, even if they are NaN: their weight and gradient are exactly 0. The row
 * of a query that sees no key is all 0.
 * backward: given dy,   dx[i,j] += y[i,j]·(dy[i,j] - sum over visible k of y[i,k]·dy[i,k])   if i sees j. */
#include <tapeloom.h>
#include <tapeloom/op.h>

#include <math.h>

typedef struct saved {
    long rows, keys;  /* the scores are so many rows of so many keys */
    uint8_t *visible; /* [rows, keys]: does the row's query see the key? */
} saved;

static void backward(tl_back *b) {
    const saved *s = b->saved;
    const tl_real *y = b->y.data, *dy = b->dy.data; /* both contiguous */
    const uint8_t *visible = s->visible;
    tl_sink dx;
    if (!tl_sink_open_dense(b, 0, &dx)) return; /* nobody wants it */
    tl_real *to = dx.to.data;                   /* add to it if dx.add, else write every element */
    /* >>> */
    for (long at = 0; at < s->rows * s->keys; at += s->keys) {
        double dot = 0;
        for (long j = at; j < at + s->keys; j++)
            if (visible[j]) dot += (double)y[j] * (double)dy[j];
        for (long j = at; j < at + s->keys; j++) {
            const double d = visible[j] ? (double)y[j] * ((double)dy[j] - dot) : 0;
            to[j] = (tl_real)(dx.add ? (double)to[j] + d : d);
        }
    }
    /* <<< */
    tl_sink_close(b, &dx);
}

const tl_op tl_op_masked_softmax = {"masked_softmax", backward};

/* What the mask shows is written down when the operation is recorded: the caller may change its arrays afterwards. */
static bool look(tl_call *c, saved *s, const tl_mask *mask) {
    const tl_tensor x = c->x[0];
    if (x.rank < 2 || x.rank > 4)
        return tl_call_fail(c, "%d axes: should be 2 … 4, [batch,head,query,key]", x.rank), false;
    const long heads = x.rank > 3 ? x.dim[1] : 1, queries = x.dim[x.rank - 2], keys = x.dim[x.rank - 1];
    const long rows = (x.rank > 2 ? x.dim[0] : 1) * heads * queries;
    const long most[4] = {x.rank > 2 ? x.dim[0] : 1, heads, queries, keys};
    for (int a = 0; mask && mask->attend && a < 4; a++)
        if (mask->attend_dim[a] != 1 && mask->attend_dim[a] != most[a])
            return tl_call_fail(c, "attend's axis %d is %ld, should be %ld or 1", a, mask->attend_dim[a],
                                most[a]),
                   false;
    *s = (saved){rows, keys, tl_call_memory(c, (size_t)(rows * keys))};
    for (long k = 0; s->visible && k < rows * keys; k++) {
        const long row = k / keys, b = row / (heads * queries), h = row / queries % heads;
        s->visible[k] = tl_mask_shows(mask, b, h, row % queries, k % keys, queries, keys);
    }
    return s->visible != NULL;
}

tl_var tl_masked_softmax(tl_var scores, const tl_mask *mask) {
    tl_call c = tl_call_begin(&tl_op_masked_softmax, 1, &scores);
    if (!c.ok || !tl_call_dense(&c, 0)) return tl_call_end(&c);
    saved *s = tl_call_save(&c, sizeof *s);
    tl_tensor made = tl_call_new(&c, tl_shape_of(c.x[0]));
    if (!s || !made.data || !look(&c, s, mask)) return tl_call_end(&c);
    const tl_real *x = c.x[0].data;
    const uint8_t *visible = s->visible;
    tl_real *y = made.data;
    /* >>> */
    for (long at = 0; at < s->rows * s->keys; at += s->keys) {
        double largest = -INFINITY, sum = 0;
        for (long j = at; j < at + s->keys; j++)
            if (visible[j]) largest = fmax(largest, (double)x[j]);
        for (long j = at; j < at + s->keys; j++) {
            y[j] = visible[j] ? (tl_real)exp((double)x[j] - largest) : 0;
            sum += (double)y[j];
        }
        for (long j = at; j < at + s->keys; j++)
            if (visible[j]) y[j] = (tl_real)((double)y[j] / sum);
    }
    /* <<< */
    return tl_call_end(&c);
}

static tl_var causal(const tl_var *x) {
    return tl_masked_softmax(x[0], &(tl_mask){.key_lengths = (const int[]){5, 0, 2}, .causal = true});
}
static tl_var of_a_view(const tl_var *x) {
    return tl_masked_softmax(tl_transpose(x[0], 0, 1), &(tl_mask){.causal = true});
}
TL_GRAD_CASES(
    masked_softmax,
    {.what = "lengths and causal", .f = causal, TL_INPUTS(TL_DIMS(3, 2, 4, 5)), .low = -3, .high = 3},
    {.what = "of a view", .f = of_a_view, TL_INPUTS(TL_DIMS(5, 4)), .low = -3, .high = 3});
