/* The tape: making and freeing it, errors, modes, nodes. */
#include "tape.h"

#include "base/format.h"
#include "base/memory.h"
#include "for_kernels.h"
#include "tensor/kernels/kernels.h"
#include "tensor/sizes.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

bool tl_tape_grow(tl_tape *tape, void *array, size_t *room, int needed, size_t element) {
    const size_t before = *room;
    if (!tl_reserve(array, room, (size_t)needed, element))
        return tl_tape_out_of_memory(tape, "tape", (size_t)needed * element);
    tape->table_allocations += *room > before;
    return true;
}

tl_tape *tl_tape_new(void) {
    tl_tape *tape = calloc(1, sizeof *tape);
    if (!tape) return NULL;
    tape->epoch = tape->step_epoch = 1;
#ifdef TL_CHECKING
    tape->checking = true;
#endif
    tl_kernels_check_name(&tape->error);
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
    free(tape->mark);
    tl_recycled_free(&tape->recycled);
    tl_workspace_free(&tape->workspace);
    tl_arena_free(&tape->packed_arena);
    tl_arena_free(&tape->arena);
    free(tape);
}

void tl_tape_reset(tl_tape *tape) {
    if (!tape) return;
    if (tape->checking) tl_arena_spoil(&tape->arena, (tl_arena_mark){0, 0});
    tl_arena_reset(&tape->arena);
    tl_recycled_forget(&tape->recycled);
    tape->nodes = tape->edges = tape->depth = tape->marks = 0;
    tape->consumed = tape->kept_views = false;
    tape->epoch++;
    tape->step_epoch++;
}

/* ---- errors ---- */

const char *tl_tape_error(const tl_tape *tape) {
    if (!tape) return "tape: out of memory when it was made";
    return tape->error.message[0] ? tape->error.message : tl_stray_error();
}

void tl_tape_clear_error(tl_tape *tape) {
    if (tape) tl_error_clear(&tape->error);
    tl_stray_clear();
}

void tl_tape_vfail(tl_tape *tape, const char *who, const char *scope, const char *format, va_list arguments) {
    char text[TL_ERROR_MAX];
    tl_vformat(text, sizeof text, format, arguments);
    tl_error_set(&tape->error, "%s%s%s%s%s%s", who ? who : "", who ? ": " : "", text, *scope ? " (" : "",
                 scope, *scope ? ")" : "");
}

tl_var tl_tape_fail(tl_tape *tape, const char *format, ...) {
    const tl_var inert = tl_inert(tape);
    if (!format) return inert;
    va_list arguments;
    va_start(arguments, format);
    if (!tape)
        tl_stray_vfail(format, arguments);
    else
        tl_tape_vfail(tape, NULL, tl_tape_scope(tape), format, arguments);
    va_end(arguments);
    return inert;
}

bool tl_tape_out_of_memory(tl_tape *tape, const char *what, size_t bytes) {
    if (tape->arena.limit)
        return tl_tape_refuse(tape, "%s: out of memory: %zu more bytes would pass the tape's limit of %zu",
                              what, bytes, tape->arena.limit);
    return tl_tape_refuse(tape, "%s: out of memory (%zu more bytes)", what, bytes);
}

void *tl_tape_memory(tl_tape *tape, size_t bytes) {
    void *memory = tape ? tl_arena_get(&tape->arena, bytes) : NULL;
    if (!memory && tape) tl_tape_out_of_memory(tape, "tape", bytes);
    return memory;
}

tl_tensor tl_tape_tensor(tl_tape *tape, tl_shape shape) {
    const long numel = tl_shape_numel(shape);
    if (numel < 0) {
        tl_tape_fail(tape, "tape: %s %s", TL_SHAPE_STRING(shape), tl_shape_fault(shape));
        return (tl_tensor){0};
    }
    return tl_tensor_of(tl_tape_memory(tape, (size_t)numel * sizeof(tl_real)), shape);
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
bool tl_tape_set_grad(tl_tape *tape, bool on) { return tape && !tl_switch(&tape->no_grad, !on); }
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

/* ---- nodes ---- */

int tl_tape_append(tl_tape *tape, int edges) {
    if (!TL_TAPE_GROW(tape, tape->node, tape->node_room, tape->nodes + 1) ||
        !TL_TAPE_GROW(tape, tape->edge, tape->edge_room, tape->edges + edges))
        return -1;
    int at = tape->nodes++;
    if (tape->nodes > tape->nodes_ever) tape->nodes_ever = tape->nodes;
    tape->node[at] = (tl_node){.base = at,
                               .first_edge = tape->edges,
                               .edges = edges,
                               .epoch = tape->epoch,
                               .kept = tape->keep_all,
                               .held = tape->keep_all,
                               .scope = tl_tape_scope(tape)};
    tape->edges += edges;
    return at;
}
