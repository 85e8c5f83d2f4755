/* Names and a number for each, found without looking at all of them: what comes from a file may have a hundred thousand.
 * The names' memory is the caller's and must stay where it is. */
#ifndef TL_BASE_NAMES_H
#define TL_BASE_NAMES_H

#include "tapeloom/base.h"

typedef struct tl_names { /* {0} is an empty one */
    struct tl_name {
        const char *name; /* NULL: a free place */
        long number;
    } * place;
    size_t places, count; /* places: a power of two, at least twice the count */
} tl_names;

/* False, and nothing changed, when out of memory. The name must not be there yet. */
bool tl_names_add(tl_names *names, const char *name, long number);
long tl_names_find(const tl_names *names, const char *name); /* -1: it is not there */
void tl_names_free(tl_names *names);                         /* and {0} again */

#endif
