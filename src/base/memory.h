/* Growing arrays. */
#ifndef TL_BASE_MEMORY_H
#define TL_BASE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Makes room for `need` elements in *array, a pointer to objects of any type; *room is the number that fit. Doubles the
 * room, so that appending costs the same for each element, however long the array is. False when out of memory; then
 * nothing has changed. */
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
