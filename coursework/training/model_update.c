/* Task 8, tier 2: updates of a small Transformer by the library itself, right and with common mistakes.
 *
 * The student's function uses the library, so the right numbers are computed by the library too, in its own
 * precision. Adam's eps is large for two reasons. A gradient that is 0 except for rounding, such as that of the
 * keys' bias, must not become a full step. And the size of a gradient must show; with a small eps Adam divides it
 * out. */
#include "model_update.h"

#include <stdlib.h>
#include <tapeloom.h>

enum {
    NO_ZERO,
    MEANS,
    MEANS_OF_MEANS,
    SUMS,
    UNCLIPPED,
    CLIPPED_EACH,
    PEAK,
    STEP_LATE,
    EVALUATES,
    SAME_DROPOUT,
    FIRST_STEP,
    LAST_ALONE
};
static const course_slip slips_of_updates[] = {
    [NO_ZERO] = {"no zero_grad",
                 "those of gradients that are never zeroed: each update holds those of all before it"},
    [MEANS] =
        {"divisor per micro-batch",
         "those with each micro-batch's loss divided by its own tokens and then added up: the divisor is the "
         "tokens of all of them"},
    [MEANS_OF_MEANS] =
        {"mean of means",
         "those of the mean of the micro-batches' means: a token counts the same in each of them"},
    [SUMS] = {"no divisor", "those of summed losses that are not divided by the number of tokens"},
    [UNCLIPPED] = {"step before clip", "those of gradients that Adam gets before they are clipped"},
    [CLIPPED_EACH] =
        {"clipped in every micro-batch",
         "those of a sum that is clipped after each micro-batch: clip once, when all have been added"},
    [PEAK] = {"constant rate", "those with the rate of step `warmup` in every step"},
    [STEP_LATE] = {"warm-up a step late", "those with the rate of step - 1"},
    [EVALUATES] = {"not in training mode",
                   "those of a tape that is not in training mode: there is no dropout"},
    [SAME_DROPOUT] = {"same dropout in every micro-batch",
                      "those with micro-batch 0's random numbers in each of them: tell the tape which it is"},
    [FIRST_STEP] = {"same dropout in every step", "those with step 1's random numbers in every step"},
    [LAST_ALONE] = {"zeroed in every micro-batch",
                    "those of the last micro-batch's gradients alone: they are zeroed before each, not once"},
    {0}};

/* Sizes, numbers and arrays of a case, as in op_calls.c. */
enum { UPDATES, MICRO, SENTENCES, SRC_LEN, TGT_LEN, VOCAB, D_MODEL, WARMUP, SEED };
enum { CLIP, DROPOUT, EPS };
enum { SRC, SRC_LENGTHS, TGT_IN, TGT_OUT, TGT_LENGTHS, LOSS, NORM, PARAMS };

/* ---- a case as the library's structs ---- */

typedef struct rig {
    const course_case *c;
    int *ids[LOSS];
    tl_params *params;
    tl_transformer model;
    tl_adam *adam;
    tl_tape *tape;
} rig;

static tl_transformer make_model(tl_params *params, const course_case *c) {
    return tl_transformer_init(params, "",
                               &(tl_transformer_config){.src_vocab = c->n[VOCAB],
                                                        .tgt_vocab = c->n[VOCAB],
                                                        .tie = TL_TIE_ALL,
                                                        .d_model = c->n[D_MODEL],
                                                        .heads = 2,
                                                        .layers = 1,
                                                        .dropout = c->p[DROPOUT]});
}

static int *whole(const course_array *a) {
    int *to = malloc((size_t)(a->count + 1) * sizeof *to);
    if (!to) abort();
    for (long i = 0; i < a->count; i++) to[i] = (int)a->data[i];
    return to;
}

static void rig_open(rig *r, const course_case *c) {
    *r = (rig){.c = c, .params = tl_params_new((uint64_t)c->n[SEED]), .tape = tl_tape_new()};
    for (int i = 0; i < LOSS; i++) r->ids[i] = whole(&c->a[i]);
    r->model = make_model(r->params, c);
    r->adam = tl_adam_new(r->params, &(tl_adam_config){.eps = c->p[EPS], .beta2 = 0.98});
}

static void rig_close(rig *r) {
    for (int i = 0; i < LOSS; i++) free(r->ids[i]);
    tl_tape_free(r->tape);
    tl_adam_free(r->adam);
    tl_params_free(r->params);
}

/* Micro-batch i, counted over all updates. */
static tl_batch batch_of(const rig *r, long i) {
    const long *n = r->c->n, B = n[SENTENCES], S = n[SRC_LEN], T = n[TGT_LEN];
    tl_batch b = {.sentences = B,
                  .src_len = S,
                  .tgt_len = T,
                  .src = r->ids[SRC] + i * B * S,
                  .src_lengths = r->ids[SRC_LENGTHS] + i * B,
                  .tgt_in = r->ids[TGT_IN] + i * B * T,
                  .tgt_out = r->ids[TGT_OUT] + i * B * T,
                  .tgt_lengths = r->ids[TGT_LENGTHS] + i * B,
                  .pad = TL_PAD};
    for (long k = 0; k < B; k++) b.src_tokens += b.src_lengths[k], b.tgt_tokens += b.tgt_lengths[k];
    return b;
}

/* ---- an update ---- */

static double divisor_of(const rig *r, const tl_batch *micro, long i, unsigned slips) {
    double all = 0;
    for (long k = 0; k < r->c->n[MICRO]; k++) all += (double)micro[k].tgt_tokens;
    if (slips & COURSE_SLIP(SUMS)) return 1;
    if (slips & COURSE_SLIP(MEANS)) return (double)micro[i].tgt_tokens;
    if (slips & COURSE_SLIP(MEANS_OF_MEANS)) return (double)(micro[i].tgt_tokens * r->c->n[MICRO]);
    return all;
}

static void set_mode(const rig *r, long step, long micro, unsigned slips) {
    if (slips & COURSE_SLIP(FIRST_STEP)) step = 1;
    tl_tape_reset(r->tape);
    tl_tape_set_training(r->tape, slips & COURSE_SLIP(EVALUATES) ? 0 : step);
    tl_tape_set_micro_batch(r->tape, slips & COURSE_SLIP(SAME_DROPOUT) ? 0 : micro);
}

static double rate_of(const rig *r, long step, unsigned slips) {
    const long *n = r->c->n;
    if (slips & COURSE_SLIP(PEAK)) step = n[WARMUP];
    return tl_noam(n[D_MODEL], n[WARMUP], slips & COURSE_SLIP(STEP_LATE) ? step - 1 : step);
}

static void update(rig *r, long step, double *loss, double *norm, unsigned slips) {
    tl_batch micro[8];
    const long count = r->c->n[MICRO];
    for (long i = 0; i < count; i++) micro[i] = batch_of(r, (step - 1) * count + i);
    if (!(slips & COURSE_SLIP(NO_ZERO))) tl_zero_grad(r->params);
    *loss = 0;
    for (long i = 0; i < count; i++) {
        if (slips & COURSE_SLIP(LAST_ALONE)) tl_zero_grad(r->params);
        set_mode(r, step, i, slips);
        const tl_loss_options options = {.divisor = divisor_of(r, micro, i, slips)};
        tl_var l = tl_model_loss(&r->model.model, r->tape, &micro[i], &options, NULL, NULL);
        *loss += tl_item(tl_value(l));
        tl_backward(l);
        if (slips & COURSE_SLIP(CLIPPED_EACH)) *norm = tl_clip_grad_norm(r->params, r->c->p[CLIP]);
    }
    if (!(slips & COURSE_SLIP(CLIPPED_EACH)))
        *norm = tl_clip_grad_norm(r->params, slips & COURSE_SLIP(UNCLIPPED) ? 0 : r->c->p[CLIP]);
    tl_adam_step(r->adam, rate_of(r, step, slips));
}

static void model(course_case *c, unsigned slips) {
    rig r;
    rig_open(&r, c);
    for (long step = 1; step <= c->n[UPDATES]; step++)
        update(&r, step, &c->a[LOSS].data[step - 1], &c->a[NORM].data[step - 1], slips);
    double *to = c->a[PARAMS].data;
    for (int i = 0; i < tl_params_count(r.params); i++) {
        const tl_tensor value = tl_param_value(tl_params_at(r.params, i));
        for (long k = 0; k < tl_numel(value); k++) *to++ = (double)value.data[k];
    }
    rig_close(&r);
}

/* ---- cases: copies of random words ---- */

static void draw_sentence(course_case *c, long row, course_rng *rng) {
    const long S = c->n[SRC_LEN], T = c->n[TGT_LEN], micro = row / c->n[SENTENCES];
    /* every other micro-batch has short sentences, so that weighting by tokens shows */
    const long words = micro % 2 ? 1 : course_between(rng, S > 1 ? S - 1 : 1, S);
    c->a[SRC_LENGTHS].data[row] = (double)words, c->a[TGT_LENGTHS].data[row] = (double)(words + 1);
    c->a[TGT_IN].data[row * T] = TL_BOS;
    for (long i = 0; i < words; i++) {
        const double word = (double)course_between(rng, TL_SPECIALS, c->n[VOCAB] - 1);
        c->a[SRC].data[row * S + i] = c->a[TGT_IN].data[row * T + i + 1] = c->a[TGT_OUT].data[row * T + i] =
            word;
    }
    c->a[TGT_OUT].data[row * T + words] = TL_EOS;
}

static void draw(course_case *c, course_kind kind, course_rng *rng) {
    long *n = c->n;
    n[UPDATES] = 2, n[MICRO] = 3, n[SENTENCES] = course_between(rng, 1, 2),
    n[SRC_LEN] = course_between(rng, 3, 4);
    n[VOCAB] = TL_SPECIALS + 5, n[D_MODEL] = 6, n[WARMUP] = 5;
    if (kind == COURSE_ONE) n[UPDATES] = n[MICRO] = n[SENTENCES] = n[SRC_LEN] = n[WARMUP] = 1;
    if (kind == COURSE_PRIME)
        n[UPDATES] = 5, n[MICRO] = 2, n[SENTENCES] = 7, n[SRC_LEN] = 11, n[VOCAB] = 31, n[D_MODEL] = 10,
        n[WARMUP] = 3;
    n[TGT_LEN] = n[SRC_LEN] + 1, n[SEED] = course_between(rng, 1, 1000000);
    c->p[CLIP] = 0.03, c->p[DROPOUT] = 0.2, c->p[EPS] = 1e-3;
    const long rows = n[UPDATES] * n[MICRO] * n[SENTENCES];
    course_array_new(c, COURSE_IN, "src", COURSE_DIMS(rows, n[SRC_LEN]));
    course_array_new(c, COURSE_IN, "src_lengths", COURSE_DIMS(rows));
    course_array_new(c, COURSE_IN, "tgt_in", COURSE_DIMS(rows, n[TGT_LEN]));
    course_array_new(c, COURSE_IN, "tgt_out", COURSE_DIMS(rows, n[TGT_LEN]));
    course_array_new(c, COURSE_IN, "tgt_lengths", COURSE_DIMS(rows));
    for (long row = 0; row < rows; row++) draw_sentence(c, row, rng);
    course_array_new(c, COURSE_OUT, "loss", COURSE_DIMS(n[UPDATES]));
    course_array_new(c, COURSE_OUT, "norm", COURSE_DIMS(n[UPDATES]));
    tl_params *params = tl_params_new(1);
    make_model(params, c);
    course_array_new(c, COURSE_OUT, "parameters", COURSE_DIMS(tl_params_numel(params)));
    tl_params_free(params);
}

const course_exercise course_training_tier2[] = {
    {.function = "training_update",
     .part = COURSE_FORWARD,
     .kinds = COURSE_HAS(COURSE_ODD) | COURSE_HAS(COURSE_ONE) | COURSE_HAS(COURSE_PRIME),
     .draw = draw,
     .model = model,
     .slips = slips_of_updates},
    {0}};
