/* Two runs of which everything is kept, and any number of runs of A with values of B. tl_replace_where puts B's
 * recorded values into a place; the estimate calls the same function on A's own values to see what changes, so both
 * mean the same elements. */
#include "patch.h"

#include "lens.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- recording ---- */

static tl_tensor kept(tl_tensor x) {
    const tl_tensor none = {.data = NULL};
    if (!x.data) return none;
    tl_real *data = malloc((size_t)(tl_numel(x) + 1) * sizeof *data);
    if (!data) return none;
    tl_tensor y = tl_tensor_of(data, tl_shape_of(x));
    tl_tensor_copy(y, x);
    return y;
}

static bool out_of_memory(tl_tape *tape) {
    return tl_tape_fail(tape, "patch: out of memory for what stood in the places"), false;
}

/* Records the value of each place; with grads also its gradient. */
static bool record(tl_patch *p, const tl_model_maps *maps, bool of_a) {
    for (long i = 0; i < p->count; i++) {
        tl_patch_record *r = &p->record[i];
        const tl_var x = tl_place_var(p->model, maps, r->name.text);
        const tl_tensor value = tl_ok(x) ? tl_value(x) : (tl_tensor){.data = NULL};
        tl_tensor *to = of_a ? &r->a : &r->b;
        *to = kept(value);
        if (value.data && !to->data) return out_of_memory(p->tape);
        if (!of_a || !value.data) continue;
        const tl_tensor grad = tl_place_grad(p->model, maps, r->name.text);
        r->grad = kept(grad);
        if (grad.data && !r->grad.data) return out_of_memory(p->tape);
    }
    return true;
}

/* ---- a run ---- */

static bool act(const tl_places *places, tl_tape *tape, tl_model_maps *maps) {
    if (places && !tl_places_error(places)) return tl_places_maps(places, tape, maps);
    return tl_tape_fail(tape, "patch: %s", places ? tl_places_error(places) : "out of memory"), false;
}

/* m of a batch. Resets the tape first. False if the tape has failed. */
static bool measure(tl_patch *p, const tl_batch *batch, const tl_places *places, bool grad,
                    tl_model_maps *maps, double *value) {
    tl_tape_reset(p->tape);
    if (!act(places, p->tape, maps)) return false;
    const bool before = tl_tape_set_grad(p->tape, grad);
    tl_var y = tl_objective_var(p->model, p->tape, batch, maps, &p->objective);
    tl_tape_set_grad(p->tape, before);
    if (!tl_ok(y)) return false;
    *value = tl_item(tl_value(y));
    if (!grad) return true;
    tl_zero_grad(p->model->params);
    return tl_backward(y);
}

static bool run_both(tl_patch *p, tl_places *places) {
    tl_model_maps maps;
    tl_places_keep(places, "*");
    if (!measure(p, &p->a, places, true, &maps, &p->value_a) || !record(p, &maps, true)) return false;
    tl_places_forget(places);
    /* a model fills maps only if something in them asks for it: keep does */
    tl_places_keep(places, "*");
    return measure(p, &p->b, places, false, &maps, &p->value_b) && record(p, &maps, false);
}

/* ---- do two batches fit? ---- */

static long length(const int *lengths, long all, long sentence) { return lengths ? lengths[sentence] : all; }

/* The first sentence whose lengths differ on a side; if only the batches' widths differ, the number of sentences;
 * -1: none. */
static long first_unequal(const tl_patch *p, bool target, long lengths[2]) {
    const tl_batch *a = &p->a, *b = &p->b;
    for (long s = 0; s < a->sentences; s++) {
        lengths[0] = target ? length(a->tgt_lengths, a->tgt_len, s) : length(a->src_lengths, a->src_len, s);
        lengths[1] = target ? length(b->tgt_lengths, b->tgt_len, s) : length(b->src_lengths, b->src_len, s);
        if (lengths[0] != lengths[1]) return s;
    }
    lengths[0] = target ? a->tgt_len : a->src_len, lengths[1] = target ? b->tgt_len : b->src_len;
    return lengths[0] == lengths[1] ? -1 : a->sentences;
}

static bool same_lengths(const tl_patch *p, const char *what, bool target) {
    long lengths[2];
    const char *side = target ? "target" : "source";
    const long s = first_unequal(p, target, lengths);
    char which[40] = "";
    if (s < 0) return true;
    if (p->a.sentences > 1) snprintf(which, sizeof which, " (sentence %ld)", s);
    if (s < p->a.sentences)
        tl_tape_fail(p->tape,
                     "patch: %s: A has %ld %s tokens and B has %ld%s: what is exchanged position by position "
                     "needs as many on both; give a B of %ld, or leave this place out",
                     what, lengths[0], side, lengths[1], which, lengths[0]);
    else
        tl_tape_fail(p->tape,
                     "patch: %s: A's batch is %ld %s tokens wide and B's %ld: lay both out in one width",
                     what, lengths[0], side, lengths[1]);
    return false;
}

bool tl_patch_fits(const tl_patch *p, const tl_place_name *place) {
    const bool cross = *place->attention && place->kind == TL_CROSS;
    const bool keys = place->place == TL_PLACE_K || place->place == TL_PLACE_V,
               both = place->place == TL_PLACE_SCORES || place->place == TL_PLACE_PROBS;
    bool source = *place->attention ? place->kind == TL_ENCODER_SELF : place->side == TL_ENCODER;
    if (cross) source = keys;
    const bool target = cross ? !keys : !source;
    return (!(source || (cross && both)) || same_lengths(p, place->text, false)) &&
           (!target || same_lengths(p, place->text, true));
}

/* Every run asks for A's true token. */
static bool name_token(tl_patch *p) {
    tl_objective *o = &p->objective;
    const tl_batch *a = &p->a;
    if ((o->kind != TL_OF_LOG_P && o->kind != TL_OF_LOGIT) || o->token >= 0) return true;
    const bool inside =
        o->sentence >= 0 && o->sentence < a->sentences && o->position >= 0 &&
        o->position < (p->model->kind->begin ? length(a->tgt_lengths, a->tgt_len, o->sentence) : 1);
    o->token = inside ? tl_true_token(p->model, a, o) : -1;
    if (o->token < 0)
        return tl_tape_fail(p->tape,
                            "patch: word %ld of sentence %ld, whose true token is asked for, is not in A",
                            o->position, o->sentence),
               false;
    return true;
}

/* B reads its own words and has A's targets. */
static bool lay_targets(tl_patch *p) {
    const tl_objective *o = &p->objective;
    long lengths[2];
    const bool word = o->kind == TL_OF_LOG_P || o->kind == TL_OF_LOGIT;
    if (p->a.sentences != p->b.sentences)
        return tl_tape_fail(p->tape, "patch: A has %ld sentences and B has %ld: they go in pairs",
                            p->a.sentences, p->b.sentences),
               false;
    if (!word && !same_lengths(p, "the loss of A's target", true)) return false;
    if (first_unequal(p, true, lengths) < 0) p->b.tgt_out = p->a.tgt_out;
    p->b.labels = p->a.labels;
    const bool inside = o->sentence >= 0 && o->sentence < p->b.sentences;
    if (word && inside && p->b.tgt_len && o->position >= length(p->b.tgt_lengths, p->b.tgt_len, o->sentence))
        return tl_tape_fail(p->tape, "patch: word %ld is asked for, and B's target has only %ld", o->position,
                            length(p->b.tgt_lengths, p->b.tgt_len, o->sentence)),
               false;
    return true;
}

/* ---- making and freeing ---- */

static bool list_places(tl_patch *p) {
    p->count = tl_place_count(p->model);
    p->record = calloc((size_t)p->count + 1, sizeof *p->record);
    for (long i = 0; p->record && i < p->count; i++) {
        p->record[i].patch = p;
        tl_place_at_number(p->model, i, &p->record[i].name);
    }
    return p->record || out_of_memory(p->tape);
}

tl_patch *tl_patch_new(const tl_model *model, tl_tape *tape, const tl_batch *a, const tl_batch *b,
                       const tl_objective *objective) {
    if (!tape || !model || !a || !b || !objective)
        return tl_tape_fail(tape, "patch: give a model, its tape, two batches and what is measured"), NULL;
    tl_patch *p = calloc(1, sizeof *p);
    tl_places *places = tl_places_new(model);
    const long training = tl_tape_set_training(tape, 0);
    bool ok = p && places;
    if (!ok) out_of_memory(tape);
    if (ok) {
        *p = (tl_patch){.model = model, .tape = tape, .a = *a, .b = *b, .objective = *objective};
        tl_tape_reset(tape);
        ok = list_places(p) && name_token(p) && lay_targets(p) && run_both(p, places);
    }
    tl_tape_set_training(tape, training);
    tl_places_free(places);
    if (ok) return p;
    tl_patch_free(p);
    return NULL;
}

void tl_patch_free(tl_patch *p) {
    if (!p) return;
    for (long i = 0; p->record && i < p->count; i++) {
        free(p->record[i].a.data);
        free(p->record[i].b.data);
        free(p->record[i].grad.data);
    }
    free(p->record);
    free(p);
}

double tl_patch_value_a(const tl_patch *p) { return p ? p->value_a : NAN; }
double tl_patch_value_b(const tl_patch *p) { return p ? p->value_b : NAN; }

bool tl_patch_has_score(const tl_patch *p) {
    if (!p) return false;
    const double size = fmax(1, fmax(fabs(p->value_a), fabs(p->value_b)));
    return fabs(p->value_b - p->value_a) >= TL_PATCH_LEAST * size;
}

double tl_patch_score(const tl_patch *p, double effect) {
    return tl_patch_has_score(p) ? effect / (p->value_b - p->value_a) : NAN;
}

/* ---- A with values of B ---- */

/* B's values for x; a decoder that goes step by step has one query at a time, at position `from`. */
static tl_tensor beside(tl_tensor b, tl_tensor x, long from) {
    const int axis = b.rank - 2;
    return b.dim[axis] == x.dim[axis] ? b : tl_tensor_slice(b, axis, from, from + x.dim[axis]);
}

static tl_var put_b(tl_var x, const tl_place_at *at, void *context) {
    const tl_patch_record *r = context;
    const tl_patch *p = r->patch;
    const tl_tensor b = beside(r->b, tl_value(x), at->from);
    if (!b.data) return x;
    for (int i = 0; i < p->chosen; i++)
        if (tl_place_matches(r->name.text, p->places[i].places))
            x = tl_replace_where(x, tl_constant(x.tape, b), at, &p->places[i].where);
    return x;
}

static bool is_chosen(const tl_patch *p, const tl_patch_record *r) {
    for (int i = 0; i < p->chosen; i++)
        if (r->a.data && tl_place_matches(r->name.text, p->places[i].places)) return true;
    return false;
}

/* Σ (a_B - a_A)·dm/da over the chosen part of a place. put_b on a copy of A's values leaves a_A elsewhere. */
static double estimate(const tl_patch *p, tl_patch_record *r) {
    if (!r->grad.data) return 0;
    const tl_place_at at = {.place = r->name.place};
    tl_tape_reset(p->tape);
    const tl_tensor put = tl_value(put_b(tl_constant(p->tape, r->a), &at, r));
    double sum = 0;
    for (long i = 0; put.data && i < tl_numel(put); i++)
        sum += ((double)put.data[i] - (double)r->a.data[i]) * (double)r->grad.data[i];
    return sum;
}

static bool choose(tl_patch *p, tl_places *places) {
    if (!places) return out_of_memory(p->tape);
    for (int i = 0; i < p->chosen; i++) {
        long named = 0, found = 0;
        for (long j = 0; j < p->count; j++) {
            const bool is = tl_place_matches(p->record[j].name.text, p->places[i].places);
            named += is, found += is && p->record[j].a.data;
        }
        if (!found)
            return tl_tape_fail(p->tape,
                                named ? "patch: %s holds nothing in this model"
                                      : "patch: no place of this model is called %s",
                                p->places[i].places ? p->places[i].places : "(NULL)"),
                   false;
    }
    for (long j = 0; j < p->count; j++) {
        tl_patch_record *r = &p->record[j];
        if (is_chosen(p, r) &&
            !(tl_patch_fits(p, &r->name) && tl_places_replace(places, r->name.text, put_b, r)))
            return false;
    }
    return true;
}

bool tl_patch_run(tl_patch *p, const tl_patch_place *chosen, int count, tl_patched *patched) {
    if (patched) *patched = (tl_patched){NAN, NAN, NAN};
    if (!p) return false;
    if (!patched || !chosen || count < 1)
        return tl_tape_fail(p->tape, "patch: give places, one or more, and room for what comes out"), false;
    tl_model_maps maps;
    tl_places *places = tl_places_new(p->model);
    const long training = tl_tape_set_training(p->tape, 0);
    p->places = chosen, p->chosen = count;
    double value, sum = 0;
    const bool ok = choose(p, places) && measure(p, &p->a, places, false, &maps, &value);
    for (long i = 0; ok && i < p->count; i++)
        if (is_chosen(p, &p->record[i])) sum += estimate(p, &p->record[i]);
    if (ok) *patched = (tl_patched){value, value - p->value_a, sum};
    tl_tape_set_training(p->tape, training);
    tl_places_free(places);
    return ok && !tl_tape_error(p->tape);
}
