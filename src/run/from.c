/* A new run that continues from another one: text and best weights are the other run's. The other folder is only
 * read. */
#include "from.h"
#include "heads.h"
#include "programs.h"

#include <string.h>

/* Are two settings of a side the same? NULL means the same on both sides. */
static bool same(const char *a, const char *b) { return (!a && !b) || (a && b && !strcmp(a, b)); }

/* Ids must mean the same, so lines must be cut in the same way. */
static bool same_text(tl_run *run, const tl_run *other) {
    const tl_text_settings *a = &run->settings.text, *b = &other->settings.text;
    if (same(a->src_units, b->src_units) && same(a->tgt_units, b->tgt_units) &&
        same(a->src_pretokenize, b->src_pretokenize) && same(a->tgt_pretokenize, b->tgt_pretokenize) &&
        a->joint == b->joint)
        return true;
    return tl_error_set(
        &run->error,
        "--from %s: its text is cut in other ways (--units, --pretokenize, --joint): begin with "
        "the settings of that run",
        other->dir);
}

static tl_run *open_other(tl_run *run) {
    tl_error why = {""};
    const tl_run_choice best = {NULL, tl_run_program_name(run)};
    tl_run *other = tl_run_open(run->settings.model.from, &best, &why);
    if (!other) tl_error_set(&run->error, "--from %s: %s", run->settings.model.from, why.message);
    return other;
}

bool tl_from_text(tl_run *run) {
    tl_run *other = open_other(run);
    if (!other || !same_text(run, other)) {
        tl_run_free(other);
        return false;
    }
    run->vocab[TL_SOURCE] = other->vocab[TL_SOURCE], run->vocab[TL_TARGET] = other->vocab[TL_TARGET];
    run->bpe = other->bpe, run->target_bpe = other->target_bpe;
    other->vocab[TL_SOURCE] = other->vocab[TL_TARGET] = NULL; /* owned by this run from here on */
    other->bpe = other->target_bpe = NULL;
    tl_run_free(other);
    return true;
}

/* Checks that both models have the same parameters: a parameter that only the other has would be lost silently. */
static bool take(tl_run *run, const tl_run *other) {
    for (int i = 0; i < tl_params_count(other->params); i++) {
        const char *name = tl_params_at(other->params, i)->leaf.name;
        if (!tl_params_find(run->params, name))
            return tl_error_set(&run->error,
                                "--from %s: it has %s, and this model has not: leave the sizes as they are",
                                other->dir, name);
    }
    for (int i = 0; i < tl_params_count(run->params); i++) {
        const tl_param *to = tl_params_at(run->params, i),
                       *from = tl_params_find(other->params, to->leaf.name);
        char have[TL_SHAPE_TEXT], want[TL_SHAPE_TEXT];
        if (!from && tl_is_head_gate(to->leaf.name)) continue;
        if (!from)
            return tl_error_set(&run->error, "--from %s: it has no %s: leave the sizes as they are",
                                other->dir, to->leaf.name);
        const tl_tensor a = tl_param_value(to), b = tl_param_value(from);
        if (!tl_shape_equal(tl_shape_of(a), tl_shape_of(b)))
            return tl_error_set(&run->error,
                                "--from %s: its %s is %s, and this model's %s: leave the sizes as they are",
                                other->dir, to->leaf.name, tl_shape_text(tl_shape_of(b), have),
                                tl_shape_text(tl_shape_of(a), want));
        tl_tensor_copy(a, b);
    }
    tl_params_changed(run->params);
    return true;
}

bool tl_from_weights(tl_run *run) {
    tl_run *other = open_other(run);
    const bool ok = other && take(run, other);
    tl_run_free(other);
    return ok;
}
