/* The tape's life: nodes, handles, scopes, modes, errors. */
#include "base/format.h"
#include "tape.h"

#include "for_kernels.h"
#include "tensor/kernels/kernels.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Grows an array that is kept for the tape's whole life. */
static bool grow(tl_tape *tape, void **array, int *capacity, int needed, size_t element) {
    if (needed <= *capacity) return true;
    int size = *capacity ? *capacity : 64;
    while (size < needed) size *= 2;
    void *memory = realloc(*array, (size_t)size * element);
    if (!memory) return tl_tape_out_of_memory(tape, "tape", (size_t)size * element);
    *array = memory;
    *capacity = size;
    tape->table_allocations++;
    return true;
}

tl_tape *tl_tape_new(void) {
    tl_tape *tape = calloc(1, sizeof *tape);
    if (!tape) return NULL;
    tape->epoch = tape->step_epoch = 1;
    tl_kernels_asked(&tape->error);
    return tape;
}

void tl_tape_free(tl_tape *tape) {
    if (!tape) return;
    for (int i = 0; i < tape->scopes; i++) free(tape->scope[i].name);
    free(tape->scope);
    free(tape->scope_table);
    free(tape->leaf_table);
    free(tape->node);
    free(tape->edge);
    free(tape->packed_weight);
    tl_recycled_free(&tape->recycled);
    tl_workspace_free(&tape->workspace);
    tl_arena_free(&tape->packed_arena);
    tl_arena_free(&tape->arena);
    free(tape);
}

void tl_tape_reset(tl_tape *tape) {
    if (!tape) return;
    tl_arena_reset(&tape->arena);
    tl_recycled_forget(&tape->recycled);
    tape->nodes = tape->edges = tape->depth = 0;
    tape->consumed = false;
    tape->epoch++;
    tape->step_epoch++;
}

tl_mark tl_tape_mark(tl_tape *tape) {
    if (!tape) return (tl_mark){0};
    tl_arena_mark m = tl_arena_mark_of(&tape->arena);
    return (tl_mark){tape->nodes, tape->edges, m.chunk, m.used};
}

void tl_tape_release(tl_tape *tape, tl_mark mark) {
    if (!tape) return;
    if (mark.nodes > tape->nodes) {
        tl_tape_fail(tape, "tl_tape_release: the mark is from before the last reset or release; mark again");
        return;
    }
    tl_arena_release(&tape->arena, (tl_arena_mark){mark.chunk, mark.used});
    tl_recycled_forget(&tape->recycled);
    tape->nodes = mark.nodes;
    tape->edges = mark.edges;
    tape->epoch++;
}

/* ---- errors ---- */

const char *tl_tape_error(const tl_tape *tape) {
    if (!tape) return "tape: out of memory when it was made";
    return tape->error.message[0] ? tape->error.message : NULL;
}

void tl_tape_clear_error(tl_tape *tape) {
    if (tape) tl_error_clear(&tape->error);
}

void tl_tape_vfail(tl_tape *tape, const char *who, const char *scope, const char *format, va_list arguments) {
    char text[TL_ERROR_MAX];
    tl_vformat(text, sizeof text, format, arguments);
    tl_error_set(&tape->error, "%s%s%s%s%s%s", who ? who : "", who ? ": " : "", text, *scope ? " (" : "",
                 scope, *scope ? ")" : "");
}

tl_var tl_tape_fail(tl_tape *tape, const char *format, ...) {
    tl_var inert = {tape, -1, 0};
    if (!tape) return inert;
    va_list arguments;
    va_start(arguments, format);
    tl_tape_vfail(tape, NULL, tl_tape_scope(tape), format, arguments);
    va_end(arguments);
    return inert;
}

bool tl_tape_out_of_memory(tl_tape *tape, const char *what, size_t bytes) {
    if (tape->arena.limit)
        tl_tape_fail(tape, "%s: out of memory: %zu more bytes would pass the tape's limit of %zu", what,
                     bytes, tape->arena.limit);
    else
        tl_tape_fail(tape, "%s: out of memory (%zu more bytes)", what, bytes);
    return false;
}

void *tl_tape_memory(tl_tape *tape, size_t bytes) {
    void *memory = tl_arena_get(&tape->arena, bytes);
    if (!memory) tl_tape_out_of_memory(tape, "tape", bytes);
    return memory;
}

/* ---- modes ---- */

long tl_tape_set_training(tl_tape *tape, long step) {
    if (!tape) return 0;
    const long was = tape->training ? tape->step : 0;
    tape->training = step != 0;
    if (step == 0 || step == tape->step) return was;
    tape->step = step;
    tape->micro_batch = 0;
    return was;
}
void tl_tape_set_micro_batch(tl_tape *tape, long number) {
    if (tape) tape->micro_batch = number;
}
bool tl_tape_training(const tl_tape *tape) { return tape && tape->training; }
void tl_tape_set_seed(tl_tape *tape, uint64_t seed) {
    if (tape) tape->seed = seed;
}
bool tl_tape_set_grad(tl_tape *tape, bool on) {
    if (!tape) return false;
    bool was = !tape->no_grad;
    tape->no_grad = !on;
    return was;
}
void tl_tape_set_matmul_precision(tl_tape *tape, tl_matmul_precision precision) {
    if (tape) tape->precision = precision;
}
tl_matmul_precision tl_tape_matmul_precision(const tl_tape *tape) {
    return tape ? tape->precision : TL_HIGHEST;
}
void tl_tape_set_keep_all(tl_tape *tape, bool on) {
    if (tape) tape->keep_all = on;
}
void tl_tape_set_limit(tl_tape *tape, size_t bytes) {
    if (tape) tape->arena.limit = bytes;
}
tl_workspace *tl_tape_workspace(tl_tape *tape) { return &tape->workspace; }

tl_tape_stats tl_tape_stats_of(const tl_tape *tape) {
    if (!tape) return (tl_tape_stats){0};
    return (tl_tape_stats){
        .nodes = tape->nodes,
        .used = tape->arena.used,
        .peak = tape->arena.peak,
        .reserved = tape->arena.reserved + tape->workspace.size + tape->packed_arena.reserved,
        .allocations = tape->arena.allocations + tape->workspace.allocations +
                       tape->packed_arena.allocations + tape->recycled.allocations + tape->table_allocations};
}

/* ---- scopes ---- */

/* Eight bytes at a time: a step of decoding enters fifty scopes. */
static uint32_t hash_text(const char *text) {
    const size_t size = strlen(text);
    uint64_t h = size, word;
    for (size_t i = 0; i < size; i += sizeof word) {
        word = 0;
        memcpy(&word, text + i, size - i < sizeof word ? size - i : sizeof word);
        h = (h ^ word) * 0x9e3779b97f4a7c15u;
        h ^= h >> 32;
    }
    return (uint32_t)h;
}

static bool rehash_scopes(tl_tape *tape, int size) {
    int *table = calloc((size_t)size, sizeof *table);
    if (!table) return tl_tape_out_of_memory(tape, "scope", (size_t)size * sizeof *table);
    free(tape->scope_table);
    tape->scope_table = table;
    tape->scope_table_size = size;
    tape->table_allocations++;
    for (int i = 0; i < tape->scopes; i++) {
        uint32_t at = hash_text(tape->scope[i].name) & (uint32_t)(size - 1);
        while (table[at]) at = (at + 1) & (uint32_t)(size - 1);
        table[at] = i + 1;
    }
    return true;
}

/* Index of the scope of that name, made on first sight; -1 when out of memory. */
static int find_scope(tl_tape *tape, const char *name) {
    if (2 * (tape->scopes + 1) > tape->scope_table_size &&
        !rehash_scopes(tape, tape->scope_table_size ? 2 * tape->scope_table_size : 128))
        return -1;
    uint32_t mask = (uint32_t)(tape->scope_table_size - 1), at = hash_text(name) & mask;
    for (; tape->scope_table[at]; at = (at + 1) & mask)
        if (strcmp(tape->scope[tape->scope_table[at] - 1].name, name) == 0) return tape->scope_table[at] - 1;
    if (!grow(tape, (void **)&tape->scope, &tape->scope_capacity, tape->scopes + 1, sizeof(tl_scope)))
        return -1;
    size_t size = strlen(name) + 1;
    char *copy = malloc(size);
    if (!copy) {
        tl_tape_out_of_memory(tape, "scope", size);
        return -1;
    }
    memcpy(copy, name, size);
    tape->table_allocations++;
    tape->scope[tape->scopes] = (tl_scope){.name = copy};
    tape->scope_table[at] = ++tape->scopes;
    return tape->scopes - 1;
}

void tl_scope_enter(tl_tape *tape, const char *name) {
    if (!tape) return;
    if (tape->depth >= TL_SCOPE_DEPTH) {
        tl_tape_fail(tape, "scope: more than %d nested scopes at \"%s\"; is a tl_scope_leave missing?",
                     TL_SCOPE_DEPTH, name);
        return;
    }
    int scope = find_scope(tape, name ? name : "");
    tape->stack[tape->depth++] = scope;
}

void tl_scope_leave(tl_tape *tape) {
    if (tape && tape->depth > 0) tape->depth--;
}

const char *tl_tape_scope(const tl_tape *tape) {
    int at = tape->depth ? tape->stack[tape->depth - 1] : -1;
    return at >= 0 ? tape->scope[at].name : "";
}

bool tl_tape_next_key(tl_tape *tape, tl_rng_key *key) {
    if (!tape || !tape->training) return false;
    int at = tape->depth ? tape->stack[tape->depth - 1] : find_scope(tape, "");
    if (at < 0) return false;
    tl_scope *scope = &tape->scope[at];
    if (scope->epoch != tape->step_epoch) {
        scope->epoch = tape->step_epoch;
        scope->draws = 0;
    }
    tl_rng_key k = tl_rng_key_of(tape->seed, scope->name);
    k = tl_rng_key_mix(k, (uint64_t)tape->step);
    k = tl_rng_key_mix(k, (uint64_t)tape->micro_batch);
    *key = tl_rng_key_mix(k, scope->draws++);
    return true;
}

/* ---- nodes and handles ---- */

int tl_tape_append(tl_tape *tape, int edges) {
    if (!grow(tape, (void **)&tape->node, &tape->node_capacity, tape->nodes + 1, sizeof(tl_node)) ||
        !grow(tape, (void **)&tape->edge, &tape->edge_capacity, tape->edges + edges, sizeof(int)))
        return -1;
    int at = tape->nodes++;
    tape->node[at] = (tl_node){.base = at,
                               .first_edge = tape->edges,
                               .edges = edges,
                               .epoch = tape->epoch,
                               .kept = tape->keep_all,
                               .scope = tl_tape_scope(tape)};
    tape->edges += edges;
    return at;
}

tl_node *tl_node_peek(tl_var x) {
    if (!x.tape || x.index < 0 || x.index >= x.tape->nodes) return NULL;
    tl_node *n = &x.tape->node[x.index];
    return n->epoch == x.epoch ? n : NULL;
}

tl_node *tl_node_of(tl_var x, const char *who) {
    tl_node *n = tl_node_peek(x);
    if (n || !x.tape || x.index < 0) return n;
    const char *was = "a value", *scope = ""; /* the forgotten node may still be there to be named */
    if (x.index < x.tape->node_capacity && x.tape->node[x.index].epoch == x.epoch) {
        tl_node *old = &x.tape->node[x.index];
        was = old->label ? old->label : old->leaf ? old->leaf->name : old->op ? old->op->name : "constant";
        scope = old->scope;
    }
    tl_tape_fail(x.tape,
                 "%s: stale handle: node %d (%s%s%s) was forgotten by a tl_tape_reset or tl_tape_release; "
                 "compute it again in this step",
                 who, x.index, was, *scope ? " in " : "", scope);
    return NULL;
}

bool tl_ok(tl_var x) { return tl_node_peek(x) && !tl_failed(&x.tape->error); }

tl_tensor tl_value(tl_var x) {
    tl_node *n = tl_node_of(x, "tl_value");
    return n ? n->value : (tl_tensor){0};
}

tl_shape tl_shape_of_var(tl_var x) { return tl_shape_of(tl_value(x)); }

void tl_keep(tl_var x) {
    tl_node *n = tl_node_of(x, "tl_keep");
    if (n) x.tape->node[n->base].kept = true;
}

tl_var tl_label(tl_var x, const char *name) {
    tl_node *n = tl_node_of(x, "tl_label");
    if (n) n->label = name;
    return x;
}
