/* The claims, in the order of the page. */
#include "study.h"

#include <string.h>

extern const claim claim_bottleneck;
extern const claim claim_causal;
extern const claim claim_explanation;
extern const claim claim_sink;

const claim *const claims[] = {&claim_bottleneck, &claim_causal, &claim_explanation, &claim_sink, NULL};

const claim *claim_named(const char *name) {
    for (int i = 0; claims[i]; i++)
        if (!strcmp(claims[i]->name, name)) return claims[i];
    return NULL;
}
