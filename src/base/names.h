/* A map from names to numbers. A file may have a hundred thousand names, so a search does not look at all of them. The
 * names' memory belongs to the caller and must stay where it is. */
#ifndef TL_BASE_NAMES_H
#define TL_BASE_NAMES_H

#include "tapeloom/base.h"

typedef struct tl_names { /* {0} is an empty one */
    struct tl_name {
        const char *name; /* NULL: a free slot */
        long number;
    } * place;
    size_t places, count; /* places: the slots, a power of two, at least twice the count */
} tl_names;

/* Adds a name that is not there yet. False when out of memory; then nothing has changed. */
bool tl_names_add(tl_names *names, const char *name, long number);
long tl_names_find(const tl_names *names, const char *name); /* the name's number; -1: not there */
void tl_names_free(tl_names *names);                         /* *names is {0} again */

#endif
