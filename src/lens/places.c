/* A list of what to do at places of a model, and maps that do it. The list knows no tape: maps are made from it for
 * each step. */
#include "lens.h"

#include "tapeloom/op.h"

#include <stdlib.h>
#include <string.h>

typedef struct at_attention {
    unsigned keep;
    tl_replacement replace[TL_PLACES];
    double *gates; /* [heads]; NULL: none */
} at_attention;
typedef struct at_depth {
    unsigned keep;
    tl_replacement replace[TL_STREAM_PLACES];
} at_depth;

struct tl_places {
    const tl_model *model;
    tl_error error;
    at_attention *attention[TL_ATTENTION_KINDS]; /* [layers] */
    at_depth *stream[TL_STREAM_SIDES];           /* [depths] */
};

/* ---- making and freeing ---- */

tl_places *tl_places_new(const tl_model *model) {
    tl_places *p = calloc(1, sizeof *p);
    if (!p) return NULL;
    if (!model || !model->kind) {
        tl_error_set(&p->error, "places: the model is NULL or zeroed");
        return p;
    }
    bool ok = true;
    p->model = model;
    for (int kind = 0; kind < TL_ATTENTION_KINDS; kind++) {
        p->attention[kind] = calloc((size_t)model->attentions[kind] + 1, sizeof(at_attention));
        ok &= p->attention[kind] != NULL;
    }
    for (int side = 0; side < TL_STREAM_SIDES; side++) {
        p->stream[side] = calloc((size_t)model->depths[side] + 1, sizeof(at_depth));
        ok &= p->stream[side] != NULL;
    }
    if (ok) return p;
    tl_places_free(p);
    return NULL;
}

void tl_places_forget(tl_places *p) {
    for (int kind = 0; p && p->model && kind < TL_ATTENTION_KINDS; kind++)
        for (int l = 0; p->attention[kind] && l < p->model->attentions[kind]; l++) {
            free(p->attention[kind][l].gates);
            p->attention[kind][l] = (at_attention){0};
        }
    for (int side = 0; p && p->model && side < TL_STREAM_SIDES; side++)
        for (int i = 0; p->stream[side] && i < p->model->depths[side]; i++)
            p->stream[side][i] = (at_depth){0};
    if (p && p->model) tl_error_clear(&p->error);
}

void tl_places_free(tl_places *p) {
    if (!p) return;
    tl_places_forget(p);
    for (int kind = 0; kind < TL_ATTENTION_KINDS; kind++) free(p->attention[kind]);
    for (int side = 0; side < TL_STREAM_SIDES; side++) free(p->stream[side]);
    free(p);
}

const char *tl_places_error(const tl_places *p) {
    if (!p) return "places: out of memory";
    return tl_failed(&p->error) ? p->error.message : NULL;
}

/* ---- filling the list ---- */

static bool usable(const tl_places *p) { return p && !tl_failed(&p->error); }

static bool none_matches(tl_places *p, const char *pattern) {
    return tl_error_set(&p->error, "no place of the model matches %s: `attend list` has their names",
                        pattern ? pattern : "(NULL)");
}

/* Does something at every place that matches, and counts them. */
typedef struct doing {
    tl_places *places;
    const char *pattern;
    void (*what)(tl_places *p, const tl_place_name *at, void *of);
    void *of;
    long found;
} doing;

static void if_matches(void *context, const tl_place_name *name) {
    doing *d = context;
    if (!tl_place_matches(name->text, d->pattern)) return;
    d->what(d->places, name, d->of);
    d->found++;
}

static long for_each(tl_places *p, const char *pattern,
                     void what(tl_places *p, const tl_place_name *at, void *of), void *of) {
    doing d = {p, pattern, what, of, 0};
    tl_place_each(p->model, if_matches, &d);
    return d.found;
}

static void keep(tl_places *p, const tl_place_name *at, void *of) {
    (void)of;
    if (*at->attention)
        p->attention[at->kind][at->layer].keep |= 1u << at->place;
    else
        p->stream[at->side][at->layer].keep |= 1u << at->place;
}

static void replace(tl_places *p, const tl_place_name *at, void *of) {
    const tl_replacement *replacement = of;
    if (*at->attention)
        p->attention[at->kind][at->layer].replace[at->place] = *replacement;
    else
        p->stream[at->side][at->layer].replace[at->place - TL_PLACE_FEED_FORWARD] = *replacement;
}

bool tl_places_keep(tl_places *p, const char *pattern) {
    if (!usable(p)) return false;
    return for_each(p, pattern, keep, NULL) > 0 || none_matches(p, pattern);
}

bool tl_places_replace(tl_places *p, const char *pattern, tl_replacing *f, void *context) {
    tl_replacement replacement = {f, context};
    if (!usable(p)) return false;
    return for_each(p, pattern, replace, &replacement) > 0 || none_matches(p, pattern);
}

static bool gate(tl_places *p, at_attention *at, int heads, int head, double factor) {
    if (!at->gates) {
        at->gates = malloc((size_t)(heads + 1) * sizeof *at->gates);
        if (!at->gates) return tl_error_set(&p->error, "out of memory for gates");
        for (int h = 0; h < heads; h++) at->gates[h] = 1;
    }
    for (int h = 0; h < heads; h++)
        if (head < 0 || head == h) at->gates[h] = factor;
    return true;
}

bool tl_places_gate(tl_places *p, const char *attention, int head, double factor) {
    long found = 0;
    if (!usable(p)) return false;
    if (head >= p->model->heads || head < -1)
        return tl_error_set(&p->error, "head %d: the model has %d: give 0 … %d, or -1 for all", head,
                            p->model->heads, p->model->heads - 1);
    for (int kind = 0; kind < TL_ATTENTION_KINDS; kind++)
        for (int l = 0; l < p->model->attentions[kind]; l++) {
            char name[64];
            tl_attention_name(p->model, (tl_attention_kind)kind, l, name);
            if (!tl_place_matches(name, attention)) continue;
            const int heads = tl_model_heads(p->model, (tl_attention_kind)kind, l);
            if (head >= heads) continue; /* this attention has lost that head */
            if (!gate(p, &p->attention[kind][l], heads, head, factor)) return false;
            found++;
        }
    return found > 0 || none_matches(p, attention);
}

/* ---- as maps ---- */

static tl_var gates_on(const at_attention *at, int heads, tl_tape *tape) {
    tl_tensor gates = tl_tape_tensor(tape, TL_SHAPE(heads));
    for (int h = 0; gates.data && h < heads; h++) gates.data[h] = (tl_real)at->gates[h];
    return tl_constant(tape, gates);
}

bool tl_places_maps(const tl_places *p, tl_tape *tape, tl_model_maps *maps) {
    if (!maps) return tl_tape_fail(tape, "places: the place for maps is NULL"), false;
    *maps = (tl_model_maps){0};
    if (!usable(p)) return tl_tape_fail(tape, "%s", tl_places_error(p)), false;
    *maps = tl_model_maps_new(p->model, tape, false);
    for (int kind = 0; kind < TL_ATTENTION_KINDS && !tl_tape_error(tape); kind++)
        for (int l = 0; l < p->model->attentions[kind]; l++) {
            const at_attention *at = &p->attention[kind][l];
            tl_attention_maps *to = &tl_model_maps_of(maps, (tl_attention_kind)kind)[l];
            to->keep = at->keep;
            memcpy(to->replace, at->replace, sizeof to->replace);
            if (at->gates)
                to->gate = gates_on(at, tl_model_heads(p->model, (tl_attention_kind)kind, l), tape);
        }
    for (int side = 0; side < TL_STREAM_SIDES && !tl_tape_error(tape); side++)
        for (int i = 0; i < p->model->depths[side]; i++) {
            maps->stream[side][i].keep = p->stream[side][i].keep;
            memcpy(maps->stream[side][i].replace, p->stream[side][i].replace,
                   sizeof maps->stream[side][i].replace);
        }
    return !tl_tape_error(tape);
}

static bool act(void *context, tl_tape *tape, tl_model_maps *maps) {
    return tl_places_maps(context, tape, maps);
}

void tl_run_act_at(tl_run *run, const tl_places *places) {
    tl_run_act(run, places ? act : NULL, (void *)(uintptr_t)places);
}

bool tl_set_measure_at(tl_set *set, tl_run *run, const tl_places *places, bool score, tl_quality *quality) {
    void *context;
    const tl_run_acting before = tl_run_what_acts(run, &context);
    tl_run_act_at(run, places);
    const bool ok = tl_set_measure(set, score, quality);
    tl_run_act(run, before, context);
    return ok;
}

/* ---- values and gradients of places ---- */

static tl_var var_at(const tl_model_maps *maps, const tl_place_name *at) {
    if (!*at->attention) {
        const tl_stream_maps *stream = maps->stream[at->side];
        if (!stream) return TL_NO_VAR;
        return at->place == TL_PLACE_STREAM ? stream[at->layer].stream : stream[at->layer].feed_forward;
    }
    const tl_attention_maps *all = tl_model_maps_of(maps, at->kind), *m = all ? &all[at->layer] : NULL;
    if (!m) return TL_NO_VAR;
    const tl_var vars[TL_PLACES] = {m->scores,   m->probs, m->context, m->output,
                                    m->residual, m->q,     m->k,       m->v};
    return vars[at->place];
}

tl_var tl_place_var(const tl_model *model, const tl_model_maps *maps, const char *text) {
    tl_place_name at;
    if (!maps || !tl_place_named(model, text, &at)) return TL_NO_VAR;
    return var_at(maps, &at);
}

tl_tensor tl_place_grad(const tl_model *model, const tl_model_maps *maps, const char *text) {
    tl_place_name at;
    if (!maps || !tl_place_named(model, text, &at)) return (tl_tensor){0};
    const tl_attention_maps *all = *at.attention ? tl_model_maps_of(maps, at.kind) : NULL;
    if (all) return tl_attention_grad(&all[at.layer], at.place);
    const tl_var x = var_at(maps, &at);
    return tl_ok(x) ? tl_grad(x) : (tl_tensor){0};
}
