/* What the runner does with a call of task 8, tier 2: updates of a small Transformer. It returns the report of each
 * update, and the parameters after the last one. */
#include "op_calls.h"
#include "training.h"

#include <string.h>

/* Sizes of a call, in their order in n. */
enum { UPDATES, MICRO, SENTENCES, SRC_LEN, TGT_LEN, VOCAB, D_MODEL, WARMUP, SEED };
/* Its numbers: the limit of clipping, dropout, Adam's eps. Its arrays: */
enum { SRC, SRC_LENGTHS, TGT_IN, TGT_OUT, TGT_LENGTHS, LOSS, NORM, PARAMS };

/* Micro-batch i, counted over all updates. */
static tl_batch batch_of(const long *n, const int *const ids[], long i) {
    const long B = n[SENTENCES], S = n[SRC_LEN], T = n[TGT_LEN];
    tl_batch b = {.sentences = B,
                  .src_len = S,
                  .tgt_len = T,
                  .src = ids[SRC] + i * B * S,
                  .src_lengths = ids[SRC_LENGTHS] + i * B,
                  .tgt_in = ids[TGT_IN] + i * B * T,
                  .tgt_out = ids[TGT_OUT] + i * B * T,
                  .tgt_lengths = ids[TGT_LENGTHS] + i * B,
                  .pad = TL_PAD};
    for (long k = 0; k < B; k++) b.src_tokens += b.src_lengths[k], b.tgt_tokens += b.tgt_lengths[k];
    return b;
}

static void hand_back(tl_params *params, float *to) {
    for (int i = 0; i < tl_params_count(params); i++) {
        const tl_tensor value = tl_param_value(tl_params_at(params, i));
        memcpy(to, value.data, (size_t)tl_numel(value) * sizeof *to);
        to += tl_numel(value);
    }
}

static void update(const course_call *c) {
    const long *n = c->n;
    const int *ids[LOSS];
    for (int i = 0; i < LOSS; i++) ids[i] = course_ints(c, i);
    tl_params *params = tl_params_new((uint64_t)n[SEED]);
    tl_transformer model = tl_transformer_init(params, "",
                                               &(tl_transformer_config){.src_vocab = n[VOCAB],
                                                                        .tgt_vocab = n[VOCAB],
                                                                        .tie = TL_TIE_ALL,
                                                                        .d_model = n[D_MODEL],
                                                                        .heads = 2,
                                                                        .layers = 1,
                                                                        .dropout = c->p[1]});
    tl_adam *adam = tl_adam_new(params, &(tl_adam_config){.eps = c->p[2], .beta2 = 0.98});
    tl_tape *tape = tl_tape_new();
    const training_settings settings = {.d_model = n[D_MODEL], .warmup = n[WARMUP], .clip = c->p[0]};
    bool idle = true; /* if the update does nothing, results keep the garbage that was there */
    for (long step = 1; step <= n[UPDATES]; step++) {
        tl_batch micro[8];
        for (long i = 0; i < n[MICRO]; i++) micro[i] = batch_of(n, ids, (step - 1) * n[MICRO] + i);
        const training_report said =
            training_update(&model, params, adam, tape, micro, (int)n[MICRO], step, &settings);
        c->a[LOSS][step - 1] = (float)said.loss, c->a[NORM][step - 1] = (float)said.norm;
        idle &= said.loss == 0 && said.norm == 0 && tl_adam_steps(adam) == 0;
    }
    if (!idle) hand_back(params, c->a[PARAMS]);
    tl_tape_free(tape);
    tl_adam_free(adam);
    tl_params_free(params);
}

const course_function course_functions[] = {{"training_update", update}, {0}};
