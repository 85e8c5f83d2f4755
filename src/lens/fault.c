/* Faults: the gradients that an operation's backward gives to its inputs, made wrong in one of the usual ways.
 *
 * What a backward gave is the increase of the gradients while it ran. Faults of single elements change the increase
 * over a base's whole memory. Faults that move elements change the part that an input names. An increase of 0 stays
 * 0. */
#include "tapeloom/checks.h"
#include "tapeloom/op.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[TL_FAULT_KINDS] = {"sign",      "factor", "zero",
                                                  "overwrite", "shift",  "transpose"};
static const char *const meanings[TL_FAULT_KINDS] = {
    "what it gives to its inputs has the wrong sign",
    "what it gives to its inputs has half the size: a factor is missing",
    "what it gives to its inputs is 0: the gradient ends there",
    "what it gives to its inputs replaces what others have given: it is not added",
    "what it gives to its inputs stands one element too far: off by one",
    "what it gives to its inputs has rows and columns confused"};

const char *tl_fault_kind_name(tl_fault_kind kind) {
    return (unsigned)kind < TL_FAULT_KINDS ? names[kind] : NULL;
}
const char *tl_fault_kind_meaning(tl_fault_kind kind) {
    return (unsigned)kind < TL_FAULT_KINDS ? meanings[kind] : NULL;
}

/* ---- names ---- */

static const char *operation_of(const char *text, size_t length) {
    int count;
    const tl_op_entry *op = tl_ops(&count);
    for (int i = 0; i < count; i++)
        if (strlen(op[i].name) == length && !memcmp(op[i].name, text, length)) return op[i].name;
    return NULL;
}

bool tl_fault_of(const char *text, tl_fault *fault, tl_error *error) {
    if (!text || !fault)
        return tl_error_set(error, "fault: give an operation's name, and the place for the fault");
    const size_t length = strcspn(text, ":");
    const char *kind = text[length] ? text + length + 1 : names[TL_FAULT_SIGN];
    *fault = (tl_fault){.operation = operation_of(text, length)};
    if (!fault->operation) {
        tl_error_set(error, "fault: there is no operation \"%.*s\"; tapeloom/ops.h is the list of operations",
                     (int)(length < 80 ? length : 80), text);
        return false;
    }
    for (int i = 0; i < TL_FAULT_KINDS; i++) {
        fault->kind = (tl_fault_kind)i;
        if (!strcmp(kind, names[i])) return true;
    }
    tl_error_set(error,
                 "fault: \"%.80s\" is no kind of fault; kinds are sign, factor, zero, overwrite, shift and "
                 "transpose",
                 kind);
    return false;
}

/* ---- making an increase wrong ---- */

/* Moves the elements of a part by one position in row-major order; the last one becomes the first. */
static void shift(tl_tensor part) {
    const long n = tl_numel(part);
    tl_real last = 0;
    for (long i = 0; i <= n; i++) {
        long at = 0, rest = i % n;
        for (int a = part.rank - 1; a >= 0; rest /= part.dim[a], a--)
            at += rest % part.dim[a] * part.stride[a];
        const tl_real here = part.data[at];
        part.data[at] = last;
        last = here;
    }
}

/* Rearranges each matrix [m,n] of the last two axes as if its elements lay as [n,m]. */
static bool transpose(tl_tensor part) {
    if (part.rank < 2) return true;
    const long m = part.dim[part.rank - 2], n = part.dim[part.rank - 1], count = tl_numel(part) / (m * n);
    const long down = part.stride[part.rank - 2], right = part.stride[part.rank - 1];
    tl_real *copy = malloc((size_t)(m * n) * sizeof *copy);
    if (!copy) return false;
    for (long matrix = 0; matrix < count; matrix++) {
        long at = 0, rest = matrix;
        for (int a = part.rank - 3; a >= 0; rest /= part.dim[a], a--)
            at += rest % part.dim[a] * part.stride[a];
        for (long k = 0; k < m * n; k++) copy[k] = part.data[at + k / n * down + k % n * right];
        for (long k = 0; k < m * n; k++)
            part.data[at + k / n * down + k % n * right] = copy[k % n * m + k / n];
    }
    free(copy);
    return true;
}

/* A base's gradient before the backward, and its increase. */
typedef struct gain {
    int base;
    long count;
    tl_real *before, *gained;
} gain;

/* The part of the increase that an input names, with the input's layout. */
static tl_tensor part_of(const gain *g, const tl_recorded *input) {
    tl_tensor part = input->value;
    part.data = g->gained + input->first;
    return part;
}

static bool is_same_part(const tl_recorded *x, const tl_recorded *y) {
    const tl_tensor a = x->value, b = y->value;
    bool same = x->first == y->first && a.rank == b.rank;
    for (int i = 0; same && i < a.rank; i++) same = a.dim[i] == b.dim[i] && a.stride[i] == b.stride[i];
    return same;
}

static bool move_parts(const tl_fault *fault, const tl_tape *tape, const tl_recorded *node, const gain *g) {
    tl_recorded input, earlier;
    for (int i = 0; i < node->inputs; i++) {
        if (!tl_tape_recorded(tape, node->input[i], &input) || input.base != g->base) continue;
        bool again = false; /* the same part as an earlier input's: do not move it twice */
        for (int j = 0; j < i && !again; j++)
            again = tl_tape_recorded(tape, node->input[j], &earlier) && earlier.base == g->base &&
                    is_same_part(&input, &earlier);
        if (again) continue;
        if (fault->kind == TL_FAULT_SHIFT)
            shift(part_of(g, &input));
        else if (!transpose(part_of(g, &input)))
            return false;
    }
    return true;
}

static bool apply_fault(const tl_fault *fault, const tl_tape *tape, const tl_recorded *node, const gain *g) {
    const bool moves = fault->kind == TL_FAULT_SHIFT || fault->kind == TL_FAULT_TRANSPOSE;
    if (moves) return move_parts(fault, tape, node, g);
    for (long i = 0; i < g->count; i++) {
        tl_real *x = g->gained + i;
        if (fault->kind == TL_FAULT_SIGN) *x = -*x;
        if (fault->kind == TL_FAULT_FACTOR) *x /= 2;
        if (fault->kind == TL_FAULT_ZERO) *x = 0;
        if (fault->kind == TL_FAULT_OVERWRITE) *x -= g->before[i];
    }
    return true;
}

/* ---- one backward ---- */

static double norm_of_difference(const tl_real *a, const tl_real *b, long n) {
    double sum = 0;
    for (long i = 0; i < n; i++) sum += (double)(a[i] - b[i]) * (double)(a[i] - b[i]);
    return sqrt(sum);
}

/* Replaces the right gradient by the wrong one. */
static bool make_wrong(tl_fault *fault, const tl_tape *tape, const tl_recorded *node, gain *g) {
    tl_recorded base;
    tl_tape_recorded(tape, g->base, &base);
    if (!base.grad.data) return true; /* the backward gave no gradient */
    tl_real *now = base.grad.data, *right = malloc((size_t)g->count * sizeof *right);
    if (!right) return false;
    memcpy(right, now, (size_t)g->count * sizeof *right);
    for (long i = 0; i < g->count; i++) g->gained[i] = now[i] - g->before[i];
    const bool ok = apply_fault(fault, tape, node, g);
    for (long i = 0; i < g->count; i++) now[i] = g->before[i] + g->gained[i];
    const double size = tl_tensor_norm(tl_tensor_of(right, TL_SHAPE(g->count)));
    const double change = norm_of_difference(now, right, g->count) / (size > 0 ? size : 1);
    if (change > fault->change) fault->change = change;
    free(right);
    return ok;
}

static bool save_gradient(gain *g, const tl_tape *tape, int base) {
    tl_recorded r;
    tl_tape_recorded(tape, base, &r);
    /* only the shape: the value's memory may have been recycled */
    *g = (gain){.base = base, .count = tl_shape_numel(tl_shape_of(r.value))};
    g->before = calloc((size_t)g->count + 1, sizeof *g->before);
    g->gained = calloc((size_t)g->count + 1, sizeof *g->gained);
    if (!g->before || !g->gained) return false;
    if (r.grad.data) memcpy(g->before, r.grad.data, (size_t)g->count * sizeof *g->before);
    return true;
}

/* Notes the distinct bases that a node reads and gives gradients to; returns how many. */
static int save_gradients(gain *gains, const tl_tape *tape, const tl_recorded *node, bool *ok) {
    int count = 0;
    tl_recorded input;
    for (int i = 0; i < node->inputs && *ok; i++) {
        if (!tl_tape_recorded(tape, node->input[i], &input) || !input.wants_grad) continue;
        bool known = false;
        for (int j = 0; j < count; j++) known |= gains[j].base == input.base;
        if (!known) *ok = save_gradient(&gains[count++], tape, input.base);
    }
    return count;
}

void tl_fault_backward(tl_fault *fault, tl_back *b) {
    tl_recorded node;
    if (!b || !b->op) return;
    const bool hit = fault && fault->operation && !strcmp(b->op->name, fault->operation) &&
                     tl_tape_recorded(b->tape, b->node, &node);
    gain *gains = hit ? calloc((size_t)node.inputs + 1, sizeof *gains) : NULL;
    bool ok = !hit || gains;
    const int count = gains ? save_gradients(gains, b->tape, &node, &ok) : 0;
    b->op->backward(b);
    for (int i = 0; i < count && ok; i++) ok = make_wrong(fault, b->tape, &node, &gains[i]);
    for (int i = 0; i < count; i++) free(gains[i].before), free(gains[i].gained);
    free(gains);
    if (hit) fault->nodes++, fault->no_memory |= !ok;
}
