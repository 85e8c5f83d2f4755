/* Memory of sentences: a chain of blocks, freed together. */
#include "sentences.h"

#include <stdlib.h>
#include <string.h>

typedef struct piece {
    struct piece *next;
    max_align_t bytes[];
} piece;

void *tl_sentences_take(tl_run *run, tl_sentences *all, size_t bytes) {
    piece *p = calloc(1, sizeof *p + bytes + 1);
    if (!p) return tl_error_set(&run->error, "out of memory for sentences"), NULL;
    p->next = all->memory;
    all->memory = p;
    return p->bytes;
}

char *tl_sentences_copy(tl_run *run, tl_sentences *all, const char *text, size_t size) {
    char *copy = tl_sentences_take(run, all, size + 1);
    if (copy) memcpy(copy, text, size);
    return copy;
}

void tl_sentences_free(tl_sentences *all) {
    if (!all) return;
    for (piece *p = all->memory, *next; p; p = next) {
        next = p->next;
        free(p);
    }
    *all = (tl_sentences){0};
}
