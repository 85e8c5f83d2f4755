/* Growing arrays. */
#ifndef TL_BASE_MEMORY_H
#define TL_BASE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Makes room for `need` elements behind *array, a pointer to any type of object; *room counts elements.
 * Doubles, so that appending costs the same per element however long the array. False, and everything as
 * before, when out of memory. */
#define TL_RESERVE(array, room, need) tl_reserve(&(array), &(room), (need), sizeof *(array))

static inline bool tl_reserve(void *array, size_t *room, size_t need, size_t element) {
    if (need <= *room) return true;
    size_t more = *room < 8 ? 16 : *room;
    while (more < need) {
        if (more > SIZE_MAX / 2) return false;
        more *= 2;
    }
    if (more > SIZE_MAX / 2 / element) return false;
    void *old, *grown;
    memcpy(&old, array, sizeof old);
    if (!(grown = realloc(old, more * element))) return false;
    memcpy(array, &grown, sizeof grown);
    *room = more;
    return true;
}

#endif
