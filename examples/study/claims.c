/* The claims, in the order of the page. */
#include "study.h"

#include <string.h>

extern const claim claim_bottleneck, claim_heads, claim_heads_multi30k, claim_scale, claim_causal,
    claim_order, claim_extrapolation, claim_redundant, claim_redundant_multi30k, claim_little_data,
    claim_little_data_multi30k, claim_warmup, claim_rank, claim_aligns, claim_explanation, claim_induction,
    claim_collapse, claim_sink;

const claim *const claims[] = {&claim_bottleneck,
                               &claim_heads,
                               &claim_heads_multi30k,
                               &claim_scale,
                               &claim_causal,
                               &claim_order,
                               &claim_extrapolation,
                               &claim_redundant,
                               &claim_redundant_multi30k,
                               &claim_little_data,
                               &claim_little_data_multi30k,
                               &claim_warmup,
                               &claim_rank,
                               &claim_aligns,
                               &claim_explanation,
                               &claim_induction,
                               &claim_collapse,
                               &claim_sink,
                               NULL};

const claim *claim_named(const char *name) {
    for (int i = 0; claims[i]; i++)
        if (!strcmp(claims[i]->name, name)) return claims[i];
    return NULL;
}
