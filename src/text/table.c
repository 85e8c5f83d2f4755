/* A hash table with open addressing and linear probing. Keys are never removed, so a probe ends at the first free slot.
 * Slots hold numbers; growing them moves no key. */
#include "table.h"
#include "base/memory.h"

/* FNV-1a, then a multiply and a shift, since FNV's low bits mix poorly. It starts from a secret seed, so nobody can
 * write a file whose words all want the same slot. */
static uint64_t hash_of(const tl_table *table, tl_span key) {
    uint64_t hash = 14695981039346656037u ^ table->seed;
    for (size_t i = 0; i < key.size; i++) hash = (hash ^ (unsigned char)key.text[i]) * 1099511628211u;
    hash ^= hash >> 32;
    hash *= 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 29;
}

/* The slot that holds the key, or the free slot where it belongs. The table must have slots. */
static size_t slot_of(const tl_table *table, tl_span key, uint64_t hash) {
    size_t slot = (size_t)hash & (table->slot_count - 1);
    for (;; slot = (slot + 1) & (table->slot_count - 1)) {
        if (table->slots[slot] == 0) return slot;
        const tl_table_entry *entry = &table->entries[table->slots[slot] - 1];
        if (entry->hash == hash && entry->size == key.size &&
            memcmp(table->bytes + entry->start, key.text, key.size) == 0)
            return slot;
    }
}

long tl_table_find(const tl_table *table, tl_span key) {
    if (table->slot_count == 0) return -1;
    return (long)table->slots[slot_of(table, key, hash_of(table, key))] - 1;
}

/* Makes at least twice as many slots as keys. */
static bool make_slots(tl_table *table, size_t keys) {
    size_t more = table->slot_count > 0 ? table->slot_count : 64;
    if (keys >= INT32_MAX) return false;
    while (more < 2 * keys) more *= 2;
    if (more == table->slot_count) return true;
    int32_t *slots = calloc(more, sizeof *slots);
    if (!slots) return false;
    if (table->slot_count == 0) table->seed = (uint64_t)(uintptr_t)slots;
    for (long i = 0; i < table->count; i++) { /* all keys differ, so the first free slot is right */
        size_t slot = (size_t)table->entries[i].hash & (more - 1);
        while (slots[slot] != 0) slot = (slot + 1) & (more - 1);
        slots[slot] = (int32_t)(i + 1);
    }
    free(table->slots);
    table->slots = slots;
    table->slot_count = more;
    return true;
}

bool tl_table_reserve(tl_table *table, size_t keys, size_t bytes) {
    return make_slots(table, keys) && TL_RESERVE(table->entries, table->entries_room, keys) &&
           TL_RESERVE(table->bytes, table->bytes_room, bytes);
}

long tl_table_add(tl_table *table, tl_span key) {
    if (!make_slots(table, (size_t)table->count + 1)) return -1;
    uint64_t hash = hash_of(table, key);
    size_t slot = slot_of(table, key, hash);
    if (table->slots[slot] != 0) return (long)table->slots[slot] - 1;
    if (!TL_RESERVE(table->bytes, table->bytes_room, table->bytes_used + key.size + 1)) return -1;
    if (!TL_RESERVE(table->entries, table->entries_room, (size_t)table->count + 1)) return -1;

    table->entries[table->count] = (tl_table_entry){table->bytes_used, key.size, hash};
    if (key.size > 0) memcpy(table->bytes + table->bytes_used, key.text, key.size);
    table->bytes[table->bytes_used + key.size] = '\0';
    table->bytes_used += key.size + 1;
    table->slots[slot] = (int32_t)(table->count + 1);
    return table->count++;
}

tl_span tl_table_key(const tl_table *table, long number) {
    const tl_table_entry *entry = &table->entries[number];
    return (tl_span){table->bytes + entry->start, entry->size};
}

void tl_table_clear(tl_table *table) {
    if (table->slot_count > 0) memset(table->slots, 0, table->slot_count * sizeof *table->slots);
    table->count = 0;
    table->bytes_used = 0;
}

void tl_table_free(tl_table *table) {
    free(table->bytes);
    free(table->entries);
    free(table->slots);
    *table = (tl_table){0};
}
