/* Importance of heads (Michel et al. 2019) over a set. */
#include "heads_found.h"

void tl_heads_finish(const tl_run *run, const tl_heads_found *found, double *importance) {
    const tl_model *model = tl_run_model(run);
    long first = 0;
    for (long i = 0; i < found->count; i++) importance[i] = found->importance[i];
    for (int k = 0; k < TL_ATTENTION_KINDS; k++)
        for (int l = 0; l < model->attentions[k]; l++) {
            const long heads = tl_model_heads(model, (tl_attention_kind)k, l);
            tl_heads_normalise(importance + first, heads);
            first += heads;
        }
}

bool tl_heads_importance(tl_run *run, tl_set *set, bool per_token, double *importance) {
    tl_heads_found found = {0};
    const tl_heads_options options = {.per_token = per_token};
    if (!run || !set || !importance)
        return run && tl_heads_fail(run, "give a set and room for the importance of each head");
    const bool ok = tl_heads_found_new(run, false, &found) && tl_heads_walk(run, set, &options, &found);
    if (ok) tl_heads_finish(run, &found, importance);
    tl_heads_found_free(&found);
    return ok;
}
