/* Scopes: where in the model an operation is, and the random numbers that depend on it. Names are copied once and last
 * as long as the tape, because nodes point to them, also nodes that were forgotten. */
#include "tape.h"

#include <stdlib.h>
#include <string.h>

/* Reads eight bytes at a time: a step of decoding enters fifty scopes. */
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

/* The index of the scope of that name, which is added if it is new. -1 when out of memory. */
static int find_name(tl_tape *tape, const char *name) {
    if (2 * (tape->scopes + 1) > tape->scope_table_size &&
        !rehash_scopes(tape, tape->scope_table_size ? 2 * tape->scope_table_size : 128))
        return -1;
    uint32_t mask = (uint32_t)(tape->scope_table_size - 1), at = hash_text(name) & mask;
    for (; tape->scope_table[at]; at = (at + 1) & mask)
        if (strcmp(tape->scope[tape->scope_table[at] - 1].name, name) == 0) return tape->scope_table[at] - 1;
    if (!TL_TAPE_GROW(tape, tape->scope, tape->scope_room, tape->scopes + 1)) return -1;
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
                     TL_SCOPE_DEPTH, name ? name : "");
        return;
    }
    int scope = find_name(tape, name ? name : "");
    tape->stack[tape->depth++] = scope;
}

void tl_scope_leave(tl_tape *tape) {
    if (tape && tape->depth > 0) tape->depth--;
}

const char *tl_tape_name(tl_tape *tape, const char *name) {
    const int at = find_name(tape, name);
    return at < 0 ? NULL : tape->scope[at].name;
}

bool tl_tape_next_key(tl_tape *tape, tl_rng_key *key) {
    if (!tape || !key || !tape->training) return false;
    int at = tape->depth ? tape->stack[tape->depth - 1] : find_name(tape, "");
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
