/* Runs an operation's gradient case: draws its inputs and calls the gradient check, first with a leaf for each input,
 * then with all inputs of one shape being the same leaf, whose gradient is the sum of theirs. */
#include "tape.h"
#include "tapeloom/ops.h"

#include <stdlib.h>

typedef struct case_data {
    const tl_grad_case *c;
    int source[TL_CASE_INPUTS]; /* input i reads leaf source[i] */
} case_data;

static tl_var run_case(tl_tape *tape, const tl_var *x, void *data) {
    const case_data *d = data;
    (void)tape;
    tl_var in[TL_CASE_INPUTS];
    for (int i = 0; i < d->c->inputs; i++) in[i] = x[d->source[i]];
    return d->c->f(in);
}

/* Adds the first run to the report of the second: the counts of both, and the worst element of either. */
static void add_up(tl_gradcheck_report *r, const tl_gradcheck_report *first) {
    const tl_gradcheck_report second = *r;
    if (second.ok && (first->relative > second.relative || !second.input[0])) *r = *first;
    r->elements = first->elements + second.elements;
    r->checked = first->checked + second.checked;
    r->kinks = first->kinks + second.kinks;
    r->unsure = first->unsure + second.unsure;
    r->small = first->small + second.small;
}

bool tl_gradcheck_case(const tl_grad_case *c, tl_gradcheck_report *report) {
    tl_gradcheck_report own, *r = report ? report : &own;
    *r = (tl_gradcheck_report){.ok = true};
    if (!c || !c->f || c->inputs < 1 || c->inputs > TL_CASE_INPUTS) {
        tl_error_set(&r->error, "gradcheck: no case, or its inputs are not 1 to %d", TL_CASE_INPUTS);
        return r->ok = false;
    }
    for (int i = 0; i < c->inputs; i++)
        if (tl_shape_numel(c->shape[i]) < 0) {
            tl_error_set(&r->error, "gradcheck: input %d of a case has a shape that no tensor can have", i);
            return r->ok = false;
        }
    static const char *const names[TL_CASE_INPUTS] = {"input 0", "input 1", "input 2", "input 3"};
    tl_leaf leaf[TL_CASE_INPUTS] = {{0}}, *pointer[TL_CASE_INPUTS];
    double low = c->low, high = c->low == 0 && c->high == 0 ? 1 : c->high;
    if (c->low == 0 && c->high == 0) low = -1;
    bool memory = true, shares = false;
    case_data alone = {.c = c}, shared = {.c = c};
    int distinct = 0; /* leaves of the shared run: pointer[0 … distinct-1] */
    for (int i = 0; i < c->inputs; i++) {
        long n = tl_shape_numel(c->shape[i]);
        tl_real *numbers = calloc((size_t)(2 * n) + 1, sizeof *numbers);
        if (!numbers) {
            memory = false;
            break;
        }
        leaf[i] =
            (tl_leaf){.name = names[i], .value = tl_tensor_of(numbers, c->shape[i]), .grad = numbers + n};
        tl_rng_key key = tl_rng_key_of(7, names[i]);
        for (long e = 0; e < n; e++)
            numbers[e] = (tl_real)(low + (high - low) * tl_rng_uniform(key, (uint64_t)e));
        pointer[i] = &leaf[i];
        alone.source[i] = i;
    }
    tl_gradcheck_options options = {.train = c->train};
    bool ok = memory && tl_gradcheck(run_case, &alone, c->inputs, pointer, &options, r);
    if (!memory) tl_error_set(&r->error, "gradcheck: out of memory");
    const tl_gradcheck_report first = *r;
    for (int i = 0; i < c->inputs && ok; i++) { /* inputs of one shape become one leaf */
        int same = -1;
        for (int j = 0; j < i; j++)
            if (tl_shape_equal(c->shape[j], c->shape[i])) same = shared.source[j];
        shares |= same >= 0;
        if (same < 0) pointer[distinct] = &leaf[i];
        shared.source[i] = same >= 0 ? same : distinct++;
    }
    options.zero_is_fine = true; /* x - x, x / x */
    if (ok && shares) {
        ok = tl_gradcheck(run_case, &shared, distinct, pointer, &options, r);
        add_up(r, &first);
    }
    for (int i = 0; i < c->inputs; i++) free(leaf[i].value.data);
    return r->ok = ok;
}
