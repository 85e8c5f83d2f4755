/* How good a model is without some heads: gates of 0 compute what a model without these heads computes. */
#include "tapeloom/prune.h"

#include "lens.h"

static bool shut(tl_places *places, const tl_model *model, const long *order, long removed) {
    bool ok = places != NULL;
    for (long i = 0; ok && i < removed; i++) {
        tl_head_name head;
        char attention[64];
        ok = tl_prune_head(model, order[i], &head) &&
             tl_places_gate(places, tl_attention_name(model, head.kind, head.layer, attention), head.head, 0);
    }
    return ok;
}

bool tl_prune_measure(tl_run *run, tl_set *set, const long *order, long removed, bool score,
                      tl_quality *quality) {
    if (!tl_run_has_model(run)) return false;
    if (!set || !quality || (!order && removed)) return tl_run_lacks(run, "the set, the order or the place");
    const tl_model *model = tl_run_model(run);
    if (removed < 0 || removed > tl_prune_heads(model))
        return tl_error_set(&run->error, "%ld heads to be removed, and the model has %ld", removed,
                            tl_prune_heads(model));
    tl_places *places = tl_places_new(model);
    bool ok = shut(places, model, order, removed);
    if (!ok)
        tl_error_set(&run->error, "%s",
                     tl_places_error(places) ? tl_places_error(places)
                                             : "the order of heads names one that the model has not");
    ok = ok && tl_set_measure_at(set, run, removed ? places : NULL, score, quality);
    tl_places_free(places);
    return ok;
}
