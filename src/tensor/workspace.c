/* Borrowed memory that only grows (workspace.h). Growing loses the contents: they belonged to an earlier borrower. */
#include "workspace.h"
#include <stdlib.h>

#define ALIGNMENT 64

void *tl_workspace_get(tl_workspace *w, size_t bytes) {
    if (bytes > SIZE_MAX / 2) return NULL;
    if (!w->memory || w->size < bytes) {
        /* a quarter more than asked, so that slowly growing requests do not allocate each time */
        const size_t size = (bytes + bytes / 4 + ALIGNMENT) / ALIGNMENT * ALIGNMENT;
        void *memory = aligned_alloc(ALIGNMENT, size);
        if (!memory) return NULL;
        free(w->memory);
        w->memory = memory;
        w->size = size;
        w->allocations++;
    }
    return w->memory;
}

void tl_workspace_free(tl_workspace *w) {
    free(w->memory);
    *w = (tl_workspace){0};
}
