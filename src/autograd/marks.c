/* Lifetimes inside a step. The tape keeps its marks on a stack. A tl_mark has its depth on the stack and a number of
 * its own: it is valid as long as that number is at that depth. */
#include "tape.h"

#include <stdlib.h>

static bool is_here(const tl_tape *tape, const tl_place *p) {
    const tl_arena_mark now = tl_arena_mark_of(&tape->arena);
    return p->nodes == tape->nodes && p->edges == tape->edges && p->memory.chunk == now.chunk &&
           p->memory.used == now.used;
}

tl_mark tl_tape_mark(tl_tape *tape) {
    if (!tape) return (tl_mark){0};
    /* A loop that marks and releases, marks the same place each time: all these are one mark. */
    if (tape->marks == 0 || !is_here(tape, &tape->mark[tape->marks - 1])) {
        if (!TL_TAPE_GROW(tape, tape->mark, tape->mark_room, tape->marks + 1)) return (tl_mark){tape, -1, 0};
        tape->mark[tape->marks++] =
            (tl_place){++tape->mark_number, tape->nodes, tape->edges, tl_arena_mark_of(&tape->arena)};
    }
    return (tl_mark){tape, tape->marks - 1, tape->mark[tape->marks - 1].number};
}

bool tl_tape_holds(const tl_tape *tape, tl_mark mark) {
    return tape && mark.tape == tape && mark.depth >= 0 && mark.depth < tape->marks &&
           tape->mark[mark.depth].number == mark.number;
}

bool tl_tape_forgot(const tl_tape *tape, const void *memory) {
    return tape && tl_arena_forgot(&tape->arena, memory);
}

/* Forgets gradients of values that stay, if their memory was released. */
static void forget_gradients(tl_tape *tape) {
    for (int i = 0; i < tape->nodes; i++) {
        tl_node *n = &tape->node[i];
        if (n->leaf || !n->grad || tl_arena_holds(&tape->arena, n->grad)) continue;
        n->grad = NULL;
        n->grad_set = false;
        n->recycled = true;
    }
}

void tl_tape_release(tl_tape *tape, tl_mark mark) {
    if (!tape) return;
    if (!tl_tape_holds(tape, mark)) {
        tl_tape_fail(tape, "tl_tape_release: %s",
                     !mark.tape          ? "the mark is zeroed: tl_tape_mark gives one"
                     : mark.tape != tape ? "the mark is another tape's"
                                         : "the mark is from before the last reset or release; mark again");
        return;
    }
    const tl_place *p = &tape->mark[mark.depth];
    tl_recycled_keep(&tape->recycled, &tape->arena, p->memory);
    if (tape->checking) tl_arena_spoil(&tape->arena, p->memory);
    tl_arena_release(&tape->arena, p->memory);
    tl_readers_forget(tape, p->nodes);
    tape->nodes = p->nodes;
    tape->edges = p->edges;
    tape->marks = mark.depth + 1;
    tape->epoch++;
    if (tape->consumed) forget_gradients(tape);
}
