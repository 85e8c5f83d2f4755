/* A set of named parameters. Values, gradients, names and the layers' own arrays lie in arenas that are freed with the
 * set. Pointers to parameters stay valid when more parameters are added. */
#include "params.h"
#include "base/format.h"
#include "check.h"

#include "base/memory.h"
#include "base/names.h"
#include "tensor/arena.h"
#include "tensor/share.h"
#include "tensor/sizes.h"

#include <math.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct tl_params {
    tl_error error;
    tl_arena values, gradients, other;
    uint64_t seed;
    unsigned long number; /* tells this set from all others of the process */
    bool empty;           /* values are 0 until they are loaded */
    void *placed;         /* memory from elsewhere in which the values lie (tl_params_place); NULL: none */
    size_t placed_size;
    void (*release)(void *memory, size_t size);
    tl_param **list;
    int count;
    size_t room;    /* parameters that the list has room for */
    tl_names names; /* from a name to its index in list */
    tl_params_guard *guard;
    void *guard_context;
    tl_param broken; /* the result of tl_params_add after a failure */
};

tl_params *tl_params_new(uint64_t seed) {
    tl_params *params = calloc(1, sizeof *params);
    if (!params) return NULL;
    /* Numbers are never used twice. Packed weights are cached by set number: a new set at the address of an old one
     * must not find the old set's. */
    static _Atomic unsigned long sets;
    params->number = 1 + atomic_fetch_add(&sets, 1);
    params->seed = seed;
    params->values.zeroed = params->other.zeroed = true;
    params->broken.leaf.name = "parameter";
    params->broken.set = params;
    return params;
}

tl_params *tl_params_new_empty(void) {
    tl_params *params = tl_params_new(0);
    if (params) params->empty = true;
    return params;
}

void tl_params_free(tl_params *params) {
    if (!params) return;
    if (params->placed) params->release(params->placed, params->placed_size);
    tl_arena_free(&params->values);
    tl_arena_free(&params->gradients);
    tl_arena_free(&params->other);
    tl_names_free(&params->names);
    free(params->list);
    free(params);
}

const char *tl_params_error(const tl_params *params) {
    if (!params) return "params: out of memory when the set was made";
    return params->error.message[0] ? params->error.message : NULL;
}

bool tl_params_fail(tl_params *params, const char *format, ...) {
    if (!params) return false;
    char text[TL_ERROR_MAX];
    va_list arguments;
    va_start(arguments, format);
    tl_vformat(text, sizeof text, format, arguments);
    va_end(arguments);
    return tl_error_set(&params->error, "%s", text);
}

void *tl_params_memory(tl_params *params, size_t bytes) {
    if (!params) return NULL;
    void *memory = tl_arena_get(&params->other, bytes); /* zeroed */
    if (!memory) tl_params_fail(params, "params: out of memory (%zu more bytes)", bytes);
    return memory;
}

const char *tl_params_text(tl_params *params, const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = tl_vformat(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = length < 0 ? NULL : tl_params_memory(params, (size_t)length + 1);
    if (text) tl_vformat(text, (size_t)length + 1, format, again);
    va_end(again);
    return text ? text : "(out of memory)";
}

/* ---- initial values: element i of parameter `name` depends only on (seed, name, i) ---- */

typedef struct fill_job {
    tl_tensor t;
    tl_rng_key key;
    bool normal;
    double scale;
} fill_job;

enum { PIECE = 4096 };

static void fill_piece(const void *context, long piece) {
    const fill_job *job = context;
    const long n = tl_numel(job->t), end = (piece + 1) * PIECE < n ? (piece + 1) * PIECE : n;
    for (long i = piece * PIECE; i < end; i++) {
        const uint64_t at = (uint64_t)i;
        const double u = job->normal ? tl_rng_normal(job->key, at) : 2 * tl_rng_uniform(job->key, at) - 1;
        job->t.data[i] = (tl_real)(job->scale * u);
    }
}

static void fill_random(tl_tensor t, tl_rng_key key, bool normal, double scale) {
    const fill_job job = {t, key, normal, scale};
    tl_share(true, (tl_numel(t) + PIECE - 1) / PIECE, fill_piece, &job);
}

static void initialise(const tl_params *params, tl_param *p, tl_init init) {
    tl_tensor t = p->leaf.value;
    tl_rng_key key = tl_rng_key_of(params->seed, p->leaf.name);
    double s = init.scale;
    switch (params->empty ? TL_INIT_ZEROS : init.kind) {
    case TL_INIT_DEFAULT:
    case TL_INIT_ZEROS:
        break; /* the arena's memory is zeroed */
    case TL_INIT_ONES:
        tl_tensor_fill(t, 1);
        break;
    case TL_INIT_NORMAL:
        fill_random(t, key, true, s != 0 ? s : 0.02);
        break;
    case TL_INIT_UNIFORM:
        fill_random(t, key, false, s != 0 ? s : 0.1);
        break;
    case TL_INIT_XAVIER: {
        long out = t.rank ? t.dim[0] : 1, in = t.rank > 1 ? tl_numel(t) / (out ? out : 1) : out;
        fill_random(t, key, false, (s != 0 ? s : 1) * sqrt(6.0 / (double)(in + out)));
        break;
    }
    }
}

/* ---- the set ---- */

tl_param *tl_params_add(tl_params *params, const char *name, tl_shape shape, tl_init init) {
    if (!params) return NULL;
    if (tl_failed(&params->error)) return &params->broken;
    if (!name) {
        tl_params_fail(params, "params: a parameter without a name");
        return &params->broken;
    }
    if (tl_params_find(params, name)) {
        tl_params_fail(
            params, "params: there is a parameter \"%s\" already; give the second layer another name", name);
        return &params->broken;
    }
    if (tl_shape_numel(shape) < 1) {
        const bool empty = tl_shape_numel(shape) == 0;
        tl_params_fail(params, "params: \"%s\" cannot have shape %s%s%s", name, TL_SHAPE_STRING(shape),
                       empty ? "" : ", which ", empty ? "" : tl_shape_fault(shape));
        return &params->broken;
    }
    if (!tl_check_choice(params, name, "initialisation", (int)init.kind, TL_INIT_XAVIER) ||
        !tl_check_number(params, name, "the initialisation's scale", init.scale))
        return &params->broken;
    if (params->guard && !params->guard(params->guard_context, name, shape, &params->error))
        return &params->broken;
    const bool room = TL_RESERVE(params->list, params->room, (size_t)params->count + 1);
    size_t bytes = (size_t)tl_shape_numel(shape) * sizeof(tl_real);
    tl_param *p = room ? tl_params_memory(params, sizeof *p) : NULL;
    tl_real *value = p ? tl_arena_get(&params->values, bytes) : NULL;
    tl_real *grad = value ? tl_arena_get(&params->gradients, bytes) : NULL;
    if (!grad) {
        tl_params_fail(params, "params: out of memory for \"%s\" %s", name, TL_SHAPE_STRING(shape));
        return &params->broken;
    }
    p->leaf.name = tl_params_text(params, "%s", name);
    if (tl_failed(&params->error) || !tl_names_add(&params->names, p->leaf.name, params->count)) {
        tl_params_fail(params, "params: out of memory for the name \"%s\"", name);
        return &params->broken;
    }
    p->leaf.value = tl_tensor_of(value, shape);
    p->leaf.grad = grad;
    p->leaf.set = params->number;
    p->set = params;
    params->list[params->count++] = p;
    initialise(params, p, init);
    return p;
}

void tl_params_set_guard(tl_params *params, tl_params_guard *guard, void *context) {
    if (!params) return;
    params->guard = guard;
    params->guard_context = context;
}

int tl_params_count(const tl_params *params) { return params ? params->count : 0; }

tl_param *tl_params_at(const tl_params *params, int index) {
    return params && index >= 0 && index < params->count ? params->list[index] : NULL;
}

tl_param *tl_params_find(const tl_params *params, const char *name) {
    const long at = params && name ? tl_names_find(&params->names, name) : -1;
    return at < 0 ? NULL : params->list[at];
}

long tl_params_numel(const tl_params *params) {
    long n = 0;
    for (int i = 0; params && i < params->count; i++) n += tl_numel(params->list[i]->leaf.value);
    return n;
}

tl_var tl_use(tl_tape *tape, tl_param *p) {
    if (p && p->set && tl_failed(&p->set->error)) return tl_tape_fail(tape, "%s", p->set->error.message);
    return tl_use_leaf(tape, p ? &p->leaf : NULL);
}

tl_tensor tl_param_value(const tl_param *p) { return p ? p->leaf.value : (tl_tensor){0}; }

tl_tensor tl_param_grad(tl_param *p) {
    if (!p || !p->leaf.grad) return (tl_tensor){0};
    tl_tensor g = tl_tensor_of(p->leaf.grad, tl_shape_of(p->leaf.value));
    if (!p->leaf.reached) tl_tensor_fill(g, 0);
    return g;
}

bool tl_params_empty(const tl_params *params) { return params && params->empty; }

void tl_params_place(tl_params *params, tl_real *const *values, void *memory, size_t size,
                     void (*release)(void *memory, size_t size)) {
    for (int i = 0; i < params->count; i++) params->list[i]->leaf.value.data = values[i];
    if (params->placed) params->release(params->placed, params->placed_size);
    params->placed = memory;
    params->placed_size = size;
    params->release = release;
    tl_arena_free(&params->values); /* no value is left in it */
    tl_params_changed(params);
}

void tl_params_changed(tl_params *params) {
    if (params) params->empty = false;
    for (int i = 0; params && i < params->count; i++) params->list[i]->leaf.version++;
}

/* Only marks the gradients: the first contribution of the next backward overwrites them. */
void tl_zero_grad(tl_params *params) {
    for (int i = 0; params && i < params->count; i++) params->list[i]->leaf.reached = false;
}

static bool begins(const char *text, const char *prefix) {
    return prefix && strncmp(text, prefix, strlen(prefix)) == 0;
}

int tl_freeze(tl_params *params, const char *prefix, bool frozen) {
    int n = 0;
    for (int i = 0; params && i < params->count; i++)
        if (begins(params->list[i]->leaf.name, prefix)) params->list[i]->leaf.frozen = frozen, n++;
    return n;
}

int tl_set_group(tl_params *params, const char *prefix, int group) {
    int n = 0;
    for (int i = 0; params && i < params->count; i++)
        if (begins(params->list[i]->leaf.name, prefix)) params->list[i]->group = group, n++;
    return n;
}

int tl_set_group_suffix(tl_params *params, const char *suffix, int group) {
    int n = 0;
    for (int i = 0; params && suffix && i < params->count; i++) {
        const char *name = params->list[i]->leaf.name;
        size_t length = strlen(name), end = strlen(suffix);
        if (length >= end && strcmp(name + length - end, suffix) == 0) params->list[i]->group = group, n++;
    }
    return n;
}

bool tl_gradcheck_params(tl_params *params, tl_var (*f)(tl_tape *tape, const tl_var *unused, void *data),
                         void *data, const tl_gradcheck_options *options, tl_gradcheck_report *report) {
    int count = tl_params_count(params);
    tl_leaf **leaf = calloc((size_t)count + 1, sizeof *leaf);
    if (!leaf) {
        if (report) {
            *report = (tl_gradcheck_report){0};
            tl_error_set(&report->error, "gradcheck: out of memory");
        }
        return false;
    }
    for (int i = 0; i < count; i++) leaf[i] = &params->list[i]->leaf;
    bool ok = tl_gradcheck(f, data, count, leaf, options, report);
    free(leaf);
    return ok;
}
