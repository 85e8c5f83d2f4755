/* A hash table with open addressing and linear probing. Names are never removed, so a search ends at the first free
 * slot. */
#include "names.h"

#include <stdlib.h>
#include <string.h>

/* FNV-1a, then a multiplication and a shift, because FNV's low bits mix poorly. The table's address is part of the
 * hash: nobody who writes a file knows the address, so no file can have names that all collide. */
static uint64_t hash_of(const char *name, const void *table) {
    uint64_t hash = 14695981039346656037u ^ (uint64_t)(uintptr_t)table;
    while (*name) hash = (hash ^ (unsigned char)*name++) * 1099511628211u;
    hash = (hash ^ hash >> 32) * 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 29;
}

/* The slot that has the name, or the free slot where it belongs. */
static struct tl_name *place_of(struct tl_name *place, size_t places, const char *name) {
    size_t at = (size_t)hash_of(name, place) & (places - 1);
    while (place[at].name && strcmp(place[at].name, name)) at = (at + 1) & (places - 1);
    return &place[at];
}

static bool grow(tl_names *names) {
    const size_t places = names->places ? 2 * names->places : 64;
    struct tl_name *place = calloc(places, sizeof *place);
    if (!place) return false;
    for (size_t i = 0; i < names->places; i++)
        if (names->place[i].name) *place_of(place, places, names->place[i].name) = names->place[i];
    free(names->place);
    names->place = place;
    names->places = places;
    return true;
}

bool tl_names_add(tl_names *names, const char *name, long number) {
    if (2 * (names->count + 1) > names->places && !grow(names)) return false;
    *place_of(names->place, names->places, name) = (struct tl_name){name, number};
    names->count++;
    return true;
}

long tl_names_find(const tl_names *names, const char *name) {
    if (!names->places) return -1;
    const struct tl_name *found = place_of(names->place, names->places, name);
    return found->name ? found->number : -1;
}

void tl_names_free(tl_names *names) {
    free(names->place);
    *names = (tl_names){0};
}
