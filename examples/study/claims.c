/* The claims, in the order of the page. */
#include "study.h"

#include <string.h>

extern const claim claim_bottleneck;
extern const claim claim_heads, claim_heads_multi30k;
extern const claim claim_causal;
extern const claim claim_redundant, claim_redundant_multi30k;

const claim *const claims[] = {
    &claim_bottleneck,         &claim_heads, &claim_heads_multi30k, &claim_causal, &claim_redundant,
    &claim_redundant_multi30k, NULL};

const claim *claim_named(const char *name) {
    for (int i = 0; claims[i]; i++)
        if (!strcmp(claims[i]->name, name)) return claims[i];
    return NULL;
}
